//! A function that trains each family, and one that does so by an update rule of the user's own.
use super::{Follower, Outcome, Watch, fit};
use crate::{
    family::{Bpr, Factorization, FactorizationMachine, FieldAware, Linear, LogisticMf, OneVsRest, SampledSoftmax, Softmax, Warp},
    options::Settings,
};
use hogwild_base::Result;
use hogwild_data::{Ratings, Rows};
use hogwild_kernels::{
    engine::{Loops, Own, RankingKernel},
    models::RankingLoss,
    rules::UpdateRule,
};
use std::{any::type_name, sync::atomic::AtomicBool};

macro_rules! families {
    ($($(#[doc = $doc:literal])* $train:ident, $train_with:ident: $family:ty, $data:ty;)*) => {$(
        $(#[doc = $doc])*
        ///
        /// `valid` is evaluated after every epoch (or, with `settings.holdout`, the rows held out). `stop` may be set from another
        /// thread or a signal handler: workers finish their block. `watch` is told how the run goes, and may end it.
        ///
        /// # Errors
        /// Settings out of range, labels that do not fit the loss, too little memory. Divergence is not an error: see
        /// [`Ended`](crate::Ended).
        pub fn $train(
            data: &$data,
            valid: Option<&$data>,
            settings: &Settings,
            watch: &mut dyn Watch,
            stop: &AtomicBool,
        ) -> Result<Outcome> {
            fit::<$family>((&settings.rule, settings.rule.name()), data, valid, settings, &mut Follower::new(watch, stop))
        }

        #[doc = concat!("As [`", stringify!($train), "`], by an update rule of the user's own; that of the settings is not looked at.")]
        ///
        /// # Errors
        #[doc = concat!("As for [`", stringify!($train), "`].")]
        pub fn $train_with<R: UpdateRule>(
            rule: R,
            data: &$data,
            valid: Option<&$data>,
            settings: &Settings,
            watch: &mut dyn Watch,
            stop: &AtomicBool,
        ) -> Result<Outcome> {
            fit::<$family>((&Own(rule), type_name::<R>()), data, valid, settings, &mut Follower::new(watch, stop))
        }
    )*};
}

families! {
    /// Trains a linear model on sparse rows.
    train_linear, train_linear_with: Linear, Rows;
    /// Trains a factorization machine on sparse rows.
    train_fm, train_fm_with: FactorizationMachine, Rows;
    /// Trains a field-aware factorization machine on sparse rows whose features have fields; rows without fields are an error.
    train_ffm, train_ffm_with: FieldAware, Rows;
    /// Trains multinomial logistic regression on sparse rows whose labels are classes, one a row.
    train_softmax, train_softmax_with: Softmax, Rows;
    /// Trains a model for each class against the rest, all in one pass, on sparse rows with any number of classes.
    train_ovr, train_ovr_with: OneVsRest, Rows;
    /// Trains matrix factorization on ratings.
    train_factorization, train_factorization_with: Factorization, Ratings;
}

/// Trains a model that ranks items by implicit feedback: each row of the data is an item that its user took. As
/// [`train_factorization`] otherwise.
///
/// # Errors
/// As for [`train_factorization`]; rows whose value is 0 or less.
pub fn train_implicit(
    loss: RankingLoss,
    data: &Ratings,
    valid: Option<&Ratings>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    fit_implicit(loss, (&settings.rule, settings.rule.name()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// As [`train_implicit`], by an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_implicit`].
pub fn train_implicit_with<R: UpdateRule>(
    rule: R,
    loss: RankingLoss,
    data: &Ratings,
    valid: Option<&Ratings>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    fit_implicit(loss, (&Own(rule), type_name::<R>()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// Trains the family of that loss.
fn fit_implicit(
    loss: RankingLoss,
    rule: (&dyn Loops<RankingKernel>, &str),
    data: &Ratings,
    valid: Option<&Ratings>,
    settings: &Settings,
    follower: &mut Follower<'_>,
) -> Result<Outcome> {
    match loss {
        RankingLoss::Bpr => fit::<Bpr>(rule, data, valid, settings, follower),
        RankingLoss::Warp => fit::<Warp>(rule, data, valid, settings, follower),
        RankingLoss::SampledSoftmax => fit::<SampledSoftmax>(rule, data, valid, settings, follower),
        RankingLoss::Logistic => fit::<LogisticMf>(rule, data, valid, settings, follower),
    }
}
