//! A model from the bytes of its file: first what it says of itself, then all tensors by `model_check`, then the numbers.
use crate::{
    Classes, FactorModel, LinearModel, Loss, ModelKind, OwnLoss, TrainedModel,
    data::Ids,
    model_check::{self, Kind},
    model_file::{FORMAT, VERSIONS},
};
use safetensors::SafeTensors;
use serde_json::Value;
use std::sync::Arc;

/// The model, or what is wrong with its file. `own` is the loss that a user's program brings, if it does.
pub(crate) fn read(bytes: &mut [u8], own: Option<OwnLoss>) -> Result<TrainedModel, String> {
    let check_sum = model_check::check_sum(bytes);
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let metadata = header.metadata().as_ref().and_then(|entries| entries.get("hogwild")).map(String::as_str).unwrap_or("null");
    let metadata: Value = serde_json::from_str(metadata).unwrap_or_default();
    let entry = |key: &str| metadata[key].as_str().unwrap_or("");
    if entry("format") != FORMAT {
        return Err("a safetensors file, but not a hogwild model".into());
    }
    // Before there were checksums, an entry began with its format.
    let is_old = metadata.as_object().and_then(|entries| entries.keys().next()).is_some_and(|first| first == "format");
    if check_sum != Some(true) && !is_old {
        return Err("is damaged: its checksum is not that of its contents".into());
    }
    if !VERSIONS.contains(&entry("version")) {
        return Err(format!("written in format version {}, this program reads {}", entry("version"), VERSIONS.join(", ")));
    }
    let loss = loss(entry("loss"), own)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == entry("kind"));
    let kind = kind.ok_or_else(|| format!("unknown kind of model `{}`", entry("kind")))?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let members = model_check::check_tensors(&file, kind, entry("version") == VERSIONS[1])?;
    let tensors = Tensors { file, members, is_summed: check_sum == Some(true) };
    let mut kinds = match kind {
        Kind::Linear => tensors.linear(metadata["unit_rows"].as_bool().unwrap_or(false))?,
        Kind::Factorization => tensors.factors()?,
    };
    let unit = metadata["unit"].as_f64().map_or(1.0, |unit| unit as f32);
    if !(unit.is_normal() && unit > 0.0) {
        return Err(format!("has the unit {unit}, which is to be above 0"));
    }
    let classes = match &metadata["classes"] {
        _ if !loss.is_classification() || kind == Kind::Factorization => None,
        Value::Null => Some(Classes::SIGNS),
        entry => Some(Classes::from_json(entry).ok_or_else(|| format!("its classes are no two labels: {entry}"))?),
    };
    let last = kinds.pop().ok_or("has no model")?;
    Ok(TrainedModel { loss, unit, classes, settings: metadata["settings"].clone(), kind: last, earlier: kinds })
}

/// The loss of that text, or `own` where the text is its name.
fn loss(text: &str, own: Option<OwnLoss>) -> Result<Loss, String> {
    let Some(name) = text.strip_prefix(OwnLoss::PREFIX) else {
        return Loss::parse(text).map_err(|_| format!("unknown loss `{text}`"));
    };
    own.filter(|own| own.name == name).map(Loss::Own).ok_or_else(|| {
        let given = own.map_or(String::new(), |own| format!(", and was given `{}`", own.name));
        format!("was trained with `{name}`, a loss of another program's own, which opens it by `TrainedModel::open_with`{given}")
    })
}

fn damaged(problem: safetensors::SafeTensorError) -> String {
    format!("not a model file, or damaged ({problem})")
}

/// Tensors whose types and shapes were checked; those of numbers have this many members.
struct Tensors<'a> {
    file: SafeTensors<'a>,
    members: usize,
    /// Whether they are sure to be what was written.
    is_summed: bool,
}

impl Tensors<'_> {
    fn linear(&self, unit_rows: bool) -> Result<Vec<ModelKind>, String> {
        let ids = self.ids("feature")?;
        let member = |i| {
            let (bias, weights) = (self.one("bias", i)?, self.floats("weight", i)?);
            Ok(ModelKind::Linear(LinearModel { ids: ids.clone(), bias, weights, unit_rows }))
        };
        (0..self.members).map(member).collect()
    }

    fn factors(&self) -> Result<Vec<ModelKind>, String> {
        let (users, items) = (self.ids("user")?, self.ids("item")?);
        let rank = self.file.tensor("user_factor").map_err(damaged)?.shape().last().copied().unwrap_or(0);
        let member = |i| {
            Ok(ModelKind::Factorization(FactorModel {
                mean: self.one("mean", i)?,
                rank,
                users: users.clone(),
                items: items.clone(),
                user_bias: self.floats("user_bias", i)?,
                item_bias: self.floats("item_bias", i)?,
                user_factor: self.floats("user_factor", i)?,
                item_factor: self.floats("item_factor", i)?,
            }))
        };
        (0..self.members).map(member).collect()
    }

    /// The numbers of a member.
    fn floats(&self, name: &str, member: usize) -> Result<Vec<f32>, String> {
        let data = self.file.tensor(name).map_err(damaged)?.data();
        let size = data.len() / self.members;
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(&data[member * size..][..size]);
        if values.iter().any(|x| !x.is_finite()) {
            return Err(format!("tensor `{name}` has a number that is not finite"));
        }
        Ok(values)
    }

    fn one(&self, name: &str, member: usize) -> Result<f32, String> {
        self.floats(name, member)?.first().copied().ok_or_else(|| format!("tensor `{name}` is empty"))
    }

    fn ids(&self, name: &str) -> Result<Arc<Ids>, String> {
        let u64s = |name: &str| self.file.tensor(name).map(|tensor| bytemuck::pod_collect_to_vec::<u8, u64>(tensor.data()));
        let ids = match u64s(&format!("{name}_id")) {
            Ok(numbers) => Ids::Numbers(numbers),
            Err(_) => Ids::Names {
                start: u64s(&format!("{name}_name_start")).map_err(damaged)?,
                bytes: self.file.tensor(&format!("{name}_name")).map_err(damaged)?.data().to_vec(),
            },
        };
        model_check::check_names(name, &ids)?;
        if !self.is_summed {
            model_check::check_twice(name, &ids)?;
        }
        Ok(Arc::new(ids))
    }
}
