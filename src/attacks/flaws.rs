//! Published flaws of the software that runs the cluster: one table, held against the versions that
//! the snapshot shows.
//!
//! A version says which flaws a release had when it was made, not whether a vendor has closed them
//! since, so that every step here is `possible` and no more. Versions are compared exactly, and those
//! of vendors' own builds not at all.

use super::Family;
use super::impersonation::cluster;
use super::pod_api::{admits, enforced};
use super::sets::{NODES, PODS, SET_MEMBER};
use super::workload_patch::patchers;
use super::workloads::creators;
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::admission::Level;
use crate::world::grants::Permission;
use crate::world::version::{Release, release};
use crate::world::{NodeIx, World};

crate::attack! {
    /// Escapes to the machine by a published flaw of its container runtime or kubelet.
    ///
    /// ## Needs
    /// Creating pods, or changing a workload, in a namespace of Pod Security level `baseline`, which lets root in (without a
    /// level a privileged pod needs no flaw), and a node whose version is that of a release with the flaw:
    /// - CVE-2024-21626 (runc before 1.1.12): containerd 1.5.0 to 1.6.27 and 1.7.0 to 1.7.12, which
    ///   were released with it. A `workingDir` of `/proc/self/fd/N` is a directory of the machine.
    /// - CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881 (runc up to 1.2.7 and 1.3.2): containerd
    ///   1.5.0 to 1.6.38, 1.7.0 to 1.7.28, 2.0.0 to 2.0.6 and 2.1.0 to 2.1.4. Writes to `/proc` of
    ///   the machine pass by a mount that is swapped.
    /// - CVE-2024-10220 (kubelet on Linux before 1.28.12, 1.29.7 and 1.30.3): a `gitRepo` volume runs the
    ///   hooks of the repository as root of the machine, which needs `git` there.
    /// - CVE-2021-25741 (kubelet on Linux before 1.19.15, 1.20.11, 1.21.5 and 1.22.2): a `subPath` that
    ///   is swapped for a link mounts files of the machine.
    /// - CVE-2023-3676 and CVE-2023-3955 (kubelet on Windows before 1.24.17, 1.25.13, 1.26.8, 1.27.5
    ///   and 1.28.1): a path in the pod's specification is run as a command.
    ///
    /// The node shows containerd's version and not runc's, which may have been replaced alone.
    /// ## Abuse
    /// Create a pod as the flaw's advisory describes, with `nodeName` of the node.
    /// ## Stopped by
    /// An update of runc or of the kubelet, which the version does not always show; a user
    /// namespace; a sandbox; Pod Security level `restricted`, under which no process is root.
    /// ## Fix
    /// Update containerd and runc, or the kubelet, to a release with the fix.
    /// ## Detect
    /// Audit events that create pods with a `workingDir` below `/proc` or a `gitRepo` volume; on Windows, with `&&` or `$(`
    /// in a `subPath`.
    /// ## References
    /// - <https://github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv>
    /// - <https://github.com/opencontainers/runc/security/advisories/GHSA-9493-h29p-rfm2>
    /// - <https://github.com/kubernetes/kubernetes/issues/119339>
    /// - <https://github.com/kubernetes/kubernetes/issues/128885> (CVE-2024-10220)
    /// - <https://github.com/kubernetes/kubernetes/issues/104980> (CVE-2021-25741)
    /// - release notes of containerd 1.6.28, 1.7.13, 1.7.29, 2.0.7 and 2.1.5
    pub(super) static KERNEL_OR_RUNTIME_CVE = {
        id: "kernel-or-runtime-cve", title: "Escape by a published flaw",
        mitre: &["T1068", "T1611"], odds: Odds::possible(0.05),
    }
}

crate::attack! {
    /// Passes the API server by a published flaw in how it hands requests on to kubelets.
    ///
    /// ## Needs
    /// A kube-apiserver whose image is that of a release with the flaw:
    /// - CVE-2018-1002105 (before 1.10.11, 1.11.5 and 1.12.3): whoever may exec into, attach to or
    ///   forward a port of one pod may run commands in every pod.
    /// - CVE-2020-8559 (1.6 to 1.16.12, 1.17.8 and 1.18.5): root on a node redirects a request that
    ///   was meant for its kubelet to another node, with the rights of the caller.
    /// ## Abuse
    /// CVE-2018-1002105: an upgrade request that the kubelet refuses leaves a connection with the API
    /// server's own credentials. CVE-2020-8559: answer an upgrade request with a redirect.
    /// ## Stopped by
    /// A vendor's build with the fix.
    /// ## Fix
    /// Update the control plane to a release that is maintained.
    /// ## Detect
    /// Requests at kubelets that the API server's audit log does not show.
    /// ## References
    /// - <https://github.com/kubernetes/kubernetes/issues/71411>
    /// - <https://github.com/kubernetes/kubernetes/issues/92914>
    pub(super) static API_SERVER_CVE = {
        id: "api-server-cve", title: "Pass the API server by a published flaw",
        mitre: &["T1068"], odds: Odds::possible(0.1),
    }
}

/// Published flaws.
pub(super) static FAMILY: Family =
    Family { name: "S Published flaws", attacks: &[&KERNEL_OR_RUNTIME_CVE, &API_SERVER_CVE], find };

/// Nodes whose version has a flaw, which is told by the number.
static FLAWED: SetKind = SetKind { id: "flawed-nodes", noun: "nodes with a published flaw" };

/// Releases with a flaw: from the first of each pair up to, but not with, the second.
type Ranges = &'static [(Release, Release)];

/// A flaw of what runs on nodes.
pub(super) struct Flaw {
    pub(super) id: &'static str,
    windows: bool,
    /// What stands before the version in the node's field.
    scheme: &'static str,
    field: &'static str,
    ranges: Ranges,
}

const RUNTIME: &str = ".status.nodeInfo.containerRuntimeVersion";
const KUBELET: &str = ".status.nodeInfo.kubeletVersion";

pub(super) static NODE_FLAWS: &[Flaw] = &[
    Flaw {
        id: "CVE-2024-21626",
        windows: false,
        scheme: "containerd://",
        field: RUNTIME,
        ranges: &[((1, 5, 0), (1, 6, 28)), ((1, 7, 0), (1, 7, 13))],
    },
    Flaw {
        id: "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881",
        windows: false,
        scheme: "containerd://",
        field: RUNTIME,
        ranges: &[
            ((1, 5, 0), (1, 6, 39)),
            ((1, 7, 0), (1, 7, 29)),
            ((2, 0, 0), (2, 0, 7)),
            ((2, 1, 0), (2, 1, 5)),
        ],
    },
    Flaw {
        id: "CVE-2024-10220",
        windows: false,
        scheme: "",
        field: KUBELET,
        ranges: &[((1, 0, 0), (1, 28, 12)), ((1, 29, 0), (1, 29, 7)), ((1, 30, 0), (1, 30, 3))],
    },
    Flaw {
        id: "CVE-2021-25741",
        windows: false,
        scheme: "",
        field: KUBELET,
        ranges: &[
            ((1, 0, 0), (1, 19, 15)),
            ((1, 20, 0), (1, 20, 11)),
            ((1, 21, 0), (1, 21, 5)),
            ((1, 22, 0), (1, 22, 2)),
        ],
    },
    Flaw {
        id: "CVE-2023-3676, CVE-2023-3955",
        windows: true,
        scheme: "",
        field: KUBELET,
        ranges: &[
            ((1, 14, 0), (1, 24, 17)),
            ((1, 25, 0), (1, 25, 13)),
            ((1, 26, 0), (1, 26, 8)),
            ((1, 27, 0), (1, 27, 5)),
            ((1, 28, 0), (1, 28, 1)),
        ],
    },
];

/// CVE-2018-1002105.
const UPGRADES: Ranges =
    &[((1, 0, 0), (1, 10, 11)), ((1, 11, 0), (1, 11, 5)), ((1, 12, 0), (1, 12, 3))];
/// CVE-2020-8559.
const REDIRECTS: Ranges =
    &[((1, 6, 0), (1, 16, 13)), ((1, 17, 0), (1, 17, 9)), ((1, 18, 0), (1, 18, 6))];

fn has(ranges: Ranges, release: Release) -> bool {
    ranges.iter().any(|(first, fixed)| *first <= release && release < *fixed)
}

fn find(world: &World, sink: &mut Sink<'_>) {
    nodes(world, sink);
    servers(world, sink);
}

fn nodes(world: &World, sink: &mut Sink<'_>) {
    let mut flawed: Vec<(Thing<'static>, Vec<(NodeIx, Fact)>)> = Vec::new();
    for (number, flaw) in (1..).zip(NODE_FLAWS) {
        let mut found = Vec::new();
        for (i, node) in world.nodes.iter().enumerate().filter(|(_, n)| n.windows == flaw.windows) {
            let shown = world.text(if flaw.field == RUNTIME { node.runtime } else { node.kubelet });
            let version = shown.strip_prefix(flaw.scheme).and_then(release);
            if version.is_some_and(|version| has(flaw.ranges, version)) {
                let value = format!("{shown} ({})", flaw.id);
                found.push((NodeIx::new(i), sink.fact(node.object, flaw.field, &value)));
            }
        }
        if !found.is_empty() {
            let key = SetKey { kind: &FLAWED, ns: Sym::EMPTY, of: number };
            flawed.push((Thing::Set(key), found));
        }
    }
    if flawed.is_empty() {
        return;
    }
    let mut used = false;
    let (narrow, _) = patchers(world, sink);
    for maker in creators(world, sink).into_iter().chain(narrow) {
        // A privileged pod needs no flaw; and without root inside, as `restricted` has it, what the
        // flaws give is not root outside.
        let reached = world.reached(maker.scope);
        if reached.iter().any(|n| admits(n, Level::Privileged)) {
            continue;
        }
        let Some(namespace) = reached.iter().find(|n| admits(n, Level::Baseline)) else { continue };
        let (level, _) = enforced(world, sink, namespace);
        let facts = [&maker.facts[..], &[level]].concat();
        for (set, _) in &flawed {
            sink.edge(maker.from, *set, &KERNEL_OR_RUNTIME_CVE, &facts);
        }
        used = true;
    }
    for (set, members) in flawed.into_iter().filter(|_| used) {
        for (node, fact) in members {
            sink.edge(set, Thing::Node(node), &SET_MEMBER, &[fact]);
        }
    }
}

/// What lets a caller connect to a pod.
const CONNECT: &[Permission] = &[
    Permission::namespaced("create", "", "pods/exec"),
    Permission::namespaced("get", "", "pods/exec"),
    Permission::namespaced("create", "", "pods/attach"),
    Permission::namespaced("get", "", "pods/attach"),
    Permission::namespaced("create", "", "pods/portforward"),
    Permission::namespaced("get", "", "pods/portforward"),
];

fn servers(world: &World, sink: &mut Sink<'_>) {
    let releases = world.server_releases();
    let mut shown = |ranges: Ranges, id: &str| {
        let (release, object) = releases.iter().find(|(release, _)| has(ranges, *release))?;
        let (major, minor, patch) = release;
        let value = format!("v{major}.{minor}.{patch} ({id})");
        Some(sink.fact(*object, ".spec.containers[0].image", &value))
    };
    let upgrades = shown(UPGRADES, "CVE-2018-1002105");
    let redirects = shown(REDIRECTS, "CVE-2020-8559");
    let attack: &'static Attack = &API_SERVER_CVE;
    if let Some(fact) = upgrades {
        for grant in world.grants_either(CONNECT) {
            let mut facts = sink.grant(&grant);
            facts.push(fact);
            sink.edge(Thing::Binding(grant.binding), cluster(&PODS), attack, &facts);
        }
    }
    if let Some(fact) = redirects {
        for i in 0..world.nodes.len() {
            sink.edge(Thing::Node(NodeIx::new(i)), cluster(&NODES), attack, &[fact]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_in_order_and_end_before_the_fix() {
        let all = NODE_FLAWS.iter().map(|f| f.ranges).chain([UPGRADES, REDIRECTS]);
        for ranges in all {
            assert!(ranges.iter().all(|(first, fixed)| first < fixed));
            assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
        assert!(has(REDIRECTS, (1, 18, 5)) && !has(REDIRECTS, (1, 18, 6)));
        assert!(!has(REDIRECTS, (1, 16, 13)));
    }
}
