//! Selectors: how a person names nodes.
//!
//! [`REFERENCE`] is the language's one description, in a file of its own. A selection is parsed without a graph and
//! then matched against one; what matches nothing is an error that says what is near.

use super::kinds::{TYPED, typed};
pub use super::language::REFERENCE;
use super::near;
use crate::glob::Glob;
use crate::graph::{Graph, NodeId, NodeKind, Tag};
use crate::sym::Sym;
use fixedbitset::FixedBitSet;
use rustc_hash::FxHashSet;

/// Words of the language beside kinds and tags.
const UNUSED: &str = "unused";
const WORDS: &[&str] = &["internet", "anonymous", "cluster-admin", UNUSED];
const FIELDS: &[&str] = &["kind:", "ns:", "name:", "label:", "ns-label:"];

/// The user that requests without credentials come from.
const ANONYMOUS: &str = "system:anonymous";

/// What is wrong with a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nothing in it, or nothing between two commas.
    #[error(
        "an empty selector in `{0}`\nhelp: `internet`, `sa/shop/*` and `kind:pod exposed` are selectors"
    )]
    Empty(String),
    /// A quote is not closed.
    #[error("a quote is not closed in `{0}`\nhelp: write the second `\"`")]
    Quote(String),
    /// A word that means nothing.
    #[error("`{word}` is no kind and no term of a selector\nhelp: {help}")]
    Word {
        /// The word.
        word: String,
        /// What may have been meant.
        help: String,
    },
    /// A kind with a namespace was written without one, or the other way round.
    #[error("`{word}` names no namespace\nhelp: write `{help}`")]
    Namespace {
        /// The word.
        word: String,
        /// How it is written.
        help: String,
    },
    /// Nothing in the graph is selected.
    #[error("`{selector}` matches nothing in the snapshot\nhelp: {help}")]
    Nothing {
        /// The part of the selector that matches nothing.
        selector: String,
        /// What is near.
        help: String,
    },
}

/// A node named by its kind and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) kinds: &'static [NodeKind],
    pub(super) ns: Option<Glob>,
    pub(super) name: Glob,
    part: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Kind(&'static [NodeKind], Option<&'static str>),
    Named(Named),
    Ns(Glob),
    Name(Glob),
    Label(String, Option<Glob>),
    NsLabel(String, Option<Glob>),
    Tag(Tag),
    Unused,
}

/// Terms that must all hold; those marked must not.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    text: String,
    terms: Vec<(bool, Term)>,
}

/// A parsed selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    text: String,
    groups: Vec<Group>,
}

impl Selector {
    /// Parses a selector.
    ///
    /// # Errors
    /// A word that means nothing, with what may have been meant.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut groups = Vec::new();
        for words in split(text)? {
            let terms: Result<Vec<_>, Error> = words.iter().map(Word::term).collect();
            let shown: Vec<&str> = words.iter().map(|w| w.shown.as_str()).collect();
            groups.push(Group { text: shown.join(" "), terms: terms? });
        }
        if groups.iter().any(|g| g.terms.is_empty()) {
            return Err(Error::Empty(text.to_owned()));
        }
        Ok(Self { text: text.trim().to_owned(), groups })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The nodes that are selected, sorted; perhaps none. O(nodes).
    #[must_use]
    pub fn matches(&self, graph: &Graph) -> Vec<NodeId> {
        let context = Context::new(graph, &self.groups);
        let groups: Vec<&Group> = self.groups.iter().filter(|g| context.may_hold(g)).collect();
        let near = graph.nodes_of(|kind| groups.iter().any(|g| g.may_be(kind)));
        near.filter(|n| groups.iter().any(|g| context.holds(g, *n))).collect()
    }

    /// The nodes that are selected, sorted.
    ///
    /// # Errors
    /// A part of the selector that matches nothing, with what is near.
    pub fn select(&self, graph: &Graph) -> Result<Vec<NodeId>, Error> {
        let context = Context::new(graph, &self.groups);
        let mut found = FixedBitSet::with_capacity(graph.node_count());
        for group in &self.groups {
            let mut any = false;
            let near = graph.nodes_of(|kind| group.may_be(kind));
            for node in near.filter(|n| context.holds(group, *n)) {
                any = true;
                found.insert(node.index());
            }
            if !any {
                let named = group.terms.iter().find_map(|(not, term)| match term {
                    Term::Named(named) if !not => Some(named),
                    _ => None,
                });
                let help = near::misses(graph, named);
                return Err(Error::Nothing { selector: group.text.clone(), help });
            }
        }
        Ok(found.ones().map(NodeId::new).collect())
    }
}

impl Group {
    /// Whether a node of a kind may be selected, as far as the kind decides.
    fn may_be(&self, kind: NodeKind) -> bool {
        self.terms.iter().all(|(not, term)| match term {
            Term::Kind(kinds, _) => *not || kinds.contains(&kind),
            Term::Named(named) => *not || named.kinds.contains(&kind),
            _ => true,
        })
    }
}

/// What matching needs beside the node.
struct Context<'s, 'g> {
    graph: &'g Graph,
    used: FxHashSet<NodeId>,
    /// The namespaces that each term about their labels means: there are far fewer than nodes.
    labelled: Vec<(&'s Term, FxHashSet<Sym>)>,
}

impl<'s, 'g> Context<'s, 'g> {
    fn new(graph: &'g Graph, groups: &'s [Group]) -> Self {
        let terms = || groups.iter().flat_map(|g| &g.terms).map(|(_, term)| term);
        let asked = terms().any(|term| *term == Term::Unused);
        let used = if asked { used_accounts(graph) } else { FxHashSet::default() };
        let labelled = terms().filter_map(|term| match term {
            Term::NsLabel(key, value) => {
                Some((term, labelled_namespaces(graph, key, value.as_ref())))
            }
            _ => None,
        });
        Self { graph, used, labelled: labelled.collect() }
    }

    /// Whether anything at all may be in a group: not where no namespace bears its label.
    fn may_hold(&self, group: &'s Group) -> bool {
        group.terms.iter().all(|(not, term)| {
            let labelled = self.labelled.iter().find(|(of, _)| std::ptr::eq(*of, term));
            *not || labelled.is_none_or(|(_, spaces)| !spaces.is_empty())
        })
    }

    fn holds(&self, group: &'s Group, node: NodeId) -> bool {
        group.terms.iter().all(|(not, term)| self.term(term, node) != *not)
    }

    fn term(&self, term: &'s Term, node: NodeId) -> bool {
        let graph = self.graph;
        match term {
            Term::Kind(kinds, part) => {
                kinds.contains(&graph.kind(node)) && part.is_none_or(|p| self.part(node) == p)
            }
            Term::Named(named) => named.is(graph, node),
            Term::Ns(glob) => match graph.kind(node) {
                NodeKind::Namespace => glob.fits(&graph.name(node)),
                _ => graph.namespace(node).is_some_and(|ns| glob.fits(ns)),
            },
            Term::Name(glob) => glob.fits(graph.object_name(node)) || glob.fits(&graph.name(node)),
            Term::Label(key, value) => graph
                .labels(node)
                .any(|(k, v)| k == key && value.as_ref().is_none_or(|glob| glob.fits(v))),
            Term::NsLabel(..) => {
                let labelled = self.labelled.iter().find(|(of, _)| std::ptr::eq(*of, term));
                labelled.is_some_and(|(_, spaces)| {
                    namespace_name(graph, node).is_some_and(|ns| spaces.contains(&ns))
                })
            }
            Term::Tag(tag) => graph.has(node, *tag),
            Term::Unused => {
                graph.kind(node) == NodeKind::ServiceAccount && !self.used.contains(&node)
            }
        }
    }

    fn part(&self, node: NodeId) -> &str {
        match self.graph.kind(node) {
            NodeKind::Workload => self.graph.part(node),
            _ => self.graph.object_name(node).split('/').next().unwrap_or_default(),
        }
    }
}

impl Named {
    fn is(&self, graph: &Graph, node: NodeId) -> bool {
        let kind = graph.kind(node);
        if !self.kinds.contains(&kind) {
            return false;
        }
        if let Some(ns) = &self.ns
            && !graph.namespace(node).is_some_and(|n| ns.fits(n))
        {
            return false;
        }
        if self.part.is_none() && self.name.is_any() {
            return true;
        }
        match (self.part, kind) {
            (Some(part), NodeKind::Workload) => {
                graph.part(node) == part && self.name.fits(graph.object_name(node))
            }
            (Some(part), _) => graph
                .object_name(node)
                .split_once('/')
                .is_some_and(|(p, name)| p == part && self.name.fits(name)),
            (None, NodeKind::Workload) => {
                self.name.fits(&graph.name(node)) || self.name.fits(graph.object_name(node))
            }
            (None, _) => self.name.fits(&graph.name(node)),
        }
    }
}

/// The namespaces with a label that fits.
fn labelled_namespaces(graph: &Graph, key: &str, value: Option<&Glob>) -> FxHashSet<Sym> {
    let world = graph.world();
    let fits = |(k, v): &(Sym, Sym)| {
        world.text(*k) == key && value.is_none_or(|glob| glob.fits(world.text(*v)))
    };
    let labelled = world.namespaces.iter().filter(|n| world.labels_of(n.object).iter().any(fits));
    labelled.map(|namespace| namespace.name).collect()
}

/// The name of the namespace that a node is in, or is.
fn namespace_name(graph: &Graph, node: NodeId) -> Option<Sym> {
    let world = graph.world();
    let object = graph.object(node).and_then(|object| world.objects.get(object.index()));
    match (graph.kind(node), object) {
        (NodeKind::Namespace, Some(object)) => Some(object.name),
        (_, Some(object)) if !object.ns.is_empty() => Some(object.ns),
        _ => graph.namespace(node).and_then(|name| world.symbols.get(name)),
    }
}

/// The accounts that some pod or template runs as.
fn used_accounts(graph: &Graph) -> FxHashSet<NodeId> {
    let world = graph.world();
    let pods = world.pods.iter().filter_map(|p| p.account);
    let templates = world.workloads.iter().filter_map(|w| w.account);
    let node = |account| graph.node(&crate::graph::Thing::Account(account));
    pods.chain(templates).filter_map(node).collect()
}

/// A word of a selector, without its quotes.
#[derive(Debug, Default)]
struct Word {
    text: String,
    /// As it was written.
    shown: String,
    not: bool,
}

impl Word {
    fn term(&self) -> Result<(bool, Term), Error> {
        Ok((self.not, term(&self.text)?))
    }
}

/// Splits at commas, then at spaces; quotes keep both.
fn split(text: &str) -> Result<Vec<Vec<Word>>, Error> {
    let mut groups: Vec<Vec<Word>> = vec![Vec::new()];
    let mut word: Option<Word> = None;
    let mut quoted = false;
    for c in text.chars() {
        let ends = !quoted && (c.is_whitespace() || c == ',');
        if ends {
            if let Some(group) = groups.last_mut() {
                group.extend(word.take());
            }
            if c == ',' {
                groups.push(Vec::new());
            }
            continue;
        }
        let of = word.get_or_insert_default();
        if c == '-' && !quoted && of.shown.is_empty() {
            of.not = true;
        } else if c != '"' {
            of.text.push(c);
        }
        quoted ^= c == '"';
        of.shown.push(c);
    }
    if quoted {
        return Err(Error::Quote(text.to_owned()));
    }
    if let Some(group) = groups.last_mut() {
        group.extend(word);
    }
    Ok(groups)
}

fn term(word: &str) -> Result<Term, Error> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "internet" => return Ok(Term::Kind(&[NodeKind::Internet], None)),
        "cluster-admin" => return Ok(Term::Kind(&[NodeKind::ClusterAdmin], None)),
        "anonymous" => return named("user", ANONYMOUS, word),
        UNUSED => return Ok(Term::Unused),
        _ => {}
    }
    if let Some((tag, _)) = Tag::ALL.iter().find(|(_, name)| *name == lower) {
        return Ok(Term::Tag(*tag));
    }
    if let Some((kind, rest)) = word.split_once('/')
        && !kind.contains(':')
    {
        return named(kind, rest, word);
    }
    if let Some((field, value)) = word.split_once(':') {
        match field.to_ascii_lowercase().as_str() {
            "kind" => return kind(value),
            "ns" | "namespace" => return Ok(Term::Ns(Glob::new(value))),
            "name" => return Ok(Term::Name(Glob::new(value))),
            field @ ("label" | "ns-label") => {
                let (key, value) =
                    value.split_once('=').map_or((value, None), |(k, v)| (k, Some(v)));
                let (key, value) = (key.to_owned(), value.map(Glob::new));
                return Ok(match field {
                    "label" => Term::Label(key, value),
                    _ => Term::NsLabel(key, value),
                });
            }
            _ => {}
        }
    }
    kind(word)
}

fn kind(word: &str) -> Result<Term, Error> {
    if let Some(typed) = typed(word) {
        return Ok(Term::Kind(typed.kinds, typed.part));
    }
    let exact = NodeKind::all().find(|k| k.name().eq_ignore_ascii_case(word));
    if let Some(kind) = exact.and_then(|k| ALONE.iter().find(|a| a[0] == k)) {
        return Ok(Term::Kind(kind, None));
    }
    Err(unknown(word))
}

/// Kinds that are alone of their name.
const ALONE: &[&[NodeKind]] = &[&[NodeKind::Internet], &[NodeKind::ClusterAdmin]];

fn named(kind: &str, rest: &str, word: &str) -> Result<Term, Error> {
    let Some(typed) = typed(kind) else { return Err(unknown(kind)) };
    let (ns, name) = if typed.namespaced {
        let Some((ns, name)) = rest.split_once('/') else {
            let help = format!("{kind}/NAMESPACE/{}", if rest.is_empty() { "NAME" } else { rest });
            return Err(Error::Namespace { word: word.to_owned(), help });
        };
        (Some(Glob::new(ns)), name)
    } else {
        (None, rest)
    };
    let name = Glob::new(name);
    Ok(Term::Named(Named { kinds: typed.kinds, ns, name, part: typed.part }))
}

fn unknown(word: &str) -> Error {
    let tags = Tag::ALL.iter().map(|(_, name)| *name);
    let kinds = TYPED.iter().flat_map(|t| t.words.iter().copied());
    let all = WORDS.iter().copied().chain(tags).chain(FIELDS.iter().copied()).chain(kinds);
    let near = near::words(word, all);
    let help = if near.is_empty() {
        "see `help selectors` for the kinds and terms".to_owned()
    } else {
        format!("did you mean {near}?")
    };
    Error::Word { word: word.to_owned(), help }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_example_of_the_reference_parses() {
        let lines = REFERENCE.lines().filter_map(|l| l.strip_prefix("    "));
        let mut examples = 0;
        for line in lines.filter(|l| !l.starts_with("KIND/")) {
            let example = line.split("   ").next().unwrap_or_default();
            Selector::parse(example).unwrap_or_else(|e| panic!("{example}: {e}"));
            examples += 1;
        }
        assert!(examples > 25, "{examples} examples");
        for example in ["sa/shop/*, user/alice", "user/\"Doe, Jane\"", "-system"] {
            assert!(REFERENCE.contains(example), "{example}");
            Selector::parse(example).unwrap();
        }
    }

    #[test]
    fn the_reference_names_every_tag() {
        for (_, name) in Tag::ALL {
            assert!(REFERENCE.contains(&format!("\n    {name} ")), "{name}");
        }
    }

    #[test]
    fn errors_say_what_was_meant() {
        let error = |text: &str| Selector::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("secrt/shop/web"),
            "`secrt` is no kind and no term of a selector\nhelp: did you mean `secret`?"
        );
        assert!(error("pod/web").contains("`pod/NAMESPACE/web`"));
        assert!(error("").starts_with("an empty selector"));
        assert!(error("sa/a/b,").starts_with("an empty selector"));
        assert!(error("user/\"a").starts_with("a quote"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC*") {
            let _ = Selector::parse(&text);
            let _ = Glob::new(&text).fits(&text);
        }

        #[test]
        fn whatever_is_quoted_is_a_name(name in "[^\"*?]*") {
            let selector = Selector::parse(&format!("user/\"{name}\""));
            prop_assert!(selector.is_ok());
            prop_assert!(Glob::new(&name).fits(&name));
        }
    }
}
