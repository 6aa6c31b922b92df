//! What a worker does that owns parts of the parameters of linear models: it scores some examples ahead of those that it steps.
//!
//! A part's score of an example is a message to all workers. An example steps when the messages of all parts are there: each worker adds
//! them up in the order of the parts, works out the slope, and steps what is its own. With `in_flight` batches scored before the oldest one
//! steps, messages have the time of those batches to arrive, and hardly anyone waits. Which steps a score has seen follows from batch and
//! in-flight alone, so bits do not depend on who is how fast.
use super::{Counters, Counts, Task, messages::Messages, worker::Asked};
use crate::{
    feed::{Part, PartBlock},
    loss::weighted_total,
    models::Linear,
    order::{BLOCK, Plan, Queue},
    params::{Parts, Stepping, Transforming, Weights},
    rules::{Clock, UpdateRule},
    schedule::Moment,
    simd::{Isa, Job, Real, Vector, pairs},
    transforms::Adjuster,
};
use std::{marker::PhantomData, sync::atomic::Ordering::Relaxed};

/// Examples ahead of which shares are asked for; where they lie, twice as many.
const AHEAD: usize = 8;

/// How examples are in flight.
#[derive(Clone, Copy)]
pub(super) struct Flight {
    /// Examples that are scored, and then step, together.
    pub batch: usize,
    /// Examples that are scored when the oldest of them steps.
    pub examples: usize,
}

/// One worker's share of an epoch.
pub(super) struct Flow<'a, 'f, R, A> {
    pub parts: &'a [Part],
    pub model: &'a Linear,
    pub task: &'a Task<'a>,
    pub rule: R,
    pub flight: Flight,
    pub messages: &'a Messages,
    /// Where slots lie.
    pub laid: &'a Parts,
    /// What noise follows from, with the part.
    pub epoch: usize,
    pub start: Moment,
    /// The worker's own: all go through the same order.
    pub plan: &'a Plan,
    /// Whether a position is trained on.
    pub keeps: Option<&'a (dyn Fn(u32) -> bool + Sync)>,
    /// How much an example counts, by position and target, where all do not count alike.
    pub weight: Option<&'a (dyn Fn(u32, f32) -> f32 + Sync)>,
    pub counters: &'a Counters,
    /// Of the worker that counts for all.
    pub leads: bool,
    pub asked: Option<Asked<'f>>,
    pub transforming: PhantomData<A>,
}

/// The order as far as it is at hand.
struct Window<'a> {
    queue: Queue<'a>,
    /// Positions from the oldest that has not stepped, and that one's number; at the end the last again, for those who look ahead.
    positions: Vec<u32>,
    first: usize,
    known: usize,
    is_over: bool,
}

impl Window<'_> {
    /// The position of an example.
    #[inline(always)]
    fn at(&self, number: usize) -> u32 {
        self.positions[number - self.first]
    }

    /// Forgets what has stepped, and has the next block at hand.
    #[cold]
    #[inline(never)]
    fn advance(&mut self, stepped: usize, keeps: Option<&(dyn Fn(u32) -> bool + Sync)>) {
        let n = self.queue.advance(keeps.map(|keeps| |position| keeps(position)));
        self.positions.drain(..stepped - self.first);
        self.first = stepped;
        self.positions.extend_from_slice(&self.queue.positions().0[..n]);
        self.known += n;
        if n == 0 {
            self.is_over = true;
            let last = self.positions.last().copied().unwrap_or(0);
            self.positions.resize(self.positions.len() + 2 * AHEAD, last);
        }
    }
}

impl<R, A> Flow<'_, '_, R, A> {
    /// The clock of a step by its number.
    fn clock(&self, number: usize) -> Clock {
        let now = Moment { step: self.start.step + number as u64, ..self.start };
        Clock { rate: self.task.schedule.rate(self.task.rate, &now), step: now.step, steps: now.steps }
    }
}

impl<R: UpdateRule, A: Transforming> Job for Flow<'_, '_, R, A> {
    type Output = Counts;
    const PORTABLE: bool = A::ON;

    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) -> Counts {
        let Flow { parts, model, task, rule, flight, messages, leads, .. } = self;
        let (loss, base, penalises) = (task.loss, model.base(), model.penalises());
        let mut clock = self.clock(0);
        let mut views = Vec::new();
        for part in parts {
            let adjuster = Adjuster::new(task.transforms, task.seed, (self.epoch * self.laid.count + part.number) as u64);
            let reads = self.laid.reads(part.number);
            let view = Stepping::<_, I, A>::new(isa, rule, R::Memory::default(), adjuster, task.parameters, reads, 1);
            views.push(view.owning());
        }
        for view in &mut views {
            view.begin(&clock); // scores may go by it
        }
        let mut order = Window { queue: Queue::new(self.plan, true, 0), positions: Vec::new(), first: 0, known: 0, is_over: false };
        let mut counts = Counts::default();
        let (mut scored, mut stepped) = (0, 0);
        let [mut scores, mut labels, mut counting] = [[0.0; BLOCK as usize]; 3];
        loop {
            while !order.is_over && order.known < scored + flight.batch + 2 * AHEAD {
                order.advance(stepped, self.keeps);
            }
            let batch = flight.batch.min(order.known - scored);
            for (view, part) in pairs(&mut views, parts) {
                for number in scored..scored + batch {
                    part.prefetch_place(isa, order.at(number + 2 * AHEAD));
                    let ahead = part.ahead(order.at(number + AHEAD));
                    let mut sum = I::V::of(0.0);
                    for (i, block) in part.blocks(order.at(number)).iter().enumerate() {
                        PartBlock::prefetch(isa, ahead, i);
                        sum = view.weigh(&block.places).mul_add(I::V::load(&block.values.0), sum);
                    }
                    messages.send(part.number, number, sum.sum());
                }
            }
            scored += batch;
            if batch > 0 && scored - stepped < flight.examples {
                continue;
            }
            // Once all are scored, what is in flight steps batch by batch.
            let end = scored.min(stepped + flight.batch);
            if end == stepped {
                break;
            }
            while stepped < end {
                let in_block = stepped % BLOCK as usize;
                if in_block == 0 {
                    clock = self.clock(stepped);
                }
                let mut score = 0.0;
                for part in 0..self.laid.count {
                    match messages.receive(part, stepped, &self.counters.stop) {
                        Some(sum) => score += sum,
                        None => return counts,
                    }
                }
                score += base;
                let position = order.at(stepped);
                let label = parts[0].label(position);
                (scores[in_block], labels[in_block]) = (score, label);
                let mut slope = loss.slope(score, label);
                if let Some(weight) = self.weight {
                    counting[in_block] = weight(position, label);
                    slope *= counting[in_block];
                }
                for (view, part) in pairs(&mut views, parts) {
                    view.begin(&clock);
                    counts.nonzeros += part.features(position);
                    if slope == 0.0 && !penalises {
                        continue; // as of a hinge that is satisfied
                    }
                    if A::ON || penalises {
                        for block in part.blocks(position) {
                            let weights = view.gather(0, &block.places);
                            let rows = view.reading().slots(&block.places);
                            let (decay, l1) = model.penalties(&rows, weights);
                            let gradient = I::V::of(slope) * I::V::load(&block.values.0) + decay;
                            view.step(0, &block.places, gradient, l1);
                        }
                    } else {
                        for block in part.blocks(position) {
                            view.step_as_is(&block.places, I::V::of(slope) * I::V::load(&block.values.0));
                        }
                    }
                    view.end();
                }
                clock.step += 1;
                stepped += 1;
                if in_block + 1 == BLOCK as usize || order.is_over && stepped == order.known {
                    let n = in_block + 1;
                    if leads {
                        counts.examples += n as u64;
                        self.counters.examples.fetch_add(n as u64, Relaxed);
                        let (total, weight) = match self.weight {
                            None => (loss.total::<I::V>(&scores[..n], &labels[..n]), n as f64),
                            Some(_) => weighted_total(task.set, loss, &scores[..n], &labels[..n], &counting[..n]),
                        };
                        counts.loss += total;
                        counts.weight += weight;
                        if !total.is_finite() {
                            self.counters.stop.store(true, Relaxed);
                        }
                        self.asked.iter_mut().for_each(|asked| asked.ask(self.counters));
                    }
                    if self.counters.stop.load(Relaxed) {
                        return counts;
                    }
                }
            }
        }
        counts
    }
}
