//! Control of pods that exist: entering them, changing their image, adding a container.
//!
//! Each right leads to the pods of its scope through a set. Exec takes every running pod; what
//! Kubernetes refuses for some pods (updates of static pods, and of pods that violate their
//! namespace's Pod Security level) has a set of its own, filled here.

use super::Family;
use super::sets::{PODS, SET_MEMBER};
use crate::graph::{Attack, Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::exposure::Host;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::version::Version;
use crate::world::{Namespace, NodeIx, PodIx, WorkloadIx, World};
use std::collections::{BTreeMap, BTreeSet};

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
    /// `resourceNames` limit it to those pods. A pod that has ended takes no commands. From 1.35 on
    /// `get` alone is refused for every way of connecting. `pods/*` grants nothing.
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
    /// be changed: not the service account, the volumes, the command or the security context.
    /// ## Abuse
    /// `kubectl set image -n NAMESPACE pod/POD CONTAINER=ATTACKER/IMAGE`; the kubelet restarts the
    /// container with it. The entrypoint of the new image runs unless the pod sets `command`.
    /// ## Stopped by
    /// The mirror of a static pod is not what the kubelet runs. An update of a pod that violates the
    /// namespace's enforced Pod Security level is refused. `resourceNames` limit it. A node that
    /// can pull from no foreign registry needs a useful image of an allowed one.
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
/// Running pods whose specification may be updated.
static UPDATABLE_PODS: SetKind = SetKind { id: "updatable-pods", noun: "running pods to update" };
/// Running pods that take an ephemeral container, and the nodes of those that take any.
static INJECTABLE_PODS: SetKind =
    SetKind { id: "injectable-pods", noun: "running pods that take a container" };
/// Nodes of pods that take a privileged container.
static INJECTABLE_NODES: SetKind =
    SetKind { id: "injectable-nodes", noun: "nodes under pods that take a privileged container" };

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

const INJECT: &[Permission] = &[
    Permission::namespaced("patch", "", "pods/ephemeralcontainers"),
    Permission::namespaced("update", "", "pods/ephemeralcontainers"),
];

const PATCH: &[Permission] =
    &[Permission::namespaced("patch", "", "pods"), Permission::namespaced("update", "", "pods")];

/// The label by which a namespace enforces a Pod Security level.
const ENFORCE: &str = ".metadata.labels[\"pod-security.kubernetes.io/enforce\"]";

/// Whether a namespace lets a pod of a level in: an absent label enforces nothing.
pub(super) fn admits(namespace: &Namespace, level: Level) -> bool {
    namespace.enforce.is_none_or(|enforced| level <= enforced)
}

/// The fact of what a namespace enforces, and how sure it is: the level of a namespace that is not
/// in the snapshot is not known.
pub(super) fn enforced(
    world: &World,
    sink: &mut Sink<'_>,
    namespace: &Namespace,
) -> (Fact, Confidence) {
    if !world.objects[namespace.object.index()].is_present() {
        let fact = sink.fact(namespace.object, ENFORCE, "not in the snapshot");
        return (fact, Confidence::Likely);
    }
    let value = namespace.enforce.map_or("not set", Level::name);
    (sink.fact(namespace.object, ENFORCE, value), Confidence::Certain)
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
    updates(world, sink);
    injections(world, sink);
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
    let value = format!("v{}.{}", version.major, version.minor);
    let pod = world.text(world.objects[version.object.index()].kind) == "Pod";
    let field = if pod { ".spec.containers[0].image" } else { ".status.nodeInfo.kubeletVersion" };
    let fact = sink.fact(version.object, field, &value);
    let odds = if version.exact { odds } else { odds.but(0.8, Confidence::Likely) };
    Some((odds, Some(fact)))
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
                sink.edge_with(from, Thing::Pod(pod), attack, odds, &facts);
            }
        }
    }
}

/// The field that lets a container of this host read input.
fn stdin_of(world: &World, host: Host) -> Option<String> {
    let containers = &world.host_spec(host).containers;
    let container = containers.iter().find(|c| c.stdin && c.keeps_running())?;
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

/// The hosts of a namespace: running pods, then templates.
fn hosts_of(world: &World, ns: Sym) -> impl Iterator<Item = Host> + '_ {
    let pods = world.pods_of(ns).map(PodIx::new).filter(|p| world.is_running(*p));
    let templates = world.workloads_of(ns).map(WorkloadIx::new).filter(|w| world.is_template(*w));
    pods.map(Host::Pod).chain(templates.map(Host::Template))
}

/// Whether the API server lets this host's pod be changed to the attacker's ends.
fn takes_updates(world: &World, namespace: &Namespace, host: Host) -> bool {
    let mirror = matches!(host, Host::Pod(pod) if world.pods[pod.index()].mirror);
    !mirror && admits(namespace, world.host_spec(host).level)
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
        let (level, _) = enforced(world, sink, namespace);
        let mut any = false;
        for host in hosts_of(world, namespace.name) {
            if takes_updates(world, namespace, host) {
                any = true;
                let set = set_of(&UPDATABLE_PODS, Scope::Namespace(namespace.name));
                sink.edge(set, host.into(), &SET_MEMBER, &[level]);
            }
        }
        if any && cluster {
            join(world, sink, &UPDATABLE_PODS, namespace);
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
    if admits(namespace, Level::Privileged) {
        let node = world.text(world.nodes[pod.node.index()].name);
        facts.push(sink.fact(pod.object, ".spec.nodeName", node));
        let odds = escape(world, Host::Pod(ix)).but(1.0, sure);
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
    let mut any = false;
    for host in hosts_of(world, namespace.name).filter(|h| takes_updates(world, namespace, *h)) {
        any = true;
        sink.edge(set_of(&INJECTABLE_PODS, scope), host.into(), &SET_MEMBER, &[level]);
        let Some(node) = world.host_node(host).filter(|_| privileged) else { continue };
        let odds = escape(world, host).but(1.0, sure);
        let best = nodes.entry(node).or_insert((host, odds));
        if odds.likelihood > best.1.likelihood {
            *best = (host, odds);
        }
    }
    if any && cluster {
        join(world, sink, &INJECTABLE_PODS, namespace);
    }
    if !nodes.is_empty() && cluster {
        join(world, sink, &INJECTABLE_NODES, namespace);
    }
    for (node, (host, odds)) in nodes {
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
            &[level, on],
        );
    }
}
