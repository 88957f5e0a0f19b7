//! The clusters that screens are tried on: those of `snapshots/`, and some that no cluster should
//! be like.

use kspm_graph::attacks::{self, attacks};
use kspm_graph::input::{self, Input, Origin, SourceId, read};
use kspm_graph::query::{Asked, ask_all, library};
use kspm_graph::report::{Lines, Snapshot};
use kspm_graph::tui::Loaded;
use kspm_graph::world::World;
use kspm_graph::world::rows::Part;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Finds lines in the sources that were read.
struct Sources {
    names: Vec<String>,
    one_line: BTreeSet<SourceId>,
}

impl Lines for Sources {
    fn lines(&self, wanted: &[(Origin, &str)]) -> Vec<Option<u64>> {
        let wanted: Vec<_> =
            wanted.iter().map(|(at, field)| (at.source, at.offset, *field)).collect();
        input::lines(&self.names, &self.one_line, &wanted)
    }
}

/// A cluster, and the answers to every query.
type Known = (Arc<Loaded>, Arc<Asked>);

/// A cluster, read, derived and asked; each once.
pub(super) fn loaded(name: &str) -> Known {
    static KNOWN: Mutex<BTreeMap<String, Known>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    if let Some(known) = known.get(name) {
        return known.clone();
    }
    // Tests run in the package's folder, and what is seen must not tell where that is.
    let folder = Path::new("snapshots").join(name);
    let made = tempfile::tempdir().unwrap();
    let path = if folder.is_dir() {
        folder
    } else {
        let path = made.path().join("cluster.yaml");
        std::fs::write(&path, strange(name)).unwrap();
        path
    };
    // Where a made cluster lies differs from run to run, and would be seen.
    let shown = path.is_absolute().then_some(name);
    let loaded = open(&path, shown);
    let asked = Arc::new(ask_all(&loaded.graph, &loaded.queries));
    let all = (Arc::new(loaded), asked);
    known.insert(name.to_owned(), all.clone());
    all
}

/// What stands at a path, read and derived. `name` is shown instead of the path.
pub(super) fn open(path: &Path, name: Option<&str>) -> Loaded {
    let reading = read(&[Input::Path(path.to_path_buf())], 2, Part::default, &|_| ()).unwrap();
    let here = path.display().to_string();
    let short = |text: &str| text.replace(&here, name.unwrap_or(&here));
    let mut problems = reading.problems;
    problems.iter_mut().for_each(|p| p.source = short(&p.source));
    let world = World::new(reading.collectors, reading.unknown);
    let coverage = world.coverage();
    Loaded {
        graph: attacks::derive(Arc::new(world)),
        snapshot: Snapshot {
            inputs: vec![short(&here)],
            sources: reading.sources.iter().map(|s| short(s)).collect(),
            objects: reading.objects,
            problems,
        },
        coverage,
        queries: library::builtin(&attacks()).unwrap(),
        lines: Box::new(Sources { names: reading.sources, one_line: reading.one_line }),
    }
}

/// Clusters that no cluster should be like, as text.
fn strange(name: &str) -> String {
    match name {
        "empty" => namespace("alone"),
        "problems" => format!("{}---\n{{ : broken\n---\nkind: [\n", namespace("alone")),
        "hub" => hub(),
        "few" => crowd(20),
        "crowd" => crowd(2_000),
        "long" => long(),
        "hostile" => hostile(),
        _ => panic!("there is no cluster `{name}`"),
    }
}

fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
}

fn account(ns: &str, name: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, namespace: {ns}}}\n"
    )
}

/// One role may impersonate 10,000 accounts, each by its name.
fn hub() -> String {
    let mut text = namespace("crowd");
    let names: Vec<String> = (0..10_000).map(|i| format!("worker-{i}")).collect();
    names.iter().for_each(|name| text.push_str(&account("crowd", name)));
    text.push_str(&format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n\
         metadata: {{name: many, namespace: crowd}}\nrules:\n\
         - {{apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate], resourceNames: [{}]}}\n",
        names.join(", ")
    ));
    text.push_str(&binding(
        "crowd",
        "many",
        "{kind: User, name: alice, apiGroup: rbac.authorization.k8s.io}",
    ));
    text
}

/// So many accounts, each cluster-admin by a binding of its own, and alice may impersonate all.
fn crowd(count: usize) -> String {
    let mut text = namespace("crowd");
    let names: Vec<String> = (0..count).map(|i| format!("admin-{i}")).collect();
    text.push_str(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: cluster-admin}\n\
         rules:\n- {apiGroups: ['*'], resources: ['*'], verbs: ['*']}\n",
    );
    for name in &names {
        text.push_str(&account("crowd", name));
        text.push_str(&format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {name}}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}\n\
             subjects: [{{kind: ServiceAccount, name: {name}, namespace: crowd}}]\n"
        ));
    }
    text.push_str(&format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n\
         metadata: {{name: many, namespace: crowd}}\nrules:\n\
         - {{apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate], resourceNames: [{}]}}\n",
        names.join(", ")
    ));
    text.push_str(&binding(
        "crowd",
        "many",
        "{kind: User, name: alice, apiGroup: rbac.authorization.k8s.io}",
    ));
    text
}

fn binding(ns: &str, role: &str, subject: &str) -> String {
    format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
         metadata: {{name: {role}, namespace: {ns}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {role}}}\n\
         subjects: [{subject}]\n"
    )
}

/// Each of thirty accounts may ask for a token of the next one; the last one is cluster-admin.
fn long() -> String {
    let mut text = namespace("chain");
    const LAST: usize = 30;
    for i in 0..=LAST {
        text.push_str(&account("chain", &format!("link-{i}")));
    }
    for i in 0..LAST {
        text.push_str(&format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n\
             metadata: {{name: step-{i}, namespace: chain}}\nrules:\n\
             - {{apiGroups: [''], resources: [serviceaccounts/token], verbs: [create], resourceNames: [link-{}]}}\n",
            i + 1
        ));
        let subject = format!("{{kind: ServiceAccount, name: link-{i}, namespace: chain}}");
        text.push_str(&binding("chain", &format!("step-{i}"), &subject));
    }
    text.push_str(&format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: cluster-admin}}\n\
         rules:\n- {{apiGroups: ['*'], resources: ['*'], verbs: ['*']}}\n\
         ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: end}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}\n\
         subjects: [{{kind: ServiceAccount, name: link-{LAST}, namespace: chain}}]\n"
    ));
    text
}

/// Names that would move the cursor, turn the line around, or are two columns wide.
fn hostile() -> String {
    let names = [r"\e[2J\e[1;1Hgone", r"a\u202Eb\u200Bc", r"\r\n\tover", "漢字漢字漢字"];
    let subject = |name: &str| {
        format!("{{kind: User, name: \"{name}\", apiGroup: rbac.authorization.k8s.io}}")
    };
    let subjects: Vec<String> = names.iter().map(|name| subject(name)).collect();
    format!(
        "{}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: cluster-admin}}\n\
         rules:\n- {{apiGroups: ['*'], resources: ['*'], verbs: ['*']}}\n\
         ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: all}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}\n\
         subjects: [{}]\n",
        namespace("alone"),
        subjects.join(", ")
    )
}
