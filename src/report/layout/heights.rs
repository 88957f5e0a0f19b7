//! Puts the places of each layer at a height: in their order, apart, and where their lines pull.

use super::layers::Layers;
use super::real;
use layout::core::base::Orientation;
use layout::core::geometry::{Point as Pair, Position};
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Element, ShapeKind};
use layout::topo::layout::VisualGraph;
use layout::topo::placer::Placer;

/// Between two places of a layer.
pub(super) const PLACE_GAP: f64 = 14.0;
/// As many places as layout-rs aligns in a fraction of a second; its time grows with their square.
pub(super) const ALIGNED: usize = 800;

impl Layers {
    /// How far the middles of two neighbours in a layer must be apart.
    fn apart(&self, upper: usize, lower: usize) -> f64 {
        let (upper, lower) = (&self.places[upper], &self.places[lower]);
        let gap = if upper.node && lower.node { PLACE_GAP * 2.0 } else { PLACE_GAP };
        f64::midpoint(upper.size.y, lower.size.y) + gap
    }

    /// The height of each place's middle.
    pub(super) fn heights(&self, chains: &[Vec<usize>], ends: &[(usize, usize)]) -> Vec<f64> {
        let mut heights =
            if self.places.len() <= ALIGNED { self.aligned() } else { self.stacked() };
        for round in 0..40 {
            let last = self.rows.len();
            for step in 0..last {
                let layer = if round % 2 == 0 { step } else { last - 1 - step };
                self.settle(&self.rows[layer], &mut heights);
            }
        }
        // What has been straightened may make room for another.
        let positions = self.positions();
        for _ in 0..3 {
            self.level(&positions, &mut heights);
            for (chain, ends) in chains.iter().zip(ends) {
                self.straighten(chain, *ends, &positions, &mut heights);
            }
        }
        let top = |place: usize| heights[place] - self.places[place].size.y / 2.0;
        let highest = (0..heights.len()).map(top).fold(f64::INFINITY, f64::min);
        heights.iter().map(|h| h - highest).collect()
    }

    /// Each layer from the top, around a common middle.
    fn stacked(&self) -> Vec<f64> {
        let mut heights = vec![0.0; self.places.len()];
        for row in &self.rows {
            let mut at = 0.0;
            for (i, place) in row.iter().enumerate() {
                if i > 0 {
                    at += self.apart(row[i - 1], *place);
                }
                heights[*place] = at;
            }
            for place in row {
                heights[*place] -= at / 2.0;
            }
        }
        heights
    }

    /// Brandes and Köpf's heights, by layout-rs. It thinks from top to bottom, so the axes change
    /// places. All of its elements are boxes, which keeps it from moving any of them later.
    fn aligned(&self) -> Vec<f64> {
        let mut graph = VisualGraph::new(Orientation::TopToBottom);
        graph.dag.set_validate(false);
        let none = Pair::zero();
        let look = StyleAttr::simple();
        let mut handles = Vec::with_capacity(self.places.len());
        for place in &self.places {
            let size = Pair::new(place.size.y.max(1.0), place.size.x.max(1.0));
            let shape = ShapeKind::new_box("");
            let mut element = Element::create(shape, look.clone(), Orientation::TopToBottom, size);
            element.pos = Position::new(none, size, none, Pair::splat(PLACE_GAP));
            handles.push(graph.add_node(element));
        }
        for (from, next) in self.next.iter().enumerate() {
            for to in next {
                graph.dag.add_edge(handles[from], handles[*to]);
            }
        }
        let row = |row: &Vec<usize>| row.iter().map(|place| handles[*place]).collect();
        *graph.dag.ranks_mut() = self.rows.iter().map(row).collect();
        Placer::new(&mut graph).layout(false);
        handles.iter().map(|handle| graph.pos(*handle).center().x).collect()
    }

    /// Moves the places of a layer to where their neighbours pull them, in their order and apart:
    /// the least-squares solution, by pooling those that push each other.
    fn settle(&self, row: &[usize], heights: &mut [f64]) {
        /// Places that touch: the sum of the weights, the weighted sum of the wishes, their number.
        struct Pool {
            weight: f64,
            sum: f64,
            len: usize,
        }
        let mut offset = 0.0;
        let mut offsets = Vec::with_capacity(row.len());
        let mut pools: Vec<Pool> = Vec::with_capacity(row.len());
        for (i, place) in row.iter().enumerate() {
            if i > 0 {
                offset += self.apart(row[i - 1], *place);
            }
            offsets.push(offset);
            let (mut weight, mut sum) = (0.0, 0.0);
            for near in self.previous[*place].iter().chain(&self.next[*place]) {
                // Long lines are to be straight; nodes stand in the middle of theirs.
                let pull = match (self.places[*place].node, self.places[*near].node) {
                    (false, false) => 6.0,
                    (true, true) => 1.0,
                    _ => 2.0,
                };
                weight += pull;
                sum += pull * heights[*near];
            }
            if weight <= 0.0 {
                (weight, sum) = (0.1, 0.1 * heights[*place]);
            }
            pools.push(Pool { weight, sum: sum - weight * offset, len: 1 });
            while let [.., upper, lower] = pools.as_mut_slice() {
                if upper.sum / upper.weight < lower.sum / lower.weight {
                    break;
                }
                upper.weight += lower.weight;
                upper.sum += lower.sum;
                upper.len += lower.len;
                pools.pop();
            }
        }
        let mut at = 0;
        for pool in pools {
            for i in at..at + pool.len {
                heights[row[i]] = pool.sum / pool.weight + offsets[i];
            }
            at += pool.len;
        }
    }

    /// Puts nodes that are almost level with the one line from the left, or else with the one to
    /// the right, level with it.
    fn level(&self, positions: &[usize], heights: &mut [f64]) {
        for place in self.rows.iter().flatten().filter(|p| self.places[**p].node) {
            let near = match (self.previous[*place].as_slice(), self.next[*place].as_slice()) {
                ([near], _) | (_, [near]) => heights[*near],
                _ => continue,
            };
            let (low, high) = self.room(*place, positions, heights);
            if (near - heights[*place]).abs() < 12.0 && (low..=high).contains(&near) {
                heights[*place] = near;
            }
        }
    }

    /// Between which heights a place may stand without touching its neighbours.
    fn room(&self, place: usize, positions: &[usize], heights: &[f64]) -> (f64, f64) {
        let (row, at) = (&self.rows[self.places[place].layer], positions[place]);
        let above = at.checked_sub(1).and_then(|i| row.get(i));
        let below = row.get(at + 1);
        (
            above.map_or(f64::NEG_INFINITY, |a| heights[*a] + self.apart(*a, place)),
            below.map_or(f64::INFINITY, |b| heights[*b] - self.apart(place, *b)),
        )
    }

    /// Makes a line straight where there is room: at the height of one of its ends, or else at the
    /// mean of its own.
    fn straighten(
        &self,
        chain: &[usize],
        ends: (usize, usize),
        positions: &[usize],
        heights: &mut [f64],
    ) {
        let (mut low, mut high, mut sum) = (f64::NEG_INFINITY, f64::INFINITY, 0.0);
        for place in chain {
            let room = self.room(*place, positions, heights);
            (low, high) = (low.max(room.0), high.min(room.1));
            sum += heights[*place];
        }
        if low > high || chain.is_empty() {
            return;
        }
        let mean = sum / real(chain.len());
        let near = |end: &f64| (low..=high).contains(end) && (end - mean).abs() < 40.0;
        let level = [heights[ends.0], heights[ends.1]].into_iter().find(near);
        let level = level.unwrap_or_else(|| mean.max(low).min(high));
        for place in chain {
            heights[*place] = level;
        }
    }
}
