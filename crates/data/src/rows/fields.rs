//! The fields of features: which group (a column, a namespace, a field of libffm's rows) each feature belongs to.
//!
//! A field is a property of a feature, not of a cell: so nothing is stored where the name of a feature tells its field, as those of columns
//! and namespaces do. Only features of libffm's rows, which are numbers, have their fields in the packed file.

use super::{Home, Rows, parts::bad};
use crate::{Format, Ids, Recipe, layout::names, pack::MOST_FIELDS, store::Store, text::recipe::MARKS};
use hogwild_base::Result;
use safetensors::Dtype;
use std::collections::HashMap;

/// The field of each column, and what the fields are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// By column, the place of its field among the names.
    pub of: Vec<u16>,
    /// What the user calls each field.
    pub names: Ids,
}

impl Rows {
    /// The field of each feature; `None` where features belong to none. Of tables fields are columns, of JSON paths, of Vowpal Wabbit's lines
    /// namespaces; a cross belongs to the first of what is crossed.
    ///
    /// # Errors
    /// When the file cannot be read; more than 65,535 fields.
    pub fn fields(&self) -> Result<Option<Fields>> {
        let file = match &self.home {
            Home::File(file) => file,
            Home::Memory { fields, .. } => return Ok(fields.as_deref().cloned()),
        };
        if let Some(fields) = in_file(&file.store, self.columns)? {
            return Ok(Some(fields));
        }
        let Some(name_of) = file.recipe.as_ref().and_then(name_of) else { return Ok(None) };
        by_names(&self.feature_ids()?, name_of)
    }

    /// The same rows in memory with fields of their features: see [`fields`](Self::fields). Nothing else is changed.
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::{Fields, Rows, RowsCsr};
    ///
    /// let rows = Rows::from_csr(RowsCsr { labels: &[1.0, -1.0], row_start: &[0, 2, 3], columns: &[7, 3, 7], ..RowsCsr::default() })?;
    /// // By column: 7 is the more frequent one, and comes first.
    /// let fields = Fields { of: vec![0, 1], names: ["user", "item"].into_iter().collect() };
    /// assert_eq!(rows.with_fields(fields.clone())?.fields()?, Some(fields));
    /// # Ok::<(), hogwild_base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is not one field a column, a field has no name, or the rows are those of a file, which has its own.
    pub fn with_fields(mut self, fields: Fields) -> Result<Rows> {
        if fields.of.len() != self.columns {
            return Err(bad(format!("there are {} fields of {} columns", fields.of.len(), self.columns), "give a field a column"));
        }
        if let Some(column) = fields.of.iter().position(|&field| field as usize >= fields.names.len()) {
            let problem = format!("column {column} (from 0) has field {}, and there are {}", fields.of[column], fields.names.len());
            return Err(bad(problem, "give the place of a name"));
        }
        if fields.names.len() > MOST_FIELDS {
            return Err(too_many(fields.names.len()));
        }
        match &mut self.home {
            Home::Memory { fields: own, .. } => *own = Some(fields.into()),
            Home::File(_) => return Err(bad("have fields of their own, in their file".into(), "give rows in memory")),
        }
        Ok(self)
    }
}

/// The fields that a file has by number.
pub(super) fn in_file(store: &Store, columns: usize) -> Result<Option<Fields>> {
    if !store.has(names::FIELD) {
        return Ok(None);
    }
    let of = store.shorts(store.sized(names::FIELD, Dtype::U16, columns)?)?;
    let names = store.ids("field")?;
    match of.iter().position(|&field| field as usize >= names.len()) {
        Some(at) => Err(store.bad(format!("entry {at} of `{}` is not below {}", names::FIELD, names.len()))),
        None => Ok(Some(Fields { of, names })),
    }
}

fn too_many(fields: usize) -> hogwild_base::Error {
    bad(format!("have {fields} fields, and {MOST_FIELDS} are the most"), "join some of them")
}

/// How long the part of a feature's name is that tells its field.
type NameOf<'a> = Box<dyn Fn(&[u8]) -> usize + 'a>;

/// Of text by that recipe; none where names tell no field.
fn name_of(recipe: &Recipe) -> Option<NameOf<'_>> {
    let until = |mark: u8| move |name: &[u8]| memchr::memchr(mark, name).unwrap_or(name.len());
    let crossed = !recipe.crosses.is_empty();
    if recipe.hash_bits.is_some() {
        return None; // numbers tell no field
    }
    match recipe.format {
        Format::Csv | Format::Tsv => {
            let columns: HashMap<&[u8], ()> = recipe.columns.iter().map(|column| (column.name.as_bytes(), ())).collect();
            // A column's own name may hold a mark.
            Some(Box::new(move |name| {
                let is_column = |&end: &usize| columns.contains_key(&name[..end]);
                // Of a cross the first part tells; of columns `a` and `a=b` the longer one is meant.
                let first = memchr::memchr(b'^', name).filter(|_| crossed).unwrap_or(name.len());
                let within = ends(name, crossed).filter(|&end| end <= first).filter(is_column).last();
                within.or_else(|| ends(name, crossed).find(is_column)).unwrap_or(name.len())
            }))
        }
        Format::Jsonl => Some(Box::new(move |name| ends(name, crossed).next().unwrap_or(name.len()))),
        // A feature without a namespace is called by its name alone.
        Format::Vw => Some(Box::new(|name| memchr::memchr(b'^', name).unwrap_or(0))),
        Format::Libffm if recipe.by_field => Some(Box::new(until(b':'))),
        Format::Libffm | Format::Svmlight | Format::Fasttext | Format::Ratings | Format::Interactions | Format::Edges => None,
    }
}

/// Where a name may end that a column has: before each mark, or what it is crossed with, and where all ends.
fn ends(name: &[u8], crossed: bool) -> impl Iterator<Item = usize> {
    let is_mark = move |byte: u8| crossed && byte == b'^' || MARKS.iter().any(|&mark| mark as u32 == u32::from(byte));
    (0..name.len()).filter(move |&at| is_mark(name[at])).chain([name.len()])
}

/// Fields by their names, in the order of these.
fn by_names(ids: &Ids, name_of: NameOf<'_>) -> Result<Option<Fields>> {
    let text: Vec<String> = match ids {
        Ids::Numbers(_) => (0..ids.len()).map(|i| ids.name(i)).collect(),
        Ids::Names { .. } => Vec::new(),
    };
    let field = |i: usize| {
        let name = text.get(i).map_or_else(|| ids.bytes(i), String::as_bytes);
        &name[..name_of(name)]
    };
    let mut names: Vec<&[u8]> = (0..ids.len()).map(field).collect::<std::collections::HashSet<_>>().into_iter().collect();
    names.sort_unstable();
    if names.len() > MOST_FIELDS {
        return Err(too_many(names.len()));
    }
    let places: HashMap<&[u8], u16> = names.iter().copied().zip(0..).collect();
    let of = (0..ids.len()).map(|i| places.get(field(i)).copied().unwrap_or(0)).collect();
    Ok(Some(Fields { of, names: Ids::of_names(names.into_iter()) }))
}
