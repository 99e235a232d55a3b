//! What the load generator of the capacity run offers on its own: the same requests at a server without logic.
//!
//! ```sh
//! cargo bench -p focus-contract --bench generator               # about half a minute
//! cargo bench -p focus-contract --bench generator -- --quick    # short rounds
//! ```
//!
//! The server is a bare axum on a thread of its own: it answers every configure with a valid job whose id and port are new,
//! and does nothing else. Goals are ten times what the real product was seen to carry; a generator that offers less would
//! be the limit that it measures. The result is a Markdown table.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use focus_contract::capacity::fire::{Shot, Shots, on_schedule, together};
use focus_contract::capacity::latency::Latencies;
use focus_contract::capacity::plan::PAYLOAD;
use focus_contract::capacity::{Reply, Server};
use focus_contract::failure::Failure;
use focus_contract::pace::Pacer;
use focus_contract::target::Remote;
use focus_contract::wall;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

/// Jobs that lived together in one run of the product (PZ-13986).
const JOBS_SEEN: u32 = 40;
/// Most configures a second that load runs of the product send.
const CONFIGURES_SEEN: f64 = 15.0;
/// Requests a second that it must answer under load in production.
const REQUESTS_SEEN: f64 = 20.0;
/// How many times as much the generator must offer.
const FACTOR: u32 = 10;
/// Configures in flight unless a capacity run says otherwise.
const WORKERS: usize = 50;
/// What it is asked for on a schedule.
const PER_SECOND: f64 = 1000.0;
/// Pulses a second, which decide how many frequencies an answer lists.
const PRR: u32 = 2000;
/// Ports of canned jobs, which nobody dials.
const FIRST_PORT: u32 = 12_300;
const PORTS: u32 = 50_000;

/// How much to measure.
struct Plan {
    rounds: usize,
    /// Configures of a round that are fired together.
    level: usize,
    /// Length of a round on a schedule.
    length: Duration,
}

/// What a round came to.
struct Round {
    /// Configures a second.
    rate: f64,
    lag: Latencies,
}

struct Row {
    figure: String,
    seen: String,
    goal: f64,
    offered: f64,
    /// Smallest and largest of the rounds.
    spread: (f64, f64),
    /// How many times what was seen.
    ratio: f64,
    lag: Latencies,
}

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let plan = if quick {
        Plan { rounds: 3, level: 1000, length: Duration::from_secs(1) }
    } else {
        Plan { rounds: 9, level: 5000, length: Duration::from_secs(3) }
    };
    let address = bare()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rows = runtime.block_on(rows(&plan, address))?;
    println!(
        "| Generator alone | Seen of the product | Goal | Offered | Min – max | Ratio | Lag p99, max | Met |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for row in rows {
        let (least, most) = row.spread;
        println!(
            "| {} | {} | ≥ {:.0} | {:.0} | {least:.0} – {most:.0} | {:.0}x | {:.2} ms, {:.2} ms | {} |",
            row.figure,
            row.seen,
            row.goal,
            row.offered,
            row.ratio,
            row.lag.quantile_ms(0.99),
            row.lag.max_ms(),
            if row.offered.round() >= row.goal { "yes" } else { "**no**" },
        );
    }
    Ok(())
}

async fn rows(plan: &Plan, address: SocketAddr) -> anyhow::Result<Vec<Row>> {
    let at_once = JOBS_SEEN * FACTOR;
    let (mut held, mut level, mut scheduled) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, so that noise hits all of them alike.
    for _ in 0..plan.rounds {
        held.push(in_flight(address, at_once).await?);
        level.push(fired(&server(address, "")?, plan.level, WORKERS).await?);
        scheduled.push(on_time(&server(address, "")?, PER_SECOND, plan.length).await?);
    }
    let seen = f64::from(JOBS_SEEN);
    let together = Row::of(
        format!("Configures in flight at the same time, {at_once} workers"),
        format!("{JOBS_SEEN} concurrent jobs of one run (PZ-13986)"),
        seen,
        &held,
    );
    let fast = Row::of(
        format!("Configures/s, {} fired together, {WORKERS} workers", plan.level),
        format!("{CONFIGURES_SEEN:.0}/s, the fastest of its load runs"),
        CONFIGURES_SEEN,
        &level,
    );
    let steady = Row::of(
        format!("Configures/s on a schedule of {PER_SECOND:.0}/s"),
        format!("{REQUESTS_SEEN:.0} requests/s demanded under load"),
        REQUESTS_SEEN,
        &scheduled,
    );
    Ok(vec![together, fast, steady])
}

impl Row {
    fn of(figure: String, seen: String, carried: f64, rounds: &[Round]) -> Self {
        let mut rates: Vec<_> = rounds.iter().map(|round| round.rate).collect();
        rates.sort_by(f64::total_cmp);
        let mut lag = Latencies::default();
        rounds.iter().for_each(|round| lag.add(&round.lag));
        let offered = rates[rates.len() / 2];
        Self {
            figure,
            seen,
            goal: carried * f64::from(FACTOR),
            offered,
            spread: (rates[0], rates[rates.len() - 1]),
            ratio: offered / carried,
            lag,
        }
    }
}

/// Lets a level go of which the server answers nobody before all have asked: it ends only if all are in flight together.
async fn in_flight(address: SocketAddr, count: u32) -> anyhow::Result<Round> {
    let server = server(address, "/held")?;
    let lag = fired(&server, count as usize, count as usize).await?.lag;
    Ok(Round { rate: f64::from(count), lag })
}

async fn fired(server: &Server, count: usize, workers: usize) -> anyhow::Result<Round> {
    let began = wall::now();
    let asked = server.clone();
    let shots = together(count, workers, &Pacer::default(), move |_| configure(asked.clone()));
    let lag = lag(shots).await?;
    Ok(Round { rate: rate(count, began.elapsed()), lag })
}

/// An open loop, as a rate shape is.
async fn on_time(server: &Server, per_second: f64, length: Duration) -> anyhow::Result<Round> {
    let interval = Duration::from_secs_f64(1.0 / per_second);
    let moments: Vec<_> =
        (0..).map(|number| interval * number).take_while(|moment| *moment < length).collect();
    let (count, asked) = (moments.len(), server.clone());
    let shots = on_schedule(&moments, &Pacer::default(), move |_| configure(asked.clone()));
    let shots = shots.all().await.map_err(told)?;
    let last = shots.iter().map(|shot| shot.due + shot.lag).max().context("a schedule")?;
    let mut all = Latencies::default();
    shots.into_iter().try_for_each(|shot| count_in(&mut all, shot))?;
    // From the first request to the last are as many intervals as there are requests, but one.
    Ok(Round { rate: rate(count - 1, last), lag: all })
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// What came of a configure: nothing, or why it did not succeed.
async fn configure(server: Server) -> Option<String> {
    match server.configure().await {
        Reply::Job(_) => None,
        other => Some(format!("{other:?}")),
    }
}

async fn lag(mut shots: Shots<Option<String>>) -> anyhow::Result<Latencies> {
    let mut all = Latencies::default();
    while let Some(shot) = shots.next().await.map_err(told)? {
        count_in(&mut all, shot)?;
    }
    Ok(all)
}

fn count_in(all: &mut Latencies, shot: Shot<Option<String>>) -> anyhow::Result<()> {
    all.record(shot.lag);
    match shot.value {
        None => Ok(()),
        Some(why) => anyhow::bail!("a configure of the bare server failed: {why}"),
    }
}

fn told(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!(failure.what)
}

fn server(address: SocketAddr, path: &str) -> anyhow::Result<Server> {
    let target = Remote { base: format!("http://{address}{path}"), ..Remote::default() };
    Server::of(&target).map_err(told)
}

/// Starts the bare server.
fn bare() -> anyhow::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("a port")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || runtime.block_on(serve(listener)));
    Ok(address)
}

async fn serve(listener: std::net::TcpListener) -> anyhow::Result<()> {
    let at_once = JOBS_SEEN * FACTOR;
    let canned = Arc::new(Canned::new(at_once as usize));
    let router = Router::new()
        .route("/configure", post(Canned::answer))
        .route("/held/configure", post(Canned::answer_together))
        .with_state(canned);
    let listener = TcpListener::from_std(listener)?.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

/// One answer, of which only id and port change.
struct Canned {
    text: [String; 3],
    jobs: AtomicU32,
    all: Barrier,
}

impl Canned {
    fn new(at_once: usize) -> Self {
        let frequencies = PAYLOAD.frequencies_list(PRR);
        let answer = json!({
            "job_id": "ID", "stream_port": "PORT", "stream_url": "http://127.0.0.1", "view_type": PAYLOAD.view,
            "stream_amount": PAYLOAD.stream_amount(), "channel_amount": PAYLOAD.channel_amount(),
            "channel_to_stream_index": PAYLOAD.streams().into_iter()
                .map(|(channel, stream)| (channel.to_string(), stream.into()))
                .collect::<serde_json::Map<String, Value>>(),
            "frequencies_amount": frequencies.len(), "frequencies_list": frequencies,
            "lines_dt": PAYLOAD.lines_dt(),
        })
        .to_string();
        let (before, rest) = answer.split_once("\"ID\"").expect("it is written above");
        let (between, after) = rest.split_once("\"PORT\"").expect("it is written above");
        let text = [before, between, after].map(str::to_owned);
        Self { text, jobs: AtomicU32::new(0), all: Barrier::new(at_once) }
    }

    fn next(&self) -> Response {
        let job = self.jobs.fetch_add(1, Ordering::Relaxed);
        let [before, between, after] = &self.text;
        let (slot, port) = (job % PORTS + 1, FIRST_PORT + job % PORTS);
        let body = format!("{before}\"{slot}-{}\"{between}{port}{after}", job + 1);
        ([(CONTENT_TYPE, "application/json")], body).into_response()
    }

    /// After the whole request has come.
    async fn answer(State(canned): State<Arc<Self>>, _: Bytes) -> Response {
        canned.next()
    }

    /// When all of a level have asked.
    async fn answer_together(State(canned): State<Arc<Self>>, _: Bytes) -> Response {
        canned.all.wait().await;
        canned.next()
    }
}
