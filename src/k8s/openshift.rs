//! What OpenShift adds: constraints on pods, and groups with their members.

use super::scalar::{Bool, Str};
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
