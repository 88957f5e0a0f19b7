//! The words of the human form: how things and facts are called, and how text is fitted to a width.

use super::Placed;
use super::escape::{self, shorten_middle, terminal};
use crate::graph::{Graph, NodeId, NodeKind};
use std::io::{self, Write};

/// A node in a sentence: `pod shop/web-0`, `internet`.
pub(super) fn named(graph: &Graph, node: NodeId) -> String {
    let name = graph.name(node);
    let name = terminal(&name);
    let full = |name: &str| match graph.namespace(node) {
        Some(ns) => format!("{}/{name}", terminal(ns)),
        None => name.to_owned(),
    };
    let kind = match graph.kind(node) {
        NodeKind::Internet | NodeKind::ClusterAdmin => return name.into_owned(),
        NodeKind::NamespaceAdmin => return format!("admin of namespace {name}"),
        NodeKind::Set | NodeKind::Gate => return name.into_owned(),
        NodeKind::ServiceAccount => "service account",
        NodeKind::NodeIdentity => "node identity",
        NodeKind::CloudIdentity => "cloud identity",
        NodeKind::PersistentVolume => "persistent volume",
        NodeKind::PersistentVolumeClaim => "persistent volume claim",
        NodeKind::ConfigMap => "config map",
        NodeKind::ClusterRole => "cluster role",
        NodeKind::RoleBinding => "role binding",
        NodeKind::ClusterRoleBinding => "cluster role binding",
        NodeKind::Namespace => "namespace",
        NodeKind::Node => "node",
        NodeKind::User => "user",
        NodeKind::Group => "group",
        NodeKind::Secret => "secret",
        NodeKind::Pod => "pod",
        NodeKind::Container => "container",
        NodeKind::Role => "role",
        // Their names begin with what they are: `Deployment/web`, `hostport/web-0/8080`.
        NodeKind::Entry | NodeKind::Workload => match name.split_once('/') {
            Some((kind, name)) => {
                let kind = if kind == "hostport" { "host port" } else { kind };
                return format!("{kind} {}", full(name));
            }
            None => "",
        },
    };
    format!("{kind} {}", full(&name))
}

/// An object's fact in a line: `Role shop/ci .rules[2] = create on pods/exec`.
pub(super) fn fact_line(placed: &Placed<'_>) -> String {
    let f = &placed.fact;
    let name = match f.namespace {
        Some(ns) => format!("{} {}/{}", terminal(f.kind), terminal(ns), terminal(f.name)),
        None => format!("{} {}", terminal(f.kind), terminal(f.name)),
    };
    match (f.field, f.value) {
        ("", value) => format!("{name}: {}", terminal(value)),
        (field, "") => format!("{name} {}", terminal(field)),
        (field, value) => format!("{name} {} = {}", terminal(field), terminal(value)),
    }
}

/// A path without the folders that there is no room for: `…/pods/kube-system.json`.
pub(super) fn short_path(path: &str, room: usize) -> String {
    if escape::columns(path) <= room {
        return path.to_owned();
    }
    let tails = path.match_indices('/').filter_map(|(at, _)| path.get(at..));
    let fitting = tails.map(|tail| format!("…{tail}")).find(|t| escape::columns(t) <= room);
    let last = path.rsplit('/').next().unwrap_or(path);
    fitting.unwrap_or_else(|| shorten_middle(last, room).into_owned())
}

/// How many names a list shows.
const NAMES: usize = 12;

/// The first names of a list, and how many more there are.
pub(super) fn listed(names: &[&str]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES).map(|name| terminal(name)).collect();
    let rest = names.len().saturating_sub(NAMES);
    let more =
        if rest > 0 { format!(" and {rest} more (-o json lists all)") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Two texts with something between, each shortened where both do not fit, the longer one first.
pub(super) fn shorten_both(a: &str, between: &str, b: &str, room: usize) -> String {
    let room = room.saturating_sub(escape::columns(between));
    let (wide, wide_b) = (escape::columns(a), escape::columns(b));
    if wide + wide_b <= room {
        return format!("{a}{between}{b}");
    }
    let half = room / 2;
    let (for_a, for_b) = match (wide <= half, wide_b <= half) {
        (true, _) => (wide, room - wide),
        (_, true) => (room - wide_b, wide_b),
        _ => (half, room - half),
    };
    format!("{}{between}{}", shorten_middle(a, for_a), shorten_middle(b, for_b))
}

/// What removing a fact means: `roleRef` cannot be changed, so its binding has to go.
pub(super) fn change(placed: &Placed<'_>) -> String {
    match placed.fact.field {
        ".roleRef" => format!("delete {}", fact_line(placed)),
        _ => format!("remove {}", fact_line(placed)),
    }
}

/// Text behind a head, its further lines beneath its beginning.
pub(super) fn hanging(head: &str, text: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let room = width.saturating_sub(head.len()).max(30);
    for (i, line) in wrap(text, room).iter().enumerate() {
        let blank = " ".repeat(head.len());
        writeln!(out, "{}{line}", if i == 0 { head } else { &blank })?;
    }
    Ok(())
}

/// Breaks text at blanks into lines of at most `width` characters, where words allow.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let fits = |line: &String| {
            line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width
        };
        match lines.last_mut().filter(|line| fits(line)) {
            Some(line) => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

pub(super) fn rests(number: usize) -> String {
    if number == 1 { "1 rests".to_owned() } else { format!("{number} rest") }
}

pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
