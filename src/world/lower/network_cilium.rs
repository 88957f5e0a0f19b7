//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, as far as addresses and ports go: rules
//! for protocols above them let everything through.

use super::network_other::{items, number, text};
use super::network_policy::block;
use crate::k8s::Kind;
use crate::sym::Sym;
use crate::world::network::{
    Action, Block, Compare, Direction, Entity, Expr, Family, Key, OtherRow, Peer, Place, Pods,
    Ports, Protocol, Role, Rule, Section, Spaces, Truth, tier,
};
use crate::world::rows::{Operator, Part};
use serde_json::Value;

/// Cilium's names of what a label is of.
const NAMESPACE: &str = "io.kubernetes.pod.namespace";
const NAMESPACE_LABEL: &str = "io.cilium.k8s.namespace.labels.";
const ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";

const REQUIRED: &str = "it requires labels of peers";

/// The groups of peers that rules name.
const ENTITIES: &[(&str, Entity)] = &[
    ("world", Entity::World),
    ("world-ipv4", Entity::WorldV4),
    ("world-ipv6", Entity::WorldV6),
    ("cluster", Entity::Cluster),
    ("host", Entity::Host),
    ("remote-node", Entity::RemoteNode),
    ("kube-apiserver", Entity::ApiServer),
    ("ingress", Entity::Ingress),
    ("init", Entity::Unmanaged),
    ("health", Entity::Unmanaged),
    ("unmanaged", Entity::Unmanaged),
];

impl Part {
    /// `own` is the namespace of a policy that has one.
    pub(super) fn cilium_policy(
        &mut self,
        kind: Kind,
        own: Option<Sym>,
        specs: &Value,
    ) -> OtherRow {
        let mut sections = Vec::new();
        let mut role = Role::Policy;
        for (place, spec) in items(specs).iter().enumerate().filter(|(_, s)| s.is_object()) {
            if spec["nodeSelector"].is_object() {
                role = Role::OfNodes;
            }
            let Some(selector) = spec.get("endpointSelector").filter(|s| s.is_object()) else {
                continue;
            };
            let at = match place {
                0 => ".spec".to_owned(),
                place => format!(".specs[{}]", place - 1),
            };
            let pods = self.cilium_pods(own, selector, true);
            for direction in [Direction::Ingress, Direction::Egress] {
                self.cilium_sections(&mut sections, direction, &pods, own, (&at, spec));
            }
        }
        OtherRow {
            kind: self.sym(kind.name()),
            family: Family::Cilium,
            sections: sections.into(),
            role,
        }
    }

    fn cilium_sections(
        &mut self,
        sections: &mut Vec<Section>,
        direction: Direction,
        pods: &Pods,
        own: Option<Sym>,
        (at, spec): (&str, &Value),
    ) {
        let name = direction.name();
        let (allow, deny) = (items(&spec[name]), items(&spec[format!("{name}Deny")]));
        let isolates = match spec["enableDefaultDeny"][name].as_bool() {
            Some(said) => said,
            None => !allow.is_empty() || !deny.is_empty(),
        };
        let lists = [
            (deny, format!("{name}Deny"), Action::Deny, false, Place::FIRST),
            (allow, name.to_owned(), Action::Allow, isolates, Place::of(tier::DEFAULT)),
        ];
        let required = allow.iter().enumerate().filter_map(|(place, rule)| {
            self.cilium_required(direction, &format!("{at}.{name}[{place}]"), own, rule)
        });
        let required: Box<[Rule]> = required.collect();
        if !required.is_empty() {
            sections.push(Section {
                direction,
                rules: required,
                pods: pods.clone(),
                isolates: Truth::No,
                tier: Place::FIRST,
                order: Place::of(tier::KUBERNETES),
            });
        }
        for (list, field, action, isolates, tier) in lists {
            if list.is_empty() && !isolates {
                continue;
            }
            let rules = list.iter().enumerate().filter_map(|(place, rule)| {
                let field = format!("{at}.{field}[{place}]");
                self.cilium_rule(direction, &field, action, own, rule)
            });
            sections.push(Section {
                direction,
                rules: rules.collect(),
                pods: pods.clone(),
                isolates: Truth::from(isolates),
                tier,
                order: Place::of(tier::KUBERNETES),
            });
        }
    }

    /// What a rule requires of the pods that any rule lets in, of whatever policy: those that lack
    /// it may be held back. Cilium takes this back in later versions.
    fn cilium_required(
        &mut self,
        direction: Direction,
        field: &str,
        own: Option<Sym>,
        rule: &Value,
    ) -> Option<Rule> {
        let side = if direction == Direction::Ingress { "from" } else { "to" };
        let list = items(&rule[format!("{side}Requires")]);
        let all = list.iter().map(|selector| {
            let pods = self.cilium_pods(own, selector, false);
            match pods.spaces {
                Spaces::One(ns) => {
                    pods.pods.and(Expr::Is(Key::Namespace, Compare::In, [ns].into()))
                }
                Spaces::Selected(spaces) => pods.pods.and(spaces),
            }
        });
        let lacking = Expr::Not(Box::new(Expr::All(all.collect())));
        let pods = Pods { spaces: Spaces::Selected(Expr::all()), pods: lacking };
        (!list.is_empty()).then(|| Rule {
            direction,
            field: self.sym(field),
            action: Action::Deny,
            peers: [Peer::Pods(pods)].into(),
            ports: None,
            own: None,
            doubt: Some(self.sym(REQUIRED)),
        })
    }

    /// `None` for what matches no connection of TCP, UDP or SCTP.
    fn cilium_rule(
        &mut self,
        direction: Direction,
        field: &str,
        action: Action,
        own: Option<Sym>,
        rule: &Value,
    ) -> Option<Rule> {
        let side = if direction == Direction::Ingress { "from" } else { "to" };
        let mut peers = Vec::new();
        let mut named = false;
        let mut list = |what: &str| -> Vec<Value> {
            let value = &rule[format!("{side}{what}")];
            named |= value.is_array();
            items(value).to_vec()
        };
        let endpoints = list("Endpoints");
        let entities = list("Entities");
        let nets = list("CIDR");
        let sets = list("CIDRSet");
        let nodes = list("Nodes");
        let groups = list("Groups");
        let (domains, services) = (list("FQDNs"), list("Services"));
        for endpoint in &endpoints {
            peers.push(Peer::Pods(self.cilium_pods(own, endpoint, false)));
        }
        for entity in &entities {
            match text(entity) {
                "all" => peers.push(Peer::Any),
                name => {
                    let known = ENTITIES.iter().find(|(known, _)| *known == name);
                    peers.extend(known.map(|(_, entity)| Peer::Entity(*entity)));
                }
            }
        }
        for net in &nets {
            let net = block(text(net));
            peers.extend(net.map(|net| Peer::Block(Block { net, except: Box::default() })));
        }
        for set in &sets {
            if let Some(net) = block(text(&set["cidr"])) {
                let except = items(&set["except"]).iter().filter_map(|e| block(text(e)));
                peers.push(Peer::Block(Block { net, except: except.collect() }));
            } else {
                peers.push(Peer::Unknown(self.sym("it names a group of addresses"), true));
            }
        }
        for node in &nodes {
            // Labels of nodes count with an option of Cilium's that is off by default.
            let labels = self.label_expr(node, Key::Label).and(Expr::Unknown);
            peers.push(Peer::Nodes(labels));
        }
        if !groups.is_empty() {
            peers.push(Peer::Unknown(self.sym("it names a group of a cloud"), true));
        }
        if !domains.is_empty() {
            peers.push(Peer::Unknown(self.sym("it names domains"), true));
        }
        if !services.is_empty() {
            peers.push(Peer::Unknown(self.sym("it names Services"), false));
        }
        let ports = items(&rule["toPorts"]);
        if ports.is_empty() && !items(&rule["icmps"]).is_empty() {
            return None;
        }
        // An empty rule selects nobody; one with ports alone, everybody.
        if !named && !ports.is_empty() {
            peers.push(Peer::Any);
        }
        let all_ports = ports.is_empty() || ports.iter().any(|p| items(&p["ports"]).is_empty());
        let read = ports.iter().flat_map(|of| items(&of["ports"]));
        let ports = read.filter_map(|port| self.cilium_port(port)).collect();
        let doubt = if !items(&rule[format!("{side}Requires")]).is_empty() {
            Some(self.sym(REQUIRED))
        } else if !matches!(text(&rule["authentication"]["mode"]), "" | "disabled") {
            Some(self.sym("it requires that peers prove who they are"))
        } else {
            None
        };
        Some(Rule {
            direction,
            field: self.sym(field),
            action,
            peers: peers.into(),
            ports: (!all_ports).then_some(ports),
            own: None,
            doubt,
        })
    }

    fn cilium_port(&mut self, port: &Value) -> Option<Ports> {
        let protocol = match text(&port["protocol"]) {
            "" | "ANY" => None,
            name => Some(Protocol::of(name)?),
        };
        Some(match (&port["port"], number(&port["port"])) {
            (Value::Null, _) | (_, Some(0)) => Ports::Numbers(protocol, 0, u16::MAX),
            (_, Some(first)) => {
                let last = number(&port["endPort"]).filter(|last| *last >= first);
                Ports::Numbers(protocol, first, last.unwrap_or(first))
            }
            (name, None) => Ports::Named(protocol, self.sym(text(name))),
        })
    }

    /// The pods of a selector. Those of a policy's own namespace are meant unless it says which;
    /// the subject of a policy is never of another.
    fn cilium_pods(&mut self, own: Option<Sym>, selector: &Value, subject: bool) -> Pods {
        let Some(selector) = self.read_selector(selector) else {
            let spaces = Spaces::Selected(Expr::all());
            return Pods { spaces, pods: Expr::Unknown };
        };
        let (mut spaces, mut pods) = (Expr::all(), Expr::all());
        let mut says = false;
        for requirement in &selector.0 {
            let key = self.symbols.text(requirement.key).to_owned();
            let (source, key) = match key.split_once(':') {
                Some((source @ ("k8s" | "any" | "reserved" | "cidr" | "container"), rest)) => {
                    (source, rest)
                }
                _ => ("any", key.as_str()),
            };
            if !matches!(source, "k8s" | "any") {
                // What bears such a label is no pod.
                let absent =
                    matches!(requirement.operator, Operator::NotIn | Operator::DoesNotExist);
                if !absent {
                    pods = pods.and(Expr::Any(Box::default()));
                }
                continue;
            }
            let key = if key == NAMESPACE {
                Key::Namespace
            } else if let Some(label) = key.strip_prefix(NAMESPACE_LABEL) {
                Key::NamespaceLabel(self.symbols.intern(label))
            } else if key == ACCOUNT {
                Key::Account
            } else if key.starts_with("io.cilium.k8s.policy.") {
                pods = pods.and(Expr::Unknown);
                continue;
            } else {
                Key::Label(self.symbols.intern(key))
            };
            let one = requirement.clone();
            let one = crate::world::rows::Selector([one].into());
            let mut expr = Expr::labels(&one, Key::Label);
            if let Expr::All(list) = &mut expr
                && let Some(Expr::Is(of, ..)) = list.first_mut()
            {
                *of = key;
            }
            if matches!(key, Key::Namespace | Key::NamespaceLabel(_)) {
                says = true;
                spaces = spaces.and(expr);
            } else {
                pods = pods.and(expr);
            }
        }
        // Whatever a policy of a namespace says of others, it selects none of their pods; labels
        // of its own may still narrow it.
        if subject && own.is_some() {
            pods = pods.and(narrowing(&spaces));
        }
        let spaces = match own {
            Some(own) if subject || !says => Spaces::One(own),
            _ => Spaces::Selected(spaces),
        };
        Pods { spaces, pods }
    }
}

/// What a selector asks of the labels of namespaces, and not of their names.
fn narrowing(spaces: &Expr) -> Expr {
    let Expr::All(list) = spaces else { return Expr::all() };
    let labels = list.iter().filter(|e| matches!(e, Expr::Is(Key::NamespaceLabel(_), ..)));
    Expr::All(labels.cloned().collect())
}
