//! How much examples of a class count beside those of the other: as given, or so that both classes count alike.
use crate::{Classes, Error, Result, data::Recipe};
use std::fmt::{Display, Formatter};

/// How much examples count by their class, of losses of two classes.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeight {
    /// Each class as much as the other, whatever its share of the examples.
    Balanced,
    /// Those of a label (a number, or a word of the text) so many times; those of a label that is not named once.
    Given(Vec<(String, f64)>),
}

/// The largest weight of a class.
const MOST: f64 = 1e6;

impl ClassWeight {
    /// Reads `balanced`, or `LABEL=WEIGHT,LABEL=WEIGHT`.
    ///
    /// # Errors
    /// When it is neither, or a weight is not above 0 and at most 1e6.
    pub fn parse(text: &str) -> Result<ClassWeight> {
        if text == "balanced" {
            return Ok(ClassWeight::Balanced);
        }
        let weight = |part: &str| {
            let (label, weight) = part.rsplit_once('=').filter(|(label, _)| !label.is_empty())?;
            Some((label.to_owned(), weight.parse().ok().filter(|weight| *weight > 0.0 && *weight <= MOST)?))
        };
        let found: Option<Vec<_>> = text.split(',').map(weight).collect();
        found.map(ClassWeight::Given).ok_or_else(|| {
            let problem = "must be balanced, or labels with weights above 0 and at most 1e6, as in +1=2,-1=0.5".into();
            Error::BadSetting { setting: "class_weight", value: text.into(), problem }
        })
    }

    /// The weights of -1 and +1, of classes whose examples count so much together; `recipe`: that of the text, where labels may be words.
    ///
    /// # Errors
    /// A label that is none of the classes, or the same one twice.
    pub(crate) fn of(&self, classes: Classes, recipe: Option<&Recipe>, together: [f64; 2]) -> Result<[f64; 2]> {
        let given = match self {
            ClassWeight::Balanced => {
                let all = together[0] + together[1];
                return Ok(together.map(|class| if class > 0.0 { all / (2.0 * class) } else { 1.0 }));
            }
            ClassWeight::Given(given) => given,
        };
        let bad = |label: &str, problem: String| Err(Error::BadSetting { setting: "class_weight", value: label.into(), problem });
        let mut weights = [None; 2];
        for (label, weight) in given {
            let words = recipe.map(Recipe::classes).unwrap_or_default();
            let word = words.iter().position(|word| word == label).map(|place| if place == 0 && words.len() > 1 { -1.0 } else { 1.0 });
            let Some(place) = word.or_else(|| label.parse().ok()).and_then(|label: f32| place_of(label, classes)) else {
                let names = if words.is_empty() { classes.names().join(" and ") } else { words.join(" and ") };
                return bad(label, format!("is none of the labels, which are {names}"));
            };
            if weights[place].replace(*weight).is_some() {
                return bad(label, "is given twice".into());
            }
        }
        Ok(weights.map(|weight| weight.unwrap_or(1.0)))
    }
}

/// Which class a label is of: 0 for -1, 1 for +1.
fn place_of(label: f32, classes: Classes) -> Option<usize> {
    let is_negative = classes.negative == Some(label) || classes.are_usual() && (label == 0.0 || label == -1.0);
    if label == classes.positive { Some(1) } else { is_negative.then_some(0) }
}

impl Display for ClassWeight {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            ClassWeight::Balanced => out.write_str("balanced"),
            ClassWeight::Given(given) => {
                let parts: Vec<String> = given.iter().map(|(label, weight)| format!("{label}={weight}")).collect();
                out.write_str(&parts.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_as_they_are_shown() {
        for text in ["balanced", "+1=2", "yes=3,no=0.5", "a=b=1"] {
            assert_eq!(ClassWeight::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "2", "=2", "1=", "1=0", "1=-2", "1=nan", "1=2,", "1=1e9"] {
            assert!(ClassWeight::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn labels_are_told_as_the_data_have_them() {
        let of = |text: &str, classes| ClassWeight::parse(text).unwrap().of(classes, None, [30.0, 10.0]);
        assert_eq!(of("balanced", Classes::SIGNS).unwrap(), [2.0 / 3.0, 2.0]);
        assert_eq!(of("+1=2", Classes::SIGNS).unwrap(), [1.0, 2.0]);
        assert_eq!(of("0=5,1=4", Classes::SIGNS).unwrap(), [5.0, 4.0]);
        let numbers = Classes { negative: Some(1.0), positive: 2.0 };
        assert_eq!(of("1=5", numbers).unwrap(), [5.0, 1.0]);
        for (text, says) in [("3=5", "none of the labels, which are 1 and 2"), ("1=5,1.0=2", "given twice"), ("no=2", "none of")] {
            assert!(of(text, numbers).unwrap_err().to_string().contains(says));
        }
    }
}
