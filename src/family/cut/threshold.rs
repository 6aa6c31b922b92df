//! Two labels: the cheapest cut that a threshold of the shares gives.
//!
//! An edge carries shares one hop a step, so that far from terminals all shares are near half for many epochs. The label of the larger share
//! then cuts anywhere. But the objective is the mean of what the cuts of all thresholds cost (coarea formula), so that the cheapest of them
//! costs at most as much. Shares are drawn to that cut by a little more than half: its labels have the larger shares, the order of nodes stays,
//! and the objective lies between what it was and the cut.

use hogwild_base::threads;
use std::convert::Infallible;

/// How far shares are drawn: by more than half, so that rounding makes no ties.
const DRAWN: f32 = 0.5 + 1.0 / 1024.0;
/// Nodes of a task.
const TASK: usize = 1 << 13;
/// What cuts may differ by and count as the same.
const SLACK: f64 = 1e-9;

/// A sum of weights of any scale in which large ones cancel: what rounding has lost is kept beside (Knuth's two-sum).
#[derive(Clone, Copy, Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        let part = sum - self.sum;
        self.lost += (self.sum - (sum - part)) + (x - part);
        self.sum = sum;
    }

    fn value(self) -> f64 {
        self.sum + self.lost
    }
}

/// Which nodes have a path of edges that cost anything to a terminal. Terminals come first.
pub(super) fn reached(nodes: usize, terminals: usize, ends: &[[u32; 2]], weights: &[f32]) -> Vec<bool> {
    let mut parents: Vec<u32> = (0..nodes as u32).collect();
    let root = |parents: &mut [u32], mut node: u32| {
        while parents[node as usize] != node {
            let next = parents[parents[node as usize] as usize];
            parents[node as usize] = next;
            node = next;
        }
        node
    };
    for (&[u, v], _) in ends.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
        let (u, v) = (root(&mut parents, u), root(&mut parents, v));
        // The smaller number stands for both: so it is a terminal wherever there is one.
        parents[u.max(v) as usize] = u.min(v);
    }
    (0..nodes as u32).map(|node| (root(&mut parents, node) as usize) < terminals).collect()
}

/// Draws rows of two shares to the cheapest cut of a threshold, where that costs less than the label of the larger share.
/// Rows of nodes that are not reached stay as they are.
pub(super) fn draw(shares: &mut [f32], ends: &[[u32; 2]], weights: &[f32], reached: &[bool]) {
    let (rows, _) = shares.as_chunks_mut::<2>();
    // Halves of the edges, on one thread too: so the sums are the same on any number of them.
    let half = ends.len().min(weights.len()) / 2;
    let first = || changes(rows, &ends[..half], &weights[..half]);
    let second = || changes(rows, &ends[half..], &weights[half..]);
    let (order, (first, second)) = threads::in_call(|| threads::join(|| in_order(rows), || threads::join(first, second)));
    let own = first.1 + second.1;
    // In that order, so that the sums below go through memory once: rows of one share lie anywhere.
    let change_at = |rank: usize| {
        let (node, mut change) = (order[rank] as u32 as usize, Sum::default());
        for Sum { sum, lost } in [first.0[node], second.0[node]] {
            change.add(sum);
            change.add(lost);
        }
        change
    };
    let sorted_changes = threads::in_call(|| threads::map(order.len(), change_at));
    // What a threshold behind each value cuts, from the least value on.
    let (mut all, mut values, mut cuts) = (Sum::default(), Vec::new(), Vec::new());
    for (rank, (key, change)) in order.iter().zip(sorted_changes).enumerate() {
        all.add(change.sum);
        all.add(change.lost);
        if order.get(rank + 1).is_none_or(|next| next >> 32 != key >> 32) {
            values.push(f32::from_bits((key >> 32) as u32));
            cuts.push(all.value());
        }
    }
    // Behind the last value nothing is cut, for all have one label: no threshold lies there.
    cuts.pop();
    let least = cuts.iter().copied().fold(f64::INFINITY, f64::min);
    if least * (1.0 + SLACK) >= own {
        return;
    }
    // Of those that cost as little the one next to half.
    let from_half = |rank: usize| ((values[rank] + values[rank + 1]) / 2.0 - 0.5).abs();
    let cheapest = (0..cuts.len()).filter(|&rank| cuts[rank] <= least * (1.0 + SLACK));
    let Some(below) = cheapest.min_by(|&a, &b| from_half(a).total_cmp(&from_half(b))) else { return };
    let (most, tasks) = (values[below], rows.chunks_mut(TASK).zip(reached.chunks(TASK)).collect());
    let Ok(()) = threads::in_call(|| threads::each(tasks, || (), |(), (rows, reached)| draw_to(rows, reached, most)));
}

/// Draws rows that are reached to the second label where they have more of it than `most`, else to the first.
fn draw_to(rows: &mut [[f32; 2]], reached: &[bool], most: f32) -> Result<(), Infallible> {
    for (row, _) in rows.iter_mut().zip(reached).filter(|(_, reached)| **reached) {
        let to = if row[1] > most { [0.0, 1.0] } else { [1.0, 0.0] };
        for label in 0..2 {
            if to[label] != row[label] {
                row[label] += DRAWN * (to[label] - row[label]);
            }
        }
    }
    Ok(())
}

/// The nodes by their shares of the second label, whose bits are the upper half. Shares of 0 or more are in the order of their bits;
/// adding 0 takes the sign from -0.
fn in_order(rows: &[[f32; 2]]) -> Vec<u64> {
    let mut order: Vec<u64> = (0..).zip(rows).map(|(node, row)| u64::from((row[1] + 0.0).to_bits()) << 32 | node).collect();
    // By the shares alone: many nodes have the same, and those need no sorting. Nodes of one share would come in another order by several
    // threads: so this is done by one, beside the sums.
    order.sort_unstable_by_key(|key| key >> 32);
    order
}

/// By how much the cut changes as a threshold passes each node, and what the labels of the larger shares cut.
///
/// An edge is cut by the thresholds between its ends: so its weight comes in with one, and goes with the other. Sums of nodes, and not of
/// values in their order, lie near each other for the edges of a tile.
fn changes(rows: &[[f32; 2]], ends: &[[u32; 2]], weights: &[f32]) -> (Vec<Sum>, f64) {
    let (mut changes, mut own) = (vec![Sum::default(); rows.len()], 0.0);
    for (&[u, v], &weight) in ends.iter().zip(weights) {
        let (first, second, weight) = (rows[u as usize], rows[v as usize], f64::from(weight));
        if first[1] != second[1] {
            let (below, above) = if first[1] < second[1] { (u, v) } else { (v, u) };
            changes[below as usize].add(weight);
            changes[above as usize].add(-weight);
        }
        // Rows of as much of the second label may differ in the first by rounding.
        own += if (first[1] > first[0]) != (second[1] > second[0]) { weight } else { 0.0 };
    }
    (changes, own)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain from one terminal to the other, cheapest where no share is near half.
    const CHAIN: ([[u32; 2]; 4], [f32; 4]) = ([[0, 2], [2, 3], [3, 4], [4, 1]], [5.0, 5.0, 0.25, 5.0]);

    fn cut(shares: &[f32]) -> f64 {
        super::super::shares::costs((shares, 2), &CHAIN.0, &CHAIN.1).cut
    }

    #[test]
    fn the_cheapest_threshold_is_found() {
        let start = [1.0, 0.0, 0.0, 1.0, 0.8, 0.2, 0.49, 0.51, 0.48, 0.52, 0.5, 0.5];
        let mut shares = start;
        let reached = reached(6, 2, &CHAIN.0, &CHAIN.1);
        assert_eq!(reached, [true, true, true, true, true, false]);
        draw(&mut shares, &CHAIN.0, &CHAIN.1, &reached);
        assert_eq!((cut(&start), cut(&shares)), (5.0, 0.25));
        assert_eq!((&shares[..4], &shares[10..]), (&start[..4], &start[10..]));
        assert!(shares.chunks(2).all(|row| row.iter().all(|&share| share >= 0.0) && (row[0] + row[1] - 1.0).abs() < 1e-6), "{shares:?}");
        // What is cut as cheaply as it can be stays as it is.
        let again = shares;
        draw(&mut shares, &CHAIN.0, &CHAIN.1, &reached);
        assert_eq!(shares, again);
    }

    #[test]
    fn shares_that_are_not_yet_moved_are_cut_at_one_side() {
        // All between the terminals have as much of both labels: the first label costs 5, the second .25.
        let (ends, weights) = ([[0, 2], [2, 3], [3, 1]], [0.25, 1.0, 5.0]);
        let mut shares = [1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 0.5, 0.5];
        draw(&mut shares, &ends, &weights, &[true; 4]);
        assert_eq!(super::super::shares::costs((&shares, 2), &ends, &weights).cut, 0.25);
    }

    #[test]
    fn heavy_edges_do_not_hide_what_light_ones_cost() {
        let (ends, weights) = (CHAIN.0, [1e12, 5.0, 0.25, 1e12]);
        let mut shares = [1.0, 0.0, 0.0, 1.0, 0.8, 0.2, 0.49, 0.51, 0.48, 0.52];
        draw(&mut shares, &ends, &weights, &[true; 5]);
        assert_eq!(super::super::shares::costs((&shares, 2), &ends, &weights).cut, 0.25);
    }

    #[test]
    fn rounding_of_a_tie_is_no_cut() {
        // Both nodes have half of the second label, and one a little less of the first.
        let (ends, weights) = ([[0, 2], [2, 3], [3, 1]], [1.0, 9.0, 1.0]);
        let mut shares = [1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 0.5f32.next_down(), 0.5];
        draw(&mut shares, &ends, &weights, &[true; 4]);
        assert_eq!(super::super::shares::costs((&shares, 2), &ends, &weights).cut, 1.0);
    }

    #[test]
    fn edges_without_cost_lead_nowhere() {
        assert_eq!(reached(5, 2, &[[0, 2], [3, 2], [4, 1]], &[1.0, 0.0, 1.0]), [true, true, true, false, true]);
        draw(&mut [], &[], &[], &[]);
    }
}
