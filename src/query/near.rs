//! What a person may have meant: names that differ in little from what was typed.

use super::selector::Named;
use crate::graph::{Graph, NodeId, NodeKind};

/// How many names a message holds.
const SHOWN: usize = 3;

/// The words that differ from one in little, in backticks, the nearest first; empty if none does.
pub(super) fn words<'a>(word: &str, all: impl Iterator<Item = &'a str>) -> String {
    let lower = word.to_lowercase();
    let most = (lower.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> =
        all.filter_map(|w| distance(&lower, w, most).map(|d| (d, w))).collect();
    near.sort_unstable();
    near.dedup();
    // The nearest ones; those that are further off would only distract.
    let least = near.first().map_or(0, |(d, _)| *d);
    let shown: Vec<String> = near
        .iter()
        .filter(|(d, _)| *d == least)
        .take(SHOWN)
        .map(|(_, w)| format!("`{w}`"))
        .collect();
    shown.join(" or ")
}

/// Help for a selector that matches nothing.
pub(super) fn misses(graph: &Graph, named: Option<&Named>) -> String {
    let Some(named) = named.filter(|n| !n.name.text().is_empty()) else {
        return "leave out one term, or see `help selectors`".to_owned();
    };
    let wanted = named.name.text().to_lowercase();
    let most = (wanted.chars().count() / 3).max(1);
    let mut near: Vec<(usize, NodeId)> = Vec::new();
    for node in graph.nodes() {
        let kind = graph.kind(node);
        if matches!(
            kind,
            NodeKind::Set | NodeKind::Gate | NodeKind::Internet | NodeKind::ClusterAdmin
        ) {
            continue;
        }
        let same_kind = named.kinds.contains(&kind);
        let same_ns = match (&named.ns, graph.namespace(node)) {
            (Some(ns), Some(n)) => ns.fits(n),
            (None, _) => true,
            (Some(_), None) => false,
        };
        let name = graph.object_name(node);
        let fits = named.name.fits(name) || named.name.fits(&graph.name(node));
        // The same name elsewhere, then the same place under another kind, then a slip of the pen.
        let rank = match (fits, same_kind, same_ns) {
            (true, true, _) => Some(0),
            (true, false, true) => Some(1),
            (false, true, _) => distance(&wanted, &name.to_lowercase(), most)
                .map(|d| 1 + 2 * d + usize::from(!same_ns)),
            _ => None,
        };
        near.extend(rank.map(|r| (r, node)));
    }
    near.sort_unstable();
    if near.is_empty() {
        let all: Vec<&NodeKind> =
            named.kinds.iter().filter(|k| graph.nodes().any(|n| graph.kind(n) == **k)).collect();
        return match all.first() {
            Some(kind) => {
                format!("the snapshot has no {} of that name or a similar one", kind.name())
            }
            None => format!(
                "the snapshot has no {} at all",
                named.kinds.first().map_or("such thing", |k| k.name())
            ),
        };
    }
    let shown: Vec<String> =
        near.iter().take(SHOWN).map(|(_, n)| format!("`{}`", spell(graph, *n))).collect();
    format!("did you mean {}?", shown.join(" or "))
}

/// A node as a selector names it.
#[must_use]
pub fn spell(graph: &Graph, node: NodeId) -> String {
    let name = graph.name(node);
    let kind = match graph.kind(node) {
        NodeKind::Internet => return "internet".to_owned(),
        NodeKind::ClusterAdmin => return "cluster-admin".to_owned(),
        NodeKind::NamespaceAdmin => return format!("namespace-admin/{name}"),
        // Their names tell the namespace.
        kind @ (NodeKind::Set | NodeKind::Gate) => {
            return format!("\"{}/{name}\"", kind.name().to_lowercase());
        }
        NodeKind::Namespace => "ns",
        NodeKind::Node => "node",
        NodeKind::NodeIdentity => "node-identity",
        NodeKind::ServiceAccount => "sa",
        NodeKind::CloudIdentity => "cloud",
        NodeKind::PersistentVolume => "pv",
        NodeKind::PersistentVolumeClaim => "pvc",
        other => &other.name().to_lowercase(),
    };
    let text = match graph.namespace(node) {
        Some(ns) => format!("{kind}/{ns}/{name}"),
        None => format!("{kind}/{name}"),
    };
    if text.contains([' ', ',']) { format!("\"{text}\"") } else { text }
}

/// The edit distance of two words if it is at most `most`. O(length²), for short words.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(300).collect(), b.chars().take(300).collect());
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = before[j] + usize::from(x != y);
            row.push(changed.min(before[j + 1] + 1).min(row[j] + 1));
        }
        if row.iter().min().is_none_or(|least| *least > most) {
            return None;
        }
        before = row;
    }
    before.last().copied().filter(|d| *d <= most)
}
