//! One object, read straight from its bytes.
//!
//! kubectl sorts keys, so a Secret's `data` and a ClusterRole's `aggregationRule` come before the
//! `kind` that says how to read them. A field that comes too early is kept as the slice it stands
//! in and read at the end; every other field is read once, where it stands.

use super::Kind;
use super::admission::{Webhook, webhooks};
use super::cluster::{
    ClaimSpec, NamespaceStatus, NodeSpec, NodeStatus, PersistentVolumeSpec, PersistentVolumeStatus,
    ResourceQuotaSpec, ServiceAccount, node, volume,
};
use super::data::{Data, Secret, more};
use super::definition::CustomResourceDefinitionSpec;
use super::endpoints::{EndpointSlice, EndpointSubset, is_derived, slice};
use super::gateway::{
    GatewayClass, GatewaySpec, GatewayStatus, GrantSpec, RouteSpec, RouteStatus, class, gateway,
    route,
};
use super::istio::{IstioGatewaySpec, VirtualServiceSpec};
use super::meta::Meta;
use super::network::{IngressClassSpec, IngressSpec, LoadBalancerStatus, ServiceSpec};
use super::network_policy::NetworkPolicySpec;
use super::openshift::{
    OpenShiftRouteSpec, OpenShiftRouteStatus, SecurityContextConstraints, constraints, router_route,
};
use super::pod_status::PodStatus;
use super::policy::{policy, specs};
use super::rbac::{AggregationRule, RoleRef, Rule, Subject};
use super::scalar::{Bool, List, Str};
use super::workload::{LocalRef, PodSpec, WorkloadSpec, WorkloadStatus};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// An object as served.
#[derive(Debug, Default)]
pub struct Object<'a> {
    /// The API group, without its version; empty for the core group and where none is given.
    pub group: String,
    /// The kind's name as given, or that of the hint.
    pub kind_name: Str<'a>,
    /// The kind, if the tool reads it.
    pub kind: Option<Kind>,
    pub meta: Meta<'a>,
    pub body: Body<'a>,
}

/// What an object says beyond its metadata, by kind.
#[derive(Debug, Default)]
pub enum Body<'a> {
    /// A kind without anything of interest, or an unknown one.
    #[default]
    None,
    Pod(Box<PodSpec<'a>>, PodStatus<'a>),
    Workload(Box<WorkloadSpec<'a>>, WorkloadStatus<'a>),
    Node(NodeSpec<'a>, NodeStatus<'a>),
    ServiceAccount(ServiceAccount<'a>),
    Secret(Secret<'a>),
    ConfigMap(Data<'a>),
    Definition(CustomResourceDefinitionSpec<'a>),
    Namespace(NamespaceStatus<'a>),
    ResourceQuota(ResourceQuotaSpec<'a>),
    PersistentVolume(PersistentVolumeSpec<'a>, PersistentVolumeStatus<'a>),
    PersistentVolumeClaim(ClaimSpec<'a>),
    Role {
        rules: Vec<Rule<'a>>,
        aggregation: Option<AggregationRule<'a>>,
    },
    Binding {
        role: RoleRef<'a>,
        subjects: Vec<Subject<'a>>,
    },
    Service(Box<ServiceSpec<'a>>, LoadBalancerStatus<'a>),
    Ingress(IngressSpec<'a>, LoadBalancerStatus<'a>),
    IngressClass(IngressClassSpec<'a>),
    EndpointSlice(Box<EndpointSlice<'a>>),
    /// Its subsets.
    Endpoints(Vec<EndpointSubset<'a>>),
    NetworkPolicy(NetworkPolicySpec<'a>),
    Webhooks(Vec<Webhook<'a>>),
    Constraints(Box<SecurityContextConstraints<'a>>),
    OpenShiftRoute(OpenShiftRouteSpec<'a>, OpenShiftRouteStatus<'a>),
    IstioGateway(IstioGatewaySpec<'a>),
    VirtualService(Box<VirtualServiceSpec<'a>>),
    /// The names of its users.
    Group(Vec<Str<'a>>),
    GatewayClass(GatewayClass<'a>),
    Gateway(Box<GatewaySpec<'a>>, GatewayStatus<'a>),
    Route(Box<RouteSpec<'a>>, RouteStatus<'a>),
    ReferenceGrant(GrantSpec<'a>),
    /// The `spec` of an admission policy.
    Policy(Box<serde_json::Value>),
}

/// Reads one object. The hint is the kind of an item that bears none itself: that of the typed
/// list it stands in, or of the file's name.
#[derive(Debug, Clone, Copy, Default)]
pub struct ObjectSeed {
    pub hint: Option<Kind>,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed {
    type Value = Object<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object<'de>, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(self.hint))
    }
}

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
    fn of(key: &str) -> Option<Self> {
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

struct ObjectVisitor(Option<Kind>);

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut object = Object::default();
        let (mut version, mut named) = (None::<Str<'de>>, None::<Str<'de>>);
        let mut early: Vec<(Field, &'de RawValue)> = Vec::new();
        while let Some(key) = map.next_key::<Str<'de>>()? {
            match &*key {
                "apiVersion" => version = Some(map.next_value()?),
                "kind" => named = Some(map.next_value()?),
                "metadata" => {
                    object.meta = map.next_value::<Option<Meta<'de>>>()?.unwrap_or_default();
                }
                key => match Field::of(key) {
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                    Some(field) => {
                        if let (None, Some(named)) = (object.kind, &named) {
                            object.kind = Kind::of(group(version.as_deref()), named);
                        }
                        match (object.kind, &named) {
                            (Some(kind), _) if is_derived(kind, &object.meta) => {
                                map.next_value::<IgnoredAny>()?;
                            }
                            (Some(kind), _) => {
                                map.next_value_seed(FieldSeed {
                                    body: &mut object.body,
                                    kind,
                                    field,
                                })?;
                            }
                            // A kind that the tool does not read.
                            (None, Some(_)) => {
                                map.next_value::<IgnoredAny>()?;
                            }
                            (None, None) => early.push((field, map.next_value()?)),
                        }
                    }
                },
            }
        }
        object.group = group(version.as_deref()).to_owned();
        match named {
            Some(named) => {
                object.kind = Kind::of(&object.group, &named);
                object.kind_name = named;
            }
            None => {
                object.kind = self.0;
                object.kind_name = self.0.map(|k| Str(k.name().into())).unwrap_or_default();
            }
        }
        if let Some(kind) = object.kind.filter(|kind| !is_derived(*kind, &object.meta)) {
            for (field, raw) in early {
                let mut json = serde_json::Deserializer::from_str(raw.get());
                FieldSeed { body: &mut object.body, kind, field }
                    .deserialize(&mut json)
                    .map_err(serde::de::Error::custom)?;
            }
        }
        Ok(object)
    }
}

/// The group of an `apiVersion`: what stands before the slash.
fn group(api_version: Option<&str>) -> &str {
    api_version.and_then(|v| v.split_once('/')).map_or("", |(group, _)| group)
}

/// Reads one top-level field into the body of an object of a known kind.
struct FieldSeed<'b, 'de> {
    body: &'b mut Body<'de>,
    kind: Kind,
    field: Field,
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
            (Kind::Pod, Field::Spec) => part!(body, Body::Pod(spec, _) => **spec,
                Body::Pod(Box::default(), PodStatus::default()), read(d)?),
            (Kind::Pod, Field::Status) => part!(body, Body::Pod(_, status) => *status,
                Body::Pod(Box::default(), PodStatus::default()), read(d)?),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str, hint: Option<Kind>) -> Object<'_> {
        ObjectSeed { hint }.deserialize(&mut serde_json::Deserializer::from_str(json)).unwrap()
    }

    #[test]
    fn fields_before_the_kind_are_read_too() {
        let read = object(
            r#"{"apiVersion":"v1","data":{"token":"c2VjcmV0"},"kind":"Secret","type":"Opaque"}"#,
            None,
        );
        let Body::Secret(secret) = read.body else { panic!("not a secret") };
        assert_eq!(&*secret.kind, "Opaque");
        assert_eq!(secret.data.keys, [Str("token".into())]);
    }

    #[test]
    fn an_item_without_kind_takes_the_hint_and_null_is_absent() {
        let read =
            object(r#"{"metadata":{"name":"r","labels":null},"rules":null}"#, Some(Kind::Role));
        assert!(matches!(read.body, Body::Role { ref rules, .. } if rules.is_empty()));
        assert_eq!(&*read.kind_name, "Role");
    }

    #[test]
    fn the_same_name_in_another_group_is_another_kind() {
        let read = object(
            r#"{"apiVersion":"longhorn.io/v1beta2","kind":"Node","spec":{"disks":[]}}"#,
            None,
        );
        assert_eq!(read.kind, None);
        assert_eq!(read.group, "longhorn.io");
        assert!(matches!(read.body, Body::None));
    }

    /// Of a Service with a selector the controller's slices repeat it, one endpoint a pod: their
    /// endpoints are not even parsed, wherever the labels stand that tell.
    #[test]
    fn slices_of_the_controller_are_not_parsed() {
        let text = |by: &str, early: &str, late: &str| {
            format!(
                r#"{{{early}"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":
                    {{"labels":{{"endpointslice.kubernetes.io/managed-by":"{by}"}}}}{late}}}"#
            )
        };
        let ends = r#""endpoints":[{"addresses":["10.0.0.1"]}]"#;
        for (early, late) in
            [(format!("{ends},"), String::new()), (String::new(), format!(",{ends}"))]
        {
            let by = |by: &str| {
                let text = text(by, &early, &late);
                match object(&text, None).body {
                    Body::EndpointSlice(slice) => Some(slice.endpoints.len()),
                    _ => None,
                }
            };
            assert_eq!(by("endpointslice-controller.k8s.io"), None);
            assert_eq!(by("endpointslicemirroring-controller.k8s.io"), Some(1));
        }
    }

    #[test]
    fn only_the_annotations_that_rules_read_are_kept() {
        let read = object(
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":
                {"kubectl.kubernetes.io/last-applied-configuration":"s3cret",
                 "kubernetes.io/config.mirror":"x"}}}"#,
            None,
        );
        assert_eq!(read.meta.annotations.0.len(), 1);
        assert_eq!(read.meta.annotations.get("kubernetes.io/config.mirror"), Some("x"));
    }
}
