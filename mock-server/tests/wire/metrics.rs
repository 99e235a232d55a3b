//! `/metrics`, read by a parser that is not ours.

mod bounded;
mod exact;
mod observability;
mod streams;

use std::collections::{BTreeMap, BTreeSet};

use focus_mock::MockServer;
use focus_mock::client::{Admin, Rule};
use prometheus_parse::{Scrape, Value};
use reqwest::Method;
use serde_json::json;

use super::common::{Client, held, held_as, light, with};

/// One value of a scrape, with its name and its labels.
type Key = (String, BTreeMap<String, String>);

/// What a scrape says, and of which sort each family is.
struct Scraped {
    values: BTreeMap<Key, f64>,
    sorts: BTreeMap<String, String>,
    text: String,
}

fn admin(server: &MockServer) -> Admin {
    server.admin_client().expect("an admin listener")
}

/// Scrapes; every line must be understood.
fn scrape(server: &MockServer) -> Scraped {
    read(admin(server).metrics().expect("an answer"))
}

fn read(text: String) -> Scraped {
    let parsed = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).expect("the text format");
    let mut values = BTreeMap::new();
    let mut insert = |name: &str, labels: BTreeMap<String, String>, value: f64| {
        let before = values.insert((name.to_owned(), labels), value);
        assert!(before.is_none(), "{name} twice");
    };
    for sample in &parsed.samples {
        let labels: BTreeMap<_, _> =
            sample.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        match &sample.value {
            Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => {
                insert(&sample.metric, labels, *value);
            }
            Value::Histogram(buckets) => {
                for bucket in buckets {
                    let mut labels = labels.clone();
                    labels.insert(String::from("le"), bucket.less_than.to_string());
                    insert(&format!("{}_bucket", sample.metric), labels, bucket.count);
                }
            }
            Value::Summary(_) => panic!("there are no summaries"),
        }
    }
    let lines = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(values.len(), lines, "every line is a value of its own");
    let sorts = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let sorts = sorts.map(|(name, sort)| (name.to_owned(), sort.to_owned())).collect();
    Scraped { values, sorts, text }
}

impl Scraped {
    /// The family that a name of a sample is of.
    fn family<'a>(&self, name: &'a str) -> &'a str {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        of_histogram.filter(|name| self.sorts.contains_key(*name)).unwrap_or(name)
    }

    /// A value that must be there.
    #[track_caller]
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let key = (name.to_owned(), labels);
        *self.values.get(&key).unwrap_or_else(|| panic!("no {key:?} in\n{}", self.text))
    }

    /// The values of a name by one of its labels, zeroes left out.
    fn by(&self, name: &str, label: &str) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        let of_name = self.values.iter().filter(|((found, _), value)| found == name && **value != 0.0);
        of_name.for_each(|((_, labels), value)| {
            *sums.entry(labels[label].clone()).or_default() += whole(*value)
        });
        sums
    }

    /// The same by all labels, in order of their names.
    fn all(&self, name: &str) -> BTreeMap<String, u64> {
        let of_name = self.values.iter().filter(|((found, _), value)| found == name && **value != 0.0);
        let text = |labels: &BTreeMap<String, String>| labels.values().cloned().collect::<Vec<_>>().join(" ");
        of_name.map(|((_, labels), value)| (text(labels), whole(*value))).collect()
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
fn whole(value: f64) -> u64 {
    assert!(value >= 0.0 && value.fract() == 0.0, "{value} is no count");
    value as u64
}

fn counts<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(key, count)| (key.to_owned(), count)).collect()
}

/// Some of everything: answers, refusals, delays, rollbacks, leaks, a full server, a lost pod, requests to the cluster.
async fn eventful() -> MockServer {
    let server = held_as(|config| config.setup.limits.max_jobs = 3);
    let (client, admin) = (Client::of(&server), admin(&server));
    let undo = admin.add_fault(Rule::at("undo.queue").does("fail").first(1)).expect("a rule");
    let late =
        admin.add_fault(Rule::at("step.commit").refuse("JOB_CREATION_FAILED").first(1)).expect("a rule");
    assert_eq!(client.configure(&light()).await.status, 503);
    drop((undo, late));
    let first = client.job(&light()).await;
    for _ in 0..2 {
        client.job(&light()).await;
    }
    assert_eq!(client.configure(&light()).await.refusal(), (503, String::from("CAPACITY_EXHAUSTED")));
    assert_eq!(client.cancel(first["job_id"].as_str().expect("an id")).await.status, 200);
    assert_eq!(client.get("/no/such/path").await.status, 404);
    let wrong = with(light(), &json!({ "channels": { "min": 5, "max": 1 } }));
    assert_eq!(client.configure(&wrong).await.status, 400);
    let _cut = admin.add_fault(Rule::at("rest.ack.before").does("reset").first(1)).expect("a rule");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    http.get(format!("{}/ack", server.base_url())).send().await.expect_err("it was cut");
    assert_eq!(admin.kill_pods("*").expect("an answer").len(), 2);
    let pods = format!("{}/api/v1/pods", server.kube_url().expect("a Kubernetes API"));
    assert_eq!(http.get(pods).send().await.expect("an answer").status(), 200);
    server
}

#[tokio::test]
async fn every_value_is_of_a_family_with_help_and_type_and_units_where_there_are_some() {
    let server = eventful().await;
    let scraped = scrape(&server);
    let helped: BTreeSet<_> = scraped
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '))
        .inspect(|(name, help)| assert!(!help.is_empty(), "{name}"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(helped, scraped.sorts.keys().map(String::as_str).collect());
    let mut with_values = BTreeSet::new();
    for (name, labels) in scraped.values.keys() {
        let family = scraped.family(name);
        let sort = scraped.sorts.get(family).unwrap_or_else(|| panic!("{name} has no type"));
        assert_eq!(sort == "counter", name.ends_with("_total"), "{name} is a {sort}");
        assert_eq!(sort == "histogram", family != name, "{name} is a {sort}");
        assert_eq!(labels.contains_key("le"), name.ends_with("_bucket"), "{name}");
        with_values.insert(family);
    }
    assert_eq!(with_values, helped, "no family is without a value after that much");
}

#[tokio::test]
async fn both_formats_say_the_same_and_each_is_told_by_its_type() {
    let server = eventful().await;
    let url = format!("http://{}/metrics", server.admin().expect("an admin listener"));
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let get = async |accept: &str| {
        let answer = http.get(&url).header("accept", accept).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
        (kind, answer.text().await.expect("text"))
    };
    // The process itself does not stand still between two looks.
    let samples = |text: &str| -> Vec<String> {
        let is_ours = |line: &&str| !line.starts_with('#') && !line.starts_with("process_");
        text.lines().filter(is_ours).map(str::to_owned).collect()
    };
    let (kind, text) = get("text/plain").await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let (open_kind, open) = get("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3").await;
    assert_eq!(open_kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_eq!(samples(&text), samples(&open));
    assert!(open.ends_with("\n# EOF\n") && !text.contains("# EOF") && !text.contains("# UNIT"));
    for (older, newer) in [
        ("# TYPE focus_mock_requests_total counter\n", "# TYPE focus_mock_requests counter\n"),
        ("# TYPE focus_mock_build_info gauge\n", "# TYPE focus_mock_build info\n"),
        ("# TYPE focus_mock_jobs gauge\n", "# TYPE focus_mock_jobs gauge\n"),
    ] {
        assert!(text.contains(older) && open.contains(newer), "{older}");
    }
    for unit in [
        "# UNIT focus_mock_request_duration_seconds seconds\n",
        "# UNIT focus_mock_stream_sent_bytes bytes\n",
        "# UNIT focus_mock_journal_bytes bytes\n",
    ] {
        assert!(open.contains(unit), "{unit}");
    }
}

#[tokio::test]
async fn the_product_and_the_cluster_have_no_such_route() {
    let server = held();
    assert_eq!(Client::of(&server).send(Method::GET, "/metrics", None).await.status, 404);
    let kube = format!("{}/metrics", server.kube_url().expect("a Kubernetes API"));
    assert_eq!(reqwest::get(kube).await.expect("an answer").status(), 404);
}
