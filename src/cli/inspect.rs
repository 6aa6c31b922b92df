//! `hogwild inspect`: what a model or a packed file holds.
use super::say::show;
use clap::Args;
use hogwild::{
    ModelKind, TrainedModel,
    data::{Data, Ids},
};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Args)]
pub struct InspectArgs {
    /// A model, or packed data
    file: PathBuf,
    /// How many of the heaviest (models) or most frequent (data) to list
    #[arg(long, default_value_t = 10)]
    top: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(args: InspectArgs) -> anyhow::Result<()> {
    let found = match TrainedModel::open(&args.file) {
        Ok(model) => of_model(&model, args.top),
        // Not a model: then data, or the error that says what it is.
        Err(not_model) => match Data::open(&args.file) {
            Ok(data) => of_data(&data, args.top)?,
            Err(_) if is_model(&args.file) => return Err(not_model.into()),
            Err(not_data) => return Err(not_data.into()),
        },
    };
    let mut text = format!("{found}\n");
    if !args.json {
        text.clear();
        describe(&found, 0, &mut text);
    }
    show(&text)
}

/// Whether the file says of itself that it is a model, so that the model's error is the one to show.
fn is_model(path: &std::path::Path) -> bool {
    use std::io::Read;
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(4096).read_to_end(&mut head));
    read.is_ok() && head.windows(13).any(|window| window == b"hogwild-model")
}

/// Of an ensemble: the means of its members' weights, and what each has.
fn of_model(model: &TrainedModel, top: usize) -> Value {
    let mut found = json!({ "model": model.kind_name(), "loss": model.loss.name(), "settings": model.settings });
    if let Some(classes) = model.classes {
        found["classes"] = classes.names().into();
        found["positive_class"] = classes.positive.to_string().into();
    }
    let nonzero = |weights: &[f32]| weights.iter().filter(|&&w| w != 0.0).count();
    let length = |weights: &mut dyn Iterator<Item = &f32>| weights.map(|&w| (w as f64).powi(2)).sum::<f64>().sqrt();
    let of_member = |member: &ModelKind| match member {
        ModelKind::Linear(m) => {
            json!({ "bias": m.bias, "nonzero_weights": nonzero(&m.weights), "length_of_weights": length(&mut m.weights.iter()) })
        }
        ModelKind::Factorization(m) => json!({
            "length_of_biases": length(&mut m.user_bias.iter().chain(&m.item_bias)),
            "length_of_factors": length(&mut m.user_factor.iter().chain(&m.item_factor)),
        }),
    };
    if model.members().len() > 1 {
        found["members"] = model.members().map(of_member).collect();
    }
    match &model.kind {
        ModelKind::Linear(m) => {
            let weights = mean(model, |member| if let ModelKind::Linear(m) = member { &m.weights } else { &[] });
            let bias = mean(model, |member| if let ModelKind::Linear(m) = member { std::slice::from_ref(&m.bias) } else { &[] });
            found["features"] = m.weights.len().into();
            found["nonzero_weights"] = nonzero(&weights).into();
            found["bias"] = json!(bias.first());
            found["heaviest"] = heaviest(&m.ids, &weights, top);
        }
        ModelKind::Factorization(m) => {
            let biases = mean(model, |member| if let ModelKind::Factorization(m) = member { &m.item_bias } else { &[] });
            found["users"] = m.users.len().into();
            found["items"] = m.items.len().into();
            found["rank"] = m.rank.into();
            found["mean"] = json!(m.mean);
            found["heaviest_item_biases"] = heaviest(&m.items, &biases, top);
        }
    }
    found
}

/// The mean of some weights over a model's members.
fn mean(model: &TrainedModel, weights: impl Fn(&ModelKind) -> &[f32]) -> Vec<f32> {
    let mut sums = vec![0.0; weights(&model.kind).len()];
    for member in model.members() {
        sums.iter_mut().zip(weights(member)).for_each(|(sum, &w)| *sum += w as f64);
    }
    sums.iter().map(|sum| (sum / model.members().len() as f64) as f32).collect()
}

fn heaviest(ids: &Ids, weights: &[f32], top: usize) -> Value {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[b].abs().total_cmp(&weights[a].abs()));
    order.iter().take(top).map(|&i| (ids.name(i), json!(weights[i]))).collect::<serde_json::Map<_, _>>().into()
}

fn of_data(data: &Data, top: usize) -> anyhow::Result<Value> {
    Ok(match data {
        Data::Rows(d) => {
            let counts = d.feature_counts()?;
            json!({
                "data": "sparse", "rows": d.rows(), "features": d.columns(), "nonzeros": d.nonzeros(),
                "longest_row": d.longest_row(), "all_values_one": d.all_ones(),
                "nonzeros_in_the_most_frequent": profile(&counts), "most_frequent": frequent(&d.feature_ids()?, &counts, top),
            })
        }
        Data::Ratings(d) => {
            let (users, items) = (d.user_counts()?, d.item_counts()?);
            json!({
                "data": "ratings", "ratings": d.len(), "users": d.users(), "items": d.items(), "mean": d.mean(), "min": d.min(), "max": d.max(),
                "ratings_of_the_most_frequent_users": profile(&users), "ratings_of_the_most_frequent_items": profile(&items),
                "most_frequent_items": frequent(&d.item_ids()?, &items, top),
            })
        }
    })
}

/// The share of all that the most frequent 1, 16, 256, ... make up.
fn profile(counts: &[u64]) -> Value {
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let share = |n: usize| counts.iter().take(n).sum::<u64>() as f64 / total;
    let steps = (0..).map(|power| 16usize.pow(power)).take_while(|&n| n < counts.len());
    steps.map(|n| (n.to_string(), json!((share(n) * 1e4).round() / 1e4))).collect::<serde_json::Map<_, _>>().into()
}

fn frequent(ids: &Ids, counts: &[u64], top: usize) -> Value {
    counts.iter().take(top).enumerate().map(|(i, &count)| (ids.name(i), json!(count))).collect::<serde_json::Map<_, _>>().into()
}

fn describe(value: &Value, indent: usize, out: &mut String) {
    for (name, value) in value.as_object().into_iter().flatten() {
        if let Some(names) = value.as_array().and_then(|all| all.iter().map(Value::as_str).collect::<Option<Vec<_>>>()) {
            *out += &format!("{:indent$}{name} {}\n", "", names.join(", "));
        } else if let Some(members) = value.as_array() {
            for (i, member) in members.iter().enumerate() {
                *out += &format!("{:indent$}member {}\n", "", i + 1);
                describe(member, indent + 2, out);
            }
        } else if value.is_object() {
            *out += &format!("{:indent$}{name}\n", "");
            describe(value, indent + 2, out);
        } else {
            *out += &format!("{:indent$}{name} {}\n", "", value.as_str().map_or_else(|| value.to_string(), str::to_string));
        }
    }
}
