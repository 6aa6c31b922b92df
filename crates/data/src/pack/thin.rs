//! Rare features: those that occur in too few examples are left out. In tables the rare words of a column become one feature,
//! `city=<rare>`, and a word that did not occur in training is a rare one.
//!
//! First all examples are looked at: how many have a rare word of each column. Then the rare words' codes are replaced.

use std::collections::BTreeMap;
use std::fs::File;

use super::known_features::KnownFeatures;
use super::piece::{ExampleWords, Piece};
use super::rewrite::{PieceRows, look, rewrite};
use crate::dictionary::Ranked;
use crate::text::Recipe;

/// What stands for the number of a rare feature's group, where it is of none.
const KEPT: u32 = u32::MAX;
const DROPPED: u32 = u32::MAX - 1;

/// Which features are rare, by rank: [`KEPT`], [`DROPPED`], or the number of a group.
pub(crate) struct Rare {
    fates: Vec<u32>,
    /// What each group is called.
    groups: Vec<String>,
    /// How many features are in groups, and how many are left out.
    pub(crate) grouped: u64,
    pub(crate) dropped: u64,
}

impl Rare {
    /// Those that occur in fewer than `least` examples.
    pub(crate) fn fewer(features: &Ranked, least: u64, recipe: Option<&Recipe>) -> Rare {
        Rare::of(features, |rank, name| {
            let is_rare = features.counts.get(rank).is_some_and(|&count| count < least);
            if !is_rare {
                return Some(None);
            }
            recipe.and_then(|recipe| recipe.rare_of(name)).map(Some)
        })
    }

    /// Those that the training data did not have, of columns that had rare ones.
    pub(crate) fn unseen(features: &Ranked, known: &KnownFeatures<'_>) -> Rare {
        let mut groups = known.rare(&features.ids);
        Rare::of(features, |rank, _| Some(groups.get_mut(rank).and_then(Option::take)))
    }

    /// By what `fate` says of a feature, by its rank and name: none if it is left out; else the group that it is counted to, if there is one.
    fn of(features: &Ranked, mut fate: impl FnMut(usize, &str) -> Option<Option<String>>) -> Rare {
        let mut rare = Rare { fates: Vec::with_capacity(features.counts.len()), groups: Vec::new(), grouped: 0, dropped: 0 };
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        for rank in 0..features.counts.len() {
            let fate = match fate(rank, &features.ids.name(rank)) {
                None => {
                    rare.dropped += 1;
                    DROPPED
                }
                Some(None) => KEPT,
                Some(Some(group)) => {
                    rare.grouped += 1;
                    *numbers.entry(group).or_insert_with_key(|group| {
                        rare.groups.push(group.clone());
                        rare.groups.len() as u32 - 1
                    })
                }
            };
            rare.fates.push(fate);
        }
        // A word that is called as the group is of the group.
        for rank in (0..rare.fates.len()).filter(|_| !numbers.is_empty()) {
            if let Some(&group) = numbers.get(&features.ids.name(rank)) {
                rare.fates[rank] = group;
            }
        }
        rare
    }

    /// Leaves features out and joins others. Gives how many nonzeros went.
    pub(crate) fn take_out(&self, pieces: &mut [Piece<'_>], features: &mut Ranked, spill: &File) -> std::io::Result<u64> {
        if self.fates.iter().all(|&fate| fate == KEPT) {
            return Ok(0);
        }
        let before: usize = pieces.iter().map(|piece| piece.cells).sum();
        let known = &*features;
        let of_pieces = look(pieces, spill, |_, words| self.count(words, known))?;
        let mut counts = known.counts.clone();
        counts.iter_mut().zip(&self.fates).filter(|(_, fate)| **fate != KEPT).for_each(|(count, _)| *count = 0);
        let mut of_groups = vec![0u64; self.groups.len()];
        of_pieces.iter().for_each(|piece| of_groups.iter_mut().zip(piece).for_each(|(sum, count)| *sum += count));
        // Codes are changed by the ranks as they were.
        let added: Vec<u32> = (0..self.groups.len()).map(|group| known.code_behind(group)).collect();
        rewrite(pieces, spill, |_, words| Some(self.change(words, known, &added)))?;
        features.rearrange(&counts, self.groups.iter().map(String::as_bytes).zip(of_groups));
        let after: usize = pieces.iter().map(|piece| piece.cells).sum();
        Ok((before - after) as u64)
    }

    fn fate(&self, code: u32, features: &Ranked) -> u32 {
        self.fates.get(features.rank(code) as usize).copied().unwrap_or(KEPT)
    }

    /// In how many examples each group occurs.
    fn count(&self, words: &ExampleWords<'_>, features: &Ranked) -> Vec<u64> {
        let (mut counts, mut seen, mut at) = (vec![0; self.groups.len()], vec![0u32; self.groups.len()], 0);
        for (row, &length) in (1..).zip(words.lengths.iter()) {
            for &code in words.codes.get(at..at + length as usize).unwrap_or_default() {
                let fate = self.fate(code, features) as usize;
                if let Some(seen) = seen.get_mut(fate).filter(|seen| **seen != row) {
                    *seen = row;
                    counts[fate] += 1;
                }
            }
            at += length as usize;
        }
        counts
    }

    fn change(&self, words: &ExampleWords<'_>, features: &Ranked, added: &[u32]) -> PieceRows {
        let mut rows = PieceRows::like(words);
        (rows.labels, rows.classes) = (words.labels.to_vec(), words.classes.to_vec());
        rows.weights = words.weights.map(<[u32]>::to_vec);
        let mut from = 0;
        for &length in words.lengths.iter() {
            let first = rows.codes.len();
            for i in from..from + length as usize {
                let (code, value) = (words.codes[i], words.values.as_ref().map(|values| values[i]));
                let code = match self.fate(code, features) {
                    DROPPED => continue,
                    KEPT => code,
                    group => {
                        let code = added[group as usize];
                        // Of several rare words of a list the values add up.
                        if let Some(place) = rows.codes[first..].iter().position(|other| *other == code) {
                            let sum = &mut rows.values()[first + place];
                            *sum = (f32::from_bits(*sum) + value.map_or(1.0, f32::from_bits)).to_bits();
                            continue;
                        }
                        code
                    }
                };
                if let Some(values) = &mut rows.values {
                    values.push(value.unwrap_or(1f32.to_bits()));
                }
                rows.codes.push(code);
            }
            from += length as usize;
            rows.lengths.push((rows.codes.len() - first) as u32);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;
    use crate::dictionary::{Dictionary, hash_name};
    use crate::file::{read_at, write_at};
    use crate::pack::piece::Place;
    use crate::text::recipe::{Column, Step};

    /// Rows of features, as the words of a piece with values.
    fn words(rows: &[&[u32]]) -> Vec<u32> {
        let lengths = rows.iter().map(|row| row.len() as u32);
        let codes = || rows.iter().flat_map(|row| row.iter().copied());
        lengths.chain(rows.iter().map(|_| 0)).chain(codes()).chain(codes().map(|code| 10 * code)).collect()
    }

    fn piece<'a>(rows: &[&[u32]], place: Place<'a>) -> Piece<'a> {
        Piece { number: 0, rows: rows.len(), cells: rows.concat().len(), ones: false, weighted: false, classes: 0, place }
    }

    #[test]
    fn rare_features_go_wherever_rows_lie() {
        let (kept, spilled): ([&[u32]; 3], [&[u32]; 2]) = ([&[1, 5, 2], &[5], &[2, 1, 7]], [&[], &[8, 5, 9]]);
        let mut dictionary = Dictionary::default();
        let mut codes = [kept.concat(), spilled.concat()].concat();
        assert!(dictionary.count(&mut codes, &[]).is_ok());
        let mut features = dictionary.rank();
        let (file, there) = (tempfile::tempfile().unwrap(), words(&spilled));
        write_at(&file, bytemuck::cast_slice(&there), 64).unwrap();
        let mut room = words(&kept);
        let mut pieces = vec![piece(&kept, Place::Kept(&mut room)), piece(&spilled, Place::Spilled(64, there.len()))];
        let rare = Rare::fewer(&features, 2, None);
        assert_eq!((rare.dropped, rare.grouped, rare.take_out(&mut pieces, &mut features, &file).unwrap()), (3, 0, 3));
        assert_eq!((pieces[0].cells, pieces[1].cells, features.ids.len(), features.counts.clone()), (6, 1, 3, vec![3, 2, 2]));
        // In the memory where they were.
        let Place::Kept(all) = &pieces[0].place else { panic!() };
        assert_eq!(all[..], [3, 1, 2, 0, 0, 0, 1, 5, 2, 5, 2, 1, 10, 50, 20, 50, 20, 10]);
        let Place::Spilled(at, count) = pieces[1].place else { panic!() };
        let mut there = vec![0u32; count];
        read_at(&file, bytemuck::cast_slice_mut(&mut there), at).unwrap();
        assert_eq!(there, [0, 1, 0, 0, 5, 50]);
        assert_eq!([5, 1, 2].map(|code| features.rank(code)), [0, 1, 2]);
        assert_eq!(Rare::fewer(&features, 1, None).take_out(&mut pieces, &mut features, &file).unwrap(), 0);
    }

    #[test]
    fn rare_words_of_a_list_add_up_on_disk_too() {
        let names = ["tags=a", "tags=b", "tags=c", "city=x"];
        let mut dictionary = Dictionary::default();
        let count = |name: &str| if name == "tags=a" { 5 } else { 1 };
        let codes: Vec<u32> = names
            .iter()
            .filter_map(|name| (0..count(name)).flat_map(|_| dictionary.add_name(name.as_bytes(), hash_name(name.as_bytes()))).last())
            .collect();
        let column = |name: &str, step| Column { name: name.into(), step, why: None };
        let columns = vec![column("tags", Step::List("|".into())), column("city", Step::Word)];
        let recipe = Recipe { columns, ..Recipe::of(Format::Csv) };
        let mut features = dictionary.rank();
        // Two rows of four features without values: of one of them two are rare words of the same list.
        let there = [vec![3, 1, 0, 0], codes[..3].to_vec(), vec![codes[3]]].concat();
        let file = tempfile::tempfile().unwrap();
        let (first, second) = (0, 4 * there.len() as u64);
        for at in [first, second] {
            write_at(&file, bytemuck::cast_slice(&there), at).unwrap();
        }
        let piece = |at| Piece { ones: true, rows: 2, cells: 4, ..piece(&[], Place::Spilled(at, there.len())) };
        let mut pieces = vec![piece(first), piece(second)];
        let rare = Rare::fewer(&features, 2, Some(&recipe));
        assert_eq!((rare.grouped, rare.dropped, rare.take_out(&mut pieces, &mut features, &file).unwrap()), (3, 0, 2));
        assert_eq!((0..3).map(|i| features.ids.name(i)).collect::<Vec<_>>(), ["tags=a", "city=<rare>", "tags=<rare>"]);
        assert_eq!(features.counts, [5, 2, 2]);
        for piece in pieces {
            let Place::Spilled(at, count) = piece.place else { panic!() };
            let mut words = vec![0u32; count];
            read_at(&file, bytemuck::cast_slice_mut(&mut words), at).unwrap();
            let ranks: Vec<u32> = words[4..7].iter().map(|&code| features.rank(code)).collect();
            assert_eq!((&words[..4], ranks, piece.cells), (&[2, 1, 0, 0][..], vec![0, 2, 1], 3));
            assert_eq!(bytemuck::cast_slice::<u32, f32>(&words[7..]), [1.0, 2.0, 1.0]);
        }
    }
}
