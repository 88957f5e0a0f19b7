//! `kspm-graph/reach/v1`: a row a connection, written one by one.

use super::text::split;
use super::{Reach, word};
use crate::query::reach::doors::Exposed;
use crate::query::reach::explain::{Part, Said};
use crate::query::reach::{Side, unenforced};
use crate::world::exposure::Scope;
use crate::world::network::{Direction, Span, State};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes the whole answer.
///
/// # Errors
/// When the output cannot be written.
pub fn write(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    let world = reach.ground.world;
    let plugin = world.plugin();
    let network = json!({"plugin": plugin.name, "enforces": plugin.enforces.name()});
    let coverage: Vec<Value> = reach
        .coverage
        .iter()
        .filter(|t| matches!(t.topic, "network-policies" | "exposure" | "pods"))
        .map(|t| {
            json!({"topic": t.topic, "state": t.state.name(), "reason": t.reason,
                "affects": t.affects})
        })
        .collect();
    let level = reach.ground.level.names().0;
    write!(out, "{{\"schema\":\"kspm-graph/reach/v1\",\"level\":\"{level}\",")?;
    write!(out, "\"network\":{network},\"coverage\":{},", Value::from(coverage))?;
    match reach.sets {
        true => super::sets::write(reach, out)?,
        false => connections(reach, out)?,
    }
    let (exposed, private): (Vec<_>, Vec<_>) =
        doors(reach).into_iter().partition(|(scope, _)| *scope == Scope::Internet);
    for (list, doors) in [("exposed", exposed), ("private", private)] {
        write!(out, ",\"{list}\":[")?;
        for (i, (_, door)) in doors.iter().enumerate() {
            write!(out, "{}\n{door}", if i == 0 { "" } else { "," })?;
        }
        write!(out, "]")?;
    }
    writeln!(out, "}}")
}

/// A row for each pair.
fn connections(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    let why = unenforced(reach.ground.world.plugin());
    write!(out, "\"connections\":[")?;
    let mut rows = Rows { reach, out, first: true, why };
    for from in &reach.from.groups {
        for to in reach.to.groups.iter().filter(|to| *to != from) {
            rows.pair(Side::Group(*from), Side::Group(*to))?;
        }
        for node in &reach.to.nodes {
            rows.pair(Side::Group(*from), Side::Node(*node))?;
        }
        rows.outside(*from, Direction::Egress)?;
    }
    for node in &reach.from.nodes {
        let from = Side::Node(*node);
        for to in reach.to.sides().filter(|to| !matches!(to, Side::Range(_)) && *to != from) {
            rows.pair(from, to)?;
        }
    }
    for to in &reach.to.groups {
        rows.outside(*to, Direction::Ingress)?;
    }
    write!(rows.out, "]")
}

/// The doors behind which something is that was asked for.
fn doors(reach: &Reach<'_>) -> Vec<(Scope, Value)> {
    if reach.from.ranges.is_empty() {
        return Vec::new();
    }
    let ground = reach.ground;
    let found = ground.exposed(reach.all);
    let asked = found.iter().filter(|e| reach.to.groups.binary_search(&e.group).is_ok());
    asked.map(|e| (e.scope, exposed(reach, e))).collect()
}

/// A door as a row.
pub(super) fn exposed(reach: &Reach<'_>, e: &Exposed) -> Value {
    let scope = match e.scope {
        Scope::Internet => "internet",
        Scope::Private => "private",
    };
    let mut row = json!({"entry": e.entry, "scope": scope,
        "dst": reach.ground.group(e.group).name, "ports": spans(&e.ports),
        "verdict": word(e.state), "confidence": e.confidence});
    if let Some(reason) = &e.reason {
        row["reason"] = json!(reason);
    }
    row
}

pub(super) fn spans(list: &[Span]) -> Value {
    let one = |s: &Span| json!({"protocol": s.protocol.name(), "from": s.first, "to": s.last});
    list.iter().map(one).collect()
}

struct Rows<'r, 'o> {
    reach: &'r Reach<'r>,
    out: &'o mut dyn Write,
    first: bool,
    /// Why policies hold nothing back, where they do not.
    why: Option<String>,
}

impl Rows<'_, '_> {
    fn pair(&mut self, from: Side, to: Side) -> io::Result<()> {
        let spans = self.reach.ground.between(from, to, self.reach.port);
        self.rows(from, to, (self.reach.ground.name(from), self.reach.ground.name(to)), &spans)
    }

    fn outside(&mut self, group: u32, direction: Direction) -> io::Result<()> {
        let ground = self.reach.ground;
        let of = match direction {
            Direction::Ingress => &self.reach.from.ranges,
            Direction::Egress => &self.reach.to.ranges,
        };
        for (range, spans) in ground.outside(group, direction, of, self.reach.port) {
            for range in ground.borders.everywhere(&[range]) {
                let (own, other) = (Side::Group(group), Side::Range(range));
                let (from, to) = match direction {
                    Direction::Ingress => (other, own),
                    Direction::Egress => (own, other),
                };
                let names = (ground.name(from), ground.name(to));
                self.rows(from, to, names, &spans)?;
            }
        }
        Ok(())
    }

    fn rows(
        &mut self,
        from: Side,
        to: Side,
        (src, dst): (String, String),
        found: &[Span],
    ) -> io::Result<()> {
        for row in values(self.reach, self.why.as_deref(), (from, to), (&src, &dst), found) {
            write!(self.out, "{}\n{row}", if self.first { "" } else { "," })?;
            self.first = false;
        }
        Ok(())
    }
}

/// A row for each answer that the ports of a connection come to. `why` policies hold nothing back,
/// where they do not.
fn values(
    reach: &Reach<'_>,
    why: Option<&str>,
    (from, to): (Side, Side),
    (src, dst): (&str, &str),
    found: &[Span],
) -> Vec<Value> {
    let ground = reach.ground;
    // Whether policies would have a say if they were enforced.
    let meant = |side: Side, direction: Direction| matches!(side, Side::Group(g) if ground.is_meant(g, direction));
    let meant = meant(from, Direction::Egress) || meant(to, Direction::Ingress);
    let mut rows = Vec::new();
    for (list, state) in ground.answers(found, reach.port, reach.all) {
        let mut row =
            json!({"src": src, "dst": dst, "ports": spans(&list), "verdict": word(state)});
        if state == State::Unknown {
            row["reason"] = json!(ground.doubt(from, to, &list));
        } else if let Some(why) = why.filter(|_| meant) {
            row["reason"] = json!(why);
        }
        if reach.is_pair() {
            explain(reach, from, to, &list, &mut row);
        }
        rows.push(row);
    }
    rows
}

/// Every connection of a question with both ends, explained.
pub(super) fn explained(reach: &Reach<'_>) -> Vec<Value> {
    let ground = reach.ground;
    let why = unenforced(ground.world.plugin());
    let mut rows = Vec::new();
    for (from, to) in split(reach) {
        let (src, dst) = (ground.name(from), ground.name(to));
        let found = ground.between(from, to, reach.port);
        rows.extend(values(reach, why.as_deref(), (from, to), (&src, &dst), &found));
    }
    rows
}

/// A sentence, and where it stands.
pub(super) fn said(said: &Said, place: &str) -> Value {
    let mut one = json!({"text": said.text});
    if !place.is_empty() {
        one["at"] = json!(place);
    }
    one
}

/// Adds why, and what would turn it around.
fn explain(reach: &Reach<'_>, from: Side, to: Side, list: &[Span], row: &mut Value) {
    let parts = reach.ground.explain(from, to, reach.port);
    let of = |p: &&Part| list.iter().any(|s| p.ports.iter().any(|own| own == s));
    let parts: Vec<_> = parts.iter().filter(of).cloned().collect();
    let places = reach.places(&parts);
    let mut places = places.into_iter();
    let mut why = Vec::new();
    for part in &parts {
        let mut all = |list: &[Said]| -> Vec<Value> {
            list.iter().map(|s| said(s, &places.next().unwrap_or_default())).collect()
        };
        let (egress, ingress) = (all(&part.egress), all(&part.ingress));
        why.push(json!({"ports": spans(&part.ports), "egress": egress, "ingress": ingress,
            "change": part.change}));
    }
    row["why"] = why.into();
}
