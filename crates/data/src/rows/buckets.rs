//! Rows sorted by buckets of ranks: for processors whose vectors `crate::vectors` has not.
//!
//! How often each rank occurs is known: ranks are divided into buckets that are hit about equally often, some for each cell of a row. So a
//! row's cells are counted by bucket and put into their buckets' places. A bucket seldom gets two, and insertion mends what is not sorted then.
//! All of it stays in the nearest cache. It takes half the time of sorting digit by digit on imdb_1gram (141 cells a row, 512 buckets), and two
//! thirds on Criteo (33 cells, 128).

/// Buckets for each cell of a row of mean length, and how many there are at least and at most.
const A_CELL: usize = 2;
const BUCKETS: (usize, usize) = (16, 512);
/// Cells of a row for each bucket, at most, and cells of a row at most: buckets would get too many, or be too many themselves.
const CROWD: usize = 4;
const LONG: usize = 512;
/// Cells that are moved by insertion for each cell of a row, at most: a row that needs more is unlike the others.
const MOVES: usize = 8;

/// The bucket of each rank.
pub(super) struct Buckets {
    of: Vec<u16>,
    count: usize,
}

impl Buckets {
    /// Ascending, and each hit by about as many cells as another, of ranks with these counts.
    pub fn of(counts: &[u64], cells: usize, rows: usize) -> Buckets {
        let count = (A_CELL * cells / rows.max(1)).next_power_of_two().clamp(BUCKETS.0, BUCKETS.1);
        let all = counts.iter().sum::<u64>().max(1) as u128;
        let mut before = 0;
        let of = |&own: &u64| {
            let middle = before + own / 2;
            before += own;
            (middle as u128 * count as u128 / all).min(count as u128 - 1) as u16
        };
        Buckets { of: counts.iter().map(of).collect(), count }
    }
}

/// Sorts rows, with the room of one thread.
pub(super) struct ByBuckets<'a> {
    buckets: &'a Buckets,
    /// By bucket, where its next cell belongs.
    next: Vec<u16>,
    ranks: Vec<u32>,
    places: Vec<u32>,
}

impl<'a> ByBuckets<'a> {
    pub fn new(buckets: &'a Buckets) -> ByBuckets<'a> {
        ByBuckets { buckets, next: vec![0; buckets.count], ranks: vec![0; LONG], places: vec![0; LONG] }
    }

    /// Where the columns that were sorted last stood.
    pub fn places(&self) -> &[u32] {
        &self.places
    }

    /// Sorts the columns of a row, and gives the least that is there twice. None: there are too many, or too many in few buckets, and nothing was
    /// done.
    pub fn sort(&mut self, columns: &mut [u32]) -> Option<Option<u32>> {
        let count = columns.len();
        if count > LONG.min(CROWD * self.next.len()) {
            return None;
        }
        let (next, ranks, places) = (&mut self.next[..], &mut self.ranks[..count], &mut self.places[..count]);
        next.fill(0);
        ranks.copy_from_slice(columns);
        // (Plain loops: without ThinLTO `zip` and its like are calls, one a cell.)
        for &rank in ranks.iter() {
            next[self.buckets.of[rank as usize] as usize] += 1;
        }
        sum_up(next);
        for i in 0..count {
            let next = &mut next[self.buckets.of[ranks[i] as usize] as usize];
            (columns[*next as usize], places[*next as usize]) = (ranks[i], i as u32);
            *next += 1;
        }
        let twice = settle(columns, places);
        if twice.is_none() {
            columns.copy_from_slice(ranks);
        }
        twice
    }
}

/// Puts the sum of the numbers before it in place of each.
fn sum_up(next: &mut [u16]) {
    let mut before = 0;
    for next in next {
        before += std::mem::replace(next, before);
    }
}

/// Sorts columns that nearly are. Gives the least that is there twice; none where more is to be moved than insertion is good for.
fn settle(columns: &mut [u32], places: &mut [u32]) -> Option<Option<u32>> {
    let (mut moves, mut twice) = (MOVES * columns.len(), None);
    for i in 1..columns.len() {
        let (column, place) = (columns[i], places[i]);
        if columns[i - 1] < column {
            continue;
        }
        let mut at = i;
        while at > 0 && columns[at - 1] > column {
            (columns[at], places[at]) = (columns[at - 1], places[at - 1]);
            at -= 1;
        }
        (columns[at], places[at]) = (column, place);
        if at > 0 && columns[at - 1] == column {
            twice = twice.into_iter().chain([column]).min();
        }
        moves = moves.checked_sub(i - at)?;
    }
    Some(twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_what_is_before() {
        let mut places = [3, 0, 1, 2, 60_000, 0, 0, 5];
        sum_up(&mut places);
        assert_eq!(places, [0, 3, 3, 4, 6, 60_006, 60_006, 60_006]);
    }
}
