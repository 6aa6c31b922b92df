//! Text that is no rows and no ratings, or not quite: refused by its name, or read where there is no doubt.
use hogwild::{
    Error,
    data::{PackReport, PackSettings, Packed, Ratings, pack},
};
use std::sync::atomic::Ordering::Relaxed;

fn read_as(text: &str, settings: &PackSettings) -> Result<(PackReport, Packed), Error> {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("input"), folder.path().join("out.safetensors"));
    std::fs::write(&input, text).unwrap();
    let report = pack(&[input], &out, settings, &|_, _| ())?;
    Ok((report, Packed::open(&out)?))
}

/// User, item and rating of each line, in a row of words.
fn ratings(text: &str, settings: &PackSettings) -> String {
    let Ok((_, Packed::Ratings(data))) = read_as(text, settings) else { panic!("{text:?}: {:?}", read_as(text, settings)) };
    let one = |data: &Ratings, i: usize| {
        let (users, items) = (data.user_ids().unwrap(), data.item_ids().unwrap());
        let (user, item) = (data.user_cells()[i].load(Relaxed) as usize, data.item_cells()[i].load(Relaxed) as usize);
        format!("{} {} {}", users.name(user), items.name(item), f32::from_bits(data.rating_cells()[i].load(Relaxed)))
    };
    (0..data.len()).map(|i| one(&data, i)).collect::<Vec<_>>().join(", ")
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
        refused(text, &none, 1, "--columns");
    }
    // Names may hold numbers, and likes are ratings.
    assert_eq!(ratings("7.5,a,3\nb,c,4\n", &none), "7.5 a 3, b c 4");
    assert_eq!(ratings("34,2,1\n51,0,0\n", &none), "34 2 1, 51 0 0");
}
