//! Settings with more than one number or name in them: how words are counted, and which examples are left out.

use super::Bits;
use hogwild_base::{Error, Result};

/// How the occurrences of a word in a bag are counted, where words are weighed by tf-idf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TermFrequency {
    /// As many as there are.
    Count,
    /// `1 + ln(count)`.
    Sublinear,
}

hogwild_base::named! { TermFrequency {
    Count "count" "A word counts as often as it is there";
    Sublinear "sublinear" "A word that is there n times counts 1 + ln(n) times";
} }

/// Which examples of two classes are left out, at random. Those that stay of their class count the more, so that all of it counts as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// Of the more frequent class about as many stay as there are of the other.
    Balance,
    /// Of the class with the smaller label (-1, 0, the first of two words) this share stays.
    Negatives(Share),
}

/// A number between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share(Bits);

impl Share {
    /// # Errors
    /// When it is not above 0 and below 1.
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::Share;
    ///
    /// assert_eq!(Share::new(0.25)?.number(), 0.25);
    /// assert!(Share::new(1.0).is_err());
    /// # Ok::<(), hogwild_base::Error>(())
    /// ```
    pub fn new(share: f32) -> Result<Share> {
        if share > 0.0 && share < 1.0 {
            return Ok(Share(Bits::of(share)));
        }
        let problem = "must be above 0 and below 1, as in 0.1".into();
        Err(Error::BadSetting { setting: "sample", value: share.to_string(), problem })
    }

    /// The number.
    pub fn number(self) -> f32 {
        self.0.number()
    }
}
