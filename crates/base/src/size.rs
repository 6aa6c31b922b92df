//! Sizes in bytes as text for people.

/// A size in the unit that suits it.
pub(crate) fn text(bytes: u64) -> String {
    let bytes = bytes as f64;
    let (size, unit) = [(1e15, "PB"), (1e12, "TB"), (1e9, "GB")].into_iter().find(|&(size, _)| bytes >= size).unwrap_or((1e6, "MB"));
    format!("{:.1} {unit}", bytes / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_grows_with_the_size() {
        let sizes = [(4096, "0.0 MB"), (16 << 20, "16.8 MB"), (1 << 30, "1.1 GB"), (1 << 40, "1.1 TB"), (3 << 50, "3.4 PB")];
        for (bytes, expected) in sizes {
            assert_eq!(text(bytes), expected);
        }
    }
}
