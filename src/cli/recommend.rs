//! `hogwild recommend`: the best items of users.
use super::{
    data::CacheOptions,
    ids::{Chosen, few, warn_unknown},
    outputs,
    ranked::{Named, RankingOptions, write},
    say::say,
    summary,
    threads::ThreadOptions,
};
use anyhow::bail;
use clap::Args;
use hogwild::{
    ByUser, FoldedIn, Recommender, TrainedModel,
    data::{Data, Ids, Ratings},
    seen_items,
};
use std::{path::PathBuf, process::ExitCode};

#[derive(Args)]
pub struct RecommendArgs {
    /// A model of users and items that `hogwild train --out` wrote
    model: PathBuf,
    /// Whom to recommend to: all, ids between commas, or a file with an id a line [default: all; with --fold-in, all of its users]
    #[arg(long, value_name = "FILE|all|ID,...")]
    users: Option<String>,
    /// Leave out what each user has rated in these data
    #[arg(long, value_name = "DATA", num_args = 1..)]
    exclude_seen: Vec<PathBuf>,
    /// Recommend these items alone: ids between commas, or a file with an id a line
    #[arg(long, value_name = "FILE|ID,...")]
    among: Option<String>,
    /// Recommend to the users of these data by their ratings there alone, be they known to the model or not; what they rated is left out
    #[arg(long, value_name = "DATA", num_args = 1..)]
    fold_in: Vec<PathBuf>,
    #[command(flatten)]
    ranking: RankingOptions,
    #[command(flatten)]
    options: CacheOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: RecommendArgs) -> anyhow::Result<ExitCode> {
    let inputs = || args.exclude_seen.iter().chain(&args.fold_in);
    let out = args.ranking.out.as_ref().filter(|path| path.as_os_str() != "-");
    outputs::check(inputs().chain([&args.model]), &[("--out", out)])?;
    outputs::check_writable(out)?;
    args.options.check_columns(inputs())?;
    let model = TrainedModel::open(&args.model)?;
    let mut recommender = Recommender::new(&model)?;
    if let Some(among) = &args.among {
        let (rows, unknown) = Chosen::of("--among", among)?.rows(recommender.item_ids());
        if rows.len() == unknown.len() {
            bail!("--among {among}: none of these is an item of the model ({})", few(&unknown));
        }
        warn_unknown("--among", "item", &unknown, "");
        recommender = recommender.among(&rows);
    }
    let chosen = args.users.as_ref().map_or(Ok(Chosen::All), |users| Chosen::of("--users", users))?;
    let folded = if args.fold_in.is_empty() { None } else { Some(fold_in(&args, &model, &recommender)?) };
    let ids = folded.as_ref().map_or(recommender.user_ids(), |folded| &folded.ids);
    let (users, unknown) = chosen.rows(ids);
    match &folded {
        Some(_) if !unknown.is_empty() => {
            bail!("--users: {} of these have no rating in the data of --fold-in ({})", unknown.len(), few(&unknown))
        }
        _ => warn_unknown("--users", "user", &unknown, ": they are recommended what is rated best by all"),
    }
    let seen = if args.exclude_seen.is_empty() { None } else { Some(seen(&args, &model, ids, recommender.item_ids())?) };
    let leaves_out = |user: u32, item: u32| {
        let by = |seen: Option<&ByUser>| seen.is_some_and(|seen| seen.has(user as usize, item));
        by(seen.as_ref()) || by(folded.as_ref().map(|folded| &folded.seen))
    };
    let named = Named { asked: &chosen, all: ids, found: recommender.item_ids(), words: ["user", "item"] };
    let top = args.ranking.top as usize;
    let wrong = write(&args.ranking, &named, users.len(), |block| {
        let asked = &users[block];
        let rows = folded.as_ref().map_or_else(|| recommender.users(asked), |folded| folded.rows.select(asked));
        recommender.recommend(&rows, top, |query, item| leaves_out(asked[query], item))
    })?;
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        say!("hogwild: {wrong} scores are NaN or infinite; the model has numbers too large");
        ExitCode::FAILURE
    })
}

/// Ratings in the sense of a model of users and items.
fn ratings(args: &RecommendArgs, flag: &str, model: &TrainedModel, inputs: &[PathBuf], unlabelled: bool) -> anyhow::Result<Ratings> {
    let opened = match unlabelled {
        true => args.options.open_unlabelled_for(model, inputs)?,
        false => args.options.open_for(model, inputs)?,
    };
    match opened.into_data() {
        Data::Ratings(ratings) => Ok(ratings),
        Data::Rows(_) => bail!("{flag} {}: holds sparse rows; give ratings (`user item rating`)", summary::names(inputs)),
    }
}

/// Which items users have rated; a rating itself may be missing.
fn seen(args: &RecommendArgs, model: &TrainedModel, users: &Ids, items: &Ids) -> anyhow::Result<ByUser> {
    let data = ratings(args, "--exclude-seen", model, &args.exclude_seen, true)?;
    let known = |own: &Ids, all: &Ids| own.translate(all).iter().any(|&row| row != u32::MAX);
    if !known(&data.user_ids()?, users) || !known(&data.item_ids()?, items) {
        let name = summary::names(&args.exclude_seen);
        say!("warning: --exclude-seen {name}: has no user, or no item, that recommendations are about: nothing is left out");
    }
    Ok(seen_items(&data, users, items)?)
}

fn fold_in(args: &RecommendArgs, model: &TrainedModel, recommender: &Recommender<'_>) -> anyhow::Result<FoldedIn> {
    let data = ratings(args, "--fold-in", model, &args.fold_in, false)?;
    let folded = recommender.fold_in(&data)?;
    let count = |n: usize| summary::count(n as u64);
    let known = match folded.known {
        0 => String::new(),
        known => format!(", {} of them known to the model, which now go by these ratings alone", count(known)),
    };
    say!("folded in {} users{known}", count(folded.ids.len()));
    if !folded.unknown_items.is_empty() {
        let (items, ratings) = (folded.unknown_items.len(), summary::count(folded.unknown_ratings));
        let told = few(&folded.unknown_items);
        say!("warning: --fold-in: {} items are unknown to the model ({told}): their {ratings} ratings tell nothing", count(items));
    }
    if folded.without > 0 {
        say!(
            "warning: --fold-in: {} users rated no item of the model: they are recommended what is rated best by all",
            count(folded.without)
        );
    }
    Ok(folded)
}
