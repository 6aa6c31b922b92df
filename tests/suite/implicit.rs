//! Ranking by implicit feedback: planted tastes, workers and ways against one another, held-out items, files, refusals.
use crate::support::{
    alone,
    command::{good, hogwild, message},
    data::{read_as, triples},
    isa, shared,
    training::weights,
};
use hogwild::{
    AnyData, Batch, ByUser, Ended, HoldoutBy, InstructionSet, Metric, Order, Outcome, Parallel, RankingMetrics, Rule, Settings, Trainer,
    Transforms, Vectors,
    data::{Data, Format, PackSettings, Ratings},
    evaluate_ranking, family,
    models::RankingLoss,
    ranking_metrics,
    rules::Sgd,
    train_implicit,
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::{fmt::Write, fs};

const LOSSES: [RankingLoss; 4] = [RankingLoss::Bpr, RankingLoss::Warp, RankingLoss::SampledSoftmax, RankingLoss::Logistic];
const NAMES: [&str; 4] = ["bpr", "warp", "sampled-softmax", "logistic-mf"];

/// Users of five tastes: of a hundred items each user has ten of the twenty of the own taste, and one of another.
fn tastes(users: usize) -> String {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
    let mut text = String::new();
    for user in 0..users {
        let mut own: Vec<usize> = (0..20).map(|i| 5 * i + user % 5).collect();
        own.shuffle(&mut random);
        own.truncate(10);
        own.push(random.random_range(0..100));
        own.shuffle(&mut random);
        write!(text, "u{user}").unwrap();
        own.iter().for_each(|item| write!(text, " {item}").unwrap());
        text.push('\n');
    }
    text
}

fn interactions(text: &str) -> Ratings {
    let settings = PackSettings { format: Some(Format::Interactions), ..PackSettings::default() };
    let Data::Ratings(data) = read_as(text, &settings).unwrap().1 else { panic!("no ratings") };
    data
}

fn settings(loss: RankingLoss) -> Settings {
    let Settings { .. } = Settings::for_ranking();
    let defaults = family(NAMES[loss as usize]).unwrap().defaults();
    Settings { rank: 8, threads: 1, epochs: 20, holdout: 0.2, negatives: (loss != RankingLoss::Bpr).then_some(8), ..defaults }
}

fn train(loss: RankingLoss, data: &Ratings, settings: &Settings) -> Outcome {
    let _turn = shared();
    train_implicit(loss, data, None, &isa::forced_in(settings), &mut (), &Default::default()).unwrap()
}

fn ranking(outcome: &Outcome) -> RankingMetrics {
    outcome.valid().and_then(|valid| valid.ranking).expect("an evaluated epoch")
}

/// A list by lot has a recall of 20 / 91; one by the taste alone, of what is left of the twenty, nearly all that can be known.
const KNOWN: f64 = 0.8;

#[test]
fn every_loss_finds_what_was_planted() {
    let data = interactions(&tastes(300));
    for loss in LOSSES {
        let outcome = train(loss, &data, &settings(loss));
        let found = ranking(&outcome);
        assert!(matches!(outcome.ended, Ended::Finished) && found.users == 300, "{loss:?}");
        assert!(found.recall > KNOWN, "{loss:?} {found:?}");
        let losses: Vec<f64> = outcome.epochs.iter().map(|epoch| epoch.loss).collect();
        assert!(losses[19] < 0.8 * losses[0], "{loss:?} {losses:?}");
    }
}

#[test]
fn one_thread_repeats_to_the_bit_and_a_seed_is_another_run() {
    let data = interactions(&tastes(60));
    for loss in LOSSES {
        let settings = Settings { epochs: 3, ..settings(loss) };
        let one = weights(&train(loss, &data, &settings));
        assert_eq!(one, weights(&train(loss, &data, &settings)), "{loss:?}");
        assert_ne!(one, weights(&train(loss, &data, &Settings { seed: 1, ..settings })), "{loss:?}");
    }
}

#[test]
fn instruction_sets_give_the_same_bits() {
    let data = interactions(&tastes(60));
    for loss in LOSSES {
        // Rows of one vector, of four, of five.
        for rank in [8, 64, 70] {
            let settings = Settings { epochs: 2, rank, ..settings(loss) };
            let of = |set| {
                weights(
                    &train_implicit(loss, &data, None, &Settings { isa: Some(set), ..settings.clone() }, &mut (), &Default::default())
                        .unwrap(),
                )
            };
            let all: Vec<_> = InstructionSet::available().into_iter().map(of).collect();
            assert!(all.windows(2).all(|two| two[0] == two[1]), "{loss:?} {rank}");
        }
    }
}

#[test]
fn two_threads_rank_as_well_as_one() {
    let _turn = alone();
    let data = interactions(&tastes(2000));
    for loss in LOSSES {
        let of = |threads| ranking(&train(loss, &data, &Settings { threads, epochs: 8, ..settings(loss) })).recall;
        let (one, two) = (of(1), of(2));
        assert!((one - two).abs() < 0.05 && one > KNOWN, "{loss:?} {one} {two}");
    }
}

#[test]
fn every_rule_and_way_learns() {
    let _turn = alone();
    let data = interactions(&tastes(300));
    let base = |loss| Settings { threads: 2, ..settings(loss) };
    for loss in LOSSES {
        let ways = [
            Settings { parallel: Parallel::Mean, replicas: Some(2), ..base(loss) },
            Settings { parallel: Parallel::Elastic, replicas: Some(2), ..base(loss) },
            Settings { parallel: Parallel::Downpour, replicas: Some(2), ..base(loss) },
            Settings { batch: Batch::Size(16), lr: Some(1.0), ..base(loss) },
            Settings { order: Order::Curriculum, ..base(loss) },
            Settings { order: Order::Sequential, ..base(loss) },
            Settings { transforms: Transforms { clip_norm: Some(1.0), ..Transforms::default() }, ..base(loss) },
            Settings { negative_power: 0.5, ..base(loss) },
        ];
        for settings in ways {
            let found = ranking(&train(loss, &data, &settings));
            assert!(found.recall > 0.6, "{loss:?} {:?} {:?} {:?} {found:?}", settings.parallel, settings.batch, settings.order);
        }
    }
    for rule in Rule::ALL.into_iter().filter(Rule::takes_schedules) {
        let outcome = train(RankingLoss::Bpr, &data, &Settings { rule, epochs: 5, ..base(RankingLoss::Bpr) });
        assert!(matches!(outcome.ended, Ended::Finished) && ranking(&outcome).recall.is_finite(), "{rule:?}");
    }
}

/// A user's own rule goes by the loop that has no type of its own; it is the same rule.
#[test]
fn a_rule_of_ones_own_is_trained_with() {
    let data = interactions(&tastes(60));
    let builder = || Trainer::implicit(RankingLoss::Bpr).rank(8).epochs(2).lr(0.05).threads(1usize);
    let _turn = shared();
    let own = builder().own_rule(Sgd).fit(&data).unwrap();
    assert_eq!(weights(&own), weights(&builder().rule(Sgd).fit(&data).unwrap()));
}

#[test]
fn metrics_of_a_run_are_those_of_its_model() {
    let data = interactions(&tastes(100));
    let (mut train_text, mut test_text) = (String::new(), String::new());
    for (user, item, _) in triples(&data) {
        let to = if item.ends_with('3') && user.ends_with('3') { &mut test_text } else { &mut train_text };
        writeln!(to, "{user} {item}").unwrap();
    }
    writeln!(test_text, "stranger 9998\nu3 9999").unwrap();
    let (training, test) = (interactions(&train_text), interactions(&test_text));
    let settings = Settings { holdout: 0.0, epochs: 4, ..settings(RankingLoss::SampledSoftmax) };
    let _turn = shared();
    let outcome = train_implicit(RankingLoss::SampledSoftmax, &training, Some(&test), &settings, &mut (), &Default::default()).unwrap();
    let model = outcome.trained().unwrap();
    let found = evaluate_ranking(model, &test, &[&training], 20).unwrap();
    assert_eq!((found.unknown_users, found.unknown_items), (1, 2));
    assert!(found.metrics.recall > 0.1, "{:?}", found.metrics);
    assert_eq!(Some(found.metrics), outcome.valid().unwrap().ranking);
    let view = model.factors().unwrap();
    let factors = view.factors;
    let number = |ids: &hogwild::data::Ids, name: &str| (0..ids.len()).find(|&i| ids.name(i) == name).map_or(u32::MAX, |i| i as u32);
    let pairs = |data: &Ratings| -> Vec<(u32, u32)> {
        triples(data).iter().map(|(user, item, _)| (number(view.users, user), number(view.items, item))).collect()
    };
    let vectors = Vectors { rank: factors.rank, users: factors.user_factor, items: factors.item_factor, item_bias: factors.item_bias };
    let (users, known) = (view.users.len(), pairs(&test).into_iter().filter(|(_, item)| *item != u32::MAX).collect::<Vec<_>>());
    let of_known = ranking_metrics(&vectors, &ByUser::new(users, &pairs(&training)), &ByUser::new(users, &known), 20);
    assert!(of_known.recall >= found.metrics.recall, "unknown items stay in the denominator");
}

#[test]
fn the_best_epoch_is_kept_by_the_metric_that_is_asked_for() {
    let data = interactions(&tastes(100));
    for metric in [Metric::Ndcg, Metric::Recall, Metric::Mrr, Metric::Loss] {
        let settings = Settings { patience: Some(3), stop_metric: Some(metric), epochs: 60, ..settings(RankingLoss::Bpr) };
        let outcome = train(RankingLoss::Bpr, &data, &settings);
        let value = |epoch: usize| outcome.epochs[epoch - 1].valid.unwrap().get(metric).unwrap();
        let best = (1..=outcome.epochs.len()).max_by(|&a, &b| {
            let (a_value, b_value) = if metric.rises() { (value(a), value(b)) } else { (-value(a), -value(b)) };
            a_value.total_cmp(&b_value).then(b.cmp(&a))
        });
        assert_eq!(outcome.best, best, "{metric:?}");
    }
}

#[test]
fn held_out_items_are_the_users_last_or_any() {
    let data = interactions("a 1 2 3 4 5\nb 6 7 8 9 1\nc 2\n");
    for by in [HoldoutBy::Last, HoldoutBy::Random] {
        let settings = Settings { holdout: 0.2, holdout_by: by, epochs: 1, ..settings(RankingLoss::Bpr) };
        assert_eq!(ranking(&train(RankingLoss::Bpr, &data, &settings)).users, 2, "{by:?}");
    }
}

/// Users that have every item, users of one item, one item in all: there is nothing to draw, or hardly anything.
#[test]
fn users_of_all_items_are_trained_without_negatives() {
    for text in ["a 1\nb 1\n", "a 1 2 3 4\nb 1 2 3 4\n", "a 1 2 3 4\nb 1\n"] {
        let data = interactions(text);
        for loss in LOSSES {
            for power in [0.0, 1.0] {
                let settings = Settings { holdout: 0.0, negative_power: power, epochs: 3, ..settings(loss) };
                let outcome = train(loss, &data, &settings);
                assert!(matches!(outcome.ended, Ended::Finished), "{text:?} {loss:?}");
                assert!(weights(&outcome).iter().all(|w| w.is_finite()));
            }
        }
    }
}

#[test]
fn what_does_not_go_with_ranking_is_refused() {
    let data = interactions(&tastes(10));
    let of = |name: &str, change: &dyn Fn(&mut Settings)| {
        let family = family(name).unwrap();
        let mut settings = family.defaults();
        change(&mut settings);
        hogwild::train(family, AnyData::from(&data), None, &settings, &mut (), &Default::default()).unwrap_err().to_string()
    };
    type Change = &'static dyn Fn(&mut Settings);
    let table: [(Change, &str); 11] = [
        (&|s| s.parallel = Parallel::Partitioned, "negatives are drawn from all"),
        (&|s| s.snapshots = Some(2), "`snapshots` 2"),
        (&|s| s.loss = hogwild::Loss::Hinge, "has a loss of its own"),
        (&|s| s.hot_rows = Some(9), "`hot_rows` 9"),
        (&|s| s.negatives = Some(0), "from 1 to 4096"),
        (&|s| s.negative_power = -1.0, "from 0 to 2"),
        (&|s| s.positive = Some(1.0), "`positive` 1"),
        (&|s| (s.patience, s.stop_metric, s.holdout) = (Some(1), Some(Metric::Auc), 0.2), "`stop_metric` auc"),
        (&|s| s.transforms.l1 = 0.1, "`l2`"),
        (&|s| s.standardize = false, "`standardize` false"),
        (&|s| s.holdout_by = HoldoutBy::Last, "give that too"),
    ];
    for name in NAMES {
        for (change, says) in table {
            let message = of(name, &|settings| {
                change(settings);
                if settings.snapshots.is_some() {
                    settings.choose_schedule();
                }
            });
            assert!(message.contains(says), "{name}: {message}");
        }
    }
    assert!(of("bpr", &|s| s.negatives = Some(4)).contains("bpr learns by pairs"));
    for (change, says) in [
        (&(|s: &mut Settings| s.negatives = Some(4)) as &dyn Fn(&mut Settings), "`negatives` 4"),
        (&|s| s.negative_power = 0.5, "`negative_power` 0.5"),
        (&|s| (s.holdout_by, s.holdout) = (HoldoutBy::Last, 0.1), "`holdout_by` last"),
        (&|s| (s.patience, s.stop_metric, s.holdout) = (Some(1), Some(Metric::Ndcg), 0.2), "`stop_metric` ndcg@20"),
    ] {
        let message = of("mf", change);
        assert!(message.contains(says) && message.contains("implicit feedback"), "{message}");
    }
    let disliked = Ratings::from_triples(&[1u64, 1], &[1u64, 2], &[1.0, 0.0]).unwrap();
    let error = train_implicit(RankingLoss::Bpr, &disliked, None, &settings(RankingLoss::Bpr), &mut (), &Default::default()).unwrap_err();
    assert!(error.to_string().contains("rating 2 has the value 0"), "{error}");
}

#[test]
fn the_command_trains_evaluates_and_shows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("train.txt"), tastes(80)).unwrap();
    fs::write(folder.join("test.txt"), "u1 6 11 16\nu2 7 12\nu3\n").unwrap();
    for name in NAMES {
        let line = format!("train train.txt --format interactions --model {name} --rank 4 --epochs 3 --valid test.txt --out m.safetensors");
        let output = hogwild(folder, &line);
        let told = message(&output);
        assert!(output.status.success() && told.contains("ndcg@20") && !told.contains("nothing to learn"), "{told}");
        let output = hogwild(folder, "eval m.safetensors test.txt --format interactions --exclude-seen train.txt --top 10 --json");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", message(&output)));
        assert!(json["recall@10"].as_f64().is_some_and(|recall| (0.0..=1.0).contains(&recall)), "{json}");
        let output = hogwild(folder, "eval m.safetensors test.txt --format interactions");
        assert!(output.status.success() && message(&output).contains("--exclude-seen"), "{}", message(&output));
        good(folder, "export m.safetensors --format npz --out m.npz");
        good(folder, "inspect m.safetensors");
        let output = hogwild(folder, "predict m.safetensors test.txt --format interactions");
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 5, "{}", message(&output));
    }
    // Ratings that are all alike say what else they may be.
    let told = message(&hogwild(folder, "train train.txt --format interactions --rank 4 --epochs 1 --lr 0.1"));
    assert!(told.contains("--model bpr"), "{told}");
}

/// User, item and value as they were in the text.
fn read(text: &str) -> Vec<(String, String, f32)> {
    triples(&interactions(text))
}

#[test]
fn interactions_are_read_in_either_shape() {
    let of =
        |all: &[(&str, &str, f32)]| all.iter().map(|&(user, item, value)| (user.to_string(), item.to_string(), value)).collect::<Vec<_>>();
    let lists = of(&[("1", "2", 1.0), ("1", "3", 1.0), ("1", "4", 1.0), ("2", "3", 1.0)]);
    assert_eq!(read("1 2 3 4\n2 3\n7\n"), lists);
    assert_eq!(read("\u{feff}1,2,3,4\r\n2,3\r\n"), lists);
    assert_eq!(read("user items\n1 2 3\n1 4\n2 3"), lists);
    assert_eq!(read("# by hand\n\nuser\titem\n1\t2\n1\t3\n1\t4\n2\t3\n"), lists);
    assert_eq!(read("1 2 1\n1 3 1\n1 4 1\n2 3 1\n"), lists);
    assert_eq!(read("ann::tea::2.5\nbob::\"green tea\"::1\n"), of(&[("ann", "tea", 2.5), ("bob", "green tea", 1.0)]));
    assert_eq!(read("007 01 x y\n"), of(&[("007", "01", 1.0), ("007", "x", 1.0), ("007", "y", 1.0)]));
}

/// What the model does not know is left out of lists, and of what is asked for, like all else.
#[test]
fn what_was_seen_is_not_asked_for_whoever_the_model_knows() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("train.txt"), tastes(40)).unwrap();
    fs::write(at.join("seen.txt"), "stranger 1 2 unknown\n").unwrap();
    good(at, "train train.txt --format interactions --model bpr --rank 4 --epochs 1 --out m.safetensors");
    let users = |held: &str| {
        fs::write(at.join("held.txt"), held).unwrap();
        let output = hogwild(at, "eval m.safetensors held.txt --format interactions --exclude-seen seen.txt --json");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["users"].as_u64().unwrap()
    };
    assert_eq!((users("stranger 1 2 unknown\n"), users("stranger 1 2 3 unknown\n"), users("stranger 1 other x\n")), (0, 1, 1));
}
