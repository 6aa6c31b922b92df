//! A few parsed lines as data in memory, at the cost of these lines alone: their ids are collected, not counted by a dictionary.
//!
//! Columns are numbered by their ids: numbers in their order, then names. So features stand in an example in one order, whatever other
//! examples came with it, and a score has the same bits.

use super::known_features::KnownFeatures;
use crate::text::codes::{Codes, Meant};
use crate::text::{examples::Examples, parts::Parts, rated::Rated};
use crate::{Data, Ids, Ratings, Rows};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// The data; none of no lines. What is done to them by the features of the training data is done by those that are `known`.
pub(super) fn data(parts: &Parts, known: Option<&KnownFeatures<'_>>) -> Option<Data> {
    match parts {
        Parts::Examples(examples) if !examples.labels.is_empty() => Some(Data::Rows(rows(examples, known))),
        Parts::Ratings(rated) if !rated.ratings.is_empty() => Some(Data::Ratings(ratings(rated))),
        _ => None,
    }
}

/// Ids, each once, in their order; and which of them each code means.
struct Numbered {
    ids: Ids,
    numbers: Vec<u32>,
}

impl Numbered {
    fn of(codes: &Codes, known: Option<&KnownFeatures<'_>>) -> Numbered {
        let mut places: HashMap<Meant, u32, FixedState> = HashMap::default();
        let (mut found, mut numbers) = (Vec::new(), Vec::new());
        for meant in codes.meant(0, 0) {
            let place = *places.entry(meant).or_insert(found.len() as u32);
            if place as usize == found.len() {
                found.push(meant);
            }
            numbers.push(place);
        }
        let number = |&meant: &Meant| if let Meant::Number(number) = meant { Some(number) } else { None };
        let all_numbers: Option<Vec<u64>> = found.iter().map(number).collect();
        let text = |&meant: &Meant| match meant {
            Meant::Number(number) => number.to_string().into_bytes(),
            Meant::Name(entry) => codes.names.name(entry).to_vec(),
        };
        let mut ids = all_numbers.map_or_else(|| Ids::of_names(found.iter().map(text)), Ids::Numbers);
        if let Some(known) = known {
            let rare = known.rare(&ids);
            if rare.iter().any(Option::is_some) {
                let name = |(i, rare): (usize, Option<String>)| rare.unwrap_or_else(|| ids.name(i));
                ids = Ids::of_names(rare.into_iter().enumerate().map(name).map(String::into_bytes));
            }
        }
        Numbered { ids, numbers }.in_order()
    }

    /// Ids in their order, numbers before names, each once.
    fn in_order(self) -> Numbered {
        let key = |place: u32| (self.ids.number(place as usize).map_or((1, 0), |number| (0, number)), self.ids.bytes(place as usize));
        let mut order: Vec<u32> = (0..self.ids.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| key(a).cmp(&key(b)));
        let (mut ranks, mut kept): (Vec<u32>, Vec<u32>) = (vec![0; order.len()], Vec::new());
        for place in order {
            if kept.last().is_none_or(|&last| key(last) != key(place)) {
                kept.push(place);
            }
            ranks[place as usize] = kept.len() as u32 - 1;
        }
        Numbered { ids: self.ids.select(&kept), numbers: self.numbers.into_iter().map(|place| ranks[place as usize]).collect() }
    }
}

/// How often each of so many numbers occurs.
fn counts(numbers: &[u32], count: usize) -> Vec<u64> {
    let mut counts = vec![0; count];
    numbers.iter().for_each(|&number| counts[number as usize] += 1);
    counts
}

fn rows(examples: &Examples, known: Option<&KnownFeatures<'_>>) -> Rows {
    let Numbered { ids, numbers } = Numbered::of(&examples.features, known);
    let (mut columns, mut values): (Vec<u32>, Vec<f32>) = (Vec::new(), Vec::new());
    let (mut lengths, mut row_start, mut from) = (Vec::new(), vec![0u64], 0);
    for &length in &examples.lengths {
        let cells = from..from + length as usize;
        from = cells.end;
        let mut row: Vec<(u32, f32)> = numbers[cells.clone()].iter().copied().zip(examples.values[cells].iter().copied()).collect();
        row.sort_by_key(|&(column, _)| column);
        let first = columns.len();
        for (column, value) in row {
            // Of several rare words of a list the values add up.
            match values.last_mut().filter(|_| columns.len() > first && columns.last() == Some(&column)) {
                Some(sum) => *sum += value,
                None => (columns.push(column), values.push(value)).1,
            }
        }
        lengths.push((columns.len() - first) as u32);
        row_start.push(columns.len() as u64);
    }
    if let Some(weighing) = known.and_then(|known| known.weighing(&ids)) {
        weighing.weigh(&lengths, &columns, bytemuck::cast_slice_mut(&mut values));
    }
    let (counts, ones) = (counts(&columns, ids.len()), values.iter().all(|&value| value == 1.0));
    Rows::of_few(examples.labels.clone(), row_start, columns, (!ones).then_some(values), (ids, counts))
}

fn ratings(rated: &Rated) -> Ratings {
    let [users, items] = [&rated.users, &rated.items].map(|codes| Numbered::of(codes, None));
    let of = |Numbered { ids, numbers }: Numbered| {
        let counts = counts(&numbers, ids.len());
        (numbers, ids, counts)
    };
    Ratings::of_few(of(users), of(items), rated.ratings.clone())
}
