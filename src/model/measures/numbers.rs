//! Metrics of predicted numbers that are more than a mean of losses.

/// A weighted mean of a function of prediction and label.
type Mean<'a> = &'a dyn Fn(&(dyn Fn(f64, f64) -> f64 + Sync)) -> f64;

/// The share of the labels' variance that predictions explain; none where all labels are alike.
pub(super) fn r2(label: f64, mean: Mean<'_>) -> Option<f64> {
    let (left, all) = (mean(&|p, y| (p - y).powi(2)), mean(&|_, y| (y - label).powi(2)));
    (all > 0.0).then(|| 1.0 - left / all)
}

/// The mean unit deviance of Tweedie distributions of a power (Jorgensen 1987): 0 is squared error, 1 Poisson, 2 gamma. None where a label
/// is below 0, or a prediction is no mean: at power 0 all are.
pub(super) fn deviance(power: f64, mean: Mean<'_>) -> Option<f64> {
    let is_wrong = |p: f64, y: f64| power > 0.0 && (p <= 0.0 || y < 0.0 || (power >= 2.0 && y == 0.0));
    if mean(&|p, y| f64::from(u8::from(is_wrong(p, y)))) > 0.0 {
        return None;
    }
    let (one, two) = (1.0 - power, 2.0 - power);
    let unit = move |p: f64, y: f64| {
        if power == 0.0 {
            (p - y).powi(2)
        } else if power == 1.0 {
            2.0 * (if y > 0.0 { y * (y / p).ln() } else { 0.0 } - (y - p))
        } else if power == 2.0 {
            2.0 * ((p / y).ln() + y / p - 1.0)
        } else {
            let best = if y > 0.0 { y.powf(two) / (one * two) } else { 0.0 };
            2.0 * (best - y * p.powf(one) / one + p.powf(two) / two)
        }
    };
    Some(mean(&unit))
}
