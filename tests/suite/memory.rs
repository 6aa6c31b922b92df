//! Data in memory: they train to the same bits as the same data packed from text, and what is wrong with them is named.
use crate::support::data;
use hogwild::{
    Settings,
    data::{Cells, Data, Ids, Ratings, RowParts, Rows, RowsCsr},
    synth::{Kind, Synth},
    train_factorization, train_linear,
};
use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

/// A sparse matrix.
#[derive(Default)]
struct Matrix {
    labels: Vec<f32>,
    row_start: Vec<u64>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Matrix {
    /// With columns in no order, some beyond what a plain table counts. With `ones` all values are 1.
    fn new(ones: bool) -> Matrix {
        let mut matrix = Matrix { row_start: vec![0], ..Matrix::default() };
        for row in 0..3000u64 {
            let (length, mut state) = ((row * 7 + 3) % 23, row.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
            let first = matrix.columns.len();
            while matrix.columns.len() - first < length as usize {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let draw = (state >> 33) as u32;
                let column = if draw.is_multiple_of(5) { (1 << 24) + draw % 40 } else { draw % 300 * (draw % 300) };
                if !matrix.columns[first..].contains(&column) {
                    matrix.columns.push(column);
                    matrix.values.push(if ones { 1.0 } else { (draw % 17) as f32 / 4.0 + 0.25 });
                }
            }
            matrix.row_start.push(matrix.columns.len() as u64);
            matrix.labels.push(if (row * row + row / 3) % 5 < 2 { 1.0 } else { -1.0 });
        }
        matrix
    }

    fn csr(&self) -> RowsCsr<'_> {
        let Matrix { labels, row_start, columns, values } = self;
        RowsCsr { labels, row_start, columns, values: Some(values), ..RowsCsr::default() }
    }

    fn row(&self, row: usize) -> impl Iterator<Item = (u32, f32)> {
        let cells = self.row_start[row] as usize..self.row_start[row + 1] as usize;
        self.columns[cells.clone()].iter().copied().zip(self.values[cells].iter().copied())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (row, label) in self.labels.iter().enumerate() {
            write!(text, "{label}").unwrap();
            self.row(row).for_each(|(column, value)| write!(text, " {column}:{value}").unwrap());
            text.push('\n');
        }
        text
    }
}

fn bits(cells: &[AtomicU32]) -> Vec<u32> {
    cells.iter().map(|cell| cell.load(Relaxed)).collect()
}

fn assert_same(a: &Rows, b: &Rows) {
    let starts = |rows: &Rows| rows.start_cells().iter().map(|start| start.load(Relaxed)).collect::<Vec<_>>();
    assert_eq!(starts(a), starts(b));
    assert!(bits(a.column_cells()) == bits(b.column_cells()));
    assert!(a.value_cells().map(bits) == b.value_cells().map(bits));
    assert_eq!(bits(a.label_cells()), bits(b.label_cells()));
    assert_eq!((a.feature_ids().unwrap(), a.feature_counts().unwrap()), (b.feature_ids().unwrap(), b.feature_counts().unwrap()));
    assert_eq!((a.labels(), a.longest_row(), a.columns()), (b.labels(), b.longest_row(), b.columns()));
}

fn weights(rows: &Rows) -> Vec<u32> {
    let settings = Settings { threads: 1, epochs: 2, holdout: 0.1, ..Settings::default() };
    let outcome = train_linear(rows, None, &settings, &mut (), &Default::default()).unwrap();
    let model = outcome.model.as_ref().unwrap().linear().unwrap();
    model.weights.iter().chain([&model.bias]).map(|weight| weight.to_bits()).collect()
}

#[test]
fn rows_train_to_the_bits_that_a_file_does() {
    let folder = tempfile::tempdir().unwrap();
    for ones in [false, true] {
        let matrix = Matrix::new(ones);
        let file = data::sparse(folder.path(), "rows.svm", &matrix.text());
        let memory = Rows::from_csr(matrix.csr()).unwrap();
        assert_same(&memory, &file);
        assert!(memory.all_ones() == ones && !memory.is_mapped() && file.is_mapped());
        assert!(memory.bytes() <= memory.nonzeros() * if ones { 4 } else { 8 } + 12 * 3000 + 12);
        assert_eq!(weights(&memory), weights(&file));
    }
}

/// Memory that somebody else has, and is told of its end.
struct Lent<T> {
    numbers: Box<[T]>,
    _until: Arc<()>,
}

impl<T> AsMut<[T]> for Lent<T> {
    fn as_mut(&mut self) -> &mut [T] {
        &mut self.numbers
    }
}

#[test]
fn lent_memory_is_used_where_it_lies() {
    let copied = Rows::from_csr(Matrix::new(false).csr()).unwrap();
    let until = Arc::new(());
    let columns = bits(copied.column_cells()).into_boxed_slice();
    let address = columns.as_ptr().addr();
    let floats = |cells: &[AtomicU32]| bits(cells).into_iter().map(f32::from_bits).collect::<Vec<_>>();
    let lent = Rows::from_parts(RowParts {
        labels: Cells::new(floats(copied.label_cells())),
        row_start: Cells::new(copied.start_cells().iter().map(|start| start.load(Relaxed)).collect::<Vec<_>>()),
        columns: Cells::new(Lent { numbers: columns, _until: until.clone() }),
        values: copied.value_cells().map(|values| Cells::new(floats(values))),
        weights: None,
        ids: copied.feature_ids().unwrap(),
    });
    let lent = lent.unwrap();
    assert_eq!(lent.column_cells().as_ptr().addr(), address);
    assert_same(&lent, &copied);
    assert_eq!(weights(&lent), weights(&copied));
    assert_eq!(Arc::strong_count(&until), 2);
    drop(lent);
    assert_eq!(Arc::strong_count(&until), 1);
}

#[test]
fn columns_go_by_ids_where_they_have_them() {
    let csr =
        |ids| RowsCsr { labels: &[1.0, -1.0, 1.0], row_start: &[0, 2, 5, 6], columns: &[0, 2, 3, 0, 1, 3], ids, ..RowsCsr::default() };
    let names: Ids = ["b", "10", "a", "9"].into_iter().collect();
    let rows = Rows::from_csr(csr(Some(&names))).unwrap();
    // By count, then numbers before names: as packing ranks the ids of a text.
    let ids = rows.feature_ids().unwrap();
    assert_eq!((0..4).map(|i| ids.name(i)).collect::<Vec<_>>(), ["9", "b", "10", "a"]);
    assert_eq!((rows.feature_counts().unwrap(), bits(rows.column_cells())), (vec![2, 2, 1, 1], vec![1, 3, 0, 1, 2, 0]));
    let again: Ids = ["b", "a", "b", "9"].into_iter().collect();
    let refused = Rows::from_csr(csr(Some(&again))).unwrap_err().to_string();
    assert!(refused.contains("columns 0 and 2 have the same id, b"), "{refused}");
    let few = Ids::Numbers(vec![5, 6, 7]);
    let refused = Rows::from_csr(csr(Some(&few))).unwrap_err().to_string();
    assert!(refused.contains("row 1 (from 0) has column 3, and 3 have an id"), "{refused}");
}

#[test]
fn what_is_wrong_with_rows_is_named() {
    let good =
        RowsCsr { labels: &[1.0, -1.0], row_start: &[0, 2, 3], columns: &[7, 3, 7], values: Some(&[1.0, 2.0, 3.0]), ..RowsCsr::default() };
    assert!(Rows::from_csr(good).is_ok());
    let cases: [(RowsCsr, &str); 9] = [
        (RowsCsr { labels: &[], row_start: &[0], ..good }, "there are none"),
        (RowsCsr { row_start: &[0, 3], ..good }, "row_start has 2 entries, and there are 2 labels"),
        (RowsCsr { values: Some(&[1.0]), ..good }, "there are 1 values of 3 columns"),
        (RowsCsr { row_start: &[0, 4, 3], ..good }, "row 0 (from 0) would have the cells 0 to 4 of 3"),
        (RowsCsr { row_start: &[1, 2, 3], ..good }, "row_start runs from 1 to 3"),
        (RowsCsr { row_start: &[0, 1, 2], ..good }, "row_start runs from 0 to 2, and there are 3 columns"),
        (RowsCsr { labels: &[1.0, f32::NAN], ..good }, "the label of row 1 (from 0) is NaN"),
        (RowsCsr { values: Some(&[1.0, 2.0, f32::INFINITY]), ..good }, "the value of column 7 in row 1 (from 0) is not finite"),
        (RowsCsr { columns: &[7, 7, 3], ..good }, "row 0 (from 0) has column 7 twice; join its values first"),
    ];
    for (matrix, problem) in cases {
        let refused = Rows::from_csr(matrix).unwrap_err().to_string();
        assert!(refused.starts_with("rows in memory: ") && refused.contains(problem), "{refused}");
    }
    let parts = |columns: Vec<u32>, ids: Vec<u64>| {
        let (labels, row_start) = (Cells::new(vec![1.0f32, -1.0]), Cells::new(vec![0u64, 2, 3]));
        Rows::from_parts(RowParts { labels, row_start, columns: Cells::new(columns), values: None, weights: None, ids: Ids::Numbers(ids) })
    };
    assert!(parts(vec![0, 1, 0], vec![4, 5]).is_ok());
    for (columns, problem) in [
        (vec![1, 0, 0], "the columns of row 0 (from 0) do not ascend"),
        (vec![0, 1, 2], "row 1 (from 0) has column 2, and 2 have an id"),
        (vec![0, 1, 1], "column 1 occurs in 2 rows, and column 0 in 1"),
    ] {
        let refused = parts(columns, vec![4, 5]).unwrap_err().to_string();
        assert!(refused.contains(problem), "{refused}");
    }
}

#[test]
fn ratings_train_to_the_bits_that_a_file_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = Vec::new();
    Synth { kind: Kind::Ratings, rows: 5000, ..Synth::default() }.write(&mut text, &()).unwrap();
    let text = String::from_utf8(text).unwrap();
    let file = data::ratings(folder.path(), "r.tsv", &text);
    let fields: Vec<Vec<&str>> = text.lines().map(|line| line.split(|c: char| c.is_whitespace()).collect()).collect();
    let column = |i: usize| fields.iter().map(|fields| fields[i]).collect::<Vec<_>>();
    let users: Vec<u64> = column(0).iter().map(|user| user.parse().unwrap()).collect();
    let stars: Vec<f32> = column(2).iter().map(|stars| stars.parse().unwrap()).collect();
    // Names that are numbers are those.
    let memory = Ratings::from_triples(&users, &column(1), &stars).unwrap();
    assert_eq!(bits(memory.user_cells()), bits(file.user_cells()));
    assert_eq!(bits(memory.item_cells()), bits(file.item_cells()));
    assert_eq!(bits(memory.rating_cells()), bits(file.rating_cells()));
    assert_eq!((memory.user_ids().unwrap(), memory.item_ids().unwrap()), (file.user_ids().unwrap(), file.item_ids().unwrap()));
    assert_eq!((memory.user_counts().unwrap(), memory.item_counts().unwrap()), (file.user_counts().unwrap(), file.item_counts().unwrap()));
    assert_eq!(memory.labels(), file.labels());
    let factors = |ratings: &Ratings| {
        let settings = Settings { threads: 1, epochs: 2, rank: 16, ..Settings::for_ratings() };
        let model = train_factorization(ratings, None, &settings, &mut (), &Default::default()).unwrap().model.unwrap();
        model.score(&Data::Ratings(Ratings::from_triples(&users, &column(1), &stars).unwrap())).unwrap().scores
    };
    assert_eq!(factors(&memory), factors(&file));
}

#[test]
fn what_is_wrong_with_ratings_is_named() {
    let users = [1u32, 2];
    let refused = |items: &[&str], stars: &[f32]| Ratings::from_triples(&users, items, stars).unwrap_err().to_string();
    assert!(refused(&["a"], &[1.0, 2.0]).contains("there are 2 users, 1 items and 2 ratings"));
    assert!(refused(&["a", ""], &[1.0, 2.0]).contains("the item of rating 1 (from 0) has an empty name"));
    assert!(refused(&["a", "b"], &[1.0, f32::NAN]).contains("rating 1 (from 0) is NaN"));
    assert!(refused(&["a", "b"], &[1.0, f32::NAN]).starts_with("ratings in memory: "));
}
