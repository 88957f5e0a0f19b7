//! Acting as somebody is less than being somebody.
//!
//! Who impersonates is authorized as somebody else, request by request, and holds no credential of
//! him: what that one may impersonate in turn is out of reach, and so is whatever takes his token.
//! Where this matters an identity has a second node, which impersonation leads to instead. It has
//! all edges of the first but those; and so have the bindings, groups and sets on the way to them.
//!
//! Source: kubernetes apiserver `pkg/endpoints/filters/impersonation`, which authorizes one set of
//! headers against the authenticated user and removes them.

use super::NodeId;
use super::attack::{Attack, Identity};
use super::csr::RawEdge;
use super::evidence::{Evidence, Says};
use super::layout::{CLUSTER_ADMIN, Dynamic};
use fixedbitset::FixedBitSet;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The edges of a graph in the making.
pub(super) struct Making<'e> {
    pub(super) edges: &'e mut Vec<Vec<RawEdge>>,
    pub(super) evidence: &'e Evidence,
    pub(super) attacks: &'e [&'static Attack],
    /// The nodes that attacks named, of which the first has the number `first`.
    pub(super) named: &'e mut Vec<Dynamic>,
    pub(super) first: usize,
}

impl Making<'_> {
    fn attack(&self, edge: &RawEdge) -> &'static Attack {
        self.attacks[usize::from(self.evidence.says(edge.edge.why).attack)]
    }

    fn is_gate(&self, node: NodeId) -> bool {
        let named = node.index().checked_sub(self.first).and_then(|i| self.named.get(i));
        matches!(named, Some(Dynamic::Gate(_)))
    }

    /// Gives second nodes to those that impersonation leads to and that hold more than it gives.
    /// O(edges).
    pub(super) fn split(self) {
        let impersonates = self.records(|of| of.identity == Identity::Impersonation);
        let mut led: Vec<NodeId> =
            self.bearing(&impersonates).map(|e| e.to).filter(|to| !self.is_gate(*to)).collect();
        if led.is_empty() {
            return;
        }
        let more = self.more();
        led.retain(|node| more.contains(node.index()));
        if led.is_empty() {
            return;
        }
        let seconds = self.seconds(led, &more);
        let number: FxHashMap<NodeId, NodeId> = (self.first + self.named.len()..)
            .map(NodeId::new)
            .zip(&seconds)
            .map(|(second, of)| (*of, second))
            .collect();
        let second = |node: NodeId| number.get(&node).copied();
        let mut copies = Vec::new();
        for edge in self.bearing(&self.records(|of| of.identity == Identity::Any)) {
            let to = match self.attack(edge).structure || self.is_gate(edge.to) {
                true => second(edge.to),
                false => None,
            };
            // Who holds one part of a gate by himself may hold the others by acting as somebody.
            let from = second(edge.from)
                .or_else(|| to.filter(|_| self.is_gate(edge.to)).and(Some(edge.from)));
            if let Some(from) = from {
                copies.push(RawEdge { from, to: to.unwrap_or(edge.to), ..*edge });
            }
        }
        for edge in self.edges.iter_mut().flatten() {
            if impersonates.contains(edge.edge.why.index())
                && let Some(second) = second(edge.to)
            {
                edge.to = second;
            }
        }
        copies.shrink_to_fit();
        self.edges.push(copies);
        self.named.reserve_exact(seconds.len());
        self.named.extend(seconds.into_iter().map(Dynamic::Acting));
    }

    /// The records whose attack is a wanted one: there are far fewer of them than of edges.
    fn records(&self, wanted: impl Fn(&Attack) -> bool) -> FixedBitSet {
        let attack = |says: Says| self.attacks[usize::from(says.attack)];
        let records = self.evidence.records().enumerate();
        records.filter(|(_, (_, says))| wanted(attack(*says))).map(|(why, _)| why).collect()
    }

    /// The edges that bear one of some records.
    fn bearing(&self, records: &FixedBitSet) -> impl Iterator<Item = &RawEdge> {
        self.edges.iter().flatten().filter(|e| records.contains(e.edge.why.index()))
    }

    /// The nodes from which memberships and bindings lead to something that takes a credential.
    /// Whoever acts as an admin of the cluster gets what he wants by other means.
    fn more(&self) -> FixedBitSet {
        let mut more = FixedBitSet::with_capacity(self.first + self.named.len());
        let takes = self.records(|of| of.identity != Identity::Any);
        more.extend(self.bearing(&takes).map(|e| e.from.index()));
        for edge in self.edges.iter().flatten().filter(|e| e.to == CLUSTER_ADMIN) {
            if self.evidence.says(edge.edge.why).cost == 0 {
                more.set(edge.from.index(), false);
            }
        }
        // What stands before each node, as far as it is no attack to come there: sorted by counting.
        let structure = self.records(|of| of.structure);
        let mut end = vec![0_u32; self.first + self.named.len() + 1];
        for edge in self.bearing(&structure) {
            end[edge.to.index() + 1] += 1;
        }
        let count = super::csr::sum(&mut end);
        let mut before = vec![NodeId(0); count];
        for edge in self.bearing(&structure) {
            let at = &mut end[edge.to.index()];
            before[*at as usize] = edge.from;
            *at += 1;
        }
        let mut stack: Vec<NodeId> = more.ones().map(NodeId::new).collect();
        while let Some(node) = stack.pop() {
            let start = node.index().checked_sub(1).map_or(0, |last| end[last]);
            for from in &before[start as usize..end[node.index()] as usize] {
                if !more.put(from.index()) {
                    stack.push(*from);
                }
            }
        }
        more
    }

    /// The nodes that get a second one, sorted: those that impersonation leads to, what these lead
    /// to by memberships and bindings, and the gates behind them.
    fn seconds(&self, led: Vec<NodeId>, more: &FixedBitSet) -> BTreeSet<NodeId> {
        let mut behind: FxHashMap<NodeId, Vec<NodeId>> = FxHashMap::default();
        for edge in self.edges.iter().flatten().filter(|e| more.contains(e.from.index())) {
            let attack = self.attack(edge);
            let is_part = self.is_gate(edge.to) && attack.identity == Identity::Any;
            if is_part || attack.structure && more.contains(edge.to.index()) {
                behind.entry(edge.from).or_default().push(edge.to);
            }
        }
        let mut seconds = BTreeSet::new();
        let mut stack = led;
        while let Some(node) = stack.pop() {
            if seconds.insert(node) {
                stack.extend(behind.get(&node).into_iter().flatten());
            }
        }
        seconds
    }
}

impl super::Graph {
    /// The node that a node is the second one of: the identity that is acted as, without a
    /// credential of it.
    #[must_use]
    pub fn acted_as(&self, node: NodeId) -> Option<NodeId> {
        self.layout.acted_as(node)
    }

    /// Nodes, sorted, with the second ones of those that have one.
    #[must_use]
    pub fn with_acting(&self, mut nodes: Vec<NodeId>) -> Vec<NodeId> {
        let seconds: Vec<NodeId> = (self.first_acting..self.node_count())
            .map(NodeId::new)
            .filter(|n| self.acted_as(*n).is_some_and(|of| nodes.binary_search(&of).is_ok()))
            .collect();
        nodes.extend(seconds);
        nodes
    }
}
