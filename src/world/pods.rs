//! What a pod's specification amounts to: effective identity, capabilities, mounts.
//!
//! A [`PodSpec`] holds no name that differs between the replicas of a workload, so that replicas
//! share one: volumes are told apart by their place in the list, not by `kube-api-access-x7k2p`.

use super::admission::Level;
use super::contents::Content;
use super::image::Image;
use super::network::Protocol;
use crate::sym::Sym;
use std::sync::LazyLock;

/// A pod's or template's specification, with the server's defaults applied.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PodSpec {
    /// `serviceAccountName`, or its old name, or `default`.
    pub account: Sym,
    /// `automountServiceAccountToken` of the pod itself.
    pub automount: Option<bool>,
    pub host_network: bool,
    pub host_pid: bool,
    pub host_ipc: bool,
    /// `hostUsers: false`: root inside is nobody outside.
    pub user_namespace: bool,
    pub share_process_namespace: bool,
    pub runtime_class: Sym,
    /// The strictest Pod Security level whose checks this specification passes.
    pub level: Level,
    pub containers: Box<[Container]>,
    pub volumes: Box<[Volume]>,
    /// ConfigMaps in volumes: the volume's place, and that of the source in a projected one.
    pub map_volumes: Box<[(u16, Option<u16>, Sym)]>,
    /// `imagePullSecrets`, which only the node reads.
    pub pull_secrets: Box<[Sym]>,
    /// Networks besides the cluster's, `NAMESPACE/NAME`: of an annotation, and so of the pod.
    pub networks: Box<[Sym]>,
}

/// Which of a pod's three lists a container stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    Main,
    Init,
    Ephemeral,
}

impl List {
    /// The list's field.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Main => "containers",
            Self::Init => "initContainers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }
}

/// A container with its effective security context.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Container {
    pub name: Sym,
    pub image: Sym,
    pub list: List,
    /// Its place in that list.
    pub place: u16,
    pub privileged: bool,
    pub capabilities: Capabilities,
    /// `runAsUser`, the container's before the pod's. `None`: the image decides.
    pub run_as_user: Option<i64>,
    pub run_as_non_root: bool,
    /// `allowPrivilegeEscalation: false`: no program that it starts gains a privilege.
    pub no_new_privileges: bool,
    /// Its seccomp or AppArmor profile is `Unconfined` or, of seccomp, not set.
    pub confined: bool,
    /// It is spared the runtime's AppArmor profile, or the machine's SELinux policy.
    pub spared: Option<Spared>,
    pub proc_unmasked: bool,
    pub host_process: bool,
    /// Input can be sent to its main process.
    pub stdin: bool,
    /// An init container that keeps running.
    pub sidecar: bool,
    pub mounts: Box<[Mount]>,
    /// Secrets in its environment.
    pub env: Box<[EnvRef]>,
    /// ConfigMaps in its environment.
    pub map_env: Box<[EnvRef]>,
    /// Variables whose names say that their values, which are written down, are credentials.
    pub literals: Box<[Literal]>,
    pub ports: Box<[Port]>,
    /// Its command line, kept whole of control-plane components and of ingress-nginx only; of
    /// others the flags by which a controller says what it reads, and names of variables that switch
    /// what it does.
    pub command: Box<[Sym]>,
}

/// What would hold a container back and does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spared {
    /// Its AppArmor profile is `Unconfined`.
    AppArmor,
    /// Its SELinux type is `spc_t`, which the policy lets do everything.
    SeLinux,
}

impl Container {
    /// The container's path in the pod's specification.
    #[must_use]
    pub fn field(&self) -> String {
        format!(".spec.{}[{}]", self.list.field(), self.place)
    }

    /// Whether its processes may run as root: nothing says otherwise.
    #[must_use]
    pub fn may_be_root(&self) -> bool {
        match self.run_as_user {
            Some(user) => user == 0,
            None => !self.run_as_non_root,
        }
    }

    /// Whether its processes may use a capability beside those of their user. Runtimes raise none
    /// for a user other than root to keep, so it takes a program that bears it.
    #[must_use]
    pub fn may_raise_capabilities(&self) -> bool {
        self.privileged || self.may_be_root() || !self.no_new_privileges
    }

    /// Whether it runs for as long as its pod does: not an init container that ends.
    #[must_use]
    pub fn keeps_running(&self) -> bool {
        self.list != List::Init || self.sidecar
    }
}

/// Whether an image is the controller of ingress-nginx, by its name in the registries that carry it.
#[must_use]
pub fn is_ingress_nginx(image: &str) -> bool {
    let image = Image::new(image);
    let name = image.name();
    let folder = image.repository.strip_suffix(name).unwrap_or_default();
    folder.ends_with("ingress-nginx/") && name.starts_with("controller")
        || name.ends_with("nginx-ingress-controller")
        || name.ends_with("ingress-nginx-controller")
}

/// One mount of a volume, or a raw device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mount {
    /// Its place in `volumeMounts` (or `volumeDevices`).
    pub place: u16,
    /// The volume's place in `.spec.volumes`.
    pub volume: u16,
    pub read_only: bool,
    pub device: bool,
    /// `subPath`, or `subPathExpr` with its variables unresolved.
    pub sub_path: Sym,
    /// It stands where the token of the service account is mounted by default.
    pub at_token_path: bool,
}

/// A volume, without its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Volume {
    HostPath(Sym),
    Secret(Given),
    Projected {
        tokens: Box<[(u16, Sym)]>,
        secrets: Box<[(u16, Given)]>,
    },
    Claim {
        name: Sym,
        read_only: bool,
    },
    /// A CSI driver; the Secret is the node's to read.
    Csi {
        secret: Sym,
    },
    Other,
}

/// A Secret that a volume has, whole or some of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Given {
    pub secret: Sym,
    /// Only keys that are no secret: `is_public`.
    pub public: bool,
}

/// Whether what stands under a key of a Secret is for everybody to know: a certificate, a public
/// key, or the namespace beside a token. A container that is given only such keys holds nothing.
#[must_use]
pub fn is_public(key: &str) -> bool {
    matches!(key, "namespace" | "ca.pem") || key.ends_with(".crt") || key.ends_with(".pub")
}

/// A Secret or ConfigMap in a container's environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EnvRef {
    pub secret: Sym,
    /// Of a Secret, only a key that is no secret: `is_public`.
    pub public: bool,
    /// `env` or `envFrom`.
    pub from: bool,
    /// Its place in that list.
    pub place: u16,
}

/// A variable with a credential written down as its value, which is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Literal {
    pub name: Sym,
    pub content: Content,
    pub place: u16,
}

/// A declared port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Port {
    pub name: Sym,
    pub number: u16,
    pub protocol: Protocol,
    pub host_port: u16,
    pub host_ip: Sym,
    pub place: u16,
}

impl PodSpec {
    /// The API tokens projected into the pod: the volume's place and the source's place in it.
    pub fn api_tokens<'a>(
        &'a self,
        is_api: impl Fn(Sym) -> bool + 'a,
    ) -> impl Iterator<Item = (u16, u16)> + 'a {
        self.volumes.iter().enumerate().flat_map(move |(volume, v)| {
            let tokens: &[(u16, Sym)] = match v {
                Volume::Projected { tokens, .. } => tokens,
                _ => &[],
            };
            let volume = u16::try_from(volume).unwrap_or(u16::MAX);
            tokens
                .iter()
                .filter(|(_, audience)| is_api(*audience))
                .map(move |(source, _)| (volume, *source))
                .collect::<Vec<_>>()
        })
    }

    /// Whether any audience's token is projected into the pod.
    #[must_use]
    pub fn has_token_volume(&self) -> bool {
        self.volumes
            .iter()
            .any(|v| matches!(v, Volume::Projected { tokens, .. } if !tokens.is_empty()))
    }
}

/// A set of Linux capabilities, as a container may use it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(pub u64);

/// Names in the kernel's numbering (capabilities(7)), without `CAP_`.
const NAMES: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What containerd gives a container that asks for nothing (containerd `oci/spec.go`).
static DEFAULT: LazyLock<u64> = LazyLock::new(|| {
    const NAMED: &[&str] = &[
        "CHOWN",
        "DAC_OVERRIDE",
        "FSETID",
        "FOWNER",
        "MKNOD",
        "NET_RAW",
        "SETGID",
        "SETUID",
        "SETFCAP",
        "SETPCAP",
        "NET_BIND_SERVICE",
        "SYS_CHROOT",
        "KILL",
        "AUDIT_WRITE",
    ];
    NAMED.iter().fold(0, |bits, name| bits | bit(name))
});

impl Capabilities {
    /// Every capability.
    pub const ALL: Self = Self((1 << NAMES.len()) - 1);

    /// The effective set: the runtime's default, or all of a privileged container, less what is
    /// dropped, plus what is added. `ALL` stands for every one in both lists; what is added wins.
    #[must_use]
    pub fn effective<'a>(
        privileged: bool,
        add: impl Iterator<Item = &'a str>,
        drop: impl Iterator<Item = &'a str>,
    ) -> Self {
        if privileged {
            return Self::ALL;
        }
        let mut bits = *DEFAULT;
        for name in drop {
            bits &= !bit(name);
        }
        for name in add {
            bits |= bit(name);
        }
        Self(bits)
    }

    /// Whether the set holds a capability, named without `CAP_`.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        let bit = bit(name);
        bit != 0 && self.0 & bit == bit
    }
}

/// The bit of a capability's name, with or without `CAP_`, in any case; all bits of `ALL`; none
/// of a name that Linux does not have.
fn bit(name: &str) -> u64 {
    let (prefix, rest) = name.split_at_checked(4).unwrap_or(("", name));
    let name = if prefix.eq_ignore_ascii_case("CAP_") { rest } else { name };
    if name.eq_ignore_ascii_case("ALL") {
        return Capabilities::ALL.0;
    }
    NAMES.iter().position(|n| n.eq_ignore_ascii_case(name)).map_or(0, |i| 1 << i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(add: &[&str], drop: &[&str]) -> Capabilities {
        Capabilities::effective(false, add.iter().copied(), drop.iter().copied())
    }

    #[test]
    fn dropping_all_and_adding_one_leaves_one() {
        let one = set(&["NET_BIND_SERVICE"], &["ALL"]);
        assert!(one.has("NET_BIND_SERVICE") && !one.has("CHOWN"));
    }

    #[test]
    fn add_wins_over_drop_and_the_prefix_does_not_matter() {
        assert!(set(&["CAP_SYS_ADMIN"], &["SYS_ADMIN"]).has("SYS_ADMIN"));
        assert!(set(&["all"], &[]).has("SYS_MODULE"));
        assert!(!set(&[], &[]).has("SYS_ADMIN"));
        assert!(!set(&["NO_SUCH"], &["ALL"]).has("NO_SUCH"));
    }
}
