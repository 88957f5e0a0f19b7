//! Rights on the API's nodes: the kubelet behind `nodes/proxy`, and where pods are placed.

use super::Family;
use super::gate::{gate, needed_together};
use super::impersonation::cluster;
use super::sets::{PODS, SET_MEMBER};
use super::structure::Owned;
use super::together::parts;
use crate::graph::{Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{NodeIx, PodIx, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Runs commands in any container of a node by its kubelet.
    ///
    /// ## Needs
    /// `get` or `create` on `nodes/proxy`, by a ClusterRoleBinding. `get` is enough, since a
    /// WebSocket begins as a GET. `resourceNames` are what stands in the request: a node's name, or
    /// that with the kubelet's port, as in `NODE:10250` and `https:NODE:10250`.
    /// ## Abuse
    /// A WebSocket to `/api/v1/nodes/NODE/proxy/exec/NAMESPACE/POD/CONTAINER?command=id&output=1`,
    /// or to port 10250 of the node with the same token, which the API server's audit log does not
    /// show. Static pods of the control plane are pods like any other here.
    /// ## Stopped by
    /// A RoleBinding grants nothing here. `nodes` does not include `nodes/proxy`, nor do
    /// `nodes/metrics`, `nodes/stats`, `nodes/log` and the other parts. An image without a binary
    /// that runs.
    /// ## Fix
    /// Grant `nodes/metrics`, `nodes/stats` or `nodes/pods` instead, which kubelets accept since
    /// 1.36 without a feature gate.
    /// ## Detect
    /// Audit events on `nodes/proxy` with `exec`, `run` or `attach` in the path; connections to
    /// port 10250 from pods.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes>
    /// - kubernetes `pkg/kubelet/server/auth.go`; `pkg/registry/core/node/strategy.go`,
    ///   `ResourceLocation`, for names with a port
    /// - executed on kube-apiserver 1.36: `get` with a WebSocket upgrade is passed to the kubelet
    pub(super) static NODES_PROXY_EXEC = {
        id: "nodes-proxy-exec", title: "Exec by the kubelet", mitre: &["T1609", "MS-TA9030"],
        odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Drives pods off their nodes, onto a node that is held already.
    ///
    /// ## Needs
    /// Three things, which may be held by different conquered identities: removing pods from where
    /// they run (`delete pods`, `create pods/eviction`, a change of `pods` or `pods/status` that
    /// makes their controller replace them, deleting nodes or tainting them `NoExecute`); keeping
    /// other nodes from taking them (`update` or `patch` on `nodes` or `nodes/status`); root on a
    /// node.
    /// ## Abuse
    /// `kubectl cordon` every other node, `kubectl delete pod NAME`, and read the token of the
    /// replacement on the node that is held.
    /// ## Stopped by
    /// Node selectors, affinity and volumes that tie a pod to other nodes; pods of a DaemonSet and
    /// static pods never move, and a pod without a controller is not replaced. NodeRestriction
    /// keeps kubelets from changing other nodes.
    /// ## Fix
    /// Take `update` and `patch` on `nodes` from agents that run on every node; tie powerful pods
    /// to nodes of their own.
    /// ## Detect
    /// Audit events that set `spec.unschedulable` or taints on several nodes, followed by
    /// evictions.
    /// ## References
    /// - Palo Alto Networks, "Kubernetes Privilege Escalation: Excessive Permissions in Popular
    ///   Platforms", and its rbac-police policy `steal_pods`
    /// - kubernetes `plugin/pkg/admission/noderestriction`
    pub(super) static STEAL_PODS = {
        id: "steal-pods", title: "Draw pods onto a held node", mitre: &["T1610", "T1611"],
        odds: Odds::likely(0.5),
    }
}

/// Rights on nodes.
pub(super) static FAMILY: Family = Family {
    name: "H Nodes, kubelet API, scheduling",
    attacks: &[&NODES_PROXY_EXEC, &STEAL_PODS],
    find,
};

/// The running pods of one node.
static PODS_ON: SetKind = SetKind { id: "pods-on-node", noun: "running pods on a node" };
pub(super) static MOVABLE: SetKind =
    SetKind { id: "movable-pods", noun: "running pods that can be moved" };
static EVICT: SetKind = SetKind { id: "pod-eviction", noun: "rights to remove pods" };
static DIVERT: SetKind = SetKind { id: "node-cordon", noun: "rights to keep pods off other nodes" };
static HELD: SetKind = SetKind { id: "held-node", noun: "nodes held" };
/// Opens when pods can be drawn onto a held node.
static STEAL: SetKind = SetKind { id: "pods-drawn", noun: "pods drawn onto a held node" };

fn find(world: &World, sink: &mut Sink<'_>) {
    proxy(world, sink);
    steal(world, sink);
}

const PROXY: &[Permission] = &[
    Permission::cluster("get", "", "nodes/proxy"),
    Permission::cluster("create", "", "nodes/proxy"),
];

fn proxy(world: &World, sink: &mut Sink<'_>) {
    let mut nodes = BTreeSet::new();
    for grant in world.grants_any(PROXY) {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(&grant);
        match grant.names {
            Names::All => sink.edge(from, cluster(&PODS), &NODES_PROXY_EXEC, &facts),
            Names::Only(names) => {
                let found = names.iter().filter_map(|n| proxied(world, world.text(*n)));
                for node in found.collect::<BTreeSet<_>>() {
                    nodes.insert(node);
                    sink.edge(from, pods_on(node), &NODES_PROXY_EXEC, &facts);
                }
            }
        }
    }
    for node in nodes {
        let name = world.text(world.nodes[node.index()].name);
        for pod in world.pods_on(node).iter().filter(|p| world.is_running(**p)) {
            let fact = sink.fact(world.pods[pod.index()].object, ".spec.nodeName", name);
            sink.edge(pods_on(node), Thing::Pod(*pod), &SET_MEMBER, &[fact]);
        }
    }
}

/// The node whose kubelet a name at the proxy means: `NODE`, `NODE:PORT` or `SCHEME:NODE:PORT`. Another
/// port than the kubelet's is connected to without the API server's certificate.
fn proxied(world: &World, name: &str) -> Option<NodeIx> {
    let mut parts = name.split(':');
    let (node, port) = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
        (node, port, None, None) => (node, port.unwrap_or_default()),
        ("" | "http" | "https", Some(node), Some(port), None) => (node, port),
        _ => return None,
    };
    let node = world.symbols.get(node).and_then(|node| world.node(node));
    node.filter(|_| matches!(port, "" | KUBELET_PORT))
}

const KUBELET_PORT: &str = "10250";

fn pods_on(node: NodeIx) -> Thing<'static> {
    let of = u32::try_from(node.index() + 1).unwrap_or(u32::MAX);
    Thing::Set(SetKey { kind: &PODS_ON, ns: Sym::EMPTY, of })
}

/// What removes pods from where they run.
const REMOVE: &[Permission] = &[
    Permission::namespaced("delete", "", "pods"),
    Permission::namespaced("deletecollection", "", "pods"),
    Permission::namespaced("create", "", "pods/eviction"),
    Permission::namespaced("update", "", "pods"),
    Permission::namespaced("patch", "", "pods"),
    Permission::namespaced("update", "", "pods/status"),
    Permission::namespaced("patch", "", "pods/status"),
    Permission::cluster("delete", "", "nodes"),
    Permission::cluster("update", "", "nodes"),
    Permission::cluster("patch", "", "nodes"),
];

/// What keeps pods off other nodes.
const CORDON: &[Permission] = &[
    Permission::cluster("update", "", "nodes"),
    Permission::cluster("patch", "", "nodes"),
    Permission::cluster("update", "", "nodes/status"),
    Permission::cluster("patch", "", "nodes/status"),
];

/// The grants that a binding gives to more than kubelets, which NodeRestriction limits to their
/// own node and pods. Under names they would have to cover every other node, or a pod's next name.
fn useful<'w>(world: &'w World, any: &[Permission]) -> Vec<Grant<'w>> {
    let mut grants = parts(world, any);
    grants.retain(|g| g.names == Names::All && !world.binds_kubelets_only(g.binding));
    grants
}

fn steal(world: &World, sink: &mut Sink<'_>) {
    let (remove, cordon) = (useful(world, REMOVE), useful(world, CORDON));
    if remove.is_empty() || cordon.is_empty() {
        return;
    }
    let sure = Odds::certain(1.0);
    let mut scopes = BTreeSet::new();
    for grant in &remove {
        let ns = match grant.scope {
            Scope::Cluster => Sym::EMPTY,
            Scope::Namespace(ns) => ns,
        };
        scopes.insert(ns);
        let facts = sink.grant(grant);
        let to = Thing::Set(SetKey { kind: &EVICT, ns, of: 0 });
        sink.edge_with(Thing::Binding(grant.binding), to, &STEAL_PODS, sure, &facts);
    }
    for grant in &cordon {
        let facts = sink.grant(grant);
        let from = Thing::Binding(grant.binding);
        sink.edge_with(from, cluster(&DIVERT), &STEAL_PODS, sure, &facts);
    }
    for (i, node) in world.nodes.iter().enumerate() {
        let fact = sink.fact(node.object, ".metadata.name", world.text(node.name));
        let from = Thing::Node(NodeIx::new(i));
        sink.edge_with(from, cluster(&HELD), &STEAL_PODS, sure, &[fact]);
    }
    let part = needed_together(world, sink);
    for ns in scopes {
        let evict = Thing::Set(SetKey { kind: &EVICT, ns, of: 0 });
        let parts = [evict, cluster(&DIVERT), cluster(&HELD)];
        let gate = gate(world, sink, SetKey { kind: &STEAL, ns, of: 0 }, &STEAL_PODS, &parts);
        let movable = Thing::Set(SetKey { kind: &MOVABLE, ns, of: 0 });
        sink.edge(gate, movable, &STEAL_PODS, &[part]);
        movable_pods(world, sink, ns);
    }
}

/// Puts the pods in that are replaced when they go, and may then run elsewhere.
pub(super) fn movable_pods(world: &World, sink: &mut Sink<'_>, ns: Sym) {
    let set = |ns| Thing::Set(SetKey { kind: &MOVABLE, ns, of: 0 });
    if ns.is_empty() {
        for namespace in &world.namespaces {
            let fact = sink.fact(namespace.object, "", "a namespace of the cluster");
            sink.edge(set(ns), set(namespace.name), &SET_MEMBER, &[fact]);
            movable_pods(world, sink, namespace.name);
        }
        return;
    }
    let mut owned = Owned::default();
    for pod in world.pods_of(ns).map(PodIx::new).filter(|p| world.is_running(*p)) {
        let Some((owner, fact)) = owned.fact(world, sink, pod) else { continue };
        let daemon = world.text(world.workloads[owner.index()].kind) == "DaemonSet";
        if !daemon && !world.pods[pod.index()].mirror {
            sink.edge(set(ns), Thing::Pod(pod), &SET_MEMBER, &[fact]);
        }
    }
}
