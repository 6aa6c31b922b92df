//! Scores of several classes with the classes that examples have, and what they say.
use super::{mean::mean_of, metrics::Metrics};
use hogwild_base::threads;
use hogwild_kernels::{
    loss::{Loss, Predicts},
    models::{ClassLabels, Output},
    simd::math::sigmoid,
};

/// What a top-k accuracy counts that is always told.
const TOP: usize = 5;
/// No probability is less to the log-loss, as scores are rounded.
const LEAST: f64 = 1e-30;

/// Scores, one a class, of many examples, and their own classes.
#[derive(Clone, Debug)]
pub struct ClassScores {
    output: Output,
    classes: usize,
    scores: Vec<f32>,
    labels: ClassLabels,
}

/// How well a class is told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassCounts {
    /// Examples that have it.
    pub examples: f64,
    /// Examples that are said to have it.
    pub predicted: f64,
    /// Examples that have it and are said to.
    pub right: f64,
}

impl ClassCounts {
    /// The share of what was predicted that is right; 0 where nothing was.
    pub fn precision(&self) -> f64 {
        share(self.right, self.predicted)
    }

    /// The share of the examples that was found; 0 where there are none.
    pub fn recall(&self) -> f64 {
        share(self.right, self.examples)
    }

    /// The harmonic mean of precision and recall; 0 where both are.
    pub fn f1(&self) -> f64 {
        share(2.0 * self.right, self.examples + self.predicted)
    }
}

impl ClassCounts {
    fn and(self, more: ClassCounts) -> ClassCounts {
        ClassCounts { examples: self.examples + more.examples, predicted: self.predicted + more.predicted, right: self.right + more.right }
    }
}

fn share(part: f64, all: f64) -> f64 {
    if all > 0.0 { part / all } else { 0.0 }
}

impl ClassScores {
    /// Of so many classes; where `several`, an example may have any number of them.
    pub(crate) fn new(output: Output, classes: usize, several: bool) -> ClassScores {
        let labels = ClassLabels { starts: several.then(|| vec![0]), classes: Vec::new() };
        ClassScores { output, classes, scores: Vec::new(), labels }
    }

    pub(crate) fn push(&mut self, scores: &[f32], own: &[u32]) {
        self.scores.extend_from_slice(scores);
        self.labels.classes.extend_from_slice(own);
        if let Some(starts) = &mut self.labels.starts {
            starts.push(self.labels.classes.len() as u64);
        }
    }

    pub(crate) fn join(&mut self, other: ClassScores) {
        let before = self.labels.classes.len() as u64;
        self.scores.extend(other.scores);
        self.labels.classes.extend(other.labels.classes);
        if let (Some(starts), Some(more)) = (&mut self.labels.starts, other.labels.starts) {
            starts.extend(more.iter().skip(1).map(|start| before + start));
        }
    }

    /// How many examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Whether an example may have any number of classes.
    pub fn has_several(&self) -> bool {
        self.labels.starts.is_some()
    }

    /// Of examples without labels: whether each may have any number of them.
    pub(crate) fn set_several(&mut self, several: bool) {
        let n = self.len();
        let classes = if several { Vec::new() } else { vec![u32::MAX; n] };
        self.labels = ClassLabels { starts: several.then(|| vec![0; n + 1]), classes };
    }

    /// The scores of an example.
    pub fn scores(&self, example: usize) -> &[f32] {
        self.scores.get(example * self.classes..).and_then(|rest| rest.get(..self.classes)).unwrap_or(&[])
    }

    /// The classes that an example has; such as the model does not know are beyond the last.
    pub fn own(&self, example: usize) -> &[u32] {
        self.labels.of(example)
    }

    /// The probability of each class: of softmax they sum to 1, one-vs-rest has one for each class beside the rest. By losses that tell no
    /// probability (hinge, focal) it is the prediction of a score.
    pub fn probabilities(&self, example: usize) -> Vec<f32> {
        let scores = self.scores(example);
        match self.output {
            Output::Softmax => {
                let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let all: Vec<f64> = scores.iter().map(|&z| ((z - most) as f64).exp()).collect();
                let sum: f64 = all.iter().sum();
                all.into_iter().map(|e| (e / sum) as f32).collect()
            }
            Output::OneVsRest(Loss::Logistic) => scores.iter().map(|&z| sigmoid(z)).collect(),
            // Its best score is 2 p - 1 (Zhang, "Statistical behavior and consistency of classification methods", 2004, section 3.2).
            Output::OneVsRest(Loss::SquaredHinge | Loss::ModifiedHuber) => {
                scores.iter().map(|&z| (z.clamp(-1.0, 1.0) + 1.0) / 2.0).collect()
            }
            Output::OneVsRest(loss) => scores.iter().map(|&z| loss.predict(z)).collect(),
        }
    }

    /// The classes that an example is said to have: the most probable one; where there may be several, those with a score above 0.
    pub fn predicted(&self, example: usize) -> Vec<u32> {
        let scores = self.scores(example);
        if self.has_several() {
            return (0..).zip(scores).filter(|&(_, &z)| z > 0.0).map(|(class, _)| class).collect();
        }
        let better = |best: Option<(u32, f32)>, (class, &z): (u32, &f32)| match best {
            Some((_, most)) if z <= most || z.is_nan() => best,
            _ => Some((class, z)),
        };
        (0..).zip(scores).fold(None, better).map(|(class, _)| class).into_iter().collect()
    }

    /// The classes of an example, most probable first.
    pub fn top(&self, example: usize, most: usize) -> Vec<u32> {
        let scores = self.scores(example);
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        let by_score = |&a: &u32, &b: &u32| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b));
        if most < order.len() {
            order.select_nth_unstable_by(most, by_score);
            order.truncate(most);
        }
        order.sort_by(by_score);
        order
    }

    /// The share of examples whose class is among the `k` most probable ones; of equals, those that come first count. `weights`: how much
    /// each counts; none where all count alike.
    pub fn top_accuracy(&self, k: usize, weights: &[f32]) -> f64 {
        self.mean_of(weights, |i| {
            let (scores, own) = (self.scores(i), self.own(i).first().map_or(usize::MAX, |&class| class as usize));
            let Some(z) = scores.get(own) else { return Some(0.0) };
            let before = (0..).zip(scores).filter(|&(class, other)| other > z || other == z && class < own).count();
            Some(f64::from(before < k))
        })
    }

    /// The weighted mean over the examples that have a number.
    fn mean_of(&self, weights: &[f32], number: impl Fn(usize) -> Option<f64> + Sync) -> f64 {
        mean_of(self.len(), weights, number)
    }

    /// Whether each example has one class, of a probability.
    pub(super) fn has_probabilities(&self) -> bool {
        let is_of = |loss: Loss| loss.meaning().predicts == Predicts::Probability;
        !self.has_several() && matches!(self.output, Output::Softmax) | matches!(self.output, Output::OneVsRest(loss) if is_of(loss))
    }

    /// How well each class is told, each example counting by its weight (none: all alike).
    pub fn by_class(&self, weights: &[f32]) -> Vec<ClassCounts> {
        const PART: usize = 1 << 14;
        let part = |part: usize| {
            let mut counts = vec![ClassCounts::default(); self.classes];
            (part * PART..self.len().min((part + 1) * PART)).for_each(|i| self.count(i, weights, &mut counts));
            counts
        };
        let parts = threads::in_call(|| threads::map(self.len().div_ceil(PART), part));
        let add = |mut sum: Vec<ClassCounts>, more: Vec<ClassCounts>| {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.and(more));
            sum
        };
        parts.into_iter().fold(vec![ClassCounts::default(); self.classes], add)
    }

    fn count(&self, i: usize, weights: &[f32], counts: &mut [ClassCounts]) {
        let weight = weights.get(i).map_or(1.0, |&weight| weight as f64);
        let (own, predicted) = (self.own(i), self.predicted(i));
        for &class in own {
            if let Some(count) = counts.get_mut(class as usize) {
                count.examples += weight;
                count.right += if predicted.contains(&class) { weight } else { 0.0 };
            }
        }
        predicted.iter().for_each(|&class| counts[class as usize].predicted += weight);
    }

    /// How well the labels of all classes are told together; those of classes that the model does not know are not.
    pub fn all_counts(&self, weights: &[f32]) -> ClassCounts {
        let unseen = |i: usize| self.own(i).iter().filter(|&&class| class as usize >= self.classes).count() as f64;
        let unseen: f64 = (0..self.len()).map(|i| weights.get(i).map_or(1.0, |&weight| weight as f64) * unseen(i)).sum();
        self.by_class(weights).into_iter().fold(ClassCounts { examples: unseen, ..ClassCounts::default() }, ClassCounts::and)
    }

    /// Labels of examples that the model does not know.
    pub fn unseen(&self) -> u64 {
        self.labels.classes.iter().filter(|&&class| class as usize >= self.classes).count() as u64
    }

    /// What they say, each example counting by its weight (none: all alike). Losses are of the examples whose classes are known.
    pub fn metrics(&self, weights: &[f32]) -> Metrics {
        let is_known = |i: usize| self.own(i).iter().all(|&class| (class as usize) < self.classes);
        let loss = self.mean_of(weights, |i| is_known(i).then(|| self.output.loss(self.scores(i), self.own(i)) as f64));
        let of_one = |i: usize| {
            let all = self.probabilities(i);
            let sum: f64 = all.iter().map(|&p| p as f64).sum();
            let own = self.own(i).first().and_then(|&class| all.get(class as usize)).map_or(0.0, |&p| p as f64 / sum);
            -own.max(LEAST).ln()
        };
        let logloss = match self.output {
            _ if self.has_several() => None,
            Output::Softmax => Some(loss),
            Output::OneVsRest(Loss::Logistic) => Some(self.mean_of(weights, |i| is_known(i).then(|| of_one(i)))),
            Output::OneVsRest(_) => None,
        };
        let counts = self.by_class(weights);
        let occur: Vec<f64> = counts.iter().filter(|count| count.examples + count.predicted > 0.0).map(ClassCounts::f1).collect();
        let is_right = |i: usize| {
            let mut own = self.own(i).to_vec();
            own.sort_unstable();
            Some(f64::from(self.predicted(i) == own))
        };
        Metrics {
            loss,
            logloss,
            accuracy: Some(self.mean_of(weights, is_right)),
            top5: (!self.has_several() && self.classes > TOP).then(|| self.top_accuracy(TOP, weights)),
            micro_f1: self.has_several().then(|| self.all_counts(weights).f1()),
            macro_f1: Some(occur.iter().sum::<f64>() / occur.len().max(1) as f64),
            ..Metrics::none(self.len() as u64)
        }
    }

    /// What an ensemble says: scores that predict the mean of the members' probabilities, or of their scores where there are none.
    pub(crate) fn mean(members: &[&ClassScores]) -> Option<ClassScores> {
        let first = *members.first()?;
        let mut mean = first.clone();
        for i in 0..first.len() {
            let place = i * first.classes..(i + 1) * first.classes;
            let scores: Vec<f32> = match first.output {
                Output::Softmax => {
                    let all: Vec<Vec<f32>> = members.iter().map(|member| member.probabilities(i)).collect();
                    let p = |c: usize| all.iter().map(|of| of[c] as f64).sum::<f64>() / all.len() as f64;
                    (0..first.classes).map(|c| p(c).max(LEAST).ln() as f32).collect()
                }
                Output::OneVsRest(loss) => {
                    let of = |c: usize| members.iter().filter_map(move |member| member.scores(i).get(c).copied());
                    (0..first.classes).map(|c| loss.mean_score(of(c))).collect()
                }
            };
            mean.scores[place].copy_from_slice(&scores);
        }
        Some(mean)
    }
}
