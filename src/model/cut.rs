//! What a cut of a graph costs.

/// What edges cost by the shares and by the labels of their ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CutMetrics {
    /// How many edges.
    pub edges: u64,
    /// The sum of `w |x_u - x_v|_1 / 2`, which training lessens: no cut of the same edges costs less than the least of it.
    pub objective: f64,
    /// The sum of the weights of edges whose ends take other labels.
    pub cut: f64,
}
