//! What a data set holds, and what stands for a label or rating that is not given.

/// What a data set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Labelled sparse rows.
    Sparse,
    /// Users' ratings of items.
    Ratings,
}

impl Kind {
    /// The name in the file's metadata.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sparse => "sparse",
            Kind::Ratings => "ratings",
        }
    }
}

/// Stands for a label (a rating) that is not given.
pub(crate) const MISSING: f32 = f32::NAN;
/// Stands for the label of an example that could not be read, where there is to be a prediction for each line. A NaN too, but another one.
pub(crate) const BAD: f32 = f32::from_bits(0x7fc0_0bad);

/// Whether a label is that of an example which could not be read.
pub fn is_bad(label: u32) -> bool {
    label == BAD.to_bits()
}
