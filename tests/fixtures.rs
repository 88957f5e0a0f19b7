//! Literate fixtures: `tests/attacks/<id>.md` states a cluster, the edges that must exist in it and
//! those that must not. `tests/executed/*.md` states the same of what a real API server answered.
//!
//! A file is a sequence of `##` sections, each with a sentence and fenced blocks: `yaml cluster`,
//! `edges`, `no-edges` and `reviews` (of the last three some may be missing). A line of `edges`
//! is `FROM -> TO attack-id [confidence]`: one step from one thing to another, through sets, gates,
//! groups and bindings at most, of which some edge bears the id, and whose least sure edge has the
//! confidence. A line of `no-edges` is `FROM -> TO [attack-id]`: no such step of that attack, or of
//! any. Things are written as in `ends` below. A line of `reviews` is `yes|no WHO VERB RESOURCE...`,
//! with whatever else the arguments of `can-i` may be.

use kspm_graph::attacks;
use kspm_graph::graph::{Confidence, Graph, NodeId, NodeKind};
use kspm_graph::input::{Collect, Origin, SourceId};
use kspm_graph::k8s::ObjectSeed;
use kspm_graph::world::World;
use kspm_graph::world::rows::Part;
use serde::Deserialize;
use serde::de::DeserializeSeed;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads the objects of a YAML text, Lists included.
pub(crate) fn world(yaml: &str) -> World {
    let mut part = Part::default();
    for (i, document) in serde_yaml::Deserializer::from_str(yaml).enumerate() {
        let value = serde_json::Value::deserialize(document).unwrap();
        let items = match value.get("items") {
            Some(items) => items.as_array().unwrap().clone(),
            None if value.is_null() => Vec::new(),
            None => vec![value],
        };
        for (k, item) in items.into_iter().enumerate() {
            let json = item.to_string();
            let mut reader = serde_json::Deserializer::from_str(&json);
            let object = ObjectSeed::default().deserialize(&mut reader).unwrap();
            let offset = u64::try_from(i * 1000 + k).unwrap();
            part.object(object, Origin { source: SourceId(0), offset });
        }
    }
    World::new(vec![part], BTreeMap::new())
}

pub(crate) fn graph(yaml: &str) -> Graph {
    attacks::derive(Arc::new(world(yaml)))
}

/// The nodes that a fixture's word means: `internet`, `cluster-admin`, `sa/NS/NAME`,
/// `pod/NS/NAME`, `container/NS/POD/NAME`, `secret/NS/NAME`, `workload/NS/KIND/NAME`,
/// `node/NAME`, `node-identity/NAME`, `user/NAME`, `group/NAME`, `namespace-admin/NS`,
/// `entry/NS/KIND/NAME`, `binding/NAME`, `binding/NS/NAME`, `role/NAME`, `role/NS/NAME`,
/// `cloud/NAME`, `claim/NS/NAME`, `configmap/NS/NAME`, `volume/NAME`.
pub(crate) fn ends(graph: &Graph, word: &str) -> Vec<NodeId> {
    let (kind, rest) = word.split_once('/').unwrap_or((word, ""));
    let kinds: &[NodeKind] = match kind {
        "internet" => &[NodeKind::Internet],
        "cluster-admin" => &[NodeKind::ClusterAdmin],
        "sa" => &[NodeKind::ServiceAccount],
        "pod" => &[NodeKind::Pod],
        "container" => &[NodeKind::Container],
        "secret" => &[NodeKind::Secret],
        "workload" => &[NodeKind::Workload],
        "node" => &[NodeKind::Node],
        "node-identity" => &[NodeKind::NodeIdentity],
        "user" => &[NodeKind::User],
        "group" => &[NodeKind::Group],
        "namespace-admin" => &[NodeKind::NamespaceAdmin],
        "entry" => &[NodeKind::Entry],
        "binding" => &[NodeKind::RoleBinding, NodeKind::ClusterRoleBinding],
        "role" => &[NodeKind::Role, NodeKind::ClusterRole],
        "cloud" => &[NodeKind::CloudIdentity],
        "claim" => &[NodeKind::PersistentVolumeClaim],
        "configmap" => &[NodeKind::ConfigMap],
        "volume" => &[NodeKind::PersistentVolume],
        other => panic!("`{other}` is no kind of thing"),
    };
    let wanted = if rest.is_empty() { kind } else { rest };
    let path = |node: &NodeId| {
        let name = graph.name(*node);
        let own = kinds[0] == NodeKind::NamespaceAdmin;
        graph
            .namespace(*node)
            .filter(|_| !own)
            .map_or(name.to_string(), |ns| format!("{ns}/{name}"))
    };
    graph.nodes().filter(|n| kinds.contains(&graph.kind(*n)) && path(n) == wanted).collect()
}

/// Every step from a node on which some edge bears the id, or any step: for each target, how sure
/// the least sure edge of each way is.
fn steps(graph: &Graph, from: NodeId, id: Option<&str>) -> BTreeMap<NodeId, BTreeSet<Confidence>> {
    let mut found: BTreeMap<NodeId, BTreeSet<Confidence>> = BTreeMap::new();
    let mut stack = vec![(from, id.is_none(), Confidence::Certain)];
    let mut seen = BTreeSet::new();
    while let Some((node, named, sure)) = stack.pop() {
        for (edge, target) in graph.outgoing(node) {
            let named = named || id == Some(graph.attack(edge).id);
            let sure = sure.max(graph.confidence(edge));
            if named {
                // Whoever acts as somebody stands in for him.
                found.entry(graph.acted_as(target).unwrap_or(target)).or_default().insert(sure);
            }
            let passes = matches!(
                graph.kind(target),
                NodeKind::Set
                    | NodeKind::Gate
                    | NodeKind::Group
                    | NodeKind::RoleBinding
                    | NodeKind::ClusterRoleBinding
            );
            if passes && seen.insert((target, named, sure)) {
                stack.push((target, named, sure));
            }
        }
    }
    found
}

/// One `##` section of a fixture.
#[derive(Default)]
struct Case {
    title: String,
    cluster: String,
    edges: Vec<String>,
    no_edges: Vec<String>,
    reviews: Vec<String>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&block, line) {
            (None, l) if l.starts_with("## ") => cases
                .push(Case { title: l.trim_start_matches("## ").to_owned(), ..Case::default() }),
            (None, l) if l.starts_with("```") => block = Some(l.trim_start_matches('`').to_owned()),
            (Some(_), "```") => block = None,
            (Some(of), l) => {
                let case = cases.last_mut().expect("a block before the first section");
                match of.as_str() {
                    "yaml cluster" => case.cluster.push_str(&format!("{l}\n")),
                    "edges" if !l.trim().is_empty() => case.edges.push(l.trim().to_owned()),
                    "no-edges" if !l.trim().is_empty() => case.no_edges.push(l.trim().to_owned()),
                    "reviews" if !l.trim().is_empty() => case.reviews.push(l.trim().to_owned()),
                    "edges" | "no-edges" | "reviews" => {}
                    other => panic!("`{other}` is no block of a fixture"),
                }
            }
            _ => {}
        }
    }
    cases
}

fn one(graph: &Graph, word: &str, line: &str) -> NodeId {
    let nodes = ends(graph, word);
    assert_eq!(nodes.len(), 1, "`{word}` in `{line}` is {} nodes", nodes.len());
    nodes[0]
}

/// Asks `can-i` a case's reviews; returns those that it answers otherwise.
fn reviewed(case: &Case) -> Vec<&str> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.yaml");
    fs::write(&file, &case.cluster).unwrap();
    let differs = |line: &&str| {
        let (expected, question) = line.split_once(' ').expect(line);
        let code = match expected {
            "yes" => 0,
            "no" => 1,
            other => panic!("`{other}` is no answer"),
        };
        let mut command = assert_cmd::Command::cargo_bin("kspm-graph").unwrap();
        command.arg("can-i").arg(&file).arg("--as").args(question.split_whitespace());
        let output = command.env_clear().output().unwrap();
        let answered = output.status.code().filter(|code| *code < 2);
        let said = String::from_utf8_lossy(&output.stderr);
        answered.unwrap_or_else(|| panic!("`{line}`: {said}")) != code
    };
    case.reviews.iter().map(String::as_str).filter(differs).collect()
}

/// Checks one file; returns how many things it asks for and how many it excludes.
fn check(path: &Path) -> Result<(usize, usize), String> {
    let text = fs::read_to_string(path).unwrap();
    let (mut asked, mut excluded) = (0, 0);
    let mut wrong = Vec::new();
    for case in cases(&text) {
        let graph = graph(&case.cluster);
        let at = format!("{}: {}", path.file_name().unwrap().to_str().unwrap(), case.title);
        for line in &case.edges {
            asked += 1;
            let (from, rest) = line.split_once(" -> ").expect(line);
            let words: Vec<&str> = rest.split_whitespace().collect();
            let (to, id) = (words[0], words[1]);
            assert!(attacks::attack(id).is_some(), "{at}: `{id}` is no attack");
            let sure = words.get(2).map(|c| Confidence::named(c).expect(line));
            let found = steps(&graph, one(&graph, from, line), Some(id));
            let found = found.get(&one(&graph, to, line)).cloned().unwrap_or_default();
            if !found.iter().any(|c| sure.is_none_or(|s| s == *c)) {
                wrong.push(format!("{at}: missing `{line}`, found {found:?}"));
            }
        }
        for line in &case.no_edges {
            excluded += 1;
            let (from, rest) = line.split_once(" -> ").expect(line);
            let words: Vec<&str> = rest.split_whitespace().collect();
            let (from, to) = (one(&graph, from, line), ends(&graph, words[0]));
            let steps = steps(&graph, from, words.get(1).copied());
            if to.iter().any(|to| steps.contains_key(to)) {
                wrong.push(format!("{at}: invented `{line}`"));
            }
        }
        if !case.reviews.is_empty() {
            asked += case.reviews.len();
            wrong.extend(reviewed(&case).iter().map(|line| format!("{at}: not so: `{line}`")));
        }
    }
    if wrong.is_empty() { Ok((asked, excluded)) } else { Err(wrong.join("\n")) }
}

/// The fixtures of a folder below `tests`.
fn fixtures_in(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|p| !p.ends_with("README.md")).collect();
    paths.sort();
    paths
}

/// Checks every file of a folder; each must ask for something or exclude it.
fn all_hold(folder: &str) {
    let only = option_env!("ONLY");
    let holds = |path: &PathBuf| match check(path) {
        Ok((0, 0)) => Some(format!("{} expects nothing", path.display())),
        Ok(_) => None,
        Err(wrong) => Some(wrong),
    };
    let paths = fixtures_in(folder).into_iter();
    let wrong: Vec<String> = paths
        .filter(|p| only.is_none_or(|o| p.to_string_lossy().contains(o)))
        .filter_map(|path| holds(&path))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fixture_holds() {
    all_hold("attacks");
}

#[test]
fn what_was_executed_holds() {
    all_hold("executed");
}

/// The table of what was executed names tests that there are.
#[test]
fn what_was_executed_is_tested_somewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/executed");
    let table = fs::read_to_string(folder.join("README.md")).unwrap();
    let named: BTreeSet<&str> =
        table.split("](").skip(1).filter_map(|link| link.split_once(')')).map(|l| l.0).collect();
    assert!(named.len() > 20, "the table names only {}", named.len());
    let absent: Vec<_> = named.iter().filter(|name| !folder.join(name).is_file()).collect();
    assert!(absent.is_empty(), "no such tests: {absent:?}");
    let unnamed: Vec<_> = fixtures_in("executed")
        .into_iter()
        .filter(|p| !named.contains(p.file_name().unwrap().to_str().unwrap()))
        .collect();
    assert!(unnamed.is_empty(), "not in the table: {unnamed:?}");
}

#[test]
fn every_attack_has_a_fixture_with_both_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
    let mut lacking = Vec::new();
    for attack in attacks::attacks() {
        let path = folder.join(format!("{}.md", attack.id));
        let Ok(text) = fs::read_to_string(&path) else {
            lacking.push(format!("{} has no fixture", attack.id));
            continue;
        };
        let cases = cases(&text);
        let names_it = |line: &String| line.split_whitespace().any(|w| w == attack.id);
        if !cases.iter().any(|c| c.edges.iter().any(names_it)) {
            lacking.push(format!("{} has no positive case", attack.id));
        }
        if !cases.iter().any(|c| !c.no_edges.is_empty()) {
            lacking.push(format!("{} has no negative case", attack.id));
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}
