//! What an analysis costs, told as a multiple of the cheapest possible reading of the same file.
//!
//! Seconds depend on the machine and on what else it does; ratios of runs that alternate do so
//! much less, and they are what is held against a budget. The yardstick is `serde_json` skipping
//! over the whole file.
//!
//! ```text
//! cargo bench                  sizes s and m
//! cargo bench -- s m l         those named; l takes 2.3 GB of disk and of memory
//! cargo bench -- --generate m DIR [--indent] [--no-managed-fields]
//!                              writes DIR/m.json and measures nothing
//! ```

mod bootstrap;
mod cluster;
mod config;
mod fields;
mod generator;
mod json;
mod measure;
mod network;
mod nodes;
mod object;
mod owners;
mod planted;
mod pods;
mod policies;
mod random;
mod rbac;
mod template;

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};

use crate::cluster::{SIZES, Size};
use crate::measure::{Cost, MEASURE, YARDSTICK};

/// Odd, so that the median is one of them.
const ROUNDS: usize = 3;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell if standard error is closed.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match arguments.first().and_then(|first| first.to_str()) {
        Some(MEASURE) => return measure::between(&arguments[1..]),
        Some(YARDSTICK) => {
            let [_, path] = &arguments[..] else { bail!("`{YARDSTICK}` needs a file") };
            return measure::yardstick(Path::new(path));
        }
        _ => {}
    }
    let given = arguments.len();
    arguments.retain(|argument| argument != "--bench");
    // `cargo test --all-targets` runs benches too, without the argument that `cargo bench` adds.
    if given == 0 {
        return Ok(());
    }
    match arguments.first() {
        Some(first) if first == "--generate" => generate(&arguments[1..]),
        _ => bench(&arguments),
    }
}

fn size(name: &OsString) -> anyhow::Result<&'static Size> {
    let name = name.to_string_lossy();
    Size::named(&name.to_lowercase())
        .with_context(|| format!("no size `{name}`; there are s, m, l"))
}

fn generate(arguments: &[OsString]) -> anyhow::Result<()> {
    let [name, folder, options @ ..] = arguments else {
        bail!("`--generate` needs a size and a folder")
    };
    let mut style = generator::AS_SENT;
    for option in options {
        match option.to_str() {
            Some("--indent") => style.indent = true,
            Some("--no-managed-fields") => style.managed_fields = false,
            _ => bail!("unknown option `{}`", option.display()),
        }
    }
    let size = size(name)?;
    let path = Path::new(folder).join(format!("{}.json", size.name));
    let objects = generator::write_file(size, style, &path)?;
    let bytes = fs::metadata(&path)?.len();
    writeln!(io::stdout(), "{}: {objects} objects, {bytes} bytes", path.display())?;
    Ok(())
}

/// What is run on every snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Yardstick,
    Analyze,
    Json,
    OneThread,
    Load,
    /// Every pod held against every network policy.
    Reach,
    Packed,
}

const RUNS: [Run; 7] =
    [Run::Yardstick, Run::Analyze, Run::Json, Run::OneThread, Run::Load, Run::Reach, Run::Packed];

impl Run {
    fn cost(self, snapshot: &Path) -> anyhow::Result<Cost> {
        let this = env::current_exe()?;
        let analyzer = Path::new(env!("CARGO_BIN_EXE_kspm-graph"));
        let packed = snapshot.with_extension("json.gz");
        let analyze = ["analyze"];
        let (program, words, file) = match self {
            Self::Yardstick => (this.as_path(), &[YARDSTICK][..], snapshot),
            Self::Analyze | Self::OneThread => (analyzer, &analyze[..], snapshot),
            Self::Json => (analyzer, &["analyze", "-o", "json=/dev/null"][..], snapshot),
            Self::Load => (analyzer, &["snapshot", "info"][..], snapshot),
            Self::Reach => (analyzer, &["reach"][..], snapshot),
            Self::Packed => (analyzer, &analyze[..], packed.as_path()),
        };
        let mut arguments: Vec<OsString> = words.iter().map(Into::into).collect();
        arguments.push(file.into());
        if self == Self::Yardstick {
            // Holding the whole file, it pays up to double when the system has to find the memory
            // anew, which would flatter the analyzer. So the second of two runs counts.
            measure::run(program, &arguments, false)?;
        }
        measure::run(program, &arguments, self == Self::OneThread)
    }
}

/// The measurements of one snapshot.
struct Row {
    size: &'static Size,
    path: PathBuf,
    bytes: f64,
    /// For each of [`RUNS`], one cost a round.
    costs: [Vec<Cost>; RUNS.len()],
}

impl Row {
    /// The median of one figure of a run; none where the run failed or was left out.
    fn median(&self, run: Run, figure: impl Fn(&Cost) -> f64) -> Option<f64> {
        let index = RUNS.iter().position(|&other| other == run)?;
        let mut figures: Vec<f64> = self.costs[index].iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied()
    }

    fn cpu(&self, run: Run) -> Option<f64> {
        self.median(run, |cost| cost.cpu)
    }

    fn ratio(&self, run: Run, base: Run) -> Option<f64> {
        Some(self.cpu(run)? / self.cpu(base)?)
    }

    /// What evaluating the network policies takes, in seconds: what reading takes is taken off.
    fn network(&self) -> Option<f64> {
        Some(self.cpu(Run::Reach)? - self.cpu(Run::Load)?)
    }
}

fn bench(arguments: &[OsString]) -> anyhow::Result<()> {
    let mut sizes: Vec<&'static Size> =
        arguments.iter().map(size).collect::<anyhow::Result<_>>()?;
    if sizes.is_empty() {
        sizes.extend(&SIZES[..2]);
    }
    // Beside `tmp`, wherever the target folder is.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench-snapshots");
    let mut rows = Vec::new();
    for size in sizes {
        // The largest is not worth its minute of packing.
        let packed = size.nodes <= SIZES[1].nodes;
        generator::ensure(size, packed, &folder)?;
        let path = folder.join(format!("{}.json", size.name));
        let bytes = fs::metadata(&path)?.len() as f64;
        rows.push(Row { size, path, bytes, costs: Default::default() });
    }
    rows.sort_by(|one, other| one.bytes.total_cmp(&other.bytes));

    let mut failures = BTreeSet::new();
    for _ in 0..ROUNDS {
        // Runs alternate, so that other work on the machine disturbs all alike.
        for row in &mut rows {
            for (run, costs) in RUNS.into_iter().zip(&mut row.costs) {
                if run == Run::Packed && !row.path.with_extension("json.gz").exists() {
                    continue;
                }
                match run.cost(&row.path) {
                    Ok(cost) => costs.push(cost),
                    Err(error) => {
                        failures.insert(format!("{error:#}"));
                    }
                }
            }
        }
    }
    print(&rows, &mut io::stdout().lock())?;
    let failures: Vec<String> = failures.into_iter().collect();
    ensure!(failures.is_empty(), "runs failed:\n{}", failures.join("\n"));
    Ok(())
}

/// A figure as text; a dash where its run failed or was left out.
fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

fn print(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "cpu ratios; medians of {ROUNDS} alternating runs; Y is serde_json skipping over the file"
    )?;
    writeln!(
        out,
        "{:<4} {:>8} {:>10} {:>7} {:>11} {:>7} {:>11} {:>8} {:>10}   (seconds: Y, analyze; wall)",
        "size",
        "file MB",
        "analyze/Y",
        "json/Y",
        "1 thread/Y",
        "load/Y",
        "gzip/plain",
        "peak MB",
        "peak/file",
    )?;
    for row in rows {
        let peak = row.median(Run::Analyze, |cost| cost.peak);
        writeln!(
            out,
            "{:<4} {:>8.1} {:>10} {:>7} {:>11} {:>7} {:>11} {:>8} {:>8} %   ({}, {}; {})",
            row.size.name,
            row.bytes / 1e6,
            number(row.ratio(Run::Analyze, Run::Yardstick), 2),
            number(row.ratio(Run::Json, Run::Yardstick), 2),
            number(row.ratio(Run::OneThread, Run::Yardstick), 2),
            number(row.ratio(Run::Load, Run::Yardstick), 2),
            number(row.ratio(Run::Packed, Run::Analyze), 2),
            number(peak.map(|peak| peak / 1e6), 1),
            number(peak.map(|peak| 100.0 * peak / row.bytes), 1),
            number(row.cpu(Run::Yardstick), 3),
            number(row.cpu(Run::Analyze), 3),
            number(row.median(Run::Analyze, |cost| cost.wall), 3),
        )?;
    }
    print_network(rows, out)?;
    if let [small, .., large] = rows
        && let (Some(less), Some(more)) = (small.cpu(Run::Analyze), large.cpu(Run::Analyze))
    {
        let exponent = (more / less).ln() / (large.bytes / small.bytes).ln();
        writeln!(
            out,
            "analyze grows with the file's size to the power {exponent:.2} ({} to {})",
            small.size.name, large.size.name,
        )?;
    }
    Ok(())
}

/// `reach` by itself: every pod's class, what isolates it and what still leads to it.
fn print_network(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<4} {:>8} {:>10} {:>8} {:>11} {:>9} {:>10}   (seconds: network)",
        "size", "pods", "policies", "reach/Y", "network/Y", "peak MB", "peak/file",
    )?;
    for row in rows {
        let peak = row.median(Run::Reach, |cost| cost.peak);
        let yardstick = row.cpu(Run::Yardstick);
        let network = row.network();
        writeln!(
            out,
            "{:<4} {:>8} {:>10} {:>8} {:>11} {:>9} {:>8} %   ({})",
            row.size.name,
            row.size.pods,
            row.size.policies,
            number(row.ratio(Run::Reach, Run::Yardstick), 2),
            number(network.zip(yardstick).map(|(network, base)| network / base), 2),
            number(peak.map(|peak| peak / 1e6), 1),
            number(peak.map(|peak| 100.0 * peak / row.bytes), 1),
            number(network, 3),
        )?;
    }
    Ok(())
}
