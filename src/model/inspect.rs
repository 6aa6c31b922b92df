//! What is told of a model's tensors: how many weights are not 0, how long they are, which are the heaviest.
use super::trained::TrainedModel;
use hogwild_data::Ids;
use serde_json::{Map, Value, json};

/// How many of some weights are not 0.
pub(crate) fn nonzero(weights: &[f32]) -> usize {
    weights.iter().filter(|&&w| w != 0.0).count()
}

/// The Euclidean length of tensors taken together.
pub(crate) fn length(tensors: &[&[f32]]) -> f64 {
    tensors.iter().copied().flatten().map(|&w| (w as f64).powi(2)).sum::<f64>().sqrt()
}

/// The mean of a tensor over a model's members.
pub(crate) fn mean(model: &TrainedModel, tensor: &str) -> Vec<f32> {
    let mut sums = vec![0.0; model.last().numbers(tensor).len()];
    for member in &model.members {
        sums.iter_mut().zip(member.numbers(tensor)).for_each(|(sum, &w)| *sum += w as f64);
    }
    sums.iter().map(|sum| (sum / model.members.len() as f64) as f32).collect()
}

/// The weights of largest absolute value, by id.
pub(crate) fn heaviest(ids: &Ids, weights: &[f32], top: usize) -> Value {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[b].abs().total_cmp(&weights[a].abs()));
    order.iter().take(top).map(|&i| (ids.name(i), json!(weights[i]))).collect::<Map<_, _>>().into()
}
