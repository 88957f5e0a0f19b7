//! A queue for keys that never fall below the last one taken: Dijkstra's, faster than a binary heap.

use crate::graph::NodeId;

/// How many entries a bucket keeps room for once it is empty.
const KEPT: usize = 4096;

/// Entries lie in buckets by the highest bit in which their key differs from the last one taken.
/// An entry moves at most 64 times, always to a lower bucket.
#[derive(Debug)]
pub(super) struct RadixHeap {
    last: u64,
    buckets: Vec<Vec<(u64, NodeId)>>,
    spare: Vec<(u64, NodeId)>,
}

impl Default for RadixHeap {
    fn default() -> Self {
        Self { last: 0, buckets: vec![Vec::new(); 65], spare: Vec::new() }
    }
}

impl RadixHeap {
    /// Empties it, and keeps little room.
    pub(super) fn clear(&mut self) {
        self.last = 0;
        for bucket in &mut self.buckets {
            bucket.clear();
            bucket.shrink_to(KEPT);
        }
    }

    /// A key below the last one taken is taken for that one.
    pub(super) fn push(&mut self, key: u64, node: NodeId) {
        let key = key.max(self.last);
        self.buckets[bucket(key, self.last)].push((key, node));
    }

    /// The entry with the least key; which of several with one key is not said.
    pub(super) fn pop(&mut self) -> Option<(u64, NodeId)> {
        if let Some(entry) = self.buckets[0].pop() {
            return Some(entry);
        }
        let full = self.buckets.iter().position(|b| !b.is_empty())?;
        let mut moved = std::mem::replace(&mut self.buckets[full], std::mem::take(&mut self.spare));
        self.last = moved.iter().map(|(key, _)| *key).min()?;
        for entry in moved.drain(..) {
            self.buckets[bucket(entry.0, self.last)].push(entry);
        }
        // The entries of a whole graph pass through many buckets, which must not all stay that large.
        self.spare = if moved.capacity() > KEPT { Vec::new() } else { moved };
        self.buckets[0].pop()
    }
}

fn bucket(key: u64, last: u64) -> usize {
    (u64::BITS - (key ^ last).leading_zeros()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_order() {
        let mut heap = RadixHeap::default();
        for key in [9, 3, 3, 1 << 40, 0, 77] {
            heap.push(key, NodeId(0));
        }
        let mut taken = Vec::new();
        while let Some((key, _)) = heap.pop() {
            taken.push(key);
            if key == 3 && taken.len() < 4 {
                heap.push(5, NodeId(1));
            }
        }
        assert_eq!(taken, [0, 3, 3, 5, 5, 9, 77, 1 << 40]);
    }
}
