//! Pictures of what surrounds one node: its neighbours, the ways that lead away from it, and whom
//! it meets on the network. What there are too many of is drawn as one node that says how many.

use super::escape;
use super::picture::{Draft, Edge, Node, Picture};
use crate::graph::{Confidence, EdgeId, Graph, NodeId, NodeKind, likelihood_of};
use crate::query::Step;

/// How many neighbours of each side are drawn.
pub const NEIGHBOURS: usize = 40;

/// How many columns the name of what is no node may take.
const NAME_WIDTH: usize = 40;

/// A connection of the node in the middle.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The other side, where one node is it.
    pub node: Option<NodeId>,
    /// How it is called, made safe.
    pub name: String,
    /// The ports, made safe.
    pub ports: String,
    /// Whether it is surely allowed; else it is not known.
    pub sure: bool,
}

impl Picture {
    /// A node between what leads to it and what it leads to: the edges of each side with their
    /// other ends, of which the first [`NEIGHBOURS`] are drawn.
    #[must_use]
    pub fn of_neighbours(
        graph: &Graph,
        focus: NodeId,
        sides: [&[(EdgeId, NodeId)]; 2],
        title: String,
    ) -> Self {
        let mut draft = Draft::new(graph);
        let middle = draft.node(focus);
        draft.nodes[middle].goal = true;
        for (edges, out) in sides.into_iter().zip([false, true]) {
            // Several edges of one neighbour are drawn with it.
            let mut drawn: Vec<NodeId> = Vec::new();
            let mut left: Vec<(EdgeId, NodeId)> = Vec::new();
            for (edge, near) in edges {
                if !drawn.contains(near) {
                    if drawn.len() == NEIGHBOURS {
                        left.push((*edge, *near));
                        continue;
                    }
                    drawn.push(*near);
                }
                let (from, to) = if out { (focus, *near) } else { (*near, focus) };
                let likelihood = likelihood_of(u64::from(graph.cost(*edge)));
                draft.edge(from, to, graph.attack(*edge), likelihood, graph.confidence(*edge), "");
            }
            draft.more_neighbours(middle, &left, out);
        }
        draft.finish(title).merged()
    }

    /// The likeliest ways from a node to others; `left` more are not drawn.
    #[must_use]
    pub fn of_ways(
        graph: &Graph,
        focus: NodeId,
        ways: &[(NodeId, Vec<Step>)],
        left: usize,
        title: String,
    ) -> Self {
        let mut draft = Draft::new(graph);
        let middle = draft.node(focus);
        draft.nodes[middle].start = true;
        for (to, steps) in ways {
            draft.steps(steps);
            let end = draft.node(*to);
            draft.nodes[end].goal = true;
        }
        if left > 0 {
            let more = draft.stand_in("more", &format!("{left} more are reached"));
            draft.join(middle, more, "", true);
        }
        draft.finish(title).merged()
    }

    /// Who connects to a node and to whom it connects; `left` more of each are not drawn.
    #[must_use]
    pub fn of_connections(
        graph: &Graph,
        focus: NodeId,
        sides: &[Vec<Connection>; 2],
        left: [usize; 2],
        title: String,
    ) -> Self {
        let mut draft = Draft::new(graph);
        let middle = draft.node(focus);
        draft.nodes[middle].goal = true;
        for ((connections, out), left) in sides.iter().zip([false, true]).zip(left) {
            for one in connections.iter().take(NEIGHBOURS) {
                let place = match one.node.filter(|node| *node != focus) {
                    Some(node) => draft.node(node),
                    None => draft.stand_in("", &one.name),
                };
                let (from, to) = if out { (middle, place) } else { (place, middle) };
                draft.join(from, to, &one.ports, one.sure);
            }
            let left = left + connections.len().saturating_sub(NEIGHBOURS);
            if left > 0 {
                let more = draft.stand_in("more", &format!("{left} more connections"));
                let (from, to) = if out { (middle, more) } else { (more, middle) };
                draft.join(from, to, "", true);
            }
        }
        draft.finish(title).merged()
    }
}

impl Draft<'_> {
    /// Says how many neighbours are not drawn, and by which attack if all are alike in that.
    fn more_neighbours(&mut self, middle: usize, left: &[(EdgeId, NodeId)], out: bool) {
        let Some((first, _)) = left.first() else { return };
        let mut nodes: Vec<NodeId> = left.iter().map(|(_, near)| *near).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let attack = self.graph.attack(*first);
        let alike = left.iter().all(|(edge, _)| self.graph.attack(*edge) == attack);
        let words = if out { "more that it leads to" } else { "more that lead here" };
        let more = self.stand_in("more", &format!("{} {words}", nodes.len()));
        let (from, to) = if out { (middle, more) } else { (more, middle) };
        self.join(from, to, if alike { attack.id } else { "" }, true);
    }

    /// A node that the graph has none for. Its number is one that the graph never comes to.
    fn stand_in(&mut self, heading: &str, name: &str) -> usize {
        let place = self.nodes.len();
        let number = u32::try_from(place).map_or(0, |place| u32::MAX - place);
        self.nodes.push(Node {
            id: NodeId(number),
            kind: NodeKind::Set,
            heading: heading.to_owned(),
            lines: vec![escape::shorten_middle(name, NAME_WIDTH).into_owned()],
            title: name.to_owned(),
            start: false,
            goal: false,
        });
        place
    }

    /// An edge that is no attack.
    fn join(&mut self, from: usize, to: usize, label: &str, sure: bool) {
        let confidence = if sure { Confidence::Certain } else { Confidence::Unknown };
        self.edges.push(Edge {
            from,
            to,
            label: label.to_owned(),
            note: String::new(),
            title: if sure { label.to_owned() } else { format!("{label}: not known") },
            likelihood: 1.0,
            confidence,
            structure: label.is_empty(),
        });
    }
}
