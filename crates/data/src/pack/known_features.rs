//! The features of the training data, looked up: what a recipe does to other text by them. A word that is none of them is a rare one of its
//! column, and a word counts by its idf there.

use super::weigh::Weighing;
use crate::text::Recipe;
use crate::{IdIndex, Ids};
use std::collections::BTreeMap;

/// A recipe with its vocabulary in a table, which is made once for all parts of a text.
#[derive(Debug)]
pub(crate) struct KnownFeatures<'a> {
    recipe: &'a Recipe,
    index: IdIndex<'a>,
    idf: &'a [f32],
}

impl<'a> KnownFeatures<'a> {
    /// None where nothing is done by the features of the training data.
    pub(crate) fn of(recipe: Option<&'a Recipe>) -> Option<KnownFeatures<'a>> {
        let recipe = recipe?;
        let vocabulary = recipe.vocabulary.as_ref()?;
        Some(KnownFeatures { recipe, index: IdIndex::of(&vocabulary.ids), idf: &vocabulary.idf })
    }

    /// The rare feature that each of these is counted to, if it is counted to one: an unknown word of a column that has such a feature.
    pub(crate) fn rare(&self, features: &Ids) -> Vec<Option<String>> {
        if self.recipe.min_count <= 1 {
            return vec![None; features.len()];
        }
        let mut there: BTreeMap<String, bool> = BTreeMap::new();
        let is_there = |group: &String| self.index.translate(&[group.as_str()].into_iter().collect()) != [u32::MAX];
        let mut rare = |(i, place): (usize, u32)| {
            let group = self.recipe.rare_of(&features.name(i)).filter(|_| place == u32::MAX)?;
            there.entry(group.clone()).or_insert_with(|| is_there(&group)).then_some(group)
        };
        self.index.translate(features).into_iter().enumerate().map(&mut rare).collect()
    }

    /// How values of these features are weighed, if they are.
    pub(crate) fn weighing(&self, features: &Ids) -> Option<Weighing> {
        Weighing::by(features, self.recipe, || self.idf(features))
    }

    /// The idf of each of these; 0 of what is not known.
    fn idf(&self, features: &Ids) -> Vec<f32> {
        let of = |place: u32| self.idf.get(place as usize).copied().unwrap_or(0.0);
        self.index.translate(features).into_iter().map(of).collect()
    }
}
