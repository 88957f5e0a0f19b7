//! Which paths of a machine are worth mounting: one table, and how a path is held against it.
//!
//! A mount of a path gives a row when it is the row's path, when it lies above it, or when the row
//! is a directory of which every content counts and the mount lies below it.

use crate::graph::Odds;
use crate::world::{NodeIx, World};

/// What a path gives to whoever reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gain {
    /// A socket that runs containers: the machine.
    Socket,
    /// Files that the machine executes: the machine.
    Execute,
    /// The kernel's handler of crashed processes: the machine.
    CorePattern,
    /// The kubelet's static pods: the machine, and the cluster on the control plane.
    StaticPods,
    /// Manifests that the control plane applies by itself: the cluster.
    Applied,
    /// The kubelet's key: the node's identity.
    Kubelet,
    /// The volumes of the machine's pods.
    Pods,
    /// The cluster's signing keys.
    Keys,
    /// A kubeconfig of an administrator.
    Admin,
    /// The scheduler's kubeconfig.
    Scheduler,
    /// The cluster's database, or a key to it.
    Etcd,
    /// The machine's logs, which the kubelet shows with links followed.
    Logs,
    /// The logs of the machine's pods.
    PodLogs,
    /// The machine's processes, as far as the rule of `ptrace` lets them be read.
    Processes,
}

impl Gain {
    /// Whether only the control plane has it.
    pub(super) const fn is_of_control_plane(self) -> bool {
        matches!(self, Self::Applied | Self::Keys | Self::Admin | Self::Scheduler | Self::Etcd)
    }
}

/// A distribution that keeps its files in a place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Distribution {
    K3s,
    Rke2,
    K0s,
    Microk8s,
    Minikube,
}

/// Where each distribution's files lie, and what tells one of its nodes: a part of the kubelet's
/// version, or a label.
const DISTRIBUTIONS: &[(Distribution, &str, &str, &str)] = &[
    (Distribution::K3s, "/var/lib/rancher/k3s", "+k3s", ""),
    (Distribution::K3s, "/etc/rancher/k3s", "+k3s", ""),
    (Distribution::Rke2, "/var/lib/rancher/rke2", "+rke2", ""),
    (Distribution::Rke2, "/etc/rancher/rke2", "+rke2", ""),
    (Distribution::K0s, "/var/lib/k0s", "+k0s", ""),
    (Distribution::Microk8s, "/var/snap/microk8s", "", "microk8s.io/cluster"),
    (Distribution::Minikube, "/var/lib/minikube", "", "minikube.k8s.io/name"),
];

impl Distribution {
    /// Whether a node is one of its.
    pub(super) fn runs(self, world: &World, node: NodeIx) -> bool {
        let node = &world.nodes[node.index()];
        DISTRIBUTIONS.iter().filter(|d| d.0 == self).any(|(_, _, version, label)| {
            !version.is_empty() && world.text(node.kubelet).contains(version)
                || !label.is_empty() && world.label(node.object, label).is_some()
        })
    }
}

/// How much of a path must be mounted, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Reading is enough.
    Read,
    Write,
}

/// A path that matters. `*` stands for one name.
#[derive(Debug)]
pub(super) struct Row {
    path: &'static str,
    /// Whatever lies below it counts.
    below: bool,
    pub(super) way: Way,
    pub(super) gain: Gain,
    pub(super) odds: Odds,
}

const SURE: Odds = Odds::certain(0.95);

const fn row(path: &'static str, below: bool, way: Way, gain: Gain, odds: Odds) -> Row {
    Row { path, below, way, gain, odds }
}

const fn socket(path: &'static str) -> Row {
    // A read-only mount does not keep anybody from connecting.
    row(path, false, Way::Read, Gain::Socket, SURE)
}

const fn read(path: &'static str, gain: Gain) -> Row {
    row(path, false, Way::Read, gain, SURE)
}

/// A directory of credentials.
const fn store(path: &'static str, gain: Gain) -> Row {
    row(path, true, Way::Read, gain, SURE)
}

/// A directory that counts as a whole only: what else lies in it is harmless.
const fn tree(path: &'static str, odds: Odds) -> Row {
    row(path, false, Way::Write, Gain::Execute, odds)
}

/// A directory, or a file, whose every content is executed or says what is.
const fn run(path: &'static str) -> Row {
    row(path, true, Way::Write, Gain::Execute, SURE)
}

/// The table. `/var/run` is written `/run`, which it links to.
pub(super) static PATHS: &[Row] = &[
    socket("/run/docker.sock"),
    socket("/run/containerd/containerd.sock"),
    socket("/run/crio/crio.sock"),
    socket("/run/cri-dockerd.sock"),
    socket("/run/dockershim.sock"),
    socket("/run/podman/podman.sock"),
    socket("/run/k3s/containerd/containerd.sock"),
    socket("/run/k0s/containerd.sock"),
    socket("/var/snap/microk8s/common/run/containerd.sock"),
    // The kubelet.
    store("/var/lib/kubelet/pki", Gain::Kubelet),
    read("/var/lib/kubelet/kubeconfig", Gain::Kubelet),
    read("/var/lib/kubelet/bootstrap-kubeconfig", Gain::Kubelet),
    store("/var/lib/k0s/kubelet/pki", Gain::Kubelet),
    read("/var/lib/rancher/k3s/agent/client-kubelet.key", Gain::Kubelet),
    read("/var/lib/rancher/rke2/agent/client-kubelet.key", Gain::Kubelet),
    read("/var/snap/microk8s/current/credentials/kubelet.config", Gain::Kubelet),
    // kubeadm's names the key in `/var/lib/kubelet/pki` instead of holding it.
    row("/etc/kubernetes/kubelet.conf", false, Way::Read, Gain::Kubelet, Odds::possible(0.4)),
    row("/var/lib/k0s/kubelet.conf", false, Way::Read, Gain::Kubelet, Odds::possible(0.4)),
    read("/var/lib/kubelet/pods", Gain::Pods),
    read("/var/lib/k0s/kubelet/pods", Gain::Pods),
    read("/var/snap/microk8s/common/var/lib/kubelet/pods", Gain::Pods),
    tree("/var/lib/kubelet", SURE),
    tree("/var/lib/k0s/kubelet", SURE),
    tree("/var/snap/microk8s/common/var/lib/kubelet", SURE),
    // They take effect when the kubelet starts again: who may ask it, and where static pods are.
    row("/var/lib/kubelet/config.yaml", false, Way::Write, Gain::Execute, Odds::possible(0.4)),
    row(
        "/var/lib/kubelet/kubeadm-flags.env",
        false,
        Way::Write,
        Gain::Execute,
        Odds::possible(0.4),
    ),
    row("/etc/kubernetes/kubelet", true, Way::Write, Gain::Execute, Odds::possible(0.4)),
    row("/var/lib/kubelet/plugins", true, Way::Write, Gain::Execute, Odds::possible(0.3)),
    row("/var/lib/kubelet/plugins_registry", true, Way::Write, Gain::Execute, Odds::possible(0.3)),
    row("/var/lib/kubelet/device-plugins", true, Way::Write, Gain::Execute, Odds::possible(0.3)),
    // Static pods and what is applied by itself.
    row("/etc/kubernetes/manifests", true, Way::Write, Gain::StaticPods, SURE),
    row("/var/lib/rancher/k3s/agent/pod-manifests", true, Way::Write, Gain::StaticPods, SURE),
    row("/var/lib/rancher/rke2/agent/pod-manifests", true, Way::Write, Gain::StaticPods, SURE),
    row("/var/lib/rancher/k3s/server/manifests", true, Way::Write, Gain::Applied, SURE),
    row("/var/lib/rancher/rke2/server/manifests", true, Way::Write, Gain::Applied, SURE),
    row("/var/lib/k0s/manifests", true, Way::Write, Gain::Applied, SURE),
    // The control plane's keys.
    store("/etc/kubernetes/pki", Gain::Keys),
    store("/etc/kubernetes/ssl", Gain::Keys),
    // OpenShift's, with a kubeconfig of `system:masters` among the certificates.
    store("/etc/kubernetes/static-pod-resources", Gain::Keys),
    store("/srv/kubernetes", Gain::Keys),
    store("/var/lib/rancher/k3s/server/tls", Gain::Keys),
    store("/var/lib/rancher/rke2/server/tls", Gain::Keys),
    // Who joins as a server is handed the signing keys.
    row("/var/lib/rancher/k3s/server/token", false, Way::Read, Gain::Keys, Odds::likely(0.8)),
    row("/var/lib/rancher/k3s/server/node-token", false, Way::Read, Gain::Keys, Odds::likely(0.8)),
    row("/var/lib/rancher/rke2/server/token", false, Way::Read, Gain::Keys, Odds::likely(0.8)),
    row("/var/lib/rancher/rke2/server/node-token", false, Way::Read, Gain::Keys, Odds::likely(0.8)),
    store("/var/snap/microk8s/current/certs", Gain::Keys),
    store("/var/lib/minikube/certs", Gain::Keys),
    store("/var/lib/k0s/pki", Gain::Keys),
    // Kubeconfigs of administrators.
    read("/etc/kubernetes/admin.conf", Gain::Admin),
    read("/etc/kubernetes/super-admin.conf", Gain::Admin),
    read("/etc/kubernetes/controller-manager.conf", Gain::Admin),
    read("/etc/kubernetes/scheduler.conf", Gain::Scheduler),
    read("/etc/rancher/k3s/k3s.yaml", Gain::Admin),
    read("/etc/rancher/rke2/rke2.yaml", Gain::Admin),
    store("/var/lib/rancher/k3s/server/cred", Gain::Admin),
    store("/var/lib/rancher/rke2/server/cred", Gain::Admin),
    store("/var/snap/microk8s/current/credentials", Gain::Admin),
    read("/var/lib/minikube/kubeconfig", Gain::Admin),
    row("/root/.kube", true, Way::Read, Gain::Admin, Odds::likely(0.6)),
    row("/home/*/.kube", true, Way::Read, Gain::Admin, Odds::possible(0.3)),
    // The database: Secrets in it may be encrypted, writes take effect all the same.
    row("/var/lib/etcd", true, Way::Read, Gain::Etcd, Odds::likely(0.8)),
    row("/var/lib/rancher/k3s/server/db", true, Way::Read, Gain::Etcd, Odds::likely(0.8)),
    row("/var/lib/rancher/rke2/server/db", true, Way::Read, Gain::Etcd, Odds::likely(0.8)),
    row("/var/lib/minikube/etcd", true, Way::Read, Gain::Etcd, Odds::likely(0.8)),
    row("/var/lib/k0s/etcd", true, Way::Read, Gain::Etcd, Odds::likely(0.8)),
    row("/var/lib/k0s/db", true, Way::Read, Gain::Etcd, Odds::likely(0.8)),
    row(
        "/var/snap/microk8s/current/var/kubernetes/backend",
        true,
        Way::Read,
        Gain::Etcd,
        Odds::likely(0.8),
    ),
    row("/etc/kubernetes/pki/etcd", true, Way::Read, Gain::Etcd, Odds::likely(0.9)),
    row(
        "/etc/kubernetes/pki/apiserver-etcd-client.key",
        false,
        Way::Read,
        Gain::Etcd,
        Odds::likely(0.9),
    ),
    // What the machine executes.
    tree("/etc", SURE),
    run("/etc/crontab"),
    run("/etc/cron.d"),
    run("/etc/cron.hourly"),
    run("/etc/cron.daily"),
    run("/etc/cron.weekly"),
    run("/etc/cron.monthly"),
    run("/var/spool/cron"),
    run("/etc/systemd"),
    run("/run/systemd/system"),
    run("/usr/lib/systemd"),
    run("/lib/systemd"),
    run("/etc/init.d"),
    run("/etc/udev"),
    run("/etc/profile"),
    run("/etc/profile.d"),
    run("/etc/ld.so.preload"),
    run("/etc/ld.so.conf"),
    run("/etc/ld.so.conf.d"),
    run("/etc/passwd"),
    run("/etc/shadow"),
    run("/etc/sudoers"),
    run("/etc/sudoers.d"),
    run("/etc/pam.d"),
    run("/etc/ssh"),
    run("/etc/default/kubelet"),
    run("/etc/sysconfig/kubelet"),
    // Read at the runtime's next start.
    row("/etc/containerd", true, Way::Write, Gain::Execute, Odds::likely(0.7)),
    row("/etc/crio", true, Way::Write, Gain::Execute, Odds::likely(0.7)),
    row("/etc/docker", true, Way::Write, Gain::Execute, Odds::likely(0.7)),
    tree("/usr", SURE),
    tree("/usr/local", SURE),
    tree("/lib", SURE),
    tree("/lib64", SURE),
    tree("/usr/lib", SURE),
    tree("/usr/lib64", SURE),
    run("/bin"),
    run("/sbin"),
    run("/usr/bin"),
    run("/usr/sbin"),
    run("/usr/local/bin"),
    run("/usr/local/sbin"),
    run("/opt/bin"),
    run("/opt/cni/bin"),
    // The kubelet, the runtime and the plugins of GKE's machines: others have no such directory.
    row("/home/kubernetes/bin", true, Way::Write, Gain::Execute, Odds::likely(0.6)),
    run("/var/lib/rancher/k3s/data"),
    run("/var/lib/rancher/rke2/bin"),
    run("/var/lib/rancher/rke2/data"),
    run("/var/lib/k0s/bin"),
    run("/var/lib/minikube/binaries"),
    // Libraries that every program loads.
    run("/usr/lib/x86_64-linux-gnu"),
    run("/usr/lib/aarch64-linux-gnu"),
    run("/lib/x86_64-linux-gnu"),
    run("/lib/aarch64-linux-gnu"),
    // Plugins that the kubelet and the runtime execute.
    run("/usr/libexec/kubernetes/kubelet-plugins"),
    run("/var/lib/kubelet/volumeplugins"),
    run("/usr/libexec/cni"),
    run("/usr/lib/cni"),
    // Arguments of the services, and the template of the runtime's configuration.
    row("/var/snap/microk8s/current/args", true, Way::Write, Gain::Execute, Odds::likely(0.7)),
    row("/var/lib/rancher/k3s/agent/etc", true, Way::Write, Gain::Execute, Odds::likely(0.6)),
    row("/var/lib/rancher/rke2/agent/etc", true, Way::Write, Gain::Execute, Odds::likely(0.6)),
    // The configuration names plugins; it is not a program.
    row("/etc/cni/net.d", true, Way::Write, Gain::Execute, Odds::likely(0.6)),
    // Keys and shells of people, who must log in.
    tree("/root", Odds::likely(0.7)),
    row("/root/.ssh", true, Way::Write, Gain::Execute, Odds::likely(0.7)),
    row("/root/.bashrc", false, Way::Write, Gain::Execute, Odds::likely(0.7)),
    row("/root/.profile", false, Way::Write, Gain::Execute, Odds::likely(0.7)),
    tree("/home", Odds::likely(0.6)),
    tree("/home/*", Odds::likely(0.6)),
    row("/home/*/.ssh", true, Way::Write, Gain::Execute, Odds::likely(0.6)),
    // Images and file systems of the machine's containers, privileged ones among them.
    tree("/var/lib/docker", Odds::likely(0.7)),
    row("/var/lib/docker/overlay2", true, Way::Write, Gain::Execute, Odds::likely(0.7)),
    tree("/var/lib/containerd", Odds::likely(0.7)),
    row(
        "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs",
        true,
        Way::Write,
        Gain::Execute,
        Odds::likely(0.7),
    ),
    tree("/var/lib/containers", Odds::likely(0.7)),
    row("/var/lib/containers/storage", true, Way::Write, Gain::Execute, Odds::likely(0.7)),
    tree("/var/lib/k0s/containerd", Odds::likely(0.7)),
    tree("/var/snap/microk8s/common/var/lib/containerd", Odds::likely(0.7)),
    tree("/var/lib/rancher/k3s/agent/containerd", Odds::likely(0.7)),
    tree("/var/lib/rancher/rke2/agent/containerd", Odds::likely(0.7)),
    // What is put among them is shown to whoever reads logs.
    row("/var/log", true, Way::Write, Gain::Logs, SURE),
    row("/var/log/pods", true, Way::Write, Gain::PodLogs, SURE),
    // What a pod with the machine's process namespace sees.
    row("/proc", false, Way::Read, Gain::Processes, Odds::possible(0.25)),
    // The kernel.
    row("/proc/sys/kernel/core_pattern", false, Way::Write, Gain::CorePattern, SURE),
    row("/sys", false, Way::Write, Gain::Execute, Odds::possible(0.3)),
    row("/sys/kernel", false, Way::Write, Gain::Execute, Odds::possible(0.3)),
    row("/sys/fs/cgroup", false, Way::Write, Gain::Execute, Odds::possible(0.2)),
    row("/lib/modules", true, Way::Write, Gain::Execute, Odds::possible(0.3)),
    row("/usr/lib/modules", true, Way::Write, Gain::Execute, Odds::possible(0.3)),
    row("/boot", true, Way::Write, Gain::Execute, Odds::possible(0.3)),
];

/// How a mount lies to a row's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    At,
    Above,
    Below,
}

impl Row {
    /// The distribution that a node must be of for a mount of a path above this row to hold it. A
    /// mount of the distribution's own directory is not there by chance and asks for none.
    pub(super) fn distribution(&self, path: &str) -> Option<Distribution> {
        let own = |of: &str| self.path.starts_with(of) && !path.starts_with(of);
        DISTRIBUTIONS.iter().find(|(_, of, ..)| own(of)).map(|d| d.0)
    }

    /// How a normal path lies to this row, if it gives it.
    pub(super) fn place(&self, path: &str) -> Option<Place> {
        let mut own = self.path.split('/').skip(1);
        let mut other = path.split('/').skip(1).filter(|name| !name.is_empty());
        loop {
            match (own.next(), other.next()) {
                (None, None) => return Some(Place::At),
                (Some(_), None) => return Some(Place::Above),
                (None, Some(_)) => {
                    // Certificates without their keys are public.
                    let public = [".crt", ".pub"].iter().any(|end| path.ends_with(end));
                    let below = self.below && !(public && self.way == Way::Read);
                    return below.then_some(Place::Below);
                }
                (Some(a), Some(b)) if a == b || a == "*" => {}
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attacks::resolved_paths::resolved;

    fn gains(path: &str, writable: bool) -> Vec<Gain> {
        let path = resolved(path, "").unwrap().0;
        let mut gains: Vec<Gain> = PATHS
            .iter()
            .filter(|r| (writable || r.way == Way::Read) && r.place(&path).is_some())
            .map(|r| r.gain)
            .collect();
        gains.sort_unstable();
        gains.dedup();
        gains
    }

    #[test]
    fn rows_are_normal_themselves() {
        for row in PATHS {
            assert_eq!(resolved(row.path, "").unwrap().0, row.path);
        }
    }

    #[test]
    fn harmless_paths_give_nothing() {
        for path in [
            "/etc/localtime",
            "/etc/ssl/certs",
            "/etc/hosts",
            "/etc/machine-id",
            "/etc/os-release",
            "/usr/share/zoneinfo",
            "/usr/share/ca-certificates",
            "/run/xtables.lock",
            "/run/flannel",
            "/dev/null",
            "/dev",
            "/var/lib/docker/containers",
            "/var/lib/cni",
            "/var/lib/containerd/io.containerd.content.v1.content",
            "/usr/lib/firmware",
            "/var/lib/data",
            "/tmp",
            "/data",
            "/etcetera",
        ] {
            assert_eq!(gains(path, true), [], "{path}");
        }
        assert_eq!(gains("/lib/modules", false), []);
        assert_eq!(gains("/var/log", false), []);
        assert_eq!(gains("/proc/sys", false), []);
        assert_eq!(gains("/proc", false), [Gain::Processes]);
        assert_eq!(gains("/etc/cni/net.d", false), []);
        assert_eq!(gains("/etc/kubernetes/pki/ca.crt", false), []);
        assert_eq!(gains("/etc/kubernetes/manifests", false), []);
    }

    #[test]
    fn parents_and_children_count() {
        assert_eq!(gains("/run", false), [Gain::Socket]);
        assert_eq!(gains("/var/run/docker.sock", false), [Gain::Socket]);
        assert_eq!(gains("/etc/cron.d/job", true), [Gain::Execute]);
        assert_eq!(gains("/var/lib/kubelet", false), [Gain::Kubelet, Gain::Pods]);
        assert_eq!(gains("/var/lib/kubelet/pods", true), [Gain::Pods]);
        assert_eq!(gains("/var/lib/k0s/kubelet", false), [Gain::Kubelet, Gain::Pods]);
        assert_eq!(gains("/var/lib/rancher/k3s/server/token", false), [Gain::Keys]);
        assert_eq!(gains("/var/lib/minikube", false), [Gain::Keys, Gain::Admin, Gain::Etcd]);
        assert_eq!(gains("/proc", true), [Gain::CorePattern, Gain::Processes]);
        assert_eq!(gains("/var/log", true), [Gain::Logs, Gain::PodLogs]);
        assert_eq!(gains("/var/log/containers", true), [Gain::Logs]);
        assert_eq!(gains("/etc/kubernetes/pki/etcd", false), [Gain::Keys, Gain::Etcd]);
        assert!(gains("/", false).contains(&Gain::Keys));
    }

    #[test]
    fn a_distribution_is_asked_for_above_its_own_directory() {
        let row = PATHS.iter().find(|r| r.path == "/etc/rancher/k3s/k3s.yaml").unwrap();
        assert_eq!(row.distribution("/etc"), Some(Distribution::K3s));
        assert_eq!(row.distribution("/etc/rancher/k3s"), None);
        assert!(
            PATHS.iter().any(|r| r.path == "/etc/kubernetes/pki" && r.distribution("/").is_none())
        );
    }
}
