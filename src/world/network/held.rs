//! Whose address an address is: that of a pod, a node or a Service.

use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::{NodeIx, PodIx, ServiceIx, World};
use ipnet::IpNet;
use std::net::IpAddr;

/// An address that a pod or a Service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::world) struct HeldRow {
    pub(in crate::world) address: IpAddr,
    pub(in crate::world) ns: Sym,
    pub(in crate::world) name: Sym,
    pub(in crate::world) service: bool,
}

/// Who has an address of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A pod that runs, on a network of its own.
    Pod(PodIx),
    /// A machine, by any of its addresses.
    Node(NodeIx),
    /// What is sent there goes on to one of its pods.
    Service(ServiceIx),
}

impl World {
    /// Who has an address; `None` for what is outside, as far as the snapshot shows. O(nodes).
    #[must_use]
    pub fn holder(&self, address: IpAddr) -> Option<Holder> {
        self.holders(&IpNet::from(address)).next()
    }

    /// Whoever has an address of a block. O(nodes + found).
    pub fn holders(&self, net: &IpNet) -> impl Iterator<Item = Holder> {
        let net = *net;
        let held = &self.network.held;
        // The order of addresses has the families apart.
        let start = held.partition_point(|row| row.address < net.network());
        let pods = held[start..].iter().take_while(move |row| row.address <= net.broadcast());
        let nodes = (0..self.nodes.len()).map(NodeIx::new).filter(move |node| {
            let addresses = self.nodes[node.index()].addresses.iter();
            let mut addresses = addresses.filter_map(|(_, a)| self.text(*a).parse::<IpAddr>().ok());
            addresses.any(|address| net.contains(&address))
        });
        let pods = pods.filter_map(|row| {
            if row.service {
                return self.service(row.ns, row.name).map(Holder::Service);
            }
            // A pod on its machine's network has the machine's address.
            let own = |pod: &PodIx| {
                self.is_running(*pod) && !self.host_spec(Host::Pod(*pod)).host_network
            };
            Some(Holder::Pod(self.pod(row.ns, row.name).filter(own)?))
        });
        pods.chain(nodes.map(Holder::Node))
    }
}
