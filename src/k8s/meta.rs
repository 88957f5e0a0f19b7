//! What every object says of itself: its name, labels, annotations and owners.

use super::scalar::{Bool, List, Str};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// `metadata`, as far as rules use it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Meta<'a> {
    pub name: Str<'a>,
    pub generate_name: Str<'a>,
    pub namespace: Str<'a>,
    pub uid: Str<'a>,
    pub resource_version: Str<'a>,
    pub deletion_timestamp: Str<'a>,
    pub labels: Pairs<'a>,
    pub annotations: Annotations<'a>,
    pub owner_references: List<OwnerReference<'a>>,
}

/// One of `metadata.ownerReferences`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct OwnerReference<'a> {
    pub api_version: Str<'a>,
    pub kind: Str<'a>,
    pub name: Str<'a>,
    pub controller: Bool,
}

/// Labels, in the order they were read.
#[derive(Debug, Default)]
pub struct Pairs<'a>(pub Vec<(Str<'a>, Str<'a>)>);

/// The annotations that a rule reads. All others are dropped while parsing, above all
/// `last-applied-configuration`, which repeats the object with its literal values.
#[derive(Debug, Default)]
pub struct Annotations<'a>(pub Vec<(Str<'a>, Str<'a>)>);

impl Annotations<'_> {
    /// The value of an annotation, if it was present and is one that rules read.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| **k == *key).map(|(_, v)| &**v)
    }
}

/// Whether rules read the annotation with this key.
fn is_read(key: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "eks.amazonaws.com/",
        "iam.gke.io/",
        "azure.workload.identity/",
        "kubernetes.io/config.",
        "meta.helm.sh/release-",
        "kubernetes.io/service-account.",
        "kubernetes.io/ingress.",
        "kubernetes.io/enforce-mountable-secrets",
        "ingressclass.kubernetes.io/",
        "service.beta.kubernetes.io/",
        "service.kubernetes.io/",
        "networking.gke.io/load-balancer-type",
        "cloud.google.com/load-balancer-type",
        "alb.ingress.kubernetes.io/",
        "nginx.ingress.kubernetes.io/allowlist-source-range",
        "nginx.ingress.kubernetes.io/whitelist-source-range",
        "tailscale.com/funnel",
        "load-balancer.hetzner.cloud/disable-public-network",
        "metallb.io/loadBalancerIPs",
        "metallb.universe.tf/loadBalancerIPs",
        "lbipam.cilium.io/ips",
        "io.cilium/lb-ipam-ips",
        "kube-vip.io/loadbalancerIPs",
        "rbac.authorization.kubernetes.io/",
        "k3s.io/node-args",
        "k8s.v1.cni.cncf.io/networks",
    ];
    PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// Reads a map of text to text, keeping the pairs whose key passes `keep`; `null` is no pair.
fn pairs<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
    keep: fn(&str) -> bool,
) -> Result<Vec<(Str<'a>, Str<'a>)>, D::Error> {
    struct Map<'a> {
        keep: fn(&str) -> bool,
        pairs: Vec<(Str<'a>, Str<'a>)>,
    }
    impl<'de: 'a, 'a> Visitor<'de> for Map<'a> {
        type Value = Vec<(Str<'a>, Str<'a>)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of text")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(self.pairs)
        }
        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
            while let Some(key) = map.next_key::<Str<'a>>()? {
                if (self.keep)(&key) {
                    self.pairs.push((key, map.next_value()?));
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(self.pairs)
        }
    }
    deserializer.deserialize_any(Map { keep, pairs: Vec::new() })
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pairs(deserializer, |_| true).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Annotations<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        pairs(deserializer, is_read).map(Self)
    }
}
