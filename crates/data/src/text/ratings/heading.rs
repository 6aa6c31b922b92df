//! Which column of a table of ratings is what, by its heading: `userId`, `movie_id`, `Book-Rating`, `timestamp`, ...
//!
//! A name is compared without case, blanks and marks, and without what stands behind a colon (`user_id:token`). Where several columns
//! have names of one kind, an id goes before a plain noun and that before a title; two that are alike in this are left to `columns`.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Item,
    Rating,
    Time,
}

const USERS: &[&str] = &[
    "user",
    "usr",
    "u",
    "customer",
    "cust",
    "client",
    "member",
    "reviewer",
    "rater",
    "account",
    "profile",
    "person",
    "visitor",
    "viewer",
    "reader",
    "listener",
    "subscriber",
    "buyer",
    "student",
    "patient",
    "player",
    "critic",
];
const ITEMS: &[&str] = &[
    "item",
    "i",
    "movie",
    "m",
    "film",
    "product",
    "prod",
    "p",
    "book",
    "song",
    "track",
    "artist",
    "album",
    "article",
    "business",
    "restaurant",
    "game",
    "app",
    "anime",
    "manga",
    "joke",
    "show",
    "place",
    "venue",
    "poi",
    "recipe",
    "video",
    "course",
    "hotel",
    "beer",
    "wine",
    "news",
    "post",
    "document",
    "doc",
    "page",
    "podcast",
    "series",
    "title",
    "listing",
    "content",
    "program",
    "station",
    "channel",
    "location",
    "destination",
    "asin",
    "isbn",
    "sku",
    "ean",
    "gtin",
    "upc",
    "good",
];
/// Letters that are a noun only with `id` behind them.
const SHORT: &[&str] = &["u", "i", "m", "p"];
const RATINGS: &[&str] = &["rating", "ratings", "rate", "rated", "score", "scores", "stars", "star", "r"];
const RATINGS_TOO: &[&str] = &[
    "value",
    "weight",
    "label",
    "target",
    "overall",
    "grade",
    "mark",
    "preference",
    "pref",
    "count",
    "plays",
    "playcount",
    "playtime",
    "clicks",
    "feedback",
    "strength",
    "points",
    "votes",
    "vote",
    "response",
    "watchratio",
    "y",
];
const TIMES: &[&str] = &["t", "ts", "when", "createdat", "updatedat", "ratedat", "tstamp", "year"];

/// The name as it is compared.
pub(crate) fn plain(name: &str) -> String {
    let name = name.split(':').next().unwrap_or_default();
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What a column of this name holds, and how sure that is: the least is the surest.
fn role(name: &str) -> Option<(Role, u8)> {
    let name = plain(name);
    if RATINGS.contains(&&*name) {
        return Some((Role::Rating, 0));
    }
    if ["rating", "score", "stars"].iter().any(|end| name.ends_with(end)) {
        return Some((Role::Rating, 1));
    }
    if RATINGS_TOO.contains(&&*name) {
        return Some((Role::Rating, 2));
    }
    const IDS: [&str; 8] = ["identifier", "index", "idx", "code", "num", "no", "nr", "id"];
    const TITLES: [&str; 2] = ["name", "title"];
    const CODES: [&str; 6] = ["asin", "isbn", "sku", "ean", "gtin", "upc"];
    let (noun, kind) = if let Some(noun) = IDS.iter().find_map(|end| name.strip_suffix(end)) {
        (noun, 0)
    } else if let Some(noun) = name.strip_prefix("id").filter(|noun| USERS.contains(noun) || ITEMS.contains(noun)) {
        (noun, 0)
    } else if let Some(noun) = TITLES.iter().find_map(|end| name.strip_suffix(end)).filter(|noun| !noun.is_empty()) {
        (noun, 3)
    } else {
        (&*name, if CODES.contains(&&*name) { 0 } else { 1 + 2 * u8::from(name == "title") })
    };
    if !(SHORT.contains(&noun) && kind != 0) {
        for (nouns, role) in [(USERS, Role::User), (ITEMS, Role::Item)] {
            if nouns.contains(&noun) {
                return Some((role, kind + 2 * u8::from(nouns.first() != Some(&noun))));
            }
        }
    }
    let is_time = TIMES.contains(&&*name) || ["time", "timestamp", "date"].iter().any(|end| name.ends_with(end));
    is_time.then_some((Role::Time, 0))
}

/// The columns by role.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Roles {
    pub(crate) user: Option<usize>,
    pub(crate) item: Option<usize>,
    pub(crate) rating: Option<usize>,
    pub(crate) time: Option<usize>,
}

impl Roles {
    /// By the names in a heading. A role that two columns have alike stays open.
    pub(crate) fn of(names: &[String]) -> Roles {
        let pick = |wanted: Role| {
            let mut found: Vec<(u8, usize)> =
                names.iter().enumerate().filter_map(|(i, name)| role(name).filter(|r| r.0 == wanted).map(|r| (r.1, i))).collect();
            found.sort_unstable();
            match (found.first(), found.get(1)) {
                (Some(first), Some(second)) if first.0 == second.0 && wanted != Role::Time => None,
                (first, _) => first.map(|first| first.1),
            }
        };
        Roles { user: pick(Role::User), item: pick(Role::Item), rating: pick(Role::Rating), time: pick(Role::Time) }
    }

    /// The last of the three, when two are known and there is just one more column that could be it.
    pub(crate) fn complete(mut self, names: &[String]) -> Roles {
        let spare: Vec<usize> = (0..names.len()).filter(|&i| names.get(i).is_some_and(|name| is_spare(name))).collect();
        if let [column] = spare.as_slice() {
            match [&mut self.user, &mut self.item, &mut self.rating] {
                [Some(_), Some(_), None] if names.get(*column).is_some_and(|name| is_id(name)) => {}
                [open @ None, Some(_), Some(_)] | [Some(_), open @ None, Some(_)] | [Some(_), Some(_), open @ None] => {
                    *open = Some(*column)
                }
                _ => {}
            }
        }
        self
    }
}

/// Whether a column numbers its rows, or something else, and is no rating: `id`, `review_id`, `eventId`.
fn is_id(name: &str) -> bool {
    let whole = plain(name);
    let last = name.rsplit(|c: char| !c.is_alphanumeric()).find(|part| !part.is_empty()).unwrap_or_default();
    ["id", "uuid", "guid"].contains(&&*whole) || last.eq_ignore_ascii_case("id") || last.ends_with("Id") || last.ends_with("ID")
}

/// Whether a column's name says nothing at all, not even that it is pandas' index.
fn is_spare(name: &str) -> bool {
    let plain = plain(name);
    role(name).is_none() && !plain.is_empty() && plain != "index" && !plain.starts_with("unnamed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(heading: &str) -> (Option<usize>, Option<usize>, Option<usize>) {
        let names: Vec<String> = heading.split(',').map(str::to_owned).collect();
        let roles = Roles::of(&names).complete(&names);
        (roles.user, roles.item, roles.rating)
    }

    #[test]
    fn headings_that_people_bring() {
        let table = [
            ("userId,movieId,rating,timestamp", (0, 1, 2)),
            (",userId,movieId,rating", (1, 2, 3)),
            ("rating,user,item", (1, 2, 0)),
            ("User-ID,ISBN,Book-Rating", (0, 1, 2)),
            ("USER ID,ITEM ID,RATING", (0, 1, 2)),
            ("user_id:token,item_id:token,rating:float,timestamp:float", (0, 1, 2)),
            ("review_id,user_id,business_id,stars,date", (1, 2, 3)),
            ("rating,title,text,images,asin,parent_asin,user_id,timestamp", (6, 4, 0)),
            ("userID,artistID,weight", (0, 1, 2)),
            ("date,userId,movieId,title,rating", (1, 2, 4)),
            ("user,item,bought", (0, 1, 2)),
            ("CustomerID,Rating,Date,MovieID", (0, 3, 1)),
            ("id_user,id_item,score", (0, 1, 2)),
            ("uid,iid,r", (0, 1, 2)),
        ];
        for (heading, (user, item, rating)) in table {
            assert_eq!(of(heading), (Some(user), Some(item), Some(rating)), "{heading}");
        }
        assert_eq!(of("age,sex,pay,kids"), (None, None, None));
        assert_eq!(of("user,song_id,artist_id,rating"), (Some(0), None, Some(3)));
        assert_eq!(of("u,i,rating"), (None, None, Some(2)));
        for heading in ["user,item,id", "id,user,item", "user,item,review_id", "user,item,eventId"] {
            assert_eq!(of(heading).2, None, "{heading}");
        }
        assert_eq!((of("user,item,paid").2, of("id,item,rating").0), (Some(2), Some(0)));
    }
}
