//! Factorization machines: scores against all pairs, planted effects, workers and instruction sets against one another, files, refusals.
use crate::support::{
    alone,
    command::{good, hogwild, message},
    data::{sparse, synthetic, text_like},
    isa, shared,
    training::{held_out, linear},
};
use hogwild::{
    Batch, Ended, InstructionSet, Loss, Normalize, Outcome, Parallel, Rule, Settings, Trainer, Weights,
    data::{Data, Rows},
    models::{FactorizationMachine, Linear, Model, Row},
    rules::Sgd,
    synth::{Kind, Synth},
    train_fm, train_linear,
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use std::{fmt::Write, fs};

fn machine(data: &Rows, valid: Option<&Rows>, settings: Settings) -> Outcome {
    let _turn = shared();
    train_fm(data, valid, &isa::forced_in(&settings), &mut (), &Default::default()).unwrap()
}

fn settings(rank: usize) -> Settings {
    Settings { rank, threads: 1, lr: Some(0.2), ..Settings::for_fm() }
}

/// All numbers of a model.
fn numbers(outcome: &Outcome) -> Vec<u32> {
    let member = outcome.model.as_ref().unwrap().last();
    ["bias", "weight", "factor"].iter().flat_map(|name| member.numbers(name)).map(|x| x.to_bits()).collect()
}

/// Rows of six fields whose label goes by planted factors alone: no single feature tells anything.
fn planted(rows: usize, seed: u64) -> String {
    const FIELDS: u64 = 6;
    const VALUES: u64 = 12;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let factors: Vec<[f32; 2]> = (0..FIELDS * VALUES).map(|_| [(); 2].map(|()| if random.random() { 0.9 } else { -0.9 })).collect();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut text = String::new();
    for _ in 0..rows {
        let ids = [(); FIELDS as usize].map(|()| random.random_range(0..VALUES));
        let (mut sum, mut squares) = ([0.0; 2], 0.0);
        for (field, id) in (0..).zip(ids) {
            for (sum, v) in sum.iter_mut().zip(factors[(field * VALUES + id) as usize]) {
                (*sum, squares) = (*sum + v, squares + v * v);
            }
        }
        let z = 0.5 * (sum.iter().map(|x| x * x).sum::<f32>() - squares);
        let is_positive = random.random::<f32>() < 1.0 / (1.0 + (-z).exp());
        text += if is_positive { "+1" } else { "-1" };
        (0..).zip(ids).for_each(|(field, id)| write!(text, " {}:1", field * VALUES + id + 1).unwrap());
        text.push('\n');
    }
    text
}

/// Weights that are formulas, and are not stepped.
struct Formulas;

impl Formulas {
    fn factor(row: u32, i: usize) -> f32 {
        ((row as usize * 31 + i * 7) % 17) as f32 / 17.0 - 0.4
    }
}

impl Weights for Formulas {
    type V = hogwild::F32x16;

    fn gather(&mut self, _block: usize, slots: &hogwild::Line<u32>) -> hogwild::F32x16 {
        hogwild::F32x16(slots.0.map(|slot| if slot == 0 { 0.7 } else { 100.0 }))
    }
    fn step(&mut self, _: usize, _: &hogwild::Line<u32>, _: hogwild::F32x16, _: Option<hogwild::F32x16>) {}
    fn gather_row(&mut self, row: u32, out: &mut [hogwild::F32x16]) -> f32 {
        for (k, out) in out.iter_mut().enumerate() {
            *out = hogwild::F32x16(std::array::from_fn(|i| if 16 * k + i < 20 { Formulas::factor(row, 16 * k + i) } else { 0.0 }));
        }
        (row + 1) as f32 * 0.1
    }
    fn step_row(&mut self, _: u32, _: &[hogwild::F32x16], _: f32, _: f32) {}
    fn set_row(&mut self, _: u32, _: &[hogwild::F32x16]) {}
    fn rate(&self) -> f32 {
        0.0
    }
}

#[test]
fn a_score_is_the_sum_over_all_pairs() {
    let features: Vec<(u32, f32)> = (0..40).map(|i| (2 * i, (i as f32 * 0.37).sin())).collect();
    let model = FactorizationMachine::new(Linear::new(), 100, 20);
    let z = model.score(&Row::new(&features), &mut Formulas, &mut model.scratch(64));
    // The bias is slot 0; the weight of feature column c lies beside row c.
    let mut expected = 0.7 + features.iter().map(|&(c, x)| (c as f64 + 1.0) * 0.1 * x as f64).sum::<f64>();
    for (i, &(a, x)) in features.iter().enumerate() {
        for &(b, y) in &features[i + 1..] {
            let dot: f64 = (0..20).map(|k| Formulas::factor(a, k) as f64 * Formulas::factor(b, k) as f64).sum();
            expected += dot * x as f64 * y as f64;
        }
    }
    assert!((z as f64 - expected).abs() < 1e-4 * expected.abs(), "{z} {expected}");
}

#[test]
fn planted_pairs_are_found_by_one_worker_and_by_two() {
    let folder = tempfile::tempdir().unwrap();
    let (train, test) = (planted(20_000, 1), planted(4_000, 2));
    let (train, test) = (sparse(folder.path(), "a.svm", &train), sparse(folder.path(), "b.svm", &test));
    let _turn = alone();
    let alike = Settings { threads: 1, lr: Some(0.1), epochs: 4, ..Settings::default() };
    let linear = held_out(&train_linear(&train, Some(&test), &alike, &mut (), &Default::default()).unwrap());
    let of = |threads| held_out(&machine(&train, Some(&test), Settings { threads, epochs: 10, ..settings(4) }));
    let (one, two) = (of(1), of(2));
    assert!(one < 0.75 * linear, "{one}, a linear model {linear}");
    assert!((two / one - 1.0).abs() < 0.02, "{two} by two workers, {one} by one");
    // As it comes, by the rate that is found.
    let found = held_out(&machine(&train, Some(&test), Settings { threads: 2, epochs: 10, ..Settings::for_fm() }));
    assert!(found < 0.78 * linear, "{found} by itself, a linear model {linear}");
}

#[test]
fn one_thread_repeats_to_the_bit_on_every_instruction_set() {
    let folder = tempfile::tempdir().unwrap();
    // Rows of a feature up to a block and a half, and longer ones.
    let cut =
        |(i, line): (usize, &str)| line.split(' ').take(if i % 30 < 25 { 2 + i % 30 } else { 1_000 }).collect::<Vec<_>>().join(" ") + "\n";
    let text: String = text_like(1_000, 0).lines().enumerate().map(cut).collect();
    let lengths: Vec<usize> = text.lines().map(|line| line.split(' ').count() - 1).collect();
    assert!([1, 4, 5, 15, 16, 17, 20].iter().all(|length| lengths.contains(length)), "{lengths:?}");
    let data = sparse(folder.path(), "a.svm", &text);
    for rule in ["adagrad-rowwise", "adagrad", "adam", "adaptive-revision"] {
        for (rank, l2) in [(5, 1e-4), (16, 1e-4), (20, 1e-4), (8, 0.0), (16, 0.0), (20, 0.0)] {
            let of = |isa, seed| {
                let rule = Rule::named(rule).unwrap();
                let settings = Settings { isa: Some(isa), rule, seed, epochs: 2, lr: Some(0.05), l2, ..settings(rank) };
                numbers(&machine(&data, None, settings))
            };
            let portable = of(InstructionSet::Portable, 3);
            assert!(portable.iter().all(|&x| f32::from_bits(x).is_finite()));
            for isa in InstructionSet::available() {
                assert_eq!(of(isa, 3), portable, "{rule} {rank} {l2} {}", isa.name());
            }
            assert_ne!(of(InstructionSet::Portable, 4), portable);
        }
    }
}

#[test]
fn every_rule_and_way_trains() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &planted(3_000, 1));
    let trains = |settings: Settings, what: &str| {
        let outcome = machine(&data, Some(&data), settings);
        let loss = held_out(&outcome);
        assert!(matches!(outcome.ended, Ended::Finished) && loss.is_finite() && loss < 0.75, "{what}: {loss}");
    };
    for rule in Rule::ALL {
        let lr = Some(rule.default_rate(6.0).min(0.05));
        trains(Settings { rule, lr, threads: 2, epochs: 3, ..settings(4) }, rule.name());
        trains(Settings { rule, lr, batch: Batch::Size(64), epochs: 3, ..settings(4) }, rule.name());
    }
    for parallel in [Parallel::Mean, Parallel::Overlap, Parallel::Elastic, Parallel::Downpour] {
        let settings = Settings { parallel, replicas: Some(3), exchange_every: Some(64), epochs: 3, lr: Some(0.05), ..settings(4) };
        trains(settings, parallel.name());
    }
    for normalize in [Normalize::MaxAbs, Normalize::Std, Normalize::Row, Normalize::Online] {
        trains(Settings { normalize, epochs: 3, ..settings(4) }, normalize.name());
    }
    let mut averaged = settings(4);
    averaged.transforms.average = Some(0.5);
    averaged.transforms.clip_norm = Some(1.0);
    trains(averaged, "averages");
    let squared = Settings { loss: Loss::Squared, epochs: 2, lr: Some(0.02), ..settings(4) };
    trains(squared, "squared");
    // A rule of one's own: as the built-in one.
    let own = |rows: &Rows| Trainer::factorization_machine().settings(settings(4)).own_rule(Sgd).fit(rows).unwrap();
    let sgd = Settings { rule: Rule::named("sgd").unwrap(), ..settings(4) };
    assert_eq!(numbers(&own(&data)), numbers(&machine(&data, None, sgd)));
}

/// Features times a factor train to the same scores where they are scaled back.
#[test]
fn scaled_features_are_scaled_back() {
    let folder = tempfile::tempdir().unwrap();
    let text = planted(2_000, 1);
    let (plain, large) = (sparse(folder.path(), "a.svm", &text), sparse(folder.path(), "b.svm", &text.replace(":1", ":8")));
    let of = |data: &Rows| machine(data, Some(data), Settings { normalize: Normalize::MaxAbs, epochs: 2, ..settings(4) });
    let (a, b) = (of(&plain), of(&large));
    assert!((held_out(&a) / held_out(&b) - 1.0).abs() < 1e-5, "{} {}", held_out(&a), held_out(&b));
    let factors = |outcome: &Outcome| outcome.model.as_ref().unwrap().last().numbers("factor").to_vec();
    for (a, b) in factors(&a).into_iter().zip(factors(&b)) {
        assert!((a - 8.0 * b).abs() <= 1e-5 * a.abs(), "{a} {b}");
    }
}

#[test]
fn a_model_is_saved_inspected_and_scores_as_it_did() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.svm"), planted(3_000, 1)).unwrap();
    let rows = sparse(folder.path(), "again.svm", &planted(3_000, 1));
    good(folder.path(), "train a.svm --model fm --rank 3 --lr 0.2 --epochs 3 --threads 1 --out m.safetensors");
    let model = hogwild::TrainedModel::open(&folder.path().join("m.safetensors")).unwrap();
    let of_library = machine(&rows, None, Settings { rank: 3, epochs: 3, ..settings(3) });
    assert_eq!(model.last().numbers("factor"), of_library.model.as_ref().unwrap().last().numbers("factor"));
    let scores = |model: &hogwild::TrainedModel| model.score(&Data::Rows(sparse(folder.path(), "s.svm", &planted(100, 3)))).unwrap().scores;
    assert_eq!(scores(&model), scores(of_library.model.as_ref().unwrap()));
    let inspected: serde_json::Value = serde_json::from_str(&good(folder.path(), "inspect m.safetensors --json")).unwrap();
    assert_eq!((inspected["rank"].as_u64(), inspected["features"].as_u64()), (Some(3), Some(72)));
    let predicted = good(folder.path(), "predict m.safetensors a.svm");
    assert_eq!(predicted.lines().count(), 3_000);
    let simulated = good(folder.path(), "simulate a.svm --model fm --rank 3 --lr 0.2 --epochs 1 --workers 2 --log -");
    let workers = simulated.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["workers"].as_u64());
    assert!(workers.flatten().any(|workers| workers == 2), "{simulated}");
}

/// With factors held near 0 all that is left is the linear part, under every rule, and by rules that revise their steps too.
#[test]
fn without_factors_it_is_the_linear_model() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &text_like(1_000, 0));
    for rule in Rule::ALL {
        let lr = Some(rule.default_rate(10.0));
        let few = Settings { rule, lr, threads: 1, epochs: 2, ..Settings::default() };
        let held = Settings { init_stdev: Some(1e-6), factor_rate: Some(1e-6), rank: 3, ..few.clone() };
        let plain = linear(&data, None, few);
        let weights = |outcome: &Outcome| outcome.model.as_ref().unwrap().last().numbers("weight").to_vec();
        for (a, b) in weights(&machine(&data, None, held)).into_iter().zip(weights(&plain)) {
            assert!((a - b).abs() <= 1e-3 * b.abs().max(1e-3), "{rule}: {a} {b}");
        }
    }
}

#[test]
fn what_does_not_go_together_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.svm"), planted(200, 1)).unwrap();
    for (flags, says) in [
        ("--model fm --parallel partitioned", "needs all factors of an example at once"),
        ("--model fm --l1 0.1", "factors take --l2"),
        ("--model linear --init-stdev 0.1", "this model has none"),
        ("--model linear --factor-rate 0.1", "this model has none"),
        ("--model fm --factor-rate 0", "must be above 0"),
    ] {
        let output = hogwild(folder.path(), &format!("train a.svm --lr 0.1 {flags}"));
        assert!(output.status.code() == Some(2) && message(&output).contains(says), "{flags}: {}", message(&output));
    }
}

/// A row without features has the bias as its score; rows of numbers and of clicks train.
#[test]
fn one_example_without_features_is_a_bias() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", "+1\n-1 1:1\n+1 1:0.5\n");
    let outcome = machine(&data, Some(&data), settings(1));
    assert!(held_out(&outcome).is_finite());
    let clicks = sparse(folder.path(), "c.svm", &synthetic(&Synth { kind: Kind::Clicks, rows: 500, ..Synth::default() }));
    assert!(held_out(&machine(&clicks, Some(&clicks), settings(8))) < 0.69);
}
