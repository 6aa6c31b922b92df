//! Which items each user has rated already, by the numbers of a model.
use crate::model::ByUser;
use hogwild_base::Result;
use hogwild_data::{Ids, Ratings, is_bad};
use std::sync::atomic::Ordering::Relaxed;

/// The items of each user in ratings with any dictionaries, by a model's `users` and `items`. Who or what the model does not know is left
/// out.
///
/// # Errors
/// When the dictionaries cannot be read.
pub fn seen_items(data: &Ratings, users: &Ids, items: &Ids) -> Result<ByUser> {
    let (by_user, by_item) = (data.user_ids()?.translate(users), data.item_ids()?.translate(items));
    let at = |map: &[u32], number: u32| map.get(number as usize).copied().filter(|&row| row != u32::MAX);
    let pair = |rating: usize| {
        let (user, item) = (data.user_cells()[rating].load(Relaxed), data.item_cells()[rating].load(Relaxed));
        // A row that could not be read merely keeps its place.
        if is_bad(data.rating_cells()[rating].load(Relaxed)) { None } else { at(&by_user, user).zip(at(&by_item, item)) }
    };
    let pairs: Vec<(u32, u32)> = (0..data.len()).filter_map(pair).collect();
    data.whole().map(|()| ByUser::new(users.len(), &pairs))
}
