//! Models in formats of other programs: weights by name as text, LIBLINEAR's and Vowpal Wabbit's files, arrays of NumPy. Written, and read
//! back.
//!
//! A format is one file with its two functions, and its line in the list below. What a format cannot hold it refuses by name.
mod liblinear;
mod npz;
mod tsv;
mod vw;

use crate::{
    family::{AnyFamily, family},
    model::{About, Schema, Tensor, Tensors, TrainedModel},
};
use hogwild_base::{Error, Named, Result as Done};
use hogwild_kernels::loss::Loss;
use serde_json::Value;
use std::{io::Write, path::Path};

macro_rules! formats {
    ($($(#[doc = $help:literal])+ $variant:ident $name:literal $module:ident,)*) => {
        /// A format of models beside their own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ModelFormat {
            $($(#[doc = $help])+ $variant,)*
        }

        impl ModelFormat {
            /// All of them.
            pub const ALL: [ModelFormat; [$($name),*].len()] = [$(ModelFormat::$variant),*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(ModelFormat::$variant => $name,)*
                }
            }

            fn write(self, model: &Member<'_>, out: &mut dyn Write) -> Result<(), Trouble> {
                match self {
                    $(ModelFormat::$variant => $module::write(model, out),)*
                }
            }

            fn read(self, bytes: &[u8], loss: Option<Loss>) -> Result<TrainedModel, Trouble> {
                match self {
                    $(ModelFormat::$variant => $module::read(bytes, loss),)*
                }
            }
        }

        impl Named for ModelFormat {
            const NAMES: &'static [(ModelFormat, &'static str, &'static str)] =
                &[$((ModelFormat::$variant, $name, concat!($($help),+).trim_ascii())),*];
        }
    };
}
formats! {
    /// Text between tabs, a line for each feature, user, item or class: any model but field-aware factorization machines.
    Tsv "tsv" tsv,
    /// LIBLINEAR's file: linear models whose features are numbers from 1, and one-vs-rest of them.
    Liblinear "liblinear" liblinear,
    /// What Vowpal Wabbit writes by --invert_hash: linear models.
    VwReadable "vw-readable" vw,
    /// Arrays for numpy.load: any model.
    Npz "npz" npz,
}

/// A member of a model.
struct Member<'a> {
    model: &'a TrainedModel,
    tensors: &'a Tensors,
    schema: &'static Schema,
}

impl Member<'_> {
    /// Refuses what a format without recipes cannot say of a model: that its features are not those that raw rows have.
    fn check_plain(&self) -> Result<(), Trouble> {
        const REMEDY: &str = "export it as npz or tsv, which keep what is done to rows";
        let Some(recipe) = &self.model.recipe else { return Ok(()) };
        let problem = match recipe {
            recipe if recipe.hash_bits().is_some() => "has features that names were hashed to",
            recipe if recipe.weighs_words() => "weighs words by tf-idf",
            recipe if recipe.joins_rare_words() => "counts rare words as one",
            _ => return Ok(()),
        };
        Err(Trouble::Bad(format!("{problem}, and this format has no place for that"), REMEDY))
    }
}

/// What went wrong.
enum Trouble {
    /// What is wrong with the model or the file, and what to do.
    Bad(String, &'static str),
    /// The same of a line, by its number from 1, with the text that is wrong.
    BadLine(usize, String, String, &'static str),
    Io(std::io::Error),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble::Io(error)
    }
}

impl Trouble {
    fn of(self, path: &Path, action: &'static str) -> Error {
        let path = path.to_owned();
        match self {
            Trouble::Bad(problem, remedy) => Error::BadFile { path, problem, remedy },
            Trouble::BadLine(line, text, problem, remedy) => {
                let text = text.chars().take(60).collect();
                Error::BadRow { path, line: line as u64, column: 1, text, problem, remedy: remedy.into() }
            }
            Trouble::Io(source) => Error::io(&path, action)(source),
        }
    }
}

impl TrainedModel {
    /// Writes a member of the model, by its number from 0, in another format. Errors name `path`.
    ///
    /// # Errors
    /// When there is no such member, the format cannot hold such a model, or it cannot be written.
    pub fn export(&self, format: ModelFormat, member: usize, path: &Path, out: &mut dyn Write) -> Done<()> {
        let schema = self.family()?.schema();
        let Some(tensors) = self.members.get(member) else {
            let problem = format!("there are {} members, counted from 0", self.members.len());
            return Err(Error::BadSetting { setting: "member", value: member.to_string(), problem });
        };
        format.write(&Member { model: self, tensors, schema }, out).map_err(|trouble| trouble.of(path, "write"))
    }

    /// Reads a model that was exported, by this program or another. `loss`: what it was trained with, where the file does not say.
    ///
    /// # Errors
    /// When it cannot be read, or is no such file: line and text are named.
    pub fn import(path: &Path, format: ModelFormat, loss: Option<Loss>) -> Done<TrainedModel> {
        let bytes = std::fs::read(path).map_err(Error::io(path, "read"))?;
        format.read(&bytes, loss).map_err(|trouble| trouble.of(path, "read"))
    }
}

/// The schema of a family of that name.
fn schema_of(kind: &str) -> Result<&'static Schema, Trouble> {
    let unknown = || Trouble::Bad(format!("is of an unknown kind of model, `{kind}`"), "give a model that this program exported");
    family(kind).map(AnyFamily::schema).ok_or_else(unknown)
}

/// What a model that was exported by this program says of itself.
fn about_of(about: &Value, schema: &Schema, loss: Option<Loss>) -> Result<About, Trouble> {
    let about = About::read(about, schema, None).map_err(|problem| Trouble::Bad(problem, "give a model as it was exported"))?;
    match loss.filter(|loss| *loss != about.loss) {
        Some(loss) => Err(Trouble::Bad(format!("says that its loss is {}, and not {loss}", about.loss), "leave the loss out")),
        None => Ok(about),
    }
}

/// Whether all is finite.
fn check_finite(tensors: &[Tensor]) -> Result<(), Trouble> {
    match tensors.iter().find(|tensor| tensor.numbers.iter().any(|x| !x.is_finite())) {
        Some(tensor) => Err(Trouble::Bad(format!("has a number in `{}` that is not finite", tensor.name), "give finite numbers")),
        None => Ok(()),
    }
}
