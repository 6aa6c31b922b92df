//! The known optimum of L2-regularised logistic regression on a9a (scikit-learn's newton-cg, tolerance 1e-10), where the data are.
use hogwild::{
    ModelKind, Settings,
    data::{Data, PackSettings, pack},
    train_linear,
};
use std::path::Path;

#[test]
fn a9a_optimum_within_a_thousandth_on_one_and_two_threads() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/a9a.svm.gz");
    if !source.exists() {
        eprintln!("skipped: {} is not here", source.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("a9a.safetensors");
    pack(&[source], &packed, &PackSettings::default()).unwrap();
    let data = Data::open(&packed).unwrap();
    let Data::Rows(rows) = &data else { panic!("not sparse") };
    for (l2, optimum) in [(1e-3, 0.332713307), (1e-4, 0.324413044), (1e-5, 0.322922915)] {
        for threads in [1, 2] {
            let settings = Settings { l2, threads, lr: Some(0.3), epochs: 60, ..Settings::default() };
            let outcome = train_linear(rows, None, &settings, &mut (), &Default::default()).unwrap();
            let model = outcome.model.unwrap();
            let ModelKind::Linear(linear) = &model.kind else { panic!("not linear") };
            let squares: f64 = linear.weights.iter().map(|&w| (w as f64).powi(2)).sum();
            let scored = model.score(&data).unwrap();
            let loss = scored.scores.iter().map(|&(z, y)| (-(z as f64 * y as f64)).exp().ln_1p()).sum::<f64>() / scored.scores.len() as f64;
            let objective = loss + l2 / 2.0 * squares;
            assert!(objective < optimum * 1.001, "lambda {l2}, {threads} threads: {objective}, {optimum} is best");
        }
    }
}
