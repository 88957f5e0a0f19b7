//! What tells each plugin, row by row, and what must not.

use super::known::{KNOWN, known};
use super::{Enforces, Plugin, Policies, Said};
use crate::input::{Collect, Origin, SourceId};
use crate::k8s::ObjectSeed;
use crate::world::World;
use crate::world::rows::Part;
use serde::Deserialize;
use serde::de::DeserializeSeed;
use std::collections::BTreeMap;

const YES: &str = "yes";
const NO: &str = "no";
const UNKNOWN: &str = "unknown";
const NONE: &str = "not shown";

fn world(yaml: &str) -> World {
    let mut part = Part::default();
    for (i, document) in serde_yaml::Deserializer::from_str(yaml).enumerate() {
        let value = serde_json::Value::deserialize(document).unwrap();
        if value.is_null() {
            continue;
        }
        let json = value.to_string();
        let mut reader = serde_json::Deserializer::from_str(&json);
        let object = ObjectSeed::default().deserialize(&mut reader).unwrap();
        part.object(object, Origin { source: SourceId(0), offset: i as u64 });
    }
    World::new(vec![part], BTreeMap::new())
}

fn plugin(parts: &[String]) -> Plugin {
    world(&parts.join("\n---\n")).network_plugin()
}

#[track_caller]
fn is(parts: &[String], name: &str, enforces: &str) {
    let plugin = plugin(parts);
    let found = (plugin.name.as_deref().unwrap_or(NONE), plugin.enforces.name());
    assert_eq!(found, (name, enforces), "{:?}", plugin.why);
}

/// A DaemonSet on the hosts' network: containers with image and, behind a space, arguments.
fn set(name: &str, containers: &[(&str, &str)]) -> String {
    let (ns, name) = name.split_once('/').unwrap_or(("kube-system", name));
    let containers: Vec<String> = containers
        .iter()
        .map(|(name, said)| {
            let (image, args) = said.split_once(' ').unwrap_or((said, ""));
            format!("{{name: {name}, image: \"{image}\", args: [{args}]}}")
        })
        .collect();
    format!(
        "{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: {name}, namespace: {ns}}},
          spec: {{template: {{spec: {{hostNetwork: true, containers: [{}]}}}}}}}}",
        containers.join(", ")
    )
}

fn node(name: &str, labels: &str, annotations: &str, kubelet: &str, reason: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Node, metadata: {{name: {name}, labels: {{{labels}}}, annotations: {{{annotations}}}}},
          status: {{nodeInfo: {{kubeletVersion: {kubelet}}},
          conditions: [{{type: Ready, status: 'True', reason: KubeletReady}},
            {{type: NetworkUnavailable, status: 'False', reason: {reason}}}]}}}}"
    )
}

fn map(name: &str, data: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: kube-system}}, data: {{{data}}}}}"
    )
}

fn proxy() -> String {
    set("kube-proxy", &[("kube-proxy", "registry.k8s.io/kube-proxy:v1.34.0")])
}

fn cilium() -> String {
    set("cilium", &[("cilium-agent", "quay.io/cilium/cilium:v1.15.3")])
}

fn flannel() -> String {
    set("kube-flannel/kube-flannel-ds", &[("kube-flannel", "docker.io/flannel/flannel:v0.25.4")])
}

fn calico() -> String {
    set("calico-system/calico-node", &[("calico-node", "docker.io/calico/node:v3.26.1")])
}

#[test]
fn nothing_known_is_unknown() {
    is(&[], NONE, UNKNOWN);
    is(&[proxy()], NONE, UNKNOWN);
    is(&[proxy(), set("own-cni", &[("agent", "own/cni:1")])], NONE, UNKNOWN);
    is(&[proxy(), node("n", "", "", "v1.34.0", "''")], NONE, UNKNOWN);
    let plugin = plugin(&[]);
    assert!(Policies::ALL.iter().all(|k| plugin.enforces(*k) == Enforces::Unknown));
}

#[test]
fn calico_enforces() {
    is(&[proxy(), calico()], "Calico 3.26", YES);
    is(&[node("n", "", "", "v1.34.0", "CalicoIsUp")], "Calico", YES);
    // The kinds of the project for network policies came to it one after the other.
    for (version, admin, cluster) in [
        ("v3.28.0", NO, NO),
        ("v3.30.1", YES, NO),
        ("v3.32.0", NO, YES),
        ("latest", UNKNOWN, UNKNOWN),
    ] {
        let set = set("calico-node", &[("calico-node", &format!("calico/node:{version}"))]);
        let plugin = plugin(&[set]);
        let of = |kind| plugin.enforces(kind).name();
        assert_eq!((of(Policies::Admin), of(Policies::Cluster)), (admin, cluster), "{version}");
        assert_eq!((of(Policies::Calico), of(Policies::Cilium)), (YES, NO), "{version}");
    }
}

#[test]
fn objects_of_a_plugin_show_it_where_no_daemon_set_was_collected() {
    let object = |group: &str, kind: &str| {
        format!("{{apiVersion: {group}, kind: {kind}, metadata: {{name: x}}}}")
    };
    let cluster = object("crd.projectcalico.org/v1", "ClusterInformation");
    is(std::slice::from_ref(&cluster), "Calico", YES);
    is(&[object("cilium.io/v2", "CiliumNode")], "Cilium", YES);
    is(&[object("crd.antrea.io/v1beta1", "AntreaAgentInfo")], "Antrea", YES);
    // Otherwise they may be left from one that is gone; and policies prove nothing.
    is(&[cluster, proxy()], NONE, UNKNOWN);
    is(&[object("cilium.io/v2", "CiliumNetworkPolicy")], NONE, UNKNOWN);
}

#[test]
fn canal_is_calico_on_flannel() {
    for name in ["canal", "rke2-canal"] {
        let canal = set(
            name,
            &[
                ("calico-node", "rancher/hardened-calico:v3.27.3-build20240423"),
                ("kube-flannel", "rancher/hardened-flannel:v0.25.1-build20240423"),
            ],
        );
        is(&[canal], "Calico 3.27 and flannel 0.25", YES);
    }
}

#[test]
fn cilium_enforces_unless_its_configuration_says_never() {
    is(&[cilium()], "Cilium 1.15", YES);
    is(&[cilium(), map("cilium-config", "enable-policy: default")], "Cilium 1.15", YES);
    is(&[cilium(), map("cilium-config", "enable-policy: always")], "Cilium 1.15", YES);
    is(&[cilium(), map("cilium-config", "enable-policy: never")], "Cilium 1.15", NO);
    is(&[cilium(), map("other-config", "enable-policy: never")], "Cilium 1.15", YES);
    // It logs then what it would deny, and denies nothing.
    let audits = |value: &str| map("cilium-config", &format!("policy-audit-mode: '{value}'"));
    is(&[cilium(), audits("true")], "Cilium 1.15", NO);
    let audit = |flag: &str| set("cilium", &[("cilium-agent", &format!("cilium:v1.15.3 {flag}"))]);
    is(&[audit("--policy-audit-mode")], "Cilium 1.15", NO);
    is(&[audit("--policy-audit-mode=false"), audits("true")], "Cilium 1.15", YES);
    let by_flag = "cilium/cilium:v1.9.0 --enable-policy=never";
    is(&[set("cilium", &[("cilium-agent", by_flag)])], "Cilium 1.9", NO);
    is(&[node("n", "", "", "v1.34.0", "CiliumIsUp")], "Cilium", YES);

    let isolates = |parts: &[String]| plugin(parts).isolates.is_some();
    assert!(isolates(&[cilium(), map("cilium-config", "enable-policy: always")]));
    let flag = "cilium/cilium:v1.9.0 --enable-policy=always, --policy-cidr-match-mode=nodes";
    let by_flag = plugin(&[set("cilium", &[("cilium-agent", flag)])]);
    assert!(by_flag.isolates.is_some() && by_flag.blocks_match_nodes);
    assert!(!isolates(&[cilium(), map("cilium-config", "enable-policy: default")]));
    assert!(!isolates(&[cilium(), map("other-config", "enable-policy: always")]));
    let nodes = |mode: &str| {
        let config = map("cilium-config", &format!("policy-cidr-match-mode: '{mode}'"));
        plugin(&[cilium(), config]).blocks_match_nodes
    };
    assert!(nodes("nodes") && !nodes(""));

    let of = |plugin: &Plugin, kind| plugin.enforces(kind).name();
    let off = plugin(&[cilium(), map("cilium-config", "enable-k8s-networkpolicy: 'false'")]);
    assert_eq!((of(&off, Policies::Plain), of(&off, Policies::Cilium)), (NO, YES));
    let on = plugin(&[cilium()]);
    assert_eq!((of(&on, Policies::Plain), of(&on, Policies::Admin)), (YES, NO));
    assert_eq!(on.blocks_match_pods, Some(false));
}

#[test]
fn one_enforcer_is_enough_whatever_it_is_chained_to() {
    let aws = set("aws-node", &[("aws-node", "ecr/amazon-k8s-cni:v1.18.1")]);
    is(&[aws.clone(), cilium()], "Cilium 1.15 and AWS VPC CNI 1.18", YES);
    is(&[aws, calico()], "Calico 3.26 and AWS VPC CNI 1.18", YES);
    is(&[flannel(), calico()], "Calico 3.26 and flannel 0.25", YES);
    let multus = set("kube-multus-ds", &[("kube-multus", "multus-cni:v4.0.2")]);
    is(&[multus.clone(), cilium()], "Cilium 1.15", YES);
    is(&[multus, flannel()], "flannel 0.25", NO);
}

#[test]
fn dataplane_v2_of_gke_always_enforces() {
    let anetd = set("anetd", &[("cilium-agent", "gke.gcr.io/cilium/cilium:v1.12.10-gke.1")]);
    let never = map("cilium-config", "enable-policy: never");
    is(&[anetd, never], "GKE Dataplane V2", YES);
}

#[test]
fn gke_enforces_with_an_add_on_only() {
    let node =
        || node("n", "cloud.google.com/gke-nodepool: a", "", "v1.34.0-gke.1", "RouteCreated");
    let netd = set("netd", &[("netd", "gke.gcr.io/netd:v0.3")]);
    is(&[node(), netd.clone()], "GKE without a policy engine", NO);
    is(&[node(), netd, calico()], "Calico 3.26", YES);
    // Whether DaemonSets run is not shown.
    is(&[node()], NONE, UNKNOWN);
}

#[test]
fn the_plugin_for_aws_enforces_with_its_agent_only() {
    let set = |agent: &str| {
        set("aws-node", &[("aws-node", "ecr/amazon-k8s-cni:v1.18.1"), ("aws-eks-nodeagent", agent)])
    };
    let on = || set("ecr/aws-network-policy-agent:v1.1 --enable-network-policy=true");
    let off = || set("ecr/aws-network-policy-agent:v1.1 --enable-network-policy=false");
    let other = || set("ecr/aws-network-policy-agent:v1.1 --enable-network-policy=$(ON)");
    let config = |value: &str| {
        map("amazon-vpc-cni", &format!("enable-network-policy-controller: '{value}'"))
    };
    let name = "AWS VPC CNI 1.18";
    is(&[on()], name, YES);
    is(&[on(), config("true")], name, YES);
    is(&[on(), config("false")], name, UNKNOWN);
    is(&[on(), map("other", "a: b")], name, YES);
    is(&[off()], name, NO);
    is(&[off(), config("false")], name, NO);
    is(&[off(), config("true")], name, UNKNOWN);
    is(&[other()], name, UNKNOWN);
    is(&[set("ecr/aws-network-policy-agent:v1.1")], name, NO);
    // Its kind of objects proves nothing.
    let endpoints =
        "{apiVersion: networking.k8s.aws/v1alpha1, kind: PolicyEndpoint, metadata: {name: x}}";
    is(&[off(), endpoints.to_owned()], name, NO);
}

#[test]
fn auto_mode_of_eks_enforces_with_its_config_map_only() {
    let node = || node("n", "eks.amazonaws.com/compute-type: auto", "", "v1.34.0-eks-1", "''");
    let key = "enable-network-policy-controller";
    is(&[node()], "EKS Auto Mode", UNKNOWN);
    is(&[node(), map("other", "a: b")], "EKS Auto Mode", NO);
    is(&[node(), map("amazon-vpc-cni", &format!("{key}: 'false'"))], "EKS Auto Mode", NO);
    is(&[node(), map("amazon-vpc-cni", &format!("{key}: 'true'"))], "EKS Auto Mode", YES);
}

#[test]
fn aks_enforces_with_one_of_three_engines() {
    let node = || node("n", "kubernetes.azure.com/cluster: mc", "", "v1.34.0", "''");
    let npm = set("azure-npm", &[("azure-npm", "mcr.microsoft.com/azure-npm:v1.5.5")]);
    is(&[node(), proxy(), npm], "Azure NPM 1.5", YES);
    is(&[node(), proxy(), cilium()], "Cilium 1.15", YES);
    is(&[node(), proxy(), calico()], "Calico 3.26", YES);
    is(&[node(), proxy()], "Azure CNI without a policy engine", NO);
    is(&[node()], NONE, UNKNOWN);
}

#[test]
fn the_plugins_of_openshift_enforce() {
    let ovn = set("openshift-ovn-kubernetes/ovnkube-node", &[("ovn-controller", "q@sha256:aa")]);
    is(std::slice::from_ref(&ovn), "OVN-Kubernetes", YES);
    assert_eq!(plugin(&[ovn]).enforces(Policies::Admin), Enforces::Yes);
    is(
        &[set("ovn-kubernetes/ovnkube-node", &[("ovnkube-controller", "o:v1")])],
        "OVN-Kubernetes",
        YES,
    );
    is(&[set("openshift-sdn/sdn", &[("sdn", "quay.io/sdn@sha256:aa")])], "OpenShift SDN", YES);
    is(&[set("other/sdn", &[("sdn", "x")])], NONE, UNKNOWN);
}

#[test]
fn antrea_and_romana_enforce() {
    let antrea = set("antrea-agent", &[("antrea-agent", "antrea/antrea-agent-ubuntu:v2.1.0")]);
    is(std::slice::from_ref(&antrea), "Antrea 2.1", YES);
    assert_eq!(plugin(&[antrea]).enforces(Policies::Antrea), Enforces::Yes);
    is(
        &[set("romana-agent", &[("romana-agent", "quay.io/romana/agent:v2.0.2")])],
        "Romana 2.0",
        YES,
    );
}

#[test]
fn kube_router_enforces_unless_its_firewall_is_off() {
    let set = |args: &str| {
        set(
            "kube-router",
            &[("kube-router", &format!("cloudnativelabs/kube-router:v2.1.0 {args}"))],
        )
    };
    is(&[set("--run-router=true")], "kube-router 2.1", YES);
    is(&[set("--run-firewall=true")], "kube-router 2.1", YES);
    is(&[set("--run-firewall=false")], "kube-router 2.1", NO);
}

#[test]
fn k3s_enforces_unless_its_servers_say_otherwise() {
    let node = |name: &str, args: &str| {
        node(name, "", &format!("k3s.io/node-args: '{args}'"), "v1.31.2+k3s1", "''")
    };
    let pod = || {
        "{apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: kube-system}, spec: {containers: [{name: a, image: b}]}}".to_owned()
    };
    let off = || node("s", r#"["server","--disable-network-policy"]"#);
    is(&[node("s", r#"["server"]"#)], "k3s 1.31", YES);
    is(&[node("s", r#"["server","--disable","traefik"]"#)], "k3s 1.31", YES);
    is(&[node("s", r#"["server","--disable-network-policy=false"]"#)], "k3s 1.31", YES);
    is(&[off(), pod()], "k3s 1.31", NO);
    is(&[node("s", r#"["server","--disable-network-policy","true"]"#), pod()], "k3s 1.31", NO);
    // What else may enforce would be a pod, and none was collected.
    is(&[off()], "k3s 1.31", UNKNOWN);
    // An agent's arguments do not say, nor does nothing.
    is(&[node("a", r#"["agent"]"#)], "k3s 1.31", UNKNOWN);
    is(&[node("a", "")], "k3s 1.31", UNKNOWN);
    is(&[node("a", r#"["agent"]"#), node("s", r#"["server"]"#)], "k3s 1.31", YES);
    is(&[off(), node("t", r#"["server"]"#)], "k3s 1.31", UNKNOWN);
    // Another plugin takes its place, or works beside it.
    is(&[off(), cilium()], "Cilium 1.15", YES);
    is(&[off(), flannel()], "flannel 0.25 and k3s 1.31", NO);
    is(&[node("s", r#"["server"]"#), cilium()], "Cilium 1.15 and k3s 1.31", YES);
}

#[test]
fn rke2_may_run_any() {
    let rke2 = node("n", "", "", "v1.31.2+rke2r1", "''");
    is(std::slice::from_ref(&rke2), NONE, UNKNOWN);
    assert_eq!(plugin(&[rke2]).why[0].text, "v1.31.2+rke2r1");
}

#[test]
fn weave_enforces_by_its_controller() {
    let set = |containers: &[(&str, &str)]| set("weave-net", containers);
    let weave = ("weave", "weaveworks/weave-kube:2.8.1");
    let npc = ("weave-npc", "weaveworks/weave-npc:2.8.1");
    is(&[set(&[weave, npc])], "Weave Net 2.8", YES);
    is(&[set(&[weave])], "Weave Net 2.8", NO);
    let switched = set(&[weave, npc]).replace("args: []", "env: [{name: EXPECT_NPC, value: '0'}]");
    is(&[switched], "Weave Net 2.8", UNKNOWN);
    is(&[node("n", "", "", "v1.23.5", "WeaveIsUp")], "Weave Net", UNKNOWN);
}

#[test]
fn kube_ovn_enforces_unless_its_controller_is_told_not_to() {
    let set = || set("kube-ovn-cni", &[("cni-server", "kubeovn/kube-ovn:v1.12.0")]);
    let controller = |value: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: kube-ovn-controller, namespace: kube-system}}, spec: {{template: {{spec: {{containers: [{{name: kube-ovn-controller, image: x, args: ['--enable-np={value}']}}]}}}}}}}}"
        )
    };
    is(&[set()], "Kube-OVN", YES);
    is(&[set(), controller("true")], "Kube-OVN", YES);
    is(&[set(), controller("false")], "Kube-OVN", NO);
}

#[test]
fn kindnet_enforces_since_kind_0_24() {
    let set = |tag: &str| set("kindnet", &[("kindnet-cni", &format!("kindest/kindnetd:{tag}"))]);
    let role = |resource: &str| {
        format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: kindnet}}, rules: [{{apiGroups: [''], resources: [{resource}], verbs: [list]}}]}}"
        )
    };
    is(&[set("v20240813-c6f155d6")], "kindnet", YES);
    is(&[set("v20250214-acbabc1a")], "kindnet", YES);
    is(&[set("v20240202-8f1494ea")], "kindnet", NO);
    is(&[set("v20240513-cd2ac642")], "kindnet", UNKNOWN);
    is(&[set("latest")], "kindnet", UNKNOWN);
    is(&[set("v20240513-cd2ac642"), role("networkpolicies")], "kindnet", YES);
    is(&[set("v20250214-acbabc1a"), role("nodes")], "kindnet", NO);
}

#[test]
fn flannel_does_not_enforce_by_itself() {
    is(&[flannel()], "flannel 0.25", NO);
    let both = set(
        "kube-flannel/kube-flannel-ds",
        &[
            ("kube-flannel", "flannel/flannel:v0.25.5"),
            ("kube-network-policies", "registry.k8s.io/networking/kube-network-policies:v0.4.0"),
        ],
    );
    is(&[both], "kube-network-policies 0.4 and flannel 0.25", YES);
    // A node says that it is up, and not what else is.
    let up = || node("n", "", "", "v1.34.0", "FlannelIsUp");
    is(&[up()], "flannel", UNKNOWN);
    is(&[up(), proxy()], "flannel", NO);
}

#[test]
fn what_has_no_plugin_does_not_enforce() {
    let name = "kubenet or a bridge";
    is(&[node("n", "minikube.k8s.io/name: a", "", "v1.34.0", "''"), proxy()], name, NO);
    is(&[node("docker-desktop", "", "", "v1.34.0", "''"), proxy()], name, NO);
    is(&[node("n", "", "", "v1.34.0", "RouteCreated"), proxy()], name, NO);
    is(&[node("n", "", "", "v1.34.0", "RouteCreated")], NONE, UNKNOWN);
    is(&[node("docker-desktop", "", "", "v1.34.0", "''"), proxy(), cilium()], "Cilium 1.15", YES);
}

#[test]
fn providers_own_plugins() {
    is(&[set("vcn-native-ip-cni", &[("cni", "oci:1")])], "OCI VCN-native pod networking", NO);
    is(&[set("terway-eniip", &[("terway", "acs/terway:v1.5.6")])], "Terway 1.5", UNKNOWN);
    is(
        &[set("aci-containers-host", &[("aci-containers-host", "noiro/x:6.0.3.1")])],
        "Cisco ACI 6.0",
        YES,
    );
}

#[test]
fn pods_show_a_plugin_where_its_daemon_set_was_not_collected() {
    let pod = |network: bool| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: cilium-x, namespace: kube-system, ownerReferences: [{{kind: DaemonSet, name: cilium, controller: true}}]}}, spec: {{nodeName: n, hostNetwork: {network}, containers: [{{name: cilium-agent, image: 'cilium/cilium:v1.16.0'}}]}}, status: {{phase: Running}}}}"
        )
    };
    is(&[pod(true)], "Cilium 1.16", YES);
    is(&[pod(false)], NONE, UNKNOWN);
}

#[test]
fn a_daemon_set_without_pods_runs_nowhere() {
    let pod = |set: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {set}-x, namespace: kube-system, ownerReferences: [{{kind: DaemonSet, name: {set}, controller: true}}]}}, spec: {{nodeName: n, hostNetwork: true, containers: [{{name: {set}, image: x}}]}}, status: {{phase: Running}}}}"
        )
    };
    let calico = || set("calico-node", &[("calico-node", "calico/node:v3.26.1")]);
    is(&[proxy(), calico(), pod("kube-proxy")], NONE, UNKNOWN);
    is(&[proxy(), calico(), pod("kube-proxy"), pod("calico-node")], "Calico 3.26", YES);
}

#[test]
fn what_is_no_agent_shows_nothing() {
    let deployment = cilium().replace("DaemonSet", "Deployment");
    is(&[deployment], NONE, UNKNOWN);
    let off_host = cilium().replace("hostNetwork: true", "hostNetwork: false");
    is(&[off_host], NONE, UNKNOWN);
}

#[test]
fn the_user_knows_better() {
    let said = |parts: &[String], cni: Option<&str>, enforces: Option<Enforces>| {
        let mut world = world(&parts.join("\n---\n"));
        world.said = Said { plugin: cni.map(|id| known(id).unwrap()), enforces };
        world.network_plugin()
    };
    let calico = said(&[], Some("calico"), None);
    assert_eq!((calico.name.as_deref(), calico.enforces), (Some("Calico"), Enforces::Yes));
    assert_eq!(said(&[proxy()], Some("flannel"), None).enforces, Enforces::No);
    // What is shown of the one that they name still counts.
    let never = [cilium(), flannel(), map("cilium-config", "enable-policy: never")];
    let named = said(&never, Some("cilium"), None);
    assert_eq!((named.name.as_deref(), named.enforces), (Some("Cilium 1.15"), Enforces::No));
    let both = said(&never, Some("cilium"), Some(Enforces::Yes));
    assert_eq!(both.enforces(Policies::Plain), Enforces::Yes);
    assert_eq!(both.enforces(Policies::Cilium), Enforces::Yes);
    assert_eq!(both.enforces(Policies::Calico), Enforces::No);
    // Nothing is known of what enforces beside flannel.
    let other = said(&[flannel()], None, Some(Enforces::Yes));
    assert_eq!(other.enforces(Policies::Plain), Enforces::Yes);
    assert_eq!(other.enforces(Policies::Cilium), Enforces::Unknown);
    let off = said(&[cilium()], None, Some(Enforces::No));
    assert!(Policies::ALL.iter().all(|k| off.enforces(*k) == Enforces::No));
    let doubt = said(&[cilium()], None, Some(Enforces::Unknown));
    assert_eq!(doubt.enforces(Policies::Plain), Enforces::Unknown);
    assert_eq!(doubt.enforces(Policies::Calico), Enforces::No);
}

#[test]
fn what_that_makes_of_policies_is_said() {
    let policies = [(Policies::Plain, 3), (Policies::Calico, 1)];
    let said = |parts: &[String]| plugin(parts).effect(&policies, false);
    assert_eq!(
        said(&[cilium()]),
        "Cilium 1.15 enforces network policies, but ignores 1 policy of Calico"
    );
    assert_eq!(
        said(&[flannel()]),
        "flannel 0.25 does not enforce network policies: 4 policies have no effect"
    );
    assert_eq!(
        said(&[]),
        "which network plugin runs is not shown, so that policies may have no effect"
    );
}

#[test]
fn plugins_stand_in_the_order_of_their_names() {
    assert!(KNOWN.is_sorted_by_key(|k| k.id));
    assert!(KNOWN.iter().all(|k| !k.id.is_empty() && !k.name.is_empty()));
}
