//! The builder of runs: its methods are the settings, and what it trains is what the session trains.
use crate::support::data::open;
use hogwild::{
    Batch, EpochReport, Loss, Schedule, Settings, TrainedModel, Trainer, Watch,
    data::{Data, Rows},
    rules::{Adam, Clock, Sgd, UpdateRule},
    synth::{Kind, Synth},
    train_linear,
};
use std::{ops::ControlFlow, sync::atomic::AtomicBool};

fn text(synth: &Synth) -> Vec<u8> {
    let mut text = Vec::new();
    synth.write(&mut text, &()).unwrap();
    text
}

/// Counts epochs.
#[derive(Default)]
struct Count(usize);

impl Watch for Count {
    fn epoch(&mut self, _report: &EpochReport) -> ControlFlow<()> {
        self.0 += 1;
        ControlFlow::Continue(())
    }
}

fn trainer<'a>() -> Trainer<'a, Rows> {
    Trainer::linear().loss(Loss::Hinge).rule(Adam::DEFAULT).lr(0.02).epochs(3).threads(1).seed(4)
}

#[test]
fn a_run_is_built_fitted_saved_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let Data::Rows(rows) = open(folder.path(), "a.svm", &text(&Synth { rows: 500, ..Synth::default() })) else { panic!("not rows") };
    let later = Synth { rows: 200, start_row: 500, ..Synth::default() };
    let Data::Rows(others) = open(folder.path(), "b.svm", &text(&later)) else { panic!("not rows") };
    let mut count = Count::default();
    let outcome = trainer().valid(&others).watch(&mut count).fit(&rows).unwrap();
    assert_eq!(count.0, 3);
    // The same as by settings in a struct.
    let settings =
        Settings { loss: Loss::Hinge, rule: Adam::DEFAULT.into(), lr: Some(0.02), epochs: 3, threads: 1, seed: 4, ..Settings::default() };
    let same = train_linear(&rows, Some(&others), &settings, &mut (), &AtomicBool::new(false)).unwrap();
    assert_eq!(outcome.valid(), same.valid());
    assert_eq!(outcome.settings.describe(), same.settings.describe());

    let path = folder.path().join("m.safetensors");
    outcome.save(&path).unwrap();
    let model = TrainedModel::open(&path).unwrap();
    let scored = outcome.score(&others).unwrap();
    assert_eq!(scored.scores, model.score(&others).unwrap().scores);
    assert_eq!(scored.metrics(Loss::Hinge), outcome.valid().unwrap());

    let stopped = trainer().stop(&AtomicBool::new(true)).fit(&rows).unwrap();
    assert_eq!(stopped.epochs.len(), 1);
    assert!(trainer().holdout(2.0).fit(&rows).unwrap_err().to_string().contains("`holdout` 2: must be from 0 to 0.9"));
}

#[test]
fn a_schedule_that_is_not_given_follows_from_the_other_settings() {
    let folder = tempfile::tempdir().unwrap();
    let Data::Ratings(data) = open(folder.path(), "r.tsv", &text(&Synth { kind: Kind::Ratings, ..Synth::default() })) else {
        panic!("not ratings")
    };
    let fit = |trainer: Trainer<'_, _>| trainer.rank(2).lr(0.05).epochs(2).fit(&data);
    let schedule = |trainer| fit(trainer).unwrap().settings.asked.schedule;
    assert_eq!(schedule(Trainer::factorization()), Schedule::Linear);
    assert_eq!(schedule(Trainer::factorization().snapshots(2)), Schedule::CosineCycles { cycles: 2.0 });
    assert_eq!(schedule(Trainer::factorization().set("rule", "ftrl").unwrap()), Schedule::Constant);
    assert_eq!(schedule(Trainer::factorization().schedule(Schedule::Cosine).batch(Batch::Size(64))), Schedule::Cosine);
    let refused = fit(Trainer::factorization().set("schedule", "cosine").unwrap().snapshots(2)).unwrap_err().to_string();
    assert!(refused.contains("leave `schedule` out"), "{refused}");
}

/// Steps as sgd does.
#[derive(Clone, Copy)]
struct Own;

impl UpdateRule for Own {
    type State<V: hogwild::Real> = [V; 0];
    type Step = f32;
    type Memory = ();

    fn initial(&self) -> [f32; 0] {
        []
    }

    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate
    }

    fn step<V: hogwild::Real>(&self, rate: &f32, w: V, g: V, _state: &mut [V; 0]) -> V {
        V::of(-rate).mul_add(g, w)
    }
}

#[test]
fn a_rule_of_ones_own_and_a_run_without_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let Data::Rows(rows) = open(folder.path(), "a.svm", &text(&Synth { rows: 300, ..Synth::default() })) else { panic!("not rows") };
    let trainer = || Trainer::linear().threads(1).lr(0.1).epochs(2).holdout(0.3);
    let (own, sgd) = (trainer().own_rule(Own).fit(&rows).unwrap(), trainer().rule(Sgd).fit(&rows).unwrap());
    assert_eq!(own.valid(), sgd.valid());

    let far = "3 1:1000 2:500\n-2 1:-700 3:10\n".repeat(50);
    let Data::Rows(rows) = open(folder.path(), "far.svm", far.as_bytes()) else { panic!("not rows") };
    let lost = Trainer::linear().loss(Loss::Squared).rule(Sgd).lr(1e3).normalize(hogwild::Normalize::None).fit(&rows).unwrap();
    let refused = lost.save(folder.path().join("none.safetensors")).unwrap_err().to_string();
    assert!(refused.starts_with("the run left no model: ") && refused.contains("try `lr` 100"), "{refused}");
}
