//! `GET /sensors` and `POST /config/{task_id}`: what is accepted, and every way in which it says no.

use std::time::Duration;

use focus_mock::domain::fiber::FiberState;
use focus_mock::sim::setup::Setup;
use serde_json::{Value, json};

use super::{assert_empty, block, configured, historic, live, set, violated, with_task};
use crate::common::{Client, held, held_with};
use crate::judge;
use crate::raw::ask;
use crate::rest::PREFIXES;

type Entry = (&'static str, &'static str, &'static str);

#[tokio::test]
async fn the_sensors_are_the_numbers_from_0_whatever_the_fibre_does() {
    let all: Vec<u32> = (0..2337).collect();
    for fiber_state in [FiberState::Lit, FiberState::Mixed, FiberState::Waiting] {
        let server = held_with(Setup { fiber_state, ..Setup::default() });
        let client = Client::of(&server);
        for prefix in PREFIXES {
            let answer = client.get(&format!("{prefix}/sensors")).await;
            assert_eq!(answer.status, 200);
            let body = judge::json_answer(&answer);
            assert_eq!(body, json!({"sensors": all}));
            assert!(judge::validator("Sensors").is_valid(&body));
        }
    }
}

#[tokio::test]
async fn a_configuration_is_received_under_its_name() {
    let server = held();
    let client = Client::of(&server);
    let longest = "x".repeat(256);
    for id in ["a", "7", "-", "_", "A-1_b", "1-1", "task-7", &longest] {
        configured(&client, id, &live()).await;
    }
    configured(&client, "task-8", &historic()).await;
    for path in ["/config/task-7", "/focus-server/config/task-7", "/config/%74ask%2D7", "/config/task-7?x=1"]
    {
        let answer = client.post(path, &live()).await;
        assert_eq!(answer.status, 200, "{path}");
        judge::json_answer(&answer);
        assert_eq!(answer.body, br#"{"status":"Config received successfully","task_id":"task-7"}"#);
    }
}

#[tokio::test]
async fn values_at_their_bounds_are_accepted() {
    let server = held();
    let client = Client::of(&server);
    for (place, value) in [
        ("displayTimeAxisDuration", json!(0.001)),
        ("displayTimeAxisDuration", json!(5e-324)),
        ("displayTimeAxisDuration", json!(1e308)),
        ("nfftSelection", json!(1)),
        ("nfftSelection", json!(1000.0)),
        ("canvasInfo.height", json!(1)),
        ("canvasInfo.height", json!(9_007_199_254_740_992_i64)),
        ("sensors", json!({"min": 0, "max": 2336})),
        ("sensors", json!({"min": 2335, "max": 2336})),
        ("frequencyRange", json!({"min": 0.25, "max": 0.5})),
        ("frequencyRange", json!({"min": 0, "max": 1e300})),
        ("canvasInfo", json!({"height": 5, "width": "ignored"})),
    ] {
        configured(&client, "task-7", &set(live(), place, value)).await;
    }
    for (start, end) in [("000101000000", "991231235959"), ("240229000000", "240229000001")] {
        let body = set(set(live(), "start_time", json!(start)), "end_time", json!(end));
        configured(&client, "task-7", &body).await;
    }
}

#[tokio::test]
async fn a_second_configuration_replaces_the_first_and_one_that_is_refused_does_not() {
    let (server, client) = with_task(&live()).await;
    server.simulation().advance(Duration::from_secs(1));
    let before = block(&client.get("/waterfall/task-7/1").await, "task-7", 1);
    let bad = set(live(), "nfftSelection", json!(0));
    violated(
        &client.post("/config/task-7", &bad).await,
        400,
        &[("body.nfftSelection", "not_positive", "nfftSelection is invalid: must be positive")],
    );
    assert_eq!(block(&client.get("/waterfall/task-7/1").await, "task-7", 1), before);
    configured(&client, "task-7", &set(live(), "sensors", json!({"min": 100, "max": 102}))).await;
    assert_empty(&client.get("/waterfall/task-7/1").await, 200);
    server.simulation().advance(Duration::from_secs(1));
    let after = block(&client.get("/waterfall/task-7/1").await, "task-7", 1);
    let ids: Vec<&Value> =
        after["rows"][0]["sensors"].as_array().expect("sensors").iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [100, 101, 102]);
}

/// Requests of the wrong shape.
fn shapes() -> Vec<(&'static str, Value, Entry)> {
    let mut cases = Vec::new();
    let mut mistyped = |place, values: &[Value], entry: Entry| {
        cases.extend(values.iter().map(|value| (place, value.clone(), entry)));
    };
    let texts = [json!("7"), json!(true), json!([7]), json!({})];
    let no_integers = [&texts[..], &[json!(7.5), json!(1e17)]].concat();
    let no_objects = [json!("7"), json!(7), json!([0, 9]), json!(false)];
    let duration = "displayTimeAxisDuration";
    mistyped(
        duration,
        &[Value::Null],
        ("body.displayTimeAxisDuration", "missing", "displayTimeAxisDuration is required"),
    );
    mistyped(
        duration,
        &texts,
        ("body.displayTimeAxisDuration", "float_type", "displayTimeAxisDuration must be a number"),
    );
    mistyped("nfftSelection", &[Value::Null], ("body.nfftSelection", "missing", "nfftSelection is required"));
    mistyped(
        "nfftSelection",
        &no_integers,
        ("body.nfftSelection", "int_type", "nfftSelection must be an integer"),
    );
    mistyped("canvasInfo", &[Value::Null], ("body.canvasInfo", "missing", "canvasInfo is required"));
    mistyped("canvasInfo", &no_objects, ("body.canvasInfo", "dict_type", "canvasInfo must be an object"));
    let height = "canvasInfo.height";
    mistyped(height, &[Value::Null], ("body.canvasInfo.height", "missing", "canvasInfo.height is required"));
    mistyped(
        height,
        &no_integers,
        ("body.canvasInfo.height", "int_type", "canvasInfo.height must be an integer"),
    );
    mistyped("sensors", &[Value::Null], ("body.sensors", "missing", "sensors is required"));
    mistyped("sensors", &no_objects, ("body.sensors", "dict_type", "sensors must be an object"));
    mistyped("sensors.min", &[Value::Null], ("body.sensors.min", "missing", "sensors.min is required"));
    mistyped("sensors.max", &[Value::Null], ("body.sensors.max", "missing", "sensors.max is required"));
    mistyped("sensors.min", &no_integers, ("body.sensors.min", "int_type", "sensors.min must be an integer"));
    mistyped("sensors.max", &no_integers, ("body.sensors.max", "int_type", "sensors.max must be an integer"));
    mistyped(
        "frequencyRange",
        &[Value::Null],
        ("body.frequencyRange", "missing", "frequencyRange is required"),
    );
    mistyped(
        "frequencyRange",
        &no_objects,
        ("body.frequencyRange", "dict_type", "frequencyRange must be an object"),
    );
    let (min, max) = ("frequencyRange.min", "frequencyRange.max");
    mistyped(min, &[Value::Null], ("body.frequencyRange.min", "missing", "frequencyRange.min is required"));
    mistyped(max, &[Value::Null], ("body.frequencyRange.max", "missing", "frequencyRange.max is required"));
    mistyped(min, &texts, ("body.frequencyRange.min", "float_type", "frequencyRange.min must be a number"));
    mistyped(max, &texts, ("body.frequencyRange.max", "float_type", "frequencyRange.max must be a number"));
    cases
}

/// Requests of the right shape with a value that cannot be.
fn values() -> Vec<(&'static str, Value, Entry)> {
    let mut cases = Vec::new();
    let mut wrong = |place, values: &[Value], entry: Entry| {
        cases.extend(values.iter().map(|value| (place, value.clone(), entry)));
    };
    let duration = "displayTimeAxisDuration is invalid: must be positive";
    let below = [json!(0), json!(-1), json!(-9_007_199_254_740_992_i64)];
    wrong("displayTimeAxisDuration", &below, ("body.displayTimeAxisDuration", "not_positive", duration));
    wrong(
        "displayTimeAxisDuration",
        &[json!(-0.5), json!(-0.0)],
        ("body.displayTimeAxisDuration", "not_positive", duration),
    );
    wrong(
        "nfftSelection",
        &below,
        ("body.nfftSelection", "not_positive", "nfftSelection is invalid: must be positive"),
    );
    let height = "canvasInfo.height is invalid: must be positive";
    wrong("canvasInfo.height", &below, ("body.canvasInfo.height", "not_positive", height));
    let negative = "sensors.min is invalid: must not be negative";
    wrong("sensors.min", &[json!(-1), json!(-2.0)], ("body.sensors.min", "out_of_range", negative));
    let reversed = "sensors is invalid: sensors.min must be less than sensors.max";
    wrong("sensors.min", &[json!(9), json!(10)], ("body.sensors", "range_reversed", reversed));
    let above = "sensors is invalid: sensors.max 2337 is above the last sensor 2336";
    wrong("sensors.max", &[json!(2337)], ("body.sensors.max", "out_of_range", above));
    let negative = "frequencyRange.min is invalid: must not be negative";
    wrong(
        "frequencyRange.min",
        &[json!(-1), json!(-0.25)],
        ("body.frequencyRange.min", "out_of_range", negative),
    );
    let reversed = "frequencyRange is invalid: frequencyRange.min must be less than frequencyRange.max";
    wrong(
        "frequencyRange.min",
        &[json!(500), json!(500.5)],
        ("body.frequencyRange", "range_reversed", reversed),
    );
    cases
}

#[tokio::test]
async fn a_field_that_is_absent_or_of_the_wrong_type_is_422_and_an_impossible_value_400() {
    let server = held();
    let client = Client::of(&server);
    for (status, cases) in [(422, shapes()), (400, values())] {
        for (place, value, entry) in cases {
            for prefix in PREFIXES {
                let body = set(live(), place, value.clone());
                violated(&client.post(&format!("{prefix}/config/task-7"), &body).await, status, &[entry]);
            }
        }
    }
    super::assert_unknown(&client.get("/waterfall/task-7/1").await);
}

#[tokio::test]
async fn a_window_has_two_ends_that_are_times_and_in_order() {
    let server = held();
    let client = Client::of(&server);
    let ambiguous = "time range is ambiguous: give both start_time and end_time, or neither";
    for (place, entry) in [
        ("start_time", ("body.start_time", "missing", ambiguous)),
        ("end_time", ("body.end_time", "missing", ambiguous)),
    ] {
        let body = set(historic(), place, Value::Null);
        violated(&client.post("/config/task-7", &body).await, 422, &[entry]);
    }
    for bad in [
        json!(251_205_145_823_i64),
        json!(true),
        json!([]),
        json!(""),
        json!("25120514582"),
        json!("2512051458230"),
        json!("25120514582x"),
        json!("251205 45823"),
        json!("251305145823"),
        json!("250229000000"),
        json!("251205240000"),
        json!("251205145860"),
        json!("২৫১২"),
    ] {
        for (place, entry) in [
            (
                "start_time",
                (
                    "body.start_time",
                    "string_pattern_mismatch",
                    "start_time must be a time of 12 digits, yymmddHHMMSS",
                ),
            ),
            (
                "end_time",
                (
                    "body.end_time",
                    "string_pattern_mismatch",
                    "end_time must be a time of 12 digits, yymmddHHMMSS",
                ),
            ),
        ] {
            let body = set(historic(), place, bad.clone());
            violated(&client.post("/config/task-7", &body).await, 422, &[entry]);
        }
    }
    for end in [super::FIRST_STAMP, "251205145822", "000101000000"] {
        let body = set(historic(), "end_time", json!(end));
        let text = "time range is invalid: start_time must be before end_time";
        violated(
            &client.post("/config/task-7", &body).await,
            400,
            &[("body.end_time", "range_reversed", text)],
        );
    }
}

#[tokio::test]
async fn all_violations_are_told_at_once_the_name_first() {
    let server = held();
    let client = Client::of(&server);
    let name = (
        "path.task_id",
        "string_pattern_mismatch",
        "task_id is invalid: must be 1 to 256 characters of a-z, A-Z, 0-9, _ and -",
    );
    let impossible = json!({"displayTimeAxisDuration": 0, "nfftSelection": -1, "canvasInfo": {"height": 0},
        "sensors": {"min": -1, "max": 2337}, "frequencyRange": {"min": -1, "max": -2},
        "start_time": "251205145823", "end_time": "251205145823"});
    let expected = [
        name,
        (
            "body.displayTimeAxisDuration",
            "not_positive",
            "displayTimeAxisDuration is invalid: must be positive",
        ),
        ("body.nfftSelection", "not_positive", "nfftSelection is invalid: must be positive"),
        ("body.canvasInfo.height", "not_positive", "canvasInfo.height is invalid: must be positive"),
        ("body.sensors.min", "out_of_range", "sensors.min is invalid: must not be negative"),
        (
            "body.sensors.max",
            "out_of_range",
            "sensors is invalid: sensors.max 2337 is above the last sensor 2336",
        ),
        ("body.frequencyRange.min", "out_of_range", "frequencyRange.min is invalid: must not be negative"),
        (
            "body.frequencyRange",
            "range_reversed",
            "frequencyRange is invalid: frequencyRange.min must be less than frequencyRange.max",
        ),
        ("body.end_time", "range_reversed", "time range is invalid: start_time must be before end_time"),
    ];
    violated(&client.post("/config/a.b", &impossible).await, 400, &expected);
    violated(&client.post("/config/a_b", &impossible).await, 400, &expected[1..]);

    let shapeless = json!({"nfftSelection": "x", "canvasInfo": {}, "sensors": {"min": 3.5},
        "frequencyRange": {"max": "y"}, "end_time": 5});
    let expected = [
        name,
        ("body.displayTimeAxisDuration", "missing", "displayTimeAxisDuration is required"),
        ("body.nfftSelection", "int_type", "nfftSelection must be an integer"),
        ("body.canvasInfo.height", "missing", "canvasInfo.height is required"),
        ("body.sensors.min", "int_type", "sensors.min must be an integer"),
        ("body.sensors.max", "missing", "sensors.max is required"),
        ("body.frequencyRange.min", "missing", "frequencyRange.min is required"),
        ("body.frequencyRange.max", "float_type", "frequencyRange.max must be a number"),
        (
            "body.start_time",
            "missing",
            "time range is ambiguous: give both start_time and end_time, or neither",
        ),
        ("body.end_time", "string_pattern_mismatch", "end_time must be a time of 12 digits, yymmddHHMMSS"),
    ];
    violated(&client.post("/config/a%20b", &shapeless).await, 422, &expected);
}

#[tokio::test]
async fn size_and_json_come_before_the_name_and_a_body_that_is_no_object_ends_the_check() {
    let server = held();
    let client = Client::of(&server);
    for path in ["/config/a.b", "/focus-server/config/task-7"] {
        let send = |body: Vec<u8>| client.send(reqwest::Method::POST, path, Some(body));
        let answer = ask(server.rest(), "POST", path, &vec![b'x'; 1_048_577]);
        let too_large = "Request body is too large: the limit is 1048576 bytes";
        judge::refused(&answer, 413, "BODY_TOO_LARGE", too_large);
        for body in ["", "{", "nope", "{\"nfftSelection\": NaN}", "{} {}"] {
            judge::refused(&send(body.into()).await, 400, "MALFORMED_JSON", "Request body is not valid JSON");
        }
        for body in ["[]", "5", "null", "\"text\""] {
            let entry = ("body", "dict_type", "Request body must be a JSON object");
            violated(&send(body.into()).await, 422, &[entry]);
        }
    }
}
