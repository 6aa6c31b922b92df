//! `hogwild inspect`: what a model or a packed file holds.
use super::{say::show, threads::ThreadOptions};
use clap::Args;
use hogwild::{
    TrainedModel,
    data::{Data, Ids, Recipe},
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
    #[command(flatten)]
    pub threads: ThreadOptions,
}

pub fn run(args: InspectArgs) -> anyhow::Result<()> {
    let found = match TrainedModel::open(&args.file) {
        Ok(model) => of_model(&model, args.top)?,
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
fn of_model(model: &TrainedModel, top: usize) -> hogwild::Result<Value> {
    let family = model.family()?;
    let mut found = json!({ "model": model.family, "settings": model.settings });
    match found["settings"].as_object_mut().filter(|_| family.cuts()) {
        // A cut has a cost of its own.
        Some(settings) => drop(settings.remove("loss")),
        None => found["loss"] = model.loss.to_string().into(),
    }
    if let Some(classes) = model.classes {
        found["classes"] = classes.names().into();
        found["positive_class"] = classes.positive.to_string().into();
    }
    if !model.class_names.is_empty() {
        found["class_names"] = model.class_names.clone().into();
    }
    if let Some(recipe) = &model.recipe {
        tell_recipe(recipe, &mut found);
    }
    if model.members.len() > 1 {
        found["members"] = model.members.iter().map(|member| family.describe_member(member)).collect();
    }
    for (name, value) in family.describe(model, top) {
        found[name] = value;
    }
    Ok(found)
}

/// What was done to the text.
fn tell_recipe(recipe: &Recipe, found: &mut Value) {
    found["recipe"] = recipe.to_json();
    if recipe.hash_bits().is_some() {
        found["names"] = "not kept: features are the numbers that they were hashed to".into();
    }
}

fn of_data(data: &Data, top: usize) -> anyhow::Result<Value> {
    Ok(match data {
        Data::Rows(d) => {
            let counts = d.feature_counts()?;
            let mut found = json!({
                "data": "sparse", "rows": d.rows(), "features": d.columns(), "nonzeros": d.nonzeros(),
                "longest_row": d.longest_row(), "all_values_one": d.all_ones(),
                "nonzeros_in_the_most_frequent": profile(&counts), "most_frequent": frequent(&d.feature_ids()?, &counts, top),
            });
            if d.weight_cells().is_some() {
                found["weights"] = true.into();
            }
            if let Some(recipe) = d.recipe() {
                tell_recipe(recipe, &mut found);
            }
            found
        }
        Data::Ratings(d) => {
            let (users, items) = (d.user_counts()?, d.item_counts()?);
            json!({
                "data": "ratings", "ratings": d.len(), "users": d.users(), "items": d.items(),
                "mean": d.mean(), "min": d.min(), "max": d.max(),
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
        } else if let Some(columns) = value.as_array().filter(|_| name == "columns") {
            *out += &format!("{:indent$}columns\n", "");
            for column in columns {
                let others = column.as_object().into_iter().flatten().filter(|(key, _)| *key != "name" && *key != "is");
                let others: String = others.map(|(key, value)| format!(" {key} {value}")).collect();
                let text = |key: &str| column[key].as_str().unwrap_or_default();
                *out += &format!("{:1$}{2} {3}{others}\n", "", indent + 2, text("name"), text("is"));
            }
        } else if let Some(members) = value.as_array() {
            for (i, member) in members.iter().enumerate() {
                *out += &format!("{:indent$}member {}\n", "", i + 1);
                describe(member, indent + 2, out);
            }
        } else if value.is_object() {
            *out += &format!("{:indent$}{name}\n", "");
            describe(value, indent + 2, out);
        } else {
            // A name may hold the end of a line.
            let name = if name.contains(char::is_control) { name.escape_debug().to_string() } else { name.clone() };
            *out += &format!("{:indent$}{name} {}\n", "", value.as_str().map_or_else(|| value.to_string(), str::to_string));
        }
    }
}
