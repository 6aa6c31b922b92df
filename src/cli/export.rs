//! `hogwild export` and `hogwild import`: models in other programs' formats.
use super::{
    named::named,
    outputs,
    say::{say, show},
    summary,
    threads::ThreadOptions,
};
use anyhow::bail;
use clap::Args;
use hogwild::{Loss, ModelFormat, OutputFile, TrainedModel};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct ExportArgs {
    /// A model that `hogwild train --out` wrote
    model: PathBuf,
    /// The format [default: npz where --out ends so, else tsv]
    #[arg(long, value_parser = named::<ModelFormat>())]
    format: Option<ModelFormat>,
    /// Which model of an ensemble of snapshots, from 1
    #[arg(long, value_name = "N")]
    member: Option<usize>,
    /// Where it goes; - is standard output [default: standard output]
    #[arg(short, long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

#[derive(Args)]
pub struct ImportArgs {
    /// A file that `hogwild export`, LIBLINEAR, or Vowpal Wabbit (by --invert_hash) wrote
    file: PathBuf,
    /// The format [default: npz where the file's name ends so, else told by its first line]
    #[arg(long, value_parser = named::<ModelFormat>())]
    format: Option<ModelFormat>,
    /// The loss that it was trained with, where the file does not say
    #[arg(long, value_parser = loss)]
    loss: Option<Loss>,
    /// Where the model goes
    #[arg(short, long)]
    out: PathBuf,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

fn loss(text: &str) -> Result<Loss, String> {
    Loss::parse(text).map_err(|error| error.to_string())
}

fn is_npz(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "npz")
}

pub fn export(args: ExportArgs) -> anyhow::Result<()> {
    let out = args.out.filter(|path| path.as_os_str() != "-");
    outputs::check([&args.model], &[("--out", out.as_ref())])?;
    let by_name = || if out.as_deref().is_some_and(is_npz) { ModelFormat::Npz } else { ModelFormat::Tsv };
    let format = args.format.unwrap_or_else(by_name);
    let model = TrainedModel::open(&args.model)?;
    let member = match (args.member, model.members.len()) {
        (None, 1) => 0,
        (None, members) => bail!("{}: is an ensemble of {members} models; say which by --member 1 to {members}", args.model.display()),
        (Some(member), members) if (1..=members).contains(&member) => member - 1,
        (Some(member), members) => bail!("--member {member}: must be from 1 to {members}"),
    };
    match out {
        Some(path) => {
            let mut file = OutputFile::create(&path)?;
            model.export(format, member, &args.model, &mut file)?;
            file.finish()?;
        }
        None if format == ModelFormat::Npz => bail!("npz: is not for standard output; name a file by --out"),
        None => {
            let mut text = Vec::new();
            model.export(format, member, &args.model, &mut text)?;
            show(&String::from_utf8_lossy(&text))?;
        }
    }
    Ok(())
}

pub fn import(args: ImportArgs) -> anyhow::Result<()> {
    outputs::check([&args.file], &[("--out", Some(&args.out))])?;
    if args.file.as_os_str() == "-" {
        bail!("-: models are not read from standard input; name a file");
    }
    let format = match args.format {
        Some(format) => format,
        None if is_npz(&args.file) => ModelFormat::Npz,
        None => by_first_line(&args.file)?,
    };
    let model = TrainedModel::import(&args.file, format, args.loss)?;
    model.save(&args.out)?;
    let rows: Vec<String> = model.axes.iter().map(|axis| format!("{} {}s", summary::count(axis.ids.len() as u64), axis.name)).collect();
    let loss = if model.family()?.cuts() { String::new() } else { format!(", loss {}", model.loss) };
    say!("{}: {} model of {}{loss}", args.out.display(), model.family, rows.join(" and "));
    Ok(())
}

/// The format of text.
fn by_first_line(path: &Path) -> anyhow::Result<ModelFormat> {
    use std::io::Read;
    let mut head = Vec::new();
    let failed = |source| hogwild::Error::Io { path: path.to_owned(), action: "read", source };
    std::fs::File::open(path).and_then(|file| file.take(64).read_to_end(&mut head)).map_err(failed)?;
    let found = [("# hogwild ", ModelFormat::Tsv), ("solver_type ", ModelFormat::Liblinear), ("Version ", ModelFormat::VwReadable)];
    match found.into_iter().find(|(beginning, _)| head.starts_with(beginning.as_bytes())) {
        Some((_, format)) => Ok(format),
        None => bail!("{}: does not begin as a model of any format that is read; say which by --format", path.display()),
    }
}
