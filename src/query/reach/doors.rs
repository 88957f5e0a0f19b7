//! Doors to the outside, and what policies make of them.
//!
//! What decides is whose address the pod sees: the client's, or that of a node that put its own in
//! its place, or that of the pods which pass requests on. Where policies treat these differently
//! and nothing shows which it is, the verdict is open.

use super::change::Ends;
use super::explain::Said;
use super::{Ground, Range, Side, ports};
use crate::sym::Sym;
use crate::world::exposure::{Door, Entry, Sure, Via};
use crate::world::hosts::Host;
use crate::world::network::{ClassIx, Direction, End, PortSpec, Protocol, Span, State};
use crate::world::rows::Target;
use crate::world::{NodeIx, ServiceIx, UNKNOWN_NODE};
use ipnet::{IpNet, Ipv4Net};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A door and a group behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposed {
    /// `shop/ingress/web`.
    pub entry: String,
    /// The group, by number.
    pub group: u32,
    /// The pods' ports.
    pub ports: Vec<Span>,
    /// What policies make of it.
    pub state: State,
    /// How sure it is that the internet comes to the door.
    pub confidence: &'static str,
    /// Why the verdict is open, or what it rests on.
    pub reason: Option<String>,
}

/// A door to one pod's port, with what the policies of both ends say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The door, and what is behind it.
    pub exposed: Exposed,
    /// What is said where a request comes in or is passed on.
    pub egress: Vec<Said>,
    /// What is said where it arrives.
    pub ingress: Vec<Said>,
    /// What would open it.
    pub change: Vec<String>,
}

/// Whose packets arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Source {
    /// A client's; or a node's in its place, unless it is known that none steps between.
    Client(bool),
    /// Somebody's whom the snapshot does not show.
    Hidden,
    /// A cloud's balancer's.
    Balancers,
    /// Those of the pods behind a Service.
    Proxies(ServiceIx),
}

/// What becomes of them.
#[derive(Debug, Clone)]
struct Answer {
    state: State,
    reason: Option<String>,
    /// Who gets furthest.
    from: End,
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
struct Asked {
    known: FxHashMap<(ClassIx, PortSpec, Source), Rc<Answer>>,
    proxies: FxHashMap<ServiceIx, Rc<Proxies>>,
}

/// What two sources come to when nothing shows which of them it is.
const EITHER: &str = "whether the pod sees the client's address or its node's is not known, and \
                      policies treat them differently";

impl Ground<'_> {
    /// Every door that the internet may reach with every group behind it, but those that policies
    /// close to every source.
    #[must_use]
    pub fn exposed(&self, denied: bool) -> Vec<Exposed> {
        let mut behind: BTreeMap<(String, u32, State, Option<String>), Exposed> = BTreeMap::new();
        self.each_door(&mut |_| true, &mut |door, _, _| {
            if door.state == State::Denied && !denied {
                return;
            }
            let key = (door.entry.clone(), door.group, door.state, door.reason.clone());
            match behind.get_mut(&key) {
                Some(known) => {
                    known.ports = ports::union(std::mem::take(&mut known.ports), &door.ports);
                }
                None => drop(behind.insert(key, door)),
            }
        });
        let mut found: Vec<Exposed> = behind.into_values().collect();
        found.sort();
        found
    }

    /// The doors to some groups, each with what decides.
    #[must_use]
    pub fn explained(&self, groups: &BTreeSet<u32>) -> Vec<Explained> {
        let mut found: Vec<Explained> = Vec::new();
        self.each_door(&mut |group| groups.contains(&group), &mut |door, from, (host, port)| {
            let Some(class) = self.network.class_of(host) else { return };
            let to = End::Class(class);
            let verdict = self.network.verdict(from, to, port);
            let side = match from {
                End::Class(class) => match self.network.hosts_of(class).first() {
                    Some(host) => self.side_of(*host),
                    None => Side::Range(Range::whole(false)),
                },
                _ => Side::Range(Range::whole(false)),
            };
            let egress = self.words(&verdict.egress, Direction::Egress, side, from);
            let ingress =
                self.words(&verdict.ingress, Direction::Ingress, Side::Group(door.group), to);
            let shown = !matches!(from, End::Anyone | End::Nodes);
            let mut change = Vec::new();
            if door.state == State::Denied && shown {
                let own = Side::Group(door.group);
                let ends = Ends {
                    direction: Direction::Ingress,
                    own,
                    own_end: to,
                    other: side,
                    other_end: from,
                };
                if verdict.ingress.state == State::Denied {
                    change.extend(self.opens(&verdict.ingress, ends, Some(port)));
                }
                let ends = Ends {
                    direction: Direction::Egress,
                    own: side,
                    own_end: from,
                    other: own,
                    other_end: to,
                };
                if verdict.egress.state == State::Denied {
                    change.extend(self.opens(&verdict.egress, ends, Some(port)));
                }
            }
            let same = |e: &&mut Explained| {
                (&e.exposed.entry, e.exposed.group, e.exposed.state, &e.exposed.reason)
                    == (&door.entry, door.group, door.state, &door.reason)
                    && (&e.egress, &e.ingress) == (&egress, &ingress)
            };
            match found.iter_mut().find(same) {
                Some(known) => {
                    let all = std::mem::take(&mut known.exposed.ports);
                    known.exposed.ports = ports::union(all, &door.ports);
                }
                None => found.push(Explained { exposed: door, egress, ingress, change }),
            }
        });
        found.sort_by(|a, b| a.exposed.cmp(&b.exposed));
        found
    }

    /// Every door with each pod's port behind it, by door.
    fn each_door(
        &self,
        wanted: &mut dyn FnMut(u32) -> bool,
        visit: &mut dyn FnMut(Exposed, End, (Host, PortSpec)),
    ) {
        let mut of_host: FxHashMap<Host, u32> = FxHashMap::default();
        for number in self.numbers() {
            if wanted(number) {
                of_host.extend(self.group(number).hosts.iter().map(|h| (*h, number)));
            }
        }
        let mut asked = Asked::default();
        for entry in self.world.entries() {
            let name = self.entry(&entry);
            let confidence = match entry.sure {
                Sure::Certain => "certain",
                Sure::Likely => "likely",
                Sure::Possible => "possible",
                Sure::Unknown => "unknown",
            };
            // Replicas come to the same.
            let mut seen: BTreeSet<(u32, ClassIx, PortSpec, State)> = BTreeSet::new();
            for (host, port, service) in self.behind(&entry) {
                let (Some(group), Some(class)) = (of_host.get(&host), self.network.class_of(host))
                else {
                    continue;
                };
                let mut best: Option<Answer> = None;
                for via in &entry.via {
                    let source = self.source(*via, service);
                    let answer = self.judge(&mut asked, source, host, port);
                    if best.as_ref().is_none_or(|known| answer.state > known.state) {
                        best = Some(answer);
                    }
                }
                let Some(Answer { mut state, mut reason, from }) = best else { continue };
                if state == State::Allowed && entry.sure == Sure::Unknown {
                    state = State::Unknown;
                    reason = Some("what leads to the door from outside is not shown".to_owned());
                }
                if !seen.insert((*group, class, port, state)) {
                    continue;
                }
                let ports = vec![ports::one(port, state)];
                let entry = name.clone();
                let door = Exposed { entry, group: *group, ports, state, confidence, reason };
                visit(door, from, (host, port));
            }
        }
    }

    fn side_of(&self, host: Host) -> Side {
        let (_, ns) = self.world.host_object(host);
        let mut groups = self.of_space(ns);
        let group = groups.find(|g| self.group(*g).hosts.contains(&host));
        group.map_or(Side::Range(Range::whole(false)), Side::Group)
    }

    /// The groups of a namespace.
    pub(super) fn of_space(&self, ns: Sym) -> impl Iterator<Item = u32> + use<> {
        let number = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
        let first = self.groups.partition_point(|g| g.ns < ns);
        number(first)..number(self.groups.partition_point(|g| g.ns <= ns))
    }

    fn entry(&self, entry: &Entry) -> String {
        let (object, kind) = match entry.door {
            Door::Service(ix) => (self.world.services[ix.index()].object, None),
            Door::Ingress(ix) => (self.world.ingresses[ix.index()].object, None),
            Door::HostPort(pod, port) => (self.world.pods[pod.index()].object, Some(port)),
            Door::Route(ix) => (self.world.gateway.routes[ix.index()].object, None),
            Door::Router(ix) => (self.world.router_routes[ix.index()].object, None),
            Door::Mesh(ix) => (self.world.istio.services[ix.index()].object, None),
        };
        let object = &self.world.objects[object.index()];
        let (ns, name) = (self.world.text(object.ns), self.world.text(object.name));
        match kind {
            Some(port) => format!("{ns}/hostport/{name}/{port}"),
            None => {
                let kind = self.world.text(object.kind).to_ascii_lowercase();
                format!("{ns}/{kind}/{name}")
            }
        }
    }

    /// The pods and ports that a door leads to, and the Service between.
    fn behind(&self, entry: &Entry) -> BTreeSet<(Host, PortSpec, Option<ServiceIx>)> {
        let mut found = BTreeSet::new();
        for (service, port, _) in &entry.backends {
            let ends = self.listening(*service, *port).into_iter();
            found.extend(ends.map(|(host, port)| (host, port, Some(*service))));
        }
        if let Door::HostPort(pod, number) = entry.door {
            let host = Host::Pod(pod);
            let containers = self.world.host_spec(host).containers.iter();
            let declared = containers.flat_map(|c| c.ports.iter());
            for port in declared.filter(|p| p.host_port == number) {
                let own = PortSpec { protocol: port.protocol, port: port.number };
                found.insert((host, own, None));
            }
        }
        found
    }

    /// The pods behind a Service's port, with their own ports.
    fn listening(&self, service: ServiceIx, port: usize) -> Vec<(Host, PortSpec)> {
        let world = self.world;
        let Some(of) = world.services[service.index()].ports.get(port) else { return Vec::new() };
        let protocol = if of.udp { Protocol::Udp } else { Protocol::Tcp };
        let mut found = Vec::new();
        for (host, containers, _) in world.endpoints(service, port) {
            let spec = world.host_spec(host);
            let numbers: Vec<u16> = match of.target {
                Target::Number(number) => vec![number],
                Target::Name(name) => containers
                    .iter()
                    .filter_map(|c| spec.containers.get(*c))
                    .flat_map(|c| c.ports.iter())
                    .filter(|p| p.name == name)
                    .map(|p| p.number)
                    .collect(),
            };
            found.extend(numbers.into_iter().map(|port| (host, PortSpec { protocol, port })));
        }
        found
    }

    fn source(&self, via: Via, service: Option<ServiceIx>) -> Source {
        match via {
            Via::Client => Source::Client(service.is_none_or(|ix| self.may_hide_client(ix))),
            Via::Hidden => Source::Hidden,
            Via::Balancers => Source::Balancers,
            Via::Proxies(service) => Source::Proxies(service),
        }
    }

    /// Whether a node, or a balancer near it, may put its own address before a client's. One that
    /// is known by a name is often a proxy.
    fn may_hide_client(&self, ix: ServiceIx) -> bool {
        let service = &self.world.services[ix.index()];
        !service.keeps_client || service.balancer.iter().any(|(_, name)| !name.is_empty())
    }

    fn judge(&self, asked: &mut Asked, source: Source, host: Host, port: PortSpec) -> Answer {
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
        if let (Source::Proxies(service), true) = (source, answer.state != State::Allowed) {
            // A machine gets through to its own pods, and so does a proxy on its network.
            let nodes = &self.proxies(asked, service).nodes;
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
            let text = "policies leave it open: ask with --to and --port";
            let reason = (answer.state == State::Unknown).then(|| text.to_owned());
            Answer { reason: answer.reason.clone().or(reason), ..answer }
        };
        match source {
            Source::Client(hidden) => {
                let verdict = self.network.verdict(End::Internet, to, port);
                let mut client = Answer { state: verdict.state, reason: None, from: End::Internet };
                if !verdict.only.is_empty() && client.state != State::Denied {
                    client.reason = Some(from_only(&verdict.only));
                }
                let node = if hidden { ask(End::Nodes) } else { client.clone() };
                match node.state == client.state {
                    true => open(client),
                    false => either(client, EITHER),
                }
            }
            Source::Balancers => {
                let balancer = ask(End::Net(IpNet::from(Ipv4Net::default())));
                let node = ask(End::Nodes);
                match node.state == balancer.state {
                    true => open(balancer),
                    false => either(
                        balancer,
                        "whether the pod sees a balancer's address or its node's is not known, and policies treat them differently",
                    ),
                }
            }
            Source::Proxies(service) => {
                let proxies = self.proxies(asked, service);
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

    /// The pods behind a Service that clients reach, by class.
    fn proxies(&self, asked: &mut Asked, ix: ServiceIx) -> Rc<Proxies> {
        if let Some(known) = asked.proxies.get(&ix) {
            return Rc::clone(known);
        }
        let service = &self.world.services[ix.index()];
        // What leads to a Service of the cluster's own addresses is not judged here.
        let outside =
            self.world.text(service.kind) != "ClusterIP" || !service.external_ips.is_empty();
        let client = Source::Client(self.may_hide_client(ix));
        let mut proxies = Proxies::default();
        let mut found: BTreeMap<Option<ClassIx>, (End, State)> = BTreeMap::new();
        for port in 0..service.ports.len() {
            for (host, spec) in self.listening(ix, port) {
                let Some(class) = self.network.class_of(host) else { continue };
                proxies.any = true;
                let machine = self.world.host_spec(host).host_network;
                let front = match outside && !machine {
                    true => self.judge(asked, client, host, spec).state,
                    false => State::Allowed,
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
        }
        proxies.ends.extend(found.into_values());
        let proxies = Rc::new(proxies);
        asked.proxies.insert(ix, Rc::clone(&proxies));
        proxies
    }
}

/// What nothing decides between.
fn either(answer: Answer, why: &str) -> Answer {
    Answer { state: State::Unknown, reason: Some(why.to_owned()), ..answer }
}

fn from_only(nets: &[IpNet]) -> String {
    const FEW: usize = 5;
    let mut names: Vec<String> = nets.iter().take(FEW).map(ToString::to_string).collect();
    if nets.len() > FEW {
        names.push(format!("{} blocks more", nets.len() - FEW));
    }
    format!("from {} only", names.join(", "))
}
