//! Acting as somebody by impersonation is not being him: what follows from it, and what does not.
//!
//! Kubernetes apiserver, `pkg/endpoints/filters/impersonation`: one set of headers a request, which
//! is authorized against the authenticated user and taken away before the request goes on.

use crate::fixtures;
use kspm_graph::graph::Graph;
use kspm_graph::query::selector::Selector;
use kspm_graph::query::{Asker, Query};

/// A cluster: each line is who, in which namespace (`*`: everywhere) and what for.
fn cluster(grants: &[(&str, &str, &str)]) -> Graph {
    let mut text = String::from(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n\
         ---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, namespace: a}\n\
         ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
         metadata: {name: all}\nrules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n\
         ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\n\
         metadata: {name: all}\n\
         roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}\n\
         subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: root}]\n",
    );
    for (n, (who, ns, rule)) in grants.iter().enumerate() {
        let (kind, name) = who.split_once('/').unwrap();
        let subject = match kind {
            "sa" => format!("{{kind: ServiceAccount, name: {name}, namespace: a}}"),
            kind => {
                format!("{{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: '{name}'}}")
            }
        };
        let (binding, space) = match *ns {
            "*" => ("ClusterRoleBinding", String::new()),
            ns => ("RoleBinding", format!(", namespace: {ns}")),
        };
        text.push_str(&format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
             metadata: {{name: r{n}}}\nrules: [{{{rule}}}]\n\
             ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {binding}\n\
             metadata: {{name: b{n}{space}}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r{n}}}\n\
             subjects: [{subject}]\n"
        ));
    }
    fixtures::graph(&text)
}

const USERS: &str = "apiGroups: [''], resources: [users], verbs: [impersonate]";
const TOKENS: &str = "apiGroups: [''], resources: [serviceaccounts/token], verbs: [create]";

/// The ids of the steps of the likeliest path; `None` without one.
fn path(graph: &Graph, from: &str, to: &str) -> Option<Vec<&'static str>> {
    let selector = |text: &str| Selector::parse(text).unwrap();
    let query = Query::between(selector(from), selector(to));
    let outcome = Asker::new(graph).ask(&query);
    outcome.answers.first().map(|a| a.steps.iter().map(|s| s.attack.id).collect())
}

fn named(rule: &str, name: &str) -> String {
    format!("{rule}, resourceNames: ['{name}']")
}

#[test]
fn impersonation_does_not_add_up() {
    let alice = named(USERS, "alice");
    let graph = cluster(&[("User/help", "*", &alice), ("User/alice", "*", USERS)]);
    assert_eq!(path(&graph, "user/help", "cluster-admin"), None);
    assert_eq!(
        path(&graph, "user/alice", "cluster-admin").unwrap(),
        ["impersonate-user", "is-cluster-admin"]
    );
    // He is authorized as her all the same.
    assert_eq!(path(&graph, "user/help", "user/alice").unwrap(), ["impersonate-user"]);
}

#[test]
fn nor_by_groups_and_accounts() {
    let robots = "apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate]";
    let graph = cluster(&[
        ("User/help", "a", robots),
        ("Group/system:serviceaccounts:a", "*", USERS),
        ("User/sue", "*", &named(USERS, "tim")),
        (
            "User/sue",
            "*",
            "apiGroups: [''], resources: [groups], verbs: [impersonate], resourceNames: [ops]",
        ),
        ("Group/ops", "*", USERS),
    ]);
    assert_eq!(path(&graph, "user/help", "cluster-admin"), None);
    assert_eq!(path(&graph, "user/sue", "cluster-admin"), None);
    assert!(path(&graph, "sa/a/robot", "cluster-admin").is_some());
    assert!(path(&graph, "group/ops", "cluster-admin").is_some());
}

#[test]
fn a_credential_on_the_way_starts_anew() {
    let graph = cluster(&[
        ("User/help", "*", &named(USERS, "alice")),
        ("User/alice", "*", USERS),
        ("User/alice", "a", TOKENS),
        ("sa/robot", "*", USERS),
    ]);
    assert_eq!(
        path(&graph, "user/help", "cluster-admin").unwrap(),
        ["impersonate-user", "token-request", "impersonate-user", "is-cluster-admin"]
    );
    let acting = graph.nodes().filter(|n| graph.acted_as(*n).is_some());
    let names: Vec<_> = acting.map(|n| graph.name(n).into_owned()).collect();
    assert!(names.contains(&"alice (impersonated)".to_owned()), "{names:?}");
}

/// `SplitUsername` takes a name that no account can have for one of a user, for whom this right is
/// none; a group without a user is refused.
#[test]
fn a_name_that_no_account_can_have_is_nobody() {
    let groups = "apiGroups: [''], resources: [groups], verbs: [impersonate]";
    let account = "apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate]";
    let of = |name: &str| {
        let account = named(account, name);
        let graph = cluster(&[("User/bot", "*", groups), ("User/bot", "*", &account)]);
        path(&graph, "user/bot", "cluster-admin").is_some()
    };
    assert!(of("robot") && of("nobody-made-it"));
    assert!(!of("system:serviceaccount:a:robot") && !of("a:robot") && !of("Robot") && !of("*"));
}
