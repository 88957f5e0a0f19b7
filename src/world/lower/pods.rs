//! Specifications of pods, with what the API server sets by default.

use super::{number, place};
use crate::k8s::{SharedSpec, workload};
use crate::sym::Sym;
use crate::world::admission::level_of;
use crate::world::contents::variable;
use crate::world::controllers;
use crate::world::network::Protocol;
use crate::world::pods::{
    Capabilities, Container, EnvRef, Given, List, Literal, Mount, PodSpec, Port, Spared, Volume,
    is_ingress_nginx, is_public,
};
use crate::world::rows::Part;

impl Part {
    /// The specification of a pod, which others may share.
    pub(super) fn shared_spec(
        &mut self,
        shared: &SharedSpec<'_>,
        control_plane: bool,
        networks: Box<[Sym]>,
    ) -> u32 {
        // These two are not of the specification.
        let plain = !control_plane && networks.is_empty();
        if let Some(known) = shared.lowered.get().filter(|_| plain) {
            return known;
        }
        let lowered = self.pod_spec(&shared.spec, control_plane, networks);
        shared.lowered.set(Some(lowered).filter(|_| plain));
        lowered
    }

    pub(super) fn pod_spec(
        &mut self,
        spec: &workload::PodSpec<'_>,
        control_plane: bool,
        networks: Box<[Sym]>,
    ) -> u32 {
        let account = match (&*spec.service_account_name, &*spec.service_account) {
            ("", "") => "default",
            ("", old) => old,
            (name, _) => name,
        };
        let volumes = spec.volumes.iter().map(|v| self.volume(v)).collect();
        let lists = [
            (List::Main, &spec.containers),
            (List::Init, &spec.init_containers),
            (List::Ephemeral, &spec.ephemeral_containers),
        ];
        let mut containers = Vec::new();
        for (list, of) in lists {
            for (index, container) in of.iter().enumerate() {
                containers.push(self.container(spec, container, list, index, control_plane));
            }
        }
        let lowered = PodSpec {
            account: self.sym(account),
            automount: spec.automount_service_account_token.0,
            host_network: spec.host_network.is_true(),
            host_pid: spec.host_pid.is_true(),
            host_ipc: spec.host_ipc.is_true(),
            user_namespace: spec.host_users.0 == Some(false),
            share_process_namespace: spec.share_process_namespace.is_true(),
            runtime_class: self.sym(&spec.runtime_class_name),
            level: level_of(spec),
            containers: containers.into(),
            volumes,
            map_volumes: self.map_volumes(spec),
            pull_secrets: spec
                .image_pull_secrets
                .iter()
                .map(|r| self.symbols.intern(&r.name))
                .collect(),
            networks,
        };
        self.specs.add(lowered)
    }

    /// The ConfigMaps in volumes. That of the cluster's certificates is in every pod and holds none.
    fn map_volumes(&mut self, spec: &workload::PodSpec<'_>) -> Box<[(u16, Option<u16>, Sym)]> {
        let mut found = Vec::new();
        for (i, volume) in spec.volumes.iter().enumerate() {
            let projected = volume.projected.iter().flat_map(|p| p.sources.iter().enumerate());
            let projected = projected.map(|(source, s)| (Some(place(source)), &s.config_map));
            for (source, map) in projected.chain([(None, &volume.config_map)]) {
                if let Some(map) = map.as_ref().filter(|map| &*map.name != "kube-root-ca.crt") {
                    found.push((place(i), source, self.symbols.intern(&map.name)));
                }
            }
        }
        found.into()
    }

    fn given(&mut self, name: &str, items: &[workload::KeyToPath<'_>]) -> Given {
        let public = !items.is_empty() && items.iter().all(|item| is_public(&item.key));
        Given { secret: self.sym(name), public }
    }

    pub(super) fn volume(&mut self, v: &workload::Volume<'_>) -> Volume {
        if let Some(host) = &v.host_path {
            Volume::HostPath(self.sym(&host.path))
        } else if let Some(secret) = &v.secret {
            Volume::Secret(self.given(&secret.secret_name, &secret.items))
        } else if let Some(projected) = &v.projected {
            let (mut tokens, mut secrets) = (Vec::new(), Vec::new());
            for (i, source) in projected.sources.iter().enumerate() {
                if let Some(token) = &source.service_account_token {
                    tokens.push((place(i), self.sym(&token.audience)));
                }
                if let Some(secret) = &source.secret {
                    secrets.push((place(i), self.given(&secret.name, &secret.items)));
                }
            }
            Volume::Projected { tokens: tokens.into(), secrets: secrets.into() }
        } else if let Some(claim) = &v.persistent_volume_claim {
            Volume::Claim {
                name: self.sym(&claim.claim_name),
                read_only: claim.read_only.is_true(),
            }
        } else if let Some(secret) = v.csi.as_ref().and_then(|c| c.node_publish_secret_ref.as_ref())
        {
            Volume::Csi { secret: self.sym(&secret.name) }
        } else {
            Volume::Other
        }
    }

    pub(super) fn container(
        &mut self,
        spec: &workload::PodSpec<'_>,
        c: &workload::Container<'_>,
        list: List,
        index: usize,
        control_plane: bool,
    ) -> Container {
        let none = workload::SecurityContext::default();
        let own = c.security_context.as_ref().unwrap_or(&none);
        let pod = spec.security_context.as_ref();
        let privileged = own.privileged.is_true();
        let (add, drop) =
            own.capabilities.as_ref().map_or((&[][..], &[][..]), |c| (&*c.add, &*c.drop));
        let seccomp = own.seccomp_profile.as_ref().or(pod.and_then(|p| p.seccomp_profile.as_ref()));
        // The container's own fields come before the pod's.
        let armor =
            own.app_armor_profile.as_ref().or(pod.and_then(|p| p.app_armor_profile.as_ref()));
        let linux = own.se_linux_options.as_ref().or(pod.and_then(|p| p.se_linux_options.as_ref()));
        let spared = if armor.is_some_and(|p| &*p.kind == "Unconfined") {
            Some(Spared::AppArmor)
        } else {
            linux.filter(|o| &*o.kind == "spc_t").map(|_| Spared::SeLinux)
        };
        let volume_of = |name: &str| spec.volumes.iter().position(|v| *v.name == *name);
        let mut mounts = Vec::new();
        for (i, m) in c.volume_mounts.iter().enumerate() {
            let Some(volume) = volume_of(&m.name) else { continue };
            let sub_path = if m.sub_path.is_empty() { &m.sub_path_expr } else { &m.sub_path };
            mounts.push(Mount {
                place: place(i),
                volume: place(volume),
                read_only: m.read_only.is_true(),
                device: false,
                sub_path: self.sym(sub_path),
                at_token_path: m.mount_path.trim_end_matches('/') == TOKEN_PATH,
            });
        }
        for (i, device) in c.volume_devices.iter().enumerate() {
            let Some(volume) = volume_of(&device.name) else { continue };
            mounts.push(Mount {
                place: place(i),
                volume: place(volume),
                read_only: false,
                device: true,
                sub_path: Sym::EMPTY,
                at_token_path: false,
            });
        }
        let (mut env, mut map_env, mut literals) = (Vec::new(), Vec::new(), Vec::new());
        for (i, e) in c.env.iter().enumerate() {
            if let Some(content) = variable(&e.name).filter(|_| e.value.0) {
                literals.push(Literal { name: self.sym(&e.name), content, place: place(i) });
            }
            if let Some(r) = e.value_from.as_ref().and_then(|v| v.secret_key_ref.as_ref()) {
                let (secret, public) = (self.sym(&r.name), is_public(&r.key));
                env.push(EnvRef { secret, public, from: false, place: place(i) });
            }
            if let Some(r) = e.value_from.as_ref().and_then(|v| v.config_map_key_ref.as_ref()) {
                let secret = self.sym(&r.name);
                map_env.push(EnvRef { secret, public: false, from: false, place: place(i) });
            }
        }
        for (i, e) in c.env_from.iter().enumerate() {
            if let Some(r) = &e.secret_ref {
                let secret = self.sym(&r.name);
                env.push(EnvRef { secret, public: false, from: true, place: place(i) });
            }
            if let Some(r) = &e.config_map_ref {
                let secret = self.sym(&r.name);
                map_env.push(EnvRef { secret, public: false, from: true, place: place(i) });
            }
        }
        let ports = c.ports.iter().enumerate().map(|(i, p)| Port {
            name: self.symbols.intern(&p.name),
            number: number(p.container_port),
            protocol: Protocol::of(&p.protocol).unwrap_or(Protocol::Tcp),
            // The server sets `hostPort` of a pod on the host's network to its port.
            host_port: match number(p.host_port) {
                0 if spec.host_network.is_true() => number(p.container_port),
                port => port,
            },
            host_ip: self.symbols.intern(&p.host_ip),
            place: place(i),
        });
        let ports = ports.collect();
        let command = if control_plane || is_ingress_nginx(&c.image) {
            c.command.iter().chain(c.args.iter()).map(|a| self.symbols.intern(a)).collect()
        } else {
            self.controller_flags(c)
        };
        Container {
            name: self.sym(&c.name),
            image: self.sym(&c.image),
            list,
            place: place(index),
            privileged,
            capabilities: Capabilities::effective(
                privileged,
                add.iter().map(|s| &**s),
                drop.iter().map(|s| &**s),
            ),
            run_as_user: own.run_as_user.0.or(pod.and_then(|p| p.run_as_user.0)),
            run_as_non_root: match own.run_as_non_root.0 {
                Some(own) => own,
                None => pod.is_some_and(|p| p.run_as_non_root.is_true()),
            },
            no_new_privileges: own.allow_privilege_escalation.0 == Some(false),
            confined: seccomp.is_some_and(|p| matches!(&*p.kind, "RuntimeDefault" | "Localhost")),
            spared,
            proc_unmasked: &*own.proc_mount == "Unmasked",
            host_process: own
                .windows_options
                .as_ref()
                .or(pod.and_then(|p| p.windows_options.as_ref()))
                .is_some_and(|w| w.host_process.is_true()),
            stdin: c.stdin.is_true(),
            sidecar: list == List::Init && &*c.restart_policy == "Always",
            mounts: mounts.into(),
            env: env.into(),
            map_env: map_env.into(),
            literals: literals.into(),
            ports,
            command,
        }
    }

    /// The flags of a controller that say what it reads and as whom it acts, each with its value.
    fn controller_flags(&mut self, c: &workload::Container<'_>) -> Box<[Sym]> {
        let words: &mut dyn Iterator<Item = &str> =
            &mut c.command.iter().chain(c.args.iter()).map(|word| &**word);
        let mut words = words.filter(|w| !w.is_empty()).peekable();
        let mut kept = Vec::new();
        while let Some(word) = words.next() {
            let (name, rest) = word.split_at(word.find('=').unwrap_or(word.len()));
            let known = CONTROLLER_FLAGS.iter().find(|flag| **flag == name).copied();
            let Some(known) = known.or_else(|| controllers::flag(name)) else { continue };
            let value = words.peek().filter(|next| name == word && !next.starts_with('-'));
            let flag = value.map(|value| self.symbols.intern(&format!("{known}={value}")));
            kept.push(flag.unwrap_or_else(|| self.symbols.intern(&format!("{known}{rest}"))));
        }
        let variables = c.env.iter().filter(|e| VARIABLES.contains(&&*e.name));
        kept.extend(variables.map(|e| self.symbols.intern(&e.name)));
        kept.extend(super::commands::kept(c).iter().map(|word| self.symbols.intern(word)));
        kept.into()
    }
}

/// Variables that switch what a program does. That one is set is kept, never to what.
const VARIABLES: &[&str] = &[
    // Weave Net
    "EXPECT_NPC",
];

/// The flags of third-party controllers that rules read. Their values name namespaces, accounts
/// and modes.
const CONTROLLER_FLAGS: &[&str] = &[
    // Argo CD
    "--application-namespaces",
    // Argo Workflows
    "--auth-mode",
    // Kubernetes Dashboard
    "--enable-skip-login",
    // Flux
    "--default-service-account",
    "--no-cross-namespace-refs",
    "--watch-all-namespaces",
    // External Secrets Operator
    "--enable-cluster-store-reconciler",
    "--namespace",
    // Gatekeeper
    "--operation",
    // cert-manager
    "--cluster-resource-namespace",
    // Network plugins: those for AWS, Cilium, Kube-OVN and kube-router
    "--enable-network-policy",
    "--enable-policy",
    "--policy-cidr-match-mode",
    "--policy-audit-mode",
    "--enable-np",
    "--run-firewall",
    // kubernetes-replicator
    "-allow-all",
    "--allow-all",
];

/// Where the API server mounts the token of the service account.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
