//! A second look at sources that were read before: goes to places in them, through the layers that
//! reading took off.
//!
//! Reading keeps no text, only the byte at which each object begins. What is wanted afterwards,
//! the line of a field or the whole object, is looked up here, with one pass through each file, up
//! to the last place in it that is wanted.

use super::SourceId;
use super::archive::{self, Entry, name_of};
use super::format::{self, Layer, Utf16, gunzip};
use super::source::reopen;
use super::window::Window;
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// What is wanted of a place in a source.
struct Want<T> {
    offset: u64,
    what: T,
}

/// What is wanted of each source of one file, by the source's name.
type Wants<T> = BTreeMap<String, Vec<Want<T>>>;

/// A place that was come to; the window stands there.
pub(super) struct Spot {
    /// The 1-based line.
    pub(super) line: u64,
    /// The bytes before it on its line.
    pub(super) column: usize,
    /// How far ahead the next place lies that is wanted of the same source.
    pub(super) next: Option<u64>,
}

/// Is shown each place with all that is wanted of it. It looks ahead and does not advance.
pub(super) type See<'s, T> = &'s mut dyn FnMut(&mut Window<'_>, &Spot, Vec<T>);

/// Goes to every place that is wanted and can still be come to. What stands in standard input, or
/// in a file that is gone, is not seen.
pub(super) fn visit<T>(
    sources: &[String],
    wanted: impl IntoIterator<Item = (SourceId, u64, T)>,
    see: See<'_, T>,
) {
    let mut files: BTreeMap<&Path, Wants<T>> = BTreeMap::new();
    // One look at the disk a source, not one a place.
    let mut known: BTreeMap<&String, Option<&Path>> = BTreeMap::new();
    for (source, offset, what) in wanted {
        let Some(name) = sources.get(source.index()) else { continue };
        let Some(file) = *known.entry(name).or_insert_with(|| file_of(name)) else { continue };
        let want = Want { offset, what };
        files.entry(file).or_default().entry(name.clone()).or_default().push(want);
    }
    for (file, mut wants) in files {
        // A file that is gone has no places.
        let _ = search(file, &mut wants, see);
    }
}

/// The file that holds a source: the source itself, or what stands before one of its colons.
fn file_of(name: &str) -> Option<&Path> {
    let whole = Some(name).filter(|name| *name != "-" && Path::new(name).is_file());
    let parts = name.match_indices(':').filter_map(|(at, _)| name.get(..at));
    whole.or_else(|| parts.into_iter().find(|part| Path::new(part).is_file())).map(Path::new)
}

fn search<T>(file: &Path, wants: &mut Wants<T>, see: See<'_, T>) -> io::Result<()> {
    let name = file.display().to_string();
    if let Some(wants) = wants.remove(&name) {
        let (mut stream, ..) = reopen(file)?;
        text(&mut Window::new(&mut stream, Vec::new()), wants, see, 3);
    }
    if wants.is_empty() {
        return Ok(());
    }
    archive::again(file, &mut |entry| {
        if let Entry::Member(inner, _, reader) = entry
            && let Some(wants) = wants.remove(&name_of(&name, &inner))
        {
            text(&mut Window::new(reader, Vec::new()), wants, see, 3);
        }
        if wants.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

/// Sees everything that is wanted of one text, below as many layers as reading takes off.
fn text<T>(window: &mut Window<'_>, wants: Vec<Want<T>>, see: See<'_, T>, layers: u8) {
    window.more();
    match format::of(window.rest()).layer {
        Layer::Gzip if layers > 0 => {
            let mut inner = gunzip(window);
            text(&mut Window::new(&mut inner, Vec::new()), wants, see, layers - 1);
        }
        Layer::Utf16 if layers > 0 => {
            let mut inner = Utf16::new(window);
            text(&mut Window::new(&mut inner, Vec::new()), wants, see, layers - 1);
        }
        _ => walk(window, wants, see),
    }
}

fn walk<T>(window: &mut Window<'_>, mut wants: Vec<Want<T>>, see: See<'_, T>) {
    wants.sort_by_key(|want| want.offset);
    let (mut line, mut column) = (1, 0);
    let mut wants = wants.into_iter().peekable();
    while let Some(Want { offset, what }) = wants.next() {
        let mut here = vec![what];
        while let Some(more) = wants.next_if(|want| want.offset == offset) {
            here.push(more.what);
        }
        while window.offset() < offset {
            if window.rest().is_empty() && !window.more() {
                return;
            }
            let ahead = usize::try_from(offset - window.offset()).unwrap_or(usize::MAX);
            let count = ahead.min(window.rest().len());
            let passed = window.rest().get(..count).unwrap_or(&[]);
            line += newlines(passed);
            column = match memchr::memrchr(b'\n', passed) {
                Some(last) => count - last - 1,
                None => column + count,
            };
            window.advance(count);
        }
        let next = wants.peek().map(|next| next.offset - offset);
        see(window, &Spot { line, column, next }, here);
    }
}

/// How many lines end in a text.
pub(super) fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}
