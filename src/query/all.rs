//! Asks several queries and ranks what they find together.

use super::answer::Answer;
use super::ask::{Asker, Outcome};
use super::filter::Filter;
use super::library::Query;
use super::network::Finding;
use crate::graph::{Graph, NodeKind};

/// The answers to several queries, the worst first, and what has to be said about them.
#[derive(Debug, Default)]
pub struct Asked {
    /// The answers.
    pub answers: Vec<Answer>,
    /// What questions about the network found, the worst first, in the library's order.
    pub findings: Vec<Finding>,
    /// What was left out, a sentence each.
    pub notes: Vec<String>,
}

/// Asks queries one after another.
#[must_use]
pub fn ask_all(graph: &Graph, queries: &[Query]) -> Asked {
    ask_without(graph, queries, &Filter::default(), &|| false)
}

/// Asks queries one after another, leaving out what `filter` does. Between two of them it asks
/// `stop` whether anybody still waits; if not, what was found so far is all.
#[must_use]
pub fn ask_without(
    graph: &Graph,
    queries: &[Query],
    filter: &Filter,
    stop: &dyn Fn() -> bool,
) -> Asked {
    let mut asker = Asker::new(graph).without(filter.clone());
    let mut asked = Asked::default();
    for query in queries.iter().take_while(|_| !stop()) {
        let outcome = asker.ask(query);
        asked.notes.extend(notes(query, &outcome));
        asked.answers.extend(outcome.answers);
        asked.findings.extend(outcome.finding);
    }
    // Within a severity what begins outside comes first, then what scores higher.
    let outside = |a: &Answer| {
        graph.kind(a.from) == NodeKind::Internet || graph.name(a.from) == "system:anonymous"
    };
    asked.answers.sort_by(|a, b| {
        let first = (b.severity, outside(b)).cmp(&(a.severity, outside(a)));
        first.then_with(|| b.score.total_cmp(&a.score))
    });
    asked.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    asked
}

/// What has to be said about the answers to a query: which there are besides.
#[must_use]
pub fn notes(query: &Query, outcome: &Outcome) -> Vec<String> {
    let mut notes = Vec::new();
    let name = if query.id.is_empty() { "this question" } else { query.id.as_str() };
    if outcome.left_out > 0 {
        let left = outcome.left_out;
        notes.push(format!(
            "{name}: {left} more {} beyond its limit of {} (--limit N keeps more)",
            if left == 1 { "answer is" } else { "answers are" },
            query.limit
        ));
    }
    if outcome.undecided > 0 {
        notes.push(format!(
            "{name}: it is not known whether {} a path: what it needs at once was too much to follow",
            if outcome.undecided == 1 { "1 more start has".to_owned() } else { format!("{} more starts have", outcome.undecided) }
        ));
    }
    if outcome.partial {
        notes.push(format!(
            "{name}: there are too many pairs of ends to look at each, so each start's likeliest path is answered"
        ));
    }
    notes
}
