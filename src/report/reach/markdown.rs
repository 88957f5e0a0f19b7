//! A matrix in Markdown: a row for each source, a column for each destination.

use super::Reach;
use crate::query::reach::{Range, Side, ports};
use crate::report::escape::markdown;
use crate::world::network::{Direction, Span, State};
use std::io::{self, Write};

/// How many rows and columns a person can read.
pub const MOST: usize = 60;

/// Writes the matrix.
///
/// # Errors
/// When the output cannot be written.
pub fn write(reach: &Reach<'_>, out: &mut dyn Write) -> io::Result<()> {
    let ground = reach.ground;
    let effect = ground.world.plugin().effect(&[], false);
    writeln!(out, "{}.\n", markdown(&effect))?;
    let name = |side: &Side| match side {
        Side::Range(range) if range.is_whole() => "outside".to_owned(),
        side => markdown(&ground.words_of(*side)).into_owned(),
    };
    let (from, to) = (sides(reach, Direction::Egress), sides(reach, Direction::Ingress));
    let head: Vec<String> = to.iter().map(name).collect();
    writeln!(out, "| from \\\\ to | {} |", head.join(" | "))?;
    writeln!(out, "|---|{}", "---|".repeat(to.len()))?;
    for source in &from {
        let cells: Vec<String> = to.iter().map(|to| cell(reach, *source, *to)).collect();
        writeln!(out, "| {} | {} |", name(source), cells.join(" | "))?;
    }
    writeln!(out, "\n`all` is every port; `?` is not sure; `-` is denied; empty is no question.")
}

/// The sides of one edge of the matrix; the outside is one of them, in as few parts as policies
/// leave it.
fn sides(reach: &Reach<'_>, direction: Direction) -> Vec<Side> {
    let wanted = match direction {
        Direction::Egress => reach.from,
        Direction::Ingress => reach.to,
    };
    let mut sides: Vec<Side> = wanted.groups.iter().map(|g| Side::Group(*g)).collect();
    sides.extend(wanted.nodes.iter().map(|n| Side::Node(*n)));
    let ranges: Vec<Range> = reach.ground.borders.everywhere(&wanted.ranges);
    sides.extend(ranges.into_iter().map(Side::Range));
    sides
}

fn cell(reach: &Reach<'_>, from: Side, to: Side) -> String {
    if from == to || matches!((from, to), (Side::Range(_), Side::Range(_))) {
        return String::new();
    }
    let spans = reach.ground.between(from, to, reach.port);
    let of = |state: State| -> Vec<Span> { ports::with(&spans, state) };
    let mut parts = Vec::new();
    for (state, mark) in [(State::Allowed, ""), (State::Unknown, "? ")] {
        let some = of(state);
        if !some.is_empty() {
            let text = ports::text(&some);
            let text = if text == "all ports" { "all" } else { &text };
            parts.push(format!("{mark}{text}"));
        }
    }
    if parts.is_empty() { "-".to_owned() } else { parts.join("; ") }
}

/// How many rows and columns there would be.
#[must_use]
pub fn size(reach: &Reach<'_>) -> usize {
    sides(reach, Direction::Egress).len().max(sides(reach, Direction::Ingress).len())
}
