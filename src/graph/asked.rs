//! What admission leaves of a step: the one place where every edge by a request is weighed.
//!
//! A grant's facts bring the request along that the grant is used in, as a mark among them. When the
//! edge is added the mark gives way to what admission says of the request, where it is sent and by
//! whom: what the API server refuses for sure is no edge, what may be refused is less sure, and what
//! may refuse it stands in the evidence.

use super::attack::{Attack, Odds};
use super::evidence::{Fact, Value};
use super::left::{FREE, Left, State};
use super::{SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Permission, Scope};
use crate::world::hosts::Host;
use crate::world::refusals::Admission;
use crate::world::requests::{Operation, Request};
use crate::world::{NamespaceIx, ObjectId, Principal, World};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// In a fact, no object but a request. It never comes into a record.
const ASKED: ObjectId = ObjectId(u32::MAX - 1);
/// Of how many subjects of a binding each is asked for; more are taken for anybody.
const SUBJECTS: usize = 8;
/// Up to how many namespaces get an edge each; more are put into a set.
const APART: usize = 4;
/// How often a family asks for one principal; who comes later is taken for anybody, so that policies
/// that look at who asks cannot make it long.
const PRINCIPALS: u32 = 50_000;

/// Sets of the cluster whose members are the sets of the same kind of its namespaces.
const PARTED: &[&str] = &[
    "injectable-nodes",
    "injectable-pods",
    "pod-accounts",
    "pods",
    "privileged-pods",
    "secrets",
    "service-accounts",
    "updatable-pods",
];

/// Whether a cluster's set of a kind has the sets of its namespaces as members.
#[must_use]
pub fn is_parted(kind: &SetKind) -> bool {
    PARTED.contains(&kind.id)
}

/// Requests of which any one will do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    any: Vec<Request>,
    /// Empty: of the whole cluster.
    ns: Sym,
    /// What policies say of the pods that come of it is weighed elsewhere.
    without_pods: bool,
}

/// How requests fare in all namespaces.
#[derive(Debug)]
struct Everywhere {
    free: Vec<NamespaceIx>,
    /// Where something may refuse them: the one where they fare best.
    weaker: Option<Left>,
    closed: bool,
}

/// What a sink knows of admission.
#[derive(Debug)]
pub(super) struct Asking<'w> {
    admission: Admission<'w>,
    asked: Vec<Asked>,
    places: FxHashMap<Asked, u32>,
    /// By the requests, where it does not depend on who asks.
    everywhere: FxHashMap<Vec<u32>, Arc<Everywhere>>,
    /// Sets of namespaces that have their members.
    filled: FxHashSet<SetKey>,
    principals: u32,
}

impl<'w> Asking<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        Self {
            admission: Admission::new(world),
            asked: Vec::new(),
            places: FxHashMap::default(),
            everywhere: FxHashMap::default(),
            filled: FxHashSet::default(),
            principals: 0,
        }
    }

    /// Whether a request stands among facts.
    pub(super) fn is_in(&self, facts: &[Fact]) -> bool {
        !self.asked.is_empty() && facts.iter().any(|fact| fact.object == ASKED)
    }

    fn mark(&mut self, asked: Asked) -> Option<Fact> {
        let mut asks = |request: &Request| {
            self.admission.is_asked(request)
                || request.controller().is_some() && self.admission.is_asked(&Request::NEW_POD)
        };
        if !asked.any.iter().any(&mut asks) {
            return None;
        }
        let next = u32::try_from(self.asked.len()).ok()?;
        let place = *self.places.entry(asked.clone()).or_insert_with(|| {
            self.asked.push(asked);
            next
        });
        Some(Fact { object: ASKED, field: Sym(place), value: Value::text(Sym::EMPTY) })
    }
}

impl<'w> Sink<'w> {
    /// The request that a permission is used in, for an edge's facts.
    pub fn asks(&mut self, permission: &Permission, scope: Scope) -> Option<Fact> {
        let any = vec![Request::by(permission)?];
        self.asking.mark(Asked { any, ns: of_scope(scope), without_pods: false })
    }

    /// The requests of a namespace of which any one will do, for an edge's facts.
    pub fn asks_any(&mut self, any: &[Permission], ns: Sym) -> Option<Fact> {
        let any = any.iter().filter_map(Request::by).collect();
        self.asking.mark(Asked { any, ns, without_pods: false })
    }

    pub(super) fn asks_by(&mut self, grant: &Grant<'_>) -> Option<Fact> {
        let world = self.world;
        let first = std::iter::once(&grant.permission);
        let others = grant.others.iter().filter(|other| world.grants_also(grant, other));
        let mut any: Vec<Request> = first.chain(others).filter_map(Request::by).collect();
        // A read among them will do, and nothing is asked about that.
        let reads = grant.others.iter().any(|o| Request::by(o).is_none());
        any.sort_by_key(|r| (r.operation, r.group, r.resource, r.part));
        any.dedup();
        if any.is_empty() || reads {
            return None;
        }
        self.asking.mark(Asked { any, ns: of_scope(grant.scope), without_pods: false })
    }

    /// Facts of who makes pods, for a step whose pods the policies are asked about elsewhere.
    #[must_use]
    pub fn but_for_pods(&mut self, facts: &[Fact]) -> Vec<Fact> {
        let mut left = Vec::with_capacity(facts.len());
        for fact in facts {
            let asked = (fact.object == ASKED)
                .then(|| self.asking.asked.get(fact.field.index()).cloned())
                .flatten();
            match asked {
                Some(asked) => left.extend(self.asking.mark(Asked { without_pods: true, ..asked })),
                None => left.push(*fact),
            }
        }
        left
    }

    /// What admission says of requests.
    pub fn admission(&mut self) -> &mut Admission<'w> {
        &mut self.asking.admission
    }

    /// The facts and what they leave of a new pod of an account, beside what any pod meets;
    /// `None` if it is refused.
    pub fn pod_of(&mut self, ns: NamespaceIx, account: Sym) -> Option<(Odds, Vec<Fact>)> {
        let any = self.asking.admission.refusals(&Request::NEW_POD, Some(ns));
        let own = self.asking.admission.pod_refusals(ns, account);
        let mut left = Left::of(&own, &Request::NEW_POD, true);
        let any = Left::of(&any, &Request::NEW_POD, true);
        if left.state == State::Closed {
            return None;
        }
        left.by.retain(|row| !any.by.contains(row));
        if left.by.is_empty() {
            left = FREE;
        }
        let mut facts = Vec::new();
        self.refusers(&left, &mut facts);
        Some((left.odds(Odds::certain(1.0)), facts))
    }

    /// Adds an edge by requests.
    pub(super) fn weighed(
        &mut self,
        from: Thing<'_>,
        to: Thing<'_>,
        attack: &'static Attack,
        odds: Odds,
        facts: &[Fact],
    ) {
        let (marks, mut plain): (Vec<Fact>, Vec<Fact>) =
            facts.iter().partition(|fact| fact.object == ASKED);
        let mut ids: Vec<u32> = marks.iter().map(|mark| mark.field.0).collect();
        ids.sort_unstable();
        ids.dedup();
        // That rights amount to power takes no request, its use does.
        if attack.structure && !matches!(from, Thing::NamespaceAdmin(_)) {
            return self.put(from, to, attack, odds, &plain);
        }
        let asked = self.requests(&ids);
        let who = self.senders(from);
        let whole = match to {
            Thing::Set(key) if key.ns.is_empty() && key.of == 0 => Some(key),
            _ => None,
        };
        let spread = |a: &Asked| a.ns.is_empty() && a.any.iter().any(|r| !r.cluster);
        let Some(key) = whole.filter(|_| asked.iter().any(spread)) else {
            let left = self.left(&asked, self.place_of(to), &who);
            if left.state != State::Closed {
                self.refusers(&left, &mut plain);
                self.put(from, to, attack, left.odds(odds), &plain);
            }
            return;
        };
        let all = self.everywhere(&ids, &asked, &who);
        let mixed = !all.free.is_empty() && (all.weaker.is_some() || all.closed);
        if !mixed || !is_parted(key.kind) {
            let left = all.weaker.clone().or_else(|| (!all.free.is_empty()).then_some(FREE));
            if let Some(left) = left {
                self.refusers(&left, &mut plain);
                self.put(from, to, attack, left.odds(odds), &plain);
            }
            return;
        }
        // Where nothing may refuse them the step is as sure as without admission.
        for part in self.free(key, &all.free) {
            self.put(from, part, attack, odds, &plain);
        }
        if let Some(left) = &all.weaker {
            self.refusers(left, &mut plain);
            self.put(from, to, attack, left.odds(odds), &plain);
        }
    }

    fn requests(&self, ids: &[u32]) -> Vec<Asked> {
        let asked = ids.iter().filter_map(|id| self.asking.asked.get(*id as usize));
        let mut asked: Vec<Asked> = asked.cloned().collect();
        // What is made by a server-side apply is created, not updated.
        let creates: Vec<(&str, &str)> = asked
            .iter()
            .flat_map(|a| &a.any)
            .filter(|r| r.operation == Operation::Create && r.part.is_empty())
            .map(|r| (r.group, r.resource))
            .collect();
        let is_applied = |r: &Request| {
            r.operation == Operation::Update
                && r.part.is_empty()
                && creates.contains(&(r.group, r.resource))
        };
        asked.retain(|a| !a.any.iter().all(is_applied));
        asked
    }

    /// Who sends the requests of an edge: none, if it may be anybody.
    fn senders(&self, from: Thing<'_>) -> Vec<Principal> {
        match from {
            Thing::Binding(binding) => {
                let subjects = &self.world.bindings[binding.index()].subjects;
                let few = subjects.iter().take(SUBJECTS + 1).map(|s| s.principal);
                let few: Vec<Principal> = few.collect();
                if few.len() > SUBJECTS { Vec::new() } else { few }
            }
            Thing::Account(ix) => vec![Principal::Account(ix)],
            Thing::User(ix) => vec![Principal::User(ix)],
            Thing::Group(ix) => vec![Principal::Group(ix)],
            Thing::NodeIdentity(ix) => vec![Principal::Node(ix)],
            _ => Vec::new(),
        }
    }

    /// The namespace that a thing lies in.
    fn place_of(&self, to: Thing<'_>) -> Option<NamespaceIx> {
        let world = self.world;
        let ns = match to {
            Thing::NamespaceAdmin(ix) | Thing::Namespace(ix) => return Some(ix),
            Thing::Account(ix) => world.accounts[ix.index()].ns,
            Thing::Secret(ix) => world.secrets[ix.index()].ns,
            Thing::Pod(ix) | Thing::Container(Host::Pod(ix), _) => world.pods[ix.index()].ns,
            Thing::Workload(ix) | Thing::Container(Host::Template(ix), _) => {
                world.workloads[ix.index()].ns
            }
            Thing::Claim(ix) => world.claims[ix.index()].ns,
            Thing::Set(key) | Thing::Gate(key) => key.ns,
            _ => return None,
        };
        world.namespace(ns)
    }

    /// What admission leaves of requests, all of which are needed. Those of the whole cluster are
    /// sent to the namespace `at`, or wherever they fare best.
    fn left(&mut self, asked: &[Asked], at: Option<NamespaceIx>, who: &[Principal]) -> Left {
        let mut left = FREE;
        for one in asked {
            let ns = if one.ns.is_empty() { at } else { self.world.namespace(one.ns) };
            let mut best: Option<Left> = None;
            for request in &one.any {
                let spread = ns.is_none()
                    && !request.cluster
                    && !(request.resource == "namespaces"
                        && request.operation == Operation::Create);
                let found = if spread {
                    self.anywhere(request, who, !one.without_pods)
                } else {
                    self.one(request, ns, who, !one.without_pods)
                };
                if best.as_ref().is_none_or(|b| found.state < b.state) {
                    best = Some(found);
                }
            }
            left = left.and(best.unwrap_or(FREE));
        }
        left
    }

    /// The namespace where a request fares best.
    fn anywhere(&mut self, request: &Request, who: &[Principal], policies: bool) -> Left {
        let mut best: Option<Left> = None;
        for i in 0..self.world.namespaces.len() {
            let found = self.one(request, Some(NamespaceIx::new(i)), who, policies);
            if found.state == State::Free {
                return found;
            }
            if best.as_ref().is_none_or(|b| found.state < b.state) {
                best = Some(found);
            }
        }
        best.unwrap_or(FREE)
    }

    /// A request, and the pods that come of it.
    fn one(
        &mut self,
        request: &Request,
        ns: Option<NamespaceIx>,
        who: &[Principal],
        policies: bool,
    ) -> Left {
        let own = policies || *request != Request::NEW_POD;
        let left = self.sent(request, ns, who, own);
        if request.controller().is_none() {
            return left;
        }
        let controller: Vec<Principal> = self.world.controller(request).into_iter().collect();
        left.and(self.sent(&Request::NEW_POD, ns, &controller, policies))
    }

    fn sent(
        &mut self,
        request: &Request,
        ns: Option<NamespaceIx>,
        who: &[Principal],
        policies: bool,
    ) -> Left {
        let any = self.asking.admission.refusals(request, ns);
        let spent = self.asking.principals >= PRINCIPALS;
        if !any.callers || who.is_empty() || spent {
            return Left::of(&any, request, policies);
        }
        let mut found: Option<Left> = None;
        for principal in who {
            self.asking.principals += 1;
            let own = self.asking.admission.refusals_to(request, ns, *principal);
            let own = Left::of(&own, request, policies);
            found = Some(match found {
                None => own,
                // It is refused to some subjects of the binding and not to others.
                Some(other) if other.state != own.state => {
                    let mut left = other.and(own);
                    left.state = State::Unsure;
                    left.by.iter_mut().for_each(|row| row.2 = State::Unsure);
                    left
                }
                Some(other) => other,
            });
        }
        found.unwrap_or(FREE)
    }

    /// How requests fare in each namespace, worked out once for those who ask alike.
    fn everywhere(&mut self, ids: &[u32], asked: &[Asked], who: &[Principal]) -> Arc<Everywhere> {
        if let Some(found) = self.asking.everywhere.get(ids) {
            return Arc::clone(found);
        }
        let before = self.asking.principals;
        let mut all = Everywhere { free: Vec::new(), weaker: None, closed: false };
        for i in 0..self.world.namespaces.len() {
            let ns = NamespaceIx::new(i);
            let left = self.left(asked, Some(ns), who);
            match left.state {
                State::Free => all.free.push(ns),
                State::Closed => all.closed = true,
                State::Unsure | State::Refused => {
                    if all.weaker.as_ref().is_none_or(|w| left.state < w.state) {
                        all.weaker = Some(left);
                    }
                }
            }
        }
        let all = Arc::new(all);
        if self.asking.principals == before {
            self.asking.everywhere.insert(ids.to_vec(), Arc::clone(&all));
        }
        all
    }

    /// What of a cluster's set lies in some namespaces: a few parts, or a set of them.
    fn free(&mut self, key: SetKey, free: &[NamespaceIx]) -> Vec<Thing<'static>> {
        let world = self.world;
        let part = |ns: &NamespaceIx| {
            let namespace = &world.namespaces[ns.index()];
            (namespace, Thing::Set(SetKey { ns: namespace.name, ..key }))
        };
        if free.len() <= APART {
            return free.iter().map(|ns| part(ns).1).collect();
        }
        // The same namespaces make the same set in every sink.
        let mut hasher = FxHasher::default();
        free.hash(&mut hasher);
        let [a, b, c, d, ..] = hasher.finish().to_be_bytes();
        let set = SetKey { of: u32::from_be_bytes([a, b, c, d]).max(1), ..key };
        if let Some(attack) = self.member
            && self.asking.filled.insert(set)
        {
            for ns in free {
                let (namespace, member) = part(ns);
                let fact = self.fact(namespace.object, "", "nothing may refuse it here");
                self.put(Thing::Set(set), member, attack, attack.odds, &[fact]);
            }
        }
        vec![Thing::Set(set)]
    }
}

fn of_scope(scope: Scope) -> Sym {
    match scope {
        Scope::Cluster => Sym::EMPTY,
        Scope::Namespace(ns) => ns,
    }
}
