//! `hogwild synth`: synthetic data with a known structure.
use clap::{Args, ValueEnum};
use hogwild::{
    OutputFile,
    synth::{Kind, Synth},
};
use std::{
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

#[derive(Clone, Copy, ValueEnum)]
enum KindName {
    /// svmlight rows like tf-idf of texts
    Text,
    /// `user item rating`, half steps from 0.5 to 5
    Ratings,
}

#[derive(Args)]
pub struct SynthArgs {
    /// What to write
    #[arg(value_enum)]
    kind: KindName,
    /// Rows, or ratings
    #[arg(long, default_value_t = 1000)]
    rows: u64,
    /// The number of the first row: rows after those of the training data are held-out data of the same truth
    #[arg(long, default_value_t = 0)]
    start_row: u64,
    /// text: how many features there are
    #[arg(long, default_value_t = 2000)]
    features: u64,
    /// text: features a row, on average
    #[arg(long, default_value_t = 30)]
    nonzeros: u64,
    /// ratings: how many users
    #[arg(long, default_value_t = 300)]
    users: u64,
    /// ratings: how many items
    #[arg(long, default_value_t = 200)]
    items: u64,
    /// Zipf's exponent of features, users and items; 0 is uniform
    #[arg(long, default_value_t = 1.0)]
    exponent: f64,
    /// Another seed is another truth
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The file to write, or - for standard output
    #[arg(short, long, default_value = "-")]
    out: PathBuf,
}

pub fn run(args: SynthArgs) -> anyhow::Result<()> {
    let kind = match args.kind {
        KindName::Text => Kind::Text,
        KindName::Ratings => Kind::Ratings,
    };
    if args.rows == 0 {
        anyhow::bail!("--rows 0: there is nothing to write; give at least 1");
    }
    let SynthArgs { rows, start_row, features, nonzeros, users, items, exponent, seed, .. } = args;
    let synth = Synth { kind, rows, start_row, features, nonzeros, users, items, exponent, seed };
    synth.check()?;
    let summary = if args.out == Path::new("-") {
        let mut out = BufWriter::new(std::io::stdout().lock());
        let summary = synth.write(&mut out)?;
        out.flush()?;
        summary
    } else {
        let mut out = OutputFile::create(&args.out)?;
        let summary = synth.write(&mut out)?;
        out.finish()?;
        summary
    };
    let measure = if kind == Kind::Text { "log-loss" } else { "RMSE" };
    eprintln!("{} nonzeros; {measure} of the hidden truth {:.4}, of the mean {:.4}", summary.nonzeros, summary.best, summary.base);
    Ok(())
}
