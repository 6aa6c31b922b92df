//! Data larger than the memory they may take: every example once an epoch, near the loss of a full shuffle, little of the file in memory.
use crate::support::{
    alone,
    data::{ratings, sparse, synthetic},
    training::{held_out, linear},
};
use hogwild::{
    Batch, Ended, Loss, Order, Outcome, Settings, TrainedModel, Watch, Window, WindowReport,
    data::Rows,
    synth::{Kind, Synth},
    train_factorization, train_linear,
};
use std::{path::Path, sync::atomic::AtomicBool};

const ROWS: u64 = 160_000;
const SMALL: Window = Window::Bytes(Window::LEAST);

/// About 34 megabytes.
fn rows(folder: &Path) -> Rows {
    sparse(folder, "rows", &synthetic(&Synth { rows: ROWS, ..Synth::default() }))
}

fn settings(window: Window, threads: usize) -> Settings {
    Settings { window, threads, lr: Some(0.5), epochs: 3, ..Settings::default() }
}

fn train(data: &Rows, settings: &Settings) -> Outcome {
    let outcome = linear(data, None, settings);
    assert!(matches!(outcome.ended, Ended::Finished), "{:?}", outcome.ended);
    assert!(outcome.epochs.iter().all(|epoch| settings.holdout > 0.0 || epoch.examples == ROWS));
    outcome
}

/// All numbers of a model, as bytes.
fn bytes(folder: &Path, model: &TrainedModel) -> Vec<u8> {
    let path = folder.join("model.safetensors");
    let whole = TrainedModel { settings: serde_json::Value::Null, ..model.clone() };
    whole.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn in_the_order_of_the_file_nothing_differs() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path());
    // The held-out rows are evaluated slab by slab, or all at once.
    let all = Settings { order: Order::Sequential, holdout: 0.2, ..settings(Window::Off, 1) };
    for all in [all.clone(), Settings { batch: Batch::Size(64), ..all.clone() }, Settings { batch: Batch::Full, ..all }] {
        let in_windows = Settings { window: SMALL, ..all.clone() };
        let [all, in_windows] = [all, in_windows].map(|settings| train(&data, &settings));
        for (a, b) in all.epochs.iter().zip(&in_windows.epochs) {
            assert_eq!((a.examples, a.nonzeros, a.loss), (b.examples, b.nonzeros, b.loss));
            assert_eq!(a.valid.unwrap().loss, b.valid.unwrap().loss);
        }
        assert!(bytes(folder.path(), &all.model.unwrap()) == bytes(folder.path(), &in_windows.model.unwrap()));
    }
}

#[test]
fn shuffled_the_loss_is_that_of_a_full_shuffle() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path());
    let valid = 0.1;
    let run = |window, threads| train(&data, &Settings { holdout: valid, ..settings(window, threads) });
    let full = run(Window::Off, 1);
    for threads in [1, 2, 5] {
        let in_windows = run(SMALL, threads);
        for (a, b) in full.epochs.iter().zip(&in_windows.epochs) {
            assert_eq!((a.examples, a.nonzeros), (b.examples, b.nonzeros), "{threads} threads");
        }
        let ratio = held_out(&in_windows) / held_out(&full);
        assert!(ratio < 1.02, "{threads} threads: {ratio}");
    }
    // One thread repeats to the bit, and another window is another order.
    let model = |window| bytes(folder.path(), &run(window, 1).model.unwrap());
    assert!(model(SMALL) == model(SMALL));
    assert!(model(SMALL) != model(Window::Bytes(8 << 20)) && model(SMALL) != model(Window::Off));
}

#[test]
fn every_example_comes_once() {
    const ROWS: u64 = 60_000;
    let folder = tempfile::tempdir().unwrap();
    // Row i has the label i and twelve to eighteen features.
    let features = |i: u64| (0..12 + i % 7).map(|k| format!(" {}:.5", 100 * k + i % 100 + 1)).collect::<String>();
    let data = sparse(folder.path(), "rows", &(0..ROWS).map(|i| format!("{i}{}\n", features(i))).collect::<String>());
    // Nothing is learnt: the loss is that of 0. One row for another far from it would be seen.
    let mean_square = (0..ROWS).map(|i| (i as f64).powi(2) / 2.0).sum::<f64>() / ROWS as f64;
    for order in [Order::Shuffle, Order::Sequential] {
        // The last is more than a group has.
        for exchange_every in [3, 256, 1 << 20] {
            for threads in 1..=3 {
                let exchange_every = Some(exchange_every);
                let settings = Settings {
                    loss: Loss::Squared,
                    lr: Some(1e-30),
                    epochs: 2,
                    standardize: false,
                    order,
                    exchange_every,
                    ..settings(SMALL, threads)
                };
                let mut told = Resident::default();
                let outcome = train_linear(&data, None, &settings, &mut told, &Default::default()).unwrap();
                assert!(told.told.unwrap().groups > 5, "{:?}", told.told);
                for epoch in outcome.epochs {
                    assert_eq!((epoch.examples, epoch.nonzeros), (ROWS, data.nonzeros()), "{settings:?}");
                    assert!((epoch.loss / mean_square - 1.0).abs() <= 1e-6, "{settings:?}: {} for {mean_square}", epoch.loss);
                }
            }
        }
    }
}

#[test]
fn rows_sorted_by_label_are_shuffled_too() {
    let folder = tempfile::tempdir().unwrap();
    let text = synthetic(&Synth { rows: 60_000, ..Synth::default() });
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_by_key(|line| line.starts_with('+')); // keeps the order of equals
    let data = sparse(folder.path(), "rows", &lines.join("\n"));
    for lr in [Some(0.5), None] {
        let losses = [Window::Off, SMALL].map(|window| {
            let settings = Settings { holdout: 0.1, lr, ..settings(window, 1) };
            let outcome = linear(&data, None, settings);
            (held_out(&outcome), outcome.settings.lr)
        });
        let [full, in_windows] = losses;
        assert!(in_windows.0 < 1.02 * full.0, "{losses:?}");
    }
}

#[test]
fn a_rate_is_chosen_and_curricula_and_batches_run_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path());
    let base = settings(SMALL, 2);
    let small = [
        Settings { lr: None, ..base.clone() },
        Settings { order: Order::Curriculum, ..base.clone() },
        Settings { batch: Batch::Size(100), lr: Some(3.0), ..base },
    ];
    for settings in small {
        let outcome = linear(&data, None, &settings);
        let epochs: Vec<_> = outcome.epochs.iter().map(|epoch| (epoch.examples, epoch.loss)).collect();
        assert!(epochs.len() == 3 && epochs[2].0 == ROWS && epochs[2].1 < 0.55, "{settings:?}: {epochs:?}");
        assert_eq!(outcome.settings.window, SMALL);
    }
}

/// What of the file is in this process' memory at the ends of epochs.
#[derive(Default)]
struct Resident {
    told: Option<WindowReport>,
    kilobytes: Vec<u64>,
}

impl Watch for Resident {
    fn window(&mut self, report: &WindowReport) {
        self.told = Some(*report);
    }

    fn epoch(&mut self, _report: &hogwild::EpochReport) -> std::ops::ControlFlow<()> {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
        let of_file = maps.lines().skip_while(|line| !line.ends_with("watched/rows.safetensors"));
        let resident = of_file.filter_map(|line| line.strip_prefix("Rss:")).next().unwrap_or("0");
        self.kilobytes.push(resident.trim_end_matches("kB").trim().parse().unwrap());
        std::ops::ControlFlow::Continue(())
    }
}

#[test]
fn what_is_behind_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("watched");
    std::fs::create_dir(&folder).unwrap();
    let data = rows(&folder);
    let size = std::fs::metadata(folder.join("rows.safetensors")).unwrap().len();
    let run = |window| {
        let mut resident = Resident::default();
        train_linear(&data, None, &settings(window, 2), &mut resident, &Default::default()).unwrap();
        resident
    };
    // In this order: what is in memory stays there.
    let (in_windows, all) = (run(SMALL), run(Window::Off));
    assert_eq!((in_windows.told.map(|told| (told.bytes, told.of)), all.told), (Some((Window::LEAST, size)), None));
    assert!(in_windows.told.unwrap().groups as u64 >= 3 * size / Window::LEAST, "{:?}", in_windows.told);
    if cfg!(target_os = "linux") {
        assert!(all.kilobytes.iter().all(|&kilobytes| kilobytes > size / 1024 * 9 / 10), "{:?} of {size}", all.kilobytes);
        // But for pages that are mapped because their neighbours are.
        assert!(in_windows.kilobytes.iter().all(|&kilobytes| kilobytes < size / 1024 / 4), "{:?} of {size}", in_windows.kilobytes);
    }
}

#[test]
fn it_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path());
    for threads in [1, 3] {
        let outcome = train_linear(&data, None, &settings(SMALL, threads), &mut (), &AtomicBool::new(true)).unwrap();
        assert!(matches!(outcome.ended, Ended::Interrupted));
    }
    // What leaves the finite numbers ends too, wherever the others stand.
    let rule = hogwild::Rule::named("sgd").unwrap();
    let settings = Settings { lr: Some(1e30), rule, loss: Loss::Squared, ..settings(SMALL, 2) };
    let outcome = linear(&data, None, settings);
    assert!(matches!(outcome.ended, Ended::Diverged(_)), "{:?}", outcome.ended);
}

#[test]
fn windows_too_small_or_of_ratings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let too_small = Settings { window: Window::Bytes(1000), ..Settings::default() }.check().unwrap_err().to_string();
    assert!(too_small.contains("`window` 1000: must be at least 4M"), "{too_small}");
    let data = ratings(folder.path(), "ratings", &synthetic(&Synth { kind: Kind::Ratings, ..Synth::default() }));
    let run = |window| {
        let settings = Settings { window, epochs: 1, ..Settings::for_ratings() };
        train_factorization(&data, None, &settings, &mut (), &Default::default())
    };
    assert!(run(SMALL).unwrap_err().to_string().contains("`window` 4M: is of sparse rows"));
    assert_eq!(run(Window::Auto).unwrap().settings.window, Window::Off);
}
