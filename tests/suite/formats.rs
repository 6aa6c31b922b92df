//! Each thing that can be wrong with text has its own message, at its own place; and each thing that may be odd is read.
use crate::support::data::{LabelledRow, Triple, read_as, rows_of, triples};
use hogwild::{
    Error,
    data::{Data, Format, PackSettings, pack},
};
use std::{
    io::Write,
    path::{Path, PathBuf},
};

fn sparse(text: &str) -> Vec<LabelledRow> {
    match read_as(text, &PackSettings::default()) {
        Ok((_, Data::Rows(data))) => rows_of(&data),
        other => panic!("{text:?}: {other:?}"),
    }
}

fn rated(text: &str) -> Vec<Triple> {
    match read_as(text, &PackSettings::default()) {
        Ok((_, Data::Ratings(data))) => triples(&data),
        other => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn bad_rows() {
    use Format::{Csv, Fasttext, Interactions, Jsonl, Libffm, Ratings, Svmlight, Tsv, Vw};
    // Format, text, line, column, offending text, what the message says.
    let table = [
        (Svmlight, "1 1:1\n-1 2:1 3:nan\n", 2, 8, "3:nan", "NaN"),
        (Svmlight, "1 1:inf\n", 1, 3, "1:inf", "value is infinite"),
        (Svmlight, "1 1:-Infinity\n", 1, 3, "1:-Infinity", "value is infinite"),
        (Svmlight, "1 1:1e39\n", 1, 3, "1:1e39", "out of the range of 32-bit floats"),
        (Svmlight, "1 18446744073709551616:1\n", 1, 3, "18446744073709551616:1", "out of the range of 64-bit integers"),
        (Svmlight, "1 99999999999999999999999:1\n", 1, 3, "99999999999999999999999:1", "out of the range of 64-bit integers"),
        (Svmlight, "1 3:1 4:1 4:2\n", 1, 11, "4:2", "repeated"),
        (Svmlight, "\n# x\n1 qid:7 5:1 4:1 7:1 5:2 # y\n", 3, 21, "5:2", "repeated"),
        (Svmlight, "1 1:1\n3:1 4:1\n", 2, 1, "3:1", "label is missing"),
        (Svmlight, "1 3:abc\n", 1, 3, "3:abc", "value is no number"),
        (Svmlight, "1 3:\n", 1, 3, "3:", "value is missing"),
        (Svmlight, "1 3: 4\n", 1, 3, "3:", "value is missing"),
        (Svmlight, "1 :4\n", 1, 3, ":4", "index is missing"),
        (Svmlight, "1 3\n", 1, 3, "3", "no `index:value` pair"),
        (Svmlight, "1 -3:1\n", 1, 3, "-3:1", "index is no whole number"),
        (Svmlight, "1 abc:1\n", 1, 3, "abc:1", "index is no whole number"),
        (Svmlight, "1 0:62385:1\n", 1, 3, "0:62385:1", "more than one colon"),
        (Svmlight, "spam 3:1\n", 1, 1, "spam", "label is no number"),
        (Svmlight, "nan 3:1\n", 1, 1, "nan", "label is NaN"),
        (Svmlight, "-inf 3:1\n", 1, 1, "-inf", "label is infinite"),
        (Svmlight, "1e99 3:1\n", 1, 1, "1e99", "label is out of the range"),
        (Svmlight, "1 3:1\n1 2 3\n", 2, 3, "2", "this is a rating or a row of bare indices"),
        (Svmlight, "1 3:1\n1\t2\t3\t881250949", 2, 3, "2", "this is a rating"),
        (
            Ratings,
            "1 2 3\n-1 3:1\n",
            2,
            4,
            "3:1",
            "this is an svmlight row (`label index:value ...`), and the format that was given is ratings",
        ),
        (Ratings, "1 2 3\n+1 3:1 4:1\n", 2, 4, "3:1", "this is an svmlight row"),
        (Ratings, "1 2 3\n0 3:1 4:1 5:0.5 6:1\n", 2, 3, "3:1", "this is an svmlight row"),
        (Ratings, "1 2 3\n1 2\n", 2, 1, "1 2", "rating is missing"),
        (Ratings, "1,2,\n", 1, 1, "1,2,", "rating is missing"),
        (Ratings, "1\n", 1, 1, "1", "item is missing"),
        (Ratings, "1,,3\n", 1, 1, "1,,3", "item is missing"),
        (Ratings, "::2::3\n", 1, 1, "::2::3", "user is missing"),
        (Ratings, "1 2 3 4 5\n", 1, 1, "1 2 3 4 5", "more than four fields"),
        (Ratings, "1 2 3\n4 5 good\n", 2, 5, "good", "rating is no number"),
        (Ratings, "1 2 3x\n", 1, 5, "3x", "rating is no number"),
        (Ratings, "1 2 NaN\n", 1, 5, "NaN", "rating is NaN"),
        (Ratings, "1 2 inf\n", 1, 5, "inf", "rating is infinite"),
        (Ratings, "1\t2\t-1e40\n", 1, 5, "-1e40", "rating is out of the range"),
        (Interactions, "1 2 3\n2 5 1\n", 1, 1, "1 2 3", "lines of three fields may be `user item count`, or `user item item`"),
        (Interactions, "1 3:0.5 7:1\n", 1, 1, "1 3:0.5 7:1", "look like svmlight rows"),
        (Interactions, "user item count time\n1 2 3 4\n", 1, 1, "user item count time", "this heading is none of interactions"),
        (Interactions, "user item count\n1 2 x\n", 2, 5, "x", "the count is no finite number"),
        (Interactions, "user item count\n1 2 nan\n", 2, 5, "nan", "the count is no finite number"),
        (Interactions, "user item count\n1 2 1e99\n", 2, 5, "1e99", "the count is no finite number"),
        (Interactions, "user item count\n1 2 0\n", 2, 5, "0", "the count is not above 0"),
        (Interactions, "user item count\n1 2 -3\n", 2, 5, "-3", "the count is not above 0"),
        (Interactions, "user item\n1 2 3 4\n", 2, 5, "3", "the first lines have two"),
        (Interactions, "user item count\n1 2 3 4\n", 2, 7, "4", "more than three fields"),
        (Interactions, "user,song,plays\nann,tea,3\n", 1, 1, "user,song,plays", "this heading is none of interactions"),
        (Interactions, "1\t10,11,12\n2\t11,13\n", 1, 1, "1?10,11,12", "several numbers, with other marks between"),
        (Interactions, "user item\n1 2\n1\n", 3, 1, "1", "the item is missing"),
        (Interactions, "1,2\n,2\n", 2, 1, ",2", "the user is missing"),
        (Interactions, "1,2,5,6\n3,\"a,b\n", 2, 3, "\"a,b", "a quote is not closed"),
        (Interactions, "1 2 3 4\n1 2\u{0}\n", 2, 4, "?", "NUL"),
        (Vw, "1 |f a\n-1 |f a:x\n", 2, 7, "a:x", "value is no number"),
        (Vw, "1 |f a: b\n", 1, 6, "a:", "value is missing"),
        (Vw, "1 |f :3\n", 1, 6, ":3", "has no name"),
        (Vw, "1 |f a:nan\n", 1, 6, "a:nan", "NaN"),
        (Vw, "1 |f a:-inf\n", 1, 6, "a:-inf", "infinite"),
        (Vw, "1 |f a:1e39\n", 1, 6, "a:1e39", "out of the range"),
        (Vw, "1 |f a:3e38 a:3e38\n", 1, 1, "1 |f a:3e38 a:3e38", "add up beyond"),
        (Vw, "1 |f:x a\n", 1, 4, "f:x", "weight of the namespace is no number"),
        (Vw, "1 |f: a\n", 1, 4, "f:", "weight of the namespace is missing"),
        (Vw, "1 f a\n", 1, 1, "1 f a", "no bar"),
        (Vw, "x |f a\n", 1, 1, "x", "label is no number"),
        (Vw, "nan |f a\n", 1, 1, "nan", "label is not finite"),
        (Vw, "1e99 |f a\n", 1, 1, "1e99", "label is out of the range"),
        (Vw, "'tag |f a\n", 1, 1, "'tag |", "label is missing"),
        (Vw, "1|f a\n", 1, 1, "1", "takes it for a tag"),
        (Vw, "1 -2 |f a\n", 1, 3, "-2", "weight of the example is below 0"),
        (Vw, "1 x |f a\n", 1, 3, "x", "importance behind the label is no number"),
        (Vw, "1 1 0.5 |f a\n", 1, 5, "0.5", "first prediction"),
        (Vw, "1 1 0 0 |f a\n", 1, 7, "0", "too much stands before the bar"),
        (Vw, "1:0.5:0.2 |f a\n", 1, 1, "1:0.5:0.2", "`cb`, `csoaa` or the like"),
        (Vw, "shared |f a\n", 1, 1, "shared", "`cb`, `csoaa` or the like"),
        (Vw, "1,2 |f a\n", 1, 1, "1,2", "several labels"),
        (Vw, "1 |f a\rb\n", 1, 7, "?b", "carriage return"),
        (Libffm, "1 0:1:1\n1 0:1\n", 2, 3, "0:1", "no `field:index:value` triple"),
        (Libffm, "1 0:1:1:1\n", 1, 3, "0:1:1:1", "no `field:index:value` triple"),
        (Libffm, "1 a:1:1\n", 1, 3, "a:1:1", "field is no whole number"),
        (Libffm, "1 0:-1:1\n", 1, 3, "0:-1:1", "index is no whole number"),
        (Libffm, "1 0:18446744073709551616:1\n", 1, 3, "0:18446744073709551616:1", "index is no whole number below 2^64"),
        (Libffm, "1 0:1:x\n", 1, 3, "0:1:x", "value is no number"),
        (Libffm, "1 0:1:\n", 1, 3, "0:1:", "value is missing"),
        (Libffm, "1 0:1:nan\n", 1, 3, "0:1:nan", "NaN"),
        (Libffm, "1 0:1:inf\n", 1, 3, "0:1:inf", "infinite"),
        (Libffm, "1 0:1:1e39\n", 1, 3, "0:1:1e39", "out of the range"),
        (Libffm, "0:1:1 1:2:1\n", 1, 1, "0:1:1", "label is missing"),
        (Libffm, "x 0:1:1\n", 1, 1, "x", "label is no number"),
        (Fasttext, "__label__a b\nc d\n", 2, 1, "c d", "label is missing"),
        (Fasttext, "__label__a __label__b c\n", 1, 12, "__label__b", "a second label"),
        (Fasttext, "__label__ b\n", 1, 1, "__label__", "label has no name"),
        (Fasttext, "__label__a x\n__label__b x\n__label__c x\n", 3, 1, "__label__c", "words of more than two classes: a, b, c"),
        (Csv, "y,a\n1,2\n1\n", 3, 1, "1", "fewer cells than the heading"),
        (Csv, "y,a\n1,2,3\n", 2, 1, "1,2,3", "more cells than the heading"),
        (Csv, "y,a\n1,inf\n", 2, 3, "inf", "infinite"),
        (Csv, "y,a\n1,1e39\n", 2, 3, "1e39", "out of the range"),
        (Csv, "y,a\n,2\n", 2, 1, ",2", "label is missing"),
        (Csv, "y,a\ninf,2\n", 2, 1, "inf", "label is infinite"),
        (Csv, "y,a\n1e39,2\n", 2, 1, "1e39", "label is out of the range"),
        (Csv, "y,a\n1,\"x\n", 2, 3, "\"x", "a quote is not closed"),
        (Csv, "y,a\n1,\"x\"z\n", 2, 3, "\"x\"z", "something stands behind the closing one"),
        (Csv, "y,a\nr,1\ns,1\nt,1\n", 4, 1, "t", "words of more than two classes: r, s, t"),
        (Tsv, "y\ta\n1\t2\n1,2\n", 3, 1, "1,2", "fewer cells than the heading"),
        (Tsv, "y\ta\tb\n1\tx\t1\n1\t2\n", 3, 1, "1?2", "fewer cells than the heading"),
        (Jsonl, "{\"y\": 1}\n{\"y\": 1, \"a\" 2}\n", 2, 14, "2}", "JSON is damaged"),
        (Jsonl, "{\"y\": 1}\n[1]\n", 2, 1, "[1]", "no object of JSON"),
        (Jsonl, "{\"y\": 1}\n{\"a\": 1}\n", 2, 1, "{\"a\": 1}", "label is missing"),
        (Jsonl, "{\"y\": [1]}\n", 1, 1, "{\"y\": [1]}", "label is no number and no word"),
        (Jsonl, "{\"y\": 1, \"a\": 1e39}\n", 1, 1, "{\"y\": 1, \"a\": 1e39}", "out of the range"),
        (Jsonl, "{\"y\": 1, \"a=b\": 1, \"a\": \"b\"}\n", 1, 1, "{\"y\": 1, \"a=b\": 1, \"a\": \"b\"}", "index is repeated"),
    ];
    for (format, text, at_line, at_column, shown, says) in table {
        match read_as(text, &PackSettings { format: Some(format), ..PackSettings::default() }) {
            Err(Error::BadRow { line, column, text: offending, problem, remedy, path }) => {
                assert_eq!((line, column, offending.as_str()), (at_line, at_column, shown), "{text:?}: {problem}");
                assert!(problem.contains(says), "{text:?}: {problem}");
                assert!(!remedy.is_empty() && path.ends_with("input"));
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn whole_files() {
    let mut cut = Vec::new();
    {
        let mut encoder = flate2::write::GzEncoder::new(&mut cut, flate2::Compression::default());
        for i in 0..5000 {
            writeln!(encoder, "1 {}:1 {}:0.5", i * 7919 % 1000, 1000 + i).unwrap();
        }
        encoder.finish().unwrap();
    }
    let mut damaged = cut.clone();
    cut.truncate(cut.len() / 2);
    // The sum at the end no longer fits.
    let sum = damaged.len() - 6;
    damaged[sum] ^= 0xff;
    let table: [(&[u8], &str); 6] = [
        (b"", "no examples at all"),
        (b"\n\n  \r\n# nothing\n", "no examples at all"),
        (&cut, "cut short"),
        (&cut[..9], "cut short"),
        (&damaged, "damaged"),
        (b"user item rating\n", "no examples at all"),
    ];
    for (bytes, says) in table {
        match read_as(bytes, &PackSettings::default()) {
            Err(Error::BadFile { problem, .. }) => assert!(problem.contains(says), "{problem}"),
            other => panic!("{says}: {other:?}"),
        }
    }
    let missing = pack(&[PathBuf::from("/nowhere/at/all")], Path::new("/tmp/never"), &PackSettings::default());
    assert!(matches!(missing, Err(Error::Io { action: "open", .. })), "{missing:?}");
}

#[test]
fn svmlight_as_it_comes() {
    let table: [(&str, Vec<LabelledRow>); 7] = [
        ("+1 0:1 5:1\n-1 5:1\n", vec![(1.0, vec![(0, 1.0), (5, 1.0)]), (-1.0, vec![(5, 1.0)])]),
        ("2.5 18446744073709551615:-.5\r\n\r\n0 3:1e-3 # c\r\n", vec![(2.5, vec![(u64::MAX, -0.5)]), (0.0, vec![(3, 1e-3)])]),
        ("# first\n1 9:1 3:2 7:3#x\n1\n1 # none\n", vec![(1.0, vec![(3, 2.0), (7, 3.0), (9, 1.0)]), (1.0, vec![]), (1.0, vec![])]),
        ("1 qid:3 4:1", vec![(1.0, vec![(4, 1.0)])]),
        ("  1\t4:0\t\t5:+2.  \n", vec![(1.0, vec![(4, 0.0), (5, 2.0)])]),
        ("\u{feff}1 4:1\n", vec![(1.0, vec![(4, 1.0)])]),
        ("1 00000000000000000000000004:1\n", vec![(1.0, vec![(4, 1.0)])]),
    ];
    for (text, expected) in table {
        assert_eq!(sparse(text), expected, "{text:?}");
    }
    // Labels alone are rows too.
    assert_eq!(sparse("1\n-1\n").len(), 2);
}

#[test]
fn ratings_as_they_come() {
    let one = |user: &str, item: &str, rating| vec![(user.to_owned(), item.to_owned(), rating)];
    for text in ["1 2 3", "1\t2\t3\t881250949\n", "1,2,3\r\n", "1::2::3::978300760", "1 , 2 , 3", "\n1  2 \t 3.0 \n"] {
        assert_eq!(rated(text), one("1", "2", 3.0), "{text:?}");
    }
    assert_eq!(rated("userId,movieId,rating,timestamp\n1,2,3.5,4\n"), one("1", "2", 3.5));
    assert_eq!(rated("a:b\tzoë\t-1\n"), one("a:b", "zoë", -1.0));
    // An item that looks like a pair is none where a rating follows.
    assert_eq!(rated("1,2,3\n7,12:30,4\n")[1], ("7".to_owned(), "12:30".to_owned(), 4.0));
    for (user, item) in [("1234567", "12345678"), ("16777215", "16777216"), ("0", "18446744073709551616"), ("18446744073709551615", "00")] {
        assert_eq!(rated(&format!("{user}::{item}::4.5::978300760\r\n")), one(user, item, 4.5));
    }
    // As texts, these are three different users.
    let names: Vec<_> = rated("7 1 1\n07 1 1\n-7 1 1\n").into_iter().map(|triple| triple.0).collect();
    assert_eq!(names, ["7", "07", "-7"]);
}

#[test]
fn detection() {
    let table: [(&str, Option<Format>); 17] = [
        ("1 3:1", Some(Format::Svmlight)),
        ("# x\n\n1\n1 qid:2 3:1", Some(Format::Svmlight)),
        ("0 0:3:1", Some(Format::Libffm)),
        ("1 |f a:2 b\n", Some(Format::Vw)),
        ("|f a b", Some(Format::Vw)),
        ("__label__x a b", Some(Format::Fasttext)),
        ("label,a,b\n1,2,3\n", Some(Format::Csv)),
        ("a;clicked\n1;0\n", Some(Format::Csv)),
        ("a\tTarget\n1\t0\n", Some(Format::Tsv)),
        ("{\"y\": 1, \"a\": 2}\n", Some(Format::Jsonl)),
        ("a,b\n1,2\n", None),
        ("1::2::3::4", Some(Format::Ratings)),
        ("1 2 3", Some(Format::Ratings)),
        ("a,b,3", Some(Format::Ratings)),
        ("user item rating", Some(Format::Ratings)),
        ("1\n-1\n", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(Format::detect(text.as_bytes()), expected, "{text:?}");
    }
    for format in Format::ALL {
        assert_eq!(format.name().parse::<Format>().unwrap(), format);
    }
    assert!("xlsx".parse::<Format>().is_err());
}
