//! Makes `managedFields` cheap to skip: nobody reads them, and they are half of what an API server
//! sends.
//!
//! The parser has to look at every quote of a value that it ignores. Here the whole array is
//! overwritten by one long string, in place and of the same length, which it passes many bytes at
//! a time. Only what is certain is touched: an array on one line without another in it, which is
//! how API servers write it. The key cannot stand inside a string, where its quotes would be
//! escaped.

use memchr::memmem;

const KEY: &[u8] = b"\"managedFields\":[";

/// Overwrites every array that is held whole. Returns how far the text is done with: behind that
/// an array may begin of which more has to be read.
pub(super) fn blank(text: &mut [u8]) -> usize {
    let key = memmem::Finder::new(KEY);
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|tail| key.find(tail)) {
        let open = from + found + KEY.len() - 1;
        let escaped = (from + found).checked_sub(1).is_some_and(|at| text.get(at) == Some(&b'\\'));
        let Some(array) = text.get_mut(open..) else { break };
        let Some(end) = memchr::memchr(b']', array) else { return from + found };
        from = open + 1;
        if let Some(array) = array.get_mut(..=end).filter(|a| !escaped && is_plain(a)) {
            array.fill(b'"');
            if let Some(inner) = array.get_mut(1..end) {
                inner.fill(b'-');
            }
            from = open + end + 1;
        }
    }
    // The key itself may be cut off.
    text.len().saturating_sub(KEY.len()).max(from)
}

/// Whether the array's last byte is what closes it: no other opens in it, and it stands outside
/// the strings.
fn is_plain(array: &[u8]) -> bool {
    let inner = array.get(1..).unwrap_or(&[]);
    if memchr::memchr2(b'[', b'\n', inner).is_some() {
        return false;
    }
    let quotes = memchr::memchr_iter(b'"', inner).count();
    let (mut escaped, mut next) = (0, 0);
    for at in memchr::memchr_iter(b'\\', inner).filter(|at| inner.len() > *at + 1) {
        // What a backslash escapes does not escape itself.
        if at >= next {
            next = at + 2;
            escaped += usize::from(inner.get(at + 1) == Some(&b'"'));
        }
    }
    (quotes - escaped).is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn blanked(text: &str) -> (String, usize) {
        let mut bytes = text.as_bytes().to_vec();
        let done = blank(&mut bytes);
        (String::from_utf8(bytes).unwrap(), done)
    }

    #[test]
    fn an_array_becomes_a_string_of_its_length() {
        let (text, _) = blanked(r#"{"managedFields":[{"f:a":{}}],"name":"x"}"#);
        assert_eq!(text, r#"{"managedFields":"----------","name":"x"}"#);
        assert_eq!(blanked(r#"{"managedFields":[]}"#).0, r#"{"managedFields":""}"#);
        let escapes = r#"{"managedFields":[{"k:{\"name\":\"\\\"}":1}]}"#;
        assert_eq!(
            serde_json::from_str::<Value>(&blanked(escapes).0).unwrap(),
            json!({"managedFields": "-".repeat(escapes.len() - 20)})
        );
    }

    #[test]
    fn what_is_not_certain_stays() {
        for text in [
            r#"{"managedFields":[["a"]]}"#,
            r#"{"managedFields":["a]","b"]}"#,
            r#"{"managedFields":["\\]"]}"#,
            r#"{"a\"managedFields":[1]}"#,
            "{\"managedFields\":[\n1]}",
            r#"{"managedFields": [1]}"#,
            r#"{"x":"\"managedFields\":[1]"}"#,
        ] {
            assert_eq!(blanked(text).0, text);
        }
    }

    #[test]
    fn an_array_that_is_cut_off_waits_for_the_rest() {
        let text = r#"{"a":1,"managedFields":[{"b""#;
        assert_eq!(blanked(text), (text.to_owned(), 7));
        let text = format!("{}\"managedFie", "x".repeat(50));
        assert!(blanked(&text).1 <= 50);
    }

    proptest! {
        /// Whatever stands in an array, the text stays the JSON it was but for that array.
        #[test]
        fn nothing_else_changes(inner in "([\\[\\]{}\"\\\\a:,]|managedFields){0,12}", deep: bool) {
            let inner = if deep { json!([[inner]]) } else { json!([{inner.clone(): inner}]) };
            let before = json!({"a": {"managedFields": inner.clone(), "z": [1]}, "b": inner});
            let (text, _) = blanked(&before.to_string());
            let mut after: Value = serde_json::from_str(&text).unwrap();
            let field = after.pointer_mut("/a/managedFields").unwrap();
            if field.is_string() {
                *field = inner;
            }
            prop_assert_eq!(after, before);
        }
    }
}
