//! Named streams of random numbers, all from the one seed of a run.
//!
//! Each purpose has a number of its own, so that no two draw the same numbers, and drawing more for one changes nothing for another.
//! The numbers are part of what a seed means: changing one changes the bits of every run.
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// What random numbers are drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The order of ratings in their tiles, and which of them are held out.
    Tiles,
    /// The order of examples in an epoch, from 1.
    Order {
        /// The epoch's number.
        epoch: usize,
    },
    /// The order of the strata of ratings in an epoch.
    Strata {
        /// The epoch's number.
        epoch: usize,
    },
    /// Which chunks of a file larger than memory make a group, in an epoch.
    Groups {
        /// The epoch's number.
        epoch: usize,
    },
    /// Which rows of sparse data are held out.
    Holdout,
    /// The first factors.
    Start,
    /// Which examples the search for a learning rate trains on, and in what order.
    Sample,
    /// Whose ratings that search takes: users, or items.
    SampledRows,
    /// Where in a file larger than memory that search looks.
    SampledPlaces,
    /// Which held-out examples judge the rates.
    Judges,
    /// Whose turn it is of a thread's replicas, in an epoch.
    Turns {
        /// The epoch's number.
        epoch: usize,
        /// The thread's.
        thread: usize,
    },
    /// How fast virtual workers are.
    Speeds,
    /// Which of two virtual workers goes first, and where each begins.
    Ties,
    /// What is drawn as the examples of an epoch are read, such as negatives.
    Examples {
        /// The step with which the epoch begins.
        step: u64,
    },
    /// Noise added to gradients, of a worker in an epoch.
    Noise {
        /// A number of its own for each worker and epoch.
        number: u64,
    },
}

impl Stream {
    /// What tells it from the other streams.
    #[inline]
    fn number(self) -> u64 {
        match self {
            Stream::Tiles => 0,
            Stream::Order { epoch } => of_epoch(epoch),
            Stream::Strata { epoch } => 0x57A7 ^ of_epoch(epoch),
            Stream::Groups { epoch } => 0x817D ^ of_epoch(epoch),
            Stream::Holdout => 0x5851_F42D_4C95_7F2D,
            Stream::Start => 0xFAC7,
            Stream::Sample => 0x2ACE,
            Stream::SampledRows => 0x817D,
            Stream::SampledPlaces => 0x5A3F,
            Stream::Judges => 0x1D6E,
            Stream::Turns { epoch, thread } => 0x70B2_5E1A ^ of_epoch(epoch) ^ (thread as u64).rotate_left(32),
            Stream::Speeds => 0x0059_EED5,
            Stream::Ties => 0x71E5,
            Stream::Examples { step } => 0x6E65_6761 ^ step.wrapping_mul(0xC2B2_AE3D_27D4_EB4F),
            Stream::Noise { number } => number.wrapping_add(1).wrapping_mul(0xA24B_AED4_963E_E407),
        }
    }

    /// The stream's own seed, in a run of that seed.
    #[inline(always)]
    pub fn seed(self, seed: u64) -> u64 {
        seed ^ self.number()
    }

    /// The stream's random numbers, in a run of that seed.
    pub fn random(self, seed: u64) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(self.seed(seed))
    }
}

/// Epochs far apart in all bits (by the golden ratio).
#[inline]
fn of_epoch(epoch: usize) -> u64 {
    (epoch as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
