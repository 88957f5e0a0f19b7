//! Archives: their members as sources, in the order in which they stand.
//!
//! Nothing is written to disk, so a hostile path can do no harm; one that leaves the archive is
//! refused all the same, because no dump has any. Links, devices and sparse files are left out,
//! archives in archives are not opened, and names are read up to a limit.

use super::crew::{Body, Lead, Task, stream};
use super::format::{self, Layer};
use super::progress::Peek;
use super::source::reopen;
use super::{Collect, SourceId, text};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;
use tar::EntryType;

/// Members up to this size are handed to another thread; larger ones are streamed.
const HELD: u64 = 4 << 20;

/// The longest name, and the longest extended header, that is read.
const NAMED: u64 = 64 << 10;

/// What stands in an archive.
pub(super) enum Entry<'e> {
    /// A file: its path, the size it claims, its bytes.
    Member(String, u64, &'e mut dyn Read),
    /// A link or a device.
    Link,
    /// What cannot be read, and why.
    Broken(String),
}

/// Walks through an archive until told to stop.
type Visit<'v> = &'v mut dyn FnMut(Entry<'_>) -> ControlFlow<()>;

/// Walks through a tar archive.
pub(super) fn tar(reader: impl Read, visit: Visit<'_>) {
    let mut archive = tar::Archive::new(reader);
    let entries = match archive.entries() {
        Ok(entries) => entries.raw(true),
        Err(error) => {
            let _ = visit(Entry::Broken(error.to_string()));
            return;
        }
    };
    // The name of the next member, where its header has no room for it. The archive would read it
    // for us, but without a limit.
    let mut long: Option<Vec<u8>> = None;
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let _ = visit(Entry::Broken(error.to_string()));
                return;
            }
        };
        let flow = match entry.header().entry_type() {
            EntryType::GNULongName => {
                let mut name = read_up_to(&mut entry, NAMED);
                while name.last() == Some(&0) {
                    name.pop();
                }
                long = Some(name);
                continue;
            }
            EntryType::XHeader => {
                let fields = read_up_to(&mut entry, NAMED);
                let path = tar::PaxExtensions::new(&fields)
                    .flatten()
                    .find(|field| field.key_bytes() == b"path")
                    .map(|field| field.value_bytes().to_owned());
                long = path.or(long);
                continue;
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => continue,
            EntryType::Directory => ControlFlow::Continue(()),
            EntryType::Regular | EntryType::Continuous => {
                let own = long.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                let inner = String::from_utf8_lossy(&own).into_owned();
                let size = entry.size();
                visit(Entry::Member(inner, size, &mut entry))
            }
            _ => visit(Entry::Link),
        };
        long = None;
        if flow.is_break() {
            return;
        }
    }
}

/// Walks through a zip archive.
pub(super) fn zip(mut reader: impl Read + Seek, visit: Visit<'_>) {
    let mut left = format::allowance(reader.seek(SeekFrom::End(0)).unwrap_or(0));
    let mut archive = match zip::ZipArchive::new(reader) {
        Ok(archive) => archive,
        Err(error) => {
            let _ = visit(Entry::Broken(error.to_string()));
            return;
        }
    };
    for index in 0..archive.len() {
        let flow = match archive.by_index(index) {
            Err(error) => visit(Entry::Broken(format!("member {}: {error}", index + 1))),
            Ok(file) if file.is_dir() => continue,
            Ok(file) if file.is_symlink() => visit(Entry::Link),
            Ok(mut file) => {
                let (inner, size) = (file.name().to_owned(), file.size());
                visit(Entry::Member(
                    inner,
                    size,
                    &mut Allowed { inner: &mut file, left: &mut left },
                ))
            }
        };
        if flow.is_break() {
            return;
        }
        if left == 0 {
            let _ = visit(Entry::Broken(format::BOMB.to_owned()));
            return;
        }
    }
}

/// Ends all members of an archive that unfolds beyond anything a dump would.
struct Allowed<'a> {
    inner: &'a mut dyn Read,
    left: &'a mut u64,
}

impl Read for Allowed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if *self.left == 0 {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        *self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

/// Walks through an archive that was read before.
pub(super) fn again(path: &Path, visit: Visit<'_>) -> io::Result<()> {
    match reopen(path)? {
        (_, Layer::Zip, _) => zip(BufReader::new(File::open(path)?), visit),
        (stream, _, Layer::Tar) => tar(stream, visit),
        _ => {}
    }
    Ok(())
}

/// The name of a member as a source.
pub(super) fn name_of(archive: &str, inner: &str) -> String {
    format!("{archive}:{}", inner.trim_start_matches("./"))
}

/// One archive being read: its name, its id, and the names of all sources so far.
pub(super) struct Archive<'n> {
    pub(super) name: &'n str,
    pub(super) source: SourceId,
    pub(super) names: &'n mut Vec<String>,
    /// Where it can be read again; not on standard input.
    pub(super) path: Option<&'n Path>,
    /// How many entries were met.
    pub(super) entries: u64,
}

impl Archive<'_> {
    /// Has what stands in the archive read.
    pub(super) fn entry<C: Collect>(
        &mut self,
        entry: Entry<'_>,
        lead: &mut Lead<'_, C>,
    ) -> ControlFlow<()> {
        self.entries += 1;
        match entry {
            Entry::Member(inner, size, reader) => self.member(&inner, size, reader, lead),
            Entry::Link => lead.worker.tally.skipped.links += 1,
            Entry::Broken(message) => lead.worker.sink(self.source).refuse(message),
        }
        ControlFlow::Continue(())
    }

    fn member<C: Collect>(
        &mut self,
        inner: &str,
        size: u64,
        reader: &mut dyn Read,
        lead: &mut Lead<'_, C>,
    ) {
        let mut parts = inner.split(['/', '\\']);
        if inner.starts_with(['/', '\\']) || parts.any(|part| part == "..") {
            let message = format!("the path of `{inner}` leaves the archive");
            return lead.worker.sink(self.source).refuse(message);
        }
        let skipped = &mut lead.worker.tally.skipped;
        if text::is_idle(inner) {
            skipped.files += 1;
            return;
        }
        if text::is_archive(inner) {
            skipped.archives += 1;
            return;
        }
        let source = SourceId::new(self.names.len());
        let name = name_of(self.name, inner);
        self.names.push(name.clone());
        if size > HELD || lead.may_share(size, Layer::Tar, Layer::Json) {
            if let Err(error) = self.large(size, reader, &name, source, lead) {
                lead.worker.sink(source).refuse(error.to_string());
            }
            return;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        // What a zip says of a member's size is a claim only.
        let read = reader.take(HELD).read_to_end(&mut bytes);
        if bytes.len() as u64 == HELD {
            let mut all = io::Cursor::new(bytes).chain(reader);
            return stream(&mut lead.worker, &mut all, &name, source, false);
        }
        lead.give(Task { body: Body::Held(bytes), name, source, named: false });
        if let Err(error) = read {
            lead.worker.sink(source).refuse(format!("the member ends early: {error}"));
        }
    }
}

impl Archive<'_> {
    /// Reads a large member with all threads, if it is of a kind that can be shared.
    fn large<C: Collect>(
        &self,
        size: u64,
        reader: &mut dyn Read,
        name: &str,
        source: SourceId,
        lead: &mut Lead<'_, C>,
    ) -> io::Result<()> {
        let mut peek = Peek::new(reader)?;
        let layer = format::of(peek.head()).layer;
        let Some(path) = self.path.filter(|_| lead.may_share(size, Layer::Tar, layer)) else {
            stream(&mut lead.worker, &mut peek, name, source, false);
            return Ok(());
        };
        if lead.share(&mut peek, name, source) {
            return Ok(());
        }
        // What was read of it is gone: walk there again.
        let mut left = self.entries;
        again(path, &mut |entry| {
            left -= 1;
            match entry {
                _ if left > 0 => return ControlFlow::Continue(()),
                Entry::Member(_, _, reader) => {
                    stream(&mut lead.worker, reader, name, source, false);
                }
                Entry::Link | Entry::Broken(_) => {}
            }
            ControlFlow::Break(())
        })
    }
}

fn read_up_to(reader: &mut impl Read, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read shows at the next header.
    let _ = reader.take(limit).read_to_end(&mut bytes);
    bytes
}
