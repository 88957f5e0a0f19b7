//! A value that is spelled as one before it but for a few strings.

use super::{Doubt, Quick};
use serde::de::Visitor;
use std::ops::Range;

/// The newtype by which such a value is asked for. Its visitor is given the string that was told
/// apart if the value is spelled like the model, else the value to read.
pub(in crate::k8s) struct Like;

impl Like {
    pub(in crate::k8s) const NAME: &'static str = "a value like one before it";
}

/// The text of a value, with strings left open: one that is told apart, and others that are one
/// and the same, with a beginning in common.
#[derive(Debug, Default)]
pub(in crate::k8s) struct Model<'t> {
    text: &'t str,
    open: Vec<(Range<usize>, bool)>,
    begin: &'static str,
}

impl<'t> Model<'t> {
    /// A model of a text whose `open` places are without their quotes, in their order, each with
    /// whether it is the one that is told apart. Nothing if they overlap.
    pub(in crate::k8s) fn new(
        text: &'t str,
        open: Vec<(Range<usize>, bool)>,
        begin: &'static str,
    ) -> Option<Self> {
        let apart = open.windows(2).all(|two| two[0].0.end < two[1].0.start);
        apart.then_some(Self { text, open, begin })
    }

    /// How much of a text is spelled like the model, and the string that is told apart.
    fn of<'n>(&self, text: &'n str) -> Option<(usize, &'n str)> {
        if self.text.is_empty() {
            return None;
        }
        let (mut at, mut from) = (0, 0);
        let (mut apart, mut common) = ("", None);
        for (open, is_apart) in &self.open {
            at = same(self.text.get(from..open.start)?, text, at)?;
            let rest = text.get(at..)?;
            let value = rest.get(..memchr::memchr2(b'"', b'\\', rest.as_bytes())?)?;
            if value.bytes().any(|b| b < 0x20) {
                return None;
            }
            if *is_apart {
                apart = value;
            } else if !value.starts_with(self.begin) || *common.get_or_insert(value) != value {
                return None;
            }
            at += value.len();
            from = open.end;
        }
        Some((same(self.text.get(from..)?, text, at)?, apart))
    }
}

/// The place behind a part of the model if it stands at a place of the text.
fn same(part: &str, text: &str, at: usize) -> Option<usize> {
    let end = at + part.len();
    (text.as_bytes().get(at..end)? == part.as_bytes()).then_some(end)
}

impl<'de> Quick<'_, 'de> {
    /// Reads a value that may be spelled like the model, and keeps its text if it is not.
    pub(super) fn like<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Doubt> {
        self.peek()?;
        let start = self.at;
        let known = self.model.and_then(|model| model.of(self.text.get(start..)?));
        if let Some((length, apart)) = known {
            self.at += length;
            return visitor.visit_borrowed_str(apart);
        }
        let value = visitor.visit_newtype_struct(&mut *self)?;
        self.own = start..self.at;
        Ok(value)
    }
}
