//! What `recommend` and `similar` print: a line a pair, or an object a line for each that was asked about; made on all threads, block by
//! block, in the order asked.
use super::{
    ids::{Chosen, put_name},
    say::Results,
};
use anyhow::Context;
use clap::Args;
use hogwild::{OutputFile, Ranked, data::Ids};
use hogwild_base::threads;
use serde_json::json;
use std::{
    fmt::Write as _,
    io::{BufWriter, Write},
    path::PathBuf,
};

/// Rows of one block, whose lists are in memory together (fewer where these are long), and of a piece of its text.
const BLOCK: usize = 4096;
const PIECE: usize = 64;

#[derive(Args)]
pub struct RankingOptions {
    /// How many for each, at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub top: u32,
    /// Write an object a line for each that is asked about, in place of a line a pair
    #[arg(long)]
    pub jsonl: bool,
    /// Where lines go; - is standard output [default: standard output]
    #[arg(short, long, visible_alias = "output")]
    pub out: Option<PathBuf>,
}

/// What is asked and what is found.
pub struct Named<'a> {
    /// Who, or what, was asked about.
    pub asked: &'a Chosen,
    /// The names by which `all` of them go.
    pub all: &'a Ids,
    /// What is found.
    pub found: &'a Ids,
    /// What both are called in JSON.
    pub words: [&'a str; 2],
}

/// Goes through `count` rows in blocks: `rank` gives what is best for those from a row on. Gives how many scores are no numbers.
pub fn write(
    options: &RankingOptions,
    named: &Named<'_>,
    count: usize,
    mut rank: impl FnMut(std::ops::Range<usize>) -> Ranked,
) -> anyhow::Result<u64> {
    let mut wrong = 0;
    write_lines(options.out.as_ref(), |put| {
        let rows = ((1 << 22) / (options.top as usize).min(named.found.len()).max(1)).clamp(PIECE, BLOCK);
        for first in (0..count).step_by(rows) {
            let block = first..count.min(first + rows);
            let ranked = rank(block.clone());
            let piece = |piece: usize| {
                let rows = block.start + piece * PIECE..block.end.min(block.start + (piece + 1) * PIECE);
                let (mut text, mut wrong) = (String::new(), 0);
                rows.for_each(|row| wrong += put_row(options.jsonl, named, row, &ranked, row - block.start, &mut text));
                (text, wrong)
            };
            for (text, more) in threads::map(block.len().div_ceil(PIECE), piece) {
                put(&text)?;
                wrong += more;
            }
        }
        Ok(())
    })?;
    Ok(wrong)
}

/// Takes pieces of text.
type Put<'a> = dyn FnMut(&str) -> anyhow::Result<()> + 'a;

/// Writes what `lines` gives to standard output, or into a file that appears whole or not at all.
pub fn write_lines(out: Option<&PathBuf>, lines: impl FnOnce(&mut Put<'_>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    match out.filter(|path| path.as_os_str() != "-") {
        None => {
            const FAILED: &str = "cannot write to standard output";
            let mut out = BufWriter::new(Results);
            lines(&mut |text| out.write_all(text.as_bytes()).context(FAILED))?;
            out.flush().context(FAILED)
        }
        Some(path) => {
            let failed = || format!("{}: cannot write", path.display());
            let mut out = BufWriter::new(OutputFile::create(path)?);
            lines(&mut |text| out.write_all(text.as_bytes()).with_context(failed))?;
            let file = out.into_inner().map_err(|error| error.into_error()).with_context(failed)?;
            Ok(file.finish()?)
        }
    }
}

/// The lines of one row. Gives how many scores are no numbers.
fn put_row(jsonl: bool, named: &Named<'_>, row: usize, ranked: &Ranked, query: usize, text: &mut String) -> u64 {
    let Named { asked, all, found, words: [who, what] } = named;
    let wrong = ranked.of(query).filter(|(_, score)| !score.is_finite()).count() as u64;
    if jsonl {
        let name = match asked {
            Chosen::All => all.name(row),
            Chosen::These(ids) => ids[row].clone(),
        };
        let found: Vec<_> = ranked.of(query).map(|(other, score)| json!({ *what: found.name(other as usize), "score": score })).collect();
        let _ = writeln!(text, "{}", json!({ *who: name, "best": found })); // a string takes all
        return wrong;
    }
    let mut name = String::new();
    asked.put_name(row, all, &mut name);
    for (other, score) in ranked.of(query) {
        text.push_str(&name);
        text.push('\t');
        put_name(found, other as usize, text);
        let _ = writeln!(text, "\t{score}");
    }
    wrong
}
