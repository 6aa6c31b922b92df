//! Which format a text is in, told from its first lines; and what looks like ratings but may as well be something else.
//!
//! A text that fits several formats is refused with what to give, for the wrong one would be read without a word. Once the format is
//! given nothing here is asked any more.

use super::fields::{Separator, Shape, fields};
use super::foreign::foreign;
use super::ratings::sample::{Line, Sample};
use super::ratings::table::{Asked, DECIMAL_COMMA, TIME, is_no_time};
use super::{Bad, Format, blank, line_end, odd::plain_blanks};

/// How many lines are looked at.
const SAMPLE: usize = 400;

/// What the first lines say.
pub(crate) enum Guess {
    /// Nothing, or labels alone.
    Nothing,
    Is(Format),
    /// Another format, by its name.
    Refused(Bad),
}

/// What one line looks like.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Row,
    VowpalWabbit,
    Ffm,
    Other,
}

pub(crate) const VOWPAL_WABBIT: &str = "this is Vowpal Wabbit's format, which is not read";
pub(crate) const REWRITE: &str = "write each row as `label index:value index:value ...`, or each rating as `user item rating`";

/// Finds the format from the first lines: that of most of them, which all but tables of ratings show by their marks.
pub(crate) fn guess(text: &[u8]) -> Guess {
    if let Some((problem, remedy)) = foreign(text) {
        let line = 0..line_end(text, 0).min(text.len());
        return Guess::Refused(Bad::of(text, 0, 0, line, problem.into(), remedy.into()));
    }
    let (mut at, mut number, mut counts, mut first) = (0, 0, [0; 4], [None; 4]);
    while at < text.len() && number < SAMPLE as u64 {
        let end = line_end(text, at).min(text.len());
        if let Some(kind) = kind(plain_blanks(text.get(at..end).unwrap_or_default()).trim_ascii()) {
            counts[kind as usize] += 1;
            first[kind as usize].get_or_insert((number, at, end));
        }
        (at, number) = (end, number + 1);
    }
    let most = counts.into_iter().max().unwrap_or(0);
    for (kind, problem) in
        [(Kind::VowpalWabbit, VOWPAL_WABBIT), (Kind::Ffm, "this is libffm's format (`label field:index:value ...`), which is not read")]
    {
        if let Some((number, start, end)) = first[kind as usize].filter(|_| counts[kind as usize] == most) {
            return Guess::Refused(Bad::of(text, number, start, start..end, problem.into(), REWRITE.into()));
        }
    }
    match most {
        0 => Guess::Nothing,
        _ if counts[Kind::Row as usize] == most => Guess::Is(Format::Svmlight),
        _ => Guess::Is(Format::Ratings),
    }
}

/// What a line looks like; `None` for those that say nothing: comments, and a label alone.
fn kind(line: &[u8]) -> Option<Kind> {
    if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"%") {
        return None;
    }
    if is_vowpal_wabbit(line) {
        return Some(Kind::VowpalWabbit);
    }
    let tokens = || line.split(|&byte| blank(byte)).filter(|token| !token.is_empty());
    let (label, second) = (tokens().next().unwrap_or_default(), tokens().nth(1).unwrap_or_default());
    let is_number = Shape::of(label, Separator::Blanks).number().is_some();
    let rest = || tokens().skip(1).take_while(|token| !token.starts_with(b"#"));
    if is_number && !second.is_empty() && rest().next().is_some() && rest().all(is_triple) {
        return Some(Kind::Ffm);
    }
    let colon = second.iter().position(|&byte| byte == b':').unwrap_or(0);
    let is_index = second.starts_with(b"qid:") || second.iter().take(colon).all(u8::is_ascii_digit);
    // A label may be a word, but then not one that ends in a date, with the time of day behind it.
    let is_label = is_number || is_pair(label) || rest().all(is_pair);
    if colon > 0 && second.get(colon + 1) != Some(&b':') && is_index && is_label {
        return Some(Kind::Row);
    }
    // Named features, and pairs with a blank before the colon; these are named by their parser too.
    let is_torn =
        |token: &[u8]| token.first() == Some(&b':') && Shape::of(token.get(1..).unwrap_or_default(), Separator::Blanks).number().is_some();
    let all_named = rest().any(is_named) && rest().all(|token| is_named(token) || is_pair(token));
    if is_number && (all_named || second.iter().all(u8::is_ascii_digit) && rest().any(is_torn)) {
        return Some(Kind::Row);
    }
    // Rows whose fields are separated by other marks; their parser names these.
    let by_mark = |mark: u8| line.split(move |&byte| byte == mark).skip(1).map(<[u8]>::trim_ascii).filter(|part| !part.is_empty());
    if b",;\t".iter().any(|&mark| by_mark(mark).next().is_some() && by_mark(mark).all(is_pair)) {
        return Some(Kind::Row);
    }
    let alone = second.is_empty() && !Separator::ALL.into_iter().any(|separator| fields(line, 0, separator).nth(1).is_some());
    (!alone && !second.starts_with(b"#")).then_some(Kind::Other)
}

/// Whether a line is a row of svmlight.
pub(crate) fn is_row(line: &[u8]) -> bool {
    kind(line) == Some(Kind::Row)
}

/// `index:value`.
pub(crate) fn is_pair(token: &[u8]) -> bool {
    let Some(colon) = token.iter().position(|&byte| byte == b':') else { return false };
    let value = token.get(colon + 1..).unwrap_or_default();
    colon > 0 && token.iter().take(colon).all(u8::is_ascii_digit) && Shape::of(value, Separator::Blanks).number().is_some()
}

/// `12:30`, which is a pair by its looks.
pub(crate) fn is_time_of_day(token: &[u8]) -> bool {
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u8>().ok();
    match token {
        [hour @ .., b':', b'0'..=b'5', b'0'..=b'9'] => hour.len() < 3 && number(hour).is_some_and(|hour| hour < 24),
        _ => false,
    }
}

/// `name:value`, or `name=value`.
fn is_named(token: &[u8]) -> bool {
    let Some(mark) = token.iter().position(|byte| matches!(byte, b':' | b'=')) else { return false };
    let value = token.get(mark + 1..).unwrap_or_default();
    token.first().is_some_and(u8::is_ascii_alphabetic) && Shape::of(value, Separator::Blanks).number().is_some()
}

/// `field:index:value`.
fn is_triple(token: &[u8]) -> bool {
    let Some(colon) = token.iter().position(|&byte| byte == b':') else { return false };
    colon > 0 && token.iter().take(colon).all(u8::is_ascii_digit) && is_pair(token.get(colon + 1..).unwrap_or_default())
}

/// A bar behind the label (and perhaps weight and tag) or at the beginning; and no table between bars.
pub(crate) fn is_vowpal_wabbit(line: &[u8]) -> bool {
    let Some(bar) = line.iter().position(|&byte| byte == b'|') else { return false };
    let (before, after) = (line.get(..bar).unwrap_or_default(), line.get(bar + 1..).unwrap_or_default());
    let tag = before.rsplit(|&byte| blank(byte)).next().unwrap_or_default();
    let glued = !tag.is_empty() && !tag.starts_with(b"'");
    let labels = before.split(|&byte| blank(byte)).filter(|token| !token.is_empty() && !token.starts_with(b"'"));
    // Between bars from end to end, as Markdown has rows of a table.
    let is_framed = bar == 0 && line.len() > 1 && line.ends_with(b"|");
    if glued || is_framed || !labels.clone().all(|token| Shape::of(token, Separator::Blanks).number().is_some()) {
        return false;
    }
    let cell = |part: &[u8]| !part.trim_ascii().is_empty() && !part.trim_ascii().iter().any(|&byte| blank(byte));
    let parts = || line.split(|&byte| byte == b'|');
    let is_table = after.first().is_some_and(|&byte| blank(byte)) && parts().count() > 2 && parts().all(cell);
    !is_table
}

const AS_RATINGS: &str = "write rows as `label index:value ...`; if these are ratings, give --format ratings";

/// Refuses ratings without a heading that may as well be something else. Where ratings may be missing, a time may be in their place;
/// where it is known that these are ratings, only the order of the columns is in doubt.
pub(crate) fn doubt(sample: &Sample<'_>, separator: Separator, Asked { known, unlabelled, .. }: Asked<'_>) -> Result<(), Bad> {
    let Some(&first) = sample.lines.first().filter(|_| separator != Separator::Colons) else { return Ok(()) };
    // What is in quotes is a name, whatever it says.
    let bare = |line: &Line| {
        let fields = sample.fields(*line, separator);
        let quoted = fields.iter().any(|field| field.quote != super::fields::Quote::No);
        let shapes = fields.iter().map(|field| Shape::of(field.raw(sample.text), separator)).collect::<Vec<_>>();
        (!quoted).then_some(shapes)
    };
    let all = sample.lines.iter().map(bare).collect::<Option<Vec<_>>>();
    let most = sample.lines.iter().map(|line| fields(sample.text, line.start, separator).count()).max();
    if !known && matches!(most, Some(3 | 4)) && (0..2).any(|column| has_fractions(sample, separator, column)) {
        let problem = "this may be dense data (as CSV), a column a feature, for users and items are not whole numbers";
        return Err(sample.bad(first, problem, AS_RATINGS));
    }
    let Some(mut lines) = all else { return wide(sample, separator, first, false) };
    for shapes in &mut lines {
        while shapes.len() > 3 && shapes.last() == Some(&Shape::Empty) {
            shapes.pop();
        }
    }
    let numeric = lines.iter().flatten().all(|shape| shape.number().is_some());
    let indices = lines.iter().flatten().all(|shape| matches!(shape, Shape::Integer(_)));
    let longest = lines.iter().map(Vec::len).max().unwrap_or(0);
    let column = |i: usize| lines.iter().filter_map(move |shapes| shapes.get(i)?.number());
    let ascending = indices && lines.iter().all(|shapes| shapes.get(1..).unwrap_or_default().is_sorted_by(|a, b| a.number() < b.number()));
    const AS_COLUMNS: &str =
        "write rows as `label index:value ...`; if these are ratings, say where, as in --columns user=1,item=2,rating=3";
    if longest > 4 {
        if ascending {
            let problem = "these may be bare indices (a label, then the features that are 1), which are not read";
            return Err(sample.bad(first, problem, "write them as `label index:1 index:1 ...`"));
        }
        if indices && lines.iter().any(|shapes| shapes.len() != longest) {
            let problem = "these are lists of whole numbers, as of bare indices or of what each user has, which are not read";
            return Err(sample.bad(
                first,
                problem,
                "write rows as `label index:1 index:1 ...`, or each pair of user and item as a line `user item 1`",
            ));
        }
        if numeric && 2 * lines.iter().filter(|shapes| shapes.len() > 4).count() > lines.len() {
            let problem =
                format!("these are numbers between {}: dense data (as CSV), a column a feature, which are not read", separator.name());
            return Err(sample.bad(first, problem, AS_COLUMNS));
        }
        return wide(sample, separator, first, true);
    }
    if longest == 4 && column(3).count() > 0 && !column(3).all(|time| time >= TIME) {
        let mixed = separator == Separator::Comma && lines.iter().any(|shapes| shapes.len() < 4);
        if let Some((&line, _)) =
            sample.lines.iter().zip(&lines).find(|(_, shapes)| mixed && shapes.get(3).is_some_and(|&shape| is_no_time(shape)))
        {
            let (problem, remedy) = DECIMAL_COMMA;
            return Err(sample.bad(line, problem, remedy));
        }
        let problem = match separator {
            _ if ascending && separator != Separator::Comma => "this may be a label with bare indices, or a rating with a time",
            Separator::Comma => {
                "the fourth field is no time: this may be dense data, a rating with a decimal comma, or another order of columns"
            }
            _ => "the fourth field is no time: this may be dense data, or ratings whose columns are in another order",
        };
        let remedy = "write rows as `label index:value ...`; if these are ratings, give --format ratings, or the order as in --columns user=1,item=2,rating=3; write 3.5 for 3,5";
        return Err(sample.bad(first, problem, remedy));
    }
    if !unlabelled && longest >= 3 && column(2).count() > 0 && column(2).all(|rating| rating >= 1e8) {
        let problem = "the third field looks like a time, not like a rating";
        let remedy = "give the order as in --columns user=1,item=2,rating=4; if the third is the rating, --format ratings";
        return Err(sample.bad(first, problem, remedy));
    }
    if !known
        && numeric
        && longest == 3
        && looks_labelled(sample, first, &column(0).collect::<Vec<_>>(), ascending && column(2).any(|x| x > 10.0))
    {
        let problem = "this may be a label with bare indices, dense data, or a rating";
        return Err(sample.bad(first, problem, AS_RATINGS));
    }
    Ok(())
}

/// Whether a column has numbers alone, and fractions among them.
fn has_fractions(sample: &Sample<'_>, separator: Separator, column: usize) -> bool {
    let shapes = || {
        sample.lines.iter().filter_map(|line| fields(sample.text, line.start, separator).nth(column)).map(|field| match field.quote {
            super::fields::Quote::No => Shape::of(field.raw(sample.text), separator),
            _ => Shape::Word,
        })
    };
    shapes().any(|shape| matches!(shape, Shape::Fraction(_))) && !shapes().any(|shape| shape == Shape::Word)
}

/// Whether a first column has two values in turn, as labels are and users are not.
fn looks_labelled(sample: &Sample<'_>, first: Line, column: &[f32], like_indices: bool) -> bool {
    let mut values = column.to_vec();
    values.sort_unstable_by(f32::total_cmp);
    values.dedup();
    let changes = column.iter().zip(column.iter().skip(1)).filter(|(a, b)| a != b).count();
    let in_turn = changes >= values.len() && values.len() == 2;
    let signed = sample.text.get(first.start..).is_some_and(|line| line.trim_ascii_start().starts_with(b"+"));
    match values.as_slice() {
        [-1.0, 0.0 | 1.0] | [-1.0, 0.0, 1.0] => true,
        [0.0, 1.0] => in_turn || like_indices,
        [_, _] => in_turn && like_indices,
        _ => signed,
    }
}

/// More columns than user, item, rating and time, and nothing that says which is which.
fn wide(sample: &Sample<'_>, separator: Separator, first: Line, bare: bool) -> Result<(), Bad> {
    let count = |line: &Line| fields(sample.text, line.start, separator).count();
    let wide = sample.lines.iter().filter(|line| count(line) > 4).count();
    if 2 * wide <= sample.lines.len() {
        return Ok(());
    }
    let problem = format!("this has {} columns and no heading that says which are user, item and rating", count(&first));
    let dense = if bare { "write rows as `label index:value ...`; " } else { "" };
    Err(sample.bad(first, problem, format!("{dense}say which they are, as in --columns user=1,item=2,rating=3")))
}
