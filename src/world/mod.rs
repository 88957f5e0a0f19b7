//! The cluster, indexed: what is true in it, and what the snapshot leaves unknown.
//!
//! Objects are lowered into rows while they are read ([`rows`], one [`rows::Part`] a thread), and
//! [`World::new`] joins the rows, resolves every reference and applies what the API server would
//! have filled in. Rules read the world and nothing else. The world knows nothing of graphs or
//! attacks.

#![expect(missing_docs, reason = "fields bear the names of the Kubernetes API reference")]

pub mod admission;
pub mod balancer;
mod build;
mod builtin;
mod callers;
mod cel;
pub mod closed;
pub mod cons;
pub mod contents;
mod controllers;
pub mod coverage;
pub mod custom;
pub mod definitions;
pub mod endpoints;
pub mod exposure;
mod flags;
pub mod gateway;
pub mod grants;
pub mod guarded;
pub mod guards;
pub mod hosts;
pub mod image;
mod ingresses;
pub mod istio;
mod lookup;
mod lower;
pub mod network;
pub mod nodes;
mod objects;
pub mod openshift;
pub mod pods;
mod principals;
mod proxies;
pub mod rbac;
pub mod refusals;
mod remap;
pub mod requests;
mod resolve;
mod roles;
pub mod routers;
mod routes_unread;
pub mod rows;
mod secrets;
mod services;
pub mod slices;
pub mod states;
pub mod version;
pub mod webhooks;

use crate::input::{Origin, SourceId};
use crate::sym::{Sym, Symbols};
use admission::Level;
pub use lower::{KUBECTL_PROXY, OPEN_NOTEBOOK};
use nodes::ControlPlane;
use pods::PodSpec;
use rows::{Backend, Free, Labels, Phase, Rule, Selector};
pub use secrets::{ConfigMap, Login, Secret};
pub use services::Service;
use std::sync::OnceLock;

crate::index! { /// An object of any kind, or a user or group that is only named.
ObjectId }
crate::index! { /// A namespace.
NamespaceIx }
crate::index! { /// A node, and the identity of its kubelet.
NodeIx }
crate::index! { /// A service account.
AccountIx }
crate::index! { /// A Secret.
SecretIx }
crate::index! { /// A ConfigMap that holds a credential.
MapIx }
crate::index! { /// A pod.
PodIx }
crate::index! { /// A workload: whatever made a pod, up to the top owner.
WorkloadIx }
crate::index! { /// A PersistentVolume.
VolumeIx }
crate::index! { /// A PersistentVolumeClaim.
ClaimIx }
crate::index! { /// A Role or ClusterRole.
RoleIx }
crate::index! { /// A RoleBinding or ClusterRoleBinding.
BindingIx }
crate::index! { /// A Service.
ServiceIx }
crate::index! { /// An Ingress.
IngressIx }
crate::index! { /// An IngressClass.
ClassIx }
crate::index! { /// A NetworkPolicy.
PolicyIx }
crate::index! { /// A user that a binding names.
UserIx }
crate::index! { /// A group that a binding names, or that Kubernetes knows.
GroupIx }

/// The origin of what was not in the snapshot: only referred to, or built into Kubernetes.
pub const NOWHERE: Origin = Origin { source: SourceId(u32::MAX), offset: 0 };

/// The name of the node that pods without a known node run on.
pub const UNKNOWN_NODE: &str = "unknown";

/// Who an object is and where it was read.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    /// The kind's name.
    pub kind: Sym,
    pub ns: Sym,
    pub name: Sym,
    pub origin: Origin,
    /// Number of its label set in [`World::labels`].
    pub labels: u32,
}

impl Object {
    /// Whether the snapshot holds it, rather than only naming it.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.origin.source != NOWHERE.source
    }
}

#[derive(Debug)]
pub struct Namespace {
    pub object: ObjectId,
    pub name: Sym,
    /// The level that its `enforce` label names, unless an API server is shown not to enforce any.
    pub enforce: Option<Level>,
    /// What OpenShift's constraints let its pods be; `None` where there are none to see.
    pub usable: Option<openshift::Usable>,
    /// What admission policies do about its new pods; `None` where none is in force.
    pub guarded: Option<Box<guarded::Guarded>>,
    /// Why it takes no new objects, or no new pods.
    pub closed: Option<closed::Closed>,
}

#[derive(Debug)]
pub struct Node {
    pub object: ObjectId,
    pub name: Sym,
    pub control_plane: ControlPlane,
    pub provider: Sym,
    pub addresses: Box<[(Sym, Sym)]>,
    pub kubelet: Sym,
    /// The container runtime with its version: `containerd://2.1.4`.
    pub runtime: Sym,
    pub windows: bool,
    /// Why its network is not unavailable: `reason` of that condition, which the plugin writes.
    pub network: Sym,
    /// Of a server of k3s: whether its arguments leave network policies to its own controller.
    pub k3s_policies: Option<bool>,
}

#[derive(Debug)]
pub struct Account {
    pub object: ObjectId,
    pub ns: Sym,
    pub name: Sym,
    pub automount: Option<bool>,
    pub pull_secrets: Box<[Sym]>,
    /// The annotations that give it an identity in a cloud: key and value.
    pub annotations: Box<[(Sym, Sym)]>,
    /// Its pods may mount those Secrets only that it lists.
    pub lists_secrets: bool,
    pub uid: u64,
    /// It is in the snapshot, or may be taken to exist: every namespace has its `default`, a
    /// running pod needs its account, and where no ServiceAccount was collected a name is all
    /// there is to see. Otherwise somebody would have to create it first.
    pub exists: bool,
    /// What OpenShift's constraints let its pods be; `None` where there are none to see.
    pub usable: Option<openshift::Usable>,
}

#[derive(Debug)]
pub struct Pod {
    pub object: ObjectId,
    pub ns: Sym,
    pub name: Sym,
    pub spec: u32,
    pub node: NodeIx,
    /// `None` for the mirror of a static pod, which has no account.
    pub account: Option<AccountIx>,
    /// Its top owner.
    pub workload: Option<WorkloadIx>,
    pub phase: Phase,
    pub mirror: bool,
    pub live: bool,
    pub states: states::States,
}

#[derive(Debug)]
pub struct Workload {
    pub object: ObjectId,
    pub kind: Sym,
    pub ns: Sym,
    pub name: Sym,
    pub spec: Option<u32>,
    pub account: Option<AccountIx>,
    pub template_labels: u32,
    /// Its top owner, or itself.
    pub top: WorkloadIx,
    /// How many pods of the snapshot it owns at the top.
    pub pods: u32,
    pub idle: bool,
}

#[derive(Debug)]
pub struct Volume {
    pub object: ObjectId,
    pub name: Sym,
    pub path: Sym,
    pub local: bool,
    /// Namespace and name of the claim that it is kept for; empty if there is none.
    pub claim: (Sym, Sym),
    /// It has a `nodeAffinity`.
    pub placed: bool,
    /// The terms of that, of which one must select a node.
    pub nodes: Box<[Selector]>,
    pub free: Free,
}

#[derive(Debug)]
pub struct Claim {
    pub object: ObjectId,
    pub ns: Sym,
    pub name: Sym,
    pub volume: Option<VolumeIx>,
    /// One pod at a time may mount it.
    pub one_pod: bool,
}

/// A rule as one role holds it: an aggregated role shows the rules of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleRef {
    // INVARIANT: the rule's number comes last, so that order does not depend on who was read first.
    /// The role that spells it out.
    pub role: RoleIx,
    /// Its place in that role's `rules`.
    pub place: u32,
    /// Its number in [`World::rules`].
    pub rule: u32,
}

#[derive(Debug)]
pub struct Role {
    pub object: ObjectId,
    /// Empty for a ClusterRole.
    pub ns: Sym,
    pub name: Sym,
    pub rules: Box<[RuleRef]>,
    /// The controller puts into it the rules of the ClusterRoles that it selects.
    pub collects: bool,
    /// It is neither in the snapshot nor known to be built in: bindings to it grant nothing.
    pub missing: bool,
}

/// Whoever a request can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    Account(AccountIx),
    /// The identity of a node's kubelet, `system:node:NAME`.
    Node(NodeIx),
    User(UserIx),
    Group(GroupIx),
}

/// A subject of a binding, resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    pub principal: Principal,
    /// Its place in `subjects`.
    pub place: u32,
    /// A service account or node spelled as the user that its requests bear.
    pub spelled_as_user: bool,
}

#[derive(Debug)]
pub struct Binding {
    pub object: ObjectId,
    /// Empty for a ClusterRoleBinding.
    pub ns: Sym,
    pub name: Sym,
    /// `None`: its `roleRef` names a kind that is no role.
    pub role: Option<RoleIx>,
    pub subjects: Box<[Subject]>,
}

#[derive(Debug)]
pub struct Ingress {
    pub object: ObjectId,
    pub ns: Sym,
    pub name: Sym,
    pub class: Sym,
    /// The annotation named the class.
    pub annotated: bool,
    pub backends: Box<[Backend]>,
    pub balancer: Box<[(Sym, Sym)]>,
    pub scheme: Sym,
    pub sources: Option<(Sym, Box<[Sym]>)>,
    pub funnel: bool,
}

#[derive(Debug)]
pub struct IngressClass {
    pub object: ObjectId,
    pub name: Sym,
    pub controller: Sym,
    /// An object that is not read says more.
    pub parameters: bool,
    pub default: bool,
}

#[derive(Debug)]
pub struct Policy {
    pub object: ObjectId,
    pub ns: Sym,
    pub selector: Selector,
    pub ingress: bool,
    pub egress: bool,
    pub rules: Box<[network::Rule]>,
}

/// The cluster. Every table is sorted by namespace and name; symbols compare as their text.
#[derive(Debug)]
pub struct World {
    pub symbols: Symbols,
    pub objects: Vec<Object>,
    pub labels: Vec<Labels>,
    pub specs: Vec<PodSpec>,
    pub rules: Vec<Rule>,
    pub namespaces: Vec<Namespace>,
    pub nodes: Vec<Node>,
    pub accounts: Vec<Account>,
    pub secrets: Vec<Secret>,
    pub pods: Vec<Pod>,
    pub workloads: Vec<Workload>,
    pub volumes: Vec<Volume>,
    pub claims: Vec<Claim>,
    pub roles: Vec<Role>,
    pub bindings: Vec<Binding>,
    pub services: Vec<Service>,
    /// Where Services lead besides their selectors, by Service.
    pub slices: Vec<slices::Slice>,
    pub ingresses: Vec<Ingress>,
    pub classes: Vec<IngressClass>,
    pub policies: Vec<Policy>,
    pub network: network::Policies,
    pub webhooks: Vec<webhooks::Configuration>,
    /// ConfigMaps that hold credentials, as only Secrets should.
    pub credential_maps: Vec<Secret>,
    /// Those that rules read: `kube-system/aws-auth`, and those of ingress-nginx and of network
    /// plugins.
    pub config_maps: Vec<ConfigMap>,
    /// OpenShift's constraints on pods.
    pub constraints: Vec<openshift::Constraints>,
    /// Admission policies of Kyverno, Gatekeeper and the API server.
    pub guards: Vec<guards::Guard>,
    /// Where the engines of policies run.
    engines: guarded::Engines,
    /// Of Gateway API.
    pub gateway: gateway::Tables,
    /// Routes of OpenShift.
    pub router_routes: Vec<gateway::Item<routers::RouterRouteRow>>,
    pub istio: istio::Tables,
    /// The doors to the outside, once somebody has asked for them.
    doors: OnceLock<Vec<exposure::Entry>>,
    /// What they do about the pods of a namespace that somebody makes.
    pub new_namespace: Option<Box<guarded::Guarded>>,
    /// What the user says of the network, whatever the snapshot shows.
    pub said: network::plugin::Said,
    /// The cluster is one of OpenShift.
    pub openshift: bool,
    /// The groups of OpenShift that list a user, with the place in the list, by user.
    pub memberships: std::collections::BTreeMap<UserIx, Vec<(GroupIx, u32)>>,
    /// Users that bindings or groups of OpenShift name: object and name.
    pub users: Vec<(ObjectId, Sym)>,
    /// Groups that bindings name, those of OpenShift, `system:masters` and the implicit groups.
    pub groups: Vec<(ObjectId, Sym)>,
    /// Every object read, by group and kind.
    pub seen: std::collections::BTreeMap<(String, String), u64>,
    /// Objects that stood in the snapshot more than once.
    pub duplicates: u64,
    /// How many clusters the snapshot seems to come from: distinct uids of `kube-system`.
    pub clusters: usize,
    /// What could not be used: where it stands and what is wrong.
    pub unusable: Vec<(Origin, String)>,
    /// Custom resources, as their definitions name them.
    pub definitions: Vec<definitions::Definition>,
    pub index: rbac::Index,
    pub(crate) by_node: Vec<Vec<PodIx>>,
}
