//! A loss of one's own, on all threads: two functions and what they mean. `cargo run --release --example own_loss`
//!
//! It is the log-cosh loss, `ln cosh(z - y)`: squares near the label, absolute values far from it, smooth between.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    Loss, OwnLoss, Settings, TrainedModel,
    data::{Data, PackSettings, pack},
    loss::Meaning,
    train_linear,
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
    pack(&[text], &packed, &PackSettings::default(), &|_, _| ())?;
    let data = Data::open(&packed)?;
    let Data::Rows(rows) = &data else { return Err("ratings, not rows".into()) };

    let settings = Settings { loss: Loss::Own(LOG_COSH), holdout: 0.1, ..Settings::default() };
    let outcome = train_linear(rows, None, &settings, &mut (), &Default::default())?;
    for epoch in &outcome.epochs {
        println!("epoch {}: held-out {:?}", epoch.epoch, epoch.valid.map(|metrics| metrics.named().collect::<Vec<_>>()));
    }

    // The file has the loss's name alone, so it is opened with the loss.
    let file = folder.path().join("model.safetensors");
    outcome.model.ok_or("training diverged in the first epoch")?.save(&file)?;
    let model = TrainedModel::open_with(&file, LOG_COSH)?;
    let scores = model.score(&data)?.scores;
    println!("with feature 1: {:.2}, with feature 2: {:.2}", scores[1].0, scores[0].0);
    Ok(())
}
