//! Questions to the network: who is found, who is perhaps, and who must not be.

use crate::fixtures::world;
use kspm_graph::attacks;
use kspm_graph::query::library::{self, Query};
use kspm_graph::query::{Asker, Finding, Severity};
use kspm_graph::world::network::State;
use kspm_graph::world::network::plugin::Enforces;
use std::sync::Arc;

/// What a query finds in a cluster, as the command line says that policies are enforced.
fn ask(query: &Query, yaml: &str, enforces: Option<Enforces>) -> Option<Finding> {
    let mut world = world(yaml);
    world.said.enforces = enforces;
    let graph = attacks::derive(Arc::new(world));
    let outcome = Asker::new(&graph).ask(query);
    assert!(outcome.answers.is_empty(), "a packet that arrives is no path");
    outcome.finding
}

fn builtin(id: &str) -> Query {
    let all = library::builtin(&attacks::attacks()).unwrap();
    all.into_iter().find(|q| q.id == id).unwrap()
}

/// `open NAME` and `perhaps NAME`, sorted.
fn list(finding: Option<&Finding>) -> Vec<String> {
    let rows = finding.iter().flat_map(|f| &f.rows);
    let mut all: Vec<String> = rows
        .flat_map(|row| {
            let word = if row.state == State::Allowed { "open" } else { "perhaps" };
            row.subjects.iter().map(move |s| format!("{word} {}", s.name))
        })
        .collect();
    all.sort();
    all
}

fn found(id: &str, yaml: &str, enforces: Enforces) -> Vec<String> {
    list(ask(&builtin(id), yaml, Some(enforces)).as_ref())
}

/// The reason of a workload.
fn reason(finding: &Finding, name: &str) -> String {
    let row = finding.rows.iter().find(|row| row.subjects.iter().any(|s| s.name == name));
    row.map_or_else(|| panic!("{name} is not found"), |row| row.reason.clone())
}

fn pod(ns: &str, name: &str, more: &str) -> String {
    format!(
        "
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {ns}, labels: {{app: {name}}}}}
spec: {{{more} containers: [{{name: c, image: i}}]}}
status: {{phase: Running}}"
    )
}

fn policy(ns: &str, name: &str, spec: &str) -> String {
    format!(
        "
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: {ns}}}
spec: {{{spec}}}"
    )
}

fn namespace(name: &str, labels: &str) -> String {
    format!(
        "\n---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{labels}}}}}"
    )
}

fn node(name: &str, provider: &str, address: &str, labels: &str) -> String {
    format!(
        "
---
apiVersion: v1
kind: Node
metadata: {{name: {name}, labels: {{{labels}}}}}
spec: {{providerID: '{provider}'}}
status: {{addresses: [{{type: InternalIP, address: {address}}}]}}"
    )
}

/// One namespace isolated for ingress, one by a policy that lets everybody in, one without.
fn three() -> String {
    [
        pod("shop", "web", ""),
        pod("shop", "agent", "hostNetwork: true,"),
        pod("shop", "done", "").replace("Running", "Succeeded"),
        pod("wide", "door", ""),
        pod("plain", "app", ""),
        pod("some", "inside", ""),
        pod("some", "outside", ""),
        pod("kube-system", "proxy", ""),
        policy("shop", "default-deny", "podSelector: {}, policyTypes: [Ingress]"),
        policy("wide", "all", "podSelector: {}, policyTypes: [Ingress], ingress: [{}]"),
        policy("some", "one", "podSelector: {matchLabels: {app: inside}}, policyTypes: [Ingress]"),
    ]
    .concat()
}

#[test]
fn a_default_deny_is_of_one_direction() {
    // A policy that admits everybody is no default deny, and one direction says nothing of the
    // other. What has ended has no network, and no policy is for pods on a node's.
    let ingress = found("open-ingress", &three(), Enforces::Yes);
    let own = |list: Vec<String>| -> Vec<String> {
        list.into_iter().filter(|line| !line.contains("kube-system")).collect()
    };
    assert_eq!(
        own(ingress),
        ["open plain/app[Pod]", "open some/outside[Pod]", "open wide/door[Pod]"]
    );
    let egress = found("open-egress", &three(), Enforces::Yes);
    assert_eq!(
        own(egress),
        [
            "open plain/app[Pod]",
            "open shop/web[Pod]",
            "open some/inside[Pod]",
            "open some/outside[Pod]",
            "open wide/door[Pod]",
        ]
    );
    let finding = ask(&builtin("open-ingress"), &three(), Some(Enforces::Yes)).unwrap();
    assert!(finding.notes.iter().any(|n| n.starts_with("1 workload is on its node's")));
    let some = finding.rows.iter().find(|row| row.namespace == "some").unwrap();
    assert_eq!((some.count, some.of), (1, 2));
    let wide = finding.rows.iter().find(|row| row.namespace == "wide").unwrap();
    assert!(wide.reason.contains("wide/all"), "{}", wide.reason);
    assert!(wide.facts.iter().any(|(_, field, _)| field == ".spec.ingress[0]"), "{:?}", wide.facts);
}

#[test]
fn an_unknown_plugin_leaves_it_open() {
    let finding = ask(&builtin("open-ingress"), &three(), None).unwrap();
    let list = list(Some(&finding));
    assert!(list.contains(&"perhaps shop/web[Pod]".to_owned()), "{list:?}");
    assert!(list.contains(&"perhaps some/inside[Pod]".to_owned()), "{list:?}");
    assert!(list.contains(&"open plain/app[Pod]".to_owned()), "{list:?}");
    assert!(list.contains(&"open wide/door[Pod]".to_owned()), "{list:?}");
    assert!(reason(&finding, "shop/web[Pod]").contains("whether NetworkPolicies are enforced"));
}

#[test]
fn a_plugin_that_enforces_nothing_leaves_everything_open_and_is_named() {
    let flannel = "
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-flannel-ds, namespace: kube-flannel, uid: f}
spec:
  selector: {matchLabels: {app: flannel}}
  template:
    metadata: {labels: {app: flannel}}
    spec: {hostNetwork: true, containers: [{name: kube-flannel, image: 'ghcr.io/flannel-io/flannel:v0.25.1'}]}";
    let yaml = format!("{}{flannel}", three());
    let finding = ask(&builtin("open-ingress"), &yaml, None).unwrap();
    assert_eq!(finding.count(State::Unknown), 0);
    let said = reason(&finding, "shop/web[Pod]");
    assert!(said.contains("policies select it") && said.contains("lannel"), "{said}");
    let said = reason(&finding, "plain/app[Pod]");
    assert!(!said.contains("policies select it") && said.contains("lannel"), "{said}");
}

#[test]
fn kinds_that_are_not_evaluated_make_all_unknown() {
    let antrea = "
---
apiVersion: crd.antrea.io/v1beta1
kind: ClusterNetworkPolicy
metadata: {name: strict}
spec: {priority: 1}";
    let finding =
        ask(&builtin("open-ingress"), &format!("{}{antrea}", three()), Some(Enforces::Yes));
    let finding = finding.unwrap();
    assert_eq!(finding.count(State::Allowed), 0, "{finding:?}");
    assert_eq!(finding.count(State::Unknown), finding.of);
    assert!(reason(&finding, "plain/app[Pod]").contains("crd.antrea.io"));
}

#[test]
fn no_policy_at_all_may_be_one_that_was_not_collected() {
    let yaml = pod("shop", "web", "");
    for id in ["open-ingress", "open-egress"] {
        let finding = ask(&builtin(id), &yaml, Some(Enforces::Yes)).unwrap();
        assert_eq!(list(Some(&finding)), ["perhaps shop/web[Pod]"]);
        assert!(reason(&finding, "shop/web[Pod]").contains("or none was collected"));
        // Where none has an effect, it matters little whether there is one.
        assert_eq!(found(id, &yaml, Enforces::No), ["open shop/web[Pod]"]);
    }
}

#[test]
fn an_administrators_denial_is_no_default_deny_but_is_said() {
    let baseline = "
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec:
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: plain}}}
  ingress: [{name: pods, action: Deny, from: [{namespaces: {}}]}]";
    let yaml = format!("{}{baseline}{}", three(), namespace("plain", ""));
    let mut finding = ask(&builtin("open-ingress"), &yaml, Some(Enforces::Yes)).unwrap();
    finding.rows.retain(|row| row.namespace == "plain");
    assert_eq!(list(Some(&finding)), ["perhaps plain/app[Pod]"]);
    assert!(!finding.rows[0].reason.is_empty());
}

#[test]
fn the_metadata_service_is_where_a_cloud_is() {
    let but = "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]";
    let dns =
        "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}]}]";
    let yaml = [
        node("ec2", "aws:///eu/i-1", "10.0.0.1", ""),
        node("gke", "gce://p/z/n", "10.0.0.2", "iam.gke.io/gke-metadata-server-enabled: 'true'"),
        node("own", "kind://d/k/own", "10.0.0.3", ""),
        pod("a", "open", "nodeName: ec2,"),
        pod("a", "agent", "nodeName: gke, hostNetwork: true,"),
        pod("a", "guarded", "nodeName: gke,"),
        pod("a", "home", "nodeName: own,"),
        pod("b", "shut", "nodeName: ec2,"),
        pod("b", "agent", "nodeName: ec2, hostNetwork: true,"),
        pod("b", "waits", ""),
        pod("c", "names", "nodeName: ec2,"),
        pod("d", "waits", ""),
        policy("b", "no-metadata", but),
        policy("c", "dns", dns),
    ]
    .concat();
    assert_eq!(
        found("metadata-from-workloads", &yaml, Enforces::Yes),
        ["open a/agent[Pod]", "open a/open[Pod]", "open b/agent[Pod]", "perhaps d/waits[Pod]"]
    );
    // Policies that may have no effect leave it open whether they close it.
    let perhaps = list(ask(&builtin("metadata-from-workloads"), &yaml, None).as_ref());
    for name in ["b/shut", "b/waits", "c/names"] {
        assert!(perhaps.contains(&format!("perhaps {name}[Pod]")), "{perhaps:?}");
    }
    let finding = ask(&builtin("metadata-from-workloads"), &yaml, Some(Enforces::Yes)).unwrap();
    assert!(reason(&finding, "b/agent[Pod]").contains("its node's network"));
    assert_eq!(finding.severity, Severity::Medium);
}

#[test]
fn kubelets_are_reached_by_what_no_policy_holds_back() {
    let to_nodes = "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24}}], ports: [{port: 10250}]}]";
    let to_one =
        "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.2/32}}]}]";
    let to_web = "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24}}], ports: [{port: 443}]}]";
    let yaml = [
        node("n1", "", "10.0.0.1", ""),
        node("n2", "", "10.0.0.2", ""),
        pod("free", "app", "nodeName: n1,"),
        pod("nodes", "app", "nodeName: n1,"),
        pod("one", "app", "nodeName: n1,"),
        pod("web", "app", ""),
        pod("shut", "app", ""),
        pod("home", "app", "nodeName: n1,"),
        pod("shut", "agent", "nodeName: n1, hostNetwork: true,"),
        policy("nodes", "p", to_nodes),
        policy("one", "p", to_one),
        policy("web", "p", to_web),
        policy("shut", "p", "podSelector: {}, policyTypes: [Egress]"),
        policy("home", "p", "podSelector: {}, policyTypes: [Egress]"),
    ]
    .concat();
    // What goes to a pod's own node is held back by some plugins and not by others.
    assert_eq!(
        found("kubelet-from-workloads", &yaml, Enforces::Yes),
        [
            "open free/app[Pod]",
            "open nodes/app[Pod]",
            "open one/app[Pod]",
            "open shut/agent[Pod]",
            "perhaps home/app[Pod]",
        ]
    );
    // Without a machine in the snapshot there is nothing to ask for.
    assert_eq!(ask(&builtin("kubelet-from-workloads"), &pod("a", "b", ""), None), None);
}

fn labelled() -> String {
    let own = "podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]";
    let all = "podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 8443}]}]";
    let world = "podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]";
    [
        namespace("prod", "env: production"),
        namespace("own", "env: prod"),
        namespace("all", "environment: prod-eu"),
        namespace("edge", "pod-security.kubernetes.io/enforce: restricted"),
        namespace("dev", "env: dev"),
        pod("prod", "app", ""),
        pod("prod", "agent", "hostNetwork: true,"),
        pod("own", "app", ""),
        pod("all", "app", ""),
        pod("edge", "app", ""),
        pod("dev", "app", ""),
        policy("own", "own", own),
        policy("all", "all", all),
        policy("edge", "world", world),
    ]
    .concat()
}

#[test]
fn labelled_namespaces_and_who_comes_in_from_others() {
    let id = "labelled-namespaces-from-outside";
    let mut finding = ask(&builtin(id), &labelled(), Some(Enforces::Yes)).unwrap();
    // Whether a block of public addresses holds a pod is not known where no pod has an address.
    finding.rows.retain(|row| row.namespace != "edge");
    assert_eq!(list(Some(&finding)), ["open all/app[Pod]", "open prod/app[Pod]"]);
    let list = list(ask(&builtin(id), &labelled(), None).as_ref());
    assert!(list.contains(&"perhaps own/app[Pod]".to_owned()), "{list:?}");
    assert!(!list.iter().any(|l| l.contains("dev/")), "{list:?}");
}

#[test]
fn both_ends_have_a_say_between_namespaces() {
    let id = "labelled-namespaces-from-outside";
    let deny = "podSelector: {}, policyTypes: [Egress]";
    let shut: String =
        ["prod", "own", "all", "edge", "dev"].map(|ns| policy(ns, "deny-egress", deny)).concat();
    // Nobody sends anything, so nobody comes in.
    assert_eq!(found(id, &format!("{}{shut}", labelled()), Enforces::Yes), [""; 0]);
    let to = "podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {env: production}}}], ports: [{port: 5432}]}]";
    let yaml = format!("{}{shut}{}", labelled(), policy("dev", "to-db", to));
    assert_eq!(found(id, &yaml, Enforces::Yes), ["open prod/app[Pod]"]);
    // A namespace alone has no others.
    let alone = [namespace("prod", "env: prod"), pod("prod", "a", ""), pod("prod", "b", "")];
    assert_eq!(found(id, &alone.concat(), Enforces::No), [""; 0]);
}

#[test]
fn the_internets_doors_with_what_stands_behind() {
    let service = |ns: &str, spec: &str| {
        format!(
            "
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {ns}}}
spec: {{type: LoadBalancer, selector: {{app: web}}, ports: [{{port: 80}}]}}
status: {{loadBalancer: {{ingress: [{{ip: {spec}}}]}}}}"
        )
    };
    let deny = "podSelector: {}, policyTypes: [Ingress]";
    let yaml = [
        pod("a", "web", ""),
        pod("a", "other", ""),
        pod("b", "web", ""),
        pod("c", "web", ""),
        service("a", "8.8.8.8"),
        service("b", "10.0.0.9"),
        service("c", "8.8.4.4"),
        policy("c", "deny", deny),
    ]
    .concat();
    let query = builtin("exposed-workloads");
    let finding = ask(&query, &yaml, Some(Enforces::No)).unwrap();
    assert_eq!(list(Some(&finding)), ["open a/web[Pod]", "open c/web[Pod]"]);
    assert_eq!(finding.rows[0].subjects[0].by, ["by a/service/web"]);
    assert_eq!(finding.of, 4);
    let list = list(ask(&query, &yaml, None).as_ref());
    assert_eq!(list, ["open a/web[Pod]", "perhaps c/web[Pod]"]);
}

#[test]
fn a_question_of_ones_own() {
    let text = "
id: databases
title: Who reaches the databases?
why: Nobody but the shop should.
over: network
from: pod ns:dev, pod ns:own
to: pod ns:prod
port: 5432, 53/udp
";
    let query = library::parse("mine.yaml", text, &[]).unwrap();
    assert_eq!(query.severity, Severity::Low);
    let deny = policy("own", "deny", "podSelector: {}, policyTypes: [Egress]");
    let finding = ask(&query, &format!("{}{deny}", labelled()), Some(Enforces::Yes)).unwrap();
    assert_eq!(list(Some(&finding)), ["open dev/app[Pod]"]);
    let wrong = |from: &str, to: &str, expected: &str| {
        let text = text.replace(from, to);
        let error = library::parse("mine.yaml", &text, &[]).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("\nhelp: "), "{error}");
    };
    wrong("port: 5432, 53/udp", "", "two selections need a `port`");
    wrong("port: 5432, 53/udp", "port: http", "`http` is no port");
    wrong("port: 5432, 53/udp", "port: 1\nseverity: high", "mine.yaml:9: `high` is too much");
    wrong("port: 5432, 53/udp", "port: 1\navoid: [admin]", "`avoid` is of attack paths");
    wrong("over: network\n", "", "mine.yaml:7: `port` is of questions to the network");
    wrong("from: pod ns:dev, pod ns:own", "from: anybody", "`port` has no meaning");
    wrong("over: network", "over: air", "air");
    let words =
        text.replace("to: pod ns:prod", "to: metadata").replace("from: pod", "from: outside #");
    let error = library::parse("mine.yaml", &words, &[]).unwrap_err().to_string();
    assert!(error.contains("neither end is a selection"), "{error}");
}

#[test]
fn analyze_folds_them_to_a_line_each_and_gates_them_by_name() {
    let shop = crate::cli::cluster("shop");
    let text = crate::cli::stdout(&["analyze", &shop, "-q", "--top", "1"]);
    assert_eq!(text.matches("open-ingress").count(), 1, "{text}");
    let report = crate::cli::json(&["analyze", &shop, "-q", "-o", "json"]);
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.len() >= 5, "{findings:?}");
    let own: Vec<&str> = findings.iter().map(|f| f["query"].as_str().unwrap()).collect();
    let answers = report["answers"].as_array().unwrap();
    assert!(answers.iter().all(|a| !own.contains(&a["query"].as_str().unwrap())));
    for finding in findings {
        assert!(matches!(finding["severity"].as_str(), Some("low" | "medium")), "{finding}");
    }
    let full = crate::cli::stdout(&["query", &shop, "open-ingress", "-q"]);
    assert!(full.starts_with("low: ") && full.contains("no policy decides"), "{full}");
    let gate = ["analyze", &shop, "-q", "--query", "open-ingress", "--fail-on"];
    let by = |expr: &'static str| [&gate[..], &[expr]].concat();
    crate::cli::fails(&by("query:open-ingress@certain"), 1, &["gate failed", "workloads"]);
    crate::cli::stdout(&by("info"));
    crate::cli::fails(
        &["export", &shop, "-o", "dot", "--focus", "open-ingress"],
        2,
        &["no paths to draw"],
    );
}
