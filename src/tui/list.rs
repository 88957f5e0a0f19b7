//! A list's cursor. Which rows are seen follows from it and the height alone, so that nothing
//! has to be kept in step with the screen, and only those rows are laid out.

use super::message::Motion;
use std::ops::Range;

/// Where the cursor of a list stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct List {
    /// The row under the cursor.
    pub selected: usize,
}

impl List {
    /// Moves over `len` rows, of which `page` are seen at once.
    pub fn go(&mut self, motion: Motion, len: usize, page: usize) {
        let last = len.saturating_sub(1);
        let page = page.max(1);
        let at = self.selected.min(last);
        self.selected = match motion {
            Motion::Up => at.saturating_sub(1),
            Motion::Down => (at + 1).min(last),
            Motion::HalfUp => at.saturating_sub(page.div_ceil(2)),
            Motion::HalfDown => (at + page.div_ceil(2)).min(last),
            Motion::PageUp => at.saturating_sub(page),
            Motion::PageDown => (at + page).min(last),
            Motion::First => 0,
            Motion::Last => last,
            Motion::Row(row) => row.min(last),
        };
    }

    /// The row under the cursor, if there is one among `len`.
    #[must_use]
    pub fn at(self, len: usize) -> Option<usize> {
        len.checked_sub(1).map(|last| self.selected.min(last))
    }

    /// The rows that are seen, of `len`, in so many lines: the cursor stands in their middle but
    /// near the ends.
    #[must_use]
    pub fn seen(self, len: usize, lines: usize) -> Range<usize> {
        let at = self.selected.min(len.saturating_sub(1));
        let first = at.saturating_sub(lines / 2).min(len.saturating_sub(lines));
        first..(first + lines).min(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_within_the_list_and_within_what_is_seen() {
        let mut list = List::default();
        for motion in [Motion::Last, Motion::Down, Motion::HalfUp, Motion::PageUp, Motion::Up] {
            list.go(motion, 50, 7);
            assert!(list.selected < 50);
            assert!(list.seen(50, 7).contains(&list.selected), "{motion:?}");
            assert_eq!(list.seen(50, 7).len(), 7);
        }
        assert_eq!(list.at(3), Some(2), "a list that became shorter");
        assert_eq!(list.at(0), None);
        assert_eq!(list.seen(0, 7), 0..0);
        list.go(Motion::Down, 0, 7);
        assert_eq!(list.selected, 0);
    }
}
