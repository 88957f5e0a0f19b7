//! Orders the places of each layer against crossings.

use super::heights::ALIGNED;
use super::layers::Layers;
use super::real;

/// Orders that are tried against crossings.
const SWEEPS: usize = 24;

impl Layers {
    /// Orders each layer so that few lines cross: each place goes to the mean of its neighbours,
    /// from the left and from the right in turn, and the best order is kept.
    pub(super) fn order(&mut self) {
        self.order_by_walk();
        let mut best = self.rows.clone();
        let mut fewest = self.crossings();
        for sweep in 0..SWEEPS {
            if fewest == 0 {
                break;
            }
            let last = self.rows.len() - 1;
            let position = &mut self.positions();
            for step in 0..last {
                let (layer, near) = if sweep % 2 == 0 {
                    (step + 1, &self.previous)
                } else {
                    (last - 1 - step, &self.next)
                };
                let mean = |place: &usize| {
                    let near = &near[*place];
                    let sum: usize = near.iter().map(|n| position[*n]).sum();
                    if near.is_empty() {
                        real(position[*place])
                    } else {
                        real(sum) / real(near.len())
                    }
                };
                let mut row: Vec<(f64, usize)> =
                    self.rows[layer].iter().map(|p| (mean(p), *p)).collect();
                // Every other pair of sweeps turns ties around, to get out of a rut.
                if sweep % 4 > 1 {
                    row.reverse();
                }
                row.sort_by(|a, b| a.0.total_cmp(&b.0));
                for (at, (_, place)) in row.iter().enumerate() {
                    position[*place] = at;
                }
                self.rows[layer] = row.into_iter().map(|(_, place)| place).collect();
            }
            let crossings = self.crossings();
            if crossings < fewest {
                fewest = crossings;
                best.clone_from(&self.rows);
            }
        }
        self.rows = best;
        self.exchange();
    }

    /// The first order: as a walk in depth from the left meets the places, which keeps what
    /// belongs together side by side.
    fn order_by_walk(&mut self) {
        let mut met = vec![usize::MAX; self.places.len()];
        let mut clock = 0;
        let roots: Vec<usize> = self.rows.iter().flatten().copied().collect();
        for root in roots {
            let mut stack = vec![root];
            while let Some(place) = stack.pop() {
                if met[place] == usize::MAX {
                    met[place] = clock;
                    clock += 1;
                    stack.extend(self.next[place].iter().rev());
                }
            }
        }
        for row in &mut self.rows {
            row.sort_by_key(|place| met[*place]);
        }
    }

    pub(super) fn positions(&self) -> Vec<usize> {
        let mut positions = vec![0; self.places.len()];
        for row in &self.rows {
            for (at, place) in row.iter().enumerate() {
                positions[*place] = at;
            }
        }
        positions
    }

    /// How many pairs of links cross, counted with a tree of sums.
    fn crossings(&self) -> usize {
        let positions = self.positions();
        let mut crossings = 0;
        for pair in self.rows.windows(2) {
            let (left, right) = (&pair[0], &pair[1]);
            let mut sums = vec![0_usize; right.len() + 1];
            let mut so_far = 0;
            for place in left {
                let mut targets: Vec<usize> =
                    self.next[*place].iter().map(|n| positions[*n]).collect();
                targets.sort_unstable();
                for target in &targets {
                    // Of the links before, those that end at or above this one do not cross it.
                    let (mut above, mut i) = (0, target + 1);
                    while i > 0 {
                        above += sums[i];
                        i &= i - 1;
                    }
                    crossings += so_far - above;
                }
                for target in targets {
                    so_far += 1;
                    let mut i = target + 1;
                    while i < sums.len() {
                        sums[i] += 1;
                        i += i & i.wrapping_neg();
                    }
                }
            }
        }
        crossings
    }

    /// Swaps neighbours while that takes crossings away.
    fn exchange(&mut self) {
        if self.places.len() > ALIGNED * 4 {
            return;
        }
        let mut positions = self.positions();
        for _ in 0..8 {
            let mut better = false;
            for row in &mut self.rows {
                for i in 1..row.len() {
                    let (a, b) = (row[i - 1], row[i]);
                    let mut balance = 0_isize;
                    for near in [&self.previous, &self.next] {
                        for x in &near[a] {
                            for y in &near[b] {
                                balance += match positions[*x].cmp(&positions[*y]) {
                                    std::cmp::Ordering::Greater => 1,
                                    std::cmp::Ordering::Less => -1,
                                    std::cmp::Ordering::Equal => 0,
                                };
                            }
                        }
                    }
                    if balance > 0 {
                        row.swap(i - 1, i);
                        positions.swap(a, b);
                        better = true;
                    }
                }
            }
            if !better {
                break;
            }
        }
    }
}
