//! What leads out of a namespace: one small search for each, which ends at the first things beyond.

use super::found::{Finder, Way};
use super::search::{Direction, Link, NEVER, Next, cost_in};
use super::steps::passes;
use crate::graph::{Graph, NodeId, NodeKind};
use std::rc::Rc;

impl Finder<'_, '_> {
    /// For each namespace the likeliest way into another one, and to the cluster itself.
    pub(super) fn outside(&mut self, sources: &[NodeId]) {
        let graph = self.graph;
        let mut by_namespace: Vec<(&str, Vec<NodeId>)> = Vec::new();
        let mut sorted: Vec<(&str, NodeId)> =
            sources.iter().filter_map(|n| Some((graph.namespace(*n)?, *n))).collect();
        sorted.sort_unstable();
        for (ns, node) in sorted {
            match by_namespace.last_mut() {
                Some((last, nodes)) if *last == ns => nodes.push(node),
                _ => by_namespace.push((ns, vec![node])),
            }
        }
        let filter = self.filter.clone();
        for (ns, roots) in by_namespace {
            if !self.may_go_on() {
                return;
            }
            let mut ends: [Option<NodeId>; 2] = [None; 2];
            let visit = |node: NodeId, _| {
                let place = match outside(graph, node, ns) {
                    Side::Within => return Next::Expand,
                    // A set of another namespace has members of that namespace only.
                    Side::Foreign if passes(graph.kind(node)) => {
                        return if ends[0].is_some() { Next::Skip } else { Next::Expand };
                    }
                    Side::Foreign => 0,
                    Side::Cluster => 1,
                    Side::Elsewhere => return Next::Skip,
                };
                ends[place].get_or_insert(node);
                if ends.iter().all(Option::is_some) { Next::Stop } else { Next::Skip }
            };
            self.search.run(Direction::Forward, &roots, &filter, None, usize::MAX, visit);
            self.spend(self.search.work() + roots.len());
            if let [Some(foreign), Some(admin)] = ends
                && graph.kind(admin) == NodeKind::ClusterAdmin
                && cost_in(self.search.key(admin)) <= cost_in(self.search.key(foreign))
            {
                // Whoever gets all of the cluster as easily has no use for a part of it.
                ends[0] = None;
            }
            for to in ends.into_iter().flatten() {
                let Some(proof) = self.search.proof(&filter, to) else { continue };
                let Some(from) = proof.links.first().map(|l| l.from) else { continue };
                let key = self.search.key(to);
                let around = |link: &Link| {
                    let edges = graph.incoming(link.to).filter(|(edge, near)| {
                        self.search.key(*near) != NEVER
                            && filter.allows(graph, *edge, *near, link.to)
                    });
                    edges.count().saturating_sub(1)
                };
                let others = proof.links.iter().map(around).sum();
                self.finds.add((from, None, to), key, Way::Alone(Rc::new(proof), others));
            }
        }
    }
}

/// Where a node lies, seen from a namespace.
enum Side {
    Within,
    Foreign,
    Cluster,
    /// Outside of the cluster: other questions ask for it.
    Elsewhere,
}

fn outside(graph: &Graph, node: NodeId, ns: &str) -> Side {
    match graph.kind(node) {
        NodeKind::ClusterAdmin
        | NodeKind::Node
        | NodeKind::NodeIdentity
        | NodeKind::PersistentVolume
        | NodeKind::User => Side::Cluster,
        NodeKind::CloudIdentity | NodeKind::Internet | NodeKind::Entry => Side::Elsewhere,
        NodeKind::Namespace if graph.name(node) != ns => Side::Foreign,
        NodeKind::RoleBinding | NodeKind::Role => Side::Within,
        _ if graph.namespace(node).is_some_and(|n| n != ns) => Side::Foreign,
        _ => Side::Within,
    }
}
