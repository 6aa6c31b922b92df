//! Rows among ratings and ratings among rows: what a line is, and what to do, by who named the format of the text.

use super::guess::is_row;
use super::{Bad, Fault, Format, Named, line_end, odd::plain_blanks};

pub(crate) const RATING: &str = "this is a rating, but the text is read as svmlight rows";
pub(crate) const ROW: &str = "this is an svmlight row, but the text is read as ratings";
pub(crate) const REMEDY: &str = "give rows and ratings in separate files; where the format was mistaken, name it with --format";

const ROW_FOR_MODEL: &str = "this is an svmlight row, and the model takes ratings";
const RATINGS_FOR_MODEL: &str = "write each line as `user item rating`; rows are for models of `--model linear`";

/// The same fault; of a line of the other format, with advice that does not lead back to what was done already.
#[cold]
pub(crate) fn advise(found: Fault, format: Format, named: Named) -> Fault {
    if found.remedy != REMEDY {
        return found;
    }
    let (problem, remedy) = match (named, format) {
        (Named::Nobody, _) => return found,
        (Named::User, Format::Svmlight) => (
            "this is a rating or a row of bare indices, for no `index:value` pair is in it",
            "write each row as `label index:value ...`, an index alone as `12:1`; if all lines are ratings, give --format ratings",
        ),
        (Named::User, Format::Ratings) => (
            "this is an svmlight row (`label index:value ...`), and --format ratings was given",
            "if all lines are rows, give --format svmlight (of `train`: with --model linear); write each rating as `user item rating`",
        ),
        (Named::Model, Format::Svmlight) => (
            "this line has no `index:value` pair, and the model takes svmlight rows",
            "write each row as `label index:value ...`; ratings are for models of `--model mf`",
        ),
        (Named::Model, Format::Ratings) => (ROW_FOR_MODEL, RATINGS_FOR_MODEL),
    };
    Fault { problem, remedy, ..found }
}

/// The first line of a text that is a row, as what is wrong with a text of ratings for a model.
pub(crate) fn first_row(text: &[u8]) -> Option<Bad> {
    let (mut at, mut number) = (0, 0);
    while at < text.len() {
        let end = line_end(text, at).min(text.len());
        if is_row(plain_blanks(text.get(at..end)?).trim_ascii()) {
            return Some(Bad::of(text, number, at, at..end, ROW_FOR_MODEL.into(), RATINGS_FOR_MODEL.into()));
        }
        (at, number) = (end, number + 1);
    }
    None
}
