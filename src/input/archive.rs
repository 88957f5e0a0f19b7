//! Archives: their members as sources, in the order in which they stand.
//!
//! Nothing is written to disk, so a hostile path can do no harm; one that leaves the archive is
//! refused all the same, because no dump has any. Links, devices and sparse files are left out,
//! archives in archives are not opened, and names are read up to a limit.

use super::crew::{Body, Lead, Task, stream};
use super::{Collect, SourceId, text};
use std::io::{self, Read, Seek};
use tar::EntryType;

/// Members up to this size are handed to another thread; larger ones are streamed.
const HELD: u64 = 4 << 20;

/// The longest name, and the longest extended header, that is read.
const NAMED: u64 = 64 << 10;

/// One archive being read: its name, its id, and the names of all sources so far.
pub(super) struct Archive<'n> {
    pub(super) name: &'n str,
    pub(super) source: SourceId,
    pub(super) names: &'n mut Vec<String>,
}

impl Archive<'_> {
    /// Reads all members of a tar archive.
    pub(super) fn tar<C: Collect>(&mut self, reader: impl Read, lead: &mut Lead<'_, C>) {
        let mut archive = tar::Archive::new(reader);
        let entries = match archive.entries() {
            Ok(entries) => entries.raw(true),
            Err(error) => return self.refuse(lead, &error.to_string()),
        };
        // The name of the next member, where its header has no room for it.
        let mut long: Option<Vec<u8>> = None;
        for entry in entries {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.refuse(lead, &error.to_string()),
            };
            match entry.header().entry_type() {
                EntryType::GNULongName => {
                    let mut name = read_up_to(&mut entry, NAMED);
                    while name.last() == Some(&0) {
                        name.pop();
                    }
                    long = Some(name);
                }
                EntryType::XHeader => {
                    let fields = read_up_to(&mut entry, NAMED);
                    let path = tar::PaxExtensions::new(&fields)
                        .flatten()
                        .find(|field| field.key_bytes() == b"path")
                        .map(|field| field.value_bytes().to_owned());
                    long = path.or(long);
                }
                EntryType::GNULongLink | EntryType::XGlobalHeader => {}
                EntryType::Directory => long = None,
                EntryType::Regular | EntryType::Continuous => {
                    let own = long.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                    let inner = String::from_utf8_lossy(&own).into_owned();
                    let size = entry.size();
                    self.member(&inner, size, &mut entry, lead);
                }
                _ => {
                    long = None;
                    lead.worker.sink(self.source).skipped().links += 1;
                }
            }
        }
    }

    /// Reads all members of a zip archive.
    pub(super) fn zip<C: Collect>(&mut self, reader: impl Read + Seek, lead: &mut Lead<'_, C>) {
        let mut archive = match zip::ZipArchive::new(reader) {
            Ok(archive) => archive,
            Err(error) => return self.refuse(lead, &error.to_string()),
        };
        for index in 0..archive.len() {
            let mut file = match archive.by_index(index) {
                Ok(file) => file,
                Err(error) => {
                    self.refuse(lead, &format!("member {}: {error}", index + 1));
                    continue;
                }
            };
            if file.is_dir() {
            } else if file.is_symlink() {
                lead.worker.sink(self.source).skipped().links += 1;
            } else {
                let (inner, size) = (file.name().to_owned(), file.size());
                self.member(&inner, size, &mut file, lead);
            }
        }
    }

    fn member<C: Collect>(
        &mut self,
        inner: &str,
        size: u64,
        reader: &mut dyn Read,
        lead: &mut Lead<'_, C>,
    ) {
        let inner = inner.trim_start_matches("./");
        let mut parts = inner.split(['/', '\\']);
        if inner.starts_with(['/', '\\']) || parts.any(|part| part == "..") {
            self.refuse(lead, &format!("the path of `{inner}` leaves the archive"));
            return;
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
        let name = format!("{}:{inner}", self.name);
        self.names.push(name.clone());
        if size > HELD {
            stream(&mut lead.worker, reader, &name, source, false);
            return;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        // The stated size of a zip's member is a claim only.
        let read = reader.take(HELD).read_to_end(&mut bytes);
        let full = bytes.len() as u64 == HELD;
        if full {
            let mut all = io::Cursor::new(bytes).chain(reader);
            stream(&mut lead.worker, &mut all, &name, source, false);
            return;
        }
        lead.give(Task { body: Body::Held(bytes), name, source, named: false });
        if let Err(error) = read {
            lead.worker.sink(source).refuse(format!("the member ends early: {error}"));
        }
    }

    fn refuse<C: Collect>(&self, lead: &mut Lead<'_, C>, message: &str) {
        lead.worker.sink(self.source).refuse(message);
    }
}

fn read_up_to(reader: &mut impl Read, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read shows at the next header.
    let _ = reader.take(limit).read_to_end(&mut bytes);
    bytes
}
