//! `completions`: what a shell needs to complete our arguments.

use super::{Context, Exit, Failure, command};
use clap_complete::Shell;

/// Prints completions for a shell, to be sourced or put where the shell looks for them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  source <(kspm-graph completions bash)
  kspm-graph completions zsh > ~/.zfunc/_kspm-graph
  kspm-graph completions fish > ~/.config/fish/completions/kspm-graph.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    clap_complete::generate(args.shell, &mut command(), "kspm-graph", &mut context.out);
    Ok(Exit::Done)
}
