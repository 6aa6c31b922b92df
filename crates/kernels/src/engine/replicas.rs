//! Replicas of the model, each trained by an engine of its own on its part of the data, that exchange with a centre.
//!
//! A replica goes through some examples (a round) and then exchanges: asynchronously, whenever it is there. How, its [`Link`] says. Either
//! it exchanges with the centre's own cells, section by section, each by one replica at a time; or by messages, with a centre or parameter
//! servers. The replicas are dealt out to the threads; with more threads than replicas, a replica's engine has several workers. One thread
//! takes them in turn, in an order drawn from the seed anew for every turn: then a run repeats to the bit, whatever number of replicas it
//! has, and shows what so many machines would learn.
use super::{
    Counters, Counts, Engine, Epoch, Follow, LOOK, Simulation, Task, clocked,
    hogwild::follow,
    link::{Distant, Link},
    threads,
};
use crate::{
    order::Plan,
    params::{Between, Finish, Owned, Parameters, SECTIONS, Side},
    schedule::Moment,
    seeds::Stream,
    servers::{Carrier, Centre, Client, Clients, Member, Periods, Server, ServerRule, Threads},
};
use crossbeam_channel::unbounded;
use hogwild_base::{Error, Result, threads::Pool};
use rand::seq::SliceRandom;
use std::{
    cell::RefCell,
    ops::Add,
    sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::Instant,
};

/// Replicas with the centre that the model is made of.
pub struct Replicas<'r> {
    /// Of the centre: its parameters are what is trained.
    task: &'r Task<'r>,
    replicas: Vec<Replica<'r>>,
    /// Examples of a round.
    every: u64,
    /// Examples that the first replica trains alone yet.
    warm_start: u64,
    /// Those that replicas are dealt out to.
    threads: usize,
    /// None: all take turns on the calling thread.
    pool: Option<Pool>,
    /// Who exchanged last.
    last: usize,
    /// What ended the last epoch before its end.
    fault: Option<Error>,
}

/// A replica's engine, and the parameters that it trains.
pub type Part<'r> = (Box<dyn Engine + 'r>, &'r Parameters);

/// How replicas and parameter servers work together.
#[derive(Clone, Copy, Debug)]
pub struct Downpour {
    /// Over how many servers slots are spread.
    pub servers: usize,
    /// Examples between two pushes of a replica.
    pub push_every: u64,
    /// Examples between two fetches.
    pub fetch_every: u64,
    /// Examples that the first replica trains before the others begin.
    pub warm_start: u64,
}

struct Replica<'r> {
    engine: Box<dyn Engine + 'r>,
    link: Box<dyn Link + 'r>,
}

impl<'r> Replicas<'r> {
    /// Replicas that exchange with the centre's cells; `every`: examples between two exchanges of a replica. Virtual ones whose
    /// messages take time exchange by those.
    ///
    /// # Errors
    /// When there is too little memory, or the system refuses threads.
    pub fn with_centre(task: &'r Task<'r>, parts: Vec<Part<'r>>, between: Between, every: u64) -> Result<Replicas<'r>> {
        if task.simulation.is_some_and(Simulation::is_late) {
            let centre = Centre::new(task.set, task.parameters, between, 0, 1)?;
            let carriers = Threads::group(parts.len(), vec![centre]).into_iter().map(|carrier| Box::new(carrier) as Box<dyn Carrier>);
            return Self::with_carriers(task, parts, carriers.collect(), 1, between, every);
        }
        let replica = |(engine, own): Part<'r>| {
            let side = Side::new(task.set, task.parameters, own, between)?;
            Ok(Replica { engine, link: Box::new(side) })
        };
        Self::of(task, parts.into_iter().map(replica).collect::<Result<_>>()?, every, 0)
    }

    /// Replicas that exchange with a centre by messages, to the same bits: each has a carrier, that reaches the centre's `shards`
    /// ([`Centre`]). The task's parameters are those of the centre where it is in this process; else what is trained lies with the shards.
    ///
    /// # Errors
    /// When there is too little memory, a shard does not answer, or the system refuses threads.
    ///
    /// # Panics
    /// When there are not as many carriers as replicas.
    pub fn with_carriers(
        task: &'r Task<'r>,
        parts: Vec<Part<'r>>,
        carriers: Vec<Box<dyn Carrier + 'r>>,
        shards: usize,
        between: Between,
        every: u64,
    ) -> Result<Replicas<'r>> {
        assert_eq!(parts.len(), carriers.len(), "a carrier for each replica");
        let late = task.simulation.is_some();
        let replica = |((engine, own), carrier): (Part<'r>, Box<dyn Carrier + 'r>)| {
            let member = Member::new(carrier, shards, own, between, late)?;
            Ok(Replica { engine, link: Box::new(Distant(member)) })
        };
        Self::of(task, parts.into_iter().zip(carriers).map(replica).collect::<Result<_>>()?, every, 0)
    }

    /// Replicas that push to parameter servers, and fetch from them. Their parameters have room for sums of gradients.
    ///
    /// # Errors
    /// When the system refuses threads.
    pub fn with_servers(task: &'r Task<'r>, parts: Vec<Part<'r>>, rule: ServerRule<'r>, downpour: Downpour) -> Result<Replicas<'r>> {
        let Downpour { servers: of, push_every, fetch_every, warm_start } = downpour;
        let pushes = task.admitted.iter().sum::<u64>().div_ceil(push_every.max(1));
        let clients = Clients { replicas: parts.len(), pushes };
        let server = |server| Server::new(task.set, &rule, task.parameters, Owned { server, of }, clients);
        let carriers = Threads::group(parts.len(), (0..of).map(server).collect());
        let replica = |((engine, parameters), carrier): (Part<'r>, Threads<Server<'r>>)| {
            let periods = Periods { push: push_every, fetch: fetch_every };
            Replica { engine, link: Box::new(Client::new(task.set, Box::new(carrier), of, parameters, periods)) }
        };
        Self::of(task, parts.into_iter().zip(carriers).map(replica).collect(), push_every.min(fetch_every), warm_start)
    }

    fn of(task: &'r Task<'r>, replicas: Vec<Replica<'r>>, every: u64, warm_start: u64) -> Result<Replicas<'r>> {
        // A replica with several workers has a pool of its own for them, and here one thread that waits for them.
        let threads = task.threads.min(replicas.len());
        let pool = threads::pool(&Task { threads, pin: task.pin && task.threads == threads, ..*task })?;
        Ok(Replicas { task, replicas, every, warm_start, threads, pool, last: 0, fault: None })
    }
}

/// Some replicas, each with its number and its part of an epoch.
type Hand<'a, 'r> = Vec<(usize, &'a mut Replica<'r>, Plan)>;

impl Engine for Replicas<'_> {
    fn epoch(&mut self, epoch: &Epoch<'_>, follower: &mut Follow<'_>) -> (Counts, u64) {
        let (n, threads) = (self.replicas.len(), self.threads);
        // Replica `i` goes to thread `i % threads`.
        let counters = &Counters::begun(follower);
        let turns = &Turns {
            replicas: n,
            every: self.every,
            task: self.task,
            epoch,
            counters,
            sections: Default::default(),
            last: Mutex::new(self.last),
            fault: Mutex::default(),
        };
        let plan = epoch.plan.part(0, 1);
        let (alone, begun) = match self.replicas.first_mut() {
            Some(first) if self.warm_start > 0 => turns.take_alone(first, &plan, self.warm_start, follower),
            _ => Default::default(),
        };
        self.warm_start = self.warm_start.saturating_sub(alone.examples);
        let mut hands: Vec<Hand<'_, '_>> = (0..threads).map(|_| Vec::new()).collect();
        for (number, replica) in self.replicas.iter_mut().enumerate() {
            hands[number % threads].push((number, replica, plan.part(number, n)));
        }
        let counts = alone
            + match (self.pool.as_ref().and_then(Pool::threads), self.task.simulation) {
                (None, Some(simulation)) => turns.by_clock(simulation, hands.pop().unwrap_or_default(), begun, follower),
                (None, None) => hands
                    .into_iter()
                    .enumerate()
                    .fold(Counts::default(), |sum, (thread, hand)| sum + turns.take(thread, hand, begun, follower)),
                (Some(pool), _) => {
                    let (done, over) = unbounded();
                    let hands: Vec<_> = hands.into_iter().map(|hand| Mutex::new(Some(hand))).collect();
                    let all = pool.in_place_scope(|scope| {
                        // The channel is closed when the last thread has ended, in whatever way.
                        scope.spawn_broadcast(move |_, context| {
                            let thread = context.index();
                            let hand = lock(&hands[thread]).take().unwrap_or_default();
                            let _ = done.send(turns.take(thread, hand, begun, &mut |_| false)); // the other end waits for it
                        });
                        follow(threads, &over, counters, follower)
                    });
                    all.into_iter().fold(Counts::default(), Counts::add)
                }
            };
        self.last = *lock(&turns.last);
        self.fault = lock(&turns.fault).take();
        (counts, counts.examples)
    }

    fn fault(&mut self) -> Option<Error> {
        self.fault.take()
    }

    /// By the replica that turned last: all step alike, and the centre has their weights.
    fn finish(&self) -> Finish<'_> {
        self.replicas[self.last].engine.finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the threads of an epoch share.
struct Turns<'a> {
    replicas: usize,
    every: u64,
    task: &'a Task<'a>,
    epoch: &'a Epoch<'a>,
    counters: &'a Counters,
    /// Whoever holds one passes that section of its changes.
    sections: [Mutex<()>; SECTIONS],
    /// Who has exchanged last.
    last: Mutex<usize>,
    /// The first fault of an exchange, which ends the epoch.
    fault: Mutex<Option<Error>>,
}

impl Turns<'_> {
    /// Has a thread's replicas take turns until their parts are through; `round`: the number of their first one.
    fn take(&self, thread: usize, mut hand: Hand<'_, '_>, mut round: u64, follower: &mut Follow<'_>) -> Counts {
        let mut random = Stream::Turns { epoch: self.epoch.number, thread }.random(self.task.seed);
        let (mut sum, mut asking) = (Counts::default(), Asking { follower, last: Instant::now() });
        // All begin with what the others have learnt by now.
        hand.iter_mut().for_each(|(_, replica, _)| self.passed(replica.link.begin()));
        while !hand.is_empty() {
            hand.shuffle(&mut random);
            hand.retain_mut(|(number, replica, plan)| {
                let goes_on = plan.open(self.every) && !self.counters.stop.load(Relaxed);
                if goes_on {
                    sum = sum + self.turn(*number, replica, plan, round, &mut asking);
                } else if replica.link.sections() == 0 {
                    // Of a run that is stopped between its turns; after a last turn nothing is left.
                    self.passed(replica.link.end(0, self.rate()));
                }
                goes_on
            });
            round += 1;
        }
        sum
    }

    /// Has the first replica take so many examples before the others begin; gives how many rounds that were, too.
    fn take_alone(&self, replica: &mut Replica<'_>, plan: &Plan, examples: u64, follower: &mut Follow<'_>) -> (Counts, u64) {
        let (mut sum, mut round, mut asking) = (Counts::default(), 0, Asking { follower, last: Instant::now() });
        self.passed(replica.link.begin());
        while sum.examples < examples && plan.open(self.every.min(examples - sum.examples)) && !self.counters.stop.load(Relaxed) {
            sum = sum + self.turn(0, replica, plan, round, &mut asking);
            round += 1;
        }
        if !plan.is_through() {
            self.passed(replica.link.end(0, self.rate()));
        }
        (sum, round)
    }

    /// Has virtual replicas train as their clocks say.
    fn by_clock(&self, simulation: &Simulation, mut hand: Hand<'_, '_>, begun: u64, follower: &mut Follow<'_>) -> Counts {
        hand.iter_mut().for_each(|(_, replica, _)| self.passed(replica.link.begin()));
        let asking = RefCell::new(Asking { follower, last: Instant::now() });
        let at_work = |(number, replica, plan)| AtWork { turns: self, number, replica, plan, asking: &asking };
        let mut workers: Vec<_> = hand.into_iter().map(at_work).collect();
        clocked::take(simulation, self.epoch.number, begun, self.task.seed, &mut workers)
    }

    /// A round of one replica, and its exchange.
    fn turn(&self, number: usize, replica: &mut Replica<'_>, plan: &Plan, round: u64, asking: &mut Asking<'_, '_>) -> Counts {
        let sections = replica.link.sections();
        // Each begins with another section, so that those who exchange at once seldom wait.
        let in_turn = |section| (section + number * sections / self.replicas) % sections;
        let counts = self.train(replica, plan, round, asking);
        let rate = self.rate();
        if sections == 0 {
            let is_last = plan.is_through() || self.counters.stop.load(Relaxed);
            let link = &mut replica.link;
            self.passed(if is_last { link.end(counts.examples, rate) } else { link.exchange(counts.examples, rate) });
        }
        for section in (0..sections).map(in_turn) {
            let _alone = lock(&self.sections[section]);
            replica.link.exchange_section(section);
        }
        *lock(&self.last) = number;
        counts
    }

    /// A round of one replica.
    fn train(&self, replica: &mut Replica<'_>, plan: &Plan, round: u64, asking: &mut Asking<'_, '_>) -> Counts {
        let before = self.counters.examples.load(Relaxed);
        let part = Epoch { number: self.epoch.number, start: self.moment(before), plan, round };
        let (counts, _) = replica.engine.epoch(&part, &mut |examples| {
            asking.ask(before + examples, self.counters);
            self.counters.stop.load(Relaxed)
        });
        self.counters.examples.fetch_add(counts.examples, Relaxed);
        if !counts.loss.is_finite() {
            self.counters.stop.store(true, Relaxed);
        }
        counts
    }

    /// What has come of an exchange: a fault ends the epoch.
    fn passed<T: Default>(&self, result: Result<T>) -> T {
        result.unwrap_or_else(|error| {
            lock(&self.fault).get_or_insert(error);
            self.counters.stop.store(true, Relaxed);
            T::default()
        })
    }

    /// Where the run stands after so many examples of the epoch.
    fn moment(&self, examples: u64) -> Moment {
        Moment { step: self.epoch.start.step + examples, ..self.epoch.start }
    }

    /// The learning rate of now, as for one worker.
    fn rate(&self) -> f32 {
        self.task.schedule.rate(self.task.rate, &self.moment(self.counters.examples.load(Relaxed)))
    }
}

/// A virtual replica in an epoch.
struct AtWork<'a, 'f, 'g, 'r> {
    turns: &'a Turns<'a>,
    number: usize,
    replica: &'a mut Replica<'r>,
    plan: Plan,
    asking: &'a RefCell<Asking<'f, 'g>>,
}

impl clocked::Worker for AtWork<'_, '_, '_, '_> {
    fn number(&self) -> usize {
        self.number
    }

    fn train(&mut self, round: u64) -> Option<Counts> {
        if !self.plan.open(self.turns.every) || self.turns.counters.stop.load(Relaxed) {
            return None;
        }
        Some(self.turns.train(self.replica, &self.plan, round, &mut self.asking.borrow_mut()))
    }

    fn rate(&self) -> f32 {
        self.turns.rate()
    }

    fn link(&mut self) -> &mut dyn Link {
        *lock(&self.turns.last) = self.number;
        &mut *self.replica.link
    }

    fn passed<T: Default>(&self, result: Result<T>) -> T {
        self.turns.passed(result)
    }
}

/// A follower with when it was asked last.
struct Asking<'f, 'a> {
    follower: &'f mut Follow<'a>,
    last: Instant,
}

impl Asking<'_, '_> {
    fn ask(&mut self, examples: u64, counters: &Counters) {
        if self.last.elapsed() >= LOOK {
            counters.stop.fetch_or((self.follower)(examples), Relaxed);
            self.last = Instant::now();
        }
    }
}
