//! The options about the update rule: its name, and a flag for each setting that some rule has, all from the rules' own lists.
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use hogwild::Rule;

/// What was typed.
pub struct RuleOptions {
    name: Option<String>,
    /// Flag and value.
    settings: Vec<(&'static str, String)>,
}

impl RuleOptions {
    /// The rule that was named, or the given one, with the settings that were typed.
    pub fn rule(&self, default: Rule) -> hogwild::Result<Rule> {
        let mut rule = self.name.as_deref().and_then(Rule::named).unwrap_or(default);
        for (flag, value) in &self.settings {
            rule.set(flag, value)?;
        }
        Ok(rule)
    }
}

/// A flag and the rules that have it, with their defaults.
struct Flag {
    /// `--beta1`.
    text: &'static str,
    switch: bool,
    rules: Vec<String>,
}

/// Every setting of every rule, once.
fn flags() -> Vec<Flag> {
    let mut flags: Vec<Flag> = Vec::new();
    for mut rule in Rule::ALL {
        let name = rule.name();
        for knob in rule.knobs() {
            let used = format!("{name} ({})", knob.value());
            let text = FLAGS.iter().find(|text| text[2..] == *knob.name).copied().unwrap_or("--rule");
            match flags.iter_mut().find(|flag| flag.text == text) {
                Some(flag) => flag.rules.push(used),
                None => flags.push(Flag { text, switch: knob.is_flag(), rules: vec![used] }),
            }
        }
    }
    flags
}

/// The flags' texts; a test holds them against the rules' settings.
const FLAGS: [&str; 13] = [
    "--momentum",
    "--catch-up",
    "--initial",
    "--epsilon",
    "--decay",
    "--beta1",
    "--beta2",
    "--momentum-decay",
    "--weight-decay",
    "--internal-decay",
    "--beta",
    "--ftrl-l1",
    "--ftrl-l2",
];

impl Args for RuleOptions {
    fn augment_args(command: Command) -> Command {
        let rule = Arg::new("rule")
            .long("rule")
            .value_parser(Rule::ALL.map(|rule| rule.name()).to_vec())
            .help("Update rule [default: adagrad-rowwise for mf, adagrad otherwise]");
        flags().into_iter().fold(command.arg(rule), |command, flag| {
            let arg = Arg::new(flag.text).long(&flag.text[2..]).help_heading("Settings of update rules (with their defaults)");
            let arg = arg.help(format!("Of {}", flag.rules.join(", "))).allow_negative_numbers(true);
            let arg = if flag.switch { arg.num_args(0..=1).require_equals(true).default_missing_value("true") } else { arg };
            command.arg(arg.value_name(if flag.switch { "true|false" } else { "VALUE" }))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RuleOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<RuleOptions, Error> {
        let typed = |flag: Flag| matches.get_one::<String>(flag.text).map(|value| (flag.text, value.clone()));
        Ok(RuleOptions { name: matches.get_one("rule").cloned(), settings: flags().into_iter().filter_map(typed).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_a_rule_has_a_flag() {
        let mut rules = Rule::ALL;
        let names = || FLAGS.map(|flag| &flag[2..]);
        for rule in &mut rules {
            assert!(rule.knobs().iter().all(|knob| names().contains(&knob.name)), "{}", rule.name());
        }
        assert!(names().iter().all(|name| Rule::ALL.into_iter().any(|mut rule| rule.knobs().iter().any(|knob| knob.name == *name))));
    }
}
