//! A verdict in words: what each end's policies say, and what would turn it around.

use super::{Ground, Side, ports};
use crate::sym::Sym;
use crate::world::ObjectId;
use crate::world::hosts::Host;
use crate::world::network::{
    Action, Direction, End, Family, Judgement, PortSpec, Reason, Span, State,
};
use std::collections::BTreeSet;

/// A sentence, and where it stands in the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The sentence, without a full stop.
    pub text: String,
    /// An object and a field of it.
    pub at: Option<(ObjectId, String)>,
}

/// Some ports of a connection with one explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// In their order.
    pub ports: Vec<Span>,
    /// What becomes of the connection.
    pub state: State,
    /// What is said where it leaves.
    pub egress: Vec<Said>,
    /// What is said where it arrives.
    pub ingress: Vec<Said>,
    /// What would turn it around.
    pub change: Vec<String>,
}

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

impl Ground<'_> {
    /// Why one side reaches another, and why not: ports that have one explanation together.
    #[must_use]
    pub fn explain(&self, from: Side, to: Side, port: Option<PortSpec>) -> Vec<Part> {
        let asked = port.is_some();
        let mut spans = self.between(from, to, port);
        spans.extend(ports::only(ports::rest(&spans), port));
        spans.sort_by_key(|s| std::cmp::Reverse(s.state));
        let mut parts: Vec<Part> = Vec::new();
        for span in spans {
            let part = self.part(from, to, span, asked);
            let same = |p: &&mut Part| {
                (p.state, &p.egress, &p.ingress) == (part.state, &part.egress, &part.ingress)
            };
            match parts.iter_mut().find(same) {
                Some(known) => known.ports.push(span),
                None => parts.push(part),
            }
        }
        for part in &mut parts {
            part.ports.sort_unstable();
        }
        parts
    }

    /// Why a connection that may be is not sure.
    #[must_use]
    pub fn doubt(&self, from: Side, to: Side, spans: &[Span]) -> String {
        let Some(span) = spans.first() else { return String::new() };
        let part = self.part(from, to, *span, true);
        let said: Vec<String> =
            part.egress.into_iter().chain(part.ingress).map(|s| s.text).collect();
        let unsure: Vec<&str> =
            said.iter().map(String::as_str).filter(|s| s.contains(UNSURE)).collect();
        let unsure: BTreeSet<&str> = unsure.into_iter().collect();
        unsure.into_iter().collect::<Vec<_>>().join("; ")
    }

    fn part(&self, from: Side, to: Side, span: Span, asked: bool) -> Part {
        let port = PortSpec { protocol: span.protocol, port: span.first };
        // The pods that come to this answer; others of the same sides come to a worse one.
        let state = |(f, t): &(End, End)| {
            let found = self.of(from, to, *f, *t, Some(port));
            found.first().map_or(State::Denied, |s| s.state) == span.state
        };
        let Some((f, t)) = self.pairs(from, to).find(state) else {
            return Part {
                ports: vec![span],
                state: span.state,
                egress: Vec::new(),
                ingress: Vec::new(),
                change: Vec::new(),
            };
        };
        if self.is_own_node(f, to, t) {
            let text = "a node always reaches the pods that run on it".to_owned();
            let said = vec![Said { text, at: None }];
            let (egress, ingress) = (said, Vec::new());
            let (ports, state, change) = (vec![span], span.state, Vec::new());
            return Part { ports, state, egress, ingress, change };
        }
        let verdict = self.network.verdict(f, t, port);
        let mut egress = self.words(&verdict.egress, Direction::Egress, from, f);
        let ingress = self.words(&verdict.ingress, Direction::Ingress, to, t);
        if self.is_own_node(t, from, f) && span.state == State::Unknown {
            let text =
                format!("{UNSURE}: plugins differ in what they hold back to a pod's own node");
            egress.push(Said { text, at: None });
        }
        // What a rule would be written for: the port asked about, or one that the pods declare.
        let meant = if asked { Some(port) } else { self.declared(to, &span) };
        let mut change = Vec::new();
        let ends = [(&verdict.ingress, Direction::Ingress), (&verdict.egress, Direction::Egress)];
        let (sides, ends_of) = ([(to, from), (from, to)], [(t, f), (f, t)]);
        for (i, (judgement, direction)) in ends.into_iter().enumerate() {
            let ((own, other), (own_end, other_end)) = (sides[i], ends_of[i]);
            if span.state == State::Denied && judgement.state == State::Denied {
                change.extend(self.opens(judgement, direction, (own, other), other_end, meant));
            } else if span.state == State::Allowed {
                change.extend(self.closes(judgement, direction, own, own_end));
            }
        }
        if span.state == State::Allowed && !change.is_empty() {
            let one = if change.len() > 1 { "any one of these is enough; " } else { "" };
            change.push(format!("{one}another rule may then match: ask again"));
        }
        Part { ports: vec![span], state: span.state, egress, ingress, change }
    }

    fn words(
        &self,
        judgement: &Judgement,
        direction: Direction,
        side: Side,
        end: End,
    ) -> Vec<Said> {
        let plain = |text: String| Said { text, at: None };
        let which = match direction {
            Direction::Ingress => "destination",
            Direction::Egress => "source",
        };
        let one = |reason: &Reason| match reason {
            Reason::Free => {
                let isolated = match end {
                    End::Class(class) => !self.network.isolation(class, direction).is_empty(),
                    _ => false,
                };
                let does = if isolated { "decides about" } else { "isolates" };
                let why = super::unenforced(self.world.plugin())
                    .filter(|_| matches!(side, Side::Group(g) if self.is_meant(g, direction)));
                match why {
                    Some(why) => plain(why),
                    None => plain(format!("no policy {does} the {which}")),
                }
            }
            Reason::HostNetwork => {
                plain(format!("the {which} is on its node's network, where policies do not apply"))
            }
            Reason::OwnNode => plain("a node always reaches the pods that run on it".to_owned()),
            Reason::Itself => plain("it speaks to itself".to_owned()),
            Reason::NoPod => plain(match side {
                Side::Range(_) => format!("the {which} is outside: no policy speaks for it"),
                _ => format!("the {which} is on its node's network, where policies do not apply"),
            }),
            Reason::Rule { policy, field, action, sure, doubt } => {
                let does = match action {
                    Action::Allow => "allowed by",
                    Action::Deny => "denied by",
                    Action::Pass => "passed on by",
                };
                let field = self.world.text(*field);
                let mut text = format!("{does} {} {field}", self.policy(*policy));
                if !sure {
                    let doubt = doubt.map(|doubt| self.network.doubt(doubt));
                    let why = doubt.unwrap_or("a part of it cannot be told");
                    text = format!("{text}, {UNSURE}: {why}");
                }
                Said { text, at: Some((*policy, field.to_owned())) }
            }
            Reason::Isolated(policies) => Said {
                text: format!(
                    "isolated for {} by {}; no rule {}matches",
                    direction.name(),
                    self.policies(policies, ", "),
                    if judgement.state == State::Unknown { "surely " } else { "" },
                ),
                at: policies.first().map(|(policy, _)| (*policy, ".spec".to_owned())),
            },
            Reason::Unread(_)
            | Reason::Enforcement(_)
            | Reason::NodePolicies
            | Reason::Vague(..) => {
                plain(format!("{UNSURE}: {}", self.network.words(reason, direction)))
            }
            Reason::Beside(_) => plain(self.network.words(reason, direction)),
        };
        judgement.reasons.iter().map(one).collect()
    }

    /// The smallest rule that would let it through at one end.
    fn opens(
        &self,
        judgement: &Judgement,
        direction: Direction,
        (own, other): (Side, Side),
        other_end: End,
        port: Option<PortSpec>,
    ) -> Vec<String> {
        let mut change = Vec::new();
        for reason in &judgement.reasons {
            match reason {
                Reason::Rule { policy, field, action: Action::Deny, .. } => {
                    let (policy, field) = (self.policy(*policy), self.world.text(*field));
                    change.push(format!("remove or narrow {policy} {field}"));
                }
                Reason::Isolated(policies) => {
                    let key = match direction {
                        Direction::Ingress => "from",
                        Direction::Egress => "to",
                    };
                    let peer = self.peer(own, other, other_end);
                    let port = match port {
                        Some(PortSpec { protocol, port }) => {
                            format!("protocol: {}, port: {port}", protocol.name())
                        }
                        None => "port: PORT".to_owned(),
                    };
                    // What the plugin does by itself has no rules to add to.
                    let mut written = policies.clone();
                    written.retain(|(policy, _)| !self.is_configuration(*policy));
                    let of = match written.as_slice() {
                        [] => "a NetworkPolicy that selects it".to_owned(),
                        written => self.policies(written, " or "),
                    };
                    change.push(format!(
                        "add to .spec.{} of {of}: {{{key}: [{peer}], ports: [{{{port}}}]}}",
                        direction.name(),
                    ));
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

    /// What would stop it at one end.
    fn closes(
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

    /// A policy by name.
    #[must_use]
    pub fn policy(&self, policy: ObjectId) -> String {
        let object = &self.world.objects[policy.index()];
        let (ns, name) = (self.world.text(object.ns), self.world.text(object.name));
        let kind = self.world.text(object.kind);
        let kind = if kind == "NetworkPolicy" { String::new() } else { format!("{kind} ") };
        if ns.is_empty() { format!("{kind}{name}") } else { format!("{kind}{ns}/{name}") }
    }

    fn policies(&self, policies: &[(ObjectId, Family)], and: &str) -> String {
        const FEW: usize = 3;
        let mut names: Vec<String> =
            policies.iter().take(FEW).map(|(policy, _)| self.policy(*policy)).collect();
        if policies.len() > FEW {
            names.push(format!("{} more", policies.len() - FEW));
        }
        names.join(and)
    }

    /// The first port that pods of a side declare among some.
    fn declared(&self, side: Side, span: &Span) -> Option<PortSpec> {
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

/// What every sentence says that is in doubt.
const UNSURE: &str = "not sure";
