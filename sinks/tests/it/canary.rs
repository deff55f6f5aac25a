//! A canary on its way to a destination: measured, never parked, never in the way.

use std::time::Duration;

use chorus_model::{Alert, AlertStatus, Span};
use chorus_runtime::{Fate, Verdict};

use crate::receiver::{Receiver, status, until};
use crate::samples::{HURRY, Opened, alert, canary, json};

fn acknowledged_at(opened: &Opened) -> f64 {
    opened.metrics.canary_acknowledged.with_label_values(&["desk", "gate", "360102"]).get()
}

fn measured(opened: &Opened) -> u64 {
    opened.metrics.canary_latency.with_label_values(&["desk"]).get_sample_count()
}

fn seconds(alert: &Alert) -> f64 {
    alert.tipped_at.as_micros() as f64 / 1e6
}

#[tokio::test]
async fn a_canary_is_measured_by_its_receipt_and_counts_among_no_alerts() {
    let receiver = Receiver::answering(vec![status(503), status(201), status(200), status(201)]);
    let opened = Opened::centre_with(&receiver.url(), HURRY, |settings| {
        settings.min_severity = chorus_model::Severity::Critical;
    });
    assert_eq!((acknowledged_at(&opened), measured(&opened)), (0.0, 0), "its series is there before it comes");
    let first = canary(1);
    assert_eq!(opened.job(&first).await.fate, Fate::Forwarded);
    assert_eq!(acknowledged_at(&opened), seconds(&first));
    // Over by time alone: delivered, and no receipt of anything.
    let over =
        Alert { status: AlertStatus::Resolved, tipped_at: first.tipped_at.plus(Span::from_secs(1)), ..canary(2) };
    assert_eq!(opened.job(&over).await.fate, Fate::Forwarded);
    assert_eq!((acknowledged_at(&opened), measured(&opened)), (seconds(&first), 1));
    for outcome in ["acknowledged", "retried", "refused"] {
        assert_eq!(opened.count(outcome), 0, "{outcome}");
    }
    assert_eq!(opened.metrics.latency.with_label_values(&["desk"]).get_sample_count(), 0);
    assert_eq!(receiver.requests().len(), 3);
}

#[tokio::test]
async fn a_canary_that_is_refused_is_not_parked_and_one_that_is_late_is_not_sent() {
    let receiver = Receiver::answering(vec![status(401)]);
    let opened = Opened::centre(&receiver.url());
    let refused = opened.job(&canary(1)).await;
    assert_eq!((refused.fate, refused.park.is_none()), (Fate::Filtered("canary_refused"), true));
    let late = Alert { tipped_at: canary(2).tipped_at.minus(Span::from_secs(121)), ..canary(2) };
    assert_eq!(opened.job(&late).await.fate, Fate::Filtered("canary_late"));
    assert_eq!((receiver.requests().len(), opened.count("refused"), acknowledged_at(&opened)), (1, 0, 0.0));
    for reason in ["canary", "canary_late", "canary_refused"] {
        assert!(chorus_sinks::FATES.contains(&Fate::Filtered(reason)), "{reason}");
    }
}

#[tokio::test]
async fn a_destination_that_is_away_holds_a_canary_no_longer_than_it_is_worth() {
    let opened = Opened::centre("http://127.0.0.1:9"); // nobody listens
    let old = Alert { tipped_at: canary(1).tipped_at.minus(Span::from_millis(119_500)), ..canary(1) };
    let waiting = opened.start(&alert("real", 1));
    let done = tokio::time::timeout(Duration::from_secs(20), opened.job(&old)).await.expect("it gives up");
    assert_eq!(done.fate, Fate::Filtered("canary_late"));
    until("the alert is tried on", || opened.count("retried") > 0).await;
    assert!(!waiting.is_finished(), "what is real waits without end");
    waiting.abort();
}

#[tokio::test]
async fn a_destination_that_takes_no_canaries_has_no_series_of_them() {
    let receiver = Receiver::answering(vec![status(200)]);
    let opened = Opened::centre_with(&receiver.url(), HURRY, |settings| {
        settings.canary = Some(false);
        settings.drills = true;
    });
    match opened.delivery.take(&json(&canary(1))) {
        Verdict::Settled(fate) => assert_eq!(fate, Fate::Filtered("canary")),
        Verdict::Deferred(_) => panic!("deferred"),
    }
    assert!(!opened.metrics.render().unwrap().contains("chorus_canary_acknowledged_seconds{"));
}
