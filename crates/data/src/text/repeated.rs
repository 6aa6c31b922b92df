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

impl Repeated {
    /// The name, as `--repeated` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Repeated::Error => "error",
            Repeated::Add => "add",
            Repeated::Last => "last",
        }
    }
}
