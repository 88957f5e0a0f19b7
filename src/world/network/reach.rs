//! Many at once: the ports of a connection, and the classes that a class may reach.

use super::Network;
use super::class::ClassIx;
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

    /// Where rules may begin to say something else.
    fn borders(&self, from: End, to: End, protocol: Protocol) -> Vec<u16> {
        let mut borders = vec![0];
        let mut range = |first: u16, last: u16| {
            borders.push(first);
            borders.extend(last.checked_add(1));
        };
        let to_class = self.class_at(to);
        let ends = [(self.class_at(from), Direction::Egress), (to_class, Direction::Ingress)];
        for (class, direction) in ends {
            let Some(class) = class else { continue };
            for entry in self.tables.selecting(class.0, direction) {
                let rules = self.tables.entries[*entry as usize].rules(self.world);
                for ports in rules.iter().flat_map(|rule| rule.ports.iter().flatten()) {
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
