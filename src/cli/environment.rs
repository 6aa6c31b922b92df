//! What the command is told by the environment, and hands to the library as settings.
use hogwild::{Error, InstructionSet, Result};

/// `HOGWILD_ISA` names the instruction set of the workers; if it is not there, or empty, they have the best one.
///
/// # Errors
/// When this processor has none of that name.
pub fn instruction_set() -> Result<Option<InstructionSet>> {
    const NAME: &str = "HOGWILD_ISA";
    let Some(name) = std::env::var_os(NAME).map(|name| name.to_string_lossy().into_owned()).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    InstructionSet::named(&name).map(Some).map_err(|error| match error {
        Error::BadSetting { value, problem, .. } => Error::BadSetting { setting: NAME, value, problem },
        other => other,
    })
}
