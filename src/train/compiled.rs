//! The one list of what inner loops are compiled.
//!
//! A loop is compiled for each model, rule, instruction set and way, and takes the compiler a second or more; all of them were nine tenths
//! of a build. So the default rules, and those that they are compared with, have lean loops of their own. All other rules go by
//! [`Any`](crate::rules::Any), a few hundredths slower, to the same bits. What seldom runs (aids, scaled features, batches, races, rows of
//! unusual width) goes by `Any` under every rule: `with_any!` makes the rule that the loops here are compiled for. A user's own rule has all loops by its type.
use super::{
    Batch, Feed, RatingFeed, SparseFeed,
    run::{Run, Way, Workers},
    synchronous::Synchronous,
};
use crate::{
    Result, Rule,
    models::{Factorization, Fixed, Linear, Model, Width},
    params::{Aided, LANES, Lean},
    rules::UpdateRule,
};

/// Lean workers of a linear model, with the loops of `named` if it has its own.
pub(super) fn linear<'r, R: UpdateRule>(
    run: &'r Run<'r, SparseFeed<'_>, Linear>,
    rule: R,
    named: Option<Rule>,
) -> Result<Box<dyn Way + 'r>> {
    Ok(match named {
        Some(Rule::Adagrad(rule)) => Box::new(Workers::<_, _, _, Lean>::new(run, rule)?),
        Some(Rule::Ftrl(rule)) => Box::new(Workers::<_, _, _, Lean>::new(run, rule)?),
        _ => Box::new(Workers::<_, _, _, Lean>::new(run, rule)?),
    })
}

/// Goes the way that the settings ask for with a factorization. The default rank has lean loops under every rule, other usual ones under
/// row-wise rules, which are the fast ones here; batches and aids go with rows of any width. (Without, Adagrad at rank 32 takes 1.6 times as
/// long.)
pub(super) fn factorization<R: UpdateRule, T>(
    run: &Run<'_, RatingFeed, Factorization>,
    rule: R,
    named: Option<Rule>,
    go: impl FnOnce(&mut dyn Way) -> Result<T>,
) -> Result<T> {
    let lean = run.settings.batch == Batch::One && run.settings.aids.are_off();
    match (named, if lean { run.settings.rank.div_ceil(LANES) } else { 0 }) {
        (Some(Rule::AdagradRowwise(rule)), 1) => of_width::<Fixed<1>, _, T>(run, rule, go),
        (Some(Rule::AdagradRowwise(rule)), 2) => of_width::<Fixed<2>, _, T>(run, rule, go),
        (Some(Rule::AdagradRowwise(rule)), 4) => of_width::<Fixed<4>, _, T>(run, rule, go),
        (Some(Rule::AdagradRowwise(rule)), 8) => of_width::<Fixed<8>, _, T>(run, rule, go),
        (Some(Rule::Adagrad(rule)), 2) => of_width::<Fixed<2>, _, T>(run, rule, go),
        (Some(Rule::Ftrl(rule)), 2) => of_width::<Fixed<2>, _, T>(run, rule, go),
        (_, 2) => of_width::<Fixed<2>, _, T>(run, rule, go),
        (_, vectors) => {
            // Known to the compiler, which does not compile the other then.
            if R::BUILT_IN { go(seldom(run, rule)?.as_mut()) } else { own_factorization(run, rule, vectors, go) }
        }
    }
}

/// The rest of the above for a rule of the user's own.
fn own_factorization<R: UpdateRule, T>(
    run: &Run<'_, RatingFeed, Factorization>,
    rule: R,
    vectors: usize,
    go: impl FnOnce(&mut dyn Way) -> Result<T>,
) -> Result<T> {
    match (rule.rowwise(), vectors) {
        (true, 1) => of_width::<Fixed<1>, _, T>(run, rule, go),
        (true, 4) => of_width::<Fixed<4>, _, T>(run, rule, go),
        (true, 8) => of_width::<Fixed<8>, _, T>(run, rule, go),
        _ => go(seldom(run, rule)?.as_mut()),
    }
}

fn of_width<W: Width, R: UpdateRule, T>(
    run: &Run<'_, RatingFeed, Factorization>,
    rule: R,
    go: impl FnOnce(&mut dyn Way) -> Result<T>,
) -> Result<T> {
    let model = run.model.with_width::<W>();
    let run = run.with_model(&model);
    go(&mut Workers::<_, _, _, Lean>::new(&run, rule)?)
}

/// The way that the settings ask for, of runs that are not lean.
///
/// # Errors
/// When there is too little memory, or the system refuses threads.
pub(super) fn seldom<'r, F: Feed<M>, M: Model<Example: Send + Sync>, R: UpdateRule>(
    run: &'r Run<'r, F, M>,
    rule: R,
) -> Result<Box<dyn Way + 'r>> {
    Ok(if run.settings.batch == Batch::One {
        Box::new(Workers::<_, _, _, Aided>::new(run, rule)?)
    } else {
        Box::new(Synchronous::new(run, rule)?)
    })
}
