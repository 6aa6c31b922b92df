//! How much of a data set is held in memory at a time: a setting, and what it comes to.
use std::fmt::{Display, Formatter};

use crate::Rows;
use hogwild_base::memory;

/// How much of the training data is held in memory at a time, where they are sparse rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// All, if there is memory for it; otherwise a power of two, 3/8 to 3/4 of what there is. So the order of examples may depend on what
    /// else is in memory: give a number where it may not.
    Auto,
    /// All.
    Off,
    /// About so many bytes, at least [`Window::LEAST`].
    Bytes(u64),
}

impl Window {
    /// The least number of bytes.
    pub const LEAST: u64 = 4 << 20;

    /// Reads `auto`, `off` or a number of bytes, as in `512M` or `2g` (of powers of 1024).
    ///
    /// # Errors
    /// For anything else: what it must be.
    pub fn parse(text: &str) -> Result<Window, &'static str> {
        let text = text.to_ascii_lowercase();
        let digits = text.trim_end_matches(['k', 'm', 'g', 't']);
        let shift = match &text[digits.len()..] {
            "" => Some(0),
            "k" => Some(10),
            "m" => Some(20),
            "g" => Some(30),
            "t" => Some(40),
            _ => None,
        };
        let bytes = || digits.parse::<u64>().ok()?.checked_mul(1 << shift?);
        match (text.as_str(), bytes()) {
            ("auto", _) => Ok(Window::Auto),
            ("off", _) => Ok(Window::Off),
            (_, Some(bytes)) => Ok(Window::Bytes(bytes)),
            _ => Err("must be auto, off or a size such as 512M or 2G"),
        }
    }

    /// How many bytes of a data set to hold at a time, with so many bytes needed beside them; `None`: all.
    pub fn of(self, data: &Rows, beside: u64) -> Option<u64> {
        let bytes = match self {
            Window::Off => return None,
            _ if !data.is_mapped() => return None, // all of it is in memory
            Window::Bytes(bytes) => bytes,
            Window::Auto => {
                let room = memory::available()?.saturating_sub(beside);
                if data.bytes() <= room / 4 * 3 {
                    return None;
                }
                (1 << (room / 4 * 3).max(1).ilog2()).max(Window::LEAST)
            }
        };
        (bytes < data.bytes()).then_some(bytes)
    }
}

/// Text that [`Window::parse`] reads.
impl Display for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Window::Auto => write!(f, "auto"),
            Window::Off => write!(f, "off"),
            Window::Bytes(bytes) => match bytes.trailing_zeros() / 10 {
                _ if *bytes == 0 => write!(f, "0"),
                0 => write!(f, "{bytes}"),
                n @ 1..=3 => write!(f, "{}{}", bytes >> (10 * n), ["K", "M", "G"][n as usize - 1]),
                _ => write!(f, "{}T", bytes >> 40),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_shown() {
        for (text, window) in [
            ("auto", Window::Auto),
            ("off", Window::Off),
            ("1234567", Window::Bytes(1_234_567)),
            ("96K", Window::Bytes(96 << 10)),
            ("512M", Window::Bytes(512 << 20)),
            ("2G", Window::Bytes(2 << 30)),
            ("3T", Window::Bytes(3 << 40)),
        ] {
            assert_eq!((Window::parse(text).unwrap(), window.to_string().as_str()), (window, text));
        }
        assert_eq!((Window::parse("2g"), Window::parse("AUTO")), (Ok(Window::Bytes(2 << 30)), Ok(Window::Auto)));
        for text in ["", "M", "-1", "1.5G", "2GG", "99999999T", "none", "2µ"] {
            assert!(Window::parse(text).is_err(), "{text}");
        }
    }
}
