//! Rights that one request needs together: who holds them all, and by which bindings.
//!
//! Creating a binding asks for `create` on bindings and for `bind` on the role, both of the same
//! caller, who may hold them by different bindings and by groups that Kubernetes assigns. Whether
//! two other groups share a member is not in the snapshot. Each answer is minimal: a binding that
//! grants a right by itself is not joined with another that grants the same.

use crate::graph::{Fact, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{BindingIx, GroupIx, Principal, RuleRef, Subject, World};
use rustc_hash::{FxHashMap, FxHashSet};

/// A right that a binding gives: a grant, or being bound to a role at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Right<'w> {
    pub(super) binding: BindingIx,
    pub(super) scope: Scope,
    /// `None`: the binding as such is the right.
    pub(super) rule: Option<RuleRef>,
    pub(super) names: Names<'w>,
    /// Of a grant, what it was asked for.
    pub(super) permission: Option<Permission>,
}

impl<'w> From<Grant<'w>> for Right<'w> {
    fn from(grant: Grant<'w>) -> Self {
        let Grant { binding, scope, rule, names, permission, .. } = grant;
        Self { binding, scope, rule: Some(rule), names, permission: Some(permission) }
    }
}

impl Right<'_> {
    /// The facts of the right: the binding refers to the role, and the role's rule allows.
    fn facts(&self, world: &World, sink: &mut Sink<'_>) -> Vec<Fact> {
        let role = sink.role_ref(&world.bindings[self.binding.index()]);
        let rule = self.rule.map(|rule| sink.rule(rule));
        let asked = self.permission.and_then(|permission| sink.asks(&permission, self.scope));
        std::iter::once(role).chain(rule).chain(asked).collect()
    }
}

/// Every grant of any of some permissions, as rights.
pub(super) fn rights<'w>(world: &'w World, any: &[Permission]) -> Vec<Right<'w>> {
    world.grants_any(any).into_iter().map(Right::from).collect()
}

/// Whether the rule of a grant allows everything.
pub(super) fn allows_everything(world: &World, grant: &Grant<'_>) -> bool {
    let all = |list: &[Sym]| list.iter().any(|s| world.text(*s) == "*");
    let rule = world.rules.get(grant.rule.rule as usize);
    rule.is_some_and(|r| all(&r.verbs) && all(&r.groups) && all(&r.resources) && r.names.is_empty())
}

/// The grants of some permissions that are worth feeding a gate with: not those of a rule that
/// allows everything, whose holder needs no gate.
pub(super) fn parts<'w>(world: &'w World, any: &[Permission]) -> Vec<Grant<'w>> {
    let mut grants = world.grants_any(any);
    grants.retain(|g| !allows_everything(world, g));
    grants
}

/// One way of holding a right of each part.
#[derive(Debug, Clone)]
pub(super) struct Held<'w> {
    /// One right of each part, in their order.
    pub(super) rights: Vec<Right<'w>>,
    /// Where all of them apply.
    pub(super) scope: Scope,
    /// `None`: one binding gives all of them, to all its subjects.
    who: Option<Principal>,
    /// The bindings that name the principal or its groups, where there are several.
    by: Vec<(BindingIx, Subject)>,
}

impl Held<'_> {
    /// Where the edge begins: at the binding that gives everything, else at the principal.
    pub(super) fn from(&self) -> Thing<'static> {
        match (self.who, self.rights.first()) {
            (None, Some(right)) => Thing::Binding(right.binding),
            (who, _) => who.map_or(Thing::Internet, Thing::from),
        }
    }

    /// What says so.
    pub(super) fn facts(&self, world: &World, sink: &mut Sink<'_>) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        for (binding, subject) in &self.by {
            facts.push(sink.subject(&world.bindings[binding.index()], subject));
        }
        for right in &self.rights {
            for fact in right.facts(world, sink) {
                if !facts.contains(&fact) {
                    facts.push(fact);
                }
            }
        }
        facts
    }

    /// The names that all rights of some places allow; `None` where any name will do.
    pub(super) fn names(&self, places: &[usize]) -> Option<Vec<Sym>> {
        let mut found: Option<Vec<Sym>> = None;
        for names in places.iter().filter_map(|p| self.rights.get(*p)).map(|r| r.names) {
            if let Names::Only(only) = names {
                found = Some(match found {
                    None => only.to_vec(),
                    Some(list) => list.into_iter().filter(|n| only.contains(n)).collect(),
                });
            }
        }
        found
    }
}

/// One part's rights, by whom they are given to.
struct Index<'p, 'w> {
    part: &'p [Right<'w>],
    by_binding: FxHashMap<BindingIx, Vec<usize>>,
    by_principal: FxHashMap<Principal, Vec<(usize, Subject)>>,
    /// By each group that Kubernetes puts a subject into.
    by_group: FxHashMap<GroupIx, Vec<(usize, Subject)>>,
}

fn groups_of(world: &World, principal: Principal) -> Vec<GroupIx> {
    world.implicit_groups(principal).iter().filter_map(|g| world.group(g)).collect()
}

impl<'p, 'w> Index<'p, 'w> {
    fn new(world: &World, part: &'p [Right<'w>]) -> Self {
        let mut index = Self {
            part,
            by_binding: FxHashMap::default(),
            by_principal: FxHashMap::default(),
            by_group: FxHashMap::default(),
        };
        for (i, right) in part.iter().enumerate() {
            index.by_binding.entry(right.binding).or_default().push(i);
            for subject in &world.bindings[right.binding.index()].subjects {
                index.by_principal.entry(subject.principal).or_default().push((i, *subject));
                for group in groups_of(world, subject.principal) {
                    index.by_group.entry(group).or_default().push((i, *subject));
                }
            }
        }
        index
    }

    /// Adds this part to one way of holding the parts before it. The bindings of `alone` give all
    /// of those parts without help.
    fn join(
        &self,
        world: &World,
        held: &Held<'w>,
        alone: &FxHashSet<BindingIx>,
        found: &mut Vec<Held<'w>>,
    ) {
        let has = |binding| held.rights.iter().any(|r| r.binding == binding);
        let own: Vec<usize> = held
            .rights
            .iter()
            .filter_map(|r| self.by_binding.get(&r.binding))
            .flatten()
            .copied()
            .collect();
        let mut enough = false;
        let mut taken: Vec<usize> = Vec::new();
        for i in own {
            let right = self.part[i];
            let Some(scope) = held.scope.meet(right.scope) else { continue };
            if taken.contains(&i) {
                continue;
            }
            taken.push(i);
            enough |= right.names == Names::All && scope == held.scope;
            let rights = held.rights.iter().copied().chain([right]).collect();
            found.push(Held { rights, scope, ..held.clone() });
        }
        if enough {
            return;
        }
        let members: Vec<(Principal, Vec<(BindingIx, Subject)>)> = match held.who {
            Some(principal) => vec![(principal, held.by.clone())],
            None => held.rights.first().map_or_else(Vec::new, |r| {
                let subjects = &world.bindings[r.binding.index()].subjects;
                subjects.iter().map(|s| (s.principal, vec![(r.binding, *s)])).collect()
            }),
        };
        for (principal, by) in members {
            let mut others: Vec<(Principal, usize, Subject)> = Vec::new();
            let mut add = |list: Option<&Vec<(usize, Subject)>>, as_subject: bool| {
                for (i, subject) in list.into_iter().flatten() {
                    let who = if as_subject { subject.principal } else { principal };
                    others.push((who, *i, *subject));
                }
            };
            add(self.by_principal.get(&principal), false);
            for group in groups_of(world, principal) {
                add(self.by_principal.get(&Principal::Group(group)), false);
            }
            if let Principal::Group(group) = principal {
                add(self.by_group.get(&group), true);
            }
            for (who, i, subject) in others {
                let right = self.part[i];
                let Some(scope) = held.scope.meet(right.scope) else { continue };
                if has(right.binding) || right.names == Names::All && alone.contains(&right.binding)
                {
                    continue;
                }
                let rights = held.rights.iter().copied().chain([right]).collect();
                let by = by.iter().copied().chain([(right.binding, subject)]).collect();
                found.push(Held { rights, scope, who: Some(who), by });
            }
        }
    }
}

/// Every way in which one principal holds a right of each part at once. Linear in the subjects of
/// the bindings that give these rights, and in what is found.
pub(super) fn together<'w>(world: &World, parts: &[Vec<Right<'w>>]) -> Vec<Held<'w>> {
    let Some((first, rest)) = parts.split_first() else { return Vec::new() };
    let mut held: Vec<Held<'w>> = first
        .iter()
        .map(|r| Held { rights: vec![*r], scope: r.scope, who: None, by: Vec::new() })
        .collect();
    let full = |part: &[Right<'_>]| -> FxHashSet<BindingIx> {
        part.iter().filter(|r| r.names == Names::All).map(|r| r.binding).collect()
    };
    let mut alone = full(first);
    for part in rest {
        if held.is_empty() || part.is_empty() {
            return Vec::new();
        }
        let index = Index::new(world, part);
        let mut found = Vec::new();
        for one in &held {
            index.join(world, one, &alone, &mut found);
        }
        let also = full(part);
        alone.retain(|binding| also.contains(binding));
        held = found;
    }
    held
}
