//! What admission may refuse of a request: which policies and webhooks are asked about it in a
//! namespace, and what they say as far as it is known.
//!
//! Decided once for each request and namespace, and for who asks only where a policy looks at that:
//! linear in the policies that are asked about a request and in the namespaces where somebody may
//! send it.

use super::callers::caller;
use super::cel::{self, Ask, Caller, Looks, Program, Reply};
use super::guarded::{NAME_LABEL, RuleIx};
use super::guards::{Engine, Place, Plain, WriteRule};
use super::requests::{Operation, Request, Taken};
use super::rows::{Operator, Screen, Selector};
use super::{Namespace, NamespaceIx, ObjectId, Principal, World};
use crate::sym::Sym;
use rustc_hash::FxHashMap;
use std::cell::Cell;
use std::sync::Arc;

/// What all evaluation for one family of attacks may cost.
const BUDGET: u64 = 10_000_000;
/// How many that may refuse are named.
const SHOWN: usize = 3;

/// A policy's rule, or a webhook: by its place in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refuser {
    Rule(RuleIx),
    Webhook(u32, u16),
}

/// What admission says of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals {
    /// What of the API server itself refuses it.
    pub closing: Option<Refuser>,
    /// What an engine refuses, which others may be exempt from.
    pub refusing: Option<Refuser>,
    /// Some of what may refuse it.
    pub unsure: Vec<Refuser>,
    /// Whether the engines run is not known.
    pub hidden: bool,
    /// It depends on who asks.
    pub callers: bool,
    /// Of a new pod: it depends on its account.
    pub accounts: bool,
}

impl Refusals {
    /// Nothing may refuse it.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.closing.is_none() && self.refusing.is_none() && self.unsure.is_empty()
    }
}

/// What is asked about a request: everywhere, and in namespaces that it names.
#[derive(Debug, Default)]
struct Matching {
    general: Vec<(Refuser, Taken)>,
    named: FxHashMap<Sym, Vec<(Refuser, Taken)>>,
}

/// A rule, a request, who asks and the account of a new pod.
type Key = (Refuser, Request, Option<Principal>, Option<Sym>);

/// Answers what admission may refuse, and remembers.
#[derive(Debug)]
pub struct Admission<'w> {
    world: &'w World,
    budget: Cell<u64>,
    matching: FxHashMap<Request, Arc<Matching>>,
    /// What does not depend on the namespace.
    kept: FxHashMap<Key, (Reply, Looks)>,
    found: FxHashMap<(Request, Option<NamespaceIx>), Arc<Refusals>>,
    /// Somebody who is no admin of the cluster may switch off policies of the API server.
    liftable: Option<bool>,
}

impl<'w> Admission<'w> {
    /// The admission of a world.
    #[must_use]
    pub fn new(world: &'w World) -> Self {
        Self {
            world,
            budget: Cell::new(BUDGET),
            matching: FxHashMap::default(),
            kept: FxHashMap::default(),
            found: FxHashMap::default(),
            liftable: None,
        }
    }

    fn is_liftable(&mut self) -> bool {
        let world = self.world;
        *self.liftable.get_or_insert_with(|| world.may_lift_policies())
    }

    /// Whether anything is asked about a request.
    pub fn is_asked(&mut self, request: &Request) -> bool {
        if self.world.guards.is_empty() && self.world.webhooks.is_empty() {
            return false;
        }
        let matching = self.matching(request);
        !matching.general.is_empty() || !matching.named.is_empty()
    }

    /// What may refuse a request in a namespace; without one, of what lies in none, or in a
    /// namespace to come.
    pub fn refusals(&mut self, request: &Request, ns: Option<NamespaceIx>) -> Arc<Refusals> {
        if let Some(found) = self.found.get(&(*request, ns)) {
            return Arc::clone(found);
        }
        let found = Arc::new(self.ask(request, ns, None, None));
        self.found.insert((*request, ns), Arc::clone(&found));
        found
    }

    /// The same of a request that somebody sends. Nobody is kept: few policies look at who asks.
    pub fn refusals_to(
        &mut self,
        request: &Request,
        ns: Option<NamespaceIx>,
        who: Principal,
    ) -> Arc<Refusals> {
        let any = self.refusals(request, ns);
        if any.callers { Arc::new(self.ask(request, ns, Some(who), None)) } else { any }
    }

    /// What may refuse a new pod of an account, whoever creates it.
    pub fn pod_refusals(&mut self, ns: NamespaceIx, account: Sym) -> Refusals {
        self.ask(&Request::NEW_POD, Some(ns), None, Some(account))
    }

    fn matching(&mut self, request: &Request) -> Arc<Matching> {
        if let Some(found) = self.matching.get(request) {
            return Arc::clone(found);
        }
        let world = self.world;
        let mut matching = Matching::default();
        for (g, guard) in (0_u32..).zip(&world.guards) {
            let server = guard.form.engine() == Engine::ApiServer;
            if request.is_exempt(server) {
                continue;
            }
            for (r, (write, _)) in (0_u32..).zip(&guard.writes) {
                let taken = write.takes(request);
                let rule = &write.rule;
                let refuses = rule.enforces || rule.overrides.iter().any(|(enforces, _)| *enforces);
                if taken == Taken::No || !refuses {
                    continue;
                }
                let ix = (Refuser::Rule((g, r)), taken);
                let plain = |name: &Sym| !world.text(*name).contains(['*', '?']);
                let fixed = rule
                    .areas
                    .iter()
                    .all(|area| !area.namespaces.is_empty() && area.namespaces.iter().all(plain));
                if fixed {
                    let mut names: Vec<Sym> =
                        rule.areas.iter().flat_map(|a| a.namespaces.iter().copied()).collect();
                    names.sort_unstable();
                    names.dedup();
                    for name in names {
                        matching.named.entry(name).or_default().push(ix);
                    }
                } else {
                    matching.general.push(ix);
                }
            }
        }
        for (c, configuration) in (0_u32..).zip(&world.webhooks) {
            for (s, screen) in (0_u16..).zip(&configuration.screens) {
                let taken = self.takes(screen, request);
                if taken != Taken::No {
                    matching.general.push((Refuser::Webhook(c, s), taken));
                }
            }
        }
        let matching = Arc::new(matching);
        self.matching.insert(*request, Arc::clone(&matching));
        matching
    }

    /// Whether a webhook is asked about a request, and may refuse it for a reason of its own.
    fn takes(&self, screen: &Screen, request: &Request) -> Taken {
        let world = self.world;
        if request.is_exempt(false) {
            return Taken::No;
        }
        // What answers for its own kinds looks at their form.
        let every = |w: &super::requests::Wants| w.groups.iter().any(|g| &**g == "*");
        if !request.is_of_kubernetes() && !screen.asks.wants.iter().any(every) {
            return Taken::No;
        }
        // What an engine refuses stands in its policies.
        let engine = screen.service.and_then(|service| world.engines.of_service(world, service));
        let read = |engine| world.guards.iter().any(|g| g.form.engine() == engine);
        if engine.is_some_and(read) {
            return Taken::No;
        }
        screen.asks.take(request)
    }

    /// `account`: that of a new pod; who creates it does not matter then.
    fn ask(
        &mut self,
        request: &Request,
        ns: Option<NamespaceIx>,
        who: Option<Principal>,
        account: Option<Sym>,
    ) -> Refusals {
        let matching = self.matching(request);
        let world = self.world;
        let mut found = Refusals::default();
        let namespace = ns.filter(|_| !request.cluster).map(|ns| &world.namespaces[ns.index()]);
        let own = namespace.and_then(|n| matching.named.get(&n.name));
        if matching.general.is_empty() && own.is_none() {
            return found;
        }
        let caller = who.map(|who| caller(world, who));
        let seen = Seen::new(world, namespace, request);
        for (ix, taken) in matching.general.iter().chain(own.into_iter().flatten()) {
            let question = Question { ix: *ix, taken: *taken, request, who, account };
            match ix {
                Refuser::Rule(rule) => {
                    self.rule(*rule, &question, &seen, caller.as_ref(), &mut found);
                }
                Refuser::Webhook(c, s) => {
                    let configuration = &world.webhooks[*c as usize];
                    let screen = &configuration.screens[usize::from(*s)];
                    self.webhook(screen, &question, &seen, caller.as_ref(), &mut found);
                }
            }
        }
        found
    }

    fn rule(
        &mut self,
        ix: RuleIx,
        question: &Question<'_>,
        seen: &Seen<'_>,
        caller: Option<&Caller>,
        found: &mut Refusals,
    ) {
        let world = self.world;
        let guard = &world.guards[ix.0 as usize];
        let (write, _) = &guard.writes[ix.1 as usize];
        let engine = guard.form.engine();
        let place = seen.place();
        let left =
            || seen.namespace.is_some_and(|n| world.engines.leaves(world, engine, n, &seen.labels));
        if !write.refuses(&world.symbols, place.as_ref()) || !world.engines.runs(engine) || left() {
            return;
        }
        let reply = match &write.rule.program {
            Some(program) => {
                let skips = write.rule.skips;
                match self.reply(question, program, skips, seen, caller, found) {
                    Reply::Open if write.plain == Plain::Passes => Reply::Passes,
                    reply => reply,
                }
            }
            None => plain(write, question.request),
        };
        let loose = place.as_ref().is_some_and(|p| write.rule.is_loose(&world.symbols, p));
        let sure = question.taken == Taken::Yes && !loose;
        match reply {
            Reply::Passes => return,
            Reply::Refused if sure && engine == Engine::ApiServer && !self.is_liftable() => {
                found.closing.get_or_insert(question.ix);
            }
            Reply::Refused if sure => {
                found.refusing.get_or_insert(question.ix);
            }
            Reply::Refused | Reply::Open if found.unsure.len() < SHOWN => {
                found.unsure.push(question.ix);
            }
            Reply::Refused | Reply::Open => {}
        }
        found.hidden |= world.engines.hidden() && engine != Engine::ApiServer;
    }

    fn webhook(
        &mut self,
        screen: &Screen,
        question: &Question<'_>,
        seen: &Seen<'_>,
        caller: Option<&Caller>,
        found: &mut Refusals,
    ) {
        if !seen.is_selected(self.world, &screen.namespaces) {
            return;
        }
        let conditions = screen.conditions.as_ref();
        let asked = conditions.is_none_or(|program| {
            self.reply(question, program, true, seen, caller, found) != Reply::Passes
        });
        if asked && found.unsure.len() < SHOWN {
            found.unsure.push(question.ix);
        }
    }

    fn reply(
        &mut self,
        question: &Question<'_>,
        program: &Program,
        skips: bool,
        seen: &Seen<'_>,
        caller: Option<&Caller>,
        found: &mut Refusals,
    ) -> Reply {
        let Question { ix, request, who, account, .. } = *question;
        let keys = [(ix, *request, None, account), (ix, *request, who, account)];
        // What is kept of nobody holds for everybody, if who asks does not matter.
        let of_any = self.kept.get(&keys[0]).filter(|(_, marks)| who.is_none() || !marks.caller);
        if let Some((reply, marks)) = self.kept.get(&keys[1]).or(of_any) {
            found.callers |= marks.caller;
            found.accounts |= marks.account;
            return *reply;
        }
        let labels: Vec<(&str, &str)> = seen.texts(self.world);
        let place = cel::Place {
            name: seen.namespace.map(|n| self.world.text(n.name)),
            labels: seen.known.then_some(&labels),
        };
        let account = account.map(|a| self.world.text(a));
        let ask = Ask { request, place, caller, account };
        let replied = program.reply(&ask, skips, &self.budget);
        let marks = replied.looks;
        found.callers |= marks.caller;
        found.accounts |= marks.account;
        let local = replied.local;
        if !local.labels && !local.name && !local.spelling {
            let key = if marks.caller { keys[1] } else { keys[0] };
            self.kept.insert(key, (replied.reply, marks));
        }
        replied.reply
    }
}

/// What is asked of one rule or webhook.
struct Question<'q> {
    ix: Refuser,
    taken: Taken,
    request: &'q Request,
    who: Option<Principal>,
    account: Option<Sym>,
}

/// Where a request is sent to.
struct Seen<'s> {
    namespace: Option<&'s Namespace>,
    name: &'s str,
    /// With the name among them.
    labels: Vec<(Sym, Sym)>,
    /// The labels are all in the snapshot.
    known: bool,
    /// Whoever sends it chooses the labels.
    chosen: bool,
}

impl<'s> Seen<'s> {
    fn new(world: &'s World, namespace: Option<&'s Namespace>, request: &Request) -> Self {
        let mut labels = Vec::new();
        if let Some(namespace) = namespace {
            let key = world.symbols.get(NAME_LABEL);
            labels.extend_from_slice(world.labels_of(namespace.object));
            labels.retain(|(k, _)| Some(*k) != key);
            labels.extend(key.map(|key| (key, namespace.name)));
        }
        let chosen = namespace.is_none()
            && request.resource == "namespaces"
            && request.operation == Operation::Create;
        Self {
            namespace,
            name: namespace.map_or("", |n| world.text(n.name)),
            labels,
            known: namespace.is_some_and(|n| world.objects[n.object.index()].is_present()),
            chosen,
        }
    }

    fn place(&self) -> Option<Place<'_>> {
        self.namespace.map(|_| Place { name: self.name, labels: &self.labels })
    }

    fn texts<'t>(&'t self, world: &'t World) -> Vec<(&'t str, &'t str)> {
        let labels = self.labels.iter().map(|(k, v)| (world.text(*k), world.text(*v)));
        labels.filter(|(k, _)| *k != NAME_LABEL).chain([(NAME_LABEL, self.name)]).collect()
    }

    /// Whether a `namespaceSelector` of a webhook takes it in. It has no say where there is no
    /// namespace (`MatchNamespaceSelector`).
    fn is_selected(&self, world: &World, selector: &Selector) -> bool {
        if self.namespace.is_none() {
            let by_name = |r: &super::rows::Requirement| {
                world.text(r.key) == NAME_LABEL && r.operator == Operator::NotIn
            };
            return !self.chosen || selector.0.iter().all(by_name);
        }
        !self.known || selector.selects(&self.labels)
    }
}

/// What a rule says that is not evaluated.
fn plain(write: &WriteRule, request: &Request) -> Reply {
    let of_pod = request.makes_pods()
        || request.operation == Operation::Update
            && request.group.is_empty()
            && request.resource == "pods"
            && matches!(request.part, "" | "ephemeralcontainers");
    match write.plain {
        Plain::Refuses => Reply::Refused,
        Plain::Passes => Reply::Passes,
        Plain::OfPods if of_pod => Reply::Passes,
        Plain::OfPods | Plain::Other => Reply::Open,
    }
}

impl World {
    /// What may refuse: its object and the field, the binding that puts it in force, and who asks
    /// it, where it is a policy.
    #[must_use]
    pub fn refuser(&self, ix: Refuser) -> (ObjectId, String, Option<ObjectId>, Option<Engine>) {
        match ix {
            Refuser::Rule((g, r)) => {
                let guard = &self.guards[g as usize];
                let (write, binding) = &guard.writes[r as usize];
                let field = self.text(write.rule.field).to_owned();
                (guard.object, field, *binding, Some(guard.form.engine()))
            }
            Refuser::Webhook(c, s) => {
                let configuration = &self.webhooks[c as usize];
                let place = configuration.screens[usize::from(s)].place;
                (configuration.object, format!(".webhooks[{place}].rules"), None, None)
            }
        }
    }
}
