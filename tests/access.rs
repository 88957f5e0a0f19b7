//! Questions about permissions: `who-can` and `can-i` held against what Kubernetes does, and against
//! each other on random RBAC.

use crate::fixtures::world;
use kspm_graph::query::access::{
    Asked, Doubt, cautions, doubts, granting, groups_of, holders, unplaced, user_name,
};
use kspm_graph::world::World;
use kspm_graph::world::rbac::Request;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A question: verb, resource, name, namespace.
type Question<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>);

/// Reads `patch namespaces a -n a`.
fn question(text: &str) -> Question<'_> {
    let (words, namespace) = match text.split_once(" -n ") {
        Some((words, namespace)) => (words, Some(namespace)),
        None => (text, None),
    };
    let mut words = words.split(' ');
    (words.next().unwrap(), words.next().unwrap(), words.next(), namespace)
}

fn can_i(world: &World, who: &str, (verb, resource, name, namespace): Question<'_>) -> bool {
    let user = user_name(who);
    let groups = groups_of(&user);
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let asked = Asked::read(world, verb, resource);
    let target = asked.target(name, namespace);
    world.review(&Request { user: &user, groups: &groups, verb, target }).is_some()
}

/// Subjects, each with the namespace in which it holds what is asked for.
fn who_can(
    world: &World,
    (verb, resource, name, namespace): Question<'_>,
) -> BTreeSet<(String, String)> {
    let asked = Asked::read(world, verb, resource);
    let held = holders(world, &granting(world, &asked, name, namespace));
    held.into_iter().map(|h| (h.subject, h.namespace)).collect()
}

/// The users that `who-can` lists, without the bootstrap roles' own.
fn users(world: &World, text: &str) -> Vec<String> {
    let mut users: Vec<String> = who_can(world, question(text))
        .into_iter()
        .filter_map(|(subject, _)| Some(subject.strip_prefix("user/")?.to_owned()))
        .filter(|user| !user.starts_with("system:"))
        .collect();
    users.dedup();
    users
}

/// `can-i` of each of some users, and `who-can` of all of them.
#[track_caller]
fn holds(world: &World, text: &str, may: &[&str], all: &[&str]) {
    for user in all {
        assert_eq!(can_i(world, user, question(text)), may.contains(user), "{user}: {text}");
    }
    assert_eq!(users(world, text), may, "who-can {text}");
}

fn warnings(world: &World, text: &str) -> Vec<String> {
    let (verb, resource, name, namespace) = question(text);
    let asked = Asked::read(world, verb, resource);
    let mut all = doubts(world, &asked, namespace);
    all.extend(cautions(&asked, name, namespace));
    all.extend(unplaced(world, &asked, &granting(world, &asked, name, namespace)));
    all.iter().map(Doubt::sentence).collect()
}

fn rule(groups: &[&str], resources: &[&str], verbs: &[&str], names: &[&str]) -> Value {
    json!({"apiGroups": groups, "resources": resources, "verbs": verbs, "resourceNames": names})
}

fn user(name: &str) -> Value {
    json!({"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"})
}

/// A ClusterRole of some rules and its binding, in a namespace or in the whole cluster.
fn grant(name: &str, subject: &Value, ns: &str, rules: &[Value]) -> Vec<Value> {
    let api = "rbac.authorization.k8s.io";
    let mut binding = json!({"kind": "ClusterRoleBinding", "apiVersion": format!("{api}/v1"),
        "metadata": {"name": name}, "subjects": [subject],
        "roleRef": {"kind": "ClusterRole", "name": name, "apiGroup": api}});
    if !ns.is_empty() {
        binding["kind"] = json!("RoleBinding");
        binding["metadata"]["namespace"] = json!(ns);
    }
    vec![
        json!({"kind": "ClusterRole", "apiVersion": format!("{api}/v1"),
            "metadata": {"name": name}, "rules": rules}),
        binding,
    ]
}

fn cluster(objects: impl IntoIterator<Item = Value>) -> World {
    let namespaces = ["a", "b"]
        .map(|ns| json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": ns}}));
    let items: Vec<Value> = namespaces.into_iter().chain(objects).collect();
    world(&json!({"kind": "List", "apiVersion": "v1", "items": items}).to_string())
}

fn definition(group: &str, plural: &str, kind: &str, short: &str, scope: &str) -> Value {
    json!({"kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": scope, "versions": [],
            "names": {"plural": plural, "kind": kind, "shortNames": [short]}}})
}

/// The server asks for `users`, `groups` and `serviceaccounts` in the core group, and for `uids`
/// and `userextras` in `authentication.k8s.io`; of accounts alone in a namespace.
#[test]
fn rights_to_impersonate_are_asked_for_as_the_server_does() {
    let both = ["users", "groups", "uids", "userextras/scopes"];
    let world = cluster(
        [
            grant("core", &user("core"), "", &[rule(&[""], &both, &["impersonate"], &[])]),
            grant(
                "auth",
                &user("auth"),
                "",
                &[rule(&["authentication.k8s.io"], &both, &["impersonate"], &["bob"])],
            ),
            grant(
                "inside",
                &user("inside"),
                "a",
                &[rule(&[""], &["users", "groups", "serviceaccounts"], &["impersonate"], &[])],
            ),
        ]
        .concat(),
    );
    let all = ["auth", "core", "inside"];
    holds(&world, "impersonate users bob", &["core"], &all);
    holds(&world, "impersonate groups bob", &["core"], &all);
    holds(&world, "impersonate uids bob", &["auth"], &all);
    holds(&world, "impersonate userextras/scopes bob", &["auth"], &all);
    holds(&world, "impersonate uids eve", &[], &all);
    holds(&world, "impersonate serviceaccounts bob -n a", &["inside"], &all);
    holds(&world, "impersonate serviceaccounts bob -n b", &[], &all);
}

/// kubectl asks the server for the group; the table stands for it.
#[test]
fn resources_of_kubernetes_need_no_group() {
    let held = [
        ("authentication.k8s.io", "tokenreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
        ("node.k8s.io", "runtimeclasses"),
        ("scheduling.k8s.io", "priorityclasses"),
        ("discovery.k8s.io", "endpointslices"),
        ("apiregistration.k8s.io", "apiservices"),
        ("policy", "podsecuritypolicies"),
        ("flowcontrol.apiserver.k8s.io", "flowschemas"),
        ("autoscaling", "horizontalpodautoscalers"),
        ("coordination.k8s.io", "leases"),
        ("apps", "controllerrevisions"),
    ];
    for (group, resource) in held {
        let right = grant("x", &user("x"), "", &[rule(&[group], &[resource], &["create"], &[])]);
        let other = grant("y", &user("y"), "", &[rule(&["no"], &[resource], &["create"], &[])]);
        let world = cluster([right, other].concat());
        holds(&world, &format!("create {resource}"), &["x"], &["x", "y"]);
        holds(&world, &format!("create {resource}.{group}"), &["x"], &["x", "y"]);
        holds(&world, &format!("create {resource}.no"), &["y"], &["x", "y"]);
        let started = group.get(..4).unwrap();
        holds(&world, &format!("create {resource}.{started}"), &["x"], &["x", "y"]);
    }
}

/// A custom resource is known by its definition, by its short name too, and where that was not
/// collected by the rules that name it.
#[test]
fn custom_resources_are_found_by_definition_and_by_rule() {
    let shop = |name: &str, ns: &str, group: &str| {
        grant(name, &user(name), ns, &[rule(&[group], &["carts"], &["get"], &[])])
    };
    let rights = [shop("x", "", "shop.example.com"), shop("y", "a", "shop.example.com")].concat();
    let all = ["x", "y"];
    let defined = |scope: &str| {
        let cart = definition("shop.example.com", "carts", "Cart", "ct", scope);
        cluster([rights.clone(), vec![cart]].concat())
    };
    for typed in ["carts", "cart", "ct", "carts.shop", "carts.v1.shop.example.com"] {
        let inside = defined("Namespaced");
        assert_eq!(users(&inside, &format!("get {typed}")), ["x", "y"], "{typed}");
        holds(&inside, &format!("get {typed} -n a"), &["x", "y"], &all);
        holds(&inside, &format!("get {typed} -n b"), &["x"], &all);
        holds(&defined("Cluster"), &format!("get {typed}"), &["x"], &all);
    }
    assert!(warnings(&defined("Namespaced"), "get carts").is_empty());
    assert!(warnings(&defined("Cluster"), "get carts").is_empty());

    let told_by_rules = cluster(rights.clone());
    holds(&told_by_rules, "get carts -n a", &["x", "y"], &all);
    let unplaced = warnings(&told_by_rules, "get carts");
    assert!(unplaced.len() == 1 && unplaced[0].contains("RoleBindings"), "{unplaced:?}");

    // Rules of two groups: one of them is meant, and the other is told.
    let two = cluster([rights.clone(), shop("z", "", "aaa.example.com")].concat());
    holds(&two, "get carts", &["z"], &["x", "z"]);
    holds(&two, "get carts.shop.example.com -n a", &["x", "y"], &["x", "y", "z"]);
    let several = warnings(&two, "get carts");
    assert!(several[0].contains("did you mean `carts.shop.example.com`"), "{several:?}");
    assert!(warnings(&two, "get carts.shop.example.com -n a").iter().all(|w| !w.contains("mean")));
    // What the snapshot defines is what its server serves.
    let cart = definition("shop.example.com", "carts", "Cart", "ct", "Namespaced");
    let two = cluster([rights, shop("z", "", "aaa.example.com"), vec![cart]].concat());
    holds(&two, "get carts -n a", &["x", "y"], &["x", "y", "z"]);
}

/// A rule that spells a resource of the wrong group grants nothing; who believed it shall know.
#[test]
fn a_resource_that_rules_name_of_another_group_alone_is_told() {
    let wrong = rule(&["apps"], &["resourcequotas"], &["delete"], &[]);
    let world = cluster(grant("x", &user("x"), "", &[wrong]));
    holds(&world, "delete componentstatuses", &[], &["x"]);
    assert!(warnings(&world, "delete componentstatuses").is_empty());
    let wrong = rule(&["apps"], &["componentstatuses"], &["delete"], &[]);
    let world = cluster(grant("x", &user("x"), "", &[wrong]));
    holds(&world, "delete componentstatuses", &[], &["x"]);
    let told = warnings(&world, "delete componentstatuses");
    assert!(told[0].contains("of the core group") && told[0].contains("`apps`"), "{told:?}");
    // A slip of the pen.
    assert!(warnings(&world, "get podz")[0].contains("`pods`"));
}

/// `rule.go` and `RequestInfoFactory`: a RoleBinding grants no path and nothing that lives outside
/// namespaces, but for what the server asks with a namespace.
#[test]
fn a_role_binding_grants_what_is_asked_with_its_namespace() {
    let everything = [
        rule(&["*"], &["*"], &["*"], &[]),
        json!({"nonResourceURLs": ["/metrics", "/debug/*"], "verbs": ["get"]}),
    ];
    let rights =
        [grant("in", &user("in"), "a", &everything), grant("wide", &user("wide"), "", &everything)];
    let world = cluster(rights.concat());
    let all = ["in", "wide"];
    let cluster_wide = [
        "get /metrics",
        "get /debug/pprof",
        "create certificatesigningrequests",
        "update certificatesigningrequests/approval",
        "approve signers",
        "create storageclasses",
        "create csr",
        "get nodes/proxy n1",
        "impersonate users bob",
        "impersonate userextras/scopes x",
        "create tokenreviews",
        "bind clusterrolebindings x",
        "escalate clusterroles",
        "use podsecuritypolicies x -n b",
        "list namespaces",
        "list namespaces a",
        "watch namespaces a",
        "create namespaces a",
        "get namespaces b",
        "get namespaces b -n b",
        "deletecollection namespaces",
        "get namespaces/other a",
    ];
    for text in cluster_wide {
        holds(&world, text, &["wide"], &all);
    }
    let inside = [
        "get pods -n a",
        "get namespaces a",
        "get namespaces a -n a",
        "patch ns a",
        "update namespaces/status a",
        "update namespaces/finalize a",
        "delete namespaces a",
        // The server asks with the binding's and with the pod's namespace.
        "bind clusterroles view -n a",
        "use podsecuritypolicies x -n a",
        "use securitycontextconstraints x -n a",
        "create localsubjectaccessreviews -n a",
        "impersonate serviceaccounts x -n a",
    ];
    for text in inside {
        holds(&world, text, &["in", "wide"], &all);
    }
    // Without a namespace who-can tells of all of them, and where.
    let listed = who_can(&world, question("bind clusterroles view"));
    assert!(listed.contains(&("user/in".to_owned(), "a".to_owned())));
}

/// A review with a namespace says yes where no request bears one: `can-i` answers it so, and tells;
/// `who-can` names nobody who could not do it.
#[test]
fn a_namespace_on_what_lives_outside_them_is_told() {
    let rights =
        grant("in", &user("in"), "a", &[rule(&[""], &["nodes", "namespaces"], &["get"], &[])]);
    let world = cluster(rights);
    for text in ["get nodes n1 -n a", "get namespaces b -n a"] {
        assert!(can_i(&world, "in", question(text)), "{text}");
        assert!(users(&world, text).is_empty(), "{text}");
        assert!(!warnings(&world, text).is_empty(), "{text}");
    }
    for text in ["get nodes n1", "get namespaces a -n a", "get namespaces a"] {
        assert!(warnings(&world, text).is_empty(), "{text}: {:?}", warnings(&world, text));
    }
}

const GROUPS: &[&str] =
    &["", "apps", "*", "rbac.authorization.k8s.io", "shop.example.com", "authentication.k8s.io"];
const RESOURCES: &[&str] = &[
    "*",
    "pods",
    "pods/exec",
    "*/scale",
    "deployments",
    "nodes",
    "namespaces",
    "namespaces/finalize",
    "clusterroles",
    "users",
    "groups",
    "uids",
    "serviceaccounts",
    "carts",
    "podsecuritypolicies",
];
const VERBS: &[&str] = &["*", "get", "list", "create", "patch", "impersonate", "bind", "use"];
const NAMES: &[&str] = &["a", "b", "x"];
const URLS: &[&str] = &["/metrics", "/debug/*", "*"];
const ASKED: &[&str] = &[
    "pods",
    "po/exec",
    "deploy/scale",
    "nodes",
    "ns",
    "namespaces/finalize",
    "clusterroles",
    "users",
    "groups",
    "uids",
    "sa",
    "carts",
    "carts.shop",
    "psp",
    "*",
    "/metrics",
    "/debug/x",
];

fn subjects() -> Vec<Value> {
    let mut all: Vec<Value> = ["ann", "bea"].map(user).into();
    for ns in ["a", "b"] {
        all.push(json!({"kind": "ServiceAccount", "name": "robot", "namespace": ns}));
    }
    for group in ["system:serviceaccounts:a", "system:serviceaccounts", "system:authenticated"] {
        all.push(json!({"kind": "Group", "name": group}));
    }
    all
}

/// Those who ask: each subject that is nobody's group, with the subjects that it is.
const ACTORS: &[(&str, &[&str])] = &[
    ("ann", &["user/ann", "group/system:authenticated"]),
    ("bea", &["user/bea", "group/system:authenticated"]),
    (
        "sa/a/robot",
        &[
            "sa/a/robot",
            "group/system:serviceaccounts:a",
            "group/system:serviceaccounts",
            "group/system:authenticated",
        ],
    ),
    ("sa/b/robot", &["sa/b/robot", "group/system:serviceaccounts", "group/system:authenticated"]),
];

fn picks(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(of), 1..3)
}

fn rules() -> impl Strategy<Value = Value> {
    let names = prop::collection::vec(prop::sample::select(NAMES), 0..2);
    prop_oneof![
        4 => (picks(GROUPS), picks(RESOURCES), picks(VERBS), names)
            .prop_map(|(g, r, v, n)| rule(&g, &r, &v, &n)),
        1 => (picks(URLS), picks(VERBS))
            .prop_map(|(u, v)| json!({"nonResourceURLs": u, "verbs": v})),
    ]
}

/// Who is bound to some rules, and where.
type Bound = (usize, &'static str, Vec<Value>);

fn bound() -> impl Strategy<Value = Vec<Bound>> {
    let one = (
        0..subjects().len(),
        prop::sample::select(&["", "a", "b"][..]),
        prop::collection::vec(rules(), 1..3),
    );
    prop::collection::vec(one, 1..5)
}

fn random(bound: &[Bound], scope: Option<&str>) -> World {
    let grants = bound.iter().enumerate().flat_map(|(i, (subject, ns, rules))| {
        grant(&format!("g{i}"), &subjects()[*subject], ns, rules)
    });
    let accounts = ["a", "b"].map(|ns| {
        json!({"kind": "ServiceAccount", "apiVersion": "v1",
            "metadata": {"name": "robot", "namespace": ns}})
    });
    let carts = scope.map(|scope| definition("shop.example.com", "carts", "Cart", "ct", scope));
    cluster(grants.chain(accounts).chain(carts))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whom `who-can` lists, `can-i` allows, and nobody else.
    #[test]
    fn who_can_and_can_i_agree(
        bound in bound(),
        scope in prop::sample::select(&[None, Some("Namespaced"), Some("Cluster")][..]),
    ) {
        let world = random(&bound, scope);
        for verb in &VERBS[1..] {
            for resource in ASKED {
                for name in [None, Some("a"), Some("x")] {
                    agree(&world, verb, resource, name)?;
                }
            }
        }
    }
}

fn agree(
    world: &World,
    verb: &str,
    resource: &str,
    name: Option<&str>,
) -> Result<(), TestCaseError> {
    let listed = who_can(world, (verb, resource, name, None));
    let wide = Asked::read(world, verb, resource).is_cluster_wide();
    for (who, is) in ACTORS {
        let has = |listed: &BTreeSet<(String, String)>, ns: Option<&str>| {
            is.iter().any(|subject| {
                let of = |ns: &str| listed.contains(&((*subject).to_owned(), ns.to_owned()));
                of("") || ns.is_some_and(of)
            })
        };
        let may = |ns: Option<&str>| can_i(world, who, (verb, resource, name, ns));
        let told = format!("{who}: {verb} {resource} {name:?}");
        if wide {
            // A RoleBinding counts by the name of its own namespace alone.
            let own = name.filter(|_| resource.starts_with('n'));
            prop_assert_eq!(has(&listed, own), may(None), "{}", told);
            for ns in ["a", "b"] {
                let again = who_can(world, (verb, resource, name, Some(ns)));
                prop_assert_eq!(&again, &listed, "{} -n {}", told, ns);
            }
            continue;
        }
        prop_assert_eq!(has(&listed, None), may(None), "{}", told);
        for ns in ["a", "b"] {
            prop_assert_eq!(has(&listed, Some(ns)), may(Some(ns)), "{} -n {}", told, ns);
            let inside = who_can(world, (verb, resource, name, Some(ns)));
            prop_assert_eq!(has(&inside, Some(ns)), may(Some(ns)), "{} -n {}", told, ns);
            prop_assert!(inside.is_subset(&listed), "{} -n {}", told, ns);
        }
    }
    Ok(())
}

/// The property is not held by clusters in which nobody may do anything.
#[test]
fn random_rights_do_allow_some() {
    let all = vec![rule(&["*"], &["*"], &["*"], &[])];
    let world = random(&[(0, "a", all)], None);
    assert!(can_i(&world, "ann", question("get pods -n a")));
    assert!(!can_i(&world, "ann", question("get pods -n b")));
    assert!(!can_i(&world, "bea", question("get pods -n a")));
}
