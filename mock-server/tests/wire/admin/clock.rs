//! The clock: what it shows, what makes it go, how it is moved.

use std::time::Duration;

use focus_mock::sim::clock::Mode;
use focus_mock::{Config, MockServer};
use serde_json::{Value, json};

use super::super::common::{Client, base, held};
use super::{Admin, START_MS};

#[tokio::test]
async fn the_clock_shows_its_mode_its_time_and_what_is_due_next() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let still =
        json!({"mode": "manual", "now": "2025-12-08T00:00:00Z", "now_ms": START_MS, "next_due_ms": null});
    let mut clock = admin.clock().await;
    // The loop of the server waits for the next event, and there is none; whether it does so already is its matter.
    clock.as_object_mut().expect("an object").remove("waiters").expect("who waits");
    assert_eq!(clock, still);
    client.job(&base()).await;
    assert_eq!(admin.clock().await["next_due_ms"], START_MS + 50_000, "the first sample of the sweep");
    let clock = admin.advance(json!(1.5)).await;
    assert_eq!(
        (&clock["now"], &clock["now_ms"]),
        (&json!("2025-12-08T00:00:01.5Z"), &json!(START_MS + 1500))
    );
}

#[tokio::test]
async fn a_change_of_mode_goes_on_from_where_the_clock_was() {
    let server = held();
    let admin = Admin::of(&server);
    let mut latest = START_MS;
    for mode in ["scaled:1000", "system", "scaled:0.001", "manual"] {
        let clock = admin.set_mode(mode).await;
        assert_eq!(clock["mode"], mode);
        let now = clock["now_ms"].as_i64().expect("a number");
        assert!((latest..latest + 86_400_000).contains(&now), "{mode}: {now} after {latest}");
        latest = now;
    }
    let clock = admin.clock().await;
    assert_eq!(clock["now_ms"], admin.clock().await["now_ms"], "it stands again");
}

#[tokio::test]
async fn a_scaled_clock_lets_things_happen_by_themselves() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let job = client.job(&base()).await;
    let id = job["job_id"].as_str().expect("an id");
    admin.set_mode("scaled:10000").await;
    let gone = async { while client.get(&format!("/metadata/{id}")).await.status == 200 {} };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("the idle sweep removes the job");
}

#[tokio::test]
async fn an_advance_tells_what_happened_in_order_and_when() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    client.job(&base()).await;
    assert_eq!(admin.advance(json!("5s")).await["fired"], json!([]));
    client.job(&base()).await;
    let third = client.job(&base()).await;
    client.cancel(third["job_id"].as_str().expect("an id")).await;
    let clock = admin.advance(json!("1m")).await;
    let fired = |key: &str| -> Vec<_> {
        clock["fired"].as_array().expect("a list").iter().map(|entry| entry[key].clone()).collect()
    };
    assert_eq!(fired("at_ms"), [START_MS + 7_000, START_MS + 50_000, START_MS + 55_000]);
    assert_eq!(fired("event"), ["removed", "removed", "removed"]);
    assert_eq!(fired("job"), ["3-3", "1-1", "2-2"]);
    assert_eq!(fired("what"), ["cancelled", "idle", "idle"]);
    let numbers: Vec<_> = fired("number").iter().filter_map(Value::as_u64).collect();
    assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]), "{numbers:?}");
    assert_eq!(clock["fired_total"], 3);
    assert_eq!((&clock["now_ms"], &clock["next_due_ms"]), (&json!(START_MS + 65_000), &Value::Null));
    let state = admin.state().await;
    assert_eq!((&state["jobs"], &state["slots"]["free"]), (&json!([]), &json!(1024)));
}

#[tokio::test]
async fn an_advance_takes_durations_in_every_documented_form() {
    let server = held();
    let admin = Admin::of(&server);
    let mut now = START_MS;
    for (by, millis) in [
        (json!("50s"), 50_000),
        (json!("1m 30s"), 90_000),
        (json!("2h"), 7_200_000),
        (json!("PT1M"), 60_000),
        (json!("250ms"), 250),
        (json!(7), 7_000),
        (json!(0.25), 250),
        (json!(0), 0),
        (json!("0s"), 0),
        (json!("744h"), 2_678_400_000),
        (json!(2_678_400), 2_678_400_000),
    ] {
        now += millis;
        assert_eq!(admin.advance(by.clone()).await["now_ms"], now, "{by}");
    }
}

#[tokio::test]
async fn an_advance_also_moves_a_clock_that_runs() {
    let config = Config { clock: Mode::System, ..Config::default() };
    let server = MockServer::start(config).expect("a server of the test's own");
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let before = admin.clock().await["now_ms"].as_i64().expect("a number");
    client.job(&base()).await;
    let clock = admin.advance(json!("60s")).await;
    assert!(clock["now_ms"].as_i64().expect("a number") >= before + 60_000, "{clock} after {before}");
    assert_eq!(clock["mode"], "system");
    assert_eq!(clock["fired"][0]["what"], "idle", "{clock}");
}
