//! Which pairs of ends one answer stands for.
//!
//! Replicas of a workload are one thing to who reads a report, and so are the nodes of a pool as
//! long as the way to or from them is the same: a DaemonSet that takes over its nodes is one
//! finding, not one a machine. The cloud identity that one machine bears goes with it: the snapshot
//! does not show which machines share one. Pods and containers are joined whatever their ways, and
//! the best way is answered; nodes only where fingerprints agree, and the answer lists them.

use super::ask::proof;
use super::fingerprint;
use super::found::{Finds, Found};
use super::risk;
use super::search::{Proof, cost_in};
use super::steps::steps;
use crate::graph::{Graph, NodeId, NodeKind, likelihood_of};
use crate::world::UNKNOWN_NODE;
use rustc_hash::{FxHashMap, FxHasher};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// Pairs that one answer stands for.
#[derive(Debug)]
pub(super) struct Folded {
    ends: Joined,
    /// The best first.
    pub(super) members: Vec<usize>,
    /// The nodes that are one of the ends, if it stands for several.
    pub(super) nodes: Vec<NodeId>,
}

impl Folded {
    /// What the ends are folded to.
    pub(super) fn ends(&self) -> (NodeId, NodeId) {
        (self.ends.from, self.ends.to)
    }
}

/// Each machine, its kubelet and its own cloud identity with the first of its pool.
#[derive(Debug, Default)]
pub(super) struct Pools(FxHashMap<NodeId, NodeId>);

impl Pools {
    pub(super) fn new(graph: &Graph) -> Self {
        let world = graph.world();
        let mut first: FxHashMap<(NodeKind, &str), NodeId> = FxHashMap::default();
        let mut pools = FxHashMap::default();
        let is_node = |kind| matches!(kind, NodeKind::Node | NodeKind::NodeIdentity);
        for node in graph.nodes_of(is_node) {
            let name = graph.object_name(node);
            // The node called `unknown` stands for others, of pools that nobody knows.
            let ix = world.symbols.get(name).and_then(|sym| world.node(sym));
            if let Some(ix) = ix.filter(|_| name != UNKNOWN_NODE) {
                let pool = (graph.kind(node), world.pool(ix));
                pools.insert(node, *first.entry(pool).or_insert(node));
            }
        }
        for identity in graph.nodes_of(|kind| kind == NodeKind::CloudIdentity) {
            if let Some(ix) = fingerprint::machine(graph, identity) {
                let pool = (NodeKind::CloudIdentity, world.pool(ix));
                pools.insert(identity, *first.entry(pool).or_insert(identity));
            }
        }
        Self(pools)
    }

    fn of(&self, node: NodeId) -> Option<NodeId> {
        self.0.get(&node).copied()
    }

    /// What a way passes, but for which replica or node of a pool it is.
    fn signature(&self, graph: &Graph, proof: &Proof) -> u64 {
        let mut hasher = FxHasher::default();
        let mut add = |node: NodeId| match graph.kind(node) {
            NodeKind::Set | NodeKind::Gate => {
                graph.set_kind(node).map(|kind| kind.id).hash(&mut hasher);
                graph.namespace(node).hash(&mut hasher);
            }
            NodeKind::Container => (graph.fold(node), graph.part(node)).hash(&mut hasher),
            _ => self.of(node).unwrap_or_else(|| graph.fold(node)).hash(&mut hasher),
        };
        let mut attacks = FxHasher::default();
        for link in &proof.links {
            add(link.from);
            add(link.to);
            graph.attack(link.edge).id.hash(&mut attacks);
        }
        hasher.finish() ^ attacks.finish().rotate_left(32)
    }
}

/// Joins pairs; the best of all first, at most `limit`. Also tells how many more there are.
/// `all` keeps pairs that fold to one thing: that a workload holds its own pods is an answer only
/// to who asks for it.
pub(super) fn fold(
    graph: &Graph,
    pools: &Pools,
    finds: &Finds,
    limit: usize,
    all: bool,
) -> (Vec<Folded>, usize) {
    let (pairs, joined) = by_workload(graph, &finds.found, all);
    // The ways of a pool's nodes are compared for what is shown only: a large cluster has a pair
    // for each node and DaemonSet.
    let (mut first, group_of) = alike(pools, &finds.found, &pairs, &joined);
    first.sort_by(|a, b| joined[*a as usize].order(&joined[*b as usize]));
    let mut left = first.len().saturating_sub(limit);
    first.truncate(limit);
    let place_of = |one: &u32| group_of[*one as usize];
    let places: FxHashMap<u32, usize> =
        first.iter().map(place_of).enumerate().map(|(i, group)| (group, i)).collect();
    let mut groups: Vec<Vec<Folded>> = first.iter().map(|_| Vec::new()).collect();
    for (one, group) in joined.iter().zip(&group_of) {
        if let Some(place) = places.get(group) {
            groups[*place].push(one.with_members(&pairs));
        }
    }
    let mut folded: Vec<Folded> =
        groups.into_iter().flat_map(|group| of_one_way(graph, pools, finds, group)).collect();
    folded.sort_by(|a, b| a.ends.order(&b.ends));
    left += folded.len().saturating_sub(limit);
    folded.truncate(limit);
    (folded, left)
}

/// Pairs whose ends fold to the same workloads, of which a query may have more than the graph has
/// nodes: only those that are kept get lists of their own.
#[derive(Debug, Clone, Copy)]
struct Joined {
    from: NodeId,
    to: NodeId,
    /// Where its pairs begin, and how many there are.
    start: u32,
    len: u32,
    score: f64,
    /// That of the best.
    key: u64,
}

impl Joined {
    fn pairs<'p>(&self, pairs: &'p [u32]) -> &'p [u32] {
        &pairs[self.start as usize..][..self.len as usize]
    }

    fn with_members(&self, pairs: &[u32]) -> Folded {
        let members = self.pairs(pairs).iter().map(|pair| *pair as usize).collect();
        Folded { ends: *self, members, nodes: Vec::new() }
    }

    /// The best first.
    fn order(&self, other: &Self) -> Ordering {
        let place = |one: &Self| (one.key, one.from, one.to);
        other.score.total_cmp(&self.score).then_with(|| place(self).cmp(&place(other)))
    }
}

/// Joins pairs whose ends fold to the same workloads. Returns the pairs, those that belong together
/// one after another and the best of them first, and where which begin.
fn by_workload(graph: &Graph, found: &[Found], all: bool) -> (Vec<u32>, Vec<Joined>) {
    let ends = |pair: &Found| (graph.fold(pair.from), pair.door(), graph.fold(pair.to));
    let kept = |pair: &Found| all || graph.fold(pair.from) != graph.fold(pair.to);
    let mut pairs: Vec<u32> = (0_u32..).zip(found).filter(|p| kept(p.1)).map(|p| p.0).collect();
    pairs.sort_unstable_by_key(|i| {
        let pair = &found[*i as usize];
        (ends(pair), pair.key, pair.from, pair.to, *i)
    });
    let together = || pairs.chunk_by(|a, b| ends(&found[*a as usize]) == ends(&found[*b as usize]));
    let mut joined = Vec::with_capacity(together().count());
    let mut start = 0;
    for members in together() {
        let best = &found[members[0] as usize];
        let (from, _, to) = ends(best);
        let likelihood = likelihood_of(cost_in(best.key));
        let score = risk::score(likelihood, risk::impact(graph, best.to));
        let len = u32::try_from(members.len()).unwrap_or(u32::MAX);
        joined.push(Joined { from, to, start, len, score, key: best.key });
        start += len;
    }
    (pairs, joined)
}

/// Groups those that differ in one end only, as a node of the same pool, and are as likely: their
/// ways may be the same. Returns the first of each group, and the group of each.
fn alike(pools: &Pools, found: &[Found], pairs: &[u32], joined: &[Joined]) -> (Vec<u32>, Vec<u32>) {
    let mut first: Vec<u32> = Vec::new();
    let mut places: FxHashMap<_, u32> = FxHashMap::default();
    let group_of = (0_u32..).zip(joined).map(|(i, one)| {
        let door = one.pairs(pairs).first().and_then(|best| found[*best as usize].door());
        let new = u32::try_from(first.len()).unwrap_or(u32::MAX);
        let ends = match (pools.of(one.from), pools.of(one.to)) {
            (Some(pool), _) => Some((pool, door, one.to)),
            (None, Some(pool)) => Some((one.from, door, pool)),
            (None, None) => None,
        };
        let place = ends
            .map_or(new, |ends| *places.entry((ends, one.key, one.score.to_bits())).or_insert(new));
        if place == new {
            first.push(i);
        }
        place
    });
    let group_of = group_of.collect();
    (first, group_of)
}

/// Joins those whose ways are the same but for the node.
fn of_one_way(graph: &Graph, pools: &Pools, finds: &Finds, group: Vec<Folded>) -> Vec<Folded> {
    if group.len() < 2 {
        return group;
    }
    let mut joined: Vec<Folded> = Vec::new();
    let mut by_signature: FxHashMap<u64, usize> = FxHashMap::default();
    let mut by_fingerprint: FxHashMap<String, usize> = FxHashMap::default();
    for one in group {
        let Some(best) = one.members.first().map(|i| &finds.found[*i]) else { continue };
        let way = proof(graph, finds, best);
        let next = joined.len();
        // A fingerprint costs more than a look at the links, and few of those differ.
        let place = *by_signature.entry(pools.signature(graph, &way)).or_insert_with(|| {
            let read = fingerprint::path(graph, "", &steps(graph, &way));
            *by_fingerprint.entry(read).or_insert(next)
        });
        let of_pool = |one: &Joined| if pools.of(one.from).is_some() { one.from } else { one.to };
        let own = of_pool(&one.ends);
        match joined.get_mut(place) {
            Some(first) => {
                if first.nodes.is_empty() {
                    first.nodes.push(of_pool(&first.ends));
                }
                first.nodes.push(own);
                first.members.extend(one.members);
            }
            None => joined.push(one),
        }
    }
    joined
}
