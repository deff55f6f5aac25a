//! What a newer version left in the database before somebody went back to this one.

use axum::http::StatusCode;
use serde_json::json;

use super::{World, alert, ids_of};

pub async fn a_row_of_a_newer_version_hides_no_other(world: World) {
    for id in ["a", "b", "c", "d", "e"] {
        world.deliver_as(&alert(id, 1), "stored").await;
    }
    assert_eq!(world.act("b", "acknowledge").await.0, StatusCode::OK);
    // A word that this version does not know: in the alert, or in the state of its incident.
    assert_eq!(
        world
            .sql("UPDATE alerts SET document = replace(document, '\"village\"', '\"moon\"') WHERE alert_id = 'b'")
            .await,
        1
    );
    assert_eq!(
        world
            .sql("UPDATE changes SET document = replace(document, '\"village\"', '\"moon\"') WHERE alert_id = 'b'")
            .await,
        2
    );
    assert_eq!(world.sql("UPDATE alerts SET state = 'pondered' WHERE alert_id = 'c'").await, 1);
    assert_eq!(world.sql("UPDATE changes SET state = 'pondered' WHERE alert_id = 'c'").await, 1);

    assert_eq!(world.ids("").await, ["e", "d", "a"]);
    // Page by page: one that holds nothing is not the last.
    let (mut seen, mut query) = (Vec::new(), String::from("?limit=1"));
    loop {
        let (status, body) = world.get(&format!("/api/v1/alerts{query}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        seen.extend(ids_of(&body));
        let Some(next) = body["next"].as_str() else { break };
        query = format!("?limit=1&since={next}");
    }
    assert_eq!(seen, ["e", "d", "a"]);
    let mut stream = world.stream(Some("0")).await;
    stream.next().await.unwrap();
    for (change, id) in [(1, "a"), (4, "d"), (5, "e")] {
        assert_eq!(stream.alert().await, (change, id.to_owned(), 1));
    }
    assert_eq!(
        world.act("b", "resolve").await.0,
        StatusCode::SERVICE_UNAVAILABLE,
        "nobody acts on what cannot be shown"
    );

    world.deliver_as(&alert("b", 1), "known").await;
    world.deliver_as(&alert("b", 2), "stored").await;
    world.deliver_as(&alert("c", 3), "gap").await;
    assert_eq!(stream.alert().await, (7, "b".to_owned(), 2));
    assert_eq!(stream.alert().await, (8, "c".to_owned(), 3));
    assert_eq!(world.ids("").await, ["c", "b", "e", "d", "a"]);
    let state = async |id: &str| world.get(&format!("/api/v1/alerts/{id}")).await.1["incident"]["state"].clone();
    assert_eq!((state("b").await, state("c").await), (json!("acknowledged"), json!("reported")));
    assert_eq!(world.open("high"), "5", "each is counted once");
}
