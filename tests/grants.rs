//! More rights never close a path, and fewer never open one: gates, joined grants and aggregation
//! included. Whatever a rule says that only looks away (a refusal, a condition) must keep to it.

use crate::fixtures::world;
use kspm_graph::attacks;
use kspm_graph::graph::{Graph, NodeKind};
use kspm_graph::query::filter::Filter;
use kspm_graph::query::search::{Direction, Next, Search};
use kspm_graph::query::spell;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A rule: API group, resources, verbs, names.
type Right =
    (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// Rights that attacks are made of.
const RIGHTS: &[Right] = &[
    ("", &["pods"], &["create"], &[]),
    ("", &["pods"], &["get", "list"], &[]),
    ("", &["pods"], &["patch"], &[]),
    ("", &["pods"], &["delete"], &[]),
    ("", &["pods/exec"], &["create"], &[]),
    ("", &["pods/exec"], &["create"], &["web"]),
    ("", &["pods/ephemeralcontainers"], &["patch"], &[]),
    ("", &["secrets"], &["get"], &["token"]),
    ("", &["secrets"], &["list"], &[]),
    ("", &["secrets"], &["create"], &[]),
    ("", &["secrets"], &["get"], &[]),
    ("", &["secrets"], &["patch"], &[]),
    ("", &["serviceaccounts/token"], &["create"], &[]),
    ("", &["serviceaccounts/token"], &["create"], &["robot"]),
    ("", &["serviceaccounts"], &["create"], &[]),
    ("", &["namespaces"], &["patch"], &[]),
    ("", &["nodes"], &["patch"], &[]),
    ("", &["nodes/proxy"], &["create"], &[]),
    ("", &["configmaps"], &["update"], &[]),
    ("", &["persistentvolumes"], &["create"], &[]),
    ("", &["persistentvolumeclaims"], &["create"], &[]),
    ("", &["users", "groups"], &["impersonate"], &[]),
    ("", &["serviceaccounts"], &["impersonate"], &[]),
    ("apps", &["deployments"], &["patch"], &[]),
    ("apps", &["daemonsets"], &["create"], &[]),
    ("batch", &["cronjobs"], &["create"], &[]),
    ("rbac.authorization.k8s.io", &["clusterroles"], &["bind"], &[]),
    ("rbac.authorization.k8s.io", &["clusterroles"], &["escalate", "patch"], &[]),
    ("rbac.authorization.k8s.io", &["roles"], &["escalate", "update"], &[]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings"], &["create"], &[]),
    ("rbac.authorization.k8s.io", &["rolebindings"], &["create", "patch"], &[]),
    ("certificates.k8s.io", &["certificatesigningrequests"], &["create", "get"], &[]),
    ("certificates.k8s.io", &["certificatesigningrequests/approval"], &["update"], &[]),
    ("certificates.k8s.io", &["signers"], &["approve"], &["kubernetes.io/kube-apiserver-client"]),
    ("admissionregistration.k8s.io", &["mutatingwebhookconfigurations"], &["create"], &[]),
    ("admissionregistration.k8s.io", &["validatingwebhookconfigurations"], &["patch"], &[]),
    ("apiregistration.k8s.io", &["apiservices"], &["patch"], &[]),
    ("", &["namespaces"], &["create"], &[]),
    ("", &["services"], &["create"], &[]),
    ("", &["services"], &["patch"], &["hook"]),
    ("discovery.k8s.io", &["endpointslices"], &["create"], &[]),
    ("networking.k8s.io", &["ingresses"], &["create"], &[]),
    ("", &["pods/binding"], &["create"], &[]),
    ("", &["pods/status"], &["patch"], &[]),
    ("", &["pods/proxy"], &["get"], &[]),
    ("security.openshift.io", &["securitycontextconstraints"], &["use"], &["privileged"]),
    ("security.openshift.io", &["securitycontextconstraints"], &["use"], &[]),
    ("security.openshift.io", &["securitycontextconstraints"], &["patch"], &["restricted"]),
    ("machineconfiguration.openshift.io", &["machineconfigs"], &["create"], &[]),
    ("user.openshift.io", &["groups"], &["update"], &[]),
    ("argoproj.io", &["workflows"], &["create"], &[]),
    ("argoproj.io", &["cronworkflows"], &["patch"], &[]),
    ("*", &["*"], &["*"], &[]),
];

const SCOPES: &[&str] = &["", "open", "shut", "kube-system"];

const USERS: &[&str] = &["ann", "bea", "cy"];

/// Who gets which right where.
type Grant = (usize, usize, usize);

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let grant = (0..USERS.len() + 1, 0..RIGHTS.len(), 0..SCOPES.len());
    prop::collection::vec(grant, 1..7)
}

/// Objects that make the cluster one of OpenShift: no account may use strong constraints yet, but
/// members of a group that a binding names.
fn openshift() -> Vec<Value> {
    let constraints = |name: &str, privileged: bool, groups: &[&str]| {
        json!({"kind": "SecurityContextConstraints", "apiVersion": "security.openshift.io/v1",
            "metadata": {"name": name}, "allowPrivilegedContainer": privileged,
            "runAsUser": {"type": "MustRunAsRange"}, "groups": groups})
    };
    vec![
        constraints("privileged", true, &["ops"]),
        constraints("restricted", false, &["system:authenticated"]),
        json!({"kind": "Group", "apiVersion": "user.openshift.io/v1",
            "metadata": {"name": "ops"}, "users": ["cy"]}),
        binding("ops", "all", "open", &json!({"kind": "Group", "name": "ops"})),
    ]
}

/// A workflow engine that watches every namespace.
fn engine() -> Vec<Value> {
    vec![
        json!({"kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1",
            "metadata": {"name": "engine"}, "rules": [{"apiGroups": ["argoproj.io"],
                "resources": ["workflows", "cronworkflows"], "verbs": ["watch"]}]}),
        binding("engine", "engine", "", &account("engine", "kube-system")),
        json!({"kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": "engine", "namespace": "kube-system"},
            "spec": {"nodeName": "worker", "serviceAccountName": "engine",
                "containers": [{"name": "c", "image": "quay.io/argoproj/workflow-controller:v3"}]},
            "status": {"phase": "Running"}}),
    ]
}

fn cluster(grants: &[Grant], constrained: bool) -> Graph {
    let mut items = if constrained { openshift() } else { engine() };
    items.extend([
        json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "open"}}),
        json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shut",
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}),
        json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "kube-system"}}),
        json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "worker"}}),
        json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "master",
            "labels": {"node-role.kubernetes.io/control-plane": ""}}}),
        json!({"kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1",
            "metadata": {"name": "all"},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        binding("root", "all", "", &account("robot", "kube-system")),
        json!({"kind": "Secret", "apiVersion": "v1", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": "token", "namespace": "shut",
                "annotations": {"kubernetes.io/service-account.name": "robot"}}}),
    ]);
    for ns in &SCOPES[1..] {
        let meta = |name: &str| json!({"name": name, "namespace": ns});
        let node = if *ns == "kube-system" { "master" } else { "worker" };
        items
            .push(json!({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": meta("robot")}));
        // As the API server returns it: the token's volume stands in it.
        items.push(json!({"kind": "Pod", "apiVersion": "v1", "metadata": meta("web"),
            "spec": {"nodeName": node, "serviceAccountName": "robot",
                "containers": [{"name": "c", "image": "i", "volumeMounts": [{"name": "t",
                    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}],
                "volumes": [{"name": "t", "projected": {"sources": [
                    {"serviceAccountToken": {"path": "token"}}]}}]},
            "status": {"phase": "Running"}}));
    }
    items.extend(webhook());
    for (n, (who, right, scope)) in grants.iter().enumerate() {
        let (group, resources, verbs, names) = RIGHTS[*right];
        let name = format!("right-{n}");
        items.push(json!({"kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1",
            "metadata": {"name": name}, "rules": [{"apiGroups": [group], "resources": resources,
                "verbs": verbs, "resourceNames": names}]}));
        let subject = match USERS.get(*who) {
            Some(user) => json!({"kind": "User", "name": user}),
            None => account("robot", "open"),
        };
        items.push(binding(&name, &name, SCOPES[*scope], &subject));
    }
    let text = json!({"kind": "List", "apiVersion": "v1", "items": items}).to_string();
    attacks::derive(Arc::new(world(&text)))
}

/// A webhook for the pods of namespaces with a label, its Service and its key, and a controller of
/// ingress-nginx behind the same Service.
fn webhook() -> Vec<Value> {
    let meta = |name: &str| json!({"name": name, "namespace": "shut", "labels": {"app": "hook"}});
    vec![
        json!({"kind": "MutatingWebhookConfiguration", "metadata": {"name": "hook"},
            "apiVersion": "admissionregistration.k8s.io/v1", "webhooks": [{"name": "a.example.com",
                "clientConfig": {"service": {"namespace": "shut", "name": "hook"}},
                "namespaceSelector": {"matchLabels": {"ask": "yes"}}, "rules": [{"apiGroups": [""],
                    "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}]}),
        json!({"kind": "Namespace", "apiVersion": "v1",
            "metadata": {"name": "asked", "labels": {"ask": "yes"}}}),
        json!({"kind": "Service", "apiVersion": "v1", "metadata": meta("hook"),
            "spec": {"selector": {"app": "hook"}, "ports": [{"port": 443}]}}),
        json!({"kind": "Secret", "apiVersion": "v1", "type": "kubernetes.io/tls",
            "metadata": meta("hook-cert")}),
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": meta("hook"),
            "spec": {"nodeName": "worker", "containers": [{"name": "c",
                "image": "registry.k8s.io/ingress-nginx/controller:v1.11.2",
                "args": ["--validating-webhook=:8443", "--watch-namespace=open"],
                "volumeMounts": [{"name": "k", "mountPath": "/k"}]}],
                "volumes": [{"name": "k", "secret": {"secretName": "hook-cert"}}]},
            "status": {"phase": "Running"}}),
    ]
}

fn account(name: &str, ns: &str) -> Value {
    json!({"kind": "ServiceAccount", "name": name, "namespace": ns})
}

fn binding(name: &str, role: &str, ns: &str, subject: &Value) -> Value {
    let mut binding = json!({"kind": "ClusterRoleBinding",
        "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name},
        "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": "rbac.authorization.k8s.io"},
        "subjects": [subject]});
    if !ns.is_empty() {
        binding["kind"] = json!("RoleBinding");
        binding["metadata"]["namespace"] = json!(ns);
    }
    binding
}

/// What each user reaches, and at what cost. Roles and bindings are means, and sets their names.
fn reached(graph: &Graph) -> BTreeMap<(String, String), u64> {
    let mut search = Search::new(graph);
    let mut all = BTreeMap::new();
    for from in graph.nodes().filter(|n| graph.kind(*n) == NodeKind::User) {
        let roots = [from];
        search.run(Direction::Forward, &roots, &Filter::default(), None, usize::MAX, |_, _| {
            Next::Expand
        });
        let tree = search.tree();
        for to in tree.nodes() {
            use NodeKind::{ClusterRole, ClusterRoleBinding, Gate, RoleBinding, Set};
            let kind = graph.kind(to);
            if !matches!(kind, ClusterRole | ClusterRoleBinding | RoleBinding | Set | Gate) {
                // Whoever acts as somebody stands in for him.
                let it = graph.acted_as(to).unwrap_or(to);
                let key: &mut u64 =
                    all.entry((spell(graph, from), spell(graph, it))).or_insert(u64::MAX);
                *key = tree.key(to).min(*key);
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn another_grant_closes_no_path(grants in grants(), constrained: bool) {
        let more = cluster(&grants, constrained);
        let less = cluster(&grants[..grants.len() - 1], constrained);
        let after = reached(&more);
        for (pair, key) in reached(&less) {
            let now = after.get(&pair).copied();
            prop_assert!(now.is_some(), "{pair:?} is lost by {:?}", grants.last());
            prop_assert!(now <= Some(key), "{pair:?} is less likely by {:?}", grants.last());
        }
    }
}

/// The property is not held by a cluster in which nobody reaches anything.
#[test]
fn rights_do_open_paths() {
    let right = |resource: &str| RIGHTS.iter().position(|r| r.1 == [resource]).unwrap();
    let none = reached(&cluster(&[(0, right("configmaps"), 1)], false));
    let some = reached(&cluster(&[(0, right("pods/exec"), 3)], false));
    let admin = ("user/ann".to_owned(), "cluster-admin".to_owned());
    assert!(!none.contains_key(&admin) && some.contains_key(&admin));
}
