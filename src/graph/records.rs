//! Which records of evidence name a field: a quick answer to which edges cannot need a fact.

use super::evidence::WhyId;
use super::{EdgeId, Graph};
use crate::sym::Sym;
use fixedbitset::FixedBitSet;

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

    /// Whether an edge bears one of some records.
    #[must_use]
    pub fn bears(&self, edge: EdgeId, records: &FixedBitSet) -> bool {
        records.contains(self.csr.why(edge).index())
    }
}
