//! What would turn a verdict around: the smallest change, and what else it would open.
//!
//! To open something is never advice. A sentence that begins with `it would need` says what is
//! missing, in which policy or on which pods, and which connections would come with it.

use super::{Ground, Side, ports};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::network::{
    Action, Compare, Direction, End, Expr, Family, Judgement, Key, Peer, PortSpec, Ports, Reason,
    Rule, Spaces, Span, State,
};
use crate::world::{ObjectId, Policy};
use std::collections::BTreeSet;

/// Labels that tell pods of one workload apart.
const OWN: &[&str] = &[
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
];

/// The label by which the API server names a namespace; nobody else can give it.
const NAME: &str = "kubernetes.io/metadata.name";

/// A label that is not there, and the value that it would need; `None` for any.
type Lack = (Key, Option<Sym>);

/// One end of a connection that policies hold back, and the other.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub(super) direction: Direction,
    pub(super) own: Side,
    pub(super) own_end: End,
    pub(super) other: Side,
    pub(super) other_end: End,
}

impl Ground<'_> {
    /// The smallest change that would let a connection through at one end. `port`: the one that a
    /// rule would be written for, if one is meant.
    pub(super) fn opens(
        &self,
        judgement: &Judgement,
        ends: Ends,
        port: Option<PortSpec>,
    ) -> Vec<String> {
        let mut change = Vec::new();
        for reason in &judgement.reasons {
            match reason {
                Reason::Rule { policy, field, action: Action::Deny, .. } => {
                    let (policy, field) = (self.policy(*policy), self.world.text(*field));
                    change.push(format!(
                        "it would need {policy} {field} to leave this out; that would open what no other rule denies"
                    ));
                }
                Reason::Isolated(policies) => {
                    change.push(self.rule_needed(policies, ends, port));
                    change.extend(self.label_needed(policies, ends, port));
                }
                _ => {}
            }
        }
        change
    }

    /// Whether what isolates is the configuration of a plugin and no policy.
    fn is_configuration(&self, object: ObjectId) -> bool {
        let kind = self.world.text(self.world.objects[object.index()].kind);
        matches!(kind, "ConfigMap" | "DaemonSet" | "Pod")
    }

    /// A rule in the policy that selects the fewest beside the end in question.
    fn rule_needed(
        &self,
        policies: &[(ObjectId, Family)],
        ends: Ends,
        port: Option<PortSpec>,
    ) -> String {
        let Ends { direction, own, other, .. } = ends;
        let way = direction.name();
        let at = match port {
            Some(port) => ports::text(&[ports::one(port, State::Allowed)]),
            None => "the port".to_owned(),
        };
        let plain = policies.iter().filter(|(_, family)| *family == Family::Kubernetes);
        let selected = plain.map(|(policy, _)| (self.selected(*policy, direction, own), *policy));
        // INVARIANT: `min_by_key` takes the first of equals, and policies come in their order.
        let Some((here, policy)) = selected.min_by_key(|(groups, _)| groups.len()) else {
            // Every other kind writes its rules in its own way.
            let (from, to) = self.placed(direction, self.name(own), self.name(other));
            // What the plugin does by itself has no rules to add to.
            let mut written = policies.to_vec();
            written.retain(|(policy, _)| !self.is_configuration(*policy));
            let of = match written.as_slice() {
                [] => "a policy that selects it".to_owned(),
                written => self.policies(written, " or "),
            };
            return format!(
                "it would need a rule for {way} in {of} that allows {at} from {from} to {to}"
            );
        };
        let key = match direction {
            Direction::Ingress => "from",
            Direction::Egress => "to",
        };
        let peer = self.peer(own, other, ends.other_end);
        let ports = match port {
            Some(PortSpec { protocol, port }) => {
                format!("protocol: {}, port: {port}", protocol.name())
            }
            None => "port: PORT".to_owned(),
        };
        let wide = here.len() > 1;
        let (here, there) = (self.few(&here), self.alike(other));
        let (from, to) = self.placed(direction, here, there);
        let less = if wide { "; a policy of its own would open less" } else { "" };
        format!(
            "it would need a rule in .spec.{way} of {}: {{{key}: [{peer}], ports: [{{{ports}}}]}}; that would open {at} from {from} to {to}{less}",
            self.policy(policy),
        )
    }

    /// A label that some rule asks of the other end, and that it lacks.
    fn label_needed(
        &self,
        policies: &[(ObjectId, Family)],
        ends: Ends,
        port: Option<PortSpec>,
    ) -> Option<String> {
        let (Side::Group(other), End::Class(_)) = (ends.other, ends.other_end) else { return None };
        if self.is_machine(other) {
            return None;
        }
        let to = match ends.direction {
            Direction::Ingress => ends.own_end,
            Direction::Egress => ends.other_end,
        };
        let mut best: Option<(Vec<Lack>, ObjectId, Sym)> = None;
        for (policy, _) in policies.iter().filter(|(_, family)| *family == Family::Kubernetes) {
            let Some(row) = self.row(*policy) else { continue };
            let rules = row.rules.iter().filter(|r| r.direction == ends.direction);
            for rule in rules.filter(|r| r.doubt.is_none() && self.is_for(r, to, port)) {
                for peer in &rule.peers {
                    let Some(lacks) = self.lacks(other, peer) else { continue };
                    if best.as_ref().is_none_or(|(known, ..)| lacks.len() < known.len()) {
                        best = Some((lacks, *policy, rule.field));
                    }
                }
            }
        }
        let (lacks, policy, field) = best?;
        let group = self.group(other);
        let label = |(key, value): &Lack| {
            let value = value.map_or("any value", |value| self.world.text(value));
            match key {
                Key::Label(key) => {
                    format!("{}: {value} on {}", self.world.text(*key), group.name)
                }
                Key::NamespaceLabel(key) => {
                    let ns = self.world.text(group.ns);
                    format!("{}: {value} on namespace {ns}", self.world.text(*key))
                }
                _ => String::new(),
            }
        };
        let labels: Vec<String> = lacks.iter().map(label).collect();
        let word = if labels.len() == 1 { "label" } else { "labels" };
        Some(format!(
            "or the {word} {}; that would open all that {} {} lets through",
            labels.join(" and "),
            self.policy(policy),
            self.world.text(field),
        ))
    }

    /// The labels that a group would need to be meant by a peer; `None` if labels alone do not do
    /// it. Values that are there are never changed: something else selects by them.
    fn lacks(&self, group: u32, peer: &Peer) -> Option<Vec<Lack>> {
        let Peer::Pods(pods) = peer else { return None };
        let ns = self.group(group).ns;
        let of = |labels: &[(Sym, Sym)], key: Sym| {
            labels.iter().find(|(k, _)| *k == key).map(|(_, value)| *value)
        };
        let labels: Vec<(Sym, Sym)> = self.labels(group).into_iter().collect();
        let space = self.world.namespace(ns);
        let space = space.map(|ns| self.world.namespaces[ns.index()].object);
        let space = space.map_or(&[][..], |object| self.world.labels_of(object));
        let value = |key: Key| match key {
            Key::Label(key) => of(&labels, key),
            Key::NamespaceLabel(key) if self.world.text(key) == NAME => Some(ns),
            Key::NamespaceLabel(key) => of(space, key),
            Key::Namespace => Some(ns),
            Key::Account | Key::AccountLabel(_) => None,
        };
        let mut lacks = Vec::new();
        let met = match &pods.spaces {
            Spaces::One(only) => *only == ns,
            Spaces::Selected(expr) => meets(expr, &value, &mut lacks),
        };
        let met = met && meets(&pods.pods, &value, &mut lacks);
        // Of two different values for one key neither does.
        let keys: BTreeSet<Key> = lacks.iter().map(|(key, _)| *key).collect();
        (met && !lacks.is_empty() && keys.len() == lacks.len()).then_some(lacks)
    }

    /// Whether a rule is for a port of an end.
    fn is_for(&self, rule: &Rule, to: End, port: Option<PortSpec>) -> bool {
        let Some(list) = &rule.ports else { return true };
        let Some(port) = port else { return false };
        list.iter().any(|ports| match ports {
            Ports::Numbers(of, first, last) => {
                of.is_none_or(|of| of == port.protocol) && (*first..=*last).contains(&port.port)
            }
            Ports::Named(of, name) => {
                let End::Class(class) = to else { return false };
                let class = &self.network.classes()[class.index()];
                let mut own = class.ports.iter();
                let first = own.find(|(n, p, _)| n == name && *p == port.protocol);
                of.is_none_or(|of| of == port.protocol)
                    && first.is_some_and(|(.., number)| *number == port.port)
            }
        })
    }

    /// A NetworkPolicy. O(log policies + those of its namespace).
    fn row(&self, policy: ObjectId) -> Option<&Policy> {
        let ns = self.world.objects[policy.index()].ns;
        let all = &self.world.policies;
        let start = all.partition_point(|p| p.ns < ns);
        all[start..].iter().take_while(|p| p.ns == ns).find(|p| p.object == policy)
    }

    /// The groups of a side's namespace that a policy isolates.
    fn selected(&self, policy: ObjectId, direction: Direction, side: Side) -> Vec<u32> {
        let Side::Group(own) = side else { return Vec::new() };
        let isolated = |group: &u32| {
            let mut classes = self.group(*group).classes.iter();
            classes.any(|c| self.network.isolation(*c, direction).contains(&policy))
        };
        self.of_space(self.group(own).ns).filter(isolated).collect()
    }

    /// Who bears the labels that a rule would name the side by.
    fn alike(&self, side: Side) -> String {
        let group = match side {
            Side::Group(group) => group,
            Side::Range(range) if range.is_whole() => return "every address outside".to_owned(),
            side => return self.name(side),
        };
        if self.is_machine(group) {
            return format!("the node of {}", self.name(side));
        }
        let labels = self.labels(group);
        let bears = |other: &u32| *other == group || labels.is_subset(&self.labels(*other));
        let mut alike: Vec<u32> = self.of_space(self.group(group).ns).filter(bears).collect();
        alike.sort_by_key(|other| (*other != group, *other));
        self.few(&alike)
    }

    fn few(&self, groups: &[u32]) -> String {
        const FEW: usize = 3;
        let names: Vec<&str> =
            groups.iter().take(FEW).map(|g| self.group(*g).name.as_str()).collect();
        match groups.len().saturating_sub(FEW) {
            0 => names.join(", "),
            rest => format!("{} and {rest} more", names.join(", ")),
        }
    }

    /// The end of a direction and the other one, the one that connects first.
    fn placed(&self, direction: Direction, own: String, other: String) -> (String, String) {
        match direction {
            Direction::Ingress => (other, own),
            Direction::Egress => (own, other),
        }
    }

    /// What would stop it at one end.
    pub(super) fn closes(
        &self,
        judgement: &Judgement,
        direction: Direction,
        own: Side,
        end: End,
    ) -> Vec<String> {
        let Side::Group(group) = own else { return Vec::new() };
        let node = matches!(end, End::Class(class) if self.class_node(class).is_some());
        let mut change = Vec::new();
        for reason in &judgement.reasons {
            match reason {
                Reason::Rule { policy, field, action: Action::Allow, .. } => {
                    let (policy, field) = (self.policy(*policy), self.world.text(*field));
                    change.push(format!("remove or narrow {policy} {field}"));
                }
                Reason::Free if !node => {
                    let ns = self.world.text(self.group(group).ns);
                    let unheeded =
                        self.is_meant(group, direction) && !self.is_judged(group, direction);
                    change.push(match direction {
                        _ if unheeded => "run a network plugin that enforces policies".to_owned(),
                        Direction::Ingress => format!(
                            "no policy isolates the destination: a default-deny for ingress in namespace {ns} would"
                        ),
                        Direction::Egress => format!(
                            "no policy isolates the source: a default-deny for egress in namespace {ns} would"
                        ),
                    });
                }
                _ => {}
            }
        }
        change
    }

    /// How a rule names a side.
    fn peer(&self, own: Side, other: Side, end: End) -> String {
        let block = |address: &str| {
            let bits = if address.contains(':') { 128 } else { 32 };
            format!("{{ipBlock: {{cidr: {address}/{bits}}}}}")
        };
        let group = match (other, end) {
            (Side::Range(range), _) => {
                let nets = range.nets();
                let blocks = nets.iter().take(3).map(|n| format!("{{ipBlock: {{cidr: {n}}}}}"));
                let mut text = blocks.collect::<Vec<_>>().join(", ");
                if nets.len() > 3 {
                    text = format!("{text}, {} blocks more", nets.len() - 3);
                }
                return text;
            }
            (_, End::Node(node)) => return block(self.address(node)),
            (_, End::Class(class)) if self.class_node(class).is_some() => {
                let node = self.class_node(class);
                return node.map_or_else(String::new, |node| block(self.address(node)));
            }
            (Side::Group(group), _) => group,
            (Side::Node(node), _) => return block(self.address(node)),
        };
        let ns = self.group(group).ns;
        let near = matches!(own, Side::Group(g) if self.group(g).ns == ns);
        let space = if near {
            String::new()
        } else {
            let name = self.world.text(ns);
            format!("namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}, ")
        };
        let labels: Vec<String> = self
            .labels(group)
            .into_iter()
            .map(|(k, v)| format!("{}: {}", self.world.text(k), self.world.text(v)))
            .collect();
        let pods = if labels.is_empty() {
            "{}".to_owned()
        } else {
            format!("{{matchLabels: {{{}}}}}", labels.join(", "))
        };
        format!("{{{space}podSelector: {pods}}}")
    }

    fn address(&self, node: crate::world::NodeIx) -> &str {
        let own = self.world.nodes[node.index()].addresses.iter();
        let mut own = own.filter(|(kind, _)| self.world.text(*kind) == "InternalIP");
        own.next().map_or("the node's address", |(_, address)| self.world.text(*address))
    }

    /// The labels that all pods of a group have.
    fn labels(&self, group: u32) -> BTreeSet<(Sym, Sym)> {
        let of = |host: &Host| -> BTreeSet<(Sym, Sym)> {
            let labels = match host {
                Host::Pod(pod) => self.world.labels_of(self.world.pods[pod.index()].object),
                Host::Template(workload) => {
                    let number = self.world.workloads[workload.index()].template_labels;
                    self.world.labels.get(number as usize).map_or(&[][..], |l| l)
                }
            };
            let kept = labels.iter().filter(|(key, _)| !OWN.contains(&self.world.text(*key)));
            kept.copied().collect()
        };
        let mut sets = self.group(group).hosts.iter().map(of);
        let first = sets.next().unwrap_or_default();
        sets.fold(first, |all, one| all.intersection(&one).copied().collect())
    }

    /// The first port that pods of a side declare among some.
    pub(super) fn declared(&self, side: Side, span: &Span) -> Option<PortSpec> {
        let Side::Group(group) = side else { return None };
        let host = self.group(group).hosts.first()?;
        let containers = self.world.host_spec(*host).containers.iter();
        let running = containers.filter(|c| c.keeps_running());
        let mut ports = running.flat_map(|c| c.ports.iter()).filter(|p| {
            p.protocol == span.protocol && (span.first..=span.last).contains(&p.number)
        });
        ports.next().map(|p| PortSpec { protocol: p.protocol, port: p.number })
    }
}

/// Whether something meets a selector once it has the labels that are added to `lacks`.
fn meets(expr: &Expr, value: &impl Fn(Key) -> Option<Sym>, lacks: &mut Vec<Lack>) -> bool {
    let (key, compare, values) = match expr {
        Expr::All(list) => return list.iter().all(|one| meets(one, value, lacks)),
        Expr::Is(key, compare, values) => (*key, *compare, values),
        Expr::Any(_) | Expr::Not(_) | Expr::Unknown => return false,
    };
    let known = value(key);
    let may_be_given = known.is_none() && matches!(key, Key::Label(_) | Key::NamespaceLabel(_));
    match compare {
        Compare::In => match values.first() {
            _ if known.is_some_and(|v| values.contains(&v)) => true,
            Some(first) if may_be_given => {
                lacks.push((key, Some(*first)));
                true
            }
            _ => false,
        },
        Compare::Exists if may_be_given => {
            lacks.push((key, None));
            true
        }
        Compare::Exists => known.is_some(),
        Compare::NotIn => known.is_none_or(|v| !values.contains(&v)),
        Compare::DoesNotExist => known.is_none(),
        Compare::Contains | Compare::StartsWith | Compare::EndsWith | Compare::Invalid => false,
    }
}
