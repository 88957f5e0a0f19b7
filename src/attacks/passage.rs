//! What network policies leave of a step that needs a connection: all of it, some, or nothing.
//!
//! The network's engine answers for classes of pods, so that each class is asked once a target.

use super::gate::of_every_cluster;
use crate::graph::{Confidence, Fact, Odds, Sink};
use crate::sym::Sym;
use crate::world::grants::Scope;
use crate::world::hosts::Host;
use crate::world::network::{
    Action, ClassIx, Direction, End, Judgement, Peer, PortSpec, Ports, Protocol, Reason, Rule,
    State, Truth, Verdict,
};
use crate::world::{ObjectId, Policy, World};
use ipnet::IpNet;
use rustc_hash::FxHashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// As many policies are named as one wants to read.
const NAMED: usize = 4;

/// What is left of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Passage {
    factor: f64,
    confidence: Confidence,
    /// The policies that decided it.
    pub(super) facts: Vec<Fact>,
}

impl Passage {
    pub(super) const fn open(facts: Vec<Fact>) -> Self {
        Self { factor: 1.0, confidence: Confidence::Certain, facts }
    }

    pub(super) const fn unknown(facts: Vec<Fact>) -> Self {
        Self { factor: 0.5, confidence: Confidence::Unknown, facts }
    }

    /// The odds of a step that goes this way.
    pub(super) fn odds(&self, odds: Odds) -> Odds {
        odds.but(self.factor, self.confidence)
    }

    pub(super) fn is_open(&self) -> bool {
        self.confidence == Confidence::Certain
    }
}

/// The way from one end to any of some ports of the other; `None` if policies deny them all.
pub(super) fn passage(
    world: &World,
    sink: &mut Sink<'_>,
    from: End,
    to: End,
    ports: &[u16],
) -> Option<Passage> {
    let network = world.network();
    let mut best: Option<Verdict> = None;
    for port in ports {
        let verdict = network.verdict(from, to, PortSpec::tcp(*port));
        if best.as_ref().is_none_or(|known| verdict.state > known.state) {
            best = Some(verdict);
        }
    }
    let Verdict { state, egress, ingress, .. } = best?;
    if state == State::Denied {
        return None;
    }
    let mut facts = said(world, sink, Direction::Egress, &egress);
    facts.extend(said(world, sink, Direction::Ingress, &ingress));
    facts.truncate(NAMED);
    Some(if state == State::Allowed { Passage::open(facts) } else { Passage::unknown(facts) })
}

/// The facts of one end's judgement. Of one that allows, the rule that does.
fn said(
    world: &World,
    sink: &mut Sink<'_>,
    direction: Direction,
    judgement: &Judgement,
) -> Vec<Fact> {
    let network = world.network();
    let allowed = judgement.state == State::Allowed;
    let mut facts: Vec<Fact> = Vec::new();
    for reason in &judgement.reasons {
        let allows = matches!(reason, Reason::Rule { action: Action::Allow, .. });
        if allowed && !allows {
            continue;
        }
        for (object, field, text) in network.facts(reason) {
            facts.push(sink.fact(object, field, text));
        }
        if reason.is_unsure() {
            let open = network.words(reason, direction);
            let by = reason.open().or_else(|| facts.last().map(|fact| fact.object));
            facts.push(match by {
                Some(policy) => sink.fact(policy, "", &open),
                None => of_every_cluster(world, sink, &open),
            });
        }
    }
    facts
}

/// Ways from classes of pods to one target, each asked once.
#[derive(Debug, Default)]
pub(super) struct Asked(FxHashMap<ClassIx, Option<Passage>>);

impl Asked {
    /// What `ask` says of the class of a host.
    pub(super) fn of(
        &mut self,
        world: &World,
        host: Host,
        ask: impl FnOnce(End) -> Option<Passage>,
    ) -> Option<&Passage> {
        let class = world.network().class_of(host)?;
        self.0.entry(class).or_insert_with(|| ask(End::Class(class))).as_ref()
    }
}

/// The address at which the clouds' machines ask for their metadata.
fn metadata() -> IpNet {
    IpNet::from(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)))
}

/// The way to the metadata service of a machine. AWS has a second address, of IPv6, which a machine
/// has to be told to answer at.
pub(super) fn to_metadata(
    world: &World,
    sink: &mut Sink<'_>,
    from: End,
    aws: bool,
) -> Option<Passage> {
    let way = passage(world, sink, from, End::Net(metadata()), &[80]);
    let dual = aws && world.network.pod_blocks.iter().any(|net| matches!(net, IpNet::V6(_)));
    if way.is_some() || !dual {
        return way;
    }
    let second = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254));
    let mut way = passage(world, sink, from, End::Net(IpNet::from(second)), &[80])?;
    way.factor *= 0.1;
    way.confidence = way.confidence.max(Confidence::Possible);
    let text =
        "policies close 169.254.169.254 and leave fd00:ec2::254, which few machines answer at";
    way.facts.push(of_every_cluster(world, sink, text));
    Some(way)
}

/// The way to GKE's metadata server, which gives a pod its own identity. Which address and port
/// policies see differs by the data plane and its version: where they tell these apart, the way is
/// unknown.
pub(super) fn to_gke_server(world: &World, sink: &mut Sink<'_>, from: End) -> Option<Passage> {
    let server = IpNet::from(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 252)));
    let seen = [(metadata(), 80), (server, 988)];
    let ways = seen.map(|(to, port)| passage(world, sink, from, End::Net(to), &[port]));
    let mut found: Vec<Passage> = ways.into_iter().flatten().collect();
    let all = found.len() == seen.len() && found.iter().all(Passage::is_open);
    let mut way = found.drain(..).next()?;
    if !all {
        if way.is_open() {
            let text = "which address policies see depends on the data plane of GKE";
            way.facts.push(of_every_cluster(world, sink, text));
        }
        way = Passage::unknown(way.facts);
    }
    Some(way)
}

/// The way to the agent of EKS Pod Identity on the pod's node.
pub(super) fn to_pod_identity(world: &World, sink: &mut Sink<'_>, from: End) -> Option<Passage> {
    let v4 = IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23));
    let v6 = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23));
    let way = passage(world, sink, from, End::Net(IpNet::from(v4)), &[80]);
    // The agent answers at the address of the cluster's family.
    let dual = world.network.pod_blocks.iter().any(|net| matches!(net, IpNet::V6(_)));
    match way {
        None if dual => passage(world, sink, from, End::Net(IpNet::from(v6)), &[80]),
        way => way,
    }
}

/// The way of a pod that somebody makes in a namespace, and whose labels he chooses: those of a pod
/// that is there, or any others.
pub(super) fn of_new_pod(
    world: &World,
    sink: &mut Sink<'_>,
    ns: Sym,
    ask: &mut dyn FnMut(&mut Sink<'_>, End) -> Option<Passage>,
) -> Option<Passage> {
    let classes = world.network().classes();
    let pods = &classes[..classes.partition_point(|class| class.node.is_none())];
    let start = pods.partition_point(|class| class.ns < ns);
    let mut best: Option<Passage> = None;
    for (i, _) in pods.iter().enumerate().skip(start).take_while(|(_, class)| class.ns == ns) {
        let way = ask(sink, End::Class(ClassIx::new(i)));
        if way.as_ref().is_some_and(Passage::is_open) {
            return way;
        }
        best = best.or(way);
    }
    best
}

/// The policies of a namespace that isolate the egress of every pod, where that may be enforced.
fn isolating_all(world: &World, ns: Sym) -> Vec<ObjectId> {
    if world.network().switches().kubernetes == Truth::No {
        return Vec::new();
    }
    let every = egress_of(world, ns).filter(|p| p.selector.0.is_empty());
    every.map(|policy| policy.object).collect()
}

fn egress_of(world: &World, ns: Sym) -> impl Iterator<Item = &Policy> {
    let start = world.policies.partition_point(|p| p.ns < ns);
    world.policies[start..].iter().take_while(move |p| p.ns == ns).filter(|p| p.egress)
}

/// The way to a pod's port of a pod that somebody makes. `isolated`: the policies that isolate the
/// pod that is connected to. Where pods that are there do not get through, another label may.
pub(super) fn new_pod_to(
    world: &World,
    sink: &mut Sink<'_>,
    scope: Scope,
    isolated: &[ObjectId],
    ask: &mut dyn FnMut(&mut Sink<'_>, End) -> Option<Passage>,
) -> Passage {
    let mut by = isolated.to_vec();
    let mut known = None;
    if let Scope::Namespace(ns) = scope {
        known = of_new_pod(world, sink, ns, ask);
        by.extend(isolating_all(world, ns));
    }
    if by.is_empty() {
        return Passage::open(Vec::new());
    }
    let text = "may close the way to a new pod, by its labels";
    known.unwrap_or_else(|| {
        let facts = by.iter().take(NAMED).map(|policy| sink.fact(*policy, ".spec", text));
        Passage::unknown(facts.collect())
    })
}

/// The way to the metadata service of a pod that somebody makes in a namespace. A policy that
/// isolates every pod closes it, unless a policy opens it to pods with some labels.
pub(super) fn new_pod_to_metadata(
    world: &World,
    sink: &mut Sink<'_>,
    ns: Sym,
    aws: bool,
) -> Option<Passage> {
    let mut ask = |sink: &mut Sink<'_>, from| to_metadata(world, sink, from, aws);
    let known = of_new_pod(world, sink, ns, &mut ask);
    let every = isolating_all(world, ns);
    let others = !world.network.others.is_empty();
    if every.is_empty() && !others {
        // Labels that no policy selects.
        return Some(Passage::open(Vec::new()));
    }
    if known.is_some() {
        return known;
    }
    let opens = egress_of(world, ns).flat_map(|p| &p.rules).any(may_lead_to_metadata);
    let enforced = world.network().switches().kubernetes;
    if !every.is_empty() && enforced == Truth::Yes && !opens && !others {
        return None;
    }
    let text = "isolates egress of every pod";
    let mut facts: Vec<Fact> =
        every.iter().take(NAMED).map(|p| sink.fact(*p, ".spec.podSelector", text)).collect();
    if facts.is_empty() {
        let text = "policies of other kinds may isolate a new pod, by its labels";
        facts.push(of_every_cluster(world, sink, text));
    }
    Some(Passage::unknown(facts))
}

/// Whether a rule may lead to the metadata service, whichever pods it is for.
fn may_lead_to_metadata(rule: &Rule) -> bool {
    let address = metadata();
    let port = |ports: &Ports| match ports {
        Ports::Numbers(of, first, last) => {
            of.is_none_or(|of| of == Protocol::Tcp) && (*first..=*last).contains(&80)
        }
        Ports::Named(..) => false,
    };
    let peer = |peer: &Peer| match peer {
        Peer::Any | Peer::Unknown(..) | Peer::Entity(_) => true,
        Peer::Block(block) => {
            let v6 = matches!(block.net, IpNet::V6(_));
            v6 || block.net.contains(&address) && !block.except.iter().any(|e| e.contains(&address))
        }
        Peer::Pods(_) | Peer::Nodes(_) => false,
    };
    rule.direction == Direction::Egress
        && rule.ports.as_ref().is_none_or(|ports| ports.iter().any(port))
        && rule.peers.iter().any(peer)
}
