//! Who can reach whom: network policies of every kind, evaluated alike.
//!
//! Each kind of policy is lowered into one common form ([`Rule`]s in tiers, `form`), pods are
//! grouped into classes that no policy tells apart ([`Class`]), and a question is answered by a
//! walk over the policies of one class: [`Network::verdict`] for two ends and a port, with the
//! reason. Nothing is kept for pairs of classes, so that the cost is linear in pods and policies.
//!
//! Answers have three values. A walk collects what may happen: where a rule may match and may not,
//! both ways are followed. What is only allowed in all of them is [`State::Allowed`], what is
//! allowed in none is [`State::Denied`], and the rest is [`State::Unknown`] with its reason.
//!
//! ```text
//! let network = world.network().with(switches);       // the tables are made once a world
//! let verdict = network.verdict(End::Internet, End::Host(host), PortSpec::tcp(8080));
//! if verdict.state != State::Denied {
//!     for reason in &verdict.ingress.reasons { evidence.extend(network.facts(reason)) }
//! }
//! // Who of some reaches a port, without asking for each.
//! let found = Across::new(network).best(class, Direction::Ingress, PortSpec::tcp(6379), &among);
//! ```

mod across;
mod address;
mod beside;
mod class;
mod entry;
mod expr;
mod find;
mod form;
mod gone;
mod held;
mod judge;
pub mod plugin;
mod reach;
mod verdict;
mod words;

pub use across::Across;
pub use class::{Class, ClassIx};
pub use expr::{Compare, Expr, Key, Truth};
pub(in crate::world) use form::tier;
pub use form::{
    Action, Block, Direction, Entity, Family, OtherRow, Peer, Place, Pods, Ports, Protocol, Role,
    Rule, Section, Spaces,
};
pub use gone::Gone;
pub(in crate::world) use held::HeldRow;
pub use held::Holder;
pub use judge::{Doubt, Judgement, Reason, State};
pub use reach::Span;
pub use verdict::{End, PortSpec, Verdict};

use super::World;
use super::gateway::Item;
use super::objects::Objects;
use super::rows::Row;
use class::Tables;
use ipnet::IpNet;
use plugin::{Enforces, Plugin};
use rustc_hash::FxHashSet;
use std::sync::OnceLock;

/// What the world keeps for this room.
#[derive(Debug)]
pub struct Policies {
    /// Policies of kinds other than NetworkPolicy, by kind, namespace and name.
    pub others: Vec<Item<OtherRow>>,
    /// Where pods have their addresses, as few blocks as possible; empty if none is shown.
    pub pod_blocks: Vec<IpNet>,
    /// Whose the addresses of pods and Services are, sorted.
    held: Vec<HeldRow>,
    node_blocks: OnceLock<Vec<IpNet>>,
    tables: OnceLock<Tables>,
    plugin: OnceLock<Plugin>,
}

pub(super) fn resolve(
    others: Vec<Row<OtherRow>>,
    pod_blocks: FxHashSet<IpNet>,
    mut held: Vec<HeldRow>,
    objects: &mut Objects,
) -> Policies {
    let mut blocks: Vec<IpNet> = pod_blocks.into_iter().collect();
    blocks.sort_unstable();
    held.sort_unstable();
    held.dedup();
    held.shrink_to_fit();
    Policies {
        others: super::gateway::table(others, |row| row.kind, objects),
        pod_blocks: IpNet::aggregate(&blocks),
        held,
        node_blocks: OnceLock::new(),
        tables: OnceLock::new(),
        plugin: OnceLock::new(),
    }
}

/// What policies alone do not tell: the plugin decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// NetworkPolicies are enforced.
    pub kubernetes: Truth,
    /// AdminNetworkPolicies and BaselineAdminNetworkPolicies are.
    pub admin: Truth,
    /// ClusterNetworkPolicies of `policy.networking.k8s.io` are.
    pub cluster: Truth,
    /// Cilium's own are.
    pub cilium: Truth,
    /// Calico's own are.
    pub calico: Truth,
    /// Antrea's own are.
    pub antrea: Truth,
    /// Those of `networking.k8s.aws` are.
    pub aws: Truth,
    /// Those of other kinds that are not evaluated are.
    pub others: Truth,
    /// An `ipBlock` of a NetworkPolicy matches pods by their addresses.
    pub blocks_match_pods: Truth,
    /// It matches nodes by theirs.
    pub blocks_match_nodes: Truth,
    /// A block of a policy of Cilium does.
    pub cidrs_match_nodes: Truth,
}

impl Default for Switches {
    /// Every policy is enforced: its author meant it. Whether blocks match pods is not known.
    fn default() -> Self {
        Self {
            kubernetes: Truth::Yes,
            admin: Truth::Yes,
            cluster: Truth::Yes,
            cilium: Truth::Yes,
            calico: Truth::Yes,
            antrea: Truth::Yes,
            aws: Truth::Yes,
            others: Truth::Yes,
            blocks_match_pods: Truth::Maybe,
            blocks_match_nodes: Truth::Yes,
            cidrs_match_nodes: Truth::No,
        }
    }
}

impl Switches {
    /// What a plugin makes of policies. Where it is not known whether it enforces them, both may
    /// be.
    #[must_use]
    pub fn of(plugin: &Plugin) -> Self {
        let enforced = |policies: plugin::Policies| {
            let known = plugin.kinds.iter().find(|(kind, _)| *kind == policies);
            truth(known.map_or(plugin.enforces, |(_, enforces)| *enforces))
        };
        Self {
            kubernetes: enforced(plugin::Policies::Plain),
            admin: enforced(plugin::Policies::Admin),
            cluster: enforced(plugin::Policies::Cluster),
            cilium: enforced(plugin::Policies::Cilium),
            calico: enforced(plugin::Policies::Calico),
            antrea: enforced(plugin::Policies::Antrea),
            aws: enforced(plugin::Policies::Aws),
            others: truth(plugin.enforces),
            blocks_match_pods: match plugin.blocks_match_pods {
                Some(true) => Truth::Yes,
                Some(false) => Truth::No,
                None => Truth::Maybe,
            },
            // What knows pods by their labels and not by their addresses knows nodes so too.
            blocks_match_nodes: match plugin.blocks_match_pods {
                Some(false) => plugin.blocks_match_nodes.into(),
                _ => Truth::Yes,
            },
            cidrs_match_nodes: plugin.blocks_match_nodes.into(),
        }
    }

    /// The switches if whatever may be enforced is, of the families that are evaluated.
    #[must_use]
    pub fn meant(self) -> Self {
        let sure = |t: Truth| if t == Truth::Maybe { Truth::Yes } else { t };
        Self {
            kubernetes: sure(self.kubernetes),
            admin: sure(self.admin),
            cluster: sure(self.cluster),
            cilium: sure(self.cilium),
            calico: sure(self.calico),
            ..self
        }
    }

    /// Whether policies of a family are enforced.
    #[must_use]
    pub const fn enforced(&self, family: Family) -> Truth {
        match family {
            Family::Kubernetes => self.kubernetes,
            Family::Admin => self.admin,
            Family::Cluster => self.cluster,
            Family::Cilium => self.cilium,
            Family::Calico => self.calico,
            Family::Antrea => self.antrea,
            Family::Aws => self.aws,
            Family::Other => self.others,
        }
    }
}

const fn truth(enforces: Enforces) -> Truth {
    match enforces {
        Enforces::Yes => Truth::Yes,
        Enforces::Unknown => Truth::Maybe,
        Enforces::No => Truth::No,
    }
}

/// Whether policies speak of nodes' own traffic: those of Cilium that select nodes, and those that
/// Calico applies to the interfaces of hosts.
fn of_nodes(world: &World) -> bool {
    let calico = |group: &str| matches!(group, "crd.projectcalico.org" | "projectcalico.org");
    let interfaces = |((group, kind), count): (&(String, String), &u64)| {
        calico(group) && kind == "HostEndpoint" && *count > 0
    };
    world.seen.iter().any(interfaces)
        || world.network.others.iter().any(|row| matches!(row.says.role, Role::OfNodes))
}

/// The network of a world, to ask.
#[derive(Debug, Clone, Copy)]
pub struct Network<'w> {
    world: &'w World,
    tables: &'w Tables,
    switches: Switches,
    gone: &'w [Gone],
    /// The internet is asked about by IPv6, or by IPv4, alone.
    v6: Option<bool>,
}

impl World {
    /// The network under the plugin that runs, or that the user says runs: its tables are made at
    /// the first call. O(pods + policies · pods of a policy).
    #[must_use]
    pub fn network(&self) -> Network<'_> {
        let tables = self.network.tables.get_or_init(|| Tables::new(self));
        let switches = Switches::of(self.plugin());
        Network { world: self, tables, switches, gone: &[], v6: None }
    }

    /// The plugin that moves packets and holds them back. O(pods) at the first call.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        self.network.plugin.get_or_init(|| self.network_plugin())
    }
}

impl<'w> Network<'w> {
    /// The same network under another plugin.
    #[must_use]
    pub const fn with(self, switches: Switches) -> Self {
        Self { switches, ..self }
    }

    /// The same network where the internet has addresses of one family alone, as what it reaches
    /// has, if that is so.
    #[must_use]
    pub const fn by(self, v6: Option<bool>) -> Self {
        Self { v6, ..self }
    }

    /// The switches in force.
    #[must_use]
    pub const fn switches(&self) -> Switches {
        self.switches
    }
}
