//! Which workloads a question to the network finds.

use super::judge::{Judge, Judged};
use super::{Finding, Finish, Question, Row, Start, Subject};
use crate::attacks::has_metadata;
use crate::graph::Graph;
use crate::query::library::Query;
use crate::query::reach::{Ground, Wanted};
use crate::sym::Sym;
use crate::world::hosts::Host;
use crate::world::network::{ClassIx, Direction, End, PortSpec, Reason, State};
use crate::world::{NodeIx, UNKNOWN_NODE};
use ipnet::IpNet;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many connections a question may look at beyond one for each workload.
const WORK: usize = 20_000_000;

/// How many doors of a workload are named.
const DOORS: usize = 3;

/// Asks a question of the network. Nothing is found where nothing is selected.
pub(in crate::query) fn find(
    graph: &Graph,
    ground: &Ground<'_>,
    query: &Query,
    question: &Question,
) -> Option<Finding> {
    let subjects = ground.wanted(graph, &query.from.matches(graph));
    let other = match (&question.from, &question.to) {
        (Start::Selected(_), Finish::Selected(to)) => ground.wanted(graph, &to.matches(graph)),
        _ => Wanted::default(),
    };
    let mut finder = Finder::new(ground, question, other);
    let doors = if question.from == Start::Internet { finder.doors() } else { BTreeMap::new() };
    let mut of: BTreeMap<Sym, usize> = BTreeMap::new();
    let mut rows: BTreeMap<(Sym, State, String), Row> = BTreeMap::new();
    for number in &subjects.groups {
        let judged = match question.from {
            Start::Internet => doors.get(number).cloned().unwrap_or_else(Judged::no),
            _ => match finder.judge(*number) {
                Some(judged) => judged,
                None => continue,
            },
        };
        let group = ground.group(*number);
        *of.entry(group.ns).or_default() += 1;
        if judged.state == State::Denied {
            continue;
        }
        let key = (group.ns, judged.state, judged.reason.clone());
        let row = rows.entry(key).or_insert_with(|| Row {
            namespace: ground.world.text(group.ns).to_owned(),
            state: judged.state,
            reason: judged.reason,
            of: 0,
            count: 0,
            subjects: Vec::new(),
            facts: judged.facts,
        });
        row.count += 1;
        row.subjects.push(Subject { name: group.name.clone(), by: judged.by });
    }
    let asked = of.values().sum();
    let mut rows: Vec<Row> = rows
        .into_iter()
        .map(|((ns, ..), row)| Row { of: of.get(&ns).copied().unwrap_or(0), ..row })
        .collect();
    let size = |row: &Row| (row.state, row.count);
    rows.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| a.namespace.cmp(&b.namespace)));
    let mut room = query.limit;
    for row in &mut rows {
        row.subjects.truncate(room);
        room -= row.subjects.len();
    }
    if asked == 0 || rows.is_empty() {
        return None;
    }
    Some(Finding {
        query: query.id.clone(),
        title: query.title.clone(),
        why: query.why.clone(),
        severity: query.severity,
        of: asked,
        rows,
        notes: finder.notes(),
    })
}

/// Judges workloads one after another.
struct Finder<'g, 'w> {
    judge: Judge<'g, 'w>,
    question: &'g Question,
    other: Wanted,
    /// The classes of the other end, if it is of pods.
    others: FxHashSet<ClassIx>,
    known: FxHashMap<ClassIx, Judged>,
    /// Classes of pods that hold nothing back, and two namespaces with such.
    free: Vec<ClassIx>,
    work: usize,
    on_nodes: usize,
    cloud: Vec<bool>,
}

impl<'g, 'w> Finder<'g, 'w> {
    fn new(ground: &'g Ground<'w>, question: &'g Question, other: Wanted) -> Self {
        let mut others: FxHashSet<ClassIx> = FxHashSet::default();
        for group in &other.groups {
            others.extend(&ground.group(*group).classes);
        }
        let mut finder = Self {
            judge: Judge::new(ground),
            question,
            other,
            others,
            known: FxHashMap::default(),
            free: Vec::new(),
            work: WORK,
            on_nodes: 0,
            cloud: Vec::new(),
        };
        if question.from == Start::Outside {
            finder.free = finder.first_free();
        }
        if question.to == Finish::Metadata {
            let world = ground.world;
            let nodes = (0..world.nodes.len()).map(NodeIx::new);
            finder.cloud = nodes.map(|node| has_metadata(world, node, false)).collect();
        }
        finder
    }

    /// A class without policies on what it sends from each of two namespaces: one of them is
    /// another than any third.
    fn first_free(&self) -> Vec<ClassIx> {
        let network = self.judge.ground.network;
        let mut found: Vec<ClassIx> = Vec::new();
        for class in network.unselected(Direction::Egress) {
            let of = &network.classes()[class.index()];
            let known = |c: &ClassIx| network.classes()[c.index()].ns == of.ns;
            if of.node.is_none() && !found.iter().any(known) {
                found.push(class);
                if found.len() == 2 {
                    break;
                }
            }
        }
        found
    }

    /// What a workload comes to; `None` if the question does not concern it.
    fn judge(&mut self, group: u32) -> Option<Judged> {
        if self.question.to == Finish::Metadata {
            return self.metadata(group);
        }
        let ground = self.judge.ground;
        let mut best: Option<Judged> = None;
        for class in ground.group(group).classes.iter().copied() {
            let judged = match self.known.get(&class) {
                Some(known) => known.clone(),
                None => {
                    let Some(judged) = self.class(class) else { continue };
                    self.known.insert(class, judged.clone());
                    judged
                }
            };
            best = Some(match best {
                Some(known) => known.or(judged),
                None => judged,
            });
        }
        if best.is_none() {
            self.on_nodes += 1;
        }
        let best = best?;
        if best.state == State::Denied && self.is_on_one(group) {
            let words = ground.network.words(&Reason::OwnNode, Direction::Egress);
            return Some(Judged::of(State::Unknown, &words));
        }
        Some(best)
    }

    /// Whether a workload runs on one of the machines that are asked about. Whether policies hold
    /// back what goes there differs by plugin.
    fn is_on_one(&self, group: u32) -> bool {
        let world = self.judge.ground.world;
        !self.other.nodes.is_empty()
            && self.judge.ground.group(group).hosts.iter().any(|host| {
                let node = world.host_node(*host).filter(|_| matches!(host, Host::Pod(_)));
                node.is_some_and(|n| self.other.nodes.binary_search(&n).is_ok())
            })
    }

    fn class(&mut self, class: ClassIx) -> Option<Judged> {
        let on_node = self.judge.is_on_node(class);
        match (&self.question.from, &self.question.to) {
            // No policy could shield it, so none is missing.
            (Start::Anybody | Start::Outside, _) | (_, Finish::Anybody) if on_node => None,
            (Start::Anybody, _) => Some(self.judge.anybody(class, Direction::Ingress)),
            (_, Finish::Anybody) => Some(self.judge.anybody(class, Direction::Egress)),
            (Start::Outside, _) => Some(self.from_outside(class)),
            (_, Finish::Internet) => {
                Some(self.judge.with(class, Direction::Egress, End::Internet, &self.question.ports))
            }
            _ => Some(self.to_selected(class)),
        }
    }

    /// Whether pods of other namespaces reach a class.
    fn from_outside(&mut self, class: ClassIx) -> Judged {
        let network = self.judge.ground.network;
        let ns = network.classes()[class.index()].ns;
        let list = self.ports_of(class);
        let elsewhere = |c: &ClassIx| {
            let of = &network.classes()[c.index()];
            of.node.is_none() && of.ns != ns
        };
        let free = self.free.iter().copied().find(elsewhere);
        let mut best: Option<(State, ClassIx, PortSpec)> = None;
        for port in list {
            if let Some(free) = free
                && network.state(End::Class(free), End::Class(class), port) == State::Allowed
            {
                best = Some((State::Allowed, free, port));
                break;
            }
            if self.work == 0 {
                return Judged::of(State::Unknown, "there was too much to look at");
            }
            let across = network.across(class, Direction::Ingress, port);
            self.work = self.work.saturating_sub(across.looked.max(1));
            let surely = free.filter(|_| across.free).map(|c| (c, State::Allowed));
            let all = across.classes.iter().copied().chain(surely);
            let found =
                all.filter(|(c, _)| elsewhere(c)).reduce(|a, b| if b.1 > a.1 { b } else { a });
            if let Some((other, state)) = found
                && best.is_none_or(|(known, ..)| state > known)
            {
                best = Some((state, other, port));
                if state == State::Allowed {
                    break;
                }
            }
        }
        let Some((state, other, port)) = best else { return Judged::no() };
        let verdict = network.verdict(End::Class(other), End::Class(class), port);
        let mut judged = match state {
            State::Allowed => self.judge.open(class, Direction::Ingress, &verdict),
            _ => self.judge.told(state, &verdict),
        };
        let world = self.judge.ground.world;
        judged.by = vec![format!("from {}", world.text(network.classes()[other.index()].ns))];
        judged
    }

    /// The ports to ask a class about: those of the question, or those that its containers declare
    /// and those where its own policies begin to say something else.
    fn ports_of(&self, class: ClassIx) -> Vec<PortSpec> {
        if !self.question.ports.is_empty() {
            return self.question.ports.clone();
        }
        let (world, network) = (self.judge.ground.world, self.judge.ground.network);
        let spans = network.ports(End::Anyone, End::Class(class));
        let mut list: Vec<PortSpec> =
            spans.iter().map(|s| PortSpec { protocol: s.protocol, port: s.first }).collect();
        if list.is_empty() {
            return list;
        }
        if let Some(host) = network.hosts_of(class).first() {
            let containers = world.host_spec(*host).containers.iter();
            let ports = containers.flat_map(|c| c.ports.iter());
            list.extend(ports.map(|p| PortSpec { protocol: p.protocol, port: p.number }));
        }
        list.sort_unstable();
        list.dedup();
        list
    }

    /// Whether a class reaches one of the pods or machines that are selected.
    fn to_selected(&mut self, class: ClassIx) -> Judged {
        let network = self.judge.ground.network;
        let mut best = Judged::no();
        if !self.other.nodes.is_empty() {
            // Where policies do not tell machines apart, one question will do.
            let some = self.judge.with(class, Direction::Egress, End::Nodes, &self.question.ports);
            if some.state != State::Unknown {
                best = some;
            } else {
                for node in &self.other.nodes {
                    if best.state == State::Allowed || self.work == 0 {
                        break;
                    }
                    self.work -= 1;
                    let end = End::Node(*node);
                    let one = self.judge.with(class, Direction::Egress, end, &self.question.ports);
                    best = best.or(one);
                }
                if self.work == 0 && best.state != State::Allowed {
                    best = some;
                }
            }
        }
        for port in &self.question.ports {
            if best.state == State::Allowed || self.others.is_empty() {
                break;
            }
            if self.work == 0 {
                return best.or(Judged::of(State::Unknown, "there was too much to look at"));
            }
            let across = network.across(class, Direction::Egress, *port);
            self.work = self.work.saturating_sub(across.looked.max(1));
            let open = |c: &ClassIx| {
                across.free
                    && network.state(End::Class(class), End::Class(*c), *port) != State::Denied
            };
            let of = across.classes.iter().map(|(c, _)| *c).filter(|c| self.others.contains(c));
            let mut of: Vec<ClassIx> = of.collect();
            of.extend(self.others.iter().copied().filter(open));
            of.sort_unstable();
            for other in of.into_iter().filter(|other| *other != class) {
                let end = End::Class(other);
                best = best.or(self.judge.with(class, Direction::Egress, end, &[*port]));
            }
        }
        best
    }

    /// Whether a workload reaches the metadata service of a machine of a cloud; `None` if none of
    /// its machines has one.
    fn metadata(&mut self, group: u32) -> Option<Judged> {
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

    /// The workloads behind the internet's doors, with the doors.
    fn doors(&mut self) -> BTreeMap<u32, Judged> {
        let mut found: BTreeMap<u32, Judged> = BTreeMap::new();
        for door in self.judge.ground.exposed(false) {
            let sure = matches!(door.confidence, "certain" | "likely");
            let (state, reason) = match (door.state, sure, door.reason) {
                (State::Allowed, true, _) => {
                    (State::Allowed, "the internet comes to its door".to_owned())
                }
                (_, _, Some(reason)) => (State::Unknown, reason),
                _ => {
                    let text = "what stands before its door is not shown";
                    (State::Unknown, text.to_owned())
                }
            };
            let one =
                Judged { by: vec![format!("by {}", door.entry)], ..Judged::of(state, &reason) };
            match found.get_mut(&door.group) {
                Some(known) if known.state == state => {
                    if known.by.len() < DOORS && !known.by.contains(&one.by[0]) {
                        known.by.extend(one.by);
                    }
                }
                Some(known) if known.state > state => {}
                _ => drop(found.insert(door.group, one)),
            }
        }
        found
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.on_nodes > 0 {
            let (are, their) = if self.on_nodes == 1 {
                ("1 workload is on its node's network", "it")
            } else {
                ("workloads are on their nodes' network", "them")
            };
            let count =
                if self.on_nodes == 1 { String::new() } else { format!("{} ", self.on_nodes) };
            notes.push(format!("{count}{are}: no policy applies to {their}"));
        }
        notes
    }
}
