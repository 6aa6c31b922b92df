//! Text that is no rows and no ratings, or not quite: refused by its name, or read where there is no doubt.
use crate::support::data::{read_as, triples};
use hogwild::{
    Error,
    data::{Data, PackSettings},
};

/// User, item and rating of each line, in a row of words.
fn ratings(text: &str, settings: &PackSettings) -> String {
    let Ok((_, Data::Ratings(data))) = read_as(text, settings) else { panic!("{text:?}: {:?}", read_as(text, settings)) };
    triples(&data).into_iter().map(|(user, item, rating)| format!("{user} {item} {rating}")).collect::<Vec<_>>().join(", ")
}

/// Refused at this line, with this message.
fn refused(text: &str, settings: &PackSettings, at: u64, says: &str) {
    match read_as(text, settings) {
        Err(Error::BadRow { line, problem, remedy, .. }) => {
            assert!(line == at && format!("{problem}; {remedy}").contains(says), "{text:?}: {line}: {problem}; {remedy}");
        }
        other => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn dense_tables_are_no_ratings() {
    let none = PackSettings::default();
    for text in
        ["0.1,0.7,0.3,setosa\n1,0.5,0.2,virginica\n", "2020-01-01,0.5,0.3\n2020-01-02,0.25,0.1\n", "0.1,0.7,0.3,\"a\"\n5,0.7,2,\"b\"\n"]
    {
        refused(text, &none, 1, "dense data");
    }
    for text in ["user,item,id\n1,2,3\n4,5,6\n", "id,user,item\n1,2,3\n4,5,6\n", "user,item,review_id\n1,2,3\n"] {
        refused(text, &none, 1, "no column is named as the rating; the columns are: ");
        refused(text, &none, 1, "`columns`");
    }
    // Names may hold numbers, and likes are ratings.
    assert_eq!(ratings("7.5,a,3\nb,c,4\n", &none), "7.5 a 3, b c 4");
    assert_eq!(ratings("34,2,1\n51,0,0\n", &none), "34 2 1, 51 0 0");
}

#[test]
fn comments_stand_between_ratings() {
    let none = PackSettings::default();
    assert_eq!(ratings("1 2 3\n# the second half begins here\n#\n#end\n2 2 4\n", &none), "1 2 3, 2 2 4");
    assert_eq!(ratings("user,item,rating\n1,2,3\n# more, later\n2,2,4\n", &none), "1 2 3, 2 2 4");
    assert_eq!(ratings("a,2,3\n#b,2,4\n# c,2,4\n", &none), "a 2 3, #b 2 4, # c 2 4");
    // Whose name begins so may have a bad rating.
    refused("a,2,3\n#b,2,x\n", &none, 2, "the rating is no number");
    let unlabelled = PackSettings { unlabelled: true, ..none };
    assert_eq!(ratings("1 2\n# none yet\n3 4\n", &unlabelled), "1 2 NaN, 3 4 NaN");
    assert_eq!(ratings("a,2\n#b,2\n", &unlabelled), "a 2 NaN, #b 2 NaN");
}

#[test]
fn names_of_rows_are_not_read() {
    let none = PackSettings::default();
    for text in ["\"user\" \"item\" \"rating\"\n\"1\" 7 2 3.5\n\"2\" 8 2 4\n", "user,item,rating\n1,7,2,3.5\n2,8,2,4\n"] {
        assert_eq!(ratings(text, &none), "7 2 3.5, 8 2 4");
        assert!(read_as(text, &none).unwrap().0.notes[0].contains("not read: column 1 (without a name)"));
    }
    // The names of the last column, then, are missing.
    refused("user,item,rating\n1,2,3,978300760\n2,2,4,978300761\n", &none, 2, "more fields than the heading");
    refused("user,item,rating\n7,2,3,1\n7,3,4,1\n", &none, 2, "more fields than the heading");
    assert_eq!(ratings("user,item,rating\n1,2,3,\n2,2,4,\n", &none), "1 2 3, 2 2 4");
}

#[test]
fn a_mark_with_a_tab_is_the_mark() {
    let none = PackSettings::default();
    assert_eq!(ratings("1,\t2,\t3\n4,\t2,\t5\n", &none), "1 2 3, 4 2 5");
    assert_eq!(ratings("rating,\tuser,\titem\n1;a,\t2,\t3\n", &PackSettings { unlabelled: true, ..none.clone() }), "2 3 NaN");
    assert_eq!(ratings("a,\t2\t3\nb\t2\t4\n", &none), "a, 2 3, b 2 4");
}

#[test]
fn what_is_read_by_nobody_is_named() {
    let none = PackSettings::default();
    for (text, says) in [
        ("{\n  \"user\": 1\n}\n", "this is JSON"),
        ("[\n  {\"user\": 1, \"item\": 2}\n]\n", "this is JSON"),
        ("[[1, 2, 3],\n [2, 2, 4]]\n", "this is JSON"),
        ("<?xml version=\"1.0\"?>\n<ratings/>\n", "this is XML"),
        ("<!DOCTYPE html>\n<html>\n", "this is XML or HTML"),
        ("<ratings>\n  <rating user=\"1\"/>\n</ratings>\n", "this is XML or HTML"),
        ("---\nuser: 1\n", "this is YAML"),
        ("- user: 1\n  item: 2\n  rating: 3\n", "this is YAML"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:12ab\nsize 7\n", "git lfs pull"),
        ("| user | item | rating |\n|------|:----:|-------:|\n| 1 | 2 | 3 |\n", "this is a Markdown table"),
        ("user | item | rating\n--- | --- | ---\n1 | 2 | 3\n", "this is a Markdown table"),
        ("Ratings of 2020\nuser,item,rating\n1,2,3\n", "stands above the heading"),
        ("1 age:1 sex:2\n0 age:3\n", "number the names"),
        ("1 a=1 b=2\n0 a=3 b=1\n", "a named feature, with `=`"),
        ("1 1 :1 2 :1\n0 1 :2 3 :1\n", "a blank stands before the colon"),
    ] {
        refused(text, &none, 1, says);
    }
    assert_eq!(ratings("[1] 2 3\n{2} 2 4\n", &none), "[1] 2 3, {2} 2 4");
    assert_eq!(ratings("1 | 2 | 3\n4 | 2 | 5\n", &none), "1 2 3, 4 2 5");
}
