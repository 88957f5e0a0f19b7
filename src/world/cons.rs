//! Hash-consing: equal values are stored once and referred to by number.
//!
//! A Deployment's pods share one specification, and most roles share their rules: what repeats in
//! a cluster is kept once.

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

/// A table of distinct values, numbered in the order they were first added.
#[derive(Debug)]
pub struct Cons<T> {
    items: Vec<T>,
    /// The number of each value with its hash: a table that grows asks for it, and a value may be
    /// large.
    table: HashTable<(u64, u32)>,
}

impl<T> Default for Cons<T> {
    fn default() -> Self {
        Self { items: Vec::new(), table: HashTable::new() }
    }
}

impl<T: Hash + Eq> Cons<T> {
    /// The number of a value, new or known. O(size of the value).
    pub fn add(&mut self, value: T) -> u32 {
        let hash = hash(&value);
        let same = |(of, i): &(u64, u32)| *of == hash && self.items[*i as usize] == value;
        if let Some((_, found)) = self.table.find(hash, same) {
            return *found;
        }
        let id = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(value);
        self.table.insert_unique(hash, (hash, id), |(of, _)| *of);
        id
    }

    /// The values, by number.
    #[must_use]
    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// The value with a number.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&T> {
        self.items.get(id as usize)
    }

    /// All values so far, in the order of their numbers.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.items
    }
}

fn hash<T: Hash>(value: &T) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}
