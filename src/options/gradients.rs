//! Gradient transforms, and what else is done to weights beside the update rule: clipping, noise, L1, averages.
use super::{RuleFacts, Settings, Takes, option::bad};
use crate::{Result, Rule};

group! { $ "Gradients and weights";
    in
    /// Clipping, noise, L1, averaging.
    transforms: Transforms;

    /// Cut each number of a gradient to this absolute value.
    clip_value: Option<f32> => {
        value: "MOST",
        by_default: ["off", "off"],
        must_be: "a number above 0; try 1",
        within: |s| s.transforms.clip_value.is_none_or(is_above_0),
    }

    /// Scale an example's gradient (of the loss, before L2) to at most this length.
    clip_norm: Option<f32> => {
        value: "MOST",
        by_default: ["off", "off"],
        must_be: "a number above 0; try 1",
        within: |s| s.transforms.clip_norm.is_none_or(is_above_0),
    }

    /// Add normal noise of variance ETA / (1 + t)^GAMMA to gradients at step t (Neelakantan et al. 2015).
    noise: f32 => { value: "ETA", must_be: "from 0 to 1e6; try 0.01", within: |s| (0.0..=1e6).contains(&s.transforms.noise), }

    /// GAMMA of `noise`.
    noise_decay: f32 => {
        value: "GAMMA",
        needs: Some("noise"),
        must_be: "from 0 to 10; the paper has 0.55",
        within: |s| (0.0..=10.0).contains(&s.transforms.noise_decay),
    }

    /// L1 regularisation: lambda |w| beside the mean loss, by proximal steps: exactly 0 for what is rare.
    l1: f64 => {
        value: "LAMBDA",
        takes: Takes::Linear,
        must_be: "from 0 to 1e30; try 1e-5",
        within: |s| (0.0..=1e30).contains(&s.transforms.l1),
    }

    /// The model is the average of the weights (Polyak) over the run behind this share of it; 0.5 where no share is given.
    average: Option<f32> => {
        value: "START",
        by_default: ["off", "off"],
        bare: Some("0.5"),
        must_be: "from 0 to below 1, a share of the run; try 0.5",
        within: |s| s.transforms.average.is_none_or(|start| (0.0..1.0).contains(&start)),
    }
}

fn is_above_0(x: f32) -> bool {
    x > 0.0 && x.is_finite()
}

fn check(s: &Settings, rule: &RuleFacts<'_>) -> Result<()> {
    if s.transforms.l1 > 0.0 && !rule.takes_l1 {
        let others: Vec<_> = Rule::ALL.iter().filter(|rule| rule.takes_l1()).map(Rule::name).collect();
        return bad(
            "l1",
            s.transforms.l1,
            format!("does not go with `rule` {}, but with {}; ftrl has `ftrl_l1`", rule.name, others.join(", ")),
        );
    }
    if let Some(average) = s.transforms.average.filter(|_| !rule.takes_schedules) {
        return bad("average", average, format!("does not go with `rule` {}, whose weights follow from sums; leave it out", rule.name));
    }
    Ok(())
}
