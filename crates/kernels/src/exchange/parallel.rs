//! How a run's workers share one model: the list of ways, by name.

/// How a run's workers share one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parallel {
    /// What suits model, rule and settings: of ratings [`Partitioned`](Self::Partitioned) where four of them can be in flight, else
    /// [`Hogwild`](Self::Hogwild).
    Auto,
    /// One shared copy, stepped without locks (Niu et al. 2011).
    Hogwild,
    /// All workers sum the gradients of a batch, and the rule steps once by their mean.
    Synchronous,
    /// Replicas at the rate times their number; weights take the mean of their changes, sums of squares the sum.
    Mean,
    /// Replicas at the rate as it is: changes that agree count once, unrelated ones add up.
    Overlap,
    /// Replicas at the rate times their number, drawn to a centre, and it to them (Zhang, Choromanska & LeCun 2015).
    Elastic,
    /// Replicas that push their gradients to parameter servers, where the rule steps (Dean et al. 2012).
    Downpour,
    /// Workers that own parts of the parameters: no two ever step the same (Abadi et al. 2015; of ratings Gemulla et al. 2011).
    Partitioned,
}

impl Parallel {
    /// Every way.
    pub const ALL: [Parallel; 8] = [
        Parallel::Auto,
        Parallel::Hogwild,
        Parallel::Synchronous,
        Parallel::Mean,
        Parallel::Overlap,
        Parallel::Elastic,
        Parallel::Downpour,
        Parallel::Partitioned,
    ];

    /// The name that `parallel` takes.
    pub fn name(self) -> &'static str {
        match self {
            Parallel::Auto => "auto",
            Parallel::Hogwild => "hogwild",
            Parallel::Synchronous => "synchronous",
            Parallel::Mean => "mean",
            Parallel::Overlap => "overlap",
            Parallel::Elastic => "elastic",
            Parallel::Downpour => "downpour",
            Parallel::Partitioned => "partitioned",
        }
    }

    /// Whether there are replicas of the model.
    pub fn has_replicas(self) -> bool {
        matches!(self, Parallel::Mean | Parallel::Overlap | Parallel::Elastic | Parallel::Downpour)
    }

    /// What a replica's learning rate is multiplied by.
    pub fn rate(self, replicas: usize) -> f32 {
        match self {
            Parallel::Mean | Parallel::Elastic => replicas as f32,
            _ => 1.0,
        }
    }
}
