//! Fields of features, for models that go by them: of every format, of packed files, of rare features.
use super::ffm::{VALUES, machine, numbers, planted, rows, settings};
use crate::support::{
    command::{given, good, hogwild, message, said},
    data::read_as,
};
use hogwild::{
    Settings, TrainedModel,
    data::{Data, Fields, Ids, PackSettings, Rows, RowsCsr},
};
use std::{fmt::Write, fs};

#[test]
fn fields_come_from_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let libffm = planted(1_500, 1);
    let (mut csv, mut jsonl, mut vw) = ("y,a,b,c,d\n".to_owned(), String::new(), String::new());
    for line in libffm.lines() {
        let mut words = line.split(' ');
        let label = words.next().unwrap();
        let mut cells: [Option<&str>; 4] = [None; 4];
        words.for_each(|word| {
            let mut parts = word.split(':');
            let field: usize = parts.next().unwrap().parse().unwrap();
            cells[field] = parts.next();
        });
        let named = || "abcd".chars().zip(cells).filter_map(|(name, id)| Some((name, id?)));
        writeln!(csv, "{label},{}", cells.map(|id| id.map_or(String::new(), |id| format!("v{id}"))).join(",")).unwrap();
        let fields: Vec<String> = named().map(|(name, id)| format!("\"{name}\":\"v{id}\"")).collect();
        writeln!(jsonl, "{{\"y\":{label},{}}}", fields.join(",")).unwrap();
        writeln!(vw, "{label} {}", named().map(|(name, id)| format!("|{name} v{id}")).collect::<Vec<_>>().join(" ")).unwrap();
    }
    let mut metrics = Vec::new();
    for (name, text) in [("t.ffm", &libffm), ("t.csv", &csv), ("t.jsonl", &jsonl), ("t.vw", &vw)] {
        fs::write(at.join(name), text).unwrap();
        let label = if name == "t.csv" || name == "t.jsonl" { "--label y" } else { "" };
        let train = format!("train {name} {label} --valid {name} --model ffm --lr 0.5 --epochs 4 --threads 1 --out m.safetensors");
        let train = said(at, &train);
        let model = TrainedModel::open(&at.join("m.safetensors")).unwrap();
        assert_eq!((model.family, model.ids("field").unwrap().len()), ("ffm", 4));
        let field = |i: usize| model.ids("field").unwrap().name(i);
        assert_eq!([field(0), field(3)], if name == "t.ffm" { ["0", "3"] } else { ["a", "d"] });
        let told = good(at, &format!("eval m.safetensors {name}"));
        let loss = told.lines().find_map(|line| line.strip_prefix("logloss ")).unwrap().to_owned();
        assert!(train.contains(&format!("logloss {}", &loss[..6])), "{name}: {told} {train}");
        metrics.push(loss.parse::<f64>().unwrap());
    }
    assert!(metrics.iter().all(|loss| (loss / metrics[0] - 1.0).abs() < 0.02), "{metrics:?}");
    // What is crossed is in the first field of it, be it a number or a word.
    fs::write(at.join("x.csv"), "y,n,w\n1,2,p\n0,3,q\n1,4,p\n0,1,r\n").unwrap();
    fs::write(at.join("x.jsonl"), "{\"y\":1,\"n\":2,\"w\":\"p\"}\n{\"y\":0,\"n\":3,\"w\":\"q\"}\n").unwrap();
    for name in ["x.csv", "x.jsonl"] {
        good(at, &format!("train {name} --label y --cross n:w --model ffm --lr 0.1 --epochs 1 --out x.safetensors"));
        let model = TrainedModel::open(&at.join("x.safetensors")).unwrap();
        assert_eq!(**model.ids("field").unwrap(), ["n", "w"].into_iter().collect());
    }
    // Lent or copied memory, by the matrix's own numbers.
    let of_text = rows(&libffm);
    let (mut labels, mut columns, mut row_start) = (Vec::new(), Vec::new(), vec![0u64]);
    for line in libffm.lines() {
        let mut words = line.split(' ');
        labels.push(words.next().unwrap().parse::<f32>().unwrap());
        columns.extend(words.map(|word| word.split(':').nth(1).unwrap().parse::<u32>().unwrap()));
        row_start.push(columns.len() as u64);
    }
    let fields =
        Fields { of: (0..33u64).map(|id| (id.saturating_sub(1) / VALUES) as u16).collect(), names: Ids::Numbers((0..4).collect()) };
    let csr = RowsCsr { labels: &labels, row_start: &row_start, columns: &columns, fields: Some(&fields), ..RowsCsr::default() };
    let of_memory = Rows::from_csr(csr).unwrap();
    assert_eq!(of_memory.fields().unwrap(), of_text.fields().unwrap());
    let few = || Settings { epochs: 2, ..settings(4) };
    assert_eq!(numbers(&machine(&of_memory, None, few())), numbers(&machine(&of_text, None, few())));
    let few = Fields { of: fields.of[..20].to_vec(), ..fields.clone() };
    let refused = Rows::from_csr(RowsCsr { fields: Some(&few), ..csr }).unwrap_err().to_string();
    assert!(refused.contains("has no field: there are 20"), "{refused}");
    let odd = Fields { of: vec![4; 33], ..fields.clone() };
    let refused = Rows::from_csr(RowsCsr { fields: Some(&odd), ..csr }).unwrap_err().to_string();
    assert!(refused.contains("has field 4, and there are 4"), "{refused}");
}

/// An index in several fields is one feature to others, and one for each field to this model.
#[test]
fn indices_in_several_fields_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text = "1 0:5:1 1:7:1\n0 0:7:1 1:5:1\n1 0:5:1 1:7:1 2:5:1\n0 1:7:1\n".repeat(30);
    fs::write(at.join("t.ffm"), &text).unwrap();
    let apart = rows(&text);
    let ids = apart.feature_ids().unwrap();
    let mut names: Vec<String> = (0..ids.len()).map(|i| ids.name(i)).collect();
    names.sort();
    assert_eq!(names, ["0:5", "0:7", "1:5", "1:7", "2:5"]);
    let fields = apart.fields().unwrap().unwrap();
    assert_eq!(fields.names, ["0", "1", "2"].into_iter().collect());
    assert!((0..5).all(|i| ids.name(i).starts_with(&fields.names.name(fields.of[i] as usize))));
    let Data::Rows(joined) = read_as(&text, &PackSettings::default()).unwrap().1 else { panic!("ratings") };
    assert_eq!((joined.columns(), joined.fields().unwrap()), (2, None));
    let told = said(at, "train t.ffm --model ffm --lr 0.5 --epochs 5 --factor-min-count 1 --threads 1 --out m.safetensors");
    assert!(told.contains("features are called `field:index`"), "{told}");
    // The model reads other text alike, tells of fields that it does not know, and takes what it knows.
    fs::write(at.join("new.ffm"), "1 0:5:1 1:7:1\n0 0:5:1 1:7:1 8:5:1\n").unwrap();
    let scores = good(at, "predict m.safetensors new.ffm");
    let scores: Vec<f32> = scores.lines().map(|line| line.parse().unwrap()).collect();
    assert!(scores[0] > 0.6 && scores[1] != scores[0], "{scores:?}"); // the unknown one counts in the length
    assert!(said(at, "predict m.safetensors new.ffm --out scores.txt").contains("fields unknown to the model: 8"));
    let told = said(at, "train t.ffm --valid new.ffm --model ffm --lr 0.5 --epochs 1");
    assert!(told.contains("new.ffm: fields unknown to the training data: 8"), "{told}");
    // Packed for other models they are joined; a pipe is read once.
    good(at, "pack t.ffm --out joined.safetensors");
    good(at, "pack t.ffm --fields --out apart.safetensors");
    good(at, "train apart.safetensors --model ffm --lr 0.5 --epochs 1");
    for (line, says) in [
        ("train joined.safetensors --model ffm --lr 0.5", "has no features with fields"),
        ("train - --model ffm --lr 0.5 --format libffm", "indices that stand in several fields"),
    ] {
        let output = given(at, line, &text);
        assert!(output.status.code() == Some(2) && message(&output).contains(says), "{line}: {}", message(&output));
    }
}

/// Where each index has one field, all models take the same packed file, and labels of fields may be any numbers.
#[test]
fn one_packed_file_serves_all_models() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text = planted(300, 1).replace(" 3:", " 4294967294:");
    fs::write(at.join("t.ffm"), &text).unwrap();
    good(at, "pack t.ffm --out t.safetensors");
    for model in ["linear", "fm", "ffm"] {
        good(at, &format!("train t.safetensors --model {model} --lr 0.1 --epochs 1 --out {model}.safetensors"));
    }
    let model = TrainedModel::open(&at.join("ffm.safetensors")).unwrap();
    assert_eq!(**model.ids("field").unwrap(), Ids::Numbers(vec![0, 1, 2, 4_294_967_294]));
    // Fields are nothing to a linear model: the same rows without them.
    let svm: String = text
        .lines()
        .map(|line| line.split(' ').map(|word| word.split_once(':').map_or(word, |(_, rest)| rest)).collect::<Vec<_>>().join(" ") + "\n")
        .collect();
    fs::write(at.join("t.svm"), svm).unwrap();
    good(at, "train t.svm --model linear --lr 0.1 --epochs 1 --out plain.safetensors");
    let weights = |name: &str| TrainedModel::open(&at.join(name)).unwrap().last().numbers("weight").to_vec();
    assert_eq!(weights("linear.safetensors"), weights("plain.safetensors"));
    // Of a field that cannot be kept nothing is kept.
    fs::write(at.join("far.ffm"), "1 4294967295:1:1\n0 4294967295:1:2\n").unwrap();
    good(at, "train far.ffm --model linear --lr 0.1 --epochs 1");
    let told = message(&hogwild(at, "train far.ffm --model ffm --lr 0.1 --epochs 1"));
    assert!(told.contains("has no features with fields"), "{told}");
}

#[test]
fn fields_outlast_rare_features_and_samples() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let row = |i: usize| format!("{} 0:{}:1 1:{}:1 2:{}:1\n", u8::from(i.is_multiple_of(3)), i % 4, 10 + i % 5, 100 + i);
    fs::write(at.join("a.ffm"), (0..400).map(row).collect::<String>()).unwrap();
    for options in ["--min-count 20", "--sample 0.5"] {
        let told = said(at, &format!("train a.ffm --model ffm --lr 0.1 --epochs 1 --factor-min-count 1 {options} --out m.safetensors"));
        assert!(good(at, "inspect m.safetensors").contains("fields "), "{options}: {told}");
    }
}
