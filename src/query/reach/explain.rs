//! A verdict in words: what each end's policies say, and what would turn it around.

use super::change::Ends;
use super::{Ground, Side, ports};
use crate::world::ObjectId;
use crate::world::network::{
    Action, Direction, End, Family, Judgement, PortSpec, Reason, Span, State,
};
use std::collections::BTreeSet;

/// A sentence, and where it stands in the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The sentence, without a full stop.
    pub text: String,
    /// An object and a field of it.
    pub at: Option<(ObjectId, String)>,
}

/// Some ports of a connection with one explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// In their order.
    pub ports: Vec<Span>,
    /// What becomes of the connection.
    pub state: State,
    /// What is said where it leaves.
    pub egress: Vec<Said>,
    /// What is said where it arrives.
    pub ingress: Vec<Said>,
    /// What would turn it around.
    pub change: Vec<String>,
}

impl Ground<'_> {
    /// Why one side reaches another, and why not: ports that have one explanation together.
    #[must_use]
    pub fn explain(&self, from: Side, to: Side, port: Option<PortSpec>) -> Vec<Part> {
        let asked = port.is_some();
        let mut spans = self.between(from, to, port);
        spans.extend(ports::only(ports::rest(&spans), port));
        spans.sort_by_key(|s| std::cmp::Reverse(s.state));
        let mut parts: Vec<Part> = Vec::new();
        for span in spans {
            let part = self.part(from, to, span, asked);
            let same = |p: &&mut Part| {
                (p.state, &p.egress, &p.ingress) == (part.state, &part.egress, &part.ingress)
            };
            match parts.iter_mut().find(same) {
                Some(known) => known.ports.push(span),
                None => parts.push(part),
            }
        }
        for part in &mut parts {
            part.ports.sort_unstable();
        }
        parts
    }

    /// Why a connection that may be is not sure.
    #[must_use]
    pub fn doubt(&self, from: Side, to: Side, spans: &[Span]) -> String {
        let Some(span) = spans.first() else { return String::new() };
        let part = self.part(from, to, *span, true);
        let said: Vec<String> =
            part.egress.into_iter().chain(part.ingress).map(|s| s.text).collect();
        let unsure: Vec<&str> =
            said.iter().map(String::as_str).filter(|s| s.contains(UNSURE)).collect();
        let unsure: BTreeSet<&str> = unsure.into_iter().collect();
        unsure.into_iter().collect::<Vec<_>>().join("; ")
    }

    fn part(&self, from: Side, to: Side, span: Span, asked: bool) -> Part {
        let port = PortSpec { protocol: span.protocol, port: span.first };
        // The pods that come to this answer; others of the same sides come to a worse one.
        let state = |(f, t): &(End, End)| {
            let found = self.of(from, to, *f, *t, Some(port));
            found.first().map_or(State::Denied, |s| s.state) == span.state
        };
        let Some((f, t)) = self.pairs(from, to).find(state) else {
            return Part {
                ports: vec![span],
                state: span.state,
                egress: Vec::new(),
                ingress: Vec::new(),
                change: Vec::new(),
            };
        };
        if self.is_own_node(f, to, t) {
            let text = "a node always reaches the pods that run on it".to_owned();
            let said = vec![Said { text, at: None }];
            let (egress, ingress) = (said, Vec::new());
            let (ports, state, change) = (vec![span], span.state, Vec::new());
            return Part { ports, state, egress, ingress, change };
        }
        let verdict = self.network.verdict(f, t, port);
        let mut egress = self.words(&verdict.egress, Direction::Egress, from, f);
        let ingress = self.words(&verdict.ingress, Direction::Ingress, to, t);
        if self.is_own_node(t, from, f) && span.state == State::Unknown {
            let text =
                format!("{UNSURE}: plugins differ in what they hold back to a pod's own node");
            egress.push(Said { text, at: None });
        }
        // What a rule would be written for: the port asked about, or one that the pods declare.
        let meant = if asked { Some(port) } else { self.declared(to, &span) };
        let mut change = Vec::new();
        let arrives =
            Ends { direction: Direction::Ingress, own: to, own_end: t, other: from, other_end: f };
        let leaves =
            Ends { direction: Direction::Egress, own: from, own_end: f, other: to, other_end: t };
        let held = [&verdict.ingress, &verdict.egress].map(|j| j.state == State::Denied);
        if span.state == State::Denied && held == [true; 2] {
            change.push("both ends hold it back, and each would have to change".to_owned());
        }
        for (judgement, ends) in [(&verdict.ingress, arrives), (&verdict.egress, leaves)] {
            if span.state == State::Denied && judgement.state == State::Denied {
                change.extend(self.opens(judgement, ends, meant));
            } else if span.state == State::Allowed {
                change.extend(self.closes(judgement, ends.direction, ends.own, ends.own_end));
            }
        }
        if span.state == State::Allowed && !change.is_empty() {
            let one = if change.len() > 1 { "any one of these is enough; " } else { "" };
            change.push(format!("{one}another rule may then match: ask again"));
        }
        Part { ports: vec![span], state: span.state, egress, ingress, change }
    }

    pub(super) fn words(
        &self,
        judgement: &Judgement,
        direction: Direction,
        side: Side,
        end: End,
    ) -> Vec<Said> {
        let plain = |text: String| Said { text, at: None };
        let which = match direction {
            Direction::Ingress => "destination",
            Direction::Egress => "source",
        };
        let one = |reason: &Reason| match reason {
            Reason::Free => {
                let isolated = match end {
                    End::Class(class) => !self.network.isolation(class, direction).is_empty(),
                    _ => false,
                };
                let does = if isolated { "decides about" } else { "isolates" };
                let why = super::unenforced(self.world.plugin())
                    .filter(|_| matches!(side, Side::Group(g) if self.is_meant(g, direction)));
                match why {
                    Some(why) => plain(why),
                    None => plain(format!("no policy {does} the {which}")),
                }
            }
            Reason::HostNetwork => {
                plain(format!("the {which} is on its node's network, where policies do not apply"))
            }
            Reason::OwnNode => plain("a node always reaches the pods that run on it".to_owned()),
            Reason::Itself => plain("it speaks to itself".to_owned()),
            Reason::NoPod => plain(match side {
                Side::Range(_) => format!("the {which} is outside: no policy speaks for it"),
                _ => format!("the {which} is on its node's network, where policies do not apply"),
            }),
            Reason::Rule { policy, field, action, sure, doubt } => {
                let does = match action {
                    Action::Allow => "allowed by",
                    Action::Deny => "denied by",
                    Action::Pass => "passed on by",
                };
                let field = self.world.text(*field);
                let mut text = format!("{does} {} {field}", self.policy(*policy));
                if !sure {
                    let doubt = doubt.map(|doubt| self.network.doubt(doubt));
                    let why = doubt.unwrap_or("a part of it cannot be told");
                    text = format!("{text}, {UNSURE}: {why}");
                }
                Said { text, at: Some((*policy, field.to_owned())) }
            }
            Reason::Isolated(policies) => Said {
                text: format!(
                    "isolated for {} by {}; no rule {}matches",
                    direction.name(),
                    self.policies(policies, ", "),
                    if judgement.state == State::Unknown { "surely " } else { "" },
                ),
                at: policies.first().map(|(policy, _)| (*policy, ".spec".to_owned())),
            },
            Reason::Unread(_)
            | Reason::Enforcement(_)
            | Reason::NodePolicies
            | Reason::Vague(..) => {
                plain(format!("{UNSURE}: {}", self.network.words(reason, direction)))
            }
            Reason::Beside(_) => plain(self.network.words(reason, direction)),
        };
        judgement.reasons.iter().map(one).collect()
    }

    /// A policy by name.
    #[must_use]
    pub fn policy(&self, policy: ObjectId) -> String {
        let object = &self.world.objects[policy.index()];
        let (ns, name) = (self.world.text(object.ns), self.world.text(object.name));
        let kind = self.world.text(object.kind);
        let kind = if kind == "NetworkPolicy" { String::new() } else { format!("{kind} ") };
        if ns.is_empty() { format!("{kind}{name}") } else { format!("{kind}{ns}/{name}") }
    }

    pub(super) fn policies(&self, policies: &[(ObjectId, Family)], and: &str) -> String {
        const FEW: usize = 3;
        let mut names: Vec<String> =
            policies.iter().take(FEW).map(|(policy, _)| self.policy(*policy)).collect();
        if policies.len() > FEW {
            names.push(format!("{} more", policies.len() - FEW));
        }
        names.join(and)
    }
}

/// What every sentence says that is in doubt.
const UNSURE: &str = "not sure";
