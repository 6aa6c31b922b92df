//! Eight examples in flight: a group's step by the letter, the same bits on every instruction set, and what one example at a time learns.
use crate::support::{
    alone,
    data::{sparse, synthetic},
    training::{held_out, linear, linear_model, weights},
};
use hogwild::{
    Batch, ClassWeight, InstructionSet, Loss, Normalize, Order, Parallel, Rule, Settings, Transforms,
    data::Rows,
    loss::Huber,
    rules::Sgd,
    synth::{Kind, Synth},
    train_linear,
};
use std::sync::atomic::Ordering::Relaxed;

const GROUP: usize = 8;
const BLOCK: usize = 256;

fn clicks(rows: u64, start_row: u64) -> String {
    synthetic(&Synth { kind: Kind::Clicks, rows, start_row, features: 3000, ..Synth::default() })
}

fn uniform(rows: u64) -> String {
    synthetic(&Synth { kind: Kind::Uniform, rows, features: 60, nonzeros: 12, ..Synth::default() })
}

/// Adagrad as it is told: all eight are scored first; dense slots step by sums of gradients and of squares, of each other slot the last
/// example's step stands, by the numbers that all had before.
fn by_the_letter(data: &Rows, dense: usize, rate: f32, epochs: usize) -> Vec<f32> {
    let (starts, columns, values) = (data.start_cells(), data.column_cells(), data.value_cells());
    let row = |row: usize| -> Vec<(usize, f32)> {
        let cells = starts[row].load(Relaxed) as usize..starts[row + 1].load(Relaxed) as usize;
        let value = |i: usize| values.map_or(1.0, |values| f32::from_bits(values[i].load(Relaxed)));
        std::iter::once((0, 1.0)).chain(cells.map(|i| (columns[i].load(Relaxed) as usize + 1, value(i)))).collect()
    };
    let mut numbers = vec![[0.0f32, 1.0]; data.columns() + 1];
    let all: Vec<usize> = (0..data.rows()).collect();
    for _ in 0..epochs {
        for group in all.chunks(BLOCK).flat_map(|block| block.chunks(GROUP)) {
            let before = numbers.clone();
            let rows: Vec<_> = group.iter().map(|&i| row(i)).collect();
            let mut sums = vec![[0.0f32; 2]; dense];
            for (x, &i) in rows.iter().zip(group) {
                let z: f32 = x.iter().map(|&(slot, value)| before[slot][0] * value).sum();
                let slope = Loss::Logistic.slope(z, data.label(i));
                for &(slot, value) in x {
                    let g = slope * value;
                    if slot < dense {
                        sums[slot] = [sums[slot][0] + g, sums[slot][1] + g * g];
                    } else {
                        let [w, s] = before[slot];
                        numbers[slot] = [w - rate / (s + g * g).sqrt() * g, s + g * g];
                    }
                }
            }
            for (number, [g, square]) in numbers.iter_mut().zip(sums) {
                number[1] += square;
                number[0] -= rate / number[1].sqrt() * g;
            }
        }
    }
    numbers.into_iter().map(|[w, _]| w).collect()
}

#[test]
fn a_group_steps_as_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    // The last block has 188 examples: its last group has four.
    for (name, text) in [("ones", clicks(700, 0)), ("values", uniform(700))] {
        let data = sparse(folder.path(), &format!("{name}.svm"), text.as_bytes());
        for dense in [16, 32, 128] {
            let plain = Settings { normalize: Normalize::None, standardize: false, order: Order::Sequential, ..Settings::default() };
            let settings = Settings { threads: 1, lr: Some(0.1), epochs: 3, dense_rows: Some(dense), ..plain };
            let outcome = linear(&data, None, settings);
            let dense = dense.min((data.columns() + 1).next_multiple_of(16));
            assert_eq!(outcome.settings.dense_rows, dense);
            let (found, told) = (weights(&outcome), by_the_letter(&data, dense, 0.1, 3));
            assert_eq!(found.len(), told.len());
            for (slot, (a, b)) in found.iter().zip(&told).enumerate() {
                assert!((a - b).abs() < 2e-5 * b.abs().max(1.0), "{name}, {dense} dense, slot {slot}: {a} {b}");
            }
        }
    }
}

#[test]
fn groups_have_the_same_bits_on_every_instruction_set() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("ones", clicks(3000, 0)), ("values", uniform(3000))] {
        let data = sparse(folder.path(), &format!("{name}.svm"), text.as_bytes());
        for settings in [
            Settings::default(),
            Settings { loss: Loss::Squared, standardize: true, ..Settings::default() },
            Settings { loss: Loss::Huber(Huber::DEFAULT), ..Settings::default() },
            Settings { holdout: 0.1, ..Settings::default() },
        ] {
            let of = |isa: InstructionSet, dense| {
                let settings = Settings { isa: Some(isa), threads: 1, lr: Some(0.05), dense_rows: Some(dense), ..settings.clone() };
                weights(&linear(&data, None, Settings { normalize: Normalize::None, ..settings }))
            };
            for dense in [16, 48, 128] {
                let portable = of(InstructionSet::Portable, dense);
                assert!(portable.iter().all(|w| w.is_finite()) && portable.iter().any(|&w| w != 0.0));
                for isa in InstructionSet::available() {
                    assert!(of(isa, dense) == portable, "{name}, {} and {dense} dense, {}", settings.loss, isa.name());
                }
            }
        }
    }
}

#[test]
fn groups_learn_what_one_example_at_a_time_does() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "c.svm", clicks(40_000, 0).as_bytes());
    let test = sparse(folder.path(), "t.svm", clicks(10_000, 40_000).as_bytes());
    let of = |threads, dense_rows| {
        let outcome = linear(&data, Some(&test), Settings { threads, dense_rows, lr: Some(0.05), ..Settings::default() });
        (held_out(&outcome), outcome.settings.dense_rows)
    };
    let (one, dense) = of(1, Some(0));
    assert_eq!(dense, 0);
    for threads in [1, 2] {
        let (loss, dense) = of(threads, None);
        assert!(dense >= 16, "not by groups");
        assert!((loss / one - 1.0).abs() < 0.003, "{threads} threads: {loss}, one at a time {one}");
    }
}

#[test]
fn groups_are_for_many_short_rows_under_plain_adagrad() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "c.svm", clicks(33_000, 0).as_bytes());
    let few = sparse(folder.path(), "f.svm", clicks(3_000, 0).as_bytes());
    let weighted = clicks(33_000, 0)
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{}\n", line.replacen(' ', [" ", ":2 "][i % 2], 1)))
        .collect::<String>();
    let weighted = sparse(folder.path(), "w.svm", weighted.as_bytes());
    // A row of five thousand features among short ones.
    let row: String = (1..=5_000).map(|i| format!(" {i}:1")).collect();
    let long = sparse(folder.path(), "l.svm", format!("{}+1{row}\n", clicks(33_000, 0)).as_bytes());
    let plain = || Settings { threads: 1, lr: Some(0.05), epochs: 1, ..Settings::default() };
    let clipped = Transforms { clip_norm: Some(1.0), ..Transforms::default() };
    for (data, settings, by_groups) in [
        (&data, plain(), true),
        (&data, Settings { loss: Loss::Squared, holdout: 0.2, ..plain() }, true),
        (&weighted, plain(), false),
        (&data, Settings { class_weight: Some(ClassWeight::Balanced), ..plain() }, false),
        (&data, Settings { loss: Loss::Hinge, ..plain() }, false),
        (&data, Settings { order: Order::Sequential, ..plain() }, false),
        (&data, Settings { exchange_every: Some(32), ..plain() }, false),
        (&long, plain(), false),
        (&few, plain(), false),
        (&data, Settings { l2: 1e-4, ..plain() }, false),
        (&data, Settings { transforms: clipped, ..plain() }, false),
        (&data, Settings { rule: Rule::Sgd(Sgd), ..plain() }, false),
        (&data, Settings { normalize: Normalize::MaxAbs, ..plain() }, false),
        (&data, Settings { bias: false, ..plain() }, false),
        (&data, Settings { batch: Batch::Size(64), ..plain() }, false),
        (&data, Settings { parallel: Parallel::Mean, threads: 2, ..plain() }, false),
        (&data, Settings { threads: 2, hot_rows: Some(0), ..plain() }, false),
    ] {
        let outcome = linear(data, None, settings);
        assert_eq!(outcome.settings.dense_rows > 0, by_groups, "{:?}", outcome.settings.asked);
        assert!(linear_model(&outcome).weights.iter().any(|&w| w != 0.0));
    }
}

#[test]
fn dense_rows_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "c.svm", b"+1 1:1\n-1 2:1\n");
    let dense = || Settings { dense_rows: Some(32), ..Settings::default() };
    for (settings, part) in [
        (Settings { dense_rows: Some(20), ..Settings::default() }, "a multiple of 16 up to 128"),
        (Settings { dense_rows: Some(256), ..Settings::default() }, "a multiple of 16 up to 128"),
        (Settings { rule: Rule::Sgd(Sgd), ..dense() }, "by `rule` adagrad alone"),
        (Settings { l2: 0.1, ..dense() }, "without `l2`"),
        (Settings { loss: Loss::Hinge, ..dense() }, "by `loss` logistic, squared or huber"),
        (Settings { class_weight: Some(ClassWeight::Balanced), ..dense() }, "that count alike"),
        (Settings { batch: Batch::Full, ..dense() }, "without `l2`"),
        (Settings { parallel: Parallel::Elastic, ..dense() }, "another `parallel`"),
    ] {
        let error = train_linear(&data, None, &settings, &mut (), &Default::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
