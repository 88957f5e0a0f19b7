//! Addresses: which blocks hold pods and nodes, and which parts of the internet.

use super::entry::Entry;
use super::expr::Truth;
use super::form::{Block, Peer};
use crate::world::{NodeIx, World};
use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use rustc_hash::FxHashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Parts of the IPv4 space, first and last, that the internet does not route
/// (IANA's registry of special purposes). Blocks for documentation are taken for public: that is
/// what they stand for in examples.
const NOT_PUBLIC: &[([u8; 4], [u8; 4])] = &[
    ([0, 0, 0, 0], [0, 255, 255, 255]),
    ([10, 0, 0, 0], [10, 255, 255, 255]),
    ([100, 64, 0, 0], [100, 127, 255, 255]),
    ([127, 0, 0, 0], [127, 255, 255, 255]),
    ([169, 254, 0, 0], [169, 254, 255, 255]),
    ([172, 16, 0, 0], [172, 31, 255, 255]),
    ([192, 0, 0, 0], [192, 0, 0, 255]),
    ([192, 168, 0, 0], [192, 168, 255, 255]),
    ([198, 18, 0, 0], [198, 19, 255, 255]),
    ([224, 0, 0, 0], [255, 255, 255, 255]),
];

/// A range of addresses of one family, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    pub(super) v6: bool,
    pub(super) first: u128,
    pub(super) last: u128,
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn v4(bits: u128) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX))
}

impl Range {
    fn of(net: &IpNet) -> Self {
        let v6 = matches!(net, IpNet::V6(_));
        Self { v6, first: number(net.network()), last: number(net.broadcast()) }
    }

    /// Its first address.
    pub(super) fn address(&self) -> IpNet {
        IpNet::from(if self.v6 {
            IpAddr::V6(Ipv6Addr::from_bits(self.first))
        } else {
            IpAddr::V4(v4(self.first))
        })
    }

    /// How many addresses it has, less one.
    pub(super) const fn size(&self) -> u128 {
        self.last - self.first
    }

    /// The blocks that it is made of.
    pub(super) fn nets(&self) -> Vec<IpNet> {
        if self.v6 {
            let (first, last) = (Ipv6Addr::from_bits(self.first), Ipv6Addr::from_bits(self.last));
            Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
        } else {
            Ipv4Subnets::new(v4(self.first), v4(self.last), 0).map(IpNet::V4).collect()
        }
    }
}

/// What the internet routes.
pub(super) fn public() -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut next = 0;
    for (first, last) in NOT_PUBLIC {
        let first = u128::from(u32::from_be_bytes(*first));
        if first > next {
            ranges.push(Range { v6: false, first: next, last: first - 1 });
        }
        next = u128::from(u32::from_be_bytes(*last)) + 1;
    }
    // 2000::/3, all that is given out.
    ranges.push(Range { v6: true, first: 1 << 125, last: (1 << 126) - 1 });
    ranges
}

/// Cuts ranges at the borders of blocks, so that each piece lies in a block or beside it.
pub(super) fn cut<'n>(ranges: Vec<Range>, blocks: impl Iterator<Item = &'n IpNet>) -> Vec<Range> {
    let mut borders: Vec<(bool, u128)> = Vec::new();
    for net in blocks {
        let Range { v6, first, last } = Range::of(net);
        borders.push((v6, first));
        borders.extend(last.checked_add(1).map(|next| (v6, next)));
    }
    borders.sort_unstable();
    borders.dedup();
    let mut pieces = Vec::new();
    for mut range in ranges {
        let from = borders.partition_point(|b| *b <= (range.v6, range.first));
        for (_, border) in borders[from..].iter().take_while(|b| **b <= (range.v6, range.last)) {
            pieces.push(Range { last: border - 1, ..range });
            range.first = *border;
        }
        pieces.push(range);
    }
    pieces
}

fn overlaps(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

/// Whether the addresses of a network are in a block.
pub(super) fn within(block: &Block, net: &IpNet) -> Truth {
    if !overlaps(&block.net, net) || block.except.iter().any(|e| e.contains(net)) {
        Truth::No
    } else if block.net.contains(net) && !block.except.iter().any(|e| overlaps(e, net)) {
        Truth::Yes
    } else {
        Truth::Maybe
    }
}

/// Whether all of some networks are in a block; of none, it cannot be told.
fn all_within(block: &Block, nets: &[IpNet]) -> Truth {
    let v6 = |net: &IpNet| matches!(net, IpNet::V6(_));
    let mut found = None;
    for net in nets.iter().filter(|n| v6(n) == v6(&block.net)) {
        let one = within(block, net);
        match found {
            None => found = Some(one),
            Some(known) if known != one => return Truth::Maybe,
            Some(_) => {}
        }
    }
    // Pods have addresses, and none of this family.
    found.unwrap_or(Truth::No)
}

/// For every block that a rule speaks of, whether it holds the pods' addresses.
pub(super) fn blocks(world: &World, entries: &[Entry]) -> FxHashMap<Block, Truth> {
    let mut known = FxHashMap::default();
    let shown = &world.network.pod_blocks;
    for peer in entries.iter().flat_map(|e| e.rules(world)).flat_map(|r| &r.peers) {
        let Peer::Block(block) = peer else { continue };
        if known.contains_key(block) {
            continue;
        }
        let holds = match shown.as_slice() {
            [] if block.net.prefix_len() == 0 && block.except.is_empty() => Truth::Yes,
            [] => Truth::Maybe,
            shown => all_within(block, shown),
        };
        known.insert(block.clone(), holds);
    }
    known
}

/// Whether a block holds a node: the address that its requests bear.
pub(super) fn node_within(world: &World, block: &Block, node: NodeIx) -> Truth {
    let addresses = &world.nodes[node.index()].addresses;
    let own: Vec<IpNet> = addresses
        .iter()
        .filter(|(kind, _)| world.text(*kind) == "InternalIP")
        .filter_map(|(_, address)| world.text(*address).parse::<IpAddr>().ok())
        .map(IpNet::from)
        .collect();
    if own.is_empty() { Truth::Maybe } else { all_within(block, &own) }
}

/// Whether a block holds the nodes: all of their addresses, or none.
pub(super) fn nodes_within(world: &World, block: &Block) -> Truth {
    match world.network.node_blocks.get_or_init(|| node_blocks(world)).as_slice() {
        [] if block.net.prefix_len() == 0 && block.except.is_empty() => Truth::Yes,
        [] => Truth::Maybe,
        shown => all_within(block, shown),
    }
}

/// Where nodes have their addresses, in blocks so few that asking is cheap. Larger blocks than
/// they fill make answers less sure, never wrong.
fn node_blocks(world: &World) -> Vec<IpNet> {
    const ENOUGH: usize = 64;
    let addresses = world.nodes.iter().flat_map(|node| node.addresses.iter());
    let own = addresses.filter(|(kind, _)| world.text(*kind) == "InternalIP");
    let own = own.filter_map(|(_, address)| world.text(*address).parse::<IpAddr>().ok());
    let mut blocks = IpNet::aggregate(&own.map(IpNet::from).collect());
    while blocks.len() > ENOUGH {
        let wider = blocks.iter().map(|net| net.supernet().unwrap_or(*net)).collect();
        blocks = IpNet::aggregate(&wider);
    }
    blocks
}
