//! Questions, held against slower ways of answering them and against small clusters.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod clusters;
mod folding;
mod gates;
mod network;
mod own;
mod random;

use crate::fixtures::world;
use kspm_graph::attacks;
use kspm_graph::graph::{Attack, Graph, NodeId, Odds, SetKey, SetKind, Sink, Thing};
use kspm_graph::query::filter::Filter;
use kspm_graph::query::search::{Direction, Next, Search};
use kspm_graph::query::selector::Selector;
use kspm_graph::query::{Answer, Asker, Query};
use kspm_graph::sym::Sym;
use kspm_graph::world::World;
use std::sync::Arc;

kspm_graph::attack! {
    /// An attack of the tests.
    static MADE_UP = {
        id: "made-up", title: "Made up", mitre: &["T1000"], odds: Odds::certain(0.9),
    }
}

kspm_graph::attack! {
    /// An exploit of the tests.
    static EXPLOIT_APP = {
        id: "exploit-made-up", title: "Exploit", mitre: &["T1000"], odds: Odds::possible(0.1),
    }
}

static POINTS: SetKind = SetKind { id: "points", noun: "points" };

/// A graph of the structure's edges and more: what other families find would change with them.
fn with(world: World, more: impl Fn(&World, &mut Sink<'_>) + Sync) -> Graph {
    let mut known: Vec<&'static Attack> = attacks::attacks();
    known.extend([&MADE_UP, &EXPLOIT_APP]);
    known.sort_unstable_by_key(|a| a.id);
    let find = |family: &usize, world: &World, sink: &mut Sink<'_>| match family {
        0 => (attacks::CATALOGUE[0].find)(world, sink),
        _ => more(world, sink),
    };
    Graph::freeze(Arc::new(world), known, &[0, 1], find, |_, _, _| {})
}

/// A node of a made-up graph: plain, a set, or a gate.
fn point(kinds: &[u8], names: &[String], i: usize) -> Thing<'static> {
    let key = SetKey { kind: &POINTS, ns: Sym::EMPTY, of: u32::try_from(i).unwrap() };
    match kinds[i] {
        2 => Thing::Gate(key),
        1 => Thing::Set(key),
        _ => Thing::Cloud(Box::leak(names[i].clone().into_boxed_str())),
    }
}

/// A made-up graph, and the node of each point.
fn toy(kinds: &[u8], edges: &[(usize, usize, u16)]) -> (Graph, Vec<NodeId>) {
    toy_of(kinds, edges, usize::MAX)
}

const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}, spec: {}}";

/// The same, with so many facts that every edge needs one of.
fn toy_of(kinds: &[u8], edges: &[(usize, usize, u16)], facts: usize) -> (Graph, Vec<NodeId>) {
    let names: Vec<String> = (0..kinds.len()).map(|i| format!("p{i:03}")).collect();
    let graph = with(world(POD), |world, sink| {
        for (n, (from, to, percent)) in edges.iter().enumerate() {
            let fact = sink.fact(world.pods[0].object, &format!(".made[{}]", n % facts), "");
            let odds = Odds::certain(f64::from(*percent) / 100.0);
            let (from, to) = (point(kinds, &names, *from), point(kinds, &names, *to));
            sink.edge_with(from, to, &MADE_UP, odds, &[fact]);
        }
        // Every point is a node, though it may have no edge of the test's.
        for i in 0..kinds.len() {
            let fact = sink.fact(world.pods[0].object, ".made", "exists");
            sink.edge(point(kinds, &names, i), Thing::ClusterAdmin, &MADE_UP, &[fact]);
        }
    });
    let nodes = (0..kinds.len()).map(|i| graph.node(&point(kinds, &names, i)).unwrap()).collect();
    (graph, nodes)
}

fn forward<'g>(graph: &'g Graph, roots: &[NodeId]) -> Search<'g> {
    let mut search = Search::new(graph);
    let all = |_, _| Next::Expand;
    search.run(Direction::Forward, roots, &Filter::default(), None, usize::MAX, all);
    search
}

/// The answers of a typed question.
fn ask(graph: &Graph, from: &str, to: &str) -> Vec<Answer> {
    let query = Query::between(Selector::parse(from).unwrap(), Selector::parse(to).unwrap());
    Asker::new(graph).ask(&query).answers
}
