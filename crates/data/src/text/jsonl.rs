//! JSON, an object a line. Its fields are columns, as those of a table, but their types are told by the values: a number is the value of a
//! feature `name`, a word (or true, or false) a feature `name=word`, a list a bag of these; what lies within is `a.b`.

use serde_json::{Map, Value};

use crate::bytes::{line_end, lines, part};
use crate::kind::MISSING;
use crate::text::bins::class;
use crate::text::collector::Observed;
use crate::text::crosses::Crosses;
use crate::text::examples::{Example, Examples};
use crate::text::fault::{Bad, Fault, REMEDY_FINITE, fault};
use crate::text::number::{Why, long_number};
use crate::text::ratings::json;
use crate::text::recipe::{self, Recipe, Step, bin, is_missing, log};
use crate::text::sink::{Refused, RowSink};
use crate::text::table::label::{self, Classes, NAMES};
use crate::text::table::{BAD_WEIGHT, NO_WEIGHT};
use crate::text::{Asked, Begun, Format, TextFormat};

/// How many objects are looked at for their labels.
const SAMPLE: usize = 2_000;

/// Objects, one a line.
pub(crate) struct Jsonl {
    recipe: Recipe,
    crosses: Crosses,
    is_fixed: bool,
    has_fixed_labels: bool,
    has_classes: bool,
    unlabelled: bool,
}

impl TextFormat for Jsonl {
    const NAME: &'static str = "jsonl";
    const LOOKS: &'static str = "an object of JSON a line: `{\"label\": 1, \"age\": 30, \"city\": \"Rome\"}`";
    type Collector = Examples;
    const COLUMNS: bool = true;

    /// The first line is a whole object, and so is the second if there is one.
    fn claims(first_lines: &[u8], _label: Option<&str>) -> bool {
        let text = first_lines.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first_lines);
        let mut whole = lines(text).map(|(_, line)| line.trim_ascii()).filter(|line| !line.is_empty());
        whole.next().is_some_and(|line| object(line).is_some()) && whole.next().is_none_or(|line| line.starts_with(b"{"))
    }

    fn recognises(_: &[u8]) -> bool {
        false
    }

    fn begin(first_lines: &[u8], asked: Asked<'_>) -> Result<Begun<Jsonl>, Bad> {
        let recipe = match asked.recipe.filter(|recipe| asked.is_fixed || recipe.label.is_some() || !recipe.columns.is_empty()) {
            Some(recipe) => recipe.clone(),
            None => {
                let text = first_lines.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first_lines);
                let mut number = 0;
                let first = lines(text).inspect(|_| number += 1).find(|(_, line)| !line.trim_ascii().is_empty());
                let Some((start, line)) = first else {
                    return Ok(Begun { decided: false, ..Begun::all(Jsonl::of(Recipe::of(Format::Jsonl), asked)) });
                };
                let fields = object(line.trim_ascii()).unwrap_or_default();
                let named = asked.prepare.and_then(|prepare| prepare.label.as_deref());
                let found = label::find(fields.keys().map(String::as_str), named).and_then(|place| fields.keys().nth(place));
                let label = found.map(String::as_str).or(named);
                if label.is_none()
                    && !asked.unlabelled
                    && let Some(bad) = json::rating(first_lines, false)
                {
                    return Err(bad);
                }
                if label.is_none() && !asked.unlabelled && !fields.is_empty() {
                    let names = fields.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                    let problem = format!("this is JSON, an object a line, and no field is called {NAMES}; the fields are: {names}");
                    let places = start..start + line.trim_ascii_end().len();
                    return Err(Bad::of(text, number - 1, start, places, problem, "say which field is the label in `label`"));
                }
                let base = asked.recipe.cloned().unwrap_or_else(|| Recipe::of(Format::Jsonl));
                // Columns of which something is asked; those of others say themselves what they are.
                let mut columns: Vec<recipe::Column> = Vec::new();
                for (_, name) in asked.prepare.map(|prepare| prepare.columns()).unwrap_or_default() {
                    let step = asked.prepare.and_then(|prepare| prepare.step(name));
                    if let Some(step) = step.filter(|_| columns.iter().all(|column| column.name != name)) {
                        columns.push(recipe::Column { name: name.to_owned(), step, why: None });
                    }
                }
                let crosses = asked.prepare.map(|prepare| prepare.crosses(&[])).unwrap_or_default();
                let recipe = Recipe { label: label.map(str::to_owned), columns, crosses, ..base };
                let of = |label| classes(text, label, weight_path(&recipe), asked.has_classes());
                let classes = label.map(of).unwrap_or_default();
                Recipe { classes, ..recipe }
            }
        };
        let note = (!asked.is_fixed).then(|| {
            let label = recipe.label.as_ref().map(|name| format!("; field `{name}` is the label")).unwrap_or_default();
            format!("JSON, an object a line{label}")
        });
        let format = Jsonl::of(recipe.clone(), asked);
        Ok(Begun { recipe: Some(recipe), note, ..Begun::all(format) })
    }

    fn line(&self, text: &[u8], place: &mut usize, rows: &mut Examples) -> Result<(), Fault> {
        let start = *place;
        let end = line_end(text, start) - 1;
        let line = part(text, start..end);
        if line.trim_ascii().is_empty() {
            *place = end + 1;
            return Ok(());
        }
        let fields: Map<String, Value> = match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return fault(start, end, "this is no object of JSON", "write each example as an object in a line of its own"),
            Err(problem) => {
                let at = start + problem.column().saturating_sub(1).min(line.len());
                return fault(at.min(end), end.max(at), "the JSON is damaged here", "write each example as an object in a line of its own");
            }
        };
        let weight = self.weight(&fields).map_err(|found| found.at(start, end))?;
        if weight == Some(0.0) {
            rows.pass_over();
            *place = end + 1;
            return Ok(());
        }
        let mut example = rows.begin();
        example.weight(weight.unwrap_or(1.0)).map_err(|refused| refused.at(start..end))?;
        let mut given = MISSING;
        let mut path = String::new();
        for (name, value) in &fields {
            if self.recipe.label.as_deref() == Some(name) {
                given = self.label(value, &mut example).map_err(|found| found.at(start, end))?.unwrap_or(MISSING);
                continue;
            }
            path.clear();
            path.push_str(name);
            self.field(&mut path, value, &mut example, false).map_err(|found| found.at(start, end))?;
        }
        if given.is_nan() && !self.unlabelled {
            return fault(
                start,
                end,
                "the label is missing",
                "give each object its label, or leave it out; `predict` takes objects without",
            );
        }
        example.label(given);
        *place = end + 1;
        if !self.crosses.is_empty() {
            example.cross(&self.crosses).map_err(|refused| refused.at(start..end))?;
        }
        example.end().map_err(|refused| refused.at(start..end))
    }
}

/// The labels of the first objects that count for anything, where they are two words, or any.
fn classes(text: &[u8], label: &str, weight: Option<&str>, any: bool) -> Vec<String> {
    let mut found = Classes::new(any);
    for (_, line) in lines(text).take(SAMPLE) {
        let Some(fields) = object(line.trim_ascii()) else { continue };
        let counts = weight.and_then(|path| at_path(&fields, path)).and_then(number_of) != Some(0.0);
        if let Some(Value::String(word)) = fields.get(label).filter(|_| counts) {
            found.see(word.as_bytes(), long_number);
        }
    }
    found.words()
}

/// Which field says how much an object counts.
fn weight_path(recipe: &Recipe) -> Option<&str> {
    recipe.columns.iter().find(|column| column.step == Step::Weight).map(|column| column.name.as_str())
}

/// The value of a field, or of one within others: `a.b`.
fn at_path<'a>(fields: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    fields.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        at_path(fields.get(first)?.as_object()?, rest)
    })
}

/// A number, which may stand in quotes.
fn number_of(value: &Value) -> Option<f32> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    long_number(text.as_bytes()).ok()
}

/// What is wrong with an object.
struct Wrong {
    problem: &'static str,
    remedy: &'static str,
}

impl Wrong {
    #[cold]
    fn at(self, start: usize, end: usize) -> Fault {
        Fault { start, end, problem: self.problem, remedy: self.remedy }
    }
}

impl From<Refused> for Wrong {
    fn from(refused: Refused) -> Wrong {
        Wrong { problem: refused.problem, remedy: refused.remedy }
    }
}

fn object(line: &[u8]) -> Option<Map<String, Value>> {
    if line.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(line).ok()
}

impl Jsonl {
    fn of(recipe: Recipe, asked: Asked<'_>) -> Jsonl {
        let (crosses, has_fixed_labels) = (Crosses::of(&recipe), asked.has_fixed_labels());
        Jsonl {
            recipe,
            crosses,
            is_fixed: asked.is_fixed,
            has_fixed_labels,
            has_classes: asked.has_classes(),
            unlabelled: asked.unlabelled,
        }
    }

    fn label(&self, value: &Value, example: &mut Example<'_>) -> Result<Option<f32>, Wrong> {
        let text = match value {
            Value::Null => return Ok(None),
            Value::Bool(is_so) => return Ok(Some(if *is_so { 1.0 } else { -1.0 })),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(_) | Value::Object(_) if self.unlabelled => return Ok(None),
            Value::Array(_) | Value::Object(_) => {
                return Err(Wrong { problem: "the label is no number and no word", remedy: "give one number or word as the label" });
            }
        };
        if is_missing(text.as_bytes()) {
            return Ok(None);
        }
        match label::value(text.as_bytes(), long_number(text.as_bytes()), &self.recipe, (self.has_fixed_labels, self.has_classes)) {
            Ok(label) => Ok(Some(label)),
            Err(_) if self.unlabelled => Ok(None),
            Err(label::Wrong { problem, remedy, finding }) => {
                finding.into_iter().for_each(|finding| example.find(finding));
                Err(Wrong { problem, remedy })
            }
        }
    }

    /// How much an object counts, if it says so. Of text for a model that field may be missing.
    fn weight(&self, fields: &Map<String, Value>) -> Result<Option<f32>, Wrong> {
        const REMEDY: &str = "give each object a number from 0 up as its weight, or leave it out";
        let Some(path) = weight_path(&self.recipe).filter(|_| !self.unlabelled) else { return Ok(None) };
        match at_path(fields, path) {
            None if self.is_fixed => Ok(None),
            None | Some(Value::Null) => Err(Wrong { problem: NO_WEIGHT, remedy: REMEDY }),
            Some(value) => number_of(value).map(Some).ok_or(Wrong { problem: BAD_WEIGHT, remedy: REMEDY }),
        }
    }

    /// The features of a field, by its path. In a list values are words.
    fn field(&self, path: &mut String, value: &Value, example: &mut Example<'_>, in_list: bool) -> Result<(), Wrong> {
        let place = self.recipe.column(path);
        let step = place.and_then(|place| self.recipe.columns.get(place)).map(|column| &column.step);
        if !self.crosses.is_empty() {
            example.of_crossed(self.crosses.number(path));
        }
        match (value, step) {
            (_, Some(Step::Ignored | Step::Weight)) | (Value::Null, _) => Ok(()),
            (Value::Object(fields), _) => {
                let length = path.len();
                for (name, value) in fields {
                    path.push('.');
                    path.push_str(name);
                    self.field(path, value, example, in_list)?;
                    path.truncate(length);
                }
                Ok(())
            }
            (Value::Array(all), _) => all.iter().try_for_each(|value| self.field(path, value, example, true)),
            (Value::Bool(is_so), _) => self.word(path, if *is_so { "true" } else { "false" }, example, in_list),
            (Value::String(text), _) if is_missing(text.as_bytes()) => Ok(()),
            (Value::String(text), Some(Step::List(mark))) => text
                .split(mark.as_str())
                .map(str::trim)
                .filter(|word| !is_missing(word.as_bytes()))
                .try_for_each(|word| self.word(path, word, example, true)),
            (Value::String(text), Some(step)) if step.is_of_numbers() => self.number(path, text, step, place, example),
            (Value::String(text), _) => self.word(path, text, example, in_list),
            (Value::Number(number), Some(Step::Word | Step::List(_))) => self.word(path, &number.to_string(), example, in_list),
            (Value::Number(number), _) if in_list => self.word(path, &number.to_string(), example, true),
            (Value::Number(number), step) => self.number(path, &number.to_string(), step.unwrap_or(&Step::Number), place, example),
        }
    }

    fn word(&self, path: &str, word: &str, example: &mut Example<'_>, in_list: bool) -> Result<(), Wrong> {
        let mut front = [0; 128];
        let length = path.len();
        let long;
        let front: &[u8] = match front.get_mut(..=length) {
            Some(room) => {
                let (name, mark) = room.split_at_mut(length);
                name.copy_from_slice(path.as_bytes());
                mark.fill(b'=');
                room
            }
            None => {
                long = format!("{path}=");
                long.as_bytes()
            }
        };
        let put = if in_list { example.in_bag(front, word.as_bytes(), 1.0) } else { example.named(front, word.as_bytes(), 1.0) };
        put.map_err(Wrong::from)
    }

    fn number(&self, path: &str, text: &str, step: &Step, place: Option<usize>, example: &mut Example<'_>) -> Result<(), Wrong> {
        let value = long_number(text.trim().as_bytes()).map_err(|why| match why {
            Why::NoNumber => Wrong {
                problem: "a word stands in a field that is to hold numbers",
                remedy: "give a number or null there, or name the field in `categorical`",
            },
            Why::Nan | Why::Infinite => Wrong { problem: "a field holds a number that is not finite", remedy: REMEDY_FINITE },
            Why::Range => {
                Wrong { problem: "a field holds a number out of the range of 32-bit floats", remedy: "scale the values below 3.4e38" }
            }
        })?;
        match step {
            Step::Bins(_, edges) if edges.is_empty() => {
                let column = place.unwrap_or(0) as u32;
                example.observe(Observed { column, class: class(value) });
                Ok(())
            }
            Step::Bins(_, edges) => {
                let bins = step.bins();
                let bin = bins.get(bin(edges, value)).map_or("", String::as_str);
                example.named(path.as_bytes(), bin.as_bytes(), 1.0).map_err(Wrong::from)
            }
            Step::Log => example.named(path.as_bytes(), b"", log(value)).map_err(Wrong::from),
            _ => example.named(path.as_bytes(), b"", value).map_err(Wrong::from),
        }
    }
}
