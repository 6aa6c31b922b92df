//! The numbers of which other programs make a sparse matrix.

/// Numbers that say where a row starts, or which column a cell has.
pub trait Index: Copy + Send + Sync {
    /// As a number; negative ones are larger than any that is allowed.
    fn index(self) -> u64;
}

/// Numbers that are values of cells.
pub trait Number: Copy + Send + Sync {
    /// As it is trained on; infinite where it is too large.
    fn number(self) -> f32;
}

macro_rules! numbers {
    ($trait:ident $function:ident -> $to:ty: $($type:ty)*) => {$(
        impl $trait for $type {
            #[inline(always)]
            fn $function(self) -> $to {
                self as $to
            }
        }
    )*};
}
numbers! { Index index -> u64: i32 i64 u32 u64 }
numbers! { Number number -> f32: f32 f64 i32 i64 }
