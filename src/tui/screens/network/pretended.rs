//! What is pretended, as the network sees it: policies and rules that are gone change its verdicts,
//! facts of Services and the like close doors, and what else is pretended moves no packet.

use super::super::super::loaded::Changes;
use super::super::cuts::policy;
use crate::graph::{Fact, Graph, NodeId, NodeKind};
use crate::query::filter::Filter;
use crate::world::network::Gone;
use std::collections::BTreeMap;

/// How many sets stand between a door and what is behind it, at most.
const SETS: usize = 3;

/// What the network has of the changes.
pub(super) struct Pretended<'g> {
    graph: &'g Graph,
    /// Policies and rules that are gone.
    pub(super) gone: Vec<Gone>,
    /// What paths leave out, unless that is nothing.
    filter: Option<Filter>,
    /// The doors by what they are called, unless nothing is pretended.
    doors: BTreeMap<String, NodeId>,
    /// How many other changes there are.
    rest: usize,
}

impl<'g> Pretended<'g> {
    pub(super) fn new(graph: &'g Graph, changes: &Changes) -> Self {
        // A fact of a path may be one of a policy too.
        let of_policy =
            |fact: &Fact| Gone::new(graph.world(), fact.object, graph.view(*fact).field);
        let facts: Vec<Gone> = changes.facts.iter().filter_map(of_policy).collect();
        let rest = changes.count() - facts.len() - changes.policies.len();
        let gone = [facts, changes.policies.clone()].concat();
        let count = changes.count();
        let filter = (count > 0).then(|| changes.filter(graph));
        let named = |node: NodeId| {
            let name = graph.name(node);
            let name = graph.namespace(node).map_or(name.to_string(), |ns| format!("{ns}/{name}"));
            (name, node)
        };
        let entries = graph.nodes_of(|kind| kind == NodeKind::Entry && count > 0);
        let doors = entries.map(named).collect();
        Self { graph, gone, filter, doors, rest }
    }

    /// Whether a door no longer leads from the internet to something: paths would come through it
    /// as things are, and do not as they are pretended to be. The door is called `ns/kind/name`.
    pub(super) fn closes(&self, door: &str, behind: Option<NodeId>) -> bool {
        let (Some(filter), Some(behind)) = (&self.filter, behind) else { return false };
        let Some(entry) = self.doors.get(door).copied() else { return false };
        self.leads(&Filter::default(), entry, behind) && !self.leads(filter, entry, behind)
    }

    /// Whether the internet comes to a door, and from there to a workload: by itself or as one of
    /// a set.
    fn leads(&self, filter: &Filter, entry: NodeId, behind: NodeId) -> bool {
        let graph = self.graph;
        let outside = |(edge, from): (_, NodeId)| {
            graph.kind(from) == NodeKind::Internet && filter.allows(graph, edge, from, entry)
        };
        graph.incoming(entry).any(outside) && self.holds(filter, entry, behind, SETS)
    }

    fn holds(&self, filter: &Filter, from: NodeId, behind: NodeId, sets: usize) -> bool {
        let graph = self.graph;
        graph.outgoing(from).any(|(edge, to)| {
            filter.allows(graph, edge, from, to)
                && (graph.fold(to) == behind
                    || (sets > 0
                        && graph.kind(to) == NodeKind::Set
                        && self.holds(filter, to, behind, sets - 1)))
        })
    }

    /// What the screen says of the changes.
    pub(super) fn text(&self, closed: usize) -> Option<String> {
        let without = |gone: &Gone| format!("without {}", policy(self.graph, *gone));
        let mut parts: Vec<String> = self.gone.iter().map(without).collect();
        if !parts.is_empty() {
            parts.push("Paths does not show what that opens".to_owned());
        }
        match closed {
            0 => {}
            1 => parts.push("1 door is closed".to_owned()),
            n => parts.push(format!("{n} doors are closed")),
        }
        match self.rest {
            0 => {}
            1 if closed == 0 => parts.push("1 change touches no policy or door of it".to_owned()),
            n if closed == 0 => {
                parts.push(format!("{n} changes touch no policy or door of it"));
            }
            _ => {}
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
