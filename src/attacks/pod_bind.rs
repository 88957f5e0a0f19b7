//! Placing pods, and saying where they are: what the scheduler and the kubelet do.

use super::Family;
use super::gate::{PART, gate};
use super::impersonation::cluster;
use super::nodes_api::{MOVABLE, movable_pods};
use super::pod_api::set_of;
use super::proxy::any_verb;
use super::service_hijack::useful;
use super::sets::PODS;
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{NodeIx, PodIx, Principal, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Places new pods on a node that is held already, before the scheduler does.
    ///
    /// ## Needs
    /// Two things, which may be held by different conquered identities: `create` on `pods/binding`
    /// or `bindings` in the namespace, as schedulers have it, and root on a node. And a pod of a
    /// controller that is created or replaced later; whoever may delete pods need not wait.
    /// ## Abuse
    /// Watch for pods without `spec.nodeName`, and send a Binding with `target.name` of the held
    /// node to `/api/v1/namespaces/NAMESPACE/pods/POD/binding`; then read the token of the pod on
    /// the node.
    /// ## Stopped by
    /// The scheduler is fast, and a pod is bound once. The kubelet refuses pods whose node selector
    /// and node affinity do not fit its node. Pods of a DaemonSet are tied to their node. Under
    /// `resourceNames` the next pod's name would have to be known.
    /// ## Fix
    /// Give `pods/binding` to schedulers alone, and run them where nobody else does.
    /// ## Detect
    /// Audit events with verb `create` on `pods/binding` or `bindings` from others than schedulers.
    /// ## References
    /// - kubernetes `pkg/registry/core/pod/storage`, `BindingREST`
    /// - kubernetes `pkg/kubelet/lifecycle/predicate.go`: what a kubelet refuses
    pub(super) static POD_BIND = {
        id: "pod-bind", title: "Place new pods on a held node", mitre: &["T1610"],
        odds: Odds::possible(0.3),
    }
}

crate::attack! {
    /// Makes the API server connect to an address of one's choice, by claiming that a pod has it.
    ///
    /// ## Needs
    /// Two rights in one namespace that has a pod, which may be held by different conquered
    /// identities: `update` or `patch` on `pods/status`, and any verb on `pods/proxy`. What comes
    /// then is a request from the API server to any pod of the cluster, past NetworkPolicies, and
    /// taking over what listens there needs a flaw, as `pod-proxy` does.
    /// ## Abuse
    /// Patch `status.podIP` and `status.podIPs` of a pod without a kubelet, such as one that is
    /// pending, and send a request to `/api/v1/namespaces/NAMESPACE/pods/POD:PORT/proxy/`.
    /// ## Stopped by
    /// The API server refuses loopback and link-local addresses, so that neither itself nor the
    /// cloud's metadata service is reached. A kubelet writes the status of its pods anew. The
    /// request bears no credential that a kubelet or etcd takes.
    /// ## Fix
    /// Leave `pods/status` to kubelets and controllers.
    /// ## Detect
    /// Audit events that patch `pods/status` from others than kubelets, followed by `pods/proxy`.
    /// ## References
    /// - executed on kube-apiserver 1.36: 169.254.169.254, 127.0.0.1 and `localhost` are refused
    ///   with 400, other addresses are dialled
    pub(super) static POD_STATUS_SSRF = {
        id: "pod-status-ssrf", title: "Send the API server to another address",
        mitre: &["T1090"], odds: Odds::possible(0.05),
    }
}

/// Placing pods.
pub(super) static FAMILY: Family =
    Family { name: "B Placement of pods", attacks: &[&POD_BIND, &POD_STATUS_SSRF], find };

static BIND: SetKind = SetKind { id: "pod-binding", noun: "rights to place pods" };
static NODE: SetKind = SetKind { id: "node-to-bind-to", noun: "nodes to place pods on" };
/// Opens when pods can be placed on a node that is held.
static PLACED: SetKind = SetKind { id: "pods-placed", noun: "pods placed on a held node" };
static STATUS: SetKind = SetKind { id: "pod-status", noun: "rights to write addresses of pods" };
static PROXY: SetKind = SetKind { id: "pod-proxies", noun: "rights to send requests to pods" };
/// Opens when a pod's address can be written and a request be sent there.
static SENT: SetKind = SetKind { id: "api-server-sent", noun: "requests of the API server" };

const BINDINGS: &[Permission] = &[
    Permission::namespaced("create", "", "pods/binding"),
    Permission::namespaced("create", "", "bindings"),
];

const STATUSES: &[Permission] = &[
    Permission::namespaced("update", "", "pods/status"),
    Permission::namespaced("patch", "", "pods/status"),
];

/// The grants that cover any pod, given to more than kubelets, which NodeRestriction limits to the
/// pods of their own node.
fn any_pod<'w>(world: &'w World, rights: &[Permission]) -> Vec<Grant<'w>> {
    let mut grants = useful(world, rights);
    grants.retain(|g| {
        let mut subjects = world.bindings[g.binding.index()].subjects.iter();
        g.names == Names::All
            && subjects.any(|s| match s.principal {
                Principal::Node(_) => false,
                Principal::Group(g) => world.text(world.groups[g.index()].1) != "system:nodes",
                Principal::Account(_) | Principal::User(_) => true,
            })
    });
    grants
}

fn find(world: &World, sink: &mut Sink<'_>) {
    place(world, sink);
    send(world, sink);
}

fn place(world: &World, sink: &mut Sink<'_>) {
    let grants = any_pod(world, BINDINGS);
    if grants.is_empty() {
        return;
    }
    let scopes = lead(sink, &grants, &BIND, &POD_BIND);
    for (i, node) in world.nodes.iter().enumerate() {
        let fact = sink.fact(node.object, ".metadata.name", world.text(node.name));
        let from = Thing::Node(NodeIx::new(i));
        sink.edge_with(from, cluster(&NODE), &POD_BIND, PART, &[fact]);
    }
    for scope in scopes {
        let ns = namespace(scope);
        let key = SetKey { kind: &PLACED, ns, of: 0 };
        let gate = gate(world, sink, key, &POD_BIND, &[set_of(&BIND, scope), cluster(&NODE)]);
        let facts: Vec<Fact> = somewhere(world, sink, scope).into_iter().collect();
        sink.edge(gate, set_of(&MOVABLE, scope), &POD_BIND, &facts);
        movable_pods(world, sink, ns);
    }
}

/// Leads everyone who has a right to the set of its scope; returns the scopes.
fn lead(
    sink: &mut Sink<'_>,
    grants: &[Grant<'_>],
    set: &'static SetKind,
    attack: &'static Attack,
) -> BTreeSet<Scope> {
    let mut scopes = BTreeSet::new();
    for grant in grants {
        scopes.insert(grant.scope);
        let facts = sink.grant(grant);
        let from = Thing::Binding(grant.binding);
        sink.edge_with(from, set_of(set, grant.scope), attack, PART, &facts);
    }
    scopes
}

fn namespace(scope: Scope) -> Sym {
    match scope {
        Scope::Cluster => Sym::EMPTY,
        Scope::Namespace(ns) => ns,
    }
}

/// The fact of a scope: its first namespace.
fn somewhere(world: &World, sink: &mut Sink<'_>, scope: Scope) -> Option<Fact> {
    let namespace = world.reached(scope).first()?;
    Some(sink.fact(namespace.object, ".metadata.name", world.text(namespace.name)))
}

/// A pod that a scope has.
fn some_pod(world: &World, scope: Scope) -> Option<PodIx> {
    let mut pods = match scope {
        Scope::Cluster => 0..world.pods.len(),
        Scope::Namespace(ns) => world.pods_of(ns),
    };
    pods.next().map(PodIx::new)
}

fn send(world: &World, sink: &mut Sink<'_>) {
    let pods = |g: &Grant<'_>| some_pod(world, g.scope).is_some();
    let (mut writes, mut asks) =
        (any_pod(world, STATUSES), any_pod(world, &any_verb("pods/proxy")));
    writes.retain(pods);
    asks.retain(pods);
    // Both rights have to meet in a namespace.
    let meets = |a: &[Grant<'_>]| a.iter().map(|g| g.scope).collect::<BTreeSet<Scope>>();
    let (written, asked) = (meets(&writes), meets(&asks));
    let has = |set: &BTreeSet<Scope>, s: Scope| set.contains(&s) || set.contains(&Scope::Cluster);
    let scopes: BTreeSet<Scope> =
        written.union(&asked).copied().filter(|s| has(&written, *s) && has(&asked, *s)).collect();
    if scopes.is_empty() {
        return;
    }
    lead(sink, &writes, &STATUS, &POD_STATUS_SSRF);
    lead(sink, &asks, &PROXY, &POD_STATUS_SSRF);
    for scope in scopes {
        let Some(pod) = some_pod(world, scope) else { continue };
        let pod = &world.pods[pod.index()];
        let fact = sink.fact(pod.object, ".metadata.name", world.text(pod.name));
        for (set, of) in [(&STATUS, &written), (&PROXY, &asked)] {
            if scope != Scope::Cluster && of.contains(&Scope::Cluster) {
                let (from, to) = (cluster(set), set_of(set, scope));
                sink.edge_with(from, to, &POD_STATUS_SSRF, PART, &[fact]);
            }
        }
        let key = SetKey { kind: &SENT, ns: namespace(scope), of: 0 };
        let parts = [set_of(&STATUS, scope), set_of(&PROXY, scope)];
        let gate = gate(world, sink, key, &POD_STATUS_SSRF, &parts);
        sink.edge(gate, cluster(&PODS), &POD_STATUS_SSRF, &[fact]);
    }
}
