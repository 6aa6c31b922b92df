//! Tables that look like ratings but may as well be something else.

use crate::bytes::from;
use crate::text::Asked;
use crate::text::fault::Bad;
use crate::text::fields::{Quote, Separator, Shape, fields};
use crate::text::ratings::sample::{Line, Sample, number};
use crate::text::ratings::time::{DECIMAL_COMMA, TIME, is_no_time};

const AS_RATINGS: &str = "put a heading with names above (one of them label), or write rows as `label index:value ...`; \
    if these are ratings, give `format` ratings";

/// Refuses ratings without a heading that may as well be something else. Where ratings may be missing, a time may be in their place;
/// where it is known that these are ratings, only the order of the columns is in doubt. A column that is named as the weight is in none.
pub(crate) fn doubt(sample: &Sample<'_>, separator: Separator, Asked { known, unlabelled, columns, .. }: Asked<'_>) -> Result<(), Bad> {
    let Some(&first) = sample.lines.first().filter(|_| separator != Separator::Colons) else { return Ok(()) };
    let weight = columns.and_then(|columns| number(&columns.weight)).filter(|&column| column > 2);
    // What is in quotes is a name, whatever it says.
    let bare = |line: &Line| {
        let fields = sample.fields(*line, separator);
        let quoted = fields.iter().any(|field| field.quote != Quote::No);
        let others = (0..).zip(&fields).filter(|(column, _)| Some(*column) != weight);
        let shapes = others.map(|(_, field)| Shape::of(field.raw(sample.text), separator)).collect::<Vec<_>>();
        (!quoted).then_some(shapes)
    };
    let all = sample.lines.iter().map(bare).collect::<Option<Vec<_>>>();
    let most = sample.lines.iter().map(|line| count(sample, separator, weight, line)).max();
    if !known && matches!(most, Some(3 | 4)) && (0..2).any(|column| has_fractions(sample, separator, column)) {
        let problem = "this may be dense data (as CSV), a column a feature, for users and items are not whole numbers";
        return Err(sample.bad(first, problem, AS_RATINGS));
    }
    let Some(mut lines) = all else { return wide(sample, separator, weight, (first, false)) };
    for shapes in &mut lines {
        while shapes.len() > 3 && shapes.last() == Some(&Shape::Empty) {
            shapes.pop();
        }
    }
    let numeric = lines.iter().flatten().all(|shape| shape.number().is_some());
    let indices = lines.iter().flatten().all(|shape| matches!(shape, Shape::Integer(_)));
    let longest = lines.iter().map(Vec::len).max().unwrap_or(0);
    let column = |i: usize| lines.iter().filter_map(move |shapes| shapes.get(i)?.number());
    let ascending = indices && lines.iter().all(|shapes| shapes.iter().skip(1).is_sorted_by(|a, b| a.number() < b.number()));
    const AS_COLUMNS: &str =
        "put a heading with names above (one of them label); if these are ratings, say where, as in `columns` user=1,item=2,rating=3";
    if longest > 4 {
        if ascending {
            let problem = "these may be bare indices (a label, then the features that are 1), which are not read";
            return Err(sample.bad(first, problem, "write them as `label index:1 index:1 ...`"));
        }
        if indices && lines.iter().any(|shapes| shapes.len() != longest) {
            let problem = "these are lists of whole numbers, as of bare indices or of what each user has, which are not read";
            return Err(sample.bad(
                first,
                problem,
                "write rows as `label index:1 index:1 ...`, or each pair of user and item as a line `user item 1`",
            ));
        }
        if numeric && 2 * lines.iter().filter(|shapes| shapes.len() > 4).count() > lines.len() {
            let problem =
                format!("these are numbers between {}: dense data (as CSV), a column a feature, without a heading", separator.name());
            return Err(sample.bad(first, problem, AS_COLUMNS));
        }
        return wide(sample, separator, weight, (first, true));
    }
    if longest == 4 && column(3).count() > 0 && !column(3).all(|time| time >= TIME) {
        let mixed = separator == Separator::Comma && lines.iter().any(|shapes| shapes.len() < 4);
        if let Some((&line, _)) =
            sample.lines.iter().zip(&lines).find(|(_, shapes)| mixed && shapes.get(3).is_some_and(|&shape| is_no_time(shape)))
        {
            let (problem, remedy) = DECIMAL_COMMA;
            return Err(sample.bad(line, problem, remedy));
        }
        let problem = match separator {
            _ if ascending && separator != Separator::Comma => "this may be a label with bare indices, or a rating with a time",
            Separator::Comma => {
                "the fourth field is no time: this may be dense data, a rating with a decimal comma, or another order of columns"
            }
            _ => "the fourth field is no time: this may be dense data, or ratings whose columns are in another order",
        };
        let remedy = "write rows as `label index:value ...`; if these are ratings, give `format` ratings, or the order as in \
            `columns` user=1,item=2,rating=3; write 3.5 for 3,5";
        return Err(sample.bad(first, problem, remedy));
    }
    if !unlabelled && longest >= 3 && column(2).count() > 0 && column(2).all(|rating| rating >= 1e8) {
        let problem = "the third field looks like a time, not like a rating";
        let remedy = "give the order as in `columns` user=1,item=2,rating=4; if the third is the rating, `format` ratings";
        return Err(sample.bad(first, problem, remedy));
    }
    if !known
        && numeric
        && longest == 3
        && looks_labelled(sample, first, &column(0).collect::<Vec<_>>(), ascending && column(2).any(|x| x > 10.0))
    {
        let problem = "this may be a label with bare indices, dense data, or a rating";
        return Err(sample.bad(first, problem, AS_RATINGS));
    }
    Ok(())
}

/// Whether a column has numbers alone, and fractions among them.
fn has_fractions(sample: &Sample<'_>, separator: Separator, column: usize) -> bool {
    let shapes = || {
        sample.lines.iter().filter_map(|line| fields(sample.text, line.start, separator).nth(column)).map(|field| match field.quote {
            Quote::No => Shape::of(field.raw(sample.text), separator),
            _ => Shape::Word,
        })
    };
    shapes().any(|shape| matches!(shape, Shape::Fraction(_))) && !shapes().any(|shape| shape == Shape::Word)
}

/// Whether a first column has two values in turn, as labels are and users are not.
fn looks_labelled(sample: &Sample<'_>, first: Line, column: &[f32], like_indices: bool) -> bool {
    let mut values = column.to_vec();
    values.sort_unstable_by(f32::total_cmp);
    values.dedup();
    let changes = column.iter().zip(column.iter().skip(1)).filter(|(a, b)| a != b).count();
    let in_turn = changes >= values.len() && values.len() == 2;
    let signed = from(sample.text, first.start).trim_ascii_start().starts_with(b"+");
    match values.as_slice() {
        [-1.0, 0.0 | 1.0] | [-1.0, 0.0, 1.0] => true,
        [0.0, 1.0] => in_turn || like_indices,
        [_, _] => in_turn && like_indices,
        _ => signed,
    }
}

/// How many fields a line has besides its weight.
fn count(sample: &Sample<'_>, separator: Separator, weight: Option<usize>, line: &Line) -> usize {
    let all = fields(sample.text, line.start, separator).count();
    all - usize::from(weight.is_some_and(|weight| weight < all))
}

/// More columns than user, item, rating and time, and nothing that says which is which.
fn wide(sample: &Sample<'_>, separator: Separator, weight: Option<usize>, (first, bare): (Line, bool)) -> Result<(), Bad> {
    let count = |line: &Line| count(sample, separator, weight, line);
    let wide = sample.lines.iter().filter(|line| count(line) > 4).count();
    if 2 * wide <= sample.lines.len() {
        return Ok(());
    }
    let problem = format!("this has {} columns and no heading that says which are user, item and rating", count(&first));
    let dense = if bare { "put a heading with names above (one of them label); " } else { "" };
    Err(sample.bad(first, problem, format!("{dense}say which they are, as in `columns` user=1,item=2,rating=3")))
}
