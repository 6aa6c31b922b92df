//! The inner loop: what one worker does with its examples.
use super::{Feed, Plan};
use crate::{
    loss::Loss,
    models::Model,
    params::{Hogwild, Isa, Job, Table},
    rules::{State, UpdateRule},
};
use crossbeam::utils::CachePadded;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What passes between the workers and whoever watches them. Relaxed: numbers for display, and a flag that is looked at again soon.
#[derive(Default)]
pub(crate) struct Counters {
    pub examples: CachePadded<AtomicU64>,
    pub stop: AtomicBool,
}

/// What a worker has done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub examples: u64,
    /// Stored numbers visited: nonzeros, or ratings.
    pub nonzeros: u64,
    /// Sum of the losses before each step.
    pub loss: f64,
}

impl Tally {
    pub fn add(self, other: Tally) -> Tally {
        Tally { examples: self.examples + other.examples, nonzeros: self.nonzeros + other.nonzeros, loss: self.loss + other.loss }
    }
}

/// One worker's share of an epoch.
pub(crate) struct Epoch<'a, F, M, R> {
    pub feed: &'a F,
    pub model: &'a M,
    pub loss: Loss,
    pub rule: R,
    pub rate: f32,
    pub narrow: &'a Table,
    pub wide: &'a Table,
    pub width: usize,
    pub hot: usize,
    pub plan: &'a Plan,
    pub counters: &'a Counters,
}

/// How many examples ahead the parameters of wide rows are asked for.
const AHEAD: usize = 8;

impl<F, M, R, const S: usize> Job for Epoch<'_, F, M, R>
where
    M: Model,
    F: Feed<M>,
    R: UpdateRule,
    R::State: State<Cell = [f32; S]>,
{
    type Output = Tally;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> Tally {
        let Epoch { feed, model, loss, .. } = self;
        let longest = feed.longest();
        let mut weights = Hogwild::<R, I, S>::new(isa, self.rule, self.rate, self.narrow, self.wide, self.width, self.hot, longest + 1);
        let mut scratch = model.scratch(longest);
        let mut example = feed.room();
        let mut tally = Tally::default();
        let (mut positions, mut scores) = (Vec::new(), Vec::new());
        while let Some(mut blocks) = self.plan.take() {
            while blocks.next(&mut positions, |p| feed.keeps(p)) {
                scores.clear();
                for (i, &position) in positions.iter().enumerate() {
                    if let Some(&far) = positions.get(i + 2 * AHEAD) {
                        feed.prefetch_example(isa, far);
                    }
                    if let Some(&coming) = positions.get(i + AHEAD) {
                        feed.prefetch(isa, coming, &weights);
                    }
                    let label = feed.read(isa, position, &mut example);
                    let score = model.score(&example, &mut weights, &mut scratch);
                    model.backward(&example, loss.slope(score, label), &mut weights, &mut scratch);
                    scores.push((score, label));
                    tally.nonzeros += feed.size(&example);
                }
                weights.exchange();
                let block: f32 = scores.iter().map(|&(score, label)| loss.value(score, label)).sum();
                tally.loss += block as f64;
                tally.examples += positions.len() as u64;
                self.counters.examples.fetch_add(positions.len() as u64, Relaxed);
                if !block.is_finite() {
                    self.counters.stop.store(true, Relaxed);
                }
                if self.counters.stop.load(Relaxed) {
                    return tally;
                }
            }
        }
        tally
    }
}
