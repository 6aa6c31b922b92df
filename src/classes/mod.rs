//! What labels stand for: one of two classes of a loss (`two`), or classes by name (`many`).
mod many;
mod two;

pub use many::unseen_classes;
pub(crate) use many::{Many, by_names};
pub use two::Classes;
pub(crate) use two::{check_given, check_numbers, check_ratings};
