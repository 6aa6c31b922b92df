//! An index that stands twice in a row: found, and refused, added up, or taken as it stands last.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::number::byte;
use super::svmlight::{skip_blanks, token_end};
use super::{DIRECT, Fault, Parsed, fault};

/// What to do with an index that stands twice in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Repeated {
    /// The row is bad.
    #[default]
    Error,
    /// Its values are added up.
    Add,
    /// The last value counts.
    Last,
}

impl Repeated {
    /// The name, as `--repeated` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Repeated::Error => "error",
            Repeated::Add => "add",
            Repeated::Last => "last",
        }
    }
}

/// The fault of an index that was there before.
pub(crate) fn repeated(start: usize, end: usize) -> Fault {
    let remedy = "give each feature once a row, or say what to do by --repeated add or --repeated last";
    Fault { start, end, problem: "the index is repeated in this row", remedy }
}

/// Looks for an index twice among the cells from `first` on, those of a row whose indices do not ascend, and does with it as is to be done.
#[inline(never)]
pub(crate) fn settle(text: &[u8], line: usize, (first, first_other): (usize, usize), out: &mut Parsed) -> Result<(), Fault> {
    let ids = || {
        let mut others = out.others.numbers(first_other);
        let codes = out.codes.get(first..).unwrap_or_default();
        codes.iter().map(move |&code| if u64::from(code) < DIRECT { code.into() } else { others.next().unwrap_or(0) })
    };
    let mut sorted = std::mem::take(&mut out.sorted);
    sorted.clear();
    sorted.extend(ids());
    sorted.sort_unstable();
    let is_twice = sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
    let ids: Vec<u64> = if is_twice { ids().collect() } else { Vec::new() };
    out.sorted = sorted; // its room is used again
    if !is_twice {
        return Ok(());
    }
    let mut places = HashMap::with_hasher(foldhash::fast::FixedState::default());
    let mut cells: Vec<(u64, f64)> = Vec::with_capacity(ids.len());
    for (position, (&id, &value)) in ids.iter().zip(out.values.get(first..).unwrap_or_default()).enumerate() {
        match (places.entry(id), out.how.repeated) {
            (Entry::Vacant(place), _) => {
                place.insert(cells.len());
                cells.push((id, value.into()));
            }
            (Entry::Occupied(_), Repeated::Error) => return Err(at_cell(text, line, position)),
            (Entry::Occupied(place), how) => {
                let Some((_, sum)) = cells.get_mut(*place.get()) else { continue };
                *sum = if how == Repeated::Add { *sum + f64::from(value) } else { value.into() };
            }
        }
    }
    out.codes.truncate(first);
    out.values.truncate(first);
    out.others.0.truncate(first_other);
    for (id, sum) in cells {
        if !(sum as f32).is_finite() {
            let end = token_end(text, line);
            return fault(line, end, "values of a repeated index add up beyond 32-bit floats", "scale the values below 3.4e38");
        }
        out.codes.push(if id < DIRECT { id as u32 } else { out.others.push_number(id) });
        out.values.push(sum as f32);
    }
    Ok(())
}

/// The fault at a cell by its position in the row: a label and any query number come first, then the pairs in their order.
fn at_cell(text: &[u8], line: usize, position: usize) -> Fault {
    let begins_with_pair = is_pair(text, line);
    let (mut at, mut left) = (if begins_with_pair { line } else { token_end(text, line) }, position);
    loop {
        at = skip_blanks(text, at);
        let end = token_end(text, at);
        if at == end || (left == 0 && byte(text, at).is_ascii_digit()) {
            return repeated(at, end);
        }
        if byte(text, at).is_ascii_digit() {
            left -= 1;
        }
        at = end;
    }
}

/// Whether a row without a label begins here.
fn is_pair(text: &[u8], line: usize) -> bool {
    text.get(line..token_end(text, line)).unwrap_or_default().contains(&b':')
}
