//! What a model says of itself beside its numbers, as JSON: the same in its own file and in what is exported.
use super::{schema::Schema, trained::TrainedModel};
use crate::classes::Classes;
use hogwild_data::Recipe;
use hogwild_kernels::loss::{Loss, OwnLoss};
use serde_json::{Value, json};

/// What is read of it.
pub(crate) struct About {
    pub loss: Loss,
    pub unit: f32,
    pub unit_rows: bool,
    pub classes: Option<Classes>,
    pub class_names: Vec<String>,
    pub recipe: Option<Recipe>,
    pub settings: Value,
}

impl TrainedModel {
    /// All of it, with the family as `kind`.
    pub(crate) fn about(&self) -> Value {
        let mut about = json!({ "kind": self.family, "loss": self.loss.to_string(), "settings": self.settings });
        if self.unit != 1.0 {
            about["unit"] = self.unit.into();
        }
        if self.unit_rows {
            about["unit_rows"] = true.into();
        }
        if let Some(classes) = self.classes {
            about["classes"] = classes.to_json();
        }
        if !self.class_names.is_empty() {
            about["class_names"] = self.class_names.clone().into();
        }
        if let Some(recipe) = &self.recipe {
            about["recipe"] = recipe.to_json();
        }
        about
    }
}

impl About {
    /// Reads it, for a model of this schema; `own` is the loss that a user's program brings, if it does. The error is what is wrong.
    pub fn read(about: &Value, schema: &Schema, own: Option<OwnLoss>) -> Result<About, String> {
        let loss = loss(about["loss"].as_str().unwrap_or(""), own)?;
        let unit = about["unit"].as_f64().map_or(1.0, |unit| unit as f32);
        if !(unit.is_normal() && unit > 0.0) {
            return Err(format!("has the unit {unit}, which is to be above 0"));
        }
        let classes = match &about["classes"] {
            _ if !loss.is_classification() || !schema.own_classes => None,
            Value::Null => Some(Classes::SIGNS),
            entry => Some(Classes::from_json(entry).ok_or_else(|| format!("its classes are no two labels: {entry}"))?),
        };
        let class_names = match &about["class_names"] {
            Value::Null => Vec::new(),
            _ if classes.is_none() => return Err("has `class_names`, and is no model of two classes".into()),
            entry => names(entry).ok_or_else(|| format!("its class names are no two texts: {entry}"))?,
        };
        let recipe = match &about["recipe"] {
            Value::Null => None,
            entry => Some(Recipe::from_json(entry).ok_or("says of its columns what this version does not know")?),
        };
        let (settings, unit_rows) = (about["settings"].clone(), about["unit_rows"].as_bool().unwrap_or(false));
        Ok(About { loss, unit, unit_rows, classes, class_names, recipe, settings })
    }
}

/// Two different names.
fn names(json: &Value) -> Option<Vec<String>> {
    let names: Vec<String> = json.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    matches!(names.as_slice(), [one, other] if one != other).then_some(names)
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
