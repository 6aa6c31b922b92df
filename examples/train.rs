//! The library in use: pack text, train with held-out rows, follow the run, look at the model, score a file.
//! `cargo run --release --example train [TRAIN.svm [TEST.svm]]`
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    EpochReport, Settings, Watch,
    data::{Data, PackSettings, pack},
    train_linear,
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
    let open = |text: &Path, name: &str| -> hogwild::Result<Data> {
        let packed = folder.path().join(name);
        pack(&[text.to_owned()], &packed, &PackSettings::default(), &|_, _| ())?;
        Data::open(&packed)
    };
    let (data, test) = (open(&train, "train.safetensors")?, open(&test, "test.safetensors")?);
    let Data::Rows(rows) = &data else { return Err("ratings, not rows".into()) };

    let settings = Settings { holdout: 0.1, epochs: 10, ..Settings::default() };
    let outcome = train_linear(rows, None, &settings, &mut Print, &Default::default())?;
    let model = outcome.model.ok_or("training diverged in the first epoch")?;
    if let Some(linear) = model.linear() {
        let heaviest = (0..linear.weights.len()).max_by(|&a, &b| linear.weights[a].abs().total_cmp(&linear.weights[b].abs()));
        if let Some(i) = heaviest {
            println!("heaviest: feature {} with {:.3}", linear.ids.name(i), linear.weights[i]);
        }
    }
    println!("test: {:?}", model.score(&test)?.metrics(model.loss));
    Ok(())
}
