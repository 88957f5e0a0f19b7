//! Roles and bindings: mostly harmless ones, with a modest share that matters.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::bootstrap;
use crate::cluster::{Cluster, Workload, team};
use crate::json::List;
use crate::object::Object;
use crate::planted;
use crate::random::Random;

pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";
pub(crate) const ADMIN: &str = "cluster-admin";

/// In the order in which `kubectl get` of all four prints them.
const KINDS: [&str; 4] = ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];

pub(crate) fn write<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    let mut fixed = bootstrap::objects();
    fixed.extend(planted::rbac());
    let room = cluster.size.rbac.saturating_sub(fixed.len());
    for kind in KINDS {
        for object in fixed.iter().filter(|object| object["kind"] == kind) {
            list.item(object.clone())?;
        }
        // Made anew for each kind: the objects of the largest cluster would not be few.
        let grants = (0..).flat_map(|index| grant(cluster.spread(index))).take(room);
        for object in grants.filter(|object| object["kind"] == kind) {
            list.item(object)?;
        }
    }
    Ok(())
}

pub(crate) fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": groups, "resources": resources, "verbs": verbs })
}

/// A subject; `namespace` is empty for users and groups.
pub(crate) fn subject(kind: &str, namespace: &str, name: &str) -> Value {
    if namespace.is_empty() {
        json!({ "apiGroup": GROUP, "kind": kind, "name": name })
    } else {
        json!({ "kind": kind, "name": name, "namespace": namespace })
    }
}

/// A Role, or a ClusterRole where `namespace` is empty.
pub(crate) fn role(namespace: &str, name: &str, rules: &[Value]) -> Value {
    let kind = if namespace.is_empty() { "ClusterRole" } else { "Role" };
    Object::new("rbac.authorization.k8s.io/v1", kind, namespace, name).with("rules", rules).finish()
}

/// A binding; of the whole cluster where `namespace` is empty.
pub(crate) fn binding(
    namespace: &str,
    name: &str,
    role_kind: &str,
    role: &str,
    subjects: &[Value],
) -> Value {
    let kind = if namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    Object::new("rbac.authorization.k8s.io/v1", kind, namespace, name)
        .with("roleRef", json!({ "apiGroup": GROUP, "kind": role_kind, "name": role }))
        .with("subjects", subjects)
        .finish()
}

pub(crate) fn cluster_binding(name: &str, role: &str, subjects: &[Value]) -> Value {
    binding("", name, "ClusterRole", role, subjects)
}

/// What is granted around one workload: a role with its binding, or a binding alone.
fn grant(workload: &Workload) -> Vec<Value> {
    let mut random = workload.random("grant");
    let namespace = workload.namespace.as_str();
    let account = subject("ServiceAccount", namespace, &workload.account);
    let kind = random.below(100);
    if kind < 15 {
        let name = format!("{}-people", workload.name);
        let role = random.pick(&["view", "view", "view", "edit"]);
        return vec![binding(
            namespace,
            &name,
            "ClusterRole",
            role,
            &[person(workload, &mut random)],
        )];
    }
    if kind < 27 {
        let name = format!("{namespace}-{}", workload.name);
        let rules = [
            rule(&[""], &["namespaces", "nodes"], &["get", "list", "watch"]),
            rule(&["example.com"], &["widgets", "widgets/status"], &["get", "list", "patch"]),
        ];
        return vec![role("", &name, &rules), cluster_binding(&name, &name, &[account])];
    }
    let (purpose, rules) = match kind {
        27..50 => (
            "leases",
            vec![
                rule(&["coordination.k8s.io"], &["leases"], &["create", "get", "update"]),
                rule(&["", "events.k8s.io"], &["events"], &["create", "patch"]),
            ],
        ),
        50..68 => {
            ("settings", vec![rule(&[""], &["configmaps", "endpoints"], &["get", "list", "watch"])])
        }
        68..78 => ("pods", vec![rule(&[""], &["pods", "pods/log"], &["get", "list", "watch"])]),
        78..84 => (
            "secret",
            vec![json!({
                "apiGroups": [""],
                "resourceNames": [crate::template::secret_name(workload)],
                "resources": ["secrets"],
                "verbs": ["get"],
            })],
        ),
        84..88 => (
            "debug",
            vec![
                rule(&[""], &["pods"], &["get", "list"]),
                rule(&[""], &["pods/exec"], &["create", "get"]),
            ],
        ),
        88..92 => ("secrets", vec![rule(&[""], &["secrets"], &["get", "list"])]),
        92..95 => ("runner", vec![rule(&[""], &["pods"], &["create", "delete", "get", "list"])]),
        95..97 => ("deployer", vec![rule(&["apps"], &["deployments"], &["get", "list", "patch"])]),
        97..98 => ("tokens", vec![rule(&[""], &["serviceaccounts/token"], &["create"])]),
        98..99 => ("roles", vec![rule(&[GROUP], &["roles", "rolebindings"], &["*"])]),
        _ => ("owner", vec![rule(&["*"], &["*"], &["*"])]),
    };
    let name = format!("{}-{purpose}", workload.name);
    let holder = if random.chance(25) { person(workload, &mut random) } else { account };
    vec![role(namespace, &name, &rules), binding(namespace, &name, "Role", &name, &[holder])]
}

fn person(workload: &Workload, random: &mut Random) -> Value {
    let team = team(&workload.namespace).0;
    if random.chance(60) {
        subject("Group", "", &format!("team-{team}"))
    } else {
        subject("User", "", &format!("{team}-{}@example.com", random.between(1, 40)))
    }
}
