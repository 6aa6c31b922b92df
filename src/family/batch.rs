//! Scores small batches by a large model: what is looked up and copied is what a batch has, whatever the model's size.
//!
//! The ids of a model are put into tables once. A batch is then scored by a part of the model: the rows of its tensors that the batch's ids
//! name. A tensor says by its shape whose rows it has, so this goes for every family.
use super::data::AnyData;
use crate::model::{Axis, Scored, Size, Tensor, Tensors, TrainedModel};
use hogwild_base::Result;
use hogwild_data::{IdIndex, Ids};

/// A model whose ids are looked up.
#[derive(Debug)]
pub struct BatchScorer<'a> {
    model: &'a TrainedModel,
    indexes: Vec<(&'static str, IdIndex<'a>)>,
}

/// The rows of an axis that a batch names.
struct Named {
    axis: &'static str,
    /// The ids that the model knows.
    ids: Ids,
    /// Their rows in the model.
    rows: Vec<u32>,
}

impl<'a> BatchScorer<'a> {
    /// Looks up what data have: features, or users and items. It takes some bytes an id.
    pub fn new(model: &'a TrainedModel) -> BatchScorer<'a> {
        let is_of_data = |axis: &&Axis| axis.name != "class";
        let indexes = model.axes.iter().filter(is_of_data).map(|axis| (axis.name, IdIndex::of(&axis.ids)));
        BatchScorer { model, indexes: indexes.collect() }
    }

    /// The scores of a batch: as [`TrainedModel::score`] has them.
    ///
    /// ```
    /// use hogwild::{BatchScorer, LinearModel, Loss, data::{Rows, RowsCsr}};
    ///
    /// let ids = &["wet", "cold"].into_iter().collect();
    /// let model = LinearModel { ids, bias: 0.5, weights: &[2.0, -3.0], unit_rows: false }.trained(Loss::Squared);
    /// let scorer = BatchScorer::new(&model);
    /// let names = &["cold", "new"].into_iter().collect();
    /// let rows = Rows::from_csr(RowsCsr {
    ///     labels: &[1.0], row_start: &[0, 2], columns: &[0, 1], ids: Some(names), ..RowsCsr::default()
    /// })?;
    /// let scored = scorer.score(&rows)?;
    /// assert_eq!((scored.scores[0].0, scored.unknown), (-2.5, 1));
    /// # Ok::<(), hogwild::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the data are of another kind.
    pub fn score<'d>(&self, data: impl Into<AnyData<'d>>) -> Result<Scored> {
        let data = data.into();
        let named = match data {
            AnyData::Rows(rows) => vec![self.named("feature", rows.feature_ids()?)],
            AnyData::Ratings(ratings) => vec![self.named("user", ratings.user_ids()?), self.named("item", ratings.item_ids()?)],
        };
        let named: Vec<Named> = named.into_iter().flatten().collect();
        self.part(&named).score(data)
    }

    fn named(&self, axis: &str, ids: Ids) -> Option<Named> {
        let (axis, index) = self.indexes.iter().find(|(name, _)| *name == axis)?;
        let found = index.translate(&ids);
        let mut known: Vec<u32> = (0..).zip(&found).filter(|(_, row)| **row != u32::MAX).map(|(place, _)| place).collect();
        if known.is_empty() && !self.model.ids(axis)?.is_empty() {
            // A row that could not be read stands for the first of all, as it does beside the whole model.
            return Some(Named { axis, ids: self.model.ids(axis)?.select(&[0]), rows: vec![0] });
        }
        // As the model has them: the first may have what others have not.
        known.sort_unstable_by_key(|&place| found[place as usize]);
        let rows = known.iter().map(|&place| found[place as usize]).collect();
        Some(Named { axis, ids: ids.select(&known), rows })
    }

    /// The model with these rows alone.
    fn part(&self, named: &[Named]) -> TrainedModel {
        let of = |axis: &str| named.iter().find(|named| named.axis == axis);
        let kinds = self.model.family().map_or(&[][..], |family| family.schema().tensors);
        let tensor = |tensor: &Tensor| {
            let kind = kinds.iter().find(|kind| kind.name == tensor.name);
            let rows = kind.and_then(|kind| match kind.shape.first() {
                Some(Size::Ids(axis) | Size::First(axis)) => of(axis),
                _ => None,
            });
            rows.map_or_else(|| tensor.clone(), |named| rows_of(tensor, &named.rows))
        };
        let TrainedModel { family, loss, unit, classes, ref class_names, unit_rows, ref settings, ref recipe, ref axes, ref members } =
            *self.model;
        let ids = |axis: &Axis| of(axis.name).map_or_else(|| axis.ids.clone(), |named| named.ids.clone().into());
        TrainedModel {
            family,
            loss,
            unit,
            classes,
            class_names: class_names.clone(),
            unit_rows,
            settings: settings.clone(),
            recipe: recipe.clone(),
            axes: axes.iter().map(|axis| Axis { name: axis.name, ids: ids(axis) }).collect(),
            members: members.iter().map(|member| Tensors(member.0.iter().map(tensor).collect())).collect(),
        }
    }
}

/// These rows of a tensor, ascending: those that it has.
fn rows_of(tensor: &Tensor, rows: &[u32]) -> Tensor {
    let all = tensor.shape.first().copied().unwrap_or(0);
    let rows = &rows[..rows.partition_point(|&row| (row as usize) < all)];
    let width: usize = tensor.shape.iter().skip(1).product();
    let row = |&row: &u32| tensor.numbers.get(row as usize * width..).and_then(|rest| rest.get(..width)).unwrap_or_default();
    let shape = std::iter::once(rows.len()).chain(tensor.shape.iter().skip(1).copied()).collect();
    Tensor { name: tensor.name, shape, numbers: rows.iter().flat_map(row).copied().collect() }
}
