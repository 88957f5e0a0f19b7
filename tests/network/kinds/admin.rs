//! AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy.

use super::super::{named, pod};
use super::{policy, shop};
use kspm_graph::world::network::{Doubt, Reason, Switches, Truth};
use serde_json::{Value, json};

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

#[test]
fn drafts_of_the_api_fail_closed() {
    // Peers that were in drafts: an Allow of them allows nothing, and a Deny may deny.
    for namespaces in [
        json!({ "sameLabels": ["tenant"] }),
        json!({ "notSameLabels": ["tenant"] }),
        json!({ "namespaceSelector": {} }),
    ] {
        let from =
            |action: &str| json!([{ "action": action, "from": [{ "namespaces": namespaces }] }]);
        let deny = || policy("shop/deny", json!({ "podSelector": {} }));
        shop(vec![anp("a", 5, from("Allow")), deny()])
            .holds(&[("ops/job", "shop/web", "80", "no")]);
        shop(vec![anp("a", 5, from("Deny"))]).holds(&[("ops/job", "shop/web", "80", "unknown")]);
    }
    // As a subject, they may mean any pod.
    let subject = admin(
        "AdminNetworkPolicy",
        "a",
        json!({ "priority": 1, "subject": { "namespaces": { "sameLabels": ["tenant"] } },
            "ingress": rule("Deny") }),
    );
    shop(vec![subject]).holds(&[("ops/job", "shop/web", "80", "unknown")]);
}

#[test]
fn peers_and_ports_of_unknown_kinds_fail_closed() {
    let deny = || policy("shop/deny", json!({ "podSelector": {} }));
    let port = |action: &str| {
        json!([{ "action": action, "from": [{ "namespaces": {} }],
            "ports": [{ "portName": "x" }] }])
    };
    shop(vec![anp("a", 5, port("Allow")), deny()]).holds(&[("ops/job", "shop/web", "80", "no")]);
    for action in ["Deny", "Pass"] {
        shop(vec![anp("a", 5, port(action))]).holds(&[("ops/job", "shop/web", "80", "unknown")]);
        let peer = json!([{ "action": action, "from": [{ "identity": "x" }] }]);
        let odd = shop(vec![anp("a", 5, peer)]);
        odd.holds(&[("ops/job", "shop/web", "80", "unknown")]);
        let reasons = odd.verdict("ops/job", "shop/web", "80").ingress.reasons;
        assert!(reasons.iter().any(Reason::is_unsure), "{reasons:?}");
    }
}

#[test]
fn subjects_are_namespaces_or_pods_and_an_empty_selector_is_all() {
    let on = |subject: Value| {
        shop(vec![admin(
            "AdminNetworkPolicy",
            "a",
            json!({ "priority": 1, "subject": subject, "ingress": rule("Deny") }),
        )])
    };
    let web = json!({ "matchLabels": { "app": "web" } });
    let team = json!({ "matchLabels": { "team": "shop" } });
    // Whether the web server, the database and the job of another namespace are subjects.
    for (subject, states) in [
        (json!({ "namespaces": {} }), ["no", "no", "no"]),
        (json!({ "namespaces": team }), ["no", "no", "yes"]),
        (json!({ "pods": { "namespaceSelector": {}, "podSelector": {} } }), ["no", "no", "no"]),
        (
            json!({ "pods": { "namespaceSelector": team, "podSelector": web } }),
            ["no", "yes", "yes"],
        ),
        (json!({ "pods": { "namespaceSelector": {}, "podSelector": web } }), ["no", "yes", "yes"]),
    ] {
        let open = on(subject);
        for (to, state) in ["shop/web", "shop/db", "ops/job"].iter().zip(states) {
            let from = if *to == "shop/db" { "shop/web" } else { "shop/db" };
            open.holds(&[(from, to, "80", state)]);
        }
        // Pods of nodes' networks are none.
        open.holds(&[("shop/db", "ops/agent", "80", "yes")]);
    }
}

#[test]
fn no_rule_that_matches_goes_on_to_the_next_stage() {
    // Nothing of the first tier matches: the baseline is asked, and then all is open.
    let other = json!([{ "action": "Deny", "from": [{ "namespaces": {
        "matchLabels": { "team": "x" } } }] }]);
    shop(vec![anp("a", 5, other.clone()), baseline(rule("Deny"))])
        .holds(&[("ops/job", "shop/web", "80", "no")]);
    shop(vec![anp("a", 5, other.clone()), baseline(other)])
        .holds(&[("ops/job", "shop/web", "80", "yes")]);
    // What is passed on reaches the baseline where no NetworkPolicy is.
    shop(vec![anp("a", 5, rule("Pass")), baseline(rule("Deny"))])
        .holds(&[("ops/job", "shop/web", "80", "no")]);
}

#[test]
fn both_directions_must_be_let_through_by_administrators() {
    let egress = json!([{ "action": "Deny", "to": [{ "pods": { "namespaceSelector": {},
        "podSelector": { "matchLabels": { "app": "db" } } } }] }]);
    let spec = json!({ "priority": 1, "subject": { "namespaces": {} }, "ingress": rule("Allow"),
        "egress": egress });
    shop(vec![admin("AdminNetworkPolicy", "a", spec)])
        .holds(&[("shop/web", "shop/db", "80", "no"), ("shop/db", "shop/web", "80", "yes")]);
}

#[test]
fn named_ports_take_the_protocol_of_the_pod() {
    let ports = json!([{ "name": "dns", "containerPort": 53, "protocol": "UDP" }]);
    let made = named(pod("shop/x", json!({})), ports);
    let rules = json!([{ "action": "Deny", "from": [{ "namespaces": {} }],
        "ports": [{ "namedPort": "dns" }] }]);
    shop(vec![made, anp("a", 5, rules)]).holds(&[
        ("ops/job", "shop/x", "UDP:53", "no"),
        ("ops/job", "shop/x", "53", "yes"),
        ("ops/job", "shop/web", "UDP:53", "yes"),
    ]);
}

#[test]
fn priorities_of_one_tier_that_are_given_twice_are_in_no_order() {
    let cnp = |name: &str, tier: &str, priority: u32, action: &str| {
        admin(
            "ClusterNetworkPolicy",
            name,
            json!({ "tier": tier, "priority": priority, "subject": { "namespaces": {} },
                "ingress": rule(action) }),
        )
    };
    for (tier, first, second, state) in [
        ("Admin", "Accept", "Deny", "unknown"),
        ("Admin", "Deny", "Pass", "unknown"),
        ("Admin", "Deny", "Deny", "no"),
        ("Admin", "Accept", "Accept", "yes"),
        ("Baseline", "Accept", "Deny", "unknown"),
        ("Baseline", "Deny", "Deny", "no"),
    ] {
        let tie = shop(vec![cnp("a", tier, 7, first), cnp("b", tier, 7, second)]);
        tie.holds(&[("ops/job", "shop/web", "80", state)]);
        let reasons = tie.verdict("ops/job", "shop/web", "80").ingress.reasons;
        let said =
            reasons.iter().any(|r| matches!(r, Reason::Rule { doubt: Some(Doubt::Tie), .. }));
        assert!(said || state != "unknown", "{reasons:?}");
        // Of other priorities, the lower number decides.
        let one = if first == "Accept" { "yes" } else { "no" };
        shop(vec![cnp("b", tier, 7, first), cnp("a", tier, 8, second)])
            .holds(&[("ops/job", "shop/web", "80", one)]);
    }
    // One priority in two tiers is no tie.
    shop(vec![cnp("a", "Baseline", 7, "Deny"), cnp("b", "Admin", 7, "Accept")])
        .holds(&[("ops/job", "shop/web", "80", "yes")]);
    // Ports that only one of two rules is about are not in doubt.
    let ports = |name: &str, action: &str, port: u32| {
        let mut rules = rule(action);
        rules[0]["ports"] = json!([{ "portNumber": { "protocol": "TCP", "port": port } }]);
        anp(name, 5, rules)
    };
    shop(vec![ports("a", "Allow", 80), ports("b", "Deny", 81)])
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("ops/job", "shop/web", "81", "no")]);
}

#[test]
fn what_is_passed_on_goes_from_tier_to_tier() {
    let cnp = |tier: &str, action: &str| {
        admin(
            "ClusterNetworkPolicy",
            &format!("{tier}-{action}").to_lowercase(),
            json!({ "tier": tier, "priority": 1, "subject": { "namespaces": {} },
                "ingress": rule(action) }),
        )
    };
    let np = |spec: Value| policy("shop/np", spec);
    let allow = || np(json!({ "podSelector": {}, "ingress": [{}] }));
    let deny = || np(json!({ "podSelector": {} }));
    for (policies, state) in [
        (vec![cnp("Admin", "Pass"), cnp("Baseline", "Deny")], "no"),
        (vec![cnp("Admin", "Pass"), cnp("Baseline", "Pass")], "yes"),
        (vec![cnp("Admin", "Pass"), allow(), cnp("Baseline", "Deny")], "yes"),
        (vec![cnp("Admin", "Pass"), deny(), cnp("Baseline", "Accept")], "no"),
        (vec![cnp("Admin", "Accept"), deny()], "yes"),
        (vec![cnp("Admin", "Deny"), allow()], "no"),
    ] {
        shop(policies).holds(&[("ops/job", "shop/web", "80", state)]);
    }
}

#[test]
fn peers_of_egress_are_nodes_networks_and_domains_too() {
    let cnp = |to: Value| {
        admin(
            "ClusterNetworkPolicy",
            "a",
            json!({ "tier": "Admin", "priority": 1, "subject": { "namespaces": {} },
                "egress": [{ "action": "Deny", "to": [to] }] }),
        )
    };
    shop(vec![cnp(json!({ "nodes": { "matchLabels": { "pool": "b" } } }))]).holds(&[
        ("shop/web", "node/n2", "80", "no"),
        ("shop/web", "ops/agent", "80", "no"),
        ("shop/web", "nodes", "80", "unknown"),
        ("shop/web", "ops/job", "80", "yes"),
    ]);
    // By the address of its node, a pod of the node's network is meant, and no other.
    shop(vec![cnp(json!({ "networks": ["172.16.0.2/32"] }))]).holds(&[
        ("shop/web", "ops/agent", "80", "no"),
        ("shop/web", "ops/job", "80", "yes"),
        ("shop/web", "internet", "80", "yes"),
    ]);
    let domains = json!({ "domainNames": ["example.com"] });
    shop(vec![cnp(domains)])
        .holds(&[("shop/web", "internet", "443", "unknown"), ("shop/web", "ops/job", "80", "yes")]);
}
