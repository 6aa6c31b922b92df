//! Words are weighed by tf-idf, as scikit-learn's `TfidfVectorizer` does by its defaults: a count, or `1 + ln(count)`, is multiplied by
//!
//! `idf = ln((1 + n) / (1 + df)) + 1`
//!
//! of n examples, df of which have the word; then a bag is divided by its length. (Salton & Buckley 1988.)
//!
//! Of other text than that of training the idf are those of training: a word that was not there has none, and its value is 0.

use super::known_features::KnownFeatures;
use crate::Ids;
use crate::dictionary::Ranked;
use crate::text::{Recipe, TermFrequency};

/// What is done to the values of rows.
pub(crate) struct Weighing {
    /// What each occurrence of a feature is multiplied by; 1 of those in no bag.
    pub(crate) idf: Vec<f32>,
    /// The bag of each feature; `NONE` of those in no bag. Without columns all are of one.
    bags: Option<Vec<u32>>,
    count: usize,
    frequency: TermFrequency,
}

const NONE: u32 = u32::MAX;

impl Weighing {
    /// By the counts of so many examples, or by the numbers that are known.
    pub(crate) fn of(features: &Ranked, examples: usize, recipe: &Recipe, known: Option<&KnownFeatures<'_>>) -> Option<Weighing> {
        let own = |count: u64| (((1.0 + examples as f64) / (1.0 + count as f64)).ln() + 1.0) as f32;
        let counted = || Weighing::by(&features.ids, recipe, || features.counts.iter().map(|&count| own(count)).collect());
        known.map_or_else(counted, |known| known.weighing(&features.ids))
    }

    /// By the idf of these features, if the recipe weighs words at all.
    pub(crate) fn by(features: &Ids, recipe: &Recipe, idf: impl FnOnce() -> Vec<f32>) -> Option<Weighing> {
        let frequency = recipe.tfidf?;
        let mut idf = idf();
        let bags = recipe.format().has_columns().then(|| bags(features, recipe));
        for (idf, _) in idf.iter_mut().zip(bags.iter().flatten()).filter(|(_, bag)| **bag == NONE) {
            *idf = 1.0;
        }
        let count = bags.iter().flatten().filter(|bag| **bag != NONE).max().map_or(1, |most| *most as usize + 1);
        Some(Weighing { idf, bags, count, frequency })
    }

    /// Weighs the values of rows, given by their bits, whose columns are ranks.
    pub(crate) fn weigh(&self, lengths: &[u32], columns: &[u32], values: &mut [u32]) {
        let mut squares = vec![0.0; self.count];
        let mut first = 0;
        for &length in lengths {
            let cells = first..first + length as usize;
            first = cells.end;
            squares.fill(0.0);
            let (columns, values) = (&columns[cells.clone()], &mut values[cells]);
            for (&column, bits) in columns.iter().zip(values.iter_mut()) {
                let Some(squares) = squares.get_mut(self.bag(column)) else { continue };
                let count = f32::from_bits(*bits);
                let frequency = if self.frequency == TermFrequency::Sublinear { 1.0 + count.ln() } else { count };
                let value = f64::from(frequency * self.idf[column as usize]);
                *squares += value * value;
                *bits = (value as f32).to_bits();
            }
            for (&column, bits) in columns.iter().zip(values) {
                if let Some(&squares) = squares.get(self.bag(column)).filter(|squares| **squares > 0.0) {
                    *bits = ((f64::from(f32::from_bits(*bits)) / squares.sqrt()) as f32).to_bits();
                }
            }
        }
    }

    fn bag(&self, column: u32) -> usize {
        self.bags.as_ref().map_or(0, |bags| bags[column as usize] as usize)
    }
}

fn bags(ids: &Ids, recipe: &Recipe) -> Vec<u32> {
    (0..ids.len()).map(|i| recipe.bag_of(&ids.name(i)).map_or(NONE, |bag| bag as u32)).collect()
}
