//! Rules: installed whole or not at all, listed with their counters, taken away.

use focus_mock::sim::faults::At;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::common::{Client, base, held};
use super::Admin;

const FAULTS: &str = "/__mock/faults";

fn ids(rules: &Value) -> Vec<&str> {
    rules["rules"].as_array().expect("a list").iter().filter_map(|rule| rule["id"].as_str()).collect()
}

#[tokio::test]
async fn a_rule_is_installed_counts_its_hits_and_is_taken_away() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let rule =
        json!({"id": "busy", "at": "step.port", "when": {"first": 2}, "do": {"refuse": "PORT_IN_USE"}});
    assert_eq!(admin.post(FAULTS, rule).await, json!({ "ids": ["busy"] }));
    for status in [409, 409, 200] {
        assert_eq!(client.configure(&base()).await.status, status);
    }
    let rules = admin.get(FAULTS).await;
    let rule = &rules["rules"][0];
    assert_eq!((&rule["id"], &rule["matched"], &rule["hits"]), (&json!("busy"), &json!(3), &json!(2)));
    assert_eq!((&rule["since"], &rule["rule"]["at"]), (&json!("2025-12-08T00:00:00Z"), &json!("step.port")));
    assert_eq!(admin.delete("/__mock/faults/busy").await, json!({ "rules": [] }));
    let (status, error) = admin.refused(Method::DELETE, "/__mock/faults/busy", &Value::Null).await;
    assert_eq!((status, error.as_str()), (404, "there is no rule busy: there are none"));
    let hits = admin.get("/__mock/journal?kind=fault&rule=busy").await;
    assert_eq!(hits["entries"].as_array().map(Vec::len), Some(2), "{hits}");
}

#[tokio::test]
async fn a_list_of_rules_is_installed_in_its_order_or_not_at_all() {
    let server = held();
    let admin = Admin::of(&server);
    let rule = |id: Option<&str>, at: &str| json!({"id": id, "at": at, "do": {"refuse": "SERVER_DOWN"}});
    let both = json!([rule(Some("a"), "step.slot"), rule(None, "rest.ack.before")]);
    assert_eq!(admin.post(FAULTS, both).await, json!({ "ids": ["a", "rule-1"] }));
    let before = admin.get(FAULTS).await;
    assert_eq!(ids(&before), ["a", "rule-1"]);
    for (rules, status, told) in [
        (
            json!([rule(Some("b"), "step.slot"), rule(Some("a"), "step.port")]),
            409,
            "there is a rule a already",
        ),
        (
            json!([rule(Some("b"), "step.slot"), rule(Some("b"), "step.port")]),
            422,
            "there is a rule b already",
        ),
        (
            json!([rule(Some("b"), "step.slot"), rule(None, "step.prot")]),
            422,
            "there are step.slot, step.port",
        ),
        (json!([rule(Some("b"), "step.slot"), rule(None, "admin.before")]), 422, "no place for faults"),
        (
            json!([rule(None, "step.slot"), {"at": "step.port", "do": {"refuse": "PORT_IN_USE"}, "doo": "reset"}]),
            422,
            "unknown key \"doo\"",
        ),
        (json!([{"at": "step.port"}]), 422, "there are refuse"),
        (json!("step.port"), 422, "must be a mapping"),
        (Value::from(vec![rule(None, "step.slot"); 999]), 409, "1000 is the limit"),
    ] {
        let (answered, error) = admin.refused(Method::POST, FAULTS, &rules).await;
        assert_eq!(answered, status, "{error}");
        assert!(error.contains(told), "{told:?} is missing in {error:?}");
        assert_eq!(admin.get(FAULTS).await, before, "nothing of it is installed");
    }
    assert_eq!(admin.delete(FAULTS).await, json!({ "removed": 2 }));
    assert_eq!(admin.get(FAULTS).await, json!({ "rules": [] }));
}

#[tokio::test]
async fn a_mistake_in_a_rule_is_told_with_its_place() {
    let server = held();
    let text =
        "- at: step.slot\n  do: {refuse: SERVER_DOWN}\n- at: step.nowhere\n  do: {refuse: SERVER_DOWN}\n";
    let (status, body) = Admin::of(&server).send(Method::POST, FAULTS, text).await;
    assert_eq!(status, 422);
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let mistakes = body["mistakes"].as_array().expect("a list");
    assert_eq!(
        (mistakes.len(), &mistakes[0]["line"], &mistakes[0]["column"]),
        (1, &json!(3), &json!(7)),
        "{body}"
    );
}

#[tokio::test]
async fn a_rule_that_has_outlived_its_time_is_not_listed() {
    let server = held();
    let admin = Admin::of(&server);
    let rule = json!({"at": "step.slot", "when": {"ttl": "10s"}, "do": {"refuse": "SERVER_DOWN"}});
    admin.post(FAULTS, rule).await;
    admin.advance(json!("9s")).await;
    assert_eq!(ids(&admin.get(FAULTS).await), ["rule-1"]);
    admin.advance(json!("1s")).await;
    assert_eq!(ids(&admin.get(FAULTS).await), [""; 0]);
}

#[tokio::test]
async fn every_point_is_listed_with_what_can_be_done_there() {
    let server = held();
    let points = Admin::of(&server).get("/__mock/faults/points").await;
    let points = points["points"].as_array().expect("a list");
    let names: Vec<_> = points.iter().filter_map(|point| point["point"].as_str()).collect();
    assert_eq!(names, At::all().map(|at| at.to_string()).collect::<Vec<_>>());
    let port = points.iter().find(|point| point["point"] == "undo.port").expect("a point");
    assert_eq!(
        *port,
        json!({"point": "undo.port", "family": "undo", "effects": ["fail"],
               "about": "Undoing a failed reservation: The port is let go."})
    );
}
