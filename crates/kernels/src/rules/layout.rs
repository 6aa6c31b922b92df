//! How the numbers of a rule lie beside its weights.
use super::UpdateRule;
use crate::simd::LANES;

/// How a rule's numbers lie beside its weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Numbers of state beside each weight, or beside each row, 0 to 3.
    pub state: usize,
    /// Whether a row of factors has one state for all its weights.
    pub rowwise: bool,
    /// Whether the last two numbers of state are sums of gradients, which are a replica's alone.
    pub sums: bool,
    /// What the state holds before the first step.
    pub initial: [f32; 3],
}

impl Layout {
    /// The layout of a rule.
    pub fn of<R: UpdateRule>(rule: &R) -> Layout {
        rule.layout()
    }

    /// The same of a rule whose `State` has the size of its state.
    pub(super) fn of_state<R: UpdateRule>(rule: &R) -> Layout {
        let (mut initial, numbers) = ([0.0; 3], rule.initial());
        initial[..numbers.as_ref().len()].copy_from_slice(numbers.as_ref());
        Layout { state: numbers.as_ref().len(), rowwise: rule.rowwise(), sums: false, initial }
    }

    /// Cells of a row of one weight.
    pub fn stride(&self) -> usize {
        (1 + self.state).next_power_of_two()
    }

    /// Vectors of factors and their state in a row of `n` vectors of factors.
    pub fn vectors(&self, n: usize) -> usize {
        if self.rowwise { n } else { n * (1 + self.state) }
    }

    /// Whether the last vector of so many weights has room for the weight beside them and for all states, half a vector.
    pub fn packs(&self, weights: usize) -> bool {
        self.rowwise && (1..=LANES / 2).contains(&(weights % LANES))
    }

    /// Bytes of a feature's row with its state, where it may be packed: so many factors, or weights of classes, and the weight beside.
    pub fn feature_row_bytes(&self, weights: usize) -> usize {
        self.row_bytes(weights) - if self.packs(weights) { LANES * size_of::<f32>() } else { 0 }
    }

    /// Bytes of a row with its state: of one weight (0 factors), or of so many factors.
    pub fn row_bytes(&self, factors: usize) -> usize {
        let cells = if factors == 0 { self.stride() } else { LANES * (self.vectors(factors.div_ceil(LANES)) + 1) };
        cells * size_of::<f32>()
    }
}
