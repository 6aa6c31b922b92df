//! Flags that take one of a few names: which ones, and what they mean, is known to the library's type.
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use hogwild::Named;

/// A parser of the names of `T`, for `#[arg(value_parser = named::<T>())]`.
pub fn named<T: Named>() -> impl TypedValueParser<Value = T> {
    let values = T::NAMES.iter().map(|&(_, name, about)| PossibleValue::new(name).help(about));
    // The parser lets through only names that exist.
    PossibleValuesParser::new(values).try_map(|name| T::named(&name).ok_or("no such name"))
}
