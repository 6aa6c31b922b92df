//! The ways to train in parallel against their equations: `tests/golden/ways_numpy.py` has the same problem in NumPy, and its numbers.
use crate::{
    exchange::Parallel,
    params::{
        AccruingLoop, Beside, Between, Changes, Finish, Owned, Parameters, Places, Reads, Shape, Side, Slot, Stepping, TableShape, Weights,
    },
    rules::{Adagrad, Adam, AdaptiveRevision, Clock, Erased, Layout, Sgd, UpdateRule},
    servers::{Client, Clients, Local, Periods, Server, ServerRule},
    simd::{InstructionSet, Integers, Isa, Job, LANES, Line, Real, Vector, dispatch},
    transforms::{Adjuster, Transforms},
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use std::sync::{Arc, Mutex};

const WEIGHTS: usize = 6;
const EXAMPLES: usize = 40;
const REPLICAS: usize = 3;
const TURNS: usize = 30;
const RATE: f32 = 0.1;
const ALPHA: f32 = 0.3;

fn features(i: usize) -> [f32; LANES] {
    std::array::from_fn(|j| if j < WEIGHTS { (1.0 + 3.7 * i as f64 + 1.3 * j as f64).sin() as f32 } else { 0.0 })
}

/// A replica's steps by one example: its features and label, or the gradient itself.
struct Example<'a, R> {
    rule: R,
    parameters: &'a Parameters,
    clock: Clock,
    features: [f32; LANES],
    label: Option<f32>,
    /// Slots from one feature's to the next one's.
    apart: u32,
}

impl<R: UpdateRule> Job for Example<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Example { rule, parameters, clock, features, label, apart } = self;
        let (reads, adjuster) = (Reads::of(parameters, 0), Adjuster::new(Transforms::default(), 0, 0));
        let mut view = Stepping::<_, _, AccruingLoop>::new(isa, rule, R::Memory::default(), adjuster, parameters, reads, 1);
        let slots = Line(std::array::from_fn(|i| if i < WEIGHTS { i as u32 * apart } else { Slot::EMPTY }));
        let mut places = Line([0; LANES]);
        view.place(I::U::load(&slots), &mut places);
        view.begin(&clock);
        let x = I::V::load(&features);
        let score = (view.gather(0, &places) * x).sum();
        let slope = label.map_or(1.0, |label| score - label);
        view.step(0, &places, I::V::of(slope) * x, None);
        view.end();
    }
}

enum Link<'r> {
    Centre(Side<'r>),
    Servers(Client<'r>),
}

fn centre_after<R: UpdateRule>(parallel: Parallel, rule: R, set: InstructionSet) -> Vec<f32> {
    let (layout, single) = (Layout::of(&rule), TableShape::single(WEIGHTS));
    let shape = Shape { beside: Beside::Gradients, ..Shape::of(single) };
    let centre = &Parameters::new(&Shape::of(single), &layout).unwrap();
    let copies: Vec<Parameters> = (0..REPLICAS).map(|_| Parameters::new(&shape, &layout).unwrap()).collect();
    let between = Between { parallel, replicas: REPLICAS, averages: rule.averages(), elasticity: ALPHA };
    // Two servers, of which the second owns nothing: all slots are of the first sixteen.
    let erased = ServerRule(Erased::new(&rule));
    let server =
        |server| Mutex::new(Server::new(set, &erased, centre, Owned { server, of: 2 }, Clients { replicas: REPLICAS, pushes: 30 }));
    let servers: Arc<[_]> = (0..2).map(server).collect();
    let link = |own| match parallel {
        Parallel::Downpour => {
            let periods = Periods { push: 2, fetch: 4 };
            Link::Servers(Client::new(set, Box::new(Local(Arc::clone(&servers))), own, periods))
        }
        _ => Link::Centre(Side::new(set, centre, own, between).unwrap()),
    };
    for (own, centre) in copies.iter().flat_map(|own| own.tables().zip(centre.tables())) {
        Changes::copy(centre, Owned::ALL, |_| true).put(own);
    }
    let mut links: Vec<_> = copies.iter().map(link).collect();
    let (mut steps, rate) = ([0; REPLICAS], RATE * parallel.rate(REPLICAS));
    for turn in 0..TURNS {
        let replica = (7 * turn + turn / 3) % REPLICAS;
        for i in [2 * turn, 2 * turn + 1] {
            steps[replica] += 1;
            let clock = Clock { rate, step: steps[replica], steps: 2 * TURNS as u64 };
            let number = i % EXAMPLES;
            let label = Some((number as f64).cos() as f32);
            dispatch(set, Example { rule, parameters: &copies[replica], clock, features: features(number), label, apart: 1 });
        }
        match &mut links[replica] {
            Link::Centre(side) => side.exchange(),
            Link::Servers(client) => client.advance(2, RATE),
        }
    }
    let step = rule.prepare(&Clock::default(), &R::Memory::default());
    centre.table(0).weights(0..WEIGHTS, &Finish::new(&rule, step, None)).collect()
}

#[test]
fn each_way_is_what_its_equations_say() {
    let golden = include_str!("../../../../tests/golden/ways.txt");
    let mut seen = 0;
    for line in golden.lines() {
        let mut words = line.split(' ');
        let (way, rule) = (words.next().unwrap(), words.next().unwrap());
        let expected: Vec<f32> = words.map(|word| word.parse().unwrap()).collect();
        let parallel = Parallel::ALL.into_iter().find(|parallel| parallel.name() == way).unwrap();
        for set in InstructionSet::available() {
            let found = match rule {
                "sgd" => centre_after(parallel, Sgd, set),
                "adagrad" => centre_after(parallel, Adagrad::DEFAULT, set),
                "adam" => centre_after(parallel, Adam::DEFAULT, set),
                "adaptive-revision" => centre_after(parallel, AdaptiveRevision::DEFAULT, set),
                other => panic!("{other}"),
            };
            let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < 1e-5 && found.len() == WEIGHTS, "{way} {rule} {}: {found:?}, {expected:?}", set.name());
            seen += 1;
        }
    }
    assert_eq!(seen, 16 * InstructionSet::available().len());
}

/// Whole numbers as gradients: each reaches the servers once, whatever the periods, and all replicas fetch the same in the end.
#[test]
fn servers_lose_nothing() {
    let (layout, single, set) = (Layout::of(&Sgd), TableShape::single(100), InstructionSet::best());
    let clock = Clock { rate: 0.5, ..Clock::default() };
    for (seed, of) in [(1, 1), (2, 3), (3, 5), (4, 20)] {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let centre = &Parameters::new(&Shape::of(single), &layout).unwrap();
        let shape = Shape { beside: Beside::Gradients, ..Shape::of(single) };
        let copies: Vec<Parameters> = (0..REPLICAS).map(|_| Parameters::new(&shape, &layout).unwrap()).collect();
        let rule = ServerRule(Erased::new(&Sgd));
        let server = |server| Mutex::new(Server::new(set, &rule, centre, Owned { server, of }, Clients { replicas: REPLICAS, pushes: 9 }));
        let servers: Arc<[_]> = (0..of).map(server).collect();
        let client = |own| {
            let periods = Periods { push: random.random_range(1..6), fetch: random.random_range(1..9) };
            Client::new(set, Box::new(Local(Arc::clone(&servers))), own, periods)
        };
        let mut clients: Vec<_> = copies.iter().map(client).collect();
        let mut sums = [0.0; LANES];
        for _ in 0..200 {
            let (replica, gradient) = (random.random_range(0..REPLICAS), std::array::from_fn(|_| random.random_range(-3i32..4) as f32));
            dispatch(set, Example { rule: Sgd, parameters: &copies[replica], clock, features: gradient, label: None, apart: 17 });
            sums.iter_mut().zip(gradient).take(WEIGHTS).for_each(|(sum, g)| *sum += g);
            clients[replica].advance(1, clock.rate);
        }
        clients.iter_mut().for_each(|client| client.push(clock.rate));
        clients.iter_mut().for_each(Client::fetch);
        for parameters in copies.iter().chain([centre]) {
            let weights: Vec<f32> = parameters.table(0).weights(0..100, &Finish::new(&Sgd, clock.rate, None)).step_by(17).collect();
            assert!(weights.iter().zip(sums).all(|(w, sum)| *w == -0.5 * sum), "{of} servers: {weights:?} {sums:?}");
        }
    }
}
