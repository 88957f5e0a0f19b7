//! Which pods a policy speaks of: one language for the selectors of every kind of policy.

use crate::sym::Sym;
use crate::world::remap::{Map, Remap};
use crate::world::rows::{Operator, Selector};

/// Whether something holds, as far as the snapshot tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    No,
    /// It cannot be told.
    Maybe,
    Yes,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;
    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

/// What a requirement looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A label of the pod (of the node, where nodes are selected).
    Label(Sym),
    /// The name of its namespace.
    Namespace,
    /// A label of its namespace.
    NamespaceLabel(Sym),
    /// The name of its service account.
    Account,
    /// A label of its service account.
    AccountLabel(Sym),
}

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compare {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Contains,
    StartsWith,
    EndsWith,
    /// No operator that Kubernetes knows: the API server would refuse it.
    Invalid,
}

/// A selector: requirements, joined.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// All of them hold; of an empty list, always.
    All(Box<[Self]>),
    Any(Box<[Self]>),
    Not(Box<Self>),
    Is(Key, Compare, Box<[Sym]>),
    /// It could not be read.
    Unknown,
}

/// Something with labels.
pub(super) trait Attributes {
    fn value(&self, key: Key) -> Option<Sym>;
    /// Whether the snapshot would show a value, if there is one.
    fn shows(&self, _key: Key) -> bool {
        true
    }
    fn text(&self, sym: Sym) -> &str;
}

impl Expr {
    /// What selects everything.
    #[must_use]
    pub fn all() -> Self {
        Self::All(Box::default())
    }

    /// Whether it selects everything, by its form.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All(list) if list.is_empty())
    }

    /// A label selector of Kubernetes over keys of one kind.
    #[must_use]
    pub fn labels(selector: &Selector, key: fn(Sym) -> Key) -> Self {
        let one = |r: &crate::world::rows::Requirement| {
            let compare = match r.operator {
                Operator::In => Compare::In,
                Operator::NotIn => Compare::NotIn,
                Operator::Exists => Compare::Exists,
                Operator::DoesNotExist => Compare::DoesNotExist,
                Operator::Invalid => Compare::Invalid,
            };
            Self::Is(key(r.key), compare, r.values.clone())
        };
        Self::All(selector.0.iter().map(one).collect())
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut parts = match self {
            Self::All(list) => list.into_vec(),
            one => vec![one],
        };
        match other {
            Self::All(list) => parts.extend(list),
            one => parts.push(one),
        }
        Self::All(parts.into())
    }

    /// Whether something is selected. A missing key passes `NotIn`
    /// (apimachinery `labels/selector.go`).
    pub(super) fn selects(&self, of: &impl Attributes) -> Truth {
        match self {
            Self::All(list) => list.iter().map(|e| e.selects(of)).min().unwrap_or(Truth::Yes),
            Self::Any(list) => list.iter().map(|e| e.selects(of)).max().unwrap_or(Truth::No),
            Self::Not(inner) => !inner.selects(of),
            Self::Unknown => Truth::Maybe,
            Self::Is(key, compare, values) => {
                let value = of.value(*key);
                if value.is_none() && *compare != Compare::Invalid && !of.shows(*key) {
                    return Truth::Maybe;
                }
                let text = |test: fn(&str, &str) -> bool| {
                    value.is_some_and(|v| values.iter().any(|w| test(of.text(v), of.text(*w))))
                };
                Truth::from(match compare {
                    Compare::In => value.is_some_and(|v| values.contains(&v)),
                    Compare::NotIn => value.is_none_or(|v| !values.contains(&v)),
                    Compare::Exists => value.is_some(),
                    Compare::DoesNotExist => value.is_none(),
                    Compare::Contains => text(|v, w| v.contains(w)),
                    Compare::StartsWith => text(|v, w| v.starts_with(w)),
                    Compare::EndsWith => text(|v, w| v.ends_with(w)),
                    Compare::Invalid => false,
                })
            }
        }
    }

    /// Whether a part of it could not be read.
    #[must_use]
    pub fn is_vague(&self) -> bool {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().any(Self::is_vague),
            Self::Not(inner) => inner.is_vague(),
            Self::Is(..) => false,
            Self::Unknown => true,
        }
    }

    /// Every requirement in it.
    pub(super) fn requirements(&self, visit: &mut impl FnMut(Key, Compare, &[Sym])) {
        match self {
            Self::All(list) | Self::Any(list) => {
                list.iter().for_each(|e| e.requirements(visit));
            }
            Self::Not(inner) => inner.requirements(visit),
            Self::Is(key, compare, values) => visit(*key, *compare, values),
            Self::Unknown => {}
        }
    }

    /// A label that whatever it selects must bear, with the values that it may have.
    pub(super) fn demanded(&self) -> Option<(Sym, &[Sym])> {
        match self {
            Self::Is(Key::Label(key), Compare::In, values) => Some((*key, values)),
            Self::All(list) => list.iter().find_map(Self::demanded),
            _ => None,
        }
    }
}

impl Remap for Expr {
    fn remap(&mut self, map: &Map<'_>) {
        match self {
            Self::All(list) | Self::Any(list) => list.iter_mut().for_each(|e| e.remap(map)),
            Self::Not(inner) => inner.remap(map),
            Self::Is(key, _, values) => {
                match key {
                    Key::Label(sym) | Key::NamespaceLabel(sym) | Key::AccountLabel(sym) => {
                        map.sym(sym);
                    }
                    Key::Namespace | Key::Account => {}
                }
                map.all(values);
            }
            Self::Unknown => {}
        }
    }
}
