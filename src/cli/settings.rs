//! The flags of settings, with their help: made of what the library declares of each (`options`), and of what its update rules have to set.
use super::flags;
use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, Error as ClapError, FromArgMatches,
    builder::{PossibleValuesParser, ValueParser},
};
use hogwild::{Error, Opt, Rule, Settings, options};
use std::marker::PhantomData;

/// Which settings a command has flags for.
pub trait Subset {
    /// Whether this is one of them.
    fn has(option: &Opt) -> bool;
}

/// All that have flags.
pub struct All;

impl Subset for All {
    fn has(_option: &Opt) -> bool {
        true
    }
}

/// The settings that were typed.
pub struct Typed<S> {
    /// Name and value; the rule is before its settings.
    values: Vec<(&'static str, String)>,
    subset: PhantomData<S>,
}

impl<S> Typed<S> {
    /// What was typed for a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(typed, _)| *typed == name).map(|(_, text)| text.as_str())
    }

    /// Whether a setting was typed.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The given settings with those that were typed, and what follows from them.
    pub fn settings(&self, defaults: Settings) -> hogwild::Result<Settings> {
        let mut settings = defaults;
        self.values.iter().try_for_each(|(name, text)| settings.set(name, text))?;
        if !self.has("schedule") {
            settings.choose_schedule();
        }
        Ok(settings)
    }
}

fn with_flags<S: Subset>() -> impl Iterator<Item = &'static Opt> {
    options().filter(|option| option.is_flag && S::has(option))
}

impl<S: Subset> Args for Typed<S> {
    fn augment_args(command: Command) -> Command {
        command.args(with_flags::<S>().map(argument)).args(Rule::hyperparameter_names().into_iter().map(argument_of_rules))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Subset> FromArgMatches for Typed<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Typed<S>, ClapError> {
        let option = |option: &'static Opt| {
            let text = if option.is_switch {
                matches.get_flag(option.name).then(|| "false".to_string())
            } else {
                matches.get_one(option.name).cloned()
            };
            text.map(|text| (option.name, text))
        };
        let of_rules = |name: &'static str| matches.get_one(name).cloned().map(|text| (name, text));
        let values = with_flags::<S>().filter_map(option).chain(Rule::hyperparameter_names().into_iter().filter_map(of_rules)).collect();
        Ok(Typed { values, subset: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), ClapError> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flag of a setting.
fn argument(option: &'static Opt) -> Arg {
    let flag = option.name.replace('_', "-");
    let help = help(option);
    let argument = Arg::new(option.name).help_heading(option.group);
    if option.is_switch {
        return argument.long(format!("no-{flag}")).action(ArgAction::SetTrue).help(help);
    }
    let argument = argument
        .long(flag)
        .allow_negative_numbers(true)
        // Labels may begin with a sign, as in -1=2.
        .allow_hyphen_values(option.value.contains("LABEL="))
        .value_name(option.value)
        .value_parser(parser(option))
        .help(format!("{help}{}", brackets(option)));
    let argument = match option.details {
        Some(details) => {
            let long = format!("{help}{}\n\n{}", brackets(option), flags::of_library(&details()));
            argument.long_help(long).hide_possible_values(true)
        }
        None => argument,
    };
    let argument = match option.bare {
        Some(value) => argument.num_args(0..=1).require_equals(true).default_missing_value(value),
        None => argument,
    };
    option.needs.into_iter().fold(argument, Arg::requires)
}

/// The help, as clap has it: without a full stop.
fn help(option: &Opt) -> String {
    let help = flags::of_library(option.help_of_flag());
    if help.ends_with("...") { help } else { help.trim_end_matches('.').to_string() }
}

/// Range and defaults.
fn brackets(option: &Opt) -> String {
    let range = option.must_be.split(';').next().filter(|range| !range.is_empty()).map(str::to_string);
    let default = match option.defaults() {
        [Some(rows), Some(ratings)] if rows != ratings => Some(format!("{ratings} for mf, {rows} otherwise")),
        [rows, ratings] => rows.or(ratings),
    };
    let parts: Vec<_> = range.into_iter().chain(default.map(|default| format!("default: {default}"))).collect();
    if parts.is_empty() { String::new() } else { format!(" [{}]", parts.join("; ")) }
}

fn parser(option: &'static Opt) -> ValueParser {
    let choices = option.choices();
    if !choices.is_empty() {
        return PossibleValuesParser::new(choices).into();
    }
    ValueParser::new(|text: &str| match option.set(&mut Settings::default(), text) {
        // Both stand for nothing in the library: here that is to leave the flag out.
        _ if text.is_empty() => Err("an empty text is no value".to_string()),
        _ if text == "auto" && !option.value.contains(text) => Err("auto is no value here; leave the flag out".to_string()),
        Ok(()) => Ok(text.to_string()),
        Err(Error::BadSetting { problem, .. }) => Err(flags::in_text(&problem)),
        Err(other) => Err(flags::of_error(&other)),
    })
}

/// The flag of a setting that update rules have.
fn argument_of_rules(name: &'static str) -> Arg {
    let (mut of, mut is_switch) = (Vec::new(), false);
    for mut rule in Rule::ALL {
        let rule_name = rule.name();
        for hyperparameter in rule.hyperparameters().iter().filter(|hyperparameter| hyperparameter.name == name) {
            of.push(format!("{rule_name} ({})", hyperparameter.value()));
            is_switch = hyperparameter.is_flag();
        }
    }
    let argument = Arg::new(name).long(name).help_heading("Settings of update rules (with their defaults)");
    let argument = argument.help(format!("Of {}", of.join(", "))).allow_negative_numbers(true);
    if is_switch {
        argument.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("true|false")
    } else {
        argument.value_name("VALUE")
    }
}
