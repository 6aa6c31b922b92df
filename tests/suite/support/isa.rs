//! The instruction set that a run of the tests is to be on, as in `HOGWILD_ISA=portable cargo test --release`.
use hogwild::{InstructionSet, Settings};

/// The same settings on that instruction set, unless they name one.
pub fn forced_in(settings: &Settings) -> Settings {
    Settings { isa: settings.isa.or_else(forced), ..settings.clone() }
}

/// The one that `HOGWILD_ISA` names, if it does.
fn forced() -> Option<InstructionSet> {
    let name = std::env::var("HOGWILD_ISA").ok().filter(|name| !name.is_empty())?;
    Some(InstructionSet::named(&name).unwrap_or_else(|error| panic!("HOGWILD_ISA: {error}")))
}
