//! Models that go on learning: what is kept between batches, and what a model is before the first.
use crate::support::shared;
use hogwild::{OnlineModel, Settings, TrainedModel, data::Matrix};

const START: &[i32] = &[0, 2, 3, 5];
const COLUMNS: &[i32] = &[0, 1, 2, 1, 2];
const VALUES: &[f32] = &[1.0, 0.5, 2.0, 1.0, 1.0];
const LABELS: &[f32] = &[1.0, -1.0, 1.0];

fn matrix() -> Matrix<'static, i32, f32> {
    Matrix { row_start: START, columns: COLUMNS, values: VALUES, width: 3 }
}

fn settings(factor_rate: Option<f64>) -> Settings {
    Settings { lr: Some(0.3), rank: 2, factor_rate, l2: 1e-3, ..Settings::for_fm() }
}

#[test]
fn before_the_first_batch_a_model_is_whole() {
    let _turn = shared();
    for mut model in
        [OnlineModel::fm(&settings(None), 3).unwrap(), OnlineModel::linear(&Settings { l2: 0.1, ..Settings::default() }, 3).unwrap()]
    {
        assert_eq!(model.weights().unwrap(), (0.0, vec![0.0; 3]));
        let before = model.model().unwrap();
        let read = TrainedModel::from_bytes(before.to_bytes().unwrap()).unwrap();
        assert_eq!(read.last().numbers("weight"), [0.0; 3]);
        assert_eq!(read.last().numbers("factor").len(), if read.family == "fm" { 6 } else { 0 });
        model.learn(&matrix(), LABELS, None).unwrap();
        let after = TrainedModel::from_bytes(model.model().unwrap().to_bytes().unwrap()).unwrap();
        assert!(after.last().numbers("weight").iter().all(|&w| w != 0.0) && after.last().numbers("factor").iter().all(|&v| v != 0.0));
    }
}

#[test]
fn a_machine_goes_on_from_its_state_and_from_a_model() {
    let _turn = shared();
    let mut model = OnlineModel::fm(&settings(Some(0.5)), 3).unwrap();
    (0..20).for_each(|_| assert!(model.learn(&matrix(), LABELS, None).unwrap().is_finite()));
    let (numbers, state) = model.state();
    let mut again = OnlineModel::fm(&settings(Some(0.5)), 3).unwrap();
    again.resume(&numbers, state.clone()).unwrap();
    let weights = |model: &OnlineModel| {
        let model = model.model().unwrap();
        ["bias", "weight", "factor"].map(|name| model.last().numbers(name).to_vec())
    };
    assert_eq!(weights(&again), weights(&model));
    // Factors are the numbers times their rate.
    let error = OnlineModel::fm(&settings(Some(0.25)), 3).unwrap().resume(&numbers, state.clone()).unwrap_err().to_string();
    assert!(error.contains("`factor_rate` 0.25") && error.contains("learnt at 0.5"), "{error}");
    let [bias, of_features, factors] = weights(&model);
    let mut from = OnlineModel::fm(&settings(Some(0.25)), 3).unwrap();
    from.start_at(bias[0], &of_features, &factors).unwrap();
    assert_eq!(weights(&from), weights(&model));
    let loss = model.learn(&matrix(), LABELS, None).unwrap();
    assert_eq!((again.learn(&matrix(), LABELS, None).unwrap(), weights(&again)), (loss, weights(&model)));
    assert!((from.learn(&matrix(), LABELS, None).unwrap() - loss).abs() < 0.1);
}
