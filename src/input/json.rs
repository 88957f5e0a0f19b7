//! JSON in every shape that dumps have, read in one pass over a [`Window`].
//!
//! A document may be a List, a typed list, a bare array, an object, or a map from names to any of
//! these; a stream holds one or many, with text of logs between them. Only the skeleton is walked
//! here: each item is handed to the parser where it stands in the window, borrowed, and one that
//! is cut off at the window's end is tried again with more. Nothing is read twice but that.

use super::checked;
use super::late::{self, Late};
use super::layout;
use super::sink::{Hint, Sink, Taken, group};
use super::split::Share;
use super::window::{Stop, Window, said};

/// How deep lists and maps may stand in one another.
const DEPTH: u8 = 4;

/// What a fault at the end of the input is called.
const CUT: &str = "the text ends inside a value";

/// Fields that lists do not have: an object that bears one is read as one object.
const OBJECT_FIELDS: &[&str] = &[
    "spec",
    "status",
    "data",
    "stringData",
    "binaryData",
    "type",
    "rules",
    "aggregationRule",
    "roleRef",
    "subjects",
    "automountServiceAccountToken",
    "imagePullSecrets",
    // SecurityContextConstraints, whose `groups` would pass for a list of objects.
    "allowHostDirVolumePlugin",
    "allowPrivilegedContainer",
    // EndpointSlices, whose `endpoints` would.
    "addressType",
];

/// Reads a stream of documents, big lists together with other threads if there are any. The hint
/// is the kind that the file's name tells.
pub(super) fn read(
    window: &mut Window<'_>,
    hint: &Hint,
    sink: &mut Sink<'_>,
    others: Option<&mut dyn Share>,
) {
    Json { window, sink, others }.documents(hint);
}

/// Reads what should be whole items and the commas between them; `false` if it is not, or if one
/// cannot be read without what stands behind it.
pub(super) fn read_items(window: &mut Window<'_>, hint: &Hint, sink: &mut Sink<'_>) -> bool {
    let mut late = Late::default();
    let read = checked::items(window.rest(), window.offset(), hint, &mut late, sink);
    window.advance(read);
    let mut json = Json { window, sink, others: None };
    loop {
        match json.window.next() {
            None => return late.is_empty(),
            Some(b',') => json.window.advance(1),
            Some(b'{') if json.item(hint, 0, &mut late).is_ok() => {}
            Some(_) => return false,
        }
    }
}

/// Reads one List or object that is held, inside something else.
pub(super) fn nested(text: &[u8], offset: u64, hint: &Hint, sink: &mut Sink<'_>) {
    let (mut bytes, before) = (text, sink.fixed);
    sink.fixed = Some(before.unwrap_or(offset));
    read(&mut Window::new(&mut bytes, Vec::new()), hint, sink, None);
    sink.fixed = before;
}

struct Json<'w, 'r, 's, 'c, 'o> {
    window: &'w mut Window<'r>,
    sink: &'s mut Sink<'c>,
    others: Option<&'o mut dyn Share>,
}

/// What the keys seen so far make of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Its beginning is still held, so that it can be read as one object.
    Open,
    /// It has `items`.
    List,
    /// A map from names to objects.
    Map,
}

impl Json<'_, '_, '_, '_, '_> {
    fn documents(&mut self, hint: &Hint) {
        loop {
            let result = match self.window.next() {
                None => break,
                Some(b'{') => self.object(hint, 0),
                Some(b'[') if self.holds_objects() => self.array(hint),
                Some(b',' | 0x1e) => {
                    self.window.advance(1);
                    Ok(())
                }
                Some(_) => {
                    self.skip_text();
                    Ok(())
                }
            };
            if let Err(stop) = result {
                self.report(stop);
                if self.window.is_hopeless() {
                    let message = "so much is broken that the rest is not read";
                    self.sink.fault(self.window.offset(), 0, message.to_owned());
                    return;
                }
                self.skip_text();
            }
        }
        if let Some(failure) = self.window.take_failure() {
            self.sink.fault(self.window.offset(), 0, failure.to_string());
        }
    }

    /// Reads the array that begins here, which is a document of its own.
    fn array(&mut self, hint: &Hint) -> Result<(), Stop> {
        let mut late = Late::default();
        let result = self.items(hint, 0, &mut late);
        late.settle(hint, self.sink);
        result
    }

    /// Whether the array that begins here has objects in it; `[2024-01-01] log` has not.
    fn holds_objects(&mut self) -> bool {
        let first = self.window.space(1);
        matches!(self.window.byte(first), Some(b'{' | b']' | b'['))
    }

    /// Advances to the next line that begins a document. What containers logged, which
    /// `kubectl cluster-info dump` puts between documents, is none.
    fn skip_text(&mut self) {
        let mut logged =
            self.window.byte(14).is_some() && self.window.rest().starts_with(b"==== START logs");
        loop {
            self.window.skip_line();
            match self.window.byte(0) {
                None => return,
                Some(b'=') => {
                    self.window.byte(14);
                    let line = self.window.rest();
                    logged = line.starts_with(b"==== START logs")
                        || (logged && !line.starts_with(b"==== END logs"));
                }
                Some(b'{' | b'[') if !logged => return,
                Some(_) => {}
            }
        }
    }

    fn report(&mut self, stop: Stop) {
        let offset = self.window.offset();
        match stop {
            // What made the stream end early is said once, at its end.
            Stop::Cut if self.window.failed() => {}
            Stop::Cut => self.sink.fault(offset, 0, CUT.to_owned()),
            Stop::Large => self.sink.fault(offset, 0, "a value is too large to be held".to_owned()),
            Stop::Syntax(message, below) => {
                self.sink.fault(offset, below, format!("not JSON: {message}"));
            }
        }
    }

    /// Reads the object that begins here, whatever it is.
    fn object(&mut self, hint: &Hint, depth: u8) -> Result<(), Stop> {
        let start = self.window.offset();
        let mut shape = Shape::Open;
        let (mut kind, mut version) = (None::<String>, None::<String>);
        let (mut meta, mut internal, mut error) = (false, false, false);
        let mut late = Late::default();
        let mut at = 1;
        loop {
            if shape != Shape::Open {
                self.window.advance(at);
                at = 0;
            }
            at = self.window.space(at);
            match self.window.byte(at) {
                Some(b'}') => {
                    at += 1;
                    break;
                }
                Some(b',') => {
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let key;
            (key, at) = self.window.key(at)?;
            let Some(first) = self.window.byte(at) else { return Err(self.window.dry()) };
            match (&*key, first) {
                ("kind", b'"') => {
                    let text;
                    (text, at) = self.window.string(at)?;
                    if shape == Shape::Open && !text.ends_with("List") {
                        return self.single(hint, depth);
                    }
                    kind = Some(text);
                }
                ("apiVersion", b'"') => {
                    let text;
                    (text, at) = self.window.string(at)?;
                    version = Some(text);
                }
                ("items", b'[') => {
                    shape = Shape::List;
                    self.window.advance(at);
                    at = 0;
                    let own = Hint::of_list(kind.as_deref(), version.as_deref());
                    self.items(&own.or(hint), depth, &mut late)?;
                }
                ("items", b'n') => {
                    shape = Shape::List;
                    at = self.window.skip(at)?;
                }
                ("Items", b'[') | ("ObjectMeta" | "ListMeta", b'{') => {
                    internal = true;
                    at = self.window.skip(at)?;
                }
                ("error", b't') => {
                    error = true;
                    at = self.window.skip(at)?;
                }
                ("metadata", _) => {
                    meta = true;
                    at = self.window.skip(at)?;
                }
                (field, _) if shape == Shape::Open && OBJECT_FIELDS.contains(&field) => {
                    let Some(name) = kind else { return self.single(hint, depth) };
                    // An object whose kind only ends like that of a list.
                    let end = self.window.skip(0)?;
                    self.window.advance(end);
                    self.sink.count(group(version.as_deref()).to_owned(), name);
                    return Ok(());
                }
                (name, b'{') if shape != Shape::List && !internal && depth < DEPTH => {
                    shape = Shape::Map;
                    self.window.advance(at);
                    at = 0;
                    let own = Hint::from(layout::kind_of_word(name));
                    self.object(&own.or(hint), depth + 1)?;
                }
                // What says its kind or its group is no map from kinds to lists: `groups` of an
                // APIGroupList, `endpoints` of an EndpointSlice.
                (name, b'[')
                    if shape != Shape::List
                        && kind.is_none()
                        && version.is_none()
                        && depth < DEPTH =>
                {
                    match layout::kind_of_word(name) {
                        Some(kind) => {
                            shape = Shape::Map;
                            self.window.advance(at);
                            at = 0;
                            self.items(&Hint::Kind(kind), depth + 1, &mut Late::default())?;
                        }
                        None => at = self.window.skip(at)?,
                    }
                }
                _ => at = self.window.skip(at)?,
            }
        }
        let own = Hint::of_list(kind.as_deref(), version.as_deref());
        if internal {
            let message = "JSON of kubectl before 1.10 without the names of the API's fields; \
                           dump again with a newer kubectl";
            self.sink.fault(start, 0, message.to_owned());
        } else if shape == Shape::Open && error {
            self.sink.fault(
                start,
                0,
                "the collector noted an error in place of objects".to_owned(),
            );
        } else if shape == Shape::Open {
            match (&own, hint) {
                // A list whose empty items were left out.
                (Hint::Kind(_), _) => self.sink.list(),
                (Hint::Other(group, name), _) => {
                    self.sink.count(group.clone(), format!("{name}List"));
                }
                (Hint::None, Hint::Kind(_)) if meta => return self.single(hint, depth),
                (Hint::None, _) => {}
            }
        }
        self.window.advance(at);
        if shape == Shape::List {
            self.sink.list();
            late.settle(&own.or(hint), self.sink);
        }
        Ok(())
    }

    /// Reads the object that begins here as one object.
    fn single(&mut self, hint: &Hint, depth: u8) -> Result<(), Stop> {
        let mut late = Late::default();
        self.item(hint, depth, &mut late)?;
        late.settle(&Hint::None, self.sink);
        Ok(())
    }

    /// Reads the array that begins here and advances behind it.
    fn items(&mut self, hint: &Hint, depth: u8, late: &mut Late) -> Result<(), Stop> {
        self.window.advance(1);
        let mut alone = self.window.offset();
        let mut unchecked = alone;
        loop {
            if let Some(others) = self.others.as_mut().filter(|_| depth == 0)
                && self.window.offset() >= alone
            {
                others.share(self.window, hint, self.sink);
                // Where the others found nothing to do, they may behind what is held.
                alone = self.window.offset() + self.window.rest().len() as u64;
            }
            if self.window.offset() >= unchecked {
                let (text, offset) = (self.window.rest(), self.window.offset());
                unchecked = offset + text.len().max(1) as u64;
                let read = checked::items(text, offset, hint, late, self.sink);
                self.window.advance(read);
            }
            match self.window.next() {
                None => return Err(self.window.dry()),
                Some(b']') => {
                    self.window.advance(1);
                    return Ok(());
                }
                Some(b',') => self.window.advance(1),
                Some(b'{') => match self.item(hint, depth, late) {
                    Err(stop @ (Stop::Large | Stop::Syntax(..))) => {
                        self.report(stop);
                        if !self.window.skip_brackets() {
                            return Ok(());
                        }
                    }
                    other => other?,
                },
                Some(b'[') if depth < DEPTH => self.items(hint, depth + 1, late)?,
                // Left over from a broken item.
                Some(b'}') => self.window.advance(1),
                Some(_) => match self.window.skip(0) {
                    Ok(end) => self.window.advance(end),
                    Err(stop @ Stop::Syntax(..)) => {
                        self.report(stop);
                        while !matches!(self.window.byte(0), None | Some(b'{' | b'[' | b']' | b','))
                        {
                            self.window.advance(1);
                        }
                    }
                    Err(stop) => return Err(stop),
                },
            }
        }
    }

    /// Reads one item where it stands and advances behind it.
    fn item(&mut self, hint: &Hint, depth: u8, late: &mut Late) -> Result<(), Stop> {
        let offset = self.window.offset();
        loop {
            let text = self.window.rest();
            let ended = self.window.ended();
            match checked::one(text, hint, ended) {
                None => {}
                Some((Ok(object), end)) => {
                    match self.sink.take(object, offset, hint) {
                        Taken::Object => {}
                        // It was parsed in vain to learn that.
                        Taken::List if depth < DEPTH => return self.object(hint, depth + 1),
                        Taken::List | Taken::Nothing => {}
                        Taken::Kindless => {
                            late.keep(offset, text.get(..end).unwrap_or(&[]));
                        }
                        Taken::Status => {
                            let message = late::status(text.get(..end).unwrap_or(&[]));
                            self.sink.fault(offset, 0, message);
                        }
                    }
                    self.window.advance(end);
                    return Ok(());
                }
                Some((Err(error), end)) if self.window.is_cut(error.is_eof(), end, text.len()) => {}
                Some((Err(error), end)) if error.is_eof() => {
                    self.window.waste(end);
                    return Err(Stop::Cut);
                }
                Some((Err(error), _)) => {
                    let (message, below) = said(&error);
                    // A wrong type costs the item; wrong JSON is for the caller to get over.
                    let end = self.window.skip(0)?;
                    let label = late::label(self.window.rest().get(..end).unwrap_or(&[]));
                    self.sink.fault(offset, below, label + &message);
                    self.window.advance(end);
                    return Ok(());
                }
            }
            // That there is no more may be news.
            if !self.window.more() && ended == self.window.ended() {
                return Err(self.window.dry());
            }
        }
    }
}
