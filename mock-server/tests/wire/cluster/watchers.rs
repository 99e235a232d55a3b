//! Watches as kube-rs has them: exact sequences, too old versions, bookmarks, a reflector that is the cluster.

use std::collections::BTreeSet;

use focus_mock::sim::setup::Setup;
use futures_util::{StreamExt, TryStreamExt};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::runtime::watcher::{self, Event, InitialListStrategy, watcher};
use kube::runtime::{WatchStreamExt, reflector};

use super::client::{Cluster, Watching, conditions, phase, within};

/// What happened to whom, without what is drawn.
async fn told<K>(watching: &mut Watching<K>, of: impl Fn(&K) -> String) -> String
where
    K: std::fmt::Debug,
{
    match watching.next().await {
        WatchEvent::Added(object) => format!("ADDED {}", of(&object)),
        WatchEvent::Modified(object) => format!("MODIFIED {}", of(&object)),
        WatchEvent::Deleted(object) => format!("DELETED {}", of(&object)),
        WatchEvent::Bookmark(_) => panic!("nobody asked for bookmarks"),
        WatchEvent::Error(status) => panic!("{status:?}"),
    }
}

fn pod(pod: &Pod) -> String {
    let deleting = if pod.metadata.deletion_timestamp.is_some() { " terminating" } else { "" };
    format!("{} {}{deleting}", pod.labels()["app"], phase(pod))
}

#[tokio::test]
async fn a_watch_of_one_job_sees_its_pods_come_and_go_and_nothing_of_others() {
    let cluster = Cluster::held().await;
    let mut watching = cluster.watch::<Pod>("job_id=2-2").await;
    for _ in 0..3 {
        cluster.job().await;
    }
    let mut come = Vec::new();
    for _ in 0..6 {
        come.push(told(&mut watching, pod).await);
    }
    assert_eq!(
        come,
        [
            "ADDED grpc-job-2-2 Pending",
            "MODIFIED grpc-job-2-2 Pending",
            "ADDED cleanup-job-2-2 Pending",
            "MODIFIED cleanup-job-2-2 Pending",
            "MODIFIED cleanup-job-2-2 Running",
            "MODIFIED grpc-job-2-2 Running",
        ]
    );
    for job in ["1-1", "2-2", "3-3"] {
        cluster.rest.cancel(job).await;
    }
    let mut gone = vec![told(&mut watching, pod).await, told(&mut watching, pod).await];
    cluster.advance(5000);
    for _ in 0..2 {
        gone.push(told(&mut watching, pod).await);
    }
    assert_eq!(
        gone,
        [
            "MODIFIED cleanup-job-2-2 Succeeded",
            "MODIFIED grpc-job-2-2 Succeeded",
            "DELETED grpc-job-2-2 Succeeded",
            "DELETED cleanup-job-2-2 Succeeded",
        ]
    );
}

#[tokio::test]
async fn so_do_watches_of_its_jobs_and_of_its_service() {
    let cluster = Cluster::held().await;
    let mut jobs = cluster.watch::<Job>("app=grpc-job-1-1").await;
    let mut services = cluster.watch::<Service>("job_id=1-1").await;
    cluster.job().await;
    let job = |job: &Job| format!("{} {:?}", job.name_any(), conditions(job));
    assert_eq!(told(&mut services, Service::name_any).await, "ADDED grpc-service-1-1");
    assert_eq!(told(&mut jobs, job).await, "ADDED grpc-job-1-1 []");
    cluster.rest.cancel("1-1").await;
    assert_eq!(told(&mut services, Service::name_any).await, "DELETED grpc-service-1-1");
    cluster.advance(5000);
    let mut last = String::new();
    while !last.starts_with("DELETED") {
        last = told(&mut jobs, job).await;
    }
    assert_eq!(last, "DELETED grpc-job-1-1 [\"Complete=True\"]");
}

#[tokio::test]
async fn of_a_refused_configuration_a_watcher_sees_no_object_that_stays() {
    let cluster = Cluster::held().await;
    let admin = cluster.server.admin_client().expect("an admin interface");
    let rule = "{at: step.queue, when: {first: 1}, do: {refuse: JOB_CREATION_FAILED}}";
    drop(admin.add_fault(rule).expect("a rule").keep());
    let mut watching = cluster.watch::<Pod>("job_id").await;
    assert_eq!(cluster.configures(&crate::common::light()).await, (503, "JOB_CREATION_FAILED".into()));
    cluster.job().await;
    let mut there = BTreeSet::new();
    let next = loop {
        match watching.next().await {
            WatchEvent::Added(pod) if pod.labels()["job_id"] == "1-2" => break pod,
            WatchEvent::Added(pod) | WatchEvent::Modified(pod) => drop(there.insert(pod.name_any())),
            WatchEvent::Deleted(pod) => {
                assert!(there.remove(&pod.name_any()), "{} was there", pod.name_any())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((phase(&next), there), ("Pending".into(), BTreeSet::new()));
}

fn short(setup: &mut Setup) {
    setup.history = 10;
}

#[tokio::test]
async fn a_version_that_is_no_longer_kept_is_told_in_the_watch() {
    let cluster = Cluster::of(short).await;
    let mut watching = cluster.watch::<Pod>("").await;
    for _ in 0..3 {
        cluster.job().await;
    }
    // It has read nothing yet of what has happened, and more has than is kept.
    let old = cluster.pods().watch(&WatchParams::default(), "1").await.expect("a watch");
    let first = within("an event", Box::pin(old).next()).await.expect("an event");
    let Ok(WatchEvent::Error(status)) = &first else { panic!("{first:?}") };
    assert_eq!((status.code, &*status.reason), (410, "Expired"));
    drop(watching.next().await);
}

#[tokio::test]
async fn a_watcher_that_was_away_for_too_long_lists_again() {
    let cluster = Cluster::of(short).await;
    let config = watcher::Config::default().labels("job_id");
    let mut events = Box::pin(watcher(cluster.pods(), config));
    let mut seen = Vec::new();
    loop {
        match within("an event", events.next()).await.expect("it goes on") {
            Ok(Event::Init) => seen.push("init".into()),
            Ok(Event::InitApply(pod) | Event::Apply(pod)) => seen.push(pod.labels()["app"].clone()),
            Ok(Event::InitDone) if seen.len() == 1 => {
                // It watches only when it is asked for its next event.
                for _ in 0..3 {
                    cluster.job().await;
                }
                seen.push("away".into());
            }
            Ok(Event::InitDone) => break,
            Ok(Event::Delete(pod)) => panic!("{} was deleted", pod.name_any()),
            Err(watcher::Error::WatchError(status)) => seen.push(status.code.to_string()),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(
        seen,
        [
            "init",
            "away",
            "410",
            "init",
            "cleanup-job-1-1",
            "cleanup-job-2-2",
            "cleanup-job-3-3",
            "grpc-job-1-1",
            "grpc-job-2-2",
            "grpc-job-3-3"
        ]
    );
}

#[tokio::test]
async fn a_streamed_list_ends_with_a_bookmark_and_goes_on_as_a_watch() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    let config =
        watcher::Config { initial_list_strategy: InitialListStrategy::StreamingList, ..Default::default() };
    let mut events = Box::pin(watcher(cluster.jobs(), config));
    let mut seen = Vec::new();
    while seen.len() < 5 {
        let event = within("an event", events.next()).await.expect("it goes on").expect("an event");
        seen.push(match event {
            Event::Init => "init".into(),
            Event::InitApply(job) => job.name_any(),
            Event::InitDone => {
                cluster.job().await;
                "done".into()
            }
            Event::Apply(job) => format!("then {}", job.name_any()),
            Event::Delete(job) => panic!("{} was deleted", job.name_any()),
        });
    }
    assert_eq!(seen, ["init", "cleanup-job-1-1", "grpc-job-1-1", "done", "then grpc-job-2-2"]);
}

#[tokio::test]
async fn a_watch_that_ends_in_order_says_with_a_bookmark_how_far_it_was() {
    let cluster = Cluster::held().await;
    let version =
        cluster.jobs().list(&ListParams::default()).await.expect("a list").metadata.resource_version;
    cluster.rest.get("/ack").await;
    let parameters = WatchParams::default().timeout(1);
    let events =
        cluster.jobs().watch(&parameters, version.as_deref().expect("a version")).await.expect("a watch");
    let events: Vec<_> = within("an end", events.try_collect()).await.expect("events");
    let [WatchEvent::Bookmark(bookmark)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(Some(&bookmark.metadata.resource_version), version.as_ref());
}

#[tokio::test]
async fn a_reflector_holds_what_a_list_would_say() {
    let cluster = Cluster::held().await;
    cluster.job().await;
    let (reader, writer) = reflector::store::<Pod>();
    let stream = reflector(writer, watcher(cluster.pods(), watcher::Config::default())).applied_objects();
    let following = tokio::spawn(stream.for_each(|_| async {}));
    within("a list", reader.wait_until_ready()).await.expect("a writer");
    cluster.job().await;
    cluster.rest.cancel("1-1").await;
    cluster.advance(5000);
    let listed = cluster.pods().list(&ListParams::default()).await.expect("a list");
    let mut listed: Vec<_> = listed.iter().map(|pod| (pod.name_any(), pod.resource_version())).collect();
    listed.sort();
    let agree = async {
        loop {
            let mut held: Vec<_> =
                reader.state().iter().map(|pod| (pod.name_any(), pod.resource_version())).collect();
            held.sort();
            if held == listed {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    within("the state of the list", agree).await;
    following.abort();
}
