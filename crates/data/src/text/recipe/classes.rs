//! The order of the labels that are words, and what stands for each.

use crate::text::number::long_number;

/// The most classes of a text.
pub(crate) const MOST_CLASSES: usize = 1 << 16;

/// What stands for the class of that place among so many: of two -1 and +1, of more their place.
pub(crate) fn label_of(place: usize, count: usize) -> f32 {
    match (place, count) {
        (_, 1) => 1.0,
        (0, 2) => -1.0,
        (_, 2) => 1.0,
        (place, _) => place as f32,
    }
}

/// Puts names in order: numbers by size, where all are numbers; otherwise as texts.
pub(super) fn sort(names: &mut Vec<String>) {
    let numbers: Option<Vec<f32>> = names.iter().map(|name| long_number(name.as_bytes()).ok()).collect();
    names.sort();
    if numbers.is_some() {
        let number = |name: &String| long_number(name.as_bytes()).unwrap_or(0.0);
        names.sort_by(|a, b| number(a).total_cmp(&number(b)));
    }
    names.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_classes_are_signs_and_more_are_their_places() {
        assert_eq!((0..2).map(|place| label_of(place, 2)).collect::<Vec<_>>(), [-1.0, 1.0]);
        assert_eq!((0..3).map(|place| label_of(place, 3)).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
        assert_eq!(label_of(0, 1), 1.0);
    }
}
