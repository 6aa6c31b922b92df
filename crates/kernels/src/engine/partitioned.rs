//! Workers that own parts of the parameters (Abadi et al. 2015, section 3: each operation where its parameters lie, Send and Receive between).
//!
//! Features are dealt out to parts, and each part's worker has its share of every row, in memory of its own. All workers go through the same
//! order of examples. Nobody writes another's slots: no update is lost, no line of parameters passes between cores. The same bits come of it
//! on any number of threads; where there are fewer of them than parts, some take turns.
use super::{
    Counters, Counts, Engine, Epoch, Follow, Task,
    flow::{Flight, Flow},
    hogwild::follow,
    messages::Messages,
    threads,
    worker::{Asked, last_of},
};
use crate::{
    feed::{Feed, Part, ScaledFeed},
    models::Linear,
    params::{Finish, Parts, Transforming},
    rules::{Clock, Layout, UpdateRule},
    simd::dispatch,
};
use crossbeam_channel::unbounded;
use hogwild_base::{Result, threads::Pool};
use std::{marker::PhantomData, ops::Add, sync::atomic::Ordering::Relaxed, thread};

/// How parameters are in parts, and examples in flight between them.
#[derive(Clone, Copy, Debug)]
pub struct Pipeline {
    /// Where slots lie.
    pub parts: Parts,
    /// Examples that are scored, and then step, together.
    pub batch: usize,
    /// Batches that are scored when the oldest of them steps.
    pub in_flight: usize,
}

pub(super) struct Partitioned<'a, 'd, R, A> {
    transforming: PhantomData<A>,
    task: &'a Task<'a>,
    feed: &'a ScaledFeed<'d>,
    rule: R,
    model: Linear,
    laid: Parts,
    /// By thread: its parts.
    hands: Vec<Vec<Part>>,
    flight: Flight,
    messages: Messages,
    /// None: all parts take turns on the calling thread.
    pool: Option<Pool>,
    clock: Clock,
}

impl<'a, 'd, R: UpdateRule, A> Partitioned<'a, 'd, R, A> {
    /// # Errors
    /// When there is too little memory, or the system refuses threads.
    pub fn new(feed: &'a ScaledFeed<'d>, model: &Linear, task: &'a Task<'a>, pipeline: &Pipeline, rule: R) -> Result<Self> {
        let Pipeline { parts, batch, in_flight } = *pipeline;
        // No more than there are, or memory would go by what was asked for.
        let batch = batch.min(task.examples.max(1) as usize);
        let examples = batch.saturating_mul(in_flight).min((task.examples as usize).next_multiple_of(batch).max(batch));
        let hands = Part::deal(feed, &parts, task.threads.min(parts.count), Layout::of(&rule).stride())?;
        Ok(Partitioned {
            transforming: PhantomData,
            task,
            feed,
            rule,
            model: model.laid(&parts),
            laid: parts,
            hands,
            flight: Flight { batch, examples },
            messages: Messages::new(parts.count, examples)?,
            pool: threads::pool(task)?,
            clock: Clock { rate: task.rate, ..Clock::default() },
        })
    }
}

impl<R: UpdateRule, A: Transforming> Engine for Partitioned<'_, '_, R, A> {
    fn epoch(&mut self, epoch: &Epoch<'_>, follower: &mut Follow<'_>) -> (Counts, u64) {
        self.messages.begin(self.task.examples);
        let counters = &Counters::begun(follower);
        let this = &*self;
        let keeps = |position| Feed::<Linear>::keeps(this.feed, position);
        let weight = |position, target| Feed::<Linear>::weight(this.feed, position, target);
        let share = |worker: usize, asked: Option<Asked<'_>>| {
            let Some(parts) = this.hands.get(worker) else {
                return Counts::default();
            };
            let flow = Flow {
                parts,
                model: &this.model,
                task: this.task,
                rule: this.rule,
                flight: this.flight,
                messages: &this.messages,
                laid: &this.laid,
                epoch: epoch.number,
                start: epoch.start,
                plan: &epoch.plan.again(),
                keeps: Feed::<Linear>::chooses(this.feed).then_some(&keeps),
                weight: Feed::<Linear>::weighs(this.feed).then_some(&weight),
                counters,
                leads: worker == 0,
                asked,
                transforming: PhantomData::<A>,
            };
            let _stops = Stops(counters);
            dispatch(this.task.set, flow)
        };
        let counts = match this.pool.as_ref().and_then(Pool::threads) {
            None => share(0, Some(Asked::new(follower))),
            Some(pool) => {
                let (done, over) = unbounded();
                let all = pool.in_place_scope(|scope| {
                    // The channel is closed when the last worker has ended, in whatever way.
                    scope.spawn_broadcast(move |_, context| {
                        let worker = context.index();
                        let _ = done.send(share(worker, None)); // the other end waits for it
                    });
                    follow(this.task.threads, &over, counters, follower)
                });
                all.into_iter().fold(Counts::default(), Counts::add)
            }
        };
        self.clock = last_of(self.task, &epoch.start, counts.examples);
        (counts, counts.examples)
    }

    fn finish(&self) -> Finish<'_> {
        let step = self.rule.prepare(&self.clock, &R::Memory::default());
        Finish::new(&self.rule, step, self.task.transforms.scale_of_average(&self.clock))
    }
}

/// Stops the others when a worker panics, as they would wait for it.
pub(super) struct Stops<'a>(pub &'a Counters);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop.store(true, Relaxed);
        }
    }
}
