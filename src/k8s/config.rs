//! The data of a ConfigMap: key names, and the one flag that a rule reads.

use super::object::Body;
use super::scalar::Str;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// The key names of a ConfigMap's `data`, and whether `allow-snippet-annotations` is `true` there;
/// every other value is skipped.
#[derive(Debug, Default)]
pub(super) struct ConfigData<'a> {
    keys: Vec<Str<'a>>,
    snippets: Option<bool>,
}

impl<'a> ConfigData<'a> {
    /// Puts the data into a ConfigMap's body, beside what `binaryData` or `data` left there.
    pub(super) fn join(self, body: &mut Body<'a>) {
        if !matches!(body, Body::ConfigMap { .. }) {
            *body = Body::ConfigMap { keys: Vec::new(), snippets: None };
        }
        if let Body::ConfigMap { keys, snippets } = body {
            keys.extend(self.keys);
            *snippets = snippets.or(self.snippets);
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ConfigData<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Data<'a>(ConfigData<'a>);
        impl<'de: 'a, 'a> Visitor<'de> for Data<'a> {
            type Value = ConfigData<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(self.0)
            }
            fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
                while let Some(key) = map.next_key::<Str<'a>>()? {
                    if &*key == "allow-snippet-annotations" {
                        self.0.snippets = Some(&*map.next_value::<Str<'a>>()? == "true");
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                    self.0.keys.push(key);
                }
                Ok(self.0)
            }
        }
        deserializer.deserialize_any(Data(Self::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flag_is_read_and_no_other_value() {
        let json = r#"{"allow-snippet-annotations":"true","password":"hunter2","nested":{"a":1}}"#;
        let data: ConfigData<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(data.snippets, Some(true));
        assert!(!format!("{data:?}").contains("hunter2"));
        let none: ConfigData<'_> = serde_json::from_str("null").unwrap();
        assert_eq!((none.keys.len(), none.snippets), (0, None));
    }
}
