//! Commands, one file each: what a user types becomes a question, and its end an exit code.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | analysed, and the gate passed or none was asked for |
//! | 1 | the gate failed; `can-i` says no |
//! | 2 | the arguments or the configuration are wrong |
//! | 3 | the input cannot be read, is empty, or is no snapshot |
//! | 4 | evidence is incomplete and `--fail-on-incomplete` is set |
//! | 5 | an internal error |

mod analyze;
mod attacks;
mod blast;
mod can_i;
mod completions;
pub mod docs;
mod ends;
mod explain;
mod export;
mod help;
mod man;
mod open;
mod output;
mod paths;
mod query;
mod reach;
mod schema;
mod snapshot;
mod tui;
mod who_can;
mod why;

use crate::world::network::plugin::known::{KNOWN, known};
use crate::world::network::plugin::{Enforces, Said};
use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// offline attack-path analysis for Kubernetes
#[derive(Debug, Parser)]
#[command(name = "kspm-graph", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(about = "kspm-graph — offline attack-path analysis for Kubernetes")]
#[command(long_about = LONG_ABOUT, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

const LONG_ABOUT: &str = "\
kspm-graph — offline attack-path analysis for Kubernetes

Reads a cluster snapshot (what `kubectl get -o json` prints, archives, manifests) and answers
path questions: can the internet become cluster-admin here, how, and which change stops it?
It opens no connection, needs no database, and says what the snapshot does not tell.";

const AFTER_HELP: &str = "\
SNAPSHOT is anything that holds Kubernetes objects: a file, a folder, a .gz, .tar, .tar.gz, .tgz or
.zip of them, or - for standard input. Several are read as one snapshot. To take one:

  kubectl get -A -o json $(kubectl api-resources --verbs=list -o name | paste -sd, -) > snapshot.json

Exit codes: 0 done · 1 gate failed · 2 usage · 3 input · 4 evidence incomplete · 5 internal error";

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Global"
    )]
    color: ColorChoice,
    /// Print nothing on standard error but errors
    #[arg(short, long, global = true, help_heading = "Global")]
    quiet: bool,
    /// Threads to use; 0 is as many as there are cores. The result is the same for any number
    #[arg(long, global = true, value_name = "N", default_value_t = 0, help_heading = "Global")]
    threads: usize,
    /// The network plugin that runs, such as calico, where a snapshot does not show it
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global")]
    cni: Option<String>,
    /// Whether the network plugin enforces network policies, whatever a snapshot shows
    #[arg(
        long,
        global = true,
        value_name = "WHETHER",
        value_parser = ["yes", "no", "unknown"],
        help_heading = "Global"
    )]
    enforces: Option<String>,
}

impl Global {
    /// What is said of the network.
    fn network(&self) -> Result<Said, Failure> {
        let plugin = match &self.cni {
            None => None,
            Some(name) => Some(known(name).ok_or_else(|| {
                let ids: Vec<&str> = KNOWN.iter().map(|k| k.id).collect();
                let help =
                    format!("these are known: {}; for another say --enforces", ids.join(", "));
                Failure::usage(anyhow::anyhow!("no network plugin `{name}` is known"), help)
            })?),
        };
        let enforces = self.enforces.as_deref().and_then(Enforces::named);
        Ok(Said { plugin, enforces })
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the path queries, rank the answers, report, gate (the CI command)
    Analyze(analyze::Args),
    /// The best paths between two selections
    Paths(paths::Args),
    /// Run one named query; `query list` shows the library
    Query(query::Args),
    /// What can be reached from here, by kind, with what it costs
    Blast(blast::Args),
    /// The edges between two nodes with all evidence; --not: what stops it
    Why(why::Args),
    /// Offline `kubectl auth can-i`; -f answers SubjectAccessReviews in bulk
    CanI(can_i::Args),
    /// Who holds a permission, and by which binding
    WhoCan(who_can::Args),
    /// Who can reach whom over the network, and what faces the outside
    Reach(reach::Args),
    /// What is in a snapshot, what is missing, and what that makes unknown
    Snapshot(snapshot::Args),
    /// Explore a snapshot in the terminal
    Tui(tui::Args),
    /// The graph, or with --focus one answer, as json, dot or svg
    Export(export::Args),
    /// The catalogue of attacks
    Attacks(attacks::Args),
    /// The page of an attack or a query
    Explain(explain::Args),
    /// Completions for a shell
    Completions(completions::Args),
    /// The manual page
    Man(man::Args),
    /// The JSON schema of an output format
    Schema(schema::Args),
    /// The help of a command, or the page on selectors
    Help(help::Args),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    GateFailed,
    Incomplete,
}

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::GateFailed => 1,
            Self::Incomplete => 4,
        }
    }
}

/// An error that the user can do something about.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    error: anyhow::Error,
    help: Option<String>,
}

impl Failure {
    /// The arguments are wrong.
    pub(crate) fn usage(error: impl Into<anyhow::Error>, help: impl Into<Option<String>>) -> Self {
        Self { code: 2, error: error.into(), help: help.into() }
    }

    /// The input cannot be used.
    pub(crate) fn input(error: impl Into<anyhow::Error>, help: impl Into<Option<String>>) -> Self {
        Self { code: 3, error: error.into(), help: help.into() }
    }
}

impl Failure {
    /// What is wrong and what to do, in two lines.
    fn text(&self) -> String {
        let help = self.help.as_ref().map_or_else(String::new, |help| format!("\nhelp: {help}"));
        format!("{:#}{help}", self.error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { code: 3, error: error.into(), help: None }
    }
}

/// What every command is given: where to write, and how.
pub(crate) struct Context<'a> {
    pub(crate) global: &'a Global,
    pub(crate) out: &'a mut dyn Write,
}

impl Context<'_> {
    /// Writes a line to standard error, unless it shall be quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.global.quiet {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Writes a line to standard error, quiet or not.
    pub(crate) fn error(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Whether colour is wanted on standard output. `NO_COLOR` counts when it is not empty.
    pub(crate) fn colour(&self) -> bool {
        #[expect(clippy::disallowed_methods, reason = "the environment is read here")]
        let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
        match self.global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                set("CLICOLOR_FORCE") || io::stdout().is_terminal() && !set("NO_COLOR")
            }
        }
    }
}

/// The program: arguments, command, exit code.
#[must_use]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(
            io::stderr().lock(),
            "error: internal error: {panic}\nhelp: please report this, with the snapshot's kinds and counts if you can"
        );
    }));
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return refused(&error),
    };
    let run = || {
        let cli = Cli::from_arg_matches(&matches).map_err(|e| Failure::usage(e, None))?;
        run(&cli, &mut io::stdout().lock())
    };
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(Ok(exit)) => ExitCode::from(exit.code()),
        Ok(Err(failure)) if is_closed_pipe(&failure.error) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            let mut stderr = io::stderr().lock();
            let _ = writeln!(stderr, "error: {:#}", failure.error);
            if let Some(help) = failure.help {
                let _ = writeln!(stderr, "help: {help}");
            }
            ExitCode::from(failure.code)
        }
        Err(_) => ExitCode::from(5),
    }
}

/// Says what is wrong with the arguments, or prints the help or version that they ask for. The
/// parser calls advice a tip; here it is called help everywhere.
fn refused(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        let said = error.render();
        let mut text =
            if io::stderr().is_terminal() { said.ansi().to_string() } else { said.to_string() };
        text = text.replace("  tip:", "help:").replace("tip:", "help:");
        let _ = write!(io::stderr().lock(), "{text}");
    } else {
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// The whole command line, as documentation and completions need it too.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Whether an error only says that the reader of our output has gone, which is no error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run(cli: &Cli, out: &mut dyn Write) -> Result<Exit, Failure> {
    // The pool may be set once only; a second call in one process keeps the first.
    // This thread is one of the pool's: each further thread keeps freed memory of its own.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(cli.global.threads);
    let _ = pool.use_current_thread().build_global();
    let mut buffered = io::BufWriter::new(out);
    let mut context = Context { global: &cli.global, out: &mut buffered };
    // Wrong arguments are told before anything is read.
    cli.global.network()?;
    let exit = match &cli.command {
        Command::Analyze(args) => analyze::run(args, &mut context),
        Command::Paths(args) => paths::run(args, &mut context),
        Command::Query(args) => query::run(args, &mut context),
        Command::Blast(args) => blast::run(args, &mut context),
        Command::Why(args) => why::run(args, &mut context),
        Command::CanI(args) => can_i::run(args, &mut context),
        Command::WhoCan(args) => who_can::run(args, &mut context),
        Command::Reach(args) => reach::run(args, &mut context),
        Command::Snapshot(args) => snapshot::run(args, &mut context),
        Command::Tui(args) => tui::run(args, &mut context),
        Command::Export(args) => export::run(args, &mut context),
        Command::Attacks(args) => attacks::run(args, &mut context),
        Command::Explain(args) => explain::run(args, &mut context),
        Command::Completions(args) => completions::run(args, &mut context),
        Command::Man(args) => man::run(args, &mut context),
        Command::Schema(args) => schema::run(args, &mut context),
        Command::Help(args) => help::run(args, &mut context),
    }?;
    buffered.flush()?;
    Ok(exit)
}
