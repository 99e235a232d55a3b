//! The 26 checks of a configuration, one by one: `rest.md` 6.2, row by row.

use std::collections::BTreeSet;

use focus_mock::domain::fiber::{Channel, ChannelRange, Prr};
use focus_mock::sim::setup::{Limits, Setup, recorded_fiber};
use serde_json::{Value, json};

use super::{historic, single, waterfall, without};
use crate::common::{Client, START, base, held, held_with, with};
use crate::judge::{self, Entry};

/// One request that violates one check.
struct Case {
    /// Number of the check in the contract's table.
    check: u8,
    body: Value,
    status: u16,
    expected: Vec<Entry>,
}

fn case(check: u8, status: u16, body: Value, expected: &[Entry]) -> Case {
    Case { check, body, status, expected: expected.to_vec() }
}

const NOT_AN_OBJECT: Entry = ("", "dict_type", "Request body must be a JSON object");
const VIEW_MISSING: Entry = ("view_type", "missing", "view_type is required");
const VIEW_UNKNOWN: Entry = ("view_type", "enum", "view_type is invalid: must be 0, 1 or 2");

fn bodies_and_views() -> Vec<Case> {
    let mut cases = Vec::new();
    for body in [json!([]), json!([base()]), json!("text"), json!(5), json!(0.5), json!(true), Value::Null] {
        cases.push(case(1, 422, body, &[NOT_AN_OBJECT]));
    }
    cases.push(case(2, 422, without(base(), "view_type"), &[VIEW_MISSING]));
    cases.push(case(2, 422, with(base(), &json!({"view_type": null})), &[VIEW_MISSING]));
    for view in [
        json!(3),
        json!(-1),
        json!(99),
        json!(999),
        json!(0.5),
        json!("3"),
        json!("02"),
        json!("-1"),
        json!(" 0"),
        json!("0.0"),
        json!(""),
        json!("MULTICHANNEL"),
        json!("<script>"),
        json!(true),
        json!(false),
        json!([0]),
        json!({"value": 0}),
    ] {
        cases.push(case(3, 422, with(base(), &json!({"view_type": view})), &[VIEW_UNKNOWN]));
    }
    cases
}

fn channels_of_the_wrong_shape() -> Vec<Case> {
    let channels = |channels: Value| with(base(), &json!({"channels": channels}));
    let missing: Entry = ("channels", "missing", "channels is required");
    let no_object: Entry = ("channels", "dict_type", "channels must be an object");
    let min_missing: Entry = ("channels.min", "missing", "channels.min is required");
    let max_missing: Entry = ("channels.max", "missing", "channels.max is required");
    let min_type: Entry = ("channels.min", "int_type", "channels.min must be an integer");
    let max_type: Entry = ("channels.max", "int_type", "channels.max must be an integer");
    let mut cases = vec![
        case(4, 422, without(base(), "channels"), &[missing]),
        case(4, 422, channels(Value::Null), &[missing]),
        case(4, 422, without(base(), "channels.min"), &[min_missing]),
        case(4, 422, without(base(), "channels.max"), &[max_missing]),
        case(4, 422, channels(json!({})), &[min_missing, max_missing]),
        case(4, 422, channels(json!({"min": null, "max": null})), &[min_missing, max_missing]),
        case(5, 422, channels(json!({"min": "1", "max": 50})), &[min_type]),
        case(5, 422, channels(json!({"min": 1, "max": 50.5})), &[max_type]),
        case(5, 422, channels(json!({"min": true, "max": [50]})), &[min_type, max_type]),
        // Absent is one check, wrong type the next one.
        case(5, 422, channels(json!({"min": "1"})), &[max_missing, min_type]),
    ];
    for value in [json!([1, 50]), json!(5), json!("1-50"), json!(false)] {
        cases.push(case(5, 422, channels(value), &[no_object]));
    }
    cases
}

fn channels_out_of_range() -> Vec<Case> {
    let of = |body: Value, min: i64, max: i64| with(body, &json!({"channels": {"min": min, "max": max}}));
    let below_one: Entry =
        ("channels.min", "out_of_range", "channel range is invalid: channels.min must be at least 1");
    let reversed: Entry = (
        "channels",
        "range_reversed",
        "channel range is invalid: channels.min 51 must not exceed channels.max 50",
    );
    let above: Entry = (
        "channels.max",
        "less_than_equal",
        "channel range is invalid: channels.max 2338 is above the highest channel 2337",
    );
    let far_above: Entry = (
        "channels.max",
        "less_than_equal",
        "channel range is invalid: channels.max 9007199254740992 is above the highest channel 2337",
    );
    let too_many: Entry = (
        "channels",
        "too_many_channels",
        "channel range is invalid: 2223 channels exceed the maximum 2222 per request",
    );
    let not_single: Entry = (
        "channels",
        "single_channel_range",
        "channel range is invalid: SINGLECHANNEL needs channels.min equal to channels.max",
    );
    vec![
        case(6, 400, of(base(), 0, 50), &[below_one]),
        case(6, 400, of(base(), -5, 50), &[below_one]),
        case(6, 400, of(single(), 0, 0), &[below_one]),
        case(7, 400, of(base(), 51, 50), &[reversed]),
        case(7, 400, of(single(), 51, 50), &[reversed]),
        case(7, 400, of(waterfall(), 51, 50), &[reversed]),
        case(9, 422, of(base(), 200, 2338), &[above]),
        case(9, 422, of(single(), 2338, 2338), &[above]),
        case(9, 422, of(single(), 1 << 53, 1 << 53), &[far_above]),
        case(10, 400, of(base(), 1, 2223), &[too_many]),
        case(10, 400, of(base(), 115, 2337), &[too_many]),
        case(10, 400, of(waterfall(), 1, 2223), &[too_many]),
        case(11, 400, of(single(), 7, 8), &[not_single]),
    ]
}

fn display() -> Vec<Case> {
    let display = |value: Value| with(base(), &json!({"displayInfo": value}));
    let missing: Entry = ("displayInfo", "missing", "displayInfo is required");
    let no_object: Entry = ("displayInfo", "dict_type", "displayInfo must be an object");
    let height_missing: Entry = ("displayInfo.height", "missing", "displayInfo.height is required");
    let height_type: Entry = ("displayInfo.height", "int_type", "displayInfo.height must be an integer");
    let not_positive: Entry =
        ("displayInfo.height", "not_positive", "displayInfo.height is invalid: height must be positive");
    vec![
        case(12, 422, without(base(), "displayInfo"), &[missing]),
        case(12, 422, display(Value::Null), &[missing]),
        case(12, 422, without(waterfall(), "displayInfo"), &[missing]),
        case(12, 422, display(json!(600)), &[no_object]),
        case(12, 422, display(json!([600])), &[no_object]),
        case(12, 422, display(json!({})), &[height_missing]),
        case(12, 422, display(json!({"height": null})), &[height_missing]),
        case(12, 422, display(json!({"height": "600"})), &[height_type]),
        case(12, 422, display(json!({"height": 0.1})), &[height_type]),
        case(13, 400, display(json!({"height": 0})), &[not_positive]),
        case(13, 400, display(json!({"height": -1})), &[not_positive]),
        case(13, 400, display(json!({"height": -9_007_199_254_740_992_i64})), &[not_positive]),
    ]
}

fn durations() -> Vec<Case> {
    let field = "displayTimeAxisDuration";
    let of = |body: Value, value: Value| with(body, &json!({"displayTimeAxisDuration": value}));
    let missing: Entry = (field, "missing", "displayTimeAxisDuration is required for view_type 0 and 1");
    let mistyped: Entry = (field, "int_type", "displayTimeAxisDuration must be an integer");
    let forbidden: Entry = (field, "extra_forbidden", "displayTimeAxisDuration is not allowed for WATERFALL");
    let not_positive: Entry =
        (field, "not_positive", "displayTimeAxisDuration is invalid: duration must be positive");
    vec![
        case(14, 422, without(base(), field), &[missing]),
        case(14, 422, of(base(), Value::Null), &[missing]),
        case(14, 422, without(single(), field), &[missing]),
        case(14, 422, of(base(), json!("30")), &[mistyped]),
        case(14, 422, of(single(), json!(0.5)), &[mistyped]),
        case(14, 422, of(base(), json!({"seconds": 30})), &[mistyped]),
        case(14, 422, of(waterfall(), json!(30)), &[forbidden]),
        case(14, 422, of(waterfall(), json!(0)), &[forbidden]),
        case(14, 422, of(waterfall(), json!("x")), &[forbidden]),
        case(15, 400, of(base(), json!(0)), &[not_positive]),
        case(15, 400, of(single(), json!(-30)), &[not_positive]),
    ]
}

fn transforms() -> Vec<Case> {
    let field = "nfftSelection";
    let of = |body: Value, value: Value| with(body, &json!({"nfftSelection": value}));
    let missing: Entry = (field, "missing", "nfftSelection is required for view_type 0 and 1");
    let mistyped: Entry = (field, "int_type", "nfftSelection must be an integer");
    let for_waterfall: Entry =
        (field, "value_error", "nfftSelection is invalid: nfft must be 1 or absent for WATERFALL");
    let mut cases = vec![
        case(16, 422, without(base(), field), &[missing]),
        case(16, 422, of(single(), Value::Null), &[missing]),
        case(16, 422, of(base(), json!("1024")), &[mistyped]),
        case(16, 422, of(single(), json!(1024.5)), &[mistyped]),
    ];
    for value in [json!(0), json!(2), json!(1024), json!(-1), json!("1"), json!(1.5), json!([1])] {
        cases.push(case(16, 422, of(waterfall(), value), &[for_waterfall]));
    }
    macro_rules! unsupported {
        ($number:literal) => {
            (
                "nfftSelection",
                "nfft_unsupported",
                concat!(
                    "nfftSelection ",
                    $number,
                    " is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), ",
                    "minimum 128, maximum 65536"
                ),
            )
        };
    }
    for (value, entry) in [
        (0, unsupported!("0")),
        (-1024, unsupported!("-1024")),
        (1, unsupported!("1")),
        (64, unsupported!("64")),
        (127, unsupported!("127")),
        (1000, unsupported!("1000")),
        (65535, unsupported!("65535")),
        (131_072, unsupported!("131072")),
        (4_294_967_296_i64, unsupported!("4294967296")),
    ] {
        cases.push(case(17, 400, of(base(), json!(value)), &[entry]));
        cases.push(case(17, 400, of(single(), json!(value)), &[entry]));
    }
    cases
}

fn frequencies() -> Vec<Case> {
    let of = |body: Value, value: Value| with(body, &json!({"frequencyRange": value}));
    let range = |min: i64, max: i64| of(base(), json!({"min": min, "max": max}));
    let missing: Entry = ("frequencyRange", "missing", "frequencyRange is required for view_type 0 and 1");
    let no_object: Entry = ("frequencyRange", "dict_type", "frequencyRange must be an object");
    let forbidden: Entry =
        ("frequencyRange", "extra_forbidden", "frequencyRange is not allowed for WATERFALL");
    let min_missing: Entry = ("frequencyRange.min", "missing", "frequencyRange.min is required");
    let max_missing: Entry = ("frequencyRange.max", "missing", "frequencyRange.max is required");
    let min_type: Entry = ("frequencyRange.min", "int_type", "frequencyRange.min must be an integer");
    let negative: Entry = (
        "frequencyRange.min",
        "out_of_range",
        "frequency range is invalid: frequencyRange.min must not be negative",
    );
    let reversed = |text| -> Entry { ("frequencyRange", "range_reversed", text) };
    let empty = "frequency range is invalid: frequencyRange.min 500 must be less than frequencyRange.max 500";
    let swapped = "frequency range is invalid: frequencyRange.min 500 must be less than frequencyRange.max 0";
    let nyquist: Entry = (
        "frequencyRange.max",
        "nyquist_exceeded",
        "frequency range is invalid: 1001 Hz exceeds the Nyquist limit of 1000 Hz",
    );
    vec![
        case(18, 422, without(base(), "frequencyRange"), &[missing]),
        case(18, 422, of(single(), Value::Null), &[missing]),
        case(18, 422, of(base(), json!([0, 500])), &[no_object]),
        case(18, 422, of(base(), json!(500)), &[no_object]),
        case(18, 422, of(base(), json!({})), &[min_missing, max_missing]),
        case(18, 422, of(base(), json!({"min": 0})), &[max_missing]),
        case(18, 422, of(base(), json!({"min": "0", "max": 500})), &[min_type]),
        case(18, 422, of(base(), json!({"min": 0.5, "max": 500})), &[min_type]),
        case(18, 422, of(waterfall(), json!({"min": 0, "max": 500})), &[forbidden]),
        case(18, 422, of(waterfall(), json!({})), &[forbidden]),
        case(18, 422, of(waterfall(), json!("x")), &[forbidden]),
        case(19, 400, range(-1, 500), &[negative]),
        case(20, 400, range(500, 500), &[reversed(empty)]),
        case(20, 400, range(500, 0), &[reversed(swapped)]),
        case(21, 400, range(0, 1001), &[nyquist]),
        case(21, 400, of(single(), json!({"min": 0, "max": 1001})), &[nyquist]),
    ]
}

fn times() -> Vec<Case> {
    let of = |start: Value, end: Value| with(base(), &json!({"start_time": start, "end_time": end}));
    let ambiguous = "time range is ambiguous: give both start_time and end_time, or neither";
    let start_type: Entry = ("start_time", "int_type", "start_time must be an integer");
    let end_type: Entry = ("end_time", "int_type", "end_time must be an integer");
    let start_negative: Entry =
        ("start_time", "out_of_range", "time range is invalid: start_time must not be negative");
    let end_negative: Entry =
        ("end_time", "out_of_range", "time range is invalid: end_time must not be negative");
    let reversed: Entry =
        ("end_time", "range_reversed", "time range is invalid: start_time must be before end_time");
    let future: Entry = ("end_time", "time_in_future", "time range is invalid: end_time is in the future");
    vec![
        case(22, 422, of(json!(100), Value::Null), &[("end_time", "missing", ambiguous)]),
        case(22, 422, of(Value::Null, json!(100)), &[("start_time", "missing", ambiguous)]),
        case(22, 422, without(historic(), "end_time"), &[("end_time", "missing", ambiguous)]),
        case(22, 422, without(historic(), "start_time"), &[("start_time", "missing", ambiguous)]),
        case(23, 422, of(json!("100"), json!(200)), &[start_type]),
        case(23, 422, of(json!(100), json!("251205145823")), &[end_type]),
        case(23, 422, of(json!(100.5), json!(true)), &[start_type, end_type]),
        case(24, 400, of(json!(-5), json!(10)), &[start_negative]),
        case(24, 400, of(json!(-5), json!(-1)), &[start_negative, end_negative]),
        case(25, 400, of(json!(100), json!(100)), &[reversed]),
        case(25, 400, of(json!(101), json!(100)), &[reversed]),
        case(26, 400, of(json!(START), json!(START + 61)), &[future]),
        case(26, 400, of(json!(START), json!(1_i64 << 53)), &[future]),
    ]
}

fn cases() -> Vec<Case> {
    let groups = [
        bodies_and_views(),
        channels_of_the_wrong_shape(),
        channels_out_of_range(),
        display(),
        durations(),
        transforms(),
        frequencies(),
        times(),
    ];
    groups.into_iter().flatten().collect()
}

#[tokio::test]
async fn every_violation_of_one_check_is_answered_with_that_check_alone_and_changes_nothing() {
    let server = held();
    let client = Client::of(&server);
    let before = judge::state(&server);
    for case in cases() {
        println!("check {}: {}", case.check, case.body);
        for prefix in ["", "/focus-server"] {
            let answer = client.post(&format!("{prefix}/configure"), &case.body).await;
            judge::violations(&answer, case.status, &case.expected);
        }
    }
    assert_eq!(judge::state(&server), before);
}

#[test]
fn the_table_has_a_row_for_every_check_that_this_fibre_can_violate() {
    let covered: BTreeSet<u8> = cases().iter().map(|case| case.check).collect();
    // Check 8 needs a fibre that does not begin at channel 1; it has a test of its own.
    assert_eq!(covered, (1..=26).filter(|check| *check != 8).collect());
}

#[tokio::test]
async fn a_channel_before_the_first_one_of_the_fibre_is_check_8_and_one_below_1_is_check_6_alone() {
    let channels = ChannelRange::new(Channel(5), Channel(2337)).expect("a range");
    let fiber = focus_mock::domain::fiber::Fiber { channels, ..recorded_fiber() };
    let server = held_with(Setup { fiber, ..Setup::default() });
    let client = Client::of(&server);
    let of = |min: i64| with(base(), &json!({"channels": {"min": min, "max": 50}}));
    let below = (
        "channels.min",
        "greater_than_equal",
        "channel range is invalid: channels.min 4 is below the lowest channel 5",
    );
    judge::violations(&client.configure(&of(4)).await, 422, &[below]);
    let below_one =
        ("channels.min", "out_of_range", "channel range is invalid: channels.min must be at least 1");
    judge::violations(&client.configure(&of(0)).await, 400, &[below_one]);
    assert_eq!(client.configure(&of(5)).await.status, 200);
}

#[tokio::test]
async fn the_limits_that_can_be_set_are_the_limits_that_are_checked_and_named() {
    let limits = Limits {
        max_channels_per_request: 30,
        nfft_max_multichannel: 2048,
        future_tolerance_s: 5,
        ..Limits::default()
    };
    let fiber = focus_mock::domain::fiber::Fiber { prr: Prr::new(2001).expect("a rate"), ..recorded_fiber() };
    let server = held_with(Setup { limits, fiber, ..Setup::default() });
    let client = Client::of(&server);
    let ok = with(base(), &json!({"channels": {"min": 1, "max": 30}}));
    let changed = with(
        base(),
        &json!({"channels": {"min": 1, "max": 31}, "nfftSelection": 4096, "start_time": START,
                "end_time": START + 6, "frequencyRange": {"min": 0, "max": 1001}}),
    );
    let expected = [
        (
            "channels",
            "too_many_channels",
            "channel range is invalid: 31 channels exceed the maximum 30 per request",
        ),
        (
            "nfftSelection",
            "nfft_unsupported",
            "nfftSelection 4096 is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), minimum \
             128, maximum 2048",
        ),
        (
            "frequencyRange.max",
            "nyquist_exceeded",
            "frequency range is invalid: 1001 Hz exceeds the Nyquist limit of 1000.5 Hz",
        ),
        ("end_time", "time_in_future", "time range is invalid: end_time is in the future"),
    ];
    judge::violations(&client.configure(&changed).await, 400, &expected);
    assert_eq!(client.configure(&ok).await.status, 200);
    // The limit is that of the multi-channel view.
    let single = with(single(), &json!({"nfftSelection": 65536}));
    assert_eq!(client.configure(&single).await.status, 200);
}
