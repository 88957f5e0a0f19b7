//! Capabilities that lead out of a container: their pages, and the table that the escape walk reads.

use super::escape::Goal;
use crate::graph::{Attack, Odds};

crate::attack! {
    /// Mounts the machine's disk or uses its control groups, as `CAP_SYS_ADMIN` allows.
    ///
    /// ## Needs
    /// `SYS_ADMIN` (or `ALL`) among the added capabilities, held by root: another user loses added
    /// capabilities when it starts a program. Usually also that AppArmor does not deny `mount`.
    /// ## Abuse
    /// `mount -t cgroup -o rdma cgroup /tmp/c` and its `release_agent` on control groups version 1;
    /// `mknod` and `mount` of the disk where the device is allowed; `fsconfig` and `bpf` otherwise.
    /// ## Stopped by
    /// The runtimes' AppArmor profile, SELinux, a user namespace, a sandbox. The default seccomp
    /// profile admits the calls once the capability is there. With `allowPrivilegeEscalation: false`
    /// a user other than root has no capability at all.
    /// ## Fix
    /// Drop `ALL` and add nothing; a FUSE or mount helper belongs into a CSI driver.
    /// ## Detect
    /// Audit events that create pods with `SYS_ADMIN`; `mount` calls from a container's cgroup.
    /// ## References
    /// - capabilities(7); <https://kubehound.io/reference/attacks/CE_PRIV_MOUNT/>
    /// - containerd `contrib/seccomp/seccomp_default.go`
    pub(super) static CAP_SYS_ADMIN = {
        id: "cap-sys-admin", title: "Escape with CAP_SYS_ADMIN", mitre: &["T1611"],
        odds: Odds::likely(0.7),
    }
}

crate::attack! {
    /// Loads a module into the machine's kernel.
    ///
    /// ## Needs
    /// `SYS_MODULE` (or `ALL`) among the added capabilities, held by root, and a kernel that takes
    /// unsigned modules.
    /// ## Abuse
    /// Build a module against the kernel's headers whose init calls `call_usermodehelper`, then
    /// `insmod run.ko`.
    /// ## Stopped by
    /// Module signing and lockdown (Secure Boot), a user namespace, a sandbox.
    /// ## Fix
    /// Drop the capability; load modules when the machine starts.
    /// ## Detect
    /// `init_module` and `finit_module` calls from a container's cgroup.
    /// ## References
    /// - capabilities(7); <https://kubehound.io/reference/attacks/CE_MODULE_LOAD/>
    pub(super) static CAP_SYS_MODULE = {
        id: "cap-sys-module", title: "Load a kernel module", mitre: &["T1547.006", "T1611"],
        odds: Odds::likely(0.7),
    }
}

crate::attack! {
    /// Injects code into a process of the machine.
    ///
    /// ## Needs
    /// `hostPID: true` on the pod and `SYS_PTRACE` (or `ALL`) among the container's added
    /// capabilities, held by root.
    /// ## Abuse
    /// `gdb -p PID` on a process of the machine that runs as root, then
    /// `call (int)system("...")`; or `/proc/PID/root` of it for its files.
    /// ## Stopped by
    /// AppArmor's rules on `ptrace`, Yama's scope 3, a user namespace, a sandbox.
    /// ## Fix
    /// Drop the capability or `hostPID`; each alone does not reach the machine's processes.
    /// ## Detect
    /// `ptrace` calls from a container's cgroup to processes outside it.
    /// ## References
    /// - ptrace(2); <https://kubehound.io/reference/attacks/CE_SYS_PTRACE/>
    pub(super) static CAP_SYS_PTRACE_HOST_PID = {
        id: "cap-sys-ptrace-host-pid", title: "Inject into the machine's processes",
        mitre: &["T1055.008", "T1611"], odds: Odds::likely(0.7),
    }
}

crate::attack! {
    /// Reads any file of the machine's disk by its number, as `CAP_DAC_READ_SEARCH` allows.
    ///
    /// ## Needs
    /// `DAC_READ_SEARCH` (or `ALL`) among the added capabilities, held by root. Some file of the
    /// machine is always mounted: the kubelet writes `/etc/hosts`.
    /// ## Abuse
    /// `open_by_handle_at` on a descriptor of `/etc/hosts` with the inode of the file system's root
    /// (the tool `shocker`), then read `/var/lib/kubelet/pki/kubelet-client-current.pem`, and
    /// `/etc/kubernetes/pki` on a control-plane node. Mounted tokens are on file systems of their
    /// own and out of its reach.
    /// ## Stopped by
    /// A user namespace, a sandbox, kubelet files on another file system.
    /// ## Fix
    /// Drop the capability.
    /// ## Detect
    /// `open_by_handle_at` calls from a container's cgroup.
    /// ## References
    /// - capabilities(7), open_by_handle_at(2)
    /// - containerd `contrib/seccomp/seccomp_default.go`
    pub(super) static CAP_DAC_READ_SEARCH = {
        id: "cap-dac-read-search", title: "Read the machine's files by number",
        mitre: &["T1611", "T1005"], odds: Odds::likely(0.7),
    }
}

crate::attack! {
    /// Changes the machine's network: reads and redirects its traffic.
    ///
    /// ## Needs
    /// `hostNetwork: true` and `NET_ADMIN` (or `ALL`) among the added capabilities, and traffic that
    /// is worth redirecting.
    /// ## Abuse
    /// `iptables -t nat` rules or `tc` redirect what passes the machine; `tcpdump -i any` reads it.
    /// ## Stopped by
    /// Encryption and authentication of the traffic: the API server's and the kubelet's are.
    /// ## Fix
    /// Drop `NET_ADMIN` or `hostNetwork` from what is no network plugin.
    /// ## Detect
    /// Changed netfilter rules; `AF_PACKET` sockets of a container's cgroup.
    /// ## References
    /// - capabilities(7)
    /// - <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
    pub(super) static CAP_NET_ADMIN_RAW_HOST_NET = {
        id: "cap-net-admin-raw-host-net", title: "Redirect the machine's traffic",
        mitre: &["T1040", "T1557"], odds: Odds::possible(0.2),
    }
}

crate::attack! {
    /// Watches every process of the machine from the kernel, as `CAP_BPF` and `CAP_PERFMON` allow.
    ///
    /// ## Needs
    /// `BPF` and `PERFMON` together among the added capabilities, held by root: probes read the
    /// memory of the kernel and of every process. Changing that memory takes `SYS_ADMIN` as well.
    /// ## Abuse
    /// `bpftrace -e 'uprobe:/proc/PID/root/usr/lib/libssl.so.3:SSL_write { printf("%s", str(arg1)); }'`
    /// shows requests with their tokens; `kprobe:vfs_read` shows what is read from files.
    /// ## Stopped by
    /// Kernel lockdown in its mode `confidentiality`; a user namespace, outside which the
    /// capabilities count for nothing; a sandbox; one of the two capabilities alone.
    /// ## Fix
    /// Drop the capabilities; leave tracing to one agent whose image and namespace nobody changes.
    /// ## Detect
    /// `bpf` and `perf_event_open` calls from a container's cgroup; `bpftool prog list`.
    /// ## References
    /// - capabilities(7); bpf-helpers(7)
    /// - Linux `kernel/trace/bpf_trace.c`, `bpf_get_probe_write_proto`
    pub(super) static CAP_BPF_PERFMON = {
        id: "cap-bpf-perfmon", title: "Watch the machine's processes",
        mitre: &["T1611", "T1056"], odds: Odds::possible(0.3),
    }
}

/// A capability and what it takes to use it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) capability: &'static str,
    /// Another that it takes beside it; `SYS_ADMIN` holds both and has a row of its own.
    pub(super) also: Option<&'static str>,
    pub(super) attack: &'static Attack,
    pub(super) goal: Goal,
    pub(super) host_pid: bool,
    pub(super) host_network: bool,
    /// A seccomp profile can stand in its way.
    pub(super) filtered: bool,
    /// The runtimes' AppArmor profile stands in its way, if it is not spared.
    pub(super) guarded: bool,
}

const fn row(capability: &'static str, attack: &'static Attack, goal: Goal) -> Row {
    Row {
        capability,
        also: None,
        attack,
        goal,
        host_pid: false,
        host_network: false,
        filtered: true,
        guarded: false,
    }
}

/// The capabilities that lead out.
pub(super) static CAPABILITIES: &[Row] = &[
    Row { guarded: true, ..row("SYS_ADMIN", &CAP_SYS_ADMIN, Goal::Node) },
    row("SYS_MODULE", &CAP_SYS_MODULE, Goal::Node),
    Row {
        host_pid: true,
        guarded: true,
        ..row("SYS_PTRACE", &CAP_SYS_PTRACE_HOST_PID, Goal::Node)
    },
    row("DAC_READ_SEARCH", &CAP_DAC_READ_SEARCH, Goal::Files),
    Row { also: Some("PERFMON"), ..row("BPF", &CAP_BPF_PERFMON, Goal::Processes) },
    Row {
        host_network: true,
        filtered: false,
        ..row("NET_ADMIN", &CAP_NET_ADMIN_RAW_HOST_NET, Goal::Node)
    },
];
