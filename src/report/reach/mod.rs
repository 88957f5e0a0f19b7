//! Who reaches whom, as bytes: one file a form.

mod dot;
mod json;
mod markdown;
mod sets;
mod text;
mod why;

pub use dot::write as dot;
pub use json::write as json;
pub use markdown::{MOST, size, write as markdown};
pub use text::write as text;
pub use why::Why;

use super::{Lines, Snapshot};
use crate::query::reach::explain::{Part, Said};
use crate::query::reach::{Ground, Side, Wanted};
use crate::world::coverage::Topic;
use crate::world::network::{PortSpec, State};

/// A question about the network, with what its forms need to answer it.
pub struct Reach<'a> {
    /// The cluster's network.
    pub ground: &'a Ground<'a>,
    /// Where connections begin.
    pub from: &'a Wanted,
    /// Where they end.
    pub to: &'a Wanted,
    /// The only port, or every one.
    pub port: Option<PortSpec>,
    /// What is denied too, and what no policy speaks of.
    pub all: bool,
    /// In data, ends that are treated alike are one.
    pub sets: bool,
    /// Lines for people.
    pub top: usize,
    /// What was read.
    pub snapshot: &'a Snapshot,
    /// What it shows and what it does not.
    pub coverage: &'a [Topic],
    /// How a field's line is found.
    pub lines: &'a dyn Lines,
    /// Columns to keep to.
    pub width: usize,
}

impl Reach<'_> {
    /// Whether both ends were given: then the verdict is explained.
    #[must_use]
    pub fn is_pair(&self) -> bool {
        !self.from.all && !self.to.all
    }

    /// Every pair of sides that a question is about, but those of a side with itself.
    fn pairs(&self) -> impl Iterator<Item = (Side, Side)> + '_ {
        let pairs = self.from.sides().flat_map(|f| self.to.sides().map(move |t| (f, t)));
        let outside = |s: &Side| matches!(s, Side::Range(_));
        pairs.filter(move |(f, t)| f != t && !(outside(f) && outside(t)))
    }

    /// Where the sentences of explanations stand: `file:line`, in their order; empty if nowhere.
    fn places(&self, parts: &[Part]) -> Vec<String> {
        self.placed(parts.iter().flat_map(|p| p.egress.iter().chain(&p.ingress)))
    }

    /// The same of sentences.
    fn placed<'s>(&self, said: impl Iterator<Item = &'s Said>) -> Vec<String> {
        let objects = &self.ground.world.objects;
        let at = |s: &Said| {
            let (object, field) = s.at.clone()?;
            let object = objects[object.index()];
            object.is_present().then_some((object.origin, field))
        };
        let wanted: Vec<_> = said.map(at).collect();
        let asked: Vec<_> = wanted.iter().flatten().map(|(o, f)| (*o, f.as_str())).collect();
        let mut lines = self.lines.lines(&asked).into_iter();
        wanted
            .iter()
            .map(|place| {
                let Some((origin, _)) = place else { return String::new() };
                let source = self.snapshot.sources.get(origin.source.index());
                let source = source.map_or("", String::as_str);
                match lines.next().flatten() {
                    Some(line) => format!("{source}:{line}"),
                    None => source.to_owned(),
                }
            })
            .collect()
    }
}

/// The word for a verdict.
const fn word(state: State) -> &'static str {
    match state {
        State::Allowed => "allowed",
        State::Unknown => "unknown",
        State::Denied => "denied",
    }
}
