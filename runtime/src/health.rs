//! Liveness is progress, readiness is being connected. Liveness never depends on the broker.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// The state of one worker, shared with the HTTP endpoint and the watchdog.
#[derive(Clone, Debug)]
pub struct Health {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    bootstrap: String,
    born: Instant,
    beat_ms: AtomicU64,
    ready: AtomicBool,
    away: AtomicBool,
    ended: AtomicBool,
    complained: Mutex<Option<Instant>>,
}

/// The broker's absence is logged at most this often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(5);

impl Health {
    /// A worker that has just begun.
    #[must_use]
    pub fn new(name: &str, bootstrap: &str) -> Self {
        Self {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                bootstrap: bootstrap.to_owned(),
                born: Instant::now(),
                beat_ms: AtomicU64::new(0),
                ready: AtomicBool::new(false),
                away: AtomicBool::new(false),
                ended: AtomicBool::new(false),
                complained: Mutex::new(None),
            }),
        }
    }

    /// The worker goes round its loop.
    pub fn beat(&self) {
        self.inner.beat_ms.store(self.age_ms(), Ordering::Relaxed);
    }

    /// The broker answered: whatever was said about its absence is over.
    pub(crate) fn broker_answered(&self) {
        self.inner.away.store(false, Ordering::Relaxed);
    }

    /// Whether the worker has its partitions and an answering broker. Never ready from the moment in which no broker could be
    /// reached until one answers again: what was learnt of it before is still fresh then, and no longer true.
    pub fn set_ready(&self, ready: bool) {
        let ready = ready && !self.inner.away.load(Ordering::Relaxed);
        if self.inner.ready.swap(ready, Ordering::Relaxed) != ready {
            if ready {
                tracing::info!(worker = %self.inner.name, "ready");
            } else {
                tracing::warn!(worker = %self.inner.name, bootstrap = %self.inner.bootstrap, "not ready");
            }
        }
    }

    /// The worker has returned; it can no longer stall.
    pub fn end(&self) {
        self.inner.ended.store(true, Ordering::Relaxed);
        self.inner.ready.store(false, Ordering::Relaxed);
    }

    /// True when the worker is connected and has its partitions.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.inner.ready.load(Ordering::Relaxed)
    }

    /// How long the worker has made no progress.
    #[must_use]
    pub fn stalled(&self) -> Duration {
        if self.inner.ended.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        Duration::from_millis(self.age_ms().saturating_sub(self.inner.beat_ms.load(Ordering::Relaxed)))
    }

    /// The worker's name, such as `detect-0`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.inner.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Says, not too often, that a broker does not answer, where it is looked for, and that it is tried again.
    pub(crate) fn broker_error(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        let away = matches!(
            code,
            // One broker of many that cannot be reached is the client's to go around.
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::Authentication)
        );
        if away {
            self.inner.away.store(true, Ordering::Relaxed);
            self.set_ready(false);
        }
        let mut complained = self.inner.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
            *complained = Some(Instant::now());
            let (worker, bootstrap) = (&self.inner.name, &self.inner.bootstrap);
            tracing::warn!(%worker, %bootstrap, %error, reason, "kafka does not answer, trying again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_broker_takes_readiness_and_leaves_liveness() {
        let health = Health::new("detect-0", "127.0.0.1:1");
        health.set_ready(true);
        health.beat();
        health.broker_error(&KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "");
        assert!(!health.is_ready());
        assert!(health.stalled() < Duration::from_secs(1));
    }

    #[test]
    fn an_absent_broker_must_answer_before_the_worker_is_ready_again() {
        let health = Health::new("detect-0", "127.0.0.1:1");
        health.broker_error(&KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "");
        health.set_ready(true);
        assert!(!health.is_ready());
        health.broker_answered();
        health.set_ready(true);
        assert!(health.is_ready());
    }

    #[test]
    fn a_worker_that_has_ended_never_stalls() {
        let health = Health::new("detect-0", "");
        health.end();
        assert_eq!(health.stalled(), Duration::ZERO);
    }
}
