//! Small clusters: what the named questions answer, and how selectors read.

use super::{EXPLOIT_APP, MADE_UP, ask, with};
use crate::fixtures::{graph, world};
use kspm_graph::attacks;
use kspm_graph::graph::{Graph, NodeKind, Odds, Thing};
use kspm_graph::query::filter::Filter;
use kspm_graph::query::search::Search;
use kspm_graph::query::selector::Selector;
use kspm_graph::query::{Answer, Asker, Query, Severity, blast, fingerprint, library, why};
use kspm_graph::world::hosts::Host;
use kspm_graph::world::{AccountIx, PodIx};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

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
                let host = Host::Pod(pod);
                sink.edge(door, Thing::Container(host, 0), &EXPLOIT_APP, &[fact]);
            }
        }
        for (pod, row) in world.pods.iter().enumerate() {
            let host = Host::Pod(PodIx::new(pod));
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
    assert_eq!(answer.severity, Severity::High);
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
    assert_eq!(
        answered["namespace-escape"], 1,
        "from shop into ops, where an admin needs no escape"
    );
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
    query.via = Some(parse("secret/*/*"));
    assert!(asker.ask(&query).answers.is_empty());
    query.via = Some(parse("user/una"));
    assert!(asker.ask(&query).answers.is_empty());
    let mut query = Query::between(parse("internet"), parse("cluster-admin"));
    query.via = Some(parse("deploy/shop/web"));
    assert!(!asker.ask(&query).answers.is_empty(), "a way through its pods passes a workload");
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

#[test]
fn a_policy_is_not_what_to_remove() {
    let yaml = r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: z}, spec: {providerID: "azure:///subscriptions/s/vm"}}
- {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: n}, spec: {nodeName: z, containers: [{name: c}]}, status: {phase: Running}}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: out, namespace: n}
  spec: {podSelector: {}, policyTypes: [Egress]}
"#;
    let graph = graph(yaml);
    let text = "{id: q, title: t, why: w, from: container, to: cloud}";
    let query = library::parse("q.yaml", text, &attacks::attacks()).unwrap();
    let outcome = Asker::new(&graph).ask(&query);
    let [answer] = &outcome.answers[..] else { panic!("{} answers", outcome.answers.len()) };
    // The policy is part of the evidence, since it may hold the step back.
    let facts = answer.steps.iter().flat_map(|step| &step.edges).flat_map(|e| graph.facts(*e));
    let policies = facts.filter(|fact| graph.view(*fact).kind == "NetworkPolicy").count();
    assert!(policies > 0);
    assert_eq!(answer.cut, None);
}
