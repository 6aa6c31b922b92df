//! How much ratings, or interactions, count: their weights go with them into the order of a run.
//!
//! What is minimised is `sum w l / sum w`, with L2 by weight as well: a rating of weight 2 leads to the same optimum as two equal ones.
//! Weights are scaled to a mean of 1 over what is trained on, and those that are all alike are none.
use hogwild_base::threads;
use hogwild_data::Ratings;
use std::sync::atomic::Ordering::Relaxed;

/// Those of some rows, in their order; none where all rows of the data count alike.
pub(super) fn of_rows(data: &Ratings, rows: impl Iterator<Item = u32>) -> Option<Vec<f32>> {
    let cells = data.weight_cells()?;
    Some(rows.map(|row| f32::from_bits(cells[row as usize].load(Relaxed))).collect())
}

/// The same beside a mean of 1.
pub(super) fn scaled(weights: Option<Vec<f32>>) -> Option<Vec<f32>> {
    let mut weights = weights.filter(|weights| weights.windows(2).any(|pair| pair[0] != pair[1]))?;
    let mean = weights.iter().map(|&weight| f64::from(weight)).sum::<f64>() / weights.len() as f64;
    weights.iter_mut().for_each(|weight| *weight = (f64::from(*weight) / mean) as f32);
    Some(weights)
}

/// Sorts rows by a key, their weights with them; rows of one key stay in their order.
pub(super) fn sort_by_key<T: Copy + Send + Sync, K: Ord>(rows: &mut Vec<T>, weights: &mut Option<Vec<f32>>, key: impl Fn(&T) -> K + Sync) {
    let Some(weights) = weights else { return threads::sort_by_key(rows, key) };
    let mut both: Vec<(T, f32)> = rows.iter().copied().zip(weights.iter().copied()).collect();
    threads::sort_by_key(&mut both, |(row, _)| key(row));
    (*rows, *weights) = both.into_iter().unzip();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_go_with_their_rows_and_have_a_mean_of_one() {
        let (mut rows, mut weights) = (vec![3, 1, 2, 1], Some(vec![6.0, 1.0, 4.0, 1.0]));
        sort_by_key(&mut rows, &mut weights, |row| *row);
        assert_eq!((rows, &weights), (vec![1, 1, 2, 3], &Some(vec![1.0, 1.0, 4.0, 6.0])));
        assert_eq!(scaled(weights), Some(vec![1.0 / 3.0, 1.0 / 3.0, 4.0 / 3.0, 2.0]));
        assert_eq!((scaled(Some(vec![5.0; 3])), scaled(Some(Vec::new())), scaled(None)), (None, None, None));
    }
}
