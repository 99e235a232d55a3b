//! The way every client goes: configure, look up, stream, cancel.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::grpc;
use crate::client::rest::{Answer, Rest};
use crate::target::Target;

/// `smoke/configure-stream-cancel`: a live job is answered with a port that streams at once, its metadata is the answer
/// itself, and after a cancel nobody knows it.
///
/// # Panics
/// When the server does not keep that.
pub async fn configure_stream_cancel(target: &impl Target) {
    let rest = Rest::of(target.base_url()).expect("an HTTP client");
    let configured = call(&rest, Method::POST, "/configure", Some(&light())).await;
    assert_eq!(configured.status, 200, "{}", String::from_utf8_lossy(&configured.body));
    let job = configured.json();
    let id = job["job_id"].as_str().expect("job_id is a string");
    let metadata = call(&rest, Method::GET, &format!("/metadata/{id}"), None).await;
    assert_eq!((metadata.status, metadata.json()), (200, job.clone()));

    let host = job["stream_url"].as_str().and_then(|url| url.strip_prefix("http://")).expect("an http URL");
    let port = job["stream_port"].as_u64().expect("stream_port is an integer");
    let frame = grpc::first_frame(host, port, 0).await.expect("a frame");
    let sequence = id.split_once('-').and_then(|(_, sequence)| sequence.parse().ok());
    assert_eq!(frame.job_id, sequence);
    // Twenty channels in groups of 7, 7 and 6, 64 bins each.
    assert_eq!((frame.start_channel, frame.end_channel, frame.data_shape_x), (1, 7, 7 * 64));
    assert!(frame.main_data.iter().all(|row| row.len() == 7 * 64 * 4));

    let cancelled = call(&rest, Method::DELETE, &format!("/job/{id}"), None).await;
    assert_eq!((cancelled.status, cancelled.json()), (200, json!({"status": "cancelled", "job_id": id})));
    let gone = call(&rest, Method::GET, &format!("/metadata/{id}"), None).await;
    assert_eq!((gone.status, gone.json()["error"].as_str()), (404, Some("Invalid job_id")));
}

async fn call(rest: &Rest, method: Method, path: &str, body: Option<&Value>) -> Answer {
    rest.call(method, path, body).await.expect("an answer")
}

fn light() -> Value {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 512, "displayInfo": {"height": 800},
           "channels": {"min": 1, "max": 20}, "frequencyRange": {"min": 0, "max": 250},
           "start_time": null, "end_time": null, "view_type": "0"})
}
