//! `export`: the graph, or the answers in focus, as data or as a picture.

use super::analyze::queries;
use super::open::{Opened, SnapshotsArg, open};
use super::output::{Output, parse, write_to};
use super::query::{selector_failure, unknown};
use super::{Context, Exit, Failure};
use crate::graph::Graph;
use crate::query::ask_all;
use crate::query::selector::Selector;
use crate::query::{Answer, Query};
use crate::report::GraphJson;
use crate::report::dot::dot;
use crate::report::picture::Picture;
use crate::report::svg::{Engine, svg};
use std::path::PathBuf;

const FORMATS: &[&str] = &["json", "dot", "svg"];

fn output(text: &str) -> Result<Output, String> {
    parse(text, FORMATS)
}

/// Writes the attack graph, or with --focus the answers to one question.
///
/// json is kspm-graph/graph/v1, the whole graph with all evidence. dot is for Graphviz. svg is
/// drawn by Graphviz' dot where it is installed, and by the built-in layout elsewhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph export cluster.json -o json=graph.json
  kspm-graph export cluster.json --focus internet-to-cluster-admin -o svg=paths.svg
  kspm-graph export cluster.json --focus sa/shop/web -o dot | dot -Tpdf > web.pdf")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshots: SnapshotsArg,
    /// A format, and a file to write it to; may be given several times
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_parser = output, required = true)]
    outputs: Vec<Output>,
    /// Only this: a query's name, a path's fingerprint, or a selector whose paths to cluster-admin
    /// are drawn
    #[arg(long, value_name = "WHAT")]
    focus: Option<String>,
    /// How many answers to draw, the worst first
    #[arg(long, value_name = "N", default_value_t = 8)]
    top: usize,
    /// Fold sets into direct edges (json; for small graphs)
    #[arg(long)]
    flat: bool,
    /// A folder of further queries, or one query's file; may be given several times
    #[arg(long, value_name = "PATH")]
    queries: Vec<PathBuf>,
    /// What draws SVG
    #[arg(long, value_name = "ENGINE", default_value = "auto", value_parser = ["auto", "dot", "embedded"])]
    engine: String,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let opened = open(&args.snapshots.snapshots, context)?;
    let graph = opened.derive();
    let focus = match &args.focus {
        Some(focus) => Some(in_focus(args, focus, &graph)?),
        None => None,
    };
    for output in &args.outputs {
        match output.format.as_str() {
            "json" => json(args, output, &opened, &graph, focus.as_deref(), context)?,
            format => {
                let picture = picture(&graph, focus.as_deref())?;
                let text =
                    if format == "dot" { dot(&picture) } else { svg(&picture, engine(args)) };
                write_to(output, context, |out| out.write_all(text.as_bytes()))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn engine(args: &Args) -> Engine {
    match args.engine.as_str() {
        "dot" => Engine::Dot,
        "embedded" => Engine::Embedded,
        _ => Engine::Auto,
    }
}

/// The answers that `--focus` means: of a query, of a fingerprint, or of a selection's paths to
/// cluster-admin.
fn in_focus(args: &Args, focus: &str, graph: &Graph) -> Result<Vec<Answer>, Failure> {
    let known = queries(&args.queries)?;
    let mut answers = if let Some(query) = known.iter().find(|q| q.id == focus) {
        if query.is_of_network() {
            let help = format!(
                "`kspm-graph query SNAPSHOT {focus}` answers it; `reach -o dot` draws the network"
            );
            return Err(Failure::usage(anyhow::anyhow!("`{focus}` has no paths to draw"), help));
        }
        ask_all(graph, std::slice::from_ref(query)).answers
    } else if focus.starts_with("path/v1:") || focus.starts_with("pair/v1:") {
        let mut all = ask_all(graph, &known).answers;
        all.retain(|a| a.fingerprint == focus || a.pair == focus);
        if all.is_empty() {
            let help = "fingerprints are those of `analyze` on the same snapshot".to_owned();
            return Err(Failure::usage(anyhow::anyhow!("no answer bears `{focus}`"), help));
        }
        all
    } else {
        let select = |text: &str| Selector::parse(text).map_err(|e| selector_failure(&e));
        let selector = match select(focus) {
            Ok(selector) if !selector.matches(graph).is_empty() => selector,
            // A word without a slash was meant as a query's name.
            _ if !focus.contains(['/', ':', ' ']) => return Err(unknown(focus, &known)),
            Ok(selector) => {
                selector.select(graph).map_err(|e| selector_failure(&e))?;
                selector
            }
            Err(failure) => return Err(failure),
        };
        let query = Query::between(selector, select("cluster-admin")?);
        ask_all(graph, &[query]).answers
    };
    answers.truncate(args.top);
    Ok(answers)
}

fn picture(graph: &Graph, focus: Option<&[Answer]>) -> Result<Picture, Failure> {
    match focus {
        Some(answers) => Ok(Picture::of_answers(graph, answers)),
        None => Picture::of_graph(graph).map_err(|error| {
            let help = "draw one question with --focus, such as --focus internet-to-cluster-admin";
            Failure::usage(error, help.to_owned())
        }),
    }
}

fn json(
    args: &Args,
    output: &Output,
    opened: &Opened,
    graph: &Graph,
    focus: Option<&[Answer]>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let json = GraphJson {
        graph,
        snapshot: &opened.snapshot,
        coverage: &opened.coverage,
        lines: opened,
        flat: args.flat,
        only: focus.map(|answers| {
            let edges = answers.iter().flat_map(|a| &a.steps).flat_map(|s| &s.edges);
            edges.copied().collect()
        }),
    };
    write_to(output, context, |out| json.write(out))
}
