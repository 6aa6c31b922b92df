//! `hogwild similar`: items that are like others, or users.
use super::{
    ids::{Chosen, few},
    named::named,
    outputs,
    ranked::{Named, RankingOptions, write},
    say::say,
    threads::ThreadOptions,
};
use anyhow::bail;
use clap::Args;
use hogwild::{Neighbours, Similarity, TrainedModel};
use std::{path::PathBuf, process::ExitCode};

#[derive(Args)]
pub struct SimilarArgs {
    /// A model of users and items that `hogwild train --out` wrote
    model: PathBuf,
    /// Items: all, ids between commas, or a file with an id a line
    #[arg(long, value_name = "FILE|all|ID,...", required_unless_present = "users")]
    items: Option<String>,
    /// The same of users, in place of items
    #[arg(long, value_name = "FILE|all|ID,...", conflicts_with = "items")]
    users: Option<String>,
    /// How they are compared
    #[arg(long, value_parser = named::<Similarity>(), default_value = "cosine")]
    by: Similarity,
    #[command(flatten)]
    ranking: RankingOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: SimilarArgs) -> anyhow::Result<ExitCode> {
    let out = args.ranking.out.as_ref().filter(|path| path.as_os_str() != "-");
    outputs::check([&args.model], &[("--out", out)])?;
    outputs::check_writable(out)?;
    let (axis, flag, text) = match (&args.items, &args.users) {
        (Some(items), _) => ("item", "--items", items),
        (None, Some(users)) => ("user", "--users", users),
        (None, None) => bail!("say of what, by --items or --users"),
    };
    let model = TrainedModel::open(&args.model)?;
    let neighbours = Neighbours::new(&model, axis, args.by)?;
    let chosen = Chosen::of(flag, text)?;
    let (rows, unknown) = chosen.rows(neighbours.ids());
    if !unknown.is_empty() {
        bail!("{flag}: {} of these are no {axis}s of the model ({}), so nothing is known to be like them", unknown.len(), few(&unknown));
    }
    let similar = format!("similar_{axis}");
    let named = Named { asked: &chosen, all: neighbours.ids(), found: neighbours.ids(), words: [axis, &similar] };
    let wrong = write(&args.ranking, &named, rows.len(), |block| neighbours.nearest(&rows[block], args.ranking.top as usize))?;
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        say!("hogwild: {wrong} similarities are NaN or infinite; the model has numbers too large");
        ExitCode::FAILURE
    })
}
