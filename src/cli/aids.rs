//! The options about what stands between gradients and the update rule.
use clap::Args;
use hogwild::Aids;

// Given to each: as the heading of what comes next it would go on beyond these options.
const HEADING: &str = "Gradients and weights";

#[derive(Args)]
pub struct AidOptions {
    /// Cut each number of a gradient to this absolute value [default: off]
    #[arg(long, help_heading = HEADING, value_name = "MOST", allow_negative_numbers = true)]
    clip_value: Option<f32>,
    /// Scale an example's gradient (of the loss, before L2) to at most this length [default: off]
    #[arg(long, help_heading = HEADING, value_name = "MOST", allow_negative_numbers = true)]
    clip_norm: Option<f32>,
    /// Add normal noise of variance ETA / (1 + t)^GAMMA to gradients at step t (Neelakantan et al. 2015) [default: 0]
    #[arg(long, help_heading = HEADING, value_name = "ETA", allow_negative_numbers = true)]
    noise: Option<f32>,
    /// GAMMA of --noise [default: 0.55]
    #[arg(long, help_heading = HEADING, value_name = "GAMMA", allow_negative_numbers = true, requires = "noise")]
    noise_decay: Option<f32>,
    /// L1 regularisation: lambda |w| beside the mean loss, by proximal steps: exactly 0 for what is rare; linear models only [default: 0]
    #[arg(long, help_heading = HEADING, value_name = "LAMBDA", allow_negative_numbers = true)]
    l1: Option<f64>,
    /// The model is the average of the weights (Polyak) over the run behind this share of it [without START: 0.5; default: off]
    #[arg(long, help_heading = HEADING, value_name = "START", num_args = 0..=1, require_equals = true, default_missing_value = "0.5")]
    average: Option<f32>,
}

impl AidOptions {
    pub fn aids(&self) -> Aids {
        let off = Aids::default();
        Aids {
            clip_value: self.clip_value,
            clip_norm: self.clip_norm,
            noise: self.noise.unwrap_or(off.noise),
            noise_decay: self.noise_decay.unwrap_or(off.noise_decay),
            l1: self.l1.unwrap_or(off.l1),
            average: self.average,
        }
    }
}
