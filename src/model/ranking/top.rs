//! The best items for many users: scores are never written down, the best so far are kept.
//!
//! Items lie in blocks of sixteen, factor by factor, so that a block's scores are one vector. Two blocks are scored for four users while they
//! are at hand: eight sums at a time hide how long an addition takes.
//! A score that is above the least of a user's best becomes a candidate, and only candidates are looked up among what is left out. When there
//! are many, the best of them are selected. (10,677 items of rank 32, on one thread: 13 us a user, by `benches/python.py`.)
use hogwild_base::threads;
use hogwild_kernels::simd::{InstructionSet, Isa, Job, LANES, Line, Real, Vector, dispatch};

/// Users that are scored together, and of how many a task is.
const TOGETHER: usize = 4;
const TASK: usize = 16;
/// Blocks that are scored together.
const BLOCKS: usize = 2;
/// Candidates that are collected beyond the best before these are selected again.
const ROOM: usize = 64;

/// Rows of factors, laid out to be scored for many queries.
#[derive(Clone, Debug)]
pub struct TopScores {
    /// For each sixteen rows their biases, then each factor of all of them.
    blocks: Vec<Line<f32>>,
    rows: usize,
    rank: usize,
}

impl TopScores {
    /// Of `rank` factors a row, and a bias a row; without biases these are 0.
    ///
    /// ```
    /// use hogwild::TopScores;
    ///
    /// let items = TopScores::new(&[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], &[0.0, 0.5, 0.0], 2);
    /// let (rows, scores) = items.top(&[1.0, 2.0], 2, |_query, row| row == 0);
    /// assert_eq!((rows, scores), (vec![2, 1], vec![3.0, 2.5]));
    /// ```
    pub fn new(factors: &[f32], bias: &[f32], rank: usize) -> TopScores {
        let rows = factors.len().checked_div(rank).unwrap_or(bias.len());
        let mut blocks = vec![Line([0.0; LANES]); rows.div_ceil(LANES) * (1 + rank)];
        for row in 0..rows {
            let block = &mut blocks[row / LANES * (1 + rank)..][..1 + rank];
            block[0].0[row % LANES] = bias.get(row).copied().unwrap_or(0.0);
            for (line, &factor) in block[1..].iter_mut().zip(&factors[row * rank..]) {
                line.0[row % LANES] = factor;
            }
        }
        TopScores { blocks, rows, rank }
    }

    /// The `n` best rows for each query of `rank` numbers, best first, with their scores; where there are fewer, `u32::MAX`. Rows that
    /// `leaves_out` (query, row) says are none of them. Equal scores: the lower row first.
    pub fn top(&self, queries: &[f32], n: usize, leaves_out: impl Fn(usize, u32) -> bool + Sync) -> (Vec<u32>, Vec<f32>) {
        let count = queries.len() / self.rank.max(1);
        let n = n.min(self.rows);
        let (mut rows, mut scores) = (vec![u32::MAX; count * n], vec![f32::NEG_INFINITY; count * n]);
        if n == 0 {
            return (rows, scores);
        }
        let set = InstructionSet::best();
        let parts = rows.chunks_mut(TASK * n).zip(scores.chunks_mut(TASK * n)).enumerate().collect::<Vec<_>>();
        let done: Result<(), std::convert::Infallible> = threads::in_call(|| {
            threads::each(
                parts,
                || (),
                |(), (task, (rows, scores))| {
                    for (i, (rows, scores)) in rows.chunks_mut(TOGETHER * n).zip(scores.chunks_mut(TOGETHER * n)).enumerate() {
                        let first = task * TASK + i * TOGETHER;
                        let queries = &queries[first * self.rank..][..rows.len() / n * self.rank];
                        let job = Best { of: self, queries, first, n, leaves_out: &leaves_out };
                        for (found, (rows, scores)) in dispatch(set, job).into_iter().zip(rows.chunks_mut(n).zip(scores.chunks_mut(n))) {
                            for ((score, row), (to_row, to_score)) in found.into_iter().zip(rows.iter_mut().zip(scores)) {
                                (*to_row, *to_score) = (row, score);
                            }
                        }
                    }
                    Ok(())
                },
            )
        });
        let Ok(()) = done;
        (rows, scores)
    }
}

/// The best rows for a few queries.
struct Best<'a, S> {
    of: &'a TopScores,
    queries: &'a [f32],
    /// The number of the first query.
    first: usize,
    n: usize,
    leaves_out: &'a S,
}

impl<S: Fn(usize, u32) -> bool> Job for Best<'_, S> {
    type Output = [Vec<(f32, u32)>; TOGETHER];

    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) -> Self::Output {
        let TopScores { blocks, rows, rank } = self.of;
        let count = self.queries.len().checked_div(*rank).unwrap_or(1).min(TOGETHER);
        let mut best: Self::Output = std::array::from_fn(|_| Vec::with_capacity(self.n + ROOM));
        let mut least = [f32::NEG_INFINITY; TOGETHER];
        // Where there are fewer queries the first is scored in place of others.
        let query: [&[f32]; TOGETHER] = std::array::from_fn(|i| &self.queries[if i < count { i * rank } else { 0 }..][..*rank]);
        let mut scores = [[Line([0.0; LANES]); TOGETHER]; BLOCKS];
        for (pair, lines) in blocks.chunks(BLOCKS * (1 + rank)).enumerate() {
            // Behind the last block there is none: it is scored twice.
            let second = if lines.len() > 1 + rank { 1 + rank } else { 0 };
            let (one, other) = (&lines[..1 + rank], &lines[second..][..1 + rank]);
            let mut sums = [[I::V::load(&one[0].0); TOGETHER], [I::V::load(&other[0].0); TOGETHER]];
            for k in 1..=*rank {
                let factors = [I::V::load(&one[k].0), I::V::load(&other[k].0)];
                for i in 0..TOGETHER {
                    let own = I::V::of(query[i][k - 1]);
                    sums[0][i] = factors[0].mul_add(own, sums[0][i]);
                    sums[1][i] = factors[1].mul_add(own, sums[1][i]);
                }
            }
            for i in 0..TOGETHER {
                sums[0][i].store(&mut scores[0][i].0);
                sums[1][i].store(&mut scores[1][i].0);
            }
            for (block, scores) in scores.iter().enumerate().take(if second > 0 { BLOCKS } else { 1 }) {
                let first = (pair * BLOCKS + block) * LANES;
                let end = (rows - first).min(LANES);
                for i in 0..count {
                    let mut above = false;
                    for score in &scores[i].0 {
                        above |= *score > least[i];
                    }
                    if above {
                        self.collect(&scores[i].0[..end], first, self.first + i, &mut best[i], &mut least[i]);
                    }
                }
            }
        }
        best.iter_mut().for_each(|best| select(best, self.n));
        best
    }
}

impl<S: Fn(usize, u32) -> bool> Best<'_, S> {
    /// Adds what is above the least of the best.
    #[inline(never)]
    fn collect(&self, scores: &[f32], first: usize, query: usize, best: &mut Vec<(f32, u32)>, least: &mut f32) {
        for (row, &score) in (first as u32..).zip(scores) {
            if score > *least && !(self.leaves_out)(query, row) {
                best.push((score, row));
                if best.len() == self.n + ROOM {
                    select(best, self.n);
                    *least = best[self.n - 1].0;
                }
            }
        }
        if best.len() == self.n && *least == f32::NEG_INFINITY {
            *least = best.iter().map(|&(score, _)| score).fold(f32::INFINITY, f32::min);
        }
    }
}

/// Leaves the best, in order.
fn select(best: &mut Vec<(f32, u32)>, n: usize) {
    let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if best.len() > n {
        best.select_nth_unstable_by(n - 1, order);
        best.truncate(n);
    }
    best.sort_unstable_by(order);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_if_all_were_sorted() {
        let mut state = 7u64;
        let mut draw = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) * 3.0
        };
        for (rows, rank, queries, n) in [(1, 1, 1, 1), (100, 3, 5, 10), (1000, 8, 33, 7), (50, 4, 2, 80), (3000, 2, 9, 500), (40, 5, 0, 3)]
        {
            let factors: Vec<f32> = (0..rows * rank).map(|_| draw()).collect();
            let bias: Vec<f32> = (0..rows).map(|_| draw()).collect();
            let asked: Vec<f32> = (0..queries * rank).map(|_| draw()).collect();
            let top = TopScores::new(&factors, &bias, rank);
            let leaves_out = |query: usize, row: u32| (query + row as usize).is_multiple_of(3);
            let (found, scores) = hogwild_base::Threads::new(2).run(|| top.top(&asked, n, leaves_out));
            let n = n.min(rows);
            for query in 0..queries {
                let of = |row: usize| -> f32 {
                    (0..rank).fold(bias[row], |sum, k| factors[row * rank + k].mul_add(asked[query * rank + k], sum))
                };
                let mut all: Vec<(f32, u32)> =
                    (0..rows).filter(|&row| !leaves_out(query, row as u32)).map(|row| (of(row), row as u32)).collect();
                all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                all.resize(n.max(all.len()), (f32::NEG_INFINITY, u32::MAX));
                let expected: Vec<u32> = all[..n].iter().map(|&(_, row)| row).collect();
                assert_eq!(found[query * n..][..n], expected, "{rows} {rank} {query}");
                assert!(scores[query * n..][..n].iter().zip(&all).all(|(a, b)| *a == b.0));
            }
        }
    }
}
