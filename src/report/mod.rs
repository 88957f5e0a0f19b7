//! Answers as bytes: one file a format, and one table of them.
//!
//! Every format renders the same [`Report`], which is plain data over the graph. Text from the
//! cluster is made safe here, at the last step, by [`escape`]: each format in its own way.

pub mod dot;
pub mod escape;
mod json;
mod layout;
mod outline;
pub mod pages;
pub mod picture;
pub mod svg;
mod text;

pub use json::{GraphJson, write_value};

use crate::graph::{FactView, Graph};
use crate::input::{Origin, Problem};
use crate::query::{Answer, Summary};
use crate::world::coverage::Topic;
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
    /// The count of all answers, those not shown too.
    pub summary: Summary,
    /// What else has to be said: what a query left out.
    pub notes: &'a [String],
    /// How a field's line is found.
    pub lines: &'a dyn Lines,
    /// How to write it.
    pub style: Style,
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
}

/// The evidence of each step of some answers, with places. The lines of all facts are looked up
/// together, so that each source is read once. `brief` leaves out what only says that a thing is
/// one of a set.
fn placed<'a>(
    report: &Report<'a>,
    answers: &'a [Answer],
    brief: bool,
) -> Vec<Vec<Vec<Placed<'a>>>> {
    let told = |edge: &&crate::graph::EdgeId| {
        !brief || report.graph.attack(**edge).id != crate::attacks::SET_MEMBER
    };
    let mut all = Vec::new();
    let mut wanted = Vec::new();
    for answer in answers {
        let mut steps = Vec::new();
        for step in &answer.steps {
            let mut facts: Vec<FactView<'a>> = Vec::new();
            for fact in step.edges.iter().filter(told).flat_map(|edge| report.graph.evidence(*edge))
            {
                if !facts.contains(&fact) {
                    facts.push(fact);
                }
            }
            wanted.extend(facts.iter().filter_map(|f| Some((f.origin?, f.field))));
            steps.push(facts);
        }
        all.push(steps);
    }
    let mut lines = report.lines.lines(&wanted).into_iter();
    let mut place = |fact: FactView<'a>| {
        let line = fact.origin.and_then(|_| lines.next().flatten());
        let source = fact.origin.and_then(|o| report.snapshot.sources.get(o.source.index()));
        Placed { fact, source: source.map_or("", String::as_str), line }
    };
    all.into_iter()
        .map(|steps| {
            steps.into_iter().map(|facts| facts.into_iter().map(&mut place).collect()).collect()
        })
        .collect()
}

/// An answer's two ends in a sentence, made safe: `internet reaches cluster-admin`.
#[must_use]
pub fn ends(graph: &Graph, answer: &Answer) -> String {
    format!("{} reaches {}", text::named(graph, answer.from), text::named(graph, answer.to))
}

/// A cut in a sentence, made safe.
#[must_use]
pub fn cut(graph: &Graph, cut: &crate::query::Cut) -> String {
    let placed = Placed { fact: graph.view(cut.fact), source: "", line: None };
    format!("{} (closes {} of {})", text::change(&placed), cut.closes, cut.of)
}

/// A fact in a line, made safe.
#[must_use]
pub fn fact_text(fact: &FactView<'_>) -> String {
    text::fact_line(&Placed { fact: *fact, source: "", line: None })
}
