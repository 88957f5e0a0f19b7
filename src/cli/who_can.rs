//! `who-can`: every subject that holds a permission, with the binding and the rule.

use super::can_i::warn;
use super::open::{SnapshotArg, open, warn_without_rbac};
use super::{Context, Exit, Failure};
use crate::query::access::{
    Asked, Reaching, cautions, doubts, granting, holders, reaching, unplaced,
};
use crate::query::filter::Filter;
use crate::report::escape::terminal;
use serde_json::json;

/// Lists who holds a permission directly: users, groups and service accounts, each with the binding
/// that names it and the role's rule.
///
/// With --through-paths also those who could come to hold it by attack paths.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph who-can cluster.json get secrets -n kube-system
  kspm-graph who-can cluster.json create pods/exec -n shop --through-paths
  kspm-graph who-can cluster.json '*' '*'")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshot: SnapshotArg,
    /// A verb
    verb: String,
    /// A resource as RESOURCE[.GROUP][/SUBRESOURCE], or a path such as /metrics
    resource: String,
    /// The object's name
    name: Option<String>,
    /// The namespace; without it, bindings of all namespaces count
    #[arg(short, long, value_name = "NS")]
    namespace: Option<String>,
    /// Also list who could get there by attack paths
    #[arg(long)]
    through_paths: bool,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let opened = open(&args.snapshot.all(), context)?;
    warn_without_rbac(&opened, context);
    let world = &opened.world;
    let asked = Asked::read(world, &args.verb, &args.resource);
    let (name, namespace) = (args.name.as_deref(), args.namespace.as_deref());
    let granting = granting(world, &asked, name, namespace);
    let mut doubted = cautions(&asked, name, namespace);
    doubted.extend(doubts(world, &asked, namespace));
    doubted.extend(unplaced(world, &asked, &granting));
    warn(&doubted, context);
    let held = holders(world, &granting);
    let through = if args.through_paths {
        reaching(&opened.derive(), &granting, &Filter::default())
    } else {
        Vec::new()
    };
    if args.output == "json" {
        let list: Vec<_> = held
            .iter()
            .map(|h| json!({"subject": h.subject, "namespace": h.namespace, "binding": h.binding, "rule": h.rule}))
            .collect();
        let paths: Vec<_> = through
            .iter()
            .map(|r| json!({"from": r.spelled, "likelihood": r.likelihood}))
            .collect();
        let all =
            json!({"schema": "kspm-graph/who-can/v1", "holders": list, "throughPaths": paths});
        crate::report::write_value(&all, context.out)?;
        return Ok(Exit::Done);
    }
    if held.is_empty() {
        writeln!(context.out, "nobody but group system:masters")?;
    }
    let width =
        held.iter().map(|h| terminal(&h.subject).chars().count()).max().unwrap_or(0).min(60);
    for h in &held {
        let scope = if h.namespace.is_empty() { "cluster-wide" } else { &h.namespace };
        writeln!(
            context.out,
            "{:<width$}  {:<14}  {}: {} = {}",
            terminal(&h.subject),
            terminal(scope),
            terminal(&h.binding),
            terminal(&h.rule),
            terminal(&h.allows)
        )?;
    }
    if args.through_paths {
        writeln!(context.out, "\nby attack paths:")?;
        for Reaching { spelled, likelihood, .. } in &through {
            writeln!(context.out, "  {likelihood:.2}  {}", terminal(spelled))?;
        }
        if through.is_empty() {
            writeln!(context.out, "  nobody else")?;
        }
    }
    Ok(Exit::Done)
}
