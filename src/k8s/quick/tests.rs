//! The quick reader against `serde_json`: whatever it does not doubt, both read alike.

use super::*;
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// What the quick reader makes of the beginning of a text, and where it ends.
fn quick<'t, T: Deserialize<'t>>(text: &'t str) -> Option<(T, usize)> {
    let mut json = Quick::new(text, None);
    let value = T::deserialize(&mut json).ok()?;
    Some((value, json.offset()))
}

/// The same of `serde_json`.
fn plain<'t, T: Deserialize<'t>>(text: &'t str) -> Option<(T, usize)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(&mut json).ok()?;
    Some((value, json.into_iter::<IgnoredAny>().byte_offset()))
}

fn skipped(text: &str) -> Option<usize> {
    quick::<IgnoredAny>(text).map(|(_, end)| end)
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z:/.-]{0,12}",
        // What looks like structure, and what has to be escaped.
        r#"[\[\]{},:"\\a-c \n\u{1}é😀]{0,12}"#,
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_is_read_alike(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&value)
        } else {
            serde_json::to_string(&value)
        };
        let text = text.unwrap() + " \n]";
        let (read, end) = quick::<Value>(&text).expect("it is JSON");
        prop_assert_eq!(&Some((read, end)), &plain::<Value>(&text));
        prop_assert_eq!(skipped(&text), Some(end));
    }

    /// Texts that are hardly JSON any more: what is doubted is nobody's loss, but nothing may be
    /// read that is not there.
    #[test]
    fn what_is_broken_is_doubted(
        value in any_json(),
        at in any::<prop::sample::Index>(),
        with in r#"[\[\]{},:"\\0-9.eE+nul -]{0,3}"#,
        cut in 0..4_usize,
    ) {
        let text = serde_json::to_string(&value).unwrap();
        let at = at.index(text.chars().count());
        let (before, after) = (text.chars().take(at), text.chars().skip(at + cut));
        let text: String = before.chain(with.chars()).chain(after).collect();
        if let Some(read) = quick::<Value>(&text) {
            prop_assert_eq!(Some(read), plain::<Value>(&text));
        }
        if let Some(end) = skipped(&text) {
            prop_assert_eq!(Some(end), plain::<IgnoredAny>(&text).map(|(_, end)| end));
        }
    }
}

#[test]
fn values_end_where_they_end() {
    for (text, end) in [
        (" 12,", Some(3)),
        ("-0.5e3 ", Some(6)),
        (r#""a\"\u00e9","#, Some(11)),
        (r#"{"a" : [1, {"b":null}] , "c":"]}"}}"#, Some(34)),
        ("[]]", Some(2)),
        ("01", None),
        ("+1", None),
        ("1-2", None),
        ("[1,]", None),
        (r#"{"a":1,}"#, None),
        (r#"{"a" 1}"#, None),
        (r"{1:2}", None),
        ("[1}", None),
        ("\"a\nb\"", None),
        (r#""\x""#, None),
        ("tru", None),
        ("", None),
    ] {
        assert_eq!(skipped(text), end, "{text}");
        assert_eq!(quick::<Value>(text).map(|(_, end)| end), end, "{text}");
    }
}

#[test]
fn of_managed_fields_the_end_is_found() {
    let of = |key: &str, fields: &str, behind: &str| {
        let text = format!(r#"{{"{key}":[{{"fieldsV1":{{{fields}}}}}]{behind}"#);
        skipped(&text).map(|end| end == text.len())
    };
    let fields = r#""f:a":{"k:{\"b\":\"c\"}":{}}"#;
    for behind in [r#","name":"x"}"#, ",\n    \"name\": \"x\"\n}", "}", r#","1":2}"#] {
        assert_eq!(of("managedFields", fields, behind), Some(true), "{behind}");
    }
    // Brackets in strings and lists in the list do not mislead.
    for fields in [r#""f:a":"],\"name\"""#, r#""f:a":"}],""#, r#""a":[1,{"b":[]}],"c":"]""#] {
        assert_eq!(of("managedFields", fields, r#","name":1}"#), Some(true), "{fields}");
    }
    // What is not balanced is not JSON, and elsewhere every letter counts.
    assert_eq!(of("managedFields", r#""f:a":{"#, r#","name":1}"#), None);
    assert_eq!(of("managedFields", r#""f:a":no"#, r#","name":1}"#), Some(true));
    assert_eq!(of("managedBy", r#""f:a":no"#, r#","name":1}"#), None);
}

#[test]
fn depth_ends_in_doubt_and_not_in_the_stack() {
    let deep = |count| "[".repeat(count) + &"]".repeat(count);
    assert!(quick::<Value>(&deep(60)).is_some());
    assert!(quick::<Value>(&deep(100_000)).is_none());
    assert!(skipped(&deep(100_000)).is_none());
}
