//! One thing's place in the network: what it is made of, and those that reach it, or that it
//! reaches, a row for those alike.

use super::bundles::Bundle;
use super::compact::{EVERY, addresses};
use super::{Ground, Range, Side, Wanted, ports};
use crate::graph::{Graph, NodeId, NodeKind, Thing};
use crate::world::World;
use crate::world::coverage::unread_in_words;
use crate::world::hosts::Host;
use crate::world::network::plugin::Enforces;
use crate::world::network::{Direction, Span, State};
use rustc_hash::FxHashSet;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Others that are treated alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What becomes of the connections.
    pub state: State,
    /// All of one answer.
    pub ports: Vec<Span>,
    /// The others, as few words as possible.
    pub name: String,
    /// How many they are.
    pub count: usize,
    /// The others' namespace, if they are all that runs in it.
    pub space: bool,
    /// Those of the thing's own that it is about, unless that is all of it.
    pub own: Option<String>,
    /// A connection that stands for all: where it begins and where it ends.
    pub pair: (Side, Side),
    /// The side of it that is not the thing's own.
    pub other: Side,
}

/// So many parts of the thing are named in a row.
const FEW: usize = 3;

/// What the plugin makes of policies, in a sentence without a full stop.
#[must_use]
pub fn enforcement(world: &World) -> String {
    let plugin = world.plugin();
    let mut text = plugin.effect(&[], false);
    if plugin.enforces == Enforces::Unknown {
        let taken = match world.said.enforces {
            Some(_) => "both ways are followed",
            None => "they are taken as enforced here (--cni and --enforces say otherwise)",
        };
        text = format!("{text}: {taken}");
    }
    let unread = world.unread_policies();
    if !unread.is_empty() {
        text = format!("{text}; {}", unread_in_words(&unread));
    } else if world.policies.is_empty() && world.network.others.is_empty() {
        text = format!("no network policy was collected; {text}");
    }
    text
}

impl Ground<'_> {
    /// The addresses that the internet routes, those together that follow one another.
    #[must_use]
    pub fn internet(&self) -> Vec<Range> {
        let pieces = self.borders.everywhere(&self.borders.outside());
        let mut ranges: Vec<Range> = Vec::new();
        for piece in pieces.into_iter().filter(Range::is_public) {
            match ranges.last_mut().and_then(|last| Some((last.joined(&piece)?, last))) {
                Some((joined, last)) => *last = joined,
                None => ranges.push(piece),
            }
        }
        ranges
    }

    /// What a node of the graph is in the network: what runs in it or behind it, a machine, or
    /// addresses. Empty for what has no address. O(pods).
    #[must_use]
    pub fn place(&self, graph: &Graph, node: NodeId) -> Wanted {
        match graph.kind(node) {
            NodeKind::Internet => Wanted { ranges: self.internet(), ..Wanted::default() },
            NodeKind::Entry => {
                let doors = self.world.entries();
                let number = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
                let door = (0..doors.len())
                    .find(|i| graph.node(&Thing::Entry(number(*i))) == Some(node))
                    .and_then(|i| doors.get(i));
                let hosts: FxHashSet<Host> = door
                    .map(|door| self.behind(door).into_iter().map(|(host, ..)| host).collect())
                    .unwrap_or_default();
                let has = |g: &u32| self.group(*g).hosts.iter().any(|h| hosts.contains(h));
                Wanted { groups: self.numbers().filter(has).collect(), ..Wanted::default() }
            }
            _ => self.wanted(graph, &[node]),
        }
    }

    /// The node of the graph that a side is, or is all of.
    #[must_use]
    pub fn node_of(&self, graph: &Graph, side: Side, space: bool) -> Option<NodeId> {
        match side {
            Side::Node(node) => graph.node(&Thing::Node(node)),
            Side::Range(range) => range.is_public().then(|| graph.node(&Thing::Internet))?,
            Side::Group(group) if space => {
                let ns = self.world.namespace(self.group(group).ns)?;
                graph.node(&Thing::Namespace(ns))
            }
            Side::Group(group) => match *self.group(group).hosts.first()? {
                Host::Template(workload) => graph.node(&Thing::Workload(workload)),
                Host::Pod(pod) => {
                    let top = self.world.pods.get(pod.index())?.workload;
                    let top = top.and_then(|top| graph.node(&Thing::Workload(top)));
                    top.or_else(|| graph.node(&Thing::Pod(pod)))
                }
            },
        }
    }

    /// Who reaches something (`Ingress`), or whom it reaches. What is allowed comes first, then
    /// what is not sure, then those that nothing is allowed. O of [`Ground::bundles`].
    #[must_use]
    pub fn around(&self, own: &Wanted, direction: Direction) -> Vec<Row> {
        let all = self.everything();
        let bundles = match direction {
            Direction::Ingress => self.bundles(&all, own, None, true),
            Direction::Egress => self.bundles(own, &all, None, true),
        };
        let count = own.sides().count();
        let alone = (count == 1).then(|| own.sides().next()).flatten();
        // Machines are asked for one by one, and mostly come to the same.
        let mut alike: BTreeMap<(State, Vec<Span>, Vec<Side>), Vec<Side>> = BTreeMap::new();
        for Bundle { from, to, ports, state, .. } in bundles {
            // That the other ports are denied goes without saying.
            if state == State::Denied && !ports::rest(&ports).is_empty() {
                continue;
            }
            let (mut others, mine) = match direction {
                Direction::Ingress => (from, to),
                Direction::Egress => (to, from),
            };
            others.retain(|other| Some(*other) != alone);
            alike.entry((state, ports, mine)).or_default().extend(others);
        }
        let mut rows: Vec<Row> = Vec::new();
        for ((state, ports, mine), others) in alike {
            let named = (mine.len() < count).then(|| self.named(&mine));
            for (name, some, space) in self.folded(&others, matches!(alone, Some(Side::Group(_)))) {
                let Some(other) = some.first().copied() else { continue };
                let Some(me) = mine.iter().find(|me| **me != other).copied() else { continue };
                let pair = match direction {
                    Direction::Ingress => (other, me),
                    Direction::Egress => (me, other),
                };
                let (ports, own, count) = (ports.clone(), named.clone(), some.len());
                rows.push(Row { state, ports, name, count, space, own, pair, other });
            }
        }
        rows.sort_by(|a, b| {
            let key =
                |r: &Row| (Reverse(r.state), !matches!(r.other, Side::Range(_)), Reverse(r.count));
            key(a).cmp(&key(b)).then_with(|| (&a.name, &a.own).cmp(&(&b.name, &b.own)))
        });
        rows
    }

    /// Some sides in few words.
    fn named(&self, sides: &[Side]) -> String {
        let parts = self.folded(sides, false);
        let names: Vec<String> = parts.iter().take(FEW).map(|(name, ..)| name.clone()).collect();
        let rest = parts.len().saturating_sub(FEW);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        names.join(", ") + &more
    }

    /// Sides by as few names as possible: every pod, all that runs in a namespace, addresses, or
    /// each; with whether a name is a namespace's. `but` says that one of all is left out.
    fn folded(&self, sides: &[Side], but: bool) -> Vec<(String, Vec<Side>, bool)> {
        let group = |side: &Side| match side {
            Side::Group(group) => Some(*group),
            _ => None,
        };
        let ranges: Vec<Range> = sides
            .iter()
            .filter_map(|side| match side {
                Side::Range(range) => Some(*range),
                _ => None,
            })
            .collect();
        let mut found = Vec::new();
        if !ranges.is_empty() {
            let sides = ranges.iter().map(|r| Side::Range(*r)).collect();
            found.push((addresses(&ranges), sides, false));
        }
        let mut groups: Vec<u32> = sides.iter().filter_map(group).collect();
        groups.sort_unstable();
        let as_sides = |groups: &[u32]| groups.iter().map(|g| Side::Group(*g)).collect();
        if groups.len() > 1 && groups.len() + usize::from(but) >= self.groups.len() {
            let name = if but { format!("{EVERY} but itself") } else { EVERY.to_owned() };
            found.push((name, as_sides(&groups), false));
            groups.clear();
        }
        for part in groups.chunk_by(|a, b| self.group(*a).ns == self.group(*b).ns) {
            let Some(first) = part.first() else { continue };
            let ns = self.group(*first).ns;
            if part.len() > 1 && part.len() == self.of_space(ns).count() {
                found.push((format!("{}/*", self.world.text(ns)), as_sides(part), true));
                continue;
            }
            found
                .extend(part.iter().map(|g| (self.group(*g).name.clone(), as_sides(&[*g]), false)));
        }
        let machines = sides.iter().filter(|side| matches!(side, Side::Node(_)));
        found.extend(machines.map(|side| (self.name(*side), vec![*side], false)));
        found
    }
}
