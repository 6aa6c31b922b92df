//! What stands before the numbers of a `.npy` array (NumPy's NEP 1): the type of an element, and the shape.

use std::io::Read;

/// The longest header that is read: NumPy writes some hundred bytes.
const LONGEST: usize = 1 << 16;

/// The header of an array.
#[derive(Debug, PartialEq)]
pub struct NpyHeader {
    /// The type of an element, such as `<f4`.
    pub kind: String,
    /// Elements along each axis.
    pub shape: Vec<usize>,
    /// Whether it lies column by column.
    pub fortran: bool,
    /// Bytes before the first element.
    pub length: usize,
}

impl NpyHeader {
    /// Reads what stands before the numbers; the error says what the array has or lacks.
    pub fn read(file: &mut impl Read) -> Result<NpyHeader, String> {
        let mut exact = |count: usize| {
            let mut bytes = vec![0; count];
            file.read_exact(&mut bytes).map(|()| bytes).map_err(|problem| format!("is cut short ({problem})"))
        };
        let digits = match exact(8)?.as_slice() {
            b"\x93NUMPY\x01\x00" => 2,
            [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, 0] => 4,
            _ => return Err("is none of NumPy".into()),
        };
        let text_length = exact(digits)?.iter().rev().fold(0usize, |length, &byte| length << 8 | usize::from(byte));
        if text_length > LONGEST {
            return Err("has no head that this program reads".into());
        }
        let text = exact(text_length)?;
        let found = std::str::from_utf8(&text).ok().and_then(NpyHeader::parse);
        let (kind, shape, fortran) = found.ok_or("has no head that this program reads")?;
        Ok(NpyHeader { kind, shape, fortran, length: 8 + digits + text_length })
    }

    /// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
    fn parse(text: &str) -> Option<(String, Vec<usize>, bool)> {
        let after = |key: &str| text.split_once(key).map(|(_, rest)| rest.trim_start_matches([':', ' ']));
        let kind = after("'descr'")?.strip_prefix('\'')?.split_once('\'')?.0.to_owned();
        let (sizes, _) = after("'shape'")?.strip_prefix('(')?.split_once(')')?;
        let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
        let shape = sizes.map(|size| size.parse().ok()).collect::<Option<_>>()?;
        Some((kind, shape, after("'fortran_order'").is_some_and(|rest| rest.starts_with("True"))))
    }

    /// How many elements there are, where that is a number.
    pub fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<NpyHeader, String> {
        let bytes = [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), b"rest"].concat();
        NpyHeader::read(&mut bytes.as_slice())
    }

    #[test]
    fn headers_are_read() {
        let found = header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n").unwrap();
        assert_eq!((found.kind.as_str(), found.shape.as_slice(), found.fortran, found.count()), ("<f4", &[3, 4][..], false, Some(12)));
        assert_eq!(found.length, 10 + 60);
        assert_eq!(header("{'descr': '|S3', 'fortran_order': True, 'shape': (), }").unwrap().count(), Some(1));
        assert_eq!(header("{'descr': '<f4', 'shape': (18446744073709551615, 2)}").unwrap().count(), None);
        for (text, says) in [
            ("", "no head"),
            ("{'descr': [('a', '<f4')], 'shape': (3,)}", "no head"),
            ("{'descr': '<f4', 'shape': (-3,)}", "no head"),
            ("{'descr': '<f4'}", "no head"),
        ] {
            assert!(header(text).unwrap_err().contains(says), "{text}");
        }
        assert_eq!(NpyHeader::read(&mut &b"hello, world"[..]), Err("is none of NumPy".into()));
        assert!(NpyHeader::read(&mut &b"\x93NUMPY\x01\x00\xff"[..]).unwrap_err().contains("cut short"));
        assert!(NpyHeader::read(&mut &b"\x93NUMPY\x02\x00\xff\xff\xff\x7f"[..]).unwrap_err().contains("no head"));
    }
}
