//! The search that chooses a learning rate where none is given: each rate tries the whole run on a sample of the training data, all epochs
//! under the schedule, and is judged by the loss on examples that the sample holds out.
//!
//! A short pass favours other rates than a run (Wu, Ren, Liao & Grosse 2018): it does not see factors form, which at first gain nothing,
//! nor rows learnt by heart. A run on fewer examples favours much the same rates as one on all: on a 64th of a9a, criteo, ml10m (its users)
//! and flights the best lies within a rung of that on all, under every rule. Where rows are learnt by heart it falls with more of them:
//! imdb_1gram 9.5, 5.3, 1.7, .95 and imdb_2gram 30, 17, 9.5, 3 on 1/64, 1/16, 1/4 and all. There a model keeps little of its loss on
//! examples it has seen (.03 to .3), elsewhere most (.4 to 1): so the winner goes on with the examples to the power `-BY_HEART`, in
//! proportion to what is not kept; and otherwise, halfway, as it went from the smaller sample to the larger (synthetic text of 300,000
//! features: .5 on 9,000 rows, .9 on 37,500, 2 on 1.5 million).
//!
//! A ladder of four decades runs on a small sample, rungs about its best on a larger one; each goes on beyond an end that is the best.
//! Of rates that differ by less than the noise of the held-out examples, the smallest wins: it does the least harm to data of another
//! kind, and one that only drives a loss of nearly 0 further down is not better. Where no rate beats the constant that loses least, the
//! largest that does no harm is taken, and that is said.
use super::{
    follower::Follower,
    report::{RateSearchReport, TriedRate},
    trial::{EPOCHS, Trials, mean},
};
use crate::{
    family::prepared::{Basis, Search},
    options::Settings,
};
use hogwild_base::Result;
use hogwild_kernels::simd::{InstructionSet, math::three_digits};
use std::time::Instant;

/// From rung to rung of the first ladder, and of the second: two and four to a decade.
const STEPS: [f32; 2] = [3.162_277_7, 1.778_279_4];
/// Rungs on either side of the middle, and how many there may be in all.
const SIDES: [i32; 2] = [4, 2];
const MOST: [usize; 2] = [24, 16];
/// How many rungs there are as a rule, by which samples are as large as the work allows.
const USUAL: [f64; 2] = [9.0, 8.0];
/// What part of the run's work a search may be, and how much of that each ladder.
const PART: f64 = 0.2;
const SHARES: [f64; 2] = [0.25, 0.75];
/// So many numbers (nonzeros and the like) a search may visit in any case: a tenth of a second or two.
const WORK: f64 = 1e8;
/// The fewest examples of a sample, where there are as many.
const LEAST: [f64; 2] = [500.0, 2000.0];
/// Examples of a sample, at most.
pub(super) const LARGEST: u64 = 1 << 18;
/// The exponent of how the best rate falls with more examples where they are learnt by heart.
const BY_HEART: f64 = 0.5;
/// How much of its loss a model keeps on examples it has seen: at most so much, where all is learnt by heart; at least, where nothing is.
const KEPT: [f64; 2] = [0.1, 0.4];
/// How much of a trend from sample to sample is taken to go on, and the steepest that is not noise.
const TREND: f64 = 0.5;
const STEEPEST: f64 = 0.5;
/// Rules that tune themselves by single examples go on raising their steps in a run longer than its trial: by what their rate is divided.
const SELF_TUNED: f64 = 2.0;
/// Rates whose losses differ by less than so many standard errors are taken to be equally good; by a few examples, of which the error is
/// not well known either, by so many more over their number.
const NOISE: [f64; 2] = [0.5, 10.0];
/// And of classes by so many times the constant's loss over the number of examples, as one more could: a loss of nearly 0 that falls
/// further means nothing.
const UNSEEN: f64 = 1.0;
/// A loss nearer than this part to the constant's is that of a model that has not moved.
const UNMOVED: f64 = 1e-3;

/// How many examples the ladders' samples are to have, of an epoch of `examples` of so many numbers each, and in how many parts they may be
/// held out.
fn sizes(examples: u64, numbers: f64, settings: &Settings) -> [(u64, usize); 2] {
    let examples = examples as f64;
    let work = (PART * settings.epochs as f64 * examples).max(WORK / numbers.max(1.0));
    let epochs = settings.epochs.min(EPOCHS) as f64;
    [0, 1].map(|i| {
        let allowed = work * SHARES[i] / USUAL[i] / epochs;
        (allowed.max(LEAST[i]).min(examples).min(LARGEST as f64) as u64, (allowed / examples.max(1.0)) as usize)
    })
}

/// What the search needs to know of the run.
pub(super) struct RateSearch<'a> {
    /// Makes the stages of ladders.
    pub search: &'a dyn Search,
    pub basis: &'a Basis,
    pub settings: &'a Settings,
    pub set: InstructionSet,
}

/// Rates by which a ladder was run, from the smallest.
type Ladder = Vec<(TriedRate, Vec<f32>)>;

/// What a sample says.
struct Sampled {
    ladder: Ladder,
    /// The losses of the constant.
    constant: Vec<f32>,
    /// Examples that each rate was trained on.
    examples: u64,
}

impl RateSearch<'_> {
    /// The rate for the run, by a ladder about the first; that itself for batches (of which a sample has too few), or when asked to stop.
    pub fn choose(&self, follower: &mut Follower<'_>) -> Result<f32> {
        let (start, middle) = (Instant::now(), self.search.first_rate());
        if self.settings.sums_batches() {
            return Ok(not_searched(middle * self.settings.batch.rate_factor(), follower));
        }
        let coarse = self.ladder(0, middle, follower)?;
        let best = lowest(&coarse.ladder).unwrap_or(0);
        let fine = self.ladder(1, coarse.ladder[best].0.rate, follower)?;
        if follower.is_over() {
            return Ok(middle);
        }
        if fine.constant.is_empty() {
            // A single example leaves none to judge by.
            return Ok(not_searched(middle, follower));
        }
        let (ladder, least) = (&fine.ladder, mean(&fine.constant));
        // Rules that tune themselves are steady at no rate but those that hardly move.
        let best = if self.basis.facts.learns { lowest(ladder) } else { steadiest(ladder, least) };
        let (chosen, helped) = match best {
            Some(i) if ladder[i].0.loss >= Some(least - UNMOVED * least.abs()) => {
                let harmless = |(_, losses): &&(TriedRate, Vec<f32>)| self.is_as_good(losses, &fine.constant, least);
                (ladder.iter().rev().find(harmless).unwrap_or(&ladder[0]).0.rate, false)
            }
            Some(i) => (self.for_the_run(&coarse, &fine, i), true),
            None => (ladder[0].0.rate, true), // the run will tell what has left the finite numbers
        };
        let chosen = three_digits(chosen);
        let rates = coarse.ladder.into_iter().chain(fine.ladder).map(|(tried, _)| tried).collect();
        follower.watch.rate_search(&RateSearchReport {
            rates,
            chosen,
            constant: Some(least),
            helped,
            seconds: start.elapsed().as_secs_f64(),
        });
        Ok(chosen)
    }

    /// Runs rungs about `middle`; goes on beyond an end that is the best.
    fn ladder(&self, level: usize, middle: f32, follower: &mut Follower<'_>) -> Result<Sampled> {
        let (step, side) = (STEPS[level], SIDES[level]);
        let size = sizes(self.basis.examples, self.basis.numbers, self.settings)[level];
        let stage = self.search.stage(size);
        let trial = Trials::new(stage.as_ref(), self.basis, self.settings, self.set);
        let rates: Vec<f32> = (-side..=side).map(|rung| middle * step.powi(rung)).collect();
        let mut run: Ladder = trial.side_by_side(&rates, follower)?;
        let constant = trial.constant_losses(self.basis.targets.base)?;
        let least = mean(&constant);
        while run.len() < MOST[level] && !follower.is_over() {
            let last = run.len() - 1;
            let best = lowest(&run);
            let first = best.map_or(0, |i| self.first_as_good(&run, i, least)); // where none is finite, smaller ones may be
            let unmoved = run[0].0.loss.is_some_and(|loss| (loss / least - 1.0).abs() < UNMOVED);
            let (at, rate) = match (first, best) {
                (0, _) if !unmoved && (level == 1 || best.is_none_or(|i| i == 0)) => (0, run[0].0.rate / step),
                (first, _) if first == last => (last + 1, run[last].0.rate * step),
                _ => break,
            };
            if !rate.is_normal() {
                break;
            }
            run.splice(at..at, trial.side_by_side(&[rate], follower)?);
        }
        // Half a step on either side of the best: beyond it rates may diverge, and tell nothing of where between them it turns.
        if let Some(best) = lowest(&run).filter(|_| level == 1 && !follower.is_over()) {
            let half = step.sqrt();
            let [below, above] = [run[best].0.rate / half, run[best].0.rate * half];
            let halves = trial.side_by_side(&[below, above], follower)?;
            for (place, one) in [best, best + 2].into_iter().zip(halves) {
                run.insert(place, one);
            }
        }
        Ok(Sampled { ladder: run, constant, examples: trial.examples() })
    }

    /// The rate for all of the run's examples and epochs, of the best on two samples.
    fn for_the_run(&self, coarse: &Sampled, fine: &Sampled, best: usize) -> f32 {
        let (ladder, constant) = (&fine.ladder, mean(&fine.constant));
        let first = self.first_as_good(ladder, best, constant);
        let winner = if first < best { ladder[first].0.rate } else { between(ladder, best) } as f64;
        let [all, none] = KEPT;
        let tried = &ladder[first].0;
        let kept = tried.loss.zip(tried.training).map_or(1.0, |(loss, training)| training / loss);
        let kept = if kept.is_finite() { kept } else { 1.0 };
        let by_heart = ((none - kept) / (none - all)).clamp(0.0, 1.0);
        let larger = (fine.examples as f64 / coarse.examples as f64).ln();
        let before = lowest(&coarse.ladder).map_or(winner, |i| between(&coarse.ladder, i) as f64);
        let trend = if larger > 0.5 { ((between(ladder, best) as f64 / before).ln() / larger).clamp(-STEEPEST, STEEPEST) } else { 0.0 };
        let power = if self.basis.by_heart { -BY_HEART * by_heart + TREND * trend * (1.0 - by_heart) } else { 0.0 };
        let of_examples = (self.basis.examples as f64 / fine.examples as f64).max(1.0).powf(power);
        let of_epochs = (self.settings.epochs.max(EPOCHS) as f64 / EPOCHS as f64).sqrt();
        (winner * of_examples / of_epochs / if self.basis.facts.learns { SELF_TUNED } else { 1.0 }) as f32
    }

    /// The place of the smallest rate from which on all are as good as the best.
    fn first_as_good(&self, ladder: &Ladder, best: usize, constant: f64) -> usize {
        (0..best).rev().take_while(|&i| self.is_as_good(&ladder[i].1, &ladder[best].1, constant)).last().unwrap_or(best)
    }

    /// Whether losses are larger than others of the same examples by no more than the noise, if at all.
    fn is_as_good(&self, losses: &[f32], others: &[f32], constant: f64) -> bool {
        let (mut sum, mut squares) = (0.0, 0.0);
        for (&a, &b) in losses.iter().zip(others) {
            let more = a as f64 - b as f64;
            (sum, squares) = (sum + more, squares + more * more);
        }
        let n = others.len().max(1) as f64;
        let unseen = if self.settings.loss.is_classification() { UNSEEN * constant / n } else { 0.0 };
        let mean = sum / n;
        losses.len() == others.len() && mean <= (NOISE[0] + NOISE[1] / n) * ((squares / n - mean * mean).max(0.0) / n).sqrt() + unseen
    }
}

/// The rule's default, or the family's.
pub(super) fn not_searched(rate: f32, follower: &mut Follower<'_>) -> f32 {
    let chosen = three_digits(rate);
    follower.watch.rate_search(&RateSearchReport { rates: Vec::new(), chosen, constant: None, helped: true, seconds: 0.0 });
    chosen
}

/// The place of the lowest loss; of several, the one next to the middle.
fn lowest(ladder: &Ladder) -> Option<usize> {
    let middle = ladder.len() / 2;
    let finite = (0..ladder.len()).filter_map(|i| Some((i, ladder[i].0.loss?)));
    finite.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.abs_diff(middle).cmp(&b.0.abs_diff(middle)))).map(|(i, _)| i)
}

/// The place of the lowest loss with its neighbours' beside it: at large rates losses jump, and one that is low by chance has high ones
/// beside it; and one beside a rate that leaves the finite numbers is near the edge.
fn steadiest(ladder: &Ladder, constant: f64) -> Option<usize> {
    let finite = |i: usize| ladder[i].0.loss;
    let beside = |i: Option<usize>, now: f64| i.filter(|&i| i < ladder.len()).map_or(now, |i| finite(i).unwrap_or(constant));
    let steady = |i: usize| Some((i, finite(i).map(|now| now + 0.5 * (beside(i.checked_sub(1), now) + beside(Some(i + 1), now)))?));
    (0..ladder.len()).filter_map(steady).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i)
}

/// The rate where a parabola through the best and its neighbours, over the rate's logarithm, is lowest.
fn between(ladder: &Ladder, best: usize) -> f32 {
    let loss = |i: usize| ladder.get(i).and_then(|(tried, _)| tried.loss);
    let rate = ladder[best].0.rate;
    match (best.checked_sub(1).and_then(loss), loss(best), loss(best + 1)) {
        (Some(below), Some(now), Some(above)) if below + above > 2.0 * now && below >= now && above >= now => {
            let shift = 0.5 * (below - above) / (below + above - 2.0 * now);
            rate * (rate / ladder[best - 1].0.rate).powf(shift as f32)
        }
        _ => rate,
    }
}
