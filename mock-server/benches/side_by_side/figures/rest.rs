//! Reads and refusals: the mock's answers per second beside those of a bare axum.

use std::net::SocketAddr;

use super::{configuration, golden};
use crate::bare::{Bare, Canned, Spec};
use crate::compare::{Plan, Spread, Turn, alternate};
use crate::load::{CONNECTIONS, Round, Work, drive};
use crate::mock::Mock;
use crate::process::Process;
use crate::table::{Goal, Row};

/// A side of a comparison.
pub(super) struct Side<'a> {
    pub(super) process: &'a Process,
    pub(super) address: SocketAddr,
}

/// A round with the CPU time that the server used in it.
pub(super) struct Measured {
    pub(super) round: Round,
    pub(super) ticks: Option<u64>,
}

impl Side<'_> {
    pub(super) async fn round(&self, plan: Plan, work: &Work) -> anyhow::Result<Measured> {
        let before = self.process.cpu_ticks();
        let round = drive(self.address, work, CONNECTIONS, plan.round).await?;
        let ticks = self.process.cpu_ticks().zip(before).map(|(after, before)| after - before);
        Ok(Measured { round, ticks })
    }
}

/// Ratio of the requests per second of two sides, turn by turn.
pub(super) fn rates<const N: usize>(turns: &[Turn<Measured, N>], side: usize, of: usize) -> Spread {
    Spread::of(turns.iter().map(|turn| turn[side].round.rate() / turn[of].round.rate()))
}

/// The medians of both sides in words, and what a request costs the servers.
pub(super) fn notes<const N: usize>(turns: &[Turn<Measured, N>], side: usize, of: usize) -> String {
    let rate = |side: usize| Spread::of(turns.iter().map(|turn| turn[side].round.rate())).median;
    let per_request = |side: usize| {
        let ticks: Option<u64> = turns.iter().map(|turn| turn[side].ticks).sum();
        let requests: u64 = turns.iter().map(|turn| turn[side].round.requests).sum();
        Some(ticks? as f64 / requests as f64)
    };
    let cpu = match per_request(side).zip(per_request(of)) {
        Some((mock, bare)) => format!("; CPU per request {:.2}x", mock / bare),
        None => String::new(),
    };
    format!("{:.0}/s, bare {:.0}/s{cpu}", rate(side), rate(of))
}

/// Compares one request that is always answered the same.
async fn compare(mock: &Mock, plan: Plan, request: &Canned) -> anyhow::Result<Vec<Turn<Measured, 2>>> {
    let Canned { method, path, status, .. } = request;
    let body = if request.parses { request.body.as_str() } else { "" };
    let (answered, answer) = mock.ask(method, path, body).await?;
    anyhow::ensure!(answered == *status, "{method} {path} is answered with {answered}: {answer}");
    let bare = Bare::start(&Spec::Rest(vec![Canned { body: answer, ..request.clone() }]))?;
    let work = Work::repeat(method, path, body, *status);
    let sides = [
        Side { process: &mock.process, address: mock.rest },
        Side { process: &bare.process, address: bare.address },
    ];
    alternate(plan, async |side| sides[side].round(plan, &work).await).await
}

fn reads(figure: &str, turns: &[Turn<Measured, 2>]) -> Vec<Row> {
    let p99 = |side: usize| Spread::of(turns.iter().map(|turn| turn[side].round.p99_micros())).median;
    vec![
        Row {
            figure: format!("{figure}: requests/s to bare axum"),
            goal: Goal::AtLeast(0.9),
            spread: Some(rates(turns, 0, 1)),
            unit: "x",
            notes: notes(turns, 0, 1),
        },
        Row {
            figure: format!("{figure}: p99 latency to bare axum"),
            goal: Goal::AtMost(1.5),
            spread: Some(Spread::of(
                turns.iter().map(|turn| turn[0].round.p99_micros() / turn[1].round.p99_micros()),
            )),
            unit: "x",
            notes: format!("{:.0} µs, bare {:.0} µs", p99(0), p99(1)),
        },
    ]
}

fn get(path: &str) -> Canned {
    Canned { method: "GET".into(), path: path.into(), parses: false, status: 200, body: String::new() }
}

pub(super) async fn channels(plan: Plan) -> anyhow::Result<Vec<Row>> {
    let mock = Mock::start()?;
    Ok(reads("GET /channels", &compare(&mock, plan, &get("/channels")).await?))
}

pub(super) async fn metadata(plan: Plan) -> anyhow::Result<Vec<Row>> {
    // On the system's clock an idle job would be swept while it is measured.
    let mock = Mock::scaled(1)?;
    let path = format!("/metadata/{}", mock.job(&golden()).await?.id);
    Ok(reads("GET /metadata/{id}, channels 1–50, NFFT 1024", &compare(&mock, plan, &get(&path)).await?))
}

pub(super) async fn refused(plan: Plan) -> anyhow::Result<Vec<Row>> {
    let mock = Mock::start()?;
    let malformed = golden().replace("1024", "\"1024\"").replace(r#""height":600"#, "");
    let wrong = configuration(50, 1, 1000, "");
    let unrecorded = configuration(1, 50, 1024, r#""start_time":1000000000,"end_time":1000003600,"#);
    let mut rows = Vec::new();
    for (status, what, body) in [
        (422, "two fields of a wrong shape", malformed),
        (400, "two values out of bounds", wrong),
        (404, "a window without recordings", unrecorded),
    ] {
        let request = Canned { method: "POST".into(), path: "/configure".into(), parses: true, status, body };
        let turns = compare(&mock, plan, &request).await?;
        rows.push(Row {
            figure: format!("POST /configure refused with {status} ({what}): requests/s to bare axum"),
            goal: Goal::AtLeast(0.8),
            spread: Some(rates(&turns, 0, 1)),
            unit: "x",
            notes: notes(&turns, 0, 1),
        });
    }
    Ok(rows)
}
