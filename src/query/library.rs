//! Named questions: the built-in ones and those of a user's folder.
//!
//! A query is a small YAML file, see `docs/queries.md`. The built-in ones lie in `queries/` and
//! are compiled in, one row each.

use super::answer::Severity;
use super::filter::Filter;
use super::network::{Question, Wrong};
use super::selector::{self, Selector};
use crate::glob::Glob;
use crate::graph::{Attack, Graph};
use serde::Deserialize;
use std::path::{Path, PathBuf};

macro_rules! files {
    ($($id:literal),+ $(,)?) => {
        &[$(($id, include_str!(concat!("../../queries/", $id, ".yaml")))),+]
    };
}

/// Every built-in query, by its id, in the order in which they are asked.
const FILES: &[(&str, &str)] = files![
    "internet-to-cluster-admin",
    "anonymous-to-anything",
    "internet-to-node",
    "internet-to-cloud-identity",
    "internet-to-secret",
    "service-account-to-cluster-admin",
    "people-to-cluster-admin",
    "unused-powerful-accounts",
    "default-service-account-power",
    "node-to-cluster-admin",
    "container-to-node",
    "who-reads-kube-system-secrets",
    "namespace-escape",
    "exposed-workloads",
    "open-ingress",
    "open-egress",
    "metadata-from-workloads",
    "kubelet-from-workloads",
    "labelled-namespaces-from-outside",
];

/// Which pairs of ends are answered where there are several of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pairs {
    /// Each pair that has a path.
    #[default]
    All,
    /// For each source the target that it reaches most likely.
    Nearest,
    /// Only paths that do not pass another target on their way.
    First,
}

/// What a query leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// What a selector selects.
    Selected(Selector),
    /// For each namespace, what lies outside of it: another namespace's, and the cluster's.
    Outside,
    /// Nothing is held: what policies let through is asked for, and `from` is what the finding is
    /// about.
    Network(Question),
}

/// What a path must not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Avoid {
    /// Attacks by their id.
    Attacks(String),
    /// Nodes.
    Nodes(Selector),
}

impl Avoid {
    /// An attack's id, a pattern of ids (`exploit-*`), or a selector.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str, attacks: &[&'static Attack]) -> Result<Self, selector::Error> {
        let glob = Glob::new(text);
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-*?".contains(&b));
        let pattern = plain && text.contains('*') && text != "*";
        if pattern || attacks.iter().any(|a| glob.fits(a.id)) {
            return Ok(Self::Attacks(text.to_owned()));
        }
        Selector::parse(text).map(Self::Nodes)
    }

    /// Adds it to what a search leaves out.
    pub fn apply(&self, graph: &Graph, filter: &mut Filter) {
        match self {
            Self::Attacks(pattern) => {
                let glob = Glob::new(pattern);
                for attack in graph.attacks().iter().filter(|a| glob.fits(a.id)) {
                    filter.avoid_attack(graph, attack);
                }
            }
            Self::Nodes(selector) => {
                selector.matches(graph).into_iter().for_each(|node| filter.avoid_node(node));
            }
        }
    }
}

/// A question: which ways lead from some things to others?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its name in kebab-case; empty for one that was typed.
    pub id: String,
    /// The question, in a few words.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// Where paths start.
    pub from: Selector,
    /// Where they end.
    pub to: Goal,
    /// What they must not use.
    pub avoid: Vec<Avoid>,
    /// What they must pass.
    pub via: Option<Selector>,
    /// The worst severity that an answer can have.
    pub severity: Severity,
    /// How many answers are kept, the worst first.
    pub limit: usize,
    /// Which pairs are answered.
    pub pairs: Pairs,
}

/// How many answers a query keeps unless it says otherwise.
const LIMIT: usize = 1_000;

impl Query {
    /// A question that somebody asks by hand.
    #[must_use]
    pub fn between(from: Selector, to: Selector) -> Self {
        Self {
            id: String::new(),
            title: format!("from {} to {}", from.text(), to.text()),
            why: String::new(),
            from,
            to: Goal::Selected(to),
            avoid: Vec::new(),
            via: None,
            severity: Severity::Critical,
            limit: LIMIT,
            pairs: Pairs::All,
        }
    }

    /// Whether it asks the network, and has a finding for an answer.
    #[must_use]
    pub const fn is_of_network(&self) -> bool {
        matches!(self.to, Goal::Network(_))
    }

    /// What its searches leave out.
    #[must_use]
    pub fn filter(&self, graph: &Graph) -> Filter {
        let mut filter = Filter::default();
        for avoid in &self.avoid {
            avoid.apply(graph, &mut filter);
        }
        filter
    }
}

/// What is wrong with a query's file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read `{path}`: {error}\nhelp: name a `.yaml` file or a folder of such files")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is no query.
    #[error("{file}{line}: {what}\nhelp: {help}")]
    Query {
        /// The file.
        file: String,
        /// `:3`, where it is known.
        line: String,
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
}

/// A query as its file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    title: String,
    why: String,
    from: String,
    to: String,
    #[serde(default)]
    over: Option<Over>,
    #[serde(default)]
    port: Option<Port>,
    #[serde(default)]
    avoid: Vec<String>,
    #[serde(default)]
    via: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    pairs: Option<Pairs>,
}

/// What a query asks, where that is not the attack graph.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Over {
    Network,
}

/// Ports, as YAML reads them: one is a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Port {
    Number(u16),
    List(String),
}

impl Written {
    /// The fields that only paths have, if one is written.
    fn of_paths(&self) -> Option<&'static str> {
        let avoid = (!self.avoid.is_empty()).then_some("avoid");
        avoid.or(self.via.as_ref().map(|_| "via")).or(self.pairs.map(|_| "pairs"))
    }
}

/// Reads a query. `attacks` are those that it may avoid by name.
///
/// # Errors
/// What is wrong, with the line of `file` and what to do.
pub fn parse(file: &str, text: &str, attacks: &[&'static Attack]) -> Result<Query, Error> {
    let line_of = |field: &str| {
        let prefix = format!("{field}:");
        let at = text.lines().position(|l| l.starts_with(&prefix));
        at.map_or_else(String::new, |i| format!(":{}", i + 1))
    };
    let wrong = |field: &str, what: String, help: &str| Error::Query {
        file: file.to_owned(),
        line: line_of(field),
        what,
        help: help.to_owned(),
    };
    let written: Written = serde_yaml::from_str(text).map_err(|e| Error::Query {
        file: file.to_owned(),
        line: e.location().map_or_else(String::new, |l| format!(":{}", l.line())),
        what: e.to_string(),
        help:
            "a query has id, title, why, from, to, and perhaps avoid, via, severity, limit, pairs, or over and port"
                .to_owned(),
    })?;
    let selected = |field: &str, text: &str| {
        Selector::parse(text).map_err(|e| {
            let message = e.to_string();
            let (what, help) = message.split_once("\nhelp: ").unwrap_or((&message, ""));
            wrong(field, format!("`{field}`: {what}"), help)
        })
    };
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if written.id.is_empty() || !written.id.chars().all(kebab) {
        let what = format!("`{}` is no id", written.id);
        return Err(wrong("id", what, "use lower-case letters, digits and `-`"));
    }
    let severity = match &written.severity {
        None if written.over.is_some() => Severity::Low,
        None => Severity::Critical,
        Some(word) => Severity::named(word).ok_or_else(|| {
            let what = format!("`{word}` is no severity");
            wrong("severity", what, "use critical, high, medium, low or info")
        })?,
    };
    let mut avoid = Vec::new();
    for item in &written.avoid {
        avoid.push(Avoid::parse(item, attacks).map_err(|e| {
            let what = format!("`avoid`: {}", e.to_string().lines().next().unwrap_or_default());
            wrong("avoid", what, "name an attack (`attacks list` shows them) or a selector")
        })?);
    }
    let (from, to) = match (written.over, written.to.trim()) {
        (Some(Over::Network), _) => over_network(&written, severity)
            .map_err(|(field, what, help)| wrong(field, what, &help))?,
        (None, _) if written.port.is_some() => {
            let what = "`port` is of questions to the network".to_owned();
            return Err(wrong("port", what, "write `over: network` beside it"));
        }
        (None, "outside") => (selected("from", &written.from)?, Goal::Outside),
        (None, text) => (selected("from", &written.from)?, Goal::Selected(selected("to", text)?)),
    };
    Ok(Query {
        from,
        to,
        via: written.via.as_deref().map(|text| selected("via", text)).transpose()?,
        id: written.id,
        title: written.title,
        why: written.why.trim().to_owned(),
        avoid,
        severity,
        limit: written.limit.unwrap_or(LIMIT),
        pairs: written.pairs.unwrap_or_default(),
    })
}

/// The ends of a question to the network.
fn over_network(written: &Written, severity: Severity) -> Result<(Selector, Goal), Wrong> {
    if let Some(field) = written.of_paths() {
        let what = format!("`{field}` is of attack paths, and there are none over the network");
        return Err((field, what, format!("leave out `{field}`, or `over`")));
    }
    if severity > Severity::Medium {
        let what = format!("`{severity}` is too much for what a packet reaches");
        return Err(("severity", what, "reach is no compromise: medium is the worst".to_owned()));
    }
    let port = written.port.as_ref().map(|port| match port {
        Port::Number(number) => number.to_string(),
        Port::List(list) => list.clone(),
    });
    let (subject, question) = Question::parse(&written.from, &written.to, port.as_deref())?;
    Ok((subject, Goal::Network(question)))
}

/// The built-in queries, in the order in which they are asked.
///
/// # Errors
/// None in a build whose tests passed.
pub fn builtin(attacks: &[&'static Attack]) -> Result<Vec<Query>, Error> {
    let file = |id: &str| format!("queries/{id}.yaml");
    FILES.iter().map(|(id, text)| parse(&file(id), text, attacks)).collect()
}

/// The queries of a file, or of the `.yaml` and `.yml` files of a folder in the order of their
/// names.
///
/// # Errors
/// The first file that cannot be read or is no query, and an id that two files bear.
pub fn load(path: &Path, attacks: &[&'static Attack]) -> Result<Vec<Query>, Error> {
    let read = |error| Error::Read { path: path.to_owned(), error };
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(read)? {
            let file = entry.map_err(read)?.path();
            if file.extension().is_some_and(|e| e == "yaml" || e == "yml") {
                files.push(file);
            }
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut queries: Vec<Query> = Vec::new();
    for file in files {
        let read = |error| Error::Read { path: file.clone(), error };
        let text = std::fs::read_to_string(&file).map_err(read)?;
        let name = file.display().to_string();
        let query = parse(&name, &text, attacks)?;
        if queries.iter().any(|q| q.id == query.id) {
            return Err(Error::Query {
                file: name,
                line: String::new(),
                what: format!("the id `{}` is taken by another file", query.id),
                help: "give each query an id of its own".to_owned(),
            });
        }
        queries.push(query);
    }
    Ok(queries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_compiled_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        let mut rows: Vec<&str> = FILES.iter().map(|(id, _)| *id).collect();
        rows.sort_unstable();
        assert_eq!(names, rows);
    }

    #[test]
    fn every_query_bears_the_name_of_its_file() {
        for (query, (id, _)) in builtin(&[]).unwrap().iter().zip(FILES) {
            assert_eq!(query.id, *id);
            assert!(query.title.len() > 10 && query.why.len() > 40, "{id}");
        }
    }

    #[test]
    fn errors_name_the_line() {
        let text = "id: a\ntitle: t\nwhy: w\nfrom: internet\nto: secrt/a/b\n";
        let error = parse("mine.yaml", text, &[]).unwrap_err().to_string();
        assert_eq!(
            error,
            "mine.yaml:5: `to`: `secrt` is no kind and no term of a selector\nhelp: did you mean `secret`?"
        );
        let error =
            parse("mine.yaml", &text.replace("why", "because"), &[]).unwrap_err().to_string();
        assert!(error.starts_with("mine.yaml:3"), "{error}");
        let text = text.replace("secrt", "secret");
        let error = parse("q", &format!("{text}severity: bad\n"), &[]).unwrap_err().to_string();
        assert!(error.starts_with("q:6: `bad` is no severity"), "{error}");
        let error = parse("q", &format!("{text}avoid: [pod-exek]\n"), &[]).unwrap_err().to_string();
        assert!(error.starts_with("q:6: `avoid`"), "{error}");
        assert!(parse("q", &format!("{text}avoid: [\"exploit-*\", \"node/*\"]\n"), &[]).is_ok());
    }
}
