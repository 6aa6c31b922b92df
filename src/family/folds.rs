//! Which examples of a sample train, and which judge: for the search of a learning rate.
//!
//! Small data are held out a fifth at a time, in turn (cross-validation), so that the judgement is of enough examples.
use hogwild_kernels::seeds::Stream;
use rand::seq::SliceRandom;
use std::ops::Range;

/// Examples that judge, at least where there are as many, and at most.
const JUDGES: Range<usize> = 5_000..16_384;
/// Small data are held out in so many parts.
const PARTS: usize = 5;
/// Positions that are trained on, and those that judge.
pub struct Fold {
    pub train: Vec<Range<u32>>,
    pub held: Vec<u32>,
    /// Whether the run's own held-out examples judge with it: with one of several.
    pub first: bool,
}

impl Fold {
    /// Examples that are trained on.
    pub fn examples(&self) -> u64 {
        self.train.iter().map(|unit| unit.len() as u64).sum()
    }
}

/// Folds of a sample of `wanted` examples out of the units: one, or where that is nearly all of them and they are few, several.
/// With `judged` nothing is held out, as other data judge. `size`: how many examples, and the most folds.
pub(crate) fn folds(units: &[Range<u32>], size: (u64, usize), judged: bool, seed: u64) -> Vec<Fold> {
    let mut units = units.to_vec();
    units.shuffle(&mut Stream::Sample.random(seed));
    let all: usize = units.iter().map(|unit| unit.len()).sum();
    let prefix = |examples: usize| {
        let mut sum = 0;
        let more = |unit: &&Range<u32>| {
            sum += unit.len();
            sum <= examples
        };
        units.iter().take_while(more).count()
    };
    let (wanted, most) = ((size.0 as usize).min(all), size.1.clamp(1, PARTS));
    if judged {
        return vec![Fold { train: units[..prefix(wanted).max(1)].to_vec(), held: Vec::new(), first: true }];
    }
    let positions = |units: &[Range<u32>]| units.iter().cloned().flatten().collect();
    let held = (wanted / 2).clamp(JUDGES.start, JUDGES.end).min(all / PARTS);
    if wanted + held < all {
        let to = prefix(wanted).max(1);
        let end = prefix(wanted + held).clamp(to, units.len());
        return vec![Fold { train: units[..to].to_vec(), held: positions(&units[to..end]), first: true }];
    }
    let part = |i: usize| i * units.len() / PARTS..(i + 1) * units.len() / PARTS;
    let fold = |i: usize| {
        let Range { start, end } = part(i);
        Fold { train: [&units[..start], &units[end..]].concat(), held: positions(&units[start..end]), first: false }
    };
    let parts = (JUDGES.start * PARTS).div_ceil(all.max(1)).clamp(1, most);
    let mut folds: Vec<Fold> = (0..parts).map(fold).filter(|fold| !fold.held.is_empty() && !fold.train.is_empty()).collect();
    folds.first_mut().into_iter().for_each(|fold| fold.first = true);
    folds
}
