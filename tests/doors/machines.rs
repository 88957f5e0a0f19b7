//! Pods on their machines' addresses: H-01 and H-02 of the reference.

use super::{calico, is_open, leads, node, pod, policy, scopes};
use crate::fixtures;

const DOOR: &str = "shop/hostport/web/80";

fn on(port: &str, address: &str) -> String {
    let kind = if address.starts_with("10.") { "InternalIP" } else { "ExternalIP" };
    let containers = format!("[{{name: app, ports: [{{containerPort: 8080, {port}}}]}}]");
    [pod("shop/web", "n1", &containers), node("n1", kind, address)].concat()
}

#[test]
fn host_ports() {
    let public = "203.0.113.7";
    scopes(
        DOOR,
        &[
            ("public node", on("hostPort: 80", public), "internet possible"),
            ("public node, IPv6", on("hostPort: 80", "2a00::7"), "internet possible"),
            ("every address", on("hostPort: 80, hostIP: 0.0.0.0", public), "internet possible"),
            (
                "the public address",
                on("hostPort: 80, hostIP: 203.0.113.7", public),
                "internet possible",
            ),
            ("loopback", on("hostPort: 80, hostIP: 127.0.0.1", public), "none"),
            ("loopback by another number", on("hostPort: 80, hostIP: 127.8.0.1", public), "none"),
            ("loopback, IPv6", on("hostPort: 80, hostIP: \"::1\"", public), "none"),
            ("the private address", on("hostPort: 80, hostIP: 10.0.0.7", public), "private"),
            ("private node", on("hostPort: 80", "10.0.0.7"), "private"),
            ("another port", on("hostPort: 81", public), "none"),
            ("no host port", on("name: http", public), "none"),
        ],
    );
}

#[test]
fn pods_on_the_network_of_their_machine() {
    let of = |more: &str, ports: &str, address: &str| {
        let containers = format!("[{{name: app, ports: [{ports}]}}], {more}");
        let kind = if address.starts_with("10.") { "InternalIP" } else { "ExternalIP" };
        // The flow's braces are the pod's specification.
        [pod("shop/web", "n1", &containers), node("n1", kind, address)].concat()
    };
    let port = "{containerPort: 80}";
    scopes(
        DOOR,
        &[
            ("declared port", of("hostNetwork: true", port, "203.0.113.7"), "internet possible"),
            ("private node", of("hostNetwork: true", port, "10.0.0.7"), "private"),
            ("own network", of("hostNetwork: false", port, "203.0.113.7"), "none"),
        ],
    );
    // No policy holds for such a pod.
    let closed = [of("hostNetwork: true", port, "203.0.113.7"), policy(""), calico()].concat();
    let graph = fixtures::graph(&closed);
    assert!(is_open(&graph, "shop/hostport/web/80"));
    let found: Vec<_> = leads(&graph, "shop/hostport/web/80").into_iter().collect();
    assert_eq!(found, [("shop/web/app".to_owned(), "possible")]);
}

/// H-02: the pod's policies hold behind a host port, and see the client's address.
#[test]
fn policies_hold_behind_a_host_port() {
    let state = |ingress: &str, address: &str| {
        let text = [on("hostPort: 80", address), policy(ingress), calico()].concat();
        let graph = fixtures::graph(&text);
        leads(&graph, "shop/hostport/web/80").into_iter().map(|(_, sure)| sure).collect::<Vec<_>>()
    };
    let public = "203.0.113.7";
    assert_eq!(state("", public), Vec::<&str>::new(), "nothing is let in");
    assert_eq!(state("{}", public), ["possible"], "everything is");
    assert_eq!(state("{ports: [{port: 8080}]}", public), ["possible"], "the pod's own port");
    assert_eq!(state("{ports: [{port: 80}]}", public), Vec::<&str>::new(), "the node's port");
    let all = "{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}";
    assert_eq!(state(all, public), ["possible"]);
    let inner = "{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}";
    // A plugin may put the node's address, which is not shown here, before the client's.
    assert_eq!(state(inner, public), ["unknown"]);
    // Clients of a private door have private addresses.
    assert_eq!(state(inner, "10.0.0.7"), ["possible"]);
    let outer = "{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16]}}]}";
    assert_eq!(state(outer, "10.0.0.7"), Vec::<&str>::new());
}
