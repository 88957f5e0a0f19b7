//! Control of pods that exist, by changing them: another image, one more container.
//!
//! Kubernetes refuses to change some pods: the mirrors of static pods, and pods that violate their
//! namespace's Pod Security level. The pods that take a change therefore have sets of their own.

use super::pod_api::{admits, enforced, labelled, named, set_of};
use super::policies;
use super::sets::{PODS, SET_MEMBER};
use crate::graph::Confidence;
use crate::graph::{Fact, Odds, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::hosts::Host;
use crate::world::rows::Phase;
use crate::world::{AccountIx, Namespace, NodeIx, PodIx, WorkloadIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Adds a container of the attacker's own to a running pod, as `kubectl debug` does.
    ///
    /// The new container may mount every volume of the pod, join another container's processes
    /// and, where Pod Security allows it, be privileged and so reach the node.
    ///
    /// ## Needs
    /// `patch` or `update` on `pods/ephemeralcontainers` in the namespace. The built-in `edit` does
    /// not hold it.
    /// ## Abuse
    /// `kubectl debug -n NAMESPACE POD --image=busybox --target=CONTAINER -it`; for the node, send
    /// a strategic merge patch to `.../pods/POD/ephemeralcontainers` with
    /// `securityContext.privileged: true`, then mount the host's disk.
    /// ## Stopped by
    /// Static pods take no ephemeral containers. Pod Security `baseline` and `restricted` refuse a
    /// privileged one, and any at all on a pod that already violates the enforced level.
    /// `resourceNames` limit it to those pods.
    /// ## Fix
    /// Remove `pods/ephemeralcontainers` from the role; enforce `baseline` or `restricted` with the
    /// namespace's label `pod-security.kubernetes.io/enforce`.
    /// ## Detect
    /// Audit events with `objectRef.subresource=ephemeralcontainers`, verb `patch` or `update`.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/>
    /// - kubernetes `pkg/apis/core/validation`, `ValidatePodEphemeralContainersUpdate`
    /// - executed on kube-apiserver 1.36: mounts of the pod's volumes pass, violating pods refuse
    pub(super) static EPHEMERAL_CONTAINER_INJECT = {
        id: "ephemeral-container-inject", title: "Add a container to a pod",
        mitre: &["T1609", "T1610"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Replaces the image of a running pod's container and so runs the attacker's code with the
    /// pod's service account, mounts and privileges.
    ///
    /// ## Needs
    /// `patch` or `update` on `pods` in the namespace. Of a running pod little but the images can
    /// be changed: not the service account, the volumes, the command or the security context. Of a
    /// pod that has no node yet the new image runs once it is scheduled, which is possible.
    /// ## Abuse
    /// `kubectl set image -n NAMESPACE pod/POD CONTAINER=ATTACKER/IMAGE`; the kubelet restarts the
    /// container with it. The entrypoint of the new image runs unless the pod sets `command`.
    /// ## Stopped by
    /// The mirror of a static pod is not what the kubelet runs. An update of a pod that violates the
    /// namespace's enforced Pod Security level is refused. `resourceNames` limit it. A node that
    /// can pull from no foreign registry needs a useful image of an allowed one. A new image of an init
    /// container that has ended, or of any other that is not to start anew, starts nothing.
    /// ## Fix
    /// Remove `patch` and `update` on `pods` from the role; nobody but controllers needs them.
    /// Allow images of known registries only, by an admission policy.
    /// ## Detect
    /// Audit events with verb `patch` or `update` on `pods` whose request sets
    /// `spec.containers[].image`; kubelet events `Killing` with "definition changed".
    /// ## References
    /// - kubernetes `pkg/apis/core/validation`, `ValidatePodUpdate`
    /// - executed on kube-apiserver 1.36: an image patch on a violating pod is 403
    pub(super) static POD_PATCH_IMAGE = {
        id: "pod-patch-image", title: "Replace the image of a pod", mitre: &["T1525", "T1609"],
        odds: Odds::certain(0.85),
    }
}

/// Running pods whose specification may be updated.
static UPDATABLE_PODS: SetKind = SetKind { id: "updatable-pods", noun: "running pods to update" };
/// Running pods that take an ephemeral container, and the nodes of those that take any.
static INJECTABLE_PODS: SetKind =
    SetKind { id: "injectable-pods", noun: "running pods that take a container" };
/// Nodes of pods that take a privileged container.
static INJECTABLE_NODES: SetKind =
    SetKind { id: "injectable-nodes", noun: "nodes under pods that take a privileged container" };

const INJECT: &[Permission] = &[
    Permission::namespaced("patch", "", "pods/ephemeralcontainers"),
    Permission::namespaced("update", "", "pods/ephemeralcontainers"),
];

pub(super) const PATCH: &[Permission] =
    &[Permission::namespaced("patch", "", "pods"), Permission::namespaced("update", "", "pods")];

/// Pods that run the attacker's image as soon as they have a node.
static WAITING_PODS: SetKind = SetKind { id: "waiting-pods", noun: "pods that wait for a node" };

/// Whether a waiting pod is ever scheduled the snapshot does not tell.
const WAITING: Odds = Odds::possible(0.4);

pub(super) fn find(world: &World, sink: &mut Sink<'_>) {
    updates(world, sink);
    waiting(world, sink);
    injections(world, sink);
}

/// The hosts of a namespace: running pods, then templates.
fn hosts_of(world: &World, ns: Sym) -> impl Iterator<Item = Host> + '_ {
    let pods = world.pods_of(ns).map(PodIx::new).filter(|p| world.is_running(*p));
    let templates = world.workloads_of(ns).map(WorkloadIx::new).filter(|w| world.is_template(*w));
    pods.map(Host::Pod).chain(templates.map(Host::Template))
}

/// Whether the API server lets this host's pod be changed to the attacker's ends.
fn takes_updates(world: &World, namespace: &Namespace, host: Host) -> bool {
    let mirror = matches!(host, Host::Pod(pod) if world.pods[pod.index()].mirror);
    !mirror && labelled(namespace, world.host_spec(host).level)
}

/// What runs in a namespace and takes updates.
fn taking_updates(world: &World, namespace: &Namespace) -> Vec<Host> {
    hosts_of(world, namespace.name).filter(|h| takes_updates(world, namespace, *h)).collect()
}

/// The names of a namespace's pods that take a program by a new image, in order.
pub(super) fn patchable(world: &World, ns: Sym) -> Vec<Sym> {
    let Some(namespace) = world.namespace(ns).map(|n| &world.namespaces[n.index()]) else {
        return Vec::new();
    };
    let pod = |host: Host| match host {
        Host::Pod(pod) => Some(world.pods[pod.index()].name),
        Host::Template(_) => None,
    };
    taking_updates(world, namespace).into_iter().filter_map(pod).collect()
}

/// Makes hosts members of a namespace's set: all that run there by the set of these.
fn fill(
    world: &World,
    sink: &mut Sink<'_>,
    kind: &'static SetKind,
    namespace: &Namespace,
    hosts: &[Host],
) {
    let scope = Scope::Namespace(namespace.name);
    let (level, _) = enforced(world, sink, namespace);
    // A new image starts a pod whose own cannot be pulled, which the other set's members wait for.
    let waits =
        |host: &Host| matches!(host, Host::Pod(pod) if world.pods[pod.index()].states.is_held_up());
    let all = hosts.len() > 1 && hosts.len() == hosts_of(world, namespace.name).count();
    if all && !hosts.iter().any(waits) {
        sink.edge(set_of(kind, scope), set_of(&PODS, scope), &SET_MEMBER, &[level]);
    } else {
        for host in hosts {
            sink.edge(set_of(kind, scope), (*host).into(), &SET_MEMBER, &[level]);
        }
    }
}

/// Leads a cluster-wide set to the namespaces' sets of the same kind.
fn join(world: &World, sink: &mut Sink<'_>, kind: &'static SetKind, namespace: &Namespace) {
    let fact = sink.fact(namespace.object, ".metadata.name", world.text(namespace.name));
    let part = set_of(kind, Scope::Namespace(namespace.name));
    sink.edge(set_of(kind, Scope::Cluster), part, &SET_MEMBER, &[fact]);
}

fn updates(world: &World, sink: &mut Sink<'_>) {
    let mut scopes = BTreeSet::new();
    for grant in world.grants_any(PATCH) {
        let facts = sink.grant(&grant).to_vec();
        let from = Thing::Binding(grant.binding);
        match grant.names {
            Names::All => {
                scopes.insert(grant.scope);
                let to = set_of(&UPDATABLE_PODS, grant.scope);
                sink.edge(from, to, &POD_PATCH_IMAGE, &facts);
            }
            Names::Only(names) => {
                for pod in named(world, grant.scope, names, |ns, name| world.pod(ns, name)) {
                    let Some(namespace) = world.namespace(world.pods[pod.index()].ns) else {
                        continue;
                    };
                    let namespace = &world.namespaces[namespace.index()];
                    if world.is_running(pod) && takes_updates(world, namespace, Host::Pod(pod)) {
                        let mut facts = facts.clone();
                        facts.push(enforced(world, sink, namespace).0);
                        sink.edge(from, Thing::Pod(pod), &POD_PATCH_IMAGE, &facts);
                    }
                }
            }
        }
    }
    let cluster = scopes.contains(&Scope::Cluster);
    for namespace in &world.namespaces {
        if !cluster && !scopes.contains(&Scope::Namespace(namespace.name)) {
            continue;
        }
        let hosts = taking_updates(world, namespace);
        fill(world, sink, &UPDATABLE_PODS, namespace, &hosts);
        if !hosts.is_empty() && cluster {
            join(world, sink, &UPDATABLE_PODS, namespace);
        }
    }
}

/// The account of a pod that has no node yet, if it takes another image and will have a token.
fn account_of_waiting(world: &World, namespace: &Namespace, pod: PodIx) -> Option<AccountIx> {
    let of = &world.pods[pod.index()];
    let waits = of.phase == Phase::Pending && !world.is_placed(pod);
    let host = Host::Pod(pod);
    let gets = || takes_updates(world, namespace, host) && world.host_spec(host).has_token_volume();
    of.account.filter(|_| waits && gets())
}

/// Pods that no node runs yet hold nothing now, and their account's token once they run.
fn waiting(world: &World, sink: &mut Sink<'_>) {
    let mut found: BTreeMap<Sym, Vec<(PodIx, AccountIx)>> = BTreeMap::new();
    for namespace in &world.namespaces {
        let pods = world.pods_of(namespace.name).map(PodIx::new);
        let of: Vec<_> = pods
            .filter_map(|pod| Some((pod, account_of_waiting(world, namespace, pod)?)))
            .collect();
        if !of.is_empty() {
            found.insert(namespace.name, of);
        }
    }
    if found.is_empty() {
        return;
    }
    let lead = |sink: &mut Sink<'_>, from: Thing<'_>, to, pod: PodIx, facts: &[Fact]| {
        let place = sink.fact(world.pods[pod.index()].object, ".spec.nodeName", "not set");
        let facts: Vec<Fact> = facts.iter().copied().chain([place]).collect();
        sink.edge_with(from, Thing::Account(to), &POD_PATCH_IMAGE, WAITING, &facts);
    };
    let mut whole = false;
    for grant in world.grants_any(PATCH) {
        let facts = sink.grant(&grant).to_vec();
        let from = Thing::Binding(grant.binding);
        match (grant.names, grant.scope) {
            (Names::All, Scope::Namespace(ns)) if !found.contains_key(&ns) => {}
            (Names::All, scope) => {
                whole |= scope == Scope::Cluster;
                sink.edge(from, set_of(&WAITING_PODS, scope), &POD_PATCH_IMAGE, &facts);
            }
            (Names::Only(names), scope) => {
                for pod in named(world, scope, names, |ns, name| world.pod(ns, name)) {
                    let Some(of) = found.get(&world.pods[pod.index()].ns) else { continue };
                    if let Ok(at) = of.binary_search_by_key(&pod, |(pod, _)| *pod) {
                        lead(sink, from, of[at].1, pod, &facts);
                    }
                }
            }
        }
    }
    for namespace in &world.namespaces {
        let Some(of) = found.get(&namespace.name) else { continue };
        let set = set_of(&WAITING_PODS, Scope::Namespace(namespace.name));
        for (pod, account) in of {
            lead(sink, set, *account, *pod, &[]);
        }
        if whole {
            join(world, sink, &WAITING_PODS, namespace);
        }
    }
}

/// Runtimes that put a kernel of their own between a container and its node.
const SANDBOXES: &[&str] = &["gvisor", "runsc", "kata", "firecracker"];

/// How likely a privileged container in this host's pod reaches the node.
fn escape(world: &World, host: Host) -> Odds {
    let spec = world.host_spec(host);
    let odds = EPHEMERAL_CONTAINER_INJECT.odds;
    let runtime = world.text(spec.runtime_class);
    if SANDBOXES.iter().any(|s| runtime.contains(s)) {
        odds.but(0.1, Confidence::Possible)
    } else if spec.user_namespace {
        odds.but(0.2, Confidence::Possible)
    } else {
        odds
    }
}

fn injections(world: &World, sink: &mut Sink<'_>) {
    let mut scopes = BTreeSet::new();
    for grant in world.grants_any(INJECT) {
        let facts = sink.grant(&grant).to_vec();
        let from = Thing::Binding(grant.binding);
        match grant.names {
            Names::All => {
                scopes.insert(grant.scope);
                for kind in [&INJECTABLE_PODS, &INJECTABLE_NODES] {
                    let to = set_of(kind, grant.scope);
                    sink.edge(from, to, &EPHEMERAL_CONTAINER_INJECT, &facts);
                }
            }
            Names::Only(names) => {
                for pod in named(world, grant.scope, names, |ns, name| world.pod(ns, name)) {
                    if world.is_running(pod) {
                        inject(world, sink, from, pod, &facts);
                    }
                }
            }
        }
    }
    let cluster = scopes.contains(&Scope::Cluster);
    for namespace in &world.namespaces {
        if cluster || scopes.contains(&Scope::Namespace(namespace.name)) {
            injectable(world, sink, namespace, cluster);
        }
    }
}

/// The edges of a grant that names the pod.
fn inject(world: &World, sink: &mut Sink<'_>, from: Thing<'_>, ix: PodIx, facts: &[Fact]) {
    let pod = &world.pods[ix.index()];
    let Some(namespace) = world.namespace(pod.ns).map(|n| &world.namespaces[n.index()]) else {
        return;
    };
    if !takes_updates(world, namespace, Host::Pod(ix)) {
        return;
    }
    let (level, sure) = enforced(world, sink, namespace);
    let mut facts = facts.to_vec();
    facts.push(level);
    sink.edge(from, Thing::Pod(ix), &EPHEMERAL_CONTAINER_INJECT, &facts);
    let lets = world.account_lets(pod.account, Level::Privileged);
    if lets && admits(namespace, Level::Privileged) {
        let node = world.text(world.nodes[pod.node.index()].name);
        facts.push(sink.fact(pod.object, ".spec.nodeName", node));
        let left = policies::weigh_ephemeral(world, sink, namespace, &mut facts);
        let odds = escape(world, Host::Pod(ix)).but(left.likelihood, left.confidence.max(sure));
        sink.edge_with(from, Thing::Node(pod.node), &EPHEMERAL_CONTAINER_INJECT, odds, &facts);
    }
}

/// Fills the sets of a namespace's pods that take a container, and of the nodes below them.
fn injectable(world: &World, sink: &mut Sink<'_>, namespace: &Namespace, cluster: bool) {
    let scope = Scope::Namespace(namespace.name);
    let (level, sure) = enforced(world, sink, namespace);
    let privileged = admits(namespace, Level::Privileged);
    // One edge a node, by the pod that makes it the most likely.
    let mut nodes: BTreeMap<NodeIx, (Host, Odds)> = BTreeMap::new();
    let hosts = taking_updates(world, namespace);
    fill(world, sink, &INJECTABLE_PODS, namespace, &hosts);
    for host in hosts.iter().copied() {
        let lets = privileged && world.account_lets(world.host_account(host), Level::Privileged);
        let Some(node) = world.host_node(host).filter(|_| lets) else { continue };
        let odds = escape(world, host).but(1.0, sure);
        let best = nodes.entry(node).or_insert((host, odds));
        if odds.likelihood > best.1.likelihood {
            *best = (host, odds);
        }
    }
    if !hosts.is_empty() && cluster {
        join(world, sink, &INJECTABLE_PODS, namespace);
    }
    if !nodes.is_empty() && cluster {
        join(world, sink, &INJECTABLE_NODES, namespace);
    }
    let mut shown = vec![level];
    let left = policies::weigh_ephemeral(world, sink, namespace, &mut shown);
    for (node, (host, odds)) in nodes {
        let odds = odds.but(left.likelihood, left.confidence);
        let (object, _) = world.host_object(host);
        let field = world.host_field(host, ".spec.nodeName");
        let on = sink.fact(object, &field, world.text(world.nodes[node.index()].name));
        // The binding's edge bears the likelihood of the step.
        let odds = Odds {
            likelihood: odds.likelihood / EPHEMERAL_CONTAINER_INJECT.odds.likelihood,
            ..odds
        };
        sink.edge_with(
            set_of(&INJECTABLE_NODES, scope),
            Thing::Node(node),
            &SET_MEMBER,
            odds,
            &[&shown[..], &[on]].concat(),
        );
    }
}
