//! Which names the texts of dictionaries are. A name is looked up once, for as long as the file goes on with that dictionary; then a cell
//! costs no hash, only a look at its code.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};

use super::cells::{Cells, Texts};
use crate::text::examples::Examples;
use crate::text::is_missing;

/// A text that was not looked up.
const UNSEEN: u32 = u32::MAX;
/// A text that is no word, or none.
pub(super) const MISSING_WORD: u32 = u32::MAX - 1;
/// How many are looked up together.
const TOGETHER: usize = 256;

/// What a worker knows of the dictionaries of all columns.
#[derive(Default)]
pub(super) struct Known {
    columns: Vec<Entries>,
    /// How often the worker had forgotten all names.
    forgotten: u32,
}

impl Known {
    /// The columns, without what was forgotten.
    pub(super) fn columns(&mut self, count: usize, forgotten: u32) -> &mut [Entries] {
        if std::mem::replace(&mut self.forgotten, forgotten) != forgotten {
            self.columns.clear();
        }
        self.columns.resize_with(count, Entries::default);
        &mut self.columns
    }
}

/// Which names the texts of a column's dictionary are.
#[derive(Default)]
pub(super) struct Entries {
    texts: Option<ArrayRef>,
    entries: Vec<u32>,
    /// Codes that came for the first time.
    new: Vec<u32>,
    /// The names of the rows of a batch.
    rows: Vec<u32>,
}

impl Entries {
    /// The name of each row of a batch. What did not come before is looked up.
    pub(super) fn look_up(&mut self, array: &ArrayRef, cells: &Cells<'_>, front: &[u8], rows: &mut Examples) -> &[u32] {
        match (cells, array.as_any_dictionary_opt()) {
            (Cells::Coded(codes, texts), Some(coded)) => {
                // What is held here keeps its place in memory, so that nothing else is there.
                if !self.texts.as_ref().is_some_and(|known| known.to_data().ptr_eq(&coded.values().to_data())) {
                    self.begin(coded.values().len(), Some(coded.values()));
                }
                // Of most batches all texts came before.
                self.name(codes);
                if self.rows.contains(&UNSEEN) {
                    codes.iter().for_each(|&code| self.note(code, *texts));
                    self.look_up_new(*texts, front, rows);
                    self.name(codes);
                }
                &self.rows
            }
            (Cells::Texts(texts), _) => {
                self.begin(array.len(), None);
                (0..array.len() as u32).for_each(|row| self.note(row, *texts));
                self.look_up_new(*texts, front, rows);
                &self.entries
            }
            _ => &[],
        }
    }

    /// Puts the name of each code into its row.
    fn name(&mut self, codes: &[u32]) {
        let Entries { entries, rows, .. } = self;
        rows.clear();
        rows.extend(codes.iter().map(|&code| entries.get(code as usize).copied().unwrap_or(MISSING_WORD)));
    }

    /// Looks up what was noted.
    fn look_up_new(&mut self, texts: Texts<'_>, front: &[u8], rows: &mut Examples) {
        let Entries { entries, new, .. } = self;
        for new in new.chunks(TOGETHER) {
            let mut codes = new.iter();
            rows.entries(front, new.iter().map(|&code| texts.text(code as usize)), |found| {
                if let Some(entry) = codes.next().and_then(|&code| entries.get_mut(code as usize)) {
                    *entry = found;
                }
            });
        }
        new.clear();
    }

    fn begin(&mut self, count: usize, texts: Option<&ArrayRef>) {
        self.entries.clear();
        self.entries.resize(count, UNSEEN);
        self.texts = texts.cloned();
    }

    /// Notes a code whose text is a word that was not looked up.
    #[inline(always)]
    fn note(&mut self, code: u32, texts: Texts<'_>) {
        if let Some(entry) = self.entries.get_mut(code as usize).filter(|entry| **entry == UNSEEN) {
            *entry = MISSING_WORD;
            if !is_missing(texts.text(code as usize)) {
                self.new.push(code);
            }
        }
    }
}
