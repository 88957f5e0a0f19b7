//! What policies make of packets to a pod: how much of a step is left, and what says so.

use crate::graph::{Confidence, Fact, Sink};
use crate::world::ObjectId;
use crate::world::exposure::Said;
use crate::world::network::{Action, Direction, Judgement, Network, Reason, State};

/// What becomes of packets to a pod.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) state: State,
    /// What is left of the likelihood.
    pub(super) factor: f64,
    pub(super) confidence: Confidence,
    /// What policies say.
    pub(super) facts: Vec<Said>,
    /// What is not known, in words.
    pub(super) doubts: Vec<String>,
}

impl Outcome {
    /// No policy says anything about it.
    pub(super) fn is_plain(&self) -> bool {
        let silent = self.facts.is_empty() && self.doubts.is_empty();
        self.state == State::Allowed && silent && self.factor >= 1.0
    }

    pub(super) const fn odds(&self) -> (f64, Confidence) {
        (self.factor, self.confidence)
    }

    /// The evidence; doubts stand at the object that leads to the pod.
    pub(super) fn evidence(&self, sink: &mut Sink<'_>, at: ObjectId) -> Vec<Fact> {
        let said = self.facts.iter().map(|(object, field, value)| sink.fact(*object, field, value));
        let mut facts: Vec<Fact> = said.collect();
        facts.extend(self.doubts.iter().map(|doubt| sink.fact(at, "", doubt)));
        facts
    }

    /// What a state alone comes to.
    pub(super) fn of(state: State) -> Self {
        let (factor, confidence) = match state {
            State::Unknown => (0.5, Confidence::Unknown),
            _ => (1.0, Confidence::Certain),
        };
        Self { state, factor, confidence, facts: Vec::new(), doubts: Vec::new() }
    }

    /// Says what a judgement of one direction rests on.
    pub(super) fn say(
        &mut self,
        network: Network<'_>,
        direction: Direction,
        judgement: &Judgement,
    ) {
        for reason in &judgement.reasons {
            if matches!(reason, Reason::Rule { action: Action::Pass, .. }) {
                continue;
            }
            let doubt = network.words(reason, direction);
            if reason.is_unsure() && !self.doubts.contains(&doubt) {
                self.doubts.push(doubt);
            }
            for (object, field, value) in network.facts(reason) {
                let said = (object, field.to_owned(), value.to_owned());
                if !self.facts.contains(&said) {
                    self.facts.push(said);
                }
            }
        }
    }

    /// Says what is not known.
    pub(super) fn doubt(&mut self, doubt: &str) {
        self.doubts.push(doubt.to_owned());
    }
}
