//! What Vowpal Wabbit writes by `--invert_hash`: a head, `:0`, then a line `name:hash:weight` for each feature, and `Constant` for the bias.
//! Names are `namespace^feature`, as this program has them for Vowpal Wabbit's lines. In what this program writes the column stands for the
//! hash.
use super::{Member, Trouble, check_finite, tsv::ids_of};
use crate::{classes::Classes, family::LinearModel, model::TrainedModel};
use hogwild_data::{Format, Recipe};
use hogwild_kernels::loss::{Loss, Quantile};
use serde_json::json;
use std::{
    collections::HashSet,
    io::{BufWriter, Write},
};

const BIAS: &str = "Constant";
const REMEDY: &str = "give a file that Vowpal Wabbit wrote by `--invert_hash`";

/// What it calls a loss.
fn name_of(loss: Loss) -> Option<&'static str> {
    Some(match loss {
        Loss::Logistic => "logistic",
        Loss::Squared => "squared",
        Loss::Hinge => "hinge",
        Loss::Quantile(_) => "quantile",
        Loss::Poisson => "poisson",
        _ => return None,
    })
}

pub(super) fn write(model: &Member<'_>, out: &mut dyn Write) -> Result<(), Trouble> {
    model.check_plain()?;
    let Member { model, tensors, .. } = model;
    let bad = |problem: String| Err(Trouble::Bad(problem, "export it as tsv or npz"));
    if model.family != "linear" || model.unit_rows {
        return bad(format!("is a model `{}`, which this format does not hold", model.family));
    }
    let Some(ids) = model.ids("feature") else { return bad("has no features".into()) };
    let Some(name) = name_of(model.loss) else { return bad(format!("has the loss {}, which Vowpal Wabbit has not", model.loss)) };
    let odd = |name: &String| name.contains(|c: char| c == ':' || c == '|' || c.is_whitespace()) || name == BIAS;
    if let Some(name) = (0..ids.len()).map(|i| ids.name(i)).find(odd) {
        return bad(format!("has a feature `{name}`, whose name cannot stand in this format"));
    }
    let mut out = BufWriter::new(out);
    writeln!(out, "Version 9.0.0\nId \nMin label:-1\nMax label:1\nbits:18\nlda:0\n0 ngram:\n0 skip:")?;
    writeln!(out, "options: --loss_function {name}\nChecksum: 0\n:0\n{BIAS}:116060:{}", tensors.number("bias"))?;
    for (i, weight) in tensors.numbers("weight").iter().enumerate() {
        writeln!(out, "{}:{i}:{weight}", ids.name(i))?;
    }
    Ok(out.flush()?)
}

pub(super) fn read(bytes: &[u8], asked: Option<Loss>) -> Result<TrainedModel, Trouble> {
    let text = std::str::from_utf8(bytes).map_err(|_| Trouble::Bad("is no text in UTF-8".into(), REMEDY))?;
    let Some((head, body)) = text.split_once("\n:0\n") else {
        return Err(Trouble::Bad("has no line `:0`, behind which its features would stand".into(), REMEDY));
    };
    let loss = match asked {
        Some(loss) => loss,
        None => loss_in(head)?,
    };
    let first = head.lines().count() + 2;
    let (mut names, mut weights, mut bias, mut seen) = (Vec::new(), Vec::new(), 0.0, HashSet::new());
    for (i, line) in body.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let bad = |problem: &str, remedy| Trouble::BadLine(first + i, line.into(), problem.into(), remedy);
        let mut parts = line.rsplitn(3, ':');
        let (Some(weight), Some(_hash), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("has no name: hashes alone were written", "write the model by `--invert_hash`, not by `--readable_model`"));
        };
        // What the update rule keeps may stand behind the weight.
        let weight = weight.split_ascii_whitespace().next().and_then(|word| word.parse::<f32>().ok()).filter(|w| w.is_finite());
        let weight = weight.ok_or_else(|| bad("has no finite weight", REMEDY))?;
        // Behind a name that was repeated by a reduction stands its number: `name[1]`.
        if name == BIAS {
            bias = weight;
        } else if name.ends_with(']') && name.contains('[') {
            return Err(bad("is of a model with several weights a feature", "give a model of one score a line"));
        } else if !seen.insert(name) {
            return Err(bad("is there twice", REMEDY));
        } else {
            names.push(name.to_owned());
            weights.push(weight);
        }
    }
    let ids = ids_of(&names);
    let model = LinearModel { ids: &ids, bias, weights: &weights, unit_rows: false }.trained(loss);
    check_finite(&model.last().0)?;
    let recipe = Recipe::from_json(&json!({ "format": Format::Vw.name() }));
    Ok(TrainedModel { recipe, classes: loss.is_classification().then_some(Classes::SIGNS), ..model })
}

/// The loss by the options that are kept: squares where they say none.
fn loss_in(head: &str) -> Result<Loss, Trouble> {
    let options = head.lines().find_map(|line| line.strip_prefix("options:")).unwrap_or("");
    let mut words = options.split([' ', '=']).filter(|word| !word.is_empty());
    let value = |name: &str| {
        let mut words = options.split([' ', '=']).filter(|word| !word.is_empty());
        words.find(|word| *word == name)?;
        words.next()
    };
    if words.any(|word| matches!(word, "--rank" | "--lrq" | "--nn" | "--oaa" | "--csoaa" | "--cb" | "--ect" | "--boosting")) {
        return Err(Trouble::Bad(format!("was trained with options of other models:{options}"), "give a linear model of one score a line"));
    }
    match value("--loss_function") {
        None | Some("squared" | "classic") => Ok(Loss::Squared),
        Some("logistic") => Ok(Loss::Logistic),
        Some("hinge") => Ok(Loss::Hinge),
        Some("poisson") => Ok(Loss::Poisson),
        Some("quantile") => {
            let tau = value("--quantile_tau").and_then(|tau| tau.parse().ok()).unwrap_or(0.5);
            Ok(Quantile { tau }.into())
        }
        Some(other) => {
            Err(Trouble::Bad(format!("was trained with the loss `{other}`"), "say by `loss` which of this program's losses that is"))
        }
    }
}
