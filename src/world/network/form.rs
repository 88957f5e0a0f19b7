//! The common form of network policies: what each kind of policy is lowered into.

use super::expr::{Expr, Truth};
use crate::sym::Sym;
use crate::world::remap::{Map, Remap};
use ipnet::IpNet;

/// Which end of a connection a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Of the pod that is connected to.
    Ingress,
    /// Of the pod that connects.
    Egress,
}

impl Direction {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// A protocol that policies tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    /// The protocol of a name; `None` for another one, such as ICMP.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [(Self::Tcp, "TCP"), (Self::Udp, "UDP"), (Self::Sctp, "SCTP")]
            .into_iter()
            .find(|(_, known)| name.eq_ignore_ascii_case(known))
            .map(|(protocol, _)| protocol)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

/// Which API a policy is of. Plugins enforce some and not others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// NetworkPolicy of `networking.k8s.io`.
    Kubernetes,
    /// AdminNetworkPolicy and BaselineAdminNetworkPolicy of `policy.networking.k8s.io`.
    Admin,
    /// ClusterNetworkPolicy of the same group, which came after them: no plugin enforces both.
    Cluster,
    /// The policies of `cilium.io`.
    Cilium,
    /// The policies of `projectcalico.org`.
    Calico,
    /// Those of Antrea, which are not evaluated.
    Antrea,
    /// Those of `networking.k8s.aws`, which are not evaluated.
    Aws,
    /// Those of other kinds that are not evaluated.
    Other,
}

impl Family {
    /// Whether what its policies say is evaluated; what those of others select is unknown.
    #[must_use]
    pub const fn is_evaluated(self) -> bool {
        !matches!(self, Self::Antrea | Self::Aws | Self::Other)
    }
}

/// What a matching rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Allow,
    Deny,
    /// The rest of the tier is skipped.
    Pass,
}

/// Pods, of one namespace or of selected ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pods {
    pub spaces: Spaces,
    /// Of their labels and whatever else tells pods of a namespace apart.
    pub pods: Expr,
}

/// Namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Spaces {
    One(Sym),
    /// By name and labels alone.
    Selected(Expr),
}

impl Spaces {
    /// Whether a part of the selector could not be read.
    #[must_use]
    pub fn is_vague(&self) -> bool {
        matches!(self, Self::Selected(expr) if expr.is_vague())
    }
}

/// A block of addresses, less some.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Block {
    pub net: IpNet,
    pub except: Box<[IpNet]>,
}

/// Groups of peers that Cilium knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entity {
    World,
    /// Of the world, addresses of one family.
    WorldV4,
    WorldV6,
    Cluster,
    Host,
    RemoteNode,
    ApiServer,
    /// Cilium's own proxies of Ingresses and Gateways.
    Ingress,
    Unmanaged,
}

/// Who may be at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Everybody, inside and outside.
    Any,
    Pods(Pods),
    Block(Block),
    /// Nodes, by their labels.
    Nodes(Expr),
    Entity(Entity),
    /// What cannot be evaluated, in words, and whether only what is outside can be meant.
    Unknown(Sym, bool),
}

/// Ports that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ports {
    /// Both ends included; `None` for every protocol.
    Numbers(Option<Protocol>, u16, u16),
    /// Resolved by each pod that is connected to; `None` for every protocol.
    Named(Option<Protocol>, Sym),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    pub direction: Direction,
    /// Where in the policy it stands.
    pub field: Sym,
    pub action: Action,
    /// One of them is at the other end.
    pub peers: Box<[Peer]>,
    /// One of them is connected to; `None` for all.
    pub ports: Option<Box<[Ports]>>,
    /// Pods of the policy that it is limited to.
    pub own: Option<Expr>,
    /// What else it asks for, in words: it may match, and never surely.
    pub doubt: Option<Sym>,
}

/// What a policy says about one direction of its pods.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Section {
    pub direction: Direction,
    pub pods: Pods,
    /// What no rule of the tier matches is denied.
    pub isolates: Truth,
    /// Tiers are asked in this order, and the policies of one by `order`.
    pub tier: Place,
    pub order: Place,
    /// In their order; of this direction.
    pub rules: Box<[Rule]>,
}

/// A place in an order, which may be a broken number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u64);

impl Place {
    /// Before everything.
    pub const FIRST: Self = Self(0);
    /// After everything with a number.
    pub const LAST: Self = Self(u64::MAX);

    /// The place of a number.
    #[must_use]
    pub fn of(number: f64) -> Self {
        let bits = number.to_bits();
        // Floats compare as their bits do, once the sign is turned.
        Self(if number.is_sign_negative() { !bits } else { bits | 1 << 63 })
    }
}

/// Where the tiers of policies stand that have no number of their own. The numbers are Calico's,
/// which enforces all of them (`libcalico-go/lib/apis/v3/tier.go`).
pub(in crate::world) mod tier {
    /// Of policies of the cluster's administrators.
    pub(in crate::world) const ADMIN: f64 = 1_000.0;
    /// Of NetworkPolicies, and of the policies of plugins that stand beside them.
    pub(in crate::world) const DEFAULT: f64 = 1_000_000.0;
    /// Of what holds where no NetworkPolicy decides.
    pub(in crate::world) const BASELINE: f64 = 10_000_000.0;
    /// Where NetworkPolicies stand in their tier.
    pub(in crate::world) const KUBERNETES: f64 = 1_000.0;
}

/// A policy of a kind that is not Kubernetes' own, or something that such policies speak of.
#[derive(Debug, Clone)]
pub struct OtherRow {
    pub kind: Sym,
    pub family: Family,
    pub sections: Box<[Section]>,
    pub role: Role,
}

/// What it is.
#[derive(Debug, Clone)]
pub enum Role {
    /// Its sections say where it stands.
    Policy,
    /// It speaks of nodes' own traffic.
    OfNodes,
    /// It stands in a tier of this name.
    InTier(Sym),
    /// A tier; at the end of it, what a policy selects and no rule matches passes on, or is denied.
    Tier { order: Place, passes: bool },
    /// Addresses that selectors mean by their labels.
    Addresses(Box<[IpNet]>),
    /// It is not evaluated, and may hold back what its sections select; only what goes outside if
    /// so.
    Unread { outside: bool },
}

impl Remap for Pods {
    fn remap(&mut self, map: &Map<'_>) {
        match &mut self.spaces {
            Spaces::One(ns) => map.sym(ns),
            Spaces::Selected(expr) => expr.remap(map),
        }
        self.pods.remap(map);
    }
}

impl Remap for Rule {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.field);
        for peer in &mut self.peers {
            match peer {
                Peer::Pods(pods) => pods.remap(map),
                Peer::Nodes(expr) => expr.remap(map),
                Peer::Unknown(what, _) => map.sym(what),
                Peer::Any | Peer::Block(_) | Peer::Entity(_) => {}
            }
        }
        for ports in self.ports.iter_mut().flatten() {
            if let Ports::Named(_, name) = ports {
                map.sym(name);
            }
        }
        if let Some(own) = &mut self.own {
            own.remap(map);
        }
        if let Some(doubt) = &mut self.doubt {
            map.sym(doubt);
        }
    }
}

impl Remap for OtherRow {
    fn remap(&mut self, map: &Map<'_>) {
        map.sym(&mut self.kind);
        if let Role::InTier(name) = &mut self.role {
            map.sym(name);
        }
        for section in &mut self.sections {
            section.pods.remap(map);
            section.rules.iter_mut().for_each(|rule| rule.remap(map));
        }
    }
}
