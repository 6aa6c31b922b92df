//! Snapshot ensembles: which models a run keeps, what they predict together, their file, and what is refused.
use crate::support::{
    command::{hogwild, message},
    data::open,
    either_kind::{both, defaults, train},
};
use hogwild::{Ended, Loss, Outcome, Rule, Schedule, Scored, Settings, TrainedModel, data::Data};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{collections::HashMap, fs, path::Path};

fn snapshots(data: &Data, snapshots: usize, epochs: usize) -> Settings {
    let schedule = Schedule::CosineCycles { cycles: snapshots as f32 };
    Settings { snapshots: Some(snapshots), schedule, epochs, ..defaults(data) }
}

/// That an ensemble predicts the mean of what its members do.
fn check_mean(model: &TrainedModel, data: &Data) {
    let (members, together) = (model.score_members(data).unwrap(), model.score(data).unwrap());
    for (i, &(z, y)) in together.scores.iter().enumerate() {
        let mean = members.iter().map(|scored| model.loss.predict(scored.scores[i].0) as f64).sum::<f64>() / members.len() as f64;
        assert!((model.loss.predict(z) as f64 - mean).abs() < 1e-6 * (1.0 + mean.abs()) && y == members[0].scores[i].1);
    }
}

fn scores(members: Vec<Scored>) -> Vec<Vec<(f32, f32)>> {
    members.into_iter().map(|scored| scored.scores).collect()
}

#[test]
fn members_are_the_ends_of_cycles_and_predict_their_mean_from_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    for (data, test) in &both(folder.path()) {
        let outcome = train(data, Some(test), &snapshots(data, 3, 7), None).unwrap();
        let model = outcome.model.unwrap();
        let members = model.score_members(test).unwrap();
        assert_eq!(outcome.kept, [2, 4, 7]);
        // Seven epochs in three cycles.
        for (member, epoch) in members.iter().zip([2usize, 4, 7]) {
            assert_eq!(Some(member.metrics(model.loss)), outcome.epochs[epoch - 1].valid, "{epoch}");
        }
        assert_eq!((members.len(), model.members.len()), (3, 3));
        assert_ne!(members[0].scores, members[2].scores);
        check_mean(&model, test);
        assert_eq!(outcome.ensemble, Some(model.score(test).unwrap().metrics(model.loss)));

        let path = folder.path().join("m.safetensors");
        model.save(&path).unwrap();
        let opened = TrainedModel::open(&path).unwrap();
        assert_eq!(scores(opened.score_members(test).unwrap()), scores(members));
        assert_eq!(opened.score(test).unwrap().scores, model.score(test).unwrap().scores);
        let bytes = fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        for (name, tensor) in file.tensors() {
            // Ids are there once.
            assert_eq!(tensor.dtype() == Dtype::F32, tensor.shape()[0] == 3, "{name} {:?}", tensor.shape());
        }
    }
}

#[test]
fn every_loss_averages_what_it_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let signs = &both(folder.path())[0];
    // Losses of counts take no -1.
    let counts = ["train", "test"].map(|part| {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/reviews.{part}.svm"))).unwrap();
        let line = |line: &str| line.strip_prefix("-1 ").map_or_else(|| line.to_owned(), |rest| format!("0 {rest}")) + "\n";
        open(folder.path(), part, &text.lines().map(line).collect::<String>())
    });
    for loss in Loss::ALL {
        let (data, test) = if loss.meaning().least_label < 0.0 { (&signs.0, &signs.1) } else { (&counts[0], &counts[1]) };
        let outcome = train(data, Some(test), &Settings { loss, holdout: 0.0, ..snapshots(data, 2, 4) }, None).unwrap();
        let model = outcome.model.unwrap();
        check_mean(&model, test);
        assert_eq!(outcome.ensemble.unwrap().loss, model.score(test).unwrap().metrics(loss).loss);
    }
}

#[test]
fn every_rule_gives_an_ensemble_on_two_threads() {
    let folder = tempfile::tempdir().unwrap();
    for (data, _) in &both(folder.path()) {
        for rule in Rule::ALL.into_iter().filter(Rule::takes_schedules) {
            let lr = Some(rule.default_rate(10.0));
            let outcome = train(data, None, &Settings { rule, lr, threads: 2, holdout: 0.1, ..snapshots(data, 2, 3) }, None).unwrap();
            let model = outcome.model.unwrap();
            let members = scores(model.score_members(data).unwrap());
            assert!(outcome.ensemble.unwrap().loss.is_finite() && members.len() == 2 && members[0] != members[1], "{rule}");
        }
    }
}

/// Momentum that makes up for missed steps does so at the rate of the cycle's end, which is 0, and not at the next one's start.
#[test]
fn a_snapshot_is_not_moved_by_the_restart_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let [(data, _), _] = &both(folder.path());
    let mut rule = Rule::named("momentum").unwrap();
    rule.set("catch-up", "true").unwrap();
    let lr = Some(rule.default_rate(1.0));
    let single = Settings { rule, lr, schedule: Schedule::Cosine, epochs: 3, ..defaults(data) };
    let one = train(data, None, &single, None).unwrap().model.unwrap();
    let two = train(data, None, &Settings { rule, lr, ..snapshots(data, 2, 6) }, None).unwrap().model.unwrap();
    assert_eq!(scores(two.score_members(data).unwrap())[0], one.score(data).unwrap().scores);
}

#[test]
fn runs_that_end_early_keep_the_cycles_completed() {
    let folder = tempfile::tempdir().unwrap();
    let [(data, test), _] = &both(folder.path());
    let settings = snapshots(data, 3, 6);
    let all = train(data, Some(test), &settings, None).unwrap().model.unwrap();
    let all = scores(all.score_members(test).unwrap());
    let members = |outcome: &Outcome| scores(outcome.model.as_ref().unwrap().score_members(test).unwrap());
    // In the third cycle's first and last epoch, and in the second's.
    for (until, kept) in [(4, 2), (5, 2), (2, 1), (3, 1)] {
        let outcome = train(data, Some(test), &settings, Some(until)).unwrap();
        assert!(matches!(outcome.ended, Ended::Interrupted) && members(&outcome) == all[..kept], "{until}");
        assert_eq!(outcome.ensemble.is_some(), kept > 1);
        // What is said of the model is said of the epochs that it is of, not of the last one.
        assert_eq!(outcome.kept, [2, 4][..kept]);
        let of_model = outcome.model.as_ref().unwrap().score(test).unwrap().metrics(settings.loss);
        assert_eq!(outcome.valid(), Some(of_model), "{until}");
    }
    // In the first cycle there is nothing better than where it was.
    let outcome = train(data, Some(test), &settings, Some(0)).unwrap();
    assert!(outcome.epochs.len() == 1 && members(&outcome).len() == 1 && outcome.kept == [1]);
}

/// Errors grow and shrink with the rate in each cycle, and grow beyond all numbers in the second epoch of the second one.
#[test]
fn the_command_names_the_epoch_whose_model_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("d.svm"), "1 1:1\n-1 1:1\n".repeat(7)).unwrap();
    let line = "train d.svm --loss squared --rule sgd --lr 2.5 --threads 1 --epochs 8 --snapshots 2 --out m.safetensors";
    let said = message(&hogwild(folder.path(), line));
    assert!(said.contains("NaN or infinite in epoch 6") && said.contains("model of epoch 4 written to m.safetensors\n"), "{said}");
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let [(data, test), _] = &both(folder.path());
    let good = snapshots(data, 3, 5);
    for (settings, parts) in [
        (snapshots(data, 1, 5), ["`snapshots` 1", "from 2 to 1000"]),
        (snapshots(data, 1001, 5000), ["`snapshots` 1001", "from 2 to 1000"]),
        (snapshots(data, 6, 5), ["`snapshots` 6", "`epochs`"]),
        (Settings { patience: Some(2), ..good.clone() }, ["`snapshots` 3", "`patience`"]),
        (Settings { schedule: Schedule::Linear, ..good.clone() }, ["`snapshots` 3", "leave `schedule` out"]),
        (Settings { rule: Rule::named("ftrl").unwrap(), ..good }, ["`snapshots` 3", "`rule` ftrl"]),
    ] {
        let message = train(data, Some(test), &settings, None).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

/// A model file made by hand: f32 tensors, ids 5 and 9.
fn write(path: &Path, version: &str, weight: &[usize], bias: &[usize]) {
    let numbers: Vec<f32> = (1..=16).map(|i| i as f32).collect();
    let bytes: &[u8] = bytemuck::cast_slice(&numbers);
    let floats = |shape: &[usize]| TensorView::new(Dtype::F32, shape.to_vec(), &bytes[..4 * shape.iter().product::<usize>()]).unwrap();
    let ids = [5u64, 9];
    let ids = TensorView::new(Dtype::U64, vec![2], bytemuck::cast_slice(&ids)).unwrap();
    let header = format!(r#"{{"format":"hogwild-model","version":"{version}","kind":"linear","loss":"squared","settings":{{}}}}"#);
    let tensors = [("weight", floats(weight)), ("bias", floats(bias)), ("feature_id", ids)];
    safetensors::serialize_to_file(tensors, Some(HashMap::from([("hogwild".into(), header)])), path).unwrap();
}

#[test]
fn files_of_one_model_are_as_they_were_and_damaged_ensembles_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    write(&path, "1", &[2], &[1]);
    let old = TrainedModel::open(&path).unwrap();
    let m = old.linear().unwrap();
    assert_eq!((m.weights, m.bias, m.ids.name(1).as_str(), old.members.len()), (&[1.0, 2.0][..], 1.0, "9", 1));
    let again = folder.path().join("again.safetensors");
    old.save(&again).unwrap();
    let bytes = fs::read(&again).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!((file.tensor("weight").unwrap().shape(), file.tensor("bias").unwrap().shape()), (&[2][..], &[1][..]));
    assert!(String::from_utf8_lossy(&bytes).contains(r#"\"version\":\"1\""#));

    write(&path, "2", &[2, 2], &[2, 1]);
    let new = TrainedModel::open(&path).unwrap();
    let of = |member| new.linear_member(member).map(|m| (m.bias, m.weights.to_vec())).unwrap();
    assert_eq!(new.members.iter().map(of).collect::<Vec<_>>(), [(1.0, vec![1.0, 2.0]), (2.0, vec![3.0, 4.0])]);
    for (weight, bias, version, part) in [
        (&[3, 2][..], &[2, 1][..], "2", "`weight` is F32 [3, 2] instead of F32 [2, 2]"),
        (&[2, 3], &[2, 1], "2", "`weight` is F32 [2, 3] instead of F32 [2, 2]"),
        (&[2], &[1], "2", "`bias` is F32 [1] instead of F32 [1, 1]"),
        (&[0, 2], &[0, 1], "2", "has 0 models"),
        (&[4], &[], "2", "has 0 models"),
        (&[2, 2], &[2, 1], "3", "version 3"),
    ] {
        write(&path, version, weight, bias);
        let message = TrainedModel::open(&path).unwrap_err().to_string();
        assert!(message.contains(part), "{weight:?} {bias:?}: {message}");
    }
}
