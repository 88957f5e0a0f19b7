//! Control of pods that exist, by connecting to them: exec, attach, port-forward.
//!
//! Each right leads to the running pods of its scope through a set. What changes a pod is in
//! `pod_update`.

use super::Family;
use super::pod_update::{self, EPHEMERAL_CONTAINER_INJECT, POD_PATCH_IMAGE};
use super::sets::{PODS, SET_MEMBER, held_up, waits};
use crate::graph::{Attack, Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::hosts::Host;
use crate::world::openshift::Power;
use crate::world::version::Version;
use crate::world::{Namespace, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Runs a command in a container of a running pod, as `kubectl exec` does.
    ///
    /// ## Needs
    /// `create` on `pods/exec` in the pod's namespace. `get` is enough for a WebSocket on API
    /// servers before 1.35. No right on `pods` itself is needed by the API, only by kubectl.
    /// ## Abuse
    /// `kubectl exec -n NAMESPACE POD -c CONTAINER -- sh`; without a shell in the image, any of its
    /// programs. What the container holds (token, mounts, environment) is the caller's.
    /// ## Stopped by
    /// `resourceNames` limit it to those pods. A pod that has ended takes no commands, nor does a
    /// container that has: an init container once the pod runs, an ephemeral one that has exited. From
    /// 1.35 on `get` alone is refused for every way of connecting. `pods/*` grants nothing.
    /// ## Fix
    /// Remove `pods/exec` from the role, or name the pods in `resourceNames`; let people debug
    /// with ephemeral containers in namespaces of their own.
    /// ## Detect
    /// Audit events with `objectRef.resource=pods` and `subresource=exec`, verb `create` or `get`;
    /// the request URI holds the command.
    /// ## References
    /// - <https://github.com/kubernetes/kubernetes/issues/78741> and pull request 134577 (1.35)
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/>
    /// - executed on kube-apiserver 1.36: `create` alone is enough, `get` alone is 403
    pub(super) static POD_EXEC = {
        id: "pod-exec", title: "Exec into a pod", mitre: &["T1609", "MS-TA9006"],
        odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Attaches to the main process of a running container and types into it.
    ///
    /// ## Needs
    /// `create` on `pods/attach` (before 1.35 `get` is enough), and a container with `stdin: true`.
    /// Without one, attaching shows output only, which seldom gives control.
    /// ## Abuse
    /// `kubectl attach -n NAMESPACE POD -c CONTAINER -i`, then type into the shell or console that
    /// runs there.
    /// ## Stopped by
    /// Containers without `stdin`; `resourceNames`; pods that have ended.
    /// ## Fix
    /// Remove `pods/attach` from the role; do not run containers with `stdin` in the cluster.
    /// ## Detect
    /// Audit events with `objectRef.subresource=attach`.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_attach/>
    /// - executed on kube-apiserver 1.36: `get` alone is 403
    pub(super) static POD_ATTACH = {
        id: "pod-attach", title: "Attach to a pod", mitre: &["T1609"],
        odds: Odds::certain(0.9),
    }
}

crate::attack! {
    /// Reaches what a pod listens on, its loopback address included, past every network policy.
    ///
    /// This is reach, not control: it leads on only where something that listens there can be
    /// taken over.
    ///
    /// ## Needs
    /// `create` on `pods/portforward` (before 1.35 `get` is enough) and a running pod.
    /// ## Abuse
    /// `kubectl port-forward -n NAMESPACE POD 8080:8080`, then talk to `localhost:8080`: admin
    /// consoles, debug ports and databases that trust the loopback address.
    /// ## Stopped by
    /// `resourceNames`; authentication in what listens; pods that have ended.
    /// ## Fix
    /// Remove `pods/portforward` from the role; authenticate on loopback ports too.
    /// ## Detect
    /// Audit events with `objectRef.subresource=portforward`.
    /// ## References
    /// - <https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/>
    /// - executed on kube-apiserver 1.36: `get` alone is 403
    pub(super) static POD_PORT_FORWARD = {
        id: "pod-port-forward", title: "Reach the ports of a pod", mitre: &["T1090", "T1021"],
        odds: Odds::possible(0.1),
    }
}

/// Control of existing pods.
pub(super) static FAMILY: Family = Family {
    name: "B Control of existing pods",
    attacks: &[
        &POD_EXEC,
        &POD_ATTACH,
        &POD_PORT_FORWARD,
        &EPHEMERAL_CONTAINER_INJECT,
        &POD_PATCH_IMAGE,
    ],
    find,
};

/// Running pods with a container that reads input.
static STDIN_PODS: SetKind = SetKind { id: "stdin-pods", noun: "running pods that read input" };
/// The connecting rights: subresource and attack. `get` is a right to them too before 1.35.
static CONNECT: &[(Permission, Permission, &Attack)] = &[
    (
        Permission::namespaced("create", "", "pods/exec"),
        Permission::namespaced("get", "", "pods/exec"),
        &POD_EXEC,
    ),
    (
        Permission::namespaced("create", "", "pods/attach"),
        Permission::namespaced("get", "", "pods/attach"),
        &POD_ATTACH,
    ),
    (
        Permission::namespaced("create", "", "pods/portforward"),
        Permission::namespaced("get", "", "pods/portforward"),
        &POD_PORT_FORWARD,
    ),
];

/// The label by which a namespace enforces a Pod Security level.
const ENFORCE: &str = ".metadata.labels[\"pod-security.kubernetes.io/enforce\"]";

/// Whether a namespace lets a new pod of a level in: by its label, and in OpenShift by the
/// constraints that one of its accounts may use.
pub(super) fn admits(namespace: &Namespace, level: Level) -> bool {
    labelled(namespace, level) && namespace.usable.is_none_or(|u| level <= u.power.level())
}

/// Whether the label of a namespace lets a pod of a level in: an absent one enforces nothing. A pod
/// that runs has passed OpenShift's constraints already, and passes them again with its account.
pub(super) fn labelled(namespace: &Namespace, level: Level) -> bool {
    namespace.enforce.is_none_or(|enforced| level <= enforced)
}

/// What a host path is worth that a pod of this namespace mounts behind a claim: without root
/// inside the files' modes apply, and in OpenShift SELinux keeps the host's files shut unless an
/// account may use constraints that lift it.
pub(super) fn behind_claim(namespace: &Namespace) -> Odds {
    if namespace.usable.is_some_and(|u| u.power < Power::Capabilities) {
        Odds::possible(0.3)
    } else if admits(namespace, Level::Baseline) {
        Odds::certain(1.0)
    } else {
        Odds::likely(0.7)
    }
}

/// The fact of what a namespace enforces, and how sure it is: the level of a namespace that is not
/// in the snapshot is not known.
pub(super) fn enforced(
    world: &World,
    sink: &mut Sink<'_>,
    namespace: &Namespace,
) -> (Fact, Confidence) {
    // OpenShift has constraints, collected or not.
    let hidden = world.openshift && world.constraints.is_empty();
    let sure = if hidden { Confidence::Unknown } else { Confidence::Certain };
    if !world.objects[namespace.object.index()].is_present() {
        let fact = sink.fact(namespace.object, ENFORCE, "not in the snapshot");
        return (fact, sure.max(Confidence::Likely));
    }
    let label = world.label(namespace.object, "pod-security.kubernetes.io/enforce");
    let value = match (namespace.enforce, label) {
        (Some(level), _) => level.name().to_owned(),
        (None, Some(label)) => {
            format!("{}, which an API server does not enforce", world.text(label))
        }
        (None, None) => "not set".to_owned(),
    };
    (sink.fact(namespace.object, ENFORCE, &value), sure)
}

/// The set of a kind for the scope of a grant.
pub(super) fn set_of(kind: &'static SetKind, scope: Scope) -> Thing<'static> {
    let ns = match scope {
        Scope::Cluster => Sym::EMPTY,
        Scope::Namespace(ns) => ns,
    };
    Thing::Set(SetKey { kind, ns, of: 0 })
}

/// The existing objects of the names that a grant is limited to: `lookup` finds one by namespace
/// and name.
pub(super) fn named<T>(
    world: &World,
    scope: Scope,
    names: &[Sym],
    lookup: impl Fn(Sym, Sym) -> Option<T>,
) -> Vec<T> {
    let namespaces = world.reached(scope).iter();
    namespaces.flat_map(|n| names.iter().filter_map(|name| lookup(n.name, *name))).collect()
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let version = world.server_version();
    let mut reads_input = BTreeSet::new();
    for (create, get, attack) in CONNECT {
        let creates = world.grants(create);
        for grant in &creates {
            let facts = sink.grant(grant).to_vec();
            connect(world, sink, grant, attack, attack.odds, &facts, &mut reads_input);
        }
        for grant in world.grants(get) {
            // The same rule grants `create`: the edge is there already.
            let key = (grant.binding, grant.rule);
            if creates.binary_search_by_key(&key, |g| (g.binding, g.rule)).is_ok() {
                continue;
            }
            let Some((odds, fact)) = get_alone(world, sink, version, attack.odds) else { break };
            let mut facts = sink.grant(&grant).to_vec();
            facts.extend(fact);
            connect(world, sink, &grant, attack, odds, &facts, &mut reads_input);
        }
    }
    stdin_members(world, sink, &reads_input);
    pod_update::find(world, sink);
}

/// What `get` alone is worth: nothing from 1.35 on.
fn get_alone(
    world: &World,
    sink: &mut Sink<'_>,
    version: Option<Version>,
    odds: Odds,
) -> Option<(Odds, Option<Fact>)> {
    let Some(version) = version else { return Some((odds.but(0.3, Confidence::Possible), None)) };
    if !version.is_before(1, 35) {
        return None;
    }
    let fact = shown(world, sink, version);
    let odds = if version.exact { odds } else { odds.but(0.8, Confidence::Likely) };
    Some((odds, Some(fact)))
}

/// The fact that an object shows the server's version.
pub(super) fn shown(world: &World, sink: &mut Sink<'_>, version: Version) -> Fact {
    let value = format!("v{}.{}", version.major, version.minor);
    let pod = world.text(world.objects[version.object.index()].kind) == "Pod";
    let field = if pod { ".spec.containers[0].image" } else { ".status.nodeInfo.kubeletVersion" };
    sink.fact(version.object, field, &value)
}

/// The edges of one connecting grant. Attaching gives control only where input is read.
fn connect(
    world: &World,
    sink: &mut Sink<'_>,
    grant: &Grant<'_>,
    attack: &'static Attack,
    odds: Odds,
    facts: &[Fact],
    reads_input: &mut BTreeSet<Scope>,
) {
    let from = Thing::Binding(grant.binding);
    let attach = std::ptr::eq(attack, &raw const POD_ATTACH);
    let blind = if attach { odds.but(0.1, Confidence::Possible) } else { odds };
    match grant.names {
        Names::All => {
            sink.edge_with(from, set_of(&PODS, grant.scope), attack, blind, facts);
            if attach {
                sink.edge_with(from, set_of(&STDIN_PODS, grant.scope), attack, odds, facts);
                reads_input.insert(grant.scope);
            }
        }
        Names::Only(names) => {
            for pod in named(world, grant.scope, names, |ns, name| world.pod(ns, name)) {
                if !world.is_running(pod) {
                    continue;
                }
                let mut facts = facts.to_vec();
                let odds = match stdin_of(world, Host::Pod(pod)) {
                    Some(field) if attach => {
                        facts.push(sink.fact(world.pods[pod.index()].object, &field, "true"));
                        odds
                    }
                    _ => blind,
                };
                let odds = if world.pods[pod.index()].states.is_held_up() {
                    facts.push(waits(world, sink, pod));
                    held_up(odds)
                } else {
                    odds
                };
                sink.edge_with(from, Thing::Pod(pod), attack, odds, &facts);
            }
        }
    }
}

/// The field that lets a container of this host read input.
fn stdin_of(world: &World, host: Host) -> Option<String> {
    let containers = &world.host_spec(host).containers;
    let container = containers.iter().find(|c| c.stdin && world.keeps_running(host, c))?;
    Some(world.host_field(host, &format!("{}.stdin", container.field())))
}

/// Fills the sets of pods that read input.
fn stdin_members(world: &World, sink: &mut Sink<'_>, scopes: &BTreeSet<Scope>) {
    if scopes.is_empty() {
        return;
    }
    for host in world.hosts() {
        let Some(field) = stdin_of(world, host) else { continue };
        let (object, ns) = world.host_object(host);
        let fact = sink.fact(object, &field, "true");
        for scope in [Scope::Cluster, Scope::Namespace(ns)] {
            if scopes.contains(&scope) {
                let set = set_of(&STDIN_PODS, scope);
                sink.edge(set, host.into(), &SET_MEMBER, &[fact]);
            }
        }
    }
}
