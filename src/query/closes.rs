//! Which single fact closes an answer: found by taking it away and looking again.
//!
//! Only what a person can change is tried: a subject of a binding, a rule, a field of a
//! specification; never that a pod is in its namespace or a rule is built in. Taking a fact away
//! touches only ways that use it, so a pair is open as soon as its end leads, without the fact, to
//! a node whose own way does not need it.

use super::answer::Cut;
use super::ask::{doors, tree_end};
use super::filter::Gone;
use super::found::{Finds, Found, Grown, Way};
use super::search::{Direction, End, NEVER, Next, Proof, Search};
use crate::graph::{EdgeId, Fact, Fields, Graph, NodeId, NodeKind};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Structure that a person can change.
const CHANGEABLE: &[&str] = &["bound-to", "token-trusts-foreign-identity"];

/// Into how many parts the work is split, so that one dear fact does not use up all of it.
const SHARES: usize = 8;

/// Tries facts under a limit of edges looked at.
pub(super) struct Closer<'a, 'g> {
    graph: &'g Graph,
    fields: &'a Fields,
    search: &'a mut Search<'g>,
    finds: &'a Finds,
    work: usize,
}

/// What is known of nodes once a fact is gone, by the tree that they are looked at in: whether the
/// way of the tree still holds, and whether none does. The same room serves fact after fact.
struct Memo {
    /// The round in which each node was marked last, above four bits: for either question whether
    /// it is answered, and the answer.
    of: Vec<u32>,
    round: u32,
}

/// A question that a [`Memo`] answers, by the place of its bits.
#[derive(Clone, Copy)]
enum Asks {
    Clean = 0,
    Closed = 2,
}

impl Memo {
    fn new(nodes: usize) -> Self {
        Self { of: vec![0; nodes], round: 1 }
    }

    fn forget(&mut self) {
        self.round += 1;
    }

    /// What is marked in this round.
    fn marks(&self, node: NodeId) -> u32 {
        let mark = self.of[node.index()];
        if mark >> 4 == self.round { mark & 15 } else { 0 }
    }

    fn get(&self, asks: Asks, node: NodeId) -> Option<bool> {
        let mark = self.marks(node) >> asks as u32;
        (mark & 1 == 1).then_some(mark & 2 == 2)
    }

    /// Marks a node; whether it bore no mark.
    fn insert(&mut self, asks: Asks, node: NodeId, answer: bool) -> bool {
        let (known, at) = (self.marks(node), asks as u32);
        let answered = known & !(3 << at) | (1 | u32::from(answer) << 1) << at;
        self.of[node.index()] = self.round << 4 | answered;
        known >> at & 1 == 0
    }
}

impl<'a, 'g> Closer<'a, 'g> {
    pub(super) fn new(
        graph: &'g Graph,
        fields: &'a Fields,
        search: &'a mut Search<'g>,
        finds: &'a Finds,
        work: usize,
    ) -> Self {
        Self { graph, fields, search, finds, work }
    }

    /// The cut of each answer, given its proof and its members.
    pub(super) fn cuts(mut self, proofs: &[Proof], members: &[&[usize]]) -> Vec<Option<Cut>> {
        let users = self.users(proofs);
        let mut facts: Vec<(usize, u8, Fact)> =
            users.iter().map(|(fact, (rank, of))| (usize::MAX - of.len(), *rank, *fact)).collect();
        facts.sort_unstable();
        let mut best: Vec<Option<(usize, u8, Fact)>> = vec![None; proofs.len()];
        let mut left = std::mem::take(&mut self.work);
        let share = (left / SHARES).max(1);
        let mut memos: BTreeMap<usize, Memo> = BTreeMap::new();
        for (_, rank, fact) in facts {
            let Some((_, of)) = users.get(&fact) else { continue };
            // It closes no more than the answers that use it, which may all have a better cut.
            let most = (usize::MAX - of.len(), rank, fact);
            if of.iter().all(|answer| best[*answer].is_some_and(|best| best <= most)) {
                continue;
            }
            self.work = share.min(left);
            left -= self.work;
            let gone = Gone::new(self.fields, fact);
            for memo in memos.values_mut() {
                memo.forget();
            }
            let closed = self.closed_of(of, members, &gone, &mut memos);
            left += self.work;
            // What was not looked at to its end would be counted short.
            for answer in closed.iter().flatten() {
                let count = closed.as_ref().map_or(0, Vec::len);
                let candidate = (usize::MAX - count, rank, fact);
                let at = &mut best[*answer];
                *at = Some(at.map_or(candidate, |b| b.min(candidate)));
            }
            if left == 0 {
                break;
            }
        }
        let of = proofs.len();
        let cut = |(rest, _, fact): (usize, u8, Fact)| Cut { fact, closes: usize::MAX - rest, of };
        best.into_iter().map(|b| b.map(cut)).collect()
    }

    /// Which of some answers a fact closes; `None` once the work is used up.
    fn closed_of(
        &mut self,
        of: &[usize],
        members: &[&[usize]],
        gone: &Gone,
        memos: &mut BTreeMap<usize, Memo>,
    ) -> Option<Vec<usize>> {
        let mut closed = Vec::new();
        for answer in of {
            if self.all_closed(members[*answer], gone, memos)? {
                closed.push(*answer);
            }
        }
        Some(closed)
    }

    /// The facts that a person can change, each with its rank and the proofs that use it.
    fn users(&self, proofs: &[Proof]) -> FxHashMap<Fact, (u8, Vec<usize>)> {
        // Most proofs share most edges, and edges facts, so each is looked at once.
        let mut uses: Vec<(EdgeId, usize)> = Vec::new();
        for (i, proof) in proofs.iter().enumerate() {
            uses.extend(proof.links.iter().map(|link| (link.edge, i)));
        }
        uses.sort_unstable();
        let mut users: FxHashMap<Fact, Option<(u8, Vec<usize>)>> = FxHashMap::default();
        for of in uses.chunk_by(|a, b| a.0 == b.0) {
            let edge = of[0].0;
            let attack = self.graph.attack(edge);
            if attack.structure && !CHANGEABLE.contains(&attack.id) {
                continue;
            }
            for fact in self.graph.facts(edge) {
                let known = users
                    .entry(fact)
                    .or_insert_with(|| rank(self.graph, fact).map(|rank| (rank, Vec::new())));
                if let Some((_, proofs)) = known {
                    proofs.extend(of.iter().map(|(_, proof)| *proof));
                }
            }
        }
        let once = |(rank, mut of): (u8, Vec<usize>)| {
            of.sort_unstable();
            of.dedup();
            (rank, of)
        };
        users.into_iter().filter_map(|(fact, of)| Some((fact, once(of?)))).collect()
    }

    /// Whether every pair of a group is closed; `None` once the work is used up.
    fn all_closed(
        &mut self,
        members: &[usize],
        gone: &Gone,
        memos: &mut BTreeMap<usize, Memo>,
    ) -> Option<bool> {
        for member in members {
            let found = &self.finds.found[*member];
            let closed = match self.finds.way(found) {
                Way::Tree(place) => {
                    let grown = &self.finds.grown[*place];
                    let nodes = self.graph.node_count();
                    let memo = memos.entry(*place).or_insert_with(|| Memo::new(nodes));
                    self.tree_closed(grown, found, gone, memo)?
                }
                Way::Guided(_, place) => {
                    let grown = &self.finds.grown[*place];
                    self.searched(grown, found.from, None, found.door(), gone)?
                }
                // Its search is not kept, and looking again from one end would say too much.
                Way::Alone(..) => false,
            };
            if !closed {
                return Some(false);
            }
        }
        Some(true)
    }

    fn tree_closed(
        &mut self,
        grown: &Grown,
        found: &Found,
        gone: &Gone,
        memo: &mut Memo,
    ) -> Option<bool> {
        let at = tree_end(grown, found);
        if let (Direction::Backward, Some(door)) = (grown.tree.direction(), found.door()) {
            let mut open = doors(self.graph, &grown.filter, found.from, door);
            if open.all(|edge| gone.is_needed(self.graph, edge)) {
                return Some(true);
            }
        }
        if let Some(known) = memo.get(Asks::Closed, at) {
            return Some(known);
        }
        let closed = self.look(grown, at, gone, memo)?;
        memo.insert(Asks::Closed, at, closed);
        Some(closed)
    }

    /// Looks from a node towards the tree's roots without the fact.
    fn look(&mut self, grown: &Grown, at: NodeId, gone: &Gone, memo: &mut Memo) -> Option<bool> {
        if self.is_clean(grown, at, gone, memo) {
            return Some(false);
        }
        let (graph, tree) = (self.graph, &grown.tree);
        // Each node seen, with the one that it was seen from.
        let mut seen: FxHashMap<NodeId, NodeId> = FxHashMap::from_iter([(at, at)]);
        let mut stack = vec![at];
        let mut gated = false;
        while let Some(node) = stack.pop() {
            let forward = tree.direction() == Direction::Forward;
            let into = forward.then(|| graph.incoming(node)).into_iter().flatten();
            let out = (!forward).then(|| graph.outgoing(node)).into_iter().flatten();
            for (edge, near) in into.chain(out) {
                self.work = self.work.checked_sub(1)?;
                if tree.key(near) == NEVER || seen.contains_key(&near) {
                    continue;
                }
                let (from, to) = if forward { (near, node) } else { (node, near) };
                if !grown.filter.allows(graph, edge, from, to) || gone.is_needed(graph, edge) {
                    continue;
                }
                if graph.kind(near) == NodeKind::Gate || graph.kind(node) == NodeKind::Gate {
                    gated = true;
                    continue;
                }
                let known = memo.get(Asks::Closed, near);
                if known == Some(true) {
                    continue;
                }
                if known == Some(false) || self.is_clean(grown, near, gone, memo) {
                    // Whatever led here is open too.
                    let mut back = node;
                    while memo.insert(Asks::Closed, back, false) {
                        back = seen.get(&back).copied().unwrap_or(back);
                    }
                    return Some(false);
                }
                seen.insert(near, node);
                stack.push(near);
            }
        }
        if gated {
            return match tree.direction() {
                Direction::Forward => {
                    let root = grown.roots.first().copied()?;
                    self.searched(grown, root, Some(at), None, gone)
                }
                Direction::Backward => self.searched(grown, at, None, None, gone),
            };
        }
        for node in seen.into_keys() {
            memo.insert(Asks::Closed, node, true);
        }
        Some(true)
    }

    /// Whether a node's way in the tree neither needs the fact nor passes a gate.
    fn is_clean(&self, grown: &Grown, node: NodeId, gone: &Gone, memo: &mut Memo) -> bool {
        let mut at = node;
        let clean = loop {
            if let Some(known) = memo.get(Asks::Clean, at) {
                break known;
            }
            if self.graph.kind(at) == NodeKind::Gate {
                break false;
            }
            match grown.tree.link(self.graph, at) {
                None => break true,
                Some((edge, _)) if gone.is_needed(self.graph, edge) => break false,
                Some((_, near)) => at = near,
            }
        };
        // The same holds for the whole way there.
        let mut back = node;
        while back != at {
            memo.insert(Asks::Clean, back, clean);
            back = grown.tree.link(self.graph, back).map_or(at, |(_, near)| near);
        }
        memo.insert(Asks::Clean, at, clean);
        clean
    }

    /// Searches again without the fact, gates and all.
    fn searched(
        &mut self,
        grown: &Grown,
        from: NodeId,
        to: Option<NodeId>,
        door: Option<NodeId>,
        gone: &Gone,
    ) -> Option<bool> {
        let mut filter = grown.filter.clone();
        filter.remove_fact(gone.clone());
        if let Some(door) = door {
            filter.only_door(door);
        }
        let backward = grown.tree.direction() == Direction::Backward;
        let visit = |node: NodeId, _| {
            let ends = match to {
                Some(to) => node == to,
                None => node != from && grown.tree.key(node) == 0,
            };
            if ends { Next::Stop } else { Next::Expand }
        };
        let guide = backward.then_some(&grown.tree);
        let end = self.search.run(Direction::Forward, &[from], &filter, guide, self.work, visit);
        self.work = self.work.saturating_sub(self.search.work());
        match end {
            End::Finished => Some(true),
            End::Stopped(_) => Some(false),
            End::Exhausted => None,
        }
    }
}

/// How much of a change it is to take a fact away; `None` for what is not a person's to change.
fn rank(graph: &Graph, fact: Fact) -> Option<u8> {
    let view = graph.view(fact);
    let world = graph.world();
    let builtin =
        view.origin.is_none() || world.label(fact.object, "kubernetes.io/bootstrapping").is_some();
    let fixed = view.field.is_empty()
        || view.field.starts_with(".status")
        || matches!(
            view.field,
            ".metadata.namespace"
                | ".metadata.name"
                | ".metadata.ownerReferences"
                | ".spec.nodeName"
        )
        || is_container(view.field);
    match view.kind {
        _ if fixed => None,
        "RoleBinding" | "ClusterRoleBinding" | "Role" | "ClusterRole" if builtin => None,
        "RoleBinding" | "ClusterRoleBinding" if view.field.starts_with(".subjects") => Some(0),
        "RoleBinding" | "ClusterRoleBinding" => Some(1),
        "Role" | "ClusterRole" => Some(2),
        "Node" | "User" | "Group" => None,
        // Without a policy that holds back more gets through, and what one rule lets through
        // another may.
        policy if policy.ends_with("NetworkPolicy") => None,
        // Nor is it a repair to take away what may refuse a request.
        "ClusterPolicy"
        | "Policy"
        | "ValidatingPolicy"
        | "NamespacedValidatingPolicy"
        | "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding" => None,
        "ValidatingWebhookConfiguration" if view.value.contains(" refuse") => None,
        _ if view.field == ".spec" && view.value.contains(" refuse") => None,
        "Secret" => Some(4),
        _ => Some(3),
    }
}

/// Whether a field is a container as a whole: taking it away is no repair.
fn is_container(field: &str) -> bool {
    field
        .rsplit_once('[')
        .is_some_and(|(list, _)| list.ends_with("ontainers") && field.ends_with(']'))
}
