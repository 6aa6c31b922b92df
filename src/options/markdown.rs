//! `docs/options.md`: the settings as tables, by group.
use super::{Opt, Takes, options};
use crate::Rule;
use std::fmt::Write;

const HEAD: &str = "\
# Options of training

This page is written by `cargo run --example options > docs/options.md`; a test fails when it is stale.

`hogwild train` takes each option as a flag. The library has each as a field of `Settings` and as a method of `Trainer`, with `_` in place
of `-`: `--batch-growth 2` is `.batch_growth(2.0)`. Where the columns for rows and ratings differ, the kind of the data decides.
`hogwild help train` tells more of the choices, and lists what is not a setting of the run, such as `--valid`, `--out` and `--log`.
";

/// The page.
pub fn markdown() -> String {
    let mut page = HEAD.to_string();
    let mut group = "";
    for option in options() {
        if option.group != group {
            group = option.group;
            let _ = write!(
                page,
                "\n## {group}\n\n| option | default for rows | default for ratings | range | meaning |\n|---|---|---|---|---|\n"
            );
        }
        let shown = |default: Option<String>| if option.is_switch { "off".into() } else { default.unwrap_or_else(|| "not used".into()) };
        let [rows, ratings] = option.defaults().map(shown);
        let cells = [spelled(option), rows, ratings, range(option), meaning(option)];
        let _ = writeln!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    page + &rules()
}

/// As it is typed; what has no flag is of the library alone.
fn spelled(option: &Opt) -> String {
    let Opt { name, value, is_switch, is_flag, bare, .. } = *option;
    let flag = name.replace('_', "-");
    match (is_flag, is_switch, bare) {
        (false, ..) => format!("`{name}` (of the library)"),
        (_, true, _) => format!("`--no-{flag}`"),
        (_, _, Some(_)) => format!("`--{flag}[={value}]`"),
        _ => format!("`--{flag} {value}`"),
    }
}

fn range(option: &Opt) -> String {
    let range = option.must_be.split(';').next().unwrap_or_default();
    match (range, option.choices().is_empty()) {
        (_, false) => option.choices().join(", "),
        ("", _) => String::new(),
        (range, _) => range.into(),
    }
}

/// The help, with what is only of some models said in the columns of defaults, and other settings as flags.
fn meaning(option: &Opt) -> String {
    let help = flags(option.help_of_flag());
    let only = match option.takes {
        Takes::Both => "",
        Takes::Rows => " Models of rows only.",
        Takes::Linear => " Linear models only.",
        Takes::Fm => " Of `--model fm` and `ffm` only.",
        Takes::Ffm => " Of `--model ffm` only.",
        Takes::Ratings => " Factorization of ratings only.",
        Takes::Ranking => " Models of implicit feedback only.",
        Takes::Cut => " Of `--model cut` only.",
    };
    format!("{help}{only}")
}

/// Names between backquotes become flags.
fn flags(text: &str) -> String {
    let part = |(i, part): (usize, &str)| if i % 2 == 1 { format!("`--{}`", part.replace('_', "-")) } else { part.to_string() };
    text.split('`').enumerate().map(part).collect()
}

/// The settings that the update rules have.
fn rules() -> String {
    let mut text = "\n## Settings of update rules\n\n| option | of (with its default) |\n|---|---|\n".to_string();
    for name in Rule::hyperparameter_names() {
        let of = Rule::ALL.into_iter().filter_map(|mut rule| {
            let of = rule.name();
            rule.hyperparameters()
                .iter()
                .find(|hyperparameter| hyperparameter.name == name)
                .map(|hyperparameter| format!("{of} ({})", hyperparameter.value()))
        });
        let _ = writeln!(text, "| `--{name}` | {} |", of.collect::<Vec<_>>().join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_not_stale() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/options.md")).unwrap_or_default();
        assert!(page == markdown(), "docs/options.md is stale: cargo run --example options > docs/options.md");
    }
}
