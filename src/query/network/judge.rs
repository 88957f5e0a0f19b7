//! What the network says of one workload.

use super::Fact;
use crate::query::reach::{Ground, ports};
use crate::world::network::plugin::Enforces;
use crate::world::network::{
    Action, ClassIx, Direction, End, PortSpec, Reason, State, Truth, Verdict,
};

/// A judgement of one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) state: State,
    pub(super) reason: String,
    /// By which doors, or from where.
    pub(super) by: Vec<String>,
    pub(super) facts: Vec<Fact>,
}

impl Judged {
    pub(super) fn no() -> Self {
        Self::of(State::Denied, "")
    }

    pub(super) fn of(state: State, reason: &str) -> Self {
        Self { state, reason: reason.to_owned(), by: Vec::new(), facts: Vec::new() }
    }

    /// The one that lets more through.
    pub(super) fn or(self, other: Self) -> Self {
        if other.state > self.state { other } else { self }
    }
}

/// As many facts are kept as one wants to read.
const FACTS: usize = 4;

/// Said of pods of the machine's network.
pub(super) const ON_NODE: &str = "it is on its node's network, where policies do not apply";

/// Said where there is no policy at all: a list without any looks the same as no list.
const NONE: &str = "the snapshot holds no network policy: there is none, or none was collected";

/// The network as findings ask it, with the plugin as it is known.
pub(super) struct Judge<'g, 'w> {
    pub(super) ground: &'g Ground<'w>,
    /// There is no policy of any kind.
    none: bool,
    /// Why policies have no effect, if they have none.
    idle: Option<String>,
}

impl<'g, 'w> Judge<'g, 'w> {
    pub(super) fn new(ground: &'g Ground<'w>) -> Self {
        let world = ground.world;
        let none = world.policies.is_empty() && world.network.others.is_empty();
        let plugin = world.plugin();
        let idle = (plugin.enforces == Enforces::No).then(|| plugin.effect(&[], false));
        Self { ground, none, idle }
    }

    /// The node whose network a class shares.
    pub(super) fn is_on_node(&self, class: ClassIx) -> bool {
        self.ground.network.classes()[class.index()].node.is_some()
    }

    /// Whether a class leaves anybody out.
    pub(super) fn anybody(&self, class: ClassIx, direction: Direction) -> Judged {
        let network = self.ground.network;
        let (from, to) = self.ends(class, direction, End::Anyone);
        let spans = network.ports(from, to);
        if ports::is_full(&spans) {
            let verdict = network.verdict(from, to, PortSpec::tcp(1));
            return self.open(class, direction, &verdict);
        }
        // What is not evaluated may allow what these policies do not.
        let isolated = network.isolates(class, direction) == Truth::Yes
            && !network.is_unread(class, direction);
        if spans.is_empty() || isolated {
            return Judged::no();
        }
        let open = spans.iter().find(|s| s.state == State::Unknown);
        let port =
            open.map_or(PortSpec::tcp(1), |s| PortSpec { protocol: s.protocol, port: s.first });
        let verdict = network.verdict(from, to, port);
        let judgement = match direction {
            Direction::Ingress => &verdict.ingress,
            Direction::Egress => &verdict.egress,
        };
        // A rule that denies somebody is no rule that denies everybody else.
        let denies = |r: &&Reason| matches!(r, Reason::Rule { action: Action::Deny, .. });
        let mut judged = self.told(State::Unknown, &verdict);
        if let Some(reason) = judgement.reasons.iter().find(denies)
            && !judgement.reasons.iter().any(Reason::is_unsure)
        {
            judged.reason = format!("in part {}", network.words(reason, direction));
        }
        judged
    }

    /// Whether a class reaches an end outside of the pods' network, or is reached by it, on any of
    /// some ports; on any at all if there are none.
    pub(super) fn with(
        &self,
        class: ClassIx,
        direction: Direction,
        other: End,
        list: &[PortSpec],
    ) -> Judged {
        let network = self.ground.network;
        let (from, to) = self.ends(class, direction, other);
        let all: Vec<PortSpec>;
        let list = if list.is_empty() {
            let spans = network.ports(from, to);
            all = spans.iter().map(|s| PortSpec { protocol: s.protocol, port: s.first }).collect();
            &all
        } else {
            list
        };
        let best = list.iter().map(|port| (network.state(from, to, *port), *port));
        let best = best.reduce(|a, b| if b.0 > a.0 { b } else { a });
        match best {
            None | Some((State::Denied, _)) => Judged::no(),
            Some((State::Allowed, port)) => {
                self.open(class, direction, &network.verdict(from, to, port))
            }
            Some((State::Unknown, port)) => {
                self.told(State::Unknown, &network.verdict(from, to, port))
            }
        }
    }

    pub(super) fn ends(&self, class: ClassIx, direction: Direction, other: End) -> (End, End) {
        match direction {
            Direction::Ingress => (other, End::Class(class)),
            Direction::Egress => (End::Class(class), other),
        }
    }

    /// A connection that is allowed. Where nothing forbids it because there is no policy in the
    /// snapshot, it is not known whether there is one.
    pub(super) fn open(&self, class: ClassIx, direction: Direction, verdict: &Verdict) -> Judged {
        if self.is_on_node(class) {
            return Judged::of(State::Allowed, ON_NODE);
        }
        if let Some(idle) = &self.idle {
            let meant = self.ground.is_meant_of(class, direction);
            let but = if meant { "policies select it, but " } else { "" };
            return Judged::of(State::Allowed, &format!("{but}{idle}"));
        }
        if self.none {
            return Judged::of(State::Unknown, NONE);
        }
        self.told(State::Allowed, verdict)
    }

    /// The evidence that a workload is on its nodes' network.
    pub(super) fn on_node(&self, group: u32) -> Option<Fact> {
        let world = self.ground.world;
        let hosts = &self.ground.group(group).hosts;
        let host = hosts.iter().find(|host| world.host_spec(**host).host_network)?;
        let (object, _) = world.host_object(*host);
        Some((object, world.host_field(*host, ".spec.hostNetwork"), "true".to_owned()))
    }

    /// A verdict with its reasons: those that leave it open, or those that allow it.
    pub(super) fn told(&self, state: State, verdict: &Verdict) -> Judged {
        let network = self.ground.network;
        let mut said: Vec<String> = Vec::new();
        let mut facts: Vec<Fact> = Vec::new();
        let sides = [(&verdict.egress, Direction::Egress), (&verdict.ingress, Direction::Ingress)];
        for (judgement, direction) in sides {
            for reason in &judgement.reasons {
                let counts = match (state, reason) {
                    (_, Reason::NoPod) => false,
                    (State::Unknown, reason) => {
                        judgement.state != State::Allowed && reason.is_unsure()
                    }
                    (_, Reason::Rule { action, .. }) => *action == Action::Allow,
                    _ => true,
                };
                if !counts {
                    continue;
                }
                let words = network.words(reason, direction);
                if !said.contains(&words) {
                    said.push(words);
                }
                let of = network.facts(reason).into_iter();
                facts.extend(of.map(|(o, field, says)| (o, field.to_owned(), says.to_owned())));
            }
        }
        facts.truncate(FACTS);
        said.truncate(2);
        Judged { state, reason: said.join("; "), by: Vec::new(), facts }
    }
}
