//! Asks a query of the graph and makes its answers.

use super::answer::{Answer, Severity};
use super::closes::Closer;
use super::filter::Filter;
use super::fingerprint;
use super::fold::{Pools, fold};
use super::found::{Finder, Finds, Found, Grown, Way};
use super::library::{Avoid, Goal, Query};
use super::network::{self, Finding};
use super::paths;
use super::risk;
use super::search::{Direction, Link, NEVER, Proof, Search};
use super::steps::steps;
use crate::graph::{Confidence, Fields, Graph, NodeId, Tag, likelihood_of};
use rustc_hash::FxHashMap;
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::rc::Rc;

/// How many edges a query may look at beyond one search of each side.
const WORK: usize = 8_000_000;

/// How many edges a query may look at to find what closes its answers.
const CUT_WORK: usize = 500_000;

/// How many searches are kept for the queries to come. Those of the library that share one stand
/// side by side, and each holds as much as the graph's nodes do.
const KEPT: usize = 2;

/// How much more a question that was typed may cost than one of the library.
const TYPED: usize = 8;

/// How many edges all further paths of a query may cost together.
const MORE_WORK: usize = 100_000_000;

/// The answers of a query.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The worst first.
    pub answers: Vec<Answer>,
    /// How many more there are than the query keeps.
    pub left_out: usize,
    /// Sources of which it is not known whether they have a path: it needs two things at once,
    /// and following it would cost too much.
    pub undecided: usize,
    /// Not every pair was looked at, but each source's nearest target.
    pub partial: bool,
    /// What a question to the network found.
    pub finding: Option<Finding>,
}

/// Asks queries of one graph, and keeps between them what they share.
#[derive(Debug)]
pub struct Asker<'g> {
    graph: &'g Graph,
    search: Search<'g>,
    cache: Vec<(Direction, Vec<Avoid>, Rc<Grown>)>,
    pools: Pools,
    fields: OnceCell<Fields>,
    without: Filter,
    network: Option<network::Shared<'g>>,
}

impl<'g> Asker<'g> {
    /// Gets ready to ask of a graph. O(nodes).
    #[must_use]
    pub fn new(graph: &'g Graph) -> Self {
        let (search, pools) = (Search::new(graph), Pools::new(graph));
        let (fields, without) = (OnceCell::new(), Filter::default());
        Self { graph, search, cache: Vec::new(), pools, fields, without, network: None }
    }

    /// Leaves something out of the answers to every query, beside what the query avoids.
    #[must_use]
    pub fn without(mut self, filter: Filter) -> Self {
        self.without = filter;
        self.cache.clear();
        self
    }

    /// What the searches of a query leave out.
    fn filter(&self, query: &Query) -> Filter {
        let mut filter = self.without.clone();
        query.avoid.iter().for_each(|avoid| avoid.apply(self.graph, &mut filter));
        filter
    }

    /// Lets go of what questions to the network share.
    pub fn forget_network(&mut self) {
        self.network = None;
    }

    /// Asks a query. Ends that match nothing have no answers.
    pub fn ask(&mut self, query: &Query) -> Outcome {
        if let Goal::Network(question) = &query.to {
            let world = self.graph.world();
            let shared = self.network.get_or_insert_with(|| network::Shared::new(world));
            let finding = network::find(self.graph, shared, query, question);
            return Outcome { finding, ..Outcome::default() };
        }
        let more = if query.id.is_empty() { TYPED } else { 1 };
        let filter = self.filter(query);
        let finder = Finder {
            graph: self.graph,
            search: &mut self.search,
            cache: &mut self.cache,
            query,
            filter,
            budget: WORK * more,
            finds: Finds::default(),
        };
        let finds = finder.find();
        let stale = self.cache.len().saturating_sub(KEPT);
        self.cache.drain(..stale);
        let typed = query.id.is_empty();
        let (folded, left_out) = fold(self.graph, &self.pools, &finds, query.limit, typed);
        let mut around = Around { graph: self.graph, known: FxHashMap::default() };
        let proofs: Vec<Proof> =
            folded.iter().map(|f| proof(self.graph, &finds, &finds.found[f.members[0]])).collect();
        let members: Vec<&[usize]> = folded.iter().map(|f| f.members.as_slice()).collect();
        let fields = self.fields.get_or_init(|| self.graph.fields());
        let closer = Closer::new(self.graph, fields, &mut self.search, &finds, CUT_WORK * more);
        let cuts = closer.cuts(&proofs, &members);
        let mut answers: Vec<Answer> = Vec::with_capacity(folded.len());
        for ((group, proof), cut) in folded.iter().zip(&proofs).zip(cuts) {
            let best = &finds.found[group.members[0]];
            let ends = (best.from, best.door(), best.to);
            let mut answer = self.answer(query, group.ends(), ends, proof);
            answer.folded = group.members.len();
            answer.nodes.clone_from(&group.nodes);
            answer.alternatives = around.count(&finds, best, proof);
            answer.cut = cut;
            answers.push(answer);
        }
        answers.sort_by(|a, b| {
            let worse = (b.severity, b.score).partial_cmp(&(a.severity, a.score));
            let door = |answer: &Answer| answer.steps.first().map(|s| s.to);
            let tie =
                |x: &Answer, y: &Answer| (x.from, door(x), x.to).cmp(&(y.from, door(y), y.to));
            worse.unwrap_or(Ordering::Equal).then_with(|| tie(a, b))
        });
        Outcome {
            answers,
            left_out,
            undecided: finds.undecided,
            partial: finds.partial,
            finding: None,
        }
    }

    /// Asks a query for up to `k` paths a pair, no two of which read alike. Further paths of a pair
    /// bear its cut only if they are the first.
    pub fn ask_more(&mut self, query: &Query, k: usize) -> Outcome {
        let mut outcome = self.ask(query);
        if k <= 1 || query.via.is_some() {
            return outcome;
        }
        let firsts = std::mem::take(&mut outcome.answers);
        let share = MORE_WORK / firsts.len().max(1);
        for first in firsts {
            let mut filter = self.filter(query);
            if let Some(door) = first.door(self.graph) {
                filter.only_door(door);
            }
            let ends =
                (&self.within(query, &first, true)[..], &self.within(query, &first, false)[..]);
            let proofs = paths::best(self.graph, &mut self.search, ends, &filter, k, share);
            let mut more = Vec::new();
            for proof in proofs {
                let Some(from) = proof.links.first().map(|l| l.from) else { continue };
                let best = (from, first.door(self.graph), proof.target);
                let mut answer = self.answer(query, (first.from, first.to), best, &proof);
                answer.folded = first.folded;
                answer.alternatives = first.alternatives;
                if answer.fingerprint != first.fingerprint {
                    more.push(answer);
                }
            }
            more.truncate(k - 1);
            outcome.answers.push(first);
            outcome.answers.extend(more);
        }
        outcome
    }

    /// The selected nodes that fold to an end of an answer.
    fn within(&self, query: &Query, answer: &Answer, from: bool) -> Vec<NodeId> {
        let end = if from { answer.from } else { answer.to };
        let selected = match (&query.to, from) {
            (_, true) => query.from.matches(self.graph),
            (Goal::Selected(to), false) => self.graph.with_acting(to.matches(self.graph)),
            (Goal::Outside | Goal::Network(_), false) => vec![end],
        };
        selected.into_iter().filter(|n| self.graph.fold(*n) == end).collect()
    }

    /// The answer to a query that a pair's proof makes: its ends as they are folded, and the pair's
    /// own with its door.
    fn answer(
        &self,
        query: &Query,
        (from, to): (NodeId, NodeId),
        (best_from, door, best_to): (NodeId, Option<NodeId>, NodeId),
        proof: &Proof,
    ) -> Answer {
        let graph = self.graph;
        let steps = steps(graph, proof);
        let likelihood = likelihood_of(proof.cost(graph));
        let impact = risk::impact(graph, best_to);
        let open = risk::is_nobody(graph, best_from) && impact >= 1.0;
        let severity = if open && risk::is_deterministic(graph, proof) {
            Severity::Critical
        } else {
            risk::severity(likelihood, impact)
        };
        let source = fingerprint::key(graph, door.unwrap_or(from));
        Answer {
            query: query.id.clone(),
            severity: severity.min(query.severity),
            score: risk::score(likelihood, impact),
            from,
            to,
            fingerprint: fingerprint::path(graph, &query.id, &steps),
            pair: fingerprint::pair(&query.id, &source, &fingerprint::key(graph, to)),
            likelihood,
            impact,
            confidence: steps.iter().map(|s| s.confidence).max().unwrap_or(Confidence::Certain),
            needs_exploit: proof.links.iter().any(|l| risk::is_exploit(graph.attack(l.edge).id)),
            steps,
            cut: None,
            alternatives: 0,
            folded: 1,
            nodes: Vec::new(),
            system: graph.has(best_from, Tag::System),
        }
    }
}

/// The proof of a pair.
pub(super) fn proof(graph: &Graph, finds: &Finds, found: &Found) -> Proof {
    let nothing = || Proof { target: found.to, links: Vec::new() };
    match finds.way(found) {
        Way::Guided(proof, _) | Way::Alone(proof, _) => (**proof).clone(),
        Way::Tree(place) => {
            let grown = &finds.grown[*place];
            let at = tree_end(grown, found);
            let mut proof = grown.tree.proof(graph, &grown.filter, at).unwrap_or_else(nothing);
            if let (Direction::Backward, Some(door)) = (grown.tree.direction(), found.door()) {
                let open = doors(graph, &grown.filter, found.from, door);
                if let Some(edge) = open.min_by_key(|e| (graph.cost(*e), *e)) {
                    proof.links.insert(0, Link { edge, from: found.from, to: door });
                }
            }
            proof
        }
    }
}

/// The end of a pair that its tree does not start from.
pub(super) fn tree_end(grown: &Grown, found: &Found) -> NodeId {
    match grown.tree.direction() {
        Direction::Forward => found.to,
        Direction::Backward => found.door().unwrap_or(found.from),
    }
}

/// The edges from the internet to one of its doors.
pub(super) fn doors<'g>(
    graph: &'g Graph,
    filter: &Filter,
    internet: NodeId,
    door: NodeId,
) -> impl Iterator<Item = crate::graph::EdgeId> + use<'g> {
    let filter = filter.clone();
    let edges = graph.incoming(door).filter(move |(edge, from)| {
        *from == internet && filter.allows(graph, *edge, internet, door)
    });
    edges.map(|(edge, _)| edge)
}

/// Counts the edges by which one can leave a path, or come to it, and still get from end to end.
struct Around<'g> {
    graph: &'g Graph,
    known: FxHashMap<(usize, NodeId), usize>,
}

impl Around<'_> {
    fn count(&mut self, finds: &Finds, found: &Found, proof: &Proof) -> usize {
        let place = match *finds.way(found) {
            Way::Alone(_, others) => return others,
            Way::Tree(place) | Way::Guided(_, place) => place,
        };
        let (graph, grown) = (self.graph, &finds.grown[place]);
        let forward = grown.tree.direction() == Direction::Forward;
        // From the tree's root outward: the edges of a node towards the root are the choices.
        let mut links = proof.links.clone();
        if !forward {
            links.reverse();
        }
        let far = |link: &Link| if forward { link.to } else { link.from };
        let mut total: usize = 0;
        for (i, link) in links.iter().enumerate() {
            let node = far(link);
            if found.door().is_some() && node == found.from {
                continue;
            }
            let all = self.choices(place, grown, node);
            // Back to a node that the path comes by later is no other way.
            let later: usize =
                links[i + 1..].iter().map(|l| between(graph, forward, node, far(l))).sum();
            total += all.saturating_sub(1 + later);
        }
        total
    }

    fn choices(&mut self, place: usize, grown: &Grown, node: NodeId) -> usize {
        let graph = self.graph;
        *self.known.entry((place, node)).or_insert_with(|| {
            let leads = |near: NodeId| grown.tree.key(near) != NEVER;
            let may = |edge, from, to| grown.filter.allows(graph, edge, from, to);
            match grown.tree.direction() {
                Direction::Forward => graph
                    .incoming(node)
                    .filter(|(e, near)| leads(*near) && may(*e, *near, node))
                    .count(),
                Direction::Backward => graph
                    .outgoing(node)
                    .filter(|(e, near)| leads(*near) && may(*e, node, *near))
                    .count(),
            }
        })
    }
}

/// How many edges lead from `far` to `node` in a forward tree, from `node` to `far` in a backward
/// one.
fn between(graph: &Graph, forward: bool, node: NodeId, far: NodeId) -> usize {
    let (from, to) = if forward { (far, node) } else { (node, far) };
    let (out, into) = (graph.outgoing(from), graph.incoming(to));
    if out.len() < into.len() {
        out.filter(|(_, n)| *n == to).count()
    } else {
        into.filter(|(_, n)| *n == from).count()
    }
}
