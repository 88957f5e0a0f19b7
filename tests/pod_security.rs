//! Pod Security levels held against a real API server.

use kspm_graph::k8s::workload::PodSpec;
use kspm_graph::world::admission::{Level, level_of};
use std::fs;
use std::path::Path;

#[derive(serde::Deserialize)]
struct Answer {
    pod: String,
    /// Whether the pod was created in a namespace that enforces the level.
    baseline: bool,
    restricted: bool,
    spec: serde_json::Value,
}

/// A kube-apiserver 1.36 was asked to create these pods where each level is enforced.
#[test]
fn pods_that_a_real_api_server_let_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pod-security.jsonl");
    let text = fs::read_to_string(path).unwrap();
    let answers: Vec<Answer> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(answers.len() > 30, "only {} answers were read", answers.len());
    let mut wrong = Vec::new();
    for answer in &answers {
        let spec = answer.spec.to_string();
        let level = level_of(&serde_json::from_str::<PodSpec<'_>>(&spec).unwrap());
        let passes = |enforced: Level| level <= enforced;
        if passes(Level::Baseline) != answer.baseline
            || passes(Level::Restricted) != answer.restricted
        {
            wrong.push(format!("{} is {}", answer.pod, level.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
