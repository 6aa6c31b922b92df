//! `hogwild predict MODEL -`: lines are answered as they come, so that a service can hold the command open.
use super::{
    data::CacheOptions,
    flags,
    interrupt::{Interrupted, watched},
    notes,
    predict::put_predictions,
    say::{Results, say},
};
use anyhow::Context;
use hogwild::{
    BatchScorer, Scored, TrainedModel,
    data::{Arrived, Data, PackSettings, Stream},
};
use std::{io::Write, path::PathBuf, process::ExitCode, sync::atomic::Ordering::Relaxed};

/// What is told of all lines at the end.
#[derive(Default)]
struct Counts {
    rows: u64,
    bad: u64,
    unknown: u64,
    /// Features, or users and items.
    asked: u64,
    wrong: u64,
}

/// Answers standard input until it ends.
pub fn run(model: &TrainedModel, options: &CacheOptions, top: Option<u32>) -> anyhow::Result<ExitCode> {
    let inputs = [PathBuf::from("-")];
    let settings = PackSettings { unlabelled: true, ..options.settings_for(model, &inputs)? };
    let scorer = BatchScorer::new(model);
    let (answered, stopped) =
        watched(|stop| (answer(model, &scorer, &inputs, &settings, top, &|| !stop.load(Relaxed)), stop.load(Relaxed)));
    if stopped {
        return Err(Interrupted("").into());
    }
    let Counts { rows, bad, unknown, asked, wrong } = answered?;
    if bad > 0 {
        say!("{bad} of {rows} rows could not be read; their predictions are nan");
    }
    if asked > 0 && unknown == asked && model.ids("user").is_some() {
        say!("warning: -: the model knows none of these users and items: predictions are no better than the mean");
    } else if asked > 0 && unknown == asked {
        say!("warning: -: the model knows no feature of these rows: each score is its bias");
    } else if unknown > 0 {
        say!("{unknown} features, users or items were unknown to the model");
    }
    if wrong > 0 {
        say!("hogwild: {wrong} of {rows} scores are NaN or infinite; the data or the model have numbers too large");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(
    model: &TrainedModel,
    scorer: &BatchScorer<'_>,
    inputs: &[PathBuf],
    settings: &PackSettings,
    top: Option<u32>,
    goes_on: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<Counts> {
    let progress = |_: u64, _: Option<u64>| goes_on();
    let mut stream = Stream::new(inputs, settings, &progress)?;
    let mut counts = Counts::default();
    while let Some(Arrived { data, bad, bad_count, notes, problem }) = stream.arrived()? {
        notes.iter().for_each(|note| say!("{note}"));
        bad.iter().for_each(|row| say!("{}", flags::in_remedy(row)));
        if bad_count > bad.len() as u64 && !bad.is_empty() {
            say!("... and {} more that came with these", bad_count - bad.len() as u64);
        }
        if let Some(mut data) = data {
            if let Data::Rows(rows) = &data {
                data = Data::Rows(rows.without_labels());
            }
            let scored = scorer.score(&data)?;
            count(&mut counts, &scored, &data);
            put_predictions(&mut Results, model, &scored, &data, top).context("cannot write to standard output")?;
            Results.flush().context("cannot write to standard output")?;
        }
        if let Some(problem) = problem {
            return Err(problem.into());
        }
    }
    Ok(counts)
}

fn count(counts: &mut Counts, scored: &Scored, data: &Data) {
    counts.rows += scored.scores.len() as u64;
    let bad = (0..scored.scores.len()).filter(|&row| data.is_bad(row)).count() as u64;
    counts.bad += bad;
    counts.unknown += scored.unknown;
    counts.asked += match data {
        Data::Rows(rows) => rows.nonzeros(),
        Data::Ratings(ratings) => 2 * (ratings.len() as u64 - bad),
    };
    counts.wrong += notes::wrong_scores(scored, data).count() as u64;
}
