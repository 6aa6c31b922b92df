//! The features of the text that a recipe was made for. What is done to a raw row may depend on them: a word that is none of them is a rare
//! one, and a word counts by the documents of the training data, not by those that are scored.
//!
//! A recipe as JSON has none: the ids are in the file beside it, and so are the numbers. They are put together when a file is opened.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use crate::Ids;

/// Features, and what each occurrence in a bag of words is multiplied by.
#[derive(Clone)]
pub(crate) struct Vocabulary {
    pub(crate) ids: Arc<Ids>,
    /// One a feature; none where words are not weighed.
    pub(crate) idf: Arc<[f32]>,
    /// Of both: by it caches and comparisons go.
    digest: u64,
}

impl Vocabulary {
    pub(crate) fn new(ids: Arc<Ids>, idf: Arc<[f32]>) -> Vocabulary {
        let mut hash = Xxh3::new();
        match &*ids {
            Ids::Numbers(numbers) => hash.update(bytemuck::cast_slice(numbers)),
            Ids::Names { start, bytes } => {
                hash.update(bytemuck::cast_slice(start));
                hash.update(bytes);
            }
        }
        hash.update(bytemuck::cast_slice(&idf));
        Vocabulary { ids, idf, digest: hash.digest() }
    }

    /// Whether all features that both have are multiplied by the same.
    pub(crate) fn agrees(&self, other: &Vocabulary) -> bool {
        let idf = |vocabulary: &Vocabulary, i: usize| vocabulary.idf.get(i).copied();
        let places = other.ids.translate(&self.ids);
        places.iter().enumerate().filter(|(_, place)| **place != u32::MAX).all(|(i, &place)| idf(other, i) == idf(self, place as usize))
    }
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.digest)
    }
}

impl PartialEq for Vocabulary {
    fn eq(&self, other: &Vocabulary) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Vocabulary {}

impl Hash for Vocabulary {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_or_numbers_are_another_vocabulary() {
        let of = |names: &[&str], idf: &[f32]| Vocabulary::new(Arc::new(names.iter().copied().collect()), idf.into());
        let one = of(&["ab", "c"], &[1.0, 2.0]);
        assert_eq!(one, of(&["ab", "c"], &[1.0, 2.0]));
        for other in [of(&["a", "bc"], &[1.0, 2.0]), of(&["ab", "c"], &[1.0, 2.5]), of(&["ab", "c"], &[])] {
            assert_ne!(one, other);
            assert_ne!(format!("{one:?}"), format!("{other:?}"));
        }
        assert!(one.agrees(&of(&["x", "ab"], &[0.0, 1.0])) && !one.agrees(&of(&["x", "ab"], &[1.0, 0.0])));
    }
}
