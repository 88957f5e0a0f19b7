//! The cases by which the Kubernetes project tests network plugins
//! (`test/e2e/network/netpol/network_policy.go`): namespaces x, y and z with pods a, b and c each,
//! which serve 80 and 81 over TCP, UDP and SCTP.

use super::{Cluster, address, cluster, named, namespace, pod, policy, with};
use serde_json::{Value, json};

const SPACES: &[&str] = &["x", "y", "z"];
const PODS: &[&str] = &["a", "b", "c"];

fn grid(policies: Vec<Value>) -> Cluster {
    let mut items = Vec::new();
    for (n, ns) in SPACES.iter().enumerate() {
        items.push(namespace(ns, json!({ "ns": ns })));
        for (p, name) in PODS.iter().enumerate() {
            let made = pod(&format!("{ns}/{name}"), json!({ "pod": name }));
            let made = with(made, "/spec/nodeName", json!(format!("n-{ns}-{name}")));
            let made = named(
                made,
                json!([
                { "name": "serve-80-tcp", "containerPort": 80 },
                { "name": "serve-81-tcp", "containerPort": 81 },
                { "name": "serve-80-udp", "containerPort": 80, "protocol": "UDP" },
                { "name": "serve-81-udp", "containerPort": 81, "protocol": "UDP" },
                { "name": "serve-80-sctp", "containerPort": 80, "protocol": "SCTP" }]),
            );
            // Each in a block of its own, so that a block of addresses can mean one.
            items.push(address(made, &format!("10.{n}.{p}.9")));
        }
    }
    items.extend(policies);
    cluster(items)
}

/// Every pair of pods on a port is open, but for those that are not.
#[track_caller]
fn only(cluster: &Cluster, on: &str, open: impl Fn(&str, &str) -> bool) {
    let pods: Vec<String> =
        SPACES.iter().flat_map(|ns| PODS.iter().map(move |p| format!("{ns}/{p}"))).collect();
    for from in &pods {
        for to in &pods {
            let expected = if from == to || open(from, to) { "yes" } else { "no" };
            cluster.holds(&[(from, to, on, expected)]);
        }
    }
}

fn label(key: &str, value: &str) -> Value {
    json!({ "matchLabels": { key: value } })
}

/// A policy in x over pod a.
fn on_a(name: &str, mut spec: Value) -> Value {
    spec["podSelector"] = label("pod", "a");
    policy(&format!("x/{name}"), spec)
}

fn from(peers: Value) -> Value {
    json!({ "policyTypes": ["Ingress"], "ingress": [{ "from": peers }] })
}

#[test]
fn default_deny_of_ingress() {
    let deny = policy("x/deny", json!({ "podSelector": {}, "policyTypes": ["Ingress"] }));
    only(&grid(vec![deny]), "80", |_, to| !to.starts_with("x/"));
}

#[test]
fn default_deny_of_all() {
    let types = json!(["Ingress", "Egress"]);
    let deny = policy("x/deny", json!({ "podSelector": {}, "policyTypes": types }));
    only(&grid(vec![deny]), "80", |from, to| !to.starts_with("x/") && !from.starts_with("x/"));
}

#[test]
fn from_pods_of_all_namespaces_by_label() {
    let spec = from(json!([{ "namespaceSelector": {}, "podSelector": label("pod", "b") }]));
    only(&grid(vec![on_a("p", spec)]), "80", |from, to| to != "x/a" || from.ends_with("/b"));
}

#[test]
fn from_a_namespace_by_label() {
    let spec = from(json!([{ "namespaceSelector": label("ns", "y") }]));
    only(&grid(vec![on_a("p", spec)]), "80", |from, to| to != "x/a" || from.starts_with("y/"));
}

#[test]
fn from_a_namespace_by_expression() {
    let spec = from(json!([{ "namespaceSelector": { "matchExpressions":
        [{ "key": "ns", "operator": "In", "values": ["y"] }] } }]));
    only(&grid(vec![on_a("p", spec)]), "80", |from, to| to != "x/a" || from.starts_with("y/"));
    let spec = from(json!([{ "namespaceSelector": { "matchExpressions":
        [{ "key": "ns", "operator": "NotIn", "values": ["x"] }] } }]));
    only(&grid(vec![on_a("p", spec)]), "80", |from, to| to != "x/a" || !from.starts_with("x/"));
}

#[test]
fn from_pods_or_namespaces() {
    let spec = from(json!([
        { "podSelector": label("pod", "b") }, { "namespaceSelector": label("ns", "y") }]));
    only(&grid(vec![on_a("p", spec)]), "80", |from, to| {
        to != "x/a" || from == "x/b" || from.starts_with("y/")
    });
}

#[test]
fn from_pods_and_namespaces() {
    let spec = from(json!([
        { "podSelector": label("pod", "b"), "namespaceSelector": label("ns", "y") }]));
    only(&grid(vec![on_a("p", spec)]), "80", |from, to| to != "x/a" || from == "y/b");
}

#[test]
fn from_pods_of_two_namespaces_by_expressions() {
    let spec = from(json!([{
        "namespaceSelector": { "matchExpressions":
            [{ "key": "ns", "operator": "In", "values": ["y", "z"] }] },
        "podSelector": { "matchExpressions":
            [{ "key": "pod", "operator": "In", "values": ["a", "b"] }] } }]));
    only(&grid(vec![on_a("p", spec)]), "80", |from, to| {
        to != "x/a" || !from.starts_with("x/") && !from.ends_with("/c")
    });
}

#[test]
fn from_a_port_with_and_without_peers() {
    let spec = json!({ "policyTypes": ["Ingress"], "ingress": [{ "ports": [{ "port": 81 }] }] });
    let ports = grid(vec![on_a("p", spec)]);
    only(&ports, "81", |_, _| true);
    only(&ports, "80", |_, to| to != "x/a");
    only(&ports, "UDP:81", |_, to| to != "x/a");
    let both = json!({ "policyTypes": ["Ingress"], "ingress": [
        { "ports": [{ "port": 81 }], "from": [{ "namespaceSelector": label("ns", "y") }] }] });
    let both = grid(vec![on_a("p", both)]);
    only(&both, "81", |from, to| to != "x/a" || from.starts_with("y/"));
    only(&both, "80", |_, to| to != "x/a");
}

#[test]
fn policies_stack() {
    let rule = |port: u16| {
        json!({ "policyTypes": ["Ingress"], "ingress": [
        { "ports": [{ "port": port }], "from": [{ "namespaceSelector": label("ns", "y") }] }] })
    };
    let stacked = grid(vec![on_a("p", rule(80)), on_a("q", rule(81))]);
    only(&stacked, "80", |from, to| to != "x/a" || from.starts_with("y/"));
    only(&stacked, "81", |from, to| to != "x/a" || from.starts_with("y/"));
}

#[test]
fn an_allow_all_opens_what_another_denies() {
    let deny = json!({ "podSelector": {}, "policyTypes": ["Ingress"] });
    let allow = json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] });
    let open = grid(vec![policy("x/deny", deny.clone()), policy("x/allow", allow)]);
    only(&open, "80", |_, _| true);
    // As updated to deny again.
    only(&grid(vec![policy("x/deny", deny)]), "80", |_, to| !to.starts_with("x/"));
}

#[test]
fn named_ports_of_ingress_and_egress() {
    let spec = json!({ "policyTypes": ["Ingress"],
        "ingress": [{ "ports": [{ "port": "serve-80-tcp" }] }] });
    let ingress = grid(vec![on_a("p", spec)]);
    only(&ingress, "80", |_, _| true);
    only(&ingress, "81", |_, to| to != "x/a");
    let spec = json!({ "policyTypes": ["Egress"],
        "egress": [{ "ports": [{ "port": "serve-80-tcp" }] }] });
    let egress = grid(vec![on_a("p", spec)]);
    only(&egress, "80", |_, _| true);
    only(&egress, "81", |from, _| from != "x/a");
    // A name that no pod has opens nothing and still isolates.
    let spec =
        json!({ "policyTypes": ["Ingress"], "ingress": [{ "ports": [{ "port": "nosuch" }] }] });
    only(&grid(vec![on_a("p", spec)]), "80", |_, to| to != "x/a");
}

#[test]
fn ranges_of_ports() {
    let spec = json!({ "policyTypes": ["Egress"],
        "egress": [{ "ports": [{ "port": 81, "endPort": 90 }] }] });
    let range = grid(vec![on_a("p", spec)]);
    only(&range, "81", |_, _| true);
    only(&range, "80", |from, _| from != "x/a");
}

#[test]
fn egress_to_pods_of_a_namespace() {
    let spec = json!({ "policyTypes": ["Egress"], "egress": [{ "to": [
        { "namespaceSelector": label("ns", "y"), "podSelector": label("pod", "a") }] }] });
    only(&grid(vec![on_a("p", spec)]), "80", |from, to| from != "x/a" || to == "y/a");
}

#[test]
fn ingress_and_egress_of_two_policies() {
    let egress =
        json!({ "policyTypes": ["Egress"], "egress": [{ "to": [{ "namespaceSelector": {} }] }] });
    let deny = json!({ "podSelector": label("pod", "b"), "policyTypes": ["Ingress"] });
    only(&grid(vec![on_a("p", egress), policy("y/deny", deny)]), "80", |_, to| to != "y/b");
}

#[test]
fn blocks_for_egress_and_what_they_except() {
    let spec = json!({ "policyTypes": ["Egress"], "egress": [{ "to": [
        { "ipBlock": { "cidr": "10.1.0.0/16", "except": ["10.1.1.0/24"] } }] }] });
    let block = grid(vec![on_a("p", spec)]);
    block.holds(&[
        ("x/b", "y/a", "80", "yes"),
        ("x/a", "192.0.2.1", "80", "no"),
        ("x/a", "10.1.0.77", "80", "yes"),
        ("x/a", "10.1.1.77", "80", "no"),
    ]);
}

#[test]
fn isolated_by_sctp_alone() {
    let spec = json!({ "policyTypes": ["Ingress"],
        "ingress": [{ "ports": [{ "port": 80, "protocol": "SCTP" }] }] });
    let sctp = grid(vec![on_a("p", spec)]);
    only(&sctp, "80", |_, to| to != "x/a");
    only(&sctp, "SCTP:80", |_, _| true);
}

#[test]
fn udp_is_apart_from_tcp() {
    let spec = json!({ "policyTypes": ["Ingress"],
        "ingress": [{ "ports": [{ "port": 81, "protocol": "UDP" }] }] });
    let udp = grid(vec![on_a("p", spec)]);
    only(&udp, "UDP:81", |_, _| true);
    only(&udp, "81", |_, to| to != "x/a");
    only(&udp, "UDP:80", |_, to| to != "x/a");
}

#[test]
fn labels_decide_as_they_stand_now() {
    let spec = from(json!([{ "podSelector": label("pod", "b2"), "namespaceSelector": {} }]));
    let before = grid(vec![on_a("p", spec.clone())]);
    before.holds(&[("x/b", "x/a", "80", "no")]);
    // The same pod with another label.
    let after = grid(vec![on_a("p", spec), pod("x/b-new", json!({ "pod": "b2" }))]);
    after.holds(&[("x/b-new", "x/a", "80", "yes")]);
}

#[test]
fn egress_denied_and_dns_let_through() {
    let spec = json!({ "podSelector": {}, "policyTypes": ["Egress"],
        "egress": [{ "ports": [{ "port": 53, "protocol": "UDP" }] }] });
    let dns = grid(vec![policy("x/dns", spec)]);
    only(&dns, "UDP:53", |_, _| true);
    only(&dns, "80", |from, _| !from.starts_with("x/"));
}
