//! Several classes: labels of any kind, softmax and one-vs-rest against what they equal, workers and instruction sets, names of classes.
use crate::support::{
    alone,
    data::{classes, read_as, sparse, text_like, topics},
    isa, shared,
    training::{held_out, linear},
};
use hogwild::{
    Batch, Ended, InstructionSet, Loss, Normalize, Outcome, Parallel, Rule, Settings, Trainer,
    data::{Data, Format, Labelling, PackSettings, Rows},
    rules::Sgd,
    train_ovr, train_softmax,
};

fn softmax(data: &Rows, valid: Option<&Rows>, settings: Settings) -> Outcome {
    let _turn = shared();
    train_softmax(data, valid, &isa::forced_in(&settings), &mut (), &Default::default()).unwrap()
}

fn ovr(data: &Rows, valid: Option<&Rows>, settings: Settings) -> Outcome {
    let _turn = shared();
    train_ovr(data, valid, &isa::forced_in(&settings), &mut (), &Default::default()).unwrap()
}

fn settings() -> Settings {
    Settings { threads: 1, lr: Some(0.3), ..Settings::for_softmax() }
}

fn one_vs_rest() -> Settings {
    Settings { threads: 1, lr: Some(0.1), ..Settings::for_ovr() }
}

/// All numbers of a model.
fn numbers(outcome: &Outcome) -> Vec<u32> {
    let member = outcome.model.as_ref().unwrap().last();
    ["bias", "weight"].iter().flat_map(|name| member.numbers(name)).map(|x| x.to_bits()).collect()
}

#[test]
fn one_thread_repeats_to_the_bit_on_every_instruction_set() {
    for count in [3, 16, 20, 40] {
        let data = classes(&topics(400, count, 3), Labelling::Class);
        for rule in ["adagrad-rowwise", "adagrad", "adam", "adaptive-revision"] {
            for l2 in [0.0, 1e-3] {
                let with = |isa, base: Settings| Settings {
                    isa: Some(isa),
                    rule: Rule::named(rule).unwrap(),
                    l2,
                    epochs: 2,
                    lr: Some(0.05),
                    ..base
                };
                let all = |isa| {
                    let logistic = Settings { loss: Loss::Logistic, ..one_vs_rest() };
                    let one = softmax(&data, None, with(isa, settings()));
                    let rest = [one_vs_rest(), logistic].map(|base| ovr(&data, None, with(isa, base)));
                    [&one, &rest[0], &rest[1]].map(numbers)
                };
                let portable = all(InstructionSet::Portable);
                assert!(portable.iter().flatten().all(|&x| f32::from_bits(x).is_finite()));
                for isa in InstructionSet::available() {
                    assert!(all(isa) == portable, "{count} {rule} {l2} {}", isa.name());
                }
            }
        }
    }
}

#[test]
fn two_workers_reach_the_loss_of_one() {
    let (train, test) = (classes(&topics(20_000, 20, 1), Labelling::Class), classes(&topics(4_000, 20, 2), Labelling::Class));
    let _turn = alone();
    for (of, base) in [(softmax as fn(&Rows, Option<&Rows>, Settings) -> Outcome, settings()), (ovr, one_vs_rest())] {
        let run = |threads| held_out(&of(&train, Some(&test), Settings { threads, ..base.clone() }));
        let (one, two) = (run(1), run(2));
        assert!((two / one - 1.0).abs() < 0.02, "{two} by two workers, {one} by one");
    }
    // As it comes, by the rate that is found: better than the shares of the classes.
    let found = softmax(&train, Some(&test), Settings { threads: 2, ..Settings::for_softmax() }).epochs.last().unwrap().valid.unwrap();
    assert!(found.loss < 0.75 * 20f64.ln() && found.accuracy > Some(0.35) && found.top5 > found.accuracy, "{found:?}");
}

/// Two classes by softmax have the optimum of logistic regression, where each has half of the penalty.
#[test]
fn two_classes_are_logistic_regression() {
    let folder = tempfile::tempdir().unwrap();
    let data = sparse(folder.path(), "a.svm", &text_like(400, 0));
    let long = Settings { threads: 1, epochs: 300, lr: Some(0.5), ..settings() };
    let both = softmax(&data, Some(&data), Settings { l2: 0.02, ..long.clone() });
    let rule = Rule::named("adagrad").unwrap();
    let one = linear(&data, Some(&data), Settings { l2: 0.01, rule, ..long });
    assert!((held_out(&both) / held_out(&one) - 1.0).abs() < 2e-3, "{} {}", held_out(&both), held_out(&one));
    let of = |outcome: &Outcome, name: &str| outcome.model.as_ref().unwrap().last().numbers(name).to_vec();
    let differences = of(&both, "weight").chunks(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
    for (difference, weight) in differences.into_iter().zip(of(&one, "weight")) {
        assert!((difference - weight).abs() < 0.02, "{difference} {weight}");
    }
}

/// Each class against the rest in one pass is what as many runs of two classes give, but for rounding.
#[test]
fn one_vs_rest_is_a_run_a_class() {
    const CLASSES: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let text = topics(600, CLASSES, 5);
    let data = sparse(folder.path(), "all.svm", &text);
    for rule in ["sgd", "adagrad"] {
        for loss in [Loss::Logistic, Loss::SquaredHinge] {
            let same = Settings { rule: Rule::named(rule).unwrap(), loss, lr: Some(0.05), epochs: 3, ..one_vs_rest() };
            let all = ovr(&data, None, same.clone());
            let weights = all.model.as_ref().unwrap().last().numbers("weight").to_vec();
            for class in 0..CLASSES {
                let sign = |line: &str| {
                    let (label, rest) = line.split_once(' ').unwrap();
                    format!("{} {rest}\n", if label == class.to_string() { "+1" } else { "-1" })
                };
                let text: String = text.lines().map(sign).collect();
                let one = linear(&sparse(folder.path(), &format!("{class}.svm"), &text), None, same.clone());
                for (w, one) in weights.iter().skip(class).step_by(CLASSES).zip(one.model.as_ref().unwrap().last().numbers("weight")) {
                    assert!((w - one).abs() < 1e-4, "{rule} {loss} {class}: {w} {one}");
                }
            }
        }
    }
}

/// A penalty too small for any weight to feel is trained another way: row by row, without what lies behind the classes in a packed row.
/// There lie states, which are large here.
#[test]
fn what_lies_behind_the_classes_does_not_count() {
    let rule = Rule::parse("adagrad-rowwise:initial=1e6").unwrap();
    for count in [5, 20] {
        let data = classes(&topics(400, count, 3), Labelling::Class);
        for (of, base) in [
            (softmax as fn(&Rows, Option<&Rows>, Settings) -> Outcome, settings()),
            (ovr, one_vs_rest()),
            (ovr, Settings { loss: Loss::Logistic, ..one_vs_rest() }),
        ] {
            for batch in [Batch::One, Batch::Size(8)] {
                // A rate that roots of such states bring to a tenth.
                let same = Settings { rule, batch, lr: Some(100.0), epochs: 2, ..base.clone() };
                let [free, penalised] = [0.0, 1e-30].map(|l2| {
                    let outcome = of(&data, None, Settings { l2, ..same.clone() });
                    outcome.model.unwrap().last().numbers("weight").to_vec()
                });
                assert!(free.iter().any(|w| w.abs() > 0.01), "{count} {batch:?}: {free:?}");
                for (a, b) in free.iter().zip(&penalised) {
                    assert!((a - b).abs() < 1e-5, "{count} {batch:?}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn every_rule_and_way_trains() {
    let data = classes(&topics(3_000, 6, 1), Labelling::Class);
    let least = 6f64.ln();
    let trains = |settings: Settings, what: &str| {
        let outcome = softmax(&data, Some(&data), settings);
        let loss = held_out(&outcome);
        assert!(matches!(outcome.ended, Ended::Finished) && loss < 0.98 * least, "{what}: {loss}");
    };
    for rule in Rule::ALL {
        let schedule = if rule.takes_schedules() { settings().schedule } else { hogwild::Schedule::Constant };
        let lr = Some(rule.default_rate(6.0).min(0.05));
        trains(Settings { rule, lr, schedule, threads: 2, ..settings() }, rule.name());
        trains(Settings { rule, lr: lr.map(|lr| 4.0 * lr), schedule, batch: Batch::Size(8), ..settings() }, rule.name());
    }
    for parallel in [Parallel::Mean, Parallel::Overlap, Parallel::Elastic, Parallel::Downpour] {
        trains(Settings { parallel, replicas: Some(3), exchange_every: Some(64), ..settings() }, parallel.name());
    }
    for normalize in [Normalize::MaxAbs, Normalize::Std, Normalize::Row, Normalize::Online] {
        trains(Settings { normalize, ..settings() }, normalize.name());
    }
    let mut averaged = settings();
    averaged.transforms.average = Some(0.5);
    averaged.transforms.clip_norm = Some(1.0);
    trains(averaged, "averages");
    trains(Settings { standardize: false, ..settings() }, "from 0");
    // A rule of one's own: as the built-in one.
    let own = |rows: &Rows| Trainer::softmax().settings(Settings { lr: Some(0.05), ..settings() }).own_rule(Sgd).fit(rows).unwrap();
    let sgd = Settings { rule: Rule::named("sgd").unwrap(), lr: Some(0.05), ..settings() };
    assert_eq!(numbers(&own(&data)), numbers(&softmax(&data, None, sgd)));
}

/// An example of weight 2 moves the weights as two do, and counts as much where a model is judged.
#[test]
fn examples_count_by_their_weights() {
    let lines = "a 1:1 3:1\nb 2:1\nc 3:1\nb 1:1\n".repeat(30);
    let weighted = lines.replace("b ", "b:2 ");
    let repeated: String =
        lines.lines().flat_map(|line| vec![line; if line.starts_with('b') { 2 } else { 1 }]).map(|line| format!("{line}\n")).collect();
    let full =
        Settings { batch: Batch::Full, lr: Some(0.3), epochs: 60, rule: Rule::named("sgd").unwrap(), standardize: false, ..settings() };
    let of = |text: &str| {
        let data = classes(text, Labelling::Class);
        let outcome = softmax(&data, Some(&data), full.clone());
        let weights = outcome.model.as_ref().unwrap().last().numbers("bias").to_vec();
        (held_out(&outcome), outcome.valid().unwrap().accuracy.unwrap(), weights)
    };
    let (a, b) = (of(&weighted), of(&repeated));
    assert!((a.0 - b.0).abs() < 1e-4 && (a.1 - b.1).abs() < 1e-6, "{a:?} {b:?}");
    assert!(a.2.iter().zip(&b.2).all(|(a, b)| (a - b).abs() < 1e-3), "{a:?} {b:?}");
    let plain = of(&lines).2;
    assert!(a.2.iter().zip(&plain).any(|(a, b)| (a - b).abs() > 0.05), "{a:?} {plain:?}");
}

#[test]
fn a_class_has_one_name_and_none_is_lost() {
    let names = |text: &str, labelling| {
        let outcome = if labelling == Labelling::Class {
            softmax(&classes(text, labelling), None, settings())
        } else {
            ovr(&classes(text, labelling), None, one_vs_rest())
        };
        let ids = outcome.model.unwrap().ids("class").unwrap().clone();
        (0..ids.len()).map(|i| ids.name(i)).collect::<Vec<_>>()
    };
    // However a number is written, and whatever other labels there are.
    assert_eq!(names("+1 1:1\n2.0 2:1\n03 3:1\n", Labelling::Class), ["1", "2", "3"]);
    assert_eq!(names("+1 1:1\n2.0 2:1\nfoo 3:1\n1 1:1\n", Labelling::Class), ["1", "2", "foo"]);
    assert_eq!(names("+1,2 1:1\n2.0,01 2:1\n", Labelling::Classes), ["1", "2"]);
    // Numbers that 32 bits do not hold are names.
    assert_eq!(names("16777216 1:1\n16777217 2:1\n16777218 3:1\n", Labelling::Class), ["16777216", "16777217", "16777218"]);
    for (format, text) in [
        (Format::Csv, "y,a\n16777216,1\n16777217,2\n16777218,3\n"),
        (Format::Jsonl, "{\"y\":16777216,\"a\":1}\n{\"y\":16777217,\"a\":2}\n{\"y\":16777218,\"a\":3}\n"),
        (Format::Fasttext, "__label__16777216 a\n__label__16777217 b\n__label__007 c\n"),
    ] {
        let settings = PackSettings { labelling: Labelling::Class, format: Some(format), ..PackSettings::default() };
        let (_, Data::Rows(data)) = read_as(text, &settings).unwrap() else { panic!("rows") };
        assert_eq!(data.class_names().len(), 3, "{text}");
        assert!(data.class_names().iter().any(|name| name == "16777217"), "{text} {:?}", data.class_names());
    }
    // Of rows that are left out no class remains.
    let skip = PackSettings { labelling: Labelling::Class, on_bad_row: hogwild::data::OnBadRow::Skip, ..PackSettings::default() };
    let (report, Data::Rows(data)) = read_as("a 1:1\nb 2:1\ngarbage here\nc:0 3:1\nd 1:1\n", &skip).unwrap() else { panic!("rows") };
    let ids = softmax(&data, None, settings()).model.unwrap().ids("class").unwrap().clone();
    assert_eq!((report.skipped, (0..ids.len()).map(|i| ids.name(i)).collect::<Vec<_>>()), (1, vec!["a".into(), "b".into(), "d".into()]));
    // What may be a weight, or a feature of a row without labels, is neither.
    let told =
        read_as("1:2 5:1\n2:2 7:1\n", &PackSettings { labelling: Labelling::Classes, ..PackSettings::default() }).unwrap_err().to_string();
    assert!(told.contains("input:1:1") && told.contains("begin a row without labels with a blank"), "{told}");
}

#[test]
fn unknown_labels_count_by_weight() {
    let model = ovr(&classes("1,2 1:1\n2 2:1\n1 1:1\n", Labelling::Classes), None, one_vs_rest()).model.unwrap();
    let of = |text: &str| {
        let data = classes(text, Labelling::Classes);
        model.score(&data).unwrap().metrics(model.loss)
    };
    let row = "2,9 2:1\n";
    let (weighted, repeated) = (of(&format!("1 1:1\n{}", row.replace("2,9", "+2,9:3"))), of(&format!("1 1:1\n{}", row.repeat(3))));
    assert!((weighted.micro_f1.unwrap() - repeated.micro_f1.unwrap()).abs() < 1e-9, "{weighted:?} {repeated:?}");
}
