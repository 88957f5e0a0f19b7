//! What a picture shows, whatever draws it: nodes with their looks and labels, and edges.
//!
//! A picture of the whole graph shows every node and edge, sets and gates too. A picture of answers
//! shows their steps, so sets and bindings are folded away as in the answers; a step that needs
//! several things at once keeps its gate. Every text in it has been made visible; what draws it
//! quotes it for its format.

use super::escape;
use crate::graph::{Attack, Confidence, EdgeId, Graph, NodeId, NodeKind, Tag, likelihood_of};
use crate::query::{Answer, Step, is_part};
use std::collections::BTreeMap;

/// How many nodes a picture of a whole graph may have.
pub const LIMIT: usize = 2000;

/// How many columns a name may take.
const NAME_WIDTH: usize = 30;

/// How many columns what a gate needs may take.
const PART_WIDTH: usize = 40;

/// The graph has more nodes than anybody could see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a picture of {nodes} nodes and {edges} edges cannot be read; the limit is {LIMIT} nodes\n\
     help: draw one answer with `--focus QUERY`, `--focus FINGERPRINT` or `--focus SELECTOR`"
)]
pub struct TooLarge {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many edges there are.
    pub edges: usize,
}

/// The outline of a node. Identities are round, goals are octagons, data is paper or a drum, doors
/// are arrows, and what runs is angular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Shape {
    Cloud,
    Octagon,
    Folder,
    Cube,
    Ellipse,
    Pill,
    Hexagon,
    Component,
    Round,
    Trapezium,
    Slanted,
    Note,
    Sheet,
    Drum,
    Arrow,
    Diamond,
}

/// How nodes of a kind look. No two kinds share shape, doubling and dashes, so that they are told
/// apart without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The outline.
    pub shape: Shape,
    /// Whether the outline is drawn twice.
    pub double: bool,
    /// Whether the outline is dashed.
    pub dashed: bool,
    /// The colour inside, light enough for black text.
    pub fill: &'static str,
    /// The colour of the outline.
    pub line: &'static str,
}

const fn look(shape: Shape, marks: &str, fill: &'static str, line: &'static str) -> Look {
    let (mut double, mut dashed) = (false, false);
    let (marks, mut i) = (marks.as_bytes(), 0);
    while i < marks.len() {
        double |= marks[i] == b'=';
        dashed |= marks[i] == b'-';
        i += 1;
    }
    Look { shape, double, dashed, fill, line }
}

/// The look of a kind: `=` doubles the outline, `-` dashes it.
#[must_use]
pub const fn look_of(kind: NodeKind) -> Look {
    match kind {
        NodeKind::Internet => look(Shape::Cloud, "", "#eceff4", "#2e3440"),
        NodeKind::ClusterAdmin => look(Shape::Octagon, "=", "#f4a6a0", "#a3120a"),
        NodeKind::NamespaceAdmin => look(Shape::Octagon, "", "#f8c9a8", "#b3470b"),
        NodeKind::Namespace => look(Shape::Folder, "", "#eef0e0", "#6b7030"),
        NodeKind::Node => look(Shape::Cube, "", "#d3d9e3", "#37445c"),
        NodeKind::NodeIdentity => look(Shape::Ellipse, "-", "#dfe4ee", "#37445c"),
        NodeKind::ServiceAccount => look(Shape::Ellipse, "", "#fbe6a2", "#8a6a00"),
        NodeKind::User => look(Shape::Pill, "", "#fdf0c8", "#8a6a00"),
        NodeKind::Group => look(Shape::Pill, "=", "#fdf4dc", "#8a6a00"),
        NodeKind::CloudIdentity => look(Shape::Pill, "-", "#d4ecf7", "#1b6487"),
        NodeKind::Secret => look(Shape::Note, "", "#e6c9ee", "#6d2381"),
        NodeKind::ConfigMap => look(Shape::Sheet, "", "#efe2f3", "#6d2381"),
        NodeKind::Pod => look(Shape::Hexagon, "", "#c3dcf8", "#124f94"),
        NodeKind::Container => look(Shape::Component, "", "#dcebfc", "#124f94"),
        NodeKind::Workload => look(Shape::Round, "=", "#b4e0dc", "#0b5f57"),
        NodeKind::Role => look(Shape::Trapezium, "", "#e2f0d9", "#3c6e21"),
        NodeKind::ClusterRole => look(Shape::Trapezium, "=", "#cbe5bb", "#3c6e21"),
        NodeKind::RoleBinding => look(Shape::Slanted, "", "#edf5e8", "#3c6e21"),
        NodeKind::ClusterRoleBinding => look(Shape::Slanted, "=", "#dcedd0", "#3c6e21"),
        NodeKind::PersistentVolume => look(Shape::Drum, "", "#e3d5c8", "#6b4524"),
        NodeKind::PersistentVolumeClaim => look(Shape::Drum, "-", "#f0e8e0", "#6b4524"),
        NodeKind::Entry => look(Shape::Arrow, "", "#f9d2dd", "#99264b"),
        NodeKind::Set => look(Shape::Round, "-", "#f7f7f7", "#555555"),
        NodeKind::Gate => look(Shape::Diamond, "", "#ffffff", "#222222"),
    }
}

/// A node as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The graph's number for it.
    pub id: NodeId,
    /// What it is.
    pub kind: NodeKind,
    /// Its kind and what the graph marks it with, to stand small above the name.
    pub heading: String,
    /// Its namespace and name, shortened, a line each if they are long.
    pub lines: Vec<String>,
    /// Kind, namespace and name in full.
    pub title: String,
    /// Whether a path begins here.
    pub start: bool,
    /// Whether a path ends here.
    pub goal: bool,
}

impl Node {
    /// How it looks.
    #[must_use]
    pub const fn look(&self) -> Look {
        look_of(self.kind)
    }
}

/// An edge as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Where it starts, by place in [`Picture::nodes`].
    pub from: usize,
    /// Where it ends, by place in [`Picture::nodes`].
    pub to: usize,
    /// The attack's id; empty where a gate's input says no more than that it is needed.
    pub label: String,
    /// The likelihood and what else is to be said, shorter.
    pub note: String,
    /// The attack in words, with its odds.
    pub title: String,
    /// How likely the step works.
    pub likelihood: f64,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether it is structure rather than an action.
    pub structure: bool,
}

/// Nodes and edges to draw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Picture {
    /// A few words on what is shown.
    pub title: String,
    /// Every node once.
    pub nodes: Vec<Node>,
    /// No edge leads from a node to itself.
    pub edges: Vec<Edge>,
    /// How many nodes without edges are not drawn.
    pub left_out: usize,
}

/// What the lines mean, in the order of [`Confidence`].
pub const LEGEND: &[(Confidence, &str)] = &[
    (Confidence::Certain, "certain: follows from the objects"),
    (Confidence::Likely, "likely: needs a usual condition"),
    (Confidence::Possible, "possible: needs a flaw or luck"),
    (Confidence::Unknown, "unknown: lacks evidence"),
];

impl Picture {
    /// The whole graph, sets and gates included.
    ///
    /// # Errors
    /// When it has more than [`LIMIT`] nodes.
    pub fn of_graph(graph: &Graph) -> Result<Self, TooLarge> {
        let (nodes, edges) = (graph.node_count(), graph.edge_count());
        if nodes > LIMIT {
            return Err(TooLarge { nodes, edges });
        }
        let mut draft = Draft::new(graph);
        for node in graph.nodes() {
            draft.node(node);
        }
        for node in graph.nodes() {
            for (edge, to) in graph.outgoing(node) {
                let likelihood = likelihood_of(u64::from(graph.cost(edge)));
                draft.edge(node, to, graph.attack(edge), likelihood, graph.confidence(edge), "");
            }
        }
        Ok(draft.finish(format!("attack graph: {nodes} nodes, {edges} edges")))
    }

    /// The union of the steps of some answers.
    #[must_use]
    pub fn of_answers(graph: &Graph, answers: &[Answer]) -> Self {
        let mut draft = Draft::new(graph);
        for answer in answers {
            draft.steps(&answer.steps);
            // The ends as the steps know them; an answer's own are folded to workloads.
            let first = answer.steps.first().map_or(answer.from, |s| s.from);
            let last = answer.steps.last().map_or(answer.to, |s| s.to);
            let (first, last) = (draft.node(first), draft.node(last));
            draft.nodes[first].start = true;
            draft.nodes[last].goal = true;
            draft.stand_for(answer);
        }
        let paths = if answers.len() == 1 { "path" } else { "paths" };
        draft.finish(format!("{} attack {paths}", answers.len())).merged()
    }

    /// The picture without what only clutters it: edges that say the same are drawn once, and
    /// nodes without edges are left out unless nothing else is there.
    #[must_use]
    pub fn tidy(&self) -> Self {
        let mut picture = self.clone().merged();
        let mut linked = vec![false; picture.nodes.len()];
        for edge in &picture.edges {
            linked[edge.from] = true;
            linked[edge.to] = true;
        }
        for (node, linked) in picture.nodes.iter().zip(&mut linked) {
            *linked |= node.start || node.goal;
        }
        if linked.iter().any(|l| *l) {
            let mut place = vec![0; linked.len()];
            let mut next = 0;
            for (place, linked) in place.iter_mut().zip(&linked) {
                *place = next;
                next += usize::from(*linked);
            }
            picture.left_out += linked.len() - next;
            let mut keep = linked.iter();
            picture.nodes.retain(|_| keep.next().copied().unwrap_or(true));
            for edge in &mut picture.edges {
                (edge.from, edge.to) = (place[edge.from], place[edge.to]);
            }
        }
        picture
    }

    /// Draws edges between the same nodes that bear the same attack and confidence once, with the
    /// best odds and their number.
    pub(super) fn merged(mut self) -> Self {
        let mut seen: BTreeMap<(usize, usize, String, Confidence), (usize, usize)> =
            BTreeMap::new();
        let mut edges: Vec<Edge> = Vec::new();
        for edge in self.edges {
            let key = (edge.from, edge.to, edge.label.clone(), edge.confidence);
            let (place, count) = seen.entry(key).or_insert((edges.len(), 0));
            *count += 1;
            if *count == 1 {
                edges.push(edge);
            } else if edge.likelihood > edges[*place].likelihood {
                edges[*place] = edge;
            }
        }
        for (place, count) in seen.into_values().filter(|(_, count)| *count > 1) {
            let edge = &mut edges[place];
            if !edge.label.is_empty() {
                edge.title = format!("{} (in {count} ways)", edge.title);
            }
        }
        self.edges = edges;
        self
    }
}

/// A text at the space nearest to its middle.
fn halves(text: &str) -> (&str, &str) {
    let middle = text.len() / 2;
    let spaces = text.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at);
    let at = spaces.min_by_key(|at| at.abs_diff(middle));
    at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))).unwrap_or((text, ""))
}

/// A picture in the making.
pub(super) struct Draft<'g> {
    pub(super) graph: &'g Graph,
    places: BTreeMap<NodeId, usize>,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

impl<'g> Draft<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        Self { graph, places: BTreeMap::new(), nodes: Vec::new(), edges: Vec::new() }
    }

    pub(super) fn finish(self, title: String) -> Picture {
        Picture { title, nodes: self.nodes, edges: self.edges, left_out: 0 }
    }

    pub(super) fn node(&mut self, id: NodeId) -> usize {
        if let Some(place) = self.places.get(&id) {
            return *place;
        }
        let graph = self.graph;
        let kind = graph.kind(id);
        let name = graph.name(id);
        let name = escape::terminal(&name);
        let namespace = graph.namespace(id).map(escape::terminal);
        // A namespace's admin bears the namespace as its name.
        let namespace = namespace.filter(|ns| kind != NodeKind::NamespaceAdmin || *ns != name);
        let path = namespace.as_ref().map_or(name.to_string(), |ns| format!("{ns}/{name}"));
        let spaced = matches!(kind, NodeKind::Set | NodeKind::Gate);
        let lines = match &namespace {
            _ if spaced && escape::columns(&path) > NAME_WIDTH => {
                let (front, back) = halves(&path);
                let short = |half: &str| escape::shorten_middle(half, NAME_WIDTH).into_owned();
                [front, back].into_iter().filter(|h| !h.is_empty()).map(short).collect()
            }
            Some(ns) if escape::columns(&path) > NAME_WIDTH => {
                let ns = format!("{ns}/");
                vec![
                    escape::shorten_middle(&ns, NAME_WIDTH).into_owned(),
                    escape::shorten_middle(&name, NAME_WIDTH).into_owned(),
                ]
            }
            _ => vec![escape::shorten_middle(&path, NAME_WIDTH).into_owned()],
        };
        let tags = Tag::ALL.iter().filter(|(tag, _)| graph.has(id, *tag)).map(|(_, n)| *n);
        // A gate's name says what for, not how.
        let word = if kind == NodeKind::Gate { "Gate: needs all of" } else { kind.name() };
        let heading: Vec<&str> = std::iter::once(word).chain(tags).collect();
        self.nodes.push(Node {
            id,
            kind,
            heading: heading.join(" · "),
            lines,
            title: format!("{} {path}", kind.name()),
            start: false,
            goal: false,
        });
        self.places.insert(id, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    pub(super) fn edge(
        &mut self,
        from: NodeId,
        to: NodeId,
        attack: &Attack,
        likelihood: f64,
        confidence: Confidence,
        more: &str,
    ) {
        let (from, to) = (self.node(from), self.node(to));
        if from == to {
            return;
        }
        let odds = format!("{likelihood:.2}");
        let plain = attack.structure && likelihood >= 0.995;
        let parts = [if plain { "" } else { &odds }, more];
        let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
        let mut title = format!("{}: {odds}, {confidence}", attack.title);
        if !more.is_empty() {
            title = format!("{title}, {more}");
        }
        self.edges.push(Edge {
            from,
            to,
            label: attack.id.to_owned(),
            note: parts.join(" · "),
            title,
            likelihood,
            confidence,
            structure: attack.structure,
        });
    }

    /// Says of the node that an answer shows how many of its pool it stands for.
    fn stand_for(&mut self, answer: &Answer) {
        let shown = answer.nodes.first().and_then(|node| self.places.get(node).copied());
        if let Some(node) = shown.and_then(|place| self.nodes.get_mut(place)) {
            let alike = format!(" · 1 of {} alike", answer.nodes.len());
            // Answers of one picture may stand for different numbers: the first is told.
            if !node.heading.ends_with(" alike") {
                node.heading.push_str(&alike);
                node.title.push_str(&alike);
            }
        }
    }

    /// The steps of one way.
    pub(super) fn steps(&mut self, steps: &[Step]) {
        for (i, step) in steps.iter().enumerate() {
            let gate = self.gate(&step.edges).filter(|gate| *gate == step.to);
            match gate.filter(|_| is_part(steps, i)) {
                Some(gate) => self.input(step.from, gate, &self.part(step), Some(step)),
                None => self.step(step, steps),
            }
        }
    }

    /// One step of an answer; with other steps that it needs, through its gate.
    fn step(&mut self, step: &Step, steps: &[Step]) {
        let more = step.set.map_or_else(String::new, |set| self.any_of(set));
        let gate = self.gate(&step.edges).filter(|_| !step.needs.is_empty());
        let Some(gate) = gate else {
            self.edge(step.from, step.to, step.attack, step.likelihood, step.confidence, &more);
            return;
        };
        let others = step.needs.iter().filter_map(|n| steps.get(*n)).map(|s| s.to);
        let mut inputs: Vec<NodeId> = std::iter::once(step.from).chain(others).collect();
        inputs.sort_unstable();
        inputs.dedup();
        for input in inputs {
            let what = if input == step.from { self.part(step) } else { String::new() };
            self.input(input, gate, &what, None);
        }
        self.edge(gate, step.to, step.attack, step.likelihood, step.confidence, &more);
    }

    /// An input of a gate, which needs all of them, and the step that gains it.
    fn input(&mut self, from: NodeId, gate: NodeId, what: &str, by: Option<&Step>) {
        let (from, to) = (self.node(from), self.node(gate));
        if from == to {
            return;
        }
        let (likelihood, confidence) =
            by.map_or((1.0, Confidence::Certain), |step| (step.likelihood, step.confidence));
        let sure = likelihood >= 0.995 && confidence == Confidence::Certain;
        let title = "is needed together with the others";
        let title = if what.is_empty() { title.to_owned() } else { format!("{what}: {title}") };
        self.edges.push(Edge {
            from,
            to,
            label: escape::shorten_middle(what, PART_WIDTH).into_owned(),
            note: if sure { String::new() } else { format!("{likelihood:.2}") },
            title,
            likelihood,
            confidence,
            structure: sure,
        });
    }

    /// What a step brings to the last gate that it enters, where a set says it.
    fn part(&self, step: &Step) -> String {
        let into =
            step.edges.iter().rfind(|e| self.graph.kind(self.graph.ends(**e).1) == NodeKind::Gate);
        let input = into.map(|edge| self.graph.ends(*edge).0);
        let kind = input.and_then(|input| self.graph.set_kind(input));
        kind.map_or_else(String::new, |kind| kind.noun.to_owned())
    }

    /// The last gate that a step's edges enter.
    fn gate(&self, edges: &[EdgeId]) -> Option<NodeId> {
        let ends = edges.iter().rev().map(|edge| self.graph.ends(*edge).1);
        ends.into_iter().find(|node| self.graph.kind(*node) == NodeKind::Gate)
    }

    /// How a step that reaches one of many says so.
    fn any_of(&self, set: NodeId) -> String {
        let size = self.graph.set_size(set);
        let noun = self.graph.set_kind(set).map_or("things", |kind| kind.noun);
        if size < 2 { String::new() } else { format!("1 of {size} {noun}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_without_colour() {
        let mut looks: Vec<_> = NodeKind::all()
            .map(look_of)
            .map(|look| (look.shape, look.double, look.dashed))
            .collect();
        let all = looks.len();
        looks.sort_unstable();
        looks.dedup();
        assert_eq!(looks.len(), all);
    }

    #[test]
    fn the_error_says_what_to_do() {
        let text = TooLarge { nodes: 5000, edges: 9000 }.to_string();
        assert!(text.contains("5000 nodes") && text.contains("help: ") && text.contains("--focus"));
    }
}
