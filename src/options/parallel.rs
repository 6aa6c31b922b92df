//! Who works: threads, what each of them has for itself, and replicas of the model.
use super::{RuleFacts, Settings, Takes, option::bad, partitioned};
use crate::{Batch, InstructionSet, Loss, Order, Parallel, Result, Threads};
use hogwild_base::threads;
use hogwild_kernels::engine::Facts;

/// An epoch divided by this is the most examples that all replicas together train between two exchanges of each. Two replicas may exchange
/// once an epoch: more often gains nothing, and takes time where features are many.
const EXCHANGES_OF_TWO: u64 = 1;
/// The same of more replicas by `mean` and `elastic`: with fewer exchanges they lose.
const EXCHANGES: u64 = 4;
/// By `downpour`, as servers take a sum of gradients where `mean` takes a mean (imdb_1gram, 16 replicas: 5% worse with 4).
const EXCHANGES_WITH_SERVERS: u64 = 8;
/// By `overlap`, which finds what two changes have in common, and finds less of it in long ones (imdb_1gram, 64 replicas: 3.9% worse with
/// 64 examples between two exchanges, 1.6% with 8).
const EXCHANGES_OF_OVERLAP: u64 = 48;

group! { $ "Threads";
    /// Workers; all else in a run has as many threads, and one is the calling thread. By default, and by 0, a run has as many workers as the
    /// data are worth; all else, such as the search of learning rates, then has all cores.
    threads: usize = 0 => {
        value: "N",
        by_default: ["one for each 2 million nonzeros (up to all cores)", "one for each 500,000 ratings (up to all cores)"],
        must_be: "from 1 to 1024, or 0 for as many as the data are worth",
        within: |s| s.threads <= 1024,
    }

    /// Threads of the search of learning rates, which finds the same on any number.
    search_threads: Option<usize> = None => {
        value: "N",
        by_default: ["as many as workers", "as many as workers"],
        is_flag: false,
        is_logged: false,
        must_be: "from 1 to 1024",
        within: |s| s.search_threads.is_none_or(|search_threads| (1..=1024).contains(&search_threads)),
    }

    /// How workers share one model: one copy without locks, batches, replicas, or parts that each have one owner.
    parallel: Parallel = Parallel::Hogwild, ratings Parallel::Auto => { value: "WAY", details: Some(ways), }

    /// Copies of the model, each trained on its part of the data. With more replicas than threads they take turns; with fewer, several
    /// workers train one as by hogwild. On one thread they repeat to the bit, so one machine shows what many would learn.
    replicas: Option<usize> = None => {
        value: "N",
        by_default: [
            "one for each memory domain (NUMA node), where there are several; else one for each thread, at least 2",
            "one for each memory domain (NUMA node), where there are several; else one for each thread, at least 2",
        ],
        needs: Some("parallel"),
        must_be: "from 1 to 1024",
        within: |s| s.replicas.is_none_or(|replicas| (1..=1024).contains(&replicas)),
    }

    /// Of elastic averaging: alpha. At each exchange a replica and the centre move so much of the way to each other.
    elasticity: Option<f32> = None => {
        value: "ALPHA",
        by_default: ["0.9 divided by the replicas, at least 0.3", "0.9 divided by the replicas, at least 0.3"],
        needs: Some("parallel"),
        must_be: "above 0, below 1; try 0.3",
        within: |s| s.elasticity.is_none_or(|alpha| alpha > 0.0 && alpha < 1.0),
    }

    /// With `parallel` partitioned: how many parts own the parameters. Of linear models each is a worker with its features; more than
    /// threads take turns. Of ratings it is blocks of items, or of users, whichever are fewer. The same number gives the same bits on any
    /// number of threads.
    parts: Option<usize> = None => {
        value: "N",
        by_default: ["one for each thread, at least 2", "4 to 16, of few ratings fewer; where they are trained one at a time 64, and one for each thread at least"],
        needs: Some("parallel"),
        must_be: "from 1 to 1024",
        within: |s| s.parts.is_none_or(|parts| (1..=1024).contains(&parts)),
    }

    /// By parts of linear models: batches that are scored when the oldest of them steps, so that workers do not wait for one another's
    /// scores. The same bits come of the same parts, `batch` and `in_flight`.
    in_flight: Option<usize> = None => {
        value: "K",
        by_default: ["2; without it and `batch`, batches are of 16", ""],
        needs: Some("parallel"),
        takes: Takes::Linear,
        must_be: "from 1 to 1024",
        within: |s| s.in_flight.is_none_or(|in_flight| (1..=1024).contains(&in_flight)),
    }

    /// Most frequent rows that each worker holds privately; 0 is plain Hogwild!.
    hot_rows: Option<usize> = None => {
        value: "N",
        by_default: [
            "on several threads those that more than one of 1,024 examples has, up to 32,768 numbers: 16,384 rows of adagrad, \
             8,192 of adam",
            "",
        ],
        takes: Takes::Rows,
        must_be: "a whole number, 0 or more; try 1024",
    }

    /// Most frequent rows, the bias among them, that step once for each eight examples, by sums of gradients and of their squares. 0: an
    /// example at a time.
    dense_rows: Option<usize> = None => {
        value: "N",
        by_default: [
            "by adagrad on 32,768 examples or more, of up to 64 features: 16 to 128, by how frequent features are; 0 with `order` \
             sequential, `l2`, weights, transforms, scaled features, batches, another `parallel`, a `window`, losses but logistic, \
             squared and huber, or where few features are frequent",
            "",
        ],
        takes: Takes::Linear,
        must_be: "0, or a multiple of 16 up to 128",
        within: |s| s.dense_rows.is_none_or(|rows| rows <= 128 && rows.is_multiple_of(16)),
    }

    /// Examples between two exchanges of the hottest private rows; others are exchanged every 4th or 16th time. With `replicas`: between two
    /// exchanges of a replica with the centre.
    exchange_every: Option<u32> = None => {
        value: "N",
        by_default: [
            "64 to 1,024 (by hot rows and nonzeros), of more than two workers in proportion less; of two replicas: an epoch or sooner; of more: until they have seen a quarter of the data together (by overlap a 48th), or sooner",
            "256; of two replicas: an epoch or sooner; of more: until they have seen a quarter of the data together (by overlap a 48th), or sooner",
        ],
        must_be: "at least 1; try 256",
        within: |s| s.exchange_every != Some(0),
    }

    /// Whether each worker is pinned to a core, where there are as many workers as cores, and more than one. The command does, as it has
    /// the machine to itself.
    pin: bool = false => { off: "Let the system move the workers between cores.", }

    /// The vector instructions that workers use; all give the same bits.
    isa: Option<InstructionSet> = None => {
        value: "SET",
        by_default: ["the best of this processor", "the best of this processor"],
        is_flag: false,
        is_logged: false,
    }
}

/// The ways, for help.
fn ways() -> String {
    "auto: of ratings partitioned under the default rule, four of them in flight; hogwild otherwise;\n\
     hogwild: one shared copy, stepped without locks;\n\
     synchronous: all workers sum the gradients of a `batch`, and the rule steps once by their mean;\n\
     mean: replicas at the rate times their number; weights take the mean of their changes, sums of squares the sum;\n\
     overlap: replicas at the rate as it is; changes that agree count once, others add up (for rules without sums of squares);\n\
     elastic: replicas at the rate times their number, drawn to a centre, and it to them (EASGD); the model is the centre;\n\
     downpour: replicas push their gradients to parameter servers, where the rule steps, and fetch what has changed there;\n\
     partitioned: each worker owns a part of the parameters, so that no update is lost and runs repeat to the bit"
        .into()
}

fn check(s: &Settings, rule: &RuleFacts<'_>) -> Result<()> {
    partitioned::check(s, rule)?;
    if s.parallel == Parallel::Synchronous && s.batch == Batch::One {
        return bad("parallel", s.parallel.name(), "steps by the examples of a batch; give `batch` a number, as 256, or full");
    }
    if s.replica_count() == 0 {
        if let Some(replicas) = s.replicas {
            return bad("replicas", replicas, "share no model by this `parallel`; try `parallel` mean");
        }
    } else {
        if s.batch != Batch::One {
            return bad("parallel", s.parallel.name(), "has replicas, which step an example at a time; leave out `batch`");
        }
        if s.transforms.average.is_some() {
            return bad("parallel", s.parallel.name(), "has replicas, whose weights' averages nobody has; leave out `average`");
        }
        if rule.reads {
            let problem = "exchanges weights, and those of this `rule` are made of its state; use `rule` adagrad, or `parallel` hogwild";
            return bad("parallel", s.parallel.name(), problem);
        }
        if let Some(hot) = s.hot_rows.filter(|_| s.parallel == Parallel::Downpour) {
            return bad("hot_rows", hot, "are copies, and `parallel` downpour sums gradients beside the rows themselves; leave it out");
        }
        if let Some(hot) = s.hot_rows.filter(|_| s.workers() == 1) {
            return bad("hot_rows", hot, "is of workers that share a copy, and each has a replica of its own; leave it out");
        }
    }
    if let Some(alpha) = s.elasticity.filter(|_| s.parallel != Parallel::Elastic) {
        return bad("elasticity", alpha, "is of `parallel` elastic");
    }
    if let Some(dense @ 1..) = s.dense_rows {
        if !matches!(rule.name, "adagrad" | "adagrad-rowwise") {
            return bad("dense_rows", dense, "are stepped by `rule` adagrad alone; use it, or leave them out");
        }
        if !s.groups() {
            let problem = "step by groups of examples that count alike, by `loss` logistic, squared or huber, without `l2`, transforms of gradients, \
                 `batch` or another `parallel`; leave them out";
            return bad("dense_rows", dense, problem);
        }
    }
    if let (Some(hot @ 1..), true) = (s.hot_rows, s.sums_batches()) {
        return bad("hot_rows", hot, "is of Hogwild! workers, and by batches no row is private; leave it out, or use `batch` 1");
    }
    if let Some(every) = s.exchange_every.filter(|_| s.sums_batches()) {
        return bad("exchange_every", every, "is of Hogwild! workers, and by batches no row is private; leave it out, or use `batch` 1");
    }
    Ok(())
}

impl Settings {
    /// The way that a run goes: by batches it is synchronous, unasked.
    pub(crate) fn way(&self) -> Parallel {
        match self.parallel {
            Parallel::Auto | Parallel::Hogwild if self.batch != Batch::One => Parallel::Synchronous,
            Parallel::Auto => Parallel::Hogwild,
            way => way,
        }
    }

    /// The settings with a way and with workers where these were left open; `worth`: how many workers the data are worth.
    pub(crate) fn resolved(&self, facts: &Facts, worth: usize, simulated: bool) -> Settings {
        let apart = facts.quads && self.quads() && !simulated && self.hot_rows.unwrap_or(0) == 0 && self.exchange_every.is_none();
        let parallel = match self.parallel {
            Parallel::Auto if apart => Parallel::Partitioned,
            Parallel::Auto => Parallel::Hogwild,
            way => way,
        };
        let (threads, search_threads) = match self.threads {
            0 => {
                let all = Threads::all().count();
                (all.min(worth).min(self.parts.unwrap_or(usize::MAX)), self.search_threads.or(Some(all)))
            }
            given => (given, self.search_threads),
        };
        // Virtual workers take turns an example at a time.
        let dense_rows = if simulated { Some(0) } else { self.dense_rows };
        Settings { parallel, threads, search_threads, dense_rows, ..self.clone() }
    }

    /// Whether four ratings may be in flight: each is a step as it is, and their order is free.
    pub(crate) fn quads(&self) -> bool {
        self.batch == Batch::One && self.transforms.are_off() && self.order == Order::Shuffle
    }

    /// Whether examples of rows may go by groups of eight: each is a step as it is, of workers that share one copy. Of a slot that several of
    /// the eight have the last one's step stands, so none may be a step of 0: by weight, or by a loss that is flat somewhere.
    pub(crate) fn groups(&self) -> bool {
        let plain = self.l2 == 0.0 && self.transforms.are_off() && self.batch == Batch::One;
        let moves = matches!(self.loss, Loss::Logistic | Loss::Squared | Loss::Huber(_)) && self.class_weight.is_none();
        plain && moves && self.way() == Parallel::Hogwild && self.replica_count() == 0 && self.dense_rows != Some(0)
    }

    /// Workers that share parameters, at most: those of a replica. By batches one hand steps them, and of parts each has its own.
    pub(crate) fn workers(&self) -> usize {
        match self.replica_count() {
            0 if self.way() == Parallel::Hogwild => self.threads,
            0 => 1,
            replicas => self.threads.div_ceil(replicas),
        }
    }

    /// Examples of a block, which by `hogwild` is what passes between two exchanges. Replicas are dealt out blocks, so each is to have
    /// some, and a round is whole blocks.
    pub(crate) fn block(&self, auto: u32, examples: u64) -> u32 {
        match self.replica_count() {
            0 => self.exchange_every.unwrap_or(auto),
            n => auto
                .min(self.round().unwrap_or(auto))
                .min((examples / (self.exchanges().max(8) * n as u64)).clamp(1, u32::MAX as u64) as u32),
        }
    }

    /// Into how many parts an epoch is cut at least, of which each replica's share lies between two of its exchanges.
    pub(crate) fn exchanges(&self) -> u64 {
        match self.parallel {
            _ if self.replica_count() <= 2 => EXCHANGES_OF_TWO,
            Parallel::Downpour => EXCHANGES_WITH_SERVERS,
            Parallel::Overlap => EXCHANGES_OF_OVERLAP,
            _ => EXCHANGES,
        }
    }

    /// Examples after which a replica exchanges, pushes or fetches at the earliest, where that is said.
    pub(crate) fn round(&self) -> Option<u32> {
        [self.exchange_every, self.push_every, self.fetch_every].into_iter().flatten().min()
    }

    /// Copies of the model; 0 where all workers share one. By default one for each memory domain, where there are several and enough
    /// threads.
    pub(crate) fn replica_count(&self) -> usize {
        let domains = threads::nodes().len();
        let auto = if domains > 1 && self.threads > domains { domains } else { self.threads.max(2) };
        if self.parallel.has_replicas() { self.replicas.unwrap_or(auto) } else { 0 }
    }

    /// The threads that a run is given: those of its workers, or of its learning-rate search.
    pub(crate) fn all_threads(&self) -> usize {
        self.threads.max(self.search_threads.unwrap_or(1))
    }

    /// The instruction set, which is checked to be one of this processor's.
    pub(crate) fn instruction_set(&self) -> Result<InstructionSet> {
        self.isa.map_or_else(|| Ok(InstructionSet::best()), |set| InstructionSet::named(set.name()))
    }
}
