//! Where objects come from: files, folders, archives and standard input, in every shape that
//! people keep them in.
//!
//! [`read`] streams every source and hands each object to a [`Collect`], borrowed from the bytes it
//! stands in, together with its [`Origin`]. Nothing is held but the block being read. What cannot
//! be read is a counted [`Problem`], never the end of the run. This room does not know what an
//! object means.

use crate::k8s::Object;
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
pub trait Collect: Send {
    /// One object. It borrows from a buffer that is reused after the call.
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
