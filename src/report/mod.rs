//! Answers as bytes: one file a format, and one table of them.
//!
//! Every format renders the same [`Report`], which is plain data over the graph. Text from the
//! cluster is made safe here, at the last step, by [`escape`]: each format in its own way.

pub mod around;
pub mod dot;
pub mod escape;
mod findings;
pub mod gate;
mod json;
mod layout;
mod outline;
pub mod pages;
pub mod picture;
pub mod reach;
pub mod svg;
mod text;
mod words;

pub use json::{GraphJson, write_value};

use crate::graph::{EdgeId, Fact, FactView, Graph, NodeId, NodeKind};
use crate::input::{Origin, Problem};
use crate::query::{Answer, Finding, Step, Summary, fingerprint};
use crate::world::coverage::Topic;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What was read, as every report states it.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The arguments, as the user gave them.
    pub inputs: Vec<String>,
    /// Every source that held an object, by its id.
    pub sources: Vec<String>,
    /// How many objects were read, copies included.
    pub objects: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Finds the lines of fields: for each origin and field path, its line in the source.
pub trait Lines {
    /// The 1-based line of each, where it can be told.
    fn lines(&self, wanted: &[(Origin, &str)]) -> Vec<Option<u64>>;
}

/// Everything that a format may show.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The graph that the answers are about.
    pub graph: &'a Graph,
    /// What was read.
    pub snapshot: &'a Snapshot,
    /// What it shows and what it does not.
    pub coverage: &'a [Topic],
    /// The answers to show, the worst first.
    pub answers: &'a [Answer],
    /// What was asked of the network and not of attack paths, the worst first.
    pub findings: &'a [Finding],
    /// How many of the questions were about paths.
    pub paths_asked: usize,
    /// The count of all answers, those not shown too.
    pub summary: Summary,
    /// What else has to be said: what a query left out.
    pub notes: &'a [String],
    /// How a field's line is found.
    pub lines: &'a dyn Lines,
    /// How to write it.
    pub style: Style,
}

impl Report<'_> {
    /// Whether it answers questions to the network alone.
    fn is_of_findings(&self) -> bool {
        self.paths_asked == 0
    }
}

/// How text is written.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Columns to keep to.
    pub width: usize,
    /// Whether to use colour.
    pub colour: bool,
    /// How many answers to print in full; the others are counted.
    pub most: usize,
}

/// A format of reports.
pub struct Format {
    /// Its name, as `-o` takes it.
    pub name: &'static str,
    /// What it is for, in a line of help.
    pub about: &'static str,
    /// Writes a report.
    pub write: fn(&Report<'_>, &mut dyn Write) -> io::Result<()>,
}

/// Every format of `analyze`, `paths` and `query`.
pub const FORMATS: &[Format] = &[
    Format { name: "text", about: "blocks to read, the worst first", write: text::write },
    Format { name: "json", about: "kspm-graph/report/v1, stable", write: json::write },
];

/// One fact with the place where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The fact.
    pub fact: FactView<'a>,
    /// The source's name; empty for what was in none.
    pub source: &'a str,
    /// The line in it, where it can be told.
    pub line: Option<u64>,
    /// Whether it is of the step's own part, before the gate that needs others too.
    pub part: bool,
}

/// The evidence of each step of some answers, with places. The lines of all facts are looked up
/// together, so that each source is read once. `brief` leaves out what only says that a thing is
/// one of a set, or that the parts of a step work together.
fn placed<'a>(
    report: &Report<'a>,
    answers: impl Iterator<Item = &'a Answer>,
    brief: bool,
) -> Vec<Vec<Vec<Placed<'a>>>> {
    let graph = report.graph;
    let mut all = Vec::new();
    let mut wanted = Vec::new();
    for answer in answers {
        let mut steps = Vec::new();
        for step in &answer.steps {
            let facts = facts(graph, step, brief);
            let facts: Vec<(FactView<'a>, bool)> =
                facts.into_iter().map(|(fact, part)| (graph.view(fact), part)).collect();
            wanted.extend(facts.iter().filter_map(|(f, _)| Some((f.origin?, f.field))));
            steps.push(facts);
        }
        all.push(steps);
    }
    let mut lines = report.lines.lines(&wanted).into_iter();
    let mut place = |(fact, part): (FactView<'a>, bool)| {
        let line = fact.origin.and_then(|_| lines.next().flatten());
        let source = fact.origin.and_then(|o| report.snapshot.sources.get(o.source.index()));
        Placed { fact, source: source.map_or("", String::as_str), line, part }
    };
    all.into_iter()
        .map(|steps| {
            steps.into_iter().map(|facts| facts.into_iter().map(&mut place).collect()).collect()
        })
        .collect()
}

/// The facts of a step, each once, and whether each is of the step's own part: before the gate
/// that needs others too. `brief` leaves out what only says that a thing is one of a set, or that
/// the parts of a step work together.
#[must_use]
pub fn facts(graph: &Graph, step: &Step, brief: bool) -> Vec<(Fact, bool)> {
    let gate = step.edges.iter().rposition(|e| is_gate(graph, *e));
    let mut facts: Vec<(Fact, bool)> = Vec::new();
    for (i, edge) in step.edges.iter().enumerate() {
        if brief && graph.attack(*edge).id == crate::attacks::SET_MEMBER {
            continue;
        }
        for fact in graph.facts(*edge) {
            let view = graph.view(fact);
            let known = facts.iter().any(|(known, _)| graph.view(*known) == view);
            if !(known || brief && is_plain(&view)) {
                facts.push((fact, gate.is_some_and(|gate| i <= gate)));
            }
        }
    }
    facts
}

/// Whether an edge leads into a gate.
fn is_gate(graph: &Graph, edge: EdgeId) -> bool {
    graph.kind(graph.ends(edge).1) == NodeKind::Gate
}

/// For each answer the place of an earlier one that says the same: several queries may find one
/// path. Ends and ways agree, and what the answer stands for, the earlier one does too.
#[must_use]
pub fn repeats(graph: &Graph, answers: &[Answer]) -> Vec<Option<usize>> {
    let within = |answer: &Answer, first: &Answer| {
        let end = |node, of| node == of || first.nodes.binary_search(&node).is_ok();
        let nodes = &answer.nodes;
        end(answer.from, first.from)
            && end(answer.to, first.to)
            && nodes.iter().all(|n| first.nodes.binary_search(n).is_ok())
    };
    let mut known: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut repeats = Vec::with_capacity(answers.len());
    for (i, answer) in answers.iter().enumerate() {
        let firsts = known.entry(fingerprint::path(graph, "", &answer.steps)).or_default();
        let first = firsts.iter().copied().find(|first| {
            let first = &answers[*first];
            first.query != answer.query && within(answer, first)
        });
        if first.is_none() {
            firsts.push(i);
        }
        repeats.push(first);
    }
    repeats
}

/// An answer's two ends in a sentence, made safe: `internet reaches cluster-admin`.
#[must_use]
pub fn ends(graph: &Graph, answer: &Answer) -> String {
    format!("{} reaches {}", words::named(graph, answer.from), words::named(graph, answer.to))
}

/// A node in a sentence, made safe: `pod shop/web-0`, `running pods in namespace shop`.
#[must_use]
pub fn named(graph: &Graph, node: NodeId) -> String {
    words::named(graph, node)
}

/// Writes the topics that a snapshot does not show in full, a paragraph each.
///
/// # Errors
///
/// When the output cannot be written.
pub fn write_lacking(topics: &[Topic], width: usize, out: &mut dyn Write) -> io::Result<()> {
    text::topics(topics, width, out)
}

/// Writes text behind a head, its further lines beneath its beginning.
///
/// # Errors
///
/// When the output cannot be written.
pub fn write_hanging(head: &str, text: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    words::hanging(head, text, width, out)
}

/// Whether a fact only says that the parts of a step work together.
#[must_use]
pub fn is_plain(fact: &FactView<'_>) -> bool {
    fact.field.is_empty() && fact.value == crate::attacks::TOGETHER
}

/// The numbers of a finding: `12 of 14 workloads, 1 more perhaps`.
#[must_use]
pub fn counted(finding: &Finding) -> String {
    findings::counted(finding)
}

/// A cut in a sentence, made safe.
#[must_use]
pub fn cut(graph: &Graph, cut: &crate::query::Cut) -> String {
    let placed = Placed { fact: graph.view(cut.fact), source: "", line: None, part: false };
    format!("{} (closes {} of {})", words::change(&placed), cut.closes, cut.of)
}

/// A fact in a line, made safe.
#[must_use]
pub fn fact_text(fact: &FactView<'_>) -> String {
    words::fact_line(&Placed { fact: *fact, source: "", line: None, part: false })
}
