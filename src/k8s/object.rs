//! One object, read straight from its bytes.
//!
//! kubectl sorts keys, so a Secret's `data` and a ClusterRole's `aggregationRule` come before the
//! `kind` that says how to read them. A field that comes too early is kept as the slice it stands
//! in and read at the end; every other field is read once, where it stands.

use super::Kind;
use super::admission::Webhook;
use super::cluster::{
    ClaimSpec, NamespaceStatus, NodeSpec, NodeStatus, PersistentVolumeSpec, PersistentVolumeStatus,
    ResourceQuotaSpec, ServiceAccount,
};
use super::data::{Data, Secret};
use super::definition::CustomResourceDefinitionSpec;
use super::endpoints::{EndpointSlice, EndpointSubset, is_derived};
use super::field::{Field, FieldSeed};
use super::gateway::{GatewayClass, GatewaySpec, GatewayStatus, GrantSpec, RouteSpec, RouteStatus};
use super::istio::{IstioGatewaySpec, VirtualServiceSpec};
use super::meta::Meta;
use super::network::{IngressClassSpec, IngressSpec, LoadBalancerStatus, ServiceSpec};
use super::network_policy::NetworkPolicySpec;
use super::openshift::{OpenShiftRouteSpec, OpenShiftRouteStatus, SecurityContextConstraints};
use super::pod_status::PodStatus;
use super::quick::{Quick, Raw};
use super::rbac::{AggregationRule, RoleRef, Rule, Subject};
use super::replicas::{OfPod, Replicas};
use super::scalar::Str;
use super::workload::{WorkloadSpec, WorkloadStatus};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
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
    Pod(OfPod<'a>, PodStatus<'a>),
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

impl ObjectSeed {
    /// Reads the object that a text begins with the quick way, and tells how long it is. A pod may
    /// repeat the one before it.
    ///
    /// # Errors
    /// How far it came if it is for `serde_json` to say what the text is.
    pub fn quick<'t>(
        self,
        text: &'t str,
        replicas: &mut Replicas<'t>,
    ) -> Result<(Object<'t>, usize), usize> {
        let mut json = Quick::new(text, Some(replicas.model()));
        let read = self.deserialize(&mut json);
        let (length, own) = (json.offset(), json.own());
        let Ok(mut object) = read else { return Err(length) };
        if let Body::Pod(pod, _) = &mut object.body {
            replicas.settle(pod, own);
        }
        Ok((object, length))
    }
}

impl<'de> DeserializeSeed<'de> for ObjectSeed {
    type Value = Object<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object<'de>, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(self.hint))
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
        let mut early: Vec<(Field, Raw<'de>)> = Vec::new();
        // Whether the group was known where the kind was told.
        let mut sure = false;
        while let Some(key) = map.next_key::<Str<'de>>()? {
            match &*key {
                "apiVersion" => {
                    version = Some(map.next_value()?);
                    sure = false;
                }
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
                            sure = version.is_some();
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
                if object.kind.is_none() || !sure {
                    object.kind = Kind::of(&object.group, &named);
                }
                object.kind_name = named;
            }
            None => {
                object.kind = self.0;
                object.kind_name = self.0.map(|k| Str(k.name().into())).unwrap_or_default();
            }
        }
        if let Some(kind) = object.kind.filter(|kind| !is_derived(*kind, &object.meta)) {
            for (field, raw) in early {
                raw.read(FieldSeed { body: &mut object.body, kind, field })?;
            }
        }
        Ok(object)
    }
}

/// The group of an `apiVersion`: what stands before the slash.
fn group(api_version: Option<&str>) -> &str {
    api_version.and_then(|v| v.split_once('/')).map_or("", |(group, _)| group)
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
