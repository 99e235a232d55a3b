//! Resident memory: of a job, and under full load for a while.

use std::net::SocketAddr;
use std::time::Duration;

use super::golden;
use crate::compare::{Plan, Spread};
use crate::grpc::read;
use crate::load::{Work, drive};
use crate::mock::Mock;
use crate::table::{Goal, Row};

const JOBS: usize = 1000;
const WORLDS: usize = 5;
const HALF: Duration = Duration::from_secs(30);

pub(super) async fn per_job() -> anyhow::Result<Vec<Row>> {
    let mut kib = Vec::with_capacity(WORLDS);
    for _ in 0..WORLDS {
        let mock = Mock::start()?;
        // What the first requests leave behind belongs to no job.
        let id = mock.job(&golden()).await?.id;
        mock.ask("DELETE", &format!("/job/{id}"), "").await?;
        let before = mock.process.resident_kib();
        mock.jobs(&golden(), JOBS).await?;
        let after = mock.process.resident_kib();
        kib.extend(after.zip(before).map(|(after, before)| (after as f64 - before as f64) / JOBS as f64));
    }
    Ok(vec![Row {
        figure: format!("Resident memory of a live job, of {JOBS} with channels 1–50, NFFT 1024"),
        goal: Goal::AtMost(32.0),
        spread: (!kib.is_empty()).then(|| Spread::of(kib)),
        unit: " KiB",
        notes: format!("{WORLDS} servers"),
    }])
}

pub(super) async fn full_load(plan: Plan) -> anyhow::Result<Vec<Row>> {
    if plan.quick {
        return Ok(Vec::new());
    }
    let mock = Mock::scaled(10_000)?;
    let job = mock.job(&golden()).await?;
    let port = SocketAddr::new(mock.rest.ip(), job.port);
    let pairs = Work::configure_and_cancel(&golden());
    let channels = Work::repeat("GET", "/channels", "", 200);
    let metadata = Work::repeat("GET", &format!("/metadata/{}", job.id), "", 200);
    let mut resident = Vec::new();
    let mut notes = String::new();
    for _ in 0..2 {
        let (pairs, channels, metadata, stream) = tokio::try_join!(
            drive(mock.rest, &pairs, 4, HALF),
            drive(mock.rest, &channels, 4, HALF),
            drive(mock.rest, &metadata, 4, HALF),
            read(port, HALF),
        )?;
        resident.push(mock.process.resident_kib());
        notes = format!(
            "{:.0} configured and cancelled, {:.0} reads, {:.0} frames a second",
            pairs.rate() / 2.0,
            channels.rate() + metadata.rate(),
            stream.messages as f64 / stream.took.as_secs_f64(),
        );
    }
    let growth = match resident[..] {
        [Some(first), Some(second)] => {
            notes = format!("{first} KiB, then {second} KiB; {notes}");
            Some(100.0 * (second as f64 / first as f64 - 1.0))
        }
        _ => None,
    };
    Ok(vec![Row {
        figure: format!("Full load: resident memory after {0} s and {0} s more, growth", HALF.as_secs()),
        goal: Goal::AtMost(5.0),
        spread: growth.map(|growth| Spread::of([growth])),
        unit: " %",
        notes,
    }])
}
