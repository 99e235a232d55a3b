//! How refusals of configurations are told: clearly, row by row of the table of checks, and all at once.

use serde_json::{Value, json};

use super::{SINGLE, both_without};
use crate::answer::{Answer, Violation};
use crate::arithmetic::Request;
use crate::bodies::{self, BASE, base, historic, waterfall, with};
use crate::cases::configuring::{Fibre, about, refused};
use crate::checks::{self, LONGEST_NFFT, MOST_CHANNELS};
use crate::failure::{Failure, equal, holds};
use crate::story::Story;

pub(super) async fn error_message_clarity(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let now = story.now().await?;
    clear_sentences(story, &fibre, now).await?;
    for (body, violation) in mistakes(&fibre, now) {
        let row = format!("{} {}", violation.loc, violation.kind);
        refused(story, &body, &checks::refused(vec![violation])).await.map_err(about(row))?;
    }
    for (row, body, violations) in all_at_once(&fibre, now) {
        let refusal = checks::refused(violations);
        let first = refused(story, &body, &refusal).await.map_err(about(row))?;
        let second = refused(story, &body, &refusal).await.map_err(about(row))?;
        second.equals(&first, &["request_id"]).map_err(about(row))?;
    }
    Ok(())
}

/// A mistake in each of the fields that known suites have words for.
async fn clear_sentences(story: &Story, fibre: &Fibre, now: i64) -> Result<(), Failure> {
    let beyond = fibre.nyquist() + 1;
    let rows: [(&str, Value, &[&str]); 5] = [
        (
            "nfftSelection",
            with(base(), [("nfftSelection", json!(1000))]),
            &["nfft", "invalid", "power of 2", "maximum", "2048"],
        ),
        (
            "channels",
            with(base(), [("channels", json!({"min": 60, "max": 50}))]),
            &["channel", "invalid", "range", "maximum 2222"],
        ),
        (
            "frequencyRange",
            with(base(), [("frequencyRange.max", json!(beyond))]),
            &["frequency", "nyquist", "limit", "range"],
        ),
        ("displayInfo", with(base(), [("displayInfo.height", json!(0))]), &["height", "positive"]),
        ("end_time", historic(base(), now, now + 86_400), &["future", "time", "range", "invalid"]),
    ];
    for (field, body, words) in rows {
        let answer = story.no_trace(story.post("/configure", &body)).await?;
        is_clear(&answer, field, words)
            .map_err(|failure| failure.shown_by(&answer.0))
            .map_err(about(field))?;
    }
    Ok(())
}

fn is_clear(answer: &Answer, field: &str, words: &[&str]) -> Result<(), Failure> {
    holds(matches!(answer.status(), 400 | 422), || format!("{} is no refusal", answer.status()))?;
    let body = answer.json()?;
    let sentence = body["error"].as_str().unwrap_or_default();
    // Several sentences would be joined by a semicolon, and be several entries of `detail`.
    let one = !sentence.is_empty() && !sentence.contains([';', '\n', '\r']);
    holds(one, || format!("{sentence:?} is not one sentence"))?;
    equal("the number of mistakes", &body["detail"].as_array().map(Vec::len), &Some(1))?;
    let found = words.iter().filter(|word| sentence.to_lowercase().contains(**word)).count();
    holds(found >= 2, || format!("{sentence:?} has less than two of {words:?}"))?;
    let named = body["detail"][0]["loc"].as_array().is_some_and(|loc| loc.contains(&json!(field)));
    holds(named, || format!("detail names {} and not {field}", body["detail"][0]["loc"]))
}

/// Everything that is no whole number between -2^53 and 2^53.
fn no_integers() -> [Value; 8] {
    [
        json!("5"),
        json!(""),
        json!(1.5),
        json!(true),
        json!([5]),
        json!({}),
        json!(9_007_199_254_740_993_i64),
        json!(-9_007_199_254_740_993_i64),
    ]
}

/// Requests with one mistake each, in the order of the table of checks.
fn mistakes(fibre: &Fibre, now: i64) -> Vec<(Value, Violation)> {
    let mut rows = Vec::new();
    let no_object = [json!(5), json!("x"), json!([]), json!(true)];
    rows.extend(no_object.iter().chain([&Value::Null]).map(|body| (body.clone(), checks::body_no_object())));
    let played = historic(base(), now - 3600, now);
    for field in
        ["view_type", "channels", "channels.min", "channels.max", "displayInfo", "displayInfo.height"]
    {
        rows.extend(both_without(&base(), &[field]).map(|body| (body, checks::missing(field))));
    }
    for field in ["frequencyRange.min", "frequencyRange.max"] {
        rows.extend(both_without(&base(), &[field]).map(|body| (body, checks::missing(field))));
    }
    for field in ["displayTimeAxisDuration", "nfftSelection", "frequencyRange"] {
        for view in [BASE, SINGLE] {
            let bodies = both_without(&bodies::of(&view), &[field]);
            rows.extend(bodies.map(|body| (body, checks::missing_for_spectrum(field))));
        }
    }
    for absent in ["start_time", "end_time"] {
        rows.extend(both_without(&played, &[absent]).map(|body| (body, checks::one_sided_window(absent))));
    }
    for field in ["channels", "displayInfo", "frequencyRange"] {
        for value in &no_object {
            rows.push((with(base(), [(field, value.clone())]), checks::no_object(field)));
        }
    }
    for field in [
        "channels.min",
        "channels.max",
        "displayInfo.height",
        "displayTimeAxisDuration",
        "nfftSelection",
        "frequencyRange.min",
        "frequencyRange.max",
        "start_time",
        "end_time",
    ] {
        for value in no_integers() {
            rows.push((with(played.clone(), [(field, value)]), checks::no_integer(field)));
        }
    }
    rows.extend(values(fibre, now));
    rows
}

/// Requests whose shape is right, but for channels that the fibre does not have and what a waterfall must not have.
fn values(fibre: &Fibre, now: i64) -> Vec<(Value, Violation)> {
    let view = |view: Request, field: &str, value: Value| with(bodies::of(&view), [(field, value)]);
    let multi = |field: &str, value: Value| view(BASE, field, value);
    let range = |min: i64, max: i64| json!({"min": min, "max": max});
    let highest = i64::from(fibre.highest);
    let beyond = i64::from(fibre.nyquist()) + 1;
    let mut rows = vec![
        (multi("view_type", json!("x")), checks::view_unknown()),
        (multi("channels.min", json!(0)), checks::channel_below_one()),
        (multi("channels.min", json!(51)), checks::channels_reversed(51, 50)),
        (
            multi("channels", range(highest, highest + 1)),
            checks::channel_above_highest(highest + 1, fibre.highest),
        ),
        (view(SINGLE, "channels.max", json!(8)), checks::single_channel_range()),
        (multi("displayInfo.height", json!(0)), checks::height_not_positive()),
        (
            with(waterfall(), [("displayTimeAxisDuration", json!(10))]),
            checks::not_for_waterfall("displayTimeAxisDuration"),
        ),
        (with(waterfall(), [("nfftSelection", json!(128))]), checks::nfft_for_waterfall()),
        (with(waterfall(), [("nfftSelection", json!(0))]), checks::nfft_for_waterfall()),
        (with(waterfall(), [("frequencyRange", range(0, 500))]), checks::not_for_waterfall("frequencyRange")),
        (historic(base(), -1, now), checks::time_negative("start_time")),
        (historic(base(), now, now), checks::times_reversed()),
        (historic(base(), now, now + 86_400), checks::time_in_future()),
    ];
    for spectrum in [BASE, SINGLE] {
        rows.extend([
            (view(spectrum, "displayTimeAxisDuration", json!(0)), checks::duration_not_positive()),
            (view(spectrum, "displayTimeAxisDuration", json!(-1)), checks::duration_not_positive()),
            (view(spectrum, "nfftSelection", json!(127)), checks::nfft_unsupported(127, LONGEST_NFFT)),
            (view(spectrum, "frequencyRange.min", json!(-1)), checks::frequency_negative()),
            (view(spectrum, "frequencyRange", range(500, 500)), checks::frequencies_reversed(500, 500)),
            (view(spectrum, "frequencyRange.max", json!(beyond)), checks::above_nyquist(beyond, fibre.prr)),
        ]);
    }
    // A number without a fraction is a whole one, however it is written, up to 2^53.
    for (written, nfft) in [
        (json!(1000.0), 1000),
        (json!(9_007_199_254_740_992_i64), 9_007_199_254_740_992),
        (json!(-9_007_199_254_740_992_i64), -9_007_199_254_740_992),
    ] {
        rows.push((multi("nfftSelection", written), checks::nfft_unsupported(nfft, LONGEST_NFFT)));
    }
    let floats = json!({"min": 60.0, "max": 50.0});
    rows.push((multi("channels", floats), checks::channels_reversed(60, 50)));
    // Only a fibre that begins behind channel 1 has channels before its first one, only a long one has too many.
    let lowest = i64::from(fibre.lowest);
    if lowest > 1 {
        let violation = checks::channel_below_lowest(lowest - 1, fibre.lowest);
        rows.push((multi("channels", range(lowest - 1, lowest)), violation));
    }
    let most = i64::from(MOST_CHANNELS);
    if lowest + most <= highest {
        let violation = checks::too_many_channels(most + 1, MOST_CHANNELS);
        rows.push((multi("channels", range(lowest, lowest + most)), violation));
    }
    rows
}

/// Requests with every mistake that one request can have, which no single request can have all of.
fn all_at_once(fibre: &Fibre, now: i64) -> [(&'static str, Value, Vec<Violation>); 6] {
    let beyond = i64::from(fibre.nyquist()) + 1;
    // More than a request may have, so that both bounds are broken whatever the fibre is.
    let last = i64::from(fibre.highest.max(MOST_CHANNELS)) + 100;
    let tomorrow = now + 86_400;
    let range = |min: i64, max: i64| json!({"min": min, "max": max});
    let values_of = |view: &str, channels: Value, frequencies: Value, start: i64, end: i64| {
        json!({"displayTimeAxisDuration": 0, "nfftSelection": 1000, "displayInfo": {"height": 0},
               "channels": channels, "frequencyRange": frequencies,
               "start_time": start, "end_time": end, "view_type": view})
    };
    let middle = || {
        [
            checks::height_not_positive(),
            checks::duration_not_positive(),
            checks::nfft_unsupported(1000, LONGEST_NFFT),
        ]
    };
    let mut beyond_everything = vec![
        checks::channel_below_one(),
        checks::channel_above_highest(last, fibre.highest),
        checks::too_many_channels(last + 1, MOST_CHANNELS),
    ];
    beyond_everything.extend(middle());
    beyond_everything.extend([
        checks::frequency_negative(),
        checks::above_nyquist(beyond, fibre.prr),
        checks::time_negative("start_time"),
        checks::time_in_future(),
    ]);
    // In view 1, too, where two different bounds would be a mistake of their own if they were in order.
    let mut reversed = vec![checks::channel_below_one(), checks::channels_reversed(0, -1)];
    reversed.extend(middle());
    reversed.extend([
        checks::frequency_negative(),
        checks::frequencies_reversed(-1, -2),
        checks::time_negative("start_time"),
        checks::time_negative("end_time"),
        checks::times_reversed(),
    ]);
    let mut single = vec![checks::single_channel_range()];
    single.extend(middle());
    single.extend([
        checks::frequencies_reversed(beyond, beyond),
        checks::above_nyquist(beyond, fibre.prr),
        checks::times_reversed(),
        checks::time_in_future(),
    ]);
    [
        (
            "beyond everything",
            values_of("0", range(0, last), range(-1, beyond), -1, tomorrow),
            beyond_everything,
        ),
        ("everything reversed", values_of("1", range(0, -1), range(-1, -2), -1, -2), reversed),
        ("values of view 1", values_of("1", range(7, 8), range(beyond, beyond), tomorrow, tomorrow), single),
        shapes(),
        waterfalls(now),
        without_view(now),
    ]
}

/// Nothing of the type it must be of.
fn shapes() -> (&'static str, Value, Vec<Violation>) {
    let body = json!({"displayTimeAxisDuration": "10", "nfftSelection": 1024.5, "displayInfo": [],
                      "channels": {"min": "1"}, "frequencyRange": {"min": 0.5, "max": true},
                      "start_time": "0", "end_time": null, "view_type": "0"});
    let violations = vec![
        checks::missing("channels.max"),
        checks::no_integer("channels.min"),
        checks::no_object("displayInfo"),
        checks::no_integer("displayTimeAxisDuration"),
        checks::no_integer("nfftSelection"),
        checks::no_integer("frequencyRange.min"),
        checks::no_integer("frequencyRange.max"),
        checks::one_sided_window("end_time"),
        checks::no_integer("start_time"),
    ];
    ("types", body, violations)
}

/// A waterfall with what it must not have, and values that nothing may have: 422, though most of them are values.
fn waterfalls(now: i64) -> (&'static str, Value, Vec<Violation>) {
    let body = json!({"displayTimeAxisDuration": 0, "nfftSelection": 1000, "displayInfo": {"height": -1},
                      "channels": {"min": 60, "max": 50}, "frequencyRange": {"min": -1, "max": -2},
                      "start_time": null, "end_time": now + 86_400, "view_type": 2});
    let violations = vec![
        checks::channels_reversed(60, 50),
        checks::height_not_positive(),
        checks::not_for_waterfall("displayTimeAxisDuration"),
        checks::nfft_for_waterfall(),
        checks::not_for_waterfall("frequencyRange"),
        checks::one_sided_window("start_time"),
        checks::time_in_future(),
    ];
    ("a waterfall", body, violations)
}

/// Of a view that is none, nothing can be said that depends on the view.
fn without_view(now: i64) -> (&'static str, Value, Vec<Violation>) {
    let body = json!({"displayTimeAxisDuration": "x", "nfftSelection": -1, "displayInfo": {"height": "x"},
                      "channels": {"min": 0, "max": 5}, "frequencyRange": 5,
                      "start_time": now, "end_time": now, "view_type": 3});
    let violations = vec![
        checks::view_unknown(),
        checks::channel_below_one(),
        checks::no_integer("displayInfo.height"),
        checks::times_reversed(),
    ];
    ("an unknown view", body, violations)
}
