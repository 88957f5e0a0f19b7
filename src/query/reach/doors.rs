//! Doors to the outside, and what policies make of them.

use super::{Ground, ports};
use crate::world::exposure::{Door, Entry, Scope, Sure};
use crate::world::hosts::Host;
use crate::world::network::{Direction, End, PortSpec, Span, State};
use crate::world::rows::Target;
use crate::world::{ObjectId, ServiceIx};
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

impl Ground<'_> {
    /// Every door to the outside with every group behind it, but those that policies
    /// close to every source.
    #[must_use]
    pub fn exposed(&self, denied: bool) -> Vec<Exposed> {
        let world = self.world;
        let mut of_host: FxHashMap<Host, u32> = FxHashMap::default();
        for number in self.numbers() {
            of_host.extend(self.group(number).hosts.iter().map(|h| (*h, number)));
        }
        let services: FxHashMap<ObjectId, ServiceIx> = (0..world.services.len())
            .map(|i| (world.services[i].object, ServiceIx::new(i)))
            .collect();
        let mut found = Vec::new();
        for entry in world.entries() {
            let (scope, name) = (entry.scope, self.entry(&entry));
            let confidence = match entry.sure {
                Sure::Certain => "certain",
                Sure::Likely => "likely",
                Sure::Possible => "possible",
                Sure::Unknown => "unknown",
            };
            let sources = self.sources(&entry, &services);
            let mut behind: BTreeMap<(u32, State, Option<String>), BTreeSet<PortSpec>> =
                BTreeMap::new();
            for (host, port) in self.behind(&entry) {
                let Some(group) = of_host.get(&host) else { continue };
                let (mut state, mut reason) = self.judge(&sources, host, port);
                if state == State::Allowed && entry.sure == Sure::Unknown {
                    state = State::Unknown;
                    reason = Some("what leads to the door from outside is not shown".to_owned());
                }
                if state != State::Denied || denied {
                    behind.entry((*group, state, reason)).or_default().insert(port);
                }
            }
            for ((group, state, reason), list) in behind {
                let ports = list.into_iter().map(|p| ports::one(p, state));
                let ports = ports.fold(Vec::new(), |all, one| ports::union(all, &[one]));
                let entry = name.clone();
                found.push(Exposed { scope, entry, group, ports, state, confidence, reason });
            }
        }
        found.sort();
        found.dedup();
        found
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

    /// The pods and ports that a door leads to.
    fn behind(&self, entry: &Entry) -> BTreeSet<(Host, PortSpec)> {
        let world = self.world;
        let mut found = BTreeSet::new();
        for (service, port, _) in &entry.backends {
            let Some(of) = world.services[service.index()].ports.get(*port) else { continue };
            let protocol = of.protocol;
            for (host, containers, _) in world.endpoints(*service, *port) {
                let spec = world.host_spec(host);
                let numbers: Vec<u16> = match of.target {
                    Target::Number(number) => vec![number],
                    Target::Name(_) => containers
                        .iter()
                        .filter_map(|c| spec.containers.get(*c))
                        .flat_map(|c| c.ports.iter())
                        .filter(|p| of.means(p))
                        .map(|p| p.number)
                        .collect(),
                };
                found.extend(numbers.into_iter().map(|p| (host, PortSpec { protocol, port: p })));
            }
        }
        if let Door::HostPort(pod, number) = entry.door {
            let host = Host::Pod(pod);
            let containers = world.host_spec(host).containers.iter();
            let declared = containers.flat_map(|c| c.ports.iter());
            for port in declared.filter(|p| p.host_port == number) {
                found.insert((host, PortSpec { protocol: port.protocol, port: port.number }));
            }
        }
        found
    }

    /// Who speaks to the pods behind a door: the internet, or the pods of a controller. `None`:
    /// nothing shows which.
    fn sources(
        &self,
        entry: &Entry,
        services: &FxHashMap<ObjectId, ServiceIx>,
    ) -> Option<Vec<End>> {
        if matches!(entry.door, Door::Service(_) | Door::HostPort(..)) {
            return Some(match entry.scope {
                Scope::Internet => vec![End::Internet],
                Scope::Private => around(),
            });
        }
        let of = entry.facts.iter().filter_map(|(object, ..)| services.get(object));
        let mut ends: Vec<Host> = of
            .flat_map(|service| {
                let ports = self.world.services[service.index()].ports.len();
                (0..ports).flat_map(|port| self.world.endpoints(*service, port))
            })
            .map(|(host, ..)| host)
            .collect();
        ends.sort_unstable();
        ends.dedup();
        (!ends.is_empty()).then(|| ends.into_iter().map(End::Host).collect())
    }

    fn judge(
        &self,
        sources: &Option<Vec<End>>,
        host: Host,
        port: PortSpec,
    ) -> (State, Option<String>) {
        let Some(sources) = sources else {
            let judged = self
                .network
                .class_of(host)
                .is_some_and(|class| !self.network.isolation(class, Direction::Ingress).is_empty());
            let text = "a policy isolates the pods, and which pods serve the door is not shown";
            return match judged {
                true => (State::Unknown, Some(text.to_owned())),
                false => (State::Allowed, None),
            };
        };
        let mut best = (State::Denied, None);
        for source in sources {
            let state = self.network.state(*source, End::Host(host), port);
            let reason = (state == State::Unknown)
                .then(|| "policies leave it open: ask with --to and --port".to_owned());
            if state > best.0 {
                best = (state, reason);
            }
            if state == State::Allowed {
                break;
            }
        }
        best
    }
}

/// The networks that clusters stand in.
fn around() -> Vec<End> {
    let blocks = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
    blocks.iter().filter_map(|block| block.parse().ok()).map(End::Net).collect()
}
