//! Parsing a chunk: its lines go one by one to the format, and what they give to flat arrays; bad ones are left out or end it.
//!
//! The loop is compiled for each format, so that nothing is looked up on the way; from outside it is one call a chunk, through [`Parser`].

use std::ops::Range;

use crate::bytes::{byte, from, part, readable};
use crate::text::chunk::Chunk;
use crate::text::collector::{Collector, How, Observed};
use crate::text::fault::{Bad, Fault};
use crate::text::parts::Parts;
use crate::text::recipe::Finding;
use crate::text::{OnBadRow, Repeated, TextFormat, odd};
use crate::wide::{Work, widely};

/// How many bad lines are described; the rest are counted.
pub(crate) const DESCRIBED: usize = 10;

/// How many classes that the recipe does not know are told of a chunk: with more than two the text is refused.
const MOST_CLASSES: usize = 3;

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
    /// What the recipe does not say: of each such thing the first, with what is wrong with the line if the text cannot be read again.
    pub(crate) findings: Vec<(Finding, Bad)>,
    pub(crate) observed: Vec<Observed>,
    /// Examples of weight 0.
    pub(crate) left_out: u64,
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
    Parts: From<F::Collector> + Into<F::Collector>,
{
    fn parse(&self, chunk: &Chunk, start: Start, how: &How, out: &mut Parsed) {
        let mut rows: F::Collector = std::mem::take(&mut out.parts).into();
        // A format whose features add up by themselves has none that is repeated by mistake.
        let repeated = if F::ADDS { Repeated::Add } else { how.repeated };
        rows.clear(&How { repeated, ..*how });
        out.report = widely(Lines { format: self, chunk, start, how, rows: &mut rows });
        out.parts = rows.into();
    }
}

/// The lines of a chunk, to be parsed.
struct Lines<'a, F: TextFormat> {
    format: &'a F,
    chunk: &'a Chunk,
    start: Start,
    how: &'a How,
    rows: &'a mut F::Collector,
}

impl<F: TextFormat> Work for Lines<'_, F> {
    type Outcome = Report;

    #[inline(always)]
    fn done(self) -> Report {
        parse_lines(self.format, self.chunk, self.start, self.how, self.rows)
    }
}

#[inline(always)]
fn parse_lines<F: TextFormat>(format: &F, chunk: &Chunk, first: Start, how: &How, rows: &mut F::Collector) -> Report {
    let text = chunk.padded();
    let (mut at, mut report) = (first.at, Report { lines: first.lines, ..Report::default() });
    // Up to where lines are counted, of a format whose examples may have several: all together, where nothing is told of one.
    let mut counted = first.at;
    let mut count_to = |report: &mut Report, at: usize| {
        if F::SPANS {
            report.lines += memchr::memchr_iter(b'\n', part(text, counted..at)).count() as u64;
            counted = at;
        }
    };
    while at < chunk.end {
        // A byte order mark is no part of the line, be it the first of the file or of one that was joined to another.
        let marked = byte(text, at) == 0xef && from(text, at).starts_with(b"\xef\xbb\xbf");
        at += if marked { 3 } else { 0 };
        let start = at;
        if let Err(found) = format.line(text, &mut at, rows) {
            rows.cut();
            count_to(&mut report, start);
            at = format.resume(text, start, &found).min(chunk.end);
            if tell_fault::<F>(chunk, start..at, found, how, rows, &mut report) && how.on_bad_row == OnBadRow::Stop {
                break;
            }
        }
        report.lines += u64::from(!F::SPANS);
    }
    count_to(&mut report, at);
    report.observed.extend_from_slice(rows.observed());
    report.left_out = rows.left_out();
    report.headless = rows.headless().map(|feature| {
        let before = memchr::memchr_iter(b'\n', part(text, 0..feature.start)).count() as u64;
        (before + 1, readable(part(text, feature)))
    });
    report
}

/// Notes what was found at the place of an example, which the report has all lines before. Gives whether that is a bad one.
fn tell_fault<F: TextFormat>(
    chunk: &Chunk,
    places: Range<usize>,
    found: Fault,
    how: &How,
    rows: &mut F::Collector,
    report: &mut Report,
) -> bool {
    let (text, start) = (chunk.padded(), places.start);
    if let Some(finding) = rows.take_finding() {
        // Of classes one more than there may be says all.
        let is_one_too_many = !how.every_class && matches!(finding, Finding::Class(_)) && {
            report.findings.iter().filter(|(known, _)| matches!(known, Finding::Class(_))).count() >= MOST_CLASSES
        };
        if !is_one_too_many && report.findings.iter().all(|(known, _)| !known.is_like(&finding)) {
            report.findings.push((finding, Bad::of_fault(text, report.lines, start, found)));
        }
        return false;
    }
    let is_head = chunk.first && rows.targets().is_empty() && report.bad_count == 0 && report.counts.is_none();
    if is_head && F::begins_with_counts(part(text, start..chunk.end)) {
        report.counts = Some((report.lines + 1, readable(part(text, places).trim_ascii())));
        return false;
    }
    let found = F::advise(odd::named(text, found), how.named);
    if how.unlabelled && how.on_bad_row == OnBadRow::Skip {
        rows.push_bad();
    }
    report.bad_count += 1;
    if report.bad.len() < DESCRIBED {
        report.bad.push(Bad::of_fault(text, report.lines, start, found));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::chunk::PAD;
    use crate::text::{Asked, codes, edges, fasttext, interactions, jsonl, libffm, ratings, svmlight, table, vw};

    /// What the collector of a chunk's lines holds, to the bit.
    fn held(parts: Parts) -> Vec<Vec<u32>> {
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let ids = |ids: &codes::Codes| ids.as_slice().to_vec();
        match parts {
            Parts::Examples(rows) => {
                vec![
                    rows.lengths.clone(),
                    ids(&rows.features),
                    rows.fields.clone(),
                    bits(&rows.values),
                    bits(&rows.labels),
                    bits(&rows.weights),
                ]
            }
            Parts::Ratings(rows) => vec![ids(&rows.users), ids(&rows.items), bits(&rows.ratings), bits(&rows.weights)],
        }
    }

    /// Wide instructions read what others read, in so many rows.
    fn agree<F: TextFormat>(text: &str, rows: usize)
    where
        Parts: From<F::Collector> + Into<F::Collector>,
    {
        let (end, mut text) = (text.len(), text.as_bytes().to_vec());
        text.resize(end + PAD, b'\n');
        let chunk = Chunk { text, end, input: 0, first: true };
        let Ok(begun) = F::begin(chunk.lines(), Asked::default()) else { panic!("{}", F::NAME) };
        let read = |which: fn(Lines<'_, F>) -> Report| {
            let (mut rows, how) = (F::Collector::default(), How::default());
            rows.clear(&how);
            let report = which(Lines { format: &begun.format, chunk: &chunk, start: begun.start, how: &how, rows: &mut rows });
            assert!(report.bad.is_empty() && report.findings.is_empty(), "{}", F::NAME);
            (held(rows.into()), report.lines)
        };
        let (narrow, wide) = (read(|work| work.done()), read(|work| widely(work)));
        assert_eq!(narrow, wide, "{}", F::NAME);
        assert!(narrow.0.iter().any(|held| held.len() == rows), "{}: {narrow:?}", F::NAME);
    }

    /// Decimals of all kinds: short ones, long ones, with exponents, and such as lie beside the middle of two singles.
    fn decimals() -> impl Iterator<Item = String> {
        (1..3000u64).map(|i| {
            let digits = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            match i % 6 {
                0 => format!("{}.{:03}", digits % 100, digits % 1000),
                1 => format!("-0.{digits}"),
                2 => format!("{}.{}e-{}", digits % 10, digits % 1_000_000_007, digits % 30),
                3 => format!("{}", f32::from_bits(0x3f80_0000 + (digits % 0x7f_ffff) as u32)),
                4 => format!("{}", f64::from(f32::from_bits(0x3f80_0000 + (digits % 0x7f_ffff) as u32)) + 2f64.powi(-24)),
                _ => format!("{}", digits % 100_000_000),
            }
        })
    }

    #[test]
    fn wide_instructions_read_alike() {
        let all = || (0..).zip(decimals());
        let lines = |of: &dyn Fn(u32, &str) -> String| all().map(|(i, x)| of(i, &x) + "\n").collect::<String>();
        let count = all().count();
        agree::<vw::VowpalWabbit>(&lines(&|i, x| format!("{} |a b:{x} c{i} |d {i}:{x}", i % 2)), count);
        agree::<libffm::Libffm>(&lines(&|i, x| format!("{} 1:{i}:{x} 2:{}:1", i % 2, i + 9000)), count);
        agree::<svmlight::Svmlight>(&lines(&|i, x| format!("{x} 3:{x} {}:{x} {}:1", i + 4, 1 << 25)), count);
        agree::<fasttext::FastText>(&lines(&|i, x| format!("__label__{} {x} word w{i}", ["a", "b"][i as usize % 2])), count);
        agree::<jsonl::Jsonl>(&lines(&|i, x| format!("{{\"label\": {}, \"a\": {x}, \"b\": \"w{i}\"}}", i % 2)), count);
        agree::<table::Csv>(&("y,a,b\n".to_owned() + &lines(&|i, x| format!("{},{x},w{i}", i % 2))), count);
        agree::<table::Tsv>(&("y\ta\tb\n".to_owned() + &lines(&|i, x| format!("{}\t{x}\tlonger words {i}", i % 2))), count);
        agree::<ratings::RatingTable>(&lines(&|i, x| format!("{i}::{}::{x}", i * 7 % 1000)), count);
        agree::<interactions::Interactions>(&lines(&|i, x| format!("u{i} {} {}", i * 7 % 1000, x.trim_start_matches('-'))), count);
        agree::<edges::Edges>(&lines(&|i, x| format!("{i} {} {}", i + 1, x.trim_start_matches('-'))), count);
    }
}
