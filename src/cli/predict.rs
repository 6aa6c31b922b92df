//! `hogwild predict`: one prediction a line.
use super::{
    data::{CacheOptions, score_members},
    outputs,
    say::{Results, say},
};
use anyhow::Context;
use clap::Args;
use hogwild::{OutputFile, Scored, TrainedModel};
use std::{
    io::{BufWriter, Write},
    path::PathBuf,
};

#[derive(Args)]
pub struct PredictArgs {
    /// A model that `hogwild train --out` wrote
    model: PathBuf,
    /// Data, text or packed; labels are not looked at
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Where predictions go [default: standard output]
    #[arg(short, long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    options: CacheOptions,
}

pub fn run(args: PredictArgs) -> anyhow::Result<()> {
    outputs::check(args.data.iter().chain([&args.model]), &[("--out", args.out.as_ref())])?;
    let model = TrainedModel::open(&args.model)?;
    args.options.check_columns(args.data.iter())?;
    let opened = args.options.open(&args.data, false)?;
    args.options.warn_unknown(&opened, &args.data, &model)?;
    let scored = Scored::mean(model.loss, score_members(&model, &opened, &args.data)?);
    let write = |out: &mut dyn Write| -> std::io::Result<()> {
        let mut out = BufWriter::new(out);
        for &(score, _) in &scored.scores {
            writeln!(out, "{}", model.loss.predict(score))?;
        }
        out.flush()
    };
    match args.out {
        None => write(&mut Results).context("cannot write to standard output")?,
        Some(path) => {
            let mut file = OutputFile::create(&path)?;
            write(&mut file).with_context(|| format!("{}: cannot write", path.display()))?;
            file.finish()?;
        }
    }
    if scored.unknown > 0 {
        say!("{} features, users or items were unknown to the model", scored.unknown);
    }
    Ok(())
}
