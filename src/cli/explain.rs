//! `explain`: the page of an attack or a query, offline.

use super::{Context, Exit, Failure};
use crate::attacks::{attack, attacks};
use crate::report::pages::{attack_page, query_page};

/// Prints the page of an attack or a query: what it needs, how it is done, what stops it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kspm-graph explain pod-exec\n  kspm-graph explain internet-to-cluster-admin"
)]
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
    let queries = super::analyze::queries(&[])?;
    if let Some(query) = queries.iter().find(|q| q.id == id) {
        write!(context.out, "{}", query_page(query))?;
        return Ok(Exit::Done);
    }
    let known = attacks().into_iter().map(|a| a.id).chain(queries.iter().map(|q| q.id.as_str()));
    // `PodExec` and `pod-exec` are the same word.
    let plain = |s: &str| s.replace('-', "").to_ascii_lowercase();
    let wanted = plain(id);
    let near = known.filter(|k| plain(k).contains(&wanted) || wanted.contains(&plain(k)));
    let near: Vec<&str> = near.take(3).collect();
    let all = "`kspm-graph attacks list` and `kspm-graph query list` show all";
    let help = match near.as_slice() {
        [] => all.to_owned(),
        near => format!("did you mean {}? {all}", near.join(" or ")),
    };
    Err(Failure::usage(anyhow::anyhow!("`{id}` is no attack and no query"), help))
}
