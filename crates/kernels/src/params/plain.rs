//! Parameters of one thread in plain vectors: what a library user's own loop trains, and the naive oracle of the shared ones.
use super::{Weights, learner, step_now::drawn_to_0};
use crate::{
    rules::{Clock, UpdateRule},
    simd::{F32x16, LANES, Line},
};

/// A weight and its state.
type Cell<R> = (f32, <R as UpdateRule>::State<f32>);

/// Parameters of one thread under an update rule.
///
/// ```
/// use hogwild::{Loss, Plain, models::{Linear, Model, Row}, rules::{Adagrad, Clock}};
/// let (model, mut weights) = (Linear::new(), Plain::new(Adagrad::DEFAULT, 2, 0, 0));
/// let (row, mut scratch) = (Row::new(&[(0, 1.5)]), model.scratch(1));
/// weights.set_clock(&Clock { rate: 0.5, ..Clock::default() });
/// let z = model.score(&row, &mut weights, &mut scratch);
/// model.backward(&row, Loss::Logistic.slope(z, 1.0), &mut weights, &mut scratch);
/// assert!(model.score(&row, &mut weights, &mut scratch) > z);
/// ```
#[derive(Clone)]
pub struct Plain<R: UpdateRule> {
    rule: R,
    step: R::Step,
    memory: R::Memory,
    /// Sums of what the rule observes of the example at hand.
    observed: [f32; 2],
    narrow: Vec<Cell<R>>,
    wide: Vec<Wide<R>>,
    width: usize,
    of_features: bool,
}

#[derive(Clone)]
struct Wide<R: UpdateRule> {
    row: Vec<Cell<R>>,
    beside: Cell<R>,
    /// Of a row-wise rule.
    state: R::State<f32>,
}

impl<R: UpdateRule> Plain<R> {
    /// `narrow` rows of one weight and `wide` rows of `width` weights, all zero; the rate too, until [`set_clock`](Self::set_clock).
    pub fn new(rule: R, narrow: usize, wide: usize, width: usize) -> Plain<R> {
        let (cell, state) = ((0.0, rule.initial()), rule.initial());
        let row = Wide { row: vec![cell; width.next_multiple_of(LANES)], beside: cell, state };
        let memory = R::Memory::default();
        let step = rule.prepare(&Clock::default(), &memory);
        Plain { rule, step, memory, observed: [0.0; 2], narrow: vec![cell; narrow], wide: vec![row; wide], width, of_features: false }
    }

    /// Ends the example before, and says of the step to come at which rate it is and which it is.
    pub fn set_clock(&mut self, clock: &Clock) {
        if self.rule.learns() && self.observed[0] > 0.0 {
            self.rule.learn(&mut self.memory, std::mem::take(&mut self.observed));
        }
        self.step = self.rule.prepare(clock, &self.memory);
    }

    /// The weight of a narrow row as a model is to have it.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn weight(&self, row: u32) -> f32 {
        let (w, state) = &self.narrow[row as usize];
        self.rule.finish(&self.step, *w, state)
    }

    /// The same whose wide rows are of features: the weight beside one steps as a narrow row does.
    pub fn of_features(self) -> Plain<R> {
        Plain { of_features: true, ..self }
    }

    /// The weight beside a wide row as a model is to have it.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn beside(&self, row: u32) -> f32 {
        let (w, state) = &self.wide[row as usize].beside;
        self.rule.finish(&self.step, *w, state)
    }

    /// The weights of a wide row, for reading and writing.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn wide_mut(&mut self, row: u32) -> impl Iterator<Item = &mut f32> {
        self.wide[row as usize].row.iter_mut().map(|cell| &mut cell.0)
    }

    fn read(&self, (w, state): &Cell<R>) -> f32 {
        self.rule.read(&self.step, *w, state)
    }

    fn step_cell(&mut self, cell: &Cell<R>, g: f32) -> Cell<R> {
        let mut state = cell.1;
        let (w, [a, b]) = learner::step(&self.rule, &self.step, cell.0, g, &mut state, &None);
        self.observed = [self.observed[0] + a, self.observed[1] + b];
        (w, state)
    }
}

impl<R: UpdateRule> Weights for Plain<R> {
    type V = F32x16;

    fn gather(&mut self, _block: usize, rows: &Line<u32>) -> F32x16 {
        F32x16(rows.0.map(|row| self.narrow.get(row as usize).map_or(0.0, |cell| self.read(cell))))
    }

    fn step(&mut self, _block: usize, rows: &Line<u32>, gradient: F32x16, l1: Option<F32x16>) {
        for ((row, g), l1) in rows.0.into_iter().zip(gradient.0).zip(l1.unwrap_or_default().0) {
            if let Some(&cell) = self.narrow.get(row as usize) {
                let (w, state) = self.step_cell(&cell, g);
                let w = if l1 > 0.0 { drawn_to_0(w, self.rule.rate(&self.step, &state) * l1) } else { w };
                self.narrow[row as usize] = (w, state);
            }
        }
    }

    fn gather_row(&mut self, row: u32, out: &mut [F32x16]) -> f32 {
        let row = &self.wide[row as usize];
        for (out, cells) in out.iter_mut().zip(row.row.as_chunks::<LANES>().0) {
            *out = F32x16(cells.map(|cell| self.read(&cell)));
        }
        self.read(&row.beside)
    }

    fn set_row(&mut self, row: u32, numbers: &[F32x16]) {
        let cells = self.wide[row as usize].row.iter_mut();
        cells.zip(numbers.iter().flat_map(|line| line.0)).for_each(|(cell, x)| cell.0 = x);
    }

    fn rate(&self) -> f32 {
        self.rule.rate(&self.step, &self.rule.initial())
    }

    fn step_row(&mut self, row: u32, gradient: &[F32x16], square: f32, beside: f32) {
        let mut now = self.wide[row as usize].clone();
        let gradient: Vec<f32> = gradient.iter().flat_map(|g| g.0).collect();
        if self.rule.rowwise() {
            let (scale, beside_scale) = (self.rule.row_scale(&self.step, &now.state), self.rule.row_scale(&self.step, &now.beside.1));
            if self.of_features {
                now.beside = self.step_cell(&now.beside, beside);
            } else {
                now.beside.0 = (-beside_scale).mul_add(beside, now.beside.0);
                self.rule.row_state(beside * beside, &mut now.beside.1);
            }
            now.row.iter_mut().zip(&gradient).for_each(|(cell, &g)| cell.0 = (-scale).mul_add(g, cell.0));
            self.rule.row_state(square.max(0.0) / self.width as f32, &mut now.state);
        } else {
            now.beside = self.step_cell(&now.beside, beside);
            now.row = now.row.iter().zip(&gradient).map(|(cell, &g)| self.step_cell(cell, g)).collect();
        }
        self.wide[row as usize] = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::AdagradRowwise;

    #[test]
    fn a_weight_beside_a_features_factors_steps_as_a_narrow_row_does() {
        let of = |mut weights: Plain<AdagradRowwise>| {
            weights.set_clock(&Clock { rate: 0.1, ..Clock::default() });
            for gradient in [2.0, -1.0, 0.5] {
                let rows = Line(std::array::from_fn(|lane| if lane == 0 { 0 } else { u32::MAX }));
                let first = F32x16(std::array::from_fn(|lane| if lane == 0 { gradient } else { 0.0 }));
                weights.step(0, &rows, first, None);
                weights.step_row(0, &[F32x16([0.0; LANES])], 0.0, gradient);
            }
            (weights.weight(0), weights.beside(0))
        };
        let plain = || Plain::new(AdagradRowwise::DEFAULT, 1, 1, 8);
        let (narrow, beside) = of(plain().of_features());
        assert_eq!(narrow, beside);
        // That of a user or an item goes by the state before its gradient.
        let (narrow, beside) = of(plain());
        assert_ne!(narrow, beside);
    }
}
