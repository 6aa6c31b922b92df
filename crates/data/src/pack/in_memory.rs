//! A few parsed lines as data in memory, at the cost of these lines alone: their ids are collected, not counted by a dictionary.
//!
//! Columns are numbered by their ids: numbers in their order, then names. So features stand in an example in one order, whatever other
//! examples came with it, and a score has the same bits.

use crate::text::codes::{Codes, Meant};
use crate::text::{examples::Examples, parts::Parts, rated::Rated};
use crate::{Data, Ids, Ratings, Rows};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// The data; none of no lines.
pub(super) fn data(parts: &Parts) -> Option<Data> {
    match parts {
        Parts::Examples(examples) if !examples.labels.is_empty() => Some(Data::Rows(rows(examples))),
        Parts::Ratings(rated) if !rated.ratings.is_empty() => Some(Data::Ratings(ratings(rated))),
        _ => None,
    }
}

/// Ids, each once, with how often they occur; and which of them each code means.
struct Numbered {
    ids: Ids,
    counts: Vec<u64>,
    numbers: Vec<u32>,
}

impl Numbered {
    fn of(codes: &Codes) -> Numbered {
        let mut places: HashMap<Meant, u32, FixedState> = HashMap::default();
        let (mut found, mut counts, mut firsts) = (Vec::new(), Vec::new(), Vec::new());
        for meant in codes.meant(0, 0) {
            let place = *places.entry(meant).or_insert(found.len() as u32);
            if place as usize == found.len() {
                found.push(meant);
                counts.push(0);
            }
            counts[place as usize] += 1;
            firsts.push(place);
        }
        let key = |&place: &u32| match found[place as usize] {
            Meant::Number(number) => (false, number, &[][..]),
            Meant::Name(entry) => (true, 0, codes.names.text(entry)),
        };
        let mut order: Vec<u32> = (0..found.len() as u32).collect();
        order.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        let mut ranks = vec![0; order.len()];
        (0..).zip(&order).for_each(|(rank, &place)| ranks[place as usize] = rank);
        let number = |&place: &u32| if let Meant::Number(number) = found[place as usize] { Some(number) } else { None };
        let numbers: Option<Vec<u64>> = order.iter().map(number).collect();
        let text = |&place: &u32| match found[place as usize] {
            Meant::Number(number) => number.to_string().into_bytes(),
            Meant::Name(entry) => codes.names.text(entry).to_vec(),
        };
        let ids = numbers.map_or_else(|| Ids::of_names(order.iter().map(text)), Ids::Numbers);
        let counts = order.iter().map(|&place| counts[place as usize]).collect();
        Numbered { ids, counts, numbers: firsts.into_iter().map(|place| ranks[place as usize]).collect() }
    }
}

fn rows(examples: &Examples) -> Rows {
    let Numbered { ids, counts, numbers } = Numbered::of(&examples.features);
    let mut cells: Vec<(u32, f32)> = numbers.into_iter().zip(examples.values.iter().copied()).collect();
    let (mut row_start, mut end) = (vec![0u64], 0);
    for &length in &examples.lengths {
        let begin = end;
        end += length as usize;
        cells[begin..end].sort_unstable_by_key(|&(column, _)| column);
        row_start.push(end as u64);
    }
    let (columns, values): (Vec<u32>, Vec<f32>) = cells.into_iter().unzip();
    Rows::of_few(examples.labels.clone(), row_start, columns, (!examples.ones).then_some(values), (ids, counts))
}

fn ratings(rated: &Rated) -> Ratings {
    let [users, items] = [&rated.users, &rated.items].map(Numbered::of);
    let of = |numbered: Numbered| (numbered.numbers, numbered.ids, numbered.counts);
    Ratings::of_few(of(users), of(items), rated.ratings.clone())
}
