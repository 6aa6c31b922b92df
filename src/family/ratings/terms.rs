//! The terms of the scores of ratings: the mean, two biases, and the product of factors.
use super::score::{FactorModel, translate};
use crate::{
    family::explained::{Explain, Explained, Terms, check_single},
    model::TrainedModel,
};
use hogwild_base::Result;
use hogwild_data::Ratings;
use std::sync::atomic::Ordering::Relaxed;

/// What adds to a score.
#[derive(Clone, Copy)]
enum Key {
    Mean,
    User,
    Item,
    Factors,
}

/// Explains ratings.
///
/// # Errors
/// An ensemble, a class, or dictionaries that cannot be read.
pub(crate) fn explain(model: &TrainedModel, data: &Ratings, asked: &Explain) -> Result<Vec<Explained>> {
    check_single(model)?;
    if let Some(class) = &asked.class {
        let problem = "is of models of several classes, and this one has one score a rating".into();
        return Err(hogwild_base::Error::BadSetting { setting: "class", value: class.clone(), problem });
    }
    let Some(view) = FactorModel::new(model, model.last()) else { return Ok(Vec::new()) };
    let (factors, translated) = (view.factors, translate(data, view.users, view.items, model.loss)?);
    let (users, items) = (data.user_ids()?, data.item_ids()?);
    let end = asked.rows.end.min(data.len());
    let one = |row: usize| {
        if data.is_bad(row) {
            return Explained::unread(row);
        }
        let (user, item) = (translated[row].0 as usize, translated[row].1 as usize);
        let known = [user < view.users.len(), item < view.items.len()];
        let mut terms = Terms::new(asked.top);
        terms.push(Key::Mean, 1.0, factors.mean.into());
        let bias = |all: &[f32], i: usize| f64::from(all.get(i).copied().unwrap_or(0.0));
        if known[0] {
            terms.push(Key::User, 1.0, bias(factors.user_bias, user));
        }
        if known[1] {
            terms.push(Key::Item, 1.0, bias(factors.item_bias, item));
        }
        if known == [true; 2] {
            let rank = factors.rank;
            let (p, q) = (&factors.user_factor[user * rank..][..rank], &factors.item_factor[item * rank..][..rank]);
            terms.push(Key::Factors, 1.0, p.iter().zip(q).map(|(p, q)| f64::from(*p) * f64::from(*q)).sum());
        }
        let own = |cells: &[std::sync::atomic::AtomicU32]| cells[row].load(Relaxed) as usize;
        let (user, item) = (users.name(own(data.user_cells())), items.name(own(data.item_cells())));
        let name = |key| match key {
            Key::Mean => "mean".into(),
            Key::User => format!("user {user}"),
            Key::Item => format!("item {item}"),
            Key::Factors => format!("user {user} * item {item}"),
        };
        let (terms, others, score) = terms.into_named(name);
        let unknown = known.iter().filter(|known| !**known).count() as u64;
        Explained { row, class: None, score, prediction: model.loss.predict(score as f32), terms, others, unknown }
    };
    Ok((asked.rows.start..end.max(asked.rows.start)).map(one).collect())
}
