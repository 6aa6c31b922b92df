//! Tables with a heading: `csv` and `tsv`. A number is the value of one feature, `name`; a word is a feature, `name=word`.
//!
//! What each column is stands in the [`Recipe`], of which each input makes a list of what to do with its cells, from left to right.

mod coded;
mod heading;
pub(crate) mod label;
pub(crate) mod record;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::bytes::{byte, part, readable};
use crate::kind::MISSING;
use crate::text::bins::class;
use crate::text::collector::Observed;
use crate::text::crosses::Crosses;
use crate::text::examples::{Example, Examples};
use crate::text::fault::{Bad, Fault, REMEDY_FINITE, fault};
use crate::text::number::{Why, short_number};
use crate::text::recipe::{Bits, Finding, Recipe, Step, bin, is_missing, log};
use crate::text::sink::{Refused, RowSink};
use crate::text::words::Word;
use crate::text::{Asked, Begun, Format, TextFormat};
use record::{Broken, cell, record_end, short_word};

/// What is done with the cells of a column.
enum Act {
    Skip,
    Label,
    /// How much the example counts.
    Weight,
    /// The feature's name.
    Number(Vec<u8>),
    Log(Vec<u8>),
    /// The edges, and the features' names.
    Bins(Vec<Bits>, Vec<Vec<u8>>),
    /// What stands before the word in the feature's name.
    Word(Vec<u8>),
    /// That, and what stands between words.
    List(Vec<u8>, Vec<u8>),
}

impl Act {
    fn of(name: &str, step: &Step) -> Act {
        let with = |end: &str| format!("{name}{end}").into_bytes();
        match step {
            Step::Ignored => Act::Skip,
            Step::Weight => Act::Weight,
            Step::Number => Act::Number(with("")),
            Step::Log => Act::Log(with("")),
            Step::Bins(_, edges) => Act::Bins(edges.clone(), step.bins().iter().map(|bin| with(bin)).collect()),
            Step::Word => Act::Word(with("=")),
            Step::List(mark) => Act::List(with("="), mark.clone().into_bytes()),
        }
    }
}

/// A column of an input.
struct Column {
    /// Its place in the recipe.
    place: usize,
    act: Act,
    /// Whether it becomes a column of words if one is in it.
    may_be_words: bool,
    /// Its number among the columns that are crossed.
    crossed: Option<usize>,
}

/// How an input is laid out.
struct Table {
    mark: u8,
    columns: Vec<Column>,
    recipe: Recipe,
    is_fixed: bool,
    /// Whether labels are only those that the recipe has.
    has_fixed_labels: bool,
    /// Whether labels are classes by name.
    has_classes: bool,
    unlabelled: bool,
    /// Which column says how much an example counts, where that is looked at.
    weight: Option<usize>,
    crosses: Crosses,
    /// Whether the recipe [keeps words apart](Recipe::keeps_words_apart).
    are_apart: bool,
    /// What stands before the words of a column in the names of features, by its place in the recipe: the same in all inputs.
    fronts: Vec<Vec<u8>>,
}

impl Default for Table {
    fn default() -> Table {
        Table {
            mark: b',',
            columns: Vec::new(),
            recipe: Recipe::of(Format::Csv),
            is_fixed: false,
            has_fixed_labels: false,
            has_classes: false,
            unlabelled: false,
            weight: None,
            crosses: Crosses::default(),
            are_apart: false,
            fronts: Vec::new(),
        }
    }
}

/// Tables between commas (or semicolons, or bars).
pub(crate) struct Csv(Table);

/// Tables between tabs.
pub(crate) struct Tsv(Table);

macro_rules! tables {
    ($($type:ident $format:ident $name:literal $marks:literal $looks:literal;)*) => {
        $(impl TextFormat for $type {
            const NAME: &'static str = $name;
            const LOOKS: &'static str = $looks;
            type Collector = Examples;
            const COLUMNS: bool = true;
            const SPANS: bool = true;

            fn claims(first_lines: &[u8], label: Option<&str>) -> bool {
                heading::claims(first_lines, label, $marks)
            }

            /// No line says by itself that it belongs to a table with a heading.
            fn recognises(_: &[u8]) -> bool {
                false
            }

            fn begin(first_lines: &[u8], asked: Asked<'_>) -> Result<Begun<$type>, Bad> {
                heading::begin(first_lines, asked, Format::$format, $marks).map(|begun| begun.map($type))
            }

            #[inline(always)]
            fn line(&self, text: &[u8], at: &mut usize, rows: &mut Examples) -> Result<(), Fault> {
                row(&self.0, text, at, rows)
            }

            fn resume(&self, text: &[u8], start: usize, _: &Fault) -> usize {
                record_end(text, start, self.0.mark)
            }
        })*
    };
}
tables! {
    Csv Csv "csv" b",;|" "a table with a heading, between commas, semicolons or bars: `label,age,city`";
    Tsv Tsv "tsv" b"\t" "a table with a heading, between tabs";
}

/// Reads the record at a place, and leaves the place behind it.
#[inline(always)]
fn row(table: &Table, text: &[u8], place: &mut usize, rows: &mut Examples) -> Result<(), Fault> {
    let (start, mark) = (*place, table.mark);
    if matches!(byte(text, start), b'\n' | b'\r' | b' ') && part(text, start..record::stop(text, start, b'\n')).trim_ascii().is_empty() {
        *place = record::stop(text, start, b'\n') + 1;
        return Ok(());
    }
    if table.weight.is_some_and(|weight| record::cell_of(text, start, mark, weight).is_some_and(|cell| weighs_nothing(&cell, mark))) {
        rows.pass_over();
        *place = record_end(text, start, mark);
        return Ok(());
    }
    let mut example = rows.begin();
    let (mut at, mut label) = (start, None);
    let last = table.columns.len().saturating_sub(1);
    for (i, column) in table.columns.iter().enumerate() {
        // A short word, as most are.
        if table.are_apart
            && matches!(column.act, Act::Word(_))
            && i < last
            && let Some((key, length)) = short_word(text, at, mark)
        {
            example.put_word_by(Word::short(column.place, key, length), at..at + length);
            at += length + 1;
            continue;
        }
        example.of_crossed(column.crossed);
        // A plain number, as most are.
        let number = match column.act {
            Act::Number(_) | Act::Log(_) | Act::Label => short_number(text, at).filter(|&(_, end)| ends(text, end, mark)),
            _ => None,
        };
        let stop = match (number, &column.act) {
            (Some((value, end)), Act::Number(name)) => {
                example.column(column.place, name, value).map_err(|refused| refused.at(at..end))?;
                end
            }
            (Some((value, end)), Act::Log(name)) => {
                example.column(column.place, name, log(value)).map_err(|refused| refused.at(at..end))?;
                end
            }
            (Some((value, end)), Act::Label) if table.recipe.classes.is_empty() && !table.has_classes => {
                label = Some(value);
                end
            }
            _ => {
                let found = cell(text, at, mark).map_err(|Broken(at)| broken(text, at, mark))?;
                if found.doubled {
                    of_cell(table, column, &found.value(text), found.start..found.end, &mut example, &mut label)?;
                } else {
                    of_cell(table, column, part(text, found.start..found.end), found.start..found.end, &mut example, &mut label)?;
                }
                found.stop
            }
        };
        let is_end = byte(text, stop) != mark || stop >= text.len();
        if is_end && i < last {
            return width(text, start, "this has fewer cells than the heading", "give every cell, be it empty, or leave the row out");
        }
        at = stop + usize::from(i < last);
    }
    // Empty cells at the end, as spreadsheets write them, are none.
    while byte(text, at) == mark {
        let found = cell(text, at + 1, mark).map_err(|Broken(at)| broken(text, at, mark))?;
        if found.end > found.start {
            return width(
                text,
                start,
                "this has more cells than the heading",
                "put cells that hold the separator in quotes, or leave the row out",
            );
        }
        at = found.stop;
    }
    *place = at + 1;
    match label {
        Some(label) => example.label(label),
        None if table.unlabelled => example.label(MISSING),
        None => {
            return width(
                text,
                start,
                "the label is missing",
                "give each row its label, or leave the row out; `predict` takes rows without",
            );
        }
    }
    if table.are_apart {
        example.words(text, |place| table.fronts.get(place).map_or(b"", Vec::as_slice));
    }
    if !table.crosses.is_empty() {
        example.cross(&table.crosses).map_err(|refused| refused.at(start..at))?;
    }
    example.end().map_err(|refused| refused.at(start..at))
}

/// Whether a cell ends at a place; a carriage return before the newline is left to the general way.
#[inline(always)]
fn ends(text: &[u8], at: usize, mark: u8) -> bool {
    let found = byte(text, at);
    found == mark || found == b'\n'
}

#[cold]
fn width<T>(text: &[u8], start: usize, problem: &'static str, remedy: &'static str) -> Result<T, Fault> {
    let line = part(text, start..record::stop(text, start, b'\n'));
    fault(start, start + line.trim_ascii_end().len(), problem, remedy)
}

#[cold]
fn broken(text: &[u8], start: usize, mark: u8) -> Fault {
    let end = record::stop(text, start, mark);
    const PROBLEM: &str = "a quote is not closed, or something stands behind the closing one";
    Fault { start, end, problem: PROBLEM, remedy: "close the quote, and double those inside, as CSV has it" }
}

/// What is wrong with an example without a weight where others have one.
pub(crate) const NO_WEIGHT: &str = "the weight of the example is missing";
/// The same of one that is no number.
pub(crate) const BAD_WEIGHT: &str = "the weight of the example is no finite number";

/// Whether a cell says that its example counts for nothing.
fn weighs_nothing(cell: &[u8], mark: u8) -> bool {
    heading::number(cell, mark).is_ok_and(|weight| weight == 0.0)
}

/// What one cell gives.
#[inline(always)]
fn of_cell(
    table: &Table,
    column: &Column,
    cell: &[u8],
    places: Range<usize>,
    example: &mut Example<'_>,
    label: &mut Option<f32>,
) -> Result<(), Fault> {
    let at = |refused: Refused| refused.at(places.clone());
    match &column.act {
        Act::Skip => Ok(()),
        Act::Word(_) | Act::List(..) | Act::Number(_) | Act::Log(_) | Act::Bins(..) if is_missing(cell) => Ok(()),
        Act::Word(front) if table.are_apart => {
            example.word(Word::of(column.place, cell), front, cell);
            Ok(())
        }
        Act::Word(front) => example.named(front, cell, 1.0).map_err(at),
        Act::List(front, mark) => {
            let mut rest = cell;
            loop {
                let (word, more) = match memchr::memmem::find(rest, mark).and_then(|end| rest.split_at_checked(end)) {
                    Some((word, more)) => (word, more.get(mark.len()..)),
                    None => (rest, None),
                };
                let word = word.trim_ascii();
                if !is_missing(word) {
                    example.in_bag(front, word, 1.0).map_err(at)?;
                }
                let Some(more) = more else { return Ok(()) };
                rest = more;
            }
        }
        Act::Weight => weight_of(table, cell, places, example),
        Act::Label => {
            *label = label_of(table, cell, places, example)?;
            Ok(())
        }
        Act::Number(name) | Act::Log(name) => {
            let value = real(table, column, cell, places.clone(), example)?;
            let value = if matches!(column.act, Act::Log(_)) { log(value) } else { value };
            example.column(column.place, name, value).map_err(at)
        }
        Act::Bins(edges, names) => {
            let value = real(table, column, cell, places.clone(), example)?;
            match names.get(bin(edges, value)) {
                Some(name) => example.named(name, b"", 1.0).map_err(at),
                None => {
                    example.observe(Observed { column: column.place as u32, class: class(value) });
                    Ok(())
                }
            }
        }
    }
}

#[inline(never)]
fn label_of(table: &Table, cell: &[u8], places: Range<usize>, example: &mut Example<'_>) -> Result<Option<f32>, Fault> {
    if is_missing(cell) {
        return Ok(None);
    }
    match label::value(cell, heading::number(cell, table.mark), &table.recipe, (table.has_fixed_labels, table.has_classes)) {
        Ok(label) => Ok(Some(label)),
        Err(_) if table.unlabelled => Ok(None),
        Err(wrong) => {
            wrong.finding.into_iter().for_each(|finding| example.find(finding));
            fault(places.start, places.end, wrong.problem, wrong.remedy)
        }
    }
}

#[inline(never)]
fn weight_of(table: &Table, cell: &[u8], places: Range<usize>, example: &mut Example<'_>) -> Result<(), Fault> {
    const REMEDY: &str = "give each row a number from 0 up as its weight, or leave the row out";
    if table.unlabelled {
        return Ok(()); // of a prediction nothing depends on it
    }
    match heading::number(cell, table.mark) {
        Ok(weight) => example.weight(weight).map_err(|refused| refused.at(places)),
        Err(_) if is_missing(cell) => fault(places.start, places.end.max(places.start + 1), NO_WEIGHT, REMEDY),
        Err(_) => fault(places.start, places.end, BAD_WEIGHT, REMEDY),
    }
}

/// A number that is not written as most are, or what is wrong with it.
#[inline(never)]
fn real(table: &Table, column: &Column, cell: &[u8], places: Range<usize>, example: &mut Example<'_>) -> Result<f32, Fault> {
    let (problem, remedy) = match heading::number(cell, table.mark) {
        Ok(value) => return Ok(value),
        Err(Why::NoNumber) if column.may_be_words => {
            example.find(Finding::Words(column.place, format!("such as `{}`", readable(cell))));
            (
                "this is a word in a column that had numbers alone, and what comes through a pipe is read once",
                "name the column in `categorical`, or give a file in place of the pipe",
            )
        }
        Err(Why::NoNumber) if table.is_fixed => {
            ("this is a word in a column that was numbers in training", "give a number, leave the cell empty, or leave the row out")
        }
        Err(Why::NoNumber) => {
            ("this is a word in a column of numbers", "give a number, leave the cell empty, or name the column in `categorical`")
        }
        Err(Why::Nan) => ("this is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => ("this is infinite", REMEDY_FINITE),
        Err(Why::Range) => ("this is out of the range of 32-bit floats", "scale the values below 3.4e38"),
    };
    fault(places.start, places.end, problem, remedy)
}
