//! Which update rule to choose: each on the data given, at its default settings and a rate that does not have to be guessed.
//!
//! `cargo run --release --example which_rule [TRAIN [VALID]]` prints a Markdown table: held-out loss after 1, 5 and 10 epochs on one
//! thread, the same on two threads as a ratio after 10, and the time of a nonzero (or rating) beside Adagrad's. Text or packed files.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    EpochReport, Outcome, Rule, Schedule, Settings,
    data::{Data, PackSettings, open_or_pack},
    train_factorization, train_linear,
};
use std::path::PathBuf;

const EPOCHS: usize = 10;

fn train(data: &Data, valid: &Data, rule: Rule, threads: usize) -> hogwild::Result<Outcome> {
    let constant = |settings| Settings { rule, threads, epochs: EPOCHS, schedule: Schedule::Constant, ..settings };
    match (data, valid) {
        (Data::Rows(data), Data::Rows(valid)) => {
            train_linear(data, Some(valid), &constant(Settings::default()), &mut (), &Default::default())
        }
        (Data::Ratings(data), Data::Ratings(valid)) => {
            train_factorization(data, Some(valid), &constant(Settings::for_ratings()), &mut (), &Default::default())
        }
        _ => panic!("training and held-out data are of different kinds"),
    }
}

fn held_out(epochs: &[EpochReport], epoch: usize) -> f64 {
    epochs.get(epoch - 1).and_then(|e| e.valid).map_or(f64::NAN, |metrics| metrics.loss)
}

/// The best epoch's.
fn nanoseconds(epochs: &[EpochReport]) -> f64 {
    epochs.iter().map(|e| 1e9 * e.seconds / e.nonzeros as f64).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (train_path, valid_path) = (args.next(), args.next());
    let open = |path: PathBuf| open_or_pack(&[path], &PackSettings::default(), true, &|_, _| ());
    let data = open(train_path.unwrap_or("data/reviews.train.svm".into()))?;
    let valid = open(valid_path.unwrap_or("data/reviews.test.svm".into()))?;

    // Adagrad first: the others' times are told beside its.
    let mut rules = Rule::ALL.to_vec();
    rules.sort_by_key(|rule| rule.name() != "adagrad");
    let mut adagrad = f64::NAN;
    println!("| rule | rate | after 1 | 5 | 10 epochs | 2 threads / 1 | ns | beside adagrad |");
    println!("|---|---|---|---|---|---|---|---|");
    for rule in rules {
        let one = train(&data.data, &valid.data, rule, 1)?;
        let two = train(&data.data, &valid.data, rule, 2)?;
        let ns = nanoseconds(&one.epochs);
        if adagrad.is_nan() {
            adagrad = ns;
        }
        println!(
            "| {} | {:.3e} | {:.4} | {:.4} | {:.4} | {:.4} | {ns:.2} | {:.2} |",
            rule.name(),
            one.settings.lr,
            held_out(&one.epochs, 1),
            held_out(&one.epochs, 5),
            held_out(&one.epochs, EPOCHS),
            held_out(&two.epochs, EPOCHS) / held_out(&one.epochs, EPOCHS),
            ns / adagrad,
        );
    }
    Ok(())
}
