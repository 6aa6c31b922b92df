//! Where training starts, and from what: without a bias, and from a model's weights on.
use crate::support::{
    data::{open, read_as},
    isa, shared,
};
use hogwild::{
    AnyData, Batch, Loss, Normalize, Outcome, Parallel, Rule, Settings, TrainedModel, Watch,
    data::{Data, Format, PackSettings, Rows},
    family,
    rules::Sgd,
    synth::Synth,
    train, train_from,
};

fn rows(shift: f32) -> (tempfile::TempDir, Rows) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = Vec::new();
    Synth { rows: 600, features: 50, ..Synth::default() }.write(&mut text, &()).unwrap();
    let Data::Rows(rows) = open(folder.path(), "a.svm", &text) else { panic!("not rows") };
    let labels: Vec<f32> = (0..rows.rows()).map(|row| rows.label(row) + shift).collect();
    let rows = rows.with_labels(&labels).unwrap();
    (folder, rows)
}

fn run(kind: &str, rows: &Rows, settings: &Settings) -> Outcome {
    let _turn = shared();
    train(family(kind).unwrap(), rows, None, &isa::forced_in(settings), &mut (), &Default::default()).unwrap()
}

#[test]
fn without_a_bias_no_rule_learns_one() {
    let (_folder, rows) = rows(0.0);
    for rule in Rule::ALL {
        for normalize in [Normalize::None, Normalize::MaxAbs, Normalize::Row] {
            let settings = Settings { bias: false, rule, normalize, lr: Some(0.05), epochs: 2, ..Settings::default() };
            let model = run("linear", &rows, &settings).model.unwrap();
            assert_eq!(model.last().number("bias"), 0.0, "{}", rule.name());
            assert!(model.last().numbers("weight").iter().any(|&w| w != 0.0), "{}", rule.name());
        }
    }
    let settings = Settings { bias: false, lr: Some(0.05), epochs: 2, ..Settings::default() };
    for settings in [
        Settings { parallel: Parallel::Partitioned, parts: Some(2), threads: 2, ..settings.clone() },
        Settings { batch: Batch::Size(64), ..settings.clone() },
        Settings { normalize: Normalize::Online, ..settings.clone() },
    ] {
        assert_eq!(run("linear", &rows, &settings).model.unwrap().last().number("bias"), 0.0);
    }
    for kind in ["ovr", "softmax"] {
        assert!(run(kind, &rows, &settings).model.unwrap().last().numbers("bias").iter().all(|&bias| bias == 0.0));
    }
    let refused = train(family("fm").unwrap(), &rows, None, &Settings { bias: false, ..Settings::for_fm() }, &mut (), &Default::default());
    assert!(refused.unwrap_err().to_string().contains("linear models alone can do without"));
}

/// Keeps the models that it is told of.
#[derive(Default)]
struct Models(Vec<TrainedModel>);

impl Watch for Models {
    fn takes_models(&self) -> bool {
        true
    }

    fn model(&mut self, model: TrainedModel) {
        self.0.push(model);
    }
}

#[test]
fn a_run_goes_on_from_a_model() {
    let _turn = shared();
    let close = |a: &[f32], b: &[f32]| {
        let size = a.iter().fold(0f32, |most, x| most.max(x.abs()));
        assert!(a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-3 * size), "{a:?} {b:?}");
    };
    for (kind, loss, shift, normalize) in [
        ("linear", Loss::Logistic, 0.0, Normalize::None),
        ("linear", Loss::Logistic, 0.0, Normalize::Std),
        ("linear", Loss::Squared, 70.0, Normalize::MaxAbs),
        ("ovr", Loss::Logistic, 0.0, Normalize::None),
        ("softmax", Loss::Logistic, 0.0, Normalize::Row),
    ] {
        let (_folder, rows) = rows(shift);
        let half = Settings { rule: Rule::Sgd(Sgd), loss, normalize, lr: Some(0.02), epochs: 1, threads: 1, ..Settings::default() };
        // Both halves in one order.
        let half = isa::forced_in(&Settings { order: hogwild::Order::Sequential, ..half });
        let (family, never, data) = (family(kind).unwrap(), &Default::default(), AnyData::from(&rows));
        let mut models = Models::default();
        let whole = train(family, &rows, None, &Settings { epochs: 2, ..half.clone() }, &mut models, never).unwrap().model.unwrap();
        let first = train(family, &rows, None, &half, &mut (), never).unwrap().model.unwrap();
        let second = train_from(&first, family, data, None, &half, &mut (), never).unwrap().model.unwrap();
        for name in ["weight", "bias"] {
            close(whole.last().numbers(name), second.last().numbers(name));
            close(models.0[0].last().numbers(name), first.last().numbers(name));
            assert_eq!(models.0[1].last().numbers(name), whole.last().numbers(name));
        }
        let refused = |settings: &Settings| train_from(&first, family, data, None, settings, &mut (), never).unwrap_err().to_string();
        assert!(refused(&Settings { normalize: Normalize::Online, ..half.clone() }).contains("has no scales before training"));
        let other = hogwild::family("fm").unwrap();
        let refused = train_from(&first, other, data, None, &Settings { lr: Some(0.1), ..Settings::for_fm() }, &mut (), never);
        assert!(refused.unwrap_err().to_string().contains("the model to start from"));
    }
}

#[test]
fn a_model_of_another_kind_is_no_start() {
    let _turn = shared();
    let (_folder, rows) = rows(0.0);
    let never = &Default::default();
    let settings = Settings { lr: Some(0.1), epochs: 1, threads: 1, ..Settings::default() };
    let trained = |kind: &str, settings: &Settings| run(kind, &rows, settings).model.unwrap();
    let linear = trained("linear", &settings);
    let problem = |model: &TrainedModel, kind: &str, settings: &Settings| {
        train_from(model, family(kind).unwrap(), &rows, None, settings, &mut (), never).unwrap_err().to_string()
    };
    let unit = Settings { normalize: Normalize::Row, ..settings.clone() };
    assert!(problem(&linear, "linear", &unit).contains("takes rows as they are, and this run takes them of length 1"));
    assert!(problem(&trained("linear", &unit), "linear", &settings).contains("takes rows of length 1"));
    let hinge = Settings { loss: Loss::parse("hinge").unwrap(), ..settings.clone() };
    assert!(problem(&linear, "linear", &hinge).contains("is of the logistic loss, and this run of the hinge"));
    assert!(problem(&trained("ovr", &settings), "ovr", &hinge).contains("is of the logistic loss, and this run of the hinge"));
    let reversed = Settings { positive: Some(-1.0), ..settings.clone() };
    assert!(problem(&linear, "linear", &reversed).contains("has the classes -1 and 1, and the data 1 and -1"));
    assert!(problem(&trained("ovr", &settings), "softmax", &settings).contains("is of the family ovr, and this run of softmax"));
    let names = TrainedModel {
        axes: vec![hogwild::Axis {
            name: "feature",
            ids: std::sync::Arc::new((0..rows.columns()).map(|i| format!("f{i}")).collect::<Vec<_>>().iter().map(String::as_str).collect()),
        }],
        ..linear.clone()
    };
    assert!(problem(&names, "linear", &settings).contains("knows none of the features"));
    // Of two words the first is the negative class, whichever it is.
    let words = |text: &str| {
        let Data::Rows(rows) = read_as(text, &PackSettings { format: Some(Format::Csv), ..PackSettings::default() }).unwrap().1 else {
            panic!("no rows")
        };
        rows
    };
    let [known, data] = [["ann", "bob"], ["bob", "cat"]].map(|[a, b]| words(&format!("label,x\n{a},1\n{b},2\n{a},3\n{b},5\n")));
    let known = hogwild::train(family("linear").unwrap(), &known, None, &settings, &mut (), never).unwrap().model.unwrap();
    let refused = train_from(&known, family("linear").unwrap(), &data, None, &settings, &mut (), never).unwrap_err().to_string();
    assert!(refused.contains("has the classes ann and bob, and the data bob and cat"), "{refused}");
    // 0 and 1 are the same classes as -1 and 1.
    let labels: Vec<f32> = (0..rows.rows()).map(|row| if rows.label(row) > 0.0 { 1.0 } else { 0.0 }).collect();
    let zeros = rows.with_labels(&labels).unwrap();
    assert!(train_from(&linear, family("linear").unwrap(), &zeros, None, &settings, &mut (), never).is_ok());
}
