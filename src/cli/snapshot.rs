//! `snapshot info`: what is in it, what is missing, what that makes unknown.

use super::open::{SnapshotsArg, kinds, line, open};
use super::output::style;
use super::{Context, Exit, Failure};
use crate::report::escape::terminal;
use crate::report::write_hanging;
use crate::world::World;
use crate::world::network::plugin::Fact;
use serde_json::json;

/// Looks at a snapshot without asking it anything.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// What is in a snapshot, what is missing, and what that makes unknown
    Info(Info),
}

#[derive(Debug, clap::Args)]
struct Info {
    #[command(flatten)]
    snapshots: SnapshotsArg,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let Command::Info(args) = &args.command;
    let opened = open(&args.snapshots.snapshots, context)?;
    let kinds = kinds(&opened.world);
    let skipped = &opened.skipped;
    if args.output == "json" {
        let coverage: Vec<_> = opened
            .coverage
            .iter()
            .map(|t| json!({"topic": t.topic, "state": t.state.name(), "reason": t.reason, "affects": t.affects}))
            .collect();
        let problems: Vec<_> = opened
            .snapshot
            .problems
            .iter()
            .map(|p| json!({"source": p.source, "where": p.place, "message": p.message}))
            .collect();
        let all = json!({
            "schema": "kspm-graph/snapshot/v1",
            "snapshot": {
                "sources": opened.snapshot.sources,
                "objects": opened.snapshot.objects,
                "duplicates": opened.world.duplicates,
                "problems": problems,
                "skipped": {"files": skipped.files, "empty": skipped.empty,
                    "archives": skipped.archives, "links": skipped.links},
            },
            "kinds": kinds,
            "network": network_json(&opened.world),
            "coverage": coverage,
        });
        crate::report::write_value(&all, context.out)?;
        return Ok(Exit::Done);
    }
    let snapshot = &opened.snapshot;
    let plural = |one: bool, word: &str| if one { word.to_owned() } else { format!("{word}s") };
    let objects = plural(snapshot.objects == 1, "object");
    let sources = plural(snapshot.sources.len() == 1, "source");
    let (number, of) = (snapshot.objects, snapshot.sources.len());
    writeln!(context.out, "{number} {objects} from {of} {sources}")?;
    match opened.world.duplicates {
        0 => {}
        1 => writeln!(context.out, "1 of them is a copy of another: the newest is used")?,
        n => writeln!(context.out, "{n} of them are copies of others: the newest is used of each")?,
    }
    let left: Vec<String> = [
        (skipped.files, "file without objects", "files without objects"),
        (skipped.empty, "empty file", "empty files"),
        (skipped.archives, "archive inside an archive", "archives inside archives"),
        (skipped.links, "link or device", "links and devices"),
    ]
    .iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
    .collect();
    if !left.is_empty() {
        writeln!(context.out, "skipped: {}", left.join(", "))?;
    }
    writeln!(context.out, "\nkinds:")?;
    for (kind, count) in &kinds {
        writeln!(context.out, "  {count:>8}  {}", terminal(kind))?;
    }
    let width = style(context, 0).width;
    write_network(&opened.world, width, context)?;
    writeln!(context.out, "\ncoverage:")?;
    for topic in &opened.coverage {
        let head = format!("  {:<18} {:<8}  ", topic.topic, topic.state.name());
        write_hanging(&head, &topic.reason, width, context.out)?;
        if topic.state != crate::world::coverage::State::Complete {
            let blank = format!("{:1$}affects: ", "", head.len());
            write_hanging(&blank, &topic.affects.join(", "), width, context.out)?;
        }
    }
    if !snapshot.problems.is_empty() {
        writeln!(context.out, "\nproblems:")?;
        for problem in &snapshot.problems {
            writeln!(context.out, "  {}", line(problem))?;
        }
    }
    Ok(Exit::Done)
}

/// The object that a fact is about: `DaemonSet kube-system/cilium`.
fn object(world: &World, fact: &Fact) -> Option<String> {
    let object = &world.objects[fact.object?.index()];
    let (kind, ns, name) =
        (world.text(object.kind), world.text(object.ns), world.text(object.name));
    let slash = if ns.is_empty() { "" } else { "/" };
    Some(format!("{kind} {ns}{slash}{name}"))
}

fn network_json(world: &World) -> serde_json::Value {
    let plugin = world.plugin();
    let kinds: serde_json::Map<_, _> =
        plugin.kinds.iter().map(|(k, e)| (k.names().1.to_owned(), json!(e.name()))).collect();
    let why: Vec<_> = plugin
        .why
        .iter()
        .map(|f| json!({"object": object(world, f), "field": f.field, "value": f.text}))
        .collect();
    json!({"plugin": plugin.name, "enforces": plugin.enforces.name(), "kinds": kinds, "why": why})
}

/// The network plugin, and what shows it.
fn write_network(world: &World, width: usize, context: &mut Context<'_>) -> Result<(), Failure> {
    let plugin = world.plugin();
    let name = plugin.name.as_deref().unwrap_or("not shown");
    writeln!(context.out, "\nnetwork:")?;
    writeln!(context.out, "  plugin    {}", terminal(name))?;
    writeln!(context.out, "  enforces  {}", plugin.enforces.name())?;
    for (i, fact) in plugin.why.iter().enumerate() {
        let head = if i == 0 { "  because   " } else { "            " };
        let parts = [object(world, fact).unwrap_or_default(), fact.field.clone()];
        let mut text = parts.join(" ").trim().to_owned();
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&fact.text);
        write_hanging(head, &terminal(&text), width, context.out)?;
    }
    Ok(())
}
