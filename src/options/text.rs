//! Values of settings as text: how each type of them is read, shown and logged.
use crate::{
    Batch, ClassWeight, Error, HoldoutBy, InstructionSet, Loss, Metric, Normalize, Order, Parallel, Result as Checked, Rule, Schedule,
    Window,
};
use serde_json::{Value, json};
use std::{fmt::Display, path::PathBuf};

/// A type of values.
pub trait Text: Sized {
    /// Whether it is on or off.
    const IS_SWITCH: bool = false;

    /// Reads a value; the error is what one is to be, or nothing where the setting's range says all.
    fn read(text: &str) -> Result<Self, Option<String>>;

    /// The value as [`read`](Self::read) reads it; None where nothing is set.
    fn show(&self) -> Option<String>;

    /// The value in logs and model files.
    fn json(&self) -> Value {
        json!(self.show())
    }

    /// All values, where they are few.
    fn names() -> Vec<&'static str> {
        Vec::new()
    }
}

/// Nothing is set by `auto`, or by no text at all.
impl<T: Text> Text for Option<T> {
    fn read(text: &str) -> Result<Self, Option<String>> {
        if matches!(text, "" | "auto") { Ok(None) } else { T::read(text).map(Some) }
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }

    fn json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::json)
    }

    fn names() -> Vec<&'static str> {
        T::names()
    }
}

macro_rules! numbers {
    ($($type:ident)*) => {
        $(impl Text for $type {
            fn read(text: &str) -> Result<Self, Option<String>> {
                text.parse().map_err(|_| None)
            }

            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }

            fn json(&self) -> Value {
                json!(self)
            }
        })*
    };
}
numbers! {
    f32 f64 u32 u64 usize
}

impl Text for bool {
    const IS_SWITCH: bool = true;

    fn read(text: &str) -> Result<Self, Option<String>> {
        text.parse().map_err(|_| Some("must be true or false".into()))
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn json(&self) -> Value {
        json!(self)
    }
}

/// Types that have all their values in `ALL`, each with a name.
macro_rules! named {
    ($($type:ident)*) => {
        $(impl Text for $type {
            fn read(text: &str) -> Result<Self, Option<String>> {
                let found = Self::ALL.into_iter().find(|value| value.name() == text);
                found.ok_or_else(|| Some(format!("must be one of {}", Self::names().join(", "))))
            }

            fn show(&self) -> Option<String> {
                Some(self.name().into())
            }

            fn names() -> Vec<&'static str> {
                Self::ALL.iter().map(|value| value.name()).collect()
            }
        })*
    };
}
named! { Normalize Order Metric Parallel HoldoutBy }

/// Types that are shown as they are read.
macro_rules! parsed {
    ($($type:ident)*) => {
        $(impl Text for $type {
            fn read(text: &str) -> Result<Self, Option<String>> {
                problem($type::parse(text))
            }

            fn show(&self) -> Option<String> {
                Some(shown(self))
            }
        })*
    };
}
parsed! { Loss Schedule Batch ClassWeight }

fn shown(value: &impl Display) -> String {
    value.to_string()
}

/// What a reader of a library type says is wrong.
fn problem<T>(read: Checked<T>) -> Result<T, Option<String>> {
    read.map_err(|error| match error {
        Error::BadSetting { problem, .. } => Some(problem),
        other => Some(other.to_string()),
    })
}

impl Text for Window {
    fn read(text: &str) -> Result<Self, Option<String>> {
        Window::parse(text).map_err(|problem| Some(problem.into()))
    }

    fn show(&self) -> Option<String> {
        Some(shown(self))
    }
}

impl Text for InstructionSet {
    fn read(text: &str) -> Result<Self, Option<String>> {
        problem(InstructionSet::named(text))
    }

    fn show(&self) -> Option<String> {
        Some(self.name().into())
    }
}

/// Of a file, which is read when it is needed.
impl Text for PathBuf {
    fn read(text: &str) -> Result<Self, Option<String>> {
        Ok(text.into())
    }

    fn show(&self) -> Option<String> {
        Some(shown(&self.display()))
    }
}

/// By its name, or with its settings, as in `adam:beta1=0.8`.
impl Text for Rule {
    fn read(text: &str) -> Result<Self, Option<String>> {
        problem(Rule::parse(text))
    }

    fn show(&self) -> Option<String> {
        Some(self.name().into())
    }

    fn names() -> Vec<&'static str> {
        Rule::ALL.iter().map(Rule::name).collect()
    }
}

/// What the builder's method takes for a setting of type `T`: a value. Where nothing may be set it takes `None`, and a value without
/// `Some`.
pub trait IntoSetting<T> {
    /// The setting.
    fn into_setting(self) -> T;
}

impl<T> IntoSetting<T> for T {
    fn into_setting(self) -> T {
        self
    }
}

impl<T> IntoSetting<Option<T>> for T {
    fn into_setting(self) -> Option<T> {
        Some(self)
    }
}
