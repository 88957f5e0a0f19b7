//! Questions, held against slower ways of answering them and against small clusters.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says what is wrong by failing, and a measurement by telling"
)]

use crate::fixtures::{graph, world};
use kspm_graph::attacks;
use kspm_graph::graph::{Attack, Graph, NodeId, NodeKind, Odds, SetKey, SetKind, Sink, Thing};
use kspm_graph::query::search::{Direction, Filter, NEVER, Next, Proof, Search, cost_in};
use kspm_graph::query::selector::Selector;
use kspm_graph::query::steps::steps;
use kspm_graph::query::{Answer, Asker, Query, Severity, blast, fingerprint, library, paths, why};
use kspm_graph::sym::Sym;
use kspm_graph::world::{AccountIx, PodIx, World};
use petgraph::algo::dijkstra;
use petgraph::visit::EdgeRef;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

kspm_graph::attack! {
    /// An attack of the tests.
    pub static MADE_UP = {
        id: "made-up", title: "Made up", mitre: &["T1000"], odds: Odds::certain(0.9),
    }
}

kspm_graph::attack! {
    /// An exploit of the tests.
    pub static EXPLOIT_APP = {
        id: "exploit-made-up", title: "Exploit", mitre: &["T1000"], odds: Odds::possible(0.1),
    }
}

static POINTS: SetKind = SetKind { id: "points", noun: "points" };

/// A graph of the catalogue's edges and more.
fn with(world: World, more: impl Fn(&World, &mut Sink<'_>) + Sync) -> Graph {
    let mut known: Vec<&'static Attack> = attacks::attacks();
    known.extend([&MADE_UP, &EXPLOIT_APP]);
    known.sort_unstable_by_key(|a| a.id);
    let families: Vec<usize> = (0..=attacks::CATALOGUE.len()).collect();
    let find = |family: &usize, world: &World, sink: &mut Sink<'_>| match attacks::CATALOGUE
        .get(*family)
    {
        Some(family) => (family.find)(world, sink),
        None => more(world, sink),
    };
    Graph::freeze(Arc::new(world), known, &families, find, |_, _, _| {})
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
            let fact = sink.fact(world.pods[0].object, ".made[0]", &format!("{}", n % facts));
            let odds = Odds::certain(f64::from(*percent) / 100.0);
            let (from, to) = (point(kinds, &names, *from), point(kinds, &names, *to));
            sink.edge_with(from, to, &MADE_UP, odds, &[fact]);
        }
        // Every point is a node, though it may have no edge of the test's.
        for i in 0..kinds.len() {
            let fact = sink.fact(world.pods[0].object, ".made[0]", "exists");
            sink.edge(point(kinds, &names, i), Thing::ClusterAdmin, &MADE_UP, &[fact]);
        }
    });
    let nodes = (0..kinds.len()).map(|i| graph.node(&point(kinds, &names, i)).unwrap()).collect();
    (graph, nodes)
}

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
                let cost = u64::from(graph.edge(edge).cost);
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

fn forward<'g>(graph: &'g Graph, roots: &[NodeId]) -> Search<'g> {
    let mut search = Search::new(graph);
    let all = |_, _| Next::Expand;
    search.run(Direction::Forward, roots, &Filter::default(), None, usize::MAX, all);
    search
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
        let reached = |without: Option<kspm_graph::graph::Fact>| {
            let mut filter = Filter::default();
            without.into_iter().for_each(|fact| filter.remove_fact(fact));
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
        let mut known: BTreeSet<kspm_graph::graph::Fact> = BTreeSet::new();
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
        let edges = &edges[..edges.len().min(24)];
        let (graph, nodes) = toy(&kinds, edges);
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
                links.push(kspm_graph::query::search::Link { edge, from: node, to: next });
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

/// A cluster with two admins, a way round, a door and pods behind it.
const SHOP: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot, namespace: ops}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: idle, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {serviceAccountName: web, containers: [{name: app, image: web, ports: [{containerPort: 80}]}]}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-6f7d
  namespace: shop
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, controller: true, uid: a}]
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {serviceAccountName: web, containers: [{name: app, image: web}]}
---
POD1
---
POD2
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 8.8.8.8}]}}
---
apiVersion: v1
kind: Service
metadata: {name: side, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 8.8.4.4}]}}
---
apiVersion: v1
kind: Secret
metadata: {name: web-token-HASH1, namespace: shop, annotations: {kubernetes.io/service-account.name: web}}
type: kubernetes.io/service-account-token
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: robots}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
- {kind: ServiceAccount, name: robot, namespace: ops}
- {kind: ServiceAccount, name: idle, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: people}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: User, name: una}, {kind: ServiceAccount, name: robot, namespace: ops}]
";

fn shop(pods: [&str; 2], hash: &str) -> Graph {
    let pod = |name: &str| {
        format!(
            "apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: shop
  labels: {{app: web}}
  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: web-6f7d, controller: true, uid: b}}]
spec: {{serviceAccountName: web, nodeName: worker, containers: [{{name: app, image: web, ports: [{{containerPort: 80}}]}}]}}
status: {{phase: Running}}"
        )
    };
    let yaml =
        SHOP.replace("POD1", &pod(pods[0])).replace("POD2", &pod(pods[1])).replace("HASH1", hash);
    with(world(&yaml), |world, sink| {
        for (i, service) in world.services.iter().enumerate() {
            let fact = sink.fact(service.object, ".spec.type", "LoadBalancer");
            let door = Thing::Entry(u32::try_from(i).unwrap());
            sink.edge_with(Thing::Internet, door, &MADE_UP, Odds::certain(1.0), &[fact]);
            for pod in (0..world.pods.len()).map(PodIx::new) {
                let host = kspm_graph::world::exposure::Host::Pod(pod);
                sink.edge(door, Thing::Container(host, 0), &EXPLOIT_APP, &[fact]);
            }
        }
        for (pod, row) in world.pods.iter().enumerate() {
            let host = kspm_graph::world::exposure::Host::Pod(PodIx::new(pod));
            let fact = sink.fact(row.object, ".spec.serviceAccountName", "web");
            sink.edge(
                Thing::Container(host, 0),
                Thing::Account(row.account.unwrap()),
                &MADE_UP,
                &[fact],
            );
        }
        let account = |name: &str| {
            let found = world.accounts.iter().position(|a| world.text(a.name) == name);
            Thing::Account(AccountIx::new(found.unwrap()))
        };
        let secret = sink.fact(world.secrets[0].object, ".type", "token");
        sink.edge(account("web"), account("robot"), &MADE_UP, &[secret]);
    })
}

fn named<'a>(queries: &'a [Query], id: &str) -> &'a Query {
    queries.iter().find(|q| q.id == id).unwrap()
}

fn ask(graph: &Graph, from: &str, to: &str) -> Vec<Answer> {
    let query = Query::between(Selector::parse(from).unwrap(), Selector::parse(to).unwrap());
    Asker::new(graph).ask(&query).answers
}

/// A path as one line.
fn line(graph: &Graph, answer: &Answer) -> String {
    let mut text = String::new();
    for step in &answer.steps {
        let _ = write!(text, "{} -{}> ", graph.name(step.from), step.attack.id);
    }
    text + &answer.steps.last().map_or_else(String::new, |s| graph.name(s.to).into_owned())
}

#[test]
fn a_path_from_the_internet_is_an_answer_for_each_door() {
    let graph = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let queries = library::builtin(&attacks::attacks()).unwrap();
    let outcome = Asker::new(&graph).ask(named(&queries, "internet-to-cluster-admin"));
    let lines: Vec<String> = outcome.answers.iter().map(|a| line(&graph, a)).collect();
    let rest = "-exploit-made-up> web-6f7d-aaaaa/app -made-up> web -made-up> robot -is-cluster-admin> cluster-admin";
    assert_eq!(
        lines,
        [
            format!("internet -made-up> service/side {rest}"),
            format!("internet -made-up> service/web {rest}"),
        ]
    );
    let answer = &outcome.answers[0];
    assert!(answer.needs_exploit && !answer.system);
    assert_eq!(graph.name(answer.door(&graph).unwrap()), "service/side");
    assert!((answer.likelihood - 0.1 * 0.9 * 0.9).abs() < 1e-3, "{}", answer.likelihood);
    assert_eq!(answer.severity, Severity::Medium);
    // The other replica, and the other binding.
    assert_eq!(answer.alternatives, 2);
    // Nothing closes the two bindings at once, but the token does, and the account's field, which
    // is the same in each replica.
    let cut = answer.cut.as_ref().unwrap();
    assert_eq!(
        (graph.view(cut.fact).field, cut.closes, cut.of),
        (".spec.serviceAccountName", 2, 2)
    );
    assert_ne!(outcome.answers[0].pair, outcome.answers[1].pair);
}

#[test]
fn many_sources_of_one_target_are_one_search() {
    let graph = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let queries = library::builtin(&attacks::attacks()).unwrap();
    let mut asker = Asker::new(&graph);
    let outcome = asker.ask(named(&queries, "service-account-to-cluster-admin"));
    let lines: Vec<String> = outcome.answers.iter().map(|a| line(&graph, a)).collect();
    assert_eq!(
        lines,
        [
            "robot -is-cluster-admin> cluster-admin",
            "idle -is-cluster-admin> cluster-admin",
            "web -made-up> robot -is-cluster-admin> cluster-admin",
        ]
    );
    let robot = &outcome.answers[0];
    assert_eq!(robot.cut, None, "two bindings, and taking one away leaves the other");
    let idle = outcome.answers[1].cut.as_ref().unwrap();
    assert_eq!(graph.view(idle.fact).field, ".subjects[1]");
    assert_eq!((idle.closes, idle.of), (1, 3));
    assert_eq!(robot.steps[0].edges.len(), 2, "the binding is part of the step");
    let unused = asker.ask(named(&queries, "unused-powerful-accounts"));
    let names: Vec<_> = unused.answers.iter().map(|a| graph.name(a.from)).collect();
    assert_eq!(names, ["robot", "idle"]);
    assert!(unused.answers.iter().all(|a| a.severity <= Severity::High));
}

#[test]
fn the_whole_library_can_be_asked() {
    let graph = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let queries = library::builtin(&attacks::attacks()).unwrap();
    let mut asker = Asker::new(&graph);
    let mut answered = BTreeMap::new();
    for query in &queries {
        let outcome = asker.ask(query);
        for answer in &outcome.answers {
            assert!(!answer.steps.is_empty());
            assert!(answer.severity <= query.severity);
        }
        answered.insert(query.id.as_str(), outcome.answers.len());
    }
    assert_eq!(answered["people-to-cluster-admin"], 2, "una and system:masters");
    assert_eq!(answered["namespace-escape"], 3, "from shop into ops; from both to the cluster");
}

#[test]
fn fingerprints_outlive_pods() {
    let queries = library::builtin(&attacks::attacks()).unwrap();
    let prints = |graph: &Graph| {
        let mut asker = Asker::new(graph);
        let answers = queries.iter().flat_map(|q| asker.ask(q).answers);
        answers.map(|a| (a.pair, a.fingerprint)).collect::<BTreeSet<_>>()
    };
    let before = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let after = shop(["zz-6f7d-99999", "web-6f7d-00000"], "aaaaa");
    assert_eq!(prints(&before), prints(&after));
    assert!(prints(&before).len() > 5);
    let key = |graph: &Graph, text: &str| {
        let nodes = Selector::parse(text).unwrap().select(graph).unwrap();
        fingerprint::key(graph, nodes[0])
    };
    assert_eq!(key(&before, "secret/shop/*"), "shop/ServiceAccount/web#token");
    assert_eq!(key(&before, "container/shop/*"), "shop/Deployment/web#app");
    assert_eq!(key(&before, "node/worker"), "Node/worker");
}

#[test]
fn ends_are_folded_to_workloads() {
    let graph = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let answers = ask(&graph, "container/shop/*", "cluster-admin");
    assert_eq!(answers.len(), 1);
    assert_eq!(graph.name(answers[0].from), "Deployment/web");
    assert_eq!(answers[0].folded, 2);
    assert_eq!(graph.name(answers[0].steps[0].from), "web-6f7d-aaaaa/app");
    let answers = ask(&graph, "deploy/shop/web", "sa/shop/web");
    assert_eq!(line(&graph, &answers[0]), "Deployment/web -made-up> web");
    assert_eq!(answers[0].steps[0].edges.len(), 3);
}

#[test]
fn ways_can_be_avoided_and_asked_for() {
    let graph = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let parse = |text| Selector::parse(text).unwrap();
    let mut query = Query::between(parse("sa/shop/web"), parse("cluster-admin"));
    let mut asker = Asker::new(&graph);
    assert_eq!(asker.ask(&query).answers.len(), 1);
    query.avoid = vec![library::Avoid::parse("sa/ops/*", graph.attacks()).unwrap()];
    assert!(asker.ask(&query).answers.is_empty());
    query.avoid = vec![library::Avoid::parse("made-up", graph.attacks()).unwrap()];
    assert!(asker.ask(&query).answers.is_empty());
    query.avoid.clear();
    query.via = Some(parse("clusterrolebinding/people"));
    let answers = asker.ask(&query).answers;
    let bindings: Vec<_> = answers[0].steps[1].edges.iter().map(|e| graph.ends(*e).1).collect();
    assert_eq!(graph.name(bindings[0]), "people");
    query.via = Some(parse("user/una"));
    assert!(asker.ask(&query).answers.is_empty());
}

#[test]
fn several_paths_of_a_pair_do_not_read_alike() {
    let graph = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let parse = |text| Selector::parse(text).unwrap();
    let query = Query::between(parse("internet"), parse("cluster-admin"));
    let answers = Asker::new(&graph).ask_more(&query, 3).answers;
    let prints: BTreeSet<_> = answers.iter().map(|a| &a.fingerprint).collect();
    assert_eq!(prints.len(), answers.len());
    assert_eq!(answers.len(), 2, "the second binding and the second replica read alike");
}

#[test]
fn a_gate_makes_a_tree() {
    // 0 holds 1; 0 takes 2; both open the gate 3, which leads to 4.
    let edges = [(0, 1, 90), (0, 2, 80), (1, 3, 100), (2, 3, 100), (3, 4, 50)];
    let (graph, nodes) = toy(&[0, 1, 0, 2, 0], &edges);
    let search = forward(&graph, &nodes[..1]);
    let proof = search.proof(&Filter::default(), nodes[4]).unwrap();
    let steps = steps(&graph, &proof);
    let read: Vec<_> = steps.iter().map(|s| (s.from, s.to, s.needs.as_slice())).collect();
    assert_eq!(
        read,
        [
            (nodes[0], nodes[2], &[][..]),
            (nodes[0], nodes[3], &[][..]),
            (nodes[2], nodes[4], &[1][..]),
        ]
    );
    // A source with a gate on its way is searched exactly; one that opens half of it has no path.
    let answers = ask(&graph, "cloud/p000, cloud/p002", "cloud/p004");
    assert_eq!(answers.len(), 1);
    assert!((answers[0].likelihood - 0.9 * 0.8 * 0.5).abs() < 1e-3);
    let not = why::why_not(
        &graph,
        &mut Search::new(&graph),
        &nodes[2..3],
        &nodes[4..],
        &Filter::default(),
    );
    assert!(!not.reachable);
    assert_eq!(not.half_open.len(), 1);
    assert_eq!(
        (&not.half_open[0].held[..], &not.half_open[0].missing[..]),
        (&nodes[2..3], &nodes[1..2])
    );
}

#[test]
fn selectors_select() {
    let graph = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let names = |text: &str| {
        let nodes = Selector::parse(text).unwrap().select(&graph).unwrap();
        nodes.iter().map(|n| graph.name(*n).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names("internet, anonymous, cluster-admin"),
        ["internet", "cluster-admin", "system:anonymous"]
    );
    assert_eq!(names("SA/shop/*"), ["default", "idle", "web"]);
    assert_eq!(names("deploy/*/web"), ["Deployment/web"]);
    assert_eq!(names("container/shop/web-6f7d-a*/app"), ["web-6f7d-aaaaa/app"]);
    assert_eq!(names("pod ns:shop label:app=web").len(), 2);
    assert_eq!(names("pod -name:*bbbbb"), ["web-6f7d-aaaaa"]);
    assert_eq!(names("sa unused -absent -name:default"), ["robot", "idle"]);
    assert_eq!(names("ns/shop"), ["shop", "shop"]);
    assert_eq!(names("service/shop/web"), ["service/web"]);
    let error = |text: &str| Selector::parse(text).unwrap().select(&graph).unwrap_err().to_string();
    assert_eq!(
        error("sa/shop/robot"),
        "`sa/shop/robot` matches nothing in the snapshot\nhelp: did you mean `sa/ops/robot`?"
    );
    assert!(error("sa/shop/wep").contains("did you mean `sa/shop/web`"));
    assert!(error("pod/shop/web").contains("`workload/shop/Deployment/web`"));
    assert!(error("pv/nothing").contains("no PersistentVolume at all"));
    assert!(error("pod privileged").contains("leave out one term"));
}

#[test]
fn a_blast_is_counted_by_kind() {
    let graph = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let from = Selector::parse("internet").unwrap().matches(&graph);
    let blast = blast::blast(&graph, &mut Search::new(&graph), &from, &Filter::default());
    let counts: Vec<_> = blast.classes.iter().map(|c| (c.kind, c.reached.len())).collect();
    assert_eq!(counts[0], (NodeKind::ClusterAdmin, 1));
    assert!(counts.contains(&(NodeKind::Workload, 1)));
    assert!(blast.share > 0.0 && blast.share < 1.0);
}

#[test]
fn why_lists_every_way_of_one_step() {
    let graph = shop(["web-6f7d-aaaaa", "web-6f7d-bbbbb"], "x7k2p");
    let one = |text: &str| Selector::parse(text).unwrap().matches(&graph)[0];
    let chains = why::why(&graph, one("sa/ops/robot"), one("cluster-admin"));
    assert_eq!(chains.len(), 2, "two bindings");
    assert!(chains.iter().all(|c| c.edges.len() == 2));
    assert_eq!(why::why(&graph, one("deploy/shop/web"), one("sa/shop/web")).len(), 2);
    assert!(why::why(&graph, one("sa/shop/web"), one("cluster-admin")).is_empty());
}

#[test]
fn an_empty_snapshot_has_no_answers() {
    let graph = graph("");
    let queries = library::builtin(&attacks::attacks()).unwrap();
    let mut asker = Asker::new(&graph);
    for query in queries.iter().filter(|q| q.id != "people-to-cluster-admin") {
        assert!(asker.ask(query).answers.is_empty(), "{}", query.id);
    }
    assert!(Selector::parse("internet,anonymous,cluster-admin").unwrap().select(&graph).is_ok());
}

/// `cargo test --release -- --ignored --nocapture at_scale` tells the times.
#[test]
#[ignore = "a measurement"]
fn at_scale() {
    const ACCOUNTS: usize = 20_000;
    const SETS: usize = 2_000;
    const CONTAINERS: usize = 300_000;
    const NODES: usize = 5_000;
    const SECRETS: usize = 100_000;
    let text = |letter: char, i: usize| format!("{letter}{i:06}");
    let graph = with(world(POD), |world, sink| {
        let key =
            |i: usize| SetKey { kind: &POINTS, ns: Sym::EMPTY, of: u32::try_from(i).unwrap() };
        let (set, gate) = (|i: usize| Thing::Set(key(i)), |i: usize| Thing::Gate(key(i)));
        let object = world.pods[0].object;
        for i in 0..CONTAINERS {
            let fact = sink.fact(object, ".spec.a", &format!("{}", i % 50_000));
            let me = text('c', i);
            let account = text('a', i % ACCOUNTS);
            let node = text('n', i % NODES);
            let secret = text('x', i % SECRETS);
            sink.edge(set(i % SETS), Thing::Cloud(&me), &MADE_UP, &[fact]);
            sink.edge(Thing::Cloud(&me), Thing::Cloud(&account), &MADE_UP, &[fact]);
            sink.edge(Thing::Cloud(&me), Thing::Cloud(&secret), &MADE_UP, &[fact]);
            sink.edge(Thing::Cloud(&node), Thing::Cloud(&me), &MADE_UP, &[fact]);
            if i % 3 == 0 {
                sink.edge(Thing::Cloud(&me), Thing::Cloud(&node), &MADE_UP, &[fact]);
            }
            sink.edge(Thing::Cloud(&me), set(SETS), &EXPLOIT_APP, &[fact]);
        }
        for i in 0..SETS {
            let fact = sink.fact(object, ".spec.b", &format!("{i}"));
            sink.edge(set(SETS), set(i), &MADE_UP, &[fact]);
        }
        for i in 0..ACCOUNTS {
            let fact = sink.fact(object, ".subjects[0]", &format!("{i}"));
            let me = text('a', i);
            for k in 0..10 {
                sink.edge(Thing::Cloud(&me), set((i * 7 + k) % SETS), &MADE_UP, &[fact]);
            }
            sink.edge(Thing::Cloud(&me), gate(i % 2), &MADE_UP, &[fact]);
            if i % 1000 == 0 {
                sink.edge(Thing::Cloud(&me), Thing::ClusterAdmin, &MADE_UP, &[fact]);
            }
        }
        let fact = sink.fact(object, ".spec.c", "c");
        sink.edge(gate(0), gate(2), &MADE_UP, &[fact]);
        sink.edge(gate(1), gate(2), &MADE_UP, &[fact]);
        sink.edge(gate(2), Thing::ClusterAdmin, &MADE_UP, &[fact]);
        for i in 0..40 {
            sink.edge(Thing::Internet, set(i * 3), &EXPLOIT_APP, &[fact]);
        }
    });
    eprintln!("{} nodes, {} edges", graph.node_count(), graph.edge_count());
    let mut asker = Asker::new(&graph);
    for (from, to, pairs) in [
        ("internet", "cluster-admin", library::Pairs::All),
        ("internet", "cloud/n*", library::Pairs::All),
        ("internet", "cloud/x*", library::Pairs::All),
        ("cloud/a*", "cluster-admin", library::Pairs::All),
        ("cloud/n*", "cluster-admin", library::Pairs::All),
        ("cloud/c*", "cloud/n*", library::Pairs::Nearest),
        ("cloud/a*", "cloud/x0000*", library::Pairs::Nearest),
        ("cloud/a00*", "cloud/x0000*", library::Pairs::All),
    ] {
        let parse = |text| Selector::parse(text).unwrap();
        let mut query = Query::between(parse(from), parse(to));
        query.id = "scale".to_owned();
        query.pairs = pairs;
        let start = std::time::Instant::now();
        let outcome = asker.ask(&query);
        let cut = outcome.answers.iter().filter(|a| a.cut.is_some()).count();
        eprintln!(
            "{from} -> {to}: {:?}, {} answers, {} left out, {} undecided, partial {}, {cut} cut",
            start.elapsed(),
            outcome.answers.len(),
            outcome.left_out,
            outcome.undecided,
            outcome.partial,
        );
    }
}
