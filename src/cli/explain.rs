//! `explain`: the page of an attack or a query, offline.

use super::{Context, Exit, Failure};
use crate::attacks::{attack, attacks};
use crate::query::library::Library;
use crate::report::pages::attack_page;
use std::io::Write;

/// Prints the page of an attack or a query: what it needs, how it is done, what stops it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kspm-graph explain pod-exec\n  kspm-graph explain internet-to-cluster-admin")]
pub(crate) struct Args {
    /// The id of an attack or a query
    id: String,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    page(&args.id, context)
}

/// Prints the page of an id.
pub(super) fn page(id: &str, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if let Some(attack) = attack(id) {
        write!(context.out, "{}", attack_page(attack))?;
        return Ok(Exit::Done);
    }
    let library = Library::built_in();
    if let Some(question) = library.get(id) {
        write!(context.out, "{}", question.page())?;
        return Ok(Exit::Done);
    }
    let known: Vec<&str> =
        attacks().iter().map(|a| a.id).chain(library.iter().map(|q| q.id.as_str())).collect();
    let near = crate::query::nearest(id, known);
    let help = match near.first() {
        Some(near) => format!("did you mean `{near}`? `kspm-graph attacks list` and `kspm-graph query list` show all"),
        None => "`kspm-graph attacks list` and `kspm-graph query list` show all".to_owned(),
    };
    Err(Failure::usage(anyhow::anyhow!("`{id}` is no attack and no query"), help))
}
