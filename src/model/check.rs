//! Whether a model file is what was written: its checksum, types and shapes of the tensors, and ids that occur twice where there is no
//! checksum (files of earlier versions have none).
//!
//! The checksum is xxh3 of the whole file with sixteen zeros in its place. It stands in the header, first in the entry `hogwild`.
use super::{
    schema::{MOST_FACTORS, PLACES, Schema, Size},
    trained::{MOST_MEMBERS, Tensors},
};
use hashbrown::HashSet;
use hogwild_data::Ids;
use safetensors::{Dtype, SafeTensors};
use xxhash_rust::xxh3::xxh3_64;

/// What a file says that it is.
pub(super) const FORMAT: &str = "hogwild-model";
/// Of one model, and of an ensemble.
pub(super) const VERSIONS: [&str; 2] = ["1", "2"];
/// Where the digits are to come, as the model's JSON has them.
pub(super) const BLANK: &str = "0000000000000000";
/// What the shares of a node may differ from 1 by, together.
const SHARES: f64 = 1e-3;
/// What stands before the digits: JSON within JSON.
const BEFORE: &[u8] = br#"{\"checksum\":\""#;

/// Puts the checksum into a file that is to be written.
pub(super) fn seal(file: &mut [u8]) {
    let sum = xxh3_64(file);
    if let Some(digits) = place(file).and_then(|place| file.get_mut(place)) {
        digits.copy_from_slice(format!("{sum:016x}").as_bytes());
    }
}

/// Whether a file's checksum is that of its contents; none: it has no checksum.
pub(super) fn check_sum(file: &mut [u8]) -> Option<bool> {
    let digits = place(file).and_then(|place| file.get_mut(place))?;
    let told = digits.to_vec();
    digits.copy_from_slice(BLANK.as_bytes());
    Some(format!("{:016x}", xxh3_64(file)).as_bytes() == told)
}

/// Where the digits are: in the header, at the beginning of the file.
fn place(file: &[u8]) -> Option<std::ops::Range<usize>> {
    let length = u64::from_le_bytes(file.first_chunk().copied()?);
    let header = file.get(8..)?.get(..usize::try_from(length).ok()?)?;
    let start = 8 + memchr::memmem::find(header, BEFORE)? + BEFORE.len();
    Some(start..start + BLANK.len()).filter(|place| place.end <= 8 + header.len())
}

/// What is wrong with the tensors of a model: each is to be there, of its type and shape. Otherwise how many members it has: one, or as
/// many as the first tensor of an ensemble.
pub(super) fn check_tensors(file: &SafeTensors<'_>, schema: &Schema, is_ensemble: bool) -> Result<usize, String> {
    let named = |name: &str| file.tensor(name).map_err(|_| format!("has no tensor `{name}`"));
    let first = schema.tensors.first().map(|tensor| named(tensor.name)).transpose()?;
    let members = if is_ensemble { first.and_then(|first| first.shape().first().copied()).unwrap_or(0) } else { 1 };
    if !(1..=MOST_MEMBERS).contains(&members) {
        return Err(format!("has {members} models, and there may be 1 to {MOST_MEMBERS}"));
    }
    let expect = |name: &str, dtype: Dtype, shape: &[Option<usize>]| -> Result<Vec<usize>, String> {
        let found = named(name)?;
        let fits =
            found.shape().len() == shape.len() && shape.iter().zip(found.shape()).all(|(want, have)| want.is_none_or(|want| want == *have));
        if found.dtype() != dtype || !fits {
            let wanted: Vec<_> = shape.iter().map(|size| size.map_or("any".to_string(), |size| size.to_string())).collect();
            let wanted = format!("{dtype:?} [{}]", wanted.join(", "));
            return Err(format!("tensor `{name}` is {:?} {:?} instead of {wanted}", found.dtype(), found.shape()));
        }
        Ok(found.shape().to_vec())
    };
    let count = |name: &str, dtype: Dtype| expect(name, dtype, &[None]).map(|shape| shape[0]);
    // What is known of sizes: first how many ids each axis has.
    let mut sizes: Vec<(Size, usize)> = vec![(Size::One, 1)];
    for axis in schema.axes {
        let ids = format!("{axis}_id");
        let rows = if file.tensor(&ids).is_ok() {
            count(&ids, Dtype::U64)?
        } else {
            let starts = count(&format!("{axis}_name_start"), Dtype::U64)?;
            count(&format!("{axis}_name"), Dtype::U8)?;
            starts.checked_sub(1).ok_or_else(|| format!("tensor `{axis}_name_start` is empty"))?
        };
        sizes.push((Size::Ids(axis), rows));
    }
    for tensor in schema.tensors {
        let known = |size: &Size| sizes.iter().find(|(known, _)| known == size).map(|&(_, size)| size);
        // An ensemble's numbers have its members in front.
        let shape: Vec<_> = is_ensemble.then_some(Some(members)).into_iter().chain(tensor.shape.iter().map(known)).collect();
        let found = expect(tensor.name, Dtype::F32, &shape)?;
        for (size, &length) in tensor.shape.iter().zip(found.iter().skip(is_ensemble as usize)) {
            check_size(*size, length, |axis| known(&Size::Ids(axis))).map_err(|problem| format!("tensor `{}` {problem}", tensor.name))?;
        }
        sizes.extend(tensor.shape.iter().copied().zip(found.into_iter().skip(is_ensemble as usize)));
    }
    Ok(members)
}

/// What is wrong with a length that ids do not say.
pub(crate) fn check_size(size: Size, length: usize, ids: impl Fn(&'static str) -> Option<usize>) -> Result<(), String> {
    match size {
        Size::Free(name) if length > MOST_FACTORS => Err(format!("has the {name} {length}, and {MOST_FACTORS} is the most")),
        Size::First(axis) if ids(axis).is_some_and(|ids| length > ids) => {
            Err(format!("has {length} rows, more than there are ids of `{axis}`"))
        }
        _ => Ok(()),
    }
}

/// What is wrong with numbers that are more than finite: places among ids, and shares of labels.
pub(crate) fn check_numbers(tensors: &Tensors, ids: impl Fn(&str) -> Option<usize>) -> Result<(), String> {
    check_places(tensors, &ids)?;
    check_shares(tensors, &ids)
}

/// What is wrong with shares of labels.
fn check_shares(tensors: &Tensors, ids: impl Fn(&str) -> Option<usize>) -> Result<(), String> {
    let Some(tensor) = tensors.get("share") else { return Ok(()) };
    let labels = ids("label").unwrap_or(0);
    if labels < 2 {
        return Err(format!("has {labels} labels, and a cut has 2 or more"));
    }
    let is_bad = |row: &[f32]| {
        let sum: f64 = row.iter().map(|&share| f64::from(share)).sum();
        row.iter().any(|&share| share < 0.0) || (sum - 1.0).abs() > SHARES
    };
    match tensor.numbers.chunks(labels).position(is_bad) {
        None => Ok(()),
        Some(row) => Err(format!("tensor `share` has for node {} what is no share of labels: numbers of 0 or more, 1 together", row + 1)),
    }
}

/// What is wrong with numbers that are places among the ids of an axis.
fn check_places(tensors: &Tensors, ids: impl Fn(&str) -> Option<usize>) -> Result<(), String> {
    let found = PLACES.into_iter().find_map(|(name, axis)| Some((axis, tensors.get(name)?)));
    let Some((axis, tensor)) = found else { return Ok(()) };
    let all = ids(axis).unwrap_or(0) as f32;
    match tensor.numbers.iter().find(|&&place| !(place >= 0.0 && place < all && place.fract() == 0.0)) {
        None => Ok(()),
        Some(place) => Err(format!("tensor `{}` has the number {place}, which is no place among the ids of `{axis}`", tensor.name)),
    }
}

/// What is wrong with names: that they lie outside of their bytes.
pub(super) fn check_names(what: &str, ids: &Ids) -> Result<(), String> {
    if let Ids::Names { start, bytes } = ids
        && (start.first() != Some(&0) || start.last() != Some(&(bytes.len() as u64)) || !start.is_sorted())
    {
        return Err(format!("`{what}_name_start` does not fit `{what}_name`"));
    }
    Ok(())
}

/// An id that occurs twice, of which no one can say which row is meant. For names that were checked. It takes as much time and memory as
/// all else about opening a large model: a file whose checksum is right needs it not.
pub(super) fn check_twice(what: &str, ids: &Ids) -> Result<(), String> {
    let twice = |id: String| Err(format!("has the {what} {id} twice"));
    match ids {
        Ids::Numbers(numbers) => {
            let mut seen: HashSet<u64, foldhash::fast::FixedState> = HashSet::with_capacity_and_hasher(numbers.len(), Default::default());
            numbers.iter().find(|number| !seen.insert(**number)).map_or(Ok(()), |number| twice(number.to_string()))
        }
        Ids::Names { start, bytes } => {
            let mut seen: HashSet<&[u8], foldhash::fast::FixedState> = HashSet::with_capacity_and_hasher(ids.len(), Default::default());
            let name = |i: usize| bytes.get(start[i] as usize..start[i + 1] as usize).unwrap_or_default();
            (0..ids.len()).find(|&i| !seen.insert(name(i))).map_or(Ok(()), |i| twice(ids.name(i)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tensor;

    #[test]
    fn lengths_and_places_that_cannot_be_are_refused() {
        let ids = |_: &str| Some(3);
        for (size, length, is_good) in [
            (Size::Free("rank"), MOST_FACTORS, true),
            (Size::Free("rank"), MOST_FACTORS + 1, false),
            (Size::Free("rank"), usize::MAX, false),
            (Size::First("feature"), 3, true),
            (Size::First("feature"), 4, false),
        ] {
            assert_eq!(check_size(size, length, ids).is_ok(), is_good, "{size:?} {length}");
        }
        for (place, is_good) in [(0.0, true), (2.0, true), (3.0, false), (-1.0, false), (0.5, false), (1e30, false)] {
            let tensors = Tensors(vec![Tensor { name: "feature_field", shape: vec![1], numbers: vec![place] }]);
            assert_eq!(check_places(&tensors, ids).is_ok(), is_good, "{place}");
        }
        assert!(check_places(&Tensors(Vec::new()), ids).is_ok());
    }

    #[test]
    fn shares_that_are_none_are_refused() {
        let check = |labels: usize, numbers: &[f32]| {
            let tensor = Tensor { name: "share", shape: vec![numbers.len() / labels.max(1), labels], numbers: numbers.to_vec() };
            check_numbers(&Tensors(vec![tensor]), |axis| (axis == "label").then_some(labels))
        };
        assert_eq!(check(2, &[1.0, 0.0, 0.25, 0.75]), Ok(()));
        for (labels, numbers) in [(0, &[][..]), (1, &[1.0]), (2, &[1.0, 0.0, 0.5, 0.4]), (2, &[1.5, -0.5])] {
            assert!(check(labels, numbers).is_err(), "{labels} {numbers:?}");
        }
    }
}
