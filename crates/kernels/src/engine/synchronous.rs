//! Batches, mini-batches: the synchronous way through an epoch, which gives the same bits on any number of threads.
//!
//! Each batch is cut into shards by its size and the model's alone. Shards are scored and their gradients summed in parallel, all at
//! the same parameters, and their sums added two by two (see [`Gradients`]); then the rows that were touched, some to a task, take one
//! step each by the mean.
use super::{
    Counters, Counts, Engine, Epoch, Follow, Task,
    hogwild::follow,
    threads,
    worker::{Asked, drawn_by},
};
use crate::{
    batch::Batch,
    feed::Feed,
    loss::weighted_total,
    models::Model,
    order::{Plan, Queue},
    params::{Finish, Gradients, Merge, SlotWidth, Step, Summing},
    rules::{Clock, UpdateRule},
    schedule::Moment,
    simd::{InstructionSet, Isa, Job, dispatch},
    transforms::Adjuster,
};
use crossbeam_channel::unbounded;
use hogwild_base::{
    Result,
    threads::{Pool, join, map, with},
};
use std::sync::{Arc, atomic::Ordering::Relaxed};

/// Examples that make a shard: with fewer, adding sums that have few rows in common takes longer than another thread saves (imdb_2gram in
/// batches of 2,048: eight shards took twice as long as one).
const LEAST: usize = 1024;
/// Shards of a batch, likewise.
const MOST: usize = 8;
/// The most numbers in all shards' sums (256 MB), but that there is always one shard.
const ROOM: usize = 1 << 26;
/// Slots of one weight that are stepped by one task.
const SINGLES: usize = 8192;
/// The same of slots of many.
const ROWS: usize = 256;

/// What stays from batch to batch.
pub(super) struct Synchronous<'a, F, M: Model, R: UpdateRule> {
    feed: &'a F,
    model: &'a M,
    task: &'a Task<'a>,
    rule: R,
    /// None: the calling thread does all of it.
    pool: Option<Arc<Pool>>,
    shards: Vec<Shard<M::Example>>,
    memory: R::Memory,
    /// Of the step to come; rules count batches. Its rate is the last step's.
    clock: Clock,
}

/// A shard's own room.
struct Shard<E> {
    sums: Gradients,
    example: E,
    /// The shard's scores with their labels.
    scores: Vec<f32>,
    labels: Vec<f32>,
    /// How much each counts, where all do not count alike.
    counting: Vec<f32>,
}

impl<'a, F: Feed<M>, M: Model<Example: Send + Sync>, R: UpdateRule> Synchronous<'a, F, M, R> {
    /// # Errors
    /// When there is too little memory, or the system refuses threads.
    pub fn new(feed: &'a F, model: &'a M, task: &'a Task<'a>, rule: R) -> Result<Self> {
        let sizes = || (0..task.admitted.len()).map(|epoch| task.batch.size(task.batch_growth, epoch, task.examples));
        let batches = |(size, &admitted): (usize, &u64)| admitted.div_ceil(size as u64);
        let most = ROOM / Gradients::cells(&task.parameters.shape).max(1);
        let shards = sizes().max().unwrap_or(1).div_ceil(LEAST).min(most.min(MOST)).max(1);
        let shard = |_| {
            let sums = Gradients::new(&task.parameters.shape, task.transforms.l1 > 0.0)?;
            Ok(Shard { sums, example: feed.room(0), scores: Vec::new(), labels: Vec::new(), counting: Vec::new() })
        };
        Ok(Synchronous {
            feed,
            model,
            task,
            rule,
            pool: threads::pool(task)?.map(Arc::new),
            shards: (0..shards).map(shard).collect::<Result<_>>()?,
            memory: R::Memory::default(),
            clock: Clock { rate: task.rate, step: 1, steps: sizes().zip(task.admitted).map(batches).sum() },
        })
    }

    /// The positions of an epoch, in the plan's order. All examples at once are taken as they lie.
    fn order(&self, plan: &Plan) -> Vec<u32> {
        let (task, keeps) = (self.task, |position| self.feed.keeps(position));
        if task.batch == Batch::Full {
            let admitted = |&position: &u32| keeps(position) && plan.admits(position);
            return task.units.iter().cloned().flatten().filter(admitted).collect();
        }
        // Nothing is gained by neighbours here, and a batch is to be another in every epoch.
        let mut queue = Queue::new(plan, true, 0);
        let mut order = Vec::with_capacity(task.examples as usize);
        loop {
            match queue.advance(self.feed.chooses().then_some(keeps)) {
                0 => return order,
                n => order.extend_from_slice(&queue.positions().0[..n]),
            }
        }
    }

    /// Steps by the mean gradient of the examples at these positions.
    fn step(&mut self, positions: &[u32]) -> Counts {
        let &mut Synchronous { feed, model, task, rule, ref mut shards, ref mut memory, ref clock, .. } = self;
        let (set, parameters, examples) = (task.set, task.parameters, positions.len());
        let size = examples.div_ceil(examples.div_ceil(LEAST).min(shards.len()).max(1));
        let shards = &mut shards[..examples.div_ceil(size)];
        let of = &*memory;
        let add = |shard: &mut Shard<M::Example>, positions: &[u32]| {
            dispatch(set, Sum { feed, model, task, rule, memory: of, clock, shard, positions })
        };
        let counts = sum(set, size, shards, positions, &add);
        let sums = &shards[0].sums;
        // Each task but a table's last has whole vectors: no two write to the slot for empty lanes.
        let tasks = sums.touched().enumerate().flat_map(|(table, slots)| {
            let size = match task.parameters.shape.tables[table].width {
                SlotWidth::One => SINGLES,
                SlotWidth::Row(_) | SlotWidth::FeatureRow { .. } => ROWS,
            };
            slots.chunks(size).map(move |slots| (table, slots))
        });
        let step = |number, (table, slots)| {
            let adjuster = Adjuster::new(task.transforms, task.seed, (clock.step << 24) + number as u64);
            dispatch(set, Step { rule, memory: of, clock, adjuster, parameters, sums, table, slots, examples })
        };
        let observed = each(&tasks.collect::<Vec<_>>(), &step);
        if rule.learns() {
            rule.learn(memory, observed);
        }
        counts
    }

    /// Steps through an epoch's positions.
    fn steps(&mut self, order: &[u32], size: usize, start: Moment, counters: &Counters, mut asked: Option<Asked<'_>>) -> Counts {
        let mut counts = Counts::default();
        let task = self.task;
        for positions in order.chunks(size) {
            // Schedules count examples: they go by how far the run is.
            let now = Moment { step: start.step + counts.examples, ..start };
            self.clock.rate = task.schedule.rate(task.rate, &now);
            counts = counts + self.step(positions);
            self.clock.step += 1;
            counters.examples.store(counts.examples, Relaxed);
            asked.iter_mut().for_each(|asked| asked.ask(counters));
            if !counts.loss.is_finite() || counters.stop.load(Relaxed) {
                break;
            }
        }
        counts
    }
}

impl<F: Feed<M>, M: Model<Example: Send + Sync>, R: UpdateRule> Engine for Synchronous<'_, F, M, R> {
    fn epoch(&mut self, epoch: &Epoch<'_>, follower: &mut Follow<'_>) -> (Counts, u64) {
        let (task, before) = (self.task, self.clock.step);
        let (counters, (done, over)) = (Counters::begun(follower), unbounded());
        let mut counts = Counts::default();
        let noise = drawn_by(task, &epoch.start);
        self.shards.iter_mut().for_each(|shard| shard.example = self.feed.room(noise));
        let size = task.batch.size(task.batch_growth, epoch.number - 1, task.examples);
        let pool = self.pool.clone();
        match pool.as_deref().and_then(Pool::threads) {
            // Nor are those of the call: a run uses the threads it says.
            None => counts = with(1, || self.steps(&self.order(epoch.plan), size, epoch.start, &counters, Some(Asked::new(follower)))),
            Some(threads) => threads.in_place_scope(|scope| {
                scope.spawn(|_| {
                    let done = done; // the channel is closed when this has ended, in whatever way
                    counts = self.steps(&self.order(epoch.plan), size, epoch.start, &counters, None);
                    let _ = done.send(());
                });
                follow(1, &over, &counters, follower);
            }),
        }
        (counts, self.clock.step - before)
    }

    fn finish(&self) -> Finish<'_> {
        Finish::new(&self.rule, self.rule.prepare(&self.clock, &self.memory), self.task.transforms.scale_of_average(&self.clock))
    }
}

/// What adds the gradients of the examples at some positions to a shard's sums.
type Add<'a, E> = dyn Fn(&mut Shard<E>, &[u32]) -> Counts + Sync + 'a;

/// Sums the gradients of the examples at these positions, `size` a shard, into the first of the shards: each half by itself, then both.
fn sum<E: Send>(set: InstructionSet, size: usize, shards: &mut [Shard<E>], positions: &[u32], add: &Add<'_, E>) -> Counts {
    if let [shard] = shards {
        return add(shard, positions);
    }
    let (a, b) = shards.split_at_mut(shards.len() / 2);
    let (first, rest) = positions.split_at(a.len() * size);
    let (one, two) = join(|| sum(set, size, a, first, add), || sum(set, size, b, rest, add));
    dispatch(set, Merge { into: &mut a[0].sums, from: &b[0].sums });
    one + two
}

/// A table with some of its touched slots.
type Slots<'r> = (usize, &'r [u32]);

/// Does each task, by its number and slots, and adds what their steps have observed, in their order.
fn each<'r>(tasks: &[Slots<'r>], step: &(dyn Fn(usize, Slots<'r>) -> [f32; 2] + Sync)) -> [f32; 2] {
    let observed = map(tasks.len(), |task| step(task, tasks[task]));
    observed.into_iter().fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d])
}

/// A shard's part of a batch.
struct Sum<'a, F, M: Model, R: UpdateRule> {
    feed: &'a F,
    model: &'a M,
    task: &'a Task<'a>,
    rule: R,
    memory: &'a R::Memory,
    clock: &'a Clock,
    shard: &'a mut Shard<M::Example>,
    positions: &'a [u32],
}

impl<F: Feed<M>, M: Model, R: UpdateRule> Job for Sum<'_, F, M, R> {
    type Output = Counts;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> Counts {
        let Sum { feed, model, task, positions, .. } = self;
        let (loss, transforms) = (task.loss, &task.transforms);
        let Shard { sums, example, scores, labels, counting } = self.shard;
        let weighs = feed.weighs();
        counting.clear();
        let mut weights = Summing::new(isa, self.rule, self.memory, self.clock, task.parameters, sums);
        let (mut scratch, ahead) = (model.scratch(feed.longest()), feed.fetched());
        let mut nonzeros = 0;
        scores.resize(positions.len(), 0.0);
        labels.resize(positions.len(), 0.0);
        for i in 0..positions.len() {
            let label = feed.read(isa, positions[i], example, &weights);
            if let Some(&far) = positions.get(i + 2 * ahead) {
                feed.prefetch_place(isa, far);
                feed.prefetch_example(isa, positions[i + ahead], &weights);
            }
            let score = model.score(example, &mut weights, &mut scratch);
            (scores[i], labels[i]) = (score, label);
            nonzeros += feed.size(example);
            let mut slope = loss.slope(score, label);
            if weighs {
                let weight = feed.weight(positions[i], label);
                slope *= weight;
                counting.push(weight);
            }
            if transforms.clip_norm.is_some() {
                slope = transforms.clipped(slope, model.gradient_square(example, &scratch));
            }
            model.backward(example, slope, &mut weights, &mut scratch);
        }
        let (loss, weight) = match weighs {
            true => weighted_total(task.set, loss, scores, labels, counting),
            false => (loss.total::<I::V>(scores, labels), positions.len() as f64),
        };
        Counts { examples: positions.len() as u64, nonzeros, loss, weight }
    }
}
