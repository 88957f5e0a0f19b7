//! EndpointSlices and Endpoints, and whose addresses are in them.
//!
//! Packets go by address. A slice's `targetRef` only says whose address somebody takes it for, so it
//! decides where the address does not: among the pods on one machine's network, and where the pod
//! shows no address of its own. The slices that Kubernetes' controller makes of selectors are not
//! read (`k8s::endpoints::is_derived`): where the snapshot holds Pods, the selector says the same,
//! and where it holds none, their names are all that such slices add, of which nothing follows that
//! does not follow from the workloads' templates, which selectors select too.

use super::network::Protocol;
use super::objects::Objects;
use super::remap::{Map, Remap};
use super::rows::{Phase, PodRow, Row};
use super::{Node, NodeIx, ObjectId, Pod, PodIx, Service, ServiceIx, UNKNOWN_NODE};
use crate::sym::{Sym, Symbols};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
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

    pub(super) fn all(self) -> impl Iterator<Item = IpAddr> {
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
    fn owners(&self, wanted: &mut FxHashMap<IpAddr, BTreeSet<To>>) {
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
                    owners.insert(own);
                }
            }
        }
        for (i, node) in self.nodes.iter().enumerate() {
            let own =
                node.addresses.iter().filter(|(kind, _)| self.symbols.text(*kind) == "InternalIP");
            for (_, address) in own {
                let address = self.symbols.text(*address).parse().ok();
                if let Some(owners) = address.and_then(|a: IpAddr| wanted.get_mut(&a)) {
                    owners.insert(To::Machine(NodeIx::new(i)));
                }
            }
        }
    }

    fn end(&self, ns: Sym, end: &EndRow, owners: &BTreeSet<To>) -> Vec<End> {
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
    let mut owners: FxHashMap<IpAddr, BTreeSet<To>> =
        all.flat_map(|subset| &subset.ends).map(|end| (end.address, BTreeSet::new())).collect();
    known.owners(&mut owners);
    let nobody = BTreeSet::new();
    let mut found = Vec::new();
    for (service, kind, row) in used {
        let object = objects.add(known.symbols.get(kind).unwrap_or(Sym::EMPTY), &row);
        let ns = row.ns;
        for subset in row.body.subsets {
            let mut strangers = subset.names;
            let mut ends = Vec::new();
            let mut met = FxHashSet::default();
            for end in &subset.ends {
                let own = known.end(ns, end, owners.get(&end.address).unwrap_or(&nobody));
                strangers += u32::from(own.is_empty());
                // An address that is repeated leads to the same.
                if own.iter().any(|end| end.named) || met.insert(end.address) {
                    ends.extend(own);
                }
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
