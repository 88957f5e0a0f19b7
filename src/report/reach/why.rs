//! What the network says in `why`: the verdict with its reasons by policy and rule, the doors from
//! the internet, and with `--not` what each would need.

use super::text::{Changes, explained, pairs, sentences};
use super::{Reach, json, word};
use crate::query::reach::doors::Explained;
use crate::query::reach::explain::{Part, Said};
use crate::query::reach::held::Held;
use crate::query::reach::{Range, ports};
use crate::report::escape::terminal;
use crate::report::write_hanging;
use serde_json::{Value, json};
use std::io::{self, Write};

/// The network's part of an answer to `why`.
pub struct Why<'a> {
    /// The question, with both ends.
    pub reach: &'a Reach<'a>,
    /// What stops it is asked for.
    pub not: bool,
    /// Doors from the internet to the end, and of those to what leads there the ones that policies
    /// hold.
    pub doors: &'a [Explained],
    /// What policies hold between the start and what leads to the end, and how many pairs were not
    /// looked at.
    pub held: &'a (Vec<Held>, usize),
}

impl Why<'_> {
    /// Whether there is a connection to speak of, or a door.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.doors.is_empty() && self.held.0.is_empty() && self.reach.pairs().next().is_none()
    }

    fn is_from_internet(&self) -> bool {
        self.reach.from.ranges.iter().any(Range::is_public)
    }

    /// Whether the internet asks for something that runs, and no door leads there.
    fn lacks_door(&self) -> bool {
        let to = &self.reach.to.groups;
        let behind = |e: &Explained| to.binary_search(&e.exposed.group).is_ok();
        self.is_from_internet() && !to.is_empty() && !self.doors.iter().any(behind)
    }

    /// Writes it for a terminal.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Reach { ground, width, top, .. } = *self.reach;
        writeln!(out, "over the network:\n")?;
        let changes = if self.not { Changes::Opening } else { Changes::None };
        if self.reach.pairs().next().is_some() {
            pairs(self.reach, changes, out)?;
        }
        if self.lacks_door() {
            let text = match self.not {
                true => {
                    "the snapshot shows no door from the internet: no change to a policy makes one"
                }
                false => {
                    "the snapshot shows no door from the internet, whatever policies let through"
                }
            };
            write_hanging("  ", text, width, out)?;
        }
        self.inner(out)?;
        if self.doors.is_empty() {
            return Ok(());
        }
        let held = self.doors.iter().filter(|door| door.is_held()).count();
        match self.not {
            true => writeln!(
                out,
                "doors from the internet ({}, {held} held by policies):",
                self.doors.len()
            )?,
            false => writeln!(out, "doors from the internet ({}):", self.doors.len())?,
        }
        for door in self.doors.iter().take(top) {
            let Explained { exposed, egress, ingress, change } = door;
            let to = &ground.group(exposed.group).name;
            let head = format!("{} -> {to}  {}", exposed.entry, ports::text(&exposed.ports));
            let verdict = format!("{}, the door {}", word(exposed.state), exposed.confidence);
            writeln!(out, "  {}: {verdict}", terminal(&head))?;
            if let Some(reason) = &exposed.reason {
                write_hanging("    ", &terminal(reason), width, out)?;
            }
            let mut places = self.reach.placed(egress.iter().chain(ingress)).into_iter();
            sentences(egress, ingress, &mut places, width, out)?;
            if self.not {
                for change in change {
                    write_hanging("    to open it   ", &terminal(change), width, out)?;
                }
            }
        }
        if self.doors.len() > top {
            let rest = self.doors.len() - top;
            writeln!(out, "  and {rest} doors more (--top N prints more, -o json has all)")?;
        }
        Ok(())
    }

    /// What policies hold of the ways to what leads to the end.
    fn inner(&self, out: &mut dyn Write) -> io::Result<()> {
        let Reach { ground, width, top, .. } = *self.reach;
        let (held, left) = self.held;
        if held.is_empty() {
            return Ok(());
        }
        let more = if *left == 0 { String::new() } else { format!(", {left} pairs not looked at") };
        writeln!(out, "held by policies on the way to what leads there ({}{more}):", held.len())?;
        for Held { from, to, parts } in held.iter().take(top) {
            let (from, to) = (ground.words_of(*from), ground.words_of(*to));
            writeln!(out, "{} -> {}", terminal(&from), terminal(&to))?;
            let mut places = self.reach.places(parts).into_iter();
            for part in parts {
                explained(part, Changes::None, &mut places, width, out)?;
            }
        }
        if held.len() > top {
            let rest = held.len() - top;
            writeln!(out, "  and {rest} more (--top N prints more, -o json has all)")?;
        }
        Ok(())
    }

    /// As data: connections as in `reach/v1`, and doors with their reasons.
    #[must_use]
    pub fn json(&self) -> Value {
        let said = |list: &[Said]| -> Value {
            let places = self.reach.placed(list.iter());
            list.iter().zip(places).map(|(said, place)| json::said(said, &place)).collect()
        };
        let door = |e: &Explained| {
            let mut row = json::exposed(self.reach, &e.exposed);
            row["egress"] = said(&e.egress);
            row["ingress"] = said(&e.ingress);
            row["change"] = json!(e.change);
            row
        };
        let doors: Vec<Value> = self.doors.iter().map(door).collect();
        let held = |held: &Held| -> Value {
            let ground = self.reach.ground;
            let part = |part: &Part| {
                json!({"ports": json::spans(&part.ports), "verdict": word(part.state),
                    "egress": said(&part.egress), "ingress": said(&part.ingress)})
            };
            let why: Vec<Value> = held.parts.iter().map(part).collect();
            json!({"src": ground.name(held.from), "dst": ground.name(held.to), "why": why})
        };
        let held: Vec<Value> = self.held.0.iter().map(held).collect();
        let plugin = self.reach.ground.world.plugin();
        json!({"plugin": plugin.name, "enforces": plugin.enforces.name(),
            "connections": json::explained(self.reach), "doors": doors,
            "held": held})
    }
}
