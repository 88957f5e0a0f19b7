//! The API server turned against itself: a Node object whose address is the API server's own.

use super::Family;
use super::credentials;
use super::gate::{PART, gate, needed_together};
use super::impersonation::cluster;
use super::sets::SET_MEMBER;
use super::together::parts;
use crate::graph::{Confidence, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Names, Permission};
use crate::world::nodes::ControlPlane;
use crate::world::{NodeIx, UNKNOWN_NODE, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Has the API server authenticate to itself, by a node whose address is the API server's.
    ///
    /// ## Needs
    /// Two things, which two conquered identities may hold: `get` on `nodes/proxy` (reading alone,
    /// `create` for more), and setting a node's address: `update` or `patch` on `nodes/status`,
    /// `create` on `nodes`, or the identity of that node's kubelet. And a client certificate of
    /// the API server that its own cluster's RBAC makes an administrator, as kubeadm's is.
    /// ## Abuse
    /// `kubectl patch node NODE --subresource=status -p '{"status":{"addresses":[{"type":
    /// "InternalIP","address":"API_SERVER_IP"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":6443}}}}'`,
    /// then `kubectl get --raw /api/v1/nodes/NODE/proxy/api/v1/secrets`.
    /// ## Stopped by
    /// Loopback and link-local addresses are refused; the API server's other address was not
    /// tried. A client certificate with the rights on `nodes/proxy` only, as managed control planes
    /// have; the kubelet, which writes its address back within minutes.
    /// ## Fix
    /// Take `nodes/proxy` away; give the API server's kubelet client certificate the ClusterRole
    /// `system:kubelet-api-admin` and no administrator's group.
    /// ## Detect
    /// Audit events on `nodes/status` by others than the node; requests of the user
    /// `kube-apiserver-kubelet-client` in the API server's own audit log.
    /// ## References
    /// - <https://github.com/kubernetes/kubernetes/issues/119270>
    /// - kubernetes `cmd/kubeadm/app/phases/certs/certlist.go`
    /// - executed on kube-apiserver 1.36: 127.0.0.1 and 169.254.169.254 are answered with 400, other
    ///   addresses are dialled
    pub(super) static NODES_PROXY_SELF_AUTH = {
        id: "nodes-proxy-self-auth", title: "Turn the API server against itself",
        mitre: &["T1550", "T1090"], odds: Odds::possible(0.3),
    }
}

/// The API server's own credential.
pub(super) static FAMILY: Family =
    Family { name: "H Redirected nodes", attacks: &[&NODES_PROXY_SELF_AUTH], find };

/// Rights to reach a node by the API server: one told by the number, or any.
static PROXIES: SetKind = SetKind { id: "node-proxies", noun: "rights on the proxy of nodes" };
/// Rights to set a node's address: of one told by the number, or of any.
static ADDRESSES: SetKind =
    SetKind { id: "node-addresses", noun: "rights to set a node's address" };
/// Opens when the API server can be led to itself.
static REDIRECTED: SetKind =
    SetKind { id: "redirected-nodes", noun: "nodes with the API server's address" };

const PROXY: &[Permission] = &[Permission::cluster("get", "", "nodes/proxy")];
const ADDRESS: &[Permission] = &[
    Permission::cluster("update", "", "nodes/status"),
    Permission::cluster("patch", "", "nodes/status"),
];
/// A new node bears a name of its own, which only an unlimited right on the proxy reaches.
const CREATE: &[Permission] = &[Permission::cluster("create", "", "nodes")];

fn find(world: &World, sink: &mut Sink<'_>) {
    let proxies = parts(world, PROXY);
    if proxies.is_empty() {
        return;
    }
    let attack = &NODES_PROXY_SELF_AUTH;
    let mut named = BTreeSet::new();
    lead(world, sink, &proxies, &PROXIES, &mut named);
    let whole = proxies.iter().any(|grant| grant.names == Names::All);
    let mut addresses = parts(world, ADDRESS);
    addresses.retain(|grant| !world.binds_kubelets_only(grant.binding));
    let addressed = addresses.iter().any(|grant| grant.names == Names::All);
    lead(world, sink, &addresses, &ADDRESSES, &mut named);
    if whole {
        for grant in parts(world, CREATE).iter().filter(|g| !world.binds_kubelets_only(g.binding)) {
            let facts = sink.grant(grant);
            let from = Thing::Binding(grant.binding);
            sink.edge_with(from, cluster(&ADDRESSES), attack, PART, &facts);
        }
    }
    for (i, node) in world.nodes.iter().enumerate() {
        if world.text(node.name) == UNKNOWN_NODE {
            continue;
        }
        let ix = NodeIx::new(i);
        let own = sink.fact(node.object, ".metadata.name", world.text(node.name));
        let from = Thing::NodeIdentity(ix);
        if whole {
            // Every kubelet may set its own node's address.
            sink.edge_with(from, cluster(&ADDRESSES), attack, PART, &[own]);
        }
        if !named.contains(&ix) {
            continue;
        }
        let of = |kind| Thing::Set(credentials::on(kind, ix));
        sink.edge_with(from, of(&ADDRESSES), attack, PART, &[own]);
        if whole {
            sink.edge(cluster(&PROXIES), of(&PROXIES), &SET_MEMBER, &[own]);
        }
        if addressed {
            sink.edge(cluster(&ADDRESSES), of(&ADDRESSES), &SET_MEMBER, &[own]);
        }
        open(world, sink, credentials::on(&REDIRECTED, ix), &[of(&PROXIES), of(&ADDRESSES)]);
    }
    if whole {
        let key = SetKey { kind: &REDIRECTED, ns: Sym::EMPTY, of: 0 };
        open(world, sink, key, &[cluster(&PROXIES), cluster(&ADDRESSES)]);
    }
}

/// Leads the holders of grants to the set of a kind: those limited to names to those of the nodes.
fn lead(
    world: &World,
    sink: &mut Sink<'_>,
    grants: &[Grant<'_>],
    kind: &'static SetKind,
    named: &mut BTreeSet<NodeIx>,
) {
    for grant in grants {
        let facts = sink.grant(grant);
        let from = Thing::Binding(grant.binding);
        let attack = &NODES_PROXY_SELF_AUTH;
        match grant.names {
            Names::All => sink.edge_with(from, cluster(kind), attack, PART, &facts),
            Names::Only(names) => {
                for node in names.iter().filter_map(|name| world.node(*name)) {
                    let to = Thing::Set(credentials::on(kind, node));
                    sink.edge_with(from, to, attack, PART, &facts);
                    named.insert(node);
                }
            }
        }
    }
}

/// A gate, and what lies behind it. Only where the control plane is shown is it known to run with
/// certificates such as kubeadm's.
fn open(world: &World, sink: &mut Sink<'_>, key: SetKey, parts: &[Thing<'static>]) {
    let attack = &NODES_PROXY_SELF_AUTH;
    let gate = gate(world, sink, key, attack, parts);
    let own =
        world.nodes.iter().position(|n| matches!(n.control_plane, ControlPlane::StaticPod(_)));
    let shown = own.and_then(|i| credentials::control_plane(world, sink, NodeIx::new(i)));
    let (odds, fact) = match shown {
        Some(fact) => (attack.odds, fact),
        None => (attack.odds.but(0.3, Confidence::Possible), needed_together(world, sink)),
    };
    sink.edge_with(gate, Thing::ClusterAdmin, attack, odds, &[fact]);
}
