//! Text, packed and opened, for tests that make their data themselves.
use hogwild::data::{Dataset, PackSettings, Packed, Ratings, pack};
use std::{fs, path::Path};

/// Writes the text under that name and packs it.
pub fn open(folder: &Path, name: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> Packed {
    let (source, packed) = (folder.join(name), folder.join(format!("{name}.safetensors")));
    fs::write(&source, text).unwrap();
    pack(&[source], &packed, &PackSettings::default(), &|_, _| ()).unwrap();
    Packed::open(&packed).unwrap()
}

/// The same of text that is rows.
pub fn sparse(folder: &Path, name: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> Dataset {
    let Packed::Sparse(data) = open(folder, name, text) else { panic!("not sparse") };
    data
}

/// The same of text that is ratings.
pub fn ratings(folder: &Path, name: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> Ratings {
    let Packed::Ratings(data) = open(folder, name, text) else { panic!("not ratings") };
    data
}
