//! Synthetic sets for those who bring no data: one of each kind that `hogwild synth` writes, as packed files in a temporary folder.
use super::{Interrupted, interrupted};
use anyhow::Context;
use hogwild::{
    OutputFile,
    data::{Data, PackSettings, pack_while},
    synth::{Kind, Synth},
};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tempfile::TempDir;

/// A set, until it is dropped.
pub struct Made {
    pub packed: Data,
    _folder: TempDir,
}

/// The sets by name, `size` times as large as they are by default.
pub fn all(size: f64, seed: u64) -> Vec<(&'static str, Synth)> {
    let times = |n: u64| ((n as f64 * size).round() as u64).max(1);
    let of = |kind, rows| Synth { kind, rows: times(rows), seed, ..Synth::default() };
    // Features and the like grow with the rows, so that each occurs as often.
    let features = |n| times(n).max(1000);
    vec![
        ("text", Synth { features: features(60_000), nonzeros: 100, ..of(Kind::Text, 50_000) }),
        ("clicks", Synth { features: features(1_000_000), ..of(Kind::Clicks, 150_000) }),
        ("uniform", Synth { features: features(8_000_000), nonzeros: 40, exponent: 0.0, ..of(Kind::Uniform, 250_000) }),
        ("ratings", Synth { users: features(60_000), items: features(10_000), exponent: 0.8, ..of(Kind::Ratings, 3_000_000) }),
    ]
}

/// Writes a set as text, packs it and removes the text.
pub fn make(name: &str, synth: &Synth, stop: &AtomicBool) -> anyhow::Result<Made> {
    interrupted(stop)?;
    let folder = tempfile::Builder::new().prefix("hogwild-").tempdir().context("cannot make a temporary folder")?;
    let (text, packed) = (folder.path().join(name), folder.path().join(format!("{name}.safetensors")));
    let go_on = || !stop.load(Relaxed);
    let made = || -> hogwild::Result<Data> {
        let mut out = OutputFile::create(&text)?;
        synth.write(&mut out, stop)?;
        out.finish()?;
        pack_while(std::slice::from_ref(&text), &packed, &PackSettings::default(), &|_, _| go_on())?;
        Data::open(&packed)
    };
    // Interrupted work fails, with another error.
    let packed = made().map_err(|error| if go_on() { anyhow::Error::from(error) } else { Interrupted("").into() })?;
    std::fs::remove_file(&text).with_context(|| format!("{}: cannot remove", text.display()))?;
    Ok(Made { packed, _folder: folder })
}
