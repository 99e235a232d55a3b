//! Quirks that come and go while the server runs.

use std::time::Duration;

use focus_mock::domain::quirk::{Profile, Quirk, Quirks};
use focus_mock::sim::journal::Happening;
use focus_mock::sim::setup::Setup;
use reqwest::Method;
use serde_json::{Value, json};

use super::{quirks_of, with_all_quirks, with_quirks, without};
use crate::common::{Client, base, held, held_with, light};

#[tokio::test]
async fn a_quirk_shows_from_the_next_request_on_and_the_answer_of_a_job_stays_what_it_was() {
    let server = held();
    let client = Client::of(&server);
    let before = client.job(&light()).await;
    let switch = |quirk, on| server.simulation().with(|world, now| world.set_quirk(quirk, on, now));
    for quirk in
        [Quirk::StatusEmpty, Quirk::StreamPortString, Quirk::FrequencyBinsDecimated, Quirk::MetadataRace]
    {
        switch(quirk, true);
    }
    assert_eq!(client.get("/metadata/1-1").await.json(), before, "created without them");
    let with_them = client.job(&base()).await;
    assert_eq!((&with_them["status"], &with_them["frequencies_amount"]), (&json!(""), &json!(64)));
    assert!(with_them["stream_port"].is_string());
    assert_eq!(client.get("/metadata/2-2").await.status, 404);
    switch(Quirk::StatusEmpty, false);
    switch(Quirk::MetadataRace, false);
    assert_eq!(client.get("/metadata/2-2").await.status, 404, "its own race goes on");
    server.simulation().advance(Duration::from_secs(2));
    assert_eq!(client.get("/metadata/2-2").await.json(), with_them, "created with them");
    assert_eq!(client.job(&light()).await["status"], "success");
    // A check that is off and on again.
    let reversed = super::but("channels", &json!({"min": 20, "max": 11}));
    for on in [false, true, false] {
        switch(Quirk::ChannelsUnchecked, on);
        let expected = if on { 200 } else { 400 };
        assert_eq!(client.configure(&reversed).await.status, expected, "{on}");
    }
    for on in [true, false] {
        switch(Quirk::BareErrorBody, on);
        assert_eq!(client.get("/metadata/9-9").await.json().get("code").is_none(), on);
    }
}

#[tokio::test]
async fn a_task_from_before_is_as_unknown_as_any_other_while_there_are_no_tasks() {
    let server = held();
    let client = Client::of(&server);
    let task = json!({"displayTimeAxisDuration": 30, "nfftSelection": 1024, "canvasInfo": {"height": 300},
                      "sensors": {"min": 0, "max": 2}, "frequencyRange": {"min": 0, "max": 500}});
    assert_eq!(client.post("/config/task-7", &task).await.status, 200);
    server.simulation().advance(Duration::from_secs(2));
    for (on, status) in [(false, 201), (true, 404), (false, 201)] {
        server.simulation().with(|world, now| world.set_quirk(Quirk::TaskApiMissing, on, now));
        assert_eq!(client.get("/metadata/task-7").await.status, status, "{on}");
    }
}

#[tokio::test]
async fn changes_are_told_in_the_journal_and_what_stays_the_same_is_none() {
    let server = with_quirks(&[Quirk::StreamPortString, Quirk::StatusEmpty]);
    let told = |from: u64| -> Vec<(Quirk, bool)> {
        let journal = server.simulation().snapshot().journal;
        let of = |what: &Happening| match what {
            Happening::QuirkChanged(quirk, on) => Some((*quirk, *on)),
            _ => None,
        };
        journal.iter().filter(|entry| entry.number > from).filter_map(|entry| of(&entry.what)).collect()
    };
    server.simulation().with(|world, now| world.set_quirk(Quirk::StatusEmpty, true, now));
    assert_eq!(told(0), []);
    server.simulation().with(|world, now| world.set_quirk(Quirk::StatusEmpty, false, now));
    assert_eq!(told(0), [(Quirk::StatusEmpty, false)]);

    let written = server.simulation().snapshot().journal_written;
    server.simulation().with(|world, now| world.set_profile(Profile::Observed202512, now));
    assert_eq!(quirks_of(&server), Profile::Observed202512.quirks());
    assert_eq!(told(written).len(), 20, "nineteen come, one goes");
    assert!(told(written).contains(&(Quirk::StreamPortString, false)));

    let url = format!("http://{}/__mock/state", server.admin().expect("an admin listener"));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let state: Value =
        client.request(Method::GET, url).send().await.expect("an answer").json().await.expect("JSON");
    let newest = state["journal"]["newest"].as_array().expect("a list");
    for (event, what) in [("quirk-on", "parser-500"), ("quirk-off", "stream-port-string")] {
        assert!(
            newest.iter().any(|entry| entry["event"] == event && entry["what"] == what),
            "{event} {what}"
        );
    }

    server.simulation().reset();
    assert_eq!(quirks_of(&server), [Quirk::StreamPortString, Quirk::StatusEmpty].into_iter().collect());
    server.simulation().with(|world, now| world.set_profile(Profile::Contract, now));
    assert_eq!(quirks_of(&server), Quirks::NONE);
}

/// The whole of December 2025 at once, as known clients meet it.
#[tokio::test]
async fn a_server_of_december_2025_does_what_was_recorded() {
    let server = held_with(Setup { quirks: Profile::Observed202512.quirks(), ..Setup::default() });
    let client = Client::of(&server);
    let job = client.job(&super::historic()).await;
    assert_eq!(
        (&job["status"], &job["view_type"], &job["stream_port"]),
        (&json!(""), &json!(0), &json!(server.port_base() + 1))
    );
    assert_eq!(client.get("/metadata/1-1").await.body, b"{\"error\":\"Invalid job_id\"}");
    assert_eq!(client.cancel("1-1").await.body, b"{\"detail\":\"Not Found\"}");
    assert_eq!(client.get("/sensors").await.body, b"{\"detail\":\"Not Found\"}");
    assert_eq!(
        client.configure(&without("channels")).await.body,
        b"{\"error\":\"Error parsing configuration\"}"
    );
    assert_eq!(client.configure(&json!({})).await.status, 422);
    assert_eq!(client.get("/live_metadata").await.json().as_object().expect("an object").len(), 7);
}

#[tokio::test]
async fn every_quirk_at_once_leaves_a_server_that_serves() {
    let server = with_all_quirks();
    let client = Client::of(&server);
    assert_eq!(client.get("/ack").await.status, 200);
    let job = client.job(&base()).await;
    assert_eq!(
        (&job["view_type"], &job["status"], &job["frequencies_amount"]),
        (&json!("0"), &json!(""), &json!(64))
    );
}
