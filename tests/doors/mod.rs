//! What faces the outside, rule by rule: each line of what decides a door's scope, how sure it is and
//! what it leads to is a row of a table, with what must not be a door beside what must.
//!
//! The expectations follow from Kubernetes' semantics and the providers' documents; the clusters are as
//! small as the rule allows.

mod backends;
mod controllers;
mod endpoints;
mod ingresses;
mod machines;
mod policies;
mod routes;
mod services;

use crate::fixtures;
use kspm_graph::graph::{Graph, NodeId, NodeKind};
use kspm_graph::world::World;
use kspm_graph::world::exposure::{Door, Scope, Sure};
use std::collections::BTreeSet;

/// A running pod `NS/NAME` on a node, with labels `{app: NAME}` and a specification.
pub(super) fn pod(path: &str, node: &str, containers: &str) -> String {
    let (ns, name) = path.split_once('/').unwrap();
    format!(
        "---\napiVersion: v1\nkind: Pod\n\
         metadata: {{name: {name}, namespace: {ns}, uid: u-{name}, labels: {{app: {name}}}}}\n\
         spec: {{nodeName: {node}, containers: {containers}}}\nstatus: {{phase: Running}}\n"
    )
}

/// The pod `shop/web`, which listens on 8080 by the name `http`.
pub(super) fn web() -> String {
    pod("shop/web", "n1", "[{name: app, ports: [{name: http, containerPort: 8080}]}]")
}

/// A Service `NS/NAME` with annotations, a specification and a status, each the inside of a map.
pub(super) fn service(path: &str, annotations: &str, spec: &str, ingress: &str) -> String {
    let (ns, name) = path.split_once('/').unwrap();
    format!(
        "---\napiVersion: v1\nkind: Service\n\
         metadata: {{name: {name}, namespace: {ns}, annotations: {{{annotations}}}}}\n\
         spec: {{{spec}}}\nstatus: {{loadBalancer: {{ingress: [{ingress}]}}}}\n"
    )
}

/// The Service `shop/web`, port 80, in front of the pod `shop/web`.
pub(super) fn behind() -> String {
    service(
        "shop/web",
        "",
        "selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]",
        "",
    )
}

/// A node with one address of a kind.
pub(super) fn node(name: &str, kind: &str, address: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n\
         status: {{addresses: [{{type: {kind}, address: \"{address}\"}}]}}\n"
    )
}

/// A plugin that enforces policies.
pub(super) fn calico() -> String {
    "---\napiVersion: apps/v1\nkind: DaemonSet\n\
     metadata: {name: calico-node, namespace: kube-system, labels: {k8s-app: calico-node}}\n\
     spec: {selector: {matchLabels: {k8s-app: calico-node}}, template: {metadata: {labels: {k8s-app: calico-node}},\n\
     \x20 spec: {hostNetwork: true, containers: [{name: calico-node, image: \"docker.io/calico/node:v3.28.0\"}]}}}\n"
        .to_owned()
}

/// A policy of namespace `shop` for the pod `web`.
pub(super) fn policy(ingress: &str) -> String {
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n\
         spec: {{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Ingress], ingress: [{ingress}]}}\n"
    )
}

/// What a cluster says of a door: `internet certain`, `private`, or `none`.
pub(super) fn scope(yaml: &str, wanted: &str) -> String {
    let world = fixtures::world(yaml);
    let found: Vec<String> = world
        .entries()
        .iter()
        .filter(|entry| name(&world, entry.door) == wanted)
        .map(|entry| {
            assert!(!entry.facts.is_empty(), "{wanted} has no evidence");
            let sure = match entry.sure {
                Sure::Certain => "certain",
                Sure::Likely => "likely",
                Sure::Possible => "possible",
                Sure::Unknown => "unknown",
            };
            match entry.scope {
                Scope::Internet => format!("internet {sure}"),
                Scope::Private => "private".to_owned(),
            }
        })
        .collect();
    assert!(found.len() < 2, "{wanted} is several doors");
    found.first().cloned().unwrap_or_else(|| "none".to_owned())
}

/// A door as the graph names it.
fn name(world: &World, door: Door) -> String {
    let object = match door {
        Door::Service(ix) => world.services[ix.index()].object,
        Door::Ingress(ix) => world.ingresses[ix.index()].object,
        Door::Route(ix) => world.gateway.routes[ix.index()].object,
        Door::Router(ix) => world.router_routes[ix.index()].object,
        Door::Mesh(ix) => world.istio.services[ix.index()].object,
        Door::HostPort(ix, port) => {
            let pod = &world.pods[ix.index()];
            return format!("{}/hostport/{}/{port}", world.text(pod.ns), world.text(pod.name));
        }
    };
    let object = &world.objects[object.index()];
    let kind = world.text(object.kind).to_lowercase();
    format!("{}/{kind}/{}", world.text(object.ns), world.text(object.name))
}

/// Holds the scope of each cluster's door `NAME`, told by what the row is called.
#[track_caller]
pub(super) fn scopes(door: &str, rows: &[(&str, String, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(row, yaml, expected)| {
            let found = scope(yaml, door);
            (found != *expected).then(|| format!("{row}: {found}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the graph has an edge from the internet to a door.
pub(super) fn is_open(graph: &Graph, door: &str) -> bool {
    let internet = graph.nodes().find(|n| graph.kind(*n) == NodeKind::Internet).unwrap();
    let doors = fixtures::ends(graph, &format!("entry/{door}"));
    graph.outgoing(internet).any(|(_, to)| doors.contains(&to))
}

/// The containers that a door leads to, as `NS/POD/CONTAINER`, each with how sure the way is.
pub(super) fn leads(graph: &Graph, door: &str) -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    let mut stack: Vec<(NodeId, _)> = fixtures::ends(graph, &format!("entry/{door}"))
        .into_iter()
        .map(|n| (n, kspm_graph::graph::Confidence::Certain))
        .collect();
    while let Some((node, sure)) = stack.pop() {
        for (edge, to) in graph.outgoing(node) {
            let sure = sure.max(graph.confidence(edge));
            match graph.kind(to) {
                NodeKind::Set => stack.push((to, sure)),
                NodeKind::Container => {
                    let ns = graph.namespace(to).unwrap_or_default();
                    found.insert((format!("{ns}/{}", graph.name(to)), sure.name()));
                }
                _ => {}
            }
        }
    }
    found
}

/// Holds where each cluster's door `NAME` leads, whatever the confidence: a list of containers.
#[track_caller]
pub(super) fn backends(door: &str, rows: &[(&str, String, &[&str])]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(row, yaml, expected)| {
            let graph = fixtures::graph(yaml);
            let found: BTreeSet<String> = leads(&graph, door).into_iter().map(|(c, _)| c).collect();
            let expected: BTreeSet<String> = expected.iter().map(|c| (*c).to_owned()).collect();
            (found != expected).then(|| format!("{row}: {found:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
