//! What a family of models is.
use super::{
    data::{AnyData, DataSet},
    explained::{Explain, Explained, no_terms},
    prepared::Prepared,
};
use crate::{
    model::{Schema, Scored, Tensors, TrainedModel},
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_data::{Format, Kind, Labelling};
use hogwild_kernels::{
    engine::{Facts, Kernel, Loops},
    rules::Rule,
};
use serde_json::{Map, Value};

/// How many workers so many stored numbers are worth.
pub(crate) fn workers<F: Family>(numbers: u64) -> usize {
    (1 + numbers / F::WORK).min(1024) as usize
}

/// A family of models: which data it takes, what of its parameters is kept, how it scores. All but what runs once an example, which is its
/// [`Kernel`].
pub trait Family: Sync + 'static {
    /// A line of help.
    const SUMMARY: &'static str;
    /// Its name, tensors, and what their rows belong to.
    const SCHEMA: Schema;
    /// How much work is worth a worker of its own, in stored numbers of an epoch: of less, which takes some two milliseconds, a second
    /// worker saves nothing that could be noticed, and on few examples at high rates several go by each other's old weights.
    const WORK: u64;
    /// What it trains on.
    type Data: DataSet;
    /// What its loops are compiled for.
    type Kernel: Kernel;

    /// What labels are to it.
    const LABELLING: Labelling = Labelling::Number;

    /// Whether it ranks items for users, and its scores say nothing by themselves.
    const RANKS: bool = false;

    /// Whether it goes by the fields of features.
    const BY_FIELD: bool = false;

    /// Whether it cuts a graph: it is judged by what it is trained on, and says which label each node has.
    const CUTS: bool = false;

    /// The text format that its data have if nothing says otherwise.
    const FORMAT: Format = <Self::Data as DataSet>::FORMAT;

    /// Settings that suit it.
    fn defaults() -> Settings;

    /// # Errors
    /// Names the first setting that does not go with it.
    fn check(settings: &Settings) -> Result<()>;

    /// Data and settings, ready for a run; the settings were checked.
    ///
    /// # Errors
    /// What is wrong with the data.
    fn prepare<'a>(
        rule: &'a dyn Loops<Self::Kernel>,
        data: &'a Self::Data,
        valid: Option<&'a Self::Data>,
        settings: &'a Settings,
    ) -> Result<Box<dyn Prepared + 'a>>;

    /// Scores data with a member of a model.
    ///
    /// # Errors
    /// When the data's dictionaries can't be read.
    fn score(model: &TrainedModel, member: &Tensors, data: &Self::Data) -> Result<Scored>;

    /// # Errors
    /// Names the first label that the model's loss does not take.
    fn check_labels(model: &TrainedModel, data: &Self::Data) -> Result<()>;

    /// What the scores of some examples are made of; families whose scores are sums of terms say which.
    ///
    /// # Errors
    /// When scores are no such sums, or the data's dictionaries can't be read.
    fn explain(_model: &TrainedModel, _data: &Self::Data, _asked: &Explain) -> Result<Vec<Explained>> {
        Err(no_terms(Self::SCHEMA.family))
    }

    /// What `inspect` tells of a member.
    fn describe_member(member: &Tensors) -> Value;

    /// What `inspect` tells of a model, with so many of the heaviest weights.
    fn describe(model: &TrainedModel, top: usize) -> Map<String, Value>;
}

/// A family as an object: what the command, model files and scoring go by.
pub trait AnyFamily: Sync {
    /// What `--model` and the file's `kind` call it.
    fn name(&self) -> &'static str;
    /// A line of help.
    fn summary(&self) -> &'static str;
    /// Its tensors, and what their rows belong to.
    fn schema(&self) -> &'static Schema;
    /// The data that it trains on and scores.
    fn takes(&self) -> Kind;
    /// The text format that such data have if nothing says otherwise.
    fn format(&self) -> Format;
    /// What labels are to it.
    fn labelling(&self) -> Labelling;
    /// Whether it ranks items for users, and its scores say nothing by themselves.
    fn ranks(&self) -> bool;
    /// Whether it goes by the fields of features.
    fn by_field(&self) -> bool;
    /// Whether it cuts a graph: it is judged by what it is trained on, and says which label each node has.
    fn cuts(&self) -> bool;
    /// Settings that suit it.
    fn defaults(&self) -> Settings;
    /// # Errors
    /// The first setting that is out of its range, or does not go with the family or the rule.
    fn check(&self, settings: &Settings) -> Result<()>;
    /// How many workers the data are worth.
    fn workers(&self, data: AnyData<'_>) -> usize;
    /// What `inspect` tells of a member.
    fn describe_member(&self, member: &Tensors) -> Value;
    /// What `inspect` tells of a model, with so many of the heaviest weights.
    fn describe(&self, model: &TrainedModel, top: usize) -> Map<String, Value>;
    /// Scores data with a member of a model.
    ///
    /// # Errors
    /// Data of another kind, or dictionaries that can't be read.
    fn score(&self, model: &TrainedModel, member: &Tensors, data: AnyData<'_>) -> Result<Scored>;
    /// # Errors
    /// Data of another kind; the first label that the model's loss does not take.
    fn check_labels(&self, model: &TrainedModel, data: AnyData<'_>) -> Result<()>;
    /// What the scores of some examples are made of.
    ///
    /// # Errors
    /// Data of another kind, or dictionaries that can't be read; a model whose scores are no sums of terms.
    fn explain(&self, model: &TrainedModel, data: AnyData<'_>, asked: &Explain) -> Result<Vec<Explained>>;
    /// What a session asks about a rule.
    #[doc(hidden)]
    fn facts(&self, rule: &Rule) -> Facts;
    /// Data and settings, ready for a run by the settings' own rule.
    #[doc(hidden)]
    fn prepare<'a>(&self, data: AnyData<'a>, valid: Option<AnyData<'a>>, settings: &'a Settings) -> Result<Box<dyn Prepared + 'a>>;
}

impl<F: Family> AnyFamily for F
where
    Rule: Loops<F::Kernel>,
{
    fn name(&self) -> &'static str {
        F::SCHEMA.family
    }

    fn summary(&self) -> &'static str {
        F::SUMMARY
    }

    fn schema(&self) -> &'static Schema {
        const { &F::SCHEMA }
    }

    fn takes(&self) -> Kind {
        F::Data::KIND
    }

    fn format(&self) -> Format {
        F::FORMAT
    }

    fn labelling(&self) -> Labelling {
        F::LABELLING
    }

    fn ranks(&self) -> bool {
        F::RANKS
    }

    fn by_field(&self) -> bool {
        F::BY_FIELD
    }

    fn cuts(&self) -> bool {
        F::CUTS
    }

    fn defaults(&self) -> Settings {
        F::defaults()
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        settings.check()?;
        F::check(settings)
    }

    fn workers(&self, data: AnyData<'_>) -> usize {
        workers::<F>(data.numbers())
    }

    fn describe_member(&self, member: &Tensors) -> Value {
        F::describe_member(member)
    }

    fn describe(&self, model: &TrainedModel, top: usize) -> Map<String, Value> {
        F::describe(model, top)
    }

    fn score(&self, model: &TrainedModel, member: &Tensors, data: AnyData<'_>) -> Result<Scored> {
        F::score(model, member, of_kind(data)?)
    }

    fn check_labels(&self, model: &TrainedModel, data: AnyData<'_>) -> Result<()> {
        F::check_labels(model, of_kind(data)?)
    }

    fn explain(&self, model: &TrainedModel, data: AnyData<'_>, asked: &Explain) -> Result<Vec<Explained>> {
        F::explain(model, of_kind(data)?, asked)
    }

    fn facts(&self, rule: &Rule) -> Facts {
        Loops::<F::Kernel>::facts(rule)
    }

    fn prepare<'a>(&self, data: AnyData<'a>, valid: Option<AnyData<'a>>, settings: &'a Settings) -> Result<Box<dyn Prepared + 'a>> {
        F::prepare(&settings.rule, of_kind(data)?, valid.map(of_kind).transpose()?, settings)
    }
}

/// Data as a family takes them.
fn of_kind<D: DataSet>(data: AnyData<'_>) -> Result<&D> {
    D::of(data).ok_or_else(|| {
        let problem = format!("holds {}, which is not what this model scores", data.holds());
        Error::BadFile { path: data.path().to_owned(), problem, remedy: data.remedy() }
    })
}
