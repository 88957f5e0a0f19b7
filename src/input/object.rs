//! An object as it stands in its source, looked up when somebody wants to see it.
//!
//! What must not be seen is dropped while the object is parsed and never becomes part of what is
//! given: values of Secrets and ConfigMaps, literal values of variables, and the copies of all
//! these that clients and the API server leave in an object. Key names stay, so that one sees
//! what is there.

use super::SourceId;
use super::again;
use super::transcode::to_json;
use super::window::{Stop, Window, said};
use super::yaml;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The longest object that is shown. What an API server stores is far shorter.
const MOST: usize = 4 << 20;

/// How deep an object may lie in what stands at its origin: lists of lists, maps of lists.
const DEPTH: u8 = 4;

/// An object that somebody wants to see: where it was read, and which one it is.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// The file or member.
    pub source: SourceId,
    /// The byte at which it begins, or at which a document begins that it stands in.
    pub offset: u64,
    /// Its kind.
    pub kind: &'w str,
    /// Its namespace, if it has one.
    pub namespace: Option<&'w str>,
    /// Its name.
    pub name: &'w str,
}

/// A part of an object, as far as it may be seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// Text.
    Text(String),
    /// A number, a truth value or nothing, as YAML spells it.
    Plain(String),
    /// A list.
    List(Vec<Self>),
    /// Keys and their values, in the order of the source.
    Map(Vec<(String, Self)>),
    /// Something that is not shown.
    Hidden,
}

/// Why an object cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// It came from standard input, which is gone.
    #[error("standard input cannot be read again")]
    Stdin,
    /// The file or the member is gone, or shorter than it was.
    #[error("the source cannot be read again")]
    Gone,
    /// Something else stands there now.
    #[error("the source has changed: the object no longer stands there")]
    Changed,
    /// It is too long.
    #[error("the object is larger than {} MB", MOST >> 20)]
    Large,
    /// It cannot be parsed.
    #[error("the object cannot be read: {0}")]
    Broken(String),
}

/// Every wanted object, each file read once. O(the files up to the last object that is wanted).
#[must_use]
pub fn objects(sources: &[String], wanted: &[Wanted<'_>]) -> Vec<Result<Shown, Missing>> {
    let missing = |wanted: &Wanted<'_>| match sources.get(wanted.source.index()) {
        Some(name) if name == "-" => Err(Missing::Stdin),
        _ => Err(Missing::Gone),
    };
    let mut found: Vec<_> = wanted.iter().map(missing).collect();
    let places = wanted.iter().enumerate().map(|(i, w)| (w.source, w.offset, (i, w)));
    again::visit(sources, places, &mut |window, spot, here| {
        for (i, wanted) in here {
            if let Some(found) = found.get_mut(i) {
                *found = one(window, spot.column, wanted);
            }
        }
    });
    found
}

fn one(window: &mut Window<'_>, column: usize, wanted: &Wanted<'_>) -> Result<Shown, Missing> {
    let first = match window.byte(0) {
        None => return Err(Missing::Gone),
        Some(b'{') => match window.skip(0) {
            Ok(end) if end <= MOST => parse(window.rest().get(..end).unwrap_or(&[])),
            Ok(_) | Err(Stop::Large) => Err(Missing::Large),
            Err(Stop::Cut) => Err(Missing::Gone),
            // YAML that is written with braces.
            Err(Stop::Syntax(..)) => in_yaml(window, 0),
        },
        Some(_) => in_yaml(window, column),
    };
    let found = first.map(|shown| shown.named(wanted, DEPTH))?;
    found.ok_or(Missing::Changed)
}

fn in_yaml(window: &mut Window<'_>, column: usize) -> Result<Shown, Missing> {
    let text = yaml::object(window, column, MOST).ok_or(Missing::Large)?;
    let mut json = Vec::new();
    to_json(&text, &mut json).map_err(|(message, _)| Missing::Broken(message))?;
    parse(&json)
}

fn parse(json: &[u8]) -> Result<Shown, Missing> {
    let mut json = serde_json::Deserializer::from_slice(json);
    Keep::All.deserialize(&mut json).map_err(|error| {
        let (message, _) = said(&error);
        Missing::Broken(message)
    })
}

impl Shown {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(map) = self else { return None };
        map.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Self::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether it is the object that is wanted, as far as it says what it is.
    fn is(&self, wanted: &Wanted<'_>) -> bool {
        let Some(meta) = self.get("metadata") else { return false };
        let kind = self.text("kind").is_none_or(|kind| kind == wanted.kind);
        let near = match (meta.text("namespace"), wanted.namespace) {
            (Some(ns), Some(wanted)) => ns == wanted,
            _ => true,
        };
        kind && near && meta.text("name").unwrap_or_default() == wanted.name
    }

    /// The object that is wanted: this, or one in it.
    fn named(self, wanted: &Wanted<'_>, depth: u8) -> Option<Self> {
        if self.is(wanted) {
            return Some(self);
        }
        let depth = depth.checked_sub(1)?;
        match self {
            Self::List(list) => list.into_iter().find_map(|value| value.named(wanted, depth)),
            Self::Map(map) => map.into_iter().find_map(|(_, value)| value.named(wanted, depth)),
            _ => None,
        }
    }
}

/// Keys whose values are contents of Secrets and ConfigMaps, wherever they stand.
const CONTENTS: &[&str] = &["data", "stringdata", "binarydata"];

/// Keys of copies of whole objects, whose values would be seen there.
const COPIES: &[&str] =
    &["managedfields", "kapp.k14s.io/original", "objectset.rio.cattle.io/applied"];

/// What is kept of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Everything but what must not be seen.
    All,
    /// The keys of a map, and nothing of its values.
    Keys,
    /// Variables or headers: all of them but their literal values.
    Variables,
    /// Of one of these.
    Variable,
    /// Nothing.
    Nothing,
}

impl Keep {
    /// What is kept of the value of a key.
    fn of(self, key: &str) -> Self {
        let key = key.to_ascii_lowercase();
        match self {
            Self::Nothing | Self::Keys | Self::Variables => Self::Nothing,
            Self::Variable if key == "value" => Self::Nothing,
            _ if COPIES.contains(&key.as_str()) || key.contains("last-applied") => Self::Nothing,
            _ if CONTENTS.contains(&key.as_str()) => Self::Keys,
            _ if key == "httpheaders" || is_env(&key) => Self::Variables,
            _ => Self::All,
        }
    }
}

/// Whether a key is that of variables: `env`, and what operators call theirs.
fn is_env(key: &str) -> bool {
    const NAMES: &[&str] = &["env", "envs", "envvars", "environment", "environmentvariables"];
    NAMES.contains(&key) || key.ends_with("env") || key.ends_with("envvars")
}

impl<'de> DeserializeSeed<'de> for Keep {
    type Value = Shown;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shown, D::Error> {
        if self == Self::Nothing {
            deserializer.deserialize_ignored_any(IgnoredAny)?;
            return Ok(Shown::Hidden);
        }
        deserializer.deserialize_any(self)
    }
}

impl Keep {
    fn plain<E>(self, value: &impl ToString) -> Result<Shown, E> {
        Ok(if self == Self::All || self == Self::Variable {
            Shown::Plain(value.to_string())
        } else {
            Shown::Hidden
        })
    }
}

impl<'de> Visitor<'de> for Keep {
    type Value = Shown;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Shown, E> {
        self.plain(&"null")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Shown, E> {
        self.plain(&v)
    }

    fn visit_u64<E>(self, v: u64) -> Result<Shown, E> {
        self.plain(&v)
    }

    fn visit_i64<E>(self, v: i64) -> Result<Shown, E> {
        self.plain(&v)
    }

    fn visit_f64<E>(self, v: f64) -> Result<Shown, E> {
        self.plain(&v)
    }

    fn visit_str<E>(self, v: &str) -> Result<Shown, E> {
        let seen = matches!(self, Self::All | Self::Variable);
        Ok(if seen { Shown::Text(v.to_owned()) } else { Shown::Hidden })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shown, A::Error> {
        let of = match self {
            Self::Variables => Self::Variable,
            Self::Keys => Self::Nothing,
            other => other,
        };
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(Item(of))? {
            list.push(value);
        }
        Ok(if self == Self::Keys { Shown::Hidden } else { Shown::List(list) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shown, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.of(&key))?;
            entries.push((key, value));
        }
        Ok(Shown::Map(entries))
    }
}

/// An item of a list: of variables only maps are seen, `NAME=VALUE` is not.
struct Item(Keep);

impl<'de> DeserializeSeed<'de> for Item {
    type Value = Shown;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shown, D::Error> {
        let shown = self.0.deserialize(deserializer)?;
        let scalar = matches!(shown, Shown::Text(_) | Shown::Plain(_));
        Ok(if scalar && self.0 == Keep::Variable { Shown::Hidden } else { shown })
    }
}
