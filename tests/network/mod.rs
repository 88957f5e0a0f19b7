//! Network policies: each rule of their semantics a test, random clusters against an obvious
//! evaluator, and the cases that the Kubernetes project tests plugins by.

#![expect(clippy::needless_pass_by_value, reason = "objects are written where they are given")]

mod brute;
mod end_to_end;
mod kinds;
mod plugins;
mod policy;
mod random;
mod rules;
mod shown;

use crate::fixtures;
use kspm_graph::world::World;
use kspm_graph::world::hosts::Host;
use kspm_graph::world::network::{End, PortSpec, Protocol, State, Switches, Truth, Verdict};
use serde_json::{Value, json};

/// A cluster of objects.
pub(super) struct Cluster {
    pub(super) world: World,
    pub(super) switches: Switches,
}

/// The objects as a world. Blocks of addresses match pods, as the Kubernetes project demands.
pub(super) fn cluster(items: Vec<Value>) -> Cluster {
    let switches = Switches { blocks_match_pods: Truth::Yes, ..Switches::default() };
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    Cluster { world: fixtures::world(&list.to_string()), switches }
}

pub(super) fn namespace(name: &str, labels: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } })
}

/// A running pod `NS/NAME`.
pub(super) fn pod(path: &str, labels: Value) -> Value {
    let (ns, name) = path.split_once('/').unwrap();
    json!({ "apiVersion": "v1", "kind": "Pod",
        "metadata": { "namespace": ns, "name": name, "labels": labels },
        "spec": { "nodeName": "n1", "containers": [{ "name": "c", "image": "i" }] },
        "status": { "phase": "Running" } })
}

/// A pod with something at a place of it, by JSON pointer.
pub(super) fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[key] = value;
    object
}

/// A pod that declares a named port.
pub(super) fn named(object: Value, ports: Value) -> Value {
    with(object, "/spec/containers/0/ports", ports)
}

pub(super) fn address(object: Value, ip: &str) -> Value {
    with(object, "/status/podIP", json!(ip))
}

/// A NetworkPolicy `NS/NAME`.
pub(super) fn policy(path: &str, spec: Value) -> Value {
    let (ns, name) = path.split_once('/').unwrap();
    json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": { "namespace": ns, "name": name }, "spec": spec })
}

/// `80` is TCP, `UDP:53` another protocol.
pub(super) fn port(text: &str) -> PortSpec {
    let (protocol, port) = text.split_once(':').unwrap_or(("TCP", text));
    PortSpec { protocol: Protocol::of(protocol).unwrap(), port: port.parse().unwrap() }
}

impl Cluster {
    /// `NS/NAME` is a pod, `node/NAME` a node, `nodes` some node, `internet` the internet, and
    /// others are addresses.
    pub(super) fn end(&self, text: &str) -> End {
        match text {
            "internet" => return End::Internet,
            "nodes" => return End::Nodes,
            _ => {}
        }
        if let Ok(net) = text.parse() {
            return End::Net(net);
        }
        if let Ok(address) = text.parse::<std::net::IpAddr>() {
            return End::Net(address.into());
        }
        let sym = |name: &str| self.world.symbols.get(name).expect("no such name");
        let (ns, name) = text.split_once('/').unwrap();
        if ns == "node" {
            return End::Node(self.world.node(sym(name)).unwrap());
        }
        End::Host(Host::Pod(self.world.pod(sym(ns), sym(name)).unwrap()))
    }

    pub(super) fn verdict(&self, from: &str, to: &str, on: &str) -> Verdict {
        let network = self.world.network().with(self.switches);
        network.verdict(self.end(from), self.end(to), port(on))
    }

    pub(super) fn state(&self, from: &str, to: &str, on: &str) -> State {
        let verdict = self.verdict(from, to, on);
        let network = self.world.network().with(self.switches);
        let state = network.state(self.end(from), self.end(to), port(on));
        assert_eq!(verdict.state, state, "the short way says something else");
        state
    }

    /// Holds connections, each `FROM TO PORT` with `yes`, `no` or `unknown`.
    #[track_caller]
    pub(super) fn holds(&self, connections: &[(&str, &str, &str, &str)]) {
        for (from, to, on, expected) in connections {
            let state = match self.state(from, to, on) {
                State::Allowed => "yes",
                State::Denied => "no",
                State::Unknown => "unknown",
            };
            assert_eq!(state, *expected, "{from} -> {to} {on}");
        }
    }
}
