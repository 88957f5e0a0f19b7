//! What other tools call the attacks, so that who comes from one of them finds their way, and sees
//! what has no counterpart here and why.
//!
//! The names are those of KubeHound's `docs/reference/attacks` and of IceKube's `attack_paths.py`.

/// Another tool and its kinds of edges.
#[derive(Debug)]
pub struct Peer {
    /// The tool's name.
    pub name: &'static str,
    /// Its kinds of edges, in its own order.
    pub edges: &'static [PeerEdge],
}

/// One kind of edge of another tool.
#[derive(Debug)]
pub struct PeerEdge {
    /// Its name there.
    pub name: &'static str,
    /// The ids here; none where there is no counterpart.
    pub ids: &'static [&'static str],
    /// What differs, or why there is none.
    pub note: &'static str,
}

const fn edge(name: &'static str, ids: &'static [&'static str], note: &'static str) -> PeerEdge {
    PeerEdge { name, ids, note }
}

/// The tools that build a graph of attacks.
#[rustfmt::skip]
pub static PEERS: &[Peer] = &[
    Peer { name: "KubeHound", edges: &[
        edge("CE_MODULE_LOAD", &["cap-sys-module", "privileged-container"], ""),
        edge("CE_NSENTER", &["host-pid-privileged-nsenter"], ""),
        edge("CE_PRIV_MOUNT", &["privileged-container"], ""),
        edge("CE_SYS_PTRACE", &["cap-sys-ptrace-host-pid"], "ptrace needs no SYS_ADMIN"),
        edge("CE_UMH_CORE_PATTERN", &["umh-core-pattern"], "of the container that mounts the path, and not read-only"),
        edge("CE_VAR_LOG_SYMLINK", &["host-path-var-log-symlink"], "a gate: reading logs is another right; it leads to what root can read"),
        edge("CONTAINER_ATTACH", &["container-in-pod"], ""),
        edge("ENDPOINT_EXPLOIT", &["exploit-public-app", "network-reach"], "behind a door that is exposed, not for every declared port"),
        edge("EXPLOIT_CONTAINERD_SOCK", &["container-runtime-socket"], "documented there and not built"),
        edge("EXPLOIT_HOST_READ", &["host-path-read-creds", "pki-key-read", "admin-kubeconfig-read", "etcd-access"], ""),
        edge("EXPLOIT_HOST_TRAVERSE", &["host-path-kubelet-pods"], ""),
        edge("EXPLOIT_HOST_WRITE", &["host-path-root-fs", "host-path-write-exec", "static-pod-write"], "by what the path gives, not by a list of harmless ones"),
        edge("IDENTITY_ASSUME", &["pod-uses-service-account", "node-has-identity"], "where a token is mounted"),
        edge("IDENTITY_IMPERSONATE", &["impersonate-user", "impersonate-group", "impersonate-service-account"], "documented there and not built"),
        edge("PERMISSION_DISCOVER", &["bound-to", "grants-role", "member-of-group"], ""),
        edge("POD_ATTACH", &["node-hosts-pod"], ""),
        edge("POD_CREATE", &["pod-create-privileged", "pod-create-on-control-plane", "pod-create-as-service-account", "pod-create-mount-secret"], "under the namespace's Pod Security level"),
        edge("POD_EXEC", &["pod-exec"], ""),
        edge("POD_PATCH", &["pod-patch-image", "workload-patch"], ""),
        edge("ROLE_BIND", &["role-bind-cluster", "role-bind-namespace"], "`bind` counts on the role that is named"),
        edge("SHARE_PS_NAMESPACE", &["container-shares-process-ns"], ""),
        edge("TOKEN_BRUTEFORCE", &["secret-get"], "of Secrets that exist; names are not guessed"),
        edge("TOKEN_LIST", &["secret-list", "secret-holds-service-account-token"], "of token Secrets that exist"),
        edge("TOKEN_STEAL", &["pod-uses-service-account", "host-path-kubelet-pods"], "of tokens for the API server"),
        edge("VOLUME_ACCESS", &["node-hosts-pod", "pvc-mount-existing"], ""),
        edge("VOLUME_DISCOVER", &["pod-mounts-secret", "pod-mounts-config-map", "pod-uses-service-account"], "per container"),
    ] },
    Peer { name: "IceKube", edges: &[
        edge("ACCESS_POD", &["node-hosts-pod"], ""),
        edge("ACCESS_SECRET", &["secret-get", "secret-list"], ""),
        edge("AZURE_POD_IDENTITY_EXCEPTION", &[], "the technology was withdrawn in 2022"),
        edge("BOUND_TO", &["bound-to"], ""),
        edge("CAN_ACCESS_DANGEROUS_HOST_PATH", &["host-path-root-fs", "host-path-write-exec", "host-path-read-creds", "host-path-var-log-symlink", "container-runtime-socket"], "per mount, read-only told from writable"),
        edge("CAN_ACCESS_HOST_FD", &["cap-dac-read-search"], ""),
        edge("CAN_CGROUP_BREAKOUT", &["cap-sys-admin"], ""),
        edge("CAN_EXEC_THROUGH_KUBELET", &["nodes-proxy-exec"], ""),
        edge("CAN_IMPERSONATE", &["impersonate-user", "impersonate-group", "impersonate-service-account"], "a group only together with a user"),
        edge("CAN_LOAD_KERNEL_MODULES", &["cap-sys-module"], ""),
        edge("CAN_NSENTER_HOST", &["host-pid-privileged-nsenter", "cap-sys-ptrace-host-pid"], ""),
        edge("CREATE_POD_WITH_SA", &["pod-create-as-service-account"], ""),
        edge("CREATE_PRIVILEGED_WORKLOAD", &["pod-create-privileged"], ""),
        edge("CREATE_SECRET_WITH_TOKEN", &["secret-create-token"], ""),
        edge("DEBUG_POD", &["ephemeral-container-inject"], ""),
        edge("EXEC_INTO", &["pod-exec"], "`get` on pods is not needed; `get` on pods/exec by the server's version"),
        edge("GENERATE_CLIENT_CERTIFICATE", &["csr-approve-client"], "not system:masters, which admission refuses; not on EKS"),
        edge("GENERATE_TOKEN", &["token-request"], ""),
        edge("GET_AUTHENTICATION_TOKEN_FOR", &["secret-holds-service-account-token"], ""),
        edge("GRANTS_PERMISSION", &["grants-role"], ""),
        edge("GRANTS_USE", &["open-shift-scc-use"], "with making the pod"),
        edge("IS_CLUSTER_ADMIN", &["control-plane-node-to-admin"], ""),
        edge("IS_PRIVILEGED", &["privileged-container"], "init, sidecar and ephemeral containers too"),
        edge("MOUNTS_SECRET", &["pod-mounts-secret"], ""),
        edge("PATCH_NAMESPACE_TO_BYPASS_PSA", &["namespace-psa-relax"], ""),
        edge("PERSISTENT_VOLUME_CREATION", &["pv-host-path-create"], ""),
        edge("RBAC_ESCALATE_TO", &["role-escalate", "role-escalate-via-aggregation"], "needs an update of the role as well"),
        edge("REPLACE_IMAGE", &["pod-patch-image"], ""),
        edge("UPDATE_AWS_AUTH", &["aws-auth-write"], "only on EKS with that ConfigMap"),
        edge("UPDATE_WORKLOAD_WITH_SA", &["workload-patch"], "a Job's template cannot be changed"),
        edge("USES_ACCOUNT", &["pod-uses-service-account"], "where a token is mounted"),
    ] },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attacks::attack;

    #[test]
    fn every_counterpart_is_an_attack_and_every_difference_is_said() {
        for peer in PEERS {
            assert!(peer.edges.is_sorted_by_key(|edge| edge.name), "{}", peer.name);
            for edge in peer.edges {
                for id in edge.ids {
                    assert!(attack(id).is_some(), "{}: {id}", edge.name);
                }
                assert!(
                    !edge.ids.is_empty() || !edge.note.is_empty(),
                    "{} says nothing",
                    edge.name
                );
            }
        }
    }
}
