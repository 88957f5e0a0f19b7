//! The internet's doors: each pair of a door and a target is an answer of its own.

use super::found::{Exact, Finder, Grown, Way};
use super::library::Pairs;
use super::search::{Direction, NEVER};
use crate::graph::{EdgeId, NodeId, NodeKind};
use fixedbitset::FixedBitSet;
use std::rc::Rc;

impl Finder<'_, '_> {
    /// The node behind the internet that a way goes through.
    pub(super) fn first_door(&self, grown: &Grown, to: NodeId) -> Option<NodeId> {
        let mut at = to;
        while let Some((_, near)) = grown.tree.link(self.graph, at) {
            if self.graph.kind(near) == NodeKind::Internet {
                return Some(at);
            }
            at = near;
        }
        // Behind a gate: the first of its proof.
        let proof = grown.tree.proof(self.graph, &grown.filter, at)?;
        proof.links.first().map(|link| link.to)
    }

    /// The internet's other doors: each pair of a door and a target is an answer. `first` is where
    /// the pairs of the best doors begin.
    pub(super) fn by_doors(&mut self, internet: NodeId, targets: &[NodeId], first: usize) {
        let best = self.finds.found.split_off(first);
        let mut doors: Vec<(u64, EdgeId, NodeId)> = Vec::new();
        for (edge, door) in self.graph.outgoing(internet) {
            let cost = u64::from(self.graph.cost(edge));
            match doors.last_mut() {
                Some(last) if last.2 == door => *last = (*last).min((cost, edge, door)),
                _ if self.filter.allows(self.graph, edge, internet, door) => {
                    doors.push((cost, edge, door));
                }
                _ => {}
            }
        }
        let single = doors.len() <= 1;
        if !single && !best.is_empty() {
            doors.sort_unstable();
            let reached: Vec<NodeId> = best.iter().map(|f| f.to).collect();
            if reached.len() <= doors.len() && self.query.pairs == Pairs::All {
                self.doors_to(internet, &reached, &doors);
            } else if doors.len().saturating_mul(self.graph.edge_count()) > self.budget {
                // A search for each door would cost too much: one for all of them finds where each
                // leads most likely, and `best` has each target's likeliest door.
                self.finds.partial = true;
                self.doors_to_nearest(internet, targets, &doors);
            } else {
                for (_, _, door) in doors {
                    if !self.may_go_on() {
                        break;
                    }
                    let mut filter = self.filter.clone();
                    filter.only_door(door);
                    let place = self.grow(Direction::Forward, &[internet], filter, false);
                    let grown = Rc::clone(&self.finds.grown[place]);
                    for to in targets.iter().filter(|t| grown.tree.key(**t) != NEVER) {
                        let key = grown.tree.key(*to);
                        self.finds.add((internet, Some(door), *to), key, Way::Tree(place));
                    }
                }
            }
        }
        // Each target has one best door, and they are in the order of the targets.
        let mut known = FixedBitSet::with_capacity(best.len());
        for found in &self.finds.found[first..] {
            if let Ok(place) = best.binary_search_by_key(&found.to, |f| f.to)
                && best[place].door() == found.door()
            {
                known.insert(place);
            }
        }
        let rest = best.into_iter().enumerate().filter(|(place, _)| !known.contains(*place));
        self.finds.found.extend(rest.map(|(_, found)| found));
    }

    /// Every door's way to the target that it reaches most likely.
    fn doors_to_nearest(
        &mut self,
        internet: NodeId,
        targets: &[NodeId],
        doors: &[(u64, EdgeId, NodeId)],
    ) {
        let place = self.grow(Direction::Backward, targets, self.filter.clone(), true);
        let grown = Rc::clone(&self.finds.grown[place]);
        for (cost, _, door) in doors.iter().filter(|(_, _, d)| grown.tree.key(*d) != NEVER) {
            let (to, gated) = grown.tree.root(self.graph, *door);
            if gated {
                self.finds.undecided += 1;
                continue;
            }
            let key = grown.tree.key(*door).saturating_add(cost << 24);
            self.finds.add((internet, Some(*door), to), key, Way::Tree(place));
        }
    }

    /// Every door's way to a few targets.
    fn doors_to(&mut self, internet: NodeId, targets: &[NodeId], doors: &[(u64, EdgeId, NodeId)]) {
        for to in targets {
            if !self.may_go_on() {
                return;
            }
            let place = self.grow(Direction::Backward, &[*to], self.filter.clone(), true);
            let grown = Rc::clone(&self.finds.grown[place]);
            for (cost, _, door) in doors {
                let key = grown.tree.key(*door);
                if key == NEVER {
                    continue;
                }
                let ends = (internet, Some(*door), *to);
                if !grown.tree.root(self.graph, *door).1 {
                    let key = key.saturating_add(cost << 24);
                    self.finds.add(ends, key, Way::Tree(place));
                    continue;
                }
                let mut filter = self.filter.clone();
                filter.only_door(*door);
                match self.exact(internet, &filter, &grown) {
                    Exact::Proof(proof, key) => {
                        self.finds.add(ends, key, Way::Guided(proof, place));
                    }
                    Exact::Nothing => {}
                    Exact::Unknown => {
                        let without = self.without_gates(&[*to]);
                        let key = self.finds.grown[without].tree.key(*door);
                        if key == NEVER {
                            self.finds.undecided += 1;
                        } else {
                            let key = key.saturating_add(cost << 24);
                            self.finds.add(ends, key, Way::Tree(without));
                        }
                    }
                }
            }
        }
    }
}
