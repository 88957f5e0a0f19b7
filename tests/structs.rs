//! The Rust of `src/k8s/`, read as text: which structs derive `Deserialize`, and the names under which
//! serde reads their fields. It knows the Rust that this room is written in, and stops at any other
//! instead of passing over it. No test of its own: `tests/fields.rs` uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Names by the name of what has them: the fields of a type.
pub(crate) type Names = BTreeMap<String, BTreeSet<String>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/k8s")
}

/// A file of the room, without its unit tests.
pub(crate) fn source(file: &str) -> String {
    let text = fs::read_to_string(folder().join(file)).unwrap();
    text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()
}

/// The items of all `#[serde(...)]` among some attributes, such as `rename = "hostPID"`.
fn serde_items(attributes: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    for attribute in attributes.split("#[").filter_map(|a| a.trim().strip_prefix("serde(")) {
        let (mut depth, mut inside_quotes) = (0, false);
        for c in attribute.strip_suffix(")]").expect(attribute).chars() {
            match c {
                '"' => inside_quotes = !inside_quotes,
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if c == ',' && depth == 0 && !inside_quotes {
                items.push(String::new());
            } else {
                items.last_mut().unwrap().push(c);
            }
        }
        items.push(String::new());
    }
    items.iter().map(|i| i.trim().to_owned()).filter(|i| !i.is_empty()).collect()
}

/// The names under which serde reads a field.
fn names(field: &str, camel: bool, attributes: &str) -> Vec<String> {
    let mut words = field.split('_');
    let mut own = words.next().unwrap().to_owned();
    for word in words {
        if camel {
            own.extend(word.chars().next().map(|c| c.to_ascii_uppercase()));
            own.extend(word.chars().skip(1));
        } else {
            own = format!("{own}_{word}");
        }
    }
    let mut aliases = Vec::new();
    for item in serde_items(attributes) {
        match item.split_once(" = ").map_or((&*item, ""), |(key, value)| (key, value)) {
            ("rename", name) => own = name.trim_matches('"').to_owned(),
            ("alias", name) => aliases.push(name.trim_matches('"').to_owned()),
            ("default" | "borrow" | "deserialize_with", _) => {}
            _ => panic!("`serde({item})` of `{field}` needs a place in this test"),
        }
    }
    aliases.push(own);
    aliases
}

/// The structs of a source that derive `Deserialize`, with the names under which serde reads their
/// fields.
pub(crate) fn structs(text: &str) -> Names {
    let mut found = Names::new();
    let mut attributes = String::new();
    let mut lines = text.lines().map(str::trim).filter(|l| !l.starts_with("//"));
    while let Some(line) = lines.next() {
        if line.starts_with("#[") || !(attributes.is_empty() || attributes.ends_with(']')) {
            attributes += line;
            continue;
        }
        let attributes = std::mem::take(&mut attributes);
        if !attributes.split("#[").any(|a| a.contains("derive(") && a.contains("Deserialize")) {
            continue;
        }
        let head = line.split_once("struct ").filter(|_| line.ends_with('{'));
        let head = head.unwrap_or_else(|| panic!("`{line}` needs a place in this test")).1;
        let mut camel = false;
        for item in serde_items(&attributes) {
            match &*item {
                "default" => {}
                "rename_all = \"camelCase\"" => camel = true,
                _ if item.starts_with("bound(") => {}
                _ => panic!("`serde({item})` of `{head}` needs a place in this test"),
            }
        }
        let mut fields = BTreeSet::new();
        let mut of_field = String::new();
        for line in lines.by_ref().take_while(|l| *l != "}") {
            if line.starts_with("#[") {
                of_field += line;
                assert!(line.ends_with(']'), "`{line}` needs a place in this test");
                continue;
            }
            let (name, _) = line.split_once(": ").filter(|_| line.ends_with(',')).expect(line);
            let name = name.rsplit(' ').next().unwrap().trim_start_matches("r#");
            fields.extend(names(name, camel, &std::mem::take(&mut of_field)));
        }
        let name = head.split(|c: char| !c.is_alphanumeric()).next().unwrap();
        assert!(found.insert(name.to_owned(), fields).is_none(), "two structs are called {name}");
    }
    found
}

/// All structs of the room that stand for what the API serves. Those of `login.rs` read files that
/// stand inside values: kubeconfigs, tokens, Argo CD's clusters. Folders hold no such structs.
pub(crate) fn all() -> Names {
    let mut all = Names::new();
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let is_file = |file: &OsString| Path::new(file).extension().is_some_and(|e| e == "rs");
    for file in files.filter(|file| is_file(file) && file != "login.rs") {
        for (name, fields) in structs(&source(file.to_str().unwrap())) {
            assert!(!all.contains_key(&name), "two structs are called {name}");
            all.insert(name, fields);
        }
    }
    all
}
