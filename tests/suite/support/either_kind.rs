//! The data sets of `data/`, packed, and a run on one of them, whichever its kind: rows or ratings.
use super::data::open_file;
use hogwild::{EpochReport, Outcome, Result, Settings, Watch, data::Data, train_factorization, train_linear};
use std::{
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// Training and held-out data: the reviews, and the ratings.
pub fn both(folder: &Path) -> [(Data, Data); 2] {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    ["reviews.X.svm", "ratings.X.tsv"].map(|name| {
        let [train, test] = ["train", "test"].map(|part| data.join(name.replace('X', part)));
        (open_file(folder, &train), open_file(folder, &test))
    })
}

/// The defaults of the data's kind on one thread, so that a run repeats to the bit.
pub fn defaults(data: &Data) -> Settings {
    let settings = if matches!(data, Data::Rows(_)) { Settings::default() } else { Settings::for_ratings() };
    Settings { threads: 1, rank: 8, ..settings }
}

/// Interrupts a run in the epoch after this one.
struct Interrupt<'a>(&'a AtomicBool, Option<usize>);

impl Watch for Interrupt<'_> {
    fn epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        self.0.fetch_or(self.1 == Some(report.epoch), Relaxed);
        ControlFlow::Continue(())
    }
}

/// Trains, with an interruption in the epoch after `until`, if that is given.
pub fn train(data: &Data, valid: Option<&Data>, settings: &Settings, until: Option<usize>) -> Result<Outcome> {
    let stop = AtomicBool::new(until == Some(0));
    let watch = &mut Interrupt(&stop, until);
    match (data, valid) {
        (Data::Rows(data), None) => train_linear(data, None, settings, watch, &stop),
        (Data::Rows(data), Some(Data::Rows(valid))) => train_linear(data, Some(valid), settings, watch, &stop),
        (Data::Ratings(data), None) => train_factorization(data, None, settings, watch, &stop),
        (Data::Ratings(data), Some(Data::Ratings(valid))) => train_factorization(data, Some(valid), settings, watch, &stop),
        _ => panic!("data of two kinds"),
    }
}
