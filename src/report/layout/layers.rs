//! Layers of places, with the links between neighbours, and how they become a layout.

use super::{Layout, Line, Point, Route};

/// Between a layer of nodes and the layer of labels beside it, at least.
const LAYER_GAP: f64 = 20.0;
/// How much wider the gap gets where lines climb, in parts of the climb, and at most.
const SLOPE: (f64, f64) = (0.16, 70.0);
/// As many layers as all lines together may pass with a place in each.
const PASSED: usize = 200_000;

/// A place in a layer: a node, or where a line passes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) layer: usize,
    pub(super) size: Point,
    pub(super) node: bool,
}

/// Places in layers, with the links between neighbouring layers.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) places: Vec<Place>,
    /// From left to right.
    pub(super) next: Vec<Vec<usize>>,
    pub(super) previous: Vec<Vec<usize>>,
    /// Each layer's places from top to bottom.
    pub(super) rows: Vec<Vec<usize>>,
}

impl Layers {
    /// Nodes stand in even layers, labels in odd ones; also gives each line's places on its way.
    pub(super) fn new(
        sizes: &[Point],
        lines: &[Line],
        ends: &[(usize, usize)],
        ranks: &[usize],
    ) -> (Self, Vec<Vec<usize>>) {
        let mut layers = Self::default();
        for (size, rank) in sizes.iter().zip(ranks) {
            layers.add(Place { layer: rank * 2, size: *size, node: true });
        }
        let spans: usize = ends.iter().map(|(from, to)| (ranks[*to] - ranks[*from]) * 2).sum();
        let mut chains = Vec::with_capacity(lines.len());
        for (line, (from, to)) in lines.iter().zip(ends) {
            let (first, last) = (ranks[*from] * 2, ranks[*to] * 2);
            // The odd layer next to the middle, on the side of where the line comes from.
            let labelled = first + 1 + (last - first - 2) / 4 * 2;
            if spans > PASSED && last - first > 8 {
                // Too many to keep out of each other's way: this one swings over what is there.
                let place = layers.add(Place { layer: labelled, size: line.label, node: false });
                chains.push(vec![place]);
                continue;
            }
            let mut chain = Vec::new();
            let mut before = *from;
            for layer in first + 1..last {
                let size = if layer == labelled { line.label } else { Point { x: 0.0, y: 2.0 } };
                let place = layers.add(Place { layer, size, node: false });
                layers.link(before, place);
                chain.push(place);
                before = place;
            }
            layers.link(before, *to);
            chains.push(chain);
        }
        (layers, chains)
    }

    fn add(&mut self, place: Place) -> usize {
        let number = self.places.len();
        if self.rows.len() <= place.layer {
            self.rows.resize(place.layer + 1, Vec::new());
        }
        self.rows[place.layer].push(number);
        self.places.push(place);
        self.next.push(Vec::new());
        self.previous.push(Vec::new());
        number
    }

    fn link(&mut self, from: usize, to: usize) {
        self.next[from].push(to);
        self.previous[to].push(from);
    }

    /// Puts the layers side by side and the lines through them.
    pub(super) fn place(
        &self,
        heights: &[f64],
        chains: &[Vec<usize>],
        lines: &[Line],
        ends: &[(usize, usize)],
    ) -> Layout {
        let mut left = 0.0;
        let mut columns = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let width = row.iter().map(|p| self.places[*p].size.x).fold(0.0, f64::max);
            columns.push((left, left + width));
            let climb = |place: &usize| {
                let next = self.next[*place].iter().map(|n| (heights[*n] - heights[*place]).abs());
                next.fold(0.0, f64::max)
            };
            let steepest = row.iter().map(climb).fold(0.0, f64::max);
            left += width + LAYER_GAP + (steepest * SLOPE.0).min(SLOPE.1);
        }
        let middle = |place: usize| {
            let (from, to) = columns[self.places[place].layer];
            Point { x: f64::midpoint(from, to), y: heights[place] }
        };
        let routes = chains.iter().zip(lines).zip(ends).map(|((chain, line), (from, to))| {
            let label = chain.iter().find(|p| self.places[**p].size.x > 0.0);
            let flat = |place: &usize| {
                let (from, to) = columns[self.places[*place].layer];
                (from, to, heights[*place])
            };
            Route {
                flats: chain.iter().map(flat).collect(),
                leaves: columns[self.places[*from].layer].1,
                arrives: columns[self.places[*to].layer].0,
                label: label.or(chain.first()).map_or_else(Point::default, |p| middle(*p)),
                reversed: *from != line.from,
            }
        });
        let bottom = |place: usize| heights[place] + self.places[place].size.y / 2.0;
        let nodes = self.places.iter().take_while(|p| p.node).count();
        Layout {
            nodes: (0..nodes).map(middle).collect(),
            routes: routes.collect(),
            size: Point {
                x: columns.last().map_or(0.0, |(_, right)| *right),
                y: (0..heights.len()).map(bottom).fold(0.0, f64::max),
            },
        }
    }
}
