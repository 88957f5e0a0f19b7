//! Which API group a resource is of that is typed without one, or with the start of one.
//!
//! kubectl asks the server. Here Kubernetes' own resources come first, as the server prefers them,
//! then the custom resources that the snapshot defines, then those that its rules name.

use super::resource::Scope;
use crate::k8s::{Kind, Resource};
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// A resource that somebody may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) plural: String,
    pub(super) group: String,
    pub(super) scope: Scope,
}

impl Known {
    pub(super) fn new(plural: &str, group: &str, scope: Scope) -> Self {
        Self { plural: plural.to_owned(), group: group.to_owned(), scope }
    }
}

/// What speaks for a resource, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// Every server has it.
    Kubernetes,
    /// The snapshot defines it.
    Definition,
    /// A rule of the snapshot names it.
    Rule,
    /// Some clusters have it.
    Elsewhere,
}

/// The resources that a name may mean, the likeliest first. Without a group only what the snapshot
/// knows stands beside the first. A group is the one that is typed, or else one that begins so.
pub(super) fn named(world: &World, name: &str, group: Option<&str>) -> Vec<Known> {
    let mut found = all(world, name);
    if let Some(group) = group {
        let exact = found.iter().any(|(_, k)| k.group == group);
        found.retain(|(_, k)| {
            if exact || group.is_empty() { k.group == group } else { k.group.starts_with(group) }
        });
    }
    let best = found.first().map(|(source, _)| *source);
    // What every server has is meant; what only some have is meant if nothing else is.
    let only = best.is_some_and(|s| s == Source::Kubernetes || s == Source::Elsewhere);
    let kept = found.into_iter().enumerate();
    let kept = kept.filter(|(i, (source, _))| *i == 0 || !only && *source < Source::Elsewhere);
    kept.map(|(_, (_, known))| known).collect()
}

/// Every resource of a name, each once, by what speaks for it and by group.
fn all(world: &World, name: &str) -> Vec<(Source, Known)> {
    let named = by_rules(world, name);
    // By plural and group: the strongest source, and where it lives if anybody says.
    let mut found: BTreeMap<(String, String), (Source, Scope)> = BTreeMap::new();
    let mut add = |source: Source, plural: &str, group: &str, scope: Scope| {
        let key = (plural.to_owned(), group.to_owned());
        let entry = found.entry(key).or_insert((source, scope));
        entry.0 = entry.0.min(source);
        entry.1 = entry.1.min(scope);
    };
    for r in Resource::typed(name) {
        let source = if r.gated { Source::Elsewhere } else { Source::Kubernetes };
        add(source, r.plural, r.group, Scope::of(r.namespaced));
    }
    for d in world.definitions.iter().filter(|d| d.is_typed(name)) {
        add(Source::Definition, &d.plural, &d.group, Scope::of(d.namespaced));
    }
    for kind in Kind::all_typed(name) {
        for group in kind.groups() {
            add(Source::Elsewhere, kind.plural(), group, Scope::of(kind.is_namespaced()));
        }
    }
    for (plural, group) in named {
        add(Source::Rule, plural, group, Scope::Unknown);
    }
    let mut all: Vec<(Source, Known)> = found
        .into_iter()
        .map(|((plural, group), (source, scope))| (source, Known { plural, group, scope }))
        .collect();
    // A rule of the core group that names no resource of Kubernetes' is a slip.
    all.sort_by(|(a, k), (b, l)| {
        (a, a == &Source::Rule && k.group.is_empty(), &k.group).cmp(&(
            b,
            b == &Source::Rule && l.group.is_empty(),
            &l.group,
        ))
    });
    all
}

/// The resources of a name with the groups of the rules that spell them out.
fn by_rules<'a>(world: &'a World, name: &str) -> BTreeSet<(&'a str, &'a str)> {
    let lower = name.to_ascii_lowercase();
    let mut plurals: BTreeSet<&str> = Kind::all_typed(name).map(Kind::plural).collect();
    plurals.extend(Resource::typed(name).map(|r| r.plural));
    plurals.insert(&lower);
    let mut found = BTreeSet::new();
    for rule in &world.rules {
        for resource in &rule.resources {
            let text = world.text(*resource);
            let plural = text.split_once('/').map_or(text, |(plural, _)| plural);
            if plurals.contains(plural) {
                let groups = rule.groups.iter().map(|group| world.text(*group));
                found.extend(groups.filter(|g| *g != "*").map(|group| (plural, group)));
            }
        }
    }
    found
}
