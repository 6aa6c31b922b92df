//! A profile of data: what one looks at before training. Which columns there are, how many values each has and how often it is missing, and
//! how labels differ by value.
//!
//! All of it comes from one pass over packed data, on all threads. Shares and means count each example by its weight; of
//! ratings means do, and shares are of their number.
mod ratings;
mod rows;
mod sums;

pub use ratings::{RatingsProfile, SideProfile};
pub use rows::{ColumnProfile, LabelProfile, NumbersProfile, RowsProfile};

use crate::AnyData;
use hogwild_base::{Result, threads};

/// What data hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Profile {
    /// Sparse rows.
    Rows(RowsProfile),
    /// Ratings.
    Ratings(RatingsProfile),
}

/// A value (a word of a column, a feature, a user or an item), and the labels that come with it.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueProfile {
    /// What it is called.
    pub name: String,
    /// In how many examples it occurs.
    pub count: u64,
    /// The share of class +1 among these, or their mean label or rating; none where labels are missing or of more than two classes.
    pub label: Option<f64>,
}

impl Profile {
    /// Of data, with so many of the most frequent values (of each column, where there are columns). By the threads of the call.
    ///
    /// # Errors
    /// Dictionaries that cannot be read, or too little memory.
    pub fn of<'d>(data: impl Into<AnyData<'d>>, top: usize) -> Result<Profile> {
        threads::in_call(|| match data.into() {
            AnyData::Rows(rows) => RowsProfile::of(rows, top).map(Profile::Rows),
            AnyData::Ratings(ratings) => RatingsProfile::of(ratings, top).map(Profile::Ratings),
        })
    }
}
