//! The structs of `src/k8s/` hold the field names that Kubernetes publishes: serde skips a field that
//! it does not know, so a misspelled one would be read as absent, and a danger as none.
//!
//! The sources are read as text, and what they name is held against `tests/data/api-fields.txt`.
//! A field passes if one of the API types that its struct stands for has it. Not covered are names
//! that the API's document does not list: the keys of labels and annotations, and values.

use crate::structs::{Names, all, source, structs};
use kspm_graph::k8s::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// The API types that a struct stands for, where it is not the one of the same name.
type StandsFor<'a> = &'a [(&'a str, &'a [&'a str])];

#[rustfmt::skip]
const STANDS_FOR: StandsFor<'_> = &[
    ("Action", &["LifecycleHandler", "Probe"]),
    ("AllowedRoutes", &["AllowedListeners", "AllowedRoutes"]),
    ("BackendRef", &["BackendObjectReference", "BackendRef", "GRPCBackendRef", "HTTPBackendRef"]),
    ("ClaimSpec", &["PersistentVolumeClaimSpec"]),
    ("ClaimVolume", &["PersistentVolumeClaimVolumeSource"]),
    ("Condition", &["Condition", "DaemonSetCondition", "DeploymentCondition", "JobCondition",
        "ReplicaSetCondition", "ReplicationControllerCondition", "RouteIngressCondition",
        "StatefulSetCondition"]),
    ("Container", &["Container", "EphemeralContainer"]),
    ("ContainerTerminated", &["ContainerStateTerminated"]),
    ("ContainerWaiting", &["ContainerStateWaiting"]),
    ("CsiVolume", &["CSIVolumeSource"]),
    ("Endpoint", &["HTTPGetAction", "TCPSocketAction"]),
    ("EnvFrom", &["EnvFromSource"]),
    ("EnvSource", &["EnvVarSource"]),
    ("GatewayAddress", &["GatewaySpecAddress", "GatewayStatusAddress"]),
    ("GatewaySpec", &["GatewaySpec", "ListenerSetSpec"]),
    ("GatewayStatus", &["GatewayStatus", "ListenerSetStatus"]),
    ("GrantFrom", &["ReferenceGrantFrom"]),
    ("GrantSpec", &["ReferenceGrantSpec"]),
    ("GrantTo", &["ReferenceGrantTo"]),
    ("HostPath", &["HostPathVolumeSource", "LocalVolumeSource"]),
    ("IngressHttp", &["HTTPIngressRuleValue"]),
    ("IngressPath", &["HTTPIngressPath"]),
    ("IngressPort", &["ServiceBackendPort"]),
    ("IngressService", &["IngressServiceBackend"]),
    ("IpBlock", &["IPBlock"]),
    ("IstioDelegate", &["istio.Delegate"]),
    ("IstioDestination", &["istio.HTTPRouteDestination", "istio.RouteDestination"]),
    ("IstioGatewaySpec", &["istio.Gateway"]),
    (
        "IstioMatch",
        &["istio.HTTPMatchRequest", "istio.L4MatchAttributes", "istio.TLSMatchAttributes"],
    ),
    ("IstioMirror", &["istio.HTTPMirrorPolicy"]),
    ("IstioPort", &["istio.Port"]),
    ("IstioPortNumber", &["istio.PortSelector"]),
    ("IstioRoute", &["istio.HTTPRoute", "istio.TCPRoute", "istio.TLSRoute"]),
    ("IstioServer", &["istio.Server"]),
    ("IstioTarget", &["istio.Destination"]),
    ("IstioTls", &["istio.ServerTLSSettings"]),
    ("JobTemplate", &["JobTemplateSpec"]),
    ("Listener", &["Listener", "ListenerEntry"]),
    ("ListenerStatus", &["ListenerEntryStatus", "ListenerStatus"]),
    ("ListenerTls", &["ListenerTLSConfig"]),
    ("LoadBalancer", &["IngressLoadBalancerStatus", "LoadBalancerStatus"]),
    ("LoadBalancerIngress", &["IngressLoadBalancerIngress", "LoadBalancerIngress"]),
    // One floor above the API's type of this name, which is our `LoadBalancer`.
    ("LoadBalancerStatus", &["IngressStatus", "ServiceStatus"]),
    ("LocalRef", &["ConfigMapEnvSource", "ConfigMapKeySelector", "ConfigMapProjection",
        "ConfigMapVolumeSource", "LocalObjectReference", "SecretEnvSource"]),
    ("Meta", &["ObjectMeta"]),
    ("NetworkPolicyRule", &["NetworkPolicyEgressRule", "NetworkPolicyIngressRule"]),
    ("NodeInfo", &["NodeSystemInfo"]),
    ("ObjectRef", &["ObjectReference"]),
    ("OpenShiftRouteSpec", &["RouteSpec"]),
    ("OpenShiftRouteStatus", &["RouteStatus"]),
    ("ParentReference", &["ParentGatewayReference", "ParentReference"]),
    ("PodIp", &["PodIP"]),
    ("PodTemplate", &["PodTemplateSpec"]),
    ("Profile", &["AppArmorProfile", "SeccompProfile"]),
    ("Projected", &["ProjectedVolumeSource"]),
    ("ProjectedSource", &["VolumeProjection"]),
    ("Requirement", &["LabelSelectorRequirement"]),
    ("RequestMirror", &["HTTPRequestMirrorFilter"]),
    ("RouteFilter", &["GRPCRouteFilter", "HTTPRouteFilter"]),
    ("RouteNamespaces", &["ListenerNamespaces", "RouteNamespaces"]),
    ("RouteRule", &["GRPCRouteRule", "HTTPRouteRule", "TCPRouteRule", "TLSRouteRule",
        "UDPRouteRule"]),
    ("RouteSpec", &["GRPCRouteSpec", "HTTPRouteSpec", "TCPRouteSpec", "TLSRouteSpec",
        "UDPRouteSpec"]),
    ("RouteStatus", &["GRPCRouteStatus", "HTTPRouteStatus", "TCPRouteStatus", "TLSRouteStatus",
        "UDPRouteStatus"]),
    ("RouteTarget", &["RouteTargetReference"]),
    ("Rule", &["PolicyRule"]),
    ("SeLinuxOptions", &["SELinuxOptions"]),
    ("SecretVolume", &["SecretVolumeSource"]),
    ("SliceEndpoint", &["Endpoint"]),
    ("Strategy", &["RunAsUserStrategyOptions", "SELinuxContextStrategyOptions"]),
    ("TargetRef", &["ObjectReference"]),
    ("TokenSource", &["ServiceAccountTokenProjection"]),
    ("VirtualServiceSpec", &["istio.VirtualService"]),
    ("Webhook", &["MutatingWebhook", "ValidatingWebhook"]),
    ("WebhookClient", &["WebhookClientConfig"]),
    ("WebhookRule", &["RuleWithOperations"]),
    ("WebhookService", &["ServiceReference"]),
    ("WindowsOptions", &["WindowsSecurityContextOptions"]),
    ("WorkloadSpec", &["CronJobSpec", "DaemonSetSpec", "DeploymentSpec", "JobSpec",
        "ReplicaSetSpec", "ReplicationControllerSpec", "StatefulSetSpec"]),
    // Without the CronJob's, which has no field of ours.
    ("WorkloadStatus", &["DaemonSetStatus", "DeploymentStatus", "JobStatus", "ReplicaSetStatus",
        "ReplicationControllerStatus", "StatefulSetStatus"]),
];

/// A struct, its field that the published API lacks, and why it is read all the same.
type Older<'a> = &'a [(&'a str, &'a str, &'a str)];

#[rustfmt::skip]
const OLDER: Older<'_> = &[
    ("IngressBackend", "serviceName", "of the beta Ingress, gone in 1.22, which old manifests hold"),
    ("IngressBackend", "servicePort", "of the beta Ingress, gone in 1.22, which old manifests hold"),
    ("IngressSpec", "backend", "the beta Ingress' name of `defaultBackend`"),
];

/// The published names, as the data file has them.
fn published() -> Names {
    let text = include_str!("data/api-fields.txt");
    let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
    assert!(lines.is_sorted(), "the types are not sorted");
    let mut api = Names::new();
    for line in lines {
        let (name, fields) = line.split_once(": ").expect(line);
        assert!(fields.split(' ').is_sorted(), "the fields of {name} are not sorted");
        let known = api.insert(name.to_owned(), fields.split(' ').map(str::to_owned).collect());
        assert!(known.is_none(), "{name} stands twice");
    }
    api
}

/// The texts between double quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// What stands in a text between two others.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let after = text.split_once(start).unwrap_or_else(|| panic!("`{start}` is gone")).1;
    after.split_once(end).unwrap_or_else(|| panic!("`{end}` is gone")).0
}

/// What is wrong with the structs, and with the tables that speak of them.
fn wrong(structs: &Names, api: &Names, stands_for: StandsFor<'_>, older: Older<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, fields) in structs {
        let row = stands_for.iter().find(|(of, _)| of == name);
        let types = row.map_or(vec![&**name], |(_, types)| types.to_vec());
        for of in &types {
            match api.get(*of) {
                None => wrong.push(format!("{name} stands for {of}, which the data lacks")),
                Some(has) if has.is_disjoint(fields) => {
                    wrong.push(format!("{name} stands for {of}, which has none of its fields"));
                }
                Some(_) => {}
            }
        }
        for field in fields {
            let has = types.iter().any(|t| api.get(*t).is_some_and(|t| t.contains(field)));
            let excused = older.iter().any(|(of, old, _)| of == name && old == field);
            match (has, excused) {
                (false, false) => wrong.push(format!("{name}.{field} is not published")),
                (true, true) => wrong.push(format!("{name}.{field} needs no reason any more")),
                _ => {}
            }
        }
    }
    for (name, _) in stands_for.iter().filter(|(name, _)| !structs.contains_key(*name)) {
        wrong.push(format!("{name} is in the table and no struct any more"));
    }
    for (name, field, _) in older {
        if !structs.get(*name).is_some_and(|s| s.contains(*field)) {
            wrong.push(format!("{name}.{field} has a reason and is read no more"));
        }
    }
    wrong
}

#[test]
fn every_field_is_a_published_one() {
    let found = all();
    assert!(found.len() > 40, "the structs were not found");
    let wrong = wrong(&found, &published(), STANDS_FOR, OLDER);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_published_type_is_idle() {
    let mut used: BTreeSet<String> = Kind::served().map(|k| k.name().to_owned()).collect();
    // It stands for several kinds, each served under its own name.
    used.insert(Kind::OtherNetworkPolicy.name().to_owned());
    for name in all().into_keys() {
        match STANDS_FOR.iter().find(|(of, _)| *of == name) {
            Some((_, types)) => used.extend(types.iter().map(|t| (*t).to_owned())),
            None => drop(used.insert(name)),
        }
    }
    let idle: Vec<String> = published().into_keys().filter(|t| !used.contains(t)).collect();
    assert!(idle.is_empty(), "no struct stands for {idle:?}");
}

/// The visitor of whole objects is written by hand: a key becomes a `Field`, and a pair of kind and
/// `Field` says what is read. So every key must be published by a kind that reads its `Field`, and
/// every kind that reads a `Field` must publish one of its keys.
#[test]
fn the_top_level_fields_are_published_ones() {
    let (text, api) = (source("field.rs"), published());
    let mut keys = BTreeMap::new();
    for arm in between(&text, "match key {", "_ => return None").split(',') {
        let Some((of, field)) = arm.split_once("=> Self::") else { continue };
        keys.insert(field, quoted(of).collect::<Vec<_>>());
    }
    assert!(keys.len() > 5, "the fields were not found");

    let mut readers = BTreeMap::<&str, Vec<String>>::new();
    let mut arms = between(&text, "match (kind, field) {", "\n            _ => {").split("Field::");
    let mut before = arms.next().unwrap();
    for arm in arms {
        let field = arm.split(')').next().unwrap();
        let kinds = before.rsplit('(').next().unwrap().trim_end_matches(", ");
        let of = readers.entry(field).or_default();
        if kinds == "k" && arm.starts_with(&format!("{field}) if k.is_workload() =>")) {
            of.extend(Kind::served().filter(|k| k.is_workload()).map(|k| k.name().to_owned()));
        } else {
            let names = kinds.split(" | ").map(|k| k.strip_prefix("Kind::").expect(arm));
            // Istio's Gateway and Calico's NetworkPolicy are of the names of other kinds, and have
            // the same at their top.
            let own = |name: &str| {
                name.trim_start_matches("Istio").trim_start_matches("ProjectCalico").to_owned()
            };
            of.extend(names.map(own));
        }
        before = arm;
    }

    for (field, of) in &readers {
        let keys = keys.get(field).unwrap_or_else(|| panic!("no key becomes {field}"));
        for kind in of {
            let has = |key: &&str| api[kind].contains(*key);
            assert!(keys.iter().any(has), "{kind} has none of {keys:?}");
        }
    }
    for (field, keys) in &keys {
        let of = readers.get(field).unwrap_or_else(|| panic!("no kind reads {field}"));
        for key in keys {
            assert!(of.iter().any(|k| api[k].contains(*key)), "none of {of:?} has `{key}`");
        }
    }

    let visitor = source("object.rs");
    let envelope: Vec<&str> = quoted(between(&visitor, "match &*key {", "key => match")).collect();
    assert_eq!(envelope, ["apiVersion", "kind", "metadata"]);
    for kind in Kind::served() {
        assert!(envelope.iter().all(|key| api[kind.name()].contains(*key)), "{}", kind.name());
    }
}

/// A test of text would also pass if it saw nothing, so each mistake that it is for is made here.
#[test]
fn mistakes_are_found() {
    let api = Names::from([("Api".to_owned(), BTreeSet::from(["hostPID".to_owned()]))]);
    let found = |field: &str, stands_for: StandsFor<'_>, older: Older<'_>| {
        let text = format!(
            "#[derive(Deserialize)]\n#[serde(default, rename_all = \"camelCase\")]\n\
             pub struct Own<'a> {{\n    #[serde(rename = \"hostPID\")]\n    pub pid: Bool,\n    \
             {field}\n}}\n"
        );
        wrong(&structs(&text), &api, stands_for, older).join("; ")
    };
    let table: StandsFor<'_> = &[("Own", &["Api"])];
    let (good, bad) = ("/// None.", "pub host_pid: Bool,");
    assert_eq!(found(good, table, &[]), "");
    assert_eq!(found(bad, table, &[]), "Own.hostPid is not published");
    assert_eq!(found(bad, table, &[("Own", "hostPid", "old")]), "");
    let gone = found(good, table, &[("Own", "hostPid", "old")]);
    assert_eq!(gone, "Own.hostPid has a reason and is read no more");
    let idle = found(good, table, &[("Own", "hostPID", "old")]);
    assert_eq!(idle, "Own.hostPID needs no reason any more");
    assert!(found(good, &[], &[]).starts_with("Own stands for Own, which the data lacks"));
    let gone = found(good, &[("Own", &["Api"]), ("Gone", &["Api"])], &[]);
    assert_eq!(gone, "Gone is in the table and no struct any more");
}
