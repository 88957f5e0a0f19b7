//! Pictures: what they show, that a second reader of DOT sees the same, that the SVG is XML, and
//! that no name gets out of its place. The graphs have edges of their own, so that nothing here
//! depends on which attacks there are. `PICTURES=folder` at build time keeps the SVG files.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::format_push_string,
    reason = "helpers of tests fail by panicking"
)]

use crate::fixtures::{ends, world};
use dot_parser::{ast, canonical};
use kspm_graph::attack;
use kspm_graph::graph::{
    Attack, Confidence, Graph, NodeId, NodeKind, Odds, SetKey, SetKind, Thing,
};
use kspm_graph::query::{Answer, Severity, Step};
use kspm_graph::report::dot::dot;
use kspm_graph::report::picture::{LIMIT, Picture};
use kspm_graph::report::svg::{Engine, svg};
use kspm_graph::sym::Sym;
use kspm_graph::world::hosts::Host;
use kspm_graph::world::{
    AccountIx, BindingIx, NamespaceIx, NodeIx, ObjectId, PodIx, RoleIx, SecretIx, WorkloadIx, World,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

macro_rules! attacks {
    ($($name:ident $id:literal $structure:literal;)*) => {
        $(attack! {
            /// An attack of these tests.
            static $name = {
                id: $id, title: $id, mitre: &[], odds: Odds::certain(1.0), structure: $structure,
            }
        })*
        static ATTACKS: &[&Attack] = &[$(&$name),*];
    };
}

// Sorted by id, as a graph wants them.
attacks! {
    BOUND "bound-to" true;
    IN_POD "container-in-pod" true;
    ESCAPE "escape-privileged" false;
    EXPLOIT "exploit-application" false;
    EXPOSED "exposed-ingress" false;
    ADMIN "is-cluster-admin" false;
    NODE_PODS "node-owns-pods" false;
    EXEC "pod-exec" false;
    STEAL "pod-steal-by-eviction" false;
    TOKEN "pod-uses-service-account" false;
    SECRET "secret-read" false;
    MEMBER "set-member" true;
    WORKLOAD "workload-controls-pod" true;
}

static PODS: SetKind = SetKind { id: "pods", noun: "running pods" };
static BOTH: SetKind = SetKind { id: "steal", noun: "eviction here and a node there" };

fn thing(world: &World, word: &str) -> Thing<'static> {
    let (kind, rest) = word.split_once('/').unwrap_or((word, ""));
    let (ns, name) = rest.split_once('/').unwrap_or(("", rest));
    let named = |s: Sym, text: &str| world.text(s) == text;
    let at = |found: Option<usize>| found.unwrap_or_else(|| panic!("`{word}` is not there"));
    match kind {
        "internet" => Thing::Internet,
        "cluster-admin" => Thing::ClusterAdmin,
        "entry" => Thing::Entry(0),
        "sa" => Thing::Account(AccountIx::new(at(world
            .accounts
            .iter()
            .position(|a| named(a.ns, ns) && named(a.name, name))))),
        "pod" => Thing::Pod(pod(world, ns, name)),
        "container" => Thing::Container(Host::Pod(pod(world, ns, name)), 0),
        "workload" => Thing::Workload(WorkloadIx::new(at(world
            .workloads
            .iter()
            .position(|w| named(w.ns, ns) && named(w.name, name))))),
        "secret" => Thing::Secret(SecretIx::new(at(world
            .secrets
            .iter()
            .position(|s| named(s.ns, ns) && named(s.name, name))))),
        "node" => {
            Thing::Node(NodeIx::new(at(world.nodes.iter().position(|n| named(n.name, name)))))
        }
        "namespace-admin" => Thing::NamespaceAdmin(NamespaceIx::new(at(world
            .namespaces
            .iter()
            .position(|n| named(n.name, name))))),
        "binding" => Thing::Binding(BindingIx::new(at(world
            .bindings
            .iter()
            .position(|b| named(b.name, name))))),
        "role" => {
            Thing::Role(RoleIx::new(at(world.roles.iter().position(|r| named(r.name, name)))))
        }
        "pods" => {
            let ns = world.namespaces.iter().find(|n| named(n.name, name)).unwrap().name;
            Thing::Set(SetKey { kind: &PODS, ns, of: 0 })
        }
        "gate" => Thing::Gate(SetKey { kind: &BOTH, ns: Sym::EMPTY, of: 0 }),
        other => panic!("`{other}` is no kind of thing"),
    }
}

fn pod(world: &World, ns: &str, name: &str) -> PodIx {
    let found =
        world.pods.iter().position(|p| world.text(p.ns) == ns && world.text(p.name) == name);
    PodIx::new(found.unwrap_or_else(|| panic!("no pod `{ns}/{name}`")))
}

/// A graph of a cluster with exactly the given edges: `FROM -> TO attack likelihood [confidence]`.
fn graph(yaml: &str, edges: &str) -> Graph {
    let lines: Vec<&str> = edges.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    Graph::freeze(
        Arc::new(world(yaml)),
        ATTACKS.to_vec(),
        &[()],
        |(), world, sink| {
            for line in &lines {
                let words: Vec<&str> = line.split_whitespace().collect();
                let attack = ATTACKS.iter().find(|a| a.id == words[3]).expect(line);
                let likelihood: f64 = words[4].parse().unwrap();
                let confidence =
                    words.get(5).map_or(Confidence::Certain, |c| Confidence::named(c).unwrap());
                let fact = sink.fact(ObjectId(0), ".spec", line);
                let (from, to) = (thing(world, words[0]), thing(world, words[2]));
                sink.edge_with(from, to, attack, Odds { likelihood, confidence }, &[fact]);
            }
        },
        |_, _, _| {},
    )
}

fn node(graph: &Graph, word: &str) -> NodeId {
    match word.split_once('/').map_or(word, |(kind, _)| kind) {
        "entry" => graph.nodes().find(|n| graph.kind(*n) == NodeKind::Entry).unwrap(),
        "container" => {
            let found = ends(graph, &format!("{word}/app"));
            found[0]
        }
        "workload" => {
            let (ns, name) = word.trim_start_matches("workload/").split_once('/').unwrap();
            ends(graph, &format!("workload/{ns}/Deployment/{name}"))[0]
        }
        _ => ends(graph, word)[0],
    }
}

/// A step from one thing to another, through sets and gates.
fn step(graph: &Graph, from: NodeId, to: NodeId, needs: Vec<usize>) -> Step {
    let mut back = BTreeMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        for (edge, next) in graph.outgoing(at) {
            let passes = matches!(graph.kind(next), NodeKind::Set | NodeKind::Gate);
            if (passes || next == to) && !back.contains_key(&next) {
                back.insert(next, edge);
                queue.push_back(next);
            }
        }
    }
    let mut edges = Vec::new();
    let mut at = to;
    while at != from {
        let edge = back[&at];
        edges.insert(0, edge);
        at = graph.ends(edge).0;
    }
    let nodes: Vec<NodeId> = edges.iter().map(|e| graph.ends(*e).1).collect();
    Step {
        from,
        to,
        attack: graph.attack(edges[0]),
        by: Vec::new(),
        likelihood: edges
            .iter()
            .map(|e| kspm_graph::graph::likelihood_of(u64::from(graph.cost(*e))))
            .product(),
        confidence: edges.iter().map(|e| graph.confidence(*e)).max().unwrap(),
        set: nodes.into_iter().rev().find(|n| graph.kind(*n) == NodeKind::Set),
        edges,
        needs,
    }
}

/// An answer whose steps lead along the words.
fn path(graph: &Graph, words: &str) -> Answer {
    let nodes: Vec<NodeId> = words.split(" -> ").map(|w| node(graph, w)).collect();
    let steps = nodes.windows(2).map(|w| step(graph, w[0], w[1], Vec::new())).collect();
    answer(steps)
}

fn answer(steps: Vec<Step>) -> Answer {
    Answer {
        query: "test".to_owned(),
        severity: Severity::High,
        score: 50.0,
        from: steps[0].from,
        to: steps[steps.len() - 1].to,
        fingerprint: String::new(),
        pair: String::new(),
        likelihood: 0.5,
        impact: 1.0,
        confidence: Confidence::Certain,
        steps,
        cut: None,
        alternatives: 0,
        folded: 1,
        nodes: Vec::new(),
        needs_exploit: false,
        system: false,
    }
}

/// A shop of some workloads, pods, accounts and Secrets.
fn shop(workloads: &[&str]) -> String {
    let mut yaml = String::from(
        "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Node
metadata: {name: worker-1}
---
apiVersion: v1
kind: Node
metadata: {name: ip-10-0-131-27.eu-central-1.compute.internal}
---
apiVersion: v1
kind: Secret
metadata: {name: registry-credentials, namespace: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 34.1.2.3}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: deployer}
rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: deployers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: deployer}
subjects: [{kind: ServiceAccount, name: ci, namespace: shop}]
",
    );
    for name in workloads {
        yaml += &format!(
            "---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {name}, namespace: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop, uid: d-{name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: app, image: x}}]}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: {name}-5d8f
  namespace: shop
  uid: r-{name}
  ownerReferences: [{{apiVersion: apps/v1, kind: Deployment, name: {name}, uid: d-{name}, controller: true}}]
spec: {{selector: {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: app, image: x}}]}}}}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: {name}-5d8f-x2x4z
  namespace: shop
  labels: {{app: {name}}}
  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {name}-5d8f, uid: r-{name}, controller: true}}]
spec: {{nodeName: worker-1, serviceAccountName: {name}, containers: [{{name: app, image: x}}]}}
status: {{phase: Running}}
"
        );
    }
    yaml
}

fn keep(name: &str, picture: &Picture) {
    if let Some(folder) = option_env!("PICTURES") {
        std::fs::write(format!("{folder}/{name}.svg"), svg(picture, Engine::Embedded)).unwrap();
        std::fs::write(format!("{folder}/{name}-dot.svg"), svg(picture, Engine::Dot)).unwrap();
        std::fs::write(format!("{folder}/{name}.dot"), dot(picture)).unwrap();
    }
}

/// Five steps from the internet to everything.
fn small() -> Picture {
    let graph = graph(
        &shop(&["web", "ci"]),
        "internet -> entry exposed-ingress 1.0
        entry -> pods/shop exposed-ingress 0.9 likely
        pods/shop -> pod/shop/web-5d8f-x2x4z set-member 1.0
        pods/shop -> pod/shop/ci-5d8f-x2x4z set-member 1.0
        pod/shop/web-5d8f-x2x4z -> container/shop/web-5d8f-x2x4z exploit-application 0.3 possible
        container/shop/web-5d8f-x2x4z -> sa/shop/web pod-uses-service-account 0.98
        sa/shop/web -> cluster-admin is-cluster-admin 1.0",
    );
    let answer = path(
        &graph,
        "internet -> entry -> pod/shop/web-5d8f-x2x4z -> container/shop/web-5d8f-x2x4z -> sa/shop/web -> cluster-admin",
    );
    Picture::of_answers(&graph, &[answer])
}

const MEDIUM: &[&str] =
    &["web", "api", "cart", "checkout-recommendation-service-with-a-long-name", "ci", "db"];

/// Several paths that share nodes.
fn medium() -> Picture {
    let mut edges = String::from(
        "internet -> entry exposed-ingress 1.0
        entry -> workload/shop/web exposed-ingress 0.9 likely
        entry -> workload/shop/api exposed-ingress 0.9 likely
        sa/shop/web -> secret/shop/registry-credentials secret-read 0.98
        sa/shop/api -> secret/shop/registry-credentials secret-read 0.98
        sa/shop/web -> pods/shop pod-exec 0.95
        secret/shop/registry-credentials -> sa/shop/ci pod-exec 0.9 unknown
        sa/shop/ci -> binding/deployers bound-to 1.0
        binding/deployers -> cluster-admin is-cluster-admin 1.0
        node/worker-1 -> cluster-admin is-cluster-admin 0.4 possible
        node/worker-1 -> sa/shop/db node-owns-pods 0.9
        sa/shop/db -> namespace-admin/shop secret-read 0.6
        ",
    );
    for name in MEDIUM {
        let pod = format!("shop/{name}-5d8f-x2x4z");
        edges += &format!(
            "workload/shop/{name} -> pod/{pod} workload-controls-pod 1.0
            pods/shop -> pod/{pod} set-member 1.0
            pod/{pod} -> container/{pod} container-in-pod 1.0
            container/{pod} -> sa/shop/{name} pod-uses-service-account 0.98
            container/{pod} -> node/worker-1 escape-privileged 0.95 likely
            "
        );
    }
    let graph = graph(&shop(MEDIUM), &edges);
    let pod =
        |name: &str| format!("pod/shop/{name}-5d8f-x2x4z -> container/shop/{name}-5d8f-x2x4z");
    let paths = [
        format!(
            "internet -> entry -> workload/shop/web -> {} -> sa/shop/web -> secret/shop/registry-credentials -> sa/shop/ci -> binding/deployers -> cluster-admin",
            pod("web")
        ),
        format!(
            "internet -> entry -> workload/shop/api -> {} -> node/worker-1 -> cluster-admin",
            pod("api")
        ),
        format!(
            "internet -> entry -> workload/shop/api -> {} -> sa/shop/api -> secret/shop/registry-credentials",
            pod("api")
        ),
        format!("sa/shop/web -> {} -> sa/shop/cart", pod("cart")),
        format!(
            "sa/shop/web -> {} -> node/worker-1 -> sa/shop/db -> namespace-admin/shop",
            pod("checkout-recommendation-service-with-a-long-name")
        ),
        format!("sa/shop/web -> {} -> node/worker-1", pod("db")),
        format!("workload/shop/ci -> {} -> sa/shop/ci", pod("ci")),
    ];
    let answers: Vec<Answer> = paths.iter().map(|p| path(&graph, p)).collect();
    Picture::of_answers(&graph, &answers)
}

/// Two things needed at once.
fn gated() -> Picture {
    let graph = graph(
        &shop(&["web", "ci"]),
        "internet -> container/shop/web-5d8f-x2x4z exploit-application 0.3 possible
        container/shop/web-5d8f-x2x4z -> node/worker-1 escape-privileged 0.95
        container/shop/web-5d8f-x2x4z -> sa/shop/web pod-uses-service-account 0.98
        node/worker-1 -> gate pod-steal-by-eviction 1.0
        sa/shop/web -> gate pod-steal-by-eviction 1.0
        gate -> sa/shop/ci pod-steal-by-eviction 0.7 likely
        sa/shop/ci -> cluster-admin is-cluster-admin 1.0",
    );
    let at = |word: &str| node(&graph, word);
    let container = at("container/shop/web-5d8f-x2x4z");
    let (worker, web, ci) = (at("node/worker-1"), at("sa/shop/web"), at("sa/shop/ci"));
    let answer = answer(vec![
        step(&graph, at("internet"), container, vec![]),
        step(&graph, container, worker, vec![]),
        step(&graph, container, web, vec![]),
        step(&graph, web, ci, vec![1, 2]),
        step(&graph, ci, at("cluster-admin"), vec![]),
    ]);
    Picture::of_answers(&graph, &[answer])
}

/// What a second reader sees in a DOT text: how many nodes and edges.
fn read(text: &str) -> (BTreeSet<String>, usize) {
    let parsed = ast::Graph::try_from(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let graph = canonical::Graph::from(parsed);
    (graph.nodes.set.keys().map(ToString::to_string).collect(), graph.edges.set.len())
}

#[test]
fn a_second_reader_sees_every_node_and_edge() {
    for picture in [small(), medium(), gated(), Picture::default()] {
        let (nodes, edges) = read(&dot(&picture));
        assert_eq!((nodes.len(), edges), (picture.nodes.len(), picture.edges.len()));
    }
}

#[test]
fn a_picture_of_a_graph_has_all_of_it() {
    let graph = kspm_graph::attacks::derive(Arc::new(world(&shop(MEDIUM))));
    let picture = Picture::of_graph(&graph).unwrap();
    assert_eq!(picture.nodes.len(), graph.node_count());
    assert_eq!(picture.edges.len(), graph.edge_count());
    let (nodes, edges) = read(&dot(&picture));
    assert_eq!((nodes.len(), edges), (graph.node_count(), graph.edge_count()));
    keep("whole", &picture);
    check_xml(&svg(&picture, Engine::Embedded));
}

#[test]
fn a_large_graph_is_refused_with_help() {
    let yaml: String = (0..LIMIT)
        .map(|i| {
            format!("---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s{i}, namespace: a}}\n")
        })
        .collect();
    let error = Picture::of_graph(&graph(&yaml, "")).unwrap_err();
    assert!(error.nodes > LIMIT);
    assert!(error.to_string().contains("--focus"), "{error}");
}

#[test]
fn answers_show_their_steps_and_fold_sets() {
    let picture = small();
    keep("small", &picture);
    let kinds: Vec<&str> = picture.nodes.iter().map(|n| n.kind.name()).collect();
    assert_eq!(kinds, ["Internet", "Entry", "Pod", "Container", "ServiceAccount", "ClusterAdmin"]);
    assert_eq!(picture.edges.len(), 5);
    assert_eq!(picture.edges[1].note, "0.90 · 1 of 2 running pods");
    assert!(picture.nodes[0].start && picture.nodes[5].goal);
}

#[test]
fn answers_share_what_they_have_in_common() {
    let picture = medium();
    keep("medium", &picture);
    let mut ids: Vec<NodeId> = picture.nodes.iter().map(|n| n.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), picture.nodes.len(), "a node is drawn once");
    let shared = picture.edges.iter().filter(|e| e.label == "exposed-ingress").count();
    assert_eq!(shared, 3, "so is a step of several answers");
}

#[test]
fn a_gate_joins_what_it_needs() {
    let picture = gated();
    keep("gated", &picture);
    let gate = picture.nodes.iter().position(|n| n.kind == NodeKind::Gate).unwrap();
    let into: Vec<_> = picture.edges.iter().filter(|e| e.to == gate).collect();
    let out: Vec<_> = picture.edges.iter().filter(|e| e.from == gate).collect();
    assert_eq!((into.len(), out.len()), (2, 1));
    assert_eq!(out[0].label, "pod-steal-by-eviction");
}

const HOSTILE: &[&str] = &[
    r#"quote" ]; evil [label="x"#,
    r"back\slash\N\l\",
    "<b>bold</b><script>alert(1)</script>",
    "bidi\u{202e}txet",
    "esc\u{1b}[2Jape",
    "line\nbreak\r\n",
    "--><!--",
    "&lt;&#x3c;script&#62;",
    "]]>",
    "\u{0}\u{8}\u{ffff}",
];

#[test]
fn hostile_names_stay_names() {
    let mut yaml = shop(&["web"]);
    for name in HOSTILE {
        let subject = serde_json::json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [
                {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name},
                {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name},
            ],
        });
        // YAML takes fewer characters as they are than JSON does.
        let escaped: String = subject
            .to_string()
            .chars()
            .map(|c| match u32::from(c) {
                0x20..=0x7e => c.to_string(),
                code => format!("\\u{code:04x}"),
            })
            .collect();
        yaml += &format!("---\n{escaped}\n");
    }
    let graph = kspm_graph::attacks::derive(Arc::new(world(&yaml)));
    let picture = Picture::of_graph(&graph).unwrap();
    let text = dot(&picture);
    let (nodes, edges) = read(&text);
    assert_eq!((nodes.len(), edges), (graph.node_count(), graph.edge_count()));
    let drawn = svg(&picture, Engine::Embedded);
    keep("hostile", &picture);
    check_xml(&drawn);
    assert!(!drawn.contains("<script") && !drawn.contains("<b>"));
    for out in [text, drawn] {
        let bad = out.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(bad, None);
    }
}

#[test]
fn drawings_are_xml_and_stay_the_same() {
    for picture in [small(), medium(), gated(), Picture::default()] {
        let drawn = svg(&picture, Engine::Embedded);
        assert_eq!(drawn, svg(&picture, Engine::Embedded));
        assert!(drawn.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
        assert!(drawn.contains(" viewBox=\"0 0 ") && drawn.contains("<title>"));
        assert!(!drawn.contains(" id=\"") && !drawn.contains("href"));
        check_xml(&drawn);
    }
}

#[test]
fn any_engine_gives_a_drawing() {
    for engine in [Engine::Auto, Engine::Dot] {
        let drawn = svg(&gated(), engine);
        assert!(drawn.starts_with("<svg") && drawn.contains("viewBox="), "{drawn}");
        assert!(drawn.contains("ClusterAdmin") && drawn.contains("<title>"));
    }
}

/// Fails where a text is not well-formed XML of elements, texts and the five entities.
fn check_xml(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text.trim_end();
    let allowed = |c: char| !c.is_control() || c == '\n';
    assert!(text.chars().all(allowed), "a control character");
    while let Some(at) = rest.find('<') {
        check_entities(&rest[..at]);
        let end = rest[at..].find('>').expect("an open tag") + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (body, empty) = tag.strip_suffix('/').map_or((tag, false), |b| (b, true));
        let (name, mut attributes) = body.split_once(' ').unwrap_or((body, ""));
        assert!(name.chars().all(|c| c.is_ascii_lowercase()), "{tag}");
        let mut seen = BTreeSet::new();
        while !attributes.trim().is_empty() {
            let (key, after) = attributes.trim_start().split_once("=\"").expect(tag);
            let (value, after) = after.split_once('"').expect(tag);
            assert!(key.chars().all(|c| c.is_ascii_alphabetic() || c == '-'), "{tag}");
            assert!(seen.insert(key), "{key} twice in {tag}");
            check_entities(value);
            attributes = after;
        }
        if !empty {
            open.push(name);
        }
        assert!(!open.is_empty() || rest.is_empty(), "more than one root");
    }
    assert!(open.is_empty() && rest.is_empty(), "{open:?} {rest:?}");
}

fn check_entities(text: &str) {
    for after in text.split('&').skip(1) {
        let known = ["lt;", "gt;", "amp;", "quot;", "#39;"];
        assert!(known.iter().any(|e| after.starts_with(e)), "&{after}");
    }
    assert!(!text.contains("]]>"), "{text}");
}
