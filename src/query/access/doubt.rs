//! What is in doubt about a question: names that neither Kubernetes nor the snapshot knows, and
//! words that may mean something else.

use super::super::near;
use super::resource::{Asked, Scope};
use crate::k8s::{Kind, Resource};
use crate::sym::Sym;
use crate::world::rows::Rule;
use crate::world::{BindingIx, RuleRef, World};
use std::collections::BTreeSet;

/// The verbs that Kubernetes knows.
const VERBS: &[&str] = &[
    "approve",
    "attest",
    "bind",
    "create",
    "delete",
    "deletecollection",
    "escalate",
    "get",
    "head",
    "impersonate",
    "list",
    "options",
    "patch",
    "post",
    "proxy",
    "put",
    "sign",
    "update",
    "use",
    "watch",
    "*",
];

/// How many groups a message holds.
const SHOWN: usize = 3;

/// Something about a question that may make its answer mean something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// What it is, in a sentence that quotes it.
    pub text: String,
    /// What was perhaps meant, in backticks; empty where nothing is near.
    pub near: String,
}

impl Doubt {
    const fn new(text: String) -> Self {
        Self { text, near: String::new() }
    }

    /// Both in one sentence. Not made safe for output.
    #[must_use]
    pub fn sentence(&self) -> String {
        let end = if self.text.ends_with('?') { "" } else { ";" };
        match self.near.as_str() {
            "" => self.text.clone(),
            near => format!("{}{end} did you mean {near}?", self.text),
        }
    }
}

/// What a question names that neither Kubernetes nor the snapshot knows: a `no` to a slip of the pen
/// would be believed. O(rules).
#[must_use]
pub fn doubts(world: &World, asked: &Asked, namespace: Option<&str>) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let verb = asked.verb();
    let sym = world.symbols.get(verb);
    let named_verb = |rule: &Rule| sym.is_some_and(|sym| rule.verbs.contains(&sym));
    if !VERBS.contains(&verb) && !world.rules.iter().any(named_verb) {
        let text = format!("no rule has the verb `{verb}`, and Kubernetes has none of that name");
        let verbs = spelled(world, |r| &r.verbs, VERBS.iter().copied());
        doubts.push(Doubt { text, near: near::words(verb, verbs.into_iter()) });
    }
    doubts.extend(resource(world, asked));
    if let Some(ns) = namespace
        && world.symbols.get(ns).is_none_or(|ns| world.namespace(ns).is_none())
    {
        let text = format!("the snapshot has no namespace `{ns}`");
        let near = near::words(ns, world.namespaces.iter().map(|n| world.text(n.name)));
        doubts.push(Doubt { text, near });
    }
    doubts
}

/// A resource that nobody knows, or that rules name in other groups alone.
fn resource(world: &World, asked: &Asked) -> Option<Doubt> {
    let full = asked.full();
    if asked.is_path() || asked.resource == "*" {
        return None;
    }
    let text = |syms: &[Sym], wanted: &str| syms.iter().any(|s| world.text(*s) == wanted);
    let mut elsewhere = BTreeSet::new();
    let sym = world.symbols.get(&full);
    for rule in world.rules.iter().filter(|r| sym.is_some_and(|sym| r.resources.contains(&sym))) {
        if text(&rule.groups, &asked.group) || text(&rule.groups, "*") {
            return None;
        }
        elsewhere.extend(rule.groups.iter().map(|group| world.text(*group)));
    }
    if !elsewhere.is_empty() {
        let told: Vec<String> =
            elsewhere.iter().take(SHOWN).map(|group| group_words(group)).collect();
        let text = format!(
            "no rule names `{full}` of {}; rules name it of {}",
            group_words(&asked.group),
            told.join(" and ")
        );
        return Some(Doubt::new(text));
    }
    if is_known(world, asked) {
        return None;
    }
    let text = format!("no rule names the resource `{full}`; is it spelled in the plural?");
    let known = Resource::all().map(|r| r.plural).chain(Kind::served().map(Kind::plural));
    let mut all = spelled(world, |r| &r.resources, known);
    all.extend(world.definitions.iter().map(|d| d.plural.as_str()));
    Some(Doubt { text, near: near::words(&full, all.into_iter()) })
}

/// Whether Kubernetes, a kind that the tool reads or a definition of the snapshot has it.
fn is_known(world: &World, asked: &Asked) -> bool {
    let sub = asked.subresource.as_str();
    if let Some(row) = Resource::of(&asked.group, &asked.resource) {
        return sub.is_empty() || row.subresources.contains(&sub);
    }
    let of_object = matches!(sub, "" | "scale" | "status");
    let mut defined = world.definitions.iter();
    let verb = asked.verb();
    verb == "request-serviceaccounts-token-audience"
        || verb.starts_with("impersonate") && asked.scope == Scope::Cluster
        || of_object
            && (defined.any(|d| d.group == asked.group && d.plural == asked.resource)
                || Kind::all_typed(&asked.resource)
                    .any(|k| k.groups().contains(&asked.group.as_str())))
}

fn group_words(group: &str) -> String {
    match group {
        "" => "the core group".to_owned(),
        group => format!("`{group}`"),
    }
}

/// What a question leaves open though all of its names are known.
#[must_use]
pub fn cautions(asked: &Asked, name: Option<&str>, namespace: Option<&str>) -> Vec<Doubt> {
    let mut cautions = Vec::new();
    let full = asked.full();
    if !asked.others.is_empty() {
        let others = asked.others.iter().take(SHOWN);
        let near: Vec<String> =
            others.map(|group| format!("`{}.{group}`", asked.resource)).collect();
        let text = format!(
            "several groups have a resource `{}`; this one is of {}",
            asked.resource,
            group_words(&asked.group)
        );
        cautions.push(Doubt { text, near: near.join(" or ") });
    }
    if let Some(ns) = namespace.filter(|_| asked.is_cluster_wide()) {
        let own = asked.own_namespace(name);
        if own.is_some_and(|own| own == ns) {
            return cautions;
        }
        cautions.push(Doubt::new(match own {
            Some(own) => {
                format!("a request for the namespace `{own}` bears that name itself and not `{ns}`")
            }
            None => format!(
                "`{full}` is not in namespaces: no request for it bears `{ns}`, only a review may"
            ),
        }));
    }
    cautions
}

/// Whether RoleBindings are among those that grant a resource of which nobody says where it lives.
#[must_use]
pub fn unplaced(world: &World, asked: &Asked, granting: &[(BindingIx, RuleRef)]) -> Option<Doubt> {
    let mut bindings = granting.iter().map(|(binding, _)| &world.bindings[binding.index()]);
    if asked.scope != Scope::Unknown || asked.resource == "*" || bindings.all(|b| b.ns.is_empty()) {
        return None;
    }
    Some(Doubt::new(format!(
        "the snapshot has no definition of `{}` of {}: if it is not in namespaces, RoleBindings do \
         not grant it",
        asked.resource,
        group_words(&asked.group)
    )))
}

/// What the rules of the snapshot name and what Kubernetes does, each once.
fn spelled(
    world: &World,
    of: fn(&Rule) -> &[Sym],
    known: impl Iterator<Item = &'static str>,
) -> BTreeSet<&str> {
    let rules = world.rules.iter().flat_map(|rule| of(rule).iter().map(|s| world.text(*s)));
    let mut all: BTreeSet<&str> = rules.collect();
    for name in known {
        all.insert(name);
    }
    all
}
