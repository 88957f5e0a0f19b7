//! CPU time and peak memory of one program, taken by a process in between.
//!
//! The kernel adds up the CPU time of all children of a process and keeps the largest of their
//! peaks. So every measurement has a process of its own that starts a single child. That process
//! must stay small: what it holds when the child is started counts as the child's.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::de::IgnoredAny;

/// Makes this executable the process in between.
pub(crate) const MEASURE: &str = "--measure";
/// Makes this executable the yardstick.
pub(crate) const YARDSTICK: &str = "--yardstick";

/// What one run of a program took.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// Seconds, of user and system together, over all threads.
    pub(crate) cpu: f64,
    /// Seconds on the clock, which other work on the machine lengthens.
    pub(crate) wall: f64,
    /// Bytes.
    pub(crate) peak: f64,
}

/// Runs `program` to its end and tells what it took. With `one_thread`, rayon has one.
pub(crate) fn run(
    program: &Path,
    arguments: &[OsString],
    one_thread: bool,
) -> anyhow::Result<Cost> {
    let mut between = Command::new(env::current_exe()?);
    between.arg(MEASURE).arg(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::piped());
    between.env_remove("RAYON_NUM_THREADS");
    if one_thread {
        between.env("RAYON_NUM_THREADS", "1");
    }
    let output = between.output().context("failed to start the measuring process")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> =
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().context(text.clone())?;
    match figures[..] {
        [cpu, peak_kb, wall] => Ok(Cost { cpu, wall, peak: peak_kb * 1024.0 }),
        _ => bail!("the measuring process printed `{text}`"),
    }
}

/// The process in between: prints CPU seconds, peak kilobytes and seconds on the clock.
pub(crate) fn between(command: &[OsString]) -> anyhow::Result<()> {
    let [program, arguments @ ..] = command else { bail!("`{MEASURE}` needs a program") };
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("failed to start `{}`", program.display()))?;
    let wall = start.elapsed().as_secs_f64();
    ensure!(status.success(), "{command:?} ended with {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
    // Linux counts kilobytes, macOS bytes.
    let unit = if cfg!(target_os = "macos") { 1024 } else { 1 };
    writeln!(io::stdout().lock(), "{cpu} {} {wall}", usage.max_rss() / unit)?;
    Ok(())
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// The yardstick: the fastest plain parse of a whole file by a public crate, keeping nothing.
pub(crate) fn yardstick(path: &Path) -> anyhow::Result<()> {
    let text = fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    serde_json::from_slice::<IgnoredAny>(&text)?;
    Ok(())
}
