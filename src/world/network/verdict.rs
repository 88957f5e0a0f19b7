//! Questions and answers: two ends, a port, a verdict with its reasons.

use super::Network;
use super::address::{self, Range};
use super::class::{Class, ClassIx};
use super::form::{Direction, Peer, Protocol};
use super::judge::{Judgement, May, Other, Reason, State, Walk};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::{NodeIx, ObjectId};
use ipnet::IpNet;

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A pod, or a template as if a pod of it ran.
    Host(Host),
    /// Any pod of a class, wherever it runs.
    Class(ClassIx),
    /// A node, by its own address; a pod of the host's network is one too.
    Node(NodeIx),
    /// Addresses outside the cluster. Give a block only where any of it will do.
    Net(IpNet),
    /// Any public address: whoever is on the internet.
    Internet,
    /// Some node, which one is not known.
    Nodes,
    /// Something of which nothing is known.
    Anyone,
}

/// What is connected to: a port of a pod, not of a Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortSpec {
    pub protocol: Protocol,
    pub port: u16,
}

impl PortSpec {
    /// A port of TCP.
    #[must_use]
    pub const fn tcp(port: u16) -> Self {
        Self { protocol: Protocol::Tcp, port }
    }
}

/// Whether one end reaches the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What both ends come to.
    pub state: State,
    /// What the policies of the end that connects say.
    pub egress: Judgement,
    /// What the policies of the end that is connected to say.
    pub ingress: Judgement,
    /// Of the internet: the public addresses that are allowed, where they are less than half of
    /// their family, and those that may be; otherwise empty.
    pub only: Vec<IpNet>,
}

/// An end, with what decides.
struct Place {
    other: Other,
    host: Option<Host>,
}

impl<'w> Network<'w> {
    /// The classes, by number. Those of nodes come last.
    #[must_use]
    pub fn classes(&self) -> &'w [Class] {
        &self.tables.classes
    }

    /// The class of what runs; `None` for what does not, such as a pod that has ended.
    #[must_use]
    pub fn class_of(&self, host: Host) -> Option<ClassIx> {
        self.tables.class_of(host)
    }

    /// What runs in a class, pods first.
    #[must_use]
    pub fn hosts_of(&self, class: ClassIx) -> &'w [Host] {
        self.tables.hosts_of(class)
    }

    /// The policies that isolate a class in a direction: what no rule lets through is denied.
    /// None are for pods of the host's network. By place in the order of evaluation.
    #[must_use]
    pub fn isolation(&self, class: ClassIx, direction: Direction) -> Vec<ObjectId> {
        let isolating = self.selecting(class, direction).filter(|e| {
            let enforced = self.switches.enforced(e.family);
            e.isolates.min(enforced) != super::Truth::No
        });
        isolating.map(|e| e.policy).collect()
    }

    /// Whether a class is isolated in a direction, which an unknown plugin leaves open.
    #[must_use]
    pub fn isolates(&self, class: ClassIx, direction: Direction) -> super::Truth {
        let one = |e: &super::entry::Entry| {
            let selects = match &e.vague {
                Some(_) => super::Truth::Maybe,
                None => super::Truth::Yes,
            };
            e.isolates.min(selects).min(self.switches.enforced(e.family))
        };
        self.selecting(class, direction).map(one).max().unwrap_or(super::Truth::No)
    }

    /// Whether one end reaches a port of the other. O(rules of the policies that select them);
    /// for the internet times the blocks in these.
    #[must_use]
    pub fn verdict(&self, from: End, to: End, port: PortSpec) -> Verdict {
        let internet = |judgement: Judgement, other: Judgement, only, egress: bool| {
            let state = judgement.state.min(other.state);
            let (egress, ingress) = if egress { (judgement, other) } else { (other, judgement) };
            Verdict { state, egress, ingress, only }
        };
        let no_pod = || Judgement::allowed(Reason::NoPod);
        match (self.place(from), self.place(to)) {
            (Some(from), Some(to)) => self.between(&from, &to, port),
            (Some(from), None) => {
                let (judgement, only) = self.internet(&from, Direction::Egress, port);
                internet(judgement, no_pod(), only, true)
            }
            (None, Some(to)) => {
                let (judgement, only) = self.internet(&to, Direction::Ingress, port);
                internet(judgement, no_pod(), only, false)
            }
            (None, None) => internet(no_pod(), no_pod(), Vec::new(), true),
        }
    }

    /// The state of a verdict alone, without its reasons.
    #[must_use]
    pub fn state(&self, from: End, to: End, port: PortSpec) -> State {
        let (Some(from), Some(to)) = (self.place(from), self.place(to)) else {
            return self.verdict(from, to, port).state;
        };
        if self.is_local(&from, &to).is_some() || self.is_home(&from, &to) {
            return self.between(&from, &to, port).state;
        }
        let egress = self.may(&from, &to, Direction::Egress, port);
        if egress.state() == State::Denied {
            return State::Denied;
        }
        egress.state().min(self.may(&to, &from, Direction::Ingress, port).state())
    }

    /// `None` for the internet, which is many addresses.
    fn place(&self, end: End) -> Option<Place> {
        let class = |class: ClassIx| match self.tables.classes.get(class.index()) {
            Some(Class { node: Some(node), .. }) => Other::Node(*node),
            _ => Other::Class(class),
        };
        Some(match end {
            End::Host(host) => {
                let other = match self.class_of(host) {
                    Some(known) => class(known),
                    // It does not run: as little is known of it as of a pod that nobody selects.
                    None => Other::Class(ClassIx(u32::MAX)),
                };
                Place { other, host: Some(host) }
            }
            End::Class(known) => Place { other: class(known), host: None },
            End::Node(node) => Place { other: Other::Node(node), host: None },
            End::Net(net) => Place { other: Other::Outside(net), host: None },
            End::Nodes => Place { other: Other::Nodes, host: None },
            End::Anyone => Place { other: Other::Anyone, host: None },
            End::Internet => return None,
        })
    }

    /// Why two ends on one machine are connected whatever policies say.
    fn is_local(&self, from: &Place, to: &Place) -> Option<Reason> {
        match (from.other, to.other) {
            _ if from.host.is_some() && from.host == to.host => Some(Reason::Itself),
            (Other::Node(node), Other::Class(_)) => {
                let own = to.host.filter(|h| matches!(h, Host::Pod(_)));
                (self.world.host_node(own?) == Some(node)).then_some(Reason::OwnNode)
            }
            _ => None,
        }
    }

    /// Whether a pod connects to its own node: plugins differ in whether egress is filtered then.
    fn is_home(&self, from: &Place, to: &Place) -> bool {
        match (from.host, to.other) {
            (Some(host @ Host::Pod(_)), Other::Node(node)) => {
                self.world.host_node(host) == Some(node)
            }
            _ => false,
        }
    }

    fn between(&self, from: &Place, to: &Place, port: PortSpec) -> Verdict {
        let (egress, ingress) = match self.is_local(from, to) {
            Some(reason) => (Judgement::allowed(reason.clone()), Judgement::allowed(reason)),
            None => {
                let mut egress = self.judge(from, to, Direction::Egress, port);
                if egress.state == State::Denied && self.is_home(from, to) {
                    egress.state = State::Unknown;
                    egress.reasons.push(Reason::OwnNode);
                }
                let mut ingress = self.judge(to, from, Direction::Ingress, port);
                ingress.reasons.extend(self.beside(from, to).map(Reason::Beside));
                (egress, ingress)
            }
        };
        let state = egress.state.min(ingress.state);
        Verdict { state, egress, ingress, only: Vec::new() }
    }

    /// A network that both ends are on besides the one that policies are about.
    fn beside(&self, from: &Place, to: &Place) -> Option<Sym> {
        let networks = |place: &Place| match place.other {
            Other::Class(class) => self.tables.classes.get(class.index()).map(|c| &*c.networks),
            _ => None,
        };
        let (from, to) = (networks(from)?, networks(to)?);
        from.iter().find(|network| to.contains(network)).copied()
    }

    fn walk(
        &self,
        of: &Place,
        other: Other,
        direction: Direction,
        port: PortSpec,
    ) -> Option<Walk<'_, 'w>> {
        let Other::Class(class) = of.other else { return None };
        (class.index() < self.tables.classes.len()).then_some(Walk {
            network: self,
            class,
            direction,
            other,
            port,
        })
    }

    fn may(&self, of: &Place, other: &Place, direction: Direction, port: PortSpec) -> May {
        match self.walk(of, other.other, direction, port) {
            Some(walk) => walk.walk(&mut |_| {}),
            None => May { allow: true, deny: self.without(of).state != State::Allowed },
        }
    }

    fn judge(&self, of: &Place, other: &Place, direction: Direction, port: PortSpec) -> Judgement {
        match self.walk(of, other.other, direction, port) {
            Some(walk) => walk.judge(),
            None => self.without(of),
        }
    }

    /// What an end says of public addresses, piece by piece.
    fn internet(
        &self,
        of: &Place,
        direction: Direction,
        port: PortSpec,
    ) -> (Judgement, Vec<IpNet>) {
        let Some(mut walk) = self.walk(of, of.other, direction, port) else {
            return (self.without(of), Vec::new());
        };
        let rules = self.selecting(walk.class, direction).flat_map(|e| self.rules(e));
        let mut nets: Vec<&IpNet> = Vec::new();
        for peer in rules.flat_map(|rule| &rule.peers) {
            if let Peer::Block(block) = peer {
                nets.push(&block.net);
                nets.extend(&block.except);
            }
        }
        let mut public = address::public();
        // Where pods have addresses of one family, they know the internet by that one alone.
        let blocks = &self.world.network.pod_blocks;
        let has = |v6: bool| blocks.iter().any(|net| matches!(net, IpNet::V6(_)) == v6);
        public.retain(|range| match self.v6 {
            Some(v6) => range.v6 == v6,
            None => blocks.is_empty() || has(range.v6),
        });
        let pieces = address::cut(public, nets.into_iter());
        let mut best: Option<(State, Range)> = None;
        let (mut open, mut all, mut some) = ([0_u128; 2], [0_u128; 2], Vec::new());
        for piece in pieces {
            walk.other = Other::Outside(piece.address());
            let state = walk.walk(&mut |_| {}).state();
            all[usize::from(piece.v6)] += piece.size();
            if state == State::Allowed {
                open[usize::from(piece.v6)] += piece.size();
            }
            if state != State::Denied {
                some.push(piece);
            }
            let larger = |(known, range): (State, Range)| {
                (state, !piece.v6, piece.size()) > (known, !range.v6, range.size())
            };
            if best.is_none_or(larger) {
                best = Some((state, piece));
            }
        }
        if let Some((_, piece)) = best {
            walk.other = Other::Outside(piece.address());
        }
        let whole = (0..2).any(|f| all[f] > 0 && open[f] >= all[f] / 2);
        let only = if whole { Vec::new() } else { some.iter().flat_map(Range::nets).collect() };
        (walk.judge(), IpNet::aggregate(&only))
    }

    /// What is said of an end that policies of pods do not speak for.
    fn without(&self, of: &Place) -> Judgement {
        Judgement::allowed(match (of.other, of.host) {
            (Other::Node(_), _) if self.tables.of_nodes => {
                return Judgement { state: State::Unknown, reasons: vec![Reason::NodePolicies] };
            }
            (Other::Node(_), Some(_)) => Reason::HostNetwork,
            (Other::Class(_), _) => Reason::Free,
            _ => Reason::NoPod,
        })
    }
}
