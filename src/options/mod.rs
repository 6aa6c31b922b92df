//! What a run is told: every setting, declared once, in the file of its group.
//!
//! A declaration is the field of [`Settings`] and its defaults, the flag and its help, the entry of logs and model files, the row of
//! `docs/options.md`, and (by `each_setting!`) the builder's method. A group's `check` says what holds between settings;
//! [`Settings::check`] asks all groups before any work.
#[macro_use]
mod declare;
mod data;
mod gradients;
mod graph;
mod markdown;
mod objective;
mod optimizer;
mod option;
mod order;
mod parallel;
mod partitioned;
mod ranking;
mod servers;
mod stopping;
mod text;

pub use markdown::markdown;
pub use option::{Opt, Takes};
pub(crate) use partitioned::check_rows;
pub(crate) use partitioned::rating_parts;
pub(crate) use servers::MOST_SERVERS;
pub use text::IntoSetting;

use crate::{
    Batch, ClassWeight, HoldoutBy, InstructionSet, Loss, Metric, Normalize, Order, Parallel, Result, Rule, Schedule, Transforms, Window,
    rules::{Adagrad, AdagradRowwise},
};
use hogwild_kernels::engine::Facts;
use option::Group;
use serde_json::{Map, Value};
use text::Text;

// The order in which flags, documents and logs have the groups.
collect! { $ [objective optimizer gradients order stopping parallel servers data ranking graph] {} {} }
const GROUPS: [Group; 10] = [
    objective::GROUP,
    optimizer::GROUP,
    gradients::GROUP,
    order::GROUP,
    stopping::GROUP,
    parallel::GROUP,
    servers::GROUP,
    data::GROUP,
    ranking::GROUP,
    graph::GROUP,
];

/// Every setting, group by group.
///
/// ```
/// let lr = hogwild::options().find(|option| option.name == "lr").expect("a learning rate");
/// assert_eq!((lr.value, lr.defaults()[0].as_deref()), ("auto|RATE", Some("auto")));
/// ```
pub fn options() -> impl Iterator<Item = &'static Opt> {
    const { &GROUPS }.iter().flat_map(|group| group.options)
}

/// In how many examples a feature has to occur to have factors for each field, unless it is said.
const LEAST_COUNT: u64 = 50;

/// What settings are held against, of a rule that may be the user's own.
struct RuleFacts<'a> {
    name: &'a str,
    takes_l1: bool,
    takes_schedules: bool,
    /// Whether weights are read together with the state of the rule.
    reads: bool,
    /// Whether it tunes itself by whole gradients.
    learns: bool,
}

impl Settings {
    /// The defaults for factorization machines: a state a row of factors, and eight factors.
    pub fn for_fm() -> Settings {
        Settings { rule: Rule::AdagradRowwise(AdagradRowwise::DEFAULT), rank: 8, ..Settings::default() }
    }

    /// The defaults for field-aware factorization machines: the same, four factors for each field, rows of length 1, and some epochs more.
    pub fn for_ffm() -> Settings {
        Settings { rank: 4, normalize: Normalize::Row, epochs: 8, ..Settings::for_fm() }
    }

    /// In how many examples a feature has to occur to have factors for each field.
    pub(crate) fn least_count(&self) -> u64 {
        self.factor_min_count.unwrap_or(LEAST_COUNT)
    }

    /// The defaults for softmax: a state a row of weights, and a rate that falls to 0.
    pub fn for_softmax() -> Settings {
        Settings { rule: Rule::AdagradRowwise(AdagradRowwise::DEFAULT), schedule: Schedule::Linear, ..Settings::default() }
    }

    /// The defaults for one-vs-rest: the same by the squared hinge loss.
    pub fn for_ovr() -> Settings {
        Settings { loss: Loss::SquaredHinge, ..Settings::for_softmax() }
    }

    /// The defaults for ranking by implicit feedback: 64 factors, sums of squares that begin small, as gradients are.
    pub fn for_ranking() -> Settings {
        let rule = Rule::AdagradRowwise(AdagradRowwise(Adagrad { initial: 0.01, ..Adagrad::DEFAULT }));
        Settings { rule, rank: 64, parallel: Parallel::Hogwild, ..Settings::for_ratings() }
    }

    /// Sets one by its name, from text: one of [`options`], or a setting of the update rule, such as `beta1`. Whether the value is in its
    /// range, and goes with the others, is for [`check`](Self::check) to say.
    ///
    /// # Errors
    /// When there is no such setting, or the text is no such value.
    ///
    /// ```
    /// let mut settings = hogwild::Settings::default();
    /// settings.set("rule", "adam")?;
    /// settings.set("beta1", "0.8")?;
    /// settings.set("batch_growth", "2")?;
    /// # Ok::<(), hogwild::Error>(())
    /// ```
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        match options().find(|option| option.name == name) {
            Some(option) => option.set(self, text),
            None => self.rule.set(name, text),
        }
    }

    /// # Errors
    /// The first setting that is out of its range, or does not go with another or with the rule.
    pub fn check(&self) -> Result<()> {
        let rule = &self.rule;
        self.check_for(&RuleFacts {
            name: rule.name(),
            takes_l1: rule.takes_l1(),
            takes_schedules: rule.takes_schedules(),
            reads: rule.reads_state(),
            learns: rule.learns(),
        })
    }

    /// The same for a rule that may be the user's own.
    pub(crate) fn check_with(&self, facts: &Facts, name: &str) -> Result<()> {
        self.check_for(&RuleFacts {
            name,
            takes_l1: facts.proximal,
            takes_schedules: facts.schedules,
            reads: facts.reads,
            learns: facts.learns,
        })
    }

    fn check_for(&self, rule: &RuleFacts<'_>) -> Result<()> {
        options().try_for_each(|option| option.check(self))?;
        GROUPS.iter().try_for_each(|group| (group.check)(self, rule))
    }

    /// All settings by name, for the log and the model file.
    pub fn describe(&self) -> Value {
        self.describe_with(self.rule.name())
    }

    /// The same where the rule has another name, because it is the user's own.
    pub(crate) fn describe_with(&self, rule: &str) -> Value {
        let known = (rule == self.rule.name()).then(|| self.rule.to_string());
        let rule_settings = known.as_ref().and_then(|text| text.split_once(':')).map(|(_, settings)| settings);
        let mut all = Map::from_iter([("rule".to_string(), rule.into()), ("rule_settings".to_string(), rule_settings.into())]);
        let logged = options().filter(|option| option.is_logged);
        all.extend(logged.map(|option| (option.name.to_string(), option.logged.unwrap_or(option.json)(self))));
        all.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_read_as_it_is_shown() {
        for mut settings in [Settings::default(), Settings::for_ratings()] {
            settings.set("patience", "3").unwrap();
            settings.set("stop_metric", "loss").unwrap();
            let before = settings.describe();
            for option in options() {
                let text = option.get(&settings).unwrap_or_default();
                settings.set(option.name, &text).unwrap();
                let has_range = !option.must_be.is_empty() || option.is_switch || !option.choices().is_empty() || option.details.is_some();
                assert!(has_range || option.name == "isa", "{}", option.name);
                assert!(
                    !option.help.is_empty() && option.is_switch == option.value.is_empty() && option.is_switch != option.off.is_empty(),
                    "{}",
                    option.name
                );
            }
            assert_eq!(settings.describe(), before);
        }
    }

    #[test]
    fn names_are_unlike_and_those_of_aids_are_all_there() {
        let mut names: Vec<_> = options().map(|option| option.name.replace('_', "-")).collect();
        names.extend(Rule::hyperparameter_names().into_iter().map(str::to_string));
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(format!("{:?}", Transforms::default()).matches(": ").count(), gradients::GROUP.options.len());
    }

    #[test]
    fn settings_of_rules_are_set_by_name_and_unknown_ones_are_named() {
        let mut settings = Settings::default();
        settings.set("rule", "adamw").unwrap();
        settings.set("weight_decay", "0.5").unwrap();
        assert_eq!(settings.rule.to_string(), "adamw:beta1=0.9,beta2=0.999,epsilon=0.00000001,weight-decay=0.5");
        for (name, text, says) in [
            ("nosuch", "1", "no such setting"),
            ("momentum", "0.5", "`rule` adamw has no such setting; momentum, nesterov has"),
            ("epochs", "-1", "`epochs` -1: must be from 1 to 1000000"),
            ("loss", "cubic", "logistic, hinge"),
            ("schedule", "step:every=x", "a number"),
            ("isa", "mmx", "this processor has"),
            ("pin", "maybe", "true or false"),
        ] {
            let message = settings.set(name, text).unwrap_err().to_string();
            assert!(message.contains(says), "{message}");
        }
        settings.set("rank", "5000").unwrap();
        assert_eq!(settings.check().unwrap_err().to_string(), "`rank` 5000: must be from 1 to 4096; try 32");
    }
}
