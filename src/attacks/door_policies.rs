//! What network policies make of doors: whether what arrives at a Service's port, or at a node's,
//! gets through to a pod.
//!
//! Policies see the address that a packet bears when it comes to the pod: the client's, that of the
//! node where a balancer put it down, or a proxy's. Pods of one class are judged once for a port and
//! a source, so that the cost is that of the endpoints and not of pods times policies.

use super::outcome::Outcome;
use crate::graph::Confidence;
use crate::world::balancer::{is_public, reaches_public};
use crate::world::endpoints::Endpoint;
use crate::world::exposure::{Scope, Via};
use crate::world::hosts::Host;
use crate::world::network::{ClassIx, Direction, End, Network, PortSpec, State, Verdict};
use crate::world::rows::Target;
use crate::world::{NodeIx, Service, ServiceIx, World};
use ipnet::{IpNet, Ipv4Net};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::rc::Rc;

/// The networks that clusters stand in.
const PRIVATE: &[&str] =
    &["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// What a policy that tells clients and nodes apart leaves open.
const SNAT: &str = "whether the pod sees the client's address or its node's is not known, and policies treat them differently";

/// What a client speaks to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Front {
    /// The Service whose source ranges he comes through, if it has any.
    ranges: Option<ServiceIx>,
    /// Its addresses are all of IPv6, or none is; if either is known.
    v6: Option<bool>,
}

/// Whose packets are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    /// A client's; a node's too, unless it is known that none steps between.
    Client(bool, Front),
    /// The same of clients in networks around the cluster.
    Neighbour(bool, Front),
    Via(Via),
}

/// The proxies behind a Service, as policies know them.
#[derive(Debug, Default)]
struct Proxies {
    /// Each class with its state towards the clients, and the likelihood that is left.
    ends: Vec<(End, State, f64)>,
    /// Where some use the network of their machine.
    nodes: BTreeSet<NodeIx>,
    /// Some run, whether or not clients reach them.
    any: bool,
}

/// What was asked, once each.
pub(super) struct Doors<'w> {
    world: &'w World,
    network: Network<'w>,
    known: FxHashMap<(ClassIx, PortSpec, Source), Rc<Outcome>>,
    proxies: FxHashMap<Via, Rc<Proxies>>,
    open: Rc<Outcome>,
    /// Some node has a public address.
    public_nodes: bool,
}

impl<'w> Doors<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        let mut addresses = world.nodes.iter().flat_map(|node| node.addresses.iter());
        Self {
            public_nodes: addresses.any(|(_, a)| is_public(world.text(*a)) == Some(true)),
            world,
            network: world.network(),
            known: FxHashMap::default(),
            proxies: FxHashMap::default(),
            open: Rc::new(Outcome::of(State::Allowed)),
        }
    }

    /// What becomes of packets to an endpoint of a Service's port.
    pub(super) fn endpoint(
        &mut self,
        service: ServiceIx,
        via: Via,
        listener: &Endpoint,
    ) -> Rc<Outcome> {
        let spec = self.port(listener);
        let source = self.source(service, via);
        let outcome = self.judged(listener.host, spec, source);
        if outcome.state == State::Allowed || !matches!(via, Via::Proxies(_) | Via::Pods(_)) {
            return outcome;
        }
        // A node gets through to its own pods whatever policies say, and so does a proxy that is
        // on its network.
        let nodes = &self.proxies(via).nodes;
        let state = match listener.host {
            Host::Pod(pod) if nodes.contains(&self.world.pods[pod.index()].node) => State::Allowed,
            Host::Template(_) if !nodes.is_empty() => State::Unknown,
            _ => return outcome,
        };
        let mut local = Outcome::of(state);
        local.doubt(
            "a proxy on the network of the pod's own node gets through whatever policies say",
        );
        Rc::new(local)
    }

    /// What becomes of packets to a pod's port on its node's address. As a rule they keep the
    /// client's address; some plugins put the node's in its place.
    pub(super) fn host_port(&mut self, host: Host, port: PortSpec, scope: Scope) -> Rc<Outcome> {
        let source = match scope {
            Scope::Internet => Source::Client(true, Front::default()),
            Scope::Private => Source::Neighbour(true, Front::default()),
        };
        self.judged(host, port, source)
    }

    fn source(&self, ix: ServiceIx, via: Via) -> Source {
        let service = &self.world.services[ix.index()];
        let front = |ranges| Front { ranges, v6: service.v6 };
        match via {
            Via::Client => {}
            Via::Neighbour => return Source::Neighbour(!service.keeps_client, front(Some(ix))),
            _ => return Source::Via(via),
        }
        // It speaks to the pods itself, with the client's address or with its own. The node ports
        // beside it go over the nodes as ever.
        let beside = self.public_nodes
            && service.node_ports
            && service.ports.iter().any(|p| p.node_port != 0);
        if let (Some(keeps), false, "LoadBalancer") =
            (service.targets_pods, beside, self.world.text(service.kind))
        {
            let ranges = !ranges(self.world, service).is_empty();
            return match keeps {
                true => Source::Client(false, front(ranges.then_some(ix))),
                false => Source::Via(Via::Balancers),
            };
        }
        // A balancer that is known by a name is often a proxy, with an address near the nodes'.
        let named = service.balancer.iter().any(|(_, host)| !host.is_empty());
        // A node port lies beside the balancer, open to whoever reaches the node.
        let ranges = !beside && !ranges(self.world, service).is_empty();
        Source::Client(!service.keeps_client || named, front(ranges.then_some(ix)))
    }

    /// The pod's port behind a Service's.
    fn port(&self, listener: &Endpoint) -> PortSpec {
        let number = match listener.port.target {
            Target::Number(number) => number,
            Target::Name(_) => {
                listener.numbers(self.world).first().copied().unwrap_or(listener.port.port)
            }
        };
        PortSpec { protocol: listener.port.protocol, port: number }
    }

    fn judged(&mut self, host: Host, port: PortSpec, source: Source) -> Rc<Outcome> {
        // Policies do not apply to pods on the machine's network, and are not asked for what does
        // not run.
        let class = match self.network.class_of(host) {
            Some(class) if !self.world.host_spec(host).host_network => class,
            _ => return Rc::clone(&self.open),
        };
        let key = (class, port, source);
        if let Some(known) = self.known.get(&key) {
            return Rc::clone(known);
        }
        let outcome = match source {
            Source::Client(snat, front) => self.client(class, port, snat, front),
            Source::Neighbour(snat, front) => self.neighbour(class, port, snat, front),
            Source::Via(via @ (Via::Proxies(_) | Via::Pods(_))) => self.proxied(class, port, via),
            Source::Via(Via::Balancers) => self.balanced(class, port),
            Source::Via(_) => self.hidden(class, port),
        };
        let outcome = Rc::new(outcome);
        self.known.insert(key, Rc::clone(&outcome));
        outcome
    }

    fn ask(&self, from: End, class: ClassIx, port: PortSpec) -> (Verdict, Outcome) {
        self.asked(self.network, from, class, port)
    }

    fn asked(
        &self,
        network: Network<'w>,
        from: End,
        class: ClassIx,
        port: PortSpec,
    ) -> (Verdict, Outcome) {
        let verdict = network.verdict(from, End::Class(class), port);
        let mut outcome = Outcome::of(verdict.state);
        outcome.say(self.network, Direction::Egress, &verdict.egress);
        outcome.say(self.network, Direction::Ingress, &verdict.ingress);
        if verdict.state == State::Allowed {
            outcome.doubts.clear();
        }
        (verdict, outcome)
    }

    /// Packets of clients, through the source ranges of a Service.
    fn client(&self, class: ClassIx, port: PortSpec, snat: bool, front: Front) -> Outcome {
        let network = self.network.by(front.v6);
        let (verdict, mut outcome) = self.asked(network, End::Internet, class, port);
        if let Some(service) = front.ranges.map(|s| &self.world.services[s.index()]) {
            // What both let through.
            let ranges = ranges(self.world, service);
            let both: Vec<IpNet> = match verdict.only.as_slice() {
                [] => ranges,
                only => {
                    ranges.iter().flat_map(|r| only.iter().filter_map(|o| both(r, o))).collect()
                }
            };
            let asked = both.into_iter().map(|net| self.ask(End::Net(net), class, port).1);
            outcome = asked.max_by_key(|o| o.state).unwrap_or_else(|| Outcome::of(State::Denied));
        } else if !verdict.only.is_empty() && outcome.state != State::Denied {
            let wide = is_wide(&verdict.only);
            if wide && outcome.state == State::Allowed {
                outcome.doubt("from some addresses surely, from others perhaps");
            } else if !wide {
                let only = verdict.only.iter().take(5).map(ToString::to_string);
                outcome.doubt(&format!("from {} only", only.collect::<Vec<_>>().join(", ")));
            }
            if !wide || outcome.state == State::Allowed {
                // A few addresses of the internet, as source ranges of a balancer are.
                outcome.factor *= 0.2;
                outcome.confidence = outcome.confidence.max(Confidence::Possible);
            }
        }
        if !snat {
            return outcome;
        }
        self.or_node(outcome, (class, port), SNAT)
    }

    /// Packets of clients in networks around the cluster: whatever is let in from addresses that the
    /// internet does not route, and that a Service's source ranges hold.
    fn neighbour(&self, class: ClassIx, port: PortSpec, snat: bool, front: Front) -> Outcome {
        let service = front.ranges.map(|service| &self.world.services[service.index()]);
        let own = service.map_or_else(Vec::new, |service| nets(self.world, service));
        let v6 = |net: &IpNet| matches!(net, IpNet::V6(_));
        let around = PRIVATE.iter().filter_map(|block| block.parse::<IpNet>().ok());
        let around = around.filter(|net| front.v6.is_none_or(|of| of == v6(net)));
        let around: Vec<IpNet> = match own.as_slice() {
            [] => around.collect(),
            own => around.flat_map(|a| own.iter().filter_map(move |o| both(&a, o))).collect(),
        };
        let asked = around.into_iter().map(|net| self.ask(End::Net(net), class, port).1);
        let outcome = asked.max_by_key(|o| o.state).unwrap_or_else(|| Outcome::of(State::Denied));
        if !snat {
            return outcome;
        }
        self.or_node(outcome, (class, port), SNAT)
    }

    /// Packets that a node may put its own address before.
    fn or_node(&self, outcome: Outcome, (class, port): (ClassIx, PortSpec), said: &str) -> Outcome {
        let (_, node) = self.ask(End::Nodes, class, port);
        if node.state == outcome.state {
            return outcome;
        }
        let mut both = Outcome::of(State::Unknown);
        both.facts.clone_from(&outcome.facts);
        both.facts.extend(node.facts.into_iter().filter(|f| !outcome.facts.contains(f)));
        both.doubt(said);
        both.doubts.extend(outcome.doubts);
        for doubt in node.doubts {
            if !both.doubts.contains(&doubt) {
                both.doubts.push(doubt);
            }
        }
        both
    }

    /// Requests that balancers of a cloud pass on: from some address outside the cluster, or by way
    /// of a node port.
    fn balanced(&self, class: ClassIx, port: PortSpec) -> Outcome {
        let anywhere = IpNet::from(Ipv4Net::default());
        let (_, outcome) = self.ask(End::Net(anywhere), class, port);
        let said = "whether the pod sees a balancer's address or its node's is not known, and policies treat them differently";
        let mut outcome = self.or_node(outcome, (class, port), said);
        if outcome.state == State::Unknown {
            outcome.doubt("which addresses the balancers have is not in the snapshot");
        }
        outcome
    }

    /// Requests that pods pass on.
    fn proxied(&mut self, class: ClassIx, port: PortSpec, via: Via) -> Outcome {
        let proxies = self.proxies(via);
        if !proxies.any {
            return self.hidden(class, port);
        }
        let mut best = Outcome::of(State::Denied);
        for (end, front, factor) in &proxies.ends {
            let mut outcome = self.ask(*end, class, port).1;
            if *front == State::Unknown && outcome.state == State::Allowed {
                let facts = std::mem::take(&mut outcome.facts);
                outcome = Outcome { facts, ..Outcome::of(State::Unknown) };
            }
            if *front == State::Unknown {
                outcome.doubt("whether clients reach the pods that pass requests on is not known");
            }
            outcome.factor *= factor;
            if (outcome.state, outcome.factor) > (best.state, best.factor) {
                best = outcome;
            }
        }
        best
    }

    /// Packets of something that the snapshot does not show.
    fn hidden(&self, class: ClassIx, port: PortSpec) -> Outcome {
        let (_, mut outcome) = self.ask(End::Anyone, class, port);
        if outcome.state == State::Unknown {
            outcome.doubt("what passes the requests on is not in the snapshot");
        }
        outcome
    }

    /// The pods that pass requests on and that clients reach, by class.
    fn proxies(&mut self, via: Via) -> Rc<Proxies> {
        if let Some(known) = self.proxies.get(&via) {
            return Rc::clone(known);
        }
        let fronts = match via {
            Via::Proxies(service) => self.behind_service(service),
            Via::Pods(host) => self.behind_machines(host),
            _ => Vec::new(),
        };
        let mut found: FxHashMap<Option<ClassIx>, (End, State, f64)> = FxHashMap::default();
        let mut order = Vec::new();
        let mut proxies = Proxies { any: !fronts.is_empty(), ..Proxies::default() };
        for (host, front) in fronts {
            let on_machine = self.world.host_spec(host).host_network;
            let Some(class) = self.network.class_of(host) else { continue };
            if let (true, Host::Pod(pod)) = (on_machine, host) {
                proxies.nodes.insert(self.world.pods[pod.index()].node);
            }
            // Each node is a class of its own; any of them will do.
            let (key, end) = match on_machine {
                true => (None, End::Nodes),
                false => (Some(class), End::Class(class)),
            };
            if front.state == State::Denied {
                continue;
            }
            let factor = if front.state == State::Allowed { front.factor } else { 1.0 };
            let new = (end, front.state, factor);
            let known = found.entry(key).or_insert_with(|| {
                order.push(key);
                new
            });
            if (new.1, new.2) > (known.1, known.2) {
                *known = new;
            }
        }
        proxies.ends.extend(order.iter().filter_map(|key| found.get(key)).copied());
        let proxies = Rc::new(proxies);
        self.proxies.insert(via, Rc::clone(&proxies));
        proxies
    }

    /// The pods behind a Service, with what becomes of clients' packets to them.
    fn behind_service(&mut self, ix: ServiceIx) -> Vec<(Host, Rc<Outcome>)> {
        let service = &self.world.services[ix.index()];
        // What leads to a Service of the cluster's own addresses is not judged here.
        let outside =
            self.world.text(service.kind) != "ClusterIP" || !service.external_ips.is_empty();
        let source = self.source(ix, Via::Client);
        let mut fronts = Vec::new();
        for port in 0..service.ports.len() {
            for listener in self.world.endpoints(ix, port) {
                let spec = self.port(&listener);
                let front = match outside {
                    true => self.judged(listener.host, spec, source),
                    false => Rc::clone(&self.open),
                };
                fronts.push((listener.host, front));
            }
        }
        fronts
    }

    /// The pods that run as one does, with what becomes of clients' packets to their machines'
    /// ports. What leads to pods without one is not judged here.
    fn behind_machines(&mut self, host: Host) -> Vec<(Host, Rc<Outcome>)> {
        let mut fronts = Vec::new();
        for host in self.world.alike(host) {
            let before = fronts.len();
            let containers = self.world.host_spec(host).containers.iter();
            for port in containers
                .filter(|c| self.world.keeps_running(host, c))
                .flat_map(|c| c.ports.iter())
            {
                if port.host_port != 0 {
                    let own = PortSpec { protocol: port.protocol, port: port.number };
                    fronts.push((host, self.host_port(host, own, Scope::Internet)));
                }
            }
            if fronts.len() == before {
                fronts.push((host, Rc::clone(&self.open)));
            }
        }
        fronts
    }
}

/// The public blocks that a Service's balancer lets in, if not everything.
fn ranges(world: &World, service: &Service) -> Vec<IpNet> {
    let public = |net: &IpNet| reaches_public(&net.to_string()) == Some(true);
    nets(world, service).into_iter().filter(public).collect()
}

/// The blocks that a Service's balancer lets in, if not everything.
fn nets(world: &World, service: &Service) -> Vec<IpNet> {
    if world.text(service.kind) != "LoadBalancer" {
        return Vec::new();
    }
    let nets = service.source_ranges.iter().filter_map(|r| world.text(*r).parse::<IpNet>().ok());
    let nets = IpNet::aggregate(&nets.collect());
    if nets.iter().any(|net| net.prefix_len() == 0) { Vec::new() } else { nets }
}

/// Whether blocks are no small part of the internet.
fn is_wide(nets: &[IpNet]) -> bool {
    let of = |net: &IpNet| match net {
        IpNet::V4(v4) => 1_u64 << (32 - v4.prefix_len()),
        IpNet::V6(v6) => u64::from(v6.prefix_len() <= 4) << 31,
    };
    nets.iter().map(of).sum::<u64>() >= 1 << 30
}

fn both(a: &IpNet, b: &IpNet) -> Option<IpNet> {
    if a.contains(b) { Some(*b) } else { b.contains(a).then_some(*a) }
}
