//! Who holds a permission: directly, with the binding and the rule, or by attack paths.

use super::super::filter::Filter;
use super::super::near::spell;
use super::super::search::{Direction, Next, Search, cost_in};
use super::resource::Asked;
use crate::graph::{Graph, NodeId, NodeKind, Thing, likelihood_of};
use crate::sym::Sym;
use crate::world::{BindingIx, Principal, RuleRef, World};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// One subject that holds a permission. Sorted by what is told of it; none of it is made safe for
/// output.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
pub struct Held {
    // INVARIANT: the texts come first, so that order does not depend on who was read first.
    /// The subject, as a selector names it.
    pub subject: String,
    /// The namespace in which it holds it; empty for the whole cluster.
    pub namespace: String,
    /// The binding's kind and name.
    pub binding: String,
    /// The role's kind and name, and the rule's place in it.
    pub rule: String,
    /// What the rule allows, in words.
    pub allows: String,
    /// The subject.
    pub principal: Principal,
    /// The binding.
    pub by: BindingIx,
    /// The subject's place in it.
    pub place: u32,
    /// The rule.
    pub of: RuleRef,
}

/// The bindings that grant a permission. Without a namespace those of all namespaces count, but on
/// what lives outside them: a RoleBinding grants neither that nor paths.
#[must_use]
pub fn granting(
    world: &World,
    asked: &Asked,
    name: Option<&str>,
    namespace: Option<&str>,
) -> Vec<(BindingIx, RuleRef)> {
    let anywhere = namespace.is_none() && !asked.is_cluster_wide();
    world.allowing(asked.verb(), &asked.request(name, namespace), anywhere)
}

/// The subjects of some bindings, by name, each with the rule of the binding's role.
#[must_use]
pub fn holders(world: &World, granting: &[(BindingIx, RuleRef)]) -> Vec<Held> {
    let mut held: Vec<Held> =
        granting.iter().flat_map(|(binding, rule)| subjects(world, *binding, *rule)).collect();
    held.sort_unstable();
    // A binding may name somebody twice.
    held.dedup_by(|a, b| {
        (&a.subject, &a.namespace, &a.binding, &a.rule, &a.allows)
            == (&b.subject, &b.namespace, &b.binding, &b.rule, &b.allows)
    });
    held
}

fn subjects(world: &World, binding: BindingIx, rule: RuleRef) -> impl Iterator<Item = Held> {
    let b = &world.bindings[binding.index()];
    let (by, role) = (binding_words(world, binding), rule_words(world, rule));
    let allows = allows(world, rule);
    b.subjects.iter().map(move |s| Held {
        subject: subject_words(world, s.principal),
        namespace: world.text(b.ns).to_owned(),
        binding: by.clone(),
        rule: role.clone(),
        allows: allows.clone(),
        principal: s.principal,
        by: binding,
        place: s.place,
        of: rule,
    })
}

/// How many subjects some bindings have, each counted once.
#[must_use]
pub fn count(world: &World, granting: &[(BindingIx, RuleRef)]) -> usize {
    let subjects = granting.iter().flat_map(|(b, _)| &world.bindings[b.index()].subjects);
    subjects.map(|s| s.principal).collect::<FxHashSet<Principal>>().len()
}

/// A principal as a selector names it.
#[must_use]
pub fn subject_words(world: &World, principal: Principal) -> String {
    match principal {
        Principal::Account(a) => {
            let a = &world.accounts[a.index()];
            format!("sa/{}/{}", world.text(a.ns), world.text(a.name))
        }
        Principal::Node(n) => {
            format!("user/system:node:{}", world.text(world.nodes[n.index()].name))
        }
        Principal::User(u) => format!("user/{}", world.text(world.users[u.index()].1)),
        Principal::Group(g) => format!("group/{}", world.text(world.groups[g.index()].1)),
    }
}

/// A binding's kind and name.
pub(super) fn binding_words(world: &World, binding: BindingIx) -> String {
    let b = &world.bindings[binding.index()];
    let kind = if b.ns.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    format!("{kind} {}", world.text(b.name))
}

/// The role that spells a rule out, and the rule's place in it.
pub(super) fn rule_words(world: &World, rule: RuleRef) -> String {
    let role = &world.roles[rule.role.index()];
    let kind = if role.ns.is_empty() { "ClusterRole" } else { "Role" };
    format!("{kind} {} .rules[{}]", world.text(role.name), rule.place)
}

/// What a rule allows: `get,list on secrets named db`.
pub(super) fn allows(world: &World, rule: RuleRef) -> String {
    let list = |syms: &[Sym]| {
        let texts: Vec<&str> = syms.iter().map(|s| world.text(*s)).collect();
        texts.join(",")
    };
    let row = &world.rules[rule.rule as usize];
    let on = if row.resources.is_empty() { list(&row.urls) } else { list(&row.resources) };
    let mut allows = format!("{} on {on}", list(&row.verbs));
    if !row.names.is_empty() {
        allows = format!("{allows} named {}", list(&row.names));
    }
    allows
}

/// Somebody who reaches a binding by attack paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaching {
    /// Who.
    pub from: NodeId,
    /// The same as a selector names it.
    pub spelled: String,
    /// Of the best path.
    pub likelihood: f64,
    /// The binding that this path leads to.
    pub to: NodeId,
}

/// Who reaches one of these bindings by attack paths, folded, the likeliest first. `filter` leaves
/// out what no path may use.
#[must_use]
pub fn reaching(
    graph: &Graph,
    granting: &[(BindingIx, RuleRef)],
    filter: &Filter,
) -> Vec<Reaching> {
    let targets: Vec<NodeId> =
        granting.iter().filter_map(|(binding, _)| graph.node(&Thing::Binding(*binding))).collect();
    let mut search = Search::new(graph);
    search.run(Direction::Backward, &targets, filter, None, usize::MAX, |_, _| Next::Expand);
    let tree = search.tree();
    let mut best: BTreeMap<String, Reaching> = BTreeMap::new();
    for node in tree.nodes() {
        use NodeKind as K;
        let counts = matches!(
            graph.kind(node),
            K::Internet | K::User | K::Group | K::ServiceAccount | K::Workload | K::Pod | K::Node
        );
        if counts && graph.fold(node) == node {
            let likelihood = likelihood_of(cost_in(tree.key(node)));
            let spelled = spell(graph, node);
            let (to, _) = tree.root(graph, node);
            best.insert(spelled.clone(), Reaching { from: node, spelled, likelihood, to });
        }
    }
    let mut list: Vec<Reaching> = best.into_values().collect();
    list.sort_by(|a, b| {
        b.likelihood.total_cmp(&a.likelihood).then_with(|| a.spelled.cmp(&b.spelled))
    });
    list
}
