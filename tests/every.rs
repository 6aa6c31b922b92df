//! Every loss, model and rule against what it must equal: slopes and gradients against differences, rules against a minimum.
use hogwild::{
    Loss, Rule, Weights,
    models::{Factorization, Linear, Model, Pair, Row},
    rules::{Adagrad, AdagradRowwise, Sgd, UpdateRule},
};

/// Plain parameters that note the gradients they are sent.
#[derive(Clone, Default)]
struct Recorder {
    narrow: Vec<f32>,
    wide: Vec<Vec<f32>>,
    narrow_gradient: Vec<f32>,
    wide_gradient: Vec<Vec<f32>>,
}

impl Recorder {
    fn new(rows: usize, width: usize) -> Recorder {
        let number = |i: usize| ((i * 7919 + 13) % 101) as f32 / 101.0 - 0.5;
        Recorder {
            narrow: (0..rows).map(number).collect(),
            wide: (0..rows)
                .map(|row| (0..hogwild::padded(width)).map(|i| if i < width { number(row * 31 + i) } else { 0.0 }).collect())
                .collect(),
            narrow_gradient: vec![0.0; rows],
            wide_gradient: vec![vec![0.0; hogwild::padded(width)]; rows],
        }
    }
}

impl Weights for Recorder {
    fn gather(&mut self, rows: &[u32], out: &mut [f32]) {
        out.fill(0.0);
        out.iter_mut().zip(rows).for_each(|(out, &row)| *out = self.narrow[row as usize]);
    }
    fn step(&mut self, rows: &[u32], gradient: &[f32]) {
        assert_eq!(gradient.len(), hogwild::padded(rows.len()));
        rows.iter().zip(gradient).for_each(|(&row, g)| self.narrow_gradient[row as usize] += g);
    }
    fn gather_row(&mut self, row: u32, out: &mut [f32]) {
        out.copy_from_slice(&self.wide[row as usize]);
    }
    fn step_row(&mut self, row: u32, gradient: &[f32]) {
        self.wide_gradient[row as usize].iter_mut().zip(gradient).for_each(|(to, g)| *to += g);
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
    for row in 0..weights.narrow.len() {
        close(format!("narrow {row}"), recorder.narrow_gradient[row], &|w, h| w.narrow[row] += h);
        for i in 0..weights.wide[row].len().min(5) {
            close(format!("wide {row} {i}"), recorder.wide_gradient[row][i], &|w, h| w.wide[row][i] += h);
        }
    }
}

#[test]
fn gradients_equal_differences() {
    let counts = [4u64, 3, 2, 2, 1];
    let (rows, lambda) = (4, 0.3);
    let row = Row::new(&[(0, 0.7), (2, -1.3), (4, 2.0)]);
    for (loss, l2) in [(Loss::Logistic, 0.0), (Loss::Squared, lambda), (Loss::Logistic, lambda)] {
        let model = Linear::with_l2(l2, rows, &counts);
        let decay = |w: &Recorder| -> f64 {
            [0usize, 2, 4].iter().map(|&c| l2 * rows as f64 / counts[c] as f64 / 2.0 * (w.narrow[c + 1] as f64).powi(2)).sum()
        };
        let objective = |m: &Linear, w: &mut Recorder| loss.value(m.score(&row, w, &mut m.scratch(64)), 1.0) as f64 + decay(w);
        check(&model, &row, &Recorder::new(6, 0), objective, loss, 1.0);
    }
    let model = Factorization { rank: 5, mean: 3.0, l2: 0.2 };
    let pair = Pair::new(1, 2, 3);
    let objective = |m: &Factorization, w: &mut Recorder| {
        let touched = [1usize, 5];
        let squares: f32 = touched.iter().map(|&r| w.narrow[r].powi(2) + w.wide[r].iter().map(|x| x * x).sum::<f32>()).sum();
        Loss::Squared.value(m.score(&pair, w, &mut m.scratch(2)), 4.5) as f64 + 0.1 * squares as f64
    };
    check(&model, &pair, &Recorder::new(6, 5), objective, Loss::Squared, 4.5);
}

fn reaches_minimum<R: UpdateRule>(name: &str, rule: R, rate: f32) {
    let (mut w, mut state) = (5.0, rule.initial());
    for _ in 0..5000 {
        w = rule.step(rate, w, 2.0 * (w - 1.5), &mut state);
    }
    assert!((w - 1.5).abs() < 1e-3, "{name}: {w}");
}

#[test]
fn every_rule_reaches_a_parabolas_minimum() {
    for rule in Rule::ALL {
        match rule {
            Rule::Sgd(r) => reaches_minimum(rule.name(), r, 0.1),
            Rule::Adagrad(r) => reaches_minimum(rule.name(), r, 0.5),
            Rule::AdagradRowwise(r) => reaches_minimum(rule.name(), r, 0.5),
        }
    }
}

#[test]
fn steps_over_slices_equal_single_steps() {
    fn check<R: UpdateRule<State = [f32; N]>, const N: usize>(rule: R) {
        let n = 48;
        let gradient: Vec<f32> = (0..n).map(|i| (i as f32 - 20.0) / 7.0).collect();
        let mut weights: Vec<f32> = (0..n).map(|i| i as f32 / 9.0).collect();
        let single: Vec<f32> = weights.iter().zip(&gradient).map(|(&w, &g)| rule.step(0.3, w, g, &mut rule.initial())).collect();
        let mut state = rule.initial().iter().flat_map(|&x| vec![x; n]).collect::<Vec<_>>();
        rule.step_all(0.3, &mut weights, &gradient, &mut state);
        assert_eq!(weights, single);
    }
    check(Sgd);
    check(Adagrad::DEFAULT);
    check(AdagradRowwise::default());
}
