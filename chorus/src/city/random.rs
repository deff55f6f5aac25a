//! A small generator of our own (SplitMix64): the same seed gives the same city on every machine and in every version.

/// A stream of numbers that a seed determines. Not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

/// The odd constant of SplitMix64: the golden ratio's fraction in 64 bits.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The largest mean that one round of Knuth's method takes: beyond it `exp(-mean)` loses its digits.
const ROUND: f64 = 16.0;

impl Random {
    /// A stream of its own for each combination of parts, so that no stream depends on how often another was asked.
    pub(super) fn of(parts: &[u64]) -> Self {
        let mut random = Self(0);
        for part in parts {
            random.0 ^= *part;
            random.0 = random.next();
        }
        random
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 up to, but without, `limit`; 0 for a limit of 0. The bias is below `limit / 2^64`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(limit);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// An index into something of this length; 0 when it is empty.
    pub(super) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// A number from 0 up to, but without, 1.
    #[allow(clippy::cast_precision_loss)] // 53 bits are just what fits
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A moment within a second, in microseconds.
    pub(super) fn micros(&mut self) -> i64 {
        i64::try_from(self.below(1_000_000)).unwrap_or(0)
    }

    /// How many of something happen that happens `mean` times on average (Poisson).
    pub(super) fn poisson(&mut self, mean: f64) -> usize {
        let mut left = mean;
        let mut count = 0;
        while left > 0.0 {
            let limit = (-left.min(ROUND)).exp();
            let mut product = self.unit();
            while product > limit {
                count += 1;
                product *= self.unit();
            }
            left -= ROUND;
        }
        count
    }

    /// Puts a list into an order that the seed determines.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_parts_differ_and_those_of_the_same_agree() {
        let first = |parts: &[u64]| Random::of(parts).next();
        assert_eq!(first(&[1, 2, 3]), first(&[1, 2, 3]));
        assert_ne!(first(&[1, 2, 3]), first(&[1, 3, 2]));
        assert_ne!(first(&[1, 2]), first(&[1, 2, 0]));
    }

    #[test]
    fn the_mean_of_a_poisson_stream_is_the_one_that_was_asked_for() {
        for mean in [0.3, 7.0, 40.0, 400.0] {
            let mut random = Random::of(&[7]);
            let sum: usize = (0..2_000).map(|_| random.poisson(mean)).sum();
            #[allow(clippy::cast_precision_loss)]
            let found = sum as f64 / 2_000.0;
            assert!((found - mean).abs() < 6.0 * (mean / 2_000.0).sqrt(), "{mean}: {found}");
        }
        assert_eq!(Random::of(&[7]).poisson(0.0), 0);
    }
}
