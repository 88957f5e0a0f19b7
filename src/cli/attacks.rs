//! `attacks`: the catalogue, as a list or a page.

use super::{Context, Exit, Failure, explain};
use crate::attacks::peers::PEERS;
use crate::attacks::{CATALOGUE, attacks, by_technique};
use serde_json::{Map, Value, json};

/// The attacks that the tool knows: each a kind of edge of the graph.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Every attack, by mechanism
    List(List),
    /// The page of one attack
    Show {
        /// The attack's id, such as pod-exec
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct List {
    /// Whose names come first: those of another tool, or the techniques of ATT&CK
    #[arg(long, value_name = "NAMES", value_parser = ["kubehound", "icekube", "mitre"])]
    by: Option<String>,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    match &args.command {
        Command::Show { id } => explain::page(id, context),
        Command::List(list) if list.output == "json" => {
            let all: Vec<_> = attacks()
                .into_iter()
                .map(|a| {
                    json!({"id": a.id, "title": a.title, "mitre": a.mitre, "structure": a.structure,
                        "peers": peers_of(a.id), "likelihood": a.odds.likelihood, "confidence": a.odds.confidence.name(),
                        "summary": a.summary()})
                })
                .collect();
            crate::report::write_value(
                &json!({"schema": "kspm-graph/attacks/v1", "attacks": all}),
                context.out,
            )?;
            Ok(Exit::Done)
        }
        Command::List(List { by: Some(names), .. }) if names == "mitre" => {
            for (technique, ids) in by_technique() {
                writeln!(context.out, "{technique:<12} {}", ids.join(", "))?;
            }
            Ok(Exit::Done)
        }
        Command::List(List { by: Some(names), .. }) => {
            for peer in PEERS.iter().filter(|p| p.name.eq_ignore_ascii_case(names)) {
                for edge in peer.edges {
                    let ids =
                        if edge.ids.is_empty() { "-".to_owned() } else { edge.ids.join(", ") };
                    let note = if edge.note.is_empty() { "" } else { "  # " };
                    writeln!(context.out, "{:<30} {ids}{note}{}", edge.name, edge.note)?;
                }
            }
            Ok(Exit::Done)
        }
        Command::List(_) => {
            for family in CATALOGUE {
                writeln!(context.out, "{}", family.name)?;
                for attack in family.attacks {
                    writeln!(context.out, "  {:<32} {}", attack.id, attack.summary())?;
                }
                writeln!(context.out)?;
            }
            Ok(Exit::Done)
        }
    }
}

/// What other tools call an attack, by the tool's name.
fn peers_of(id: &str) -> Map<String, Value> {
    let named = PEERS.iter().map(|peer| {
        let names: Vec<&str> =
            peer.edges.iter().filter(|e| e.ids.contains(&id)).map(|e| e.name).collect();
        (peer.name.to_owned(), json!(names))
    });
    named.filter(|(_, names)| names != &json!([])).collect()
}
