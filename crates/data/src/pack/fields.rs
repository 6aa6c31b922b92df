//! The fields of features, where a format says them: each feature has one, which is kept by its code until ids are ranked.
//!
//! A feature that stands in several fields (as hashed indices may) has none of them. Where the text is packed for models with fields, it is
//! then read again, and such features are called `field:index`: one for each field.

use std::sync::{PoisonError, RwLock};

use crate::dictionary::{DIRECT, Ranked};

/// No field was noted.
const NONE: u32 = u32::MAX;
/// The most different fields: numbers of 16 bits, but for the largest.
pub(crate) const MOST_FIELDS: usize = u16::MAX as usize;

/// The field of each feature by its code.
#[derive(Default)]
pub(crate) struct FieldsByCode {
    direct: Vec<u32>,
    others: Vec<u32>,
    /// Whether a feature stands in several fields.
    pub(crate) several: bool,
}

/// The fields of ranked features.
pub(crate) struct RankedFields {
    /// What the user calls each, ascending.
    pub(crate) ids: Vec<u64>,
    /// By rank, the place of its field among these.
    pub(crate) of: Vec<u16>,
}

/// Those that several workers note.
#[derive(Default)]
pub(crate) struct SharedFields(RwLock<FieldsByCode>);

impl SharedFields {
    /// Notes the fields of codes, until a code has several. Mostly they are noted already, and workers that only look do not wait for each other.
    pub(crate) fn note(&self, codes: &[u32], fields: &[u32], several: bool) {
        let is_known = |noted: &FieldsByCode| noted.several || !several && noted.has(codes, fields);
        if !is_known(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            let mut noted = self.0.write().unwrap_or_else(PoisonError::into_inner);
            noted.several |= several;
            noted.note(codes, fields);
        }
    }

    pub(crate) fn have_several(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).several
    }

    pub(crate) fn done(self) -> FieldsByCode {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FieldsByCode {
    /// Whether just these fields are noted of these codes. Without a branch for each: of memory that is far away much is then on its way at a time.
    pub(crate) fn has(&self, codes: &[u32], fields: &[u32]) -> bool {
        let mut differs = codes.len() ^ fields.len();
        for (&code, &field) in codes.iter().zip(fields) {
            let noted = match self.direct.get(code as usize) {
                Some(noted) => noted,
                None => self.others.get((code as usize).wrapping_sub(DIRECT as usize)).unwrap_or(&NONE),
            };
            differs |= (noted ^ field) as usize;
        }
        differs == 0
    }

    /// Notes the fields of some codes, each beside its own.
    pub(crate) fn note(&mut self, codes: &[u32], fields: &[u32]) {
        for (&code, &field) in codes.iter().zip(fields) {
            let (table, at) = match u64::from(code).checked_sub(DIRECT) {
                None => (&mut self.direct, code as usize),
                Some(behind) => (&mut self.others, behind as usize),
            };
            if table.len() <= at {
                table.resize((at + 1).next_power_of_two(), NONE);
            }
            let Some(noted) = table.get_mut(at) else { continue };
            // Mostly it is noted: what is only read lies in the caches of all workers.
            if *noted != field {
                self.several |= *noted != NONE;
                *noted = field;
            }
        }
    }

    /// The fields of the features that are ranked; none where there are no fields, where a feature has several, or where they are too many.
    pub(crate) fn ranked(&self, features: &Ranked) -> Option<RankedFields> {
        if self.several {
            return None;
        }
        let noted = (0..).zip(&self.direct).chain((DIRECT as u32..).zip(&self.others)).filter(|(_, field)| **field != NONE);
        let by_rank = || noted.clone().map(|(code, &field)| (features.rank(code) as usize, field));
        let mut all: Vec<u32> = by_rank().filter(|&(rank, _)| rank < features.counts.len()).map(|(_, field)| field).collect();
        let is_whole = all.len() == features.counts.len() && !all.is_empty();
        all.sort_unstable();
        all.dedup();
        if !is_whole || all.len() > MOST_FIELDS {
            return None;
        }
        let mut of = vec![0; features.counts.len()];
        for (rank, field) in by_rank() {
            if let (Some(cell), Ok(place)) = (of.get_mut(rank), all.binary_search(&field)) {
                *cell = place as u16;
            }
        }
        Some(RankedFields { ids: all.into_iter().map(u64::from).collect(), of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::Dictionary;

    #[test]
    fn fields_go_with_the_ranks_of_their_features() {
        let (mut dictionary, mut fields) = (Dictionary::default(), FieldsByCode::default());
        let mut codes = vec![5, DIRECT as u32, 9, 5, DIRECT as u32];
        assert!(dictionary.count(&mut codes, &[1 << 40, 1 << 40]).is_ok());
        fields.note(&codes, &[8, 3, 8, 8, 3]);
        assert!(fields.has(&codes, &[8, 3, 8, 8, 3]) && !fields.has(&codes, &[8, 3, 8, 8, 4]) && !fields.has(&[6, 1 << 30], &[8, 8]));
        let features = dictionary.rank();
        let ranked = fields.ranked(&features).unwrap();
        assert_eq!((features.ids.name(1), ranked.ids, ranked.of), ((1u64 << 40).to_string(), vec![3, 8], vec![1, 0, 1]));
        fields.note(&[5], &[4]);
        assert!(fields.several && fields.ranked(&features).is_none());
        let shared = SharedFields(RwLock::new(fields));
        shared.note(&[6], &[8], false);
        assert!(shared.have_several() && !shared.done().has(&[6], &[8]), "nothing more is noted");
        let shared = SharedFields::default();
        shared.note(&[6, 7], &[8, 9], false);
        assert!(!shared.have_several());
        shared.note(&[6, 7], &[8, 9], true);
        assert!(shared.have_several() && shared.done().has(&[6, 7], &[8, 9]));
        assert!(FieldsByCode::default().ranked(&Dictionary::default().rank()).is_none());
    }
}
