//! What a delay between score and step costs, and what a rule that knows of it gains. `cargo run --release --example delays [TRAIN.svm]`
//!
//! # A delay of exactly so many examples
//! On one thread each example's gradient is taken at the weights as they are. It waits until so many more examples have been scored, and
//! only then steps, as if it came from a worker so far away. Beside each gradient waits the rule's state as it was: `step_since` is given
//! both that and the state now.
//!
//! # What is printed
//! The mean log-loss of the first pass, each example scored before it steps, for rates three times apart; then that of the last pass. A
//! delay longer than the data leaves the whole first pass at weights of 0.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    Loss,
    rules::{Adagrad, AdaptiveRevision, Clock, Rule, RuleVisitor, UpdateRule},
};
use std::{collections::VecDeque, error::Error};

const DELAYS: [usize; 5] = [0, 1, 100, 1000, 5000];
const RATES: [f32; 6] = [0.05, 0.15, 0.5, 1.5, 4.5, 13.5];
const PASSES: usize = 5;

struct Example {
    label: f32,
    /// Numbers and values; number 0 is the bias.
    features: Vec<(usize, f32)>,
}

fn parse(line: &str) -> Result<Example, Box<dyn Error>> {
    let mut fields = line.split_whitespace();
    let label: f32 = fields.next().ok_or("an empty line")?.parse()?;
    let mut features = vec![(0, 1.0)];
    for field in fields {
        let (number, value) = field.split_once(':').ok_or("a feature without a value")?;
        features.push((number.parse()?, value.parse()?));
    }
    Ok(Example { label: label.signum(), features })
}

/// A feature's step under way: its gradient, and the rule's state when that was taken.
struct Late<S> {
    feature: usize,
    gradient: f32,
    read: S,
}

/// Passes over the examples at a rate, with a delay; gives the mean loss of each.
struct Delayed<'a> {
    examples: &'a [Example],
    delay: usize,
    rate: f32,
}

impl RuleVisitor for Delayed<'_> {
    type Output = Vec<f64>;

    fn visit<R: UpdateRule>(self, rule: R) -> Vec<f64> {
        let Delayed { examples, delay, rate } = self;
        let features = examples.iter().flat_map(|example| &example.features).map(|feature| feature.0).max().unwrap_or(0);
        let mut weights = vec![(0.0f32, rule.initial()); features + 1];
        let step = rule.prepare(&Clock { rate, ..Clock::default() }, &R::Memory::default());
        let mut waiting: VecDeque<Vec<Late<R::State<f32>>>> = VecDeque::new();
        let pass = |_| {
            let mut loss = 0.0;
            for Example { label, features } in examples {
                let score: f32 = features.iter().map(|&(feature, x)| weights[feature].0 * x).sum();
                loss += Loss::Logistic.value(score, *label) as f64;
                let slope = Loss::Logistic.slope(score, *label);
                let late = |&(feature, x)| Late { feature, gradient: slope * x, read: weights[feature].1 };
                waiting.push_back(features.iter().map(late).collect());
                if waiting.len() > delay {
                    for Late { feature, gradient, read } in waiting.pop_front().into_iter().flatten() {
                        let (weight, state) = &mut weights[feature];
                        *weight = rule.step_since(&step, *weight, gradient, state, &read);
                    }
                }
            }
            loss / examples.len() as f64
        };
        (0..PASSES).map(pass).collect()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or("data/reviews.train.svm".into());
    let examples = std::fs::read_to_string(path)?.lines().map(parse).collect::<Result<Vec<_>, _>>()?;
    let positive = examples.iter().filter(|example| example.label > 0.0).count() as f64 / examples.len() as f64;
    let constant = -(positive * positive.ln() + (1.0 - positive) * (1.0 - positive).ln());
    println!("{} examples; the best constant prediction loses {constant:.4}", examples.len());

    let rules = [Rule::from(Adagrad::DEFAULT), AdaptiveRevision::DEFAULT.into()];
    let runs = DELAYS.map(|delay| rules.map(|rule| RATES.map(|rate| rule.visit(Delayed { examples: &examples, delay, rate }))));
    for pass in [0, PASSES - 1] {
        println!("\nLog-loss of pass {}\n", pass + 1);
        println!("| delay | rule | {} |", RATES.map(|rate| format!("rate {rate}")).join(" | "));
        println!("|---|---|{}", "---|".repeat(RATES.len()));
        for (delay, runs) in DELAYS.iter().zip(&runs) {
            for (rule, runs) in rules.iter().zip(runs) {
                let losses = runs.each_ref().map(|losses| format!("{:.4}", losses[pass]));
                println!("| {delay} | {} | {} |", rule.name(), losses.join(" | "));
            }
        }
    }
    Ok(())
}
