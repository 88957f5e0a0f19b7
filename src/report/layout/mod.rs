//! Where nodes, lines and labels of a picture go, from left to right, without Graphviz.
//!
//! Layers after Sugiyama: cycles are opened, nodes are ranked, a line that crosses a layer gets a
//! place of its own there, and so does every label, in a layer between its ends; places are ordered
//! against crossings and then put on the other axis. layout-rs does the last step for pictures of
//! ordinary size (Brandes and Köpf's alignment); a least-squares pass then straightens long lines.
//! Its own ranking, its routing and its drawing are not used: the first takes exponential time on
//! graphs with many paths, the second moves labels onto their neighbours, and both check by panics.

mod heights;
mod layers;
mod order;

use heights::PLACE_GAP;
use layers::Layers;

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
        let long = (0..3000).map(|_| (number(1900), number(1900))).filter(|(a, b)| a != b);
        let ends: Vec<(usize, usize)> = long.collect();
        let sizes = vec![SIZE; 1900];
        assert_eq!(lay_out(&sizes, &lines(&ends)).routes.len(), ends.len());
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
