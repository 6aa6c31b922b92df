//! The best items for many users: scores are never written down, the best so far are kept.
//!
//! Items lie in blocks of sixteen, factor by factor, so that a block's scores are one vector. Two blocks are scored for four users while they
//! are at hand: eight sums at a time hide how long an addition takes. A score that is not below the least of a user's best becomes a
//! candidate, and only candidates are looked up among what is left out. When there are many, the best of them are selected.
//!
//! No score is above the bias and the product of both lengths (Cauchy & Schwarz). So blocks lie by falling bias and length, and one whose
//! bounds are below the least of all four users is passed over (Teflioudi, Gemulla & Mykytiuk, "LEMP", SIGMOD 2015): the result is the same.
use hogwild_base::threads;
use hogwild_kernels::simd::{InstructionSet, Isa, Job, LANES, Line, Real, Vector, dispatch};

/// Users that are scored together, and of how many a task is.
const TOGETHER: usize = 4;
const TASK: usize = 16;
/// Candidates that are collected beyond the best before these are selected again.
const ROOM: usize = 64;
/// Lines of a block before its factors: biases, and lengths.
const HEAD: usize = 2;

/// Rows of factors, laid out to be scored for many queries.
#[derive(Clone, Debug)]
pub struct TopScores {
    /// For each sixteen rows their biases, their lengths, then each factor of all of them.
    blocks: Vec<Line<f32>>,
    /// Which row lies where.
    order: Vec<u32>,
    rank: usize,
    /// How far a score may be above its bound, as the sums with large biases are rounded.
    slack: f32,
}

impl TopScores {
    /// How many queries to ask at once, at most `most`: so many that lists of `n` of so many `rows` take no more than 32 MB.
    pub(crate) fn block(most: usize, n: usize, rows: usize) -> usize {
        ((1 << 22) / n.min(rows).max(1)).clamp(most.min(64), most)
    }

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
        let row = |row: usize| factors.get(row * rank..(row + 1) * rank).unwrap_or_default();
        let bias = |row: usize| bias.get(row).copied().unwrap_or(0.0);
        let lengths: Vec<f32> = (0..rows).map(|i| length(row(i))).collect();
        // A user's factors are about as long as an item's.
        let usual = (lengths.iter().map(|&length| f64::from(length)).sum::<f64>() / rows.max(1) as f64) as f32;
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let bound = |row: u32| bias(row as usize) + usual * lengths[row as usize];
        order.sort_by(|&a, &b| bound(b).total_cmp(&bound(a)));
        // What is behind the last row has no bound that is above anything.
        let mut blocks = vec![Line([0.0; LANES]); rows.div_ceil(LANES) * (HEAD + rank)];
        blocks.iter_mut().step_by(HEAD + rank).for_each(|line| line.0 = [f32::NEG_INFINITY; LANES]);
        for (place, &from) in order.iter().enumerate() {
            let block = &mut blocks[place / LANES * (HEAD + rank)..][..HEAD + rank];
            block[0].0[place % LANES] = bias(from as usize);
            block[1].0[place % LANES] = lengths[from as usize];
            for (line, &factor) in block[HEAD..].iter_mut().zip(row(from as usize)) {
                line.0[place % LANES] = factor;
            }
        }
        let largest = (0..rows).map(|row| bias(row).abs()).fold(0.0, f32::max);
        TopScores { blocks, order, rank, slack: rounding(rank) * largest }
    }

    /// The `n` best rows for each query of `rank` numbers, best first, with their scores; where there are fewer, `u32::MAX`. Rows that
    /// `leaves_out` (query, row) says are none of them. Equal scores: the lower row first.
    pub fn top(&self, queries: &[f32], n: usize, leaves_out: impl Fn(usize, u32) -> bool + Sync) -> (Vec<u32>, Vec<f32>) {
        let count = queries.len() / self.rank.max(1);
        let n = n.min(self.order.len());
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

/// By which share a sum of so many products may be rounded up.
fn rounding(products: usize) -> f32 {
    (products as f32 + 8.0) * f32::EPSILON
}

/// The length of a row, rather more than less; never infinite, as 0 times that is no bound.
fn length(row: &[f32]) -> f32 {
    let squares: f64 = row.iter().map(|&x| f64::from(x).powi(2)).sum();
    (squares.sqrt() * f64::from(1.0 + rounding(row.len()))).min(f64::from(f32::MAX)) as f32
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

/// What is found so far.
struct Found {
    best: [Vec<(f32, u32)>; TOGETHER],
    /// The least of the best, once there are as many as are asked for.
    least: [f32; TOGETHER],
}

impl<S: Fn(usize, u32) -> bool> Job for Best<'_, S> {
    type Output = [Vec<(f32, u32)>; TOGETHER];

    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) -> Self::Output {
        let TopScores { blocks, rank, .. } = self.of;
        let count = self.queries.len().checked_div(*rank).unwrap_or(1).min(TOGETHER);
        let best = std::array::from_fn(|_| Vec::with_capacity(self.n + ROOM));
        let mut found = Found { best, least: [f32::NEG_INFINITY; TOGETHER] };
        // Where there are fewer queries the first is scored in place of others.
        let query: [&[f32]; TOGETHER] = std::array::from_fn(|i| &self.queries[if i < count { i * rank } else { 0 }..][..*rank]);
        let lengths: [f32; TOGETHER] = std::array::from_fn(|i| length(query[i]));
        let block = |number: usize| &blocks[number * (HEAD + rank)..][..HEAD + rank];
        let mut waits = None;
        for number in 0..blocks.len() / (HEAD + rank) {
            if self.may_be_among::<I>(block(number), &lengths, &found.least[..count]) {
                match waits.take() {
                    None => waits = Some(number),
                    Some(before) => {
                        let scores = scores::<I>([block(before), block(number)], &query);
                        self.look(before, &scores[0], count, &mut found);
                        self.look(number, &scores[1], count, &mut found);
                    }
                }
            }
        }
        if let Some(last) = waits {
            self.look(last, &scores::<I>([block(last); 2], &query)[0], count, &mut found);
        }
        found.best.iter_mut().for_each(|best| {
            keep_best(best, self.n);
            best.sort_unstable_by(order);
        });
        found.best
    }
}

/// The scores of two blocks for all queries.
#[inline(always)]
fn scores<I: Isa>(blocks: [&[Line<f32>]; 2], query: &[&[f32]; TOGETHER]) -> [[Line<f32>; TOGETHER]; 2] {
    let mut sums = [[I::V::load(&blocks[0][0].0); TOGETHER], [I::V::load(&blocks[1][0].0); TOGETHER]];
    for k in 0..query[0].len() {
        let factors = [I::V::load(&blocks[0][HEAD + k].0), I::V::load(&blocks[1][HEAD + k].0)];
        for i in 0..TOGETHER {
            let own = I::V::of(query[i][k]);
            sums[0][i] = factors[0].mul_add(own, sums[0][i]);
            sums[1][i] = factors[1].mul_add(own, sums[1][i]);
        }
    }
    let mut scores = [[Line([0.0; LANES]); TOGETHER]; 2];
    for i in 0..TOGETHER {
        sums[0][i].store(&mut scores[0][i].0);
        sums[1][i].store(&mut scores[1][i].0);
    }
    scores
}

#[inline(always)]
fn is_reached(numbers: &[f32; LANES], least: f32) -> bool {
    let mut reached = false;
    for number in numbers {
        reached |= *number >= least;
    }
    reached
}

impl<S: Fn(usize, u32) -> bool> Best<'_, S> {
    /// Whether a row of a block may have a score that is among the best of some query.
    #[inline(always)]
    fn may_be_among<I: Isa>(&self, block: &[Line<f32>], lengths: &[f32; TOGETHER], least: &[f32]) -> bool {
        let (bias, of_rows) = (I::V::load(&block[0].0), I::V::load(&block[1].0));
        let mut bounds = Line([0.0; LANES]);
        for i in 0..least.len() {
            of_rows.mul_add(I::V::of(lengths[i]), bias).store(&mut bounds.0);
            if is_reached(&bounds.0, least[i] - self.of.slack) {
                return true;
            }
        }
        false
    }

    /// Looks for candidates among the scores of a block.
    #[inline(always)]
    fn look(&self, block: usize, scores: &[Line<f32>; TOGETHER], count: usize, found: &mut Found) {
        for i in 0..count {
            if is_reached(&scores[i].0, found.least[i]) {
                self.collect(&scores[i].0, block * LANES, self.first + i, &mut found.best[i], &mut found.least[i]);
            }
        }
    }

    /// Adds what is not below the least of the best: of equal scores the lower row may yet come.
    #[inline(never)]
    fn collect(&self, scores: &[f32; LANES], first: usize, query: usize, best: &mut Vec<(f32, u32)>, least: &mut f32) {
        let rows = &self.of.order[first..self.of.order.len().min(first + LANES)];
        for (&row, &score) in rows.iter().zip(scores) {
            if score >= *least && score > f32::NEG_INFINITY && !(self.leaves_out)(query, row) {
                best.push((score, row));
                if best.len() == self.n + ROOM {
                    *least = keep_best(best, self.n);
                }
            }
        }
        if best.len() == self.n && *least == f32::NEG_INFINITY {
            *least = best.iter().map(|&(score, _)| score).fold(f32::INFINITY, f32::min);
        }
    }
}

fn order(a: &(f32, u32), b: &(f32, u32)) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// Leaves the best, in any order. Gives the least of them.
fn keep_best(best: &mut Vec<(f32, u32)>, n: usize) -> f32 {
    if best.len() <= n {
        return f32::NEG_INFINITY;
    }
    let (_, last, _) = best.select_nth_unstable_by(n - 1, order);
    let least = last.0;
    best.truncate(n);
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(state: &mut u64) -> f32 {
        *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((*state >> 40) as f32 / (1 << 23) as f32 - 1.0) * 3.0
    }

    /// Compares with sorting all scores.
    fn check(factors: &[f32], bias: &[f32], asked: &[f32], (rows, rank, queries, n): (usize, usize, usize, usize)) {
        let top = TopScores::new(factors, bias, rank);
        let leaves_out = |query: usize, row: u32| (query + row as usize).is_multiple_of(3);
        let (found, scores) = hogwild_base::Threads::new(2).run(|| top.top(asked, n, leaves_out));
        let n = n.min(rows);
        for query in 0..queries {
            let of =
                |row: usize| -> f32 { (0..rank).fold(bias[row], |sum, k| factors[row * rank + k].mul_add(asked[query * rank + k], sum)) };
            let mut all: Vec<(f32, u32)> =
                (0..rows).filter(|&row| !leaves_out(query, row as u32)).map(|row| (of(row), row as u32)).collect();
            all.sort_by(order);
            all.resize(n.max(all.len()), (f32::NEG_INFINITY, u32::MAX));
            let expected: Vec<u32> = all[..n].iter().map(|&(_, row)| row).collect();
            assert_eq!(found[query * n..][..n], expected, "{rows} {rank} {query}");
            assert!(scores[query * n..][..n].iter().zip(&all).all(|(a, b)| *a == b.0));
        }
    }

    const SIZES: [(usize, usize, usize, usize); 7] =
        [(1, 1, 1, 1), (100, 3, 5, 10), (1000, 8, 33, 7), (50, 4, 2, 80), (3000, 2, 9, 500), (40, 5, 0, 3), (5000, 16, 21, 20)];

    #[test]
    fn as_if_all_were_sorted() {
        let mut state = 7u64;
        for sizes in SIZES {
            let (rows, rank, queries, _) = sizes;
            let mut numbers = |count: usize| (0..count).map(|_| random(&mut state)).collect::<Vec<f32>>();
            let (factors, bias, asked) = (numbers(rows * rank), numbers(rows), numbers(queries * rank));
            check(&factors, &bias, &asked, sizes);
            // Rows of very different lengths, of which most are passed over; and queries of nothing.
            let scaled: Vec<f32> = factors.iter().enumerate().map(|(i, x)| x / (1 + i / rank.max(1)) as f32).collect();
            check(&scaled, &bias, &asked, sizes);
            check(&scaled, &bias, &vec![0.0; asked.len()], sizes);
        }
    }

    #[test]
    fn of_equal_scores_the_lower_rows_come_first() {
        let mut state = 3u64;
        for sizes in SIZES {
            let (rows, rank, queries, _) = sizes;
            let mut whole = |count: usize| (0..count).map(|_| random(&mut state).round() / 2.0).collect::<Vec<f32>>();
            let (factors, bias, asked) = (whole(rows * rank), whole(rows), whole(queries * rank));
            check(&factors, &bias, &asked, sizes);
            check(&vec![1.0; rows * rank], &vec![0.5; rows], &vec![1.0; queries * rank], sizes);
        }
    }
}
