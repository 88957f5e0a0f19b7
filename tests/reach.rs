//! `reach`: every form of the answer, on an example cluster and on hostile names.

use super::cli::{cluster, fails, fits, json, stdout};
use dot_parser::{ast, canonical};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;

/// The rows of a connection, by their ends.
fn rows<'v>(all: &'v Value, src: &str, dst: &str) -> Vec<&'v Value> {
    let rows = all["connections"].as_array().unwrap().iter();
    rows.filter(|r| r["src"] == src && r["dst"] == dst).collect()
}

#[test]
fn policies_decide_and_the_answer_says_which() {
    let shop = cluster("shop");
    let args = ["reach", &shop, "--from", "deploy/shop-api/api", "--to", "sts/shop-db/postgres"];
    let open = stdout(&[&args[..], &["--port", "5432"]].concat());
    for text in [
        "shop-api/api[Deployment] -> shop-db/postgres[StatefulSet]",
        "TCP 5432: allowed",
        "allowed by shop-db/db-only-api .spec.ingress[0]",
        "cluster.json:",
        "remove or narrow shop-db/db-only-api .spec.ingress[0]",
    ] {
        assert!(open.contains(text), "`{text}` is not in:\n{open}");
    }
    let shut = stdout(&[&args[..], &["--port", "22"]].concat());
    for text in [
        "TCP 22: denied",
        "isolated for ingress by shop-db/db-only-api; no rule matches",
        "it would need a rule in .spec.ingress of shop-db/db-only-api",
        "kubernetes.io/metadata.name: shop-api",
        "port: 22",
    ] {
        assert!(shut.contains(text), "`{text}` is not in:\n{shut}");
    }
    let free = stdout(&["reach", &shop, "--from", "internet", "--to", "deploy/ci/runner"]);
    assert!(free.contains("a default-deny for ingress in namespace ci would"), "{free}");
}

#[test]
fn the_overview_says_what_isolates_what_faces_outside_and_who_gets_out() {
    let text = stdout(&["reach", &cluster("shop")]);
    for part in [
        "which network plugin runs is not shown",
        "isolated 8 of 24 workloads for ingress, 2 for egress",
        "shop-db   egress   2 of 2  by shop-db/db-only-api",
        "faces the internet (9)",
        "shop-db/service/pgadmin",
        "metadata service 169.254.169.254:80  allowed: 22 of 24",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    assert_eq!(text, stdout(&["reach", &cluster("shop"), "--threads", "1"]));
}

#[test]
fn the_data_fits_its_schema_and_holds_every_connection() {
    let shop = cluster("shop");
    let all = json(&["reach", &shop, "-q", "-o", "json"]);
    fits("reach", &all);
    let (api, db) = ("shop-api/api[Deployment]", "shop-db/postgres[StatefulSet]");
    let found = rows(&all, api, db);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["verdict"], "allowed");
    assert_eq!(
        found[0]["ports"],
        serde_json::json!([{"protocol": "TCP", "from": 5432, "to": 5432}])
    );
    assert!(rows(&all, "shop-web/web[Deployment]", db).is_empty());
    assert!(rows(&all, "0.0.0.0-255.255.255.255", db).is_empty());
    let runner = rows(&all, "0.0.0.0-255.255.255.255", "ci/runner[Deployment]");
    assert_eq!(runner[0]["ports"].as_array().unwrap().len(), 3);
    let exposed = all["exposed"].as_array().unwrap();
    let door = |entry: &str| exposed.iter().find(|e| e["entry"] == entry);
    assert_eq!(door("shop-web/service/cfg-sync").unwrap()["verdict"], "allowed");
    assert_eq!(door("shop-db/service/pgadmin"), None, "policies close it to everybody");
    let denied = json(&["reach", &shop, "-q", "--all", "-o", "json"]);
    fits("reach", &denied);
    let found = rows(&denied, api, db);
    assert_eq!(found.len(), 2);
    assert_eq!(found[1]["verdict"], "denied");
    let one =
        json(&["reach", &shop, "-q", "--from", "ns/shop-api", "--to", "ns/shop-db", "-o", "json"]);
    fits("reach", &one);
    assert!(!one["connections"][0]["why"][0]["ingress"].as_array().unwrap().is_empty());
    for level in ["pod", "namespace"] {
        let other = json(&["reach", &shop, "-q", "--level", level, "-o", "json"]);
        fits("reach", &other);
        assert_eq!(other["level"], level);
    }
}

/// Every connection as a line, sets taken apart.
fn lines(all: &Value) -> BTreeSet<String> {
    let sets = all["sets"].as_array().cloned().unwrap_or_default();
    let members = |name: &Value| -> Vec<Value> {
        let set = sets.iter().find(|set| set["name"] == *name);
        set.map_or_else(|| vec![name.clone()], |set| set["members"].as_array().unwrap().clone())
    };
    let mut lines = BTreeSet::new();
    for row in all["connections"].as_array().unwrap() {
        for src in members(&row["src"]) {
            for dst in members(&row["dst"]).iter().filter(|dst| **dst != src) {
                let rest = [&row["ports"], &row["verdict"], &row["reason"]];
                let line = format!("{src} {dst} {} {} {}", rest[0], rest[1], rest[2]);
                assert!(lines.insert(line), "twice: {row}");
            }
        }
    }
    lines
}

fn is_range(word: &str) -> bool {
    let ends = word.trim_matches('"').split_once('-');
    ends.is_some_and(|(first, last)| [first, last].iter().all(|a| a.parse::<IpAddr>().is_ok()))
}

#[test]
fn sets_say_what_pairs_say_in_fewer_rows() {
    for name in ["shop", "one-fence"] {
        let file = cluster(name);
        for more in [
            &[][..],
            &["--all"],
            &["--level", "pod"],
            &["--level", "namespace", "--all"],
            &["--port", "5432", "--all"],
            &["--enforces", "no"],
            &["--enforces", "unknown", "--all"],
            &["--to", "kind:node"],
            &["--from", "kind:node", "--to", "kind:pod"],
        ] {
            let args = [&["reach", &file, "-q", "-o", "json"], more].concat();
            let (pairs, sets) = (json(&args), json(&[&args[..], &["--sets"]].concat()));
            fits("reach", &sets);
            let inside = |all: &Value| -> BTreeSet<String> {
                // Ranges are as wide in sets as one end's policies leave them.
                lines(all).into_iter().filter(|line| !line.split(' ').any(is_range)).collect()
            };
            assert_eq!(inside(&pairs), inside(&sets), "{name} {more:?}");
            let rows = |all: &Value| all["connections"].as_array().unwrap().len();
            assert!(rows(&sets) <= rows(&pairs), "{name} {more:?}");
        }
    }
}

#[test]
fn the_plugin_decides_whether_policies_count() {
    let shop = cluster("shop");
    let (web, db) = ("shop-web/web[Deployment]", "shop-db/postgres[StatefulSet]");
    let ask = |options: &[&str]| {
        let all = json(&[&["reach", &shop, "-q", "-o", "json"], options].concat());
        rows(&all, web, db).first().map(|r| (r["verdict"].clone(), r["reason"].clone()))
    };
    assert_eq!(ask(&[]), None);
    assert_eq!(ask(&["--cni", "calico"]), None);
    let (verdict, reason) = ask(&["--cni", "flannel"]).unwrap();
    assert_eq!(verdict, "allowed");
    assert!(reason.as_str().unwrap().contains("flannel does not enforce"), "{reason}");
    assert_eq!(ask(&["--enforces", "no"]).unwrap().0, "allowed");
    let (verdict, reason) = ask(&["--enforces", "unknown"]).unwrap();
    assert_eq!(verdict, "unknown");
    assert!(reason.as_str().unwrap().contains("are enforced is not known"), "{reason}");
}

/// What a second reader sees in a DOT text.
fn read(text: &str) -> (usize, usize) {
    let parsed = ast::Graph::try_from(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let graph = canonical::Graph::from(parsed);
    (graph.nodes.set.len(), graph.edges.set.len())
}

#[test]
fn pictures_and_matrices() {
    let shop = cluster("shop");
    let dot = stdout(&["reach", &shop, "-q", "-o", "dot"]);
    let (nodes, edges) = read(&dot);
    assert_eq!(edges, dot.lines().filter(|l| l.contains(" -> ")).count());
    assert!(nodes > 5 && edges > 5, "{dot}");
    assert!(dot.contains("TCP 5432"), "{dot}");
    let md = stdout(&["reach", &shop, "-q", "--level", "namespace", "-o", "md"]);
    let table: Vec<&str> = md.lines().filter(|l| l.starts_with('|')).collect();
    let columns = table[0].matches('|').count();
    assert!(table.iter().all(|l| l.matches('|').count() == columns), "{md}");
    let api = table.iter().find(|l| l.starts_with("| shop-api\\[Namespace\\]")).unwrap();
    assert!(api.contains("TCP 5432"), "{md}");
}

#[test]
fn mistakes_in_ends_and_ports_are_told_with_help() {
    let shop = cluster("shop");
    fails(&["reach", &shop, "--port", "http"], 2, &["`http`", "5432"]);
    fails(&["reach", &shop, "--from", "10.0.0.0/40"], 2, &["`10.0.0.0/40`", "help:"]);
    fails(&["reach", &shop, "--to", "sts/shop-db/postgre"], 2, &["`sts/shop-db/postgre`", "help:"]);
    fails(&["reach", &shop, "--to", "clusterrole/view"], 2, &["nothing that runs", "help:"]);
    fails(&["reach", &shop, "-o", "svg"], 2, &["`svg`", "dot"]);
    fails(&["reach", &shop, "--level", "pod", "--level", "x"], 2, &[]);
}

#[test]
fn hostile_names_are_made_safe_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.json");
    let name = "a\u{1b}[2J\u{202e}\"]|`<b>\\\n";
    let pod = |name: &str, app: &str| {
        serde_json::json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "x", "labels": {"app": app}},
            "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]},
            "status": {"phase": "Running"}})
    };
    let policy = serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "x"},
        "spec": {"podSelector": {"matchLabels": {"app": "b"}},
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": name}}}]}]}});
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List",
        "items": [pod(name, name), pod("b", "b"), policy]});
    fs::write(&file, list.to_string()).unwrap();
    let file = file.to_str().unwrap();
    for format in ["text", "dot", "md"] {
        for ends in [&[][..], &["--to", "pod/x/b"], &["--to", "pod/x/b", "--from", "pod/x/a*"]] {
            let args = [&["reach", file, "-q", "--all", "-o", format], ends].concat();
            let text = stdout(&args);
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{format}: {text:?}");
            if format == "dot" {
                read(&text);
            }
            if format == "md" {
                assert!(!text.contains("<b>"), "{text}");
            }
        }
    }
    let all = json(&["reach", file, "-q", "-o", "json"]);
    fits("reach", &all);
    let found = rows(&all, &format!("x/{name}[Pod]"), "x/b[Pod]");
    assert_eq!(found.len(), 1, "{all}");
}

#[test]
fn the_sample_in_the_readme_is_what_is_printed() {
    let path = format!("{}/README.md", env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once("```sh\nkspm-graph reach ").unwrap();
    let (command, rest) = rest.split_once("\n```\n\n```text\n").unwrap();
    let (sample, after) = rest.split_once("```").unwrap();
    let args: Vec<&str> = std::iter::once("reach").chain(command.split_whitespace()).collect();
    let printed = stdout(&args);
    if std::env::var("UPDATE").is_ok() {
        let head = "```sh\nkspm-graph reach ";
        let fresh = format!("{before}{head}{command}\n```\n\n```text\n{printed}```{after}");
        fs::write(&path, fresh).unwrap();
        return;
    }
    assert_eq!(sample, printed, "the README's sample is stale");
}

/// A Service whose endpoints are made by hand leads to pods of another namespace, on ports of the
/// slice's own, and their policies hold.
#[test]
fn endpoints_made_by_hand_are_behind_their_service() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hand.yaml");
    let pod = |name: &str, ip: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: db, labels: {{app: {name}}}}}\n\
             spec: {{nodeName: n, containers: [{{name: c, image: i}}]}}\nstatus: {{phase: Running, podIP: {ip}}}\n"
        )
    };
    let hand = "---\napiVersion: v1\nkind: Service\nmetadata: {name: lb, namespace: edge}\n\
        spec: {type: LoadBalancer, ports: [{name: sql, port: 80}]}\n\
        status: {loadBalancer: {ingress: [{ip: 203.0.113.9}]}}\n\
        ---\naddressType: IPv4\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n\
        metadata: {name: lb-1, namespace: edge, labels: {kubernetes.io/service-name: lb}}\n\
        endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]\nports: [{name: sql, port: 5432}]\n";
    let policy = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: shut, namespace: db}\n\
        spec: {podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: {}}]}]}\n";
    let pods = [pod("a", "10.0.0.1"), pod("b", "10.0.0.2"), pod("c", "10.0.0.3")].concat();
    let text = [&pods, hand, policy].concat();
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let all = json(&["reach", file, "-q", "--all", "--enforces", "yes", "-o", "json"]);
    fits("reach", &all);
    let doors: Vec<(&str, u64, &str)> = all["exposed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert_eq!(row["entry"], "edge/service/lb", "{row}");
            let port = row["ports"][0]["from"].as_u64().unwrap();
            (row["dst"].as_str().unwrap(), port, row["verdict"].as_str().unwrap())
        })
        .collect();
    let b = doors.iter().find(|(dst, ..)| *dst == "db/b[Pod]").map(|(_, port, is)| (*port, *is));
    assert!(doors.contains(&("db/a[Pod]", 5432, "allowed")), "{doors:?}");
    assert!(b.is_some_and(|(port, is)| port == 5432 && is != "allowed"), "{doors:?}");
    assert!(!doors.iter().any(|(dst, ..)| *dst == "db/c[Pod]"), "{doors:?}");
}

#[test]
fn addresses_are_split_where_policies_tell_them_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("egress.yaml");
    let pod = |name: &str, more: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: x, labels: {{app: {name}}}}}\n\
             spec: {{nodeName: n, {more}containers: [{{name: c, image: i}}]}}\nstatus: {{phase: Running}}\n"
        )
    };
    let policy = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
        metadata: {name: out, namespace: x}\n\
        spec:\n  podSelector: {matchLabels: {app: a}}\n  policyTypes: [Ingress, Egress]\n\
        \x20 egress:\n  - to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]\n";
    let text = [pod("a", ""), pod("h", "hostNetwork: true, "), policy.to_owned()].concat();
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let all = json(&["reach", file, "-q", "--all", "-o", "json"]);
    fits("reach", &all);
    let out = |range: &str| rows(&all, "x/a[Pod]", range)[0]["verdict"].clone();
    assert_eq!(out("0.0.0.0-169.254.169.253"), "allowed");
    assert_eq!(out("169.254.169.254-169.254.169.254"), "denied");
    assert_eq!(out("169.254.169.255-255.255.255.255"), "allowed");
    // A machine reaches its own pods whatever policies say; the way back is the plugin's affair.
    assert_eq!(rows(&all, "x/h[Pod]", "x/a[Pod]")[0]["verdict"], "allowed");
    let told = stdout(&["reach", file, "--from", "pod/x/a", "--to", "169.254.169.254"]);
    assert!(told.contains("isolated for egress by x/out; no rule matches"), "{told}");
    assert!(told.contains("{ipBlock: {cidr: 169.254.169.254/32}}"), "{told}");
    let text = stdout(&["reach", file]);
    assert!(
        text.contains("metadata service 169.254.169.254:80  allowed: 1 of 2  x/h[Pod]"),
        "{text}"
    );
    assert!(text.contains("internet  allowed: 2 of 2"), "{text}");
}

/// `shop/db`, which lets only `ops/job` in and only on 5432, behind a Service, and a node.
const HELD: &str = r"
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 172.16.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}
status: {phase: Running, podIP: 10.2.0.5, podIPs: [{ip: 10.2.0.5}, {ip: 'fd00:2::5'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: ops, labels: {app: job}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.2.0.6}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: ops}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.2.0.7}
---
apiVersion: v1
kind: Pod
metadata: {name: ended, namespace: ops}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {phase: Succeeded, podIP: 10.2.0.8}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, clusterIP: 10.96.0.7, ports: [{port: 80, targetPort: 5432}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: own, namespace: shop}
spec:
  podSelector: {}
  ingress:
  - {from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: job}}}], ports: [{port: 5432}]}
";

#[test]
fn an_address_of_the_cluster_is_whoever_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("held.yaml");
    fs::write(&file, HELD).unwrap();
    let file = file.to_str().unwrap();
    for (from, to, port, says) in [
        ("pod/ops/job", "10.2.0.5", "80", "TCP 80: denied"),
        ("pod/ops/job", "10.2.0.5", "5432", "TCP 5432: allowed"),
        ("pod/ops/job", "fd00:2::5", "80", "TCP 80: denied"),
        ("10.2.0.6", "pod/shop/db", "5432", "TCP 5432: allowed"),
        ("10.2.0.7", "pod/shop/db", "5432", "TCP 5432: denied"),
        // What is sent to a Service goes on to its pods, and is judged there.
        ("10.2.0.7", "10.96.0.7", "5432", "TCP 5432: denied"),
        ("10.2.0.6", "10.96.0.7", "5432", "TCP 5432: allowed"),
        // A node gets to the pods that run on it.
        ("172.16.0.1", "10.2.0.5", "80", "a node always reaches the pods that run on it"),
        // The pod has ended: its address may be anybody's.
        ("10.2.0.8", "pod/shop/db", "5432", "10.2.0.8 -> shop/db[Pod]"),
        ("10.9.9.9/32", "pod/shop/db", "5432", "10.9.9.9 -> shop/db[Pod]"),
        ("10.9.0.0/16", "pod/shop/db", "5432", "10.9.0.0/16 -> shop/db[Pod]"),
        ("0.0.0.0/0", "pod/shop/db", "5432", "every IPv4 address -> shop/db[Pod]"),
    ] {
        let text = stdout(&["reach", file, "--from", from, "--to", to, "--port", port]);
        assert!(text.contains(says), "{from} {to} {port}: {text}");
        let outside = text.contains("is outside");
        assert_eq!(outside, says.contains("-> shop"), "{from} {to} {port}: {text}");
    }
}
