//! The flag that names a family of models, and what follows from it before the data are read and after.
use anyhow::bail;
use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser},
};
use hogwild::{
    AnyData, AnyFamily, FAMILIES,
    data::{Kind, Labelling},
    family, family_for,
};
use std::path::Path;

#[derive(Args)]
pub struct ModelChoice {
    /// [default: mf for ratings, linear otherwise]
    #[arg(long, value_parser = models())]
    model: Option<String>,
}

/// The families of models, each with a line of help.
fn models() -> PossibleValuesParser {
    FAMILIES.map(|family| PossibleValue::new(family.name()).help(family.summary())).into()
}

impl ModelChoice {
    /// The families that a run may be of, as far as is known before the data are read: the one named, or those that data choose.
    pub fn families(&self) -> Vec<&'static dyn AnyFamily> {
        // The parser has let through only names that exist.
        let chosen = || FAMILIES.into_iter().filter(|family| family_for(family.takes()).name() == family.name()).collect();
        self.model.as_deref().and_then(family).map_or_else(chosen, |family| vec![family])
    }

    /// What labels are to the family that is named.
    pub fn labelling(&self) -> Labelling {
        self.model.as_deref().and_then(family).map_or(Labelling::Number, AnyFamily::labelling)
    }

    /// Whether the family that is named goes by fields of features.
    pub fn by_field(&self) -> bool {
        self.model.as_deref().and_then(family).is_some_and(AnyFamily::by_field)
    }

    /// Whether the family that is named cuts graphs.
    pub fn cuts(&self) -> bool {
        self.model.as_deref().and_then(family).is_some_and(AnyFamily::cuts)
    }

    /// Refuses a cut without terminals, or with what is of held-out data, before the data are read.
    pub fn check_graph(&self, terminals: bool, valid: bool, plot: bool) -> anyhow::Result<()> {
        match self.cuts() {
            true if !terminals => bail!("--model cut: give --terminals FILE, with the nodes whose labels are known, one a line"),
            true if valid => bail!("--valid: is of held-out data, and a graph is cut as a whole; leave it out"),
            true if plot => bail!("--plot: draws held-out loss, and a graph is cut as a whole; leave it out, and see --log"),
            _ => Ok(()),
        }
    }

    /// Checks settings before the data are read: what is wrong by all families is told, in the words of the first.
    pub fn check(&self, check: impl Fn(&dyn AnyFamily) -> hogwild::Result<()>) -> hogwild::Result<()> {
        let mut errors = Vec::new();
        for family in self.families() {
            match check(family) {
                Ok(()) => return Ok(()),
                Err(error) => errors.push(error),
            }
        }
        errors.into_iter().next().map_or(Ok(()), Err)
    }

    /// The family that is trained on these data, which were read from `input`.
    pub fn of(&self, data: AnyData<'_>, input: &Path) -> anyhow::Result<&'static dyn AnyFamily> {
        let Some(family) = self.model.as_deref().and_then(family) else { return Ok(family_for(data.kind())) };
        if family.takes() != data.kind() {
            let (takes, these, else_) = match data.kind() {
                Kind::Sparse => ("ratings", "sparse rows (`label index:value ...`)", ""),
                Kind::Ratings => ("sparse rows", "ratings (`user item rating`)", ", or write rows as `label index:value ...`"),
            };
            let (name, input) = (family.name(), input.display());
            bail!("{input}: --model {name} takes {takes}, and these are {these}; leave --model out{else_}");
        }
        Ok(family)
    }

    /// The same where data are made for every family: data that the named one does not take go to another.
    pub fn or_other(&self, data: AnyData<'_>) -> &'static dyn AnyFamily {
        self.families().into_iter().find(|family| family.takes() == data.kind()).unwrap_or_else(|| family_for(data.kind()))
    }
}
