//! Questions to the network: what policies let through, whatever it leads to.
//!
//! An attack path ends in something that is held; that a packet arrives gives nothing yet. What a
//! network lets through is a finding about its hygiene, and so these questions have no paths for
//! answers but a [`Finding`]: which workloads, namespace by namespace, and why. It has three values,
//! like the network's own answers: what surely holds, what cannot be told, and the rest.

mod doors;
mod find;
mod judge;
mod metadata;
mod outside;

pub(super) use find::find;

use super::answer::Severity;
use super::reach::{Ground, Level, Wanted, ports};
use super::selector::Selector;
use crate::graph::{Confidence, Graph};
use crate::world::network::{Direction, PortSpec, State};
use crate::world::{ObjectId, World};
use std::rc::Rc;

/// Where a connection begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The internet, through a door of the cluster.
    Internet,
    /// Whoever connects: the question is whether the other end leaves anybody out.
    Anybody,
    /// Pods of other namespaces than the one that is connected to.
    Outside,
    /// What a selector selects.
    Selected(Selector),
}

/// Where a connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// Wherever it likes: the question is whether anything is closed.
    Anybody,
    /// Public addresses.
    Internet,
    /// The service by which a machine of a cloud learns who it is.
    Metadata,
    /// What a selector selects.
    Selected(Selector),
}

/// A question to the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Where connections begin.
    pub from: Start,
    /// Where they end.
    pub to: Finish,
    /// Any of these ports; any at all if there are none.
    pub ports: Vec<PortSpec>,
}

impl Start {
    /// As a query's file says it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Internet => "internet",
            Self::Anybody => "anybody",
            Self::Outside => "outside",
            Self::Selected(selector) => selector.text(),
        }
    }
}

impl Finish {
    /// As a query's file says it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Internet => "internet",
            Self::Anybody => "anybody",
            Self::Metadata => "metadata",
            Self::Selected(selector) => selector.text(),
        }
    }
}

/// What is wrong with a question: the field, what it is, and what to do.
pub(super) type Wrong = (&'static str, String, String);

impl Question {
    /// Reads the fields of a query's file; also gives what the finding is about: the end that is
    /// a selection, and if both are, the one that connects.
    ///
    /// # Errors
    /// The field that is wrong, and how.
    pub(super) fn parse(
        from: &str,
        to: &str,
        port: Option<&str>,
    ) -> Result<(Selector, Self), Wrong> {
        let selected = |field: &'static str, text: &str| {
            Selector::parse(text).map_err(|error| {
                let message = error.to_string();
                let (what, help) = message.split_once("\nhelp: ").unwrap_or((&message, ""));
                (field, format!("`{field}`: {what}"), help.to_owned())
            })
        };
        let start = match from.trim() {
            "internet" => Start::Internet,
            "anybody" => Start::Anybody,
            "outside" => Start::Outside,
            text => Start::Selected(selected("from", text)?),
        };
        let finish = match to.trim() {
            "internet" => Finish::Internet,
            "anybody" => Finish::Anybody,
            "metadata" => Finish::Metadata,
            text => Finish::Selected(selected("to", text)?),
        };
        let subject = match (&start, &finish) {
            (Start::Selected(from), _) => from.clone(),
            (_, Finish::Selected(to)) => to.clone(),
            _ => {
                let what = "neither end is a selection".to_owned();
                let help = "say which workloads the finding is about, such as `workload -system`";
                return Err(("to", what, help.to_owned()));
            }
        };
        let wrong = |what: String| ("port", what, "write 10250, or 80, 53/udp".to_owned());
        let list = port.map(|list| list.split(',').map(|one| ports::parse(one.trim())).collect());
        let ports: Vec<PortSpec> = list.unwrap_or(Ok(Vec::new())).map_err(wrong)?;
        let whole = matches!(start, Start::Anybody) || finish == Finish::Anybody;
        if !ports.is_empty() && (whole || start == Start::Internet) {
            return Err(("port", "`port` has no meaning here".to_owned(), {
                "`anybody` means every port, and doors to the internet have ports of their own"
                    .to_owned()
            }));
        }
        if let (Start::Selected(_), Finish::Selected(_), true) = (&start, &finish, ports.is_empty())
        {
            return Err(wrong("two selections need a `port`".to_owned()));
        }
        Ok((subject, Self { from: start, to: finish, ports }))
    }

    /// Whose policies are asked first: the ones of the end that the finding is about.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self.from {
            Start::Selected(_) => Direction::Egress,
            _ => Direction::Ingress,
        }
    }
}

/// What the questions to one network share.
#[derive(Debug)]
pub(super) struct Shared<'w> {
    ground: Ground<'w>,
    /// What selectors select: most questions are about the same workloads.
    chosen: Vec<(Selector, Rc<Wanted>)>,
}

impl<'w> Shared<'w> {
    /// The network that findings are about: unlike `reach`, they take no unknown plugin to enforce what
    /// was written.
    pub(super) fn new(world: &'w World) -> Self {
        let mut ground = Ground::new(world, Level::Workload);
        ground.network = world.network();
        Self { ground, chosen: Vec::new() }
    }

    /// What a selector selects. O(nodes of the graph) the first time.
    fn wanted(&mut self, graph: &Graph, selector: &Selector) -> Rc<Wanted> {
        if let Some((_, known)) = self.chosen.iter().find(|(known, _)| known == selector) {
            return Rc::clone(known);
        }
        let wanted = Rc::new(self.ground.wanted(graph, &selector.matches(graph)));
        self.chosen.push((selector.clone(), Rc::clone(&wanted)));
        wanted
    }
}

/// A fact of the evidence: the object, the field, and what it says.
pub type Fact = (ObjectId, String, String);

/// A workload of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// `shop/web[Deployment]`, as `reach` calls it.
    pub name: String,
    /// By which doors, or from where; empty where there is nothing to tell.
    pub by: Vec<String>,
}

/// Workloads of one namespace that are found for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The namespace.
    pub namespace: String,
    /// Whether they are surely found, or perhaps.
    pub state: State,
    /// Why, in words.
    pub reason: String,
    /// How many workloads of the namespace were asked about.
    pub of: usize,
    /// How many they are; `subjects` may be cut short.
    pub count: usize,
    /// By name.
    pub subjects: Vec<Subject>,
    /// The evidence of the first of them. That no policy selects a pod is in no object.
    pub facts: Vec<Fact>,
}

/// What a question to the network comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The query's id.
    pub query: String,
    /// The question.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// As the query says: never worse than medium.
    pub severity: Severity,
    /// How many workloads were asked about.
    pub of: usize,
    /// What is found, the surest and largest first.
    pub rows: Vec<Row>,
    /// What else has to be said.
    pub notes: Vec<String>,
}

impl Finding {
    /// How many workloads are found with a state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.rows.iter().filter(|row| row.state == state).map(|row| row.count).sum()
    }

    /// Whether something is surely found, or only perhaps.
    #[must_use]
    pub fn confidence(&self) -> Confidence {
        let sure = self.rows.iter().any(|row| row.state == State::Allowed);
        if sure { Confidence::Certain } else { Confidence::Unknown }
    }
}
