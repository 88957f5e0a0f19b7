//! Objects that Kubernetes, a distribution or a plugin knows by their names.

use crate::k8s::Meta;

/// Whether a ConfigMap holds a kubeconfig that names this cluster's own server.
pub(super) fn is_own_kubeconfig(meta: &Meta<'_>) -> bool {
    matches!(
        (&*meta.namespace, &*meta.name),
        ("kube-public", "cluster-info") | ("kube-system", "kube-proxy")
    )
}

/// Whether a ConfigMap is the one in which EKS keeps who of AWS is who in the cluster.
pub(super) fn is_aws_auth(meta: &Meta<'_>) -> bool {
    &*meta.namespace == "kube-system" && &*meta.name == "aws-auth"
}

/// Whether a ConfigMap is that of Cilium, or of the network plugin for AWS.
pub(super) fn is_network_config(meta: &Meta<'_>) -> bool {
    &*meta.name == "cilium-config"
        || &*meta.namespace == "kube-system" && &*meta.name == "amazon-vpc-cni"
}

/// Whether a server of k3s enforces network policies itself, by the arguments that it writes down:
/// a list that begins with what it is. An agent's do not say, its server decides.
pub(super) fn k3s_policies(arguments: &str) -> Option<bool> {
    const OFF: &str = "--disable-network-policy";
    let words: Vec<String> = serde_json::from_str(arguments).ok()?;
    if words.first()? != "server" {
        return None;
    }
    let last = words.iter().rposition(|w| {
        w.strip_prefix(OFF).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    let Some(last) = last else { return Some(true) };
    let value = words[last].strip_prefix(OFF)?.strip_prefix('=');
    // A flag of this sort takes no second word, but what k3s writes down of its file may be one.
    let value = value.or_else(|| words.get(last + 1).map(String::as_str).filter(|w| *w == "false"));
    Some(value == Some("false"))
}

/// Whether a ConfigMap is the one from which kubeadm configures kubelets; it once bore the version.
pub(super) fn is_kubelet_config(meta: &Meta<'_>) -> bool {
    &*meta.namespace == "kube-system" && meta.name.starts_with("kubelet-config")
}

/// Whether the flags of a pod's command are worth keeping: a static pod of the control plane.
pub(super) fn is_control_plane_pod(meta: &Meta<'_>) -> bool {
    &*meta.namespace == "kube-system"
        && meta.labels.0.iter().any(|(key, value)| {
            &**key == "component"
                && matches!(&**value, "kube-apiserver" | "kube-controller-manager" | "etcd")
        })
}
