//! Four ratings in flight: one worker goes through a cell of the ratings group by group.
//!
//! The feed has cut each unit into groups beforehand: those of four ratings without a common row, then, where rows repeat too often, some
//! of three, two and one, whose other lanes train rows of nobody. [`Strata`](super::Strata) gives out the cells, so that no row is in two
//! hands.
use super::{Counts, Engine, Epoch, Follow, Task, worker::last_of};
use crate::{
    feed::{Quads, Rating, RatingFeed},
    models::{Factorization, Pair, Quad, Scored, Width},
    params::{Finish, quads::QuadRows},
    rules::{AdagradRowwise, Clock, Layout, UpdateRule},
    schedule::Moment,
    simd::{Isa, Job, Quarters, copy, dispatch, pairs},
    strata::Turn,
};
use std::ops::Range;

/// Groups between two looks at the rate, and at whether to stop: 256 ratings, as everywhere.
const BLOCK: usize = 64;

/// One worker, which takes the cells that it is given.
pub(crate) struct InFlight<'a, W: Width> {
    feed: &'a RatingFeed,
    quads: &'a Quads,
    model: Factorization<W>,
    task: &'a Task<'a>,
    rule: AdagradRowwise,
    rows: QuadRows<'a, W>,
    /// Scores and targets of a block, by group.
    scores: Vec<[f32; 4]>,
    targets: Vec<[f32; 4]>,
    clock: Clock,
}

impl<'a, W: Width> InFlight<'a, W> {
    pub fn new(feed: &'a RatingFeed, quads: &'a Quads, model: Factorization<W>, task: &'a Task<'a>, rule: AdagradRowwise) -> Self {
        let rows = QuadRows::new(task.parameters, &Layout::of(&rule));
        let room = || vec![[0.0; 4]; BLOCK];
        let clock = Clock { rate: task.rate, ..Clock::default() };
        InFlight { feed, quads, model, task, rule, rows, scores: room(), targets: room(), clock }
    }
}

impl<W: Width> Engine for InFlight<'_, W> {
    /// A turn's part of an epoch.
    fn epoch(&mut self, epoch: &Epoch<'_>, follow: &mut Follow<'_>) -> (Counts, u64) {
        let counts = epoch.plan.turns.iter().fold(Counts::default(), |sum, turn| {
            let start = Moment { step: epoch.start.step + sum.examples, ..epoch.start };
            let Task { set, .. } = *self.task;
            sum + dispatch(set, Cell { worker: self, turn, start, number: epoch.number, follow })
        });
        if counts.examples > 0 {
            self.clock = last_of(self.task, &epoch.start, counts.examples);
        }
        (counts, counts.examples)
    }

    fn finish(&self) -> Finish<'_> {
        Finish::new(&self.rule, self.rule.prepare(&self.clock, &()), None)
    }
}

/// A cell's turn.
struct Cell<'a, 'w, 'f, W: Width> {
    worker: &'a mut InFlight<'w, W>,
    turn: &'a Turn,
    start: Moment,
    /// Of the epoch, from 1.
    number: usize,
    follow: &'a mut Follow<'f>,
}

impl<W: Width> Job for Cell<'_, '_, '_, W> {
    type Output = Counts;
    /// Without a vector type rows go by the loop of any width: what is in registers elsewhere lies in memory anyway.
    const PORTABLE: bool = W::VECTORS == 0;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> Counts {
        let Cell { worker, turn, start, number, follow } = self;
        let InFlight { feed, quads, model, task, rule, rows, scores, targets, .. } = worker;
        let nobody = quads.nobody[turn.blocks[1 - quads.fine]].clone();
        for side in 0..2 {
            if turn.before[side] == 0 {
                rows.prepare(isa, quads.blocks[side][turn.blocks[side]].clone(), number == 1);
            }
        }
        if turn.before[1 - quads.fine] == 0 {
            rows.prepare(isa, nobody.clone(), number == 1);
        }
        let (constants, mut scored) = (model.constants::<I::V>(), Scored::<W, I::V>::room());
        let (n, loss) = (rows.vectors(), task.loss);
        let mut counts = Counts::default();
        for unit in turn.units.clone() {
            let mut ratings = &feed.ratings[feed.units[unit].start as usize..feed.units[unit].end as usize];
            for (size, mut groups) in pairs([4, 3, 2, 1], quads.sizes[unit]) {
                // Nobody rates as the first does: losses take only labels.
                let label = ratings.first().map_or(0.0, |rating| rating.value);
                let mut group_room = nobodies(&nobody, n as u32 + 1, label);
                while groups > 0 {
                    let block = (groups as usize).min(BLOCK);
                    groups -= block as u32;
                    let (of_block, rest) = ratings.split_at(block * size);
                    ratings = rest;
                    let rate = task.schedule.rate(task.rate, &Moment { step: start.step + counts.examples, ..start });
                    for (group, (score, target)) in pairs(of_block.chunks_exact(size), pairs(&mut scores[..], &mut targets[..])) {
                        let [a, b, c, d] = match group.first_chunk::<4>() {
                            Some(group) => group,
                            None => {
                                copy(group, &mut group_room);
                                &group_room
                            }
                        };
                        let quad = Quad {
                            users: [rows.row(a.pair.user), rows.row(b.pair.user), rows.row(c.pair.user), rows.row(d.pair.user)],
                            items: [rows.row(a.pair.item), rows.row(b.pair.item), rows.row(c.pair.item), rows.row(d.pair.item)],
                        };
                        let z = model.score_quad(isa, &quad, n, &constants, &mut scored);
                        let y = [a.value, b.value, c.value, d.value];
                        (*score, *target) = (z.firsts(), y);
                        model.step_quad(isa, &quad, n, &constants, &scored, loss.slopes(z, I::V::spread(y)), (rule, rate));
                    }
                    let (scores, targets) = (close(&mut scores[..block], size), close(&mut targets[..block], size));
                    let sum = loss.total::<I::V>(scores, targets);
                    let done = (block * size) as u64;
                    counts = counts + Counts { examples: done, nonzeros: done, loss: sum, weight: done as f64 };
                    if !sum.is_finite() || follow(counts.examples) {
                        return counts;
                    }
                }
            }
        }
        counts
    }
}

/// Four ratings of nobody, who has the rows at these places, so many vectors apart.
fn nobodies(places: &Range<u32>, stride: u32, value: f32) -> [Rating; 4] {
    std::array::from_fn(|i| {
        let user = places.start + 2 * i as u32 * stride;
        Rating { pair: Pair { user, item: user + stride }, value }
    })
}

/// The first `size` numbers of each four, without a gap.
fn close(fours: &mut [[f32; 4]], size: usize) -> &[f32] {
    let groups = fours.len();
    let numbers = fours.as_flattened_mut();
    for group in (1..groups).filter(|_| size < 4) {
        numbers.copy_within(4 * group..4 * group + size, group * size);
    }
    &numbers[..groups * size]
}
