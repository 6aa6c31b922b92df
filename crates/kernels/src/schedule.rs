//! Learning-rate schedules: what multiplies the base rate, as a pure function of how far the run is.
//!
//! The worker asks before every block of examples, so a schedule moves within an epoch. Only `plateau` looks at anything but the
//! clock: at how often the held-out loss has stalled.
use hogwild_base::{
    Error, Result,
    hyperparameter::{self, Hyperparameter},
};
use std::{f64::consts::PI, ops::Range};

/// How the learning rate goes over the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// 1.
    Constant,
    /// `1 / (1 + decay e)` after `e` epochs (Robbins & Monro 1951).
    InverseTime {
        /// Per epoch.
        decay: f32,
    },
    /// `1 / sqrt(1 + decay e)`.
    InverseSqrt {
        /// Per epoch.
        decay: f32,
    },
    /// `factor^floor(e / every)`.
    Step {
        /// Epochs between two steps.
        every: f32,
        /// From 0 to 1.
        factor: f32,
    },
    /// `exp(-decay e)`.
    Exponential {
        /// Per epoch.
        decay: f32,
    },
    /// `1 - p`, where `p` goes from 0 to 1 over the run.
    Linear,
    /// `(1 - p)^power`.
    Polynomial {
        /// 1 is linear.
        power: f32,
    },
    /// `(1 + cos(pi p)) / 2`.
    Cosine,
    /// Cosine over a period of epochs, then from the top again, each period `multiplier` times as long as the one before
    /// (SGDR: Loshchilov & Hutter 2017, eq. 5).
    WarmRestarts {
        /// Epochs of the first period.
        period: f32,
        /// 1 or more.
        multiplier: f32,
    },
    /// Cosine over each of so many cycles of the run, from the top each time: as warm restarts, but told by their number. Cycles are of
    /// whole epochs, as equal as that allows (snapshot ensembles: Huang et al. 2017, eq. 2).
    CosineCycles {
        /// How many.
        cycles: f32,
    },
    /// `dimension^-1/2 min(t^-1/2, t warmup^-3/2)` at step `t` (Vaswani et al. 2017, eq. 3).
    Transformer {
        /// The model's dimension.
        dimension: f32,
        /// Steps (examples) of warm-up.
        warmup: f32,
    },
    /// From `1 / divide` up to 1 over the first `warmup` of the run, then down to `1 / (divide end)`, both by a cosine (Smith & Topin
    /// 2018, with the defaults of PyTorch's OneCycleLR).
    OneCycle {
        /// A share of the run.
        warmup: f32,
        /// What the rate starts at, as a divisor.
        divide: f32,
        /// What it ends at, as a divisor of that.
        end: f32,
    },
    /// `factor^n` when the held-out loss has stalled `n` times: has been no better than the best so far for `patience` epochs.
    Plateau {
        /// From 0 to 1.
        factor: f32,
        /// Epochs.
        patience: f32,
    },
    /// A user's own, by the library alone.
    Own(OwnSchedule),
}

/// A function of where the run stands that gives what multiplies the base rate, 0 or more.
///
/// ```
/// use hogwild::{OwnSchedule, Schedule, Settings};
/// let triangle = OwnSchedule(|now| 1.0 - (2.0 * now.step as f64 / now.steps as f64 - 1.0).abs());
/// let settings = Settings { schedule: Schedule::Own(triangle), ..Settings::default() };
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OwnSchedule(pub fn(&Moment) -> f64);

impl PartialEq for OwnSchedule {
    fn eq(&self, other: &OwnSchedule) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    /// The number of the example to come, from 1, over all workers; without batches that of the step. Batches count as their examples.
    pub step: u64,
    /// How many examples the run is to visit.
    pub steps: u64,
    /// How many examples the present epoch has.
    pub epoch: u64,
    /// How many epochs came before it.
    pub epochs: u64,
    /// How many epochs the run is to have.
    pub all_epochs: u64,
    /// How many examples were visited before the present epoch.
    pub before: u64,
    /// How often the held-out loss has stalled.
    pub stalls: u32,
}

impl Schedule {
    /// Every schedule with its default settings.
    pub const ALL: [Schedule; 13] = [
        Schedule::Constant,
        Schedule::InverseTime { decay: 1.0 },
        Schedule::InverseSqrt { decay: 1.0 },
        Schedule::Step { every: 2.0, factor: 0.5 },
        Schedule::Exponential { decay: 0.3 },
        Schedule::Linear,
        Schedule::Polynomial { power: 2.0 },
        Schedule::Cosine,
        Schedule::WarmRestarts { period: 1.0, multiplier: 2.0 },
        Schedule::CosineCycles { cycles: 2.0 },
        Schedule::Transformer { dimension: 512.0, warmup: 4000.0 },
        Schedule::OneCycle { warmup: 0.3, divide: 25.0, end: 1e4 },
        Schedule::Plateau { factor: 0.5, patience: 1.0 },
    ];

    /// The name that `schedule` takes.
    pub fn name(&self) -> &'static str {
        match self {
            Schedule::Constant => "constant",
            Schedule::InverseTime { .. } => "inverse-time",
            Schedule::InverseSqrt { .. } => "inverse-sqrt",
            Schedule::Step { .. } => "step",
            Schedule::Exponential { .. } => "exponential",
            Schedule::Linear => "linear",
            Schedule::Polynomial { .. } => "polynomial",
            Schedule::Cosine => "cosine",
            Schedule::WarmRestarts { .. } => "warm-restarts",
            Schedule::CosineCycles { .. } => "cosine-cycles",
            Schedule::Transformer { .. } => "transformer",
            Schedule::OneCycle { .. } => "one-cycle",
            Schedule::Plateau { .. } => "plateau",
            Schedule::Own(_) => "own",
        }
    }

    /// What may be set, by name.
    pub fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        let some = f32::MIN_POSITIVE;
        match self {
            Schedule::Constant | Schedule::Linear | Schedule::Cosine | Schedule::Own(_) => vec![],
            Schedule::InverseTime { decay } | Schedule::InverseSqrt { decay } | Schedule::Exponential { decay } => {
                vec![Hyperparameter::new("decay", decay, 0.0, 1e6)]
            }
            Schedule::Step { every, factor } => {
                vec![Hyperparameter::new("every", every, some, 1e6), Hyperparameter::new("factor", factor, some, 1.0)]
            }
            Schedule::Polynomial { power } => vec![Hyperparameter::new("power", power, some, 100.0)],
            Schedule::WarmRestarts { period, multiplier } => {
                vec![Hyperparameter::new("period", period, 1e-3, 1e6), Hyperparameter::new("multiplier", multiplier, 1.0, 1e3)]
            }
            Schedule::CosineCycles { cycles } => vec![Hyperparameter::new("cycles", cycles, 1.0, 1e6)],
            Schedule::Transformer { dimension, warmup } => {
                vec![Hyperparameter::new("dimension", dimension, 1.0, 1e9), Hyperparameter::new("warmup", warmup, 1.0, 1e12)]
            }
            Schedule::OneCycle { warmup, divide, end } => {
                vec![
                    Hyperparameter::new("warmup", warmup, some, 1.0),
                    Hyperparameter::new("divide", divide, 1.0, 1e9),
                    Hyperparameter::new("end", end, 1.0, 1e9),
                ]
            }
            Schedule::Plateau { factor, patience } => {
                vec![Hyperparameter::new("factor", factor, some, 1.0), Hyperparameter::new("patience", patience, 1.0, 1e6)]
            }
        }
    }

    /// Reads `NAME` or `NAME:SETTING=VALUE,SETTING=VALUE`.
    ///
    /// # Errors
    /// Names what is not known or out of range, and what would be.
    pub fn parse(text: &str) -> Result<Schedule> {
        let (name, values) = text.split_once(':').unwrap_or((text, ""));
        let mut schedule = Self::ALL.into_iter().find(|schedule| schedule.name() == name).ok_or_else(|| Error::BadSetting {
            setting: "schedule",
            value: text.into(),
            problem: format!("there are {}", Self::ALL.map(|schedule| schedule.name()).join(", ")),
        })?;
        hyperparameter::set_all("schedule", &mut schedule.hyperparameters(), values)?;
        Ok(schedule)
    }

    /// The rate, of a base rate.
    pub fn rate(&self, base: f32, now: &Moment) -> f32 {
        (base as f64 * self.factor(now)) as f32
    }

    /// What multiplies the base rate.
    pub fn factor(&self, now: &Moment) -> f64 {
        let done = now.step.saturating_sub(1) as f64;
        let epochs = now.epochs as f64 + (done - now.before as f64) / now.epoch.max(1) as f64;
        let progress = (done / now.steps.max(1) as f64).min(1.0);
        let cosine = |x: f64| (1.0 + (PI * x).cos()) / 2.0;
        match *self {
            Schedule::Constant => 1.0,
            Schedule::InverseTime { decay } => 1.0 / (1.0 + decay as f64 * epochs),
            Schedule::InverseSqrt { decay } => 1.0 / (1.0 + decay as f64 * epochs).sqrt(),
            Schedule::Step { every, factor } => (factor as f64).powf((epochs / every as f64).floor()),
            Schedule::Exponential { decay } => (-(decay as f64) * epochs).exp(),
            Schedule::Linear => 1.0 - progress,
            Schedule::Polynomial { power } => (1.0 - progress).powf(power as f64),
            Schedule::Cosine => cosine(progress),
            Schedule::WarmRestarts { period, multiplier } => cosine(cycle(epochs, period as f64, multiplier as f64)),
            Schedule::CosineCycles { cycles } => {
                let cycle = epochs_of_cycle(epochs as u64, now.all_epochs, cycles as u64);
                cosine(((epochs - cycle.start as f64) / (cycle.end - cycle.start) as f64).min(1.0))
            }
            Schedule::Transformer { dimension, warmup } => {
                let step = now.step.max(1) as f64;
                (dimension as f64).powf(-0.5) * step.powf(-0.5).min(step * (warmup as f64).powf(-1.5))
            }
            Schedule::OneCycle { warmup, divide, end } => {
                let (start, warmup) = (1.0 / divide as f64, warmup as f64);
                if progress < warmup {
                    return start + (1.0 - start) * (1.0 - cosine(progress / warmup));
                }
                let last = start / end as f64;
                last + (1.0 - last) * cosine((progress - warmup) / (1.0 - warmup).max(f64::MIN_POSITIVE))
            }
            Schedule::Plateau { factor, .. } => (factor as f64).powi(now.stalls as i32),
            Schedule::Own(OwnSchedule(factor)) => factor(now),
        }
    }
}

/// How far it is in its period of warm restarts after so many epochs, from 0 to 1.
fn cycle(epochs: f64, period: f64, multiplier: f64) -> f64 {
    let periods = epochs / period;
    if multiplier == 1.0 {
        return periods.fract();
    }
    // The sum of n periods is (multiplier^n - 1) / (multiplier - 1).
    let number = (1.0 + periods * (multiplier - 1.0)).log(multiplier).floor();
    let length = multiplier.powf(number);
    ((periods - (length - 1.0) / (multiplier - 1.0)) / length).clamp(0.0, 1.0)
}

/// The epochs, from 0, of the cycle that an epoch belongs to, when `epochs` are cut into `cycles`; at least one.
pub fn epochs_of_cycle(epoch: u64, epochs: u64, cycles: u64) -> Range<u64> {
    let (epochs, cycles) = (epochs.clamp(1, 1 << 31), cycles.clamp(1, 1 << 31));
    let epoch = epoch.min(epochs - 1);
    // Cycle c begins at floor(c epochs / cycles): the last that begins no later than the epoch.
    let cycle = ((epoch + 1) * cycles).div_ceil(epochs) - 1;
    cycle * epochs / cycles..(cycle + 1) * epochs / cycles
}

/// Text that [`Schedule::parse`] reads.
impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.name(), hyperparameter::show(&self.clone().hyperparameters()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Factors at the start of each of four epochs of ten steps, and at the end.
    fn sequence(text: &str) -> Vec<f64> {
        let schedule = Schedule::parse(text).unwrap();
        let now = |epoch: u64| {
            let (step, stalls) = (epoch * 10 + 1, epoch as u32 / 2);
            Moment { step, steps: 40, epoch: 10, all_epochs: 4, stalls, ..Moment::default() }
        };
        let at = |epoch: u64| schedule.factor(&now(epoch));
        (0..=4).map(|epoch| (at(epoch) * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn exact_sequences() {
        assert_eq!(sequence("constant"), [1.0; 5]);
        assert_eq!(sequence("inverse-time:decay=1"), [1.0, 0.5, 0.333333, 0.25, 0.2]);
        assert_eq!(sequence("inverse-sqrt:decay=3"), [1.0, 0.5, 0.377964, 0.316228, 0.27735]);
        assert_eq!(sequence("step:every=2,factor=0.1"), [1.0, 1.0, 0.1, 0.1, 0.01]);
        assert_eq!(sequence("exponential:decay=1"), [1.0, 0.367879, 0.135335, 0.049787, 0.018316]);
        assert_eq!(sequence("linear"), [1.0, 0.75, 0.5, 0.25, 0.0]);
        assert_eq!(sequence("polynomial:power=2"), [1.0, 0.5625, 0.25, 0.0625, 0.0]);
        assert_eq!(sequence("cosine"), [1.0, 0.853553, 0.5, 0.146447, 0.0]);
        assert_eq!(sequence("warm-restarts:period=2,multiplier=1"), [1.0, 0.5, 1.0, 0.5, 1.0]);
        assert_eq!(sequence("warm-restarts:period=1,multiplier=2"), [1.0, 1.0, 0.5, 1.0, 0.853553]);
        assert_eq!(sequence("cosine-cycles:cycles=2"), [1.0, 0.5, 1.0, 0.5, 0.0]);
        assert_eq!(sequence("cosine-cycles:cycles=3"), [1.0, 1.0, 1.0, 0.5, 0.0]);
        assert_eq!(sequence("transformer:dimension=4,warmup=16"), [0.007813, 0.085938, 0.109109, 0.089803, 0.078087]);
        assert_eq!(sequence("one-cycle:warmup=0.5,divide=10,end=10"), [0.1, 0.55, 1.0, 0.505, 0.01]);
        assert_eq!(sequence("plateau:factor=0.5"), [1.0, 1.0, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn epochs_of_different_lengths_count_as_one_each() {
        // Of 2, 6 and 10 steps.
        let at = |text: &str, epochs, before, epoch, step| {
            Schedule::parse(text).unwrap().factor(&Moment { step, steps: 18, epoch, epochs, all_epochs: 3, before, stalls: 0 })
        };
        let step = |epochs, before, epoch, step| at("step:every=2,factor=0.5", epochs, before, epoch, step);
        assert_eq!([step(0, 0, 2, 1), step(1, 2, 6, 8), step(2, 8, 10, 9), step(2, 8, 10, 18)], [1.0, 1.0, 0.5, 0.5]);
        let cycles = |epochs, before, epoch, step| at("cosine-cycles:cycles=3", epochs, before, epoch, step);
        assert_eq!(
            [cycles(0, 0, 2, 1), cycles(0, 0, 2, 2), cycles(1, 2, 6, 3), cycles(1, 2, 6, 6), cycles(2, 8, 10, 9)]
                .map(|x| (x * 1e6).round()),
            [1e6, 5e5, 1e6, 5e5, 1e6]
        );
    }

    #[test]
    fn cycles_are_as_equal_as_whole_epochs_allow() {
        for (epochs, cycles) in [(12, 4), (5, 2), (7, 3), (3, 3), (10, 1), (3, 7)] {
            let mut lengths = Vec::new();
            let mut next = 0;
            while next < epochs {
                let cycle = epochs_of_cycle(next, epochs, cycles);
                assert!(cycle.start == next && (next..cycle.end).all(|epoch| epochs_of_cycle(epoch, epochs, cycles) == cycle));
                lengths.push(cycle.end - cycle.start);
                next = cycle.end;
            }
            let (least, most) = (lengths.iter().min().unwrap(), lengths.iter().max().unwrap());
            assert!(next == epochs && lengths.len() as u64 == cycles.min(epochs) && most - least <= 1, "{epochs} {cycles}: {lengths:?}");
        }
    }

    #[test]
    fn text_comes_back_and_what_is_wrong_is_named() {
        for schedule in Schedule::ALL {
            assert_eq!(Schedule::parse(&schedule.to_string()).unwrap(), schedule);
        }
        for (text, part) in [
            ("cosin", "constant, inverse-time"),
            ("step:each=2", "every, factor"),
            ("step:every=x", "a number"),
            ("step:factor=2", "to 1"),
            ("cosine:power=2", "no settings"),
        ] {
            let message = Schedule::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
