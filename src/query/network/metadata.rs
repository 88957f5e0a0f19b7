//! Who reaches the metadata service of a machine of a cloud.

use super::find::Finder;
use super::judge::Judged;
use crate::attacks::has_metadata;
use crate::world::UNKNOWN_NODE;
use crate::world::network::{ClassIx, Direction, End, PortSpec, State};
use ipnet::IpNet;
use rustc_hash::FxHashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Finder<'_, '_> {
    /// Whether a workload reaches the metadata service of a machine of a cloud; `None` if none of
    /// its machines has one.
    pub(super) fn metadata(&mut self, group: u32) -> Option<Judged> {
        let (ground, world) = (self.judge.ground, self.judge.ground.world);
        let unknown = world.symbols.get(UNKNOWN_NODE).and_then(|name| world.node(name));
        let mut best: Option<Judged> = None;
        let mut seen: FxHashSet<(ClassIx, bool)> = FxHashSet::default();
        for host in &ground.group(group).hosts {
            let Some(class) = ground.network.class_of(*host) else { continue };
            let on_node = world.host_spec(*host).host_network;
            let node = world.host_node(*host).filter(|n| Some(*n) != unknown);
            let there = match node {
                Some(node) => {
                    self.cloud[node.index()] || on_node && has_metadata(world, node, true)
                }
                None => self.cloud.contains(&true),
            };
            if !there || !seen.insert((class, node.is_some())) {
                continue;
            }
            let mut judged = match self.known.get(&class) {
                Some(known) => known.clone(),
                None => {
                    let judged = self.to_metadata(class);
                    self.known.insert(class, judged.clone());
                    judged
                }
            };
            if node.is_none() && judged.state == State::Allowed {
                let text = "its node is not in the snapshot, and others have a metadata service";
                judged = Judged::of(State::Unknown, text);
            }
            best = Some(best.map_or_else(|| judged.clone(), |known| known.or(judged.clone())));
        }
        best
    }

    fn to_metadata(&self, class: ClassIx) -> Judged {
        let http = [PortSpec::tcp(80)];
        let ports = if self.question.ports.is_empty() { &http[..] } else { &self.question.ports };
        let net = |address: IpAddr| End::Net(IpNet::from(address));
        let v4 = net(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)));
        let judged = self.judge.with(class, Direction::Egress, v4, ports);
        let dual = self.judge.ground.world.network.pod_blocks.iter();
        if judged.state != State::Denied || !dual.clone().any(|b| matches!(b, IpNet::V6(_))) {
            return judged;
        }
        let second = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254));
        let judged = self.judge.with(class, Direction::Egress, net(second), ports);
        if judged.state == State::Denied {
            return judged;
        }
        let text =
            "policies close 169.254.169.254 and leave fd00:ec2::254, which few machines answer at";
        Judged { facts: judged.facts, ..Judged::of(State::Unknown, text) }
    }
}
