//! Numbers that a user may set by name, of a rule or a schedule: one list of them is help, parser, range check and description.
use crate::{Error, Result};

/// One number with its range.
#[derive(Debug)]
pub struct Knob<'a> {
    /// The name, as in `--momentum`.
    pub name: &'static str,
    /// The number itself.
    pub value: &'a mut f32,
    /// The least it may be.
    pub least: f32,
    /// The most it may be.
    pub most: f32,
}

impl<'a> Knob<'a> {
    /// A number from `least` to `most`.
    pub fn new(name: &'static str, value: &'a mut f32, least: f32, most: f32) -> Knob<'a> {
        Knob { name, value, least, most }
    }

    /// Sets the number.
    ///
    /// # Errors
    /// When it is out of range.
    pub fn set(&mut self, setting: &'static str, value: f32) -> Result<()> {
        if !(value >= self.least && value <= self.most) {
            let problem = format!("{} goes from {} to {}", self.name, self.least, self.most);
            return Err(Error::BadSetting { setting, value: value.to_string(), problem });
        }
        *self.value = value;
        Ok(())
    }
}

/// Sets knobs from `name=value,name=value`.
pub(crate) fn set_all(setting: &'static str, knobs: &mut [Knob<'_>], text: &str) -> Result<()> {
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let bad = |problem: String| Error::BadSetting { setting, value: part.into(), problem };
        let names: Vec<_> = knobs.iter().map(|knob| knob.name).collect();
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let Some(knob) = knobs.iter_mut().find(|knob| knob.name == name) else {
            return Err(bad(if names.is_empty() { "it has no settings".into() } else { format!("it has {}", names.join(", ")) }));
        };
        knob.set(setting, value.parse().map_err(|_| bad(format!("{name} is to be a number, as in {name}=0.5")))?)?;
    }
    Ok(())
}

/// The knobs as [`set_all`] reads them, after a colon; nothing where there are none.
pub(crate) fn show(knobs: &[Knob<'_>]) -> String {
    let values: Vec<_> = knobs.iter().map(|knob| format!("{}={}", knob.name, knob.value)).collect();
    if values.is_empty() { String::new() } else { format!(":{}", values.join(",")) }
}
