//! Where nodes, lines and labels of a picture go, from left to right, without Graphviz.
//!
//! Layers after Sugiyama: cycles are opened, nodes are ranked, a line that crosses a layer gets a
//! place of its own there, and so does every label, in a layer between its ends; places are ordered
//! against crossings and then put on the other axis. layout-rs does the last step for pictures of
//! ordinary size (Brandes and Köpf's alignment); a least-squares pass then straightens long lines.
//! Its own ranking, its routing and its drawing are not used: the first takes exponential time on
//! graphs with many paths, the second moves labels onto their neighbours, and both check by panics.

use layout::core::base::Orientation;
use layout::core::geometry::{Point as Pair, Position};
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Element, ShapeKind};
use layout::topo::layout::VisualGraph;
use layout::topo::placer::Placer;

/// Between a layer of nodes and the layer of labels beside it, at least.
const LAYER_GAP: f64 = 20.0;
/// How much wider the gap gets where lines climb, in parts of the climb, and at most.
const SLOPE: (f64, f64) = (0.16, 70.0);
/// Between two places of a layer.
const PLACE_GAP: f64 = 14.0;
/// As many places as layout-rs aligns in a fraction of a second; its time grows with their square.
const ALIGNED: usize = 800;
/// Orders that are tried against crossings.
const SWEEPS: usize = 24;

/// A width and a height, or a place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A line to lay out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The size of its label.
    pub(super) label: Point,
}

/// Where a line goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Route {
    /// Flat pieces from left to right, each within a layer: left end, right end, height. Between
    /// two pieces the line swings.
    pub(super) flats: Vec<(f64, f64, f64)>,
    /// The right edge of the layer of its left end and the left edge of that of its right end: up
    /// to the one and from the other on it is level, past the nodes that stand there.
    pub(super) leaves: f64,
    pub(super) arrives: f64,
    /// The middle of its label.
    pub(super) label: Point,
    /// Whether it leads from right to left.
    pub(super) reversed: bool,
}

/// Where everything goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// The middle of each node.
    pub(super) nodes: Vec<Point>,
    /// One for each line.
    pub(super) routes: Vec<Route>,
    /// The size of the whole.
    pub(super) size: Point,
}

/// A place in a layer: a node, or where a line passes.
#[derive(Debug, Clone, Copy)]
struct Place {
    layer: usize,
    size: Point,
    node: bool,
}

/// Places in layers, with the links between neighbouring layers.
#[derive(Debug, Default)]
struct Layers {
    places: Vec<Place>,
    /// From left to right.
    next: Vec<Vec<usize>>,
    previous: Vec<Vec<usize>>,
    /// Each layer's places from top to bottom.
    rows: Vec<Vec<usize>>,
}

/// Lays a picture out. `sizes` are those of the nodes; no line leads from a node to itself. What
/// hangs together is laid out by itself, the largest on top.
pub(super) fn lay_out(sizes: &[Point], lines: &[Line]) -> Layout {
    let mut whole = Layout {
        nodes: vec![Point::default(); sizes.len()],
        routes: vec![Route::default(); lines.len()],
        size: Point::default(),
    };
    for (members, own) in parts(sizes.len(), lines) {
        let part_sizes: Vec<Point> = members.iter().map(|m| sizes[*m]).collect();
        let place = |node: usize| members.binary_search(&node).unwrap_or(0);
        let local = |l: &usize| {
            let line = lines[*l];
            Line { from: place(line.from), to: place(line.to), label: line.label }
        };
        let part_lines: Vec<Line> = own.iter().map(local).collect();
        let part = lay_out_part(&part_sizes, &part_lines);
        let top = if whole.size.y > 0.0 { whole.size.y + 2.0 * PLACE_GAP } else { 0.0 };
        for (member, at) in members.iter().zip(part.nodes) {
            whole.nodes[*member] = Point { x: at.x, y: at.y + top };
        }
        for (line, mut route) in own.iter().zip(part.routes) {
            route.label.y += top;
            for flat in &mut route.flats {
                flat.2 += top;
            }
            whole.routes[*line] = route;
        }
        whole.size.x = whole.size.x.max(part.size.x);
        whole.size.y = top + part.size.y;
    }
    whole
}

/// The nodes and lines of each connected part, sorted; the largest part first.
fn parts(count: usize, lines: &[Line]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut near: Vec<Vec<usize>> = vec![Vec::new(); count];
    for line in lines {
        near[line.from].push(line.to);
        near[line.to].push(line.from);
    }
    let mut part_of = vec![usize::MAX; count];
    let mut parts: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    for root in 0..count {
        if part_of[root] != usize::MAX {
            continue;
        }
        part_of[root] = parts.len();
        let mut members = vec![root];
        let mut at = 0;
        while let Some(node) = members.get(at).copied() {
            at += 1;
            for next in &near[node] {
                if part_of[*next] == usize::MAX {
                    part_of[*next] = parts.len();
                    members.push(*next);
                }
            }
        }
        members.sort_unstable();
        parts.push((members, Vec::new()));
    }
    for (i, line) in lines.iter().enumerate() {
        parts[part_of[line.from]].1.push(i);
    }
    parts.sort_by_key(|(members, _)| std::cmp::Reverse(members.len()));
    parts
}

fn lay_out_part(sizes: &[Point], lines: &[Line]) -> Layout {
    let ends = without_cycles(sizes.len(), lines);
    let ranks = ranks(sizes.len(), &ends);
    let (mut layers, chains) = Layers::new(sizes, lines, &ends, &ranks);
    layers.order();
    let heights = layers.heights(&chains, &ends);
    layers.place(&heights, &chains, lines, &ends)
}

/// The lines' ends, each from left to right: a line that closes a cycle is turned around.
fn without_cycles(count: usize, lines: &[Line]) -> Vec<(usize, usize)> {
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut entered = vec![false; count];
    for line in lines {
        out[line.from].push(line.to);
        entered[line.to] = true;
    }
    // A walk in depth, with the stack in our hands; sources first, so that paths start at the left.
    let mut done = vec![0_usize; count];
    let mut clock = 0;
    let mut seen = vec![false; count];
    let (sources, others): (Vec<usize>, Vec<usize>) = (0..count).partition(|n| !entered[*n]);
    for root in sources.into_iter().chain(others) {
        if seen[root] {
            continue;
        }
        seen[root] = true;
        let mut stack = vec![(root, 0)];
        while let Some((node, at)) = stack.pop() {
            if let Some(next) = out[node].get(at).copied() {
                stack.push((node, at + 1));
                if !seen[next] {
                    seen[next] = true;
                    stack.push((next, 0));
                }
            } else {
                clock += 1;
                done[node] = clock;
            }
        }
    }
    // What is done later stands further left.
    let turned = |l: &Line| if done[l.from] > done[l.to] { (l.from, l.to) } else { (l.to, l.from) };
    lines.iter().map(turned).collect()
}

/// The rank of each node: as far left as its lines allow, but what has no more lines from the left
/// than to the right is drawn to the right, so that a side path stands next to where it joins.
fn ranks(count: usize, ends: &[(usize, usize)]) -> Vec<usize> {
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waiting = vec![0_usize; count];
    for (from, to) in ends {
        out[*from].push(*to);
        waiting[*to] += 1;
    }
    let entering = waiting.clone();
    let mut ranks = vec![0_usize; count];
    let mut ready: Vec<usize> = (0..count).filter(|n| waiting[*n] == 0).collect();
    let mut at = 0;
    while let Some(node) = ready.get(at).copied() {
        at += 1;
        for to in &out[node] {
            ranks[*to] = ranks[*to].max(ranks[node] + 1);
            waiting[*to] -= 1;
            if waiting[*to] == 0 {
                ready.push(*to);
            }
        }
    }
    // `ready` holds all nodes now, each before those it leads to.
    for node in ready.into_iter().rev() {
        let nearest = out[node].iter().map(|to| ranks[*to]).min();
        if let Some(nearest) = nearest.filter(|_| out[node].len() >= entering[node]) {
            ranks[node] = nearest.saturating_sub(1);
        }
    }
    ranks
}

impl Layers {
    /// Nodes stand in even layers, labels in odd ones; also gives each line's places on its way.
    fn new(
        sizes: &[Point],
        lines: &[Line],
        ends: &[(usize, usize)],
        ranks: &[usize],
    ) -> (Self, Vec<Vec<usize>>) {
        let mut layers = Self::default();
        for (size, rank) in sizes.iter().zip(ranks) {
            layers.add(Place { layer: rank * 2, size: *size, node: true });
        }
        let mut chains = Vec::with_capacity(lines.len());
        for (line, (from, to)) in lines.iter().zip(ends) {
            let (first, last) = (ranks[*from] * 2, ranks[*to] * 2);
            // The odd layer next to the middle, on the side of where the line comes from.
            let labelled = first + 1 + (last - first - 2) / 4 * 2;
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

    /// Orders each layer so that few lines cross: each place goes to the mean of its neighbours,
    /// from the left and from the right in turn, and the best order is kept.
    fn order(&mut self) {
        self.order_by_walk();
        let mut best = self.rows.clone();
        let mut fewest = self.crossings();
        for sweep in 0..SWEEPS {
            if fewest == 0 {
                break;
            }
            let last = self.rows.len() - 1;
            let position = &mut self.positions();
            for step in 0..last {
                let (layer, near) = if sweep % 2 == 0 {
                    (step + 1, &self.previous)
                } else {
                    (last - 1 - step, &self.next)
                };
                let mean = |place: &usize| {
                    let near = &near[*place];
                    let sum: usize = near.iter().map(|n| position[*n]).sum();
                    if near.is_empty() {
                        real(position[*place])
                    } else {
                        real(sum) / real(near.len())
                    }
                };
                let mut row: Vec<(f64, usize)> =
                    self.rows[layer].iter().map(|p| (mean(p), *p)).collect();
                // Every other pair of sweeps turns ties around, to get out of a rut.
                if sweep % 4 > 1 {
                    row.reverse();
                }
                row.sort_by(|a, b| a.0.total_cmp(&b.0));
                for (at, (_, place)) in row.iter().enumerate() {
                    position[*place] = at;
                }
                self.rows[layer] = row.into_iter().map(|(_, place)| place).collect();
            }
            let crossings = self.crossings();
            if crossings < fewest {
                fewest = crossings;
                best.clone_from(&self.rows);
            }
        }
        self.rows = best;
        self.exchange();
    }

    /// The first order: as a walk in depth from the left meets the places, which keeps what
    /// belongs together side by side.
    fn order_by_walk(&mut self) {
        let mut met = vec![usize::MAX; self.places.len()];
        let mut clock = 0;
        let roots: Vec<usize> = self.rows.iter().flatten().copied().collect();
        for root in roots {
            let mut stack = vec![root];
            while let Some(place) = stack.pop() {
                if met[place] == usize::MAX {
                    met[place] = clock;
                    clock += 1;
                    stack.extend(self.next[place].iter().rev());
                }
            }
        }
        for row in &mut self.rows {
            row.sort_by_key(|place| met[*place]);
        }
    }

    fn positions(&self) -> Vec<usize> {
        let mut positions = vec![0; self.places.len()];
        for row in &self.rows {
            for (at, place) in row.iter().enumerate() {
                positions[*place] = at;
            }
        }
        positions
    }

    /// How many pairs of links cross, counted with a tree of sums.
    fn crossings(&self) -> usize {
        let positions = self.positions();
        let mut crossings = 0;
        for pair in self.rows.windows(2) {
            let (left, right) = (&pair[0], &pair[1]);
            let mut sums = vec![0_usize; right.len() + 1];
            let mut so_far = 0;
            for place in left {
                let mut targets: Vec<usize> =
                    self.next[*place].iter().map(|n| positions[*n]).collect();
                targets.sort_unstable();
                for target in &targets {
                    // Of the links before, those that end at or above this one do not cross it.
                    let (mut above, mut i) = (0, target + 1);
                    while i > 0 {
                        above += sums[i];
                        i &= i - 1;
                    }
                    crossings += so_far - above;
                }
                for target in targets {
                    so_far += 1;
                    let mut i = target + 1;
                    while i < sums.len() {
                        sums[i] += 1;
                        i += i & i.wrapping_neg();
                    }
                }
            }
        }
        crossings
    }

    /// Swaps neighbours while that takes crossings away.
    fn exchange(&mut self) {
        if self.places.len() > ALIGNED * 4 {
            return;
        }
        let mut positions = self.positions();
        for _ in 0..8 {
            let mut better = false;
            for row in &mut self.rows {
                for i in 1..row.len() {
                    let (a, b) = (row[i - 1], row[i]);
                    let mut balance = 0_isize;
                    for near in [&self.previous, &self.next] {
                        for x in &near[a] {
                            for y in &near[b] {
                                balance += match positions[*x].cmp(&positions[*y]) {
                                    std::cmp::Ordering::Greater => 1,
                                    std::cmp::Ordering::Less => -1,
                                    std::cmp::Ordering::Equal => 0,
                                };
                            }
                        }
                    }
                    if balance > 0 {
                        row.swap(i - 1, i);
                        positions.swap(a, b);
                        better = true;
                    }
                }
            }
            if !better {
                break;
            }
        }
    }

    /// How far the middles of two neighbours in a layer must be apart.
    fn apart(&self, upper: usize, lower: usize) -> f64 {
        let (upper, lower) = (&self.places[upper], &self.places[lower]);
        let gap = if upper.node && lower.node { PLACE_GAP * 2.0 } else { PLACE_GAP };
        f64::midpoint(upper.size.y, lower.size.y) + gap
    }

    /// The height of each place's middle.
    fn heights(&self, chains: &[Vec<usize>], ends: &[(usize, usize)]) -> Vec<f64> {
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
        for _ in 0..3 {
            for (chain, ends) in chains.iter().zip(ends) {
                self.straighten(chain, *ends, &mut heights);
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

    /// Makes a line straight where there is room: at the height of one of its ends, or else at the
    /// mean of its own.
    fn straighten(&self, chain: &[usize], ends: (usize, usize), heights: &mut [f64]) {
        let (mut low, mut high, mut sum) = (f64::NEG_INFINITY, f64::INFINITY, 0.0);
        for place in chain {
            let row = &self.rows[self.places[*place].layer];
            let at = row.iter().position(|p| p == place).unwrap_or(0);
            if let Some(above) = at.checked_sub(1).and_then(|i| row.get(i)) {
                low = low.max(heights[*above] + self.apart(*above, *place));
            }
            if let Some(below) = row.get(at + 1) {
                high = high.min(heights[*below] - self.apart(*place, *below));
            }
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

    /// Puts the layers side by side and the lines through them.
    fn place(
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

/// A count as a number to reckon with; pictures are far smaller than what an f64 holds exactly.
fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Point = Point { x: 100.0, y: 40.0 };
    const LABEL: Point = Point { x: 60.0, y: 24.0 };

    fn lines(ends: &[(usize, usize)]) -> Vec<Line> {
        ends.iter().map(|(from, to)| Line { from: *from, to: *to, label: LABEL }).collect()
    }

    /// Every box of a layout, nodes and labels.
    fn boxes(layout: &Layout) -> Vec<(Point, Point)> {
        let nodes = layout.nodes.iter().map(|p| (*p, SIZE));
        nodes.chain(layout.routes.iter().map(|r| (r.label, LABEL))).collect()
    }

    fn check(count: usize, ends: &[(usize, usize)]) -> Layout {
        let layout = lay_out(&vec![SIZE; count], &lines(ends));
        assert_eq!((layout.nodes.len(), layout.routes.len()), (count, ends.len()));
        let boxes = boxes(&layout);
        for (i, (a, size_a)) in boxes.iter().enumerate() {
            assert!(a.x.is_finite() && a.y.is_finite());
            for (b, size_b) in &boxes[..i] {
                let (dx, dy) = ((a.x - b.x).abs(), (a.y - b.y).abs());
                let apart = dx >= (size_a.x + size_b.x) / 2.0 || dy >= (size_a.y + size_b.y) / 2.0;
                assert!(apart, "{a:?} lies on {b:?}");
            }
            assert!(a.x + size_a.x / 2.0 <= layout.size.x + 0.01, "{a:?} {:?}", layout.size);
            assert!(a.y + size_a.y / 2.0 <= layout.size.y + 0.01, "{a:?} {:?}", layout.size);
            assert!(a.x >= size_a.x / 2.0 - 0.01 && a.y >= size_a.y / 2.0 - 0.01, "{a:?}");
        }
        layout
    }

    #[test]
    fn paths_run_from_left_to_right() {
        let layout = check(4, &[(0, 1), (1, 2), (2, 3), (0, 3)]);
        let xs: Vec<f64> = layout.nodes.iter().map(|p| p.x).collect();
        assert!(xs.windows(2).all(|w| w[0] < w[1]), "{xs:?}");
        // A chain is straight but for the line beside it.
        assert!(layout.routes.iter().all(|r| !r.reversed));
    }

    #[test]
    fn any_shape_of_graph_is_laid_out() {
        assert_eq!(lay_out(&[], &[]).nodes.len(), 0);
        check(1, &[]);
        check(5, &[]);
        check(2, &[(0, 1), (0, 1), (0, 1)]);
        let cycle = check(3, &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(cycle.routes.iter().filter(|r| r.reversed).count(), 1);
        check(2, &[(0, 1), (1, 0)]);
        check(6, &[(0, 1), (2, 3), (3, 2), (4, 4 - 1)]);
        let star: Vec<(usize, usize)> = (1..60).map(|n| (0, n)).collect();
        check(60, &star);
        let full: Vec<(usize, usize)> =
            (0..12).flat_map(|a| (0..12).filter(move |b| *b != a).map(move |b| (a, b))).collect();
        check(12, &full);
    }

    #[test]
    fn many_paths_take_little_time() {
        // Twenty diamonds in a row: a million paths.
        let mut ends = Vec::new();
        for k in 0..20 {
            let at = k * 3;
            ends.extend([(at, at + 1), (at, at + 2), (at + 1, at + 3), (at + 2, at + 3)]);
        }
        check(61, &ends);
    }

    #[test]
    fn large_graphs_are_laid_out() {
        // Numbers that look random, the same every time.
        let mut state = 7_u32;
        let mut number = move |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from((state >> 8) % below).unwrap()
        };
        let ends: Vec<(usize, usize)> =
            (0..600).map(|_| (number(300), number(300))).filter(|(a, b)| a != b).collect();
        check(300, &ends);
        let chain: Vec<(usize, usize)> = (1..2000).map(|n| (n - 1, n)).collect();
        check(2000, &chain);
    }

    #[test]
    fn the_same_graph_looks_the_same() {
        let ends = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4), (4, 1)];
        let (a, b) = (check(5, &ends), check(5, &ends));
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
    }
}
