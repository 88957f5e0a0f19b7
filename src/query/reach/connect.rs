//! Connections between the sides of a question.

use super::{Ground, Range, Side, ports};
use crate::world::network::{ClassIx, Direction, End, PortSpec, Span, State};

impl Ground<'_> {
    /// The ports that one side reaches of another, for the best-placed pods of both. What is
    /// denied is left out.
    #[must_use]
    pub fn between(&self, from: Side, to: Side, port: Option<PortSpec>) -> Vec<Span> {
        let mut all = Vec::new();
        for (from_end, to_end) in self.pairs(from, to) {
            let spans = self.of(from, to, from_end, to_end, port);
            all = ports::union(all, &spans);
            if ports::is_full(&all)
                || port.is_some() && all.iter().any(|s| s.state == State::Allowed)
            {
                break;
            }
        }
        all
    }

    /// The ends that two sides are made of, each with each.
    pub(super) fn pairs(&self, from: Side, to: Side) -> impl Iterator<Item = (End, End)> {
        let to = self.ends(to);
        self.ends(from).into_iter().flat_map(move |f| to.clone().into_iter().map(move |t| (f, t)))
    }

    fn ends(&self, side: Side) -> Vec<End> {
        match side {
            Side::Group(group) => {
                self.group(group).classes.iter().map(|c| End::Class(*c)).collect()
            }
            Side::Node(node) => vec![End::Node(node)],
            Side::Range(range) => vec![End::Net(range.address())],
        }
    }

    /// What two ends come to, as pods of their sides.
    pub(super) fn of(
        &self,
        from: Side,
        to: Side,
        from_end: End,
        to_end: End,
        port: Option<PortSpec>,
    ) -> Vec<Span> {
        let judged = |end: End, direction: Direction| match end {
            End::Class(class) => self.judged[direction as usize][class.index()],
            _ => false,
        };
        let free = !judged(from_end, Direction::Egress) && !judged(to_end, Direction::Ingress);
        if free || self.is_own_node(from_end, to, to_end) {
            return match port {
                Some(port) => vec![ports::one(port, State::Allowed)],
                None => ports::every(State::Allowed),
            };
        }
        let spans = match port {
            Some(port) => match self.network.state(from_end, to_end, port) {
                State::Denied => Vec::new(),
                state => vec![ports::one(port, state)],
            },
            None => self.network.ports(from_end, to_end),
        };
        // Plugins differ in whether they hold back what goes to a pod's own node.
        if self.is_own_node(to_end, from, from_end) {
            let unknown = match port {
                Some(port) => vec![ports::one(port, State::Unknown)],
                None => ports::every(State::Unknown),
            };
            return ports::union(spans, &unknown);
        }
        spans
    }

    /// Whether an end is the machine that a pod of a side runs on.
    pub(super) fn is_own_node(&self, machine: End, side: Side, end: End) -> bool {
        let (Some(node), Side::Group(group), End::Class(class)) =
            (self.machine(machine), side, end)
        else {
            return false;
        };
        self.class_node(class).is_none() && self.local.contains(&(node, group))
    }

    fn machine(&self, end: End) -> Option<crate::world::NodeIx> {
        match end {
            End::Node(node) => Some(node),
            End::Class(class) => self.class_node(class),
            _ => None,
        }
    }

    pub(super) fn class_node(&self, class: ClassIx) -> Option<crate::world::NodeIx> {
        self.network.classes()[class.index()].node
    }

    /// What a group lets in from addresses outside, or where it may go there: ranges in their
    /// order, those that are treated alike as one.
    #[must_use]
    pub fn outside(
        &self,
        group: u32,
        direction: Direction,
        ranges: &[Range],
        port: Option<PortSpec>,
    ) -> Vec<(Range, Vec<Span>)> {
        let mut found: Vec<(Range, Vec<Span>)> = Vec::new();
        for range in self.borders.near(ranges, self.group(group).ns) {
            let (from, to) = match direction {
                Direction::Ingress => (Side::Range(range), Side::Group(group)),
                Direction::Egress => (Side::Group(group), Side::Range(range)),
            };
            let spans = self.between(from, to, port);
            match found.last_mut() {
                Some((known, same)) if *same == spans && known.joined(&range).is_some() => {
                    *known = known.joined(&range).unwrap_or(*known);
                }
                _ => found.push((range, spans)),
            }
        }
        found
    }
}
