//! Policies of other kinds than Kubernetes' own, sentence by sentence of their documentation.

use super::{Cluster, address, cluster, named, namespace, pod, policy, with};
use kspm_graph::world::network::{Switches, Truth};
use serde_json::{Value, json};

/// `shop/web`, `shop/db`, `ops/job`, `ops/agent` on the network of node n2.
fn shop(policies: Vec<Value>) -> Cluster {
    let node = |name: &str, ip: &str, labels: Value| {
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels },
            "status": { "addresses": [{ "type": "InternalIP", "address": ip }] } })
    };
    let mut items = vec![
        namespace("shop", json!({ "team": "shop" })),
        namespace("ops", json!({})),
        node("n1", "172.16.0.1", json!({})),
        node("n2", "172.16.0.2", json!({ "pool": "b" })),
        named(
            address(pod("shop/web", json!({ "app": "web" })), "10.2.0.1"),
            json!([{ "name": "http", "containerPort": 8080 }]),
        ),
        address(pod("shop/db", json!({ "app": "db" })), "10.2.1.1"),
        address(
            with(pod("ops/job", json!({})), "/spec/serviceAccountName", json!("robot")),
            "10.3.0.1",
        ),
        with(
            with(pod("ops/agent", json!({})), "/spec/hostNetwork", json!(true)),
            "/spec/nodeName",
            json!("n2"),
        ),
    ];
    items.extend(policies);
    cluster(items)
}

fn admin(kind: &str, name: &str, spec: Value) -> Value {
    let version = if kind == "ClusterNetworkPolicy" { "v1alpha2" } else { "v1alpha1" };
    json!({ "apiVersion": format!("policy.networking.k8s.io/{version}"), "kind": kind,
        "metadata": { "name": name }, "spec": spec })
}

/// An AdminNetworkPolicy over namespace shop.
fn anp(name: &str, priority: u32, ingress: Value) -> Value {
    admin(
        "AdminNetworkPolicy",
        name,
        json!({ "priority": priority,
        "subject": { "namespaces": { "matchLabels": { "team": "shop" } } }, "ingress": ingress }),
    )
}

fn baseline(ingress: Value) -> Value {
    admin(
        "BaselineAdminNetworkPolicy",
        "default",
        json!({ "subject": { "namespaces": {} }, "ingress": ingress }),
    )
}

fn rule(action: &str) -> Value {
    json!([{ "action": action, "from": [{ "namespaces": {} }] }])
}

#[test]
fn administrators_are_asked_first_and_by_priority() {
    let allow_np = || policy("shop/allow", json!({ "podSelector": {}, "ingress": [{}] }));
    let deny_np = || policy("shop/deny", json!({ "podSelector": {} }));
    shop(vec![anp("a", 5, rule("Deny")), allow_np()]).holds(&[("ops/job", "shop/web", "80", "no")]);
    shop(vec![anp("a", 5, rule("Allow")), deny_np()])
        .holds(&[("ops/job", "shop/web", "80", "yes")]);
    // The lower number first, whatever the name.
    shop(vec![anp("z", 1, rule("Allow")), anp("a", 5, rule("Deny"))])
        .holds(&[("ops/job", "shop/web", "80", "yes")]);
    // Passed on to NetworkPolicies, and past other policies of administrators.
    shop(vec![anp("z", 1, rule("Pass")), anp("a", 5, rule("Deny")), allow_np()])
        .holds(&[("ops/job", "shop/web", "80", "yes")]);
    shop(vec![anp("z", 1, rule("Pass")), anp("a", 5, rule("Allow")), deny_np()])
        .holds(&[("ops/job", "shop/web", "80", "no")]);
}

#[test]
fn administrators_isolate_nothing_by_themselves() {
    let one = json!([{ "action": "Allow", "from": [{ "namespaces": { "matchLabels": { "team": "x" } } }] }]);
    shop(vec![anp("a", 5, one)]).holds(&[("ops/job", "shop/web", "80", "yes")]);
    // Pods of the node's network are never subject, and no peer.
    shop(vec![admin(
        "AdminNetworkPolicy",
        "a",
        json!({ "priority": 1,
        "subject": { "namespaces": {} }, "ingress": rule("Deny") }),
    )])
    .holds(&[("shop/web", "ops/agent", "80", "yes"), ("ops/agent", "shop/web", "80", "yes")]);
}

#[test]
fn rules_of_one_policy_are_asked_in_their_order_for_each_port() {
    let rules = json!([
        { "action": "Allow", "from": [{ "namespaces": {} }], "ports": [{ "portNumber": { "protocol": "TCP", "port": 80 } }] },
        { "action": "Allow", "from": [{ "namespaces": {} }], "ports": [{ "portRange": { "start": 90, "end": 92 } }] },
        { "action": "Allow", "from": [{ "namespaces": {} }], "ports": [{ "namedPort": "http" }] },
        { "action": "Deny", "from": [{ "pods": { "namespaceSelector": {}, "podSelector": {} } }] },
    ]);
    shop(vec![anp("a", 5, rules)]).holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "92", "yes"),
        ("ops/job", "shop/web", "8080", "yes"),
        ("ops/job", "shop/db", "8080", "no"),
        ("ops/job", "shop/web", "UDP:80", "no"),
        ("internet", "shop/web", "81", "yes"),
    ]);
}

#[test]
fn the_baseline_decides_where_no_networkpolicy_does() {
    let allow = policy("shop/allow", json!({ "podSelector": {}, "ingress": [{}] }));
    shop(vec![baseline(rule("Deny"))]).holds(&[("ops/job", "shop/web", "80", "no")]);
    shop(vec![baseline(rule("Deny")), allow])
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("shop/web", "ops/job", "80", "no")]);
    let deny = policy("shop/deny", json!({ "podSelector": {} }));
    shop(vec![baseline(rule("Allow")), deny]).holds(&[("ops/job", "shop/web", "80", "no")]);
    // A NetworkPolicy of the other direction leaves it to the baseline.
    let egress =
        policy("shop/e", json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{}] }));
    shop(vec![baseline(rule("Deny")), egress]).holds(&[("ops/job", "shop/web", "80", "no")]);
}

#[test]
fn networks_match_pods_and_nodes_match_nodes() {
    let egress = |to: Value| {
        admin(
            "AdminNetworkPolicy",
            "a",
            json!({ "priority": 1, "subject": { "pods": {
            "namespaceSelector": {}, "podSelector": { "matchLabels": { "app": "web" } } } },
            "egress": [{ "action": "Deny", "to": [to] }] }),
        )
    };
    let nets = shop(vec![egress(json!({ "networks": ["10.0.0.0/8", "2001:db8::/32"] }))]);
    nets.holds(&[
        ("shop/web", "ops/job", "80", "no"),
        ("shop/web", "10.9.9.9", "80", "no"),
        ("shop/web", "2001:db8::7", "80", "no"),
        ("shop/web", "internet", "80", "yes"),
    ]);
    let nodes = shop(vec![egress(json!({ "nodes": { "matchLabels": { "pool": "b" } } }))]);
    nodes.holds(&[
        ("shop/web", "node/n2", "80", "no"),
        ("shop/web", "ops/agent", "80", "no"),
        ("shop/web", "ops/job", "80", "yes"),
    ]);
}

#[test]
fn what_is_not_known_fails_closed_and_ties_are_unknown() {
    let odd = |action: &str| json!([{ "action": action, "from": [{ "tenants": {} }] }]);
    shop(vec![anp("a", 5, odd("Allow")), policy("shop/deny", json!({ "podSelector": {} }))])
        .holds(&[("ops/job", "shop/web", "80", "no")]);
    shop(vec![anp("a", 5, odd("Pass"))]).holds(&[("ops/job", "shop/web", "80", "unknown")]);
    shop(vec![anp("a", 5, rule("Allow")), anp("b", 5, rule("Deny"))])
        .holds(&[("ops/job", "shop/web", "80", "unknown")]);
    shop(vec![anp("a", 5, rule("Deny")), anp("b", 5, rule("Deny"))])
        .holds(&[("ops/job", "shop/web", "80", "no")]);
    let domains = admin(
        "AdminNetworkPolicy",
        "a",
        json!({ "priority": 1, "subject": { "namespaces": {} },
        "egress": [{ "action": "Allow", "to": [{ "domainNames": ["*.example.com"] }] },
            { "action": "Deny", "to": [{ "networks": ["0.0.0.0/0"] }] }] }),
    );
    shop(vec![domains])
        .holds(&[("shop/web", "internet", "443", "unknown"), ("shop/web", "ops/job", "80", "no")]);
}

#[test]
fn cluster_network_policies_have_tiers_and_protocols() {
    let cnp = |name: &str, tier: &str, priority: u32, ingress: Value| {
        admin(
            "ClusterNetworkPolicy",
            name,
            json!({ "tier": tier, "priority": priority,
            "subject": { "namespaces": {} }, "ingress": ingress }),
        )
    };
    let all = json!([{ "namespaces": {} }]);
    let admin_rules = json!([
        { "action": "Accept", "from": all, "protocols": [{ "tcp": { "destinationPort": { "number": 80 } } },
            { "udp": { "destinationPort": { "range": { "start": 1, "end": 9 } } } },
            { "destinationNamedPort": "http" }, { "sctp": {} }] },
        { "action": "Pass", "from": all, "protocols": [{ "tcp": { "destinationPort": { "number": 81 } } }] },
        { "action": "Deny", "from": all }]);
    let two = shop(vec![
        cnp("a", "Admin", 1, admin_rules),
        cnp(
            "b",
            "Baseline",
            1,
            json!([{ "action": "Pass", "from": all, "protocols":
            [{ "tcp": { "destinationPort": { "number": 81 } } }] }]),
        ),
        cnp("c", "Baseline", 2, json!([{ "action": "Deny", "from": all }])),
    ]);
    two.holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "UDP:9", "yes"),
        ("ops/job", "shop/web", "UDP:10", "no"),
        ("ops/job", "shop/web", "8080", "yes"),
        ("ops/job", "shop/web", "SCTP:1", "yes"),
        ("ops/job", "shop/web", "81", "yes"),
        ("ops/job", "shop/web", "82", "no"),
    ]);
    // The same name in another group is another kind.
    let aws = json!({ "apiVersion": "networking.k8s.aws/v1alpha1", "kind": "ClusterNetworkPolicy",
        "metadata": { "name": "x" }, "spec": {} });
    shop(vec![aws]).holds(&[("ops/job", "shop/web", "80", "unknown")]);
}

#[test]
fn who_enforces_administrators_is_apart() {
    let mut own = shop(vec![anp("a", 5, rule("Deny"))]);
    own.switches = Switches { admin: Truth::No, ..Switches::default() };
    own.holds(&[("ops/job", "shop/web", "80", "yes")]);
    own.switches = Switches { admin: Truth::Maybe, ..Switches::default() };
    own.holds(&[("ops/job", "shop/web", "80", "unknown")]);
}

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
    let interface = calico("HostEndpoint", "", "x", json!({ "node": "n2" }));
    shop(vec![interface]).holds(&[("shop/web", "node/n2", "10250", "unknown")]);
}

fn calico(kind: &str, ns: &str, name: &str, spec: Value) -> Value {
    let mut meta = json!({ "name": name });
    if !ns.is_empty() {
        meta["namespace"] = json!(ns);
    }
    json!({ "apiVersion": "projectcalico.org/v3", "kind": kind, "metadata": meta, "spec": spec })
}

fn global(name: &str, spec: Value) -> Value {
    calico("GlobalNetworkPolicy", "", name, spec)
}

#[test]
fn calico_types_by_default() {
    let own = |spec: Value| shop(vec![calico("NetworkPolicy", "shop", "p", spec)]);
    own(json!({ "selector": "all()" }))
        .holds(&[("ops/job", "shop/web", "80", "no"), ("shop/web", "ops/job", "80", "yes")]);
    // Unlike a NetworkPolicy, egress alone means egress alone.
    own(json!({ "egress": [{ "action": "Deny" }] }))
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("shop/web", "ops/job", "80", "no")]);
    own(json!({ "ingress": [{ "action": "Allow" }], "egress": [{ "action": "Deny" }] }))
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("shop/web", "ops/job", "80", "no")]);
    own(json!({ "types": ["Egress"], "ingress": [{ "action": "Deny" }] }))
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("shop/web", "ops/job", "80", "no")]);
}

#[test]
fn calico_orders_and_the_place_of_networkpolicies() {
    let rule =
        |action: &str| json!([{ "action": action, "source": { "namespaceSelector": "all()" } }]);
    let at = |name: &str, order: Value, action: &str| {
        global(
            name,
            json!({ "order": order, "namespaceSelector": "team == 'shop'", "ingress": rule(action) }),
        )
    };
    shop(vec![at("b", json!(1), "Allow"), at("a", json!(2), "Deny")])
        .holds(&[("ops/job", "shop/web", "80", "yes")]);
    shop(vec![at("b", json!(null), "Allow"), at("a", json!(2.5), "Deny")])
        .holds(&[("ops/job", "shop/web", "80", "no")]);
    let np = || policy("shop/np", json!({ "podSelector": {}, "ingress": [{}] }));
    shop(vec![np(), at("a", json!(999), "Deny")]).holds(&[("ops/job", "shop/web", "80", "no")]);
    shop(vec![np(), at("a", json!(1001), "Deny")]).holds(&[("ops/job", "shop/web", "80", "yes")]);
    // What is logged goes on.
    shop(vec![global("a", json!({ "ingress": [{ "action": "Log" }, { "action": "Allow" }] }))])
        .holds(&[("ops/job", "shop/web", "80", "yes")]);
}

#[test]
fn calico_tiers_deny_at_their_end_unless_they_pass() {
    let tier =
        |pass: Value| calico("Tier", "", "sec", json!({ "order": 100, "defaultAction": pass }));
    let in_tier = json!({ "tier": "sec", "order": 1, "ingress": [
        { "action": "Pass", "protocol": "TCP", "destination": { "ports": [80] } },
        { "action": "Allow", "protocol": "TCP", "destination": { "ports": [81] } }] });
    let later = || {
        policy(
            "shop/np",
            json!({ "podSelector": {}, "ingress": [{ "ports": [{ "port": 80 }, { "port": 82 }] }] }),
        )
    };
    let both = |pass: Value| shop(vec![tier(pass), global("sec.p", in_tier.clone()), later()]);
    both(json!(null)).holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "81", "yes"),
        ("ops/job", "shop/web", "82", "no"),
        ("ops/job", "shop/web", "83", "no"),
        // Passed, and nobody isolates: the profile of the namespace lets it in.
        ("shop/web", "ops/job", "80", "yes"),
        ("shop/web", "ops/job", "82", "no"),
    ]);
    both(json!("Pass")).holds(&[
        ("ops/job", "shop/web", "82", "yes"),
        ("ops/job", "shop/web", "83", "no"),
        ("shop/web", "ops/job", "83", "yes"),
    ]);
    // A tier that the snapshot lacks.
    shop(vec![global("sec.p", in_tier.clone())]).holds(&[("ops/job", "shop/web", "83", "unknown")]);
}

#[test]
fn calico_peers() {
    let own = |source: Value| {
        shop(vec![
            calico("GlobalNetworkSet", "", "bad", json!({ "nets": ["198.51.100.0/24"] })),
            with(
                calico("GlobalNetworkSet", "", "partner", json!({ "nets": ["203.0.113.0/24"] })),
                "/metadata/labels",
                json!({ "role": "partner" }),
            ),
            calico(
                "NetworkPolicy",
                "shop",
                "p",
                json!({ "selector": "app == 'web'",
                "ingress": [{ "action": "Allow", "source": source }] }),
            ),
        ])
    };
    own(json!({})).holds(&[("internet", "shop/web", "80", "yes")]);
    // Endpoints that are known, of its own namespace.
    own(json!({ "selector": "all()" })).holds(&[
        ("shop/db", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "80", "no"),
        ("internet", "shop/web", "80", "no"),
    ]);
    own(json!({ "namespaceSelector": "projectcalico.org/name == 'ops'" }))
        .holds(&[("shop/db", "shop/web", "80", "no"), ("ops/job", "shop/web", "80", "yes")]);
    own(json!({ "namespaceSelector": "has(team)", "selector": "app in {'db', 'x'}" }))
        .holds(&[("shop/db", "shop/web", "80", "yes"), ("ops/job", "shop/web", "80", "no")]);
    own(json!({ "namespaceSelector": "all()", "serviceAccounts": { "names": ["robot"] } }))
        .holds(&[("shop/db", "shop/web", "80", "no"), ("ops/job", "shop/web", "80", "yes")]);
    own(json!({ "notSelector": "app == 'db'" })).holds(&[
        ("shop/db", "shop/web", "80", "no"),
        ("ops/job", "shop/web", "80", "yes"),
        ("internet", "shop/web", "80", "yes"),
    ]);
    own(json!({ "nets": ["10.0.0.0/8"] })).holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("10.3.9.9", "shop/web", "80", "yes"),
        ("internet", "shop/web", "80", "no"),
    ]);
    // Which pod has which address is not kept.
    own(json!({ "nets": ["10.3.0.0/16"] })).holds(&[("ops/job", "shop/web", "80", "unknown")]);
    own(json!({ "nets": ["192.0.2.0/24"] })).holds(&[("ops/job", "shop/web", "80", "no")]);
    own(json!({ "notNets": ["10.0.0.0/8"] }))
        .holds(&[("ops/job", "shop/web", "80", "no"), ("internet", "shop/web", "80", "yes")]);
    own(json!({ "notNets": ["192.0.2.0/24"] }))
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("192.0.2.7", "shop/web", "80", "no")]);
    own(json!({ "namespaceSelector": "global()", "selector": "role == 'partner'" })).holds(&[
        ("203.0.113.7", "shop/web", "80", "yes"),
        ("198.51.100.7", "shop/web", "80", "no"),
        ("ops/job", "shop/web", "80", "no"),
    ]);
    own(json!({ "services": { "name": "x" } })).holds(&[("ops/job", "shop/web", "80", "unknown")]);
    own(json!({ "selector": "app ~ 'db'" })).holds(&[("shop/db", "shop/web", "80", "unknown")]);
}

#[test]
fn calico_ports_protocols_and_the_own_end() {
    let own = |rule: Value| {
        shop(vec![calico("NetworkPolicy", "shop", "p", json!({ "ingress": [rule] }))])
    };
    own(json!({ "action": "Allow", "protocol": "TCP", "destination": { "ports": ["1:100", 8080] } }))
        .holds(&[
            ("ops/job", "shop/web", "100", "yes"),
            ("ops/job", "shop/web", "101", "no"),
            ("ops/job", "shop/web", "8080", "yes"),
            ("ops/job", "shop/web", "UDP:80", "no"),
        ]);
    own(json!({ "action": "Allow", "protocol": 17, "destination": { "notPorts": [53] } })).holds(
        &[
            ("ops/job", "shop/web", "UDP:53", "no"),
            ("ops/job", "shop/web", "UDP:54", "yes"),
            ("ops/job", "shop/web", "54", "no"),
        ],
    );
    own(json!({ "action": "Allow", "protocol": "TCP", "destination": { "ports": ["http"] } }))
        .holds(&[("ops/job", "shop/web", "8080", "yes"), ("ops/job", "shop/db", "8080", "no")]);
    own(json!({ "action": "Allow", "protocol": "ICMP" }))
        .holds(&[("ops/job", "shop/web", "80", "no")]);
    own(json!({ "action": "Allow", "notProtocol": "UDP" }))
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("ops/job", "shop/web", "UDP:80", "no")]);
    own(json!({ "action": "Allow", "destination": { "selector": "app == 'db'" } }))
        .holds(&[("ops/job", "shop/web", "80", "no"), ("ops/job", "shop/db", "80", "yes")]);
    own(json!({ "action": "Allow", "protocol": "TCP", "source": { "ports": [99] } }))
        .holds(&[("ops/job", "shop/web", "80", "unknown")]);
}

#[test]
fn calico_policies_that_are_only_staged_or_of_another_selector() {
    let staged =
        calico("StagedGlobalNetworkPolicy", "", "p", json!({ "ingress": [{ "action": "Deny" }] }));
    shop(vec![staged]).holds(&[("ops/job", "shop/web", "80", "yes")]);
    // A selector that cannot be read may select.
    let odd = global("p", json!({ "selector": "app ~ 'web'", "ingress": [{ "action": "Deny" }] }));
    shop(vec![odd]).holds(&[("ops/job", "shop/web", "80", "unknown")]);
    let accounts = global(
        "p",
        json!({ "serviceAccountSelector": "projectcalico.org/name == 'robot'",
        "ingress": [{ "action": "Deny" }] }),
    );
    shop(vec![accounts])
        .holds(&[("shop/web", "ops/job", "80", "no"), ("ops/job", "shop/web", "80", "yes")]);
    // As it is kept in the cluster's own store.
    let mut kept = calico("NetworkPolicy", "shop", "default.p", json!({ "selector": "all()" }));
    kept["apiVersion"] = json!("crd.projectcalico.org/v1");
    shop(vec![kept]).holds(&[("ops/job", "shop/web", "80", "no")]);
}
