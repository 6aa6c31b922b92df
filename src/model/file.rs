//! Model files: plain safetensors, keyed by the user's own ids, so that a model scores any other file.
//!
//! Linear: `weight` f32 [features], `bias` f32 [1], ids; `"unit_rows": true` in the entry `hogwild` where rows are to be divided by their
//! lengths, `"unit"` where the loss counts another number than 1 as 1. Factorization: `user_bias`, `item_bias`, `user_factor` [users,
//! rank], `item_factor` [items, rank], `mean` f32 [1], ids of users and of items. Ids are `*_id` u64 or `*_name_start` u64 with `*_name`
//! u8. The metadata entry `hogwild` has checksum (see `check`), kind, loss and the settings of the run as JSON. All that is
//! format version 1. An ensemble of snapshots is version 2: every f32 tensor has a leading dimension, one for each member, ids are there
//! once.
use super::{
    check::{self, FORMAT, VERSIONS},
    read,
    schema::Schema,
    trained::{Tensor, TrainedModel},
};
use hogwild_base::{Error, OutputFile, Result, memory};
use hogwild_data::Ids;
use hogwild_kernels::loss::OwnLoss;
use safetensors::{Dtype, tensor::TensorView};
use std::{borrow::Cow, collections::HashMap, io::Write, path::Path};

/// What errors call a model that is in no file.
pub(crate) const IN_MEMORY: &str = "a model in memory";
/// The tensor of what the features of bags of words were multiplied by.
pub(super) const IDF: &str = "feature_idf";

impl TrainedModel {
    /// Writes the model: to a temporary file beside the target, synced, then renamed.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn save(&self, path: &Path) -> Result<()> {
        let bytes = self.to_bytes().map_err(|error| match error {
            Error::Io { action, source, .. } => Error::io(path, action)(source),
            other => other,
        })?;
        let mut file = OutputFile::create(path)?;
        file.write_all(&bytes).map_err(Error::io(path, "write"))?;
        file.finish()
    }

    /// What its file holds: [`from_bytes`](Self::from_bytes) reads it.
    ///
    /// # Errors
    /// When the model's tensors are not of the shapes that they say.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut tensors: Written<'_> = Vec::new();
        for (i, Tensor { name, shape, numbers }) in self.last().0.iter().enumerate() {
            tensors.push(if self.members.len() == 1 {
                (name.to_string(), Dtype::F32, shape.clone(), Cow::Borrowed(bytemuck::cast_slice(numbers)))
            } else {
                let all = self.members.iter().flat_map(|member| bytemuck::cast_slice::<f32, u8>(&member.0[i].numbers)).copied().collect();
                (name.to_string(), Dtype::F32, [&[self.members.len()], &shape[..]].concat(), Cow::Owned(all))
            });
        }
        self.axes.iter().for_each(|axis| put_ids(&mut tensors, axis.name, &axis.ids));
        let idf = self.recipe.as_ref().map_or(&[][..], |recipe| recipe.idf());
        if !idf.is_empty() {
            tensors.push((IDF.into(), Dtype::F32, vec![idf.len()], Cow::Borrowed(bytemuck::cast_slice(idf))));
        }
        let failed = |e: safetensors::SafeTensorError| Error::io(IN_MEMORY.as_ref(), "write")(std::io::Error::other(e));
        let views: Vec<(&str, TensorView<'_>)> = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<std::result::Result<_, _>>()
            .map_err(failed)?;
        // One entry, so that the same model is the same file: the format's own entries have no order.
        let version = VERSIONS[(self.members.len() > 1) as usize];
        let mut header = serde_json::json!({ "checksum": check::BLANK, "format": FORMAT, "version": version });
        if let (Some(header), serde_json::Value::Object(about)) = (header.as_object_mut(), self.about()) {
            header.extend(about);
        }
        let metadata = HashMap::from([("hogwild".to_string(), header.to_string())]);
        let mut bytes = safetensors::serialize(views, Some(metadata)).map_err(failed)?;
        check::seal(&mut bytes);
        Ok(bytes)
    }

    /// Reads a model file. `own` is the loss that a user's program brings, if it does; `schema` gives what a family's models consist of.
    pub(crate) fn read(path: &Path, own: Option<OwnLoss>, schema: impl Fn(&str) -> Option<&'static Schema>) -> Result<TrainedModel> {
        let length = std::fs::metadata(path).map_err(Error::io(path, "read"))?.len();
        // The file, and what is made of it.
        memory::ask(2 * length, || format!("{}: the model's numbers", path.display()), "use it where there is more")?;
        let bytes = std::fs::read(path).map_err(Error::io(path, "read"))?;
        Self::read_bytes(bytes, path, own, schema)
    }

    /// Reads what a model file holds. Errors name the `path`.
    pub(crate) fn read_bytes(
        mut bytes: Vec<u8>,
        path: &Path,
        own: Option<OwnLoss>,
        schema: impl Fn(&str) -> Option<&'static Schema>,
    ) -> Result<TrainedModel> {
        read::read(&mut bytes, own, schema).map_err(|problem| {
            let remedy = "give a model that was saved (`out` of train)";
            Error::BadFile { path: path.to_owned(), problem, remedy }
        })
    }
}

type Written<'a> = Vec<(String, Dtype, Vec<usize>, Cow<'a, [u8]>)>;

fn put_ids<'a>(tensors: &mut Written<'a>, name: &str, ids: &'a Ids) {
    let mut put = |name, dtype, n, bytes| tensors.push((name, dtype, vec![n], Cow::Borrowed(bytes)));
    match ids {
        Ids::Numbers(numbers) => put(format!("{name}_id"), Dtype::U64, numbers.len(), bytemuck::cast_slice(numbers)),
        Ids::Names { start, bytes } => {
            put(format!("{name}_name_start"), Dtype::U64, start.len(), bytemuck::cast_slice(start));
            put(format!("{name}_name"), Dtype::U8, bytes.len(), bytes);
        }
    }
}
