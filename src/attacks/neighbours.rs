//! What gives itself to whoever reaches it over the network inside the cluster, and who does.
//!
//! Most of what listens asks for a login, and reaching it is worth nothing by itself. Here is what
//! asks for none. Classes of pods that reach the same by the same policies share one set, so that
//! an unpoliced cluster has a single one: edges are as many as containers, and sets times dangers.

use super::Family;
use super::anonymous::{ANONYMOUS_API, nameless_caller};
use super::control_plane::ETCD_ACCESS;
use super::exposure::NETWORK_REACH;
use super::gate::of_every_cluster;
use super::interfaces::{DASHBOARD_EXPOSED, is_open, is_scope_probe, open_interface, scope_probes};
use super::open_servers::{API_SERVER_INSECURE_PORT, TILLER_EXPOSED};
use super::passage::{Passage, new_pod_to, passage};
use super::pod_api::set_of;
use super::sets::SET_MEMBER;
use super::workloads::creators;
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::Scope;
use crate::world::hosts::Host;
use crate::world::network::{ClassIx, Direction, End};
use crate::world::pods::Container;
use crate::world::{NodeIx, ObjectId, PodIx, UNKNOWN_NODE, World};
use rustc_hash::FxHashMap;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Steps to neighbours. Its attacks are listed where their pages stand.
pub(super) static FAMILY: Family = Family { name: "O Reach inside", attacks: &[], find };

/// What pods reach that policies treat alike.
static IN_REACH: SetKind = SetKind { id: "in-reach", noun: "what pods reach without a login" };
/// Containers that let whoever reaches them run commands.
static TERMINALS: SetKind = SetKind { id: "open-terminals", noun: "terminals without a login" };
/// Pods that somebody makes to use from there what asks for no login, by the attack on it.
static NEW_PODS: [(&Attack, &SetKind); 4] = [
    (&DASHBOARD_EXPOSED, &TO_INTERFACES),
    (&ETCD_ACCESS, &TO_ETCD),
    (&API_SERVER_INSECURE_PORT, &TO_SERVERS),
    (&TILLER_EXPOSED, &TO_TILLER),
];
static TO_INTERFACES: SetKind =
    SetKind { id: "new-pods-interfaces", noun: "new pods in reach of interfaces" };
static TO_ETCD: SetKind = SetKind { id: "new-pods-etcd", noun: "new pods in reach of etcd" };
static TO_SERVERS: SetKind =
    SetKind { id: "new-pods-open-servers", noun: "new pods in reach of an API without a login" };
static TO_TILLER: SetKind = SetKind { id: "new-pods-tiller", noun: "new pods in reach of Tiller" };

/// As many API servers are told apart: more are no cluster's.
const SERVERS: usize = 9;

/// Something that gives itself to whoever reaches it.
struct Danger {
    gives: Thing<'static>,
    attack: &'static Attack,
    odds: Odds,
    at: End,
    ports: Vec<u16>,
    /// The node on whose network it is, or whose address it lets in as its own.
    node: Option<NodeIx>,
    /// The policies that isolate it.
    isolated: Vec<ObjectId>,
    facts: Vec<Fact>,
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut dangers = interfaces(world, sink);
    dangers.extend(open_etcd(world, sink));
    dangers.extend(nameless(world, sink));
    if dangers.is_empty() {
        return;
    }
    let mut sets = Sets::default();
    let mut known: FxHashMap<ClassIx, Option<Thing<'static>>> = FxHashMap::default();
    for host in world.hosts() {
        let Some(class) = world.network().class_of(host) else { continue };
        let set = *known.entry(class).or_insert_with(|| {
            let node = world.network().classes().get(class.index()).and_then(|c| c.node);
            let ways = ways(world, sink, &dangers, End::Class(class), node);
            sets.leading(sink, &dangers, &ways)
        });
        let Some(set) = set else { continue };
        let (object, _) = world.host_object(host);
        let runs = sink.fact(object, "", "runs on the network of the pods");
        for (i, container) in world.host_spec(host).containers.iter().enumerate() {
            if world.is_enterable(host, container) {
                sink.edge(Thing::Container(host, i), set, &NETWORK_REACH, &[runs]);
            }
        }
    }
    for node in (0..world.nodes.len()).map(NodeIx::new) {
        let of = &world.nodes[node.index()];
        if world.text(of.name) != UNKNOWN_NODE {
            let ways = ways(world, sink, &dangers, End::Node(node), Some(node));
            if let Some(set) = sets.leading(sink, &dangers, &ways) {
                let name = sink.fact(of.object, ".metadata.name", world.text(of.name));
                sink.edge(Thing::Node(node), set, &NETWORK_REACH, &[name]);
            }
        }
    }
    by_new_pods(world, sink, &dangers);
}

/// The sets of what is in reach, by the ways to each danger.
#[derive(Default)]
struct Sets(BTreeMap<Vec<(usize, bool, Vec<Fact>)>, Thing<'static>>);

impl Sets {
    /// The set that leads these ways; none if there is no way.
    fn leading(
        &mut self,
        sink: &mut Sink<'_>,
        dangers: &[Danger],
        ways: &[(usize, Passage)],
    ) -> Option<Thing<'static>> {
        if ways.is_empty() {
            return None;
        }
        let key = ways.iter().map(|(i, way)| (*i, way.is_open(), way.facts.clone())).collect();
        let of = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
        Some(*self.0.entry(key).or_insert_with(|| {
            let set = Thing::Set(SetKey { kind: &IN_REACH, ns: Sym::EMPTY, of });
            for (i, way) in ways {
                lead(sink, set, &dangers[*i], way);
            }
            set
        }))
    }
}

fn lead(sink: &mut Sink<'_>, from: Thing<'_>, danger: &Danger, way: &Passage) {
    let facts: Vec<Fact> = danger.facts.iter().chain(&way.facts).copied().collect();
    sink.edge_with(from, danger.gives, danger.attack, way.odds(danger.odds), &facts);
}

/// The ways from one end to each danger. What is on the node itself is let in by policies.
fn ways(
    world: &World,
    sink: &mut Sink<'_>,
    dangers: &[Danger],
    from: End,
    node: Option<NodeIx>,
) -> Vec<(usize, Passage)> {
    let mut ways = Vec::new();
    for (i, danger) in dangers.iter().enumerate() {
        let way = if node.is_some() && node == danger.node {
            Some(Passage::open(Vec::new()))
        } else {
            passage(world, sink, from, danger.at, &danger.ports)
        };
        ways.extend(way.map(|way| (i, way)));
    }
    ways
}

/// Whoever makes pods makes one that reaches them, with labels that he chooses.
fn by_new_pods(world: &World, sink: &mut Sink<'_>, dangers: &[Danger]) {
    let mut scopes: BTreeSet<Scope> = BTreeSet::new();
    let there = |attack: &Attack| dangers.iter().any(|d| d.attack.id == attack.id);
    let kinds: Vec<_> = NEW_PODS.iter().filter(|(attack, _)| there(attack)).collect();
    for maker in creators(world, sink) {
        scopes.insert(maker.scope);
        for (attack, kind) in &kinds {
            let to = set_of(kind, maker.scope);
            sink.edge_with(maker.from, to, attack, Odds::certain(0.95), &maker.facts);
        }
    }
    for scope in scopes {
        for danger in dangers {
            let mut ask =
                |sink: &mut Sink<'_>, from| passage(world, sink, from, danger.at, &danger.ports);
            let way = new_pod_to(world, sink, scope, &danger.isolated, &mut ask);
            let kind = kinds.iter().find(|(attack, _)| attack.id == danger.attack.id);
            if let Some((_, kind)) = kind {
                lead(sink, set_of(kind, scope), danger, &way);
            }
        }
    }
}

/// The interfaces that ask for no login; replicas are one.
fn interfaces(world: &World, sink: &mut Sink<'_>) -> Vec<Danger> {
    let open: Vec<bool> =
        world.specs.iter().map(|s| s.containers.iter().any(|c| is_open(world, c))).collect();
    let mut found = Vec::new();
    if !open.contains(&true) {
        return found;
    }
    let probe = |c: &Container| is_scope_probe(world, c);
    let probes: Vec<bool> = world.specs.iter().map(|s| s.containers.iter().any(probe)).collect();
    let mut seen = BTreeMap::new();
    for host in world.hosts() {
        let shape = world.host_shape(host).0 as usize;
        if open.get(shape) != Some(&true) && probes.get(shape) != Some(&true) {
            continue;
        }
        let spec = world.host_spec(host);
        let class = world.network().class_of(host).filter(|_| !spec.host_network);
        for (i, container) in spec.containers.iter().enumerate() {
            if !world.keeps_running(host, container) {
                continue;
            }
            if is_scope_probe(world, container) {
                let probes = Thing::Set(scope_probes(world.host_object(host).1));
                let (object, _) = world.host_object(host);
                let field = world.host_field(host, &format!("{}.args", container.field()));
                let fact = sink.fact(object, &field, "--mode=probe");
                sink.edge(probes, Thing::Container(host, i), &SET_MEMBER, &[fact]);
            }
            let Some((open, gives, facts)) = open_interface(world, sink, host, i) else {
                continue;
            };
            // Replicas are one, as far as they act by one account or policies treat them alike.
            let account = match gives {
                Thing::Account(account) => Some(account),
                _ => None,
            };
            let known = seen.len() + 1;
            let ports = open.ports(container);
            let like = (account, class, i, open.attack.id, open.odds.confidence, ports.clone());
            let (first, of) = match seen.entry(like) {
                Entry::Vacant(entry) => (true, *entry.insert(known)),
                Entry::Occupied(entry) => (false, *entry.get()),
            };
            let mut all = gives;
            if matches!(gives, Thing::Container(..)) && class.is_some() {
                let of = u32::try_from(of).unwrap_or(u32::MAX);
                all = Thing::Set(SetKey { kind: &TERMINALS, ns: world.host_object(host).1, of });
                sink.edge(all, gives, &SET_MEMBER, &facts);
            }
            if !first && (class.is_some() || account.is_some()) {
                continue;
            }
            found.push(Danger {
                gives: all,
                attack: open.attack,
                odds: open.odds,
                at: class.map_or(End::Host(host), End::Class),
                ports,
                node: world.host_node(host),
                isolated: class.map_or_else(Vec::new, |class| {
                    world.network().isolation(class, Direction::Ingress)
                }),
                facts,
            });
        }
    }
    found
}

/// The API server, where requests without a name hold more than everybody does.
fn nameless(world: &World, sink: &mut Sink<'_>) -> Vec<Danger> {
    let Some(user) = nameless_caller(world) else { return Vec::new() };
    let danger = |at, node, port, fact| Danger {
        gives: Thing::User(user),
        attack: &ANONYMOUS_API,
        // Inside, the API server is there to be reached.
        odds: Odds::likely(0.9),
        at,
        ports: port,
        node,
        isolated: Vec::new(),
        facts: vec![fact],
    };
    const ASKS: &str = "--anonymous-auth";
    let mut found = Vec::new();
    let system = world.symbols.get("kube-system").map_or(0..0, |ns| world.pods_of(ns));
    for ix in system.map(PodIx::new).filter(|p| world.is_running(*p)) {
        let pod = &world.pods[ix.index()];
        let component = world.label(pod.object, "component").map(|c| world.text(c));
        if !pod.mirror || component != Some("kube-apiserver") || found.len() == SERVERS {
            continue;
        }
        let host = Host::Pod(ix);
        for container in &world.host_spec(host).containers {
            if world.flags(container, ASKS).last() == Some("false") {
                continue;
            }
            let port = world.flags(container, "--secure-port").last();
            let port = port.and_then(|port| port.parse().ok()).unwrap_or(6443);
            let field = format!("{}.command", container.field());
            let fact = sink.fact(pod.object, &field, "serves whoever gives no name");
            found.push(danger(End::Host(host), world.host_node(host), vec![port], fact));
        }
    }
    if found.is_empty() {
        // Where it is not shown, nothing is known of its address.
        let fact = of_every_cluster(world, sink, "the API server serves whoever gives no name");
        found.push(danger(End::Anyone, None, vec![443, 6443], fact));
    }
    found
}

/// The members of the cluster's etcd whose flags open a port to everybody.
fn open_etcd(world: &World, sink: &mut Sink<'_>) -> Vec<Danger> {
    let mut found = Vec::new();
    let Some(system) = world.symbols.get("kube-system") else { return found };
    for ix in world.pods_of(system).map(PodIx::new).filter(|p| world.is_running(*p)) {
        let pod = &world.pods[ix.index()];
        let component = world.label(pod.object, "component").map(|c| world.text(c));
        if !pod.mirror || component != Some("etcd") {
            continue;
        }
        let host = Host::Pod(ix);
        for container in &world.host_spec(host).containers {
            let Some((url, port)) = open_port(world, container) else { continue };
            let field = format!("{}.command", container.field());
            let listens = format!("--listen-client-urls={url}, and asks for no certificate");
            found.push(Danger {
                gives: Thing::ClusterAdmin,
                attack: &ETCD_ACCESS,
                // Users of its own may guard it, which are in its data.
                odds: Odds::likely(0.8),
                at: End::Host(host),
                ports: vec![port],
                node: world.host_node(host),
                isolated: Vec::new(),
                facts: vec![sink.fact(pod.object, &field, &listens)],
            });
        }
    }
    found
}

/// The address at which an etcd serves clients from elsewhere without a certificate of theirs.
/// Either flag makes it ask for one, but over plain HTTP it cannot.
fn open_port<'w>(world: &'w World, container: &'w Container) -> Option<(&'w str, u16)> {
    let asks = world.flags(container, "--client-cert-auth").any(|value| value != "false")
        || world.flags(container, "--trusted-ca-file").any(|value| !value.is_empty());
    let urls = world.flags(container, "--listen-client-urls").flat_map(|urls| urls.split(','));
    urls.into_iter().find_map(|url| {
        let (scheme, rest) = url.split_once("://")?;
        let (host, port) = rest.trim_end_matches('/').rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let open = !local && (scheme == "http" || scheme == "https" && !asks);
        Some((url, port.parse().ok()?)).filter(|_| open)
    })
}
