//! How long to wait before the next try: exponential, bounded, and never two callers in step.

use std::time::Duration;

/// A growing wait.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The bound of the first wait.
    pub least: Duration,
    /// The bound of every wait.
    pub most: Duration,
}

impl Backoff {
    /// The bound after so many failures (1 is the first): doubled each time, up to `most`.
    #[must_use]
    pub fn bound(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.least.saturating_mul(1 << doublings).min(self.most)
    }

    /// Anything from nothing to the bound: what failed together does not come back together.
    #[must_use]
    pub fn full_jitter(&self, failures: u32) -> Duration {
        self.bound(failures).mul_f64(fraction(random()))
    }

    /// From half the bound to the bound: for one who alone must not come back at once.
    #[must_use]
    pub fn half_jitter(&self, failures: u32) -> Duration {
        self.bound(failures).mul_f64(0.5 + fraction(random()) / 2.0)
    }
}

/// Without random numbers from the system the wait is the longest.
fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}

fn fraction(random: u32) -> f64 {
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { least: Duration::from_millis(100), most: Duration::from_secs(30) };

    #[test]
    fn the_bound_doubles_up_to_the_most_and_stays_there() {
        let bounds: Vec<u64> = (1..=11).map(|n| u64::try_from(BACKOFF.bound(n).as_millis()).unwrap()).collect();
        assert_eq!(bounds, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!(BACKOFF.bound(u32::MAX), Duration::from_secs(30));
    }

    #[test]
    fn a_wait_lies_anywhere_within_its_bounds() {
        assert_eq!((fraction(0), fraction(u32::MAX)), (0.0, 1.0));
        let waits: Vec<Duration> = (0..200).map(|_| BACKOFF.full_jitter(4)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(800)));
        assert!(waits.iter().min().unwrap() < &Duration::from_millis(200), "spread over the lower quarter as well");
        assert!(waits.iter().max().unwrap() > &Duration::from_millis(600), "and the upper");
        let waits = (0..200).map(|_| BACKOFF.half_jitter(4));
        assert!(
            waits.into_iter().all(|wait| (Duration::from_millis(400)..=Duration::from_millis(800)).contains(&wait))
        );
    }
}
