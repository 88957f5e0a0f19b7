//! What a snapshot does not show: unknown, and why is said.

use super::policy::shop;
use super::{Cluster, cluster, namespace, pod, policy, with};
use kspm_graph::world::coverage::State as Shown;
use kspm_graph::world::network::{Direction, Doubt, Reason, Switches, Truth};
use serde_json::{Value, json};

fn object(version: &str, kind: &str, spec: Value) -> Value {
    json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "x" }, "spec": spec })
}

/// A namespace that a running cluster has and the snapshot does not may bear any label.
#[test]
fn labels_of_a_namespace_that_was_not_collected_are_not_known() {
    let lost = || pod("lost/x", json!({ "app": "web" }));
    let from = |peer: Value| {
        let spec = json!({ "podSelector": { "matchLabels": { "app": "db" } },
            "ingress": [{ "from": [peer] }] });
        shop(vec![lost(), policy("shop/p", spec)])
    };
    let of = |key: &str, operator: &str, values: Value| {
        from(json!({ "namespaceSelector": { "matchExpressions":
            [{ "key": key, "operator": operator, "values": values }] } }))
    };
    for (operator, values) in [
        ("In", json!(["x"])),
        ("NotIn", json!(["x"])),
        ("Exists", json!([])),
        ("DoesNotExist", json!([])),
    ] {
        let open = of("team", operator, values);
        open.holds(&[("lost/x", "shop/db", "80", "unknown")]);
        let reasons = open.verdict("lost/x", "shop/db", "80").ingress.reasons;
        let why = |r: &Reason| matches!(r, Reason::Rule { doubt: Some(Doubt::Labels), .. });
        assert!(reasons.iter().any(why), "{reasons:?}");
    }
    // What it is called is known, what its pods bear too, and that a selector of all takes it.
    let name = "kubernetes.io/metadata.name";
    of(name, "In", json!(["lost"])).holds(&[("lost/x", "shop/db", "80", "yes")]);
    of(name, "NotIn", json!(["lost"])).holds(&[("lost/x", "shop/db", "80", "no")]);
    from(json!({ "namespaceSelector": {} })).holds(&[("lost/x", "shop/db", "80", "yes")]);
    from(json!({ "namespaceSelector": { "matchLabels": { "team": "x" } },
        "podSelector": { "matchLabels": { "app": "other" } } }))
    .holds(&[("lost/x", "shop/db", "80", "no")]);
    // One that was collected has the labels that it shows.
    of("team", "Exists", json!([])).holds(&[("ops/job", "shop/db", "80", "no")]);
}

#[test]
fn whether_a_policy_selects_by_such_labels_is_not_known_either() {
    let spec = json!({ "priority": 1, "subject": { "namespaces": { "matchLabels": { "team": "x" } } },
        "ingress": [{ "action": "Deny", "from": [{ "namespaces": {} }] }] });
    let admin = object("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", spec);
    shop(vec![pod("lost/x", json!({})), admin]).holds(&[
        ("ops/job", "lost/x", "80", "unknown"),
        ("ops/job", "shop/web", "80", "yes"),
        ("internet", "lost/x", "80", "yes"),
    ]);
    let global = json!({ "namespaceSelector": "team == 'x'" });
    let global = object("projectcalico.org/v3", "GlobalNetworkPolicy", global);
    let open = shop(vec![pod("lost/x", json!({})), global]);
    open.holds(&[("ops/job", "lost/x", "80", "unknown"), ("ops/job", "shop/web", "80", "yes")]);
    let reasons = open.verdict("ops/job", "lost/x", "80").ingress.reasons;
    assert!(reasons.iter().any(|r| matches!(r, Reason::Vague(_, Doubt::Labels))), "{reasons:?}");
}

/// Manifests are all that there is of a namespace: what they do not say, it has not.
#[test]
fn a_namespace_of_manifests_has_the_labels_that_they_give() {
    let manifest = |path: &str| {
        let mut made = pod(path, json!({}));
        made.as_object_mut().unwrap().remove("status");
        made
    };
    let spec = json!({ "podSelector": {}, "ingress": [{ "from": [
        { "namespaceSelector": { "matchLabels": { "team": "x" } } }] }] });
    cluster(vec![manifest("a/x"), manifest("b/x"), policy("b/p", spec)])
        .holds(&[("a/x", "b/x", "80", "no")]);
}

#[test]
fn kinds_that_are_not_evaluated_are_named() {
    // Everything, all egress, or egress to what is outside.
    for (version, kind, pods_in, pods_out, outside) in [
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy", true, true, true),
        ("crd.antrea.io/v1beta1", "NetworkPolicy", true, true, true),
        ("security.antrea.tanzu.vmware.com/v1alpha1", "NetworkPolicy", true, true, true),
        ("networking.k8s.aws/v1alpha1", "ApplicationNetworkPolicy", true, true, true),
        ("networking.k8s.aws/v1alpha1", "ClusterNetworkPolicy", true, true, true),
        ("crd.nsx.vmware.com/v1alpha1", "SecurityPolicy", true, true, true),
        ("networking.gke.io/v1alpha1", "FQDNNetworkPolicy", false, true, true),
        ("k8s.ovn.org/v1", "EgressFirewall", false, false, true),
        ("network.openshift.io/v1", "EgressNetworkPolicy", false, false, true),
        // Groups of theirs and drafts decide nothing.
        ("crd.antrea.io/v1beta1", "Tier", false, false, false),
        ("crd.antrea.io/v1beta1", "ClusterGroup", false, false, false),
        ("networking.k8s.aws/v1alpha1", "PolicyEndpoint", false, false, false),
    ] {
        let all = kind.starts_with("Cluster") || kind == "Tier";
        let own = |ns: &str| {
            let policy = object(version, kind, json!({}));
            if all { policy } else { with(policy, "/metadata/namespace", json!(ns)) }
        };
        let open = shop(vec![own("shop")]);
        let state = |unknown: bool| if unknown { "unknown" } else { "yes" };
        open.holds(&[
            ("internet", "shop/db", "80", state(pods_in)),
            ("shop/web", "shop/db", "80", state(pods_in || pods_out)),
            ("shop/db", "198.51.100.7", "80", state(outside)),
        ]);
        let group = version.split('/').next().unwrap();
        let name = if all { "x" } else { "shop/x" };
        let named = format!("{kind}.{group} {name} is not evaluated");
        let verdict = open.verdict("shop/db", "198.51.100.7", "80");
        let network = open.world.network();
        let said = |r: &Reason| network.words(r, Direction::Egress) == named;
        assert_eq!(verdict.egress.reasons.iter().any(said), outside, "{kind}");
        // One of a namespace says nothing of the pods of others.
        let state = |unknown: bool| if unknown && all { "unknown" } else { "yes" };
        shop(vec![own("ops")]).holds(&[
            ("internet", "shop/db", "80", state(pods_in)),
            ("shop/db", "198.51.100.7", "80", state(outside)),
            ("shop/web", "shop/db", "80", state(pods_in || pods_out)),
        ]);
    }
}

#[test]
fn what_is_not_evaluated_is_limited_to_what_it_selects() {
    let aws = |spec: Value| {
        let policy = object("networking.k8s.aws/v1alpha1", "ApplicationNetworkPolicy", spec);
        with(policy, "/metadata/namespace", json!("shop"))
    };
    shop(vec![aws(json!({ "podSelector": { "matchLabels": { "app": "db" } },
        "policyTypes": ["Ingress"] }))])
    .holds(&[
        ("ops/job", "shop/db", "80", "unknown"),
        ("ops/job", "shop/web", "80", "yes"),
        ("shop/db", "internet", "80", "yes"),
    ]);
    // A firewall for what leaves the cluster opens nothing that a NetworkPolicy closes.
    let firewall = with(
        object("k8s.ovn.org/v1", "EgressFirewall", json!({})),
        "/metadata/namespace",
        json!("shop"),
    );
    let closed = policy("shop/out", json!({ "podSelector": {}, "policyTypes": ["Egress"] }));
    shop(vec![firewall, closed]).holds(&[
        ("shop/db", "198.51.100.7", "80", "no"),
        ("shop/db", "ops/job", "80", "no"),
        ("ops/job", "198.51.100.7", "80", "yes"),
    ]);
}

#[test]
fn kinds_that_nobody_enforces_leave_nothing_open() {
    let antrea = object("crd.antrea.io/v1beta1", "ClusterNetworkPolicy", json!({}));
    let mut open = shop(vec![antrea]);
    for (antrea, state) in [(Truth::No, "yes"), (Truth::Maybe, "unknown"), (Truth::Yes, "unknown")]
    {
        open.switches = Switches { antrea, ..Switches::default() };
        open.holds(&[("ops/job", "shop/db", "80", state)]);
    }
    let aws = object("networking.k8s.aws/v1alpha1", "ClusterNetworkPolicy", json!({}));
    let mut open = shop(vec![aws]);
    open.switches = Switches { aws: Truth::No, ..Switches::default() };
    open.holds(&[("ops/job", "shop/db", "80", "yes")]);
    let nsx = object("crd.nsx.vmware.com/v1alpha1", "SecurityPolicy", json!({}));
    let nsx = with(nsx, "/metadata/namespace", json!("shop"));
    let mut open = shop(vec![nsx]);
    open.switches = Switches { others: Truth::No, ..Switches::default() };
    open.holds(&[("ops/job", "shop/db", "80", "yes")]);
}

/// The annotation of a second network, on `shop/web` and on `shop/db`.
fn beside(web: &str, db: &str, more: Vec<Value>) -> Cluster {
    let on = |path: &str, app: &str, networks: &str| {
        let annotations = json!({ "k8s.v1.cni.cncf.io/networks": networks });
        with(pod(path, json!({ "app": app })), "/metadata/annotations", annotations)
    };
    let mut items =
        vec![namespace("shop", json!({})), on("shop/web", "web", web), on("shop/db", "db", db)];
    items.extend(more);
    cluster(items)
}

#[test]
fn what_pods_connect_over_a_second_network_is_said_to_be_unknown() {
    let deny = || policy("shop/deny", json!({ "podSelector": {} }));
    for (web, db, network) in [
        ("fast", "fast", Some("shop/fast")),
        ("fast@net1", "slow, fast@eth5", Some("shop/fast")),
        ("shop/fast", r#"[{"name":"fast","interface":"net1"}]"#, Some("shop/fast")),
        ("infra/fast", r#"[{"name":"fast","namespace":"infra"}]"#, Some("infra/fast")),
        ("infra/fast", "fast", None),
        ("fast", "slow", None),
        ("fast", "", None),
    ] {
        let open = beside(web, db, vec![deny()]);
        // The policy still holds on the pods' own network.
        open.holds(&[("shop/web", "shop/db", "80", "no")]);
        let ingress = open.verdict("shop/web", "shop/db", "80").ingress;
        let said = ingress.reasons.iter().find(|r| matches!(r, Reason::Beside(_)));
        let words = said.map(|r| open.world.network().words(r, Direction::Ingress));
        assert_eq!(words.is_some(), network.is_some(), "{web} {db}");
        if let (Some(words), Some(network)) = (words, network) {
            assert!(words.contains(network), "{words}");
        }
    }
}

#[test]
fn coverage_names_second_networks() {
    let said = |open: &Cluster| {
        let topics = open.world.coverage();
        let topic = topics.into_iter().find(|t| t.topic == "network-policies").unwrap();
        (topic.state, topic.reason)
    };
    let (state, reason) = said(&beside("fast", "fast,infra/slow", vec![]));
    assert_ne!(state, Shown::Complete);
    assert!(reason.contains("2 pods are on further networks (infra/slow, shop/fast)"), "{reason}");
    assert!(!said(&shop(vec![])).1.contains("further networks"));
}

#[test]
fn openshift_has_labels_for_the_nodes_network_and_for_pods() {
    let spec = |key: &str, value: Value| {
        let selector = match value {
            Value::Null => json!({ "matchExpressions": [{ "key": key, "operator": "Exists" }] }),
            value => json!({ "matchLabels": { key: value } }),
        };
        json!({ "podSelector": {}, "ingress": [{ "from": [{ "namespaceSelector": selector }] }] })
    };
    for (key, value, state) in [
        ("policy-group.network.openshift.io/host-network", json!(""), "unknown"),
        ("policy-group.network.openshift.io/host-network", json!(null), "unknown"),
        ("policy-group.network.openshift.io/ingress", json!(""), "unknown"),
        ("network.openshift.io/policy-group", json!("ingress"), "unknown"),
        // Those of monitoring are pods with addresses of their own.
        ("network.openshift.io/policy-group", json!("monitoring"), "no"),
        ("policy-group.network.openshift.io/other", json!(""), "no"),
    ] {
        let open = shop(vec![
            with(
                namespace("routers", json!({})),
                "/metadata/labels",
                json!({ key: value.clone() }),
            ),
            pod("routers/x", json!({})),
            policy("shop/p", spec(key, value)),
        ]);
        open.holds(&[
            ("node/n2", "shop/web", "80", state),
            ("ops/agent", "shop/web", "80", state),
            ("nodes", "shop/web", "80", state),
            // A pod of a namespace with the label is one as any other.
            ("routers/x", "shop/web", "80", "yes"),
            ("ops/job", "shop/web", "80", "no"),
        ]);
    }
}
