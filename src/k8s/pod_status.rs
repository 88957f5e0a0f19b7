//! What the kubelet says of a pod: its phase, its addresses, where its containers stand.

use super::scalar::{Int, List, Present, Str};
use serde::Deserialize;

/// `status` of a Pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct PodStatus<'a> {
    pub phase: Str<'a>,
    #[serde(rename = "podIP")]
    pub pod_ip: Str<'a>,
    #[serde(rename = "podIPs")]
    pub pod_ips: List<PodIp<'a>>,
    pub container_statuses: List<ContainerStatus<'a>>,
    pub init_container_statuses: List<ContainerStatus<'a>>,
    pub ephemeral_container_statuses: List<ContainerStatus<'a>>,
}

/// What the kubelet says of one container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct ContainerStatus<'a> {
    pub name: Str<'a>,
    pub state: Option<ContainerState<'a>>,
}

/// `state` of a container: one of the three. Without any it waits.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct ContainerState<'a> {
    pub running: Present,
    pub waiting: Option<ContainerWaiting<'a>>,
    pub terminated: Option<ContainerTerminated>,
}

/// `state.waiting` of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct ContainerWaiting<'a> {
    pub reason: Str<'a>,
}

/// `state.terminated` of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerTerminated {
    pub exit_code: Int,
}

/// One of `status.podIPs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct PodIp<'a> {
    pub ip: Str<'a>,
}
