//! Several violations at once, and what counts as an integer, as absent, as the same request.

use serde_json::{Value, json};

use super::{historic, single, waterfall, without};
use crate::common::{Client, START, base, held, with};
use crate::judge::{self, Entry};
use crate::raw::{Wire, request};

#[tokio::test]
async fn all_value_violations_are_reported_at_once_in_the_order_of_the_checks() {
    let server = held();
    let client = Client::of(&server);
    // Written backwards: the order of the answer is that of the checks, not that of the request.
    let body = json!({
        "end_time": START + 61, "start_time": START + 62, "frequencyRange": {"max": -2, "min": -1},
        "nfftSelection": 100, "displayTimeAxisDuration": 0, "displayInfo": {"height": 0},
        "channels": {"max": -1, "min": 0}, "view_type": "0"});
    let expected: [Entry; 9] = [
        ("channels.min", "out_of_range", "channel range is invalid: channels.min must be at least 1"),
        (
            "channels",
            "range_reversed",
            "channel range is invalid: channels.min 0 must not exceed channels.max -1",
        ),
        ("displayInfo.height", "not_positive", "displayInfo.height is invalid: height must be positive"),
        (
            "displayTimeAxisDuration",
            "not_positive",
            "displayTimeAxisDuration is invalid: duration must be positive",
        ),
        (
            "nfftSelection",
            "nfft_unsupported",
            "nfftSelection 100 is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), minimum \
             128, maximum 65536",
        ),
        (
            "frequencyRange.min",
            "out_of_range",
            "frequency range is invalid: frequencyRange.min must not be negative",
        ),
        (
            "frequencyRange",
            "range_reversed",
            "frequency range is invalid: frequencyRange.min -1 must be less than frequencyRange.max -2",
        ),
        ("end_time", "range_reversed", "time range is invalid: start_time must be before end_time"),
        ("end_time", "time_in_future", "time range is invalid: end_time is in the future"),
    ];
    for _ in 0..2 {
        judge::violations(&client.configure(&body).await, 400, &expected);
    }
}

#[tokio::test]
async fn one_violation_of_shape_makes_the_whole_answer_a_422_and_hides_no_other() {
    let server = held();
    let client = Client::of(&server);
    let body = json!({
        "view_type": 1, "channels": {"min": 0, "max": 9999}, "displayInfo": {"height": "x"},
        "displayTimeAxisDuration": -1, "nfftSelection": true, "frequencyRange": {"min": 1001, "max": 1001},
        "start_time": -5});
    let expected: [Entry; 10] = [
        ("channels.min", "out_of_range", "channel range is invalid: channels.min must be at least 1"),
        (
            "channels.max",
            "less_than_equal",
            "channel range is invalid: channels.max 9999 is above the highest channel 2337",
        ),
        (
            "channels",
            "too_many_channels",
            "channel range is invalid: 10000 channels exceed the maximum 2222 per request",
        ),
        (
            "channels",
            "single_channel_range",
            "channel range is invalid: SINGLECHANNEL needs channels.min equal to channels.max",
        ),
        ("displayInfo.height", "int_type", "displayInfo.height must be an integer"),
        (
            "displayTimeAxisDuration",
            "not_positive",
            "displayTimeAxisDuration is invalid: duration must be positive",
        ),
        ("nfftSelection", "int_type", "nfftSelection must be an integer"),
        (
            "frequencyRange",
            "range_reversed",
            "frequency range is invalid: frequencyRange.min 1001 must be less than frequencyRange.max 1001",
        ),
        (
            "frequencyRange.max",
            "nyquist_exceeded",
            "frequency range is invalid: 1001 Hz exceeds the Nyquist limit of 1000 Hz",
        ),
        ("end_time", "missing", "time range is ambiguous: give both start_time and end_time, or neither"),
    ];
    let with_time = [
        &expected[..],
        &[("start_time", "out_of_range", "time range is invalid: start_time must not be negative")],
    ]
    .concat();
    for _ in 0..2 {
        judge::violations(&client.configure(&body).await, 422, &with_time);
    }
}

#[tokio::test]
async fn what_depends_on_the_view_is_looked_at_only_when_the_view_is_known() {
    let server = held();
    let client = Client::of(&server);
    let missing = |field, text| -> Entry { (field, "missing", text) };
    let nothing = [
        missing("view_type", "view_type is required"),
        missing("channels", "channels is required"),
        missing("displayInfo", "displayInfo is required"),
    ];
    judge::violations(&client.configure(&json!({})).await, 422, &nothing);
    let nulls = json!({"view_type": null, "channels": null, "displayInfo": null, "nfftSelection": null,
                       "displayTimeAxisDuration": null, "frequencyRange": null, "start_time": null,
                       "end_time": null});
    judge::violations(&client.configure(&nulls).await, 422, &nothing);
    let spectrum = [
        nothing[1],
        nothing[2],
        missing("displayTimeAxisDuration", "displayTimeAxisDuration is required for view_type 0 and 1"),
        missing("nfftSelection", "nfftSelection is required for view_type 0 and 1"),
        missing("frequencyRange", "frequencyRange is required for view_type 0 and 1"),
    ];
    judge::violations(&client.configure(&json!({"view_type": "0"})).await, 422, &spectrum);
    judge::violations(&client.configure(&json!({"view_type": 1})).await, 422, &spectrum);
    judge::violations(&client.configure(&json!({"view_type": 2})).await, 422, &nothing[1..]);
    // An unknown view hides the mistakes of its spectrum and of its single channel, and no others.
    let unknown = with(
        base(),
        &json!({"view_type": "3", "channels": {"min": 7, "max": 8}, "nfftSelection": "x",
                "displayTimeAxisDuration": -1, "frequencyRange": 5, "start_time": 9, "end_time": 9}),
    );
    let expected = [
        ("view_type", "enum", "view_type is invalid: must be 0, 1 or 2"),
        ("end_time", "range_reversed", "time range is invalid: start_time must be before end_time"),
    ];
    judge::violations(&client.configure(&unknown).await, 422, &expected);
}

#[tokio::test]
async fn everything_a_waterfall_must_not_have_is_reported_together() {
    let server = held();
    let client = Client::of(&server);
    let expected = [
        (
            "displayTimeAxisDuration",
            "extra_forbidden",
            "displayTimeAxisDuration is not allowed for WATERFALL",
        ),
        ("nfftSelection", "value_error", "nfftSelection is invalid: nfft must be 1 or absent for WATERFALL"),
        ("frequencyRange", "extra_forbidden", "frequencyRange is not allowed for WATERFALL"),
    ];
    let body = with(base(), &json!({"view_type": "2"}));
    judge::violations(&client.configure(&body).await, 422, &expected);
}

/// A configure whose body is written out, with one field's text replaced.
fn configure_text(wire: &mut Wire, field: &str, number: &str) -> (u16, Value) {
    let body = with(base(), &json!({field: "@"})).to_string().replace("\"@\"", number);
    wire.send(&request("POST", "/configure", &[], body.as_bytes()));
    let answer = wire.answer();
    (answer.status.as_u16(), answer.json())
}

#[test]
fn a_float_without_a_fraction_is_an_integer_up_to_two_to_the_53() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for (number, lines_dt) in [
        ("30", 0.03),
        ("30.0", 0.03),
        ("30.000", 0.03),
        ("3e1", 0.03),
        ("3.0E+1", 0.03),
        ("300e-1", 0.03),
        ("1e2", 0.1),
        ("9007199254740992", 9_007_199_254_740.992),
        ("9007199254740992.0", 9_007_199_254_740.992),
        ("9.007199254740992e15", 9_007_199_254_740.992),
    ] {
        let (status, job) = configure_text(&mut wire, "displayTimeAxisDuration", number);
        assert_eq!((status, &job["lines_dt"]), (200, &json!(lines_dt)), "{number}");
    }
    for view in ["0", "0.0", "-0", "-0.0", "0e5", "\"0\""] {
        let (status, job) = configure_text(&mut wire, "view_type", view);
        assert_eq!((status, &job["view_type"]), (200, &json!(0)), "{view}");
    }
}

#[test]
fn any_other_value_in_the_place_of_an_integer_is_a_violation_of_type() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    for value in [
        "30.5",
        "1e-1",
        "\"30\"",
        "\"\"",
        "\"thirty\"",
        "true",
        "false",
        "[]",
        "[30]",
        "{}",
        "9007199254740993",
        "-9007199254740993",
        "9007199254740994.0",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e16",
        "1e300",
        "-1e300",
        "1.7976931348623157e308",
        "123456789012345678901234567890",
    ] {
        for field in ["displayTimeAxisDuration", "nfftSelection"] {
            let (status, body) = configure_text(&mut wire, field, value);
            let entry = json!({"loc": ["body", field], "msg": format!("{field} must be an integer"), "type": "int_type"});
            assert_eq!((status, &body["detail"]), (422, &json!([entry])), "{field}: {value}");
        }
    }
    let (status, body) = configure_text(&mut wire, "displayTimeAxisDuration", "-9007199254740992");
    assert_eq!((status, &body["detail"][0]["type"]), (400, &json!("not_positive")), "within the range");
}

#[test]
fn of_a_key_that_stands_twice_the_last_one_counts() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let text = base().to_string();
    let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).expect("an object");
    for (body, status) in [
        (format!(r#"{{"view_type":"3",{inside}}}"#), 200),
        (format!(r#"{{{inside},"view_type":"3"}}"#), 422),
        (format!(r#"{{"channels":5,{inside}}}"#), 200),
        (format!(r#"{{{inside},"channels":{{"min":0,"max":5,"min":1}}}}"#), 200),
        (format!(r#"{{{inside},"channels":{{"min":1,"max":5,"min":0}}}}"#), 400),
        (format!(r#"{{{inside},"channels":{{"min":1}}}}"#), 422),
        (format!(r#"{{{inside},"start_time":5,"start_time":null}}"#), 200),
        (format!(r#"{{{inside},"view\u005ftype":"3"}}"#), 422),
    ] {
        wire.send(&request("POST", "/configure", &[], body.as_bytes()));
        assert_eq!(wire.answer().status, status, "{body}");
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored_whatever_they_hold() {
    let server = held();
    let client = Client::of(&server);
    let plain = client.job(&base()).await;
    let extra = with(
        base(),
        &json!({"": 1, "task_id": {"a": [null]}, "View_Type": 9, "__proto__": {}, "viewtype": "2", "ñ": "\u{0}",
                "channels": {"min": 1, "max": 50, "step": "x"}, "displayInfo": {"height": 1000, "width": -1},
                "frequencyRange": {"min": 0, "max": 500, "Max": "x"}}),
    );
    let job = client.job(&extra).await;
    for key in ["frequencies_list", "channel_to_stream_index", "lines_dt", "metadata"] {
        assert_eq!(job[key], plain[key], "{key}");
    }
}

#[tokio::test]
async fn null_is_the_same_as_absent_in_every_field() {
    let server = held();
    let client = Client::of(&server);
    for (body, fields) in [
        (base(), &["start_time", "end_time"][..]),
        (historic(), &["view_type", "channels", "displayInfo", "displayTimeAxisDuration", "start_time"]),
        (
            base(),
            &["channels.min", "channels.max", "displayInfo.height", "frequencyRange.min", "nfftSelection"],
        ),
        (with(waterfall(), &json!({"nfftSelection": 1})), &["nfftSelection", "view_type"]),
    ] {
        for field in fields {
            let absent = client.configure(&without(body.clone(), field)).await;
            let mut nulled = body.clone();
            let place = format!("/{}", field.replace('.', "/"));
            *nulled.pointer_mut(&place).expect("the field is there") = Value::Null;
            let null = client.configure(&nulled).await;
            assert_eq!(null.status, absent.status, "{field}");
            assert_eq!(null.json()["detail"], absent.json()["detail"], "{field}");
        }
    }
}

#[tokio::test]
async fn values_on_their_very_bounds_are_accepted() {
    let server = held();
    let client = Client::of(&server);
    for body in [
        with(base(), &json!({"channels": {"min": 1, "max": 2222}})),
        with(base(), &json!({"channels": {"min": 116, "max": 2337}})),
        with(single(), &json!({"channels": {"min": 2337, "max": 2337}})),
        with(base(), &json!({"displayInfo": {"height": 1}})),
        with(base(), &json!({"displayInfo": {"height": 1_i64 << 53}})),
        with(base(), &json!({"displayTimeAxisDuration": 1, "nfftSelection": 128})),
        with(base(), &json!({"nfftSelection": 65536})),
        with(base(), &json!({"frequencyRange": {"min": 0, "max": 1000}})),
        with(base(), &json!({"frequencyRange": {"min": 999, "max": 1000}})),
        with(base(), &json!({"start_time": START - 1, "end_time": START + 60})),
        with(base(), &json!({"start_time": 0, "end_time": START})),
        with(waterfall(), &json!({"nfftSelection": 1.0})),
        with(waterfall(), &json!({"nfftSelection": null, "frequencyRange": null})),
    ] {
        assert_eq!(client.configure(&body).await.status, 200, "{body}");
    }
    assert_eq!(judge::state(&server).jobs.len(), 13);
}
