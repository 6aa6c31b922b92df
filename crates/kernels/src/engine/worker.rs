//! The inner loop: what one worker does with its examples.
use super::{Follow, LOOK, Task};
use crate::{
    feed::{ExampleReader, Feed},
    loss::weighted_total,
    models::Model,
    order::{Plan, Queue},
    params::{Reads, Replica, Stepping, Transforming},
    rules::{Clock, UpdateRule},
    schedule::Moment,
    seeds::Stream,
    simd::{Isa, Job, LANES, pairs},
    transforms::Adjuster,
};
use crossbeam_utils::CachePadded;
use std::{
    marker::PhantomData,
    ops::Add,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Instant,
};

/// What passes between the workers and whoever watches them. Relaxed: numbers for display, and a flag that is looked at again soon.
#[derive(Default)]
pub struct Counters {
    /// Examples begun in this epoch, by blocks.
    pub examples: CachePadded<AtomicU64>,
    /// Whether the workers are to stop after the block at hand.
    pub stop: AtomicBool,
}

impl Counters {
    /// Of an epoch that begins: who wished to stop before it does not wait to be asked again.
    pub(super) fn begun(follower: &mut Follow<'_>) -> Counters {
        Counters { stop: follower(0).into(), ..Counters::default() }
    }
}

/// What a worker has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Examples trained on.
    pub examples: u64,
    /// Stored numbers visited: nonzeros, or ratings.
    pub nonzeros: u64,
    /// Sum of the losses before each step, each times the example's weight.
    pub loss: f64,
    /// Sum of these weights: as many as examples, where all count alike.
    pub weight: f64,
}

impl Counts {
    /// The mean loss before each step.
    pub fn mean_loss(&self) -> f64 {
        if self.weight > 0.0 { self.loss / self.weight } else { self.loss }
    }
}

impl Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        Counts {
            examples: self.examples + other.examples,
            nonzeros: self.nonzeros + other.nonzeros,
            loss: self.loss + other.loss,
            weight: self.weight + other.weight,
        }
    }
}

/// One worker's share of an epoch.
pub(super) struct Share<'a, 'f, F, M, R: UpdateRule, A> {
    pub feed: &'a F,
    pub model: &'a M,
    pub task: &'a Task<'a>,
    pub rule: R,
    /// What the worker's rule has learnt in the epochs before.
    pub memory: R::Memory,
    /// Where the run stands as the epoch begins.
    pub start: Moment,
    /// The worker's own state of the transforms.
    pub adjuster: Adjuster,
    /// The worker's number.
    pub worker: usize,
    pub plan: &'a Plan,
    pub counters: &'a Counters,
    /// Of a worker on the calling thread, whom nobody else can ask.
    pub asked: Option<Asked<'f>>,
    pub transforming: PhantomData<A>,
}

/// A follower that is asked between the blocks of the calling thread's own work.
pub(super) struct Asked<'a> {
    follow: &'a mut Follow<'a>,
    last: Instant,
}

impl<'a> Asked<'a> {
    pub fn new(follow: &'a mut Follow<'a>) -> Self {
        Asked { follow, last: Instant::now() }
    }

    /// Asks, where it is time to: whether the work is to stop is then in the counters.
    pub fn ask(&mut self, counters: &Counters) {
        if self.last.elapsed() >= LOOK {
            let stop = (self.follow)(counters.examples.load(Relaxed));
            counters.stop.fetch_or(stop, Relaxed);
            self.last = Instant::now();
        }
    }
}

/// The clock after so many examples of an epoch: of the step that would come next, at the rate of the last one.
pub(super) fn last_of(task: &Task<'_>, start: &Moment, examples: u64) -> Clock {
    let last = Moment { step: start.step + examples - 1, ..*start };
    Clock { rate: task.schedule.rate(task.rate, &last), step: last.step + 1, steps: last.steps }
}

/// What is drawn by lot as an epoch's examples are read follows from this, whichever worker reads them.
pub(super) fn drawn_by(task: &Task<'_>, start: &Moment) -> u64 {
    Stream::Examples { step: start.step }.seed(task.seed)
}

impl<F: Feed<M>, M: Model, R: UpdateRule, A: Transforming> Job for Share<'_, '_, F, M, R, A> {
    type Output = (Counts, R::Memory);
    /// Without a vector type the plain run goes by the loop with everything: see `compiled`.
    const PORTABLE: bool = A::ON;
    const VECTORS: bool = M::VECTORS;

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) -> (Counts, R::Memory) {
        let Share { feed, model, rule, task, .. } = self;
        let (loss, transforms, schedule, rate) = (task.loss, &task.transforms, task.schedule, task.rate);
        let longest = feed.longest();
        let clips = A::ON && transforms.clip_norm.is_some();
        let weighs = feed.weighs();
        let (parameters, reads) = (task.parameters, Reads::of(task.parameters, self.worker));
        let mut replica = Replica::new(task.set, parameters, self.worker, rule.averages(), A::ON && self.adjuster.l1);
        let mut weights = Stepping::<_, _, A>::new(isa, rule, self.memory, self.adjuster, parameters, reads, longest / LANES + 1);
        let (mut scratch, mut reader) = (model.scratch(longest), ExampleReader::new(feed, drawn_by(task, &self.start)));
        let mut counts = Counts::default();
        let (mut scores, mut labels, mut counting) = (Vec::new(), Vec::new(), Vec::new());
        let mut queue = Queue::new(self.plan, F::SHUFFLE, reader.reach());
        loop {
            let n = queue.advance(feed.chooses().then_some(|p| feed.keeps(p)));
            if n == 0 {
                break;
            }
            scores.resize(n, 0.0);
            labels.resize(n, 0.0);
            counting.clear();
            let now = Moment { step: self.start.step + self.counters.examples.fetch_add(n as u64, Relaxed), ..self.start };
            let mut clock = Clock { rate: schedule.rate(rate, &now), step: now.step, steps: now.steps };
            let (scores, labels) = (&mut scores[..n], &mut labels[..n]);
            reader.begin(isa, queue.positions(), n, &weights);
            for (turn, (to_score, to_label)) in pairs(reader.turns(queue.positions().0, n), pairs(scores.iter_mut(), labels.iter_mut())) {
                let label = reader.take(isa, turn, &weights);
                weights.begin(&clock);
                clock.step += 1;
                let score = model.score(reader.example(), &mut weights, &mut scratch);
                (*to_score, *to_label) = (score, label);
                counts.nonzeros += feed.size(reader.example());
                reader.look_ahead(isa, turn, &weights);
                let mut slope = loss.slope(score, label);
                if weighs {
                    let weight = feed.weight(turn.position(), label);
                    slope *= weight;
                    counting.push(weight);
                }
                if clips {
                    slope = transforms.clipped(slope, model.gradient_square(reader.example(), &scratch));
                }
                model.backward(reader.example(), slope, &mut weights, &mut scratch);
                weights.end();
                reader.end();
            }
            replica.exchange(&weights.averaged());
            let (block, weight) = match weighs {
                true => weighted_total(task.set, loss, scores, labels, &counting),
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
        replica.finish(&weights.averaged());
        (counts, weights.into_memory())
    }
}
