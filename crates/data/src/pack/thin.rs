//! Leaves out features that occur in too few examples. As columns are ranked by their counts, these are all behind one column.

use std::fs::File;

use hogwild_base::threads;

use super::piece::{ExampleWords, Piece, Place};
use crate::dictionary::Ranked;
use crate::file::read_at;

/// Ranks without those of too few examples. Gives how many features and cells went with them; each piece then knows how many cells it has
/// left.
pub(crate) fn thin(pieces: &mut [Piece], features: &mut Ranked, least: u64, spill: &File) -> std::io::Result<(u64, u64)> {
    let kept = features.counts.partition_point(|&count| count >= least);
    let dropped = features.counts.len() - kept;
    if dropped == 0 {
        return Ok((0, 0));
    }
    features.counts.truncate(kept);
    features.ids.truncate(kept);
    let features = &*features;
    let left: Vec<std::io::Result<usize>> = threads::map(pieces.len(), |i| {
        let piece = &pieces[i];
        let mut read = Vec::new();
        let words = match &piece.place {
            Place::Kept(words) => words.as_slice(),
            Place::Spilled(at, count) => {
                read.resize(*count, 0);
                read_at(spill, bytemuck::cast_slice_mut(&mut read), *at)?;
                &read
            }
        };
        Ok(ExampleWords::codes(piece, words).iter().filter(|&&code| (features.rank(code) as usize) < kept).count())
    });
    let mut gone = 0;
    for (piece, left) in pieces.iter_mut().zip(left) {
        piece.left = left?;
        gone += (piece.cells - piece.left) as u64;
    }
    Ok((dropped as u64, gone))
}

/// Moves the cells that are left to the front, and shortens the examples that they are of.
pub(crate) fn close_up(words: &mut ExampleWords<'_>, features: &Ranked) {
    let (mut from, mut to) = (0, 0);
    for length in words.lengths.iter_mut() {
        let (end, first) = (from + *length as usize, to);
        while from < end {
            if (features.rank(words.codes[from]) as usize) < features.counts.len() {
                words.codes[to] = words.codes[from];
                if let Some(values) = &mut words.values {
                    values[to] = values[from];
                }
                to += 1;
            }
            from += 1;
        }
        *length = (to - first) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::Dictionary;
    use crate::file::write_at;

    /// Rows of features, as the words of a piece with values.
    fn words(rows: &[&[u32]]) -> Vec<u32> {
        let lengths = rows.iter().map(|row| row.len() as u32);
        let codes = || rows.iter().flat_map(|row| row.iter().copied());
        lengths.chain(rows.iter().map(|_| 0)).chain(codes()).chain(codes().map(|code| 10 * code)).collect()
    }

    fn piece(rows: &[&[u32]], place: Place) -> Piece {
        let cells = rows.concat().len();
        Piece { number: 0, rows: rows.len(), cells, left: cells, ones: false, weighted: false, classes: 0, place }
    }

    #[test]
    fn rare_features_go_wherever_rows_lie() {
        let (kept, spilled): ([&[u32]; 3], [&[u32]; 2]) = ([&[1, 5, 2], &[5], &[2, 1, 7]], [&[], &[8, 5, 9]]);
        let mut dictionary = Dictionary::default();
        let mut codes = [kept.concat(), spilled.concat()].concat();
        assert!(dictionary.count(&mut codes, &[], &[]).is_ok());
        let mut features = dictionary.rank();
        let (file, there) = (tempfile::tempfile().unwrap(), words(&spilled));
        write_at(&file, bytemuck::cast_slice(&there), 64).unwrap();
        let mut pieces = vec![piece(&kept, Place::Kept(words(&kept))), piece(&spilled, Place::Spilled(64, there.len()))];
        assert_eq!(thin(&mut pieces, &mut features, 2, &file).unwrap(), (3, 3));
        assert_eq!((pieces[0].left, pieces[1].left, features.ids.len(), features.counts.clone()), (6, 1, 3, vec![3, 2, 2]));
        let mut all = words(&kept);
        let mut rows = ExampleWords::of(&pieces[0], &mut all);
        close_up(&mut rows, &features);
        assert_eq!((rows.lengths.to_vec(), rows.codes[..6].to_vec()), (vec![3, 1, 2], vec![1, 5, 2, 5, 2, 1]));
        assert_eq!(rows.values.unwrap()[..6], [10, 50, 20, 50, 20, 10]);
        assert_eq!(thin(&mut pieces, &mut features, 1, &file).unwrap(), (0, 0));
    }
}
