//! The circuit breaker of a destination: after some failures in a row nobody knocks any more but one probe at a time.
//!
//! ```text
//!            failures in a row, or          the wait is over
//!         a long wait that was asked for        (one probe)
//!   closed ───────────────────────────▶ open ───────────────▶ probing
//!     ▲                                  ▲                      │ │
//!     │                                  └──────────────────────┘ │
//!     └───────────────── any answer ────── failure, or given up ──┘
//! ```

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::retry::Backoff;

/// Shared by all deliveries to one destination.
#[derive(Debug)]
pub(crate) struct Breaker {
    state: watch::Sender<State>,
    /// So many failures in a row open it.
    after: u32,
    probe: Backoff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, probes: u32 },
    Probing { probes: u32 },
}

/// What an attempt has shown about the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It does not answer any more, or asked to be left alone.
    Down,
    /// It answers again.
    Up,
}

enum Admission {
    Go { probe: bool },
    WaitUntil(Instant),
    WaitForProbe,
}

/// The right to make one attempt. Dropped without a word, it counts as no attempt at all.
#[derive(Debug)]
#[must_use = "an attempt must be reported"]
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    /// The probe, as long as it has not been reported.
    probe: bool,
}

impl Breaker {
    pub(crate) fn new(after: u32, probe: Backoff) -> Self {
        Self { state: watch::Sender::new(State::Closed { failures: 0 }), after, probe }
    }

    /// Waits for the right to make an attempt: at once while closed, else as the probe or when a probe was answered.
    pub(crate) async fn enter(&self) -> Pass<'_> {
        let mut changes = self.state.subscribe();
        loop {
            // An error would mean that the breaker is gone, and it is borrowed here.
            match self.admit(Instant::now()) {
                Admission::Go { probe } => return Pass { breaker: self, probe },
                Admission::WaitForProbe => drop(changes.changed().await),
                Admission::WaitUntil(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    changed = changes.changed() => drop(changed),
                },
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(*self.state.borrow(), State::Closed { .. })
    }

    fn admit(&self, now: Instant) -> Admission {
        let mut admission = Admission::Go { probe: false };
        self.state.send_if_modified(|state| match *state {
            State::Closed { .. } => false,
            State::Probing { .. } => {
                admission = Admission::WaitForProbe;
                false
            }
            State::Open { until, .. } if now < until => {
                admission = Admission::WaitUntil(until);
                false
            }
            State::Open { probes, .. } => {
                *state = State::Probing { probes: probes.saturating_add(1) };
                admission = Admission::Go { probe: true };
                true
            }
        });
        admission
    }

    fn open_for(&self, probes: u32, asked: Option<Duration>, now: Instant) -> State {
        let wait = self.probe.half_jitter(probes.saturating_add(1)).max(asked.unwrap_or_default());
        State::Open { until: now + wait, probes }
    }
}

impl Pass<'_> {
    /// The destination answered, if only to refuse: it is there.
    pub(crate) fn answered(mut self) -> Option<Change> {
        self.probe = false;
        let mut change = None;
        self.breaker.state.send_if_modified(|state| {
            let was = std::mem::replace(state, State::Closed { failures: 0 });
            if !matches!(was, State::Closed { .. }) {
                change = Some(Change::Up);
            }
            was != *state
        });
        change
    }

    /// The destination did not answer, or asked to be left alone for a while.
    pub(crate) fn failed(mut self, asked: Option<Duration>) -> Option<Change> {
        let probe = std::mem::take(&mut self.probe);
        let breaker = self.breaker;
        let now = Instant::now();
        let mut change = None;
        breaker.state.send_if_modified(|state| {
            let next = match *state {
                State::Closed { failures } => {
                    let failures = failures.saturating_add(1);
                    // A wait no longer than that between probes is the alert's own: it says nothing about the others.
                    if failures >= breaker.after || asked.is_some_and(|asked| asked > breaker.probe.most) {
                        change = Some(Change::Down);
                        breaker.open_for(0, asked, now)
                    } else {
                        State::Closed { failures }
                    }
                }
                State::Probing { probes } if probe => breaker.open_for(probes, asked, now),
                // Begun before it opened: says nothing new, but what it was asked for holds.
                State::Open { until, probes } => {
                    State::Open { until: until.max(now + asked.unwrap_or_default()), probes }
                }
                State::Probing { .. } => *state,
            };
            std::mem::replace(state, next) != next
        });
        change
    }
}

impl Drop for Pass<'_> {
    /// A probe that was given up (its partition went elsewhere) makes room for the next one.
    fn drop(&mut self) {
        if !self.probe {
            return;
        }
        let now = Instant::now();
        self.breaker.state.send_if_modified(|state| match *state {
            State::Probing { probes } => {
                *state = State::Open { until: now, probes: probes.saturating_sub(1) };
                true
            }
            State::Closed { .. } | State::Open { .. } => false,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const PROBE: Backoff = Backoff { least: Duration::from_secs(1), most: Duration::from_secs(4) };

    fn breaker() -> Arc<Breaker> {
        Arc::new(Breaker::new(3, PROBE))
    }

    async fn open(breaker: &Breaker) {
        for _ in 0..3 {
            breaker.enter().await.failed(None);
        }
        assert!(!breaker.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_alone() {
        let breaker = breaker();
        for _ in 0..10 {
            assert_eq!(breaker.enter().await.failed(None), None);
            assert_eq!(breaker.enter().await.failed(None), None);
            assert_eq!(breaker.enter().await.answered(), None);
        }
        assert_eq!(breaker.enter().await.failed(None), None);
        assert_eq!(breaker.enter().await.failed(None), None);
        assert_eq!(breaker.enter().await.failed(None), Some(Change::Down));
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_goes_while_all_others_wait_and_its_answer_lets_them_go() {
        let breaker = breaker();
        open(&breaker).await;
        let opened = Instant::now();
        let gone = Arc::new(AtomicUsize::new(0));
        let probe = breaker.enter().await;
        assert!((Duration::from_millis(500)..=Duration::from_millis(1_001)).contains(&opened.elapsed()));
        for _ in 0..50 {
            let (breaker, gone) = (Arc::clone(&breaker), Arc::clone(&gone));
            tokio::spawn(async move {
                breaker.enter().await.answered();
                gone.fetch_add(1, Ordering::SeqCst);
            });
        }
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(gone.load(Ordering::SeqCst), 0);
        assert_eq!(probe.answered(), Some(Change::Up));
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(gone.load(Ordering::SeqCst), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_fails_makes_the_next_one_wait_longer_up_to_a_bound() {
        let breaker = breaker();
        open(&breaker).await;
        for most in [1_000, 2_000, 4_000, 4_000, 4_000] {
            let before = Instant::now();
            let probe = breaker.enter().await;
            let waited = before.elapsed();
            let bounds = Duration::from_millis(most / 2)..=Duration::from_millis(most + 1);
            assert!(bounds.contains(&waited), "{waited:?} {bounds:?}");
            assert_eq!(probe.failed(None), None, "it was down already");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_makes_room_for_the_next() {
        let breaker = breaker();
        open(&breaker).await;
        let probe = breaker.enter().await;
        let waiting = tokio::spawn({
            let breaker = Arc::clone(&breaker);
            async move { breaker.enter().await.answered() }
        });
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!waiting.is_finished());
        drop(probe);
        let answered = tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("a next probe").unwrap();
        assert_eq!(answered, Some(Change::Up));
    }

    #[tokio::test(start_paused = true)]
    async fn a_destination_that_names_a_time_is_left_alone_until_then() {
        let breaker = breaker();
        assert_eq!(breaker.enter().await.failed(Some(Duration::from_secs(90))), Some(Change::Down));
        let before = Instant::now();
        breaker.enter().await.answered();
        assert!(before.elapsed() >= Duration::from_secs(90));
    }

    #[tokio::test(start_paused = true)]
    async fn a_destination_that_asks_one_alert_for_a_moment_is_open_for_the_others() {
        let breaker = breaker();
        let moment = Some(Duration::from_secs(4));
        assert_eq!(breaker.enter().await.failed(moment), None);
        assert_eq!(breaker.enter().await.failed(moment), None);
        assert!(breaker.is_closed());
        assert_eq!(breaker.enter().await.failed(moment), Some(Change::Down), "it counts as a failure all the same");
        let before = Instant::now();
        breaker.enter().await.answered();
        assert!(before.elapsed() >= Duration::from_secs(4));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_an_attempt_from_before_closes_it() {
        let breaker = breaker();
        let slow = breaker.enter().await;
        open(&breaker).await;
        assert_eq!(slow.answered(), Some(Change::Up));
        assert!(breaker.is_closed());
    }
}
