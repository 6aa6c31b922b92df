//! Interactions in the order of a run: copied once into tiles of neighbouring users and items, and shuffled within the tile then.
use crate::{HoldoutBy, family::ratings::weights, model::ByUser, options::Settings};
use hogwild_base::{Error, Result, memory};
use hogwild_data::Ratings;
use hogwild_kernels::{order::Order, seeds::Stream};
use rand::{rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::{ops::Range, sync::atomic::Ordering::Relaxed};

/// Users x items of a tile: the rows of its users stay in a second-level cache, with those of its items.
const TILE: [u32; 2] = [2048, 2048];

/// What a run trains on, and what it holds out.
pub(super) struct Interactions {
    /// User and item, by number.
    pub pairs: Vec<[u32; 2]>,
    /// How much each counts, by a mean of 1; none where all count alike.
    pub weights: Option<Vec<f32>>,
    /// Positions that stay together when an epoch is shuffled.
    pub units: Vec<Range<u32>>,
    /// Who has what of those.
    pub seen: ByUser,
    /// How often each item is among them.
    pub counts: Vec<u64>,
    pub held: Vec<(u32, u32)>,
}

/// The interactions of a run, in its order.
///
/// # Errors
/// When there is no room for them, or a value says that a row is none.
pub(super) fn interactions(data: &Ratings, settings: &Settings) -> Result<Interactions> {
    // In the order of the file, in that of the run, as lists by user, and once more while they are sorted. Weights are sorted
    // beside their pairs, in a copy.
    let weighted = if data.weight_cells().is_some() { size_of::<f32>() + size_of::<([u32; 2], f32)>() } else { 0 };
    let bytes = (data.len() * (4 * size_of::<[u32; 2]>() + weighted)) as u64;
    memory::ask(
        bytes,
        || format!("{} interactions, which train from memory,", data.len()),
        "train on fewer of them, or where there is more",
    )?;
    check_values(data)?;
    let [users, items] = [data.users() as u32, data.items() as u32];
    let (user, item) = (data.user_cells(), data.item_cells());
    let all: Vec<[u32; 2]> =
        (0..data.len()).map(|i| [user[i].load(Relaxed).min(users - 1), item[i].load(Relaxed).min(items - 1)]).collect();
    data.whole()?;
    let mut random = Stream::Tiles.random(settings.seed);
    let is_held = held_out(&all, users as usize, settings, &mut random);
    let at = |wanted: bool| all.iter().zip(&is_held).filter(move |(_, held)| **held == wanted).map(|(pair, _)| *pair);
    let held = at(true).map(|[user, item]| (user, item)).collect();
    let mut pairs: Vec<[u32; 2]> = at(false).collect();
    let kept = (0..).zip(&is_held).filter(|(_, held)| !**held).map(|(row, _)| row);
    let mut weights = weights::scaled(weights::of_rows(data, kept));
    let listed: Vec<(u32, u32)> = pairs.iter().map(|&[user, item]| (user, item)).collect();
    let seen = ByUser::new(users as usize, &listed);
    drop(listed);
    let mut counts = vec![0; items as usize];
    pairs.iter().for_each(|&[_, item]| counts[item as usize] += 1);
    let tile = |&[user, item]: &[u32; 2]| (user / TILE[0], item / TILE[1]);
    let sequential = settings.order == Order::Sequential;
    if !sequential {
        // The same generator puts lists of one length in one order.
        weights.iter_mut().for_each(|weights| weights.shuffle(&mut random.clone()));
        pairs.shuffle(&mut random);
        weights::sort_by_key(&mut pairs, &mut weights, tile); // stable: the shuffle remains within the tile
    }
    // Workers and replicas are to find work: large tiles are cut for them.
    let workers = settings.workers().max(settings.replica_count()).max(1);
    let most = (pairs.len() / (8 * workers)).clamp(1, 4096);
    let most = settings.round().map_or(most, |every| most.min(every as usize)).max(1);
    let mut units = Vec::new();
    let mut start = 0u32;
    for run in pairs.chunk_by(|a, b| sequential || tile(a) == tile(b)) {
        let end = start + run.len() as u32;
        units.extend((start..end).step_by(most).map(|from| from..end.min(from.saturating_add(most as u32))));
        start = end;
    }
    Ok(Interactions { pairs, weights, units, seen, counts, held })
}

/// Each row is to be something that a user took, so its value is above 0, or not given.
fn check_values(data: &Ratings) -> Result<()> {
    let is_none = |bits: u32| f32::from_bits(bits) <= 0.0; // not of a value that is not given, which is NaN
    match data.rating_cells().iter().position(|cell| is_none(cell.load(Relaxed))) {
        None => Ok(()),
        Some(row) => {
            let value = f32::from_bits(data.rating_cells()[row].load(Relaxed));
            let problem =
                format!("rating {} has the value {value}, and these models take each row for an item that its user took", row + 1);
            let remedy = "leave such rows out, or use `model` mf, which learns values";
            Err(Error::BadFile { path: data.name().to_owned(), problem, remedy })
        }
    }
}

/// Which of the interactions are held out.
fn held_out(all: &[[u32; 2]], users: usize, settings: &Settings, random: &mut Xoshiro256PlusPlus) -> Vec<bool> {
    let mut held = vec![false; all.len()];
    let share = settings.holdout;
    if share == 0.0 {
        return held;
    }
    if settings.holdout_by == HoldoutBy::Any {
        let mut numbers: Vec<u32> = (0..all.len() as u32).collect();
        numbers.shuffle(random);
        numbers.iter().take((share * all.len() as f64) as usize).for_each(|&at| held[at as usize] = true);
        return held;
    }
    // The rows of each user, in their order.
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); users];
    (0..).zip(all).for_each(|(at, &[user, _])| rows[user as usize].push(at));
    for rows in rows.iter_mut().filter(|rows| rows.len() > 1) {
        let count = ((share * rows.len() as f64).round() as usize).clamp(1, rows.len() - 1);
        if settings.holdout_by == HoldoutBy::Random {
            rows.shuffle(random);
        }
        rows.iter().rev().take(count).for_each(|&at| held[at as usize] = true);
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(holdout: f64, holdout_by: HoldoutBy) -> Settings {
        Settings { holdout, holdout_by, ..Settings::for_ranking() }
    }

    /// Users 0, 1 and 2 with 10, 2 and 1 items.
    fn data() -> Ratings {
        let users: Vec<u64> = [vec![0u64; 10], vec![1; 2], vec![2]].concat();
        let items: Vec<u64> = (0..10).chain([3, 4]).chain([7]).collect();
        Ratings::from_triples(&users, &items, &[1.0; 13]).unwrap()
    }

    #[test]
    fn every_user_keeps_something_and_the_last_are_the_last() {
        let data = data();
        let names = data.item_ids().unwrap();
        for by in [HoldoutBy::Random, HoldoutBy::Last] {
            let Interactions { pairs, held, seen, counts, units, weights } = interactions(&data, &settings(0.2, by)).unwrap();
            let of = |user: u32| held.iter().filter(|(other, _)| *other == user).count();
            assert!(weights.is_none());
            assert_eq!((of(0), of(1), of(2), pairs.len()), (2, 1, 0, 10), "{by:?}");
            assert!(held.iter().all(|&(user, item)| !seen.has(user as usize, item)));
            assert_eq!((counts.iter().sum::<u64>(), units.iter().map(|unit| unit.len()).sum::<usize>()), (10, 10));
            if by == HoldoutBy::Last {
                let mut last: Vec<String> = held.iter().map(|&(_, item)| names.name(item as usize)).collect();
                last.sort();
                assert_eq!(last, ["4", "8", "9"]);
            }
        }
        let any = interactions(&data, &settings(0.5, HoldoutBy::Any)).unwrap();
        assert_eq!((any.held.len(), any.pairs.len()), (6, 7));
    }

    #[test]
    fn weights_go_with_their_interactions() {
        let (users, items): (Vec<u64>, Vec<u64>) = (0..5000).map(|i| (i % 50, i / 50)).unzip();
        let of = |user: u64, item: u64| (1 + user + item) as f32;
        let given: Vec<f32> = users.iter().zip(&items).map(|(&user, &item)| of(user, item)).collect();
        let data = Ratings::from_weighted_triples(&users, &items, &given, Some(&given)).unwrap();
        let (by_user, by_item) = (data.user_ids().unwrap(), data.item_ids().unwrap());
        let Interactions { pairs, weights, .. } = interactions(&data, &settings(0.2, HoldoutBy::Random)).unwrap();
        let weights = weights.unwrap();
        let id = |ids: &hogwild_data::Ids, place: u32| ids.name(place as usize).parse().unwrap();
        let given = |[user, item]: [u32; 2]| of(id(&by_user, user), id(&by_item, item));
        let unit = given(pairs[0]) / weights[0];
        assert!(pairs.iter().zip(&weights).all(|(&pair, weight)| (given(pair) / weight / unit - 1.0).abs() < 1e-5));
        assert!((weights.iter().sum::<f32>() / weights.len() as f32 - 1.0).abs() < 1e-4);
    }

    #[test]
    fn what_no_user_took_is_refused() {
        let data = Ratings::from_triples(&[1u64, 1], &[1u64, 2], &[1.0, -1.0]).unwrap();
        let message = interactions(&data, &settings(0.0, HoldoutBy::Any)).err().unwrap().to_string();
        assert!(message.contains("rating 2 has the value -1") && message.contains("`model` mf"), "{message}");
    }
}
