//! Why an edge exists: facts, each a field of an object, hash-consed.
//!
//! All facts of one edge are needed together; parallel edges are alternatives. Removing a fact
//! from the cluster therefore removes exactly the edges whose evidence holds it.
//!
//! Most edges of one attack say the same of different objects: this pod names that account, the
//! next pod of the workload does too. So a record does not name the object that its facts are
//! about, nor the edge's target where a field's value is its name: the edge knows both. Thousands
//! of edges share a record, and a record is completed when it is read.

use super::attack::Confidence;
use crate::input::Origin;
use crate::sym::Sym;
use crate::world::ObjectId;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

crate::index! {
    /// The evidence of an edge.
    WhyId
}

/// This object says this at this field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact {
    /// The object that says it.
    pub object: ObjectId,
    /// A path such as `.spec.volumes[1].hostPath.path`; empty where the object as such is meant.
    pub field: Sym,
    /// What the field says; never a Secret's or a variable's value.
    pub value: Value,
}

/// What a field says: text, or the name of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(u32);

/// Set in a [`Value`] that is an object's name.
const NAME: u32 = 1 << 31;

impl Value {
    /// The name of the object that the edge leads to.
    pub const TARGET: Self = Self(u32::MAX);

    /// A text of the sink's.
    pub(super) const fn text(text: Sym) -> Self {
        Self(text.0)
    }

    /// Whose name it is, or which text.
    pub(super) const fn name_or_text(self) -> Result<ObjectId, Sym> {
        if self.0 & NAME == 0 { Err(Sym(self.0)) } else { Ok(ObjectId(self.0 & !NAME)) }
    }
}

/// In a record, the object that the edge is about.
const VIA: ObjectId = ObjectId(u32::MAX);

impl Fact {
    /// The fact as it stands in the record of an edge that is about `via`.
    pub(super) fn shared(self, via: ObjectId) -> Self {
        if self.object == via { Self { object: VIA, ..self } } else { self }
    }

    /// The fact of an edge that is about `via` and leads to the object `target`.
    pub(super) fn completed(self, via: ObjectId, target: ObjectId) -> Self {
        let object = if self.object == VIA { via } else { self.object };
        let value = if self.value == Value::TARGET { Value(target.0 | NAME) } else { self.value };
        Self { object, field: self.field, value }
    }

    /// The fact with the texts of another table.
    pub(super) fn with_texts(self, text: impl Fn(Sym) -> Sym) -> Self {
        let value =
            self.value.name_or_text().map_or_else(|old| Value::text(text(old)), |_| self.value);
        Self { field: text(self.field), value, ..self }
    }

    /// Whether both are of one field, whatever they say it says.
    #[must_use]
    pub fn is_of_field(self, other: Self) -> bool {
        (self.object, self.field) == (other.object, other.field)
    }
}

/// A fact with its names, for output. The text is the cluster's: not made safe yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactView<'g> {
    /// The object's kind.
    pub kind: &'g str,
    /// The object's namespace, if it has one.
    pub namespace: Option<&'g str>,
    /// The object's name.
    pub name: &'g str,
    /// The path of the field in it.
    pub field: &'g str,
    /// What the field says.
    pub value: &'g str,
    /// Where the object was read; absent for what the snapshot only refers to.
    pub origin: Option<Origin>,
}

/// What an edge's evidence record says beside its facts: which attack they make possible, and how
/// well it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Says {
    /// The attack's place in the graph's table, or in the sink's until the sinks are merged.
    pub(super) attack: u16,
    /// `-ln(likelihood)`, scaled; see [`super::likelihood_of`].
    pub(super) cost: u16,
    pub(super) confidence: Confidence,
}

#[derive(Debug, Clone, Copy)]
struct Why {
    /// Where its facts begin in the table of facts, and how many there are.
    start: u32,
    len: u16,
    says: Says,
}

/// The tables of evidence: equal records are stored once, their facts one after another.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    whys: Vec<Why>,
    facts: Vec<Fact>,
    table: HashTable<u32>,
    /// The cost of each record, once they are sorted: all that a search wants of most of them.
    costs: Vec<u16>,
}

impl Evidence {
    /// The record of some facts and what they say, new or known.
    pub(super) fn add(&mut self, facts: &[Fact], says: Says) -> WhyId {
        let hash = hash(facts, says);
        let (whys, all) = (&self.whys, &self.facts);
        let same = |id: &u32| {
            let why = whys[*id as usize];
            why.says == says && slice(all, why) == facts
        };
        if let Some(found) = self.table.find(hash, same) {
            return WhyId(*found);
        }
        let id = WhyId::new(self.whys.len());
        self.whys.push(Why {
            start: u32::try_from(self.facts.len()).unwrap_or(u32::MAX),
            len: u16::try_from(facts.len()).unwrap_or(u16::MAX),
            says,
        });
        self.facts.extend_from_slice(facts);
        let (whys, all) = (&self.whys, &self.facts);
        self.table.insert_unique(hash, id.0, |id| {
            let why = whys[*id as usize];
            self::hash(slice(all, why), why.says)
        });
        id
    }

    /// Nothing will be added any more.
    pub(super) fn close(&mut self) {
        self.table = HashTable::new();
        self.facts.shrink_to_fit();
        self.whys.shrink_to_fit();
    }

    /// Every record, in the order of the ids.
    pub(super) fn records(&self) -> impl Iterator<Item = (&[Fact], Says)> {
        self.whys.iter().map(|why| (slice(&self.facts, *why), why.says))
    }

    /// Numbers the records anew in the order of what they say, so that edges that are sorted by
    /// their record are sorted by their attack. Returns the new number of each.
    pub(super) fn sort(&mut self) -> Vec<WhyId> {
        let mut order: Vec<u32> = (0..u32::try_from(self.whys.len()).unwrap_or(u32::MAX)).collect();
        order.sort_by_key(|old| self.whys[*old as usize].says);
        let mut new = vec![WhyId(0); order.len()];
        for (place, old) in order.iter().enumerate() {
            new[*old as usize] = WhyId::new(place);
        }
        self.whys = order.into_iter().map(|old| self.whys[old as usize]).collect();
        self.costs = self.whys.iter().map(|why| why.says.cost).collect();
        self.close();
        new
    }

    /// What an edge with this record costs a path.
    pub(super) fn cost(&self, id: WhyId) -> u16 {
        self.costs[id.index()]
    }

    pub(super) fn says(&self, id: WhyId) -> Says {
        self.whys[id.index()].says
    }

    pub(super) fn facts(&self, id: WhyId) -> &[Fact] {
        slice(&self.facts, self.whys[id.index()])
    }
}

fn slice(facts: &[Fact], why: Why) -> &[Fact] {
    let start = why.start as usize;
    &facts[start..start + usize::from(why.len)]
}

fn hash(facts: &[Fact], says: Says) -> u64 {
    let mut hasher = FxHasher::default();
    (facts, says).hash(&mut hasher);
    hasher.finish()
}
