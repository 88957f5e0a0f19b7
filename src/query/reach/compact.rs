//! Lines that stand for many connections alike, for people.

use super::{Ground, Range, Side, Wanted, ports};
use crate::sym::Sym;
use crate::world::network::{ClassIx, Direction, PortSpec, Span, State};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// One line: some sides that reach another in one way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// As the cluster spells it, or `shop/*`, `every pod`, ranges of addresses.
    pub from: String,
    /// Likewise.
    pub to: String,
    /// All of one answer.
    pub ports: Vec<Span>,
    /// What becomes of the connection.
    pub state: State,
    /// Why that is not sure; otherwise empty.
    pub reason: String,
}

/// The lines of a question, as many as were asked for.
#[derive(Debug, Default)]
pub struct Lines {
    /// By namespace of the destination, then by name; what leaves the cluster comes last.
    pub lines: Vec<Line>,
    /// Destinations that were not looked at any more.
    pub left: usize,
}

/// What every pod is called.
pub const EVERY: &str = "every pod";
/// What all addresses that are no pod's are called.
pub const OUTSIDE: &str = "outside";

/// So many sources alike are a line each in the overview; of more the first is named.
const MANY: usize = 6;

/// How a destination is reached: who, by which ports, with what answer and why it is not sure.
type Profile = Vec<(String, Vec<Span>, State, String)>;

impl Ground<'_> {
    /// Who reaches whom, a line each for sources alike. Without `all` what no policy speaks of on
    /// either side is left out, and so is what is denied. Stops when there are enough lines.
    /// O(groups) for each destination.
    #[must_use]
    pub fn lines(
        &self,
        from: &Wanted,
        to: &Wanted,
        port: Option<PortSpec>,
        all: bool,
        most: usize,
    ) -> Lines {
        let mut found = Lines::default();
        let mut next = to.groups.as_slice();
        while let Some(first) = next.first() {
            if found.lines.len() >= most {
                found.left += next.len();
                return found;
            }
            let ns = self.group(*first).ns;
            let here = next.partition_point(|g| self.group(*g).ns == ns);
            let (some, rest) = next.split_at(here);
            next = rest;
            // Destinations of one namespace that are reached alike.
            let mut alike: BTreeMap<Profile, Vec<u32>> = BTreeMap::new();
            let whole = from.all && to.all;
            let mut count = 0;
            for (place, group) in some.iter().enumerate() {
                if count >= most {
                    found.left += some.len() - place;
                    break;
                }
                let profile = self.profile(from, Side::Group(*group), port, all, whole);
                if !profile.is_empty() {
                    count += if alike.contains_key(&profile) { 0 } else { profile.len() };
                    alike.entry(profile).or_default().push(*group);
                }
            }
            let mut lines = Vec::new();
            for (profile, groups) in alike {
                for to in self.called(&groups, None, to.all) {
                    let line =
                        |(from, ports, state, reason): &(String, Vec<Span>, State, String)| Line {
                            from: from.clone(),
                            to: to.clone(),
                            ports: ports.clone(),
                            state: *state,
                            reason: reason.clone(),
                        };
                    lines.extend(profile.iter().map(line));
                }
            }
            lines.sort_by(|a, b| (&a.to, &a.from, b.state).cmp(&(&b.to, &b.from, a.state)));
            found.lines.extend(lines);
        }
        for node in &to.nodes {
            let side = Side::Node(*node);
            let profile = self.profile(from, side, port, all || !to.all, false);
            found.lines.extend(profile.into_iter().map(|(from, ports, state, reason)| Line {
                from,
                to: self.name(side),
                ports,
                state,
                reason,
            }));
        }
        self.leaving(from, to, port, all, &mut found);
        found
    }

    /// Who reaches a side, those together that do so alike. Of the `whole` question what is so of
    /// every machine is left out.
    fn profile(
        &self,
        from: &Wanted,
        to: Side,
        port: Option<PortSpec>,
        all: bool,
        whole: bool,
    ) -> Profile {
        let judged = |side: Side, direction| matches!(side, Side::Group(group) if self.is_judged(group, direction));
        let spoken = judged(to, Direction::Ingress);
        let own = match to {
            Side::Group(group) => Some(group),
            _ => None,
        };
        let mut known: FxHashMap<&[ClassIx], Vec<Span>> = FxHashMap::default();
        let mut alike: BTreeMap<(Vec<Span>, State), Vec<u32>> = BTreeMap::new();
        for group in from.groups.iter().filter(|g| Some(**g) != own) {
            let side = Side::Group(*group);
            if !all && from.all && !spoken && !judged(side, Direction::Egress) {
                continue;
            }
            let machine = self.is_machine(*group) || own.is_some_and(|to| self.is_machine(to));
            // Pods of the same classes come to the same, but for what is on their machine.
            let classes = self.group(*group).classes.as_slice();
            let spans = match known.get(classes) {
                Some(spans) if !machine => Vec::clone(spans),
                _ => self.between(side, to, port),
            };
            if !machine {
                known.entry(classes).or_insert_with(|| spans.clone());
            }
            // What is so of every machine and its own pods is said once, for all of them.
            if !all && whole && machine && is_one(&spans) {
                continue;
            }
            for (spans, state) in self.answers(&spans, port, all) {
                alike.entry((spans, state)).or_default().push(*group);
            }
        }
        let mut profile = Vec::new();
        for ((spans, state), groups) in alike {
            // The first stands for all of them.
            let first = groups.first().filter(|_| state == State::Unknown);
            let why = first.map(|g| self.doubt(Side::Group(*g), to, &spans)).unwrap_or_default();
            let mut names = self.called(&groups, own, from.all);
            if whole && names.len() > MANY {
                let rest = names.len() - 1;
                names.truncate(1);
                names.iter_mut().for_each(|name| *name = format!("{name} and {rest} more"));
            }
            for name in names {
                profile.push((name, spans.clone(), state, why.clone()));
            }
        }
        for node in &from.nodes {
            let side = Side::Node(*node);
            for (spans, state) in self.answers(&self.between(side, to, port), port, all) {
                profile.push((self.name(side), spans, state, String::new()));
            }
        }
        if let Some(group) = own
            && (all || !from.all || spoken)
        {
            let found = self.outside(group, Direction::Ingress, &from.ranges, port);
            profile.extend(self.ranges(found, port, all));
        }
        profile.sort();
        profile
    }

    /// Whether a group's pods are all on the networks of their machines.
    #[must_use]
    pub fn is_machine(&self, group: u32) -> bool {
        self.group(group).classes.iter().all(|c| self.class_node(*c).is_some())
    }

    /// Where those that policies speak of may go outside.
    fn leaving(
        &self,
        from: &Wanted,
        to: &Wanted,
        port: Option<PortSpec>,
        all: bool,
        found: &mut Lines,
    ) {
        if to.ranges.is_empty() {
            return;
        }
        let mut alike: BTreeMap<(String, Vec<Span>, State, String), Vec<u32>> = BTreeMap::new();
        for group in &from.groups {
            if all || !to.all || !from.all || self.is_judged(*group, Direction::Egress) {
                let ranges = self.outside(*group, Direction::Egress, &to.ranges, port);
                for key in self.ranges(ranges, port, all) {
                    alike.entry(key).or_default().push(*group);
                }
            }
        }
        let mut lines = Vec::new();
        for ((to, ports, state, reason), groups) in alike {
            for from in self.called(&groups, None, from.all) {
                lines.push(Line {
                    from,
                    to: to.clone(),
                    ports: ports.clone(),
                    state,
                    reason: reason.clone(),
                });
            }
        }
        lines.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        found.lines.extend(lines);
    }

    /// A connection as rows of one answer each.
    #[must_use]
    pub fn answers(
        &self,
        spans: &[Span],
        port: Option<PortSpec>,
        denied: bool,
    ) -> Vec<(Vec<Span>, State)> {
        let mut rows = Vec::new();
        for state in [State::Allowed, State::Unknown] {
            let some = ports::with(spans, state);
            if !some.is_empty() {
                rows.push((some, state));
            }
        }
        let rest = if denied { ports::only(ports::rest(spans), port) } else { Vec::new() };
        if !rest.is_empty() {
            rows.push((rest, State::Denied));
        }
        rows
    }

    /// Ranges that are treated alike as one name.
    fn ranges(
        &self,
        found: Vec<(Range, Vec<Span>)>,
        port: Option<PortSpec>,
        denied: bool,
    ) -> Profile {
        let mut alike: BTreeMap<(Vec<Span>, State), Vec<Range>> = BTreeMap::new();
        for (range, spans) in found {
            for (spans, state) in self.answers(&spans, port, denied) {
                alike.entry((spans, state)).or_default().push(range);
            }
        }
        alike
            .into_iter()
            .map(|((spans, state), list)| (addresses(&list), spans, state, String::new()))
            .collect()
    }

    /// Groups by as few names as possible: all of them, those of a namespace, or each.
    #[must_use]
    pub fn called(&self, groups: &[u32], own: Option<u32>, all: bool) -> Vec<String> {
        const FEW: usize = 3;
        let others = self.groups.len() - usize::from(own.is_some());
        if all && groups.len() == others && others > 1 {
            return vec![EVERY.to_owned()];
        }
        if all && groups.len() > 2 * FEW && others - groups.len() <= FEW {
            let but: Vec<&str> = self
                .numbers()
                .filter(|g| Some(*g) != own && groups.binary_search(g).is_err())
                .map(|g| self.group(g).name.as_str())
                .collect();
            return vec![format!("{EVERY} but {}", but.join(", "))];
        }
        let mut names = Vec::new();
        for part in groups.chunk_by(|a, b| self.group(*a).ns == self.group(*b).ns) {
            let ns = part.first().map_or(Sym::EMPTY, |g| self.group(*g).ns);
            let first = self.groups.partition_point(|g| g.ns < ns);
            let last = self.groups.partition_point(|g| g.ns <= ns);
            let inside = own.is_some_and(|g| self.group(g).ns == ns);
            if part.len() > 1 && part.len() == last - first - usize::from(inside) {
                names.push(format!("{}/*", self.world.text(ns)));
            } else {
                names.extend(part.iter().map(|g| self.group(*g).name.clone()));
            }
        }
        names
    }
}

/// Whether all ports have one answer.
fn is_one(spans: &[Span]) -> bool {
    let state = spans.first().map(|s| s.state);
    ports::rest(spans).is_empty() && spans.iter().all(|s| Some(s.state) == state)
}

/// Ranges in a few words.
pub(super) fn addresses(ranges: &[Range]) -> String {
    const FEW: usize = 3;
    if ranges.iter().all(Range::is_whole) {
        return OUTSIDE.to_owned();
    }
    let mut names: Vec<String> = ranges.iter().take(FEW).map(Range::words).collect();
    if ranges.len() > FEW {
        names.push(format!("{} ranges more", ranges.len() - FEW));
    }
    format!("{OUTSIDE} {}", names.join(", "))
}
