//! The network plugins that are known, and by what they are told.

use super::Enforces::{self, No, Unknown, Yes};
use super::Policies::{self, Admin, Antrea, Calico, Cilium, Plain};

/// A network plugin, or a part of one.
#[derive(Debug)]
pub struct Known {
    /// What `--cni` calls it.
    pub id: &'static str,
    /// What its makers call it.
    pub name: &'static str,
    /// The names of its DaemonSet.
    pub(super) sets: &'static [&'static str],
    /// The names of its container, where no other program's is called so.
    pub(super) containers: &'static [&'static str],
    /// Why nodes say that their network is available.
    pub(super) reason: &'static str,
    /// Group and kinds of objects that it writes for itself as long as it runs.
    pub(super) own: (&'static str, &'static [&'static str]),
    /// Whether it enforces policies where nothing says otherwise.
    pub enforces: Enforces,
    /// The kinds of policies that it enforces if any; it ignores those that are not listed.
    pub kinds: &'static [(Policies, Enforces)],
    /// Whether an `ipBlock` matches pods by their addresses.
    pub blocks_match_pods: Option<bool>,
}

const PLAIN: &[(Policies, Enforces)] = &[(Plain, Yes)];

/// What most rows have in common.
const ROW: Known = Known {
    id: "",
    name: "",
    sets: &[],
    containers: &[],
    reason: "",
    own: ("", &[]),
    enforces: Yes,
    kinds: PLAIN,
    blocks_match_pods: None,
};

pub(super) const AWS: &str = "aws-vpc-cni";
pub(super) const CILIUM: &str = "cilium";
pub(super) const DATAPLANE_V2: &str = "gke-dataplane-v2";
pub(super) const EKS_AUTO: &str = "eks-auto";
pub(super) const FLANNEL: &str = "flannel";
pub(super) const K3S: &str = "k3s";
pub(super) const KINDNET: &str = "kindnet";
pub(super) const KUBE_OVN: &str = "kube-ovn";
pub(super) const KUBE_ROUTER: &str = "kube-router";
pub(super) const KUBENET: &str = "kubenet";
pub(super) const WEAVE: &str = "weave";

/// Every plugin that is known. Whatever only adds addresses to pods, such as Multus, is none of
/// them: policies are about the network that pods have without it.
#[rustfmt::skip]
pub const KNOWN: &[Known] = &[
    Known { id: "aci", name: "Cisco ACI", sets: &["aci-containers-host"], containers: &["aci-containers-host"], ..ROW },
    Known { id: "antrea", name: "Antrea", sets: &["antrea-agent"], containers: &["antrea-agent"], own: ("crd.antrea.io", &["AntreaAgentInfo"]), kinds: &[(Plain, Yes), (Antrea, Yes), (Admin, Unknown)], blocks_match_pods: Some(true), ..ROW },
    Known { id: AWS, name: "AWS VPC CNI", sets: &["aws-node"], containers: &["aws-node"], enforces: Unknown, kinds: &[(Plain, Yes), (Policies::Aws, Unknown)], blocks_match_pods: Some(true), ..ROW },
    Known { id: "azure-cni", name: "Azure CNI without a policy engine", enforces: No, ..ROW },
    Known { id: "azure-npm", name: "Azure NPM", sets: &["azure-npm"], containers: &["azure-npm"], ..ROW },
    Known { id: "calico", name: "Calico", sets: &["calico-node"], containers: &["calico-node"], reason: "CalicoIsUp", own: ("crd.projectcalico.org", &["BlockAffinity", "ClusterInformation", "IPAMBlock"]), kinds: &[(Plain, Yes), (Calico, Yes), (Admin, Unknown), (Policies::Cluster, Unknown)], blocks_match_pods: Some(true), ..ROW },
    Known { id: CILIUM, name: "Cilium", sets: &["cilium"], containers: &["cilium-agent"], reason: "CiliumIsUp", own: ("cilium.io", &["CiliumEndpoint", "CiliumNode"]), kinds: &[(Plain, Yes), (Cilium, Yes)], blocks_match_pods: Some(false), ..ROW },
    Known { id: EKS_AUTO, name: "EKS Auto Mode", enforces: Unknown, kinds: &[(Plain, Yes), (Policies::Aws, Unknown)], blocks_match_pods: Some(true), ..ROW },
    Known { id: FLANNEL, name: "flannel", sets: &["kube-flannel", "kube-flannel-ds"], containers: &["kube-flannel"], reason: "FlannelIsUp", enforces: No, ..ROW },
    Known { id: "gke", name: "GKE without a policy engine", enforces: No, ..ROW },
    Known { id: DATAPLANE_V2, name: "GKE Dataplane V2", sets: &["anetd"], kinds: &[(Plain, Yes), (Cilium, Unknown)], blocks_match_pods: Some(false), ..ROW },
    Known { id: K3S, name: "k3s", blocks_match_pods: Some(true), ..ROW },
    Known { id: KINDNET, name: "kindnet", sets: &["kindnet"], containers: &["kindnet-cni"], enforces: Unknown, blocks_match_pods: Some(true), ..ROW },
    Known { id: "kube-network-policies", name: "kube-network-policies", sets: &["kube-network-policies"], containers: &["kube-network-policies"], kinds: &[(Plain, Yes), (Admin, Unknown), (Policies::Cluster, Unknown)], blocks_match_pods: Some(true), ..ROW },
    Known { id: KUBE_OVN, name: "Kube-OVN", sets: &["kube-ovn-cni"], kinds: &[(Plain, Yes), (Admin, Unknown), (Policies::Cluster, Unknown)], ..ROW },
    Known { id: KUBE_ROUTER, name: "kube-router", sets: &["kube-router"], containers: &["kube-router"], blocks_match_pods: Some(true), ..ROW },
    Known { id: KUBENET, name: "kubenet or a bridge", enforces: No, ..ROW },
    Known { id: "oci-vcn", name: "OCI VCN-native pod networking", sets: &["vcn-native-ip-cni"], enforces: No, ..ROW },
    Known { id: "openshift-sdn", name: "OpenShift SDN", sets: &["sdn"], ..ROW },
    Known { id: "ovn-kubernetes", name: "OVN-Kubernetes", sets: &["ovnkube-node"], containers: &["ovnkube-node", "ovnkube-controller"], kinds: &[(Plain, Yes), (Admin, Yes)], blocks_match_pods: Some(true), ..ROW },
    Known { id: "romana", name: "Romana", sets: &["romana-agent"], containers: &["romana-agent"], ..ROW },
    Known { id: "terway", name: "Terway", sets: &["terway", "terway-eniip"], containers: &["terway"], enforces: Unknown, ..ROW },
    Known { id: WEAVE, name: "Weave Net", sets: &["weave-net"], containers: &["weave"], reason: "WeaveIsUp", ..ROW },
];

/// The plugin of a name.
#[must_use]
pub fn known(id: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|k| k.id == id)
}
