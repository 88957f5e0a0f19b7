//! The house's order: a room may use the floors below it, never those above.

use std::fs;
use std::path::Path;

/// Rooms from the ground up.
const FLOORS: &[&[&str]] = &[
    &["glob", "id", "sym"],
    &["k8s"],
    &["input"],
    &["world"],
    &["graph"],
    &["attacks"],
    &["query", "posture"],
    &["report"],
    &["tui"],
    &["cli"],
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_arrow_points_upward() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&source, &mut paths);
    assert!(paths.len() > 20, "the sources were not found");
    let mut arrows = Vec::new();
    for path in paths {
        let relative = path.strip_prefix(&source).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let Some(own) = floor(first.trim_end_matches(".rs")) else { continue };
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|l| !l.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let room: String =
                    used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if floor(&room).is_some_and(|f| f > own) {
                    arrows.push(format!("{}: {}", relative.display(), line.trim()));
                }
            }
        }
    }
    assert!(arrows.is_empty(), "upward arrows:\n{}", arrows.join("\n"));
}

#[test]
fn files_stay_readable() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&source, &mut paths);
    for path in paths {
        let relative = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 500, "{relative} has {lines} lines");
    }
}
