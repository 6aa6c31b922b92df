//! From text to memory-mapped rows.
//!
//! [`pack`] turns svmlight or ratings text into one `.safetensors` file whose features (users, items) are numbered by
//! frequency; [`Packed::open`] checks such a file once and maps it; [`open_or_pack`] does whichever is needed, with a cache.
//! The mapping is only ever seen as atomic cells: a file that another process changes gives odd numbers, never
//! undefined behaviour, and the bounds that a kernel relies on are clamped at each use.

#![deny(unsafe_code, missing_docs)]

mod bytes;
mod cache;
mod cache_folder;
mod dictionary;
mod file;
mod ids;
mod kind;
mod layout;
mod map;
mod pack;
mod packed;
mod sources;
mod stamp;
mod temporary;
mod text;
mod window;

pub use cache::{Cache, Opened, open_or_pack, open_or_pack_while};
pub use cache_folder::{CacheEntry, cache_directory, cache_entries, clear_cache};
pub use hogwild_base::Progress;
pub use ids::Ids;
pub use kind::{Kind, is_bad};
pub use layout::is_safetensors;
pub use pack::{PackReport, PackSettings, TargetCounts, pack, pack_while};
pub use packed::{Dataset, Farthest, LabelCount, Labels, Packed, Ratings, Spread};
pub use stamp::Check;
pub use text::{Column, Columns, Format, OnBadRow, Repeated, looks_like};
pub use window::Window;

#[cfg(target_endian = "big")]
compile_error!("packed files are little-endian and are mapped as they are");
