//! What is asked of a server beside its live jobs, as a client sees it: each cost is from the request to its answer.

use super::super::golden;
use super::{SIZES, curve, rounds};
use crate::compare::{Plan, Spread};
use crate::curve::Curve;
use crate::http::{Connection, request};
use crate::load::job_id;
use crate::mock::Mock;
use crate::wall::now;

/// What is timed, and whether that is for each job; the first two belong together.
const COSTS: [(&str, bool); 9] = [
    ("POST /configure", false),
    ("DELETE /job/{id}", false),
    ("List of pods with a label of one job", false),
    ("List of all pods, per live job", true),
    ("GET /__mock/state, per live job", true),
    ("GET /metrics", false),
    ("Clock on by 1 s", false),
    ("Clock on by 10 s, over a sample of every sweep", false),
    ("Clock on by 60 s, over the sweep of all jobs, per job", true),
];
/// What can be asked again and again in between, and how often a round does so.
const PAIRS: usize = 40;
/// How many of them there are from one look at the clock to the next.
const BATCH: usize = 10;
const OFTEN: usize = 21;
const SELDOM: usize = 5;

/// A server with so many jobs that stay, and one whose jobs come and are swept.
struct Crowd {
    jobs: usize,
    lasting: Mock,
    swept: Mock,
    /// The list of the pods of one of the jobs.
    one: String,
}

pub(super) async fn curves(plan: Plan) -> anyhow::Result<Vec<Curve>> {
    let mut crowds = Vec::new();
    for jobs in SIZES {
        let (lasting, swept) = (Mock::crowded()?, Mock::clustered()?);
        let all = lasting.jobs(&golden(), jobs).await?;
        let one = format!("/api/v1/namespaces/panda/pods?labelSelector=app%3Dgrpc-job-{}", all[jobs / 2].id);
        crowds.push(Crowd { jobs, lasting, swept, one });
    }
    let count = if plan.quick { 5 } else { 15 };
    let turns = rounds::<_, 3>(plan, count, async |side| crowds[side].round().await).await?;
    let of_cost = |place: usize| -> Vec<Vec<f64>> {
        turns.iter().map(|turn| turn.iter().map(|costs| costs[place]).collect()).collect()
    };
    let named =
        |(place, (name, _)): (usize, &(&str, bool))| curve(name, "µs", "live jobs", &SIZES, of_cost(place));
    Ok(COSTS.iter().enumerate().map(named).collect())
}

impl Crowd {
    /// The median of each cost, in the order of their names.
    async fn round(&self) -> anyhow::Result<[f64; COSTS.len()]> {
        let mut rest = Connection::to(self.lasting.rest).await?;
        let mut admin = Connection::to(self.lasting.admin()?).await?;
        let mut kube = Connection::to(self.lasting.kube()?).await?;
        let label = often(&mut kube, "GET", &self.one, "", OFTEN).await?;
        let pods = often(&mut kube, "GET", "/api/v1/pods", "", SELDOM).await?;
        let state = often(&mut admin, "GET", "/__mock/state", "", SELDOM).await?;
        let metrics = often(&mut admin, "GET", "/metrics", "", OFTEN).await?;
        let second = often(&mut admin, "POST", ADVANCE, r#"{"by":"1s"}"#, OFTEN).await?;
        let sample = often(&mut admin, "POST", ADVANCE, r#"{"by":"10s"}"#, OFTEN).await?;
        let (configure, cancel) = pairs(&mut rest, &mut admin).await?;
        // What the cancelled jobs leave behind for a while belongs to no size.
        micros(&mut admin, &advance("60s")).await?;
        let sweep = self.sweep().await?;
        let costs = [configure, cancel, label, pods, state, metrics, second, sample, sweep];
        let per_job = |place: usize| if COSTS[place].1 { self.jobs as f64 } else { 1.0 };
        Ok(std::array::from_fn(|place| costs[place] / per_job(place)))
    }

    /// Jobs that nobody reads, until all of them are gone.
    async fn sweep(&self) -> anyhow::Result<f64> {
        self.swept.jobs(&golden(), self.jobs).await?;
        let mut admin = Connection::to(self.swept.admin()?).await?;
        let took = micros(&mut admin, &advance("60s")).await?;
        let metrics = admin.ask(&request("GET", "/metrics", "")).await?;
        let left = r#"focus_mock_jobs{state="Running"} 0"#;
        anyhow::ensure!(String::from_utf8_lossy(metrics.body).contains(left), "jobs are left after a sweep");
        Ok(took)
    }
}

const ADVANCE: &str = "/__mock/clock/advance";

fn advance(by: &str) -> Vec<u8> {
    request("POST", ADVANCE, &format!(r#"{{"by":"{by}"}}"#))
}

/// Configures and cancels; now and then the clock goes on until slots are free again. Not after each pair: an advance looks
/// at every job and leaves nothing else in the caches.
async fn pairs(rest: &mut Connection, admin: &mut Connection) -> anyhow::Result<(f64, f64)> {
    let (configure, on) = (request("POST", "/configure", &golden()), advance("3s"));
    let (mut configured, mut cancelled) = (Vec::with_capacity(PAIRS), Vec::with_capacity(PAIRS));
    for pair in 1..=PAIRS {
        let began = now();
        let answer = rest.ask(&configure).await?;
        configured.push((now() - began).as_secs_f64() * 1e6);
        anyhow::ensure!(answer.status == 200, "a configuration was answered with {}", answer.status);
        let cancel = request("DELETE", &format!("/job/{}", job_id(answer.body)?), "");
        cancelled.push(micros(rest, &cancel).await?);
        if pair % BATCH == 0 {
            micros(admin, &on).await?;
        }
    }
    Ok((Spread::of(configured).median, Spread::of(cancelled).median))
}

async fn often(
    connection: &mut Connection,
    method: &str,
    path: &str,
    body: &str,
    times: usize,
) -> anyhow::Result<f64> {
    let asks = request(method, path, body);
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        took.push(micros(connection, &asks).await?);
    }
    Ok(Spread::of(took).median)
}

/// From a request to its answer, which must be 200.
async fn micros(connection: &mut Connection, asks: &[u8]) -> anyhow::Result<f64> {
    let began = now();
    let status = connection.ask(asks).await?.status;
    let took = (now() - began).as_secs_f64() * 1e6;
    let line = || String::from_utf8_lossy(asks).lines().next().unwrap_or_default().to_owned();
    anyhow::ensure!(status == 200, "{} is answered with {status}", line());
    Ok(took)
}
