//! YAML: documents and Lists, cut into items before they are parsed.
//!
//! A YAML parser holds everything it parses several times over, and one unreadable line costs the
//! whole document. So the text is cut first, by the rule that block style follows: below `items:`
//! each item begins with `- ` in one column. Every piece is then converted to JSON and read as
//! JSON is. A small document that refers from one item to another is read in one piece.

use super::json;
use super::late::{self, Late};
use super::sink::{Hint, Sink, Taken};
use super::split::Share;
use super::transcode::to_json;
use super::window::Window;

/// The largest document that is searched for references between its items.
const WHOLE: usize = 1 << 20;

/// How much text is handed to another thread at a time.
const SHARED: usize = 128 << 10;

/// Reads a stream of documents, big lists together with other threads if there are any. The hint
/// is the kind that the file's name tells.
pub(super) fn read(
    window: &mut Window<'_>,
    hint: &Hint,
    sink: &mut Sink<'_>,
    others: Option<&mut dyn Share>,
) {
    let mut yaml = Yaml { window, sink, others, piece: Vec::new(), json: Vec::new() };
    while yaml.document(hint) {}
    if let Some(failure) = yaml.window.take_failure() {
        yaml.sink.fault(yaml.window.offset(), 0, failure.to_string());
    }
}

/// Reads whole items whose dashes stand in a column; `false` if one cannot be read without what
/// stands behind it.
pub(super) fn read_items(
    window: &mut Window<'_>,
    column: usize,
    hint: &Hint,
    sink: &mut Sink<'_>,
) -> bool {
    let mut late = Late::default();
    let mut yaml = Yaml { window, sink, others: None, piece: Vec::new(), json: Vec::new() };
    yaml.items(column, hint, &mut late);
    late.is_empty()
}

/// The text of the object that begins where the window stands, `column` bytes into its line: an item
/// of a list without its dash, or else a document. Nothing if it is longer than `most`.
pub(super) fn object(window: &mut Window<'_>, column: usize, most: usize) -> Option<Vec<u8>> {
    let dash = window.byte(0) == Some(b'-');
    let (_, mut at) = window.line(0)?;
    while let Some((end, next)) = window.line(at) {
        match Line::of(window.rest().get(at..end).unwrap_or(&[])) {
            Line::Item(found) | Line::Text(found) if dash && found <= column => break,
            Line::Border | Line::LogsBegin | Line::LogsEnd => break,
            _ if next == at || next > most => {
                at = next;
                break;
            }
            _ => at = next,
        }
    }
    let text = window.rest().get(..at).filter(|text| text.len() <= most)?;
    let mut piece = vec![b' '; if dash { column } else { 0 }];
    piece.extend_from_slice(text);
    if let Some(byte) = piece.get_mut(column).filter(|_| dash) {
        *byte = b' ';
    }
    Some(piece)
}

struct Yaml<'w, 'r, 's, 'c, 'o> {
    window: &'w mut Window<'r>,
    sink: &'s mut Sink<'c>,
    others: Option<&'o mut dyn Share>,
    piece: Vec<u8>,
    json: Vec<u8>,
}

/// A line, as far as cutting needs to know it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Blank or a comment.
    Blank,
    /// `---` or `...`.
    Border,
    /// What `kubectl cluster-info dump` writes around logs.
    LogsBegin,
    LogsEnd,
    /// A list's item, its dash in this column.
    Item(usize),
    /// Anything else, indented by so much.
    Text(usize),
}

impl Line {
    fn of(line: &[u8]) -> Self {
        let indent = line.iter().take_while(|b| **b == b' ').count();
        let text = line.get(indent..).unwrap_or(&[]).trim_ascii_end();
        match text {
            [] | [b'#', ..] => Self::Blank,
            [b'-', b'-', b'-'] | [b'.', b'.', b'.'] if indent == 0 => Self::Border,
            [b'-', b'-', b'-' | b' ', b' ' | b'\t', ..] if indent == 0 => Self::Border,
            _ if text.starts_with(b"==== START logs") => Self::LogsBegin,
            _ if text.starts_with(b"==== END logs") => Self::LogsEnd,
            [b'-'] | [b'-', b' ' | b'\t', ..] => Self::Item(indent),
            _ => Self::Text(indent),
        }
    }
}

impl Yaml<'_, '_, '_, '_, '_> {
    /// Reads one document; `false` at the end of the stream.
    fn document(&mut self, hint: &Hint) -> bool {
        // To the first line that says something.
        loop {
            let Some((end, next)) = self.window.line(0) else { return self.end() };
            match Line::of(self.window.rest().get(..end).unwrap_or(&[])) {
                Line::Blank | Line::LogsEnd => self.window.advance(next),
                Line::Border => match content(self.window.rest().get(..end).unwrap_or(&[])) {
                    Some(at) => {
                        self.window.advance(at);
                        break;
                    }
                    None => self.window.advance(next),
                },
                Line::LogsBegin => self.skip_logs(),
                Line::Item(_) | Line::Text(_) if self.window.rest().starts_with(b"%") => {
                    self.window.advance(next);
                }
                Line::Item(_) | Line::Text(_) => break,
            }
        }
        if self.refers() {
            let end = self.border(0);
            self.whole(end, hint);
            return true;
        }
        let (mut kind, mut version) = (None, None);
        let mut at = 0;
        while let Some((end, next)) = self.window.line(at) {
            let line = self.window.rest().get(at..end).unwrap_or(&[]);
            match Line::of(line) {
                Line::Border | Line::LogsBegin if at > 0 => break,
                Line::Item(0) if at == 0 => {
                    let mut late = Late::default();
                    self.items(0, hint, &mut late);
                    late.settle(hint, self.sink);
                    return true;
                }
                Line::Text(0) => {
                    kind = kind.or_else(|| value(line, b"kind:"));
                    version = version.or_else(|| value(line, b"apiVersion:"));
                    if value(line, b"items:").is_some_and(|v| v.is_empty())
                        && kind.as_ref().is_none_or(|kind| kind.ends_with("List"))
                        && let Some(column) = self.first_item(next)
                    {
                        self.window.advance(next);
                        self.list(column, kind, version, hint);
                        return true;
                    }
                }
                _ => {}
            }
            if next == at {
                break;
            }
            at = next;
        }
        if self.too_large(at) {
            return true;
        }
        self.whole(at, hint);
        true
    }

    /// The end of the stream, or a line that is too long for the buffer.
    fn end(&mut self) -> bool {
        if self.window.ended() {
            return false;
        }
        self.sink.fault(self.window.offset(), 0, "a line is too long to be held".to_owned());
        self.window.skip_line();
        true
    }

    /// Whether a document is larger than the buffer may become; it is skipped then.
    fn too_large(&mut self, at: usize) -> bool {
        if self.window.ended() || self.window.line(at).is_some() {
            return false;
        }
        self.sink.fault(self.window.offset(), 0, "a document is too large to be held".to_owned());
        loop {
            self.window.skip_line();
            let Some((end, _)) = self.window.line(0) else { return true };
            if Line::of(self.window.rest().get(..end).unwrap_or(&[])) == Line::Border {
                return true;
            }
        }
    }

    fn skip_logs(&mut self) {
        loop {
            self.window.skip_line();
            let Some((end, _)) = self.window.line(0) else { return };
            if Line::of(self.window.rest().get(..end).unwrap_or(&[])) == Line::LogsEnd {
                return;
            }
        }
    }

    /// Whether this document is small and may use anchors from item to item.
    fn refers(&mut self) -> bool {
        let border = |held: &[u8]| memchr::memmem::find(held, b"\n---");
        // Reading on moves what is held, so it is done only where the document may go on.
        if border(self.window.rest()).is_none() && self.window.rest().len() < WHOLE {
            self.window.more();
        }
        let held = self.window.rest();
        let end = border(held).unwrap_or(held.len());
        let Some(text) = held.get(..end).filter(|text| text.len() <= WHOLE) else { return false };
        [&b" *"[..], b"<<:"].iter().any(|mark| memchr::memmem::find(text, mark).is_some())
            && memchr::memmem::find(text, b" &").is_some()
    }

    /// Where the document ends that goes on at `at`.
    fn border(&mut self, mut at: usize) -> usize {
        while let Some((end, next)) = self.window.line(at) {
            let line = Line::of(self.window.rest().get(at..end).unwrap_or(&[]));
            if (line == Line::Border && at > 0) || line == Line::LogsBegin || next == at {
                break;
            }
            at = next;
        }
        at
    }

    /// The column of the first item below `items:`.
    fn first_item(&mut self, mut at: usize) -> Option<usize> {
        loop {
            let (end, next) = self.window.line(at)?;
            match Line::of(self.window.rest().get(at..end).unwrap_or(&[])) {
                Line::Blank if next > at => at = next,
                Line::Item(column) => return Some(column),
                _ => return None,
            }
        }
    }

    /// Reads the items of a List and what stands below them.
    fn list(&mut self, column: usize, kind: Option<String>, version: Option<String>, hint: &Hint) {
        let (mut kind, mut version) = (kind, version);
        self.sink.list();
        let mut late = Late::default();
        let own = Hint::of_list(kind.as_deref(), version.as_deref());
        self.items(column, &own.or(hint), &mut late);
        while let Some((end, next)) = self.window.line(0) {
            let line = self.window.rest().get(..end).unwrap_or(&[]);
            if matches!(Line::of(line), Line::Border | Line::LogsBegin) {
                break;
            }
            kind = kind.or_else(|| value(line, b"kind:"));
            version = version.or_else(|| value(line, b"apiVersion:"));
            self.window.advance(next);
            if next == 0 {
                break;
            }
        }
        late.settle(&Hint::of_list(kind.as_deref(), version.as_deref()).or(hint), self.sink);
    }

    /// Reads items that begin in a column until something stands left of them.
    fn items(&mut self, column: usize, hint: &Hint, late: &mut Late) {
        loop {
            // To the item's first line.
            let Some((end, next)) = self.window.line(0) else { return };
            match Line::of(self.window.rest().get(..end).unwrap_or(&[])) {
                Line::Blank if next > 0 => {
                    self.window.advance(next);
                    continue;
                }
                Line::Item(found) if found == column => {}
                _ => return,
            }
            let at = self.items_end(next, column);
            if self.too_large(at) {
                return;
            }
            match &mut self.others {
                Some(others) => others.give(self.window, at, column, hint, self.sink),
                None => self.piece(at, Some(column), hint, late),
            }
        }
    }

    /// Where the item ends that goes on at `at`, or several if other threads read them.
    fn items_end(&mut self, mut at: usize, column: usize) -> usize {
        while let Some((end, next)) = self.window.line(at) {
            match Line::of(self.window.rest().get(at..end).unwrap_or(&[])) {
                Line::Item(found) if found == column && self.others.is_some() && at < SHARED => {}
                Line::Item(found) | Line::Text(found) if found <= column => break,
                Line::Border | Line::LogsBegin | Line::LogsEnd => break,
                _ => {}
            }
            if next == at {
                break;
            }
            at = next;
        }
        at
    }

    /// Reads the document that is held up to `end` in one piece.
    fn whole(&mut self, end: usize, hint: &Hint) {
        self.piece(end, None, hint, &mut Late::default());
    }

    /// Reads one object from the text up to `end`, without the dash before it, and advances.
    fn piece(&mut self, end: usize, dash: Option<usize>, hint: &Hint, late: &mut Late) {
        let offset = self.window.offset();
        self.piece.clear();
        self.piece.extend_from_slice(self.window.rest().get(..end).unwrap_or(&[]));
        self.window.advance(end);
        if let Some(byte) = dash.and_then(|column| self.piece.get_mut(column)) {
            *byte = b' ';
        }
        let start = offset + dash.unwrap_or(0) as u64;
        if let Err((message, below)) = to_json(&self.piece, &mut self.json) {
            self.sink.fault(start, below, message);
            return;
        }
        // A sequence, or a scalar: logs and letters are YAML, too.
        if !self.json.starts_with(b"{") {
            if self.json.starts_with(b"[") {
                json::nested(&self.json, start, hint, self.sink);
            }
            return;
        }
        match late::item(&self.json, start, hint, self.sink) {
            Ok(Taken::Object) => {}
            Ok(Taken::List | Taken::Nothing) => json::nested(&self.json, start, hint, self.sink),
            Ok(Taken::Kindless) if dash.is_some() => late.keep(start, &self.json),
            Ok(Taken::Kindless) => json::nested(&self.json, start, hint, self.sink),
            Ok(Taken::Status) => self.sink.fault(start, 0, late::status(&self.json)),
            Err((message, _)) => {
                // The place in the JSON is not one in the text; the name has to do.
                self.sink.fault(start, 0, late::label(&self.json) + &message);
            }
        }
    }
}

/// Where the content begins that stands on the line of a `---`.
fn content(line: &[u8]) -> Option<usize> {
    let text = line.get(3..)?.trim_ascii();
    let at = line.len() - line.get(3..)?.trim_ascii_start().len();
    (!text.is_empty() && !text.starts_with(b"#") && !text.starts_with(b"!")).then_some(at)
}

/// The plain value of a key that begins the line.
fn value(line: &[u8], key: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(key)?;
    let text = String::from_utf8_lossy(rest);
    let plain = text.split(" #").next().unwrap_or("").trim();
    Some(plain.trim_matches(['"', '\'']).to_owned())
}
