//! What comes out of reading: objects to the collector, everything else counted.
//!
//! A [`Worker`] is one thread's part of the result. A [`Sink`] lends it to one source. It decides
//! what a parsed item is (an object that rules read, one of another kind, a list, nothing) and
//! knows no format.

use super::{Collect, Origin, Skipped, SourceId};
use crate::k8s::{Kind, Object};
use std::collections::{BTreeMap, BTreeSet};

/// Something that could not be read, before its line is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    pub(super) source: SourceId,
    /// The byte of the item that is at fault, in the uncompressed text.
    pub(super) offset: Option<u64>,
    /// How many lines below that the fault lies.
    pub(super) below: u64,
    pub(super) message: String,
}

/// So many faults of one source are told one by one; a file that is broken throughout has
/// millions.
pub(super) const TOLD: usize = 100;

/// Counts of one thread.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) objects: u64,
    pub(super) unknown: BTreeMap<(String, String), u64>,
    pub(super) faults: Vec<Fault>,
    /// How many faults of a source there are beyond those.
    pub(super) more: BTreeMap<SourceId, u64>,
    pub(super) skipped: Skipped,
    pub(super) bytes: u64,
    pub(super) one_line: BTreeSet<SourceId>,
}

impl Tally {
    /// Adds the counts of another thread.
    pub(super) fn add(&mut self, other: Self) {
        self.objects += other.objects;
        for (kind, count) in other.unknown {
            *self.unknown.entry(kind).or_default() += count;
        }
        self.faults.extend(other.faults);
        for (source, count) in other.more {
            *self.more.entry(source).or_default() += count;
        }
        self.skipped.files += other.skipped.files;
        self.skipped.empty += other.skipped.empty;
        self.skipped.archives += other.skipped.archives;
        self.skipped.links += other.skipped.links;
        self.bytes += other.bytes;
        self.one_line.extend(other.one_line);
    }

    /// Puts the faults in order and drops those that are too many. Any thread may have met more of
    /// a source than are kept, so this comes after all were added.
    pub(super) fn settle(&mut self) {
        self.faults.sort_unstable();
        let (mut source, mut told) = (None, 0);
        let more = &mut self.more;
        self.faults.retain(|fault| {
            told = if source == Some(fault.source) { told + 1 } else { 1 };
            source = Some(fault.source);
            if told > TOLD {
                *more.entry(fault.source).or_default() += 1;
            }
            told <= TOLD
        });
        for (source, count) in std::mem::take(&mut self.more) {
            let (offset, below) = (None, 0);
            let message = format!("{count} more problems");
            self.faults.push(Fault { source, offset, below, message });
        }
        // What concerns a source as a whole comes first.
        self.faults.sort_unstable();
    }

    /// Whether a source gave anything, seen from the counts before it.
    const fn marks(&self) -> (u64, usize) {
        (self.objects, self.faults.len())
    }
}

/// One thread's collector, counts and buffer.
pub(super) struct Worker<C> {
    pub(super) collect: C,
    pub(super) tally: Tally,
    pub(super) buffer: Vec<u8>,
}

impl<C: Collect> Worker<C> {
    pub(super) fn new(collect: C) -> Self {
        Self { collect, tally: Tally::default(), buffer: Vec::new() }
    }

    /// Lends this worker to a source.
    pub(super) fn sink(&mut self, source: SourceId) -> Sink<'_> {
        let (collect, tally) = (&mut self.collect, &mut self.tally);
        Sink { collect, tally, source, fixed: None, others: 0, told: 0 }
    }
}

/// The kind of an item that bears none itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Hint {
    /// Nothing tells it.
    #[default]
    None,
    /// A kind that the tool reads.
    Kind(Kind),
    /// A kind that the tool does not read: group and name.
    Other(String, String),
}

impl Hint {
    /// The kind, if the tool reads it.
    pub(super) const fn kind(&self) -> Option<Kind> {
        match self {
            Self::Kind(kind) => Some(*kind),
            Self::None | Self::Other(..) => None,
        }
    }

    /// What the `kind` and `apiVersion` of a list say of its items; a plain `List` says nothing.
    pub(super) fn of_list(kind: Option<&str>, version: Option<&str>) -> Self {
        let Some(name) = kind.and_then(|kind| kind.strip_suffix("List")).filter(|k| !k.is_empty())
        else {
            return Self::None;
        };
        let group = group(version);
        let known = match version {
            Some(_) => Kind::of(group, name),
            // Without a version the name has to do.
            None => Kind::served().find(|kind| kind.name() == name),
        };
        known.map_or_else(|| Self::Other(group.to_owned(), name.to_owned()), Self::Kind)
    }

    /// This hint, or the other one where this says nothing.
    pub(super) fn or(self, other: &Self) -> Self {
        if self == Self::None { other.clone() } else { self }
    }
}

impl From<Option<Kind>> for Hint {
    fn from(kind: Option<Kind>) -> Self {
        kind.map_or(Self::None, Self::Kind)
    }
}

/// The group of an `apiVersion`: what stands before the slash.
pub(super) fn group(version: Option<&str>) -> &str {
    version.and_then(|v| v.split_once('/')).map_or("", |(group, _)| group)
}

/// What a parsed item turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// An object, collected or counted.
    Object,
    /// A list, whose items are still to be read.
    List,
    /// The API server's answer in place of objects.
    Status,
    /// A named object of which nothing tells the kind.
    Kindless,
    /// No object.
    Nothing,
}

/// One source's way to the collector and the counts.
pub(super) struct Sink<'a> {
    collect: &'a mut dyn Collect,
    tally: &'a mut Tally,
    source: SourceId,
    /// The origin of everything, where text was converted and its places mean nothing.
    pub(super) fixed: Option<u64>,
    /// Objects of kinds that the tool does not read, and lists without items: proof enough that
    /// the source holds objects.
    others: u64,
    told: usize,
}

impl Sink<'_> {
    /// Decides what an item is and collects or counts it.
    pub(super) fn take(&mut self, object: Object<'_>, offset: u64, hint: &Hint) -> Taken {
        let named = !(object.meta.name.is_empty() && object.meta.generate_name.is_empty());
        if object.kind.is_some() {
            if !named {
                if *hint == Hint::None {
                    self.fault(offset, 0, format!("a `{}` without a name", &*object.kind_name));
                }
                return Taken::Nothing;
            }
            self.tally.objects += 1;
            let origin = Origin { source: self.source, offset: self.fixed.unwrap_or(offset) };
            self.collect.object(object, origin);
            return Taken::Object;
        }
        match (&*object.kind_name, hint) {
            ("", Hint::Other(group, name)) if named => {
                self.count(group.clone(), name.clone());
                Taken::Object
            }
            ("", _) if named => Taken::Kindless,
            ("", _) => Taken::Nothing,
            ("Status", _) if object.group.is_empty() => Taken::Status,
            (name, _) if name.ends_with("List") => Taken::List,
            (name, _) => {
                let name = name.to_owned();
                self.count(object.group, name);
                Taken::Object
            }
        }
    }

    /// Counts an object of a kind that the tool does not read.
    pub(super) fn count(&mut self, group: String, name: String) {
        self.others += 1;
        *self.tally.unknown.entry((group, name)).or_default() += 1;
    }

    /// Notes a list, which is a find even if it is empty.
    pub(super) const fn list(&mut self) {
        self.others += 1;
    }

    /// Notes what could not be read at a place of the text.
    pub(super) fn fault(&mut self, offset: u64, below: u64, message: String) {
        let offset = Some(self.fixed.unwrap_or(offset));
        self.told += 1;
        if self.told > TOLD {
            *self.tally.more.entry(self.source).or_default() += 1;
        } else {
            self.tally.faults.push(Fault { source: self.source, offset, below, message });
        }
    }

    /// Notes that a source as a whole could not be read.
    pub(super) fn refuse(&mut self, message: impl Into<String>) {
        let (source, message) = (self.source, message.into());
        self.tally.faults.push(Fault { source, offset: None, below: 0, message });
    }

    /// The counts of what was left out.
    pub(super) const fn skipped(&mut self) -> &mut Skipped {
        &mut self.tally.skipped
    }

    /// Counts bytes of text.
    pub(super) const fn bytes(&mut self, count: u64) {
        self.tally.bytes += count;
    }

    /// Notes that the source's text is one line.
    pub(super) fn one_line(&mut self) {
        self.tally.one_line.insert(self.source);
    }

    /// Runs a reader and counts the source as skipped if it held nothing.
    pub(super) fn whole(&mut self, read: impl FnOnce(&mut Self)) {
        let (marks, others) = (self.tally.marks(), self.others);
        read(self);
        if self.tally.marks() == marks && self.others == others {
            self.tally.skipped.files += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_list_names_its_items() {
        let of = Hint::of_list;
        assert_eq!(of(Some("PodList"), Some("v1")), Hint::Kind(Kind::Pod));
        assert_eq!(of(Some("ClusterRoleList"), None), Hint::Kind(Kind::ClusterRole));
        assert_eq!(of(Some("List"), Some("v1")), Hint::None);
        assert_eq!(
            of(Some("NodeList"), Some("longhorn.io/v1beta1")),
            Hint::Other("longhorn.io".into(), "Node".into())
        );
        assert_eq!(of(None, None).or(&Hint::Kind(Kind::Pod)), Hint::Kind(Kind::Pod));
    }
}
