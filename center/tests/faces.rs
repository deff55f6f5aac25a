//! What does not depend on the database: the form of the JSON, the page, the token.

mod common;

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use chorus_center::Settings;
use common::{World, alert, over};
use serde_json::Value;

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn an_alert_in_the_list_has_the_form_of_the_public_faces() {
    let world = World::new(None).await;
    let mut full = over("a", 1);
    full.place.division_code = Some("360102".into());
    full.reasons[0].expected = Some(2.0);
    world.deliver_as(&full, "stored").await;
    let (_, body) = world.get("/api/v1/alerts").await;
    assert_eq!(keys(&body), BTreeSet::from(["alerts", "next"]));
    let shown = &body["alerts"][0];
    let expected = "schema_version alert_id revision status kind severity place starts_at updated_at ends_at summary \
        reasons tipped_at incident";
    assert_eq!(keys(shown), expected.split_whitespace().collect());
    assert_eq!(keys(&shown["place"]), BTreeSet::from(["id", "name", "kind", "division_code"]));
    assert_eq!(keys(&shown["summary"]), BTreeSet::from(["zh", "en"]));
    assert_eq!(keys(&shown["incident"]), BTreeSet::from(["state", "since"]));
    let reason = "rule kind status devices from to count expected evidence summary";
    assert_eq!(keys(&shown["reasons"][0]), reason.split_whitespace().collect());
    // It is the alert of the model, word for word, with the incident.
    let mut read: chorus_model::Alert = serde_json::from_value(shown.clone()).unwrap();
    assert!(read.incident.take().is_some());
    assert_eq!(read, full);
    let (_, detail) = world.get("/api/v1/alerts/a").await;
    assert_eq!(keys(&detail), keys(shown).into_iter().chain(["history"]).collect());
    let entry = BTreeSet::from(["change", "at", "what", "revision", "status", "severity", "state"]);
    assert_eq!(keys(&detail["history"][0]), entry);
}

#[tokio::test]
async fn the_page_takes_nothing_from_elsewhere_and_nothing_inline() {
    let world = World::new(None).await;
    let page = world.send(Request::get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = text(page).await;
    for path in ["/center.css", "/center.js"] {
        assert!(html.contains(&format!("\"{}\"", path.trim_start_matches('/'))));
        let file = world.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(file.status(), StatusCode::OK);
        let file = text(file).await;
        assert!(!file.contains("http://") && !file.contains("https://"), "{path}");
        // Whatever writes markup or runs text: what comes from outside stays text.
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
            assert!(!file.contains(word), "{path}: {word}");
        }
    }
    for word in ["http://", "https://", "<style", " style=", " onclick", "javascript:"] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(html.matches("<script").count() == 1 && html.contains("<script src="));
}

async fn text(response: axum::http::Response<Body>) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn beyond_loopback_nothing_is_shown_or_done_without_the_token() {
    let world = World::new(None).await;
    world.deliver_as(&alert("a", 1), "stored").await;
    let token = world.dir.path().join("token");
    std::fs::write(&token, "0123456789abcdef\n").unwrap();
    let listen = "0.0.0.0:8080".to_owned();
    let settings = Settings { listen, api_token_file: Some(token), ..world.settings.clone() };
    let public = World::with(tempfile::tempdir().unwrap(), settings).await;
    for (method, path) in [
        ("GET", "/api/v1/alerts"),
        ("GET", "/api/v1/alerts/a"),
        ("GET", "/api/v1/stream"),
        ("POST", "/api/v1/alerts/a/acknowledge"),
        ("POST", "/api/v1/alerts/a/resolve"),
    ] {
        for (value, expected) in [
            (None, StatusCode::UNAUTHORIZED),
            (Some("Bearer 0123456789abcdeX"), StatusCode::UNAUTHORIZED),
            (Some("Bearer 0123456789abcdef"), StatusCode::OK),
        ] {
            let mut request = Request::builder().method(method).uri(path).header("host", "center.example");
            if let Some(value) = value {
                request = request.header("authorization", value);
            }
            let response = public.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), expected, "{method} {path}");
        }
    }
    // A delivery has its own proof.
    public.deliver_as(&alert("b", 1), "stored").await;
}

#[tokio::test]
async fn settings_that_cannot_work_are_named_at_the_start() {
    let metrics = std::sync::Arc::new(chorus_runtime::Metrics::new().unwrap());
    let error = chorus_center::open(&Settings::default(), metrics).await.unwrap_err();
    assert!(error.to_string().contains("center.key_file"), "{error}");
}
