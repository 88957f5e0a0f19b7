//! Which records of evidence name a field: a quick answer to which edges cannot need a fact.

use super::evidence::{Fact, Value, WhyId};
use super::{EdgeId, Graph};
use crate::sym::Sym;
use crate::world::ObjectId;
use fixedbitset::FixedBitSet;
use rustc_hash::FxHashMap;

/// The records of a graph by the fields that their facts name.
#[derive(Debug)]
pub struct Fields {
    /// Sorted.
    records: Vec<(Sym, WhyId)>,
    count: usize,
}

impl Fields {
    /// The records that name a field. O(all records / 64 + those).
    #[must_use]
    pub fn naming(&self, field: Sym) -> FixedBitSet {
        let mut naming = FixedBitSet::with_capacity(self.count);
        let first = self.records.partition_point(|(of, _)| *of < field);
        let those = self.records.iter().skip(first).take_while(|(of, _)| *of == field);
        naming.extend(those.map(|(_, record)| record.index()));
        naming
    }
}

impl Graph {
    /// The index of the graph's records. O(facts log facts).
    #[must_use]
    pub fn fields(&self) -> Fields {
        let mut records: Vec<(Sym, WhyId)> = Vec::new();
        let mut count = 0;
        for (facts, _) in self.evidence.records() {
            records.extend(facts.iter().map(|fact| (fact.field, WhyId::new(count))));
            count += 1;
        }
        records.sort_unstable();
        records.dedup();
        Fields { records, count }
    }

    /// What the graph knows of fields of objects: a fact of each. Of a field that no edge rests on,
    /// the object as such. O(records).
    #[must_use]
    pub fn facts_at(&self, places: &[(ObjectId, &str)]) -> Vec<Fact> {
        let value = Value::text(Sym::EMPTY);
        let field = |text: &str| self.texts.get(text).unwrap_or(Sym::EMPTY);
        let plain =
            |(object, text): &(ObjectId, &str)| Fact { object: *object, field: field(text), value };
        let mut facts: Vec<Fact> = places.iter().map(plain).collect();
        let mut wanted: FxHashMap<(ObjectId, Sym), Option<Fact>> =
            facts.iter().map(|fact| ((fact.object, fact.field), None)).collect();
        for fact in self.evidence.records().flat_map(|(facts, _)| facts) {
            // What depends on the edge is not known here.
            if let Some(known) = wanted.get_mut(&(fact.object, fact.field))
                && fact.value != Value::TARGET
            {
                known.get_or_insert(*fact);
            }
        }
        for fact in &mut facts {
            *fact = wanted.get(&(fact.object, fact.field)).copied().flatten().unwrap_or(*fact);
        }
        facts
    }

    /// Whether an edge bears one of some records.
    #[must_use]
    pub fn bears(&self, edge: EdgeId, records: &FixedBitSet) -> bool {
        records.contains(self.csr.edge(edge).why.index())
    }
}
