//! What the processor at hand can do, and the least one cannot: wide vectors, and asking for memory ahead.
//!
//! The crate is compiled for every processor. What parses lines and ranks many numbers is compiled once more for those with AVX2, and chosen when
//! it runs.
//!
//! The outcome is the same to the bit. Whole numbers are exact, and decimals are multiplied, added and rounded one operation at a time, in
//! the order that is written: fused multiply-add, which rounds once where two operations round twice, is not among the features asked for.
#![allow(unsafe_code)]

/// Work that is inlined as a whole: its functions are to be `inline(always)`, and its loops plain.
pub(crate) trait Work {
    type Outcome;

    fn done(self) -> Self::Outcome;
}

/// Does work.
pub(crate) fn widely<W: Work>(work: W) -> W::Outcome {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2") {
        // SAFETY: the processor has been asked for these instructions.
        return unsafe { by_avx2(work) };
    }
    work.done()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn by_avx2<W: Work>(work: W) -> W::Outcome {
    work.done()
}

/// Asks for the memory where something lies that is needed soon, and does not wait for it.
#[inline(always)]
pub(crate) fn ask_for<T>(what: &T) {
    // SAFETY: a hint, which reads nothing.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>((&raw const *what).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = what;
}

/// Whether asking does anything.
pub(crate) const ASKS: bool = cfg!(target_arch = "x86_64");
