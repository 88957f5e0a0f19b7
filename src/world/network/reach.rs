//! Many at once: the ports of a connection, and the classes that nothing holds back.

use super::Network;
use super::class::ClassIx;
use super::expr::Truth;
use super::form::{Direction, Ports, Protocol};
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

impl Network<'_> {
    /// The classes that no policy selects in a direction: none of them has anything against a
    /// connection. Most classes of most clusters are of this kind for egress.
    #[must_use]
    pub fn unselected(&self, direction: Direction) -> Vec<ClassIx> {
        let all = (0..self.tables.classes.len()).map(ClassIx::new);
        all.filter(|c| !self.is_selected(*c, direction)).collect()
    }

    /// Whether policies of kinds that are not evaluated may let through what the others do not.
    #[must_use]
    pub fn is_unread(&self, class: ClassIx, direction: Direction) -> bool {
        self.selecting(class, direction).any(|entry| {
            entry.unread(self.world) == Some(false)
                && self.switches.enforced(entry.family) != Truth::No
        })
    }

    /// Whether a policy that may be enforced selects a class.
    pub(super) fn is_selected(&self, class: ClassIx, direction: Direction) -> bool {
        if self.tables.of_nodes && self.nodes().contains(&class.0) {
            return true;
        }
        let mut families = self.selecting(class, direction).map(|e| e.family);
        families.any(|family| self.switches.enforced(family) != Truth::No)
    }

    /// The classes of nodes.
    pub(super) fn nodes(&self) -> std::ops::Range<u32> {
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
