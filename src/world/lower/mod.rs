//! From an object as served to a row: names interned, server defaults applied.

mod admission;
mod calico_selector;
mod commands;
mod gateway;
mod istio;
mod judge;
mod known;
mod network;
mod network_admin;
mod network_calico;
mod network_cilium;
mod network_other;
mod network_policy;
mod network_unread;
mod pods;
mod policies;
mod rbac;
mod requests;
mod routers;
mod secrets;
mod slices;
mod states;

pub use commands::{KUBECTL_PROXY, OPEN_NOTEBOOK};
pub(super) use network::INBOUND;

use super::rows::{
    AccountRow, BindingRow, ClaimRow, ClassRow, ConfigMapRow, Free, NamespaceRow, NodeRow, Part,
    Phase, PodRow, QuotaRow, RoleRow, Row, VolumeRow, WebhookRow, WorkloadRow,
};
use crate::input::{Collect, Origin};
use crate::k8s::cluster::ResourceQuotaSpec;
use crate::k8s::data::PolicySwitches;
use crate::k8s::scalar::Str;
use crate::k8s::{Body, Kind, Meta, Object};
use crate::sym::Sym;
use known::{
    is_aws_auth, is_control_plane_pod, is_kubelet_config, is_network_config, is_own_kubeconfig,
    k3s_policies,
};
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
        if let Body::Definition(spec) = &object.body {
            self.define(spec);
            return;
        }
        if kind.is_policy() {
            let body = self.guard_row(kind, &object.kind_name, &object.meta, &object.body);
            let row = self.row(kind, &object.meta, origin, body);
            self.guards.push(row);
            return;
        }
        if kind.is_gateway() {
            self.lower_gateway(kind, &object.meta, object.body, origin);
            return;
        }
        if kind.is_network() {
            let group = &object.group;
            self.lower_network(
                kind,
                (group, &object.kind_name),
                &object.meta,
                &object.body,
                origin,
            );
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

/// A number for a text; 0 for none.
pub(super) fn uid(uid: &str) -> u64 {
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
            (Kind::Namespace, body) => {
                let terminating =
                    matches!(&body, Body::Namespace(status) if &*status.phase == "Terminating");
                let row = self.row(kind, meta, origin, NamespaceRow { terminating });
                self.namespaces.push(row);
            }
            (Kind::ResourceQuota, body) => {
                let no_pods = match &body {
                    Body::ResourceQuota(spec) => no_pods(spec),
                    _ => "",
                };
                let body = QuotaRow { no_pods: self.sym(no_pods) };
                let row = self.row(kind, meta, origin, body);
                self.quotas.push(row);
            }
            (Kind::Pod, body) => {
                let (of, status) = match body {
                    Body::Pod(of, status) => (of, status),
                    _ => Default::default(),
                };
                let spec = &of.shared.spec;
                let mirror = meta.annotations.get("kubernetes.io/config.mirror").is_some();
                let networks = self.networks(meta, &meta.namespace);
                let body = PodRow {
                    node: self.sym(&of.node_name),
                    owner: self.owner(meta),
                    phase: match &*status.phase {
                        "Running" => Phase::Running,
                        "Pending" => Phase::Pending,
                        "Succeeded" | "Failed" => Phase::Finished,
                        _ => Phase::Unknown,
                    },
                    mirror,
                    addresses: self.pod_addresses(&status, spec.host_network.is_true()),
                    live: !meta.uid.is_empty() || !status.phase.is_empty(),
                    template_hash: self.template_hash(meta),
                    states: states::states(spec, &status),
                    spec: self.shared_spec(&of.shared, is_control_plane_pod(meta), networks),
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
                let networks = self.networks(&template_meta, &meta.namespace);
                let body = WorkloadRow {
                    kind: self.sym(k.name()),
                    spec: template.spec.map(|spec| self.pod_spec(&spec, false, networks)),
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
                    runtime: self.sym(&info.container_runtime_version),
                    windows: &*info.operating_system == "windows",
                    network: {
                        let conditions = &mut status.conditions.iter();
                        let up = conditions
                            .find(|c| &*c.kind == "NetworkUnavailable" && &*c.status == "False");
                        up.map_or(Sym::EMPTY, |c| self.symbols.intern(&c.reason))
                    },
                    k3s_policies: meta.annotations.get("k3s.io/node-args").and_then(k3s_policies),
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
                    lists_secrets: meta.annotations.get(MOUNTABLE).is_some_and(is_true),
                };
                let row = self.row(kind, meta, origin, body);
                self.accounts.push(row);
            }
            (Kind::Secret, body) => {
                let secret = match body {
                    Body::Secret(secret) => secret,
                    _ => Default::default(),
                };
                let body = self.secret(meta, &secret);
                let row = self.row(kind, meta, origin, body);
                self.secrets.push(row);
            }
            (Kind::ConfigMap, Body::ConfigMap(data)) if is_own_kubeconfig(meta) => {
                let hosts = data.logins.list.iter().map(|login| uid(&login.server));
                self.servers.extend(hosts.filter(|host| *host != 0));
            }
            (Kind::ConfigMap, body)
                if is_aws_auth(meta)
                    || body.snippets().is_some()
                    || is_network_config(meta) && body.policies() != PolicySwitches::default()
                    || body.open_kubelet() && is_kubelet_config(meta) =>
            {
                let open_kubelet = body.open_kubelet() && is_kubelet_config(meta);
                let (snippets, policies) = (body.snippets(), body.policies());
                let body = ConfigMapRow { snippets, open_kubelet, policies };
                let row = self.row(kind, meta, origin, body);
                self.config_maps.push(row);
            }
            (Kind::ConfigMap, Body::ConfigMap(data)) => {
                if let Some(body) = self.credential_map(meta, data) {
                    let row = self.row(kind, meta, origin, body);
                    self.credential_maps.push(row);
                }
            }
            (Kind::PersistentVolume, Body::PersistentVolume(spec, status)) => {
                let local = spec.host_path.is_none() && spec.local.is_some();
                let path = spec.host_path.or(spec.local).unwrap_or_default();
                let claim = spec.claim_ref.unwrap_or_default();
                // One with a uid is kept for that claim, and for no later one of its name.
                let free = match &*status.phase {
                    _ if !claim.uid.is_empty() => Free::No,
                    "Available" => Free::Yes,
                    "" => Free::Unsaid,
                    _ => Free::No,
                };
                let claim = (self.sym(&claim.namespace), self.sym(&claim.name));
                let placed = spec.node_affinity.is_some();
                let terms = spec.node_affinity.and_then(|a| a.required).unwrap_or_default();
                let terms = terms.node_selector_terms.iter();
                // What no expression of labels says (`matchFields`) selects nothing that is seen.
                let nodes = terms
                    .filter(|term| !term.match_expressions.is_empty())
                    .map(|term| self.selector(term))
                    .collect();
                let path = self.sym(&path.path);
                let body = VolumeRow { path, local, claim, placed, nodes, free };
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
            (Kind::EndpointSlice | Kind::Endpoints, body) => {
                self.lower_endpoints(kind, meta, body, origin);
            }
            (Kind::Ingress, Body::Ingress(spec, status)) => {
                let body = self.ingress(meta, &spec, &status);
                let row = self.row(kind, meta, origin, body);
                self.ingresses.push(row);
            }
            (Kind::IngressClass, body) => {
                let (controller, parameters) = match &body {
                    Body::IngressClass(spec) => {
                        (self.sym(&spec.controller), spec.parameters.is_some())
                    }
                    _ => (Sym::EMPTY, false),
                };
                let default = meta.annotations.get("ingressclass.kubernetes.io/is-default-class")
                    == Some("true");
                let row =
                    self.row(kind, meta, origin, ClassRow { controller, parameters, default });
                self.classes.push(row);
            }
            (Kind::Route, Body::OpenShiftRoute(spec, status)) => {
                let body = self.router_route(&spec, &status);
                let row = self.row(kind, meta, origin, body);
                self.router_routes.push(row);
            }
            (Kind::IstioGateway, Body::IstioGateway(spec)) => {
                let body = self.istio_gateway(&spec);
                let row = self.row(kind, meta, origin, body);
                self.istio_gateways.push(row);
            }
            (Kind::VirtualService, Body::VirtualService(spec)) => {
                let body = self.virtual_service(meta, &spec);
                let row = self.row(kind, meta, origin, body);
                self.virtual_services.push(row);
            }
            (Kind::SecurityContextConstraints, Body::Constraints(constraints)) => {
                let body = self.constraints_row(&constraints);
                let row = self.row(kind, meta, origin, body);
                self.constraints.push(row);
            }
            (Kind::Group, body) => {
                let users = if let Body::Group(users) = body { users } else { Vec::new() };
                let body = self.syms(&users);
                let row = self.row(kind, meta, origin, body);
                self.groups.push(row);
            }
            (Kind::NetworkPolicy, Body::NetworkPolicy(spec)) => {
                let body = self.network_policy(meta, spec);
                let row = self.row(kind, meta, origin, body);
                self.policies.push(row);
            }
            (
                Kind::MutatingWebhookConfiguration | Kind::ValidatingWebhookConfiguration,
                Body::Webhooks(webhooks),
            ) => {
                let mutates = kind == Kind::MutatingWebhookConfiguration;
                let screens = if mutates { Box::default() } else { self.screens(&webhooks) };
                let body = WebhookRow { mutates, hooks: self.hooks(&webhooks, mutates), screens };
                let row = self.row(kind, meta, origin, body);
                self.webhooks.push(row);
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
            if let Some(deployment) = crate::world::build::deployment_of(&owner.name, hash) {
                self.symbols.intern(deployment);
            }
        }
        self.symbols.intern(hash)
    }
}

/// The annotation of a service account by which its pods mount only Secrets that it lists.
const MOUNTABLE: &str = "kubernetes.io/enforce-mountable-secrets";

/// Whether Go's `strconv.ParseBool` takes a text for true, as admission does.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

/// The annotations of a service account that rules read.
const CLOUD_ANNOTATIONS: &[&str] = &[
    "eks.amazonaws.com/role-arn",
    "eks.amazonaws.com/audience",
    "iam.gke.io/gcp-service-account",
    "azure.workload.identity/client-id",
];

/// The key by which a quota allows its namespace no pod, if it does. One with scopes leaves out the
/// pods that are not in them, which whoever creates a pod chooses.
fn no_pods<'s>(spec: &'s ResourceQuotaSpec<'_>) -> &'s str {
    if !spec.scopes.is_empty() || spec.scope_selector.0 {
        return "";
    }
    let zero = |value: &str| value.contains('0') && !value.contains(|c| matches!(c, '1'..='9'));
    let mut hard = spec.hard.0.iter();
    let none = hard.find(|(key, value)| matches!(&**key, "pods" | "count/pods") && zero(value));
    none.map_or("", |(key, _)| key)
}
