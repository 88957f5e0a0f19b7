//! Roles that one makes or widens by `escalate` without being bound to them yet: one binds them to
//! oneself by `bind`, or a binding to the role was there before the role.

use super::bind::all_namespaces;
use super::psa_relax::every_right;
use super::rbac::{RBAC, ROLE_ESCALATE, bound, lead_by, power};
use super::together::{Held, Right, allows_everything, rights, together};
use crate::graph::{Odds, Sink};
use crate::k8s::Kind;
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{Role, RoleIx, World};
use std::collections::BTreeSet;

/// One of the three combinations of what is bound by what.
struct Case {
    roles: &'static str,
    bindings: &'static str,
    /// Whether the roles, and whether the bindings, are of the whole cluster.
    cluster: (bool, bool),
}

static CASES: &[Case] = &[
    Case { roles: "clusterroles", bindings: "clusterrolebindings", cluster: (true, true) },
    Case { roles: "clusterroles", bindings: "rolebindings", cluster: (true, false) },
    Case { roles: "roles", bindings: "rolebindings", cluster: (false, false) },
];

pub(super) fn find(world: &World, sink: &mut Sink<'_>) {
    for case in CASES {
        let walk = Walk { world, case, on: Rights::new(world, case) };
        if !walk.on.escalate.is_empty() {
            walk.bind(sink);
            walk.bound(sink);
        }
    }
}

/// The rights on the roles of a case.
struct Rights<'w> {
    /// But not those of rules that allow everything: their holders need no role.
    escalate: Vec<Right<'w>>,
    /// By POST, which bears no name.
    create: Vec<Right<'w>>,
    /// By server-side apply, which bears the name.
    apply: Vec<Right<'w>>,
    patch: Vec<Right<'w>>,
    write: Vec<Right<'w>>,
}

impl<'w> Rights<'w> {
    fn new(world: &'w World, case: &Case) -> Self {
        let on = |verb| permission(case.cluster.0, verb, case.roles);
        let mut escalate = world.grants(&on("escalate"));
        escalate.retain(|grant| !allows_everything(world, grant));
        Self {
            escalate: escalate.into_iter().map(Right::from).collect(),
            create: rights(world, &[on("create")]),
            apply: rights(world, &[on("create").with_name()]),
            patch: rights(world, &[on("patch")]),
            write: rights(world, &[on("update"), on("patch")]),
        }
    }
}

fn permission(cluster: bool, verb: &'static str, resource: &'static str) -> Permission {
    Permission { cluster, ..Permission::namespaced(verb, RBAC, resource) }
}

/// Whether some name is allowed by all rights of some places.
fn meet(held: &Held<'_>, places: &[usize]) -> bool {
    held.names(places).is_none_or(|names| !names.is_empty())
}

struct Walk<'w> {
    world: &'w World,
    case: &'static Case,
    on: Rights<'w>,
}

impl<'w> Walk<'w> {
    /// The ways to make a role of any rights, each with the number of its parts.
    fn made(&self) -> [(Vec<Vec<Right<'w>>>, usize); 2] {
        let on = &self.on;
        // At a POST the right to escalate is asked for without a name, too.
        let mut unnamed = on.escalate.clone();
        unnamed.retain(|right| right.names == Names::All);
        let applied = vec![on.escalate.clone(), on.patch.clone(), on.apply.clone()];
        [(vec![unnamed, on.create.clone()], 2), (applied, 3)]
    }

    /// The role is made or widened, then bound.
    fn bind(&self, sink: &mut Sink<'_>) {
        let (world, case) = (self.world, self.case);
        let on = |verb| permission(case.cluster.1, verb, case.bindings);
        let mut bind = rights(world, &[permission(case.cluster.1, "bind", case.roles)]);
        if case.cluster.0 {
            // Who may bind any ClusterRole binds `cluster-admin`.
            bind.retain(|right| right.names != Names::All);
        }
        let applied =
            vec![rights(world, &[on("create").with_name()]), rights(world, &[on("patch")])];
        for binding in [vec![rights(world, &[on("create")])], applied] {
            let bound = |role: Vec<Vec<Right<'w>>>| {
                let parts = role.into_iter().chain([bind.clone()]).chain(binding.clone());
                together(world, &parts.collect::<Vec<_>>())
            };
            let places = |role: usize| (role + 1..=role + binding.len()).collect::<Vec<_>>();
            for (role, named) in self.made() {
                let names: Vec<usize> = (0..=named).collect();
                for held in bound(role) {
                    if meet(&held, &names) && meet(&held, &places(named)) {
                        self.lead(sink, &held, held.scope);
                    }
                }
            }
            for held in bound(vec![self.on.escalate.clone(), self.on.write.clone()]) {
                if meet(&held, &places(2)) {
                    let names = held.names(&[0, 1, 2]);
                    for scope in self.existing(held.scope, names.as_deref()) {
                        self.lead(sink, &held, scope);
                    }
                }
            }
        }
    }

    /// Where a role of one of these names is, or of any.
    fn existing(&self, scope: Scope, names: Option<&[Sym]>) -> BTreeSet<Scope> {
        let fits = |role: &&Role| {
            !role.missing
                && role.ns.is_empty() == self.case.cluster.0
                && names.is_none_or(|names| names.contains(&role.name))
        };
        let of = |role: &Role| match scope {
            Scope::Cluster if !role.ns.is_empty() => Scope::Namespace(role.ns),
            scope => scope,
        };
        // Roles are in the order of their namespaces, ClusterRoles first.
        let all = &self.world.roles;
        let ns = match scope {
            _ if self.case.cluster.0 => Some(Sym::EMPTY),
            Scope::Cluster => None,
            Scope::Namespace(ns) => Some(ns),
        };
        let range = ns.map_or(0..all.len(), |ns| {
            all.partition_point(|r| r.ns < ns)..all.partition_point(|r| r.ns <= ns)
        });
        all[range].iter().filter(fits).map(of).collect()
    }

    fn lead(&self, sink: &mut Sink<'_>, held: &Held<'_>, scope: Scope) {
        let (world, from) = (self.world, held.from());
        let facts = held.facts(world, sink);
        if scope == Scope::Cluster && !self.case.cluster.1 {
            sink.edge(from, all_namespaces(), &ROLE_ESCALATE, &facts);
            every_right(world, sink, from, scope, &ROLE_ESCALATE, &facts);
        } else {
            lead_by(world, sink, from, scope, &ROLE_ESCALATE, &facts);
        }
    }

    /// The role is made, and bindings to it wait for that. Where the snapshot holds no role of
    /// the kind, it was not collected: then it may be there, and made or widened all the same.
    fn bound(&self, sink: &mut Sink<'_>) {
        let world = self.world;
        let missing = (0..world.roles.len()).map(RoleIx::new).filter(|r| {
            let role = &world.roles[r.index()];
            role.missing && role.ns.is_empty() == self.case.cluster.0
        });
        let waiting: Vec<_> = missing.flat_map(|role| bound(world, role)).collect();
        // The ClusterRoles are the same in both cases that have them.
        if waiting.is_empty() || self.case.cluster == (true, false) {
            return;
        }
        let kind = if self.case.cluster.0 { Kind::ClusterRole } else { Kind::Role };
        let collected = world.count(kind) > 0;
        let mut ways = Vec::from(self.made());
        if !collected {
            ways.push((vec![self.on.escalate.clone(), self.on.write.clone()], 2));
        }
        for (mut role, named) in ways {
            role.push(waiting.clone());
            let names: Vec<usize> = (0..=named).collect();
            for held in together(world, &role).iter().filter(|held| meet(held, &names)) {
                let mut facts = held.facts(world, sink);
                if collected {
                    lead_by(world, sink, held.from(), held.scope, &ROLE_ESCALATE, &facts);
                } else if let Some(to) = power(world, held.scope) {
                    let at = held.rights.last().map(|r| world.bindings[r.binding.index()].object);
                    let value = format!("no {} was collected", kind.name());
                    facts.extend(at.map(|object| sink.fact(object, ".roleRef.name", &value)));
                    let odds = Odds::unknown(0.3);
                    sink.edge_with(held.from(), to, &ROLE_ESCALATE, odds, &facts);
                }
            }
        }
    }
}
