//! Scalars as kubectl and the API server read them.
//!
//! kubectl reads YAML 1.1: `yes`, `on` and `y` are true, `0644` is octal. The API server takes
//! `null` for any absent field. And text borrows from the bytes it was read from wherever it holds
//! no escape, which is what makes reading a dump cheap.

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// Text, borrowed where possible; `null` is the empty text.
///
/// `Cow<str>` alone never borrows inside lists and maps, which is where most text stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Str<'a>(pub Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Text<'a> {
            type Value = Str<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(v.to_owned())))
            }
            fn visit_string<E>(self, v: String) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(v)))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Str::default())
            }
            // Unquoted YAML: a label `1.20` or `true` is text that lost its quotes.
            fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(v.to_string())))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(v.to_string())))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(v.to_string())))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(v.to_string())))
            }
        }
        deserializer.deserialize_any(Text(PhantomData))
    }
}

/// A list; `null` is the empty list, as the API server serves `"rules": null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = List<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(List::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(List(items))
            }
        }
        deserializer.deserialize_any(Items(PhantomData))
    }
}

/// Whether a field is there, whatever it holds; `null` is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Present(pub bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::<IgnoredAny>::deserialize(deserializer)?.is_some()))
    }
}

/// Whether a text is there and not empty, where what it says does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filled(pub bool);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(!Str::deserialize(deserializer)?.is_empty()))
    }
}

/// A truth value that may be absent: `true`, YAML 1.1's `yes`, `on`, `y`, or `null`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Bool(pub Option<bool>);

impl Bool {
    /// Whether it is present and true.
    #[must_use]
    pub const fn is_true(self) -> bool {
        matches!(self.0, Some(true))
    }
}

impl<'de> Deserialize<'de> for Bool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Truth;
        impl Visitor<'_> for Truth {
            type Value = Bool;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }
            fn visit_unit<E>(self) -> Result<Bool, E> {
                Ok(Bool(None))
            }
            fn visit_bool<E>(self, v: bool) -> Result<Bool, E> {
                Ok(Bool(Some(v)))
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Bool, E> {
                match v.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" | "y" => Ok(Bool(Some(true))),
                    "false" | "no" | "off" | "n" => Ok(Bool(Some(false))),
                    "" => Ok(Bool(None)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(v), &self)),
                }
            }
        }
        deserializer.deserialize_any(Truth)
    }
}

/// A whole number that may be absent: a number, YAML 1.1's octal `0644`, or `null`.
///
/// Ports may also be names: those are kept apart in [`IntOrStr`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Int(pub Option<i64>);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Int;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_unit<E>(self) -> Result<Int, E> {
                Ok(Int(None))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Int, E> {
                Ok(Int(Some(v)))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Int, E> {
                Ok(Int(i64::try_from(v).ok()))
            }
            #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Int, E> {
                if v.fract() == 0.0 && v.abs() < 9e15 {
                    Ok(Int(Some(v as i64)))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(v), &self))
                }
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Int, E> {
                integer(v).map_or_else(
                    || Err(E::invalid_value(de::Unexpected::Str(v), &self)),
                    |n| Ok(Int(Some(n))),
                )
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// A port: a number or the name of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntOrStr<'a> {
    /// A number.
    Int(i64),
    /// A name.
    Str(Str<'a>),
}

impl<'de: 'a, 'a> Deserialize<'de> for IntOrStr<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Str::deserialize(deserializer)?;
        Ok(integer(&text).map_or(Self::Str(text), Self::Int))
    }
}

/// A whole number as YAML 1.1 spells it: decimal, `0644` and `0o644` octal, `0x1f` hexadecimal.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let lower = digits.to_ascii_lowercase();
    let value = if let Some(hex) = lower.strip_prefix("0x") {
        i64::from_str_radix(hex, 16).ok()?
    } else if let Some(octal) = lower.strip_prefix("0o") {
        i64::from_str_radix(octal, 8).ok()?
    } else if lower.len() > 1 && lower.starts_with('0') {
        i64::from_str_radix(&lower, 8).ok()?
    } else {
        lower.parse::<i64>().ok().filter(|_| lower.starts_with(|c: char| c.is_ascii_digit()))?
    };
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml<T: for<'de> Deserialize<'de>>(text: &str) -> T {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn truth_values_of_yaml_1_1() {
        for text in ["yes", "on", "y", "True", "true"] {
            assert_eq!(yaml::<Bool>(text), Bool(Some(true)), "{text}");
        }
        for text in ["no", "off", "N", "false"] {
            assert_eq!(yaml::<Bool>(text), Bool(Some(false)), "{text}");
        }
        assert_eq!(yaml::<Bool>("null"), Bool(None));
        assert!(serde_yaml::from_str::<Bool>("maybe").is_err());
    }

    #[test]
    fn octal_as_kubectl_reads_it() {
        assert_eq!(yaml::<Int>("0644"), Int(Some(420)));
        assert_eq!(yaml::<Int>("0o644"), Int(Some(420)));
        assert_eq!(yaml::<Int>("644"), Int(Some(644)));
        assert_eq!(yaml::<Int>("null"), Int(None));
        assert!(serde_yaml::from_str::<Int>("six").is_err());
    }

    #[test]
    fn null_lists_are_empty_and_text_borrows() {
        assert_eq!(yaml::<List<Int>>("null"), List::default());
        let json = br#"["plain", "esc\u0061ped"]"#;
        let list: List<Str<'_>> = serde_json::from_slice(json).unwrap();
        assert!(matches!(list[0].0, Cow::Borrowed("plain")));
        assert_eq!(&*list[1], "escaped");
    }
}
