//! Tables and JSON: columns with names, whose cells become features as the recipe says; found by content, kept, and followed again.
use crate::support::{
    command::{given, good, hogwild, message, parts},
    data::{NamedRow, named_rows, read_as},
};
use hogwild::{
    Error,
    data::{Data, Format, OnBadRow, PackReport, PackSettings, Preparation, pack},
};
use std::{fs, io::Write, path::PathBuf};

fn read(text: &str, settings: &PackSettings) -> (PackReport, Vec<NamedRow>) {
    match read_as(text, settings) {
        Ok((report, Data::Rows(data))) => (report, named_rows(&data)),
        other => panic!("{text:?}: {other:?}"),
    }
}

fn row(label: f32, features: &[(&str, f32)]) -> NamedRow {
    let mut features: Vec<_> = features.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
    features.sort_by(|a, b| a.0.cmp(&b.0));
    (label, features)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

fn prepared(prepare: Preparation) -> PackSettings {
    PackSettings { prepare, ..PackSettings::default() }
}

fn labelled(name: &str) -> Preparation {
    Preparation { label: Some(name.into()), ..Preparation::default() }
}

/// The error's line and column, and what it says.
fn refused(text: &[u8], settings: &PackSettings) -> (u64, u64, String) {
    match read_as(text, settings) {
        Err(Error::BadRow { line, column, text, problem, remedy, .. }) => (line, column, format!("{problem}: `{text}`; {remedy}")),
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(text)),
    }
}

#[test]
fn tables_are_read_as_they_come() {
    let two = vec![row(1.0, &[("age", 30.0), ("city=Rome", 1.0)]), row(0.0, &[("age", -2.5)])];
    for text in [
        "label,age,city\n1,30,Rome\n0,-2.5,\n",
        "age,city,label\n30,Rome,1\n-2.5,NA,0\n",
        "label;age;city\n1;30;Rome\n0;-2,5;null\n",
        "label\tage\tcity\n1\t30\tRome\n0\t-2.5\tnan\n",
        "label|age|city\n1|30|Rome\n0|-2.5|?\n",
        "\u{feff}Label,age,city\r\n1,30,Rome\r\n0,-2.5,N/A\r\n",
        "\"label\",\"age\",\"city\"\n\"1\",\"30\",\"Rome\"\n\"0\",\"-2.5\",\"\"\n",
        "\n\nlabel, age, city\n\n1, 30 , Rome \n\n0,-2.5,\n\n",
        ",label,age,city\n0,1,30,Rome\n1,0,-2.5,\n",
        "Unnamed: 0,label,age,city\n0,1,30,Rome\n1,0,-2.5,\n",
        "label,age,city,\n1,30,Rome,\n0,-2.5,,\n",
        "{\"label\": 1, \"age\": 30, \"city\": \"Rome\"}\n{\"label\": 0, \"age\": -2.5, \"city\": null}\n",
        "{\"city\": \"Rome\", \"age\": 30.0, \"label\": 1}\n\n{\"label\": \"0\", \"age\": -25e-1}",
    ] {
        let (report, found) = read(text, &PackSettings::default());
        assert_eq!(found, two, "{text:?}");
        assert!(report.notes[0].contains("is the label"), "{text:?}: {:?}", report.notes);
    }
    let quoted = "y,name\n1,\"Lee, Ann\"\n0,\"The \"\"End\"\"\"\n1,\"two\nlines\"\n0,5'10\"\n";
    let expected = ["Lee, Ann", "The \"End\"", "two\nlines", "5'10\""].map(|name| format!("name={name}"));
    let found: Vec<String> = read(quoted, &PackSettings::default()).1.into_iter().map(|(_, features)| features[0].0.clone()).collect();
    assert_eq!(found, expected);
    let nested = r#"{"y": true, "user": {"age": 3, "tags": ["a", "b", "a"]}, "n": [1, 2], "ok": false}"#;
    let features = [("user.age", 3.0), ("user.tags=a", 2.0), ("user.tags=b", 1.0), ("n=1", 1.0), ("n=2", 1.0), ("ok=false", 1.0)];
    assert_eq!(read(&format!("{nested}\n{{\"y\": false}}\n"), &PackSettings::default()).1, [row(1.0, &features), row(-1.0, &[])]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"label,age,city\n1,30,Rome\n0,-2.5,\n").unwrap();
    let Ok((_, Data::Rows(data))) = read_as(&gz.finish().unwrap(), &PackSettings::default()) else { panic!() };
    assert_eq!(named_rows(&data), two);
}

#[test]
fn what_is_asked_of_columns_is_done() {
    let text = "id,pay,age,zip,tags,y\na1,99,1,00100,x|y|x,1\na2,0,2,20100,,0\na3,-3,3,00100,y,1\na4,1,4,9,x | z,0\n";
    let prepare = Preparation {
        label: Some("y".into()),
        ignore: names(&["id"]),
        categorical: names(&["zip"]),
        log1p: names(&["pay"]),
        bins: vec![("age".into(), 2)],
        list: vec![("tags".into(), "|".into())],
        ..Preparation::default()
    };
    let (report, found) = read(text, &prepared(prepare.clone()));
    let expected = [
        row(1.0, &[("pay", 100f32.ln()), ("age<3", 1.0), ("zip=00100", 1.0), ("tags=x", 2.0), ("tags=y", 1.0)]),
        row(0.0, &[("pay", 0.0), ("age<3", 1.0), ("zip=20100", 1.0)]),
        row(1.0, &[("pay", -(4f32.ln())), ("age>=3", 1.0), ("zip=00100", 1.0), ("tags=y", 1.0)]),
        row(0.0, &[("pay", 2f32.ln()), ("age>=3", 1.0), ("zip=9", 1.0), ("tags=x", 1.0), ("tags=z", 1.0)]),
    ];
    assert_eq!(found, expected);
    let told = report.recipe.unwrap().told().join("\n");
    for says in [
        "label from column `y`",
        "column `id`: left out",
        "`zip`: words",
        "`pay`: numbers, of which the log",
        "in 2 bins with the edges 3",
        "between `|`",
    ] {
        assert!(told.contains(says), "{told}");
    }
    let json = r#"{"id":"a1","pay":99,"age":1,"zip":100,"tags":"x|y|x","y":1}
{"id":"a3","pay":-3,"age":3,"zip":"00100","tags":"y","y":1}
"#;
    let found = read(json, &prepared(prepare)).1;
    let first = [("pay", 100f32.ln()), ("age<3", 1.0), ("zip=100", 1.0), ("tags=x", 2.0), ("tags=y", 1.0)];
    assert_eq!(found, [row(1.0, &first), expected[2].clone()]);
    let rare = Preparation { min_count: Some(2), ..Preparation::default() };
    let (report, found) = read("y,a,b\n1,u,p\n0,u,q\n1,v,q\n", &prepared(rare.clone()));
    let last = row(1.0, &[("a=<rare>", 1.0), ("b=q", 1.0)]);
    assert_eq!(found, [row(1.0, &[("a=u", 1.0), ("b=<rare>", 1.0)]), row(0.0, &[("a=u", 1.0), ("b=q", 1.0)]), last]);
    assert!(report.notes.iter().any(|note| note.contains("2 words that occur in fewer than 2 examples are the feature `name=<rare>`")));
    let Ok((report, Data::Rows(rows))) = read_as("1 3:1 5:0.5\n0 3:2 7:1\n", &prepared(rare)) else { panic!() };
    assert!(report.notes.iter().any(|note| note.contains("2 features that occur in fewer than 2 examples are left out, with 2 nonzeros")));
    assert_eq!((rows.columns(), rows.nonzeros(), report.nonzeros), (1, 2, 2));
    for (prepare, says) in [
        (Preparation { label: Some("wage".into()), ..Preparation::default() }, "no column is called `wage`; the columns are: `id`, `pay`"),
        (labelled("y,"), "no column is called `y,`"),
        (Preparation { ignore: names(&["Id"]), ..labelled("y") }, "no column is called `Id`"),
        (Preparation { numeric: names(&["tags"]), ..labelled("y") }, "a word in a column of numbers: `x|y|x`"),
    ] {
        let settings = PackSettings { format: Some(Format::Csv), ..prepared(prepare) };
        assert!(refused(text.as_bytes(), &settings).2.contains(says), "{says}");
    }
    for (text, prepare, says) in [
        ("1 3:1\n", labelled("y"), "`label` y: is of columns with names (`format` jsonl or csv or tsv), and these are svmlight rows"),
        ("1 2 3\n", Preparation { min_count: Some(2), ..Preparation::default() }, "`min_count` 2: is of the features of rows"),
        ("y,a\n1,b\n", Preparation { ngrams: Some(2), ..Preparation::default() }, "`ngrams` 2: is of lines of words"),
    ] {
        assert!(read_as(text, &prepared(prepare)).unwrap_err().to_string().contains(says), "{says}");
    }
}

#[test]
fn whole_numbers_that_are_codes_are_words() {
    let text = long(2_000, |i| Some(format!("{},{},{}\n", i % 2, 7 + i % 60, 1 + (i * i % 97) * 7_919_111 % 1_000_003)));
    let (report, found) = read(&text, &PackSettings::default());
    assert_eq!(found[2], row(0.0, &[("n", 9.0), (&format!("w={}", 1 + 4 * 7_919_111 % 1_000_003), 1.0)]));
    let told = report.recipe.unwrap().told();
    assert!(
        told[1] == "column `n`: numbers"
            && told[2] == "column `w`: words (codes such as 1; name the column as numeric if they are quantities)",
        "{told:?}"
    );
    let numeric = prepared(Preparation { numeric: names(&["w"]), ..Preparation::default() });
    assert_eq!(read(&text, &numeric).1[0], row(0.0, &[("n", 7.0), ("w", 1.0)]));
}

/// A table of several chunks, with what is odd about it behind so many rows.
fn long(rows: usize, odd: impl Fn(usize) -> Option<String>) -> String {
    let mut text = String::from("y,n,w\n");
    for i in 0..rows {
        text += &odd(i).unwrap_or_else(|| format!("{},{}.5,word{}\n", i % 2, i % 1000, i % 77));
    }
    text
}

#[test]
fn columns_are_what_the_whole_text_says() {
    let rows = 200_000;
    let text = long(rows, |i| (i == 150_000).then(|| "0,many,word1\n".into()));
    let (report, found) = read(&text, &PackSettings::default());
    assert_eq!(found[3], row(1.0, &[("n=3.5", 1.0), ("w=word3", 1.0)]));
    assert_eq!((found.len(), &found[150_000]), (rows, &row(0.0, &[("n=many", 1.0), ("w=word1", 1.0)])));
    assert!(report.recipe.unwrap().told().contains(&"column `n`: words (such as `many`)".to_owned()));
    // On one thread the file is the same.
    let folder = tempfile::tempdir().unwrap();
    let (input, one, two) = (folder.path().join("t.csv"), folder.path().join("1.safetensors"), folder.path().join("2.safetensors"));
    fs::write(&input, &text).unwrap();
    pack(std::slice::from_ref(&input), &two, &PackSettings::default()).unwrap();
    hogwild::Threads::new(1).run(|| pack(&[input], &one, &PackSettings::default())).unwrap();
    assert!(fs::read(one).unwrap() == fs::read(two).unwrap());
    // Classes that are words, of which the second comes late; and a third.
    let classes = long(rows, |i| Some(format!("{},1,a\n", if i < 190_000 { "spam" } else { "ham" })));
    let (report, found) = read(&classes, &PackSettings::default());
    assert_eq!((found[0].0, found[rows - 1].0, report.recipe.unwrap().classes()), (1.0, -1.0, &names(&["ham", "spam"])[..]));
    let (line, column, says) = refused((classes + "eggs,1,a\n").as_bytes(), &PackSettings::default());
    assert!((line, column) == (rows as u64 + 2, 1) && says.contains("more than two classes: spam, ham, eggs: `eggs`"), "{line} {says}");
    // Of numbers the bad row is told at its place, and may be left out.
    let numeric = prepared(Preparation { numeric: names(&["n"]), ..Preparation::default() });
    let (line, column, says) = refused(text.as_bytes(), &numeric);
    assert!((line, column) == (150_002, 3) && says.contains("in a column of numbers: `many`"), "{line}:{column} {says}");
    let (report, found) = read(&text, &PackSettings { on_bad_row: OnBadRow::Skip, ..numeric });
    assert_eq!((report.skipped, found.len()), (1, rows - 1));
}

#[test]
fn quotes_go_over_the_ends_of_lines_and_chunks() {
    let record = |i: usize| format!("{},{i},\"{}\nand \"\"more\"\"\n\"\n", i % 2, "x".repeat(i % 300));
    let text = long(30_000, |i| Some(record(i)));
    let (_, found) = read(&text, &PackSettings::default());
    assert_eq!(found.len(), 30_000);
    for (i, (label, features)) in found.iter().enumerate() {
        let word = format!("w={}\nand \"more\"\n", "x".repeat(i % 300));
        assert_eq!((*label, features), ((i % 2) as f32, &row(0.0, &[("n", i as f32), (&word, 1.0)]).1), "{i}");
    }
    // Lines are counted within quotes too.
    let (line, column, says) = refused((text.clone() + "1,2\n").as_bytes(), &PackSettings::default());
    assert!((line, column) == (90_002, 1) && says.contains("fewer cells than the heading"), "{line} {says}");
    let (line, column, says) = refused((text.clone() + "1,2,\"x\n1,2,3\n").as_bytes(), &PackSettings::default());
    assert!((line, column) == (90_002, 5) && says.contains("a quote is not closed"), "{line} {says}");
    let skip = PackSettings { on_bad_row: OnBadRow::Skip, ..PackSettings::default() };
    let (report, found) = read(&(text + "1,2,\"x\"y\n0,1,z\n"), &skip);
    assert_eq!((report.skipped, found.len(), found[30_000].0), (1, 30_001, 0.0));
}

#[test]
fn files_are_joined_by_the_names_of_their_columns() {
    let folder = tempfile::tempdir().unwrap();
    let files = |texts: &[&str]| -> Vec<PathBuf> {
        let write = |(i, text): (usize, &&str)| {
            let path = folder.path().join(format!("{i}.csv"));
            fs::write(&path, text).unwrap();
            path
        };
        texts.iter().enumerate().map(write).collect()
    };
    let out = folder.path().join("out.safetensors");
    let join = |texts: &[&str]| pack(&files(texts), &out, &PackSettings::default());
    join(&["y,a,b\n1,2,u\n", "b;y;a\nv;0;3,5\n"]).unwrap();
    let Data::Rows(rows) = Data::open(&out).unwrap() else { panic!() };
    assert_eq!(named_rows(&rows), [row(1.0, &[("a", 2.0), ("b=u", 1.0)]), row(0.0, &[("a", 3.5), ("b=v", 1.0)])]);
    // A word in the second file makes it a column of words in the first.
    join(&["y,a,b\n1,2,u\n", "y,a,b\n0,x,v\n"]).unwrap();
    let Data::Rows(rows) = Data::open(&out).unwrap() else { panic!() };
    assert_eq!(named_rows(&rows), [row(1.0, &[("a=2", 1.0), ("b=u", 1.0)]), row(0.0, &[("a=x", 1.0), ("b=v", 1.0)])]);
    for (second, says) in [
        ("y,a\n0,3\n", "1.csv:1:1: column `b` is missing, which the text before has"),
        ("y,a,b,c\n0,3,v,1\n", "column `c` is not in the text before"),
    ] {
        let told = join(&["y,a,b\n1,2,u\n", second]).unwrap_err().to_string();
        assert!(told.contains(says), "{told}");
    }
}

const TRAIN: &str = "y,age,city,plan\nyes,30,Rome,a\nno,40,Paris,b\nyes,20,Rome,a\nno,50,Paris,b\nyes,25,Rome,b\nno,45,Paris,a\n";

#[test]
fn a_model_does_to_raw_rows_what_was_done_in_training() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let write = |name: &str, text: &str| fs::write(at.join(name), text).unwrap();
    write("train.csv", TRAIN);
    let told = message(&hogwild(at, "train train.csv --log1p age --epochs 30 --out m.safetensors --valid train.csv"));
    assert!(told.contains("train.csv: csv rows: 6 examples, 18 nonzeros"), "{told}");
    let shown = good(at, "inspect m.safetensors");
    for line in ["  format csv", "  label y", "  classes no, yes", "    age log1p", "    city word"] {
        assert!(shown.lines().any(|shown| shown == line), "{shown}");
    }
    // Columns in another order, without label, between other marks; a heading alone is no row.
    write("raw.tsv", "plan\tcity\tage\na\tRome\t22\nb\tParis\t60\n");
    let scores: Vec<f32> = good(at, "predict m.safetensors raw.tsv").lines().map(|line| line.parse().unwrap()).collect();
    assert!(scores.len() == 2 && scores[0] > 0.5 && scores[1] < 0.5, "{scores:?}");
    // From a pipe, as JSON: the same numbers.
    let json = "{\"age\": 22, \"city\": \"Rome\", \"plan\": \"a\"}\n{\"age\": 60, \"city\": \"Paris\", \"plan\": \"b\"}\n";
    let (code, piped, _) = parts(&given(at, "predict m.safetensors - --format jsonl", json));
    assert_eq!((code, piped), (Some(0), scores.iter().map(|score| format!("{score}\n")).collect::<String>()));
    // What is not as in training is named.
    write("missing.csv", "plan,age\na,22\n");
    write("new.csv", "plan,age,city,extra\nc,22,Oslo,1\na,23,Oslo,2\n");
    write("type.csv", "plan,age,city\na,old,Rome\n");
    write("class.csv", "y,plan,age,city\nmaybe,a,3,Rome\n");
    let fails = |line: &str, says: &str| {
        let (code, _, told) = parts(&hogwild(at, line));
        assert!(code == Some(2) && told.contains(says), "{line}: {told}");
    };
    fails("predict m.safetensors missing.csv", "missing.csv:1:1: column `city` is missing, which the model was trained on");
    fails("predict m.safetensors type.csv", "type.csv:2:3: this is a word in a column that was numbers in training: `old`");
    fails("eval m.safetensors class.csv", "class.csv:2:1: the label is none of the two words that the model was trained on: `maybe`");
    fails("predict m.safetensors new.csv --ignore extra", "say nothing of them");
    let told = message(&hogwild(at, "predict m.safetensors new.csv"));
    assert!(told.contains("left out, as the model was trained without: `extra`"), "{told}");
    assert!(told.contains("cells unknown to the model, which add nothing: 2 of `city`, 1 of `plan`"), "{told}");
    let (code, _, told) = parts(&hogwild(at, "predict m.safetensors type.csv --on-bad-row skip"));
    assert!(code == Some(0) && told.contains("found 1 bad rows"), "{told}");
    // Data that were packed by themselves are compared.
    good(at, "pack train.csv -o own.safetensors --categorical age");
    let told = message(&hogwild(at, "eval m.safetensors own.safetensors"));
    assert!(told.contains("warning: own.safetensors: column `age` is words, and was numbers, of which the logarithm"), "{told}");
    // Packed data keep it as well.
    let shown = good(at, "inspect own.safetensors --json");
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["recipe"]["columns"][0], serde_json::json!({ "name": "age", "is": "word" }));
}

#[test]
fn what_comes_through_a_pipe_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (code, _, told) = parts(&given(at, "pack - -o out.safetensors", TRAIN));
    assert!(code == Some(0) && told.contains("column `age`: numbers") && told.contains("`no` is -1, `yes` is +1"), "{told}");
    let late = long(150_000, |i| (i == 140_000).then(|| "0,many,word1\n".into()));
    let (code, _, told) = parts(&given(at, "pack - -o late.safetensors", &late));
    let says = "-:140002:3: this is a word in a column that had numbers alone, and what comes through a pipe is read once: `many`; name";
    assert!(code == Some(2) && told.contains(says) && !at.join("late.safetensors").exists(), "{told}");
    assert_eq!(parts(&given(at, "pack - -o late.safetensors --categorical n", &late)).0, Some(0));
    let (code, _, told) = parts(&given(at, "pack - -o bins.safetensors --bins age:2", TRAIN));
    assert!(code == Some(2) && told.contains("--bins of a pipe: needs to read the text twice"), "{told}");
}

#[test]
fn headings_that_say_too_little_are_refused() {
    let [csv, ratings] = [Format::Csv, Format::Ratings].map(|format| PackSettings { format: Some(format), ..PackSettings::default() });
    for (text, settings, says) in [
        ("a,b\n1,2\n", &csv, "no column is called label, target, y, click, clicked, class, outcome or is_click; the columns are: `a`, `b`"),
        ("1,0.5\n0,0.25\n", &csv, "let the first line name the columns"),
        ("y,a,a\n1,2,3\n", &csv, "two columns are called `a`"),
        ("y,\"a\n", &csv, "a quote is not closed in the heading"),
        ("{\"a\": 1}\n", &PackSettings::default(), "no field is called label"),
        ("{\"user\": \"a\", \"item\": 7, \"rating\": 4}\n", &PackSettings::default(), "as `jq -r '[.user, .item, .rating] | @csv'` does"),
        ("{\"user\": \"a\", \"item\": 7, \"rating\": 4}\n", &ratings, "these are ratings as JSON"),
        (
            "{\"userId\":1,\"movieId\":2,\"rating\":3.5}\n",
            &PackSettings::default(),
            "`jq -r '[.userId, .movieId, .rating] | @csv'` does; if",
        ),
        ("{\"customer\":\"a\",\"product\":\"b\",\"returned\":1}\n", &PackSettings::default(), "no field is called label"),
    ] {
        let (line, _, told) = refused(text.as_bytes(), settings);
        assert!(line == 1 && told.contains(says), "{text:?}: {told}");
    }
    for text in ["", "\n\n", "y,a\n", "y,a\n\n"] {
        let told = read_as(text, &csv).unwrap_err().to_string();
        assert!(told.contains("no examples at all"), "{text:?}: {told}");
    }
    // Ratings stay ratings, whatever else they have.
    for text in ["user,item,rating,label\n1,2,3,x\n", "userId,movieId,click\n1,2,1\n"] {
        assert_eq!(Format::detect(text.as_bytes()), Some(Format::Ratings), "{text}");
    }
}

/// What once never ended, was read wrongly or was told at another place.
#[test]
fn odd_labels_and_places_are_told_and_end() {
    let any = PackSettings::default();
    // Words of other encodings, in tables and behind fastText's mark.
    for text in [&b"y,a\ns\xed,1\nno,2\n"[..], b"__label__s\xed a b\n__label__no c\n"] {
        let (_, _, said) = refused(text, &any);
        assert!(said.contains("UTF-8"), "{said}");
    }
    // Edges that are found are kept, also without labels.
    let bins = Preparation { bins: vec![("age".into(), 2)], ..Preparation::default() };
    let settings = PackSettings { unlabelled: true, ..prepared(bins) };
    assert_eq!(read_as("{\"age\":1,\"x\":\"b\"}\n{\"age\":3}\n", &settings).unwrap().0.rows, 2);
    // Decimal commas hold for labels too.
    let (_, rows) = read("y;a\n1,5;1\n2,5;2\n3,5;3\n", &any);
    assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [1.5, 2.5, 3.5]);
    // Labels of many words are refused at once.
    let many: String = (0..200_000).map(|i| format!("x{i},1\n")).collect();
    let (_, _, said) = refused(format!("y,a\n{many}").as_bytes(), &any);
    assert!(said.contains("more than two classes"), "{said}");
    // Within quotes lines are counted.
    let numeric = Preparation { numeric: names(&["b"]), ..Preparation::default() };
    let (line, column, said) = refused(b"y,a,b\n1,\"x\ny\",5\n0,\"x\ny\",zz\n", &prepared(numeric));
    assert_eq!((line, column), (5, 4), "{said}");
    // A line of blanks is empty.
    assert_eq!(read("y,a\n1,2\n   \n0,3\n", &any).1.len(), 2);
    let (_, _, said) = refused(b"1 |a:1e30 x:1e30\n0 |a x:1\n", &any);
    assert!(said.contains("no finite number"), "{said}");
}

#[test]
fn a_label_is_no_feature_of_like_name_and_packed_classes_are_those_of_training() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rows: String = (0..60).map(|i| format!("{},{},{}\n", i % 2, i % 2 * 2 - 1, i)).collect();
    fs::write(at.join("train.csv"), format!("Y,y,a\n{rows}")).unwrap();
    fs::write(at.join("raw.csv"), "y,a\n-1,4\n1,7\n").unwrap();
    fs::write(at.join("with.csv"), "Y,y,a\n0,-1,4\n1,1,7\n").unwrap();
    good(at, "train train.csv --label Y --lr 0.5 --epochs 5 --out m.safetensors");
    assert_eq!(good(at, "predict m.safetensors raw.csv"), good(at, "predict m.safetensors with.csv"));
    // A file of one class alone has other signs than the model's.
    fs::write(at.join("words.csv"), format!("y,a\n{}", "no,1\nyes,2\nno,1\n".repeat(30))).unwrap();
    fs::write(at.join("no.csv"), "y,a\nno,1\nno,3\n").unwrap();
    good(at, "train words.csv --lr 0.1 --out w.safetensors");
    good(at, "pack no.csv -o no.safetensors");
    let (code, _, said) = parts(&hogwild(at, "eval w.safetensors no.safetensors"));
    assert!(code == Some(2) && said.contains("the labels are no, and were no and yes in training"), "{said}");
    good(at, "eval w.safetensors no.csv");
}
