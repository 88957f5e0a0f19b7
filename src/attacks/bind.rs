//! Bindings: giving oneself a role by `bind`.
//!
//! A new binding needs `create`, or `create` and `patch` of one name by server-side apply. An
//! existing one takes new subjects by `update` or `patch`, but its `roleRef` is immutable.

use super::Family;
use super::psa_relax::every_right;
use super::rbac::{RBAC, power};
use super::sets::SET_MEMBER;
use super::structure::{NAMESPACE_POWER, NAMESPACES};
use super::together::{Held, rights, together};
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::rbac::matches_resource;
use crate::world::{BindingIx, RoleIx, RuleRef, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Binds a ClusterRole to oneself over the whole cluster.
    ///
    /// ## Needs
    /// `bind` on `clusterroles` by a ClusterRoleBinding, and `create` on `clusterrolebindings` (or
    /// `update` or `patch` of an existing one, which then gives the role it refers to), at one
    /// caller. `resourceNames` of `bind` are the roles that can be bound; under `resourceNames` of
    /// bindings a new one needs `create` and `patch` of the same name by server-side apply.
    /// ## Abuse
    /// `kubectl create clusterrolebinding mine --clusterrole=cluster-admin --user=ME`.
    /// ## Stopped by
    /// Either right alone gains nothing: without `bind` the API server refuses to grant what the
    /// caller does not hold. `bind` on the resources of bindings is no right.
    /// ## Fix
    /// List the harmless roles in the `resourceNames` of `bind`, or drop one of the two rights.
    /// ## Detect
    /// Audit events `create`, `update` and `patch` on `clusterrolebindings`.
    /// ## References
    /// - kubernetes `pkg/registry/rbac/escalation_check.go`, `BindingAuthorized`
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#bind-verb>
    /// - executed on kube-apiserver 1.36
    pub(super) static ROLE_BIND_CLUSTER = {
        id: "role-bind-cluster", title: "Bind a role over the cluster", mitre: &["T1098.006"],
        odds: Odds::certain(0.97),
    }
}

crate::attack! {
    /// Binds a role to oneself in a namespace.
    ///
    /// ## Needs
    /// `bind` on `clusterroles` or on `roles`, and writing `rolebindings`, at one caller, both
    /// covering the namespace; here RoleBindings count. `bind` on `clusterroles` makes the caller
    /// an admin of the namespace, since a RoleBinding may refer to `cluster-admin`; `bind` on
    /// `roles` gives no more than the Roles that the namespace has.
    /// ## Abuse
    /// `kubectl create rolebinding mine -n NAMESPACE --clusterrole=cluster-admin --user=ME`.
    /// ## Stopped by
    /// Either right alone gains nothing; the power ends at the namespace.
    /// ## Fix
    /// List the harmless roles in the `resourceNames` of `bind`, or drop one of the two rights.
    /// ## Detect
    /// Audit events `create`, `update` and `patch` on `rolebindings`.
    /// ## References
    /// - kubernetes `pkg/registry/rbac/escalation_check.go`, `BindingAuthorized`
    /// - executed on kube-apiserver 1.36: `bind` on `roles` does not cover a ClusterRole
    pub(super) static ROLE_BIND_NAMESPACE = {
        id: "role-bind-namespace", title: "Bind a role in the namespace",
        mitre: &["T1098.006"], odds: Odds::certain(0.97),
    }
}

/// Changing bindings.
pub(super) static FAMILY: Family = Family {
    name: "F RBAC self-modification: bindings",
    attacks: &[&ROLE_BIND_CLUSTER, &ROLE_BIND_NAMESPACE],
    find,
};

/// ClusterRoleBindings, which may be given new subjects.
static CLUSTER_BINDINGS: SetKind =
    SetKind { id: "cluster-role-bindings", noun: "cluster role bindings" };
/// RoleBindings to ClusterRoles.
static BINDINGS_TO_CLUSTER_ROLES: SetKind =
    SetKind { id: "role-bindings-to-cluster-roles", noun: "role bindings to cluster roles" };
/// RoleBindings to Roles.
static BINDINGS_TO_ROLES: SetKind =
    SetKind { id: "role-bindings-to-roles", noun: "role bindings to roles" };
/// Roles of namespaces.
static ROLES: SetKind = SetKind { id: "roles", noun: "roles" };

/// One of the three combinations of what is bound by what.
struct Case {
    attack: &'static Attack,
    /// What `bind` is held on.
    roles: &'static str,
    bindings: &'static str,
    cluster: bool,
    /// The existing bindings of this combination.
    existing: &'static SetKind,
}

static CASES: &[Case] = &[
    Case {
        attack: &ROLE_BIND_CLUSTER,
        roles: "clusterroles",
        bindings: "clusterrolebindings",
        cluster: true,
        existing: &CLUSTER_BINDINGS,
    },
    Case {
        attack: &ROLE_BIND_NAMESPACE,
        roles: "clusterroles",
        bindings: "rolebindings",
        cluster: false,
        existing: &BINDINGS_TO_CLUSTER_ROLES,
    },
    Case {
        attack: &ROLE_BIND_NAMESPACE,
        roles: "roles",
        bindings: "rolebindings",
        cluster: false,
        existing: &BINDINGS_TO_ROLES,
    },
];

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut sets = BTreeSet::new();
    for case in CASES {
        let walk = Walk { world, case };
        walk.find(sink, &mut sets);
    }
    members(world, sink, &sets);
}

struct Walk<'w> {
    world: &'w World,
    case: &'static Case,
}

impl Walk<'_> {
    fn permission(&self, verb: &'static str, resource: &'static str) -> Permission {
        let permission = Permission::namespaced(verb, RBAC, resource);
        Permission { cluster: self.case.cluster, ..permission }
    }

    fn find(&self, sink: &mut Sink<'_>, sets: &mut BTreeSet<SetKey>) {
        let (world, on) = (self.world, self.case.bindings);
        let bind = rights(world, &[self.permission("bind", self.case.roles)]);
        if bind.is_empty() {
            return;
        }
        let create = rights(world, &[self.permission("create", on)]);
        let mut created = rights(world, &[self.permission("create", on).with_name()]);
        created.retain(|r| r.names != Names::All);
        let patch = rights(world, &[self.permission("patch", on)]);
        let write = rights(world, &[self.permission("update", on), self.permission("patch", on)]);

        let mut free: Vec<Thing<'_>> = Vec::new();
        let mut fresh = together(world, &[bind.clone(), create]);
        let applied = together(world, &[bind.clone(), created, patch]).into_iter();
        fresh.extend(applied.filter(|h| h.names(&[1, 2]).is_none_or(|n| !n.is_empty())));
        for held in &fresh {
            self.fresh(sink, held, sets);
            if held.names(&[0]).is_none() {
                free.push(held.from());
            }
        }
        free.sort_unstable();
        for held in together(world, &[bind, write]) {
            // Who may make any binding needs none that is there.
            if free.binary_search(&held.from()).is_err() {
                self.existing(sink, &held, sets);
            }
        }
    }

    /// The set of a kind over a scope, noted for its members.
    fn set(kind: &'static SetKind, scope: Scope, sets: &mut BTreeSet<SetKey>) -> Thing<'static> {
        let ns = match scope {
            Scope::Cluster => Sym::EMPTY,
            Scope::Namespace(ns) => ns,
        };
        let key = SetKey { kind, ns, of: 0 };
        sets.insert(key);
        Thing::Set(key)
    }

    /// Where the whole power over a scope lies: of bindings in namespaces, with their admins.
    fn admin(&self, scope: Scope) -> Option<Thing<'static>> {
        match scope {
            Scope::Cluster if !self.case.cluster => Some(all_namespaces()),
            scope => power(self.world, scope),
        }
    }

    /// A binding is made anew, to any role that may be bound.
    fn fresh(&self, sink: &mut Sink<'_>, held: &Held<'_>, sets: &mut BTreeSet<SetKey>) {
        let (from, attack) = (held.from(), self.case.attack);
        let facts = held.facts(self.world, sink);
        let any_cluster_role = self.case.roles == "clusterroles";
        let Some(names) = held.names(&[0]) else {
            let to = if any_cluster_role {
                self.admin(held.scope)
            } else {
                Some(Self::set(&ROLES, held.scope, sets))
            };
            if let Some(to) = to {
                sink.edge(from, to, attack, &facts);
            }
            // `cluster-admin` is one of them.
            if any_cluster_role && !self.case.cluster {
                every_right(self.world, sink, from, held.scope, attack, &facts);
            }
            return;
        };
        for role in self.roles(held.scope, &names) {
            let mut facts = facts.clone();
            let reasons = strength(self.world, role);
            if let Some((full, rules)) = &reasons {
                facts.extend(rules.iter().map(|r| sink.rule(*r)));
                let to = if *full || !self.case.cluster {
                    self.admin(self.scope_of(role, held.scope))
                } else {
                    Some(all_namespaces())
                };
                if let Some(to) = to {
                    sink.edge(from, to, attack, &facts);
                }
                if *full && !self.case.cluster {
                    let scope = self.scope_of(role, held.scope);
                    every_right(self.world, sink, from, scope, attack, &facts);
                }
            }
            self.role(sink, from, role, held.scope, &facts);
        }
    }

    /// The scope that a binding to a role has: a Role stays in its namespace.
    fn scope_of(&self, role: RoleIx, scope: Scope) -> Scope {
        let ns = self.world.roles[role.index()].ns;
        if ns.is_empty() { scope } else { Scope::Namespace(ns) }
    }

    /// The roles of these names that exist and can be bound in a scope.
    fn roles(&self, scope: Scope, names: &[Sym]) -> Vec<RoleIx> {
        let world = self.world;
        let mut found: Vec<RoleIx> = match (self.case.roles, scope) {
            ("clusterroles", _) => {
                names.iter().filter_map(|n| world.role(Sym::EMPTY, *n)).collect()
            }
            (_, Scope::Namespace(ns)) => names.iter().filter_map(|n| world.role(ns, *n)).collect(),
            (_, Scope::Cluster) => (0..world.roles.len())
                .map(RoleIx::new)
                .filter(|r| {
                    let role = &world.roles[r.index()];
                    !role.ns.is_empty() && names.contains(&role.name)
                })
                .collect(),
        };
        found.retain(|r| !world.roles[r.index()].missing);
        found
    }

    /// Edges to a role that can be bound, and to a binding that already gives it: what that one
    /// grants, a new one would.
    fn role(
        &self,
        sink: &mut Sink<'_>,
        from: Thing<'_>,
        role: RoleIx,
        scope: Scope,
        facts: &[Fact],
    ) {
        let world = self.world;
        sink.edge(from, Thing::Role(role), self.case.attack, facts);
        let mut alike = world.index.bindings_to(role).iter().filter(|b| {
            let ns = world.bindings[b.index()].ns;
            self.case.cluster == ns.is_empty() && scope.covers(ns)
        });
        let one = alike.next().filter(|_| scope != Scope::Cluster || self.case.cluster);
        if let Some(binding) = one {
            sink.edge(from, Thing::Binding(*binding), self.case.attack, facts);
        }
    }

    /// An existing binding is given one more subject.
    fn existing(&self, sink: &mut Sink<'_>, held: &Held<'_>, sets: &mut BTreeSet<SetKey>) {
        let world = self.world;
        let facts = held.facts(world, sink);
        let (roles, bindings) = (held.names(&[0]), held.names(&[1]));
        let (from, attack) = (held.from(), self.case.attack);
        let found: Vec<BindingIx> = match (&roles, &bindings) {
            (None, None) => {
                let set = Self::set(self.case.existing, held.scope, sets);
                sink.edge(from, set, attack, &facts);
                return;
            }
            (Some(names), _) => self
                .roles(held.scope, names)
                .into_iter()
                .flat_map(|r| world.index.bindings_to(r).iter().copied())
                .collect(),
            (None, Some(names)) => named_bindings(world, held.scope, names),
        };
        for ix in found {
            let binding = &world.bindings[ix.index()];
            let named = bindings.as_ref().is_none_or(|names| names.contains(&binding.name));
            if named && self.fits(ix) && held.scope.covers(binding.ns) {
                let mut facts = facts.clone();
                facts.push(sink.role_ref(binding));
                sink.edge(from, Thing::Binding(ix), attack, &facts);
                if let Some(role) = binding.role {
                    sink.edge(from, Thing::Role(role), attack, &facts);
                }
            }
        }
    }

    /// Whether a binding is one of this combination, and its role exists.
    fn fits(&self, ix: BindingIx) -> bool {
        kind_of(self.world, ix).is_some_and(|kind| kind == self.case.existing)
    }
}

/// The admins of every namespace.
pub(super) fn all_namespaces() -> Thing<'static> {
    Thing::Set(SetKey { kind: &NAMESPACES, ns: Sym::EMPTY, of: 0 })
}

/// The bindings of these names in a scope.
fn named_bindings(world: &World, scope: Scope, names: &[Sym]) -> Vec<BindingIx> {
    let in_ns = |ns: Sym| {
        let found = names.iter().filter_map(move |name| {
            world.bindings.binary_search_by_key(&(ns, *name), |b| (b.ns, b.name)).ok()
        });
        found.map(BindingIx::new)
    };
    match scope {
        Scope::Namespace(ns) => in_ns(ns).collect(),
        Scope::Cluster => std::iter::once(Sym::EMPTY)
            .chain(world.namespaces.iter().map(|n| n.name))
            .flat_map(in_ns)
            .collect(),
    }
}

/// The set that an existing binding belongs to; none where its role is missing.
fn kind_of(world: &World, ix: BindingIx) -> Option<&'static SetKind> {
    let binding = &world.bindings[ix.index()];
    let role = binding.role.map(|r| &world.roles[r.index()]).filter(|r| !r.missing)?;
    Some(match (binding.ns.is_empty(), role.ns.is_empty()) {
        (true, _) => &CLUSTER_BINDINGS,
        (false, true) => &BINDINGS_TO_CLUSTER_ROLES,
        (false, false) => &BINDINGS_TO_ROLES,
    })
}

/// Whether a role, bound over a scope, is full power over it, or power over its namespaces; with
/// the rules that make it so.
fn strength(world: &World, role: RoleIx) -> Option<(bool, Vec<RuleRef>)> {
    let rules = &world.roles[role.index()].rules;
    let any = |list: &[Sym], wanted: &str| {
        list.iter().any(|s| world.text(*s) == "*" || world.text(*s) == wanted)
    };
    let by = |p: &Permission| {
        let rule = rules.iter().find(|r| {
            let Some(rule) = world.rules.get(r.rule as usize) else { return false };
            rule.names.is_empty()
                && any(&rule.verbs, p.verb)
                && any(&rule.groups, p.group)
                && rule
                    .resources
                    .iter()
                    .any(|r| matches_resource(world.text(*r), p.resource, p.subresource))
        });
        rule.copied()
    };
    if let Some(rule) = by(&Permission::namespaced("*", "*", "*")) {
        return Some((true, vec![rule]));
    }
    let parts = NAMESPACE_POWER.iter().map(|row| row.iter().find_map(&by));
    let mut rules: Vec<RuleRef> = parts.collect::<Option<_>>()?;
    rules.dedup();
    Some((false, rules))
}

/// Puts the members of the sets in that edges lead to: a set of the cluster leads to those of the
/// namespaces that have any.
fn members(world: &World, sink: &mut Sink<'_>, sets: &BTreeSet<SetKey>) {
    let mut parts: BTreeMap<(&'static SetKind, Sym), Vec<(Thing<'static>, Fact)>> = BTreeMap::new();
    let wanted = |kind: &'static SetKind, ns: Sym| {
        let key = |ns| SetKey { kind, ns, of: 0 };
        sets.contains(&key(ns)) || sets.contains(&key(Sym::EMPTY))
    };
    for i in 0..world.bindings.len() {
        let (ix, binding) = (BindingIx::new(i), &world.bindings[i]);
        let Some(kind) = kind_of(world, ix).filter(|k| wanted(k, binding.ns)) else { continue };
        let fact = sink.role_ref(binding);
        parts.entry((kind, binding.ns)).or_default().push((Thing::Binding(ix), fact));
    }
    for (i, role) in world.roles.iter().enumerate() {
        if role.ns.is_empty() || role.missing || !wanted(&ROLES, role.ns) {
            continue;
        }
        let ix = RoleIx::new(i);
        let list = parts.entry((&ROLES, role.ns)).or_default();
        let fact = sink.fact(role.object, ".metadata.namespace", world.text(role.ns));
        list.push((Thing::Role(ix), fact));
        if let Some(binding) = world.index.bindings_to(ix).first() {
            list.push((Thing::Binding(*binding), fact));
        }
        if let (Some((_, rules)), Some(ns)) = (strength(world, ix), world.namespace(role.ns))
            && let Some(rule) = rules.first()
        {
            list.push((Thing::NamespaceAdmin(ns), sink.rule(*rule)));
        }
    }
    for ((kind, ns), list) in parts {
        let set = Thing::Set(SetKey { kind, ns, of: 0 });
        let whole = SetKey { kind, ns: Sym::EMPTY, of: 0 };
        if !ns.is_empty()
            && sets.contains(&whole)
            && let Some(namespace) = world.namespace(ns)
        {
            let object = world.namespaces[namespace.index()].object;
            let fact = sink.fact(object, "", "a namespace of the cluster");
            sink.edge(Thing::Set(whole), set, &SET_MEMBER, &[fact]);
        }
        for (member, fact) in list {
            sink.edge(set, member, &SET_MEMBER, &[fact]);
        }
    }
}
