//! From the sinks' edges to the frozen graph.

use super::acting::Making;
use super::csr::{Csr, EdgeId, RawEdge};
use super::evidence::{Evidence, Says, WhyId};
use super::layout::{CLUSTER_ADMIN, Dynamic, Layout};
use super::{Attack, Graph, Named, NodeId, NodeKind, Sink, Tag};
use crate::sym::{Sym, Symbols, merge};
use crate::world::World;
use std::sync::Arc;

impl Graph {
    /// Derives and freezes the graph: `find` is given a fresh sink for each of `families`, in
    /// parallel, then `members` one more, with the sets that the families named, to put their
    /// members in.
    ///
    /// `attacks` are all attacks that an edge may bear, sorted by id.
    pub fn freeze<F: Sync>(
        world: Arc<World>,
        attacks: Vec<&'static Attack>,
        families: &[F],
        find: impl Fn(&F, &World, &mut Sink<'_>) + Sync,
        members: impl Fn(&World, &mut Sink<'_>, Named),
    ) -> Self {
        use rayon::prelude::*;
        let mut layout = Layout::new(&world);
        let member = attacks.iter().find(|attack| attack.id == "set-member").copied();
        let frozen = {
            let (world, layout): (&World, &Layout) = (&world, &layout);
            let mut sinks: Vec<Sink<'_>> = families
                .par_iter()
                .map(|family| {
                    let mut sink = Sink::new(world, layout, member);
                    find(family, world, &mut sink);
                    sink.close();
                    sink
                })
                .collect();
            let mut sets: Vec<_> =
                sinks.iter().flat_map(|s| s.sets().collect::<Vec<_>>()).collect();
            sets.sort_unstable();
            sets.dedup();
            let mut sink = Sink::new(world, layout, member);
            let mut admins: Vec<_> = sinks.iter().flat_map(|s| s.admins.iter().copied()).collect();
            admins.sort_unstable();
            admins.dedup();
            members(world, &mut sink, Named { sets, admins });
            sinks.push(sink);
            let mut frozen = merge_sinks(sinks, layout.first_dynamic(), &attacks);
            let Frozen { edges, evidence, named, .. } = &mut frozen;
            let first = layout.first_dynamic();
            Making { edges, evidence, attacks: &attacks, named, first }.split();
            frozen
        };
        let first_acting = frozen.named.iter().position(|d| matches!(d, Dynamic::Acting(_)));
        let first_acting = layout.first_dynamic() + first_acting.unwrap_or(frozen.named.len());
        layout.named = frozen.named;
        let mut texts = frozen.texts;
        let (kinds, mut nodes) = layout.nodes(&world, &mut texts);
        texts.shrink_to_fit();
        let csr = Csr::new(nodes.len(), frozen.edges, |node| nodes[node.index()].object);
        let cost = |(_, edge): &(NodeId, EdgeId)| frozen.evidence.cost(csr.why(*edge));
        let incoming_costs = csr.by_target().iter().map(cost).collect();
        super::tags::of_world(&world, &layout, &kinds, &mut nodes);
        for i in first_acting..nodes.len() {
            if let Some(of) = layout.acted_as(NodeId::new(i)) {
                nodes[i].tags = nodes[of.index()].tags;
            }
        }
        let folded = (0..nodes.len()).map(|i| layout.fold(&world, NodeId::new(i))).collect();
        let mut runs = Vec::new();
        for (i, of) in kinds.iter().enumerate().take(first_acting) {
            let end = NodeId::new(i + 1);
            match runs.last_mut() {
                Some((kind, last)) if kind == of => *last = end,
                _ => runs.push((*of, end)),
            }
        }
        let mut graph = Self {
            world,
            layout,
            kinds,
            nodes,
            texts,
            csr,
            evidence: frozen.evidence,
            incoming_costs,
            attacks,
            folded,
            runs,
            set_sizes: Vec::new(),
            namer: None,
            first_acting,
        };
        graph.set_sizes = set_sizes(&graph);
        graph.tag_exposed();
        graph.tag_admins();
        graph
    }

    /// Marks the bindings and groups that are full power over the cluster by themselves, and the
    /// principals that such a binding names.
    fn tag_admins(&mut self) {
        let grants = |kind| {
            matches!(kind, NodeKind::Group | NodeKind::RoleBinding | NodeKind::ClusterRoleBinding)
        };
        let direct: Vec<NodeId> = self
            .incoming(CLUSTER_ADMIN)
            .map(|(_, n)| n)
            .filter(|n| grants(self.kind(*n)))
            .collect();
        let mut admins = direct.clone();
        for binding in direct.iter().filter(|n| self.kind(**n) != NodeKind::Group) {
            admins.extend(
                self.incoming(*binding).filter(|(e, _)| self.attack(*e).structure).map(|(_, n)| n),
            );
        }
        for node in admins {
            self.nodes[node.index()].tags |= Tag::Admin as u32;
        }
    }

    /// Marks what an exposed door leads to: through sets, the containers, their pods and workloads.
    fn tag_exposed(&mut self) {
        // Others are for networks around the cluster.
        let open = |n: NodeId| self.incoming(n).any(|(_, of)| self.kind(of) == NodeKind::Internet);
        let doors = |n: &NodeId| {
            self.kind(*n) == NodeKind::Entry && self.outgoing(*n).len() > 0 && open(*n)
        };
        let mut stack: Vec<NodeId> = self.nodes().filter(doors).collect();
        let mut seen = vec![false; self.nodes.len()];
        let mut exposed = stack.clone();
        while let Some(node) = stack.pop() {
            let next: Vec<NodeId> = self.outgoing(node).map(|(_, target)| target).collect();
            for target in next {
                if std::mem::replace(&mut seen[target.index()], true) {
                    continue;
                }
                match self.kind(target) {
                    NodeKind::Set => stack.push(target),
                    NodeKind::Container | NodeKind::Pod => {
                        exposed.push(target);
                        exposed.push(self.fold(target));
                        let around = self.incoming(target).map(|(_, n)| n);
                        exposed.extend(around.filter(|n| self.kind(*n) == NodeKind::Pod));
                    }
                    _ => {}
                }
            }
        }
        for node in exposed {
            self.nodes[node.index()].tags |= Tag::Exposed as u32;
        }
    }
}

/// What the sinks come to together.
struct Frozen {
    texts: Symbols,
    evidence: Evidence,
    named: Vec<Dynamic>,
    edges: Vec<Vec<RawEdge>>,
}

fn merge_sinks(mut sinks: Vec<Sink<'_>>, first: usize, attacks: &[&'static Attack]) -> Frozen {
    let tables: Vec<Symbols> = sinks.iter_mut().map(|s| std::mem::take(&mut s.texts)).collect();
    let (texts, maps) = merge(&tables);
    drop(tables);
    let mut named: Vec<Dynamic> =
        sinks.iter().flat_map(|s| s.dynamic.items().iter().cloned()).collect();
    named.sort_unstable();
    named.dedup();
    named.shrink_to_fit();
    let mut evidence = Evidence::default();
    let mut list = Vec::new();
    let mut edges = Vec::new();
    for (mut sink, syms) in sinks.into_iter().zip(&maps) {
        let text = |sym: Sym| syms.get(sym.index()).copied().unwrap_or(Sym::EMPTY);
        let of: Vec<u16> = sink
            .attacks
            .iter()
            .map(|a| attacks.iter().position(|b| a.id == b.id).unwrap_or(usize::from(u16::MAX)))
            .map(|place| u16::try_from(place).unwrap_or(u16::MAX))
            .collect();
        let whys: Vec<WhyId> = sink
            .evidence
            .records()
            .map(|(facts, says)| {
                list.clear();
                list.extend(facts.iter().map(|fact| fact.with_texts(text)));
                evidence.add(&list, Says { attack: of[usize::from(says.attack)], ..says })
            })
            .collect();
        let dynamic: Vec<usize> = sink
            .dynamic
            .items()
            .iter()
            .map(|d| first + named.binary_search(d).unwrap_or(0))
            .collect();
        let node = |id: NodeId| match id.index().checked_sub(first) {
            Some(number) => NodeId::new(dynamic[number]),
            None => id,
        };
        for raw in sink.edges.iter_mut().flatten() {
            raw.from = node(raw.from);
            raw.to = node(raw.to);
            raw.edge.why = whys[raw.edge.why.index()];
        }
        edges.append(&mut sink.edges);
    }
    let new = evidence.sort();
    for raw in edges.iter_mut().flatten() {
        raw.edge.why = new[raw.edge.why.index()];
    }
    Frozen { texts, evidence, named, edges }
}

/// How many members each set has, those of the sets within it included. Sets may stand in sets, to
/// any depth, and each is counted once. O(edges out of sets).
fn set_sizes(graph: &Graph) -> Vec<u32> {
    let first = graph.layout.first_dynamic();
    let mut sizes = vec![None; graph.node_count() - first];
    let mut stack: Vec<(usize, bool)> = Vec::new();
    for place in 0..sizes.len() {
        stack.push((place, false));
        while let Some((place, counted)) = stack.pop() {
            let within = || {
                let members = graph.outgoing(NodeId::new(first + place));
                let mut members: Vec<(usize, NodeId)> =
                    members.map(|(edge, member)| (graph.attack_place(edge), member)).collect();
                // Several edges lead to one member where several facts make it one.
                members.sort_unstable();
                members.dedup();
                members
            };
            let set = |member: NodeId| {
                (graph.kind(member) == NodeKind::Set).then(|| member.index() - first)
            };
            if counted {
                // What stands behind a door is there once, however many attacks gain something of it.
                let members = within();
                let alike = members.chunk_by(|a, b| a.0 == b.0);
                let size = |(_, member): &(usize, NodeId)| {
                    set(*member).map_or(1, |set| sizes[set].unwrap_or(0))
                };
                let most = alike.map(|of| of.iter().map(size).sum::<u32>()).max();
                sizes[place] = Some(most.unwrap_or(0));
            } else if sizes[place].is_none() {
                // A set that stands in itself adds nothing to itself.
                sizes[place] = Some(0);
                stack.push((place, true));
                let within = within().into_iter().filter_map(|(_, member)| set(member));
                stack.extend(within.map(|set| (set, false)));
            }
        }
    }
    sizes.into_iter().map(Option::unwrap_or_default).collect()
}
