//! How many updates are lost when workers step the same weight at once.
//!
//! Some epochs are trained with a rule that counts: whatever the gradient, a step adds 1. So a weight is to be the number of examples
//! that its feature (its user or item) occurs in, times the epochs, and what it is short of that was overwritten. Rows are as wide as
//! Adagrad's; workers' copies of hot rows add what each has counted, as they add Adagrad's sums.
//!
//! Workers must run side by side for nearly all of the time: one epoch of small data is over before the second thread has begun.
use super::trainer::{Trainer, Variant, finished, long_enough, median};
use anyhow::Context;
use hogwild::{
    Loss, Outcome, Real, Schedule, Settings,
    data::{Data, Labelling, Ratings, Rows},
    loss::Huber,
    rules::{Clock, UpdateRule},
    train_factorization_with, train_linear_with,
};
use std::sync::atomic::AtomicBool;

/// Shares of updates lost, from 0 to 1.
pub struct Lost {
    pub variant: Variant,
    pub hot_rows: usize,
    /// Of the row that is stepped most: of linear models the bias.
    pub hottest: f64,
    /// Of the sixteen that are.
    pub hottest_16: f64,
    pub all: f64,
}

/// Adds 1 at each step. Beyond 2^24 an `f32` does not count on, so full weights are carried over to the state: of small data never, as
/// two workers at it may carry twice.
#[derive(Clone, Copy)]
struct Count {
    /// What a score takes a weight to be: constant, so that no slope comes to 0, where linear models would leave out the step.
    seen: f32,
}

const FULL: f32 = (1 << 22) as f32;
/// How often each variant but one thread's is counted.
const RUNS: usize = 3;

impl UpdateRule for Count {
    type State<V: Real> = [V; 1];
    type Step = ();
    type Memory = ();

    #[inline(always)]
    fn averages(&self) -> bool {
        false
    }

    #[inline(always)]
    fn reads(&self) -> bool {
        true
    }

    fn initial(&self) -> [f32; 1] {
        [0.0]
    }

    fn prepare(&self, _clock: &Clock, _memory: &()) {}

    #[inline(always)]
    fn read<V: Real>(&self, _step: &(), _w: V, _state: &[V; 1]) -> V {
        V::of(self.seen)
    }

    fn finish(&self, _step: &(), w: f32, [carried]: &[f32; 1]) -> f32 {
        carried.mul_add(FULL, w)
    }

    #[inline(always)]
    fn step<V: Real>(&self, _step: &(), w: V, _g: V, [carried]: &mut [V; 1]) -> V {
        let (next, full) = (w + V::of(1.0), V::of(FULL));
        *carried = *carried + next.less(full, V::of(0.0), V::of(1.0));
        next.less(full, next, next - full)
    }
}

impl Trainer<'_> {
    /// What each variant loses.
    pub fn lost(&self, variants: &[Variant], begun: &Outcome) -> anyhow::Result<Vec<Lost>> {
        if self.family.labelling() != Labelling::Number || self.family.cuts() {
            return Ok(Vec::new()); // single weights are what is counted with, and cuts set whole rows
        }
        // No row is stepped more often than there are examples.
        let epochs = long_enough(begun).min((FULL as u64 / self.examples()).max(1) as usize);
        let mut found = Vec::new();
        for &variant in variants {
            let (mut shares, mut hot_rows) = ([const { Vec::new() }; 3], 0);
            // One thread repeats itself.
            let runs = if variant.threads == 1 { 1 } else { RUNS };
            for run in 1..=runs {
                self.say(&format!("lost updates, {} threads, run {run} of {runs}", variant.threads));
                let (counted, of) = self.counted(variant, epochs)?;
                hot_rows = of;
                for (shares, rows) in shares.iter_mut().zip([1, 16, usize::MAX]) {
                    shares.push(share(&counted, rows));
                }
            }
            let [hottest, hottest_16, all] = shares.map(|mut shares| median(&mut shares));
            found.push(Lost { variant, hot_rows, hottest, hottest_16, all });
        }
        Ok(found)
    }

    /// How often each row was to be stepped with what was counted, the most frequent first; and how many rows were hot.
    fn counted(&self, variant: Variant, epochs: usize) -> anyhow::Result<(Vec<(u64, f32)>, usize)> {
        let settings =
            Settings { epochs, lr: Some(0.1), l2: 0.0, schedule: Schedule::Constant, standardize: false, ..self.settings(variant) };
        // Tensors of one weight a row, and how many examples each row is in.
        let (outcome, rows) = match self.data {
            Data::Rows(data) => {
                (linear(data, settings, self.stop)?, [("bias", vec![data.rows() as u64]), ("weight", data.feature_counts()?)])
            }
            Data::Ratings(data) => {
                (factorization(data, settings, self.stop)?, [("user_bias", data.user_counts()?), ("item_bias", data.item_counts()?)])
            }
        };
        let model = outcome.model.context("counting gave no model")?;
        let of_tensor = |(tensor, counts): (&str, Vec<u64>)| {
            let counts = counts.into_iter().map(|count| count * epochs as u64);
            counts.zip(model.last().numbers(tensor).iter().copied()).collect::<Vec<_>>()
        };
        let mut counted: Vec<_> = rows.into_iter().flat_map(of_tensor).collect();
        counted.sort_by_key(|row| std::cmp::Reverse(row.0));
        Ok((counted, outcome.settings.hot_rows))
    }
}

fn linear(data: &Rows, settings: Settings, stop: &AtomicBool) -> anyhow::Result<Outcome> {
    // Logistic: the slope at score 0 is 1/2. Numbers: a weight read as sigmoid(1), an odd number, so that no label equals the score.
    let (loss, seen) = if settings.loss.is_classification() { (Loss::Logistic, 0.0) } else { (Huber::DEFAULT.into(), 0.731_058_6) };
    finished(train_linear_with(Count { seen }, data, None, &Settings { loss, ..settings }, &mut (), stop)?)
}

fn factorization(data: &Ratings, settings: Settings, stop: &AtomicBool) -> anyhow::Result<Outcome> {
    finished(train_factorization_with(Count { seen: 0.0 }, data, None, &settings, &mut (), stop)?)
}

/// What the first rows have lost, of all that they were to count.
fn share(counted: &[(u64, f32)], rows: usize) -> f64 {
    // A count beyond 2^24 is rounded as the weight is.
    let (all, kept) =
        counted.iter().take(rows).fold((0.0, 0.0), |(all, kept), &(count, w)| (all + f64::from(count as f32), kept + f64::from(w)));
    1.0 - kept / all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_goes_on_where_numbers_of_32_bits_do_not() {
        let (rule, mut state) = (Count { seen: 0.0 }, [3.0]);
        let w = (0..3).fold(FULL - 1.0, |w, _| rule.step(&(), w, 0.0, &mut state));
        assert_eq!(rule.finish(&(), w, &state), (16 << 20) as f32 + 2.0);
        assert_eq!(share(&[(100, 90.0), (50, 45.0), (10, 10.0)], 1), 1.0 - 0.9);
        assert_eq!(share(&[(100, 90.0), (50, 45.0), (10, 10.0)], 16), 1.0 - 145.0 / 160.0);
    }
}
