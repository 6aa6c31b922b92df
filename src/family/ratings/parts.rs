//! What a run on ratings and its samples share.
use crate::options::Settings;
use hogwild_kernels::{
    engine::{FactorKernel, Loops},
    feed::RatingFeed,
    models::Factorization,
    params::Parameters,
    rules::Layout,
    seeds::Stream,
};
use rand::RngExt;

/// How large factors are at the start, for rank 1.
const START: f32 = 0.1;

/// Ratings in the order of a run, with what they are trained by.
pub(super) struct Parts<'a> {
    pub rule: &'a dyn Loops<FactorKernel>,
    pub settings: &'a Settings,
    /// Of the rule's parameters.
    pub layout: Layout,
    pub users: usize,
    pub items: usize,
    /// With places among the parameters, of rows of `stride` vectors; by batches, of row numbers.
    pub feed: RatingFeed,
    pub stride: u32,
    pub model: Factorization,
}

impl Parts<'_> {
    /// The row number of a place: users, then items.
    pub fn row(&self, place: u32) -> usize {
        (place / self.stride) as usize
    }

    /// Factors start small and random, so that no two are alike.
    pub fn start(&self, parameters: &Parameters) {
        let mut random = Stream::Start.random(self.settings.seed);
        let scale = START / (self.settings.rank as f32).sqrt();
        // Rows of nobody, behind all others, stay 0.
        let mut left = (self.users + self.items) * self.settings.rank;
        parameters.table(0).set_weights(|| {
            if left == 0 {
                return 0.0;
            }
            left -= 1;
            scale * (2.0 * random.random::<f32>() - 1.0)
        });
    }
}
