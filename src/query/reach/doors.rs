//! Doors to the outside, and what policies make of them.

use super::change::Ends;
use super::explain::Said;
use super::fronts::{Answer, Asked};
use super::{Ground, Range, Side, ports};
use crate::sym::Sym;
use crate::world::ServiceIx;
use crate::world::exposure::{Door, Entry, Scope, Sure};
use crate::world::hosts::Host;
use crate::world::network::{ClassIx, Direction, End, PortSpec, Span, State};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// A door and a group behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposed {
    /// From where the door is reached.
    pub scope: Scope,
    /// `shop/ingress/web`.
    pub entry: String,
    /// The group, by number.
    pub group: u32,
    /// The pods' ports.
    pub ports: Vec<Span>,
    /// What policies make of it.
    pub state: State,
    /// How sure it is that one comes to the door from there.
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

impl Explained {
    /// Whether policies have a part in its not being open.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let named = self.egress.iter().chain(&self.ingress).any(|said| said.at.is_some());
        match self.exposed.state {
            State::Denied => true,
            State::Unknown => named,
            State::Allowed => false,
        }
    }
}

/// Said where policies let through what cannot be told.
pub(in crate::query) const LEFT_OPEN: &str = "policies leave it open: ask with --to and --port";

impl Ground<'_> {
    /// Every door to the outside with every group behind it, but those that policies
    /// close to every source.
    #[must_use]
    pub fn exposed(&self, denied: bool) -> Vec<Exposed> {
        type Key = (Scope, String, u32, State, Option<String>);
        let mut behind: BTreeMap<Key, Exposed> = BTreeMap::new();
        self.each_door(&mut |_| true, &mut |door, _, _| {
            if door.state == State::Denied && !denied {
                return;
            }
            let Exposed { scope, group, state, .. } = door;
            let key = (scope, door.entry.clone(), group, state, door.reason.clone());
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

    /// The doors from the internet to some groups, each with what decides.
    #[must_use]
    pub fn explained(&self, groups: &BTreeSet<u32>) -> Vec<Explained> {
        let mut found: Vec<Explained> = Vec::new();
        self.each_door(&mut |group| groups.contains(&group), &mut |door, from, (host, port)| {
            let inner = door.scope != Scope::Internet;
            let Some(class) = self.network.class_of(host).filter(|_| !inner) else { return };
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
            let (scope, name) = (entry.scope, self.entry(entry));
            let confidence = match entry.sure {
                Sure::Certain => "certain",
                Sure::Likely => "likely",
                Sure::Possible => "possible",
                Sure::Unknown => "unknown",
            };
            // Replicas come to the same.
            let mut seen: BTreeSet<(u32, ClassIx, PortSpec, State)> = BTreeSet::new();
            for (host, port, service) in self.behind(entry) {
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
                let group = *group;
                let door = Exposed { scope, entry, group, ports, state, confidence, reason };
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
    pub(super) fn behind(&self, entry: &Entry) -> BTreeSet<(Host, PortSpec, Option<ServiceIx>)> {
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
    pub(super) fn listening(&self, service: ServiceIx, port: usize) -> Vec<(Host, PortSpec)> {
        let world = self.world;
        let Some(of) = world.services[service.index()].ports.get(port) else { return Vec::new() };
        let protocol = of.protocol;
        let mut found = Vec::new();
        for end in world.endpoints(service, port) {
            let numbers = end.numbers(world).into_iter();
            found.extend(numbers.map(|port| (end.host, PortSpec { protocol, port })));
        }
        found
    }
}
