//! A queue for keys that never fall below the last one taken: Dijkstra's, faster than a binary heap.

use crate::graph::NodeId;

/// How many entries a bucket keeps room for once it is empty.
const KEPT: usize = 4096;

/// Nodes lie in buckets by the highest bit in which their key differs from the last one taken. A
/// node moves at most 64 times, always to a lower bucket. What the keys are is known outside: a node
/// whose key falls is pushed again, and may be taken as often as it was pushed.
#[derive(Debug)]
pub(super) struct RadixHeap {
    last: u64,
    buckets: Vec<Vec<NodeId>>,
    spare: Vec<NodeId>,
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
        self.buckets[bucket(key, self.last)].push(node);
    }

    /// The node with the least key, by what `key` says now; which of several with one key is not
    /// said. Nodes without a key are dropped.
    pub(super) fn pop(&mut self, key: impl Fn(NodeId) -> Option<u64>) -> Option<NodeId> {
        loop {
            if let Some(node) = self.buckets[0].pop() {
                return Some(node);
            }
            let full = self.buckets.iter().position(|b| !b.is_empty())?;
            let spare = std::mem::take(&mut self.spare);
            let mut moved = std::mem::replace(&mut self.buckets[full], spare);
            if let Some(least) = moved.iter().filter_map(|node| key(*node)).min() {
                self.last = least.max(self.last);
                for node in moved.drain(..) {
                    if let Some(key) = key(node) {
                        self.push(key, node);
                    }
                }
            }
            // The nodes of a whole graph pass through many buckets, which must not all stay that large.
            moved.clear();
            self.spare = if moved.capacity() > KEPT { Vec::new() } else { moved };
        }
    }
}

fn bucket(key: u64, last: u64) -> usize {
    (u64::BITS - (key.max(last) ^ last).leading_zeros()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_order() {
        let mut heap = RadixHeap::default();
        let mut keys = vec![9, 3, 3, 1 << 40, 0, 77, 50];
        for (node, key) in keys.iter().enumerate() {
            heap.push(*key, NodeId::new(node));
        }
        // Falls below others while it waits.
        keys[6] = 8;
        heap.push(8, NodeId(6));
        let (mut taken, mut done) = (Vec::new(), vec![false; 9]);
        let open = |keys: &[u64], done: &[bool], node: NodeId| {
            (!done[node.index()]).then(|| keys[node.index()])
        };
        while let Some(node) = heap.pop(|node| open(&keys, &done, node)) {
            if std::mem::replace(&mut done[node.index()], true) {
                continue;
            }
            taken.push(keys[node.index()]);
            if taken.len() == 3 {
                keys.extend([5, 5]);
                heap.push(5, NodeId(7));
                heap.push(5, NodeId(8));
            }
        }
        assert_eq!(taken, [0, 3, 3, 5, 5, 8, 9, 77, 1 << 40]);
    }
}
