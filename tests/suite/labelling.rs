//! Labels that are classes by name: in every text format, in packed files, and what is told of bad ones.
use crate::support::data::{classes, read_as, topics};
use hogwild::data::{Data, Format, Labelling, PackSettings, Rows, pack};
use std::fs;

/// The classes of each row by name.
fn labels(rows: &Rows) -> Vec<String> {
    let names = rows.class_names();
    let name = |label: f32| match names.len() {
        0 => label.to_string(),
        1 => names[0].clone(),
        2 => names[(label > 0.0) as usize].clone(),
        _ => names[label as usize].clone(),
    };
    match rows.class_sets() {
        None => (0..rows.rows()).map(|row| name(rows.label(row))).collect(),
        Some(sets) => {
            let (starts, all) = (sets.starts(), sets.classes());
            let of = |row: usize| all[starts[row] as usize..starts[row + 1] as usize].iter().map(|&class| names[class as usize].clone());
            (0..rows.rows()).map(|row| of(row).collect::<Vec<_>>().join(",")).collect()
        }
    }
}

#[test]
fn labels_are_classes_in_every_format() {
    for (text, labelling, found) in [
        ("dos 1:1\nnormal 2:1\nprobe 1:1\ndos 3:1\n", Labelling::Class, "dos normal probe dos"),
        ("yes 1:1\nno 2:1\n", Labelling::Class, "yes no"),
        ("3 1:1\n-1 2:1\n10 1:1\n", Labelling::Class, "3 -1 10"),
        ("3 1:1\nx 2:1\n10 1:1\n", Labelling::Class, "3 x 10"),
        ("3,17 1:1\n 2:1\n17 1:1\n3,3,4 5:2 # comment\n", Labelling::Classes, "3,17  17 3,4"),
        ("a:2.5 1:1\nb:1 2:1\nc 1:1\n", Labelling::Class, "a b c"),
        ("label,age\nred,1\nblue,2\ngreen,3\n", Labelling::Class, "red blue green"),
        (
            "{\"label\": \"red\", \"age\": 1}\n{\"label\": \"blue\", \"age\": 1}\n{\"label\": \"green\"}\n",
            Labelling::Class,
            "red blue green",
        ),
        ("__label__x a b\n__label__y b\n__label__z c\n", Labelling::Class, "x y z"),
        ("__label__x __label__y a b\n__label__y b\nc d\n", Labelling::Classes, "x,y y "),
        ("1 |a b\n2 |a c\n3 |a b\n", Labelling::Class, "1 2 3"),
    ] {
        assert_eq!(labels(&classes(text, labelling)).join(" "), found, "{text}");
    }
    // What is first found far behind the beginning: the text is read again.
    let many = format!("{}9 1:1\nlast 2:1\n", "1 1:1\n2 1:1\n".repeat(400_000));
    assert_eq!(classes(&many, Labelling::Class).class_names(), ["1", "2", "9", "last"]);
    let far = format!("{}3,4 2:1\n 1:1\n", "1 1:1\n2 1:1\n".repeat(400_000));
    let sets = classes(&far, Labelling::Classes);
    assert_eq!((sets.class_names().join(" "), sets.label(0), sets.label(800_000), sets.label(800_001)), ("1 2 3 4".into(), 1.0, 2.0, 0.0));
}

/// As long as labels are numbers, one file serves models of numbers and of classes.
#[test]
fn numbers_are_packed_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("a.svm");
    fs::write(&source, topics(500, 5, 1)).unwrap();
    let packed = |labelling, name: &str| {
        let out = folder.path().join(name);
        pack(std::slice::from_ref(&source), &out, &PackSettings { labelling, ..PackSettings::default() }).unwrap();
        fs::read(out).unwrap()
    };
    let numbers = packed(Labelling::Number, "n.safetensors");
    assert!(numbers == packed(Labelling::Class, "c.safetensors") && numbers == packed(Labelling::Classes, "s.safetensors"));
}

#[test]
fn bad_labels_are_told_by_line() {
    let read = |text: &str, labelling| read_as(text, &PackSettings { labelling, ..PackSettings::default() }).unwrap_err().to_string();
    for (text, labelling, line, says) in [
        ("a 1:1\nb,c 1:1\n", Labelling::Class, 2, "several labels"),
        ("a 1:1\n 1:1 2:1\n", Labelling::Class, 2, "the label is missing"),
        ("__label__a x\n__label__b __label__c x\n", Labelling::Class, 2, "several labels"),
        ("__label__a x\nx y\n", Labelling::Class, 2, "the label is missing"),
        ("1 1:1\nx 1:1\n", Labelling::Number, 2, "the label is no number"),
        ("label,a\nr,1\ns,1\nt,1\n", Labelling::Number, 4, "`model` softmax"),
    ] {
        let found = read(text, labelling);
        assert!(found.contains(&format!("input:{line}:")) && found.contains(says), "{text}: {found}");
    }
}

/// A file that was changed by hand is refused.
#[test]
fn lists_of_classes_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (folder.path().join("a.svm"), folder.path().join("a.safetensors"));
    fs::write(&source, "3,17 1:1\n 2:1\n17 1:1\n").unwrap();
    pack(&[source], &out, &PackSettings { labelling: Labelling::Classes, format: Some(Format::Svmlight), ..PackSettings::default() })
        .unwrap();
    let bytes = fs::read(&out).unwrap();
    assert!(Data::open(&out).is_ok());
    let place = bytes.len() - 12;
    let mut damaged = bytes;
    damaged[place] ^= 0x55;
    fs::write(&out, damaged).unwrap();
    assert!(Data::open(&out).unwrap_err().to_string().contains("is damaged"));
}

#[test]
fn classes_are_given_to_rows_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let Data::Rows(rows) = crate::support::data::open(folder.path(), "a.svm", b"1 1:1\n-1 2:1\n1 1:1 2:1\n") else { panic!("not rows") };
    let names = || ["news", "sport", "never"].map(String::from).to_vec();
    let given = rows.with_class_sets(&[0, 2, 2, 3], &[1, 0, 0], names()).unwrap();
    assert_eq!((given.class_names(), labels(&given)), (&names()[..], ["sport,news", "", "news"].map(String::from).to_vec()));
    let settings = hogwild::Settings { lr: Some(0.1), epochs: 1, ..hogwild::Settings::default() };
    let _turn = crate::support::shared();
    let run = hogwild::train(hogwild::family("ovr").unwrap(), &given, None, &settings, &mut (), &Default::default()).unwrap();
    let model = run.model.unwrap();
    // A class that no row has is one all the same.
    let of_model = model.ids("class").unwrap();
    assert_eq!((0..of_model.len()).map(|i| of_model.name(i)).collect::<Vec<_>>(), names());
    assert!(model.last().numbers("bias").iter().all(|bias| bias.is_finite()) && model.last().numbers("bias")[2] < 0.0);
    for (starts, classes, names, problem) in [
        ([0, 2, 2, 2], vec![1, 1], names(), "the class 1 (from 0) twice in row 0"),
        ([0, 0, 0, 1], vec![0], vec!["a".into(), "b".into(), "a".into()], "two classes with the name \"a\""),
        ([0, 0, 0, 1], vec![3], names(), "the class 3 (from 0), and there are 3"),
    ] {
        let error = rows.with_class_sets(&starts, &classes, names).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
