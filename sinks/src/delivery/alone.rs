//! Whether it is the alert or the destination: one that fails at an alert again and again, and takes others in between, will
//! not take that one. When it takes nothing, nothing is known about the alert, which is tried without end.

use std::time::Duration;

use tokio::time::Instant;

/// When a destination has failed at one alert often enough.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// So many failures, each with another alert acknowledged since the one before.
    pub failures: u32,
    /// And so long after the first of them.
    pub time: Duration,
}

/// What one alert has been through.
#[derive(Debug)]
pub(super) struct Alone {
    patience: Patience,
    /// The destination's acknowledgements when it last failed at this alert, or when the alert came.
    acknowledged: u64,
    failures: u32,
    since: Option<Instant>,
}

impl Alone {
    /// For an alert that comes when the destination has acknowledged so many.
    pub(super) fn new(patience: Patience, acknowledged: u64) -> Self {
        Self { patience, acknowledged, failures: 0, since: None }
    }

    /// The destination has failed at the alert; by now it has acknowledged so many, of others. True when it is given up.
    pub(super) fn failed(&mut self, acknowledged: u64, now: Instant) -> bool {
        if acknowledged == self.acknowledged {
            return false;
        }
        self.acknowledged = acknowledged;
        self.failures += 1;
        let since = *self.since.get_or_insert(now);
        self.failures >= self.patience.failures && now.duration_since(since) >= self.patience.time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { failures: 3, time: Duration::from_secs(60) };

    #[test]
    fn only_failures_between_which_others_were_taken_count_and_only_after_a_while() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut alone = Alone::new(PATIENCE, 7);
        assert!((0..1_000).all(|second| !alone.failed(7, at(second))), "nothing was taken");
        assert!(!alone.failed(8, at(1_000)));
        assert!((1_001..3_000).all(|second| !alone.failed(8, at(second))), "nothing more was taken");
        assert!(!alone.failed(9, at(3_000)));
        assert!(alone.failed(10, at(3_001)));
        let mut alone = Alone::new(PATIENCE, 0);
        assert!((1..=60).all(|second| !alone.failed(second, at(second))), "too early");
        assert!(alone.failed(61, at(61)));
    }
}
