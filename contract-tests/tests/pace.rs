//! The pacer on a clock that is held: latencies are those of that clock, exactly, whoever is slow in real time.

use std::collections::BTreeSet;
use std::time::Duration;

use focus_contract::bodies::light;
use focus_contract::capacity::Reply;
use focus_contract::capacity::fire::{on_schedule, together};
use focus_contract::case::Capability;
use focus_contract::cases;
use focus_contract::client::admin::Admin;
use focus_contract::client::grpc::Port;
use focus_contract::client::rest::{PATIENCE, Request, Rest};
use focus_contract::failure::{Failure, FailureKind};
use focus_contract::pace::Pacer;
use focus_contract::runner::{Manner, Outcome, tell};
use focus_contract::target::{Target, Targets};
use focus_mock::sim::clock::Mode;
use focus_mock::{Config, MockServer};
use serde_json::{Value, json};

/// A mock whose clock is held, and which does something by rule.
struct Ruled(MockServer);

impl Ruled {
    async fn by(rules: &[Value]) -> Self {
        let mock = MockServer::start(Config { clock: Mode::Manual, ..Config::default() }).expect("a mock");
        let ruled = Self(mock);
        for rule in rules {
            ruled.admin().call(Request::post("/__mock/faults", rule)).await.expect("a rule");
        }
        ruled
    }

    fn admin(&self) -> Admin {
        Admin::of(&Target::admin_url(self).expect("an admin interface")).expect("a client")
    }

    fn pacer(&self) -> Pacer {
        Pacer::of(Some(self.admin()), PATIENCE)
    }

    fn rest(&self) -> Rest {
        Rest::of(&self.0.base_url()).expect("a client")
    }

    /// Statuses, and latencies and service times in milliseconds.
    async fn asked(&self, moments_ms: &[u64], request: Request) -> Vec<(u16, u128, u128)> {
        let (pacer, rest) = (self.pacer(), self.rest());
        let moments: Vec<_> = moments_ms.iter().map(|ms| Duration::from_millis(*ms)).collect();
        let ask = move |_| {
            let (rest, request) = (rest.clone(), request.clone());
            async move { rest.send(request).await.expect("an answer").status }
        };
        let shots = on_schedule(&moments, &pacer, ask).all().await.expect("a held clock");
        shots.iter().map(|shot| (shot.value, shot.latency.as_millis(), shot.service.as_millis())).collect()
    }
}

impl Target for Ruled {
    fn base_url(&self) -> String {
        self.0.base_url()
    }

    fn admin_url(&self) -> Option<String> {
        self.0.admin().map(|admin| format!("http://{admin}"))
    }

    fn grpc_host(&self) -> Option<String> {
        None
    }
}

/// The same server for the one case that is told.
struct One(std::sync::Mutex<Option<Ruled>>);

impl Targets for One {
    fn name(&self) -> String {
        String::from("a mock with rules")
    }

    fn capabilities(&self) -> BTreeSet<Capability> {
        [Capability::Rest, Capability::Grpc, Capability::Clock, Capability::Writes].into()
    }

    fn is_private(&self) -> bool {
        true
    }

    fn next(&self) -> Result<Box<dyn Target>, Failure> {
        let ruled = self.0.lock().expect("no panic").take();
        ruled
            .map(|ruled| Box::new(ruled) as Box<dyn Target>)
            .ok_or_else(|| Failure::could_not_run("told twice"))
    }
}

async fn told(case: &str, rules: &[Value]) -> Result<(), String> {
    let case = cases::find(case).expect("a case");
    let targets = One(std::sync::Mutex::new(Some(Ruled::by(rules).await)));
    match tell(case, &targets, Manner::default()).await.outcome {
        Outcome::Passed => Ok(()),
        Outcome::Failed(failure) => Err(failure.what),
        other => panic!("{other:?}"),
    }
}

fn late(at: &str, delay: &Value) -> Value {
    json!({"at": at, "delay": delay})
}

#[tokio::test]
async fn who_is_held_up_for_three_seconds_is_three_seconds_late_to_the_millisecond() {
    for at in ["rest.configure.before", "rest.configure.headers", "rest.configure.body"] {
        let mock = Ruled::by(&[late(at, &json!("3s"))]).await;
        let told =
            mock.asked(&[0, 200, 400, 3000, 3200, 3201, 10_000], Request::post("/configure", &light())).await;
        assert_eq!(told, vec![(200, 3000, 3000); 7], "{at}");
    }
}

#[tokio::test]
async fn who_is_not_held_up_is_not_late_whatever_others_wait_for() {
    let mock = Ruled::by(&[late("rest.configure.before", &json!("3s"))]).await;
    let (pacer, rest) = (mock.pacer(), mock.rest());
    let moments: Vec<_> = (0..40).map(|number| Duration::from_millis(100) * number).collect();
    let ask = move |number: usize| {
        let rest = rest.clone();
        let request = if number == 0 { Request::post("/configure", &light()) } else { Request::get("/ack") };
        async move { rest.send(request).await.expect("an answer").status }
    };
    let shots = on_schedule(&moments, &pacer, ask).all().await.expect("a held clock");
    let latencies: Vec<_> = shots.iter().map(|shot| shot.latency.as_millis()).collect();
    assert_eq!((latencies[0], latencies[1..].iter().max()), (3000, Some(&0)));
    assert_eq!(pacer.passed(), Duration::from_millis(3900), "to the last moment, and no further");
}

#[tokio::test]
async fn who_waits_for_a_worker_waits_from_the_beginning_on() {
    let mock = Ruled::by(&[late("rest.ack.before", &json!("1s"))]).await;
    let (pacer, rest) = (mock.pacer(), mock.rest());
    let ask = move |_| {
        let rest = rest.clone();
        async move { rest.send(Request::get("/ack")).await.expect("an answer").status }
    };
    let shots = together(6, 2, &pacer, ask).all().await.expect("a held clock");
    let times: Vec<_> = shots.iter().map(|shot| (shot.latency.as_secs(), shot.service.as_secs())).collect();
    let mut latencies: Vec<_> = times.iter().map(|(latency, _)| *latency).collect();
    latencies.sort_unstable();
    assert_eq!(latencies, [1, 1, 2, 2, 3, 3]);
    assert!(times.iter().all(|(_, service)| *service == 1), "{times:?}");
}

#[tokio::test]
async fn several_waits_of_one_request_add_up() {
    let rules = [late("rest.ack.before", &json!("1s")), late("rest.ack.headers", &json!("250ms"))];
    let mock = Ruled::by(&rules).await;
    assert_eq!(mock.asked(&[0, 1250], Request::get("/ack")).await, vec![(200, 1250, 1250); 2]);
}

#[tokio::test]
async fn a_part_of_a_millisecond_counts_as_a_whole_one() {
    let mock = Ruled::by(&[late("rest.ack.before", &json!(0.0025))]).await;
    let told = mock.asked(&[0], Request::get("/ack")).await;
    assert_eq!(told, [(200, 3, 3)], "whatever part of a millisecond the clock began with");
}

#[tokio::test]
async fn who_neither_answers_nor_waits_is_given_up_on() {
    let mock = Ruled::by(&[]).await;
    let pacer = Pacer::of(Some(mock.admin()), Duration::from_millis(20));
    let failure = on_schedule(&[Duration::ZERO], &pacer, |_| std::future::pending::<()>()).all().await;
    let failure = failure.expect_err("it never ends");
    assert_eq!(failure.kind, FailureKind::CouldNotRun);
    assert!(failure.what.contains("of 1 requests 0 wait on it"), "{failure}");
}

/// Where nobody answers: a port that was given back.
fn nowhere() -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    format!("http://{port}")
}

#[tokio::test]
async fn a_clock_that_cannot_be_moved_ends_it_after_what_was_answered() {
    let pacer = Pacer::of(Some(Admin::of(&nowhere()).expect("a client")), PATIENCE);
    let mut shots = on_schedule(&[Duration::ZERO, Duration::from_secs(1)], &pacer, std::future::ready);
    let first = shots.next().await.expect("it was asked before the clock had to be moved");
    assert_eq!(first.map(|shot| shot.value), Some(0));
    let failure = shots.next().await.expect_err("nobody moves the clock");
    assert_eq!(failure.kind, FailureKind::CouldNotRun);
    assert!(failure.what.contains("/__mock/clock/advance"), "{failure}");
    assert!(shots.next().await.expect("said once").is_none());
}

#[tokio::test]
async fn what_is_on_its_way_is_told_also_when_nobody_says_who_waits_on_the_clock() {
    let nowhere = nowhere();
    let pacer = Pacer::of(Some(Admin::of(&nowhere).expect("a client")), PATIENCE);
    let rest = Rest::of(&nowhere).expect("a client");
    let ask = move |_| {
        let rest = rest.clone();
        // Longer than it takes to find out that the clock does not answer either.
        async move {
            for _ in 0..50 {
                rest.send(Request::get("/ack")).await.expect_err("nobody answers");
            }
        }
    };
    let mut shots = together(3, 1, &pacer, ask);
    assert_eq!(shots.next().await.expect("it was on its way").map(|shot| shot.number), Some(0));
    let failure = shots.next().await.expect_err("nobody lists who waits");
    assert!(failure.what.contains("/__mock/clock"), "{failure}");
}

#[tokio::test]
async fn the_clock_is_not_moved_before_whoever_takes_an_answer_is_done_with_it() {
    let mock = Ruled::by(&[late("rest.ack.before", &json!("3s"))]).await;
    let (pacer, rest) = (mock.pacer(), mock.rest());
    let ask = move |number: usize| {
        let rest = rest.clone();
        let path = if number == 1 { "/ack" } else { "/channels" };
        async move { rest.send(Request::get(path)).await.expect("an answer").status }
    };
    let moments = [0, 0, 1, 10].map(Duration::from_secs);
    let mut shots = on_schedule(&moments, &pacer, ask);
    let mut heard = Vec::new();
    while let Some(shot) = shots.next().await.expect("a held clock") {
        // As long as another request takes, and its answer: a clock that goes on by itself would by now.
        for _ in 0..20 {
            mock.admin().clock().await.expect("a clock");
        }
        heard.push((shot.number, shot.latency.as_secs(), pacer.passed().as_secs()));
    }
    assert_eq!(heard, [(0, 0, 0), (2, 0, 1), (1, 3, 3), (3, 0, 10)]);
}

#[tokio::test]
async fn what_is_halted_on_a_held_clock_is_waited_for_on_it() {
    let mock = Ruled::by(&[late("rest.ack.before", &json!("1m"))]).await;
    let (pacer, rest) = (mock.pacer(), mock.rest());
    let ask = move |number: usize| {
        let rest = rest.clone();
        let path = if number == 0 { "/channels" } else { "/ack" };
        async move { rest.send(Request::get(path)).await.expect("an answer").status }
    };
    let mut shots = on_schedule(&[0, 0, 30, 90].map(Duration::from_secs), &pacer, ask);
    assert_eq!(shots.next().await.expect("a held clock").map(|shot| shot.number), Some(0));
    shots.halt(PATIENCE);
    let told = shots.all().await.expect("a held clock");
    let told: Vec<_> = told.iter().map(|shot| (shot.number, shot.latency.as_secs())).collect();
    assert_eq!((told, pacer.passed().as_secs()), (vec![(1, 60)], 60));
}

#[tokio::test]
async fn a_reader_who_waits_for_a_frame_is_no_request_that_is_waited_for() {
    let mock = Ruled::by(&[late("rest.ack.before", &json!("3s"))]).await;
    let (pacer, rest) = (mock.pacer(), mock.rest());
    let under_load = focus_contract::capacity::Server::of(&mock).expect("clients").paced_by(pacer.clone());
    let Reply::Job(job) = under_load.configure().await else { panic!("no job") };
    let port = Port::connect(&under_load.authority(&job)).await.expect("its port");
    let mut reading = port.open(&job, 0).await.expect("its stream");
    let reading = tokio::spawn(async move { while reading.next().await.is_ok() {} });
    let ask = move |_| {
        let rest = rest.clone();
        async move { rest.send(Request::get("/ack")).await.expect("an answer").status }
    };
    let shots = together(2, 2, &pacer, ask).all().await.expect("a held clock");
    assert_eq!(shots.iter().map(|shot| shot.latency.as_secs()).collect::<Vec<_>>(), [3, 3]);
    reading.abort();
}

#[tokio::test]
async fn configures_are_too_slow_at_a_threshold_and_fast_enough_just_below_it() {
    let case = "load/configure-latency";
    let slow = |ms: u64| [late("rest.configure.before", &json!(format!("{ms}ms")))];
    assert_eq!(told(case, &slow(499)).await, Ok(()));
    let said = told(case, &slow(500)).await.expect_err("p95 is at its bound");
    assert_eq!(said, "the first 20 configures: the p95 latency of 20 is 500 ms, it must be less than 500 ms");
    let said = told(case, &slow(3000)).await.expect_err("three seconds are too long");
    assert_eq!(
        said,
        "the first 10 configures: the longest latency of 10 is 3000 ms, it must be less than 2000 ms"
    );
    // Two of a hundred: the 99th percentile meets them, the 95th does not.
    let two = [json!({"at": "rest.configure.before", "when": {"after": 50, "first": 2}, "delay": "1s"})];
    let said = told(case, &two).await.expect_err("p99 is at its bound");
    assert_eq!(
        said,
        "100 configures in turn: the p99 latency of 100 is 1000 ms, it must be less than 1000 ms"
    );
}

#[tokio::test(start_paused = true)]
async fn where_no_clock_is_held_moments_and_latencies_are_those_of_real_time() {
    let pacer = Pacer::of(None, PATIENCE);
    let second = Duration::from_secs(1);
    let busy = |_| async {
        tokio::time::timeout(Duration::from_secs(2), std::future::pending::<()>()).await.is_err()
    };
    let shots = on_schedule(&[Duration::ZERO, second, second * 2], &pacer, busy).all().await;
    let shots = shots.expect("no clock is moved");
    assert!(shots.iter().all(|shot| shot.value && shot.latency.as_secs() == 2));
    pacer.pass(second).await.expect("no clock is moved");
    assert_eq!(pacer.passed().as_secs(), 5);
}
