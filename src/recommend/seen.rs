//! Which items each user has rated already, by the numbers of a model.
use hogwild_base::Result;
use hogwild_data::{Ids, Ratings, is_bad};
use std::sync::atomic::Ordering::Relaxed;

/// The items of each user, in ascending order.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    start: Vec<usize>,
    items: Vec<u32>,
}

impl Seen {
    /// Of ratings with any dictionaries, by a model's `users` and `items`. Who or what the model does not know is left out.
    ///
    /// # Errors
    /// When the dictionaries cannot be read.
    pub fn of(data: &Ratings, users: &Ids, items: &Ids) -> Result<Seen> {
        let (by_user, by_item) = (data.user_ids()?.translate(users), data.item_ids()?.translate(items));
        let at = |map: &[u32], number: u32| map.get(number as usize).copied().filter(|&row| row != u32::MAX);
        let pair = |rating: usize| {
            let (user, item) = (data.user_cells()[rating].load(Relaxed), data.item_cells()[rating].load(Relaxed));
            // A row that could not be read merely keeps its place.
            if is_bad(data.rating_cells()[rating].load(Relaxed)) { None } else { at(&by_user, user).zip(at(&by_item, item)) }
        };
        let pairs = || (0..data.len()).filter_map(pair);
        let mut start = vec![0; users.len() + 1];
        pairs().for_each(|(user, _)| start[user as usize + 1] += 1);
        (1..start.len()).for_each(|user| start[user] += start[user - 1]);
        let (mut next, mut found) = (start.clone(), vec![0; start.last().copied().unwrap_or(0)]);
        for (user, item) in pairs() {
            let place = &mut next[user as usize];
            // A file that has changed in the meantime may have more of them.
            if let Some(cell) = found.get_mut(*place) {
                *cell = item;
            }
            *place += 1;
        }
        (0..users.len()).for_each(|user| found[start[user]..start[user + 1]].sort_unstable());
        data.whole().map(|()| Seen { start, items: found })
    }

    /// The items of a user; none of one that is not known.
    pub fn items(&self, user: usize) -> &[u32] {
        match (self.start.get(user), user.checked_add(1).and_then(|next| self.start.get(next))) {
            (Some(&from), Some(&to)) => &self.items[from..to],
            _ => &[],
        }
    }

    /// Whether a user has rated an item.
    pub fn has(&self, user: usize, item: u32) -> bool {
        self.items(user).binary_search(&item).is_ok()
    }
}
