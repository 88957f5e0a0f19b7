//! `why`: the edges between two nodes with all evidence; with --not, what stops it.

use super::ends::{self, Typed};
use super::open::{Opened, SnapshotArg, open};
use super::output::style;
use super::{Context, Exit, Failure};
use crate::graph::{Graph, NodeId, NodeKind, likelihood_of};
use crate::query::filter::Filter;
use crate::query::reach::doors::Explained;
use crate::query::reach::{Ground, Level, Range, Wanted, ports};
use crate::query::search::Search;
use crate::query::spell;
use crate::query::why::{Chain, LastStep, why, why_not};
use crate::report::escape::terminal;
use crate::report::reach::{Reach, Why};
use crate::report::{fact_text, is_plain, named, write_lacking};
use crate::world::network::PortSpec;
use ipnet::{IpNet, Ipv4Net};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Shows every single step from one selection to another, with all its evidence, and what network
/// policies say of a connection between them.
///
/// With --not it looks from both sides: what the start does reach, what would lead to the end, and
/// which gates are half open between them; which policies hold a connection or a door, and what
/// that connection would need.
///
/// An end is a selector (`help selectors`), an address or a block of addresses.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph why cluster.json sa/shop/web pod/shop/tools
  kspm-graph why cluster.json deploy/shop/web sts/shop/db --port 5432
  kspm-graph why cluster.json --not user/alice cluster-admin
  kspm-graph why cluster.json --not internet sts/shop/db")]
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
    /// Of the network only this port of the pods, as 5432 or 53/udp
    #[arg(long, value_name = "PORT[/PROTO]", value_parser = ports::parse)]
    port: Option<PortSpec>,
    /// How many ways between two nodes to print as text, the likeliest first; how many connections
    /// and doors
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

/// A question, with what it is asked about.
struct Question<'a> {
    args: &'a Args,
    opened: &'a Opened,
    graph: &'a Graph,
    typed: [&'a Typed; 2],
    from: Vec<NodeId>,
    to: Vec<NodeId>,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let typed = [Typed::new(&args.from)?, Typed::new(&args.to)?];
    let opened = open(&args.snapshot.all(), context)?;
    let graph = opened.derive();
    let [from, to] = [typed[0].nodes(&graph)?, typed[1].nodes(&graph)?];
    let typed = [&typed[0], &typed[1]];
    let question = Question { args, opened: &opened, graph: &graph, typed, from, to };
    if args.not { not(&question, context) } else { steps(&question, context) }
}

fn steps(question: &Question<'_>, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let Question { args, graph, from, to, .. } = question;
    let mut pairs: Vec<(NodeId, NodeId, Vec<Chain>)> = Vec::new();
    for f in from {
        for t in to {
            let chains = why(graph, *f, *t);
            if !chains.is_empty() {
                pairs.push((*f, *t, chains));
            }
        }
    }
    if args.output == "json" {
        let list: Vec<_> = pairs
            .iter()
            .flat_map(|(f, t, chains)| {
                chains.iter().map(|c| chain_json(graph, *f, *t, c)).collect::<Vec<_>>()
            })
            .collect();
        let mut all = json!({"schema": "kspm-graph/why/v1", "steps": list});
        network(question, (&[], false), context, |why, _| {
            all["network"] = why.json();
            Ok(())
        })?;
        crate::report::write_value(&all, context.out)?;
        return Ok(Exit::Done);
    }
    if pairs.is_empty() && !from.is_empty() && !to.is_empty() {
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
        writeln!(context.out, "{} -> {} ({ways})\n", named(graph, *f), named(graph, *t))?;
        for chain in chains.iter().take(args.top) {
            write_chain(graph, chain, likelihood_of(cost(chain)), context)?;
        }
        if chains.len() > args.top {
            let rest = chains.len() - args.top;
            writeln!(context.out, "  and {rest} more (-o json has all, --top N prints more)\n")?;
        }
    }
    let apart = if pairs.is_empty() { "\n" } else { "" };
    network(question, (&[], false), context, |why, context| {
        write!(context.out, "{apart}")?;
        Ok(why.text(context.out)?)
    })?;
    Ok(Exit::Done)
}

/// Asks the network, and hands on what it says; says nothing where an end has no address. `near`:
/// what leads to the end, whose doors matter too; and whether the ways to it do.
fn network(
    question: &Question<'_>,
    (near, inner): (&[NodeId], bool),
    context: &mut Context<'_>,
    tell: impl FnOnce(&Why<'_>, &mut Context<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Question { args, opened, graph, typed, .. } = question;
    let level = if typed.iter().any(|t| t.is_pods(graph)) { Level::Pod } else { Level::Workload };
    let ground = Ground::new(&opened.world, level);
    let wanted = |typed: &Typed, nodes: &[NodeId]| typed.wanted(&ground, Some((graph, nodes)));
    let (from, to) = (wanted(typed[0], &question.from), wanted(typed[1], &question.to));
    let runs = |n: &NodeId| {
        matches!(graph.kind(*n), NodeKind::Workload | NodeKind::Pod | NodeKind::Container)
    };
    let pods: Vec<NodeId> = near.iter().copied().filter(runs).collect();
    let leading = ground.wanted(graph, &pods).groups;
    let others: Vec<u32> =
        leading.iter().copied().filter(|g| to.groups.binary_search(g).is_err()).collect();
    // Where the credentials of machines and clouds lead there, so does who hands them out.
    let clouds =
        |n: &NodeId| matches!(graph.kind(*n), NodeKind::NodeIdentity | NodeKind::CloudIdentity);
    let metadata: Vec<(Range, PortSpec)> = match near.iter().any(clouds) {
        true => vec![(Range::of(&METADATA), PortSpec::tcp(80))],
        false => Vec::new(),
    };
    let held = match inner {
        true => ground.held(&from, &others, &metadata),
        false => (Vec::new(), 0),
    };
    let doors = match from.ranges.iter().any(Range::is_public) {
        true => doors(&ground, &to, &leading),
        false => Vec::new(),
    };
    let coverage = ends::coverage(opened);
    let reach = Reach {
        ground: &ground,
        from: &from,
        to: &to,
        port: args.port,
        all: true,
        sets: false,
        top: args.top,
        snapshot: &opened.snapshot,
        coverage: &coverage,
        lines: *opened,
        width: style(context, 0).width,
    };
    let why = Why { reach: &reach, not: args.not, doors: &doors, held: &held };
    if why.is_empty() { Ok(()) } else { tell(&why, context) }
}

/// Where clouds hand out the credentials of a machine.
const METADATA: IpNet = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 169, 254), 32));

/// The doors to the end, and those to what leads there that policies hold.
fn doors(ground: &Ground<'_>, to: &Wanted, leading: &[u32]) -> Vec<Explained> {
    let mut groups: BTreeSet<u32> = to.groups.iter().copied().collect();
    groups.extend(leading);
    let mut doors = ground.explained(&groups);
    let behind = |e: &Explained| to.groups.binary_search(&e.exposed.group).is_ok();
    // A door that nothing holds leads there, and the path says so.
    doors.retain(|e| e.is_held() || behind(e));
    doors
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

fn not(question: &Question<'_>, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let Question { args, opened, graph, from, to, .. } = question;
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
        let mut all = json!({"schema": "kspm-graph/why-not/v1", "reachable": found.reachable, "last": last,
            "reach": names(&found.reach), "ancestry": names(&found.ancestry), "gates": gates, "unknown": unknown});
        network(question, (&found.ancestry, !found.reachable), context, |why, _| {
            all["network"] = why.json();
            Ok(())
        })?;
        crate::report::write_value(&all, context.out)?;
        return Ok(Exit::Done);
    }
    let tell = |why: &Why<'_>, context: &mut Context<'_>| Ok(why.text(context.out)?);
    if from.is_empty() || to.is_empty() {
        network(question, (&[], false), context, tell)?;
        return Ok(Exit::Done);
    }
    if found.reachable {
        let Args { from, to, snapshot, .. } = args;
        let command =
            format!("kspm-graph paths {} --from '{from}' --to '{to}'", snapshot.all().join(" "));
        writeln!(context.out, "there is a way: `{}` shows it\n", terminal(&command))?;
        network(question, (&found.ancestry, false), context, tell)?;
        return Ok(Exit::Done);
    }
    writeln!(context.out, "no way leads there, as far as the snapshot shows\n")?;
    // What policies hold is the nearest answer, where they hold something.
    network(question, (&found.ancestry, true), context, |why, context| {
        why.text(context.out)?;
        Ok(writeln!(context.out)?)
    })?;
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
    writeln!(context.out, "\nwhat this snapshot does not tell, where a way may be:")?;
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
