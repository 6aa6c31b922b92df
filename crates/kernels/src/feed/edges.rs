//! Edges of a graph, copied into memory in the order in which they are trained on.
use super::Feed;
use crate::{
    models::{Cut, Edge, Width},
    params::Places,
    simd::Isa,
};
use std::ops::Range;

/// Edges, copied into tiles of neighbouring nodes once, and shuffled within the tile then; or all in the order of the file.
pub struct EdgeFeed {
    /// The numbers of both ends, in the order in which edges lie.
    pub ends: Vec<[u32; 2]>,
    /// What each edge costs.
    pub weights: Vec<f32>,
    /// Positions that stay together when an epoch is shuffled.
    pub units: Vec<Range<u32>>,
    /// How many terminals there are: nodes with smaller numbers are these.
    pub terminals: u32,
    /// Vectors of a row of parameters.
    pub stride: u32,
}

impl<W: Width> Feed<Cut<W>> for EdgeFeed {
    /// They lie in the order of a shuffle.
    const SHUFFLE: bool = false;
    const AHEAD: usize = 2;

    fn fetched(&self) -> usize {
        12
    }

    fn longest(&self) -> usize {
        2
    }

    fn room(&self, _noise: u64) -> Edge {
        Edge::default()
    }

    fn chooses(&self) -> bool {
        false
    }

    #[inline(always)]
    fn keeps(&self, _position: u32) -> bool {
        true
    }

    #[inline(always)]
    fn read<I: Isa>(&self, _isa: I, position: u32, edge: &mut Edge, _places: &impl Places<I>) -> f32 {
        let (ends @ [u, v], weight) = (self.ends[position as usize], self.weights[position as usize]);
        let nodes = [u * self.stride, v * self.stride];
        *edge = Edge { nodes, fixed: [ends[0] < self.terminals, ends[1] < self.terminals], weight };
        0.0
    }

    /// Edges are read in their order, which the processor sees.
    #[inline(always)]
    fn prefetch_place<I: Isa>(&self, _isa: I, _position: u32) {}

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, _isa: I, position: u32, places: &impl Places<I>) {
        let [u, v] = self.ends[position as usize];
        places.prefetch_slot(u, W::VECTORS);
        places.prefetch_slot(v, W::VECTORS);
    }

    fn weighs(&self) -> bool {
        false
    }

    #[inline(always)]
    fn weight(&self, _position: u32, _target: f32) -> f32 {
        1.0
    }

    #[inline(always)]
    fn size(&self, _edge: &Edge) -> u64 {
        1
    }
}
