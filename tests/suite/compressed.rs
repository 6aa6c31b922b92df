//! Text as other programs compress it: it is read as the plain text is, from files and from standard input, and damage is refused.
//! `tests/compressed/generate.sh` wrote the files.

use crate::support::command::{given, message};
use hogwild::data::{PackSettings, pack};
use hogwild::{Error, Result};
use std::{fmt::Write, fs, path::Path};

/// A name, its bytes, and whether a checksum covers all of its text.
const FILES: [(&str, &[u8], bool); 8] = [
    ("whole.zst", include_bytes!("../compressed/whole.zst"), true),
    ("long.zst", include_bytes!("../compressed/long.zst"), false),
    ("frames.zst", include_bytes!("../compressed/frames.zst"), false),
    ("pzstd.zst", include_bytes!("../compressed/pzstd.zst"), true),
    ("crc64.xz", include_bytes!("../compressed/crc64.xz"), true),
    ("sha256.xz", include_bytes!("../compressed/sha256.xz"), true),
    ("blocks.xz", include_bytes!("../compressed/blocks.xz"), true),
    ("streams.xz", include_bytes!("../compressed/streams.xz"), false),
];

/// Of several chunks.
fn text() -> String {
    let mut text = String::new();
    for row in 0..90_000 {
        let label = if row % 3 == 0 { "-1" } else { "+1" };
        writeln!(text, "{label} {}:1 {}:0.5 {}:2", 1 + row % 7, 10 + row % 11, 30 + row / 30_000).unwrap();
    }
    text
}

/// What packing gives, as bytes.
fn packed(folder: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    let (input, out) = (folder.join("input"), folder.join("out"));
    fs::write(&input, bytes).unwrap();
    pack(&[input], &out, &PackSettings::default())?;
    Ok(fs::read(out).unwrap())
}

/// What is wrong with a file, which must be named.
fn refused(folder: &Path, bytes: &[u8]) -> String {
    match packed(folder, bytes) {
        Err(Error::BadFile { path, problem, .. }) if path == folder.join("input") => problem,
        other => panic!("{:?}", other.map(|bytes| bytes.len())),
    }
}

#[test]
fn files_of_other_programs_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let plain = packed(folder.path(), text().as_bytes()).unwrap();
    let piped = |name: &str, bytes: &[u8]| {
        let output = given(folder.path(), "pack - --out piped.safetensors", bytes);
        assert!(output.status.success(), "{name}: {}", message(&output));
        fs::read(folder.path().join("piped.safetensors")).unwrap()
    };
    let plain_piped = piped("plain", text().as_bytes());
    for (name, bytes, _) in FILES {
        assert!(packed(folder.path(), bytes).unwrap() == plain, "{name}");
        assert!(piped(name, bytes) == plain_piped, "{name} from standard input");
    }
}

#[test]
fn what_was_cut_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, _) in FILES {
        for length in [6, 7, 9, 13] {
            refused(folder.path(), &bytes[..length]);
        }
        for cut in [1, 80] {
            refused(folder.path(), &bytes[..bytes.len() - cut]);
        }
        // These two end in what holds no text: a file may end before it, too.
        if matches!(name, "frames.zst" | "streams.xz") {
            continue;
        }
        for cut in [1, 2, 3, 5].into_iter().chain((23..bytes.len() / 4).step_by(1 + bytes.len() / 30)) {
            let problem = refused(folder.path(), &bytes[..bytes.len() - cut]);
            assert!(problem.contains("cut short"), "{name} without {cut}: {problem}");
        }
    }
}

#[test]
fn damage_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plain = packed(folder.path(), text().as_bytes()).unwrap();
    for (name, bytes, _) in FILES.into_iter().filter(|(.., covered)| *covered) {
        let (mut tried, mut seen) = (0, 0);
        for at in (6..bytes.len()).step_by(1 + bytes.len() / 25) {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1 << (at % 8);
            tried += 1;
            match packed(folder.path(), &damaged) {
                // A row may look bad before its checksum is read.
                Err(Error::BadFile { path, .. } | Error::BadRow { path, .. }) => seen += usize::from(path == folder.path().join("input")),
                Err(problem) => panic!("{name}, byte {at}: {problem}"),
                // Some bits mean nothing.
                Ok(bytes) => assert!(bytes == plain, "{name}, byte {at}"),
            }
        }
        assert!(seen * 10 >= tried * 9, "{name}: {seen} of {tried}");
        refused(folder.path(), &[bytes, b"1 1:1\n"].concat());
    }
    // The last bytes of a frame are its checksum.
    let (_, whole, _) = FILES[0];
    let (text, sum) = whole.split_at(whole.len() - 4);
    for bit in [0, 13, 31] {
        let sum = u32::from_le_bytes(sum.try_into().unwrap()) ^ 1 << bit;
        assert!(refused(folder.path(), &[text, &sum.to_le_bytes()].concat()).contains("checksum"));
    }
}

#[test]
fn frames_are_held_to_what_they_state() {
    let folder = tempfile::tempdir().unwrap();
    // A header of one segment, of which it states the length; then one block, as it is.
    let frame = |length: u8, text: &[u8]| [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, length, (text.len() as u8) << 3 | 1, 0, 0], text].concat();
    let (first, second) = (b"1 1:1\n", b"-1 2:1\n");
    let plain = packed(folder.path(), b"1 1:1\n-1 2:1\n").unwrap();
    assert!(packed(folder.path(), &[frame(6, first), frame(7, second)].concat()).unwrap() == plain);
    assert!(refused(folder.path(), &[frame(6, first), frame(8, second)].concat()).contains("length"));
    // Frames may divide a line, and a frame without text is none.
    assert!(packed(folder.path(), &[frame(6, first), frame(1, b"-"), frame(0, b""), frame(6, &second[1..])].concat()).unwrap() == plain);
    // Twice the window that is granted: 256 MiB.
    let window = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x90, 6 << 3 | 1, 0, 0], &first[..]].concat();
    assert!(refused(folder.path(), &window).to_lowercase().contains("window"));
    // Nothing is no more than nothing that is plain.
    let empty = packed(folder.path(), b"").unwrap_err().to_string();
    assert_eq!(packed(folder.path(), &frame(0, b"")).unwrap_err().to_string(), empty);
}
