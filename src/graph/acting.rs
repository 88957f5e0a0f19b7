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
use super::evidence::Evidence;
use super::layout::{CLUSTER_ADMIN, Dynamic};
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
    pub(super) fn split(mut self) {
        let more = self.more();
        let is_led = |edge: &RawEdge| {
            self.attack(edge).identity == Identity::Impersonation
                && more.contains(&edge.to)
                && !self.is_gate(edge.to)
        };
        let led: Vec<NodeId> = self.all().filter(|e| is_led(e)).map(|e| e.to).collect();
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
        for edge in self.all() {
            let attack = self.attack(edge);
            let to = match attack.structure || self.is_gate(edge.to) {
                true => second(edge.to),
                false => None,
            };
            // Who holds one part of a gate by himself may hold the others by acting as somebody.
            let from = second(edge.from)
                .or_else(|| to.filter(|_| self.is_gate(edge.to)).and(Some(edge.from)));
            if let Some(from) = from.filter(|_| attack.identity == Identity::Any) {
                copies.push(RawEdge { from, to: to.unwrap_or(edge.to), ..*edge });
            }
        }
        let Self { edges, evidence, attacks, .. } = &mut self;
        for edge in edges.iter_mut().flatten() {
            let attack = attacks[usize::from(evidence.says(edge.edge.why).attack)];
            if let (Identity::Impersonation, Some(second)) = (attack.identity, second(edge.to)) {
                edge.to = second;
            }
        }
        self.edges.push(copies);
        self.named.extend(seconds.into_iter().map(Dynamic::Acting));
    }

    fn all(&self) -> impl Iterator<Item = &RawEdge> {
        self.edges.iter().flatten()
    }

    /// The nodes from which memberships and bindings lead to something that takes a credential.
    /// Whoever acts as an admin of the cluster gets what he wants by other means.
    fn more(&self) -> BTreeSet<NodeId> {
        let takes = |edge: &&RawEdge| self.attack(edge).identity != Identity::Any;
        let mut more: BTreeSet<NodeId> = self.all().filter(takes).map(|e| e.from).collect();
        if more.is_empty() {
            return more;
        }
        for edge in self.all().filter(|e| e.to == CLUSTER_ADMIN) {
            if self.evidence.says(edge.edge.why).cost == 0 {
                more.remove(&edge.from);
            }
        }
        // What stands before each node, as far as it is no attack to come there.
        let mut before: FxHashMap<NodeId, Vec<NodeId>> = FxHashMap::default();
        for edge in self.all().filter(|e| self.attack(e).structure) {
            before.entry(edge.to).or_default().push(edge.from);
        }
        let mut stack: Vec<NodeId> = more.iter().copied().collect();
        while let Some(node) = stack.pop() {
            for from in before.get(&node).into_iter().flatten() {
                if more.insert(*from) {
                    stack.push(*from);
                }
            }
        }
        more
    }

    /// The nodes that get a second one, sorted: those that impersonation leads to, what these lead
    /// to by memberships and bindings, and the gates behind them.
    fn seconds(&self, led: Vec<NodeId>, more: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let mut behind: FxHashMap<NodeId, Vec<NodeId>> = FxHashMap::default();
        for edge in self.all().filter(|e| more.contains(&e.from)) {
            let attack = self.attack(edge);
            let is_part = self.is_gate(edge.to) && attack.identity == Identity::Any;
            if is_part || attack.structure && more.contains(&edge.to) {
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
