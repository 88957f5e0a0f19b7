//! The roles and bindings that every cluster starts with, cut down to those that matter here.

use serde_json::{Value, json};

use crate::object::Object;
use crate::rbac::{ADMIN, GROUP, binding, cluster_binding, role, rule, subject};

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];

/// A ClusterRole of one rule: its name, groups, resources and verbs.
type Plain =
    (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const ROLES: [Plain; 16] = [
    ("system:auth-delegator", &["authentication.k8s.io"], &["tokenreviews"], &["create"]),
    ("system:basic-user", &["authorization.k8s.io"], &["selfsubjectaccessreviews"], &["create"]),
    ("system:controller:daemon-set-controller", &[""], &["pods"], &["create", "delete", "list"]),
    ("system:controller:deployment-controller", &["apps"], &["replicasets"], &["create", "update"]),
    ("system:controller:endpoint-controller", &[""], &["endpoints"], &["create", "update"]),
    ("system:controller:job-controller", &[""], &["pods"], &["create", "delete", "list"]),
    ("system:controller:namespace-controller", &["*"], &["*"], &["delete", "get", "list"]),
    ("system:controller:node-controller", &[""], &["nodes"], &["get", "list", "update"]),
    ("system:controller:replicaset-controller", &[""], &["pods"], &["create", "delete", "list"]),
    ("system:controller:service-account-controller", &[""], &["serviceaccounts"], &["create"]),
    ("system:coredns", &[""], &["endpoints", "namespaces", "pods", "services"], &["list", "watch"]),
    ("system:kube-controller-manager", &[""], &["secrets", "serviceaccounts"], &["create", "get"]),
    ("system:kube-scheduler", &[""], &["bindings", "pods/binding"], &["create"]),
    ("system:node", &[""], &["nodes", "nodes/status", "pods", "pods/status"], READ),
    ("system:node-proxier", &["discovery.k8s.io"], &["endpointslices"], &["list", "watch"]),
    ("system:volume-scheduler", &[""], &["persistentvolumes"], &["get", "list", "update"]),
];

/// ClusterRoles of accounts in `kube-system` that are called after the account.
pub(crate) const CONTROLLERS: [&str; 7] = [
    "daemon-set-controller",
    "deployment-controller",
    "endpoint-controller",
    "job-controller",
    "namespace-controller",
    "node-controller",
    "replicaset-controller",
];

pub(crate) fn objects() -> Vec<Value> {
    let discovery = ["/api", "/apis", "/healthz", "/version"];
    let group = |name: &str| subject("Group", "", name);
    let user = |name: &str| subject("User", "", name);
    let account = |namespace: &str, name: &str| subject("ServiceAccount", namespace, name);
    let mut all = vec![
        default_role(
            ADMIN,
            &[rule(&["*"], &["*"], &["*"]), json!({ "nonResourceURLs": ["*"], "verbs": ["*"] })],
        ),
        aggregated("admin", &people(true, true)),
        aggregated("edit", &people(true, false)),
        aggregated("view", &people(false, false)),
        default_role(
            "system:discovery",
            &[json!({ "nonResourceURLs": discovery, "verbs": ["get"] })],
        ),
        cluster_binding(ADMIN, ADMIN, &[group("system:masters")]),
        cluster_binding("kubeadm:cluster-admins", ADMIN, &[group("kubeadm:cluster-admins")]),
        cluster_binding("system:basic-user", "system:basic-user", &[group("system:authenticated")]),
        cluster_binding("system:discovery", "system:discovery", &[group("system:authenticated")]),
        cluster_binding(
            "system:kube-controller-manager",
            "system:kube-controller-manager",
            &[user("system:kube-controller-manager")],
        ),
        cluster_binding(
            "system:kube-scheduler",
            "system:kube-scheduler",
            &[user("system:kube-scheduler")],
        ),
        cluster_binding(
            "system:volume-scheduler",
            "system:volume-scheduler",
            &[user("system:kube-scheduler")],
        ),
        cluster_binding(
            "system:node-proxier",
            "system:node-proxier",
            &[account("kube-system", "kube-proxy")],
        ),
        cluster_binding("system:coredns", "system:coredns", &[account("kube-system", "coredns")]),
        role(
            "kube-system",
            "extension-apiserver-authentication-reader",
            &[json!({
                "apiGroups": [""],
                "resourceNames": ["extension-apiserver-authentication"],
                "resources": ["configmaps"],
                "verbs": READ,
            })],
        ),
        binding(
            "kube-system",
            "metrics-server-auth-reader",
            "Role",
            "extension-apiserver-authentication-reader",
            &[account("kube-system", "metrics-server")],
        ),
        cluster_binding(
            "metrics-server:auth-delegator",
            "system:auth-delegator",
            &[account("kube-system", "metrics-server")],
        ),
        role(
            "",
            "calico-node",
            &[
                rule(&[""], &["endpoints", "namespaces", "nodes", "pods", "services"], READ),
                rule(&[""], &["nodes/status", "pods/status"], &["patch", "update"]),
                rule(&["networking.k8s.io"], &["networkpolicies"], &["list", "watch"]),
            ],
        ),
        cluster_binding("calico-node", "calico-node", &[account("kube-system", "calico-node")]),
        role(
            "",
            "ingress-nginx",
            &[
                rule(&[""], &["endpoints", "namespaces", "nodes", "pods", "services"], READ),
                rule(&["networking.k8s.io"], &["ingressclasses", "ingresses"], READ),
                rule(&["networking.k8s.io"], &["ingresses/status"], &["update"]),
            ],
        ),
        cluster_binding(
            "ingress-nginx",
            "ingress-nginx",
            &[account("ingress-nginx", "ingress-nginx-controller")],
        ),
    ];
    for (name, groups, resources, verbs) in ROLES {
        all.push(default_role(name, &[rule(groups, resources, verbs)]));
    }
    for controller in CONTROLLERS {
        let name = format!("system:controller:{controller}");
        all.push(cluster_binding(&name, &name, &[account("kube-system", controller)]));
    }
    all
}

/// A role that the API server makes and repairs.
fn bootstrapped(name: &str) -> Object {
    Object::new("rbac.authorization.k8s.io/v1", "ClusterRole", "", name)
        .by("kube-apiserver")
        .meta("annotations", json!({ "rbac.authorization.kubernetes.io/autoupdate": "true" }))
        .meta("labels", json!({ "kubernetes.io/bootstrapping": "rbac-defaults" }))
}

fn default_role(name: &str, rules: &[Value]) -> Value {
    bootstrapped(name).with("rules", rules).finish()
}

fn aggregated(name: &str, rules: &[Value]) -> Value {
    let label = format!("rbac.authorization.k8s.io/aggregate-to-{name}");
    bootstrapped(name)
        .with(
            "aggregationRule",
            json!({
                "clusterRoleSelectors": [{ "matchLabels": { label: "true" } }],
            }),
        )
        .with("rules", rules)
        .finish()
}

/// The rules of `view`, and what `edit` and `admin` have besides.
fn people(edit: bool, admin: bool) -> Vec<Value> {
    let workloads = ["daemonsets", "deployments", "replicasets", "statefulsets"];
    let mut rules = vec![
        rule(
            &[""],
            &["configmaps", "endpoints", "pods", "pods/log", "serviceaccounts", "services"],
            READ,
        ),
        rule(&["apps"], &workloads, READ),
        rule(&["batch"], &["cronjobs", "jobs"], READ),
        rule(&["networking.k8s.io"], &["ingresses", "networkpolicies"], READ),
    ];
    if edit {
        let pods = ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"];
        rules.push(rule(&[""], &["pods/attach", "pods/exec", "secrets"], READ));
        rules.push(rule(&[""], &["serviceaccounts"], &["impersonate"]));
        rules.push(rule(&[""], &pods, WRITE));
        rules.push(rule(&[""], &["configmaps", "secrets", "serviceaccounts", "services"], WRITE));
        rules.push(rule(&[""], &["serviceaccounts/token"], &["create"]));
        rules.push(rule(&["apps"], &workloads, WRITE));
        rules.push(rule(&["batch"], &["cronjobs", "jobs"], WRITE));
        rules.push(rule(&["networking.k8s.io"], &["ingresses", "networkpolicies"], WRITE));
    }
    if admin {
        rules.push(rule(&["authorization.k8s.io"], &["localsubjectaccessreviews"], &["create"]));
        rules.push(rule(&[GROUP], &["rolebindings", "roles"], READ));
        rules.push(rule(&[GROUP], &["rolebindings", "roles"], WRITE));
    }
    rules
}
