//! Text between tabs. The first line has what the model says of itself, as JSON behind `# hogwild `; a comment tells the columns of each kind
//! of lines. `bias` and the like are lines `number NAME VALUE`; each feature, user, item or class has a line `AXIS ID VALUE ...`, with all
//! its numbers in the order of the tensors. In ids a backslash stands before what would end them: `\t`, `\n`, `\r`, `\\`.
use super::{Member, Trouble, about_of, check_finite, schema_of};
use crate::model::{About, Axis, Schema, Size, Tensor, TensorKind, Tensors, TrainedModel, check_numbers};
use hogwild_data::Ids;
use hogwild_kernels::loss::Loss;
use std::{
    collections::HashSet,
    io::{BufWriter, Write},
};

const HEAD: &str = "# hogwild ";
const REMEDY: &str = "give a model as it was exported; its numbers may be changed";

/// The tensors whose rows belong to an axis.
fn of_axis<'a>(schema: &'a Schema, axis: &'a str) -> impl Iterator<Item = &'a TensorKind> {
    schema.tensors.iter().filter(move |tensor| matches!(tensor.shape.first(), Some(Size::Ids(name)) if *name == axis))
}

pub(super) fn write(model: &Member<'_>, out: &mut dyn Write) -> Result<(), Trouble> {
    let Member { model, tensors, schema } = model;
    if let Some(kind) = schema.tensors.iter().find(|kind| matches!(kind.shape.first(), Some(Size::First(_)))) {
        return Err(Trouble::Bad(
            format!("has in `{}` numbers of some features alone, which have no lines of text", kind.name),
            "export it as npz",
        ));
    }
    let mut out = BufWriter::new(out);
    writeln!(out, "{HEAD}{}", model.about())?;
    for tensor in tensors.0.iter().filter(|tensor| tensor.shape == [1] && schema.tensors.iter().any(|kind| is_one(kind, tensor.name))) {
        writeln!(out, "number\t{}\t{}", tensor.name, tensor.numbers[0])?;
    }
    for axis in &model.axes {
        let own: Vec<(&str, usize, &[f32])> = of_axis(schema, axis.name)
            .filter_map(|kind| tensors.get(kind.name))
            .map(|tensor| (tensor.name, tensor.numbers.len() / tensor.shape[0].max(1), tensor.numbers.as_slice()))
            .collect();
        let told: Vec<String> =
            own.iter().map(|(name, width, _)| if *width == 1 { (*name).into() } else { format!("{name} x {width}") }).collect();
        writeln!(out, "# {}\tid\t{}", axis.name, told.join("\t"))?;
        for row in 0..axis.ids.len() {
            write!(out, "{}\t{}", axis.name, escaped(&axis.ids.name(row)))?;
            for (_, width, numbers) in &own {
                for number in &numbers[row * width..][..*width] {
                    write!(out, "\t{number}")?;
                }
            }
            writeln!(out)?;
        }
    }
    Ok(out.flush()?)
}

fn is_one(kind: &TensorKind, name: &str) -> bool {
    kind.name == name && kind.shape == [Size::One]
}

/// What is read of an axis.
struct Rows {
    axis: &'static str,
    ids: Vec<String>,
    /// Numbers of a line.
    width: usize,
    numbers: Vec<f32>,
}

pub(super) fn read(bytes: &[u8], loss: Option<Loss>) -> Result<TrainedModel, Trouble> {
    let text = std::str::from_utf8(bytes).map_err(|_| Trouble::Bad("is no text in UTF-8".into(), REMEDY))?;
    let none = || Trouble::Bad(format!("does not begin with `{}`", HEAD.trim_end()), REMEDY);
    let about = text.lines().next().and_then(|line| line.strip_prefix(HEAD)).and_then(|json| serde_json::from_str(json).ok());
    let about: serde_json::Value = about.ok_or_else(none)?;
    let schema = schema_of(about["kind"].as_str().unwrap_or(""))?;
    let told = about_of(&about, schema, loss)?;
    let mut rows: Vec<Rows> = schema.axes.iter().map(|axis| Rows { axis, ids: Vec::new(), width: 0, numbers: Vec::new() }).collect();
    let mut singles: Vec<(&str, f32)> = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let bad = |text: &str, problem: &str| Trouble::BadLine(i + 1, text.into(), problem.into(), REMEDY);
        let mut cells = line.split('\t');
        let (what, id) = (cells.next().unwrap_or(""), cells.next().ok_or_else(|| bad(line, "has no id"))?);
        let number = |cell: &str| cell.trim().parse::<f32>().ok().filter(|x| x.is_finite()).ok_or_else(|| bad(cell, "is no finite number"));
        let numbers = cells.map(number).collect::<Result<Vec<f32>, _>>()?;
        if what == "number" {
            let [value] = numbers[..] else { return Err(bad(line, "is to have one number")) };
            singles.push((id, value));
            continue;
        }
        let Some(rows) = rows.iter_mut().find(|rows| rows.axis == what) else { return Err(bad(what, "is no part of such a model")) };
        if rows.ids.is_empty() {
            rows.width = numbers.len();
        } else if rows.width != numbers.len() {
            return Err(bad(line, "has more or fewer numbers than the lines before"));
        }
        rows.ids.push(unescaped(id));
        rows.numbers.extend(numbers);
    }
    for rows in &rows {
        let mut seen = HashSet::new();
        if let Some(twice) = rows.ids.iter().find(|id| !seen.insert(id.as_str())) {
            return Err(Trouble::Bad(format!("has the {} {twice} twice", rows.axis), REMEDY));
        }
    }
    build(schema, told, &rows, &singles)
}

/// The model of what was read.
fn build(schema: &'static Schema, about: About, rows: &[Rows], singles: &[(&str, f32)]) -> Result<TrainedModel, Trouble> {
    let count = |axis: &str| rows.iter().find(|rows| rows.axis == axis).map_or(0, |rows| rows.ids.len());
    // What is left of a line for the one dimension that only the file knows.
    let mut free = None;
    for rows in rows {
        let known = |kind: &TensorKind| kind.shape[1..].iter().try_fold(1, |n, size| Some(n * size_of(size, &count, None)?));
        let fixed: usize = of_axis(schema, rows.axis).filter_map(known).sum();
        let open = of_axis(schema, rows.axis).filter(|kind| known(kind).is_none()).count();
        if let Some(left) = rows.width.checked_sub(fixed).filter(|_| open > 0 && !rows.ids.is_empty()) {
            free = free.or(Some(left / open));
        }
    }
    let mut tensors = Vec::new();
    for kind in schema.tensors {
        let shape: Option<Vec<usize>> = kind.shape.iter().map(|size| size_of(size, &count, free)).collect();
        let shape = shape.ok_or_else(|| Trouble::Bad(format!("does not say how many numbers `{}` has", kind.name), REMEDY))?;
        tensors.push(Tensor { name: kind.name, numbers: numbers_of(kind, &shape, schema, rows, singles)?, shape });
    }
    for rows in rows {
        let width: usize = of_axis(schema, rows.axis).zip(0..).map(|(kind, _)| width_of(kind, &tensors)).sum();
        if width != rows.width && !rows.ids.is_empty() {
            let problem = format!("has {} numbers for each {}, and such a model has {width}", rows.width, rows.axis);
            return Err(Trouble::Bad(problem, REMEDY));
        }
    }
    check_finite(&tensors)?;
    let axes: Vec<Axis> = rows.iter().map(|rows| Axis { name: rows.axis, ids: ids_of(&rows.ids).into() }).collect();
    let About { loss, unit, unit_rows, classes, class_names, recipe, settings } = about;
    let members = vec![Tensors(tensors)];
    check_numbers(&members[0], |name| axes.iter().find(|axis| axis.name == name).map(|axis| axis.ids.len()))
        .map_err(|problem| Trouble::Bad(problem, REMEDY))?;
    let model = TrainedModel { family: schema.family, loss, unit, classes, class_names, unit_rows, settings, recipe, axes, members };
    Ok(model.with_vocabulary(Vec::new()))
}

/// The length of a dimension, where it is known.
fn size_of(size: &Size, count: &impl Fn(&str) -> usize, free: Option<usize>) -> Option<usize> {
    match size {
        Size::One => Some(1),
        Size::Ids(axis) => Some(count(axis)),
        Size::First(_) | Size::Free(_) => free,
    }
}

/// Numbers of a tensor in a line.
fn width_of(kind: &TensorKind, tensors: &[Tensor]) -> usize {
    let found = tensors.iter().find(|tensor| tensor.name == kind.name);
    found.map_or(0, |tensor| tensor.shape.get(1..).unwrap_or_default().iter().product())
}

fn numbers_of(kind: &TensorKind, shape: &[usize], schema: &Schema, rows: &[Rows], singles: &[(&str, f32)]) -> Result<Vec<f32>, Trouble> {
    let Some(Size::Ids(axis)) = kind.shape.first() else {
        let mut found = singles.iter().filter(|(name, _)| *name == kind.name);
        return match (found.next(), found.next()) {
            (Some(&(_, number)), None) => Ok(vec![number]),
            (None, _) => Err(Trouble::Bad(format!("has no line `number` of `{}`", kind.name), REMEDY)),
            _ => Err(Trouble::Bad(format!("has the number `{}` twice", kind.name), REMEDY)),
        };
    };
    let Some(rows) = rows.iter().find(|rows| rows.axis == *axis) else { return Ok(Vec::new()) };
    let width: usize = shape[1..].iter().product();
    // Behind those of the tensors before it, of which all but the last have one number or as many.
    let before = of_axis(schema, axis).take_while(|other| other.name != kind.name);
    let start: usize = before.map(|other| if other.shape.len() == 1 { 1 } else { width }).sum();
    let of_line = |line: &[f32]| line.get(start..start + width).map(<[f32]>::to_vec);
    let lines: Option<Vec<Vec<f32>>> = rows.numbers.chunks(rows.width.max(1)).map(of_line).collect();
    let few = || Trouble::Bad(format!("has {} numbers for each {axis}, which are too few", rows.width), REMEDY);
    Ok(lines.ok_or_else(few)?.concat())
}

/// Numbers, where all are plain ones.
pub(super) fn ids_of(names: &[String]) -> Ids {
    let numbers: Option<Vec<u64>> =
        names.iter().map(|name| name.parse::<u64>().ok().filter(|number| number.to_string() == *name)).collect();
    numbers.map_or_else(|| names.iter().map(String::as_str).collect(), Ids::Numbers)
}

fn escaped(id: &str) -> String {
    id.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescaped(id: &str) -> String {
    let (mut out, mut rest) = (String::new(), id.chars());
    while let Some(next) = rest.next() {
        out.push(match next {
            '\\' => match rest.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    out
}
