//! One line on what was read: `ratings: 9,301,274 of 10,677 items by 69,878 users, .5 to 5`; and how it writes names and numbers. What is
//! odd about the data is in `notes` (sparse rows) and `warn` (ratings).
use hogwild::data::{Data, Format, Kind, PackReport, Recipe, Spread, TargetCounts};
use std::{path::PathBuf, sync::atomic::Ordering::Relaxed};

/// Of data that were opened.
pub fn of_packed(packed: &Data, is_graph: bool) -> String {
    match packed {
        Data::Ratings(d) if is_graph => edges(d.len() as u64, (d.spread().min, d.spread().max)),
        Data::Rows(d) => {
            let format = d.recipe().map_or(Format::Svmlight, Recipe::format);
            rows(format, d.rows() as u64, d.nonzeros(), d.targets(), (d.class_names().len(), d.class_sets().is_some())) + &weights(packed)
        }
        Data::Ratings(d) => {
            let Spread { count, min, max, .. } = d.spread();
            ratings([d.len() as u64, d.items() as u64, d.users() as u64], count, (min, max)) + &weights(packed)
        }
    }
}

/// Of text that was packed.
pub fn of_report(report: &PackReport) -> String {
    match report.kind {
        Kind::Sparse => {
            let recipe = report.recipe.as_ref();
            let classes = (recipe.map_or(0, |recipe| recipe.classes().len()), recipe.is_some_and(Recipe::has_several_labels));
            rows(report.format, report.rows, report.nonzeros, report.targets, classes)
        }
        Kind::Ratings if report.format == Format::Edges => edges(report.rows, (report.targets.min, report.targets.max)),
        Kind::Ratings => {
            let TargetCounts { count, min, max, .. } = report.targets;
            ratings([report.rows, report.items, report.users], count, (min, max))
        }
    }
}

/// `classes`: how many labels by name there are, and whether a row has any number of them.
fn rows(format: Format, examples: u64, nonzeros: u64, labels: TargetCounts, classes: (usize, bool)) -> String {
    let found = match labels.others {
        _ if labels.count == 0 => "no labels".into(),
        _ if classes.1 => format!("any number of {} labels a row", count(classes.0 as u64)),
        _ if classes.0 > 2 => format!("labels of {} classes", count(classes.0 as u64)),
        0 => format!("labels {} of +1", count(labels.plus)),
        _ if labels.min < labels.max && labels.min_count + labels.max_count == labels.count => {
            let class = |label, n| format!("{} ({})", real(label), count(n));
            format!("labels {} and {}", class(labels.min, labels.min_count), class(labels.max, labels.max_count))
        }
        _ => format!("labels from {} to {}", real(labels.min), real(labels.max)),
    };
    let name = format.name();
    format!("{name} rows: {} examples, {} nonzeros, {found}{}", count(examples), count(nonzeros), missing(examples, labels.count))
}

/// Between what the weights of examples or ratings lie, where they have such.
fn weights(data: &Data) -> String {
    let cells = match data {
        Data::Rows(rows) => rows.weight_cells(),
        Data::Ratings(ratings) => ratings.weight_cells(),
    };
    let Some(cells) = cells else { return String::new() };
    let mut range = (f32::INFINITY, f32::NEG_INFINITY);
    for weight in cells.iter().map(|cell| f32::from_bits(cell.load(Relaxed))) {
        range = (range.0.min(weight), range.1.max(weight));
    }
    format!(", weights from {} to {}", real(range.0), real(range.1))
}

fn ratings(counts: [u64; 3], given: u64, (min, max): (f32, f32)) -> String {
    let (missing, [ratings, items, users]) = (missing(counts[0], given), counts.map(count));
    if given == 0 {
        return format!("ratings: {ratings} pairs of {items} items and {users} users, none rated");
    }
    format!("ratings: {ratings} of {items} items by {users} users, {} to {}{missing}", real(min), real(max))
}

fn edges(edges: u64, (min, max): (f32, f32)) -> String {
    format!("edges: {}, of weights {} to {}", count(edges), real(min), real(max))
}

/// How many labels or ratings are missing, where some are there.
fn missing(all: u64, given: u64) -> String {
    if given == 0 || given == all { String::new() } else { format!(", {} missing", count(all - given)) }
}

/// What was typed, in short.
pub fn names(inputs: &[PathBuf]) -> String {
    match inputs {
        [] => String::new(),
        [input] => input.display().to_string(),
        [input, rest @ ..] => format!("{} and {} more", input.display(), rest.len()),
    }
}

/// A whole number with a comma between thousands.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number without a zero before its point.
pub fn real(x: f32) -> String {
    let text = x.to_string();
    match text.strip_prefix("0.").map(|rest| format!(".{rest}")).or_else(|| text.strip_prefix("-0.").map(|rest| format!("-.{rest}"))) {
        Some(short) => short,
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!([0, 999, 1000, 12_345_678].map(count), ["0", "999", "1,000", "12,345,678"]);
        assert_eq!([0.0, 0.5, -0.25, 5.0, 10.5].map(real), ["0", ".5", "-.25", "5", "10.5"]);
    }
}
