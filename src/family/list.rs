//! The one list of families.
use super::{
    cut::GraphCut,
    factorization::Factorization,
    ffm::FieldAware,
    fm::FactorizationMachine,
    implicit::{Bpr, LogisticMf, SampledSoftmax, Warp},
    linear::Linear,
    multiclass::{OneVsRest, Softmax},
    traits::AnyFamily,
};
use hogwild_data::Kind;

/// All families. Of several that take the same data, the first is the one taken if none is named.
pub static FAMILIES: [&dyn AnyFamily; 11] = [
    &Linear,
    &FactorizationMachine,
    &FieldAware,
    &Softmax,
    &OneVsRest,
    &Factorization,
    &Bpr,
    &Warp,
    &SampledSoftmax,
    &LogisticMf,
    &GraphCut,
];

/// The family of that name.
pub fn family(name: &str) -> Option<&'static dyn AnyFamily> {
    FAMILIES.into_iter().find(|family| family.name() == name)
}

/// The family that is taken for such data if none is named.
pub fn family_for(data: Kind) -> &'static dyn AnyFamily {
    FAMILIES.into_iter().find(|family| family.takes() == data).unwrap_or(FAMILIES[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    #[test]
    fn families_are_told_apart_and_say_what_they_keep() {
        for (i, first) in FAMILIES.into_iter().enumerate() {
            assert!(FAMILIES[i + 1..].iter().all(|other| other.name() != first.name()), "{}", first.name());
            assert_eq!(family(first.name()).map(|found| found.name()), Some(first.name()));
            assert_eq!(family_for(first.takes()).takes(), first.takes());
            first.check(&first.defaults()).unwrap();
            let schema = first.schema();
            assert!(!schema.tensors.is_empty() && !schema.axes.is_empty());
            for (tensor, size) in schema.tensors.iter().flat_map(|tensor| tensor.shape.iter().map(move |size| (tensor, size))) {
                assert!(!matches!(size, Size::Ids(axis) if !schema.axes.contains(axis)), "{}", tensor.name);
            }
        }
    }
}
