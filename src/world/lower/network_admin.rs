//! AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy.

use super::network_other::{items, number, text};
use super::network_policy::block;
use crate::k8s::Kind;
use crate::world::network::{
    Action, Block, Direction, Expr, Family, Key, OtherRow, Peer, Place, Pods, Ports, Protocol,
    Role, Rule, Section, Spaces, Truth, tier,
};
use crate::world::rows::Part;
use serde_json::Value;

impl Part {
    pub(super) fn admin_policy(&mut self, kind: Kind, spec: &Value) -> OtherRow {
        let baseline =
            kind == Kind::BaselineAdminNetworkPolicy || text(&spec["tier"]) == "Baseline";
        let tier = Place::of(if baseline { tier::BASELINE } else { tier::ADMIN });
        let order = Place::of(spec["priority"].as_f64().unwrap_or(0.0));
        let mut sections = Vec::new();
        // What selects no pods by a field that is known selects some that are not known.
        let pods = self
            .admin_pods(&spec["subject"])
            .unwrap_or_else(|| Pods { spaces: Spaces::Selected(Expr::Unknown), pods: Expr::all() });
        for direction in [Direction::Ingress, Direction::Egress] {
            let list = items(&spec[direction.name()]);
            let rules: Vec<Rule> = list
                .iter()
                .enumerate()
                .filter_map(|(place, rule)| self.admin_rule(direction, place, rule))
                .collect();
            if !rules.is_empty() {
                sections.push(Section {
                    direction,
                    pods: pods.clone(),
                    // It says nothing of what it does not name.
                    isolates: Truth::No,
                    tier,
                    order,
                    rules: rules.into(),
                });
            }
        }
        OtherRow {
            kind: self.sym(kind.name()),
            family: if kind == Kind::ClusterNetworkPolicy {
                Family::Cluster
            } else {
                Family::Admin
            },
            sections: sections.into(),
            role: Role::Policy,
        }
    }

    /// A subject or a peer that means pods.
    fn admin_pods(&mut self, of: &Value) -> Option<Pods> {
        if let Some(namespaces) = of.get("namespaces").filter(|n| !n.is_null()) {
            // Drafts of the API had more than labels here, such as `sameLabels`.
            let known = |key: &String| matches!(key.as_str(), "matchLabels" | "matchExpressions");
            if !namespaces.as_object().is_some_and(|fields| fields.keys().all(known)) {
                return None;
            }
            let spaces = Spaces::Selected(self.label_expr(namespaces, Key::NamespaceLabel));
            return Some(Pods { spaces, pods: Expr::all() });
        }
        let pods = of.get("pods").filter(|p| !p.is_null())?;
        let spaces = self.label_expr(&pods["namespaceSelector"], Key::NamespaceLabel);
        let labels = self.label_expr(&pods["podSelector"], Key::Label);
        Some(Pods { spaces: Spaces::Selected(spaces), pods: labels })
    }

    fn admin_rule(&mut self, direction: Direction, place: usize, rule: &Value) -> Option<Rule> {
        let mut action = match text(&rule["action"]) {
            "Allow" | "Accept" => Action::Allow,
            "Deny" => Action::Deny,
            "Pass" => Action::Pass,
            _ => return None,
        };
        let mut peers = Vec::new();
        let mut doubt = None;
        let side = if direction == Direction::Ingress { "from" } else { "to" };
        for peer in items(&rule[side]) {
            if let Some(pods) = self.admin_pods(peer) {
                peers.push(Peer::Pods(pods));
            } else if let Some(nodes) = peer.get("nodes").filter(|n| !n.is_null()) {
                peers.push(Peer::Nodes(self.label_expr(nodes, Key::Label)));
            } else if !items(&peer["networks"]).is_empty() {
                let nets = items(&peer["networks"]).iter().filter_map(|net| block(text(net)));
                peers.extend(nets.map(|net| Peer::Block(Block { net, except: Box::default() })));
            } else if !items(&peer["domainNames"]).is_empty() {
                peers.push(Peer::Unknown(self.sym("it names domains"), true));
            } else if action != Action::Allow {
                // A peer of an unknown kind fails closed: an Allow of it allows nothing, and a
                // Deny or Pass denies whatever it might mean.
                action = Action::Deny;
                doubt = Some(self.sym("it names peers of an unknown kind"));
                peers.push(Peer::Any);
            }
        }
        let ports = match (items(&rule["ports"]), items(&rule["protocols"])) {
            ([], []) => None,
            (ports, protocols) => {
                let old = ports.iter().map(|port| self.admin_port(port)).collect::<Vec<_>>();
                let new = protocols.iter().map(|of| self.protocol(of));
                let read: Vec<Option<Ports>> = old.into_iter().chain(new).collect();
                if action != Action::Allow && read.contains(&None) {
                    action = Action::Deny;
                    doubt = Some(self.sym("it names ports of an unknown kind"));
                    None
                } else {
                    Some(read.into_iter().flatten().collect())
                }
            }
        };
        let field = self.sym(&format!(".spec.{}[{place}]", direction.name()));
        Some(Rule { direction, field, action, peers: peers.into(), ports, own: None, doubt })
    }

    /// One of `ports`.
    fn admin_port(&mut self, port: &Value) -> Option<Ports> {
        let protocol = |of: &Value| match text(&of["protocol"]) {
            "" => Some(Protocol::Tcp),
            name => Protocol::of(name),
        };
        if let Some(of) = port.get("portNumber") {
            let one = number(&of["port"])?;
            return Some(Ports::Numbers(Some(protocol(of)?), one, one));
        }
        if let Some(of) = port.get("portRange") {
            let (first, last) = (number(&of["start"])?, number(&of["end"])?);
            return Some(Ports::Numbers(Some(protocol(of)?), first, last));
        }
        let name = port.get("namedPort").and_then(Value::as_str)?;
        Some(Ports::Named(None, self.sym(name)))
    }

    /// One of `protocols`.
    fn protocol(&mut self, of: &Value) -> Option<Ports> {
        if let Some(name) = of.get("destinationNamedPort").and_then(Value::as_str) {
            return Some(Ports::Named(None, self.sym(name)));
        }
        let (protocol, says) = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp]
            .into_iter()
            .find_map(|p| Some((p, of.get(p.name().to_ascii_lowercase())?)))?;
        let port = &says["destinationPort"];
        if port.is_null() {
            return Some(Ports::Numbers(Some(protocol), 0, u16::MAX));
        }
        if let Some(one) = number(&port["number"]) {
            return Some(Ports::Numbers(Some(protocol), one, one));
        }
        let (first, last) = (number(&port["range"]["start"])?, number(&port["range"]["end"])?);
        Some(Ports::Numbers(Some(protocol), first, last))
    }
}
