//! The longer help of `hogwild train`: what the choices of an option are.
use hogwild::{Loss, Schedule, loss::Predicts};

pub const NORMALIZE: &str = "\
How features are scaled, of linear models [default: auto]

  auto     max-abs where frequent features differ a hundredfold in size, or are larger than 1e6 or smaller than 1e-6; otherwise none
  none     as they are
  max-abs  each feature divided by its largest absolute value
  std      each feature divided by its standard deviation, zeros counted; not centred
  row      each row divided by its length
  online   each feature divided by its largest absolute value so far, without a pass over the data beforehand (but that of --lr auto)

The model that is written takes features as they are in the file: its weights are scaled back (row: it says that rows are to be
divided). --lr, --l1 and --l2 are of the weights of scaled features.";

pub const ORDER: &str = "\
In what order examples are visited [default: shuffle]

  shuffle     shuffled anew each epoch
  sequential  as in the file; several threads take its blocks in turn
  curriculum  easy examples first: the first epoch has a fifth of them (of classes drawn by lot), the
              next ones those of least loss, more and more until --pace of the run is done; then all. Shuffled within an epoch";

/// Every loss as it may be typed, with the settings' defaults and what it predicts.
pub fn loss_help() -> String {
    let line = |loss: Loss| {
        let predicts = match loss.meaning().predicts {
            Predicts::Class => "a class",
            Predicts::Probability => "a probability",
            Predicts::Number => "a number",
        };
        format!("  {:17} {predicts}", loss.to_string())
    };
    let all = Loss::ALL.map(line).join("\n");
    format!("What is minimised: a name, or name:setting=value [default: squared for mf, logistic otherwise]\n\n{all}")
}

/// Every schedule as it may be typed, with the settings' defaults.
pub fn schedule_help() -> String {
    let all = Schedule::ALL.map(|schedule| format!("  {schedule}")).join("\n");
    format!("How the rate goes over the run: a name, or name:setting=value,... [default: linear for mf, constant otherwise]\n\n{all}")
}
