//! NetworkPolicies into the common form of policies.

use crate::k8s::Meta;
use crate::k8s::network_policy::{NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec};
use crate::k8s::scalar::IntOrStr;
use crate::k8s::workload::PodStatus;
use crate::sym::Sym;
use crate::world::network::{
    Action, Block, Direction, Expr, HeldRow, Key, Peer, Pods, Ports, Protocol, Rule, Spaces,
};
use crate::world::rows::{Part, PolicyRow};
use ipnet::IpNet;
use serde_json::Value;
use std::net::IpAddr;

/// A block of addresses; bits after the prefix are dropped, as the API server lets them stand.
pub(super) fn block(cidr: &str) -> Option<IpNet> {
    let net: IpNet = match cidr.parse() {
        Ok(net) => net,
        // A lone address is not valid in a NetworkPolicy, and is in policies of other kinds.
        Err(_) => IpNet::from(cidr.parse::<IpAddr>().ok()?),
    };
    Some(net.trunc())
}

impl Part {
    /// Keeps where pods have their addresses: blocks as large as a node's, of which there are few.
    pub(super) fn pod_addresses(&mut self, meta: &Meta<'_>, status: &PodStatus<'_>) {
        let (ns, name) = (self.or_own("", meta), self.sym(&meta.name));
        let more = status.pod_ips.iter().map(|ip| &ip.ip);
        for address in std::iter::once(&status.pod_ip).chain(more) {
            let Ok(address) = address.parse::<IpAddr>() else { continue };
            let bits = if address.is_ipv4() { 24 } else { 64 };
            self.held.push(HeldRow { address, ns, name, service: false });
            self.pod_blocks.extend(IpNet::new(address, bits).map(|net| net.trunc()));
        }
    }

    /// The networks that a pod asks for besides the cluster's, `NAMESPACE/NAME`: a list of
    /// `[NAMESPACE/]NAME[@INTERFACE]`, or the same as JSON (Network Plumbing Working Group,
    /// multi-network specification 1.3).
    pub(super) fn networks(&mut self, meta: &Meta<'_>, ns: &str) -> Box<[Sym]> {
        let Some(said) = meta.annotations.get("k8s.v1.cni.cncf.io/networks") else {
            return Box::default();
        };
        let own = if ns.is_empty() { "default" } else { ns };
        let mut names: Vec<String> = match serde_json::from_str::<Vec<Value>>(said) {
            Ok(list) => list
                .iter()
                .filter_map(|one| {
                    let ns = one["namespace"].as_str().filter(|ns| !ns.is_empty()).unwrap_or(own);
                    Some(format!("{ns}/{}", one["name"].as_str()?))
                })
                .collect(),
            Err(_) => said
                .split(',')
                .map(|one| one.split('@').next().unwrap_or(one).trim())
                .filter(|one| !one.is_empty())
                .map(|one| if one.contains('/') { one.to_owned() } else { format!("{own}/{one}") })
                .collect(),
        };
        names.sort_unstable();
        names.dedup();
        names.iter().map(|name| self.sym(name)).collect()
    }

    pub(super) fn network_policy(
        &mut self,
        meta: &Meta<'_>,
        spec: NetworkPolicySpec<'_>,
    ) -> PolicyRow {
        let ns = self.or_own("", meta);
        let named = |name: &str| spec.policy_types.iter().any(|t| &**t == name);
        // A policy that names no type isolates ingress, and egress too if it has a rule for it.
        let none = spec.policy_types.is_empty();
        let (ingress, egress) =
            (none || named("Ingress"), none && !spec.egress.is_empty() || named("Egress"));
        let mut rules = Vec::new();
        let sections = [
            (ingress, Direction::Ingress, &spec.ingress),
            (egress, Direction::Egress, &spec.egress),
        ];
        for (_, direction, list) in sections.into_iter().filter(|(on, ..)| *on) {
            for (place, rule) in list.iter().enumerate() {
                let peers = match direction {
                    Direction::Ingress => &rule.from,
                    Direction::Egress => &rule.to,
                };
                let peers = if peers.is_empty() {
                    [Peer::Any].into()
                } else {
                    peers.iter().filter_map(|peer| self.policy_peer(ns, peer)).collect()
                };
                let ports = (!rule.ports.is_empty())
                    .then(|| rule.ports.iter().filter_map(|port| self.policy_port(port)).collect());
                let field = format!(".spec.{}[{place}]", direction.name());
                rules.push(Rule {
                    direction,
                    field: self.sym(&field),
                    action: Action::Allow,
                    peers,
                    ports,
                    own: None,
                    doubt: None,
                });
            }
        }
        let selector = self.selector(&spec.pod_selector.unwrap_or_default());
        PolicyRow { selector, ingress, egress, rules: rules.into() }
    }

    /// `None` for what the API server would refuse.
    fn policy_peer(&mut self, ns: Sym, peer: &NetworkPolicyPeer<'_>) -> Option<Peer> {
        if let Some(given) = &peer.ip_block {
            let except = given.except.iter().filter_map(|e| block(e)).collect();
            return Some(Peer::Block(Block { net: block(&given.cidr)?, except }));
        }
        let spaces = match &peer.namespace_selector {
            Some(selector) => {
                Spaces::Selected(Expr::labels(&self.selector(selector), Key::NamespaceLabel))
            }
            None => Spaces::One(ns),
        };
        let pods = match (&peer.pod_selector, &peer.namespace_selector) {
            (Some(selector), _) => Expr::labels(&self.selector(selector), Key::Label),
            (None, Some(_)) => Expr::all(),
            (None, None) => return None,
        };
        Some(Peer::Pods(Pods { spaces, pods }))
    }

    /// `None` for what the API server would refuse.
    fn policy_port(&mut self, port: &NetworkPolicyPort<'_>) -> Option<Ports> {
        let protocol = match &*port.protocol {
            "" => Protocol::Tcp,
            name => Protocol::of(name)?,
        };
        Some(match &port.port {
            None => Ports::Numbers(Some(protocol), 0, u16::MAX),
            Some(IntOrStr::Int(first)) => {
                let first = u16::try_from(*first).ok()?;
                let last = port.end_port.0.map_or(Some(first), |last| u16::try_from(last).ok())?;
                Ports::Numbers(Some(protocol), first, last)
            }
            Some(IntOrStr::Str(name)) => Ports::Named(Some(protocol), self.sym(name)),
        })
    }
}
