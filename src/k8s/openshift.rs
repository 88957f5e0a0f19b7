//! What OpenShift adds: constraints on pods, groups with their members, and Routes.

use super::scalar::{Bool, Int, IntOrStr, List, Str};
use super::workload::Condition;
use serde::Deserialize;

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
