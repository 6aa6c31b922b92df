//! How the labels, or the ratings, of a text are, counted while it is packed.

/// How the labels, or the ratings, are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetCounts {
    /// The smallest.
    pub min: f32,
    /// How many are the smallest.
    pub min_count: u64,
    /// The largest.
    pub max: f32,
    /// How many are the largest.
    pub max_count: u64,
    /// How many are given.
    pub count: u64,
    /// How many are 1.
    pub plus: u64,
    /// How many are neither -1, nor 0, nor 1.
    pub others: u64,
}

impl TargetCounts {
    pub(crate) const NONE: TargetCounts =
        TargetCounts { min: f32::INFINITY, min_count: 0, max: f32::NEG_INFINITY, max_count: 0, count: 0, plus: 0, others: 0 };

    /// Of some numbers; NaN stands for none. In lanes, as each is looked at while its chunk is packed: one by one takes 8% of that.
    pub(crate) fn of(targets: &[f32]) -> TargetCounts {
        const LANES: usize = 16;
        let (mut min, mut max) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let (mut count, mut plus, mut signs) = ([0u32; LANES], [0u32; LANES], [0u32; LANES]);
        let (whole, rest) = targets.as_chunks::<LANES>();
        for part in whole {
            for lane in 0..LANES {
                let x = part[lane];
                min[lane] = if x < min[lane] { x } else { min[lane] };
                max[lane] = if x > max[lane] { x } else { max[lane] };
                count[lane] += u32::from(!x.is_nan());
                plus[lane] += u32::from(x == 1.0);
                signs[lane] += u32::from((x == 0.0) | (x == -1.0));
            }
        }
        for &x in rest {
            (min[0], max[0]) = (min[0].min(x), max[0].max(x));
            count[0] += u32::from(!x.is_nan());
            plus[0] += u32::from(x == 1.0);
            signs[0] += u32::from((x == 0.0) | (x == -1.0));
        }
        let sum = |lanes: [u32; LANES]| lanes.into_iter().map(u64::from).sum::<u64>();
        let (count, plus) = (sum(count), sum(plus));
        let (min, max) = (min.into_iter().fold(f32::INFINITY, f32::min), max.into_iter().fold(f32::NEG_INFINITY, f32::max));
        let equal = |to: f32| targets.iter().map(|&x| u32::from(x == to)).sum::<u32>().into();
        TargetCounts { min, min_count: equal(min), max, max_count: equal(max), count, plus, others: count - plus - sum(signs) }
    }

    pub(crate) fn join(self, more: TargetCounts) -> TargetCounts {
        let (count, plus, others) = (self.count + more.count, self.plus + more.plus, self.others + more.others);
        let (min, max) = (self.min.min(more.min), self.max.max(more.max));
        let min_count = [self, more].iter().filter(|part| part.min == min).map(|part| part.min_count).sum();
        let max_count = [self, more].iter().filter(|part| part.max == max).map(|part| part.max_count).sum();
        TargetCounts { min, min_count, max, max_count, count, plus, others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_find_what_one_by_one_does() {
        let targets: Vec<f32> = (0..1000).map(|i| [1.0, -1.0, 0.0, 2.5, -7.0][i * i % 5] + (i == 37) as u8 as f32 * 100.0).collect();
        for n in [0, 1, 15, 16, 17, 38, 1000] {
            let found = TargetCounts::of(&targets[..n]);
            let count = |of: fn(f32) -> bool| targets[..n].iter().filter(|&&x| of(x)).count() as u64;
            assert_eq!(found.min, targets[..n].iter().copied().fold(f32::INFINITY, f32::min));
            assert_eq!(found.max, targets[..n].iter().copied().fold(f32::NEG_INFINITY, f32::max));
            assert_eq!((found.plus, found.others), (count(|x| x == 1.0), count(|x| ![1.0, 0.0, -1.0].contains(&x))));
            let equal = |to: f32| targets[..n].iter().filter(|&&x| x == to).count() as u64;
            assert_eq!((found.min_count, found.max_count), (equal(found.min), equal(found.max)));
            for cut in [0, n / 3, n] {
                assert_eq!(TargetCounts::of(&targets[..cut]).join(TargetCounts::of(&targets[cut..n])), found);
            }
        }
    }
}
