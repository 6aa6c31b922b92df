//! Runs that are to go well, and what tests ask of them.
use super::{isa, shared};
use hogwild::{
    Astray, LinearModel, Loss, Outcome, RateSearchReport, Settings, Watch,
    data::{Data, Ids, Ratings, Rows},
    train_factorization, train_linear,
};
use std::{borrow::Borrow, path::Path};

/// Trains a linear model.
pub fn linear(data: &Rows, valid: Option<&Rows>, settings: impl Borrow<Settings>) -> Outcome {
    let _turn = shared();
    train_linear(data, valid, &isa::forced_in(settings.borrow()), &mut (), &Default::default()).unwrap()
}

/// Factorizes ratings.
pub fn factors(data: &Ratings, valid: Option<&Ratings>, settings: impl Borrow<Settings>) -> Outcome {
    let _turn = shared();
    train_factorization(data, valid, &isa::forced_in(settings.borrow()), &mut (), &Default::default()).unwrap()
}

/// Notes the searches of a run, and how it went astray.
#[derive(Default)]
pub struct Notes {
    pub searches: Vec<RateSearchReport>,
    pub astray: Vec<Astray>,
}

impl Watch for Notes {
    fn rate_search(&mut self, report: &RateSearchReport) {
        self.searches.push(report.clone());
    }

    fn astray(&mut self, astray: &Astray) {
        self.astray.push(*astray);
    }
}

/// Trains a linear model, noting its searches.
pub fn linear_and_searches(data: &Rows, valid: Option<&Rows>, settings: Settings) -> (Outcome, Vec<RateSearchReport>) {
    let _turn = shared();
    let mut notes = Notes::default();
    let outcome = train_linear(data, valid, &settings, &mut notes, &Default::default()).unwrap();
    (outcome, notes.searches)
}

/// Factorizes ratings, noting its searches.
pub fn factors_and_searches(data: &Ratings, settings: Settings) -> (Outcome, Vec<RateSearchReport>) {
    let _turn = shared();
    let mut notes = Notes::default();
    let outcome = train_factorization(data, None, &settings, &mut notes, &Default::default()).unwrap();
    (outcome, notes.searches)
}

/// The last epoch's held-out loss.
pub fn held_out(outcome: &Outcome) -> f64 {
    outcome.epochs.last().and_then(|epoch| epoch.valid).expect("an evaluated epoch").loss
}

/// The last epoch's held-out error: of ratings, in their unit.
pub fn held_out_error(outcome: &Outcome) -> f64 {
    let valid = outcome.epochs.last().and_then(|epoch| epoch.valid).expect("an evaluated epoch");
    valid.rmse.unwrap_or(valid.loss)
}

/// The model of a run on rows.
pub fn linear_model(outcome: &Outcome) -> LinearModel<'_> {
    outcome.model.as_ref().unwrap().linear().unwrap()
}

/// All numbers of a model, biases first.
pub fn weights(outcome: &Outcome) -> Vec<f32> {
    let model = outcome.model.as_ref().unwrap();
    match model.factors() {
        None => model.linear().map(|m| [m.bias].iter().chain(m.weights).copied().collect()).unwrap(),
        Some(m) => {
            let m = m.factors;
            [m.user_bias, m.item_bias, m.user_factor, m.item_factor].concat()
        }
    }
}

/// The mean logistic loss of a linear model, with its L2 penalty: what training makes small.
pub fn logistic_objective(outcome: &Outcome, data: &Data, l2: f64) -> f64 {
    let squares: f64 = linear_model(outcome).weights.iter().map(|&w| (w as f64).powi(2)).sum();
    let scores = outcome.model.as_ref().unwrap().score(data).unwrap().scores;
    let loss = scores.iter().map(|&(z, y)| (-(z as f64 * y as f64)).exp().ln_1p()).sum::<f64>() / scores.len() as f64;
    loss + l2 / 2.0 * squares
}

/// Writes a model with a bias of 1/4 whose features 1, 2, ... have these weights.
pub fn save_linear_model(path: &Path, loss: Loss, weights: &[f32]) {
    let ids = &Ids::Numbers((1..=weights.len() as u64).collect());
    LinearModel { ids, bias: 0.25, weights, unit_rows: false }.trained(loss).save(path).unwrap();
}
