//! EndpointSlices and Endpoints.

use super::number;
use crate::input::Origin;
use crate::k8s::endpoints::{EndpointPort, EndpointSlice, EndpointSubset, TargetRef, is_derived};
use crate::k8s::{Body, Kind, Meta};
use crate::sym::Sym;
use crate::world::network::Protocol;
use crate::world::rows::Part;
use crate::world::slices::{EndRow, EndpointsRow, List, SlicePort, SubsetRow, may_be_endpoint};
use std::net::IpAddr;

/// Names the Service that a slice belongs to.
const SERVICE: &str = "kubernetes.io/service-name";

/// On Endpoints: no slice is made of them.
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn label<'m>(meta: &'m Meta<'_>, key: &str) -> Option<&'m str> {
    meta.labels.0.iter().find(|(k, _)| &**k == key).map(|(_, value)| &**value)
}

impl Part {
    /// An EndpointSlice or Endpoints, unless it only repeats a selector.
    pub(super) fn lower_endpoints(
        &mut self,
        kind: Kind,
        meta: &Meta<'_>,
        body: Body<'_>,
        origin: Origin,
    ) {
        if is_derived(kind, meta) {
            return;
        }
        let mut refused = None;
        if kind == Kind::Endpoints {
            let subsets = if let Body::Endpoints(subsets) = body { subsets } else { Vec::new() };
            let ns = self.or_own("", meta);
            let subsets = subsets.iter().enumerate();
            let subsets = subsets.map(|(at, s)| self.subset(ns, at, s, &mut refused)).collect();
            let service = self.sym(&meta.name);
            let skips_mirror = label(meta, SKIP) == Some("true");
            let row = EndpointsRow { service, skips_mirror, subsets };
            let row = self.row(kind, meta, origin, row);
            self.endpoints.push(row);
        } else if let Some(service) = label(meta, SERVICE).filter(|name| !name.is_empty()) {
            let service = self.sym(service);
            let slice = if let Body::EndpointSlice(slice) = body { *slice } else { <_>::default() };
            let ns = self.or_own("", meta);
            let subsets = [self.slice(ns, &slice, &mut refused)].into();
            let row = EndpointsRow { service, skips_mirror: false, subsets };
            let row = self.row(kind, meta, origin, row);
            self.slices.push(row);
        }
        if let Some(at) = refused {
            let message = format!("`{at}` of {} is not an address of an endpoint", kind.name());
            self.unusable.insert((origin, message), ());
        }
    }

    fn slice(
        &mut self,
        ns: Sym,
        slice: &EndpointSlice<'_>,
        refused: &mut Option<String>,
    ) -> SubsetRow {
        let ports = self.slice_ports(&slice.ports);
        let v6 = match &*slice.address_type {
            "IPv4" => Some(false),
            "IPv6" => Some(true),
            // The first slices of all bore one word for both.
            "IP" | "" => None,
            // Host names, to which nothing is proxied.
            _ => {
                let names = place(slice.endpoints.len());
                return SubsetRow { place: None, ports, ends: Box::default(), names };
            }
        };
        let mut ends = Vec::with_capacity(slice.endpoints.len());
        for (at, end) in slice.endpoints.iter().enumerate() {
            // The first alone has a meaning.
            let first = end.addresses.first().map_or("", |address| &**address);
            let address = first.parse().ok();
            let address = address.filter(|a: &IpAddr| v6.is_none_or(|v6| a.is_ipv6() == v6));
            let Some(address) = address.filter(|address| may_be_endpoint(*address)) else {
                refused.get_or_insert_with(|| format!(".endpoints[{at}].addresses[0]"));
                continue;
            };
            let pod = self.target_pod(ns, end.target_ref.as_ref());
            ends.push(EndRow { list: List::Endpoints, place: place(at), address, pod });
        }
        SubsetRow { place: None, ports, ends: ends.into(), names: 0 }
    }

    fn subset(
        &mut self,
        ns: Sym,
        number: usize,
        subset: &EndpointSubset<'_>,
        refused: &mut Option<String>,
    ) -> SubsetRow {
        let ports = self.slice_ports(&subset.ports);
        let mut ends = Vec::with_capacity(subset.addresses.len());
        for (list, name, addresses) in [
            (List::Addresses, "addresses", &subset.addresses),
            (List::NotReadyAddresses, "notReadyAddresses", &subset.not_ready_addresses),
        ] {
            for (at, end) in addresses.iter().enumerate() {
                let address = end.ip.parse().ok().filter(|ip| may_be_endpoint(*ip));
                let Some(address) = address else {
                    refused.get_or_insert_with(|| format!(".subsets[{number}].{name}[{at}].ip"));
                    continue;
                };
                let pod = self.target_pod(ns, end.target_ref.as_ref());
                ends.push(EndRow { list, place: place(at), address, pod });
            }
        }
        SubsetRow { place: Some(place(number)), ports, ends: ends.into(), names: 0 }
    }

    fn slice_ports(&mut self, ports: &[EndpointPort<'_>]) -> Box<[SlicePort]> {
        let ports = ports.iter().map(|port| SlicePort {
            name: self.symbols.intern(&port.name),
            // The server refuses another one, and fills in TCP.
            protocol: Protocol::of(&port.protocol).unwrap_or(Protocol::Tcp),
            number: port.port.0.map(|_| number(port.port)),
        });
        ports.collect()
    }

    /// The pod that an address is said to be of.
    fn target_pod(&mut self, ns: Sym, target: Option<&TargetRef<'_>>) -> Option<(Sym, Sym)> {
        let target = target.filter(|t| &*t.kind == "Pod" && !t.name.is_empty())?;
        let ns = if target.namespace.is_empty() { ns } else { self.sym(&target.namespace) };
        Some((ns, self.sym(&target.name)))
    }
}
