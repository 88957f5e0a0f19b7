//! The data of Secrets and ConfigMaps: key names, and whose credential a value is. No value stays.

use super::Body;
use super::login::{Logins, may_tell};
use super::scalar::{Bool, Str};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// A Secret: type, key names, and whose credential it is. No value is ever kept.
#[derive(Debug, Default)]
pub struct Secret<'a> {
    pub kind: Str<'a>,
    pub immutable: Bool,
    pub data: Data<'a>,
}

/// `data` and `stringData` or `binaryData` together: the names of the keys.
#[derive(Debug, Default)]
pub struct Data<'a> {
    pub keys: Vec<Str<'a>>,
    pub logins: Logins,
    /// Of ingress-nginx: whether `allow-snippet-annotations` is `true`.
    pub snippets: Option<bool>,
    /// A kubelet's configuration lets anybody do everything.
    pub open_kubelet: bool,
    /// Of a network plugin's configuration: what it says of policies.
    pub policies: PolicySwitches,
}

/// What the configuration of a network plugin says of policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PolicySwitches {
    /// Whether any is enforced: Cilium's `enable-policy`, or `enable-network-policy-controller` of
    /// the plugin for AWS.
    pub any: Option<bool>,
    /// Whether Kubernetes' own kind is: Cilium's `enable-k8s-networkpolicy`.
    pub plain: Option<bool>,
    /// Whether pods that no policy selects are isolated: Cilium's `enable-policy: always`.
    pub always: bool,
    /// Whether blocks of addresses match nodes: Cilium's `policy-cidr-match-mode: nodes`.
    pub nodes: bool,
    /// Whether what policies deny is only logged: Cilium's `policy-audit-mode`.
    pub audit: bool,
}

/// Whether a kubelet's configuration asks nobody who he is, and lets everybody do everything.
/// Without a field its default holds, which is neither.
fn is_open(kubelet: &str) -> bool {
    // Few ConfigMaps have a key of this name, and hardly another of them speaks of this mode.
    if !kubelet.contains("AlwaysAllow") {
        return false;
    }
    let Ok(file) = serde_yaml::from_str::<serde_yaml::Value>(kubelet) else { return false };
    let at = |path: &[&str]| path.iter().try_fold(&file, |value, key| value.get(*key));
    at(&["authentication", "anonymous", "enabled"]).and_then(serde_yaml::Value::as_bool)
        == Some(true)
        && at(&["authorization", "mode"]).and_then(serde_yaml::Value::as_str) == Some("AlwaysAllow")
}

/// `data` and `stringData` together.
pub(super) fn more<'de, D: Deserializer<'de>>(
    known: &mut Data<'de>,
    d: D,
) -> Result<Data<'de>, D::Error> {
    DataSeed(known).deserialize(d)?;
    Ok(std::mem::take(known))
}

impl Body<'_> {
    /// Of a ConfigMap of ingress-nginx: whether it allows snippets.
    #[must_use]
    pub const fn snippets(&self) -> Option<bool> {
        if let Self::ConfigMap(data) = self { data.snippets } else { None }
    }

    /// Of the ConfigMap of a network plugin: what it says of policies.
    #[must_use]
    pub fn policies(&self) -> PolicySwitches {
        if let Self::ConfigMap(data) = self { data.policies } else { PolicySwitches::default() }
    }

    /// Of a ConfigMap with a kubelet's configuration: whether that lets anybody do everything.
    #[must_use]
    pub const fn open_kubelet(&self) -> bool {
        matches!(self, Self::ConfigMap(data) if data.open_kubelet)
    }
}

/// Reads one more map of keys and values. A value is skipped, or told whose credential it is.
struct DataSeed<'b, 'a>(&'b mut Data<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for DataSeed<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for DataSeed<'_, 'a> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Str<'de>>()? {
            if &*key == "allow-snippet-annotations" {
                self.0.snippets = Some(&*map.next_value::<Str<'de>>()? == "true");
            } else if &*key == "enable-policy" {
                let mode = map.next_value::<Str<'de>>()?;
                self.0.policies.any = Some(&*mode != "never");
                self.0.policies.always = &*mode == "always";
            } else if &*key == "policy-cidr-match-mode" {
                let modes = map.next_value::<Str<'de>>()?;
                self.0.policies.nodes = modes.split([',', ' ']).any(|mode| mode == "nodes");
            } else if &*key == "policy-audit-mode" {
                self.0.policies.audit = &*map.next_value::<Str<'de>>()? == "true";
            } else if &*key == "enable-network-policy-controller" {
                self.0.policies.any = Some(&*map.next_value::<Str<'de>>()? == "true");
            } else if &*key == "enable-k8s-networkpolicy" {
                self.0.policies.plain = Some(&*map.next_value::<Str<'de>>()? != "false");
            } else if &*key == "kubelet" {
                self.0.open_kubelet = is_open(&map.next_value::<Str<'de>>()?);
            } else if may_tell(&key) {
                let value = map.next_value::<Str<'de>>()?;
                self.0.logins.add(&key, &value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            self.0.keys.push(key);
        }
        self.0.logins.finish();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_of_ingress_nginx_is_read() {
        let mut data = Data::default();
        let json = r#"{"allow-snippet-annotations":"true","other":"x","nested":{"a":1}}"#;
        let read = more(&mut data, &mut serde_json::Deserializer::from_str(json)).unwrap();
        assert_eq!((read.snippets, read.keys.len()), (Some(true), 3));
    }

    #[test]
    fn what_network_plugins_say_of_policies_is_read() {
        let said = |json: &str| {
            let mut reader = serde_json::Deserializer::from_str(json);
            let read = more(&mut Data::default(), &mut reader).unwrap().policies;
            (read.any, read.plain)
        };
        assert_eq!(said(r#"{"enable-policy":"never"}"#), (Some(false), None));
        assert_eq!(said(r#"{"enable-policy":"always"}"#), (Some(true), None));
        let of = |json: &str| {
            let mut reader = serde_json::Deserializer::from_str(json);
            let read = more(&mut Data::default(), &mut reader).unwrap().policies;
            (read.always, read.nodes)
        };
        let audits = |json: &str| {
            let mut reader = serde_json::Deserializer::from_str(json);
            more(&mut Data::default(), &mut reader).unwrap().policies.audit
        };
        assert!(audits(r#"{"policy-audit-mode":"true"}"#));
        assert!(!audits(r#"{"policy-audit-mode":"false","enable-policy":"default"}"#));
        assert_eq!(of(r#"{"enable-policy":"always"}"#), (true, false));
        assert_eq!(
            of(r#"{"enable-policy":"default","policy-cidr-match-mode":""}"#),
            (false, false)
        );
        assert_eq!(of(r#"{"policy-cidr-match-mode":"nodes"}"#), (false, true));
        assert_eq!(said(r#"{"enable-network-policy-controller":"true"}"#), (Some(true), None));
        assert_eq!(said(r#"{"enable-network-policy-controller":""}"#), (Some(false), None));
        assert_eq!(said(r#"{"enable-k8s-networkpolicy":"false"}"#), (None, Some(false)));
        assert_eq!(said(r#"{"other":"x"}"#), (None, None));
    }

    #[test]
    fn a_kubelet_is_open_if_it_asks_nobody_and_allows_everything() {
        let said = |anonymous: &str, mode: &str| {
            is_open(&format!(
                "authentication: {{anonymous: {{enabled: {anonymous}}}}}\nauthorization: {{mode: {mode}}}"
            ))
        };
        assert!(said("true", "AlwaysAllow"));
        assert!(!said("false", "AlwaysAllow"));
        assert!(!said("true", "Webhook"));
        assert!(!is_open("authorization: {mode: AlwaysAllow}"));
        assert!(!is_open("AlwaysAllow"));
        assert!(!is_open(": ["));
    }
}
