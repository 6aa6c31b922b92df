//! Rows among ratings and ratings among rows: what a line is, and what to do, by who named the format of the text.

use crate::text::collector::Named;
use crate::text::fault::Fault;

pub(crate) const RATING: &str = "this is a rating, but the text is read as svmlight rows";
pub(crate) const ROW: &str = "this is an svmlight row, but the text is read as ratings";
pub(crate) const REMEDY: &str = "give rows and ratings in separate files; where the format was mistaken, name it with `format`";

/// A problem and its remedy.
pub(crate) type Advice = (&'static str, &'static str);

pub(crate) const ROW_FOR_MODEL: Advice = (
    "this is an svmlight row, and the model takes ratings",
    "write each line as `user item rating`; rows are for models of `model` linear",
);

/// The same fault; of a line of another kind, the advice for a format that the user named, or the model.
#[cold]
pub(crate) fn advise(found: Fault, named: Named, by_user: Advice, by_model: Advice) -> Fault {
    let (problem, remedy) = match named {
        _ if found.remedy != REMEDY => return found,
        Named::Nobody => return found,
        Named::User => by_user,
        Named::Model => by_model,
    };
    Fault { problem, remedy, ..found }
}
