//! How much examples count: by weights of their own, and by those of their classes.
//!
//! The objective is `sum_i w_i l_i / sum_i w_i`. Weights are scaled to a mean of 1 over the examples that are trained on, so that a
//! learning rate means the same with and without them; a step goes by the slope times the weight. Whoever has no weights pays nothing: the
//! loops ask once an epoch whether there are any.
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The weights of a data set of rows.
#[derive(Clone, Copy, Debug)]
pub struct Weighting<'a> {
    /// The bits of each row's own weight.
    own: Option<&'a [AtomicU32]>,
    /// What multiplies that, by the sign of the target: of -1, of +1.
    by_class: [f64; 2],
}

impl<'a> Weighting<'a> {
    /// Of rows' own weights and those of two classes, of -1 and of +1. `trained` goes through the examples that are trained on, by number and
    /// target.
    pub fn new(own: Option<&'a [AtomicU32]>, by_class: [f64; 2], trained: impl Fn(&mut dyn FnMut(u32, f32))) -> Weighting<'a> {
        let (mut sum, mut count) = (0.0, 0u64);
        trained(&mut |row, target| (sum, count) = (sum + own_of(own, row) as f64 * by_class[class(target)], count + 1));
        let scale = if sum > 0.0 { count as f64 / sum } else { 1.0 };
        Weighting { own, by_class: by_class.map(|weight| weight * scale) }
    }

    /// Of rows' own weights, which are not scaled.
    pub fn as_given(own: &'a [AtomicU32]) -> Weighting<'a> {
        Weighting { own: Some(own), by_class: [1.0; 2] }
    }

    /// The weight of a row with this target; not inlined, as most runs have none.
    #[inline(never)]
    pub fn of(&self, row: u32, target: f32) -> f32 {
        (own_of(self.own, row) as f64 * self.of_class(target)) as f32
    }

    /// What multiplies the own weight of an example with this target.
    pub fn of_class(&self, target: f32) -> f64 {
        self.by_class[class(target)]
    }
}

/// A row's own weight.
fn own_of(own: Option<&[AtomicU32]>, row: u32) -> f32 {
    own.map_or(1.0, |own| f32::from_bits(own[row as usize].load(Relaxed)))
}

fn class(target: f32) -> usize {
    (target > 0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_a_mean_of_one_over_what_is_trained_on() {
        let own = [2.0f32, 0.5, 4.0, 7.0].map(|weight| AtomicU32::new(weight.to_bits()));
        let targets = [1.0, -1.0, -1.0, 1.0];
        let trained = |each: &mut dyn FnMut(u32, f32)| (0..3).for_each(|row| each(row, targets[row as usize]));
        let weighting = Weighting::new(Some(&own), [1.0, 3.0], trained);
        let weights: Vec<f32> = (0..3).map(|row| weighting.of(row, targets[row as usize])).collect();
        assert!((weights.iter().sum::<f32>() - 3.0).abs() < 1e-6);
        assert!((weights[0] / weights[1] - 12.0).abs() < 1e-5 && (weights[2] / weights[1] - 8.0).abs() < 1e-5);
        let alike = Weighting::new(None, [5.0; 2], trained);
        assert_eq!([alike.of(0, 1.0), alike.of(1, -1.0)], [1.0; 2]);
        assert_eq!([0, 3].map(|row| Weighting::as_given(&own).of(row, 1.0)), [2.0, 7.0]);
    }
}
