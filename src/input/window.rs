//! A window onto a stream of text: the one buffer that a source is read through.
//!
//! The window holds a block of the stream. A reader looks at what lies ahead, asks for more when
//! that is cut off, and advances; what it has advanced over is forgotten. So the whole text is
//! never held, and the buffer grows only for a single thing that is larger than it. It knows
//! bytes and JSON's spelling of values, not what the values mean.

use super::line::Lines;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;
use std::io::{self, Read};

/// How much is read at a time. Larger blocks were not faster, only larger.
pub(super) const BLOCK: usize = 1 << 20;

/// The largest single item or document that is held; what is larger is a problem and skipped.
pub(super) const LIMIT: usize = 256 << 20;

/// Why reading cannot go on from here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The input ends inside a value.
    Cut,
    /// One value is larger than the buffer may become.
    Large,
    /// It is not JSON: what was expected, and how many lines below the window's place.
    Syntax(String, u64),
}

impl Stop {
    /// The stop where something else was expected.
    fn expected(what: &str) -> Self {
        Self::Syntax(format!("expected {what}"), 0)
    }
}

/// The buffer, its place in the stream, and the stream.
pub(super) struct Window<'r> {
    reader: Option<&'r mut dyn Read>,
    buffer: Vec<u8>,
    pos: usize,
    filled: usize,
    base: u64,
    block: usize,
    limit: usize,
    ended: bool,
    lines: Lines,
    failure: Option<io::Error>,
    wasted: u64,
}

/// A part of a stream that is held, with its place in the stream.
pub(super) struct Part {
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    base: u64,
}

impl<'r> Window<'r> {
    /// A window that reads blocks of the usual size into a buffer that may have served before.
    pub(super) fn new(reader: &'r mut dyn Read, buffer: Vec<u8>) -> Self {
        Self::with_sizes(reader, buffer, BLOCK, LIMIT)
    }

    /// A window with blocks and a limit of another size.
    pub(super) fn with_sizes(
        reader: &'r mut dyn Read,
        buffer: Vec<u8>,
        block: usize,
        limit: usize,
    ) -> Self {
        let block = block.max(1);
        Self {
            reader: Some(reader),
            buffer,
            pos: 0,
            filled: 0,
            base: 0,
            block,
            limit: limit.max(block),
            ended: false,
            lines: Lines::One,
            failure: None,
            wasted: 0,
        }
    }

    /// A window onto text that is held already.
    pub(super) fn held(buffer: Vec<u8>) -> Self {
        let filled = buffer.len();
        let (pos, base, ended) = (0, 0, true);
        let (block, limit, failure, wasted) = (BLOCK, LIMIT, None, 0);
        let (reader, lines) = (None, Lines::Many);
        Self { reader, buffer, pos, filled, base, block, limit, ended, lines, failure, wasted }
    }

    /// A window onto a part of another one.
    pub(super) fn part(part: Part) -> Self {
        let mut window = Self::held(part.buffer);
        (window.pos, window.filled, window.base) = (part.from, part.to, part.base);
        window
    }

    /// Gives the next `count` bytes away and goes on behind them with another buffer.
    pub(super) fn split(&mut self, count: usize, mut buffer: Vec<u8>) -> Part {
        let cut = (self.pos + count).min(self.filled);
        let tail = self.buffer.get(cut..self.filled).unwrap_or(&[]);
        buffer.resize(self.buffer.len(), 0);
        if let Some(head) = buffer.get_mut(..tail.len()) {
            head.copy_from_slice(tail);
        }
        let kept = tail.len();
        let buffer = std::mem::replace(&mut self.buffer, buffer);
        let part = Part { buffer, from: self.pos, to: cut, base: self.base };
        self.base += cut as u64;
        (self.pos, self.filled) = (0, kept);
        part
    }

    /// Reads no further: what was read will not be used.
    pub(super) const fn abandon(&mut self) {
        self.pos = self.filled;
        self.ended = true;
    }

    /// Gives the buffer back for another window, unless one large item blew it up.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        if self.buffer.len() > 4 * self.block { Vec::new() } else { self.buffer }
    }

    /// What lies ahead and is held.
    pub(super) fn rest(&self) -> &[u8] {
        self.buffer.get(self.pos..self.filled).unwrap_or(&[])
    }

    /// The place in the stream.
    pub(super) const fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    /// Whether the stream has nothing beyond what is held.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// What made the stream end early, once.
    pub(super) const fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Whether the stream ended early and nobody has said so yet.
    pub(super) const fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Notes that so many bytes were parsed in vain.
    pub(super) const fn waste(&mut self, count: usize) {
        self.wasted += count as u64;
    }

    /// Whether what is parsed in vain is no longer in proportion to what is read: every line of a
    /// broken text may begin a document that seems to reach to the end.
    pub(super) const fn is_hopeless(&self) -> bool {
        const ALLOWANCE: u64 = 16 << 20;
        self.wasted > ALLOWANCE + 4 * self.offset()
    }

    /// Forgets the next `count` bytes, which are held.
    pub(super) fn advance(&mut self, count: usize) {
        self.pos = (self.pos + count).min(self.filled);
    }

    /// Reads on until the buffer is full; `false` if nothing was added.
    ///
    /// What was advanced over makes room first; the buffer is doubled only where that gives none.
    pub(super) fn more(&mut self) -> bool {
        let Some(reader) = self.reader.as_mut().filter(|_| !self.ended) else { return false };
        if self.pos > 0 {
            self.buffer.copy_within(self.pos..self.filled, 0);
            self.base += self.pos as u64;
            self.filled -= self.pos;
            self.pos = 0;
        }
        if self.filled == self.buffer.len() || self.buffer.len() < self.block {
            let size = (self.filled * 2).clamp(self.block, self.limit);
            if size <= self.filled {
                return false;
            }
            self.buffer.resize(size, 0);
        }
        let before = self.filled;
        while let Some(room) = self.buffer.get_mut(self.filled..).filter(|room| !room.is_empty()) {
            match reader.read(room) {
                Ok(0) => self.ended = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    self.ended = true;
                }
            }
            if self.ended {
                break;
            }
        }
        if let Some(new) = self.buffer.get(before..self.filled) {
            self.lines = self.lines.with(new);
        }
        self.filled > before
    }

    /// Whether everything read so far is one line, which may have ended.
    pub(super) fn is_one_line(&self) -> bool {
        self.lines != Lines::Many
    }

    /// The byte `at` bytes ahead.
    pub(super) fn byte(&mut self, at: usize) -> Option<u8> {
        loop {
            if let Some(byte) = self.rest().get(at) {
                return Some(*byte);
            }
            if !self.more() {
                return None;
            }
        }
    }

    /// The first place from `at` on that is no white space.
    pub(super) fn space(&mut self, mut at: usize) -> usize {
        let start = at;
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte(at) {
            at += 1;
            // A run of white space is not worth keeping only to be counted.
            if at - start >= self.block {
                break;
            }
        }
        at
    }

    /// Advances over white space and gives the byte behind it.
    pub(super) fn next(&mut self) -> Option<u8> {
        loop {
            let held = self.rest();
            let blank = held.iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\t' | b'\r'));
            let count = blank.count();
            self.advance(count);
            if let Some(byte) = self.rest().first() {
                return Some(*byte);
            }
            if !self.more() {
                return None;
            }
        }
    }

    /// Where the line ends that `at` lies in, before its line feed, and where the next one begins.
    /// Nothing at the end of the stream, or where the line is longer than the limit.
    pub(super) fn line(&mut self, at: usize) -> Option<(usize, usize)> {
        let mut seen = at;
        loop {
            let held = self.rest();
            if let Some(found) = held.get(seen..).and_then(|tail| memchr::memchr(b'\n', tail)) {
                return Some((seen + found, seen + found + 1));
            }
            seen = held.len();
            if !self.more() {
                let full = self.ended && seen > at;
                return full.then_some((seen, seen));
            }
        }
    }

    /// Advances over the rest of this line, however long it is.
    pub(super) fn skip_line(&mut self) {
        loop {
            let held = self.rest();
            if let Some(found) = memchr::memchr(b'\n', held) {
                self.advance(found + 1);
                return;
            }
            let count = held.len();
            self.advance(count);
            if !self.more() {
                return;
            }
        }
    }

    /// Whether a failed or finished parse says nothing because the slice it saw was cut off.
    pub(super) const fn is_cut(&self, eof: bool, end: usize, len: usize) -> bool {
        // A number cut off after its sign or point is called invalid, not incomplete.
        !self.ended && (eof || end >= len)
    }

    /// What to say when `more` gave nothing.
    pub(super) const fn dry(&self) -> Stop {
        if self.ended { Stop::Cut } else { Stop::Large }
    }

    /// The place behind the JSON value that begins `at` bytes ahead.
    pub(super) fn skip(&mut self, at: usize) -> Result<usize, Stop> {
        loop {
            let slice = self.rest().get(at..).unwrap_or(&[]);
            let len = slice.len();
            let mut json = Deserializer::from_slice(slice);
            let result = IgnoredAny::deserialize(&mut json);
            let end = json.into_iter::<IgnoredAny>().byte_offset();
            match result {
                Ok(_) if end < len || self.ended => return Ok(at + end),
                // Only a number may go on behind the end of the slice.
                Ok(_) if slice.last().is_some_and(|b| !b.is_ascii_digit()) => return Ok(at + end),
                Ok(_) => {}
                Err(error) if self.is_cut(error.is_eof(), end, len) => {}
                Err(error) if error.is_eof() => {
                    self.waste(end);
                    return Err(Stop::Cut);
                }
                Err(error) => {
                    self.waste(end);
                    return Err(syntax(&error));
                }
            }
            if !self.more() {
                self.waste(end);
                return Err(self.dry());
            }
        }
    }

    /// The JSON string that begins `at` bytes ahead, and the place behind it.
    pub(super) fn string(&mut self, at: usize) -> Result<(String, usize), Stop> {
        let end = self.skip(at)?;
        let slice = self.rest().get(at..end).unwrap_or(&[]);
        match serde_json::from_slice(slice) {
            Ok(text) => Ok((text, end)),
            Err(_) => Err(Stop::expected("text")),
        }
    }

    /// The key of an object that begins `at` bytes ahead, and the place of its value.
    pub(super) fn key(&mut self, at: usize) -> Result<(String, usize), Stop> {
        match self.byte(at) {
            Some(b'"') => {}
            Some(_) => return Err(Stop::expected("a key in quotes")),
            None => return Err(self.dry()),
        }
        let (key, end) = self.string(at)?;
        let colon = self.space(end);
        match self.byte(colon) {
            Some(b':') => Ok((key, self.space(colon + 1))),
            Some(_) => Err(Stop::expected("a colon behind a key")),
            None => Err(self.dry()),
        }
    }

    /// Advances behind the value that begins here by counting brackets outside strings, without
    /// holding it; `false` if the stream ends first. For what is broken or too large to parse.
    pub(super) fn skip_brackets(&mut self) -> bool {
        let (mut depth, mut quoted, mut escaped) = (0_u64, false, false);
        loop {
            let mut done = None;
            for (index, byte) in self.rest().iter().enumerate() {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    // JSON has no line feed in a string: a quote was left open.
                    b'\n' => quoted = false,
                    b'"' => quoted = !quoted,
                    _ if quoted => {}
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            done = Some(index + 1);
                            break;
                        }
                    }
                    _ => {}
                }
            }
            let count = done.unwrap_or(self.rest().len());
            self.advance(count);
            if done.is_some() {
                return true;
            }
            if !self.more() {
                return false;
            }
        }
    }
}

/// What the parser said, without its place, which counts from the slice it was given.
pub(super) fn syntax(error: &serde_json::Error) -> Stop {
    let (message, below) = said(error);
    Stop::Syntax(message, below)
}

/// The message of a JSON error without its place, and how many lines below the start it lies.
pub(super) fn said(error: &serde_json::Error) -> (String, u64) {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    (message.to_owned(), (error.line() as u64).saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(text: &str, block: usize, f: impl FnOnce(&mut Window<'_>) -> T) -> T {
        let mut bytes = text.as_bytes();
        f(&mut Window::with_sizes(&mut bytes, Vec::new(), block, 64))
    }

    #[test]
    fn values_are_skipped_at_every_block_size() {
        for value in ["-12.5e3", "true", r#""a\"b""#, r#"{"a":[1,{"b":null}]}"#, "[]", "1."] {
            let text = format!("  {value} ,");
            for block in 1..12 {
                let end = with(&text, block, |w| w.skip(2));
                if value == "1." {
                    assert!(matches!(end, Err(Stop::Syntax(..))), "{block}: {end:?}");
                } else {
                    assert_eq!(end, Ok(2 + value.len()), "{value} in blocks of {block}");
                }
            }
        }
    }

    #[test]
    fn the_end_of_the_input_and_of_the_buffer_are_told_apart() {
        assert_eq!(with(r#"{"a":"#, 2, |w| w.skip(0)), Err(Stop::Cut));
        let long = format!("[\"{}\"]", "x".repeat(100));
        assert_eq!(with(&long, 2, |w| w.skip(0)), Err(Stop::Large));
        assert!(with(&long, 2, |w| w.skip_brackets() && w.next().is_none()));
    }

    #[test]
    fn lines_are_found_across_blocks() {
        let lines = with("ab\n\ncdef", 2, |w| {
            let mut found = Vec::new();
            let mut at = 0;
            while let Some((end, next)) = w.line(at) {
                found.push(String::from_utf8_lossy(&w.rest()[at..end]).into_owned());
                if next == at {
                    break;
                }
                at = next;
            }
            found
        });
        assert_eq!(lines, ["ab", "", "cdef"]);
    }
}
