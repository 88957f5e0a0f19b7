//! What OpenShift adds: constraints on pods, groups with their members, and Routes.

use super::field::{Field, list, read};
use super::object::Body;
use super::scalar::{Bool, Int, IntOrStr, List, Str};
use super::workload::Condition;
use serde::{Deserialize, Deserializer};

/// The fields of SecurityContextConstraints, which have no `spec`.
#[derive(Debug, Default)]
pub struct SecurityContextConstraints<'a> {
    pub privileged: Bool,
    pub host_dir: Bool,
    pub volumes: Vec<Str<'a>>,
    pub capabilities: Vec<Str<'a>>,
    pub run_as_user: Strategy<'a>,
    pub se_linux: Strategy<'a>,
    pub users: Vec<Str<'a>>,
    pub groups: Vec<Str<'a>>,
}

/// `runAsUser` or `seLinuxContext`: how what a pod asks for is limited.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Strategy<'a> {
    #[serde(rename = "type")]
    pub kind: Str<'a>,
}

/// Reads a field of SecurityContextConstraints.
pub(super) fn constraints<'de, D>(body: &mut Body<'de>, field: Field, d: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    if matches!(body, Body::None) {
        *body = Body::Constraints(Box::default());
    }
    if let Body::Constraints(of) = body {
        match field {
            Field::Privileged => of.privileged = Bool::deserialize(d)?,
            Field::HostDir => of.host_dir = Bool::deserialize(d)?,
            Field::Volumes => of.volumes = list(d)?,
            Field::Capabilities => of.capabilities = list(d)?,
            Field::RunAsUser => of.run_as_user = read(d)?,
            Field::SeLinux => of.se_linux = read(d)?,
            Field::Users => of.users = list(d)?,
            _ => of.groups = list(d)?,
        }
    }
    Ok(())
}

/// `spec` of a Route.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct OpenShiftRouteSpec<'a> {
    pub to: Option<RouteTarget<'a>>,
    pub alternate_backends: List<RouteTarget<'a>>,
    pub port: Option<RoutePort<'a>>,
}

/// `spec.to` of a Route, or one of its `alternateBackends`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct RouteTarget<'a> {
    pub kind: Str<'a>,
    pub name: Str<'a>,
    pub weight: Int,
}

/// `spec.port` of a Route.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RoutePort<'a> {
    pub target_port: Option<IntOrStr<'a>>,
}

/// `status` of a Route.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct OpenShiftRouteStatus<'a> {
    pub ingress: List<RouteIngress<'a>>,
}

/// One of `status.ingress`: what one router says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RouteIngress<'a> {
    pub router_name: Str<'a>,
    pub conditions: List<Condition<'a>>,
}

/// Reads a part of a Route.
pub(super) fn router_route<'de, D>(body: &mut Body<'de>, field: Field, d: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    if matches!(body, Body::None) {
        *body = Body::OpenShiftRoute(Default::default(), Default::default());
    }
    if let Body::OpenShiftRoute(spec, status) = body {
        match field {
            Field::Spec => *spec = read(d)?,
            _ => *status = read(d)?,
        }
    }
    Ok(())
}
