//! The ways to train in parallel against their equations: `tests/golden/ways_numpy.py` has the same problem in NumPy, and its numbers.
use crate::{
    exchange::Parallel,
    params::{
        AccruingLoop, Beside, Between, Finish, FullLoop, Move, Owned, Parameters, Places, Reads, Section, Shape, Side, Slot, Stepping,
        TableShape, Weights,
    },
    rules::{Adagrad, AdagradRowwise, Adam, AdaptiveRevision, Clock, Erased, Layout, Sgd, Summing, UpdateRule},
    servers::{Centre, Client, Clients, Member, Periods, Server, ServerRule, Threads},
    simd::{InstructionSet, Integers, Isa, Job, LANES, Line, Real, Vector, dispatch},
    transforms::{Adjuster, Transforms},
    wire::{self, Reader},
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

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
        let mut view = Stepping::<_, _, FullLoop>::new(isa, rule, R::Memory::default(), adjuster, parameters, reads, 1);
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
    Distant(Member<'r>),
    Servers(Client<'r>),
}

/// `local`: the rule by which replicas step; `shards`: over how many a centre is spread that messages reach, 0 where its cells are lent.
fn centre_after<R: UpdateRule, L: UpdateRule>(parallel: Parallel, rule: R, local: L, set: InstructionSet, shards: usize) -> Vec<f32> {
    let (layout, own, single) = (Layout::of(&rule), Layout::of(&local), TableShape::single(WEIGHTS));
    let shape = Shape { beside: if own.sums { Beside::Nothing } else { Beside::Gradients }, ..Shape::of(single) };
    let centre = &Parameters::new(&Shape::of(single), &layout).unwrap();
    let copies: Vec<Parameters> = (0..REPLICAS).map(|_| Parameters::new(&shape, &own).unwrap()).collect();
    let between = Between { parallel, replicas: REPLICAS, averages: rule.averages(), elasticity: ALPHA };
    // Two servers, of which the second owns nothing: all slots are of the first sixteen.
    let erased = ServerRule(Erased::new(&rule));
    let server = |server| Server::new(set, &erased, centre, Owned { server, of: 2 }, Clients { replicas: REPLICAS, pushes: 30 });
    let carriers = Threads::group(REPLICAS, (0..2).map(server).collect());
    let part = |number| Centre::new(set, centre, between, number, shards).unwrap();
    let mut to_centre = Threads::group(REPLICAS, (0..shards).map(part).collect()).into_iter();
    let link = |(own, carrier)| match parallel {
        _ if shards > 0 => {
            let carrier = Box::new(to_centre.next().unwrap());
            Link::Distant(Member::new(carrier, shards, own, between, false).unwrap())
        }
        Parallel::Downpour => {
            let mut client = Client::new(set, Box::new(carrier), 2, own, Periods { push: 2, fetch: 4 });
            client.fetch().unwrap();
            Link::Servers(client)
        }
        _ => Link::Centre(Side::new(set, centre, own, between).unwrap()),
    };
    let mut links: Vec<_> = copies.iter().zip(carriers).map(link).collect();
    let (mut steps, rate) = ([0; REPLICAS], RATE * parallel.rate(REPLICAS));
    for turn in 0..TURNS {
        let replica = (7 * turn + turn / 3) % REPLICAS;
        for i in [2 * turn, 2 * turn + 1] {
            steps[replica] += 1;
            let clock = Clock { rate, step: steps[replica], steps: 2 * TURNS as u64 };
            let number = i % EXAMPLES;
            let label = Some((number as f64).cos() as f32);
            dispatch(set, Example { rule: local, parameters: &copies[replica], clock, features: features(number), label, apart: 1 });
        }
        match &mut links[replica] {
            Link::Centre(side) => side.exchange(),
            Link::Distant(member) => _ = member.exchange().unwrap(),
            Link::Servers(client) => client.advance(2, RATE).unwrap(),
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
            let by = |shards| match rule {
                "sgd" => centre_after(parallel, Sgd, Sgd, set, shards),
                "adagrad" => centre_after(parallel, Adagrad::DEFAULT, Adagrad::DEFAULT, set, shards),
                "adam" => centre_after(parallel, Adam::DEFAULT, Adam::DEFAULT, set, shards),
                "adaptive-revision" => centre_after(parallel, AdaptiveRevision::DEFAULT, AdaptiveRevision::DEFAULT, set, shards),
                other => panic!("{other}"),
            };
            let found = by(0);
            if parallel != Parallel::Downpour {
                // Messages give what lent cells do, to the bit.
                let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                let most = if parallel == Parallel::Overlap { 1 } else { 2 };
                (1..=most).for_each(|shards| assert_eq!(bits(&by(shards)), bits(&found), "{way} {rule} {}", set.name()));
            }
            if (parallel, rule) == (Parallel::Downpour, "adagrad") {
                // With the sums of gradients in the slots.
                let summing = centre_after(parallel, Adagrad::DEFAULT, Summing(Adagrad::DEFAULT), set, 0);
                let apart = found.iter().zip(&summing).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(apart < 1e-6 && summing.len() == WEIGHTS, "{found:?}, {summing:?}");
            }
            let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < 1e-5 && found.len() == WEIGHTS, "{way} {rule} {}: {found:?}, {expected:?}", set.name());
            seen += 1;
        }
    }
    assert_eq!(seen, 16 * InstructionSet::available().len());
}

/// Whole numbers as gradients: each reaches the servers once, whatever the periods, and all replicas fetch the same in the end. (Where gradients
/// of a push add up to exactly 0 nothing is sent, and a replica that fetched between them keeps what it has until somebody changes the slot.)
#[test]
fn servers_lose_nothing() {
    const SLOTS: usize = 6000;
    let (layout, single, set) = (Layout::of(&Sgd), TableShape::single(SLOTS), InstructionSet::best());
    let clock = Clock { rate: 0.5, ..Clock::default() };
    // Slots of a server's block each, or all of one sixteen: few of a sixteen travel by themselves, many as vectors.
    for (seed, of, apart) in [(1, 1, 1029), (2, 3, 1029), (3, 5, 1029), (4, 20, 1029), (5, 1, 1), (6, 2, 1), (7, 3, 1029), (8, 2, 1)] {
        let least = if seed > 6 { 1 } else { -3 };
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let centre = &Parameters::new(&Shape::of(single), &layout).unwrap();
        let shape = Shape { beside: Beside::Gradients, ..Shape::of(single) };
        let copies: Vec<Parameters> = (0..REPLICAS).map(|_| Parameters::new(&shape, &layout).unwrap()).collect();
        let rule = ServerRule(Erased::new(&Sgd));
        let server = |server| Server::new(set, &rule, centre, Owned { server, of }, Clients { replicas: REPLICAS, pushes: 9 });
        let carriers = Threads::group(REPLICAS, (0..of).map(server).collect());
        let client = |(own, carrier)| {
            let periods = Periods { push: random.random_range(1..6), fetch: random.random_range(1..9) };
            Client::new(set, Box::new(carrier), of, own, periods)
        };
        let mut clients: Vec<_> = copies.iter().zip(carriers).map(client).collect();
        let mut sums = [0.0; LANES];
        for _ in 0..200 {
            let (replica, gradient) = (random.random_range(0..REPLICAS), std::array::from_fn(|_| random.random_range(least..4i32) as f32));
            dispatch(set, Example { rule: Sgd, parameters: &copies[replica], clock, features: gradient, label: None, apart });
            sums.iter_mut().zip(gradient).take(WEIGHTS).for_each(|(sum, g)| *sum += g);
            clients[replica].advance(1, clock.rate).unwrap();
        }
        clients.iter_mut().for_each(|client| client.finish(0, clock.rate).unwrap());
        clients.iter_mut().for_each(|client| client.fetch().unwrap());
        let fetched = if apart > 1 || least > 0 { &copies[..] } else { &[] };
        for parameters in fetched.iter().chain([centre]) {
            let weights: Vec<f32> =
                parameters.table(0).weights(0..SLOTS, &Finish::new(&Sgd, clock.rate, None)).step_by(apart as usize).take(WEIGHTS).collect();
            assert!(weights.iter().zip(sums).all(|(w, sum)| *w == -0.5 * sum), "{of} servers: {weights:?} {sums:?}");
        }
    }
}

/// A row's step by a gradient.
struct RowStep<'a> {
    parameters: &'a Parameters,
    place: u32,
    rate: f32,
    gradient: [f32; 2 * LANES],
    beside: f32,
}

impl Job for RowStep<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let RowStep { parameters, place, rate, gradient, beside } = self;
        let (reads, adjuster) = (Reads::of(parameters, 0), Adjuster::new(Transforms::default(), 0, 0));
        let mut view = Stepping::<_, _, AccruingLoop>::new(isa, AdagradRowwise::DEFAULT, (), adjuster, parameters, reads, 1);
        let gradient = [I::V::load(gradient.first_chunk().unwrap()), I::V::load(gradient.last_chunk().unwrap())];
        view.begin(&Clock { rate, ..Clock::default() });
        view.step_row(place, &gradient, (gradient[0] * gradient[0] + gradient[1] * gradient[1]).sum(), beside);
        view.end();
    }
}

/// Of rows with one rate each the sums of gradients follow from the way: they are the sums, to rounding of the weights divided by the rate,
/// whatever the rate does meanwhile, and whatever is fetched.
#[test]
fn rows_push_the_sums_of_their_gradients() {
    let (layout, rows, width) = (Layout::of(&AdagradRowwise::DEFAULT), 20, 2 * LANES);
    let shape = Shape { beside: Beside::Gradients, ..Shape::of(TableShape::rows(rows, width)) };
    for set in InstructionSet::available() {
        let own = &Parameters::new(&shape, &layout).unwrap();
        let other = &Parameters::new(&Shape::of(TableShape::rows(rows, width)), &layout).unwrap();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        own.table(0).set_weights(|| 0.3);
        other.table(0).set_weights(|| -0.2);
        let owned = Owned { server: 0, of: 1 };
        for push in 0..4 {
            let mut sums = vec![([0.0f32; 2 * LANES], [0.0f32; 3]); rows];
            for i in 0..200 {
                // The rate falls to almost nothing, and rises once.
                let rate = if i == 150 { 0.2 } else { 0.1 * (1.0 - i as f32 / 201.0) };
                let (row, beside) = (random.random_range(0..rows - 1), random.random::<f32>() - 0.5);
                let gradient: [f32; 2 * LANES] = std::array::from_fn(|_| random.random::<f32>() - 0.5);
                dispatch(set, RowStep { parameters: own, place: 3 * row as u32, rate, gradient, beside });
                let (sum, [of_beside, squares_beside, squares]) = &mut sums[row];
                sum.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
                (*of_beside, *squares_beside) = (*of_beside + beside, *squares_beside + beside * beside);
                *squares += gradient.iter().map(|g| g * g).sum::<f32>() / width as f32;
                if push > 0 && i == 100 {
                    let mut message = Vec::new();
                    wire::begin(&mut message, 0);
                    let changed = vec![1; rows];
                    Move::Copy { owned, changed: &changed, from: 1, to: &mut message }.run(set, other.table(0));
                    wire::end(&mut message);
                    let section = Section::open(&mut Reader::open(&message).unwrap().1, own.table(0), owned).unwrap();
                    Move::Put(&section).run(set, own.table(0));
                    assert_eq!(own.table(0).numbers()[..width], [-0.2; 2 * LANES]);
                }
            }
            let mut message = Vec::new();
            wire::begin(&mut message, 0);
            let [slots, numbers] = Move::Take(owned, &mut message).run(set, own.table(0));
            wire::end(&mut message);
            assert_eq!((slots, numbers), (rows as u64 - 1, (rows as u64 - 1) * 48));
            let section = Section::open(&mut Reader::open(&message).unwrap().1, own.table(0), owned).unwrap();
            for record in section.records() {
                let (sum, [of_beside, squares_beside, squares]) = &sums[record.number];
                let close = |i: usize, x: f32| (wire::number(record.numbers, i) - x).abs() < 1e-3;
                assert!((0..width).all(|i| close(i, sum[i])), "{}", set.name());
                assert!(close(width, *of_beside) && close(width + 1, *squares_beside) && close(width + 4, *squares));
            }
            // All was taken.
            assert_eq!(Move::Take(owned, &mut message).run(set, own.table(0)), [0, 0]);
        }
    }
}
