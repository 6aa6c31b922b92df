//! How a slot's numbers lie in its cells.
//!
//! A slot of one weight is `[weight, state, padding to 1, 2 or 4]`. A slot of many weights is `[weights | state | weight beside, its
//! state]`, each part in whole vectors of sixteen; under a row-wise rule `[weights | weight beside, its state; state of the row]`. Where such a
//! slot is to be packed and the last vector of its weights has eight cells over, those are in place of a vector more: a row of eight
//! factors is one line of the cache with its state.
use crate::{
    rules::{Layout, State, UpdateRule},
    simd::{LANES, Line, MOST},
};

/// Where in the last vector of a slot of many weights the state of the row begins, under a row-wise rule.
pub(super) const ROW_STATE: usize = 4;
/// The same of slots of features that may be packed, where a state is one number: weight beside, its state and that of the row are one move.
pub(super) const NEAR_STATE: usize = 2;
/// Cells of half a vector: what a packed slot has for the weight beside and all states.
pub(super) const HALF: usize = LANES / 2;

/// How many weights a slot has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SlotWidth {
    /// One, as a feature of a linear model. Such slots are moved sixteen at a time.
    One,
    /// So many, with one more weight beside them, as a user's factors and bias. Such slots are moved one by one.
    Row(usize),
    /// The same of a feature, whose weight lies beside its factors and steps as slots of one weight do. Such slots may be packed, where rule
    /// and number leave room for it.
    FeatureRow {
        /// How many, but for the one beside.
        weights: usize,
        /// Whether it may be packed.
        packed: bool,
    },
}

/// The layout of a slot under a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SlotLayout {
    /// Cells a slot.
    pub stride: usize,
    /// Weights of a slot, but for the one beside them.
    pub weights: usize,
    /// Cells that the weights take, and each number of their state.
    pub part: usize,
    /// Numbers of state that each weight has.
    pub state: usize,
    /// Whether a slot of many weights has one state for all of them.
    pub rowwise: bool,
    /// Whether the second half of a slot of one weight is sums of gradients: see `rules::Summing`.
    pub sums: bool,
    /// How far behind the weight beside the state of the row begins, under a row-wise rule.
    pub row_state: usize,
    /// Where the weight beside lies, with its state behind it.
    pub tail: Option<usize>,
}

impl SlotLayout {
    pub fn of(rule: &Layout, width: SlotWidth) -> SlotLayout {
        match width {
            SlotWidth::One => {
                let &Layout { state, sums, .. } = rule;
                SlotLayout { stride: rule.stride(), weights: 1, part: 1, state, rowwise: false, sums, row_state: ROW_STATE, tail: None }
            }
            SlotWidth::Row(weights) | SlotWidth::FeatureRow { weights, .. } => {
                let vectors = LANES * rule.vectors(weights.div_ceil(LANES));
                let may_be = matches!(width, SlotWidth::FeatureRow { packed: true, .. });
                let packed = may_be && rule.packs(weights);
                let tail = if packed { vectors - HALF } else { vectors };
                let state = if rule.rowwise { 0 } else { rule.state };
                SlotLayout {
                    stride: if packed { vectors } else { tail + LANES },
                    weights,
                    part: weights.next_multiple_of(LANES),
                    state,
                    rowwise: rule.rowwise,
                    sums: false,
                    row_state: if may_be && rule.rowwise && rule.state == 1 { NEAR_STATE } else { ROW_STATE },
                    tail: Some(tail),
                }
            }
        }
    }

    /// By vector of a slot (or of several narrow ones): 1 where state lies, 0 where weights do.
    pub fn kinds(&self) -> Vec<Line<f32>> {
        let is_state = |cell: usize| match self.tail {
            None => !cell.is_multiple_of(self.stride),
            Some(tail) if cell >= tail => cell > tail,
            Some(_) => cell >= self.part,
        };
        let line = |vector: usize| Line(std::array::from_fn(|i| is_state(vector * LANES + i) as u8 as f32));
        (0..(self.stride / LANES).max(1)).map(line).collect()
    }

    /// Whether the weight beside and the states of a slot lie in its last vector of weights.
    pub fn is_packed(&self) -> bool {
        self.tail.is_some_and(|tail| tail + HALF == self.stride)
    }

    /// Where number `k` of the state of weight `i` lies.
    pub fn state(&self, i: usize, k: usize) -> usize {
        self.part * (1 + k) + i
    }
}

/// Cells a slot of one weight.
#[inline(always)]
pub(super) fn stride<R: UpdateRule>(rule: &R) -> usize {
    if R::ERASED { rule.layout().stride() } else { const { stride_of::<R>() } }
}

const fn stride_of<R: UpdateRule>() -> usize {
    let cells = 1 + <R::State<f32> as State<f32>>::LEN;
    assert!(cells <= MOST, "a rule has at most three numbers of state");
    cells.next_power_of_two()
}

/// Vectors of weights and their state in a slot of `n` vectors of weights.
#[inline(always)]
pub(super) fn vectors<R: UpdateRule>(rule: &R, n: usize) -> usize {
    if rule.rowwise() { n } else { n * (1 + state_len(rule)) }
}

/// Numbers of state that a rule has beside a weight, or beside a row.
#[inline(always)]
pub(super) fn state_len<R: UpdateRule>(rule: &R) -> usize {
    if R::ERASED { rule.layout().state } else { <R::State<f32> as State<f32>>::LEN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Adagrad, AdagradRowwise};

    #[test]
    fn rows_of_features_are_packed_where_half_a_vector_is_over() {
        let layouts = [Layout::of(&AdagradRowwise::DEFAULT), Layout::of(&Adagrad::DEFAULT)];
        // Weights; vectors of a packed slot under a row-wise rule, of one that is not packed, and under a rule with a state a weight.
        for (weights, packed, open, general) in
            [(1, 1, 2, 3), (8, 1, 2, 3), (9, 2, 2, 3), (16, 2, 2, 3), (17, 2, 3, 5), (24, 2, 3, 5), (25, 3, 3, 5)]
        {
            let of = |layout, packed| SlotLayout::of(layout, SlotWidth::FeatureRow { weights, packed });
            let vectors = |layout, packed| of(layout, packed).stride / LANES;
            let found = (vectors(&layouts[0], true), vectors(&layouts[0], false), vectors(&layouts[1], true));
            assert_eq!(found, (packed, open, general), "{weights}");
            let (own, row) = (of(&layouts[0], true), SlotLayout::of(&layouts[0], SlotWidth::Row(weights)));
            assert_eq!(own.is_packed(), packed < open, "{weights}");
            assert_eq!(of(&layouts[0], false), row, "{weights}");
            // The weights, the weight beside and all numbers of state have cells of their own.
            let tail = own.tail.unwrap();
            assert!(weights <= tail && tail + HALF <= own.stride, "{weights}");
            let kinds: Vec<f32> = own.kinds().into_iter().flat_map(|line| line.0).collect();
            assert!(kinds[..weights].iter().all(|&kind| kind == 0.0) && kinds[tail] == 0.0, "{weights}");
            assert!(kinds[tail + 1] == 1.0 && kinds[tail + own.row_state] == 1.0, "{weights}");
            assert_eq!((own.row_state, row.row_state), (NEAR_STATE, ROW_STATE), "{weights}");
        }
    }
}
