//! Where objects come from: files, folders, archives and standard input, in every shape that
//! people keep them in.
//!
//! [`read`] streams every source and hands each object to a [`Collect`], borrowed from the bytes it
//! stands in, together with its [`Origin`]. Nothing is held but the block being read. What cannot
//! be read is a counted [`Problem`], never the end of the run. This room does not know what an
//! object means.
//!
//! | file | holds |
//! |---|---|
//! | `source`, `dir`, `archive` | the files and members that are read |
//! | `crew`, `split` | the threads they are read by |
//! | `format`, `text` | what a stream of bytes is, and the way from it to text |
//! | `window` | the one block that is held |
//! | `json`, `yaml`, `transcode` | text to objects |
//! | `sink`, `late`, `layout` | what an item is, and the kind of one that does not say |
//! | `again` | the way back to places in sources that were read |
//! | `line`, `object` | the line of a field and the object around it, once they are shown |

mod again;
mod archive;
mod checked;
mod crew;
mod dir;
mod format;
mod json;
mod late;
mod layout;
mod line;
mod object;
mod progress;
mod sink;
mod source;
mod split;
#[cfg(test)]
mod tests;
mod text;
mod transcode;
mod window;
mod yaml;

pub use line::{Step, lines, steps};
pub use object::{Missing, Shown, Wanted, objects};

use crate::k8s::Object;
use progress::Meter;
use sink::{Fault, Tally};
use source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

crate::index! {
    /// A source: one file, one member of an archive, or standard input.
    SourceId
}

/// Where an object was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file or member.
    pub source: SourceId,
    /// The byte at which the object begins, in the uncompressed text.
    pub offset: u64,
}

/// Something that could not be read; the rest was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The name of the source.
    pub source: String,
    /// Where in it: a line, an item, a member; empty for all of it.
    pub place: String,
    /// What is wrong, in lower case, without a full stop.
    pub message: String,
}

/// Takes objects as they are read. There is one a thread, so it needs no lock.
///
/// Which thread's collector gets an object, and when, differs from run to run; which objects there
/// are does not.
pub trait Collect: Send {
    /// One object of a kind that the tool reads. It borrows from a buffer that is reused after the
    /// call.
    fn object(&mut self, object: Object<'_>, origin: Origin);
}

/// One of the arguments called SNAPSHOT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file or a folder.
    Path(PathBuf),
    /// Standard input, spelled `-`.
    Stdin,
}

/// How far reading has come, in bytes as they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub read: u64,
    /// Bytes that there are, without standard input.
    pub total: u64,
}

/// What was left out without being a problem.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Files and members that hold no objects: licences, logs, pictures, other JSON.
    pub files: u64,
    /// Files and members of no bytes.
    pub empty: u64,
    /// Archives within archives.
    pub archives: u64,
    /// Symbolic links and devices.
    pub links: u64,
}

/// Everything that came out of reading.
#[derive(Debug)]
pub struct Reading<C> {
    /// What the threads collected, the leading one's first. There may be more than threads.
    pub collectors: Vec<C>,
    /// The name of every source, by its id: `pods.json`, `bundle.tar.gz:nodes.json`, `-`.
    pub sources: Vec<String>,
    /// The sources whose text is one line, as API servers write it.
    pub one_line: BTreeSet<SourceId>,
    /// What could not be read, in the order of the sources and of the places in them.
    pub problems: Vec<Problem>,
    /// What was left out.
    pub skipped: Skipped,
    /// How many objects there were of each kind that the tool does not read, by group and name.
    pub unknown: BTreeMap<(String, String), u64>,
    /// How many objects the collectors got. Objects that stand in several files count each time.
    pub objects: u64,
    /// Bytes of uncompressed text that were read.
    pub bytes: u64,
}

/// Why nothing could be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file or folder.
    #[error("cannot find `{}`", .0.display())]
    Missing(PathBuf),
    /// The file or folder cannot be opened.
    #[error("cannot read `{}`", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
}

impl ReadError {
    /// What the user may do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Missing(path) if path.as_os_str().is_empty() => {
                "a snapshot is a file, a folder, or `-` for standard input".to_owned()
            }
            Self::Missing(_) => "a snapshot is the output of `kubectl get ... -o json` or `-o \
                                 yaml`, a folder or archive of such files, or `-`"
                .to_owned(),
            Self::Unreadable(path, _) => {
                format!("check who may read `{}`", path.display())
            }
        };
        Some(text)
    }
}

/// Reads every object in the inputs, in the given number of threads.
///
/// Each thread has a collector of its own, from `make`. `progress` is called now and then, from
/// any thread.
///
/// # Errors
///
/// An input that does not exist or cannot be opened. That there are no objects in what was read is
/// not an error here; see [`Reading::objects`].
pub fn read<C: Collect>(
    inputs: &[Input],
    threads: usize,
    make: impl Fn() -> C + Sync,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Reading<C>, ReadError> {
    read_sharing(inputs, threads, SHARED, &make, progress)
}

/// From this size on, all threads read one file together.
const SHARED: u64 = 8 << 20;

fn read_sharing<C: Collect>(
    inputs: &[Input],
    threads: usize,
    from: u64,
    make: &(dyn Fn() -> C + Sync),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Reading<C>, ReadError> {
    let mut tally = Tally::default();
    let mut problems = Vec::new();
    let sources = source::plan(inputs, &mut tally.skipped, &mut problems)?;
    let mut names: Vec<String> = sources.iter().map(Source::name).collect();
    let meter = Meter::new(sources.iter().map(|source| source.size).sum(), progress);
    let workers = crew::run(threads, from, make, |lead| {
        for (index, source) in sources.iter().enumerate() {
            source.read(SourceId::new(index), lead, &mut names, &meter);
        }
    });
    let mut collectors = Vec::with_capacity(workers.len());
    for worker in workers {
        collectors.push(worker.collect);
        tally.add(worker.tally);
    }
    tally.settle();
    problems.extend(place(&names, &tally.one_line, &tally.faults));
    let Tally { objects, unknown, skipped, bytes, one_line, .. } = tally;
    let sources = names;
    Ok(Reading { collectors, sources, one_line, problems, skipped, unknown, objects, bytes })
}

/// Turns faults into problems: the lines are looked up only now that there are some.
fn place(
    names: &[String],
    one_line: &BTreeSet<SourceId>,
    faults: &[Fault],
) -> impl Iterator<Item = Problem> {
    let placed = faults.iter().filter_map(|fault| fault.offset.map(|at| (fault.source, at, "")));
    let mut found = lines(names, one_line, &placed.collect::<Vec<_>>()).into_iter();
    faults.iter().map(move |fault| Problem {
        source: names.get(fault.source.index()).cloned().unwrap_or_default(),
        place: match fault.offset.map(|offset| (offset, found.next().flatten())) {
            None => String::new(),
            Some((_, Some(line))) => format!("line {}", line + fault.below),
            Some((offset, None)) => format!("byte {offset}"),
        },
        message: fault.message.clone(),
    })
}
