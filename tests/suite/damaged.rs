//! Models that are not what was written: one bit is enough to be refused. And files of earlier versions, without a checksum.
use hogwild::{FactorModel, Factors, LinearModel, Loss, TrainedModel, data::Ids};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    collections::HashMap,
    fs,
    io::{Seek, SeekFrom, Write},
    path::Path,
};

fn linear() -> TrainedModel {
    let ids = &Ids::Numbers(vec![5, 9, 7]);
    LinearModel { ids, bias: 0.25, weights: &[2.5, -2.25, 0.5], unit_rows: false }.trained(Loss::Logistic)
}

/// An ensemble of two.
fn pair() -> TrainedModel {
    let one = linear().members;
    TrainedModel { members: [one.clone(), one].concat(), ..linear() }
}

fn factors() -> TrainedModel {
    let names = |names: &[&str]| Ids::Names {
        start: (0..=names.len()).map(|n| names[..n].concat().len() as u64).collect(),
        bytes: names.concat().into_bytes(),
    };
    let (users, items) = (&names(&["Ann", "Bo"]), &names(&["x", "yy", "z"]));
    let (user_bias, item_bias) = (&[0.5, -0.5], &[0.1, 0.2, 0.3]);
    let (user_factor, item_factor) = (&[1.0, 2.0, 3.0, 4.0], &[0.5; 6]);
    let factors = Factors { mean: 3.0, rank: 2, user_bias, item_bias, user_factor, item_factor };
    FactorModel { users, items, factors }.trained(Loss::Squared)
}

#[test]
fn every_flipped_bit_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    for model in [linear(), pair(), factors()] {
        model.save(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        TrainedModel::open(&path).unwrap();
        // In place: a file that is replaced waits for the disk.
        let mut file = fs::File::options().write(true).open(&path).unwrap();
        let mut put = |at: usize, byte: u8| {
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            file.write_all(&[byte]).unwrap();
        };
        for (at, &byte) in whole.iter().enumerate() {
            for bit in 0..8 {
                put(at, byte ^ 1 << bit);
                assert!(TrainedModel::open(&path).is_err(), "byte {at}, bit {bit}");
            }
            put(at, byte);
        }
        TrainedModel::open(&path).unwrap();
        for length in (0..whole.len()).rev() {
            file.set_len(length as u64).unwrap();
            assert!(TrainedModel::open(&path).is_err(), "{length} bytes");
        }
    }
}

/// A set of all ids takes as long as all else about a large model. Where a checksum says that the file is what was written, there is none.
#[test]
fn ids_are_compared_only_where_there_is_no_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let ids = &Ids::Numbers(vec![5, 9, 5]);
    let model = LinearModel { ids, bias: 0.25, weights: &[1.0, 2.0, 3.0], unit_rows: false }.trained(Loss::Logistic);
    model.save(&path).unwrap();
    TrainedModel::open(&path).unwrap();
    write_old(&path, &model, ("none", Dtype::U8, vec![0], Vec::new()));
    assert!(TrainedModel::open(&path).unwrap_err().to_string().contains("has the feature 5 twice"));
}

/// Writes a model as earlier versions did, with one thing changed.
fn write_old(path: &Path, model: &TrainedModel, change: (&str, Dtype, Vec<usize>, Vec<u8>)) {
    model.save(path).unwrap();
    let whole = fs::read(path).unwrap();
    let (file, (_, header)) = (SafeTensors::deserialize(&whole).unwrap(), SafeTensors::read_metadata(&whole).unwrap());
    let mut entry: serde_json::Value = serde_json::from_str(&header.metadata().as_ref().unwrap()["hogwild"]).unwrap();
    entry.as_object_mut().unwrap().shift_remove("checksum");
    let tensors = file.tensors().into_iter().map(|(name, view)| {
        let (dtype, shape, data) = if name == change.0 {
            (change.1, change.2.clone(), change.3.as_slice())
        } else {
            (view.dtype(), view.shape().to_vec(), view.data())
        };
        (name, TensorView::new(dtype, shape, data).unwrap())
    });
    let metadata = HashMap::from([("hogwild".to_string(), entry.to_string())]);
    let tensors: Vec<_> = tensors.collect();
    fs::write(path, safetensors::serialize(tensors, Some(metadata)).unwrap()).unwrap();
}

#[test]
fn without_a_checksum_what_can_be_seen_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.safetensors");
    let u64s = |numbers: &[u64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    let f32s = |numbers: &[f32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    for model in [linear(), pair(), factors()] {
        write_old(&path, &model, ("none", Dtype::U8, vec![0], Vec::new()));
        TrainedModel::open(&path).unwrap();
    }
    for (model, change, reason) in [
        (linear(), ("feature_id", Dtype::U64, vec![3], u64s(&[5, 9, 5])), "has the feature 5 twice"),
        (linear(), ("feature_id", Dtype::U64, vec![2], u64s(&[5, 9])), "`weight` is F32 [3] instead of F32 [2]"),
        (linear(), ("feature_id", Dtype::I64, vec![3], u64s(&[5, 9, 7])), "`feature_id` is I64"),
        (linear(), ("bias", Dtype::F32, vec![2], f32s(&[1.0, 2.0])), "`bias` is F32 [2] instead of F32 [1]"),
        (linear(), ("weight", Dtype::F32, vec![3, 1], f32s(&[1.0, 2.0, 3.0])), "`weight` is F32 [3, 1]"),
        (linear(), ("weight", Dtype::F32, vec![3], f32s(&[1.0, f32::NAN, 3.0])), "not finite"),
        (linear(), ("weight", Dtype::I32, vec![3], f32s(&[1.0, 2.0, 3.0])), "`weight` is I32"),
        (pair(), ("weight", Dtype::F32, vec![1, 6], f32s(&[1.0; 6])), "`weight` is F32 [1, 6] instead of F32 [2, 3]"),
        (pair(), ("bias", Dtype::F32, vec![0, 1], Vec::new()), "has 0 models"),
        (factors(), ("user_name", Dtype::U8, vec![5], b"AnnAn".to_vec()), ""),
        (factors(), ("user_name_start", Dtype::U64, vec![3], u64s(&[0, 3, 9])), "does not fit `user_name`"),
        (factors(), ("user_name_start", Dtype::U64, vec![3], u64s(&[0, 6, 5])), "does not fit `user_name`"),
        (factors(), ("item_name", Dtype::U8, vec![4], b"xyyx".to_vec()), "has the item x twice"),
        (factors(), ("item_factor", Dtype::F32, vec![2, 3], f32s(&[0.5; 6])), "`item_factor` is F32 [2, 3] instead of F32 [3, 2]"),
        (factors(), ("mean", Dtype::F32, vec![0], Vec::new()), "`mean` is F32 [0]"),
    ] {
        write_old(&path, &model, change.clone());
        match TrainedModel::open(&path) {
            Ok(_) => assert!(reason.is_empty(), "{change:?}"), // other names, but no wrong ones
            Err(error) => assert!(!reason.is_empty() && error.to_string().contains(reason), "{change:?}: {error}"),
        }
    }
}
