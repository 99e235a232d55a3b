//! Dependencies, quirks, limits, ports, worlds, jobs: what can be changed while the world goes on.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::common::{Client, base, held, with};
use super::{Admin, START_MS};

fn historic() -> Value {
    with(base(), &json!({"start_time": 1_765_065_600, "end_time": 1_765_065_660}))
}

#[tokio::test]
async fn a_dependency_goes_down_and_comes_back() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let now = admin.put("/__mock/dependencies/mongodb", json!({"state": "down"})).await;
    let states = json!({"state": "down", "states": ["up", "down", "slow-fail", "restarting"]});
    assert_eq!((&now["mongodb"], &now["rabbitmq"]["state"]), (&states, &json!("up")));
    assert_eq!(client.configure(&historic()).await.refusal(), (503, String::from("RECORDINGS_UNAVAILABLE")));
    admin.put("/__mock/dependencies/mongodb", json!({"state": "up"})).await;
    assert_eq!(client.configure(&historic()).await.status, 200);
    admin.put("/__mock/dependencies/focus-server", json!({"state": "down"})).await;
    assert_eq!(admin.get("/__mock/dependencies").await["focus_server"]["state"], "down");
    let (status, error) = admin.refused(Method::GET, "/readyz", &Value::Null).await;
    assert_eq!((status, error.as_str()), (503, "the focus-server workload has no ready pod"));
}

#[tokio::test]
async fn a_change_for_a_time_goes_back_by_itself() {
    let server = held();
    let admin = Admin::of(&server);
    admin.put("/__mock/dependencies/rabbitmq", json!({"state": "down", "for": "60s"})).await;
    admin.put("/__mock/quirks/status-empty", json!({"on": true, "for": 30})).await;
    admin.ok(Method::PATCH, "/__mock/limits", &json!({"max_jobs": 3, "for": "10s"}).to_string()).await;
    let seen = async || {
        let state = admin.state().await;
        let down = state["dependencies"]["rabbitmq"] == "down";
        (down, state["quirks"] == json!(["status-empty"]), state["limits"]["max_jobs"] == 3)
    };
    assert_eq!(seen().await, (true, true, true));
    for (by, is) in
        [("10s", (true, true, false)), ("20s", (true, false, false)), ("30s", (false, false, false))]
    {
        admin.advance(json!(by)).await;
        assert_eq!(seen().await, is, "{by} later");
    }
}

#[tokio::test]
async fn quirks_are_switched_one_by_one_and_by_profile() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let quirk = admin.put("/__mock/quirks/status-empty", json!({"on": true})).await;
    assert_eq!(
        (&quirk["name"], &quirk["on"], &quirk["tickets"]),
        (&json!("status-empty"), &json!(true), &json!(["PZ-13667"]))
    );
    assert_eq!(admin.get("/__mock/quirks/status-empty").await, quirk);
    assert_eq!(client.job(&base()).await["status"], "");
    assert_eq!(admin.get("/__mock/quirks").await["profile"], Value::Null);
    let all = admin.put("/__mock/profile", json!({"profile": "observed-2025-12"})).await;
    let on = all["quirks"].as_array().expect("a list").iter().filter(|quirk| quirk["on"] == true).count();
    assert_eq!((&all["profile"], on), (&json!("observed-2025-12"), 19));
    assert_eq!(admin.put("/__mock/profile", json!({"profile": "contract"})).await["profile"], "contract");
    assert_eq!(client.job(&base()).await["status"], "success");
}

#[tokio::test]
async fn limits_are_changed_and_those_that_are_not_named_stay() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let before = admin.get("/__mock/limits").await;
    let after = admin.ok(Method::PATCH, "/__mock/limits", r#"{"max_jobs": 1, "gpu_pool": 7}"#).await;
    assert_eq!(after, with(before.clone(), &json!({"max_jobs": 1, "gpu_pool": 7})));
    client.job(&base()).await;
    assert_eq!(client.configure(&base()).await.refusal(), (503, String::from("CAPACITY_EXHAUSTED")));
    let back = r#"{"max_jobs": 1024, "gpu_pool": null}"#;
    assert_eq!(admin.ok(Method::PATCH, "/__mock/limits", back).await, before);
}

#[tokio::test]
async fn a_port_is_held_as_a_left_over_service_until_it_is_released() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let port = server.port_base() + 1;
    assert_eq!(
        admin.post("/__mock/ports", json!({ "port": port })).await,
        json!({"port": port, "by": "service"})
    );
    let answer = client.configure(&base()).await;
    assert_eq!(answer.refusal(), (409, String::from("PORT_IN_USE")));
    let ports = admin.get("/__mock/ports").await;
    assert_eq!(ports["held"], json!([{"port": port, "by": "service"}]));
    assert_eq!(
        (&ports["base"], &ports["slots"], &ports["next"]),
        (&json!(port - 1), &json!(1024), &json!(port))
    );
    let (status, error) = admin.refused(Method::POST, "/__mock/ports", &json!({ "port": port })).await;
    assert_eq!((status, error), (409, format!("port {port} is in use already")));
    let released = admin.delete(&format!("/__mock/ports/{port}")).await;
    assert_eq!(released["held"], json!([]));
    assert_eq!(client.configure(&base()).await.status, 200);
    let (status, error) = admin.refused(Method::DELETE, &format!("/__mock/ports/{port}"), &Value::Null).await;
    assert_eq!((status, error), (404, format!("port {port} is not held")));
}

#[tokio::test]
async fn the_next_port_is_held_as_another_process_would_for_a_time() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let port = server.port_base() + 1;
    let held = json!({"port": "next", "by": "process", "for": "5s"});
    assert_eq!(admin.post("/__mock/ports", held).await, json!({"port": port, "by": "process"}));
    let answer = client.configure(&base()).await;
    assert_eq!(answer.refusal(), (409, String::from("PORT_IN_USE")));
    assert!(answer.json()["error"].as_str().is_some_and(|error| error.ends_with("another process")));
    admin.advance(json!("5s")).await;
    assert_eq!(client.configure(&base()).await.status, 200);
}

#[tokio::test]
async fn pods_are_killed_and_cleanup_jobs_deleted_by_a_pattern() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    for _ in 0..3 {
        client.job(&base()).await;
    }
    assert_eq!(admin.post("/__mock/jobs/2-*/kill-pod", Value::Null).await, json!({ "jobs": ["2-2"] }));
    let state = admin.state().await;
    let states: Vec<_> = state["jobs"].as_array().expect("a list").iter().map(|job| &job["state"]).collect();
    assert_eq!(states, ["Running", "Failed", "Running"]);
    let both = admin.post("/__mock/jobs/%3F-%3F/delete-cleanup-job", Value::Null).await;
    assert_eq!(both["jobs"], json!(["1-1", "2-2", "3-3"]));
    assert!(!admin.state().await["cluster"]["jobs"].to_string().contains("cleanup"), "all are deleted");
    for what in ["kill-pod", "delete-cleanup-job"] {
        let path = format!("/__mock/jobs/9-9/{what}");
        let (status, error) = admin.refused(Method::POST, &path, &Value::Null).await;
        assert_eq!((status, error.as_str()), (404, "no live job matches \"9-9\": there are 1-1, 2-2, 3-3"));
    }
}

#[tokio::test]
async fn another_world_is_taken_whole_or_not_at_all() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    client.job(&base()).await;
    let before = admin.state().await;
    let text = "limits: { max_jobs: 3 }\ndependencies: { fiber: dark }\nlimit: {}\n";
    let (status, body) = admin.send(Method::PUT, "/__mock/world", text).await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status.as_u16(), body["mistakes"].as_array().map(Vec::len)), (422, Some(2)), "{body}");
    assert_eq!((&body["mistakes"][0]["line"], &body["mistakes"][1]["line"]), (&json!(2), &json!(3)));
    assert_eq!(admin.state().await, before);
    let text = "limits: { max_jobs: 3 }\ndependencies: { fiber: waiting }\n";
    let state = admin.ok(Method::PUT, "/__mock/world", text).await;
    assert_eq!((&state["jobs"], &state["fiber"]), (&json!([]), &json!("waiting")));
    assert_eq!(state["limits"]["max_jobs"], 3);
    assert_eq!(
        admin.reset().await["limits"]["max_jobs"],
        1024,
        "a reset goes back to the world of the start"
    );
    let one_slot = "ports: { base: 20000, max_slots: 1 }\n";
    assert_eq!(admin.ok(Method::PUT, "/__mock/world", one_slot).await["slots"]["free"], 1);
    assert_eq!(admin.get("/__mock/ports").await["base"], json!(server.port_base()), "the ports stay");
}

#[tokio::test]
async fn other_recordings_are_found_from_then_on() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    let window = json!({"start_time": START_MS / 1000 - 7200, "end_time": START_MS / 1000});
    let span = json!({"recordings": {"spans": [{"start": "-1h", "end": "-30m"}]}});
    admin.put("/__mock/recordings", span).await;
    let found = client.post("/recordings_in_time_range", &window).await.json();
    assert_eq!(found, json!([[START_MS / 1000 - 3600, START_MS / 1000 - 1800]]));
    for (body, told) in [
        (json!({}), "recordings is missing"),
        (json!({"recordings": {"span": []}}), "unknown key \"span\""),
        (json!({"recordings": {}, "for": 1}), "unknown key \"for\""),
    ] {
        let (status, error) = admin.refused(Method::PUT, "/__mock/recordings", &body).await;
        assert_eq!(status, 422, "{error}");
        assert!(error.contains(told), "{told:?} is missing in {error:?}");
    }
}

/// Asks for what must be refused with that status and those words, and change nothing.
async fn assert_refused(requests: &[(Method, &str, Value, u16, &str)]) {
    let server = held();
    let admin = Admin::of(&server);
    let before = admin.state().await;
    for (method, path, body, status, told) in requests {
        let (answered, error) = admin.refused(method.clone(), path, body).await;
        assert_eq!(answered, *status, "{method} {path} {body}: {error}");
        assert!(error.contains(told), "{method} {path} {body}: {told:?} is missing in {error:?}");
    }
    assert_eq!(admin.state().await, before);
}

#[tokio::test]
async fn states_quirks_and_limits_that_do_not_exist_are_refused_with_those_that_do() {
    let time = "for: expected a duration such as";
    assert_refused(&[
        (
            Method::PUT,
            "/__mock/dependencies/redis",
            json!({"state": "down"}),
            404,
            "there are fiber, mongodb, rabbitmq",
        ),
        (
            Method::PUT,
            "/__mock/dependencies/mongodb",
            json!({"state": "off"}),
            422,
            "there are up, down, slow-fail",
        ),
        (
            Method::PUT,
            "/__mock/dependencies/mongodb",
            json!({"stat": "up"}),
            422,
            "expected `state` or `for`",
        ),
        (Method::PUT, "/__mock/dependencies/mongodb", json!({"state": "down", "for": 0}), 422, time),
        (Method::PUT, "/__mock/dependencies/mongodb", json!({"state": "down", "for": "soon"}), 422, time),
        (Method::PUT, "/__mock/quirks/empty-status", json!({"on": true}), 404, "there are nfft-unchecked, "),
        (Method::PUT, "/__mock/quirks/status-empty", json!({"on": "yes"}), 422, "expected a boolean"),
        (
            Method::PUT,
            "/__mock/profile",
            json!({"profile": "observed"}),
            422,
            "there are contract, observed-2025-12",
        ),
        (Method::PATCH, "/__mock/limits", json!({"jobs": 1}), 422, "expected one of `max_jobs`, "),
        (Method::PATCH, "/__mock/limits", json!({}), 422, "there are max_jobs, "),
        (
            Method::PATCH,
            "/__mock/limits",
            json!({"max_jobs": 50_001}),
            422,
            "max_jobs must be an integer from 0 to 50000",
        ),
        (
            Method::PATCH,
            "/__mock/limits",
            json!({"nfft_max_multichannel": 1000}),
            422,
            "must be a power of two",
        ),
        (Method::PATCH, "/__mock/limits", json!({"gpu_pool": -1}), 422, "invalid value: integer `-1`"),
    ])
    .await;
}

#[tokio::test]
async fn ports_rules_and_names_that_do_not_exist_are_refused() {
    assert_refused(&[
        (Method::POST, "/__mock/ports", json!({"port": 0}), 422, "a number from 1 to 65535, or \"next\""),
        (
            Method::POST,
            "/__mock/ports",
            json!({"port": "last"}),
            422,
            "a number from 1 to 65535, or \"next\"",
        ),
        (Method::POST, "/__mock/ports", json!({"port": 12301, "slot": 1}), 422, "cannot both be given"),
        (Method::POST, "/__mock/ports", json!({}), 422, "which port?"),
        (
            Method::POST,
            "/__mock/ports",
            json!({"slot": 1, "by": "nobody"}),
            422,
            "expected service or process",
        ),
        (Method::DELETE, "/__mock/ports/next", Value::Null, 422, "a number from 1 to 65535"),
        (
            Method::DELETE,
            "/__mock/faults/none%20such",
            Value::Null,
            404,
            "there is no such rule: there are none",
        ),
        (Method::GET, "/__mock/quirks/%FF", Value::Null, 400, "the path cannot be read"),
    ])
    .await;
}
