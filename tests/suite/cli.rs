//! The command as a user meets it: files in, files out, exit codes, messages.
use crate::support::command::{command, given, good, hogwild, message, signal};
use serde_json::Value;
use std::{fs, io::Write, process::Stdio};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn rows_are_trained_evaluated_predicted_and_inspected() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    good(at, "train DATA/reviews.train.svm --valid DATA/reviews.test.svm --out m.safetensors --log log.jsonl --threads 2");
    let log: Vec<Value> = fs::read_to_string(at.join("log.jsonl")).unwrap().lines().map(json).collect();
    let events: Vec<&str> = log.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["start", "rate_search", "epoch", "epoch", "epoch", "epoch", "epoch", "end"]);
    assert_eq!(log[0]["settings"]["rule"], "adagrad");
    assert_eq!((&log[2]["epoch"], &log[2]["examples"]), (&1.into(), &4000.into()));
    assert!(log[6]["seconds"].as_f64().unwrap() > 0.0 && log[6]["valid"]["auc"].as_f64().unwrap() > 0.85);

    let metrics = json(&good(at, "eval m.safetensors DATA/reviews.test.svm --json"));
    assert_eq!(metrics["logloss"], log[6]["valid"]["logloss"]);
    let probabilities = good(at, "predict m.safetensors DATA/reviews.test.svm");
    assert_eq!(probabilities.lines().count(), 1000);
    assert!(probabilities.lines().all(|line| (0.0..=1.0).contains(&line.parse::<f64>().unwrap())));
    good(at, "predict m.safetensors DATA/reviews.test.svm -o p.txt");
    assert_eq!(fs::read_to_string(at.join("p.txt")).unwrap(), probabilities);

    let model = json(&good(at, "inspect m.safetensors --json --top 3"));
    assert_eq!((&model["model"], model["heaviest"].as_object().unwrap().len()), (&"linear".into(), 3));
    good(at, "pack DATA/reviews.train.svm -o d.safetensors");
    let data = json(&good(at, "inspect d.safetensors --json"));
    assert_eq!((&data["rows"], &data["nonzeros"]), (&4000.into(), &67265.into()));
    good(at, "train d.safetensors --holdout 0.2 --loss hinge --rule sgd --lr 0.5 --quiet");
    good(at, "train d.safetensors --batch 64 --batch-growth 2 --epochs 2 --log b.jsonl");
    let log: Vec<Value> = fs::read_to_string(at.join("b.jsonl")).unwrap().lines().map(json).collect();
    assert_eq!((&log[1]["rates"], &log[1]["chosen"]), (&Value::Array(Vec::new()), &log[4]["settings"]["lr"]));
    assert_eq!((&log[0]["settings"]["batch"], &log[2]["steps"], &log[3]["steps"]), (&"64".into(), &63.into(), &32.into()));
}

#[test]
fn ratings_are_factorized() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    good(at, "train DATA/ratings.train.tsv --rank 8 --epochs 10 --out m.safetensors");
    let metrics = json(&good(at, "eval m.safetensors DATA/ratings.test.tsv --json"));
    // The hidden truth has .47, the mean .93.
    assert!(metrics["rmse"].as_f64().unwrap() < 0.56, "{metrics}");
    assert_eq!(json(&good(at, "inspect m.safetensors --json"))["rank"], 8);
    fs::write(at.join("new.tsv"), "1 999999 3\nnobody 888 4\n").unwrap();
    let unknown = json(&good(at, "eval m.safetensors new.tsv --json"));
    assert_eq!(unknown["unknown"], 3);
}

#[test]
fn early_stopping_tells_which_epoch_it_kept_and_why_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let line = "train DATA/ratings.train.tsv --valid DATA/ratings.test.tsv --lr 0.3 --l2 0 --schedule constant --rank 8 --epochs 50";
    let output = hogwild(at, &format!("{line} --patience 2 --stop-metric rmse --out m.safetensors --log log.jsonl"));
    let message = message(&output);
    let log: Vec<Value> = fs::read_to_string(at.join("log.jsonl")).unwrap().lines().map(json).collect();
    let (epochs, end) = (log.len() - 2, &log[log.len() - 1]);
    let best = end["best_epoch"].as_u64().unwrap() as usize;
    assert!(output.status.success() && end["ended"] == "stopped early" && epochs == best + 2 && epochs < 50, "{message}");
    assert!(message.contains("stopped early: the held-out rmse got no better for 2 epochs"), "{message}");
    assert!(message.contains(&format!("model of epoch {best}, the best written")), "{message}");
    let metrics = json(&good(at, "eval m.safetensors DATA/ratings.test.tsv --json"));
    assert_eq!(metrics["rmse"], log[best]["valid"]["rmse"]);
    assert_eq!((&end["settings"]["patience"], &end["settings"]["stop_metric"]), (&2.into(), &"rmse".into()));
}

#[test]
fn snapshots_are_one_model_that_is_evaluated_predicted_and_inspected() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (name, kind, measure, most) in
        [("reviews.X.svm", "linear", "logloss", "heaviest"), ("ratings.X.tsv", "mf", "rmse", "heaviest_item_biases")]
    {
        let (train, test) = (format!("DATA/{}", name.replace('X', "train")), format!("DATA/{}", name.replace('X', "test")));
        let output = hogwild(at, &format!("train {train} --valid {test} --snapshots 3 --epochs 6 --out m.safetensors --log log.jsonl"));
        assert!(output.status.success() && message(&output).contains("ensemble of 3  held-out"), "{output:?}");
        let log: Vec<Value> = fs::read_to_string(at.join("log.jsonl")).unwrap().lines().map(json).collect();
        assert_eq!(log[0]["settings"]["schedule"], "cosine-cycles:cycles=3");
        let metrics = json(&good(at, &format!("eval m.safetensors {test} --json")));
        // Behind the start and the learning-rate search.
        assert_eq!(metrics[measure], log[8]["ensemble"][measure]);
        for (member, epoch) in [2, 4, 6].into_iter().enumerate() {
            assert_eq!(metrics["members"][member][measure], log[epoch + 1]["valid"][measure]);
        }
        let text = good(at, &format!("eval m.safetensors {test}"));
        assert!(text.starts_with("member 1  ") && text.contains("\nmember 3  ") && text.contains(&format!("\n{measure} ")), "{text}");
        assert_eq!(good(at, &format!("predict m.safetensors {test}")).lines().count() as u64, metrics["examples"].as_u64().unwrap());

        let found = json(&good(at, "inspect m.safetensors --json --top 4"));
        assert_eq!((&found["model"], found["members"].as_array().unwrap().len()), (&kind.into(), 3));
        assert_eq!(found[most].as_object().unwrap().len(), 4);
        assert!(good(at, "inspect m.safetensors").contains("\nmember 3\n"));
    }
}

#[test]
fn a_run_is_drawn_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let picture = || fs::read_to_string(at.join("p.svg")).unwrap();
    good(at, "train DATA/reviews.train.svm --plot p.svg --epochs 1");
    let one = picture();
    assert!(one.contains("training") && !one.contains("held out"), "{one}");
    good(at, "train DATA/reviews.train.svm --holdout 0.2 --patience 3 --plot p.svg");
    let two = picture();
    for part in ["<svg", "logistic loss by adagrad", "seconds of training", "epoch", "training", "held out", "best, kept", "</svg>"] {
        assert!(two.contains(part), "{part}: {two}");
    }
    // Five epochs, two panels: a point for each loss, and a ring for the best.
    assert_eq!(two.matches("r=\"3\"").count(), 20);
    good(at, "train DATA/ratings.train.tsv --holdout 0.2 --snapshots 2 --plot p.svg");
    assert!(picture().contains("ensemble, held out"));

    fs::write(at.join("p.svg"), "old").unwrap();
    fs::write(at.join("d.svm"), "3 1:1000 2:500\n-2 1:-700 3:10\n".repeat(500)).unwrap();
    let output = hogwild(at, "train d.svm --loss squared --rule sgd --lr 10 --plot p.svg");
    assert_eq!((output.status.code(), picture().as_str()), (Some(1), "old"));
}

#[test]
fn a_model_scores_files_with_other_features() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.svm"), "+1 5:1 9:1\n-1 7:1\n".repeat(200)).unwrap();
    fs::write(at.join("b.svm"), "+1 5:1\n-1 7:1 123456789012:1\n+1 44:1\n").unwrap();
    good(at, "train a.svm --out m.safetensors --lr 0.5");
    let p: Vec<f64> = good(at, "predict m.safetensors b.svm").lines().map(|line| line.parse().unwrap()).collect();
    assert!(p[0] > 0.8 && p[1] < 0.2, "{p:?}");
    assert_eq!(json(&good(at, "eval m.safetensors b.svm --json"))["unknown"], 2);
}

#[test]
fn bad_input_ends_with_2_says_where_and_leaves_the_old_model() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("m.safetensors"), "old").unwrap();
    fs::write(at.join("bad.svm"), "+1 1:1\n-1 2:1 3:abc\n").unwrap();
    fs::write(at.join("labels.svm"), "1 1:1\n2 2:1\n3 1:1\n").unwrap();
    fs::write(at.join("nan.svm"), "+1 1:nan\n-1 2:1\n").unwrap();
    fs::write(at.join("empty.svm"), "").unwrap();
    for (line, fragment) in [
        ("train bad.svm --out m.safetensors", "bad.svm:2:"),
        ("train nan.svm --out m.safetensors", "nan.svm:1:"),
        ("train labels.svm --out m.safetensors", "more than two classes (1, 2, 3)"),
        ("train empty.svm --out m.safetensors", "empty.svm"),
        ("train none.svm --out m.safetensors", "none.svm"),
        ("train DATA/reviews.train.svm --out no/such/m.safetensors", "no such folder"),
        ("train DATA/reviews.train.svm --lr -1", "--lr"),
        ("train DATA/reviews.train.svm --holdout 2", "--holdout"),
        ("train DATA/reviews.train.svm --batch 0", "at least 1, or full"),
        ("train DATA/reviews.train.svm --batch 32 --exchange-every 64", "use --batch 1"),
        ("train DATA/reviews.train.svm --batch full --hot-rows 64", "use --batch 1"),
        ("train DATA/reviews.train.svm --batch full --batch-growth 2", "give --batch a number above 1"),
        ("train DATA/reviews.train.svm --pace 0.3", "--order curriculum"),
        ("train DATA/reviews.train.svm --order curriculum --pace -1", "--pace"),
        ("train DATA/reviews.train.svm --normalize nosuch", "max-abs"),
        ("train DATA/reviews.train.svm --normalize online --batch 32", "use max-abs or std"),
        ("train DATA/ratings.train.tsv --normalize row", "--normalize row: "),
        ("train DATA/reviews.train.svm --rule nosuch", "adagrad-rowwise"),
        ("train DATA/reviews.train.svm --patience 2", "--valid or --holdout"),
        ("train DATA/reviews.train.svm --holdout 0.1 --patience 2 --stop-metric mae", "has loss, logloss, auc, accuracy"),
        ("train DATA/ratings.train.tsv --holdout 0.1 --patience 2 --stop-metric auc", "has loss, rmse, mae"),
        ("train DATA/reviews.train.svm --holdout 0.1 --min-delta 0.1", "--patience"),
        ("train DATA/reviews.train.svm --holdout 0.1 --patience 2 --min-delta -1", "--min-delta"),
        ("train DATA/reviews.train.svm --snapshots 2 --schedule linear", "leave --schedule out"),
        ("train DATA/reviews.train.svm --holdout 0.1 --snapshots 2 --patience 1", "--patience"),
        ("train DATA/reviews.train.svm --snapshots 6", "--epochs"),
        ("train DATA/reviews.train.svm --rule ftrl --snapshots 2", "--rule ftrl"),
        ("train DATA/reviews.train.svm --plot no/such/p.svg", "no such folder"),
        ("train DATA/reviews.train.svm --rule momentum --l1 0.1", "--rule momentum"),
        ("train DATA/ratings.train.tsv --l1 0.1", "linear models"),
        ("train DATA/reviews.train.svm --clip-norm 0", "--clip-norm"),
        ("train DATA/reviews.train.svm --noise -1", "--noise"),
        ("train DATA/reviews.train.svm --average=1", "--average"),
        ("train DATA/reviews.train.svm --average --snapshots 2", "leave --average out"),
        ("train DATA/reviews.train.svm --average --rule ftrl", "--rule ftrl"),
        ("train DATA/reviews.train.svm --order curriculum --epochs 1", "--epochs"),
        ("train DATA/reviews.train.svm --schedule cosine-cycles:cycles=2.5", "whole number"),
        ("pack DATA/reviews.train.svm -o x.svm", ".safetensors"),
        ("pack m.safetensors -o x.safetensors", "packed already"),
        ("train DATA/reviews.train.svm --out /dev/null", "/dev/null: is a device or pipe"),
        ("train DATA/reviews.train.svm --out new/", "names a folder"),
        ("train DATA/reviews.train.svm --out x.out --log x.out", "two outputs"),
        ("synth text --rows 0 -o x.svm", "at least 1"),
        ("train DATA/reviews.train.svm --model mf", "takes ratings"),
        ("train DATA/reviews.train.svm --valid DATA/ratings.test.tsv", "different kinds"),
        ("eval m.safetensors DATA/reviews.test.svm", "m.safetensors"),
        ("inspect m.safetensors", "m.safetensors"),
        ("predict none.safetensors DATA/reviews.test.svm", "none.safetensors"),
    ] {
        let output = hogwild(at, line);
        let message = message(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {message}");
        assert!(message.contains(fragment) && !message.contains("panicked"), "{line}: {message}");
        assert_eq!(fs::read_to_string(at.join("m.safetensors")).unwrap(), "old", "{line}");
    }
    good(at, "train bad.svm --on-bad-row skip --no-cache --out m.safetensors");
    assert_ne!(fs::read(at.join("m.safetensors")).unwrap(), b"old");
}

#[test]
fn divergence_ends_with_1_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("d.svm"), "3 1:1000 2:500\n-2 1:-700 3:10\n".repeat(500)).unwrap();
    let output = hogwild(folder.path(), "train d.svm --loss squared --rule sgd --lr 10 --out m.safetensors");
    let message = message(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("epoch 1 at learning rate 10") && !folder.path().join("m.safetensors").exists(), "{message}");
}

#[test]
fn standard_input_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text = "+1 5:1 9:1\n-1 7:1\n".repeat(200);
    fs::write(at.join("a.svm"), &text).unwrap();
    good(at, "pack a.svm -o file.safetensors");
    let output = given(at, "pack - -o piped.safetensors", &text);
    assert!(output.status.success(), "{output:?}");
    let [file, piped] = ["file", "piped"].map(|name| json(&good(at, &format!("inspect {name}.safetensors --json"))));
    assert_eq!(file, piped);
    let output = given(at, "train - --out m.safetensors --holdout 0.2", &text);
    assert!(output.status.success() && at.join("m.safetensors").exists(), "{output:?}");
    let output = given(at, "predict m.safetensors -", "+1 5:1\n-1 7:1\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
    let output = given(at, "pack - -o bad.safetensors", "+1 5:1\n-1 7:x\n");
    let message = message(&output);
    assert!(output.status.code() == Some(2) && message.contains("-:2:4: "), "{message}");
    // Nothing of it was kept in a cache.
    assert!(!at.join("cache").exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_told_and_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.svm"), "+1 5:1 9:1\n-1 7:1\n".repeat(200)).unwrap();
    // A file where the folder should be: refused to everyone, even to root.
    fs::write(at.join("cache"), "").unwrap();
    let output = hogwild(at, "train a.svm --out m.safetensors");
    let message = message(&output);
    assert!(output.status.success() && at.join("m.safetensors").exists(), "{message}");
    assert!(message.contains("temporary file, for the cache folder") && message.contains("cache cannot be written"), "{message}");
}

#[test]
fn data_of_the_wrong_kind_is_called_by_the_name_given() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.svm"), "+1 5:1 9:1\n-1 7:1\n".repeat(50)).unwrap();
    fs::write(at.join("r.tsv"), "1 2 3\n2 3 4\n".repeat(50)).unwrap();
    good(at, "train a.svm --out linear.safetensors");
    good(at, "train r.tsv --rank 4 --out mf.safetensors");
    for (line, starts) in [
        ("eval linear.safetensors r.tsv", "hogwild: r.tsv:1:3: "),
        ("predict linear.safetensors r.tsv", "hogwild: r.tsv:1:3: "),
        ("eval mf.safetensors a.svm", "hogwild: a.svm:1:1: "),
        ("predict mf.safetensors a.svm", "hogwild: a.svm:1:1: "),
    ] {
        let output = hogwild(at, line);
        let message = message(&output);
        let last = message.lines().last().unwrap_or_default();
        assert!(output.status.code() == Some(2) && last.starts_with(starts) && !last.contains("cache"), "{line}: {message}");
    }
}

/// Ctrl-C in the midst of packing, while standard input gives nothing.
#[cfg(unix)]
#[test]
fn an_interrupted_pack_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut pack = command(at, "pack - -o out.safetensors");
    let mut child = pack.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than the pipe holds: when it is written, the program reads, and so has its handler.
    input.write_all("+1 5:1 9:1\n-1 7:1\n".repeat(50_000).as_bytes()).unwrap();
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let message = message(&output);
    assert_eq!((output.status.code(), message.trim()), (Some(130), "hogwild: interrupted while reading; nothing was written"));
    assert_eq!(fs::read_dir(at).unwrap().count(), 0);
    drop(input);
}
