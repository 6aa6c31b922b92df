//! What a user asks to be done to columns and words.

use super::{Column, Sampling, Step, TermFrequency};
use hogwild_base::{Error, Result};

/// How cells and words become features, where the text does not say it by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Preparation {
    /// The column of the label; one with a usual name when `None`.
    pub label: Option<String>,
    /// The column that says how much each example counts; all count alike when `None`.
    pub weight: Option<String>,
    /// Columns that are no features.
    pub ignore: Vec<String>,
    /// Columns whose cells are words, whatever they look like.
    pub categorical: Vec<String>,
    /// Columns whose cells have to be numbers.
    pub numeric: Vec<String>,
    /// Columns of numbers of which the logarithm of `1 + x` is taken.
    pub log1p: Vec<String>,
    /// Columns of numbers that are put into so many bins, each with as many cells.
    pub bins: Vec<(String, u32)>,
    /// Columns whose cells are lists of words, and what stands between these.
    pub list: Vec<(String, String)>,
    /// Columns, or namespaces, whose features are crossed: two to four names; `*` alone: all pairs of columns.
    pub cross: Vec<Vec<String>>,
    /// Of a text's words, up to so many in a row are a feature; 1 when `None`.
    pub ngrams: Option<u32>,
    /// In how many examples a feature has to occur to be kept; 1 when `None`.
    pub min_count: Option<u32>,
    /// Whether, and how, the words of bags are weighed by tf-idf: of lines of words, and of columns of lists.
    pub tfidf: Option<TermFrequency>,
    /// Features are hashed to the numbers below 2 to this power, and their names are not kept; not at all when `None`.
    pub hash_bits: Option<u32>,
    /// Which examples of two classes are left out; none when `None`.
    pub sample: Option<Sampling>,
}

/// The most bits that features are hashed by: codes have 32.
pub(crate) const MOST_BITS: u32 = 31;

/// A setting of columns by its name, and the columns that are named there.
type Named<'a> = (&'static str, Vec<(&'a str, Step)>);

impl Preparation {
    /// What each column is to be, by setting; a step of [`Step::Number`] is of `numeric`.
    fn steps(&self) -> [Named<'_>; 7] {
        fn all(names: &[String], step: Step) -> Vec<(&str, Step)> {
            names.iter().map(|name| (name.as_str(), step.clone())).collect()
        }
        [
            ("weight", self.weight.iter().map(|name| (name.as_str(), Step::Weight)).collect()),
            ("ignore", all(&self.ignore, Step::Ignored)),
            ("categorical", all(&self.categorical, Step::Word)),
            ("numeric", all(&self.numeric, Step::Number)),
            ("log1p", all(&self.log1p, Step::Log)),
            ("bins", self.bins.iter().map(|(name, bins)| (name.as_str(), Step::Bins(*bins, Vec::new()))).collect()),
            ("list", self.list.iter().map(|(name, mark)| (name.as_str(), Step::List(mark.clone()))).collect()),
        ]
    }

    /// What a column is to be, if that was asked.
    pub(crate) fn step(&self, name: &str) -> Option<Step> {
        // `numeric` says no more than `log1p` and `bins` do.
        let steps = || self.steps().into_iter().flat_map(|(_, columns)| columns).filter(|(column, _)| *column == name);
        let (plain, others): (Vec<_>, Vec<_>) = steps().map(|(_, step)| step).partition(|step| *step == Step::Number);
        others.into_iter().chain(plain).next()
    }

    /// What is crossed, of these columns.
    pub(crate) fn crosses(&self, columns: &[Column]) -> Vec<Vec<String>> {
        let features: Vec<&String> = columns.iter().filter(|column| column.step.makes_features()).map(|column| &column.name).collect();
        // Those of `*` may be named beside it.
        let mut crosses: Vec<Vec<String>> = self.cross.iter().filter(|names| names.as_slice() != ["*"]).cloned().collect();
        let named = crosses.clone();
        for names in &self.cross {
            if names.as_slice() == ["*"] {
                let pairs = features.iter().enumerate().flat_map(|(i, a)| features.iter().skip(i + 1).map(move |b| [a, b]));
                let pairs = pairs.map(|pair| pair.map(|name| name.to_string()).to_vec());
                crosses.extend(pairs.filter(|pair| named.iter().all(|named| sorted(named) != sorted(pair))));
            }
        }
        crosses
    }

    /// All columns that are named, each with the setting that names it.
    pub(crate) fn columns(&self) -> Vec<(&'static str, &str)> {
        let label = self.label.iter().map(|name| ("label", name.as_str()));
        let others = self.steps().into_iter().flat_map(|(setting, columns)| columns.into_iter().map(move |(name, _)| (setting, name)));
        label.chain(others).collect()
    }

    /// # Errors
    /// A column that is to be two things, or a number out of its range.
    pub(crate) fn check(&self) -> Result<()> {
        let bad = |setting, value: String, problem: String| Err(Error::BadSetting { setting, value, problem });
        let named = self.columns();
        for (i, &(setting, name)) in named.iter().enumerate() {
            let numbers = |setting| matches!(setting, "log1p" | "bins");
            let goes_with = |other| setting == "numeric" && numbers(other) || other == "numeric" && numbers(setting);
            if let Some((other, _)) = named.iter().take(i).find(|(other, column)| *column == name && !goes_with(*other)) {
                return bad(setting, name.into(), format!("is named in `{other}` too; say one thing of a column"));
            }
        }
        if let Some((name, bins)) = self.bins.iter().find(|(_, bins)| !(2..=1000).contains(bins)) {
            return bad("bins", format!("{name}:{bins}"), "must be from 2 to 1000".into());
        }
        if let Some((name, _)) = self.list.iter().find(|(_, mark)| mark.is_empty() || mark.contains(['\n', '\r', '"'])) {
            return bad("list", format!("{name}:"), "must say what stands between the words of a cell, as in tags:|".into());
        }
        for (i, names) in self.cross.iter().enumerate() {
            if names.iter().any(String::is_empty) || !(2..=4).contains(&names.len()) && names.as_slice() != ["*"] {
                return bad("cross", names.join(":"), "must be two to four columns, as in city:device, or * for all pairs".into());
            }
            if self.cross.iter().take(i).any(|before| sorted(before) == sorted(names)) {
                return bad("cross", names.join(":"), "is there twice".into());
            }
        }
        if let Some(n) = self.ngrams.filter(|n| !(1..=5).contains(n)) {
            return bad("ngrams", n.to_string(), "must be from 1 to 5".into());
        }
        if self.min_count == Some(0) {
            return bad("min_count", "0".into(), "must be from 1".into());
        }
        if let Some(bits) = self.hash_bits.filter(|bits| !(1..=MOST_BITS).contains(bits)) {
            return bad("hash_bits", bits.to_string(), format!("must be from 1 to {MOST_BITS}"));
        }
        Ok(())
    }
}

/// Names in their order.
fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_one_thing() {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let good = Preparation { numeric: names(&["a", "b"]), log1p: names(&["a"]), ignore: names(&["c"]), ..Preparation::default() };
        good.check().unwrap();
        assert_eq!((good.step("a"), good.step("b"), good.step("c")), (Some(Step::Log), Some(Step::Number), Some(Step::Ignored)));
        assert_eq!((good.step("d"), good.columns().len(), Preparation::default().columns().len()), (None, 4, 0));
        for (bad, says) in [
            (Preparation { categorical: names(&["a"]), ..good.clone() }, "`numeric` a: is named in `categorical` too"),
            (Preparation { label: Some("c".into()), ..good.clone() }, "`ignore` c: is named in `label` too"),
            (Preparation { weight: Some("c".into()), ..good.clone() }, "`ignore` c: is named in `weight` too"),
            (Preparation { bins: vec![("x".into(), 1)], ..good.clone() }, "`bins` x:1: must be from 2"),
            (Preparation { list: vec![("x".into(), String::new())], ..good.clone() }, "`list` x:: must say"),
            (Preparation { ngrams: Some(9), ..good.clone() }, "`ngrams` 9"),
            (Preparation { cross: vec![names(&["a"])], ..good.clone() }, "`cross` a: must be two to four columns"),
            (Preparation { cross: vec![names(&["a", "b"]), names(&["b", "a"])], ..good.clone() }, "`cross` b:a: is there twice"),
            (Preparation { hash_bits: Some(32), ..good.clone() }, "`hash_bits` 32: must be from 1 to 31"),
            (Preparation { min_count: Some(0), ..good }, "`min_count` 0"),
        ] {
            let told = bad.check().unwrap_err().to_string();
            assert!(told.contains(says), "{told}");
        }
    }
}
