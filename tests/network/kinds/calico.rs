//! Calico's policies, tiers and sets of addresses.

use super::{policy, shop, with};
use kspm_graph::world::network::{Direction, Doubt, Reason};
use serde_json::{Value, json};

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
    // Whether its namespace limits what is only told by what it is not, is not documented.
    own(json!({ "notSelector": "app == 'db'" })).holds(&[
        ("shop/db", "shop/web", "80", "no"),
        ("ops/job", "shop/web", "80", "unknown"),
        ("internet", "shop/web", "80", "unknown"),
        ("node/n2", "shop/web", "80", "unknown"),
    ]);
    own(json!({ "notSelector": "app == 'x'" })).holds(&[("shop/db", "shop/web", "80", "yes")]);
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

#[test]
fn policies_of_host_endpoints_make_nodes_unknown_and_no_pod() {
    let interface = || calico("HostEndpoint", "", "x", json!({ "node": "n2" }));
    let deny = || json!({ "ingress": [{ "action": "Deny" }] });
    shop(vec![interface()]).holds(&[
        ("shop/web", "node/n2", "10250", "unknown"),
        ("shop/db", "shop/web", "80", "yes"),
    ]);
    // What is asked before addresses are translated, or past connections, is of hosts alone.
    for field in ["preDNAT", "doNotTrack"] {
        let mut spec = deny();
        spec[field] = json!(true);
        spec["applyOnForward"] = json!(true);
        shop(vec![interface(), global("p", spec)]).holds(&[
            ("ops/job", "shop/web", "80", "yes"),
            ("shop/web", "node/n2", "10250", "unknown"),
        ]);
    }
    // What is applied to what is forwarded too selects pods as ever.
    let mut spec = deny();
    spec["applyOnForward"] = json!(true);
    shop(vec![global("p", spec)]).holds(&[("ops/job", "shop/web", "80", "no")]);
}

#[test]
fn staged_kinds_are_drafts() {
    for kind in
        ["StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy"]
    {
        let ns = if kind.contains("Global") { "" } else { "shop" };
        let spec = json!({ "podSelector": {}, "ingress": [{ "action": "Deny" }] });
        shop(vec![calico(kind, ns, "p", spec)]).holds(&[("ops/job", "shop/web", "80", "yes")]);
    }
}

#[test]
fn service_accounts_are_peers_by_name_and_by_label() {
    let robot = json!({ "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "namespace": "ops", "name": "robot", "labels": { "role": "batch" } } });
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "namespace": "shop", "name": "default" } });
    let own = |items: Vec<Value>, accounts: Value| {
        let source = json!({ "namespaceSelector": "all()", "serviceAccounts": accounts });
        let spec = json!({ "selector": "app == 'web'",
            "ingress": [{ "action": "Allow", "source": source }] });
        let mut items = items;
        items.push(calico("NetworkPolicy", "shop", "p", spec));
        shop(items)
    };
    let both = || vec![robot.clone(), account.clone()];
    for (accounts, job, db) in [
        (json!({ "names": ["robot"] }), "yes", "no"),
        (json!({ "names": ["default"] }), "no", "yes"),
        (json!({ "selector": "role == 'batch'" }), "yes", "no"),
        (json!({ "selector": "!has(role)" }), "no", "yes"),
        (json!({ "selector": "role == 'batch'", "names": ["default"] }), "no", "no"),
    ] {
        own(both(), accounts)
            .holds(&[("ops/job", "shop/web", "80", job), ("shop/db", "shop/web", "80", db)]);
    }
    // The labels of one that was not collected are not known.
    own(vec![account.clone()], json!({ "selector": "role == 'batch'" }))
        .holds(&[("ops/job", "shop/web", "80", "unknown"), ("shop/db", "shop/web", "80", "no")]);
}

#[test]
fn sets_of_addresses_of_a_namespace_and_of_all() {
    let set = |kind: &str, ns: &str, name: &str, net: &str| {
        let made = calico(kind, ns, name, json!({ "nets": [net] }));
        with(made, "/metadata/labels", json!({ "role": "partner" }))
    };
    let own = |source: Value| {
        shop(vec![
            set("NetworkSet", "shop", "a", "192.0.2.0/24"),
            set("NetworkSet", "ops", "b", "198.51.100.0/24"),
            set("GlobalNetworkSet", "", "c", "203.0.113.0/24"),
            calico(
                "NetworkPolicy",
                "shop",
                "p",
                json!({ "selector": "app == 'web'",
                "ingress": [{ "action": "Allow", "source": source }] }),
            ),
        ])
    };
    // Those of shop, of ops and of the cluster.
    for (source, states) in [
        (json!({ "selector": "role == 'partner'" }), ["yes", "no", "no"]),
        (json!({ "selector": "role == 'x'" }), ["no", "no", "no"]),
        (
            json!({ "selector": "role == 'partner'", "namespaceSelector": "all()" }),
            ["yes", "yes", "yes"],
        ),
        (
            json!({ "selector": "role == 'partner'",
                "namespaceSelector": "projectcalico.org/name == 'ops'" }),
            ["no", "yes", "no"],
        ),
        (
            json!({ "selector": "role == 'partner'", "namespaceSelector": "global()" }),
            ["no", "no", "yes"],
        ),
    ] {
        let open = own(source);
        for (from, state) in ["192.0.2.7", "198.51.100.7", "203.0.113.7"].iter().zip(states) {
            open.holds(&[(from, "shop/web", "80", state)]);
        }
        open.holds(&[("8.8.8.8", "shop/web", "80", "no")]);
    }
}

#[test]
fn domains_and_services_are_not_in_a_snapshot() {
    let out = |destination: Value| {
        shop(vec![calico(
            "NetworkPolicy",
            "shop",
            "p",
            json!({ "selector": "app == 'web'",
            "egress": [{ "action": "Allow", "destination": destination }] }),
        )])
    };
    let domains = out(json!({ "domains": ["*.example.com"] }));
    domains
        .holds(&[("shop/web", "internet", "443", "unknown"), ("shop/web", "ops/job", "80", "no")]);
    let services = out(json!({ "services": { "name": "x", "namespace": "ops" } }));
    services.holds(&[("shop/web", "ops/job", "80", "unknown")]);
    for (open, to, words) in
        [(domains, "internet", "it names domains"), (services, "ops/job", "it names Services")]
    {
        let network = open.world.network();
        let reasons = open.verdict("shop/web", to, "80").egress.reasons;
        let said: Vec<String> =
            reasons.iter().map(|r| network.words(r, Direction::Egress)).collect();
        assert!(said.iter().any(|text| text.contains(words)), "{said:?}");
    }
}

#[test]
fn a_rule_without_a_selector_is_everybody_and_all_is_what_is_known() {
    for (source, pods, node, outside) in [
        (json!(null), "yes", "yes", "yes"),
        (json!({}), "yes", "yes", "yes"),
        (json!({ "selector": "all()" }), "yes", "no", "no"),
        (json!({ "namespaceSelector": "all()" }), "yes", "no", "no"),
        (json!({ "namespaceSelector": "global()" }), "no", "no", "no"),
    ] {
        let rule = json!({ "action": "Allow", "source": source });
        shop(vec![global("p", json!({ "selector": "app == 'web'", "ingress": [rule] }))]).holds(&[
            ("ops/job", "shop/web", "80", pods),
            ("node/n2", "shop/web", "80", node),
            ("192.0.2.7", "shop/web", "80", outside),
        ]);
    }
}

#[test]
fn tiers_are_asked_in_their_order_and_the_last_one_leaves_all_open() {
    let tier = |name: &str, order: Value| calico("Tier", "", name, json!({ "order": order }));
    let rule = |tier: &str, action: &str| {
        global(&format!("{tier}.p"), json!({ "tier": tier, "ingress": [{ "action": action }] }))
    };
    // `a` stands behind `b`, whatever they are called; without an order, a tier is the last.
    for (first, second, state) in
        [(20, json!(10), "no"), (10, json!(20), "yes"), (10, json!(null), "yes")]
    {
        shop(vec![
            tier("a", json!(first)),
            tier("b", second),
            rule("a", "Allow"),
            rule("b", "Deny"),
        ])
        .holds(&[("ops/job", "shop/web", "80", state)]);
    }
    // Passed by each, and then nobody has anything against it.
    shop(vec![tier("a", json!(1)), rule("a", "Pass"), rule("default", "Pass")])
        .holds(&[("ops/job", "shop/web", "80", "yes")]);
}

#[test]
fn policies_of_one_order_go_by_their_names_within_a_kind() {
    let at = |name: &str, action: &str| {
        global(name, json!({ "order": 1000, "ingress": [{ "action": action }] }))
    };
    shop(vec![at("a", "Deny"), at("b", "Allow")]).holds(&[("ops/job", "shop/web", "80", "no")]);
    shop(vec![at("a", "Allow"), at("b", "Deny")]).holds(&[("ops/job", "shop/web", "80", "yes")]);
    // Beside another kind, versions of Calico differ.
    let np = policy("shop/np", json!({ "podSelector": {}, "ingress": [{}] }));
    let tie = shop(vec![at("a", "Deny"), np]);
    tie.holds(&[("ops/job", "shop/web", "80", "unknown"), ("shop/web", "ops/job", "80", "no")]);
    let reasons = tie.verdict("ops/job", "shop/web", "80").ingress.reasons;
    assert!(reasons.iter().any(Reason::is_unsure), "{reasons:?}");
}

#[test]
fn what_a_tier_does_that_was_not_collected_is_unknown_and_said_so() {
    let lost = shop(vec![global("sec.p", json!({ "tier": "sec", "ingress": [] }))]);
    lost.holds(&[("ops/job", "shop/web", "80", "unknown")]);
    let reasons = lost.verdict("ops/job", "shop/web", "80").ingress.reasons;
    assert!(reasons.iter().any(|r| matches!(r, Reason::Vague(_, Doubt::Tier))), "{reasons:?}");
}
