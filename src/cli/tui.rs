//! `tui`: the terminal interface.

use super::analyze::queries;
use super::open::{SnapshotsArg, read};
use super::{Context, Exit, Failure};
use crate::query::gate::{self, Gate};
use crate::report::Lines;
use crate::tui::keymap::Keys;
use crate::tui::theme::{PALETTES, Theme};
use crate::tui::{Loaded, Model, terminal};
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// Explores a snapshot in the terminal: paths and their evidence, what leads to a node and what it
/// leads to, what a change would close, who reaches whom.
///
/// ? shows the keys, / filters, : takes a command, q leaves. Nothing is only seen here: each screen
/// tells with Y which command prints the same.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph tui cluster.json
  kubectl get -A -o json pods,roles,rolebindings | kspm-graph tui -
  kspm-graph tui manifests/ --fail-on critical@likely
  kspm-graph tui cluster.json --theme colour-blind --keys my-keys.txt

A file of --keys gives keys to actions, a line each: `mark = ctrl-x d`. The names stand in the
help of the interface and in docs/tui.md.")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshots: SnapshotsArg,
    /// A folder of further queries, or one query's file; may be given several times
    #[arg(long, value_name = "PATH")]
    queries: Vec<PathBuf>,
    /// Colours: terminal, colour-blind or none; T changes them
    #[arg(long, value_name = "NAME", value_parser = theme)]
    theme: Option<Theme>,
    /// Draw with letters only
    #[arg(long)]
    ascii: bool,
    /// A file of keys of your own
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Listen to the mouse from the start
    #[arg(long)]
    mouse: bool,
    /// Show whether `analyze` with this gate would pass; may be given several times
    #[arg(long, value_name = "EXPR", value_parser = gate::parse)]
    fail_on: Vec<Gate>,
}

fn theme(name: &str) -> Result<Theme, String> {
    let names: Vec<&str> = PALETTES.iter().map(|p| p.name).collect();
    Theme::named(name, false).ok_or_else(|| format!("choose from {}", names.join(", ")))
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let inputs = args.snapshots.snapshots.clone();
    let keys = match &args.keys {
        Some(file) => own_keys(file)?,
        None => Keys::default(),
    };
    let queries = queries(&args.queries)?;
    let gated = args.fail_on.iter().filter_map(Gate::query);
    if let Some(name) = gated.into_iter().find(|name| !queries.iter().any(|q| q.id == *name)) {
        return Err(super::query::unknown(name, &queries));
    }
    needs_terminal(&inputs)?;
    let plain = Theme::named("none", args.ascii).unwrap_or(Theme { palette: 0, ascii: args.ascii });
    let mut theme = match args.theme {
        Some(theme) => theme,
        None if context.colour() => Theme { palette: 0, ascii: args.ascii },
        None => plain,
    };
    theme.ascii = args.ascii;
    let mut model = Model::new((80, 24), theme);
    (model.keys, model.mouse) = (keys, args.mouse);
    model.gates.clone_from(&args.fail_on);
    let global = context.global.clone();
    let load = move |tell: &(dyn Fn(String) + Sync)| {
        let opened = read(&inputs, &global, tell).map_err(|failure| failure.text())?;
        tell("finding every way from one thing to another".to_owned());
        Ok(Loaded {
            graph: opened.derive(),
            snapshot: opened.snapshot.clone(),
            coverage: opened.coverage.clone(),
            queries,
            lines: Box::new(opened) as Box<dyn Lines + Send + Sync>,
        })
    };
    terminal::run(model, Box::new(load)).map_err(|error| {
        let error = anyhow::Error::from(error).context("the terminal interface failed");
        Failure { code: 5, error, help: None }
    })?;
    Ok(Exit::Done)
}

/// A terminal is needed to show anything, and to be told keys; a snapshot may still come from
/// standard input.
fn needs_terminal(inputs: &[String]) -> Result<(), Failure> {
    let keys = io::stdin().is_terminal() || inputs.iter().any(|input| input == "-");
    if io::stdout().is_terminal() && keys {
        return Ok(());
    }
    let help = format!("`kspm-graph analyze {}` prints the paths as text", inputs.join(" "));
    Err(Failure::usage(anyhow::anyhow!("`tui` needs a terminal to draw on"), help))
}

fn own_keys(file: &PathBuf) -> Result<Keys, Failure> {
    let path = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        let error = anyhow::Error::from(error).context(format!("cannot read `{path}`"));
        Failure::usage(error, "name a file of lines such as `mark = ctrl-x`".to_owned())
    })?;
    Keys::parse(&text).map_err(|error| {
        let (what, help) = error.split_once("\nhelp: ").unwrap_or((&error, ""));
        Failure::usage(anyhow::anyhow!("`{path}`: {what}"), help.to_owned())
    })
}
