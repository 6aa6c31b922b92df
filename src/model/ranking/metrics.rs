//! Metrics of ranked lists, by full ranking: every item that a user does not have yet is ranked, never a sample of them.
//!
//! With a sample the order of systems may come out reversed (Krichene & Rendle, "On sampled metrics for item recommendation", KDD 2020).
//! Of a user with held-out items `H` and the first `k` of all items that are not left out, of which item `r` (from 1) hits if it is in `H`:
//!
//! | metric | of a user |
//! |---|---|
//! | recall | hits / \|H\| |
//! | capped recall | hits / min(k, \|H\|), which can be 1 |
//! | precision | hits / k |
//! | NDCG | sum of 1 / log2(r + 1) over hits, over the same sum of min(k, \|H\|) hits at the top |
//! | MAP | mean over min(k, \|H\|) of the precision of the first `r` at each hit |
//! | MRR | 1 / r of the first hit, 0 without one |
//!
//! Each is the mean over users with held-out items. Equal scores: the item with the lower number first, so a constant model gets no luck.
use super::{ByUser, TopScores};

/// How long lists are that are judged, where nothing is said.
pub const CUTOFF: usize = 20;
/// Users whose lists are made at once: with their factors and lists a few megabytes.
const BLOCK: usize = 4096;

/// What items are ranked by: the inner product of both factors, and the item's bias.
#[derive(Clone, Copy, Debug)]
pub struct Vectors<'a> {
    /// Factors a row.
    pub rank: usize,
    /// `rank` a user.
    pub users: &'a [f32],
    /// `rank` an item.
    pub items: &'a [f32],
    /// One an item.
    pub item_bias: &'a [f32],
}

/// How good the first `k` of ranked lists are: means over users.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RankingMetrics {
    /// How long the lists are.
    pub k: usize,
    /// Users with held-out items.
    pub users: u64,
    /// Which share of the held-out items is in the list.
    pub recall: f64,
    /// The same beside the most that a list of `k` can have.
    pub capped_recall: f64,
    /// Which share of the list was held out.
    pub precision: f64,
    /// Normalised discounted cumulative gain.
    pub ndcg: f64,
    /// Mean average precision.
    pub map: f64,
    /// Mean reciprocal rank of the first hit.
    pub mrr: f64,
}

/// Ranks all items for each user with held-out items, but for those that they have `seen`, and holds the first `k` against `held`.
///
/// Held-out items without a number below that of the items count as never found, users without factors have the list by biases alone. An
/// item that a user has seen cannot be found, and is not asked for. Where a number is not finite, no metric is.
///
/// ```
/// use hogwild::{ByUser, Vectors, ranking_metrics};
///
/// let vectors = Vectors { rank: 1, users: &[1.0, -1.0], items: &[3.0, 2.0, 1.0], item_bias: &[0.0; 3] };
/// let (seen, held) = (ByUser::new(2, &[(0, 0)]), ByUser::new(2, &[(0, 2), (1, 2)]));
/// let metrics = ranking_metrics(&vectors, &seen, &held, 2); // lists: items 1, 2 and items 2, 1
/// assert_eq!((metrics.users, metrics.recall, metrics.precision, metrics.mrr), (2, 1.0, 0.5, 0.75));
/// ```
pub fn ranking_metrics(vectors: &Vectors<'_>, seen: &ByUser, held: &ByUser, k: usize) -> RankingMetrics {
    let Vectors { rank, users, items, item_bias } = *vectors;
    let is_finite = |numbers: &[f32]| numbers.iter().all(|x| x.is_finite());
    let asked: Vec<usize> = (0..held.users()).filter(|&user| held.of(user).iter().any(|&item| !seen.has(user, item))).collect();
    let mut sums = RankingMetrics { k, users: asked.len() as u64, ..RankingMetrics::default() };
    if ![users, items, item_bias].into_iter().all(is_finite) {
        let none = f64::NAN;
        return RankingMetrics { recall: none, capped_recall: none, precision: none, ndcg: none, map: none, mrr: none, ..sums };
    }
    let of_items = TopScores::new(items, item_bias, rank);
    let mut ideal: Vec<f64> = (0..k).map(gain).collect();
    (1..k).for_each(|place| ideal[place] += ideal[place - 1]);
    for block in asked.chunks(TopScores::block(BLOCK, k, item_bias.len())) {
        let mut queries = vec![0.0; block.len() * rank];
        for (query, &user) in queries.chunks_exact_mut(rank).zip(block) {
            users.get(user * rank..(user + 1) * rank).into_iter().for_each(|factors| query.copy_from_slice(factors));
        }
        let (lists, _) = of_items.top(&queries, k, |query, item| seen.has(block[query], item));
        let n = lists.len() / block.len();
        for (i, &user) in block.iter().enumerate() {
            let list = &lists[i * n..(i + 1) * n];
            let of_user = held.of(user);
            let count = of_user.iter().filter(|&&item| !seen.has(user, item)).count();
            sums.add(list.iter().map(|item| of_user.binary_search(item).is_ok()), count, &ideal);
        }
    }
    sums.over(asked.len().max(1) as f64)
}

/// What a hit at a place, from 0, counts.
fn gain(place: usize) -> f64 {
    1.0 / (place as f64 + 2.0).log2()
}

impl RankingMetrics {
    /// Adds those of a user with so many held-out items, by which places of the list hit.
    fn add(&mut self, list: impl Iterator<Item = bool>, held: usize, ideal: &[f64]) {
        let (mut hits, mut gains, mut precisions, mut first) = (0.0, 0.0, 0.0, 0.0);
        for (place, _) in list.enumerate().filter(|(_, hit)| *hit) {
            hits += 1.0;
            gains += gain(place);
            precisions += hits / (place + 1) as f64;
            first = if hits == 1.0 { 1.0 / (place + 1) as f64 } else { first };
        }
        let most = held.min(self.k);
        if most == 0 {
            return; // a list of nothing
        }
        self.recall += hits / held as f64;
        self.capped_recall += hits / most as f64;
        self.precision += hits / self.k as f64;
        self.ndcg += gains / ideal[most - 1];
        self.map += precisions / most as f64;
        self.mrr += first;
    }

    /// Sums become means.
    fn over(self, users: f64) -> RankingMetrics {
        let RankingMetrics { k, users: count, recall, capped_recall, precision, ndcg, map, mrr } = self;
        let [recall, capped_recall, precision, ndcg, map, mrr] = [recall, capped_recall, precision, ndcg, map, mrr].map(|sum| sum / users);
        RankingMetrics { k, users: count, recall, capped_recall, precision, ndcg, map, mrr }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by sorting all items of each user, from the definitions.
    fn naive(vectors: &Vectors<'_>, seen: &ByUser, held: &ByUser, k: usize) -> RankingMetrics {
        let Vectors { rank, users, items, item_bias } = *vectors;
        let (mut all, mut count) = ([0.0; 6], 0);
        for user in 0..held.users() {
            let wanted: Vec<u32> = held.of(user).iter().copied().filter(|&item| !seen.has(user, item)).collect();
            if wanted.is_empty() {
                continue;
            }
            count += 1;
            let factors = |f: usize| users.get(user * rank + f).copied().unwrap_or(0.0);
            let score = |item: usize| (0..rank).fold(item_bias[item], |sum, f| items[item * rank + f].mul_add(factors(f), sum));
            let mut list: Vec<usize> = (0..item_bias.len()).filter(|&item| !seen.has(user, item as u32)).collect();
            list.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
            let hit: Vec<bool> = list.iter().take(k).map(|&item| wanted.contains(&(item as u32))).collect();
            let (hits, most) = (hit.iter().filter(|hit| **hit).count() as f64, wanted.len().min(k));
            let gain = |places: &mut dyn Iterator<Item = usize>| places.map(|place| 1.0 / (place as f64 + 2.0).log2()).sum::<f64>();
            let at = |place: usize| hit[..=place].iter().filter(|hit| **hit).count() as f64 / (place + 1) as f64;
            let found: Vec<usize> = (0..hit.len()).filter(|&place| hit[place]).collect();
            let one = [
                hits / wanted.len() as f64,
                hits / most as f64,
                hits / k as f64,
                gain(&mut found.iter().copied()) / gain(&mut (0..most)),
                found.iter().map(|&place| at(place)).sum::<f64>() / most as f64,
                found.first().map_or(0.0, |&place| 1.0 / (place + 1) as f64),
            ];
            all.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
        }
        let [recall, capped_recall, precision, ndcg, map, mrr] = all.map(|sum| sum / f64::max(count as f64, 1.0));
        RankingMetrics { k, users: count, recall, capped_recall, precision, ndcg, map, mrr }
    }

    fn close(a: &RankingMetrics, b: &RankingMetrics) -> bool {
        let all = |m: &RankingMetrics| [m.recall, m.capped_recall, m.precision, m.ndcg, m.map, m.mrr];
        a.users == b.users && all(a).iter().zip(all(b)).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn as_the_definitions_say() {
        let mut state = 3u64;
        let mut draw = move |n: u32| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as u32 % n
        };
        for (users, items, rank, k) in [(30, 40, 5, 10), (7, 12, 1, 20), (60, 100, 8, 1), (3, 1, 2, 3)] {
            let mut numbers = |n: usize| (0..n).map(|_| draw(9) as f32 - 4.0).collect::<Vec<f32>>(); // many equal scores
            let (of_users, of_items, bias) = (numbers(users * rank), numbers(items * rank), numbers(items));
            let vectors = Vectors { rank, users: &of_users, items: &of_items, item_bias: &bias };
            // Some users and items that the model does not know, and items that are in both.
            let mut pairs = |n: usize, more: u32| -> Vec<(u32, u32)> {
                (0..n).map(|_| (draw(users as u32 + more), draw(items as u32 + 2 * more))).collect()
            };
            let (seen, held) = (ByUser::new(users, &pairs(4 * users, 0)), ByUser::new(users + 2, &pairs(5 * users, 2)));
            let (ours, expected) = (rank_on_two(&vectors, &seen, &held, k), naive(&vectors, &seen, &held, k));
            assert!(close(&ours, &expected) && (users < 7 || ours.users > 3), "{ours:?} {expected:?}");
        }
    }

    fn rank_on_two(vectors: &Vectors<'_>, seen: &ByUser, held: &ByUser, k: usize) -> RankingMetrics {
        hogwild_base::Threads::new(2).run(|| ranking_metrics(vectors, seen, held, k))
    }

    #[test]
    fn a_perfect_list_has_one_everywhere_but_where_k_is_longer() {
        let vectors = Vectors { rank: 1, users: &[1.0], items: &[5.0, 4.0, 3.0, 2.0], item_bias: &[0.0; 4] };
        let held = ByUser::new(1, &[(0, 1), (0, 2)]);
        let metrics = ranking_metrics(&vectors, &ByUser::new(1, &[(0, 0)]), &held, 3);
        assert_eq!((metrics.recall, metrics.ndcg, metrics.map, metrics.mrr, metrics.precision), (1.0, 1.0, 1.0, 1.0, 2.0 / 3.0));
        // A held-out item that was seen is not asked for.
        assert_eq!(ranking_metrics(&vectors, &held, &held, 3).users, 0);
    }

    #[test]
    fn numbers_that_are_none_have_no_metrics() {
        let vectors = Vectors { rank: 1, users: &[f32::NAN], items: &[5.0, 4.0], item_bias: &[0.0; 2] };
        let metrics = ranking_metrics(&vectors, &ByUser::default(), &ByUser::new(1, &[(0, 1)]), 1);
        assert!(metrics.ndcg.is_nan() && metrics.recall.is_nan());
    }
}
