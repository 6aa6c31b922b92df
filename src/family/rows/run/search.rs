//! Learning rates are tried on samples of the rows, and judged on rows that the sample has not.
use super::RowsRun;
use crate::family::{
    folds::{Fold, folds},
    prepared::{Judged, Search, Stage, WithEngine},
    rows::{judges::Judges, kernel::RowKernel, scale},
};
use hogwild_kernels::{
    engine::{Counters, Task},
    feed::{ScaledFeed, Scaling},
    params::{Finish, Parameters, Shape},
};
use std::ops::Range;

/// Where a model's learning rate is searched.
pub(super) struct RowsSearch<'a, K: RowKernel> {
    pub run: &'a RowsRun<'a, K>,
    /// Scales as they will be at the end, where they grow.
    pub grown: Option<Scaling>,
    /// Of data larger than memory, the units that are looked at.
    pub sample: Option<Vec<Range<u32>>>,
    pub judges: Judges<'a>,
}

impl<K: RowKernel> RowsSearch<'_, K> {
    fn scaling(&self) -> Option<&Scaling> {
        self.grown.as_ref().or(self.run.scaling.as_ref())
    }
}

impl<K: RowKernel> Search for RowsSearch<'_, K> {
    fn first_rate(&self) -> f32 {
        scale::default_rate(self.run.data, self.run.rule, self.scaling())
    }

    fn stage(&self, size: (u64, usize)) -> Box<dyn Stage + '_> {
        let units = self.sample.as_deref().unwrap_or(&self.run.basis.units);
        let folds = folds(&self.run.feed.kept_units(units), size, self.judges.alone, self.run.settings.seed);
        Box::new(RowsStage { search: self, folds })
    }

    fn end(&self) {
        self.run.windows.iter().for_each(|windows| windows.release());
    }
}

/// A sample of rows.
struct RowsStage<'a, K: RowKernel> {
    search: &'a RowsSearch<'a, K>,
    folds: Vec<Fold>,
}

impl<K: RowKernel> Stage for RowsStage<'_, K> {
    fn folds(&self) -> &[Fold] {
        &self.folds
    }

    fn shape(&self) -> Shape {
        self.search.run.basis.shape.clone()
    }

    fn start(&self, parameters: &Parameters) {
        self.search.run.start.iter().for_each(|start| start.put(parameters));
    }

    fn judge(&self, parameters: &Parameters, finish: &Finish<'_>, fold: &Fold) -> Vec<Judged> {
        self.search.judges.score(&self.search.run.standard(parameters, finish, self.search.scaling(), None), fold)
    }

    fn with_engine(&self, task: &Task<'_>, counters: &Counters, run: &mut WithEngine<'_>) {
        let RowsRun { rule, feed, model, .. } = self.search.run;
        let feed = ScaledFeed { feed, scaling: self.search.scaling() };
        run(rule.alone(&feed, model, task, counters).as_mut());
    }
}
