//! The plan of a cluster: its namespaces and workloads. All else follows from their names.
//!
//! The plan is the only thing held in memory; it has a few dozen bytes for each workload.

use crate::planted;
use crate::random::Random;

/// How many objects of the kinds that count.
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) nodes: usize,
    pub(crate) pods: usize,
    pub(crate) namespaces: usize,
    pub(crate) secrets: usize,
    /// Roles and bindings, of the cluster and of namespaces, together.
    pub(crate) rbac: usize,
    /// Network policies.
    pub(crate) policies: usize,
}

impl Size {
    const fn times_hundred_nodes(name: &'static str, factor: usize) -> Self {
        Self {
            name,
            nodes: 100 * factor,
            pods: 3_000 * factor,
            namespaces: 200 * factor,
            secrets: 2_000 * factor,
            rbac: 600 * factor,
            policies: 200 * factor,
        }
    }

    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        [&TINY].into_iter().chain(&SIZES).find(|size| size.name == name)
    }

    /// One node of a hundred.
    pub(crate) fn control_plane(&self) -> usize {
        (self.nodes / 100).max(1)
    }
}

/// The sizes that are measured: about 45 MB, 450 MB and 2.3 GB.
pub(crate) const SIZES: [Size; 3] = [
    Size::times_hundred_nodes("s", 1),
    Size::times_hundred_nodes("m", 10),
    Size::times_hundred_nodes("l", 50),
];

/// Too small to measure; cheap enough to make whenever the generator may have changed.
pub(crate) const TINY: Size =
    Size { name: "t", nodes: 10, pods: 300, namespaces: 30, secrets: 200, rbac: 100, policies: 30 };

/// What makes the pods of a workload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Deployment,
    StatefulSet,
    /// One pod on every node.
    DaemonSet,
    /// One completed Job for each pod.
    CronJob,
    /// The kubelet, from a file: one mirror pod on every control-plane node.
    Node,
}

/// How a workload's pods differ from harmless ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Plain,
    /// `automountServiceAccountToken: false`.
    NoToken,
    /// Privileged, with the node's root directory.
    Privileged,
    /// Privileged on the host's network, without much of the host's files.
    HostNetwork,
    /// On the host's network and process table, reading its files.
    Metrics,
}

/// A workload that has a place of its own in the plan.
pub(crate) struct Row {
    pub(crate) namespace: &'static str,
    pub(crate) name: &'static str,
    pub(crate) owner: Owner,
    pub(crate) access: Access,
    /// Ignored for owners that count nodes.
    pub(crate) pods: usize,
    /// Zero where nothing listens.
    pub(crate) port: u16,
}

const fn row(namespace: &'static str, name: &'static str, owner: Owner, access: Access) -> Row {
    Row { namespace, name, owner, access, pods: 2, port: 8080 }
}

/// What runs in every cluster.
const SYSTEM: [Row; 10] = [
    Row { port: 6443, ..row("kube-system", "kube-apiserver", Owner::Node, Access::HostNetwork) },
    Row { port: 2379, ..row("kube-system", "etcd", Owner::Node, Access::HostNetwork) },
    Row {
        port: 10257,
        ..row("kube-system", "kube-controller-manager", Owner::Node, Access::HostNetwork)
    },
    Row { port: 10259, ..row("kube-system", "kube-scheduler", Owner::Node, Access::HostNetwork) },
    Row { port: 0, ..row("kube-system", "kube-proxy", Owner::DaemonSet, Access::HostNetwork) },
    Row { port: 0, ..row("kube-system", "calico-node", Owner::DaemonSet, Access::HostNetwork) },
    row("kube-system", "coredns", Owner::Deployment, Access::Plain),
    row("kube-system", "metrics-server", Owner::Deployment, Access::Plain),
    row("ingress-nginx", "ingress-nginx-controller", Owner::Deployment, Access::Plain),
    Row { port: 9100, ..row("monitoring", "node-exporter", Owner::DaemonSet, Access::Metrics) },
];

const SYSTEM_NAMESPACES: [&str; 6] =
    ["default", "ingress-nginx", "kube-node-lease", "kube-public", "kube-system", "monitoring"];

const TEAMS: [&str; 12] = [
    "billing",
    "catalog",
    "checkout",
    "data",
    "identity",
    "logistics",
    "media",
    "mobile",
    "payments",
    "pricing",
    "search",
    "support",
];
const ENVIRONMENTS: [&str; 4] = ["dev", "prod", "qa", "staging"];
const WORDS: [&str; 12] = [
    "account", "audit", "cart", "events", "export", "feed", "invoice", "ledger", "mail", "orders",
    "profile", "stock",
];

/// Roles an application's workload plays, as often as they are met.
const ROLES: [(&str, Owner, u16); 12] = [
    ("api", Owner::Deployment, 8080),
    ("api", Owner::Deployment, 8080),
    ("api", Owner::Deployment, 8080),
    ("web", Owner::Deployment, 8080),
    ("web", Owner::Deployment, 8080),
    ("worker", Owner::Deployment, 0),
    ("worker", Owner::Deployment, 0),
    ("worker", Owner::Deployment, 0),
    ("cache", Owner::StatefulSet, 6379),
    ("db", Owner::StatefulSet, 5432),
    ("queue", Owner::StatefulSet, 5672),
    ("batch", Owner::CronJob, 0),
];

/// A workload of the plan.
pub(crate) struct Workload {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The name of its ServiceAccount.
    pub(crate) account: String,
    pub(crate) owner: Owner,
    pub(crate) access: Access,
    pub(crate) port: u16,
    /// One of an application: it has a ConfigMap and a Secret of its own.
    pub(crate) app: bool,
    pub(crate) pods: usize,
    /// The number of its first pod among the pods of the cluster.
    first: usize,
}

impl Workload {
    /// Numbers for one of its aspects.
    pub(crate) fn random(&self, aspect: &str) -> Random {
        Random::of(&[aspect, &self.namespace, &self.name])
    }

    pub(crate) fn replica_set(&self) -> String {
        format!("{}-{}", self.name, self.random("template-hash").suffix(10))
    }

    pub(crate) fn job(&self, ordinal: usize) -> String {
        format!("{}-{}", self.name, 29_670_000 + 60 * ordinal)
    }

    /// Whether its pods have their node's address.
    pub(crate) fn on_host_network(&self) -> bool {
        matches!(self.access, Access::HostNetwork | Access::Metrics)
    }
}

/// Where a pod is.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) node: usize,
    pub(crate) ip: String,
}

/// The plan.
pub(crate) struct Cluster {
    pub(crate) size: &'static Size,
    /// Sorted as the API server lists them.
    pub(crate) namespaces: Vec<String>,
    /// Those of the system and the planted ones first.
    pub(crate) workloads: Vec<Workload>,
    /// Where the applications' workloads begin.
    apps: usize,
}

impl Cluster {
    pub(crate) fn plan(size: &'static Size) -> Self {
        let mut cluster = Self { size, namespaces: Vec::new(), workloads: Vec::new(), apps: 0 };
        let mut next = 0;
        for row in SYSTEM.iter().chain(&planted::WORKLOADS) {
            let pods = match row.owner {
                Owner::DaemonSet => size.nodes,
                Owner::Node => size.control_plane(),
                Owner::Deployment | Owner::StatefulSet | Owner::CronJob => row.pods,
            };
            cluster.workloads.push(Workload {
                namespace: row.namespace.into(),
                name: row.name.into(),
                account: row.name.into(),
                owner: row.owner,
                access: row.access,
                port: row.port,
                app: false,
                pods,
                first: next,
            });
            next += pods;
        }
        cluster.apps = cluster.workloads.len();

        let fixed = SYSTEM_NAMESPACES.iter().chain(&planted::NAMESPACES);
        cluster.namespaces = fixed.map(|&name| name.into()).collect();
        let applications = size.namespaces.saturating_sub(cluster.namespaces.len());
        for index in 0..applications {
            let (team, rest) = (TEAMS[index % TEAMS.len()], index / TEAMS.len());
            let environment = ENVIRONMENTS[rest % ENVIRONMENTS.len()];
            let namespace = format!("{team}-{environment}-{}", rest / ENVIRONMENTS.len());
            let left = size.pods.saturating_sub(next);
            let mean = left / (applications - index);
            let mut random = Random::of(&["pods", &namespace]);
            let pods = if index + 1 == applications {
                left
            } else if random.chance(35) {
                // Made once, and forgotten.
                0
            } else {
                random.between(mean / 2, mean * 5 / 2).min(left)
            };
            next = cluster.fill(&namespace, next, next + pods);
            cluster.namespaces.push(namespace);
        }
        cluster.namespaces.sort();
        cluster
    }

    /// Gives an application's namespace the pods `next..end`; returns `end`.
    fn fill(&mut self, namespace: &str, mut next: usize, end: usize) -> usize {
        let mut random = Random::of(&["workloads", namespace]);
        let start = random.below(WORDS.len());
        for index in 0.. {
            if next >= end {
                break;
            }
            let (role, owner, port) = random.pick(&ROLES);
            let pods = match owner {
                Owner::StatefulSet => random.pick(&[1, 3, 3, 5, 6]),
                Owner::CronJob => random.pick(&[1, 2, 3, 3]),
                _ => random.pick(&[2, 4, 6, 8, 8, 10, 12, 16, 24]),
            };
            // No workload of a pod or two just because the namespace is nearly full.
            let pods = if end - next < pods + 3 { end - next } else { pods };
            let name = format!("{}-{role}-{index}", WORDS[(start + index) % WORDS.len()]);
            self.workloads.push(Workload {
                namespace: namespace.into(),
                account: if random.chance(60) { name.clone() } else { "default".into() },
                name,
                owner,
                access: if random.chance(15) { Access::NoToken } else { Access::Plain },
                port,
                app: true,
                pods,
                first: next,
            });
            next += pods;
        }
        next
    }

    /// The workloads of the applications; the planted ones are no part of them.
    pub(crate) fn apps(&self) -> &[Workload] {
        self.workloads.get(self.apps..).unwrap_or_default()
    }

    /// Every application's workload in turn, in an order that spreads over the namespaces.
    pub(crate) fn spread(&self, index: usize) -> &Workload {
        // A prime that divides none of the counts visits each once before any twice.
        let apps = self.apps();
        &apps[index * 7_919 % apps.len()]
    }

    pub(crate) fn node(&self, index: usize) -> String {
        let control = self.size.control_plane();
        if index < control {
            format!("cp-{}", index + 1)
        } else {
            format!("worker-{}", index - control + 1)
        }
    }

    pub(crate) fn place(&self, workload: &Workload, ordinal: usize) -> Place {
        let mut random =
            Random::of(&["pod", &workload.namespace, &workload.name, &ordinal.to_string()]);
        let suffix = || workload.random("suffix").distinct_suffix(ordinal);
        let name = match workload.owner {
            Owner::Deployment => format!("{}-{}", workload.replica_set(), suffix()),
            Owner::StatefulSet => format!("{}-{ordinal}", workload.name),
            Owner::DaemonSet => format!("{}-{}", workload.name, suffix()),
            Owner::CronJob => format!("{}-{}", workload.job(ordinal), suffix()),
            Owner::Node => format!("{}-{}", workload.name, self.node(ordinal)),
        };
        let control = self.size.control_plane();
        let node = match workload.owner {
            Owner::DaemonSet | Owner::Node => ordinal,
            _ => control + random.below(self.size.nodes - control),
        };
        let number = workload.first + ordinal;
        let ip = if workload.on_host_network() {
            node_ip(node)
        } else {
            format!("10.{}.{}.{}", 64 + (number >> 16), (number >> 8) & 255, number & 255)
        };
        Place { name, node, ip }
    }
}

pub(crate) fn node_ip(index: usize) -> String {
    format!("10.0.{}.{}", index / 250, index % 250 + 1)
}

/// The team and the environment in an application's namespace's name.
pub(crate) fn team(namespace: &str) -> (&str, &str) {
    let mut parts = namespace.split('-');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or("prod"))
}

/// The Pod Security level that a namespace enforces; empty where none is set.
pub(crate) fn level(namespace: &str) -> &'static str {
    if let Some(level) = planted::level(namespace) {
        level
    } else if SYSTEM_NAMESPACES.contains(&namespace) {
        if namespace == "monitoring" { "privileged" } else { "" }
    } else {
        let levels = ["", "", "baseline", "baseline", "restricted", "restricted", "privileged"];
        Random::of(&["level", namespace]).pick(&levels)
    }
}
