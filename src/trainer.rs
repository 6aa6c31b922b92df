//! The builder of a run: `Trainer::linear().loss(Loss::Logistic).holdout(0.1).fit(&rows)?.save("m.safetensors")?`.
//!
//! It gathers settings, held-out data and who follows the run, and hands them to the session. The methods of the settings are made from
//! their declarations, in `options`.
use crate::{
    AnyData, Batch, ClassWeight, Ended, Error, HoldoutBy, InstructionSet, IntoSetting, Loss, Metric, Metrics, Normalize, Order, Outcome,
    Parallel, Result, Rule, Schedule, Scored, Settings, TrainedModel, Watch, Window,
    data::{Ratings, Rows},
    family::ranking_settings,
    models::RankingLoss,
    options::each_setting,
    rules::UpdateRule,
    train_factorization, train_factorization_with, train_ffm, train_ffm_with, train_fm, train_fm_with, train_implicit, train_implicit_with,
    train_linear, train_linear_with, train_ovr, train_ovr_with, train_softmax, train_softmax_with,
};
use std::{path::Path, sync::atomic::AtomicBool};

/// The session, of one kind of data and one rule.
type Session<'a, D> = Box<dyn FnOnce(&D, Option<&D>, &Settings, &mut dyn Watch, &AtomicBool) -> Result<Outcome> + 'a>;

/// A run to be: [`linear`](Trainer::linear) models, [factorization machines](Trainer::factorization_machine)
/// ([field-aware](Trainer::field_aware_factorization_machine) ones too) or models of several classes
/// ([`softmax`](Trainer::softmax), [`one_vs_rest`](Trainer::one_vs_rest)) of sparse rows, or the
/// [`factorization`](Trainer::factorization) of ratings.
///
/// ```
/// use hogwild::{Loss, Trainer, rules::Adam};
/// # use hogwild::data::{Data, PackSettings, pack};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let packed = folder.path().join("reviews.safetensors");
/// # pack(&["data/reviews.train.svm".into()], &packed, &PackSettings::default())?;
/// # let Data::Rows(rows) = Data::open(&packed)? else { panic!("ratings, not rows") };
/// # let path = folder.path().join("m.safetensors");
/// let outcome = Trainer::linear().loss(Loss::Logistic).rule(Adam::DEFAULT).lr(0.01).holdout(0.1).seed(3).fit(&rows)?;
/// println!("held-out log-loss {:.4}", outcome.valid().expect("held-out rows").loss);
/// # assert!(outcome.valid().unwrap().loss < 0.69);
/// outcome.save(&path)?;
/// # Ok(()) }
/// ```
pub struct Trainer<'a, D> {
    settings: Settings,
    /// The names of the settings that were given.
    given: Vec<&'static str>,
    valid: Option<&'a D>,
    watch: Option<&'a mut dyn Watch>,
    stop: Option<&'a AtomicBool>,
    session: Session<'a, D>,
    /// Which model of rows it is.
    model: RowModel,
    /// How a model ranks, where it does.
    ranking: Option<RankingLoss>,
}

/// The models of sparse rows.
#[derive(Clone, Copy)]
enum RowModel {
    Linear,
    Pairs,
    Fields,
    Softmax,
    OneVsRest,
}

impl<'a> Trainer<'a, Rows> {
    /// A linear model of sparse rows, with the defaults for those.
    pub fn linear() -> Trainer<'a, Rows> {
        Trainer::new(Settings::default(), Box::new(train_linear))
    }

    /// A factorization machine of sparse rows, with the defaults for those.
    ///
    /// ```
    /// # use hogwild::{Trainer, data::{Data, PackSettings, pack}};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let packed = folder.path().join("reviews.safetensors");
    /// # pack(&["data/reviews.train.svm".into()], &packed, &PackSettings::default())?;
    /// # let Data::Rows(rows) = Data::open(&packed)? else { panic!("ratings, not rows") };
    /// let outcome = Trainer::factorization_machine().rank(4).epochs(2).lr(0.1).holdout(0.2).fit(&rows)?;
    /// assert!(outcome.valid().expect("held-out rows").loss < 0.69);
    /// # Ok(()) }
    /// ```
    pub fn factorization_machine() -> Trainer<'a, Rows> {
        Trainer { model: RowModel::Pairs, ..Trainer::new(Settings::for_fm(), Box::new(train_fm)) }
    }

    /// A field-aware factorization machine of sparse rows whose features have [fields](Rows::fields), with the defaults for those.
    ///
    /// ```
    /// # use hogwild::{Trainer, data::{Data, PackSettings, pack}};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let (text, packed) = (folder.path().join("clicks.ffm"), folder.path().join("clicks.safetensors"));
    /// # let line = |i: usize| format!("{} 0:{}:1 1:{}:1\n", (i / 3 + i) % 2, i % 2, 2 + i / 3 % 2);
    /// # std::fs::write(&text, (0..600).map(line).collect::<String>())?;
    /// pack(&[text], &packed, &PackSettings { fields: true, ..PackSettings::default() })?;
    /// # let Data::Rows(rows) = Data::open(&packed)? else { panic!("ratings, not rows") };
    /// let outcome = Trainer::field_aware_factorization_machine().epochs(20).lr(0.5).holdout(0.2).fit(&rows)?;
    /// assert!(outcome.valid().expect("held-out rows").loss < 0.69);
    /// # Ok(()) }
    /// ```
    pub fn field_aware_factorization_machine() -> Trainer<'a, Rows> {
        Trainer { model: RowModel::Fields, ..Trainer::new(Settings::for_ffm(), Box::new(train_ffm)) }
    }

    /// Multinomial logistic regression of sparse rows whose labels are classes, one a row, with the defaults for that.
    ///
    /// ```
    /// # use hogwild::{Trainer, data::{Labelling, Data, PackSettings, pack}};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let (text, packed) = (folder.path().join("fruit.svm"), folder.path().join("fruit.safetensors"));
    /// # std::fs::write(&text, "apple 1:1 3:1\nplum 2:1 3:1\nkiwi 4:1\n".repeat(40))?;
    /// pack(&[text], &packed, &PackSettings { labelling: Labelling::Class, ..PackSettings::default() })?;
    /// # let Data::Rows(rows) = Data::open(&packed)? else { panic!("ratings, not rows") };
    /// let outcome = Trainer::softmax().epochs(3).lr(0.5).holdout(0.2).fit(&rows)?;
    /// assert_eq!(outcome.valid().and_then(|valid| valid.accuracy), Some(1.0));
    /// # Ok(()) }
    /// ```
    pub fn softmax() -> Trainer<'a, Rows> {
        Trainer { model: RowModel::Softmax, ..Trainer::new(Settings::for_softmax(), Box::new(train_softmax)) }
    }

    /// A model for each class against the rest, of sparse rows with any number of classes, with the defaults for that.
    pub fn one_vs_rest() -> Trainer<'a, Rows> {
        Trainer { model: RowModel::OneVsRest, ..Trainer::new(Settings::for_ovr(), Box::new(train_ovr)) }
    }

    /// Trains with an update rule of your own: see [`UpdateRule`].
    pub fn own_rule<R: UpdateRule + 'a>(self, rule: R) -> Trainer<'a, Rows> {
        let session = move |data: &Rows, valid: Option<&Rows>, settings: &Settings, watch: &mut dyn Watch, stop: &AtomicBool| {
            let train = match self.model {
                RowModel::Linear => train_linear_with,
                RowModel::Pairs => train_fm_with,
                RowModel::Fields => train_ffm_with,
                RowModel::Softmax => train_softmax_with,
                RowModel::OneVsRest => train_ovr_with,
            };
            train(rule, data, valid, settings, watch, stop)
        };
        Trainer { session: Box::new(session), ..self }
    }
}

impl<'a> Trainer<'a, Ratings> {
    /// Matrix factorization of ratings, with the defaults for those.
    ///
    /// ```
    /// # use hogwild::{Trainer, data::{Data, PackSettings, pack}};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let packed = folder.path().join("ratings.safetensors");
    /// # pack(&["data/ratings.train.tsv".into()], &packed, &PackSettings::default())?;
    /// # let Data::Ratings(ratings) = Data::open(&packed)? else { panic!("rows, not ratings") };
    /// let outcome = Trainer::factorization().rank(8).epochs(2).lr(0.1).holdout(0.2).fit(&ratings)?;
    /// assert!(outcome.valid().and_then(|valid| valid.rmse).expect("held-out ratings") < 1.0);
    /// # Ok(()) }
    /// ```
    pub fn factorization() -> Trainer<'a, Ratings> {
        Trainer::new(Settings::for_ratings(), Box::new(train_factorization))
    }

    /// Ranking of items by implicit feedback, with the defaults for that loss: each row is an item that its user took, whatever its value.
    ///
    /// ```
    /// # use hogwild::{Trainer, data::{Data, PackSettings, pack}};
    /// use hogwild::models::RankingLoss;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let packed = folder.path().join("ratings.safetensors");
    /// # pack(&["data/ratings.train.tsv".into()], &packed, &PackSettings::default())?;
    /// # let Data::Ratings(ratings) = Data::open(&packed)? else { panic!("rows, not ratings") };
    /// let outcome = Trainer::implicit(RankingLoss::Bpr).rank(8).epochs(2).holdout(0.2).fit(&ratings)?;
    /// assert!(outcome.valid().and_then(|valid| valid.ranking).expect("held-out items").recall > 0.0);
    /// # Ok(()) }
    /// ```
    pub fn implicit(loss: RankingLoss) -> Trainer<'a, Ratings> {
        let session = move |data: &Ratings, valid: Option<&Ratings>, settings: &Settings, watch: &mut dyn Watch, stop: &AtomicBool| {
            train_implicit(loss, data, valid, settings, watch, stop)
        };
        Trainer { ranking: Some(loss), ..Trainer::new(ranking_settings(loss), Box::new(session)) }
    }

    /// Trains with an update rule of your own: see [`UpdateRule`].
    pub fn own_rule<R: UpdateRule + 'a>(self, rule: R) -> Trainer<'a, Ratings> {
        let ranking = self.ranking;
        let session =
            move |data: &Ratings, valid: Option<&Ratings>, settings: &Settings, watch: &mut dyn Watch, stop: &AtomicBool| match ranking {
                Some(loss) => train_implicit_with(rule, loss, data, valid, settings, watch, stop),
                None => train_factorization_with(rule, data, valid, settings, watch, stop),
            };
        Trainer { session: Box::new(session), ..self }
    }
}

impl<'a, D> Trainer<'a, D> {
    fn new(settings: Settings, session: Session<'a, D>) -> Trainer<'a, D> {
        Trainer { settings, given: Vec::new(), valid: None, watch: None, stop: None, session, model: RowModel::Linear, ranking: None }
    }

    /// All settings at once, in place of what was given before.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self.given = vec!["schedule"];
        self
    }

    /// One setting by its name, as in `.set("beta1", "0.8")`: see [`Settings::set`].
    ///
    /// # Errors
    /// When there is no such setting, or the text is no such value.
    pub fn set(mut self, name: &str, text: &str) -> Result<Self> {
        self.settings.set(name, text)?;
        self.given.extend(crate::options().map(|option| option.name).find(|&known| known == name));
        Ok(self)
    }

    /// Evaluates on these data after every epoch, in place of a [`holdout`](Self::holdout).
    pub fn valid(mut self, data: &'a D) -> Self {
        self.valid = Some(data);
        self
    }

    /// Has the run followed.
    pub fn watch(mut self, watch: &'a mut dyn Watch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Ends the run, with the model as it then is, when the flag is set: by another thread, or a signal.
    pub fn stop(mut self, flag: &'a AtomicBool) -> Self {
        self.stop = Some(flag);
        self
    }

    /// Trains.
    ///
    /// # Errors
    /// Settings out of range, labels that do not fit the loss, too little memory. Divergence is not an error: see [`Ended`](crate::Ended).
    pub fn fit(mut self, data: &D) -> Result<Outcome> {
        if !self.given.contains(&"schedule") {
            self.settings.choose_schedule();
        }
        let never = AtomicBool::new(false);
        let mut nobody = ();
        let watch: &mut dyn Watch = match self.watch {
            Some(watch) => watch,
            None => &mut nobody,
        };
        (self.session)(data, self.valid, &self.settings, watch, self.stop.unwrap_or(&never))
    }
}

/// A method for each setting.
macro_rules! methods {
    ($([$($parent:ident)?] $(#[doc = $help:literal])+ $name:ident: $type:ty;)+) => {
        /// The settings, each by a method of its name.
        impl<D> Trainer<'_, D> {
            $(methods! { @one [$($parent)?] $(#[doc = $help])+ $name: $type })+
        }
    };
    (@one [] $(#[doc = $help:literal])+ rule: $type:ty) => {
        $(#[doc = $help])+
        /// A rule's own type is taken too, as in `.rule(Adam::DEFAULT)`; for one of your own see [`own_rule`](Self::own_rule).
        pub fn rule(mut self, rule: impl Into<$type>) -> Self {
            self.settings.rule = rule.into();
            self
        }
    };
    (@one [$($parent:ident)?] $(#[doc = $help:literal])+ $name:ident: $type:ty) => {
        $(#[doc = $help])+
        pub fn $name(mut self, value: impl IntoSetting<$type>) -> Self {
            self.settings.$($parent.)?$name = value.into_setting();
            self.given.push(stringify!($name));
            self
        }
    };
}
each_setting! { methods }

/// What can be done with the model of a run.
impl Outcome {
    /// Writes the model: to a temporary file beside the target, synced, then renamed.
    ///
    /// # Errors
    /// What the system refuses; and where the run left no model.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.trained()?.save(path.as_ref())
    }

    /// Scores other data with the model: [`Scored::metrics`](crate::Scored::metrics) says how well.
    ///
    /// # Errors
    /// When the data are of another kind, or the run left no model.
    pub fn score<'d>(&self, data: impl Into<AnyData<'d>>) -> Result<Scored> {
        self.trained()?.score(data)
    }

    /// Held-out metrics of the model: of all its members together with snapshots, otherwise of the epoch whose state it is. None where
    /// there is no model, or nothing was held out.
    pub fn valid(&self) -> Option<Metrics> {
        let kept = self.kept.last().and_then(|&epoch| self.epochs.get(epoch - 1));
        self.ensemble.or(kept.and_then(|epoch| epoch.valid))
    }

    /// The model.
    ///
    /// # Errors
    /// Where the run left none, says how it ended.
    pub fn trained(&self) -> Result<&TrainedModel> {
        let why = || match &self.ended {
            Ended::Diverged(error) | Ended::DataLost(error) => error.to_string(),
            Ended::Interrupted => "it was interrupted in its first epoch".into(),
            Ended::Finished | Ended::StoppedEarly | Ended::Stopped => "no epoch was completed".into(),
        };
        self.model.as_ref().ok_or_else(|| Error::NoModel { why: why() })
    }
}
