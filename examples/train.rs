//! # From text to a model
//!
//! Shows a whole run: pack text, train with held-out rows, follow the epochs, look at the model, score another file.
//! `cargo run --release --example train [TRAIN.svm [TEST.svm]]`
//!
//! # Packing
//! Text is packed once, into a file that is mapped. Here it is a temporary one.
//!
//! # Following
//! A `Watch` hears of each epoch, and may end the run.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    EpochReport, Trainer, Watch,
    data::{PackSettings, Rows, pack},
};
use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

struct Print;

impl Watch for Print {
    fn epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        let held_out = report.valid.map_or(f64::NAN, |metrics| metrics.loss);
        println!("epoch {}: loss {:.4}, held-out {held_out:.4}", report.epoch, report.loss);
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let train = args.next().unwrap_or("data/reviews.train.svm".into());
    let test = args.next().unwrap_or("data/reviews.test.svm".into());
    let folder = tempfile::tempdir()?;
    let open = |text: &Path, name: &str| -> hogwild::Result<Rows> {
        let packed = folder.path().join(name);
        pack(&[text.to_owned()], &packed, &PackSettings::default())?;
        Rows::open(&packed)
    };
    let (rows, test) = (open(&train, "train.safetensors")?, open(&test, "test.safetensors")?);

    let outcome = Trainer::linear().holdout(0.1).epochs(10).watch(&mut Print).fit(&rows)?;
    let model = outcome.trained()?;
    if let Some(linear) = model.linear() {
        let heaviest = (0..linear.weights.len()).max_by(|&a, &b| linear.weights[a].abs().total_cmp(&linear.weights[b].abs()));
        if let Some(i) = heaviest {
            println!("heaviest: feature {} with {:.3}", linear.ids.name(i), linear.weights[i]);
        }
    }
    println!("test: {:?}", model.score(&test)?.metrics(model.loss));
    Ok(())
}
