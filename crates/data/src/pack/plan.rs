//! The tensors of a file to be written: each is planned by name, and then found by what planning it gave.

use safetensors::Dtype;

use crate::dictionary::Ranked;
use crate::ids::Ids;
use crate::layout::{About, lay_out};

/// A planned tensor.
#[derive(Clone, Copy)]
pub(crate) struct Tensor(usize);

/// The tensors of a file, in the order in which they stand: those of wider cells first.
#[derive(Default)]
pub(crate) struct Plan(Vec<(&'static str, Dtype, usize)>);

/// Where everything lies.
pub(crate) struct Places {
    pub(crate) header: Vec<u8>,
    pub(crate) length: u64,
    places: Vec<u64>,
}

impl Plan {
    /// Adds a tensor of so many cells.
    pub(crate) fn add(&mut self, name: &'static str, dtype: Dtype, count: usize) -> Tensor {
        self.0.push((name, dtype, count));
        Tensor(self.0.len() - 1)
    }

    /// Adds the ids by rank and their counts, but for the text of names, which comes last in a file. Gives what is written where.
    pub(crate) fn add_ids<'a>(&mut self, names: &IdNames, ranked: &'a Ranked) -> [(Tensor, &'a [u8]); 2] {
        let ids = match &ranked.ids {
            Ids::Numbers(ids) => (self.add(names.id, Dtype::U64, ids.len()), bytemuck::cast_slice(ids)),
            Ids::Names { start, .. } => (self.add(names.name_start, Dtype::U64, start.len()), bytemuck::cast_slice(start)),
        };
        [ids, (self.add(names.count, Dtype::U64, ranked.counts.len()), bytemuck::cast_slice(&ranked.counts))]
    }

    /// Adds the text of names, if the ids are names.
    pub(crate) fn add_names<'a>(&mut self, names: &IdNames, ranked: &'a Ranked) -> Option<(Tensor, &'a [u8])> {
        match &ranked.ids {
            Ids::Numbers(_) => None,
            Ids::Names { bytes, .. } => Some((self.add(names.name, Dtype::U8, bytes.len()), bytes)),
        }
    }

    pub(crate) fn lay_out(&self, about: About<'_>) -> Result<Places, String> {
        let layout = lay_out(about, &self.0)?;
        Ok(Places { header: layout.header, length: layout.length, places: layout.places })
    }
}

impl Places {
    /// Where a tensor begins. Every tensor of the plan has its place.
    pub(crate) fn of(&self, tensor: Tensor) -> u64 {
        self.places[tensor.0]
    }
}

/// What the tensors of ids are called.
pub(crate) struct IdNames {
    id: &'static str,
    name_start: &'static str,
    count: &'static str,
    name: &'static str,
}

pub(crate) const FEATURES: IdNames =
    IdNames { id: "feature_id", name_start: "feature_name_start", count: "feature_count", name: "feature_name" };
pub(crate) const USERS: IdNames = IdNames { id: "user_id", name_start: "user_name_start", count: "user_count", name: "user_name" };
pub(crate) const ITEMS: IdNames = IdNames { id: "item_id", name_start: "item_name_start", count: "item_count", name: "item_name" };
