//! Interned text: every name in the snapshot is held once and referred to by a [`Sym`].
//!
//! Two interners may work side by side, one a thread; [`merge`] joins them into one whose symbols
//! are numbered in the order of their text. From then on comparing two symbols compares their
//! text, and no result depends on which thread saw a name first.

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

crate::index! {
    /// An interned string. Symbol 0 is the empty string in every interner.
    Sym
}

impl Sym {
    /// The empty string.
    pub const EMPTY: Self = Self(0);

    /// Whether this is the empty string.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The table of interned strings: one buffer of text and where each string ends.
#[derive(Debug, Clone)]
pub struct Symbols {
    text: String,
    ends: Vec<usize>,
    table: HashTable<Sym>,
}

impl Default for Symbols {
    fn default() -> Self {
        let mut symbols = Self::with_capacity(0);
        symbols.intern("");
        symbols
    }
}

impl Symbols {
    /// Room for some strings, without the empty one, which has to be the first.
    fn with_capacity(strings: usize) -> Self {
        let table = HashTable::with_capacity(strings);
        Self { text: String::new(), ends: Vec::with_capacity(strings), table }
    }

    /// The symbol of a string, new or known. O(length of the string).
    pub fn intern(&mut self, string: &str) -> Sym {
        let hash = hash(string);
        if let Some(found) = self.find(hash, string) {
            return found;
        }
        self.push(hash, string)
    }

    /// The symbol of a string that the table does not have.
    fn push(&mut self, hash: u64, string: &str) -> Sym {
        let sym = Sym::new(self.ends.len());
        self.text.push_str(string);
        self.ends.push(self.text.len());
        let (text, ends) = (&self.text, &self.ends);
        self.table.insert_unique(hash, sym, |s| self::hash(slice(text, ends, *s)));
        sym
    }

    /// Gives back room for strings to come.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// The symbol of a string, if it was interned before.
    #[must_use]
    pub fn get(&self, string: &str) -> Option<Sym> {
        self.find(hash(string), string)
    }

    /// The text of a symbol of this table.
    #[must_use]
    pub fn text(&self, sym: Sym) -> &str {
        slice(&self.text, &self.ends, sym)
    }

    /// How many distinct strings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether only the empty string is interned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.len() <= 1
    }

    fn find(&self, hash: u64, string: &str) -> Option<Sym> {
        self.table.find(hash, |s| self.text(*s) == string).copied()
    }
}

/// Joins several tables into one whose symbols are in the order of their text.
///
/// Returns the table and, for each one given, the new symbol of each of its old ones.
/// O(n log n) in the number of distinct strings.
#[must_use]
pub fn merge(parts: &[Symbols]) -> (Symbols, Vec<Vec<Sym>>) {
    // Each string with the table and the symbol that it comes from.
    let mut all: Vec<(&str, usize, Sym)> = Vec::with_capacity(parts.iter().map(Symbols::len).sum());
    for (place, part) in parts.iter().enumerate() {
        all.extend((0..part.len()).map(Sym::new).map(|sym| (part.text(sym), place, sym)));
    }
    all.sort_unstable();
    let distinct = || all.chunk_by(|a, b| a.0 == b.0);
    let mut symbols = Symbols::with_capacity(distinct().count());
    symbols.text.reserve_exact(distinct().map(|same| same[0].0.len()).sum());
    let mut maps: Vec<Vec<Sym>> = parts.iter().map(|p| vec![Sym::EMPTY; p.len()]).collect();
    for same in distinct() {
        let new = symbols.push(hash(same[0].0), same[0].0);
        for (_, place, old) in same {
            maps[*place][old.index()] = new;
        }
    }
    if parts.is_empty() {
        symbols.intern("");
    }
    (symbols, maps)
}

fn slice<'a>(text: &'a str, ends: &[usize], sym: Sym) -> &'a str {
    let start = sym.index().checked_sub(1).and_then(|i| ends.get(i)).copied().unwrap_or(0);
    let end = ends.get(sym.index()).copied().unwrap_or(start);
    text.get(start..end).unwrap_or("")
}

/// The hash that the interner uses: fast, and not meant to withstand chosen collisions, which
/// would slow a run down but not change its result.
fn hash(string: &str) -> u64 {
    let mut hasher = FxHasher::default();
    string.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_symbols_compare_as_their_text() {
        let (mut a, mut b) = (Symbols::default(), Symbols::default());
        let (zebra, apple) = (a.intern("zebra"), a.intern("apple"));
        let (mango, apple_b) = (b.intern("mango"), b.intern("apple"));
        let (merged, maps) = merge(&[a, b]);
        assert_eq!(merged.len(), 4);
        assert_eq!(maps[0][apple.index()], maps[1][apple_b.index()]);
        assert!(maps[0][apple.index()] < maps[1][mango.index()]);
        assert!(maps[1][mango.index()] < maps[0][zebra.index()]);
        assert_eq!(merged.text(maps[0][zebra.index()]), "zebra");
        assert_eq!(maps[0][0], Sym::EMPTY);
    }
}
