//! What Services lead to: the pods that their selectors select, and those whose addresses somebody
//! wrote into EndpointSlices or Endpoints.
//!
//! Packets go by address. A slice's `targetRef` only says whose address somebody takes it for, so it
//! decides where the address does not: among the pods on one machine's network, and where the pod
//! shows no address of its own. The slices that Kubernetes' controller makes of selectors are not
//! read (`k8s::endpoints::is_derived`): where the snapshot holds Pods, the selector says the same,
//! and where it holds none, their names are all that such slices add, of which nothing follows that
//! does not follow from the workloads' templates, which selectors select too.

use super::exposure::Said;
use super::hosts::{Host, listeners};
use super::network::Protocol;
use super::remap::{Map, Remap};
use super::resolve::Objects;
use super::rows::{Phase, PodRow, Row, ServicePort, Target};
use super::{
    Node, NodeIx, ObjectId, Pod, PodIx, Service, ServiceIx, UNKNOWN_NODE, WorkloadIx, World,
};
use crate::sym::{Sym, Symbols};
use rustc_hash::FxHashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A pod's own addresses, one of each family at most, as the API server has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Addresses {
    pub v4: Option<Ipv4Addr>,
    pub v6: Option<Ipv6Addr>,
}

impl Addresses {
    /// Adds one; the first of a family stays.
    pub(super) fn add(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => drop(self.v4.get_or_insert(v4)),
            IpAddr::V6(v6) => drop(self.v6.get_or_insert(v6)),
        }
    }

    fn all(self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::V4).into_iter().chain(self.v6.map(IpAddr::V6))
    }
}

/// The list that an endpoint stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// `endpoints` of an EndpointSlice.
    Endpoints,
    /// `addresses` of a subset of Endpoints.
    Addresses,
    /// `notReadyAddresses` of one.
    NotReadyAddresses,
}

/// An EndpointSlice or Endpoints, as read.
#[derive(Debug, Clone)]
pub struct EndpointsRow {
    /// The Service's name: a label of a slice, the name of Endpoints.
    pub service: Sym,
    /// Of Endpoints: no slice is made of them.
    pub skips_mirror: bool,
    pub subsets: Box<[SubsetRow]>,
}

/// Addresses and ports that go together: a slice, or a subset of Endpoints.
#[derive(Debug, Clone)]
pub struct SubsetRow {
    /// Its place among the subsets of Endpoints.
    pub place: Option<u32>,
    pub ports: Box<[SlicePort]>,
    pub ends: Box<[EndRow]>,
    /// How many endpoints are host names, to which nothing is proxied.
    pub names: u32,
}

/// An address, and the namespace and name of the pod that it is said to be of.
#[derive(Debug, Clone)]
pub struct EndRow {
    pub list: List,
    pub place: u32,
    pub address: IpAddr,
    pub pod: Option<(Sym, Sym)>,
}

/// One port of a slice.
#[derive(Debug, Clone)]
pub struct SlicePort {
    /// That of the Service's port.
    pub name: Sym,
    pub protocol: Protocol,
    /// `None` for all ports.
    pub number: Option<u16>,
}

impl Remap for EndpointsRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.service);
        for subset in &mut self.subsets {
            subset.ports.iter_mut().for_each(|port| map.sym(&mut port.name));
            for (ns, name) in subset.ends.iter_mut().filter_map(|end| end.pod.as_mut()) {
                map.sym(ns);
                map.sym(name);
            }
        }
    }
}

/// A part of where a Service leads: an EndpointSlice, or a subset of its Endpoints.
#[derive(Debug)]
pub struct Slice {
    pub object: ObjectId,
    pub service: ServiceIx,
    /// Its place among the subsets of Endpoints.
    pub subset: Option<u32>,
    pub ports: Box<[SlicePort]>,
    pub ends: Box<[End]>,
    /// How many of its addresses are no pod's and no machine's of the snapshot.
    pub strangers: u32,
}

/// An endpoint of a slice.
#[derive(Debug)]
pub struct End {
    pub list: List,
    pub place: u32,
    pub address: IpAddr,
    pub to: To,
    /// Its `targetRef` decides, or says the same as its address.
    pub named: bool,
    /// The `targetRef` is a pod of the same namespace that has this address, as far as the snapshot
    /// shows: the API server's own proxy goes there, and to nothing else (`isValidAddress` of
    /// kubernetes `pkg/registry/core/service/storage`).
    pub vouched: bool,
}

/// Whose address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum To {
    Pod(PodIx),
    /// A machine's, and so that of all pods on its network.
    Machine(NodeIx),
}

/// Whether the API server takes an address for that of an endpoint
/// (`ValidateEndpointIP` of Kubernetes' validation).
pub(super) fn may_be_endpoint(address: IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.octets()[..3] == [224, 0, 0],
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.segments()[0] == 0xff02,
    };
    !(address.is_unspecified() || address.is_loopback() || link_local)
}

/// What is needed to tell whose address it is.
pub(super) struct Known<'k> {
    pub(super) services: &'k [Service],
    pub(super) pod_rows: &'k [Row<PodRow>],
    pub(super) pods: &'k [Pod],
    pub(super) host_network: &'k dyn Fn(&Pod) -> bool,
    pub(super) nodes: &'k [Node],
    pub(super) symbols: &'k Symbols,
}

impl Known<'_> {
    /// Whose each of some addresses is. O(pods + nodes), and nothing if there are none.
    fn owners(&self, wanted: &mut FxHashMap<IpAddr, Vec<To>>) {
        if wanted.is_empty() {
            return;
        }
        for (i, (pod, row)) in self.pods.iter().zip(self.pod_rows).enumerate() {
            // The address of a pod that has ended is given to another.
            if row.body.phase == Phase::Finished {
                continue;
            }
            let own = match (self.host_network)(pod) {
                true if self.symbols.text(self.nodes[pod.node.index()].name) == UNKNOWN_NODE => {
                    continue;
                }
                true => To::Machine(pod.node),
                false => To::Pod(PodIx::new(i)),
            };
            for address in row.body.addresses.all() {
                if let Some(owners) = wanted.get_mut(&address) {
                    owners.push(own);
                }
            }
        }
        for (i, node) in self.nodes.iter().enumerate() {
            let own =
                node.addresses.iter().filter(|(kind, _)| self.symbols.text(*kind) == "InternalIP");
            for (_, address) in own {
                let address = self.symbols.text(*address).parse().ok();
                if let Some(owners) = address.and_then(|a: IpAddr| wanted.get_mut(&a)) {
                    owners.push(To::Machine(NodeIx::new(i)));
                }
            }
        }
        for owners in wanted.values_mut() {
            owners.sort_unstable();
            owners.dedup();
        }
    }

    fn end(&self, ns: Sym, end: &EndRow, owners: &[To]) -> Vec<End> {
        let made = |to, named, vouched| {
            let EndRow { list, place, address, .. } = *end;
            End { list, place, address, to, named, vouched }
        };
        let said = end.pod.and_then(|(of, name)| {
            let at = self.pods.binary_search_by_key(&(of, name), |p| (p.ns, p.name)).ok()?;
            (self.pods[at].phase != Phase::Finished).then_some((of, at))
        });
        if let Some((of, at)) = said {
            let addresses = self.pod_rows[at].body.addresses;
            let shown = addresses.all().next().is_some();
            let has = addresses.all().any(|address| address == end.address);
            // Without an owner that shows the address, what the slice says is all there is: the
            // pod may have got another one since, or have this one on a further network.
            if has || owners.is_empty() {
                return vec![made(To::Pod(PodIx::new(at)), true, of == ns && (has || !shown))];
            }
        }
        owners.iter().map(|to| made(*to, false, false)).collect()
    }
}

/// The slices of the Services that are there, by Service; and Endpoints, of those without a
/// selector and without a slice, which they are mirrored to. Endpoints of others are the
/// controller's, which writes them anew.
pub(super) fn resolve(
    slices: Vec<Row<EndpointsRow>>,
    endpoints: Vec<Row<EndpointsRow>>,
    known: &Known<'_>,
    objects: &mut Objects,
) -> Vec<Slice> {
    let find = |ns: Sym, name: Sym| {
        known.services.binary_search_by_key(&(ns, name), |s| (s.ns, s.name)).ok()
    };
    let mut sliced = vec![false; known.services.len()];
    let mut used: Vec<(usize, &str, Row<EndpointsRow>)> = Vec::new();
    for row in slices {
        if let Some(service) = find(row.ns, row.body.service) {
            sliced[service] = true;
            used.push((service, "EndpointSlice", row));
        }
    }
    for row in endpoints {
        let service = find(row.ns, row.body.service)
            .filter(|service| !sliced[*service] && known.services[*service].selector.is_none());
        if let Some(service) = service.filter(|_| !row.body.skips_mirror) {
            used.push((service, "Endpoints", row));
        }
    }
    used.sort_by_key(|(service, ..)| *service);
    let all = used.iter().flat_map(|(.., row)| row.body.subsets.iter());
    let mut owners: FxHashMap<IpAddr, Vec<To>> =
        all.flat_map(|subset| &subset.ends).map(|end| (end.address, Vec::new())).collect();
    known.owners(&mut owners);
    let mut found = Vec::new();
    for (service, kind, row) in used {
        let object = objects.add(known.symbols.get(kind).unwrap_or(Sym::EMPTY), &row);
        let ns = row.ns;
        for subset in row.body.subsets {
            let mut strangers = subset.names;
            let mut ends = Vec::new();
            for end in &subset.ends {
                let own = known.end(ns, end, owners.get(&end.address).map_or(&[], Vec::as_slice));
                strangers += u32::from(own.is_empty());
                ends.extend(own);
            }
            found.push(Slice {
                object,
                service: ServiceIx::new(service),
                subset: subset.place,
                ports: subset.ports,
                ends: ends.into(),
                strangers,
            });
        }
    }
    found
}

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
        match self.port.target {
            Target::Number(number) => vec![number],
            Target::Name(_) => {
                let spec = world.host_spec(self.host);
                let own = self.containers.iter().filter_map(|c| spec.containers.get(*c));
                let ports = own.flat_map(|c| c.ports.iter()).filter(|p| self.port.means(p));
                ports.map(|p| p.number).collect()
            }
        }
    }
}

impl World {
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
        let mut known: Vec<(Host, Vec<u16>, By, usize)> = Vec::with_capacity(found.len());
        for (at, end) in found.iter().enumerate() {
            known.push((end.host, end.numbers(self), end.by, at));
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
                let (containers, declared) = listeners(containers, port)?;
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
                    let listening = listeners(containers, &port).filter(|_| self.is_running(pod));
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

    /// What a Service leads to, if it has no port that leads to it: the hosts behind all its ports.
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
