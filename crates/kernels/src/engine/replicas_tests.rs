//! Replicas whose engines count: whichever way they exchange, on whatever threads, each example reaches the centre once.
use super::{Counts, Engine, Epoch, Follow, Replicas, Simulation, Task};
use crate::{
    batch::Batch,
    exchange::Parallel,
    loss::Loss,
    order::{Order, Plan, Queue},
    params::{Between, Finish, Parameters, Shape, TableShape},
    rules::{Layout, Sgd},
    schedule::{Moment, Schedule},
    servers::{Carrier, Centre, Threads},
    simd::InstructionSet,
    transforms::Transforms,
};
use std::{iter, ops::Range};

const EXAMPLES: u32 = 203;
const REPLICAS: usize = 4;
const EPOCHS: usize = 3;

/// Adds 1 to the weight of the example's number.
struct Counting<'r>(&'r Parameters);

impl Engine for Counting<'_> {
    fn epoch(&mut self, epoch: &Epoch<'_>, _follow: &mut Follow<'_>) -> (Counts, u64) {
        let (mut queue, mut counts) = (Queue::new(epoch.plan, false, 0), Counts::default());
        loop {
            let n = queue.advance(None::<fn(u32) -> bool>);
            if n == 0 {
                return (counts, counts.examples);
            }
            let mut weights = self.0.table(0).numbers();
            queue.positions().0[..n].iter().for_each(|&position| weights[position as usize] += 1.0);
            assert!(self.0.table(0).set_numbers(&weights));
            (counts.examples, counts.nonzeros) = (counts.examples + n as u64, counts.nonzeros + n as u64);
        }
    }

    fn finish(&self) -> Finish<'_> {
        Finish::new(&Sgd, 1.0, None)
    }
}

/// How replicas exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Lent,
    /// Over so many shards.
    Messages(usize),
    /// Virtual ones, whose messages take so many examples.
    Virtual(f64),
}

/// The centre's weights, and how many examples each epoch had; a run is stopped in its last epoch where it is `stopped`.
fn train(parallel: Parallel, by: By, threads: usize, every: u64, stopped: bool) -> (Vec<f32>, Vec<u64>) {
    let shape = Shape::of(TableShape::single(EXAMPLES as usize));
    let make = || Parameters::new(&shape, &Layout::of(&Sgd)).unwrap();
    let (centre, copies, set) = (make(), [(); REPLICAS].map(|()| make()), InstructionSet::best());
    let units: Vec<Range<u32>> = iter::once(0..EXAMPLES).collect();
    let simulation = match by {
        By::Virtual(delay) => Some(Simulation::new(REPLICAS, 0.5, delay, 1.0, 3)),
        _ => None,
    };
    let task = Task {
        units: &units,
        examples: EXAMPLES as u64,
        admitted: &[EXAMPLES as u64; EPOCHS],
        parameters: &centre,
        rate: 1.0,
        schedule: Schedule::Constant,
        loss: Loss::Logistic,
        transforms: Transforms::default(),
        batch: Batch::One,
        pipeline: None,
        batch_growth: 1.0,
        seed: 7,
        threads,
        pin: false,
        node: None,
        set,
        reader: None,
        simulation: simulation.as_ref(),
    };
    let between = Between { parallel, replicas: REPLICAS, averages: false, elasticity: 0.25 };
    let parts = copies.iter().map(|own| (Box::new(Counting(own)) as Box<dyn Engine>, own)).collect();
    let mut replicas = match by {
        By::Messages(shards) => {
            let part = |number| Centre::new(set, &centre, between, number, shards).unwrap();
            let carriers = Threads::group(REPLICAS, (0..shards).map(part).collect());
            let carriers = carriers.into_iter().map(|carrier| Box::new(carrier) as Box<dyn Carrier>).collect();
            Replicas::with_carriers(&task, parts, carriers, shards, between, every).unwrap()
        }
        _ => Replicas::with_centre(&task, parts, between, every).unwrap(),
    };
    let mut examples = Vec::new();
    for number in 1..=EPOCHS {
        let plan = Plan::new(&units, Vec::new(), Order::Sequential, 1, 7, number);
        let epoch = Epoch { number, start: Moment { step: 1, ..Moment::default() }, plan: &plan, round: 0 };
        examples.push(replicas.epoch(&epoch, &mut |_| stopped && number == EPOCHS).0.examples);
        assert!(replicas.fault().is_none());
    }
    drop(replicas);
    let weights = centre.table(0).numbers();
    (weights, examples)
}

#[test]
fn each_example_reaches_the_centre_once() {
    for by in [By::Lent, By::Messages(1), By::Messages(3), By::Virtual(0.0), By::Virtual(6.0)] {
        let all_threads: &[usize] = if matches!(by, By::Virtual(_)) { &[1] } else { &[1, 2, 4] };
        for &threads in all_threads {
            // Parts of 50 and 51 examples: rounds that end with them, in the midst, and never.
            for (every, stopped) in [(1, false), (7, false), (1000, false), (7, true)] {
                let (weights, examples) = train(Parallel::Mean, by, threads, every, stopped);
                let epochs = if stopped { EPOCHS - 1 } else { EPOCHS };
                let what = format!("{by:?} {threads} threads, {every}: {examples:?}");
                assert!(examples[..epochs].iter().all(|&n| n == EXAMPLES as u64) && examples[epochs..].iter().all(|&n| n == 0), "{what}");
                assert_eq!(weights, [epochs as f32 / REPLICAS as f32; EXAMPLES as usize], "{what}");
            }
        }
    }
}

#[test]
fn by_messages_a_thread_learns_the_same_bits() {
    for parallel in [Parallel::Mean, Parallel::Overlap, Parallel::Elastic] {
        for every in [1, 7, 1000] {
            let bits = |by| train(parallel, by, 1, every, false).0.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(By::Lent), bits(By::Messages(1)), "{parallel:?} {every}");
        }
    }
}
