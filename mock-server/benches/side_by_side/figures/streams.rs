//! Streams without pacing: bytes per second beside a bare tonic that repeats the same messages.

use std::net::SocketAddr;

use super::{configuration, golden};
use crate::bare::{Bare, Spec, encode};
use crate::compare::{Plan, Spread, alternate};
use crate::grpc::{Read, first, read};
use crate::mock::Mock;
use crate::table::{Goal, Row};

/// Every frame is due before the one before it has left: these streams have one in 0.1 s, which is now a microsecond.
/// Much faster, and a moment in which this machine does something else would be the day after which a stalled stream
/// is ended.
const CLOCK: u32 = 100_000;
/// Messages that the bare server repeats.
const MESSAGES: usize = 16;

pub(super) async fn large(plan: Plan) -> anyhow::Result<Vec<Row>> {
    stream(plan, "channels 1–750, NFFT 2048", configuration(1, 750, 2048, "")).await
}

pub(super) async fn small(plan: Plan) -> anyhow::Result<Vec<Row>> {
    stream(plan, "channels 1–50, NFFT 1024", golden()).await
}

async fn stream(plan: Plan, what: &str, body: String) -> anyhow::Result<Vec<Row>> {
    let mock = Mock::scaled(CLOCK)?;
    let body = body.replace(r#"Duration":300"#, r#"Duration":60"#);
    // A job for each round: the one before may have been stalled for too long since.
    let job = async || anyhow::Ok(SocketAddr::new(mock.rest.ip(), mock.job(&body).await?.port));
    let messages = first(job().await?, MESSAGES).await?;
    let kib = messages[0].main_data.iter().map(bytes::Bytes::len).sum::<usize>() / 1024;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), encode(&messages))?;
    let bare = Bare::start(&Spec::Stream(file.path().to_owned()))?;
    let turns = alternate::<_, 2>(plan, async |side| {
        let (process, address) =
            if side == 0 { (&mock.process, job().await?) } else { (&bare.process, bare.address) };
        let before = process.cpu_ticks();
        let done = read(address, plan.round).await?;
        Ok((done, process.cpu_ticks().zip(before).map(|(after, before)| after - before)))
    })
    .await?;
    let rate = |side: usize| Spread::of(turns.iter().map(|turn| turn[side].0.rate())).median / 1e6;
    let per_byte = |side: usize| {
        let ticks: Option<u64> = turns.iter().map(|turn| turn[side].1).sum();
        let bytes: u64 = turns.iter().map(|turn| turn[side].0.bytes).sum();
        Some(ticks? as f64 / bytes as f64)
    };
    let cpu = match per_byte(0).zip(per_byte(1)) {
        Some((mock, bare)) => format!("; CPU per byte {:.2}x", mock / bare),
        None => String::new(),
    };
    let ratio = |turn: &[(Read, Option<u64>); 2]| turn[0].0.rate() / turn[1].0.rate();
    Ok(vec![Row {
        figure: format!(
            "gRPC stream of a live job, {what}, view 0, {kib} KiB a message: bytes/s to bare tonic"
        ),
        goal: Goal::AtLeast(0.8),
        spread: Some(Spread::of(turns.iter().map(ratio))),
        unit: "x",
        notes: format!("{:.0} MB/s, bare {:.0} MB/s{cpu}", rate(0), rate(1)),
    }])
}
