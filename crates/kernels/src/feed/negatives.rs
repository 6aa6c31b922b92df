//! Negatives: items drawn by lot from those that a user does not have.
//!
//! Every item is as likely as any other, or likely as a power of how often it was taken, by an alias table (Walker 1977; Vose 1991): a draw
//! is one place of the table in either case. An item that the user has is drawn again. So what is drawn follows from the example's
//! position and the epoch alone, and not from who draws.
use crate::simd::{LANES, Line, math::mixed};

/// How often in a row an item may be drawn that the user has, before the example goes without: such a user has nearly all items.
const TRIES: usize = 64;
/// Lists up to so many lines are looked through; longer ones are halved first.
const LINEAR: usize = 8;
/// A stride of 64-bit numbers, as in splitmix64.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Who has what, and how likely items are.
pub struct Negatives {
    /// How many an example has.
    count: usize,
    items: u32,
    /// Where the lines of each user's items start, and where the last ones end.
    starts: Vec<u32>,
    /// The items of each user, ascending, in whole lines; behind the last of them numbers of no item.
    seen: Vec<Line<u32>>,
    /// Of items that are not equally likely: up to which number the place is its own item, and whose it is else.
    alias: Vec<(u32, u32)>,
    /// And `ln(q n)` of each item, `q` its probability among `n`.
    corrections: Vec<f32>,
}

impl Negatives {
    /// `count` an example. `starts` and `seen`: where the items of each user start (and the last ones end), and the items, ascending.
    /// `counts`: how often each item was taken; its probability is that to the power `popularity`.
    pub fn new(count: usize, (starts, seen): (&[u32], &[u32]), counts: &[u64], popularity: f64) -> Negatives {
        let (mut lines, mut first) = (Vec::new(), Vec::with_capacity(starts.len()));
        for user in starts.windows(2) {
            first.push(lines.len() as u32);
            lines.extend(seen[user[0] as usize..user[1] as usize].chunks(LANES).map(|some| {
                let mut line = Line([u32::MAX; LANES]);
                line.0[..some.len()].copy_from_slice(some);
                line
            }));
        }
        first.push(lines.len() as u32);
        let mut negatives =
            Negatives { count, items: counts.len() as u32, starts: first, seen: lines, alias: Vec::new(), corrections: Vec::new() };
        if popularity > 0.0 {
            let weights: Vec<f64> = counts.iter().map(|&count| (count as f64).powf(popularity)).collect();
            let even = weights.iter().sum::<f64>() / weights.len() as f64;
            negatives.corrections = weights.iter().map(|weight| if *weight > 0.0 { (weight / even).ln() as f32 } else { 0.0 }).collect(); // those are never drawn
            negatives.alias = alias(weights.into_iter().map(|weight| weight / even).collect());
        }
        negatives
    }

    /// How many an example has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the user has the item.
    #[inline(always)]
    pub fn has(&self, user: u32, item: u32) -> bool {
        let (start, end) = (self.starts[user as usize] as usize, self.starts[user as usize + 1] as usize);
        let mut list = &self.seen[start..end];
        while list.len() > LINEAR {
            let (low, high) = list.split_at(list.len() / 2);
            list = if high[0].0[0] <= item { high } else { low };
        }
        let mut found = 0;
        for line in list {
            for i in 0..LANES {
                found |= (line.0[i] == item) as u32;
            }
        }
        found != 0
    }

    /// Where the start of a user's items stands, to be asked for ahead.
    #[inline(always)]
    pub(super) fn start(&self, user: u32) -> &u32 {
        &self.starts[user as usize]
    }

    /// The lines of a user's items that are looked through, to be asked for ahead; of many the first ones. Without them a look costs a fifth
    /// of a pair's time.
    #[inline(always)]
    pub(super) fn lines(&self, user: u32) -> &[Line<u32>] {
        let (start, end) = (self.starts[user as usize] as usize, self.starts[user as usize + 1] as usize);
        &self.seen[start..end.min(start + LINEAR)]
    }

    /// Draws an item by 64 random bits.
    #[inline(always)]
    fn item(&self, bits: u64) -> u32 {
        let place = (((bits >> 32) * self.items as u64) >> 32) as u32;
        if self.alias.is_empty() {
            return place;
        }
        let (own, other) = self.alias[place as usize];
        if (bits as u32) < own { place } else { other }
    }

    /// Draws the negatives of a user's example, whose number is `noise`, and puts them behind `items`.
    #[inline(always)]
    pub fn draw(&self, user: u32, noise: u64, items: &mut Vec<u32>) {
        let mut state = noise;
        for _ in 0..self.count {
            for _ in 0..TRIES {
                state = state.wrapping_add(GOLDEN);
                let item = self.item(mixed(state));
                if !self.has(user, item) {
                    items.push(item);
                    break;
                }
            }
        }
    }

    /// The same for a loss that takes nothing from scores.
    pub fn without_corrections(self) -> Negatives {
        Negatives { corrections: Vec::new(), ..self }
    }

    /// What is taken from the scores of the items, if anything is: `ln(q n)` of each.
    #[inline(always)]
    pub fn corrections(&self) -> &[f32] {
        &self.corrections
    }
}

/// What an example's negatives are drawn by: its position, in an epoch that has this noise.
#[inline(always)]
pub(super) fn noise_of(epoch: u64, position: u32) -> u64 {
    mixed(epoch ^ (position as u64 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03))
}

/// The table for shares with a mean of 1: each place has its own item up to a number, and another beyond.
fn alias(mut shares: Vec<f64>) -> Vec<(u32, u32)> {
    let mut table: Vec<(u32, u32)> = (0..shares.len() as u32).map(|item| (u32::MAX, item)).collect();
    let (mut less, mut more): (Vec<usize>, Vec<usize>) = (0..shares.len()).partition(|&item| shares[item] < 1.0);
    while let (Some(small), Some(&large)) = (less.pop(), more.last()) {
        table[small] = ((shares[small] * u32::MAX as f64) as u32, large as u32);
        shares[large] -= 1.0 - shares[small];
        if shares[large] < 1.0 {
            less.extend(more.pop());
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three users: of no item, of some, of all but the last.
    fn negatives(items: u32, popularity: f64) -> Negatives {
        let seen: Vec<u32> = [1, 3, 4, 5, 9].into_iter().chain(0..items - 1).collect();
        let counts: Vec<u64> = (0..items as u64).map(|item| 1 + item * item).collect();
        Negatives::new(2, (&[0, 0, 5, 5 + items - 1], &seen), &counts, popularity)
    }

    fn drawn_at(negatives: &Negatives, user: u32, noise: u64) -> Vec<u32> {
        let mut items = Vec::new();
        negatives.draw(user, noise, &mut items);
        items
    }

    #[test]
    fn no_item_of_the_user_is_drawn() {
        for (items, popularity) in [(10, 0.0), (40, 0.75), (300, 0.0), (300, 1.0)] {
            let negatives = negatives(items, popularity);
            for user in 0..3 {
                let (mut drawn, mut seen) = (0, vec![0; items as usize]);
                for position in 0..2000 {
                    for item in drawn_at(&negatives, user, noise_of(7, position)) {
                        assert!(item < items && !negatives.has(user, item));
                        (drawn, seen[item as usize]) = (drawn + 1, seen[item as usize] + 1);
                    }
                }
                let has: Vec<bool> = (0..items).map(|item| negatives.has(user, item)).collect();
                assert_eq!(has.iter().filter(|has| **has).count(), [0, 5, items as usize - 1][user as usize]);
                assert!(user == 2 || drawn == 4000 && (popularity > 0.0 || has.iter().zip(seen).all(|(has, n)| *has == (n == 0))));
            }
        }
    }

    #[test]
    fn items_are_drawn_as_often_as_their_popularity_says() {
        let items = 20;
        for popularity in [0.0, 0.5, 1.0] {
            let negatives = negatives(items, popularity);
            let (mut counts, draws) = (vec![0u32; items as usize], 100_000);
            for position in 0..draws {
                drawn_at(&negatives, 0, noise_of(3, position)).into_iter().for_each(|item| counts[item as usize] += 1);
            }
            let weight = |item: u32| (1.0 + (item * item) as f64).powf(popularity);
            let all: f64 = (0..items).map(weight).sum();
            for item in 0..items {
                let expected = 2.0 * draws as f64 * weight(item) / all;
                let error = (counts[item as usize] as f64 - expected).abs();
                assert!(error < 5.0 * expected.sqrt() + 1.0, "{popularity} {item}: {} for {expected}", counts[item as usize]);
                let correction = if popularity > 0.0 { (weight(item) / all * items as f64).ln() } else { 0.0 };
                let of_item = negatives.corrections.get(item as usize).copied().unwrap_or(0.0);
                assert!((of_item as f64 - correction).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn one_number_gives_the_same_items() {
        let negatives = negatives(50, 0.5);
        let of = |epoch, position| drawn_at(&negatives, 0, noise_of(epoch, position));
        assert_eq!(of(1, 2), of(1, 2));
        assert!((0..20).any(|position| of(1, position) != of(2, position)));
    }
}
