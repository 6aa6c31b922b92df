//! # Which update rule to choose
//!
//! Shows how to compare runs: every rule on the data given, at its default settings and a learning rate found by the search.
//! `cargo run --release --example which_rule [TRAIN [VALID]]` takes text or packed files, and prints a Markdown table.
//!
//! # The table
//! It has the held-out loss after 1, 5 and 10 epochs on one thread, and the ratio of two threads' loss to that after 10. The time of a
//! nonzero (or rating) stands beside Adagrad's.
//!
//! # Either kind of data
//! `ReadOptions` open rows or ratings, whichever the file holds. Each kind has its own `Trainer`.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    EpochReport, Outcome, Rule, Schedule, Trainer,
    data::{Data, ReadOptions},
};
use std::path::PathBuf;

const EPOCHS: usize = 10;

fn train(data: &Data, valid: &Data, rule: Rule, threads: usize) -> hogwild::Result<Outcome> {
    match (data, valid) {
        (Data::Rows(data), Data::Rows(valid)) => fit(Trainer::linear(), data, valid, rule, threads),
        (Data::Ratings(data), Data::Ratings(valid)) => fit(Trainer::factorization(), data, valid, rule, threads),
        _ => panic!("training and held-out data are of different kinds"),
    }
}

fn fit<'a, D>(trainer: Trainer<'a, D>, data: &D, valid: &'a D, rule: Rule, threads: usize) -> hogwild::Result<Outcome> {
    trainer.rule(rule).threads(threads).epochs(EPOCHS).schedule(Schedule::Constant).valid(valid).fit(data)
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
    let open = |path: PathBuf| ReadOptions::new().temporary(std::env::temp_dir()).open(&[path]);
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
