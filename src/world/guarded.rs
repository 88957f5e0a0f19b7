//! What admission policies do in each namespace: which rules are in force, and whether the engine
//! that asks them runs.

use super::cel::{self, Asked, Verdict};
use super::guards::{Area, Engine, Form, Guard, GuardRule, Judged, Place, Ways};
use super::hosts::Host;
use super::image::Image;
use super::pods::List;
use super::rows::Selector;
use super::{Namespace, ObjectId, World};
use crate::sym::Sym;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// The label by which the API server keeps a namespace's name.
pub(super) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Which rule: the policy's place in the table, and the rule's in the policy.
pub type RuleIx = (u32, u32);

/// What policies say of one kind of request in a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Rules that close ways, some of which none before them closes.
    pub closing: Vec<(RuleIx, Ways)>,
    /// Some of the rules of which it is not known whether they close ways.
    pub others: Vec<(RuleIx, Ways)>,
    /// A rule that refuses nothing that matters.
    pub harmless: Option<RuleIx>,
}

impl Said {
    fn add(&mut self, ix: RuleIx, closed: Ways, unsure: Ways) {
        let all = |list: &[(RuleIx, Ways)]| {
            list.iter().fold(Ways::default(), |all, (_, ways)| all.and(*ways))
        };
        if closed == Ways::default() && unsure == Ways::default() {
            self.harmless.get_or_insert(ix);
        }
        if !all(&self.closing).has(closed) {
            self.closing.push((ix, closed));
        }
        let new = self.others.len() < SHOWN || !all(&self.others).has(unsure);
        if unsure != Ways::default() && new {
            self.others.push((ix, unsure));
        }
    }
}

/// What policies do about new pods in a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guarded {
    pub create: Said,
    /// Of an ephemeral container in a pod that is there.
    pub ephemeral: Said,
    /// A rule that would refuse, if its engine ran.
    pub idle: Option<RuleIx>,
    /// Whether the engines run is not known: nothing that runs was collected.
    pub hidden: bool,
    /// The forms of the policies that refuse anything that matters.
    pub forms: BTreeSet<Form>,
}

/// How many rules that are not judged are named for a namespace.
const SHOWN: usize = 4;

/// Labels that tell the part that is asked, under another image: all of one row.
type Marks = &'static [&'static [(&'static str, &'static str)]];

const KYVERNO: Marks = &[
    &[("app.kubernetes.io/name", "kyverno-admission-controller")],
    &[
        ("app.kubernetes.io/part-of", "kyverno"),
        ("app.kubernetes.io/component", "admission-controller"),
    ],
];
const GATEKEEPER: Marks = &[
    &[("app", "gatekeeper"), ("control-plane", "controller-manager")],
    &[("app", "gatekeeper"), ("gatekeeper.sh/operation", "webhook")],
];

/// Whether a label set holds all of some row.
fn is_marked(world: &World, labels: &[(Sym, Sym)], marks: Marks) -> bool {
    let holds = |(key, value): &(&str, &str)| {
        labels.iter().any(|(k, v)| world.text(*k) == *key && world.text(*v) == *value)
    };
    marks.iter().any(|row| row.iter().all(holds))
}

/// Where an engine runs.
#[derive(Debug, Default)]
pub(super) struct Engines {
    kyverno: Vec<Sym>,
    gatekeeper: Vec<Sym>,
    /// Nothing that runs was collected.
    hidden: bool,
    /// Which namespaces their webhooks ask them about, where these were collected.
    hooks: Vec<(Engine, Selector)>,
}

impl Engines {
    pub(super) fn of(world: &World) -> Self {
        let mut of = Self { hidden: world.pods.is_empty(), ..Self::default() };
        let has = |spec: &super::pods::PodSpec, name: &str| {
            spec.containers.iter().filter(|c| c.list == List::Main).any(|c| {
                let answers = name != "gatekeeper" || {
                    // Its audit runs from the same image.
                    let mut operations = world.flags(c, "--operation").peekable();
                    operations.peek().is_none() || operations.any(|o| o == "webhook")
                };
                answers && Image::new(world.text(c.image)).name() == name
            })
        };
        let marks = [("kyverno", KYVERNO), ("gatekeeper", GATEKEEPER)];
        let known: Vec<(Vec<bool>, Vec<bool>)> = marks
            .iter()
            .map(|(name, labels)| {
                let specs = world.specs.iter().map(|spec| has(spec, name)).collect();
                (specs, world.labels.iter().map(|set| is_marked(world, set, labels)).collect())
            })
            .collect();
        for host in world.hosts() {
            of.hidden = false;
            let (object, ns) = world.host_object(host);
            let (spec, labels) = match host {
                Host::Pod(pod) => {
                    (world.pods[pod.index()].spec, world.objects[object.index()].labels)
                }
                Host::Template(workload) => {
                    let workload = &world.workloads[workload.index()];
                    (workload.spec.unwrap_or(0), workload.template_labels)
                }
            };
            for ((specs, sets), list) in known.iter().zip([&mut of.kyverno, &mut of.gatekeeper]) {
                let runs = specs.get(spec as usize) == Some(&true)
                    || sets.get(labels as usize) == Some(&true);
                if runs && !list.contains(&ns) {
                    list.push(ns);
                }
            }
        }
        for configuration in &world.webhooks {
            for hook in configuration.hooks.iter().filter(|hook| hook.refuses) {
                let lists = [(Engine::Kyverno, &of.kyverno), (Engine::Gatekeeper, &of.gatekeeper)];
                let asked = lists.iter().find(|(_, list)| list.contains(&hook.service.0));
                if let Some((engine, _)) = asked {
                    of.hooks.push((*engine, hook.namespaces.clone()));
                }
            }
        }
        of
    }

    pub(super) fn hidden(&self) -> bool {
        self.hidden
    }

    /// Whose webhooks a Service answers.
    pub(super) fn of_service(&self, world: &World, (ns, name): (Sym, Sym)) -> Option<Engine> {
        let name = world.text(name);
        if self.kyverno.contains(&ns) || name == "kyverno-svc" {
            Some(Engine::Kyverno)
        } else if self.gatekeeper.contains(&ns) || name == "gatekeeper-webhook-service" {
            Some(Engine::Gatekeeper)
        } else {
            None
        }
    }

    pub(super) fn runs(&self, engine: Engine) -> bool {
        match engine {
            Engine::ApiServer => true,
            Engine::Kyverno => self.hidden || !self.kyverno.is_empty(),
            Engine::Gatekeeper => self.hidden || !self.gatekeeper.is_empty(),
        }
    }

    /// Whether an engine leaves a namespace alone as it is installed: Kyverno by the filters of its
    /// chart, Gatekeeper by a label, and both their own namespace.
    pub(super) fn leaves(
        &self,
        world: &World,
        engine: Engine,
        namespace: &Namespace,
        labels: &[(Sym, Sym)],
    ) -> bool {
        // An engine whose webhooks all leave the namespace out is not asked.
        let mut hooks = self.hooks.iter().filter(|(e, _)| *e == engine).peekable();
        if hooks.peek().is_some() && hooks.all(|(_, selector)| !selector.selects(labels)) {
            return true;
        }
        match engine {
            Engine::ApiServer => false,
            Engine::Kyverno => {
                self.kyverno.contains(&namespace.name)
                    || matches!(
                        world.text(namespace.name),
                        "kube-system" | "kube-public" | "kube-node-lease" | "kyverno"
                    )
            }
            Engine::Gatekeeper => {
                self.gatekeeper.contains(&namespace.name)
                    || world.label(namespace.object, "admission.gatekeeper.sh/ignore").is_some()
            }
        }
    }
}

/// A namespace as expressions see it.
struct Seen<'a> {
    /// The empty name: of one that somebody makes.
    name: Sym,
    labels: Known,
    of: cel::Place<'a>,
}

/// What all evaluation together may cost, so that no policy makes it long.
const BUDGET: u64 = 30_000_000;

/// A rule and a kind of request, with the label set and the name of the namespace, as far as what
/// the rule says depends on them. Names that the rule does not know are one.
type Key = (RuleIx, bool, Option<Known>, Option<Option<Sym>>);
/// A namespace's labels without its name, where they are known.
type Known = Option<Box<[(Sym, Sym)]>>;

/// What rules say, kept where it is the same in every namespace.
struct Judge {
    budget: Cell<u64>,
    kept: RefCell<BTreeMap<Key, Verdict>>,
    /// Rules in CEL that were asked.
    asked: RefCell<BTreeSet<RuleIx>>,
    /// Of these, those that are not judged somewhere.
    unsure: RefCell<BTreeSet<RuleIx>>,
}

impl Default for Judge {
    fn default() -> Self {
        Self {
            budget: Cell::new(BUDGET),
            kept: RefCell::default(),
            asked: RefCell::default(),
            unsure: RefCell::default(),
        }
    }
}

impl Judge {
    /// The ways that a rule closes, and those that it may close.
    fn says(&self, ix: RuleIx, rule: &GuardRule, asked: Asked, place: &Seen<'_>) -> (Ways, Ways) {
        let create = asked == Asked::Create;
        let known = match rule.judged {
            Judged::Closes(ways) => Some(ways),
            Judged::Harmless => Some(Ways::default()),
            Judged::Other => None,
        };
        if rule.evadable {
            return (Ways::default(), if create { Ways::default() } else { Ways::ALL });
        }
        let Some(program) = &rule.program else {
            return known.map_or((Ways::default(), Ways::ALL), |ways| (ways, Ways::default()));
        };
        let exact = Some(Some(place.name));
        let rough = if program.knows(&place.of) { exact } else { Some(None) };
        let key = |labels: bool, name: Option<Option<Sym>>| {
            let labels = labels.then(|| place.labels.clone());
            (ix, create, labels, name)
        };
        let keys = [
            key(false, None),
            key(true, None),
            key(false, rough),
            key(true, rough),
            key(false, exact),
            key(true, exact),
        ];
        let kept = keys.iter().find_map(|key| self.kept.borrow().get(key).copied());
        let verdict = kept.unwrap_or_else(|| {
            let verdict = program.judge(asked, &place.of, rule.skips, &self.budget);
            let local = verdict.local;
            let name = local.name.then_some(if local.spelling { exact } else { rough }).flatten();
            self.kept.borrow_mut().insert(key(local.labels, name), verdict);
            verdict
        });
        // What is not known of the expressions may be known of the name.
        let (closed, unsure) = match known {
            Some(ways) => (verdict.closed.and(verdict.unsure.within(ways)), Ways::default()),
            None => (verdict.closed, verdict.unsure),
        };
        // Of a namespace that is not there yet, nothing can be known.
        if create && place.name != Sym::EMPTY {
            self.asked.borrow_mut().insert(ix);
            if unsure != Ways::default() {
                self.unsure.borrow_mut().insert(ix);
            }
        }
        (closed, unsure)
    }
}

impl World {
    /// Says of each namespace what policies do about its new pods, and of one that somebody makes.
    pub(super) fn guard(&mut self) {
        if self.guards.is_empty() && self.webhooks.is_empty() {
            return;
        }
        self.engines = Engines::of(self);
        if self.guards.iter().all(|g| g.rules.is_empty()) {
            return;
        }
        let engines = std::mem::take(&mut self.engines);
        let own_name = self.symbols.get(NAME_LABEL);
        let judge = Judge::default();
        let mut guarded = Vec::with_capacity(self.namespaces.len());
        for namespace in &self.namespaces {
            let mut labels = self.labels_of(namespace.object).to_vec();
            // The API server keeps the name among the labels.
            if let Some(key) = own_name {
                labels.retain(|(k, _)| *k != key);
                labels.push((key, namespace.name));
            }
            let name = self.text(namespace.name);
            let here = Place { name, labels: &labels };
            let applies = |guard: &Guard, rule: &GuardRule| {
                rule.refuses(&self.symbols, &here)
                    && !engines.leaves(self, guard.form.engine(), namespace, &labels)
            };
            let known = self.objects[namespace.object.index()].is_present().then(|| {
                let labels = labels.iter().filter(|(k, _)| Some(*k) != own_name);
                let labels = labels.map(|(k, v)| (self.text(*k), self.text(*v)));
                labels.chain([(NAME_LABEL, name)]).collect::<Vec<_>>()
            });
            let place = Seen {
                name: namespace.name,
                labels: known.is_some().then(|| {
                    labels.iter().filter(|(k, _)| Some(*k) != own_name).copied().collect()
                }),
                of: cel::Place { name: Some(name), labels: known.as_deref() },
            };
            let loose = |rule: &GuardRule| rule.is_loose(&self.symbols, &here);
            guarded.push(self.guarded(&engines, &judge, &place, applies, loose));
        }
        let of = cel::Place { name: None, labels: None };
        let new = Seen { name: Sym::EMPTY, labels: None, of };
        let anywhere = self.guarded(
            &engines,
            &judge,
            &new,
            |_, rule| self.is_unavoidable(rule),
            // Whoever makes a namespace may give it a name that an exception has.
            |rule| !rule.loosened.is_empty(),
        );
        for (namespace, guarded) in self.namespaces.iter_mut().zip(guarded) {
            namespace.guarded = guarded;
        }
        self.new_namespace = anywhere;
        self.engines = engines;
        self.settle(&judge);
    }

    /// Says of the rules in CEL whether they are judged wherever they apply.
    fn settle(&mut self, judge: &Judge) {
        let unsure = judge.unsure.borrow();
        for (g, guard) in (0_u32..).zip(&mut self.guards) {
            for (r, (rule, _)) in (0_u32..).zip(&mut guard.rules) {
                if rule.program.is_some() && judge.asked.borrow().contains(&(g, r)) {
                    let open = unsure.contains(&(g, r));
                    rule.judged = if open { Judged::Other } else { Judged::Harmless };
                }
            }
        }
    }

    /// What the rules that apply do.
    fn guarded(
        &self,
        engines: &Engines,
        judge: &Judge,
        place: &Seen<'_>,
        applies: impl Fn(&Guard, &GuardRule) -> bool,
        loose: impl Fn(&GuardRule) -> bool,
    ) -> Option<Box<Guarded>> {
        let mut found = Guarded::default();
        for (g, guard) in (0_u32..).zip(&self.guards) {
            for (r, (rule, _)) in (0_u32..).zip(&guard.rules) {
                if !applies(guard, rule) {
                    continue;
                }
                if !engines.runs(guard.form.engine()) {
                    found.idle.get_or_insert((g, r));
                    continue;
                }
                found.hidden |= engines.hidden && guard.form.engine() != Engine::ApiServer;
                let says = |asked: Asked| {
                    let (closed, unsure) = judge.says((g, r), rule, asked, place);
                    if loose(rule) {
                        (Ways::default(), closed.and(unsure))
                    } else {
                        (closed, unsure)
                    }
                };
                let (closed, unsure) = says(Asked::Create);
                found.create.add((g, r), closed, unsure);
                if closed.and(unsure) != Ways::default() {
                    found.forms.insert(guard.form);
                }
                if rule.ephemeral {
                    let (closed, unsure) = says(Asked::Ephemeral);
                    found.ephemeral.add((g, r), closed, unsure);
                }
            }
        }
        (found != Guarded::default()).then(|| Box::new(found))
    }

    /// Whether a rule applies in a new namespace, whatever name and labels its maker gives it.
    fn is_unavoidable(&self, rule: &GuardRule) -> bool {
        let taken = |name: &Sym| self.namespace(*name).is_some();
        let any = |name: &Sym| self.text(*name) == "*";
        let everywhere = |area: &Area| {
            (area.namespaces.is_empty() || area.namespaces.iter().any(any))
                && area.excluded.iter().all(taken)
                && area.selector.0.iter().all(|r| {
                    self.text(r.key) == NAME_LABEL
                        && r.operator == super::rows::Operator::NotIn
                        && r.values.iter().all(taken)
                })
        };
        let existing =
            |area: &Area| !area.namespaces.is_empty() && area.namespaces.iter().all(taken);
        rule.enforces
            && rule.overrides.is_empty()
            && rule.areas.iter().any(everywhere)
            && rule.except.iter().all(existing)
    }

    /// A rule, with its policy and the binding that puts it in force.
    #[must_use]
    pub fn guard_rule(&self, ix: RuleIx) -> Option<(&Guard, &GuardRule, Option<ObjectId>)> {
        let guard = self.guards.get(ix.0 as usize)?;
        let (rule, binding) = guard.rules.get(ix.1 as usize)?;
        Some((guard, rule, *binding))
    }

    /// How many policies were read, and what of them counts.
    #[must_use]
    pub fn guard_counts(&self) -> GuardCounts {
        let mut counts = GuardCounts { read: self.guards.len(), ..GuardCounts::default() };
        for guard in &self.guards {
            let refuses = |r: &GuardRule| r.enforces || r.overrides.iter().any(|(e, _)| *e);
            let runs = self.engines.runs(guard.form.engine());
            let mut refusing = guard.rules.iter().filter(|(r, _)| refuses(r)).peekable();
            if !runs || !guard.writes.iter().any(|(write, _)| refuses(&write.rule)) {
                counts.inert += 1;
            } else if refusing.peek().is_none() {
                counts.elsewhere += 1;
            } else if refusing.any(|(r, _)| r.judged == Judged::Other) {
                counts.other += 1;
            } else {
                counts.judged += 1;
            }
        }
        counts
    }
}

/// How many policies were read, each counted once more by what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GuardCounts {
    pub read: usize,
    /// Of new pods, and it is judged.
    pub judged: usize,
    /// Of new pods, and it is not judged everywhere.
    pub other: usize,
    /// Of other requests alone.
    pub elsewhere: usize,
    /// They refuse nothing: they only warn or report, are in force nowhere, or nobody asks them.
    pub inert: usize,
}
