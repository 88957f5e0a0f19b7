//! Generated documentation is current. `UPDATE=1 cargo test --test main docs` rewrites it.

use kspm_graph::attacks;
use kspm_graph::report::pages;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Compares a file with what it should hold, or writes it when asked to.
fn holds(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var("UPDATE").is_ok() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{path} is stale: run `UPDATE=1 cargo test --test main docs`");
}

#[test]
fn the_pages_of_attacks() {
    let mut pages = BTreeSet::from(["README.md".to_owned()]);
    for attack in attacks::attacks() {
        holds(&format!("docs/attacks/{}.md", attack.id), &pages::attack_page(attack));
        pages.insert(format!("{}.md", attack.id));
    }
    holds("docs/attacks/README.md", &pages::catalogue_page());
    let entries = fs::read_dir(root().join("docs/attacks")).unwrap();
    let found: BTreeSet<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(found, pages, "docs/attacks has pages of no attack");
}

#[test]
fn the_terminal_interface() {
    holds("docs/tui.md", &kspm_graph::tui::guide::page());
}

#[test]
fn the_command_line() {
    holds("docs/cli.md", &kspm_graph::cli::docs::markdown());
    let mut man = Vec::new();
    kspm_graph::cli::docs::manual(&mut man).unwrap();
    holds("docs/kspm-graph.1", &String::from_utf8(man).unwrap());
}
