//! The known optimum of L2-regularised logistic regression on a9a (scikit-learn's newton-cg, tolerance 1e-10), where the data are.
use crate::support::{
    alone,
    data::a9a,
    training::{linear, logistic_objective},
};
use hogwild::{Settings, data::Data};

#[test]
fn a9a_optimum_within_a_thousandth_on_one_and_two_threads() {
    let folder = tempfile::tempdir().unwrap();
    let Some(data) = a9a(folder.path()) else { return };
    let Data::Rows(rows) = &data else { panic!("not sparse") };
    let _alone = alone();
    for (l2, optimum) in [(1e-3, 0.332713307), (1e-4, 0.324413044), (1e-5, 0.322922915)] {
        for threads in [1, 2] {
            let settings = Settings { l2, threads, lr: Some(0.3), epochs: 60, ..Settings::default() };
            let objective = logistic_objective(&linear(rows, None, settings), &data, l2);
            assert!(objective < optimum * 1.001, "lambda {l2}, {threads} threads: {objective}, {optimum} is best");
        }
    }
}
