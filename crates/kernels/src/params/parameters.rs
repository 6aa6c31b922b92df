//! All parameters of a model: its tables.
use super::{
    Slot,
    cells::LESS,
    changes::Owned,
    layout::{SlotLayout, SlotWidth},
    table::{Beside, Table, TableShape},
};
use crate::{rules::Layout, simd::LANES};
use hogwild_base::{Error, Result, memory};

/// What parameters a model has, and who works on them.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// The model's tables: at most one of slots of one weight, and at most one of slots of many.
    pub tables: Vec<TableShape>,
    /// Whether the slots of one weight that are not held privately are so rare that two workers hardly ever have one at hand at once.
    pub rare: bool,
    /// How many workers there are.
    pub workers: usize,
    /// What is kept beside the numbers of each slot.
    pub beside: Beside,
}

impl Shape {
    /// A model of one table.
    pub fn of(table: TableShape) -> Shape {
        Shape { tables: vec![table], workers: 1, ..Shape::default() }
    }

    /// The shape for one worker, who holds nothing privately; with nothing beside.
    pub fn alone(&self) -> Shape {
        let table = |table: &TableShape| TableShape { private: 0, ..*table };
        Shape { tables: self.tables.iter().map(table).collect(), workers: 1, beside: Beside::Nothing, ..*self }
    }

    /// Over how many parameter servers slots can be spread, so that each has some: they belong to servers by blocks of 1,024.
    pub fn servers(&self) -> usize {
        self.tables.iter().map(|table| Owned::blocks(table.slots)).max().unwrap_or(0)
    }
}

/// All parameters of a model under a rule.
pub struct Parameters {
    tables: Vec<Table>,
    /// What they were made for.
    pub shape: Shape,
    /// The number of the table of slots of one weight, and of that of slots of many.
    single: usize,
    row: Option<usize>,
}

impl Parameters {
    /// Weights zero, the rule's state at its beginning.
    ///
    /// # Errors
    /// When there are more slots than 32-bit places, or too little memory.
    ///
    /// # Panics
    /// When there are two tables of one kind.
    pub fn new(shape: &Shape, rule: &Layout) -> Result<Parameters> {
        let mut shape = shape.clone();
        let is_single = |table: &TableShape| table.width == SlotWidth::One;
        if !shape.tables.iter().any(is_single) {
            shape.tables.push(TableShape::single(0)); // where empty lanes are read
        }
        assert!(shape.tables.iter().filter(|table| is_single(table)).count() == 1 && shape.tables.len() <= 2, "two tables of one kind");
        let (mut rows, mut weights) = (0usize, 0u64);
        for table in &mut shape.tables {
            table.private = table.private.min(table.slots);
            let (stride, slots) = (SlotLayout::of(rule, table.width).stride, table.first_private(shape.workers));
            // Places are 32-bit numbers.
            let most = if is_single(table) { Slot::MOST } else { u32::MAX as usize / (stride / LANES) };
            if slots > most {
                return Err(Error::TooManyRows { rows: slots, bytes_a_row: stride * size_of::<f32>(), most });
            }
            rows += slots;
            let beside = !is_single(table) as u64;
            weights = weights.saturating_add((slots as u64).saturating_mul(table.weights() as u64 + beside));
        }
        let what = || format!("the parameters of {rows} rows, with the rule's state and two copies of the model,");
        let copies = weights.saturating_mul(2 * size_of::<f32>() as u64); // the last good one, and the next
        memory::ask(Self::bytes(rule, &shape).saturating_add(copies), what, LESS)?;
        let table = |table: &TableShape| Table::new(*table, rule, shape.workers, shape.beside);
        let tables = shape.tables.iter().map(table).collect::<Result<Vec<_>>>()?;
        let single = shape.tables.iter().position(is_single).unwrap_or(0);
        let row = shape.tables.iter().position(|table| !is_single(table));
        let new = Parameters { tables, shape, single, row };
        new.reset(rule);
        Ok(new)
    }

    /// Bytes that they take of memory.
    pub fn bytes(rule: &Layout, shape: &Shape) -> u64 {
        let tables = shape.tables.iter().map(|table| table.bytes(rule, shape.workers)).fold(0u64, u64::saturating_add);
        tables.saturating_mul(1 + (shape.beside != Beside::Nothing) as u64)
    }

    /// Makes all as it was when new, but for sums of changes.
    pub fn reset(&self, rule: &Layout) {
        self.tables.iter().for_each(|table| table.reset(rule));
    }

    /// Whether slots of one weight have sums of gradients: see `rules::Summing`.
    pub(crate) fn sums(&self) -> bool {
        self.tables[self.single].layout.sums
    }

    /// Whether slots are laid out for the rule.
    pub(super) fn is_for(&self, rule: &Layout) -> bool {
        self.tables.iter().all(|table| table.layout == SlotLayout::of(rule, table.shape.width))
    }

    /// A table by its number in the shape.
    ///
    /// # Panics
    /// When there is none.
    pub fn table(&self, number: usize) -> &Table {
        &self.tables[number]
    }

    /// All tables, in the shape's order.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter()
    }

    /// The number of the table of slots of one weight.
    pub(super) fn single(&self) -> usize {
        self.single
    }

    /// The number of the table of slots of many weights.
    pub(super) fn row(&self) -> Option<usize> {
        self.row
    }

    /// How many places lie between two slots of so many weights: places count vectors of sixteen.
    pub fn row_stride(rule: &Layout, width: usize) -> u32 {
        Self::stride_of(rule, SlotWidth::Row(width))
    }

    /// The same of slots of [features](super::TableShape::feature_rows).
    pub fn feature_row_stride(rule: &Layout, weights: usize, packed: bool) -> u32 {
        Self::stride_of(rule, SlotWidth::FeatureRow { weights, packed })
    }

    fn stride_of(rule: &Layout, width: SlotWidth) -> u32 {
        (SlotLayout::of(rule, width).stride / LANES) as u32
    }

    /// How many slots each worker holds privately, and the cells of one: of slots of many weights, where there are such.
    pub(crate) fn held(&self) -> (usize, usize) {
        let table = &self.tables[self.row.unwrap_or(self.single)];
        (table.shape.private, table.layout.stride)
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.tables.iter().all(Table::is_finite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Adagrad;

    #[test]
    fn what_cannot_be_numbered_is_told() {
        let (single, rows) = (TableShape::single(u32::MAX as usize), TableShape::rows(1 << 31, 32));
        for (table, says) in [(single, "2147483647 are the most"), (rows, "or a smaller `rank`")] {
            let error = Parameters::new(&Shape::of(table), &Layout::of(&Adagrad::default())).err().unwrap();
            assert!(matches!(error, Error::TooManyRows { .. }) && error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn a_model_may_have_single_weights_and_rows() {
        let (mut single, rows) = (TableShape::single(5), TableShape::rows(3, 20));
        single.private = 9;
        let layout = Layout::of(&Adagrad::default());
        let parameters = Parameters::new(&Shape { tables: vec![rows, single], ..Shape::of(rows) }, &layout).unwrap();
        assert_eq!((parameters.single(), parameters.row(), parameters.table(1).shape.private), (1, Some(0), 5));
        parameters.table(0).set_weights(|| 1.5);
        let rule = Adagrad::default();
        let finish = super::super::Finish::new(&rule, 0.1, None);
        let of = |table: usize| parameters.table(table).weights(0..3, &finish).collect::<Vec<_>>();
        assert_eq!((of(0), of(1)), (vec![1.5; 60], vec![0.0; 3]));
        assert!(parameters.is_finite());
        // What is put back is what was there, with the rule's state.
        let numbers = parameters.table(1).numbers();
        let other = Parameters::new(&parameters.shape, &layout).unwrap();
        other.table(1).set_weights(|| 7.0);
        assert!(other.table(1).set_numbers(&numbers) && !other.table(1).set_numbers(&numbers[1..]));
        assert_eq!(other.table(1).numbers(), numbers);
    }
}
