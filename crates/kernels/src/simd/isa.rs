//! The instruction set, found out once a run and then part of the worker's type.
//!
//! A value of a type that is [`Isa`] proves that the processor has those instructions: [`dispatch`] is the only place that makes
//! one. It enters a function compiled for that instruction set, into which the whole worker is inlined, so that ordinary loops
//! over private slices become its vector instructions.
use super::{Integers, LANES, Line, MOST, Quarters, Real, Vector};
use atomic_float::AtomicF32;
use hogwild_base::{Error, Result};
use std::{
    ops::Range,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// Which vector instructions the workers use. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// AVX-512 F, BW, DQ, VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON, which every aarch64 processor has.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// No `asm!` at all: relaxed loads and stores one by one.
    Portable,
}

impl InstructionSet {
    /// The best one of this processor.
    pub fn best() -> InstructionSet {
        Self::available()[0]
    }

    /// The one of that name: `avx512`, `avx2`, `neon` or `portable`.
    ///
    /// # Errors
    /// When this processor has none of that name.
    pub fn named(name: &str) -> Result<InstructionSet> {
        let available = Self::available();
        available.iter().copied().find(|set| set.name() == name).ok_or_else(|| Error::BadSetting {
            setting: "isa",
            value: name.into(),
            problem: format!("this processor has {}", available.iter().map(|set| set.name()).collect::<Vec<_>>().join(", ")),
        })
    }

    /// All that this processor has, best first.
    pub fn available() -> Vec<InstructionSet> {
        let all = [
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2,
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon,
            InstructionSet::Portable,
        ];
        all.into_iter().filter(|set| set.is_available()).collect()
    }

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => *AVX512,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => *AVX2,
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon => true,
            InstructionSet::Portable => true,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon => "neon",
            InstructionSet::Portable => "portable",
        }
    }
}

/// Looked up once: a formula asks at every step.
#[cfg(target_arch = "x86_64")]
static AVX512: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
    *AVX2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
});
#[cfg(target_arch = "x86_64")]
static AVX2: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
});

/// The moves between shared cells and vectors. A value of such a type proves that the processor has its instructions, and so does
/// `V`, which only code that was handed such a value can name.
#[allow(unsafe_code)]
pub trait Isa: Copy + Send + Sync {
    /// Sixteen numbers in this instruction set's registers.
    type V: Quarters;
    /// Sixteen row numbers in this instruction set's registers.
    type U: Integers;
    /// Sixteen neighbouring cells.
    fn load(self, from: &[AtomicF32; LANES]) -> Self::V;
    /// Stores sixteen neighbouring cells.
    fn store(self, values: Self::V, to: &[AtomicF32; LANES]);
    /// The sixteen cells that lie `BYTES` behind one: an address that an instruction has for nothing.
    ///
    /// # Safety
    /// They are cells of one allocation with that one, which nobody frees meanwhile.
    unsafe fn load_behind<const BYTES: usize>(self, first: *const AtomicF32) -> Self::V;
    /// Stores them.
    ///
    /// # Safety
    /// As for [`load_behind`](Self::load_behind).
    unsafe fn store_behind<const BYTES: usize>(self, values: Self::V, first: *const AtomicF32);
    /// Four cells behind each of four, each in a quarter.
    ///
    /// # Safety
    /// As for [`load_behind`](Self::load_behind).
    unsafe fn load_quarters<const BYTES: usize>(self, first: [*const AtomicF32; 4]) -> Self::V;
    /// Stores each quarter.
    ///
    /// # Safety
    /// As for [`load_behind`](Self::load_behind).
    unsafe fn store_quarters<const BYTES: usize>(self, values: Self::V, first: [*const AtomicF32; 4]);
    /// Four cells of each of four places, each in a quarter.
    ///
    /// # Safety
    /// Places count two cells, from `first` on; what is loaded are cells that are borrowed.
    unsafe fn load_blocks(self, first: *const AtomicF32, at: &[u32; 4]) -> Self::V;
    /// Sixteen neighbouring cells of a mapped data set.
    #[inline(always)]
    fn load_line(self, from: &[AtomicU32; LANES]) -> Self::U {
        self.load_some(from)
    }
    /// The first cells of a slice of a mapped data set, at most sixteen; 0 beyond its end.
    fn load_some(self, from: &[AtomicU32]) -> Self::U;
    /// Sixteen slots of one weight, of `stride` cells each, one a lane: weights, first state numbers, second, third. Lanes of cells that the
    /// stride has not are zero.
    ///
    /// # Safety
    /// Each `at` is a slot's place: its number, times 2 where `stride` is 4 (a place counts two cells where a slot has two or more). The slot is within `cells`; `stride` is 1, 2 or 4.
    unsafe fn gather(self, cells: &[AtomicF32], at: &Line<u32>, stride: usize) -> [Self::V; MOST];
    /// The way back. Of lanes with the same place one remains.
    ///
    /// # Safety
    /// As for [`gather`](Self::gather).
    unsafe fn scatter(self, rows: [Self::V; MOST], cells: &[AtomicF32], at: &Line<u32>, stride: usize);
    /// 1 in the lanes of a mask's bits, 0 in others.
    #[inline(always)]
    fn ones(self, mask: u16) -> Self::V {
        let mut numbers = [0.0; LANES];
        for i in 0..LANES {
            numbers[i] = (mask >> i & 1) as f32;
        }
        Self::V::load(&numbers)
    }
    /// In the lanes of a mask's bits the first cells in their order, as the bits of numbers; 0 in other lanes.
    ///
    /// # Panics
    /// When there are fewer cells than bits.
    #[inline(always)]
    fn expand(self, mask: u16, cells: &[AtomicU32]) -> Self::V {
        let (mut numbers, mut next) = ([0.0; LANES], 0);
        for i in 0..LANES {
            if mask >> i & 1 == 1 {
                numbers[i] = f32::from_bits(cells[next].load(Relaxed));
                next += 1;
            }
        }
        Self::V::load(&numbers)
    }
    /// `sum + term` in the lanes of a mask's bits, `sum` in others.
    #[inline(always)]
    fn add_some(self, sum: Self::V, mask: u16, term: Self::V) -> Self::V {
        self.ones(mask).mul_add(term, sum)
    }
    /// The same of the square of `term`.
    #[inline(always)]
    fn add_square_some(self, sum: Self::V, mask: u16, term: Self::V) -> Self::V {
        let term = self.ones(mask) * term;
        term.mul_add(term, sum)
    }
    /// `sum + term` in the lanes whose owner is `k`, `sum` in others.
    fn add_where(self, sum: Self::V, owners: Self::U, k: u32, term: Self::V) -> Self::V;
    /// In each lane the number of its owner, below 8; of others any.
    fn pick(self, numbers: &[f32; 8], owners: Self::U) -> Self::V;
    /// Asks for the cache line of a cell; any address will do.
    fn prefetch<T>(self, cell: *const T);
    /// Asks for sixteen slots of one weight, given as for [`gather`](Self::gather); any places will do.
    fn prefetch_rows(self, cells: &[AtomicF32], at: &Line<u32>, stride: usize);
    /// Asks for all cache lines of neighbouring cells.
    #[inline(always)]
    fn prefetch_all(self, cells: &[AtomicU32]) {
        let Range { start: mut cell, end } = cells.as_ptr_range();
        while cell < end {
            self.prefetch(cell);
            cell = cell.wrapping_add(LANES);
        }
        self.prefetch(end.wrapping_sub(1));
    }
}

/// Work to be compiled for each instruction set; its `run` must be `#[inline(always)]`.
pub trait Job {
    /// What it gives.
    type Output;
    /// Whether it is compiled for the portable set too. It is the largest code of all and hardly any processor needs it, so what has a slower
    /// twin leaves it out.
    const PORTABLE: bool = true;
    /// Whether it is compiled for vector instructions.
    const VECTORS: bool = true;
    /// Does it.
    fn run<I: Isa>(self, isa: I) -> Self::Output;
}

/// How a job is compiled for each instruction set: one function for each, never inlined. `.ci/loops` counts those of loops by their names.
macro_rules! entries {
    ($(#[$doc:meta])* $vis:vis $dispatch:ident, $avx512:ident, $avx2:ident, $neon:ident, $portable:ident) => {
        $(#[$doc])*
        #[allow(unsafe_code)]
        $vis fn $dispatch<J: Job>(set: InstructionSet, job: J) -> J::Output {
            match set {
                #[cfg(target_arch = "x86_64")]
                // An InstructionSet may come from a caller, not from detection, hence the guards.
                InstructionSet::Avx512 if J::VECTORS && set.is_available() => {
                    // SAFETY: the guard says that the processor has these features.
                    unsafe { $avx512(job) }
                }
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx2 if J::VECTORS && set.is_available() => {
                    // SAFETY: as above.
                    unsafe { $avx2(job) }
                }
                #[cfg(target_arch = "aarch64")]
                InstructionSet::Neon if J::VECTORS => $neon(job),
                _ if J::PORTABLE => $portable(job),
                _ => panic!("this work is not compiled for the instruction set {}", set.name()),
            }
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
        #[inline(never)]
        fn $avx512<J: Job>(job: J) -> J::Output {
            job.run(super::avx512::Avx512(()))
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
        #[inline(never)]
        fn $avx2<J: Job>(job: J) -> J::Output {
            job.run(super::avx2::Avx2(()))
        }

        #[cfg(target_arch = "aarch64")]
        #[inline(never)]
        fn $neon<J: Job>(job: J) -> J::Output {
            job.run(super::neon::Neon(()))
        }

        #[inline(never)]
        fn $portable<J: Job>(job: J) -> J::Output {
            job.run(super::portable::Portable)
        }
    };
}

entries! {
    /// Runs the job compiled for the given instruction set.
    ///
    /// # Panics
    /// When the processor lacks the set and the job is not [portable](Job::PORTABLE).
    pub dispatch, enter_avx512, enter_avx2, enter_neon, enter_portable
}
entries! {
    /// The same of formulas, which are small.
    pub(crate) dispatch_formula, formula_avx512, formula_avx2, formula_neon, formula_portable
}
