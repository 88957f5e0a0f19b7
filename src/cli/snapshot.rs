//! `snapshot info`: what is in it, what is missing, what that makes unknown.

use super::open::{SnapshotsArg, kinds, line, open};
use super::{Context, Exit, Failure};
use crate::report::escape::terminal;
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
            "coverage": coverage,
        });
        crate::report::write_value(&all, context.out)?;
        return Ok(Exit::Done);
    }
    let snapshot = &opened.snapshot;
    writeln!(context.out, "{} objects from {} sources", snapshot.objects, snapshot.sources.len())?;
    if opened.world.duplicates > 0 {
        let copies = opened.world.duplicates;
        writeln!(context.out, "{copies} of them are copies of another: the newest is used")?;
    }
    let left: Vec<String> = [
        (skipped.files, "files without objects"),
        (skipped.empty, "empty files"),
        (skipped.archives, "archives inside archives"),
        (skipped.links, "links and devices"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    if !left.is_empty() {
        writeln!(context.out, "skipped: {}", left.join(", "))?;
    }
    writeln!(context.out, "\nkinds:")?;
    for (kind, count) in &kinds {
        writeln!(context.out, "  {count:>8}  {}", terminal(kind))?;
    }
    writeln!(context.out, "\ncoverage:")?;
    for topic in &opened.coverage {
        let state = topic.state.name();
        writeln!(context.out, "  {:<18} {state:<8}  {}", topic.topic, topic.reason)?;
        if topic.state != crate::world::coverage::State::Complete {
            writeln!(context.out, "  {:<28} affects: {}", "", topic.affects.join(", "))?;
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
