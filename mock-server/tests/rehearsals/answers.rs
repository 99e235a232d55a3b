//! Answers that break off, come late, or are not those of the server.

use std::collections::BTreeMap;
use std::time::Duration;

use focus_mock::sim::leaks::Leaks;
use reqwest::Method;
use serde_json::json;

use crate::play::{Answer, Play, live};

pub(crate) async fn truncated(play: &Play) -> Leaks {
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(play.try_post("/configure", &live()).await);
    }
    let whole = answers[0].as_ref().expect("the first is whole").body.len() as u64;
    for (number, answer) in (1..).zip(&answers) {
        match answer {
            Ok(answer) => assert_eq!(
                (answer.status, answer.json()["job_id"].clone()),
                (200, json!(format!("{number}-{number}")))
            ),
            Err(broken) => {
                assert_eq!((broken.status, broken.length, broken.body.len()), (200, whole, 100));
                assert!(serde_json::from_slice::<serde_json::Value>(&broken.body).is_err());
            }
        }
        assert_eq!(answer.is_err(), number % 3 == 0, "{number}");
    }
    // The jobs of the answers that broke off are there; their client knows nothing of them.
    assert_eq!(play.state().await["jobs"].as_array().map(Vec::len), Some(6));

    let (first, took) = play.patiently(play.recordings()).await;
    assert_eq!(took, Duration::ZERO);
    let (second, took) = play.patiently(play.recordings()).await;
    assert_eq!(first.body, second.body);
    assert_eq!(took, Duration::from_secs(1) * u32::try_from(first.body.len()).expect("short") / 64);

    for _ in 0..2 {
        let broken = play.try_get("/channels").await.expect_err("too short");
        assert_eq!((broken.status, broken.length), (200, 43 + 7));
        assert_eq!(broken.body, br#"{"lowest_channel":1,"highest_channel":2337}"#);
    }
    let job = play.accepted(&live()).await;
    let path = format!("/metadata/{}", job["job_id"].as_str().expect("a job_id"));
    for _ in 0..2 {
        assert_eq!(play.get(&path).await.json(), job);
        let broken = play.try_get(&path).await.expect_err("cut off");
        // A reset may take with it what the client has not read.
        assert!(broken.body.len() as u64 <= broken.length / 2, "{broken:?}");
    }
    play.advance(100_000);
    Leaks::default()
}

const CONFIGURES: usize = 100;

/// What becomes of a configure, and how long that takes.
type Fate = (u16, Duration);

/// Configures in this order, one a second at most.
async fn fates(play: &Play, order: impl Iterator<Item = usize>) -> BTreeMap<usize, Fate> {
    let mut fates = BTreeMap::new();
    for number in order {
        play.advance(1000);
        let (id, body) = (format!("configure-{number}"), live());
        let asking = play.ask(&id, Method::POST, "/configure", Some(&body));
        let (answer, took) = play.patiently(asking).await;
        let answer = answer.expect("a whole answer");
        assert_fate(&answer, took);
        fates.insert(number, (answer.status, took));
    }
    fates
}

fn assert_fate(answer: &Answer, took: Duration) {
    let seen = (answer.text(), answer.header("content-type"), answer.header("retry-after"));
    match answer.status {
        200 => assert!(answer.json()["job_id"].is_string()),
        502 => assert_eq!(seen, ("<html>Bad Gateway</html>", Some("text/html"), None)),
        503 => assert_eq!(seen, ("upstream busy", Some("text/plain"), Some("1"))),
        504 => assert_eq!(seen, ("<html>Gateway Time-out</html>", Some("text/html"), None)),
        _ => panic!("{answer:?}"),
    }
    match answer.status {
        502 => assert_eq!(took, Duration::ZERO),
        503 => assert_eq!(took, Duration::from_secs(2)),
        504 => assert_eq!(took, Duration::from_secs(10)),
        _ => assert!(took > Duration::from_millis(10), "{took:?}"),
    }
}

pub(crate) async fn overload(play: &Play) -> Leaks {
    limited(play).await;
    let first = fates(play, 0..CONFIGURES).await;
    let mut counts = BTreeMap::<u16, usize>::new();
    for (status, _) in first.values() {
        *counts.entry(*status).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from([(200, 83), (502, 3), (503, 11), (504, 3)]));
    let mut slow: Vec<_> = first.values().filter(|fate| fate.0 == 200).map(|fate| fate.1).collect();
    slow.sort();
    let some = [0, slow.len() / 2, slow.len() - 1].map(|place| slow[place].as_millis());
    assert_eq!(some, [33, 167, 1305], "the fastest, the median and the slowest, in milliseconds");
    // In another order, and on another server, everybody's fate is the same.
    let other = Play::of("overload");
    assert_eq!(fates(&other, (0..CONFIGURES).rev()).await, first);
    play.advance(100_000);
    Leaks::default()
}

/// In one second 20 requests pass, and no more.
async fn limited(play: &Play) {
    for second in 0..2_u64 {
        play.at(second * 20_000);
        let asking = (0..20).map(|_| play.get("/channels"));
        let mut passed = Box::pin(futures_util::future::join_all(asking));
        crate::play::in_time("20 requests under way", async {
            while play.waiters().len() < 20 {
                tokio::select! {
                    biased;
                    answers = &mut passed => panic!("slow, not {answers:?}"),
                    () = tokio::task::yield_now() => {}
                }
            }
        })
        .await;
        for path in ["/channels", "/ack", "/no-such-route"] {
            let refused = play.get(path).await;
            let told = (refused.status, refused.header("retry-after"), refused.json());
            assert_eq!((told.0, told.1), (429, Some("1")));
            assert_eq!(told.2["code"], "RATE_LIMITED");
            assert_eq!(told.2["error"], "Too many requests: try again in 1 s");
        }
        play.advance(1000);
        let (again, took) = play.patiently(play.get("/ack")).await;
        assert_eq!(again.status, 200);
        assert!(took > Duration::ZERO);
        play.advance(10_000);
        let answers = passed.await;
        assert!(answers.iter().all(|answer| answer.status == 200));
    }
}
