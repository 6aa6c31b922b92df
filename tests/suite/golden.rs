//! Update rules against PyTorch's numbers, or the papers' equations in NumPy where it has none; `tests/golden/generate.py` made them.
use hogwild::{
    Loss, Plain, Rule,
    models::{Linear, Model, Row},
    rules::{AdagradRowwise, AdaptiveRevision, Clock, RuleVisitor, UpdateRule},
};
use serde_json::Value;

/// An example: columns with values, and label.
type Example = (Vec<(u32, f32)>, f32);

/// The steps of one run by a rule, held against the numbers it is to give.
struct Steps<'a> {
    run: &'a Value,
    examples: &'a [Example],
    width: u32,
    steps: u64,
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

impl RuleVisitor for Steps<'_> {
    type Output = ();

    fn visit<R: UpdateRule>(self, rule: R) {
        let (name, rate) = (&self.run["name"], self.run["settings"]["lr"].as_f64().unwrap() as f32);
        let mut weights = Plain::new(rule, self.width as usize + 1, 0, 0);
        let (model, mut t) = (Linear::new(), 0);
        let mut scratch = model.scratch(self.width as usize);
        let marks = self.run["weights"].as_object().unwrap();
        for (x, y) in self.examples.iter().cycle().take(self.steps as usize) {
            t += 1;
            let row = Row::without_bias(x);
            weights.set_clock(&Clock { rate, step: t, steps: self.steps });
            let z = model.score(&row, &mut weights, &mut scratch);
            model.backward(&row, Loss::Logistic.slope(z, *y), &mut weights, &mut scratch);
            let Some(golden) = marks.get(&t.to_string()) else { continue };
            // As they are before the step to come.
            weights.set_clock(&Clock { rate, step: t + 1, steps: self.steps });
            for (column, theirs) in numbers(golden).into_iter().enumerate() {
                let ours = weights.weight(column as u32 + 1) as f64;
                assert!((ours - theirs).abs() <= 1e-5 * theirs.abs().max(0.1), "{name} step {t} column {column}: {ours} {theirs}");
            }
        }
    }
}

/// The rule that a run names, with its settings.
fn rule_of(run: &Value, catch_up: bool) -> Rule {
    let mut rule = Rule::named(&run["rule"].as_str().unwrap().replace('_', "-")).unwrap();
    for (name, value) in run["settings"].as_object().unwrap() {
        let setting = match (name.as_str(), rule.name()) {
            ("lr" | "steps" | "window", _) => continue,
            ("alpha", "rmsprop") | ("rho", "adadelta") | ("beta", "yellowfin") => "decay",
            ("beta", "powersign" | "addsign") => "beta1",
            ("decay", _) => "internal-decay",
            ("l1", _) => "ftrl-l1",
            ("l2", _) => "ftrl-l2",
            ("momentum", _) => "momentum",
            ("momentum_decay", _) => "momentum-decay",
            ("weight_decay", _) => "weight-decay",
            ("initial", _) => "initial",
            ("epsilon", _) => "epsilon",
            ("beta", _) => "beta",
            ("beta1", _) => "beta1",
            ("beta2", _) => "beta2",
            (other, rule) => panic!("{rule} has no {other}"),
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rule.set(setting, &text).unwrap();
    }
    if catch_up {
        rule.set("catch-up", "true").unwrap();
    }
    rule
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/rules.json")).unwrap()
}

fn dense_examples(dense: &Value) -> Vec<Example> {
    let labels = numbers(&dense["labels"]);
    let row = |x: &Value| numbers(x).into_iter().enumerate().map(|(i, x)| (i as u32, x as f32)).collect();
    dense["features"].as_array().unwrap().iter().zip(labels).map(|(x, y)| (row(x), y as f32)).collect()
}

#[test]
fn fifty_dense_steps_of_every_rule() {
    let golden = golden();
    let dense = &golden["dense"];
    let examples = dense_examples(dense);
    let runs = dense["runs"].as_array().unwrap();
    let mut seen: Vec<_> = runs.iter().map(|run| rule_of(run, false).name()).collect();
    seen.dedup();
    assert_eq!(seen.len(), Rule::ALL.len(), "{seen:?}");
    for run in runs.iter().filter(|run| run["rule"] != "adagrad_rowwise") {
        rule_of(run, false).visit(Steps { run, examples: &examples, width: 5, steps: 50 });
    }
    // The row-wise rule steps a row of factors: one row here, its dot product with the features the score.
    let run = runs.iter().find(|run| run["rule"] == "adagrad_rowwise").unwrap();
    let rate = run["settings"]["lr"].as_f64().unwrap() as f32;
    let Rule::AdagradRowwise(rule) = rule_of(run, false) else { panic!("another rule") };
    one_row(rule, rate, &examples, &run["weights"]);
}

fn one_row(rule: AdagradRowwise, rate: f32, examples: &[Example], marks: &Value) {
    use hogwild::{F32x16, Weights};
    let mut weights = Plain::new(rule, 0, 1, 5);
    weights.set_clock(&Clock { rate, ..Clock::default() });
    for (t, (x, y)) in examples.iter().cycle().take(50).enumerate() {
        let mut row = [F32x16::default()];
        weights.gather_row(0, &mut row);
        let z: f32 = x.iter().map(|&(i, x)| row[0].0[i as usize] * x).sum();
        let (slope, mut gradient) = (Loss::Logistic.slope(z, *y), F32x16::default());
        x.iter().for_each(|&(i, x)| gradient.0[i as usize] = slope * x);
        weights.step_row(0, &[gradient], gradient.0.iter().map(|g| g * g).sum(), 0.0);
        let Some(theirs) = marks.get((t + 1).to_string()) else { continue };
        for (&mut ours, theirs) in weights.wide_mut(0).zip(numbers(theirs)) {
            assert!((ours as f64 - theirs).abs() <= 1e-5 * theirs.abs().max(0.1), "row-wise step {}: {ours} {theirs}", t + 1);
        }
    }
}

#[test]
fn fifty_steps_by_gradients_of_up_to_five_steps_before() {
    let golden = golden();
    let (examples, delayed) = (dense_examples(&golden["dense"]), &golden["delayed"]);
    let delays = numbers(&delayed["delays"]);
    assert!((0..=5).all(|delay| delays.contains(&(delay as f64))), "{delays:?}");
    for run in delayed["runs"].as_array().unwrap() {
        let Rule::AdaptiveRevision(rule) = rule_of(run, false) else { panic!("another rule") };
        delayed_steps(rule, run, &examples, &delays);
    }
}

/// The weights, and beside each its state, after each step.
type Past = Vec<[(f32, [f32; 3]); 5]>;

fn delayed_steps(rule: AdaptiveRevision, run: &Value, examples: &[Example], delays: &[f64]) {
    let (name, rate) = (&run["name"], run["settings"]["lr"].as_f64().unwrap() as f32);
    let near = |ours: f32, theirs: f64| (ours as f64 - theirs).abs() <= 1e-5 * theirs.abs().max(0.1);
    let mut past: Past = vec![[(0.0, rule.initial()); 5]];
    for (t, ((x, y), &delay)) in (1..).zip(examples.iter().cycle().zip(delays)) {
        let (read, mut now) = (past[t - 1 - delay as usize], past[t - 1]);
        let z: f32 = x.iter().map(|&(i, x)| read[i as usize].0 * x).sum();
        let slope = Loss::Logistic.slope(z, *y);
        for &(i, x) in x {
            let (cell, read) = (&mut now[i as usize], &read[i as usize]);
            cell.0 = rule.step_since(&rate, cell.0, slope * x, &mut cell.1, &read.1);
        }
        past.push(now);
        let Some(weights) = run["weights"].get(t.to_string()) else { continue };
        let states = &run["states"][t.to_string()];
        // The script's sum of gradients begins at `initial`, ours at 0.
        for (k, begins) in [0.0, 0.0, rule.initial as f64].into_iter().enumerate() {
            for (column, theirs) in numbers(&states[k]).into_iter().enumerate() {
                assert!(near(now[column].1[k], theirs - begins), "{name} step {t} column {column} number {k}: {now:?} {theirs}");
            }
        }
        for (column, theirs) in numbers(weights).into_iter().enumerate() {
            assert!(near(now[column].0, theirs), "{name} step {t} column {column}: {now:?} {theirs}");
        }
    }
}

#[test]
fn sparse_steps_are_lazy_and_caught_up_ones_dense() {
    let golden = golden();
    let sparse = &golden["sparse"];
    let (columns, values) = (sparse["columns"].as_array().unwrap(), sparse["values"].as_array().unwrap());
    let row = |(c, v): (&Value, &Value)| numbers(c).into_iter().zip(numbers(v)).map(|(c, v)| (c as u32, v as f32)).collect();
    let rows = columns.iter().zip(values).map(row);
    let examples: Vec<Example> = rows.zip(numbers(&sparse["labels"])).map(|(x, y)| (x, y as f32)).collect();
    for (section, catch_up, count) in [("sparse", false, 4), ("catch_up", true, 2)] {
        let runs = golden[section]["runs"].as_array().unwrap();
        assert_eq!(runs.len(), count);
        for run in runs {
            rule_of(run, catch_up).visit(Steps { run, examples: &examples, width: 12, steps: 60 });
        }
    }
}
