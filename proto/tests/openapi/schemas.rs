//! What each schema lets through and what it refuses.

use serde_json::{Value, json};

use super::{DOCUMENT, GOLDEN_REQUEST, GOLDEN_RESPONSE, component, with, without};

#[test]
fn a_request_is_refused_for_what_its_view_lacks_or_must_not_have() {
    let request = component("ConfigureRequest");
    let golden: Value = serde_json::from_str(GOLDEN_REQUEST).expect("the recorded request");
    let waterfall =
        json!({ "view_type": "2", "channels": { "min": 1, "max": 10 }, "displayInfo": { "height": 256 } });
    assert!(request.is_valid(&golden) && request.is_valid(&waterfall));

    let single = with(&golden, "/view_type", json!("1"));
    for base in [&golden, &single] {
        for key in ["displayTimeAxisDuration", "nfftSelection", "frequencyRange"] {
            assert!(!request.is_valid(&without(base, key)), "{key} missing");
            assert!(!request.is_valid(&with(base, &format!("/{key}"), Value::Null)), "{key} null");
        }
        assert!(!request.is_valid(&with(base, "/nfftSelection", json!(1))));
    }
    for key in ["displayTimeAxisDuration", "nfftSelection", "frequencyRange"] {
        let pointer = format!("/{key}");
        assert!(!request.is_valid(&with(&waterfall, &pointer, golden[key].clone())), "{key} for a waterfall");
        assert!(request.is_valid(&with(&waterfall, &pointer, Value::Null)), "{key} null for a waterfall");
    }
    assert!(request.is_valid(&with(&waterfall, "/nfftSelection", json!(1))));
    for key in ["view_type", "channels", "displayInfo"] {
        assert!(!request.is_valid(&without(&golden, key)), "{key} missing");
        assert!(!request.is_valid(&with(&golden, &format!("/{key}"), Value::Null)), "{key} null");
    }
}

#[test]
fn a_request_is_refused_for_values_outside_its_bounds() {
    let request = component("ConfigureRequest");
    let golden: Value = serde_json::from_str(GOLDEN_REQUEST).expect("the recorded request");
    for (pointer, good, bad) in [
        ("/view_type", vec![json!("0"), json!("1")], vec![json!(0), json!("3"), json!("02"), json!(true)]),
        ("/channels/min", vec![json!(1), json!(2337)], vec![json!(0), json!(-1), json!("1"), json!(1.5)]),
        ("/channels/max", vec![json!(1), json!(2337)], vec![json!(0), json!(2338), Value::Null]),
        ("/displayInfo/height", vec![json!(1), json!(600.0)], vec![json!(0), json!(-5), json!("600")]),
        ("/displayTimeAxisDuration", vec![json!(1), json!(30.0)], vec![json!(0), json!(0.5), json!("30")]),
        (
            "/nfftSelection",
            vec![json!(128), json!(65536)],
            vec![json!(0), json!(64), json!(1000), json!(131072)],
        ),
        ("/frequencyRange/min", vec![json!(0), json!(999)], vec![json!(-1), json!(1000), json!(0.5)]),
        ("/frequencyRange/max", vec![json!(1), json!(1000)], vec![json!(0), json!(1001), Value::Null]),
        ("/start_time", vec![json!(0)], vec![json!(-1), Value::Null, json!("251205145823"), json!(1e17)]),
        ("/end_time", vec![json!(1)], vec![json!(-1), Value::Null, json!(1764953903.5)]),
        ("/unknown", vec![json!(1), Value::Null], vec![]),
    ] {
        for value in good {
            assert!(request.is_valid(&with(&golden, pointer, value.clone())), "{pointer} = {value}");
        }
        for value in bad {
            assert!(!request.is_valid(&with(&golden, pointer, value.clone())), "{pointer} = {value}");
        }
    }
    for key in ["start_time", "end_time"] {
        assert!(!request.is_valid(&without(&golden, key)), "only one end of the window");
    }
    assert!(request.is_valid(&without(&without(&golden, "start_time"), "end_time")));
}

#[test]
fn an_answer_is_refused_when_its_numbers_do_not_fit_its_view() {
    let answer = component("ConfigureResponse");
    let golden: Value = serde_json::from_str(GOLDEN_RESPONSE).expect("the recorded answer");
    assert!(answer.is_valid(&golden));
    for (pointer, bad) in [
        ("/view_type", json!("0")),
        ("/view_type", json!(1)),
        ("/view_type", json!(2)),
        ("/status", json!("")),
        ("/stream_port", json!("12301")),
        ("/stream_port", json!(65536)),
        ("/stream_url", json!("http://localhost:12301")),
        ("/stream_url", json!("http://localhost/")),
        ("/job_id", json!("1603")),
        ("/frequencies_list", json!([])),
        ("/frequencies_list/0", json!("0.0")),
        ("/lines_dt", json!(0.0)),
        ("/channel_to_stream_index/1", json!(3)),
        ("/channel_to_stream_index/0", json!(0)),
        ("/metadata", json!({})),
        ("/metadata/parent/prr", json!(2000.5)),
    ] {
        assert!(!answer.is_valid(&with(&golden, pointer, bad.clone())), "{pointer} = {bad}");
    }
    for host in ["http://127.0.0.1", "http://[::1]", "http://focus-server"] {
        assert!(answer.is_valid(&with(&golden, "/stream_url", json!(host))), "{host}");
    }
}

#[test]
fn recordings_are_pairs_of_times() {
    let recordings = component("Recordings");
    for good in [json!([]), json!([[1, 2]]), json!([[0, -1]])] {
        assert!(recordings.is_valid(&good), "{good}");
    }
    for bad in [
        json!({}),
        json!([[1]]),
        json!([[1, 2, 3]]),
        json!([[1, 0]]),
        json!([[-1, 2]]),
        json!([[1, -2]]),
        json!([["1", 2]]),
    ] {
        assert!(!recordings.is_valid(&bad), "{bad}");
    }
}

#[test]
fn a_refusal_body_must_fit_its_code() {
    let body = component("ErrorBody");
    let violation = |kind: &str| json!([{ "loc": ["body", "channels"], "msg": "m", "type": kind }]);
    let make = |code: &str, error: &str, detail: Option<Value>| {
        let mut made = json!({ "error": error, "code": code, "request_id": "r-1" });
        if let Some(detail) = detail {
            made["detail"] = detail;
        }
        made
    };
    for good in [
        make("INVALID_VALUE", "m", Some(violation("range_reversed"))),
        make("INVALID_REQUEST", "m", Some(violation("missing"))),
        make("NOT_FOUND", "Not Found", Some(json!("Not Found"))),
        make("METHOD_NOT_ALLOWED", "Method Not Allowed", Some(json!("Method Not Allowed"))),
        make("UNKNOWN_JOB", "Invalid job_id", None),
        make("UNKNOWN_TASK", "Consumer not found", None),
        make("PORT_IN_USE", "Port 7 is already in use: conflict with another process", None),
    ] {
        assert!(body.is_valid(&good), "{good}");
    }
    for bad in [
        json!([]),
        make("TEAPOT", "short and stout", None),
        make("INVALID_VALUE", "m", None),
        make("INVALID_VALUE", "m", Some(json!([]))),
        make("INVALID_VALUE", "m", Some(json!("m"))),
        make("INVALID_VALUE", "m", Some(violation("missing"))),
        make("INVALID_REQUEST", "m", Some(violation("range_reversed"))),
        make("INVALID_REQUEST", "m", Some(violation("unheard_of"))),
        make("MALFORMED_JSON", "Request body is not valid JSON", Some(violation("json_invalid"))),
        make("NOT_FOUND", "Not Found", None),
        make("NOT_FOUND", "Not Found", Some(json!("Method Not Allowed"))),
        make("UNKNOWN_JOB", "Unknown job", None),
        make("UNKNOWN_TASK", "Invalid job_id", None),
        make("UNKNOWN_JOB", "Invalid job_id", Some(json!("Invalid job_id"))),
        make("NO_RECORDING", "Error: No recording found in given time range", None),
        make("PORT_IN_USE", "Port is already in use", None),
        with(&make("SERVER_DOWN", "Focus Server is unavailable", None), "/request_id", json!("a b")),
    ] {
        assert!(!body.is_valid(&bad), "{bad}");
    }
}

#[test]
fn live_metadata_is_one_of_its_shapes_and_nothing_between() {
    let live = component("LiveMetadata");
    let at = "/paths/~1live_metadata/get/responses/200/content/application~1json/examples";
    let shapes = DOCUMENT.pointer(at).expect("the examples");
    let ready = &shapes["ready"]["value"];
    for bad in [
        with(ready, "/prr", json!(0.0)),
        with(ready, "/fiber_description", json!("waiting for fiber")),
        with(&shapes["waiting"]["value"], "/prr", json!(2000.0)),
        with(&shapes["waiting"]["value"], "/number_of_channels", json!(2337)),
    ] {
        assert!(!live.is_valid(&bad), "{bad}");
    }
}

#[test]
fn a_violation_is_at_a_field_of_the_body_or_at_a_part_of_the_path() {
    let violation = component("Violation");
    let at = |loc: Value| json!({ "loc": loc, "msg": "m", "type": "missing" });
    for good in [
        json!(["body"]),
        json!(["body", "sensors"]),
        json!(["body", "canvasInfo", "height"]),
        json!(["path", "task_id"]),
        json!(["path", "row_count"]),
    ] {
        assert!(violation.is_valid(&at(good.clone())), "{good}");
    }
    for bad in [
        json!([]),
        json!("body"),
        json!(["query"]),
        json!(["path"]),
        json!(["path", "sensors"]),
        json!(["path", "task_id", "min"]),
        json!(["body", "task_id"]),
        json!(["body", "sensors", "height", "max"]),
    ] {
        assert!(!violation.is_valid(&at(bad.clone())), "{bad}");
    }
}

#[test]
fn a_bad_name_in_the_path_is_a_matter_of_value_and_a_bad_time_in_the_body_one_of_shape() {
    let body = component("ErrorBody");
    let refusal = |code: &str, loc: Value| {
        let detail = json!([{ "loc": loc, "msg": "m", "type": "string_pattern_mismatch" }]);
        json!({ "error": "m", "code": code, "detail": detail, "request_id": "r-1" })
    };
    let (name, time) = (json!(["path", "task_id"]), json!(["body", "start_time"]));
    for (code, good, bad) in [("INVALID_VALUE", &name, &time), ("INVALID_REQUEST", &time, &name)] {
        assert!(body.is_valid(&refusal(code, good.clone())), "{code}");
        assert!(!body.is_valid(&refusal(code, bad.clone())), "{code}");
    }
}

#[test]
fn a_task_configuration_is_refused_for_what_it_lacks_and_for_values_outside_its_bounds() {
    let request = component("TaskConfigRequest");
    let examples = "/paths/~1config~1{task_id}/post/requestBody/content/application~1json/examples";
    let live = &DOCUMENT.pointer(examples).expect("the examples")["live"]["value"];
    let historic = &DOCUMENT.pointer(examples).expect("the examples")["historic"]["value"];
    for key in ["displayTimeAxisDuration", "nfftSelection", "canvasInfo", "sensors", "frequencyRange"] {
        assert!(!request.is_valid(&without(live, key)), "{key} missing");
        assert!(!request.is_valid(&with(live, &format!("/{key}"), Value::Null)), "{key} null");
    }
    for (pointer, good, bad) in [
        ("/displayTimeAxisDuration", vec![json!(0.1), json!(30)], vec![json!(0), json!(-1), json!("30")]),
        ("/nfftSelection", vec![json!(1), json!(1000)], vec![json!(0), json!(0.5), json!("1024")]),
        ("/canvasInfo/height", vec![json!(1), json!(5.0)], vec![json!(0), json!(1.5), Value::Null]),
        ("/sensors/min", vec![json!(0), json!(2335)], vec![json!(-1), json!(2336), json!("0")]),
        ("/sensors/max", vec![json!(1), json!(2336)], vec![json!(0), json!(2337), json!(1.5)]),
        ("/frequencyRange/min", vec![json!(0), json!(0.5)], vec![json!(-0.5), json!("0")]),
        ("/frequencyRange/max", vec![json!(0.1), json!(5000)], vec![json!(0), Value::Null]),
        ("/unknown", vec![json!(1), Value::Null], vec![]),
    ] {
        for value in good {
            assert!(request.is_valid(&with(live, pointer, value.clone())), "{pointer} = {value}");
        }
        for value in bad {
            assert!(!request.is_valid(&with(live, pointer, value.clone())), "{pointer} = {value}");
        }
    }
    for key in ["start_time", "end_time"] {
        assert!(!request.is_valid(&without(historic, key)), "only one end of the window");
        for bad in [json!(1764946703), json!("25120514582"), json!("2512051458230"), json!("25120514582x")] {
            assert!(!request.is_valid(&with(historic, &format!("/{key}"), bad.clone())), "{key} = {bad}");
        }
    }
    assert!(request.is_valid(&without(&without(historic, "start_time"), "end_time")));
}

#[test]
fn a_waterfall_is_a_list_of_blocks_and_sensors_count_from_zero() {
    let waterfall = component("Waterfall");
    let block = &DOCUMENT["components"]["schemas"]["Waterfall"]["examples"][0];
    assert!(waterfall.is_valid(block));
    for (pointer, bad) in [
        ("/0/rows", json!([])),
        ("/0/rows/0/canvasId", json!("a b")),
        ("/0/rows/0/sensors", json!([])),
        ("/0/rows/0/sensors/0/id", json!(-1)),
        ("/0/rows/0/sensors/0/intensity", json!(0.5)),
        ("/0/rows/0/sensors/0/intensity", json!([])),
        ("/0/rows/0/startTimestamp", json!(0.5)),
        ("/0/rows/0/endTimestamp", json!("1")),
        ("/0/current_max_amp", Value::Null),
    ] {
        assert!(!waterfall.is_valid(&with(block, pointer, bad.clone())), "{pointer} = {bad}");
    }
    assert!(!waterfall.is_valid(&json!([])) && !waterfall.is_valid(&block[0]));
    let sensors = component("Sensors");
    assert!(
        sensors.is_valid(&json!({ "sensors": [0] })) && sensors.is_valid(&json!({ "sensors": [0, 1, 2] }))
    );
    for bad in [json!([]), json!([1, 2]), json!([0, 0]), json!([0, "1"]), json!([0, 1.5])] {
        assert!(!sensors.is_valid(&json!({ "sensors": bad.clone() })), "{bad}");
    }
}
