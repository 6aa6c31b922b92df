//! What a user may set by name, of a rule or a schedule: one list of them is help, parser, range check and description.
use crate::{Error, Result};

/// One setting of a rule, a schedule or the like, such as `momentum`.
#[derive(Debug)]
pub struct Hyperparameter<'a> {
    /// Its name.
    pub name: &'static str,
    target: Target<'a>,
}

#[derive(Debug)]
enum Target<'a> {
    /// A number and its range.
    Number(&'a mut f32, f32, f32),
    /// On or off.
    Flag(&'a mut bool),
    /// One of several names, by index.
    Choice(&'a mut usize, &'static [&'static str]),
}

impl<'a> Hyperparameter<'a> {
    /// A number from `least` to `most`.
    pub fn new(name: &'static str, value: &'a mut f32, least: f32, most: f32) -> Hyperparameter<'a> {
        Hyperparameter { name, target: Target::Number(value, least, most) }
    }

    /// On or off.
    pub fn flag(name: &'static str, value: &'a mut bool) -> Hyperparameter<'a> {
        Hyperparameter { name, target: Target::Flag(value) }
    }

    /// One of several names; the value is its index.
    pub fn choice(name: &'static str, value: &'a mut usize, names: &'static [&'static str]) -> Hyperparameter<'a> {
        Hyperparameter { name, target: Target::Choice(value, names) }
    }

    /// The value as [`set`](Self::set) reads it.
    pub fn value(&self) -> String {
        match &self.target {
            Target::Number(value, ..) => value.to_string(),
            Target::Flag(value) => value.to_string(),
            Target::Choice(value, names) => names.get(**value).copied().unwrap_or_default().into(),
        }
    }

    /// Whether it is set by being named.
    pub fn is_flag(&self) -> bool {
        matches!(self.target, Target::Flag(_))
    }

    /// Reads a value; `setting` is what an error names.
    ///
    /// # Errors
    /// When the text is not a value, or one out of range.
    pub fn set(&mut self, setting: &'static str, text: &str) -> Result<()> {
        let name = self.name;
        let bad = |problem| Err(Error::BadSetting { setting, value: text.into(), problem });
        match &mut self.target {
            Target::Number(value, least, most) => match text.parse::<f32>() {
                Ok(x) if x >= *least && x <= *most => **value = x,
                Ok(_) => return bad(format!("{name} goes from {} to {}", short(*least), short(*most))),
                Err(_) => return bad(format!("{name} is to be a number, as in {name}=0.5")),
            },
            Target::Flag(value) => match text.parse() {
                Ok(x) => **value = x,
                Err(_) => return bad(format!("{name} is true or false")),
            },
            Target::Choice(value, names) => match names.iter().position(|name| *name == text) {
                Some(index) => **value = index,
                None => return bad(format!("{name} is one of {}", names.join(", "))),
            },
        }
        Ok(())
    }
}

/// A bound as one would write it.
fn short(x: f32) -> String {
    if x != 0.0 && x.abs() < 1e-4 { format!("{x:e}") } else { x.to_string() }
}

/// Sets hyperparameters from `name=value,name=value`.
pub fn set_all(setting: &'static str, hyperparameters: &mut [Hyperparameter<'_>], text: &str) -> Result<()> {
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let names: Vec<_> = hyperparameters.iter().map(|hyperparameter| hyperparameter.name).collect();
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let Some(hyperparameter) = hyperparameters.iter_mut().find(|hyperparameter| hyperparameter.name == name) else {
            let problem = if names.is_empty() { "it has no settings".into() } else { format!("it has {}", names.join(", ")) };
            return Err(Error::BadSetting { setting, value: part.into(), problem });
        };
        hyperparameter.set(setting, value)?;
    }
    Ok(())
}

/// The hyperparameters as [`set_all`] reads them, after a colon; nothing where there are none.
pub fn show(hyperparameters: &[Hyperparameter<'_>]) -> String {
    let values: Vec<_> =
        hyperparameters.iter().map(|hyperparameter| format!("{}={}", hyperparameter.name, hyperparameter.value())).collect();
    if values.is_empty() { String::new() } else { format!(":{}", values.join(",")) }
}
