//! A rule that is chosen by name: its settings, and what is asked about it.
use super::{Layout, Rule, UpdateRule, with_rule};
use hogwild_base::{Error, Hyperparameter, Result, hyperparameter};

impl Rule {
    /// The rule of that name, with its default settings.
    pub fn named(name: &str) -> Option<Rule> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// What may be set, by name.
    pub fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        with_rule!(self, rule => rule.hyperparameters())
    }

    /// The rule's [`default_rate`](UpdateRule::default_rate).
    pub fn default_rate(&self, mean_square: f32) -> f32 {
        with_rule!(self, rule => rule.default_rate(mean_square))
    }

    /// How its numbers lie beside its weights.
    pub fn layout(&self) -> Layout {
        with_rule!(self, rule => Layout::of(rule))
    }

    /// Bytes of parameters, the rule's state among them, that a feature takes (0 factors), or a user or an item of so many factors.
    pub fn row_bytes(&self, factors: usize) -> usize {
        self.layout().row_bytes(factors)
    }

    /// The same of a feature with so many factors, or weights of classes, and a weight beside them.
    pub fn feature_row_bytes(&self, weights: usize) -> usize {
        self.layout().feature_row_bytes(weights)
    }

    /// Whether the rate may change in the course of a run.
    pub fn takes_schedules(&self) -> bool {
        with_rule!(self, rule => rule.schedules())
    }

    /// Whether weights are made of the rule's state, or read together with it, and not as they stand.
    pub fn reads_state(&self) -> bool {
        with_rule!(self, rule => rule.reads() || rule.solves())
    }

    /// Whether it tunes itself by whole gradients.
    pub fn learns(&self) -> bool {
        with_rule!(self, rule => rule.learns())
    }

    /// Whether L1 can be applied by proximal steps.
    pub fn takes_l1(&self) -> bool {
        with_rule!(self, rule => rule.proximal())
    }

    /// The names of what may be set, of all rules, each once.
    pub fn hyperparameter_names() -> Vec<&'static str> {
        let mut names = Vec::new();
        for mut rule in Self::ALL {
            let own: Vec<_> =
                rule.hyperparameters().iter().map(|hyperparameter| hyperparameter.name).filter(|name| !names.contains(name)).collect();
            names.extend(own);
        }
        names
    }

    /// Sets one of the rule's settings, by its name: `weight-decay`, or `weight_decay`.
    ///
    /// # Errors
    /// When the value is out of range, or the rule has no such setting; then the rules that have it are named.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let (rule, name) = (self.name(), name.replace('_', "-"));
        if let Some(hyperparameter) = self.hyperparameters().iter_mut().find(|hyperparameter| hyperparameter.name == name) {
            return hyperparameter.set(hyperparameter.name, value);
        }
        let Some(setting) = Self::hyperparameter_names().into_iter().find(|&known| known == name) else {
            let problem = format!("there is no such setting; {rule} has {}", names(&self.hyperparameters()));
            return Err(Error::BadSetting { setting: "rule", value: name, problem });
        };
        let has = |mut rule: Rule| rule.hyperparameters().iter().any(|hyperparameter| hyperparameter.name == setting);
        let others: Vec<_> = Self::ALL.into_iter().filter(|&rule| has(rule)).map(|rule| rule.name()).collect();
        let problem = format!("`rule` {rule} has no such setting; {} has", others.join(", "));
        Err(Error::BadSetting { setting, value: value.into(), problem })
    }

    /// Reads `NAME` or `NAME:SETTING=VALUE,SETTING=VALUE`.
    ///
    /// # Errors
    /// Names what is not known or out of range, and what would be.
    pub fn parse(text: &str) -> Result<Rule> {
        let (name, values) = text.split_once(':').unwrap_or((text, ""));
        let mut rule = Self::named(name).ok_or_else(|| Error::BadSetting {
            setting: "rule",
            value: text.into(),
            problem: format!("there are {}", Self::ALL.map(|rule| rule.name()).join(", ")),
        })?;
        hyperparameter::set_all("rule", &mut rule.hyperparameters(), values)?;
        Ok(rule)
    }
}

/// For a message: what there is to set.
fn names(hyperparameters: &[Hyperparameter<'_>]) -> String {
    if hyperparameters.is_empty() {
        "none".into()
    } else {
        hyperparameters.iter().map(|hyperparameter| hyperparameter.name).collect::<Vec<_>>().join(", ")
    }
}

/// The name and all settings: `adam:beta1=0.9,...`, which [`Rule::parse`] reads.
impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.name(), hyperparameter::show(&self.clone().hyperparameters()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_wide_as_the_state_makes_them() {
        let bytes = |name, factors| Rule::named(name).unwrap().row_bytes(factors);
        assert_eq!([bytes("sgd", 0), bytes("adagrad", 0), bytes("adam", 0)], [4, 8, 16]);
        assert_eq!([bytes("adagrad-rowwise", 32), bytes("adagrad", 32), bytes("sgd", 33)], [192, 320, 256]);
    }

    #[test]
    fn settings_are_set_by_name_and_the_rules_that_have_them_are_named() {
        let mut rule = Rule::named("adam").unwrap();
        rule.set("beta1", "0.8").unwrap();
        assert_eq!(rule.to_string(), "adam:beta1=0.8,beta2=0.999,epsilon=0.00000001");
        let message = rule.set("momentum", "0.5").unwrap_err().to_string();
        assert!(message.contains("momentum, nesterov has"), "{message}");
        assert!(rule.set("beta1", "1.5").unwrap_err().to_string().contains("goes from 0 to"));
        let message = rule.set("gamma", "1").unwrap_err().to_string();
        assert!(message.contains("adam has beta1, beta2, epsilon"), "{message}");
        assert!(Rule::named("adamw").unwrap().set("weight_decay", "0.5").is_ok());
    }

    #[test]
    fn text_comes_back() {
        for rule in Rule::ALL {
            assert_eq!(Rule::parse(&rule.to_string()).unwrap(), rule);
        }
        let message = Rule::parse("adams").unwrap_err().to_string();
        assert!(message.contains("adam, adamax"), "{message}");
    }
}
