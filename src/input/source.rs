//! The files that are read: which there are, and how each is opened.

use super::archive::{self, Archive, Entry};
use super::crew::{Body, Lead, Task};
use super::format::{self, Layer};
use super::progress::{Meter, Metered, Peek};
use super::{Collect, Input, Problem, ReadError, Skipped, SourceId, dir, text};
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// A file that is to be read.
pub(super) struct Source {
    /// Nothing for standard input.
    path: Option<PathBuf>,
    pub(super) size: u64,
    /// Whether it was named by the user, not found in a folder.
    named: bool,
}

/// All files to be read, in the order of the inputs and of the paths in each folder.
pub(super) fn plan(
    inputs: &[Input],
    skipped: &mut Skipped,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Source>, ReadError> {
    let mut sources = Vec::new();
    for input in inputs {
        let Input::Path(path) = input else {
            sources.push(Source { path: None, size: 0, named: true });
            continue;
        };
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => ReadError::Missing(path.clone()),
            _ => ReadError::Unreadable(path.clone(), error),
        };
        let meta = fs::metadata(path).map_err(unreadable)?;
        if !meta.is_dir() {
            // A pipe must be opened once only.
            if meta.is_file() {
                File::open(path).map_err(unreadable)?;
            }
            sources.push(Source { path: Some(path.clone()), size: meta.len(), named: true });
            continue;
        }
        let listing = dir::list(path).map_err(unreadable)?;
        skipped.links += listing.links;
        problems.extend(listing.failures.into_iter().map(|(path, error)| Problem {
            source: path.display().to_string(),
            place: String::new(),
            message: error.to_string(),
        }));
        for path in listing.files {
            if text::is_idle(&path.to_string_lossy()) {
                skipped.files += 1;
                continue;
            }
            let size = fs::metadata(&path).map_or(0, |meta| meta.len());
            sources.push(Source { path: Some(path), size, named: false });
        }
    }
    Ok(sources)
}

/// A source as it is read.
type Stream<'a> = Peek<Box<dyn Read + Send + 'a>>;

impl Source {
    /// The path as the user gave it, or as it was found below what the user gave.
    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "-".to_owned(), |path| path.display().to_string())
    }

    /// Has the source read: archives member by member, everything else as text.
    pub(super) fn read<'a, C: Collect>(
        &self,
        id: SourceId,
        lead: &mut Lead<'a, C>,
        names: &mut Vec<String>,
        meter: &'a Meter<'a>,
    ) {
        if let Err(error) = self.try_read(id, lead, names, meter) {
            lead.worker.sink(id).refuse(error.to_string());
        }
    }

    fn try_read<'a, C: Collect>(
        &self,
        id: SourceId,
        lead: &mut Lead<'a, C>,
        names: &mut Vec<String>,
        meter: &'a Meter<'a>,
    ) -> io::Result<()> {
        let name = self.name();
        let (mut peek, outer, inner) = self.open(meter)?;
        if self.path.is_some() && lead.may_share(self.size, outer, inner) {
            if lead.share(&mut peek, &name, id) {
                return Ok(());
            }
            (peek, ..) = self.open(meter)?;
        }
        let path = self.path.as_deref();
        let mut archive = Archive { name: &name, source: id, names, path, entries: 0 };
        match (outer, inner) {
            (_, Layer::Tar) => archive::tar(peek, &mut |entry| archive.entry(entry, lead)),
            (Layer::Zip, _) => {
                let visit = &mut |entry: Entry<'_>| archive.entry(entry, lead);
                match path {
                    Some(path) => archive::zip(BufReader::new(File::open(path)?), visit),
                    None => archive::zip(Cursor::new(held(peek)?), visit),
                }
            }
            _ => lead.give(Task {
                body: Body::Stream(Box::new(peek)),
                name,
                source: id,
                named: self.named,
            }),
        }
        Ok(())
    }

    /// Opens the source; gives what is in it, its own format, and the format of that.
    fn open<'a>(&self, meter: &'a Meter<'a>) -> io::Result<(Stream<'a>, Layer, Layer)> {
        match &self.path {
            None => unwrap(Box::new(Metered::new(io::stdin(), meter))),
            Some(path) => unwrap(Box::new(Metered::new(File::open(path)?, meter))),
        }
    }
}

/// Opens a file that was read before.
pub(super) fn reopen(path: &Path) -> io::Result<(Stream<'static>, Layer, Layer)> {
    unwrap(Box::new(File::open(path)?))
}

fn unwrap<'a>(file: Box<dyn Read + Send + 'a>) -> io::Result<(Stream<'a>, Layer, Layer)> {
    let peek = Peek::new(file)?;
    let outer = format::of(peek.head()).layer;
    if outer != Layer::Gzip {
        return Ok((peek, outer, outer));
    }
    let inner = format::gunzip(BufReader::with_capacity(128 << 10, peek));
    let peek = Peek::new(Box::new(inner) as Box<dyn Read + Send>)?;
    let inner = format::of(peek.head()).layer;
    Ok((peek, outer, inner))
}

/// The most that is held of a zip archive on standard input, which must be read from its end.
const ZIP: u64 = 512 << 20;

fn held(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if reader.take(ZIP).read_to_end(&mut bytes)? as u64 == ZIP {
        return Err(io::Error::other("too large for a zip archive on standard input"));
    }
    Ok(bytes)
}
