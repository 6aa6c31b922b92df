//! # A loss of one's own
//!
//! Shows how to train with a loss that is not built in, on all threads, and how to open its model again.
//! `cargo run --release --example own_loss`
//!
//! # The loss
//! It is two functions and what they mean. This one is log-cosh, `ln cosh(z - y)`: squares near the label, absolute values far from it,
//! smooth between.
//!
//! # The file
//! A model file has the loss's name alone, so it is opened with the loss.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    Loss, OwnLoss, TrainedModel, Trainer,
    data::{PackSettings, Rows, pack},
    loss::Meaning,
};

const LOG_COSH: OwnLoss = OwnLoss {
    name: "log-cosh",
    value: |z, y| (z - y).abs() + (-2.0 * (z - y).abs()).exp().ln_1p() - std::f32::consts::LN_2,
    slope: |z, y| (z - y).tanh(),
    // Labels are numbers; they are standardised while they are learnt.
    meaning: Meaning::NUMBER,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // y is 3 where feature 1 occurs and -2 where feature 2 does; every tenth label is far off.
    let label = |i: u32| if i.is_multiple_of(10) { 40.0 } else { [3.0, -2.0][i as usize % 2] };
    let rows: String = (1..20_000).map(|i| format!("{} {}:1\n", label(i), 1 + i % 2)).collect();
    let folder = tempfile::tempdir()?;
    let (text, packed) = (folder.path().join("rows.svm"), folder.path().join("rows.safetensors"));
    std::fs::write(&text, rows)?;
    pack(&[text], &packed, &PackSettings::default())?;
    let rows = Rows::open(&packed)?;

    let outcome = Trainer::linear().loss(Loss::Own(LOG_COSH)).holdout(0.1).fit(&rows)?;
    for epoch in &outcome.epochs {
        println!("epoch {}: held-out {:?}", epoch.epoch, epoch.valid.map(|metrics| metrics.named().collect::<Vec<_>>()));
    }

    let file = folder.path().join("model.safetensors");
    outcome.save(&file)?;
    let model = TrainedModel::open_with(&file, LOG_COSH)?;
    let scores = model.score(&rows)?.scores;
    println!("with feature 1: {:.2}, with feature 2: {:.2}", scores[1].0, scores[0].0);
    Ok(())
}
