//! Examples of a stream: a matrix copied as it is numbered, for a model that goes on learning whatever the columns' frequencies.

use super::{
    csr::check_weights,
    matrix::Matrix,
    number::{Index, Number},
    parts::bad,
};
use crate::cells::Cells;
use hogwild_base::Result;

/// Some labelled rows, with columns by the numbers that they have. [`Matrix::examples`] makes them.
#[derive(Debug)]
pub struct Examples {
    /// Where each row's cells start, and where the last row's end.
    pub row_start: Cells<u64>,
    /// The column of each cell, ascending in each row.
    pub columns: Cells<u32>,
    /// The value of each cell.
    pub values: Cells<f32>,
    /// A label a row.
    pub labels: Cells<f32>,
    /// How much each row counts, above 0; none where all count alike.
    pub weights: Option<Cells<f32>>,
    /// The length of the longest row.
    pub longest_row: usize,
}

impl<I: Index, V: Number> Matrix<'_, I, V> {
    /// Copies the matrix with a label a row, and how much each row counts, above 0 (`None`: all alike).
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::Matrix;
    ///
    /// let matrix = Matrix { row_start: &[0i32, 2, 3], columns: &[4, 900, 4], values: &[0.5f64, 2.0, 1.0], width: 1000 };
    /// assert_eq!(matrix.examples(&[1.0, -1.0], None)?.longest_row, 2);
    /// # Ok::<(), hogwild_base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When lengths do not fit, a label or value is not finite, a weight is not above 0, or columns do not ascend in a row: the row is named.
    pub fn examples(&self, labels: &[f32], weights: Option<&[f32]>) -> Result<Examples> {
        self.check_labels(labels)?;
        if let Some(weights) = weights {
            check_weights(labels.len(), weights)?;
            if let Some(row) = weights.iter().position(|&weight| weight == 0.0) {
                return Err(bad(format!("the weight of row {row} (from 0) is 0"), "leave the row out"));
            }
        }
        let row_start: Vec<u64> = self.row_start.iter().map(|start| start.index()).collect();
        let (mut longest_row, mut columns) = (0, Vec::with_capacity(self.columns.len()));
        for (row, cells) in row_start.windows(2).enumerate() {
            let of_row = self.columns.get(cells[0] as usize..cells[1] as usize).unwrap_or_default();
            longest_row = longest_row.max(of_row.len());
            let first = columns.len();
            columns.extend(of_row.iter().map(|column| column.index().min(u32::MAX.into()) as u32));
            let copied = &columns[first..];
            if let Some(pair) = copied.windows(2).find(|pair| pair[0] >= pair[1]) {
                let problem = format!("row {row} (from 0) has column {} behind column {}", pair[1], pair[0]);
                return Err(bad(problem, "order columns, and join those that are there twice"));
            }
            if let Some(&last) = copied.last().filter(|&&last| last as usize >= self.width) {
                return Err(bad(
                    format!("row {row} (from 0) has column {last}, and there are {} columns", self.width),
                    "number columns from 0",
                ));
            }
        }
        let values: Vec<f32> = self.values.iter().map(|value| value.number()).collect();
        if let Some(cell) = values.iter().position(|value| !value.is_finite()) {
            return Err(self.wrong(&row_start, cell));
        }
        Ok(Examples {
            row_start: Cells::new(row_start),
            columns: Cells::new(columns),
            values: Cells::new(values),
            labels: Cells::new(labels.to_vec()),
            weights: weights.map(|weights| Cells::new(weights.to_vec())),
            longest_row,
        })
    }
}
