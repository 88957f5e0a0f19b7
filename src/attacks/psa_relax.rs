//! Lifting the Pod Security level of a namespace, and making privileged pods in it.
//!
//! A level binds whoever creates pods, but it is a label of the Namespace. One right changes the
//! label, another makes pods; two requests, so different conquered identities may hold them. Each
//! namespace that enforces a level has a gate, which opens when both rights in it are held.

use super::Family;
use super::custom_resources;
use super::impersonation::cluster;
use super::openshift;
use super::pod_api::{enforced, labelled, set_of};
use super::sets::{SET_MEMBER, node_keys, node_sets};
use super::together::allows_everything;
use super::workload_patch::{Template, patchers};
use super::workloads::creators;
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{Namespace, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Lifts the Pod Security level of a namespace and runs a privileged pod in it, on any node.
    ///
    /// ## Needs
    /// Two rights, which may be held by different conquered identities: `patch` or `update` on
    /// `namespaces` (also on `namespaces/status`, or `update` on `namespaces/finalize`), and making
    /// pods in that namespace as in `pod-create-privileged` or `workload-patch`. A request for the
    /// Namespace `shop` counts as one inside `shop`, so a RoleBinding there grants it; a
    /// ClusterRoleBinding grants it for all. Namespaces at the level `privileged`, or without one,
    /// need no lifting.
    /// ## Abuse
    /// `kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged
    /// --overwrite`, then create a pod with `privileged: true`, `hostPID: true` and the volume
    /// `hostPath: /`, with `nodeName` set to the node of one's choice.
    /// ## Stopped by
    /// `resourceNames` without the namespace's name. An admission policy that pins the label. In
    /// OpenShift constraints, which the label does not lift.
    /// Subresources' rights do not include the Namespace, nor the other way round.
    /// ## Fix
    /// Remove `patch` and `update` on `namespaces` from roles that are bound inside a namespace:
    /// `admin` and `edit` do without them, a RoleBinding to `cluster-admin` does not. Pin the label
    /// with a ValidatingAdmissionPolicy.
    /// ## Detect
    /// Audit events with verb `patch` or `update` on `namespaces` whose request changes a label
    /// `pod-security.kubernetes.io/*`.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#namespace-modification>
    /// - kubernetes apiserver `pkg/endpoints/request/requestinfo.go`: a Namespace is in itself;
    ///   `pkg/registry/core/namespace/strategy.go`: writes of the status keep the labels they bring
    /// - executed on kube-apiserver 1.36: the privileged pod is refused before and created after
    pub(super) static NAMESPACE_PSA_RELAX = {
        id: "namespace-psa-relax", title: "Lift Pod Security and run a privileged pod",
        mitre: &["T1562.001", "T1610", "T1611"], odds: Odds::certain(0.9),
    }
}

/// Pod Security levels.
pub(super) static FAMILY: Family =
    Family { name: "G Admission & API machinery", attacks: &[&NAMESPACE_PSA_RELAX], find };

static RELAX: SetKind = SetKind { id: "psa-relax", noun: "rights to lift Pod Security" };
static MAKE: SetKind = SetKind { id: "pod-making", noun: "rights to make pods" };
/// Opens when a namespace's level can be lifted and pods be made there.
static LIFTED: SetKind = SetKind { id: "pod-security-lifted", noun: "privileged pods let in" };

/// Every right in a namespace, that of changing its label among them: more than its admin has.
static FULL: SetKind = SetKind { id: "namespace-full-power", noun: "all rights" };

/// What changes the label of a Namespace. That the status and the finalizers are written with the
/// labels they come with was not executed, hence `likely`.
const RELAXING: &[(Permission, Odds)] = &[
    (Permission::namespaced("patch", "", "namespaces"), Odds::certain(1.0)),
    (Permission::namespaced("update", "", "namespaces"), Odds::certain(1.0)),
    (Permission::namespaced("patch", "", "namespaces/status"), Odds::likely(0.9)),
    (Permission::namespaced("update", "", "namespaces/status"), Odds::likely(0.9)),
    (Permission::namespaced("update", "", "namespaces/finalize"), Odds::likely(0.9)),
];

/// Whether a namespace's label alone keeps privileged pods out: lifting it does not lift OpenShift's
/// constraints.
fn is_strict(namespace: &Namespace) -> bool {
    let level = Level::Privileged;
    !labelled(namespace, level) && namespace.usable.is_none_or(|u| level <= u.power.level())
}

/// A right to lift levels: everywhere, or in these namespaces.
pub(super) struct Relaxer<'w> {
    pub(super) grant: Grant<'w>,
    pub(super) odds: Odds,
    pub(super) only: Option<Vec<Sym>>,
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let strict: Vec<&Namespace> = world.namespaces.iter().filter(|n| is_strict(n)).collect();
    if strict.is_empty() {
        return;
    }
    let relaxers = relaxers(world, &strict);
    let everywhere = relaxers.iter().any(|r| r.only.is_none());
    let named: BTreeSet<Sym> =
        relaxers.iter().filter_map(|r| r.only.as_ref()).flatten().copied().collect();
    let mut gates = strict;
    gates.retain(|n| everywhere || named.contains(&n.name));
    if gates.is_empty() {
        return;
    }
    let made = make(world, sink, &gates);
    gates.retain(|n| made.contains(&n.name));
    relax(world, sink, &relaxers, &gates);
    open(world, sink, &gates);
}

/// Everyone who may change labels of one of some namespaces, which are in order.
pub(super) fn relaxers<'w>(world: &'w World, strict: &[&Namespace]) -> Vec<Relaxer<'w>> {
    let mut found: Vec<Relaxer<'w>> = Vec::new();
    let mut seen = BTreeSet::new();
    for (permission, odds) in RELAXING {
        for grant in world.grants(permission) {
            // Who may do everything in the whole cluster lifts nothing; in one namespace he does.
            let admin = grant.scope == Scope::Cluster && allows_everything(world, &grant);
            // The surest permission comes first.
            if admin || !seen.insert((grant.binding, grant.rule)) {
                continue;
            }
            let only = match (grant.scope, grant.names) {
                (Scope::Cluster, Names::All) => None,
                (Scope::Cluster, Names::Only(names)) => Some(names.to_vec()),
                (Scope::Namespace(ns), names) if names.covers(ns) => Some(vec![ns]),
                (Scope::Namespace(_), _) => continue,
            };
            let only = only.map(|mut list| {
                list.retain(|ns| find_in(strict, *ns).is_some());
                list
            });
            found.push(Relaxer { grant, odds: *odds, only });
        }
    }
    found
}

/// The namespace of a name; the namespaces are in order.
fn find_in<'n>(namespaces: &[&'n Namespace], ns: Sym) -> Option<&'n Namespace> {
    namespaces.binary_search_by_key(&ns, |n| n.name).ok().map(|i| namespaces[i])
}

fn part(kind: &'static SetKind, ns: Sym) -> Thing<'static> {
    set_of(kind, Scope::Namespace(ns))
}

/// Leads everyone who makes pods to the sets of these namespaces; returns where anyone does.
fn make(world: &World, sink: &mut Sink<'_>, gates: &[&Namespace]) -> BTreeSet<Sym> {
    let sure = Odds::certain(1.0);
    let (narrow, wide) = patchers(world, sink);
    let mut makers: Vec<_> = creators(world, sink).into_iter().map(|m| (m, sure)).collect();
    makers.extend(narrow.into_iter().map(|m| (m, sure)));
    makers.extend(custom_resources::makers(world, sink));
    let mut made = BTreeSet::new();
    let mut all = false;
    for (maker, odds) in makers {
        match maker.scope {
            Scope::Cluster => all = true,
            Scope::Namespace(ns) if find_in(gates, ns).is_some() => {
                made.insert(ns);
            }
            Scope::Namespace(_) => continue,
        }
        let to = set_of(&MAKE, maker.scope);
        sink.edge_with(maker.from, to, &NAMESPACE_PSA_RELAX, odds, &maker.facts);
    }
    for namespace in gates.iter().filter(|_| all) {
        made.insert(namespace.name);
        let (level, _) = enforced(world, sink, namespace);
        sink.edge(cluster(&MAKE), part(&MAKE, namespace.name), &SET_MEMBER, &[level]);
    }
    let mut used: Vec<(&'static Template, bool)> = Vec::new();
    for (template, maker) in wide {
        let known = used.iter().find(|(t, _)| std::ptr::eq(*t, template)).map(|(_, some)| *some);
        let some = known.unwrap_or_else(|| {
            let standing = template.namespaces(world);
            let mut some = false;
            for namespace in standing.iter().filter_map(|ns| find_in(gates, *ns)) {
                some = true;
                made.insert(namespace.name);
                let fact = template.stands(sink, namespace);
                let (from, to) = (cluster(&template.makers), part(&MAKE, namespace.name));
                sink.edge(from, to, &SET_MEMBER, &[fact]);
            }
            used.push((template, some));
            some
        });
        if some {
            let to = cluster(&template.makers);
            sink.edge_with(maker.from, to, &NAMESPACE_PSA_RELAX, sure, &maker.facts);
        }
    }
    made
}

/// Leads everyone who lifts levels to the sets of these namespaces.
fn relax(world: &World, sink: &mut Sink<'_>, relaxers: &[Relaxer<'_>], gates: &[&Namespace]) {
    if gates.is_empty() {
        return;
    }
    for Relaxer { grant, odds, only } in relaxers {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(grant);
        let Some(only) = only else {
            sink.edge_with(from, cluster(&RELAX), &NAMESPACE_PSA_RELAX, *odds, &facts);
            continue;
        };
        for namespace in only.iter().filter_map(|ns| find_in(gates, *ns)) {
            let to = part(&RELAX, namespace.name);
            sink.edge_with(from, to, &NAMESPACE_PSA_RELAX, *odds, &facts);
        }
    }
    for namespace in gates.iter().filter(|_| relaxers.iter().any(|r| r.only.is_none())) {
        let (level, _) = enforced(world, sink, namespace);
        sink.edge(cluster(&RELAX), part(&RELAX, namespace.name), &SET_MEMBER, &[level]);
    }
}

/// The gate of each namespace, and the nodes behind it.
fn open(world: &World, sink: &mut Sink<'_>, gates: &[&Namespace]) {
    for namespace in gates {
        let (level, _) = enforced(world, sink, namespace);
        let gate = Thing::Gate(SetKey { kind: &LIFTED, ns: namespace.name, of: 0 });
        for kind in [&RELAX, &MAKE] {
            let input = part(kind, namespace.name);
            sink.edge_with(input, gate, &NAMESPACE_PSA_RELAX, Odds::certain(1.0), &[level]);
        }
        nodes(world, sink, gate, namespace);
    }
}

fn nodes(world: &World, sink: &mut Sink<'_>, from: Thing<'_>, namespace: &Namespace) {
    let (facts, held) = openshift::admission(world, sink, namespace);
    let odds = NAMESPACE_PSA_RELAX.odds.but(held.likelihood, held.confidence);
    for nodes in node_sets(world) {
        sink.edge_with(from, cluster(nodes), &NAMESPACE_PSA_RELAX, odds, &facts);
    }
}

/// Says that whoever holds `from` can take every right in a scope, by an attack on roles or
/// bindings: he lifts the level, where there is one, and needs nobody for it.
pub(super) fn every_right(
    world: &World,
    sink: &mut Sink<'_>,
    from: Thing<'_>,
    scope: Scope,
    attack: &'static Attack,
    facts: &[Fact],
) {
    if world.reached(scope).iter().any(is_strict) {
        sink.edge(from, set_of(&FULL, scope), attack, facts);
    }
}

/// Leads the sets of full power to the nodes, and adds the sets of nodes to the keys that need
/// members.
pub(super) fn members(world: &World, sink: &mut Sink<'_>, keys: &mut Vec<SetKey>) {
    let named: BTreeSet<Sym> = keys.iter().filter(|k| k.kind == &FULL).map(|k| k.ns).collect();
    if named.is_empty() {
        return;
    }
    let whole = named.contains(&Sym::EMPTY);
    for namespace in world.namespaces.iter().filter(|n| is_strict(n)) {
        let from = part(&FULL, namespace.name);
        if whole {
            let (level, _) = enforced(world, sink, namespace);
            sink.edge(cluster(&FULL), from, &SET_MEMBER, &[level]);
        }
        if whole || named.contains(&namespace.name) {
            nodes(world, sink, from, namespace);
        }
    }
    keys.extend(node_keys(world));
}
