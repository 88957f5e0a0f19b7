//! The top-level fields of objects, each read into the body of its kind.

use super::Kind;
use super::admission::webhooks;
use super::cluster::{ClaimSpec, NamespaceStatus, ResourceQuotaSpec, ServiceAccount, node, volume};
use super::data::{Data, Secret, more};
use super::definition::CustomResourceDefinitionSpec;
use super::endpoints::slice;
use super::gateway::{GrantSpec, class, gateway, route};
use super::istio::IstioGatewaySpec;
use super::network::{IngressClassSpec, IngressSpec, LoadBalancerStatus};
use super::network_policy::NetworkPolicySpec;
use super::object::Body;
use super::openshift::{constraints, router_route};
use super::pod_status::PodStatus;
use super::policy::{policy, specs};
use super::rbac::RoleRef;
use super::replicas::OfPod;
use super::scalar::{Bool, List, Str};
use super::workload::{LocalRef, WorkloadStatus};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny};

/// The top-level fields that some kind reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Spec,
    Specs,
    Status,
    Keys,
    Type,
    Rules,
    Aggregation,
    RoleRef,
    Subjects,
    Automount,
    PullSecrets,
    Webhooks,
    Immutable,
    Privileged,
    HostDir,
    Volumes,
    Capabilities,
    RunAsUser,
    SeLinux,
    Users,
    Groups,
    AddressType,
    Endpoints,
    Ports,
    Subsets,
}

impl Field {
    pub(super) fn of(key: &str) -> Option<Self> {
        Some(match key {
            "spec" => Self::Spec,
            "specs" => Self::Specs,
            "status" => Self::Status,
            "data" | "stringData" | "binaryData" => Self::Keys,
            "type" => Self::Type,
            "rules" => Self::Rules,
            "aggregationRule" => Self::Aggregation,
            "roleRef" => Self::RoleRef,
            "subjects" => Self::Subjects,
            "automountServiceAccountToken" => Self::Automount,
            "imagePullSecrets" => Self::PullSecrets,
            "webhooks" => Self::Webhooks,
            "immutable" => Self::Immutable,
            "allowPrivilegedContainer" => Self::Privileged,
            "allowHostDirVolumePlugin" => Self::HostDir,
            "volumes" => Self::Volumes,
            "allowedCapabilities" => Self::Capabilities,
            "runAsUser" => Self::RunAsUser,
            "seLinuxContext" => Self::SeLinux,
            "users" => Self::Users,
            "groups" => Self::Groups,
            "addressType" => Self::AddressType,
            "endpoints" => Self::Endpoints,
            "ports" => Self::Ports,
            "subsets" => Self::Subsets,
            _ => return None,
        })
    }
}

/// Reads one top-level field into the body of an object of a known kind.
pub(super) struct FieldSeed<'b, 'de> {
    pub(super) body: &'b mut Body<'de>,
    pub(super) kind: Kind,
    pub(super) field: Field,
}

/// The body's variant, made when its first field is met, and what the field goes into.
macro_rules! part {
    ($body:expr, $pattern:pat => $place:expr, $empty:expr, $value:expr) => {{
        if matches!($body, Body::None) {
            *$body = $empty;
        }
        if let $pattern = $body {
            $place = $value;
        }
    }};
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        let Self { body, kind, field } = self;
        match (kind, field) {
            (Kind::Pod, Field::Spec) => part!(body, Body::Pod(of, _) => *of,
                Body::Pod(OfPod::default(), PodStatus::default()), OfPod::deserialize(d)?),
            (Kind::Pod, Field::Status) => part!(body, Body::Pod(_, status) => *status,
                Body::Pod(OfPod::default(), PodStatus::default()), read(d)?),
            (k, Field::Spec) if k.is_workload() => part!(body, Body::Workload(spec, _) => **spec,
                Body::Workload(Box::default(), WorkloadStatus::default()), read(d)?),
            (k, Field::Status) if k.is_workload() => {
                part!(body, Body::Workload(_, status) => *status,
                Body::Workload(Box::default(), WorkloadStatus::default()), read(d)?);
            }
            (Kind::Node, Field::Spec) => node(body, field, d)?,
            (Kind::Node, Field::Status) => node(body, field, d)?,
            (Kind::ServiceAccount, Field::Automount) => part!(body,
                Body::ServiceAccount(sa) => sa.automount,
                Body::ServiceAccount(ServiceAccount::default()), Bool::deserialize(d)?),
            (Kind::ServiceAccount, Field::PullSecrets) => part!(body,
                Body::ServiceAccount(sa) => sa.image_pull_secrets,
                Body::ServiceAccount(ServiceAccount::default()),
                list::<LocalRef<'de>, D>(d)?.into_iter().map(|r| r.name).collect()),
            (Kind::Secret, Field::Type) => part!(body, Body::Secret(of) => of.kind,
                Body::Secret(Secret::default()), Str::deserialize(d)?),
            (Kind::Secret, Field::Immutable) => part!(body, Body::Secret(of) => of.immutable,
                Body::Secret(Secret::default()), Bool::deserialize(d)?),
            (Kind::Secret, Field::Keys) => part!(body, Body::Secret(of) => of.data,
                Body::Secret(Secret::default()), more(&mut of.data, d)?),
            (Kind::ConfigMap, Field::Keys) => part!(body, Body::ConfigMap(data) => *data,
                Body::ConfigMap(Data::default()), more(data, d)?),
            (Kind::CustomResourceDefinition, Field::Spec) => part!(body,
                Body::Definition(spec) => *spec,
                Body::Definition(CustomResourceDefinitionSpec::default()), read(d)?),
            (Kind::Namespace, Field::Status) => part!(body, Body::Namespace(status) => *status,
                Body::Namespace(NamespaceStatus::default()), read(d)?),
            (Kind::ResourceQuota, Field::Spec) => part!(body, Body::ResourceQuota(spec) => *spec,
                Body::ResourceQuota(ResourceQuotaSpec::default()), read(d)?),
            (Kind::PersistentVolume, Field::Spec) => volume(body, field, d)?,
            (Kind::PersistentVolume, Field::Status) => volume(body, field, d)?,
            (Kind::PersistentVolumeClaim, Field::Spec) => part!(body,
                Body::PersistentVolumeClaim(spec) => *spec,
                Body::PersistentVolumeClaim(ClaimSpec::default()), read(d)?),
            (Kind::Role | Kind::ClusterRole, Field::Rules) => part!(body,
                Body::Role { rules, .. } => *rules,
                Body::Role { rules: Vec::new(), aggregation: None }, list(d)?),
            (Kind::ClusterRole, Field::Aggregation) => part!(body,
                Body::Role { aggregation, .. } => *aggregation,
                Body::Role { rules: Vec::new(), aggregation: None }, Option::deserialize(d)?),
            (Kind::RoleBinding | Kind::ClusterRoleBinding, Field::RoleRef) => part!(body,
                Body::Binding { role, .. } => *role,
                Body::Binding { role: RoleRef::default(), subjects: Vec::new() }, read(d)?),
            (Kind::RoleBinding | Kind::ClusterRoleBinding, Field::Subjects) => part!(body,
                Body::Binding { subjects, .. } => *subjects,
                Body::Binding { role: RoleRef::default(), subjects: Vec::new() }, list(d)?),
            (Kind::Service, Field::Spec) => part!(body, Body::Service(spec, _) => **spec,
                Body::Service(Box::default(), LoadBalancerStatus::default()), read(d)?),
            (Kind::Service, Field::Status) => part!(body, Body::Service(_, status) => *status,
                Body::Service(Box::default(), LoadBalancerStatus::default()), read(d)?),
            (Kind::Ingress, Field::Spec) => part!(body, Body::Ingress(spec, _) => *spec,
                Body::Ingress(IngressSpec::default(), LoadBalancerStatus::default()), read(d)?),
            (Kind::Ingress, Field::Status) => part!(body, Body::Ingress(_, status) => *status,
                Body::Ingress(IngressSpec::default(), LoadBalancerStatus::default()), read(d)?),
            (Kind::EndpointSlice, Field::AddressType) => slice(body, field, d)?,
            (Kind::EndpointSlice, Field::Endpoints) => slice(body, field, d)?,
            (Kind::EndpointSlice, Field::Ports) => slice(body, field, d)?,
            (Kind::Endpoints, Field::Subsets) => part!(body, Body::Endpoints(subsets) => *subsets,
                Body::Endpoints(Vec::new()), list(d)?),
            (Kind::NetworkPolicy, Field::Spec) => part!(body, Body::NetworkPolicy(spec) => *spec,
                Body::NetworkPolicy(NetworkPolicySpec::default()), read(d)?),
            (Kind::IngressClass, Field::Spec) => part!(body, Body::IngressClass(spec) => *spec,
                Body::IngressClass(IngressClassSpec::default()), read(d)?),
            (Kind::GatewayClass, Field::Spec) => class(body, field, d)?,
            (Kind::GatewayClass, Field::Status) => class(body, field, d)?,
            (Kind::Gateway, Field::Spec) => gateway(body, field, d)?,
            (Kind::Gateway, Field::Status) => gateway(body, field, d)?,
            (Kind::ListenerSet, Field::Spec) => gateway(body, field, d)?,
            (Kind::ListenerSet, Field::Status) => gateway(body, field, d)?,
            (Kind::GRPCRoute, Field::Spec) => route(body, field, d)?,
            (Kind::GRPCRoute, Field::Status) => route(body, field, d)?,
            (Kind::HTTPRoute, Field::Spec) => route(body, field, d)?,
            (Kind::HTTPRoute, Field::Status) => route(body, field, d)?,
            (Kind::TCPRoute, Field::Spec) => route(body, field, d)?,
            (Kind::TCPRoute, Field::Status) => route(body, field, d)?,
            (Kind::TLSRoute, Field::Spec) => route(body, field, d)?,
            (Kind::TLSRoute, Field::Status) => route(body, field, d)?,
            (Kind::UDPRoute, Field::Spec) => route(body, field, d)?,
            (Kind::UDPRoute, Field::Status) => route(body, field, d)?,
            (Kind::Route, Field::Spec) => router_route(body, field, d)?,
            (Kind::Route, Field::Status) => router_route(body, field, d)?,
            (Kind::IstioGateway, Field::Spec) => part!(body, Body::IstioGateway(spec) => *spec,
                Body::IstioGateway(IstioGatewaySpec::default()), read(d)?),
            (Kind::VirtualService, Field::Spec) => part!(body,
                Body::VirtualService(spec) => **spec, Body::VirtualService(Box::default()), read(d)?),
            (Kind::ReferenceGrant, Field::Spec) => part!(body, Body::ReferenceGrant(spec) => *spec,
                Body::ReferenceGrant(GrantSpec::default()), read(d)?),
            (Kind::MutatingWebhookConfiguration, Field::Webhooks) => webhooks(body, d)?,
            (Kind::ValidatingWebhookConfiguration, Field::Webhooks) => webhooks(body, d)?,
            (Kind::ClusterPolicy, Field::Spec) => policy(body, d)?,
            (Kind::Policy, Field::Spec) => policy(body, d)?,
            (Kind::ValidatingPolicy, Field::Spec) => policy(body, d)?,
            (Kind::NamespacedValidatingPolicy, Field::Spec) => policy(body, d)?,
            (Kind::Constraint, Field::Spec) => policy(body, d)?,
            (Kind::Config, Field::Spec) => policy(body, d)?,
            (Kind::PolicyException, Field::Spec) => policy(body, d)?,
            (Kind::ValidatingAdmissionPolicy, Field::Spec) => policy(body, d)?,
            (Kind::ValidatingAdmissionPolicyBinding, Field::Spec) => policy(body, d)?,
            (Kind::AdminNetworkPolicy, Field::Spec) => policy(body, d)?,
            (Kind::BaselineAdminNetworkPolicy, Field::Spec) => policy(body, d)?,
            (Kind::ClusterNetworkPolicy, Field::Spec) => policy(body, d)?,
            (Kind::GlobalNetworkPolicy, Field::Spec) => policy(body, d)?,
            (Kind::GlobalNetworkSet, Field::Spec) => policy(body, d)?,
            (Kind::NetworkSet, Field::Spec) => policy(body, d)?,
            (Kind::OtherNetworkPolicy, Field::Spec) => policy(body, d)?,
            (Kind::ProjectCalicoNetworkPolicy, Field::Spec) => policy(body, d)?,
            (Kind::Tier, Field::Spec) => policy(body, d)?,
            (Kind::CiliumClusterwideNetworkPolicy, Field::Spec) => specs(body, field, d)?,
            (Kind::CiliumClusterwideNetworkPolicy, Field::Specs) => specs(body, field, d)?,
            (Kind::CiliumNetworkPolicy, Field::Spec) => specs(body, field, d)?,
            (Kind::CiliumNetworkPolicy, Field::Specs) => specs(body, field, d)?,
            (Kind::SecurityContextConstraints, Field::Privileged) => constraints(body, field, d)?,
            (Kind::SecurityContextConstraints, Field::HostDir) => constraints(body, field, d)?,
            (Kind::SecurityContextConstraints, Field::Volumes) => constraints(body, field, d)?,
            (Kind::SecurityContextConstraints, Field::Capabilities) => constraints(body, field, d)?,
            (Kind::SecurityContextConstraints, Field::RunAsUser) => constraints(body, field, d)?,
            (Kind::SecurityContextConstraints, Field::SeLinux) => constraints(body, field, d)?,
            (Kind::SecurityContextConstraints, Field::Users) => constraints(body, field, d)?,
            (Kind::SecurityContextConstraints, Field::Groups) => constraints(body, field, d)?,
            (Kind::Group, Field::Users) => part!(body, Body::Group(users) => *users,
                Body::Group(Vec::new()), list(d)?),
            _ => {
                IgnoredAny::deserialize(d)?;
            }
        }
        Ok(())
    }
}

/// A part of an object; `null` is the empty one.
pub(super) fn read<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    d: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}

pub(super) fn list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    d: D,
) -> Result<Vec<T>, D::Error> {
    Ok(List::<T>::deserialize(d)?.0)
}
