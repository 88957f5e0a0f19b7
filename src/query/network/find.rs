//! Which workloads a question to the network finds.

use super::judge::{Judge, Judged, ON_NODE};
use super::{Finding, Finish, Question, Row, Shared, Start, Subject};
use crate::attacks::has_metadata;
use crate::graph::Graph;
use crate::query::library::Query;
use crate::query::reach::{Ground, Wanted};
use crate::sym::Sym;
use crate::world::NodeIx;
use crate::world::hosts::Host;
use crate::world::network::{Across, ClassIx, Direction, End, PortSpec, Reason, State};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::rc::Rc;

/// How many connections a question may look at beyond one for each workload.
const WORK: usize = 4_000_000;

/// The workloads of a row by number, and by which doors, or from where.
type Members = Vec<(u32, Vec<String>)>;

/// Asks a question of the network. Nothing is found where nothing is selected.
pub(in crate::query) fn find(
    graph: &Graph,
    shared: &mut Shared<'_>,
    query: &Query,
    question: &Question,
) -> Option<Finding> {
    let subjects = shared.wanted(graph, &query.from);
    let other = match (&question.from, &question.to) {
        (Start::Selected(_), Finish::Selected(to)) => shared.wanted(graph, to),
        _ => Rc::default(),
    };
    let ground = &shared.ground;
    let mut finder = Finder::new(ground, question, other);
    let doors = if question.from == Start::Internet { finder.doors() } else { BTreeMap::new() };
    let mut of: BTreeMap<Sym, usize> = BTreeMap::new();
    // With each row the workloads in it; only those that are shown are given their names.
    let mut rows: BTreeMap<(Sym, State, String), (Row, Members)> = BTreeMap::new();
    for number in &subjects.groups {
        let judged = match question.from {
            Start::Internet => doors.get(number).cloned().unwrap_or_else(Judged::no),
            _ => match finder.judge(*number) {
                // One class holds the pods of all workloads on a node: the fact is of this one.
                Some(judged) if judged.reason == ON_NODE => {
                    Judged { facts: finder.judge.on_node(*number).into_iter().collect(), ..judged }
                }
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
        let (row, there) = rows.entry(key).or_insert_with(|| {
            let row = Row {
                namespace: ground.world.text(group.ns).to_owned(),
                state: judged.state,
                reason: judged.reason,
                of: 0,
                count: 0,
                subjects: Vec::new(),
                facts: judged.facts,
            };
            (row, Vec::new())
        });
        row.count += 1;
        if there.len() < query.limit {
            there.push((*number, judged.by));
        }
    }
    let asked = of.values().sum();
    let mut rows: Vec<(Row, Members)> = rows
        .into_iter()
        .map(|((ns, ..), (row, there))| {
            (Row { of: of.get(&ns).copied().unwrap_or(0), ..row }, there)
        })
        .collect();
    let size = |row: &Row| (row.state, row.count);
    rows.sort_by(|(a, _), (b, _)| {
        size(b).cmp(&size(a)).then_with(|| a.namespace.cmp(&b.namespace))
    });
    let mut room = query.limit;
    let shown = |(mut row, there): (Row, Members)| {
        let subject = |(number, by)| Subject { name: ground.group(number).name.clone(), by };
        row.subjects = there.into_iter().take(room).map(subject).collect();
        room -= row.subjects.len();
        row
    };
    let rows: Vec<Row> = rows.into_iter().map(shown).collect();
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
pub(super) struct Finder<'g, 'w> {
    pub(super) judge: Judge<'g, 'w>,
    pub(super) across: Across<'w>,
    pub(super) question: &'g Question,
    pub(super) other: Rc<Wanted>,
    /// The classes of the other end, if it is of pods.
    pub(super) others: FxHashSet<ClassIx>,
    pub(super) known: FxHashMap<ClassIx, Judged>,
    /// A class that no policy keeps from sending, from each of two namespaces.
    pub(super) free: Vec<ClassIx>,
    /// A class of any kind from each of two namespaces.
    pub(super) any: Vec<ClassIx>,
    pub(super) work: usize,
    pub(super) on_nodes: usize,
    pub(super) cloud: Vec<bool>,
    /// Ports at which policies on what is sent begin to say something else.
    pub(super) sent: Vec<PortSpec>,
}

impl<'g, 'w> Finder<'g, 'w> {
    fn new(ground: &'g Ground<'w>, question: &'g Question, other: Rc<Wanted>) -> Self {
        let mut others: FxHashSet<ClassIx> = FxHashSet::default();
        for group in &other.groups {
            others.extend(&ground.group(*group).classes);
        }
        // Whom policies let in can be read from them where they are sure to be enforced.
        let network = match question.from {
            Start::Outside => ground.network.with(ground.network.switches().meant()),
            _ => ground.network,
        };
        let mut finder = Self {
            judge: Judge::new(ground),
            across: Across::new(network),
            question,
            other,
            others,
            known: FxHashMap::default(),
            free: Vec::new(),
            any: Vec::new(),
            work: WORK,
            on_nodes: 0,
            cloud: Vec::new(),
            sent: Vec::new(),
        };
        if question.from == Start::Outside {
            let network = ground.network;
            finder.free = finder.of_two(network.unselected(Direction::Egress).into_iter());
            finder.any = finder.of_two((0..network.classes().len()).map(ClassIx::new));
            if question.ports.is_empty() {
                finder.sent = finder.all_sent();
            }
        }
        if question.to == Finish::Metadata {
            let world = ground.world;
            let nodes = (0..world.nodes.len()).map(NodeIx::new);
            finder.cloud = nodes.map(|node| has_metadata(world, node, false)).collect();
        }
        finder
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
            (Start::Outside, _) => Some(self.entered(class)),
            (_, Finish::Internet) => {
                Some(self.judge.with(class, Direction::Egress, End::Internet, &self.question.ports))
            }
            _ => Some(self.selected_by(class)),
        }
    }

    /// Whether a class reaches one of the pods or machines that are selected.
    fn selected_by(&mut self, class: ClassIx) -> Judged {
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
                    let state = |port: &PortSpec| network.state(End::Class(class), end, *port);
                    if self.question.ports.iter().all(|port| state(port) <= best.state) {
                        continue;
                    }
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
            let others = &self.others;
            let among = |other: ClassIx| other != class && others.contains(&other);
            let before = self.across.looked();
            let found = self.across.best(class, Direction::Egress, *port, &among);
            self.work = self.work.saturating_sub((self.across.looked() - before).max(1));
            if let Some((other, _)) = found {
                let end = End::Class(other);
                best = best.or(self.judge.with(class, Direction::Egress, end, &[*port]));
            }
        }
        best
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
