//! Whether a model file is what was written: its checksum, types and shapes of the tensors, and ids that occur twice where there is no
//! checksum (files of earlier versions have none).
//!
//! The checksum is xxh3 of the whole file with sixteen zeros in its place. It stands in the header, first in the entry `hogwild`.
use crate::{data::Ids, options::MOST_SNAPSHOTS};
use hashbrown::HashSet;
use safetensors::{Dtype, SafeTensors};
use xxhash_rust::xxh3::xxh3_64;

/// The kinds of models that there are files of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Linear,
    Factorization,
}

impl Kind {
    pub const ALL: [Kind; 2] = [Kind::Linear, Kind::Factorization];

    /// The name in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Linear => "linear",
            Kind::Factorization => "mf",
        }
    }

    /// What rows of parameters belong to.
    fn sides(self) -> &'static [&'static str] {
        match self {
            Kind::Linear => &["feature"],
            Kind::Factorization => &["user", "item"],
        }
    }
}

/// Where the digits are to come, as the model's JSON has them.
pub(crate) const BLANK: &str = "0000000000000000";
/// What stands before the digits: JSON within JSON.
const BEFORE: &[u8] = br#"{\"checksum\":\""#;

/// Puts the checksum into a file that is to be written.
pub(crate) fn seal(file: &mut [u8]) {
    let sum = xxh3_64(file);
    if let Some(digits) = place(file).and_then(|place| file.get_mut(place)) {
        digits.copy_from_slice(format!("{sum:016x}").as_bytes());
    }
}

/// Whether a file's checksum is that of its contents; none: it has no checksum.
pub(crate) fn check_sum(file: &mut [u8]) -> Option<bool> {
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
pub(crate) fn check_tensors(file: &SafeTensors<'_>, kind: Kind, is_ensemble: bool) -> Result<usize, String> {
    let constant = match kind {
        Kind::Linear => "bias",
        Kind::Factorization => "mean",
    };
    let first = file.tensor(constant).map_err(|_| format!("has no tensor `{constant}`"))?;
    let members = if is_ensemble { first.shape().first().copied().unwrap_or(0) } else { 1 };
    if !(1..=MOST_SNAPSHOTS).contains(&members) {
        return Err(format!("has {members} models, and there may be 1 to {MOST_SNAPSHOTS}"));
    }
    let expect = |name: String, dtype: Dtype, shape: &[Option<usize>]| -> Result<usize, String> {
        let found = file.tensor(&name).map_err(|_| format!("has no tensor `{name}`"))?;
        let fits =
            found.shape().len() == shape.len() && shape.iter().zip(found.shape()).all(|(want, have)| want.is_none_or(|want| want == *have));
        if found.dtype() != dtype || !fits {
            let wanted: Vec<_> = shape.iter().map(|size| size.map_or("any".to_string(), |size| size.to_string())).collect();
            let wanted = format!("{dtype:?} [{}]", wanted.join(", "));
            return Err(format!("tensor `{name}` is {:?} {:?} instead of {wanted}", found.dtype(), found.shape()));
        }
        let rows = shape.iter().zip(found.shape()).find(|(want, _)| want.is_none()).map_or(0, |(_, have)| *have);
        Ok(rows)
    };
    // An ensemble's numbers have its members in front.
    let of = |shape: &[Option<usize>]| -> Vec<Option<usize>> {
        is_ensemble.then_some(Some(members)).into_iter().chain(shape.iter().copied()).collect()
    };
    let mut rows = Vec::new();
    for side in kind.sides() {
        let ids = format!("{side}_id");
        rows.push(if file.tensor(&ids).is_ok() {
            expect(ids, Dtype::U64, &[None])?
        } else {
            let starts = expect(format!("{side}_name_start"), Dtype::U64, &[None])?;
            expect(format!("{side}_name"), Dtype::U8, &[None])?;
            starts.checked_sub(1).ok_or_else(|| format!("tensor `{side}_name_start` is empty"))?
        });
    }
    expect(constant.into(), Dtype::F32, &of(&[Some(1)]))?;
    if kind == Kind::Linear {
        expect("weight".into(), Dtype::F32, &of(&[rows.first().copied()]))?;
        return Ok(members);
    }
    let mut rank = None;
    for (side, &rows) in kind.sides().iter().zip(&rows) {
        expect(format!("{side}_bias"), Dtype::F32, &of(&[Some(rows)]))?;
        let found = expect(format!("{side}_factor"), Dtype::F32, &of(&[Some(rows), rank]))?;
        rank = rank.or(Some(found));
    }
    Ok(members)
}

/// What is wrong with names: that they lie outside of their bytes.
pub(crate) fn check_names(what: &str, ids: &Ids) -> Result<(), String> {
    if let Ids::Names { start, bytes } = ids
        && (start.first() != Some(&0) || start.last() != Some(&(bytes.len() as u64)) || !start.is_sorted())
    {
        return Err(format!("`{what}_name_start` does not fit `{what}_name`"));
    }
    Ok(())
}

/// An id that occurs twice, of which no one can say which row is meant. For names that were checked. It takes as much time and memory as all
/// else about opening a large model: a file whose checksum is right needs it not.
pub(crate) fn check_twice(what: &str, ids: &Ids) -> Result<(), String> {
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
