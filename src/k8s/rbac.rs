//! Roles and bindings of `rbac.authorization.k8s.io`.

use super::scalar::{List, Str};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One of `rules`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Rule<'a> {
    pub verbs: List<Str<'a>>,
    pub api_groups: List<Str<'a>>,
    pub resources: List<Str<'a>>,
    pub resource_names: List<Str<'a>>,
    #[serde(rename = "nonResourceURLs")]
    pub non_resource_urls: List<Str<'a>>,
}

/// `aggregationRule` of a ClusterRole.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct AggregationRule<'a> {
    pub cluster_role_selectors: List<LabelSelector<'a>>,
}

/// A label selector.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct LabelSelector<'a> {
    pub match_labels: Option<BTreeMap<String, Str<'a>>>,
    pub match_expressions: List<Requirement<'a>>,
}

/// One of `matchExpressions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Requirement<'a> {
    pub key: Str<'a>,
    pub operator: Str<'a>,
    pub values: List<Str<'a>>,
}

/// `roleRef` of a binding.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct RoleRef<'a> {
    pub kind: Str<'a>,
    pub name: Str<'a>,
}

/// One of `subjects` of a binding.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Subject<'a> {
    pub kind: Str<'a>,
    pub name: Str<'a>,
    pub namespace: Str<'a>,
}
