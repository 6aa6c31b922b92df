//! # An update rule of one's own
//!
//! Shows how to write a rule that trains lock-free and vectorised, like the built-in ones.
//! `cargo run --release --example own_rule`
//!
//! # The rule
//! Lion (Chen et al., "Symbolic discovery of optimization algorithms", 2023): steps of one length, by the sign of a momentum.
//!
//! # Inlining
//! A rule's functions are compiled into the trainer's inner loop, once for each instruction set. Mark those that the loop calls with
//! `#[inline(always)]`: a `step` that the compiler leaves out of line has none of the loop's vector instructions.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    Real, Trainer,
    data::{PackSettings, Rows, pack},
    rules::{Clock, UpdateRule},
};

#[derive(Clone, Copy)]
struct Lion;

impl UpdateRule for Lion {
    type State<V: Real> = [V; 1];
    type Step = f32;
    type Memory = ();

    fn initial(&self) -> [f32; 1] {
        [0.0]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate
    }

    #[inline(always)]
    fn step<V: Real>(&self, &rate: &f32, w: V, g: V, [momentum]: &mut [V; 1]) -> V {
        let (zero, mixed) = (V::of(0.0), V::of(0.9) * *momentum + V::of(0.1) * g);
        *momentum = V::of(0.99) * *momentum + V::of(0.01) * g;
        w + mixed.less(zero, V::of(rate), zero.less(mixed, V::of(-rate), zero))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let packed = folder.path().join("reviews.safetensors");
    pack(&["data/reviews.train.svm".into()], &packed, &PackSettings::default())?;
    let rows = Rows::open(&packed)?;
    let outcome = Trainer::linear().own_rule(Lion).lr(0.01).holdout(0.1).fit(&rows)?;
    for report in &outcome.epochs {
        println!("epoch {}: held-out log-loss {:.4}", report.epoch, report.valid.map_or(f64::NAN, |metrics| metrics.loss));
    }
    Ok(())
}
