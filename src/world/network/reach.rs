//! Many at once: the ports of a connection, and the classes that a class may reach.

use super::Network;
use super::class::ClassIx;
use super::entry::Entry;
use super::expr::Truth;
use super::find::Finder;
use super::form::{Action, Direction, Peer, Ports, Protocol};
use super::judge::State;
use super::verdict::{End, PortSpec};

/// Ports of one protocol that are treated alike, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub protocol: Protocol,
    pub first: u16,
    pub last: u16,
    pub state: State,
}

/// Whom the policies of one end may mean.
enum Meant {
    /// Everybody, surely.
    Everybody,
    /// Anybody: each has to be asked for.
    AnyMay,
    These(Vec<u32>),
}

/// The classes at the other end of a class' connections on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Across {
    /// The class has nothing against anybody, so that all of [`Network::unselected`] of the other
    /// direction are meant too. One edge of a set says it for all of them.
    pub free: bool,
    /// Those that are allowed or may be, each asked for by itself; if `free`, only those that
    /// policies select in the other direction.
    pub classes: Vec<(ClassIx, State)>,
    /// How many classes were asked for.
    pub looked: usize,
}

impl Network<'_> {
    /// The classes that no policy selects in a direction: none of them has anything against a
    /// connection. Most classes of most clusters are of this kind for egress.
    #[must_use]
    pub fn unselected(&self, direction: Direction) -> Vec<ClassIx> {
        if self.leaves_open(direction) {
            return Vec::new();
        }
        let all = (0..self.tables.classes.len()).map(ClassIx::new);
        all.filter(|c| !self.is_selected(*c, direction)).collect()
    }

    /// Whether kinds of policies that are not evaluated may have a say among pods.
    pub(super) fn leaves_open(&self, direction: Direction) -> bool {
        self.tables.unread.iter().any(|kind| kind.speaks(direction, false, &self.switches))
    }

    /// Whether a policy that may be enforced selects a class.
    fn is_selected(&self, class: ClassIx, direction: Direction) -> bool {
        if self.tables.of_nodes && self.nodes().contains(&class.0) {
            return true;
        }
        let mut families = self.selecting(class, direction).map(|e| e.family);
        families.any(|family| self.switches.enforced(family) != Truth::No)
    }

    /// Who reaches a port of a class (`Ingress`), or what a class reaches by a port (`Egress`).
    /// O(the classes that the rules mean); all classes where rules deny or cannot be told.
    #[must_use]
    pub fn across(&self, class: ClassIx, direction: Direction, port: PortSpec) -> Across {
        let opposite = match direction {
            Direction::Ingress => Direction::Egress,
            Direction::Egress => Direction::Ingress,
        };
        let all = || (0..self.tables.classes.len()).map(ClassIx::new);
        let selected = |c: &ClassIx| self.is_selected(*c, opposite);
        let mut candidates: Vec<ClassIx> = Vec::new();
        let free = match self.meant(class, direction, port) {
            _ if self.leaves_open(direction) || self.leaves_open(opposite) => {
                candidates.extend(all());
                false
            }
            Meant::Everybody => {
                candidates.extend(all().filter(selected));
                true
            }
            Meant::AnyMay => {
                candidates.extend(all());
                false
            }
            Meant::These(classes) => {
                candidates.extend(classes.into_iter().map(ClassIx));
                false
            }
        };
        let looked = candidates.len();
        let classes = candidates.into_iter().filter_map(|other| {
            let (from, to) = match direction {
                Direction::Ingress => (other, class),
                Direction::Egress => (class, other),
            };
            let state = self.state(End::Class(from), End::Class(to), port);
            (state != State::Denied).then_some((other, state))
        });
        Across { free, classes: classes.collect(), looked }
    }

    /// Whom the policies of one end may mean.
    fn meant(&self, class: ClassIx, direction: Direction, port: PortSpec) -> Meant {
        if self.nodes().contains(&class.0) && self.tables.of_nodes {
            return Meant::AnyMay;
        }
        if !self.is_selected(class, direction) {
            return Meant::Everybody;
        }
        let on = |e: &&Entry| self.switches.enforced(e.family) != Truth::No;
        let entries = || self.selecting(class, direction).filter(on);
        // Only what allows, where all else is denied for sure, can be read from the peers.
        let plain = entries().all(|e| {
            e.vague.is_none()
                && self.switches.enforced(e.family) == Truth::Yes
                && self.rules(e).all(|r| r.action == Action::Allow)
        });
        if !plain || !entries().any(|e| e.isolates == Truth::Yes) {
            return Meant::AnyMay;
        }
        let mut finder = Finder::new(self.tables, self.world);
        let mut found = Vec::new();
        for rule in entries().flat_map(|e| self.rules(e)) {
            let ports = |one: &Ports| match one {
                Ports::Numbers(of, first, last) => {
                    of.is_none_or(|of| of == port.protocol) && (*first..=*last).contains(&port.port)
                }
                Ports::Named(..) => true,
            };
            if rule.ports.as_ref().is_some_and(|list| !list.iter().any(ports)) {
                continue;
            }
            for peer in &rule.peers {
                match peer {
                    Peer::Pods(pods) => found.extend(finder.members(pods)),
                    Peer::Any
                        if rule.ports.is_none() && rule.own.is_none() && rule.doubt.is_none() =>
                    {
                        return Meant::Everybody;
                    }
                    Peer::Block(block)
                        if self.switches.blocks_match_pods == Truth::No
                            || self.tables.blocks.get(block) == Some(&Truth::No) =>
                    {
                        // Pods of nodes' networks may still be meant by their nodes' addresses.
                        found.extend(self.nodes());
                    }
                    _ => return Meant::AnyMay,
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        Meant::These(found)
    }

    /// The classes of nodes.
    fn nodes(&self) -> std::ops::Range<u32> {
        let pods = self.tables.spaces.last().map_or(0, |(_, range)| range.end);
        pods..u32::try_from(self.tables.classes.len()).unwrap_or(u32::MAX)
    }

    /// The ports that one end reaches of the other, and those that it may reach; what is denied
    /// is left out. Of the internet: ports that some public address reaches.
    #[must_use]
    pub fn ports(&self, from: End, to: End) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Sctp] {
            let borders = self.borders(from, to, protocol);
            for (i, first) in borders.iter().enumerate() {
                let last = borders.get(i + 1).map_or(u16::MAX, |next| next - 1);
                // Port 0 is none, and stands for those after it.
                let port = PortSpec { protocol, port: (*first).max(1) };
                let state = self.state(from, to, port);
                match spans.last_mut() {
                    _ if state == State::Denied => {}
                    Some(span)
                        if span.protocol == protocol
                            && span.state == state
                            && span.last.checked_add(1) == Some(*first) =>
                    {
                        span.last = last;
                    }
                    _ => spans.push(Span { protocol, first: port.port, last, state }),
                }
            }
        }
        spans
    }

    /// Where rules may begin to say something else, in order.
    #[must_use]
    pub fn borders(&self, from: End, to: End, protocol: Protocol) -> Vec<u16> {
        let mut borders = vec![0];
        let mut range = |first: u16, last: u16| {
            borders.push(first);
            borders.extend(last.checked_add(1));
        };
        let to_class = self.class_at(to);
        let ends = [(self.class_at(from), Direction::Egress), (to_class, Direction::Ingress)];
        for (class, direction) in ends {
            let Some(class) = class else { continue };
            for entry in self.selecting(class, direction) {
                for ports in self.rules(entry).flat_map(|rule| rule.ports.iter().flatten()) {
                    if let Ports::Numbers(of, first, last) = ports
                        && of.is_none_or(|of| of == protocol)
                    {
                        range(*first, *last);
                    }
                }
            }
        }
        for (_, of, number) in to_class.iter().flat_map(|c| &self.tables.classes[c.index()].ports) {
            if *of == protocol {
                range(*number, *number);
            }
        }
        borders.sort_unstable();
        borders.dedup();
        borders
    }

    fn class_at(&self, end: End) -> Option<ClassIx> {
        match end {
            End::Host(host) => self.class_of(host),
            End::Class(class) => Some(class),
            End::Node(_) | End::Net(_) | End::Internet | End::Nodes | End::Anyone => None,
        }
    }
}
