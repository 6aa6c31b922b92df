//! Short lists of keys, sorted by vectors: no branch hangs on a key, so that nothing is mispredicted.
//!
//! The networks of `network.rs` are compiled for AVX-512 and AVX2; `lanes.rs` has their instructions. Keys are plain numbers, so that every
//! way to sort them gives the same. Other processors have no vectors here, and sort otherwise.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod network;

/// Lists have a multiple of so many keys: those that are missing are made up by [`NONE`].
pub(crate) const LINE: usize = 16;
/// What a list is filled up with. It may be a key, too: among equals none is first.
pub(crate) const NONE: u32 = u32::MAX;

/// Sorts lists of keys.
#[derive(Clone, Copy)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))] // nobody makes one there
pub(crate) struct Sort {
    keys: fn(&mut [u32]),
    placed: fn(&mut [u32], &mut [u32], &mut [u32]) -> bool,
}

impl Sort {
    /// The fastest of this processor; none where it has no vectors.
    pub fn best() -> Option<Sort> {
        Sort::all().into_iter().next()
    }

    /// Sorts keys, as many as a multiple of [`LINE`].
    #[inline]
    pub fn keys(&self, keys: &mut [u32]) {
        (self.keys)(keys)
    }

    /// Sorts columns, and says where each stood; equal ones keep their order. `keys` is room for as many, up to a multiple of [`LINE`]. A column
    /// and a place fit into 32 bits. True: there are equal ones.
    #[inline]
    pub fn placed(&self, columns: &mut [u32], places: &mut [u32], keys: &mut [u32]) -> bool {
        (self.placed)(columns, places, keys)
    }

    /// All that this processor has, the fastest first.
    #[cfg(target_arch = "x86_64")]
    pub fn all() -> Vec<Sort> {
        [avx512::sort(), avx2::sort()].into_iter().flatten().collect()
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub fn all() -> Vec<Sort> {
        Vec::new()
    }
}

/// The functions as compiled for the instructions of one list, for a processor that has all of them.
#[cfg(target_arch = "x86_64")]
macro_rules! compiled {
    ($name:ident $set:ident: $($feature:tt)+) => {
        mod $name {
            use super::{Sort, lanes::$set, network};

            /// None where the processor lacks one of the instructions.
            pub fn sort() -> Option<Sort> {
                // SAFETY: it is called where all that it is compiled for were detected, which is the same list.
                let placed = |columns: &mut [u32], places: &mut [u32], own: &mut [u32]| unsafe { placed(columns, places, own) };
                // SAFETY: as above.
                let sort = Sort { keys: |own| unsafe { keys(own) }, placed };
                ($(is_x86_feature_detected!($feature))&&+).then_some(sort)
            }

            #[target_feature($(enable = $feature),+)]
            fn keys(keys: &mut [u32]) {
                // SAFETY: it is compiled, and so entered, for these instructions.
                network::sort(unsafe { $set::new() }, keys)
            }

            #[target_feature($(enable = $feature),+)]
            fn placed(columns: &mut [u32], places: &mut [u32], keys: &mut [u32]) -> bool {
                // SAFETY: as above.
                network::sort_placed(unsafe { $set::new() }, columns, places, keys)
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
compiled! { avx512 Avx512: "avx512f" "avx512dq" "avx512vl" "avx2" }
#[cfg(target_arch = "x86_64")]
compiled! { avx2 Avx2: "avx2" }

#[cfg(test)]
mod tests {
    use super::*;

    /// Networks sort all if they sort all zeros and ones: here of each length a hundred times, besides keys of any kind.
    #[test]
    fn as_the_standard_library() {
        let mut state = 1u64;
        let mut draw = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 32) as u32
        };
        for sort in Sort::all() {
            for lines in (0..=40).chain([63, 64, 65, 100, 129]) {
                for round in 0..100 {
                    let bits = [1, 32, 5, 17][round % 4];
                    let mut keys: Vec<u32> = (0..lines * LINE).map(|_| draw() >> (32 - bits)).collect();
                    let filled = draw() as usize % (keys.len() + 1);
                    keys[filled..].fill(if round % 3 == 0 { NONE } else { 0 });
                    let mut expected = keys.clone();
                    expected.sort_unstable();
                    sort.keys(&mut keys);
                    assert!(keys == expected, "{lines} lines of {bits} bits");
                }
            }
        }
    }
}
