//! Random graphs: the searches against petgraph and against evaluators too simple to be wrong.

use super::{ask, forward, toy, toy_of};
use kspm_graph::graph::{Fact, Graph, NodeId, NodeKind};
use kspm_graph::query::filter::{Filter, Gone};
use kspm_graph::query::search::{Direction, Link, NEVER, Next, Proof, Search, cost_in};
use kspm_graph::query::steps::steps;
use kspm_graph::query::{fingerprint, paths};
use petgraph::algo::dijkstra;
use petgraph::visit::EdgeRef;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Small random graphs: kinds of points, and edges with likelihoods in percent.
fn toys(gates: bool) -> impl Strategy<Value = (Vec<u8>, Vec<(usize, usize, u16)>)> {
    let kind = if gates {
        prop_oneof![3 => Just(0_u8), 1 => Just(1), 2 => Just(2)].boxed()
    } else {
        (0_u8..2).boxed()
    };
    (2_usize..14).prop_flat_map(move |n| {
        let edge = (0..n, 0..n, prop_oneof![Just(100_u16), 1_u16..100]);
        (prop::collection::vec(kind.clone(), n), prop::collection::vec(edge, 0..40))
    })
}

/// The obvious evaluator: costs fall until nothing changes.
fn fixpoint(graph: &Graph, roots: &[NodeId]) -> BTreeMap<NodeId, (u64, u64)> {
    let mut best: BTreeMap<NodeId, (u64, u64)> = roots.iter().map(|r| (*r, (0, 0))).collect();
    loop {
        let mut changed = false;
        for node in graph.nodes().filter(|n| !roots.contains(n)) {
            let mut ways: BTreeMap<NodeId, Vec<(u64, u64)>> = BTreeMap::new();
            for (edge, from) in graph.incoming(node) {
                let cost = u64::from(graph.cost(edge));
                let way = best.get(&from).map(|(c, n)| (c + cost, n + 1));
                ways.entry(from).or_default().extend(way);
            }
            let least: Vec<Option<(u64, u64)>> =
                ways.values().map(|w| w.iter().min().copied()).collect();
            let value = if graph.kind(node) == NodeKind::Gate {
                let all: Option<Vec<(u64, u64)>> = least.into_iter().collect();
                all.filter(|a| !a.is_empty())
                    .map(|a| a.iter().fold((0, 0), |(c, n), (d, m)| (c + d, n + m)))
            } else {
                least.into_iter().flatten().min()
            };
            if let Some(value) = value
                && best.get(&node).is_none_or(|old| value < *old)
            {
                best.insert(node, value);
                changed = true;
            }
        }
        if !changed {
            return best;
        }
    }
}

/// Whether a proof holds: every edge starts at a root or at what an earlier edge gained, and a gate
/// has all of its inputs.
fn check(graph: &Graph, roots: &[NodeId], proof: &Proof) -> Result<(), TestCaseError> {
    let mut held: BTreeSet<NodeId> = roots.iter().copied().collect();
    let mut edges = BTreeSet::new();
    for (i, link) in proof.links.iter().enumerate() {
        prop_assert_eq!(graph.ends(link.edge), (link.from, link.to));
        prop_assert!(held.contains(&link.from), "used before it is held");
        prop_assert!(edges.insert(link.edge), "an edge twice");
        let last = !proof.links[i + 1..].iter().any(|l| l.to == link.to);
        if graph.kind(link.to) == NodeKind::Gate {
            let inputs: BTreeSet<NodeId> = graph.incoming(link.to).map(|(_, n)| n).collect();
            let given = proof.links.iter().filter(|l| l.to == link.to).map(|l| l.from);
            prop_assert_eq!(given.collect::<BTreeSet<_>>(), inputs);
        } else {
            prop_assert!(last, "gained twice");
        }
        if last {
            prop_assert!(held.insert(link.to), "it was held already");
        }
    }
    prop_assert!(held.contains(&proof.target));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_gates_it_is_dijkstra((kinds, edges) in toys(false)) {
        let (graph, nodes) = toy(&kinds, &edges);
        let search = forward(&graph, &nodes[..1]);
        let oracle = dijkstra(&graph, nodes[0], None, |e| u64::from(*e.weight()));
        for node in graph.nodes() {
            let key = search.key(node);
            prop_assert_eq!((key != NEVER).then(|| cost_in(key)), oracle.get(&node).copied());
        }
        let mut back = Search::new(&graph);
        let target = *nodes.last().unwrap();
        let all = |_, _| Next::Expand;
        back.run(Direction::Backward, &[target], &Filter::default(), None, usize::MAX, all);
        let oracle = dijkstra(petgraph::visit::Reversed(&graph), target, None, |e| u64::from(*e.weight()));
        for node in graph.nodes() {
            let key = back.key(node);
            prop_assert_eq!((key != NEVER).then(|| cost_in(key)), oracle.get(&node).copied());
        }
    }

    #[test]
    fn with_gates_it_is_the_least_fixpoint((kinds, edges) in toys(true)) {
        let (graph, nodes) = toy(&kinds, &edges);
        let search = forward(&graph, &nodes[..2]);
        let oracle = fixpoint(&graph, &nodes[..2]);
        for node in graph.nodes() {
            let key = search.key(node);
            let found = (key != NEVER).then(|| (cost_in(key), key & 0xFF_FFFF));
            prop_assert_eq!(found, oracle.get(&node).copied(), "{}", graph.name(node));
            if let Some(proof) = search.proof(&Filter::default(), node) {
                check(&graph, &nodes[..2], &proof)?;
                prop_assert!(proof.cost(&graph) <= cost_in(key));
                let steps = steps(&graph, &proof);
                let edges: BTreeSet<_> = steps.iter().flat_map(|s| &s.edges).collect();
                let all: BTreeSet<_> = proof.links.iter().map(|l| &l.edge).collect();
                prop_assert_eq!(edges, all, "steps hold every edge");
                for (i, step) in steps.iter().enumerate() {
                    prop_assert!(step.needs.iter().all(|n| *n < i));
                    let known = nodes[..2].contains(&step.from)
                        || steps[..i].iter().any(|s| s.to == step.from);
                    prop_assert!(known, "a step starts where an earlier one ended");
                }
            }
        }
    }

    #[test]
    fn a_guide_changes_nothing_but_the_work((kinds, edges) in toys(true)) {
        let (graph, nodes) = toy(&kinds, &edges);
        let plain = forward(&graph, &nodes[..1]);
        let none = Filter::default();
        for target in &nodes[1..] {
            let mut search = Search::new(&graph);
            search.run(Direction::Backward, &[*target], &none, None, usize::MAX, |_, _| Next::Expand);
            let guide = search.tree();
            // The guide never asks for more than the truth.
            if plain.key(*target) != NEVER {
                prop_assert!(guide.key(nodes[0]) <= plain.key(*target));
            }
            search.run(Direction::Forward, &nodes[..1], &none, Some(&guide), usize::MAX, |n, _| {
                if n == *target { Next::Stop } else { Next::Expand }
            });
            prop_assert_eq!(search.key(*target), plain.key(*target));
        }
    }

    #[test]
    fn more_edges_are_never_worse((kinds, edges) in toys(true), from in 0_usize..14, to in 0_usize..14) {
        let (from, to) = (from % kinds.len(), to % kinds.len());
        // One more input is one more condition.
        prop_assume!(kinds[to] != 2);
        let mut more = edges.clone();
        more.push((from, to, 50));
        let ((less, points), (graph, others)) = (toy(&kinds, &edges), toy(&kinds, &more));
        let (before, after) = (forward(&less, &points[..1]), forward(&graph, &others[..1]));
        for (a, b) in points.iter().zip(&others) {
            prop_assert!(after.key(*b) <= before.key(*a));
        }
    }

    #[test]
    fn a_cut_closes_what_it_says((kinds, edges) in toys(true), facts in 1_usize..8, one in any::<bool>()) {
        let mut kinds = kinds;
        kinds[0] = 0;
        let (graph, nodes) = toy_of(&kinds, &edges, facts);
        let all: Vec<NodeId> = nodes.iter().copied().filter(|n| graph.kind(*n) == NodeKind::CloudIdentity).collect();
        let (from, to) = if one { ("cloud/p000", "cloud/*") } else { ("cloud/*", "cloud/p000") };
        let answers = ask(&graph, from, to);
        // What remains without each fact, looked at from scratch.
        let reached = |without: Option<Fact>| {
            let mut filter = Filter::default();
            without.into_iter().for_each(|fact| filter.remove_fact(Gone::new(&graph.fields(), fact)));
            let mut pairs = BTreeSet::new();
            for source in if one { &all[..1] } else { &all[..] } {
                let mut search = Search::new(&graph);
                search.run(Direction::Forward, &[*source], &filter, None, usize::MAX, |_, _| Next::Expand);
                for target in if one { &all[..] } else { &all[..1] } {
                    if search.key(*target) != NEVER && target != source {
                        pairs.insert((*source, *target));
                    }
                }
            }
            pairs
        };
        let before = reached(None);
        let pairs: BTreeSet<_> = answers.iter().map(|a| (a.from, a.to)).collect();
        prop_assert_eq!(&pairs, &before, "every pair that has a path is answered");
        let mut known: BTreeSet<Fact> = BTreeSet::new();
        for node in graph.nodes() {
            known.extend(graph.outgoing(node).filter(|(e, _)| graph.attack(*e).id == "made-up").flat_map(|(e, _)| graph.facts(e)));
        }
        let after: Vec<_> = known.into_iter().map(|f| (f, reached(Some(f)))).collect();
        for answer in &answers {
            let pair = (answer.from, answer.to);
            let best = after.iter().filter(|(_, left)| !left.contains(&pair)).map(|(_, left)| before.len() - left.len()).max();
            prop_assert_eq!(answer.cut.as_ref().map(|c| c.closes), best);
            if let Some(cut) = &answer.cut {
                prop_assert_eq!(cut.of, before.len());
                let left = after.iter().find(|(f, _)| *f == cut.fact).map(|(_, left)| left);
                prop_assert!(left.is_some_and(|left| !left.contains(&pair)));
            }
        }
    }

    #[test]
    fn the_best_few_are_the_best_few((kinds, edges) in toys(false)) {
        // No step is sure, so that nothing but the target amounts to the target: what follows from
        // what does is no way of its own (`no_detour_from_what_amounts_to_the_target`).
        let edges: Vec<_> = edges.iter().take(24).map(|(a, b, p)| (*a, *b, (*p).min(99))).collect();
        let (graph, nodes) = toy(&kinds, &edges);
        let (from, to) = (nodes[0], *nodes.last().unwrap());
        let mut search = Search::new(&graph);
        let found = paths::best(&graph, &mut search, (&[from], &[to]), &Filter::default(), 4, usize::MAX);
        let mut costs: Vec<u64> = found.iter().map(|p| p.cost(&graph)).collect();
        for proof in &found {
            check(&graph, &[from], proof)?;
        }
        prop_assert!(costs.is_sorted());
        // Every simple path, each way of reading it once.
        let mut all: BTreeMap<String, u64> = BTreeMap::new();
        let mut stack = vec![(from, Vec::new(), vec![from])];
        let mut visits = 0;
        while let Some((node, links, passed)) = stack.pop() {
            visits += 1;
            prop_assume!(visits < 100_000);
            for (edge, next) in graph.outgoing(node).filter(|(_, n)| !passed.contains(n)) {
                let mut links: Vec<_> = links.clone();
                links.push(Link { edge, from: node, to: next });
                if next == to {
                    let proof = Proof { target: to, links };
                    let name = fingerprint::path(&graph, "", &steps(&graph, &proof));
                    let cost = proof.cost(&graph);
                    all.entry(name).and_modify(|c| *c = cost.min(*c)).or_insert(cost);
                } else {
                    let mut passed = passed.clone();
                    passed.push(next);
                    stack.push((next, links, passed));
                }
            }
        }
        let mut wanted: Vec<u64> = all.into_values().collect();
        wanted.sort_unstable();
        wanted.truncate(4);
        costs.sort_unstable();
        prop_assert_eq!(costs, wanted);
    }
}

/// Who holds an administrator's account holds the cluster: that the account may also take over a
/// second administrator's adds no path.
#[test]
fn no_detour_from_what_amounts_to_the_target() {
    let edges =
        [(0, 1, 90), (1, 2, 100), (1, 3, 100), (3, 2, 100), (0, 3, 50), (0, 4, 40), (4, 1, 99)];
    let (graph, nodes) = toy(&[0; 5], &edges);
    let mut search = Search::new(&graph);
    let (from, to) = ([nodes[0]], [nodes[2]]);
    let best = paths::best(&graph, &mut search, (&from, &to), &Filter::default(), 9, usize::MAX);
    let places = |proof: &Proof| -> Vec<usize> {
        proof.links.iter().map(|l| nodes.iter().position(|n| *n == l.to).unwrap()).collect()
    };
    let found: Vec<_> = best.iter().map(places).collect();
    assert_eq!(found, [vec![1, 2], vec![3, 2], vec![4, 1, 2]]);
}
