//! The chains and decoys that are planted in every cluster, whatever its size.
//!
//! Chains, each a way to cluster-admin:
//!
//! 1. Internet, LoadBalancer `edge/storefront`, its pods, their account `edge/storefront`, which
//!    lists Secrets of all namespaces: `ops/break-glass-token` is the token of `ops/break-glass`,
//!    a cluster-admin.
//! 2. Internet, Ingress `portal/portal` (its policy lets the controller in), the pods of `portal`,
//!    whose account may exec into `portal/toolbox`, whose account impersonates users and groups.
//! 3. Group `developers`: exec in `infra`, where `node-agent` runs privileged on all nodes, those
//!    of the control plane too.
//! 4. Internet, NodePort `build/runner` on nodes with an ExternalIP, the pods of `build/runner`,
//!    whose account creates pods in `build`; no Pod Security level stops privileged ones there.
//! 5. User `oncall@example.com`: a token of `gitops/deployer`, which may bind any ClusterRole and
//!    create ClusterRoleBindings.
//!
//! Decoys, each without the way that it seems to open:
//!
//! a. LoadBalancer `console/console`, whose account is cluster-admin: a policy admits `ops` only.
//! b. LoadBalancer `legacy/legacy`, whose account is cluster-admin: no token in its pods.
//! c. LoadBalancer `reports/reports`: internal address and source range; and its right to
//!    `nodes/proxy` comes through a RoleBinding, where it is void.
//! d. LoadBalancer `status/status-page`: exposed, but reads one TLS Secret by its name only.
//! e. `migration/migrate`, whose account is cluster-admin: its pods have completed.
//! f. LoadBalancer `ops/stale` selects nothing.
//! g. User `intern@example.com` creates pods in `sandbox`, which enforces `restricted` and whose
//!    only account has no rights.
//!
//! A decoy lacks that one way only: a pod of `console` can still be had from its node.

use serde_json::{Value, json};

use crate::cluster::{Access, Owner, Row};
use crate::config::{tls_data, token_data};
use crate::network::{Exposure, ingress, service};
use crate::object::Object;
use crate::random::uid;
use crate::rbac::{ADMIN, GROUP, binding, cluster_binding, role, rule, subject};

pub(crate) const NAMESPACES: [&str; 12] = [
    "build",
    "console",
    "edge",
    "gitops",
    "infra",
    "legacy",
    "migration",
    "ops",
    "portal",
    "reports",
    "sandbox",
    "status",
];

const fn plain(namespace: &'static str, name: &'static str) -> Row {
    Row { namespace, name, owner: Owner::Deployment, access: Access::Plain, pods: 2, port: 8080 }
}

pub(crate) const WORKLOADS: [Row; 11] = [
    plain("edge", "storefront"),
    plain("portal", "portal"),
    Row { port: 0, pods: 1, ..plain("portal", "toolbox") },
    Row {
        owner: Owner::DaemonSet,
        access: Access::Privileged,
        port: 0,
        ..plain("infra", "node-agent")
    },
    plain("build", "runner"),
    Row { port: 0, pods: 1, ..plain("gitops", "deployer") },
    plain("console", "console"),
    Row { access: Access::NoToken, ..plain("legacy", "legacy") },
    plain("reports", "reports"),
    plain("status", "status-page"),
    Row { owner: Owner::CronJob, port: 0, ..plain("migration", "migrate") },
];

/// The Pod Security level of a planted namespace.
pub(crate) fn level(namespace: &str) -> Option<&'static str> {
    match namespace {
        "build" | "infra" => Some("privileged"),
        "sandbox" => Some("restricted"),
        "legacy" | "migration" => Some(""),
        _ => NAMESPACES.contains(&namespace).then_some("baseline"),
    }
}

/// How the Service of a workload of the plan is exposed.
pub(crate) fn exposure(namespace: &str, name: &str) -> Option<Exposure> {
    Some(match (namespace, name) {
        ("edge", "storefront") => Exposure::LoadBalancer("203.0.113.10".into()),
        ("ingress-nginx", _) => Exposure::LoadBalancer("203.0.113.11".into()),
        ("console", _) => Exposure::LoadBalancer("203.0.113.12".into()),
        ("legacy", _) => Exposure::LoadBalancer("203.0.113.13".into()),
        ("status", _) => Exposure::LoadBalancer("203.0.113.15".into()),
        ("reports", _) => Exposure::Internal("10.200.0.14".into()),
        ("build", _) => Exposure::NodePort(32_016),
        ("portal", _) => Exposure::Inside,
        _ => return None,
    })
}

/// Services besides those of workloads.
pub(crate) fn services() -> [Value; 1] {
    let selector = json!({ "app.kubernetes.io/name": "gone" });
    let stale = Exposure::LoadBalancer("203.0.113.16".into());
    [service("ops", "stale", &selector, 8080, &stale, "172.20.255.16")]
}

pub(crate) fn ingresses() -> [Value; 1] {
    [ingress("portal", "portal", "portal.example.com")]
}

pub(crate) fn policies() -> [Value; 2] {
    let admit = |namespace: &str, name: &str, from: &str| {
        Object::new("networking.k8s.io/v1", "NetworkPolicy", namespace, name)
            .with(
                "spec",
                json!({
                    "ingress": [{
                        "from": [{ "namespaceSelector": {
                            "matchLabels": { "kubernetes.io/metadata.name": from },
                        } }],
                        "ports": [{ "port": 8080, "protocol": "TCP" }],
                    }],
                    "podSelector": {},
                    "policyTypes": ["Ingress"],
                }),
            )
            .finish()
    };
    [
        admit("console", "only-ops", "ops"),
        admit("portal", "only-ingress-controller", "ingress-nginx"),
    ]
}

pub(crate) fn secrets() -> [Value; 3] {
    let token = |namespace: &str, account: &str| {
        let annotations = json!({
            "kubernetes.io/service-account.name": account,
            "kubernetes.io/service-account.uid": uid("ServiceAccount", namespace, account),
        });
        Object::new("v1", "Secret", namespace, &format!("{account}-token"))
            .meta("annotations", annotations)
            .by("kube-controller-manager")
            .with("data", token_data(namespace, account))
            .with("type", "kubernetes.io/service-account-token")
            .finish()
    };
    [
        token("ops", "break-glass"),
        // Readable by chain 1 as well, and worth nothing.
        token("sandbox", "default"),
        Object::new("v1", "Secret", "status", "status-tls")
            .with("data", tls_data("status", "status-tls"))
            .with("type", "kubernetes.io/tls")
            .finish(),
    ]
}

/// Accounts besides those of workloads.
pub(crate) const ACCOUNTS: [(&str, &str); 1] = [("ops", "break-glass")];

pub(crate) fn rbac() -> Vec<Value> {
    let account = |namespace: &str, name: &str| subject("ServiceAccount", namespace, name);
    let cluster_role = |name: &str, rules: &[Value]| role("", name, rules);
    vec![
        cluster_role("storefront-secrets", &[rule(&[""], &["secrets"], &["get", "list", "watch"])]),
        cluster_binding(
            "storefront-secrets",
            "storefront-secrets",
            &[account("edge", "storefront")],
        ),
        cluster_binding("break-glass", ADMIN, &[account("ops", "break-glass")]),
        role(
            "portal",
            "debug",
            &[
                rule(&[""], &["pods"], &["get", "list"]),
                rule(&[""], &["pods/exec"], &["create", "get"]),
            ],
        ),
        binding("portal", "debug", "Role", "debug", &[account("portal", "portal")]),
        cluster_role("impersonator", &[rule(&[""], &["groups", "users"], &["impersonate"])]),
        cluster_binding("toolbox", "impersonator", &[account("portal", "toolbox")]),
        role(
            "infra",
            "debug",
            &[
                rule(&[""], &["pods"], &["get", "list"]),
                rule(&[""], &["pods/exec"], &["create", "get"]),
            ],
        ),
        binding("infra", "debug", "Role", "debug", &[subject("Group", "", "developers")]),
        role(
            "build",
            "runner",
            &[
                rule(&[""], &["pods"], &["create", "delete", "get", "list", "watch"]),
                rule(&[""], &["pods/log"], &["get"]),
            ],
        ),
        binding("build", "runner", "Role", "runner", &[account("build", "runner")]),
        role("gitops", "tokens", &[rule(&[""], &["serviceaccounts/token"], &["create"])]),
        binding("gitops", "tokens", "Role", "tokens", &[subject("User", "", "oncall@example.com")]),
        cluster_role(
            "binder",
            &[
                rule(&[GROUP], &["clusterroles"], &["bind", "get", "list"]),
                rule(&[GROUP], &["clusterrolebindings"], &["create", "get", "list"]),
            ],
        ),
        cluster_binding("deployer", "binder", &[account("gitops", "deployer")]),
        cluster_binding("console", ADMIN, &[account("console", "console")]),
        cluster_binding("legacy", ADMIN, &[account("legacy", "legacy")]),
        cluster_binding("migrate", ADMIN, &[account("migration", "migrate")]),
        cluster_role("node-debug", &[rule(&[""], &["nodes/proxy"], &["create", "get"])]),
        binding(
            "reports",
            "node-debug",
            "ClusterRole",
            "node-debug",
            &[account("reports", "reports")],
        ),
        role(
            "status",
            "certificate",
            &[json!({
                "apiGroups": [""],
                "resourceNames": ["status-tls"],
                "resources": ["secrets"],
                "verbs": ["get"],
            })],
        ),
        binding(
            "status",
            "certificate",
            "Role",
            "certificate",
            &[account("status", "status-page")],
        ),
        role("sandbox", "pods", &[rule(&[""], &["pods"], &["create", "delete", "get", "list"])]),
        binding("sandbox", "pods", "Role", "pods", &[subject("User", "", "intern@example.com")]),
    ]
}
