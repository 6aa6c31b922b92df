//! What a run of several classes knows of its labels: names, the classes of each row, and the constant scores that training starts from.
use crate::{
    classes::{Many, by_names},
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_data::{Ids, Rows};
use hogwild_kernels::{
    loss::{Labels, Loss},
    models::{ClassLabels, Output},
};
use std::sync::Arc;

/// The classes of a run.
pub(crate) struct Outputs {
    pub names: Arc<Ids>,
    pub output: Output,
    pub labels: Arc<ClassLabels>,
    /// Those of validation data.
    pub valid: Option<ClassLabels>,
    pub constant: Constant,
}

/// Scores without any parameter, one a class, and what they lose.
pub(crate) struct Constant {
    pub scores: Vec<f32>,
    /// The loss of an example without a class, and what each class of one adds.
    all: f32,
    own: Vec<f32>,
    /// The mean over the examples that are trained on.
    pub mean: f64,
}

impl Constant {
    /// The loss of an example of these classes.
    pub fn loss(&self, classes: &[u32]) -> f32 {
        self.all + classes.iter().filter_map(|&class| self.own.get(class as usize)).sum::<f32>()
    }

    /// The best constants for these examples; zeros where training is not to start from there.
    fn of(output: Output, classes: usize, labels: &ClassLabels, trained: &dyn Fn(usize) -> bool, standardize: bool) -> Constant {
        let (mut counts, mut examples) = (vec![0u64; classes], 0u64);
        for row in (0..labels.len()).filter(|&row| trained(row)) {
            examples += 1;
            labels.of(row).iter().for_each(|&class| counts[class as usize] += 1);
        }
        let scores: Vec<f32> = match output {
            _ if !standardize => vec![0.0; classes],
            // As if there was one example more of each class.
            Output::Softmax => {
                let all = examples as f64 + classes as f64;
                counts.iter().map(|&count| ((count as f64 + 1.0) / all).ln() as f32).collect()
            }
            Output::OneVsRest(loss) => counts.iter().map(|&count| best_of_two(loss, count, examples)).collect(),
        };
        let (all, own) = match output {
            Output::Softmax => {
                let all = scores.iter().map(|&z| (z as f64).exp()).sum::<f64>().ln() as f32;
                (all, scores.iter().map(|&z| -z).collect::<Vec<_>>())
            }
            Output::OneVsRest(loss) => {
                let rest = scores.iter().map(|&z| loss.value(z, -1.0));
                (rest.sum(), scores.iter().map(|&z| loss.value(z, 1.0) - loss.value(z, -1.0)).collect())
            }
        };
        let sum: f64 = counts.iter().zip(&own).map(|(&count, &own)| count as f64 * own as f64).sum();
        Constant { scores, all, own, mean: all as f64 + sum / examples.max(1) as f64 }
    }
}

/// The constant score that loses least on so many examples of a class among all.
fn best_of_two(loss: Loss, own: u64, all: u64) -> f32 {
    // The share tells all; a loss looks at a sample anyway.
    const SAMPLE: u64 = 10_000;
    let (own, all) = if all > SAMPLE { ((own * SAMPLE).div_ceil(all).min(SAMPLE), SAMPLE) } else { (own, all) };
    loss.best_constant(&Labels(&|each| (0..all).for_each(|i| each(if i < own { 1.0 } else { -1.0 }))))
}

impl Outputs {
    /// # Errors
    /// Labels that are no classes, or not one a row for softmax; only one class.
    pub fn of(
        output: Output,
        data: &Rows,
        valid: Option<&Rows>,
        settings: &Settings,
        trained: &dyn Fn(usize) -> bool,
    ) -> Result<Outputs> {
        let one = output == Output::Softmax;
        let Many { names, labels } = Many::of(data, one)?;
        if names.len() < 2 {
            let problem = format!("has one class, {}", names.join(""));
            return Err(Error::BadFile { path: data.name().to_owned(), problem, remedy: "give data of two classes or more" });
        }
        let names: Arc<Ids> = Arc::new(names.iter().map(String::as_str).collect());
        let valid = valid.map(|valid| by_names(valid, &names, one).map(|(labels, _)| labels)).transpose()?;
        let constant = Constant::of(output, names.len(), &labels, trained, settings.standardize);
        Ok(Outputs { names, output, labels: Arc::new(labels), valid, constant })
    }
}
