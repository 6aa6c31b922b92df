//! The shared array: `rows x stride` cells of `AtomicF32`, in one anonymous mapping.
//!
//! The mapping is page-aligned, so rows of 2, 4, 8 or a multiple of 16 floats never straddle a cache line needlessly; transparent
//! huge pages are advised, as a random row is otherwise a miss in the page tables too.
use crate::{Error, Result};
use atomic_float::AtomicF32;
use memmap2::{MmapMut, MmapRaw};

pub(crate) struct Table {
    map: MmapRaw,
    rows: usize,
    stride: usize,
}

impl Table {
    /// A table of zeros.
    pub fn new(rows: usize, stride: usize) -> Result<Table> {
        let bytes = rows.checked_mul(stride).and_then(|n| n.checked_mul(size_of::<f32>())).filter(|&n| n <= isize::MAX as usize);
        let refused = || Error::Memory { rows, bytes_a_row: stride * size_of::<f32>() };
        let map = MmapMut::map_anon(bytes.ok_or_else(refused)?.max(1)).map_err(|_| refused())?;
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage); // advice: without it everything works, only slower
        Ok(Table { map: map.into(), rows, stride })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn stride(&self) -> usize {
        self.stride
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    pub fn cells(&self) -> &[AtomicF32] {
        // SAFETY: the mapping is private to this table, lives as long as `self`, is page-aligned, holds at least rows x stride x 4
        // initialised (zero) bytes, and is only ever accessed through these atomic cells. AtomicF32 has the layout of f32.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr() as *const AtomicF32, self.rows * self.stride) }
    }

    #[inline(always)]
    pub fn row(&self, row: usize) -> &[AtomicF32] {
        &self.cells()[row * self.stride..][..self.stride]
    }
}
