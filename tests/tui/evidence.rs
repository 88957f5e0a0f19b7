//! Evidence in the terminal interface: the object around a fact as YAML, its field marked, and
//! nothing of what must not be seen.

use super::clusters;
use kspm_graph::input::{Missing, SourceId, Wanted, objects};
use kspm_graph::tui::pilot::Pilot;
use kspm_graph::tui::theme::Theme;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Somebody before what stands in a file, at a terminal of a size.
pub(super) fn sit(path: &Path, size: (u16, u16)) -> Pilot {
    let mut loaded = clusters::open(path, None);
    loaded.snapshot.inputs = vec!["cluster".to_owned()];
    assert_eq!(loaded.snapshot.problems, []);
    let mut pilot = Pilot::new(size, Theme { palette: 0, ascii: false });
    pilot.load(Arc::new(loaded));
    pilot
}

/// What must not be seen bears this word.
const CANARY: &str = "canary";

const CLUSTER: &str = r#"
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: web
    namespace: shop
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: '{"canary":1}'
      note: seen
    managedFields:
    - manager: canary
  spec:
    serviceAccountName: ci
    containers:
    - name: first
      image: i
      args: ["seen"]
    - name: app
      image: i
      env:
      - value: canary-1
        name: PASSWORD
      - name: FROM
        valueFrom: {secretKeyRef: {name: db, key: password}}
      livenessProbe:
        httpGet: {port: 80, httpHeaders: [{name: Authorization, value: canary-2}]}
      securityContext:
        privileged: true
- apiVersion: v1
  kind: Secret
  metadata:
    name: db
    namespace: shop
    annotations: {kubernetes.io/service-account.name: ci}
  type: kubernetes.io/service-account-token
  data:
    password: Y2FuYXJ5
    token: canary
  stringData:
    other: canary
- apiVersion: v1
  kind: ServiceAccount
  metadata: {name: ci, namespace: shop}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: aws-auth, namespace: kube-system}
  data:
    mapRoles: |
      - rolearn: arn:aws:iam::123456789012:role/canary
        username: ci
        groups: [system:masters]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: deploy}
  rules:
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get]
  - apiGroups: [""]
    resources: [pods/exec, secrets]
    verbs: [create, get]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: deploy}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: deploy}
  subjects:
  - {kind: ServiceAccount, name: ci, namespace: shop}
"#;

/// The cluster in every form that is read again: its name, and its bytes.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let yaml: serde_json::Value = serde_yaml::from_str(CLUSTER).unwrap();
    let pretty = serde_json::to_vec_pretty(&yaml).unwrap();
    let items = yaml["items"].as_array().unwrap();
    let documents: Vec<String> = items.iter().map(|i| serde_yaml::to_string(i).unwrap()).collect();
    let lines: Vec<String> = items.iter().map(ToString::to_string).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(&mut gzip);
    let mut header = tar::Header::new_gnu();
    header.set_size(CLUSTER.len() as u64);
    header.set_cksum();
    tar.append_data(&mut header, "dump/all.yaml", CLUSTER.as_bytes()).unwrap();
    tar.finish().unwrap();
    drop(tar);
    let mut single = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    single.write_all(&pretty).unwrap();
    let anchored = format!("x: &a []\ny: *a\n{}", CLUSTER.trim_start());
    vec![
        ("list.yaml", CLUSTER.as_bytes().to_vec()),
        ("list.json", pretty),
        ("line.json", yaml.to_string().into_bytes()),
        ("lines.json", lines.join("\n").into_bytes()),
        ("documents.yaml", documents.join("---\n").into_bytes()),
        ("anchored.yaml", anchored.into_bytes()),
        ("dump.tar.gz", gzip.finish().unwrap()),
        ("list.json.gz", single.finish().unwrap()),
    ]
}

/// The line that bears the mark.
fn marked(screen: &str) -> &str {
    let mut lines = screen.lines().skip(3).filter_map(|l| l.strip_prefix("  ▶ "));
    lines.next().unwrap_or_else(|| panic!("nothing is marked:\n{screen}"))
}

#[test]
fn the_field_is_marked_whatever_form_the_source_has() {
    for (name, bytes) in forms() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let mut pilot = sit(&path, (100, 30));
        pilot.press(":go container/shop/web/app<enter>");
        pilot.press("<tab>/privileged-container<enter>e");
        let screen = pilot.screen();
        assert_eq!(marked(&screen), "      privileged: true", "{name}:\n{screen}");
        assert!(screen.contains("Pod shop/web .spec.containers[1].sec"), "{name}:\n{screen}");
    }
}

#[test]
fn nothing_secret_is_seen_of_any_fact_of_any_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.yaml");
    std::fs::write(&path, CLUSTER).unwrap();
    let mut pilot = sit(&path, (120, 90));
    let nodes: Vec<_> = pilot.model.graph().unwrap().nodes().collect();
    let mut seen = String::new();
    for node in nodes {
        let count = pilot.model.graph().unwrap().outgoing(node).len();
        let name = pilot.model.spelled(node);
        pilot.press(&format!(":go {name}<enter><tab>"));
        for _ in 0..count {
            pilot.press("e");
            seen.push_str(&pilot.screen());
            pilot.press("]");
            seen.push_str(&pilot.screen());
            pilot.press("M<esc>j");
        }
    }
    assert!(pilot.written.len() > 10);
    for (file, bytes) in &pilot.written {
        assert_eq!(file, "kspm-graph-evidence.md");
        seen.push_str(&String::from_utf8_lossy(bytes));
    }
    for line in seen.lines() {
        assert!(!line.contains(CANARY) && !line.contains("Y2FuYXJ5"), "{line}");
    }
    for kept in ["password: (not shown)", "name: PASSWORD", "token: (not shown)", "- seen"] {
        assert!(seen.contains(kept), "no `{kept}`");
    }
    assert!(seen.contains("last-applied-configuration: (not shown)"));
    assert!(seen.contains("managedFields: (not shown)"));
    assert!(seen.contains("value: (not shown)"));
}

#[test]
fn nothing_secret_is_kept_of_any_object_in_any_form() {
    for (name, bytes) in forms() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let pilot = sit(&path, (80, 24));
        let (graph, snapshot) = {
            let loaded = pilot.model.loaded.as_ref().unwrap();
            (&loaded.graph, &loaded.snapshot)
        };
        let world = graph.world();
        let mut all = String::new();
        for object in world.objects.iter().filter(|o| o.is_present()) {
            let wanted = Wanted {
                source: object.origin.source,
                offset: object.origin.offset,
                kind: world.text(object.kind),
                namespace: Some(world.text(object.ns)).filter(|ns| !ns.is_empty()),
                name: world.text(object.name),
            };
            let shown = objects(&snapshot.sources, &[wanted]).remove(0);
            let shown = shown.unwrap_or_else(|error| panic!("{name}: {wanted:?}: {error}"));
            all.push_str(&format!("{shown:?}\n"));
        }
        assert!(!all.contains(CANARY) && !all.contains("Y2FuYXJ5"), "{name}: {all}");
        for kept in ["mapRoles", "PASSWORD", "Authorization", "stringData", "other", "seen"] {
            assert!(all.contains(kept), "{name} has no `{kept}`: {all}");
        }
    }
}

#[test]
fn the_next_fact_is_shown_on_demand_with_its_heading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.yaml");
    std::fs::write(&path, CLUSTER).unwrap();
    let mut pilot = sit(&path, (80, 24));
    pilot.press(":go clusterrolebinding/deploy<enter><tab>/pod-exec<enter>e");
    let first = pilot.screen();
    assert!(first.contains("Evidence 1 of "), "{first}");
    pilot.press("]");
    let role = pilot.screen();
    assert!(role.contains("Evidence 2 of 2"), "{role}");
    assert_eq!(marked(&role), "- apiGroups:");
    pilot.press("[");
    assert_eq!(pilot.screen(), first);
    pilot.press("<tab>");
    assert_eq!(pilot.screen(), role);
    pilot.press("<shift-tab><esc>");
    assert!(pilot.screen().contains("[3 Explorer]"));
}

#[test]
fn a_source_that_is_gone_or_has_changed_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.yaml");
    std::fs::write(&path, CLUSTER).unwrap();
    let mut pilot = sit(&path, (100, 30));
    std::fs::write(&path, CLUSTER.replace("name: web", "name: wob")).unwrap();
    let keys = ":go container/shop/web/app<enter><tab>/privileged-container<enter>e";
    pilot.press(keys);
    let screen = pilot.screen();
    assert!(screen.contains("the source has changed"), "{screen}");
    std::fs::remove_file(&path).unwrap();
    pilot.press("<esc>e");
    let screen = pilot.screen();
    assert!(screen.contains("the source cannot be read again"), "{screen}");
    assert!(screen.contains("Pod shop/web .spec.containers[1]"), "{screen}");
    let stdin = Wanted { source: SourceId(0), offset: 0, kind: "Pod", namespace: None, name: "a" };
    assert_eq!(objects(&["-".to_owned()], &[stdin]), [Err(Missing::Stdin)]);
}

#[test]
fn hostile_objects_are_refused_or_cut_and_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    let head = r#"{"kind":"Pod","metadata":{"name":"a"},"x":"#;
    let deep = format!("{head}{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("{head}\"{}\"}}", "x".repeat(5 << 20));
    let cut = format!("{head}[1,2");
    let bomb: String = (1..30).fold(
        "kind: Pod\nmetadata: {name: a}\na0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(),
        |all, i| {
            let below = format!("*a{},", i - 1).repeat(9);
            format!("{all}a{i}: &a{i} [{below}]\n")
        },
    );
    let wanted = Wanted { source: SourceId(0), offset: 0, kind: "Pod", namespace: None, name: "a" };
    let look = |text: &str| {
        std::fs::write(&path, text).unwrap();
        objects(&[path.display().to_string()], &[wanted]).remove(0)
    };
    assert!(matches!(look(&deep), Err(Missing::Broken(_))));
    assert_eq!(look(&large), Err(Missing::Large));
    assert_eq!(look(&cut), Err(Missing::Gone));
    assert!(matches!(look(&bomb), Err(Missing::Broken(_))));
    assert_eq!(look(""), Err(Missing::Gone));
    assert!(look(&format!("{head}[1,2]}}")).is_ok());
}

#[test]
fn space_pretends_that_the_fact_that_is_shown_is_gone() {
    let mut pilot = sit(Path::new("snapshots/leaky-ingress"), (100, 30));
    pilot.press("<enter>je");
    let fact = pilot.model.page.as_ref().unwrap().fact().unwrap();
    let before = pilot.model.asked.answers.len();
    pilot.press("<space>");
    assert_eq!(pilot.model.changes.facts, [fact]);
    assert!(pilot.model.page.is_some(), "the page stays open");
    assert!(pilot.screen().contains("✂ gone: "), "{}", pilot.screen());
    assert!(pilot.model.asked.answers.len() < before, "nothing is asked again");
    pilot.press("u");
    assert!(pilot.model.changes.is_empty());
    assert!(!pilot.screen().contains("gone: "), "{}", pilot.screen());
    // The next fact of the page is another one.
    pilot.press("<tab><space>");
    assert_eq!(pilot.model.changes.facts.len(), 1);
    assert_ne!(pilot.model.changes.facts, [fact], "{}", pilot.screen());
    assert_eq!(pilot.model.changes.facts[0], pilot.model.page.as_ref().unwrap().fact().unwrap());
    pilot.press("<space>");
    assert!(pilot.model.changes.is_empty());
    pilot.press("f");
    assert!(pilot.model.status.contains("Esc closes the evidence"), "{}", pilot.model.status);
}
