//! Items of a list whose text is known to be UTF-8.
//!
//! A parser that is given bytes has to look at every string again to see that it is UTF-8, and
//! items are little but strings. Here the text that the window holds is looked at once. What is
//! out of the ordinary is left to [`super::json`], which reads an item again from its bytes: a
//! broken item, one that is cut off, a list in place of an item.

use super::late::{self, Late};
use super::sink::{Hint, Sink, Taken};
use crate::k8s::{Object, ObjectSeed, Replicas};
use serde::de::{DeserializeSeed, IgnoredAny};
use serde_json::Deserializer;

/// Reads the items that `bytes` begins with, which stand at `offset`, and the commas between
/// them. Returns where what is left begins.
pub(super) fn items(
    bytes: &[u8],
    offset: u64,
    hint: &Hint,
    late: &mut Late,
    sink: &mut Sink<'_>,
) -> usize {
    let text = match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => text,
        // What is cut off inside a letter is whole up to there.
        Err(error) => bytes
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    };
    let mut read = 0;
    let mut replicas = Replicas::default();
    while let Some(rest) = text.get(read..) {
        let item = rest.trim_start_matches([' ', '\n', '\t', '\r', ',']);
        let start = text.len() - item.len();
        if !item.starts_with('{') {
            break;
        }
        let Some((object, length)) = object(item, hint, &mut replicas) else { break };
        let end = start + length;
        let place = offset + start as u64;
        let own = || bytes.get(start..end).unwrap_or(&[]);
        match sink.take(object, place, hint) {
            Taken::Object | Taken::Nothing => {}
            Taken::List => break,
            Taken::Kindless => late.keep(place, own()),
            Taken::Status => sink.fault(place, 0, late::status(own())),
        }
        read = end;
    }
    read
}

/// The object that a text begins with, and its length: the quick way if it can be told that way.
fn object<'t>(
    text: &'t str,
    hint: &Hint,
    replicas: &mut Replicas<'t>,
) -> Option<(Object<'t>, usize)> {
    let seed = ObjectSeed { hint: hint.kind() };
    seed.quick(text, replicas).or_else(|| {
        let mut json = Deserializer::from_str(text);
        let object = seed.deserialize(&mut json).ok()?;
        Some((object, json.into_iter::<IgnoredAny>().byte_offset()))
    })
}
