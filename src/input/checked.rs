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
    let (text, _) = valid(bytes);
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
    seed.quick(text, replicas).ok().or_else(|| {
        let mut json = Deserializer::from_str(text);
        let object = seed.deserialize(&mut json).ok()?;
        Some((object, json.into_iter::<IgnoredAny>().byte_offset()))
    })
}

/// The object that bytes begin with, or what is wrong with them, and how far that was read; `None`
/// if more bytes may tell. They are all there are if the input has `ended`.
///
/// What [`items`] leaves is asked the quick way first as well, and `serde_json` only once that has
/// seen all it wants, so that it does not matter where a block ends.
pub(super) fn one<'t>(
    bytes: &'t [u8],
    hint: &Hint,
    ended: bool,
) -> Option<(serde_json::Result<Object<'t>>, usize)> {
    match quick(bytes, hint) {
        Ok((object, length)) => Some((Ok(object), length)),
        Err(Doubt::Cut) if !ended => None,
        Err(_) => Some(plain(bytes, hint)),
    }
}

/// The object that is held whole, or what is wrong with it.
pub(super) fn held<'t>(bytes: &'t [u8], hint: &Hint) -> serde_json::Result<Object<'t>> {
    quick(bytes, hint).map_or_else(|_| plain(bytes, hint).0, |(object, _)| Ok(object))
}

/// What `serde_json` makes of the bytes, and how far it read them.
fn plain<'t>(bytes: &'t [u8], hint: &Hint) -> (serde_json::Result<Object<'t>>, usize) {
    let mut json = Deserializer::from_slice(bytes);
    let result = (ObjectSeed { hint: hint.kind() }).deserialize(&mut json);
    (result, json.into_iter::<IgnoredAny>().byte_offset())
}

/// Why an object cannot be told the quick way.
enum Doubt {
    /// The bytes end too soon.
    Cut,
    Real,
}

/// The object that bytes begin with, and its length, if it can be told the quick way.
fn quick<'t>(bytes: &'t [u8], hint: &Hint) -> Result<(Object<'t>, usize), Doubt> {
    // Nobody knows how long it is, and what stands behind it need not be looked at.
    let mut size = 1 << 16;
    loop {
        let (text, sound) = valid(bytes.get(..size).unwrap_or(bytes));
        let doubt = match (ObjectSeed { hint: hint.kind() }).quick(text, &mut Replicas::default()) {
            Ok(read) => return Ok(read),
            Err(doubt) => doubt,
        };
        // Words are not longer than this.
        if !sound || text.len().saturating_sub(doubt) >= 8 {
            return Err(Doubt::Real);
        }
        if size >= bytes.len() {
            return Err(Doubt::Cut);
        }
        size *= 4;
    }
}

/// The text that bytes begin with, up to what is not UTF-8, and whether all of them may be: what is
/// cut off inside a letter is whole up to there.
fn valid(bytes: &[u8]) -> (&str, bool) {
    match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => (text, true),
        Err(error) => {
            let text = bytes.get(..error.valid_up_to());
            let text = text.and_then(|valid| std::str::from_utf8(valid).ok());
            (text.unwrap_or_default(), error.error_len().is_none())
        }
    }
}
