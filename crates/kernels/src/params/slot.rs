//! Slot numbers: which of a table's slots is meant.

/// The number of a parameter slot is a plain `u32`, sixteen of which fill a vector; some numbers mean something else.
pub struct Slot;

impl Slot {
    /// The number of an empty lane, and of whatever the model does not know: what is read there counts nothing, what is stepped is lost.
    pub const EMPTY: u32 = u32::MAX;
    /// The most slots that a table may have.
    pub const MOST: usize = (u32::MAX >> 1) as usize;
}
