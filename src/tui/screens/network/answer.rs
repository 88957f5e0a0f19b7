//! What the network screen shows of a node, put into words on the worker's thread.

use super::super::super::canvas::safe;
use super::super::super::loaded::Changes;
use super::pretended::Pretended;
use crate::graph::{Fact, Graph, NodeId, NodeKind};
use crate::query::reach::around::{self, enforcement};
use crate::query::reach::explain::Part;
use crate::query::reach::{Ground, Level, Side, Wanted, ports, unenforced};
use crate::query::spell;
use crate::report::named;
use crate::world::ObjectId;
use crate::world::network::{Direction, Gone, State};
use std::collections::BTreeSet;

/// So many rows of each side are explained and shown.
const MOST: usize = 200;

/// So many policies, doors or parts are named in a line.
const FEW: usize = 4;

/// A row: others that are treated alike. All text is safe to show.
pub(super) struct Row {
    pub(super) state: State,
    /// Who, and of the node in focus which part, if not all of it.
    pub(super) name: String,
    pub(super) ports: String,
    /// Where Enter leads.
    pub(super) node: Option<NodeId>,
    /// The others as a selector or as addresses, where one names them.
    pub(super) other: Option<String>,
    /// The connection that is explained.
    pub(super) pair: String,
    /// What is said about what.
    pub(super) why: Vec<(String, String)>,
    /// The field of the policy that decides.
    pub(super) fact: Option<Fact>,
    /// The rule or policy that decides, to be pretended gone.
    pub(super) gone: Option<Gone>,
}

impl Row {
    /// What the filter looks at.
    pub(super) fn text(&self) -> String {
        format!("{} {} {}", word(self.state), self.name, self.ports)
    }
}

/// Everything about a node.
#[derive(Default)]
pub(super) struct Answer {
    /// The node has no address: what to choose instead.
    pub(super) lack: Option<String>,
    pub(super) title: String,
    /// What is said of it before its connections.
    pub(super) head: Vec<(&'static str, String)>,
    /// Who reaches it, and whom it reaches.
    pub(super) rows: [Vec<Row>; 2],
    /// How many rows of each are left out.
    pub(super) left: [usize; 2],
    /// The node as `reach` takes it.
    pub(super) own: String,
}

/// The word for a verdict.
pub(super) const fn word(state: State) -> &'static str {
    match state {
        State::Allowed => "allowed",
        State::Unknown => "unknown",
        State::Denied => "denied",
    }
}

/// Asks the network about a node.
pub(super) fn answer(
    graph: &Graph,
    node: NodeId,
    changes: &Changes,
    stop: &dyn Fn() -> bool,
) -> Answer {
    let name = named(graph, node);
    let title = format!("Network of {name}");
    if let Some(lack) = lacks_address(graph, node) {
        return Answer { lack: Some(lack), title, ..Answer::default() };
    }
    let world = graph.world();
    let pretended = Pretended::new(graph, changes);
    let ground = Ground::without(world, Level::Workload, &pretended.gone);
    let own = ground.place(graph, node);
    if own.is_empty() {
        let lack = Some(format!("{name}: nothing that runs is in it or behind it"));
        return Answer { lack, title, ..Answer::default() };
    }
    let mut head = vec![("policies", safe(&enforcement(world)))];
    for (label, direction) in [("ingress", Direction::Ingress), ("egress", Direction::Egress)] {
        head.extend(isolation(&ground, &own, direction).map(|text| (label, text)));
    }
    let (doors, closed) = doors(graph, &ground, &own, &pretended);
    head.extend(doors.map(|text| ("doors", text)));
    head.extend(pretended.text(closed).map(|text| ("pretended", text)));
    let mut found = Answer {
        title: title_of(graph, node, &ground, &own),
        head,
        own: selector(graph, node, &ground, &own),
        ..Answer::default()
    };
    // The policies that decide, and the rows that they decide.
    let mut places: Vec<((usize, usize), (ObjectId, String))> = Vec::new();
    for (side, direction) in [Direction::Ingress, Direction::Egress].into_iter().enumerate() {
        let around = ground.around(&own, direction);
        found.left[side] = around.len().saturating_sub(MOST);
        for (i, row) in around.into_iter().take(MOST).enumerate() {
            if stop() {
                return found;
            }
            let (row, at) = explained(graph, &ground, row, direction);
            places.extend(at.map(|at| ((side, i), at)));
            found.rows[side].push(row);
        }
    }
    let wanted: Vec<_> = places.iter().map(|(_, (object, field))| (*object, &**field)).collect();
    for (((side, row), _), fact) in places.iter().zip(graph.facts_at(&wanted)) {
        if let Some(row) = found.rows.get_mut(*side).and_then(|rows| rows.get_mut(*row)) {
            row.fact = Some(fact);
        }
    }
    found
}

/// What has no address, and what to choose in its place.
fn lacks_address(graph: &Graph, node: NodeId) -> Option<String> {
    let instead = match graph.kind(node) {
        NodeKind::Internet
        | NodeKind::Namespace
        | NodeKind::Node
        | NodeKind::Pod
        | NodeKind::Container
        | NodeKind::Workload
        | NodeKind::Entry => return None,
        NodeKind::ServiceAccount | NodeKind::NodeIdentity => {
            "choose a pod that runs as it, or the node: v shows what leads there"
        }
        NodeKind::Secret | NodeKind::ConfigMap | NodeKind::PersistentVolumeClaim => {
            "choose a pod that mounts it: v shows what leads there"
        }
        NodeKind::Set | NodeKind::Gate => "choose one of its members: v shows them",
        NodeKind::NamespaceAdmin => "choose the namespace itself: `:reach ns/NAME`",
        _ => "choose a pod, a workload, a namespace, a node, a door or the internet",
    };
    Some(format!("{} has no address: {instead}", named(graph, node)))
}

/// The node, and what stands for it in the network if that is more or something else.
fn title_of(graph: &Graph, node: NodeId, ground: &Ground<'_>, own: &Wanted) -> String {
    let name = named(graph, node);
    let groups: Vec<String> =
        own.groups.iter().take(FEW).map(|g| safe(&ground.group(*g).name)).collect();
    let more = own.groups.len().saturating_sub(FEW);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let groups = groups.join(", ") + &more;
    match graph.kind(node) {
        NodeKind::Pod | NodeKind::Container => {
            let alone = own.groups.iter().all(|g| ground.group(*g).hosts.len() == 1);
            let as_one = if alone { "" } else { ", with all pods of it" };
            format!("Network of {name}: {groups}{as_one}")
        }
        NodeKind::Entry => format!("Network of what stands behind {name}: {groups}"),
        NodeKind::Namespace => {
            let all = own.groups.len();
            format!("Network of {name}: {all} workloads or bare pods")
        }
        _ => format!("Network of {name}"),
    }
}

/// The node as `reach` takes it: what stands behind a door in its place.
fn selector(graph: &Graph, node: NodeId, ground: &Ground<'_>, own: &Wanted) -> String {
    if graph.kind(node) != NodeKind::Entry {
        return spell(graph, node);
    }
    let behind = own.groups.iter().filter_map(|g| ground.node_of(graph, Side::Group(*g), false));
    behind.map(|node| spell(graph, node)).collect::<Vec<_>>().join(",")
}

/// Which policies isolate it in a direction.
fn isolation(ground: &Ground<'_>, own: &Wanted, direction: Direction) -> Option<String> {
    let all = own.groups.len();
    let first = own.groups.first()?;
    if own.groups.iter().all(|g| ground.is_machine(*g)) {
        return Some("on its machine's network, where policies do not apply".to_owned());
    }
    let by = |group: &u32| -> BTreeSet<ObjectId> {
        let classes = ground.group(*group).classes.iter();
        classes.flat_map(|class| ground.network.isolation(*class, direction)).collect()
    };
    let mut policies = BTreeSet::new();
    let mut isolated = 0;
    for group in &own.groups {
        let some = by(group);
        isolated += usize::from(!some.is_empty());
        policies.extend(some);
    }
    let what = match direction {
        Direction::Ingress => "takes",
        Direction::Egress => "sends",
    };
    if isolated == 0 {
        let meant = own.groups.iter().any(|g| ground.is_meant(*g, direction));
        let unheeded = unenforced(ground.world.plugin()).filter(|_| meant);
        return Some(match unheeded {
            Some(why) => format!("not isolated, though policies speak of it: {}", safe(&why)),
            None => format!("not isolated: {what} everything that no policy of the others holds"),
        });
    }
    let names: Vec<String> = policies.iter().map(|p| ground.policy(*p)).collect();
    let by = few(&names);
    let pods = ground.group(*first).classes.len();
    Some(match (isolated, all) {
        (1, 1) if pods > 1 => format!("isolated, or some of its pods, by {by}"),
        (1, 1) => format!("isolated by {by}: {what} only what a rule allows"),
        _ => format!("{isolated} of {all} isolated by {by}"),
    })
}

/// The first of some names, made safe, and how many more there are.
fn few(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(FEW).map(|name| safe(name)).collect();
    match names.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The doors through which the internet comes to it, and how many what is pretended closes.
fn doors(
    graph: &Graph,
    ground: &Ground<'_>,
    own: &Wanted,
    pretended: &Pretended<'_>,
) -> (Option<String>, usize) {
    let all = own.groups.is_empty() && !own.ranges.is_empty();
    if own.groups.is_empty() && !all {
        return (None, 0);
    }
    let mut doors = ground.exposed(true);
    doors.retain(|door| all || own.groups.binary_search(&door.group).is_ok());
    let shown = doors.len();
    doors.retain(|door| {
        let behind = ground.node_of(graph, Side::Group(door.group), false);
        door.state == State::Denied || !pretended.closes(&door.entry, behind)
    });
    let closed = shown - doors.len();
    if doors.is_empty() {
        let why = match closed {
            0 => "the snapshot shows no way in from the internet",
            _ => "what is pretended leaves no way in from the internet",
        };
        return (Some(format!("none: {why}")), closed);
    }
    // What is open comes first.
    doors.sort_by_key(|door| std::cmp::Reverse(door.state));
    let several = all || own.groups.len() > 1;
    let one = |door: &crate::query::reach::doors::Exposed| {
        let to =
            if several { format!(" to {}", ground.group(door.group).name) } else { String::new() };
        let (ports, sure) = (ports::text(&door.ports), door.confidence);
        format!("{}{to} {ports} ({}, the door {sure})", door.entry, word(door.state))
    };
    let names: Vec<String> = doors.iter().map(one).collect();
    (Some(few(&names)), closed)
}

/// A row in words, and the field of the policy that decides.
fn explained(
    graph: &Graph,
    ground: &Ground<'_>,
    row: around::Row,
    direction: Direction,
) -> (Row, Option<(ObjectId, String)>) {
    let around::Row { state, ports, name, count, space, own, pair: (from, to), other } = row;
    let node = (count == 1 || space || matches!(other, Side::Range(_)))
        .then(|| ground.node_of(graph, other, space))
        .flatten();
    let addresses = || match other {
        Side::Range(range) if !range.is_whole() && count == 1 => {
            let nets = range.nets();
            (nets.len() <= FEW)
                .then(|| nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
        }
        _ => None,
    };
    let spelled = match other {
        Side::Range(_) => addresses().or_else(|| node.map(|node| spell(graph, node))),
        _ => node.map(|node| spell(graph, node)),
    };
    let parts = ground.explain(from, to, None);
    let at = parts
        .iter()
        .filter(|part| part.state == state)
        .find_map(|part| part.ingress.iter().chain(&part.egress).find_map(|said| said.at.clone()));
    let called = |side: Side| ground.words_of(side);
    let mut pair = format!("{} to {}", called(from), called(to));
    if count > 1 && !matches!(other, Side::Range(_)) {
        pair = format!("{pair}, as for all {count}");
    }
    let name = match (own, direction) {
        (None, _) => name,
        (Some(own), Direction::Ingress) => format!("{name} to {own}"),
        (Some(own), Direction::Egress) => format!("{own} to {name}"),
    };
    let row = Row {
        state,
        name: safe(&name),
        ports: safe(&ports::text(&ports)),
        node,
        other: spelled,
        pair: safe(&pair),
        why: parts.iter().flat_map(sentences).collect(),
        fact: None,
        gone: at.as_ref().and_then(|(object, field)| Gone::new(ground.world, *object, field)),
    };
    (row, at)
}

/// What is said of some ports: labels and sentences.
fn sentences(part: &Part) -> Vec<(String, String)> {
    let head = format!("{}: {}", ports::text(&part.ports), word(part.state));
    let mut lines = vec![(String::new(), safe(&head))];
    for (label, list) in [("egress", &part.egress), ("ingress", &part.ingress)] {
        lines.extend(list.iter().map(|said| (label.to_owned(), safe(&said.text))));
    }
    let label = if part.state == State::Allowed { "to close it" } else { "to open it" };
    lines.extend(part.change.iter().map(|change| (label.to_owned(), safe(change))));
    lines
}
