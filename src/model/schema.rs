//! What tensors the models of a family have: by that a file is checked and read.

/// The length of one dimension of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A single number.
    One,
    /// A row for each id of the axis of that name.
    Ids(&'static str),
    /// A row for each of the first so many ids of the axis of that name: the others have none.
    First(&'static str),
    /// Any length, which all tensors that name it share: the rank.
    Free(&'static str),
}

/// The largest rank, or other free length, of a file; training takes no larger one.
pub(crate) const MOST_FACTORS: usize = 4096;

/// Tensors whose numbers are places among the ids of an axis.
pub(crate) const PLACES: [(&str, &str); 1] = [("feature_field", "field")];

/// A tensor's name and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorKind {
    /// The name in the file.
    pub name: &'static str,
    /// Rows first.
    pub shape: &'static [Size],
}

/// What a model of a family consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The family's name, which a file has as its `kind`.
    pub family: &'static str,
    /// What rows of tensors belong to; each has ids in the file.
    pub axes: &'static [&'static str],
    /// All tensors; the first tells how many members an ensemble has.
    pub tensors: &'static [TensorKind],
    /// Whether two classes are labels of the data's own, and not always -1 and +1.
    pub own_classes: bool,
}
