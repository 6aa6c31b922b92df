//! Models in other programs' formats: what is written is read back to the bit, and files that others wrote are understood.
use crate::support::{
    command::{good, hogwild, message},
    data::text_like,
    training::save_linear_model,
};
use hogwild::{Loss, TrainedModel};
use std::{fmt::Write, fs, path::Path};

/// The tensors, their ids, and what the model says of itself.
fn all_of(path: &Path) -> (Vec<Vec<u32>>, Vec<Vec<String>>, String) {
    let model = TrainedModel::open(path).unwrap();
    let numbers = model.last().0.iter().map(|tensor| tensor.numbers.iter().map(|x| x.to_bits()).collect()).collect();
    let ids = model.axes.iter().map(|axis| (0..axis.ids.len()).map(|i| axis.ids.name(i)).collect()).collect();
    let recipe = model.recipe.as_ref().map(|recipe| recipe.to_json());
    (numbers, ids, format!("{} {} {:?} {} {recipe:?} {}", model.family, model.loss, model.classes, model.unit, model.settings))
}

#[test]
fn models_of_every_family_come_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("rows.svm"), text_like(600, 0)).unwrap();
    let (mut table, mut classes) = ("y,\"odd\tname\",city\n".to_owned(), String::new());
    for i in 0..300 {
        writeln!(table, "{},{},\"{}\"", ["no", "yes"][i % 2], i % 7, ["Rome\nEast", "back\\slash", "plain"][i % 3]).unwrap();
        writeln!(classes, "{} {}:1 {}:1", ["a", "b", "c"][i % 3], 1 + i % 5, 6 + i % 3).unwrap();
    }
    fs::write(at.join("table.csv"), table).unwrap();
    fs::write(at.join("classes.svm"), classes).unwrap();
    for (data, options) in [
        ("rows.svm", ""),
        ("rows.svm", "--loss squared --normalize row"),
        ("table.csv", ""),
        ("rows.svm", "--model fm --rank 3"),
        ("DATA/ratings.train.tsv", "--rank 5"),
        ("classes.svm", "--model softmax"),
        ("classes.svm", "--model ovr"),
    ] {
        good(at, &format!("train {data} {options} --epochs 1 --lr 0.1 --threads 1 --out m.safetensors"));
        for format in ["tsv", "npz"] {
            good(at, &format!("export m.safetensors --out m.{format}"));
            good(at, &format!("import m.{format} --out back.safetensors"));
            assert_eq!(all_of(&at.join("m.safetensors")), all_of(&at.join("back.safetensors")), "{data} {options} {format}");
        }
    }
    // Standard output has the same text.
    good(at, "export m.safetensors --out m.tsv");
    assert_eq!(good(at, "export m.safetensors"), fs::read_to_string(at.join("m.tsv")).unwrap());
}

#[test]
fn a_file_of_liblinear_scores_as_liblinear_does() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let predict = |rows: &str| -> Vec<f32> {
        fs::write(at.join("rows.svm"), rows).unwrap();
        good(at, "predict m.safetensors rows.svm").lines().map(|line| line.parse().unwrap()).collect()
    };
    // As its train wrote it with -s 0 -B 1: the numbers speak for label 3.
    let head = "solver_type L2R_LR\nnr_class 2\nlabel 3 -7\nnr_feature 3\nbias 1\nw\n";
    fs::write(at.join("m.model"), format!("{head}0.5 \n0 \n-1.25 \n0.25 \n")).unwrap();
    good(at, "import m.model --out m.safetensors");
    let sigmoid = |z: f32| 1.0 / (1.0 + (-z).exp());
    let found = predict("3 1:2 3:1\n-7 2:5\n");
    assert!(found.iter().zip([sigmoid(0.0), sigmoid(0.25)]).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    assert!(good(at, "eval m.safetensors rows.svm").contains("accuracy"));
    // And back again.
    good(at, "export m.safetensors --format liblinear --out again.model");
    assert_eq!(fs::read_to_string(at.join("again.model")).unwrap(), format!("{head}0.5 \n0 \n-1.25 \n0.25 \n"));
    // Several classes, no bias.
    let text = "solver_type L2R_L2LOSS_SVC_DUAL\nnr_class 3\nlabel 1 2 4\nnr_feature 2\nbias -1\nw\n1 0 -1 \n0 2 0.5 \n";
    fs::write(at.join("m.model"), text).unwrap();
    good(at, "import m.model --out m.safetensors");
    fs::write(at.join("rows.svm"), "1 1:1\n2 2:1\n4 1:-1\n").unwrap();
    assert_eq!(good(at, "predict m.safetensors rows.svm").lines().map(str::trim).collect::<Vec<_>>(), ["1", "2", "4"]);
    for (text, says) in [
        (format!("{head}0.5 \n0 \n"), "has 2 lines of weights, and 4 are to be there"),
        (format!("{head}0.5 \nx \n0 \n0 \n"), "m.model:8:1: is to be 1 finite numbers: `x `"),
        ("solver_type ONECLASS_SVM\nnr_class 2\nlabel 1 2\nnr_feature 1\nbias -1\nw\n1 \n".into(), "of which this program knows no loss"),
        ("solver_type L2R_LR\nnr_klass 2\n".into(), "m.model:2:1: is no line of a LIBLINEAR model"),
    ] {
        fs::write(at.join("m.model"), text).unwrap();
        let refused = hogwild(at, "import m.model --format liblinear --out none.safetensors");
        assert!(refused.status.code() == Some(2) && message(&refused).contains(says), "{}", message(&refused));
        assert!(!at.join("none.safetensors").exists());
    }
}

#[test]
fn a_file_of_vowpal_wabbit_scores_its_own_lines() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let head = "Version 9.10.0\nId \nMin label:-1\nMax label:1\nbits:18\nlda:0\n0 ngram:\n0 skip:\noptions: --loss_function logistic\n\
        Checksum: 3984224786\n:0\n";
    fs::write(at.join("vw.txt"), format!("{head}Constant:116060:0.5\nf^a:24414:1.5 0.3 2\nf^b:9:-2\nbare:77:0.25\n")).unwrap();
    good(at, "import vw.txt --out m.safetensors");
    fs::write(at.join("lines.vw"), "1 |f a b:0.5\n-1 | bare\n").unwrap();
    let found: Vec<f32> = good(at, "predict m.safetensors lines.vw").lines().map(|line| line.parse().unwrap()).collect();
    let sigmoid = |z: f32| 1.0 / (1.0 + (-z).exp());
    assert!(found.iter().zip([sigmoid(1.0), sigmoid(0.75)]).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    good(at, "export m.safetensors --format vw-readable --out again.txt");
    good(at, "import again.txt --out again.safetensors");
    assert_eq!(all_of(&at.join("m.safetensors")), all_of(&at.join("again.safetensors")));
    for (text, says) in [
        (format!("{head}1234:0.5\n"), "write the model by `--invert_hash`"),
        (format!("{head}f^a:1:x\n"), "has no finite weight"),
        (format!("{head}f^a:1:1\nf^a:1:1\n"), "vw.txt:13:1: is there twice"),
        (head.replace("logistic", "expectile") + "f^a:1:1\n", "the loss `expectile`"),
        (head.replace("--loss_function", "--oaa 3 --loss_function") + "f^a:1:1\n", "options of other models"),
        ("Version 9\n".into(), "has no line `:0`"),
    ] {
        fs::write(at.join("vw.txt"), text).unwrap();
        let refused = hogwild(at, "import vw.txt --out none.safetensors");
        assert!(refused.status.code() == Some(2) && message(&refused).contains(says), "{}", message(&refused));
    }
}

#[test]
fn what_a_format_cannot_hold_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Logistic, &[0.5, -1.0]);
    good(at, "train DATA/ratings.train.tsv --epochs 1 --lr 0.1 --out mf.safetensors");
    good(at, "train DATA/reviews.train.svm --epochs 2 --lr 0.1 --snapshots 2 --out two.safetensors");
    for (line, says) in [
        ("export mf.safetensors --format liblinear", "is a model `mf`, which LIBLINEAR has not"),
        ("export mf.safetensors --format vw-readable", "is a model `mf`, which this format does not hold"),
        ("export m.safetensors --format npz", "is not for standard output"),
        ("export m.safetensors --member 2", "--member 2: must be from 1 to 1"),
        ("export two.safetensors", "is an ensemble of 2 models; say which by --member"),
        ("export m.safetensors --out m.safetensors", "is an input"),
        ("import m.safetensors --out x.safetensors", "does not begin as a model of any format"),
    ] {
        let refused = hogwild(at, line);
        assert!(refused.status.code() == Some(2) && message(&refused).contains(says), "{line}: {}", message(&refused));
    }
    good(at, "export two.safetensors --member 2 --out second.tsv");
    // Damaged text is told by its line; nothing is written.
    good(at, "export m.safetensors --out m.tsv");
    let text = fs::read_to_string(at.join("m.tsv")).unwrap();
    for (from, to, says) in [
        ("\t0.5", "\tfive", "m.tsv:4:1: is no finite number: `five`"),
        ("feature\t2\t-1", "feature\t1\t-1", "has the feature 1 twice"),
        ("feature\t2\t-1", "feature\t2", "has more or fewer numbers than the lines before"),
        ("number\tbias\t0.25\n", "", "has no line `number` of `bias`"),
        ("\"linear\"", "\"curved\"", "an unknown kind of model, `curved`"),
        ("\"logistic\"", "\"odd\"", "unknown loss `odd`"),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        fs::write(at.join("m.tsv"), text.replace(from, to)).unwrap();
        let refused = hogwild(at, "import m.tsv --out none.safetensors");
        assert!(refused.status.code() == Some(2) && message(&refused).contains(says), "{}", message(&refused));
        assert!(!at.join("none.safetensors").exists());
    }
    let bytes = {
        good(at, "export m.safetensors --out m.npz");
        fs::read(at.join("m.npz")).unwrap()
    };
    for cut in [0, 1, 30, bytes.len() / 2, bytes.len() - 1] {
        fs::write(at.join("cut.npz"), &bytes[..cut]).unwrap();
        let refused = hogwild(at, "import cut.npz --out none.safetensors");
        assert_eq!(refused.status.code(), Some(2), "{}", message(&refused));
    }
}
