//! What a job needs is taken already.

use focus_mock::sim::leaks::{Leaks, Planted};
use serde_json::{Value, json};

use crate::play::{Play, live};
use crate::streams::read_from;

/// Lets the jobs of nobody be swept, and the pods of cancelled ones go.
fn sweep(play: &Play) {
    play.advance(60_000);
}

pub(crate) async fn capacity(play: &Play) -> Leaks {
    const FULL: &str = "Capacity exhausted: the limit of 2 concurrent jobs is reached";
    let full = async || {
        for _ in 0..2 {
            play.in_vain(&live()).await.assert_refusal(503, "CAPACITY_EXHAUSTED", FULL);
        }
    };
    let first = play.accepted(&live()).await;
    play.accepted(&live()).await;
    full().await;
    // A cancelled job has its slot until its pods are gone.
    play.cancel(&first).await;
    play.advance(1999);
    full().await;
    play.advance(1);
    let third = play.accepted(&live()).await;
    full().await;
    sweep(play);
    assert_eq!(play.job_state(&third).await, None);
    for _ in 0..2 {
        play.accepted(&live()).await;
    }
    full().await;
    play.at(599_999);
    for _ in 0..2 {
        play.accepted(&live()).await;
    }
    full().await;
    play.at(600_000);
    for _ in 0..5 {
        play.accepted(&live()).await;
    }
    sweep(play);
    Leaks::default()
}

pub(crate) async fn gpu(play: &Play) -> Leaks {
    const FULL: &str = "Capacity exhausted: no free GPU share";
    let is = async |job: &Value, state: &str, open: bool| {
        assert_eq!(play.job_state(job).await.as_deref(), Some(state), "{job}");
        assert_eq!(play.is_open(port(job)), open, "{job}");
    };
    let [first, second, third] =
        [play.accepted(&live()).await, play.accepted(&live()).await, play.accepted(&live()).await];
    for job in [&first, &second] {
        is(job, "Running", true).await;
    }
    is(&third, "Pending", false).await;
    play.cancel(&second).await;
    is(&third, "Running", true).await;
    read_from(play, &third).await;

    for (at, refuses) in [(299_999, false), (300_000, true), (599_999, true)] {
        play.at(at);
        let jobs = [play.accepted(&live()).await, play.accepted(&live()).await];
        if refuses {
            play.in_vain(&live()).await.assert_refusal(503, "CAPACITY_EXHAUSTED", FULL);
        } else {
            let pending = play.accepted(&live()).await;
            is(&pending, "Pending", false).await;
            play.cancel(&pending).await;
        }
        for job in &jobs {
            play.cancel(job).await;
        }
    }
    play.at(600_000);
    for _ in 0..4 {
        is(&play.accepted(&live()).await, "Running", true).await;
    }
    sweep(play);
    Leaks::default()
}

fn port(job: &Value) -> u16 {
    job["stream_port"].as_u64().and_then(|port| port.try_into().ok()).expect("a stream_port")
}

/// Until then the port of slot 1 is in the way, as that; then it is the next job's.
async fn in_the_way(play: &Play, until: u64, what: &str, process: bool) -> Leaks {
    let wanted = play.port(1);
    let number = focus_mock::domain::ids::NodePort::new(wanted).expect("a port");
    let text = format!("Port {wanted} is already in use: conflict with {what}");
    for at in [0, 1000, until - 1] {
        play.at(at);
        assert_eq!((play.is_free(wanted), play.is_open(wanted)), (!process, false));
        play.in_vain(&live()).await.assert_refusal(409, "PORT_IN_USE", &text);
        let ports = vec![number];
        let planted = if process {
            Planted { ports, ..Planted::default() }
        } else {
            Planted { services: ports, ..Planted::default() }
        };
        play.assert_left(&Leaks { planted, ..Leaks::default() });
    }
    play.at(until);
    let job = play.accepted(&live()).await;
    assert_eq!((&job["job_id"], &job["stream_port"]), (&json!("1-4"), &json!(wanted)));
    assert_eq!(play.accepted(&live()).await["stream_port"], play.port(2));
    read_from(play, &job).await;
    sweep(play);
    sweep(play);
    Leaks::default()
}

pub(crate) async fn conflict(play: &Play) -> Leaks {
    in_the_way(play, 60_000, "another process", true).await
}

pub(crate) async fn leftover(play: &Play) -> Leaks {
    in_the_way(play, 120_000, "an existing service", false).await
}
