//! Custom resource definitions: what a custom resource is called and where it lives. What its objects
//! may hold is left alone.

use super::scalar::{List, Str};
use serde::Deserialize;

/// `spec` of a CustomResourceDefinition.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct CustomResourceDefinitionSpec<'a> {
    pub group: Str<'a>,
    pub names: Option<CustomResourceDefinitionNames<'a>>,
    pub scope: Str<'a>,
}

/// `spec.names`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct CustomResourceDefinitionNames<'a> {
    pub plural: Str<'a>,
    pub singular: Str<'a>,
    pub kind: Str<'a>,
    pub short_names: List<Str<'a>>,
}
