//! What one answer stands for, and how it is told.

use super::ask;
use crate::fixtures::graph;
use kspm_graph::graph::{Graph, NodeKind};
use kspm_graph::input::Origin;
use kspm_graph::query::{Answer, Summary, spell};
use kspm_graph::report::{FORMATS, Lines, Report, Snapshot, Style};
use std::fmt::Write;

struct Nowhere;

impl Lines for Nowhere {
    fn lines(&self, wanted: &[(Origin, &str)]) -> Vec<Option<u64>> {
        vec![None; wanted.len()]
    }
}

/// Answers in a format.
fn written(graph: &Graph, answers: &[Answer], format: &str) -> String {
    let report = Report {
        graph,
        snapshot: &Snapshot::default(),
        coverage: &[],
        answers,
        findings: &[],
        paths_asked: 1,
        summary: Summary::of(answers),
        notes: &[],
        lines: &Nowhere,
        style: Style { width: 120, colour: false, most: 20 },
    };
    let mut out = Vec::new();
    let format = FORMATS.iter().find(|f| f.name == format).unwrap();
    (format.write)(&report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn names(graph: &Graph, answer: &Answer) -> Vec<String> {
    answer.nodes.iter().map(|node| spell(graph, *node)).collect()
}

/// Nodes of pools with a pod of a DaemonSet on each, which may share the node's processes.
fn agents(nodes: &[(&str, &str, bool)]) -> String {
    let mut yaml = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: ops, uid: d}
spec: {selector: {matchLabels: {a: b}}, template: {spec: {containers: [{name: c, image: i}]}}}"
        .to_owned();
    for (node, pool, host_pid) in nodes {
        write!(
            yaml,
            "
---
apiVersion: v1
kind: Node
metadata: {{name: {node}, labels: {{eks.amazonaws.com/nodegroup: {pool}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: agent-{node}, namespace: ops, ownerReferences: [{{apiVersion: apps/v1, kind: DaemonSet, name: agent, uid: d, controller: true}}]}}
spec: {{nodeName: {node}, hostPID: {host_pid}, serviceAccountName: default, volumes: [{{name: t, projected: {{sources: [{{serviceAccountToken: {{path: token}}}}]}}}}], containers: [{{name: c, image: i, securityContext: {{privileged: true}}, volumeMounts: [{{name: t, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}}]}}]}}
status: {{phase: Running}}"
        )
        .unwrap();
    }
    yaml
}

#[test]
fn nodes_of_a_pool_with_one_way_are_one_answer() {
    let nodes =
        [("n1", "big", false), ("n2", "big", false), ("n3", "big", true), ("n4", "small", false)];
    let graph = graph(&agents(&nodes));
    let answers = ask(&graph, "workload/ops/*", "node/*");
    let read: Vec<_> =
        answers.iter().map(|a| (spell(&graph, a.to), names(&graph, a), a.folded)).collect();
    // Another pool and another way are answers of their own.
    let both = vec!["node/n1".to_owned(), "node/n2".to_owned()];
    assert_eq!(read.len(), 3, "{read:?}");
    assert!(read.contains(&("node/n1".to_owned(), both, 2)), "{read:?}");
    assert!(read.iter().filter(|(_, nodes, _)| nodes.is_empty()).count() == 2, "{read:?}");
    let text = written(&graph, &answers, "text");
    assert!(
        text.contains("DaemonSet ops/agent reaches node n1 (and 1 more node of its pool)"),
        "{text}"
    );
    assert!(text.contains("  = nodes: n1, n2\n"), "{text}");
    assert!(written(&graph, &answers, "json").contains(r#""nodes":["n1","n2"]"#));
    // Order and names do not depend on which was read first.
    let turned: Vec<_> = nodes.iter().rev().copied().collect();
    let graph = crate::fixtures::graph(&agents(&turned));
    assert_eq!(written(&graph, &ask(&graph, "workload/ops/*", "node/*"), "text"), text);
}

#[test]
fn nodes_are_joined_where_paths_begin_too() {
    let yaml = agents(&[("n1", "big", true), ("n2", "big", true)])
        + "
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: x}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: default, namespace: ops}]";
    let graph = graph(&yaml);
    let answers = ask(&graph, "node/n*", "cluster-admin");
    assert_eq!(answers.len(), 1);
    assert_eq!(names(&graph, &answers[0]), ["node/n1", "node/n2"]);
    let text = written(&graph, &answers, "text");
    assert!(text.contains("node n1 (and 1 more node of its pool) reaches cluster-admin"), "{text}");
}

/// Machines of AWS with a pod of a DaemonSet on the network of each.
fn machines(nodes: &[(&str, &str, &str)]) -> String {
    let mut yaml = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: ops, uid: d}
spec: {selector: {matchLabels: {a: b}}, template: {spec: {containers: [{name: c, image: i}]}}}"
        .to_owned();
    for (node, label, id) in nodes {
        write!(
            yaml,
            "
---
apiVersion: v1
kind: Node
metadata: {{name: {node}, labels: {{{label}}}}}
spec: {{providerID: 'aws:///eu-1/{id}'}}
---
apiVersion: v1
kind: Pod
metadata: {{name: agent-{node}, namespace: ops, ownerReferences: [{{apiVersion: apps/v1, kind: DaemonSet, name: agent, uid: d, controller: true}}]}}
spec: {{nodeName: {node}, hostNetwork: true, containers: [{{name: c, image: i}}]}}
status: {{phase: Running}}"
        )
        .unwrap();
    }
    yaml
}

#[test]
fn identities_of_the_machines_of_a_pool_are_one_answer() {
    let control = "node-role.kubernetes.io/control-plane: ''";
    let managed = "eks.amazonaws.com/nodegroup: big";
    let nodes = [
        ("n1", "a: b", "i-1"),
        ("n2", "a: b", "i-2"),
        ("n3", "a: b", "i-3"),
        ("cp", control, "i-4"),
        ("m1", managed, "i-5"),
        ("m2", managed, "i-6"),
    ];
    let graph = graph(&machines(&nodes));
    let answers = ask(&graph, "workload/ops/*", "cloud/*");
    let read: Vec<_> = answers.iter().map(|a| (spell(&graph, a.to), names(&graph, a))).collect();
    // The control plane's is another pool's; a managed pool has one identity and stands for itself.
    let own = |id: &str| format!("cloud/aws-instance-role/eu-1/{id}");
    assert_eq!(read.len(), 3, "{read:?}");
    assert!(read.contains(&(own("i-1"), vec![own("i-1"), own("i-2"), own("i-3")])), "{read:?}");
    assert!(read.contains(&(own("i-4"), Vec::new())), "{read:?}");
    assert!(read.contains(&("cloud/aws-instance-role/pool/big".to_owned(), Vec::new())));
    let text = written(&graph, &answers, "text");
    assert!(text.contains("aws-instance-role/eu-1/i-1 (and 2 more of its pool)\n"), "{text}");
    assert!(text.contains("  = identities: aws-instance-role/eu-1/i-1, "), "{text}");

    // A machine that took another's place is the same to who kept the name of the answer.
    let renewed =
        nodes.map(|(node, label, id)| (node, label, if id == "i-1" { "i-9" } else { id }));
    let after = crate::fixtures::graph(&machines(&renewed));
    let prints = |answers: &[Answer]| -> Vec<String> {
        let mut all: Vec<_> = answers.iter().map(|a| a.fingerprint.clone()).collect();
        all.sort();
        all
    };
    assert_eq!(prints(&answers), prints(&ask(&after, "workload/ops/*", "cloud/*")));
}

/// To act as a member of a group is a step of its own, not a word beside what the group may do.
#[test]
fn a_group_that_is_impersonated_is_a_step() {
    let graph = graph(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: acts}
rules:
- {apiGroups: [''], resources: [groups], verbs: [impersonate], resourceNames: [ops]}
- {apiGroups: [''], resources: [users], verbs: [impersonate]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: acts}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: acts}
subjects: [{kind: User, name: ann, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ops}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: Group, name: ops, apiGroup: rbac.authorization.k8s.io}]",
    );
    let told = |from: &str| -> Vec<_> {
        let answers = ask(&graph, from, "cluster-admin");
        assert_eq!(answers.len(), 1);
        let steps = answers[0].steps.iter();
        steps.map(|s| (s.attack.id, spell(&graph, s.to), s.by.len())).collect()
    };
    let admin = ("is-cluster-admin", "cluster-admin".to_owned(), 0);
    assert_eq!(told("user/ann"), [("impersonate-group", "group/ops".to_owned(), 0), admin.clone()]);
    // Who is in the group needs nothing.
    assert_eq!(told("group/ops"), [admin]);
}

#[test]
fn one_path_of_two_queries_is_told_once() {
    let graph = graph(&agents(&[("n1", "big", false), ("n2", "big", false)]));
    let mut answers = ask(&graph, "workload/ops/*", "node/*");
    let mut again = ask(&graph, "workload/ops/*", "node/n2");
    (answers[0].query, again[0].query) = ("first".to_owned(), "second".to_owned());
    answers.extend(again);
    let text = written(&graph, &answers, "text");
    assert_eq!(text.matches(" reaches ").count(), 1, "{text}");
    assert!(text.contains("  = same path: answers second too, as path/v1:"), "{text}");
    assert!(text.contains("1 path: 1 high · 1 answers another query too\n"), "{text}");
    // Scripts get both.
    let json = written(&graph, &answers, "json");
    assert_eq!(json.matches(r#""query":"#).count(), 2);
    assert_eq!(json.matches(r#""same_as":"#).count(), 1);
    // An answer for more nodes than the first is not a repetition.
    answers.reverse();
    assert_eq!(written(&graph, &answers, "text").matches(" reaches ").count(), 2);
}

#[test]
fn a_step_of_several_parts_is_one_step() {
    let yaml = "
apiVersion: v1
kind: Node
metadata: {name: n1}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: both}
rules:
- {apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests], verbs: [create, get]}
- {apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/nodeclient], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: c}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: both}
subjects: [{kind: User, name: sue, apiGroup: rbac.authorization.k8s.io}]";
    let graph = graph(yaml);
    let answers = ask(&graph, "user/sue", "node-identity/n1");
    assert_eq!((answers[0].steps.len(), answers[0].step_count()), (2, 1));
    let text = written(&graph, &answers, "text");
    assert_eq!(text.matches("node-bootstrap").count(), 1, "{text}");
    assert!(text.contains("  1 step · "), "{text}");
    assert!(text.contains("        needs 2 things at once:\n        - "), "{text}");
    assert!(text.contains("rights to read certificates of nodes"), "{text}");
    let json = written(&graph, &answers, "json");
    assert!(json.contains(r#""part":true"#) && json.contains(r#""needs":[0]"#), "{json}");
}

/// Names of sets and gates.
fn sets(graph: &Graph) -> Vec<String> {
    let own = |kind| matches!(kind, NodeKind::Set | NodeKind::Gate);
    graph.nodes_of(own).map(|n| graph.name(n).into_owned()).collect()
}

#[test]
fn sets_are_called_by_what_they_hold() {
    let service = |ns: &str, name: &str| {
        format!(
            "
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {ns}}}
spec: {{type: LoadBalancer, selector: {{a: b}}, ports: [{{name: web, port: 80}}, {{port: 81}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {ns}, labels: {{a: b}}}}
spec: {{nodeName: n1, containers: [{{name: c, image: i}}]}}
status: {{phase: Running}}"
        )
    };
    let few = sets(&graph(&service("shop", "web")));
    assert!(few.contains(&"endpoints of Service shop/web, port 80 (web)".to_owned()), "{few:?}");
    // What is added elsewhere changes no name, though it moves every number.
    let many = sets(&graph(&(service("a", "b") + &service("shop", "web"))));
    assert!(few.iter().all(|name| many.contains(name)), "{few:?} {many:?}");
    let mut once = many.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), many.len(), "{many:?}");
}
