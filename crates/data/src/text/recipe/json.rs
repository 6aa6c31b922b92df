//! A recipe as JSON: how packed files and models keep it, and `inspect` shows it.

use super::{Bits, Column, MOST_BITS, Recipe, Step, TermFrequency};
use crate::Format;
use hogwild_base::Named;
use serde_json::{Map, Value, json};

impl Recipe {
    /// As files keep it.
    pub fn to_json(&self) -> Value {
        let mut all = Map::from_iter([("format".to_owned(), Value::from(self.format.name()))]);
        let mut put = |name: &str, value: Option<Value>| all.extend(value.map(|value| (name.to_owned(), value)));
        put("label", self.label.clone().map(Value::from));
        put("classes", (!self.classes.is_empty()).then(|| self.classes.clone().into()));
        put("several_labels", self.several.then(|| true.into()));
        put("columns", (!self.columns.is_empty()).then(|| self.columns.iter().map(column).collect()));
        put("crosses", (!self.crosses.is_empty()).then(|| self.crosses.clone().into()));
        put("ngrams", (self.ngrams > 1).then(|| self.ngrams.into()));
        put("by_field", self.by_field.then(|| true.into()));
        put("min_count", (self.min_count > 1).then(|| self.min_count.into()));
        put("tfidf", self.tfidf.map(|frequency| frequency.name().into()));
        put("hash_bits", self.hash_bits.map(Value::from));
        put("sampled", self.sampled.map(|(label, share)| json!({ "label": label.number(), "share": share.number() })));
        all.into()
    }

    /// Reads it again; none where it is no recipe that this version knows.
    pub fn from_json(json: &Value) -> Option<Recipe> {
        let all = json.as_object()?;
        const KNOWN: [&str; 12] = [
            "format",
            "label",
            "classes",
            "several_labels",
            "columns",
            "crosses",
            "ngrams",
            "by_field",
            "min_count",
            "tfidf",
            "hash_bits",
            "sampled",
        ];
        if all.keys().any(|key| !KNOWN.contains(&key.as_str())) {
            return None;
        }
        let texts = |value: &Value| value.as_array()?.iter().map(|text| Some(text.as_str()?.to_owned())).collect::<Option<Vec<String>>>();
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|&number| number > 0);
        Some(Recipe {
            format: Format::named(all.get("format")?.as_str()?)?,
            label: all.get("label").map_or(Some(None), |label| label.as_str().map(|label| Some(label.to_owned())))?,
            classes: all.get("classes").map_or(Some(Vec::new()), texts)?,
            several: all.get("several_labels").map_or(Some(false), Value::as_bool)?,
            columns: match all.get("columns") {
                None => Vec::new(),
                Some(columns) => columns.as_array()?.iter().map(read_column).collect::<Option<_>>()?,
            },
            crosses: match all.get("crosses") {
                None => Vec::new(),
                Some(crosses) => crosses.as_array()?.iter().map(texts).collect::<Option<_>>()?,
            },
            ngrams: all.get("ngrams").map_or(Some(1), number)?,
            by_field: all.get("by_field").map_or(Some(false), Value::as_bool)?,
            min_count: all.get("min_count").map_or(Some(1), number)?,
            tfidf: all
                .get("tfidf")
                .map(|frequency| frequency.as_str().and_then(TermFrequency::named))
                .map_or(Some(None), |is| is.map(Some))?,
            hash_bits: all
                .get("hash_bits")
                .map(|bits| number(bits).filter(|bits| *bits <= MOST_BITS))
                .map_or(Some(None), |is| is.map(Some))?,
            sampled: all.get("sampled").map(sampled).map_or(Some(None), |is| is.map(Some))?,
            vocabulary: None,
        })
    }
}

fn sampled(json: &Value) -> Option<(Bits, Bits)> {
    let of = |key: &str| json[key].as_f64().map(|number| number as f32).filter(|number| number.is_finite()).map(Bits::of);
    Some((of("label")?, of("share")?))
}

fn column(column: &Column) -> Value {
    let name = &column.name;
    match &column.step {
        Step::Ignored => json!({ "name": name, "is": "ignored" }),
        Step::Weight => json!({ "name": name, "is": "weight" }),
        Step::Number => json!({ "name": name, "is": "number" }),
        Step::Log => json!({ "name": name, "is": "log1p" }),
        Step::Bins(wanted, edges) => {
            let edges: Vec<f32> = edges.iter().map(|edge| edge.number()).collect();
            json!({ "name": name, "is": "bins", "bins": wanted, "edges": edges })
        }
        Step::Word => json!({ "name": name, "is": "word" }),
        Step::List(mark) => json!({ "name": name, "is": "list", "between": mark }),
    }
}

fn read_column(json: &Value) -> Option<Column> {
    let step = match json["is"].as_str()? {
        "ignored" => Step::Ignored,
        "weight" => Step::Weight,
        "number" => Step::Number,
        "log1p" => Step::Log,
        "word" => Step::Word,
        "list" => Step::List(json["between"].as_str().filter(|mark| !mark.is_empty())?.to_owned()),
        "bins" => {
            let edges = json["edges"].as_array()?.iter().map(|edge| Some(edge.as_f64()? as f32)).collect::<Option<Vec<f32>>>()?;
            if !edges.is_sorted_by(|a, b| a < b) || edges.iter().any(|edge| !edge.is_finite()) {
                return None;
            }
            Step::Bins(u32::try_from(json["bins"].as_u64()?).ok()?, edges.into_iter().map(Bits::of).collect())
        }
        _ => return None,
    };
    Some(Column { name: json["name"].as_str()?.to_owned(), step, why: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::recipe::Finding;

    fn made() -> Recipe {
        let column = |name: &str, step| Column { name: name.into(), step, why: None };
        let columns = vec![
            column("age", Step::Number),
            column("id", Step::Ignored),
            column("n", Step::Weight),
            column("pay", Step::Log),
            column("city", Step::Word),
            column("tags", Step::List("|".into())),
            column("price", Step::Bins(3, [0.1, 3e9].map(Bits::of).to_vec())),
        ];
        let classes = vec!["no".into(), "yes".into()];
        let crosses = vec![vec!["age".into(), "city".into()]];
        let base = Recipe { tfidf: Some(TermFrequency::Sublinear), hash_bits: Some(18), ..Recipe::of(Format::ALL[0]) };
        let sampled = Some((Bits::of(-1.0), Bits::of(0.1)));
        Recipe { label: Some("y".into()), classes, columns, crosses, ngrams: 2, by_field: true, min_count: 5, sampled, ..base }
    }

    #[test]
    fn a_recipe_is_read_as_it_is_written() {
        for recipe in [made(), Recipe::of(Format::ALL[0])] {
            assert_eq!(Recipe::from_json(&recipe.to_json()), Some(recipe));
        }
        let whole = made().to_json();
        for (key, value) in [
            ("format", json!("none")),
            ("label", json!(3)),
            ("ngrams", json!(0)),
            ("crosses", json!(["age"])),
            ("tfidf", json!("often")),
            ("hash_bits", json!(40)),
            ("sampled", json!(0.1)),
            ("more", json!(1)),
            ("columns", json!([{ "name": "x" }])),
        ] {
            let mut damaged = whole.clone();
            damaged[key] = value;
            assert_eq!(Recipe::from_json(&damaged), None, "{key}");
        }
        let mut damaged = whole;
        damaged["columns"][6]["edges"] = json!([2.0, 1.0]);
        assert_eq!(Recipe::from_json(&damaged), None);
    }

    #[test]
    fn what_is_found_becomes_part_of_it_and_differences_are_named() {
        let recipe = made();
        let other = recipe.clone().amend(vec![Finding::Words(0, "`x`".into())]);
        assert_eq!(recipe.differences(&other), ["column `age` is words, and was numbers in training"]);
        let mut fewer = recipe.clone();
        fewer.columns.remove(4);
        assert_eq!(recipe.differences(&fewer), ["column `city` is missing"]);
        assert_eq!(fewer.differences(&recipe), ["column `city` was not there in training"]);
        assert_eq!(recipe.differences(&recipe), Vec::<String>::new());
        let owners = ["age", "ages", "city=Rome", "price<0.1", "id=4"].map(|feature| recipe.column_of(feature));
        assert_eq!(owners, [Some("age"), None, Some("city"), Some("price"), None]);
    }
}
