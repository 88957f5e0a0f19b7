//! Logs of a machine, which its kubelet serves with links followed: whoever writes the directory
//! chooses the files that whoever reads the logs is shown.
//!
//! The container that writes and the right to read may be two identities' (a gate a machine). The
//! containers are found with the other host paths; this file holds the readers and the gates.

use super::credentials::{self, MOUNTED};
use super::gate::{PART, gate, needed_together};
use super::impersonation::cluster;
use super::pod_api::{named, set_of};
use super::sets::SET_MEMBER;
use super::together::parts;
use crate::graph::{Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Grant, Names, Permission, Scope};
use crate::world::{NodeIx, PodIx, World};
use std::collections::BTreeSet;

crate::attack! {
    /// Reads any file of the machine through its kubelet, by a link put among the logs.
    ///
    /// ## Needs
    /// Two things, which two conquered identities may hold: a container with `/var/log` of the
    /// machine, or a directory in it, mounted writable; and `get` on `nodes/log` (at the kubelet's
    /// own port) or on `nodes/proxy`, by a ClusterRoleBinding. Reading the log of a pod on the
    /// machine (`get` on `pods/log`) does for `/var/log/pods`, but shows one line of a file that is
    /// no log: enough for a token.
    /// ## Abuse
    /// In the container: `ln -s / /var/log/root`; then
    /// `kubectl get --raw /api/v1/nodes/NODE/proxy/logs/root/var/lib/kubelet/pki/kubelet-client-current.pem`.
    /// With `pods/log`: replace `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log` by a link to a token
    /// below `/var/lib/kubelet/pods` and call `kubectl logs POD`.
    /// ## Stopped by
    /// `readOnly: true` on the mount; `enableSystemLogHandler: false` in the kubelet's
    /// configuration, which the snapshot does not show; a user other than root, by the directory's
    /// mode. `nodes/log` does not pass the API server's proxy and needs a way to port 10250.
    /// ## Fix
    /// Mount `/var/log` with `readOnly: true`; grant `nodes/metrics` or `nodes/stats` instead of
    /// `nodes/proxy` and `nodes/log`.
    /// ## Detect
    /// Links in `/var/log` that lead out of it; audit events on `nodes/proxy` with `/logs/` in the
    /// path; errors `unsupported log format` of the kubelet.
    /// ## References
    /// - <https://kubehound.io/reference/attacks/CE_VAR_LOG_SYMLINK/>
    /// - <https://blog.aquasec.com/kubernetes-security-pod-escape-log-mounts>
    /// - kubernetes `pkg/kubelet/server/server.go` (`/logs/`), `auth.go`; executed on kube-apiserver
    ///   1.36: `nodes/log` grants nothing at the API server's proxy
    pub(super) static HOST_PATH_VAR_LOG_SYMLINK = {
        id: "host-path-var-log-symlink", title: "Read the machine's files as its logs",
        mitre: &["T1611", "T1083"], odds: Odds::likely(0.7),
    }
}

/// Containers that write among the logs of one machine, told by the number.
static WRITERS: SetKind =
    SetKind { id: "log-writers", noun: "containers that write a node's logs" };
/// Containers that write the logs of one machine's pods.
static POD_WRITERS: SetKind =
    SetKind { id: "pod-log-writers", noun: "containers that write the logs of a node's pods" };
/// Rights to read the logs of one machine, or of any.
static READERS: SetKind = SetKind { id: "node-log-readers", noun: "rights to read logs of nodes" };
/// Rights to read the logs of pods: in the cluster, in a namespace, or of one machine.
static POD_READERS: SetKind =
    SetKind { id: "pod-log-readers", noun: "rights to read logs of pods" };
/// Opens when a machine's files are shown as its logs.
static SHOWN: SetKind = SetKind { id: "files-as-logs", noun: "files shown as logs of a node" };
/// Opens when a line of a machine's files is shown as the log of a pod.
static LINE_SHOWN: SetKind =
    SetKind { id: "lines-as-pod-logs", noun: "lines of files shown as logs of a pod" };

const NODE_LOGS: &[Permission] =
    &[Permission::cluster("get", "", "nodes/log"), Permission::cluster("get", "", "nodes/proxy")];
const POD_LOGS: &[Permission] = &[Permission::namespaced("get", "", "pods/log")];

/// Who reads logs, the machines whose logs are read, and those on which containers write them.
pub(super) struct Logs<'w> {
    nodes: Vec<Grant<'w>>,
    pods: Vec<Grant<'w>>,
    read: BTreeSet<NodeIx>,
    pods_read: BTreeSet<NodeIx>,
    writers: BTreeSet<NodeIx>,
    pod_writers: BTreeSet<NodeIx>,
}

impl<'w> Logs<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        let (nodes, pods) = (parts(world, NODE_LOGS), parts(world, POD_LOGS));
        let every = || (0..world.nodes.len()).map(NodeIx::new);
        let mut read = BTreeSet::new();
        for grant in &nodes {
            match grant.names {
                Names::All => read.extend(every()),
                Names::Only(names) => read.extend(names.iter().filter_map(|n| world.node(*n))),
            }
        }
        let mut pods_read = BTreeSet::new();
        let mut namespaces = BTreeSet::new();
        for grant in &pods {
            match (grant.scope, grant.names) {
                (Scope::Cluster, Names::All) => pods_read.extend(every()),
                (Scope::Namespace(ns), Names::All) => {
                    namespaces.insert(ns);
                }
                (scope, Names::Only(names)) => {
                    let running = running(world, scope, names);
                    pods_read.extend(running.iter().map(|pod| world.pods[pod.index()].node));
                }
            }
        }
        for pod in namespaces.into_iter().flat_map(|ns| world.pods_of(ns)).map(PodIx::new) {
            if world.is_running(pod) {
                pods_read.insert(world.pods[pod.index()].node);
            }
        }
        let (writers, pod_writers) = (BTreeSet::new(), BTreeSet::new());
        Self { nodes, pods, read, pods_read, writers, pod_writers }
    }

    /// Where an edge leads of a container that writes among a machine's logs, or among those of
    /// its pods; nowhere, if nobody reads them.
    pub(super) fn written(&mut self, node: NodeIx, of_pods: bool) -> Option<Thing<'static>> {
        let (read, writers, kind) = if of_pods {
            (&self.pods_read, &mut self.pod_writers, &POD_WRITERS)
        } else {
            (&self.read, &mut self.writers, &WRITERS)
        };
        read.contains(&node).then(|| {
            writers.insert(node);
            Thing::Set(credentials::on(kind, node))
        })
    }

    /// The readers, and the gate of each machine.
    pub(super) fn gates(&self, world: &World, sink: &mut Sink<'_>) {
        if !self.writers.is_empty() {
            self.node_logs(world, sink);
        }
        if !self.pod_writers.is_empty() {
            self.pod_logs(world, sink);
        }
    }

    fn node_logs(&self, world: &World, sink: &mut Sink<'_>) {
        let attack = &HOST_PATH_VAR_LOG_SYMLINK;
        for grant in &self.nodes {
            let facts = sink.grant(grant);
            let from = Thing::Binding(grant.binding);
            match grant.names {
                Names::All => sink.edge_with(from, cluster(&READERS), attack, PART, &facts),
                Names::Only(names) => {
                    for node in names.iter().filter_map(|name| world.node(*name)) {
                        let to = Thing::Set(credentials::on(&READERS, node));
                        sink.edge_with(from, to, attack, PART, &facts);
                    }
                }
            }
        }
        let part = needed_together(world, sink);
        for node in self.writers.iter().copied() {
            let object = world.nodes[node.index()].object;
            let readers = Thing::Set(credentials::on(&READERS, node));
            if self.nodes.iter().any(|grant| grant.names == Names::All) {
                let one = sink.fact(object, "", "a node of the cluster");
                sink.edge(cluster(&READERS), readers, &SET_MEMBER, &[one]);
            }
            let parts = [Thing::Set(credentials::on(&WRITERS, node)), readers];
            let gate = gate(world, sink, credentials::on(&SHOWN, node), attack, &parts);
            sink.edge(gate, Thing::NodeIdentity(node), attack, &[part]);
            sink.edge(gate, Thing::Set(credentials::on(&MOUNTED, node)), attack, &[part]);
            if let Some(fact) = credentials::control_plane(world, sink, node) {
                sink.edge(gate, Thing::ClusterAdmin, attack, &[fact]);
            }
        }
    }

    fn pod_logs(&self, world: &World, sink: &mut Sink<'_>) {
        let attack = &HOST_PATH_VAR_LOG_SYMLINK;
        let of_node = |node| Thing::Set(credentials::on(&POD_READERS, node));
        let mut scopes = BTreeSet::new();
        for grant in &self.pods {
            let facts = sink.grant(grant);
            let from = Thing::Binding(grant.binding);
            let Names::Only(names) = grant.names else {
                scopes.insert(grant.scope);
                let to = set_of(&POD_READERS, grant.scope);
                sink.edge_with(from, to, attack, PART, &facts);
                continue;
            };
            for pod in running(world, grant.scope, names) {
                let row = &world.pods[pod.index()];
                if self.pod_writers.contains(&row.node) {
                    let on = world.text(world.nodes[row.node.index()].name);
                    let on = sink.fact(row.object, ".spec.nodeName", on);
                    let facts = [facts[0], facts[1], on];
                    sink.edge_with(from, of_node(row.node), attack, PART, &facts);
                }
            }
        }
        let part = needed_together(world, sink);
        for node in self.pod_writers.iter().copied() {
            if scopes.contains(&Scope::Cluster) {
                let object = world.nodes[node.index()].object;
                let one = sink.fact(object, "", "a node of the cluster");
                sink.edge(cluster(&POD_READERS), of_node(node), &SET_MEMBER, &[one]);
            }
            let mut seen: BTreeSet<Sym> = BTreeSet::new();
            for pod in world.pods_on(node).iter().filter(|pod| world.is_running(**pod)) {
                let row = &world.pods[pod.index()];
                let scope = Scope::Namespace(row.ns);
                if scopes.contains(&scope) && seen.insert(row.ns) {
                    let on = world.text(world.nodes[node.index()].name);
                    let on = sink.fact(row.object, ".spec.nodeName", on);
                    sink.edge(set_of(&POD_READERS, scope), of_node(node), &SET_MEMBER, &[on]);
                }
            }
            let parts = [Thing::Set(credentials::on(&POD_WRITERS, node)), of_node(node)];
            let key = SetKey { kind: &LINE_SHOWN, ..credentials::on(&SHOWN, node) };
            let gate = gate(world, sink, key, attack, &parts);
            let to = Thing::Set(credentials::on(&MOUNTED, node));
            sink.edge_with(gate, to, attack, Odds::possible(0.3), &[part]);
        }
    }
}

/// The running pods of some names.
fn running(world: &World, scope: Scope, names: &[Sym]) -> Vec<PodIx> {
    let mut pods = named(world, scope, names, |ns, name| world.pod(ns, name));
    pods.retain(|pod| world.is_running(*pod));
    pods
}
