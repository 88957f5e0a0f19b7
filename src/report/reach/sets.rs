//! `kspm-graph/reach/v1` with sets: ends that are treated alike are named once, and a row stands
//! for each source with each destination, but nobody with itself.

use super::json::spans;
use super::{Reach, word};
use crate::query::reach::Side;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes the sets and the connections between them, as two members of the answer's object.
pub(super) fn write(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    let ground = reach.ground;
    let bundles = ground.bundles(reach.from, reach.to, reach.port, reach.all);
    // One end alone is called by its own name.
    let many = |list: &&Vec<Side>| list.len() > 1;
    let all = bundles.iter().flat_map(|b| [&b.from, &b.to]).filter(many);
    let mut sets: BTreeMap<&[Side], usize> = all.map(|list| (list.as_slice(), 0)).collect();
    write!(out, "\"sets\":[")?;
    for (number, (list, place)) in sets.iter_mut().enumerate() {
        *place = number;
        let members: Value = list.iter().map(|side| ground.name(*side)).collect();
        let row = json!({"name": name(number), "members": members});
        write!(out, "{}\n{row}", if number == 0 { "" } else { "," })?;
    }
    write!(out, "],\"connections\":[")?;
    let called = |list: &[Side]| match list {
        [one] => ground.name(*one),
        many => sets.get(many).map_or_else(String::new, |number| name(*number)),
    };
    for (i, bundle) in bundles.iter().enumerate() {
        let mut row = json!({"src": called(&bundle.from), "dst": called(&bundle.to),
            "ports": spans(&bundle.ports), "verdict": word(bundle.state)});
        if !bundle.reason.is_empty() {
            row["reason"] = json!(bundle.reason);
        }
        write!(out, "{}\n{row}", if i == 0 { "" } else { "," })?;
    }
    write!(out, "]")
}

/// No name of an end begins like this: those have a namespace, a `[` or are addresses.
fn name(number: usize) -> String {
    format!("set#{number}")
}
