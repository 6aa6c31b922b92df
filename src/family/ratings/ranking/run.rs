//! Data and settings become a run of ranking by implicit feedback.
use super::{
    evaluate::{Numbering, vectors},
    interactions::{Interactions, interactions},
};
use crate::{
    family::{
        prepared::{Basis, Choices, Prepared, Rate, WithEngines, check_split},
        ratings::Factors,
    },
    model::{Axis, ByUser, CUTOFF, Scored, Tensor, Tensors, ranking_metrics},
    options::Settings,
};
use hogwild_base::{Error, Result, threads};
use hogwild_data::Ratings;
use hogwild_kernels::{
    ServerRule,
    engine::{Loops, RankingKernel, Task},
    feed::{InteractionFeed, Negatives, Normalize},
    loss::{Loss, Taken},
    models::{Ranking, RankingLoss},
    params::{Beside, Finish, Parameters, Shape, TableShape},
    rules::Layout,
    seeds::Stream,
    simd::LANES,
    targets::Targets,
};
use rand::{RngExt, seq::SliceRandom};
use std::ops::Range;

/// What a row of sixteen factors takes, beside a nonzero of a linear model.
const NUMBERS: usize = 3;
/// Interactions a block, where nothing else is asked for.
const BLOCK: u32 = 4096;
/// The standard deviation of factors at the start.
const START: f32 = 0.1;
/// Users whose lists are judged after an epoch, at most: drawn by lot, the same in all epochs.
const JUDGED: usize = 8192;

/// A run of ranking by implicit feedback.
pub(crate) struct RankingRun<'a> {
    rule: &'a dyn Loops<RankingKernel>,
    settings: &'a Settings,
    loss: RankingLoss,
    feed: InteractionFeed,
    model: Ranking,
    seen: ByUser,
    /// Held-out interactions by user, where there are any, and how many users and items of them are not known.
    held: Option<(ByUser, u64)>,
    /// The rate, where none is given.
    rate: f32,
    basis: Basis,
}

impl<'a> RankingRun<'a> {
    /// `rate`: of the default rule, where none is given.
    ///
    /// # Errors
    /// Rows that are no interactions, too little memory for them, dictionaries that can't be read, a share held out that leaves nothing.
    pub fn new(
        (loss, negatives, rate): (RankingLoss, usize, f32),
        rule: &'a dyn Loops<RankingKernel>,
        data: &Ratings,
        valid: Option<&Ratings>,
        settings: &'a Settings,
    ) -> Result<RankingRun<'a>> {
        let (facts, user_ids, item_ids) = (rule.facts(), data.user_ids()?, data.item_ids()?);
        let (users, items, rank) = (data.users(), data.items(), settings.rank);
        let Interactions { pairs, weights, units, seen, counts, held } = interactions(data, settings)?;
        check_split(data.len() as u64, (settings.holdout > 0.0).then_some(held.len() as u64), settings)?;
        let held = if settings.holdout > 0.0 {
            Some((held, 0))
        } else {
            let numbered = valid.map(|valid| Numbering::new(&user_ids, &item_ids).held_out(valid)).transpose()?;
            numbered.map(|of| (of.pairs, of.unknown_users + of.unknown_items))
        };
        if let (Some(valid), Some((pairs, _))) = (valid, &held)
            && pairs.iter().all(|&(user, item)| seen.has(user as usize, item))
        {
            let problem = "has no item to be found: none that its user has not in the training data";
            let remedy = "give interactions that were not trained on, with values above 0";
            return Err(Error::BadFile { path: valid.name().to_owned(), problem: problem.into(), remedy });
        }
        let held = held.map(|(pairs, unknown)| (judged(pairs, settings.seed), unknown));
        let negatives = settings.negatives.unwrap_or(negatives);
        let sampler = Negatives::new(negatives, seen.lists(), &counts, settings.negative_power);
        // Of the others none estimates a sum over all items, which would be wrong by items drawn more often.
        let sampler = if loss == RankingLoss::SampledSoftmax { sampler } else { sampler.without_corrections() };
        let stride = Parameters::row_stride(&facts.layout, rank);
        let is_pairwise = loss == RankingLoss::Bpr;
        let basis = Basis {
            loss: if is_pairwise { Loss::Logistic } else { Loss::AS_GIVEN },
            facts,
            choices: Choices {
                hot_rows: 0,
                dense_rows: 0,
                exchange_every: settings.block(BLOCK, pairs.len() as u64),
                normalize: Normalize::None,
                window: None,
                parts: None,
                flight: None,
            },
            units: units.as_slice().into(),
            examples: pairs.len() as u64,
            targets: Targets::plain(Taken::Nothing).with_constant(loss.constant(negatives, items)),
            shape: Shape {
                workers: settings.workers(),
                beside: if settings.transforms.average.is_some() { Beside::Averages } else { Beside::Nothing },
                ..Shape::of(TableShape::rows(users + items, rank))
            },
            parts: None,
            numbers: (rank.div_ceil(LANES) * NUMBERS * (2 + negatives)) as f64,
            by_heart: false,
            unit_rows: false,
            classes: None,
            recipe: None,
            axes: vec![Axis { name: "user", ids: user_ids.into() }, Axis { name: "item", ids: item_ids.into() }],
            scaled: None,
            window: None,
        };
        let rate = if facts.layout.rowwise { rate } else { rule.default_rate(rank as f32 * START * START) };
        let rate = if settings.sums_batches() { rate * settings.batch.rate_factor() } else { rate };
        let feed =
            InteractionFeed { pairs, weights, units, negatives: sampler, users: users as u32, stride, label: is_pairwise as u8 as f32 };
        let model = Ranking::new(loss, rank, settings.l2 as f32, negatives, items);
        Ok(RankingRun { rule, settings, loss, feed, model, seen, held, rate, basis })
    }

    fn users(&self) -> usize {
        self.feed.users as usize
    }

    fn items(&self) -> usize {
        self.basis.shape.tables[0].slots - self.users()
    }
}

/// Held-out interactions by user, of no more users than are judged.
fn judged(mut pairs: Vec<(u32, u32)>, seed: u64) -> ByUser {
    let users = pairs.iter().map(|&(user, _)| user as usize + 1).max().unwrap_or(0);
    let mut who: Vec<u32> = pairs.iter().map(|&(user, _)| user).collect();
    who.sort_unstable();
    who.dedup();
    if who.len() > JUDGED {
        who.shuffle(&mut Stream::Judges.random(seed));
        who.truncate(JUDGED);
        who.sort_unstable();
        pairs.retain(|(user, _)| who.binary_search(user).is_ok());
    }
    ByUser::new(users, &pairs)
}

impl Prepared for RankingRun<'_> {
    fn basis(&self) -> &Basis {
        &self.basis
    }

    /// Factors start small and random: normal, by Box and Muller.
    fn start(&self, parameters: &Parameters) {
        let mut random = Stream::Start.random(self.settings.seed);
        parameters.table(0).set_weights(|| {
            let (u, v) = (1.0 - random.random::<f32>(), random.random::<f32>());
            START * (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
        });
    }

    fn with_engines(&self, tasks: &[Task<'_>], run: &mut WithEngines<'_>) -> Result<()> {
        run(tasks.iter().map(|task| self.rule.engine(&self.feed, &self.model, task, None)).collect::<Result<_>>()?)
    }

    fn summing(&self, task: &Task<'_>) -> Option<Layout> {
        self.rule.summing(&self.feed, task)
    }

    fn server_rule(&self) -> ServerRule<'_> {
        self.rule.server_rule()
    }

    fn tensors(&self, parameters: &Parameters, finish: &Finish<'_>) -> Tensors {
        let (rank, table) = (self.settings.rank, parameters.table(0));
        let (users, items) = (0..self.users(), self.users()..self.users() + self.items());
        let factors =
            |name, rows: Range<usize>| Tensor { name, shape: vec![rows.len(), rank], numbers: table.weights(rows, finish).collect() };
        let biases: Vec<f32> = items.clone().map(|row| table.beside(row, finish)).collect();
        Tensors(vec![
            Tensor { name: "mean", shape: vec![1], numbers: vec![0.0] },
            Tensor { name: "user_bias", shape: vec![users.len()], numbers: vec![0.0; users.len()] },
            factors("user_factor", users),
            Tensor { name: "item_bias", shape: vec![items.len()], numbers: biases },
            factors("item_factor", items),
        ])
    }

    fn score_held_out(&self, model: &Tensors) -> Option<Scored> {
        let (held, unknown) = self.held.as_ref()?;
        let ranking = ranking_metrics(&vectors(&Factors::new(model)), &self.seen, held, CUTOFF);
        Some(Scored { ranking: Some(ranking), unknown: *unknown, ..Scored::default() })
    }

    /// By negatives that are the same each time.
    fn losses(&self, model: &Tensors) -> Vec<f32> {
        let (factors, feed) = (Factors::new(model), &self.feed);
        threads::map(feed.pairs.len(), |position| {
            let [user, item] = feed.pairs[position];
            let mut items = vec![item];
            feed.negatives.draw(user, position as u64, &mut items);
            let mut scores: Vec<f32> = items.iter().map(|&item| factors.score(user as usize, item as usize)).collect();
            let corrections = feed.negatives.corrections();
            let of_negatives = scores.iter_mut().zip(&items).skip(1);
            of_negatives.for_each(|(score, &item)| *score -= corrections.get(item as usize).copied().unwrap_or(0.0));
            self.loss.slopes(&mut scores, self.items())
        })
    }

    /// None is searched: which rate ranks best is not seen by the losses of a sample, and sums of squares fit steps to rows anyway.
    fn rate(&self, _largest: u64) -> Result<Rate<'_>> {
        Ok(Rate::Known(self.rate))
    }
}
