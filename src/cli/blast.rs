//! `blast`: what can be reached from here, by kind, with what it costs.

use super::open::{SnapshotArg, open};
use super::output::style;
use super::query::selector_failure;
use super::{Context, Exit, Failure};
use crate::graph::NodeKind;
use crate::query::blast::blast;
use crate::query::filter::Filter;
use crate::query::search::Search;
use crate::query::selector::Selector;
use crate::query::spell;
use crate::report::escape::terminal;
use crate::report::write_hanging;
use serde_json::json;

/// Shows everything that a selection leads to, folded to workloads, the likeliest first.
///
/// `kspm-graph help selectors` explains how to select.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph blast cluster.json sa/ci/runner
  kspm-graph blast cluster.json deploy/shop/web -o json
  kspm-graph blast cluster.json internet --top 5")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshot: SnapshotArg,
    /// Where to start; several nodes are held together
    #[arg(value_name = "SEL")]
    from: String,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    output: String,
    /// How many of each kind to print as text
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let selector = Selector::parse(&args.from).map_err(|e| selector_failure(&e))?;
    let opened = open(&args.snapshot.all(), context)?;
    let graph = opened.derive();
    let sources = selector.select(&graph).map_err(|e| selector_failure(&e))?;
    let found = blast(&graph, &mut Search::new(&graph), &sources, &Filter::default());
    if args.output == "json" {
        let classes: Vec<_> = found
            .classes
            .iter()
            .map(|class| {
                let reached: Vec<_> = class
                    .reached
                    .iter()
                    .map(|r| {
                        json!({"kind": graph.kind(r.node).name(), "namespace": graph.namespace(r.node),
                            "name": graph.name(r.node), "folded": r.folded,
                            "likelihood": (r.likelihood * 1e4).round() / 1e4})
                    })
                    .collect();
                json!({"kind": class.kind.name(), "of": class.of, "reached": reached})
            })
            .collect();
        let all = json!({"schema": "kspm-graph/blast/v1", "from": args.from,
            "share": (found.share * 1e4).round() / 1e4, "classes": classes});
        crate::report::write_value(&all, context.out)?;
        return Ok(Exit::Done);
    }
    if found.classes.is_empty() {
        writeln!(context.out, "{} leads to nothing else", terminal(&args.from))?;
    }
    for class in &found.classes {
        let (reached, of) = (class.reached.len(), class.of);
        writeln!(context.out, "{}: {reached} of {of}", plural(class.kind))?;
        for r in class.reached.iter().take(args.top) {
            let name = spell(&graph, r.node);
            writeln!(context.out, "  {:.2}  {}", r.likelihood, terminal(&name))?;
        }
        if class.reached.len() > args.top {
            let rest = class.reached.len() - args.top;
            writeln!(context.out, "        and {rest} more (--top N prints more)")?;
        }
    }
    writeln!(
        context.out,
        "\nblast radius: {:.0} % of what the cluster is worth",
        found.share * 100.0
    )?;
    let lacking = opened.coverage.iter().filter(|t| t.state.name() != "complete");
    let lacking: Vec<&str> = lacking.map(|topic| topic.topic).collect();
    if !lacking.is_empty() {
        let text = format!("{}; `kspm-graph snapshot info` says why", lacking.join(", "));
        let width = style(context, 0).width;
        write_hanging("the snapshot does not show all of: ", &text, width, context.out)?;
    }
    Ok(Exit::Done)
}

/// The things of a kind: `ServiceAccount` are service accounts.
fn plural(kind: NodeKind) -> String {
    match kind {
        NodeKind::ClusterAdmin => return "cluster-admin".to_owned(),
        NodeKind::NamespaceAdmin => return "admins of a namespace".to_owned(),
        _ => {}
    }
    let mut text = String::new();
    for (i, c) in kind.name().char_indices() {
        if c.is_uppercase() && i > 0 {
            text.push(' ');
        }
        text.extend(c.to_lowercase());
    }
    match text.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => text + "s",
    }
}
