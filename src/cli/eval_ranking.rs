//! `hogwild eval` of models that rank: how good their lists of items are, over all items that a user does not have.
use super::{
    data::of_input,
    eval::EvalArgs,
    say::{say, show},
    summary::{self, count},
};
use anyhow::bail;
use hogwild::{
    CUTOFF, Evaluated, RankingMetrics, TrainedModel,
    data::{Data, Opened, Ratings},
    evaluate_ranking,
};
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Evaluates lists of items, and shows how good they are.
pub fn run(args: &EvalArgs, model: &TrainedModel, opened: &Opened) -> anyhow::Result<ExitCode> {
    let opened_seen: Vec<Opened> = match args.exclude_seen.is_empty() {
        true => Vec::new(),
        false => vec![args.options.open_for(model, &args.exclude_seen)?],
    };
    let Some(data) = ratings(opened) else {
        bail!("{}: the model ranks items for users, and these are sparse rows", summary::names(&args.data))
    };
    let seen: Vec<&Ratings> = opened_seen.iter().filter_map(ratings).collect();
    if seen.len() < opened_seen.len() {
        bail!("--exclude-seen: {} are sparse rows, not users' items", summary::names(&args.exclude_seen));
    }
    let k = args.top.map_or(CUTOFF, |k| k as usize);
    let found = evaluate_ranking(model, data, &seen, k).map_err(|error| of_input(error, opened, &args.data))?;
    let Evaluated { metrics, unknown_users, unknown_items } = found;
    if args.json {
        let mut json = Map::from_iter(named(&metrics).map(|(name, value)| (name, json!(value))));
        for (name, count) in [("users", metrics.users), ("unknown_users", unknown_users), ("unknown_items", unknown_items)] {
            json.insert(name.into(), count.into());
        }
        show(&format!("{}\n", Value::Object(json)))?;
    } else {
        let lines: String = named(&metrics).map(|(name, value)| format!("{name} {value:.6}\n")).collect();
        show(&format!("users {}\n{lines}unknown users {unknown_users}\nunknown items {unknown_items}\n", metrics.users))?;
    }
    if args.exclude_seen.is_empty() {
        say!("items that users had in training are ranked too, and count as wrong; give the training data by --exclude-seen");
    }
    if metrics.users == 0 {
        say!("hogwild: {}: no user has an item that is to be found", summary::names(&args.data));
        return Ok(ExitCode::FAILURE);
    }
    if !metrics.ndcg.is_finite() {
        say!("hogwild: the model has numbers that are not finite, so {} users have no lists", count(metrics.users));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn ratings(opened: &Opened) -> Option<&Ratings> {
    match &opened.data {
        Data::Ratings(data) => Some(data),
        Data::Rows(_) => None,
    }
}

/// Each with the length of the lists in its name.
fn named(metrics: &RankingMetrics) -> impl Iterator<Item = (String, f64)> {
    let &RankingMetrics { k, recall, capped_recall, precision, ndcg, map, mrr, .. } = metrics;
    let all = [("recall", recall), ("capped-recall", capped_recall), ("precision", precision), ("ndcg", ndcg), ("map", map), ("mrr", mrr)];
    all.into_iter().map(move |(name, value)| (format!("{name}@{k}"), value))
}
