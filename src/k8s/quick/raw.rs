//! A value that is read later, as the text it stands in.

use super::Quick;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The text of a value, and who reads it: the reader that it came from.
pub(in crate::k8s) enum Raw<'t> {
    Quick(&'t str),
    Plain(&'t RawValue),
}

impl<'t> Raw<'t> {
    /// The newtype by which it is asked for.
    pub(super) const NAME: &'static str = "the text of a value";

    /// Reads the value.
    pub(in crate::k8s) fn read<S: DeserializeSeed<'t>, E: Error>(
        self,
        seed: S,
    ) -> Result<S::Value, E> {
        match self {
            Self::Quick(text) => seed.deserialize(&mut Quick::new(text, None)).map_err(E::custom),
            Self::Plain(text) => {
                let mut json = serde_json::Deserializer::from_str(text.get());
                seed.deserialize(&mut json).map_err(E::custom)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Self::NAME, Later)
    }
}

struct Later;

impl<'de> Visitor<'de> for Later {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Raw<'de>, E> {
        Ok(Raw::Quick(text))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<Raw<'de>, D::Error> {
        Deserialize::deserialize(json).map(Raw::Plain)
    }
}
