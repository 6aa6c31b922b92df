//! Training that goes on from a model: its weights, in the units and the order that this run learns in.
//!
//! The inverse of what makes a model of the parameters: weights are those of scaled features and of standardised labels.
use super::RowsRun;
use crate::{classes::Classes, family::rows::kernel::RowKernel, model::TrainedModel};
use hogwild_base::{Error, Result};
use hogwild_kernels::{Parallel, feed::Normalize};
use std::path::Path;

impl<K: RowKernel> RowsRun<'_, K> {
    /// The bias and the weights of a model, slot by slot.
    ///
    /// # Errors
    /// When the run can't begin at weights, or the model is of another kind or of other classes.
    pub(super) fn numbers_of(&self, model: &TrainedModel) -> Result<Vec<f32>> {
        let settings = self.settings;
        let refused =
            |setting, value: &str, problem: &str| Err(Error::BadSetting { setting, value: value.into(), problem: problem.into() });
        if settings.rule.reads_state() {
            return refused("rule", settings.rule.name(), "makes weights of its state, so it can't begin at weights; give another rule");
        }
        if self.basis.choices.normalize == Normalize::Online {
            return refused("normalize", "online", "has no scales before training, so it can't begin at weights; give another");
        }
        if settings.parallel == Parallel::Partitioned {
            return refused("parallel", settings.parallel.name(), "can't begin at weights; use hogwild");
        }
        let bad = |problem: &str| {
            let path = Path::new("the model to start from").to_owned();
            let remedy = "give one of the same kind, without factors, of the same features and classes, or start anew";
            Error::BadFile { path, problem: problem.into(), remedy }
        };
        let classes = self.outputs.as_ref().map(|outputs| &*outputs.names);
        let (Some(ids), [member]) = (model.ids("feature"), &model.members[..]) else {
            return Err(bad("has no features, or is an ensemble"));
        };
        if self.start.is_some() || member.get("factor").is_some() || model.ids("class").map(|names| &**names) != classes {
            return Err(bad("has factors, or other classes than the data"));
        }
        if model.unit_rows != self.basis.unit_rows {
            let [was, now] = [model.unit_rows, self.basis.unit_rows].map(|unit| if unit { "of length 1" } else { "as they are" });
            return Err(bad(&format!("takes rows {was}, and this run takes them {now}: see `normalize`")));
        }
        // To a run of several classes losses are given; each class has the one of the settings.
        let loss = if classes.is_some() { settings.loss } else { self.basis.loss };
        if model.loss.name() != loss.name() {
            return Err(bad(&format!("is of the {} loss, and this run of the {}", model.loss.name(), loss.name())));
        }
        if let Some(own) = self.basis.classes {
            let other = model.classes.unwrap_or(Classes::SIGNS);
            if !own.agree(&other) {
                let [other, own] = [other, own].map(|classes| classes.names().join(" and "));
                return Err(bad(&format!("has the classes {other}, and the data {own}")));
            }
        }
        // Two words are -1 and 1 to a run: which is which, the names say.
        let (other, own) = (model.class_words(), self.data.class_names());
        if classes.is_none() && !other.is_empty() && !own.is_empty() && other != own {
            return Err(bad(&format!("has the classes {}, and the data {}", other.join(" and "), own.join(" and "))));
        }
        let (outputs, targets) = (classes.map_or(1, |names| names.len()), &self.basis.targets);
        let (bias, weights) = (member.numbers("bias"), member.numbers("weight"));
        let mut numbers = Vec::with_capacity((self.data.columns() + 1) * outputs);
        for output in 0..outputs {
            let base = self.outputs.as_ref().map_or(targets.base, |outputs| outputs.constant.scores.get(output).copied().unwrap_or(0.0));
            let bias = bias.get(output).copied().unwrap_or(0.0);
            numbers.push(if settings.bias { targets.standard(bias) - base } else { 0.0 });
        }
        let places = self.data.feature_ids()?.translate(ids);
        if !places.is_empty() && !ids.is_empty() && places.iter().all(|&place| place as usize >= ids.len()) {
            return Err(bad("knows none of the features of the data"));
        }
        for (column, &place) in places.iter().enumerate() {
            // What a value of 1 is read as: weights are of what is read.
            let scale = self.scaling.as_ref().map_or(1.0, |scaling| scaling.scaled(column + 1, 1.0)) * targets.scale;
            let row = (place as usize).checked_mul(outputs).and_then(|from| weights.get(from..)?.get(..outputs));
            numbers.extend((0..outputs).map(|output| row.map_or(0.0, |row| row[output] / scale)));
        }
        Ok(numbers)
    }
}
