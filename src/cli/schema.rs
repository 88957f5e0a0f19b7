//! `schema`: the JSON schemas of what the tool writes.

use super::{Context, Exit, Failure};

/// Every schema, by the name that `schema` takes.
pub(super) const SCHEMAS: &[(&str, &str)] = &[
    ("report", include_str!("../report/schema/report-v1.json")),
    ("graph", include_str!("../report/schema/graph-v1.json")),
    ("reach", include_str!("../report/schema/reach-v1.json")),
];

/// Prints the JSON schema of an output format: report (analyze, paths, query), graph (export)
/// or reach.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The format
    #[arg(value_parser = ["report", "graph", "reach"])]
    name: String,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let schema = SCHEMAS.iter().find(|(name, _)| *name == args.name);
    write!(context.out, "{}", schema.map_or("", |(_, text)| text))?;
    Ok(Exit::Done)
}
