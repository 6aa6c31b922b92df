//! A profile of sparse rows. Features of a table belong to columns; those of other texts stand for themselves.
use super::{
    ValueProfile,
    sums::{MOST_NUMBERS, NONE, Pass, Sums},
};
use crate::{Classes, Loss};
use hogwild_base::Result;
use hogwild_data::{ColumnKind, Ids, Rows};

/// What sparse rows hold.
#[derive(Clone, Debug, PartialEq)]
pub struct RowsProfile {
    /// How many examples.
    pub rows: u64,
    /// How many different features.
    pub features: u64,
    /// How many cells in all rows together.
    pub nonzeros: u64,
    /// The longest row.
    pub longest_row: usize,
    /// The sum of all weights; none where all count alike.
    pub weights: Option<f64>,
    /// Of the labels.
    pub labels: LabelProfile,
    /// Of each column that is a feature, those first by which labels differ most; none of a text without columns.
    pub columns: Vec<ColumnProfile>,
    /// Features that are of no column: crossed ones, or all.
    pub others: u64,
    /// The most frequent of these.
    pub frequent: Vec<ValueProfile>,
}

/// How labels are.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelProfile {
    /// There are none, or not of all rows.
    Missing,
    /// Two classes: each with its share.
    Two([(String, f64); 2]),
    /// So many classes by name.
    Many(usize),
    /// Numbers.
    Numbers(NumbersProfile),
}

/// How numbers are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NumbersProfile {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
    /// The least.
    pub min: f32,
    /// The largest.
    pub max: f32,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnProfile {
    /// What it is called.
    pub name: String,
    /// What it is, in a word.
    pub kind: &'static str,
    /// Different values; of numbers those that are told apart, and whether there are more.
    pub distinct: (u64, bool),
    /// The share of examples that have no value.
    pub missing: f64,
    /// The share of the labels' variance that goes with its values, corrected for how many there are: near 0 where it tells nothing of the
    /// label by itself. None where there is no label to tell.
    pub tells: Option<f64>,
    /// Of a column of numbers.
    pub numbers: Option<NumbersProfile>,
    /// Its most frequent values, of a column of words, lists or bins.
    pub values: Vec<ValueProfile>,
}

impl RowsProfile {
    pub(super) fn of(data: &Rows, top: usize) -> Result<RowsProfile> {
        let (ids, counts) = (data.feature_ids()?, data.feature_counts()?);
        let columns: Vec<(String, ColumnKind)> =
            data.recipe().filter(|recipe| recipe.hash_bits().is_none()).map(|recipe| recipe.columns()).unwrap_or_default();
        let of_feature = columns_of(data, &ids, &columns);
        let classes = Classes::of(data, Loss::Hinge, None).ok().filter(|classes| classes.negative.is_some());
        let many = if data.class_sets().is_some() || data.class_names().len() > 2 { data.class_names().len() } else { 0 };
        let labels_tell = !data.is_unlabelled() && many == 0;
        let two = classes.filter(|_| labels_tell);
        let label = |row: usize| {
            let y = data.label(row);
            f64::from(two.map_or(y, |classes| if y == classes.positive { 1.0 } else { 0.0 }))
        };
        let are_numbers: Vec<bool> = columns.iter().map(|(_, kind)| *kind == ColumnKind::Numbers).collect();
        let sums = Pass { data, of_feature: &of_feature, are_numbers: &are_numbers, label: &label }.run()?;
        let all = &sums.all;
        let label_of = |feature: usize| labels_tell.then(|| sums.features[feature][1] / sums.features[feature][0]);
        let value = |feature: usize| ValueProfile {
            name: ids.name(feature),
            count: counts.get(feature).copied().unwrap_or(0),
            label: label_of(feature),
        };
        let labels = match two {
            _ if data.is_unlabelled() => LabelProfile::Missing,
            _ if many > 0 => LabelProfile::Many(many),
            Some(classes) => {
                let names = if data.class_names().len() == 2 { data.class_names().to_vec() } else { classes.names().to_vec() };
                let share = all.x;
                let [negative, positive] = [0, 1].map(|i| names.get(i).cloned().unwrap_or_default());
                LabelProfile::Two([(negative, 1.0 - share), (positive, share)])
            }
            None => {
                let spread = data.labels().spread;
                LabelProfile::Numbers(all.numbers((spread.min, spread.max)))
            }
        };
        let mut profiles = Vec::with_capacity(columns.len());
        // Each feature once, most frequent first; behind the columns those of none.
        let mut by_column: Vec<Vec<usize>> = vec![Vec::new(); columns.len() + 1];
        (0..).zip(&of_feature).for_each(|(feature, &column)| by_column[columns.len().min(column as usize)].push(feature));
        let others = by_column.pop().unwrap_or_default();
        for ((name, kind), (of, features)) in columns.into_iter().zip(sums.columns.iter().zip(&by_column)) {
            let is_numbers = kind == ColumnKind::Numbers;
            let tells = labels_tell.then(|| if is_numbers { of.moments.told() } else { told_by_values(features, &sums, data.rows()) });
            profiles.push(ColumnProfile {
                name,
                kind: kind.name(),
                distinct: if is_numbers {
                    (of.distinct.len().min(MOST_NUMBERS) as u64, of.distinct.len() > MOST_NUMBERS)
                } else {
                    (features.len() as u64, false)
                },
                missing: (1.0 - of.there / all.w).max(0.0),
                tells,
                numbers: (is_numbers && of.there > 0.0).then(|| of.moments.numbers(of.range)),
                values: if is_numbers { Vec::new() } else { features.iter().take(top).map(|&feature| value(feature)).collect() },
            });
        }
        profiles.sort_by(|a, b| b.tells.unwrap_or(0.0).total_cmp(&a.tells.unwrap_or(0.0)));
        Ok(RowsProfile {
            rows: data.rows() as u64,
            features: data.columns() as u64,
            nonzeros: data.nonzeros(),
            longest_row: data.longest_row(),
            weights: data.weight_cells().map(|_| all.w),
            labels,
            columns: profiles,
            others: others.len() as u64,
            frequent: others.into_iter().take(top).map(value).collect(),
        })
    }
}

/// The column of each feature, by its name.
fn columns_of(data: &Rows, ids: &Ids, columns: &[(String, ColumnKind)]) -> Vec<u32> {
    let Some(recipe) = data.recipe().filter(|_| !columns.is_empty()) else { return vec![NONE; data.columns()] };
    let place = |feature: usize| {
        let column = recipe.single_column_of(&ids.name(feature))?;
        columns.iter().position(|(name, _)| name == column)
    };
    (0..data.columns()).map(|feature| place(feature).map_or(NONE, |place| place as u32)).collect()
}

/// The share of the label's variance that goes with the values of a column (correlation ratio), corrected for how many there are (Kelley
/// 1935): else a column with a value for each row would tell all. Rows without a value are one value more.
fn told_by_values(features: &[usize], sums: &Sums, rows: usize) -> f64 {
    let all = &sums.all;
    let (mean, variance) = (all.x, all.variance());
    let (mut between, mut rest) = (0.0, [all.w, all.w * all.x]);
    let mut add = |[w, y]: [f64; 2]| between += if w > 0.0 { w * (y / w - mean).powi(2) } else { 0.0 };
    for &feature in features {
        let [w, y] = sums.features[feature];
        add([w, y]);
        rest = [rest[0] - w, rest[1] - y];
    }
    // Of lists a row may have several values, and then there is no rest.
    add(if rest[0] > 0.5 { rest } else { [0.0; 2] });
    let share = if variance > 0.0 { between / (all.w * variance) } else { 0.0 };
    let (n, values) = (rows as f64, features.len() as f64 + 1.0);
    if n > values { (1.0 - (1.0 - share.min(1.0)) * (n - 1.0) / (n - values)).max(0.0) } else { 0.0 }
}
