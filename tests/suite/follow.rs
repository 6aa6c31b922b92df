//! Who follows a run may end it: in the midst of an epoch at once, behind one with the model as it is then.
use crate::support::data::sparse;
use hogwild::{
    Ended, EpochProgress, EpochReport, InstructionSet, Outcome, Settings, TrainedModel, Watch, data::Rows, synth::Synth, train_linear,
};
use std::{ops::ControlFlow, path::Path, time::Instant};

/// Ends the run behind an epoch, or in the midst of one (0: while rates are tried), and notes when it was asked.
#[derive(Default)]
struct End {
    behind: Option<usize>,
    within: Option<usize>,
    epochs: Vec<usize>,
    asked: Vec<(usize, Instant)>,
}

fn flow(ends: bool) -> ControlFlow<()> {
    if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

impl Watch for End {
    fn progress(&mut self, now: EpochProgress) -> ControlFlow<()> {
        self.asked.push((now.epoch, Instant::now()));
        flow(self.within == Some(now.epoch))
    }

    fn epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        self.epochs.push(report.epoch);
        flow(self.behind == Some(report.epoch))
    }
}

fn rows(folder: &Path, rows: u64, nonzeros: u64) -> Rows {
    let mut text = Vec::new();
    Synth { rows, nonzeros, ..Synth::default() }.write(&mut text, &()).unwrap();
    sparse(folder, "rows.svm", &text)
}

fn train(data: &Rows, settings: &Settings, end: &mut End) -> Outcome {
    train_linear(data, None, settings, end, &Default::default()).unwrap()
}

fn weights(model: Option<TrainedModel>) -> Vec<f32> {
    model.unwrap().linear().unwrap().weights.to_vec()
}

#[test]
fn behind_an_epoch_it_ends_with_the_model_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path(), 300, 20);
    let settings = Settings { lr: Some(0.3), threads: 1, epochs: 5, ..Settings::default() };
    let mut end = End { behind: Some(2), ..End::default() };
    let stopped = train(&data, &settings, &mut end);
    // Epochs of a millisecond are told too.
    assert_eq!((end.epochs, stopped.epochs.len()), (vec![1, 2], 2));
    assert!(matches!(stopped.ended, Ended::Stopped), "{:?}", stopped.ended);
    let short = train(&data, &Settings { epochs: 2, ..settings.clone() }, &mut End::default());
    assert_eq!(weights(stopped.model), weights(short.model));
    // Behind the last one there is nothing left to end.
    let whole = train(&data, &settings, &mut End { behind: Some(5), ..End::default() });
    assert!(matches!(whole.ended, Ended::Finished) && whole.epochs.len() == 5, "{:?}", whole.ended);
}

#[test]
fn early_stopping_keeps_the_best_epoch_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path(), 400, 20);
    // At such a rate the first epochs are the best.
    let settings = Settings { lr: Some(3.0), threads: 1, epochs: 60, holdout: 0.25, patience: Some(50), ..Settings::default() };
    let outcome = train(&data, &settings, &mut End { behind: Some(20), ..End::default() });
    let best = outcome.epochs.iter().min_by(|a, b| a.valid.unwrap().loss.total_cmp(&b.valid.unwrap().loss)).unwrap();
    assert!(matches!(outcome.ended, Ended::Stopped) && outcome.epochs.len() == 20, "{:?}", outcome.ended);
    assert_eq!(outcome.best, Some(best.epoch));
}

#[test]
fn within_an_epoch_it_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = rows(folder.path(), 40_000, 60);
    // Epochs of some tenths of a second at least.
    let slow = Settings { isa: Some(InstructionSet::Portable), threads: 1, lr: Some(0.3), epochs: 3, ..Settings::default() };
    let mut end = End { within: Some(2), ..End::default() };
    let outcome = train(&data, &slow, &mut end);
    assert!(matches!(outcome.ended, Ended::Interrupted) && outcome.model.is_some(), "{:?}", outcome.ended);
    let [first, second] = [0, 1].map(|i| outcome.epochs[i].examples);
    assert!(first == 40_000 && second < 40_000, "{first} {second}");
    // Asked all along: every 50 ms, and oftener than each half a second on a machine that is busy with other things.
    let in_first = end.asked.iter().filter(|(epoch, _)| *epoch == 1).count();
    assert!(in_first as f64 >= (outcome.epochs[0].seconds / 0.5).floor(), "{in_first} in {} s", outcome.epochs[0].seconds);
    // While rates are tried, too.
    let mut end = End { within: Some(0), ..End::default() };
    let outcome = train(&data, &Settings { lr: None, ..slow }, &mut end);
    assert!(matches!(outcome.ended, Ended::Interrupted) && outcome.epochs.len() == 1, "{:?}", outcome.ended);
}
