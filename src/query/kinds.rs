//! The kinds of node that a person may type, as for kubectl.

use crate::graph::NodeKind;

/// One row of the kinds that a person may type.
pub(super) struct Typed {
    /// The spellings, in lower case; the first is the usual one.
    pub(super) words: &'static [&'static str],
    pub(super) kinds: &'static [NodeKind],
    /// Whether the name comes after a namespace.
    pub(super) namespaced: bool,
    /// What the node's own name begins with, before a `/`.
    pub(super) part: Option<&'static str>,
}

macro_rules! typed {
    ($([$($word:literal),+] $namespaced:literal $part:expr => $($kind:ident),+;)+) => {
        &[$(Typed {
            words: &[$($word),+], kinds: &[$(NodeKind::$kind),+], namespaced: $namespaced, part: $part,
        }),+]
    };
}

pub(super) const TYPED: &[Typed] = typed! {
    ["ns", "namespace", "namespaces"] false None => Namespace, NamespaceAdmin;
    ["namespace-admin", "namespaceadmin"] false None => NamespaceAdmin;
    ["node", "no", "nodes"] false None => Node;
    ["node-identity", "nodeidentity"] false None => NodeIdentity;
    ["sa", "serviceaccount", "serviceaccounts", "service-account"] true None => ServiceAccount;
    ["user", "users"] false None => User;
    ["group", "groups"] false None => Group;
    ["secret", "secrets"] true None => Secret;
    ["pod", "po", "pods"] true None => Pod;
    ["container", "containers"] true None => Container;
    ["workload", "workloads"] true None => Workload;
    ["deploy", "deployment", "deployments"] true Some("Deployment") => Workload;
    ["ds", "daemonset", "daemonsets"] true Some("DaemonSet") => Workload;
    ["sts", "statefulset", "statefulsets"] true Some("StatefulSet") => Workload;
    ["rs", "replicaset", "replicasets"] true Some("ReplicaSet") => Workload;
    ["rc", "replicationcontroller", "replicationcontrollers"] true Some("ReplicationController")
        => Workload;
    ["job", "jobs"] true Some("Job") => Workload;
    ["cj", "cronjob", "cronjobs"] true Some("CronJob") => Workload;
    ["role", "roles"] true None => Role;
    ["clusterrole", "clusterroles"] false None => ClusterRole;
    ["rb", "rolebinding", "rolebindings"] true None => RoleBinding;
    ["crb", "clusterrolebinding", "clusterrolebindings"] false None => ClusterRoleBinding;
    ["pv", "persistentvolume", "persistentvolumes"] false None => PersistentVolume;
    ["pvc", "persistentvolumeclaim", "persistentvolumeclaims"] true None => PersistentVolumeClaim;
    ["cm", "configmap", "configmaps"] true None => ConfigMap;
    ["entry", "entries"] true None => Entry;
    ["svc", "service", "services"] true Some("service") => Entry;
    ["ing", "ingress", "ingresses"] true Some("ingress") => Entry;
    ["route", "routes"] true Some("route") => Entry;
    ["httproute", "httproutes"] true Some("httproute") => Entry;
    ["hostport"] true Some("hostport") => Entry;
    ["cloud", "cloudidentity", "cloud-identity"] false None => CloudIdentity;
    ["set"] false None => Set;
    ["gate"] false None => Gate;
    ["clusteradmin"] false None => ClusterAdmin;
};

pub(super) fn typed(word: &str) -> Option<&'static Typed> {
    let lower = word.to_ascii_lowercase();
    TYPED.iter().find(|t| t.words.contains(&lower.as_str()))
}
