//! A part of every row, copied once: the features whose weights a worker owns.
//!
//! The copy has places among the parameters in place of columns, values as they are scaled, and the bias as one more feature of its part,
//! in blocks of sixteen. So a worker reads what it gathers by, and nothing is worked out twice.
use super::ScaledFeed;
use crate::{
    models::Linear,
    params::Parts,
    simd::{Isa, LANES, Line},
};
use hogwild_base::{Result, memory};

/// One part's share of all rows.
pub(crate) struct Part {
    /// Its number.
    pub number: usize,
    /// By position, and one behind them.
    heads: Vec<Head>,
    blocks: Vec<PartBlock>,
}

/// Where a row's share begins.
#[derive(Clone, Copy)]
struct Head {
    first: u32,
    /// Nonzeros of the share, without the bias.
    features: u32,
    label: f32,
}

/// Sixteen features.
#[derive(Clone, Copy)]
pub(crate) struct PartBlock {
    /// Places among the parameters; empty lanes have one of their own.
    pub places: Line<u32>,
    /// Values; 0 in empty lanes.
    pub values: Line<f32>,
}

impl Part {
    /// Bytes of the shares of all parts of so many rows and nonzeros.
    fn bytes((rows, nonzeros): (usize, usize), parts: usize) -> u64 {
        let heads = (rows * parts * size_of::<Head>()) as u64;
        // Each share may have a last block that is nearly empty, but no more blocks than nonzeros.
        let blocks = (nonzeros.div_ceil(LANES) + rows * parts).min(nonzeros + rows);
        heads + (blocks * size_of::<PartBlock>()) as u64
    }

    /// The parts that each of so many hands works on, `number % hands` being whose; `stride`: cells of a slot.
    ///
    /// # Errors
    /// When there is too little memory.
    pub fn deal(feed: &ScaledFeed<'_>, parts: &Parts, hands: usize, stride: usize) -> Result<Vec<Vec<Part>>> {
        let sizes = feed.feed.sizes();
        let what = || format!("the parts of {} rows, which train from memory,", sizes.0);
        memory::ask(Self::bytes(sizes, parts.count), what, "use fewer `parts`, or `parallel` hogwild, which reads rows where they lie")?;
        Ok(hogwild_base::threads::map(hands, |hand| Self::of_hand(feed, parts, hand, hands, stride)))
    }

    fn of_hand(feed: &ScaledFeed<'_>, parts: &Parts, hand: usize, hands: usize, stride: usize) -> Vec<Part> {
        use super::Feed;
        let rows = feed.feed.sizes().0;
        let part = |number| Part { number, heads: Vec::with_capacity(rows + 1), blocks: Vec::new() };
        let mut mine: Vec<Part> = (hand..parts.count).step_by(hands).map(part).collect();
        let (mut features, mut shares) = (Vec::new(), vec![Vec::new(); mine.len()]);
        let slots = parts.slots() as u32;
        for position in 0..rows as u32 {
            let mut label = 0.0;
            if Feed::<Linear>::keeps(feed, position) {
                label = feed.copy_row(position, &mut features);
                features.retain(|&(slot, _)| slot < slots); // of a file that has changed
            } else {
                features.clear();
            }
            for (slot, value) in features.iter().copied().chain([(0, feed.bias())]) {
                let (part, place) = parts.of(slot as usize);
                if part % hands == hand {
                    shares[part / hands].push((place_of(place, stride), value));
                }
            }
            for (part, share) in mine.iter_mut().zip(&mut shares) {
                part.push(share, label, place_of(parts.scratch(part.number), stride));
            }
        }
        mine.iter_mut().for_each(|part| part.blocks.shrink_to_fit());
        mine.iter_mut().for_each(|part| part.heads.push(Head { first: part.blocks.len() as u32, features: 0, label: 0.0 }));
        mine
    }

    /// Appends a row's share, which is then empty.
    fn push(&mut self, share: &mut Vec<(u32, f32)>, label: f32, scratch: u32) {
        let bias = (self.number == 0) as usize;
        self.heads.push(Head { first: self.blocks.len() as u32, features: share.len().saturating_sub(bias) as u32, label });
        for sixteen in share.chunks(LANES) {
            let mut block = PartBlock { places: Line([scratch; LANES]), values: Line([0.0; LANES]) };
            for (i, &(place, value)) in sixteen.iter().enumerate() {
                (block.places.0[i], block.values.0[i]) = (place, value);
            }
            self.blocks.push(block);
        }
        share.clear();
    }

    /// The blocks of a row's share.
    #[inline(always)]
    pub fn blocks(&self, position: u32) -> &[PartBlock] {
        let heads = &self.heads[position as usize..][..2];
        &self.blocks[heads[0].first as usize..heads[1].first as usize]
    }

    /// A row's target.
    #[inline(always)]
    pub fn label(&self, position: u32) -> f32 {
        self.heads[position as usize].label
    }

    /// Nonzeros of a row's share.
    #[inline(always)]
    pub fn features(&self, position: u32) -> u64 {
        self.heads[position as usize].features as u64
    }

    /// Asks for where a share lies.
    #[inline(always)]
    pub fn prefetch_place<I: Isa>(&self, isa: I, position: u32) {
        isa.prefetch(&self.heads[position as usize]);
    }

    /// Where a share begins, to ask for it block by block along with those of another: a loop of its own would end at a number of blocks that
    /// the processor does not foresee.
    #[inline(always)]
    pub fn ahead(&self, position: u32) -> *const PartBlock {
        self.blocks.as_ptr().wrapping_add(self.heads[position as usize].first as usize)
    }
}

impl PartBlock {
    /// Asks for block number `i` of a share that begins at `ahead`.
    #[inline(always)]
    pub fn prefetch<I: Isa>(isa: I, ahead: *const PartBlock, i: usize) {
        let lines = ahead.wrapping_add(i).cast::<Line<u32>>();
        isa.prefetch(lines);
        isa.prefetch(lines.wrapping_add(1));
    }
}

/// A slot's place, as `Isa::gather` has it.
fn place_of(slot: usize, stride: usize) -> u32 {
    (if stride > 2 { 2 * slot } else { slot }) as u32
}
