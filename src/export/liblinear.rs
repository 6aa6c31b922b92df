//! LIBLINEAR's model file (`save_model` in its linear.cpp): a head of `name value` lines, then `w` and a line for each feature from 1 on, at
//! the end that of the bias. Of two classes a line has one number, which speaks for the first label; of more, one for each.
use super::{Member, Trouble, check_finite};
use crate::{
    classes::Classes,
    family::LinearModel,
    model::{Axis, Tensor, Tensors, TrainedModel},
};
use hogwild_data::Ids;
use hogwild_kernels::loss::{EpsilonInsensitive, Loss};
use std::io::{BufWriter, Write};

/// The most features of a file: it has a line for each up to the largest number.
const MOST: u64 = 100_000_000;
const REMEDY: &str = "give a file that LIBLINEAR's train wrote";

/// What its solvers minimise, and whether they have a vector of weights for each of two classes, too.
fn loss_of(solver: &str) -> Option<Loss> {
    Some(match solver {
        "L2R_LR" | "L2R_LR_DUAL" | "L1R_LR" => Loss::Logistic,
        "L2R_L2LOSS_SVC_DUAL" | "L2R_L2LOSS_SVC" | "L1R_L2LOSS_SVC" => Loss::SquaredHinge,
        "L2R_L1LOSS_SVC_DUAL" | MULTICLASS => Loss::Hinge,
        "L2R_L2LOSS_SVR" | "L2R_L2LOSS_SVR_DUAL" => Loss::Squared,
        "L2R_L1LOSS_SVR_DUAL" => EpsilonInsensitive::DEFAULT.into(),
        _ => return None,
    })
}

/// Crammer and Singer's, of which even two classes have a vector each.
const MULTICLASS: &str = "MCSVM_CS";

fn solver_of(loss: Loss) -> Option<&'static str> {
    Some(match loss {
        Loss::Logistic => "L2R_LR",
        Loss::SquaredHinge => "L2R_L2LOSS_SVC",
        Loss::Hinge => "L2R_L1LOSS_SVC_DUAL",
        Loss::Squared => "L2R_L2LOSS_SVR",
        _ => return None,
    })
}

pub(super) fn write(model: &Member<'_>, out: &mut dyn Write) -> Result<(), Trouble> {
    model.check_plain()?;
    let Member { model, tensors, .. } = model;
    let bad = |problem: String| Err(Trouble::Bad(problem, "export it as tsv or npz"));
    if !matches!(model.family, "linear" | "ovr") || model.unit_rows {
        let rows = if model.unit_rows { " that divides rows by their lengths" } else { "" };
        return bad(format!("is a model `{}`{rows}, which LIBLINEAR has not", model.family));
    }
    let Some(solver) = solver_of(model.loss) else { return bad(format!("has the loss {}, which LIBLINEAR has not", model.loss)) };
    let Some(Ids::Numbers(ids)) = model.ids("feature").map(|ids| &**ids) else {
        return bad("has features with names, and LIBLINEAR's are numbers".into());
    };
    let features = ids.iter().copied().max().unwrap_or(0);
    if ids.contains(&0) || features > MOST {
        return bad(format!("has feature {}, and LIBLINEAR's are numbered from 1 to {MOST}", if ids.contains(&0) { 0 } else { features }));
    }
    let (bias, weights) = (tensors.numbers("bias"), tensors.numbers("weight"));
    let labels: Vec<String> = match model.classes {
        _ if model.family == "ovr" => model.ids("class").map_or(Vec::new(), |ids| (0..ids.len()).map(|i| ids.name(i)).collect()),
        Some(Classes { negative, positive }) => vec![positive.to_string(), negative.unwrap_or(-positive).to_string()],
        None => Vec::new(),
    };
    if let Some(label) = labels.iter().find(|label| label.parse::<i32>().is_err()) {
        return bad(format!("has the label {label}, and LIBLINEAR's are whole numbers"));
    }
    if model.family == "ovr" && bias.len() < 3 {
        return bad("has one-vs-rest of fewer than three classes, for which LIBLINEAR has one vector".into());
    }
    let mut out = BufWriter::new(out);
    writeln!(out, "solver_type {solver}\nnr_class {}", labels.len().max(2))?;
    if !labels.is_empty() {
        writeln!(out, "label {}", labels.join(" "))?;
    }
    writeln!(out, "nr_feature {features}\nbias 1\nw")?;
    let mut rows: Vec<u32> = vec![u32::MAX; features as usize + 1];
    ids.iter().enumerate().for_each(|(row, &id)| rows[id as usize] = row as u32);
    let line = |numbers: &[f32]| numbers.iter().map(|x| format!("{x} ")).collect::<String>();
    let zeros = vec![0.0; bias.len()];
    for &row in &rows[1..] {
        let numbers = if row == u32::MAX { &zeros } else { &weights[row as usize * bias.len()..][..bias.len()] };
        writeln!(out, "{}", line(numbers))?;
    }
    writeln!(out, "{}", line(bias))?;
    Ok(out.flush()?)
}

pub(super) fn read(bytes: &[u8], asked: Option<Loss>) -> Result<TrainedModel, Trouble> {
    let text = std::str::from_utf8(bytes).map_err(|_| Trouble::Bad("is no text".into(), REMEDY))?;
    let mut lines = text.lines().enumerate();
    let (mut solver, mut classes, mut labels, mut features, mut bias) = ("", 2usize, Vec::new(), None, -1.0f64);
    for (i, line) in lines.by_ref() {
        let bad = |problem: String| Trouble::BadLine(i + 1, line.into(), problem, REMEDY);
        let (name, value) = line.split_once(' ').unwrap_or((line.trim_end(), ""));
        let value = value.trim();
        match name {
            "solver_type" => solver = value,
            "nr_class" => {
                classes = value.parse().ok().filter(|n| (2..=65_536).contains(n)).ok_or_else(|| bad("is no number of classes".into()))?
            }
            "label" => labels = value.split_ascii_whitespace().map(str::to_owned).collect(),
            "nr_feature" => {
                let most = |n: &u64| *n <= MOST;
                features = Some(value.parse().ok().filter(most).ok_or_else(|| bad("is no number of features".into()))?);
            }
            "bias" => bias = value.parse().ok().filter(|x: &f64| x.is_finite()).ok_or_else(|| bad("is no number".into()))?,
            "rho" => {}
            "w" => break,
            _ => return Err(bad("is no line of a LIBLINEAR model".into())),
        }
    }
    let features = features.ok_or_else(|| Trouble::Bad("says nothing of its features".into(), REMEDY))? as usize;
    let unknown = || Trouble::Bad(format!("was made by the solver `{solver}`, of which this program knows no loss"), REMEDY);
    let loss = asked.map_or_else(|| loss_of(solver).ok_or_else(unknown), Ok)?;
    let width = if loss.is_classification() && (classes > 2 || solver == MULTICLASS) { classes } else { 1 };
    if loss.is_classification() && labels.len() != classes {
        return Err(Trouble::Bad(format!("has {} labels for {classes} classes", labels.len()), REMEDY));
    }
    let mut numbers = Vec::with_capacity((features + 1) * width);
    for (i, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let number = |word: &str| word.parse::<f32>().ok().filter(|x| x.is_finite());
        let found: Option<Vec<f32>> = line.split_ascii_whitespace().map(number).collect();
        let bad = || Trouble::BadLine(i + 1, line.into(), format!("is to be {width} finite numbers"), REMEDY);
        numbers.extend(found.filter(|found| found.len() == width).ok_or_else(bad)?);
    }
    let has_bias = bias >= 0.0;
    let lines = features + has_bias as usize;
    if numbers.len() != lines * width {
        let problem = format!("has {} lines of weights, and {lines} are to be there", numbers.len() / width);
        return Err(Trouble::Bad(problem, REMEDY));
    }
    let weights: Vec<f32> = numbers.drain(..features * width).collect();
    let bias: Vec<f32> = if has_bias { numbers.iter().map(|w| (*w as f64 * bias) as f32).collect() } else { vec![0.0; width] };
    // Features that say nothing are none.
    let kept: Vec<usize> = (0..features).filter(|i| weights[i * width..][..width].iter().any(|w| *w != 0.0)).collect();
    let ids = Ids::Numbers(kept.iter().map(|&i| i as u64 + 1).collect());
    let weights: Vec<f32> = kept.iter().flat_map(|&i| weights[i * width..][..width].iter().copied()).collect();
    if width == 1 {
        let classes = two(&labels).filter(|_| loss.is_classification());
        let view = LinearModel { ids: &ids, bias: bias[0], weights: &weights, unit_rows: false };
        let model = view.trained(loss);
        check_finite(&model.last().0)?;
        return Ok(TrainedModel { classes, ..model });
    }
    let tensors = vec![
        Tensor { name: "bias", shape: vec![width], numbers: bias },
        Tensor { name: "weight", shape: vec![kept.len(), width], numbers: weights },
    ];
    check_finite(&tensors)?;
    let axes = vec![
        Axis { name: "feature", ids: ids.into() },
        Axis { name: "class", ids: labels.iter().map(String::as_str).collect::<Ids>().into() },
    ];
    let (members, settings) = (vec![Tensors(tensors)], serde_json::Value::Null);
    Ok(TrainedModel {
        family: "ovr",
        loss,
        unit: 1.0,
        classes: None,
        class_names: Vec::new(),
        unit_rows: false,
        settings,
        recipe: None,
        axes,
        members,
    })
}

/// The two labels: weights speak for the first.
fn two(labels: &[String]) -> Option<Classes> {
    let [positive, negative] = labels else { return None };
    Some(Classes { negative: negative.parse().ok(), positive: positive.parse().ok()? })
}
