//! How a cell becomes features: pure, by what its column is.

use std::fmt;

/// What stands behind a column's name in the name of a feature: `city=Rome`, `age<18`, `age>=65`.
pub(crate) const MARKS: [char; 3] = ['=', '<', '>'];

/// What a column is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Its cells are no features.
    Ignored,
    /// They say how much the example counts.
    Weight,
    /// A number is the value of one feature, `name`.
    Number,
    /// The same of its logarithm: see [`log`].
    Log,
    /// A number is the feature of the bin that it lies in. The edges ascend; there are none until they are found.
    Bins(u32, Vec<Bits>),
    /// A word is a feature, `name=word`.
    Word,
    /// Each of the words between these marks is one.
    List(String),
}

/// A number by its bits, which are equal or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bits(u32);

impl Bits {
    pub(crate) fn of(number: f32) -> Bits {
        Bits(number.to_bits())
    }

    pub(crate) fn number(self) -> f32 {
        f32::from_bits(self.0)
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(out)
    }
}

/// Whether a cell says that there is no value.
#[inline]
pub(crate) fn is_missing(cell: &[u8]) -> bool {
    const MISSING: [&str; 7] = ["na", "n/a", "nan", "null", "none", "?", "\\n"];
    cell.is_empty() || cell.len() < 5 && MISSING.iter().any(|missing| cell.eq_ignore_ascii_case(missing.as_bytes()))
}

/// `ln(1 + x)`, and its mirror image below 0, so that it is there for every number.
pub(crate) fn log(x: f32) -> f32 {
    x.abs().ln_1p().copysign(x)
}

impl Step {
    /// What it is, in a sentence.
    pub(crate) fn told(&self) -> String {
        match self {
            Step::Ignored => "left out".into(),
            Step::Weight => "how much an example counts".into(),
            Step::Number => "numbers".into(),
            Step::Log => "numbers, of which the logarithm of 1 + x is taken".into(),
            Step::Bins(wanted, edges) if edges.is_empty() => format!("numbers, in {wanted} bins"),
            Step::Bins(_, edges) => {
                let edges: Vec<String> = edges.iter().map(Bits::to_string).collect();
                format!("numbers, in {} bins with the edges {}", edges.len() + 1, edges.join(", "))
            }
            Step::Word => "words".into(),
            Step::List(mark) => format!("lists of words between `{mark}`"),
        }
    }

    /// Whether its cells become features.
    pub(crate) fn makes_features(&self) -> bool {
        !matches!(self, Step::Ignored | Step::Weight)
    }

    /// Whether its cells are numbers.
    pub(crate) fn is_of_numbers(&self) -> bool {
        matches!(self, Step::Number | Step::Log | Step::Bins(..))
    }

    /// What features of its bins are called behind the column's name.
    pub(crate) fn bins(&self) -> Vec<String> {
        let Step::Bins(_, edges) = self else { return Vec::new() };
        let inner = edges.windows(2).map(|pair| format!("={}..{}", pair[0], pair[1]));
        let first = edges.first().map(|edge| format!("<{edge}"));
        first.into_iter().chain(inner).chain(edges.last().map(|edge| format!(">={edge}"))).collect()
    }
}

/// Which bin a number lies in: below the first edge in bin 0.
pub(crate) fn bin(edges: &[Bits], x: f32) -> usize {
    edges.partition_point(|edge| edge.number() <= x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_in_the_bin_that_is_named() {
        let step = Step::Bins(4, [1.0, 2.5, 10.0].map(Bits::of).to_vec());
        let (names, Step::Bins(_, edges)) = (step.bins(), &step) else { panic!() };
        assert_eq!(names, ["<1", "=1..2.5", "=2.5..10", ">=10"]);
        let of = |x| names[bin(edges, x)].as_str();
        assert_eq!([0.5, 1.0, 2.4, 2.5, 9.0, 10.0, 1e9].map(of), ["<1", "=1..2.5", "=1..2.5", "=2.5..10", "=2.5..10", ">=10", ">=10"]);
    }

    #[test]
    fn the_logarithm_is_there_for_every_number() {
        assert_eq!((log(0.0), log(-0.0), log(1.0)), (0.0, 0.0, 2f32.ln()));
        assert_eq!(log(-7.0), -log(7.0));
        assert!(log(f32::MAX).is_finite());
    }

    #[test]
    fn missing_values_are_known_as_programs_write_them() {
        for cell in ["", "NA", "n/a", "NaN", "NULL", "None", "?", "\\N"] {
            assert!(is_missing(cell.as_bytes()), "{cell}");
        }
        for cell in ["0", "-", "no", "nana", "null value"] {
            assert!(!is_missing(cell.as_bytes()), "{cell}");
        }
    }
}
