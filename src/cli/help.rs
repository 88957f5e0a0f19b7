//! `help`: a command's help, or a page about something that several commands share.

use super::{Context, Exit, Failure, command};
use crate::query::selector::REFERENCE;

/// Prints the help of a command, or a page: selectors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kspm-graph help selectors\n  kspm-graph help snapshot info")]
pub(crate) struct Args {
    /// A command, or the page selectors
    topic: Vec<String>,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let mut root = command();
    root.build();
    let mut at = &mut root;
    for word in &args.topic {
        if word == "selectors" {
            writeln!(context.out, "{}", REFERENCE.trim_end())?;
            return Ok(Exit::Done);
        }
        at = at.find_subcommand_mut(word).ok_or_else(|| {
            let help =
                "`kspm-graph help` lists the commands; `kspm-graph help selectors` is a page";
            Failure::usage(anyhow::anyhow!("`{word}` is no command and no page"), help.to_owned())
        })?;
    }
    write!(context.out, "{}", at.render_long_help())?;
    Ok(Exit::Done)
}
