//! NetworkPolicy of `networking.k8s.io/v1`, what other tools are known to get wrong: one small
//! table a rule.

use super::policy::shop;
use super::{named, pod, policy, port, with};
use kspm_graph::world::hosts::Host;
use kspm_graph::world::network::{End, State};
use serde_json::{Value, json};

#[test]
fn a_policy_of_egress_alone_leaves_ingress_open_whatever_its_ingress_rules_say() {
    let spec = json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": [{}],
        "ingress": [{ "ports": [{ "port": 1 }] }] });
    shop(vec![policy("shop/p", spec)])
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("shop/web", "ops/job", "80", "yes")]);
}

#[test]
fn isolation_is_of_one_pod_and_one_direction() {
    let spec =
        json!({ "podSelector": { "matchLabels": { "app": "web" } }, "policyTypes": ["Ingress"] });
    shop(vec![policy("shop/p", spec)]).holds(&[
        ("ops/job", "shop/web", "80", "no"),
        ("ops/job", "shop/db", "80", "yes"),
        ("shop/web", "ops/job", "80", "yes"),
        ("shop/web", "internet", "80", "yes"),
    ]);
}

#[test]
fn a_policy_that_selects_no_pod_has_no_effect() {
    let spec = json!({ "podSelector": { "matchLabels": { "app": "nosuch" } },
        "policyTypes": ["Ingress", "Egress"] });
    shop(vec![policy("shop/p", spec)])
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("shop/web", "ops/job", "80", "yes")]);
}

#[test]
fn peers_that_are_absent_null_or_empty_are_everybody() {
    for peers in [None, Some(Value::Null), Some(json!([]))] {
        let (mut from, mut to) = (json!({}), json!({}));
        if let Some(peers) = peers {
            from["from"] = peers.clone();
            to["to"] = peers;
        }
        let spec = json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
            "ingress": [from], "egress": [to] });
        shop(vec![policy("shop/p", spec)]).holds(&[
            ("ops/job", "shop/web", "80", "yes"),
            ("ops/agent", "shop/web", "80", "yes"),
            ("internet", "shop/web", "80", "yes"),
            ("10.9.9.9", "shop/web", "80", "yes"),
            ("2001:db8::9", "shop/web", "80", "yes"),
            ("shop/web", "ops/job", "80", "yes"),
            ("shop/web", "ops/agent", "80", "yes"),
            ("shop/web", "internet", "80", "yes"),
            ("shop/web", "169.254.169.254", "80", "yes"),
        ]);
    }
}

#[test]
fn a_peer_without_a_field_is_nobody() {
    let spec = json!({ "podSelector": {}, "ingress": [{ "from": [{}] }] });
    shop(vec![policy("shop/p", spec)]).holds(&[
        ("ops/job", "shop/web", "80", "no"),
        ("shop/db", "shop/web", "80", "no"),
        ("internet", "shop/web", "80", "no"),
    ]);
}

#[test]
fn operators_on_keys_that_are_there() {
    // `app` is `web` and `db`; each row says which of them may come.
    let both = || json!(["web", "db"]);
    for (operator, values, web, db) in [
        ("In", json!(["web"]), "yes", "no"),
        ("In", both(), "yes", "yes"),
        ("NotIn", json!(["web"]), "no", "yes"),
        ("NotIn", both(), "no", "no"),
        ("Exists", json!([]), "yes", "yes"),
        ("DoesNotExist", json!([]), "no", "no"),
    ] {
        let peer = json!({ "podSelector": { "matchExpressions":
            [{ "key": "app", "operator": operator, "values": values }] } });
        let spec = json!({ "podSelector": { "matchLabels": { "app": "x" } },
            "ingress": [{ "from": [peer] }] });
        shop(vec![pod("shop/x", json!({ "app": "x" })), policy("shop/p", spec)])
            .holds(&[("shop/web", "shop/x", "80", web), ("shop/db", "shop/x", "80", db)]);
    }
}

#[test]
fn the_selector_of_a_policy_takes_pods_without_the_key_by_not_in() {
    // Pods of ops bear no label `app`; the node's pod does, and no policy selects it.
    for (operator, values, state) in [
        ("NotIn", json!(["web"]), "no"),
        ("DoesNotExist", json!([]), "no"),
        ("In", json!(["web"]), "yes"),
        ("Exists", json!([]), "yes"),
    ] {
        let spec = json!({ "podSelector": { "matchExpressions":
            [{ "key": "app", "operator": operator, "values": values }] } });
        shop(vec![policy("ops/p", spec)])
            .holds(&[("shop/web", "ops/job", "80", state), ("shop/web", "ops/agent", "80", "yes")]);
    }
}

#[test]
fn namespaces_without_the_key_are_taken_by_not_in() {
    for (operator, values, shop_may, ops_may) in [
        ("NotIn", json!(["shop"]), "no", "yes"),
        ("NotIn", json!(["ops"]), "yes", "yes"),
        ("DoesNotExist", json!([]), "no", "yes"),
        ("In", json!(["shop"]), "yes", "no"),
        ("Exists", json!([]), "yes", "no"),
    ] {
        let spec = json!({ "podSelector": { "matchLabels": { "app": "db" } },
            "ingress": [{ "from": [{ "namespaceSelector": { "matchExpressions":
                [{ "key": "team", "operator": operator, "values": values }] } }] }] });
        shop(vec![policy("shop/p", spec)]).holds(&[
            ("shop/web", "shop/db", "80", shop_may),
            ("ops/job", "shop/db", "80", ops_may),
        ]);
    }
}

#[test]
fn ports_that_are_absent_null_or_of_nothing() {
    let open = |ports: Value| {
        shop(vec![policy("shop/p", json!({ "podSelector": {}, "ingress": [{ "ports": ports }] }))])
    };
    open(json!(null)).holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "UDP:80", "yes"),
        ("ops/job", "shop/web", "SCTP:80", "yes"),
    ]);
    // An element that says nothing is every port of TCP.
    open(json!([{}]))
        .holds(&[("ops/job", "shop/web", "9", "yes"), ("ops/job", "shop/web", "UDP:9", "no")]);
    open(json!([{ "protocol": "SCTP" }])).holds(&[
        ("ops/job", "shop/web", "9", "no"),
        ("ops/job", "shop/web", "UDP:9", "no"),
        ("ops/job", "shop/web", "SCTP:9", "yes"),
    ]);
    // A range that ends before it begins, and a protocol that is none of the three.
    open(json!([{ "port": 80, "endPort": 79 }]))
        .holds(&[("ops/job", "shop/web", "80", "no"), ("ops/job", "shop/web", "79", "no")]);
    open(json!([{ "port": 80, "protocol": "ICMP" }])).holds(&[("ops/job", "shop/web", "80", "no")]);
    // A range of one, and one up to the last port.
    open(json!([{ "port": 80, "endPort": 80 }]))
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("ops/job", "shop/web", "81", "no")]);
    open(json!([{ "port": 65000, "endPort": 65535 }]))
        .holds(&[("ops/job", "shop/web", "65535", "yes"), ("ops/job", "shop/web", "64999", "no")]);
}

#[test]
fn a_named_port_of_another_protocol_opens_nothing() {
    let ports = json!([
        { "name": "api", "containerPort": 7000, "protocol": "UDP" },
        { "name": "api", "containerPort": 7001, "protocol": "SCTP" }]);
    let made = || named(pod("shop/x", json!({})), ports.clone());
    let open = |protocol: Value| {
        let ports = json!([{ "port": "api", "protocol": protocol }]);
        shop(vec![
            made(),
            policy("shop/p", json!({ "podSelector": {}, "ingress": [{ "ports": ports }] })),
        ])
    };
    open(json!(null))
        .holds(&[("ops/job", "shop/x", "7000", "no"), ("ops/job", "shop/x", "UDP:7000", "no")]);
    open(json!("UDP")).holds(&[
        ("ops/job", "shop/x", "UDP:7000", "yes"),
        ("ops/job", "shop/x", "7000", "no"),
        ("ops/job", "shop/x", "SCTP:7001", "no"),
    ]);
    open(json!("SCTP")).holds(&[("ops/job", "shop/x", "SCTP:7001", "yes")]);
}

#[test]
fn of_two_ports_with_one_name_and_protocol_the_first_counts() {
    let two = json!([{ "name": "c", "image": "i", "ports": [{ "name": "api", "containerPort": 7000 }] },
        { "name": "d", "image": "i", "ports": [{ "name": "api", "containerPort": 7001 }] }]);
    let made = with(pod("shop/x", json!({})), "/spec/containers", two);
    let spec = json!({ "podSelector": {}, "ingress": [{ "ports": [{ "port": "api" }] }] });
    shop(vec![made, policy("shop/p", spec)])
        .holds(&[("ops/job", "shop/x", "7000", "yes"), ("ops/job", "shop/x", "7001", "no")]);
}

#[test]
fn a_named_port_lets_the_outside_in_and_never_out() {
    let rule = |side: &str| {
        json!([{ "ports": [{ "port": "http" }],
        side: [{ "ipBlock": { "cidr": "0.0.0.0/0" } }] }])
    };
    let spec = json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
        "ingress": rule("from"), "egress": rule("to") });
    shop(vec![policy("shop/p", spec)]).holds(&[
        ("internet", "shop/web", "8080", "yes"),
        ("internet", "shop/db", "8080", "no"),
        ("shop/web", "198.51.100.7", "8080", "no"),
        ("shop/web", "node/n2", "8080", "no"),
        ("shop/web", "ops/job", "80", "yes"),
    ]);
}

#[test]
fn declared_ports_restrict_nothing() {
    // `shop/web` declares 8080 and 53, `shop/db` nothing.
    let spec = json!({ "podSelector": {}, "ingress": [{ "ports": [{ "port": 9999 }] }] });
    for open in [shop(vec![]), shop(vec![policy("shop/p", spec)])] {
        open.holds(&[
            ("ops/job", "shop/web", "9999", "yes"),
            ("ops/job", "shop/db", "9999", "yes"),
            ("internet", "shop/db", "9999", "yes"),
        ]);
    }
}

#[test]
fn an_answer_opens_no_connection_back() {
    // The database may answer the web server, and not call it.
    let deny =
        json!({ "podSelector": { "matchLabels": { "app": "web" } }, "policyTypes": ["Ingress"] });
    let egress =
        json!({ "podSelector": { "matchLabels": { "app": "db" } }, "policyTypes": ["Egress"] });
    for spec in [deny, egress] {
        shop(vec![policy("shop/p", spec)])
            .holds(&[("shop/web", "shop/db", "80", "yes"), ("shop/db", "shop/web", "80", "no")]);
    }
}

#[test]
fn exceptions_hold_for_their_own_block_alone() {
    let block =
        |cidr: &str, except: Value| json!({ "ipBlock": { "cidr": cidr, "except": except } });
    let wide = || block("198.51.0.0/16", json!(["198.51.100.0/24", "198.51.7.7/32"]));
    let inside = || block("198.51.100.0/25", json!(null));
    let rule = |peers: Value| json!({ "from": peers });
    // Beside it in one rule, in another rule, and a peer of pods beside it.
    for rules in [
        json!([rule(json!([wide(), inside()]))]),
        json!([rule(json!([wide()])), rule(json!([inside()]))]),
        json!([rule(json!([wide(), inside(), { "podSelector": {} }]))]),
    ] {
        let spec = json!({ "podSelector": {}, "ingress": rules });
        shop(vec![policy("shop/p", spec)]).holds(&[
            ("198.51.100.7", "shop/web", "80", "yes"),
            ("198.51.100.130", "shop/web", "80", "no"),
            ("198.51.7.7", "shop/web", "80", "no"),
            ("198.51.7.8", "shop/web", "80", "yes"),
        ]);
    }
}

#[test]
fn blocks_mean_addresses_of_either_family_masked() {
    for (cidr, inside, beside) in [
        ("10.77.0.5/8", "10.1.2.3", "11.1.2.3"),
        ("192.0.2.1/32", "192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:7::9/48", "2001:db8::1", "2001:db8:1::1"),
        ("::/0", "2001:db8::1", "192.0.2.1"),
        ("0.0.0.0/0", "192.0.2.1", "2001:db8::1"),
    ] {
        let spec = json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
            "ingress": [{ "from": [{ "ipBlock": { "cidr": cidr } }] }],
            "egress": [{ "to": [{ "ipBlock": { "cidr": cidr } }] }] });
        shop(vec![policy("shop/p", spec)]).holds(&[
            (inside, "shop/web", "80", "yes"),
            (beside, "shop/web", "80", "no"),
            ("shop/web", inside, "80", "yes"),
            ("shop/web", beside, "80", "no"),
        ]);
    }
}

#[test]
fn ended_pods_have_no_network_and_others_do() {
    for (phase, deleted, runs) in [
        ("Succeeded", false, false),
        ("Failed", false, false),
        ("Pending", false, true),
        ("Running", false, true),
        // What is being ended has its network until it is gone.
        ("Running", true, true),
    ] {
        let mut made = with(pod("shop/x", json!({})), "/status/phase", json!(phase));
        if deleted {
            made = with(made, "/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z"));
        }
        let cluster = shop(vec![made, policy("shop/deny", json!({ "podSelector": {} }))]);
        let End::Host(host @ Host::Pod(_)) = cluster.end("shop/x") else { unreachable!() };
        let class = cluster.world.network().class_of(host);
        assert_eq!(class.is_some(), runs, "{phase}");
        if runs {
            cluster.holds(&[("ops/job", "shop/x", "80", "no")]);
        }
    }
}

#[test]
fn a_pod_reaches_itself_whatever_policies_say() {
    let deny = json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] });
    let admin = json!({ "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy", "metadata": { "name": "a" }, "spec": { "priority": 1,
        "subject": { "namespaces": {} },
        "ingress": [{ "action": "Deny", "from": [{ "namespaces": {} }] }] } });
    shop(vec![policy("shop/deny", deny), admin])
        .holds(&[("shop/web", "shop/web", "80", "yes"), ("shop/db", "shop/web", "80", "no")]);
}

#[test]
fn a_policy_of_another_namespace_with_the_same_labels_does_not_select() {
    let spec = json!({ "podSelector": { "matchLabels": { "app": "web" } } });
    shop(vec![pod("ops/web", json!({ "app": "web" })), policy("ops/p", spec)])
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("shop/db", "ops/web", "80", "no")]);
}

/// C-05: a pod's own address is its own affair. What comes back to it by a Service is subject to
/// policies like what comes to another of its kind, which the Service may choose as well.
#[test]
fn what_comes_back_by_a_service_is_held_to_policies() {
    let deny = json!({ "podSelector": {}, "policyTypes": ["Ingress"] });
    let cnp = json!({ "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy", "metadata": { "name": "a" },
        "spec": { "tier": "Admin", "priority": 1, "subject": { "namespaces": {} },
        "ingress": [{ "action": "Deny", "from": [{ "namespaces": {} }] }] } });
    for held in [policy("shop/deny", deny), cnp] {
        let cluster = shop(vec![held]);
        cluster.holds(&[("shop/web", "shop/web", "80", "yes")]);
        let network = cluster.world.network().with(cluster.switches);
        let End::Host(web) = cluster.end("shop/web") else { panic!("no pod") };
        let class = End::Class(network.class_of(web).unwrap());
        assert_eq!(network.state(class, class, port("80")), State::Denied);
    }
}
