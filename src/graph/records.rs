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
    /// Each field with where its records begin, sorted.
    fields: Vec<(Sym, usize)>,
    records: Vec<WhyId>,
    count: usize,
}

impl Fields {
    /// The records that name a field. O(all records / 64 + those).
    #[must_use]
    pub fn naming(&self, field: Sym) -> FixedBitSet {
        let mut naming = FixedBitSet::with_capacity(self.count);
        if let Ok(place) = self.fields.binary_search_by_key(&field, |(of, _)| *of) {
            let start = self.fields[place].1;
            let end = self.fields.get(place + 1).map_or(self.records.len(), |(_, start)| *start);
            naming.extend(self.records[start..end].iter().map(|record| record.index()));
        }
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
        // There are far fewer fields than records.
        let mut fields: Vec<(Sym, usize)> = Vec::new();
        for (place, (field, _)) in records.iter().enumerate() {
            if fields.last().is_none_or(|(last, _)| last != field) {
                fields.push((*field, place));
            }
        }
        Fields { fields, records: records.iter().map(|(_, record)| *record).collect(), count }
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
        records.contains(self.csr.why(edge).index())
    }
}
