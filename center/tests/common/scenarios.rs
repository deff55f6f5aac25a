//! What holds on every database. Each takes a centre on an empty one.

use axum::http::StatusCode;
use chorus_center::HEADER_REVISION;
use chorus_model::{Severity, Span, Text};
use chorus_runtime::Control;
use serde_json::json;
use tokio::task::JoinSet;

pub use super::newer::a_row_of_a_newer_version_hides_no_other;
use super::{World, alert, canary, delivery, ids_of, over, reason, seconds, signed};

/// Makes one test of each scenario.
#[macro_export]
macro_rules! for_each_scenario {
    ($with:ident) => {
        $with!(
            each_revision_counts_once_and_the_highest_wins,
            deliveries_at_once_never_mix,
            a_delivery_without_its_signature_changes_nothing,
            what_cannot_be_used_is_refused_by_name,
            paging_gives_each_alert_once_while_others_come_in,
            the_list_is_filtered_and_says_what_it_takes,
            an_incident_goes_its_way_and_repeats_change_nothing,
            an_alert_that_ends_or_returns_moves_only_what_nobody_has,
            actions_take_a_desk_and_no_free_text,
            a_stream_tells_each_change_once_and_resumes_without_loss,
            a_client_that_does_not_read_holds_nothing_up,
            a_second_instance_tells_what_the_first_took,
            what_was_answered_is_still_there_after_a_restart,
            what_is_past_its_keeping_goes_and_the_rest_stays,
            an_alert_that_nobody_takes_is_seen_to_wait,
            a_canary_is_taken_and_shown_to_nobody,
            a_row_of_a_newer_version_hides_no_other,
        );
    };
}

pub async fn each_revision_counts_once_and_the_highest_wins(world: World) {
    for outcome in ["stored", "known", "gap", "refused"] {
        assert_eq!(world.outcomes(outcome), "0", "{outcome} exists from the start");
    }
    world.deliver_as(&alert("a", 1), "stored").await;
    world.deliver_as(&alert("a", 1), "known").await;
    world.deliver_as(&alert("a", 4), "gap").await;
    world.deliver_as(&alert("a", 2), "known").await;
    world.deliver_as(&alert("b", 2), "gap").await;
    let (status, body) = world.get("/api/v1/alerts/a").await;
    assert_eq!((status, body["revision"].as_u64()), (StatusCode::OK, Some(4)));
    assert_eq!(body["summary"]["en"], "revision 4");
    assert_eq!(body["incident"]["state"], "reported");
    let history: Vec<_> = body["history"].as_array().unwrap().iter().map(|h| (&h["revision"], &h["skipped"])).collect();
    assert_eq!(history, [(&json!(1), &json!(null)), (&json!(4), &json!(2))]);
    assert_eq!(["stored", "gap", "known", "refused"].map(|o| world.outcomes(o)), ["1", "2", "2", "0"]);
    assert_eq!(world.open("high"), "2");
}

pub async fn deliveries_at_once_never_mix(world: World) {
    let second = world.second().await;
    let mut sent = JoinSet::new();
    for (index, revision) in (1..=20).rev().chain(1..=20).enumerate() {
        // Two instances on one database, in turn.
        let router = if index % 2 == 0 { world.center.router() } else { second.center.router() };
        let request = delivery(&alert("a", revision));
        sent.spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status() });
    }
    let statuses = sent.join_all().await;
    let stored = statuses.iter().filter(|status| **status == StatusCode::CREATED).count();
    assert!(statuses.iter().all(|s| [StatusCode::CREATED, StatusCode::OK].contains(s)), "{statuses:?}");
    let (_, body) = world.get("/api/v1/alerts/a").await;
    assert_eq!((body["revision"].as_u64(), body["summary"]["en"].as_str()), (Some(20), Some("revision 20")));
    let history = body["history"].as_array().unwrap();
    assert_eq!(history.len(), stored, "as many changes as were said to be stored");
    let number = |index: usize, name: &str| history[index][name].as_u64().unwrap_or(0);
    assert!((1..stored).all(|i| number(i - 1, "revision") < number(i, "revision")));
    let skipped: u64 = (0..stored).map(|i| number(i, "skipped")).sum();
    assert_eq!(skipped + u64::try_from(stored).unwrap(), 20, "every revision was stored or counted as skipped");
    let open = [&world, &second].map(|world| world.open("high").parse::<i64>().unwrap());
    assert_eq!(open.iter().sum::<i64>(), 1, "each instance moves the gauge by what it changed");
    let mut stream = world.stream(Some("0")).await;
    stream.next().await.unwrap();
    for index in 0..stored {
        let (change, _, revision) = stream.alert().await;
        assert_eq!(
            (usize::try_from(change).unwrap(), revision),
            (index + 1, number(index, "revision")),
            "no number is lost"
        );
    }
}

pub async fn a_delivery_without_its_signature_changes_nothing(world: World) {
    let alert = alert("a", 1);
    let body = serde_json::to_vec(&alert).unwrap();
    let now = seconds();
    let mut unsigned = delivery(&alert);
    unsigned.headers_mut().remove("chorus-signature");
    let mut altered = delivery(&alert);
    *altered.body_mut() = axum::body::Body::from([body.as_slice(), b" "].concat());
    let requests = [
        unsigned,
        altered,
        signed(&body, b"another key that is long enough, too", now, "a:1", "1"),
        signed(&body, super::KEY, now - 301, "a:1", "1"),
        signed(&body, super::KEY, now + 330, "a:1", "1"),
    ];
    for request in requests {
        let (status, body) = world.ask(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
    }
    assert!(world.ids("").await.is_empty());
    assert_eq!(world.outcomes("refused"), "5");
}

pub async fn what_cannot_be_used_is_refused_by_name(world: World) {
    let large = vec![b' '; (1 << 20) + 1];
    let (status, _) = world.ask(signed(&large, super::KEY, seconds(), "a:1", "1")).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let mut body = serde_json::to_value(alert("a", 1)).unwrap();
    body["severity"] = json!("very secret");
    let bytes = serde_json::to_vec(&body).unwrap();
    let (status, answer) = world.ask(signed(&bytes, super::KEY, seconds(), "a:1", "1")).await;
    assert_eq!((status, &answer["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("severity")));
    assert!(!answer.to_string().contains("secret"), "{answer}");
    let bytes = serde_json::to_vec(&alert("a", 1)).unwrap();
    let (status, answer) = world.ask(signed(&bytes, super::KEY, seconds(), "a:1", "2")).await;
    assert_eq!((status, &answer["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(HEADER_REVISION)));
    assert_eq!(world.outcomes("refused"), "3");
    assert!(world.ids("").await.is_empty());
}

pub async fn paging_gives_each_alert_once_while_others_come_in(world: World) {
    let mut expected = Vec::new();
    for n in 0..25_u32 {
        // Several share an instant.
        let mut alert = alert(&format!("a{n:02}"), 1);
        alert.updated_at = alert.updated_at.plus(Span::from_secs(i64::from(n / 4)));
        world.deliver_as(&alert, "stored").await;
        expected.push(alert.alert_id);
    }
    expected.reverse();
    let (mut seen, mut query, mut round) = (Vec::new(), String::from("?limit=10"), 0);
    loop {
        let (_, body) = world.get(&format!("/api/v1/alerts{query}")).await;
        seen.extend(ids_of(&body));
        // Newer and older ones come in, and people act on what has not been given yet.
        round += 1;
        let mut newer = alert(&format!("n{round}"), 1);
        newer.updated_at = newer.updated_at.plus(Span::from_secs(3_600));
        world.deliver_as(&newer, "stored").await;
        let (status, _) = world.act("a03", if round == 1 { "acknowledge" } else { "resolve" }).await;
        assert_eq!(status, StatusCode::OK);
        match body["next"].as_str() {
            Some(next) => query = format!("?limit=10&since={next}"),
            None => break,
        }
    }
    assert_eq!(seen, expected, "newest first, each once");
}

pub async fn the_list_is_filtered_and_says_what_it_takes(world: World) {
    let mut elsewhere = alert("b", 3);
    elsewhere.place.id = "学校 1".into();
    let mut drill = alert("d", 4);
    drill.is_test = true;
    world.deliver_as(&over("a", 1), "stored").await;
    world.deliver_as(&elsewhere, "gap").await;
    world.deliver_as(&drill, "gap").await;
    world.deliver_as(&alert("c", 2), "gap").await;
    for (query, ids) in [
        ("", vec!["b", "c", "a"]),
        ("?drills=true", vec!["d", "b", "c", "a"]),
        ("?status=firing", vec!["b", "c"]),
        ("?status=resolved", vec!["a"]),
        ("?open=true", vec!["b", "c"]),
        ("?place=%E5%AD%A6%E6%A0%A1%201", vec!["b"]),
        ("?place=nowhere", vec![]),
        ("?since=2026-11-25T08:00:02Z", vec!["b", "c"]),
        ("?since=2026-11-25T16:00:03%2B08:00", vec!["b"]),
        ("?since=2026-11-25T16:00:03+08:00", vec!["b"]),
        ("?limit=1", vec!["b"]),
    ] {
        assert_eq!(world.ids(query).await, ids, "{query}");
    }
    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?limit=ten", "limit"),
        ("?status=open", "status"),
        ("?since=yesterday", "since"),
        ("?place=", "place"),
        ("?drills=yes", "drills"),
    ] {
        let (status, body) = world.get(&format!("/api/v1/alerts{query}")).await;
        assert_eq!((status, body["field"].as_str()), (StatusCode::BAD_REQUEST, Some(field)), "{query}");
    }
    let (status, body) = world.get("/api/v1/alerts?stauts=firing").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["error"].as_str().unwrap().contains("status"), "{body}");
    assert_eq!(world.open("high"), "2", "a drill is not counted");
}

pub async fn an_incident_goes_its_way_and_repeats_change_nothing(world: World) {
    world.deliver_as(&alert("a", 1), "stored").await;
    let (status, first) = world.act("a", "acknowledge").await;
    assert_eq!((status, &first["incident"]["state"]), (StatusCode::OK, &json!("acknowledged")));
    assert_eq!(world.act("a", "acknowledge").await, (StatusCode::OK, first.clone()));
    world.deliver_as(&alert("a", 2), "stored").await;
    let (_, now) = world.get("/api/v1/alerts/a").await;
    assert_eq!(now["incident"], first["incident"], "a revision leaves it with whoever has it");
    let (status, done) = world.act("a", "resolve").await;
    assert_eq!((status, &done["incident"]["state"]), (StatusCode::OK, &json!("resolved")));
    assert_eq!(world.act("a", "resolve").await, (StatusCode::OK, done));
    assert_eq!(world.open("high"), "0");
    let (status, body) = world.act("a", "acknowledge").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(body["error"].as_str().unwrap().contains("resolved"), "{body}");
    for id in ["nobody", "%2e%2e", "a%20b"] {
        assert_eq!(world.act(id, "resolve").await.0, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(world.get(&format!("/api/v1/alerts/{id}")).await.0, StatusCode::NOT_FOUND, "{id}");
    }
    let (_, body) = world.get("/api/v1/alerts/a").await;
    let words: Vec<_> = body["history"].as_array().unwrap().iter().map(|h| h["what"].as_str().unwrap()).collect();
    assert_eq!(words, ["delivered", "acknowledge", "delivered", "resolve"]);
}

pub async fn an_alert_that_ends_or_returns_moves_only_what_nobody_has(world: World) {
    for id in ["taken", "free"] {
        world.deliver_as(&alert(id, 1), "stored").await;
    }
    world.act("taken", "acknowledge").await;
    for id in ["taken", "free"] {
        world.deliver_as(&over(id, 2), "stored").await;
    }
    let state = async |id: &str| world.get(&format!("/api/v1/alerts/{id}")).await.1["incident"]["state"].clone();
    assert_eq!(state("taken").await, "acknowledged", "what people have taken, people end");
    assert_eq!(state("free").await, "resolved");
    assert_eq!(world.open("high"), "1");
    for id in ["taken", "free"] {
        world.deliver_as(&alert(id, 3), "stored").await;
    }
    assert_eq!(state("taken").await, "acknowledged");
    assert_eq!(state("free").await, "reported", "it came back");
    // People end what still fires: more of the same leaves it ended, a new reason and a worse severity do not.
    world.act("free", "resolve").await;
    world.deliver_as(&alert("free", 4), "stored").await;
    assert_eq!(state("free").await, "resolved");
    let mut wider = alert("free", 5);
    wider.reasons.push(reason("another", Text::default()));
    world.deliver_as(&wider, "stored").await;
    assert_eq!(state("free").await, "reported");
    world.act("free", "resolve").await;
    wider.revision = 6;
    wider.severity = Severity::Critical;
    world.deliver_as(&wider, "stored").await;
    assert_eq!(state("free").await, "reported");
    assert_eq!((world.open("high"), world.open("critical")), ("1".to_owned(), "1".to_owned()));
    // It may have ended and come back in what never arrived.
    world.act("free", "resolve").await;
    wider.revision = 8;
    world.deliver_as(&wider, "gap").await;
    assert_eq!(state("free").await, "reported");
}

pub async fn actions_take_a_desk_and_no_free_text(world: World) {
    world.deliver_as(&alert("a", 1), "stored").await;
    let path = "/api/v1/alerts/a/acknowledge";
    for (body, field) in [
        (r#"{"by":"desk-3","note":"Mr Li called"}"#, "body"),
        (r#"{"by":"Li Ming"}"#, "by"),
        (r#"{"by":"李明"}"#, "by"),
        (r#"{"by":""}"#, "by"),
        ("[]x", "body"),
    ] {
        let (status, answer) = world.post(path, body).await;
        assert_eq!((status, answer["field"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(field)), "{body}");
        assert!(!answer.to_string().contains("Li"), "{answer}");
    }
    let large = format!("{{\"by\":\"{}\"}}", "x".repeat(5_000));
    assert_eq!(world.post(path, &large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.post(path, r#"{"by":"desk-3"}"#).await.0, StatusCode::OK);
    let (_, body) = world.get("/api/v1/alerts/a").await;
    assert_eq!(body["history"][1]["by"], "desk-3");
    assert_eq!(body["history"][1]["state"], "acknowledged");
}

pub async fn a_stream_tells_each_change_once_and_resumes_without_loss(world: World) {
    world.deliver_as(&alert("before", 1), "stored").await;
    let mut stream = world.stream(None).await;
    let first = stream.next().await.unwrap();
    assert_eq!((first.id.as_str(), first.name.as_str()), ("1", ""), "the id alone, to resume from");
    world.deliver_as(&alert("a", 1), "stored").await;
    world.deliver_as(&alert("a", 1), "known").await;
    let mut drill = alert("d", 1);
    drill.is_test = true;
    world.deliver_as(&drill, "stored").await;
    world.act("a", "acknowledge").await;
    world.act("a", "acknowledge").await;
    world.deliver_as(&alert("a", 2), "stored").await;
    let told = [stream.alert().await, stream.alert().await, stream.alert().await];
    assert_eq!(told, [(2, "a".to_owned(), 1), (4, "a".to_owned(), 1), (5, "a".to_owned(), 2)]);
    drop(stream);
    // More than a batch while nobody listens.
    for n in 0..100 {
        world.deliver_as(&alert(&format!("m{n}"), 1), "stored").await;
    }
    let mut resumed = world.stream(Some("2")).await;
    assert_eq!(resumed.next().await.unwrap().id, "2");
    let (number, _, _) = resumed.alert().await;
    let acknowledged = world.stream(Some("3")).await;
    drop(acknowledged);
    assert_eq!((number, resumed.alert().await), (4, (5, "a".to_owned(), 2)));
    for n in 0..100 {
        assert_eq!(resumed.alert().await, (6 + n, format!("m{n}"), 1));
    }
    let mut stranger = world.stream(Some("9999")).await;
    let reset = stranger.next().await.unwrap();
    assert_eq!((reset.name.as_str(), reset.id.as_str()), ("reset", "105"), "an id of another database");
    let bad = axum::http::Request::get("/api/v1/stream").header("last-event-id", "x");
    assert_eq!(world.ask(bad.body(axum::body::Body::empty()).unwrap()).await.0, StatusCode::BAD_REQUEST);
}

pub async fn a_canary_is_taken_and_shown_to_nobody(world: World) {
    let mut stream = world.stream(None).await;
    stream.next().await.unwrap();
    for revision in 1..=20 {
        world.deliver_as(&canary("c", revision), "canary").await;
    }
    world.deliver_as(&canary("c", 20), "canary").await;
    world.deliver_as(&canary("another", 1), "canary").await;
    assert_eq!(world.ids("?drills=true").await, Vec::<String>::new());
    for path in ["/api/v1/alerts/c", "/api/v1/alerts/another"] {
        assert_eq!(world.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(world.act("c", "acknowledge").await.0, StatusCode::NOT_FOUND);
    assert_eq!((world.open("info").as_str(), world.open("high").as_str()), ("0", "0"));
    assert_eq!((world.outcomes("canary").as_str(), world.outcomes("stored").as_str()), ("22", "0"));
    // The first change that the stream has to tell of, and it took the first number.
    world.deliver_as(&alert("a", 1), "stored").await;
    assert_eq!(stream.alert().await, (1, "a".to_owned(), 1));
}

pub async fn a_client_that_does_not_read_holds_nothing_up(world: World) {
    let mut idle = world.stream(None).await;
    for n in 0..100 {
        world.deliver_as(&alert(&format!("a{n}"), 1), "stored").await;
    }
    let mut quick = world.stream(Some("0")).await;
    quick.next().await.unwrap();
    for n in 0..100 {
        assert_eq!(quick.alert().await.0, n + 1);
    }
    // And what it did not read waits for it.
    idle.next().await.unwrap();
    for n in 0..100 {
        assert_eq!(idle.alert().await.0, n + 1);
    }
}

pub async fn a_second_instance_tells_what_the_first_took(world: World) {
    let second = world.second().await;
    let control = Control::default();
    let background = tokio::spawn({
        let (center, control) = (second.center.clone(), control.clone());
        async move { center.run_background(control).await }
    });
    let mut stream = second.stream(None).await;
    stream.next().await.unwrap();
    world.deliver_as(&alert("a", 1), "stored").await;
    assert_eq!(stream.alert().await, (1, "a".to_owned(), 1));
    second.deliver_as(&alert("a", 1), "known").await;
    control.stop();
    background.await.unwrap();
    assert_eq!(stream.next().await, None, "a stream ends with the program");
}

pub async fn what_was_answered_is_still_there_after_a_restart(world: World) {
    world.deliver_as(&alert("a", 1), "stored").await;
    world.deliver_as(&over("b", 1), "stored").await;
    world.act("a", "acknowledge").await;
    let (_, before) = world.get("/api/v1/alerts?drills=true").await;
    let again = world.second().await;
    assert_eq!(again.get("/api/v1/alerts?drills=true").await.1, before);
    assert_eq!((again.open("high"), again.open("low")), ("1".to_owned(), "0".to_owned()));
    again.deliver_as(&alert("a", 1), "known").await;
}

pub async fn what_is_past_its_keeping_goes_and_the_rest_stays(world: World) {
    for n in 0..450 {
        world.deliver_as(&over(&format!("done{n}"), 1), "stored").await;
    }
    for revision in 1..=5 {
        world.deliver_as(&alert("open", revision), "stored").await;
    }
    world.act("open", "acknowledge").await;
    let now = chorus_model::Timestamp::from_micros(seconds() * 1_000_000);
    assert_eq!(world.center.prune(now.minus(Span::from_secs(3_600))).await.unwrap(), 0, "nothing is old enough");
    let rows = world.center.prune(now.plus(Span::from_secs(60))).await.unwrap();
    assert_eq!(rows, 450 * 2 + 4, "what is done with, and the revisions that no longer stand");
    assert_eq!(world.ids("").await, ["open"]);
    let (_, body) = world.get("/api/v1/alerts/open").await;
    assert_eq!(body["history"].as_array().unwrap().len(), 2, "the revision that stands, and what was done since");
    // Whoever resumes from before goes on with what is left, and does not turn in circles.
    let mut stream = world.stream(Some("1")).await;
    stream.next().await.unwrap();
    assert_eq!(stream.alert().await, (455, "open".to_owned(), 5));
    assert_eq!(stream.alert().await, (456, "open".to_owned(), 5));
    world.deliver_as(&alert("open", 6), "stored").await;
    assert_eq!(stream.alert().await, (457, "open".to_owned(), 6));
}

pub async fn an_alert_that_nobody_takes_is_seen_to_wait(world: World) {
    let waited =
        |world: &World| world.metric("chorus_center_unacknowledged_seconds{severity=\"high\"}").unwrap_or_default();
    assert_eq!(waited(&world), "0", "exists from the start");
    world.deliver_as(&alert("a", 1), "stored").await;
    world.deliver_as(&alert("b", 1), "stored").await;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    // Each instance looks it up when it opens.
    while waited(&world.second().await) == "0" {
        assert!(std::time::Instant::now() < until, "the alert is not seen to wait");
    }
    world.act("a", "acknowledge").await;
    assert_ne!(waited(&world.second().await), "0", "the other one still waits");
    world.act("b", "resolve").await;
    assert_eq!(waited(&world.second().await), "0");
}
