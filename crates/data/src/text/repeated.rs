//! What to do with a feature that stands twice in an example.

/// What to do with an index that stands twice in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Repeated {
    /// The row is bad.
    #[default]
    Error,
    /// Its values are added up.
    Add,
    /// The last value counts.
    Last,
}

hogwild_base::named! { Repeated {
    Error "error" "The row is bad";
    Add "add" "Its values are added up";
    Last "last" "The last value counts";
} }
