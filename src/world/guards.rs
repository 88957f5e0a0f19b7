//! Admission policies: what Kyverno, Gatekeeper and the API server's own policies say about new
//! pods, and what of it is in force in a namespace.
//!
//! A policy is kept as a few words: where it applies, whether it refuses, and which ways from a pod
//! to its node it closes. That is known of the policies of the engines' own libraries, and of those
//! in CEL, whose expressions are kept to be evaluated; what another one forbids is not judged.
//! Nothing here is certain: who is exempt, and what an engine is told to leave alone, stands
//! elsewhere.

use super::ObjectId;
use super::cel::Program;
use super::objects::Objects;
use super::remap::{Map, Remap};
use super::requests::{Asks, Request, Taken};
use super::rows::{Row, Selector};
use crate::glob::fits;
use crate::sym::{Sym, Symbols};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Ways from a pod to its node, as a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ways(pub u8);

impl Ways {
    /// Privileged containers.
    pub const PRIVILEGED: Self = Self(1);
    /// Host paths.
    pub const HOST_PATH: Self = Self(2);
    /// Capabilities such as `SYS_ADMIN`.
    pub const CAPABILITIES: Self = Self(4);
    /// The host's processes and their memory.
    pub const HOST_NAMESPACES: Self = Self(8);
    /// All of them, as the level `baseline` forbids them.
    pub const ALL: Self = Self(15);

    /// Whether all of some ways are among these.
    #[must_use]
    pub const fn has(self, ways: Self) -> bool {
        self.0 & ways.0 == ways.0
    }

    /// These and others.
    #[must_use]
    pub const fn and(self, ways: Self) -> Self {
        Self(self.0 | ways.0)
    }

    /// Those that are among others too.
    #[must_use]
    pub const fn within(self, ways: Self) -> Self {
        Self(self.0 & ways.0)
    }

    /// These without others.
    #[must_use]
    pub const fn without(self, ways: Self) -> Self {
        Self(self.0 & !ways.0)
    }
}

/// What a rule is known to forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    Closes(Ways),
    /// Nothing that taking a node needs.
    Harmless,
    /// Not judged, or not everywhere.
    Other,
}

/// Who asks what a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    ApiServer,
    Gatekeeper,
    Kyverno,
}

impl Engine {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiServer => "the API server",
            Self::Gatekeeper => "Gatekeeper",
            Self::Kyverno => "Kyverno",
        }
    }
}

/// What kind of object a policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Of Kyverno, for the cluster.
    ClusterPolicy,
    /// Of Kyverno, for the cluster, in CEL.
    ValidatingPolicy,
    /// Of Kyverno, for its own namespace.
    Namespaced,
    /// Of Gatekeeper.
    Constraint,
    /// Of the API server itself.
    ApiServer,
}

impl Form {
    /// Who asks it.
    #[must_use]
    pub const fn engine(self) -> Engine {
        match self {
            Self::ClusterPolicy | Self::ValidatingPolicy | Self::Namespaced => Engine::Kyverno,
            Self::Constraint => Engine::Gatekeeper,
            Self::ApiServer => Engine::ApiServer,
        }
    }
}

/// Some namespaces: of these names (all, if there is none), without those, and with these labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// `*` and `?` are wildcards.
    pub namespaces: Box<[Sym]>,
    pub excluded: Box<[Sym]>,
    pub selector: Selector,
}

impl Area {
    /// Every namespace.
    #[must_use]
    pub fn everywhere() -> Self {
        Self {
            namespaces: Box::default(),
            excluded: Box::default(),
            selector: Selector(Box::default()),
        }
    }

    fn covers(&self, symbols: &Symbols, of: &Place<'_>) -> bool {
        let named = |list: &[Sym]| list.iter().any(|p| fits(symbols.text(*p), of.name));
        (self.namespaces.is_empty() || named(&self.namespaces))
            && !named(&self.excluded)
            && self.selector.selects(of.labels)
    }
}

/// A namespace as areas see it.
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) labels: &'a [(Sym, Sym)],
}

/// One rule of a policy that is asked about new pods.
#[derive(Debug, Clone)]
pub struct GuardRule {
    /// Where it stands in the policy.
    pub field: Sym,
    pub judged: Judged,
    /// It refuses, rather than warns or reports.
    pub enforces: bool,
    /// Where it does otherwise; the first that fits counts.
    pub overrides: Box<[(bool, Area)]>,
    pub areas: Box<[Area]>,
    pub except: Box<[Area]>,
    /// It is asked about ephemeral containers too.
    pub ephemeral: bool,
    /// It is asked about pods with some labels, which whoever makes a pod chooses.
    pub evadable: bool,
    /// Where an exception may let pods pass.
    pub loosened: Box<[Area]>,
    /// What it says in CEL.
    pub(super) program: Option<Arc<Program>>,
    /// Of a binding: the policy is not asked if its parameters are not there.
    pub(super) skips: bool,
}

impl GuardRule {
    pub(super) fn refuses(&self, symbols: &Symbols, of: &Place<'_>) -> bool {
        let other = self.overrides.iter().find(|(_, area)| area.covers(symbols, of));
        other.map_or(self.enforces, |(enforces, _)| *enforces)
            && self.areas.iter().any(|area| area.covers(symbols, of))
            && !self.except.iter().any(|area| area.covers(symbols, of))
    }

    /// Whether an exception may let pods pass.
    pub(super) fn is_loose(&self, symbols: &Symbols, of: &Place<'_>) -> bool {
        self.loosened.iter().any(|area| area.covers(symbols, of))
    }
}

/// What a rule says of requests for which it is not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// It refuses every one that it is asked about.
    Refuses,
    /// It asks for what whoever makes a pod chooses freely, and looks at nothing else.
    OfPods,
    /// It lets all pass that can be written otherwise.
    Passes,
    /// Not judged.
    Other,
}

/// One rule of a policy, with all that it is asked about, new pods or other.
#[derive(Debug, Clone)]
pub struct WriteRule {
    pub rule: GuardRule,
    /// All of these must take a request in: a policy's, and its binding's.
    pub asks: Vec<Asks>,
    pub plain: Plain,
    /// Who asks, or what the object is called or labelled, decides whether it is asked.
    pub narrowed: bool,
}

impl WriteRule {
    /// Whether it is asked about a request.
    #[must_use]
    pub fn takes(&self, request: &Request) -> Taken {
        let taken = self.asks.iter().map(|asks| asks.take(request)).min().unwrap_or(Taken::No);
        if self.narrowed { taken.min(Taken::Perhaps) } else { taken }
    }

    /// Whether it counts for a request in a namespace, or for one in none.
    pub(super) fn refuses(&self, symbols: &Symbols, of: Option<&Place<'_>>) -> bool {
        let Some(place) = of else {
            let named = |area: &Area| !area.namespaces.is_empty();
            return self.rule.enforces && !self.rule.areas.iter().all(named);
        };
        self.rule.refuses(symbols, place)
    }
}

/// Which policies do not count somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spares {
    /// Gatekeeper's.
    Constraints,
    /// Those of Kyverno with these names, perhaps.
    Policies(Box<[Sym]>),
}

/// A policy, or what puts one of the API server's policies in force.
#[derive(Debug, Clone)]
pub struct GuardRow {
    pub kind: Sym,
    pub form: Form,
    /// Of a binding: the policy's name.
    pub binds: Option<Sym>,
    /// It is no policy: its rules say where some do not count.
    pub spares: Option<Spares>,
    /// What is asked about new pods.
    pub rules: Box<[GuardRule]>,
    /// Every rule.
    pub writes: Vec<WriteRule>,
}

impl Remap for GuardRule {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.field);
        self.overrides.iter_mut().for_each(|(_, area)| area.remap(map));
        let areas = self.areas.iter_mut().chain(&mut self.except).chain(&mut self.loosened);
        areas.for_each(|area| area.remap(map));
    }
}

impl Remap for Area {
    fn remap(&mut self, map: &Map<'_>) {
        self.namespaces.remap(map);
        self.excluded.remap(map);
        self.selector.remap(map);
    }
}

impl Remap for GuardRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        if let Some(policy) = &mut self.binds {
            map.sym(policy);
        }
        if let Some(Spares::Policies(names)) = &mut self.spares {
            names.remap(map);
        }
        self.rules.iter_mut().for_each(|rule| rule.remap(map));
        self.writes.iter_mut().for_each(|write| write.rule.remap(map));
    }
}

/// A policy.
#[derive(Debug)]
pub struct Guard {
    pub object: ObjectId,
    pub form: Form,
    /// Each with the binding that puts it in force, where it needs one.
    pub rules: Vec<(GuardRule, Option<ObjectId>)>,
    /// All of its rules, those about new pods among them.
    pub writes: Vec<(WriteRule, Option<ObjectId>)>,
}

/// A binding, and what it selects.
type Bound = (ObjectId, Box<[GuardRule]>, Vec<WriteRule>);

/// The table of policies, the API server's joined with their bindings: one without a binding does
/// nothing.
pub(super) fn resolve(rows: Vec<Row<GuardRow>>, objects: &mut Objects) -> Vec<Guard> {
    let mut bindings: BTreeMap<Sym, Vec<Bound>> = BTreeMap::new();
    let mut guards: Vec<(bool, Sym, Guard)> = Vec::new();
    let mut spared: Vec<(Spares, Vec<Area>)> = Vec::new();
    for row in rows {
        let object = objects.add(row.body.kind, &row);
        let GuardRow { form, binds, spares, rules, writes, .. } = row.body;
        if let Some(spares) = spares {
            let areas = rules.iter().flat_map(|rule| rule.areas.iter().cloned());
            spared.push((spares, areas.collect()));
            continue;
        }
        if let Some(policy) = binds {
            bindings.entry(policy).or_default().push((object, rules, writes));
            continue;
        }
        let bound = form == Form::ApiServer;
        let rules = rules.into_iter().map(|rule| (rule, None)).collect();
        let writes = writes.into_iter().map(|rule| (rule, None)).collect();
        guards.push((bound, row.name, Guard { object, form, rules, writes }));
    }
    for (_, name, guard) in guards.iter_mut().filter(|(bound, _, _)| *bound) {
        let policy = std::mem::take(&mut guard.rules);
        let all = std::mem::take(&mut guard.writes);
        for (object, rules, writes) in bindings.get(name).into_iter().flatten() {
            for (of, _) in &all {
                let bound = writes.iter().map(|by| WriteRule {
                    rule: join(&of.rule, &by.rule),
                    asks: [&of.asks[..], &by.asks[..]].concat(),
                    ..*of
                });
                guard.writes.extend(bound.map(|write| (write, Some(*object))));
            }
            for (rule, _) in &policy {
                let bound = rules.iter().map(|binding| (join(rule, binding), Some(*object)));
                guard.rules.extend(bound);
            }
        }
    }
    for (spares, areas) in &spared {
        for (_, name, guard) in &mut guards {
            let rules = guard.rules.iter_mut().map(|(rule, _)| rule);
            let rules = rules.chain(guard.writes.iter_mut().map(|(write, _)| &mut write.rule));
            match (spares, guard.form.engine()) {
                (Spares::Constraints, Engine::Gatekeeper) => {
                    rules.for_each(|rule| extend(&mut rule.except, areas));
                }
                (Spares::Policies(names), Engine::Kyverno) if names.contains(name) => {
                    rules.for_each(|rule| extend(&mut rule.loosened, areas));
                }
                _ => {}
            }
        }
    }
    guards.into_iter().map(|(_, _, guard)| guard).collect()
}

fn extend(list: &mut Box<[Area]>, by: &[Area]) {
    *list = list.iter().chain(by).cloned().collect();
}

/// A policy's rule within what a binding selects.
fn join(rule: &GuardRule, binding: &GuardRule) -> GuardRule {
    let mut joined = rule.clone();
    joined.enforces = binding.enforces;
    joined.ephemeral &= binding.ephemeral;
    joined.evadable |= binding.evadable;
    joined.skips = binding.skips;
    if binding.judged == Judged::Other {
        joined.judged = Judged::Other;
    }
    for area in &mut joined.areas {
        let within = binding.areas.iter().flat_map(|a| a.selector.0.iter());
        area.selector = Selector(area.selector.0.iter().chain(within).cloned().collect());
    }
    joined
}
