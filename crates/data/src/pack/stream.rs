//! Text that is read as it comes, part by part: for who answers lines while others are yet to be written.
//!
//! A part is the whole lines that are there when the input pauses. It is parsed by what the first lines said of the text, and stands in
//! memory; nothing is kept from part to part but the place in the input.

use std::path::{Path, PathBuf};

use hogwild_base::{Error, Result};

use super::known_features::KnownFeatures;
use super::source::Source;
use super::{PackSettings, check_recipe, in_memory};
use crate::Data;
use crate::text::OnBadRow;
use crate::text::chunk::Chunk;
use crate::text::collector::How;
use crate::text::input::{Inputs, Progress};
use crate::text::parse::Parsed;

/// Text that is read as it comes, for predictions: labels and ratings may be missing.
pub struct Stream<'a> {
    source: Source<'a>,
    known: Option<KnownFeatures<'a>>,
    inputs: &'a [PathBuf],
    how: How,
    chunk: Chunk,
    /// Lines before the part at hand.
    before: u64,
    /// Whether there was an example, or a line that should have been one.
    any: bool,
    /// Whether a row without a label was told of.
    headless: bool,
}

/// The lines that came together.
#[derive(Debug, Default)]
pub struct Arrived {
    /// Their examples, or ratings; none where all were empty or comments. Rows that could not be read keep their places.
    pub data: Option<Data>,
    /// The first rows that could not be read, each with its place and what is wrong.
    pub bad: Vec<String>,
    /// How many there are in all.
    pub bad_count: u64,
    /// What else is to be told.
    pub notes: Vec<String>,
    /// What ends the reading behind the `data`.
    pub problem: Option<Error>,
}

impl<'a> Stream<'a> {
    /// Begins to read. [`progress`](hogwild_base::Progress) is asked some times a second whether to go on, while the input is waited for.
    ///
    /// # Errors
    /// What cannot be opened; a format that is not of the kind that is expected.
    pub fn new(inputs: &'a [PathBuf], settings: &'a PackSettings, progress: Progress<'a>) -> Result<Stream<'a>> {
        settings.prepare.check()?;
        check_recipe(settings.recipe.as_ref())?;
        let source = Source::new(Inputs::new(inputs, progress)?.with_pauses(), inputs, settings, settings.recipe.clone())?;
        let known = KnownFeatures::of(settings.recipe.as_ref());
        let how = How { unlabelled: true, ..source.how() };
        Ok(Stream { source, known, inputs, how, chunk: Chunk::default(), before: 0, any: false, headless: false })
    }

    fn path(&self) -> &'a Path {
        self.inputs.get(self.chunk.input).map_or(Path::new("-"), PathBuf::as_path)
    }

    /// Waits for the next lines; none at the end of the input.
    ///
    /// # Errors
    /// What cannot be read as text; a text without any example; whatever `progress` ended.
    pub fn arrived(&mut self) -> Result<Option<Arrived>> {
        let taken = self.source.take(&mut self.chunk, Path::new("-"));
        let path = self.path();
        let laid_out = taken.and_then(|_| self.source.lay_out(&mut self.chunk, path));
        let Some((parser, start)) = laid_out else {
            return match self.source.problem.take() {
                Some(problem) => Err(self.source.end_of(problem, Path::new("-"))),
                None if self.any => Ok(None),
                None => Err(Error::BadFile {
                    path: self.inputs.first().cloned().unwrap_or_default(),
                    problem: "holds no examples at all".into(),
                    remedy: "give text with one example a line",
                }),
            };
        };
        if self.chunk.first {
            self.before = 0;
        }
        // New each time: names that were met once are not to fill the memory of who reads for days.
        let mut parsed = Parsed::default();
        parser.parse(&self.chunk, start, &self.how, &mut parsed);
        let mut report = parsed.report;
        let mut arrived =
            Arrived { data: in_memory::data(&parsed.parts, self.known.as_ref()), bad_count: report.bad_count, ..Arrived::default() };
        let notes = self.source.text.notes.drain(..).chain(self.source.notes.drain(..));
        arrived.notes.extend(notes);
        if let Some((line, text)) = report.counts {
            arrived.notes.push(format!("{}:{line}: `{text}` was taken for a line of counts, and left out", path.display()));
        }
        if let Some((line, text)) = report.headless.filter(|_| !std::mem::replace(&mut self.headless, true)) {
            let line = self.before + line;
            let told = "was read as its first feature (other such rows are not told)";
            arrived.notes.push(format!("{}:{line}: the row has no label: `{text}` {told}", path.display()));
        }
        // What the recipe does not say would have the text read again, and what has come is gone.
        let finding = report.findings.drain(..).next().map(|(_, bad)| bad.error(path, self.before));
        for bad in report.bad {
            let problem = bad.error(path, self.before);
            match self.how.on_bad_row {
                OnBadRow::Stop => arrived.problem = arrived.problem.or(Some(problem)),
                OnBadRow::Skip => arrived.bad.push(problem.to_string()),
            }
        }
        arrived.problem = finding.or(arrived.problem);
        self.before += report.lines;
        self.any |= arrived.data.is_some();
        self.source.ended |= arrived.problem.is_some();
        Ok(Some(arrived))
    }
}
