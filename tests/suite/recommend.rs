//! `hogwild recommend` and `similar`, and their functions: against every pair scored by itself; users folded in; what is told and refused.
use crate::support::{
    command::{given, good, parts, said},
    data::{ratings, triples},
    shared,
    training::{factors, save_linear_model},
};
use hogwild::{
    FactorModel, Factors, Loss, Neighbours, Recommender, Settings, Similarity, TrainedModel,
    data::{Data, Ids, Ratings},
    seen_items,
};
use std::{fmt::Write, fs, path::Path};

fn hogwild(folder: &Path, line: &str) -> (Option<i32>, String, String) {
    parts(&given(folder, line, ""))
}

/// Ratings of 40 users and 60 items that go by two tastes.
fn text() -> String {
    let mut text = String::new();
    for i in 0u32..900 {
        let (user, item) = (i * 7 % 40, i.wrapping_mul(2654435761) / 65536 % 60);
        let like = if (user % 2 == 0) == (item % 3 == 0) { 4 } else { 2 };
        writeln!(text, "{user}\t{}\t{}", 100 + item, like + (i / 40) % 2).unwrap();
    }
    text
}

fn trained(folder: &Path, settings: Settings) -> (Ratings, TrainedModel) {
    let data = ratings(folder, "r.tsv", &text());
    let model = factors(&data, None, Settings { lr: Some(0.1), threads: 1, rank: 5, epochs: 8, ..settings }).model.unwrap();
    model.save(&folder.join("m.safetensors")).unwrap();
    (data, model)
}

/// The prediction of every pair, user by user.
fn all_pairs(model: &TrainedModel) -> Vec<Vec<(u32, f32)>> {
    let view = model.factors().unwrap();
    let of = |user: usize| (0..view.items.len()).map(|item| (item as u32, model.loss.predict(view.factors.score(user, item)))).collect();
    (0..view.users.len()).map(of).collect()
}

#[test]
fn the_best_items_are_those_of_all_pairs_that_were_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    for loss in [Loss::Squared, Loss::Huber(hogwild::loss::Huber { delta: 1.0 })] {
        let (data, model) = trained(folder.path(), Settings { loss, ..Settings::for_ratings() });
        let recommender = Recommender::new(&model).unwrap();
        let (users, items) = (recommender.user_ids(), recommender.item_ids());
        let seen = seen_items(&data, users, items).unwrap();
        let pairs: std::collections::HashSet<_> = triples(&data).into_iter().map(|(user, item, _)| (user, item)).collect();
        assert_eq!((0..users.len()).map(|user| seen.of(user).len()).sum::<usize>(), pairs.len());
        let rows = recommender.users(&(0..users.len() as u32).collect::<Vec<_>>());
        let _turn = shared();
        let best = recommender.recommend(&rows, 7, |user, item| seen.has(user, item));
        for (user, mut pairs) in all_pairs(&model).into_iter().enumerate() {
            pairs.retain(|&(item, _)| !seen.has(user, item));
            pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
            let found: Vec<(u32, f32)> = best.of(user).collect();
            assert_eq!(found.len(), 7.min(pairs.len()));
            assert!(found.iter().zip(&pairs).all(|(a, b)| (a.1 - b.1).abs() < 1e-4), "{found:?} {pairs:?}");
            assert!(found.iter().all(|&(item, score)| pairs.iter().any(|p| p.0 == item && (p.1 - score).abs() < 1e-4)));
        }
    }
}

#[test]
fn an_ensemble_recommends_by_the_mean_of_its_members() {
    let ids: Ids = ["a", "b", "c"].into_iter().collect();
    let member = |user_factor: &'static [f32], item_factor: &'static [f32]| Factors {
        mean: 3.0,
        rank: 2,
        user_bias: &[0.5, 0.0, -0.5],
        item_bias: &[0.1, 0.2, 0.3],
        user_factor,
        item_factor,
    };
    let first = member(&[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let second = member(&[2.0, 1.0, -1.0, 0.0, 0.0, 1.0], &[0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
    let model = FactorModel { users: &ids, items: &ids, factors: first }.trained(Loss::Squared);
    let model = TrainedModel { members: vec![first.tensors(), second.tensors()], ..model };
    let recommender = Recommender::new(&model).unwrap();
    let best = recommender.recommend(&recommender.users(&[0, 1, 2, u32::MAX]), 3, |_, _| false);
    for user in 0..4 {
        for (item, score) in best.of(user) {
            let mean = f32::midpoint(first.score(user, item as usize), second.score(user, item as usize));
            assert!((score - mean).abs() < 1e-5, "{user} {item}: {score} {mean}");
        }
    }
    let refused = Recommender::new(&TrainedModel { loss: Loss::Logistic, ..model }).unwrap_err().to_string();
    assert!(refused.contains("the mean of 2 probabilities"), "{refused}");
}

#[test]
fn the_command_lists_what_is_asked_and_names_what_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at, Settings::for_ratings());
    let all = good(at, "recommend m.safetensors --top 3");
    assert_eq!(all.lines().count(), 120);
    let of = |text: &str, user: &str| -> Vec<String> {
        text.lines().filter(|line| line.split('\t').next() == Some(user)).map(str::to_owned).collect()
    };
    fs::write(at.join("users.txt"), "\u{feff}7\r\n\r\n 12 \n").unwrap();
    for users in ["7,12", "users.txt"] {
        let some = good(at, &format!("recommend m.safetensors --top 3 --users {users}"));
        assert_eq!(some, [of(&all, "7"), of(&all, "12")].concat().join("\n") + "\n");
    }
    // A line is what `predict` says of the pair.
    let pairs: String = of(&all, "7").iter().map(|line| line.rsplit_once('\t').unwrap().0.to_owned() + "\n").collect();
    let predicted = parts(&given(at, "predict m.safetensors -", &pairs)).1;
    for (line, prediction) in of(&all, "7").iter().zip(predicted.lines()) {
        let (one, other): (f32, f32) = (line.rsplit_once('\t').unwrap().1.parse().unwrap(), prediction.parse().unwrap());
        assert!((one - other).abs() < 1e-4, "{line} {prediction}");
    }
    let (code, out, told) = hogwild(at, "recommend m.safetensors --top 2 --users nobody,7 --among 100,101,102,x");
    assert!(code == Some(0) && out.lines().count() == 4 && of(&out, "nobody").len() == 2, "{out}");
    assert!(told.contains("--users: 1 id is no user of the model (nobody)") && told.contains("--among: 1 id is no item of the model (x)"));
    assert!(out.lines().all(|line| ["100", "101", "102"].contains(&line.split('\t').nth(1).unwrap())));
    // Fewer are listed where few are left.
    let left = good(at, "recommend m.safetensors --among 100,101 --exclude-seen r.tsv");
    let seen = fs::read_to_string(at.join("r.tsv")).unwrap();
    let pair = |line: &str| line.split('\t').take(2).map(str::to_owned).collect::<Vec<_>>();
    let seen: Vec<_> = seen.lines().map(pair).collect();
    assert!(left.lines().count() < 80 && left.lines().all(|line| !seen.contains(&pair(line))), "{left}");
    let objects = good(at, "recommend m.safetensors --top 3 --users 7 --jsonl");
    let object: serde_json::Value = serde_json::from_str(&objects).unwrap();
    let items: Vec<String> = object["best"].as_array().unwrap().iter().map(|one| one["item"].as_str().unwrap().to_owned()).collect();
    assert!(object["user"] == "7" && items == of(&all, "7").iter().map(|line| pair(line)[1].clone()).collect::<Vec<_>>());
    good(at, "recommend m.safetensors --top 3 --out all.tsv --threads 1");
    assert_eq!(fs::read_to_string(at.join("all.tsv")).unwrap(), all);
}

#[test]
fn what_cannot_be_recommended_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at, Settings::for_ratings());
    save_linear_model(&at.join("linear.safetensors"), Loss::Hinge, &[1.0]);
    fs::write(at.join("a.svm"), "1 1:0.5 2:1\n-1 2:3\n").unwrap();
    fs::write(at.join("bad.tsv"), "1\t2\t3\n1\t2\tx\n").unwrap();
    fs::write(at.join("empty.txt"), "\n").unwrap();
    fs::write(at.join("old"), "old").unwrap();
    for (line, says) in [
        ("recommend linear.safetensors", "has no users and items; give a model of ratings (mf)"),
        ("similar linear.safetensors --items 1", "has no users and items"),
        ("recommend m.safetensors --top 0", "--top"),
        ("recommend m.safetensors --users ,", "--users ,: names nobody"),
        ("recommend m.safetensors --users empty.txt", "--users empty.txt: names nobody"),
        ("recommend m.safetensors --among x,y", "none of these is an item of the model (x, y)"),
        ("recommend m.safetensors --exclude-seen bad.tsv --out old --fold-in bad.tsv", "bad.tsv:2:5: "),
        ("recommend m.safetensors --fold-in a.svm", "a.svm"),
        ("recommend m.safetensors --fold-in r.tsv --users 7,x", "1 of these have no rating in the data of --fold-in (x)"),
        ("recommend m.safetensors --exclude-seen r.tsv --out r.tsv", "is an input"),
        ("similar m.safetensors", "--items"),
        ("similar m.safetensors --items 100 --users 1", "cannot be used with"),
        ("similar m.safetensors --items 100,x", "--items: 1 of these are no items of the model (x)"),
    ] {
        let (code, out, told) = hogwild(at, line);
        assert!(code == Some(2) && out.is_empty() && told.contains(says), "{line}: {told}");
    }
    assert_eq!(fs::read_to_string(at.join("old")).unwrap(), "old");
    let told = parts(&given(at, "recommend m.safetensors --users 7 --exclude-seen bad.tsv --on-bad-row skip", "")).2;
    assert!(told.contains("has no user, or no item, that recommendations are about"), "{told}");
}

#[test]
fn what_is_like_an_item_has_the_largest_cosine() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (_, model) = trained(at, Settings::for_ratings());
    let view = model.factors().unwrap().factors;
    for (axis, all, count) in [("item", view.item_factor, 60), ("user", view.user_factor, 40)] {
        for by in [Similarity::Cosine, Similarity::Dot] {
            let neighbours = Neighbours::new(&model, axis, by).unwrap();
            let ranked = neighbours.nearest(&[3, 0], 4);
            for (query, row) in [3usize, 0].into_iter().enumerate() {
                let of = |row: usize| &all[row * 5..][..5];
                let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
                let length = |row: usize| if by == Similarity::Cosine { dot(of(row), of(row)).sqrt() } else { 1.0 };
                let like = |other: usize| dot(of(row), of(other)) / length(row) / length(other);
                let mut others: Vec<f64> = (0..count).filter(|&other| other != row).map(like).collect();
                others.sort_by(|a, b| b.total_cmp(a));
                let found: Vec<(u32, f32)> = ranked.of(query).collect();
                assert!(found.len() == 4 && found.iter().zip(&others).all(|((_, a), b)| (f64::from(*a) - b).abs() < 1e-5), "{found:?}");
                assert!(found.iter().all(|&(other, score)| (like(other as usize) - f64::from(score)).abs() < 1e-5));
            }
        }
    }
    let lines = good(at, "similar m.safetensors --items 103,100 --top 2");
    let ids: Vec<&str> = lines.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(ids, ["103", "103", "100", "100"]);
    assert_eq!(good(at, "similar m.safetensors --users all --by dot --top 1").lines().count(), 40);
}

/// What a row of a user is to make least, by the numbers of a model and of one user.
fn objective(model: &TrainedModel, bias: f32, row: &[f32], rated: &[(usize, f32)], l2: f64) -> f64 {
    let (view, unit) = (model.factors().unwrap().factors, model.unit);
    let loss = |&(item, rating): &(usize, f32)| {
        let dot: f32 = row.iter().zip(&view.item_factor[item * view.rank..]).map(|(p, q)| p * q).sum();
        let z = view.mean + view.item_bias[item] + bias + dot;
        f64::from(model.loss.value(z / unit, rating / unit))
    };
    let squares = f64::from(bias / unit).powi(2) + row.iter().map(|&p| f64::from(p).powi(2)).sum::<f64>() / f64::from(unit);
    rated.iter().map(loss).sum::<f64>() + l2 / 2.0 * rated.len() as f64 * squares
}

#[test]
fn a_folded_user_has_the_best_row_for_its_ratings() {
    let folder = tempfile::tempdir().unwrap();
    let few = [("u", "100", 5.0), ("u", "103", 1.0), ("u", "107", 4.0), ("u", "999", 3.0), ("v", "101", 2.0), ("w", "998", 2.0)];
    let text: String = few.iter().map(|(user, item, rating)| format!("{user}\t{item}\t{rating}\n")).collect();
    for loss in ["squared", "huber", "log-cosh", "quantile:tau=0.3", "logistic"] {
        let loss = Loss::parse(loss).unwrap();
        let sign = |rating: f32| if rating > 3.0 { 1.0 } else { -1.0 };
        let with_signs = |text: &str| -> String {
            let line = |line: &str| {
                let (pair, rating) = line.rsplit_once('\t').unwrap();
                format!("{pair}\t{}\n", sign(rating.parse().unwrap()))
            };
            text.lines().map(line).collect()
        };
        let is_of_classes = loss.is_classification();
        let of_loss = |text: &str| if is_of_classes { with_signs(text) } else { text.to_owned() };
        let settings = Settings { loss, lr: Some(0.1), threads: 1, rank: 3, l2: 0.05, ..Settings::for_ratings() };
        let model = factors(&ratings(folder.path(), "t.tsv", &of_loss(&self::text())), None, settings).model.unwrap();
        let recommender = Recommender::new(&model).unwrap();
        let folded = recommender.fold_in(&ratings(folder.path(), "f.tsv", &of_loss(&text))).unwrap();
        assert_eq!((folded.known, folded.without, folded.unknown_ratings), (0, 1, 2));
        assert_eq!(folded.unknown_items.len(), 2);
        let user = (0..3).find(|&user| folded.ids.name(user) == "u").unwrap();
        let number = |item: &str| (0..60).find(|&i| recommender.item_ids().name(i) == item);
        let rated: Vec<(usize, f32)> = few[..4]
            .iter()
            .filter_map(|&(_, item, rating)| Some((number(item)?, if is_of_classes { sign(rating) } else { rating })))
            .collect();
        assert!(rated.len() == 3 && folded.seen.of(user).len() == 3);
        let (bias, row) = (folded.rows.bias[user], &folded.rows.factors[user * 3..][..3]);
        let least = objective(&model, bias, row, &rated, 0.05);
        assert!(least < objective(&model, 0.0, &[0.0; 3], &rated, 0.05));
        for i in 0..4usize {
            for step in [-0.02f32, 0.02] {
                let mut moved = row.to_vec();
                i.checked_sub(1).into_iter().for_each(|i| moved[i] += step);
                let there = objective(&model, if i == 0 { bias + step } else { bias }, &moved, &rated, 0.05);
                // A kink may be a little beside the least.
                assert!(there > least - 2e-4, "{loss}: {i} {step}: {there} {least}");
            }
        }
    }
}

#[test]
fn users_folded_in_are_predicted_as_well_as_trained_ones() {
    let folder = tempfile::tempdir().unwrap();
    let Data::Ratings(train) = crate::support::data::open_file(folder.path(), Path::new("data/ratings.train.tsv")) else { panic!() };
    let test = fs::read_to_string("data/ratings.test.tsv").unwrap();
    let model = factors(&train, None, Settings { threads: 1, lr: Some(0.1), ..Settings::for_ratings() }).model.unwrap();
    let recommender = Recommender::new(&model).unwrap();
    let folded = recommender.fold_in(&train).unwrap();
    assert_eq!((folded.known, folded.without), (train.users(), 0));
    let view = model.factors().unwrap();
    let error = |factors: Factors<'_>, users: &Ids| {
        let places = |ids: &Ids| (0..ids.len()).map(|i| (ids.name(i), i)).collect::<std::collections::HashMap<_, _>>();
        let (users, items) = (places(users), places(view.items));
        let one = |line: &str| {
            let cells: Vec<&str> = line.split('\t').collect();
            let score = factors.score(*users.get(cells[0])?, *items.get(cells[1])?);
            Some((f64::from(score) - cells[2].parse::<f64>().unwrap()).powi(2))
        };
        let all: Vec<f64> = test.lines().filter_map(one).collect();
        (all.iter().sum::<f64>() / all.len() as f64).sqrt()
    };
    let trained = error(view.factors, view.users);
    let folded = error(Factors { user_bias: &folded.rows.bias, user_factor: &folded.rows.factors, ..view.factors }, &folded.ids);
    assert!(folded < 1.02 * trained, "{folded} {trained}");
    // Through the command a known user may be folded in as well.
    let at = folder.path();
    model.save(&at.join("m.safetensors")).unwrap();
    fs::write(at.join("new.tsv"), "ann\t116\t5\nann\t146\t1\n70\t12\t2\nbob\tnone\t3\n").unwrap();
    let told = said(at, "recommend m.safetensors --fold-in new.tsv --top 4 --out out.tsv");
    assert!(told.contains("folded in 3 users, 1 of them known to the model"), "{told}");
    assert!(told.contains("1 items are unknown to the model (none)") && told.contains("1 users rated no item"), "{told}");
    let out = fs::read_to_string(at.join("out.tsv")).unwrap();
    assert!(out.lines().count() == 12 && !out.contains("ann\t116\t"), "{out}");
}
