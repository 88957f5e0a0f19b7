//! The data of Secrets and ConfigMaps: key names, and whose credential a value is. No value stays.

use super::login::{Logins, may_tell};
use super::scalar::{Bool, Str};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// A Secret: type, key names, and whose credential it is. No value is ever kept.
#[derive(Debug, Default)]
pub struct Secret<'a> {
    pub kind: Str<'a>,
    pub immutable: Bool,
    pub data: Data<'a>,
}

/// `data` and `stringData` or `binaryData` together: the names of the keys.
#[derive(Debug, Default)]
pub struct Data<'a> {
    pub keys: Vec<Str<'a>>,
    pub logins: Logins,
}

/// `data` and `stringData` together.
pub(super) fn more<'de, D: Deserializer<'de>>(
    known: &mut Data<'de>,
    d: D,
) -> Result<Data<'de>, D::Error> {
    DataSeed(known).deserialize(d)?;
    Ok(std::mem::take(known))
}

/// Reads one more map of keys and values. A value is skipped, or told whose credential it is.
struct DataSeed<'b, 'a>(&'b mut Data<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for DataSeed<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for DataSeed<'_, 'a> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Str<'de>>()? {
            if may_tell(&key) {
                let value = map.next_value::<Str<'de>>()?;
                self.0.logins.add(&key, &value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            self.0.keys.push(key);
        }
        self.0.logins.finish();
        Ok(())
    }
}
