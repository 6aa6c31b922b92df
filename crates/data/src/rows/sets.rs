//! The classes of rows that have any number of them: a list of all, and where each row's begin.

use super::{Rows, parts::bad};
use crate::cells::Cells;
use hogwild_base::Result;
use std::{collections::HashSet, sync::atomic::Ordering::Relaxed};

/// The classes of each row, by their place among the names.
#[derive(Debug)]
pub struct ClassSets {
    starts: Cells<u64>,
    classes: Cells<u32>,
    /// Those that were given; a file has them in its recipe.
    names: Option<Vec<String>>,
}

impl ClassSets {
    pub(super) fn new(starts: Cells<u64>, classes: Cells<u32>) -> ClassSets {
        ClassSets { starts, classes, names: None }
    }

    /// The names that were given; none where the classes are those of a file, which has them in its recipe.
    pub fn names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }

    /// Where the classes of each row begin, and those of the last end: ascending, whatever has become of the file.
    pub fn starts(&self) -> Vec<u64> {
        let mut last = 0;
        let most = self.classes.len() as u64;
        let start = |start: &std::sync::atomic::AtomicU64| {
            last = start.load(Relaxed).clamp(last, most.max(last));
            last
        };
        self.starts.iter().map(start).collect()
    }

    /// The classes of all rows, one row after the other.
    pub fn classes(&self) -> Vec<u32> {
        self.classes.iter().map(|class| class.load(Relaxed)).collect()
    }
}

impl Rows {
    /// These rows with any number of classes each, by their places among `names`: those of row `i` are
    /// `classes[starts[i]..starts[i + 1]]`.
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::{Rows, RowsCsr};
    ///
    /// let rows = Rows::from_csr(RowsCsr { labels: &[0.0; 2], row_start: &[0, 1, 2], columns: &[5, 6], ..RowsCsr::default() })?;
    /// let rows = rows.with_class_sets(&[0, 2, 2], &[0, 1], vec!["news".into(), "sport".into()])?;
    /// assert_eq!((rows.label(0), rows.label(1), rows.class_names().len()), (2.0, 0.0, 2));
    /// # Ok::<(), hogwild_base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is not one start more than rows, starts do not ascend to the number of classes, or a class has no name; a name
    /// twice, or a class twice in a row.
    pub fn with_class_sets(&self, starts: &[u64], classes: &[u32], names: Vec<String>) -> Result<Rows> {
        let (rows, count) = (self.rows(), classes.len() as u64);
        if starts.len() != rows + 1 || !starts.is_sorted() || (starts.first(), starts.last()) != (Some(&0), Some(&count)) {
            return Err(bad(format!("the classes of {rows} rows do not begin at 0 and end at {count}"), "give a start a row, and the end"));
        }
        if let Some(&class) = classes.iter().find(|&&class| class as usize >= names.len()) {
            return Err(bad(format!("have the class {class} (from 0), and there are {}", names.len()), "give the place of a name"));
        }
        let mut known = HashSet::with_capacity(names.len());
        if let Some(name) = names.iter().find(|name| !known.insert(name.as_str())) {
            return Err(bad(format!("have two classes with the name {name:?}"), "give each class a name of its own"));
        }
        // The last row, from 1, that has each class.
        let mut last = vec![0; names.len()];
        for row in 1..starts.len() {
            for &class in &classes[starts[row - 1] as usize..starts[row] as usize] {
                if std::mem::replace(&mut last[class as usize], row) == row {
                    return Err(bad(format!("have the class {class} (from 0) twice in row {} (from 0)", row - 1), "give it once"));
                }
            }
        }
        let how_many: Vec<f32> = starts.windows(2).map(|pair| (pair[1] - pair[0]) as f32).collect();
        let sets = ClassSets { starts: Cells::new(starts.to_vec()), classes: Cells::new(classes.to_vec()), names: Some(names) };
        Ok(Rows { sets: Some(sets), ..self.with_labels(&how_many)? })
    }
}
