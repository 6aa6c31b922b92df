//! Groups of ratings of a cell, for loops that have four in flight: no two ratings of a group share a user or an item.
//!
//! Ratings come in their order. One whose user or item the group has already waits for a later group; who waits longest comes first. Where
//! rows repeat too often, as in a cell of one item, groups of three, two and one remain, and come last.
use hogwild_kernels::feed::Rating;
use std::collections::VecDeque;

/// Ratings that are in flight.
pub(super) const FOUR: usize = 4;
/// Of those that wait, how many are asked first, and how many wait before no more are taken.
const ASKED: usize = 64;
const WAITING: usize = 256;

/// The ratings in the order of their groups, and how many groups of four, three, two and one there are.
pub(super) fn grouped(ratings: &[Rating]) -> (Vec<Rating>, [u32; FOUR]) {
    // By size, the largest first.
    let mut groups: [Vec<Rating>; FOUR] = std::array::from_fn(|i| Vec::with_capacity(if i == 0 { ratings.len() } else { 0 }));
    let mut waiting: VecDeque<Rating> = VecDeque::new();
    let mut next = ratings.iter().copied();
    let mut group = Vec::with_capacity(FOUR);
    loop {
        group.clear();
        take_waiting(&mut waiting, ASKED, &mut group);
        while group.len() < FOUR && waiting.len() < WAITING {
            match next.next() {
                Some(rating) if fits(&group, &rating) => group.push(rating),
                Some(rating) => waiting.push_back(rating),
                None => break,
            }
        }
        take_waiting(&mut waiting, usize::MAX, &mut group);
        match group.len() {
            0 => break,
            size => groups[FOUR - size].extend_from_slice(&group),
        }
    }
    let sizes = std::array::from_fn(|i| (groups[i].len() / (FOUR - i)) as u32);
    (groups.concat(), sizes)
}

/// Takes those of the first so many that wait which fit the group, until it is full.
fn take_waiting(waiting: &mut VecDeque<Rating>, asked: usize, group: &mut Vec<Rating>) {
    let mut i = 0;
    while i < waiting.len().min(asked) && group.len() < FOUR {
        if fits(group, &waiting[i]) {
            group.extend(waiting.remove(i));
        } else {
            i += 1;
        }
    }
}

fn fits(group: &[Rating], rating: &Rating) -> bool {
    group.iter().all(|other| other.pair.user != rating.pair.user && other.pair.item != rating.pair.item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hogwild_kernels::models::Pair;

    fn rating(user: u32, item: u32, value: f32) -> Rating {
        Rating { pair: Pair::new(user, item, 1000), value }
    }

    #[test]
    fn groups_share_no_row_and_have_every_rating_once() {
        let of = |count: u32, users: u32, items: u32| -> Vec<Rating> {
            (0..count).map(|i| rating(i.wrapping_mul(2654435761) % users, i.wrapping_mul(40503) / 7 % items, i as f32)).collect()
        };
        // The last ones: a single user, a single pair again and again, nothing.
        for (count, users, items) in [(1000, 40, 30), (1001, 500, 3), (300, 2, 2), (77, 1, 50), (9, 1, 1), (0, 1, 1)] {
            let ratings = of(count, users, items);
            let (ordered, sizes) = grouped(&ratings);
            let mut rest = &ordered[..];
            for (i, &groups) in sizes.iter().enumerate() {
                for _ in 0..groups {
                    let group;
                    (group, rest) = rest.split_at(FOUR - i);
                    assert!((1..group.len()).all(|j| fits(&group[..j], &group[j])), "{count} {users} {items}");
                }
            }
            assert!(rest.is_empty());
            let mut values: Vec<u32> = ordered.iter().map(|rating| rating.value as u32).collect();
            values.sort_unstable();
            assert_eq!(values, (0..count).collect::<Vec<_>>());
            if users > 30 && items > 20 {
                assert!(sizes[0] >= count / 4 - 4, "{sizes:?}");
            }
        }
    }
}
