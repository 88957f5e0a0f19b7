//! Kubelets that ask nobody who he is.
//!
//! A kubelet's own configuration is no object of the cluster. Kubeadm keeps a copy for the nodes
//! that join in a ConfigMap of `kube-system`, and that is what a snapshot shows of it. What the
//! read-only port shows is the specifications of pods, which lead nowhere by themselves.

use super::Family;
use super::passage::{Passage, passage};
use super::sets::{PODS, SET_MEMBER};
use crate::graph::{Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::network::{ClassIx, Direction, End};
use crate::world::{NodeIx, UNKNOWN_NODE, World};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

crate::attack! {
    /// Runs commands in any pod by a kubelet that answers everybody.
    ///
    /// ## Needs
    /// Kubelets with `authentication.anonymous.enabled: true` and `authorization.mode: AlwaysAllow`,
    /// as the ConfigMap `kubelet-config` of `kube-system` has them for the nodes that join, and the
    /// network's way from a container to port 10250 of the nodes.
    /// ## Abuse
    /// `curl -sk https://NODE:10250/pods`, then `curl -sk -X POST
    /// 'https://NODE:10250/run/NAMESPACE/POD/CONTAINER' -d cmd=id`.
    /// ## Stopped by
    /// Either setting alone: with `authorization.mode: Webhook` the anonymous user needs a grant on
    /// `nodes/proxy`. A node whose own file differs from the ConfigMap, since a later change of the
    /// ConfigMap reaches no node before its next upgrade. A network policy without egress to port
    /// 10250 of the nodes, where the network plugin enforces it; some plugins spare the pod's own
    /// node. It does not hold for pods on the host's network. A firewall around the nodes' port
    /// 10250 against pods is rare.
    /// ## Fix
    /// In the ConfigMap and in `/var/lib/kubelet/config.yaml` of each node set
    /// `authentication.anonymous.enabled: false` and `authorization.mode: Webhook`, then restart the
    /// kubelets.
    /// ## Detect
    /// Connections of pods to port 10250 of nodes. The API server's audit log shows nothing of it.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/>
    /// - CIS Kubernetes Benchmark 4.2.1 and 4.2.2
    pub(super) static KUBELET_ANONYMOUS = {
        id: "kubelet-anonymous", title: "Run commands by an open kubelet",
        mitre: &["T1133", "T1609", "MS-TA9005"], odds: Odds::likely(0.8),
    }
}

/// What a kubelet's port gives to whoever reaches it.
pub(super) static FAMILY: Family =
    Family { name: "H Kubelet's port", attacks: &[&KUBELET_ANONYMOUS], find };

/// The kubelets that pods of a class reach, by the class' number.
static KUBELETS: SetKind = SetKind { id: "open-kubelets", noun: "open kubelets in reach" };
/// The running pods of one node whose kubelet is open.
static PODS_ON: SetKind = SetKind { id: "open-kubelet", noun: "running pods of an open kubelet" };

/// The port of a kubelet.
const PORT: &[u16] = &[10250];
/// As many nodes are asked for as tell blocks of addresses apart.
const ASKED: usize = 256;

/// What a class of pods reaches.
enum Reach {
    /// All kubelets alike.
    All(Passage),
    /// Those of these nodes, by a set.
    Some(Thing<'static>, BTreeSet<NodeIx>),
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let Some(map) = world.config_maps.iter().find(|map| map.open_kubelet) else { return };
    let value = "authentication.anonymous.enabled true, authorization.mode AlwaysAllow";
    let open = sink.fact(map.object, ".data.kubelet", value);
    let pods = Thing::Set(SetKey { kind: &PODS, ns: Sym::EMPTY, of: 0 });
    let nodes = known_nodes(world);
    let mut known: FxHashMap<ClassIx, Reach> = FxHashMap::default();
    let mut behind = BTreeSet::new();
    for host in world.hosts() {
        let Some(class) = world.network().class_of(host) else { continue };
        let reach = known
            .entry(class)
            .or_insert_with(|| reach(world, sink, class, &nodes, open, &mut behind));
        let mut ways: Vec<(Thing<'_>, Odds, Vec<Fact>)> = Vec::new();
        match reach {
            Reach::All(way) => {
                ways.push((pods, way.odds(KUBELET_ANONYMOUS.odds), way.facts.clone()));
            }
            Reach::Some(set, some) => {
                if !some.is_empty() {
                    ways.push((*set, Odds::certain(1.0), Vec::new()));
                }
                let own = world.host_node(host);
                let own = own.filter(|n| nodes.binary_search(n).is_ok() && !some.contains(n));
                let way = own.and_then(|node| {
                    let way = passage(world, sink, End::Host(host), End::Node(node), PORT)?;
                    Some((node, way))
                });
                if let Some((node, way)) = way {
                    behind.insert(node);
                    ways.push((pods_on(node), way.odds(KUBELET_ANONYMOUS.odds), way.facts));
                }
            }
        }
        let (object, _) = world.host_object(host);
        let shape = world.host_field(host, ".spec.containers");
        let runs = sink.fact(object, &shape, "its network leads to the nodes");
        for (to, odds, by) in ways {
            let facts: Vec<Fact> = [runs, open].into_iter().chain(by).collect();
            for (i, container) in world.host_spec(host).containers.iter().enumerate() {
                if world.is_enterable(host, container) {
                    sink.edge_with(Thing::Container(host, i), to, &KUBELET_ANONYMOUS, odds, &facts);
                }
            }
        }
    }
    for node in behind {
        let name = world.text(world.nodes[node.index()].name);
        for pod in world.pods_on(node).iter().filter(|p| world.is_running(**p)) {
            let fact = sink.fact(world.pods[pod.index()].object, ".spec.nodeName", name);
            sink.edge(pods_on(node), Thing::Pod(*pod), &SET_MEMBER, &[fact]);
        }
    }
}

/// The nodes that the snapshot names.
fn known_nodes(world: &World) -> Vec<NodeIx> {
    let nodes = (0..world.nodes.len()).map(NodeIx::new);
    nodes.filter(|node| world.text(world.nodes[node.index()].name) != UNKNOWN_NODE).collect()
}

/// Which kubelets a class of pods reaches; a set leads to those of some nodes.
fn reach(
    world: &World,
    sink: &mut Sink<'_>,
    class: ClassIx,
    nodes: &[NodeIx],
    open: Fact,
    behind: &mut BTreeSet<NodeIx>,
) -> Reach {
    let network = world.network();
    let free = network.isolation(class, Direction::Egress).is_empty();
    if nodes.is_empty() || free && world.network.others.is_empty() {
        return Reach::All(Passage::open(Vec::new()));
    }
    let ways: Vec<(NodeIx, Option<Passage>)> = nodes
        .iter()
        .take(ASKED)
        .map(|node| (*node, passage(world, sink, End::Class(class), End::Node(*node), PORT)))
        .collect();
    let first = ways.first().and_then(|(_, way)| way.clone());
    if let Some(first) = first
        && ways.iter().all(|(_, way)| way.as_ref() == Some(&first))
    {
        return Reach::All(first);
    }
    let of = u32::try_from(class.index() + 1).unwrap_or(u32::MAX);
    let set = Thing::Set(SetKey { kind: &KUBELETS, ns: Sym::EMPTY, of });
    let mut some = BTreeSet::new();
    for (node, way) in ways {
        let Some(way) = way else { continue };
        let facts: Vec<Fact> = [open].into_iter().chain(way.facts.iter().copied()).collect();
        let odds = way.odds(KUBELET_ANONYMOUS.odds);
        sink.edge_with(set, pods_on(node), &KUBELET_ANONYMOUS, odds, &facts);
        some.insert(node);
    }
    behind.extend(&some);
    Reach::Some(set, some)
}

fn pods_on(node: NodeIx) -> Thing<'static> {
    let of = u32::try_from(node.index() + 1).unwrap_or(u32::MAX);
    Thing::Set(SetKey { kind: &PODS_ON, ns: Sym::EMPTY, of })
}
