//! What is Kubernetes' own and what only says so.

use crate::fixtures::graph;
use kspm_graph::graph::Tag;
use kspm_graph::query::selector::Selector;
use std::fmt::Write;

fn binding(yaml: &mut String, name: &str, role: &str, subject: &str) {
    write!(
        yaml,
        "
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: '{name}'}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: '{role}'}}
subjects: [{subject}]"
    )
    .unwrap();
}

fn role(yaml: &mut String, name: &str, verbs: &str, resources: &str) {
    write!(
        yaml,
        "
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: '{name}', labels: {{kubernetes.io/bootstrapping: rbac-defaults}}}}
rules: [{{apiGroups: ['*'], resources: [{resources}], verbs: [{verbs}]}}]"
    )
    .unwrap();
}

fn account(name: &str) -> String {
    format!("{{kind: ServiceAccount, name: {name}, namespace: kube-system}}")
}

fn user(name: &str) -> String {
    format!("{{kind: User, apiGroup: rbac.authorization.k8s.io, name: '{name}'}}")
}

/// Names and namespaces are free for the taking: what counts is who holds what.
#[test]
fn kubernetes_own_is_told_by_what_it_holds() {
    let mut yaml = "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}".to_owned();
    role(&mut yaml, "system:controller:job-controller", "create", "pods");
    role(&mut yaml, "system:controller:wide", "'*'", "'*'");
    role(&mut yaml, "system:kube-scheduler", "create", "bindings");
    role(&mut yaml, "system:node-proxier", "get", "endpoints");
    binding(
        &mut yaml,
        "system:controller:job-controller",
        "system:controller:job-controller",
        &[account("job-controller"), account("guest")].join(", "),
    );
    binding(&mut yaml, "system:controller:wide", "system:controller:wide", &account("wide"));
    binding(
        &mut yaml,
        "system:kube-scheduler",
        "system:kube-scheduler",
        &user("system:kube-scheduler"),
    );
    binding(&mut yaml, "mine", "cluster-admin", &user("system:mallory"));
    binding(&mut yaml, "tiller", "cluster-admin", &account("tiller"));
    binding(&mut yaml, "proxier", "system:node-proxier", &account("proxy"));
    role(&mut yaml, "system:kubelet-api-admin", "'*'", "nodes/proxy");
    role(&mut yaml, "k3s-cloud-controller-manager", "create", "daemonsets");
    let (client, admin) = (user("kube-apiserver"), "system:kubelet-api-admin");
    binding(&mut yaml, "kube-apiserver-kubelet-admin", admin, &client);
    binding(&mut yaml, "kubelets", admin, &user("kubelets"));
    let cloud = "k3s-cloud-controller-manager";
    binding(&mut yaml, cloud, cloud, &user(cloud));
    binding(&mut yaml, "more", "cluster-admin", &user(cloud));
    for (name, image) in [
        ("kube-proxy", "registry.k8s.io/kube-proxy:v1.36.0"),
        ("shell", "docker.io/library/busybox"),
        ("cni", "example.com/not-kube-proxy:1"),
    ] {
        write!(
            yaml,
            "
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: kube-system}}
spec: {{containers: [{{name: {name}, image: '{image}'}}]}}
status: {{phase: Running}}"
        )
        .unwrap();
    }
    let graph = graph(&yaml);
    let is_own = |text: &str| {
        let found = Selector::parse(text).unwrap().matches(&graph);
        assert!(!found.is_empty(), "{text}");
        found.iter().all(|node| graph.has(*node, Tag::System))
    };
    let own = [
        "sa/kube-system/job-controller",
        "user/system:kube-scheduler",
        "user/kube-apiserver",
        "group/system:masters",
        "pod/kube-system/kube-proxy",
        "container/kube-system/kube-proxy/kube-proxy",
        "ns/kube-system",
    ];
    for text in own {
        assert!(is_own(text), "{text} is not taken for Kubernetes' own");
    }
    let others = [
        // A guest in a binding of the API server's own.
        "sa/kube-system/guest",
        // Its role was given everything.
        "sa/kube-system/wide",
        "user/system:mallory",
        "user/kubelets",
        // Somebody gave it more.
        "user/k3s-cloud-controller-manager",
        "sa/kube-system/tiller",
        "sa/kube-system/proxy",
        "pod/kube-system/shell",
        "container/kube-system/shell/shell",
        "pod/kube-system/cni",
        "group/system:authenticated",
    ];
    for text in others {
        assert!(!is_own(text), "{text} is taken for Kubernetes' own");
    }
}
