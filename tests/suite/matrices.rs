//! Sparse matrices in NumPy's `.npz`, as SciPy writes them (`tests/matrices/generate.py`), against their entries as text.
use crate::support::{
    command::{good, hogwild, message},
    data::triples,
};
use hogwild::data::{Data, Format, OnBadRow, PackSettings, Preparation, Ratings, pack};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn given(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrices").join(name)
}

fn read(path: &Path, settings: &PackSettings) -> Result<Ratings, String> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.safetensors");
    pack(&[path.to_owned()], &out, settings).map_err(|error| error.to_string())?;
    match Data::open(&out).unwrap() {
        Data::Ratings(data) => Ok(data),
        Data::Rows(_) => panic!("{}: rows", path.display()),
    }
}

fn by(format: Format) -> PackSettings {
    PackSettings { format: Some(format), ..PackSettings::default() }
}

#[test]
fn matrices_are_their_entries() {
    for format in [Format::Interactions, Format::Ratings] {
        let expected = triples(&read(&given("counts.tsv"), &by(format)).unwrap());
        assert_eq!(expected.len(), 300);
        for name in ["csr.npz", "stored.npz", "long.npz", "coo.npz"] {
            assert_eq!(triples(&read(&given(name), &by(format)).unwrap()), expected, "{name}");
        }
        // Column by column the order is another.
        let sorted = |mut all: Vec<(String, String, f32)>| {
            all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
            all
        };
        let by_column = triples(&read(&given("csc.npz"), &by(format)).unwrap());
        assert_ne!(by_column, expected);
        assert_eq!(sorted(by_column), sorted(expected.clone()));
        let ones: Vec<_> = expected.into_iter().map(|(user, item, _)| (user, item, 1.0)).collect();
        assert_eq!(triples(&read(&given("bool.npz"), &by(format)).unwrap()), ones);
    }
    let found = triples(&read(&given("gaps.npz"), &PackSettings::default()).unwrap());
    assert_eq!(found, [("2", "0", 1.5), ("4", "3", 2.5)].map(|(user, item, value)| (user.into(), item.into(), value)));
    // A value of a matrix may be its weight.
    let weighted = Preparation { weight: Some("count".into()), ..Preparation::default() };
    let data = read(&given("csr.npz"), &PackSettings { prepare: weighted, ..by(Format::Interactions) }).unwrap();
    assert!((0..300).all(|row| data.weight(row) == triples(&data)[row].2));
}

#[test]
fn what_is_no_such_matrix_is_refused_by_name() {
    for (name, format, says) in [
        ("bsr.npz", Format::Ratings, "is a matrix in the layout `bsr`, which is not read; write it by `scipy.sparse.save_npz`"),
        ("complex.npz", Format::Ratings, "its member `data.npy` is of the type `<c16`"),
        ("arrays.npz", Format::Ratings, "has no member `format.npy`"),
        ("empty.npz", Format::Ratings, "holds no examples at all"),
        ("csr.npz", Format::Svmlight, "is a sparse matrix, whose rows have no labels"),
        ("csr.npz", Format::Csv, "is a sparse matrix, whose rows have no labels"),
        // Values that are no interactions: the line is the entry.
        ("halves.npz", Format::Interactions, "halves.npz:"),
        ("halves.npz", Format::Interactions, "the count is not above 0"),
        ("halves.npz", Format::Interactions, "of a matrix, call `eliminate_zeros`"),
    ] {
        let told = read(&given(name), &by(format)).unwrap_err();
        assert!(told.contains(says), "{name}: {told}");
    }
    let skip = PackSettings { on_bad_row: OnBadRow::Skip, ..by(Format::Interactions) };
    let kept = read(&given("halves.npz"), &skip).unwrap().len();
    assert!(kept > 100 && kept < 300, "{kept}");
    assert_eq!(read(&given("halves.npz"), &by(Format::Ratings)).unwrap().len(), 300);
}

#[test]
fn damaged_matrices_are_refused_or_read_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.npz");
    for name in ["gaps.npz", "csc.npz"] {
        let whole = fs::read(given(name)).unwrap();
        let entries = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            read(&path, &by(Format::Ratings)).map(|data| triples(&data))
        };
        let expected = entries(&whole).unwrap();
        // A bit of every byte, each time another; dates and the like mean nothing.
        let (mut refused, step) = (0, if name == "gaps.npz" { 1 } else { 3 });
        for at in (0..whole.len()).step_by(step) {
            let mut other = whole.clone();
            other[at] ^= 1 << (at % 8);
            match entries(&other) {
                Ok(found) => assert_eq!(found, expected, "{name}: byte {at}"),
                Err(told) => {
                    refused += 1;
                    assert!(told.contains("m.npz"), "{told}");
                }
            }
        }
        assert!(2 * refused > whole.len() / step, "{name}: {refused}");
        for length in (0..whole.len()).step_by(7) {
            assert!(entries(&whole[..length]).is_err(), "{name}: {length} bytes");
        }
    }
}

#[test]
fn the_command_trains_on_matrices() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(given("csr.npz"), folder.path().join("m.npz")).unwrap();
    let run = |line: &str| good(folder.path(), line);
    run("train m.npz --out r.safetensors --no-cache --quiet");
    assert_eq!(run("predict r.safetensors m.npz --no-cache").lines().count(), 300);
    run("train m.npz --format interactions --model bpr --rank 4 --epochs 2 --out b.safetensors --no-cache --quiet");
    let told = message(&hogwild(folder.path(), "train m.npz --format svmlight --no-cache"));
    assert!(told.contains("m.npz: is a sparse matrix, whose rows have no labels") && told.contains("--format interactions"), "{told}");
    fs::write(folder.path().join("t.svm"), "1 1:1\n-1 2:1\n").unwrap();
    run("train t.svm --out l.safetensors --no-cache --quiet");
    let told = message(&hogwild(folder.path(), "predict l.safetensors m.npz --no-cache"));
    assert!(told.contains("m.npz: is a sparse matrix") && told.contains("models of rows take a matrix from Python"), "{told}");
    let piped = crate::support::command::given(folder.path(), "train - --no-cache", fs::read(given("csr.npz")).unwrap());
    assert!(message(&piped).contains(".npz are, by the path of the file"), "{}", message(&piped));
}
