//! What a delay between score and step costs, and what a rule that knows of it gains. `cargo run --release --example delays [TRAIN.svm [PICTURE.svg]]`
//!
//! # A delay of exactly so many examples
//! On one thread each example's gradient is taken at the weights as they are. It waits until so many more examples have been scored, and
//! only then steps, as if it came from a worker so far away. Beside each gradient waits the rule's state as it was: `step_since` is given
//! both that and the state now.
//!
//! # What is printed
//! The mean log-loss of the first pass, each example scored before it steps, for rates three times apart; then that of the last pass. A
//! delay longer than the data leaves the whole first pass at weights of 0. The picture has the same: a panel for each of the two passes, loss
//! by rate, a line for each rule and delay.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    Loss, OutputFile,
    rules::{Adagrad, AdaptiveRevision, Clock, Rule, RuleVisitor, UpdateRule},
};
use plotters::prelude::*;
use std::{collections::VecDeque, error::Error, io::Write, path::Path};

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
    if let Some(picture) = std::env::args().nth(2) {
        let mut file = OutputFile::create(Path::new(&picture))?;
        file.write_all(draw(constant, &runs)?.as_bytes())?;
        file.finish()?;
    }
    Ok(())
}

/// Losses of a rule at each rate, pass by pass.
type Passes = [Vec<f64>; RATES.len()];

/// The picture.
fn draw(constant: f64, runs: &[[Passes; 2]; DELAYS.len()]) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (1100, 440)).into_drawing_area();
    root.fill(&WHITE)?;
    let colours = [BLACK, RGBColor(31, 119, 180), RGBColor(44, 160, 44), RGBColor(255, 127, 14), RGBColor(214, 39, 40)];
    for (area, pass) in root.split_evenly((1, 2)).iter().zip([0, PASSES - 1]) {
        let mut chart = ChartBuilder::on(area)
            .caption(format!("Log-loss of pass {} by rate, {constant:.2} of a constant", pass + 1), ("sans-serif", 16))
            .margin(10)
            .x_label_area_size(35)
            .y_label_area_size(45)
            .build_cartesian_2d((RATES[0] * 0.9..RATES[RATES.len() - 1] * 1.1).log_scale(), (0.1..30.0).log_scale())?;
        chart.configure_mesh().x_desc("learning rate").light_line_style(WHITE).draw()?;
        chart.draw_series(DashedLineSeries::new(
            [(RATES[0], constant), (RATES[RATES.len() - 1], constant)],
            2,
            4,
            BLACK.stroke_width(1),
        ))?;
        for ((delay, runs), colour) in DELAYS.iter().zip(runs).zip(colours) {
            for (rule, (losses, width)) in ["adagrad", "adaptive-revision"].into_iter().zip(runs.iter().zip([1, 3])) {
                let points = RATES.iter().zip(losses).map(|(&rate, losses)| (rate, losses[pass].clamp(0.1, 30.0)));
                let line = chart.draw_series(LineSeries::new(points, colour.stroke_width(width)))?;
                line.label(format!("{rule}, {delay} late"))
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(width)));
            }
        }
        chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.8)).draw()?;
    }
    root.present()?;
    drop(root);
    Ok(svg)
}
