//! Snapshots of the refusals that only a server in trouble gives.

mod keeper;
mod mocks;

use std::net::TcpListener;
use std::time::Duration;

use focus_contract::bodies::{historic, light};
use focus_contract::case::{Body, Case};
use focus_contract::failure::Failure;
use focus_contract::snapshot;
use focus_contract::story::Story;
use focus_mock::Config;
use focus_mock::domain::fiber::FiberState;
use focus_mock::sim::setup::{ClusterState, MongoDb, Setup, Supply};
use mocks::{passes, untold};

/// Tells a case on a mock whose world begins like this.
fn approved(case: &'static Case, change: impl FnOnce(&mut Setup)) {
    snapshot::keep_with(keeper::insta);
    let mut config = Config::default();
    change(&mut config.setup);
    passes(case, config);
}

const fn case(body: Body) -> Case {
    untold("snapshots/outages", body)
}

async fn live(story: &Story, name: &str) -> Result<(), Failure> {
    story.snapshot(name, &story.no_trace(story.post("/configure", &light())).await?)
}

#[test]
fn waiting_for_fiber() {
    static CASE: Case = case(|story| {
        Box::pin(async move {
            story.snapshot("live-metadata-waiting", &story.get("/live_metadata").await?)?;
            live(story, "waiting-for-fiber").await
        })
    });
    approved(&CASE, |setup| setup.fiber_state = FiberState::Waiting);
}

#[test]
fn recordings_unavailable() {
    static CASE: Case = case(|story| {
        Box::pin(async move {
            let now = story.now().await?;
            let asked = historic(light(), now - 3600, now - 60);
            story.snapshot("recordings-unavailable", &story.post("/configure", &asked).await?)?;
            story.snapshot("timeline-unavailable", &story.get("/get_recordings_timeline").await?)
        })
    });
    approved(&CASE, |setup| setup.dependencies.mongodb = MongoDb::Down);
}

#[test]
fn broker_unavailable() {
    static CASE: Case = case(|story| Box::pin(live(story, "broker-unavailable")));
    approved(&CASE, |setup| setup.dependencies.rabbitmq = Supply::Down);
}

#[test]
fn job_creation_failed() {
    static CASE: Case = case(|story| Box::pin(live(story, "job-creation-failed")));
    approved(&CASE, |setup| setup.dependencies.cluster = ClusterState::RefusesObjects);
}

#[test]
fn capacity_exhausted() {
    static CASE: Case = case(|story| Box::pin(live(story, "capacity-exhausted")));
    approved(&CASE, |setup| setup.limits.max_jobs = 0);
}

#[test]
fn server_down() {
    static CASE: Case =
        case(|story| Box::pin(async move { story.snapshot("server-down", &story.get("/ack").await?) }));
    approved(&CASE, |setup| setup.dependencies.focus_server = Supply::Down);
}

#[test]
fn port_in_use() {
    static CASE: Case = case(|story| {
        Box::pin(async move {
            let job = story.configure(&light()).await?;
            story.cancel(&job).await?;
            story.pass(Duration::from_secs(5)).await?;
            let held = TcpListener::bind(story.authority(&job));
            let _held = held.map_err(|error| Failure::could_not_run(error.to_string()))?;
            live(story, "port-in-use").await
        })
    });
    approved(&CASE, |_| {});
}
