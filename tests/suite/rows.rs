//! svmlight rows as people bring them: what is odd is read where there is no doubt, and otherwise called by its name.
use crate::support::data::{LabelledRow, read_as, rows_of};
use hogwild::{
    Error,
    data::{Data, Format, OnBadRow, PackReport, PackSettings, Repeated},
};
use std::io::Write;

fn sparse(bytes: &[u8], settings: &PackSettings) -> (PackReport, Vec<LabelledRow>) {
    match read_as(bytes, settings) {
        Ok((report, Data::Rows(data))) => (report, rows_of(&data)),
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(bytes)),
    }
}

/// The bad row that a text ends with.
fn bad(bytes: &[u8], format: Option<Format>) -> (u64, u64, String, String) {
    match read_as(bytes, &PackSettings { format, ..PackSettings::default() }) {
        Err(Error::BadRow { line, column, text, problem, remedy, .. }) => (line, column, text, format!("{problem}; {remedy}")),
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(bytes)),
    }
}

#[test]
fn other_encodings_blanks_and_line_ends_are_read() {
    let plain = PackSettings::default();
    let text = "1 1:1 2:2\n0 3:1\n";
    let (_, expected) = sparse(text.as_bytes(), &plain);
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&utf16(text)).unwrap();
    let table: [(Vec<u8>, &str); 12] = [
        (utf16(&format!("\u{feff}{text}")), "UTF-16"),
        (utf16(text), "UTF-16"),
        (text.encode_utf16().flat_map(u16::to_be_bytes).collect(), "UTF-16"),
        (packed.finish().unwrap(), "UTF-16"),
        (text.replace('\n', "\r").into(), "carriage returns"),
        (text.replace('\n', "\r\n").into(), ""),
        (text.replace('\n', " \r\r\n").into(), ""),
        (text.replace(' ', "\u{a0}").into(), ""),
        (b"1\xa01:1\xa0 2:2\xa0\n0\xa03:1".to_vec(), ""),
        ("\u{a0}1\u{2003}1:1\u{202f}2:2 \u{3000}\n0 3:1\u{a0}# x\n".into(), ""),
        ("\u{feff}1 1:1 2:2\n\u{feff}0 3:1\n".into(), ""),
        ("6 5 3\n1 1:1 2:2\n0 3:1\n".into(), "input:1: `6 5 3` was taken for a line of counts"),
    ];
    for (bytes, says) in table {
        let (report, found) = sparse(&bytes, &plain);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!((found, report.notes.len()), (expected.clone(), usize::from(!says.is_empty())), "{shown:?}");
        assert!(report.notes.iter().all(|note| note.contains(says)), "{shown:?}: {:?}", report.notes);
        // Named, it is no other.
        let named = PackSettings { format: Some(Format::Svmlight), ..PackSettings::default() };
        assert_eq!(sparse(&bytes, &named).1, expected, "{shown:?}");
    }
    let (report, found) = sparse(b"# of an export\n\n6 5\n1 1:1 2:2\n0 3:1\n", &plain);
    assert!(report.notes[0].contains("input:3: `6 5`") && found == expected, "{report:?}");
}

#[test]
fn ratings_are_read_from_other_encodings_too() {
    let text = "zoë\t2\t3.5\nbob\t4\t1\n";
    let read = |bytes: &[u8]| match read_as(bytes, &PackSettings::default()) {
        Ok((_, Data::Ratings(data))) => {
            let ids = data.user_ids().unwrap();
            let mut names = [ids.name(0), ids.name(1)];
            names.sort();
            (data.len(), names, data.mean())
        }
        other => panic!("{other:?}"),
    };
    let expected = (2, ["bob".to_owned(), "zoë".to_owned()], 2.25);
    assert_eq!(read(text.as_bytes()), expected);
    assert_eq!(read(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()), expected);
    assert_eq!(read(text.replace('\n', "\r").as_bytes()), expected);
    assert_eq!(read("zoë\t2\t3.5\n\u{feff}bob\t4\t1\n".as_bytes()), expected);
}

#[test]
fn what_cannot_be_read_is_named() {
    use Format::{Ratings, Svmlight};
    // Format, text, line, column, offending text, what the message says.
    type Named<'a> = (Format, &'a [u8], u64, u64, &'a str, &'a str);
    let table: [Named<'_>; 31] = [
        (Svmlight, b"+1 1:1\n-1:-0.5 1:1\n", 2, 1, "-1:-0.5", "the weight of the example is below 0"),
        (Svmlight, b"+1:inf 1:1\n", 1, 1, "+1:inf", "or is followed by a weight"),
        (Svmlight, b"1:3 5:1\n", 1, 1, "1:3", "write a sign or a point, as in `+1:2`"),
        (Svmlight, b"1:3 1:1\n", 1, 1, "1:3", "the label is missing"),
        (Svmlight, b"1:2\n", 1, 1, "1:2", "the label is missing, or is followed by a weight"),
        (Svmlight, b"1,1:0.5,3:2\n", 1, 1, "1,1:0.5,3:2", "commas or semicolons separate"),
        (Svmlight, b"1;1:0.5;3:2\n", 1, 1, "1;1:0.5;3:2", "put blanks in their place"),
        (Svmlight, b"1, 1:0.5, 3:2\n", 1, 1, "1,", "commas or semicolons separate"),
        (Svmlight, b"1 1:0.5, 3:2\n", 1, 3, "1:0.5,", "commas or semicolons separate"),
        (Svmlight, b"1 1:0.5,3:2\n", 1, 3, "1:0.5,3:2", "commas or semicolons separate"),
        (Svmlight, b"1 1:0.5 , 3:2\n", 1, 9, ",", "commas or semicolons separate"),
        (Svmlight, b"1 1:0.5 ,3:2\n", 1, 9, ",3:2", "commas or semicolons separate"),
        (Svmlight, b"1 1:0,5 3:2\n", 1, 3, "1:0,5", "write decimals with a point"),
        (Svmlight, b"1,5 3:2\n", 1, 1, "1,5", "one label a row"),
        (Svmlight, b"1 1:1\n2 3\n", 2, 3, "3", "no `index:value` pair"),
        (Svmlight, b"6 5 3\n1 2 3\n", 1, 3, "5", "this is a rating"),
        (Svmlight, b"1 1:1\r\n0 2:1\r1 3:1\r\n", 2, 6, "?1 3:1?", "carriage return (CR) alone"),
        (Svmlight, b"1 1:1\n0\r 3:1\n", 2, 2, "? 3:1", "carriage return (CR) alone"),
        (Svmlight, "1 1:1\u{feff}0 2:1\n".as_bytes(), 1, 3, "1:1\u{feff}0", "byte order mark (U+FEFF) stands within the line"),
        (Svmlight, "1 1:1\u{200b} 2:1\n".as_bytes(), 1, 3, "1:1\u{200b}", "no width"),
        (Svmlight, "1 1:\u{2212}1\n".as_bytes(), 1, 3, "1:\u{2212}1", "no minus sign"),
        (Svmlight, "\u{2212}1 1:1\n".as_bytes(), 1, 1, "\u{2212}1", "no minus sign"),
        (Svmlight, "1 1:1\u{2028}0 2:1\n".as_bytes(), 1, 3, "1:1\u{2028}0", "separates lines elsewhere"),
        (Svmlight, b"1 1:1\n\x1a", 2, 1, "?", "control character"),
        (Svmlight, b"1 1:1\n0 2:1\0\0\n", 2, 6, "??", "NUL byte"),
        (Svmlight, b"1 1:1\n\0\0\n", 2, 1, "??", "NUL byte"),
        (Svmlight, b"caf\xe9\n1 2:1\n", 1, 1, "caf\u{fffd}", "label is no number"),
        (Ratings, b"1 2 3\n4 5\x006 1\n", 2, 4, "?", "NUL byte"),
        (Ratings, "1 2 3\n4\u{a0}5\u{a0}1\n".as_bytes(), 2, 1, "4\u{a0}5\u{a0}1", "no-break blank (U+00A0)"),
        (Ratings, b"1 2 3\n4 5 6\r7 8 9\n", 2, 6, "?7 8 9", "carriage return (CR) alone"),
        (Ratings, "1 2 3\n4 5 6\u{feff}7 8 9\n".as_bytes(), 2, 1, "4 5 6\u{feff}7 8 9", "byte order mark"),
    ];
    for (format, bytes, line, column, shown, says) in table {
        let (at_line, at_column, text, message) = bad(bytes, Some(format));
        assert_eq!((at_line, at_column, text.as_str()), (line, column, shown), "{message}");
        assert!(message.contains(says), "{shown:?}: {message}");
        // For predictions it keeps its place, whatever it is.
        let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count() as u64;
        let settings = PackSettings { format: Some(format), unlabelled: true, on_bad_row: OnBadRow::Skip, ..PackSettings::default() };
        assert_eq!(read_as(bytes, &settings).unwrap().0.rows, lines, "{shown:?}");
    }
    // Commas are named without a format given, too; a first line of three numbers is no rating where rows follow.
    assert!(bad(b"1,1:0.5,3:2\n0,2:1\n", None).3.contains("commas"));
    assert!(bad("4\u{a0}5\u{a0}1\n".as_bytes(), None).3.contains("no-break"));
    for (bytes, says) in [
        (&[0xff, 0xfe, 0, 0, b'1', 0, 0, 0][..], "UTF-32"),
        (&[b'1', 0, 0, 0, b' ', 0, 0, 0], "UTF-32"),
        (&[0xff, 0xfe, b'1', 0, b' ', 0, b'1'], "ends in the midst of a character"),
    ] {
        match read_as(bytes, &PackSettings::default()) {
            Err(Error::BadFile { problem, remedy, .. }) => assert!(problem.contains(says) && remedy.contains("UTF-8"), "{problem}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_repeated_index_is_added_up_or_the_last_counts() {
    let text = b"1 7:1 9:1 7:2\n0 9:1\n1 99999999999:1 3:0.5 99999999999:0.25 3:-0.5\n0 4:1 4:1 4:3\n";
    let with = |repeated| PackSettings { repeated, ..PackSettings::default() };
    assert!(bad(text, None).3.contains("`repeated` add"));
    let (_, added) = sparse(text, &with(Repeated::Add));
    let long = 99999999999;
    let expected = [(1.0, vec![(7, 3.0), (9, 1.0)]), (0.0, vec![(9, 1.0)]), (1.0, vec![(3, 0.0), (long, 1.25)]), (0.0, vec![(4, 5.0)])];
    assert_eq!(added, expected);
    let (_, last) = sparse(text, &with(Repeated::Last));
    let expected = [(1.0, vec![(7, 2.0), (9, 1.0)]), (0.0, vec![(9, 1.0)]), (1.0, vec![(3, -0.5), (long, 0.25)]), (0.0, vec![(4, 3.0)])];
    assert_eq!(last, expected);
    // Values that become 1, or cease to be, are stored as such.
    for (text, ones) in [(&b"1 2:0.5 1:1 2:0.5\n"[..], true), (b"1 2:1 1:1 2:1\n", false)] {
        let (_, Data::Rows(data)) = read_as(text, &with(Repeated::Add)).unwrap() else { panic!("rows") };
        assert_eq!((data.all_ones(), data.nonzeros()), (ones, 2));
    }
    let sum = read_as(b"1 2:3e38 1:1 2:3e38\n", &with(Repeated::Add));
    assert!(sum.is_err_and(|error| error.to_string().contains("add up beyond")));
    let ratings = read_as(b"1 2 3\n", &with(Repeated::Last));
    assert!(matches!(ratings, Err(Error::BadSetting { setting: "repeated", .. })));
}

#[test]
fn rows_without_labels_are_for_predictions() {
    let unlabelled = PackSettings { unlabelled: true, ..PackSettings::default() };
    let text = b"1:0.5 3:1\n\n2:1\n? 4:1\n# none\nnan 5:1 # x\nspam\n1 6:1\nqid:3 7:1 8:1\n";
    let (report, Data::Rows(data)) = read_as(text, &unlabelled).unwrap() else { panic!("rows") };
    assert!(report.notes.len() == 1 && report.notes[0].contains("input:1: ") && report.notes[0].contains("`1:0.5`"), "{report:?}");
    let found = rows_of(&data);
    let indices: Vec<Vec<u64>> = found.iter().map(|row| row.1.iter().map(|cell| cell.0).collect()).collect();
    assert_eq!(indices, [vec![1, 3], vec![2], vec![4], vec![5], vec![], vec![6], vec![7, 8]]);
    let labels: Vec<bool> = found.iter().map(|row| row.0.is_nan()).collect();
    assert_eq!(labels, [true, true, true, true, true, false, true]);
    assert!(data.is_unlabelled() && !(0..7).any(|row| data.is_bad(row)) && data.labels().spread.count == 1);
    // Where all labels are there, it is the file that it would have been.
    let whole = b"1 1:1\n-1 2:1\n";
    let (_, Data::Rows(data)) = read_as(whole, &unlabelled).unwrap() else { panic!("rows") };
    assert!(!data.is_unlabelled());
    // What is wrong with features still is; and what can only be a weight is none of them.
    for (text, says) in [(&b"1:0.5 3:x\n"[..], "value is no number"), (b"1:1 1:2\n", "repeated"), (b"2:1 1:1 2:1\n", "repeated")] {
        let error = read_as(text, &unlabelled).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let skip = PackSettings { on_bad_row: OnBadRow::Skip, ..unlabelled };
    for (text, rows, bad) in [(&b"1 1:1\n2:bad\n0 2:1\n1,1:1\n"[..], 4, vec![1, 3]), (b"1 2\n3\n4 5 ?\n6 7 8 9 1\n5 5 2\n", 5, vec![1, 3])]
    {
        let (report, data) = read_as(text, &skip).unwrap();
        assert_eq!((report.rows, report.skipped), (rows, 2));
        assert_eq!((0..rows as usize).filter(|&row| data.is_bad(row)).collect::<Vec<_>>(), bad);
        let is_unlabelled = match &data {
            Data::Rows(data) => data.is_unlabelled(),
            Data::Ratings(data) => data.is_unlabelled(),
        };
        assert!(is_unlabelled);
    }
}
