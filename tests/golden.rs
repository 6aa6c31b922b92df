//! Update rules against PyTorch's numbers; `golden/generate.py` made them.
use hogwild::{
    Loss, Plain,
    models::{Linear, Model, Row},
    rules::{Adagrad, Clock, Sgd, UpdateRule},
};
use serde_json::Value;

fn check<R: UpdateRule>(rule: R, run: &Value, examples: &[Value]) {
    let rate = run["lr"].as_f64().unwrap() as f32;
    let mut weights = Plain::new(rule, 5, 0, 0);
    let model = Linear::new();
    let mut scratch = model.scratch(4);
    for (t, example) in examples.iter().enumerate() {
        let x: Vec<(u32, f32)> = (0..4).map(|i| (i, example["x"][i as usize].as_f64().unwrap() as f32)).collect();
        let row = Row::new(&x);
        weights.set_clock(&Clock { rate, step: t as u64 + 1, steps: examples.len() as u64 });
        let z = model.score(&row, &mut weights, &mut scratch);
        model.backward(&row, Loss::Logistic.slope(z, example["y"].as_f64().unwrap() as f32), &mut weights, &mut scratch);
        let Some(golden) = run["steps"].get((t + 1).to_string()) else { continue };
        let golden = std::iter::once(&golden["b"]).chain(golden["w"].as_array().unwrap()).map(|x| x.as_f64().unwrap());
        for (row, theirs) in golden.enumerate() {
            let ours = weights.weight(row as u32) as f64;
            assert!((ours - theirs).abs() <= 1e-5 * theirs.abs().max(0.01), "{} step {}: {ours} {theirs}", run["rule"], t + 1);
        }
    }
}

#[test]
fn rules_equal_pytorch_after_3_and_50_steps() {
    let golden: Value = serde_json::from_str(include_str!("golden/rules.json")).unwrap();
    let examples = golden["examples"].as_array().unwrap();
    assert_eq!((examples.len(), golden["runs"].as_array().unwrap().len()), (50, 3));
    for run in golden["runs"].as_array().unwrap() {
        let setting = |name: &str| run[name].as_f64().unwrap() as f32;
        match run["rule"].as_str().unwrap() {
            "sgd" => check(Sgd, run, examples),
            "adagrad" => check(Adagrad { initial: setting("initial"), epsilon: setting("epsilon") }, run, examples),
            other => panic!("no rule {other}"),
        }
    }
}
