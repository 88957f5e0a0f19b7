//! Which pairs of ends have a path, and how each is known.
//!
//! One source is one forward search; many sources of one target are one backward search, and an
//! exact search of its own only for a source whose way passes a gate. Sources with the same edges
//! share it. Work is counted in edges looked at, so that what is given up does not depend on the
//! machine.

use super::filter::Filter;
use super::library::{Goal, Pairs, Query};
use super::search::{Direction, End, Link, NEVER, Next, Proof, Search, Tree};
use crate::graph::{Attack, Graph, NodeId, NodeKind};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// A search's result with what it was asked.
#[derive(Debug)]
pub(super) struct Grown {
    pub(super) tree: Tree,
    pub(super) filter: Filter,
    pub(super) roots: Vec<NodeId>,
}

/// How a way is known.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// It stands in a tree.
    Tree(usize),
    /// It needed a search of its own, guided by a tree.
    Guided(Rc<Proof>, usize),
    /// It was found by other means; so many edges lead around it.
    Alone(Rc<Proof>, usize),
}

/// A pair of ends with a path. A query may find more of them than the graph has nodes, so how its
/// way is known stands elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) from: NodeId,
    /// The door, or `from` where there is none.
    behind: NodeId,
    pub(super) to: NodeId,
    /// Its place among the ways.
    way: u32,
    pub(super) key: u64,
}

impl Found {
    /// From the internet: the first node behind it.
    pub(super) fn door(&self) -> Option<NodeId> {
        (self.behind != self.from).then_some(self.behind)
    }
}

/// What is found for one query.
#[derive(Debug, Default)]
pub(super) struct Finds {
    pub(super) grown: Vec<Rc<Grown>>,
    pub(super) found: Vec<Found>,
    /// Pairs of one tree mostly stand side by side, and share the last of these.
    ways: Vec<Way>,
    /// Sources whose way through a gate was not followed to its end.
    pub(super) undecided: usize,
    /// Pairs were left out because the work was used up.
    pub(super) partial: bool,
}

impl Finds {
    /// Adds a pair.
    pub(super) fn add(
        &mut self,
        (from, door, to): (NodeId, Option<NodeId>, NodeId),
        key: u64,
        way: Way,
    ) {
        let same = match (self.ways.last(), &way) {
            (Some(Way::Tree(last)), Way::Tree(place)) => last == place,
            _ => false,
        };
        if !same {
            self.ways.push(way);
        }
        let way = u32::try_from(self.ways.len() - 1).unwrap_or(u32::MAX);
        self.found.push(Found { from, behind: door.unwrap_or(from), to, way, key });
    }

    /// How the way of a pair is known.
    pub(super) fn way(&self, found: &Found) -> &Way {
        &self.ways[found.way as usize]
    }
}

/// The out-edges of a node without its name.
type Shape = Vec<(NodeId, u16, &'static str)>;

/// The first source of a shape, and its way with the key, if it has one.
type Twin = (NodeId, Option<(Rc<Proof>, u64)>);

/// Finds pairs of one query.
pub(super) struct Finder<'a, 'g> {
    pub(super) graph: &'g Graph,
    pub(super) search: &'a mut Search<'g>,
    pub(super) cache: &'a mut Vec<(Direction, Vec<super::library::Avoid>, Rc<Grown>)>,
    pub(super) query: &'a Query,
    pub(super) filter: Filter,
    /// How many edges may still be looked at beyond one search a side.
    pub(super) budget: usize,
    pub(super) finds: Finds,
}

impl Finder<'_, '_> {
    /// Everything that the query asks for.
    pub(super) fn find(mut self) -> Finds {
        let sources = self.query.from.matches(self.graph);
        match &self.query.to {
            Goal::Outside => self.outside(&sources),
            Goal::Network(_) => {}
            Goal::Selected(selector) => {
                let targets = self.graph.with_acting(selector.matches(self.graph));
                let (internet, others): (Vec<NodeId>, Vec<NodeId>) =
                    sources.into_iter().partition(|n| self.graph.kind(*n) == NodeKind::Internet);
                for sources in [internet, others] {
                    if sources.is_empty() || targets.is_empty() {
                        continue;
                    }
                    match &self.query.via {
                        Some(via) => {
                            let via = self.with_pods(via.matches(self.graph));
                            self.by_way_of(&sources, &targets, &via);
                        }
                        None => self.between(&sources, &targets),
                    }
                }
            }
        }
        self.finds
    }

    /// Nodes, and the pods and containers of the workloads among them: a way that passes one of
    /// these passes the workload.
    fn with_pods(&self, mut nodes: Vec<NodeId>) -> Vec<NodeId> {
        let parts = self.graph.nodes_of(|k| matches!(k, NodeKind::Pod | NodeKind::Container));
        let of: Vec<NodeId> = parts
            .filter(|part| {
                let whole = self.graph.fold(*part);
                whole != *part && nodes.binary_search(&whole).is_ok()
            })
            .collect();
        nodes.extend(of);
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    fn between(&mut self, sources: &[NodeId], targets: &[NodeId]) {
        match sources {
            [internet] if self.graph.kind(*internet) == NodeKind::Internet => {
                let first = self.finds.found.len();
                self.reach_from(*internet, targets, self.filter.clone());
                self.by_doors(*internet, targets, first);
            }
            [source] => self.reach_from(*source, targets, self.filter.clone()),
            _ if targets.len() == 1 || self.query.pairs == Pairs::Nearest => {
                self.nearest_of(sources, targets);
            }
            _ if self.query.pairs == Pairs::All && targets.len() <= sources.len() => {
                for target in targets {
                    if !self.may_go_on() {
                        return self.give_up(sources, targets);
                    }
                    self.nearest_of(sources, &[*target]);
                }
            }
            _ => {
                for source in sources {
                    if !self.may_go_on() {
                        return self.give_up(sources, targets);
                    }
                    self.reach_from(*source, targets, self.filter.clone());
                }
            }
        }
    }

    pub(super) fn may_go_on(&mut self) -> bool {
        self.finds.partial |= self.budget == 0;
        self.budget > 0
    }

    /// Too much to answer each pair: the nearest target of each source must do.
    fn give_up(&mut self, sources: &[NodeId], targets: &[NodeId]) {
        let known: FxHashSet<(NodeId, NodeId)> =
            self.finds.found.iter().map(|f| (f.from, f.to)).collect();
        let first = self.finds.found.len();
        self.nearest_of(sources, targets);
        let more = self.finds.found.split_off(first);
        self.finds.found.extend(more.into_iter().filter(|f| !known.contains(&(f.from, f.to))));
    }

    /// Runs a whole search, or takes the one that an earlier query ran.
    pub(super) fn grow(
        &mut self,
        direction: Direction,
        roots: &[NodeId],
        filter: Filter,
        plain: bool,
    ) -> usize {
        let avoid = &self.query.avoid;
        let cached = self.cache.iter().position(|(d, a, grown)| {
            plain && *d == direction && a == avoid && grown.roots == roots
        });
        let grown = match cached {
            Some(place) => {
                // What was used last is kept longest.
                let hit = self.cache.remove(place);
                let grown = Rc::clone(&hit.2);
                self.cache.push(hit);
                grown
            }
            None => {
                let visit = |_, _| Next::Expand;
                self.search.run(direction, roots, &filter, None, usize::MAX, visit);
                let grown = Grown { tree: self.search.tree(), filter, roots: roots.to_vec() };
                let grown = Rc::new(grown);
                // What has many roots is nobody else's.
                if plain && roots.len() == 1 {
                    self.cache.push((direction, avoid.clone(), Rc::clone(&grown)));
                }
                grown
            }
        };
        self.spend(grown.tree.work() + grown.tree.len());
        self.finds.grown.push(grown);
        self.finds.grown.len() - 1
    }

    pub(super) fn spend(&mut self, work: usize) {
        self.budget = self.budget.saturating_sub(work);
    }

    pub(super) fn reach_from(&mut self, source: NodeId, targets: &[NodeId], filter: Filter) {
        let shared = self.graph.kind(source) == NodeKind::Internet;
        let place = if self.query.pairs == Pairs::First {
            let visit = |node: NodeId, _| {
                let ends = node != source && targets.binary_search(&node).is_ok();
                if ends { Next::Skip } else { Next::Expand }
            };
            self.search.run(Direction::Forward, &[source], &filter, None, usize::MAX, visit);
            self.spend(self.search.work());
            let grown = Grown { tree: self.search.tree(), filter, roots: vec![source] };
            self.finds.grown.push(Rc::new(grown));
            self.finds.grown.len() - 1
        } else {
            self.grow(Direction::Forward, &[source], filter, shared)
        };
        let grown = Rc::clone(&self.finds.grown[place]);
        let reached = targets.iter().map(|t| (grown.tree.key(*t), *t));
        let mut reached: Vec<(u64, NodeId)> =
            reached.filter(|(key, to)| *key != NEVER && *to != source).collect();
        if self.query.pairs == Pairs::Nearest {
            reached.sort_unstable();
            reached.truncate(1);
        }
        self.finds.found.reserve_exact(reached.len());
        for (key, to) in reached {
            let door = if shared { self.first_door(&grown, to) } else { None };
            self.finds.add((source, door, to), key, Way::Tree(place));
        }
    }

    /// The ways to some targets that pass no gate, for when the others cannot be followed.
    pub(super) fn without_gates(&mut self, targets: &[NodeId]) -> usize {
        let known = self.finds.grown.iter().position(|g| {
            g.roots == targets
                && g.filter.avoids_gates()
                && g.tree.direction() == Direction::Backward
        });
        known.unwrap_or_else(|| {
            let mut filter = self.filter.clone();
            filter.avoid_gates();
            self.grow(Direction::Backward, targets, filter, false)
        })
    }

    /// The nearest of the targets for each source.
    fn nearest_of(&mut self, sources: &[NodeId], targets: &[NodeId]) {
        let place = self.grow(Direction::Backward, targets, self.filter.clone(), true);
        let grown = Rc::clone(&self.finds.grown[place]);
        let filter = self.filter.clone();
        let mut twins: FxHashMap<Shape, Twin> = FxHashMap::default();
        for from in sources {
            let key = grown.tree.key(*from);
            let (to, gated) = grown.tree.root(self.graph, *from);
            if key == NEVER || to == *from {
                continue;
            }
            if !gated {
                self.finds.add((*from, None, to), key, Way::Tree(place));
                continue;
            }
            let shape = self.shape(*from);
            if let Some((twin, known)) = twins.get(&shape) {
                let way = known
                    .as_ref()
                    .and_then(|(proof, key)| Some((self.transplant(proof, *twin, *from)?, *key)));
                if let Some((proof, key)) = way {
                    self.guided(*from, proof, key, place);
                }
                continue;
            }
            match self.exact(*from, &filter, &grown) {
                Exact::Proof(proof, key) => {
                    twins.insert(shape, (*from, Some((Rc::clone(&proof), key))));
                    self.guided(*from, proof, key, place);
                }
                Exact::Nothing => {
                    twins.insert(shape, (*from, None));
                }
                Exact::Unknown => {
                    let without = self.without_gates(targets);
                    let grown = Rc::clone(&self.finds.grown[without]);
                    let key = grown.tree.key(*from);
                    if key == NEVER {
                        self.finds.undecided += 1;
                    } else {
                        let to = grown.tree.root(self.graph, *from).0;
                        self.finds.add((*from, None, to), key, Way::Tree(without));
                    }
                }
            }
        }
    }

    fn guided(&mut self, from: NodeId, proof: Rc<Proof>, key: u64, place: usize) {
        let to = proof.target;
        self.finds.add((from, None, to), key, Way::Guided(proof, place));
    }

    /// The true way of a source to one of a backward tree's roots.
    pub(super) fn exact(&mut self, from: NodeId, filter: &Filter, guide: &Grown) -> Exact {
        if self.budget == 0 {
            return Exact::Unknown;
        }
        let visit = |node: NodeId, _| {
            let ends = node != from && guide.tree.key(node) == 0;
            if ends { Next::Stop } else { Next::Expand }
        };
        let guided = Some(&guide.tree);
        let end = self.search.run(Direction::Forward, &[from], filter, guided, self.budget, visit);
        self.spend(self.search.work().max(1));
        match end {
            End::Exhausted => Exact::Unknown,
            End::Finished => Exact::Nothing,
            End::Stopped(to) => match self.search.proof(filter, to) {
                Some(proof) => Exact::Proof(Rc::new(proof), self.search.key(to)),
                None => Exact::Nothing,
            },
        }
    }

    /// What tells apart sources that have no edge of their own: nothing.
    fn shape(&self, node: NodeId) -> Shape {
        self.graph
            .outgoing(node)
            .filter(|(edge, to)| self.filter.allows(self.graph, *edge, node, *to))
            .map(|(edge, to)| (to, self.graph.cost(edge), self.graph.attack(edge).id))
            .collect()
    }

    /// The proof of a source, for another with the same edges.
    fn transplant(&self, proof: &Proof, twin: NodeId, from: NodeId) -> Option<Rc<Proof>> {
        let like = |link: &Link| {
            let (cost, attack) = (self.graph.cost(link.edge), self.graph.attack(link.edge));
            let mut own = self.graph.outgoing(from);
            own.find(|(edge, to)| {
                let same: &'static Attack = self.graph.attack(*edge);
                *to == link.to && self.graph.cost(*edge) == cost && same == attack
            })
        };
        let links: Option<Vec<Link>> = proof
            .links
            .iter()
            .map(|link| {
                if link.from != twin {
                    return Some(*link);
                }
                like(link).map(|(edge, to)| Link { edge, from, to })
            })
            .collect();
        Some(Rc::new(Proof { target: proof.target, links: links? }))
    }

    /// Ways that pass one of `via`: the cheapest way there, and the cheapest on from there.
    fn by_way_of(&mut self, sources: &[NodeId], targets: &[NodeId], via: &[NodeId]) {
        let filter = self.filter.clone();
        for to in targets {
            if !self.may_go_on() {
                return;
            }
            let back = self.grow(Direction::Backward, &[*to], filter.clone(), true);
            let back = Rc::clone(&self.finds.grown[back]);
            for from in sources.iter().filter(|s| *s != to && back.tree.key(**s) != NEVER) {
                if !self.may_go_on() {
                    return;
                }
                let there = self.grow(Direction::Forward, &[*from], filter.clone(), true);
                let there = Rc::clone(&self.finds.grown[there]);
                let mut ways: Vec<(u64, NodeId)> = via
                    .iter()
                    .map(|v| (there.tree.key(*v).saturating_add(back.tree.key(*v)), *v))
                    .filter(|(key, v)| *key != NEVER && v != from && v != to)
                    .collect();
                ways.sort_unstable();
                for (_, way) in ways {
                    let Some(mut proof) = there.tree.proof(self.graph, &there.filter, way) else {
                        continue;
                    };
                    let Exact::Proof(rest, _) = self.exact(way, &filter, &back) else { continue };
                    // A way on that comes by what was held before would not need this detour.
                    let held: FxHashSet<NodeId> = proof.links.iter().map(|l| l.to).collect();
                    if rest.links.iter().any(|l| held.contains(&l.to) || l.to == *from) {
                        continue;
                    }
                    proof.links.extend(&rest.links);
                    proof.target = *to;
                    let key = proof.cost(self.graph) << 24;
                    let internet = self.graph.kind(*from) == NodeKind::Internet;
                    let door = proof.links.first().filter(|_| internet).map(|l| l.to);
                    self.finds.add((*from, door, *to), key, Way::Alone(Rc::new(proof), 0));
                    break;
                }
            }
        }
    }
}

/// What a search for the truth found.
pub(super) enum Exact {
    Proof(Rc<Proof>, u64),
    Nothing,
    /// The work is used up.
    Unknown,
}
