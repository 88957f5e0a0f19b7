//! Which classes a selector means, found without looking at all of them.

use super::class::{Class, Tables};
use super::expr::{Expr, Truth};
use super::form::{Pods, Spaces};
use crate::sym::Sym;
use crate::world::World;
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Finds the classes that a policy speaks of, without looking at all of them.
pub(super) struct Finder<'t> {
    tables: &'t Tables,
    world: &'t World,
    /// Namespaces by selector, as the classes of each.
    selected: FxHashMap<Expr, Vec<Range<u32>>>,
}

/// Each namespace with its classes; not those of nodes.
pub(super) fn spaces(classes: &[Class]) -> Vec<(Sym, Range<u32>)> {
    let mut spaces: Vec<(Sym, Range<u32>)> = Vec::new();
    for (number, class) in (0_u32..).zip(classes) {
        match spaces.last_mut() {
            _ if class.node.is_some() => {}
            Some((ns, range)) if *ns == class.ns => range.end = number + 1,
            _ => spaces.push((class.ns, number..number + 1)),
        }
    }
    spaces
}

impl<'t> Finder<'t> {
    pub(super) fn new(tables: &'t Tables, world: &'t World) -> Self {
        Self { tables, world, selected: FxHashMap::default() }
    }

    /// The classes of pods, in their order; those that may be meant are among them.
    pub(super) fn members(&mut self, pods: &Pods) -> Vec<u32> {
        let mut found = Vec::new();
        let spaces = &self.tables.spaces;
        match &pods.spaces {
            Spaces::One(ns) => {
                if let Ok(at) = spaces.binary_search_by_key(ns, |(ns, _)| *ns) {
                    self.within(&spaces[at].1, &pods.pods, &mut found);
                }
            }
            Spaces::Selected(expr) if expr.is_all() => {
                if let (Some((_, first)), Some((_, last))) = (spaces.first(), spaces.last()) {
                    self.within(&(first.start..last.end), &pods.pods, &mut found);
                }
            }
            Spaces::Selected(expr) => {
                let (tables, world) = (self.tables, self.world);
                let ranges = self.selected.entry(expr.clone()).or_insert_with(|| {
                    let selected = spaces.iter().filter(|(ns, _)| {
                        expr.selects(&tables.seen_space(world, *ns)) != Truth::No
                    });
                    selected.map(|(_, range)| range.clone()).collect()
                });
                let ranges = ranges.clone();
                for range in &ranges {
                    self.within(range, &pods.pods, &mut found);
                }
            }
        }
        found
    }

    fn within(&self, range: &Range<u32>, expr: &Expr, found: &mut Vec<u32>) {
        let tables = self.tables;
        let selected = |class: &u32| {
            let class = &tables.classes[*class as usize];
            expr.selects(&tables.seen(self.world, class)) != Truth::No
        };
        match expr.demanded() {
            Some((key, values)) => {
                let start = found.len();
                for value in values {
                    let Some(list) = tables.postings.get(&(key, *value)) else { continue };
                    let from = list.partition_point(|class| *class < range.start);
                    let to = list.partition_point(|class| *class < range.end);
                    found.extend(list[from..to].iter().copied().filter(&selected));
                }
                found[start..].sort_unstable();
                // A value may be listed twice.
                found.dedup();
            }
            None => found.extend(range.clone().filter(selected)),
        }
    }
}
