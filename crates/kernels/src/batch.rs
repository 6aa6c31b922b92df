//! How many examples a step goes by.
use hogwild_base::{Error, Result};
use std::fmt::{Display, Formatter};

/// Examples a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// A step for every example, by workers that do not wait for one another: Hogwild!.
    One,
    /// Synchronous steps by the mean gradient of so many examples (of fewer at the end of an epoch), at least 1.
    Size(usize),
    /// Synchronous steps by the mean gradient of all examples: one an epoch.
    Full,
}

impl Batch {
    /// Reads a number or `full`; 1 is [`Batch::One`].
    ///
    /// # Errors
    /// For anything else.
    pub fn parse(text: &str) -> Result<Batch> {
        match (text, text.parse()) {
            ("full", _) => Ok(Batch::Full),
            (_, Ok(1)) => Ok(Batch::One),
            (_, Ok(n)) if n > 0 => Ok(Batch::Size(n)),
            _ => Err(Error::BadSetting {
                setting: "batch",
                value: text.into(),
                problem: "must be a number of examples, at least 1, or full; try 64".into(),
            }),
        }
    }

    /// What multiplies a rule's default rate, which is that of single examples: the root of the size, as the mean gradient's noise falls by it
    /// (Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, section 5), at most 8, so that a step
    /// stays within what the curvature bears.
    pub fn rate_factor(self) -> f32 {
        match self {
            Batch::One => 1.0,
            Batch::Size(n) => (n.min(64) as f32).sqrt(),
            Batch::Full => 8.0,
        }
    }

    /// The size after so many epochs, of data of so many examples. Growth stands in for a falling rate (Smith, Kindermans, Ying & Le, "Don't decay the
    /// learning rate, increase the batch size", ICLR 2018): the noise of a step goes with rate / batch.
    pub fn size(self, growth: f64, epochs: usize, examples: u64) -> usize {
        let size = match self {
            Batch::One => 1.0,
            Batch::Size(n) => (n as f64 * growth.powf(epochs as f64)).round(),
            Batch::Full => f64::INFINITY,
        };
        size.min(examples as f64).max(1.0) as usize
    }
}

/// Text that [`Batch::parse`] reads.
impl Display for Batch {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Batch::One => write!(f, "1"),
            Batch::Size(n) => write!(f, "{n}"),
            Batch::Full => write!(f, "full"),
        }
    }
}
