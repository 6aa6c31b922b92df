//! A model from the bytes of its file: first what it says of itself, then all tensors by `check`, then the numbers.
use super::{
    about::About,
    check::{self, FORMAT, VERSIONS},
    file::IDF,
    schema::{Schema, TensorKind},
    trained::{Axis, Tensor, Tensors, TrainedModel},
};
use hogwild_data::Ids;
use hogwild_kernels::loss::OwnLoss;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::sync::Arc;

/// The model, or what is wrong with its file. `own` is the loss that a user's program brings, if it does; `schema` gives what a family's
/// models consist of.
pub(super) fn read(
    bytes: &mut [u8],
    own: Option<OwnLoss>,
    schema: impl Fn(&str) -> Option<&'static Schema>,
) -> Result<TrainedModel, String> {
    let check_sum = check::check_sum(bytes);
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
    let schema = schema(entry("kind")).ok_or_else(|| format!("unknown kind of model `{}`", entry("kind")))?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let members = check::check_tensors(&file, schema, entry("version") == VERSIONS[1])?;
    let contents = Contents { file, members, is_summed: check_sum == Some(true) };
    let axis = |&name: &&'static str| Ok(Axis { name, ids: contents.ids(name)? });
    let axes: Vec<Axis> = schema.axes.iter().map(axis).collect::<Result<_, String>>()?;
    let members = contents.members(schema)?;
    let ids = |name: &str| axes.iter().find(|axis| axis.name == name).map(|axis| axis.ids.len());
    members.iter().try_for_each(|member| check::check_numbers(member, ids))?;
    let About { loss, unit, unit_rows, classes, class_names, recipe, settings } = About::read(&metadata, schema, own)?;
    let idf = contents.idf()?;
    Ok(TrainedModel { family: schema.family, loss, unit, classes, class_names, unit_rows, settings, recipe, axes, members }
        .with_vocabulary(idf))
}

fn damaged(problem: safetensors::SafeTensorError) -> String {
    format!("not a model file, or damaged ({problem})")
}

/// Tensors whose types and shapes were checked; those of numbers have this many members.
struct Contents<'a> {
    file: SafeTensors<'a>,
    members: usize,
    /// Whether they are sure to be what was written.
    is_summed: bool,
}

impl Contents<'_> {
    fn members(&self, schema: &Schema) -> Result<Vec<Tensors>, String> {
        let tensor = |kind: &TensorKind, member| {
            let shape = self.file.tensor(kind.name).map_err(damaged)?.shape().to_vec();
            let shape = shape[shape.len() - kind.shape.len()..].to_vec(); // without the members
            Ok(Tensor { name: kind.name, shape, numbers: self.numbers(kind.name, member)? })
        };
        let member = |i| Ok(Tensors(schema.tensors.iter().map(|kind| tensor(kind, i)).collect::<Result<_, String>>()?));
        (0..self.members).map(member).collect()
    }

    /// The numbers of a member.
    fn numbers(&self, name: &str, member: usize) -> Result<Vec<f32>, String> {
        let data = self.file.tensor(name).map_err(damaged)?.data();
        let size = data.len() / self.members;
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(&data[member * size..][..size]);
        if values.iter().any(|x| !x.is_finite()) {
            return Err(format!("tensor `{name}` has a number that is not finite"));
        }
        Ok(values)
    }

    /// What each feature of a bag of words was multiplied by, where that was done.
    fn idf(&self) -> Result<Vec<f32>, String> {
        let Ok(found) = self.file.tensor(IDF) else { return Ok(Vec::new()) };
        let numbers: Vec<f32> = if found.dtype() == Dtype::F32 { bytemuck::pod_collect_to_vec(found.data()) } else { Vec::new() };
        if found.shape() != [numbers.len()] || numbers.iter().any(|x| !x.is_finite()) {
            return Err(format!("tensor `{IDF}` is no list of finite numbers"));
        }
        Ok(numbers)
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
        check::check_names(name, &ids)?;
        if !self.is_summed {
            check::check_twice(name, &ids)?;
        }
        Ok(Arc::new(ids))
    }
}
