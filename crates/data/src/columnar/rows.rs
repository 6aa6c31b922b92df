//! A batch becomes examples, row by row.

use arrow_array::RecordBatch;

use super::cells::Cells;
use super::known::{Known, MISSING_WORD};
use super::layout::{Column, Layout};
use crate::bytes::readable;
use crate::kind::MISSING;
use crate::text::bins::class;
use crate::text::collector::{Collector, How, Observed};
use crate::text::examples::{Example, Examples};
use crate::text::parse::{DESCRIBED, Report};
use crate::text::recipe::{Finding, Step, bin, is_missing, log};
use crate::text::sink::{Refused, RowSink};
use crate::text::table::{BAD_WEIGHT, NO_WEIGHT, label};
use crate::text::{Bad, OnBadRow, REMEDY_FINITE, Why};

/// A column of a batch.
struct Read<'a> {
    column: &'a Column,
    cells: Cells<'a>,
    /// Which name the word of each row is; none where they were not looked up.
    names: &'a [u32],
}

/// The columns of a batch, and how its rows are read.
struct Batch<'a> {
    /// Names of words that no other feature of a row can be, by column.
    words: Vec<&'a [u32]>,
    /// The other columns, with their numbers.
    others: Vec<(usize, &'a Read<'a>)>,
}

/// What is wrong with a row, by the column.
struct Wrong {
    column: usize,
    problem: &'static str,
    remedy: &'static str,
}

/// Reads a batch. Its rows are counted as lines.
pub(super) fn read(layout: &Layout, batch: &RecordBatch, how: &How, known: &mut Known, rows: &mut Examples) -> Report {
    let mut report = Report::default();
    rows.clear(how);
    let known = known.columns(layout.columns.len(), rows.forgotten());
    let arrays = batch.columns().iter().zip(&layout.columns).zip(known);
    let columns: Vec<Read<'_>> = arrays
        .map(|((array, column), entries)| {
            let cells = Cells::of(array);
            let is_word = column.step == Some(Step::Word);
            let names = if is_word { entries.look_up(array, &cells, &column.front, rows) } else { &[] };
            Read { column, cells, names }
        })
        .collect();
    // Words that nothing is looked for go into a row together.
    let is_apart = |read: &Read<'_>| layout.are_apart && !read.names.is_empty();
    let words = columns.iter().filter(|read| is_apart(read)).map(|read| read.names).collect();
    let others = (0..).zip(&columns).filter(|(_, read)| !is_apart(read)).collect();
    let read = Batch { words, others };
    let (weight, mut room) = (layout.columns.iter().position(|column| column.step == Some(Step::Weight)), Vec::new());
    for number in 0..batch.num_rows() {
        if !layout.are_apart {
            rows.fetch(columns.iter().filter_map(|read| read.names.get(number).copied()));
        }
        let weighs = weight.and_then(|place| columns.get(place)).and_then(|read| read.cells.number(number).ok().flatten());
        if weighs == Some(0.0) {
            rows.pass_over();
        } else if let Err(wrong) = row(layout, &read, number, rows, &mut room) {
            rows.cut();
            let name = layout.columns.get(wrong.column).map_or("", |column| &column.name);
            let text = columns.get(wrong.column).map_or(&b""[..], |read| read.cells.text(number, &mut room));
            let problem = if name.is_empty() { wrong.problem.to_owned() } else { format!("column `{name}`: {}", wrong.problem) };
            let bad = Bad::of(text, number as u64, 0, 0..text.len(), problem, wrong.remedy);
            if let Some(finding) = rows.take_finding() {
                if report.findings.iter().all(|(known, _)| !known.is_like(&finding)) {
                    report.findings.push((finding, bad));
                }
            } else {
                if how.unlabelled && how.on_bad_row == OnBadRow::Skip {
                    rows.push_bad();
                }
                report.bad_count += 1;
                if report.bad.len() < DESCRIBED {
                    report.bad.push(bad);
                }
                if how.on_bad_row == OnBadRow::Stop {
                    break;
                }
            }
        }
        report.lines += 1;
    }
    report.observed.extend_from_slice(rows.observed());
    report.left_out = rows.left_out();
    report
}

fn row(layout: &Layout, batch: &Batch<'_>, row: usize, rows: &mut Examples, room: &mut Vec<u8>) -> Result<(), Wrong> {
    let mut example = rows.begin();
    let mut given = None;
    let words = batch.words.iter().map(|names| names.get(row).copied().unwrap_or(MISSING_WORD));
    example.known_apart(words, batch.words.len(), MISSING_WORD);
    for &(number, read) in &batch.others {
        example.of_crossed(read.column.crossed);
        let wrong = |problem, remedy| Wrong { column: number, problem, remedy };
        let refused = |Refused { problem, remedy, .. }| Wrong { column: number, problem, remedy };
        let column = read.column;
        match &column.step {
            None => given = label_of(layout, read, row, &mut example, room).map_err(|(problem, remedy)| wrong(problem, remedy))?,
            Some(Step::Ignored) => {}
            Some(Step::Weight) => match read.cells.number(row) {
                Ok(Some(weight)) => example.weight(weight).map_err(refused)?,
                Ok(None) => return Err(wrong(NO_WEIGHT, WEIGH)),
                Err(_) => return Err(wrong(BAD_WEIGHT, WEIGH)),
            },
            Some(Step::Word) => word(read, row, &mut example, room).map_err(refused)?,
            Some(Step::List(mark)) => list(read, row, mark, &mut example, room).map_err(refused)?,
            Some(step) => {
                let value = match read.cells.number(row) {
                    Ok(None) => continue,
                    Ok(Some(value)) => value,
                    Err(why) => {
                        if matches!(why, Why::NoNumber) && column.may_be_words {
                            let text = readable(read.cells.text(row, room));
                            example.find(Finding::Words(column.place, format!("such as `{text}`")));
                        }
                        let (problem, remedy) = of_number(why);
                        return Err(wrong(problem, remedy));
                    }
                };
                match step {
                    Step::Log => example.column(column.place, column.name.as_bytes(), log(value)).map_err(refused)?,
                    Step::Bins(_, edges) => match column.bins.get(bin(edges, value)) {
                        Some(name) => example.named(name, b"", 1.0).map_err(refused)?,
                        None => example.observe(Observed { column: column.place as u32, class: class(value) }),
                    },
                    _ => example.column(column.place, column.name.as_bytes(), value).map_err(refused)?,
                }
            }
        }
    }
    let whole = |Refused { problem, remedy, .. }| Wrong { column: usize::MAX, problem, remedy };
    match given {
        Some(label) => example.label(label),
        None if layout.unlabelled => example.label(MISSING),
        None => {
            let remedy = "give each row its label, or leave the row out; `predict` takes rows without";
            return Err(Wrong { column: usize::MAX, problem: "the label is missing", remedy });
        }
    }
    if !layout.crosses.is_empty() {
        example.cross(&layout.crosses).map_err(whole)?;
    }
    example.end().map_err(whole)
}

const WEIGH: &str = "give each row a number from 0 up as its weight, or leave the row out";

fn of_number(why: Why) -> (&'static str, &'static str) {
    match why {
        Why::NoNumber => {
            ("this is a word in a column of numbers", "give a number, leave the cell empty, or name the column in `categorical`")
        }
        Why::Nan => ("this is NaN", REMEDY_FINITE),
        Why::Infinite => ("this is infinite", REMEDY_FINITE),
        Why::Range => ("this is out of the range of 32-bit floats", "scale the values below 3.4e38"),
    }
}

fn label_of(
    layout: &Layout,
    read: &Read<'_>,
    row: usize,
    example: &mut Example<'_>,
    room: &mut Vec<u8>,
) -> Result<Option<f32>, (&'static str, &'static str)> {
    let number = read.cells.number(row);
    if let (Ok(Some(number)), true) = (&number, layout.recipe.classes.is_empty() && !layout.has_classes) {
        return Ok(Some(*number));
    }
    let text = read.cells.text(row, room);
    if is_missing(text) {
        return Ok(None);
    }
    let number = number.and_then(|number| number.ok_or(Why::NoNumber));
    match label::value(text, number, &layout.recipe, (layout.has_fixed_labels, layout.has_classes)) {
        Ok(label) => Ok(Some(label)),
        Err(_) if layout.unlabelled => Ok(None),
        Err(label::Wrong { problem, remedy, finding }) => {
            finding.into_iter().for_each(|finding| example.find(finding));
            Err((problem, remedy))
        }
    }
}

fn word(read: &Read<'_>, row: usize, example: &mut Example<'_>, room: &mut Vec<u8>) -> Result<(), Refused> {
    match read.names.get(row) {
        Some(&MISSING_WORD) => return Ok(()),
        Some(&name) => return example.known(name, &read.column.front, || read.cells.text(row, room)),
        None => {}
    }
    let text = read.cells.text(row, room);
    if is_missing(text) { Ok(()) } else { example.named(&read.column.front, text, 1.0) }
}

/// The cells of a list are words, as are the parts of a text.
fn list(read: &Read<'_>, row: usize, mark: &str, example: &mut Example<'_>, room: &mut Vec<u8>) -> Result<(), Refused> {
    let mut put = |word: &[u8]| if is_missing(word) { Ok(()) } else { example.in_bag(&read.column.front, word, 1.0) };
    if let Cells::Lists(ends, cells) = &read.cells {
        let (start, end) = ends.get(row).copied().unwrap_or((0, 0));
        return (start..end).try_for_each(|cell| put(cells.text(cell, room)));
    }
    let mut rest = read.cells.text(row, room);
    loop {
        let (word, more) = match memchr::memmem::find(rest, mark.as_bytes()).and_then(|end| rest.split_at_checked(end)) {
            Some((word, more)) => (word, more.get(mark.len()..)),
            None => (rest, None),
        };
        put(word.trim_ascii())?;
        let Some(more) = more else { return Ok(()) };
        rest = more;
    }
}
