//! However odd the requests: the series stay few, and scrapes and requests do not get into each other's way.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use focus_mock::sim::counts::{Counts, Verb};
use focus_mock::sim::faults::AnyRoute;
use proptest::prelude::*;
use tokio::task::JoinSet;

use super::{scrape, whole};
use crate::common::held;
use crate::raw;

/// Series of a server of which nothing was asked.
const QUIET: usize = 200;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn arbitrary_paths_and_methods_make_no_series_of_their_own(
        asked in proptest::collection::vec(("[A-Z]{1,12}", "(/[a-z0-9.%_-]{0,20}){1,5}(\\?[a-z=&]{0,10})?"), 1..40)
    ) {
        let server = held();
        let before = scrape(&server).values.len();
        prop_assert!(before < QUIET, "{before}");
        let kube = server.kube().expect("a Kubernetes API");
        for (method, path) in &asked {
            for address in [server.rest(), kube] {
                raw::ask(address, method, path, b"");
            }
        }
        let scraped = scrape(&server);
        let routes: BTreeSet<_> = AnyRoute::all().map(AnyRoute::name).collect();
        let verbs: BTreeSet<_> = Verb::ALL.iter().map(|verb| verb.name()).collect();
        let mut series = BTreeSet::new();
        for (name, labels) in scraped.values.keys() {
            if let Some(route) = labels.get("route") {
                prop_assert!(routes.contains(&**route), "{name} {labels:?}");
                prop_assert!(verbs.contains(&*labels["method"]), "{name} {labels:?}");
                series.insert((route, &labels["method"]));
            }
            if let Some(status) = labels.get("status") {
                prop_assert!(status == "none" || status.parse::<u16>().is_ok(), "{name} {labels:?}");
            }
        }
        prop_assert!(series.len() <= Counts::MOST_REQUESTS);
        let asked = asked.len() as u64 * 2;
        prop_assert_eq!(scraped.all("focus_mock_requests_total").values().sum::<u64>(), asked);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrapes_under_load_are_answered_and_no_request_is_lost_to_them() {
    const CLIENTS: u64 = 8;
    const EACH: u64 = 100;
    let server = held();
    let base = server.base_url();
    let done = AtomicU64::new(0);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let url = format!("{base}/channels");
        clients.spawn(async move {
            let http = reqwest::Client::builder().no_proxy().build().expect("a client");
            for _ in 0..EACH {
                assert_eq!(http.get(&url).send().await.expect("an answer").status(), 200);
            }
        });
    }
    let total = |scraped: &super::Scraped| scraped.all("focus_mock_requests_total").values().sum::<u64>();
    let scraping = async {
        let (mut scrapes, mut last) = (0, 0);
        while done.load(Ordering::Relaxed) == 0 {
            let scraped = tokio::task::block_in_place(|| scrape(&server));
            let now = total(&scraped);
            assert!(now >= last, "{now} after {last}");
            let histogram =
                scraped.values.iter().filter(|((name, _), _)| name.ends_with("duration_seconds_count"));
            assert_eq!(histogram.map(|(_, count)| whole(*count)).sum::<u64>(), now, "both are of one moment");
            (scrapes, last) = (scrapes + 1, now);
            tokio::task::yield_now().await;
        }
        scrapes
    };
    let asking = async {
        while let Some(client) = clients.join_next().await {
            client.expect("it got its answers");
        }
        done.store(1, Ordering::Relaxed);
    };
    let (scrapes, ()) = tokio::join!(scraping, asking);
    assert!(scrapes > 0);
    assert_eq!(total(&scrape(&server)), CLIENTS * EACH);
}
