//! How one alert gets to one destination: route, wait for a free place and for the breaker, attempt, and again until it is
//! acknowledged or refused. One stage a file; order per alert is the runtime's, which runs the jobs of one key one by one.

mod alone;
mod breaker;
pub mod outcome;
pub(crate) mod post;
pub mod retry;
pub mod route;
mod task;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chorus_model::{AlertStatus, Span, canary};
use chorus_runtime::canary::{Canaries, CanaryMetrics};
use chorus_runtime::clock::now;
use chorus_runtime::metrics::DeliveryMetrics;
use chorus_runtime::topics::Topic;
use chorus_runtime::{Deferred, Done, Fate, Job, Metrics, Parked, Verdict};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::Settings;
use crate::destinations::{Form, Outgoing, Problem};
use alone::Alone;
use breaker::{Breaker, Change};
use outcome::{Outcome, Refusal, Trouble};
use post::Post;
use retry::Backoff;
use route::Route;

pub use alone::Patience;
pub use task::DeliverTask;

/// The fates of a role that delivers, beside forwarded and duplicate.
pub const FATES: &[Fate] = &[
    Fate::Filtered(route::BELOW_SEVERITY),
    Fate::Filtered(route::DRILL),
    Fate::Filtered(route::BAD_ALERT),
    Fate::Filtered(route::CANARY),
    Fate::Filtered(CANARY_LATE),
    Fate::Filtered(CANARY_REFUSED),
    Fate::Rejected(REFUSED),
    Fate::Rejected(FAILS_ALONE),
];

/// The destination does not want it, and never will.
const REFUSED: &str = "refused";
/// The destination fails at it again and again, and takes others.
const FAILS_ALONE: &str = "fails_alone";

/// A canary that could not be delivered in time: nobody waits for it any more, and what is real must not wait behind it.
const CANARY_LATE: &str = "canary_late";
/// A canary that the destination refused. It is not parked: nobody would send it again.
const CANARY_REFUSED: &str = "canary_refused";
/// How long after its receipt a canary is tried.
const CANARY_LIFE: Span = Span::from_secs(120);

/// How patient a delivery is. The defaults are those of every deployment; tests are in more of a hurry.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Waits between the attempts of one alert.
    pub retry: Backoff,
    /// So many failures in a row open the breaker.
    pub breaker_after: u32,
    /// Waits between probes while it is open.
    pub probe: Backoff,
    /// When an alert at which the destination fails alone is given up.
    pub patience: Patience,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retry: Backoff { least: Duration::from_millis(100), most: Duration::from_secs(30) },
            breaker_after: 5,
            probe: Backoff { least: Duration::from_millis(500), most: Duration::from_secs(5) },
            patience: Patience { failures: 20, time: Duration::from_secs(300) },
        }
    }
}

/// One open destination, shared by all partitions of a process.
#[derive(Debug)]
pub struct Delivery {
    name: Arc<str>,
    route: Route,
    form: Box<dyn Form>,
    post: Post,
    places: Semaphore,
    deliveries: usize,
    breaker: Breaker,
    retry: Backoff,
    patience: Patience,
    /// Alerts that it has acknowledged. No canaries: who takes those alone says nothing about an alert.
    acknowledged: AtomicU64,
    metrics: DeliveryMetrics,
    canaries: Option<CanaryMetrics>,
    parked: Topic,
}

/// Opens a destination: reads its secrets, declares its metrics at 0. Connects to nothing yet. It is measured by `canaries`,
/// if it takes any.
///
/// # Errors
/// Settings or files that cannot be used, by the path of their key.
pub fn open(
    name: &str,
    settings: &Settings,
    metrics: &Metrics,
    parked: Topic,
    canaries: Option<Canaries>,
) -> anyhow::Result<Arc<Delivery>> {
    open_at(name, settings, metrics, parked, canaries, Pace::default())
}

/// As [`open`], at a pace of the caller's own.
///
/// # Errors
/// As [`open`].
pub fn open_at(
    name: &str,
    settings: &Settings,
    metrics: &Metrics,
    parked: Topic,
    canaries: Option<Canaries>,
    pace: Pace,
) -> anyhow::Result<Arc<Delivery>> {
    let say = |(key, message): Problem| anyhow::anyhow!("destinations.{name}.{key}: {message}");
    if let Some((path, message)) = settings.problems(name).into_iter().next() {
        anyhow::bail!("{path}: {message}");
    }
    let form = settings.row().and_then(|row| (row.open)(settings)).map_err(say)?;
    let post = Post::new(settings, form.path()).map_err(say)?;
    let canaries = canaries.filter(|_| settings.takes_canaries());
    Ok(Arc::new(Delivery {
        name: name.into(),
        route: Route {
            min_severity: settings.min_severity,
            drills: settings.drills,
            canaries: settings.takes_canaries(),
        },
        form,
        post,
        places: Semaphore::new(settings.deliveries),
        deliveries: settings.deliveries,
        breaker: Breaker::new(pace.breaker_after, pace.probe),
        retry: pace.retry,
        patience: pace.patience,
        acknowledged: AtomicU64::new(0),
        metrics: DeliveryMetrics::new(metrics, name),
        canaries: canaries.map(|canaries| CanaryMetrics::new(metrics, name, canaries)),
        parked,
    }))
}

impl Delivery {
    /// The destination's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The most deliveries under way at once, for [`chorus_runtime::Role::deliveries`].
    #[must_use]
    pub fn deliveries(&self) -> usize {
        self.deliveries
    }

    /// Takes one record of `alerts`: filtered, or a job that ends when the destination has spoken its last word.
    pub fn take(self: &Arc<Self>, value: &[u8]) -> Verdict {
        let Some(outgoing) = Outgoing::read(value) else {
            tracing::warn!(destination = &*self.name, bytes = value.len(), "record is no alert");
            return Fate::Filtered(route::BAD_ALERT).into();
        };
        if let Some(why) = self.route.filters(&outgoing.alert) {
            return Fate::Filtered(why).into();
        }
        let key = Arc::from(outgoing.alert.alert_id.as_str());
        let delivery = Arc::clone(self);
        let job: Job = if canary::of_alert(&outgoing.alert).is_some() {
            Box::pin(delivery.deliver_canary(outgoing))
        } else {
            Box::pin(delivery.deliver(outgoing))
        };
        Verdict::Deferred(Deferred { key, job })
    }

    /// Whoever drops this (its partition went elsewhere) leaves no trace in the breaker.
    async fn deliver(self: Arc<Self>, outgoing: Outgoing) -> Done {
        match self.settle(&outgoing, || self.metrics.retried()).await {
            Ok(()) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                self.metrics.acknowledged(now().since(outgoing.alert.tipped_at));
                Done { fate: Fate::Forwarded, park: None }
            }
            Err(why) => self.park(outgoing, why),
        }
    }

    /// As [`Delivery::deliver`], for as long as anybody waits for it. None of it counts among the deliveries of alerts.
    async fn deliver_canary(self: Arc<Self>, outgoing: Outgoing) -> Done {
        let done = |fate| Done { fate, park: None };
        let left = outgoing.alert.tipped_at.plus(CANARY_LIFE).since(now());
        if left <= Span::ZERO {
            return done(Fate::Filtered(CANARY_LATE));
        }
        match tokio::time::timeout(left.to_std(), self.settle(&outgoing, || ())).await {
            Ok(Ok(())) => {
                self.measure(&outgoing);
                done(Fate::Forwarded)
            }
            Ok(Err(why)) => {
                tracing::warn!(destination = &*self.name, status = why.status(), why = why.as_str(), "canary refused");
                done(Fate::Filtered(CANARY_REFUSED))
            }
            Err(_) => done(Fate::Filtered(CANARY_LATE)),
        }
    }

    /// Tries until the destination has spoken its last word: it has it, or refuses it, or fails at it and takes others.
    async fn settle(&self, outgoing: &Outgoing, retried: impl Fn() + Send) -> Result<(), Refusal> {
        let mut failures = 0;
        let mut alone = Alone::new(self.patience, self.acknowledged.load(Ordering::Relaxed));
        loop {
            match self.attempt(outgoing).await {
                Outcome::Acknowledged => return Ok(()),
                Outcome::Refused { status } => return Err(Refusal::Said { status }),
                Outcome::Retry { after, why } => {
                    retried();
                    if why.may_be_the_alerts()
                        && alone.failed(self.acknowledged.load(Ordering::Relaxed), Instant::now())
                    {
                        return Err(Refusal::FailsAlone { why });
                    }
                    failures += 1;
                    self.wait(outgoing, failures, after, why).await;
                }
            }
        }
    }

    /// A standing canary was tipped by its record's receipt, one that is over by time alone.
    fn measure(&self, outgoing: &Outgoing) {
        let alert = &outgoing.alert;
        if let (Some(canaries), Some(canary)) = (&self.canaries, canary::of_alert(alert))
            && alert.status == AlertStatus::Firing
        {
            canaries.acknowledged(canary, alert.tipped_at, now().since(alert.tipped_at));
        }
    }

    async fn attempt(&self, outgoing: &Outgoing) -> Outcome {
        // Never closed, so there always comes a place; without one the attempt is made all the same.
        let _place = self.places.acquire().await.ok();
        let pass = self.breaker.enter().await;
        let outcome = self.post.send(self.form.message(outgoing, now())).await;
        let change = match &outcome {
            Outcome::Retry { after, .. } => pass.failed(*after),
            Outcome::Acknowledged | Outcome::Refused { .. } => pass.answered(),
        };
        match change {
            Some(Change::Down) => tracing::warn!(destination = &*self.name, "destination is down"),
            Some(Change::Up) => tracing::info!(destination = &*self.name, "destination is up again"),
            None => {}
        }
        // Said after every attempt, not at changes alone: of two changes close together the earlier may be told last.
        self.metrics.up(self.breaker.is_closed());
        outcome
    }

    async fn wait(&self, outgoing: &Outgoing, failures: u32, after: Option<Duration>, why: Trouble) {
        // While the breaker is open its probes set the pace: an alert that slept would miss the first success.
        let own = if self.breaker.is_closed() { self.retry.full_jitter(failures) } else { Duration::ZERO };
        let wait = after.unwrap_or_default().max(own);
        tracing::debug!(
            destination = &*self.name,
            alert_id = outgoing.alert.alert_id,
            why = why.as_str(),
            failures,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "delivery failed, will be tried again"
        );
        tokio::time::sleep(wait).await;
    }

    fn park(&self, outgoing: Outgoing, why: Refusal) -> Done {
        self.metrics.refused();
        tracing::warn!(
            destination = &*self.name,
            alert_id = outgoing.alert.alert_id,
            revision = outgoing.alert.revision,
            status = why.status(),
            why = why.as_str(),
            "alert refused and parked"
        );
        let parked = Parked {
            topic: self.parked.clone(),
            key: outgoing.alert.alert_id.clone().into_bytes(),
            headers: vec![
                ("destination", self.name.to_string()),
                ("status", why.status()),
                ("reason", why.as_str().to_owned()),
                ("idempotency-key", outgoing.alert.idempotency_key()),
            ],
            value: outgoing.json,
        };
        let fate = match why {
            Refusal::Said { .. } => REFUSED,
            Refusal::FailsAlone { .. } => FAILS_ALONE,
        };
        Done { fate: Fate::Rejected(fate), park: Some(parked) }
    }
}
