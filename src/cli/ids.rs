//! Users and items by their ids: all of them, those of a file, or those of a list; and ids as they are printed.
use super::say::say;
use anyhow::{Context, bail};
use hogwild::data::Ids;
use std::{fmt::Write, path::Path};

/// How many names are told of many.
const FEW: usize = 5;

/// What a flag says of users or items.
#[derive(Clone, Debug, PartialEq)]
pub enum Chosen {
    All,
    /// These, in this order.
    These(Vec<String>),
}

impl Chosen {
    /// `all`, a file with an id a line, or ids between commas. A file of that name comes first.
    pub fn of(flag: &str, text: &str) -> anyhow::Result<Chosen> {
        let path = Path::new(text);
        let ids: Vec<String> = if path.is_file() {
            let text = std::fs::read_to_string(path).with_context(|| format!("{flag} {}: cannot read it as text", path.display()))?;
            let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines();
            lines.map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
        } else if text == "all" {
            return Ok(Chosen::All);
        } else {
            text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
        };
        if ids.is_empty() {
            bail!("{flag} {text}: names nobody; give `all`, ids between commas, or a file with an id a line");
        }
        Ok(Chosen::These(ids))
    }

    /// Their numbers among `known`, `u32::MAX` of those that are not there; and the names of these.
    pub fn rows(&self, known: &Ids) -> (Vec<u32>, Vec<String>) {
        match self {
            Chosen::All => ((0..known.len() as u32).collect(), Vec::new()),
            Chosen::These(ids) => {
                let rows = ids.iter().map(String::as_str).collect::<Ids>().translate(known);
                let unknown = ids.iter().zip(&rows).filter(|(_, row)| **row == u32::MAX).map(|(id, _)| id.clone());
                let unknown = unknown.collect();
                (rows, unknown)
            }
        }
    }

    /// What one of them is called.
    pub fn put_name(&self, i: usize, known: &Ids, text: &mut String) {
        match self {
            Chosen::All => put_name(known, i, text),
            Chosen::These(ids) => put(&ids[i], text),
        }
    }
}

/// Adds an id to a line: one that would break it is written with escapes.
pub fn put_name(ids: &Ids, i: usize, text: &mut String) {
    match ids {
        Ids::Numbers(numbers) => {
            let _ = numbers.get(i).map(|number| write!(text, "{number}")); // a string takes all
        }
        Ids::Names { .. } => put(&ids.name(i), text),
    }
}

fn put(name: &str, text: &mut String) {
    match name.contains(char::is_control) {
        true => text.extend(name.escape_debug()),
        false => text.push_str(name),
    }
}

/// Warns of ids that the model does not know.
pub fn warn_unknown(flag: &str, what: &str, unknown: &[String], so: &str) {
    if !unknown.is_empty() {
        let (count, is) = (unknown.len(), if unknown.len() == 1 { "id is" } else { "ids are" });
        say!("warning: {flag}: {count} {is} no {what} of the model ({}){so}", few(unknown));
    }
}

/// The first few of some names.
pub fn few(names: &[String]) -> String {
    names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ") + if names.len() > FEW { ", ..." } else { "" }
}
