//! Policies of other kinds than Kubernetes' own, sentence by sentence of their documentation.

mod admin;
mod calico;
mod cilium;

use super::{Cluster, address, cluster, named, namespace, pod, policy, with};
use serde_json::{Value, json};

/// `shop/web`, `shop/db`, `ops/job`, `ops/agent` on the network of node n2.
pub(super) fn shop(policies: Vec<Value>) -> Cluster {
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
