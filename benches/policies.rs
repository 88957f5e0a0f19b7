//! Network policies of the usual patterns.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cluster::{Cluster, Workload, team};
use crate::json::List;
use crate::object::Object;
use crate::planted;
use crate::template;

pub(crate) fn write<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    let planted = planted::policies();
    let room = cluster.size.policies.saturating_sub(planted.len());
    for policy in planted {
        list.item(policy)?;
    }
    for index in 0..room {
        list.item(policy(cluster.spread(index)))?;
    }
    Ok(())
}

/// One policy that has to do with `workload`.
fn policy(workload: &Workload) -> Value {
    let (team, environment) = team(&workload.namespace);
    let selector = json!({ "matchLabels": template::selector(workload) });
    let port = if workload.port == 0 { 9_090 } else { workload.port };
    let ports = json!([{ "port": port, "protocol": "TCP" }]);
    let ingress = |selector: Value, from: Value| {
        json!({
            "ingress": [{ "from": from, "ports": ports }],
            "podSelector": selector,
            "policyTypes": ["Ingress"],
        })
    };
    let (name, spec) = match workload.random("policy").below(10) {
        0..3 => ("deny", json!({ "podSelector": {}, "policyTypes": ["Ingress"] })),
        3 => ("same-namespace", ingress(json!({}), json!([{ "podSelector": {} }]))),
        4 => (
            "ingress-controller",
            ingress(
                selector,
                json!([{
                    "namespaceSelector": {
                        "matchLabels": { "kubernetes.io/metadata.name": "ingress-nginx" },
                    },
                }]),
            ),
        ),
        5 => (
            "frontends",
            ingress(
                selector,
                json!([{
                    "podSelector": { "matchLabels": { "team": team, "tier": "frontend" } },
                }]),
            ),
        ),
        6 => (
            "environment",
            ingress(
                selector,
                json!([{
                    "namespaceSelector": { "matchLabels": { "env": environment } },
                    "podSelector": {
                        "matchExpressions": [
                            { "key": "tier", "operator": "In", "values": ["frontend", "backend"] },
                            { "key": "quarantine", "operator": "DoesNotExist" },
                        ],
                    },
                }]),
            ),
        ),
        7 => (
            "outside",
            ingress(
                selector,
                json!([{
                    "ipBlock": { "cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "192.0.2.0/24"] },
                }]),
            ),
        ),
        8 => (
            "egress-dns",
            json!({
                "egress": [{
                    "ports": [
                        { "port": 53, "protocol": "UDP" },
                        { "port": 53, "protocol": "TCP" },
                    ],
                    "to": [{ "namespaceSelector": {
                        "matchLabels": { "kubernetes.io/metadata.name": "kube-system" },
                    } }],
                }],
                "podSelector": selector,
                "policyTypes": ["Egress"],
            }),
        ),
        _ => (
            "both-ways",
            json!({
                "egress": [
                    { "to": [{ "namespaceSelector": { "matchLabels": { "team": team } } }] },
                    {
                        "ports": [{ "endPort": 5_433, "port": 5_432, "protocol": "TCP" }],
                        "to": [{ "ipBlock": { "cidr": "10.200.0.0/16" } }],
                    },
                ],
                "ingress": [{ "from": [{ "namespaceSelector": {
                    "matchLabels": { "team": team },
                } }] }],
                "podSelector": selector,
                "policyTypes": ["Ingress", "Egress"],
            }),
        ),
    };
    let name = format!("{}-{name}", workload.name);
    Object::new("networking.k8s.io/v1", "NetworkPolicy", &workload.namespace, &name)
        .meta("generation", 1)
        .with("spec", spec)
        .finish()
}
