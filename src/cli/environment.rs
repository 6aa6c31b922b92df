//! What the command is told by the environment, and hands to the library as settings and folders.
use hogwild::{Error, InstructionSet, Result, data::CacheFolder};
use std::path::PathBuf;

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

/// Where packed forms of text are kept: `$HOGWILD_CACHE`, else `hogwild` in the user's cache folder. None: nowhere.
pub fn cache_folder() -> Option<CacheFolder> {
    let given = std::env::var_os("HOGWILD_CACHE").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    given.or_else(|| Some(dirs::cache_dir()?.join("hogwild"))).map(CacheFolder::at)
}

/// Where text is packed that is not kept: the system's folder for temporary files.
pub fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}
