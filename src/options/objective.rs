//! What is minimised, over what labels, by what model.
use super::{RuleFacts, Settings, Takes, option::bad};
use crate::{ClassWeight, Loss, Result, loss::Predicts};

group! { $ "Objective";
    /// What is minimised: a name, or name:setting=value.
    loss: Loss = Loss::Logistic, ratings Loss::Squared => { value: "LOSS", details: Some(losses), }

    /// Which of the two labels is +1, for a loss of two classes.
    positive: Option<f32> = None => {
        value: "LABEL",
        by_default: ["the larger", ""],
        takes: Takes::Rows,
        must_be: "one of the labels, a finite number",
        within: |s| s.positive.is_none_or(f32::is_finite),
    }

    /// How much examples count by their class, of a loss of two classes: balanced (each class as much as the other), or labels with weights,
    /// as in +1=2,-1=0.5. It multiplies weights that examples have of their own.
    class_weight: Option<ClassWeight> = None => {
        value: "balanced|LABEL=WEIGHT,...",
        takes: Takes::Rows,
        must_be: "balanced, or labels with weights above 0, as in +1=2",
    }

    /// Whether labels that are numbers are standardised while they are learnt, and scores start from the best constant, not from 0.
    standardize: bool = true => {
        off: "Learn labels as they are: not standardised, and from a score of 0, not from the best constant.",
    }

    /// Whether linear models, softmax and ovr have a bias.
    bias: bool = true => {
        off: "Learn no bias: rows without features then score 0. Labels are learnt as they are, not standardised.",
        takes: Takes::Linear,
    }

    /// L2 regularisation: lambda/2 |w|^2 beside the mean loss (of weights and of the factors of features), or per rating (factorization of ratings).
    l2: f64 = 0.0, ratings 0.02 => { value: "LAMBDA", must_be: "from 0 to 1e30; try 1e-5", within: |s| (0.0..=1e30).contains(&s.l2), }

    /// Factors of a user and of an item; of a feature by `model` fm; of a feature for each field by `model` ffm.
    rank: usize = 32 => {
        value: "FACTORS",
        by_default: ["8 by `model` fm, 4 by ffm", "32; 64 by models of implicit feedback"],
        must_be: "from 1 to 4096; try 32",
        within: |s| (1..=4096).contains(&s.rank),
    }

    /// Learning rate of the factors of features, as a share of that of weights.
    factor_rate: Option<f64> = None => {
        value: "SHARE",
        by_default: ["0.25; 1 by `model` ffm", ""],
        takes: Takes::Fm,
        must_be: "above 0 and at most 100; try 0.5",
        within: |s| s.factor_rate.is_none_or(|share| share > 0.0 && share <= 100.0),
    }

    /// Standard deviation of the factors of features at the start.
    init_stdev: Option<f64> = None => {
        value: "DEVIATION",
        by_default: ["by the values of the features: all pairs of an example come to about .007; .7 by `model` ffm", ""],
        takes: Takes::Fm,
        must_be: "above 0 and at most 10; try 0.1",
        within: |s| s.init_stdev.is_none_or(|deviation| deviation > 0.0 && deviation <= 10.0),
    }

    /// In how many examples a feature has to occur to have factors; rarer ones have a weight alone.
    factor_min_count: Option<u64> = None => {
        value: "COUNT",
        by_default: ["50", ""],
        takes: Takes::Ffm,
        must_be: "from 1 to 1e18; try 50",
        within: |s| s.factor_min_count.is_none_or(|count| (1..=1_000_000_000_000_000_000).contains(&count)),
    }
}

/// Every loss as it may be typed, with the settings' defaults and what it predicts.
fn losses() -> String {
    let line = |loss: Loss| {
        let predicts = match loss.meaning().predicts {
            Predicts::Class => "a class",
            Predicts::Probability => "a probability",
            Predicts::Number => "a number",
        };
        format!("  {:17} {predicts}", loss.to_string())
    };
    Loss::ALL.map(line).join("\n")
}

fn check(s: &Settings, _rule: &RuleFacts<'_>) -> Result<()> {
    s.loss.check()?;
    if let Some(positive) = s.positive.filter(|_| !s.loss.is_classification()) {
        let problem = format!("is a label, and of a loss of two classes such as logistic; the {} loss takes numbers", s.loss.name());
        return bad("positive", positive, problem);
    }
    if let Some(weight) = s.class_weight.as_ref().filter(|_| !s.loss.is_classification()) {
        let problem = format!("is of a loss of two classes such as logistic; the {} loss takes numbers", s.loss.name());
        return bad("class_weight", weight, problem);
    }
    Ok(())
}
