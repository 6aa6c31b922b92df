//! Which format a text is in, told from its first lines.
//!
//! Each line is claimed by the first format that recognises it, and the format of most lines wins. A text that fits several formats is
//! refused with what to give, for the wrong one would be read without a word. Once the format is given nothing here is asked any more.

use crate::Kind;
use crate::bytes::lines;
use crate::text::Format;
use crate::text::fault::Bad;
use crate::text::foreign::foreign;
use crate::text::mixed::ROW_FOR_MODEL;
use crate::text::odd::plain_blanks;

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

/// Finds the format from the first lines: the one that claims them, or that of most lines, which all but tables of ratings show by their
/// marks. `label` is the column of the label, if that was named.
pub(crate) fn guess(text: &[u8], label: Option<&str>) -> Guess {
    if let Some(format) = Format::ALL.into_iter().find(|format| format.claims(text, label)) {
        return Guess::Is(format);
    }
    if let Some((problem, remedy)) = foreign(text) {
        let line = lines(text).next().map_or(0, |(_, line)| line.len());
        return Guess::Refused(Bad::of(text, 0, 0, 0..line, problem, remedy));
    }
    let mut counts = [0; Format::ALL.len()];
    for (_, line) in lines(text).take(SAMPLE) {
        if let Some(count) = look(line).and_then(|look| counts.get_mut(look)) {
            *count += 1;
        }
    }
    let most = counts.into_iter().max().unwrap_or(0);
    let winner = counts.into_iter().position(|count| count == most && most > 0);
    winner.and_then(|look| Format::ALL.get(look)).map_or(Guess::Nothing, |&format| Guess::Is(format))
}

/// Whether there is a line that is neither empty nor a comment.
pub(crate) fn has_a_line(text: &[u8]) -> bool {
    lines(text).any(|(_, line)| !says_nothing(plain_blanks(line).trim_ascii()))
}

fn says_nothing(line: &[u8]) -> bool {
    line.is_empty() || line.starts_with(b"#") || line.starts_with(b"%")
}

/// Which format claims a line. None does of lines that say nothing, such as comments and a label alone.
fn look(line: &[u8]) -> Option<usize> {
    let line = plain_blanks(line);
    let line = line.trim_ascii();
    if says_nothing(line) {
        return None;
    }
    Format::ALL.iter().position(|format| format.recognises(line))
}

/// The first line of a text that is an example, where ratings are expected.
fn first_example(text: &[u8]) -> Option<(u64, std::ops::Range<usize>)> {
    let is_example = |line: &[u8]| {
        let format = look(line).and_then(|look| Format::ALL.get(look));
        format.is_some_and(|format| format.kind() == Kind::Sparse)
    };
    (0..).zip(lines(text)).find(|(_, (_, line))| is_example(line)).map(|(number, (start, line))| (number, start..start + line.len()))
}

/// The first line of a text that is a row, as what is wrong with a text of ratings for a model.
pub(crate) fn row_for_model(text: &[u8]) -> Option<Bad> {
    let (problem, remedy) = ROW_FOR_MODEL;
    first_example(text).map(|(number, places)| Bad::of(text, number, places.start, places, problem, remedy))
}
