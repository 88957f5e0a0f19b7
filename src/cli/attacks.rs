//! `attacks`: the catalogue, as a list or a page.

use super::{Context, Exit, Failure, explain};
use crate::attacks::{CATALOGUE, attacks};
use serde_json::json;

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
                        "likelihood": a.odds.likelihood, "confidence": a.odds.confidence.name(),
                        "summary": a.summary()})
                })
                .collect();
            crate::report::write_value(
                &json!({"schema": "kspm-graph/attacks/v1", "attacks": all}),
                context.out,
            )?;
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
