//! A gate's verdict in words, the same on the command line and in the terminal interface.

use super::{counted, cut, ends};
use crate::graph::Graph;
use crate::query::gate::{Gate, Verdict};
use crate::query::{Answer, Finding};

/// How many answers fail a gate: `gate failed: --fail-on high by 3 of 12 answers`.
#[must_use]
pub fn by_answers(gate: &Gate, verdict: &Verdict) -> String {
    let (text, count, of) = (&gate.text, verdict.answers.len(), verdict.of);
    format!("gate failed: --fail-on {text} by {count} of {of} answers")
}

/// Which finding about the network fails a gate, and how many workloads it counts.
#[must_use]
pub fn by_finding(gate: &Gate, finding: &Finding) -> String {
    let (text, query) = (&gate.text, &finding.query);
    format!("gate failed: --fail-on {text} by {query}: {}", counted(finding))
}

/// All that fails a gate, with the first of the answers and what closes it; nothing where the gate
/// passes.
#[must_use]
pub fn failures(
    gate: &Gate,
    graph: &Graph,
    answers: &[Answer],
    findings: &[Finding],
) -> Vec<String> {
    let verdict = gate.judge(answers, findings);
    let finding = verdict.finding.and_then(|place| findings.get(place));
    let first = verdict.answers.first().and_then(|place| answers.get(*place));
    let answer = first.map(|first| {
        let closes = first.cut.as_ref().map(|c| format!("\n  cheapest cut: {}", cut(graph, c)));
        format!(
            "{}, first of them {}: {} ({}){}",
            by_answers(gate, &verdict),
            first.query,
            ends(graph, first),
            first.fingerprint,
            closes.unwrap_or_default()
        )
    });
    finding.map(|finding| by_finding(gate, finding)).into_iter().chain(answer).collect()
}
