//! # Data from memory
//!
//! Shows how to train on a sparse matrix that the program holds itself, and how to look at a weight of the model.
//! `cargo run --release --example from_memory`
//!
//! # The matrix
//! Compressed sparse rows, as scipy and many others have them: the columns of all rows one after the other, and where each row begins.
//! Columns may have any numbers. They are numbered anew by frequency, so the model is the one that a file of the same rows gives.
//!
//! # The labels
//! Each row has two of a hundred features. Even features speak for +1, odd ones for -1; where the two disagree, the first decides.
#![allow(clippy::print_stdout)] // simpler here than what the command does where nobody reads
use hogwild::{
    Loss, Trainer,
    data::{Rows, RowsCsr},
};

fn main() -> hogwild::Result<()> {
    const ROWS: u32 = 4000;
    let features = |row: u32| [row.wrapping_mul(2_654_435_761) >> 7, row.wrapping_mul(40_503) >> 3].map(|x| x % 100);
    let (mut labels, mut row_start, mut columns) = (Vec::new(), vec![0], Vec::new());
    for row in 0..ROWS {
        let [first, second] = features(row);
        labels.push(if first % 2 == 0 { 1.0 } else { -1.0 });
        columns.push(first);
        columns.extend((second != first).then_some(second));
        row_start.push(columns.len() as u64);
    }
    let rows = Rows::from_csr(RowsCsr { labels: &labels, row_start: &row_start, columns: &columns, ..RowsCsr::default() })?;
    println!("{} rows, {} features, {} nonzeros", rows.rows(), rows.columns(), rows.nonzeros());

    let outcome = Trainer::linear().loss(Loss::Logistic).holdout(0.2).threads(1).fit(&rows)?;
    let held_out = outcome.valid().map_or(f64::NAN, |metrics| metrics.loss);
    println!("held-out log-loss {held_out:.4}");
    let model = outcome.trained()?;
    if let Some(linear) = model.linear() {
        println!("feature {} weighs {:.3}", linear.ids.name(0), linear.weights[0]);
    }
    Ok(())
}
