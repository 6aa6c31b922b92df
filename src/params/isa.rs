//! The instruction set, found out once a run and then part of the worker's type.
//!
//! A value of a type that is [`Isa`] proves that the processor has those instructions: [`dispatch`] is the only place that makes
//! one. It enters a function compiled for that instruction set, into which the whole worker is inlined, so that ordinary loops
//! over private slices become its vector instructions.
use crate::{Error, Result};
use atomic_float::AtomicF32;
use std::sync::atomic::AtomicU32;

/// Which vector instructions the workers use. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// AVX-512 F, BW, DQ, VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON, which every aarch64 processor has.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// No `asm!` at all: relaxed loads and stores one by one.
    Portable,
}

impl InstructionSet {
    /// The best one here, or the one that the environment variable `HOGWILD_ISA` names (`avx512`, `avx2`, `neon`, `portable`).
    ///
    /// # Errors
    /// When `HOGWILD_ISA` names one that this processor lacks.
    pub fn detect() -> Result<InstructionSet> {
        let available = Self::available();
        match std::env::var("HOGWILD_ISA") {
            Err(_) => Ok(available[0]),
            Ok(name) if name.is_empty() => Ok(available[0]),
            Ok(name) => available.iter().copied().find(|isa| isa.name() == name).ok_or_else(|| Error::BadSetting {
                setting: "HOGWILD_ISA",
                problem: format!("this processor has {}", available.iter().map(|isa| isa.name()).collect::<Vec<_>>().join(", ")),
                value: name,
            }),
        }
    }

    /// All that this processor has, best first.
    pub fn available() -> Vec<InstructionSet> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2");
            let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
            if avx2 && wide && is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl") {
                found.push(InstructionSet::Avx512);
            }
            if avx2 {
                found.push(InstructionSet::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(InstructionSet::Neon);
        found.push(InstructionSet::Portable);
        found
    }

    /// The name that `HOGWILD_ISA` takes.
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

/// The moves between shared cells and private values.
pub(crate) trait Isa: Copy + Send + Sync {
    /// One narrow row of `S` cells (1, 2, 4 or 8).
    fn load<const S: usize>(self, from: &[AtomicF32; S]) -> [f32; S];
    fn store<const S: usize>(self, values: [f32; S], to: &[AtomicF32; S]);
    /// Sixteen cells: wide rows go by these.
    fn load16(self, from: &[AtomicF32; 16]) -> [f32; 16];
    fn store16(self, values: [f32; 16], to: &[AtomicF32; 16]);
    /// Sixteen cells of a mapped data set.
    fn load16u(self, from: &[AtomicU32; 16]) -> [u32; 16];
    /// Asks for the cache line of a cell.
    fn prefetch<T>(self, cell: &T);
}

/// Work to be compiled for each instruction set; its `run` must be `#[inline(always)]`.
pub(crate) trait Job {
    type Output;
    fn run<I: Isa>(self, isa: I) -> Self::Output;
}

/// Runs the job compiled for the given instruction set.
#[allow(unsafe_code)]
pub(crate) fn dispatch<J: Job>(set: InstructionSet, job: J) -> J::Output {
    match set {
        #[cfg(target_arch = "x86_64")]
        // An InstructionSet may come from a caller, not from detection, hence the guards.
        InstructionSet::Avx512 if InstructionSet::available().contains(&set) => {
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn enter<J: Job>(job: J) -> J::Output {
                job.run(super::moves::Avx512(()))
            }
            // SAFETY: the guard says that the processor has these features (bmi, lzcnt and popcnt come with every AVX2 processor).
            unsafe { enter(job) }
        }
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 if InstructionSet::available().contains(&set) => {
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn enter<J: Job>(job: J) -> J::Output {
                job.run(super::moves::Avx2(()))
            }
            // SAFETY: as above.
            unsafe { enter(job) }
        }
        #[cfg(target_arch = "aarch64")]
        InstructionSet::Neon => job.run(super::moves::Neon(())),
        _ => job.run(super::moves::Portable),
    }
}
