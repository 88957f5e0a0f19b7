//! Connections that policies hold between some ends and others: for each, which policy and rule.

use super::explain::Part;
use super::{Ground, Range, Side, Wanted, ports};
use crate::world::network::{PortSpec, State};
use std::collections::BTreeSet;

/// A connection that policies hold back, or may.
#[derive(Debug, Clone)]
pub struct Held {
    /// Where it begins.
    pub from: Side,
    /// Where it would end.
    pub to: Side,
    /// The ports that are held, with the reasons.
    pub parts: Vec<Part>,
}

/// So many pairs are looked at; more nobody reads.
const MOST: usize = 5_000;

impl Ground<'_> {
    /// What policies hold between the ends and some groups, by the ports that their pods declare;
    /// and between the ends and addresses, by one port. The number of pairs that were not looked
    /// at comes with it.
    #[must_use]
    pub fn held(
        &self,
        from: &Wanted,
        groups: &[u32],
        addresses: &[(Range, PortSpec)],
    ) -> (Vec<Held>, usize) {
        let mut held = Vec::new();
        let (mut looked, mut left) = (0, 0);
        for source in from.sides().filter(|s| !matches!(s, Side::Range(_))) {
            let ends = groups.iter().map(|g| (Side::Group(*g), self.serves(*g)));
            let beyond = addresses.iter().map(|(r, p)| (Side::Range(*r), BTreeSet::from([*p])));
            for (to, ports) in ends.chain(beyond).filter(|(to, _)| *to != source) {
                looked += 1;
                if looked > MOST {
                    left += 1;
                    continue;
                }
                let asked: Vec<Option<PortSpec>> = match ports.is_empty() {
                    true => vec![None],
                    false => ports.into_iter().map(Some).collect(),
                };
                let mut parts: Vec<Part> = Vec::new();
                for port in asked {
                    let spans = self.between(source, to, port);
                    let open = spans.iter().all(|s| s.state == State::Allowed)
                        && (port.is_some() && !spans.is_empty() || ports::is_full(&spans));
                    if open {
                        continue;
                    }
                    for part in self.explain(source, to, port) {
                        let same = |p: &&mut Part| {
                            (p.state, &p.egress, &p.ingress)
                                == (part.state, &part.egress, &part.ingress)
                        };
                        match parts.iter_mut().find(same) {
                            Some(known) => {
                                known.ports.extend(part.ports);
                                known.change.clear();
                            }
                            None if part.state != State::Allowed => parts.push(part),
                            None => {}
                        }
                    }
                }
                if !parts.is_empty() {
                    held.push(Held { from: source, to, parts });
                }
            }
        }
        (held, left)
    }

    /// The ports that the pods of a group declare.
    fn serves(&self, group: u32) -> BTreeSet<PortSpec> {
        let Some(host) = self.group(group).hosts.first() else { return BTreeSet::new() };
        let containers = self.world.host_spec(*host).containers.iter();
        let running = containers.filter(|c| c.keeps_running());
        let ports = running.flat_map(|c| c.ports.iter());
        ports.map(|p| PortSpec { protocol: p.protocol, port: p.number }).collect()
    }
}
