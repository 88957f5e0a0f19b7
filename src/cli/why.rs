//! `why`: the edges between two nodes with all evidence; with --not, what stops it.

use super::open::{Opened, SnapshotArg, open};
use super::query::selector_failure;
use super::{Context, Exit, Failure};
use crate::graph::{EdgeId, Graph, NodeId};
use crate::query::filter::Filter;
use crate::query::search::Search;
use crate::query::selector::Selector;
use crate::query::spell;
use crate::query::why::{Chain, why, why_not};
use crate::report::escape::terminal;
use crate::report::fact_text;
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
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let select = |text: &str| Selector::parse(text).map_err(|e| selector_failure(&e));
    let (from, to) = (select(&args.from)?, select(&args.to)?);
    let opened = open(std::slice::from_ref(&args.snapshot.snapshot), context)?;
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
    for (f, t, chains) in &pairs {
        writeln!(
            context.out,
            "{} -> {}",
            terminal(&spell(&graph, *f)),
            terminal(&spell(&graph, *t))
        )?;
        for chain in chains {
            for edge in &chain.edges {
                write_edge(&graph, *edge, context)?;
            }
            for gate in &chain.also {
                writeln!(context.out, "    needs {} too", terminal(&spell(&graph, *gate)))?;
            }
            writeln!(context.out)?;
        }
    }
    Ok(Exit::Done)
}

fn write_edge(graph: &Graph, edge: EdgeId, context: &mut Context<'_>) -> Result<(), Failure> {
    let (_, to) = graph.ends(edge);
    let attack = graph.attack(edge);
    writeln!(
        context.out,
        "  {} -> {} ({})",
        attack.id,
        terminal(&spell(graph, to)),
        graph.confidence(edge)
    )?;
    for fact in graph.evidence(edge) {
        writeln!(context.out, "      {}", fact_text(&fact))?;
    }
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
        let all = json!({"schema": "kspm-graph/why-not/v1", "reachable": found.reachable,
            "reach": names(&found.reach), "ancestry": names(&found.ancestry), "gates": gates, "unknown": unknown});
        crate::report::write_value(&all, context.out)?;
        return Ok(Exit::Done);
    }
    if found.reachable {
        writeln!(context.out, "there is a way: `kspm-graph paths --from … --to …` shows it")?;
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
    for gate in &found.half_open {
        writeln!(
            context.out,
            "half open: {} lacks {}",
            terminal(&spell(graph, gate.gate)),
            terminal(&names(&gate.missing).join(" and "))
        )?;
    }
    writeln!(context.out, "\nnothing of the one is in the other, as far as the snapshot shows:")?;
    for topic in opened.coverage.iter().filter(|t| t.state.name() != "complete") {
        writeln!(context.out, "  {:<18} {:<8} {}", topic.topic, topic.state.name(), topic.reason)?;
    }
    Ok(Exit::Done)
}
