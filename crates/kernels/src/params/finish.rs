//! How a weight as it is trained becomes a weight as the model is to have it.
use super::layout::state_len;
use crate::{
    rules::{State, UpdateRule},
    simd::MOST,
};

/// A weight as the model is to have it, of the weight and its state.
type Weight<'a> = dyn Fn(f32, &[f32]) -> f32 + 'a;

/// How a weight as it is trained becomes a weight as the model is to have it.
pub struct Finish<'a> {
    /// The rule's [`finish`](UpdateRule::finish) of a weight and its state; none where weights are as they are to be.
    rule: Option<Box<Weight<'a>>>,
    /// Numbers of state beside each weight.
    state: usize,
    /// What the sum of weighted changes is multiplied by, where the model is the average (see `transforms`).
    average: Option<f32>,
}

impl<'a> Finish<'a> {
    /// By the step that would come next.
    pub fn new<R: UpdateRule>(rule: &'a R, step: R::Step, average: Option<f32>) -> Finish<'a> {
        // Of rows with one state the weights are as they lie, and so they are where sums of gradients lie beside.
        if rule.rowwise() || rule.layout().sums || !rule.finishes() {
            return Finish { rule: None, state: 0, average };
        }
        let finish = move |w, numbers: &[f32]| {
            let mut state = R::State::splat(0.0);
            state.as_mut()[..numbers.len()].copy_from_slice(numbers);
            rule.finish(&step, w, &state)
        };
        Finish { rule: Some(Box::new(finish)), state: state_len(rule), average }
    }

    /// Whether weights are to be as they lie.
    pub(super) fn is_nothing(&self) -> bool {
        self.rule.is_none() && self.average.is_none()
    }

    /// `state` gives the numbers beside the weight.
    #[inline]
    pub(super) fn weight(&self, w: f32, sum: impl FnOnce() -> f32, state: impl Fn(usize) -> f32) -> f32 {
        if let Some(scale) = self.average {
            return w - scale * sum();
        }
        let Some(rule) = &self.rule else { return w };
        let mut numbers = [0.0; MOST];
        for (k, number) in numbers[..self.state].iter_mut().enumerate() {
            *number = state(k);
        }
        rule(w, &numbers[..self.state])
    }
}
