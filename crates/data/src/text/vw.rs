//! Vowpal Wabbit's lines: `label importance 'tag|namespace feature feature:value ... |namespace:weight ...`.
//!
//! Features keep their names, `namespace^feature`, and nothing is hashed: so a model can be read. Where one stands twice in a line its
//! values add up, as they do in Vowpal Wabbit. Labels of other tasks than one number a line are refused by their names.

use crate::bytes::{blank, byte, line_end, part, split_once, words};
use crate::text::crosses::Crosses;
use crate::text::examples::{Example, Examples};
use crate::text::fault::{Bad, Fault, REMEDY_FINITE, fault};
use crate::text::fields::{Separator, Shape};
use crate::text::number::{Why, long_number, short_number};
use crate::text::recipe::Recipe;
use crate::text::sink::RowSink;
use crate::text::{Asked, Begun, Format, TextFormat};

/// Lines of Vowpal Wabbit.
pub(crate) struct VowpalWabbit {
    /// Whether labels may be missing, or be anything.
    unlabelled: bool,
    crosses: Crosses,
}

impl TextFormat for VowpalWabbit {
    const NAME: &'static str = "vw";
    const LOOKS: &'static str = "Vowpal Wabbit's `label |namespace feature feature:value ...`";
    type Collector = Examples;
    const ADDS: bool = true;
    const GROUPS: bool = true;

    fn recognises(line: &[u8]) -> bool {
        is_vowpal_wabbit(line)
    }

    fn begin(_: &[u8], asked: Asked<'_>) -> Result<Begun<VowpalWabbit>, Bad> {
        let mut recipe = asked.recipe.cloned().unwrap_or_else(|| Recipe::of(Format::Vw));
        if let Some(prepare) = asked.prepare.filter(|_| !asked.is_fixed) {
            recipe.crosses = prepare.crosses(&[]);
        }
        let note = (!asked.is_fixed).then(|| "Vowpal Wabbit's lines: features are called `namespace^feature`".to_owned());
        let begun = Begun::all(VowpalWabbit { unlabelled: asked.unlabelled, crosses: Crosses::of(&recipe) });
        Ok(Begun { recipe: Some(recipe), note, ..begun })
    }

    #[inline(always)]
    fn line(&self, text: &[u8], at: &mut usize, rows: &mut Examples) -> Result<(), Fault> {
        line(text, at, self, rows)
    }
}

/// What ends a name.
const ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let marks = b" \t\r\n:|";
    let mut i = 0;
    while i < marks.len() {
        ends[marks[i] as usize] = true;
        i += 1;
    }
    ends
};

/// Where a name ends that begins at a place.
#[inline(always)]
fn name_end(text: &[u8], mut at: usize) -> usize {
    while !ENDS[usize::from(byte(text, at))] {
        at += 1;
    }
    at
}

/// Where a token ends, for what is wrong with it.
fn token_end(text: &[u8], mut at: usize) -> usize {
    while !blank(byte(text, at)) && !matches!(byte(text, at), b'\n' | b'|') {
        at += 1;
    }
    at
}

#[inline(always)]
fn line(text: &[u8], place: &mut usize, format: &VowpalWabbit, rows: &mut Examples) -> Result<(), Fault> {
    let start = *place;
    let mut at = start;
    while blank(byte(text, at)) {
        at += 1;
    }
    if matches!(byte(text, at), b'\n' | b'#') {
        *place = line_end(text, at);
        return Ok(());
    }
    let mut example = rows.begin();
    match short_number(text, at) {
        // Most lines have a label, a blank and a bar.
        Some((label, end)) if byte(text, end) == b' ' && byte(text, end + 1) == b'|' => {
            at = end + 1;
            example.label(label);
        }
        _ => at = head(text, at, format.unlabelled, &mut example)?,
    };
    // What features are called before their own names, in the namespace at hand.
    let (mut front, mut weight) = (&b""[..], 1.0);
    let mut buffer = [0u8; 64];
    let mut long = Vec::new();
    loop {
        match byte(text, at) {
            b' ' | b'\t' => at += 1,
            b'\n' => break,
            b'\r' => {
                while blank(byte(text, at)) {
                    at += 1;
                }
                if byte(text, at) != b'\n' {
                    return Err(crate::text::odd::lone_return(text, at - 1));
                }
            }
            b'|' => {
                let begin = at + 1;
                let end = name_end(text, begin);
                (at, weight) = (end, 1.0);
                if !format.crosses.is_empty() {
                    let namespace = std::str::from_utf8(part(text, begin..end)).ok();
                    example.of_crossed(namespace.and_then(|name| format.crosses.number(name)));
                }
                let length = end - begin;
                front = if length == 0 {
                    b""
                } else if let Some(room) = buffer.get_mut(..=length) {
                    let (name, mark) = room.split_at_mut(length);
                    name.copy_from_slice(part(text, begin..end));
                    mark.fill(b'^');
                    room
                } else {
                    long.clear();
                    long.extend_from_slice(part(text, begin..end));
                    long.push(b'^');
                    &long
                };
                if byte(text, at) == b':' {
                    (weight, at) = number(text, begin, at + 1, "the weight of the namespace")?;
                }
            }
            _ => {
                let begin = at;
                at = name_end(text, at);
                let name = part(text, begin..at);
                let mut value = weight;
                if byte(text, at) == b':' {
                    if name.is_empty() {
                        return fault(
                            begin,
                            token_end(text, begin),
                            "the feature has no name",
                            "write each feature as `name` or `name:value`",
                        );
                    }
                    let (own, end) = number(text, begin, at + 1, "the value")?;
                    (value, at) = (own * weight, end);
                    if !value.is_finite() {
                        return fault(begin, end, "the value times that of its namespace is no finite number", REMEDY_FINITE);
                    }
                }
                if let Err(refused) = example.named(front, name, value) {
                    return Err(refused.at(begin..at));
                }
            }
        }
    }
    *place = at + 1;
    if !format.crosses.is_empty() {
        example.cross(&format.crosses).map_err(|refused| refused.at(start..at))?;
    }
    example.end().map_err(|refused| refused.at(start..at))
}

/// A number behind a colon, and where it ends. What it belongs to begins at `begin`.
#[inline(always)]
fn number(text: &[u8], begin: usize, at: usize, what: &'static str) -> Result<(f32, usize), Fault> {
    match short_number(text, at) {
        Some((value, end)) if blank(byte(text, end)) || matches!(byte(text, end), b'\n' | b'|') => Ok((value, end)),
        _ => odd_number(text, begin, at, what),
    }
}

#[cold]
fn odd_number(text: &[u8], begin: usize, at: usize, what: &'static str) -> Result<(f32, usize), Fault> {
    let end = token_end(text, at);
    let is_value = what == "the value";
    let (problem, remedy) = match long_number(part(text, at..end)) {
        Ok(value) => return Ok((value, end)),
        Err(_) if at == end => (
            if is_value { "the value is missing behind the colon" } else { "the weight of the namespace is missing behind the colon" },
            "leave the colon away, or give a number",
        ),
        Err(Why::NoNumber) => (
            if is_value { "the value is no number" } else { "the weight of the namespace is no number" },
            "give a number behind the colon; in names, put another mark in the place of a colon",
        ),
        Err(Why::Nan) => ("this is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => ("this is infinite", REMEDY_FINITE),
        Err(Why::Range) => ("this is out of the range of 32-bit floats", "scale the values below 3.4e38"),
    };
    fault(begin, end, problem, remedy)
}

/// Reads what stands before the first bar: the label, and how much the example counts. Gives where the bar is.
#[cold]
fn head(text: &[u8], start: usize, unlabelled: bool, example: &mut Example<'_>) -> Result<usize, Fault> {
    let end = line_end(text, start) - 1;
    let Some(bar) = memchr::memchr(b'|', part(text, start..end)).map(|n| start + n) else {
        const REMEDY: &str = "write each line as `label |namespace feature feature:value ...`";
        return fault(start, end, "no bar is in this line, behind which features would stand", REMEDY);
    };
    let mut tokens = Vec::new();
    let mut at = start;
    while at < bar {
        let token = token_end(text, at);
        if token > at {
            tokens.push(at..token);
        }
        at = token + 1;
    }
    // A tag begins with a quote, or touches the bar.
    if let Some(last) = tokens.last().cloned() {
        let tag = part(text, last.clone());
        let touches = last.end == bar;
        if touches && !tag.starts_with(b"'") && is_number(tag) {
            const REMEDY: &str = "put a blank before the bar; of a tag, put a quote (') before it";
            return fault(last.start, bar, "this number touches the bar, and Vowpal Wabbit takes it for a tag", REMEDY);
        }
        if touches || tag.starts_with(b"'") {
            tokens.pop();
        }
    }
    let first = tokens.first().map_or(&b""[..], |place| part(text, place.clone()));
    let of_other_tasks = first.contains(&b':') || matches!(first, b"shared" | b"slates" | b"ccb" | b"ca");
    if let Some(place) = tokens.first().filter(|_| of_other_tasks) {
        const REMEDY: &str = "give one number a line before the bar: the reward of the action, with the action as a feature";
        return fault(
            place.start,
            place.end,
            "this is a label of `cb`, `csoaa` or the like (actions with costs), which are not read",
            REMEDY,
        );
    }
    if let Some(place) = tokens.first().filter(|_| first.contains(&b',')) {
        let remedy = "train one model a label: give one number a line before the bar";
        return fault(place.start, place.end, "these are several labels of one line, which are not read", remedy);
    }
    let label = match tokens.first() {
        None if unlabelled => return Ok(bar),
        None => {
            return fault(start, bar + 1, "the label is missing", "begin each line with its label; `predict` takes lines without labels");
        }
        Some(place) => match long_number(first) {
            Ok(label) => label,
            Err(_) if unlabelled => return Ok(bar),
            Err(Why::Nan | Why::Infinite) => return fault(place.start, place.end, "the label is not finite", REMEDY_FINITE),
            Err(Why::Range) => {
                return fault(place.start, place.end, "the label is out of the range of 32-bit floats", "scale the labels below 3.4e38");
            }
            Err(Why::NoNumber) => {
                let remedy = "labels are +1, -1, 0, 1 or any real number; `predict` takes lines without labels";
                return fault(place.start, place.end, "the label is no number", remedy);
            }
        },
    };
    example.label(label);
    if unlabelled {
        return Ok(bar);
    }
    if let Some(place) = tokens.get(1) {
        match long_number(part(text, place.clone())) {
            Ok(weight) => example.weight(weight).map_err(|refused| refused.at(place.clone()))?,
            Err(_) => {
                let remedy = "write `label |...`; of a tag, put a quote (') before it";
                return fault(place.start, place.end, "the importance behind the label is no number", remedy);
            }
        }
    }
    if let Some(place) = tokens.get(2).filter(|place| long_number(part(text, (*place).clone())).ok() != Some(0.0)) {
        let remedy = "leave it away; of a tag, put a quote (') before it";
        return fault(place.start, place.end, "a first prediction stands behind the importance, which is not read", remedy);
    }
    if let Some(place) = tokens.get(3) {
        return fault(place.start, place.end, "too much stands before the bar", "write each line as `label importance 'tag |...`");
    }
    Ok(bar)
}

fn is_number(token: &[u8]) -> bool {
    Shape::of(token, Separator::Blanks).number().is_some()
}

/// A bar behind the label (and perhaps weight and tag) or at the beginning; and no table between bars.
pub(crate) fn is_vowpal_wabbit(line: &[u8]) -> bool {
    let Some((before, after)) = split_once(line, b'|') else { return false };
    let tag = before.rsplit(|&byte| blank(byte)).next().unwrap_or_default();
    let glued = !tag.is_empty() && !tag.starts_with(b"'");
    let mut labels = words(before).filter(|word| !word.starts_with(b"'"));
    // Between bars from end to end, as Markdown has rows of a table.
    let is_framed = before.is_empty() && line.len() > 1 && line.ends_with(b"|");
    let is_label = |token: &[u8]| is_number(token) || token == b"shared" || is_costed(token);
    if glued || is_framed || !labels.all(is_label) {
        return false;
    }
    let cell = |part: &[u8]| !part.trim_ascii().is_empty() && !part.trim_ascii().iter().any(|&byte| blank(byte));
    let parts = || line.split(|&byte| byte == b'|');
    let is_table = after.first().is_some_and(|&byte| blank(byte)) && parts().count() > 2 && parts().all(cell);
    !is_table
}

/// `action:cost`, or `action:cost:probability`.
fn is_costed(token: &[u8]) -> bool {
    let mut parts = token.split(|&byte| byte == b':');
    matches!(token.iter().filter(|&&byte| byte == b':').count(), 1 | 2) && parts.all(is_number)
}
