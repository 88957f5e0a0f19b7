//! From SNAPSHOT to graph, for every command: reads, lowers, derives, with progress on a terminal.

use super::{Context, Failure, Global};
use crate::attacks;
use crate::graph::Graph;
use crate::input::{self, Input, Origin, Problem, Progress, Reading, SourceId};
use crate::report::{Lines, Snapshot};
use crate::world::World;
use crate::world::coverage::Topic;
use crate::world::rows::Part;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The arguments of commands that take nothing else without a flag: all are read as one snapshot.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotsArg {
    /// Files, folders or archives with Kubernetes objects, or - for standard input; read as one
    #[arg(value_name = "SNAPSHOT", required = true)]
    pub(crate) snapshots: Vec<String>,
}

/// The first argument of the other commands about a cluster. What follows it has no flag either, so
/// further snapshots need one.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotArg {
    /// A file, folder or archive with Kubernetes objects, or - for standard input
    #[arg(value_name = "SNAPSHOT")]
    pub(crate) snapshot: String,
    #[command(flatten)]
    pub(crate) with: WithArg,
}

/// Further snapshots.
#[derive(Debug, clap::Args)]
pub(crate) struct WithArg {
    /// Another file, folder or archive to read as one with SNAPSHOT; may be given several times
    #[arg(long = "with", value_name = "SNAPSHOT")]
    with: Vec<String>,
}

impl WithArg {
    /// A snapshot and the further ones.
    pub(crate) fn after(&self, first: &str) -> Vec<String> {
        std::iter::once(first.to_owned()).chain(self.with.iter().cloned()).collect()
    }
}

impl SnapshotArg {
    /// Every snapshot to read as one.
    pub(crate) fn all(&self) -> Vec<String> {
        self.with.after(&self.snapshot)
    }
}

/// A snapshot that has been read.
pub(crate) struct Opened {
    pub(crate) world: Arc<World>,
    pub(crate) snapshot: Snapshot,
    pub(crate) coverage: Vec<Topic>,
    pub(crate) skipped: input::Skipped,
    one_line: BTreeSet<SourceId>,
}

impl Opened {
    /// Derives the attack graph.
    pub(crate) fn derive(&self) -> Graph {
        attacks::derive(Arc::clone(&self.world))
    }
}

impl Lines for Opened {
    fn lines(&self, wanted: &[(Origin, &str)]) -> Vec<Option<u64>> {
        let wanted: Vec<_> =
            wanted.iter().map(|(origin, field)| (origin.source, origin.offset, *field)).collect();
        input::lines(&self.snapshot.sources, &self.one_line, &wanted)
    }
}

/// Shows how far reading is, once it takes longer than a second and somebody is watching.
struct Meter {
    started: Instant,
    shown: AtomicU64,
    visible: bool,
}

impl Meter {
    fn new(context: &Context<'_>) -> Self {
        let visible = io::stderr().is_terminal() && !context.global.quiet;
        Self { started: Instant::now(), shown: AtomicU64::new(0), visible }
    }

    fn show(&self, text: &str) {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let shown = self.shown.load(Ordering::Relaxed);
        if !self.visible || elapsed < 1000 || elapsed < shown + 100 {
            return;
        }
        self.shown.store(elapsed, Ordering::Relaxed);
        let _ = write!(io::stderr().lock(), "\r\x1b[K{text}");
    }

    fn clear(&self) {
        if self.shown.load(Ordering::Relaxed) > 0 {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

/// Reads snapshots as one.
pub(crate) fn open(arguments: &[String], context: &Context<'_>) -> Result<Opened, Failure> {
    let meter = Meter::new(context);
    let opened = read(arguments, context.global, &|text| meter.show(&text));
    meter.clear();
    let opened = opened?;
    warn(&opened, context);
    Ok(opened)
}

/// Reads snapshots as one, telling how far it is and printing nothing.
pub(crate) fn read(
    arguments: &[String],
    global: &Global,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Opened, Failure> {
    let inputs: Vec<Input> = arguments
        .iter()
        .map(|a| if a == "-" { Input::Stdin } else { Input::Path(PathBuf::from(a)) })
        .collect();
    let threads = match global.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let progress = |p: Progress| {
        const MB: u64 = 1_000_000;
        tell(format!("reading {} of {} MB", p.read / MB, p.total / MB));
    };
    let reading: Reading<Part> =
        input::read(&inputs, threads, Part::default, &progress).map_err(|error| {
            let help = error.help();
            Failure::input(error, help)
        })?;
    tell("joining what was read".to_owned());
    let Reading { collectors, sources, one_line, mut problems, skipped, unknown, objects, .. } =
        reading;
    let unread: u64 = unknown.values().sum();
    let mut world = World::new(collectors, unknown);
    world.said = global.network()?;
    for (origin, message) in &world.unusable {
        let source = sources.get(origin.source.index()).cloned().unwrap_or_default();
        let place = format!("byte {}", origin.offset);
        problems.push(Problem { source, place, message: message.clone() });
    }
    problems.sort();
    if objects + unread == 0 {
        return Err(no_objects(arguments, &problems));
    }
    let coverage = world.coverage();
    let snapshot =
        Snapshot { inputs: arguments.to_vec(), sources, objects: objects + unread, problems };
    let world = Arc::new(world);
    // The process ends with it. To take it apart piece by piece would take time for nothing.
    std::mem::forget(Arc::clone(&world));
    Ok(Opened { world, snapshot, coverage, skipped, one_line })
}

fn no_objects(arguments: &[String], problems: &[Problem]) -> Failure {
    let named: Vec<String> = arguments.iter().map(|a| format!("`{a}`")).collect();
    let mut text = format!("no Kubernetes object in {}", named.join(", "));
    for problem in problems.iter().take(5) {
        text.push_str("\n  ");
        text.push_str(&line(problem));
    }
    let help = "give what `kubectl get -A -o json` printed, a folder or an archive of such files"
        .to_owned();
    Failure::input(anyhow::anyhow!(text), help)
}

/// A problem in a line: where, and what.
pub(crate) fn line(problem: &Problem) -> String {
    use crate::report::escape::terminal;
    let Problem { source, place, message } = problem;
    let at = if place.is_empty() { source.clone() } else { format!("{source}: {place}") };
    format!("{}: {}", terminal(&at), terminal(message))
}

/// Problems go to standard error, the first few in full: a tool that leaves something out silently
/// is not to be trusted.
fn warn(opened: &Opened, context: &Context<'_>) {
    const MOST: usize = 10;
    let problems = &opened.snapshot.problems;
    for problem in problems.iter().take(MOST) {
        context.note(&format!("warning: {}", line(problem)));
    }
    if problems.len() > MOST {
        let rest = problems.len() - MOST;
        context
            .note(&format!("warning: {rest} more problems (`kspm-graph snapshot info` lists all)"));
    }
    if opened.world.clusters > 1 {
        context.note(&format!(
            "warning: the snapshot holds objects of {} clusters, read as one",
            opened.world.clusters
        ));
    }
}

/// Objects by kind, for people: `Pod 35`, `HTTPRoute.gateway.networking.k8s.io 1`.
pub(crate) fn kinds(world: &World) -> BTreeMap<String, u64> {
    let mut kinds = BTreeMap::new();
    for ((group, kind), count) in &world.seen {
        use crate::k8s::Kind;
        // The kinds of policies that are not evaluated bear the names of others.
        let read = Kind::of(group, kind).is_some_and(|k| k != Kind::OtherNetworkPolicy);
        let known = read || group.is_empty();
        let name = if known { kind.clone() } else { format!("{kind}.{group}") };
        *kinds.entry(name).or_default() += count;
    }
    kinds
}

/// Warns when RBAC was not collected: an answer about access then rests on nothing.
pub(crate) fn warn_without_rbac(opened: &Opened, context: &Context<'_>) {
    use crate::world::coverage::State;
    let rbac = opened.coverage.iter().find(|t| t.topic == "rbac" && t.state == State::Missing);
    if let Some(topic) = rbac {
        context.error(&format!("warning: {}", topic.reason));
    }
}
