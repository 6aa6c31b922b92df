//! Features as numbers below a power of two: the hashing trick (Weinberger et al. 2009), for those who want a bound of memory.
//!
//! The hash is XXH3 of 64 bits, of which the lowest are taken: of the name, or of the eight bytes of an index, little-endian. It is kept in no
//! file and must stay what it is, since models are used by it. Values of features that fall together add up; they have no sign.

use xxhash_rust::xxh3::xxh3_64;

pub(crate) fn hash_of_name(name: &[u8], bits: u32) -> u32 {
    lowest(xxh3_64(name), bits)
}

pub(crate) fn hash_of_number(number: u64, bits: u32) -> u32 {
    lowest(xxh3_64(&number.to_le_bytes()), bits)
}

fn lowest(hash: u64, bits: u32) -> u32 {
    (hash & ((1 << bits) - 1)) as u32
}

/// What is told of features that were hashed into `used` columns: about how many there are, and which share has no column of its own.
///
/// Of n features each of m columns stays empty with probability (1 - 1/m)^n: from what is used n follows. A feature is alone with
/// probability (1 - 1/m)^(n - 1).
pub(crate) fn told(used: u64, bits: u32) -> String {
    let columns = 1u64 << bits;
    if used >= columns {
        return format!("all {columns} columns that features are hashed to are used, most by several features; more `hash_bits` part them");
    }
    let empty = (-1.0 / columns as f64).ln_1p();
    let features = (-(used as f64) / columns as f64).ln_1p() / empty;
    let shared = 100.0 * (1.0 - ((features - 1.0).max(0.0) * empty).exp());
    format!("features are hashed to {used} of {columns} columns: about {features:.0} features, of which {shared:.1}% share one")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn hashes_stay_what_they_are() {
        assert_eq!((hash_of_name(b"city=Rome", 18), hash_of_number(7, 18)), (HASHES[0], HASHES[1]));
        assert_eq!(hash_of_name(b"city=Rome", 4), HASHES[0] % 16);
    }

    /// By `xxhash.xxh3_64_intdigest` of Python's package xxhash: of `city=Rome`, and of 7 as eight bytes.
    const HASHES: [u32; 2] = [84_554, 104_111];

    #[test]
    fn collisions_are_told_as_they_are() {
        for (count, bits) in [(1_000, 18), (50_000, 16), (300_000, 18)] {
            let mut columns: HashMap<u32, u32> = HashMap::new();
            (0..count).for_each(|i| *columns.entry(hash_of_name(format!("word{i}").as_bytes(), bits)).or_default() += 1);
            let shared: u32 = columns.values().filter(|&&features| features > 1).sum();
            let told = told(columns.len() as u64, bits);
            let number = |front: &str, end: &str| {
                let rest = told.split_once(front).unwrap().1;
                rest.split_once(end).unwrap().0.parse::<f64>().unwrap()
            };
            let (features, share) = (number("about ", " features"), number("of which ", "%"));
            assert!((features / f64::from(count) - 1.0).abs() < 0.01, "{told}");
            assert!((share - 100.0 * f64::from(shared) / f64::from(count)).abs() < 1.0, "{told}");
        }
        assert!(told(16, 4).contains("all 16 columns"));
    }
}
