//! NetworkPolicy of `networking.k8s.io/v1`, sentence by sentence of its API.

use super::{Cluster, address, cluster, named, namespace, pod, policy, with};
use kspm_graph::world::network::{Direction, Reason, State, Switches, Truth};
use serde_json::{Value, json};

/// `shop/web` and `shop/db`, `ops/job` without labels, and `ops/agent` on its node's network.
pub(super) fn shop(policies: Vec<Value>) -> Cluster {
    let mut items = vec![
        namespace("shop", json!({ "team": "shop" })),
        namespace("ops", json!({})),
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n1" },
            "status": { "addresses": [{ "type": "InternalIP", "address": "172.16.0.1" }] } }),
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n2" },
            "status": { "addresses": [{ "type": "InternalIP", "address": "172.16.0.2" }] } }),
        named(
            pod("shop/web", json!({ "app": "web" })),
            json!([
            { "name": "http", "containerPort": 8080 },
            { "name": "dns", "containerPort": 53, "protocol": "UDP" },
            { "name": "dns-tcp", "containerPort": 53 }]),
        ),
        pod("shop/db", json!({ "app": "db" })),
        named(pod("ops/job", json!({})), json!([{ "name": "http", "containerPort": 80 }])),
        with(
            with(pod("ops/agent", json!({ "app": "web" })), "/spec/hostNetwork", json!(true)),
            "/spec/nodeName",
            json!("n2"),
        ),
    ];
    items.extend(policies);
    cluster(items)
}

#[test]
fn without_a_policy_everything_is_open() {
    let open = shop(vec![]);
    open.holds(&[
        ("shop/web", "ops/job", "80", "yes"),
        ("internet", "shop/db", "UDP:1", "yes"),
        ("shop/db", "internet", "443", "yes"),
        ("ops/agent", "shop/db", "SCTP:7", "yes"),
    ]);
    assert_eq!(open.verdict("shop/web", "ops/job", "80").ingress.reasons, [Reason::Free]);
}

#[test]
fn an_empty_or_absent_selector_takes_all_pods_of_its_own_namespace() {
    for spec in [
        json!({ "podSelector": {}, "policyTypes": ["Ingress"] }),
        json!({ "podSelector": null, "policyTypes": ["Ingress"] }),
        json!({ "policyTypes": ["Ingress"], "ingress": [] }),
    ] {
        shop(vec![policy("shop/deny", spec)]).holds(&[
            ("ops/job", "shop/web", "80", "no"),
            ("shop/web", "shop/db", "80", "no"),
            ("shop/web", "ops/job", "80", "yes"),
            ("internet", "shop/web", "80", "no"),
        ]);
    }
}

#[test]
fn absent_types_mean_ingress_and_egress_only_with_a_rule_for_it() {
    let all = json!({ "podSelector": {} });
    shop(vec![policy("shop/p", all)])
        .holds(&[("shop/web", "ops/job", "80", "yes"), ("ops/job", "shop/web", "80", "no")]);
    let none = json!({ "podSelector": {}, "egress": [] });
    shop(vec![policy("shop/p", none)])
        .holds(&[("shop/web", "ops/job", "80", "yes"), ("ops/job", "shop/web", "80", "no")]);
    let some =
        json!({ "podSelector": {}, "egress": [{ "ports": [{ "port": 53, "protocol": "UDP" }] }] });
    shop(vec![policy("shop/p", some)]).holds(&[
        ("shop/web", "ops/job", "80", "no"),
        ("shop/web", "ops/job", "UDP:53", "yes"),
        ("ops/job", "shop/web", "80", "no"),
    ]);
}

#[test]
fn rules_of_a_direction_that_is_no_type_do_not_count() {
    let spec = json!({ "podSelector": {}, "policyTypes": ["Ingress"], "egress": [
        { "ports": [{ "port": 1 }] }], "ingress": [{}] });
    shop(vec![policy("shop/p", spec)])
        .holds(&[("shop/web", "ops/job", "80", "yes"), ("ops/job", "shop/web", "80", "yes")]);
}

#[test]
fn policies_add_up_and_both_ends_must_agree_on_one_port() {
    let egress = json!({ "podSelector": { "matchLabels": { "app": "web" } }, "policyTypes": ["Egress"],
        "egress": [{ "ports": [{ "port": 80 }, { "port": 81 }] }] });
    let deny = json!({ "podSelector": {}, "policyTypes": ["Ingress"] });
    let ingress = json!({ "podSelector": { "matchLabels": { "app": "db" } },
        "ingress": [{ "ports": [{ "port": 81 }, { "port": 82 }] }] });
    let both =
        shop(vec![policy("shop/a", egress), policy("shop/b", deny), policy("shop/c", ingress)]);
    both.holds(&[
        ("shop/web", "shop/db", "80", "no"),
        ("shop/web", "shop/db", "81", "yes"),
        ("shop/web", "shop/db", "82", "no"),
        ("ops/job", "shop/db", "82", "yes"),
    ]);
    let network = both.world.network().with(both.switches);
    let spans = network.ports(both.end("shop/web"), both.end("shop/db"));
    assert_eq!(spans.len(), 1);
    assert_eq!((spans[0].first, spans[0].last, spans[0].state), (81, 81, State::Allowed));
}

#[test]
fn an_empty_rule_lets_everybody_in_and_no_rule_nobody() {
    let all = json!({ "podSelector": {}, "ingress": [{}] });
    shop(vec![policy("shop/p", all)])
        .holds(&[("internet", "shop/web", "1", "yes"), ("ops/agent", "shop/web", "1", "yes")]);
    let empty = json!({ "podSelector": {}, "ingress": [{ "from": [], "ports": [] }] });
    shop(vec![policy("shop/p", empty)]).holds(&[("internet", "shop/web", "UDP:1", "yes")]);
}

#[test]
fn selectors_of_one_element_are_joined_and_elements_are_alternatives() {
    let shop_team = json!({ "matchLabels": { "team": "shop" } });
    let web = json!({ "matchLabels": { "app": "web" } });
    let one = json!({ "podSelector": { "matchLabels": { "app": "db" } },
        "ingress": [{ "from": [{ "namespaceSelector": shop_team, "podSelector": web }] }] });
    shop(vec![pod("shop/x", json!({})), policy("shop/p", one)]).holds(&[
        ("shop/web", "shop/db", "80", "yes"),
        ("shop/x", "shop/db", "80", "no"),
        ("ops/job", "shop/db", "80", "no"),
    ]);
    let two = json!({ "podSelector": { "matchLabels": { "app": "db" } },
        "ingress": [{ "from": [{ "namespaceSelector": shop_team }, { "podSelector": web }] }] });
    shop(vec![
        pod("shop/x", json!({})),
        pod("ops/web", json!({ "app": "web" })),
        policy("shop/p", two),
    ])
    .holds(&[
        ("shop/x", "shop/db", "80", "yes"),
        // A pod selector alone means the policy's own namespace.
        ("ops/web", "shop/db", "80", "no"),
    ]);
}

#[test]
fn all_namespaces_are_neither_outside_nor_nodes() {
    let spec = json!({ "podSelector": {}, "ingress": [{ "from": [{ "namespaceSelector": {} }] }] });
    shop(vec![policy("shop/p", spec)]).holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("internet", "shop/web", "80", "no"),
        ("198.51.100.7", "shop/web", "80", "no"),
        ("node/n2", "shop/web", "80", "no"),
        ("ops/agent", "shop/web", "80", "no"),
    ]);
}

#[test]
fn operators_on_absent_keys() {
    for (operator, values, passes) in [
        ("In", json!(["web"]), "no"),
        ("NotIn", json!(["web"]), "yes"),
        ("Exists", json!([]), "no"),
        ("DoesNotExist", json!([]), "yes"),
    ] {
        let spec = json!({ "podSelector": {}, "ingress": [{ "from": [{ "namespaceSelector": {},
            "podSelector": { "matchExpressions":
                [{ "key": "app", "operator": operator, "values": values }] } }] }] });
        shop(vec![policy("shop/p", spec)]).holds(&[("ops/job", "shop/db", "80", passes)]);
    }
    let both = json!({ "podSelector": {}, "ingress": [{ "from": [{ "podSelector": {
        "matchLabels": { "app": "web" },
        "matchExpressions": [{ "key": "app", "operator": "NotIn", "values": ["web"] }] } }] }] });
    shop(vec![policy("shop/p", both)]).holds(&[("shop/web", "shop/db", "80", "no")]);
}

#[test]
fn blocks_of_addresses_and_their_exceptions() {
    let spec = |cidr: &str, except: Value| {
        json!({ "podSelector": {}, "ingress": [{ "from": [
            { "ipBlock": { "cidr": cidr, "except": except } }] }] })
    };
    let narrow = shop(vec![policy("shop/p", spec("198.51.0.0/16", json!(["198.51.100.0/24"])))]);
    narrow.holds(&[
        ("198.51.7.7", "shop/web", "80", "yes"),
        ("198.51.100.7", "shop/web", "80", "no"),
        ("198.51.100.0/23", "shop/web", "80", "unknown"),
        ("2001:db8::1", "shop/web", "80", "no"),
    ]);
    // Another rule may still allow what one excepts.
    shop(vec![
        policy("shop/p", spec("198.51.0.0/16", json!(["198.51.100.0/24"]))),
        policy("shop/q", spec("198.51.100.7/32", json!(null))),
    ])
    .holds(&[("198.51.100.7", "shop/web", "80", "yes")]);
    // Bits after the prefix do not count.
    shop(vec![policy("shop/p", spec("198.51.100.9/8", json!(null)))]).holds(&[(
        "198.1.2.3",
        "shop/web",
        "80",
        "yes",
    )]);
    shop(vec![policy("shop/p", spec("2001:db8::/32", json!(["2001:db8:1::/48"])))]).holds(&[
        ("2001:db8:2::1", "shop/web", "80", "yes"),
        ("2001:db8:1::1", "shop/web", "80", "no"),
        ("198.51.7.7", "shop/web", "80", "no"),
    ]);
}

#[test]
fn the_internet_is_every_public_address() {
    let spec = |cidr: &str, except: Value| {
        json!({ "podSelector": {}, "ingress": [{ "from": [
            { "ipBlock": { "cidr": cidr, "except": except } }] }] })
    };
    let state = |cidr: &str, except: Value| {
        let verdict =
            shop(vec![policy("shop/p", spec(cidr, except))]).verdict("internet", "shop/web", "80");
        let only: Vec<String> = verdict.only.iter().map(ToString::to_string).collect();
        (verdict.state, only.join(" "))
    };
    assert_eq!(state("0.0.0.0/0", json!(["10.0.0.0/8"])), (State::Allowed, String::new()));
    assert_eq!(state("10.0.0.0/8", json!(null)), (State::Denied, String::new()));
    assert_eq!(state("::/0", json!(null)), (State::Allowed, String::new()));
    assert_eq!(
        state("198.51.100.0/23", json!(["198.51.101.0/25"])),
        (State::Allowed, "198.51.100.0/24 198.51.101.128/25".to_owned())
    );
}

#[test]
fn whether_blocks_match_pods_is_the_plugins() {
    let spec = json!({ "podSelector": { "matchLabels": { "app": "db" } }, "ingress": [{ "from": [
        { "ipBlock": { "cidr": "10.2.0.0/16" } }] }] });
    let mut own = shop(vec![address(pod("shop/x", json!({})), "10.2.0.7"), policy("shop/p", spec)]);
    for (matches, state) in [(Truth::Yes, "yes"), (Truth::No, "no"), (Truth::Maybe, "unknown")] {
        own.switches = Switches { blocks_match_pods: matches, ..Switches::default() };
        own.holds(&[("shop/x", "shop/db", "80", state)]);
    }
    // A block beside the pods' addresses matches none of them.
    let spec = json!({ "podSelector": { "matchLabels": { "app": "db" } }, "ingress": [{ "from": [
        { "ipBlock": { "cidr": "192.0.2.0/24" } }] }] });
    let mut other =
        shop(vec![address(pod("shop/x", json!({})), "10.2.0.7"), policy("shop/p", spec)]);
    other.switches = Switches::default();
    other.holds(&[("shop/x", "shop/db", "80", "no")]);
}

#[test]
fn the_server_labels_namespaces_with_their_names() {
    let spec = json!({ "podSelector": {}, "ingress": [{ "from": [{ "namespaceSelector":
        { "matchLabels": { "kubernetes.io/metadata.name": "ops" } } }] }] });
    let lies = namespace("fake", json!({ "kubernetes.io/metadata.name": "ops" }));
    shop(vec![lies, pod("fake/x", json!({})), policy("shop/p", spec)]).holds(&[
        ("ops/job", "shop/web", "80", "yes"),
        ("shop/db", "shop/web", "80", "no"),
        ("fake/x", "shop/web", "80", "no"),
    ]);
}

#[test]
fn ports_protocols_and_ranges() {
    let open = |ports: Value| {
        shop(vec![policy("shop/p", json!({ "podSelector": {}, "ingress": [{ "ports": ports }] }))])
    };
    open(json!([])).holds(&[("ops/job", "shop/web", "SCTP:9", "yes")]);
    open(json!([{ "protocol": "UDP" }]))
        .holds(&[("ops/job", "shop/web", "UDP:9", "yes"), ("ops/job", "shop/web", "9", "no")]);
    open(json!([{ "port": 80 }]))
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("ops/job", "shop/web", "UDP:80", "no")]);
    open(json!([{ "port": 80, "endPort": 82 }])).holds(&[
        ("ops/job", "shop/web", "79", "no"),
        ("ops/job", "shop/web", "80", "yes"),
        ("ops/job", "shop/web", "82", "yes"),
        ("ops/job", "shop/web", "83", "no"),
        ("ops/job", "shop/web", "UDP:81", "no"),
    ]);
    open(json!([{ "port": 80, "protocol": "SCTP" }]))
        .holds(&[("ops/job", "shop/web", "80", "no"), ("ops/job", "shop/web", "SCTP:80", "yes")]);
}

#[test]
fn named_ports_are_the_connected_pods_own() {
    let spec = json!({ "podSelector": {}, "ingress": [{ "ports": [{ "port": "http" }] }] });
    shop(vec![policy("shop/p", spec.clone()), policy("ops/p", spec)]).holds(&[
        ("ops/job", "shop/web", "8080", "yes"),
        ("ops/job", "shop/web", "80", "no"),
        ("shop/web", "ops/job", "80", "yes"),
        // Isolated, and without a port of the name.
        ("ops/job", "shop/db", "8080", "no"),
    ]);
    // The protocol is part of the name's meaning.
    let spec = json!({ "podSelector": {}, "ingress": [{ "ports": [{ "port": "dns" }] }] });
    shop(vec![policy("shop/p", spec)])
        .holds(&[("ops/job", "shop/web", "53", "no"), ("ops/job", "shop/web", "UDP:53", "no")]);
    let egress = json!({ "podSelector": {}, "egress": [{ "ports": [{ "port": "http" }] }],
        "policyTypes": ["Egress"] });
    shop(vec![policy("shop/p", egress)]).holds(&[
        ("shop/db", "ops/job", "80", "yes"),
        ("shop/db", "shop/web", "8080", "yes"),
        ("shop/db", "shop/web", "80", "no"),
        ("shop/db", "internet", "80", "no"),
        ("shop/db", "ops/agent", "80", "no"),
    ]);
}

#[test]
fn a_sidecars_named_port_counts_and_an_init_containers_does_not() {
    for (policy_of, state) in [(json!("Always"), "yes"), (Value::Null, "no")] {
        let init = json!([{ "name": "i", "image": "i", "restartPolicy": policy_of,
            "ports": [{ "name": "proxy", "containerPort": 15001 }] }]);
        let made = with(pod("shop/x", json!({})), "/spec/initContainers", init);
        let spec = json!({ "podSelector": {}, "ingress": [{ "ports": [{ "port": "proxy" }] }] });
        shop(vec![made, policy("shop/p", spec)]).holds(&[("ops/job", "shop/x", "15001", state)]);
    }
}

#[test]
fn pods_of_the_nodes_network_are_the_node() {
    let deny = json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] });
    let node = json!({ "podSelector": { "matchLabels": { "app": "db" } }, "ingress": [{ "from": [
        { "ipBlock": { "cidr": "172.16.0.2/32" } }, { "namespaceSelector": {} }] }] });
    let nodes = shop(vec![
        policy("shop/deny", deny.clone()),
        policy("ops/deny", deny),
        policy("shop/n", node),
    ]);
    nodes.holds(&[
        ("ops/agent", "shop/db", "80", "yes"),
        ("node/n2", "shop/db", "80", "yes"),
        ("ops/agent", "shop/web", "80", "no"),
        ("ops/agent", "internet", "80", "yes"),
        ("internet", "ops/agent", "80", "yes"),
        // From its own node a pod is always reached: probes come from there.
        ("node/n1", "shop/web", "80", "yes"),
        // To its own node, plugins differ.
        ("shop/web", "node/n1", "10250", "unknown"),
        ("shop/web", "node/n2", "10250", "no"),
        ("shop/web", "shop/web", "80", "yes"),
    ]);
    let class = nodes.world.network().class_of(match nodes.end("ops/agent") {
        kspm_graph::world::network::End::Host(host) => host,
        _ => unreachable!(),
    });
    assert!(nodes.world.network().isolation(class.unwrap(), Direction::Ingress).is_empty());
}

#[test]
fn openshift_has_a_label_for_the_nodes_network() {
    let spec = |label: &str| {
        json!({ "podSelector": {}, "ingress": [{ "from": [{ "namespaceSelector":
            { "matchLabels": { label: "" } } }] }] })
    };
    let host = "policy-group.network.openshift.io/host-network";
    shop(vec![policy("shop/p", spec(host))])
        .holds(&[("node/n2", "shop/web", "80", "unknown"), ("ops/job", "shop/web", "80", "no")]);
    shop(vec![policy("shop/p", spec("other"))]).holds(&[("node/n2", "shop/web", "80", "no")]);
}

#[test]
fn pods_that_do_not_run_are_in_no_class() {
    let ended = with(pod("shop/old", json!({})), "/status/phase", json!("Succeeded"));
    let done = shop(vec![ended]);
    let kspm_graph::world::network::End::Host(host) = done.end("shop/old") else { unreachable!() };
    assert_eq!(done.world.network().class_of(host), None);
}

#[test]
fn a_policy_of_a_namespace_without_pods_does_nothing() {
    let deny = json!({ "podSelector": {} });
    shop(vec![policy("empty/deny", deny)]).holds(&[("ops/job", "shop/web", "80", "yes")]);
}

#[test]
fn reasons_name_the_policies_and_the_rule() {
    let deny = json!({ "podSelector": {} });
    let allow = json!({ "podSelector": { "matchLabels": { "app": "db" } }, "ingress": [
        { "ports": [{ "port": 1 }] }, { "from": [{ "podSelector": {} }] }] });
    let why = shop(vec![policy("shop/deny", deny), policy("shop/allow", allow)]);
    let network = why.world.network();
    let facts = |from: &str| -> Vec<String> {
        let reasons = why.verdict(from, "shop/db", "80").ingress.reasons;
        let facts = reasons.iter().flat_map(|r| network.facts(r));
        facts
            .map(|(object, field, _)| {
                let name = why.world.objects[object.index()].name;
                format!("{} {field}", why.world.text(name))
            })
            .collect()
    };
    let verdict = why.verdict("ops/job", "shop/db", "80");
    assert_eq!(
        network.words(&verdict.ingress.reasons[0], Direction::Ingress),
        "isolated for ingress by shop/allow, shop/deny; no rule matched"
    );
    assert_eq!(
        network.words(
            &why.verdict("shop/web", "shop/db", "80").ingress.reasons[0],
            Direction::Ingress
        ),
        "allowed for ingress by shop/allow .spec.ingress[1]"
    );
    assert_eq!(facts("shop/web"), ["allow .spec.ingress[1]"]);
    assert_eq!(facts("ops/job"), ["allow .spec.podSelector", "deny .spec.podSelector"]);
}

#[test]
fn policies_that_nobody_enforces_deny_nothing() {
    let mut own = shop(vec![
        policy("shop/deny", json!({ "podSelector": {} })),
        policy(
            "shop/web",
            json!({ "podSelector": { "matchLabels": { "app": "web" } },
            "ingress": [{ "ports": [{ "port": 80 }] }] }),
        ),
    ]);
    for (enforced, state) in [(Truth::Yes, "no"), (Truth::No, "yes"), (Truth::Maybe, "unknown")] {
        own.switches = Switches { kubernetes: enforced, ..Switches::default() };
        own.holds(&[
            ("ops/job", "shop/db", "80", state),
            ("ops/job", "shop/web", "80", "yes"),
            ("internet", "shop/db", "80", state),
        ]);
    }
}

#[test]
fn kinds_that_are_not_evaluated_make_it_unknown_by_name() {
    let other = json!({ "apiVersion": "crd.antrea.io/v1beta1", "kind": "ClusterNetworkPolicy",
        "metadata": { "name": "x" }, "spec": {} });
    let odd = shop(vec![other]);
    odd.holds(&[("ops/job", "shop/db", "80", "unknown")]);
    let reasons = odd.verdict("ops/job", "shop/db", "80").ingress.reasons;
    let network = odd.world.network();
    let said: Vec<String> = reasons
        .iter()
        .filter(|r| matches!(r, Reason::Unread(_)))
        .map(|r| network.words(r, Direction::Ingress))
        .collect();
    assert_eq!(said, ["ClusterNetworkPolicy.crd.antrea.io x is not evaluated"]);
}

#[test]
fn templates_are_in_classes_too() {
    let deployment = json!({ "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "namespace": "shop", "name": "web" }, "spec": { "template": {
            "metadata": { "labels": { "app": "web" } },
            "spec": { "containers": [{ "name": "c", "image": "i" }] } } } });
    let spec = json!({ "podSelector": { "matchLabels": { "app": "web" } } });
    let world = cluster(vec![namespace("shop", json!({})), deployment, policy("shop/p", spec)]);
    let classes = world.world.network().classes();
    assert_eq!(classes.len(), 1);
    let class = kspm_graph::world::network::ClassIx(0);
    assert_eq!(world.world.network().isolation(class, Direction::Ingress).len(), 1);
    assert_eq!(world.world.network().hosts_of(class).len(), 1);
}

/// NP-15: the API server refuses a peer of addresses and of selectors. Plugins that are given one
/// all the same differ: some look at the addresses alone, some at both, some add them up. So what
/// either means may be let in, and nothing surely.
#[test]
fn a_block_beside_selectors_is_not_sure() {
    let peer = json!({ "ipBlock": { "cidr": "198.51.100.0/24" },
        "podSelector": { "matchLabels": { "app": "web" } } });
    let spec = |from: Value| json!({ "podSelector": {}, "ingress": [{ "from": from }] });
    let far = || address(pod("ops/far", json!({})), "10.2.0.1");
    shop(vec![far(), policy("shop/p", spec(json!([peer])))]).holds(&[
        ("198.51.100.7", "shop/db", "80", "unknown"),
        ("shop/web", "shop/db", "80", "unknown"),
        ("198.51.101.7", "shop/db", "80", "no"),
        ("ops/job", "shop/db", "80", "no"),
    ]);
    // Those beside it mean what they say.
    let beside = json!([peer, { "namespaceSelector": {} }]);
    shop(vec![far(), policy("shop/p", spec(beside))]).holds(&[
        ("198.51.100.7", "shop/db", "80", "unknown"),
        ("shop/web", "shop/db", "80", "yes"),
        ("ops/job", "shop/db", "80", "yes"),
    ]);
}
