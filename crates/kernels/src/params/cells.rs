//! Cells of `AtomicF32` in an anonymous mapping of their own.
//!
//! The mapping is page-aligned, so slots never straddle a cache line needlessly; transparent huge pages are advised, as a random slot is
//! otherwise a miss in the page tables too.
use atomic_float::AtomicF32;
use hogwild_base::{Result, memory};
use memmap2::{MmapMut, MmapRaw};

/// What helps where they do not fit into memory.
pub(super) const LESS: &str = "use fewer features, a smaller `rank`, or a rule with less state";

pub(crate) struct Cells {
    map: MmapRaw,
    cells: usize,
}

impl Cells {
    /// Zeros: so many slots of `stride` cells.
    pub(crate) fn new(slots: usize, stride: usize) -> Result<Cells> {
        let cells = slots.checked_mul(stride).filter(|&n| n <= isize::MAX as usize / size_of::<f32>());
        let bytes = (slots as u64).saturating_mul((stride * size_of::<f32>()) as u64);
        let refused = || memory::refused(bytes, format!("{slots} rows of parameters"), LESS);
        let cells = cells.ok_or_else(refused)?;
        let map = MmapMut::map_anon((cells * size_of::<f32>()).max(1)).map_err(|_| refused())?;
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage); // advice: without it everything works, only slower
        Ok(Cells { map: map.into(), cells })
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    pub(crate) fn cells(&self) -> &[AtomicF32] {
        // SAFETY: the mapping is private to these cells, lives as long as `self`, is page-aligned, holds `cells` x 4 initialised (zero)
        // bytes, and is only ever accessed through these atomic cells. AtomicF32 has the layout of f32.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr() as *const AtomicF32, self.cells) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hogwild_base::Error;

    #[test]
    fn what_cannot_be_mapped_is_told_as_memory() {
        for slots in [1 << 56, usize::MAX / 2] {
            let error = Cells::new(slots, 4).err().unwrap();
            assert!(matches!(error, Error::NoRoom { .. }) && error.to_string().contains(LESS), "{error}");
        }
    }
}
