//! Ratings as people bring them, and text that looks like ratings and is none: read as it says, or refused with the reason.
use crate::support::data::{Triple, triples};
use hogwild::{
    Error,
    data::{Data, Format, OnBadRow, PackReport, PackSettings, pack},
};
use std::{
    io::Write,
    path::{Path, PathBuf},
};

fn read_as(texts: &[&[u8]], settings: &PackSettings) -> Result<(PackReport, Vec<Triple>), Error> {
    let directory = tempfile::tempdir().unwrap();
    let inputs: Vec<PathBuf> = (0..texts.len()).map(|i| directory.path().join(format!("input{i}"))).collect();
    for (input, text) in inputs.iter().zip(texts) {
        std::fs::write(input, text).unwrap();
    }
    let out = directory.path().join("out.safetensors");
    let outcome = pack(&inputs, &out, settings);
    assert_eq!(out.exists(), outcome.is_ok());
    let report = outcome?;
    match Data::open(&out)? {
        Data::Ratings(data) => Ok((report, triples(&data))),
        Data::Rows(_) => panic!("{texts:?} are rows"),
    }
}

fn settings(format: Option<Format>, columns: Option<&str>) -> PackSettings {
    PackSettings { format, columns: columns.map(|columns| columns.parse().unwrap()), ..PackSettings::default() }
}

fn read(text: &str) -> Vec<Triple> {
    read_as(&[text.as_bytes()], &PackSettings::default()).unwrap_or_else(|error| panic!("{text:?}: {error}")).1
}

fn of(expected: &[(&str, &str, f32)]) -> Vec<Triple> {
    expected.iter().map(|&(user, item, rating)| (user.into(), item.into(), rating)).collect()
}

/// Where it is refused, and the message without the path.
fn refused(text: &[u8], settings: &PackSettings) -> (u64, u64, String) {
    match read_as(&[text], settings) {
        Err(Error::BadRow { line, column, problem, remedy, path, .. }) => {
            assert!(path.ends_with("input0") && !remedy.is_empty());
            (line, column, format!("{problem}; {remedy}"))
        }
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(text)),
    }
}

#[test]
fn separators() {
    let two = of(&[("10", "20", 3.5), ("11", "20", 4.0)]);
    for text in [
        "10;20;3.5\n11;20;4.0\n",
        "10|20|3.5\n11|20|4.0\n",
        "10 | 20 | 3.5\n11 | 20 | 4.0\n",
        "10\t20\t3,5\n11\t20\t4,0\n",
        "10;20;3,5\r\n11;20;4,0\r\n",
        "10|20|3,5|978300760\n11|20|4|978300761\n",
        "10::20::3.5::978300760\n11::20::4::978300761\n",
        "\u{feff}10,20,3.5\r\n11,20,4.0\r\n",
        "10,20,3.5,\n11,20,4.0,\n",
        "10, 20, 3.5\n11, 20, 4\n",
        "\"10\",\"20\",\"3.5\"\n\"11\",\"20\",\"4.0\"\n",
        "# ratings\n10 20 3.5\n11 20 4\n",
        "% ratings by %\n\n% 2 11 20\n10 20 3.5\n11 20 4\n",
        "10 20 3.5 2020-01-01 10:00:00\n11 20 4 2020-01-02 11:30:00\n",
        "10,20,3.5,2020-01-01 10:00:00\n11,20,4,2020-01-02 11:30:00\n",
        // As ml100k: a line of blanks among tabs has just one meaning.
        "10 20 3.5\t881250949\n11\t20\t4\t891717742\n",
    ] {
        assert_eq!(read(text), two, "{text:?}");
    }
    assert_eq!(read("Ann Lee,42,5\nBob Ray,17,3\n"), of(&[("Ann Lee", "42", 5.0), ("Bob Ray", "17", 3.0)]));
    assert_eq!(read("Ann Lee\tThe End\t5\nBob\tIt, too\t3\n"), of(&[("Ann Lee", "The End", 5.0), ("Bob", "It, too", 3.0)]));
    assert_eq!(read("zoë;Amélie;4,5\nИван;東京;3\n"), of(&[("zoë", "Amélie", 4.5), ("Иван", "東京", 3.0)]));
    assert_eq!(read("a b NA c\t1\t4\nd\t2\t3\n")[0].0, "a b NA c");
    // Each file has its own.
    let (_, both) = read_as(&[b"1,2,3\n4,5,1\n", b"rating;item;user\n3,5;7;9\n"], &PackSettings::default()).unwrap();
    assert_eq!(both, of(&[("1", "2", 3.0), ("4", "5", 1.0), ("9", "7", 3.5)]));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"user;item;rating\nx y;2;3,5\n").unwrap();
    assert_eq!(read_as(&[&gz.finish().unwrap()], &PackSettings::default()).unwrap().1, of(&[("x y", "2", 3.5)]));
}

#[test]
fn quotes() {
    let text = "\"Lee, Ann\",\"The \"\"End\"\"\",5\n\"Lee, Ann\",\"\"\"x\",3\nBob,5'10\",\"4\"\n";
    let expected = of(&[("Lee, Ann", "The \"End\"", 5.0), ("Lee, Ann", "\"x", 3.0), ("Bob", "5'10\"", 4.0)]);
    assert_eq!(read(text), expected);
    assert_eq!(read("\"a::b\"::\"7\"::3\n"), of(&[("a::b", "7", 3.0)]));
    assert_eq!(read("\"Ann Lee\" 42 5\n\"Bob\" \"17\" 3\n"), of(&[("Ann Lee", "42", 5.0), ("Bob", "17", 3.0)]));
    assert_eq!(read("\"user\",\"item\",\"rating\"\n\"1\",\"2\",3\n"), of(&[("1", "2", 3.0)]));
    // A name that is doubled in one line and plain in another is one user.
    let doubled = read("\"a\"\"b\",1,3\na\"b,2,4\n\"7\"\"\",1,1\n");
    assert_eq!((doubled[0].0.as_str(), doubled[1].0.as_str(), doubled[2].0.as_str()), ("a\"b", "a\"b", "7\""));
    let (line, column, says) = refused(b"1,2,3\n4,\"5,1\n", &PackSettings::default());
    assert!((line, column) == (2, 3) && says.contains("quote is not closed"), "{says}");
    let (line, _, says) = refused(b"1,2,3\n4,\"5\"6,1\n", &PackSettings::default());
    assert!(line == 2 && says.contains("behind the closing"), "{says}");
    let (line, _, says) = refused(b"1,2,3\n4,\"\",1\n", &PackSettings::default());
    assert!(line == 2 && says.contains("item is missing"), "{says}");
}

#[test]
fn headings() {
    let one = of(&[("7", "19", 3.5)]);
    let rest_told = [
        ("rating,user,item\n3.5,7,19\n", "user from `user`, item from `item`, rating from `rating`"),
        (",userId,movieId,rating\n0,7,19,3.5\n", "column 1 (without a name)"),
        ("Unnamed: 0,userId,movieId,rating\n0,7,19,3.5\n", "`Unnamed: 0`"),
        ("userId,movieId,title,rating\n7,19,\"End, The\",3.5\n", "not read: `title`"),
        ("review_id;user_id;business_id;stars;date\nq;7;19;3,5;2020-01-01\n", "not read: `review_id`"),
        ("rating,user,item,time\n3.5,7,19,10:00\n", "user from `user`"),
        ("time,user,rating,item\n2020-01-01 10:00:00,7,3.5,19\n", "user from `user`"),
        ("bought,user,item\n3.5,7,19\n", "rating from `bought`"),
    ];
    for (text, says) in rest_told {
        let (report, found) = read_as(&[text.as_bytes()], &PackSettings::default()).unwrap();
        assert!(found == one && report.notes.len() == 1 && report.notes[0].contains(says), "{text:?}: {found:?} {report:?}");
        assert!(report.notes[0].contains("input0: columns: "), "{report:?}");
    }
    for text in [
        "userId,movieId,rating,timestamp\n7,19,3.5,\"2011-01-09 08:15:02\"\n",
        "\"User-ID\";\"ISBN\";\"Book-Rating\"\n\"7\";\"19\";\"3.5\"\n",
        "USERID\tITEMID\tSCORE\n7\t19\t3,5\n",
        "User ID,Item ID,Rating\r\n7,19,3.5\r\n",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\t19\t3.5\t978300760\n",
        "user item rating time\n7 19 3.5 2020-01-01 10:00:00\n",
        "# made by us\n# user item rating\n7 19 3.5\n",
        "user,item,rating,\n7,19,3.5,\n",
        "user | item | rating\n7 | 19 | 3.5\n",
        "sep=;\r\nUser;Item;Rating;;\r\n7;19;3,5;;\r\n;;;;\r\n",
        "\u{feff}\"userId\",\"movieId\",\"rating\"\r\n\"7\",\"19\",3.5\r\n",
    ] {
        let (report, found) = read_as(&[text.as_bytes()], &PackSettings::default()).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        assert!(found == one && report.notes.is_empty(), "{text:?}: {found:?} {report:?}");
    }
    assert_eq!(read("# rating,user,item\n5,1,2\n"), of(&[("1", "2", 5.0)]));
    // Never a bad rating.
    for text in ["a b NA\nc d 4\ne d 2\n", "a,b,NA\nc,d,4\n", "1 2 NA\n3 4 5\n", "Ann,X,good\nBob,Y,3\n", "1,2,good\n3,4,5\n"] {
        let (line, _, says) = refused(text.as_bytes(), &PackSettings::default());
        assert!(line == 1 && says.contains("rating is no number") && says.contains("`columns`"), "{text:?}: {says}");
    }
    // Titles that name nobody are listed.
    for text in
        ["age,sex,pay,kids\n30,1,100,2\n40,0,200,1\n", "f1,f2,f3\n1,0.5,0.2\n0,0.1,0.9\n", "user,song_id,artist_id,rating\n1,2,3,4\n"]
    {
        let (line, _, says) = refused(text.as_bytes(), &PackSettings::default());
        let heading = text.lines().next().unwrap();
        assert!(line == 1 && heading.split(',').all(|name| says.contains(&format!("`{name}`"))), "{text:?}: {says}");
        assert!(says.contains("`columns` user=NAME") && says.contains("which column is the label in `label`"), "{says}");
    }
    // A line with another number of fields is told.
    for (text, says) in [
        ("user,item,rating\n1,2,3\n1,2,3,5\n", "more fields than the heading"),
        ("user,item,rating,time\n1,2,3,9\n1,2,3\n", "fewer fields than the heading"),
        ("\"userId\" \"movieId\" \"rating\"\n\"1\" 4 12 2.5\n", "more fields"),
    ] {
        let (line, _, found) = refused(text.as_bytes(), &PackSettings::default());
        assert!(line as usize == text.lines().count() && found.contains(says), "{text:?}: {found}");
    }
}

#[test]
fn columns_by_hand() {
    let table = [
        ("2020,7,19,3.5\n2021,8,19,4\n", "user=2,item=3,rating=4"),
        (",userId,movieId,rating\n0,7,19,3.5\n1,8,19,4\n", "user=2,item=3,rating=4"),
        ("when,who,what,how\n1,7,19,3.5\n2,8,19,4\n", "user=who,item=what,rating=how"),
        ("when,who,what,how\n1,7,19,3.5\n2,8,19,4\n", "rating=4,user=2,item=What"),
        ("user,song_id,artist_id,rating\n7,19,3,3.5\n8,19,4,4\n", "item=song_id"),
        ("who;what is it;how\n7;19;3,5\n8;19;4\n", "user=who,item=what is it,rating=how"),
        // As R writes it: the rows' names have no title.
        ("\"userId\" \"movieId\" \"rating\"\n\"1\" 7 19 3.5\n\"2\" 8 19 4\n", "user=2,item=3,rating=4"),
        ("7 19 3.5\n8 19 4 99\n", "user=1,item=2,rating=3"),
    ];
    for (text, columns) in table {
        let (_, found) = read_as(&[text.as_bytes()], &settings(None, Some(columns))).unwrap_or_else(|e| panic!("{text:?} {columns}: {e}"));
        assert_eq!(found, of(&[("7", "19", 3.5), ("8", "19", 4.0)]), "{text:?} {columns}");
    }
    for (text, columns, says) in [
        ("age,sex,pay\n30,1,100\n", "user=age,item=sex,rating=wage", "no column is called `wage`; the columns are: `age`, `sex`, `pay`"),
        ("age,sex,pay\n30,1,100\n", "user=1,item=2", "named as the rating"),
        ("30,1,100\n31,2,50\n", "user=1,item=2,rating=4", "no column 4"),
        ("30,1,100\n31,2,50\n", "user=a,item=b,rating=c", "no column is called `a`; the columns are: 3 without a heading"),
        ("user,item,rating\n1,2,3\n", "user=1,item=user,rating=3", "are one column"),
        ("a,b,NA\nc,d,4\n", "user=1,item=2,rating=3", "rating is no number"),
    ] {
        let (line, _, found) = refused(text.as_bytes(), &settings(None, Some(columns)));
        assert!(line == 1 && found.contains(says), "{text:?} {columns}: {found}");
    }
    let svmlight = read_as(&[b"1 1:1\n"], &settings(Some(Format::Svmlight), Some("user=1")));
    assert!(matches!(svmlight, Err(Error::BadSetting { setting: "columns", .. })), "{svmlight:?}");
}

#[test]
fn what_may_be_something_else_is_refused() {
    let table: [(&str, &str); 20] = [
        ("1 12 40\n0 7 33\n1 12 33\n", "bare indices"),
        ("1 3 7 9\n", "bare indices"),
        ("1 3 7 9\n0 2 5 8\n", "bare indices"),
        ("1 3 7\n0 2 5 8 11\n-1 4\n", "bare indices"),
        ("0 0 1 2 3 5\n1 127 128\n", "bare indices"),
        ("0 9 1 2 3 5\n1 127 12\n", "lists of whole numbers"),
        ("1,0.5,0.25\n0,0.1,0.9\n", "dense data"),
        ("1,0.5,0.25,0.125,7\n0,1,2,3,4\n", "dense data"),
        ("1 0.5 0.25\n0 0.1 0.9\n", "dense data"),
        ("1;0,5;0,25\n0;0,1;0,9\n", "dense data"),
        ("1 5 3\n0 2 7\n1 8 1\n", "dense data"),
        ("-1\t5\t3\n1\t2\t7\n", "dense data"),
        ("1,2,3,5\n2,2,4,5\n", "decimal comma"),
        ("7,19,881250949,3\n8,19,881250950,4\n", "other order"),
        ("7,19,978300760\n8,20,978300761\n", "looks like a time"),
        ("a,b,c,d,e\nf,g,h,i,j\n", "5 columns and no heading"),
        ("%%MatrixMarket matrix coordinate real general\n3 4 2\n1 2 3.5\n", "Matrix Market"),
        ("1,2,3\r4,5,6\n", "a carriage return (CR) alone"),
        ("{\"userId\": 1, \"movieId\": 2, \"rating\": 3}\n", "JSON"),
        ("PK\u{3}\u{4}xl/worksheets\n", "spreadsheet"),
    ];
    for (text, says) in table {
        let (line, _, found) = refused(text.as_bytes(), &PackSettings::default());
        assert!(line == 1 && found.contains(says), "{text:?}: {found}");
        assert_ne!(Format::detect(text.as_bytes()), Some(Format::Svmlight), "{text:?}");
        // The advice does not go in a circle: what it says works, or fails for another reason.
        let mut advice = Vec::new();
        if found.contains("`format` ratings") {
            advice.push(settings(Some(Format::Ratings), None));
        }
        if found.contains("`columns` user=1,item=2,rating=") {
            let rating = if found.contains("rating=4") { 4 } else { 3 };
            advice.push(settings(None, Some(&format!("user=1,item=2,rating={rating}"))));
        }
        for given in advice {
            if let Err(again) = read_as(&[text.as_bytes()], &given) {
                assert!(!again.to_string().contains(&found), "{text:?}: {again}");
            }
        }
    }
    let (report, found) = read_as(&[b"\xff\xfe1\0,\x002\0,\x003\0\n\0"], &PackSettings::default()).unwrap();
    assert!(found == of(&[("1", "2", 3.0)]) && report.notes[0].contains("UTF-16"), "{report:?}");
    let (report, found) = read_as(&[b"1,2,3\r4,5,6\r"], &PackSettings::default()).unwrap();
    assert!(found.len() == 2 && report.notes[0].contains("carriage returns"), "{report:?}");
    let ratings = settings(Some(Format::Ratings), None);
    let given = |text: &str| read_as(&[text.as_bytes()], &ratings).unwrap().1;
    assert_eq!(given("1 3 7 9\n"), of(&[("1", "3", 7.0)]));
    assert_eq!(given("1,0.5,0.25\n"), of(&[("1", "0.5", 0.25)]));
    assert_eq!(given("1 12 40\n0 7 33\n1 12 33\n")[1], ("0".into(), "7".into(), 33.0));
}

#[test]
fn doubtful_lines_are_named() {
    let none = PackSettings::default();
    for (text, line, says) in [
        ("1,2,3\n4 5 6\n", 2, "separated by commas, and here is none"),
        ("1\t2\t3\n4\t5\t6\nAnn Lee 5 6\n", 3, "separated by tabs, and here is none"),
        ("1;2;3\n4,5,6\n", 2, "separated by semicolons, and here is none"),
        ("1 2 3,5\n1 3 4\n", 1, "decimal comma"),
        ("1,2,\"3,5\"\n1,3,4\n", 1, "decimal comma"),
        ("1::2::3,5\n1::2::4\n", 1, "decimal comma"),
        ("Lee, Ann;42;3,5\n", 1, "both commas and semicolons could separate"),
        ("#a,5,3\nb,5,4\n", 1, "may be a comment"),
        ("1,2,3\nuser,item,rating\n4,5,6\n", 2, "no number"),
    ] {
        let (at, _, found) = refused(text.as_bytes(), &none);
        assert!(at == line && found.contains(says), "{text:?}: {at} {found}");
    }
    // One line with another mark does not sway the rest.
    assert_eq!(read("Lee, Ann;42;3,5\nBob;42;4\n")[0], ("Lee, Ann".into(), "42".into(), 3.5));
}

#[test]
fn between_commas_a_field_more_is_a_time() {
    let ratings = settings(Some(Format::Ratings), None);
    let by_hand = settings(None, Some("user=1,item=2,rating=3"));
    let mut late = "1,2,3\n".repeat(5_000);
    late += "1,2,3,5\n";
    let all_four = "1,2,3,4\n".repeat(300);
    for (text, line, column, says) in [
        ("1,2,3,5\n1,3,4\n", 1, 5, "decimal"),
        ("1,2,4\n1,2,978300760,5\n1,2,3,5\n", 2, 5, "decimal"),
        ("1,2,4\n1,2,3,978300760\n1,2,3,0.5\n", 3, 5, "decimal"),
        (&(all_four.clone() + "1,2,3\n"), 301, 1, "fewer fields"),
    ] {
        for given in [&ratings, &by_hand] {
            let (at, place, found) = refused(text.as_bytes(), given);
            assert!((at, place) == (line, column) && found.contains(says), "{text:.40}: {at}:{place} {found}");
        }
    }
    let (at, place, found) = refused(late.as_bytes(), &ratings);
    assert!((at, place) == (5_001, 5) && found.contains("decimal"), "{found}");
    assert_eq!(refused(b"1,2,4,\n1,2,3,5\n", &ratings).0, 2);
    let (at, _, found) = refused(b"1,2,4\n1,2,3,5\n", &PackSettings::default());
    assert!(at == 2 && found.contains("write 3.5 for 3,5") && !found.contains("`format`"), "{found}");
    assert_eq!(read_as(&[all_four.as_bytes()], &ratings).unwrap().1.len(), 300);
    // Lines of any length, which --columns allows.
    for text in ["1,2,3,5,6\n1,3,4,7,8,9\n1,3,4,7,8\n", "1,2,3\n1,3,4,7,8,9\n1,3,4\n"] {
        assert_eq!(read_as(&[text.as_bytes()], &by_hand).unwrap().1.len(), 3);
    }
    let pairs = PackSettings { unlabelled: true, ..settings(None, Some("user=1,item=2")) };
    assert_eq!(read_as(&[b"1,2\n1,3,5\n"], &pairs).unwrap().1.len(), 2);
    let (report, kept) = read_as(&[b"1,2,4\n1,2,3,5\n3,2,1\n"], &PackSettings { on_bad_row: OnBadRow::Skip, ..ratings.clone() }).unwrap();
    assert_eq!((report.skipped, kept), (1, of(&[("1", "2", 4.0), ("3", "2", 1.0)])));
    // Times may be missing, and need be no numbers; between other marks a comma is no separator.
    for text in ["1,2,3\n1,3,4,978300760\n1,4,4,20200101\n1,5,4,\n1,6,1,2020-01-01\n", "1;2;3\n1;3;4;5\n", "1 2 3\n1 3 4 5\n"] {
        assert_eq!(read_as(&[text.as_bytes()], &ratings).unwrap().1.len(), text.lines().count(), "{text:?}");
    }
}

#[test]
fn a_pair_is_no_time_unless_of_the_day() {
    let ratings = settings(Some(Format::Ratings), None);
    for text in ["1 2 3 1:1\n", "1\t2\t3\t7:0.5\n", "1,2,3,12:99\n", "1 2 3 24:00\n", "1 2 3 12:3\n", "1::2::3::1:1\n"] {
        let (line, _, found) = refused(text.as_bytes(), &PackSettings::default());
        assert!(line == 1 && found.contains("an index and a value"), "{text:?}: {found}");
        assert!(refused(text.as_bytes(), &ratings).2.contains("an index and a value"), "{text:?}");
    }
    assert_eq!(refused(b"1 2 3\n4 5 6\n1 2 3 1:1\n", &PackSettings::default()).0, 3);
    for time in ["12:30", "7:05", "23:59:59", "00:00", "\"1:1\"", "noon"] {
        assert_eq!(read(&format!("1 2 3 {time}\n")), of(&[("1", "2", 3.0)]), "{time}");
    }
}

#[test]
fn plain_ratings_are_not_doubted() {
    for text in [
        "1 122 5\n1 185 5\n1 231 5\n",
        "1 2 3\n2 2 4\n",
        "1 1 5\n2 1 3\n1 2 4\n",
        "0 5 3\n0 9 4\n1 5 1\n",
        "1 2 3\n",
        "196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
        "1,2,3.5,1112486027\n1,29,3.5,1112484676\n",
        "1.0,2.0,4.5\n3.0,2.0,1\n",
        "1::2::3::4\n",
        "user1,10,0\nuser2,11,1\n",
        "5 1 2 20200101\n5 2 2 20200102\n",
    ] {
        assert_eq!(Format::detect(text.as_bytes()), Some(Format::Ratings), "{text:?}");
        assert_eq!(read(text).len(), text.lines().count(), "{text:?}");
    }
    assert_eq!(Format::detect(b"spam 3:1 4:2\nham 7:1\n"), Some(Format::Svmlight));
    assert_eq!(Format::detect(b"3:1 4:2\n7:1 8:1\n"), Some(Format::Svmlight));
    // A row of counts before svmlight rows does not make these ratings.
    assert_eq!(Format::detect(b"6 5 3\n1 1:1\n0 2:1\n"), Some(Format::Svmlight));
    assert_eq!(Format::detect(b"1,1:0.5,3:2\n0,2:1,3:1\n"), Some(Format::Svmlight));
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/ratings.train.tsv");
    assert_eq!(Format::detect(&std::fs::read(shipped).unwrap()), Some(Format::Ratings));
}

#[test]
fn long_files_are_read_as_their_beginning() {
    // Several chunks, the heading in the first alone, in another order of columns.
    let mut text = String::from("rating,movie,user\n");
    for i in 0..200_000 {
        text += &format!("{},{},\"u {}\"\n", i % 5 + 1, i % 1000, i % 777);
    }
    let found = read(&text);
    assert_eq!((found.len(), &found[199_999]), (200_000, &(format!("u {}", 199_999 % 777), "999".into(), 5.0)));
    text += "5,7\n";
    let (line, _, says) = refused(text.as_bytes(), &PackSettings::default());
    assert!(line == 200_002 && says.contains("fewer fields"), "{line} {says}");
}
