//! What a model of a cut says: the share of each label that a node has, the label that it takes, and what edges cost by both.
use crate::model::{CutMetrics, Tensors, TrainedModel};
use hogwild_base::threads;
use hogwild_data::Ids;

/// Edges of a task.
const TASK: usize = 1 << 14;

/// A multiway cut: a view of a model's tensors.
#[derive(Clone, Copy, Debug)]
pub struct CutModel<'a> {
    /// The nodes' ids: terminals first, in the order of their labels.
    pub nodes: &'a Ids,
    /// What labels are called.
    pub labels: &'a Ids,
    /// The shares of a node's labels, one node after the other: 0 or more, and 1 together.
    pub shares: &'a [f32],
}

impl<'a> CutModel<'a> {
    /// A member of a model of a cut.
    pub(crate) fn new(model: &'a TrainedModel, member: &'a Tensors) -> Option<CutModel<'a>> {
        let (nodes, labels, share) = (model.ids("node")?, model.ids("label")?, member.get("share")?);
        Some(CutModel { nodes, labels, shares: &share.numbers })
    }

    /// The label that a node takes: the first of those with the largest share.
    pub fn label(&self, node: usize) -> usize {
        label(self.row(node))
    }

    /// How many nodes have no largest share: several of their labels have as much. So it is where no path leads to a terminal.
    pub fn undecided(&self) -> usize {
        (0..self.nodes.len()).filter(|&node| is_undecided(self.row(node))).count()
    }

    fn row(&self, node: usize) -> &[f32] {
        let labels = self.labels.len();
        self.shares.get(node * labels..).and_then(|rest| rest.get(..labels)).unwrap_or_default()
    }

    /// What edges cost.
    pub(super) fn costs(&self, ends: &[[u32; 2]], weights: &[f32]) -> CutMetrics {
        costs((self.shares, self.labels.len()), ends, weights)
    }
}

/// How much below the largest share another counts as large: what the order of steps may make of a tie.
const TIE: f32 = 1e-6;

fn is_undecided(row: &[f32]) -> bool {
    let largest = row.iter().copied().fold(0.0, f32::max);
    row.iter().filter(|&&share| share > largest - TIE).count() > 1
}

fn label(row: &[f32]) -> usize {
    let mut best = 0;
    for (label, &share) in row.iter().enumerate() {
        if share > row[best] {
            best = label;
        }
    }
    best
}

/// The row of shares of a node.
fn row((shares, labels): (&[f32], usize), node: u32) -> &[f32] {
    &shares[node as usize * labels..][..labels]
}

/// What an edge costs by rows of shares, of so many labels.
pub(super) fn cost(shares: (&[f32], usize), [u, v]: [u32; 2], weight: f32) -> f64 {
    // Four sums, so that none waits for the one before it.
    let ((u, of_u), (v, of_v)) = (row(shares, u).as_chunks::<4>(), row(shares, v).as_chunks::<4>());
    let mut sums = [0f32; 4];
    for (u, v) in u.iter().zip(v) {
        for lane in 0..4 {
            sums[lane] += (u[lane] - v[lane]).abs();
        }
    }
    let rest: f32 = of_u.iter().zip(of_v).map(|(u, v)| (u - v).abs()).sum();
    let distance = (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest;
    0.5 * f64::from(weight) * f64::from(distance)
}

/// What edges cost. The sums are the same on any number of threads.
pub(super) fn costs(shares: (&[f32], usize), ends: &[[u32; 2]], weights: &[f32]) -> CutMetrics {
    let nodes = if shares.1 == 2 { 0 } else { shares.0.len().checked_div(shares.1).unwrap_or(0) };
    let labels = threads::in_call(|| threads::map(nodes, |node| label(row(shares, node as u32)) as u32));
    let part = |task: usize| {
        let edges = task * TASK..ends.len().min((task + 1) * TASK);
        let (ends, weights) = (&ends[edges.clone()], &weights[edges]);
        if shares.1 == 2 {
            return costs_of_two(shares.0.as_chunks().0, ends, weights);
        }
        let (mut objective, mut cut) = (0.0, 0.0);
        for (&[u, v], &weight) in ends.iter().zip(weights) {
            objective += cost(shares, [u, v], weight);
            cut += if labels[u as usize] != labels[v as usize] { f64::from(weight) } else { 0.0 };
        }
        (objective, cut)
    };
    let parts = threads::in_call(|| threads::map(ends.len().div_ceil(TASK), part));
    let (objective, cut) = parts.into_iter().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
    CutMetrics { edges: ends.len() as u64, objective, cut }
}

/// The same of two labels, objective and cut, to the same bits: rows whose length the compiler knows take a third of the time.
fn costs_of_two(rows: &[[f32; 2]], ends: &[[u32; 2]], weights: &[f32]) -> (f64, f64) {
    let (mut objective, mut cut) = (0.0, 0.0);
    for (&[u, v], &weight) in ends.iter().zip(weights) {
        let (u, v, weight) = (rows[u as usize], rows[v as usize], f64::from(weight));
        objective += 0.5 * weight * f64::from((u[0] - v[0]).abs() + (u[1] - v[1]).abs());
        cut += if (u[1] > u[0]) != (v[1] > v[0]) { weight } else { 0.0 };
    }
    (objective, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_labels_cost_what_any_number_does() {
        let shares: Vec<f32> = (0..50).flat_map(|i| [i as f32 / 49.0, 1.0 - i as f32 / 49.0]).collect();
        let ends: Vec<[u32; 2]> = (0..400u32).map(|i| [i * 7 % 50, (i * 11 + 1) % 50]).collect();
        let weights: Vec<f32> = (0..400).map(|i| 0.1 + i as f32 / 7.0).collect();
        let (mut objective, mut cut) = (0.0, 0.0);
        for (&[u, v], &weight) in ends.iter().zip(&weights) {
            objective += cost((&shares, 2), [u, v], weight);
            let differ = label(row((&shares, 2), u)) != label(row((&shares, 2), v));
            cut += if differ { f64::from(weight) } else { 0.0 };
        }
        let found = costs((&shares, 2), &ends, &weights);
        assert_eq!((found.objective, found.cut), (objective, cut));
        assert!(0.0 < cut && cut < weights.iter().map(|&weight| f64::from(weight)).sum());
    }
}
