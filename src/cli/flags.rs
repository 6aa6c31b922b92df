//! How the library's messages name settings, and how the command does: `batch_growth` becomes --batch-growth.
use super::Command;
use clap::CommandFactory;
use hogwild::Error;
use std::{collections::HashSet, sync::LazyLock};

/// Every flag of every command, without its dashes.
static FLAGS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let command = Command::command();
    let arguments = command.get_subcommands().flat_map(|command| command.get_arguments());
    arguments.filter_map(|argument| argument.get_long()).map(str::to_string).collect()
});

/// The flag of a setting, if it has one.
fn flag(setting: &str) -> Option<String> {
    let name = setting.replace('_', "-");
    FLAGS.contains(&name).then(|| format!("--{name}"))
}

/// A text of the library's own, with the settings that it names between backquotes as flags.
pub fn in_text(text: &str) -> String {
    with_flags(text, &flag)
}

/// The same where no flag is looked up, as help is made before flags are known.
pub fn of_library(text: &str) -> String {
    with_flags(text, &|name| Some(format!("--{}", name.replace('_', "-"))))
}

fn with_flags(text: &str, flag: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, quoted)) = rest.split_once('`') {
        out += before;
        let Some((name, after)) = quoted.split_once('`') else {
            return out + "`" + quoted;
        };
        out += &flag(name).unwrap_or_else(|| format!("`{name}`"));
        rest = after;
    }
    out + rest
}

/// The text of a bad row: behind what the user wrote stands the remedy, which alone names settings.
pub fn in_remedy(row: &str) -> String {
    row.split_once("`; ").map_or_else(|| row.to_string(), |(row, remedy)| format!("{row}`; {}", in_text(remedy)))
}

/// What an error says, with flags where the library names settings.
pub fn of_error(error: &Error) -> String {
    match error {
        Error::BadSetting { setting, value, problem } => {
            format!("{} {value}: {}", flag(setting).unwrap_or_else(|| setting.to_string()), in_text(problem))
        }
        // Beside the remedy stands what the user wrote, which is shown as it is.
        Error::BadRow { remedy, .. } => at_end(error, remedy),
        // Its problem may have a row in it, with the remedy of that.
        Error::BadFile { remedy, .. } => in_remedy(&at_end(error, remedy)),
        Error::Io { .. } => error.to_string(),
        other => in_text(&other.to_string()),
    }
}

/// An error whose text ends with the remedy.
fn at_end(error: &Error, remedy: &str) -> String {
    let text = error.to_string();
    text.strip_suffix(remedy).map(|before| format!("{before}{}", in_text(remedy))).unwrap_or(text)
}

/// The same of an error of the command, with its causes.
pub fn of_chain(error: &anyhow::Error) -> String {
    let text = |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref().map_or_else(|| cause.to_string(), of_error);
    error.chain().map(text).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    const ROOT: &str = env!("CARGO_MANIFEST_DIR");

    #[test]
    fn settings_become_flags_and_what_a_user_wrote_stays() {
        let text = "goes with `batch` 64; write `label index:value ...` or `rank";
        assert_eq!(in_text(text), "goes with --batch 64; write `label index:value ...` or `rank");
        let error = Error::BadSetting { setting: "batch_growth", value: "0".into(), problem: "must be from 1; see `stop_metric`".into() };
        assert_eq!(of_error(&error), "--batch-growth 0: must be from 1; see --stop-metric");
        assert_eq!(
            of_error(&Error::BadSetting { setting: "HOGWILD_ISA", value: "x".into(), problem: "is none".into() }),
            "HOGWILD_ISA x: is none"
        );
        let row = Error::BadRow {
            path: "a.tsv".into(),
            line: 1,
            column: 2,
            text: "`rank`".into(),
            problem: "`seed` is no number".into(),
            remedy: "name it in `columns` user=1".into(),
        };
        assert_eq!(of_error(&row), "a.tsv:1:2: `seed` is no number: ``rank``; name it in --columns user=1");
        let chain = anyhow::Error::from(Error::TooManyRows { rows: 9, bytes_a_row: 64, most: 8 }).context("in vain");
        assert!(of_chain(&chain).starts_with("in vain: 9 rows") && of_chain(&chain).ends_with("or a smaller --rank"));
    }

    /// Files whose subject is flags: the page of options, and models in Vowpal Wabbit's form, which name that command's.
    const OF_FLAGS: [&str; 2] = ["options/markdown.rs", "export/vw.rs"];

    /// Lines of the library's files that spell a flag, but for comments and the files above.
    fn spelled_flags(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path != Path::new(ROOT).join("src/cli") {
                spelled_flags(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") && !OF_FLAGS.iter().any(|file| path.ends_with(file)) {
                let spells = |line: &&str| line.split("--").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
                let text = fs::read_to_string(&path).unwrap();
                let lines = text.lines().filter(|line| !line.trim_start().starts_with("//")).filter(spells);
                found.extend(lines.map(|line| format!("{}: {line}", path.display())));
            }
        }
    }

    #[test]
    fn the_library_spells_no_flags() {
        let mut found = Vec::new();
        ["crates", "src"].iter().for_each(|folder| spelled_flags(&Path::new(ROOT).join(folder), &mut found));
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn every_setting_that_has_a_flag_is_known() {
        for option in hogwild::options().filter(|option| option.is_flag && !option.is_switch) {
            assert!(flag(option.name).is_some(), "{}", option.name);
        }
        assert!(hogwild::Rule::hyperparameter_names().into_iter().all(|name| flag(name).is_some()));
    }
}
