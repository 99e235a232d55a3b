//! Requests that a quirk takes although the contract refuses them, and what becomes of them.

use focus_mock::MockServer;
use focus_mock::domain::quirk::Quirk;
use focus_mock::sim::setup::{Dependencies, MongoDb, RecordingPlan, Setup, Supply};
use serde_json::{Value, json};

use super::{but, waterfall, with_quirks};
use crate::common::{Client, START, base, held_with, with};
use crate::judge;

/// The job of a request that must be taken, with what every answer of a job is made of.
async fn taken(server: &MockServer, body: &Value) -> Value {
    let answer = Client::of(server).job(body).await;
    let list: Vec<f64> = serde_json::from_value(answer["frequencies_list"].clone()).expect("numbers");
    assert_eq!(answer["frequencies_amount"], list.len(), "{body}");
    assert!(list.is_sorted(), "{body}");
    answer
}

/// What a request is refused with that must not be taken: status and place, violation by violation.
async fn refused(server: &MockServer, body: &Value) -> (u16, Vec<String>) {
    let answer = Client::of(server).configure(body).await;
    let detail = judge::refusal(&answer)["detail"].as_array().cloned().unwrap_or_default();
    let kind = |entry: &Value| entry["type"].as_str().expect("a type").to_owned();
    (answer.status.as_u16(), detail.iter().map(kind).collect())
}

fn kinds(kinds: &[&str]) -> Vec<String> {
    kinds.iter().map(|kind| (*kind).to_owned()).collect()
}

#[tokio::test]
async fn any_positive_length_of_a_transform_up_to_131072_is_taken_by_views_0_and_1() {
    let server = with_quirks(&[Quirk::NfftUnchecked]);
    let single = json!({"view_type": "1", "channels": {"min": 7, "max": 7}});
    for view in [json!({}), single] {
        for (nfft, bins) in
            [(1, 1), (8, 2), (127, 31), (1000, 250), (4096, 1024), (131_071, 32_767), (131_072, 32_768)]
        {
            let body = with(with(base(), &view), &json!({"nfftSelection": nfft}));
            assert_eq!(taken(&server, &body).await["frequencies_amount"], bins, "{nfft}");
        }
        for nfft in [0, -1, 131_073, 1_i64 << 40] {
            let body = with(with(base(), &view), &json!({"nfftSelection": nfft}));
            assert_eq!(refused(&server, &body).await, (400, kinds(&["nfft_unsupported"])), "{nfft}");
        }
        let absent = with(with(base(), &view), &json!({"nfftSelection": null}));
        assert_eq!(refused(&server, &absent).await, (422, kinds(&["missing"])));
    }
    let mut waterfall = waterfall();
    waterfall["nfftSelection"] = json!(1000);
    assert_eq!(refused(&server, &waterfall).await, (422, kinds(&["value_error"])), "views 0 and 1 alone");
}

#[tokio::test]
async fn a_window_in_the_future_needs_no_recording_but_the_outside_systems() {
    let future = with(base(), &json!({"start_time": START + 3600, "end_time": START + 7200}));
    let mut setup = Setup { quirks: [Quirk::FutureWindowAccepted].into_iter().collect(), ..Setup::default() };
    setup.recordings = RecordingPlan { series: None, gaps: Vec::new(), spans: Vec::new() };
    let server = held_with(setup);
    taken(&server, &future).await;
    let past = with(base(), &json!({"start_time": START - 7200, "end_time": START - 3600}));
    assert_eq!(Client::of(&server).configure(&past).await.refusal(), (404, String::from("NO_RECORDING")));
    let at_the_limit = with(base(), &json!({"start_time": START - 7200, "end_time": START + 60}));
    assert_eq!(
        Client::of(&server).configure(&at_the_limit).await.status,
        404,
        "that is no window in the future"
    );
    for (states, code) in [
        (Dependencies { mongodb: MongoDb::Down, ..Dependencies::default() }, "RECORDINGS_UNAVAILABLE"),
        (Dependencies { rabbitmq: Supply::Down, ..Dependencies::default() }, "BROKER_UNAVAILABLE"),
    ] {
        server.simulation().with(|world, now| world.change_dependencies(states, now));
        assert_eq!(Client::of(&server).configure(&future).await.refusal(), (503, String::from(code)));
    }
}

/// Lowest and highest channel of an answer's map, and how many there are.
fn channels_of(answer: &Value) -> (i64, i64, usize) {
    let map = answer["channel_to_stream_index"].as_object().expect("a map");
    let channels: Vec<i64> = map.keys().map(|key| key.parse().expect("a number")).collect();
    (channels[0], channels[channels.len() - 1], channels.len())
}

#[tokio::test]
async fn channels_are_taken_wherever_they_lie_and_from_either_end() {
    let server = with_quirks(&[Quirk::ChannelsUnchecked]);
    for (min, max) in [
        (2330, 2340),
        (50_000, 50_009),
        (0, 10),
        (-5, 3),
        (20, 11),
        (3, -5),
        (1, 2337),
        (1, 10_000),
        (9_007_199_254_740_990, 9_007_199_254_740_992),
    ] {
        let (low, high) = (i64::min(min, max), i64::max(min, max));
        let count = usize::try_from(high - low + 1).expect("few");
        let answer = taken(&server, &but("channels", &json!({"min": min, "max": max}))).await;
        assert_eq!(channels_of(&answer), (low, high, count));
        assert_eq!((&answer["channel_amount"], &answer["stream_amount"]), (&json!(count), &json!(3)));
    }
    for (min, max) in [(1, 10_001_i64), (10_001, 1), (-9_007_199_254_740_992_i64, 9_007_199_254_740_992_i64)]
    {
        let body = but("channels", &json!({"min": min, "max": max}));
        assert_eq!(refused(&server, &body).await, (400, kinds(&["too_many_channels"])), "{min} to {max}");
    }
    let answer = Client::of(&server).configure(&but("channels", &json!({"min": 1, "max": 10_001}))).await;
    assert_eq!(
        answer.json()["error"],
        "channel range is invalid: 10001 channels exceed the maximum 2222 per request"
    );
    // What is no number is as wrong as ever, and a view of one channel has one.
    let body = but("channels", &json!({"min": "1", "max": null}));
    assert_eq!(refused(&server, &body).await, (422, kinds(&["missing", "int_type"])));
    for channels in [json!({"min": 1, "max": 5}), json!({"min": 5, "max": 1})] {
        let body = with(base(), &json!({"view_type": "1", "channels": channels}));
        assert_eq!(refused(&server, &body).await, (400, kinds(&["single_channel_range"])));
    }
}

#[tokio::test]
async fn frequencies_are_taken_whatever_they_are_and_bins_stay_within_the_transform() {
    let server = with_quirks(&[Quirk::FrequencyUnchecked]);
    let step = 2000.0 / 1025.0;
    // Frequencies -> first bin and how many, of a transform of 1024 samples.
    for ((f0, f1), first, bins) in [
        ((0, 1001), 0.0, 512),
        ((0, 1500), 0.0, 768),
        ((0, 2000), 0.0, 1024),
        ((0, 9_007_199_254_740_992), 0.0, 1024),
        ((5000, 9000), 1023.0, 1),
        ((500, 0), 256.0, 1),
        ((500, 500), 256.0, 1),
        ((-100, 500), 0.0, 256),
        ((-100, -50), 0.0, 1),
        ((-9_007_199_254_740_992_i64, 9_007_199_254_740_992_i64), 0.0, 1024),
    ] {
        let answer = taken(&server, &but("frequencyRange", &json!({"min": f0, "max": f1}))).await;
        assert_eq!(answer["frequencies_amount"], bins, "{f0} to {f1}");
        let found = answer["frequencies_list"][0].as_f64().expect("a number");
        assert!((found - step * first).abs() < 1e-9, "{f0} to {f1} begins at {found}");
    }
    let body = but("frequencyRange", &json!({"min": 0.5, "max": 500}));
    assert_eq!(refused(&server, &body).await, (422, kinds(&["int_type"])));
}

#[tokio::test]
async fn a_height_of_0_or_below_is_as_good_as_1() {
    let server = with_quirks(&[Quirk::HeightUnchecked]);
    for height in [0, -1, -9_007_199_254_740_992_i64, 1] {
        let answer = taken(&server, &but("displayInfo", &json!({"height": height}))).await;
        assert_eq!(answer["lines_dt"], json!(10.0), "{height}");
    }
    assert_eq!(
        refused(&server, &but("displayInfo", &json!({"height": "0"}))).await,
        (422, kinds(&["int_type"]))
    );
    assert_eq!(refused(&server, &but("displayInfo", &json!({}))).await, (422, kinds(&["missing"])));
}

#[tokio::test]
async fn a_single_channel_view_of_many_has_one_stream_for_all_of_them_and_says_one_channel() {
    let server = with_quirks(&[Quirk::SingleChannelRangeAccepted]);
    let body = with(base(), &json!({"view_type": "1", "channels": {"min": 3, "max": 12}}));
    let answer = taken(&server, &body).await;
    let expected: serde_json::Map<_, _> = (3..=12).map(|channel| (channel.to_string(), json!(0))).collect();
    assert_eq!(answer["channel_to_stream_index"], Value::Object(expected));
    assert_eq!((&answer["stream_amount"], &answer["channel_amount"]), (&json!(1), &json!(1)));
    let reversed = with(base(), &json!({"view_type": "1", "channels": {"min": 12, "max": 3}}));
    assert_eq!(refused(&server, &reversed).await, (400, kinds(&["range_reversed"])));
    let both = with_quirks(&[Quirk::SingleChannelRangeAccepted, Quirk::ChannelsUnchecked]);
    assert_eq!(channels_of(&taken(&both, &reversed).await), (3, 12, 10));
}

#[tokio::test]
async fn a_waterfall_ignores_what_it_must_not_have() {
    let server = with_quirks(&[Quirk::WaterfallUnchecked]);
    let plain = taken(&server, &waterfall()).await;
    for extra in [
        json!({"displayTimeAxisDuration": 30}),
        json!({"displayTimeAxisDuration": "soon"}),
        json!({"frequencyRange": {"min": 0, "max": 500}}),
        json!({"frequencyRange": 7}),
        json!({"nfftSelection": 1024}),
        json!({"nfftSelection": -5}),
        json!({"nfftSelection": [], "frequencyRange": [], "displayTimeAxisDuration": []}),
    ] {
        server.simulation().reset();
        assert_eq!(taken(&server, &with(waterfall(), &extra)).await, plain, "{extra}");
    }
    let both = with_quirks(&[Quirk::WaterfallUnchecked, Quirk::WaterfallMinimal500]);
    for extra in [json!({"displayTimeAxisDuration": 30}), json!({"frequencyRange": {"min": 0, "max": 500}})] {
        taken(&both, &with(waterfall(), &extra)).await;
    }
    for minimal in [json!({}), json!({"nfftSelection": 1024}), json!({"frequencyRange": null})] {
        let answer = Client::of(&both).configure(&with(waterfall(), &minimal)).await;
        assert_eq!(answer.refusal(), (500, String::from("PARSER")), "{minimal}");
    }
}
