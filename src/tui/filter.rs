//! What is typed after `/`: terms of the selector language, words about answers, and letters.
//!
//! | term | keeps |
//! |---|---|
//! | `critical`, `high`, … or `severity:high` | answers that bad or worse |
//! | `query:internet` | answers to queries whose id has these letters |
//! | `attack:pod-exec` | what uses this attack; patterns such as `exploit-*` too |
//! | `ns:shop`, `kind:secret`, `sa/shop/*`, `exposed` | what a selector selects |
//! | `webadmin` | names that have these letters in order |
//! | `!TERM` | whatever the term does not keep |
//!
//! All terms must hold.

use super::fuzzy;
use crate::glob::Glob;
use crate::graph::{Graph, NodeId};
use crate::query::selector::Selector;
use crate::query::{Answer, Severity};
use fixedbitset::FixedBitSet;

enum Term {
    Severity(Severity),
    Query(String),
    Attack(Glob),
    Nodes(FixedBitSet),
    Letters(String),
}

/// A filter, ready to be held against rows.
#[derive(Default)]
pub(super) struct Filter {
    /// Each with whether it leaves out what it fits.
    terms: Vec<(Term, bool)>,
}

impl Filter {
    /// Reads a filter. Every text is one: what is no term is letters.
    #[must_use]
    pub(super) fn new(text: &str, graph: &Graph) -> Self {
        let term = |word: &str| {
            let (word, out) = word.strip_prefix('!').map_or((word, false), |word| (word, true));
            let term = match word.split_once(':') {
                Some(("severity", name)) => Severity::named(name).map(Term::Severity),
                Some(("query", id)) => Some(Term::Query(id.to_owned())),
                Some(("attack", id)) => Some(Term::Attack(Glob::new(id))),
                _ => Severity::named(word).map(Term::Severity).or_else(|| selected(word, graph)),
            };
            (term.unwrap_or_else(|| Term::Letters(word.to_owned())), out)
        };
        let words = text.split_whitespace().filter(|w| *w != "!");
        Self { terms: words.map(term).collect() }
    }

    /// Whether it keeps everything.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it keeps an answer, by its ends, steps and query.
    #[must_use]
    pub(super) fn keeps_answer(&self, graph: &Graph, answer: &Answer) -> bool {
        self.terms.iter().all(|(term, out)| {
            let fits = match term {
                Term::Severity(least) => answer.severity >= *least,
                Term::Query(id) => fuzzy::score(id, &answer.query).is_some(),
                Term::Attack(glob) => answer.steps.iter().any(|s| {
                    glob.fits(s.attack.id) || s.by.iter().any(|attack| glob.fits(attack.id))
                }),
                Term::Nodes(nodes) => {
                    let steps = answer.steps.iter().flat_map(|s| [s.from, s.to]);
                    let mut of = steps.chain([answer.from, answer.to]);
                    of.any(|n| nodes.contains(n.index()) || nodes.contains(graph.fold(n).index()))
                }
                Term::Letters(letters) => {
                    let ends = crate::report::ends(graph, answer);
                    fuzzy::score(letters, &ends).is_some()
                }
            };
            fits != *out
        })
    }

    /// Whether it keeps a row of some text about a node, and perhaps about an attack.
    #[must_use]
    pub(super) fn keeps(&self, node: Option<NodeId>, attack: Option<&str>, text: &str) -> bool {
        self.terms.iter().all(|(term, out)| {
            let fits = match term {
                Term::Severity(least) => text.contains(least.name()),
                Term::Query(letters) | Term::Letters(letters) => {
                    fuzzy::score(letters, text).is_some()
                }
                Term::Attack(glob) => attack.is_some_and(|id| glob.fits(id)),
                Term::Nodes(nodes) => node.is_some_and(|n| nodes.contains(n.index())),
            };
            fits != *out
        })
    }
}

/// A selector's nodes, where the word is one that could not be letters alone.
fn selected(word: &str, graph: &Graph) -> Option<Term> {
    let selector = Selector::parse(word).ok()?;
    let mut nodes = FixedBitSet::with_capacity(graph.node_count());
    selector.matches(graph).into_iter().for_each(|node| nodes.insert(node.index()));
    Some(Term::Nodes(nodes))
}
