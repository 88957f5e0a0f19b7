//! Walking over a value that nobody reads.

use super::text::Number;
use super::{Doubt, Quick};
use serde::de::IgnoredAny;

/// The key of the list that is left out by its brackets alone: half of many a dump, and nobody's
/// loss should it be broken within.
const LIST: &[u8] = b"\"managedFields\"";

impl Quick<'_, '_> {
    /// Goes on behind the value that begins here.
    pub(super) fn skip(&mut self) -> Result<(), Doubt> {
        // A bit for each bracket that is open, the last one lowest: whether it is that of a map.
        let mut open = 1_u64;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                bracket @ (b'{' | b'[') => {
                    if bracket == b'[' && self.skip_objects()? {
                        // Behind it stands a comma.
                    } else {
                        if open >> 63 != 0 {
                            return Err(Doubt);
                        }
                        self.at += 1;
                        let map = bracket == b'{';
                        if self.peek()? != if map { b'}' } else { b']' } {
                            open = open << 1 | u64::from(map);
                            if map {
                                self.skip_key()?;
                            }
                            continue;
                        }
                        self.at += 1;
                    }
                }
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => {
                    if let Number::Other(number) = self.number()? {
                        serde_json::from_str::<IgnoredAny>(number)?;
                    }
                }
            }
            loop {
                if open == 1 {
                    return Ok(());
                }
                let map = open & 1 == 1;
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        if map {
                            self.peek()?;
                            self.skip_key()?;
                        }
                        break;
                    }
                    b'}' if map => {}
                    b']' if !map => {}
                    _ => return Err(Doubt),
                }
                self.at += 1;
                open >>= 1;
            }
        }
    }

    /// Goes on behind the key that begins here and its colon.
    #[inline]
    fn skip_key(&mut self) -> Result<(), Doubt> {
        if self.byte()? != b'"' {
            return Err(Doubt);
        }
        self.skip_string()?;
        self.expect(b':')
    }

    /// Goes on behind the list that begins here, if it is the value of [`LIST`], one of objects
    /// without a list in them, and its end can be told.
    ///
    /// The first bracket of a list that follows is its end, unless it stands in a string. Where
    /// `],"` and a letter follow each other it does not: a quote that ended a string would be
    /// followed by punctuation. That holds in JSON; that this is JSON is made likely by its
    /// braces, which are as many to open as to close.
    ///
    /// A text that ends before that is told leaves the reader at its end: with more of it the
    /// answer may be another.
    fn skip_objects(&mut self) -> Result<bool, Doubt> {
        let bytes = self.text.as_bytes();
        let Some((before, inside)) = bytes.split_at_checked(self.at + 1) else { return Err(Doubt) };
        let key = before.strip_suffix(b"[").map(<[u8]>::trim_ascii_end);
        let key = key.and_then(|key| key.strip_suffix(b":")).map(<[u8]>::trim_ascii_end);
        if !key.is_some_and(|key| key.ends_with(LIST)) {
            return Ok(false);
        }
        let length = memchr::memchr2(b'[', b']', inside);
        let (inside, end) = inside.split_at(length.unwrap_or(inside.len()));
        let after = end.strip_prefix(b"]").map(<[u8]>::trim_ascii_start);
        let key = after.and_then(|after| after.strip_prefix(b",")).map(<[u8]>::trim_ascii_start);
        let name = key.and_then(|key| key.strip_prefix(b"\""));
        if [Some(end), after, key, name].contains(&Some(b"")) {
            self.at = self.text.len();
            return Err(Doubt);
        }
        let whole = name.and_then(|name| name.first()).is_some_and(u8::is_ascii_alphabetic)
            && inside.trim_ascii_start().starts_with(b"{")
            && inside.trim_ascii_end().ends_with(b"}")
            && is_balanced(inside);
        if whole {
            self.at += inside.len() + 2;
        }
        Ok(whole)
    }
}

/// Whether as many braces open as close.
fn is_balanced(text: &[u8]) -> bool {
    memchr::memchr_iter(b'{', text).count() == memchr::memchr_iter(b'}', text).count()
}
