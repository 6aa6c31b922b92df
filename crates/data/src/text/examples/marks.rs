//! Marks that tell a few numbers apart without sorting them: each sets one of many bits, and most times no two set the same.
//!
//! In libffm's rows indices do not ascend, and to sort those of each example was a seventh of packing them.

/// As a power of two, the bits.
const BITS: u32 = 14;
/// Of more numbers two would have a bit in common too often: of so many in a quarter of all cases.
const MOST: usize = 96;

/// The bits, all 0 between calls.
#[derive(Default)]
pub(super) struct Marks(Vec<u64>);

impl Marks {
    /// Whether numbers are sure to be different. If not, they may be all the same.
    #[inline]
    pub(super) fn tell_apart(&mut self, numbers: impl ExactSizeIterator<Item = u64> + Clone) -> bool {
        if numbers.len() > MOST {
            return false;
        }
        self.0.resize(1 << (BITS - 6), 0);
        let place = |number: u64| {
            let bit = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS);
            ((bit >> 6) as usize, 1 << (bit & 63))
        };
        let mut shared = 0;
        for (word, bit) in numbers.clone().map(place) {
            if let Some(marks) = self.0.get_mut(word) {
                shared |= *marks & bit;
                *marks |= bit;
            }
        }
        for (word, _) in numbers.map(place) {
            if let Some(marks) = self.0.get_mut(word) {
                *marks = 0;
            }
        }
        shared == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_never_told_apart_and_few_others_are_not() {
        let (mut marks, mut apart) = (Marks::default(), 0);
        for example in 0..1000u64 {
            let mut numbers: Vec<u64> = (0..39).map(|i| example.wrapping_mul(7919) % 5003 * (i + 1) + i).collect();
            apart += u32::from(marks.tell_apart(numbers.iter().copied()));
            numbers[38] = numbers[example as usize % 38];
            assert!(!marks.tell_apart(numbers.iter().copied()));
        }
        assert!(apart > 900, "{apart}");
        assert!(marks.tell_apart([].into_iter()) && !marks.tell_apart((0..97u64).collect::<Vec<_>>().into_iter()));
    }
}
