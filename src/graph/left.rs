//! What admission leaves of a step: how likely and sure it is, and the facts that say why.

use super::Sink;
use super::attack::{Confidence, Odds};
use super::evidence::Fact;
use crate::world::refusals::{Refusals, Refuser};
use crate::world::requests::Request;

/// How many that may refuse a step are named.
const SHOWN: usize = 3;

/// How a request fares, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Free,
    Unsure,
    Refused,
    Closed,
}

/// What admission leaves of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Left {
    pub(super) state: State,
    /// Each with its request.
    pub(super) by: Vec<(Refuser, Request, State)>,
    pub(super) hidden: bool,
}

/// Nothing may refuse it.
pub(super) const FREE: Left = Left { state: State::Free, by: Vec::new(), hidden: false };

impl Left {
    pub(super) fn of(refusals: &Refusals, request: &Request, policies: bool) -> Self {
        let counts = |ix: &Refuser| policies || matches!(ix, Refuser::Webhook(..));
        let row = |ix: Refuser, state| (ix, *request, state);
        let unsure = refusals.unsure.iter().copied().filter(counts);
        let mut by: Vec<_> = unsure.map(|ix| row(ix, State::Unsure)).collect();
        let mut state = if by.is_empty() { State::Free } else { State::Unsure };
        for (ix, how) in [(refusals.refusing, State::Refused), (refusals.closing, State::Closed)] {
            if let Some(ix) = ix.filter(counts) {
                state = how;
                by.insert(0, row(ix, how));
            }
        }
        Self { state, hidden: refusals.hidden && state != State::Free, by }
    }

    /// Both requests are needed.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.state = self.state.max(other.state);
        self.hidden |= other.hidden;
        for row in other.by {
            if !self.by.contains(&row) {
                self.by.push(row);
            }
        }
        self
    }

    pub(super) fn odds(&self, odds: Odds) -> Odds {
        let odds = match self.state {
            State::Free => odds,
            State::Unsure => odds.but(0.5, Confidence::Possible),
            State::Refused | State::Closed => odds.but(0.1, Confidence::Possible),
        };
        if self.hidden { odds.but(1.0, Confidence::Unknown) } else { odds }
    }
}

impl Sink<'_> {
    /// Adds what may refuse a step to its facts.
    pub(super) fn refusers(&mut self, left: &Left, facts: &mut Vec<Fact>) {
        let world = self.world;
        for (ix, request, state) in left.by.iter().take(SHOWN) {
            let (object, field, binding, engine) = world.refuser(*ix);
            let verb = if *state == State::Unsure { "may refuse" } else { "refuses" };
            let phrase = request.phrase();
            let value = match engine {
                Some(engine) => format!("{} {verb}: {phrase}", engine.name()),
                None => format!("a webhook {verb}: {phrase}"),
            };
            facts.push(self.fact(object, &field, &value));
            if let Some(binding) = binding {
                let name = world.text(world.objects[object.index()].name);
                facts.push(self.fact(binding, ".spec.policyName", name));
            }
        }
    }
}
