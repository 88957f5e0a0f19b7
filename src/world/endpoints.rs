//! What Services lead to: the pods that their selectors select, and those whose addresses somebody
//! wrote into EndpointSlices or Endpoints.

use super::exposure::Said;
use super::hosts::{Host, listeners};
use super::pods::Container;
use super::rows::{ServicePort, Target};
use super::slices::{List, To};
use super::{PodIx, Service, ServiceIx, WorkloadIx, World};

/// What leads to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The Service's selector.
    Selector,
    /// A slice of [`World::slices`], the place of its port and of its endpoint.
    Slice(u32, u32, u32),
}

/// Something that runs and that a Service's port leads to.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub host: Host,
    /// The containers that may listen there, by their place in the specification.
    pub containers: Vec<usize>,
    /// One of them declares the port.
    pub declared: bool,
    /// The Service's port, with the target that holds for this endpoint.
    pub port: ServicePort,
    pub by: By,
}

impl Endpoint {
    /// The numbers of the pod's ports: several only if containers give one name to several.
    #[must_use]
    pub fn numbers(&self, world: &World) -> Vec<u16> {
        world.port_numbers(self.host, &self.port)
    }
}

impl World {
    /// The numbers of the ports of what runs that a Service's port means.
    pub(super) fn port_numbers(&self, host: Host, port: &ServicePort) -> Vec<u16> {
        match port.target {
            Target::Number(number) => vec![number],
            Target::Name(_) => {
                let containers = self.host_spec(host).containers.iter();
                let ports =
                    containers.filter(|c| self.keeps_running(host, c)).flat_map(|c| c.ports.iter());
                ports.filter(|p| port.means(p)).map(|p| p.number).collect()
            }
        }
    }

    /// The running pods and templates that a Service's port leads to.
    #[must_use]
    pub fn endpoints(&self, ix: ServiceIx, place: usize) -> Vec<Endpoint> {
        let service = &self.services[ix.index()];
        let Some(port) = service.ports.get(place) else { return Vec::new() };
        // Nobody makes endpoints of an alias, whatever it selects.
        if self.text(service.kind) == "ExternalName" {
            return Vec::new();
        }
        let mut found = self.selected(service, port);
        let slices = self.slices_of(ix);
        if slices.is_empty() {
            return found;
        }
        for number in slices {
            self.sliced(number, port, &mut found);
        }
        // Each pod's port once: a slice that repeats another, or the selector, adds nothing.
        // Of two slices that one stays which the API server's proxy heeds.
        let mut known: Vec<(Host, Vec<u16>, bool, By, usize)> = Vec::with_capacity(found.len());
        for (at, end) in found.iter().enumerate() {
            known.push((end.host, end.numbers(self), !self.is_proxied(end), end.by, at));
        }
        known.sort_unstable();
        known.dedup_by(|later, kept| (later.0, &later.1) == (kept.0, &kept.1));
        let mut kept: Vec<usize> = known.into_iter().map(|(.., at)| at).collect();
        kept.sort_unstable();
        let mut kept = kept.into_iter().peekable();
        let mut at = 0;
        found.retain(|_| {
            at += 1;
            kept.next_if_eq(&(at - 1)).is_some()
        });
        found
    }

    fn selected(&self, service: &Service, port: &ServicePort) -> Vec<Endpoint> {
        let Some(selector) = &service.selector else { return Vec::new() };
        let selected = |labels: u32| {
            self.labels.get(labels as usize).is_some_and(|labels| selector.selects(labels))
        };
        let pods = self.pods_of(service.ns).map(PodIx::new).filter(|p| {
            let object = &self.objects[self.pods[p.index()].object.index()];
            self.is_running(*p) && selected(object.labels)
        });
        let templates = self.workloads_of(service.ns).map(WorkloadIx::new).filter(|w| {
            self.is_template(*w) && selected(self.workloads[w.index()].template_labels)
        });
        pods.map(Host::Pod)
            .chain(templates.map(Host::Template))
            .filter_map(|host| {
                let containers = &self.host_spec(host).containers;
                let (containers, declared) =
                    listeners(containers, port, |c| self.keeps_running(host, c))?;
                Some(Endpoint { host, containers, declared, port: port.clone(), by: By::Selector })
            })
            .collect()
    }

    /// What one slice adds to a Service's port: the ports are one by name and protocol
    /// (`getEndpointsMap` of kube-proxy).
    fn sliced(&self, number: usize, port: &ServicePort, found: &mut Vec<Endpoint>) {
        let slice = &self.slices[number];
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        for (p, own) in slice.ports.iter().enumerate() {
            let matches = own.name == port.name && own.protocol == port.protocol;
            // The API server lets no port 0 in, and kube-proxy passes it over.
            if !matches || own.number == Some(0) {
                continue;
            }
            // All ports, by the API's word. kube-proxy passes such a port over; whoever does not
            // can only ask for the one that the Service means.
            let target = own.number.map_or(port.target, Target::Number);
            let port = ServicePort { target, ..port.clone() };
            for (e, end) in slice.ends.iter().enumerate() {
                let by = By::Slice(place(number), place(p), place(e));
                let mut add = |pod: PodIx, declared_only: bool| {
                    let host = Host::Pod(pod);
                    let containers = &self.host_spec(host).containers;
                    let runs = |c: &Container| self.keeps_running(Host::Pod(pod), c);
                    let listening =
                        listeners(containers, &port, runs).filter(|_| self.is_running(pod));
                    let Some((containers, declared)) = listening else { return };
                    if declared || !declared_only {
                        let port = port.clone();
                        found.push(Endpoint { host, containers, declared, port, by });
                    }
                };
                match end.to {
                    To::Pod(pod) => add(pod, false),
                    // Whatever listens on the machine: its pods, by what they declare, or one of
                    // its own programs, which the snapshot does not show.
                    To::Machine(node) => {
                        for pod in self.pods_on(node) {
                            if self.host_spec(Host::Pod(*pod)).host_network {
                                add(*pod, true);
                            }
                        }
                    }
                }
            }
        }
    }

    /// The slices of a Service, by their place in the table.
    #[must_use]
    pub fn slices_of(&self, service: ServiceIx) -> std::ops::Range<usize> {
        let start = self.slices.partition_point(|slice| slice.service < service);
        start..start + self.slices[start..].partition_point(|slice| slice.service == service)
    }

    /// What runs behind a Service, whichever of its ports leads there.
    #[must_use]
    pub fn behind(&self, service: ServiceIx) -> Vec<Host> {
        let ports = 0..self.services[service.index()].ports.len();
        let mut hosts: Vec<Host> =
            ports.flat_map(|port| self.endpoints(service, port)).map(|end| end.host).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// What says that a Service's port leads to an endpoint: who is meant, and which port of it.
    #[must_use]
    pub fn endpoint_facts(&self, ix: ServiceIx, place: usize, end: &Endpoint) -> [Said; 2] {
        let service = &self.services[ix.index()];
        let By::Slice(slice, port, at) = end.by else {
            let target = match end.port.target {
                Target::Number(number) => number.to_string(),
                Target::Name(name) => self.text(name).to_owned(),
            };
            let selects = (service.object, ".spec.selector".to_owned(), "selects the pod".into());
            return [selects, (service.object, format!(".spec.ports[{place}].targetPort"), target)];
        };
        let slice = &self.slices[slice as usize];
        let own = &slice.ends[at as usize];
        let root = slice.subset.map_or(String::new(), |at| format!(".subsets[{at}]"));
        let list = match own.list {
            List::Endpoints => "endpoints",
            List::Addresses => "addresses",
            List::NotReadyAddresses => "notReadyAddresses",
        };
        let field = format!("{root}.{list}[{}]", own.place);
        let who = match own.to {
            To::Pod(pod) if own.named => {
                let name = self.text(self.pods[pod.index()].name).to_owned();
                (slice.object, format!("{field}.targetRef.name"), name)
            }
            _ => {
                let last = if own.list == List::Endpoints { "addresses[0]" } else { "ip" };
                (slice.object, format!("{field}.{last}"), own.address.to_string())
            }
        };
        let number = slice.ports[port as usize].number;
        let number = number.map_or("all ports".to_owned(), |number| number.to_string());
        [who, (slice.object, format!("{root}.ports[{port}].port"), number)]
    }

    /// Whether the API server's own proxy goes to an endpoint.
    #[must_use]
    pub fn is_proxied(&self, end: &Endpoint) -> bool {
        match end.by {
            By::Selector => true,
            By::Slice(slice, _, at) => self.slices[slice as usize].ends[at as usize].vouched,
        }
    }
}
