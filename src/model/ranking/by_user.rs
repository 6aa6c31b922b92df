//! Who has which items: a list a user, ascending, each item once.

/// Lists of items by user.
///
/// ```
/// use hogwild::ByUser;
///
/// let seen = ByUser::new(3, &[(2, 7), (0, 4), (2, 1), (2, 7)]);
/// assert_eq!((seen.of(0), seen.of(1), seen.of(2)), (&[4][..], &[][..], &[1, 7][..]));
/// assert!(seen.has(2, 7) && !seen.has(2, 4) && !seen.has(9, 4));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByUser {
    /// Where the items of each user start, and where the last ones end.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl ByUser {
    /// Of pairs (user, item) in any order; users have numbers below `users`, and pairs of others are left out.
    pub fn new(users: usize, pairs: &[(u32, u32)]) -> ByUser {
        let mut ends = vec![0u32; users + 1];
        for &(user, _) in pairs.iter().filter(|(user, _)| (*user as usize) < users) {
            ends[user as usize + 1] += 1;
        }
        for user in 0..users {
            ends[user + 1] += ends[user];
        }
        let mut items = vec![0; ends[users] as usize];
        let mut next = ends.clone();
        for &(user, item) in pairs.iter().filter(|(user, _)| (*user as usize) < users) {
            let at = &mut next[user as usize];
            items[*at as usize] = item;
            *at += 1;
        }
        // Each list is sorted and closed up where an item stands twice.
        let (mut starts, mut to) = (Vec::with_capacity(users + 1), 0);
        for user in 0..users {
            starts.push(to as u32);
            let (first, range) = (to, ends[user] as usize..ends[user + 1] as usize);
            items[range.clone()].sort_unstable();
            for from in range {
                if to == first || items[to - 1] != items[from] {
                    items[to] = items[from];
                    to += 1;
                }
            }
        }
        starts.push(to as u32);
        items.truncate(to);
        ByUser { starts, items }
    }

    /// How many users there are, with items or without.
    pub fn users(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// A user's items; none of a user that there is not.
    pub fn of(&self, user: usize) -> &[u32] {
        match self.starts.get(user..) {
            Some(&[start, end, ..]) => &self.items[start as usize..end as usize],
            _ => &[],
        }
    }

    /// Whether the user has the item.
    pub fn has(&self, user: usize, item: u32) -> bool {
        self.of(user).binary_search(&item).is_ok()
    }
}
