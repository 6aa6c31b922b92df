//! Packing: text is parsed and counted in parallel, kept or spilled; then ranked by frequency, sorted and written.

mod piece;
mod plan;
mod read;
mod sort;
mod write;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::Kind;
use crate::sources::Sources;
use crate::text::{Columns, Format, OnBadRow, Progress, Repeated, input::Inputs};
use hogwild_base::{Error, OutputFile, Result, output::Temporary, threads};

/// How to pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PackSettings {
    /// The text's format; found out from the first lines when `None`.
    pub format: Option<Format>,
    /// The kind of data that a model takes, where `format` does not say: what cannot be read as such is refused.
    pub expected: Option<Kind>,
    /// What to do with a row that cannot be understood.
    pub on_bad_row: OnBadRow,
    /// Which columns of a table of ratings are read; by the heading, or user, item, rating in that order when `None`.
    pub columns: Option<Columns>,
    /// What to do with an index that stands twice in a row; of svmlight rows.
    pub repeated: Repeated,
    /// Whether labels and ratings may be missing, or be anything: for predictions. Rows that cannot be understood are then not left out by
    /// [`OnBadRow::Skip`] but keep their places, without features.
    pub unlabelled: bool,
}

/// How the labels, or the ratings, are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetCounts {
    /// The smallest.
    pub min: f32,
    /// How many are the smallest.
    pub min_count: u64,
    /// The largest.
    pub max: f32,
    /// How many are the largest.
    pub max_count: u64,
    /// How many are given.
    pub count: u64,
    /// How many are 1.
    pub plus: u64,
    /// How many are neither -1, nor 0, nor 1.
    pub others: u64,
}

impl TargetCounts {
    pub(crate) const NONE: TargetCounts =
        TargetCounts { min: f32::INFINITY, min_count: 0, max: f32::NEG_INFINITY, max_count: 0, count: 0, plus: 0, others: 0 };

    /// Of some numbers; NaN stands for none. In lanes, as each is looked at while its chunk is packed: one by one takes 8% of that.
    pub(crate) fn of(targets: &[f32]) -> TargetCounts {
        const LANES: usize = 16;
        let (mut min, mut max) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let (mut count, mut plus, mut signs) = ([0u32; LANES], [0u32; LANES], [0u32; LANES]);
        let (whole, rest) = targets.as_chunks::<LANES>();
        for part in whole {
            for lane in 0..LANES {
                let x = part[lane];
                min[lane] = if x < min[lane] { x } else { min[lane] };
                max[lane] = if x > max[lane] { x } else { max[lane] };
                count[lane] += u32::from(!x.is_nan());
                plus[lane] += u32::from(x == 1.0);
                signs[lane] += u32::from((x == 0.0) | (x == -1.0));
            }
        }
        for &x in rest {
            (min[0], max[0]) = (min[0].min(x), max[0].max(x));
            count[0] += u32::from(!x.is_nan());
            plus[0] += u32::from(x == 1.0);
            signs[0] += u32::from((x == 0.0) | (x == -1.0));
        }
        let sum = |lanes: [u32; LANES]| lanes.into_iter().map(u64::from).sum::<u64>();
        let (count, plus) = (sum(count), sum(plus));
        let (min, max) = (min.into_iter().fold(f32::INFINITY, f32::min), max.into_iter().fold(f32::NEG_INFINITY, f32::max));
        let equal = |to: f32| targets.iter().map(|&x| u32::from(x == to)).sum::<u32>().into();
        TargetCounts { min, min_count: equal(min), max, max_count: equal(max), count, plus, others: count - plus - sum(signs) }
    }

    pub(crate) fn join(self, more: TargetCounts) -> TargetCounts {
        let (count, plus, others) = (self.count + more.count, self.plus + more.plus, self.others + more.others);
        let (min, max) = (self.min.min(more.min), self.max.max(more.max));
        let min_count = [self, more].iter().filter(|part| part.min == min).map(|part| part.min_count).sum();
        let max_count = [self, more].iter().filter(|part| part.max == max).map(|part| part.max_count).sum();
        TargetCounts { min, min_count, max, max_count, count, plus, others }
    }
}

/// What was packed.
#[derive(Clone, Debug, PartialEq)]
pub struct PackReport {
    /// What the file holds.
    pub kind: Kind,
    /// Examples, or ratings.
    pub rows: u64,
    /// Different features; 0 for ratings.
    pub columns: u64,
    /// Cells in all rows together; 0 for ratings.
    pub nonzeros: u64,
    /// Different users; 0 for sparse rows.
    pub users: u64,
    /// Different items; 0 for sparse rows.
    pub items: u64,
    /// Labels, or ratings.
    pub targets: TargetCounts,
    /// Bad rows left out.
    pub skipped: u64,
    /// The first of them, each with its place and what is wrong.
    pub first_skipped: Vec<String>,
    /// What else the user should hear: what was taken otherwise than as plain text with an example a line, and which columns of a table were
    /// read, where these are not the usual ones.
    pub notes: Vec<String>,
    /// Bytes of text read, after decompression.
    pub bytes: u64,
    /// Seconds taken.
    pub seconds: f64,
}

/// Packs text into one file. The target appears complete or not at all: a file that was there stays if anything fails.
/// The result depends on the text alone, not on the number of threads.
///
/// `progress` is told the bytes read, before decompression, and how many there are in all, where that is known.
pub fn pack(inputs: &[PathBuf], out: &Path, settings: &PackSettings, progress: &(dyn Fn(u64, Option<u64>) + Sync)) -> Result<PackReport> {
    pack_while(inputs, out, settings, &|read, total| {
        progress(read, total);
        true
    })
}

/// As [`pack`], but stops as soon as `progress` says `false`: with [`Error::Io`] of the kind `Interrupted`, and no file.
pub fn pack_while(
    inputs: &[PathBuf],
    out: &Path,
    settings: &PackSettings,
    progress: &(dyn Fn(u64, Option<u64>) -> bool + Sync),
) -> Result<PackReport> {
    pack_sources(inputs, out, settings, progress).map(|(report, _)| report)
}

/// How often text that changes while it is read is read before it is given up.
const TRIES: usize = 3;

/// The same; gives what the inputs were when they were read.
pub(crate) fn pack_sources(
    inputs: &[PathBuf],
    out: &Path,
    settings: &PackSettings,
    progress: Progress<'_>,
) -> Result<(PackReport, Sources)> {
    threads::in_call(|| pack_by(inputs, out, settings, progress))
}

fn pack_by(inputs: &[PathBuf], out: &Path, settings: &PackSettings, progress: Progress<'_>) -> Result<(PackReport, Sources)> {
    let began = Instant::now();
    let directory = OutputFile::folder_of(out);
    let mut tries = 0;
    let (read, sources) = loop {
        let before = Sources::of(inputs);
        let text = Inputs::new(inputs, progress)?;
        // Has no name; and shows before the work that the directory can be written to.
        let spill = tempfile::tempfile_in(directory).map_err(Error::io(out, "create"))?;
        let read = read::read(text, inputs, out, settings, spill);
        tries += 1;
        if Sources::of(inputs).are_as(&before) || read.as_ref().is_err_and(is_interrupted) {
            break (read?, before);
        }
        // Half of it was of one state, half of another, whatever was found in it.
        if tries == TRIES || !before.are_files() {
            let (path, problem) = (inputs.first().cloned().unwrap_or_default(), "changed while it was read, at each try".into());
            return Err(Error::BadFile { path, problem, remedy: "give a copy, or wait until nobody writes to it" });
        }
    };
    let target = Temporary::new(out)?;
    let source = inputs.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(", ");
    let mut report = write::write(read, target, out, &source, progress)?;
    report.seconds = began.elapsed().as_secs_f64();
    Ok((report, sources))
}

fn is_interrupted(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::Interrupted)
}

fn interrupted(out: &Path) -> Error {
    Error::io(out, "finish")(std::io::Error::new(std::io::ErrorKind::Interrupted, "interrupted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_find_what_one_by_one_does() {
        let targets: Vec<f32> = (0..1000).map(|i| [1.0, -1.0, 0.0, 2.5, -7.0][i * i % 5] + (i == 37) as u8 as f32 * 100.0).collect();
        for n in [0, 1, 15, 16, 17, 38, 1000] {
            let found = TargetCounts::of(&targets[..n]);
            let count = |of: fn(f32) -> bool| targets[..n].iter().filter(|&&x| of(x)).count() as u64;
            assert_eq!(found.min, targets[..n].iter().copied().fold(f32::INFINITY, f32::min));
            assert_eq!(found.max, targets[..n].iter().copied().fold(f32::NEG_INFINITY, f32::max));
            assert_eq!((found.plus, found.others), (count(|x| x == 1.0), count(|x| ![1.0, 0.0, -1.0].contains(&x))));
            let equal = |to: f32| targets[..n].iter().filter(|&&x| x == to).count() as u64;
            assert_eq!((found.min_count, found.max_count), (equal(found.min), equal(found.max)));
            for cut in [0, n / 3, n] {
                assert_eq!(TargetCounts::of(&targets[..cut]).join(TargetCounts::of(&targets[cut..n])), found);
            }
        }
    }
}
