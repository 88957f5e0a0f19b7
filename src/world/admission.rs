//! Pod Security admission: which level a specification passes, and which a namespace enforces.
//!
//! Source: kubernetes/pod-security-admission, `policy/check_*.go`, and for what happens on
//! updates an API server 1.36. The level is the latest version's, as a namespace enforces it that
//! names none: servers before 1.34 let the hosts of probes and hooks pass.

use crate::k8s::workload::{Container, PodSecurityContext, PodSpec, Profile, SeLinuxOptions};

/// The three levels, the strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Restricted,
    Baseline,
    Privileged,
}

impl Level {
    /// The level that a label's value names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "restricted" => Self::Restricted,
            "baseline" => Self::Baseline,
            "privileged" => Self::Privileged,
            _ => return None,
        })
    }

    /// The level that a namespace enforces whose label has this value: any other than the three
    /// is taken for the strictest (`api.ParseLevel`).
    #[must_use]
    pub fn enforced(label: &str) -> Self {
        Self::named(label).unwrap_or(Self::Restricted)
    }

    /// The level's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Baseline => "baseline",
            Self::Privileged => "privileged",
        }
    }
}

/// What `baseline` lets a container add.
const BASELINE_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What `baseline` lets a pod set in its kernel's namespaces.
const SAFE_SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

/// The SELinux types of containers.
const CONTAINER_TYPES: &[&str] =
    &["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/// The strictest level whose checks a specification passes.
#[must_use]
pub fn level_of(spec: &PodSpec<'_>) -> Level {
    if !passes_baseline(spec) {
        Level::Privileged
    } else if passes_restricted(spec) {
        Level::Restricted
    } else {
        Level::Baseline
    }
}

fn containers<'s, 'a>(spec: &'s PodSpec<'a>) -> impl Iterator<Item = &'s Container<'a>> {
    spec.init_containers
        .iter()
        .chain(spec.containers.iter())
        .chain(spec.ephemeral_containers.iter())
}

fn unconfined(profile: Option<&Profile<'_>>) -> bool {
    profile.is_some_and(|p| &*p.kind == "Unconfined")
}

fn own_context(options: Option<&SeLinuxOptions<'_>>) -> bool {
    options.is_some_and(|o| {
        !CONTAINER_TYPES.contains(&&*o.kind) || !o.user.is_empty() || !o.role.is_empty()
    })
}

fn passes_baseline(spec: &PodSpec<'_>) -> bool {
    let pod = spec.security_context.as_ref();
    let host_process = |w: Option<&crate::k8s::workload::WindowsOptions>| {
        w.is_some_and(|w| w.host_process.is_true())
    };
    if spec.host_network.is_true() || spec.host_pid.is_true() || spec.host_ipc.is_true() {
        return false;
    }
    if spec.volumes.iter().any(|v| v.host_path.is_some()) {
        return false;
    }
    if pod.is_some_and(|p| {
        unconfined(p.seccomp_profile.as_ref())
            || unconfined(p.app_armor_profile.as_ref())
            || host_process(p.windows_options.as_ref())
            || own_context(p.se_linux_options.as_deref())
            || p.sysctls.iter().any(|s| !SAFE_SYSCTLS.contains(&&*s.name))
    }) {
        return false;
    }
    containers(spec).all(|c| {
        if c.ports.iter().any(|p| p.host_port.0.unwrap_or(0) != 0) {
            return false;
        }
        let mut ends = c.actions().flat_map(|a| [&a.http_get, &a.tcp_socket]).flatten();
        if ends.any(|end| end.host.0) {
            return false;
        }
        let Some(s) = &c.security_context else { return true };
        let adds_allowed = s
            .capabilities
            .as_ref()
            .is_none_or(|caps| caps.add.iter().all(|add| BASELINE_CAPABILITIES.contains(&&**add)));
        // Relaxed for pods in a user namespace since 1.35.
        let proc_default = s.proc_mount.is_empty()
            || &*s.proc_mount == "Default"
            || spec.host_users.0 == Some(false);
        !s.privileged.is_true()
            && adds_allowed
            && proc_default
            && !unconfined(s.seccomp_profile.as_ref())
            && !unconfined(s.app_armor_profile.as_ref())
            && !host_process(s.windows_options.as_ref())
            && !own_context(s.se_linux_options.as_deref())
    })
}

fn passes_restricted(spec: &PodSpec<'_>) -> bool {
    let none = PodSecurityContext::default();
    let pod = spec.security_context.as_ref().unwrap_or(&none);
    let in_user_namespace = spec.host_users.0 == Some(false);
    let profile_set = |p: Option<&Profile<'_>>| {
        p.is_some_and(|p| matches!(&*p.kind, "RuntimeDefault" | "Localhost"))
    };
    // `hostPath` failed baseline.
    if spec.volumes.iter().any(crate::k8s::workload::Volume::names_storage) {
        return false;
    }
    if !in_user_namespace && pod.run_as_user.0 == Some(0) {
        return false;
    }
    containers(spec).all(|c| {
        let Some(s) = &c.security_context else { return false };
        let Some(caps) = &s.capabilities else { return false };
        let capabilities = caps.drop.iter().any(|d| &**d == "ALL")
            && caps.add.iter().all(|a| &**a == "NET_BIND_SERVICE");
        let non_root = in_user_namespace
            || match s.run_as_non_root.0 {
                Some(own) => own,
                None => pod.run_as_non_root.is_true(),
            };
        s.allow_privilege_escalation.0 == Some(false)
            && capabilities
            && non_root
            && (in_user_namespace || s.run_as_user.0 != Some(0))
            && (profile_set(s.seccomp_profile.as_ref())
                || s.seccomp_profile.is_none() && profile_set(pod.seccomp_profile.as_ref()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(yaml: &str) -> Level {
        level_of(&serde_yaml::from_str(yaml).unwrap())
    }

    #[test]
    fn a_user_namespace_relaxes_some_checks_only() {
        let unmasked = "{containers: [{securityContext: {procMount: Unmasked}}]";
        assert_eq!(level(&format!("{unmasked}}}")), Level::Privileged);
        assert_eq!(level(&format!("{unmasked}, hostUsers: false}}")), Level::Baseline);
        let root = "{securityContext: {runAsUser: 0, seccompProfile: {type: RuntimeDefault}}, \
            containers: [{securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]";
        assert_eq!(level(&format!("{root}}}")), Level::Baseline);
        assert_eq!(level(&format!("{root}, hostUsers: false}}")), Level::Restricted);
        let privileged = "{hostUsers: false, containers: [{securityContext: {privileged: true}}]}";
        assert_eq!(level(privileged), Level::Privileged);
    }

    #[test]
    fn levels_of_small_pods() {
        assert_eq!(level("containers: [{name: a}]"), Level::Baseline);
        assert_eq!(level("{hostPID: true, containers: [{name: a}]}"), Level::Privileged);
        assert_eq!(level("{volumes: [{hostPath: {path: /}}], containers: []}"), Level::Privileged);
        let strict = "{securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, \
            containers: [{securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}";
        assert_eq!(level(strict), Level::Restricted);
        let init =
            "{containers: [{name: a}], initContainers: [{securityContext: {privileged: true}}]}";
        assert_eq!(level(init), Level::Privileged);
        let probe = "containers: [{startupProbe: {tcpSocket: {host: 10.0.0.1, port: 1}}}]";
        assert_eq!(level(probe), Level::Privileged);
        assert_eq!(level("containers: [{startupProbe: {tcpSocket: {port: 1}}}]"), Level::Baseline);
        let net_raw = "containers: [{securityContext: {capabilities: {add: [NET_RAW]}}}]";
        assert_eq!(level(net_raw), Level::Privileged);
    }
}
