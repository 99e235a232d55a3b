//! Jobs of which the pods do not run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use focus_contract::capacity::cluster::{ClusterView, Pod, Use};
use focus_contract::capacity::run::{Event, run};
use focus_contract::capacity::{self, Measured, Plan};
use focus_contract::client::admin::Admin;
use focus_contract::client::rest::PATIENCE;
use focus_contract::failure::Failure;
use focus_contract::pace::Pacer;
use focus_contract::stop::Stop;
use focus_contract::target::Remote;
use focus_mock::sim::clock::Mode;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::common::{Server, answer};
use crate::jobs::naming;
use crate::rig::{Limited, limits, results_in, series_in};

#[test]
fn a_job_without_a_running_pod_is_none() {
    let limited = Limited::start(Mode::Manual, &[limits(&json!({"gpu_pool": 2}))]);
    let kube = limited.kube();
    limited
        .capacity(&["--kube", &kube, "--jobs", "3", "--levels", "2,3", "--workers", "1"])
        .with(1)
        .says("pods: by http://127.")
        .says("             pods: 2 Running; 0.")
        .says("             pods: 2 Running, 1 Pending; 0.")
        .says("error: 1 x pod not Running")
        .says("capacity 2 of 3 on staging: failed")
        .says("First failing level: 3 (1 of 3 failed: partial failure 2/3 (66.67%): the pod of job 3-")
        .says(" is Pending after 30 s)");
    let actions = limited.report()["recommendations"]["immediate_actions"].to_string();
    assert!(actions.contains("Raise pod limits: 1 pods were not Running in time"), "{actions}");
    let results = results_in(limited.folder.path());
    let [first, second] = [0, 1].map(|place| results["levels"][place]["pods"].clone());
    assert_eq!(first["phases"], json!({"Running": 2}));
    assert_eq!((&second["phases"], &second["measured"]), (&json!({"Pending": 1, "Running": 2}), &json!(2)));
    // Of those that run, the metrics tell the same of each.
    let used = |pods: &Value| ["cpu_millicores", "memory_bytes"].map(|key| pods[key].as_u64());
    assert_eq!(used(&first), used(&second));
    assert!(used(&first)[1] > Some(1 << 20), "{first}");
    assert_eq!(results["levels"][1]["errors"], json!({"pod not Running": 1}));
    assert_eq!(limited.jobs(), 0);
}

#[test]
fn without_a_cluster_an_answer_is_a_job() {
    let limited = Limited::start(Mode::Manual, &[limits(&json!({"gpu_pool": 2}))]);
    let said = limited.capacity(&["--jobs", "3"]).with(0);
    said.says("pods: not looked at, for want of a Kubernetes API").says("capacity 3 of 3");
    assert_eq!(results_in(limited.folder.path())["levels"][0]["pods"], Value::Null);
}

#[test]
fn a_run_that_breaks_off_keeps_what_it_has_and_cancels_its_jobs() {
    let limited = Limited::start(Mode::Manual, &[]);
    let kube = Server::start(|asked| match asked.line.as_str() {
        "GET /version" => answer(200, "", b"{}"),
        _ => answer(500, "", b"boom"),
    });
    limited
        .capacity(&["--kube", &kube.base, "--jobs", "3"])
        .with(2)
        .says("results: ")
        .complains("the run broke off: list pods: the status is 500, and not 200: boom");
    let results = results_in(limited.folder.path());
    assert_eq!(results["run"]["broke_off"], "list pods: the status is 500, and not 200: boom");
    let verdict = &results["verdict"];
    assert_eq!((&verdict["passed"], &verdict["words"]), (&json!(false), &json!("broken off")));
    assert_eq!(series_in(limited.folder.path()), Vec::<Value>::new(), "it is no run of the series");
    assert_eq!(limited.jobs(), 0);
}

/// A cluster in which the pod of one job runs from a look on, and those of others at once.
struct Starting {
    late: &'static str,
    from: usize,
    looks: AtomicUsize,
    uses: fn() -> Result<BTreeMap<String, Use>, Failure>,
}

impl ClusterView for Starting {
    fn pods(&self) -> BoxFuture<'_, Result<BTreeMap<String, Pod>, Failure>> {
        let look = self.looks.fetch_add(1, Ordering::SeqCst) + 1;
        let pod = |id: &str| {
            let phase = if id == self.late && look < self.from { "Pending" } else { "Running" };
            (id.to_owned(), Pod { name: format!("pod-{id}"), phase: phase.to_owned() })
        };
        let pods = ["1-7", "2-8", "3-9"].map(pod).into();
        Box::pin(async { Ok(pods) })
    }

    fn uses(&self) -> BoxFuture<'_, Result<BTreeMap<String, Use>, Failure>> {
        let uses = (self.uses)();
        Box::pin(async { uses })
    }
}

/// 3 jobs in that cluster, on a clock that is held: from look to look it goes on by a second.
fn starting(cluster: &Starting) -> Measured {
    let server = naming(|number| (format!("{}-{}", number + 1, number + 7), 5000 + number as u16), 404);
    let admin = Server::start(|asked| match asked.line.as_str() {
        "GET /__mock/clock" => answer(200, "", br#"{"now_ms":0,"waiters":[]}"#),
        _ => answer(200, "", b"{}"),
    });
    let remote = Remote { base: server.base.clone(), allow_writes: true, ..Remote::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let plan = Plan { pause: Duration::ZERO, clean_up: Duration::ZERO, workers: 1, ..Plan::of(3) };
    let admin = Admin::of(&admin.base).expect("a client");
    let pacer = Pacer::of(Some(admin), PATIENCE);
    let under_load = capacity::Server::of(&remote).expect("clients").paced_by(pacer);
    let (stop, mut unseen) = (Stop::default(), |_: Event<'_>| {});
    runtime.block_on(run(&plan, &under_load, Some(cluster), &stop, &mut unseen)).expect("a run")
}

#[test]
fn a_pod_has_thirty_seconds_to_run() {
    // The first look is at 0 s.
    for (from, succeeded) in [(1, 3), (30, 3), (31, 3), (32, 2)] {
        let uses = || Ok(BTreeMap::new());
        let measured = starting(&Starting { late: "2-8", from, looks: AtomicUsize::new(0), uses });
        assert_eq!(measured.succeeded(), succeeded, "{from}");
        let reason = measured.levels[0].reason();
        let expected = "partial failure 2/3 (66.67%): the pod of job 2-8 is Pending after 30 s";
        assert_eq!(reason.as_deref(), (succeeded < 3).then_some(expected), "{from}");
    }
}

#[test]
fn what_pods_use_is_told_where_it_is_served_and_else_why_not() {
    let from = |uses| starting(&Starting { late: "", from: 0, looks: AtomicUsize::new(0), uses });
    let served = from(|| {
        let of =
            |name: &str, cpu_millicores| (name.to_owned(), Use { cpu_millicores, memory_bytes: 3 << 20 });
        Ok([of("pod-1-7", 250), of("pod-3-9", 1_000), of("pod-of-others", 9_000)].into())
    });
    let pods = served.levels[0].pods.as_ref().expect("pods");
    assert_eq!((pods.words().as_str(), pods.measured), ("3 Running; 1.25 CPU, 6 MiB", 2));
    assert_eq!(served.all_notes(), Vec::<String>::new());
    let not_served = from(|| Err(Failure::broken("list the metrics of pods: the status is 404")));
    assert_eq!(not_served.succeeded(), 3, "metrics are not of every cluster");
    assert_eq!(
        not_served.all_notes(),
        ["what pods use is not known: list the metrics of pods: the status is 404"]
    );
}
