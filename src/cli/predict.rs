//! `hogwild predict`: one prediction a line.
use super::{
    data::{CacheOptions, score_members},
    notes, outputs,
    say::{Results, say},
    summary,
    threads::ThreadOptions,
    warn,
};
use anyhow::Context;
use clap::Args;
use hogwild::{OutputFile, Scored, TrainedModel};
use std::{
    io::{BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Args)]
pub struct PredictArgs {
    /// A model that `hogwild train --out` wrote
    model: PathBuf,
    /// Data, text or packed; labels and ratings are not looked at, and may be missing
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Where predictions go, one a line for each example; - is standard output [default: standard output]
    #[arg(short, long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    options: CacheOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: PredictArgs) -> anyhow::Result<ExitCode> {
    let out = args.out.filter(|path| path.as_os_str() != "-");
    outputs::check(args.data.iter().chain([&args.model]), &[("--out", out.as_ref())])?;
    outputs::check_writable(&out)?;
    let model = TrainedModel::open(&args.model)?;
    args.options.check_columns(args.data.iter())?;
    let opened = args.options.open_unlabelled_for(&model, &args.data)?;
    let strange = warn::of_unknown(&opened, &args.data, &model)?;
    let scored = Scored::mean(model.loss, score_members(&model, &opened, &args.data)?);
    let bad = (0..scored.scores.len()).filter(|&row| opened.data.is_bad(row)).count();
    let write = |out: &mut dyn Write| -> std::io::Result<()> {
        let mut out = BufWriter::new(out);
        for (row, &(score, _)) in scored.scores.iter().enumerate() {
            // A row that could not be read has no prediction, but its line. Nor has a score that is no number: of an infinite one, the
            // logistic loss would still make a probability.
            if !score.is_finite() || (bad > 0 && opened.data.is_bad(row)) {
                writeln!(out, "nan")?;
            } else {
                writeln!(out, "{}", model.loss.predict(score))?;
            }
        }
        out.flush()
    };
    match out {
        None => write(&mut Results).context("cannot write to standard output")?,
        Some(path) => {
            let mut file = OutputFile::create(&path)?;
            write(&mut file).with_context(|| format!("{}: cannot write", path.display()))?;
            file.finish()?;
        }
    }
    if bad > 0 {
        say!("{bad} of {} rows could not be read; their predictions are nan", scored.scores.len());
    }
    if let Some(note) = notes::of_scored(&scored, &opened.data, &summary::names(&args.data)) {
        say!("{note}");
    } else if let Some(note) = notes::of_unknown_columns(&opened.data, &model)? {
        say!("{note}");
    } else if scored.unknown > 0 && !strange {
        say!("{} features, users or items were unknown to the model", scored.unknown);
    }
    Ok(match notes::of_scores(&scored, &opened.data) {
        Some(wrong) => {
            say!("hogwild: {wrong}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    })
}
