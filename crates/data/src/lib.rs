//! From text, files and memory to rows and ratings.
//!
//! [`pack`] turns svmlight or ratings text into one `.safetensors` file whose features (users, items) are numbered by
//! frequency; [`Data::open`] checks such a file and maps it; [`ReadOptions`] do whichever is needed, with a cache.
//! [`Rows::from_csr`] and [`Ratings::from_triples`] take what lies in memory. Wherever numbers lie they are only ever seen as
//! atomic cells ([`Cells`]): a file that another process changes gives odd numbers, never undefined behaviour, and the bounds that a
//! kernel relies on are clamped at each use.

#![deny(unsafe_code, missing_docs)]

mod bytes;
mod cache;
mod cells;
mod columnar;
mod data;
mod dictionary;
mod file;
mod id_index;
mod ids;
mod kind;
mod labels;
mod layout;
mod map;
mod name_order;
mod open;
mod pack;
mod ratings;
mod rows;
mod sources;
mod spread;
mod store;
mod targets;
mod temporary;
mod text;
mod vectors;
mod wide;
mod window;
mod zeroed;

pub use cache::{Cache, CacheEntry, CacheFolder, Check, NotKept, Origin};
pub use cells::{Cells, Word};
pub use data::Data;
pub use hogwild_base::Progress;
pub use id_index::IdIndex;
pub use ids::Ids;
pub use kind::{Kind, is_bad};
pub use labels::{LabelCount, Labels};
pub use layout::is_safetensors;
pub use open::{Opened, ReadOptions, pack};
pub use pack::{Arrived, PackReport, PackSettings, Stream};
pub use ratings::{IdList, Ratings};
pub use rows::{ClassSets, Examples, Fields, Index, Matrix, Number, RowParts, Rows, RowsCsr};
pub use spread::{Farthest, Spread};
pub use targets::TargetCounts;
pub use temporary::remove_left_folders;
#[doc(hidden)] // for models in the same arrays
pub use text::NpyHeader;
pub use text::{
    Column, ColumnKind, Columns, Format, Labelling, OnBadRow, Preparation, Recipe, Repeated, Sampling, Share, TermFrequency, looks_like,
};
pub use window::Window;

#[cfg(target_endian = "big")]
compile_error!("packed files are little-endian and are mapped as they are");
