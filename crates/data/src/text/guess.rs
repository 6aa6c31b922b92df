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
use crate::text::unread::{REWRITE, UNREAD};

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

/// Finds the format from the first lines: that of most of them, which all but tables of ratings show by their marks.
pub(crate) fn guess(text: &[u8]) -> Guess {
    if let Some((problem, remedy)) = foreign(text) {
        let line = lines(text).next().map_or(0, |(_, line)| line.len());
        return Guess::Refused(Bad::of(text, 0, 0, 0..line, problem, remedy));
    }
    const LOOKS: usize = UNREAD.len() + Format::ALL.len();
    let (mut counts, mut first) = ([0; LOOKS], [None; LOOKS]);
    for (number, (start, line)) in (0..).zip(lines(text)).take(SAMPLE) {
        if let Some(look) = look(line) {
            counts[look] += 1;
            first[look].get_or_insert((number, start, start + line.len()));
        }
    }
    let most = counts.into_iter().max().unwrap_or(0);
    let winner = counts.into_iter().position(|count| count == most && most > 0);
    match winner.map(|look| (UNREAD.get(look), first[look], look)) {
        None => Guess::Nothing,
        Some((Some(unread), Some((number, start, end)), _)) => {
            Guess::Refused(Bad::of(text, number, start, start..end, unread.problem, REWRITE))
        }
        Some((.., look)) => Format::ALL.get(look - UNREAD.len()).map_or(Guess::Nothing, |&format| Guess::Is(format)),
    }
}

/// Which format claims a line: one of those that are not read, and behind them of all others. None does of lines that say nothing, such as
/// comments and a label alone.
fn look(line: &[u8]) -> Option<usize> {
    let line = plain_blanks(line);
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"%") {
        return None;
    }
    let unread = UNREAD.iter().position(|unread| (unread.recognises)(line));
    unread.or_else(|| Format::ALL.iter().position(|format| format.recognises(line)).map(|format| UNREAD.len() + format))
}

/// The first line of a text that is an example, where ratings are expected.
fn first_example(text: &[u8]) -> Option<(u64, std::ops::Range<usize>)> {
    let is_example = |line: &[u8]| {
        let format = look(line).and_then(|look| look.checked_sub(UNREAD.len())).and_then(|format| Format::ALL.get(format));
        format.is_some_and(|format| format.kind() == Kind::Sparse)
    };
    (0..).zip(lines(text)).find(|(_, (_, line))| is_example(line)).map(|(number, (start, line))| (number, start..start + line.len()))
}

/// The first line of a text that is a row, as what is wrong with a text of ratings for a model.
pub(crate) fn row_for_model(text: &[u8]) -> Option<Bad> {
    let (problem, remedy) = ROW_FOR_MODEL;
    first_example(text).map(|(number, places)| Bad::of(text, number, places.start, places, problem, remedy))
}
