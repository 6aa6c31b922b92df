//! Losses against their definitions: means of predictions, best constants, names and settings.
use super::*;

const POISSON: OwnLoss = OwnLoss {
    name: "poisson",
    value: |z, y| z.exp() - y * z,
    slope: |z, y| z.exp() - y,
    meaning: Meaning { link: Link::Log, standardise: Standardise::No, ..Meaning::NUMBER },
};

fn all() -> impl Iterator<Item = Loss> {
    Loss::ALL.into_iter().chain([Loss::Own(POISSON)])
}

#[test]
fn the_mean_score_predicts_the_mean() {
    for loss in all() {
        let scores = [0.3f32, -2.0, 5.5];
        let mean = scores.iter().map(|&z| loss.predict(z) as f64).sum::<f64>() / 3.0;
        let predicted = loss.predict(loss.mean_score(scores.into_iter())) as f64;
        assert!((predicted - mean).abs() < 1e-6 * mean.abs().max(1.0), "{loss}: {predicted} {mean}");
        // Alike or far out, nothing is lost and nothing is infinite.
        for z in [0.25f32, 40.0, -40.0] {
            assert!((loss.mean_score([z, z].into_iter()) - z).abs() < 1e-5, "{loss} {z}");
        }
        assert!(loss.mean_score([1e4, 1e4].into_iter()).is_finite());
    }
}

#[test]
fn names_and_settings_are_read_as_they_are_written() {
    for loss in Loss::ALL {
        assert_eq!(Loss::parse(&loss.to_string()).unwrap(), loss);
        assert_eq!(Loss::parse(loss.name()).unwrap(), loss);
        loss.check().unwrap();
    }
    assert_eq!(Loss::parse("quantile:tau=0.9").unwrap(), Quantile { tau: 0.9 }.into());
    assert_eq!(Loss::from(Huber { delta: 2.5 }).to_string(), "huber:delta=2.5");
    for (text, part) in [
        ("huger", "there are logistic, hinge"),
        ("own:poisson", "there are logistic"),
        ("quantile:tau=1", "tau goes from 0.001 to 0.999"),
        ("huber:delta=x", "delta is to be a number"),
        ("huber:tau=1", "it has delta"),
        ("squared:delta=1", "it has no settings"),
    ] {
        let message = Loss::parse(text).unwrap_err().to_string();
        assert!(message.contains("`loss`") && message.contains(part), "{text}: {message}");
    }
    for delta in [f32::NAN, 0.0] {
        assert!(Loss::Huber(Huber { delta }).check().unwrap_err().to_string().contains("delta goes from"));
    }
}

#[test]
fn a_loss_of_ones_own_is_to_fit_together() {
    assert_eq!(Loss::Own(POISSON).to_string(), "own:poisson");
    let with = |meaning: Meaning| Loss::Own(OwnLoss { meaning, ..POISSON }).check();
    for meaning in [POISSON.meaning, Meaning::NUMBER, Meaning::CLASS, Meaning::PROBABILITY] {
        with(meaning).unwrap();
    }
    for (meaning, part) in [
        (Meaning { link: Link::Log, ..Meaning::NUMBER }, "as they are"),
        (Meaning { standardise: Standardise::Mean, ..Meaning::CLASS }, "takes classes"),
        (Meaning { link: Link::Identity, ..Meaning::PROBABILITY }, "whose link is Logit"),
    ] {
        let message = with(meaning).unwrap_err().to_string();
        assert!(message.contains("own:poisson") && message.contains(part), "{message}");
    }
}

#[test]
fn vectors_and_single_numbers_sum_to_the_same_loss() {
    let number = |i: u32| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 22) as f32 - 2.0;
    let scores: Vec<f32> = (0..5000).map(number).collect();
    let labels: Vec<f32> = (0..5000).map(|i| if number(i + 7) > 0.3 { 1.0 } else { -1.0 }).collect();
    for loss in all() {
        let sum: f64 = scores.iter().zip(&labels).map(|(&z, &y)| loss.value(z, y) as f64).sum();
        let total = loss.total::<crate::simd::F32x16>(&scores, &labels);
        assert!((total / sum - 1.0).abs() < 1e-5, "{loss}: {total} {sum}");
        let weights: Vec<f32> = (0..5000).map(|i| number(i + 3).abs()).collect();
        let weighted = scores.iter().zip(&labels).zip(&weights).map(|((&z, &y), &w)| loss.value(z, y) as f64 * w as f64);
        let (sum, (total, all)) =
            (weighted.sum::<f64>(), weighted_total(crate::simd::InstructionSet::best(), loss, &scores, &labels, &weights));
        assert!((all / weights.iter().map(|&w| w as f64).sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((total / sum - 1.0).abs() < 1e-5, "{loss}: {total} {sum}");
    }
}

#[test]
fn the_search_finds_the_constant_that_loses_least() {
    const NUMBERS: [f32; 5] = [1.0, 2.0, 3.0, 4.0, 1e6];
    let of = |labels: &'static [f32], loss: Loss| {
        let each = |f: &mut dyn FnMut(f32, f64)| labels.iter().for_each(|&label| f(label, 1.0));
        Labels(&each).lowest(|z, y| loss.slope(z, y))
    };
    for (tau, quantile) in [(0.1, 1.0), (0.5, 3.0), (0.7, 4.0), (0.9, 1e6)] {
        let found = of(&NUMBERS, Quantile { tau }.into());
        assert!((found / quantile - 1.0f32).abs() < 1e-6, "{tau}: {found}");
    }
    assert!((of(&[-7.0; 3], Quantile { tau: 0.9 }.into()) + 7.0).abs() < 1e-5);
    assert!((of(&[1.0, 2.0, 6.0], Loss::Squared) - 3.0).abs() < 1e-6);
    assert!((of(&[1.0, 2.0, 6.0], Loss::Own(POISSON)) - 3f32.ln()).abs() < 1e-6);
    // No label, or none that holds a growing score back.
    assert_eq!(of(&[], Loss::Squared), 0.0);
    let grows = OwnLoss { slope: |_, _| -1.0, ..POISSON };
    assert_eq!(of(&NUMBERS, Loss::Own(grows)), 0.0);
}

#[test]
fn slopes_of_eight_are_those_of_each() {
    use crate::simd::F32x16;
    let scores = [-90.0f32, -30.0, -3.0, -0.1, 0.0, 0.2, 4.0, 95.0];
    for loss in all() {
        for y in [-1.0f32, 1.0] {
            let of = |i: usize| if i < 8 { scores[i] } else { 0.0 };
            let eight = loss.slopes_of_eight(F32x16(std::array::from_fn(of)), F32x16([y; LANES]));
            for (i, &z) in scores.iter().enumerate() {
                let one = loss.slope(z, y);
                // A slope below the least normal number is lost in a sigmoid's end.
                let close = (eight.0[i] - one).abs() <= 1e-6 * one.abs() + 2e-14;
                assert!(close || eight.0[i] == one, "{loss} at {z}, {y}: {} {one}", eight.0[i]);
            }
        }
    }
}
