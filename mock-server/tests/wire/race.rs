//! Many clients, one thing to win: exactly one of them gets it, every time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use focus_mock::sim::clock::Mode;
use focus_mock::sim::setup::{Limits, Setup};
use focus_mock::{Addresses, Config, PortChoice, Server};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::common::light;

const CLIENTS: usize = 16;
const ROUNDS: usize = 1000;

/// On the test's own runtime, whose threads race for real.
async fn server(config: Config) -> Arc<Server> {
    Arc::new(Server::start(Config { clock: Mode::Manual, ..config }).await.expect("a server"))
}

/// Lets every client configure at once, each at its server; how many got which status, and the winner's answer.
async fn race(
    clients: &[(reqwest::Client, SocketAddr)],
    body: &str,
) -> (Vec<StatusCode>, Vec<(SocketAddr, Value)>) {
    let mut running = JoinSet::new();
    for (client, address) in clients.iter().cloned() {
        let request = client.post(format!("http://{address}/configure")).body(body.to_owned());
        running.spawn(async move {
            let answer = request.send().await.expect("an answer");
            (address, answer.status(), answer.json::<Value>().await.expect("JSON"))
        });
    }
    let (mut lost, mut won) = (Vec::new(), Vec::new());
    for (address, status, answer) in running.join_all().await {
        if status == StatusCode::OK {
            won.push((address, answer));
        } else {
            lost.push(status);
        }
    }
    (lost, won)
}

async fn cancel(client: &reqwest::Client, address: SocketAddr, job: &Value) {
    let id = job["job_id"].as_str().expect("an id");
    let answer = client.delete(format!("http://{address}/job/{id}")).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_clients_that_race_for_one_free_slot_have_one_winner() {
    let limits = Limits { max_jobs: 1, ..Limits::default() };
    let server = server(Config { setup: Setup { limits, ..Setup::default() }, ..Config::default() }).await;
    let clients: Vec<_> = (0..CLIENTS).map(|_| (reqwest::Client::new(), server.rest)).collect();
    let body = light().to_string();
    for round in 0..ROUNDS {
        let (lost, won) = race(&clients, &body).await;
        assert_eq!(won.len(), 1, "round {round}: {won:?}");
        assert_eq!(lost, [StatusCode::SERVICE_UNAVAILABLE; CLIENTS - 1], "round {round}");
        cancel(&clients[0].0, server.rest, &won[0].1).await;
        server.simulation().advance(Duration::from_secs(2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_clients_that_race_for_one_port_have_one_winner() {
    // The port is the machine's: sixteen worlds want the same one, each for its first job.
    let host = server(Config::default()).await;
    let address = SocketAddr::new(host.rest.ip(), 0);
    let addresses = Addresses::Given {
        listen: address,
        admin: None,
        kube: None,
        ports: PortChoice::Base(host.port_base),
    };
    let mut servers = Vec::new();
    for _ in 0..CLIENTS {
        servers.push(server(Config { addresses: addresses.clone(), ..Config::default() }).await);
    }
    let clients: Vec<_> = servers.iter().map(|server| (reqwest::Client::new(), server.rest)).collect();
    let body = light().to_string();
    for round in 0..ROUNDS {
        let (lost, won) = race(&clients, &body).await;
        assert_eq!(won.len(), 1, "round {round}: {won:?}");
        assert_eq!(lost, [StatusCode::CONFLICT; CLIENTS - 1], "round {round}");
        let (address, job) = &won[0];
        assert_eq!(job["stream_port"], host.port_base + 1, "round {round}");
        cancel(&clients[0].0, *address, job).await;
        let winner = servers.iter().find(|server| server.rest == *address).expect("one of them");
        winner.simulation().advance(Duration::from_secs(2));
    }
}
