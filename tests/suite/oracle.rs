//! A batch by the letter: gradients summed in plain maps, one step a row by their mean. What synchronous training is held against.
use hogwild::{
    F32x16, LANES, Line, Loss, Plain, Vector, Weights,
    models::Model,
    rules::{Clock, UpdateRule},
};
use std::collections::BTreeMap;

/// Parameters that stand still while gradients are summed, by row.
pub struct Summed<R: UpdateRule> {
    pub plain: Plain<R>,
    /// Gradient, lambda of L1.
    narrow: BTreeMap<u32, [f32; 2]>,
    wide: BTreeMap<u32, (Vec<f32>, f32)>,
}

impl<R: UpdateRule> Weights for Summed<R> {
    type V = F32x16;
    fn gather(&mut self, block: usize, rows: &Line<u32>) -> F32x16 {
        self.plain.gather(block, rows)
    }
    fn step(&mut self, _block: usize, rows: &Line<u32>, gradient: F32x16, l1: Option<F32x16>) {
        let l1 = l1.unwrap_or_default();
        for (i, row) in rows.0.into_iter().enumerate().filter(|&(_, row)| row != u32::MAX) {
            let [sum, lambdas] = self.narrow.entry(row).or_default();
            (*sum, *lambdas) = (*sum + gradient.0[i], *lambdas + l1.0[i]);
        }
    }
    fn gather_row(&mut self, row: u32, out: &mut [F32x16]) -> f32 {
        self.plain.gather_row(row, out)
    }
    fn set_row(&mut self, row: u32, numbers: &[F32x16]) {
        self.plain.set_row(row, numbers);
    }
    fn rate(&self) -> f32 {
        self.plain.rate()
    }
    fn step_row(&mut self, row: u32, gradient: &[F32x16], _square: f32, beside: f32) {
        let (sums, sum) = self.wide.entry(row).or_insert((vec![0.0; gradient.len() * LANES], 0.0));
        sums.iter_mut().zip(gradient.iter().flat_map(|g| g.0)).for_each(|(sum, g)| *sum += g);
        *sum += beside;
    }
}

impl<R: UpdateRule> Summed<R> {
    pub fn new(plain: Plain<R>) -> Summed<R> {
        Summed { plain, narrow: BTreeMap::new(), wide: BTreeMap::new() }
    }

    /// One step of every touched row by the mean gradient of the examples.
    pub fn step_by<M: Model>(&mut self, model: &M, loss: Loss, clock: &Clock, examples: &[(M::Example, f32)]) {
        let n = examples.len() as f32;
        self.plain.set_clock(clock);
        for (x, y) in examples {
            let mut scratch = model.scratch(64);
            let z = model.score(x, self, &mut scratch);
            model.backward(x, loss.slope(z, *y), self, &mut scratch);
        }
        for (row, [g, l1]) in std::mem::take(&mut self.narrow) {
            let one = |x: f32| F32x16(std::array::from_fn(|i| if i == 0 { x } else { 0.0 }));
            let rows = Line(std::array::from_fn(|i| if i == 0 { row } else { u32::MAX }));
            self.plain.step(0, &rows, one(g / n), Some(one(l1 / n)));
        }
        for (row, (sums, beside)) in std::mem::take(&mut self.wide) {
            let mean: Vec<f32> = sums.iter().map(|sum| sum / n).collect();
            let vectors: Vec<F32x16> = mean.as_chunks().0.iter().map(F32x16::load).collect();
            self.plain.step_row(row, &vectors, mean.iter().map(|g| g * g).sum(), beside / n);
        }
    }
}
