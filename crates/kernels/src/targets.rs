//! Targets: what a model learns in place of the labels, so that a label's unit does not matter and training starts at the best constant.
//!
//! Numbers are standardised as their loss says, `(label - shift) / scale`: for squared loss by mean and standard deviation; for Huber and
//! quantile loss by the median and 1.4826 times the median absolute deviation from it (that of a normal distribution is its standard
//! deviation; Huber 1981, section 5.1), which outliers do not move. All is folded back into the model, so that scores are in the labels' unit.
//! The objective stays what it was. A loss grows by a power of the scale (squares by the second), squared weights by the second, absolute
//! weights by the first; so `l1` and `l2` are divided by what the loss outgrows them by.
//!
//! Of two classes one label is +1 and the other -1; nothing is scaled. The score of an example without features starts at the constant that
//! loses least, which the loss knows.
use crate::loss::{Labels, Loss, Standardise, Taken};

/// Of so many labels a median is taken.
const SAMPLE: usize = 1 << 18;
/// From the median absolute deviation of a normal distribution to its standard deviation.
const NORMAL: f64 = 1.4826;

/// How labels become targets, and scores go back.
#[derive(Clone, Copy, Debug)]
pub struct Targets {
    /// What the loss takes a label for.
    pub taken: Taken,
    shift: f32,
    /// What targets are multiplied by to be labels, but for their shift.
    pub scale: f32,
    inverse: f32,
    /// By which power of the scale the loss grows.
    power: i32,
    /// The constant score that loses least, as a target.
    pub base: f32,
    /// The mean loss of that, in targets.
    pub constant: f64,
}

impl Targets {
    /// Labels as they are, and a start at 0.
    pub fn plain(taken: Taken) -> Targets {
        Targets { taken, shift: 0.0, scale: 1.0, inverse: 1.0, power: 2, base: 0.0, constant: f64::INFINITY }
    }

    /// By a shift, a scale and a start that are known from before.
    pub fn known(loss: Loss, taken: Taken, [shift, scale, base]: [f32; 3]) -> Targets {
        Targets { shift, scale, inverse: scale.recip(), base, power: loss.meaning().power, ..Targets::plain(taken) }
    }

    /// What [`known`](Self::known) takes: shift, scale and start.
    pub fn numbers(&self) -> [f32; 3] {
        [self.shift, self.scale, self.base]
    }

    /// The same where a constant loses so much.
    pub fn with_constant(self, constant: f64) -> Targets {
        Targets { constant, ..self }
    }

    /// Of the labels to be trained on, which `each` goes through in one order, with their weights. Without `standardize` they stay as they are, and the start is 0.
    pub fn new(loss: Loss, taken: Taken, standardize: bool, each: impl Fn(&mut dyn FnMut(f32, f64))) -> Targets {
        let labels = Labels(&|each_label| each(each_label));
        let meaning = loss.meaning();
        let mut targets = Targets { power: meaning.power, ..Targets::plain(taken) };
        if standardize {
            let (shift, scale) = match meaning.standardise {
                Standardise::No => (0.0, 1.0),
                Standardise::Mean => {
                    let shift = labels.mean(|label| label as f64);
                    (shift, labels.mean(|label| (label as f64 - shift).powi(2)).sqrt())
                }
                Standardise::Median => median_and_deviation(&labels),
            };
            // The shift as it is taken away, so that the scale is about it.
            targets.shift = shift as f32;
            targets.scale = if scale >= f32::MIN_POSITIVE as f64 { scale as f32 } else { 1.0 };
            targets.inverse = targets.scale.recip();
            targets.base =
                loss.best_constant(&Labels(&|each_target| each(&mut |label, weight| each_target(targets.target(label), weight))));
        }
        targets.constant = labels.mean(|label| loss.value(targets.base, targets.target(label)) as f64);
        targets
    }

    /// What a label is learnt as.
    #[inline(always)]
    pub fn target(&self, label: f32) -> f32 {
        self.standard(self.taken.of(label))
    }

    /// The same of what the loss takes.
    #[inline(always)]
    pub fn standard(&self, label: f32) -> f32 {
        (label - self.shift) * self.inverse
    }

    /// A bias in the labels' unit.
    pub fn bias(&self, bias: f32) -> f32 {
        (bias as f64 * self.scale as f64 + self.shift as f64) as f32
    }

    /// A loss in the labels' unit.
    pub fn loss(&self, loss: f64) -> f64 {
        loss * (self.scale as f64).powi(self.power)
    }

    /// What multiplies absolute weights for standardised labels, of what does for labels as they are.
    pub fn l1(&self, l1: f64) -> f64 {
        l1 / (self.scale as f64).powi(self.power - 1)
    }

    /// The same of squared weights.
    pub fn l2(&self, l2: f64) -> f64 {
        l2 / (self.scale as f64).powi(self.power - 2)
    }
}

/// Median and normed median absolute deviation; where more than half are alike, the standard deviation about the median.
fn median_and_deviation(labels: &Labels<'_>) -> (f64, f64) {
    let sample: Vec<(f64, f64)> = labels.sample(SAMPLE).into_iter().map(|(label, weight)| (label as f64, weight)).collect();
    let middle = median(sample.clone());
    let all: f64 = sample.iter().map(|(_, weight)| weight).sum();
    let squares: f64 = sample.iter().map(|(label, weight)| weight * (label - middle).powi(2)).sum();
    let deviation = NORMAL * median(sample.iter().map(|&(label, weight)| ((label - middle).abs(), weight)).collect());
    (middle, if deviation > 0.0 || all <= 0.0 { deviation } else { (squares / all).sqrt() })
}

/// The number with at most half of all weight below it, and at most half above; of two such the upper one. 0 of none.
fn median(mut numbers: Vec<(f64, f64)>) -> f64 {
    numbers.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let half = numbers.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let is_past = |&&(_, weight): &&(f64, f64)| {
        below += weight;
        below > half
    };
    numbers.iter().find(is_past).or(numbers.last()).map_or(0.0, |&(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Huber, Quantile};

    fn of(loss: Loss, labels: &[f32]) -> Targets {
        Targets::new(loss, Taken::new(loss, 1.0), true, |each| labels.iter().for_each(|&label| each(label, 1.0)))
    }

    #[test]
    fn numbers_are_standardised_in_any_unit() {
        for (unit, shift) in [(1.0, 0.0), (1e-6, 0.0), (1e9, 0.0), (1.0, 1e5)] {
            let labels = [1.0f32, 2.0, 4.0, 9.0].map(|y| y * unit + shift);
            let squared = of(Loss::Squared, &labels);
            let sum: f32 = labels.map(|y| squared.target(y)).iter().sum();
            let squares: f32 = labels.map(|y| squared.target(y).powi(2)).iter().sum();
            assert!(sum.abs() < 0.02 && (squares - 4.0).abs() < 0.02 && (squared.constant - 0.5).abs() < 1e-2, "{unit} {shift}");
            let back = squared.bias(squared.target(labels[3]));
            assert!((back / labels[3] - 1.0).abs() < 1e-6 && squared.base == 0.0);
        }
        // An outlier moves neither median nor deviation.
        let huber = of(Huber::DEFAULT.into(), &[1.0, 2.0, 3.0, 4.0, 1e9]);
        assert_eq!((huber.shift, huber.scale), (3.0, 1.4826));
        // A quantile starts where it is, whatever the unit, and its loss is in that unit.
        let high = of(Quantile { tau: 0.7 }.into(), &[1.0, 2.0, 3.0, 4.0, 5e3].map(|y| 10.0 * y));
        assert!((high.bias(high.base) - 40.0).abs() < 1e-5 && (high.loss(1.0) - 14.826).abs() < 1e-5, "{high:?}");
        assert_eq!((high.l1(3.0), high.l2(1.0)), (3.0, high.scale as f64));
        assert_eq!((huber.l1(1.0), huber.l2(1.0)), (1.0 / huber.scale as f64, 1.0));
        // Labels that are all alike.
        let alike = of(Loss::Squared, &[7.0; 3]);
        assert_eq!((alike.scale, alike.target(7.0), alike.constant), (1.0, 0.0, 0.0));
    }

    #[test]
    fn a_label_of_weight_two_is_two_labels() {
        let weighted = [(1.0, 1.0), (2.0, 2.0), (4.0, 3.0), (9.0, 1.0)];
        let alike: Vec<f32> = weighted.iter().flat_map(|&(label, weight)| vec![label; weight as usize]).collect();
        for loss in [Loss::Squared, Huber::DEFAULT.into(), Quantile { tau: 0.7 }.into(), Loss::Poisson] {
            let taken = Taken::new(loss, 1.0);
            let (one, other) = (Targets::new(loss, taken, true, |each| weighted.iter().for_each(|&(y, w)| each(y, w))), of(loss, &alike));
            assert_eq!((one.shift, one.base), (other.shift, other.base), "{loss:?}");
            assert!((one.scale / other.scale - 1.0).abs() < 1e-6 && (one.constant / other.constant - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn classes_are_told_by_their_labels() {
        let labels = [1.0f32, 2.0, 2.0, 2.0];
        for (positive, signs, base) in [(2.0, [-1.0, 1.0, 1.0, 1.0], 1.0986123), (1.0, [1.0, -1.0, -1.0, -1.0], -1.0986123)] {
            let targets =
                Targets::new(Loss::Logistic, Taken::Class(positive), true, |each| labels.iter().for_each(|&label| each(label, 1.0)));
            assert_eq!((labels.map(|label| targets.target(label)), targets.base), (signs, base));
            assert_eq!(targets.standard(-1.0), -1.0);
        }
    }

    #[test]
    fn of_one_class_the_base_is_as_sure_as_there_are_examples() {
        // As if there was one of either class more.
        assert!((of(Loss::Logistic, &[1.0; 8]).base - 9f32.ln()).abs() < 1e-5);
        assert!((of(Loss::Logistic, &[-1.0; 98]).base + 99f32.ln()).abs() < 1e-5);
    }

    #[test]
    fn no_constant_loses_less_than_the_base() {
        for loss in Loss::ALL.into_iter().filter(|loss| loss.is_classification()) {
            for labels in [[1.0f32, -1.0, -1.0, -1.0], [1.0, 1.0, 1.0, -1.0]] {
                let targets = of(loss, &labels);
                let mean = |z: f32| labels.iter().map(|&y| loss.value(z, y) as f64).sum::<f64>() / 4.0;
                let best = (-400..=400).map(|z| mean(z as f32 / 100.0)).fold(f64::INFINITY, f64::min);
                assert!(targets.constant <= best + 1e-6 && (targets.constant - mean(targets.base)).abs() < 1e-6, "{loss:?} {labels:?}");
            }
        }
    }
}
