//! The quick way from JSON to an object, which gives up rather than err.
//!
//! Most of a dump is what no rule reads, half of it `managedFields`, and most of the time went
//! into walking over that. The reader here walks the same grammar over text that is known to be
//! UTF-8, with two liberties: it keeps no place for an error, for it has none to report; and of
//! `managedFields`, which is left out, only the end is looked for and the brackets are counted
//! ([`skip`]). Whatever is out of the ordinary is a [`Doubt`]: the caller then reads the text by
//! `serde_json`, which is the judge of what is JSON and words the error.
//!
//! It knows JSON and serde, and no more of Kubernetes than that name.

mod like;
mod raw;
mod skip;
#[cfg(test)]
mod tests;
mod text;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;
use std::ops::Range;

pub(super) use like::{Like, Model};
pub(super) use raw::Raw;
use text::{Number, Text};

/// How deep values may stand in one another; half of what `serde_json` allows.
const DEPTH: u8 = 64;

/// The quick reader cannot tell what the text says, or that it is JSON at all.
#[derive(Debug)]
pub(super) struct Doubt;

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not surely JSON")
    }
}

impl std::error::Error for Doubt {}

impl From<serde_json::Error> for Doubt {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

impl de::Error for Doubt {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A reader of the JSON that a text begins with.
pub(super) struct Quick<'m, 't> {
    text: &'t str,
    at: usize,
    depth: u8,
    model: Option<&'m Model<'t>>,
    /// Where the last value stands that was not like the model.
    own: Range<usize>,
}

impl<'m, 't> Quick<'m, 't> {
    /// A reader at the beginning of the text. One value may be spelled like the model.
    pub(super) const fn new(text: &'t str, model: Option<&'m Model<'t>>) -> Self {
        Self { text, at: 0, depth: 0, model, own: 0..0 }
    }

    /// The text of the last value that could have been like the model and was not.
    pub(super) fn own(&self) -> &'t str {
        self.text.get(self.own.clone()).unwrap_or_default()
    }

    /// How much of the text was read.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    /// Reads what stands between two brackets, the first of which is the next byte.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Doubt>) -> Result<T, Doubt> {
        if self.depth == DEPTH {
            return Err(Doubt);
        }
        self.at += 1;
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Quick<'_, 'de> {
    type Error = Doubt;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        match self.peek()? {
            b'"' => match self.string()? {
                Text::Borrowed(text) => visitor.visit_borrowed_str(text),
                Text::Owned(text) => visitor.visit_string(text),
            },
            b'{' => self.inside(|json| {
                let value = visitor.visit_map(Inside { json, first: true })?;
                json.expect(b'}')?;
                Ok(value)
            }),
            b'[' => self.inside(|json| {
                let value = visitor.visit_seq(Inside { json, first: true })?;
                json.expect(b']')?;
                Ok(value)
            }),
            b't' => self.literal("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.literal("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.literal("null").and_then(|()| visitor.visit_unit()),
            _ => match self.number()? {
                Number::Whole(whole) => visitor.visit_u64(whole),
                Number::Other(number) => {
                    let mut json = serde_json::Deserializer::from_str(number);
                    let value = json.deserialize_any(visitor)?;
                    json.end()?;
                    Ok(value)
                }
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        if self.peek()? == b'n' {
            self.literal("null")?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Doubt> {
        match name {
            Like::NAME => self.like(visitor),
            Raw::NAME => {
                self.peek()?;
                let start = self.at;
                self.skip()?;
                visitor.visit_borrowed_str(self.text.get(start..self.at).ok_or(Doubt)?)
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Doubt> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// What stands between two brackets: the entries of a map, or the items of a list.
struct Inside<'r, 'm, 't> {
    json: &'r mut Quick<'m, 't>,
    first: bool,
}

impl<'de> MapAccess<'de> for Inside<'_, '_, 'de> {
    type Error = Doubt;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Doubt> {
        if !self.json.another(b'}', &mut self.first)? {
            return Ok(None);
        }
        if self.json.peek()? != b'"' {
            return Err(Doubt);
        }
        seed.deserialize(&mut *self.json).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Doubt> {
        self.json.expect(b':')?;
        seed.deserialize(&mut *self.json)
    }
}

impl<'de> SeqAccess<'de> for Inside<'_, '_, 'de> {
    type Error = Doubt;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Doubt> {
        if !self.json.another(b']', &mut self.first)? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.json).map(Some)
    }
}
