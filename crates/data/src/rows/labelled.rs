//! The same rows with other labels: nothing but these is copied, so that one class after the other can be told from the rest.

use super::{GROUP, Rows, parts::bad};
use crate::{cells::Cells, labels::Labels};
use hogwild_base::Result;

impl Rows {
    /// These rows, where they lie, with other labels.
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::{Rows, RowsCsr};
    ///
    /// let classes = [2.0, 0.0, 1.0];
    /// let rows = Rows::from_csr(RowsCsr { labels: &classes, row_start: &[0, 1, 2, 3], columns: &[5, 6, 7], ..RowsCsr::default() })?;
    /// let second = rows.with_labels(&classes.map(|class| if class == 1.0 { 1.0 } else { -1.0 }))?;
    /// assert_eq!((second.label(1), second.label(2), rows.label(2)), (-1.0, 1.0, 1.0));
    /// # Ok::<(), hogwild_base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there are more or fewer labels than rows, or one is not finite.
    pub fn with_labels(&self, labels: &[f32]) -> Result<Rows> {
        if labels.len() != self.rows() {
            return Err(bad(format!("there are {} labels of {} rows", labels.len(), self.rows()), "give a label a row"));
        }
        if let Some(row) = labels.iter().position(|label| !label.is_finite()) {
            return Err(bad(format!("the label of row {row} (from 0) is {}", labels[row]), "leave the row out"));
        }
        let label = Cells::new(labels.to_vec());
        let labels = Labels::in_groups(&label, GROUP);
        let Rows { row_start, column, value, weight, .. } = self;
        Ok(Rows {
            row_start: row_start.clone(),
            column: column.clone(),
            value: value.clone(),
            label,
            weight: weight.clone(),
            sets: None,
            columns: self.columns,
            longest_row: self.longest_row,
            labels,
            is_relabelled: true,
            is_without_labels: false,
            home: self.home.clone(),
        })
    }

    /// The same rows for predictions, which look at no label.
    pub fn without_labels(&self) -> Rows {
        let Rows { row_start, column, value, label, weight, .. } = self;
        Rows {
            row_start: row_start.clone(),
            column: column.clone(),
            value: value.clone(),
            label: label.clone(),
            weight: weight.clone(),
            sets: None,
            columns: self.columns,
            longest_row: self.longest_row,
            labels: self.labels,
            is_relabelled: self.is_relabelled,
            is_without_labels: true,
            home: self.home.clone(),
        }
    }
}
