//! The four roles that every API server creates and that manifests refer to without holding them.
//!
//! Their rules are those of a kube-apiserver 1.36. A snapshot of a real cluster holds its own.

use super::NOWHERE;
use super::rows::Part;
use crate::input::Collect;
use crate::k8s::{Object, ObjectSeed};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use std::fmt;

const ROLES: &str = include_str!("builtin_roles.json");

/// The built-in user-facing roles, as rows that come from nowhere.
pub(super) fn roles() -> Part {
    let mut part = Part::default();
    // The text is part of the program and a test reads it, so there is nothing to report.
    if let Ok(Roles { items }) = serde_json::from_str(ROLES) {
        for object in items.0 {
            part.object(object, NOWHERE);
        }
    }
    part.seen.clear();
    part
}

#[derive(serde::Deserialize)]
struct Roles<'a> {
    #[serde(borrow)]
    items: Objects<'a>,
}

struct Objects<'a>(Vec<Object<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Objects<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<'a>(Vec<Object<'a>>);
        impl<'de: 'a, 'a> Visitor<'de> for Items<'a> {
            type Value = Vec<Object<'a>>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of roles")
            }
            fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self::Value, A::Error> {
                struct One;
                impl<'de> DeserializeSeed<'de> for One {
                    type Value = Object<'de>;
                    fn deserialize<D: Deserializer<'de>>(
                        self,
                        d: D,
                    ) -> Result<Object<'de>, D::Error> {
                        ObjectSeed::default().deserialize(d)
                    }
                }
                while let Some(object) = seq.next_element_seed(One)? {
                    self.0.push(object);
                }
                Ok(self.0)
            }
        }
        deserializer.deserialize_seq(Items(Vec::new())).map(Self)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_four_roles_are_read() {
        let part = super::roles();
        assert_eq!(part.roles.len(), 4);
        assert!(part.roles.iter().all(|r| !r.body.rules.is_empty()));
    }
}
