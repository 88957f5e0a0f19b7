//! RBAC held against a real API server, and against an obvious evaluator.

use crate::fixtures;
use kspm_graph::world::rbac::{Request, Target};
use std::io::Read;
use std::path::Path;

fn unpacked(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rbac-reviews").join(name);
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// A kube-apiserver 1.36 answered these reviews on this cluster.
#[test]
fn reviews_of_a_real_api_server() {
    let world = fixtures::world(&unpacked("cluster.json.gz"));
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in unpacked("reviews.jsonl.gz").lines() {
        let review: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |pointer: &str| review.pointer(pointer).and_then(|v| v.as_str()).unwrap_or("");
        let groups: Vec<&str> = review
            .pointer("/spec/groups")
            .and_then(|g| g.as_array())
            .map(|g| g.iter().filter_map(|v| v.as_str()).collect())
            .unwrap_or_default();
        let resource = |field: &str| text(&format!("/spec/resourceAttributes/{field}"));
        let (verb, target) = if review.pointer("/spec/resourceAttributes").is_some() {
            let target = Target::Resource {
                group: resource("group"),
                resource: resource("resource"),
                subresource: resource("subresource"),
                name: resource("name"),
                namespace: resource("namespace"),
            };
            (resource("verb"), target)
        } else {
            let path = Target::Path(text("/spec/nonResourceAttributes/path"));
            (text("/spec/nonResourceAttributes/verb"), path)
        };
        let request = Request { user: text("/spec/user"), groups: &groups, verb, target };
        let allowed = world.review(&request).is_some();
        count += 1;
        if Some(allowed) != review.pointer("/status/allowed").and_then(serde_json::Value::as_bool) {
            wrong.push(line.to_owned());
        }
    }
    assert!(count > 3000, "only {count} reviews were read");
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(10)].join("\n")
    );
}

/// The obvious evaluator: every rule of every binding, on the objects as JSON.
mod obvious {
    use serde_json::Value;

    pub(crate) struct Ask<'a> {
        pub(crate) user: &'a str,
        pub(crate) groups: Vec<String>,
        pub(crate) verb: &'a str,
        pub(crate) group: &'a str,
        /// `pods` or `pods/exec`.
        pub(crate) resource: &'a str,
        pub(crate) name: &'a str,
        pub(crate) namespace: &'a str,
    }

    fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }

    fn list<'v>(value: &'v Value, field: &str) -> Vec<&'v str> {
        let items = value.get(field).and_then(Value::as_array);
        items.map(|l| l.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    fn subject_is(subject: &Value, ask: &Ask<'_>, binding_namespace: &str) -> bool {
        let name = text(subject, "/name");
        match text(subject, "/kind") {
            "User" => name == ask.user,
            "Group" => ask.groups.iter().any(|g| g == name),
            "ServiceAccount" => {
                let own = text(subject, "/namespace");
                let namespace = if own.is_empty() { binding_namespace } else { own };
                !namespace.is_empty()
                    && ask.user == format!("system:serviceaccount:{namespace}:{name}")
            }
            _ => false,
        }
    }

    fn rule_allows(rule: &Value, ask: &Ask<'_>) -> bool {
        let verb = list(rule, "verbs").iter().any(|v| *v == "*" || *v == ask.verb);
        let group = list(rule, "apiGroups").iter().any(|g| *g == "*" || *g == ask.group);
        let resource = list(rule, "resources").iter().any(|r| {
            let any_with_sub = ask.resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
            *r == "*" || *r == ask.resource || Some((*r).to_owned()) == any_with_sub
        });
        let names = list(rule, "resourceNames");
        verb && group && resource && (names.is_empty() || names.contains(&ask.name))
    }

    pub(crate) fn allows(objects: &[Value], ask: &Ask<'_>) -> bool {
        objects.iter().filter(|o| text(o, "/kind").ends_with("RoleBinding")).any(|binding| {
            let namespace = text(binding, "/metadata/namespace");
            let covers = match text(binding, "/kind") {
                "ClusterRoleBinding" => true,
                _ => !ask.namespace.is_empty() && namespace == ask.namespace,
            };
            let role = objects.iter().find(|o| {
                text(o, "/kind") == text(binding, "/roleRef/kind")
                    && text(o, "/metadata/name") == text(binding, "/roleRef/name")
                    && (text(o, "/kind") == "ClusterRole"
                        || text(o, "/metadata/namespace") == namespace)
            });
            let subjects = binding.get("subjects").and_then(Value::as_array);
            covers
                && subjects.is_some_and(|s| s.iter().any(|s| subject_is(s, ask, namespace)))
                && role
                    .and_then(|r| r.get("rules"))
                    .and_then(Value::as_array)
                    .is_some_and(|rules| rules.iter().any(|r| rule_allows(r, ask)))
        })
    }
}

mod against_the_obvious {
    use super::{fixtures, obvious};
    use kspm_graph::world::grants::{Permission, Scope};
    use kspm_graph::world::rbac::{Request, Target};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const NAMESPACES: &[&str] = &["a", "b"];
    const RESOURCES: &[&str] = &["pods", "pods/exec", "secrets", "nodes", "nodes/proxy"];
    const NAMES: &[&str] = &["", "x", "y"];
    const USERS: &[&str] = &["u1", "u2", "system:serviceaccount:a:s", "system:serviceaccount:b:s"];

    fn some(of: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<&'static str>> {
        proptest::collection::vec(proptest::sample::select(of), 0..=most)
    }

    fn rule() -> impl Strategy<Value = Value> {
        (
            some(&["get", "create", "list", "*"], 2),
            some(&["", "apps", "*"], 2),
            some(&["pods", "pods/exec", "pods/*", "*/exec", "*", "secrets", "nodes/proxy"], 2),
            some(&["x", "y", "", "x*"], 2),
        )
            .prop_map(|(verbs, groups, resources, names)| {
                json!({"verbs": verbs, "apiGroups": groups, "resources": resources, "resourceNames": names})
            })
    }

    fn subject() -> impl Strategy<Value = Value> {
        prop_oneof![
            proptest::sample::select(USERS).prop_map(|u| json!({"kind": "User", "name": u})),
            proptest::sample::select(
                &[
                    "g",
                    "system:authenticated",
                    "system:serviceaccounts:a",
                    "system:serviceaccounts"
                ][..]
            )
            .prop_map(|g| json!({"kind": "Group", "name": g})),
            proptest::sample::select(&["", "a", "b"][..])
                .prop_map(|ns| json!({"kind": "ServiceAccount", "name": "s", "namespace": ns})),
        ]
    }

    /// Three roles of each kind, and bindings between them and random subjects.
    fn cluster() -> impl Strategy<Value = Vec<Value>> {
        let rules = proptest::collection::vec(proptest::collection::vec(rule(), 0..3), 6);
        let binding = (
            any::<bool>(),
            proptest::sample::select(&["r0", "r1", "missing"][..]),
            any::<bool>(),
            proptest::sample::select(NAMESPACES),
            proptest::collection::vec(subject(), 0..3),
        );
        (rules, proptest::collection::vec(binding, 1..6)).prop_map(|(rules, bindings)| {
            let mut objects = Vec::new();
            for (i, rules) in rules.into_iter().enumerate() {
                let name = format!("r{}", i % 2);
                objects.push(match i / 2 {
                    0 => json!({"kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}),
                    n => json!({"kind": "Role", "metadata": {"name": name, "namespace": NAMESPACES[n - 1]},
                        "rules": rules}),
                });
            }
            for (i, (wide, role, cluster_role, ns, subjects)) in bindings.into_iter().enumerate() {
                let role_kind = if cluster_role { "ClusterRole" } else { "Role" };
                let role = json!({"kind": role_kind, "name": role});
                let name = format!("b{i}");
                objects.push(if wide {
                    json!({"kind": "ClusterRoleBinding", "metadata": {"name": name}, "roleRef": role,
                        "subjects": subjects})
                } else {
                    json!({"kind": "RoleBinding", "metadata": {"name": name, "namespace": ns},
                        "roleRef": role, "subjects": subjects})
                });
            }
            objects
        })
    }

    fn world_of(objects: &[Value]) -> kspm_graph::world::World {
        let documents: Vec<String> = objects
            .iter()
            .map(|o| {
                let mut o = o.clone();
                o["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
                o.to_string()
            })
            .collect();
        fixtures::world(&documents.join("\n---\n"))
    }

    fn groups_of(user: &str) -> Vec<String> {
        let mut groups = vec!["system:authenticated".to_owned()];
        if let Some((ns, _)) = kspm_graph::world::rbac::account_of_user(user) {
            groups.push("system:serviceaccounts".to_owned());
            groups.push(format!("system:serviceaccounts:{ns}"));
        }
        groups
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_review_agrees(objects in cluster()) {
            let world = world_of(&objects);
            for user in USERS {
                for resource in RESOURCES {
                    for name in NAMES {
                        for namespace in ["", "a", "b"] {
                            for verb in ["get", "create", "list"] {
                                let groups = groups_of(user);
                                let ask = obvious::Ask {
                                    user, groups: groups.clone(), verb, group: "", resource, name, namespace,
                                };
                                let (main, sub) = resource.split_once('/').unwrap_or((resource, ""));
                                let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
                                let target = Target::Resource {
                                    group: "", resource: main, subresource: sub, name, namespace,
                                };
                                let request = Request { user, groups: &groups, verb, target };
                                prop_assert_eq!(
                                    world.review(&request).is_some(),
                                    obvious::allows(&objects, &ask),
                                    "{} may {} {} {:?} in {:?}", user, verb, resource, name, namespace
                                );
                            }
                        }
                    }
                }
            }
        }

        /// The way back, from a permission to the bindings that grant it, finds the same.
        #[test]
        fn every_grant_agrees(objects in cluster()) {
            let world = world_of(&objects);
            const ASKED: &[Permission] = &[
                Permission::namespaced("create", "", "pods"),
                Permission::namespaced("create", "", "pods/exec"),
                Permission::namespaced("get", "", "secrets"),
                Permission::namespaced("list", "", "secrets"),
                Permission::cluster("get", "", "nodes/proxy"),
            ];
            for permission in ASKED {
                let grants = world.grants(permission);
                for user in USERS {
                    let principal = world.principal_of_user(user);
                    let groups = groups_of(user);
                    let holds = |binding: kspm_graph::world::BindingIx| {
                        world.bindings[binding.index()].subjects.iter().any(|s| {
                            Some(s.principal) == principal
                                || groups.iter().filter_map(|g| world.group(g)).any(|g| {
                                    s.principal == kspm_graph::world::Principal::Group(g)
                                })
                        })
                    };
                    let names: &[&str] = if permission.named { &["x", "y"] } else { &[""] };
                    for name in names {
                        let namespaces: &[&str] = if permission.cluster { &[""] } else { NAMESPACES };
                        for namespace in namespaces {
                            let sym = |text: &str| world.symbols.get(text);
                            let found = grants.iter().any(|g| {
                                holds(g.binding)
                                    && (name.is_empty() || sym(name).is_some_and(|n| g.names.covers(n))
                                        || g.names == kspm_graph::world::grants::Names::All)
                                    && match g.scope {
                                        Scope::Cluster => true,
                                        Scope::Namespace(ns) => sym(namespace) == Some(ns),
                                    }
                            });
                            let resource = match permission.subresource {
                                "" => permission.resource.to_owned(),
                                sub => format!("{}/{sub}", permission.resource),
                            };
                            let ask = obvious::Ask {
                                user, groups: groups.clone(), verb: permission.verb, group: "",
                                resource: &resource, name, namespace,
                            };
                            prop_assert_eq!(
                                found, obvious::allows(&objects, &ask),
                                "{} may {} {:?} in {:?}", user, permission.phrase(), name, namespace
                            );
                        }
                    }
                }
            }
        }
    }
}
