//! Which interactions are held out of training.

/// What of the data a share is held out of, where models rank by implicit feedback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HoldoutBy {
    /// Of each user's interactions any.
    #[default]
    Random,
    /// Of each user's interactions the last ones, in the order of the data.
    Last,
    /// Of all interactions any.
    Any,
}

impl HoldoutBy {
    /// All of them.
    pub const ALL: [HoldoutBy; 3] = [HoldoutBy::Random, HoldoutBy::Last, HoldoutBy::Any];

    /// The name that `--holdout-by` takes.
    pub fn name(self) -> &'static str {
        match self {
            HoldoutBy::Random => "random",
            HoldoutBy::Last => "last",
            HoldoutBy::Any => "any",
        }
    }
}
