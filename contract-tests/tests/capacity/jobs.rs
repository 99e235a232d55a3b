//! Which answers make a job, and what becomes of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use focus_contract::capacity::run::{Event, run};
use focus_contract::capacity::{self, Measured, Plan};
use focus_contract::stop::Stop;
use focus_contract::target::Remote;
use serde_json::json;

use crate::common::{Server, answer};

/// A run of 3 jobs, and everything that the server was asked.
fn against(names: fn(usize) -> (String, u16), metadata: u16) -> (Measured, Vec<String>) {
    let server = naming(names, metadata);
    let remote = Remote { base: server.base.clone(), allow_writes: true, ..Remote::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let plan = Plan { pause: Duration::ZERO, clean_up: Duration::ZERO, workers: 1, ..Plan::of(3) };
    let under_load = capacity::Server::of(&remote).expect("clients");
    let (stop, mut unseen) = (Stop::default(), |_: Event<'_>| {});
    let measured = runtime.block_on(run(&plan, &under_load, None, &stop, &mut unseen)).expect("a run");
    (measured, server.asked())
}

/// A server that names jobs in its own way, and what it says of them when it is asked.
pub(crate) fn naming(names: fn(usize) -> (String, u16), metadata: u16) -> Server {
    let named = AtomicUsize::new(0);
    Server::start(move |asked| match asked.line.split_once(' ') {
        Some(("POST", _)) => {
            let (id, port) = names(named.fetch_add(1, Ordering::SeqCst));
            let channels: serde_json::Map<_, _> = (1..=10).map(|n| (n.to_string(), json!(0))).collect();
            let job = json!({"job_id": id, "stream_port": port, "stream_url": "http://127.0.0.1", "view_type": 0,
                             "stream_amount": 1, "channel_amount": 10, "channel_to_stream_index": channels,
                             "frequencies_amount": 1, "frequencies_list": [0.5], "lines_dt": 0.0125});
            answer(200, "", job.to_string().as_bytes())
        }
        Some(("GET", _)) => answer(metadata, "", b"{}"),
        _ => answer(200, "", b"{}"),
    })
}

#[test]
fn a_job_counts_once_and_with_a_port_of_its_own() {
    let (fine, _) = against(|number| (format!("{}-{}", number + 1, number + 7), 5000 + number as u16), 404);
    assert_eq!((fine.succeeded(), fine.actual_capacity()), (3, 3));
    let (same_id, _) = against(|number| (String::from("1-7"), 5000 + number as u16), 404);
    assert_eq!((same_id.succeeded(), same_id.errors()["not unique"]), (1, 2));
    let reason = same_id.levels[0].reason().expect("a reason");
    assert_eq!(reason, "partial failure 1/3 (33.33%): job_id 1-7 was given before");
    let (same_port, _) = against(|number| (format!("{}-{}", number + 1, number + 7), 5000), 404);
    assert_eq!((same_port.succeeded(), same_port.errors()["not unique"]), (1, 2));
    let reason = same_port.levels[0].reason().expect("a reason");
    assert_eq!(reason, "partial failure 1/3 (33.33%): stream_port 5000 is that of job 1-7");
}

#[test]
fn every_job_is_cancelled_and_what_is_not_gone_then_is_told() {
    let names = |number| (format!("{}-{}", number + 1, number + 7), 5000 + number as u16);
    for (metadata, left) in
        [(404, vec![]), (200, vec!["1-7", "2-8", "3-9"]), (500, vec!["1-7", "2-8", "3-9"])]
    {
        let (measured, asked) = against(names, metadata);
        let mut deleted: Vec<_> = asked.iter().filter_map(|line| line.strip_prefix("DELETE /job/")).collect();
        deleted.sort_unstable();
        assert_eq!(deleted, ["1-7", "2-8", "3-9"]);
        assert_eq!(measured.left_behind, left, "{metadata}");
    }
}
