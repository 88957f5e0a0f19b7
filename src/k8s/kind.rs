//! The kinds that the tool reads, each known by its API group and its name.

use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// A kind of object that rules or answers use. Everything else is counted and left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Of the cluster's administrators: asked before NetworkPolicies.
    AdminNetworkPolicy,
    /// Asked where no NetworkPolicy decides.
    BaselineAdminNetworkPolicy,
    CiliumClusterwideNetworkPolicy,
    CiliumNetworkPolicy,
    /// What became of the two kinds of administrators.
    ClusterNetworkPolicy,
    /// Of Kyverno.
    ClusterPolicy,
    ClusterRole,
    ClusterRoleBinding,
    /// Of Gatekeeper: which namespaces it leaves alone.
    Config,
    ConfigMap,
    /// Of Gatekeeper: every kind of its group, each that of a template.
    Constraint,
    CronJob,
    /// What says of a custom resource how it is called and where it lives.
    CustomResourceDefinition,
    DaemonSet,
    Deployment,
    /// Where a Service leads: a part of it.
    EndpointSlice,
    /// Where a Service leads, as it was said before there were slices.
    Endpoints,
    /// Of Gateway API.
    GRPCRoute,
    /// Of Gateway API.
    Gateway,
    /// Of Gateway API.
    GatewayClass,
    /// Of Gateway API.
    HTTPRoute,
    /// Of Calico.
    GlobalNetworkPolicy,
    /// Of Calico: addresses with labels.
    GlobalNetworkSet,
    Ingress,
    IngressClass,
    /// Of Istio: what its proxies listen for.
    IstioGateway,
    Job,
    /// Of Gateway API.
    ListenerSet,
    MutatingWebhookConfiguration,
    Namespace,
    /// Of Kyverno.
    NamespacedValidatingPolicy,
    NetworkPolicy,
    /// Of Calico: addresses with labels.
    NetworkSet,
    Node,
    /// A network policy of a kind that is not evaluated: every kind of [`OTHER_POLICIES`].
    OtherNetworkPolicy,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    /// Of Kyverno.
    Policy,
    /// Of Kyverno: where policies do not count.
    PolicyException,
    /// Of Calico, and of the name of Kubernetes' own.
    ProjectCalicoNetworkPolicy,
    /// Of Gateway API.
    ReferenceGrant,
    ReplicaSet,
    ReplicationController,
    ResourceQuota,
    Role,
    RoleBinding,
    /// Of OpenShift: a way from its routers to a Service.
    Route,
    Secret,
    /// Of OpenShift: what decides which pods are let in.
    SecurityContextConstraints,
    Service,
    ServiceAccount,
    StatefulSet,
    /// Of Gateway API.
    TCPRoute,
    /// Of Gateway API.
    TLSRoute,
    /// Of Calico: what policies stand in.
    Tier,
    /// Of Gateway API.
    UDPRoute,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    /// Of Kyverno.
    ValidatingPolicy,
    ValidatingWebhookConfiguration,
    /// Of Istio.
    VirtualService,
    /// Not an object of the API: a user named by a binding.
    User,
    /// A group named by a binding; an object of the API in OpenShift alone.
    Group,
}

/// One row of the table of kinds.
struct Row {
    kind: Kind,
    name: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
    groups: &'static [&'static str],
    namespaced: bool,
}

const RBAC: &[&str] = &["rbac.authorization.k8s.io"];
const APPS: &[&str] = &["apps", "extensions"];
const GATEWAY: &[&str] = &["gateway.networking.k8s.io"];
const ISTIO: &[&str] = &["networking.istio.io"];
const CALICO: &[&str] = &["projectcalico.org", "crd.projectcalico.org"];
const ADMISSION: &[&str] = &["admissionregistration.k8s.io"];
/// Groups whose kinds say who may connect and are not evaluated, with the names of these kinds.
#[rustfmt::skip]
const OTHER_POLICIES: &[(&str, &[&str])] = &[
    ("crd.antrea.io", &["ClusterNetworkPolicy", "NetworkPolicy"]),
    ("networking.k8s.aws", &["ApplicationNetworkPolicy", "ClusterNetworkPolicy"]),
    ("security.antrea.tanzu.vmware.com", &["ClusterNetworkPolicy", "NetworkPolicy"]),
    ("crd.nsx.vmware.com", &["SecurityPolicy"]),
    ("nsx.vmware.com", &["SecurityPolicy"]),
    ("networking.gke.io", &["FQDNNetworkPolicy"]),
    ("k8s.ovn.org", &["EgressFirewall"]),
    ("network.openshift.io", &["EgressNetworkPolicy"]),
];
/// Its kinds are named by templates.
const CONSTRAINTS: &str = "constraints.gatekeeper.sh";

#[rustfmt::skip]
const KINDS: &[Row] = &[
    Row { kind: Kind::AdminNetworkPolicy, name: "AdminNetworkPolicy", plural: "adminnetworkpolicies", short: &["anp"], groups: &["policy.networking.k8s.io"], namespaced: false },
    Row { kind: Kind::BaselineAdminNetworkPolicy, name: "BaselineAdminNetworkPolicy", plural: "baselineadminnetworkpolicies", short: &["banp"], groups: &["policy.networking.k8s.io"], namespaced: false },
    Row { kind: Kind::CiliumClusterwideNetworkPolicy, name: "CiliumClusterwideNetworkPolicy", plural: "ciliumclusterwidenetworkpolicies", short: &["ccnp"], groups: &["cilium.io"], namespaced: false },
    Row { kind: Kind::CiliumNetworkPolicy, name: "CiliumNetworkPolicy", plural: "ciliumnetworkpolicies", short: &["cnp", "ciliumnp"], groups: &["cilium.io"], namespaced: true },
    Row { kind: Kind::ClusterNetworkPolicy, name: "ClusterNetworkPolicy", plural: "clusternetworkpolicies", short: &[], groups: &["policy.networking.k8s.io"], namespaced: false },
    Row { kind: Kind::ClusterPolicy, name: "ClusterPolicy", plural: "clusterpolicies", short: &["cpol"], groups: &["kyverno.io"], namespaced: false },
    Row { kind: Kind::ClusterRole, name: "ClusterRole", plural: "clusterroles", short: &[], groups: RBAC, namespaced: false },
    Row { kind: Kind::ClusterRoleBinding, name: "ClusterRoleBinding", plural: "clusterrolebindings", short: &["crb"], groups: RBAC, namespaced: false },
    Row { kind: Kind::Config, name: "Config", plural: "configs", short: &[], groups: &["config.gatekeeper.sh"], namespaced: true },
    Row { kind: Kind::ConfigMap, name: "ConfigMap", plural: "configmaps", short: &["cm"], groups: &[""], namespaced: true },
    Row { kind: Kind::Constraint, name: "Constraint", plural: "constraints", short: &[], groups: &[CONSTRAINTS], namespaced: false },
    Row { kind: Kind::CronJob, name: "CronJob", plural: "cronjobs", short: &["cj"], groups: &["batch"], namespaced: true },
    Row { kind: Kind::CustomResourceDefinition, name: "CustomResourceDefinition", plural: "customresourcedefinitions", short: &["crd", "crds"], groups: &["apiextensions.k8s.io"], namespaced: false },
    Row { kind: Kind::DaemonSet, name: "DaemonSet", plural: "daemonsets", short: &["ds"], groups: APPS, namespaced: true },
    Row { kind: Kind::Deployment, name: "Deployment", plural: "deployments", short: &["deploy"], groups: APPS, namespaced: true },
    Row { kind: Kind::EndpointSlice, name: "EndpointSlice", plural: "endpointslices", short: &[], groups: &["discovery.k8s.io"], namespaced: true },
    Row { kind: Kind::Endpoints, name: "Endpoints", plural: "endpoints", short: &["ep"], groups: &[""], namespaced: true },
    Row { kind: Kind::GRPCRoute, name: "GRPCRoute", plural: "grpcroutes", short: &[], groups: GATEWAY, namespaced: true },
    Row { kind: Kind::Gateway, name: "Gateway", plural: "gateways", short: &["gtw"], groups: GATEWAY, namespaced: true },
    Row { kind: Kind::GatewayClass, name: "GatewayClass", plural: "gatewayclasses", short: &["gc"], groups: GATEWAY, namespaced: false },
    Row { kind: Kind::HTTPRoute, name: "HTTPRoute", plural: "httproutes", short: &[], groups: GATEWAY, namespaced: true },
    Row { kind: Kind::GlobalNetworkPolicy, name: "GlobalNetworkPolicy", plural: "globalnetworkpolicies", short: &[], groups: CALICO, namespaced: false },
    Row { kind: Kind::GlobalNetworkSet, name: "GlobalNetworkSet", plural: "globalnetworksets", short: &[], groups: CALICO, namespaced: false },
    Row { kind: Kind::Ingress, name: "Ingress", plural: "ingresses", short: &["ing"], groups: &["networking.k8s.io", "extensions"], namespaced: true },
    Row { kind: Kind::IngressClass, name: "IngressClass", plural: "ingressclasses", short: &[], groups: &["networking.k8s.io"], namespaced: false },
    Row { kind: Kind::IstioGateway, name: "Gateway", plural: "gateways", short: &["gw"], groups: ISTIO, namespaced: true },
    Row { kind: Kind::Job, name: "Job", plural: "jobs", short: &[], groups: &["batch"], namespaced: true },
    Row { kind: Kind::ListenerSet, name: "ListenerSet", plural: "listenersets", short: &["lset"], groups: GATEWAY, namespaced: true },
    Row { kind: Kind::MutatingWebhookConfiguration, name: "MutatingWebhookConfiguration", plural: "mutatingwebhookconfigurations", short: &[], groups: ADMISSION, namespaced: false },
    Row { kind: Kind::Namespace, name: "Namespace", plural: "namespaces", short: &["ns"], groups: &[""], namespaced: false },
    Row { kind: Kind::NamespacedValidatingPolicy, name: "NamespacedValidatingPolicy", plural: "namespacedvalidatingpolicies", short: &["nvpol"], groups: &["policies.kyverno.io"], namespaced: true },
    Row { kind: Kind::NetworkPolicy, name: "NetworkPolicy", plural: "networkpolicies", short: &["netpol"], groups: &["networking.k8s.io", "extensions"], namespaced: true },
    Row { kind: Kind::NetworkSet, name: "NetworkSet", plural: "networksets", short: &[], groups: CALICO, namespaced: true },
    Row { kind: Kind::Node, name: "Node", plural: "nodes", short: &["no"], groups: &[""], namespaced: false },
    Row { kind: Kind::OtherNetworkPolicy, name: "OtherNetworkPolicy", plural: "othernetworkpolicies", short: &[], groups: &[], namespaced: true },
    Row { kind: Kind::PersistentVolume, name: "PersistentVolume", plural: "persistentvolumes", short: &["pv"], groups: &[""], namespaced: false },
    Row { kind: Kind::PersistentVolumeClaim, name: "PersistentVolumeClaim", plural: "persistentvolumeclaims", short: &["pvc"], groups: &[""], namespaced: true },
    Row { kind: Kind::Pod, name: "Pod", plural: "pods", short: &["po"], groups: &[""], namespaced: true },
    Row { kind: Kind::Policy, name: "Policy", plural: "policies", short: &["pol"], groups: &["kyverno.io"], namespaced: true },
    Row { kind: Kind::PolicyException, name: "PolicyException", plural: "policyexceptions", short: &["polex"], groups: &["kyverno.io", "policies.kyverno.io"], namespaced: true },
    Row { kind: Kind::ProjectCalicoNetworkPolicy, name: "NetworkPolicy", plural: "networkpolicies", short: &["caliconetworkpolicy"], groups: CALICO, namespaced: true },
    Row { kind: Kind::ReferenceGrant, name: "ReferenceGrant", plural: "referencegrants", short: &["refgrant"], groups: GATEWAY, namespaced: true },
    Row { kind: Kind::ReplicaSet, name: "ReplicaSet", plural: "replicasets", short: &["rs"], groups: APPS, namespaced: true },
    Row { kind: Kind::ReplicationController, name: "ReplicationController", plural: "replicationcontrollers", short: &["rc"], groups: &[""], namespaced: true },
    Row { kind: Kind::ResourceQuota, name: "ResourceQuota", plural: "resourcequotas", short: &["quota"], groups: &[""], namespaced: true },
    Row { kind: Kind::Role, name: "Role", plural: "roles", short: &[], groups: RBAC, namespaced: true },
    Row { kind: Kind::RoleBinding, name: "RoleBinding", plural: "rolebindings", short: &["rb"], groups: RBAC, namespaced: true },
    Row { kind: Kind::Route, name: "Route", plural: "routes", short: &[], groups: &["route.openshift.io"], namespaced: true },
    Row { kind: Kind::Secret, name: "Secret", plural: "secrets", short: &[], groups: &[""], namespaced: true },
    Row { kind: Kind::SecurityContextConstraints, name: "SecurityContextConstraints", plural: "securitycontextconstraints", short: &["scc"], groups: &["security.openshift.io"], namespaced: false },
    Row { kind: Kind::Service, name: "Service", plural: "services", short: &["svc"], groups: &[""], namespaced: true },
    Row { kind: Kind::ServiceAccount, name: "ServiceAccount", plural: "serviceaccounts", short: &["sa"], groups: &[""], namespaced: true },
    Row { kind: Kind::StatefulSet, name: "StatefulSet", plural: "statefulsets", short: &["sts"], groups: APPS, namespaced: true },
    Row { kind: Kind::TCPRoute, name: "TCPRoute", plural: "tcproutes", short: &[], groups: GATEWAY, namespaced: true },
    Row { kind: Kind::TLSRoute, name: "TLSRoute", plural: "tlsroutes", short: &[], groups: GATEWAY, namespaced: true },
    Row { kind: Kind::Tier, name: "Tier", plural: "tiers", short: &[], groups: CALICO, namespaced: false },
    Row { kind: Kind::UDPRoute, name: "UDPRoute", plural: "udproutes", short: &[], groups: GATEWAY, namespaced: true },
    Row { kind: Kind::ValidatingAdmissionPolicy, name: "ValidatingAdmissionPolicy", plural: "validatingadmissionpolicies", short: &[], groups: ADMISSION, namespaced: false },
    Row { kind: Kind::ValidatingAdmissionPolicyBinding, name: "ValidatingAdmissionPolicyBinding", plural: "validatingadmissionpolicybindings", short: &[], groups: ADMISSION, namespaced: false },
    Row { kind: Kind::ValidatingPolicy, name: "ValidatingPolicy", plural: "validatingpolicies", short: &["vpol"], groups: &["policies.kyverno.io"], namespaced: false },
    Row { kind: Kind::ValidatingWebhookConfiguration, name: "ValidatingWebhookConfiguration", plural: "validatingwebhookconfigurations", short: &[], groups: ADMISSION, namespaced: false },
    Row { kind: Kind::VirtualService, name: "VirtualService", plural: "virtualservices", short: &["vs"], groups: ISTIO, namespaced: true },
    Row { kind: Kind::User, name: "User", plural: "users", short: &[], groups: &[], namespaced: false },
    Row { kind: Kind::Group, name: "Group", plural: "groups", short: &[], groups: &["user.openshift.io"], namespaced: false },
];

/// The rows by name: each object of a dump asks for its own.
static NAMED: LazyLock<FxHashMap<&str, Vec<&Row>>> = LazyLock::new(|| {
    let mut named: FxHashMap<&str, Vec<&Row>> = FxHashMap::default();
    for row in KINDS {
        named.entry(row.name).or_default().push(row);
    }
    named
});

impl Kind {
    /// The kind that an API group and a kind's name mean, if the tool reads it.
    #[must_use]
    pub fn of(group: &str, name: &str) -> Option<Self> {
        let named = NAMED.get(name).into_iter().flatten();
        if let Some(row) = named.copied().find(|row| row.groups.contains(&group)) {
            return Some(row.kind);
        }
        if group == CONSTRAINTS {
            return Some(Self::Constraint);
        }
        let other = OTHER_POLICIES.iter().any(|(of, names)| *of == group && names.contains(&name));
        other.then_some(Self::OtherNetworkPolicy)
    }

    /// The kind of a resource's plural, with or without its group
    /// (`pods`, `roles.rbac.authorization.k8s.io`), in any case, as files of dumps are named.
    #[must_use]
    pub fn of_resource(resource: &str) -> Option<Self> {
        let lower = resource.to_ascii_lowercase();
        let (plural, group) = lower.split_once('.').unwrap_or((&lower, ""));
        if group == CONSTRAINTS {
            return Some(Self::Constraint);
        }
        KINDS
            .iter()
            .find(|row| row.plural == plural && (group.is_empty() || row.groups.contains(&group)))
            .filter(|row| !row.groups.is_empty())
            .map(|row| row.kind)
    }

    /// The kind that a user types: its name, plural or kubectl's short name, in any case.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        Self::all_typed(text).next()
    }

    /// Every kind of that name, plural or short name: several APIs may have one.
    pub fn all_typed(text: &str) -> impl Iterator<Item = Self> {
        let named = move |row: &&Row| {
            row.name.eq_ignore_ascii_case(text)
                || row.plural.eq_ignore_ascii_case(text)
                || row.short.iter().any(|short| short.eq_ignore_ascii_case(text))
        };
        KINDS.iter().filter(named).map(|row| row.kind)
    }

    /// Every kind that is served by the API, in the order of their names.
    pub fn served() -> impl Iterator<Item = Self> {
        KINDS.iter().filter(|row| !row.groups.is_empty()).map(|row| row.kind)
    }

    /// The kind's name, as in `kind:`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The resource's plural, as in RBAC rules.
    #[must_use]
    pub fn plural(self) -> &'static str {
        self.row().plural
    }

    /// The API group that serves it today.
    #[must_use]
    pub fn group(self) -> &'static str {
        self.row().groups.first().copied().unwrap_or("")
    }

    /// The API groups that serve it or did, today's first.
    #[must_use]
    pub fn groups(self) -> &'static [&'static str] {
        self.row().groups
    }

    /// Whether its objects live in namespaces.
    #[must_use]
    pub fn is_namespaced(self) -> bool {
        self.row().namespaced
    }

    /// Whether it carries a pod template.
    #[must_use]
    pub const fn is_workload(self) -> bool {
        matches!(
            self,
            Self::CronJob
                | Self::DaemonSet
                | Self::Deployment
                | Self::Job
                | Self::ReplicaSet
                | Self::ReplicationController
                | Self::StatefulSet
        )
    }

    /// Whether it is a policy that may refuse pods, or says where one does not count.
    #[must_use]
    pub const fn is_policy(self) -> bool {
        matches!(
            self,
            Self::ClusterPolicy
                | Self::Config
                | Self::Constraint
                | Self::NamespacedValidatingPolicy
                | Self::Policy
                | Self::PolicyException
                | Self::ValidatingAdmissionPolicy
                | Self::ValidatingAdmissionPolicyBinding
                | Self::ValidatingPolicy
        )
    }

    /// Whether it is a network policy of another kind than Kubernetes' own, or belongs to one.
    #[must_use]
    pub const fn is_network(self) -> bool {
        matches!(
            self,
            Self::AdminNetworkPolicy
                | Self::BaselineAdminNetworkPolicy
                | Self::CiliumClusterwideNetworkPolicy
                | Self::CiliumNetworkPolicy
                | Self::ClusterNetworkPolicy
                | Self::GlobalNetworkPolicy
                | Self::GlobalNetworkSet
                | Self::NetworkSet
                | Self::OtherNetworkPolicy
                | Self::ProjectCalicoNetworkPolicy
                | Self::Tier
        )
    }

    /// Whether it is one of Gateway API.
    #[must_use]
    pub fn is_gateway(self) -> bool {
        self.row().groups == GATEWAY
    }

    fn row(self) -> &'static Row {
        // INVARIANT: the rows stand in the order of the variants; the test below holds it.
        &KINDS[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_variants() {
        for (index, row) in KINDS.iter().enumerate() {
            assert_eq!(row.kind as usize, index, "{}", row.name);
        }
    }

    #[test]
    fn a_kind_is_known_by_its_group() {
        assert_eq!(Kind::of("", "Node"), Some(Kind::Node));
        assert_eq!(Kind::of("longhorn.io", "Node"), None);
        assert_eq!(
            Kind::of("crd.projectcalico.org", "NetworkPolicy"),
            Some(Kind::ProjectCalicoNetworkPolicy)
        );
        assert_eq!(Kind::of("crd.antrea.io", "NetworkPolicy"), Some(Kind::OtherNetworkPolicy));
        assert_eq!(Kind::of("crd.antrea.io", "Tier"), None);
        assert_eq!(Kind::typed("networkpolicies"), Some(Kind::NetworkPolicy));
        assert_eq!(Kind::of("extensions", "Ingress"), Some(Kind::Ingress));
        assert_eq!(
            Kind::of_resource("clusterRoleBindings.rbac.authorization.k8s.io"),
            Some(Kind::ClusterRoleBinding)
        );
        assert_eq!(Kind::of_resource("pods.metrics.k8s.io"), None);
        assert_eq!(Kind::of("constraints.gatekeeper.sh", "K8sOwn"), Some(Kind::Constraint));
        assert_eq!(Kind::of("policy.example.com", "Policy"), None);
        assert_eq!(Kind::typed("DEPLOY"), Some(Kind::Deployment));
    }
}
