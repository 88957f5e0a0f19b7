//! The binary as a user runs it: exit codes, streams, determinism, hostile input.

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

pub(crate) fn cluster(name: &str) -> String {
    root().join("snapshots").join(name).to_str().unwrap().to_owned()
}

/// The program, with nothing of the environment that could change its output.
fn kspm(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("kspm-graph").unwrap();
    command.args(args).env_clear().current_dir(root());
    command
}

pub(crate) fn stdout(args: &[&str]) -> String {
    let output = kspm(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn json(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(args)).unwrap()
}

pub(crate) fn fails(args: &[&str], code: i32, says: &[&str]) {
    let output = kspm(args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
    for text in says {
        assert!(stderr.contains(text), "{args:?} does not say `{text}`: {stderr}");
    }
}

#[test]
fn the_gate_decides_the_exit_code_and_display_options_do_not() {
    let leaky = cluster("leaky-ingress");
    kspm(&["analyze", &leaky]).assert().code(0);
    fails(
        &["analyze", &leaky, "--fail-on", "high"],
        1,
        &["gate failed", "high", "path/v1:", "cheapest cut"],
    );
    fails(
        &["analyze", &leaky, "--fail-on", "high", "--min-severity", "critical"],
        1,
        &["gate failed"],
    );
    fails(
        &[
            "analyze",
            &leaky,
            "--fail-on",
            "query:internet-to-cluster-admin",
            "-o",
            "json=/dev/null",
        ],
        1,
        &["internet-to-cluster-admin"],
    );
    kspm(&["analyze", &leaky, "--fail-on", "query:internet-to-cluster-admin@certain"])
        .assert()
        .code(0);
}

#[test]
fn mistakes_are_told_with_help() {
    let leaky = cluster("leaky-ingress");
    fails(&["analyze"], 2, &["SNAPSHOT"]);
    fails(&["analyze", &leaky, "--fail-on", "severe"], 2, &["`severe`"]);
    fails(&["analyze", &leaky, "--query", "internet-to-nod"], 2, &["`internet-to-nod`", "help:"]);
    fails(&["analyze", &leaky, "-o", "pdf"], 2, &["`pdf`", "json"]);
    fails(
        &["paths", &leaky, "--from", "sa/nowhere/web", "--to", "cluster-admin"],
        2,
        &["`sa/nowhere/web`", "help:"],
    );
    fails(&["explain", "pod-exe"], 2, &["`pod-exe`", "pod-exec"]);
    fails(&["analyze", "no/such/file.json"], 3, &["no/such/file.json", "help:"]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("empty.json"), "").unwrap();
    fails(&["analyze", &path("empty.json")], 3, &["help:"]);
    fs::write(path("page.json"), "<!DOCTYPE html><html><body>502</body></html>").unwrap();
    fails(&["analyze", &path("page.json")], 3, &["help:"]);
    fs::write(path("pod.json"), r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}"#)
        .unwrap();
    fails(&["analyze", &path("pod.json"), "--fail-on-incomplete"], 4, &["incomplete", "rbac"]);
    kspm(&["analyze", &path("pod.json")]).assert().code(0);
}

#[test]
fn the_user_may_say_which_network_plugin_runs() {
    let leaky = cluster("leaky-ingress");
    let network = |options: &[&str]| {
        let mut args = vec!["snapshot", "info", &leaky, "-o", "json"];
        args.extend(options);
        let info = json(&args);
        let said = |field: &str| info["network"][field].as_str().unwrap_or("").to_owned();
        (said("plugin"), said("enforces"))
    };
    let pair = |name: &str, enforces: &str| (name.to_owned(), enforces.to_owned());
    assert_eq!(network(&[]), pair("", "unknown"));
    assert_eq!(network(&["--cni", "cilium"]), pair("Cilium", "yes"));
    assert_eq!(network(&["--cni", "cilium", "--enforces", "no"]), pair("Cilium", "no"));
    assert_eq!(network(&["--enforces", "yes"]), pair("", "yes"));
    let told = stdout(&["snapshot", "info", &leaky, "--cni", "flannel"]);
    assert!(told.contains("flannel does not enforce network policies"), "{told}");
    fails(&["snapshot", "info", &leaky, "--cni", "x"], 2, &["`x`", "help: ", "calico", "weave"]);
    fails(&["attacks", "list", "--cni", "x"], 2, &["`x`"]);
    fails(&["snapshot", "info", &leaky, "--enforces", "x"], 2, &["yes, no, unknown"]);
}

#[test]
fn one_broken_document_is_a_problem_and_the_rest_is_analysed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mixed.yaml");
    let good = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: b}\n";
    fs::write(
        &file,
        format!(
            "{good}---\nspec: ***HIDDEN***\nkind: [\n---\n{}",
            good.replace("name: a", "name: c")
        ),
    )
    .unwrap();
    let info = json(&["snapshot", "info", file.to_str().unwrap(), "-o", "json", "-q"]);
    assert_eq!(info["kinds"]["ServiceAccount"], 2, "{info}");
    assert_eq!(info["snapshot"]["problems"].as_array().unwrap().len(), 1, "{info}");
}

#[test]
fn several_snapshots_are_read_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (account, binding) = (path("account.yaml"), path("binding.yaml"));
    fs::write(
        &account,
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: b}\n",
    )
    .unwrap();
    fs::write(
        &binding,
        "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: a, namespace: b}]
",
    )
    .unwrap();
    let ends = ["--from", "sa/b/a", "--to", "cluster-admin", "-o", "json"];
    let count = |files: &[&str]| {
        let answers = &json(&[&["paths"], files, &ends[..]].concat())["answers"];
        answers.as_array().unwrap().len()
    };
    assert_eq!(count(&[&account]), 0);
    assert_eq!(count(&[&account, &binding]), 1);
    let info = json(&["snapshot", "info", &account, &binding, "-o", "json", "-q"]);
    assert_eq!(info["snapshot"]["objects"], 2, "{info}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let shop = cluster("shop");
    let args =
        |threads: &'static str| vec!["analyze", &*shop, "-q", "-o", "json", "--threads", threads];
    let one = stdout(&args("1"));
    assert!(one.len() > 10_000);
    assert_eq!(one, stdout(&args("2")));
    assert_eq!(one, stdout(&args("2")));
    let export = |threads| stdout(&["export", &shop, "-q", "-o", "json", "--threads", threads]);
    assert_eq!(export("1"), export("2"));
}

#[test]
fn the_order_of_items_and_of_files_does_not_matter() {
    let text = fs::read_to_string(root().join("snapshots/shop/cluster.json")).unwrap();
    let mut list: Value = serde_json::from_str(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut write = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, list.to_string()).unwrap();
        list["items"].as_array_mut().unwrap().reverse();
        path.to_str().unwrap().to_owned()
    };
    let (forth, back) = (write("forth.json"), write("back.json"));
    // Lines and file names differ; everything else must not.
    let strip = |path: &str| {
        let mut report = json(&["analyze", path, "-q", "-o", "json"]);
        report["snapshot"].take();
        let plain = |facts: &mut Value| {
            for fact in facts.as_array_mut().unwrap() {
                let fact = fact.as_object_mut().unwrap();
                fact.remove("line");
                fact.remove("source");
            }
        };
        for finding in report["findings"].as_array_mut().unwrap() {
            for row in finding["rows"].as_array_mut().unwrap() {
                plain(&mut row["evidence"]);
            }
        }
        for answer in report["answers"].as_array_mut().unwrap() {
            for step in answer["steps"].as_array_mut().unwrap() {
                plain(&mut step["evidence"]);
            }
        }
        report
    };
    assert_eq!(strip(&forth), strip(&back));
}

/// Names that try to break out of every format.
const HOSTILE: &str = "x\u{1b}[31m\u{202e}\"];<script>alert(1)</script>&'\\N|`=1+1\u{200b}\n";

#[test]
fn hostile_names_stay_names_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.json");
    let account = serde_json::json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": HOSTILE, "namespace": HOSTILE, "labels": {HOSTILE: HOSTILE}}});
    let binding = serde_json::json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": HOSTILE}, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": HOSTILE, "namespace": HOSTILE},
            {"kind": "User", "name": HOSTILE}]});
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [account, binding]});
    fs::write(&file, list.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let unsafe_text = |text: &str| {
        text.chars().any(|c| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{200b}'))
    };
    for args in [
        vec!["analyze", file],
        vec!["snapshot", "info", file],
        vec!["who-can", file, "get", "secrets"],
        vec!["blast", file, "kind:sa"],
        vec!["why", file, "kind:sa", "cluster-admin"],
        vec!["export", file, "-o", "dot"],
        vec!["export", file, "-o", "svg", "--engine", "embedded"],
        vec!["export", file, "-o", "dot", "--focus", "service-account-to-cluster-admin"],
    ] {
        let text = stdout(&args);
        assert!(text.len() > 50, "{args:?} says nothing");
        assert!(!unsafe_text(&text), "{args:?} prints a control character");
        let is_svg = args.contains(&"svg");
        assert!(!is_svg || !text.contains("<script"), "{args:?} prints a script");
    }
    let report = json(&["analyze", file, "-o", "json"]);
    let names: Vec<&str> = report["answers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|a| a["from"]["name"].as_str())
        .collect();
    assert!(names.contains(&HOSTILE), "JSON holds names as they are: {names:?}");
    assert!(!report.to_string().contains('\u{1b}'), "JSON escapes control characters");
}

#[test]
fn no_value_of_a_secret_or_variable_is_ever_written() {
    const VALUE: &str = "Zm9yYmlkZGVuLXZhbHVl";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.yaml");
    fs::write(
        &file,
        format!(
            "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Secret
  metadata: {{name: s, namespace: a, annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{VALUE}'}}}}
  data: {{token: {VALUE}}}
  stringData: {{other: {VALUE}}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {{name: c, namespace: a}}
  data: {{key: {VALUE}}}
- apiVersion: v1
  kind: Pod
  metadata: {{name: p, namespace: a}}
  spec:
    nodeName: n
    containers:
    - name: c
      securityContext: {{privileged: true}}
      env: [{{name: PASSWORD, value: {VALUE}}}, {{name: T, valueFrom: {{secretKeyRef: {{name: s, key: token}}}}}}]
"
        ),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    for args in [
        vec!["analyze", file, "-o", "json"],
        vec!["analyze", file],
        vec!["export", file, "-o", "json"],
        vec!["export", file, "-o", "dot"],
        vec!["snapshot", "info", file, "-o", "json"],
    ] {
        let text = stdout(&args);
        assert!(text.contains('s') && !text.contains(VALUE), "{args:?} prints a value");
    }
}

#[test]
fn can_i_answers_one_question_and_many() {
    let shop = cluster("shop");
    kspm(&["can-i", &shop, "--as", "sa/shop-web/web", "create", "pods/exec", "-n", "shop-web"])
        .assert()
        .code(0)
        .stdout("yes - RBAC: allowed by RoleBinding \"shop-web/web-debug\" of Role \"web-debug\" to ServiceAccount \"web/shop-web\"\n");
    kspm(&["can-i", &shop, "--as", "sa/shop-web/web", "get", "secrets"])
        .assert()
        .code(1)
        .stdout("no\n")
        .stderr("");
    // A slip of the pen is told, and no real name taken for one.
    let slips =
        kspm(&["can-i", &shop, "--as", "x", "gett", "podz", "-n", "nowhere"]).assert().code(1);
    let told = String::from_utf8_lossy(&slips.get_output().stderr).into_owned();
    assert!(["`gett`", "`podz`", "`nowhere`"].iter().all(|slip| told.contains(slip)), "{told}");
    let review = r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"user":"x","groups":["system:masters"],"resourceAttributes":{"verb":"get","resource":"secrets"}}}"#;
    let many = format!("{review}\n{}\n", review.replace("system:masters", "nobody"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reviews.jsonl");
    fs::write(&file, many).unwrap();
    let answers = stdout(&["can-i", &shop, "-f", file.to_str().unwrap(), "-o", "json"]);
    let allowed: Vec<bool> = answers
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["status"]["allowed"].as_bool().unwrap())
        .collect();
    assert_eq!(allowed, [true, false]);
    let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{review}]}}"#);
    fs::write(&file, list).unwrap();
    let list = json(&["can-i", &shop, "-f", file.to_str().unwrap()]);
    assert_eq!(list["items"][0]["status"]["allowed"], true);
}

#[test]
fn the_catalogue_speaks_the_names_of_others() {
    let theirs = stdout(&["attacks", "list", "--by", "kubehound"]);
    assert!(theirs.lines().any(|l| l.starts_with("POD_EXEC ") && l.contains(" pod-exec")));
    let techniques = stdout(&["attacks", "list", "--by", "mitre"]);
    assert!(techniques.lines().any(|l| l.starts_with("T1609 ") && l.contains("pod-exec")));
    let all = json(&["attacks", "list", "-o", "json"]);
    let of = |id: &str| {
        let mut found = all["attacks"].as_array().unwrap().iter();
        found.find(|a| a["id"] == id).unwrap()["peers"].clone()
    };
    assert_eq!(
        of("pod-exec"),
        serde_json::json!({"IceKube": ["EXEC_INTO"], "KubeHound": ["POD_EXEC"]})
    );
    assert_eq!(of("steal-pods"), serde_json::json!({}));
}

#[test]
fn the_graph_keeps_its_contract() {
    let graph = json(&["export", &cluster("shop"), "-q", "-o", "json"]);
    assert_eq!(graph["schema"], "kspm-graph/graph/v1");
    let nodes = graph["nodes"].as_array().unwrap();
    let kinds: Vec<&str> = nodes.iter().map(|n| n["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"Internet") && kinds.contains(&"ClusterAdmin"));
    for (i, node) in nodes.iter().enumerate() {
        assert_eq!(node["id"], i, "ids are the places in the list");
    }
    let edges = graph["edges"].as_array().unwrap();
    assert!(edges.len() > 500);
    for edge in edges {
        assert!(!edge["evidence"].as_array().unwrap().is_empty(), "{edge}");
        let to = edge["to"].as_u64().unwrap() as usize;
        assert_eq!(edge["gate"].is_null(), kinds[to] != "Gate", "{edge}");
        let from = edge["from"].as_u64().unwrap() as usize;
        assert!(!matches!(kinds[from], "Role" | "ClusterRole"), "a role leads nowhere: {edge}");
        let likelihood = edge["likelihood"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&likelihood), "{edge}");
    }
}

/// A value is as its schema says.
pub(crate) fn fits(schema: &str, value: &Value) {
    let schema: Value = serde_json::from_str(&stdout(&["schema", schema])).unwrap();
    let mut wrong = Vec::new();
    validate(&schema, &schema, value, "", &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong[..wrong.len().min(5)].join("\n"));
}

#[test]
fn every_report_fits_its_schema() {
    fits("report", &json(&["analyze", &cluster("shop"), "-q", "-o", "json"]));
    fits("graph", &json(&["export", &cluster("leaky-ingress"), "-q", "-o", "json"]));
}

/// As much of JSON Schema as our schemas use.
fn validate(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let inner = root.pointer(name.trim_start_matches('#')).expect(name);
        return validate(root, inner, value, at, wrong);
    }
    if let Some(any) = schema["oneOf"].as_array() {
        let fits = |s: &Value| {
            let mut inner = Vec::new();
            validate(root, s, value, at, &mut inner);
            inner.is_empty()
        };
        if any.iter().filter(|s| fits(s)).count() != 1 {
            wrong.push(format!("{at}: fits none or several of oneOf"));
        }
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("`{other}` is no type"),
    };
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|k| is(k)) {
        wrong.push(format!("{at}: {value} is no {kinds:?}"));
    }
    if schema.get("const").is_some_and(|c| c != value)
        || schema["enum"].as_array().is_some_and(|e| !e.contains(value))
    {
        wrong.push(format!("{at}: {value} is not allowed"));
    }
    for field in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(field).is_none() {
            wrong.push(format!("{at}: `{field}` is missing"));
        }
    }
    for (field, inner) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(field) {
            validate(root, inner, value, &format!("{at}/{field}"), wrong);
        }
    }
    if let (Some(inner), Some(items)) = (schema.get("items"), value.as_array()) {
        for (i, item) in items.iter().enumerate() {
            validate(root, inner, item, &format!("{at}/{i}"), wrong);
        }
        if schema["minItems"].as_u64().is_some_and(|least| (items.len() as u64) < least) {
            wrong.push(format!("{at}: too few items"));
        }
    }
    if let Some(number) = value.as_f64() {
        let out = schema["minimum"].as_f64().is_some_and(|m| number < m)
            || schema["maximum"].as_f64().is_some_and(|m| number > m);
        if out {
            wrong.push(format!("{at}: {number} is out of range"));
        }
    }
}

#[test]
fn the_readme_begins_with_two_commands_that_work() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut commands = readme.lines().filter(|l| l.starts_with("cargo "));
    let analyze = commands.next().expect("a command");
    assert_eq!(commands.next(), Some("cargo test"));
    let args = analyze.strip_prefix("cargo run --release -- ").expect(analyze);
    let args: Vec<&str> = args.split_whitespace().collect();
    let printed = stdout(&args);
    // The sample in the README is what the command prints.
    let sample =
        readme.split("```text\n").nth(1).and_then(|s| s.split("```").next()).expect("a sample");
    if std::env::var("UPDATE").is_ok() {
        let fresh = readme.replace(sample, &format!("{}\n", printed.trim_end()));
        fs::write(root().join("README.md"), fresh).unwrap();
        return;
    }
    assert!(printed.starts_with(sample.trim_end()), "the README's sample is stale:\n{printed}");
}
