//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy.

use super::{Cluster, policy, shop};
use kspm_graph::world::network::{Direction, Truth};
use serde_json::{Value, json};

fn cilium(ns: &str, name: &str, spec: Value) -> Value {
    let kind = if ns.is_empty() { "CiliumClusterwideNetworkPolicy" } else { "CiliumNetworkPolicy" };
    let mut meta = json!({ "name": name });
    if !ns.is_empty() {
        meta["namespace"] = json!(ns);
    }
    json!({ "apiVersion": "cilium.io/v2", "kind": kind, "metadata": meta, "spec": spec })
}

#[test]
fn cilium_isolates_by_a_section_that_says_something() {
    let spec = |ingress: Value| json!({ "endpointSelector": {}, "ingress": ingress });
    shop(vec![cilium("shop", "p", spec(json!([{}])))]).holds(&[
        ("ops/job", "shop/web", "80", "no"),
        ("shop/db", "shop/web", "80", "no"),
        ("shop/web", "ops/job", "80", "yes"),
        // It is limited to its own namespace.
        ("shop/web", "ops/job", "80", "yes"),
    ]);
    shop(vec![cilium("shop", "p", spec(json!([])))]).holds(&[("ops/job", "shop/web", "80", "yes")]);
    let off = json!({ "endpointSelector": {}, "ingress": [{}], "enableDefaultDeny": { "ingress": false } });
    shop(vec![cilium("shop", "p", off.clone())]).holds(&[("ops/job", "shop/web", "80", "yes")]);
    // One that asks for it is enough.
    shop(vec![cilium("shop", "p", off), cilium("shop", "q", spec(json!([{}])))])
        .holds(&[("ops/job", "shop/web", "80", "no")]);
}

#[test]
fn cilium_peers() {
    let from = |rule: Value| {
        shop(vec![cilium(
            "shop",
            "p",
            json!({ "endpointSelector": { "matchLabels": { "k8s:app": "web" } },
            "ingress": [rule] }),
        )])
    };
    from(json!({ "fromEndpoints": [{}] }))
        .holds(&[("shop/db", "shop/web", "80", "yes"), ("ops/job", "shop/web", "80", "no")]);
    from(json!({ "fromEndpoints": [{ "matchLabels": { "k8s:io.kubernetes.pod.namespace": "ops" } }] }))
        .holds(&[("shop/db", "shop/web", "80", "no"), ("ops/job", "shop/web", "80", "yes")]);
    from(json!({ "fromEndpoints": [{ "matchLabels":
        { "k8s:io.cilium.k8s.namespace.labels.team": "shop" } }] }))
    .holds(&[("shop/db", "shop/web", "80", "yes"), ("ops/job", "shop/web", "80", "no")]);
    from(json!({ "fromEndpoints": [{ "matchLabels": { "k8s:io.kubernetes.pod.namespace": "ops",
        "io.cilium.k8s.policy.serviceaccount": "robot" } }] }))
    .holds(&[("ops/job", "shop/web", "80", "yes")]);
    from(json!({ "fromEndpoints": [{ "matchLabels": { "reserved:host": "" } }] }))
        .holds(&[("shop/db", "shop/web", "80", "no")]);
    from(json!({ "fromEndpoints": [] })).holds(&[("shop/db", "shop/web", "80", "no")]);
    from(json!({ "toPorts": [{ "ports": [{ "port": "80", "protocol": "TCP" }] }] })).holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("internet", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "UDP:80", "no"),
    ]);
    from(json!({ "fromEntities": ["world"] })).holds(&[
        ("internet", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "80", "no"),
        ("node/n2", "shop/web", "80", "no"),
        // Its own node may always come.
        ("node/n1", "shop/web", "80", "yes"),
    ]);
    from(json!({ "fromEntities": ["cluster"] })).holds(&[
        ("internet", "shop/web", "80", "no"),
        ("ops/job", "shop/web", "80", "yes"),
        ("node/n2", "shop/web", "80", "yes"),
    ]);
    from(json!({ "fromEntities": ["all"] })).holds(&[("internet", "shop/web", "80", "yes")]);
    from(json!({ "fromEntities": ["none"] })).holds(&[("internet", "shop/web", "80", "no")]);
    // Addresses never match pods.
    from(json!({ "fromCIDR": ["10.0.0.0/8"], "fromCIDRSet": [{ "cidr": "198.51.0.0/16",
        "except": ["198.51.100.0/24"] }] }))
    .holds(&[
        ("ops/job", "shop/web", "80", "no"),
        ("10.9.9.9", "shop/web", "80", "yes"),
        ("198.51.7.7", "shop/web", "80", "yes"),
        ("198.51.100.7", "shop/web", "80", "no"),
    ]);
    from(json!({ "icmps": [{ "fields": [{ "type": 8 }] }] }))
        .holds(&[("ops/job", "shop/web", "80", "no")]);
}

#[test]
fn cilium_ports() {
    let spec = json!({ "endpointSelector": {}, "ingress": [{ "fromEntities": ["all"], "toPorts": [
        { "ports": [{ "port": "80", "endPort": 82, "protocol": "TCP" }, { "port": "53" },
            { "port": "http", "protocol": "TCP" }], "rules": { "http": [{ "path": "/x" }] } }] }] });
    shop(vec![cilium("shop", "p", spec)]).holds(&[
        ("ops/job", "shop/web", "82", "yes"),
        ("ops/job", "shop/web", "83", "no"),
        ("ops/job", "shop/web", "UDP:53", "yes"),
        ("ops/job", "shop/web", "8080", "yes"),
        ("ops/job", "shop/db", "8080", "no"),
    ]);
}

#[test]
fn cilium_denials_win_over_every_allowance() {
    let deny = json!({ "endpointSelector": {}, "ingressDeny": [{ "fromEntities": ["world"] }],
        "enableDefaultDeny": { "ingress": false } });
    let allow = policy("shop/allow", json!({ "podSelector": {}, "ingress": [{}] }));
    shop(vec![cilium("", "p", deny), allow])
        .holds(&[("internet", "shop/web", "80", "no"), ("ops/job", "shop/web", "80", "yes")]);
    // A section of denials isolates too, unless it is told not to.
    let deny = json!({ "endpointSelector": {}, "ingressDeny": [{ "fromEntities": ["world"] }] });
    shop(vec![cilium("shop", "p", deny)]).holds(&[("ops/job", "shop/web", "80", "no")]);
}

#[test]
fn cilium_and_kubernetes_add_up() {
    let np =
        policy("shop/np", json!({ "podSelector": {}, "ingress": [{ "ports": [{ "port": 80 }] }] }));
    let cnp = cilium(
        "shop",
        "p",
        json!({ "endpointSelector": {}, "ingress": [
        { "fromEntities": ["all"], "toPorts": [{ "ports": [{ "port": "81" }] }] }] }),
    );
    shop(vec![np, cnp]).holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "81", "yes"),
        ("ops/job", "shop/web", "82", "no"),
    ]);
}

#[test]
fn cilium_specs_and_what_is_not_evaluated() {
    let mut both = cilium("shop", "p", json!(null));
    both["specs"] = json!([
        { "endpointSelector": { "matchLabels": { "app": "web" } }, "ingress": [{}] },
        { "endpointSelector": { "matchLabels": { "app": "db" } }, "egress": [
            { "toFQDNs": [{ "matchName": "example.com" }] }, { "toServices": [{}] , "toPorts": [{ "ports": [{ "port": "1" }] }] }] }]);
    shop(vec![both]).holds(&[
        ("ops/job", "shop/web", "80", "no"),
        ("shop/db", "internet", "443", "unknown"),
        ("shop/db", "ops/job", "443", "no"),
        ("shop/db", "ops/job", "1", "unknown"),
    ]);
}

#[test]
fn policies_of_nodes_are_not_evaluated() {
    let host = json!({ "nodeSelector": {}, "ingress": [{}] });
    shop(vec![cilium("", "p", host)]).holds(&[
        ("shop/web", "node/n2", "10250", "unknown"),
        ("ops/agent", "shop/web", "80", "unknown"),
        ("internet", "ops/agent", "80", "unknown"),
        ("shop/web", "ops/job", "80", "yes"),
    ]);
}

/// A policy of `shop` over the web server, with one rule of ingress.
fn from(rule: Value) -> Cluster {
    let web = json!({ "matchLabels": { "k8s:app": "web" } });
    shop(vec![cilium("shop", "p", json!({ "endpointSelector": web, "ingress": [rule] }))])
}

/// The same of egress.
fn to(rule: Value) -> Cluster {
    let web = json!({ "matchLabels": { "k8s:app": "web" } });
    shop(vec![cilium("shop", "p", json!({ "endpointSelector": web, "egress": [rule] }))])
}

#[track_caller]
fn says(open: &Cluster, from: &str, to: &str, words: &str) {
    let network = open.world.network();
    let verdict = open.verdict(from, to, "80");
    let egress = verdict.egress.reasons.iter().map(|r| network.words(r, Direction::Egress));
    let ingress = verdict.ingress.reasons.iter().map(|r| network.words(r, Direction::Ingress));
    let said: Vec<String> = egress.chain(ingress).collect();
    assert!(said.iter().any(|text| text.contains(words)), "{said:?}");
}

#[test]
fn selectors_of_a_namespaced_and_of_a_clusterwide_policy() {
    // One of a namespace selects none of another, whatever its selector says.
    let ops = json!({ "matchLabels": { "k8s:io.kubernetes.pod.namespace": "ops" } });
    shop(vec![cilium("shop", "p", json!({ "endpointSelector": ops, "ingress": [{}] }))])
        .holds(&[("shop/web", "ops/job", "80", "yes")]);
    shop(vec![cilium("", "p", json!({ "endpointSelector": ops, "ingress": [{}] }))])
        .holds(&[("shop/web", "ops/job", "80", "no"), ("ops/job", "shop/web", "80", "yes")]);
    // Labels of its own namespace still narrow it.
    let label = |team: &str| {
        let key = "k8s:io.cilium.k8s.namespace.labels.team";
        let selector = json!({ "matchLabels": { key: team } });
        shop(vec![cilium("shop", "p", json!({ "endpointSelector": selector, "ingress": [{}] }))])
    };
    label("shop").holds(&[("ops/job", "shop/web", "80", "no")]);
    label("other").holds(&[("ops/job", "shop/web", "80", "yes")]);
    // All endpoints of all namespaces, and no pod of a node's network.
    let all = json!({ "endpointSelector": {}, "ingress": [{ "fromEndpoints": [{}] }] });
    shop(vec![cilium("", "p", all)]).holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("internet", "shop/web", "80", "no"),
        ("ops/agent", "shop/web", "80", "no"),
        ("internet", "ops/agent", "80", "yes"),
    ]);
}

#[test]
fn sources_of_labels() {
    for key in ["app", "any:app", "k8s:app"] {
        from(json!({ "fromEndpoints": [{ "matchLabels": { key: "db" } }] }))
            .holds(&[("shop/db", "shop/web", "80", "yes"), ("ops/job", "shop/web", "80", "no")]);
    }
    // What bears a label of another source is no pod.
    for key in ["reserved:host", "cidr:10.0.0.0/8", "container:app"] {
        from(json!({ "fromEndpoints": [{ "matchLabels": { key: "db" } }] }))
            .holds(&[("shop/db", "shop/web", "80", "no")]);
    }
}

#[test]
fn entities() {
    for (entity, pods, node, some_node, world, world_v6) in [
        ("all", "yes", "yes", "yes", "yes", "yes"),
        ("cluster", "yes", "yes", "yes", "no", "no"),
        ("world", "no", "no", "no", "yes", "yes"),
        ("world-ipv4", "no", "no", "no", "yes", "no"),
        ("world-ipv6", "no", "no", "no", "no", "yes"),
        ("host", "no", "unknown", "unknown", "no", "no"),
        ("remote-node", "no", "unknown", "unknown", "no", "no"),
        ("kube-apiserver", "no", "unknown", "unknown", "unknown", "unknown"),
        ("ingress", "no", "no", "no", "no", "no"),
        ("init", "no", "no", "no", "no", "no"),
        ("health", "no", "no", "no", "no", "no"),
        ("unmanaged", "no", "no", "no", "no", "no"),
        ("none", "no", "no", "no", "no", "no"),
    ] {
        from(json!({ "fromEntities": [entity] })).holds(&[
            ("ops/job", "shop/web", "80", pods),
            ("node/n2", "shop/web", "80", node),
            ("nodes", "shop/web", "80", some_node),
            ("192.0.2.7", "shop/web", "80", world),
            ("2001:db8::7", "shop/web", "80", world_v6),
        ]);
        to(json!({ "toEntities": [entity] })).holds(&[
            ("shop/web", "ops/job", "80", pods),
            ("shop/web", "node/n2", "80", node),
            ("shop/web", "192.0.2.7", "80", world),
        ]);
    }
    says(&from(json!({ "fromEntities": ["host"] })), "nodes", "shop/web", "which node it is");
}

#[test]
fn peers_that_a_snapshot_does_not_show_are_named() {
    // Whether it is of pods, and of what is outside.
    for (rule, pods, outside, words) in [
        (json!({ "toGroups": [{ "aws": {} }] }), "no", "unknown", "a group of a cloud"),
        (json!({ "toFQDNs": [{ "matchPattern": "*" }] }), "no", "unknown", "it names domains"),
        (json!({ "toServices": [{ "k8sService": {} }] }), "unknown", "unknown", "names Services"),
        (
            json!({ "toCIDRSet": [{ "cidrGroupRef": "x" }] }),
            "no",
            "unknown",
            "a group of addresses",
        ),
    ] {
        let open = to(rule);
        open.holds(&[
            ("shop/web", "ops/job", "80", pods),
            ("shop/web", "192.0.2.7", "80", outside),
        ]);
        says(&open, "shop/web", "192.0.2.7", words);
    }
    from(json!({ "fromGroups": [{ "aws": {} }] }))
        .holds(&[("ops/job", "shop/web", "80", "no"), ("192.0.2.7", "shop/web", "80", "unknown")]);
}

#[test]
fn nodes_by_their_labels_count_with_an_option_only() {
    let nodes = from(json!({ "fromNodes": [{ "matchLabels": { "pool": "b" } }] }));
    nodes.holds(&[
        ("node/n2", "shop/web", "80", "unknown"),
        ("ops/agent", "shop/web", "80", "unknown"),
        ("ops/job", "shop/web", "80", "no"),
        ("internet", "shop/web", "80", "no"),
    ]);
    from(json!({ "fromNodes": [{ "matchLabels": { "pool": "a" } }] }))
        .holds(&[("node/n2", "shop/web", "80", "no")]);
    to(json!({ "toNodes": [{ "matchLabels": { "pool": "b" } }] }))
        .holds(&[("shop/web", "node/n2", "80", "unknown"), ("shop/web", "ops/job", "80", "no")]);
}

#[test]
fn authentication_may_hold_back_what_is_let_in() {
    for (mode, state) in
        [("required", "unknown"), ("test-always-fail", "unknown"), ("disabled", "yes")]
    {
        let open = from(json!({ "fromEndpoints": [{}], "authentication": { "mode": mode } }));
        open.holds(&[("shop/db", "shop/web", "80", state), ("ops/job", "shop/web", "80", "no")]);
        if state == "unknown" {
            says(&open, "shop/db", "shop/web", "prove who they are");
        }
    }
}

#[test]
fn what_one_rule_requires_may_hold_back_what_another_lets_in() {
    let required = json!({ "endpointSelector": {}, "ingress": [
        { "fromRequires": [{ "matchLabels": { "app": "db" } }] }] });
    let allow = policy(
        "shop/allow",
        json!({ "podSelector": {}, "ingress": [{ "from": [
        { "namespaceSelector": {} }] }] }),
    );
    let open = shop(vec![cilium("shop", "p", required), allow]);
    open.holds(&[
        // It has the label, and is of the namespace that is meant.
        ("shop/db", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "80", "unknown"),
        ("shop/web", "shop/db", "80", "unknown"),
        ("internet", "shop/web", "80", "no"),
    ]);
    says(&open, "ops/job", "shop/web", "it requires labels of peers");
    // By itself it lets nobody in.
    from(json!({ "fromRequires": [{}] })).holds(&[("shop/db", "shop/web", "80", "no")]);
}

#[test]
fn blocks_match_nodes_with_an_option_only() {
    let mut open = from(json!({ "fromCIDR": ["172.16.0.0/16", "10.0.0.0/8"] }));
    open.holds(&[("node/n2", "shop/web", "80", "no"), ("nodes", "shop/web", "80", "no")]);
    open.switches.cidrs_match_nodes = Truth::Yes;
    open.holds(&[
        ("node/n2", "shop/web", "80", "yes"),
        ("nodes", "shop/web", "80", "yes"),
        // Pods never.
        ("ops/job", "shop/web", "80", "no"),
    ]);
}

/// Cilium as it runs, with its configuration.
fn running(config: Value) -> Vec<Value> {
    let agent = json!({ "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "namespace": "kube-system", "name": "cilium" }, "spec": { "template": {
            "metadata": { "labels": {} }, "spec": { "hostNetwork": true, "containers": [
                { "name": "cilium-agent", "image": "quay.io/cilium/cilium:v1.16.0" }] } } } });
    let config = json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "namespace": "kube-system", "name": "cilium-config" }, "data": config });
    vec![agent, config]
}

/// Under the switches that the snapshot shows.
fn shown(mut items: Vec<Value>, config: Value) -> Cluster {
    items.extend(running(config));
    let mut open = shop(items);
    open.switches = open.world.network().switches();
    open
}

#[test]
fn it_may_isolate_what_no_policy_selects() {
    let dns = || {
        let ports = json!([{ "ports": [{ "port": "53", "protocol": "UDP" }] }]);
        let all = json!([{ "fromEntities": ["all"], "toPorts": ports }]);
        let out = json!([{ "toEntities": ["all"], "toPorts": ports }]);
        cilium(
            "",
            "dns",
            json!({ "endpointSelector": {}, "ingress": all, "egress": out,
            "enableDefaultDeny": { "ingress": false, "egress": false } }),
        )
    };
    let always = shown(vec![dns()], json!({ "enable-policy": "always" }));
    always.holds(&[
        ("ops/job", "shop/web", "80", "no"),
        ("ops/job", "shop/web", "UDP:53", "yes"),
        ("internet", "shop/web", "80", "no"),
        ("shop/web", "internet", "80", "no"),
        // What is on a node's network is not held back, and a node reaches its own pods.
        ("internet", "ops/agent", "80", "yes"),
        ("node/n1", "shop/web", "80", "yes"),
    ]);
    says(&always, "ops/job", "shop/web", "isolated for egress by kube-system/cilium-config");
    let network = always.world.network();
    assert!(
        network
            .unselected(Direction::Ingress)
            .iter()
            .all(|c| network.classes()[c.index()].node.is_some())
    );
    for mode in ["default", "never"] {
        shown(vec![dns()], json!({ "enable-policy": mode }))
            .holds(&[("ops/job", "shop/web", "80", "yes"), ("shop/web", "internet", "80", "yes")]);
    }
    // A NetworkPolicy of one direction leaves the other one shut.
    let np = policy("shop/np", json!({ "podSelector": {}, "ingress": [{}] }));
    shown(vec![np], json!({ "enable-policy": "always" })).holds(&[
        ("ops/job", "shop/web", "80", "no"),
        ("internet", "shop/web", "80", "yes"),
        ("shop/web", "internet", "80", "no"),
    ]);
}

#[test]
fn blocks_of_networkpolicies_mean_neither_pods_nor_nodes_where_it_runs() {
    let spec = json!({ "podSelector": {}, "ingress": [{ "from": [
        { "ipBlock": { "cidr": "0.0.0.0/0" } }] }] });
    let np = || policy("shop/np", spec.clone());
    shown(vec![np()], json!({})).holds(&[
        ("internet", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "80", "no"),
        ("node/n2", "shop/web", "80", "no"),
        ("ops/agent", "shop/web", "80", "no"),
        ("nodes", "shop/web", "80", "no"),
    ]);
    shown(vec![np()], json!({ "policy-cidr-match-mode": "nodes" })).holds(&[
        ("ops/job", "shop/web", "80", "no"),
        ("node/n2", "shop/web", "80", "yes"),
        ("nodes", "shop/web", "80", "yes"),
    ]);
    // Where another plugin runs, nodes are known by their addresses.
    shop(vec![np()]).holds(&[("node/n2", "shop/web", "80", "yes")]);
}

#[test]
fn a_section_of_egress_and_one_of_denials_isolate_their_own_direction() {
    let of = |spec: Value| {
        let mut spec = spec;
        spec["endpointSelector"] = json!({});
        shop(vec![cilium("shop", "p", spec)])
    };
    for (spec, ingress, egress) in [
        (json!({ "egress": [{}] }), "yes", "no"),
        (json!({ "egressDeny": [{ "toEntities": ["world"] }] }), "yes", "no"),
        (json!({ "ingressDeny": [{ "fromEntities": ["world"] }] }), "no", "yes"),
        (json!({ "enableDefaultDeny": { "egress": true } }), "yes", "no"),
        (json!({}), "yes", "yes"),
        (json!({ "ingress": null, "egress": [] }), "yes", "yes"),
    ] {
        of(spec).holds(&[
            ("ops/job", "shop/web", "80", ingress),
            ("shop/web", "ops/job", "80", egress),
        ]);
    }
}
