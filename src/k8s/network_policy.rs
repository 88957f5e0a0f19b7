//! NetworkPolicies: which pods they isolate and what they let through.

use super::rbac::LabelSelector;
use super::scalar::{Int, IntOrStr, List, Str};
use serde::Deserialize;

/// `spec` of a NetworkPolicy.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct NetworkPolicySpec<'a> {
    pub pod_selector: Option<LabelSelector<'a>>,
    pub policy_types: List<Str<'a>>,
    pub ingress: List<NetworkPolicyRule<'a>>,
    pub egress: List<NetworkPolicyRule<'a>>,
}

/// One of `spec.ingress` or `spec.egress`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct NetworkPolicyRule<'a> {
    pub from: List<NetworkPolicyPeer<'a>>,
    pub to: List<NetworkPolicyPeer<'a>>,
    pub ports: List<NetworkPolicyPort<'a>>,
}

/// One of `from` or `to`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct NetworkPolicyPeer<'a> {
    pub pod_selector: Option<LabelSelector<'a>>,
    pub namespace_selector: Option<LabelSelector<'a>>,
    pub ip_block: Option<IpBlock<'a>>,
}

/// `ipBlock`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IpBlock<'a> {
    pub cidr: Str<'a>,
    pub except: List<Str<'a>>,
}

/// One of `ports` of a rule.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct NetworkPolicyPort<'a> {
    pub protocol: Str<'a>,
    pub port: Option<IntOrStr<'a>>,
    pub end_port: Int,
}
