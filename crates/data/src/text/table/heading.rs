//! The heading of a table, and what its first lines say of each column.

use super::coded::are_codes;
use super::label::{self, Classes, NAMES};
use super::record::{Broken, Cell, record};
use super::{Act, Column, Table, weighs_nothing};
use crate::bytes::{from, line_end, readable};
use crate::ids::plain_integer;
use crate::text::crosses::Crosses;
use crate::text::fault::Bad;
use crate::text::fields::with_point;
use crate::text::number::{Why, long_number};
use crate::text::parse::Start;
use crate::text::ratings::are_ratings;
use crate::text::recipe::{self, Preparation, Recipe, Step, is_missing};
use crate::text::{Asked, Begun, Format};
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

/// How many rows are looked at for what columns are.
const SAMPLE: usize = 20_000;

/// The first line with something in it: its number from 0, and where it begins.
fn first_line(text: &[u8]) -> Option<(u64, usize)> {
    let (mut at, mut number) = (if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }, 0);
    while at < text.len() {
        let end = line_end(text, at).min(text.len());
        if !text.get(at..end)?.trim_ascii().is_empty() {
            return Some((number, at));
        }
        (at, number) = (end, number + 1);
    }
    None
}

/// A heading: what separates its cells, what they say, and where they are.
struct Heading {
    mark: u8,
    names: Vec<String>,
    cells: Vec<Cell>,
    number: u64,
    start: usize,
    /// Behind it.
    end: usize,
}

impl Heading {
    /// By the mark that gives most cells.
    fn read(text: &[u8], marks: &[u8]) -> Result<Option<Heading>, Bad> {
        let Some((number, start)) = first_line(text) else { return Ok(None) };
        let read = |&mark: &u8| record(text, start, mark).map(|(cells, end)| (mark, cells, end));
        let mut found: Vec<_> = marks.iter().map(read).collect();
        // Of marks that give as many the first.
        let most = found.iter().filter_map(|found| found.as_ref().ok().map(|(_, cells, _)| cells.len())).max();
        let best = found.iter().position(|found| found.as_ref().ok().map(|(_, cells, _)| cells.len()) == most);
        // One cell alone says nothing; where another mark meets a quote that is not closed, that is what is wrong.
        let broken = found.iter().position(Result::is_err).filter(|_| most == Some(1));
        match found.swap_remove(broken.or(best).unwrap_or(0)) {
            Ok((mark, cells, end)) => {
                let name = |cell: &Cell| String::from_utf8_lossy(&cell.value(text)).into_owned();
                let mut names: Vec<String> = cells.iter().map(name).collect();
                // As spreadsheets end lines.
                while names.len() > 1 && names.last().is_some_and(String::is_empty) {
                    names.pop();
                }
                Ok(Some(Heading { mark, names, cells, number, start, end }))
            }
            Err(Broken(at)) => {
                let end = line_end(text, start).min(text.len());
                let problem = "a quote is not closed in the heading, or something stands behind the closing one";
                Err(Bad::of(text, number, start, at..end, problem, "close the quote, and double those inside"))
            }
        }
    }

    /// Where each name stands first.
    fn places(&self) -> HashMap<&str, usize, FixedState> {
        self.names.iter().enumerate().rev().map(|(place, name)| (name.as_str(), place)).collect()
    }

    fn list(&self) -> String {
        self.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }

    /// What is wrong with a name, or with all of them.
    fn bad(&self, text: &[u8], place: Option<usize>, problem: String, remedy: impl Into<std::borrow::Cow<'static, str>>) -> Bad {
        let places = match place.and_then(|place| self.cells.get(place)) {
            Some(cell) => cell.start..cell.end,
            None => self.start..line_end(text, self.start).min(text.len()),
        };
        Bad::of(text, self.number, self.start, places, problem, remedy)
    }
}

/// Whether a text begins with a heading that has the label, and is none of ratings; and there is more than the heading.
pub(super) fn claims(text: &[u8], named: Option<&str>, marks: &[u8]) -> bool {
    let Ok(Some(heading)) = Heading::read(text, marks) else { return false };
    // Of a label that was named the heading is to say that it is not there.
    let has_label = named.is_some() || label::find(heading.names.iter().map(String::as_str), named).is_some();
    let are_names = heading.names.iter().all(|name| long_number(name.as_bytes()).is_err());
    has_label && are_names && heading.names.len() > 1 && (named.is_some() || !are_ratings(&heading.names))
}

/// Looks at the heading and the first rows.
pub(super) fn begin(text: &[u8], asked: Asked<'_>, format: Format, marks: &[u8]) -> Result<Begun<Table>, Bad> {
    const ANY: [u8; 4] = [b',', b';', b'\t', b'|'];
    let Some(heading) = Heading::read(text, if asked.is_fixed { &ANY } else { marks })? else {
        return Ok(Begun { start: Start { at: text.len(), lines: 0 }, decided: false, ..Begun::all(Table::default()) });
    };
    let lines = |end: usize| memchr::memchr_iter(b'\n', from(text, 0).get(..end).unwrap_or(text)).count() as u64;
    let start = Start { at: heading.end.min(text.len()), lines: lines(heading.end.min(text.len())) };
    let places = heading.places();
    if let Some((place, name)) = (0..).zip(&heading.names).find(|(i, name)| !name.is_empty() && places.get(name.as_str()) != Some(i)) {
        return Err(heading.bad(text, Some(place), format!("two columns are called `{name}`"), "give each column a name of its own"));
    }
    let none = Preparation::default();
    let prepare = asked.prepare.filter(|_| !asked.is_fixed).unwrap_or(&none);
    if let Some((_, name)) = prepare.columns().into_iter().find(|(_, name)| !heading.names.iter().any(|other| other == name)) {
        let problem = format!("no column is called `{name}`; the columns are: {}", heading.list());
        return Err(heading.bad(text, None, problem, "name one of them"));
    }
    let known = asked.recipe.filter(|recipe| !recipe.columns.is_empty() || recipe.label.is_some());
    let named = known.map_or(prepare.label.as_deref(), |recipe| recipe.label.as_deref());
    // Upper and lower case are told apart where the name is known, or a feature could be taken for the label.
    let label = match known.zip(named) {
        Some((recipe, named)) => heading.places().get(named).copied().or_else(|| {
            let alike = |name: &String| name.eq_ignore_ascii_case(named) && recipe.column(name).is_none();
            heading.names.iter().position(alike)
        }),
        None => label::find(heading.names.iter().map(String::as_str), named),
    };
    if label.is_none() && !asked.unlabelled {
        let numbers = heading.names.iter().any(|name| long_number(name.as_bytes()).is_ok());
        let called = named.map_or_else(|| NAMES.to_owned(), |name| format!("`{name}`"));
        let problem = format!("no column is called {called}; the columns are: {}", heading.list());
        let remedy = if numbers {
            "let the first line name the columns, and say which is the label in `label`"
        } else {
            "say which column is the label in `label`"
        };
        return Err(heading.bad(text, None, problem, remedy));
    }
    let mut notes = Vec::new();
    if !asked.is_fixed {
        let by_itself = prepare.label.is_none().then_some(label).flatten().and_then(|place| heading.names.get(place));
        notes.extend(by_itself.map(|name| format!("column `{name}` is the label")));
        let unnamed = (1..).zip(&heading.names).filter(|(_, name)| is_unnamed(name)).map(|(number, _)| number.to_string());
        let unnamed: Vec<String> = unnamed.collect();
        notes.extend((!unnamed.is_empty()).then(|| format!("left out: column {} (without a name)", unnamed.join(", "))));
    }
    let recipe = match known {
        Some(recipe) => {
            check_columns(text, &heading, recipe, asked, &mut notes)?;
            recipe.clone()
        }
        None => {
            let base = asked.recipe.cloned().unwrap_or_else(|| Recipe::of(format));
            let weight = heading.names.iter().position(|name| prepare.step(name) == Some(Step::Weight));
            let (sample, classes) = look(text, &heading, start.at, (label, asked.has_classes()), weight);
            let column = |(place, name): (usize, &String)| {
                let step = prepare.step(name).or_else(|| is_unnamed(name).then_some(Step::Ignored));
                let why = sample.get(place).and_then(|found| found.clone()).filter(|_| step.is_none());
                let step = step.unwrap_or(if why.is_some() { Step::Word } else { Step::Number });
                recipe::Column { name: name.clone(), step, why }
            };
            let columns: Vec<_> = heading.names.iter().enumerate().filter(|(place, _)| Some(*place) != label).map(column).collect();
            let crosses = prepare.crosses(&columns);
            let stranger = |name: &&String| !columns.iter().any(|column| column.name == **name && column.step.makes_features());
            if let Some(name) = crosses.iter().flatten().find(stranger) {
                let problem = format!("`{name}` is to be crossed, and is no column of features; the columns are: {}", heading.list());
                return Err(heading.bad(text, None, problem, "cross columns of features, as in `cross` a:b"));
            }
            Recipe { label: label.and_then(|place| heading.names.get(place)).cloned(), columns, classes, crosses, ..base }
        }
    };
    let crosses = Crosses::of(&recipe);
    let known_columns: HashMap<&str, usize, FixedState> =
        recipe.columns.iter().enumerate().map(|(place, column)| (column.name.as_str(), place)).collect();
    let columns = heading.names.iter().enumerate().map(|(place, name)| {
        let act = |place: usize| {
            let column = &recipe.columns[place];
            let may_be_words = column.step == Step::Number && !asked.is_fixed && !prepare.numeric.contains(name);
            Column { place, act: Act::of(&column.name, &column.step), may_be_words, crossed: crosses.number(&column.name) }
        };
        let of = if Some(place) == label { None } else { known_columns.get(name.as_str()).copied() };
        let alone = if Some(place) == label { Act::Label } else { Act::Skip };
        of.map_or(Column { place: usize::MAX, act: alone, may_be_words: false, crossed: None }, act)
    });
    let columns: Vec<Column> = columns.collect();
    drop(known_columns);
    let weight = columns.iter().position(|column| matches!(column.act, Act::Weight)).filter(|_| !asked.unlabelled);
    let table = Table {
        mark: heading.mark,
        columns,
        recipe: recipe.clone(),
        is_fixed: asked.is_fixed,
        has_fixed_labels: asked.has_fixed_labels(),
        has_classes: asked.has_classes(),
        unlabelled: asked.unlabelled,
        weight,
        crosses,
        are_apart: recipe.keeps_words_apart(),
        fronts: recipe.columns.iter().map(|column| format!("{}=", column.name).into_bytes()).collect(),
    };
    let note = (!notes.is_empty()).then(|| notes.join("; "));
    Ok(Begun { start, note, recipe: Some(recipe), quoted: Some(heading.mark), ..Begun::all(table) })
}

/// Whether a column has no name but the one that pandas gives to those without.
fn is_unnamed(name: &str) -> bool {
    name.is_empty() || name.strip_prefix("Unnamed: ").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether the columns are those that are known already.
fn check_columns(text: &[u8], heading: &Heading, recipe: &Recipe, asked: Asked<'_>, notes: &mut Vec<String>) -> Result<(), Bad> {
    let places = heading.places();
    let is_there = |name: &str| places.contains_key(name);
    let is_needed = |column: &&recipe::Column| column.step.makes_features() || column.step == Step::Weight && !asked.is_fixed;
    let missing = recipe.columns.iter().filter(is_needed).find(|column| !is_there(&column.name));
    let whose = if asked.is_fixed { "the model was trained on" } else { "the text before has" };
    if let Some(column) = missing {
        let problem = format!("column `{}` is missing, which {whose}; the columns are: {}", column.name, heading.list());
        return Err(heading.bad(text, None, problem, "give that column, or train without it (see `ignore`)"));
    }
    let unweighted = recipe.columns.iter().find(|column| column.step == Step::Weight && !is_there(&column.name) && !asked.unlabelled);
    notes.extend(unweighted.map(|column| format!("column `{}` is missing, so all examples count alike", column.name)));
    let known: HashSet<&str, FixedState> = recipe.columns.iter().map(|column| column.name.as_str()).collect();
    let is_new = |name: &&String| !known.contains(name.as_str()) && recipe.label.as_ref() != Some(name) && !is_unnamed(name);
    let new: Vec<String> = heading.names.iter().filter(is_new).map(|name| format!("`{name}`")).collect();
    match new.first() {
        Some(name) if !asked.is_fixed => {
            let problem = format!("column {name} is not in the text before; the columns are: {}", heading.list());
            Err(heading.bad(text, None, problem, "give files with the same columns, or name it in `ignore`"))
        }
        Some(_) => {
            notes.push(format!("left out, as the model was trained without: {}", new.join(", ")));
            Ok(())
        }
        None => Ok(()),
    }
}

/// What the first rows say of a column: why it is one of words, if it is; and its whole numbers, if all are such.
struct Seen {
    why: Option<String>,
    whole: Option<Vec<u64>>,
}

impl Seen {
    fn see(&mut self, cell: &[u8], mark: u8) {
        // Which is neither a word nor missing.
        if let Some(number) = plain_integer(cell) {
            self.whole.iter_mut().for_each(|whole| whole.push(number));
            return;
        }
        if self.why.is_none() && is_word(cell, mark) {
            self.why = Some(format!("such as `{}`", readable(cell)));
        }
        if self.whole.is_some() && !is_missing(cell) {
            self.whole = None;
        }
    }

    /// Why its cells are words.
    fn why(self) -> Option<String> {
        let whole = self.whole.unwrap_or_default();
        let first = whole.first().copied();
        let codes = || {
            first
                .filter(|_| are_codes(whole))
                .map(|code| format!("codes such as {code}; name the column as numeric if they are quantities"))
        };
        self.why.or_else(codes)
    }
}

/// Of each column why it is one of words, if the first rows say so; and the labels, where they are two words.
fn look(
    text: &[u8],
    heading: &Heading,
    mut at: usize,
    (label, any): (Option<usize>, bool),
    weight: Option<usize>,
) -> (Vec<Option<String>>, Vec<String>) {
    let mut found: Vec<Seen> = heading.names.iter().map(|_| Seen { why: None, whole: Some(Vec::new()) }).collect();
    let mut classes = Classes::new(any);
    for _ in 0..SAMPLE {
        if at >= text.len() {
            break;
        }
        // The last record may be cut short by the end of the sample.
        let Ok((cells, end)) = record(text, at, heading.mark) else { break };
        at = end;
        if weight.and_then(|place| cells.get(place)).is_some_and(|cell| weighs_nothing(&cell.value(text), heading.mark)) {
            continue;
        }
        if let Some(cell) = label.and_then(|place| cells.get(place)) {
            classes.see(&cell.value(text), |cell| number(cell, heading.mark));
        }
        cells.iter().zip(&mut found).for_each(|(cell, found)| found.see(&cell.value(text), heading.mark));
    }
    (found.into_iter().map(Seen::why).collect(), classes.words())
}

/// Whether a cell is neither missing nor a number.
pub(super) fn is_word(cell: &[u8], mark: u8) -> bool {
    !is_missing(cell) && matches!(number(cell, mark), Err(Why::NoNumber))
}

/// A number, with a decimal comma where no comma separates.
pub(super) fn number(cell: &[u8], mark: u8) -> Result<f32, Why> {
    long_number(cell).or_else(|why| match (why, mark) {
        (Why::NoNumber, b';' | b'\t' | b'|') => long_number(&with_point(cell)),
        (why, _) => Err(why),
    })
}
