//! The outside: every address, in ranges that no policy splits.

use crate::sym::Sym;
use crate::world::World;
use crate::world::network::{Peer, Rule, Spaces};
use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of one family, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    v6: bool,
    first: u128,
    last: u128,
}

impl Range {
    /// Every address of a family.
    #[must_use]
    pub fn whole(v6: bool) -> Self {
        Self { v6, first: 0, last: if v6 { u128::MAX } else { u128::from(u32::MAX) } }
    }

    /// The addresses of a block.
    #[must_use]
    pub fn of(net: &IpNet) -> Self {
        let number = |address: IpAddr| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let v6 = matches!(net, IpNet::V6(_));
        Self { v6, first: number(net.network()), last: number(net.broadcast()) }
    }

    /// Whether it is every address of its family.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Self::whole(self.v6)
    }

    /// Whether the internet routes some of it, as far as its family's private blocks tell.
    #[must_use]
    pub fn is_public(&self) -> bool {
        let private = PRIVATE.iter().filter_map(|text| text.parse::<IpNet>().ok());
        !private.map(|net| Self::of(&net)).any(|p| p.holds(self))
    }

    /// Whether another lies in it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.first && other.last <= self.last
    }

    /// What two have in common.
    #[must_use]
    pub fn common(&self, other: &Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (self.v6 == other.v6 && first <= last).then_some(Self { v6: self.v6, first, last })
    }

    /// The two as one, if one follows the other.
    #[must_use]
    pub fn joined(&self, next: &Self) -> Option<Self> {
        let follows = self.v6 == next.v6 && self.last.checked_add(1) == Some(next.first);
        follows.then_some(Self { last: next.last, ..*self })
    }

    /// Its addresses for people: one, a block, or from one to another.
    #[must_use]
    pub fn words(&self) -> String {
        if self.is_whole() {
            return format!("every {} address", if self.v6 { "IPv6" } else { "IPv4" });
        }
        if self.first == self.last {
            return self.at(self.first).to_string();
        }
        match self.nets().as_slice() {
            [net] => net.to_string(),
            _ => self.to_string(),
        }
    }

    /// One of its addresses.
    #[must_use]
    pub fn address(&self) -> IpNet {
        IpNet::from(self.at(self.first))
    }

    /// The blocks that it is made of.
    #[must_use]
    pub fn nets(&self) -> Vec<IpNet> {
        match (self.at(self.first), self.at(self.last)) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
            }
            _ => Vec::new(),
        }
    }

    fn at(&self, bits: u128) -> IpAddr {
        if self.v6 {
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        } else {
            IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX)))
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at(self.first), self.at(self.last))
    }
}

/// Blocks that the internet does not route.
const PRIVATE: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
    "fc00::/7",
    "fe80::/10",
];

/// The borders that policies draw between addresses.
#[derive(Debug, Default)]
pub struct Borders {
    /// Those of all policies.
    all: Vec<(bool, u128)>,
    /// Those of policies of one namespace.
    of: BTreeMap<Sym, Vec<(bool, u128)>>,
    /// Those of policies of the whole cluster.
    wide: Vec<(bool, u128)>,
    v6: bool,
}

impl Borders {
    /// Reads the blocks of every policy. O(blocks).
    #[must_use]
    pub fn new(world: &World) -> Self {
        let v6 = world.network.pod_blocks.iter().any(|net| matches!(net, IpNet::V6(_)));
        let mut borders = Self { v6, ..Self::default() };
        for policy in &world.policies {
            borders.add(Some(policy.ns), &policy.rules);
        }
        for section in world.network.others.iter().flat_map(|p| &p.says.sections) {
            let ns = match &section.pods.spaces {
                Spaces::One(ns) => Some(*ns),
                Spaces::Selected(_) => None,
            };
            borders.add(ns, &section.rules);
        }
        for list in borders.of.values_mut() {
            list.extend(&borders.wide);
            list.sort_unstable();
            list.dedup();
        }
        for list in [&mut borders.all, &mut borders.wide] {
            list.sort_unstable();
            list.dedup();
        }
        borders
    }

    fn add(&mut self, ns: Option<Sym>, rules: &[Rule]) {
        for peer in rules.iter().flat_map(|rule| &rule.peers) {
            let Peer::Block(block) = peer else { continue };
            for net in std::iter::once(&block.net).chain(&block.except) {
                let Range { v6, first, last } = Range::of(net);
                self.v6 |= v6;
                let ends = std::iter::once((v6, first)).chain(last.checked_add(1).map(|n| (v6, n)));
                for end in ends {
                    self.all.push(end);
                    match ns {
                        Some(ns) => self.of.entry(ns).or_default().push(end),
                        None => self.wide.push(end),
                    }
                }
            }
        }
    }

    /// Every address there is: of IPv6 only where the snapshot uses it.
    #[must_use]
    pub fn outside(&self) -> Vec<Range> {
        let mut whole = vec![Range::whole(false)];
        whole.extend(self.v6.then(|| Range::whole(true)));
        whole
    }

    /// Ranges, split wherever a policy that may select pods of a namespace tells addresses apart.
    #[must_use]
    pub fn near(&self, ranges: &[Range], ns: Sym) -> Vec<Range> {
        cut(ranges, self.of.get(&ns).unwrap_or(&self.wide))
    }

    /// Ranges, split wherever any policy tells addresses apart.
    #[must_use]
    pub fn everywhere(&self, ranges: &[Range]) -> Vec<Range> {
        cut(ranges, &self.all)
    }
}

fn cut(ranges: &[Range], borders: &[(bool, u128)]) -> Vec<Range> {
    let mut pieces = Vec::new();
    for range in ranges {
        let mut left = *range;
        let from = borders.partition_point(|b| *b <= (left.v6, left.first));
        for (_, border) in borders[from..].iter().take_while(|b| **b <= (range.v6, range.last)) {
            pieces.push(Range { last: border - 1, ..left });
            left.first = *border;
        }
        pieces.push(left);
    }
    pieces
}
