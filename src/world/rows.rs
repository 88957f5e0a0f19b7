//! The rows that objects are lowered into: compact, owned, with symbols for names.
//!
//! Each thread fills its own [`Part`] with its own symbols; `build` joins them. A row holds what
//! the object says; what follows from it is worked out when all rows are known.

use super::balancer::Wanted;
use super::cel::Program;
use super::cons::Cons;
use super::contents::Finding;
use super::definitions::Definition;
use super::gateway::{GatewayClassRow, GatewayRow, ReferenceGrantRow, RouteRow};
use super::guards::GuardRow;
use super::istio::{IstioGatewayRow, VirtualServiceRow};
use super::network::{self, Protocol};
use super::openshift::ConstraintsRow;
use super::pods::PodSpec;
use super::requests::Asks;
use super::routers::RouterRouteRow;
use super::slices::{Addresses, EndpointsRow};
use super::states::States;
use crate::input::Origin;
use crate::k8s::data::PolicySwitches;
use crate::sym::{Sym, Symbols};
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A label set, sorted by key.
pub type Labels = Box<[(Sym, Sym)]>;

/// One object's row: who it is, where it was read, and what it says.
#[derive(Debug, Clone)]
pub struct Row<T> {
    pub ns: Sym,
    pub name: Sym,
    /// Hash of the uid; 0 where there is none.
    pub uid: u64,
    /// `resourceVersion`; the newer of two copies wins.
    pub version: u64,
    pub origin: Origin,
    /// Number of its label set.
    pub labels: u32,
    pub body: T,
}

/// Where a pod stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Running,
    Pending,
    /// Succeeded or Failed: no process is left to take over.
    Finished,
    /// The snapshot does not say.
    Unknown,
}

#[derive(Debug, Clone)]
pub struct PodRow {
    pub spec: u32,
    pub node: Sym,
    /// Kind and name of the controlling owner.
    pub owner: Option<(Sym, Sym)>,
    pub phase: Phase,
    pub mirror: bool,
    /// It was served by an API server, so admission has done its part already.
    pub live: bool,
    pub template_hash: Sym,
    pub addresses: Addresses,
    pub states: States,
}

#[derive(Debug, Clone)]
pub struct WorkloadRow {
    pub kind: Sym,
    pub spec: Option<u32>,
    pub owner: Option<(Sym, Sym)>,
    /// `replicas: 0`, or a Job that has ended.
    pub idle: bool,
    /// Number of the template's label set.
    pub template_labels: u32,
}

#[derive(Debug, Clone)]
pub struct NodeRow {
    pub provider: Sym,
    /// Type and address.
    pub addresses: Box<[(Sym, Sym)]>,
    pub kubelet: Sym,
    /// `status.nodeInfo.containerRuntimeVersion`.
    pub runtime: Sym,
    pub windows: bool,
    /// Why its network is not unavailable: `reason` of that condition.
    pub network: Sym,
    /// Of a server of k3s: whether its arguments leave network policies to its own controller.
    pub k3s_policies: Option<bool>,
}

#[derive(Debug, Clone)]
pub struct AccountRow {
    pub automount: Option<bool>,
    pub pull_secrets: Box<[Sym]>,
    /// The annotations that give it an identity in a cloud: key and value.
    pub annotations: Box<[(Sym, Sym)]>,
    /// Its pods may mount those Secrets only that it lists.
    pub lists_secrets: bool,
}

#[derive(Debug, Clone)]
pub struct SecretRow {
    pub kind: Sym,
    /// Of a token: the account's name and the hash of its uid.
    pub account: Sym,
    pub account_uid: u64,
    /// Labelled `kubernetes.io/legacy-token-invalid-since`.
    pub invalid: bool,
    /// Of a bootstrap token: its keys, or that none are shown, let it sign in.
    pub signs_in: bool,
    /// Of a token: it is among the keys, or none are shown.
    pub filled: bool,
    /// Of a bootstrap token: its keys, or that none are shown, let it bear groups of its own.
    pub extra_groups: bool,
    pub immutable: bool,
    pub hosted: bool,
    /// What it holds.
    pub holds: Box<[Finding]>,
    /// Of a release of Helm, and of what stands in one: its namespace and name.
    pub release: (Sym, Sym),
    /// Whom it signs in as.
    pub logins: Box<[LoginRow]>,
    /// Its kubeconfig, if it has one, could be read.
    pub shown: bool,
}

/// Whom a credential signs in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRow {
    /// The key of the Secret.
    pub key: Sym,
    pub user: Sym,
    pub groups: Box<[Sym]>,
    /// Hash of the account's uid; 0 where there is none.
    pub uid: u64,
    /// Hash of the server's host; 0 where there is none. Gone once it is known whose server it is.
    pub server: u64,
}

#[derive(Debug, Clone)]
pub struct VolumeRow {
    /// `hostPath.path` or `local.path`.
    pub path: Sym,
    pub local: bool,
    /// Namespace and name of `claimRef`, empty for a volume that nobody claims.
    pub claim: (Sym, Sym),
    /// It has a `nodeAffinity`.
    pub placed: bool,
    /// The terms of that, of which one must select a node.
    pub nodes: Box<[Selector]>,
    pub free: Free,
}

/// Whether a volume waits for a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Free {
    /// Its phase is `Available`.
    Yes,
    /// Its phase is not shown, and no claim holds it.
    Unsaid,
    No,
}

#[derive(Debug, Clone, Default)]
pub struct NamespaceRow {
    /// Its phase is `Terminating`.
    pub terminating: bool,
}

#[derive(Debug, Clone)]
pub struct QuotaRow {
    /// The key by which it allows no pod at all; empty for one that allows some.
    pub no_pods: Sym,
}

#[derive(Debug, Clone)]
pub struct ClaimRow {
    pub volume: Sym,
    /// One pod at a time may mount it.
    pub one_pod: bool,
}

/// A rule of a role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    pub verbs: Box<[Sym]>,
    pub groups: Box<[Sym]>,
    pub resources: Box<[Sym]>,
    pub names: Box<[Sym]>,
    pub urls: Box<[Sym]>,
}

#[derive(Debug, Clone)]
pub struct RoleRow {
    pub rules: Box<[u32]>,
    /// `aggregationRule.clusterRoleSelectors`.
    pub aggregation: Option<Box<[Selector]>>,
}

#[derive(Debug, Clone)]
pub struct BindingRow {
    pub role_kind: Sym,
    pub role: Sym,
    /// Kind, namespace and name.
    pub subjects: Box<[(Sym, Sym, Sym)]>,
}

/// A label selector. An empty one selects everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector(pub Box<[Requirement]>);

/// One requirement of a selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    pub key: Sym,
    pub operator: Operator,
    pub values: Box<[Sym]>,
}

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    /// Not one of Kubernetes' operators: the API server would refuse the object.
    Invalid,
}

impl Selector {
    /// Whether a label set is selected. A missing key passes `NotIn`
    /// (apimachinery `labels/selector.go`).
    #[must_use]
    pub fn selects(&self, labels: &[(Sym, Sym)]) -> bool {
        self.0.iter().all(|r| {
            let value = labels.iter().find(|(key, _)| *key == r.key).map(|(_, value)| *value);
            match r.operator {
                Operator::In => value.is_some_and(|v| r.values.contains(&v)),
                Operator::NotIn => value.is_none_or(|v| !r.values.contains(&v)),
                Operator::Exists => value.is_some(),
                Operator::DoesNotExist => value.is_none(),
                Operator::Invalid => false,
            }
        })
    }
}

#[derive(Debug, Clone)]
pub struct ServiceRow {
    pub kind: Sym,
    /// `None`: no selector, its endpoints are made by hand.
    pub selector: Option<Selector>,
    pub ports: Box<[ServicePort]>,
    pub external_ips: Box<[Sym]>,
    /// It has addresses of one family alone: of IPv6.
    pub v6: Option<bool>,
    /// The blocks that its balancer lets in, and the field that says so.
    pub source_ranges: Box<[Sym]>,
    pub ranges_at: Sym,
    /// Address or host name of each `status.loadBalancer.ingress`.
    pub balancer: Box<[(Sym, Sym)]>,
    pub has_class: bool,
    /// The address that is asked for: the field and its value.
    pub wanted_ip: (Sym, Sym),
    /// What makes the balancer internal, or internet-facing: a field and its value.
    pub scheme: Option<(Sym, Sym, Wanted)>,
    /// The balancer sends packets to pods and not to nodes; whether they bear the client's address.
    pub targets_pods: Option<bool>,
    pub node_ports: bool,
    /// `externalTrafficPolicy: Local`: no node puts its own address before the client's.
    pub keeps_client: bool,
    /// Without an address of the cluster: nothing is put before its pods.
    pub headless: bool,
    /// Of an `ExternalName`: what the name stands for.
    pub external_name: Sym,
}

/// One port of a Service.
#[derive(Debug, Clone)]
pub struct ServicePort {
    pub name: Sym,
    pub port: u16,
    pub target: Target,
    pub node_port: u16,
    pub protocol: Protocol,
}

impl ServicePort {
    /// Whether a declared port is the one that this leads to: of the same protocol, by its number
    /// or its name (`FindPort` of Kubernetes' endpoints).
    #[must_use]
    pub fn means(&self, port: &super::pods::Port) -> bool {
        let target = match self.target {
            Target::Number(number) => port.number == number,
            Target::Name(name) => port.name == name,
        };
        target && port.protocol == self.protocol
    }
}

/// `targetPort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Number(u16),
    Name(Sym),
}

#[derive(Debug, Clone)]
pub struct IngressRow {
    pub class: Sym,
    /// The annotation named the class.
    pub annotated: bool,
    pub backends: Box<[Backend]>,
    pub balancer: Box<[(Sym, Sym)]>,
    /// `alb.ingress.kubernetes.io/scheme`.
    pub scheme: Sym,
    /// `tailscale.com/funnel`: Tailscale lets the internet in.
    pub funnel: bool,
    /// The annotation that narrows who may come, and the blocks.
    pub sources: Option<(Sym, Box<[Sym]>)>,
}

/// Where an Ingress sends requests: one rule's path.
#[derive(Debug, Clone)]
pub struct Backend {
    /// The field in the Ingress.
    pub field: Sym,
    pub service: Sym,
    pub port: Target,
}

#[derive(Debug, Clone)]
pub struct ClassRow {
    pub controller: Sym,
    pub parameters: bool,
    pub default: bool,
}

#[derive(Debug, Clone)]
pub struct PolicyRow {
    pub selector: Selector,
    pub ingress: bool,
    pub egress: bool,
    /// What it lets through, ingress first.
    pub rules: Box<[network::Rule]>,
}

/// A configuration of admission webhooks.
#[derive(Debug, Clone)]
pub struct WebhookRow {
    pub mutates: bool,
    pub hooks: Box<[Hook]>,
    /// Of one that validates: all that may refuse.
    pub screens: Box<[Screen]>,
}

/// A webhook that may refuse.
#[derive(Debug, Clone)]
pub struct Screen {
    /// Its place in `webhooks`.
    pub place: u16,
    /// Namespace and name of the Service that answers, if one does.
    pub service: Option<(Sym, Sym)>,
    pub asks: Asks,
    /// `namespaceSelector`; empty for every namespace.
    pub namespaces: Selector,
    /// `matchConditions`, as a policy that refuses whatever they let through.
    pub(super) conditions: Option<Arc<Program>>,
}

/// One webhook that a Service answers, and that is asked about something of worth.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Its place in `webhooks`.
    pub place: u16,
    /// Namespace and name of the Service.
    pub service: (Sym, Sym),
    pub port: u16,
    /// It is asked about new pods, or about workloads.
    pub pods: bool,
    /// It is asked about ClusterRoles or ClusterRoleBindings.
    pub rights: bool,
    /// It is asked about Secrets.
    pub secrets: bool,
    /// It is asked about new pods and may refuse them, but does not change them.
    pub refuses: bool,
    /// `namespaceSelector`; empty for every namespace.
    pub namespaces: Selector,
    /// An `objectSelector` or `matchConditions` let some objects pass unasked.
    pub narrowed: bool,
}

/// A ConfigMap that rules read.
#[derive(Debug, Clone)]
pub struct ConfigMapRow {
    /// Of ingress-nginx: what it says about `allow-snippet-annotations`.
    pub snippets: Option<bool>,
    /// A kubelet's configuration that lets anybody do everything.
    pub open_kubelet: bool,
    /// Of a network plugin.
    pub policies: PolicySwitches,
}

/// What one thread has read.
#[derive(Debug, Default)]
pub struct Part {
    pub symbols: Symbols,
    pub labels: Cons<Labels>,
    pub specs: Cons<PodSpec>,
    pub rules: Cons<Rule>,
    pub namespaces: Vec<Row<NamespaceRow>>,
    pub quotas: Vec<Row<QuotaRow>>,
    pub nodes: Vec<Row<NodeRow>>,
    pub accounts: Vec<Row<AccountRow>>,
    pub secrets: Vec<Row<SecretRow>>,
    pub pods: Vec<Row<PodRow>>,
    pub workloads: Vec<Row<WorkloadRow>>,
    pub volumes: Vec<Row<VolumeRow>>,
    pub claims: Vec<Row<ClaimRow>>,
    pub roles: Vec<Row<RoleRow>>,
    pub bindings: Vec<Row<BindingRow>>,
    pub services: Vec<Row<ServiceRow>>,
    /// EndpointSlices that do not only repeat a selector.
    pub slices: Vec<Row<EndpointsRow>>,
    pub endpoints: Vec<Row<EndpointsRow>>,
    pub ingresses: Vec<Row<IngressRow>>,
    pub classes: Vec<Row<ClassRow>>,
    pub policies: Vec<Row<PolicyRow>>,
    /// Network policies of other kinds.
    pub other_policies: Vec<Row<network::OtherRow>>,
    /// Where pods have their addresses: blocks of 256, or of 64 bits.
    pub pod_blocks: FxHashSet<ipnet::IpNet>,
    /// Whose the addresses of pods and Services are.
    pub(in crate::world) held: Vec<network::HeldRow>,
    pub webhooks: Vec<Row<WebhookRow>>,
    /// ConfigMaps that hold credentials.
    pub credential_maps: Vec<Row<SecretRow>>,
    pub constraints: Vec<Row<ConstraintsRow>>,
    /// Admission policies.
    pub guards: Vec<Row<GuardRow>>,
    pub gateway_classes: Vec<Row<GatewayClassRow>>,
    /// Gateways and ListenerSets.
    pub gateways: Vec<Row<GatewayRow>>,
    pub routes: Vec<Row<RouteRow>>,
    pub reference_grants: Vec<Row<ReferenceGrantRow>>,
    /// Of OpenShift.
    pub router_routes: Vec<Row<RouterRouteRow>>,
    pub istio_gateways: Vec<Row<IstioGatewayRow>>,
    pub virtual_services: Vec<Row<VirtualServiceRow>>,
    /// Of OpenShift: the users in each.
    pub groups: Vec<Row<Box<[Sym]>>>,
    /// Those that rules read.
    pub config_maps: Vec<Row<ConfigMapRow>>,
    /// How many objects of each group and, in it, of each kind.
    pub seen: BTreeMap<String, BTreeMap<String, u64>>,
    /// Custom resources, as their definitions name them.
    pub definitions: BTreeSet<Definition>,
    /// Hashes of the hosts by which this cluster's API server is known.
    pub servers: Vec<u64>,
    /// Objects that could not be used, by what is wrong with them.
    pub unusable: BTreeMap<(Origin, String), ()>,
}
