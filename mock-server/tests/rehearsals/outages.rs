//! Something that the server needs is away for a while.

use focus_mock::sim::leaks::Leaks;
use serde_json::json;
use tonic::Code;

use crate::play::{Play, live, recorded};
use crate::streams::{Call, read_from};

const NO_INDEX: &str = "Recordings are unavailable: MongoDB is unavailable";
const NO_BROKER: &str = "Message broker is unavailable: RabbitMQ is unavailable";
const NO_LIGHT: &str = "Cannot proceed: waiting for fiber (missing required fiber metadata fields: prr)";
const NO_RECORDING: &str = "No recording found in given time range";

/// A job of either kind can be had.
async fn assert_both_kinds(play: &Play) {
    for body in [live(), recorded(60)] {
        let job = play.accepted(&body).await;
        read_from(play, &job).await;
        play.cancel(&job).await;
    }
}

pub(crate) async fn mongodb(play: &Play) -> Leaks {
    let timeline = "/get_recordings_timeline?start_time=1764979200&end_time=1765152000";
    let all_there = async || {
        let recordings = play.recordings().await;
        assert_eq!((recordings.status, recordings.json().as_array().map(Vec::len)), (200, Some(48)));
        assert_eq!(play.get(timeline).await.status, 200);
        assert_both_kinds(play).await;
    };
    let unavailable = async || {
        for answer in [play.recordings().await, play.get(timeline).await, play.in_vain(&recorded(60)).await] {
            answer.assert_refusal(503, "RECORDINGS_UNAVAILABLE", NO_INDEX);
        }
        let job = play.accepted(&live()).await;
        read_from(play, &job).await;
        play.cancel(&job).await;
        assert_eq!(play.get("/live_metadata").await.status, 200);
    };
    play.at(29_999);
    all_there().await;
    play.at(30_000);
    unavailable().await;
    play.at(89_999);
    unavailable().await;
    play.at(90_000);
    all_there().await;
    play.at(200_000);
    Leaks::default()
}

pub(crate) async fn broker(play: &Play) -> Leaks {
    play.at(29_000);
    let running = play.accepted(&live()).await;
    let mut call = Call::open(play, &running, 0).await;
    call.frame().await;
    for at in [30_000, 89_999] {
        play.at(at);
        for body in [live(), recorded(60)] {
            play.in_vain(&body).await.assert_refusal(503, "BROKER_UNAVAILABLE", NO_BROKER);
        }
        // The one that came due on the way, and the one after it.
        call.frame().await;
        call.next().await;
        assert_eq!(play.recordings().await.status, 200);
        assert_eq!(play.job_state(&running).await.as_deref(), Some("Running"));
    }
    play.at(90_500);
    assert_both_kinds(play).await;
    call.frame().await;
    drop(call);
    play.until_calls(&running, 0).await;
    play.cancel(&running).await;
    play.at(200_000);
    Leaks::default()
}

pub(crate) async fn nothing_recorded(play: &Play) -> Leaks {
    for at in [0, 299_999] {
        play.at(at);
        play.in_vain(&recorded(60)).await.assert_refusal(404, "NO_RECORDING", NO_RECORDING);
        let recordings = play.recordings().await;
        assert_eq!((recordings.status, recordings.json()), (200, json!([])));
        let job = play.accepted(&live()).await;
        read_from(play, &job).await;
        play.cancel(&job).await;
    }
    play.at(300_000);
    assert_eq!(play.recordings().await.json().as_array().map(Vec::len), Some(48));
    assert_both_kinds(play).await;
    play.at(400_000);
    Leaks::default()
}

pub(crate) async fn fiber(play: &Play) -> Leaks {
    let light = async || {
        let answer = play.get("/live_metadata").await;
        assert_eq!(answer.status, 200);
        answer.json()["sw_version"].as_str().expect("a text").to_owned()
    };
    let version = light().await;
    assert_eq!(version, "11.17.10513");
    play.at(29_000);
    let (lived, played) = (play.accepted(&live()).await, play.accepted(&recorded(7200)).await);
    let mut running = Call::open(play, &lived, 0).await;
    let mut historic = Call::open(play, &played, 0).await;
    running.frame().await;
    running.next().await;
    historic.frames(8).await;
    for at in [30_000, 50_000, 70_000, 89_999] {
        play.at(at);
        play.in_vain(&live()).await.assert_refusal(503, "WAITING_FOR_FIBER", NO_LIGHT);
        assert_eq!(light().await, "waiting for fiber");
        assert!(running.is_silent().await);
        match at {
            30_000 | 50_000 => drop(historic.frame_or_next().await),
            // 36 s after its beginning, all that was recorded has been played.
            70_000 => assert_eq!(historic.rest().await.1, Code::Ok),
            _ => {}
        }
    }
    play.at(90_000);
    assert_eq!(light().await, "waiting for fiber");
    let job = play.accepted(&live()).await;
    read_from(play, &job).await;
    play.cancel(&job).await;
    assert_eq!(play.job_state(&lived).await.as_deref(), Some("Running"));
    running.frame().await;
    running.next().await;
    play.at(150_000);
    assert_eq!(light().await, version);
    assert_both_kinds(play).await;
    drop(running);
    play.until_calls(&lived, 0).await;
    play.at(400_000);
    Leaks::default()
}
