//! What is counted, to the last one: on a held clock nothing happens but what a test does.

use std::net::TcpStream;
use std::time::Duration;

use focus_mock::client::{Filter, Rule};
use focus_mock::sim::faults::{GiveBack, Step};
use reqwest::Method;
use serde_json::json;

use super::{admin, counts, eventful, scrape};
use crate::common::{Client, held, held_with, light};

#[tokio::test]
async fn a_new_server_says_zero_of_everything_that_has_not_happened() {
    let server = held();
    let scraped = scrape(&server);
    for ((name, labels), value) in &scraped.values {
        let sort = scraped.sorts.get(name).map(String::as_str);
        if sort == Some("counter") && name.starts_with("focus_mock_") {
            assert_eq!(*value, 0.0, "{name} {labels:?}");
        }
    }
    for (name, label, zeroes) in [
        ("focus_mock_jobs", "state", 5),
        ("focus_mock_job_transitions_total", "event", 6),
        ("focus_mock_job_removals_total", "reason", 6),
        ("focus_mock_rollbacks_total", "step", 7),
        ("focus_mock_undo_failures_total", "step", 6),
        ("focus_mock_leaked_resources", "kind", 8),
        ("focus_mock_stream_calls_ended_total", "reason", 5),
    ] {
        let of_name =
            scraped.values.keys().filter(|(found, labels)| found == name && labels.contains_key(label));
        assert_eq!((of_name.count(), scraped.by(name, label).len()), (zeroes, 0), "{name}");
    }
    assert_eq!(scraped.value("focus_mock_serving", &[]), 1.0);
    assert_eq!(scraped.by("focus_mock_clock_mode", "mode"), counts([("manual", 1)]));
    assert_eq!(scraped.by("focus_mock_slots", "state"), counts([("free", 1024)]));
    assert_eq!(scraped.value("focus_mock_jobs_limit", &[]), 1024.0);
    assert_eq!(scraped.value("focus_mock_clock_timestamp_seconds", &[]), 1_765_152_000.0);
    assert_eq!(scraped.value("focus_mock_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    assert!(scraped.value("process_resident_memory_bytes", &[]) > 1e6);
    assert!(scraped.value("process_open_fds", &[]) > 3.0);
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status_and_by_the_time_they_took() {
    let server = held();
    let client = Client::of(&server);
    for _ in 0..3 {
        client.get("/channels").await;
    }
    client.get("/focus-server/channels").await;
    client.send(Method::DELETE, "/channels", None).await;
    client.send(Method::from_bytes(b"BREW").expect("a method"), "/ack", None).await;
    client.get("/no/such/path").await;
    client.job(&light()).await;
    client.configure(&json!({})).await;
    client.get("/metadata/9-9").await;
    let scraped = scrape(&server);
    let expected = counts([
        ("GET channels 200", 4),
        ("DELETE unrouted 405", 1),
        ("other unrouted 405", 1),
        ("GET unrouted 404", 1),
        ("POST configure 200", 1),
        ("POST configure 422", 1),
        ("GET metadata 404", 1),
    ]);
    assert_eq!(scraped.all("focus_mock_requests_total"), expected);
    let codes = scraped.by("focus_mock_refusals_total", "code");
    assert_eq!(codes.values().sum::<u64>(), 5, "every one that was refused has one code: {codes:?}");
    let route = [("method", "GET"), ("route", "channels")];
    assert_eq!(scraped.value("focus_mock_request_duration_seconds_count", &route), 4.0);
    assert_eq!(scraped.value("focus_mock_request_duration_seconds_sum", &route), 0.0, "the clock stood");
}

#[tokio::test]
async fn a_delay_of_a_rule_is_in_the_bucket_of_its_time_and_a_scrape_does_not_wait_for_it() {
    let server = held();
    let delay = Rule::at("rest.channels.before").delay("250ms").first(1);
    let _rule = admin(&server).add_fault(delay).expect("a rule");
    let client = Client::of(&server);
    let asking = async {
        let answer = client.get("/channels").await;
        assert_eq!(answer.status, 200);
    };
    let scraping = async {
        while !server.simulation().snapshot().waiters.iter().any(|waiter| waiter.what.starts_with("fault")) {
            tokio::task::yield_now().await;
        }
        let meanwhile = scrape(&server);
        assert!(meanwhile.all("focus_mock_requests_total").is_empty(), "it has not ended");
        assert_eq!(
            meanwhile.all("focus_mock_faults_injected_total"),
            counts([("delay rest.channels.before", 1)])
        );
        server.simulation().advance(Duration::from_millis(250));
    };
    tokio::join!(asking, scraping);
    let scraped = scrape(&server);
    let bucket = |le| {
        let labels = [("le", le), ("method", "GET"), ("route", "channels")];
        scraped.value("focus_mock_request_duration_seconds_bucket", &labels)
    };
    assert_eq!([bucket("0.2"), bucket("0.3"), bucket("20"), bucket("inf")], [0.0, 1.0, 1.0, 1.0]);
    let route = [("method", "GET"), ("route", "channels")];
    assert_eq!(scraped.value("focus_mock_request_duration_seconds_sum", &route), 0.25);
}

#[tokio::test]
async fn what_happens_to_jobs_is_counted_and_their_states_are_those_of_the_world() {
    let mut setup = focus_mock::sim::setup::Setup::default();
    setup.gpu.size = Some(2);
    let server = held_with(setup);
    let client = Client::of(&server);
    let jobs = [client.job(&light()).await, client.job(&light()).await, client.job(&light()).await];
    let id = |number: usize| jobs[number]["job_id"].as_str().expect("an id");
    let scraped = scrape(&server);
    assert_eq!(scraped.by("focus_mock_jobs", "state"), counts([("Running", 2), ("Pending", 1)]));
    assert_eq!(scraped.value("focus_mock_gpu_shares_in_use", &[]), 2.0);
    assert_eq!(scraped.by("focus_mock_slots", "state"), counts([("free", 1021), ("taken", 3)]));
    assert_eq!(scraped.by("focus_mock_ports_in_use", "holder"), counts([("job", 3)]));
    assert_eq!(scraped.value("focus_mock_streams", &[]) as usize, streams(&jobs[0]) + streams(&jobs[1]));
    // The third gets the share of the first; the second loses its pod.
    client.cancel(id(0)).await;
    server.simulation().advance(Duration::from_secs(5));
    assert_eq!(admin(&server).kill_pods(id(1)).expect("an answer"), [id(1)]);
    let scraped = scrape(&server);
    assert_eq!(scraped.by("focus_mock_jobs", "state"), counts([("Running", 1), ("Failed", 1)]));
    assert_eq!(scraped.by("focus_mock_ports_in_use", "holder"), counts([("job", 1)]), "a lost pod has none");
    server.simulation().advance(Duration::from_secs(120));
    let scraped = scrape(&server);
    let happened =
        counts([("configured", 3), ("started", 1), ("cancelled", 1), ("failed", 1), ("removed", 3)]);
    assert_eq!(scraped.by("focus_mock_job_transitions_total", "event"), happened);
    let why = counts([("cancelled", 1), ("finished", 1), ("idle", 1)]);
    assert_eq!(scraped.by("focus_mock_job_removals_total", "reason"), why);
    assert!(scraped.by("focus_mock_jobs", "state").is_empty());
    assert!(scraped.by("focus_mock_ports_in_use", "holder").is_empty());
}

fn streams(job: &serde_json::Value) -> usize {
    job["stream_amount"].as_u64().and_then(|amount| usize::try_from(amount).ok()).expect("an amount")
}

#[tokio::test]
async fn a_failure_of_each_step_is_a_rollback_of_that_step() {
    let server = held();
    let client = Client::of(&server);
    for (times, step) in (1_u64..).zip(Step::ALL) {
        let rule = Rule::at(&format!("step.{}", step.name())).refuse("JOB_CREATION_FAILED").first(times);
        let _rule = admin(&server).add_fault(rule).expect("a rule");
        for _ in 0..times {
            assert_eq!(client.configure(&light()).await.status, 503);
        }
    }
    let scraped = scrape(&server);
    // Before there is a number nothing was begun that could be undone.
    let expected = counts([
        ("port", 2),
        ("grpc-job", 3),
        ("cleanup-job", 4),
        ("service", 5),
        ("queue", 6),
        ("commit", 7),
    ]);
    assert_eq!(scraped.by("focus_mock_rollbacks_total", "step"), expected);
    let faults = scraped.all("focus_mock_faults_injected_total");
    assert_eq!((faults.len(), faults["refuse step.slot"], faults["refuse step.commit"]), (7, 1, 7));
    assert!(scraped.by("focus_mock_leaked_resources", "kind").is_empty());
    assert_eq!(scraped.value("focus_mock_fault_rules", &[]), 0.0);
}

#[tokio::test]
async fn an_undo_that_fails_is_counted_and_what_it_leaves_is_seen_until_a_reset() {
    // A port that is left behind stands in nobody's way.
    let on_conflict = focus_mock::sim::setup::OnConflict::Skip;
    let server = held_with(focus_mock::sim::setup::Setup { on_conflict, ..Default::default() });
    let (client, admin) = (Client::of(&server), admin(&server));
    for undo in GiveBack::ALL {
        let _fails =
            admin.add_fault(Rule::at(&format!("undo.{}", undo.name())).does("fail")).expect("a rule");
        let last = Rule::at("step.commit").refuse("JOB_CREATION_FAILED");
        let _last = admin.add_fault(last).expect("a rule");
        assert_eq!(client.configure(&light()).await.status, 503, "{}", undo.name());
    }
    let scraped = scrape(&server);
    let failures = GiveBack::ALL.iter().map(|undo| (undo.name().to_owned(), 1)).collect();
    assert_eq!(scraped.by("focus_mock_undo_failures_total", "step"), failures);
    let mut listed = std::collections::BTreeMap::<String, u64>::new();
    for leak in admin.leaks().expect("an answer") {
        *listed.entry(leak.kind).or_default() += 1;
    }
    let expected = counts([
        ("slot", 1),
        ("port", 1),
        ("job", 2),
        ("pod", 2),
        ("service", 1),
        ("queue", 1),
        ("gpu-share", 1),
    ]);
    assert_eq!(listed, expected);
    assert_eq!(scraped.by("focus_mock_leaked_resources", "kind"), listed);
    assert_eq!(scraped.by("focus_mock_ports_in_use", "holder"), counts([("leak", 1)]));
    admin.reset().expect("an answer");
    let scraped = scrape(&server);
    assert!(scraped.by("focus_mock_leaked_resources", "kind").is_empty());
    assert_eq!(scraped.by("focus_mock_undo_failures_total", "step").len(), GiveBack::ALL.len());
}

#[tokio::test]
async fn a_reset_takes_nothing_from_what_was_counted() {
    let server = eventful().await;
    let before = scrape(&server);
    admin(&server).reset().expect("an answer");
    let after = scrape(&server);
    for ((name, labels), value) in &before.values {
        let now = after.values.get(&(name.clone(), labels.clone()));
        if before.sorts.get(before.family(name)).is_some_and(|sort| sort != "gauge") {
            assert!(now.is_some_and(|now| now >= value), "{name} {labels:?}: {value} and then {now:?}");
        }
    }
    let resets = |scraped: &super::Scraped| scraped.value("focus_mock_resets_total", &[]);
    assert_eq!((resets(&before), resets(&after)), (0.0, 1.0));
    assert!(!before.by("focus_mock_jobs", "state").is_empty());
    assert!(after.by("focus_mock_jobs", "state").is_empty(), "what is seen is that of the new world");
}

#[tokio::test]
async fn counts_are_those_of_the_journal_and_go_on_when_its_entries_go() {
    let server = crate::common::held_as(|config| config.setup.journal.bytes = 4096);
    let client = Client::of(&server);
    for _ in 0..100 {
        client.get("/channels").await;
    }
    let scraped = scrape(&server);
    let journal = server.simulation().journal();
    let (written, dropped) = (journal.written(), journal.dropped());
    assert!(dropped > 0);
    assert_eq!(scraped.by("focus_mock_requests_total", "route"), counts([("channels", 100)]));
    for (name, value) in [
        ("focus_mock_journal_entries_written_total", written),
        ("focus_mock_journal_entries_dropped_total", dropped),
        ("focus_mock_journal_entries", written - dropped),
        ("focus_mock_journal_bytes", journal.bytes() as u64),
        ("focus_mock_journal_limit_bytes", 4096),
    ] {
        assert_eq!(super::whole(scraped.value(name, &[])), value, "{name}");
    }
    let page = admin(&server).journal(&Filter::default().kind("request")).expect("an answer");
    assert!(page.entries.len() < 100, "the journal itself has lost most of them");
}

#[tokio::test]
async fn the_cluster_is_seen_as_its_api_shows_it() {
    let server = held();
    let (client, admin) = (Client::of(&server), admin(&server));
    client.job(&light()).await;
    admin.dependency("rabbitmq", "down", None).expect("an answer");
    let kube = server.kube_url().expect("a Kubernetes API");
    let list = async |path: &str| -> serde_json::Value {
        reqwest::get(format!("{kube}{path}")).await.expect("an answer").json().await.expect("JSON")
    };
    let watch = reqwest::get(format!("{kube}/api/v1/pods?watch=true")).await.expect("an answer");
    let (pods, services) = (list("/api/v1/pods").await, list("/api/v1/services").await);
    let length = |list: &serde_json::Value| list["items"].as_array().expect("a list").len() as u64;
    let scraped = scrape(&server);
    let objects = scraped.by("focus_mock_cluster_objects", "kind");
    assert_eq!((objects["Pod"], objects["Service"], objects["Job"]), (length(&pods), length(&services), 2));
    let phases = scraped.by("focus_mock_pods", "phase");
    assert_eq!(phases.values().sum::<u64>(), length(&pods));
    let ready = scraped.by("focus_mock_workload_pods_ready", "workload");
    let wanted = scraped.by("focus_mock_workload_pods_wanted", "workload");
    assert_eq!((ready.get("rabbitmq-panda"), wanted["rabbitmq-panda"]), (None, 1));
    assert_eq!((ready["mongodb"], wanted["mongodb"]), (1, 1));
    assert_eq!(scraped.value("focus_mock_watches_open", &[]), 1.0);
    let requests = scraped.all("focus_mock_requests_total");
    assert_eq!((requests["GET kube.watch 200"], requests["GET kube.list 200"]), (1, 2));
    drop(watch);
    // A port that a rehearsal takes is no leak.
    let _port = admin.hold_port(focus_mock::client::Port::Next, "process", None).expect("a port");
    let scraped = scrape(&server);
    assert_eq!(scraped.by("focus_mock_ports_in_use", "holder"), counts([("job", 1), ("process", 1)]));
    assert!(TcpStream::connect(server.rest()).is_ok());
}

#[tokio::test]
async fn a_server_that_exits_for_want_of_mongodb_is_seen_to_crash_again_and_again() {
    use focus_mock::sim::setup::{Dependencies, MongoDb, Setup};
    let dependencies = Dependencies { mongodb: MongoDb::Down, ..Dependencies::default() };
    let server = held_with(Setup { requires_mongo: true, dependencies, ..Setup::default() });
    let client = Client::of(&server);
    assert_eq!(client.get("/ack").await.status, 503);
    let down = scrape(&server);
    assert_eq!(
        (down.value("focus_mock_serving", &[]), down.value("focus_mock_pods_in_crash_loop", &[])),
        (0.0, 1.0)
    );
    let ready = down.by("focus_mock_workload_pods_ready", "workload");
    assert_eq!((ready.get("panda-panda-focus-server"), ready.get("mongodb")), (None, None));
    server.simulation().advance(Duration::from_secs(60));
    let kube = server.kube_url().expect("a Kubernetes API");
    let pods = reqwest::get(format!("{kube}/api/v1/pods")).await.expect("an answer");
    let pods: serde_json::Value = pods.json().await.expect("JSON");
    let restarts = pods["items"].as_array().expect("a list").iter().filter_map(|pod| {
        let statuses = pod["status"]["containerStatuses"].as_array()?;
        statuses.first()?["restartCount"].as_u64()
    });
    let (restarts, seen) =
        (restarts.sum::<u64>(), scrape(&server).by("focus_mock_workload_restarts", "workload"));
    assert!(restarts > 1, "{restarts}");
    assert_eq!(seen, counts([("panda-panda-focus-server", restarts)]));
    admin(&server).dependency("mongodb", "up", None).expect("an answer");
    server.simulation().advance(Duration::from_secs(600));
    let up = scrape(&server);
    assert_eq!(
        (up.value("focus_mock_serving", &[]), up.value("focus_mock_pods_in_crash_loop", &[])),
        (1.0, 0.0)
    );
}
