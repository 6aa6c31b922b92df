//! Eight examples in flight: linear models of short rows, by workers of Hogwild! that take a group at a time.
//!
//! One example alone waits for its sum, then for slope, root and quotient, and the next one waits for the weights that all have, the
//! bias above all. Of eight, all are scored by the weights as they were before the group. The most frequent slots, dense vectors of the
//! worker's own, then take one step: by the sum of the eight gradients, with the squares of all in the state. So there is one root and one
//! quotient for sixteen slots and eight examples. All other slots step as they do one example at a time, sixteen lanes of whichever
//! examples together; of lanes of one slot in a group the last one stands.
use super::{
    Counters, Counts, Engine, Epoch, Follow, Task,
    hogwild::together,
    threads,
    worker::{Asked, last_of},
};
use crate::{
    feed::{DenseMasks, Feed, GROUP, Group, SparseFeed},
    loss::weighted_total,
    models::Linear,
    order::Queue,
    params::{Dense, Finish, PlainLoop, Reads, Replica, Stepping, Weights},
    rules::{Clock, UpdateRule},
    schedule::Moment,
    simd::{Isa, Job, LANES, Line, Quarters, Real, Vector, copy, dispatch},
    transforms::Adjuster,
};
use hogwild_base::{Result, threads::Pool};
use std::sync::atomic::Ordering::Relaxed;

/// How many examples behind a group it is asked where others lie, at most, and what part of the way behind others are asked for. Rows of
/// few nonzeros are through before a line is there from memory: kdd99 takes a fifth more with 32 instead of 240.
const FAR: usize = 240;
const NEARER: usize = 2;

pub(crate) struct Groups<'a, R> {
    feed: &'a SparseFeed<'a>,
    masks: &'a DenseMasks,
    model: &'a Linear,
    task: &'a Task<'a>,
    /// Of one worker on the calling thread, who stops when these say so.
    alone: Option<&'a Counters>,
    rule: R,
    /// None: the one worker is the calling thread.
    pool: Option<Pool>,
    clock: Clock,
}

impl<'a, R: UpdateRule<Memory = ()>> Groups<'a, R> {
    pub fn new(
        (feed, masks): (&'a SparseFeed<'a>, &'a DenseMasks),
        model: &'a Linear,
        task: &'a Task<'a>,
        alone: Option<&'a Counters>,
        rule: R,
    ) -> Result<Self> {
        let pool = if alone.is_some() { None } else { threads::pool(task)? };
        Ok(Groups { feed, masks, model, task, alone, rule, pool, clock: Clock { rate: task.rate, ..Clock::default() } })
    }
}

impl<R: UpdateRule<Memory = ()>> Engine for Groups<'_, R> {
    fn epoch(&mut self, epoch: &Epoch<'_>, follow: &mut Follow<'_>) -> (Counts, u64) {
        let (task, &Groups { feed, masks, model, rule, .. }) = (self.task, &*self);
        let share = |worker: usize, counters: &Counters, asked: Option<Asked<'_>>| {
            dispatch(task.set, Share { feed, masks, model, task, rule, worker, epoch, counters, asked })
        };
        let counts = match self.alone {
            Some(counters) => share(0, counters, Some(Asked::new(follow))),
            None => together(task, self.pool.as_ref(), epoch, follow, &share),
        };
        self.clock = last_of(task, &epoch.start, counts.examples);
        (counts, counts.examples)
    }

    fn finish(&self) -> Finish<'_> {
        Finish::new(&self.rule, self.rule.prepare(&self.clock, &()), None)
    }
}

/// One worker's share of an epoch.
struct Share<'a, 'f, R> {
    feed: &'a SparseFeed<'a>,
    masks: &'a DenseMasks,
    model: &'a Linear,
    task: &'a Task<'a>,
    rule: R,
    worker: usize,
    epoch: &'a Epoch<'a>,
    counters: &'a Counters,
    asked: Option<Asked<'f>>,
}

impl<R: UpdateRule<Memory = ()>> Job for Share<'_, '_, R> {
    type Output = Counts;

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) -> Counts {
        let Share { feed, masks, model, task, rule, worker, epoch, .. } = self;
        let (longest, vectors, loss) = (feed.longest_row(), masks.vectors, task.loss);
        let (weighs, ones) = (Feed::<Linear>::weighs(feed), feed.has_ones());
        let (parameters, reads) = (task.parameters, Reads::of(task.parameters, worker));
        let mut replica = Replica::new(task.set, parameters, worker, rule.averages(), false);
        let blocks = GROUP * longest / LANES + 1;
        let adjuster = Adjuster::new(task.transforms, task.seed, 0);
        let mut weights = Stepping::<_, _, PlainLoop>::new(isa, rule, (), adjuster, parameters, reads, blocks);
        let mut dense = Dense::new(&weights, vectors);
        let mut groups = [Group::with_room(vectors, longest), Group::with_room(vectors, longest)];
        let mut counts = Counts::default();
        let (mut scores, mut labels, mut counting) = (Vec::new(), Vec::new(), Vec::new());
        let reach = FAR + 2 * GROUP;
        let mut queue = Queue::new(epoch.plan, <SparseFeed<'_> as Feed<Linear>>::SHUFFLE, reach);
        let mut first = true;
        loop {
            let n = queue.advance(Feed::<Linear>::chooses(feed).then_some(|p| Feed::<Linear>::keeps(feed, p)));
            if n == 0 {
                break;
            }
            scores.resize(n + GROUP, 0.0);
            labels.resize(n + GROUP, 0.0);
            counting.resize(n + GROUP, 0.0);
            let now = Moment { step: epoch.start.step + self.counters.examples.fetch_add(n as u64, Relaxed), ..epoch.start };
            weights.begin(&Clock { rate: task.schedule.rate(task.rate, &now), step: now.step, steps: now.steps });
            dense.take(&weights);
            // As far as the order is known at least: the block at hand and the next one.
            let far = n.clamp(GROUP, FAR);
            let (positions, known) = queue.positions();
            if first {
                let first_group = [&positions[..n.min(GROUP)], &positions[..GROUP], &positions[GROUP..][..GROUP]];
                feed.read_group(isa, masks, first_group, &mut groups[0], &weights);
                first = false;
            }
            let mut at = 0;
            while at < n {
                let end = n.min(at + GROUP);
                // Behind the last group of a block comes the first of the next.
                let after = if end < n { n } else { known };
                let next = &positions[end..after.min(end + GROUP)];
                let [group, to_read] = &mut groups;
                let mut sums = [I::V::of(0.0); GROUP];
                for d in 0..vectors {
                    let w = dense.weights(d);
                    if ones {
                        for k in 0..GROUP {
                            sums[k] = isa.add_some(sums[k], group.masks[d][k], w);
                        }
                    } else {
                        for k in 0..GROUP {
                            sums[k] = I::V::load(&group.dense[d][k].0).mul_add(w, sums[k]);
                        }
                    }
                }
                for block in 0..group.blocks {
                    let (values, owners) = group.block::<I::U>(block);
                    let terms = weights.gather(block, &group.places[block]) * I::V::load(&values.0);
                    for k in 0..GROUP {
                        sums[k] = isa.add_where(sums[k], owners, k as u32, terms);
                    }
                }
                let [a, b, c, d, e, f, g, h] = sums;
                let (mut z, mut slopes) = (Line([0.0; LANES]), Line([0.0; LANES]));
                let (low, high) = (I::V::sums_of_four([a, b, c, d]), I::V::sums_of_four([e, f, g, h]));
                copy(&low, &mut z.0);
                copy(&high, &mut z.0[4..]);
                let ahead = [next, &positions[end + far / NEARER..][..GROUP], &positions[end + far..][..GROUP]];
                feed.read_group(isa, masks, ahead, to_read, &weights);
                let scored = I::V::of(model.base()) + I::V::load(&z.0);
                let mut slope = loss.slopes_of_eight(scored, I::V::load(&group.labels.0));
                if weighs {
                    slope = slope * I::V::load(&group.weights.0);
                }
                scored.store(&mut z.0);
                let slopes = slope.spilled(&mut slopes);
                for d in 0..vectors {
                    let (mut gradient, mut squares) = (I::V::of(0.0), I::V::of(0.0));
                    if ones {
                        for k in 0..GROUP {
                            let (mask, slope) = (group.masks[d][k], I::V::of(slopes.0[k]));
                            gradient = isa.add_some(gradient, mask, slope);
                            squares = isa.add_square_some(squares, mask, slope);
                        }
                    } else {
                        for k in 0..GROUP {
                            let g = I::V::load(&group.dense[d][k].0) * I::V::of(slopes.0[k]);
                            gradient = gradient + g;
                            squares = g.mul_add(g, squares);
                        }
                    }
                    dense.step(&weights, d, gradient, squares);
                }
                let of_eight = slopes.0.first_chunk().expect("eight of sixteen");
                for block in 0..group.blocks {
                    let (values, owners) = group.block::<I::U>(block);
                    weights.step(block, &group.places[block], isa.pick(of_eight, owners) * I::V::load(&values.0), None);
                }
                // Of examples that are missing the next ones take the place.
                copy(&z.0[..GROUP], &mut scores[at..at + GROUP]);
                copy(&group.labels.0[..GROUP], &mut labels[at..at + GROUP]);
                if weighs {
                    copy(&group.weights.0[..GROUP], &mut counting[at..at + GROUP]);
                }
                counts.nonzeros += group.nonzeros;
                groups.swap(0, 1);
                at = end;
            }
            dense.put(&weights);
            replica.exchange(&|_, _| false);
            let (scores, labels) = (&scores[..n], &labels[..n]);
            let (block, weight) = match weighs {
                true => weighted_total(task.set, loss, scores, labels, &counting[..n]),
                false => (loss.total::<I::V>(scores, labels), n as f64),
            };
            counts.weight += weight;
            counts.loss += block;
            counts.examples += n as u64;
            if !block.is_finite() {
                self.counters.stop.store(true, Relaxed);
            }
            self.asked.iter_mut().for_each(|asked| asked.ask(self.counters));
            if self.counters.stop.load(Relaxed) {
                break;
            }
        }
        replica.finish(&|_, _| false);
        counts
    }
}
