//! Calico's policies of one namespace and of all, its tiers and its sets of addresses.

use super::calico_selector;
use super::network_other::{items, number, text};
use super::network_policy::block;
use crate::k8s::Kind;
use crate::sym::Sym;
use crate::world::network::{
    Action, Block, Compare, Direction, Entity, Expr, Family, Key, OtherRow, Peer, Place, Pods,
    Ports, Protocol, Role, Rule, Section, Spaces, Truth, tier,
};
use crate::world::rows::Part;
use ipnet::IpNet;
use serde_json::Value;

/// The protocols that a rule is about: `None` for all, empty for none that has ports.
fn protocols(rule: &Value) -> Option<Vec<Protocol>> {
    const ALL: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    let of = |value: &Value| {
        let numbered = [(6, Protocol::Tcp), (17, Protocol::Udp), (132, Protocol::Sctp)];
        let by_number =
            number(value).and_then(|n| numbered.into_iter().find(|(known, _)| *known == n));
        by_number.map_or_else(|| Protocol::of(text(value)), |(_, protocol)| Some(protocol))
    };
    match (&rule["protocol"], &rule["notProtocol"]) {
        (Value::Null, Value::Null) => None,
        (Value::Null, not) => Some(ALL.into_iter().filter(|p| Some(*p) != of(not)).collect()),
        (one, _) => Some(of(one).into_iter().collect()),
    }
}

/// A range of ports, `80` or `1:100`.
fn range(port: &Value) -> Option<(u16, u16)> {
    if let Some(one) = number(port) {
        return Some((one, one));
    }
    let (first, last) = text(port).split_once(':')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// All ports but some.
fn but(mut ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    ranges.sort_unstable();
    let mut rest = Vec::new();
    let mut next = Some(0_u16);
    for (first, last) in ranges {
        let Some(from) = next else { break };
        if first > from {
            rest.push((from, first - 1));
        }
        next = last.checked_add(1).map(|after| after.max(from));
    }
    rest.extend(next.map(|from| (from, u16::MAX)));
    rest
}

impl Part {
    /// `own` is the namespace of what has one.
    pub(super) fn calico_policy(&mut self, kind: Kind, own: Option<Sym>, spec: &Value) -> OtherRow {
        let role = match kind {
            Kind::Tier => {
                let order = spec["order"].as_f64().map_or(Place::LAST, Place::of);
                Role::Tier { order, passes: text(&spec["defaultAction"]) == "Pass" }
            }
            Kind::NetworkSet | Kind::GlobalNetworkSet => Role::Addresses(
                items(&spec["nets"]).iter().filter_map(|n| block(text(n))).collect(),
            ),
            // Before addresses are translated, and past the tracking of connections, only the
            // interfaces of hosts have policies.
            _ if spec["preDNAT"] == true || spec["doNotTrack"] == true => Role::OfNodes,
            _ => {
                let tier = text(&spec["tier"]);
                Role::InTier(self.sym(if tier.is_empty() { "default" } else { tier }))
            }
        };
        let sections = match role {
            Role::InTier(_) => self.calico_sections(own, spec),
            _ => Vec::new(),
        };
        OtherRow {
            kind: self.sym(kind.name()),
            family: Family::Calico,
            sections: sections.into(),
            role,
        }
    }

    fn calico_sections(&mut self, own: Option<Sym>, spec: &Value) -> Vec<Section> {
        let rules = |direction: Direction| items(&spec[direction.name()]);
        let (ingress, egress) = (rules(Direction::Ingress), rules(Direction::Egress));
        let types: Vec<&str> = items(&spec["types"]).iter().map(text).collect();
        // Unlike a NetworkPolicy, one with rules for egress alone is of that type alone.
        let on = |name: &str, given: bool| {
            if types.is_empty() { given } else { types.contains(&name) }
        };
        let directions = [
            (Direction::Ingress, on("Ingress", !ingress.is_empty() || egress.is_empty()), ingress),
            (Direction::Egress, on("Egress", !egress.is_empty()), egress),
        ];
        let mut pods = self.calico_selector(&spec["selector"], Key::Label);
        pods = pods.and(self.calico_selector(&spec["serviceAccountSelector"], Key::AccountLabel));
        let spaces = match own {
            Some(own) => Spaces::One(own),
            None => Spaces::Selected(
                self.calico_selector(&spec["namespaceSelector"], Key::NamespaceLabel),
            ),
        };
        let pods = Pods { spaces, pods };
        let order = spec["order"].as_f64().map_or(Place::LAST, Place::of);
        let mut sections = Vec::new();
        for (direction, _, list) in directions.into_iter().filter(|(_, on, _)| *on) {
            let rules = list.iter().enumerate();
            let rules = rules.filter_map(|(place, r)| self.calico_rule(direction, place, own, r));
            sections.push(Section {
                direction,
                rules: rules.collect(),
                pods: pods.clone(),
                isolates: Truth::Yes,
                // That of its tier, which is known when all are.
                tier: Place::of(tier::DEFAULT),
                order,
            });
        }
        sections
    }

    fn calico_selector(&mut self, selector: &Value, key: fn(Sym) -> Key) -> Expr {
        match text(selector) {
            "" => Expr::all(),
            said => calico_selector::parse(said, &mut self.symbols, key),
        }
    }

    /// `None` for what decides nothing about TCP, UDP and SCTP.
    fn calico_rule(
        &mut self,
        direction: Direction,
        place: usize,
        own: Option<Sym>,
        rule: &Value,
    ) -> Option<Rule> {
        let action = match text(&rule["action"]) {
            "Allow" => Action::Allow,
            "Deny" => Action::Deny,
            "Pass" => Action::Pass,
            _ => return None,
        };
        let (source, destination) = (&rule["source"], &rule["destination"]);
        let (peer, ends) = match direction {
            Direction::Ingress => (source, destination),
            Direction::Egress => (destination, source),
        };
        let mut doubt = None;
        if !items(&source["ports"]).is_empty() || !items(&source["notPorts"]).is_empty() {
            doubt = Some("it looks at the port that the connection comes from");
        }
        if action != Action::Allow && rule["http"].is_object() {
            doubt = Some("it looks at requests of HTTP");
        }
        if !rule["icmp"].is_null() || !rule["notICMP"].is_null() {
            return None;
        }
        let given = |of: &Value, field: &str| match &of[field] {
            Value::String(said) => !said.is_empty(),
            Value::Array(list) => !list.is_empty(),
            other => other.is_object(),
        };
        if ["nets", "notNets", "services"].iter().any(|field| given(ends, field)) {
            doubt = Some("it looks at the address of the pod itself");
        }
        let selects = |of: &Value| {
            let fields = ["selector", "notSelector", "namespaceSelector", "serviceAccounts"];
            fields.iter().any(|field| given(of, field))
        };
        let limit = selects(ends).then(|| {
            let (spaces, pods) = self.calico_ends(ends, own);
            match spaces {
                Spaces::Selected(expr) => expr.and(pods),
                Spaces::One(_) => pods,
            }
        });
        if selects(peer) && (given(peer, "nets") || given(peer, "notNets")) {
            doubt = Some("it looks at labels and addresses at once");
        }
        let peers = self.calico_peers(peer, own, selects(peer), given);
        let ports = self.calico_ports(destination, protocols(rule), &mut doubt)?;
        Some(Rule {
            direction,
            field: self.sym(&format!(".spec.{}[{place}]", direction.name())),
            action,
            peers: peers.into(),
            ports,
            own: limit,
            doubt: doubt.map(|said| self.sym(said)),
        })
    }

    /// The pods of one end of a rule.
    fn calico_ends(&mut self, of: &Value, own: Option<Sym>) -> (Spaces, Expr) {
        let mut pods = self.calico_selector(&of["selector"], Key::Label);
        if !text(&of["notSelector"]).is_empty() {
            let not = self.calico_selector(&of["notSelector"], Key::Label);
            pods = pods.and(Expr::Not(Box::new(not)));
        }
        let accounts = &of["serviceAccounts"];
        let names: Vec<Sym> = items(&accounts["names"]).iter().map(|n| self.sym(text(n))).collect();
        if !names.is_empty() {
            pods = pods.and(Expr::Is(Key::Account, Compare::In, names.into()));
        }
        pods = pods.and(self.calico_selector(&accounts["selector"], Key::AccountLabel));
        let spaces = match (text(&of["namespaceSelector"]), own) {
            ("", Some(own)) => Spaces::One(own),
            _ => {
                let said = &of["namespaceSelector"];
                Spaces::Selected(self.calico_selector(said, Key::NamespaceLabel))
            }
        };
        (spaces, pods)
    }

    fn calico_peers(
        &mut self,
        peer: &Value,
        own: Option<Sym>,
        selects: bool,
        given: impl Fn(&Value, &str) -> bool,
    ) -> Vec<Peer> {
        if given(peer, "domains") {
            return vec![Peer::Unknown(self.sym("it names domains"), true)];
        }
        if given(peer, "services") {
            return vec![Peer::Unknown(self.sym("it names Services"), false)];
        }
        if selects {
            let (spaces, pods) = self.calico_ends(peer, own);
            // Only told what it is not, it is everything else, inside and outside.
            let only_not = given(peer, "notSelector")
                && !["selector", "namespaceSelector", "serviceAccounts"]
                    .iter()
                    .any(|field| given(peer, field));
            let mut peers = vec![Peer::Pods(Pods { spaces, pods })];
            match own.filter(|_| only_not) {
                // Calico's documentation leaves open whether its namespace limits such a rule.
                Some(own) => {
                    let said = self.sym(
                        "whether `notSelector` alone means what is outside of its namespace is not known",
                    );
                    let elsewhere = Expr::Is(Key::Namespace, Compare::NotIn, [own].into());
                    peers.push(Peer::Pods(Pods {
                        spaces: Spaces::Selected(Expr::all()),
                        pods: elsewhere.and(Expr::Unknown),
                    }));
                    peers.push(Peer::Unknown(said, true));
                }
                None if only_not => {
                    peers.push(Peer::Entity(Entity::World));
                    peers.push(Peer::Nodes(Expr::all()));
                }
                None => {}
            }
            return peers;
        }
        let nets = |field: &str| -> Vec<IpNet> {
            items(&peer[field]).iter().filter_map(|net| block(text(net))).collect()
        };
        let except: Box<[IpNet]> = nets("notNets").into();
        let all: &[IpNet] =
            &[IpNet::V4(ipnet::Ipv4Net::default()), IpNet::V6(ipnet::Ipv6Net::default())];
        let some = match (given(peer, "nets"), except.is_empty()) {
            (true, _) => nets("nets"),
            (false, false) => all.to_vec(),
            (false, true) => return vec![Peer::Any],
        };
        some.into_iter().map(|net| Peer::Block(Block { net, except: except.clone() })).collect()
    }

    /// `None` for a rule of protocols without ports; `Some(None)` for all ports.
    #[expect(clippy::option_option, reason = "no ports, all of them, or these")]
    fn calico_ports(
        &mut self,
        of: &Value,
        protocols: Option<Vec<Protocol>>,
        doubt: &mut Option<&'static str>,
    ) -> Option<Option<Box<[Ports]>>> {
        let protocols: Vec<Option<Protocol>> = match protocols {
            None => vec![None],
            Some(list) if list.is_empty() => return None,
            Some(list) => list.into_iter().map(Some).collect(),
        };
        let (some, not) = (items(&of["ports"]), items(&of["notPorts"]));
        let mut ranges: Vec<(u16, u16)> = some.iter().filter_map(range).collect();
        let names: Vec<Sym> =
            some.iter().filter(|p| range(p).is_none()).map(|p| self.sym(text(p))).collect();
        if some.is_empty() {
            if not.is_empty() && protocols == [None] {
                return Some(None);
            }
            ranges = but(not.iter().filter_map(range).collect());
        } else if !not.is_empty() {
            *doubt = Some("it names ports and leaves out others");
        }
        if not.iter().any(|p| range(p).is_none()) {
            *doubt = Some("it leaves out a port by its name");
        }
        let mut ports = Vec::new();
        for protocol in protocols {
            ports.extend(ranges.iter().map(|(f, l)| Ports::Numbers(protocol, *f, *l)));
            ports.extend(names.iter().map(|name| Ports::Named(protocol, *name)));
        }
        Some(Some(ports.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_left_out() {
        assert_eq!(but(vec![]), [(0, u16::MAX)]);
        assert_eq!(but(vec![(80, 80), (10, 20)]), [(0, 9), (21, 79), (81, u16::MAX)]);
        assert_eq!(but(vec![(0, 5), (3, 9)]), [(10, u16::MAX)]);
        assert_eq!(but(vec![(0, 100), (3, 9)]), [(101, u16::MAX)]);
        assert_eq!(but(vec![(9, u16::MAX)]), [(0, 8)]);
    }
}
