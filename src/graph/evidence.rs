//! Why an edge exists: facts, each a field of an object, hash-consed.
//!
//! All facts of one edge are needed together; parallel edges are alternatives. Removing a fact
//! from the cluster therefore removes exactly the edges whose evidence holds it.

use super::attack::Confidence;
use crate::input::Origin;
use crate::sym::Sym;
use crate::world::ObjectId;

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
    pub value: Sym,
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

/// What an edge's evidence record holds beside its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Why {
    /// Where its facts begin in the table of facts, and how many there are.
    pub(super) start: u32,
    pub(super) len: u16,
    pub(super) confidence: Confidence,
}

/// The tables of evidence.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) whys: Vec<Why>,
    pub(super) facts: Vec<Fact>,
}

impl Evidence {
    pub(super) fn why(&self, id: WhyId) -> Why {
        self.whys[id.index()]
    }

    pub(super) fn facts(&self, id: WhyId) -> &[Fact] {
        let why = self.why(id);
        let start = why.start as usize;
        &self.facts[start..start + usize::from(why.len)]
    }
}
