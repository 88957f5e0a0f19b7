//! Roles that their holders may widen, and an API server that asks no roles at all.

use super::Family;
use super::psa_relax::every_right;
use super::role_making;
use super::together::{Held, Right, rights, together};
use crate::graph::{Attack, Fact, Odds, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{BindingIx, RoleIx, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Writes more rights into a role that one is bound to.
    ///
    /// ## Needs
    /// `escalate` and `update` or `patch` on one and the same role, at one caller who is bound to
    /// that role, itself or by its groups, or may bind it by `bind` and a write of bindings.
    /// `resourceNames` limit all of these to the roles that they name. With `create` the role need
    /// not be there; under names that takes a server-side apply, and so `patch`. A role bound by a
    /// ClusterRoleBinding leads to the whole cluster, one bound by a RoleBinding to that namespace.
    /// ## Abuse
    /// `kubectl patch clusterrole NAME --type=json -p '[{"op":"add","path":"/rules/-","value":
    /// {"apiGroups":["*"],"resources":["*"],"verbs":["*"]}}]'`.
    /// ## Stopped by
    /// Without `escalate` the API server refuses rules that the writer does not hold; `escalate`
    /// without a write, and a write to a role that one is not bound to, gain nothing.
    /// ## Fix
    /// Remove the verb `escalate`; let a pipeline that only a review can change write roles.
    /// ## Detect
    /// Audit events `update` and `patch` on `clusterroles` and `roles` whose new rules are wider,
    /// by anybody but the aggregation controller.
    /// ## References
    /// - kubernetes `pkg/registry/rbac/escalation_check.go`, `clusterrole/policybased`
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#escalate-verb>
    /// - executed on kube-apiserver 1.36
    pub(super) static ROLE_ESCALATE = {
        id: "role-escalate", title: "Widen one's own role", mitre: &["T1098.006"],
        odds: Odds::certain(0.96),
    }
}

crate::attack! {
    /// Makes a ClusterRole that the controller adds to a role one is bound to.
    ///
    /// ## Needs
    /// `escalate` on `clusterroles` and `create` on them, both without `resourceNames`, at one
    /// caller who is bound to a ClusterRole with an `aggregationRule`, as the built-in `admin`, `edit`
    /// and `view` have. `escalate` and `update` or `patch` on a ClusterRole that is there do too,
    /// under its name as well: a change gives it the label.
    /// ## Abuse
    /// Create a ClusterRole with `*` on everything and the label
    /// `rbac.authorization.k8s.io/aggregate-to-view: "true"`; within a second the controller
    /// copies its rules into `view`, and into `edit` and `admin`, which collect from it. For another
    /// role take the labels that its `clusterRoleSelectors` ask for.
    /// ## Stopped by
    /// `escalate` under `resourceNames` does not cover a `create`.
    /// ## Fix
    /// Remove the verb `escalate`.
    /// ## Detect
    /// Audit events `create` on `clusterroles` with a label `…/aggregate-to-…`.
    /// ## References
    /// - kubernetes `pkg/controller/clusterroleaggregation`
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles>
    pub(super) static ROLE_ESCALATE_VIA_AGGREGATION = {
        id: "role-escalate-via-aggregation", title: "Widen one's role by aggregation",
        mitre: &["T1098.006"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// The API server allows every request that is authenticated.
    ///
    /// ## Needs
    /// A kube-apiserver whose `--authorization-mode` names `AlwaysAllow`, or that is given neither
    /// this flag nor `--authorization-config`, for which `AlwaysAllow` is the default. With `ABAC`
    /// instead of RBAC a file that no snapshot holds decides, so the step is unknown.
    /// ## Abuse
    /// Any credential does: the token of any service account reads every Secret.
    /// ## Stopped by
    /// Anonymous requests are refused: the server turns them off beside `AlwaysAllow`.
    /// ## Fix
    /// Start the API server with `--authorization-mode=Node,RBAC`.
    /// ## Detect
    /// Audit events allowed without the annotation `authorization.k8s.io/reason` naming a binding.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/authorization/>
    /// - kubernetes `pkg/kubeapiserver/options/authorization.go`
    pub(super) static AUTHZ_NOT_RBAC = {
        id: "authz-not-rbac", title: "Needs no right at all", mitre: &["T1078"],
        odds: Odds::certain(1.0),
    }
}

/// Changing roles.
pub(super) static FAMILY: Family = Family {
    name: "F RBAC self-modification: roles",
    attacks: &[&ROLE_ESCALATE, &ROLE_ESCALATE_VIA_AGGREGATION, &AUTHZ_NOT_RBAC],
    find,
};

/// The API group of roles and bindings.
pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

fn find(world: &World, sink: &mut Sink<'_>) {
    cluster_roles(world, sink);
    roles(world, sink);
    aggregation(world, sink);
    role_making::find(world, sink);
    authorization_mode(world, sink);
}

/// The node that power over a scope is.
pub(super) fn power(world: &World, scope: Scope) -> Option<Thing<'static>> {
    match scope {
        Scope::Cluster => Some(Thing::ClusterAdmin),
        Scope::Namespace(ns) => world.namespace(ns).map(Thing::NamespaceAdmin),
    }
}

/// Being bound to a role, as a right: where the binding applies, under the role's name.
pub(super) fn bound(world: &World, role: RoleIx) -> impl Iterator<Item = Right<'_>> {
    let name = std::slice::from_ref(&world.roles[role.index()].name);
    world.index.bindings_to(role).iter().map(move |binding| {
        let ns = world.bindings[binding.index()].ns;
        let scope = if ns.is_empty() { Scope::Cluster } else { Scope::Namespace(ns) };
        Right { binding: *binding, scope, rule: None, names: Names::Only(name), permission: None }
    })
}

fn lead(world: &World, sink: &mut Sink<'_>, held: &Held<'_>, scope: Scope) {
    let facts = held.facts(world, sink);
    lead_by(world, sink, held.from(), scope, &ROLE_ESCALATE, &facts);
}

/// To the power over a scope. The role may be given every right, more than admins of a namespace
/// have as a rule.
pub(super) fn lead_by(
    world: &World,
    sink: &mut Sink<'_>,
    from: Thing<'_>,
    scope: Scope,
    attack: &'static Attack,
    facts: &[Fact],
) {
    if let Some(to) = power(world, scope) {
        sink.edge(from, to, attack, facts);
    }
    if scope != Scope::Cluster {
        every_right(world, sink, from, scope, attack, facts);
    }
}

fn cluster_roles(world: &World, sink: &mut Sink<'_>) {
    let on = |verb| Permission::cluster(verb, RBAC, "clusterroles");
    let escalate = rights(world, &[on("escalate")]);
    let write = rights(world, &[on("update"), on("patch")]);
    let mut limited = BTreeSet::new();
    for held in together(world, &[escalate.clone(), write.clone()]) {
        match held.names(&[0, 1]) {
            // Any role: the one of the binding that gives the right, too.
            None => lead(world, sink, &held, Scope::Cluster),
            Some(names) => limited.extend(names),
        }
    }
    let roles = limited.into_iter().filter_map(|name| world.role(Sym::EMPTY, name));
    let bound: Vec<_> =
        roles.filter(|r| !is_missing(world, *r)).flat_map(|r| bound(world, r)).collect();
    for held in together(world, &[escalate, write, bound]) {
        if held.names(&[0, 1]).is_some() && held.names(&[0, 1, 2]).is_some_and(|n| !n.is_empty()) {
            lead(world, sink, &held, held.scope);
        }
    }
}

fn is_missing(world: &World, role: RoleIx) -> bool {
    world.roles[role.index()].missing
}

fn roles(world: &World, sink: &mut Sink<'_>) {
    let on = |verb| Permission::namespaced(verb, RBAC, "roles");
    let escalate = rights(world, &[on("escalate")]);
    if escalate.is_empty() {
        return;
    }
    let write = rights(world, &[on("update"), on("patch")]);
    let bound: Vec<_> = (0..world.roles.len())
        .map(RoleIx::new)
        .filter(|r| !world.roles[r.index()].ns.is_empty() && !is_missing(world, *r))
        .flat_map(|r| bound(world, r))
        .collect();
    let mut all = together(world, &[escalate, write, bound]);
    all.retain(|held| held.names(&[0, 1, 2]).is_some_and(|names| !names.is_empty()));
    // Where a binding gives everything to all its subjects, nothing is to be said of each.
    let whole = |held: &Held<'_>| match held.from() {
        Thing::Binding(binding) => Some((binding, held.scope)),
        _ => None,
    };
    let by_binding: BTreeSet<(BindingIx, Scope)> = all.iter().filter_map(whole).collect();
    for held in &all {
        let first = held.rights.first().map(|r| (r.binding, held.scope));
        if whole(held).is_some() || first.is_none_or(|f| !by_binding.contains(&f)) {
            lead(world, sink, held, held.scope);
        }
    }
}

fn aggregation(world: &World, sink: &mut Sink<'_>) {
    let on = |verb| Permission::cluster(verb, RBAC, "clusterroles");
    let escalate = rights(world, &[on("escalate")]);
    if escalate.is_empty() {
        return;
    }
    let roles = (0..world.roles.len()).map(RoleIx::new);
    let collecting = roles.filter(|r| world.roles[r.index()].collects);
    let bound: Vec<_> = collecting.flat_map(|r| bound(world, r)).collect();
    let any = escalate.iter().filter(|r| r.names == Names::All).copied().collect();
    let mut all = together(world, &[any, rights(world, &[on("create")]), bound.clone()]);
    // Who may change any role needs no other to collect it.
    let is_there =
        |name: &Sym| world.role(Sym::EMPTY, *name).is_some_and(|role| !is_missing(world, role));
    let named = together(world, &[escalate, rights(world, &[on("update"), on("patch")]), bound]);
    all.extend(
        named.into_iter().filter(|h| h.names(&[0, 1]).is_some_and(|n| n.iter().any(is_there))),
    );
    for held in all {
        let facts = held.facts(world, sink);
        let attack = &ROLE_ESCALATE_VIA_AGGREGATION;
        lead_by(world, sink, held.from(), held.scope, attack, &facts);
    }
}

fn authorization_mode(world: &World, sink: &mut Sink<'_>) {
    let Some(everybody) = world.group("system:authenticated") else { return };
    for (object, container) in world.api_servers() {
        let Some((odds, value)) = allows_all(world, container) else { continue };
        let fact = sink.fact(object, &format!("{}.command", container.field()), &value);
        let from = Thing::Group(everybody);
        sink.edge_with(from, Thing::ClusterAdmin, &AUTHZ_NOT_RBAC, odds, &[fact]);
    }
}

/// Whether an API server's flags let everybody do everything, and what they say.
fn allows_all(world: &World, container: &crate::world::pods::Container) -> Option<(Odds, String)> {
    let Some(modes) = world.flags(container, "--authorization-mode").last() else {
        let configured = world.flags(container, "--authorization-config").next().is_some();
        let text = "neither --authorization-mode nor --authorization-config".to_owned();
        return (!configured).then_some((AUTHZ_NOT_RBAC.odds, text));
    };
    let has = |mode: &str| modes.split(',').any(|m| m.trim() == mode);
    let text = format!("--authorization-mode={modes}");
    if has("AlwaysAllow") {
        return Some((AUTHZ_NOT_RBAC.odds, text));
    }
    // A policy file decides; nodes alone, or nobody, would be let in without it.
    (has("ABAC") && !has("RBAC") && !has("Webhook")).then_some((Odds::unknown(0.3), text))
}
