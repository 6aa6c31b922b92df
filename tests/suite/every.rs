//! Every loss and model against what it must equal: slopes and gradients against differences; rules are in a file of their own.
mod rules;

use hogwild::{
    F32x16, LANES, Line, Loss, Vector, Weights,
    models::{
        Candidates, ClassLabels, Factorization, FactorizationMachine, FieldAware, Linear, Model, Multiclass, Output, Pair, Ranking,
        RankingLoss, Row, WeightedPair,
    },
};
use std::sync::Arc;

/// Plain parameters that note the gradients they are sent.
#[derive(Clone)]
struct Recorder {
    weights: Numbers,
    gradient: Numbers,
}

/// Narrow rows, wide rows, and the weights beside those.
#[derive(Clone)]
struct Numbers {
    narrow: Vec<f32>,
    wide: Vec<Vec<f32>>,
    beside: Vec<f32>,
}

impl Numbers {
    fn new(rows: usize, width: usize, number: impl Fn(usize) -> f32) -> Numbers {
        let wide = |row| (0..width.next_multiple_of(LANES)).map(|i| if i < width { number(row * 31 + i) } else { 0.0 }).collect();
        let some = |shift: usize| (0..rows).map(|row| number(row + shift)).collect();
        Numbers { narrow: some(0), wide: (0..rows).map(wide).collect(), beside: some(50) }
    }
}

impl Recorder {
    fn new(rows: usize, width: usize) -> Recorder {
        let weights = Numbers::new(rows, width, |i| ((i * 7919 + 13) % 101) as f32 / 101.0 - 0.5);
        Recorder { weights, gradient: Numbers::new(rows, width, |_| 0.0) }
    }
}

impl Weights for Recorder {
    type V = F32x16;
    fn gather(&mut self, _block: usize, rows: &Line<u32>) -> F32x16 {
        F32x16(rows.0.map(|row| self.weights.narrow.get(row as usize).copied().unwrap_or(0.0)))
    }
    /// L1 as a gradient, which it is but at 0.
    fn step(&mut self, _block: usize, rows: &Line<u32>, gradient: F32x16, l1: Option<F32x16>) {
        let l1 = l1.unwrap_or_default();
        let sign = |i: usize| self.weights.narrow.get(rows.0[i] as usize).map_or(0.0, |w| w.signum());
        let gradient = F32x16(std::array::from_fn(|i| gradient.0[i] + l1.0[i] * sign(i)));
        for (row, g) in rows.0.into_iter().zip(gradient.0) {
            if let Some(to) = self.gradient.narrow.get_mut(row as usize) {
                *to += g;
            }
        }
    }
    fn gather_row(&mut self, row: u32, out: &mut [F32x16]) -> f32 {
        for (out, from) in out.iter_mut().zip(self.weights.wide[row as usize].as_chunks().0) {
            *out = F32x16::load(from);
        }
        self.weights.beside[row as usize]
    }
    fn set_row(&mut self, row: u32, numbers: &[F32x16]) {
        self.weights.wide[row as usize].iter_mut().zip(numbers.iter().flat_map(|line| line.0)).for_each(|(to, x)| *to = x);
    }
    fn rate(&self) -> f32 {
        0.0
    }
    fn faces(&self) -> bool {
        true
    }
    fn step_row(&mut self, row: u32, gradient: &[F32x16], square: f32, beside: f32) {
        let gradient = gradient.iter().flat_map(|g| g.0);
        let true_square: f32 = gradient.clone().map(|g| g * g).sum();
        assert!((square - true_square).abs() < 1e-4 * true_square.max(1.0), "{square} {true_square}");
        self.gradient.wide[row as usize].iter_mut().zip(gradient).for_each(|(to, g)| *to += g);
        self.gradient.beside[row as usize] += beside;
    }
}

#[test]
fn slopes_equal_differences() {
    for loss in Loss::ALL {
        for y in [-1.0f32, 1.0] {
            for z in (-40..40).map(|i| i as f32 / 10.0 + 0.03) {
                let h = 1e-2;
                let difference = (loss.value(z + h, y) as f64 - loss.value(z - h, y) as f64) / (2.0 * h as f64);
                assert!(
                    (difference - loss.slope(z, y) as f64).abs() < 6e-3,
                    "{} z {z} y {y}: {difference} {}",
                    loss.name(),
                    loss.slope(z, y)
                );
            }
        }
    }
}

#[test]
fn extreme_scores_stay_finite_and_nan_stays_nan() {
    for loss in Loss::ALL {
        for z in [1e4, -1e4] {
            assert!(loss.value(z, 1.0).is_finite() && loss.slope(z, 1.0).is_finite(), "{}", loss.name());
        }
        assert!(loss.value(f32::NAN, 1.0).is_nan(), "{}", loss.name());
    }
}

/// The gradient that `backward` sends for each parameter, against differences of `objective`.
fn check<M: Model>(model: &M, x: &M::Example, weights: &Recorder, objective: impl Fn(&M, &mut Recorder) -> f64, loss: Loss, y: f32) {
    let mut scratch = model.scratch(64);
    let mut recorder = weights.clone();
    let z = model.score(x, &mut recorder, &mut scratch);
    model.backward(x, loss.slope(z, y), &mut recorder, &mut scratch);
    let h = 1e-2f32;
    let close = |name: String, sent: f32, change: &dyn Fn(&mut Recorder, f32)| {
        let at = |h: f32| {
            let mut moved = weights.clone();
            change(&mut moved, h);
            objective(model, &mut moved)
        };
        let difference = (at(h) - at(-h)) / (2.0 * h as f64);
        assert!((difference - sent as f64).abs() < 2e-3 * (1.0 + difference.abs()), "{name}: {sent} sent, {difference} by differences");
    };
    let sent = &recorder.gradient;
    for row in 0..sent.narrow.len() {
        close(format!("narrow {row}"), sent.narrow[row], &|w, h| w.weights.narrow[row] += h);
        close(format!("beside {row}"), sent.beside[row], &|w, h| w.weights.beside[row] += h);
        for i in 0..sent.wide[row].len().min(12) {
            close(format!("wide {row} {i}"), sent.wide[row][i], &|w, h| w.weights.wide[row][i] += h);
        }
    }
}

#[test]
fn gradients_equal_differences() {
    let counts = [4u64, 3, 2, 2, 1];
    let (rows, lambda) = (4, 0.3);
    let row = Row::new(&[(0, 0.7), (2, -1.3), (4, 2.0)]);
    for (loss, l2, l1) in
        [(Loss::Logistic, 0.0, 0.0), (Loss::Squared, lambda, 0.0), (Loss::Logistic, lambda, 0.1), (Loss::Squared, 0.0, 0.2)]
    {
        let model = Linear::with_penalties(l2, l1, rows, &counts);
        let decay = |w: &Recorder| -> f64 {
            let of = |w: f64, c: usize| rows as f64 / counts[c] as f64 * (l2 / 2.0 * w * w + l1 * w.abs());
            [0usize, 2, 4].iter().map(|&c| of(w.weights.narrow[c + 1] as f64, c)).sum()
        };
        let objective = |m: &Linear, w: &mut Recorder| loss.value(m.score(&row, w, &mut m.scratch(64)), 1.0) as f64 + decay(w);
        check(&model, &row, &Recorder::new(6, 0), objective, loss, 1.0);
    }
    // What is trained is a factor over `rate`, and, of labels over `scale`, over the root of that.
    for (loss, l2, rate, scale) in [(Loss::Logistic, 0.0, 1.0, 1.0), (Loss::Squared, lambda, 0.5, 1.0), (Loss::Squared, lambda, 2.0, 4.0)] {
        let linear = Linear::with_penalties(l2, 0.0, rows, &counts);
        let model = FactorizationMachine::new(linear, 5, 5).with_rate(rate).with_scale(scale);
        let decay = |w: &Recorder| -> f64 {
            let square = |c: usize| {
                let factors: f32 = w.weights.wide[c].iter().map(|v| (rate * v).powi(2) / scale).sum();
                (w.weights.beside[c].powi(2) + factors) as f64
            };
            [0usize, 2, 4].iter().map(|&c| rows as f64 / counts[c] as f64 * l2 / 2.0 * square(c)).sum()
        };
        let objective =
            |m: &FactorizationMachine, w: &mut Recorder| loss.value(m.score(&row, w, &mut m.scratch(64)), 1.0) as f64 + decay(w);
        check(&model, &row, &Recorder::new(6, 5), objective, loss, 1.0);
    }
    // Columns 0 and 2 are of one field; column 4 has no factors.
    let row_by_field = Row::new(&[(0, 0.7), (1, 0.5), (2, -1.3), (3, 0.9), (4, 2.0)]);
    for (loss, l2, rate, scale) in [(Loss::Logistic, 0.0, 1.0, 1.0), (Loss::Squared, lambda, 0.5, 1.0), (Loss::Squared, lambda, 2.0, 4.0)] {
        for rank in [4, 3] {
            let linear = Linear::with_penalties(l2, 0.0, rows, &counts);
            let model = FieldAware::new(linear, by_field(), 3, rank).with_rate(rate).with_scale(scale);
            let decay = |w: &Recorder| -> f64 {
                let square = |c: usize| {
                    let factors = if c < 4 { w.weights.wide[c].iter().map(|v| (rate * v).powi(2) / scale).sum::<f32>() } else { 0.0 };
                    (w.weights.narrow[c + 1].powi(2) + factors) as f64
                };
                (0..5).map(|c| rows as f64 / counts[c] as f64 * l2 / 2.0 * square(c)).sum()
            };
            let objective =
                |m: &FieldAware, w: &mut Recorder| loss.value(m.score(&row_by_field, w, &mut m.scratch(64)), 1.0) as f64 + decay(w);
            check(&model, &row_by_field, &Recorder::new(6, 3 * rank), objective, loss, 1.0);
            if l2 == 0.0 {
                // One feature a field.
                let row = Row::new(&[(0, 0.7), (1, 0.5), (3, 0.9), (4, 2.0)]);
                let objective = |m: &FieldAware, w: &mut Recorder| loss.value(m.score(&row, w, &mut m.scratch(64)), 1.0) as f64;
                check(&model, &row, &Recorder::new(6, 3 * rank), objective, loss, 1.0);
            }
        }
    }
    // The score of several classes is their loss.
    for (output, own) in outputs() {
        for l2 in [0.0, lambda] {
            let linear = Linear::with_penalties(l2, 0.0, rows, &counts);
            let model = Multiclass::new(linear, output, &[0.1, -0.2, 0.3, 0.0, -0.4], 5, own.clone());
            let decay = |w: &Recorder| -> f64 {
                let square = |c: usize| w.weights.wide[c + 1].iter().map(|w| (w * w) as f64).sum::<f64>();
                [0usize, 2, 4].iter().map(|&c| rows as f64 / counts[c] as f64 * l2 / 2.0 * square(c)).sum()
            };
            let objective = |m: &Multiclass, w: &mut Recorder| m.score(&row, w, &mut m.scratch(64)) as f64 + decay(w);
            check(&model, &row, &Recorder::new(6, 5), objective, Loss::AS_GIVEN, 0.0);
        }
    }
    let model = Factorization::new(5, 3.0, 0.2);
    for weight in [1.0, 3.0] {
        // What a rating counts multiplies its penalty here, and its slope in the loops.
        let pair = WeightedPair { pair: Pair::new(1, 2, 3), weight };
        let objective = |m: &Factorization, w: &mut Recorder| {
            let touched = [1usize, 5];
            let squares: f32 =
                touched.iter().map(|&r| w.weights.beside[r].powi(2) + w.weights.wide[r].iter().map(|x| x * x).sum::<f32>()).sum();
            let penalty = 0.1 * weight as f64 * squares as f64;
            Loss::Squared.value(m.score(&pair, w, &mut m.scratch(2)), 4.5) as f64 + penalty
        };
        check(&model, &pair, &Recorder::new(6, 5), objective, Loss::Squared, 4.5);
    }
    for ((loss, as_score), weight) in RANKING.into_iter().flat_map(|of| [(of, 1.0), (of, 3.0)]) {
        let (model, x) = (Ranking::new(loss, 5, 0.2, 3, 50), Candidates { weight, ..candidates(loss) });
        let objective = |m: &Ranking, w: &mut Recorder| {
            let square = |r: u32| w.weights.beside[r as usize].powi(2) + w.weights.wide[r as usize].iter().map(|x| x * x).sum::<f32>();
            let user: f32 = w.weights.wide[x.user as usize].iter().map(|x| x * x).sum();
            // By WARP the one negative that counts has all of it; here that is the first.
            let (some, of_negative) = if loss == RankingLoss::Warp { (1, 0.1) } else { (3, 0.1 / (x.items.len() - 1) as f64) };
            let negatives: f32 = x.items[1..].iter().take(some).map(|&r| square(r)).sum();
            let decay = 0.1 * (user + square(x.items[0])) as f64 + of_negative * negatives as f64;
            as_score.value(m.score(&x, w, &mut m.scratch(2)), 1.0) as f64 + weight as f64 * decay
        };
        check(&model, &x, &Recorder::new(8, 5), objective, as_score, 1.0);
    }
}

/// Losses of a user's item beside negatives, and what the model's score is to the loop.
const RANKING: [(RankingLoss, Loss); 4] = [
    (RankingLoss::Bpr, Loss::Logistic),
    (RankingLoss::Warp, Loss::AS_GIVEN),
    (RankingLoss::SampledSoftmax, Loss::AS_GIVEN),
    (RankingLoss::Logistic, Loss::AS_GIVEN),
];

/// User 1 with an item and negatives, whose scores are corrected.
fn candidates(loss: RankingLoss) -> Candidates {
    let negatives: &[u32] = if loss == RankingLoss::Bpr { &[6] } else { &[6, 4, 7] };
    let items = [5].iter().chain(negatives).copied().collect();
    let corrections = if loss == RankingLoss::SampledSoftmax { vec![0.3, -0.2, 0.1] } else { Vec::new() };
    Candidates { user: 1, items, corrections, ..Candidates::default() }
}

/// What is written for lists of scores says the same as the loop's model.
#[test]
fn losses_of_ranking_are_those_of_lists_of_scores() {
    for (loss, as_score) in RANKING {
        let (model, mut x) = (Ranking::new(loss, 5, 0.0, 3, 50), candidates(loss));
        x.corrections.clear();
        let (mut weights, mut scratch) = (Recorder::new(8, 5), model.scratch(2));
        let dot = |a: u32, b: u32, w: &Recorder| -> f32 {
            w.weights.wide[a as usize].iter().zip(&w.weights.wide[b as usize]).map(|(a, b)| a * b).sum()
        };
        let mut scores: Vec<f32> = x.items.iter().map(|&r| weights.weights.beside[r as usize] + dot(1, r, &weights)).collect();
        let score = model.score(&x, &mut weights, &mut scratch);
        // What stands for the label where the score is the loss is a constant: none.
        let label = if as_score == Loss::Logistic { 1.0 } else { 0.0 };
        model.backward(&x, as_score.slope(score, label), &mut weights, &mut scratch);
        let expected = loss.slopes(&mut scores, 50);
        let found = as_score.value(score, label);
        assert!((found - expected).abs() < 1e-5 * expected.max(1.0), "{loss:?}: {found}, not {expected}");
        for (&row, slope) in x.items.iter().zip(scores) {
            assert!((weights.gradient.beside[row as usize] - slope).abs() < 1e-5, "{loss:?} {row}");
        }
    }
}

/// The fields of four columns.
fn by_field() -> Arc<[u16]> {
    [1, 0, 1, 2].into()
}

/// Losses of five classes, and the classes of an example.
fn outputs() -> Vec<(Output, Arc<ClassLabels>)> {
    let one = Arc::new(ClassLabels { starts: None, classes: vec![3] });
    let several = Arc::new(ClassLabels { starts: Some(vec![0, 2]), classes: vec![4, 1] });
    let none = Arc::new(ClassLabels { starts: Some(vec![0, 0]), classes: vec![] });
    let rest = [Loss::Logistic, Loss::SquaredHinge, Loss::ModifiedHuber].map(Output::OneVsRest);
    let of_rest = rest.into_iter().flat_map(|output| [&one, &several, &none].map(|own| (output, own.clone())));
    [(Output::Softmax, one.clone())].into_iter().chain(of_rest).collect()
}

/// What is written for single numbers says the same as what the loops do by sixteen.
#[test]
fn slopes_of_classes_are_those_of_single_numbers() {
    for classes in [5usize, 16, 21] {
        for output in [Output::Softmax, Output::OneVsRest(Loss::Logistic), Output::OneVsRest(Loss::SquaredHinge)] {
            let own = Arc::new(ClassLabels { starts: None, classes: vec![2] });
            let model = Multiclass::new(Linear::new(), output, &vec![0.0; classes], 1, own);
            let (mut weights, mut scratch, row) = (Recorder::new(2, classes), model.scratch(4), Row::new(&[]));
            let mut scores: Vec<f32> = weights.weights.wide[0].iter().take(classes).map(|w| 3.0 * w).collect();
            weights.weights.wide[0].iter_mut().for_each(|w| *w *= 3.0);
            let loss = model.score(&row, &mut weights, &mut scratch);
            model.backward(&row, 1.0, &mut weights, &mut scratch);
            let expected = output.slopes(&mut scores, &[2]);
            assert!((loss - expected).abs() < 1e-5 * expected.max(1.0), "{output:?} {loss} {expected}");
            let close = |(sent, slope): (&f32, &f32)| (sent - slope).abs() < 1e-6;
            assert!(weights.gradient.wide[0].iter().zip(&scores).all(close), "{output:?} {:?} {scores:?}", weights.gradient.wide[0]);
            assert!(weights.gradient.wide[0].iter().skip(classes).all(|&g| g == 0.0));
        }
    }
}

/// The square of a score's gradient, against what `backward` sends for a slope of 1.
fn check_square<M: Model>(model: &M, x: &M::Example, mut weights: Recorder) {
    let mut scratch = model.scratch(64);
    model.score(x, &mut weights, &mut scratch);
    let square = model.gradient_square(x, &scratch);
    model.backward(x, 1.0, &mut weights, &mut scratch);
    let Numbers { narrow, wide, beside } = &weights.gradient;
    let sent: f32 = narrow.iter().chain(beside).chain(wide.iter().flatten()).map(|g| g * g).sum();
    assert!((sent - square).abs() < 1e-5 * sent, "{square}, {sent} sent");
}

#[test]
fn squares_of_gradients_equal_what_is_sent() {
    check_square(&Linear::new(), &Row::new(&[(0, 0.7), (2, -1.3), (4, 2.0)]), Recorder::new(6, 0));
    for rate in [1.0, 0.5] {
        let machine = FactorizationMachine::new(Linear::new(), 5, 5).with_rate(rate);
        check_square(&machine, &Row::new(&[(0, 0.7), (2, -1.3), (4, 2.0)]), Recorder::new(6, 5));
        let machine = FieldAware::new(Linear::new(), by_field(), 3, 4).with_rate(rate);
        check_square(&machine, &Row::new(&[(0, 0.7), (1, 0.5), (2, -1.3), (3, 0.9), (4, 2.0)]), Recorder::new(6, 12));
        check_square(&machine, &Row::new(&[(0, 0.7), (1, 0.5), (3, 0.9), (4, 2.0)]), Recorder::new(6, 12));
    }
    for (output, own) in outputs() {
        let model = Multiclass::new(Linear::new(), output, &[0.0; 5], 5, own);
        check_square(&model, &Row::new(&[(0, 0.7), (2, -1.3), (4, 2.0)]), Recorder::new(6, 5));
    }
    check_square(&Factorization::new(5, 3.0, 0.0), &Pair::new(1, 2, 3).into(), Recorder::new(6, 5));
    for (loss, _) in RANKING {
        check_square(&Ranking::new(loss, 5, 0.0, 3, 50), &candidates(loss), Recorder::new(8, 5));
    }
}
