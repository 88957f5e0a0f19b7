//! Gateway API: where traffic comes in, and the routes that lead it to Services. The versions of
//! the API (v1, v1beta1 and the alphas) agree in the fields that are read.

use super::field::Field;
use super::meta::Annotations;
use super::object::Body;
use super::rbac::LabelSelector;
use super::scalar::{Int, List, Str};
use super::workload::Condition;
use serde::{Deserialize, Deserializer};

/// What is read of a GatewayClass.
#[derive(Debug, Default)]
pub struct GatewayClass<'a> {
    pub spec: GatewayClassSpec<'a>,
    pub status: GatewayClassStatus<'a>,
}

/// `spec` of a GatewayClass.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct GatewayClassSpec<'a> {
    pub controller_name: Str<'a>,
}

/// `status` of a GatewayClass.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct GatewayClassStatus<'a> {
    pub conditions: List<Condition<'a>>,
}

/// `spec` of a Gateway or a ListenerSet.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct GatewaySpec<'a> {
    pub gateway_class_name: Str<'a>,
    pub listeners: List<Listener<'a>>,
    pub addresses: List<GatewayAddress<'a>>,
    pub infrastructure: Option<GatewayInfrastructure<'a>>,
    /// Which ListenerSets may add listeners.
    pub allowed_listeners: Option<AllowedRoutes<'a>>,
    /// Of a ListenerSet: the Gateway that it adds listeners to.
    pub parent_ref: Option<ParentReference<'a>>,
}

/// What is passed on to the objects that the implementation makes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct GatewayInfrastructure<'a> {
    pub annotations: Annotations<'a>,
}

/// One of `spec.listeners`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Listener<'a> {
    pub name: Str<'a>,
    pub hostname: Str<'a>,
    pub port: Int,
    pub protocol: Str<'a>,
    pub tls: Option<ListenerTls<'a>>,
    pub allowed_routes: Option<AllowedRoutes<'a>>,
}

/// `tls` of a listener.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct ListenerTls<'a> {
    pub mode: Str<'a>,
}

/// `allowedRoutes` of a listener, or `allowedListeners` of a Gateway.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct AllowedRoutes<'a> {
    pub namespaces: Option<RouteNamespaces<'a>>,
    pub kinds: List<RouteGroupKind<'a>>,
}

/// `namespaces` of what is allowed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct RouteNamespaces<'a> {
    pub from: Str<'a>,
    pub selector: Option<LabelSelector<'a>>,
}

/// One of the allowed `kinds`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct RouteGroupKind<'a> {
    /// Gateway API's own, if it is not there.
    pub group: Option<Str<'a>>,
    pub kind: Str<'a>,
}

/// One of `addresses`, in `spec` or `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct GatewayAddress<'a> {
    pub value: Str<'a>,
}

/// `status` of a Gateway or a ListenerSet.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct GatewayStatus<'a> {
    pub addresses: List<GatewayAddress<'a>>,
    pub conditions: List<Condition<'a>>,
    pub listeners: List<ListenerStatus<'a>>,
}

/// One of `status.listeners`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct ListenerStatus<'a> {
    pub name: Str<'a>,
    pub conditions: List<Condition<'a>>,
}

/// One of a route's `parentRefs`, or whatever a status or ListenerSet names as one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ParentReference<'a> {
    /// Gateway API's own, if it is not there.
    pub group: Option<Str<'a>>,
    pub kind: Str<'a>,
    pub namespace: Str<'a>,
    pub name: Str<'a>,
    pub section_name: Str<'a>,
    pub port: Int,
}

/// `spec` of a route of any kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RouteSpec<'a> {
    pub parent_refs: List<ParentReference<'a>>,
    pub hostnames: List<Str<'a>>,
    pub rules: List<RouteRule<'a>>,
}

/// One of `spec.rules` of a route.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RouteRule<'a> {
    pub backend_refs: List<BackendRef<'a>>,
    pub filters: List<RouteFilter<'a>>,
}

/// Where a route sends requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct BackendRef<'a> {
    pub group: Str<'a>,
    pub kind: Str<'a>,
    pub namespace: Str<'a>,
    pub name: Str<'a>,
    pub port: Int,
    pub weight: Int,
    pub filters: List<RouteFilter<'a>>,
}

/// One of `filters`: of a rule, or of one backend.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RouteFilter<'a> {
    pub request_mirror: Option<RequestMirror<'a>>,
}

/// Copies requests to another backend.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RequestMirror<'a> {
    pub backend_ref: Option<Box<BackendRef<'a>>>,
    pub percent: Int,
}

/// `status` of a route.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct RouteStatus<'a> {
    pub parents: List<RouteParentStatus<'a>>,
}

/// One of `status.parents`: what one implementation says of one parent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RouteParentStatus<'a> {
    pub parent_ref: Option<ParentReference<'a>>,
    pub controller_name: Str<'a>,
    pub conditions: List<Condition<'a>>,
}

/// `spec` of a ReferenceGrant.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct GrantSpec<'a> {
    pub from: List<GrantFrom<'a>>,
    pub to: List<GrantTo<'a>>,
}

/// Who may refer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct GrantFrom<'a> {
    pub group: Str<'a>,
    pub kind: Str<'a>,
    pub namespace: Str<'a>,
}

/// To what.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct GrantTo<'a> {
    pub group: Str<'a>,
    pub kind: Str<'a>,
    pub name: Str<'a>,
}

/// Reads a part of a GatewayClass.
pub(super) fn class<'de, D>(body: &mut Body<'de>, field: Field, d: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    if matches!(body, Body::None) {
        *body = Body::GatewayClass(GatewayClass::default());
    }
    if let Body::GatewayClass(class) = body {
        match field {
            Field::Status => class.status = Option::deserialize(d)?.unwrap_or_default(),
            _ => class.spec = Option::deserialize(d)?.unwrap_or_default(),
        }
    }
    Ok(())
}

/// Reads a part of a Gateway or a ListenerSet.
pub(super) fn gateway<'de, D>(body: &mut Body<'de>, field: Field, d: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    if matches!(body, Body::None) {
        *body = Body::Gateway(Box::default(), GatewayStatus::default());
    }
    if let Body::Gateway(spec, status) = body {
        match field {
            Field::Status => *status = Option::deserialize(d)?.unwrap_or_default(),
            _ => **spec = Option::deserialize(d)?.unwrap_or_default(),
        }
    }
    Ok(())
}

/// Reads a part of a route.
pub(super) fn route<'de, D>(body: &mut Body<'de>, field: Field, d: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    if matches!(body, Body::None) {
        *body = Body::Route(Box::default(), RouteStatus::default());
    }
    if let Body::Route(spec, status) = body {
        match field {
            Field::Status => *status = Option::deserialize(d)?.unwrap_or_default(),
            _ => **spec = Option::deserialize(d)?.unwrap_or_default(),
        }
    }
    Ok(())
}
