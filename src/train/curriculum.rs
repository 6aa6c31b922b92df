//! Curriculum learning (Bengio, Louradour, Collobert & Weston, "Curriculum learning", ICML 2009): easy examples first, then more and
//! more, until training goes on with all of them.
//!
//! In the paper (section 3) a curriculum is a sequence of distributions `Q(z) ~ W(z) P(z)` whose weights `W`, from 0 to 1, only grow and
//! end at 1 everywhere. Here they are 0 or 1: an epoch admits the examples of least loss under the model as it stands. So, as in the paper,
//! the admitted ones come in a random order, that of `order` shuffle, and once all are admitted the run is one of `order` shuffle and costs
//! no more. Until then each epoch begins with a pass that scores all examples, those left out before too. Equal losses are admitted by lot:
//! a linear model begins with all alike, and its first epoch has a random share of the examples.
use crate::options::Settings;
use hogwild_base::threads;
use hogwild_kernels::order::Order;

/// What an epoch at the very beginning admits.
const FIRST: f64 = 0.2;

/// How many of the examples epoch number `epoch`, from 1, admits.
pub(super) fn admitted(settings: &Settings, examples: u64, epoch: usize) -> u64 {
    let pace = settings.pace.unwrap_or(Settings::PACE) as f64 * (settings.epochs - 1) as f64;
    let done = (epoch - 1) as f64;
    if settings.order != Order::Curriculum || done >= pace {
        return examples;
    }
    let share = FIRST + (1.0 - FIRST) * done / pace;
    ((share * examples as f64).round() as u64).clamp(1, examples.max(1))
}

/// Marks the `count` positions of least loss; a loss of infinity stands for an example that is not to be trained on.
pub(super) fn easiest(losses: &[f32], count: u64, seed: u64) -> Vec<bool> {
    let lot = seed as u32 ^ (seed >> 32) as u32;
    // No two are equal: the loss (as bits that are in its order), then a number that only this position has.
    let key = |position: usize| (ordered(losses[position]) as u64) << 32 | scatter(position as u32 ^ lot) as u64;
    let keys = threads::map(losses.len(), key);
    let mut ranked = keys.clone();
    let last = match count.checked_sub(1).map(|last| last as usize) {
        Some(last) if last < ranked.len() => *ranked.select_nth_unstable(last).1,
        _ => u64::MAX,
    };
    threads::map(keys.len(), |position| keys[position] <= last)
}

/// Bits in the order of the numbers; -0 is 0.
fn ordered(x: f32) -> u32 {
    let bits = (x + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// One number to one number, without pattern (the finalizer of MurmurHash3).
fn scatter(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_grows_until_the_pace_is_done() {
        let counts = |order, pace, epochs| -> Vec<u64> {
            let settings = Settings { order, pace, epochs, ..Settings::default() };
            (1..=epochs).map(|epoch| admitted(&settings, 1000, epoch)).collect()
        };
        assert_eq!(counts(Order::Curriculum, None, 5), [200, 600, 1000, 1000, 1000]);
        assert_eq!(counts(Order::Curriculum, Some(1.0), 5), [200, 400, 600, 800, 1000]);
        assert_eq!(counts(Order::Curriculum, Some(0.0), 3), [1000; 3]);
        assert_eq!(counts(Order::Curriculum, Some(1.0), 1), [1000]);
        assert_eq!(counts(Order::Shuffle, None, 3), [1000; 3]);
    }

    #[test]
    fn the_least_losses_are_admitted_and_ties_by_lot() {
        assert_eq!(easiest(&[0.5, f32::INFINITY, 0.1, 0.3], 2, 7), [false, false, true, true]);
        // A user's own loss may be negative.
        assert_eq!(easiest(&[-0.5, 0.0, -3.0, f32::INFINITY], 2, 7), [true, false, true, false]);
        let ties = |seed| easiest(&[0.5; 10_000], 2000, seed);
        assert_eq!(ties(1).iter().filter(|&&easy| easy).count(), 2000);
        assert_ne!(ties(1), ties(2));
        // No part of the file is preferred.
        assert!(ties(1).chunks(1000).all(|part| (140..260).contains(&part.iter().filter(|&&easy| easy).count())));
    }
}
