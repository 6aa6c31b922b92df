//! What a run of several classes knows of its labels: names, the classes of each row, and the constant scores that training starts from.
use crate::{
    classes::{Many, by_names},
    options::Settings,
};
use hogwild_base::{Error, Result, memory};
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
    fn of(output: Output, classes: usize, labels: &ClassLabels, weights: &dyn Fn(usize) -> Option<f64>, standardize: bool) -> Constant {
        let (mut counts, mut examples, mut all) = (vec![0.0; classes], 0u64, 0.0);
        for (row, weight) in (0..labels.len()).filter_map(|row| Some((row, weights(row)?))) {
            (examples, all) = (examples + 1, all + weight);
            // A file that has changed may have classes beyond the last.
            labels.of(row).iter().for_each(|&class| counts.get_mut(class as usize).into_iter().for_each(|count| *count += weight));
        }
        let all = if all > 0.0 { all } else { 1.0 };
        let scores: Vec<f32> = match output {
            _ if !standardize => vec![0.0; classes],
            // Of a class that is not there, as if it was there once more.
            Output::Softmax => {
                let least = 1.0 / (examples as f64 + classes as f64);
                counts.iter().map(|count| (count / all).max(least).ln() as f32).collect()
            }
            Output::OneVsRest(loss) => counts.iter().map(|count| best_of_two(loss, count / all, examples)).collect(),
        };
        let (rest, own) = match output {
            Output::Softmax => {
                let all = scores.iter().map(|&z| (z as f64).exp()).sum::<f64>().ln() as f32;
                (all, scores.iter().map(|&z| -z).collect::<Vec<_>>())
            }
            Output::OneVsRest(loss) => {
                let rest = scores.iter().map(|&z| loss.value(z, -1.0));
                (rest.sum(), scores.iter().map(|&z| loss.value(z, 1.0) - loss.value(z, -1.0)).collect())
            }
        };
        let sum: f64 = counts.iter().zip(&own).map(|(count, &own)| count * own as f64).sum();
        Constant { scores, mean: rest as f64 + sum / all, all: rest, own }
    }
}

/// The constant score that loses least where a class has this share of so many examples.
fn best_of_two(loss: Loss, share: f64, examples: u64) -> f32 {
    if loss == Loss::Logistic {
        // As for two classes: one more of either than there were, where one is missing.
        let least = 1.0 / (examples as f64 + 2.0);
        let p = share.clamp(least.min(0.5), 1.0 - least.min(0.5));
        return (p / (1.0 - p)).ln() as f32;
    }
    loss.best_constant(&Labels(&|each| {
        each(1.0, share);
        each(-1.0, 1.0 - share);
    }))
}

impl Outputs {
    /// `weights`: how much each row counts, none of those that are not trained on.
    ///
    /// # Errors
    /// Labels that are no classes, or not one a row for softmax; only one class.
    pub fn of(
        output: Output,
        data: &Rows,
        valid: Option<&Rows>,
        settings: &Settings,
        weights: &dyn Fn(usize) -> Option<f64>,
    ) -> Result<Outputs> {
        let one = output == Output::Softmax;
        let Many { names, labels } = Many::of(data, one)?;
        if names.len() < 2 {
            let problem = names.first().map_or("has no label in any row".to_owned(), |name| format!("has one class, {name}"));
            return Err(Error::BadFile { path: data.name().to_owned(), problem, remedy: "give data of two classes or more" });
        }
        let names: Arc<Ids> = Arc::new(names.iter().map(String::as_str).collect());
        let held = valid.map_or(settings.holdout * data.rows() as f64, |valid| valid.rows() as f64);
        let bytes = (held * (names.len() * size_of::<f32>()) as f64) as u64;
        memory::ask(bytes, || "the scores of all classes of held-out rows".into(), "hold out fewer")?;
        let valid = valid.map(|valid| by_names(valid, &names, one).map(|(labels, _)| labels)).transpose()?;
        let constant = Constant::of(output, names.len(), &labels, weights, settings.standardize && settings.bias);
        Ok(Outputs { names, output, labels: Arc::new(labels), valid, constant })
    }
}
