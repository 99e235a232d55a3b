//! Answers of another form.

use focus_mock::domain::fiber::FiberState;
use focus_mock::domain::quirk::Quirk;
use serde_json::{Value, json};

use super::{but, waterfall, with_quirks};
use crate::common::{Answer, Client, START, base, held, with};

/// A job's answer with a quirk and without it; GET /metadata gives the same as the configure answer.
async fn both(quirk: Quirk, body: &Value) -> (String, String) {
    let mut texts = Vec::new();
    for server in [with_quirks(&[quirk]), held()] {
        let client = Client::of(&server);
        let answer = client.configure(body).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let text = String::from_utf8(answer.body).expect("UTF-8");
        assert_eq!(client.get("/metadata/1-1").await.body, text.as_bytes());
        // Each server has an address of its own.
        texts.push(text.replace(&server.rest().ip().to_string(), "mock"));
    }
    let contract = texts.pop().expect("two texts");
    (texts.pop().expect("two texts"), contract)
}

#[tokio::test]
async fn the_view_comes_as_a_text_and_nothing_else_changes() {
    for (view, body) in [
        (0, base()),
        (1, with(but("view_type", &json!(1)), &json!({"channels": {"min": 7, "max": 7}}))),
        (2, waterfall()),
    ] {
        let (quirky, contract) = both(Quirk::ViewTypeStringResponse, &body).await;
        let expected =
            contract.replace(&format!("\"view_type\":{view},"), &format!("\"view_type\":\"{view}\","));
        assert_ne!(expected, contract);
        assert_eq!(quirky, expected);
    }
}

#[tokio::test]
async fn the_status_is_empty_and_nothing_else_changes() {
    let (quirky, contract) = both(Quirk::StatusEmpty, &base()).await;
    assert!(contract.starts_with("{\"status\":\"success\","));
    assert_eq!(quirky, contract.replacen("\"status\":\"success\"", "\"status\":\"\"", 1));
}

#[tokio::test]
async fn the_port_of_the_streams_comes_as_a_text_and_nothing_else_changes() {
    let (quirky, contract) = both(Quirk::StreamPortString, &base()).await;
    let port = serde_json::from_str::<Value>(&contract).expect("JSON")["stream_port"].clone();
    let expected =
        contract.replace(&format!("\"stream_port\":{port},"), &format!("\"stream_port\":\"{port}\","));
    assert_ne!(expected, contract);
    assert_eq!(quirky, expected);
}

#[tokio::test]
async fn a_quarter_of_the_bins_comes_four_times_as_far_apart() {
    // Transform length, frequencies -> how many, step, first, as of 2000 Hz.
    for (nfft, (f0, f1), amount, step, first) in [
        (1024, (0, 500), 64, 8000.0 / 1025.0, 0.0),
        (512, (0, 500), 32, 8000.0 / 513.0, 0.0),
        (256, (0, 500), 16, 8000.0 / 257.0, 0.0),
        // 51…152, hence 12…36.
        (1024, (100, 300), 25, 8000.0 / 1025.0, 12.0 * 8000.0 / 1025.0),
        // One bin stays one.
        (128, (200, 201), 1, 8000.0 / 129.0, 3.0 * 8000.0 / 129.0),
    ] {
        let body = with(base(), &json!({"nfftSelection": nfft, "frequencyRange": {"min": f0, "max": f1}}));
        let (quirky, contract) = both(Quirk::FrequencyBinsDecimated, &body).await;
        let (mut quirky, mut contract): (Value, Value) =
            (serde_json::from_str(&quirky).expect("JSON"), serde_json::from_str(&contract).expect("JSON"));
        let list: Vec<f64> = serde_json::from_value(quirky["frequencies_list"].take()).expect("numbers");
        assert_eq!((list.len(), &quirky["frequencies_amount"]), (amount, &json!(amount)), "{body}");
        for (value, index) in list.iter().zip(0_u8..) {
            let expected = first + step * f64::from(index);
            assert!((value - expected).abs() <= expected * 1e-9, "{value} is not {expected}");
        }
        for answer in [&mut quirky, &mut contract] {
            answer["frequencies_list"] = json!(null);
            answer["frequencies_amount"] = json!(null);
        }
        assert_eq!(quirky, contract, "lines_dt, streams and all else are as ever");
    }
    let (quirky, contract) = both(Quirk::FrequencyBinsDecimated, &waterfall()).await;
    assert_eq!(quirky, contract, "a waterfall has no bins");
}

#[tokio::test]
async fn the_recordings_come_as_the_only_key_of_an_object() {
    let (quirky, contract) = (with_quirks(&[Quirk::RecordingsWrapped]), held());
    for window in [(START - 7200, START - 3600), (1, 2)] {
        let body = json!({"start_time": window.0, "end_time": window.1});
        let quirky = Client::of(&quirky).post("/recordings_in_time_range", &body).await;
        let contract = Client::of(&contract).post("/recordings_in_time_range", &body).await;
        let contract = String::from_utf8(contract.body).expect("UTF-8");
        assert_eq!(String::from_utf8(quirky.body).expect("UTF-8"), format!("{{\"recordings\":{contract}}}"));
    }
}

/// What a server says about its fibre in a state.
async fn live_metadata(quirks: &[Quirk], state: FiberState) -> Answer {
    let server = with_quirks(quirks);
    server.simulation().with(|world, now| world.change_fiber(state, now));
    Client::of(&server).get("/live_metadata").await
}

#[tokio::test]
async fn metadata_of_an_awaited_fibre_are_not_found() {
    let answer = live_metadata(&[Quirk::LiveMetadata404], FiberState::Waiting).await;
    assert_eq!(answer.refusal(), (404, String::from("LIVE_METADATA_UNAVAILABLE")));
    assert_eq!(answer.json()["error"], "Live metadata is not available");
    assert!(answer.json().get("detail").is_none());
    for state in [FiberState::Lit, FiberState::Mixed] {
        assert_eq!(live_metadata(&[Quirk::LiveMetadata404], state).await.status, 200, "{state:?}");
    }
    let bare = live_metadata(&[Quirk::LiveMetadata404, Quirk::BareErrorBody], FiberState::Waiting).await;
    assert_eq!(bare.body, b"{\"error\":\"Live metadata is not available\"}");
}

#[tokio::test]
async fn metadata_lack_two_fields_and_have_three_more_while_the_fibre_is_awaited() {
    let waiting = live_metadata(&[Quirk::LiveMetadataFieldsMissing], FiberState::Waiting).await;
    assert_eq!(waiting.body.len(), 172);
    assert_eq!(
        String::from_utf8(waiting.body).expect("UTF-8"),
        "{\"dx\":0.0,\"prr\":0.0,\"fiber_start_meters\":null,\"fiber_length_meters\":null,\
         \"sw_version\":\"waiting for fiber\",\"number_of_channels\":2337,\"fiber_description\":\"waiting for fiber\"}"
    );
    for (state, version) in [(FiberState::Lit, "11.17.10513"), (FiberState::Mixed, "waiting for fiber")] {
        let answer = live_metadata(&[Quirk::LiveMetadataFieldsMissing], state).await;
        assert_eq!(
            String::from_utf8(answer.body).expect("UTF-8"),
            format!(
                "{{\"dx\":1.0213698148727417,\"prr\":2000.0,\"fiber_start_meters\":0,\"fiber_length_meters\":10000,\
                 \"sw_version\":\"{version}\",\"number_of_channels\":9791,\"fiber_description\":\"Simulated fibre\"}}"
            )
        );
    }
}
