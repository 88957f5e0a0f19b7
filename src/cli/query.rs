//! `query`: one named question, or the list of them.

use super::analyze::queries;
use super::open::{WithArg, open};
use super::output::{Output, report_output, write_answers};
use super::{Context, Exit, Failure};
use crate::attacks::attacks;
use crate::query::{Asked, ask_all};
use crate::query::{Query, library};
use std::path::{Path, PathBuf};

/// Runs one query of the library, or of a file, over a snapshot. `query list` shows the library.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph query list
  kspm-graph query cluster.json internet-to-cluster-admin
  kspm-graph query cluster.json ./my-query.yaml -o json")]
pub(crate) struct Args {
    /// A snapshot, or the word list
    #[arg(value_name = "SNAPSHOT|list")]
    snapshot: String,
    /// A query's name, or a file that holds one
    #[arg(value_name = "NAME|FILE", required_unless_present_any = ["snapshot"])]
    name: Option<String>,
    #[command(flatten)]
    with: WithArg,
    /// A folder of further queries, or one query's file; may be given several times
    #[arg(long, value_name = "PATH")]
    queries: Vec<PathBuf>,
    /// A format, and a file to write it to; may be given several times
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_parser = report_output)]
    outputs: Vec<Output>,
    /// How many answers to print in full as text
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let mut known = queries(&args.queries)?;
    let Some(name) = &args.name else {
        if args.snapshot != "list" {
            let help = "`kspm-graph query list` shows the names".to_owned();
            return Err(Failure::usage(
                anyhow::anyhow!("which query shall be run on `{}`?", args.snapshot),
                help,
            ));
        }
        let width = known.iter().map(|q| q.id.len()).max().unwrap_or(0);
        for query in &known {
            writeln!(context.out, "{:<width$}  {}", query.id, query.title)?;
        }
        return Ok(Exit::Done);
    };
    let path = Path::new(name);
    if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
        known = library::load(path, &attacks()).map_err(|error| Failure::usage(error, None))?;
    } else {
        if !known.iter().any(|q| q.id == *name) {
            return Err(unknown(name, &known));
        }
        known.retain(|q| q.id == *name);
    }
    let opened = open(&args.with.after(&args.snapshot), context)?;
    let graph = opened.derive();
    let Asked { answers, findings, notes } = ask_all(&graph, &known);
    let findings = known.iter().all(Query::is_of_network).then_some(&findings[..]);
    write_answers(&opened, &graph, (&answers, findings, &notes), &args.outputs, args.top, context)?;
    Ok(Exit::Done)
}

/// A selector that cannot be read or matches nothing. Its message brings its help along.
pub(crate) fn selector_failure(error: &crate::query::selector::Error) -> Failure {
    Failure::usage(anyhow::anyhow!("{error}"), None)
}

/// There is no query of that name.
pub(crate) fn unknown(name: &str, known: &[Query]) -> Failure {
    let near = known.iter().find(|q| q.id.contains(name) || name.contains(q.id.as_str()));
    let help = match near {
        Some(near) => format!("did you mean `{}`? `kspm-graph query list` shows all", near.id),
        None => "`kspm-graph query list` shows all".to_owned(),
    };
    Failure::usage(anyhow::anyhow!("`{name}` is no query"), help)
}
