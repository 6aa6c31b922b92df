//! fastText's lines: `__label__x word word ...`. A word is a feature, and its value is how often it stands in the line.
//!
//! With `ngrams` 2, two words in a row are a feature too: `not good`. Labels are words of two classes, of
//! which the first in order is -1, or, for models of several classes, of any number.

use std::collections::HashSet;
use std::ops::Range;

use crate::bytes::{blank, byte, line_end, lines, part, words};
use crate::kind::MISSING;
use crate::text::examples::{Example, Examples};
use crate::text::fault::{Bad, Fault, fault};
use crate::text::labelling::{ClassReader, Read};
use crate::text::recipe::{Finding, Recipe};
use crate::text::sink::RowSink;
use crate::text::table::label;
use crate::text::{Asked, Begun, Format, Labelling, TextFormat};

/// What a label begins with.
const MARK: &[u8] = b"__label__";
/// How many lines are looked at for their labels.
const SAMPLE: usize = 20_000;

/// Lines of fastText.
pub(crate) struct FastText {
    recipe: Recipe,
    has_fixed_labels: bool,
    unlabelled: bool,
    /// Where labels are classes of any number.
    classes: Option<ClassReader>,
}

impl TextFormat for FastText {
    const NAME: &'static str = "fasttext";
    const LOOKS: &'static str = "`__label__x word word ...`";
    type Collector = Examples;
    const WORDS: bool = true;
    const ADDS: bool = true;

    fn recognises(line: &[u8]) -> bool {
        line.strip_prefix(MARK).is_some_and(|rest| rest.first().is_some_and(|&byte| !blank(byte)))
    }

    fn begin(first_lines: &[u8], asked: Asked<'_>) -> Result<Begun<FastText>, Bad> {
        let recipe = match asked.recipe.filter(|recipe| asked.is_fixed || !recipe.classes.is_empty()) {
            Some(recipe) => recipe.clone(),
            None => {
                let ngrams = asked.prepare.and_then(|prepare| prepare.ngrams).unwrap_or(1);
                let base = asked.recipe.cloned().unwrap_or_else(|| Recipe::of(Format::Fasttext));
                let recipe = Recipe { ngrams, ..base };
                let several = asked.has_classes() && asked.labelling == Labelling::Classes;
                let recipe = recipe.amend(findings(first_lines, several));
                // Of three classes the line of the third is told when it is read.
                if recipe.classes.len() > 2 && !asked.has_classes() { Recipe { classes: Vec::new(), ..recipe } } else { recipe }
            }
        };
        let note = (!asked.is_fixed).then(|| {
            let grams = if recipe.ngrams > 1 { format!(", and up to {} in a row are one too", recipe.ngrams) } else { String::new() };
            format!("fastText's lines: a word is a feature{grams}; its value is how often it is there")
        });
        let classes = asked.has_classes().then(|| ClassReader::new(asked.labelling, &recipe).of_words());
        let (has_fixed_labels, unlabelled) = (asked.has_fixed_labels(), asked.unlabelled);
        let format = FastText { recipe: recipe.clone(), has_fixed_labels, unlabelled, classes };
        Ok(Begun { recipe: Some(recipe), note, ..Begun::all(format) })
    }

    fn line(&self, text: &[u8], place: &mut usize, rows: &mut Examples) -> Result<(), Fault> {
        let start = *place;
        let end = line_end(text, start) - 1;
        let (mut tokens, mut at): (Vec<Range<usize>>, usize) = (Vec::new(), start);
        let mut label = None;
        let mut given: Vec<Range<usize>> = Vec::new();
        let mut example = rows.begin();
        let most = self.recipe.ngrams as usize;
        let mut gram = Vec::new();
        while at < end {
            while at < end && blank(byte(text, at)) {
                at += 1;
            }
            let begin = at;
            while at < end && !blank(byte(text, at)) {
                at += 1;
            }
            if at == begin {
                break;
            }
            let word = part(text, begin..at);
            if word.starts_with(MARK) && self.classes.is_some() {
                given.push(begin + MARK.len()..at);
                continue;
            }
            if let Some(class) = word.strip_prefix(MARK) {
                if label.is_some() && self.unlabelled {
                    continue;
                }
                if label.is_some() {
                    let remedy = "give each line one label, or train a model that takes several: `model` ovr";
                    return fault(begin, at, "this is a second label of the line, and one is read", remedy);
                }
                label = Some(self.class(class, begin + MARK.len()..at, &mut example)?);
                continue;
            }
            if let Err(refused) = example.named(b"", word, 1.0) {
                return Err(refused.at(begin..at));
            }
            if most > 1 {
                for before in 1..most.min(tokens.len() + 1) {
                    gram.clear();
                    for token in tokens.iter().skip(tokens.len() - before) {
                        gram.extend_from_slice(part(text, token.clone()));
                        gram.push(b' ');
                    }
                    if let Err(refused) = example.named(&gram, word, 1.0) {
                        return Err(refused.at(begin..at));
                    }
                }
                tokens.push(begin..at);
                if tokens.len() == most {
                    tokens.remove(0);
                }
            }
        }
        *place = end + 1;
        if let Some(classes) = self.classes.as_ref().filter(|_| !part(text, start..end).trim_ascii().is_empty()) {
            let names: Vec<&[u8]> = given.iter().map(|places| part(text, places.clone())).collect();
            let places = given.first().map_or(start..end, |first| first.start - MARK.len()..given.last().map_or(end, |last| last.end));
            match classes.read(&names, places, &mut example)? {
                Read::Label(found) => label = Some(found),
                Read::Set(count) => label = Some(count as f32),
            }
        }
        match label {
            Some(label) => example.label(label),
            // An empty line is none.
            None if part(text, start..end).trim_ascii().is_empty() => return Ok(()),
            None if self.unlabelled => example.label(MISSING),
            None => {
                let remedy = "begin each line with `__label__x`; `predict` takes lines without labels";
                return fault(start, end, "the label is missing", remedy);
            }
        }
        example.end().map_err(|refused| refused.at(start..end))
    }
}

/// The classes of the first lines, and, where that is asked, whether a line has not just one. What is no UTF-8 is refused when it is read.
fn findings(first_lines: &[u8], several: bool) -> Vec<Finding> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for (_, line) in lines(first_lines).take(SAMPLE).filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let classes = words(line).filter_map(|word| std::str::from_utf8(word.strip_prefix(MARK)?).ok());
        let mut count = 0;
        for class in classes {
            count += 1;
            if (count == 1 || several) && seen.insert(class) {
                found.push(Finding::Class(class.to_owned()));
            }
        }
        if several && count != 1 {
            found.push(Finding::Several);
        }
    }
    found
}

impl FastText {
    fn class(&self, class: &[u8], places: Range<usize>, example: &mut Example<'_>) -> Result<f32, Fault> {
        let fixed = |problem, remedy| fault(places.start - MARK.len(), places.end, problem, remedy);
        if class.is_empty() {
            return if self.unlabelled { Ok(MISSING) } else { fixed("the label has no name", "write it behind the mark: `__label__x`") };
        }
        if let Some(label) = label::of_class(class, &self.recipe.classes) {
            return Ok(label);
        }
        match self.has_fixed_labels {
            _ if self.unlabelled => Ok(MISSING),
            true => fixed("the label is none of the two that the model was trained on", "see `inspect` for these two words"),
            false if std::str::from_utf8(class).is_err() => fixed("the label is no UTF-8", "save the text as UTF-8"),
            false => {
                example.find(Finding::Class(String::from_utf8_lossy(class).into_owned()));
                const PROBLEM: &str = "the label did not occur before, and what comes through a pipe is read once";
                fixed(PROBLEM, "give a file in place of the pipe")
            }
        }
    }
}
