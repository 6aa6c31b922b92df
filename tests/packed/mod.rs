//! Text, packed and opened, for tests that make their data themselves.
#![allow(dead_code)] // each test file uses a part of it
use hogwild::data::{Data, PackSettings, Ratings, Rows, pack};
use std::{fs, path::Path};

/// Writes the text under that name and packs it.
pub fn open(folder: &Path, name: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> Data {
    let (source, packed) = (folder.join(name), folder.join(format!("{name}.safetensors")));
    fs::write(&source, text).unwrap();
    pack(&[source], &packed, &PackSettings::default()).unwrap();
    Data::open(&packed).unwrap()
}

/// The same of text that is rows.
pub fn sparse(folder: &Path, name: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> Rows {
    let Data::Rows(data) = open(folder, name, text) else { panic!("not sparse") };
    data
}

/// The same of text that is ratings.
pub fn ratings(folder: &Path, name: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> Ratings {
    let Data::Ratings(data) = open(folder, name, text) else { panic!("not ratings") };
    data
}
