//! What the catalogue holds of what attackers are known to do: `tests/data/catalogue.tsv` names it
//! all, and says by what each is treated or why it is not, so that nothing is silently missing.

use kspm_graph::attacks;
use std::collections::BTreeSet;
use std::path::Path;

/// A line: a name, its priority, how it is treated, by what, and why.
struct Line<'a> {
    name: &'a str,
    priority: &'a str,
    how: &'a str,
    what: &'a str,
    why: &'a str,
}

fn lines() -> Vec<Line<'static>> {
    let text = include_str!("data/catalogue.tsv");
    let line = |line: &'static str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, priority, how, what, why] = fields[..] else { panic!("five fields: {line}") };
        Line { name, priority, how, what, why }
    };
    text.lines().filter(|l| !l.starts_with('#')).map(line).collect()
}

#[test]
fn each_name_is_treated_as_it_says() {
    let coverage = include_str!("../src/world/coverage.rs");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for Line { name, priority, how, what, why } in lines() {
        let whats: Vec<&str> = what.split(' ').filter(|w| !w.is_empty()).collect();
        let there = match how {
            "id" => !whats.is_empty() && whats.iter().all(|id| attacks::attack(id).is_some()),
            "fixture" => root.join(format!("tests/attacks/{what}.md")).is_file(),
            "topic" => coverage.contains(&format!("topic: {what:?}")),
            "none" => whats.is_empty() && priority != "P0",
            _ => false,
        };
        if !there {
            wrong.push(format!("{name}: {how} `{what}`"));
        }
        if how != "id" && why.is_empty() {
            wrong.push(format!("{name}: {how} without a reason"));
        }
        if !matches!(priority, "P0" | "P1" | "P2") {
            wrong.push(format!("{name}: priority {priority}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_sorted_and_bear_the_ids_of_their_attacks() {
    let lines = lines();
    for pair in lines.windows(2) {
        assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
    }
    // What has an attack of its own name is not said to be something else.
    let ids: BTreeSet<&str> = attacks::attacks().iter().map(|attack| attack.id).collect();
    for line in lines.iter().filter(|line| ids.contains(line.name)) {
        assert!(
            line.how == "id" && line.what.split(' ').any(|id| id == line.name),
            "{}",
            line.name
        );
    }
}
