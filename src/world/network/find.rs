//! Which classes a selector means, found without looking at all of them.

use super::class::{Class, Tables};
use super::expr::{Expr, Truth};
use super::form::{Pods, Spaces};
use crate::sym::Sym;
use crate::world::World;
use rustc_hash::FxHashMap;
use std::ops::{ControlFlow, Range};

/// Finds the classes that a policy speaks of, without looking at all of them.
pub(super) struct Finder<'t> {
    tables: &'t Tables,
    world: &'t World,
    /// Namespaces by selector, as the classes of each.
    selected: FxHashMap<Expr, Vec<Range<u32>>>,
}

/// What is done with each class that is found.
pub(super) type Visit<'v> = dyn FnMut(u32) -> ControlFlow<()> + 'v;

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
        let _ = self.visit(pods, &mut |class| {
            found.push(class);
            ControlFlow::Continue(())
        });
        found.sort_unstable();
        // A value that is listed twice finds its classes twice.
        found.dedup();
        found
    }

    /// Visits the classes of pods until one breaks it off, some perhaps twice.
    pub(super) fn visit(&mut self, pods: &Pods, visit: &mut Visit<'_>) -> ControlFlow<()> {
        let spaces = &self.tables.spaces;
        match &pods.spaces {
            Spaces::One(ns) => match spaces.binary_search_by_key(ns, |(ns, _)| *ns) {
                Ok(at) => self.within(&spaces[at].1, &pods.pods, visit),
                Err(_) => ControlFlow::Continue(()),
            },
            Spaces::Selected(expr) if expr.is_all() => match (spaces.first(), spaces.last()) {
                (Some((_, first)), Some((_, last))) => {
                    self.within(&(first.start..last.end), &pods.pods, visit)
                }
                _ => ControlFlow::Continue(()),
            },
            Spaces::Selected(expr) => {
                let (tables, world) = (self.tables, self.world);
                if !self.selected.contains_key(expr) {
                    let selected = spaces.iter().filter(|(ns, _)| {
                        expr.selects(&tables.seen_space(world, *ns)) != Truth::No
                    });
                    let ranges = selected.map(|(_, range)| range.clone()).collect();
                    self.selected.insert(expr.clone(), ranges);
                }
                let mut ranges = self.selected.get(expr).into_iter().flatten();
                ranges.try_for_each(|range| self.within(range, &pods.pods, visit))
            }
        }
    }

    fn within(&self, range: &Range<u32>, expr: &Expr, visit: &mut Visit<'_>) -> ControlFlow<()> {
        let tables = self.tables;
        let selected = |class: &u32| {
            let class = &tables.classes[*class as usize];
            expr.selects(&tables.seen(self.world, class)) != Truth::No
        };
        let Some((key, values)) = expr.demanded() else {
            return range.clone().filter(selected).try_for_each(visit);
        };
        for value in values {
            let Some(list) = tables.postings.get(&(key, *value)) else { continue };
            let from = list.partition_point(|class| *class < range.start);
            let to = list.partition_point(|class| *class < range.end);
            list[from..to].iter().copied().filter(&selected).try_for_each(&mut *visit)?;
        }
        ControlFlow::Continue(())
    }
}
