//! YAML to JSON, as kubectl converts it before it reads anything.
//!
//! Aliases are written out and merge keys applied, so the result may be larger than the text; a
//! document that grows out of proportion is refused.

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess};
use serde::de::{VariantAccess, Visitor};
use std::fmt;

/// How many times its text a document may become, over a first allowance.
const GROWTH: usize = 16;
const ALLOWANCE: usize = 1 << 20;

/// Converts one document. The error is a message and how many lines below the start it lies.
pub(super) fn to_json(yaml: &[u8], json: &mut Vec<u8>) -> Result<(), (String, u64)> {
    json.clear();
    let limit = ALLOWANCE + yaml.len().saturating_mul(GROWTH);
    let written = Write { json, limit }.deserialize(serde_yaml::Deserializer::from_slice(yaml));
    written.map_err(|error| said(&error))?;
    if memchr::memmem::find(yaml, b"<<").is_some() {
        merge(json).map_err(|message| (message, 0))?;
    }
    Ok(())
}

/// Applies the merge keys (`<<: *base`) of YAML 1.1.
fn merge(json: &mut Vec<u8>) -> Result<(), String> {
    let mut value: serde_yaml::Value =
        serde_json::from_slice(json).map_err(|error| error.to_string())?;
    value.apply_merge().map_err(|error| error.to_string())?;
    json.clear();
    serde_json::to_writer(json, &value).map_err(|error| error.to_string())
}

fn said(error: &serde_yaml::Error) -> (String, u64) {
    let text = error.to_string();
    let message = text.split_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let line = error.location().map_or(0, |place| place.line() as u64);
    (format!("not YAML: {message}"), line.saturating_sub(1))
}

/// Writes the value it is given as JSON.
struct Write<'a> {
    json: &'a mut Vec<u8>,
    limit: usize,
}

impl Write<'_> {
    fn again(&mut self) -> Write<'_> {
        Write { json: self.json, limit: self.limit }
    }

    fn put<E: de::Error>(&mut self, value: &impl serde::Serialize) -> Result<(), E> {
        if self.json.len() > self.limit {
            return Err(E::custom("its aliases make it too large to be read"));
        }
        serde_json::to_writer(&mut *self.json, value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Write<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Write<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(mut self) -> Result<(), E> {
        self.put(&())
    }

    fn visit_none<E: de::Error>(mut self) -> Result<(), E> {
        self.put(&())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(mut self, v: bool) -> Result<(), E> {
        self.put(&v)
    }

    fn visit_u64<E: de::Error>(mut self, v: u64) -> Result<(), E> {
        self.put(&v)
    }

    fn visit_i64<E: de::Error>(mut self, v: i64) -> Result<(), E> {
        self.put(&v)
    }

    // JSON has no infinity; a label of that spelling is text that lost its quotes.
    fn visit_f64<E: de::Error>(mut self, v: f64) -> Result<(), E> {
        if v.is_finite() { self.put(&v) } else { self.put(&v.to_string()) }
    }

    fn visit_str<E: de::Error>(mut self, v: &str) -> Result<(), E> {
        self.put(&v)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.json.push(b'[');
        let mut first = true;
        loop {
            let before = self.json.len();
            if !first {
                self.json.push(b',');
            }
            first = false;
            if seq.next_element_seed(self.again())?.is_none() {
                self.json.truncate(before);
                break;
            }
        }
        self.json.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.json.push(b'{');
        let mut first = true;
        while let Some(Key(key)) = map.next_key()? {
            if !first {
                self.json.push(b',');
            }
            first = false;
            self.put(&key)?;
            self.json.push(b':');
            map.next_value_seed(self.again())?;
        }
        self.json.push(b'}');
        Ok(())
    }

    // A tag such as `!binary`: the value counts.
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<(), A::Error> {
        let (Key(_), value) = data.variant()?;
        value.newtype_variant_seed(self)
    }
}

/// A key; kubectl turns other scalars into text.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text as a key")
            }
            fn visit_str<E>(self, v: &str) -> Result<Key, E> {
                Ok(Key(v.to_owned()))
            }
            fn visit_string<E>(self, v: String) -> Result<Key, E> {
                Ok(Key(v))
            }
            fn visit_bool<E>(self, v: bool) -> Result<Key, E> {
                Ok(Key(v.to_string()))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Key, E> {
                Ok(Key(v.to_string()))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Key, E> {
                Ok(Key(v.to_string()))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Key, E> {
                Ok(Key(v.to_string()))
            }
            fn visit_unit<E>(self) -> Result<Key, E> {
                Ok(Key("null".to_owned()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(yaml: &str) -> Result<String, String> {
        let mut json = Vec::new();
        to_json(yaml.as_bytes(), &mut json).map_err(|(message, _)| message)?;
        Ok(String::from_utf8(json).unwrap())
    }

    #[test]
    fn scalars_aliases_and_merge_keys() {
        assert_eq!(
            json("a: [1, 'x', yes, null, 0644, 1.5, ~]\n1: true").unwrap(),
            r#"{"a":[1,"x","yes",null,"0644",1.5,null],"1":true}"#
        );
        assert_eq!(
            json("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3").unwrap(),
            r#"{"base":{"x":1,"y":2},"use":{"y":3,"x":1}}"#
        );
        assert_eq!(json("[]").unwrap(), "[]");
        assert_eq!(json("!tag {a: !x b}").unwrap(), r#"{"a":"b"}"#);
    }

    #[test]
    fn hostile_documents_are_refused() {
        assert!(json("password: ***HIDDEN***").is_err());
        assert!(json("name: {{ .Values.name }}").is_err());
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{},", level - 1).repeat(10);
            bomb.extend([format!("a{level}: &a{level} [{below}]\n")]);
        }
        assert!(json(&bomb).is_err());
        assert!(json(&"[".repeat(5000)).is_err());
    }
}
