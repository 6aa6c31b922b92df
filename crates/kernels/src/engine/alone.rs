//! One worker on the calling thread: a trial of a learning rate goes by it, and many of them side by side.
use super::{
    Counters, Counts, Engine, Epoch, Follow, Task,
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
use std::{borrow::Cow, marker::PhantomData};

pub(crate) struct Alone<'a, F, M: Clone, R: UpdateRule, A> {
    transforming: PhantomData<A>,
    feed: &'a F,
    model: Cow<'a, M>,
    task: &'a Task<'a>,
    counters: &'a Counters,
    rule: R,
    memory: R::Memory,
    clock: Clock,
}

impl<'a, F, M: Clone, R: UpdateRule, A> Alone<'a, F, M, R, A> {
    pub fn new(feed: &'a F, model: Cow<'a, M>, task: &'a Task<'a>, counters: &'a Counters, rule: R) -> Self {
        let (memory, clock) = (R::Memory::default(), Clock { rate: task.rate, ..Clock::default() });
        Alone { transforming: PhantomData, feed, model, task, counters, rule, memory, clock }
    }
}

impl<F: Feed<M>, M: Model + Clone, R: UpdateRule, A: Transforming> Engine for Alone<'_, F, M, R, A> {
    /// It stops where the counters say so, too.
    fn epoch(&mut self, epoch: &Epoch<'_>, follow: &mut Follow<'_>) -> (Counts, u64) {
        let task = self.task;
        let job = Share {
            feed: self.feed,
            model: &*self.model,
            task,
            rule: self.rule,
            memory: self.memory.clone(),
            start: epoch.start,
            adjuster: Adjuster::new(task.transforms, task.seed, epoch.number as u64 - 1),
            worker: 0,
            plan: epoch.plan,
            counters: self.counters,
            asked: Some(Asked::new(follow)),
            transforming: PhantomData::<A>,
        };
        let counts;
        (counts, self.memory) = dispatch(task.set, job);
        self.clock = last_of(task, &epoch.start, counts.examples);
        (counts, counts.examples)
    }

    fn finish(&self) -> Finish<'_> {
        Finish::new(&self.rule, self.rule.prepare(&self.clock, &self.memory), self.task.transforms.scale_of_average(&self.clock))
    }
}
