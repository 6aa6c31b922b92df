//! `hogwild describe`: a profile of data, as text or JSON.
use super::{data::CacheOptions, say::show, summary::count, threads::ThreadOptions};
use clap::Args;
use hogwild::{
    ColumnProfile, LabelProfile, NumbersProfile, Profile, RatingsProfile, RowsProfile, SideProfile, ValueProfile, data::Labelling,
};
use serde_json::{Value, json};
use std::{fmt::Write, path::PathBuf};

#[derive(Args)]
pub struct DescribeArgs {
    /// Data, text or packed
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// How many of the most frequent values to list, of each column where there are columns
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
    /// What labels are read as
    #[arg(long, value_parser = super::named::named::<Labelling>(), default_value = "number")]
    labels: Labelling,
    /// Labels and ratings may be missing or anything: nothing is told of them
    #[arg(long)]
    unlabelled: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: CacheOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(mut args: DescribeArgs) -> anyhow::Result<()> {
    args.options.check_columns(args.data.iter())?;
    args.options.data.labelling = args.labels;
    let opened = args.options.open_labelled_or_not(&args.data, args.unlabelled)?;
    let profile = Profile::of(&opened.data, args.top)?;
    let text = match (&profile, args.json) {
        (Profile::Rows(rows), true) => format!("{}\n", rows_json(rows)),
        (Profile::Rows(rows), false) => rows_text(rows),
        (Profile::Ratings(ratings), true) => format!("{}\n", ratings_json(ratings)),
        (Profile::Ratings(ratings), false) => ratings_text(ratings),
    };
    show(&text)
}

/// A number in a few digits.
fn short(x: f64) -> String {
    let text = format!("{x:.*}", if x.abs() >= 100.0 { 1 } else { 4 });
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn share(x: f64) -> String {
    format!("{:.1}%", 100.0 * x)
}

fn readable(name: &str) -> String {
    if name.contains(char::is_control) { name.escape_debug().to_string() } else { name.to_owned() }
}

fn numbers(n: &NumbersProfile) -> String {
    format!("{} to {}, mean {}, deviation {}", n.min, n.max, short(n.mean), short(n.deviation))
}

fn numbers_json(n: &NumbersProfile) -> Value {
    json!({ "min": n.min, "max": n.max, "mean": n.mean, "deviation": n.deviation })
}

/// A line a value; the name last, as it may have blanks.
fn values(all: &[ValueProfile], indent: usize, text: &mut String) {
    for ValueProfile { name, count: n, label } in all {
        let label = label.map_or_else(|| "-".into(), |label| format!("{label:.4}"));
        let _ = writeln!(text, "{:indent$}{:>11} {label:>10}  {}", "", count(*n), readable(name)); // a string takes all
    }
}

fn values_json(all: &[ValueProfile]) -> Value {
    all.iter().map(|ValueProfile { name, count, label }| json!({ "name": name, "count": count, "label": label })).collect()
}

/// The head over the values, and what their labels are.
fn head(what: &str, labels: &LabelProfile) -> String {
    let label = match labels {
        LabelProfile::Two([_, (positive, _)]) => format!("share of {}", readable(positive)),
        LabelProfile::Numbers(_) => "mean label".into(),
        LabelProfile::Missing | LabelProfile::Many(_) => "no label".into(),
    };
    format!("{what}: examples, {label}, name\n")
}

fn rows_text(rows: &RowsProfile) -> String {
    let RowsProfile { rows: n, features, nonzeros, longest_row, weights, labels, columns, others, frequent } = rows;
    let mean = short(*nonzeros as f64 / (*n).max(1) as f64);
    let mut text = format!("{} examples, {} features, {mean} an example, at most {longest_row}\n", count(*n), count(*features));
    let _ = weights.map(|weights| writeln!(text, "weights {} in all", short(weights)));
    let _ = match labels {
        LabelProfile::Missing => writeln!(text, "labels are missing"),
        LabelProfile::Two([negative, positive]) => {
            let one = |(name, part): &(String, f64)| format!("{} {}", readable(name), share(*part));
            writeln!(text, "labels {}, {}", one(negative), one(positive))
        }
        LabelProfile::Many(classes) => writeln!(text, "labels of {} classes", count(*classes as u64)),
        LabelProfile::Numbers(spread) => writeln!(text, "labels {}", numbers(spread)),
    };
    if !columns.is_empty() {
        text += "columns, first those whose values tell most of the label:\n";
    }
    for ColumnProfile { name, kind, distinct, missing, tells, numbers: spread, values: of, .. } in columns {
        let more = if distinct.1 { "over " } else { "" };
        let _ = write!(text, "  {} ({kind}): {more}{} values, {} missing", readable(name), count(distinct.0), share(*missing));
        let _ = tells.map(|tells| write!(text, ", tells {}", share(tells)));
        let _ = spread.as_ref().map(|spread| write!(text, ", {}", numbers(spread)));
        text.push('\n');
        values(of, 2, &mut text);
    }
    if !frequent.is_empty() {
        let what = if columns.is_empty() { "features".into() } else { format!("{} features of several columns", count(*others)) };
        text += &head(&what, labels);
        values(frequent, 0, &mut text);
    }
    text
}

fn rows_json(rows: &RowsProfile) -> Value {
    let labels = match &rows.labels {
        LabelProfile::Missing => Value::Null,
        LabelProfile::Two(classes) => classes.iter().map(|(name, share)| json!({ "name": name, "share": share })).collect(),
        LabelProfile::Many(classes) => json!({ "classes": classes }),
        LabelProfile::Numbers(spread) => numbers_json(spread),
    };
    let column = |column: &ColumnProfile| {
        json!({
            "name": column.name, "type": column.kind, "distinct": column.distinct.0, "more": column.distinct.1,
            "missing": column.missing, "tells": column.tells, "numbers": column.numbers.as_ref().map(numbers_json),
            "values": values_json(&column.values),
        })
    };
    json!({
        "data": "sparse", "rows": rows.rows, "features": rows.features, "nonzeros": rows.nonzeros, "longest_row": rows.longest_row,
        "weights": rows.weights, "labels": labels, "columns": rows.columns.iter().map(column).collect::<Value>(),
        "others": rows.others, "frequent": values_json(&rows.frequent),
    })
}

fn ratings_text(ratings: &RatingsProfile) -> String {
    let RatingsProfile { ratings: n, density, weights, values: spread, frequent_values, users, items } = ratings;
    let mut text = format!("{} ratings, {:.3}% of all pairs\n", count(*n), 100.0 * density);
    let _ = weights.map(|weights| writeln!(text, "weights {} in all", short(weights)));
    let _ = spread.as_ref().map(|spread| writeln!(text, "ratings {}", numbers(spread)));
    let of = |&(value, times): &(f32, u64)| format!("{value} {}", share(times as f64 / (*n).max(1) as f64));
    if !frequent_values.is_empty() {
        let _ = writeln!(text, "most frequent: {}", frequent_values.iter().map(of).collect::<Vec<_>>().join(", "));
    }
    for (what, SideProfile { count: n, ratings: [least, middle, most], hundredth, frequent }) in [("users", users), ("items", items)] {
        let _ = writeln!(
            text,
            "{} {what}: ratings of each {least} to {}, median {middle}; the most frequent 1% have {}",
            count(*n),
            count(*most),
            share(*hundredth)
        );
        let _ = writeln!(text, "{what}: ratings, mean rating, name");
        values(frequent, 0, &mut text);
    }
    text
}

fn ratings_json(ratings: &RatingsProfile) -> Value {
    let side = |side: &SideProfile| {
        let [least, median, most] = side.ratings;
        json!({
            "count": side.count, "least": least, "median": median, "most": most, "share_of_the_most_frequent_hundredth": side.hundredth,
            "frequent": values_json(&side.frequent),
        })
    };
    let value = |&(value, count): &(f32, u64)| json!({ "rating": value, "count": count });
    json!({
        "data": "ratings", "ratings": ratings.ratings, "density": ratings.density, "weights": ratings.weights,
        "values": ratings.values.as_ref().map(numbers_json),
        "frequent_values": ratings.frequent_values.iter().map(value).collect::<Value>(), "users": side(&ratings.users),
        "items": side(&ratings.items),
    })
}
