//! Parquet and Arrow's files: the same rows as the table has as CSV. tests/columnar/generate.py wrote them, by pyarrow.
//!
//! These are read by builds with the cargo feature `arrow`: `cargo test --release --features arrow --test suite columnar::`. Others name it.
use crate::support::command::{hogwild, message};
use std::path::Path;

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/columnar");

/// The exit code of packing files of that folder, and what is said.
fn packed(at: &Path, line: &str) -> (Option<i32>, String) {
    let output = hogwild(at, &line.replace("FILES", FILES));
    (output.status.code(), message(&output))
}

#[cfg(not(feature = "arrow"))]
#[test]
fn a_plain_build_names_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    for (file, says) in
        [("rows.parquet", "is a file of Parquet"), ("rows.arrow", "is a file of Arrow"), ("stream.arrows", "is a stream of Arrow")]
    {
        for command in ["pack FILES/X -o x.safetensors", "train FILES/X"] {
            let (code, told) = packed(folder.path(), &command.replace('X', file));
            assert!(code == Some(2) && told.contains(says), "{told}");
            assert!(told.contains("the cargo feature `arrow`, or write the table as CSV") || file == "stream.arrows", "{told}");
        }
    }
}

#[cfg(feature = "arrow")]
mod read {
    use super::*;
    use crate::support::{command::good, data::named_rows};
    use hogwild::{
        Result,
        data::{Cache, CacheFolder, Data, PackReport, PackSettings, Preparation, ReadOptions, Rows},
    };
    use std::{fs, path::PathBuf};

    const TABLES: [&str; 4] = ["rows.parquet", "rows.snappy.parquet", "rows.arrow", "rows.plain.arrow"];

    fn read(paths: &[PathBuf], prepare: Preparation) -> Result<(PackReport, Rows)> {
        let folder = tempfile::tempdir().unwrap();
        let settings = PackSettings { prepare, ..PackSettings::default() };
        let cache = Cache::from(CacheFolder::at(folder.path()));
        let opened = ReadOptions::new().settings(settings).cache(cache).open(paths)?;
        let Data::Rows(rows) = opened.data else { panic!("ratings") };
        Ok((opened.report.unwrap(), rows))
    }

    fn file(name: &str) -> PathBuf {
        Path::new(FILES).join(name)
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn words_of_two_columns_that_are_one_feature_are_found() {
        let told = read(&[file("alike.parquet")], Preparation::default()).unwrap_err().to_string();
        assert!(told.contains("alike.parquet:3:") && told.contains("the index is repeated in this row"), "{told}");
        let bins = Preparation { bins: vec![("age".into(), 2)], ..Preparation::default() };
        let told = read(&[file("bins.parquet")], bins).unwrap_err().to_string();
        assert!(told.contains("bins.parquet:") && told.contains("the index is repeated in this row"), "{told}");
    }

    #[test]
    fn rows_are_those_of_the_same_table_as_csv() {
        let list = || vec![("tags".to_owned(), "|".to_owned())];
        let asked = [
            Preparation::default(),
            Preparation { weight: Some("n".into()), categorical: names(&["big"]), log1p: names(&["pay"]), ..Preparation::default() },
            Preparation {
                bins: vec![("age".into(), 4)],
                cross: vec![names(&["city", "ok"])],
                min_count: Some(20),
                ..Preparation::default()
            },
        ];
        for asked in asked {
            let (_, expected) = read(&[file("rows.csv")], Preparation { list: list(), ..asked.clone() }).unwrap();
            for table in TABLES {
                let (report, found) = read(&[file(table)], asked.clone()).unwrap();
                assert_eq!(named_rows(&found), named_rows(&expected), "{table} {asked:?}");
                assert_eq!(found.recipe().unwrap().to_json(), expected.recipe().unwrap().to_json(), "{table}");
                assert_eq!(report.rows, found.rows() as u64);
                let weights = |rows: &Rows| (0..rows.rows()).map(|row| rows.weight(row)).collect::<Vec<_>>();
                assert_eq!(weights(&found), weights(&expected));
            }
        }
        // Files one after the other.
        let (_, twice) = read(&[file("rows.parquet"), file("rows.arrow")], Preparation::default()).unwrap();
        let (_, once) = read(&[file("rows.parquet")], Preparation::default()).unwrap();
        assert_eq!(named_rows(&twice), [named_rows(&once), named_rows(&once)].concat());
    }

    #[test]
    fn seldom_types_are_read() {
        let tags = Preparation { list: vec![("tags".into(), "|".into())], ..Preparation::default() };
        let expected = named_rows(&read(&[file("odd.csv")], tags).unwrap().1);
        for table in ["odd.parquet", "odd.arrow"] {
            assert_eq!(named_rows(&read(&[file(table)], Preparation::default()).unwrap().1), expected, "{table}");
        }
    }

    #[test]
    fn a_model_of_either_scores_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let table = |line: &str| good(at, &line.replace("FILES", FILES));
        let csv = |line: &str| table(&line.replace("rows.parquet", "rows.csv"));
        table("train FILES/rows.parquet --epochs 3 --out m.safetensors");
        assert_eq!(table("predict m.safetensors FILES/rows.parquet"), csv("predict m.safetensors FILES/rows.parquet"));
        assert_eq!(table("eval m.safetensors FILES/rows.parquet"), csv("eval m.safetensors FILES/rows.parquet"));
        csv("train FILES/rows.parquet --list tags:| --valid FILES/rows.arrow --epochs 3 --out n.safetensors");
        assert_eq!(table("predict n.safetensors FILES/rows.arrow"), csv("predict m.safetensors FILES/rows.parquet"));
        table("pack FILES/rows.parquet -o one.safetensors --threads 1");
        table("pack FILES/rows.parquet -o two.safetensors --threads 2");
        assert!(fs::read(at.join("one.safetensors")).unwrap() == fs::read(at.join("two.safetensors")).unwrap());
        // Text in place of numbers, as the model knows it.
        fs::write(at.join("new.csv"), "age,big,pay,price,city,ok,tags,n\n1,1,1,1,Rome,true,,1\n").unwrap();
        assert_eq!(good(at, "predict m.safetensors new.csv").lines().count(), 1);
    }

    #[test]
    fn what_is_bad_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::write(at.join("t.csv"), "y,a\n1,2\n0,3\n").unwrap();
        fs::write(at.join("t.svm"), "1 1:1\n0 2:1\n").unwrap();
        fs::write(at.join("cut.parquet"), &fs::read(file("rows.parquet")).unwrap()[..5000]).unwrap();
        fs::write(at.join("v1.feather"), b"FEA1xxxx").unwrap();
        good(at, "train t.svm --hash-bits 8 --out svm.safetensors --epochs 1");
        good(at, "train t.csv --out csv.safetensors --epochs 1");
        for (line, says) in [
            ("pack FILES/infinite.parquet -o x.safetensors", "infinite.parquet:3:1: column `a`: this is infinite: `inf`"),
            ("pack FILES/rows.parquet -o x.safetensors --label price --numeric city", "rows.parquet:1:1: column `city`: this is a word"),
            ("pack FILES/rows.parquet -o x.safetensors --label wage", "no column called `wage`; the columns are:"),
            ("pack FILES/rows.parquet -o x.safetensors --label city", "words of more than two classes"),
            ("pack FILES/rows.parquet -o x.safetensors --format csv", "--format csv: is of text"),
            ("pack FILES/rows.parquet t.csv -o x.safetensors", "t.csv: is text, and another input is Parquet"),
            ("pack FILES/rows.parquet FILES/days.parquet -o x.safetensors", "no column called `label`"),
            ("pack cut.parquet -o x.safetensors", "is damaged, or of a kind that is not read"),
            ("pack v1.feather -o x.safetensors", "a feather file of the first version"),
            ("pack FILES/stream.arrows -o x.safetensors", "is a stream of Arrow"),
            ("predict svm.safetensors FILES/rows.parquet", "the model was trained on svmlight"),
            ("predict csv.safetensors FILES/rows.parquet", "has no column `a`, which the model was trained on"),
            ("train FILES/rows.parquet --model mf", "--model mf takes ratings, and these are sparse rows"),
        ] {
            let (code, told) = packed(at, line);
            assert!(code == Some(2) && told.contains(says), "{line}: {told}");
        }
        let (code, told) = packed(at, "pack FILES/infinite.parquet -o x.safetensors --on-bad-row skip");
        assert!(
            code == Some(0) && told.contains("skipped 2 bad rows") && told.contains(":4:1: column `a`: this is out of the range"),
            "{told}"
        );
        let (code, told) = packed(at, "pack FILES/days.parquet -o x.safetensors");
        assert!(code == Some(0) && told.contains("left out: column `day`, whose type is Date32"), "{told}");
        let (_, told) = packed(at, "pack FILES/days.parquet -o x.safetensors --categorical day");
        assert!(told.contains("a column `day` of the type Date32, which is not read"), "{told}");
        // A bad row keeps its place where predictions are asked for.
        good(at, "train t.csv --out csv.safetensors --epochs 1");
        let output = hogwild(at, &format!("predict csv.safetensors {FILES}/infinite.parquet --on-bad-row skip"));
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().filter(|line| *line == "nan").count(), 2);
    }

    #[test]
    fn damaged_files_end_in_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for table in TABLES {
            let whole = fs::read(file(table)).unwrap();
            for step in 0..60 {
                let mut bytes = whole.clone();
                let at = step * whole.len() / 60;
                bytes[at] ^= 0xff;
                fs::write(&path, &bytes).unwrap();
                // Values alone may be others; what is told is no panic.
                if let Ok((_, rows)) = read(std::slice::from_ref(&path), Preparation::default()) {
                    assert!(rows.rows() > 0);
                }
                fs::write(&path, &whole[..at]).unwrap();
                assert!(at == 0 || read(std::slice::from_ref(&path), Preparation::default()).is_err(), "{table} {at}");
            }
        }
    }
}
