//! Rows of a table by the way for most of them, and by the general one: both give the same, whatever stands in the cells.

use super::{Table, heading, record_end, row};
use crate::text::chunk::PAD;
use crate::text::codes::Meant;
use crate::text::collector::{Collector, How};
use crate::text::examples::Examples;
use crate::text::{Asked, Format};
use proptest::prelude::*;

/// What came of a row: label and features by name, or what is wrong and where.
type Row = Result<Option<(f32, Vec<(String, f32)>)>, (usize, usize, &'static str)>;

fn read(table: &Table, text: &[u8], start: usize, end: usize, rows: &mut Examples) -> Vec<Row> {
    let (mut at, mut out) = (start, Vec::new());
    while at < end {
        let (begin, before) = (at, (rows.labels.len(), rows.values.len()));
        match row(table, text, &mut at, rows) {
            Ok(()) if rows.labels.len() == before.0 => out.push(Ok(None)),
            Ok(()) => {
                let name = |meant| match meant {
                    Meant::Name(entry) => String::from_utf8_lossy(rows.features.names.name(entry)).into_owned(),
                    Meant::Number(number) => number.to_string(),
                };
                let names = rows.features.meant(before.1, 0).map(name);
                let mut features: Vec<(String, f32)> = names.zip(rows.values[before.1..].iter().copied()).collect();
                features.sort_by(|a, b| a.0.cmp(&b.0));
                out.push(Ok(Some((rows.labels[before.0], features))));
            }
            Err(fault) => {
                rows.cut();
                at = record_end(text, begin, table.mark).min(end);
                out.push(Err((fault.start, fault.end, fault.problem)));
            }
        }
    }
    out
}

proptest! {
    #[test]
    fn short_words_are_read_as_all_cells_are(
        cells in prop::collection::vec("( ?[abN?\\\\]{0,3} ?|\"[ab,\"\n]{0,4}\"|[ab0-9]{7,10}|n[aA]|null|[ab]{1,17}|1\r|é{1,5})", 3..60),
        width in 2usize..5,
        semicolons in any::<bool>(),
    ) {
        let mark = if semicolons { ";" } else { "," };
        let head = ["a", "label", "b", "c"][..width].join(mark);
        let lines: String = cells.chunks(width).map(|row| {
            let mut row = row.to_vec();
            if let Some(label) = row.get_mut(1) { *label = "1".into() }
            row.join(mark) + "\n"
        }).collect();
        // All columns are of words.
        let whole = format!("{head}\n{}{lines}", vec!["word"; width].join(mark).replacen("word", "x", 1) + "\n");
        let mut text = whole.replacen(&format!("{mark}word"), &format!("{mark}1"), 1).into_bytes();
        let end = text.len();
        text.extend([b'\n'; PAD]);
        let begin = || heading::begin(&text[..end], Asked::default(), Format::Csv, b",;").unwrap_or_else(|bad| panic!("{}", bad.error("x".as_ref(), 0)));
        let (begun, mut plain) = (begin(), begin().format);
        prop_assert!(begun.format.are_apart);
        plain.are_apart = false;
        let (mut fast, mut general) = (Examples::default(), Examples::default());
        // Twice: words that were met before are found.
        for _ in 0..2 {
            fast.clear(&How::default());
            general.clear(&How::default());
            let expected = read(&plain, &text, begun.start.at, end, &mut general);
            prop_assert_eq!(read(&begun.format, &text, begun.start.at, end, &mut fast), expected);
        }
    }
}
