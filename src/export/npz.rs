//! Arrays for `numpy.load`: a ZIP archive, not compressed, of `.npy` files (format 1.0 of NumPy's NEP 1). Each tensor is an array of its
//! name; ids are arrays `feature`, `user`, `item`, `class`: `u64`, or text in UTF-32; `about` has what the model says of itself, as JSON.
use super::{Member, Trouble, about_of, check_finite, schema_of, tsv::ids_of};
use crate::model::{About, Axis, Size, Tensor, Tensors, TrainedModel, check_numbers, check_size};
use hogwild_data::{Ids, NpyHeader};
use hogwild_kernels::loss::Loss;
use std::io::{Cursor, Read, Write};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// The array of what the model says of itself.
const ABOUT: &str = "about";
/// The most bytes of an array of names: each takes the room of the longest.
const MOST: usize = 4 << 30;
const REMEDY: &str = "give a file as it was exported; its numbers may be changed";

/// How many ids an axis has.
fn ids(axes: &[Axis], name: &str) -> Option<usize> {
    axes.iter().find(|axis| axis.name == name).map(|axis| axis.ids.len())
}

fn failed(error: zip::result::ZipError) -> Trouble {
    Trouble::Io(std::io::Error::other(error))
}

pub(super) fn write(model: &Member<'_>, out: &mut dyn Write) -> Result<(), Trouble> {
    let Member { model, tensors, .. } = model;
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut put = |name: &str, kind: &str, shape: &[usize], bytes: &[u8]| -> Result<(), Trouble> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(bytes.len() > 1 << 31);
        archive.start_file(format!("{name}.npy"), options).map_err(failed)?;
        archive.write_all(&header(kind, shape))?;
        Ok(archive.write_all(bytes)?)
    };
    for Tensor { name, shape, numbers } in &tensors.0 {
        put(name, "<f4", shape, bytemuck::cast_slice(numbers))?;
    }
    for axis in &model.axes {
        match &*axis.ids {
            Ids::Numbers(numbers) => put(axis.name, "<u8", &[numbers.len()], bytemuck::cast_slice(numbers))?,
            ids => {
                let names: Vec<Vec<u32>> = (0..ids.len()).map(|i| ids.name(i).chars().map(u32::from).collect()).collect();
                let longest = names.iter().map(Vec::len).max().unwrap_or(0).max(1);
                if 4 * longest * names.len() > MOST {
                    let problem =
                        format!("has {} names, the longest of {longest} characters, and each would take as much room", names.len());
                    return Err(Trouble::Bad(problem, "export it as tsv"));
                }
                let mut padded = vec![0u32; longest * names.len()];
                padded.chunks_mut(longest).zip(&names).for_each(|(room, name)| room[..name.len()].copy_from_slice(name));
                put(axis.name, &format!("<U{longest}"), &[names.len()], bytemuck::cast_slice(&padded))?;
            }
        }
    }
    let about: Vec<u32> = model.about().to_string().chars().map(u32::from).collect();
    put(ABOUT, &format!("<U{}", about.len()), &[], bytemuck::cast_slice(&about))?;
    let archive = archive.finish().map_err(failed)?;
    Ok(out.write_all(archive.get_ref())?)
}

/// What stands before an array's bytes, which begin at a multiple of 64.
fn header(kind: &str, shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size},")).collect();
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    text.extend(std::iter::repeat_n(' ', length - text.len() - 1));
    text.push('\n');
    [b"\x93NUMPY\x01\x00", &(length as u16).to_le_bytes()[..], text.as_bytes()].concat()
}

/// An array as it was read.
struct Array {
    kind: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    fn parse(name: &str, file: Vec<u8>) -> Result<Array, Trouble> {
        let bad = |problem: &str| Trouble::Bad(format!("its array `{name}` {problem}"), REMEDY);
        let NpyHeader { kind, shape, fortran, length } = NpyHeader::read(&mut file.as_slice()).map_err(|problem| bad(&problem))?;
        if fortran && shape.len() > 1 {
            return Err(bad("lies column by column; give `numpy.ascontiguousarray` of it"));
        }
        let bytes = file[length..].to_vec();
        let count = shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
        let size = count.zip(size_of_kind(&kind)).and_then(|(count, size)| count.checked_mul(size));
        if size != Some(bytes.len()) {
            return Err(bad(&format!("is of a type that this program does not read, `{kind}`, or is cut short")));
        }
        Ok(Array { kind, shape, bytes })
    }

    /// As numbers of 32 bits.
    fn floats(&self) -> Option<Vec<f32>> {
        match self.kind.as_str() {
            "<f4" => Some(bytemuck::pod_collect_to_vec(&self.bytes)),
            "<f8" => Some(bytemuck::pod_collect_to_vec::<u8, f64>(&self.bytes).into_iter().map(|x| x as f32).collect()),
            _ => None,
        }
    }

    fn texts(&self) -> Option<Vec<String>> {
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&self.bytes);
        let width = self.kind.strip_prefix("<U")?.parse::<usize>().ok()?.max(1);
        let text = |name: &[u32]| {
            let end = name.iter().rposition(|&c| c != 0).map_or(0, |last| last + 1);
            name[..end].iter().map(|&c| char::from_u32(c)).collect::<Option<String>>()
        };
        words.chunks(width).map(text).collect()
    }

    fn ids(&self) -> Option<Ids> {
        match self.kind.as_str() {
            "<u8" => Some(Ids::Numbers(bytemuck::pod_collect_to_vec(&self.bytes))),
            "<i8" => {
                let numbers: Vec<i64> = bytemuck::pod_collect_to_vec(&self.bytes);
                Some(Ids::Numbers(numbers.into_iter().map(|number| u64::try_from(number).ok()).collect::<Option<_>>()?))
            }
            _ => Some(ids_of(&self.texts()?)),
        }
    }
}

/// Bytes of an element.
fn size_of_kind(kind: &str) -> Option<usize> {
    match kind {
        "<f4" => Some(4),
        "<f8" | "<u8" | "<i8" => Some(8),
        _ => kind.strip_prefix("<U")?.parse::<usize>().ok()?.checked_mul(4),
    }
}

pub(super) fn read(bytes: &[u8], loss: Option<Loss>) -> Result<TrainedModel, Trouble> {
    let bad = |problem: String| Trouble::Bad(problem, REMEDY);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| bad(format!("is no archive of arrays ({error})")))?;
    let mut array = |name: &str| -> Result<Array, Trouble> {
        let mut file = archive.by_name(&format!("{name}.npy")).map_err(|error| bad(format!("has no array `{name}` ({error})")))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Array::parse(name, bytes)
    };
    let about = array(ABOUT)?.texts().and_then(|texts| serde_json::from_str(texts.first()?).ok());
    let about: serde_json::Value = about.ok_or_else(|| bad(format!("its array `{ABOUT}` is no JSON")))?;
    let schema = schema_of(about["kind"].as_str().unwrap_or(""))?;
    let About { loss, unit, unit_rows, classes, class_names, recipe, settings } = about_of(&about, schema, loss)?;
    let mut axes = Vec::new();
    for &name in schema.axes {
        let ids = array(name)?.ids().ok_or_else(|| bad(format!("its array `{name}` is of no ids: whole numbers or texts")))?;
        axes.push(Axis { name, ids: ids.into() });
    }
    let mut tensors = Vec::new();
    let mut free: Vec<(&str, usize)> = Vec::new();
    for kind in schema.tensors {
        let found = array(kind.name)?;
        let numbers = found.floats().ok_or_else(|| bad(format!("its array `{}` is of no floating numbers", kind.name)))?;
        let fits = found.shape.len() == kind.shape.len()
            && kind.shape.iter().zip(&found.shape).all(|(size, &length)| match size {
                Size::One => length == 1,
                Size::Ids(axis) => axes.iter().any(|known: &Axis| known.name == *axis && known.ids.len() == length),
                Size::First(_) => true,
                Size::Free(name) => match free.iter().find(|(known, _)| known == name) {
                    Some(&(_, known)) => known == length,
                    None => {
                        free.push((name, length));
                        true
                    }
                },
            });
        if !fits {
            return Err(bad(format!(
                "its array `{}` has the shape {:?}, which does not fit its ids and other arrays",
                kind.name, found.shape
            )));
        }
        for (size, &length) in kind.shape.iter().zip(&found.shape) {
            check_size(*size, length, |axis| ids(&axes, axis)).map_err(|problem| bad(format!("its array `{}` {problem}", kind.name)))?;
        }
        tensors.push(Tensor { name: kind.name, shape: found.shape, numbers });
    }
    check_finite(&tensors)?;
    let members = vec![Tensors(tensors)];
    check_numbers(&members[0], |axis| ids(&axes, axis)).map_err(bad)?;
    let model = TrainedModel { family: schema.family, loss, unit, classes, class_names, unit_rows, settings, recipe, axes, members };
    Ok(model.with_vocabulary(Vec::new()))
}
