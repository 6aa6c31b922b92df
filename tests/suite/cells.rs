//! Cells of a table are read by their places, most of them without making the name of their feature. However a cell is written, and whichever
//! way it goes, the packed file is the same to the byte.
use crate::support::data::named_rows;
use hogwild::data::{Data, PackSettings, pack};
use std::{fs, path::Path};

/// Words of all lengths, some in many rows, and missing ones.
fn word(row: u64, column: u64) -> String {
    let number = (row * 31 + column).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    match number % 11 {
        0 => String::new(),
        1 => ["NA", "null", "nan", "?"][number as usize / 11 % 4].into(),
        2 => format!("née{}", number % 5),
        3 => format!("a longer word, number {}", number % 50),
        4 => format!("{}", number % 7),
        _ => "abcdefghijklm"[..1 + number as usize % 12].to_owned() + &(number % 300).to_string(),
    }
}

fn packed(folder: &Path, text: &str) -> Vec<u8> {
    let (path, out) = (folder.join("t.csv"), folder.join("t.safetensors"));
    fs::write(&path, text).unwrap();
    pack(&[path], &out, &PackSettings::default()).unwrap();
    fs::read(out).unwrap()
}

#[test]
fn however_cells_are_written_the_file_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    // Several chunks, so that words are met by both workers, and again.
    let table = |cell: &dyn Fn(String) -> String, end: &str| {
        let head = format!("y,a,b,c,n,d{end}");
        (0..60_000u64).fold(head, |text, row| {
            let cells = [(row % 2).to_string(), word(row, 1), word(row, 2), word(row, 3), (row % 90).to_string(), word(row, 5)];
            text + &cells.map(cell).join(",") + end
        })
    };
    let plain = |cell: String| if cell.contains(',') { format!("\"{cell}\"") } else { cell };
    let quoted = |cell: String| if cell.is_empty() { cell } else { format!("\"{cell}\"") };
    let expected = packed(folder.path(), &table(&plain, "\n"));
    assert!(expected == packed(folder.path(), &table(&quoted, "\n")), "in quotes");
    assert!(expected == packed(folder.path(), &table(&plain, "\r\n")), "with carriage returns");
    assert!(expected == packed(folder.path(), &table(&|cell| format!(" {} ", plain(cell)), "\n")), "between blanks");
}

#[test]
fn words_are_those_of_their_columns_whatever_the_order_of_these() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("1.csv"), folder.path().join("2.csv"));
    let rows = |cells: &str| format!("{cells}\n").repeat(1000);
    fs::write(&first, format!("y,a,b\n{}", rows("1,u,v\n0,v,u"))).unwrap();
    let out = folder.path().join("t.safetensors");
    fs::write(&second, format!("b,y,a\n{}", rows("v,1,u\nu,0,v"))).unwrap();
    let report = pack(&[first, second], &out, &PackSettings::default()).unwrap();
    assert_eq!((report.rows, report.columns, report.nonzeros), (4000, 4, 8000));
    let Data::Rows(data) = Data::open(&out).unwrap() else { panic!("no rows") };
    for (number, (label, features)) in named_rows(&data).into_iter().enumerate() {
        let expected = if label > 0.0 { ["a=u", "b=v"] } else { ["a=v", "b=u"] };
        assert_eq!(features.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected, "{number}");
    }
}
