//! Field-aware factorization machines: scores against all pairs, planted effects, workers and instruction sets against one another, files,
//! refusals. Where fields come from is in `ffm_fields`.
use crate::support::{
    alone,
    command::{good, hogwild, message, said},
    data::read_as,
    isa, shared,
    training::held_out,
};
use hogwild::{
    Batch, Ended, F32x16, FieldMatrixScorer, InstructionSet, Line, Loss, Normalize, Outcome, Parallel, Rule, Settings, Tensor, Tensors,
    TrainedModel, Trainer, Weights,
    data::{Data, Matrix, PackSettings, Rows},
    models::{FieldAware, Linear, Model, Row},
    rules::Sgd,
    train_ffm, train_fm,
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use std::{fmt::Write, fs};

const FIELDS: u64 = 4;
pub const VALUES: u64 = 8;

pub fn machine(data: &Rows, valid: Option<&Rows>, settings: Settings) -> Outcome {
    let _turn = shared();
    train_ffm(data, valid, &isa::forced_in(&settings), &mut (), &Default::default()).unwrap()
}

pub fn settings(rank: usize) -> Settings {
    Settings { rank, threads: 1, lr: Some(0.5), ..Settings::for_ffm() }
}

/// All numbers of a model.
pub fn numbers(outcome: &Outcome) -> Vec<u32> {
    let member = outcome.model.as_ref().unwrap().last();
    ["bias", "weight", "feature_field", "factor"].iter().flat_map(|name| member.numbers(name)).map(|x| x.to_bits()).collect()
}

/// Rows of a text for models with fields.
pub fn rows(text: &str) -> Rows {
    match read_as(text, &PackSettings { fields: true, ..PackSettings::default() }) {
        Ok((_, Data::Rows(rows))) => rows,
        other => panic!("{other:?}"),
    }
}

/// Rows of four fields, a feature of each but for some that are missing, whose label goes by what each pair of fields makes of its
/// features: no single feature tells anything.
pub fn planted(count: usize, seed: u64) -> String {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut text = String::new();
    for _ in 0..count {
        let ids = [(); FIELDS as usize].map(|()| random.random_range(0..VALUES));
        let kept = [(); FIELDS as usize].map(|()| random.random::<f32>() < 0.9);
        let mut z = 0.0;
        for (a, &x) in ids.iter().enumerate() {
            for (b, &y) in ids.iter().enumerate().skip(a + 1) {
                // Each pair of fields looks at another bit of both.
                let sign = |id: u64, other: usize| if id >> (other % 3) & 1 == 1 { 1.0 } else { -1.0 };
                z += if kept[a] && kept[b] { 0.9 * sign(x, b) * sign(y, a) } else { 0.0 };
            }
        }
        let is_positive = random.random::<f32>() < 1.0 / (1.0 + f32::exp(-z));
        text += if is_positive { "1" } else { "0" };
        for (field, (id, kept)) in (0..).zip(ids.into_iter().zip(kept)).filter(|(_, (_, kept))| *kept) {
            assert!(kept);
            write!(text, " {field}:{}:1", field * VALUES + id + 1).unwrap();
        }
        text.push('\n');
    }
    text
}

/// Weights that are formulas, and are not stepped.
struct Formulas {
    width: usize,
}

impl Formulas {
    fn factor(row: u32, i: usize) -> f32 {
        ((row as usize * 31 + i * 7) % 17) as f32 / 17.0 - 0.4
    }
}

impl Weights for Formulas {
    type V = F32x16;

    fn gather(&mut self, _block: usize, slots: &Line<u32>) -> F32x16 {
        F32x16(slots.0.map(|slot| if slot < 100 { slot as f32 * 0.1 } else { 0.0 }))
    }
    fn step(&mut self, _: usize, _: &Line<u32>, _: F32x16, _: Option<F32x16>) {}
    fn gather_row(&mut self, row: u32, out: &mut [F32x16]) -> f32 {
        for (k, out) in out.iter_mut().enumerate() {
            *out = F32x16(std::array::from_fn(|i| if 16 * k + i < self.width { Formulas::factor(row, 16 * k + i) } else { 0.0 }));
        }
        0.0
    }
    fn step_row(&mut self, _: u32, _: &[F32x16], _: f32, _: f32) {}
    fn set_row(&mut self, _: u32, _: &[F32x16]) {}
    fn rate(&self) -> f32 {
        0.0
    }
    fn faces(&self) -> bool {
        true
    }
}

#[test]
fn a_score_is_the_sum_over_all_pairs() {
    const FACTORED: u32 = 60;
    // Of 60 fields each has one feature.
    for (rank, all) in [(4, 7), (3, 7), (1, 2), (20, 3), (4, 40), (4, 60), (3, 60), (8, 60), (20, 60)] {
        let field = |column: u32| if all < FACTORED { column * column % all } else { FACTORED - 1 - column };
        let fields: Vec<u16> = (0..FACTORED).map(|column| field(column) as u16).collect();
        // The last ones have no factors.
        let features: Vec<(u32, f32)> = (0..40).map(|i| (2 * i, (i as f32 * 0.37).sin())).collect();
        let model = FieldAware::new(Linear::new(), fields.clone().into(), all as usize, rank);
        let (mut weights, mut scratch) = (Formulas { width: all as usize * rank }, model.scratch(64));
        // What was there of another example is forgotten.
        model.score(&Row::new(&features[..25]), &mut weights, &mut scratch);
        let z = model.score(&Row::new(&features[5..]), &mut weights, &mut scratch);
        let mut expected: f64 = features[5..].iter().map(|&(c, x)| (c as f64 + 1.0) * 0.1 * x as f64).sum();
        for (i, &(a, x)) in features.iter().enumerate().skip(5) {
            for &(b, y) in features[i + 1..].iter().filter(|&&(b, _)| b < FACTORED && a < FACTORED) {
                let (of_a, of_b) = (fields[a as usize] as usize, fields[b as usize] as usize);
                let factor = |row: u32, field: usize, k: usize| Formulas::factor(row, field * rank + k) as f64;
                let dot: f64 = (0..rank).map(|k| factor(a, of_b, k) * factor(b, of_a, k)).sum();
                expected += dot * x as f64 * y as f64;
            }
        }
        assert!((z as f64 - expected).abs() < 1e-4 * expected.abs().max(1.0), "rank {rank}, {all} fields: {z} {expected}");
    }
}

#[test]
fn planted_pairs_are_found_by_one_worker_and_by_two() {
    let (train, test) = (rows(&planted(20_000, 1)), rows(&planted(4_000, 2)));
    let _turn = alone();
    let fm = Settings { threads: 1, lr: Some(0.1), epochs: 8, rank: 4, ..Settings::for_fm() };
    let fm = held_out(&train_fm(&train, Some(&test), &fm, &mut (), &Default::default()).unwrap());
    let of = |threads| held_out(&machine(&train, Some(&test), Settings { threads, epochs: 12, ..settings(4) }));
    let (one, two) = (of(1), of(2));
    assert!(one < 0.93 * fm, "{one}, without fields {fm}");
    assert!((two / one - 1.0).abs() < 0.02, "{two} by two workers, {one} by one");
    // As it comes, by the rate that is found.
    let found = held_out(&machine(&train, Some(&test), Settings { threads: 2, epochs: 12, ..Settings::for_ffm() }));
    assert!(found < 0.96 * fm, "{found} by itself, without fields {fm}");
}

#[test]
fn one_thread_repeats_to_the_bit_on_every_instruction_set() {
    // With features of another field that are several in a row, and values.
    let more = |line: &str| format!("{line} 9:{}:0.5 9:{}:-1\n", 100 + line.len() % 3, 104 + line.len() % 2);
    let several = rows(&planted(700, 1).lines().map(more).collect::<String>());
    // One feature a field, and so in each second row alone: rows of four blocks are not packed, so that they are read where they lie.
    let planted = planted(700, 1);
    let second = |(i, line): (usize, &str)| if i % 2 == 0 { format!("{line}\n") } else { format!("{line} 3:100:0.5 3:101:-1\n") };
    let (apart, both) = (rows(&planted), rows(&planted.lines().enumerate().map(second).collect::<String>()));
    for rule in ["adagrad-rowwise", "adagrad", "adam", "adaptive-revision"] {
        for (data, rank, l2, normalize) in [
            (&several, 4, 0.0, Normalize::Row),
            (&several, 4, 1e-4, Normalize::None),
            (&several, 3, 0.0, Normalize::MaxAbs),
            (&several, 5, 1e-4, Normalize::Row),
            (&apart, 4, 0.0, Normalize::Row),
            (&both, 4, 0.0, Normalize::None),
        ] {
            let of = |isa, seed| {
                let rule = Rule::named(rule).unwrap();
                let few = Settings { isa: Some(isa), rule, seed, epochs: 2, lr: Some(0.05), l2, normalize, ..settings(rank) };
                numbers(&machine(data, None, few))
            };
            let portable = of(InstructionSet::Portable, 3);
            assert!(portable.iter().all(|&x| f32::from_bits(x).is_finite()));
            for isa in InstructionSet::available() {
                assert_eq!(of(isa, 3), portable, "{rule} {rank} {}", isa.name());
            }
            assert_ne!(of(InstructionSet::Portable, 4), portable);
        }
    }
}

#[test]
fn every_rule_and_way_trains() {
    let data = rows(&planted(3_000, 1));
    let trains = |settings: Settings, what: &str| {
        let outcome = machine(&data, Some(&data), settings);
        let loss = held_out(&outcome);
        assert!(matches!(outcome.ended, Ended::Finished) && loss.is_finite() && loss < 0.75, "{what}: {loss}");
    };
    for rule in Rule::ALL {
        let lr = Some(rule.default_rate(1.0).min(0.1));
        trains(Settings { rule, lr, threads: 2, epochs: 3, ..settings(4) }, rule.name());
        trains(Settings { rule, lr, batch: Batch::Size(64), epochs: 3, ..settings(4) }, rule.name());
    }
    for parallel in [Parallel::Mean, Parallel::Overlap, Parallel::Elastic, Parallel::Downpour] {
        let settings = Settings { parallel, replicas: Some(3), exchange_every: Some(64), epochs: 3, lr: Some(0.05), ..settings(4) };
        trains(settings, parallel.name());
    }
    for normalize in [Normalize::None, Normalize::MaxAbs, Normalize::Std, Normalize::Online] {
        trains(Settings { normalize, epochs: 3, lr: Some(0.1), ..settings(4) }, normalize.name());
    }
    let mut averaged = settings(4);
    averaged.transforms.average = Some(0.5);
    averaged.transforms.clip_norm = Some(1.0);
    trains(averaged, "averages");
    let squared = Settings { loss: Loss::Squared, epochs: 2, lr: Some(0.1), ..settings(4) };
    trains(squared, "squared");
    // A rule of one's own: as the built-in one.
    let own = |rows: &Rows| Trainer::field_aware_factorization_machine().settings(settings(4)).own_rule(Sgd).fit(rows).unwrap();
    let sgd = Settings { rule: Rule::named("sgd").unwrap(), ..settings(4) };
    assert_eq!(numbers(&own(&data)), numbers(&machine(&data, None, sgd)));
}

/// Only features that are frequent enough have factors: without any, the model is linear.
#[test]
fn rare_features_have_a_weight_alone() {
    let mut text = planted(400, 1);
    text += "1 0:900:1 1:901:1\n0 0:900:1\n";
    let data = rows(&text);
    let of = |count| machine(&data, Some(&data), Settings { factor_min_count: count, epochs: 2, ..settings(4) });
    for (count, features) in [(Some(1), 34), (Some(2), 33), (Some(3), 32), (None, 0), (Some(1_000_000), 0)] {
        let outcome = of(count);
        let factors = outcome.model.as_ref().unwrap().last().get("factor").unwrap();
        let frequent = if count.is_none() { data.feature_counts().unwrap().iter().filter(|&&count| count >= 50).count() } else { features };
        assert_eq!(factors.shape, [frequent, 4, 4], "{count:?}");
    }
    let none = of(Some(1_000_000));
    let linear = Settings { normalize: Normalize::Row, epochs: 2, ..Settings { rank: 32, ..settings(4) } };
    let linear = hogwild::train_linear(&data, Some(&data), &linear, &mut (), &Default::default()).unwrap();
    let weights = |outcome: &Outcome| outcome.model.as_ref().unwrap().last().numbers("weight").to_vec();
    assert_eq!(weights(&none), weights(&linear));
}

/// What a run says of held-out rows is what the saved model says of them, whatever the features are called.
#[test]
fn a_model_is_saved_inspected_exported_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.ffm"), planted(3_000, 1)).unwrap();
    good(at, "train a.ffm --model ffm --rank 3 --lr 0.5 --epochs 3 --threads 1 --out m.safetensors");
    let model = TrainedModel::open(&at.join("m.safetensors")).unwrap();
    let data = rows(&planted(3_000, 1));
    let of_library = machine(&data, None, Settings { epochs: 3, ..settings(3) });
    assert_eq!(model.last(), of_library.model.as_ref().unwrap().last());
    assert_eq!(model.last().get("factor").unwrap().shape, [32, 4, 3]);
    let inspected: serde_json::Value = serde_json::from_str(&good(at, "inspect m.safetensors --json")).unwrap();
    let told = ["rank", "fields", "features", "features_with_factors"].map(|key| inspected[key].as_u64());
    assert_eq!(told, [Some(3), Some(4), Some(32), Some(32)]);
    let predicted = good(at, "predict m.safetensors a.ffm");
    assert_eq!(predicted.lines().count(), 3_000);
    good(at, "export m.safetensors --out m.npz");
    good(at, "import m.npz --out back.safetensors");
    assert_eq!(TrainedModel::open(&at.join("back.safetensors")).unwrap().last(), model.last());
    let ratio = good(at, "bench a.ffm --model ffm --lr 0.5 --threads 1 --rounds 1 --json");
    assert!(ratio.contains("\"model\":\"ffm\""), "{ratio}");
    let simulated = good(at, "simulate a.ffm --model ffm --rank 3 --lr 0.5 --epochs 1 --workers 2 --log -");
    let workers = simulated.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["workers"].as_u64());
    assert!(workers.flatten().any(|workers| workers == 2), "{simulated}");
}

#[test]
fn what_does_not_go_together_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.ffm"), planted(200, 1)).unwrap();
    fs::write(at.join("a.svm"), "1 1:1\n0 2:1\n").unwrap();
    good(at, "train a.ffm --model ffm --lr 0.5 --epochs 1 --out m.safetensors");
    for (line, says) in [
        ("train a.ffm --lr 0.1 --model ffm --parallel partitioned", "needs all factors of an example at once"),
        ("train a.ffm --lr 0.1 --model ffm --l1 0.1", "factors take --l2"),
        ("train a.ffm --lr 0.1 --model fm --factor-min-count 3", "factors for each field"),
        ("train a.ffm --lr 0.1 --model linear --factor-min-count 3", "factors for each field"),
        ("train a.ffm --lr 0.1 --model ffm --factor-min-count 0", "must be from 1"),
        ("train a.svm --lr 0.1 --model ffm", "a.svm: has no features with fields"),
        ("export m.safetensors --format tsv", "export it as npz"),
        ("export m.safetensors --format liblinear --out m.model", "is a model `ffm`"),
        ("export m.safetensors --format vw-readable --out m.model", "is a model `ffm`"),
    ] {
        let output = hogwild(at, line);
        assert!(output.status.code() == Some(2) && message(&output).contains(says), "{line}: {}", message(&output));
    }
    // An index in another field is scored by that of the model; frequent features alone have factors.
    fs::write(at.join("moved.ffm"), "1 1:1:1\n0 0:2:1\n").unwrap();
    fs::write(at.join("both.ffm"), "1 0:1:1 1:1:1\n").unwrap();
    for (line, says) in [
        ("eval m.safetensors moved.ffm", "features in another field than that of the model, which they are scored by: 1"),
        ("eval m.safetensors both.ffm", "these rows do not say which field each feature is in"),
        ("train a.ffm --lr 0.1 --model ffm --epochs 1 --valid moved.ffm", "moved.ffm: features in another field"),
        ("train a.ffm --lr 0.1 --model ffm --epochs 1", "warning: a.ffm: no feature occurs in 50 examples, so none has factors"),
        ("train a.ffm moved.ffm --lr 0.1 --model ffm --epochs 1 --factor-min-count 5", "32 of 33 features occur in 5 examples or more"),
    ] {
        let told = said(at, line);
        assert!(told.contains(says), "{line}: {told}");
    }
    // Factors beyond all memory are refused before they are made.
    let output = hogwild(at, "train a.ffm --lr 0.1 --model ffm --rank 4096 --factor-min-count 1 --threads 1 --epochs 1");
    assert!(output.status.success(), "{}", message(&output));
    let many: String = (0..40_000).map(|i| format!("1 {i}:{i}:1 {}:{}:1\n", i + 1, i + 1)).collect();
    fs::write(at.join("many.ffm"), many + "0 1:1:1\n").unwrap();
    let output = hogwild(at, "train many.ffm --lr 0.1 --model ffm --rank 64 --factor-min-count 1");
    assert!(output.status.code() == Some(2) && message(&output).contains("a smaller --rank"), "{}", message(&output));
    let wide: String = (0..20_000).map(|i| format!(" {i}:{i}:1")).collect();
    fs::write(at.join("wide.ffm"), format!("1{wide}\n0 1:1:1\n")).unwrap();
    let output = hogwild(at, "train wide.ffm --lr 0.1 --model ffm --rank 64 --threads 1");
    let says = "what is kept of an example, of up to 20000 fields";
    assert!(output.status.code() == Some(2) && message(&output).contains(says), "{}", message(&output));
}

/// Fields go with their features when others are left out.
#[test]
fn a_matrix_of_too_many_fields_is_refused() {
    let tensor = |name, shape: &[usize], numbers: &[f32]| Tensor { name, shape: shape.to_vec(), numbers: numbers.to_vec() };
    let all = 1 << 16;
    let member = Tensors(vec![
        tensor("bias", &[1], &[0.0]),
        tensor("weight", &[1], &[1.0]),
        tensor("feature_field", &[1], &[0.0]),
        tensor("factor", &[1, all, 1 << 20], &[]),
    ]);
    let columns: Vec<i32> = (0..all as i32).collect();
    let (row_start, values) = ([0, all as i32], vec![1.0f32; all]);
    let matrix = Matrix { row_start: &row_start, columns: &columns, values: &values, width: all };
    let error = FieldMatrixScorer { member: &member, places: &[0], unit_rows: false }.score(&matrix).unwrap_err().to_string();
    assert!(error.contains("what is kept of an example"), "{error}");
}
