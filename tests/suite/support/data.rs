//! Text, packed and opened, for tests that make their data themselves.
use hogwild::{
    Error,
    data::{Data, Ids, Labelling, PackReport, PackSettings, Ratings, Rows, pack},
    synth::Synth,
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use std::{
    fmt::Write,
    fs,
    path::Path,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// Writes the text under that name and packs it.
pub fn open(folder: &Path, name: &str, text: &(impl AsRef<[u8]> + ?Sized)) -> Data {
    let source = folder.join(name);
    fs::write(&source, text).unwrap();
    open_file(folder, &source)
}

/// Packs a text that is there already.
pub fn open_file(folder: &Path, source: &Path) -> Data {
    let packed = folder.join(format!("{}.safetensors", source.file_name().unwrap().to_str().unwrap()));
    pack(&[source.to_owned()], &packed, &PackSettings::default()).unwrap();
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

/// What packing bytes under some settings gives, be it an error.
pub fn read_as(bytes: &(impl AsRef<[u8]> + ?Sized), settings: &PackSettings) -> Result<(PackReport, Data), Error> {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("input"), folder.path().join("out.safetensors"));
    fs::write(&input, bytes).unwrap();
    let report = pack(&[input], &out, settings)?;
    Ok((report, Data::open(&out)?))
}

/// A label, and the values by the user's own index, ascending.
pub type LabelledRow = (f32, Vec<(u64, f32)>);

/// The rows as they were in the text.
pub fn rows_of(data: &Rows) -> Vec<LabelledRow> {
    let Ids::Numbers(ids) = data.feature_ids().unwrap() else { panic!("features are numbers") };
    let cell = |cell: usize| {
        let value = data.value_cells().map_or(1.0, |values| f32::from_bits(values[cell].load(Relaxed)));
        (ids[data.column_cells()[cell].load(Relaxed) as usize], value)
    };
    let row = |row: usize| {
        let mut cells: Vec<_> = data.row_range(row).map(cell).collect();
        cells.sort_by_key(|cell| cell.0);
        (data.label(row), cells)
    };
    (0..data.rows()).map(row).collect()
}

/// A label, and the values by the features' names, ascending.
pub type NamedRow = (f32, Vec<(String, f32)>);

/// The same of features that have names.
pub fn named_rows(data: &Rows) -> Vec<NamedRow> {
    let ids = data.feature_ids().unwrap();
    let cell = |cell: usize| {
        let value = data.value_cells().map_or(1.0, |values| f32::from_bits(values[cell].load(Relaxed)));
        (ids.name(data.column_cells()[cell].load(Relaxed) as usize), value)
    };
    let row = |row: usize| {
        let mut cells: Vec<_> = data.row_range(row).map(cell).collect();
        cells.sort_by(|a, b| a.0.cmp(&b.0));
        (data.label(row), cells)
    };
    (0..data.rows()).map(row).collect()
}

/// User, item and rating.
pub type Triple = (String, String, f32);

/// The ratings as they were in the text.
pub fn triples(data: &Ratings) -> Vec<Triple> {
    let (users, items) = (data.user_ids().unwrap(), data.item_ids().unwrap());
    let name = |ids: &Ids, cells: &[AtomicU32], i: usize| ids.name(cells[i].load(Relaxed) as usize);
    let rating = |i: usize| f32::from_bits(data.rating_cells()[i].load(Relaxed));
    (0..data.len()).map(|i| (name(&users, data.user_cells(), i), name(&items, data.item_cells(), i), rating(i))).collect()
}

/// The text of synthetic data.
pub fn synthetic(synth: &Synth) -> String {
    let mut text = Vec::new();
    synth.write(&mut text, &()).unwrap();
    String::from_utf8(text).unwrap()
}

/// Rows whose features are as unlike in frequency as words.
pub fn text_like(rows: u64, start_row: u64) -> String {
    synthetic(&Synth { rows, start_row, exponent: 1.1, ..Synth::default() })
}

/// The data set a9a, of which optima are known, if it is beside the repository; if not, this is told.
#[expect(clippy::print_stderr)] // a test may say why it is skipped, and so may its helper
pub fn a9a(folder: &Path) -> Option<Data> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/a9a.svm.gz");
    if !source.exists() {
        eprintln!("skipped: {} is not here", source.display());
        return None;
    }
    Some(open_file(folder, &source))
}

/// Rows of `classes` classes: six words of sixty, of which a class has favourites.
pub fn topics(rows: usize, classes: usize, seed: u64) -> String {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut text = String::new();
    for _ in 0..rows {
        let class = random.random_range(0..classes);
        let mut words: Vec<usize> = (0..6)
            .map(|_| if random.random::<f32>() < 0.4 { (class * 7 + random.random_range(0..5)) % 60 } else { random.random_range(0..60) })
            .collect();
        words.sort_unstable();
        words.dedup();
        write!(text, "{class}").unwrap();
        words.iter().for_each(|word| write!(text, " {}:1", word + 1).unwrap());
        text.push('\n');
    }
    text
}

/// Packs a text whose labels are classes.
pub fn classes(text: &str, labelling: Labelling) -> Rows {
    let Data::Rows(rows) = read_as(text, &PackSettings { labelling, ..PackSettings::default() }).unwrap().1 else { panic!("no rows") };
    rows
}
