//! Ratings and interactions that do not count alike: where weights stand in text, what they mean to training and metrics.
use crate::{
    partitioned::{bits, of_ratings},
    support::{
        command::{good, hogwild, message, said},
        data::{read_as, synthetic, triples},
        isa, shared,
        training::{factors, held_out_error},
    },
};
use hogwild::{
    Batch, Outcome, Parallel, Rule, Settings,
    data::{Columns, Data, Format, IdList, OnBadRow, PackSettings, Preparation, Ratings},
    family,
    models::RankingLoss,
    rules::Sgd,
    synth::{Kind, Synth},
    train_implicit,
};
use std::fs;

fn read(text: &str, settings: &PackSettings) -> Ratings {
    match read_as(text, settings) {
        Ok((_, Data::Ratings(data))) => data,
        other => panic!("{text:?}: {other:?}"),
    }
}

/// The column of that name, or number, has the weights.
fn by(name: &str) -> PackSettings {
    let prepare = Preparation { weight: Some(name.into()), ..Preparation::default() };
    PackSettings { format: Some(Format::Ratings), prepare, ..PackSettings::default() }
}

fn weights_of(data: &Ratings) -> Option<Vec<f32>> {
    data.weight_cells().map(|_| (0..data.len()).map(|row| data.weight(row)).collect())
}

/// Ratings with weights, from memory.
fn weighted<'a>(users: impl Into<IdList<'a>>, items: impl Into<IdList<'a>>, ratings: &[f32], weights: &[f32]) -> Ratings {
    Ratings::from_weighted_triples(users, items, ratings, Some(weights)).unwrap()
}

#[test]
fn weights_are_a_column_by_name_or_by_number_and_zeros_are_left_out() {
    let columns = |text: &str| PackSettings { columns: Some(text.parse::<Columns>().unwrap()), ..PackSettings::default() };
    let found = [("a", "x", 4.0), ("b", "x", 2.0), ("a", "y", 3.0)].map(|(user, item, rating)| (user.into(), item.into(), rating));
    for (text, settings) in [
        ("user,item,rating,n\na,x,4,2\nz,q,x,0\nb,x,2,1\na,y,3,0.5\n", by("n")),
        ("n\titem\trating\tuser\n2\tx\t4\ta\n0\tq\t1\tz\n1\tx\t2\tb\n0.5\ty\t3\ta\n", by("n")),
        ("a,x,4,2\nz,q,1,0\nb,x,2,1\na,y,3,0.5\n", by("4")),
        ("a x 4 978300760 2\nz q 1 978300760 0\nb x 2 978300760 1\na y 3 978300760 0.5\n", columns("user=1,item=2,rating=3,weight=5")),
        // A heading that is shorter than its lines, and names that are in none.
        ("what,stars,n\n1,a,x,4,2\n1,z,q,1,0\n1,b,x,2,1\n1,a,y,3,0.5\n", columns("user=2,item=3,rating=4,weight=5")),
        ("a x 4 2\nz q 1 0\nb x 2 1\na y 3 0.5\n", columns("rating=3,weight=4")),
        ("who;what;stars;n\na;x;4;2\nz;q;1;0\nb;x;2;1\na;y;3;0,5\n", columns("user=who,item=what,rating=stars,weight=n")),
    ] {
        let data = read(text, &settings);
        assert_eq!((triples(&data), weights_of(&data)), (found.to_vec(), Some(vec![2.0, 1.0, 0.5])), "{text}");
        assert_eq!((data.users(), data.items()), (2, 2), "{text}: of what weighs nothing nothing is counted");
    }
    let memory = weighted(&["a", "z", "b", "a"], &["x", "q", "x", "y"], &[4.0, 1.0, 2.0, 3.0], &[2.0, 0.0, 1.0, 0.5]);
    assert_eq!((triples(&memory), weights_of(&memory), memory.users()), (found.to_vec(), Some(vec![2.0, 1.0, 0.5]), 2));
    // Where the column of weights is named, it is no sign of dense data; its order is known.
    let named = PackSettings { format: None, ..by("4") };
    assert_eq!(weights_of(&read("1\t7\t4\t2\n2\t7\t2\t1\n1\t8\t3\t0.5\n", &named)), Some(vec![2.0, 1.0, 0.5]));
    // Where nothing is asked for, a fourth column is what it was.
    assert_eq!(weights_of(&read("a x 4 978300760\nb x 2 978300760\n", &PackSettings::default())), None);
    // For predictions weights are not looked at.
    let data = read("user,item,rating,n\na,x,4,0\nb,x,,-1\n", &PackSettings { unlabelled: true, ..by("n") });
    assert_eq!((data.len(), weights_of(&data)), (2, None));
    for (text, name) in [("user,item\na,x\nb,x\n", "n"), ("a,x,1\nb,x,2\n", "4"), ("a,x,1\nb,x,2\n", "n")] {
        let data = read(text, &PackSettings { unlabelled: true, ..by(name) });
        assert_eq!((data.len(), data.users(), data.items(), weights_of(&data)), (2, 2, 1, None), "{text}");
    }
    let pairs = read("1,1\n2,1\n", &PackSettings { unlabelled: true, ..by("4") });
    assert_eq!((pairs.len(), pairs.users(), pairs.items()), (2, 2, 1), "the rating is missing too");
    // Bad rows of what is unlabelled keep their places, of interactions too.
    let interactions = PackSettings { format: Some(Format::Interactions), on_bad_row: OnBadRow::Skip, unlabelled: true, ..by("count") };
    let data = read("user item count\na x 3\nb\na y 2\nb y 2\n", &interactions);
    assert_eq!((data.len(), weights_of(&data)), (4, None));
    // Weights that begin far behind those of 1 have their places.
    let many: String = (0..300_000).map(|i| format!("{} {} 3 {}\n", i % 1000, i / 1000, if i < 299_999 { 1 } else { 7 })).collect();
    let data = read(&many, &by("4"));
    assert_eq!((data.weight(0), data.weight(299_998), data.weight(299_999)), (1.0, 1.0, 7.0));
}

#[test]
fn a_weight_is_named_once() {
    let named = |weight: &str| PackSettings { columns: Some("weight=n".parse().unwrap()), ..by(weight) };
    assert_eq!(weights_of(&read("user,item,rating,n,m\na,x,4,2,3\n", &named("n"))), Some(vec![2.0]));
    let told = read_as("user,item,rating,n,m\na,x,4,2,3\n", &named("m")).unwrap_err().to_string();
    assert!(told.contains("weight") && told.contains("is another column than weight=n in `columns`"), "{told}");
}

#[test]
fn a_heading_may_be_shorter_than_the_rows_where_columns_are_numbers() {
    let columns = PackSettings { columns: Some("user=2,item=3,rating=4".parse().unwrap()), ..PackSettings::default() };
    let data = read("who,what,stars\n1,5,7,3\n2,6,7,4\n", &columns);
    assert_eq!(triples(&data), [("5", "7", 3.0), ("6", "7", 4.0)].map(|(user, item, rating)| (user.into(), item.into(), rating)));
}

#[test]
fn weights_of_ratings_that_are_none_are_named() {
    for (text, name, says) in [
        ("user,item,rating,n\na,x,4,-2\n", "n", "input:2:7: the weight of the rating is below 0: `-2`"),
        ("user,item,rating,n\na,x,4,two\n", "n", "input:2:7: the weight of the rating is no finite number: `two`"),
        ("user,item,rating,n\na,x,4,inf\n", "n", "the weight of the rating is no finite number"),
        ("user,item,rating,n\na,x,4,\n", "n", "input:2:1: the weight of the rating is missing"),
        ("user,item,rating,n\na,x,4,1\n", "m", "no column is called `m`"),
        ("user,item,rating,n\na,x,4,1\n", "item", "the weight is the column of the user or of the item"),
        ("a x 4 1\n", "9", "there is no column 9, only 4"),
        ("a x 4 1\n", "9", "give the weight another column"),
        ("user,item,rating,n\na,x,4,1\n", "m", "give the weight another column"),
        ("user,item,rating,n\na,x,4,1e99\n", "n", "input:2:7: the weight of the rating is out of the range of 32-bit floats: `1e99`"),
        ("user,item,rating,n\na,x,4,\"0,5\"\n", "n", "the weight of the rating has a decimal comma"),
        ("user,item,rating,n\na,x,4,1e-60\n", "n", "the weight of the rating is too small for 32-bit floats: `1e-60`"),
        ("user,item,rating,n\na,x,4,1e-40\n", "n", "the weight of the rating is too small for 32-bit floats: `1e-40`"),
        ("user,item,rating,n\na,x,4,-1e-60\n", "n", "the weight of the rating is below 0: `-1e-60`"),
        ("user,item,rating,n\na,x,4,0\n", "n", "holds no examples at all besides 1 of weight 0"),
    ] {
        let told = read_as(text, &by(name)).unwrap_err().to_string();
        assert!(told.contains(says), "{text}: {told}");
    }
    let skip = PackSettings { on_bad_row: OnBadRow::Skip, ..by("n") };
    let (report, Data::Ratings(data)) = read_as("user,item,rating,n\na,x,4,-2\na,x,4,2\nb,x,4,0\n", &skip).unwrap() else { panic!("rows") };
    assert_eq!((report.skipped, weights_of(&data)), (1, Some(vec![2.0])));
    assert!(report.notes.iter().any(|note| note == "left out: 1 ratings of weight 0"), "{:?}", report.notes);
    for (weights, says) in [
        (&[1.0, -1.0][..], "the weight of rating 1 (from 0) is -1"),
        (&[1.0, f32::NAN], "the weight of rating 1 (from 0) is NaN"),
        (&[1.0], "1 weights of 2 ratings"),
        (&[0.0; 2], "all have the weight 0"),
    ] {
        let told = Ratings::from_weighted_triples(&[1u64, 2], &[1u64, 2], &[1.0; 2], Some(weights)).unwrap_err().to_string();
        assert!(told.contains(says), "{told}");
    }
}

/// Users and items whose ratings become fewer and fewer, so that they are numbered alike; every second pair is there twice, or weighs 2.
fn stairs(repeated: bool) -> Ratings {
    let (mut users, mut items, mut ratings, mut weights) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (user, item) in (0..9u64).flat_map(|user| (0..9 - user).map(move |item| (user, item))) {
        let twice = (user + item).is_multiple_of(2);
        for _ in 0..if twice && repeated { 2 } else { 1 } {
            users.push(user);
            items.push(item);
            ratings.push(((user * 5 + item * 3) % 7) as f32 / 2.0 + 1.0);
            weights.push(if twice && !repeated { 2.0 } else { 1.0 });
        }
    }
    weighted(&users, &items, &ratings, &weights)
}

fn numbers(outcome: &Outcome) -> Vec<f32> {
    outcome.model.as_ref().unwrap().last().0.iter().flat_map(|tensor| tensor.numbers.iter().copied()).collect()
}

#[test]
fn a_rating_of_weight_two_is_the_same_as_two_ratings() {
    let [one, other] = [stairs(false), stairs(true)];
    assert!(one.weight_cells().is_some() && other.weight_cells().is_none() && one.len() < other.len());
    for (rule, l2) in [(Rule::Sgd(Sgd), 0.1), (Rule::parse("momentum").unwrap(), 0.0)] {
        // By whole gradients both are the same path.
        let settings =
            Settings { rule, l2, lr: Some(0.05), batch: Batch::Full, epochs: 80, threads: 1, rank: 5, ..Settings::for_ratings() };
        let [a, b] = [&one, &other].map(|data| factors(data, None, &settings));
        for (a, b) in numbers(&a).into_iter().zip(numbers(&b)) {
            assert!((a - b).abs() < 1e-4 * (1.0 + a.abs()), "l2 {l2}: {a} {b}");
        }
        let [a, b] = [&a, &b].map(|outcome| outcome.epochs.last().unwrap().loss);
        assert!((a / b - 1.0).abs() < 1e-4, "{a} {b}");
    }
    // A rating at a time the optimum is the same: fully trained, both come there.
    let settings = Settings { l2: 0.1, lr: Some(0.1), epochs: 2000, threads: 1, rank: 5, ..Settings::for_ratings() };
    let [a, b] = [&one, &other].map(|data| {
        let outcome = factors(data, None, &settings);
        outcome.model.as_ref().unwrap().score(&Data::Ratings(stairs(false))).unwrap().scores
    });
    for ((a, _), (b, _)) in a.into_iter().zip(b) {
        assert!((a - b).abs() < 0.02, "{a} {b}");
    }
}

#[test]
fn weights_of_ratings_that_are_all_alike_change_no_bit() {
    let text = synthetic(&Synth { kind: Kind::Ratings, rows: 20_000, ..Synth::default() });
    let alike: String = text.lines().map(|line| format!("{line}\t3\n")).collect();
    let weight = text.lines().next().unwrap().split_ascii_whitespace().count() + 1;
    let (plain, alike) = (read(&text, &PackSettings::default()), read(&alike, &by(&weight.to_string())));
    assert_eq!(alike.weight(7), 3.0);
    let searched = Settings { lr: None, ..of_ratings() };
    let batches = Settings { batch: Batch::Size(64), ..of_ratings() };
    for settings in [of_ratings(), searched, batches, Settings { parallel: Parallel::Hogwild, ..of_ratings() }] {
        let [a, b] = [&plain, &alike].map(|data| factors(data, None, &settings));
        assert_eq!(bits(&a), bits(&b));
        // The metrics of held-out ratings are sums of weights times errors, and rounded so.
        assert!((held_out_error(&a) / held_out_error(&b) - 1.0).abs() < 1e-9);
    }
}

/// Each pair rated 5 by weight 3 and 1 by weight 1, so that 4 is best; by equal weights it is 3.
fn torn() -> (Vec<u64>, Vec<u64>, Vec<f32>, Vec<f32>) {
    let pair = |i: u64| {
        let (rating, weight) = [(5.0, 3.0), (1.0, 1.0)][(i % 2) as usize];
        (i / 2 % 40, i / 80 % 25, rating, weight)
    };
    let all: Vec<_> = (0..2000).map(pair).collect();
    let of = |f: fn(&(u64, u64, f32, f32)) -> u64| all.iter().map(f).collect::<Vec<_>>();
    (of(|x| x.0), of(|x| x.1), all.iter().map(|x| x.2).collect(), all.iter().map(|x| x.3).collect())
}

#[test]
fn every_way_to_train_goes_by_the_weights_of_ratings() {
    let (users, items, ratings, weights) = torn();
    let data = weighted(&users, &items, &ratings, &weights);
    let base = Settings { lr: Some(0.05), epochs: 20, threads: 2, rank: 4, ..Settings::for_ratings() };
    let mean = |settings: &Settings| {
        let outcome = factors(&data, None, settings);
        let scores = outcome.model.as_ref().unwrap().score(&Data::Ratings(weighted(&users, &items, &ratings, &weights))).unwrap().scores;
        scores.iter().map(|(score, _)| f64::from(*score)).sum::<f64>() / scores.len() as f64
    };
    for settings in [
        base.clone(),
        Settings { lr: None, ..base.clone() },
        Settings { parallel: Parallel::Hogwild, ..base.clone() },
        Settings { parallel: Parallel::Mean, replicas: Some(2), ..base.clone() },
        Settings { batch: Batch::Size(50), lr: Some(0.5), ..base.clone() },
        Settings { rule: Rule::parse("adam").unwrap(), lr: Some(0.01), ..base.clone() },
    ] {
        let mean = mean(&settings);
        assert!((mean - 4.0).abs() < 0.1, "{} {}: {mean}", settings.parallel.name(), settings.rule.name());
    }
    // Workers share no row here, too: the same parts give the same bits on any number of threads.
    let parted = |threads| Settings { threads, parts: Some(3), ..base.clone() };
    let [one, two] = [1, 2].map(|threads| bits(&factors(&data, None, parted(threads))));
    assert!(one == two);
}

#[test]
fn metrics_of_ratings_go_by_weights() {
    let (users, items, ratings, weights) = torn();
    let data = weighted(&users, &items, &ratings, &weights);
    let settings = Settings { lr: Some(0.05), epochs: 5, threads: 1, rank: 4, ..Settings::for_ratings() };
    let outcome = factors(&data, Some(&data), &settings);
    let scored = outcome.model.as_ref().unwrap().score(&Data::Ratings(data)).unwrap();
    let all = weights.iter().map(|&weight| f64::from(weight)).sum::<f64>();
    let square = |(&(z, y), &weight): (&(f32, f32), &f32)| f64::from(weight) * f64::from(z - y).powi(2);
    let by_hand = (scored.scores.iter().zip(&scored.weights).map(square).sum::<f64>() / all).sqrt();
    assert_eq!(scored.weights, weights);
    let metrics = scored.metrics(hogwild::Loss::Squared);
    assert!((metrics.rmse.unwrap() - by_hand).abs() < 1e-6);
    assert!((held_out_error(&outcome) - by_hand).abs() < 1e-6, "validation data have weights of their own");
    // And so does a share that is held out: the best error of 5 by 3 and 1 by 1 is the root of 3.
    let data = weighted(&users, &items, &ratings, &weights);
    let outcome = factors(&data, None, Settings { holdout: 0.3, epochs: 20, ..settings });
    assert!((held_out_error(&outcome) - 3f64.sqrt()).abs() < 0.15, "{}", held_out_error(&outcome));
}

#[test]
fn interactions_may_count_by_their_counts() {
    // Of two items that half of the users have each, one was taken ten times as often by each.
    let first = |user: usize| if user < 30 { "much 10" } else { "little 1" };
    let text: String = (0..60).map(|user| format!("u{user} {}\nu{user} own{} 1\n", first(user), user % 20)).collect();
    let plain = PackSettings { format: Some(Format::Interactions), ..PackSettings::default() };
    let counts = PackSettings { prepare: by("count").prepare, ..plain.clone() };
    for (loss, name) in [(RankingLoss::SampledSoftmax, "sampled-softmax"), (RankingLoss::Logistic, "logistic-mf")] {
        let gap = |settings: &PackSettings| {
            let defaults = family(name).unwrap().defaults();
            let run = Settings { rank: 4, threads: 1, epochs: 10, negatives: Some(4), ..defaults };
            let _turn = shared();
            let data = read(&text, settings);
            let outcome = train_implicit(loss, &data, None, &isa::forced_in(&run), &mut (), &Default::default()).unwrap();
            let model = outcome.model.unwrap();
            let names = data.item_ids().unwrap();
            let place = |item: &str| (0..names.len()).find(|&place| names.name(place) == item).unwrap();
            let bias = |item: &str| model.last().numbers("item_bias")[place(item)];
            bias("much") - bias("little")
        };
        let (alike, weighted) = (gap(&plain), gap(&counts));
        assert!(alike.abs() < 0.2 && weighted > alike + 0.3, "{name}: {alike} {weighted}");
    }
    for (text, name, says) in [
        ("user item\na b\n", "count", "input:1:1: `weight` is count, and the only weight of interactions is the count of a pair"),
        ("user item plays\na b 2\n", "n", "`weight` is n, and the only weight"),
        ("a b c d\n", "count", "the only weight of interactions"),
    ] {
        let told = read_as(text, &PackSettings { prepare: by(name).prepare, ..plain.clone() }).unwrap_err().to_string();
        assert!(told.contains(says), "{told}");
    }
    assert_eq!(weights_of(&read("user item plays\na b 2\n", &PackSettings { prepare: by("plays").prepare, ..plain })), Some(vec![2.0]));
}

#[test]
fn the_command_reads_weights_of_ratings() {
    let folder = tempfile::tempdir().unwrap();
    let (users, items, ratings, weights) = torn();
    let lines = (0..users.len()).map(|i| format!("{},{},{},{}\n", users[i], items[i], ratings[i], weights[i]));
    fs::write(folder.path().join("r.csv"), format!("userId,movieId,rating,n\n{}", lines.collect::<String>())).unwrap();
    let run = |line: &str| good(folder.path(), line);
    run("train r.csv --weight n --lr 0.05 --epochs 20 --valid r.csv --out m.safetensors --no-cache");
    assert!(run("eval m.safetensors r.csv --weight n --no-cache").contains("rmse 1.73"), "the root of 3");
    assert!(run("eval m.safetensors r.csv --no-cache").contains("rmse 2.2"), "the root of 5, where all count alike");
    assert_eq!(run("predict m.safetensors r.csv --no-cache").lines().count(), users.len());
    run("pack r.csv --weight n -o r.safetensors");
    let described = run("describe r.safetensors --top 1");
    assert!(described.contains("mean 4, deviation 1.7321") && described.contains("weights 4000 in all"), "{described}");
    assert!(run("describe r.safetensors --json").contains("\"weights\":4000.0"));
    let told = said(folder.path(), "eval m.safetensors r.csv --weight n --no-cache");
    assert!(told.contains("1 to 5, weights from 1 to 3"), "{told}");
    let refused = message(&hogwild(folder.path(), "train r.csv --weight m --no-cache"));
    assert!(refused.contains("no column is called `m`"), "{refused}");
}
