//! What of a trained model goes by its family: opening a file, scoring, checking labels, typed views.
use super::{
    cut::CutModel,
    data::AnyData,
    explained::{Explain, Explained},
    list::{FAMILIES, family},
    ratings::FactorModel,
    rows::LinearModel,
    traits::AnyFamily,
};
use crate::{
    classes::by_names,
    model::{IN_MEMORY, Scored, Tensors, TrainedModel},
};
use hogwild_base::{Error, Result, threads};
use hogwild_data::Rows;
use hogwild_kernels::loss::OwnLoss;
use std::path::Path;

impl TrainedModel {
    /// Reads a model file.
    ///
    /// # Errors
    /// When it is not one, is damaged, was written by a later version, or was trained with a user's own loss.
    pub fn open(path: &Path) -> Result<TrainedModel> {
        TrainedModel::read(path, None, |name| family(name).map(AnyFamily::schema))
    }

    /// Reads a model file that may have been trained with this loss: the file has its name, not its formula.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the file names another user's own loss.
    pub fn open_with(path: &Path, loss: OwnLoss) -> Result<TrainedModel> {
        TrainedModel::read(path, Some(loss), |name| family(name).map(AnyFamily::schema))
    }

    /// Reads the bytes of a model file, wherever they were kept.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: Vec<u8>) -> Result<TrainedModel> {
        TrainedModel::read_bytes(bytes, IN_MEMORY.as_ref(), None, |name| family(name).map(AnyFamily::schema))
    }

    /// Its family.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn family(&self) -> Result<&'static dyn AnyFamily> {
        let problem = || format!("is no family of models; {} are", FAMILIES.map(|family| family.name()).join(", "));
        family(self.family).ok_or_else(|| Error::BadSetting { setting: "model", value: self.family.into(), problem: problem() })
    }

    /// Scores a data set of the model's kind, by the threads of the call (see [`Threads`](crate::Threads)). An ensemble's scores are those
    /// that predict the mean of what its members predict: of what the loss makes of a score: probabilities, means, or the score itself.
    ///
    /// # Errors
    /// When the data is of the other kind, or its dictionary cannot be read.
    pub fn score<'d>(&self, data: impl Into<AnyData<'d>>) -> Result<Scored> {
        threads::in_call(|| Ok(Scored::mean(self.loss, self.score_members(data)?)))
    }

    /// Scores a data set with each of the [`members`](Self::members).
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn score_members<'d>(&self, data: impl Into<AnyData<'d>>) -> Result<Vec<Scored>> {
        let (family, data) = (self.family()?, data.into());
        let score = |member| Ok(Scored { unit: self.unit, ..family.score(self, member, data)? });
        threads::in_call(|| self.members.iter().map(score).collect())
    }

    /// What the scores of some examples are made of, the heaviest terms first, by the threads of the call.
    ///
    /// ```
    /// use hogwild::{Explain, LinearModel, Loss, data::{Rows, RowsCsr}};
    ///
    /// let ids = &["wet", "cold"].into_iter().collect();
    /// let model = LinearModel { ids, bias: 0.5, weights: &[2.0, -3.0], unit_rows: false }.trained(Loss::Logistic);
    /// let rows = Rows::from_csr(RowsCsr {
    ///     labels: &[1.0], row_start: &[0, 2], columns: &[0, 1], ids: Some(ids), ..RowsCsr::default()
    /// })?;
    /// let all = model.explain(&rows, &Explain { rows: 0..1, top: 10, class: None })?;
    /// let names: Vec<&str> = all[0].terms.iter().map(|term| term.name.as_str()).collect();
    /// assert_eq!((names, all[0].score), (vec!["cold", "wet", "bias"], -0.5));
    /// # Ok::<(), hogwild::Error>(())
    /// ```
    ///
    /// # Errors
    /// Data of another kind, or dictionaries that cannot be read; an ensemble; a class that there is not.
    pub fn explain<'d>(&self, data: impl Into<AnyData<'d>>, asked: &Explain) -> Result<Vec<Explained>> {
        self.family()?.explain(self, data.into(), asked)
    }

    /// Whether the data's labels are such as the model's loss takes: what metrics ask for beside [`score`](Self::score).
    ///
    /// # Errors
    /// Names the first label that is not.
    pub fn check_labels<'d>(&self, data: impl Into<AnyData<'d>>) -> Result<()> {
        self.family()?.check_labels(self, data.into())
    }

    /// The classes that data have and a model of several classes does not know.
    ///
    /// # Errors
    /// When labels are missing.
    pub fn unseen_classes(&self, data: &Rows) -> Result<Vec<String>> {
        self.ids("class").map_or_else(|| Ok(Vec::new()), |known| Ok(by_names(data, known, false)?.1))
    }

    /// A view of a linear model; of an ensemble, of its last member.
    pub fn linear(&self) -> Option<LinearModel<'_>> {
        self.linear_member(self.last())
    }

    /// A view of a member of a linear model.
    pub fn linear_member<'a>(&'a self, member: &'a Tensors) -> Option<LinearModel<'a>> {
        LinearModel::new(self, member)
    }

    /// A view of a cut of a graph.
    pub fn cut(&self) -> Option<CutModel<'_>> {
        CutModel::new(self, self.last())
    }

    /// A view of a factor model; of an ensemble, of its last member.
    pub fn factors(&self) -> Option<FactorModel<'_>> {
        FactorModel::new(self, self.last())
    }
}
