//! Parsing a chunk: its lines go one by one to the format, and what they give to flat arrays; bad ones are left out or end it.
//!
//! The loop is compiled for each format, so that nothing is looked up on the way; from outside it is one call a chunk, through [`Parser`].

use std::ops::Range;

use crate::Kind;
use crate::bytes::{byte, from, line_end, part, readable};
use crate::text::chunk::Chunk;
use crate::text::examples::Examples;
use crate::text::fault::Bad;
use crate::text::rated::Rated;
use crate::text::repeated::Repeated;
use crate::text::{OnBadRow, TextFormat, odd};

/// How many bad lines are described; the rest are counted.
pub(crate) const DESCRIBED: usize = 10;

/// What the user asked for, of any format.
#[derive(Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) on_bad_row: OnBadRow,
    pub(crate) unlabelled: bool,
    pub(crate) repeated: Repeated,
    pub(crate) named: Named,
}

/// Who named the format: what a message may advise depends on it.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Named {
    #[default]
    Nobody,
    User,
    Model,
}

/// Collects what the lines of a chunk give: examples or ratings.
pub(crate) trait Collector: Sized + Default {
    const KIND: Kind;

    /// Those of an earlier chunk, for their room; new ones where these are of another kind.
    fn of(parts: Parts) -> Self;

    fn clear(&mut self, how: &How);

    /// Leaves out what a line gave before it turned out bad.
    fn cut(&mut self);

    /// Keeps the place of a line that could not be read, for a prediction that is none.
    fn push_bad(&mut self);

    /// The labels, or ratings.
    fn targets(&self) -> &[f32];

    /// The first feature that stands in the place of a label.
    fn headless(&self) -> Option<Range<usize>>;
}

/// What a chunk holds: of either kind.
pub(crate) enum Parts {
    Examples(Examples),
    Ratings(Rated),
}

impl Parts {
    /// The labels, or ratings.
    pub(crate) fn targets(&self) -> &[f32] {
        match self {
            Parts::Examples(examples) => examples.targets(),
            Parts::Ratings(rated) => rated.targets(),
        }
    }
}

impl Default for Parts {
    fn default() -> Parts {
        Parts::Examples(Examples::default())
    }
}

impl From<Examples> for Parts {
    fn from(examples: Examples) -> Parts {
        Parts::Examples(examples)
    }
}

impl From<Rated> for Parts {
    fn from(rated: Rated) -> Parts {
        Parts::Ratings(rated)
    }
}

/// What is to be told of a chunk besides its rows.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) lines: u64,
    /// A line of counts that was left out: its number in the chunk, from 1, and its text.
    pub(crate) counts: Option<(u64, String)>,
    /// The first example that begins with a feature in place of a label: its number too, and that feature.
    pub(crate) headless: Option<(u64, String)>,
    /// The first bad lines, and how many there are in all.
    pub(crate) bad: Vec<Bad>,
    pub(crate) bad_count: u64,
}

/// What comes of a chunk.
#[derive(Default)]
pub(crate) struct Parsed {
    pub(crate) parts: Parts,
    pub(crate) report: Report,
}

/// A format that knows how its input is laid out.
pub(crate) trait Parser: Send + Sync {
    /// Parses the lines of a chunk from where they begin. The room of `out` is used again.
    fn parse(&self, chunk: &Chunk, start: Start, how: &How, out: &mut Parsed);
}

/// Where the first line is that gives something, and how many are before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Start {
    pub(crate) at: usize,
    pub(crate) lines: u64,
}

impl<F: TextFormat> Parser for F
where
    Parts: From<F::Collector>,
{
    fn parse(&self, chunk: &Chunk, start: Start, how: &How, out: &mut Parsed) {
        let mut rows = F::Collector::of(std::mem::take(&mut out.parts));
        rows.clear(how);
        out.report = parse_lines(self, chunk, start, how, &mut rows);
        out.parts = rows.into();
    }
}

fn parse_lines<F: TextFormat>(format: &F, chunk: &Chunk, first: Start, how: &How, rows: &mut F::Collector) -> Report {
    let text = chunk.padded();
    let (mut at, mut report) = (first.at, Report { lines: first.lines, ..Report::default() });
    while at < chunk.end {
        // A byte order mark is no part of the line, be it the first of the file or of one that was joined to another.
        let marked = byte(text, at) == 0xef && from(text, at).starts_with(b"\xef\xbb\xbf");
        at += if marked { 3 } else { 0 };
        let start = at;
        if let Err(found) = format.line(text, &mut at, rows) {
            rows.cut();
            at = line_end(text, found.start.max(start)).min(chunk.end);
            let is_head = chunk.first && rows.targets().is_empty() && report.bad_count == 0 && report.counts.is_none();
            if is_head && F::begins_with_counts(part(text, start..chunk.end)) {
                report.lines += 1;
                report.counts = Some((report.lines, readable(part(text, start..at).trim_ascii())));
                continue;
            }
            let found = F::advise(odd::named(text, found), how.named);
            if how.unlabelled && how.on_bad_row == OnBadRow::Skip {
                rows.push_bad();
            }
            report.bad_count += 1;
            if report.bad.len() < DESCRIBED {
                report.bad.push(Bad::of_fault(text, report.lines, start, found));
            }
            if how.on_bad_row == OnBadRow::Stop {
                break;
            }
        }
        report.lines += 1;
    }
    report.headless = rows.headless().map(|feature| {
        let before = memchr::memchr_iter(b'\n', part(text, 0..feature.start)).count() as u64;
        (before + 1, readable(part(text, feature)))
    });
    report
}
