//! EndpointSlices and Endpoints: the addresses that Services lead to.

use super::field::Field;
use super::scalar::{Int, List, Str};
use super::{Body, Kind, Meta};
use serde::Deserialize;
use serde::de::Deserializer;

/// An EndpointSlice, which has no `spec`.
#[derive(Debug, Default)]
pub struct EndpointSlice<'a> {
    pub address_type: Str<'a>,
    pub endpoints: List<SliceEndpoint<'a>>,
    pub ports: List<EndpointPort<'a>>,
}

/// One of `endpoints` of an EndpointSlice. Its conditions are not read: one that is not ready now
/// will be.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct SliceEndpoint<'a> {
    pub addresses: List<Str<'a>>,
    pub target_ref: Option<TargetRef<'a>>,
}

/// One of `ports` of an EndpointSlice or of a subset of Endpoints.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct EndpointPort<'a> {
    pub name: Str<'a>,
    pub port: Int,
    pub protocol: Str<'a>,
}

/// What an address is that of.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct TargetRef<'a> {
    pub kind: Str<'a>,
    pub namespace: Str<'a>,
    pub name: Str<'a>,
}

/// One of `subsets` of Endpoints.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct EndpointSubset<'a> {
    pub addresses: List<EndpointAddress<'a>>,
    pub not_ready_addresses: List<EndpointAddress<'a>>,
    pub ports: List<EndpointPort<'a>>,
}

/// One of the addresses of a subset.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct EndpointAddress<'a> {
    pub ip: Str<'a>,
    pub target_ref: Option<TargetRef<'a>>,
}

/// Whether an object is one that Kubernetes' own controller makes of a Service's selector, and so
/// says nothing that the selector does not. A cluster has as many of their endpoints as pods:
/// they are not parsed. Those that are mirrored from Endpoints bear another name.
#[must_use]
pub fn is_derived(kind: Kind, meta: &Meta<'_>) -> bool {
    let (key, controller) = match kind {
        Kind::EndpointSlice => {
            ("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io")
        }
        // Since 1.33; before, nothing in them tells.
        Kind::Endpoints => ("endpoints.kubernetes.io/managed-by", "endpoint-controller"),
        _ => return false,
    };
    meta.labels.0.iter().any(|(k, v)| &**k == key && &**v == controller)
}

/// Reads a part of an EndpointSlice.
pub(super) fn slice<'de, D>(body: &mut Body<'de>, field: Field, d: D) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
{
    if matches!(body, Body::None) {
        *body = Body::EndpointSlice(Box::default());
    }
    if let Body::EndpointSlice(slice) = body {
        match field {
            Field::AddressType => slice.address_type = Str::deserialize(d)?,
            Field::Endpoints => slice.endpoints = List::deserialize(d)?,
            _ => slice.ports = List::deserialize(d)?,
        }
    }
    Ok(())
}
