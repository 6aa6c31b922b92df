//! Ratings from lists in memory: users and items are numbered by frequency, as packing does, so that training gives the same bits.

use super::{GROUP, Home, IN_MEMORY, Ratings, Side};
use crate::{
    Ids,
    cells::Cells,
    dictionary::{Ranked, TooMany},
    labels::Labels,
    text::{Codes, Id},
};
use hogwild_base::{Error, Result, memory};
use std::path::Path;

/// What the users, or the items, of ratings are called: integers or names. A name such as `17` is the integer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum IdList<'a> {
    /// Integers of 32 bits.
    Short(&'a [u32]),
    /// Integers of 64 bits.
    Long(&'a [u64]),
    /// Names.
    Names(&'a [&'a str]),
    /// Names that are owned.
    Texts(&'a [String]),
}

macro_rules! lists {
    ($($variant:ident: $id:ty),*) => {$(
        impl<'a> From<&'a [$id]> for IdList<'a> {
            fn from(ids: &'a [$id]) -> IdList<'a> {
                IdList::$variant(ids)
            }
        }
        impl<'a> From<&'a Vec<$id>> for IdList<'a> {
            fn from(ids: &'a Vec<$id>) -> IdList<'a> {
                IdList::$variant(ids)
            }
        }
        impl<'a, const N: usize> From<&'a [$id; N]> for IdList<'a> {
            fn from(ids: &'a [$id; N]) -> IdList<'a> {
                IdList::$variant(ids)
            }
        }
    )*};
}

lists! { Short: u32, Long: u64, Names: &'a str, Texts: String }

impl<'a> IdList<'a> {
    fn len(self) -> usize {
        match self {
            IdList::Short(ids) => ids.len(),
            IdList::Long(ids) => ids.len(),
            IdList::Names(ids) => ids.len(),
            IdList::Texts(ids) => ids.len(),
        }
    }

    /// The `i`th.
    fn id(self, i: usize) -> Id<'a> {
        match self {
            IdList::Short(ids) => Id::Number(ids[i].into()),
            IdList::Long(ids) => Id::Number(ids[i]),
            IdList::Names(ids) => Id::Name(ids[i].as_bytes()),
            IdList::Texts(ids) => Id::Name(ids[i].as_bytes()),
        }
    }

    /// Ranks those `kept` by frequency, as packing does those of a text. Gives also the rank of each.
    fn rank(self, what: &str, kept: &[usize]) -> Result<(Vec<u32>, Side)> {
        let mut codes = Codes::default();
        for &i in kept {
            match self.id(i) {
                Id::Name([]) => return Err(bad(format!("the {what} of rating {i} (from 0) has an empty name"), "leave it out")),
                id => codes.push(id),
            }
        }
        let too_many = |_: TooMany| bad(format!("have more different {what}s than can be numbered, about 4278 million"), "give fewer");
        let (mut codes, dictionary) = codes.count_alone().map_err(too_many)?;
        let ranked = dictionary.rank();
        codes.iter_mut().for_each(|code| *code = ranked.rank(*code));
        let Ranked { ids, counts, .. } = ranked;
        Ok((codes, Side { ids, counts }))
    }
}

impl Ratings {
    /// Copies ratings: who (`users`) thinks what (`ratings`) of what (`items`), in three lists of one length.
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::Ratings;
    ///
    /// let ratings = Ratings::from_triples(&[7u64, 7, 3], &["Brazil", "Alien", "Alien"], &[4.0, 5.0, 3.5])?;
    /// assert_eq!((ratings.users(), ratings.items(), ratings.len()), (2, 2, 3));
    /// assert_eq!(ratings.item_ids()?.name(0), "Alien"); // it has two ratings
    /// # Ok::<(), hogwild_base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When lengths differ, there is no rating, a rating is not finite or a name is empty: which one is named.
    pub fn from_triples<'a>(users: impl Into<IdList<'a>>, items: impl Into<IdList<'a>>, ratings: &[f32]) -> Result<Ratings> {
        Ratings::from_weighted_triples(users, items, ratings, None)
    }

    /// The same of ratings that count so much each, from 0 up; one of 0 is left out before anything of it is counted.
    ///
    /// # Errors
    /// Those of [`from_triples`](Self::from_triples); a weight that is below 0 or not finite, or none above 0.
    pub fn from_weighted_triples<'a>(
        users: impl Into<IdList<'a>>,
        items: impl Into<IdList<'a>>,
        ratings: &[f32],
        weights: Option<&[f32]>,
    ) -> Result<Ratings> {
        let (users, items, count) = (users.into(), items.into(), ratings.len());
        if (users.len(), items.len()) != (count, count) {
            let problem = format!("there are {} users, {} items and {count} ratings", users.len(), items.len());
            return Err(bad(problem, "give three lists of one length"));
        }
        if count == 0 || count >= u32::MAX as usize {
            return Err(bad(format!("there are {count}, and 1 to 4294967294 can be used"), "give as many"));
        }
        if let Some(at) = ratings.iter().position(|rating| !rating.is_finite()) {
            return Err(bad(format!("rating {at} (from 0) is {}", ratings[at]), "leave it out"));
        }
        if let Some(weights) = weights {
            if weights.len() != count {
                return Err(bad(format!("there are {} weights of {count} ratings", weights.len()), "give one for each, or none at all"));
            }
            if let Some(at) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
                let problem = format!("the weight of rating {at} (from 0) is {}", weights[at]);
                return Err(bad(problem, "give a weight from 0 up; one of 0 leaves the rating out"));
            }
        }
        memory::ask(24 * count as u64, || "ratings".into(), "give fewer, or pack them into a file")?;
        let kept: Vec<usize> = (0..count).filter(|&i| weights.is_none_or(|weights| weights[i] > 0.0)).collect();
        if kept.is_empty() {
            return Err(bad("all have the weight 0".into(), "give ratings whose weights are above 0"));
        }
        let (user, users) = users.rank("user", &kept)?;
        let (item, items) = items.rank("item", &kept)?;
        let rating = Cells::new(kept.iter().map(|&i| ratings[i]).collect::<Vec<_>>());
        let weights = weights.map(|weights| kept.iter().map(|&i| weights[i]).collect::<Vec<f32>>());
        let labels = Labels::in_groups(&rating, GROUP);
        Ok(Ratings {
            user: Cells::new(user),
            item: Cells::new(item),
            rating,
            weight: weights.filter(|weights| weights.iter().any(|&weight| weight != 1.0)).map(Cells::new),
            users: users.counts.len(),
            items: items.counts.len(),
            labels,
            home: Home::Memory { users, items },
        })
    }
}

/// A side of a few ratings: the number of each rating's user or item, ids and counts by number.
type Few = (Vec<u32>, Ids, Vec<u64>);

impl Ratings {
    /// A few ratings that were just parsed.
    pub(crate) fn of_few((user, user_ids, user_counts): Few, (item, item_ids, item_counts): Few, ratings: Vec<f32>) -> Ratings {
        let rating = Cells::new(ratings);
        Ratings {
            labels: Labels::in_groups(&rating, GROUP),
            users: user_ids.len(),
            items: item_ids.len(),
            user: Cells::new(user),
            item: Cells::new(item),
            rating,
            weight: None,
            home: Home::Memory { users: Side { ids: user_ids, counts: user_counts }, items: Side { ids: item_ids, counts: item_counts } },
        }
    }
}

/// An error about ratings in memory.
fn bad(problem: String, remedy: &'static str) -> Error {
    Error::BadFile { path: Path::new(IN_MEMORY).to_owned(), problem, remedy }
}
