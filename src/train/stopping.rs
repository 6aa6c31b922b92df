//! Early stopping: the run ends when a held-out metric has got no better for some epochs, and the best epoch's model is the one kept
//! (Prechelt, "Early stopping - but when?", 1998, with epochs in a row as the criterion).
use crate::{model::Metrics, options::Settings};
use hogwild_base::{Error, Result};
use hogwild_kernels::loss::Metric;

/// The best epoch so far, and how long ago it was.
pub(super) struct Best {
    metric: Metric,
    patience: usize,
    min_delta: f64,
    /// The metric at best, turned so that less is better.
    value: f64,
    /// Epochs since it got better by more than `min_delta`.
    waited: usize,
    /// From 1.
    pub epoch: Option<usize>,
}

impl Best {
    /// None where the run is not to be stopped early.
    pub fn new(settings: &Settings) -> Option<Best> {
        let patience = settings.patience?;
        let metric = settings.stop_metric.unwrap_or(Metric::Loss);
        Some(Best { metric, patience, min_delta: settings.min_delta, value: f64::INFINITY, waited: 0, epoch: None })
    }

    /// Takes an epoch's metrics and tells whether it is the best so far. A metric that is not finite never is.
    pub fn see(&mut self, epoch: usize, valid: &Metrics) -> Result<bool> {
        let Some(value) = valid.get(self.metric) else {
            let problem = "is not defined on these held-out data, which are of one class; leave `stop_metric` out".into();
            return Err(Error::BadSetting { setting: "stop_metric", value: self.metric.name().into(), problem });
        };
        let value = if self.metric.rises() { -value } else { value };
        self.waited = if value < self.value - self.min_delta { 0 } else { self.waited + 1 };
        let better = value < self.value;
        if better {
            (self.value, self.epoch) = (value, Some(epoch));
        }
        Ok(better)
    }

    /// Whether it has been waited for long enough.
    pub fn is_over(&self) -> bool {
        self.waited >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hogwild_kernels::loss::Loss;

    /// What of each epoch is told: whether it is the best so far, and whether the run is over.
    fn told(metric: Metric, min_delta: f64, values: &[f64]) -> Vec<(bool, bool)> {
        let settings = Settings { patience: Some(2), stop_metric: Some(metric), min_delta, ..Settings::default() };
        let mut best = Best::new(&settings).unwrap();
        let any = Metrics::new(Loss::Logistic, 1.0, &[(1.0, 1.0), (1.0, -1.0)], &[]);
        let see = |(epoch, &value): (usize, &f64)| {
            let better = best.see(epoch, &Metrics { loss: value, auc: Some(value), ..any }).unwrap();
            (better, best.is_over())
        };
        values.iter().enumerate().map(see).collect()
    }

    #[test]
    fn waits_and_ends_by_the_metrics_direction() {
        let [best, worse, over] = [(true, false), (false, false), (false, true)];
        assert_eq!(told(Metric::Loss, 0.0, &[0.5, 0.6, 0.4, 0.4, 0.5]), [best, worse, best, worse, over]);
        assert_eq!(told(Metric::Auc, 0.0, &[0.5, 0.6, 0.4, 0.6]), [best, best, worse, over]);
        assert_eq!(told(Metric::Loss, 0.0, &[f64::NAN, 0.6, f64::INFINITY]), [worse, best, worse]);
    }

    #[test]
    fn less_than_min_delta_is_kept_but_waited_for() {
        assert_eq!(told(Metric::Loss, 0.1, &[0.5, 0.45, 0.44, 0.3]), [(true, false), (true, false), (true, true), (true, false)]);
    }

    #[test]
    fn a_metric_of_two_classes_needs_two() {
        let mut best = Best::new(&Settings { patience: Some(1), stop_metric: Some(Metric::Auc), ..Settings::default() }).unwrap();
        let error = best.see(1, &Metrics::new(Loss::Logistic, 1.0, &[(1.0, 1.0)], &[])).unwrap_err().to_string();
        assert!(error.contains("`stop_metric` auc: is not defined"), "{error}");
    }
}
