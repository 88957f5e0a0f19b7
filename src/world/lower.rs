//! From an object as served to a row: names interned, server defaults applied.

use super::admission::level_of;
use super::pods::{Capabilities, Container, EnvRef, List, Mount, PodSpec, Port, Volume};
use super::rows::{
    AccountRow, Backend, BindingRow, ClaimRow, ClassRow, IngressRow, NodeRow, Operator, Part,
    Phase, PodRow, PolicyRow, Requirement, RoleRow, Row, Rule, SecretRow, Selector, ServicePort,
    ServiceRow, Target, VolumeRow, WorkloadRow,
};
use crate::input::{Collect, Origin};
use crate::k8s::scalar::{IntOrStr, Str};
use crate::k8s::{Body, Kind, Meta, Object, network, rbac, workload};
use crate::sym::Sym;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

impl Collect for Part {
    fn object(&mut self, object: Object<'_>, origin: Origin) {
        self.count(&object.group, &object.kind_name);
        let Some(kind) = object.kind else { return };
        if object.meta.name.is_empty() && object.meta.generate_name.is_empty() {
            self.unusable
                .insert((origin, format!("a {} without `metadata.name`", kind.name())), ());
            return;
        }
        self.lower(kind, &object.meta, object.body, origin);
    }
}

fn number(value: crate::k8s::scalar::Int) -> u16 {
    value.0.and_then(|n| u16::try_from(n).ok()).unwrap_or(0)
}

fn place(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

fn uid(uid: &str) -> u64 {
    if uid.is_empty() {
        return 0;
    }
    let mut hasher = FxHasher::default();
    uid.hash(&mut hasher);
    hasher.finish().max(1)
}

impl Part {
    /// Counts an object, without a new text for each.
    fn count(&mut self, group: &str, kind: &str) {
        if let Some(count) = self.seen.get_mut(group).and_then(|kinds| kinds.get_mut(kind)) {
            *count += 1;
        } else {
            self.seen.entry(group.to_owned()).or_default().insert(kind.to_owned(), 1);
        }
    }

    fn sym(&mut self, text: &str) -> Sym {
        self.symbols.intern(text)
    }

    fn syms(&mut self, texts: &[Str<'_>]) -> Box<[Sym]> {
        texts.iter().map(|t| self.symbols.intern(t)).collect()
    }

    fn pairs<'a>(&mut self, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> u32 {
        let mut labels: Vec<_> =
            pairs.map(|(k, v)| (self.symbols.intern(k), self.symbols.intern(v))).collect();
        labels.sort_unstable();
        self.labels.add(labels.into())
    }

    fn labels(&mut self, meta: &Meta<'_>) -> u32 {
        self.pairs(meta.labels.0.iter().map(|(k, v)| (&**k, &**v)))
    }

    fn row<T>(&mut self, kind: Kind, meta: &Meta<'_>, origin: Origin, body: T) -> Row<T> {
        let ns = match (kind.is_namespaced(), &*meta.namespace) {
            (false, _) => Sym::EMPTY,
            // kubectl writes a namespaced object without a namespace into the current one.
            (true, "") => self.sym("default"),
            (true, ns) => self.symbols.intern(ns),
        };
        let name = if meta.name.is_empty() { &meta.generate_name } else { &meta.name };
        Row {
            ns,
            name: self.symbols.intern(name),
            uid: uid(&meta.uid),
            version: meta.resource_version.parse().unwrap_or(0),
            origin,
            labels: self.labels(meta),
            body,
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm a kind, each a few lines")]
    fn lower(&mut self, kind: Kind, meta: &Meta<'_>, body: Body<'_>, origin: Origin) {
        match (kind, body) {
            (Kind::Namespace, _) => {
                let row = self.row(kind, meta, origin, ());
                self.namespaces.push(row);
            }
            (Kind::Pod, body) => {
                let (spec, status) = match body {
                    Body::Pod(spec, status) => (*spec, status),
                    _ => Default::default(),
                };
                let mirror = meta.annotations.get("kubernetes.io/config.mirror").is_some();
                let body = PodRow {
                    node: self.sym(&spec.node_name),
                    owner: self.owner(meta),
                    phase: match &*status.phase {
                        "Running" => Phase::Running,
                        "Pending" => Phase::Pending,
                        "Succeeded" | "Failed" => Phase::Finished,
                        _ => Phase::Unknown,
                    },
                    mirror,
                    live: !meta.uid.is_empty() || !status.phase.is_empty(),
                    template_hash: self.template_hash(meta),
                    spec: self.pod_spec(&spec, is_control_plane_pod(meta)),
                };
                let row = self.row(kind, meta, origin, body);
                self.pods.push(row);
            }
            (k, body) if k.is_workload() => {
                let (spec, status) = match body {
                    Body::Workload(spec, status) => (*spec, status),
                    _ => Default::default(),
                };
                let ended = status
                    .conditions
                    .iter()
                    .any(|c| matches!(&*c.kind, "Complete" | "Failed") && &*c.status == "True");
                let template =
                    spec.template.or_else(|| spec.job_template?.spec?.template).unwrap_or_default();
                let template_meta = template.metadata.unwrap_or_default();
                let body = WorkloadRow {
                    kind: self.sym(k.name()),
                    spec: template.spec.map(|spec| self.pod_spec(&spec, false)),
                    owner: self.owner(meta),
                    idle: spec.replicas.0 == Some(0) || k == Kind::Job && ended,
                    template_labels: self.labels(&template_meta),
                };
                let row = self.row(kind, meta, origin, body);
                self.workloads.push(row);
            }
            (Kind::Node, body) => {
                let (spec, status) = match body {
                    Body::Node(spec, status) => (spec, status),
                    _ => Default::default(),
                };
                let info = status.node_info.unwrap_or_default();
                let body = NodeRow {
                    provider: self.sym(&spec.provider_id),
                    addresses: status
                        .addresses
                        .iter()
                        .map(|a| (self.symbols.intern(&a.kind), self.symbols.intern(&a.address)))
                        .collect(),
                    kubelet: self.sym(&info.kubelet_version),
                    windows: &*info.operating_system == "windows",
                };
                let row = self.row(kind, meta, origin, body);
                self.nodes.push(row);
            }
            (Kind::ServiceAccount, body) => {
                let sa = match body {
                    Body::ServiceAccount(sa) => sa,
                    _ => Default::default(),
                };
                let body = AccountRow {
                    automount: sa.automount.0,
                    pull_secrets: self.syms(&sa.image_pull_secrets),
                    annotations: self.cloud_annotations(meta),
                };
                let row = self.row(kind, meta, origin, body);
                self.accounts.push(row);
            }
            (Kind::Secret, body) => {
                let (of, keys) = match &body {
                    Body::Secret { kind, keys } => (&**kind, &**keys),
                    _ => ("", &[][..]),
                };
                let bootstrap = of == "bootstrap.kubernetes.io/token";
                let has =
                    |key: &str| bootstrap && (keys.is_empty() || keys.iter().any(|k| **k == *key));
                let account = meta.annotations.get("kubernetes.io/service-account.name");
                let account_uid = meta.annotations.get("kubernetes.io/service-account.uid");
                let invalid = meta
                    .labels
                    .0
                    .iter()
                    .any(|(k, _)| &**k == "kubernetes.io/legacy-token-invalid-since");
                let body = SecretRow {
                    kind: self.sym(of),
                    account: self.sym(account.unwrap_or("")),
                    account_uid: uid(account_uid.unwrap_or("")),
                    invalid,
                    signs_in: has("usage-bootstrap-authentication"),
                    extra_groups: has("auth-extra-groups"),
                };
                let row = self.row(kind, meta, origin, body);
                self.secrets.push(row);
            }
            (Kind::ConfigMap, _) if is_aws_auth(meta) => {
                let row = self.row(kind, meta, origin, ());
                self.config_maps.push(row);
            }
            (Kind::PersistentVolume, Body::PersistentVolume(spec)) => {
                let local = spec.host_path.is_none() && spec.local.is_some();
                let path = spec.host_path.or(spec.local).unwrap_or_default();
                let claim = spec.claim_ref.unwrap_or_default();
                let claim = (self.sym(&claim.namespace), self.sym(&claim.name));
                let placed = spec.node_affinity.0;
                let body = VolumeRow { path: self.sym(&path.path), local, claim, placed };
                let row = self.row(kind, meta, origin, body);
                self.volumes.push(row);
            }
            (Kind::PersistentVolumeClaim, Body::PersistentVolumeClaim(spec)) => {
                let one_pod = spec.access_modes.iter().any(|m| &**m == "ReadWriteOncePod");
                let body = ClaimRow { volume: self.sym(&spec.volume_name), one_pod };
                let row = self.row(kind, meta, origin, body);
                self.claims.push(row);
            }
            (Kind::Role | Kind::ClusterRole, body) => {
                let (rules, aggregation) = match body {
                    Body::Role { rules, aggregation } => (rules, aggregation),
                    _ => Default::default(),
                };
                let body = RoleRow {
                    rules: rules.iter().map(|r| self.rule(r)).collect(),
                    aggregation: aggregation.map(|a| {
                        a.cluster_role_selectors.iter().map(|s| self.selector(s)).collect()
                    }),
                };
                let row = self.row(kind, meta, origin, body);
                self.roles.push(row);
            }
            (Kind::RoleBinding | Kind::ClusterRoleBinding, body) => {
                let (role, subjects) = match body {
                    Body::Binding { role, subjects } => (role, subjects),
                    _ => Default::default(),
                };
                let body = BindingRow {
                    role_kind: self.sym(&role.kind),
                    role: self.sym(&role.name),
                    subjects: subjects.iter().map(|s| self.subject(s)).collect(),
                };
                let row = self.row(kind, meta, origin, body);
                self.bindings.push(row);
            }
            (Kind::Service, Body::Service(spec, status)) => {
                let body = self.service(meta, &spec, &status);
                let row = self.row(kind, meta, origin, body);
                self.services.push(row);
            }
            (Kind::Ingress, Body::Ingress(spec, status)) => {
                let body = self.ingress(meta, &spec, &status);
                let row = self.row(kind, meta, origin, body);
                self.ingresses.push(row);
            }
            (Kind::IngressClass, body) => {
                let controller = match &body {
                    Body::IngressClass(spec) => self.sym(&spec.controller),
                    _ => Sym::EMPTY,
                };
                let default = meta.annotations.get("ingressclass.kubernetes.io/is-default-class")
                    == Some("true");
                let row = self.row(kind, meta, origin, ClassRow { controller, default });
                self.classes.push(row);
            }
            (Kind::NetworkPolicy, Body::NetworkPolicy(spec)) => {
                let selector = spec.pod_selector.unwrap_or_default();
                let body = PolicyRow {
                    selector: self.selector(&selector),
                    // A policy that names no type isolates ingress.
                    ingress: spec.policy_types.is_empty()
                        || spec.policy_types.iter().any(|t| &**t == "Ingress"),
                };
                let row = self.row(kind, meta, origin, body);
                self.policies.push(row);
            }
            _ => {}
        }
    }

    /// The annotations by which a service account names its identity in a cloud.
    fn cloud_annotations(&mut self, meta: &Meta<'_>) -> Box<[(Sym, Sym)]> {
        let wanted = |key: &str| CLOUD_ANNOTATIONS.contains(&key);
        let named = meta.annotations.0.iter().filter(|(key, value)| wanted(key) && **value != *"");
        named.map(|(k, v)| (self.symbols.intern(k), self.symbols.intern(v))).collect()
    }

    fn owner(&mut self, meta: &Meta<'_>) -> Option<(Sym, Sym)> {
        let owners = &meta.owner_references;
        let owner = owners.iter().find(|o| o.controller.is_true()).or(owners.first())?;
        Some((self.symbols.intern(&owner.kind), self.symbols.intern(&owner.name)))
    }

    fn template_hash(&mut self, meta: &Meta<'_>) -> Sym {
        let hash = meta.labels.0.iter().find(|(k, _)| &**k == "pod-template-hash");
        let Some((_, hash)) = hash else { return Sym::EMPTY };
        // The Deployment's name, should its ReplicaSet not be in the snapshot.
        for owner in meta.owner_references.iter() {
            if let Some(deployment) = super::build::deployment_of(&owner.name, hash) {
                self.symbols.intern(deployment);
            }
        }
        self.symbols.intern(hash)
    }

    /// A subject; the account or node that a user's name spells gets its own names too.
    fn subject(&mut self, subject: &rbac::Subject<'_>) -> (Sym, Sym, Sym) {
        if let Some((ns, name)) = super::rbac::account_of_user(&subject.name) {
            self.sym(ns);
            self.sym(name);
        } else if let Some(node) = super::rbac::node_of_user(&subject.name) {
            self.sym(node);
        }
        (self.sym(&subject.kind), self.sym(&subject.namespace), self.sym(&subject.name))
    }

    fn rule(&mut self, rule: &rbac::Rule<'_>) -> u32 {
        let rule = Rule {
            verbs: self.syms(&rule.verbs),
            groups: self.syms(&rule.api_groups),
            resources: self.syms(&rule.resources),
            names: self.syms(&rule.resource_names),
            urls: self.syms(&rule.non_resource_urls),
        };
        self.rules.add(rule)
    }

    fn selector(&mut self, selector: &rbac::LabelSelector<'_>) -> Selector {
        let equal = selector.match_labels.iter().flatten().map(|(key, value)| Requirement {
            key: self.symbols.intern(key),
            operator: Operator::In,
            values: [self.symbols.intern(value)].into(),
        });
        let mut requirements: Vec<_> = equal.collect();
        for e in selector.match_expressions.iter() {
            let operator = match &*e.operator {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => Operator::Invalid,
            };
            let (key, values) = (self.sym(&e.key), self.syms(&e.values));
            requirements.push(Requirement { key, operator, values });
        }
        Selector(requirements.into())
    }

    fn target(&mut self, target: Option<&IntOrStr<'_>>, default: u16) -> Target {
        match target {
            Some(IntOrStr::Str(name)) if !name.is_empty() => Target::Name(self.sym(name)),
            Some(IntOrStr::Int(n)) if *n != 0 => Target::Number(u16::try_from(*n).unwrap_or(0)),
            _ => Target::Number(default),
        }
    }

    fn balancer(&mut self, status: &network::LoadBalancerStatus<'_>) -> Box<[(Sym, Sym)]> {
        let ingress = status.load_balancer.iter().flat_map(|b| b.ingress.iter());
        ingress.map(|i| (self.symbols.intern(&i.ip), self.symbols.intern(&i.hostname))).collect()
    }

    fn service(
        &mut self,
        meta: &Meta<'_>,
        spec: &network::ServiceSpec<'_>,
        status: &network::LoadBalancerStatus<'_>,
    ) -> ServiceRow {
        let selector = spec.selector.as_ref().filter(|s| !s.is_empty()).map(|labels| {
            let requirement = |(key, value): (&String, &Str<'_>)| Requirement {
                key: self.symbols.intern(key),
                operator: Operator::In,
                values: [self.symbols.intern(value)].into(),
            };
            Selector(labels.iter().map(requirement).collect())
        });
        let ports = spec.ports.iter().map(|p| ServicePort {
            name: self.symbols.intern(&p.name),
            port: number(p.port),
            target: self.target(p.target_port.as_ref(), number(p.port)),
            node_port: number(p.node_port),
        });
        let ports: Box<[_]> = ports.collect();
        let annotated =
            meta.annotations.get("service.beta.kubernetes.io/load-balancer-source-ranges");
        let source_ranges = match (&*spec.load_balancer_source_ranges, annotated) {
            ([], Some(list)) => list.split(',').map(|r| self.symbols.intern(r.trim())).collect(),
            (ranges, _) => self.syms(ranges),
        };
        let scheme = meta
            .annotations
            .0
            .iter()
            .find_map(|(key, value)| super::exposure::scheme(key, value).map(|i| (key, value, i)))
            .map(|(key, value, i)| (self.sym(key), self.sym(value), i));
        ServiceRow {
            kind: self.sym(if spec.kind.is_empty() { "ClusterIP" } else { &spec.kind }),
            selector,
            ports,
            external_ips: self.syms(&spec.external_ips),
            source_ranges,
            balancer: self.balancer(status),
            has_class: !spec.load_balancer_class.is_empty(),
            scheme,
            node_ports: spec.allocate_load_balancer_node_ports.0 != Some(false),
        }
    }

    fn ingress(
        &mut self,
        meta: &Meta<'_>,
        spec: &network::IngressSpec<'_>,
        status: &network::LoadBalancerStatus<'_>,
    ) -> IngressRow {
        let mut backends = Vec::new();
        let default = spec.default_backend.as_ref().map(|b| (".spec.defaultBackend".to_owned(), b));
        let beta = spec.backend.as_ref().map(|b| (".spec.backend".to_owned(), b));
        let paths = spec.rules.iter().enumerate().flat_map(|(r, rule)| {
            rule.http.iter().flat_map(|h| h.paths.iter()).enumerate().filter_map(
                move |(p, path)| {
                    let backend = path.backend.as_ref()?;
                    Some((format!(".spec.rules[{r}].http.paths[{p}].backend"), backend))
                },
            )
        });
        for (field, backend) in default.into_iter().chain(beta).chain(paths) {
            let (service, port) = match &backend.service {
                Some(service) => {
                    let port = service.port.as_ref();
                    let named = port.map(|p| &*p.name).filter(|n| !n.is_empty());
                    let port = match named {
                        Some(name) => Target::Name(self.sym(name)),
                        None => Target::Number(port.map_or(0, |p| number(p.number))),
                    };
                    (&service.name, port)
                }
                None => (&backend.service_name, self.target(backend.service_port.as_ref(), 0)),
            };
            if !service.is_empty() {
                let (field, service) = (self.sym(&field), self.sym(service));
                backends.push(Backend { field, service, port });
            }
        }
        let class = match (
            &*spec.ingress_class_name,
            meta.annotations.get("kubernetes.io/ingress.class"),
        ) {
            ("", annotated) => annotated.unwrap_or(""),
            (class, _) => class,
        };
        IngressRow {
            class: self.sym(class),
            backends: backends.into(),
            balancer: self.balancer(status),
            scheme: self
                .sym(meta.annotations.get("alb.ingress.kubernetes.io/scheme").unwrap_or("")),
        }
    }

    fn pod_spec(&mut self, spec: &workload::PodSpec<'_>, control_plane: bool) -> u32 {
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
            pull_secrets: spec
                .image_pull_secrets
                .iter()
                .map(|r| self.symbols.intern(&r.name))
                .collect(),
        };
        self.specs.add(lowered)
    }

    fn volume(&mut self, v: &workload::Volume<'_>) -> Volume {
        if let Some(host) = &v.host_path {
            Volume::HostPath(self.sym(&host.path))
        } else if let Some(secret) = &v.secret {
            Volume::Secret(self.sym(&secret.secret_name))
        } else if let Some(projected) = &v.projected {
            let (mut tokens, mut secrets) = (Vec::new(), Vec::new());
            for (i, source) in projected.sources.iter().enumerate() {
                if let Some(token) = &source.service_account_token {
                    tokens.push((place(i), self.sym(&token.audience)));
                }
                if let Some(secret) = &source.secret {
                    secrets.push((place(i), self.sym(&secret.name)));
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

    fn container(
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
        let mut env = Vec::new();
        for (i, e) in c.env.iter().enumerate() {
            if let Some(r) = e.value_from.as_ref().and_then(|v| v.secret_key_ref.as_ref()) {
                env.push(EnvRef { secret: self.sym(&r.name), from: false, place: place(i) });
            }
        }
        for (i, e) in c.env_from.iter().enumerate() {
            if let Some(r) = &e.secret_ref {
                env.push(EnvRef { secret: self.sym(&r.name), from: true, place: place(i) });
            }
        }
        let ports = c.ports.iter().enumerate().map(|(i, p)| Port {
            name: self.symbols.intern(&p.name),
            number: number(p.container_port),
            // The server sets `hostPort` of a pod on the host's network to its port.
            host_port: match number(p.host_port) {
                0 if spec.host_network.is_true() => number(p.container_port),
                port => port,
            },
            host_ip: self.symbols.intern(&p.host_ip),
            place: place(i),
        });
        let ports = ports.collect();
        let command = if control_plane {
            c.command.iter().chain(c.args.iter()).map(|a| self.symbols.intern(a)).collect()
        } else {
            Box::default()
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
            confined: seccomp.is_some_and(|p| matches!(&*p.kind, "RuntimeDefault" | "Localhost")),
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
            ports,
            command,
        }
    }
}

/// Where the API server mounts the token of the service account.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The annotations of a service account that rules read.
const CLOUD_ANNOTATIONS: &[&str] = &[
    "eks.amazonaws.com/role-arn",
    "eks.amazonaws.com/audience",
    "iam.gke.io/gcp-service-account",
    "azure.workload.identity/client-id",
];

/// Whether a ConfigMap is the one in which EKS keeps who of AWS is who in the cluster.
fn is_aws_auth(meta: &Meta<'_>) -> bool {
    &*meta.namespace == "kube-system" && &*meta.name == "aws-auth"
}

/// Whether the flags of a pod's command are worth keeping: a static pod of the control plane.
fn is_control_plane_pod(meta: &Meta<'_>) -> bool {
    &*meta.namespace == "kube-system"
        && meta.labels.0.iter().any(|(key, value)| {
            &**key == "component"
                && matches!(&**value, "kube-apiserver" | "kube-controller-manager" | "etcd")
        })
}
