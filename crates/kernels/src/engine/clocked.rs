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
use crate::{
    params::{Parameters, Side, Snapshot, copy},
    seeds::Stream,
};
use hogwild_base::Result;
use rand::RngExt;
use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

/// What a simulated replica has beside its side of the exchange.
pub(super) struct Post<'r> {
    own: &'r Parameters,
    /// What passes between replica and centre; none where exchanges take no time.
    letter: Option<&'r Parameters>,
    /// The replica after its last exchange, or when it sent its last letter.
    before: Snapshot,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Home,
    UnderWay,
    Answered,
}

impl<'r> Post<'r> {
    pub fn new(own: &'r Parameters, letter: Option<&'r Parameters>) -> Post<'r> {
        Post { own, letter, before: Snapshot::of(own), state: State::Home }
    }

    /// As an epoch begins, when the side has taken over the centre's values.
    pub fn take_over(&mut self, joins: bool) {
        if let (Some(letter), true) = (self.letter, joins) {
            copy(letter, self.own);
        }
        self.before.take(self.own);
    }

    /// A round has ended: counts what is to be exchanged; whether that takes time.
    pub fn send(&mut self, exchanges: &mut Exchanges, side: &mut Side<'_>) -> bool {
        if self.state == State::UnderWay {
            return false;
        }
        // Its own changes, before an answer brings those of others.
        let [slots, numbers] = self.before.changed(self.own);
        self.receive();
        let bytes = (slots + numbers) * size_of::<f32>() as u64;
        *exchanges = *exchanges + Exchanges { count: 1, slots, numbers, bytes, ..Exchanges::default() };
        let Some(letter) = self.letter else {
            timed(side, exchanges);
            self.before.take(self.own);
            return false;
        };
        copy(self.own, letter);
        self.before.take(self.own);
        self.state = State::UnderWay;
        true
    }

    /// What was sent arrives, and is answered.
    pub fn arrive(&mut self, exchanges: &mut Exchanges, side: &mut Side<'_>) {
        timed(side, exchanges);
        self.state = State::Answered;
    }

    /// What was learnt while the last letter was under way is passed too.
    pub fn settle(&mut self, exchanges: &mut Exchanges, side: &mut Side<'_>) {
        if self.letter.is_some() && self.send(exchanges, side) {
            self.arrive(exchanges, side);
            self.receive();
        }
    }

    fn receive(&mut self) {
        if let (State::Answered, Some(letter)) = (self.state, self.letter) {
            self.before.add_change(letter, self.own);
            self.state = State::Home;
        }
    }
}

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
                workers[i].link().arrive(&mut exchanges);
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

/// Exchanges with the centre, and counts how long it takes.
fn timed(side: &mut Side<'_>, exchanges: &mut Exchanges) {
    let began = Instant::now();
    side.exchange();
    exchanges.seconds += began.elapsed().as_secs_f64();
}
