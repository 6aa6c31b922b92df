//! What the columns of a file are, by its schema, by what was asked, or by a model's recipe.

use hogwild_base::Result;

use super::bad;
use super::cells::{Cells, Holds, holds};
use super::file::TableFile;
use crate::text::crosses::Crosses;
use crate::text::recipe::{self, Preparation, Recipe, Step};
use crate::text::table::label::{self, Classes, NAMES};
use crate::text::{Asked, Format, long_number};

/// Rows that are looked at for labels that are words.
const SAMPLE: usize = 20_000;

/// What is done to the columns of a file.
pub(super) struct Layout {
    pub(super) columns: Vec<Column>,
    /// Their numbers in the schema.
    pub(super) wanted: Vec<usize>,
    pub(super) recipe: Recipe,
    /// Whether labels are only those that the recipe has.
    pub(super) has_fixed_labels: bool,
    /// Whether labels are classes by name.
    pub(super) has_classes: bool,
    pub(super) unlabelled: bool,
    pub(super) crosses: Crosses,
    /// Whether the recipe [keeps words apart](Recipe::keeps_words_apart).
    pub(super) are_apart: bool,
}

/// A column that something is made of.
pub(super) struct Column {
    pub(super) name: String,
    /// Its place in the recipe.
    pub(super) place: usize,
    /// None: the label.
    pub(super) step: Option<Step>,
    /// What stands before a word in the name of a feature: `name=`.
    pub(super) front: Vec<u8>,
    /// Names of the features of bins.
    pub(super) bins: Vec<Vec<u8>>,
    /// Whether it becomes a column of words if one is in it.
    pub(super) may_be_words: bool,
    /// Its number among the columns that are crossed.
    pub(super) crossed: Option<usize>,
}

/// Looks at a schema. Gives also what is to be told.
pub(super) fn layout(file: &TableFile, asked: Asked<'_>) -> Result<(Layout, Vec<String>)> {
    let names: Vec<&str> = file.schema.fields().iter().map(|field| field.name().as_str()).collect();
    let list = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let wrong = |problem: String, remedy| Err(bad(&file.path, problem, remedy));
    if let Some((_, name)) = names.iter().enumerate().find(|(i, name)| names.iter().take(*i).any(|other| other == *name)) {
        return wrong(format!("has two columns that are called `{name}`"), "give each column a name of its own");
    }
    let none = Preparation::default();
    let prepare = asked.prepare.filter(|_| !asked.is_fixed).unwrap_or(&none);
    if let Some((_, name)) = prepare.columns().into_iter().find(|(_, name)| !names.contains(name)) {
        return wrong(format!("has no column called `{name}`; the columns are: {}", list()), "name one of them");
    }
    let known = asked.recipe.filter(|recipe| !recipe.columns.is_empty() || recipe.label.is_some());
    let named = known.map_or(prepare.label.as_deref(), |recipe| recipe.label.as_deref());
    let label = match known.is_some() {
        true => names.iter().position(|name| Some(*name) == named),
        false => label::find(names.iter().copied(), named),
    };
    if label.is_none() && !asked.unlabelled {
        let called = named.map_or_else(|| NAMES.to_owned(), |name| format!("`{name}`"));
        return wrong(format!("has no column called {called}; the columns are: {}", list()), "say which column is the label in `label`");
    }
    let mut notes = Vec::new();
    let kind = |place: usize| file.schema.field(place).data_type();
    let recipe = match known {
        Some(recipe) => {
            check_columns(file, &names, recipe, asked, &mut notes)?;
            recipe.clone()
        }
        None => {
            notes.extend(label.filter(|_| prepare.label.is_none()).map(|place| format!("column `{}` is the label", names[place])));
            let base = asked.recipe.cloned().unwrap_or_else(|| Recipe::of(Format::Csv));
            let classes = label.map_or(Ok(Vec::new()), |place| classes(file, place, asked.has_classes()))?;
            let mut column = |(place, name): (usize, &&str)| {
                let why = |holds: &str| Some(format!("{holds} in the file, {}", kind(place)));
                let (step, why) = match (prepare.step(name), holds(kind(place))) {
                    (Some(step), _) => (step, None),
                    (None, Holds::Numbers) => (Step::Number, None),
                    (None, Holds::Words) => (Step::Word, why("text")),
                    (None, Holds::Lists) => (Step::List("|".into()), why("a list")),
                    (None, Holds::Other) => {
                        notes.push(format!("left out: column `{name}`, whose type is {}", kind(place)));
                        (Step::Ignored, None)
                    }
                };
                recipe::Column { name: name.to_string(), step, why }
            };
            let columns: Vec<_> = names.iter().enumerate().filter(|(place, _)| Some(*place) != label).map(&mut column).collect();
            let crosses = prepare.crosses(&columns);
            let stranger = |name: &&String| !columns.iter().any(|column| column.name == **name && column.step.makes_features());
            if let Some(name) = crosses.iter().flatten().find(stranger) {
                let problem = format!("`{name}` is to be crossed, and is no column of features; the columns are: {}", list());
                return wrong(problem, "cross columns of features, as in `cross` a:b");
            }
            Recipe { label: label.map(|place| names[place].to_owned()), columns, classes, crosses, ..base }
        }
    };
    let crosses = Crosses::of(&recipe);
    let (mut columns, mut wanted) = (Vec::new(), Vec::new());
    for (number, name) in names.iter().enumerate() {
        let is_label = Some(number) == label;
        let place = recipe.column(name);
        let step = place.and_then(|place| recipe.columns.get(place)).map(|column| column.step.clone());
        let is_read = |step: &Step| step.makes_features() || *step == Step::Weight && !asked.unlabelled;
        let step = step.filter(is_read).filter(|_| !is_label);
        if step.is_none() && !is_label {
            continue;
        }
        if holds(kind(number)) == Holds::Other {
            let problem = format!("has a column `{name}` of the type {}, which is not read", kind(number));
            return wrong(problem, "write it as numbers or text, or name it in `ignore`");
        }
        let bins = step.iter().flat_map(Step::bins).map(|bin| format!("{name}{bin}").into_bytes()).collect();
        columns.push(Column {
            name: name.to_string(),
            place: place.unwrap_or(usize::MAX),
            may_be_words: step == Some(Step::Number) && !asked.is_fixed && !prepare.numeric.iter().any(|other| other == name),
            step,
            front: format!("{name}=").into_bytes(),
            bins,
            crossed: if is_label { None } else { crosses.number(name) },
        });
        wanted.push(number);
    }
    let (has_fixed_labels, has_classes, unlabelled) = (asked.has_fixed_labels(), asked.has_classes(), asked.unlabelled);
    let are_apart = recipe.keeps_words_apart();
    Ok((Layout { columns, wanted, recipe, has_fixed_labels, has_classes, unlabelled, crosses, are_apart }, notes))
}

/// Whether the columns are those that are known already.
fn check_columns(file: &TableFile, names: &[&str], recipe: &Recipe, asked: Asked<'_>, notes: &mut Vec<String>) -> Result<()> {
    let list = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let is_there = |name: &String| names.contains(&name.as_str());
    let is_needed = |column: &&recipe::Column| column.step.makes_features() || column.step == Step::Weight && !asked.is_fixed;
    let whose = if asked.is_fixed { "the model was trained on" } else { "the file before has" };
    if let Some(column) = recipe.columns.iter().filter(is_needed).find(|column| !is_there(&column.name)) {
        let problem = format!("has no column `{}`, which {whose}; the columns are: {}", column.name, list());
        return Err(bad(&file.path, problem, "give that column, or train without it (see `ignore`)"));
    }
    let unweighted = recipe.columns.iter().find(|column| column.step == Step::Weight && !is_there(&column.name) && !asked.unlabelled);
    notes.extend(unweighted.map(|column| format!("column `{}` is missing, so all examples count alike", column.name)));
    let is_new = |name: &&&str| recipe.column(name).is_none() && recipe.label.as_deref() != Some(**name);
    let new: Vec<String> = names.iter().filter(is_new).map(|name| format!("`{name}`")).collect();
    match new.first() {
        Some(name) if !asked.is_fixed => {
            let problem = format!("has a column {name} that is not in the file before; the columns are: {}", list());
            Err(bad(&file.path, problem, "give files with the same columns, or name it in `ignore`"))
        }
        Some(_) => {
            notes.push(format!("left out, as the model was trained without: {}", new.join(", ")));
            Ok(())
        }
        None => Ok(()),
    }
}

/// The labels of the first rows, where they are words.
fn classes(file: &TableFile, label: usize, any: bool) -> Result<Vec<String>> {
    let mut found = Classes::new(any);
    let (mut rows, mut room, mut part) = (0, Vec::new(), None);
    while let Some(next) = file.part_behind(part.as_ref(), SAMPLE).filter(|_| rows < SAMPLE) {
        for batch in file.batches(&next, &[label])? {
            let batch = batch?;
            let cells = Cells::of(batch.column(0));
            (0..batch.num_rows()).for_each(|row| found.see(cells.text(row, &mut room), long_number));
            rows += batch.num_rows();
            if rows >= SAMPLE {
                break;
            }
        }
        part = Some(next);
    }
    Ok(found.words())
}
