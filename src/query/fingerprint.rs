//! Names of answers that stay the same while pods come and go.
//!
//! A path's fingerprint is made of the query, the attacks and the canonical keys of their ends; a
//! pair's of the query and the two ends. Scores, times, uids, replicas and the suffixes of
//! generated names are no part of them.

use super::answer::Step;
use crate::graph::{Graph, NodeId, NodeKind, Thing};
use crate::world::NodeIx;
use sha2::{Digest, Sha256};

/// The key of a node that a redeployment leaves as it is.
#[must_use]
pub fn key(graph: &Graph, node: NodeId) -> String {
    let name = graph.name(node);
    let ns = graph.namespace(node).unwrap_or_default();
    match graph.kind(node) {
        NodeKind::Internet | NodeKind::ClusterAdmin => name.into_owned(),
        NodeKind::Pod | NodeKind::Workload => owner(graph, node),
        NodeKind::Container => format!("{}#{}", owner(graph, node), graph.part(node)),
        kind @ (NodeKind::Node | NodeKind::NodeIdentity) => {
            let world = graph.world();
            let ix = world.symbols.get(&name).and_then(|sym| world.node(sym));
            format!("{}/{}", kind.name(), ix.map_or("worker", |ix| world.pool(ix)))
        }
        // The ids of machines come and go with them.
        kind @ NodeKind::CloudIdentity => match machine(graph, node) {
            Some(ix) => {
                let of = name.split_once('/').map_or("", |(of, _)| of);
                format!("{}/{of}/{}", kind.name(), graph.world().pool(ix))
            }
            None => format!("{}/{name}", kind.name()),
        },
        NodeKind::Secret => secret(graph, ns, &name),
        NodeKind::Entry => entry(graph, ns, &name),
        // The number that tells two sets of one kind apart is that of a row, so it is left out.
        kind @ (NodeKind::Set | NodeKind::Gate) => {
            format!("{}/{ns}/{}", kind.name(), graph.set_kind(node).map_or("", |k| k.id))
        }
        kind => match graph.namespace(node) {
            Some(ns) => format!("{ns}/{}/{name}", kind.name()),
            None => format!("{}/{name}", kind.name()),
        },
    }
}

/// The machine whose own id a cloud identity bears, where the snapshot does not show which machines
/// share one. O(edges into it).
#[must_use]
pub(super) fn machine(graph: &Graph, identity: NodeId) -> Option<NodeIx> {
    let world = graph.world();
    let (_, id) = graph.object_name(identity).split_once('/')?;
    let machines = graph.incoming(identity).filter(|(_, from)| graph.kind(*from) == NodeKind::Node);
    let mut machines =
        machines.filter_map(|(_, node)| world.node(world.symbols.get(graph.object_name(node))?));
    machines.find(|ix| {
        let provider = world.text(world.nodes[ix.index()].provider).split_once("://");
        provider.is_some_and(|(_, of)| of.trim_start_matches('/') == id)
    })
}

/// The workload that a pod or container belongs to, or the bare pod.
fn owner(graph: &Graph, node: NodeId) -> String {
    let folded = graph.fold(node);
    let ns = graph.namespace(folded).unwrap_or_default();
    match graph.kind(folded) {
        NodeKind::Workload => format!("{ns}/{}", graph.name(folded)),
        _ => format!("{ns}/Pod/{}", graph.object_name(folded)),
    }
}

/// A Secret; what controllers name anew is known by what it was made for.
fn secret(graph: &Graph, ns: &str, name: &str) -> String {
    let world = graph.world();
    let syms = world.symbols.get(ns).zip(world.symbols.get(name));
    let row =
        syms.and_then(|(ns, name)| world.secret(ns, name)).map(|ix| &world.secrets[ix.index()]);
    if let Some(account) = row.and_then(|r| r.account) {
        let account = world.text(world.accounts[account.index()].name);
        let suffix = name.strip_prefix(account).and_then(|s| s.strip_prefix("-token-"));
        let generated = |s: &str| s.len() == 5 && s.bytes().all(|b| b.is_ascii_alphanumeric());
        if suffix.is_some_and(generated) {
            return format!("{ns}/ServiceAccount/{account}#token");
        }
    }
    let release = name.strip_prefix("sh.helm.release.v1.").and_then(|r| r.rsplit_once(".v"));
    match release {
        Some((release, version)) if version.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{ns}/HelmRelease/{release}")
        }
        _ => format!("{ns}/Secret/{name}"),
    }
}

/// A door; one on a pod's host port is known by the pod's workload.
fn entry(graph: &Graph, ns: &str, name: &str) -> String {
    let world = graph.world();
    if let Some((pod, port)) = name.strip_prefix("hostport/").and_then(|r| r.rsplit_once('/')) {
        let syms = world.symbols.get(ns).zip(world.symbols.get(pod));
        let pod = syms.and_then(|(ns, pod)| world.pod(ns, pod));
        if let Some(node) = pod.and_then(|ix| graph.node(&Thing::Pod(ix))) {
            return format!("{}:{port}", owner(graph, node));
        }
    }
    format!("{ns}/{name}")
}

/// The fingerprint of a path.
#[must_use]
pub fn path(graph: &Graph, query: &str, steps: &[Step]) -> String {
    let part = |s: &Step| [s.attack.id.to_owned(), key(graph, s.from), key(graph, s.to)].join("\0");
    let mut parts: Vec<String> = steps.iter().map(part).collect();
    // The inputs of a gate have no order among themselves.
    if steps.iter().any(|s| !s.needs.is_empty()) {
        parts.sort_unstable();
    }
    format!("path/v1:{}", hash(query, &parts))
}

/// The fingerprint of a pair of ends, given as keys.
#[must_use]
pub fn pair(query: &str, from: &str, to: &str) -> String {
    format!("pair/v1:{}", hash(query, &[from.to_owned(), to.to_owned()]))
}

/// The first sixteen bytes of a hash, in hexadecimal.
fn hash(query: &str, parts: &[String]) -> String {
    use std::fmt::Write;
    let mut hasher = Sha256::new();
    hasher.update(query.as_bytes());
    for part in parts {
        hasher.update(b"\n");
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    digest.iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
