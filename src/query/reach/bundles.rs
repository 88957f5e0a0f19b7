//! Connections in bundles: all sources and all destinations with one answer together.
//!
//! Pods of the same classes come to the same answers, so that each pair of classes is asked once,
//! and of those that no policy speaks of none is. Only what is on the network of a machine is asked
//! for by itself: a machine reaches its own pods whatever policies say.

use super::{Ground, Range, Side, Wanted, ports, unenforced};
use crate::world::network::{ClassIx, Direction, PortSpec, Span, State};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Connections of one answer: each source with each destination, but nobody with itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bundle {
    /// Where they begin.
    pub from: Vec<Side>,
    /// Where they end.
    pub to: Vec<Side>,
    /// All of one answer.
    pub ports: Vec<Span>,
    /// What becomes of them.
    pub state: State,
    /// Why that is not sure, or why policies are not heeded; otherwise empty.
    pub reason: String,
}

/// Ports, what becomes of a connection to them, and why.
type Answer = (Vec<Span>, State, String);

/// Groups of the same classes, by the first of each.
struct Blocks {
    alike: Vec<Vec<u32>>,
    /// With pods on the network of a machine.
    machines: Vec<u32>,
}

impl Ground<'_> {
    /// Every connection of a question, those alike together. O(classes that policies select, times
    /// classes; machines times groups).
    #[must_use]
    pub fn bundles(
        &self,
        from: &Wanted,
        to: &Wanted,
        port: Option<PortSpec>,
        denied: bool,
    ) -> Vec<Bundle> {
        let why = unenforced(self.world.plugin()).unwrap_or_default();
        let asked = Question { ground: self, port, denied, why };
        let (sources, targets) = (self.blocks(&from.groups), self.blocks(&to.groups));
        let mut found = asked.between_pods(&sources, &targets);
        let machines = |blocks: &Blocks, nodes: &Wanted| -> Vec<Side> {
            let own = blocks.machines.iter().map(|m| Side::Group(*m));
            own.chain(nodes.nodes.iter().map(|n| Side::Node(*n))).collect()
        };
        for machine in machines(&sources, from) {
            let others = to.sides().filter(|s| !matches!(s, Side::Range(_)) && *s != machine);
            asked.one(machine, others, Direction::Egress, &mut found);
        }
        for machine in machines(&targets, to) {
            // Machines among the sources have been asked.
            let pods = sources.alike.iter().flatten().map(|g| Side::Group(*g));
            asked.one(machine, pods, Direction::Ingress, &mut found);
        }
        asked.outside(&sources, &to.ranges, Direction::Egress, &mut found);
        asked.outside(&targets, &from.ranges, Direction::Ingress, &mut found);
        found.sort();
        found
    }

    fn blocks(&self, groups: &[u32]) -> Blocks {
        let mut alike: BTreeMap<&[ClassIx], Vec<u32>> = BTreeMap::new();
        let mut machines = Vec::new();
        for group in groups {
            let classes = self.group(*group).classes.as_slice();
            match classes.iter().any(|c| self.class_node(*c).is_some()) {
                true => machines.push(*group),
                false => alike.entry(classes).or_default().push(*group),
            }
        }
        let mut alike: Vec<Vec<u32>> = alike.into_values().collect();
        alike.sort_unstable();
        Blocks { alike, machines }
    }
}

/// What is the same for every connection.
struct Question<'a> {
    ground: &'a Ground<'a>,
    port: Option<PortSpec>,
    denied: bool,
    /// Why policies hold nothing back, where they do not.
    why: String,
}

impl Question<'_> {
    fn answers(&self, from: Side, to: Side, spans: &[Span]) -> Vec<Answer> {
        let ground = self.ground;
        let meant = |side: Side, direction: Direction| matches!(side, Side::Group(g) if ground.is_meant(g, direction));
        let found = ground.answers(spans, self.port, self.denied).into_iter();
        found
            .map(|(list, state)| {
                let reason = match state {
                    State::Unknown => ground.doubt(from, to, &list),
                    _ if self.why.is_empty() => String::new(),
                    _ if meant(from, Direction::Egress) || meant(to, Direction::Ingress) => {
                        self.why.clone()
                    }
                    _ => String::new(),
                };
                (list, state, reason)
            })
            .collect()
    }

    fn between_pods(&self, sources: &Blocks, targets: &Blocks) -> Vec<Bundle> {
        let ground = self.ground;
        let all = match self.port {
            Some(port) => vec![ports::one(port, State::Allowed)],
            None => ports::every(State::Allowed),
        };
        let side = |block: &[u32]| Side::Group(block.first().copied().unwrap_or_default());
        let judged = |block: &&Vec<u32>| {
            block.first().is_some_and(|g| ground.is_judged(*g, Direction::Egress))
        };
        let (held, free): (Vec<&Vec<u32>>, Vec<&Vec<u32>>) = sources.alike.iter().partition(judged);
        // Destinations that are reached alike, by how.
        let mut alike: BTreeMap<Vec<(Answer, Vec<u32>)>, Vec<u32>> = BTreeMap::new();
        let mut reached: FxHashMap<bool, BTreeMap<Answer, Vec<u32>>> = FxHashMap::default();
        for target in &targets.alike {
            let to = side(target);
            let first = target.first().copied().unwrap_or_default();
            let mut profile: BTreeMap<Answer, Vec<u32>>;
            let rest = if ground.is_judged(first, Direction::Ingress) {
                profile = BTreeMap::new();
                &sources.alike.iter().collect::<Vec<_>>()
            } else {
                // Whoever nothing holds back reaches it, as everything else that is open.
                let meant = ground.is_meant(first, Direction::Ingress);
                profile = reached
                    .entry(meant)
                    .or_insert_with(|| {
                        let mut known: BTreeMap<Answer, Vec<u32>> = BTreeMap::new();
                        for block in &free {
                            for answer in self.answers(side(block), to, &all) {
                                known.entry(answer).or_default().extend(block.iter());
                            }
                        }
                        known
                    })
                    .clone();
                &held
            };
            for block in rest {
                let from = side(block);
                for answer in self.answers(from, to, &ground.between(from, to, self.port)) {
                    profile.entry(answer).or_default().extend(block.iter());
                }
            }
            let mut key: Vec<(Answer, Vec<u32>)> = profile.into_iter().collect();
            key.iter_mut().for_each(|(_, groups)| groups.sort_unstable());
            alike.entry(key).or_default().extend(target);
        }
        let mut found = Vec::new();
        let sides = |groups: &[u32]| groups.iter().map(|g| Side::Group(*g)).collect::<Vec<_>>();
        for (profile, mut to) in alike {
            to.sort_unstable();
            for ((ports, state, reason), from) in profile {
                // Nobody speaks to itself.
                if from != to || from.len() > 1 {
                    let (from, to) = (sides(&from), sides(&to));
                    found.push(Bundle { from, to, ports, state, reason });
                }
            }
        }
        found
    }

    /// One machine with others, which come (`Ingress`) or to which it goes (`Egress`).
    fn one(
        &self,
        machine: Side,
        others: impl Iterator<Item = Side>,
        direction: Direction,
        found: &mut Vec<Bundle>,
    ) {
        let mut alike: BTreeMap<Answer, Vec<Side>> = BTreeMap::new();
        for other in others {
            let (from, to) = match direction {
                Direction::Egress => (machine, other),
                Direction::Ingress => (other, machine),
            };
            for answer in self.answers(from, to, &self.ground.between(from, to, self.port)) {
                alike.entry(answer).or_default().push(other);
            }
        }
        for ((ports, state, reason), others) in alike {
            let (from, to) = match direction {
                Direction::Egress => (vec![machine], others),
                Direction::Ingress => (others, vec![machine]),
            };
            found.push(Bundle { from, to, ports, state, reason });
        }
    }

    fn outside(
        &self,
        blocks: &Blocks,
        ranges: &[Range],
        direction: Direction,
        found: &mut Vec<Bundle>,
    ) {
        let mut alike: BTreeMap<(Answer, Vec<Side>), Vec<Side>> = BTreeMap::new();
        let alone = blocks.machines.iter().map(std::slice::from_ref);
        for block in blocks.alike.iter().map(Vec::as_slice).chain(alone) {
            let Some(first) = block.first() else { continue };
            let mut ways: BTreeMap<Answer, Vec<Side>> = BTreeMap::new();
            for (range, spans) in self.ground.outside(*first, direction, ranges, self.port) {
                let (own, other) = (Side::Group(*first), Side::Range(range));
                let (from, to) = match direction {
                    Direction::Egress => (own, other),
                    Direction::Ingress => (other, own),
                };
                for answer in self.answers(from, to, &spans) {
                    ways.entry(answer).or_default().push(other);
                }
            }
            for way in ways {
                alike.entry(way).or_default().extend(block.iter().map(|g| Side::Group(*g)));
            }
        }
        for (((ports, state, reason), others), mut own) in alike {
            own.sort_unstable();
            let (from, to) = match direction {
                Direction::Egress => (own, others),
                Direction::Ingress => (others, own),
            };
            found.push(Bundle { from, to, ports, state, reason });
        }
    }
}
