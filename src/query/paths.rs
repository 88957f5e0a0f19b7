//! The best few paths between two ends, not only the best.
//!
//! Every other proof lacks some edge of the best one, so the next best is the best of those that
//! are forbidden one of its edges each, and so on: Yen's idea, with edges instead of prefixes,
//! because a proof through a gate has no prefix.

use super::filter::Filter;
use super::fingerprint;
use super::search::{Direction, End, Next, Proof, Search, cost_in};
use super::steps::steps;
use crate::graph::{EdgeId, Graph, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// How many proofs are tried for each that is asked for: many differ only in what the steps fold
/// away, such as which of two bindings grants a right.
const TRIES: usize = 200;

/// The `k` best ways from any of `sources` to any of `targets`, the best first, no two of which
/// read alike. `work` limits the edges looked at.
#[must_use]
pub fn best<'g>(
    graph: &'g Graph,
    search: &mut Search<'g>,
    (sources, targets): (&[NodeId], &[NodeId]),
    filter: &Filter,
    k: usize,
    work: usize,
) -> Vec<Proof> {
    let mut left = work;
    search.run(Direction::Backward, targets, filter, None, usize::MAX, |_, _| Next::Expand);
    left = left.saturating_sub(search.work());
    let guide = search.tree();
    let roots: Vec<NodeId> =
        sources.iter().copied().filter(|s| targets.binary_search(s).is_err()).collect();
    let mut one = |bans: &BTreeSet<EdgeId>, left: &mut usize| {
        let mut filter = filter.clone();
        bans.iter().for_each(|edge| filter.avoid_edge(*edge));
        let visit = |node: NodeId, _| {
            if guide.key(node) == 0 { Next::Stop } else { Next::Expand }
        };
        let end = search.run(Direction::Forward, &roots, &filter, Some(&guide), *left, visit);
        *left = left.saturating_sub(search.work().max(1));
        let End::Stopped(to) = end else { return None };
        Some((search.key(to), search.proof(&filter, to)?))
    };
    let mut waiting: BTreeMap<(u64, Vec<EdgeId>, BTreeSet<EdgeId>), Proof> = BTreeMap::new();
    let edges = |proof: &Proof| proof.links.iter().map(|l| l.edge).collect::<Vec<_>>();
    let none = BTreeSet::new();
    if let Some((key, proof)) = one(&none, &mut left) {
        waiting.insert((key, edges(&proof), none), proof);
    }
    let mut found: Vec<Proof> = Vec::new();
    let mut read: BTreeSet<String> = BTreeSet::new();
    let mut tried: BTreeSet<BTreeSet<EdgeId>> = BTreeSet::new();
    for _ in 0..k.saturating_mul(TRIES) {
        let Some(((_, path, bans), proof)) = waiting.pop_first() else { break };
        if read.insert(fingerprint::path(graph, "", &steps(graph, &proof))) {
            found.push(proof);
            if found.len() == k {
                break;
            }
        }
        for edge in path {
            // Parallel edges of one attack read alike.
            let ((from, to), attack) = (graph.ends(edge), graph.attack(edge));
            // Who holds this node holds a target already: on from there is no other way, but a
            // detour of the same one.
            if cost_in(guide.key(from)) == 0 && roots.binary_search(&from).is_err() {
                continue;
            }
            let alike =
                graph.outgoing(from).filter(|(e, n)| *n == to && graph.attack(*e) == attack);
            let mut bans = bans.clone();
            bans.extend(alike.map(|(e, _)| e));
            if left == 0 || !tried.insert(bans.clone()) {
                continue;
            }
            if let Some((key, proof)) = one(&bans, &mut left) {
                waiting.insert((key, edges(&proof), bans), proof);
            }
        }
    }
    found
}
