//! Classes of pods that no policy tells apart, and which policies select each.
//!
//! What a policy can see of a pod is its namespace, the labels that some selector mentions, its
//! named ports that some rule mentions, and, for some kinds, its service account. Replicas are
//! alike in all of these, so there are about as many classes as workloads.

use super::entry::{Entry, entries};
use super::expr::{Attributes, Compare, Expr, Key, Truth};
use super::find::{Finder, spaces};
use super::form::{Block, Direction, Peer, Pods, Ports, Protocol, Role, Rule, Spaces};
use crate::sym::Sym;
use crate::world::cons::Cons;
use crate::world::hosts::Host;
use crate::world::rows::Labels;
use crate::world::{NodeIx, World};
use ipnet::IpNet;
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

crate::index! { /// A class of pods.
ClassIx }

/// The value of a label that no selector mentions.
const OTHER: Sym = Sym(u32::MAX);

/// The labels that OpenShift documents for policies that are to let nodes in, or the routers,
/// which may be on the nodes' network.
const GROUPS: &[(&str, &str)] = &[
    ("policy-group.network.openshift.io/host-network", ""),
    ("policy-group.network.openshift.io/ingress", ""),
    ("network.openshift.io/policy-group", "ingress"),
];

/// These labels, with the value that one of them must have, as far as the snapshot knows them.
fn groups(world: &World) -> Vec<(Sym, Option<Sym>)> {
    let known = GROUPS.iter().filter_map(|(label, value)| {
        let value = Some(*value).filter(|value| !value.is_empty());
        let value = value.map(|value| world.symbols.get(value).unwrap_or(OTHER));
        Some((world.symbols.get(label)?, value))
    });
    known.collect()
}

/// Pods that no policy tells apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// The node whose network they share: no policy selects them, and others see the node's
    /// address. They may be of several namespaces, and `ns` is empty.
    pub node: Option<NodeIx>,
    pub ns: Sym,
    /// As far as selectors look at them.
    pub labels: Labels,
    /// Named ports that rules mention.
    pub ports: Box<[(Sym, Protocol, u16)]>,
    /// Of a world with policies that look at it; otherwise empty.
    pub account: Sym,
    /// Networks that they are on besides the one that policies are about.
    pub networks: Box<[Sym]>,
}

/// What is worked out once for a world.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) classes: Vec<Class>,
    /// The class of each pod and workload; `u32::MAX` for what does not run.
    of_pod: Vec<u32>,
    of_workload: Vec<u32>,
    /// What runs, by class; where each class starts.
    hosts: Vec<Host>,
    starts: Vec<u32>,
    /// By tier and order.
    pub(super) entries: Vec<Entry>,
    /// For each direction and class, the number of the list of entries that select it.
    selecting: [Vec<u32>; 2],
    lists: Vec<Box<[u32]>>,
    /// Each namespace with its classes.
    pub(super) spaces: Vec<(Sym, Range<u32>)>,
    /// Classes with a label, in their order.
    pub(super) postings: FxHashMap<(Sym, Sym), Vec<u32>>,
    /// The label that the API server gives every namespace: its name.
    pub(super) name_label: Option<Sym>,
    /// Labels of namespaces by which policies of OpenShift mean the nodes' network.
    groups: Vec<(Sym, Option<Sym>)>,
    /// Whether blocks of addresses hold pods.
    pub(super) blocks: FxHashMap<Block, Truth>,
    /// Sets of addresses that selectors of Calico mean, by place in the table of policies.
    pub(super) sets: Vec<u32>,
    /// Policies speak of nodes' own traffic, and are not evaluated.
    pub(super) of_nodes: bool,
    /// A namespace or an account that pods are of was not collected, and may have labels.
    pub(super) hidden: bool,
}

/// What a class or a namespace shows to selectors.
pub(super) struct Seen<'w> {
    pub(super) world: &'w World,
    pub(super) name_label: Option<Sym>,
    pub(super) ns: Sym,
    pub(super) labels: &'w [(Sym, Sym)],
    pub(super) account: Sym,
    pub(super) hidden: bool,
}

impl Attributes for Seen<'_> {
    fn value(&self, key: Key) -> Option<Sym> {
        let world = self.world;
        match key {
            Key::Label(key) => self.labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v),
            Key::Namespace => Some(self.ns).filter(|ns| !ns.is_empty()),
            // Whatever a manifest says, the API server writes the name.
            Key::NamespaceLabel(key) if Some(key) == self.name_label => Some(self.ns),
            Key::NamespaceLabel(key) => {
                let namespace = &world.namespaces[world.namespace(self.ns)?.index()];
                let labels = world.labels_of(namespace.object);
                labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
            }
            Key::Account => Some(self.account),
            Key::AccountLabel(key) => {
                let account = &world.accounts[world.account(self.ns, self.account)?.index()];
                let labels = world.labels_of(account.object);
                labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
            }
        }
    }

    /// Whoever writes manifests creates a namespace or an account without labels, unless he says
    /// so; one that a running cluster has and the snapshot lacks may have any.
    fn shows(&self, key: Key) -> bool {
        match key {
            _ if !self.hidden => true,
            Key::NamespaceLabel(_) => has_namespace(self.world, self.ns),
            Key::AccountLabel(_) => has_account(self.world, self.ns, self.account),
            Key::Label(_) | Key::Namespace | Key::Account => true,
        }
    }

    fn text(&self, sym: Sym) -> &str {
        self.world.text(sym)
    }
}

fn has_namespace(world: &World, ns: Sym) -> bool {
    let object = world.namespace(ns).map(|ix| world.namespaces[ix.index()].object);
    object.is_some_and(|object| world.objects[object.index()].is_present())
}

fn has_account(world: &World, ns: Sym, name: Sym) -> bool {
    let object = world.account(ns, name).map(|ix| world.accounts[ix.index()].object);
    object.is_some_and(|object| world.objects[object.index()].is_present())
}

/// What selectors look at.
#[derive(Default)]
struct Looks {
    /// The values that matter of each label; `None` if any may.
    labels: FxHashMap<Sym, Option<FxHashSet<Sym>>>,
    ports: FxHashSet<Sym>,
    accounts: bool,
}

impl Looks {
    fn at(&mut self, expr: &Expr) {
        expr.requirements(&mut |key, compare, values| match key {
            Key::Label(key) => {
                let known = self.labels.entry(key).or_insert_with(|| Some(FxHashSet::default()));
                match compare {
                    Compare::Contains | Compare::StartsWith | Compare::EndsWith => *known = None,
                    _ => {
                        if let Some(known) = known {
                            known.extend(values.iter().copied());
                        }
                    }
                }
            }
            Key::Account | Key::AccountLabel(_) => self.accounts = true,
            Key::Namespace | Key::NamespaceLabel(_) => {}
        });
    }

    fn rules(&mut self, rules: &[Rule]) {
        for rule in rules {
            for peer in &rule.peers {
                if let Peer::Pods(pods) = peer {
                    self.at(&pods.pods);
                }
            }
            if let Some(own) = &rule.own {
                self.at(own);
            }
            for ports in rule.ports.iter().flatten() {
                if let Ports::Named(_, name) = ports {
                    self.ports.insert(*name);
                }
            }
        }
    }

    /// The labels that selectors look at.
    fn project(&self, labels: &[(Sym, Sym)]) -> Labels {
        let seen = labels.iter().filter_map(|(key, value)| {
            let matters = self.labels.get(key)?;
            let kept = matters.as_ref().is_none_or(|known| known.contains(value));
            Some((*key, if kept { *value } else { OTHER }))
        });
        seen.collect()
    }
}

impl Tables {
    pub(super) fn new(world: &World) -> Self {
        let entries = entries(world);
        let mut looks = Looks::default();
        for entry in &entries {
            looks.at(&entry.pods(world).pods);
            looks.rules(entry.rules(world));
        }
        let mut tables = Self {
            classes: Vec::new(),
            of_pod: vec![u32::MAX; world.pods.len()],
            of_workload: vec![u32::MAX; world.workloads.len()],
            hosts: Vec::new(),
            starts: Vec::new(),
            entries,
            selecting: [Vec::new(), Vec::new()],
            lists: Vec::new(),
            spaces: Vec::new(),
            postings: FxHashMap::default(),
            name_label: world.symbols.get("kubernetes.io/metadata.name"),
            groups: groups(world),
            blocks: FxHashMap::default(),
            sets: Vec::new(),
            of_nodes: super::of_nodes(world),
            hidden: false,
        };
        tables.classify(world, &looks);
        tables.hidden = tables.lacks(world);
        tables.spaces = spaces(&tables.classes);
        tables.select(world);
        let sets = (0_u32..).zip(&world.network.others);
        let sets = sets.filter(|(_, row)| matches!(row.says.role, Role::Addresses(_)));
        tables.sets = sets.map(|(place, _)| place).collect();
        tables.blocks = super::address::blocks(world, &tables.entries);
        tables
    }

    /// Puts everything that runs into its class.
    fn classify(&mut self, world: &World, looks: &Looks) {
        let mut projected: Vec<Option<Labels>> = vec![None; world.labels.len()];
        let mut ports: Vec<Option<Box<[_]>>> = vec![None; world.specs.len()];
        let mut classes: Cons<Class> = Cons::default();
        let mut members: Vec<(u32, Host)> = Vec::new();
        // What is alike in numbers is of one class: no value is compared for most pods.
        let mut known = FxHashMap::default();
        for host in world.hosts() {
            let (ns, labels, spec, account) = match host {
                Host::Pod(pod) => {
                    let pod = &world.pods[pod.index()];
                    (pod.ns, world.objects[pod.object.index()].labels, pod.spec, pod.account)
                }
                Host::Template(workload) => {
                    let w = &world.workloads[workload.index()];
                    (w.ns, w.template_labels, w.spec.unwrap_or(0), w.account)
                }
            };
            let spec_of = &world.specs[spec as usize];
            let node = if spec_of.host_network { world.host_node(host) } else { None };
            let account = account.filter(|_| looks.accounts && node.is_none());
            let key = match node {
                Some(_) => (node, Sym::EMPTY, 0, 0, None),
                None => (None, ns, labels, spec, account),
            };
            let number = *known.entry(key).or_insert_with(|| {
                if node.is_some() {
                    let (labels, ports) = (Labels::default(), Box::default());
                    return classes.add(Class {
                        node,
                        ns: Sym::EMPTY,
                        labels,
                        ports,
                        account: Sym::EMPTY,
                        networks: Box::default(),
                    });
                }
                let set = world.labels.get(labels as usize).map_or(&[][..], |l| l);
                let labels = match projected.get_mut(labels as usize) {
                    Some(slot) => slot.get_or_insert_with(|| looks.project(set)).clone(),
                    None => Labels::default(),
                };
                let ports = ports[spec as usize].get_or_insert_with(|| {
                    let listening = spec_of.containers.iter().filter(|c| c.keeps_running());
                    let named = listening.flat_map(|c| c.ports.iter());
                    let named = named.filter(|p| looks.ports.contains(&p.name));
                    named.map(|p| (p.name, p.protocol, p.number)).collect()
                });
                let account = account.map_or(Sym::EMPTY, |a| world.accounts[a.index()].name);
                let networks = spec_of.networks.clone();
                classes.add(Class { node, ns, labels, ports: ports.clone(), account, networks })
            });
            members.push((number, host));
        }
        let classes = classes.into_items();
        let mut sorted: Vec<u32> = (0..).take(classes.len()).collect();
        // Those of nodes last: `None` comes first.
        sorted.sort_unstable_by(|a, b| classes[*a as usize].cmp(&classes[*b as usize]));
        let mut place = vec![0_u32; classes.len()];
        for (new, old) in (0_u32..).zip(&sorted) {
            place[*old as usize] = new;
        }
        for (class, _) in &mut members {
            *class = place[*class as usize];
        }
        members.sort_unstable();
        let mut classes: Vec<Option<Class>> = classes.into_iter().map(Some).collect();
        self.classes = sorted.iter().filter_map(|old| classes[*old as usize].take()).collect();
        self.starts = vec![0; self.classes.len() + 1];
        for (class, host) in members {
            self.starts[class as usize + 1] += 1;
            self.hosts.push(host);
            match host {
                Host::Pod(pod) => self.of_pod[pod.index()] = class,
                Host::Template(workload) => self.of_workload[workload.index()] = class,
            }
        }
        for i in 1..self.starts.len() {
            self.starts[i] += self.starts[i - 1];
        }
        for (number, class) in (0_u32..).zip(&self.classes) {
            for label in &class.labels {
                self.postings.entry(*label).or_default().push(number);
            }
        }
    }

    /// Whether the snapshot is of a running cluster and lacks a namespace or an account of it.
    fn lacks(&self, world: &World) -> bool {
        let known = |class: &Class| {
            class.node.is_some()
                || has_namespace(world, class.ns)
                    && (class.account.is_empty() || has_account(world, class.ns, class.account))
        };
        world.pods.iter().any(|pod| pod.live) && !self.classes.iter().all(known)
    }

    /// Finds the policies that select each class.
    fn select(&mut self, world: &World) {
        let mut of: [Vec<Vec<u32>>; 2] =
            std::array::from_fn(|_| vec![Vec::new(); self.classes.len()]);
        let mut finder = Finder::new(self, world);
        let mut last: Option<(Pods, Vec<u32>)> = None;
        for (number, entry) in (0_u32..).zip(&self.entries) {
            let pods = entry.pods(world);
            // Both directions of a policy stand side by side.
            let members = match last.take() {
                Some((known, members)) if known == pods => members,
                _ => finder.members(&pods),
            };
            for class in &members {
                of[entry.direction as usize][*class as usize].push(number);
            }
            last = Some((pods, members));
        }
        let mut lists: Cons<Box<[u32]>> = Cons::default();
        self.selecting = of.map(|of| of.into_iter().map(|list| lists.add(list.into())).collect());
        self.lists = lists.into_items();
    }

    /// The entries that select a class in a direction, by tier and order.
    pub(super) fn selecting(&self, class: u32, direction: Direction) -> &[u32] {
        let list = self.selecting[direction as usize].get(class as usize);
        list.and_then(|list| self.lists.get(*list as usize)).map_or(&[], |list| list)
    }

    pub(super) fn class_of(&self, host: Host) -> Option<ClassIx> {
        let number = match host {
            Host::Pod(pod) => self.of_pod.get(pod.index()),
            Host::Template(workload) => self.of_workload.get(workload.index()),
        };
        number.filter(|n| **n != u32::MAX).map(|n| ClassIx(*n))
    }

    pub(super) fn hosts_of(&self, class: ClassIx) -> &[Host] {
        let at = |i: usize| self.starts.get(i).map_or(self.hosts.len(), |s| *s as usize);
        &self.hosts[at(class.index())..at(class.index() + 1)]
    }

    pub(super) fn seen<'w>(&'w self, world: &'w World, class: &'w Class) -> Seen<'w> {
        let Class { ns, labels, account, .. } = class;
        let (name_label, hidden) = (self.name_label, self.hidden);
        Seen { world, name_label, ns: *ns, labels, account: *account, hidden }
    }

    /// Whether addresses are in a set that Calico's selectors mean by its labels.
    pub(super) fn in_set(&self, world: &World, pods: &Pods, net: &IpNet) -> Truth {
        let mut found = Truth::No;
        for set in &self.sets {
            let row = &world.network.others[*set as usize];
            let Role::Addresses(nets) = &row.says.role else { continue };
            let labels = world.labels_of(row.object);
            let seen = Seen {
                world,
                name_label: self.name_label,
                ns: row.ns,
                labels,
                account: Sym::EMPTY,
                hidden: self.hidden,
            };
            let space = match &pods.spaces {
                Spaces::One(ns) => Truth::from(*ns == row.ns),
                Spaces::Selected(expr) => expr.selects(&seen),
            };
            let within = nets.iter().map(|own| {
                let block = Block { net: *own, except: Box::default() };
                super::address::within(&block, net)
            });
            let within = within.max().unwrap_or(Truth::No);
            found = found.max(within.min(space).min(pods.pods.selects(&seen)));
        }
        found
    }

    /// Whether a selector asks for a namespace by a label that stands for nodes.
    pub(super) fn means_nodes(&self, pods: &Pods) -> bool {
        let Spaces::Selected(expr) = &pods.spaces else { return false };
        let mut found = false;
        expr.requirements(&mut |key, compare, values| {
            let Key::NamespaceLabel(key) = key else { return };
            // The old label has a value for those, and others for pods.
            let group = self.groups.iter().find(|(group, _)| *group == key);
            found |= group.is_some_and(|(_, value)| match compare {
                Compare::Exists => true,
                Compare::In => value.is_none_or(|value| values.contains(&value)),
                _ => false,
            });
        });
        found
    }

    /// A namespace, as selectors of namespaces see it.
    pub(super) fn seen_space<'w>(&self, world: &'w World, ns: Sym) -> Seen<'w> {
        let (name_label, hidden) = (self.name_label, self.hidden);
        Seen { world, name_label, ns, labels: &[], account: Sym::EMPTY, hidden }
    }

    /// Whether pods are those that a policy speaks of.
    pub(super) fn holds(&self, world: &World, pods: &Pods, class: ClassIx) -> Truth {
        let class = &self.classes[class.index()];
        if class.node.is_some() {
            return Truth::No;
        }
        let seen = self.seen(world, class);
        let space = match &pods.spaces {
            Spaces::One(ns) => Truth::from(*ns == class.ns),
            Spaces::Selected(expr) => expr.selects(&seen),
        };
        if space == Truth::No { space } else { space.min(pods.pods.selects(&seen)) }
    }
}
