//! What a question comes to: plain data that every format renders.

use crate::graph::{Attack, Confidence, EdgeId, Fact, Graph, NodeId, NodeKind};
use std::fmt;

/// How bad an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Mend it when you pass by.
    Low,
    /// Mend it.
    Medium,
    /// Mend it soon.
    High,
    /// Mend it now.
    Critical,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: &'static [Self] =
        &[Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity that a word names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|s| s.name() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One step of a path: one attack, with the sets, gates and bindings on its way folded in.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it starts.
    pub from: NodeId,
    /// What it gains.
    pub to: NodeId,
    /// The attack that gives the step its name.
    pub attack: &'static Attack,
    /// The attacks that lead to that one without an end of their own between: to make a pod, to
    /// take the cloud identity that only such a pod gets.
    pub by: Vec<&'static Attack>,
    /// Its edges, in order. The evidence of the step is that of all of them.
    pub edges: Vec<EdgeId>,
    /// The product over its edges.
    pub likelihood: f64,
    /// The least sure of its edges.
    pub confidence: Confidence,
    /// The narrowest set on its way, of which `to` is one.
    pub set: Option<NodeId>,
    /// Earlier steps that must hold too: a gate's other inputs. Such a step is a part of this
    /// one, which needs all of them at once.
    pub needs: Vec<usize>,
}

/// Whether the step at a place is a part of a later one.
#[must_use]
pub fn is_part(steps: &[Step], place: usize) -> bool {
    steps.iter().skip(place).any(|step| step.needs.contains(&place))
}

/// The change that closes most.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// The fact to remove.
    pub fact: Fact,
    /// How many of the query's answers its removal closes.
    pub closes: usize,
    /// How many there are.
    pub of: usize,
}

/// The best path between two ends, with what is known of the others.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The query's id; empty for a path that was asked for by hand.
    pub query: String,
    /// From likelihood and impact.
    pub severity: Severity,
    /// Between 0 and 100; orders answers within a severity.
    pub score: f64,
    /// What the query selected, folded to its workload.
    pub from: NodeId,
    /// What the query selected, folded to its workload.
    pub to: NodeId,
    /// Tells this path from others, whatever the names of pods: `path/v1:…`.
    pub fingerprint: String,
    /// Tells this pair of ends from others: `pair/v1:…`.
    pub pair: String,
    /// The product over the distinct edges.
    pub likelihood: f64,
    /// What holding `to` is worth, between 0 and 1.
    pub impact: f64,
    /// The least sure of the steps.
    pub confidence: Confidence,
    /// The steps, each after those it needs.
    pub steps: Vec<Step>,
    /// The change that closes this path, if one alone does.
    pub cut: Option<Cut>,
    /// How many other ways lead between the same ends.
    pub alternatives: usize,
    /// How many nodes folded into these ends have a path of their own, this one included.
    pub folded: usize,
    /// The nodes of one pool that it stands for, or the cloud identities of their machines, if there
    /// are several: each has the same way, and the shown one is the first. One of the ends is one
    /// then.
    pub nodes: Vec<NodeId>,
    /// Whether a step of it is an assumed exploit.
    pub needs_exploit: bool,
    /// Whether it starts at a part of Kubernetes itself: reports may fold these and count them.
    pub system: bool,
}

impl Answer {
    /// How many steps a person counts: parts belong to the step that needs them.
    #[must_use]
    pub fn step_count(&self) -> usize {
        (0..self.steps.len()).filter(|i| !is_part(&self.steps, *i)).count()
    }

    /// The door of a path from the internet: where its first step leads.
    #[must_use]
    pub fn door(&self, graph: &Graph) -> Option<NodeId> {
        let first = self.steps.first()?;
        (graph.kind(first.from) == NodeKind::Internet).then_some(first.to)
    }
}

/// How many answers there are of each severity, and how many were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// By severity, in the order of [`Severity::ALL`].
    pub by_severity: [usize; 5],
    /// Left out on request.
    pub suppressed: usize,
    /// Answers whose confidence is unknown.
    pub unknown: usize,
}

impl Summary {
    /// Counts answers.
    #[must_use]
    pub fn of(answers: &[Answer]) -> Self {
        let mut summary = Self::default();
        for answer in answers {
            let place = Severity::ALL.iter().position(|s| *s == answer.severity).unwrap_or(4);
            summary.by_severity[place] += 1;
            summary.unknown += usize::from(answer.confidence == Confidence::Unknown);
        }
        summary
    }
}
