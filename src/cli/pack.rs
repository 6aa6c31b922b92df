//! `hogwild pack`: text into one memory-mapped file.
use super::{
    data::{DataOptions, interruptible, warn_skipped},
    named::named,
    outputs,
    say::{say, show},
    summary,
    threads::ThreadOptions,
};
use clap::Args;
use hogwild::{
    data::{Labelling, PackSettings, ReadOptions, is_safetensors},
    memory,
};
use std::path::PathBuf;

#[derive(Args)]
pub struct PackArgs {
    /// Text files, plain or compressed, or - for standard input; several are put one after the other
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// The file to write
    #[arg(short, long, value_name = "OUT.safetensors")]
    out: PathBuf,
    #[command(flatten)]
    data: DataOptions,
    /// Labels and ratings may be missing or anything, for predict alone; bad rows that are skipped keep their places
    #[arg(long)]
    unlabelled: bool,
    /// What labels are read as, where a model of several classes is to take them
    #[arg(long, value_parser = named::<Labelling>(), default_value = "number")]
    labels: Labelling,
    /// Tell indices of libffm rows that stand in several fields apart, as `field:index`, where a model is to go by fields
    #[arg(long)]
    fields: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: PackArgs) -> anyhow::Result<()> {
    if !is_safetensors(&args.out) {
        anyhow::bail!("{}: packed files are told by their name; end it in .safetensors", args.out.display());
    }
    if let Some(packed) = args.inputs.iter().find(|path| is_safetensors(path)) {
        anyhow::bail!("{}: is packed already; give it to train, eval, predict or inspect", packed.display());
    }
    outputs::check(&args.inputs, &[("--out", Some(&args.out))])?;
    outputs::check_writable([&args.out])?;
    let settings = PackSettings { unlabelled: args.unlabelled, labelling: args.labels, fields: args.fields, ..args.data.settings() };
    let report = interruptible(false, |progress| ReadOptions::new().settings(settings).progress(progress).pack(&args.inputs, &args.out))?;
    warn_skipped(&report, args.unlabelled);
    report.notes.iter().for_each(|note| say!("{note}"));
    report.recipe.iter().flat_map(|recipe| recipe.told()).for_each(|line| say!("  {line}"));
    say!("{}: {}", summary::names(&args.inputs), summary::of_report(&report));
    let speed = report.bytes as f64 / 1e6 / report.seconds.max(1e-9);
    if args.json {
        let json = serde_json::json!({
            "rows": report.rows, "columns": report.columns, "nonzeros": report.nonzeros, "users": report.users, "items": report.items,
            "skipped": report.skipped, "bytes": report.bytes, "seconds": report.seconds, "megabytes_per_second": speed,
            "peak_memory": memory::used().map(|used| used.peak),
        });
        show(&format!("{json}\n"))?;
    } else {
        let peak = memory::used().map(|used| format!(", {:.0} MB of memory at its peak", used.peak as f64 / 1e6)).unwrap_or_default();
        let (out, read) = (args.out.display(), report.bytes as f64 / 1e6);
        show(&format!("{out}: {read:.1} MB read in {:.2} s, {speed:.0} MB/s{peak}\n", report.seconds))?;
    }
    Ok(())
}
