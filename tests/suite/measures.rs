//! `eval --metrics`, the table of reliability, and what is refused.
use crate::support::{
    command::{given, good, parts},
    data::topics,
    training::save_linear_model,
};
use hogwild::Loss;
use serde_json::Value;
use std::{fs, path::Path};

fn json(folder: &Path, line: &str) -> Value {
    serde_json::from_str(&good(folder, line)).unwrap()
}

#[test]
fn metrics_by_name_are_those_of_the_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("m.safetensors"), Loss::Logistic, &[1.0, -2.0, 0.5]);
    let rows: Vec<(f64, u32, u32)> = (0..500u32).map(|i| (if i * 7 % 11 < 4 { 1.0 } else { -1.0 }, 1 + i % 3, 1 + i % 5)).collect();
    let text: String = rows.iter().map(|(y, weight, feature)| format!("{y:+}:{weight} {feature}:{}\n", 0.1 * f64::from(*weight))).collect();
    fs::write(at.join("a.svm"), text).unwrap();
    let asked = "precision,recall,f1,brier,ece,logloss,auc,accuracy";
    let found = json(at, &format!("eval m.safetensors a.svm --metrics {asked} --json --reliability 15"));
    let names: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert!(asked.split(',').all(|name| names.iter().any(|found| *found == name)) && !names.iter().any(|name| *name == "loss"));
    let p: Vec<f64> = good(at, "predict m.safetensors a.svm").lines().map(|line| line.parse().unwrap()).collect();
    let sum = |f: &dyn Fn(f64, bool) -> f64| rows.iter().zip(&p).map(|(row, &p)| f64::from(row.1) * f(p, row.0 > 0.0)).sum::<f64>();
    let count = |f: &dyn Fn(bool, bool) -> bool| sum(&|p, y| f64::from(u8::from(f(p > 0.5, y))));
    let (both, said, is) = (count(&|said, is| said && is), count(&|said, _| said), count(&|_, is| is));
    let close = |name: &str, value: f64| assert!((found[name].as_f64().unwrap() - value).abs() < 1e-6, "{name} {value}: {found}");
    close("precision", both / said);
    close("recall", both / is);
    close("f1", 2.0 * both / (said + is));
    let all = sum(&|_, _| 1.0);
    close("brier", sum(&|p, y| (p - f64::from(u8::from(y))).powi(2)) / all);
    // The table has every example, and the error is its mean distance.
    let bins = found["reliability"].as_array().unwrap();
    let of = |bin: &Value, name: &str| bin[name].as_f64().unwrap();
    assert!(bins.len() == 15 && (bins.iter().map(|bin| of(bin, "examples")).sum::<f64>() - all).abs() < 1e-9);
    close("ece", bins.iter().map(|bin| of(bin, "examples") * (of(bin, "predicted") - of(bin, "observed")).abs()).sum::<f64>() / all);
    let text = good(at, "eval m.safetensors a.svm --metrics ece --reliability --plot r.svg");
    assert!(text.starts_with("examples 500\nece 0.") && text.contains("predicted  observed"), "{text}");
    assert!(fs::read_to_string(at.join("r.svg")).unwrap().contains("calibration error"));
    // Any number of threads gives the same bits.
    let by = |threads: u32| good(at, &format!("eval m.safetensors a.svm --metrics {asked} --json --threads {threads}"));
    assert_eq!(by(1), by(3));
}

#[test]
fn several_classes_have_means_over_classes_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("t.svm"), topics(600, 7, 3)).unwrap();
    good(at, "train t.svm --model softmax --lr 0.3 --threads 1 --quiet --out m.safetensors");
    let usual = json(at, "eval m.safetensors t.svm --json");
    let found = json(at, "eval m.safetensors t.svm --json --metrics macro-f1,macro-precision,macro-recall,top5,accuracy,ece");
    assert!(["macro-f1", "top5", "accuracy"].iter().all(|name| found[name] == usual[name]), "{found} {usual}");
    let classes: Vec<&Value> = usual["classes"].as_object().unwrap().values().collect();
    for name in ["precision", "recall"] {
        let mean = classes.iter().map(|class| class[name].as_f64().unwrap()).sum::<f64>() / 7.0;
        assert!((found[format!("macro-{name}")].as_f64().unwrap() - mean).abs() < 1e-9);
    }
    assert!((0.0..0.5).contains(&found["ece"].as_f64().unwrap()));
    let several: String = topics(300, 4, 5)
        .lines()
        .enumerate()
        .map(|(i, line)| if i % 5 == 0 { format!("3,{line}\n") } else { format!("{line}\n") })
        .collect();
    fs::write(at.join("s.svm"), several.replace("3,3 ", "3 ")).unwrap();
    good(at, "train s.svm --model ovr --lr 0.1 --threads 1 --quiet --out s.safetensors");
    let found = json(at, "eval s.safetensors s.svm --json --metrics micro-f1,micro-precision,micro-recall");
    let of = |name: &str| found[name].as_f64().unwrap();
    let (precision, recall) = (of("micro-precision"), of("micro-recall"));
    assert!((of("micro-f1") - 2.0 * precision * recall / (precision + recall)).abs() < 1e-9, "{found}");
}

#[test]
fn unknown_and_unfit_metrics_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    save_linear_model(&at.join("p.safetensors"), Loss::Logistic, &[1.0]);
    save_linear_model(&at.join("n.safetensors"), Loss::Squared, &[1.0]);
    fs::write(at.join("a.svm"), "1 1:1\n1 1:2\n").unwrap();
    fs::write(at.join("n.svm"), "3 1:1\n-4 1:-2\n").unwrap();
    for (line, says) in [
        ("eval p.safetensors a.svm --metrics auc,ndcg", "--metrics ndcg: is no metric of this model, which has loss, logloss, auc"),
        ("eval p.safetensors a.svm --metrics mae", "is no metric of this model"),
        ("eval p.safetensors a.svm --metrics auc", "--metrics auc: is not defined on a.svm"),
        ("eval n.safetensors n.svm --metrics deviance:1", "--metrics deviance:1: is not defined on n.svm"),
        ("eval n.safetensors n.svm --metrics pinball:2", "is of a quantile between 0 and 1"),
        ("eval n.safetensors n.svm --reliability", "--reliability: is of models that predict a probability"),
        ("eval n.safetensors n.svm --plot n.svm", "is an input"),
        ("eval p.safetensors a.svm --reliability 0", "--reliability"),
    ] {
        let (code, out, told) = parts(&given(at, line, ""));
        assert!(code == Some(2) && out.is_empty() && told.contains(says), "{line}: {told}");
    }
    let found = json(at, "eval n.safetensors n.svm --json --metrics pinball:0.9,r2,rmse");
    assert!((found["pinball:0.9"].as_f64().unwrap() - (0.9 * 1.75 + 0.1 * 2.25) / 2.0).abs() < 1e-6, "{found}");
}
