//! Creating pods: any service account, any Secret and, where Pod Security lets a privileged pod in,
//! any node.
//!
//! Whoever may create pods in a namespace chooses their account, their volumes and their node. The
//! walk is over bindings; each leads to the sets of its namespace, or to those of the cluster, and
//! the sets of privileged pods lead to the nodes once a namespace.

use super::Family;
use super::openshift;
use super::pod_accounts;
use super::pod_api::{admits, enforced, set_of};
use super::policies_off;
use super::sets::{PRIVILEGED_PODS, SECRETS, SET_MEMBER, WORKER_NODES, node_keys, node_sets};
use super::workload_patch::{self, PRIVILEGED_TEMPLATES, WORKLOAD_PATCH};
use crate::graph::{Attack, Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::closed::Closed;
use crate::world::grants::{Grant, Holder, Names, Pair, Permission, Scope};
use crate::world::{BindingIx, Namespace, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Creates a pod that runs as any service account of the namespace, and takes its token.
    ///
    /// ## Needs
    /// `create` on `pods`, or on a workload that makes pods (`deployments`, `daemonsets`,
    /// `statefulsets`, `replicasets`, `replicationcontrollers`, `jobs`, `cronjobs`). Which account
    /// a pod names is not subject to any right. With `resourceNames`, `create` and `patch` on the
    /// same name are enough by server-side apply.
    /// ## Abuse
    /// `kubectl run x -n NAMESPACE --image=busybox --overrides='{"spec":{"serviceAccountName":
    /// "ACCOUNT"}}' -- sh -c 'cat /var/run/secrets/kubernetes.io/serviceaccount/token'`, then read
    /// the log or send the token out.
    /// ## Stopped by
    /// The account must exist. Pod Security never limits the choice of the account; an admission
    /// policy may. `resourceNames` on `create` alone grant nothing. A ResourceQuota without scopes
    /// that allows no `pods`, for whoever may not change it, and a namespace that is `Terminating`.
    /// ## Fix
    /// Remove `create` on pods and workloads from the role; keep accounts with more power in
    /// namespaces where nobody else creates pods.
    /// ## Detect
    /// Audit events with verb `create` on these resources whose request names a
    /// `serviceAccountName` that the caller does not usually use.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation>
    /// - executed on kube-apiserver 1.36, also in a `restricted` namespace and by server-side apply
    pub(super) static POD_CREATE_AS_SERVICE_ACCOUNT = {
        id: "pod-create-as-service-account", title: "Create a pod as an account",
        mitre: &["T1610", "MS-TA9008"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Creates a pod that mounts a Secret of the namespace, without any right on Secrets.
    ///
    /// ## Needs
    /// What `pod-create-as-service-account` needs, and the Secret's name, which the specifications
    /// of pods show and which can often be guessed.
    /// ## Abuse
    /// Create a pod with `volumes: [{name: s, secret: {secretName: NAME}}]`, or with `envFrom`, and
    /// print what it holds to its log.
    /// ## Stopped by
    /// The deprecated annotation `kubernetes.io/enforce-mountable-secrets` on every account of the
    /// namespace leaves the Secrets that the accounts list, which makes it possible. Pod Security allows Secret volumes at every level.
    /// ## Fix
    /// Remove `create` on pods and workloads from the role; keep Secrets of others in another
    /// namespace.
    /// ## Detect
    /// Audit events with verb `create` on pods whose request refers to a Secret that no other pod
    /// of the caller uses.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation>
    pub(super) static POD_CREATE_MOUNT_SECRET = {
        id: "pod-create-mount-secret", title: "Create a pod that mounts a Secret",
        mitre: &["T1552.007"], odds: Odds::likely(0.9),
    }
}

crate::attack! {
    /// Creates a privileged pod and takes over the node that it runs on.
    ///
    /// ## Needs
    /// What `pod-create-as-service-account` needs, in a namespace that enforces no Pod Security
    /// level, or `privileged`.
    /// ## Abuse
    /// Create a pod with `nodeName: NODE`, `hostPID: true` and a container with
    /// `securityContext.privileged: true`, then `nsenter -t 1 -a` in it. With `nodeName` the
    /// scheduler, its taints and its affinities have no say; a DaemonSet takes every node at once.
    /// ## Stopped by
    /// `pod-security.kubernetes.io/enforce: baseline` or `restricted` on the namespace; the API
    /// server's own default level, which the snapshot does not show. Policies of Kyverno or
    /// Gatekeeper and ValidatingAdmissionPolicies make it less likely by what they forbid: CEL is
    /// evaluated on the pods that would be made, and the policies of the engines' libraries are
    /// known. Rego, and what depends on who asks, on parameters, or on a label that the pod may
    /// carry, is not judged and makes it possible at best. Virtual
    /// nodes and managed ones may refuse. In OpenShift SecurityContextConstraints, unless an account
    /// of the namespace may use strong ones.
    /// ## Fix
    /// `kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=baseline`.
    /// ## Detect
    /// Audit events with verb `create` on pods and workloads whose request sets `privileged`,
    /// `hostPID` or a `hostPath`; Pod Security's audit annotations
    /// (`pod-security.kubernetes.io/audit-violations`).
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
    /// - executed on kube-apiserver 1.36: `nodeName` passes taints; `baseline` answers 403
    pub(super) static POD_CREATE_PRIVILEGED = {
        id: "pod-create-privileged", title: "Create a privileged pod",
        mitre: &["T1610", "T1611", "MS-TA9018"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Creates the privileged pod on a node of the control plane.
    ///
    /// ## Needs
    /// What `pod-create-privileged` needs, and a control-plane node that runs a kubelet, which
    /// managed clusters do not show.
    /// ## Abuse
    /// As `pod-create-privileged` with `nodeName` set to the control-plane node; its taint keeps
    /// the scheduler away, not a pod that names its node, and a toleration passes `NoExecute`.
    /// ## Stopped by
    /// The namespace's Pod Security level and admission policies, as in `pod-create-privileged`.
    /// Taints do not stop it.
    /// ## Fix
    /// `kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=baseline`.
    /// ## Detect
    /// Pods outside `kube-system` on nodes with the label
    /// `node-role.kubernetes.io/control-plane`.
    /// ## References
    /// - executed on kube-apiserver 1.36: `nodeName` bypasses scheduler and taints
    /// - <https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/>
    pub(super) static POD_CREATE_ON_CONTROL_PLANE = {
        id: "pod-create-on-control-plane", title: "Run it on the control plane",
        mitre: &["T1610", "T1611"], odds: Odds::certain(0.95),
    }
}

/// Creation and change of workloads.
pub(super) static FAMILY: Family = Family {
    name: "C Workload creation and mutation",
    attacks: &[
        &POD_CREATE_AS_SERVICE_ACCOUNT,
        &POD_CREATE_MOUNT_SECRET,
        &POD_CREATE_PRIVILEGED,
        &POD_CREATE_ON_CONTROL_PLANE,
        &WORKLOAD_PATCH,
    ],
    find,
};

/// The resources that make pods: group, resource and kind.
pub(super) const MAKERS: &[(&str, &str, &str)] = &[
    ("", "pods", "Pod"),
    ("", "replicationcontrollers", "ReplicationController"),
    ("apps", "deployments", "Deployment"),
    ("apps", "daemonsets", "DaemonSet"),
    ("apps", "statefulsets", "StatefulSet"),
    ("apps", "replicasets", "ReplicaSet"),
    ("batch", "jobs", "Job"),
    ("batch", "cronjobs", "CronJob"),
];

/// Whoever may make pods or change workloads, with the evidence.
#[derive(Debug)]
pub(super) struct Maintainer {
    pub from: Thing<'static>,
    pub scope: Scope,
    pub facts: Vec<Fact>,
}

impl Maintainer {
    /// All subjects of the binding of a grant, wherever it applies.
    pub(super) fn by(sink: &mut Sink<'_>, grant: &Grant<'_>) -> Self {
        let facts = sink.grant(grant).to_vec();
        Self { from: Thing::Binding(grant.binding), scope: grant.scope, facts }
    }
}

fn find(world: &World, sink: &mut Sink<'_>) {
    for Maintainer { from, scope, facts } in creators(world, sink) {
        let to = |kind| set_of(kind, scope);
        let accounts = pod_accounts::accounts(world, sink, scope);
        sink.edge(from, accounts, &POD_CREATE_AS_SERVICE_ACCOUNT, &facts);
        let (mut odds, mut mounts) = (POD_CREATE_MOUNT_SECRET.odds, facts.clone());
        if let Some(fact) = only_listed(world, sink, scope) {
            odds = odds.but(0.2, Confidence::Possible);
            mounts.push(fact);
        }
        sink.edge_with(from, to(&SECRETS), &POD_CREATE_MOUNT_SECRET, odds, &mounts);
        if world.reached(scope).iter().any(|n| admits(n, Level::Privileged)) {
            // What policies say of a privileged pod stands on its way to the nodes.
            let facts = sink.but_for_pods(&facts);
            sink.edge(from, to(&PRIVILEGED_PODS), &POD_CREATE_PRIVILEGED, &facts);
        }
    }
    workload_patch::find(world, sink);
}

/// What keeps pods of every account of a namespace to the Secrets that it lists, which are not read.
/// One account without the annotation is enough for whoever chooses it.
fn only_listed(world: &World, sink: &mut Sink<'_>, scope: Scope) -> Option<Fact> {
    let Scope::Namespace(ns) = scope else { return None };
    let mut accounts = world.accounts[world.accounts_of(ns)].iter().filter(|a| a.exists);
    let first = accounts.next().filter(|a| a.lists_secrets)?;
    let field = ".metadata.annotations[\"kubernetes.io/enforce-mountable-secrets\"]";
    let all = accounts.all(|a| a.lists_secrets);
    all.then(|| sink.fact(first.object, field, "true, as on every account of the namespace"))
}

/// The permissions to create something that makes pods, as an account of one's choice.
static POD_CREATION: [Permission; MAKERS.len()] = {
    let mut all = [Permission::namespaced("create", "", "pods"); MAKERS.len()];
    let mut i = 0;
    while i < MAKERS.len() {
        all[i] = Permission::namespaced("create", MAKERS[i].0, MAKERS[i].1);
        i += 1;
    }
    all
};

/// The same, as a list.
pub(super) fn pod_creation() -> &'static [Permission] {
    &POD_CREATION
}

/// Everyone who may create something that makes pods.
pub(super) fn creators(world: &World, sink: &mut Sink<'_>) -> Vec<Maintainer> {
    let grants = world.grants_either(pod_creation());
    let mut found: Vec<Maintainer> =
        grants.iter().map(|grant| Maintainer::by(sink, grant)).collect();
    for (group, resource, kind) in MAKERS {
        let exists = |ns, name| match *kind {
            "Pod" => world.pod(ns, name).is_some(),
            kind => workload_patch::workload(world, ns, name, kind).is_some(),
        };
        found.extend(applied(world, sink, group, resource, exists));
    }
    found.extend(unlocking(world, sink));
    found
}

/// Whoever may create pods where a quota allows none, and may change or delete the quota first.
fn unlocking(world: &World, sink: &mut Sink<'_>) -> Vec<Maintainer> {
    let quota = |scope| match scope {
        Scope::Namespace(ns) => match world.closed(ns) {
            Some(Closed::NoPods { object, name, key }) => Some((object, name, key)),
            _ => None,
        },
        Scope::Cluster => None,
    };
    let mut creates: Vec<Grant<'_>> =
        pod_creation().iter().flat_map(|permission| world.authorized(permission)).collect();
    creates.retain(|grant| grant.names == Names::All && quota(grant.scope).is_some());
    if creates.is_empty() {
        return Vec::new();
    }
    creates.sort_unstable_by_key(|g| (g.binding, g.rule));
    creates.dedup_by_key(|g| (g.binding, g.rule));
    let verbs = ["update", "patch", "delete", "deletecollection"];
    let changes = world.grants_any(&verbs.map(|v| Permission::namespaced(v, "", "resourcequotas")));
    let mut found = Vec::new();
    for pair in world.pairs(&creates, &changes) {
        let Some((object, name, key)) = quota(pair.scope) else { continue };
        if pair.second.names.covers(name) {
            let (from, mut facts) = together(world, sink, &pair);
            let field = format!(".spec.hard[\"{}\"]", world.text(key));
            facts.push(sink.fact(object, &field, "0, which the same identity may change"));
            found.push(Maintainer { from, scope: pair.scope, facts });
        }
    }
    found
}

/// Whether an object can bear a name: `resourceNames` may hold anything, such as `db-*`
/// (apimachinery `validation.IsDNS1123Subdomain`).
pub(super) fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| {
        part.starts_with(letter)
            && part.ends_with(letter)
            && part.chars().all(|c| letter(c) || c == '-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

/// Whoever may create an object by server-side apply: `create` and `patch` on one name, which no
/// object bears yet.
pub(super) fn applied(
    world: &World,
    sink: &mut Sink<'_>,
    group: &'static str,
    resource: &'static str,
    exists: impl Fn(Sym, Sym) -> bool,
) -> Vec<Maintainer> {
    let create = Permission::namespaced("create", group, resource).with_name();
    let mut creates = world.grants(&create);
    creates.retain(|g| matches!(g.names, Names::Only(_)));
    if creates.is_empty() {
        return Vec::new();
    }
    let patches = world.grants(&Permission::namespaced("patch", group, resource));
    let mut found = Vec::new();
    for pair in world.pairs(&creates, &patches) {
        let Names::Only(names) = pair.first.names else { continue };
        let both = |name: &&Sym| is_name(world.text(**name)) && pair.second.names.covers(**name);
        let free = |n: &&Namespace| names.iter().filter(both).any(|name| !exists(n.name, *name));
        let namespaces = world.reached(pair.scope);
        let (from, facts) = together(world, sink, &pair);
        if namespaces.iter().all(|n| free(&n)) {
            found.push(Maintainer { from, scope: pair.scope, facts });
            continue;
        }
        for namespace in namespaces.iter().filter(free) {
            let scope = Scope::Namespace(namespace.name);
            found.push(Maintainer { from, scope, facts: facts.clone() });
        }
    }
    found
}

/// Where an edge by two grants of one principal starts, and its evidence.
pub(super) fn together(
    world: &World,
    sink: &mut Sink<'_>,
    pair: &Pair<'_>,
) -> (Thing<'static>, Vec<Fact>) {
    let mut facts = sink.grant(&pair.first).to_vec();
    facts.extend(sink.grant(&pair.second));
    match pair.holder {
        Holder::Binding(binding) => (Thing::Binding(binding), facts),
        Holder::Principal(principal, first, second) => {
            let binding = |b: BindingIx| &world.bindings[b.index()];
            facts.push(sink.subject(binding(pair.first.binding), &first));
            facts.push(sink.subject(binding(pair.second.binding), &second));
            (principal.into(), facts)
        }
    }
}

/// Leads the sets of privileged pods to the nodes: those of the cluster to those of the namespaces
/// that let privileged pods in, and each of these to the workers and to the control plane. Adds the
/// sets of nodes to the keys that need members.
pub(super) fn privileged_members(world: &World, sink: &mut Sink<'_>, keys: &mut Vec<SetKey>) {
    let kinds: [(&SetKind, &Attack, &Attack); 2] = [
        (&PRIVILEGED_PODS, &POD_CREATE_PRIVILEGED, &POD_CREATE_ON_CONTROL_PLANE),
        (&PRIVILEGED_TEMPLATES, &WORKLOAD_PATCH, &WORKLOAD_PATCH),
    ];
    let whole = |kind| SetKey { kind, ns: Sym::EMPTY, of: 0 };
    let mut used = false;
    for (kind, on_worker, on_control_plane) in kinds {
        let cluster = keys.contains(&whole(kind));
        let named: BTreeSet<Sym> = keys.iter().filter(|k| k.kind == kind).map(|k| k.ns).collect();
        for namespace in &world.namespaces {
            let part = SetKey { kind, ns: namespace.name, of: 0 };
            let member =
                cluster && namespace.closed.is_none() && admits(namespace, Level::Privileged);
            if !member && !named.contains(&namespace.name) {
                continue;
            }
            let (level, _) = enforced(world, sink, namespace);
            let from = Thing::Set(part);
            if member {
                sink.edge(Thing::Set(whole(kind)), from, &SET_MEMBER, &[level]);
            }
            // The edge into the set bears the likelihood of creating the pod.
            let (facts, odds) = openshift::admission(world, sink, namespace);
            for nodes in node_sets(world) {
                let attack = if *nodes == &WORKER_NODES { on_worker } else { on_control_plane };
                sink.edge_with(from, Thing::Set(whole(nodes)), attack, odds, &facts);
            }
            policies_off::open(world, sink, namespace, from, keys);
            used = true;
        }
    }
    if used {
        keys.extend(node_keys(world));
    }
}
