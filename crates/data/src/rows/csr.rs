//! Rows from a sparse matrix in memory (compressed rows, as SciPy's `csr_matrix`): columns are numbered by frequency, as packing does.
//!
//! So rows from memory train to the same bits as the same rows packed from text. They take 8 bytes a nonzero, 4 where all values are 1,
//! besides 12 bytes a row. To use the matrix where it lies would save that, at 1.2 to 1.9 times the time of every epoch: what is read most
//! often would be scattered.

use super::{
    Fields, Rows,
    numbered::{Numbered, Wrong},
    parts::{bad, check_lengths},
};
use crate::{
    Ids,
    cells::Cells,
    dictionary::{Dictionary, Ranked, TooMany},
    zeroed::Zeroed,
};
use hogwild_base::{Result, memory, threads};
use std::cmp::Reverse;

/// A sparse matrix with a label a row, as [`Rows::from_csr`] takes it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowsCsr<'a> {
    /// A label a row.
    pub labels: &'a [f32],
    /// Where each row's cells start among `columns`, and where the last row's end: one more than labels.
    pub row_start: &'a [u64],
    /// The column of each cell, in any order, but in no row twice.
    pub columns: &'a [u32],
    /// The value of each cell; `None`: all are 1.
    pub values: Option<&'a [f32]>,
    /// How much each row counts, from 0 up; `None`: all alike. Rows of weight 0 are left out.
    pub weights: Option<&'a [f32]>,
    /// What each column is called, in models too; `None`: by its number.
    pub ids: Option<&'a Ids>,
    /// The field of each column; `None`: columns have none.
    pub fields: Option<&'a Fields>,
}

impl Rows {
    /// Copies a sparse matrix, with its columns numbered by frequency. Columns that do not occur are left out.
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::{Rows, RowsCsr};
    ///
    /// let rows = Rows::from_csr(RowsCsr {
    ///     labels: &[1.0, -1.0, 1.0],
    ///     row_start: &[0, 2, 3, 4],
    ///     columns: &[900, 4, 4, 4],
    ///     values: Some(&[0.5, 2.0, 1.0, 3.0]),
    ///     ..RowsCsr::default()
    /// })?;
    /// assert_eq!((rows.rows(), rows.columns(), rows.nonzeros()), (3, 2, 4));
    /// assert_eq!(rows.feature_ids()?.name(0), "4"); // in three rows
    /// # Ok::<(), hogwild_base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When lengths do not fit, a label or value is not finite, a weight is below 0 or not finite, a row has a column twice, or two columns
    /// have the same id: the row and the column are named.
    pub fn from_csr(matrix: RowsCsr<'_>) -> Result<Rows> {
        let rows = threads::in_call(|| Rows::numbered_of(matrix))?;
        match matrix.fields {
            Some(fields) => rows.with_fields_of(fields, matrix.ids),
            None => Ok(rows),
        }
    }

    /// The same with the fields of the matrix's columns, which have these ids, or else their numbers.
    fn with_fields_of(self, fields: &Fields, ids: Option<&Ids>) -> Result<Rows> {
        let own = self.feature_ids()?;
        let columns: Vec<usize> = match ids {
            Some(ids) => own.translate(ids).into_iter().map(|column| column as usize).collect(),
            None => (0..own.len()).map(|i| own.number(i).unwrap_or(u64::MAX) as usize).collect(),
        };
        let of = |&column: &usize| {
            let few = || bad(format!("column {column} has no field: there are {}", fields.of.len()), "give a field a column");
            fields.of.get(column).copied().ok_or_else(few)
        };
        let of = columns.iter().map(of).collect::<Result<_>>()?;
        self.with_fields(Fields { of, names: fields.names.clone() })
    }

    fn numbered_of(matrix: RowsCsr<'_>) -> Result<Rows> {
        let RowsCsr { labels, row_start, columns, values, weights, ids, fields: _ } = matrix;
        check_lengths(labels.len(), row_start.len(), row_start.iter().copied(), columns.len(), values.map(<[f32]>::len))?;
        if let Some(row) = labels.iter().position(|label| !label.is_finite()) {
            return Err(bad(format!("the label of row {row} (from 0) is {}", labels[row]), "leave the row out"));
        }
        let finite = values.unwrap_or_default().iter().fold(true, |good, value| good & value.is_finite());
        if let Some(cell) = values.filter(|_| !finite).and_then(|values| values.iter().position(|value| !value.is_finite())) {
            let problem = format!("the value of column {} in row {} (from 0) is not finite", columns[cell], row_of(row_start, cell));
            return Err(bad(problem, "leave it out, or give a number"));
        }
        if let Some(weights) = weights {
            check_weights(labels.len(), weights)?;
            if weights.contains(&0.0) {
                return without_weightless(matrix, weights);
            }
        }
        let weights = weights.filter(|weights| weights.iter().any(|&weight| weight != 1.0));
        let values = values.filter(|values| values.iter().any(|&value| value != 1.0));
        let of_row = if weights.is_some() { 16 } else { 12 };
        let bytes = (columns.len() * if values.is_some() { 8 } else { 4 } + labels.len() * of_row) as u64;
        memory::ask(bytes, || "rows".into(), "give fewer, or pack them into a file")?;
        let (cells, ids, counts) = match ids {
            None => {
                let (codes, ranked) = by_number(columns)?;
                let cells = numbered(row_start, |cell| ranked.rank(codes[cell]), values, &ranked.ids, &ranked.counts)?;
                let Ranked { ids, counts, .. } = ranked;
                (cells, ids, counts)
            }
            Some(ids) => {
                let (rank, ids, counts) = by_id(row_start, columns, ids)?;
                let cells = numbered(row_start, |cell| rank[columns[cell] as usize], values, &ids, &counts)?;
                (cells, ids, counts)
            }
        };
        let (columns, values) = cells;
        let (labels, row_start) = (Cells::new(labels.to_vec()), Cells::new(row_start.to_vec()));
        let weights = weights.map(|weights| Cells::new(weights.to_vec()));
        Ok(Rows::in_memory(labels, row_start, Cells::new(columns), values.map(Cells::new), weights, ids, counts))
    }
}

/// Requires a weight a row, from 0 up.
pub(super) fn check_weights(rows: usize, weights: &[f32]) -> Result<()> {
    if weights.len() != rows {
        return Err(bad(format!("there are {} weights of {rows} rows", weights.len()), "give a weight a row"));
    }
    match weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
        Some(row) => Err(bad(format!("the weight of row {row} (from 0) is {}", weights[row]), "give a weight from 0 up")),
        None => Ok(()),
    }
}

/// The rows that count for anything.
fn without_weightless(matrix: RowsCsr<'_>, weights: &[f32]) -> Result<Rows> {
    let kept: Vec<usize> = (0..weights.len()).filter(|&row| weights[row] > 0.0).collect();
    if kept.is_empty() {
        return Err(bad("all have the weight 0".into(), "give some rows a weight above 0"));
    }
    let (mut columns, mut values, mut row_start) = (Vec::new(), Vec::new(), vec![0]);
    for &row in &kept {
        let cells = matrix.row_start[row] as usize..matrix.row_start[row + 1] as usize;
        columns.extend_from_slice(&matrix.columns[cells.clone()]);
        values.extend_from_slice(matrix.values.map_or(&[], |values| &values[cells]));
        row_start.push(columns.len() as u64);
    }
    let of_kept = |numbers: &[f32]| -> Vec<f32> { kept.iter().map(|&row| numbers[row]).collect() };
    let (labels, weights) = (of_kept(matrix.labels), of_kept(weights));
    let values = matrix.values.map(|_| values.as_slice());
    let rest = RowsCsr {
        labels: &labels,
        row_start: &row_start,
        columns: &columns,
        values,
        weights: Some(&weights),
        ids: matrix.ids,
        fields: None,
    };
    Rows::numbered_of(rest)
}

/// Which row has a cell.
fn row_of(row_start: &[u64], cell: usize) -> usize {
    row_start.partition_point(|&start| start <= cell as u64) - 1
}

/// Codes of columns whose numbers are their ids, and their ranks: as those of text.
fn by_number(columns: &[u32]) -> Result<(Vec<u32>, Ranked)> {
    let large: Vec<u64> = columns.iter().map(|&column| column.into()).filter(|&column| Dictionary::is_large(column)).collect();
    let mut codes = Dictionary::codes_of(columns);
    let too_many = |_: TooMany| bad("have more different columns than can be numbered, about 4278 million".into(), "hash them to fewer");
    let mut dictionary = Dictionary::default();
    dictionary.count(&mut codes, &large).map_err(too_many)?;
    Ok((codes, dictionary.rank()))
}

/// Ranks columns that have ids of their own: by count, then by id, as packing ranks the ids of a text. Gives the rank of each column, and
/// ids and counts by rank.
fn by_id(row_start: &[u64], columns: &[u32], ids: &Ids) -> Result<(Vec<u32>, Ids, Vec<u64>)> {
    if let Some(cell) = columns.iter().position(|&column| column as usize >= ids.len()) {
        let problem = format!("row {} (from 0) has column {}, and {} have an id", row_of(row_start, cell), columns[cell], ids.len());
        return Err(bad(problem, "give an id a column"));
    }
    let mut counts = vec![0u64; ids.len()];
    columns.iter().for_each(|&column| counts[column as usize] += 1);
    // Numbers come before names.
    let key = |&column: &u32| match ids.number(column as usize) {
        Some(number) => (false, number, &[][..]),
        None => (true, 0, ids.bytes(column as usize)),
    };
    let mut order: Vec<u32> = (0..ids.len() as u32).filter(|&column| counts[column as usize] > 0).collect();
    threads::sort_unstable_by(&mut order, |a, b| key(a).cmp(&key(b)));
    if let Some(pair) = order.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
        let problem = format!("columns {} and {} have the same id, {}", pair[0], pair[1], ids.name(pair[0] as usize));
        return Err(bad(problem, "give each column an id of its own"));
    }
    order.sort_by_key(|&column| Reverse(counts[column as usize]));
    let mut rank = vec![0; ids.len()];
    (0..).zip(&order).for_each(|(place, &column)| rank[column as usize] = place);
    let counts = order.iter().map(|&column| counts[column as usize]).collect();
    Ok((rank, ids.select(&order), counts))
}

/// Numbers the columns of all cells by rank, and sorts each row by that.
fn numbered(
    row_start: &[u64],
    rank: impl Fn(usize) -> u32 + Sync,
    values: Option<&[f32]>,
    ids: &Ids,
    counts: &[u64],
) -> Result<(Zeroed<u32>, Option<Zeroed<f32>>)> {
    Numbered { row_start, ranks: rank, values, counts }.sort().map_err(|wrong| match wrong {
        Wrong::Twice(row, rank) => {
            let problem = format!("row {row} (from 0) has column {} twice", ids.name(rank as usize));
            bad(problem, "join its values first")
        }
        Wrong::Value => bad("a value is not finite".into(), "leave it out, or give a number"),
    })
}
