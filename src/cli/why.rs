//! `why`: the edges between two nodes with all evidence; with --not, what stops it.

use super::open::{Opened, SnapshotArg, open};
use super::output::style;
use super::query::selector_failure;
use super::{Context, Exit, Failure};
use crate::graph::{Graph, NodeId, NodeKind, likelihood_of};
use crate::query::filter::Filter;
use crate::query::search::Search;
use crate::query::selector::Selector;
use crate::query::spell;
use crate::query::why::{Chain, LastStep, why, why_not};
use crate::report::escape::terminal;
use crate::report::{fact_text, is_plain, named, write_lacking};
use serde_json::json;

/// Shows every single step from one selection to another, with all its evidence.
///
/// With --not it looks from both sides: what the start does reach, what would lead to the end, and
/// which gates are half open between them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph why cluster.json sa/shop/web pod/shop/tools
  kspm-graph why cluster.json --not user/alice cluster-admin")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshot: SnapshotArg,
    /// Where the step starts
    #[arg(value_name = "FROM")]
    from: String,
    /// Where it ends
    #[arg(value_name = "TO")]
    to: String,
    /// Tell what stops it instead
    #[arg(long)]
    not: bool,
    /// How many ways between two nodes to print as text, the likeliest first
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let select = |text: &str| Selector::parse(text).map_err(|e| selector_failure(&e));
    let (from, to) = (select(&args.from)?, select(&args.to)?);
    let opened = open(&args.snapshot.all(), context)?;
    let graph = opened.derive();
    let from = from.select(&graph).map_err(|e| selector_failure(&e))?;
    let to = to.select(&graph).map_err(|e| selector_failure(&e))?;
    if args.not {
        return not(args, &opened, &graph, &from, &to, context);
    }
    let mut pairs: Vec<(NodeId, NodeId, Vec<Chain>)> = Vec::new();
    for f in &from {
        for t in &to {
            let chains = why(&graph, *f, *t);
            if !chains.is_empty() {
                pairs.push((*f, *t, chains));
            }
        }
    }
    if args.output == "json" {
        let list: Vec<_> = pairs
            .iter()
            .flat_map(|(f, t, chains)| {
                chains.iter().map(|c| chain_json(&graph, *f, *t, c)).collect::<Vec<_>>()
            })
            .collect();
        crate::report::write_value(
            &json!({"schema": "kspm-graph/why/v1", "steps": list}),
            context.out,
        )?;
        return Ok(Exit::Done);
    }
    if pairs.is_empty() {
        writeln!(context.out, "no single step leads there")?;
        context.note(
            "help: `kspm-graph paths` finds ways of several steps, `why --not` what stops them",
        );
    }
    for (f, t, chains) in &mut pairs {
        let cost =
            |chain: &Chain| -> u64 { chain.edges.iter().map(|e| u64::from(graph.cost(*e))).sum() };
        chains.sort_by_cached_key(|chain| (cost(chain), chain.edges.len(), chain.clone()));
        let ways =
            if chains.len() == 1 { "1 way".to_owned() } else { format!("{} ways", chains.len()) };
        writeln!(context.out, "{} -> {} ({ways})\n", named(&graph, *f), named(&graph, *t))?;
        for chain in chains.iter().take(args.top) {
            write_chain(&graph, chain, likelihood_of(cost(chain)), context)?;
        }
        if chains.len() > args.top {
            let rest = chains.len() - args.top;
            writeln!(context.out, "  and {rest} more (-o json has all, --top N prints more)\n")?;
        }
    }
    Ok(Exit::Done)
}

/// One way: each edge with its evidence, and before the gate what else it needs.
fn write_chain(
    graph: &Graph,
    chain: &Chain,
    likelihood: f64,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let sure = chain.edges.iter().map(|e| graph.confidence(*e)).max();
    let sure = sure.map_or_else(String::new, |sure| format!(" · {sure}"));
    writeln!(context.out, "  likelihood {likelihood:.2}{sure}")?;
    for edge in &chain.edges {
        let (from, to) = graph.ends(*edge);
        if graph.kind(from) == NodeKind::Gate {
            for also in &chain.also {
                writeln!(context.out, "    needs at once: {}", named(graph, *also))?;
            }
        }
        writeln!(context.out, "    {} -> {}", graph.attack(*edge).id, named(graph, to))?;
        for fact in graph.evidence(*edge).filter(|fact| !is_plain(fact)) {
            writeln!(context.out, "        {}", fact_text(&fact))?;
        }
    }
    writeln!(context.out)?;
    Ok(())
}

fn chain_json(graph: &Graph, from: NodeId, to: NodeId, chain: &Chain) -> serde_json::Value {
    let edges: Vec<_> = chain
        .edges
        .iter()
        .map(|edge| {
            let facts: Vec<_> = graph
                .evidence(*edge)
                .map(|f| {
                    json!({"object": {"kind": f.kind, "namespace": f.namespace, "name": f.name},
                        "field": f.field, "value": f.value})
                })
                .collect();
            let (_, to) = graph.ends(*edge);
            json!({"attack": graph.attack(*edge).id, "to": spell(graph, to),
                "confidence": graph.confidence(*edge).name(), "evidence": facts})
        })
        .collect();
    let also: Vec<_> = chain.also.iter().map(|n| spell(graph, *n)).collect();
    json!({"from": spell(graph, from), "to": spell(graph, to), "edges": edges, "needs": also})
}

fn not(
    args: &Args,
    opened: &Opened,
    graph: &Graph,
    from: &[NodeId],
    to: &[NodeId],
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let found = why_not(graph, &mut Search::new(graph), from, to, &Filter::default());
    let names = |nodes: &[NodeId]| nodes.iter().map(|n| spell(graph, *n)).collect::<Vec<_>>();
    if args.output == "json" {
        let gates: Vec<_> = found
            .half_open
            .iter()
            .map(|g| json!({"gate": spell(graph, g.gate), "held": names(&g.held), "missing": names(&g.missing)}))
            .collect();
        let unknown: Vec<_> = opened
            .coverage
            .iter()
            .filter(|t| t.state.name() != "complete")
            .map(|t| json!({"topic": t.topic, "state": t.state.name(), "reason": t.reason}))
            .collect();
        let last: Vec<_> = found
            .last
            .iter()
            .map(|l| json!({"attack": l.attack.id, "part": l.part, "by": names(&l.by)}))
            .collect();
        let all = json!({"schema": "kspm-graph/why-not/v1", "reachable": found.reachable, "last": last,
            "reach": names(&found.reach), "ancestry": names(&found.ancestry), "gates": gates, "unknown": unknown});
        crate::report::write_value(&all, context.out)?;
        return Ok(Exit::Done);
    }
    if found.reachable {
        let Args { from, to, snapshot, .. } = args;
        let command =
            format!("kspm-graph paths {} --from '{from}' --to '{to}'", snapshot.all().join(" "));
        writeln!(context.out, "there is a way: `{}` shows it", terminal(&command))?;
        return Ok(Exit::Done);
    }
    const MOST: usize = 12;
    let mut list = |head: &str, nodes: &[NodeId]| -> Result<(), Failure> {
        writeln!(context.out, "{head} ({}):", nodes.len())?;
        for name in names(nodes).iter().take(MOST) {
            writeln!(context.out, "  {}", terminal(name))?;
        }
        if nodes.len() > MOST {
            writeln!(context.out, "  and {} more", nodes.len() - MOST)?;
        }
        Ok(())
    };
    list("the start reaches", &found.reach)?;
    list("the end is reached from", &found.ancestry)?;
    write_last(graph, &found.last, context)?;
    for gate in &found.half_open {
        let missing: Vec<String> = gate.missing.iter().map(|n| named(graph, *n)).collect();
        let gate = named(graph, gate.gate);
        writeln!(context.out, "half open: {gate}: still lacks {}", missing.join(" and "))?;
    }
    writeln!(
        context.out,
        "\nno way leads from the start to one of these, as far as the snapshot shows:"
    )?;
    let width = style(context, 0).width;
    write_lacking(&opened.coverage, width, context.out)?;
    Ok(Exit::Done)
}

/// What gains the end, and who could do it: what the start lacks is to be one of them.
fn write_last(graph: &Graph, last: &[LastStep], context: &mut Context<'_>) -> Result<(), Failure> {
    const MOST: usize = 3;
    if last.is_empty() {
        writeln!(context.out, "no step gains the end")?;
        return Ok(());
    }
    writeln!(context.out, "the last step to the end is one of:")?;
    let width = last.iter().map(|step| step.attack.id.len()).max().unwrap_or(0);
    for step in last {
        let mut by: Vec<String> = step.by.iter().take(MOST).map(|n| spell(graph, *n)).collect();
        if step.by.len() > MOST {
            by.push(format!("{} more", step.by.len() - MOST));
        }
        let part = if step.part { " (needs more than this)" } else { "" };
        let by = terminal(&by.join(", ")).into_owned();
        writeln!(context.out, "  {:<width$}  by {by}{part}", step.attack.id)?;
    }
    Ok(())
}
