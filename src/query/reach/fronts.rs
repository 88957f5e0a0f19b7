//! Whose packets arrive behind a door, and what policies make of them.
//!
//! What decides is whose address the pod sees: the client's, or that of a node that put its own in
//! its place, or that of the pods which pass requests on. Where policies treat these differently
//! and nothing shows which it is, the verdict is open.

use super::Ground;
use super::doors::LEFT_OPEN;
use crate::world::exposure::Via;
use crate::world::hosts::Host;
use crate::world::network::{ClassIx, End, PortSpec, State};
use crate::world::{NodeIx, ServiceIx, UNKNOWN_NODE};
use ipnet::{IpNet, Ipv4Net};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Whose packets arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Source {
    /// A client's; or a node's in its place, unless it is known that none steps between. By IPv6,
    /// or by IPv4, alone, if that is known.
    Client(bool, Option<bool>),
    /// The same of clients in networks around the cluster.
    Neighbour(bool),
    /// Somebody's whom the snapshot does not show.
    Hidden,
    /// A cloud's balancer's.
    Balancers,
    /// Those of the pods behind a Service.
    Proxies(ServiceIx),
    /// Those of the pods that run as one does.
    Pods(Host),
}

/// What becomes of them.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) state: State,
    pub(super) reason: Option<String>,
    /// Who gets furthest.
    pub(super) from: End,
}

/// The pods behind a Service that pass requests on: each class of them that clients reach, or may.
#[derive(Debug, Default)]
struct Proxies {
    ends: Vec<(End, State)>,
    /// The machines whose network some of them use.
    nodes: BTreeSet<NodeIx>,
    /// Some run, whether or not clients reach them.
    any: bool,
}

/// What was asked, once each.
#[derive(Default)]
pub(super) struct Asked {
    known: FxHashMap<(ClassIx, PortSpec, Source), Rc<Answer>>,
    proxies: FxHashMap<Source, Rc<Proxies>>,
}

/// What two sources come to when nothing shows which of them it is.
const EITHER: &str = "whether the pod sees the client's address or its node's is not known, and \
                      policies treat them differently";

impl Ground<'_> {
    pub(super) fn source(&self, via: Via, service: Option<ServiceIx>) -> Source {
        let hidden = || service.is_none_or(|ix| self.may_hide_client(ix));
        match via {
            Via::Client => {
                let v6 = service.and_then(|ix| self.world.services[ix.index()].v6);
                Source::Client(hidden(), v6)
            }
            Via::Neighbour => Source::Neighbour(hidden()),
            Via::Hidden => Source::Hidden,
            Via::Balancers => Source::Balancers,
            Via::Proxies(service) => Source::Proxies(service),
            Via::Pods(host) => Source::Pods(host),
        }
    }

    /// Whether a node, or a balancer near it, may put its own address before a client's. One that
    /// is known by a name is often a proxy.
    fn may_hide_client(&self, ix: ServiceIx) -> bool {
        let service = &self.world.services[ix.index()];
        !service.keeps_client || service.balancer.iter().any(|(_, name)| !name.is_empty())
    }

    pub(super) fn judge(
        &self,
        asked: &mut Asked,
        source: Source,
        host: Host,
        port: PortSpec,
    ) -> Answer {
        let denied = Answer { state: State::Denied, reason: None, from: End::Anyone };
        let Some(class) = self.network.class_of(host) else { return denied };
        let key = (class, port, source);
        let known = match asked.known.get(&key) {
            Some(known) => Rc::clone(known),
            None => {
                let answer = Rc::new(self.answer(asked, source, class, port));
                asked.known.insert(key, Rc::clone(&answer));
                answer
            }
        };
        let mut answer = Answer::clone(&known);
        let proxied = matches!(source, Source::Proxies(_) | Source::Pods(_));
        if proxied && answer.state != State::Allowed {
            // A machine gets through to its own pods, and so does a proxy on its network.
            let nodes = &self.proxies(asked, source).nodes;
            let (near, state) = match host {
                Host::Pod(_) => {
                    let node = self.world.host_node(host).filter(|n| nodes.contains(n));
                    // Two pods without a node need not be on one.
                    let unknown = |n| self.world.text(self.node_name(n)) == UNKNOWN_NODE;
                    let state =
                        if node.is_some_and(unknown) { State::Unknown } else { State::Allowed };
                    (node.is_some(), state)
                }
                Host::Template(_) => (!nodes.is_empty(), State::Unknown),
            };
            if near && state > answer.state {
                let text = "a proxy on the network of the pod's own node gets through whatever \
                            policies say";
                answer = Answer { state, reason: Some(text.to_owned()), ..answer };
            }
        }
        answer
    }

    fn answer(&self, asked: &mut Asked, source: Source, class: ClassIx, port: PortSpec) -> Answer {
        let to = End::Class(class);
        let ask =
            |from: End| Answer { state: self.network.state(from, to, port), reason: None, from };
        let open = |answer: Answer| {
            let reason = (answer.state == State::Unknown).then(|| LEFT_OPEN.to_owned());
            Answer { reason: answer.reason.clone().or(reason), ..answer }
        };
        match source {
            Source::Client(hidden, v6) => {
                let verdict = self.network.by(v6).verdict(End::Internet, to, port);
                let mut client = Answer { state: verdict.state, reason: None, from: End::Internet };
                // Where nothing is sure, that is the reason.
                if !verdict.only.is_empty() && client.state == State::Allowed {
                    client.reason = Some(from_only(&verdict.only));
                }
                let node = if hidden { ask(End::Nodes) } else { client.clone() };
                match node.state == client.state {
                    true => open(client),
                    false => either(client.from, EITHER),
                }
            }
            Source::Neighbour(hidden) => {
                let around = around().map(ask).max_by_key(|answer| answer.state);
                let client = around.unwrap_or_else(|| ask(End::Nodes));
                let node = if hidden { ask(End::Nodes) } else { client.clone() };
                match node.state == client.state {
                    true => open(client),
                    false => either(client.from, EITHER),
                }
            }
            Source::Balancers => {
                let balancer = ask(End::Net(IpNet::from(Ipv4Net::default())));
                let node = ask(End::Nodes);
                match node.state == balancer.state {
                    true => open(balancer),
                    false => either(
                        balancer.from,
                        "whether the pod sees a balancer's address or its node's is not known, and policies treat them differently",
                    ),
                }
            }
            Source::Proxies(_) | Source::Pods(_) => {
                let proxies = self.proxies(asked, source);
                if !proxies.any {
                    return self.answer(asked, Source::Hidden, class, port);
                }
                let mut best = Answer { state: State::Denied, reason: None, from: End::Internet };
                for (from, front) in &proxies.ends {
                    let mut answer = open(ask(*from));
                    if *front == State::Unknown && answer.state == State::Allowed {
                        let text =
                            "whether clients reach the pods that pass requests on is not known";
                        answer.state = State::Unknown;
                        answer.reason = Some(text.to_owned());
                    }
                    if answer.state > best.state || best.from == End::Internet {
                        best = answer;
                    }
                }
                if proxies.ends.is_empty() {
                    let text = "policies close the pods that would pass requests on";
                    best.reason = Some(text.to_owned());
                }
                best
            }
            Source::Hidden => {
                let answer = ask(End::Anyone);
                let text = "a policy isolates the pods, and which pods serve the door is not shown";
                let reason = (answer.state == State::Unknown).then(|| text.to_owned());
                Answer { reason, ..answer }
            }
        }
    }

    /// The pods that pass requests on and that clients reach, by class.
    fn proxies(&self, asked: &mut Asked, source: Source) -> Rc<Proxies> {
        if let Some(known) = asked.proxies.get(&source) {
            return Rc::clone(known);
        }
        // What leads to a Service of the cluster's own addresses, or to pods without a port of
        // their machine, is not judged here.
        let mut fronts: Vec<(Host, Option<(PortSpec, Source)>)> = Vec::new();
        match source {
            Source::Proxies(ix) => {
                let service = &self.world.services[ix.index()];
                let outside = self.world.text(service.kind) != "ClusterIP"
                    || !service.external_ips.is_empty();
                let client = Source::Client(self.may_hide_client(ix), service.v6);
                for port in 0..service.ports.len() {
                    let listening = self.listening(ix, port).into_iter();
                    fronts.extend(
                        listening.map(|(host, spec)| (host, outside.then_some((spec, client)))),
                    );
                }
            }
            Source::Pods(first) => {
                for host in self.world.alike(first) {
                    let before = fronts.len();
                    let containers = self.world.host_spec(host).containers.iter();
                    let ports = containers
                        .filter(|c| self.world.keeps_running(host, c))
                        .flat_map(|c| &c.ports);
                    fronts.extend(ports.filter(|p| p.host_port != 0).map(|p| {
                        let own = PortSpec { protocol: p.protocol, port: p.number };
                        (host, Some((own, Source::Client(true, None))))
                    }));
                    if fronts.len() == before {
                        fronts.push((host, None));
                    }
                }
            }
            _ => {}
        }
        let mut proxies = Proxies::default();
        let mut found: BTreeMap<Option<ClassIx>, (End, State)> = BTreeMap::new();
        for (host, judged) in fronts {
            let Some(class) = self.network.class_of(host) else { continue };
            proxies.any = true;
            let machine = self.world.host_spec(host).host_network;
            let front = match judged.filter(|_| !machine) {
                Some((spec, client)) => self.judge(asked, client, host, spec).state,
                None => State::Allowed,
            };
            if front == State::Denied {
                continue;
            }
            if let (true, Host::Pod(_)) = (machine, host) {
                proxies.nodes.extend(self.world.host_node(host));
            }
            // Each machine is a class of its own; any of them will do.
            let (key, end) = match machine {
                true => (None, End::Nodes),
                false => (Some(class), End::Class(class)),
            };
            let known = found.entry(key).or_insert((end, front));
            known.1 = known.1.max(front);
        }
        proxies.ends.extend(found.into_values());
        let proxies = Rc::new(proxies);
        asked.proxies.insert(source, Rc::clone(&proxies));
        proxies
    }
}

/// The networks that clusters stand in.
fn around() -> impl Iterator<Item = End> {
    let blocks = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
    blocks.into_iter().filter_map(|block| block.parse().ok()).map(End::Net)
}

/// What nothing decides between.
fn either(from: End, why: &str) -> Answer {
    Answer { state: State::Unknown, reason: Some(why.to_owned()), from }
}

fn from_only(nets: &[IpNet]) -> String {
    const FEW: usize = 5;
    let mut names: Vec<String> = nets.iter().take(FEW).map(ToString::to_string).collect();
    if nets.len() > FEW {
        names.push(format!("{} blocks more", nets.len() - FEW));
    }
    format!("from {} only", names.join(", "))
}
