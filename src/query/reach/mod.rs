//! Who reaches whom over the network, at the level that a person asks about.
//!
//! The network answers for classes of pods. Here they become pods, workloads or namespaces
//! ([`Ground`]), connections between these and the outside ([`connect`](Ground::between)), lines
//! that stand for many alike ([`compact`]), doors to the outside ([`doors`]), a verdict in words
//! ([`explain`]) and what would turn it around (`change`). Nothing is kept for pairs.

pub mod around;
pub mod bundles;
mod change;
pub mod compact;
mod connect;
pub mod doors;
pub mod explain;
mod fronts;
pub mod held;
pub mod ports;
mod range;

pub use range::{Borders, Range};

use crate::graph::{Graph, NodeId, Thing};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::network::plugin::{Enforces, Plugin};
use crate::world::network::{ClassIx, Direction, Gone, Holder, Network, Spaces, Switches, Truth};
use crate::world::{NodeIx, PodIx, WorkloadIx, World};
use ipnet::IpNet;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Each pod by itself.
    Pod,
    /// The pods of one top owner.
    Workload,
    /// The pods of a namespace.
    Namespace,
}

impl Level {
    /// The word for it, and for several.
    #[must_use]
    pub const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Pod => ("pod", "pods"),
            Self::Workload => ("workload", "workloads"),
            Self::Namespace => ("namespace", "namespaces"),
        }
    }
}

/// Pods that one row stands for.
#[derive(Debug)]
pub struct Group {
    /// Its namespace.
    pub ns: Sym,
    /// `shop/web[Deployment]`, as the cluster spells it.
    pub name: String,
    /// What runs in it.
    pub hosts: Vec<Host>,
    /// The classes of these, each once.
    pub classes: Vec<ClassIx>,
}

/// One side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// A group, by number.
    Group(u32),
    /// A machine, by its own address.
    Node(NodeIx),
    /// Addresses outside.
    Range(Range),
}

/// The sides that somebody asks about.
#[derive(Debug, Default)]
pub struct Wanted {
    /// By number, sorted.
    pub groups: Vec<u32>,
    /// Machines.
    pub nodes: Vec<NodeIx>,
    /// Addresses outside.
    pub ranges: Vec<Range>,
    /// Nobody chose: these are all.
    pub all: bool,
}

/// The switches that a plugin means. One that is not known is taken to enforce what was written,
/// unless the user says that this is not known.
#[must_use]
pub fn switches(world: &World) -> Switches {
    let switches = Switches::of(world.plugin());
    let unknown = world.plugin().enforces == Enforces::Unknown && world.said.enforces.is_none();
    if unknown { switches.meant() } else { switches }
}

/// The cluster's network at one level.
#[derive(Debug)]
pub struct Ground<'w> {
    /// The cluster.
    pub world: &'w World,
    /// Its network, under the plugin that is taken to run.
    pub network: Network<'w>,
    /// What a group is.
    pub level: Level,
    /// By namespace and name.
    pub groups: Vec<Group>,
    /// Where policies tell addresses apart.
    pub borders: Borders,
    /// Which groups have a pod with an address of its own on a node.
    local: FxHashSet<(NodeIx, u32)>,
    /// For each direction and class, whether some policy may have a say.
    judged: [Vec<bool>; 2],
    /// The same if the plugin enforced everything.
    meant: [Vec<bool>; 2],
}

impl<'w> Ground<'w> {
    /// Groups what runs. O(pods + policies).
    #[must_use]
    pub fn new(world: &'w World, level: Level) -> Self {
        Self::without(world, level, &[])
    }

    /// The same as if some policies or rules were gone.
    #[must_use]
    pub fn without(world: &'w World, level: Level, gone: &'w [Gone]) -> Self {
        let network = world.network().with(switches(world)).leaving_out(gone);
        let mut of: BTreeMap<(Sym, Of), Vec<Host>> = BTreeMap::new();
        for host in world.hosts() {
            if network.class_of(host).is_some() {
                of.entry(key(world, host, level)).or_default().push(host);
            }
        }
        // Names are made for groups only: most pods share theirs.
        let named = |((ns, of), hosts)| ((ns, name(world, ns, of)), hosts);
        let mut of: Vec<((Sym, String), Vec<Host>)> = of.into_iter().map(named).collect();
        of.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut groups = Vec::with_capacity(of.len());
        let mut local = FxHashSet::default();
        for ((ns, name), hosts) in of {
            let number = u32::try_from(groups.len()).unwrap_or(u32::MAX);
            let mut classes: Vec<_> = hosts.iter().filter_map(|h| network.class_of(*h)).collect();
            for host in hosts.iter().filter(|h| matches!(h, Host::Pod(_))) {
                if let (Some(node), false) =
                    (world.host_node(*host), world.host_spec(*host).host_network)
                {
                    local.insert((node, number));
                }
            }
            classes.sort_unstable();
            classes.dedup();
            groups.push(Group { ns, name, hosts, classes });
        }
        let meant = network.with(Switches::default());
        let directions = [Direction::Ingress, Direction::Egress];
        Self {
            world,
            network,
            level,
            groups,
            borders: Borders::new(world),
            local,
            judged: directions.map(|d| judged(world, network, d)),
            meant: directions.map(|d| judged(world, meant, d)),
        }
    }

    /// Every group's number.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        (0..).take(self.groups.len())
    }

    /// A group.
    #[must_use]
    pub fn group(&self, number: u32) -> &Group {
        &self.groups[number as usize]
    }

    /// Whether some policy may have a say about a group in a direction.
    #[must_use]
    pub fn is_judged(&self, group: u32, direction: Direction) -> bool {
        let of = &self.judged[direction as usize];
        self.group(group).classes.iter().any(|c| of[c.index()])
    }

    /// Whether a policy would have a say if the plugin enforced it.
    #[must_use]
    pub fn is_meant(&self, group: u32, direction: Direction) -> bool {
        let of = &self.meant[direction as usize];
        self.group(group).classes.iter().any(|c| of[c.index()])
    }

    /// The same of a class.
    pub(super) fn is_meant_of(&self, class: ClassIx, direction: Direction) -> bool {
        self.meant[direction as usize][class.index()]
    }

    /// How a side is called, as the cluster spells it.
    #[must_use]
    pub fn name(&self, side: Side) -> String {
        match side {
            Side::Group(group) => self.group(group).name.clone(),
            Side::Node(node) => format!("{}[Node]", self.world.text(self.node_name(node))),
            Side::Range(range) => range.to_string(),
        }
    }

    /// The same for people: addresses in as few words as they take.
    #[must_use]
    pub fn words_of(&self, side: Side) -> String {
        match side {
            Side::Range(range) => range.words(),
            _ => self.name(side),
        }
    }

    fn node_name(&self, node: NodeIx) -> Sym {
        self.world.nodes[node.index()].name
    }

    /// Everything: what is asked about when nobody chooses.
    #[must_use]
    pub fn everything(&self) -> Wanted {
        Wanted {
            groups: self.numbers().collect(),
            nodes: Vec::new(),
            ranges: self.borders.outside(),
            all: true,
        }
    }

    /// The groups of selected nodes of the graph, and machines among them. O(pods).
    #[must_use]
    pub fn wanted(&self, graph: &Graph, nodes: &[NodeId]) -> Wanted {
        let chosen: FxHashSet<NodeId> = nodes.iter().copied().collect();
        let has = |thing: Thing<'_>| graph.node(&thing).is_some_and(|n| chosen.contains(&n));
        let mut spaces: FxHashMap<Sym, bool> = FxHashMap::default();
        let mut wanted = Wanted::default();
        for number in self.numbers() {
            let group = self.group(number);
            let space = *spaces.entry(group.ns).or_insert_with(|| {
                let ns = self.world.namespace(group.ns);
                ns.is_some_and(|ns| has(Thing::Namespace(ns)))
            });
            let one = |host: &Host| {
                let above = match host {
                    Host::Pod(pod) => {
                        let top = self.world.pods[pod.index()].workload;
                        has(Thing::Pod(*pod)) || top.is_some_and(|w| has(Thing::Workload(w)))
                    }
                    Host::Template(workload) => has(Thing::Workload(*workload)),
                };
                let containers = self.world.host_spec(*host).containers.len();
                above || (0..containers).any(|c| has(Thing::Container(*host, c)))
            };
            if space || group.hosts.iter().any(one) {
                wanted.groups.push(number);
            }
        }
        let machines = (0..self.world.nodes.len()).map(NodeIx::new);
        wanted.nodes = machines.filter(|n| has(Thing::Node(*n))).collect();
        wanted
    }
}

impl Ground<'_> {
    /// Adds what a block of addresses means: a pod, a machine or the pods of a Service where it is
    /// the address of one, and otherwise what is outside. O(pods).
    pub fn add(&self, wanted: &mut Wanted, net: &IpNet) {
        let single = net.prefix_len() == net.max_prefix_len();
        let hosts = match self.world.holder(net.addr()).filter(|_| single) {
            Some(Holder::Pod(pod)) => vec![Host::Pod(pod)],
            Some(Holder::Service(service)) => self.world.behind(service),
            Some(Holder::Node(node)) => {
                wanted.nodes.push(node);
                wanted.nodes.sort_unstable();
                wanted.nodes.dedup();
                return;
            }
            None => Vec::new(),
        };
        let has = |g: &u32| self.group(*g).hosts.iter().any(|h| hosts.contains(h));
        let groups: Vec<u32> = self.numbers().filter(has).collect();
        if groups.is_empty() {
            wanted.ranges.push(Range::of(net));
            wanted.ranges.sort_unstable();
            wanted.ranges.dedup();
        }
        wanted.groups.extend(groups);
        wanted.groups.sort_unstable();
        wanted.groups.dedup();
    }
}

impl Wanted {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.nodes.is_empty() && self.ranges.is_empty()
    }

    /// The sides, groups first.
    pub fn sides(&self) -> impl Iterator<Item = Side> + '_ {
        let groups = self.groups.iter().map(|g| Side::Group(*g));
        let nodes = self.nodes.iter().map(|n| Side::Node(*n));
        groups.chain(nodes).chain(self.ranges.iter().map(|r| Side::Range(*r)))
    }
}

/// What a group is the group of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Namespace,
    Pod(PodIx),
    Workload(WorkloadIx),
}

/// The group that something is in, and its namespace.
fn key(world: &World, host: Host, level: Level) -> (Sym, Of) {
    let of = match (level, host) {
        (Level::Namespace, _) => Of::Namespace,
        (_, Host::Template(workload)) => Of::Workload(workload),
        (Level::Pod, Host::Pod(pod)) => Of::Pod(pod),
        (Level::Workload, Host::Pod(pod)) => {
            world.pods[pod.index()].workload.map_or(Of::Pod(pod), Of::Workload)
        }
    };
    (world.host_object(host).1, of)
}

/// A group's name, as the cluster spells it.
fn name(world: &World, ns: Sym, of: Of) -> String {
    let place = world.text(ns);
    match of {
        Of::Namespace => format!("{place}[Namespace]"),
        Of::Pod(pod) => format!("{place}/{}[Pod]", world.text(world.pods[pod.index()].name)),
        Of::Workload(workload) => {
            let w = &world.workloads[workload.index()];
            format!("{place}/{}[{}]", world.text(w.name), world.text(w.kind))
        }
    }
}

/// For each class, whether a policy may have a say in a direction.
fn judged(world: &World, network: Network<'_>, direction: Direction) -> Vec<bool> {
    let classes = network.classes();
    // Policies that do not isolate may still deny: all that they may select count.
    let (mut spaces, mut wide) = (FxHashSet::default(), false);
    for policy in &world.network.others {
        if network.switches().enforced(policy.says.family) == Truth::No {
            continue;
        }
        let some = policy.says.sections.iter();
        for section in some.filter(|s| s.direction == direction && s.isolates != Truth::Yes) {
            match &section.pods.spaces {
                Spaces::One(ns) => drop(spaces.insert(*ns)),
                Spaces::Selected(_) => wide = true,
            }
        }
    }
    let one = |(i, class): (usize, &crate::world::network::Class)| {
        class.node.is_none()
            && (wide
                || spaces.contains(&class.ns)
                || !network.isolation(ClassIx::new(i), direction).is_empty())
    };
    classes.iter().enumerate().map(one).collect()
}

/// Why nothing is held back although policies say so; `None` where they are enforced.
#[must_use]
pub fn unenforced(plugin: &Plugin) -> Option<String> {
    (plugin.enforces == Enforces::No).then(|| plugin.effect(&[], false))
}
