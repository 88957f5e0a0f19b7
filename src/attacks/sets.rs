//! Sets: several things that an attack reaches alike.
//!
//! `S` subjects that may exec into `P` pods would be `S × P` edges; through a set they are `S + P`.
//! An attack puts an edge to the set, and the set's members get their edges here, once, whoever
//! leads there. A set of the whole cluster has the sets of its namespaces as members.

use crate::graph::{Confidence, Fact, Named, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::nodes::ControlPlane;
use crate::world::{
    AccountIx, Namespace, NodeIx, PodIx, SecretIx, UNKNOWN_NODE, WorkloadIx, World,
};

crate::attack! {
    /// Belongs to a set of things that an attack reaches alike.
    ///
    /// ## Needs
    /// Nothing: the set is written down instead of an edge to each member.
    /// ## Fix
    /// See the attack that leads to the set.
    /// ## References
    /// The interface's section on set nodes.
    pub(super) static SET_MEMBER = {
        id: "set-member", title: "Any of", mitre: &[], odds: Odds::certain(1.0), structure: true,
    }
}

/// Pods that run now, and so take commands.
pub(super) static PODS: SetKind = SetKind { id: "pods", noun: "running pods" };
/// Service accounts.
pub(super) static SERVICE_ACCOUNTS: SetKind =
    SetKind { id: "service-accounts", noun: "service accounts" };
/// Secrets.
pub(super) static SECRETS: SetKind = SetKind { id: "secrets", noun: "secrets" };
/// Every node.
pub(super) static NODES: SetKind = SetKind { id: "nodes", noun: "nodes" };
/// Nodes without the control plane.
pub(super) static WORKER_NODES: SetKind = SetKind { id: "worker-nodes", noun: "worker nodes" };
/// Nodes of the control plane.
pub(super) static CONTROL_PLANE_NODES: SetKind =
    SetKind { id: "control-plane-nodes", noun: "control-plane nodes" };

/// Privileged pods that may be created: each leads to every node.
pub(super) static PRIVILEGED_PODS: SetKind =
    SetKind { id: "privileged-pods", noun: "privileged pods to create" };

/// The sets of nodes that are not empty: the workers', and the control plane's where it is shown.
/// Together they are every node; apart they let an answer tell which was reached.
pub(super) fn node_sets(world: &World) -> &'static [&'static SetKind] {
    static SETS: [&SetKind; 2] = [&WORKER_NODES, &CONTROL_PLANE_NODES];
    let control_plane = world.nodes.iter().any(|n| n.control_plane != ControlPlane::No);
    if control_plane { &SETS } else { &SETS[..1] }
}

/// The keys of [`node_sets`].
pub(super) fn node_keys(world: &World) -> impl Iterator<Item = SetKey> {
    node_sets(world).iter().map(|kind| SetKey { kind, ns: Sym::EMPTY, of: 0 })
}

/// What an admin of a namespace does there is a request like another's: as likely as with a right
/// to that alone.
pub(super) const ADMIN_ACTS: Odds = Odds::certain(0.95);

/// The fact behind a namespace's things being its admin's.
pub(super) fn of_admin(sink: &mut Sink<'_>, namespace: &Namespace) -> Fact {
    sink.fact(namespace.object, "", "what it holds, its admin holds")
}

/// Puts the members of the named sets into the sink. A kind that has its members from its own
/// attack (the backends of a Service) is not known here and left alone.
pub(super) fn members(world: &World, sink: &mut Sink<'_>, named: Named) {
    let Named { sets: mut keys, admins } = named;
    let ruled = super::structure::powers(world, sink, &keys, admins);
    super::storage::members(world, sink, &mut keys, &ruled);
    super::free_volumes::members(world, sink, &mut keys, &ruled);
    super::claims::members(world, sink, &mut keys, &ruled);
    for namespace in ruled {
        let set = |kind| SetKey { kind, ns: namespace, of: 0 };
        keys.extend([set(&PODS), set(&SECRETS), set(&SERVICE_ACCOUNTS), set(&PRIVILEGED_PODS)]);
    }
    keys.sort_unstable();
    keys.dedup();
    // A set of the cluster leads to those of the namespaces, which need members too.
    super::workloads::privileged_members(world, sink, &mut keys);
    super::psa_relax::members(world, sink, &mut keys);
    super::pod_accounts::members(world, sink, &mut keys);
    for kind in [&PODS, &SERVICE_ACCOUNTS, &SECRETS] {
        let whole = SetKey { kind, ns: Sym::EMPTY, of: 0 };
        if keys.contains(&whole) {
            for namespace in &world.namespaces {
                let part = SetKey { kind, ns: namespace.name, of: 0 };
                let fact = sink.fact(namespace.object, "", "a namespace of the cluster");
                sink.edge(Thing::Set(whole), Thing::Set(part), &SET_MEMBER, &[fact]);
                keys.push(part);
            }
        }
    }
    keys.sort_unstable();
    keys.dedup();
    super::credentials::members(world, sink, &keys);
    for key in keys {
        let set = Thing::Set(key);
        if key.kind == &NODES || key.kind == &WORKER_NODES || key.kind == &CONTROL_PLANE_NODES {
            nodes(world, sink, key);
        } else if key.ns.is_empty() {
            // Its members are the namespaces' sets.
        } else if let Some(namespace) = world.namespace(key.ns) {
            // One fact for all members: where each stands is part of its own name.
            let object = world.namespaces[namespace.index()].object;
            let fact = [sink.fact(object, "", "what stands in it belongs to the set")];
            for member in standing_in(world, key) {
                match member {
                    Thing::Pod(pod) if world.pods[pod.index()].states.is_held_up() => {
                        let waits = waits(world, sink, pod);
                        let odds = held_up(SET_MEMBER.odds);
                        sink.edge_with(set, member, &SET_MEMBER, odds, &[fact[0], waits]);
                    }
                    _ => sink.edge(set, member, &SET_MEMBER, &fact),
                }
            }
        }
    }
}

/// The fact that none of a pod's containers runs.
pub(super) fn waits(world: &World, sink: &mut Sink<'_>, pod: PodIx) -> Fact {
    let object = world.pods[pod.index()].object;
    sink.fact(
        object,
        ".status.containerStatuses",
        "no container runs, and each waits to be started",
    )
}

/// What reaching a process of a pod is worth where none of its containers runs: what they wait for
/// may come.
pub(super) fn held_up(odds: Odds) -> Odds {
    odds.but(0.3, Confidence::Possible)
}

/// What a set of one namespace holds.
fn standing_in(world: &World, key: SetKey) -> Vec<Thing<'static>> {
    if key.kind == &PODS {
        let pods = world.pods_of(key.ns).map(PodIx::new).filter(|p| world.is_running(*p));
        // A workload without pods counts as if one pod of its template ran.
        let templates =
            world.workloads_of(key.ns).map(WorkloadIx::new).filter(|w| world.is_template(*w));
        pods.map(Thing::Pod).chain(templates.map(Thing::Workload)).collect()
    } else if key.kind == &SERVICE_ACCOUNTS {
        let accounts = world.accounts_of(key.ns).map(AccountIx::new);
        accounts.filter(|a| world.accounts[a.index()].exists).map(Thing::Account).collect()
    } else if key.kind == &SECRETS {
        world.secrets_of(key.ns).map(SecretIx::new).map(Thing::Secret).collect()
    } else {
        Vec::new()
    }
}

/// The nodes of a cluster-wide set. The node called `unknown` stands for a machine that the
/// snapshot does not show: it is a worker.
fn nodes(world: &World, sink: &mut Sink<'_>, key: SetKey) {
    for (i, node) in world.nodes.iter().enumerate() {
        let control_plane = node.control_plane != ControlPlane::No;
        let wanted = key.kind == &NODES
            || (key.kind == &CONTROL_PLANE_NODES && control_plane)
            || (key.kind == &WORKER_NODES && !control_plane);
        let only_unknown = world.text(node.name) == UNKNOWN_NODE
            && world.nodes.len() > 1
            && !world.objects[node.object.index()].is_present();
        if wanted && !only_unknown {
            let fact = sink.fact(node.object, ".metadata.name", world.text(node.name));
            sink.edge(Thing::Set(key), Thing::Node(NodeIx::new(i)), &SET_MEMBER, &[fact]);
        }
    }
}
