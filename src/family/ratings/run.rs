//! Data and settings become a run of matrix factorization.
use super::{
    parts::Parts,
    sample::RatingsStage,
    score::{Factors, Translated, own_weights, translate},
    tiles::{CellEnds, Tiles, tiles},
};
use crate::{
    classes::check_ratings,
    family::prepared::{Basis, Choices, Prepared, Rate, Search, Stage, WithEngines, check_split},
    model::{Axis, Scored, Tensor, Tensors},
    options::Settings,
};
use hogwild_base::{Result, threads};
use hogwild_data::Ratings;
use hogwild_kernels::{
    ServerRule,
    engine::{FactorKernel, Loops, Task},
    feed::{Normalize, Rating},
    models::Factorization,
    order::{Order, Plan},
    params::{Beside, Finish, Parameters, Shape, TableShape},
    rules::Layout,
    simd::LANES,
};
use std::ops::Range;

/// What a rating of sixteen factors takes, beside a nonzero of a linear model.
const NUMBERS: usize = 5;
/// What rates begin with: the mean squared length of a rating's gradients beside its slope.
const MEAN_SQUARE: f32 = 3.5;
/// Ratings a block, where nothing else is asked for.
const BLOCK: u32 = 4096;

/// Matrix factorization's run on ratings.
pub(crate) struct RatingsRun<'a> {
    parts: Parts<'a>,
    /// Held-out ratings, where there are any.
    held: Option<HeldOut>,
    /// Where no two workers share a row.
    cells: Option<CellEnds>,
    basis: Basis,
}

/// Held-out ratings, and how much each counts; no weights where all count alike.
type HeldOut = (Vec<Translated>, Vec<f32>);

impl<'a> RatingsRun<'a> {
    /// # Errors
    /// Ratings that do not fit the loss, too little memory for them, dictionaries that can't be read, a share held out that leaves nothing.
    pub fn new(
        rule: &'a dyn Loops<FactorKernel>,
        data: &Ratings,
        valid: Option<&Ratings>,
        settings: &'a Settings,
    ) -> Result<RatingsRun<'a>> {
        let &Settings { loss, rank, .. } = settings;
        check_ratings(loss, data)?;
        valid.map_or(Ok(()), |valid| check_ratings(loss, valid))?;
        let (facts, user_ids, item_ids) = (rule.facts(), data.user_ids()?, data.item_ids()?);
        let (users, items) = (data.users(), data.items());
        let Tiles { mut feed, held, held_weights, cells } = tiles(data, settings, facts.quads && settings.quads())?;
        check_split(data.len() as u64, (settings.holdout > 0.0).then_some(held.len() as u64), settings)?;
        let held = if settings.holdout > 0.0 {
            Some((held.iter().map(|r| (r.pair.user, r.pair.item - users as u32, r.value)).collect(), held_weights))
        } else {
            let translated = |valid| Ok((translate(valid, &user_ids, &item_ids, loss)?, own_weights(valid)));
            valid.map(translated).transpose()?
        };
        let nobody = feed.quads.iter().flat_map(|quads| &quads.nobody).map(|rows| rows.len()).sum::<usize>();
        let stride = Parameters::row_stride(&facts.layout, rank);
        feed.set_places(stride);
        let targets = feed.targets;
        let basis = Basis {
            loss: settings.loss,
            facts,
            choices: Choices {
                hot_rows: 0,
                dense_rows: 0,
                exchange_every: settings.block(BLOCK, feed.ratings.len() as u64),
                normalize: Normalize::None,
                window: None,
                parts: cells.as_ref().map(|cells| cells.bands.map_or(cells.ends.len().isqrt(), |bands| bands.blocks)),
                flight: None,
            },
            units: feed.units.as_slice().into(),
            examples: feed.ratings.len() as u64,
            targets,
            shape: Shape {
                workers: settings.workers(),
                beside: if settings.transforms.average.is_some() { Beside::Averages } else { Beside::Nothing },
                ..Shape::of(TableShape::rows(users + items + nobody, rank))
            },
            parts: None,
            numbers: (rank.div_ceil(LANES) * NUMBERS) as f64,
            by_heart: false,
            unit_rows: false,
            classes: None,
            recipe: None,
            axes: vec![Axis { name: "user", ids: user_ids.into() }, Axis { name: "item", ids: item_ids.into() }],
            scaled: None,
            window: None,
        };
        let model = Factorization::new(rank, targets.base, settings.l2 as f32);
        let parts = Parts { rule, settings, layout: facts.layout, users, items, feed, stride, model };
        Ok(RatingsRun { parts, held, cells, basis })
    }
}

impl Prepared for RatingsRun<'_> {
    fn basis(&self) -> &Basis {
        &self.basis
    }

    fn start(&self, parameters: &Parameters) {
        self.parts.start(parameters);
    }

    fn with_engines(&self, tasks: &[Task<'_>], run: &mut WithEngines<'_>) -> Result<()> {
        let Parts { rule, feed, model, .. } = &self.parts;
        run(tasks.iter().map(|task| rule.engine(feed, model, task, None)).collect::<Result<_>>()?)
    }

    fn summing(&self, task: &Task<'_>) -> Option<Layout> {
        self.parts.rule.summing(&self.parts.feed, task)
    }

    fn server_rule(&self) -> ServerRule<'_> {
        self.parts.rule.server_rule()
    }

    fn tensors(&self, parameters: &Parameters, finish: &Finish<'_>) -> Tensors {
        let (targets, parts) = (&self.basis.targets, &self.parts);
        let (rank, users, items) = (parts.settings.rank, 0..parts.users, parts.users..parts.users + parts.items);
        let biases = |name, rows: Range<usize>| {
            let shape = vec![rows.len()];
            Tensor { name, shape, numbers: rows.map(|row| targets.scale * parameters.table(0).beside(row, finish)).collect() }
        };
        // The product of two is in the unit of the ratings.
        let root = targets.scale.sqrt();
        let factors = |name, rows: Range<usize>| {
            let shape = vec![rows.len(), rank];
            Tensor { name, shape, numbers: parameters.table(0).weights(rows, finish).map(|w| root * w).collect() }
        };
        Tensors(vec![
            Tensor { name: "mean", shape: vec![1], numbers: vec![targets.bias(targets.base)] },
            biases("user_bias", users.clone()),
            factors("user_factor", users),
            biases("item_bias", items.clone()),
            factors("item_factor", items),
        ])
    }

    fn score_held_out(&self, model: &Tensors) -> Option<Scored> {
        self.held.as_ref().map(|(held, weights)| Scored { weights: weights.clone(), ..Factors::new(model).score_all(held) })
    }

    fn losses(&self, model: &Tensors) -> Vec<f32> {
        let (model, targets, loss) = (Factors::new(model), &self.basis.targets, self.parts.settings.loss);
        let of = |rating: &Rating| {
            let (user, item) = (self.parts.row(rating.pair.user), self.parts.row(rating.pair.item));
            loss.value(targets.standard(model.score(user, item - self.parts.users)), rating.value)
        };
        let ratings = &self.parts.feed.ratings;
        threads::map(ratings.len(), |i| of(&ratings[i]))
    }

    fn plan(&self, admitted: Vec<bool>, order: Order, block: u32, seed: u64, epoch: usize) -> Plan {
        let units = &self.basis.units;
        match &self.cells {
            Some(CellEnds { ends, bands: Some(bands) }) => Plan::of_bands(units.to_vec(), (ends, *bands), block, seed, epoch),
            Some(CellEnds { ends, bands: None }) => Plan::of_cells(units.to_vec(), ends, admitted, block, seed, epoch),
            None => Plan::new(units, admitted, order, block, seed, epoch),
        }
    }

    fn rate(&self, _largest: u64) -> Result<Rate<'_>> {
        Ok(Rate::Searched(Box::new(self)))
    }
}

impl Search for &RatingsRun<'_> {
    fn first_rate(&self) -> f32 {
        self.parts.rule.default_rate(MEAN_SQUARE)
    }

    fn stage(&self, size: (u64, usize)) -> Box<dyn Stage + '_> {
        Box::new(RatingsStage::new(&self.parts, size))
    }
}
