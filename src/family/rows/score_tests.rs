//! Scores do not depend on the processor.
use super::{
    fields::ByField,
    score::{Asked, Scorer},
};
use hogwild_data::{Rows, RowsCsr};
use hogwild_kernels::{loss::Taken, models::Output, simd::InstructionSet};

/// Also with features that the model does not know.
#[test]
fn all_instruction_sets_have_the_same_bits() {
    let mut state = 7u32;
    let mut draw = move || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut numbers = |count: usize| -> Vec<f32> { (0..count).map(|_| draw()).collect() };
    let (labels, values, bias, weights, factors) = (vec![1.0; 40], numbers(40 * 30), numbers(5), numbers(50 * 5), numbers(50 * 12));
    let columns: Vec<u32> = (0..40 * 30).map(|cell| cell % 30 * 2 + cell / 30 % 2).collect();
    let row_start: Vec<u64> = (0..=40).map(|row| row * 30).collect();
    let csr = RowsCsr { labels: &labels, row_start: &row_start, columns: &columns, values: Some(&values), ..RowsCsr::default() };
    let rows = Rows::from_csr(csr).unwrap();
    let of: Vec<f32> = (0..50).map(|column| (column % 3) as f32).collect();
    let linear = Scorer {
        bias: &bias[..1],
        weights: &weights[..50],
        factors: &[],
        rank: 0,
        fields: None,
        unit_rows: true,
        taken: Taken::Nothing,
        output: None,
        constant: None,
    };
    let machine = Scorer { factors: &factors, rank: 12, ..linear };
    let by_field = Scorer { factors: &factors, rank: 4, fields: Some(ByField { of: &of, all: 3 }), ..linear };
    let classes = Scorer { bias: &bias, weights: &weights, output: Some(Output::Softmax), ..linear };
    for scorer in [linear, machine, by_field, classes].into_iter().flat_map(|scorer| [scorer, Scorer { unit_rows: false, ..scorer }]) {
        let score = |set| {
            let scored = scorer.score_by(set, &Asked::all(&rows));
            let classes = scored.classes.map_or(Vec::new(), |classes| (0..40).flat_map(|row| classes.scores(row).to_vec()).collect());
            let scores = scored.scores.iter().map(|&(score, _)| score).chain(classes);
            (scores.map(f32::to_bits).collect::<Vec<_>>(), scored.unknown)
        };
        let (portable, unknown) = score(InstructionSet::Portable);
        assert!(unknown > 0 && portable.iter().any(|&bits| bits != portable[0]));
        InstructionSet::available().into_iter().for_each(|set| assert!(score(set) == (portable.clone(), unknown), "{set:?}"));
    }
}
