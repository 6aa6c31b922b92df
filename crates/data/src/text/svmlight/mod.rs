//! `label index:value index:value ...` (or `label:weight`), with comments after `#` and query numbers left out; for predictions also without the label.

mod counts;
pub(crate) mod looks;
mod odd;

use crate::bytes::{blank, byte, line_end, part};
use crate::kind::MISSING;
use crate::text::codes::Id;
use crate::text::collector::Named;
use crate::text::examples::{Example, Examples};
use crate::text::fault::{Bad, Fault, fault};
use crate::text::labelling::{ClassReader, Read, look, names_of};
use crate::text::mixed::{self, Advice};
use crate::text::number::{digits, short_number};
use crate::text::odd::{character, lone_return, wide_blank};
use crate::text::recipe::Recipe;
use crate::text::sink::{Refused, RowSink};
use crate::text::{Asked, Begun, Format, TextFormat};
use odd::{Label, label, long_index, value, weighted_class};

/// Rows of svmlight: every input is laid out alike.
pub(crate) struct Svmlight {
    /// Whether labels may be missing.
    unlabelled: bool,
    /// Where labels are classes.
    classes: Option<ClassReader>,
}

impl TextFormat for Svmlight {
    const NAME: &'static str = "svmlight";
    const LOOKS: &'static str = "`label index:value index:value ...`";
    type Collector = Examples;

    fn recognises(line: &[u8]) -> bool {
        looks::is_row(line)
    }

    fn begin(first_lines: &[u8], asked: Asked<'_>) -> Result<Begun<Svmlight>, Bad> {
        let unlabelled = asked.unlabelled;
        if !asked.has_classes() {
            return Ok(Begun::all(Svmlight { unlabelled, classes: None }));
        }
        let known = asked.recipe.filter(|recipe| recipe.several || !recipe.classes.is_empty()).cloned();
        let new = || look(first_lines, asked.labelling, asked.recipe.cloned().unwrap_or_else(|| Recipe::of(Format::Svmlight)));
        let recipe = known.unwrap_or_else(new);
        let classes = Some(ClassReader::new(asked.labelling, &recipe));
        Ok(Begun { recipe: Some(recipe), ..Begun::all(Svmlight { unlabelled, classes }) })
    }

    #[inline(always)]
    fn line(&self, text: &[u8], at: &mut usize, rows: &mut Examples) -> Result<(), Fault> {
        line(text, at, self, rows)
    }

    fn begins_with_counts(text: &[u8]) -> bool {
        counts::are_counts(text)
    }

    fn advise(found: Fault, named: Named) -> Fault {
        const BY_USER: Advice = (
            "this is a rating or a row of bare indices, for no `index:value` pair is in it",
            "write each row as `label index:value ...`, an index alone as `12:1`; if all lines are ratings, give `format` ratings",
        );
        const BY_MODEL: Advice = (
            "this line has no `index:value` pair, and the model takes svmlight rows",
            "write each row as `label index:value ...`; ratings are for models of `model` mf",
        );
        mixed::advise(found, named, BY_USER, BY_MODEL)
    }
}

/// Whether a token ends at a blank, a comment or the end of the line.
#[inline]
fn closes(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'#')
}

/// The end of a token, for what is odd about it: blanks that are no ASCII end it too.
fn token_end(text: &[u8], mut at: usize) -> usize {
    while !closes(byte(text, at)) && wide_blank(text, at) == 0 {
        at += character(text, at);
    }
    at
}

/// The token that begins at a place.
fn token(text: &[u8], start: usize) -> &[u8] {
    part(text, start..token_end(text, start))
}

/// Where the blanks end, those included that are no ASCII.
fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    loop {
        match wide_blank(text, at) {
            0 if blank(byte(text, at)) => at += 1,
            0 => return at,
            wide => at += wide,
        }
    }
}

/// Parses one line from `place`, leaves `place` after its newline.
#[inline(always)]
fn line(text: &[u8], place: &mut usize, how: &Svmlight, rows: &mut Examples) -> Result<(), Fault> {
    let mut at = *place;
    while blank(byte(text, at)) {
        at += 1;
    }
    if byte(text, at) > 127 {
        at = skip_blanks(text, at);
    }
    if matches!(byte(text, at), b'\n' | b'#') {
        *place = line_end(text, at);
        return Ok(());
    }
    let line = at;
    if let Some(classes) = &how.classes {
        let mut example = rows.begin();
        at = class(text, (*place, at), classes, &mut example)?;
        return features(text, place, (line, at), example);
    }
    let mut weight = None;
    let (label, end) = match short_number(text, at) {
        Some((label, end)) if closes(byte(text, end)) => (label, end),
        _ => match label(text, at, how.unlabelled)? {
            Label::Given(label, end) => (label, end),
            Label::Weighted(label, given, end) => {
                weight = Some(given);
                (label, end)
            }
            Label::Other(end) => (MISSING, end),
            Label::Absent => {
                rows.note_headless(at..token_end(text, at));
                (MISSING, at)
            }
        },
    };
    at = end + usize::from(byte(text, end) == b' ');
    let mut example = rows.begin();
    example.label(label);
    if let Some(weight) = weight {
        example.weight(weight).map_err(|refused| refused.at(line..end))?;
    }
    features(text, place, (line, at), example)
}

/// Reads the classes of a row; gives where its features begin.
#[inline(never)]
fn class(text: &[u8], (line, start): (usize, usize), classes: &ClassReader, example: &mut Example<'_>) -> Result<usize, Fault> {
    let end = token_end(text, start);
    let whole = token(text, start);
    // A pair is a label with a weight, or the first feature.
    let (name, behind) = match weighted_class(whole) {
        Some((name, weight)) => {
            example.weight(weight).map_err(|refused| refused.at(start..end))?;
            (name, end)
        }
        None if whole.contains(&b':') && start == line && classes.may_be_several() => {
            const REMEDY: &str = "begin a row without labels with a blank, and write a label with a weight as in `+1:2` or `1.0:2`";
            return fault(start, end, "the label is missing, or is followed by a weight and looks like an index", REMEDY);
        }
        None if whole.contains(&b':') => (&[][..], start),
        None => (whole, end),
    };
    match classes.read(&names_of(name), start..end, example)? {
        Read::Label(label) => example.label(label),
        Read::Set(count) => example.label(count as f32),
    }
    Ok(behind + usize::from(byte(text, behind) == b' '))
}

/// Reads the features of a row, whose label begins at `line`, and ends it.
#[inline(always)]
fn features(text: &[u8], place: &mut usize, (line, mut at): (usize, usize), mut example: Example<'_>) -> Result<(), Fault> {
    let mut width = 1;
    loop {
        let start = at;
        let (count, mut index, after) = digits(text, start);
        // Most indices are as long as the one before. Guessing so, the processor need not wait for the count to go on.
        if count != width {
            width = count;
            continue;
        }
        let mut colon = start + width;
        if width == 0 || after != b':' {
            // A blank more, the end of the line, a long index, or something odd.
            match byte(text, start) {
                b' ' | b'\t' => {
                    at += 1;
                    continue;
                }
                b'\r' => {
                    while blank(byte(text, at)) {
                        at += 1;
                    }
                    if byte(text, at) != b'\n' {
                        return Err(lone_return(text, start));
                    }
                    continue;
                }
                b'\n' => {
                    at += 1;
                    break;
                }
                b'#' => {
                    at = line_end(text, at);
                    break;
                }
                _ => match long_index(text, start)? {
                    (Some(found), end) => (index, colon) = (found, end),
                    (None, end) => {
                        at = end;
                        continue;
                    }
                },
            }
        }
        let (value, end) = match short_number(text, colon + 1) {
            Some((value, end)) if closes(byte(text, end)) => (value, end),
            _ => value(text, start, colon + 1)?,
        };
        at = end + usize::from(byte(text, end) == b' ');
        if let Err(refused) = example.feature(None, Id::Number(index), value) {
            return Err(refused.at(start..end));
        }
    }
    if let Err(refused) = example.end() {
        return Err(of_example(text, line, refused));
    }
    *place = at;
    Ok(())
}

/// The fault of an example as a whole, or of one of its features.
#[cold]
fn of_example(text: &[u8], line: usize, refused: Refused) -> Fault {
    let places = match refused.feature {
        Some(position) => feature_place(text, line, position),
        None => line..token_end(text, line),
    };
    refused.at(places)
}

/// Where a feature is, by its position in the row: a label and any query number come first, then the pairs in their order.
fn feature_place(text: &[u8], line: usize, position: usize) -> std::ops::Range<usize> {
    let has_no_label = token(text, line).contains(&b':');
    let (mut at, mut left) = (if has_no_label { line } else { token_end(text, line) }, position);
    loop {
        at = skip_blanks(text, at);
        let end = token_end(text, at);
        if at == end || (left == 0 && byte(text, at).is_ascii_digit()) {
            return at..end;
        }
        if byte(text, at).is_ascii_digit() {
            left -= 1;
        }
        at = end;
    }
}
