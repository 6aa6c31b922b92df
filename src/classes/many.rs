//! Classes by name, of models that have any number of them: which there are in data, and which a row has.
//!
//! Data keep a class as they keep a label: as the number that it is, as the number of a word among the words of its recipe, or, where rows
//! have several, in a list of its own. A model has names. So the classes of other data are found by name, however those are kept.
use super::check_given;
use crate::{
    Error, Result,
    data::{Ids, Rows},
};
use hogwild_kernels::models::ClassLabels;
use std::{collections::HashMap, sync::atomic::Ordering::Relaxed};

/// The most classes of a model.
const MOST: usize = 1 << 16;

/// The classes of data.
pub(crate) struct Many {
    /// Numbers ascend; words are in their order.
    pub names: Vec<String>,
    pub labels: ClassLabels,
}

impl Many {
    /// All classes of data, each row's by its place among the names.
    ///
    /// # Errors
    /// When labels are missing, or there are too many classes; where each row is to have `one`, names the first that has not.
    pub fn of(data: &Rows, one: bool) -> Result<Many> {
        check_given(data)?;
        let bad = |problem: String, remedy| Err(Error::BadFile { path: data.name().to_owned(), problem, remedy });
        if let Some(sets) = data.class_sets() {
            let labels = ClassLabels { starts: Some(sets.starts()), classes: sets.classes() };
            if one && let Some(row) = (0..labels.len()).find(|&row| labels.of(row).len() != 1) {
                let problem = format!("row {} has {} labels, and softmax takes one", row + 1, labels.of(row).len());
                return bad(problem, "use `model` ovr for rows with any number of labels");
            }
            let labels = if one { ClassLabels { starts: None, ..labels } } else { labels };
            let all = Many { names: data.class_names().to_vec(), labels };
            // Who gives names means all of them, whether or not a row has them.
            return Ok(if sets.names().is_some() { all } else { all.that_occur() });
        }
        let named = data.class_names();
        if let [_, _, _, ..] = named {
            let number = |bits: f32| if bits >= 0.0 { bits as u32 } else { u32::MAX };
            let labels = data.label_cells().iter().map(|bits| number(f32::from_bits(bits.load(Relaxed))));
            return Ok(Many { names: named.to_vec(), labels: ClassLabels { starts: None, classes: labels.collect() } }.that_occur());
        }
        // Numbers, each a class; of two words they are -1 and +1.
        let (mut values, mut places): (Vec<f32>, HashMap<u32, u32>) = (Vec::new(), HashMap::new());
        let mut classes: Vec<u32> = Vec::with_capacity(data.rows());
        for bits in data.label_cells() {
            let label = f32::from_bits(bits.load(Relaxed)) + 0.0; // -0 is 0
            let place = *places.entry(label.to_bits()).or_insert(values.len() as u32);
            if place as usize == values.len() {
                values.push(label);
            }
            if values.len() > MOST {
                let problem = format!("has more than {MOST} different labels, and each would be a class");
                return bad(problem, "where labels are quantities, use `model` linear and a loss for numbers such as `loss` squared");
            }
            classes.push(place);
        }
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        let mut rank = vec![0; values.len()];
        (0..).zip(&order).for_each(|(place, &class)| rank[class as usize] = place);
        classes.iter_mut().for_each(|class| *class = rank[*class as usize]);
        let name = |&class: &u32| match named {
            [negative, positive] => if values[class as usize] < 0.0 { negative } else { positive }.clone(),
            [only] => only.clone(),
            _ => values[class as usize].to_string(),
        };
        Ok(Many { names: order.iter().map(name).collect(), labels: ClassLabels { starts: None, classes } })
    }
}

impl Many {
    /// Without names that no row has: they were found in rows that were left out.
    fn that_occur(mut self) -> Many {
        let mut places = vec![u32::MAX; self.names.len()];
        for &class in &self.labels.classes {
            if let Some(place) = places.get_mut(class as usize) {
                *place = 0;
            }
        }
        if places.iter().all(|&place| place == 0) {
            return self;
        }
        (0..).zip(places.iter_mut().filter(|place| **place == 0)).for_each(|(next, place)| *place = next);
        self.labels.classes.iter_mut().for_each(|class| *class = places.get(*class as usize).copied().unwrap_or(u32::MAX));
        self.names = self.names.into_iter().zip(places).filter_map(|(name, place)| (place != u32::MAX).then_some(name)).collect();
        self
    }
}

/// The classes that other data have and training data have not.
///
/// # Errors
/// When labels are missing, or there are too many different ones.
pub fn unseen_classes(training: &Rows, other: &Rows) -> Result<Vec<String>> {
    let known = Many::of(training, false)?.names;
    Ok(by_names(other, &known.iter().map(String::as_str).collect(), false)?.1)
}

/// The classes of other data as a model numbers them, and names that it does not know (for which `u32::MAX` stands).
///
/// # Errors
/// As [`Many::of`].
pub(crate) fn by_names(data: &Rows, known: &Ids, one: bool) -> Result<(ClassLabels, Vec<String>)> {
    let Many { names, mut labels } = Many::of(data, one)?;
    let places: HashMap<String, u32> = (0..known.len()).map(|i| (known.name(i), i as u32)).collect();
    let place: Vec<u32> = names.iter().map(|name| places.get(name).copied().unwrap_or(u32::MAX)).collect();
    let mut occurs = vec![false; names.len()];
    for class in &mut labels.classes {
        if let Some(occurs) = occurs.get_mut(*class as usize) {
            *occurs = true;
        }
        *class = place.get(*class as usize).copied().unwrap_or(u32::MAX);
    }
    let unknown = names.into_iter().enumerate().filter(|&(i, _)| occurs[i] && place[i] == u32::MAX).map(|(_, name)| name).collect();
    Ok((labels, unknown))
}
