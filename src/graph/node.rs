//! What can be a node: its kinds, its tags, and how an attack names one.

use crate::sym::Sym;
use crate::world::contents::Content;
use crate::world::hosts::Host;
use crate::world::{
    AccountIx, BindingIx, ClaimIx, GroupIx, MapIx, NamespaceIx, NodeIx, PodIx, Principal, RoleIx,
    SecretIx, UserIx, VolumeIx, WorkloadIx,
};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// What kind of thing a node is. The names are those of the graph's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum NodeKind {
    /// Everyone.
    Internet,
    /// The goal: every verb on everything.
    ClusterAdmin,
    /// A namespace.
    Namespace,
    /// Power over one namespace.
    NamespaceAdmin,
    /// A machine.
    Node,
    /// What a machine's kubelet authenticates as.
    NodeIdentity,
    /// A service account.
    ServiceAccount,
    /// A user that a binding names.
    User,
    /// A group.
    Group,
    /// A Secret.
    Secret,
    /// A pod.
    Pod,
    /// A container of a pod, or of a template.
    Container,
    /// A top owner of pods.
    Workload,
    /// A Role.
    Role,
    /// A ClusterRole.
    ClusterRole,
    /// A RoleBinding.
    RoleBinding,
    /// A ClusterRoleBinding.
    ClusterRoleBinding,
    /// A PersistentVolume.
    PersistentVolume,
    /// A PersistentVolumeClaim.
    PersistentVolumeClaim,
    /// A ConfigMap.
    ConfigMap,
    /// An exposed door.
    Entry,
    /// Several things that an attack reaches alike.
    Set,
    /// Something that needs all of its inputs.
    Gate,
    /// A role or account of a cloud provider.
    CloudIdentity,
}

/// Every kind, in order, with its name.
const KINDS: &[(NodeKind, &str)] = &[
    (NodeKind::Internet, "Internet"),
    (NodeKind::ClusterAdmin, "ClusterAdmin"),
    (NodeKind::Namespace, "Namespace"),
    (NodeKind::NamespaceAdmin, "NamespaceAdmin"),
    (NodeKind::Node, "Node"),
    (NodeKind::NodeIdentity, "NodeIdentity"),
    (NodeKind::ServiceAccount, "ServiceAccount"),
    (NodeKind::User, "User"),
    (NodeKind::Group, "Group"),
    (NodeKind::Secret, "Secret"),
    (NodeKind::Pod, "Pod"),
    (NodeKind::Container, "Container"),
    (NodeKind::Workload, "Workload"),
    (NodeKind::Role, "Role"),
    (NodeKind::ClusterRole, "ClusterRole"),
    (NodeKind::RoleBinding, "RoleBinding"),
    (NodeKind::ClusterRoleBinding, "ClusterRoleBinding"),
    (NodeKind::PersistentVolume, "PersistentVolume"),
    (NodeKind::PersistentVolumeClaim, "PersistentVolumeClaim"),
    (NodeKind::ConfigMap, "ConfigMap"),
    (NodeKind::Entry, "Entry"),
    (NodeKind::Set, "Set"),
    (NodeKind::Gate, "Gate"),
    (NodeKind::CloudIdentity, "CloudIdentity"),
];

impl NodeKind {
    /// The kind's name, as in the graph's JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Every kind, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|(kind, _)| *kind)
    }

    /// Whether the node's name is the graph's own text rather than an object's name.
    pub(super) const fn is_own(self) -> bool {
        matches!(
            self,
            Self::Internet
                | Self::ClusterAdmin
                | Self::Entry
                | Self::Set
                | Self::Gate
                | Self::CloudIdentity
        )
    }
}

/// A mark on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Tag {
    /// The internet may reach it.
    Exposed = 1,
    /// It runs a privileged container.
    Privileged = 2,
    /// It belongs to Kubernetes itself or to the system's namespaces.
    System = 4,
    /// The snapshot only refers to it.
    Absent = 8,
    /// A pod that has ended.
    Finished = 16,
    /// Part of the control plane.
    ControlPlane = 32,
    /// A binding to full power over the cluster, or a principal that one names.
    Admin = 64,
    /// A Secret with a password of a registry of images.
    HoldsRegistryPassword = 1 << 16,
    /// A Secret with the key of a TLS certificate.
    HoldsTlsKey = 1 << 17,
    /// A Secret by which one signs in to a cluster, this one or another.
    HoldsClusterLogin = 1 << 18,
    /// A Secret with a release of Helm.
    HoldsHelmRelease = 1 << 19,
    /// A Secret with a key of a cloud.
    HoldsCloudKey = 1 << 20,
    /// A Secret with a token of a repository or a CI system.
    HoldsGitToken = 1 << 21,
    /// A Secret that opens SealedSecrets.
    HoldsSealingKey = 1 << 22,
    /// A Secret with a token of Vault or another store of secrets.
    HoldsStoreToken = 1 << 23,
    /// A Secret with a user name and a password.
    HoldsPassword = 1 << 24,
    /// A Secret with an SSH key.
    HoldsSshKey = 1 << 25,
    /// A Secret with the key of an authority, of tokens or of a client of etcd.
    HoldsSigningKey = 1 << 26,
}

impl Tag {
    /// Every tag with its name in JSON and in selectors.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Exposed, "exposed"),
        (Self::Privileged, "privileged"),
        (Self::System, "system"),
        (Self::Absent, "absent"),
        (Self::Finished, "finished"),
        (Self::ControlPlane, "control-plane"),
        (Self::Admin, "admin"),
        (Self::HoldsRegistryPassword, "holds-registry-password"),
        (Self::HoldsTlsKey, "holds-tls-key"),
        (Self::HoldsClusterLogin, "holds-cluster-login"),
        (Self::HoldsHelmRelease, "holds-helm-release"),
        (Self::HoldsCloudKey, "holds-cloud-key"),
        (Self::HoldsGitToken, "holds-git-token"),
        (Self::HoldsSealingKey, "holds-sealing-key"),
        (Self::HoldsStoreToken, "holds-store-token"),
        (Self::HoldsPassword, "holds-password"),
        (Self::HoldsSshKey, "holds-ssh-key"),
        (Self::HoldsSigningKey, "holds-signing-key"),
    ];
}

impl Tag {
    /// The tag of a Secret with a kind of credential.
    pub(super) const fn of(content: Content) -> Option<Self> {
        Some(match content {
            Content::RegistryPassword => Self::HoldsRegistryPassword,
            Content::TlsKey => Self::HoldsTlsKey,
            Content::Kubeconfig | Content::ArgoLogin => Self::HoldsClusterLogin,
            Content::HelmRelease => Self::HoldsHelmRelease,
            Content::AwsKey | Content::GoogleKey | Content::AzureKey | Content::CloudKey => {
                Self::HoldsCloudKey
            }
            Content::GitToken => Self::HoldsGitToken,
            Content::SealingKey => Self::HoldsSealingKey,
            Content::StoreToken => Self::HoldsStoreToken,
            Content::Password => Self::HoldsPassword,
            Content::SshKey => Self::HoldsSshKey,
            Content::SigningKey => Self::HoldsSigningKey,
            Content::Unsealed | Content::Synced | Content::Released => return None,
        })
    }
}

/// What a set or gate is one of. Each is a static beside the attack that uses it.
#[derive(Debug)]
pub struct SetKind {
    /// Tells it from the others; plural nouns in kebab-case for sets.
    pub id: &'static str,
    /// How a person reads it, before "of NAMESPACE": `running pods`.
    pub noun: &'static str,
}

impl PartialEq for SetKind {
    /// Every kind is one static: its place tells it from the others, without a look at the text.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for SetKind {}

impl PartialOrd for SetKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SetKind {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other { Ordering::Equal } else { self.id.cmp(other.id) }
    }
}

impl Hash for SetKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self, state);
    }
}

/// A set or a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SetKey {
    /// What it is a set of.
    pub kind: &'static SetKind,
    /// The namespace it is limited to; empty for the whole cluster.
    pub ns: Sym,
    /// The object it belongs to, where the namespace does not tell it apart; 0 otherwise.
    pub of: u32,
}

impl PartialOrd for SetKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SetKey {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.kind, self.ns, self.of).cmp(&(other.kind, other.ns, other.of))
    }
}

/// Anything that is a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing<'a> {
    /// Everyone.
    Internet,
    /// The goal.
    ClusterAdmin,
    /// A namespace.
    Namespace(NamespaceIx),
    /// Power over one namespace.
    NamespaceAdmin(NamespaceIx),
    /// A machine.
    Node(NodeIx),
    /// A machine's kubelet.
    NodeIdentity(NodeIx),
    /// A service account.
    Account(AccountIx),
    /// A user.
    User(UserIx),
    /// A group.
    Group(GroupIx),
    /// A Secret.
    Secret(SecretIx),
    /// A pod.
    Pod(PodIx),
    /// A container, by its place in the specification.
    Container(Host, usize),
    /// A workload, of which only top owners are nodes.
    Workload(WorkloadIx),
    /// A Role or ClusterRole.
    Role(RoleIx),
    /// A binding.
    Binding(BindingIx),
    /// A PersistentVolume.
    Volume(VolumeIx),
    /// A PersistentVolumeClaim.
    Claim(ClaimIx),
    /// A ConfigMap that holds a credential.
    ConfigMap(MapIx),
    /// An exposed door, by its place among the entries.
    Entry(u32),
    /// A set.
    Set(SetKey),
    /// A gate.
    Gate(SetKey),
    /// A cloud provider's identity, by its name.
    Cloud(&'a str),
}

impl From<Principal> for Thing<'_> {
    fn from(principal: Principal) -> Self {
        match principal {
            Principal::Account(a) => Self::Account(a),
            Principal::Node(n) => Self::NodeIdentity(n),
            Principal::User(u) => Self::User(u),
            Principal::Group(g) => Self::Group(g),
        }
    }
}

impl From<Host> for Thing<'_> {
    fn from(host: Host) -> Self {
        match host {
            Host::Pod(pod) => Self::Pod(pod),
            Host::Template(workload) => Self::Workload(workload),
        }
    }
}
