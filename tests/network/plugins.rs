//! Plugins: which of the kinds of policies each enforces, and what that makes of a verdict.

use super::policy::shop;
use super::{Cluster, policy};
use kspm_graph::world::network::Truth;
use kspm_graph::world::network::plugin::{Enforces, Policies};
use serde_json::{Value, json};

/// A DaemonSet on the hosts' network.
fn set(path: &str, containers: &[(&str, &str)]) -> Value {
    let (ns, name) = path.split_once('/').unwrap();
    let containers: Vec<Value> =
        containers.iter().map(|(name, image)| json!({ "name": name, "image": image })).collect();
    json!({ "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "namespace": ns, "name": name }, "spec": { "template": {
            "spec": { "hostNetwork": true, "containers": containers } } } })
}

/// A cluster with what runs in it, under the switches that it shows.
fn shown(mut items: Vec<Value>, more: Vec<Value>) -> Cluster {
    items.extend(more);
    let mut open = shop(items);
    open.switches = open.world.network().switches();
    open
}

#[test]
fn canal_is_the_policies_of_calico() {
    for containers in [
        &[("calico-node", "calico/node:v3.28.0"), ("kube-flannel", "flannel/flannel:v0.25.1")][..],
        &[("calico-node", "rancher/hardened-calico:v3.28.0")][..],
    ] {
        let open = shown(vec![set("kube-system/canal", containers)], vec![]);
        assert_eq!(open.world.plugin().enforces, Enforces::Yes);
        assert_eq!(open.world.plugin().enforces(Policies::Calico), Enforces::Yes);
    }
}

#[test]
fn kinds_are_enforced_apart() {
    use Enforces::{No, Unknown, Yes};
    // NetworkPolicies, AdminNetworkPolicies, ClusterNetworkPolicies, Cilium's, Calico's, Antrea's
    // and those of AWS.
    for (ds, container, image, kinds) in [
        (
            "kube-system/calico-node",
            "calico-node",
            "calico/node:v3.28.2",
            [Yes, No, No, No, Yes, No, No],
        ),
        (
            "kube-system/calico-node",
            "calico-node",
            "calico/node:v3.30.0",
            [Yes, Yes, No, No, Yes, No, No],
        ),
        (
            "kube-system/calico-node",
            "calico-node",
            "calico/node:v3.32.0",
            [Yes, No, Yes, No, Yes, No, No],
        ),
        (
            "kube-system/calico-node",
            "calico-node",
            "calico/node",
            [Yes, Unknown, Unknown, No, Yes, No, No],
        ),
        (
            "kube-system/cilium",
            "cilium-agent",
            "cilium/cilium:v1.17.0",
            [Yes, No, No, Yes, No, No, No],
        ),
        (
            "kube-system/antrea-agent",
            "antrea-agent",
            "antrea/antrea:v2.2.0",
            [Yes, Unknown, No, No, No, Yes, No],
        ),
        (
            "openshift-ovn-kubernetes/ovnkube-node",
            "ovnkube-controller",
            "q@sha256:aa",
            [Yes, Yes, No, No, No, No, No],
        ),
        (
            "kube-system/kube-router",
            "kube-router",
            "kube-router:v2.1.0",
            [Yes, No, No, No, No, No, No],
        ),
        (
            "kube-system/kube-network-policies",
            "kube-network-policies",
            "x:v1.0.0",
            [Yes, Unknown, Unknown, No, No, No, No],
        ),
        (
            "kube-flannel/kube-flannel-ds",
            "kube-flannel",
            "flannel:v0.25.4",
            [No, No, No, No, No, No, No],
        ),
    ] {
        let open = shown(vec![set(ds, &[(container, image)])], vec![]);
        let found: Vec<Enforces> =
            Policies::ALL.iter().map(|k| open.world.plugin().enforces(*k)).collect();
        assert_eq!(found, kinds, "{ds} {image}");
    }
}

#[test]
fn what_a_plugin_ignores_has_no_effect_on_verdicts() {
    let object = |version: &str, kind: &str, spec: Value| json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "x" }, "spec": spec });
    let deny = || policy("shop/deny", json!({ "podSelector": {} }));
    let admin = || {
        object(
            "policy.networking.k8s.io/v1alpha1",
            "AdminNetworkPolicy",
            json!({ "priority": 1,
            "subject": { "namespaces": {} },
            "ingress": [{ "action": "Deny", "from": [{ "namespaces": {} }] }] }),
        )
    };
    let cilium = || {
        object(
            "cilium.io/v2",
            "CiliumClusterwideNetworkPolicy",
            json!({ "endpointSelector": {}, "ingress": [{}] }),
        )
    };
    let calico =
        || object("projectcalico.org/v3", "GlobalNetworkPolicy", json!({ "selector": "all()" }));
    let antrea = || object("crd.antrea.io/v1beta1", "ClusterNetworkPolicy", json!({}));
    let all = || vec![deny(), admin(), cilium(), calico(), antrea()];
    let flannel = || set("kube-flannel/kube-flannel-ds", &[("kube-flannel", "flannel:v0.25.4")]);
    let agent = |name: &str, container: &str, image: &str| {
        set(&format!("kube-system/{name}"), &[(container, image)])
    };
    shown(all(), vec![flannel()])
        .holds(&[("ops/job", "shop/web", "80", "yes"), ("internet", "shop/web", "80", "yes")]);
    let runs_cilium = || agent("cilium", "cilium-agent", "cilium/cilium:v1.17.0");
    let runs_calico = || agent("calico-node", "calico-node", "calico/node:v3.28.0");
    let runs_antrea = || agent("antrea-agent", "antrea-agent", "antrea/antrea:v2.2.0");
    for (policy, under_cilium, under_calico, under_antrea) in [
        (deny(), "no", "no", "no"),
        (admin(), "yes", "yes", "unknown"),
        (cilium(), "no", "yes", "yes"),
        (calico(), "yes", "no", "yes"),
        (antrea(), "yes", "yes", "unknown"),
    ] {
        for (plugin, state) in [
            (runs_cilium(), under_cilium),
            (runs_calico(), under_calico),
            (runs_antrea(), under_antrea),
        ] {
            shown(vec![policy.clone()], vec![plugin])
                .holds(&[("ops/job", "shop/web", "80", state)]);
        }
    }
}

#[test]
fn blocks_match_pods_where_the_plugin_goes_by_addresses() {
    for (ds, container, matches) in [
        ("kube-system/calico-node", "calico-node", Truth::Yes),
        ("kube-system/antrea-agent", "antrea-agent", Truth::Yes),
        ("kube-system/kube-router", "kube-router", Truth::Yes),
        ("openshift-ovn-kubernetes/ovnkube-node", "ovnkube-controller", Truth::Yes),
        ("kube-system/cilium", "cilium-agent", Truth::No),
        ("kube-system/anetd", "cilium-agent", Truth::No),
        ("kube-system/own-cni", "agent", Truth::Maybe),
    ] {
        let open = shown(vec![set(ds, &[(container, "x")])], vec![]);
        assert_eq!(open.switches.blocks_match_pods, matches, "{ds}");
        let nodes = if matches == Truth::No { Truth::No } else { Truth::Yes };
        assert_eq!(open.switches.blocks_match_nodes, nodes, "{ds}");
        assert_eq!(open.switches.cidrs_match_nodes, Truth::No, "{ds}");
    }
}

#[test]
fn windows_nodes_may_differ() {
    let plugin = shown(vec![set("kube-system/calico-node", &[("calico-node", "x")])], vec![]);
    let plugin = plugin.world.plugin();
    assert!(plugin.effect(&[], true).ends_with("; on nodes with Windows that may differ"));
    assert!(!plugin.effect(&[], false).contains("Windows"));
}

#[test]
fn the_kinds_of_administrators_are_switched_apart() {
    fn object(version: &str, kind: &str, spec: &Value) -> Value {
        json!({ "apiVersion": format!("policy.networking.k8s.io/{version}"), "kind": kind,
            "metadata": { "name": "x" }, "spec": spec })
    }
    let admin = |action: &str| {
        object(
            "v1alpha1",
            "AdminNetworkPolicy",
            &json!({ "priority": 1, "subject": { "namespaces": {} },
            "ingress": [{ "action": action, "from": [{ "namespaces": {} }] }] }),
        )
    };
    let cluster = |action: &str| {
        object(
            "v1alpha2",
            "ClusterNetworkPolicy",
            &json!({ "tier": "Admin", "priority": 1, "subject": { "namespaces": {} },
            "ingress": [{ "action": action, "from": [{ "namespaces": {} }] }] }),
        )
    };
    let deny = || policy("shop/deny", json!({ "podSelector": {} }));
    let calico = |tag: &str| {
        let image = format!("calico/node:{tag}");
        set("kube-system/calico-node", &[("calico-node", &image)])
    };
    let ovn = || set("openshift-ovn-kubernetes/ovnkube-node", &[("ovnkube-controller", "q")]);
    let npol = || set("kube-system/kube-network-policies", &[("kube-network-policies", "x")]);
    // A denial by the one kind and by the other, where nothing else is written; then an allowance
    // of each over a NetworkPolicy that denies.
    for (plugin, denied, allowed) in [
        (ovn(), ["no", "yes"], ["yes", "no"]),
        (calico("v3.28.0"), ["yes", "yes"], ["no", "no"]),
        (calico("v3.30.1"), ["no", "yes"], ["yes", "no"]),
        (calico("v3.32.0"), ["yes", "no"], ["no", "yes"]),
        (npol(), ["unknown", "unknown"], ["unknown", "unknown"]),
    ] {
        for (i, of) in [admin as fn(&str) -> Value, cluster].into_iter().enumerate() {
            shown(vec![of("Deny")], vec![plugin.clone()])
                .holds(&[("ops/job", "shop/web", "80", denied[i])]);
            shown(vec![of("Allow"), deny()], vec![plugin.clone()])
                .holds(&[("ops/job", "shop/web", "80", allowed[i])]);
        }
    }
}
