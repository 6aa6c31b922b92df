//! Packing gives back the text; the same bytes on any number of threads, from any compression; and refuses damage.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use hogwild::data::{
    CacheFolder, Data, Format, Ids, Kind, NotKept, OnBadRow, Origin, PackReport, PackSettings, Ratings, ReadOptions, Repeated, Rows, pack,
};
use hogwild::{Error, Threads};
use proptest::prelude::*;

fn pack_bytes(directory: &Path, bytes: &[u8], settings: &PackSettings) -> (PackReport, PathBuf) {
    let (input, out) = (directory.join("input"), directory.join("out.safetensors"));
    std::fs::write(&input, bytes).unwrap();
    (pack(&[input], &out, settings).unwrap(), out)
}

fn open_sparse(path: &Path) -> Rows {
    match Data::open(path).unwrap() {
        Data::Rows(data) => data,
        Data::Ratings(_) => panic!("not sparse"),
    }
}

fn open_ratings(path: &Path) -> Ratings {
    match Data::open(path).unwrap() {
        Data::Ratings(data) => data,
        Data::Rows(_) => panic!("not ratings"),
    }
}

/// Several chunks of rows.
fn long_text() -> String {
    let mut text = String::new();
    let mut state = 1u64;
    for row in 0..40_000 {
        text += if row % 3 == 0 { "+1" } else { "-1" };
        for _ in 0..20 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let index = (state >> 40) >> (state >> 32 & 15);
            if !text[text.rfind('\n').unwrap_or(0)..].contains(&format!(" {index}:")) {
                text += &format!(" {index}:{}", (state >> 50) as f32 / 1000.0);
            }
        }
        text += "\n";
    }
    text
}

type Row = (f32, std::collections::BTreeMap<u64, f32>);

fn any_row() -> impl Strategy<Value = Row> {
    let real = || any::<f32>().prop_filter("finite", |x| x.is_finite());
    let short = || (-9999i32..9999).prop_map(|n| n as f32 / 100.0);
    let index = prop_oneof![0u64..20, any::<u64>(), (1u64 << 24) - 3..(1 << 24) + 3];
    (prop_oneof![real(), short()], prop::collection::btree_map(index, prop_oneof![real(), short(), Just(1.0)], 0..12))
}

fn any_byte_or_a_likely_one() -> impl Strategy<Value = u8> {
    prop_oneof![any::<u8>(), prop::sample::select(b"0123456789 :.,-+e#\t\r\n\n\";|%abc".to_vec())]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn sparse_round_trip(rows in prop::collection::vec(any_row(), 1..30), backwards in any::<bool>()) {
        let mut text = String::new();
        for (label, cells) in &rows {
            text += &format!("{label}");
            let mut cells: Vec<_> = cells.iter().collect();
            if backwards {
                cells.reverse();
            }
            for (index, value) in cells {
                text += &format!(" {index}:{value:e}");
            }
            text += "\r\n";
        }
        let directory = tempfile::tempdir().unwrap();
        let settings = PackSettings { format: Some(hogwild::data::Format::Svmlight), ..PackSettings::default() };
        let (report, out) = pack_bytes(directory.path(), text.as_bytes(), &settings);
        let data = open_sparse(&out);
        let Ids::Numbers(ids) = data.feature_ids().unwrap() else { panic!() };
        let counts = data.feature_counts().unwrap();
        prop_assert!(counts.is_sorted_by(|a, b| a >= b));
        prop_assert_eq!(counts.iter().sum::<u64>(), data.nonzeros());
        prop_assert_eq!((data.rows(), data.columns()), (rows.len(), ids.len()));
        prop_assert_eq!((report.rows, report.nonzeros), (rows.len() as u64, data.nonzeros()));
        prop_assert_eq!(data.all_ones(), rows.iter().all(|row| row.1.values().all(|&value| value == 1.0)));
        prop_assert_eq!(data.longest_row(), rows.iter().map(|row| row.1.len()).max().unwrap());
        prop_assert!(data.row_range(rows.len()).is_empty() && data.row_range(usize::MAX).is_empty());
        for (i, (label, cells)) in rows.iter().enumerate() {
            prop_assert_eq!(data.label(i).to_bits(), label.to_bits());
            let found: Vec<_> = data.row_range(i).map(|cell| {
                let column = data.column_cells()[cell].load(Relaxed);
                let value = data.value_cells().map_or(1.0, |values| f32::from_bits(values[cell].load(Relaxed)));
                (column, ids[column as usize], value)
            }).collect();
            prop_assert!(found.is_sorted_by(|a, b| a.0 < b.0));
            let found: std::collections::BTreeMap<_, _> = found.into_iter().map(|(_, id, value)| (id, value.to_bits())).collect();
            prop_assert_eq!(found, cells.iter().map(|(&id, value)| (id, value.to_bits())).collect());
        }
    }

    #[test]
    fn ratings_round_trip(rows in prop::collection::vec(("[a-z0-9]{1,3}", "[0-9]{1,3}", -50i32..50), 1..40)) {
        let text: String = rows.iter().map(|(user, item, rating)| format!("{user}::{item}::{}\n", *rating as f32 / 10.0)).collect();
        let directory = tempfile::tempdir().unwrap();
        let (_, out) = pack_bytes(directory.path(), text.as_bytes(), &PackSettings::default());
        let data = open_ratings(&out);
        let (users, items) = (data.user_ids().unwrap(), data.item_ids().unwrap());
        prop_assert_eq!(data.len(), rows.len());
        for (i, (user, item, rating)) in rows.iter().enumerate() {
            prop_assert_eq!(&users.name(data.user_cells()[i].load(Relaxed) as usize), user);
            prop_assert_eq!(&items.name(data.item_cells()[i].load(Relaxed) as usize), item);
            prop_assert_eq!(f32::from_bits(data.rating_cells()[i].load(Relaxed)), *rating as f32 / 10.0);
        }
        prop_assert_eq!(data.user_counts().unwrap().iter().sum::<u64>(), rows.len() as u64);
        prop_assert_eq!(data.item_counts().unwrap().len(), data.items());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any_byte_or_a_likely_one(), 0..200)) {
        let directory = tempfile::tempdir().unwrap();
        let (input, out) = (directory.path().join("input"), directory.path().join("out"));
        std::fs::write(&input, &bytes).unwrap();
        for (on_bad_row, unlabelled) in [OnBadRow::Stop, OnBadRow::Skip].into_iter().flat_map(|how| [(how, false), (how, true)]) {
            for format in [None, Some(Format::Ratings), Some(Format::Svmlight)] {
                let repeated = if unlabelled && format == Some(Format::Svmlight) { Repeated::Add } else { Repeated::Error };
                let settings = PackSettings { on_bad_row, format, unlabelled, repeated, ..PackSettings::default() };
                if pack(std::slice::from_ref(&input), &out, &settings).is_ok() {
                    Data::open(&out).unwrap();
                }
            }
            for columns in ["user=1,item=3,rating=2", "user=a,item=b,rating=c", "rating=1"] {
                let settings = PackSettings { on_bad_row, unlabelled, columns: Some(columns.parse().unwrap()), ..PackSettings::default() };
                let _ = pack(std::slice::from_ref(&input), &out, &settings);
            }
        }
        prop_assert!(Data::open(&input).is_err());
    }
}

#[test]
fn threads_do_not_matter() {
    let directory = tempfile::tempdir().unwrap();
    let text = long_text();
    let packed = [1, 2, 8].map(|threads| {
        std::fs::read(Threads::new(threads).run(|| pack_bytes(directory.path(), text.as_bytes(), &PackSettings::default())).1).unwrap()
    });
    assert!(packed[0] == packed[1] && packed[1] == packed[2]);
}

#[test]
fn packing_stops_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let (input, out) = (directory.path().join("input"), directory.path().join("out"));
    std::fs::write(&input, long_text()).unwrap();
    let calls = AtomicUsize::new(0);
    let all = |stop_at: usize| {
        calls.store(0, Relaxed);
        ReadOptions::new().progress(&|_, _| calls.fetch_add(1, Relaxed) + 1 != stop_at).pack(std::slice::from_ref(&input), &out)
    };
    // The last of them is the one before the file gets its name.
    for stop_at in [1, 2, 5] {
        let outcome = all(stop_at);
        assert!(matches!(&outcome, Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::Interrupted), "{outcome:?}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
    all(usize::MAX).unwrap();
    let last = calls.load(Relaxed);
    std::fs::remove_file(&out).unwrap();
    assert!(all(last).is_err() && !out.exists());
}

#[test]
fn compressions_do_not_matter() {
    let directory = tempfile::tempdir().unwrap();
    let text = long_text();
    let (first, second) = text.split_at(text[..text.len() / 2].rfind('\n').unwrap() + 1);
    let gz = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bz2.write_all(text.as_bytes()).unwrap();
    let forms = [text.clone().into_bytes(), gz(&text), [gz(first), gz(second)].concat(), bz2.finish().unwrap()];
    let packed: Vec<_> =
        forms.iter().map(|form| std::fs::read(pack_bytes(directory.path(), form, &PackSettings::default()).1).unwrap()).collect();
    assert!(packed.iter().all(|bytes| *bytes == packed[0]));
    // All but the plain one, when cut short.
    for form in &forms[1..] {
        let path = directory.path().join("cut");
        std::fs::write(&path, &form[..form.len() * 2 / 3]).unwrap();
        let outcome = pack(&[path], &directory.path().join("never"), &PackSettings::default());
        assert!(matches!(outcome, Err(Error::BadFile { .. })), "{outcome:?}");
    }
    assert!(!directory.path().join("never").exists());
    // Several inputs are as one, and lines are counted by input.
    let parts = [first, second].map(|part| {
        let path = directory.path().join(format!("part{}", part.len()));
        std::fs::write(&path, gz(part)).unwrap();
        path
    });
    let out = directory.path().join("joined");
    pack(&parts, &out, &PackSettings::default()).unwrap();
    assert_eq!(open_sparse(&out).rows(), 40_000);
}

#[test]
fn bad_rows_are_skipped_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let settings = PackSettings { on_bad_row: OnBadRow::Skip, ..PackSettings::default() };
    let (report, out) = pack_bytes(directory.path(), b"1 1:1 2:1\n1 3:abc\n\n-1 1:1 9:1 9:1\n0 1:1\n", &settings);
    assert_eq!((report.kind, report.rows, report.skipped, report.columns), (Kind::Sparse, 2, 2, 2));
    assert!(report.first_skipped[0].contains("input:2:3: ") && report.first_skipped[1].contains("input:4:12: "), "{report:?}");
    let labels = open_sparse(&out).labels();
    assert!(labels.list() == "0, 1" && (labels.plus, labels.others) == (1, 0));
    // The target stays when packing fails.
    let before = std::fs::read(&out).unwrap();
    let bad = directory.path().join("bad");
    std::fs::write(&bad, "1 1:x\n").unwrap();
    assert!(pack(&[bad], &out, &PackSettings::default()).is_err());
    assert!(before == std::fs::read(&out).unwrap());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3);
}

#[test]
fn damage_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for text in ["1 1:1 2:0.5\n-1 2:1\n3 7:1\n", "a b 3\n1 2 4\n"] {
        let (_, out) = pack_bytes(directory.path(), text.as_bytes(), &PackSettings::default());
        let whole = std::fs::read(&out).unwrap();
        let path = directory.path().join("damaged");
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bytes).unwrap();
            assert!(matches!(Data::open(&path), Err(Error::BadFile { .. })), "byte {at} of {text:?}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(matches!(Data::open(&path), Err(Error::BadFile { .. })), "{at} bytes of {text:?}");
        }
        std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert!(Data::open(&path).is_err());
        assert!(safetensors::SafeTensors::deserialize(&whole).is_ok());
    }
}

#[test]
fn a_file_may_change_underneath() {
    let directory = tempfile::tempdir().unwrap();
    let (_, out) = pack_bytes(directory.path(), b"1 1:1 2:0.5\n-1 2:1\n3 7:1\n", &PackSettings::default());
    let data = open_sparse(&out);
    assert!(!data.changed());
    let length = std::fs::metadata(&out).unwrap().len() as usize;
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::OpenOptions::new().write(true).open(&out).unwrap().write_all(&vec![0xff; length]).unwrap();
    assert!(data.changed());
    for row in 0..4 {
        let range = data.row_range(row);
        assert!(range.start <= range.end && range.end as u64 <= data.nonzeros());
    }
}

#[test]
fn text_is_packed_once() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    let input = directory.path().join("text.svm");
    // What was just written is not kept.
    let write = |text: &str| {
        std::fs::write(&input, text).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2300));
    };
    write("1 1:1\n");
    let (cached, plain) = (ReadOptions::new().cache(CacheFolder::at(&cache)), ReadOptions::new().temporary(directory.path()));
    let open = |use_cache| if use_cache { &cached } else { &plain }.open(std::slice::from_ref(&input)).unwrap();
    let first = open(true);
    assert!(matches!(&first.origin, Origin::Kept(path) if path.starts_with(&cache)) && first.report.is_some(), "{:?}", first.origin);
    let second = open(true);
    assert!(matches!(&second.origin, Origin::Found(path) if path == second.data.name()) && second.report.is_none(), "{:?}", second.origin);
    let kept = second.data.name().to_owned();
    drop((first, second));
    let again = cached.open(std::slice::from_ref(&kept)).unwrap();
    assert!(matches!(again.origin, Origin::Input));
    std::fs::write(&kept, "damaged").unwrap();
    assert!(open(true).report.is_some());
    let other = directory.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::copy(&input, other.join("text.svm")).unwrap();
    write("1 1:1\n1 2:1\n");
    assert!(open(true).report.is_some());
    // Only what was packed last is kept of one path; another path's stays.
    // Each with the mark of its last use.
    let entries = || {
        let names: Vec<_> = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let marks = names.iter().filter(|name| name.ends_with(".safetensors.used")).count();
        assert_eq!(names.len(), 2 * marks, "{names:?}");
        marks
    };
    assert_eq!(entries(), 1);
    cached.open(&[other.join("text.svm")]).unwrap();
    assert_eq!(entries(), 2);
    write("1 1:1\n1 2:1\n1 3:1\n");
    assert!(open(true).report.is_some() && open(true).report.is_none());
    assert_eq!(entries(), 2);
    let temporary = open(false);
    assert!(matches!(temporary.origin, Origin::NotKept(NotKept::NoCache)));
    assert!(temporary.report.is_some() && !temporary.data.name().starts_with(&cache));
    let refused = ReadOptions::new().open(std::slice::from_ref(&input)).unwrap_err().to_string();
    assert!(refused.contains("there is no folder for that; give one by `ReadOptions::temporary`"), "{refused}");
    assert!(cached.open(&[input.clone(), kept]).is_err());
}

#[test]
fn ids_translate_by_text() {
    let names = |names: &[&str]| {
        let start = (0..=names.len()).map(|n| names[..n].iter().map(|name| name.len() as u64).sum()).collect();
        Ids::Names { start, bytes: names.concat().into_bytes() }
    };
    let (numbers, mixed) = (Ids::Numbers(vec![7, 12, u64::MAX]), names(&["12", "x", "07", "7"]));
    assert_eq!(numbers.translate(&mixed), [3, 0, u32::MAX]);
    assert_eq!(mixed.translate(&numbers), [1, u32::MAX, u32::MAX, 0]);
    assert_eq!(mixed.translate(&names(&["x", "12"])), [1, 0, u32::MAX, u32::MAX]);
    assert_eq!(numbers.translate(&Ids::Numbers(vec![12])), [u32::MAX, 0, u32::MAX]);
    assert_eq!((mixed.len(), mixed.name(2).as_str(), mixed.name(9).as_str()), (4, "07", ""));
}
