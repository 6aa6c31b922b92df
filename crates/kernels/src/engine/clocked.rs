//! Virtual replicas: they train in turn, as their virtual clocks say, and their messages may be late.
//!
//! A round takes a replica as long as its examples have numbers. Then it exchanges, at once; or, where messages are under way for some
//! time, it sends its changes. These are exchanged with the centre when they arrive, and the replica, which has gone on meanwhile, gets
//! what the centre answers before its next round: `own + (answer - sent)`. It sends no more until then.
use super::{
    Counts,
    link::Link,
    simulation::{Exchanges, Simulation},
};
use crate::seeds::Stream;
use hogwild_base::Result;
use rand::RngExt;
use std::{cmp::Reverse, collections::BinaryHeap};

/// What happens, and to whom.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives(usize),
    Ends(usize),
}

/// A replica at work.
pub(super) trait Worker {
    /// Its number.
    fn number(&self) -> usize;
    /// Trains a round; none where its part is through.
    fn train(&mut self, round: u64) -> Option<Counts>;
    /// The learning rate of now.
    fn rate(&self) -> f32;
    /// Its way to exchange, which it is about to do.
    fn link(&mut self) -> &mut dyn Link;
    /// What has come of an exchange: a fault ends the epoch.
    fn passed<T: Default>(&self, result: Result<T>) -> T;
}

/// Has replicas train until their parts are through, and their letters have arrived; `begun`: the number of their first round.
pub(super) fn take<W: Worker>(simulation: &Simulation, epoch: usize, begun: u64, seed: u64, workers: &mut [W]) -> Counts {
    let (costs, mut random) = (simulation.costs(), Stream::Turns { epoch, thread: 0 }.random(seed));
    let mut due: BinaryHeap<Reverse<(u64, u64, Event)>> = BinaryHeap::new();
    let (mut sum, mut exchanges, mut rounds) = (Counts::default(), Exchanges::default(), vec![begun; workers.len()]);
    // Examples of each one's round.
    let mut trained = vec![0; workers.len()];
    let mut work = 0;
    let mut begin = |i: usize, workers: &mut [W], rounds: &mut [u64], trained: &mut [u64]| {
        let counts = workers[i].train(rounds[i])?;
        rounds[i] += 1;
        trained[i] = counts.examples;
        sum = sum + counts;
        // The bias is one more.
        let numbers = (counts.nonzeros + counts.examples) as f64;
        work += costs.usual(numbers);
        Some(costs.of(workers[i].number(), numbers))
    };
    for i in 0..workers.len() {
        let lasts = begin(i, workers, &mut rounds, &mut trained);
        // They begin at random points of a round, as they would not keep step for long.
        due.extend(lasts.map(|lasts| Reverse(((random.random::<f64>() * lasts as f64) as u64, random.random(), Event::Ends(i)))));
    }
    while let Some(Reverse((now, _, event))) = due.pop() {
        match event {
            Event::Arrives(i) => {
                let arrived = workers[i].link().arrive(&mut exchanges);
                workers[i].passed(arrived);
            }
            Event::Ends(i) => {
                exchanges.time = now;
                let rate = workers[i].rate();
                let sent = workers[i].link().send(trained[i], rate, &mut exchanges);
                if workers[i].passed(sent) {
                    due.push(Reverse((now + costs.delay(), random.random(), Event::Arrives(i))));
                }
                let lasts = begin(i, workers, &mut rounds, &mut trained);
                due.extend(lasts.map(|lasts| Reverse((now + lasts, random.random(), Event::Ends(i)))));
            }
        }
    }
    for worker in workers.iter_mut() {
        let rate = worker.rate();
        let settled = worker.link().settle(rate, &mut exchanges);
        worker.passed(settled);
    }
    exchanges.work = work;
    simulation.count(exchanges);
    sum
}
