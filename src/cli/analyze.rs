//! `analyze`: all path queries over a snapshot, ranked, reported, gated. The CI command.

use super::open::{SnapshotsArg, open};
use super::output::{Output, report_output, style, write_report};
use super::{Context, Exit, Failure};
use crate::attacks::attacks;
use crate::graph::{Confidence, Graph};
use crate::query::gate::{self, Gate};
use crate::query::{Answer, Asked, Finding, Query, Severity, Summary, ask_all, library};
use crate::report::Report;
use crate::world::coverage::{State, Topic};
use std::path::PathBuf;

/// Runs the library of path queries over a snapshot, ranks the answers and reports them.
///
/// Each answer is one pair of ends with the best path between them: numbered steps, the evidence
/// of each step with file and line, the change that closes it, and how many other ways there are.
/// What the snapshot does not tell is said, and is never taken for absent.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph analyze cluster.json
  kubectl get -A -o json pods,roles,rolebindings | kspm-graph analyze -
  kspm-graph analyze dump/ -o text -o json=report.json
  kspm-graph analyze manifests/ --fail-on critical@likely --fail-on query:anonymous-to-anything

--fail-on takes a severity (that or worse) or query:NAME, either with @CONFIDENCE: answers less sure
than that do not count. Display options never change the exit code.")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshots: SnapshotsArg,
    /// A format, and a file to write it to; may be given several times
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_parser = report_output, help_heading = "Output")]
    outputs: Vec<Output>,
    /// How many answers to print in full as text
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Output")]
    top: usize,
    /// Show answers of this severity or worse only
    #[arg(long, value_name = "SEVERITY", value_parser = severity, help_heading = "Output")]
    min_severity: Option<Severity>,
    /// Show answers at least this sure only
    #[arg(long, value_name = "CONFIDENCE", value_parser = confidence, help_heading = "Output")]
    min_confidence: Option<Confidence>,
    /// Also show answers that begin at Kubernetes' own components
    #[arg(long, help_heading = "Output")]
    system: bool,
    /// A folder of further queries, or one query's file; may be given several times
    #[arg(long, value_name = "PATH", help_heading = "Questions")]
    queries: Vec<PathBuf>,
    /// Ask only this query of the library; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Questions")]
    query: Vec<String>,
    /// How many answers to keep of each query, the worst first
    #[arg(long, value_name = "N", help_heading = "Questions")]
    limit: Option<usize>,
    /// Exit with 1 if an answer is this bad; may be given several times
    #[arg(long, value_name = "EXPR", value_parser = gate::parse, help_heading = "Gate")]
    fail_on: Vec<Gate>,
    /// Exit with 4 if the snapshot lacks evidence
    #[arg(long, help_heading = "Gate")]
    fail_on_incomplete: bool,
}

/// Reads a severity.
pub(crate) fn severity(text: &str) -> Result<Severity, String> {
    Severity::named(text).ok_or_else(|| "choose critical, high, medium, low or info".to_owned())
}

/// Reads a confidence.
pub(crate) fn confidence(text: &str) -> Result<Confidence, String> {
    Confidence::named(text).ok_or_else(|| "choose certain, likely, possible or unknown".to_owned())
}

/// The built-in queries and those of the user's files.
pub(crate) fn queries(paths: &[PathBuf]) -> Result<Vec<Query>, Failure> {
    let attacks = attacks();
    let failed = |error: library::Error| Failure::usage(error, None);
    let mut queries = library::builtin(&attacks).map_err(failed)?;
    for path in paths {
        for query in library::load(path, &attacks).map_err(failed)? {
            // A user's query replaces the built-in one of its name.
            queries.retain(|q| q.id != query.id);
            queries.push(query);
        }
    }
    Ok(queries)
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let mut queries = queries(&args.queries)?;
    let named = args.query.iter().map(String::as_str);
    for name in named.chain(args.fail_on.iter().filter_map(Gate::query)) {
        if !queries.iter().any(|q| q.id == name) {
            return Err(super::query::unknown(name, &queries));
        }
    }
    if !args.query.is_empty() {
        queries.retain(|q| args.query.contains(&q.id));
    }
    if let Some(limit) = args.limit {
        queries.iter_mut().for_each(|q| q.limit = limit.max(1));
    }
    let opened = open(&args.snapshots.snapshots, context)?;
    let graph = opened.derive();
    let Asked { mut answers, mut findings, mut notes } = ask_all(&graph, &queries);
    // What begins at Kubernetes' own components is asked for or not; it is no display option.
    let all = answers.len();
    answers.retain(|a| args.system || !a.system);
    let system = all - answers.len();
    if system > 0 {
        let of = if system == 1 { "answer begins" } else { "answers begin" };
        notes.push(format!("{system} {of} at Kubernetes' own components: --system shows them"));
    }
    // The gate sees every answer left: display options never change the exit code.
    let verdict = verdict(args, (&answers, &findings), &opened.coverage, &graph);
    let mut summary = keep_shown(&mut answers, args);
    notes.extend(keep_findings(&mut findings, args));
    if summary.suppressed > 0 {
        let hidden = summary.suppressed;
        let (are, option) = (if hidden == 1 { "answer is" } else { "answers are" }, hiding(args));
        notes.push(format!("{hidden} {are} hidden by {option}"));
    }
    summary.suppressed += system;
    let report = Report {
        graph: &graph,
        snapshot: &opened.snapshot,
        coverage: &opened.coverage,
        answers: &answers,
        findings: &findings,
        paths_asked: queries.iter().filter(|q| !q.is_of_network()).count(),
        summary,
        notes: &notes,
        lines: &opened,
        style: style(context, args.top),
    };
    write_report(&report, &args.outputs, context)?;
    context.out.flush()?;
    for line in &verdict.1 {
        context.error(line);
    }
    Ok(verdict.0)
}

/// The display options that hide answers.
fn hiding(args: &Args) -> &'static str {
    match (args.min_severity, args.min_confidence) {
        (Some(_), Some(_)) => "--min-severity and --min-confidence",
        (None, Some(_)) => "--min-confidence",
        _ => "--min-severity",
    }
}

/// Keeps what the display options leave to show; returns the counts, of what is left out too.
fn keep_shown(answers: &mut Vec<Answer>, args: &Args) -> Summary {
    let least = args.min_severity.unwrap_or(Severity::Info);
    let sure = args.min_confidence.unwrap_or(Confidence::Unknown);
    let all = answers.len();
    answers.retain(|a| a.severity >= least && a.confidence <= sure);
    let mut summary = Summary::of(answers);
    summary.suppressed = all - answers.len();
    summary
}

/// Keeps the findings that the display options leave to show; tells how many are hidden.
fn keep_findings(findings: &mut Vec<Finding>, args: &Args) -> Option<String> {
    let least = args.min_severity.unwrap_or(Severity::Info);
    let sure = args.min_confidence.unwrap_or(Confidence::Unknown);
    let all = findings.len();
    findings.retain(|f| f.severity >= least && f.confidence() <= sure);
    let hidden = all - findings.len();
    let are =
        if hidden == 1 { "finding about the network is" } else { "findings about the network are" };
    (hidden > 0).then(|| format!("{hidden} {are} hidden by {}", hiding(args)))
}

/// The verdict and what has to be said about it: each gate that failed, and by which answer.
fn verdict(
    args: &Args,
    (answers, findings): (&[Answer], &[Finding]),
    coverage: &[Topic],
    graph: &Graph,
) -> (Exit, Vec<String>) {
    let failures = |gate| crate::report::gate::failures(gate, graph, answers, findings);
    let mut said: Vec<String> = args.fail_on.iter().flat_map(failures).collect();
    if !said.is_empty() {
        return (Exit::GateFailed, said);
    }
    let missing = coverage.iter().filter(|t| t.state == State::Missing);
    let lacking: Vec<&str> = missing.map(|t| t.topic).collect();
    if args.fail_on_incomplete && !lacking.is_empty() {
        said.push(format!("evidence is incomplete: {} missing", lacking.join(", ")));
        return (Exit::Incomplete, said);
    }
    (Exit::Done, said)
}
