//! What the screen shows: the answer to a question, or what there is to say and to ask about a
//! node. Made on the worker's thread.

use super::offers::{actors, offers, principal};
use super::question::{Of, Question, as_who};
use crate::graph::{EdgeId, Fact, Graph, NodeId, NodeKind, Thing};
use crate::query::access::{
    Asked, Held, Right, cautions, count, doubts, groups_of, holders, is_master, reason, rights,
    unknown_user, unplaced, user_name,
};
use crate::query::spell;
use crate::tui::canvas::safe;
use crate::tui::loaded::{Changes, Loaded};
use crate::world::coverage::State as Known;
use crate::world::rbac::Request;
use crate::world::{BindingIx, Principal, RuleRef, World};
use rustc_hash::FxHashSet;

/// A row of the left pane.
pub(super) enum Row {
    /// What the rows beneath are.
    Title(&'static str),
    /// Somebody who holds what was asked for.
    Held(Held),
    /// A rule that reaches whoever is looked at.
    Right(Right),
    /// A question that can be asked, and how many subjects its answer has.
    Offer { about: String, question: Question, holders: usize },
    /// Somebody whose own rights matter here.
    Actor(NodeId),
}

impl Row {
    /// Its text, to be filtered by. Not made safe.
    pub(super) fn text(&self, graph: &Graph) -> String {
        match self {
            Self::Title(title) => (*title).to_owned(),
            Self::Held(h) => {
                let (scope, allows) = (scope(&h.namespace), &h.allows);
                format!("{} {scope} {} {} {allows}", h.subject, h.binding, h.rule)
            }
            Self::Right(r) => {
                let (scope, through) = (scope(&r.namespace), &r.through);
                let weight = r.weight.name();
                format!("{weight} {scope} {} {} {} {through}", r.allows, r.binding, r.rule)
            }
            Self::Offer { about, question, .. } => format!("{about} {}", question.command("")),
            Self::Actor(node) => spell(graph, *node),
        }
    }

    /// The node that it is about.
    pub(super) fn node(&self, graph: &Graph) -> Option<NodeId> {
        match self {
            Self::Held(h) => graph.node(&h.principal.into()),
            // Whoever is looked at is known; the binding is what one has not seen yet.
            Self::Right(r) => graph.node(&Thing::Binding(r.by)),
            Self::Actor(node) => Some(*node),
            Self::Title(_) | Self::Offer { .. } => None,
        }
    }

    /// The binding by which it holds, the subject that this names and where, and the rule.
    pub(super) fn bound(&self) -> Option<Bound> {
        match self {
            Self::Held(h) => {
                Some(Bound { by: h.by, subject: h.principal, place: h.place, rule: h.of })
            }
            Self::Right(r) => {
                Some(Bound { by: r.by, subject: r.principal, place: r.place, rule: r.of })
            }
            _ => None,
        }
    }
}

/// How somebody holds a rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    by: BindingIx,
    subject: Principal,
    place: u32,
    rule: RuleRef,
}

impl Bound {
    /// The node of the subject that the binding names.
    pub(super) fn subject(self, graph: &Graph) -> Option<NodeId> {
        graph.node(&self.subject.into())
    }

    /// The edge from the subject to its binding, and the fact that this rests on.
    pub(super) fn edge(self, graph: &Graph) -> Option<(EdgeId, Fact)> {
        let to = graph.node(&Thing::Binding(self.by))?;
        let from = self.subject(graph)?;
        let edges = graph.outgoing(from).filter(|(_, near)| *near == to).map(|(edge, _)| edge);
        let field = format!(".subjects[{}]", self.place);
        let object = graph.world().bindings[self.by.index()].object;
        edges
            .flat_map(|edge| graph.facts(edge).map(move |fact| (edge, fact)))
            .find(|(_, fact)| fact.object == object && graph.view(*fact).field == field)
    }

    /// Whether what is pretended takes it away: the subject, the reference to the role, or the rule.
    pub(super) fn is_gone(self, graph: &Graph, changes: &Changes) -> bool {
        let world = graph.world();
        let binding = world.bindings[self.by.index()].object;
        let role = world.roles[self.rule.role.index()].object;
        changes.facts.iter().any(|fact| {
            let field = graph.view(*fact).field;
            (fact.object == binding
                && (field == ".roleRef" || field == format!(".subjects[{}]", self.place)))
                || (fact.object == role && field == format!(".rules[{}]", self.rule.place))
        })
    }

    /// The command that asks whether the rule's first words are allowed to whoever is looked at.
    pub(super) fn question(self, graph: &Graph, looked_at: Principal) -> Option<Question> {
        let world = graph.world();
        let (who, mut groups) = as_who(world, looked_at);
        // Groups that Kubernetes itself adds need no word; the others do.
        let adds = matches!(looked_at, Principal::Account(_) | Principal::Node(_));
        if !adds && matches!(self.subject, Principal::Group(_)) {
            groups = as_who(world, self.subject).1;
        }
        super::question::of_rule(graph, Of::One { who, groups }, self.by, self.rule)
    }
}

/// The words for a namespace, or for all of them.
pub(super) fn scope(namespace: &str) -> &str {
    if namespace.is_empty() { "cluster-wide" } else { namespace }
}

/// What has to be said before the rows. Made safe.
pub(super) struct Note {
    pub(super) text: String,
    /// It warns.
    pub(super) warns: bool,
}

impl Note {
    fn say(text: impl Into<String>) -> Self {
        Self { text: safe(&text.into()), warns: false }
    }

    fn warn(text: impl Into<String>) -> Self {
        Self { text: safe(&text.into()), warns: true }
    }
}

/// What is shown of a node, or of a question asked there.
pub(super) struct Answer {
    pub(super) node: Option<NodeId>,
    pub(super) question: Option<Question>,
    pub(super) notes: Vec<Note>,
    /// What is not known of roles and bindings. Made safe.
    pub(super) caveat: Option<String>,
    pub(super) rows: Vec<Row>,
    /// Why nobody may be a wrong answer, where RBAC was not collected.
    pub(super) unknown: Option<String>,
    /// The bindings that grant what was asked for.
    pub(super) granting: Vec<(BindingIx, RuleRef)>,
}

impl Answer {
    /// Answers a question, or tells about a node.
    pub(super) fn new(loaded: &Loaded, node: Option<NodeId>, question: Option<Question>) -> Self {
        let rbac = loaded.coverage.iter().find(|t| t.topic == "rbac");
        let missing = rbac.filter(|t| t.state == Known::Missing);
        let unknown = missing.map(|_| "not known: no role and no binding was collected".to_owned());
        let notes = missing.iter().map(|t| Note::warn(t.reason.clone())).collect();
        // What is known in part matters less than the answer.
        let partly = rbac.filter(|t| matches!(t.state, Known::Partial | Known::Unknown));
        let caveat = partly.map(|t| safe(&t.reason));
        let (rows, granting) = (Vec::new(), Vec::new());
        let mut answer = Self { node, question, notes, caveat, rows, unknown, granting };
        match answer.question.clone() {
            Some(question) => answer.ask(&loaded.graph, &question),
            None => answer.look(&loaded.graph),
        }
        answer
    }

    fn ask(&mut self, graph: &Graph, question: &Question) {
        let world = graph.world();
        let wanted = &question.wanted;
        let asked = Asked::read(world, &wanted.verb, &wanted.resource);
        self.granting = question.granting(world);
        let namespace = wanted.namespace.as_deref();
        let mut doubted = doubts(world, &asked, namespace);
        doubted.extend(cautions(&asked, wanted.name.as_deref(), namespace));
        match &question.of {
            Of::Everybody => {
                doubted.extend(unplaced(world, &asked, &self.granting));
                self.rows = holders(world, &self.granting).into_iter().map(Row::Held).collect();
            }
            Of::One { who, groups } => {
                let user = user_name(who);
                let own = if groups.is_empty() { groups_of(&user) } else { groups.clone() };
                let anybody = user == "anybody" && !groups.is_empty();
                doubted.extend(unknown_user(world, &user).filter(|_| !anybody));
                self.verdict(world, question, &user, &own);
            }
        }
        self.notes.extend(doubted.iter().map(|doubt| Note::warn(doubt.sentence())));
    }

    /// Whether one user may, and by which bindings.
    fn verdict(&mut self, world: &World, question: &Question, user: &str, groups: &[String]) {
        let wanted = &question.wanted;
        let asked = Asked::read(world, &wanted.verb, &wanted.resource);
        let names: Vec<&str> = groups.iter().map(String::as_str).collect();
        let target = asked.target(wanted.name.as_deref(), wanted.namespace.as_deref());
        let request = Request { user, groups: &names, verb: &wanted.verb, target };
        let allowed = world.review(&request);
        self.notes.insert(
            0,
            match allowed {
                Some(allowed) => Note::say(format!("yes: {}", reason(world, allowed))),
                None if self.unknown.is_some() => Note::say("no, as far as is known"),
                None => Note::say("no"),
            },
        );
        let groups = names.iter().filter_map(|g| world.group(g)).map(Principal::Group);
        let of: Vec<Principal> = world.principal_of_user(user).into_iter().chain(groups).collect();
        let held = holders(world, &self.granting).into_iter();
        self.rows.extend(held.filter(|h| of.contains(&h.principal)).map(Row::Held));
        let everybody = Question { of: Of::Everybody, ..question.clone() };
        self.offer(world, vec![("do that".to_owned(), everybody)]);
    }

    fn look(&mut self, graph: &Graph) {
        let world = graph.world();
        let found = self.node.and_then(|node| principal(graph, node));
        if let Some(principal) = found {
            if is_master(world, principal) {
                self.notes.push(Note::say(
                    "group system:masters may do everything: it is authorized before RBAC is asked",
                ));
            }
            if matches!(principal, Principal::Node(_)) {
                self.notes.push(Note::say(
                    "the node authorizer lets it read what its pods use, beside these rules",
                ));
            }
            self.rows.extend(rights(world, principal).into_iter().map(Row::Right));
            if self.rows.is_empty() && self.unknown.is_none() {
                self.notes.push(Note::say("no rule reaches it, by itself or through its groups"));
            }
        }
        self.offer(world, offers(graph, self.node));
        let actors = self.node.map_or_else(Vec::new, |node| actors(graph, node));
        if !actors.is_empty() {
            let anonymous = self.node.is_some_and(|n| graph.kind(n) == NodeKind::Internet);
            let title = if anonymous {
                "What nobody in particular may do"
            } else {
                "What acts for it may do"
            };
            self.rows.push(Row::Title(title));
            self.rows.extend(actors.into_iter().map(Row::Actor));
        }
    }

    fn offer(&mut self, world: &World, offers: Vec<(String, Question)>) {
        self.rows.push(Row::Title("Who can"));
        self.rows.extend(offers.into_iter().map(|(about, question)| {
            let holders = count(world, &question.granting(world));
            Row::Offer { about, question, holders }
        }));
    }

    /// Those who hold what was asked for, but for what is pretended to be gone.
    pub(super) fn direct(&self, graph: &Graph, changes: &Changes) -> FxHashSet<NodeId> {
        let all = holders(graph.world(), &self.granting).into_iter().map(Row::Held);
        let left = all.filter(|row| row.bound().is_some_and(|b| !b.is_gone(graph, changes)));
        left.filter_map(|row| row.node(graph)).collect()
    }

    /// The node of the one who was asked about.
    pub(super) fn one(&self, graph: &Graph) -> Option<NodeId> {
        let Of::One { who, .. } = &self.question.as_ref()?.of else { return None };
        graph.node(&graph.world().principal_of_user(&user_name(who))?.into())
    }

    /// How many rows answer: not those that only lead on.
    pub(super) fn count(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row, Row::Held(_) | Row::Right(_))).count()
    }
}
