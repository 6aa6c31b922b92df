//! Groups of four against a plain computation in `f64`, against the model of one rating at a time, and against themselves on other
//! instruction sets.
use super::quads::{Quad, Scored};
use crate::{
    loss::Loss,
    models::{AnyWidth, Factorization, Fixed, Model, Pair, WeightedPair, Width},
    params::{Finish, Parameters, Plain, Shape, TableShape, quads::QuadRows},
    rules::{AdagradRowwise, Clock, Layout, UpdateRule},
    simd::{InstructionSet, Isa, Job, Quarters, dispatch},
};

const ROWS: u32 = 12;
const USERS: u32 = 6;
const RATE: f32 = 0.2;
const L2: f32 = 0.05;
const MEAN: f32 = 0.3;
const RULE: AdagradRowwise = AdagradRowwise::DEFAULT;

/// A number from -1 to 1 by lot.
fn number(i: u32) -> f32 {
    (crate::simd::math::mixed(i as u64) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

/// Groups of ratings without a common row, with their targets.
fn groups(count: u32) -> Vec<([Pair; 4], [f32; 4])> {
    let pair = |g: u32, j: u32| Pair::new((g + j) % USERS, (5 * g + j * (1 + g % 2 * 4)) % (ROWS - USERS), USERS);
    (0..count)
        .map(|g| (std::array::from_fn(|j| pair(g, j as u32)), std::array::from_fn(|j| 2.0 * number(9000 + 4 * g + j as u32))))
        .collect()
}

fn start(rank: usize) -> impl FnMut() -> f32 {
    let mut i = 0;
    move || {
        i += 1;
        number(i) / (rank as f32).sqrt()
    }
}

/// Trains on groups; gives the scores, then the parameters row by row: factors, the weight beside, and the squared length as kept.
struct Train<'a, W: Width> {
    model: &'a Factorization<W>,
    loss: Loss,
    groups: &'a [([Pair; 4], [f32; 4])],
    rank: usize,
}

impl<W: Width> Job for Train<'_, W> {
    type Output = (Vec<f32>, Vec<Vec<f32>>);

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> Self::Output {
        let layout = Layout::of(&RULE);
        let parameters = Parameters::new(&Shape::of(TableShape::rows(ROWS as usize, self.rank)), &layout).unwrap();
        parameters.table(0).set_weights(start(self.rank));
        let (rows, stride) = (QuadRows::<W>::new(&parameters, &layout), Parameters::row_stride(&layout, self.rank));
        rows.prepare(isa, 0..ROWS * stride, true);
        let (constants, mut scored) = (self.model.constants::<I::V>(), Scored::<W, I::V>::room());
        let mut scores = Vec::new();
        for (pairs, targets) in self.groups {
            let quad =
                Quad { users: pairs.map(|pair| rows.row(pair.user * stride)), items: pairs.map(|pair| rows.row(pair.item * stride)) };
            let z = self.model.score_quad(isa, &quad, rows.vectors(), &constants, &mut scored);
            scores.extend(z.firsts());
            let slopes = self.loss.slopes(z, I::V::spread(*targets));
            self.model.step_quad(isa, &quad, rows.vectors(), &constants, &scored, slopes, (&RULE, RATE));
        }
        let finish = Finish::new(&RULE, RULE.prepare(&Clock::default(), &()), None);
        let row = |row: usize| {
            let length = rows.row(row as u32 * stride).squared_length();
            parameters.table(0).weights(row..row + 1, &finish).chain([parameters.table(0).beside(row, &finish), length]).collect()
        };
        (scores, (0..ROWS as usize).map(row).collect())
    }
}

/// A row in `f64`: factors, the weight beside, the states of that and of the row.
#[derive(Clone)]
struct Row {
    factors: Vec<f64>,
    beside: f64,
    states: [f64; 2],
}

/// The method as papers write it, one rating after the other.
fn plainly(loss: Loss, groups: &[([Pair; 4], [f32; 4])], rank: usize) -> (Vec<f64>, Vec<Row>) {
    let mut weight = start(rank);
    let mut rows: Vec<Row> =
        (0..ROWS).map(|_| Row { factors: (0..rank).map(|_| weight() as f64).collect(), beside: 0.0, states: [1.0; 2] }).collect();
    let (rate, l2, mut scores) = (RATE as f64, L2 as f64, Vec::new());
    for (pair, &target) in groups.iter().flat_map(|(pairs, targets)| pairs.iter().zip(targets)) {
        let [p, q] = [pair.user, pair.item].map(|row| rows[row as usize].clone());
        let z = MEAN as f64 + p.beside + q.beside + p.factors.iter().zip(&q.factors).map(|(p, q)| p * q).sum::<f64>();
        scores.push(z);
        let slope = loss.slope(z as f32, target) as f64;
        for (row, other, number) in [(&p, &q, pair.user), (&q, &p, pair.item)] {
            let gradient: Vec<f64> = row.factors.iter().zip(&other.factors).map(|(w, v)| slope * v + l2 * w).collect();
            let beside = slope + l2 * row.beside;
            let to = &mut rows[number as usize];
            for (w, g) in to.factors.iter_mut().zip(&gradient) {
                *w -= rate / row.states[1].sqrt() * g;
            }
            to.beside -= rate / row.states[0].sqrt() * beside;
            to.states[0] += beside * beside;
            to.states[1] += gradient.iter().map(|g| g * g).sum::<f64>() / rank as f64;
        }
    }
    (scores, rows)
}

/// The model of one rating at a time, in the order of the groups.
fn one_by_one(loss: Loss, groups: &[([Pair; 4], [f32; 4])], rank: usize) -> (Vec<f32>, Plain<AdagradRowwise>) {
    let (model, mut weights) = (Factorization::new(rank, MEAN, L2), Plain::new(RULE, 0, ROWS as usize, rank));
    let mut weight = start(rank);
    (0..ROWS).for_each(|row| weights.wide_mut(row).take(rank).for_each(|w| *w = weight()));
    let (mut scratch, mut scores) = (model.scratch(2), Vec::new());
    weights.set_clock(&Clock { rate: RATE, ..Clock::default() });
    for (pair, &target) in groups.iter().flat_map(|(pairs, targets)| pairs.iter().zip(targets)) {
        let pair = WeightedPair::from(*pair);
        let z = model.score(&pair, &mut weights, &mut scratch);
        scores.push(z);
        model.backward(&pair, loss.slope(z, target), &mut weights, &mut scratch);
    }
    (scores, weights)
}

fn check<W: Width>(rank: usize, loss: Loss) {
    let groups = groups(60);
    for (pairs, _) in &groups {
        assert!((0..4).all(|i| (0..i).all(|j| pairs[i].user != pairs[j].user && pairs[i].item != pairs[j].item)));
    }
    let model = Factorization::new(rank, MEAN, L2).with_width::<W>();
    let of = |set| dispatch(set, Train { model: &model, loss, groups: &groups, rank });
    let (scores, rows) = of(InstructionSet::Portable);
    for set in InstructionSet::available() {
        let bits = |(scores, rows): &(Vec<f32>, Vec<Vec<f32>>)| -> Vec<u32> {
            scores.iter().chain(rows.iter().flatten()).map(|x| x.to_bits()).collect()
        };
        assert!(bits(&of(set)) == bits(&(scores.clone(), rows.clone())), "{rank} {loss} {}", set.name());
    }
    let near = |a: f32, b: f64, what: &str| assert!((a as f64 - b).abs() < 1e-5 * (1.0 + b.abs()), "{rank} {loss} {what}: {a} {b}");
    let (expected, expected_rows) = plainly(loss, &groups, rank);
    scores.iter().zip(&expected).for_each(|(&a, &b)| near(a, b, "score"));
    for (row, expected) in rows.iter().zip(&expected_rows) {
        row.iter().zip(&expected.factors).for_each(|(&a, &b)| near(a, b, "factor"));
        near(row[rank], expected.beside, "weight beside");
        near(row[rank + 1], expected.factors.iter().map(|w| w * w).sum(), "squared length");
    }
    // The first group has seen no kept length: what it scores has the bits of one at a time. Later on lengths differ by rounding.
    let (expected, mut weights) = one_by_one(loss, &groups, rank);
    assert_eq!(scores[..4].iter().map(|z| z.to_bits()).collect::<Vec<_>>(), expected[..4].iter().map(|z| z.to_bits()).collect::<Vec<_>>());
    scores.iter().zip(&expected).for_each(|(&a, &b)| near(a, b as f64, "score, one at a time"));
    for (number, row) in rows.iter().enumerate() {
        weights.wide_mut(number as u32).zip(&row[..rank]).for_each(|(a, &b)| near(*a, b as f64, "factor, one at a time"));
    }
}

#[test]
fn four_ratings_at_a_time_learn_what_one_after_the_other_does() {
    for loss in [Loss::Squared, Loss::Logistic] {
        check::<Fixed<2>>(32, loss);
        for rank in [1, 5, 16, 32, 128] {
            check::<AnyWidth>(rank, loss);
        }
        check::<Fixed<2>>(20, loss);
    }
}
