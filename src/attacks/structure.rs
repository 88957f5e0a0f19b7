//! Identity and structure: membership, bindings, containment, and what full power amounts to.

use super::Family;
use super::sets::{ADMIN_ACTS, PODS, PRIVILEGED_PODS, SECRETS, SERVICE_ACCOUNTS};
use crate::graph::{Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::closed::Closed;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::hosts::Host;
use crate::world::{
    AccountIx, BindingIx, GroupIx, NamespaceIx, NodeIx, PodIx, Principal, UserIx, WorkloadIx, World,
};
use rustc_hash::FxHashMap;

crate::attack! {
    /// Is a member of a group, and so holds whatever is bound to it.
    ///
    /// ## Needs
    /// Kubernetes itself puts a service account into `system:serviceaccounts`,
    /// `system:serviceaccounts:NAMESPACE` and `system:authenticated`, a node into `system:nodes`,
    /// every user but the anonymous one into `system:authenticated`, and the anonymous one into
    /// `system:unauthenticated`. OpenShift puts a user into the groups that list it in `users`.
    /// Groups of an identity provider are not in a snapshot.
    /// ## Fix
    /// Bind the role to the accounts that need it instead of to a group of all of them.
    /// ## References
    /// - kubernetes apiserver `pkg/authentication/user`, `serviceaccount/util.go`
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects>
    pub(super) static MEMBER_OF_GROUP = {
        id: "member-of-group", title: "Is a member of", mitre: &["T1078"],
        odds: Odds::certain(1.0), structure: true,
    }
}

crate::attack! {
    /// Is a subject of a binding.
    ///
    /// ## Needs
    /// The binding's `subjects` name it. In a RoleBinding a service account without a namespace is
    /// that of the binding's own; in a ClusterRoleBinding it is nobody.
    /// ## Fix
    /// Remove the subject from the binding.
    /// ## References
    /// - kubernetes `pkg/registry/rbac/validation/rule.go`, `appliesTo`
    /// - executed on kube-apiserver 1.36: a ClusterRoleBinding with such a subject is refused
    pub(super) static BOUND_TO = {
        id: "bound-to", title: "Is bound by", mitre: &["T1078"],
        odds: Odds::certain(1.0), structure: true,
    }
}

crate::attack! {
    /// Is a subject of a binding under the user name that its requests bear.
    ///
    /// A binding to the User `system:serviceaccount:ops:robot` or `system:node:worker-1` binds
    /// that service account or node, although it does not look like it.
    ///
    /// ## Needs
    /// A subject of kind User with such a name.
    /// ## Fix
    /// Remove the subject, or write it as the ServiceAccount that it is.
    /// ## References
    /// - kubernetes `plugin/pkg/auth/authorizer/rbac`, `appliesToUser`
    /// - executed on kube-apiserver 1.36
    pub(super) static TOKEN_TRUSTS_FOREIGN_IDENTITY = {
        id: "token-trusts-foreign-identity", title: "Is bound by its user name in",
        mitre: &["T1078"], odds: Odds::certain(1.0), structure: true,
    }
}

crate::attack! {
    /// A binding refers to a role and grants what its rules allow.
    ///
    /// ## Needs
    /// The role exists. A RoleBinding to a ClusterRole grants its rules in one namespace.
    /// ## Fix
    /// Bind a narrower role; `roleRef` cannot be changed, so replace the binding.
    /// ## References
    /// - kubernetes `pkg/registry/rbac/validation/rule.go`, `VisitRulesFor`
    pub(super) static GRANTS_ROLE = {
        id: "grants-role", title: "Grants", mitre: &[], odds: Odds::certain(1.0), structure: true,
    }
}

crate::attack! {
    /// A workload made the pod and runs it.
    ///
    /// ## Needs
    /// The pod's chain of owners ends at the workload.
    /// ## Fix
    /// Nothing is wrong with this by itself.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/workloads/controllers/>
    pub(super) static WORKLOAD_CONTROLS_POD = {
        id: "workload-controls-pod", title: "Runs as", mitre: &[],
        odds: Odds::certain(1.0), structure: true,
    }
}

crate::attack! {
    /// A pod holds the container.
    ///
    /// ## Needs
    /// The container, init container or ephemeral container is part of the pod.
    /// ## Fix
    /// Nothing is wrong with this by itself.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/workloads/pods/>
    pub(super) static CONTAINER_IN_POD = {
        id: "container-in-pod", title: "Holds", mitre: &[], odds: Odds::certain(1.0),
        structure: true,
    }
}

crate::attack! {
    /// The group `system:masters` may do everything, whatever RBAC says.
    ///
    /// ## Needs
    /// A credential of that group: a client certificate with `O=system:masters`, or a right to
    /// impersonate the group together with a user.
    /// ## Abuse
    /// Every request is authorized before any authorizer is asked; there is nothing to get around.
    /// ## Stopped by
    /// Nothing in the cluster: no binding gives this power and none can take it away.
    /// ## Fix
    /// Rotate the cluster's CA if such a certificate has leaked; narrow impersonation of groups.
    /// ## Detect
    /// Audit events whose user or impersonated user is in `system:masters`.
    /// ## References
    /// - kubernetes `pkg/kubeapiserver/authorizer`, the privileged-group authorizer
    pub(super) static IS_SYSTEM_MASTERS = {
        id: "is-system-masters", title: "May do everything", mitre: &["T1078"],
        odds: Odds::certain(1.0), structure: true,
    }
}

crate::attack! {
    /// Holds every verb on every resource of the cluster.
    ///
    /// ## Needs
    /// A ClusterRoleBinding to a role with a rule `*` on `*` of `*` without `resourceNames`, such
    /// as the built-in `cluster-admin`. A RoleBinding to it rules one namespace only.
    /// ## Abuse
    /// Anything: read every Secret, run on every node, change every object.
    /// ## Stopped by
    /// Nothing that RBAC grants; admission policies still apply to writes, and the holder can
    /// change those too.
    /// ## Fix
    /// Replace the binding by one to a role with the rules that are in use.
    /// ## Detect
    /// Audit events allowed by this binding: the annotation `authorization.k8s.io/reason` names it.
    /// ## References
    /// - kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy`
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/>
    pub(super) static IS_CLUSTER_ADMIN = {
        id: "is-cluster-admin", title: "Is cluster-admin", mitre: &["T1078"],
        odds: Odds::certain(1.0),
    }
}

crate::attack! {
    /// Holds what amounts to power over a namespace: its pods, its Secrets and its service
    /// accounts.
    ///
    /// ## Needs
    /// In the namespace: creating pods, exec into pods, reading Secrets, and either impersonating
    /// service accounts or asking for their tokens. The built-in `edit` and `admin` have all of
    /// these, and so has a RoleBinding to `cluster-admin`.
    /// ## Abuse
    /// Become any service account of the namespace, read any of its Secrets, enter any of its pods.
    /// ## Stopped by
    /// The power ends at the namespace, unless something in it leads further. Pod Security
    /// admission limits what new pods may do to their node.
    /// ## Fix
    /// Split what the role allows; keep Secrets and service accounts of other teams in other
    /// namespaces.
    /// ## Detect
    /// Audit events of the subject on `pods/exec`, `secrets` and `serviceaccounts/token`.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles>
    pub(super) static IS_NAMESPACE_ADMIN = {
        id: "is-namespace-admin", title: "Rules the namespace", mitre: &["T1078"],
        odds: Odds::certain(1.0),
    }
}

/// Structure and identity.
pub(super) static FAMILY: Family = Family {
    name: "A Structure and identity",
    attacks: &[
        &MEMBER_OF_GROUP,
        &BOUND_TO,
        &TOKEN_TRUSTS_FOREIGN_IDENTITY,
        &GRANTS_ROLE,
        &WORKLOAD_CONTROLS_POD,
        &CONTAINER_IN_POD,
        &IS_SYSTEM_MASTERS,
        &IS_CLUSTER_ADMIN,
        &IS_NAMESPACE_ADMIN,
    ],
    find,
};

fn find(world: &World, sink: &mut Sink<'_>) {
    memberships(world, sink);
    bindings(world, sink);
    containment(world, sink);
    full_power(world, sink);
    namespace_power(world, sink);
}

/// Every principal's implicit groups, as far as they are nodes.
fn memberships(world: &World, sink: &mut Sink<'_>) {
    let accounts = (0..world.accounts.len()).map(|i| Principal::Account(AccountIx::new(i)));
    let nodes = (0..world.nodes.len()).map(|i| Principal::Node(NodeIx::new(i)));
    let users = (0..world.users.len()).map(|i| Principal::User(UserIx::new(i)));
    let groups = (0..world.groups.len()).map(|i| Principal::Group(GroupIx::new(i)));
    for principal in accounts.chain(nodes).chain(users).chain(groups) {
        let object = world.principal_object(principal);
        for name in world.implicit_groups(principal) {
            let Some(group) = world.group(&name) else { continue };
            let listed = match principal {
                Principal::User(user) => world.memberships.get(&user),
                _ => None,
            };
            let place = listed.into_iter().flatten().find(|(g, _)| *g == group);
            let fact = match place {
                Some((_, place)) => {
                    let (object, _) = world.groups[group.index()];
                    let user =
                        world.text(world.objects[world.principal_object(principal).index()].name);
                    sink.fact(object, &format!(".users[{place}]"), user)
                }
                None => sink.fact(object, "", &format!("Kubernetes puts it into {name}")),
            };
            sink.edge(principal.into(), Thing::Group(group), &MEMBER_OF_GROUP, &[fact]);
        }
    }
    if let Some(masters) = world.group("system:masters") {
        let object = world.principal_object(Principal::Group(masters));
        let fact = sink.fact(object, "", "authorized before RBAC is asked");
        sink.edge(Thing::Group(masters), Thing::ClusterAdmin, &IS_SYSTEM_MASTERS, &[fact]);
    }
}

fn bindings(world: &World, sink: &mut Sink<'_>) {
    for (i, binding) in world.bindings.iter().enumerate() {
        let node = Thing::Binding(BindingIx::new(i));
        for subject in &binding.subjects {
            let attack =
                if subject.spelled_as_user { &TOKEN_TRUSTS_FOREIGN_IDENTITY } else { &BOUND_TO };
            let fact = sink.subject(binding, subject);
            sink.edge(subject.principal.into(), node, attack, &[fact]);
        }
        if let Some(role) = binding.role.filter(|r| !world.roles[r.index()].missing) {
            let fact = sink.role_ref(binding);
            sink.edge(node, Thing::Role(role), &GRANTS_ROLE, &[fact]);
        }
    }
}

fn containment(world: &World, sink: &mut Sink<'_>) {
    let mut known: FxHashMap<(u32, Sym), Vec<Fact>> = FxHashMap::default();
    let mut owned = Owned::default();
    for host in world.hosts() {
        let (object, _) = world.host_object(host);
        if let Host::Pod(pod) = host
            && let Some((workload, fact)) = owned.fact(world, sink, pod)
        {
            sink.edge(Thing::Workload(workload), Thing::Pod(pod), &WORKLOAD_CONTROLS_POD, &[fact]);
        }
        let facts = known.entry(world.host_shape(host)).or_insert_with(|| {
            let containers = world.host_spec(host).containers.iter();
            let fact = containers.map(|container| {
                let field = world.host_field(host, &container.field());
                sink.fact(object, &field, world.text(container.name))
            });
            fact.collect()
        });
        for (i, fact) in facts.iter().enumerate() {
            let to = Thing::Container(host, i);
            sink.edge(host.into(), to, &CONTAINER_IN_POD, &[Fact { object, ..*fact }]);
        }
    }
}

/// Says of pods who owns them, with one text for the replicas that follow each other.
#[derive(Debug, Default)]
pub(super) struct Owned {
    last: Option<(WorkloadIx, Fact)>,
}

impl Owned {
    /// The top owner of a pod and the fact that it is; `None` for a pod without one.
    pub(super) fn fact(
        &mut self,
        world: &World,
        sink: &mut Sink<'_>,
        pod: PodIx,
    ) -> Option<(WorkloadIx, Fact)> {
        let pod = &world.pods[pod.index()];
        let workload = pod.workload?;
        let fact = match self.last {
            Some((last, fact)) if last == workload => Fact { object: pod.object, ..fact },
            _ => {
                let row = &world.workloads[workload.index()];
                let value = format!("{} {}", world.text(row.kind), world.text(row.name));
                sink.fact(pod.object, ".metadata.ownerReferences", &value)
            }
        };
        self.last = Some((workload, fact));
        self.last
    }
}

/// A binding whose role has a rule `*` on `*` of `*` leads to full power over its scope.
fn full_power(world: &World, sink: &mut Sink<'_>) {
    const EVERYTHING: Permission = Permission::namespaced("*", "*", "*");
    for grant in world.grants(&EVERYTHING).into_iter().filter(|g| g.names == Names::All) {
        let facts = sink.grant(&grant);
        if grant.scope == Scope::Cluster {
            let from = Thing::Binding(grant.binding);
            sink.edge(from, Thing::ClusterAdmin, &IS_CLUSTER_ADMIN, &facts);
        }
    }
}

/// What power over a namespace is made of: one permission of each row.
pub(super) const NAMESPACE_POWER: &[&[Permission]] = &[
    &[Permission::namespaced("create", "", "pods")],
    &[Permission::namespaced("create", "", "pods/exec")],
    &[Permission::namespaced("list", "", "secrets"), Permission::namespaced("get", "", "secrets")],
    &[
        Permission::namespaced("impersonate", "", "serviceaccounts"),
        Permission::namespaced("create", "", "serviceaccounts/token"),
    ],
];

/// The admins of all namespaces together.
pub(super) static NAMESPACES: SetKind = SetKind { id: "namespace-admins", noun: "namespaces" };

/// Whether a grant reaches nothing but a namespace that is being deleted.
fn is_going(world: &World, scope: Scope) -> bool {
    matches!(scope, Scope::Namespace(ns) if world.closed(ns) == Some(Closed::Terminating))
}

fn namespace_power(world: &World, sink: &mut Sink<'_>) {
    let parts: Vec<Vec<Grant<'_>>> = NAMESPACE_POWER
        .iter()
        .map(|any| {
            // A quota keeps its admin from pods, who has the rest all the same.
            let mut grants: Vec<_> = any.iter().flat_map(|p| world.authorized(p)).collect();
            grants.retain(|g| g.names == Names::All && !is_going(world, g.scope));
            grants.sort_unstable_by_key(|g| (g.binding, g.rule));
            grants.dedup_by_key(|g| (g.binding, g.rule));
            grants
        })
        .collect();
    let all = Thing::Set(SetKey { kind: &NAMESPACES, ns: Sym::EMPTY, of: 0 });
    let Some((first, rest)) = parts.split_first() else { return };
    let mut last = None;
    for grant in first {
        // One edge a binding; a role may grant a part by several rules.
        if last == Some(grant.binding) {
            continue;
        }
        let others: Option<Vec<&Grant<'_>>> =
            rest.iter().map(|part| part.iter().find(|g| g.binding == grant.binding)).collect();
        let Some(others) = others else { continue };
        last = Some(grant.binding);
        let mut facts = sink.grant(grant).to_vec();
        facts.extend(others.into_iter().map(|g| sink.rule(g.rule)));
        let from = Thing::Binding(grant.binding);
        match grant.scope {
            Scope::Cluster => {
                sink.edge(from, all, &IS_NAMESPACE_ADMIN, &facts);
            }
            Scope::Namespace(ns) => {
                if let Some(namespace) = world.namespace(ns) {
                    let to = Thing::NamespaceAdmin(namespace);
                    sink.edge(from, to, &IS_NAMESPACE_ADMIN, &facts);
                }
            }
        }
    }
}

/// What an admin of a namespace takes, by any of some requests; Secrets he reads.
static ADMIN_TAKES: [(&SetKind, &[Permission]); 3] = [
    (
        &PODS,
        &[
            Permission::namespaced("create", "", "pods/exec"),
            Permission::namespaced("create", "", "pods/attach"),
            Permission::namespaced("update", "", "pods"),
            Permission::namespaced("update", "", "pods/ephemeralcontainers"),
        ],
    ),
    (&SECRETS, &[]),
    (
        &SERVICE_ACCOUNTS,
        &[
            Permission::namespaced("create", "", "serviceaccounts/token"),
            Permission::namespaced("create", "", "pods"),
            Permission::namespaced("create", "", "secrets"),
        ],
    ),
];

/// What power over a namespace amounts to, for each namespace that an edge leads to, or for all of
/// them where one leads to their set. Returns those namespaces.
pub(super) fn powers(
    world: &World,
    sink: &mut Sink<'_>,
    sets: &[SetKey],
    admins: Vec<NamespaceIx>,
) -> Vec<Sym> {
    let all = SetKey { kind: &NAMESPACES, ns: Sym::EMPTY, of: 0 };
    let mut reached = admins;
    if sets.contains(&all) {
        reached = (0..world.namespaces.len()).map(NamespaceIx::new).collect();
        for ix in &reached {
            let fact =
                sink.fact(world.namespaces[ix.index()].object, "", "a namespace of the cluster");
            let (set, admin) = (Thing::Set(all), Thing::NamespaceAdmin(*ix));
            sink.edge(set, admin, &super::sets::SET_MEMBER, &[fact]);
        }
    }
    for ix in &reached {
        let namespace = &world.namespaces[ix.index()];
        let fact = super::sets::of_admin(sink, namespace);
        for (kind, acts) in ADMIN_TAKES {
            let set = Thing::Set(SetKey { kind, ns: namespace.name, of: 0 });
            let from = Thing::NamespaceAdmin(*ix);
            let asked = sink.asks_any(acts, namespace.name).filter(|_| !acts.is_empty());
            let facts: Vec<Fact> = [fact].into_iter().chain(asked).collect();
            sink.edge_with(from, set, &IS_NAMESPACE_ADMIN, ADMIN_ACTS, &facts);
        }
        if namespace.closed.is_none() && super::pod_api::admits(namespace, Level::Privileged) {
            let set = Thing::Set(SetKey { kind: &PRIVILEGED_PODS, ns: namespace.name, of: 0 });
            let from = Thing::NamespaceAdmin(*ix);
            sink.edge_with(from, set, &IS_NAMESPACE_ADMIN, ADMIN_ACTS, &[fact]);
        }
    }
    reached.into_iter().map(|ix| world.namespaces[ix.index()].name).collect()
}
