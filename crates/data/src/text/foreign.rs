//! Formats that are not read, told from how a text begins.

use crate::bytes::{blank, from, up_to};

const REWRITE: &str = "write each row as `label index:value index:value ...`, or each rating as `user item rating`; or give a table as CSV";

/// What a text is that is neither rows nor ratings, and what to do.
pub(crate) fn foreign(text: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    let line = lines(text).next().unwrap_or_default();
    const MARKS: [(&[u8], &str); 4] = [
        (b"PK\x03\x04", "this is a zip archive or a spreadsheet, which is not read (sparse matrices in .npz are, by the path of the file)"),
        (b"@relation", "this is an ARFF file, which is not read"),
        (b"%YAML", "this is YAML, which is not read"),
        (b"<?xml", "this is XML, which is not read"),
    ];
    if text.starts_with(b"version https://git-lfs") {
        return Some(("this is a pointer of Git LFS, and not the data that it stands for", "fetch the data by `git lfs pull`"));
    }
    if text.starts_with(b"PAR1") || text.starts_with(b"ARROW1\0") {
        const PATH: &str = "give the path of the file, not a pipe, and do not compress it; or give the table as CSV";
        return Some(("this is a file of Parquet or Arrow, which is read by its path alone", PATH));
    }
    let begins = |mark: &[u8]| up_to(text, mark.len()).eq_ignore_ascii_case(mark);
    let found = match MARKS.iter().find(|(mark, _)| begins(mark)) {
        Some((_, problem)) => problem,
        None if is_json(text) => "this is JSON, which is not read",
        None if is_xml(line) => "this is XML or HTML, which is not read",
        None if is_yaml(text, line) => "this is YAML, which is not read",
        None if lines(text).take(3).any(is_rule) => "this is a Markdown table, which is not read",
        None => return None,
    };
    Some((found, REWRITE))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii)
}

/// An object, or a list of anything but words.
fn is_json(text: &[u8]) -> bool {
    let inside = from(text, 1).trim_ascii_start().first();
    match text.first() {
        Some(b'{') => matches!(inside, Some(b'"' | b'}')),
        Some(b'[') => inside.is_some_and(|byte| matches!(byte, b'{' | b'[' | b'"' | b']' | b'-' | b'0'..=b'9')) && is_list(text),
        _ => false,
    }
}

/// Whether the bracket is not closed in its own line, or ends it: `[1] 2 3` is a rating by someone called `[1]`.
fn is_list(text: &[u8]) -> bool {
    let line = lines(text).next().unwrap_or_default();
    !line.contains(&b']') || line.ends_with(b"]") || line.ends_with(b",")
}

/// A line that begins with a tag, or with a comment or declaration.
fn is_xml(line: &[u8]) -> bool {
    line.first() == Some(&b'<') && line.get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'!') && line.contains(&b'>')
}

/// A mark of its beginning, or `key: value` in the first two lines, perhaps behind a dash.
fn is_yaml(text: &[u8], line: &[u8]) -> bool {
    let is_pair = |line: &[u8]| {
        let line = line.strip_prefix(b"- ").unwrap_or(line).trim_ascii_start();
        let key = line.iter().position(|&byte| byte == b':' || blank(byte)).unwrap_or(0);
        let is_key = line.first().is_some_and(u8::is_ascii_alphabetic) && line.get(key) == Some(&b':');
        is_key && line.get(key + 1).is_none_or(|&byte| blank(byte))
    };
    line == b"---" || line.contains(&b':') && lines(text).filter(|line| !line.is_empty()).take(2).all(is_pair)
}

/// The line below a heading: dashes between bars.
fn is_rule(line: &[u8]) -> bool {
    line.contains(&b'|') && line.contains(&b'-') && line.iter().all(|byte| b"|-: \t".contains(byte))
}
