//! What becomes of one job: acknowledged, tried again, refused.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use chorus_model::{Alert, Severity, Span};
use chorus_runtime::{Fate, Verdict, secret};
use chorus_sinks::Settings;
use chorus_sinks::delivery::Patience;
use serde_json::Value;
use tempfile::TempDir;

use crate::receiver::{Answer, Receiver, status, until};
use crate::samples::{HURRY, KEY, Opened, alert, json, now_seconds, secret_file};

#[tokio::test]
async fn every_series_stands_at_zero_before_the_first_delivery() {
    let opened = Opened::centre("http://127.0.0.1:9");
    let text = opened.metrics.render().unwrap();
    for outcome in ["acknowledged", "retried", "refused"] {
        let series = format!(r#"chorus_deliveries_total{{destination="desk",outcome="{outcome}"}} 0"#);
        assert!(text.contains(&series), "{series}");
    }
    assert!(text.contains(r#"chorus_alert_latency_seconds_count{destination="desk"} 0"#));
    assert!(text.contains(r#"chorus_destination_up{destination="desk"} 1"#));
}

#[tokio::test]
async fn an_alert_reaches_the_centre_signed_numbered_and_recognisable() {
    let receiver = Receiver::answering(vec![status(201), status(200)]);
    let opened = Opened::centre(&format!("{}/base/", receiver.url()));
    for revision in [1, 2] {
        let done = opened.job(&alert("a1", revision)).await;
        assert_eq!((done.fate, done.park.is_none()), (Fate::Forwarded, true));
    }
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    for (request, revision) in requests.iter().zip(["1", "2"]) {
        assert_eq!(request.path, "/base/api/v1/deliveries");
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("idempotency-key"), format!("a1:{revision}"));
        assert_eq!(request.header("chorus-revision"), revision);
        let timestamp = request.header(secret::HEADER_TIMESTAMP).parse().unwrap();
        let signature = request.header(secret::HEADER_SIGNATURE);
        assert!(secret::verify(KEY, timestamp, &request.body, signature, now_seconds()));
    }
    assert_eq!(serde_json::from_slice::<Alert>(&requests[1].body).unwrap().revision, 2);
    assert_eq!(opened.count("acknowledged"), 2);
    let latency = opened.metrics.latency.with_label_values(&["desk"]);
    assert_eq!(latency.get_sample_count(), 2);
    assert!(latency.get_sample_sum() >= 4.0, "two alerts that were tipped two seconds ago and more");
}

#[tokio::test]
async fn what_passes_by_itself_is_tried_again_under_the_same_key_until_it_is_acknowledged() {
    let passing = [408, 425, 429, 500, 502, 503, 504, 599];
    let receiver = Receiver::answering(passing.iter().map(|code| status(*code)).chain([status(204)]).collect());
    let opened = Opened::centre(&receiver.url());
    let done = opened.job(&alert("a1", 3)).await;
    assert_eq!(done.fate, Fate::Forwarded);
    let requests = receiver.requests();
    assert_eq!(requests.len(), passing.len() + 1);
    assert!(requests.iter().all(|request| request.header("idempotency-key") == "a1:3"));
    assert!(requests.iter().all(|request| request.body == requests[0].body));
    assert_eq!((opened.count("retried"), opened.count("acknowledged"), opened.count("refused")), (8, 1, 0));
}

#[tokio::test]
async fn a_refused_alert_is_parked_whole_with_who_refused_it_and_why() {
    for (code, reason) in [
        (400, "not_accepted"),
        (401, "not_authorised"),
        (404, "not_there"),
        (413, "too_large"),
        (422, "not_accepted"),
        (501, "not_there"),
    ] {
        let receiver = Receiver::answering(vec![status(code)]);
        let opened = Opened::centre(&receiver.url());
        let done = opened.job(&alert("a1", 2)).await;
        assert_eq!(done.fate, Fate::Rejected("refused"));
        let parked = done.park.unwrap();
        assert_eq!((&*parked.topic.name, &*parked.key), ("parked", b"a1".as_slice()));
        assert_eq!(parked.value, receiver.requests()[0].body);
        let headers = [
            ("destination", "desk".to_owned()),
            ("status", code.to_string()),
            ("reason", reason.to_owned()),
            ("idempotency-key", "a1:2".to_owned()),
        ];
        assert_eq!(parked.headers, headers);
        assert_eq!((receiver.requests().len(), opened.count("refused"), opened.count("acknowledged")), (1, 1, 0));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_a_signed_alert_goes_where_it_was_addressed() {
    let elsewhere = Receiver::answering(vec![status(200)]);
    let away = Answer { status: 307, headers: vec![("location", elsewhere.url())], ..Answer::default() };
    let receiver = Receiver::answering(vec![away]);
    let opened = Opened::centre(&receiver.url());
    let done = opened.job(&alert("a1", 1)).await;
    assert_eq!(done.fate, Fate::Rejected("refused"));
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn an_alert_at_which_the_destination_fails_while_it_takes_others_is_parked_and_the_reason_is_its_own() {
    let hangs = Answer { after: Duration::from_secs(30), ..status(201) };
    for (answer, said, often) in [(status(503), "503", 20), (hangs, "timeout", 3)] {
        fails_alone(answer, said, often).await;
    }
}

async fn fails_alone(answer: Answer, said: &str, often: u64) {
    let receiver =
        Receiver::start(
            move |_, request| {
                if request.header("idempotency-key") == "a1:1" { answer.clone() } else { status(201) }
            },
        );
    let mut pace = HURRY;
    pace.patience = Patience { failures: 3, time: Duration::ZERO };
    let opened = Opened::centre_with(&receiver.url(), pace, |settings| settings.timeout = Span::from_millis(200));
    let stuck = opened.start(&alert("a1", 1));
    until("it was tried often", || opened.count("retried") > often).await;
    assert!(!stuck.is_finished(), "nothing else was taken, so it may be the destination");
    for number in 0..1_000 {
        if stuck.is_finished() {
            break;
        }
        assert_eq!(opened.job(&alert(&format!("b{number}"), 1)).await.fate, Fate::Forwarded);
    }
    let done = tokio::time::timeout(Duration::from_secs(20), stuck).await.expect("it is given up").unwrap();
    assert_eq!(done.fate, Fate::Rejected("fails_alone"));
    assert!(chorus_sinks::FATES.contains(&done.fate));
    let parked = done.park.unwrap();
    let header = |name| parked.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    assert_eq!((header("status"), header("reason")), (Some(said), Some("fails_alone")));
    assert_eq!((&*parked.key, opened.count("refused")), (b"a1".as_slice(), 1));
    assert!(opened.count("acknowledged") >= 3, "one between each two failures");
}

#[tokio::test]
async fn a_destination_that_asks_for_a_moment_gets_it_from_one_alert_alone() {
    let busy = Answer { status: 503, headers: vec![("retry-after", "1".to_owned())], ..Answer::default() };
    let receiver = Receiver::answering(vec![busy, status(200)]);
    let mut pace = HURRY;
    pace.probe.most = Duration::from_secs(5);
    let opened = Opened::centre_with(&receiver.url(), pace, |_| {});
    let first = opened.start(&alert("a1", 1));
    until("the first is turned away", || opened.count("retried") > 0).await;
    assert!(opened.is_up());
    assert_eq!(opened.job(&alert("a2", 1)).await.fate, Fate::Forwarded);
    assert!(!first.is_finished(), "the second did not wait for the first");
    assert_eq!(first.await.unwrap().fate, Fate::Forwarded);
    let requests = receiver.requests();
    assert!(requests[2].at.duration_since(requests[0].at) >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_destination_that_asks_for_time_gets_it_from_every_alert() {
    let busy = Answer { status: 429, headers: vec![("retry-after", "1".to_owned())], ..Answer::default() };
    let receiver = Receiver::answering(vec![busy, status(200)]);
    let opened = Opened::centre(&receiver.url());
    let first = opened.start(&alert("a1", 1));
    until("the first is turned away", || !opened.is_up()).await;
    let asked = Instant::now();
    let second = opened.start(&alert("a2", 1));
    assert_eq!(first.await.unwrap().fate, Fate::Forwarded);
    assert_eq!(second.await.unwrap().fate, Fate::Forwarded);
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests[1..] {
        assert!(request.at.duration_since(requests[0].at) >= Duration::from_secs(1));
        assert!(request.at.duration_since(asked) < Duration::from_secs(10));
    }
    assert!(opened.is_up());
}

#[tokio::test]
async fn a_destination_that_hangs_is_left_and_tried_again() {
    let hanging = Answer { status: 200, after: Duration::from_secs(60), ..Answer::default() };
    let receiver = Receiver::answering(vec![hanging, status(200)]);
    let opened = Opened::centre_with(&receiver.url(), HURRY, |settings| settings.timeout = "100ms".parse().unwrap());
    let begun = Instant::now();
    assert_eq!(opened.job(&alert("a1", 1)).await.fate, Fate::Forwarded);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!((receiver.requests().len(), opened.count("retried")), (2, 1));
}

#[tokio::test]
async fn a_destination_that_is_gone_gets_its_alerts_when_it_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut pace = HURRY;
    pace.breaker_after = 3;
    let opened = Opened::centre_with(&format!("http://{address}"), pace, |_| {});
    let jobs: Vec<_> = (0..10).map(|number| opened.start(&alert(&format!("a{number}"), 1))).collect();
    until("it is found down", || !opened.is_up()).await;
    let receiver = Receiver::start_on(TcpListener::bind(address).unwrap(), |_, _| status(201));
    for job in jobs {
        assert_eq!(job.await.unwrap().fate, Fate::Forwarded);
    }
    assert!(opened.is_up());
    assert_eq!(receiver.requests().len(), 10);
}

#[tokio::test]
async fn a_destination_that_fails_is_spared_but_for_one_probe_at_a_time() {
    const FAILURES: usize = 8;
    let receiver = Receiver::start(|number, _| status(if number < FAILURES { 503 } else { 200 }));
    let mut pace = HURRY;
    pace.breaker_after = 5;
    let opened = Opened::centre_with(&receiver.url(), pace, |settings| settings.deliveries = 1);
    let jobs: Vec<_> = (0..40).map(|number| opened.start(&alert(&format!("a{number}"), 1))).collect();
    for job in jobs {
        assert_eq!(job.await.unwrap().fate, Fate::Forwarded);
    }
    let requests = receiver.requests();
    assert_eq!(requests.len(), 40 + FAILURES);
    // Five failures open it; each of the three that follow was a probe after a wait of 10 ms at least, and so was the first
    // success.
    for pair in requests[4..=FAILURES].windows(2) {
        assert!(pair[1].at.duration_since(pair[0].at) >= Duration::from_millis(9));
    }
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_the_settings_allow() {
    let receiver =
        Receiver::start(|_, _| Answer { status: 200, after: Duration::from_millis(20), ..Answer::default() });
    let opened = Opened::centre_with(&receiver.url(), HURRY, |settings| settings.deliveries = 3);
    let jobs: Vec<_> = (0..12).map(|number| opened.start(&alert(&format!("a{number}"), 1))).collect();
    for job in jobs {
        assert_eq!(job.await.unwrap().fate, Fate::Forwarded);
    }
    assert_eq!(receiver.requests().iter().map(|request| request.under_way).max(), Some(3));
    assert_eq!(opened.delivery.deliveries(), 3);
}

#[tokio::test]
async fn what_is_not_for_a_destination_never_leaves() {
    let receiver = Receiver::answering(vec![status(200)]);
    let opened = Opened::centre_with(&receiver.url(), HURRY, |settings| settings.min_severity = Severity::High);
    let settled = |value: &[u8]| match opened.delivery.take(value) {
        Verdict::Settled(fate) => fate,
        Verdict::Deferred(_) => panic!("deferred"),
    };
    let low = Alert { severity: Severity::Medium, ..alert("a1", 1) };
    let drill = Alert { is_test: true, ..alert("a2", 1) };
    let fates = [settled(&json(&low)), settled(&json(&drill)), settled(b"{\"alert_id\":\"a3\"}"), settled(b"")];
    let expected = ["below_severity", "drill", "bad_alert", "bad_alert"].map(Fate::Filtered);
    assert_eq!(fates, expected);
    assert!(fates.iter().all(|fate| chorus_sinks::FATES.contains(fate)), "each is declared");
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn alertmanager_gets_a_list_of_its_own_form_and_a_token() {
    let receiver = Receiver::answering(vec![status(200)]);
    let secrets = TempDir::new().unwrap();
    let mut settings = Settings::new("alertmanager", &receiver.url());
    settings.bearer_file = Some(secret_file(&secrets, "token-of-the-duty-room\n"));
    let opened = Opened::open(&settings, HURRY, secrets);
    assert_eq!(opened.job(&alert("a1", 1)).await.fate, Fate::Forwarded);
    let requests = receiver.requests();
    assert_eq!((requests[0].path.as_str(), requests[0].header("content-type")), ("/api/v2/alerts", "application/json"));
    assert_eq!(requests[0].header("authorization"), "Bearer token-of-the-duty-room");
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(body.as_array().unwrap().len(), 1);
    assert_eq!(body[0]["labels"]["alert_id"], "a1");
    assert_eq!(body[0]["startsAt"], "2026-11-25T00:00:00Z");
}
