//! The data of a ConfigMap: the one flag that a rule reads.

use super::object::Body;
use super::scalar::Str;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// Whether `allow-snippet-annotations` is `true` in a ConfigMap's `data`; every other value is
/// skipped.
#[derive(Debug, Default)]
pub(super) struct ConfigData(Option<bool>);

impl ConfigData {
    /// Puts the data into a ConfigMap's body, beside what `binaryData` or `data` left there.
    pub(super) fn join(self, body: &mut Body<'_>) {
        let known = if let Body::ConfigMap(snippets) = body { *snippets } else { None };
        *body = Body::ConfigMap(known.or(self.0));
    }
}

impl<'de> Deserialize<'de> for ConfigData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Data;
        impl<'de> Visitor<'de> for Data {
            type Value = ConfigData;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(ConfigData(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut snippets = None;
                while let Some(key) = map.next_key::<Str<'de>>()? {
                    if &*key == "allow-snippet-annotations" {
                        snippets = Some(&*map.next_value::<Str<'de>>()? == "true");
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(ConfigData(snippets))
            }
        }
        deserializer.deserialize_any(Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flag_is_read_and_no_other_value() {
        let json = r#"{"allow-snippet-annotations":"true","password":"hunter2","nested":{"a":1}}"#;
        let data: ConfigData = serde_json::from_str(json).unwrap();
        assert_eq!(data.0, Some(true));
        let none: ConfigData = serde_json::from_str("null").unwrap();
        assert_eq!(none.0, None);
    }
}
