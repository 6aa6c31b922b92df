//! Warnings about ratings that are read without fault, and hardly what was meant: they cost no further pass over them. What is odd about
//! sparse rows, scores and metrics is in `notes` (which shares `far_off`); the one line on what was read in `summary`.
use super::{
    say::say,
    summary::{self, count, real},
};
use hogwild::{
    TrainedModel,
    data::{Data, Farthest, Ids, Opened, Ratings, Spread},
};
use std::{collections::HashMap, path::PathBuf, sync::atomic::Ordering::Relaxed};

/// Whole numbers from here on are rounded as 32-bit floats.
const EXACT: f32 = 16_777_216.0;

/// Ratings that teach nothing, or one that outweighs all others.
pub fn of_ratings(data: &Ratings, name: &str) -> Vec<String> {
    let spread = data.spread();
    of_spread(&spread, name).into_iter().chain(rounded(&spread, name, "ratings")).collect()
}

/// Edges that cost nothing, or not quite what is written.
pub fn of_edges(data: &Ratings, name: &str) -> Vec<String> {
    let free = data.rating_cells().iter().filter(|cell| f32::from_bits(cell.load(Relaxed)) == 0.0).count() as u64;
    let free = (free > 0).then(|| format!("{name}: {} edges have weight 0: they cost nothing, and bind no nodes", count(free)));
    let most = data.spread().max;
    let remedy = "what a cut costs is told to as much; sum up what the file says where all digits matter";
    let rounded = (most >= EXACT).then(|| {
        let (near, step) = (real(most), real(most.next_up() - most));
        format!("{name}: weights are kept to 24 bits: near {near} they are rounded to multiples of {step}; {remedy}")
    });
    free.into_iter().chain(rounded).collect()
}

fn of_spread(spread: &Spread, name: &str) -> Option<String> {
    if spread.count > 1 && spread.min == spread.max {
        let like =
            "if each row is an item that its user took, train --model bpr or sampled-softmax; or is another column the rating (--columns)?";
        return Some(format!("warning: {name}: all ratings are {}: there is nothing to learn from; {like}", real(spread.min)));
    }
    far_off(spread, name, "rating", "mend it or leave it out")
}

/// Says so if a label or a rating is more than 100 deviations of the others from their mean.
pub fn far_off(spread: &Spread, name: &str, what: &str, remedy: &str) -> Option<String> {
    const FAR: f64 = 100.0;
    let Farthest { row, target, mean, deviations } = spread.farthest().filter(|far| far.deviations > FAR)?;
    let (row, target, mean) = (count(row as u64 + 1), real(target), real(mean as f32));
    Some(format!(
        "warning: {name}: {what} {row} is {target}, {deviations:.0} standard deviations from the mean of the others ({mean}); {remedy}"
    ))
}

/// Says so if labels or ratings lose what they are about as 32-bit floats: whole numbers from 2^24 on, and any that are large beside their
/// spread.
pub fn rounded(spread: &Spread, name: &str, what: &str) -> Option<String> {
    let largest = spread.max.abs().max(spread.min.abs());
    let is_coarse = spread.max > spread.min && f64::from(largest / EXACT) > spread.deviation() / 100.0;
    if spread.count == 0 || largest < EXACT && !is_coarse {
        return None;
    }
    let (near, step) = (real(largest), real(largest.next_up() - largest));
    let remedy = if is_coarse || spread.max == spread.min { "; subtract an offset from all of them" } else { "" };
    Some(format!("{name}: {what} are kept to 24 bits: near {near} they are rounded to multiples of {step}{remedy}"))
}

/// Says so if ratings are of users and items that a model hardly has. Gives whether it did.
pub fn of_unknown(opened: &Opened, inputs: &[PathBuf], model: &TrainedModel) -> hogwild::Result<bool> {
    match (model.ids("user"), model.ids("item")) {
        (Some(users), Some(items)) => of_strangers(opened, inputs, users, items),
        _ => Ok(false),
    }
}

/// The same of `users` and `items`, those of a model or of what it is trained on.
pub fn of_strangers(opened: &Opened, inputs: &[PathBuf], users: &Ids, items: &Ids) -> hogwild::Result<bool> {
    if let Data::Ratings(data) = &opened.data
        && let Some(warning) = strangers(data, &summary::names(inputs), users, items)?
    {
        say!("{warning}");
        return Ok(true);
    }
    Ok(false)
}

/// Users and items of which a model knows none, or hardly any.
fn strangers(data: &Ratings, name: &str, users: &Ids, items: &Ids) -> hogwild::Result<Option<String>> {
    let (own_users, own_items) = (data.user_ids()?, data.item_ids()?);
    let sides = [("users", &own_users, users), ("items", &own_items, items)].map(|(what, own, model)| (what, Side::of(own, model)));
    // A user alone may well be new; so may an item.
    let none = sides.iter().all(|(_, side)| side.hardly_any());
    let told = sides.iter().filter(|(_, side)| side.hardly_any() && (none || side.alike.is_some()));
    let told: Vec<String> = told.map(|(what, side)| side.tell(what)).collect();
    if told.is_empty() {
        return Ok(None);
    }
    let mut hint = String::new();
    if let Some((own, model)) = sides.iter().find_map(|(_, side)| side.alike.clone()) {
        hint = format!("; they would be if ids were written alike: `{own}` here, `{model}` in the model's data");
    } else if none && !Side::of(&own_users, items).hardly_any() && !Side::of(&own_items, users).hardly_any() {
        hint = "; they would be if users and items were exchanged: see --columns".into();
    }
    let mean = if none { ", so that predictions are no better than the mean" } else { "" };
    Ok(Some(format!("warning: {name}: {} known to the model{mean}{hint}", told.join(" and "))))
}

/// The users, or the items, of data beside those of a model.
struct Side {
    all: usize,
    known: usize,
    /// Where they differ in writing alone: one of the data's, and the model's that is meant.
    alike: Option<(String, String)>,
}

impl Side {
    fn of(own: &Ids, model: &Ids) -> Side {
        let known = own.translate(model).into_iter().filter(|&place| place != u32::MAX).count();
        let mut side = Side { all: own.len(), known, alike: None };
        if side.hardly_any() {
            let by_core: HashMap<String, usize> = (0..model.len()).map(|i| (core(&model.name(i)), i)).collect();
            let met: Vec<(usize, usize)> = (0..own.len()).filter_map(|i| Some((i, *by_core.get(&core(&own.name(i)))?))).collect();
            side.alike = met.first().filter(|_| 2 * met.len() > own.len() && met.len() > known).map(|&(i, j)| (own.name(i), model.name(j)));
        }
        side
    }

    /// Under one in twenty.
    fn hardly_any(&self) -> bool {
        20 * self.known < self.all
    }

    fn tell(&self, what: &str) -> String {
        match self.known {
            0 => format!("none of {} {what} is", count(self.all as u64)),
            known => format!("only {} of {} {what} are", count(known as u64), count(self.all as u64)),
        }
    }
}

/// What is left of an id without what programs add: quotes, case, `.0`, zeros in front, letters before a number.
fn core(id: &str) -> String {
    let id = id.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'').to_lowercase();
    let id = match id.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => &id,
    };
    let digits = id.trim_start_matches(|c: char| !c.is_ascii_digit());
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return id.to_string();
    }
    match digits.trim_start_matches('0') {
        "" => "0".into(),
        number => number.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_in_writing() {
        for (a, b) in [("1", "1.0"), ("007", "7"), ("user_12", "12"), ("\"Ann\"", "ann"), ("0", "u00"), ("9.000", "9")] {
            assert_eq!(core(a), core(b), "{a} {b}");
        }
        for (a, b) in [("1", "1.5"), ("a1b", "1"), ("ann", "bob"), ("1.", "2.")] {
            assert_ne!(core(a), core(b), "{a} {b}");
        }
    }
}
