//! One setting, as all see it that make something of it: flags and their help, the log, `docs/options.md`, a keyword of another language.
use super::{RuleFacts, Settings};
use crate::{Error, Result};
use serde_json::Value;

/// Which models have a use for a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// All.
    Both,
    /// Those of sparse rows.
    Rows,
    /// Linear models.
    Linear,
    /// Factorization machines, field-aware or not.
    Fm,
    /// Field-aware factorization machines.
    Ffm,
    /// Matrix factorization, of ratings.
    Ratings,
    /// Ranking by implicit feedback.
    Ranking,
    /// Cuts of graphs.
    Cut,
}

/// A setting. Texts name other settings between backquotes, by their names: `batch_growth`.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Opt {
    /// Its name, as in `batch_growth`.
    pub name: &'static str,
    /// What its group is called.
    pub group: &'static str,
    /// What stands for its value where it is explained: `FACTOR`.
    pub value: &'static str,
    /// What it is for, in a sentence or two.
    pub help: &'static str,
    /// The same at length, where there is more to say: what the choices are.
    pub details: Option<fn() -> String>,
    /// What holds where nothing is given, of rows and of ratings; empty: the value that [`Settings`] begins with.
    pub by_default: [&'static str; 2],
    /// What a value must be, and what to try behind a semicolon: `from 1 to 4096; try 32`. Empty: whatever is read is allowed.
    pub must_be: &'static str,
    /// Which models have a use for it.
    pub takes: Takes,
    /// Of a switch that is on: what it is to switch it off, which is what its flag does.
    pub off: &'static str,
    /// The value of its name alone, where that means something.
    pub bare: Option<&'static str>,
    /// A setting without which it says nothing.
    pub needs: Option<&'static str>,
    /// Whether the command has a flag for it; if not, the command chooses.
    pub is_flag: bool,
    /// Whether it is on or off.
    pub is_switch: bool,
    /// Whether it stands in logs and model files.
    pub(super) is_logged: bool,
    /// What stands there, if it is not the value.
    pub(super) logged: Option<fn(&Settings) -> Value>,
    pub(super) within: fn(&Settings) -> bool,
    pub(super) read: fn(&mut Settings, &str) -> std::result::Result<(), Option<String>>,
    pub(super) show: fn(&Settings) -> Option<String>,
    pub(super) json: fn(&Settings) -> Value,
    pub(super) names: fn() -> Vec<&'static str>,
}

impl Opt {
    /// What declarations leave out.
    pub(super) const PLAIN: Opt = Opt {
        name: "",
        group: "",
        value: "",
        help: "",
        details: None,
        by_default: ["", ""],
        must_be: "",
        takes: Takes::Both,
        off: "",
        bare: None,
        needs: None,
        is_flag: true,
        is_switch: false,
        is_logged: true,
        logged: None,
        within: |_| true,
        read: |_, _| Ok(()),
        show: |_| None,
        json: |_| Value::Null,
        names: Vec::new,
    };

    /// Reads a value into the settings. Whether it is in its range is for [`Settings::check`] to say.
    ///
    /// # Errors
    /// When the text is no such value.
    pub fn set(&self, settings: &mut Settings, text: &str) -> Result<()> {
        (self.read)(settings, text).map_err(|problem| {
            let problem = problem.unwrap_or_else(|| format!("must be {}", self.must_be));
            Error::BadSetting { setting: self.name, value: text.into(), problem }
        })
    }

    /// The value, as [`set`](Self::set) reads it; None where nothing is set.
    pub fn get(&self, settings: &Settings) -> Option<String> {
        (self.show)(settings)
    }

    /// The help of its flag, which switches a switch off.
    pub fn help_of_flag(&self) -> &'static str {
        if self.off.is_empty() { self.help.trim() } else { self.off }
    }

    /// All values, where they are few names.
    pub fn choices(&self) -> Vec<&'static str> {
        (self.names)()
    }

    /// What holds by default, of rows and of ratings; None: it is not used, or off.
    pub fn defaults(&self) -> [Option<String>; 2] {
        let of = |says: &str, settings: &Settings, is_used| {
            let says = if says.is_empty() { self.get(settings) } else { Some(says.into()) };
            says.filter(|_| is_used)
        };
        let [rows, ratings] = self.by_default;
        [
            of(rows, &Settings::default(), !matches!(self.takes, Takes::Ratings | Takes::Ranking | Takes::Cut)),
            of(ratings, &Settings::for_ratings(), matches!(self.takes, Takes::Both | Takes::Ratings | Takes::Ranking)),
        ]
    }

    /// Refuses a value out of its range.
    pub(super) fn check(&self, settings: &Settings) -> Result<()> {
        if (self.within)(settings) {
            return Ok(());
        }
        bad(self.name, self.get(settings).unwrap_or_default(), format!("must be {}", self.must_be))
    }
}

/// Settings that belong together: they are declared in one file, and checked there.
pub(super) struct Group {
    pub options: &'static [Opt],
    /// What holds between settings, when each is in its range.
    pub check: fn(&Settings, &RuleFacts<'_>) -> Result<()>,
}

/// Refuses a setting.
pub(super) fn bad(setting: &'static str, value: impl ToString, problem: impl Into<String>) -> Result<()> {
    Err(Error::BadSetting { setting, value: value.to_string(), problem: problem.into() })
}
