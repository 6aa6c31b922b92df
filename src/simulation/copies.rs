//! Private copies of slots, as workers hold them: when they are exchanged, and which part of them.
use hogwild_kernels::part_due;

/// Which slots workers hold privately.
pub(super) struct Copies {
    pub workers: usize,
    /// How many, from the first.
    pub held: usize,
    /// Examples of a worker between two exchanges.
    pub every: usize,
    /// Slots of a cache line, which pass together.
    pub a_line: usize,
}

/// A worker's exchanges.
#[derive(Clone, Default)]
pub(super) struct Exchanges {
    examples: usize,
    exchanges: usize,
}

impl Copies {
    /// Cache lines that are held.
    pub fn lines(&self) -> usize {
        self.held.div_ceil(self.a_line)
    }

    /// Ends an example of a worker; how many lines, from the first, it then exchanges.
    pub fn end(&self, of: &mut Exchanges) -> usize {
        of.examples += 1;
        if self.held == 0 || !of.examples.is_multiple_of(self.every.max(1)) {
            return 0;
        }
        of.exchanges += 1;
        self.lines().div_ceil(part_due(of.exchanges))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_exchanged_each_so_many_examples() {
        let (copies, mut of) = (Copies { workers: 2, held: 320, every: 2, a_line: 8 }, Exchanges::default());
        let due: Vec<usize> = (0..32).map(|_| copies.end(&mut of)).collect();
        assert_eq!((&due[..8], due[31]), (&[0, 3, 0, 3, 0, 3, 0, 10][..], 40));
    }
}
