//! Hogwild! (Niu, Recht, Ré & Wright 2011): workers that wait for nobody, a step an example.
use super::{
    Counters, Counts, Engine, Epoch, Follow, LOOK, Task, threads,
    worker::{Asked, Share, last_of},
};
use crate::{
    feed::Feed,
    models::Model,
    params::{Finish, Transforming},
    rules::{Clock, UpdateRule},
    simd::dispatch,
    transforms::Adjuster,
};
use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use hogwild_base::{Result, threads::Pool};
use std::{
    borrow::Cow,
    marker::PhantomData,
    sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    thread,
};

/// Examples of whoever made the engine, or of its own.
pub(crate) enum Fed<'a, F> {
    Lent(&'a F),
    Own(F),
}

pub(crate) struct Workers<'a, F, M: Clone, R: UpdateRule, A> {
    transforming: PhantomData<A>,
    feed: Fed<'a, F>,
    model: Cow<'a, M>,
    task: &'a Task<'a>,
    rule: R,
    /// None: the one worker is the calling thread.
    pool: Option<Pool>,
    /// What each worker's rule has learnt.
    memories: Vec<Mutex<R::Memory>>,
    clock: Clock,
}

impl<'a, F, M: Clone, R: UpdateRule, A> Workers<'a, F, M, R, A> {
    pub fn new(feed: Fed<'a, F>, model: Cow<'a, M>, task: &'a Task<'a>, rule: R) -> Result<Self> {
        let memories = (0..task.threads).map(|_| Mutex::default()).collect();
        let (pool, clock) = (threads::pool(task)?, Clock { rate: task.rate, ..Clock::default() });
        Ok(Workers { transforming: PhantomData, feed, model, task, rule, pool, memories, clock })
    }

    /// A worker's memory, which nobody else has at hand.
    fn memory(&self, worker: usize) -> MutexGuard<'_, R::Memory> {
        self.memories[worker].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Feed<M>, M: Model + Clone, R: UpdateRule, A: Transforming> Engine for Workers<'_, F, M, R, A> {
    fn epoch(&mut self, epoch: &Epoch<'_>, follow: &mut Follow<'_>) -> (Counts, u64) {
        let task = self.task;
        let feed = match &self.feed {
            Fed::Lent(feed) => feed,
            Fed::Own(feed) => feed,
        };
        let share = |worker: usize, counters: &Counters, asked: Option<Asked<'_>>| {
            let mut memory = self.memory(worker);
            let job = Share {
                feed,
                model: &*self.model,
                task,
                rule: self.rule,
                memory: memory.clone(),
                start: epoch.start,
                adjuster: Adjuster::new(task.transforms, task.seed, (epoch.number * task.threads + worker) as u64 ^ epoch.round << 32),
                worker,
                plan: epoch.plan,
                counters,
                asked,
                transforming: PhantomData::<A>,
            };
            let counts;
            (counts, *memory) = dispatch(task.set, job);
            counts
        };
        let counts = together(task, self.pool.as_ref(), epoch, follow, &share);
        self.clock = last_of(task, &epoch.start, counts.examples);
        (counts, counts.examples)
    }

    fn finish(&self) -> Finish<'_> {
        let step = self.rule.prepare(&self.clock, &self.memory(0));
        Finish::new(&self.rule, step, self.task.transforms.scale_of_average(&self.clock))
    }
}

/// Has all workers do their share of an epoch, while someone follows.
pub(super) fn together(
    task: &Task<'_>,
    pool: Option<&Pool>,
    epoch: &Epoch<'_>,
    follower: &mut Follow<'_>,
    share: &(dyn Fn(usize, &Counters, Option<Asked<'_>>) -> Counts + Sync),
) -> Counts {
    let counters = &Counters::begun(follower);
    let (done, over) = unbounded();
    let mut all_counts = thread::scope(|scope| {
        // Without a thread for it nothing is read ahead, and the gate stands open: it is only slower.
        let _shut = task.reader.zip(epoch.plan.gate()).and_then(|(reader, gate)| {
            let shut = gate.shut();
            let thread = thread::Builder::new().spawn_scoped(scope, move || reader.read(gate, &counters.stop));
            thread.is_ok().then_some(shut)
        });
        let Some(threads) = pool.and_then(Pool::threads) else {
            return vec![(0, share(0, counters, Some(Asked::new(follower))))];
        };
        threads.in_place_scope(|scope| {
            // The channel is closed when the last worker has ended, in whatever way.
            scope.spawn_broadcast(move |_, context| {
                let worker = context.index();
                let _ = done.send((worker, share(worker, counters, None))); // the other end waits for it
            });
            follow(task.threads, &over, counters, follower)
        })
    });
    all_counts.sort_by_key(|&(worker, _)| worker);
    all_counts.into_iter().fold(Counts::default(), |sum, (_, counts)| sum + counts)
}

/// Has someone follow until so many workers have sent their results.
pub(super) fn follow<T>(workers: usize, over: &Receiver<T>, counters: &Counters, follower: &mut Follow<'_>) -> Vec<T> {
    let mut results = Vec::new();
    while results.len() < workers {
        match over.recv_timeout(LOOK) {
            Ok(result) => results.push(result),
            Err(RecvTimeoutError::Disconnected) => break, // the last worker has ended, in whatever way
            Err(RecvTimeoutError::Timeout) => {
                let stop = follower(counters.examples.load(Relaxed));
                counters.stop.fetch_or(stop, Relaxed);
            }
        }
    }
    results
}
