//! Nodes, storage and the small kinds.

use super::field::{Field, read};
use super::meta::Pairs;
use super::object::Body;
use super::rbac::LabelSelector;
use super::scalar::{Bool, List, Present, Str};
use super::workload::HostPath;
use serde::{Deserialize, Deserializer};

/// `spec` of a Node.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct NodeSpec<'a> {
    #[serde(rename = "providerID")]
    pub provider_id: Str<'a>,
}

/// `status` of a Node.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct NodeStatus<'a> {
    pub addresses: List<NodeAddress<'a>>,
    pub conditions: List<NodeCondition<'a>>,
    pub node_info: Option<NodeInfo<'a>>,
}

/// One of `status.addresses`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct NodeAddress<'a> {
    #[serde(rename = "type")]
    pub kind: Str<'a>,
    pub address: Str<'a>,
}

/// One of `status.conditions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct NodeCondition<'a> {
    #[serde(rename = "type")]
    pub kind: Str<'a>,
    pub status: Str<'a>,
    pub reason: Str<'a>,
}

/// `status.nodeInfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct NodeInfo<'a> {
    pub kubelet_version: Str<'a>,
    pub container_runtime_version: Str<'a>,
    pub operating_system: Str<'a>,
}

/// `status` of a Namespace.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct NamespaceStatus<'a> {
    pub phase: Str<'a>,
}

/// `spec` of a ResourceQuota.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ResourceQuotaSpec<'a> {
    pub hard: Pairs<'a>,
    pub scopes: List<Str<'a>>,
    pub scope_selector: Present,
}

/// `spec` of a PersistentVolume.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct PersistentVolumeSpec<'a> {
    pub host_path: Option<HostPath<'a>>,
    pub local: Option<HostPath<'a>>,
    pub claim_ref: Option<ObjectRef<'a>>,
    pub node_affinity: Option<VolumeNodeAffinity<'a>>,
}

/// `nodeAffinity` of a PersistentVolume.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct VolumeNodeAffinity<'a> {
    pub required: Option<NodeSelector<'a>>,
}

/// Nodes that one of its terms selects.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct NodeSelector<'a> {
    pub node_selector_terms: List<LabelSelector<'a>>,
}

/// `status` of a PersistentVolume.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct PersistentVolumeStatus<'a> {
    pub phase: Str<'a>,
}

/// `spec` of a PersistentVolumeClaim.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ClaimSpec<'a> {
    pub volume_name: Str<'a>,
    pub access_modes: List<Str<'a>>,
}

/// A reference to an object, with its namespace.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct ObjectRef<'a> {
    pub name: Str<'a>,
    pub uid: Str<'a>,
    pub namespace: Str<'a>,
}

/// The fields of a ServiceAccount, which has no `spec`.
#[derive(Debug, Default)]
pub struct ServiceAccount<'a> {
    pub automount: Bool,
    pub image_pull_secrets: Vec<Str<'a>>,
}

/// Reads a part of a PersistentVolume.
pub(super) fn volume<'de, D>(body: &mut Body<'de>, field: Field, d: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    if matches!(body, Body::None) {
        *body = Body::PersistentVolume(Default::default(), Default::default());
    }
    if let Body::PersistentVolume(spec, status) = body {
        match field {
            Field::Spec => *spec = read(d)?,
            _ => *status = read(d)?,
        }
    }
    Ok(())
}

/// Reads a part of a Node.
pub(super) fn node<'de, D>(body: &mut Body<'de>, field: Field, d: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    if matches!(body, Body::None) {
        *body = Body::Node(Default::default(), Default::default());
    }
    if let Body::Node(spec, status) = body {
        match field {
            Field::Spec => *spec = read(d)?,
            _ => *status = read(d)?,
        }
    }
    Ok(())
}
